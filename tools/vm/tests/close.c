// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks end with the open file: with its last descriptor, in whichever process.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static u64 used(int fd)
{
	return stats_of(fd).used_blocks;
}

static void close_frees(void)
{
	int watch = dev_fresh(), fd = dev_open(), other = dev_open();

	for (int i = 0; i < 500; i++)
		ALLOC(fd, .size = 1 + 10 * i);
	ALLOC(other, .size = 100);
	EXPECT_EQ(used(watch), 501);
	dev_close(fd);
	EXPECT_EQ(used(watch), 1);
	EXPECT_EQ(stats_of(other).file_blocks, 1);
	EXPECT_SOUND(watch);
}

static void the_last_duplicate_frees(void)
{
	int watch = dev_fresh(), fd = dev_open(), copy = dup(fd);
	u32 handle = ALLOC(fd, .size = 100).handle;

	dev_close(fd);
	EXPECT_EQ(used(watch), 1);
	EXPECT_OK(op_do(copy, OP(FILL, .handle = handle, .seed = 1)));
	EXPECT_OK(op_do(copy, OP(VERIFY, .handle = handle, .seed = 1)));
	close(copy);
	EXPECT_EQ(used(watch), 0);
}

/* Runs @in_child with @fd in a child; its exit status. */
static int in_child(int (*what)(int fd, u32 handle), int fd, u32 handle)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(what(fd, handle));
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int verify_then_free(int fd, u32 handle)
{
	return op_do(fd, OP(VERIFY, .handle = handle, .seed = 5)) ||
	       op_do(fd, OP(FREE, .handle = handle));
}

static int just_exit(int fd, u32 handle)
{
	(void)fd;
	(void)handle;
	return 0;
}

static void a_child_shares_the_file(void)
{
	int watch = dev_fresh(), fd = dev_open();
	u32 handle = ALLOC(fd, .size = 100).handle;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = handle, .seed = 5)));
	EXPECT_EQ(in_child(just_exit, fd, handle), 0);
	EXPECT_EQ(used(watch), 1);
	EXPECT_EQ(in_child(verify_then_free, fd, handle), 0);
	EXPECT_EQ(used(watch), 0);
	EXPECT_ERR(op_do(fd, OP(FREE, .handle = handle)), ENOENT);
}

/* ---- closed by one thread while another is in a batch ---- */

static struct tlsf_op ops[1024];
static int batch_fd, batch_err;
static int batches;

static void *batch_until_closed(void *unused)
{
	(void)unused;
	for (batches = 0; !batch_err; batches++) {
		struct tlsf_batch batch;

		for (u32 i = 0; i < ARRAY_SIZE(ops); i++)
			ops[i] = OP(ALLOC, .size = 8 + i);
		batch_err = batch_call(batch_fd, &batch, ops, ARRAY_SIZE(ops));
	}
	return NULL;
}

static void closed_in_mid_batch(void)
{
	int watch = dev_fresh(), total = 0;
	pthread_t thread;

	for (int i = 0; i < 10; i++) {
		batch_fd = dev_open();
		batch_err = 0;
		EXPECT(!pthread_create(&thread, NULL, batch_until_closed, NULL));
		usleep(1000 + 2000 * i);
		dev_close(batch_fd);
		pthread_join(thread, NULL);
		EXPECT_ERR(batch_err, EBADF);
		EXPECT_EQ(used(watch), 0);
		total += batches;
	}
	printf("# closed after %d batches\n", total);
	EXPECT_SOUND(watch);
}

UAPI_MAIN(KTAP_CASE(close_frees), KTAP_CASE(the_last_duplicate_frees),
	  KTAP_CASE(a_child_shares_the_file), KTAP_CASE(closed_in_mid_batch))
