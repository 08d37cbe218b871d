// SPDX-License-Identifier: GPL-2.0-only
/*
 * FILL writes a pattern that VERIFY finds again, and nothing else passes for it.
 *
 * Room: vm.
 */
#include "uapi.h"

static int verify(int fd, u32 handle, u64 size, u64 seed, u64 *at)
{
	struct tlsf_op op = OP(VERIFY, .handle = handle, .size = size, .seed = seed);
	int err = op_run(fd, &op);

	*at = op.usable;
	return err;
}

static void found_again(void)
{
	int fd = dev_fresh();
	u64 at;

	for (u64 size = 1; size < 300000; size += 1 + size / 3) {
		struct tlsf_op op = ALLOC(fd, .size = size), fill = OP(FILL, .handle = op.handle,
								       .seed = size);

		EXPECT_OK(op_run(fd, &fill));
		EXPECT_EQ(fill.usable, op.usable);
		EXPECT_OK(verify(fd, op.handle, 0, size, &at));
		EXPECT_EQ(at, op.usable);
	}
}

static void other_seeds_differ_at_once(void)
{
	static const u64 seed[] = { 0, 1, 2, ~0ULL, 1ULL << 63, 0x9e3779b97f4a7c15 };
	int fd = dev_fresh();
	u32 handle = ALLOC(fd, .size = 4096).handle;
	u64 at;

	for (size_t i = 0; i < ARRAY_SIZE(seed); i++) {
		EXPECT_OK(op_do(fd, OP(FILL, .handle = handle, .seed = seed[i])));
		for (size_t j = 0; j < ARRAY_SIZE(seed); j++) {
			EXPECT_ERR(verify(fd, handle, 0, seed[j], &at), i == j ? 0 : EBADMSG);
			EXPECT(i == j || at < 8);
		}
	}
}

static void prefix_alone(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = ALLOC(fd, .size = 1000);
	u64 at;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = 5)));
	for (u64 size = 1; size <= op.usable; size += 13) {
		EXPECT_OK(verify(fd, op.handle, size, 5, &at));
		EXPECT_EQ(at, size);
	}
	EXPECT_OK(verify(fd, op.handle, op.usable, 5, &at));
}

/* The place follows from the seeds alone; as many bytes as two patterns share are good. */
static void mismatch_is_told_where(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = ALLOC(fd, .size = 1000);
	unsigned int shared = 0;
	u64 at, end;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = 1)));
	for (u64 seed = 2; seed < 2000; seed++) {
		EXPECT_ERR(verify(fd, op.handle, 0, seed, &at), EBADMSG);
		for (u64 size = 1; size <= 8; size++) {
			EXPECT_ERR(verify(fd, op.handle, size, seed, &end),
				   size > at ? EBADMSG : 0);
			EXPECT_EQ(end, size > at ? at : size);
		}
		shared += at > 0;
	}
	EXPECT(shared > 0);
}

/* Bytes that nobody filled are not looked at: behind growth, and of a new block all. */
static void what_was_not_written_is_refused(void)
{
	int fd = dev_fresh();
	struct tlsf_op first = ALLOC(fd, .size = 1000), second = ALLOC(fd, .size = 1000);
	u64 at;

	EXPECT_REFUSED(fd, verify(fd, first.handle, 0, 1, &at), EINVAL);
	EXPECT_REFUSED(fd, verify(fd, first.handle, 1, 1, &at), EINVAL);
	EXPECT_OK(op_do(fd, OP(FILL, .handle = first.handle, .seed = 1)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = second.handle)));
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = first.handle, .size = 2000,
			       .flags = TLSF_OP_INPLACE)));
	EXPECT_OK(verify(fd, first.handle, first.usable, 1, &at));
	EXPECT_REFUSED(fd, verify(fd, first.handle, first.usable + 1, 1, &at), EINVAL);
	EXPECT_REFUSED(fd, verify(fd, first.handle, 0, 1, &at), EINVAL);
	EXPECT_EQ(at, 0);
	EXPECT_OK(op_do(fd, OP(FILL, .handle = first.handle, .seed = 2)));
	EXPECT_OK(verify(fd, first.handle, 0, 2, &at));
}

static int verify_zeros(int fd, u32 handle, u64 size, u64 seed)
{
	return op_do(fd, OP(VERIFY, .handle = handle, .size = size, .seed = seed,
			    .flags = TLSF_OP_ZERO));
}

/* Zeros are verified as zeros, and patterns are none. */
static void zeros_are_told_from_patterns(void)
{
	int fd = dev_fresh();
	struct tlsf_op zero = ALLOC(fd, .size = 1000, .flags = TLSF_OP_ZERO);
	u64 at;

	EXPECT_OK(verify_zeros(fd, zero.handle, 0, 0));
	EXPECT_OK(verify_zeros(fd, zero.handle, 10, 0));
	EXPECT_REFUSED(fd, verify_zeros(fd, zero.handle, 0, 1), EINVAL);
	EXPECT_REFUSED(fd, verify_zeros(fd, zero.handle, zero.usable + 1, 0), EINVAL);
	EXPECT_REFUSED(fd, verify(fd, zero.handle, 0, 0, &at), EINVAL);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = zero.handle, .size = 5000)));
	EXPECT_OK(verify_zeros(fd, zero.handle, zero.usable, 0));
	EXPECT_REFUSED(fd, verify_zeros(fd, zero.handle, 0, 0), EINVAL);
	EXPECT_OK(op_do(fd, OP(FILL, .handle = zero.handle)));
	EXPECT_OK(verify(fd, zero.handle, 0, 0, &at));
	EXPECT_REFUSED(fd, verify_zeros(fd, zero.handle, 0, 0), EINVAL);
}

/* All usable bytes, whatever was there: blocks are filled, freed, and asked for again. */
static void zeros_are_zeros(void)
{
	int fd = dev_fresh();

	for (u64 size = 1; size < 3000000; size += 1 + size / 2) {
		u32 handle = ALLOC(fd, .size = size).handle;

		EXPECT_OK(op_do(fd, OP(FILL, .handle = handle, .seed = size)));
		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
		handle = ALLOC(fd, .size = size, .flags = TLSF_OP_ZERO).handle;
		EXPECT_OK(verify_zeros(fd, handle, 0, 0));
		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	}
}

static void more_than_usable_is_refused(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = ALLOC(fd, .size = 100);
	u64 at;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle)));
	EXPECT_REFUSED(fd, verify(fd, op.handle, op.usable + 1, 0, &at), EINVAL);
	EXPECT_REFUSED(fd, verify(fd, op.handle, ~0ULL, 0, &at), EINVAL);
}

UAPI_MAIN(KTAP_CASE(found_again), KTAP_CASE(other_seeds_differ_at_once), KTAP_CASE(prefix_alone),
	  KTAP_CASE(mismatch_is_told_where), KTAP_CASE(what_was_not_written_is_refused),
	  KTAP_CASE(zeros_are_told_from_patterns), KTAP_CASE(zeros_are_zeros),
	  KTAP_CASE(more_than_usable_is_refused))
