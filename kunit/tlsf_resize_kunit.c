// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite "tlsf_resize": what becomes of a resize when a later hold of the lock is not to
 * be had, the heap is damaged or the pool retires meanwhile, the caller is killed, or freed
 * blocks wait that it needs.
 *
 * Room: kunit. White-box: built from the sources, nothing of tlsf_mod.ko is used. Some of what
 * they call is replaced by hooks: there the suite takes the lock, as somebody who may not be
 * waited for, or writes to memory. Each case ends with all blocks freed and the pool
 * one free block.
 */
#include <kunit/test.h>

#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tlsf.h>
#include <linux/vmalloc.h>

#include "untraced.h"
#include "tlsf_pool_priv.h"

/* ---- hooks ---- */

static void (*on_move)(void);
static void (*on_report)(void);
static void (*on_drain)(void);
static void (*on_retire)(void);
static bool killed;

static void *moving(void *to, const void *from, size_t bytes)
{
	memmove(to, from, bytes);
	if (on_move)
		on_move();
	return to;
}

static bool queueing(struct irq_work *work)
{
	if (on_report)
		on_report();
	return irq_work_queue(work);
}

static void draining(struct tlsf_pool *pool)
{
	tlsf_drain_failing(pool);
	if (on_drain)
		on_drain();
}

static void unlocking(struct tlsf_lock *lock, unsigned long flags)
{
	tlsf_unlock_irqrestore(lock, flags);
	if (on_retire)
		on_retire();
}

#undef memmove
#define memmove			moving
#define irq_work_queue		queueing
#define fatal_signal_pending(t)	(killed)
#define tlsf_drain_failing	draining

/* ---- what is hooked, without its tracepoints ---- */

#include "resize_alloc.c"
#include "resize_realloc.c"
#include "resize_report.c"

/* takes the lock once, to retire */
#define tlsf_unlock_irqrestore	unlocking
#include "resize_pool.c"
#undef tlsf_unlock_irqrestore

/* ---- a row of blocks ---- */

#define QUIET	(GFP_NOWAIT | __GFP_NOWARN)

enum { BELOW, BLOCK, ABOVE, LAST, ROW };

static struct tlsf_pool *pool;
static void *row[ROW];
static unsigned long held_flags, *word, good;
static bool held;

/* what tlsf_pool_init() makes */
static int resize_suite_init(struct kunit_suite *suite)
{
	tlsf_drain_queue = alloc_workqueue("kunit-resize", WQ_UNBOUND, 0);
	return tlsf_drain_queue ? 0 : -ENOMEM;
}

static void resize_suite_exit(struct kunit_suite *suite)
{
	if (tlsf_drain_queue)
		destroy_workqueue(tlsf_drain_queue);
}

static int resize_init(struct kunit *test)
{
	pool = tlsf_pool_create("kunit-resize", SZ_16M);
	return PTR_ERR_OR_ZERO(pool);
}

static void resize_exit(struct kunit *test)
{
	struct tlsf_pool_stats s;

	if (IS_ERR_OR_NULL(pool))
		return;
	while (tlsf_drain_one(pool))
		;
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, s.used_blocks, 0);
	KUNIT_EXPECT_EQ(test, s.free_blocks, 1);
	tlsf_pool_destroy(pool);
}

static void row_make(struct kunit *test, size_t below, size_t block)
{
	const size_t size[ROW] = { below, block, 24, 24 };
	unsigned int i;

	for (i = 0; i < ROW; i++) {
		row[i] = tlsf_pool_alloc(pool, size[i], QUIET);
		KUNIT_ASSERT_NOT_NULL(test, row[i]);
		memset(row[i], 0x5a, size[i]);
	}
	tlsf_pool_free(pool, row[BELOW]);
	tlsf_pool_free(pool, row[ABOVE]);
}

/* ---- what happens in between ---- */

/* the lock is another's, from now on */
static void take_lock(void)
{
	if (!held)
		held = tlsf_lock_irqsave(&pool->lock, &held_flags);
	on_report = NULL;
}

static void retire(void)
{
	tlsf_pool_retire(pool, _THIS_IP_);
}

static void damage(void)
{
	word = (unsigned long *)row[ABOVE] + 1;
	good = *word;
	*word = 0x41414141;
	on_move = NULL;
}

static void damage_and_take_lock(void)
{
	damage();
	on_report = take_lock;
}

