// SPDX-License-Identifier: GPL-2.0-only
/*
 * BATCH with operations that cannot be read, or whose results have no place: EFAULT, and
 * nothing was done.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#define NR	(2 * 4096 / sizeof(struct tlsf_op))

static struct tlsf_op *fill_ops(struct tlsf_op *ops, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		ops[i] = OP(ALLOC, .size = 64);
	return ops;
}

static void refuse(int fd, const void *ops, u32 nr)
{
	struct tlsf_batch batch;

	EXPECT_REFUSED(fd, batch_call(fd, &batch, ops, nr), EFAULT);
}

static void address_of_nothing(void)
{
	int fd = dev_fresh();
	struct tlsf_batch batch = { .argsz = sizeof(batch), .nr_ops = 1 };

	refuse(fd, NULL, 1);
	refuse(fd, (void *)1, TLSF_BATCH_MAX);
	batch.ops = 0xffff888000000000;
	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_BATCH, &batch), EFAULT);
	batch.ops = ~0ULL - 10;
	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_BATCH, &batch), EFAULT);
}

static void read_only(void)
{
	int fd = dev_fresh();
	struct tlsf_op *ops = fill_ops(pages_new(2, PROT_READ | PROT_WRITE), NR);

	EXPECT(!mprotect(ops, 2 * 4096, PROT_READ));
	refuse(fd, ops, NR);
	EXPECT_EQ(ops[0].handle, 0);
}

/* One operation more than is mapped, or the second half read-only. */
static void partly_mapped(void)
{
	int fd = dev_fresh();
	struct tlsf_op *ops = fill_ops(page_gap(10 * sizeof(*ops)), 10);

	refuse(fd, ops, 11);
	EXPECT_OK(batch_do(fd, ops, 10));
	ops = fill_ops(pages_new(2, PROT_READ | PROT_WRITE), NR);
	EXPECT(!mprotect((char *)ops + 4096, 4096, PROT_READ));
	refuse(fd, ops, NR);
	EXPECT(!mprotect((char *)ops + 4096, 4096, PROT_NONE));
	refuse(fd, ops, NR);
	EXPECT_OK(batch_do(fd, ops, NR / 2));
}

/* ---- memory that goes while the batch runs ---- */

static struct tlsf_op *racing;
static atomic_bool stop;

static void *protect_and_unprotect(void *unused)
{
	(void)unused;
	while (!stop) {
		mprotect(racing, 4096, PROT_NONE);
		sched_yield();
		mprotect(racing, 4096, PROT_READ | PROT_WRITE);
		sched_yield();
	}
	return NULL;
}

/* Done or EFAULT; and whatever was done ends with the file. */
static void memory_that_goes_meanwhile(void)
{
	int fd = dev_fresh(), done = 0, faults = 0, err;
	struct tlsf_op ops[64];
	struct tlsf_batch batch;
	pthread_t thread;

	racing = pages_new(1, PROT_READ | PROT_WRITE);
	stop = false;
	fill_ops(ops, 64);
	memcpy(racing, ops, sizeof(ops));
	EXPECT(!pthread_create(&thread, NULL, protect_and_unprotect, NULL));
	for (int i = 0; i < 400; i++) {
		err = batch_call(fd, &batch, racing, 64);
		done += !err;
		faults += err == -EFAULT;
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("# %d batches done, %d faults\n", done, faults);
	EXPECT_EQ(done + faults, 400);
	EXPECT_SOUND(fd);
	fd = dev_fresh();
}

UAPI_MAIN(KTAP_CASE(address_of_nothing), KTAP_CASE(read_only), KTAP_CASE(partly_mapped),
	  KTAP_CASE(memory_that_goes_meanwhile))
