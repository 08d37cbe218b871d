// SPDX-License-Identifier: GPL-2.0-only
/*
 * WALK while the pool changes: a consistent map or EAGAIN; with ATOMIC always a map.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define BLOCKS	2000

static struct map map;
static atomic_bool stop;
static int churn_fd, churn_err, churned;

/* Batches of allocate, allocate, resize, free, free. */
static void *churn(void *unused)
{
	struct tlsf_op ops[5];

	(void)unused;
	while (!stop && !churn_err) {
		ops[0] = OP(ALLOC, .size = 100);
		ops[1] = OP(ALLOC, .size = 3000);
		ops[2] = OP(RESIZE, .size = 700, .flags = TLSF_OP_REF);
		ops[3] = OP(FREE, .handle = 1, .flags = TLSF_OP_REF);
		ops[4] = OP(FREE, .flags = TLSF_OP_REF);
		churn_err = batch_do(churn_fd, ops, 5);
		churned++;
	}
	return NULL;
}

/* How many of @rounds walks gave a map; each of these must tile the pool. */
static int walk_during_churn(int rounds, u32 flags)
{
	int fd = dev_fresh(), maps = 0, err;
	struct tlsf_info info = info_of(fd);
	pthread_t thread;

	for (int i = 0; i < BLOCKS; i++)
		ALLOC(fd, .size = 50);
	churn_fd = dev_open();
	stop = false;
	churned = 0;
	EXPECT(!pthread_create(&thread, NULL, churn, NULL));
	for (int i = 0; i < rounds; i++) {
		struct tlsf_walk walk = {
			.argsz = sizeof(walk), .flags = flags, .nr_blocks = 2 * BLOCKS,
			.blocks = (uintptr_t)map.block,
		};

		err = dev_call(fd, TLSF_IOC_WALK, &walk);
		if (err == -EAGAIN)
			continue;
		EXPECT_OK(err);
		EXPECT_GE(walk.nr_blocks, BLOCKS + 1);
		map.nr = walk.nr_blocks;
		map_expect_tiles(&map, &info);
		maps++;
	}
	stop = true;
	pthread_join(thread, NULL);
	EXPECT_OK(churn_err);
	printf("# %d maps in %d walks during %d batches\n", maps, rounds, churned);
	return maps;
}

static void polite_walk(void)
{
	walk_during_churn(rounds_here(300), 0);
}

static void atomic_walk(void)
{
	int rounds = rounds_here(300);

	EXPECT_EQ(walk_during_churn(rounds, TLSF_WALK_ATOMIC), rounds);
}

UAPI_MAIN(KTAP_CASE(polite_walk), KTAP_CASE(atomic_walk))
