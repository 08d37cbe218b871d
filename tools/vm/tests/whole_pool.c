// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole pool can be had, and what was freed can be had again when it is full.
 *
 * Room: vm.
 */
#include "uapi.h"

#define ROOM	4096

static u32 handle[ROOM];

static void empty_pool_in_one_block(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = ALLOC(fd, .size = info_of(fd).max_request);

	EXPECT_EQ(stats_of(fd).free_blocks, 0);
	EXPECT_EQ(stats_of(fd).largest_free, 0);
	EXPECT_ERR(op_do(fd, OP(ALLOC, .size = 1)), ENOMEM);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
	EXPECT_OK(op_do(fd, OP(ALLOC, .size = info_of(fd).max_request)));
}

static void largest_free_can_be_had(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd = dev_fresh();
	u32 nr = fill_pool(fd, 20000, handle, ROOM);

	for (int i = 0; i < 100; i++)
		op_do(fd, OP(FREE, .handle = handle[rng_below(&rng, nr)]));
	for (u64 largest; (largest = stats_of(fd).largest_free);) {
		EXPECT_ERR(op_do(fd, OP(ALLOC, .size = largest + 1)), ENOMEM);
		ALLOC(fd, .size = largest);
	}
	EXPECT_EQ(stats_of(fd).free_blocks, 0);
	EXPECT_SOUND(fd);
}

/* The first-fit of one's own list: a request for what was just freed never fails. */
static void free_n_then_allocate_n(void)
{
	static const u64 size[] = { 4096, 5000, 12345, 65536, 100000, 777777 };
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(size); i++) {
		fd = dev_fresh();
		for (u32 nr = fill_pool(fd, size[i], handle, ROOM); nr--;) {
			EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[nr])));
			ALLOC(fd, .size = size[i]);
		}
		EXPECT_SOUND(fd);
	}
}

/* In any order, all blocks freed are one free block again. */
static void all_freed_is_one_block(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd = dev_fresh();
	struct tlsf_stats before = stats_of(fd);
	u32 nr = fill_pool(fd, 16000, handle, ROOM);

	while (nr) {
		u32 i = (u32)rng_below(&rng, nr);

		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[i])));
		handle[i] = handle[--nr];
	}
	EXPECT_EQ(stats_of(fd).free_bytes, before.free_bytes);
	EXPECT_EQ(stats_of(fd).free_blocks, 1);
	EXPECT_EQ(stats_of(fd).largest_free, before.largest_free);
}

UAPI_MAIN(KTAP_CASE(empty_pool_in_one_block), KTAP_CASE(largest_free_can_be_had),
	  KTAP_CASE(free_n_then_allocate_n), KTAP_CASE(all_freed_is_one_block))
