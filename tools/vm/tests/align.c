// SPDX-License-Identifier: GPL-2.0-only
/*
 * ALLOC honours alignments, as far as offsets in a pool of whole pages can show.
 *
 * Room: vm.
 */
#include "uapi.h"

static struct map map;

static void all_powers_of_two(void)
{
	int fd = dev_fresh();
	u32 handle[13];

	for (int shift = 0; shift <= 12; shift++)
		handle[shift] = ALLOC(fd, .size = 40, .align = 1ULL << shift).handle;
	map_read(fd, &map);
	for (int shift = 0; shift <= 12; shift++)
		EXPECT_EQ(map_find(&map, handle[shift])->offset & ((1ULL << shift) - 1), 0);
	EXPECT_SOUND(fd);
}

static void random_mix(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd = dev_fresh();
	u32 handle[200];
	u64 align[200];

	for (int i = 0; i < 200; i++) {
		align[i] = 1ULL << rng_below(&rng, 13);
		handle[i] = ALLOC(fd, .size = 1 + rng_below(&rng, 3000),
				  .align = align[i]).handle;
		if (rng_below(&rng, 3) == 0)
			EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[i--])));
	}
	map_read(fd, &map);
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(map_find(&map, handle[i])->offset & (align[i] - 1), 0);
	EXPECT_SOUND(fd);
}

static void more_than_a_page(void)
{
	int fd = dev_fresh();

	for (u64 align = 8192; align <= 1 << 20; align <<= 1) {
		u32 handle = ALLOC(fd, .size = 8, .align = align).handle;

		EXPECT_EQ(offset_of_block(fd, handle) & 4095, 0);
	}
	EXPECT_SOUND(fd);
}

/* What alignment skips stays free. */
static void gap_can_be_used(void)
{
	int fd = dev_fresh();
	struct tlsf_stats before = stats_of(fd), now;
	struct tlsf_op op = ALLOC(fd, .size = 64, .align = 4096);

	now = stats_of(fd);
	EXPECT_EQ(now.used_bytes, op.usable);
	EXPECT_LE(before.free_bytes - now.free_bytes, op.usable + 2 * 8);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
	EXPECT_EQ(stats_of(fd).free_bytes, before.free_bytes);
	EXPECT_EQ(stats_of(fd).free_blocks, 1);
}

UAPI_MAIN(KTAP_CASE(all_powers_of_two), KTAP_CASE(random_mix), KTAP_CASE(more_than_a_page),
	  KTAP_CASE(gap_can_be_used))
