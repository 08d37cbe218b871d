// SPDX-License-Identifier: GPL-2.0-only
/*
 * An operation on a large block can be killed in its midst: it ends long before its work
 * would be done, and nothing is left behind.
 *
 * Room: vm. Loads the module with a pool that is large enough. How long
 * the whole work takes is measured first, so that the machine's speed does not matter: a
 * child that is killed after an eighth of that must be gone before a half. The parent
 * has the same open file, which shows what is left of the block.
 */
#include "uapi.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEAST		(64ULL << 20)	/* bytes of the smallest block that is worth it */
#define LEAST_NS	20000000	/* shorter work is not killed in its midst for sure */

/* the child's operation, shared with it */
static struct tlsf_op *shared;
static int *began;

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static int begin(void)
{
	int fd = dev_fresh();

	if (!shared)
		shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			      0);
	EXPECT(shared != MAP_FAILED);
	began = (int *)(shared + 1);
	if (info_of(fd).max_request < 3 * LEAST)
		ktap_skip("the pool is too small");
	return fd;
}

static void sleep_ns(u64 ns)
{
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&t, NULL);
}

/* @op in a child: how long until it has ended, killed after @ns unless that is 0 */
static u64 in_child(int fd, struct tlsf_op op, u64 ns)
{
	u64 start;
	pid_t child;
	int status;

	*shared = op;
	*(volatile int *)began = 0;
	child = fork();
	EXPECT(child >= 0);
	if (!child) {
		*(volatile int *)began = 1;
		_exit(op_run(fd, shared) ? 1 : 0);
	}
	while (!*(volatile int *)began)
		sleep_ns(100000);
	start = now_ns();
	if (ns) {
		sleep_ns(ns);
		kill(child, SIGKILL);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	if (!ns)
		EXPECT_EQ(status, 0);
	else
		EXPECT(WIFSIGNALED(status));
	return now_ns() - start;
}

/* killed in the midst of what took @whole */
static void kill_in_child(int fd, struct tlsf_op op, u64 whole)
{
	u64 took;

	if (whole < LEAST_NS)
		ktap_skip("the machine is too fast for this pool");
	took = in_child(fd, op, whole / 8);
	printf("# whole: %llu us; killed after %llu us it ended after %llu us\n", whole / 1000,
	       whole / 8000, took / 1000);
	EXPECT_LE(took, whole / 2);
	EXPECT_EQ(shared->result, -EINTR);
}

/* the parent's file still works, and the pool is sound */
static void expect_rest(int fd, u64 used_blocks)
{
	EXPECT_SOUND(fd);
	EXPECT_EQ(stats_of(fd).used_blocks, used_blocks);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = ALLOC(fd, .size = 100).handle)));
}

static int verify(int fd, u32 handle, u64 size, u64 seed)
{
	return op_do(fd, OP(VERIFY, .handle = handle, .size = size, .seed = seed));
}

static void fill(void)
{
	int fd = begin();
	struct tlsf_op op = ALLOC(fd, .size = info_of(fd).max_request);
	u64 done, whole = in_child(fd, OP(FILL, .handle = op.handle, .seed = 1), 0);

	kill_in_child(fd, OP(FILL, .handle = op.handle, .seed = 2), whole);
	done = shared->usable;
	EXPECT(done > 0 && done < op.usable);
	EXPECT_OK(verify(fd, op.handle, done, 2));
	EXPECT_ERR(verify(fd, op.handle, done + 1, 2), EINVAL);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
	expect_rest(fd, 0);
}

static void verifying(void)
{
	int fd = begin();
	struct tlsf_op op = ALLOC(fd, .size = info_of(fd).max_request);
	u64 whole;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = 1)));
	whole = in_child(fd, OP(VERIFY, .handle = op.handle, .seed = 1), 0);
	kill_in_child(fd, OP(VERIFY, .handle = op.handle, .seed = 1), whole);
	EXPECT(shared->usable > 0 && shared->usable < op.usable);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
	expect_rest(fd, 0);
}

