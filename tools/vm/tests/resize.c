// SPDX-License-Identifier: GPL-2.0-only
/*
 * RESIZE grows and shrinks, in place or by moving, and keeps contents and alignment.
 *
 * Room: vm. In an empty pool blocks are cut off one behind the other,
 * which each case that counts on it makes sure of.
 */
#include "uapi.h"

#define SEED	42

/* Three blocks of @size in a row, all filled. */
static void three_in_a_row(int fd, u64 size, struct tlsf_op op[3])
{
	for (int i = 0; i < 3; i++) {
		op[i] = ALLOC(fd, .size = size);
		EXPECT_OK(op_do(fd, OP(FILL, .handle = op[i].handle, .seed = SEED + i)));
	}
	EXPECT_EQ(offset_of_block(fd, op[1].handle), offset_of_block(fd, op[0].handle) + size + 8);
	EXPECT_EQ(offset_of_block(fd, op[2].handle), offset_of_block(fd, op[1].handle) + size + 8);
}

static void expect_prefix(int fd, u32 handle, u64 size, u64 seed)
{
	EXPECT_OK(op_do(fd, OP(VERIFY, .handle = handle, .size = size, .seed = seed)));
}

static u64 resize_ok(int fd, u32 handle, u64 size, u32 flags)
{
	struct tlsf_op op = OP(RESIZE, .handle = handle, .size = size, .flags = flags);

	EXPECT_OK(op_run(fd, &op));
	EXPECT_EQ(op.handle, handle);
	EXPECT_GE(op.usable, size);
	return op.usable;
}

static void shrinks_in_place(void)
{
	int fd = dev_fresh();
	struct tlsf_op op[3];
	u64 at, usable;

	three_in_a_row(fd, 4096, op);
	at = offset_of_block(fd, op[1].handle);
	usable = resize_ok(fd, op[1].handle, 100, TLSF_OP_INPLACE);
	EXPECT_LE(usable, 136);
	EXPECT_EQ(offset_of_block(fd, op[1].handle), at);
	expect_prefix(fd, op[1].handle, usable, SEED + 1);
	expect_prefix(fd, op[0].handle, 4096, SEED);
	expect_prefix(fd, op[2].handle, 4096, SEED + 2);
	EXPECT_SOUND(fd);
}

static void grows_in_place_into_free_space(void)
{
	int fd = dev_fresh();
	struct tlsf_op op[3];
	u64 at;

	three_in_a_row(fd, 1024, op);
	at = offset_of_block(fd, op[1].handle);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op[2].handle)));
	resize_ok(fd, op[1].handle, 2000, TLSF_OP_INPLACE);
	EXPECT_EQ(offset_of_block(fd, op[1].handle), at);
	expect_prefix(fd, op[1].handle, 1024, SEED + 1);
	expect_prefix(fd, op[0].handle, 1024, SEED);
	EXPECT_SOUND(fd);
}

static void grows_downwards_when_there_is_room(void)
{
	int fd = dev_fresh();
	struct tlsf_op op[3];
	u64 at;

	three_in_a_row(fd, 1024, op);
	at = offset_of_block(fd, op[0].handle);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op[0].handle)));
	resize_ok(fd, op[1].handle, 2000, 0);
	EXPECT_EQ(offset_of_block(fd, op[1].handle), at);
	expect_prefix(fd, op[1].handle, 1024, SEED + 1);
	expect_prefix(fd, op[2].handle, 1024, SEED + 2);
	EXPECT_SOUND(fd);
}

static void moves_when_there_is_none(void)
{
	int fd = dev_fresh();
	struct tlsf_op op[3];
	u64 at;

	three_in_a_row(fd, 1024, op);
	at = offset_of_block(fd, op[0].handle);
	resize_ok(fd, op[0].handle, 5000, 0);
	EXPECT(offset_of_block(fd, op[0].handle) != at);
	for (int i = 0; i < 3; i++)
		expect_prefix(fd, op[i].handle, 1024, SEED + i);
	EXPECT_EQ(stats_of(fd).used_blocks, 3);
	EXPECT_SOUND(fd);
}

static void keeps_alignment(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd = dev_fresh();

	for (u64 align = 16; align <= 4096; align *= 2) {
		u32 handle = ALLOC(fd, .size = 64, .align = align).handle;

		for (int i = 0; i < 10; i++) {
			ALLOC(fd, .size = 1 + rng_below(&rng, 500));
			resize_ok(fd, handle, 1 + rng_below(&rng, 3000), 0);
			EXPECT_EQ(offset_of_block(fd, handle) % align, 0);
		}
	}
	EXPECT_SOUND(fd);
}

static void accounts_for_it(void)
{
	int fd = dev_fresh();
	u32 handle = ALLOC(fd, .size = 100).handle;
	struct tlsf_stats before = stats_of(fd), now;
	u64 usable = resize_ok(fd, handle, 5000, 0);

	now = stats_of(fd);
	EXPECT_EQ(now.used_bytes, usable);
	EXPECT_EQ(now.file_bytes, usable);
	EXPECT_EQ(now.file_blocks, 1);
	EXPECT_EQ(now.resizes, before.resizes + 1);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	EXPECT_EQ(stats_of(fd).file_bytes + stats_of(fd).used_bytes, 0);
}

/* Whatever a random life does to a block, its first bytes stay. */
static void contents_survive_a_random_life(void)
{
	struct rng rng = rng_seed(ktap_seed);
	int fd = dev_fresh();
	u32 handle[20];
	u64 filled[20];

	for (int i = 0; i < 20; i++) {
		struct tlsf_op op = ALLOC(fd, .size = 500);

		handle[i] = op.handle;
		filled[i] = op.usable;
		EXPECT_OK(op_do(fd, OP(FILL, .handle = handle[i], .seed = i)));
	}
	for (int n = 0; n < 600; n++) {
		int i = (int)rng_below(&rng, 20);
		u64 usable = resize_ok(fd, handle[i], 1 + rng_below(&rng, 4000), 0);

		filled[i] = usable < filled[i] ? usable : filled[i];
		expect_prefix(fd, handle[i], filled[i], (u64)i);
	}
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(shrinks_in_place), KTAP_CASE(grows_in_place_into_free_space),
	  KTAP_CASE(grows_downwards_when_there_is_room), KTAP_CASE(moves_when_there_is_none),
	  KTAP_CASE(keeps_alignment), KTAP_CASE(accounts_for_it),
	  KTAP_CASE(contents_survive_a_random_life))
