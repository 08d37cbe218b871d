// SPDX-License-Identifier: GPL-2.0-only
/*
 * STATS: used, free and overhead add up to the pool after every step, and every counter
 * counts what it says.
 *
 * Room: vm.
 */
#include "uapi.h"

static void adds_up_after_every_step(void)
{
	struct rng rng = rng_seed(ktap_seed);
	u32 handle[64] = { 0 };
	int fd = dev_fresh();
	u64 pool = info_of(fd).pool_bytes;

	for (int n = 0; n < 1500; n++) {
		u32 *h = &handle[rng_below(&rng, 64)];
		u64 size = 1 + rng_below(&rng, 50000);
		struct tlsf_stats s;

		if (!*h) {
			*h = ALLOC(fd, .size = size).handle;
		} else if (rng_below(&rng, 2)) {
			EXPECT_OK(op_do(fd, OP(RESIZE, .handle = *h, .size = size)));
		} else {
			EXPECT_OK(op_do(fd, OP(FREE, .handle = *h)));
			*h = 0;
		}
		s = stats_of(fd);
		EXPECT_EQ(s.used_bytes + s.free_bytes + s.overhead_bytes, pool);
		EXPECT_EQ(s.file_bytes, s.used_bytes);
		EXPECT_EQ(s.file_blocks, s.used_blocks);
		EXPECT_GE(s.high_water, s.used_bytes);
		EXPECT_LE(s.largest_free, s.free_bytes);
	}
}

static void counts_operations(void)
{
	int fd = dev_fresh();
	u32 handle[10];
	struct tlsf_stats s;

	reset(fd, TLSF_RESET_COUNTERS);
	for (int i = 0; i < 10; i++)
		handle[i] = ALLOC(fd, .size = 100).handle;
	for (int i = 0; i < 7; i++)
		EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle[i], .size = 50)));
	for (int i = 0; i < 4; i++)
		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[i])));
	s = stats_of(fd);
	EXPECT_EQ(s.allocs, 10);
	EXPECT_EQ(s.resizes, 7);
	EXPECT_EQ(s.frees, 4);
	EXPECT_EQ(s.used_blocks, 6);
	EXPECT_EQ(s.bad_frees, 0);
	EXPECT_GE(s.steps_max_seen, 1);
	EXPECT_LE(s.steps_max_seen, info_of(fd).steps_max);
}

/* Downwards the bounds change twice; what moves away is an allocation and a free. */
static void counts_resizes(void)
{
	int fd = dev_fresh();
	u32 handle[3];
	struct tlsf_stats s;

	for (int i = 0; i < 3; i++)
		handle[i] = ALLOC(fd, .size = 1000).handle;
	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[0])));
	reset(fd, TLSF_RESET_COUNTERS);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle[1], .size = 500)));
	EXPECT_EQ(stats_of(fd).resizes, 1);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle[1], .size = 1600)));
	EXPECT_EQ(stats_of(fd).resizes, 3);
	EXPECT_EQ(stats_of(fd).allocs + stats_of(fd).frees, 0);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle[1], .size = 10000)));
	s = stats_of(fd);
	EXPECT_EQ(s.resizes, 3);
	EXPECT_EQ(s.allocs, 1);
	EXPECT_EQ(s.frees, 1);
	EXPECT_EQ(s.used_blocks, 2);
}

static void high_water_stays(void)
{
	int fd = dev_fresh();
	u64 most;
	u32 handle;

	reset(fd, TLSF_RESET_COUNTERS);
	EXPECT_EQ(stats_of(fd).high_water, 0);
	handle = ALLOC(fd, .size = 1 << 20).handle;
	most = stats_of(fd).used_bytes + sizeof(long);	/* and its header */
	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	ALLOC(fd, .size = 100);
	EXPECT_EQ(stats_of(fd).high_water, most);
	reset(fd, TLSF_RESET_COUNTERS);
	EXPECT_EQ(stats_of(fd).high_water, stats_of(fd).used_bytes + sizeof(long));
}

/* A request that can never be served is no sign of exhaustion. */
static void hopeless_requests_do_not_count(void)
{
	int fd = dev_fresh();
	struct tlsf_stats before = stats_of(fd);

	EXPECT_ERR(op_do(fd, OP(ALLOC, .size = info_of(fd).pool_bytes)), E2BIG);
	EXPECT_UNCHANGED(fd, &before);
}

static void each_file_has_its_own_share(void)
{
	int fd = dev_fresh(), other = dev_open();
	u64 mine = ALLOC(fd, .size = 1000).usable, others = ALLOC(other, .size = 5000).usable;

	EXPECT_EQ(stats_of(fd).file_bytes, mine);
	EXPECT_EQ(stats_of(other).file_bytes, others);
	EXPECT_EQ(stats_of(fd).used_bytes, mine + others);
	EXPECT_EQ(stats_of(other).used_blocks, 2);
	EXPECT_EQ(stats_of(other).file_blocks, 1);
}

UAPI_MAIN(KTAP_CASE(adds_up_after_every_step), KTAP_CASE(counts_operations),
	  KTAP_CASE(counts_resizes), KTAP_CASE(high_water_stays),
	  KTAP_CASE(hopeless_requests_do_not_count), KTAP_CASE(each_file_has_its_own_share))
