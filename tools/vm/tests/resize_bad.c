// SPDX-License-Identifier: GPL-2.0-only
/*
 * A RESIZE that is refused leaves the block as it was: where, how large, what is in it.
 *
 * Room: vm.
 */
#include "uapi.h"

#define SEED	7

struct block {
	u32 handle;
	u64 usable, offset;
};

static struct block filled_block(int fd, u64 size)
{
	struct tlsf_op op = ALLOC(fd, .size = size);

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = SEED)));
	return (struct block){ op.handle, op.usable, offset_of_block(fd, op.handle) };
}

static void refuse(int fd, const struct block *b, u64 size, u32 flags, int err)
{
	struct tlsf_op op = OP(RESIZE, .handle = b->handle, .size = size, .flags = flags);
	struct tlsf_stats before = stats_of(fd);

	EXPECT_ERR(op_run(fd, &op), err);
	EXPECT_BLOCKS_UNCHANGED(fd, &before);
	op = OP(VERIFY, .handle = b->handle, .seed = SEED);
	EXPECT_OK(op_run(fd, &op));
	EXPECT_EQ(op.usable, b->usable);
	EXPECT_EQ(offset_of_block(fd, b->handle), b->offset);
}

static void size_zero(void)
{
	int fd = dev_fresh();
	struct block b = filled_block(fd, 100);

	refuse(fd, &b, 0, 0, EINVAL);
	refuse(fd, &b, 0, TLSF_OP_INPLACE, EINVAL);
}

static void larger_than_the_pool(void)
{
	int fd = dev_fresh();
	struct block b = filled_block(fd, 100);

	refuse(fd, &b, info_of(fd).max_request + 1, 0, E2BIG);
	for (u64 k = 0; k <= 64; k++)
		refuse(fd, &b, ~0ULL - k, 0, E2BIG);
	refuse(fd, &b, 1ULL << 63, TLSF_OP_INPLACE, E2BIG);
}

static void in_place_next_to_a_used_block(void)
{
	int fd = dev_fresh();
	struct block b = filled_block(fd, 1000), next = filled_block(fd, 1000);

	refuse(fd, &b, b.usable + 1, TLSF_OP_INPLACE, ENOMEM);
	refuse(fd, &b, 100000, TLSF_OP_INPLACE, ENOMEM);
	refuse(fd, &next, info_of(fd).max_request, TLSF_OP_INPLACE, ENOMEM);
	EXPECT_SOUND(fd);
}

/* In place means in place: the room below does not count. */
static void in_place_with_room_below(void)
{
	int fd = dev_fresh();
	struct block below = filled_block(fd, 1000), b = filled_block(fd, 1000);

	filled_block(fd, 1000);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = below.handle)));
	refuse(fd, &b, 1500, TLSF_OP_INPLACE, ENOMEM);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = b.handle, .size = 1500)));
}

static void no_room_anywhere(void)
{
	int fd = dev_fresh();
	struct block b = filled_block(fd, 1000);

	filled_block(fd, info_of(fd).max_request / 2);
	ALLOC(fd, .size = stats_of(fd).largest_free - 4096);
	refuse(fd, &b, 100000, 0, ENOMEM);
	refuse(fd, &b, info_of(fd).max_request, 0, ENOMEM);
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(size_zero), KTAP_CASE(larger_than_the_pool),
	  KTAP_CASE(in_place_next_to_a_used_block), KTAP_CASE(in_place_with_room_below),
	  KTAP_CASE(no_room_anywhere))