static void calm_down(void)
{
	on_move = NULL;
	on_report = NULL;
	on_drain = NULL;
	on_retire = NULL;
	killed = false;
	if (held)
		tlsf_unlock_irqrestore(&pool->lock, held_flags);
	held = false;
	if (word)
		*word = good;
	word = NULL;
}

struct between_case {
	const char *name;
	void (*happens)(void);
	size_t size;
	bool moves;
};

/* 220 bytes are there with the block below, 400 nowhere near */
static const struct between_case between_cases[] = {
	{ "downwards, no lock for the tail", take_lock, 220, true },
	{ "downwards, the tail beside damage", damage, 220, true },
	{ "downwards, the pool retires", retire, 220, true },
	{ "elsewhere, no lock for the old block", take_lock, 400, true },
	{ "elsewhere, the old block beside damage", damage, 400, false },
	{ "elsewhere, damage, no lock for the new one", damage_and_take_lock, 400, false },
	{ "elsewhere, the pool retires", retire, 400, true },
};

static void between_desc(const struct between_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(between, between_cases, between_desc);

static void expect_block(struct kunit *test, const struct between_case *p, bool moved,
			 void *block)
{
	struct tlsf_pool_stats s;

	while (tlsf_drain_one(pool))
		;
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, moved, p->moves);
	KUNIT_EXPECT_EQ(test, block != row[BLOCK], p->moves);
	KUNIT_EXPECT_EQ(test, s.used_blocks, 2);
	KUNIT_EXPECT_NULL(test, memchr_inv(block, 0x5a, 64));
	KUNIT_EXPECT_GE(test, tlsf_pool_ksize(pool, block), p->moves ? p->size : 64);
	tlsf_pool_free(pool, block);
	tlsf_pool_free(pool, row[LAST]);
}

static void realloc_holds(struct kunit *test)
{
	const struct between_case *p = test->param_value;
	void *moved;

	row_make(test, 200, 64);
	on_move = p->happens;
	moved = tlsf_pool_realloc(pool, row[BLOCK], p->size, QUIET);
	calm_down();
	expect_block(test, p, moved, moved ?: row[BLOCK]);
}

/* the same for the device, which is told what came of it */
static void resize_cost_holds(struct kunit *test)
{
	const struct between_case *p = test->param_value;
	struct tlsf_cost cost;
	void *block;
	int err;

	row_make(test, 200, 64);
	block = row[BLOCK];
	on_move = p->happens;
	err = tlsf_pool_resize_cost(pool, TLSF_MINALIGN, p->size, true, &block, &cost);
	calm_down();
	KUNIT_EXPECT_EQ(test, err, p->moves ? 0 : -EIO);
	KUNIT_EXPECT_EQ(test, cost.usable, p->moves ? tlsf_pool_ksize(pool, block) : 0);
	KUNIT_EXPECT_EQ(test, cost.kept, p->moves ? 64 : 0);
	expect_block(test, p, !err, block);
}

/* ---- killed ---- */

static void kill_now(void)
{
	killed = true;
}

static void killed_elsewhere_changes_nothing(struct kunit *test)
{
	struct tlsf_pool_stats before, after;
	struct tlsf_cost cost;
	void *block;

	row_make(test, 200, 4 * SZ_1M);
	block = row[BLOCK];
	tlsf_pool_stats(pool, &before);
	on_move = kill_now;
	KUNIT_EXPECT_EQ(test, tlsf_pool_resize_cost(pool, TLSF_MINALIGN, 5 * SZ_1M, true, &block,
						    &cost), -EINTR);
	calm_down();
	tlsf_pool_stats(pool, &after);
	KUNIT_EXPECT_PTR_EQ(test, block, row[BLOCK]);
	KUNIT_EXPECT_EQ(test, cost.usable, 0);
	KUNIT_EXPECT_EQ(test, after.used_bytes, before.used_bytes);
	KUNIT_EXPECT_EQ(test, after.used_blocks, before.used_blocks);
	KUNIT_EXPECT_NULL(test, memchr_inv(block, 0x5a, 4 * SZ_1M));
	tlsf_pool_free(pool, block);
	tlsf_pool_free(pool, row[LAST]);
}

