// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process killed in mid-batch leaves nothing behind, whatever it was doing.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS	40
#define PATIENCE_MS	20000	/* until a child is in its first batch */

/* shared with the child */
static struct {
	atomic_int in_batch;
	atomic_int failed;
} *seen;

/* Batches of allocations, contents and resizes; every other batch frees it all. */
static void work(int fd)
{
	static _Thread_local struct tlsf_op ops[TLSF_BATCH_MAX];
	struct tlsf_batch batch;

	for (;;) {
		for (u32 i = 0; i < TLSF_BATCH_MAX; i += 4) {
			ops[i] = OP(ALLOC, .size = 1 + i % 700, .align = i % 3 ? 0 : 64);
			ops[i + 1] = OP(FILL, .handle = i, .flags = TLSF_OP_REF, .seed = i);
			ops[i + 2] = OP(RESIZE, .handle = i, .flags = TLSF_OP_REF,
					.size = 1 + i % 1900);
			ops[i + 3] = OP(FREE, .handle = i % 8 ? i : 0, .flags = TLSF_OP_REF);
		}
		seen->in_batch = 1;
		seen->failed = batch_call(fd, &batch, ops, TLSF_BATCH_MAX);
		seen->in_batch = 0;
		if (stats_of(fd).file_bytes > 4 << 20)
			_exit(0);	/* the parent starts another */
	}
}

/* Kills a child when it has worked for @us; was it in a batch? */
static bool kill_after(unsigned int us)
{
	bool in_batch;
	pid_t child;
	int status;

	seen->in_batch = 0;
	seen->failed = 0;
	child = fork();
	if (!child)
		work(dev_open());
	for (int ms = 0; ms < PATIENCE_MS && !seen->in_batch; ms++)
		usleep(1000);
	usleep(us);
	kill(child, SIGKILL);
	in_batch = seen->in_batch;
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(seen->failed, 0);
	return in_batch && WIFSIGNALED(status);
}

static void nothing_is_left_behind(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int watch = dev_fresh(), in_batch = 0;

	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(seen != MAP_FAILED);
	for (int i = 0; i < KILLS; i++) {
		in_batch += kill_after((unsigned int)(2000 + rng_below(&rng, 15000)));
		EXPECT_EQ(stats_of(watch).used_bytes, 0);
		EXPECT_EQ(stats_of(watch).free_blocks, 1);
		EXPECT_SOUND(watch);
	}
	printf("# %d of %d were killed in mid-batch\n", in_batch, KILLS);
	EXPECT_GE(in_batch, 1);
}

/* The file outlives the process that is killed when another has it too. */
static void shared_file_survives(void)
{
	int fd = dev_fresh(), status;
	u32 handle = ALLOC(fd, .size = 100).handle;
	pid_t child;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = handle, .seed = 3)));
	child = fork();
	if (!child)
		for (;;)
			op_do(fd, OP(FILL, .handle = handle, .seed = 3));
	usleep(10000);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_OK(op_do(fd, OP(VERIFY, .handle = handle, .seed = 3)));
	EXPECT_EQ(stats_of(fd).used_blocks, 1);
}

/* ---- several processes at once, with threads that share a file ---- */

#define PROCESSES	3

static void *open_and_close(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = open("/dev/tlsf", O_RDWR);

		op_do(fd, OP(ALLOC, .size = 500));
		close(fd);
	}
	return NULL;
}

static void *work_on(void *fd)
{
	work(*(int *)fd);
	return NULL;
}

/* Two threads in batches on one file, one that opens and closes others. */
static pid_t crowd_start(void)
{
	pid_t child = fork();
	pthread_t thread;
	int fd;

	if (child)
		return child;
	fd = dev_open();
	if (pthread_create(&thread, NULL, work_on, &fd) ||
	    pthread_create(&thread, NULL, open_and_close, NULL))
		_exit(1);
	work(fd);
	return 0;
}

static void many_at_once(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int watch = dev_fresh(), status, killed = 0;
	pid_t child[PROCESSES];

	for (int i = 0; i < PROCESSES; i++)
		child[i] = crowd_start();
	for (int i = 0; i < KILLS; i++) {
		pid_t *one = &child[i % PROCESSES];

		usleep((unsigned int)rng_below(&rng, 10000));
		kill(*one, SIGKILL);
		EXPECT_EQ(waitpid(*one, &status, 0), *one);
		EXPECT(WIFSIGNALED(status) || !WEXITSTATUS(status));
		killed += WIFSIGNALED(status);
		*one = i + PROCESSES < KILLS ? crowd_start() : 0;
	}
	printf("# %d of %d were killed\n", killed, KILLS);
	EXPECT_GE(killed, KILLS / 4);
	EXPECT_EQ(stats_of(watch).used_bytes, 0);
	EXPECT_EQ(stats_of(watch).free_blocks, 1);
	EXPECT_SOUND(watch);
}

UAPI_MAIN(KTAP_CASE(nothing_is_left_behind), KTAP_CASE(shared_file_survives),
	  KTAP_CASE(many_at_once))
