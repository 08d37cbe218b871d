// SPDX-License-Identifier: GPL-2.0-only
/*
 * ENOMEM: exhaustion and fragmentation are told apart, and both leave the pool as it was.
 *
 * Room: vm.
 */
#include "uapi.h"

#define BLOCK	65536
#define ROOM	4096

static u32 handle[ROOM];

static void use_up_the_rest(int fd)
{
	for (u64 largest; (largest = stats_of(fd).largest_free);)
		ALLOC(fd, .size = largest);
}

static void refuse(int fd, u64 size, u64 exhausted, u64 fragmented)
{
	struct tlsf_stats before = stats_of(fd), now;

	EXPECT_ERR(op_do(fd, OP(ALLOC, .size = size)), ENOMEM);
	EXPECT_BLOCKS_UNCHANGED(fd, &before);
	now = stats_of(fd);
	EXPECT_EQ(now.fail_exhausted - before.fail_exhausted, exhausted);
	EXPECT_EQ(now.fail_fragmented - before.fail_fragmented, fragmented);
}

static void full_pool_is_exhausted(void)
{
	int fd = dev_fresh();

	fill_pool(fd, BLOCK, handle, ROOM);
	use_up_the_rest(fd);
	refuse(fd, 1, 1, 0);
	refuse(fd, BLOCK, 1, 0);
	refuse(fd, info_of(fd).max_request, 1, 0);
}

/*
 * Every other block freed: half of the pool, and never two together. What is free in all
 * counts the headers of free blocks, which merging would give.
 */
static void scattered_free_memory_is_fragmented(void)
{
	int fd = dev_fresh();
	u32 nr = fill_pool(fd, BLOCK, handle, ROOM);
	struct tlsf_stats s;

	use_up_the_rest(fd);
	for (u32 i = 0; i < nr; i += 2)
		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[i])));
	s = stats_of(fd);
	EXPECT_GE(s.free_bytes, 2 * BLOCK);
	refuse(fd, 2 * BLOCK, 0, 1);
	refuse(fd, s.free_bytes, 0, 1);
	refuse(fd, s.free_bytes + s.free_blocks * info_of(fd).block_overhead + 1, 1, 0);
	EXPECT_OK(op_do(fd, OP(ALLOC, .size = BLOCK)));
	EXPECT_SOUND(fd);
}

static void one_refused_does_not_hinder_the_next(void)
{
	int fd = dev_fresh();

	ALLOC(fd, .size = info_of(fd).max_request / 2);
	for (int i = 0; i < 100; i++) {
		refuse(fd, info_of(fd).max_request, 1, 0);
		EXPECT_OK(op_do(fd, OP(ALLOC, .size = 100)));
	}
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(full_pool_is_exhausted), KTAP_CASE(scattered_free_memory_is_fragmented),
	  KTAP_CASE(one_refused_does_not_hinder_the_next))