static void killed_downwards_tells_what_arrived(struct kunit *test)
{
	struct tlsf_cost cost;
	void *block;

	row_make(test, 200, 4 * SZ_1M);
	block = row[BLOCK];
	on_move = kill_now;
	KUNIT_EXPECT_EQ(test, tlsf_pool_resize_cost(pool, TLSF_MINALIGN, 4 * SZ_1M + 100, true,
						    &block, &cost), -EINTR);
	calm_down();
	KUNIT_EXPECT_PTR_EQ(test, block, row[BELOW]);
	KUNIT_EXPECT_EQ(test, cost.kept, SZ_1M);
	KUNIT_EXPECT_EQ(test, cost.usable, tlsf_pool_ksize(pool, block));
	KUNIT_EXPECT_GE(test, cost.usable, 4 * SZ_1M + 100);
	KUNIT_EXPECT_NULL(test, memchr_inv(block, 0x5a, SZ_1M));
	tlsf_pool_free(pool, block);
	tlsf_pool_free(pool, row[LAST]);
}

/* whoever may be in any context moves all in one go */
static void realloc_is_not_killed(struct kunit *test)
{
	void *moved;

	row_make(test, 200, 4 * SZ_1M);
	killed = true;
	moved = tlsf_pool_realloc(pool, row[BLOCK], 5 * SZ_1M, QUIET);
	calm_down();
	KUNIT_ASSERT_NOT_NULL(test, moved);
	KUNIT_EXPECT_NULL(test, memchr_inv(moved, 0x5a, 4 * SZ_1M));
	tlsf_pool_free(pool, moved);
	tlsf_pool_free(pool, row[LAST]);
}

/* ---- freed blocks that wait ---- */

#define WAITING		40
#define PIECE		1000
#define PIECES(n)	((n) * (PIECE + TLSF_BLOCK_HEADER) - TLSF_BLOCK_HEADER)

static void *waiting[WAITING], *rest;

/* what cannot have the lock frees row[LAST]'s neighbours above: they wait; nobody else comes */
static void defer_all(struct kunit *test)
{
	struct tlsf_pool_stats s;
	unsigned int i;

	take_lock();
	for (i = 0; i < WAITING; i++)
		tlsf_pool_free(pool, waiting[i]);
	calm_down();
	irq_work_sync(&pool->idle_work);
	cancel_delayed_work_sync(&pool->drain_work);
	tlsf_pool_stats(pool, &s);
	KUNIT_ASSERT_EQ(test, s.deferred_frees, WAITING);
}

/* a row, pieces above it that wait to be freed, and nothing else if @full */
static void waiting_make(struct kunit *test, bool full)
{
	struct tlsf_pool_stats s;
	unsigned int i;

	row_make(test, 24, 64);
	for (i = 0; i < WAITING; i++) {
		waiting[i] = tlsf_pool_alloc(pool, PIECE, QUIET);
		KUNIT_ASSERT_NOT_NULL(test, waiting[i]);
	}
	tlsf_pool_stats(pool, &s);
	rest = full ? tlsf_pool_alloc(pool, s.largest_free, QUIET) : NULL;
	defer_all(test);
}

/* how many pieces wait; @others are allocated besides */
static unsigned int still_waiting(unsigned int others)
{
	struct tlsf_pool_stats s;

	tlsf_pool_stats(pool, &s);
	return s.used_blocks - others;
}

static u64 failures(void)
{
	struct tlsf_pool_stats s;

	tlsf_pool_stats(pool, &s);
	return s.fail_exhausted + s.fail_fragmented + s.fail_busy + s.fail_damaged;
}

static void waiting_free(void *block)
{
	tlsf_pool_free(pool, block);
	tlsf_pool_free(pool, row[LAST]);
	tlsf_pool_free(pool, rest);
}

/* and is no failure for who counts them */
static void realloc_takes_back_what_waits(struct kunit *test)
{
	void *moved;

	waiting_make(test, true);
	moved = tlsf_pool_realloc(pool, row[BLOCK], PIECES(10), QUIET);
	KUNIT_EXPECT_NOT_NULL(test, moved);
	KUNIT_EXPECT_PTR_NE(test, moved, row[BLOCK]);
	KUNIT_EXPECT_NULL(test, memchr_inv(moved ?: row[BLOCK], 0x5a, 64));
	KUNIT_EXPECT_EQ(test, failures(), 0);
	waiting_free(moved ?: row[BLOCK]);
}

