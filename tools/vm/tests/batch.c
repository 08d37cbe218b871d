// SPDX-License-Identifier: GPL-2.0-only
/*
 * BATCH: up to 4096 operations in order, each with its own result; REF names the block
 * of an earlier ALLOC of the same batch.
 *
 * Room: vm.
 */
#include "uapi.h"

#define REF(code, index, ...)	OP(code, .flags = TLSF_OP_REF, .handle = index, __VA_ARGS__)

static struct tlsf_op ops[TLSF_BATCH_MAX];

/* A life of four operations on each block, as many as a batch takes. */
static void most_operations(void)
{
	int fd = dev_fresh();
	struct tlsf_stats before = stats_of(fd), now;

	for (u32 i = 0; i < TLSF_BATCH_MAX; i += 4) {
		ops[i] = OP(ALLOC, .size = 1 + i);
		ops[i + 1] = REF(FILL, i, .seed = i);
		ops[i + 2] = REF(VERIFY, i, .seed = i);
		ops[i + 3] = REF(FREE, i);
	}
	EXPECT_OK(batch_do(fd, ops, TLSF_BATCH_MAX));
	now = stats_of(fd);
	EXPECT_EQ(now.allocs - before.allocs, TLSF_BATCH_MAX / 4);
	EXPECT_EQ(now.frees - before.frees, TLSF_BATCH_MAX / 4);
	EXPECT_EQ(now.used_blocks, 0);
	EXPECT_SOUND(fd);
}

static void results_of_each(void)
{
	int fd = dev_fresh();
	struct tlsf_batch batch;
	u64 cycles = 0;

	for (u32 i = 0; i < 100; i++)
		ops[i] = OP(ALLOC, .size = 10 * i, .result = 1);
	EXPECT_OK(batch_call(fd, &batch, ops, 100));
	EXPECT_EQ(batch.nr_ops, 100);
	EXPECT_EQ(batch.nr_failed, 1);
	EXPECT_EQ(ops[0].result, -EINVAL);
	for (u32 i = 1; i < 100; i++) {
		EXPECT_EQ(ops[i].result, 0);
		EXPECT_GE(ops[i].usable, ops[i].size);
		EXPECT(ops[i].handle);
		cycles += ops[i].cycles;
	}
	EXPECT_GE(cycles, 100);
	EXPECT_EQ(stats_of(fd).file_blocks, 99);
}

/* REF resolves to the handle, which stays good after the batch. */
static void ref_gives_the_handle(void)
{
	int fd = dev_fresh();

	ops[0] = OP(ALLOC, .size = 100);
	ops[1] = OP(ALLOC, .size = 200);
	ops[2] = REF(FILL, 1, .seed = 3);
	ops[3] = REF(RESIZE, 1, .size = 5000);
	ops[4] = OP(RESIZE, .size = 50, .flags = TLSF_OP_REF | TLSF_OP_INPLACE);
	EXPECT_OK(batch_do(fd, ops, 5));
	EXPECT_EQ(ops[2].handle, ops[1].handle);
	EXPECT_EQ(ops[4].handle, ops[0].handle);
	EXPECT_OK(op_do(fd, OP(VERIFY, .handle = ops[1].handle, .size = 200, .seed = 3)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = ops[1].handle)));
}

static void handles_of_earlier_batches(void)
{
	int fd = dev_fresh();

	for (u32 i = 0; i < 1000; i++)
		ops[i] = OP(ALLOC, .size = 50);
	EXPECT_OK(batch_do(fd, ops, 1000));
	for (u32 i = 0; i < 1000; i++)
		ops[i] = OP(FREE, .handle = ops[i].handle);
	EXPECT_OK(batch_do(fd, ops, 1000));
	EXPECT_EQ(stats_of(fd).used_blocks, 0);
}

UAPI_MAIN(KTAP_CASE(most_operations), KTAP_CASE(results_of_each),
	  KTAP_CASE(ref_gives_the_handle), KTAP_CASE(handles_of_earlier_batches))
