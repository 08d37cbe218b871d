// SPDX-License-Identifier: GPL-2.0-only
/*
 * BATCH with bad operations: each gets its own errno and the others are carried out.
 * BATCH of none, or of too many: refused as a whole.
 *
 * Room: vm.
 */
#include "uapi.h"

#define MIDDLE		50
#define REF(code, index)	OP(code, .flags = TLSF_OP_REF, .handle = index)

static struct tlsf_op ops[TLSF_BATCH_MAX + 1];

/* A hundred good operations with @bad in the middle. */
static void one_bad(struct tlsf_op bad, int err)
{
	int fd = dev_fresh();
	struct tlsf_batch batch;

	for (u32 i = 0; i < 100; i++)
		ops[i] = OP(ALLOC, .size = 64);
	ops[MIDDLE] = bad;
	EXPECT_OK(batch_call(fd, &batch, ops, 100));
	EXPECT_EQ(batch.nr_ops, 100);
	EXPECT_EQ(batch.nr_failed, 1);
	for (u32 i = 0; i < 100; i++)
		EXPECT_ERR(ops[i].result, i == MIDDLE ? err : 0);
	EXPECT_EQ(stats_of(fd).file_blocks, 99);
	EXPECT_SOUND(fd);
}

static void bad_size_and_alignment(void)
{
	one_bad(OP(ALLOC, .size = 0), EINVAL);
	one_bad(OP(ALLOC, .size = ~0ULL), E2BIG);
	one_bad(OP(ALLOC, .size = 8, .align = 3), EINVAL);
	one_bad(OP(ALLOC, .size = 8, .align = 1ULL << 62), E2BIG);
}

static struct tlsf_op alloc_with_argsz(size_t argsz)
{
	struct tlsf_op op = OP(ALLOC, .size = 8);

	op.argsz = (u32)argsz;
	return op;
}

static void bad_opcode_and_fields(void)
{
	one_bad((struct tlsf_op){ .argsz = sizeof(struct tlsf_op) }, EINVAL);
	one_bad((struct tlsf_op){ .argsz = sizeof(struct tlsf_op), .opcode = 6 }, EINVAL);
	one_bad((struct tlsf_op){ .argsz = sizeof(struct tlsf_op), .opcode = ~0u }, EINVAL);
	one_bad(OP(ALLOC, .size = 8, .reserved = 1), EINVAL);
	one_bad(OP(ALLOC, .size = 8, .flags = 1u << 31), EINVAL);
	one_bad(OP(ALLOC, .size = 8, .flags = TLSF_OP_REF), EINVAL);
	one_bad(alloc_with_argsz(0), EINVAL);
	one_bad(alloc_with_argsz(sizeof(struct tlsf_op) - 1), EINVAL);
	one_bad(alloc_with_argsz(sizeof(struct tlsf_op) + 1), EINVAL);
}

static void bad_handle(void)
{
	one_bad(OP(FREE), ENOENT);
	one_bad(OP(FREE, .handle = 0x7fffffff), ENOENT);
	one_bad(OP(RESIZE, .size = 8, .handle = ~0u), ENOENT);
	one_bad(OP(FILL, .handle = 4096), ENOENT);
	one_bad(OP(VERIFY, .handle = 4096), ENOENT);
}

static void bad_ref(void)
{
	one_bad(REF(FREE, MIDDLE), EINVAL);
	one_bad(REF(FREE, MIDDLE + 1), EINVAL);
	one_bad(REF(FREE, 100), EINVAL);
	one_bad(REF(FILL, TLSF_BATCH_MAX), EINVAL);
	one_bad(REF(VERIFY, ~0u), EINVAL);
}

/* To what is no ALLOC, to an ALLOC that failed, to a block that is gone. */
static void ref_to_no_block(void)
{
	int fd = dev_fresh();
	struct tlsf_batch batch;

	ops[0] = OP(ALLOC, .size = 0);
	ops[1] = REF(FREE, 0);
	ops[2] = REF(FILL, 1);
	ops[3] = OP(ALLOC, .size = 8);
	ops[4] = REF(FREE, 3);
	ops[5] = REF(FREE, 3);
	EXPECT_OK(batch_call(fd, &batch, ops, 6));
	EXPECT_EQ(batch.nr_failed, 4);
	EXPECT_ERR(ops[0].result, EINVAL);
	EXPECT_ERR(ops[1].result, ENOENT);
	EXPECT_ERR(ops[2].result, EINVAL);
	EXPECT_OK(ops[3].result);
	EXPECT_OK(ops[4].result);
	EXPECT_ERR(ops[5].result, ENOENT);
	EXPECT_EQ(stats_of(fd).used_blocks, 0);
}

static void refuse_batch(int fd, u32 nr, int err)
{
	struct tlsf_batch batch;

	EXPECT_REFUSED(fd, batch_call(fd, &batch, ops, nr), err);
}

static void wrong_number_of_operations(void)
{
	int fd = dev_fresh();

	for (u32 i = 0; i <= TLSF_BATCH_MAX; i++)
		ops[i] = OP(ALLOC, .size = 8);
	refuse_batch(fd, 0, EINVAL);
	refuse_batch(fd, TLSF_BATCH_MAX + 1, E2BIG);
	refuse_batch(fd, 1u << 26, E2BIG);
	refuse_batch(fd, 0x80000000, E2BIG);
	refuse_batch(fd, 0xffffffff, E2BIG);
}

UAPI_MAIN(KTAP_CASE(bad_size_and_alignment), KTAP_CASE(bad_opcode_and_fields),
	  KTAP_CASE(bad_handle), KTAP_CASE(bad_ref), KTAP_CASE(ref_to_no_block),
	  KTAP_CASE(wrong_number_of_operations))
