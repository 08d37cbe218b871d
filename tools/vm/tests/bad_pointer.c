// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pointers that cannot be read or written: EFAULT, and nothing changed.
 *
 * Room: vm. What BATCH points to is in batch_fault.c.
 */
#include "uapi.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

static union uapi_arg arg;

static void not_mapped(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, NULL), EFAULT);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, (void *)1), EFAULT);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, pages_new(1, PROT_NONE)), EFAULT);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, (void *)-64L), EFAULT);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, (void *)0xffff888000001000), EFAULT);
	}
}

/* The struct ends beyond the end of its page. */
static void partly_mapped(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		for (size_t there = 1; there < call->size; there += 1 + there / 2) {
			void *at = page_gap(there);

			uapi_prepare(fd, call, &arg);
			memcpy(at, &arg, there);
			EXPECT_REFUSED(fd, dev_call(fd, call->cmd, at), EFAULT);
		}
	}
}

/* argsz says more than is there. */
static void tail_not_mapped(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		union uapi_arg *at = page_gap(call->size);

		uapi_prepare(fd, call, &arg);
		arg.argsz = (u32)call->size + 1;
		memcpy(at, &arg, call->size);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, at), EFAULT);
		at->argsz = (u32)call->size;
		EXPECT_OK(dev_call(fd, call->cmd, at));
	}
}

/* Results have no place to go: found out before anything is done. */
static void read_only(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		void *at = pages_new(1, PROT_READ | PROT_WRITE);

		uapi_prepare(fd, call, &arg);
		memcpy(at, &arg, call->size);
		EXPECT(!mprotect(at, 4096, PROT_READ));
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd, at), EFAULT);
		EXPECT(!memcmp(at, &arg, call->size));
	}
}

static void refuse_everywhere(int fd, unsigned long cmd, __u64 *pointer)
{
	*pointer = 1;
	EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), EFAULT);
	*pointer = (uintptr_t)pages_new(1, PROT_READ);
	EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), EFAULT);
	*pointer = (uintptr_t)page_gap(16);
	EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), EFAULT);
	*pointer = 0xffff888000001000;
	EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), EFAULT);
	*pointer = ~0ULL;
	EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), EFAULT);
}

static void buckets_of_histogram(void)
{
	int fd = dev_fresh();

	arg.histogram = (struct tlsf_histogram){
		.argsz = sizeof(arg.histogram), .nr_buckets = TLSF_HISTOGRAM_BUCKETS,
	};
	refuse_everywhere(fd, TLSF_IOC_HISTOGRAM, &arg.histogram.buckets);
}

static void blocks_of_walk(void)
{
	int fd = dev_fresh();

	ALLOC(fd, .size = 100);
	arg.walk = (struct tlsf_walk){ .argsz = sizeof(arg.walk), .nr_blocks = 2 };
	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_WALK, &arg), EFAULT);
	refuse_everywhere(fd, TLSF_IOC_WALK, &arg.walk.blocks);
}

UAPI_MAIN(KTAP_CASE(not_mapped), KTAP_CASE(partly_mapped), KTAP_CASE(tail_not_mapped),
	  KTAP_CASE(read_only), KTAP_CASE(buckets_of_histogram), KTAP_CASE(blocks_of_walk))
