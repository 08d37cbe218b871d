// SPDX-License-Identifier: GPL-2.0-only
/*
 * WALK goes on only from where it left off: a stale cursor is EAGAIN, a forged one EINVAL.
 * A forged one taken at its word would have the pool's contents read as headers.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <stdint.h>

static struct tlsf_block_desc blocks[16];

static struct tlsf_walk walk_from(u64 cursor, u64 generation)
{
	return (struct tlsf_walk){
		.argsz = sizeof(struct tlsf_walk), .nr_blocks = 4, .cursor = cursor,
		.generation = generation, .blocks = (uintptr_t)blocks,
	};
}

/* The first four of ten blocks; @walk goes on behind them. */
static int half_way(struct tlsf_walk *walk)
{
	int fd = dev_fresh();

	for (int i = 0; i < 10; i++)
		ALLOC(fd, .size = 100);
	*walk = walk_from(0, 0);
	EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, walk));
	EXPECT_EQ(walk->more, 1);
	EXPECT(walk->cursor != 0);
	*walk = walk_from(walk->cursor, walk->generation);
	memset(blocks, 0xff, sizeof(blocks));
	return fd;
}

static void refuse(int fd, struct tlsf_walk walk, int err)
{
	struct tlsf_walk before = walk;

	EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_WALK, &walk), err);
	EXPECT(!memcmp(&walk, &before, sizeof(walk)));
	EXPECT_EQ(blocks[0].offset, ~0ULL);
}

static void goes_on(void)
{
	struct tlsf_walk walk;
	int fd = half_way(&walk);

	EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
	EXPECT_EQ(walk.nr_blocks, 4);
	EXPECT(blocks[0].state & TLSF_BLOCK_MINE);
}

static void forged_cursor(void)
{
	static const u64 forged[] = { 1, 8, 64, 4096, 1 << 20, 1ULL << 40, 1ULL << 63, ~0ULL };
	struct tlsf_walk walk;
	int fd = half_way(&walk);

	for (size_t i = 0; i < ARRAY_SIZE(forged); i++)
		refuse(fd, walk_from(forged[i], walk.generation), EINVAL);
	refuse(fd, walk_from(walk.cursor + 8, walk.generation), EINVAL);
	refuse(fd, walk_from(walk.cursor - 8, walk.generation), EINVAL);
	EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
}

static void forged_generation(void)
{
	struct tlsf_walk walk;
	int fd = half_way(&walk);

	refuse(fd, walk_from(walk.cursor, walk.generation + 1), EINVAL);
	refuse(fd, walk_from(walk.cursor, 0), EINVAL);
	ALLOC(fd, .size = 100);
	refuse(fd, walk_from(walk.cursor, walk.generation + 1), EINVAL);
}

static void of_another_file(void)
{
	struct tlsf_walk walk;

	half_way(&walk);
	refuse(dev_open(), walk, EINVAL);
}

static void used_twice(void)
{
	struct tlsf_walk walk, again;
	int fd = half_way(&walk);

	again = walk;
	EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
	memset(blocks, 0xff, sizeof(blocks));
	refuse(fd, again, EINVAL);
}

/* Every change counts, whoever makes it. */
static void stale_after_a_change(void)
{
	static const struct tlsf_op change[] = {
		{ .opcode = TLSF_OP_ALLOC, .size = 100 }, { .opcode = TLSF_OP_FREE },
		{ .opcode = TLSF_OP_RESIZE, .size = 24 },
	};
	struct tlsf_walk walk;

	for (size_t i = 0; i < ARRAY_SIZE(change); i++) {
		int fd = half_way(&walk), other = dev_open();
		struct tlsf_op op = change[i];

		op.argsz = sizeof(op);
		op.handle = ALLOC(other, .size = 100).handle;
		walk = walk_from(0, 0);
		EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
		EXPECT_OK(op_do(other, op));
		memset(blocks, 0xff, sizeof(blocks));
		refuse(fd, walk_from(walk.cursor, walk.generation), EAGAIN);
		walk = walk_from(0, 0);
		EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
	}
}

UAPI_MAIN(KTAP_CASE(goes_on), KTAP_CASE(forged_cursor), KTAP_CASE(forged_generation),
	  KTAP_CASE(of_another_file), KTAP_CASE(used_twice), KTAP_CASE(stale_after_a_change))