static void zeroing(void)
{
	int fd = begin();
	struct tlsf_op op = OP(ALLOC, .size = info_of(fd).max_request, .flags = TLSF_OP_ZERO);
	u64 whole = in_child(fd, op, 0);

	EXPECT_OK(op_do(fd, OP(FREE, .handle = shared->handle)));
	kill_in_child(fd, op, whole);
	EXPECT_EQ(shared->handle, 0);
	expect_rest(fd, 0);
}

/* Two blocks of a third of the pool each, and a wall behind each of them. */
static void thirds(int fd, struct tlsf_op op[2], u32 wall[2])
{
	for (int i = 0; i < 2; i++) {
		op[i] = ALLOC(fd, .size = info_of(fd).max_request / 3 - 4096);
		wall[i] = ALLOC(fd, .size = 100).handle;
	}
}

/* What is moved to another block comes back whole, and the other block goes. */
static void moving_elsewhere(void)
{
	int fd = begin();
	struct tlsf_op op[2], resize;
	u64 whole;
	u32 wall[2];

	thirds(fd, op, wall);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op[1].handle)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = wall[1])));
	resize = OP(RESIZE, .handle = op[0].handle, .size = op[0].usable + 4096);
	EXPECT_OK(op_do(fd, OP(FILL, .handle = op[0].handle, .seed = 1)));
	whole = in_child(fd, resize, 0);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op[0].handle)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = wall[0])));

	thirds(fd, op, wall);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op[1].handle)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = wall[1])));
	EXPECT_OK(op_do(fd, OP(FILL, .handle = op[0].handle, .seed = 2)));
	resize.handle = op[0].handle;
	kill_in_child(fd, resize, whole);
	EXPECT_EQ(shared->usable, 0);
	EXPECT_OK(verify(fd, op[0].handle, op[0].usable, 2));
	expect_rest(fd, 2);
}

/* Into the block below the contents move half: only what arrived is known. */
static void moving_downwards(void)
{
	int fd = begin();
	u64 whole = 0, known, step;
	struct tlsf_op op, resize;
	u32 wall, below;

	for (int last = 0; last < 2; last++) {
		below = ALLOC(fd, .size = 1000).handle;
		op = ALLOC(fd, .size = info_of(fd).max_request - 4096);
		wall = ALLOC(fd, .size = 100).handle;
		EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = 3)));
		EXPECT_OK(op_do(fd, OP(FREE, .handle = below)));
		resize = OP(RESIZE, .handle = op.handle, .size = op.usable + 500);
		if (last)
			break;
		whole = in_child(fd, resize, 0);
		EXPECT_OK(verify(fd, op.handle, op.usable, 3));
		EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
		EXPECT_OK(op_do(fd, OP(FREE, .handle = wall)));
	}
	kill_in_child(fd, resize, whole);
	EXPECT_GE(shared->usable, resize.size);
	EXPECT_EQ(stats_of(fd).file_bytes, stats_of(fd).used_bytes);
	EXPECT_ERR(verify(fd, op.handle, op.usable, 3), EINVAL);
	/* by halves: how much is known */
	for (known = 0, step = op.usable / 2; step > 4096; step /= 2)
		if (verify(fd, op.handle, known + step, 3) != -EINVAL)
			known += step;
	printf("# %llu of %llu bytes have arrived\n", known, op.usable);
	EXPECT_OK(verify(fd, op.handle, known, 3));
	EXPECT_GE(known, 1 << 20);
	expect_rest(fd, 2);
}

/* the module afresh, with a pool of another size */
static int reload(const char *parameter)
{
	int file = open("/modules/tlsf_mod.ko", O_RDONLY | O_CLOEXEC), err = 0;

	if (file < 0 || syscall(SYS_delete_module, "tlsf_mod", O_NONBLOCK) ||
	    syscall(SYS_finit_module, file, parameter, 0))
		err = -errno;
	close(file);
	return err;
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(fill), KTAP_CASE(verifying), KTAP_CASE(zeroing),
		KTAP_CASE(moving_elsewhere), KTAP_CASE(moving_downwards),
	};
	int err = reload("pool_size=200M"), status;

	if (err == -ENOMEM)
		err = reload("");	/* and the cases are skipped */
	status = uapi_main(__FILE__, cases, ARRAY_SIZE(cases));
	return err || reload("") || status ? EXIT_FAILURE : EXIT_SUCCESS;
}
