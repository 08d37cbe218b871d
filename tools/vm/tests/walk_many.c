// SPDX-License-Identifier: GPL-2.0-only
/*
 * WALK costs what it answers, however many handles the file has; and handles whose blocks
 * move are found where they are.
 *
 * Room: vm. Times are compared within one run: medians, with a factor
 * that is far from either outcome.
 */
#include "uapi.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define MANY	300000
#define FEW	10
#define LOOKS	31
#define FACTOR	20	/* it was above 1000 when each call looked at all handles */

static struct tlsf_op ops[TLSF_BATCH_MAX];
static struct map map;

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void take(int fd, u32 nr)
{
	for (u32 n; nr; nr -= n) {
		n = nr < TLSF_BATCH_MAX ? nr : TLSF_BATCH_MAX;
		for (u32 i = 0; i < n; i++)
			ops[i] = OP(ALLOC, .size = 8);
		EXPECT_OK(batch_do(fd, ops, n));
	}
}

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

/* the median of what a look at one block costs */
static u64 look_ns(int fd)
{
	u64 took[LOOKS];

	for (int i = 0; i < LOOKS; i++) {
		struct tlsf_block_desc block;
		struct tlsf_walk walk = { .argsz = sizeof(walk), .nr_blocks = 1,
					  .blocks = (uintptr_t)&block };
		u64 start = now_ns();

		EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
		took[i] = now_ns() - start;
		EXPECT_EQ(block.state, TLSF_BLOCK_USED | TLSF_BLOCK_MINE);
	}
	qsort(took, LOOKS, sizeof(took[0]), compare);
	return took[LOOKS / 2];
}

static void costs_what_it_answers(void)
{
	int fd = dev_fresh();
	u64 few, many;

	take(fd, FEW);
	few = look_ns(fd);
	take(fd, MANY - FEW);
	many = look_ns(fd);
	printf("# %llu ns with %d handles, %llu ns with %d\n", few, FEW, many, MANY);
	EXPECT_LE(many, FACTOR * few);
}

/* ---- handles of several files, whose blocks come, move and go ---- */

#define FILES	3
#define SLOTS	200

static u32 handle[FILES][SLOTS];

static void change(int fd, u32 *slot, struct rng *rng)
{
	u64 size = 1 + rng_below(rng, 2000);

	if (!*slot) {
		*slot = ALLOC(fd, .size = size, .align = 1ULL << rng_below(rng, 8)).handle;
	} else if (rng_below(rng, 3)) {
		EXPECT_OK(op_do(fd, OP(RESIZE, .handle = *slot, .size = size)));
	} else {
		EXPECT_OK(op_do(fd, OP(FREE, .handle = *slot)));
		*slot = 0;
	}
}

/* each block of the map that is mine has one handle of mine, and no handle is missing */
static void expect_mine(int fd, const u32 *slots)
{
	u32 mine = 0, live = 0;

	map_read(fd, &map);
	for (u32 i = 0; i < map.nr; i++)
		mine += map.block[i].state & TLSF_BLOCK_MINE ? 1 : 0;
	for (u32 i = 0; i < SLOTS; i++) {
		if (!slots[i])
			continue;
		live++;
		EXPECT(map_find(&map, slots[i])->state & TLSF_BLOCK_USED);
	}
	EXPECT_EQ(mine, live);
	EXPECT_EQ(mine, stats_of(fd).file_blocks);
}

static void follows_blocks_that_move(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd[FILES] = { dev_fresh(), dev_open(), dev_open() };

	memset(handle, 0, sizeof(handle));
	for (int n = 0; n < 12000; n++) {
		u32 file = (u32)rng_below(&rng, FILES);

		change(fd[file], &handle[file][rng_below(&rng, SLOTS)], &rng);
		if (n % 1000 == 999)
			for (u32 i = 0; i < FILES; i++)
				expect_mine(fd[i], handle[i]);
	}
	EXPECT_SOUND(fd[0]);
}

UAPI_MAIN(KTAP_CASE(costs_what_it_answers), KTAP_CASE(follows_blocks_that_move))
