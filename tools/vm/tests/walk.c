// SPDX-License-Identifier: GPL-2.0-only
/*
 * WALK: the map tiles the pool, agrees with STATS and CHECK, and says what is mine.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <stdint.h>

#define NR	300

static struct map map, part;
static u32 handle[NR];

/* Used and free blocks in turn, of many sizes. */
static int with_blocks(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd = dev_fresh();

	for (int i = 0; i < NR; i++)
		handle[i] = ALLOC(fd, .size = 1 + rng_below(&rng, 3000)).handle;
	for (int i = 0; i < NR; i += 3)
		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[i])));
	return fd;
}

static void tiles_the_pool(void)
{
	int fd = with_blocks();
	struct tlsf_info info = info_of(fd);

	map_read(fd, &map);
	map_expect_tiles(&map, &info);
}

static void agrees_with_stats_and_check(void)
{
	int fd = with_blocks();
	struct tlsf_check check = { .argsz = sizeof(check) };
	u64 bytes[2] = { 0 }, nr[2] = { 0 };
	struct tlsf_stats s = stats_of(fd);

	map_read(fd, &map);
	for (u32 i = 0; i < map.nr; i++) {
		bytes[map.block[i].state & TLSF_BLOCK_USED] += map.block[i].size;
		nr[map.block[i].state & TLSF_BLOCK_USED]++;
	}
	EXPECT_EQ(bytes[0], s.free_bytes);
	EXPECT_EQ(bytes[1], s.used_bytes);
	EXPECT_EQ(nr[0], s.free_blocks);
	EXPECT_EQ(nr[1], s.used_blocks);
	EXPECT_OK(dev_call(fd, TLSF_IOC_CHECK, &check));
	EXPECT_EQ(check.blocks, map.nr);
	EXPECT_EQ(check.invariant | check.offset, 0);
}

/* Of two files each sees all blocks, and the handles of its own alone. */
static void mine_and_the_others(void)
{
	int fd = with_blocks(), other = dev_open();
	u32 others = ALLOC(other, .size = 100).handle, mine = 0;

	map_read(fd, &map);
	for (int i = 0; i < NR; i++)
		if (i % 3)
			EXPECT(map_find(&map, handle[i])->size);
	for (u32 i = 0; i < map.nr; i++) {
		EXPECT_EQ(!(map.block[i].state & TLSF_BLOCK_MINE), !map.block[i].handle);
		mine += map.block[i].state & TLSF_BLOCK_MINE ? 1 : 0;
	}
	EXPECT_EQ(mine, stats_of(fd).file_blocks);
	map_read(other, &part);
	EXPECT_EQ(part.nr, map.nr);
	EXPECT(map_find(&part, others)->size);
	for (mine = 0; part.nr--;)
		mine += part.block[part.nr].state & TLSF_BLOCK_MINE ? 1 : 0;
	EXPECT_EQ(mine, 1);
}

/* @chunk blocks at a time; fewer only when it ends */
static void walk_in_chunks(int fd, u32 chunk, u32 flags)
{
	struct tlsf_walk walk = { .argsz = sizeof(walk), .flags = flags };

	part.nr = 0;
	do {
		walk.nr_blocks = chunk;
		walk.more = 0;
		walk.blocks = (uintptr_t)(part.block + part.nr);
		EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
		EXPECT(walk.nr_blocks == chunk || !walk.more);
		part.nr += walk.nr_blocks;
	} while (walk.more);
}

static void in_chunks(void)
{
	static const u32 chunk[] = { 1, 7, 63, 64, 65, 200, TLSF_WALK_MAX };
	int fd = with_blocks();

	map_read(fd, &map);
	for (size_t i = 0; i < ARRAY_SIZE(chunk); i++) {
		for (u32 flags = 0; flags <= TLSF_WALK_ATOMIC; flags++) {
			walk_in_chunks(fd, chunk[i], flags);
			EXPECT_EQ(part.nr, map.nr);
			EXPECT(!memcmp(part.block, map.block, map.nr * sizeof(map.block[0])));
		}
	}
}

static void wrong_room(void)
{
	int fd = with_blocks();
	struct tlsf_walk walk = { .argsz = sizeof(walk), .blocks = (uintptr_t)map.block };

	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_WALK, &walk), EINVAL);
	walk.nr_blocks = TLSF_WALK_MAX + 1;
	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_WALK, &walk), E2BIG);
	walk.nr_blocks = ~0u;
	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_WALK, &walk), E2BIG);
}

static void writes_no_more_than_it_says(void)
{
	int fd = with_blocks();
	struct tlsf_walk walk = {
		.argsz = sizeof(walk), .nr_blocks = 5, .blocks = (uintptr_t)map.block,
	};

	memset(map.block, 0xff, sizeof(map.block));
	EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
	EXPECT_EQ(walk.nr_blocks, 5);
	EXPECT_EQ(walk.more, 1);
	EXPECT(map.block[4].size != ~0ULL);
	EXPECT_EQ(map.block[5].offset, ~0ULL);
}

UAPI_MAIN(KTAP_CASE(tiles_the_pool), KTAP_CASE(agrees_with_stats_and_check),
	  KTAP_CASE(mine_and_the_others), KTAP_CASE(in_chunks), KTAP_CASE(wrong_room),
	  KTAP_CASE(writes_no_more_than_it_says))
