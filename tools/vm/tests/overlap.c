// SPDX-License-Identifier: GPL-2.0-only
/*
 * No two blocks overlap, and no operation writes into a block that it is not about.
 *
 * Room: vm.
 */
#include "uapi.h"

#define NR	2048

static struct {
	u32 handle;
	u64 filled;	/* bytes that the pattern still covers */
} block[NR];

static struct tlsf_op ops[NR];
static struct rng rng;

static void draw_alloc(u32 i)
{
	ops[i] = OP(ALLOC, .size = 1 + rng_below(&rng, rng_below(&rng, 4) ? 500 : 20000),
		    .align = rng_below(&rng, 4) ? 0 : 1ULL << rng_below(&rng, 12));
}

/* Fill all with a pattern of their own; each usable byte counts. */
static void fill_all(int fd)
{
	for (u32 i = 0; i < NR; i++)
		ops[i] = OP(FILL, .handle = block[i].handle, .seed = i);
	EXPECT_OK(batch_do(fd, ops, NR));
	for (u32 i = 0; i < NR; i++)
		block[i].filled = ops[i].usable;
}

static void verify_all(int fd)
{
	for (u32 i = 0; i < NR; i++)
		ops[i] = OP(VERIFY, .handle = block[i].handle, .size = block[i].filled, .seed = i);
	EXPECT_OK(batch_do(fd, ops, NR));
}

static int start(void)
{
	int fd = dev_fresh();

	rng = rng_seed(ktap_seed);
	for (u32 i = 0; i < NR; i++)
		draw_alloc(i);
	EXPECT_OK(batch_do(fd, ops, NR));
	for (u32 i = 0; i < NR; i++)
		block[i].handle = ops[i].handle;
	fill_all(fd);
	return fd;
}

static void fill_all_then_verify_all(void)
{
	int fd = start();

	verify_all(fd);
	EXPECT_SOUND(fd);
}

/* Half of them freed and allocated anew between the blocks that stay. */
static void survivors_are_untouched(void)
{
	int fd = start();

	for (int round = 0; round < 3; round++) {
		for (u32 i = 0; i < NR; i += 2)
			ops[i / 2] = OP(FREE, .handle = block[i].handle);
		EXPECT_OK(batch_do(fd, ops, NR / 2));
		for (u32 i = 0; i < NR / 2; i++)
			draw_alloc(i);
		EXPECT_OK(batch_do(fd, ops, NR / 2));
		for (u32 i = 0; i < NR; i += 2)
			block[i].handle = ops[i / 2].handle;
		for (u32 i = 0; i < NR; i += 2)
			ops[i / 2] = OP(FILL, .handle = block[i].handle, .seed = i);
		EXPECT_OK(batch_do(fd, ops, NR / 2));
		for (u32 i = 0; i < NR; i += 2)
			block[i].filled = ops[i / 2].usable;
		verify_all(fd);
	}
	EXPECT_SOUND(fd);
}

static void resized_blocks_stay_apart(void)
{
	int fd = start();

	for (u32 i = 0; i < NR; i++)
		ops[i] = OP(RESIZE, .handle = block[i].handle, .size = 1 + rng_below(&rng, 5000));
	EXPECT_OK(batch_do(fd, ops, NR));
	for (u32 i = 0; i < NR; i++)
		if (ops[i].usable < block[i].filled)
			block[i].filled = ops[i].usable;
	verify_all(fd);
	fill_all(fd);
	verify_all(fd);
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(fill_all_then_verify_all), KTAP_CASE(survivors_are_untouched),
	  KTAP_CASE(resized_blocks_stay_apart))