static void resize_cost_takes_back_what_waits(struct kunit *test)
{
	void *block;
	struct tlsf_cost cost;

	waiting_make(test, true);
	block = row[BLOCK];
	KUNIT_EXPECT_EQ(test, tlsf_pool_resize_cost(pool, TLSF_MINALIGN, PIECES(10), true, &block,
						    &cost), 0);
	KUNIT_EXPECT_EQ(test, cost.kept, 64);
	KUNIT_EXPECT_EQ(test, failures(), 0);
	waiting_free(block);
}

/* a bounded number: what needs all of them fails, once, and comes nearer each time */
static void realloc_takes_back_no_more_than_a_bound(struct kunit *test)
{
	unsigned int left;
	void *moved;

	waiting_make(test, true);
	moved = tlsf_pool_realloc(pool, row[BLOCK], PIECES(WAITING), QUIET);
	left = still_waiting(3);
	KUNIT_EXPECT_NULL(test, moved);
	KUNIT_EXPECT_GT(test, left, WAITING / 2);
	KUNIT_EXPECT_LE(test, left, WAITING - 16);
	KUNIT_EXPECT_EQ(test, failures(), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(row[BLOCK], 0x5a, 64));
	moved = tlsf_pool_realloc(pool, row[BLOCK], PIECES(WAITING), QUIET);
	KUNIT_EXPECT_NULL(test, moved);
	moved = tlsf_pool_realloc(pool, row[BLOCK], PIECES(WAITING), QUIET);
	KUNIT_EXPECT_NOT_NULL(test, moved);
	KUNIT_EXPECT_EQ(test, failures(), 2);
	waiting_free(moved ?: row[BLOCK]);
}

/* one for each hold of the lock that was to come anyway, and no more */
static void realloc_that_is_served_leaves_the_others(struct kunit *test)
{
	void *moved;

	waiting_make(test, false);
	moved = tlsf_pool_realloc(pool, row[BLOCK], PIECES(WAITING), QUIET);
	KUNIT_EXPECT_NOT_NULL(test, moved);
	KUNIT_EXPECT_GE(test, still_waiting(2), WAITING - 4);
	waiting_free(moved ?: row[BLOCK]);
}

/* ---- a pool that retires ---- */

/* between two attempts: there is room by then, but no request is served any more */
static void realloc_in_a_pool_that_retires_meanwhile(struct kunit *test)
{
	struct tlsf_pool_stats s;
	void *moved;

	waiting_make(test, true);
	on_drain = retire;
	moved = tlsf_pool_realloc(pool, row[BLOCK], PIECES(10), GFP_NOWAIT);
	calm_down();
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_NULL(test, moved);
	KUNIT_EXPECT_EQ(test, s.fail_damaged, 1);
	KUNIT_EXPECT_EQ(test, failures(), 1);
	KUNIT_EXPECT_EQ(test, tlsf_pool_ksize(pool, row[BLOCK]), 64);
	KUNIT_EXPECT_NULL(test, memchr_inv(row[BLOCK], 0x5a, 64));
	waiting_free(row[BLOCK]);
}

static void resize_cost_in_a_pool_that_retires_meanwhile(struct kunit *test)
{
	struct tlsf_cost cost;
	void *block;

	waiting_make(test, true);
	block = row[BLOCK];
	on_drain = retire;
	KUNIT_EXPECT_EQ(test, tlsf_pool_resize_cost(pool, TLSF_MINALIGN, PIECES(10), true, &block,
						    &cost), -EIO);
	calm_down();
	KUNIT_EXPECT_PTR_EQ(test, block, row[BLOCK]);
	KUNIT_EXPECT_EQ(test, cost.usable, 0);
	KUNIT_EXPECT_EQ(test, failures(), 1);
	waiting_free(block);
}

static int early_err;

static void resize_early(void)
{
	struct tlsf_cost cost;
	void *block = row[BLOCK];

	on_retire = NULL;
	early_err = tlsf_pool_resize_cost(pool, TLSF_MINALIGN, 400, true, &block, &cost);
}

/* whoever has the lock next, after it has retired, knows why nothing is served */
static void retired_pool_says_why_from_the_first_resize(struct kunit *test)
{
	struct tlsf_pool_stats s;

	row_make(test, 200, 64);
	on_retire = resize_early;
	retire();
	calm_down();
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, early_err, -EIO);
	KUNIT_EXPECT_EQ(test, s.fail_damaged, 1);
	tlsf_pool_free(pool, row[BLOCK]);
	tlsf_pool_free(pool, row[LAST]);
}

