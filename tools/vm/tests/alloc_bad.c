// SPDX-License-Identifier: GPL-2.0-only
/*
 * ALLOC of no bytes, of too many, at an alignment that is none.
 *
 * Room: vm. SIZE_MAX is the kernel's.
 */
#include "uapi.h"

static void refuse(int fd, u64 size, u64 align, int err)
{
	static char context[64];

	snprintf(context, sizeof(context), "size %#llx align %#llx", size, align);
	uapi_context = context;
	EXPECT_REFUSED(fd, op_do(fd, OP(ALLOC, .size = size, .align = align)), err);
}

static void size_zero(void)
{
	int fd = dev_fresh();

	refuse(fd, 0, 0, EINVAL);
	refuse(fd, 0, 64, EINVAL);
}

static void over_the_pool(void)
{
	int fd = dev_fresh();
	struct tlsf_info info = info_of(fd);

	refuse(fd, info.max_request + 1, 0, E2BIG);
	refuse(fd, info.pool_bytes, 0, E2BIG);
	refuse(fd, info.pool_bytes + 1, 0, E2BIG);
	for (int bit = 40; bit < 64; bit++)
		refuse(fd, 1ULL << bit, 0, E2BIG);
	EXPECT_OK(op_do(fd, OP(ALLOC, .size = info.max_request)));
}

/* Rounding up to granules, adding headers or alignment must not wrap. */
static void near_size_max(void)
{
	int fd = dev_fresh();

	for (u64 k = 0; k <= 64; k++) {
		refuse(fd, ~0ULL - k, 0, E2BIG);
		refuse(fd, ~0ULL - k, 4096, E2BIG);
		refuse(fd, (1ULL << 63) + 32 - k, 0, E2BIG);
	}
}

/* Too large is too large also for a file that holds something. */
static void near_size_max_with_a_block_held(void)
{
	int fd = dev_fresh();

	ALLOC(fd, .size = 100);
	for (u64 k = 0; k <= 64; k++)
		refuse(fd, ~0ULL - k, 0, E2BIG);
}

static void align_not_a_power_of_two(void)
{
	static const u64 bad[] = { 3, 5, 6, 7, 24, 4095, 4097, ~0ULL, ~0ULL - 1,
				   (1ULL << 63) + 1 };
	int fd = dev_fresh();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(fd, 64, bad[i], EINVAL);
}

static void align_over_the_pool(void)
{
	int fd = dev_fresh();
	u64 align = 1;

	while (align <= info_of(fd).max_request)
		align <<= 1;
	for (; align; align <<= 1)
		refuse(fd, 64, align, E2BIG);
}

static void align_small_is_the_granule(void)
{
	int fd = dev_fresh();

	for (u64 align = 0; align <= 8; align = align ? 2 * align : 1)
		EXPECT_EQ(offset_of_block(fd, ALLOC(fd, .size = 5, .align = align).handle) % 8, 0);
}

UAPI_MAIN(KTAP_CASE(size_zero), KTAP_CASE(over_the_pool), KTAP_CASE(near_size_max),
	  KTAP_CASE(near_size_max_with_a_block_held), KTAP_CASE(align_not_a_power_of_two),
	  KTAP_CASE(align_over_the_pool), KTAP_CASE(align_small_is_the_granule))
