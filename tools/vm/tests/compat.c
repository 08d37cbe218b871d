// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program sees the same ABI: the same structs, the same results.
 *
 * Room: vm. Built with -m32; that sizes agree is asserted in uapi.h.
 */
#include "uapi.h"

#include <stdint.h>

static_assert(sizeof(void *) == 4, "build this one with -m32");

static struct tlsf_op ops[100];
static u64 bucket[TLSF_HISTOGRAM_BUCKETS];
static struct map map;

static void every_call(void)
{
	const struct uapi_call *call;
	static union uapi_arg arg;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		EXPECT_OK(dev_call(fd, call->cmd, &arg));
	}
}

static void constants(void)
{
	struct tlsf_info info = info_of(dev_fresh());

	EXPECT_EQ(info.abi_version, TLSF_ABI_VERSION);
	EXPECT_EQ(info.granule, 8);
	EXPECT_EQ(info.pool_bytes, parameter_get("pool_size"));
	EXPECT(!strcmp((char *)info.name, "default"));
}

static void sizes_of_64_bits(void)
{
	int fd = dev_fresh();

	EXPECT_REFUSED(fd, op_do(fd, OP(ALLOC, .size = ~0ULL)), E2BIG);
	EXPECT_REFUSED(fd, op_do(fd, OP(ALLOC, .size = 1ULL << 32)), E2BIG);
	EXPECT_REFUSED(fd, op_do(fd, OP(ALLOC, .size = 64, .align = 1ULL << 40)), E2BIG);
	EXPECT_REFUSED(fd, op_do(fd, OP(ALLOC, .size = 64, .align = (1ULL << 40) + 1)), EINVAL);
}

static void a_block_of_its_own(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = ALLOC(fd, .size = 5000, .align = 4096);

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = 1ULL << 40)));
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = op.handle, .size = 100000)));
	EXPECT_OK(op_do(fd, OP(VERIFY, .handle = op.handle, .size = 5000, .seed = 1ULL << 40)));
	EXPECT_ERR(op_do(fd, OP(VERIFY, .handle = op.handle, .size = 5000, .seed = 0)), EBADMSG);
	EXPECT_EQ(offset_of_block(fd, op.handle) % 4096, 0);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
}

static void pointers_in_structs(void)
{
	struct tlsf_histogram h = {
		.argsz = sizeof(h), .nr_buckets = TLSF_HISTOGRAM_BUCKETS,
		.buckets = (uintptr_t)bucket,
	};
	int fd = dev_fresh();
	struct tlsf_info info = info_of(fd);
	struct tlsf_batch batch;
	u64 sum = 0;

	reset(fd, TLSF_RESET_LATENCY);
	for (u32 i = 0; i < 100; i++)
		ops[i] = OP(ALLOC, .size = 1 + i);
	EXPECT_OK(batch_do(fd, ops, 100));
	EXPECT_OK(dev_call(fd, TLSF_IOC_HISTOGRAM, &h));
	for (u32 i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		sum += bucket[i];
	EXPECT_EQ(sum, 100);
	EXPECT_EQ(h.count, 100);
	map_read(fd, &map);
	EXPECT_EQ(map.nr, 101);
	map_expect_tiles(&map, &info);
	EXPECT_REFUSED(fd, batch_call(fd, &batch, NULL, 1), EFAULT);
}

/* The upper half of a pointer counts, though no 32-bit program has one. */
static void upper_half_of_a_pointer(void)
{
	int fd = dev_fresh();
	struct tlsf_batch batch = {
		.argsz = sizeof(batch), .nr_ops = 1, .ops = (uintptr_t)ops | 1ULL << 63,
	};

	ops[0] = OP(ALLOC, .size = 8);
	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_BATCH, &batch), EFAULT);
}

UAPI_MAIN(KTAP_CASE(every_call), KTAP_CASE(constants), KTAP_CASE(sizes_of_64_bits),
	  KTAP_CASE(a_block_of_its_own), KTAP_CASE(pointers_in_structs),
	  KTAP_CASE(upper_half_of_a_pointer))