/* ---- a request that fails is counted once, however often it was tried ---- */

struct failing_case {
	const char *name;
	bool wait;
	size_t size;
	gfp_t gfp;		/* __GFP_ZERO is the slow path's */
	u64 counted;
};

static const struct failing_case failing_cases[] = {
	{ "fast path", false, 1000, 0, 1 },
	{ "slow path", false, 1000, __GFP_ZERO, 1 },
	{ "slow path, larger than any block", false, SIZE_MAX, __GFP_ZERO, 0 },
	{ "frees wait", true, PIECES(WAITING), 0, 1 },
	{ "frees wait, to be zeroed", true, PIECES(WAITING), __GFP_ZERO, 1 },
	{ "frees wait, larger than any block", true, SIZE_MAX, 0, 0 },
};

static void failing_desc(const struct failing_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(failing, failing_cases, failing_desc);

static void failing_request_is_counted_once(struct kunit *test)
{
	const struct failing_case *p = test->param_value;
	void *block;

	waiting_make(test, true);
	while (!p->wait && tlsf_drain_one(pool))
		;
	block = p->wait ? NULL : tlsf_pool_alloc(pool, PIECES(WAITING), QUIET);
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool, p->size, QUIET | p->gfp));
	KUNIT_EXPECT_EQ(test, failures(), p->counted);
	tlsf_pool_free(pool, block);
	waiting_free(row[BLOCK]);
}

/* ---- what is counted where the lock cannot be had ---- */

struct reject_case {
	const char *name;
	void (*give)(const void *ptr);
	u64 bad_frees;
};

static void ask_size(const void *ptr)
{
	tlsf_ksize(ptr);
}

static const struct reject_case reject_cases[] = {
	{ "kfree", tlsf_kfree, 1 },
	{ "kfree_sensitive", tlsf_kfree_sensitive, 1 },
	{ "ksize", ask_size, 0 },
};

static void reject_desc(const struct reject_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reject, reject_cases, reject_desc);

static void rejected_without_the_lock_is_counted(struct kunit *test)
{
	const struct reject_case *p = test->param_value;
	struct tlsf_pool *was = tlsf_default_pool;
	struct tlsf_pool_stats s;

	row_make(test, 200, 64);
	tlsf_default_pool = pool;
	take_lock();
	p->give(row[BLOCK] + 8);
	calm_down();
	tlsf_default_pool = was;
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, s.bad_frees, p->bad_frees);
	KUNIT_EXPECT_EQ(test, s.deferred_frees, 0);
	KUNIT_EXPECT_NULL(test, memchr_inv(row[BLOCK], 0x5a, 64));
	tlsf_pool_free(pool, row[BLOCK]);
	tlsf_pool_free(pool, row[LAST]);
}

static struct kunit_case resize_cases[] = {
	KUNIT_CASE_PARAM(realloc_holds, between_gen_params),
	KUNIT_CASE_PARAM(resize_cost_holds, between_gen_params),
	KUNIT_CASE(killed_elsewhere_changes_nothing),
	KUNIT_CASE(killed_downwards_tells_what_arrived),
	KUNIT_CASE(realloc_is_not_killed),
	KUNIT_CASE(realloc_takes_back_what_waits),
	KUNIT_CASE(resize_cost_takes_back_what_waits),
	KUNIT_CASE(realloc_takes_back_no_more_than_a_bound),
	KUNIT_CASE(realloc_that_is_served_leaves_the_others),
	KUNIT_CASE(realloc_in_a_pool_that_retires_meanwhile),
	KUNIT_CASE(resize_cost_in_a_pool_that_retires_meanwhile),
	KUNIT_CASE(retired_pool_says_why_from_the_first_resize),
	KUNIT_CASE_PARAM(failing_request_is_counted_once, failing_gen_params),
	KUNIT_CASE_PARAM(rejected_without_the_lock_is_counted, reject_gen_params),
	{}
};

static struct kunit_suite resize_suite = {
	.name = "tlsf_resize",
	.suite_init = resize_suite_init,
	.suite_exit = resize_suite_exit,
	.init = resize_init,
	.exit = resize_exit,
	.test_cases = resize_cases,
};

kunit_test_suite(resize_suite);

MODULE_DESCRIPTION("KUnit suite of tlsf: resizes that are disturbed");
MODULE_LICENSE("GPL");
