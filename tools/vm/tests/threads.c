// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads with files of their own, and threads that share one: no block is ever given
 * twice, and no contents are lost.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <pthread.h>
#include <sched.h>

#define THREADS	4
#define SLOTS	64
#define ROUNDS	60

struct worker {
	pthread_t thread;
	int fd;
	u64 seed;
	int err;
};

struct slot {
	u32 handle;
	u64 seed, filled;
};

/* One batch on one slot: verify what is there, then replace, resize or free it. */
static int work_on(int fd, struct slot *s, struct rng *rng)
{
	struct tlsf_op ops[4];
	u64 size = 1 + rng_below(rng, 4000), seed = rng_next(rng);
	int err;

	if (!s->handle) {
		ops[0] = OP(ALLOC, .size = size, .align = 1ULL << rng_below(rng, 9));
		ops[1] = OP(FILL, .flags = TLSF_OP_REF, .seed = seed);
		err = batch_do(fd, ops, 2);
		*s = (struct slot){ ops[0].handle, seed, ops[0].usable };
		return err;
	}
	ops[0] = OP(VERIFY, .handle = s->handle, .size = s->filled, .seed = s->seed);
	if (rng_below(rng, 3)) {
		ops[1] = OP(FREE, .handle = s->handle);
		s->handle = 0;
		return batch_do(fd, ops, 2);
	}
	ops[1] = OP(RESIZE, .handle = s->handle, .size = size);
	ops[2] = OP(VERIFY, .handle = s->handle, .seed = s->seed,
		    .size = size < s->filled ? size : s->filled);
	ops[3] = OP(FILL, .handle = s->handle, .seed = seed);
	err = batch_do(fd, ops, 4);
	s->seed = seed;
	s->filled = ops[3].usable;
	return err;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct rng rng = rng_seed(w->seed);
	struct slot slots[SLOTS] = { 0 };
	int rounds = rounds_here(ROUNDS * SLOTS);

	for (int i = 0; i < rounds && !w->err; i++)
		w->err = work_on(w->fd, &slots[rng_below(&rng, SLOTS)], &rng);
	for (int i = 0; i < SLOTS && !w->err; i++)
		if (slots[i].handle)
			w->err = op_do(w->fd, OP(VERIFY, .handle = slots[i].handle,
						 .size = slots[i].filled, .seed = slots[i].seed));
	return NULL;
}

static void run_workers(struct worker *w, void *(*what)(void *))
{
	for (int i = 0; i < THREADS; i++)
		EXPECT(!pthread_create(&w[i].thread, NULL, what, &w[i]));
	for (int i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (int i = 0; i < THREADS; i++)
		EXPECT_OK(w[i].err);
}

static void files_of_their_own(void)
{
	struct worker w[THREADS] = { 0 };
	int watch = dev_fresh();

	for (u32 i = 0; i < THREADS; i++)
		w[i] = (struct worker){ .fd = dev_open(), .seed = ktap_seed + i };
	run_workers(w, work);
	EXPECT_SOUND(watch);
	for (u32 i = 0; i < THREADS; i++)
		dev_close(w[i].fd);
	EXPECT_EQ(stats_of(watch).used_blocks, 0);
}

static void one_file_for_all(void)
{
	struct worker w[THREADS] = { 0 };
	int fd = dev_fresh();

	for (u32 i = 0; i < THREADS; i++)
		w[i] = (struct worker){ .fd = fd, .seed = ktap_seed + i };
	run_workers(w, work);
	EXPECT_EQ(stats_of(fd).file_blocks, stats_of(fd).used_blocks);
	EXPECT_SOUND(fd);
}

/* ---- all threads free the same handles ---- */

#define SHARED	2000

static u32 shared[SHARED];
static unsigned int freed[SHARED];

static void *free_shared(void *arg)
{
	struct worker *w = arg;

	for (u32 i = 0; i < SHARED && !w->err; i++) {
		int err = op_do(w->fd, OP(FREE, .handle = shared[i]));

		if (!err)
			__atomic_fetch_add(&freed[i], 1, __ATOMIC_RELAXED);
		else if (err != -ENOENT)
			w->err = err;
	}
	return NULL;
}

static void a_handle_is_freed_once(void)
{
	struct worker w[THREADS] = { 0 };
	int fd = dev_fresh();

	memset(freed, 0, sizeof(freed));
	for (u32 i = 0; i < SHARED; i++)
		shared[i] = ALLOC(fd, .size = 32).handle;
	for (u32 i = 0; i < THREADS; i++)
		w[i].fd = fd;
	run_workers(w, free_shared);
	for (u32 i = 0; i < SHARED; i++)
		EXPECT_EQ(freed[i], 1);
	EXPECT_EQ(stats_of(fd).used_blocks, 0);
	EXPECT_EQ(stats_of(fd).bad_frees, 0);
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(files_of_their_own), KTAP_CASE(one_file_for_all),
	  KTAP_CASE(a_handle_is_freed_once))
