// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite "tlsf_pool": pools through the exported API.
 *
 * Room: kunit. Includes <linux/tlsf.h> and no other header of ours: what fails here
 * fails for users.
 *
 * Each test gets an empty pool of its own and leaves it as it found it: pool_exit()
 * wants one free block again. look() proves around every operation that the figures of
 * the pool add up. The default pool is others' too, so its figures prove little; there
 * tlsf_ksize(), which rejects what is not allocated, tells whether a block is.
 *
 * Words used throughout: take and give are a checked allocation and a checked free; a
 * row is blocks that are physical neighbours; a pattern belongs to a seed.
 */
#include <kunit/test.h>

#include <linux/bottom_half.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tlsf.h>
#include <linux/workqueue.h>

#define POOL_NAME	"kunit"
#define POOL_BYTES	(64UL << 10)
#define SMALLEST_POOL	(16UL << 10)
#define HEADER		sizeof(void *)		/* what the allocator adds to each block */
#define SMALLEST_BLOCK	(3 * HEADER)		/* usable bytes of it */
#define QUIET		(GFP_NOWAIT | __GFP_NOWARN)

/* the parameters name_cases[] of struct name_case, whose member name describes each */
#define PARAM_TABLE(name_)							\
	static void name_##_desc(const struct name_##_case *p, char *desc)		\
	{									\
		strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);			\
	}									\
	KUNIT_ARRAY_PARAM(name_, name_##_cases, name_##_desc)

/* ---- patterns: no two offsets near each other look alike ---- */

static u8 pattern_byte(unsigned int seed, size_t i)
{
	return seed + i + (i >> 8);
}

static void pattern_fill(void *block, unsigned int seed, size_t size)
{
	u8 *byte = block;
	size_t i;

	for (i = 0; i < size; i++)
		byte[i] = pattern_byte(seed, i);
}

/* how many bytes from the start hold the pattern: @size when all is well */
static size_t pattern_kept(const void *block, unsigned int seed, size_t size)
{
	const u8 *byte = block;
	size_t i = 0;

	while (i < size && byte[i] == pattern_byte(seed, i))
		i++;
	return i;
}

/* ---- a pool for each test ---- */

struct fixture {
	struct tlsf_pool *pool;
	struct tlsf_pool_stats empty;
};

static int pool_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->pool = tlsf_pool_create(POOL_NAME, POOL_BYTES);
	if (IS_ERR(f->pool))
		return PTR_ERR(f->pool);
	tlsf_pool_stats(f->pool, &f->empty);
	test->priv = f;
	return 0;
}

static struct tlsf_pool *pool_of(struct kunit *test)
{
	const struct fixture *f = test->priv;

	return f->pool;
}

/* one look at the pool; what is neither used nor free is one header for each block */
static struct tlsf_pool_stats look(struct kunit *test)
{
	const struct fixture *f = test->priv;
	struct tlsf_pool_stats s;

	tlsf_pool_stats(f->pool, &s);
	KUNIT_EXPECT_EQ(test, s.used_bytes + s.free_bytes + s.overhead_bytes, s.pool_bytes);
	KUNIT_EXPECT_EQ(test, s.overhead_bytes - f->empty.overhead_bytes,
			(s.used_blocks + s.free_blocks - 1) * HEADER);
	KUNIT_EXPECT_EQ(test, s.allocs - s.frees, s.used_blocks);
	KUNIT_EXPECT_GE(test, s.high_water, s.used_bytes);
	KUNIT_EXPECT_LE(test, s.largest_free, s.free_bytes);
	return s;
}

/* nothing is allocated, and all that was freed has been merged */
static void pool_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct tlsf_pool_stats s;

	if (!f)
		return;
	s = look(test);
	KUNIT_EXPECT_EQ(test, s.used_blocks, 0);
	KUNIT_EXPECT_EQ(test, s.free_blocks, 1);
	KUNIT_EXPECT_EQ(test, s.free_bytes, f->empty.free_bytes);
	tlsf_pool_destroy(f->pool);
}

/* the blocks are as they were at @before; only events may have been counted since */
static struct tlsf_pool_stats look_unchanged(struct kunit *test,
					     const struct tlsf_pool_stats *before)
{
	struct tlsf_pool_stats s = look(test);

	KUNIT_EXPECT_EQ(test, s.used_bytes, before->used_bytes);
	KUNIT_EXPECT_EQ(test, s.used_blocks, before->used_blocks);
	KUNIT_EXPECT_EQ(test, s.free_bytes, before->free_bytes);
	KUNIT_EXPECT_EQ(test, s.free_blocks, before->free_blocks);
	KUNIT_EXPECT_EQ(test, s.largest_free, before->largest_free);
	KUNIT_EXPECT_EQ(test, s.allocs, before->allocs);
	KUNIT_EXPECT_EQ(test, s.frees, before->frees);
	KUNIT_EXPECT_EQ(test, s.resizes, before->resizes);
	return s;
}

static size_t usable(struct kunit *test, const void *block)
{
	return tlsf_pool_ksize(pool_of(test), block);
}

/* aligned; no smaller than asked for, nor larger by what could be another block */
static void expect_block(struct kunit *test, const void *block, size_t align, size_t size)
{
	size_t bytes = usable(test, block);

	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)block, align));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)block, TLSF_MINALIGN));
	KUNIT_EXPECT_GE(test, bytes, size);
	KUNIT_EXPECT_LT(test, bytes, max(size, SMALLEST_BLOCK) + HEADER + SMALLEST_BLOCK + HEADER);
}

/* noinline: the compiler must forget @size, since tests write all usable bytes */
static noinline void *take_aligned(struct kunit *test, size_t align, size_t size, gfp_t flags)
{
	struct tlsf_pool_stats before = look(test), after;
	void *block = tlsf_pool_memalign(pool_of(test), align, size, flags | QUIET);

	KUNIT_ASSERT_FALSE(test, ZERO_OR_NULL_PTR(block));
	expect_block(test, block, align, size);
	after = look(test);
	KUNIT_EXPECT_EQ(test, after.used_blocks, before.used_blocks + 1);
	KUNIT_EXPECT_EQ(test, after.used_bytes, before.used_bytes + usable(test, block));
	return block;
}

static void *take(struct kunit *test, size_t size)
{
	return take_aligned(test, TLSF_MINALIGN, size, 0);
}

static void give(struct kunit *test, const void *block)
{
	struct tlsf_pool_stats before = look(test), after;
	size_t bytes = usable(test, block);

	tlsf_pool_free(pool_of(test), block);
	after = look(test);
	KUNIT_EXPECT_EQ(test, after.frees, before.frees + 1);
	KUNIT_EXPECT_EQ(test, after.used_bytes, before.used_bytes - bytes);
	KUNIT_EXPECT_EQ(test, after.bad_frees, before.bad_frees);
}

/* a checked resize that succeeds; the block may have moved */
static noinline void *retake(struct kunit *test, void *block, size_t align, size_t size,
			     gfp_t flags)
{
	struct tlsf_pool_stats before = look(test), after;
	size_t bytes = usable(test, block);

	block = tlsf_pool_realloc_align(pool_of(test), block, align, size, flags | QUIET);
	KUNIT_ASSERT_FALSE(test, ZERO_OR_NULL_PTR(block));
	expect_block(test, block, TLSF_MINALIGN, size);
	after = look(test);
	KUNIT_EXPECT_EQ(test, after.used_blocks, before.used_blocks);
	KUNIT_EXPECT_EQ(test, after.used_bytes, before.used_bytes - bytes + usable(test, block));
	return block;
}

/* all usable bytes for the caller, as FORTIFY_SOURCE has to be told: nothing moves */
static void *claim(struct kunit *test, void *block)
{
	struct tlsf_pool_stats before = look(test), after;
	void *same = tlsf_pool_realloc(pool_of(test), block, usable(test, block), QUIET);

	KUNIT_ASSERT_PTR_EQ(test, same, block);
	after = look(test);
	KUNIT_EXPECT_EQ(test, after.used_bytes, before.used_bytes);
	KUNIT_EXPECT_EQ(test, after.free_bytes, before.free_bytes);
	return same;
}

/* leave 0xa5 in every byte that the pool can hand out at once */
static void dirty_pool(struct kunit *test)
{
	size_t all = look(test).max_request;
	void *block = take(test, all);

	memset(block, 0xa5, all);
	give(test, block);
}

/* blocks that hang together by their first word, newest first */
struct chain {
	struct chain *next;
};

static struct chain *take_all(struct kunit *test, size_t size)
{
	struct chain *head = NULL, *c;

	for (;;) {
		c = tlsf_pool_alloc(pool_of(test), size, QUIET);
		if (!c)
			return head;
		c->next = head;
		head = c;
	}
}

static void give_all(struct kunit *test, struct chain *head)
{
	struct chain *next;

	for (; head; head = next) {
		next = head->next;
		tlsf_pool_free(pool_of(test), head);
	}
}

/* ---- allocate ---- */

struct good_size_case {
	const char *name;
	size_t size;
};

static const struct good_size_case good_size_cases[] = {
	{ "1 byte", 1 },
	{ "smallest block", 24 },
	{ "one more than the smallest block", 25 },
	{ "69 bytes, the paper's example", 69 },
	{ "power of two", 1024 },
	{ "most of the pool", 50000 },
};

PARAM_TABLE(good_size);

static void alloc_gives_the_bytes_asked_for(struct kunit *test)
{
	const struct good_size_case *p = test->param_value;
	void *first = take(test, 8), *block = take(test, p->size), *last = take(test, 8);
	size_t bytes = usable(test, block);

	first = claim(test, first);
	last = claim(test, last);
	block = claim(test, block);
	pattern_fill(first, 1, usable(test, first));
	pattern_fill(last, 3, usable(test, last));
	pattern_fill(block, 2, bytes);
	KUNIT_EXPECT_EQ(test, pattern_kept(block, 2, bytes), bytes);
	KUNIT_EXPECT_EQ(test, pattern_kept(first, 1, 8), 8);
	KUNIT_EXPECT_EQ(test, pattern_kept(last, 3, 8), 8);
	give(test, first);
	give(test, last);
	give(test, block);
}

static void alloc_with_gfp_zero_zeroes_all_usable_bytes(struct kunit *test)
{
	const struct good_size_case *p = test->param_value;
	size_t align;
	void *block;

	for (align = 1; align <= 256; align *= 4) {
		dirty_pool(test);
		block = take_aligned(test, align, p->size, __GFP_ZERO);
		block = claim(test, block);
		KUNIT_EXPECT_NULL(test, memchr_inv(block, 0, usable(test, block)));
		give(test, block);
	}
}

static void nothing_asked_for_gives_zero_size_ptr(struct kunit *test)
{
	struct tlsf_pool *pool = pool_of(test);
	struct tlsf_pool_stats before = look(test);

	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_alloc(pool, 0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_alloc(pool, 0, QUIET | __GFP_ZERO), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_memalign(pool, 64, 0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_realloc(pool, NULL, 0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_realloc(pool, ZERO_SIZE_PTR, 0, QUIET),
			    ZERO_SIZE_PTR);
	look_unchanged(test, &before);
}

static void null_and_zero_size_ptr_are_freed_in_silence(struct kunit *test)
{
	struct tlsf_pool *pool = pool_of(test);
	struct tlsf_pool_stats before = look(test);

	tlsf_pool_free(pool, NULL);
	tlsf_pool_free(pool, ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, tlsf_pool_ksize(pool, NULL), 0);
	KUNIT_EXPECT_EQ(test, tlsf_pool_ksize(pool, ZERO_SIZE_PTR), 0);
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 0);
}

struct huge_size_case {
	const char *name;
	size_t size;
};

static const struct huge_size_case huge_size_cases[] = {
	{ "the pool with its control structure", POOL_BYTES },
	{ "more than the pool", POOL_BYTES + 1 },
	{ "sign bit", SIZE_MAX / 2 + 1 },
	{ "header wraps round to zero", SIZE_MAX - HEADER + 1 },
	{ "rounding up wraps round", SIZE_MAX - 2 * HEADER + 2 },
	{ "SIZE_MAX - 1", SIZE_MAX - 1 },
	{ "SIZE_MAX", SIZE_MAX },
};

PARAM_TABLE(huge_size);

static void more_than_the_pool_is_refused(struct kunit *test)
{
	const struct huge_size_case *p = test->param_value;
	struct tlsf_pool *pool = pool_of(test);
	struct tlsf_pool_stats before = look(test);

	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool, p->size, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool, p->size, QUIET | __GFP_ZERO));
	KUNIT_EXPECT_NULL(test, tlsf_pool_memalign(pool, 64, p->size, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc(pool, NULL, p->size, QUIET));
	look_unchanged(test, &before);
}

struct good_align_case {
	const char *name;
	size_t align;
};

static const struct good_align_case good_align_cases[] = {
	{ "1", 1 }, { "2", 2 }, { "8", 8 }, { "16", 16 }, { "32", 32 }, { "64", 64 },
	{ "512", 512 }, { "page", PAGE_SIZE }, { "a quarter of the pool", POOL_BYTES / 4 },
};

PARAM_TABLE(good_align);

static void memalign_gives_multiples_of_the_alignment(struct kunit *test)
{
	const struct good_align_case *p = test->param_value;
	void *odd = take(test, 8), *block[3];
	static const size_t size[] = { 1, 100, 4000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(block); i++) {
		block[i] = take_aligned(test, p->align, size[i], 0);
		pattern_fill(block[i], i, size[i]);
	}
	for (i = 0; i < ARRAY_SIZE(block); i++) {
		KUNIT_EXPECT_EQ(test, pattern_kept(block[i], i, size[i]), size[i]);
		give(test, block[i]);
	}
	give(test, odd);
}

struct bad_align_case {
	const char *name;
	size_t align;
};

static const struct bad_align_case bad_align_cases[] = {
	{ "0", 0 },
	{ "3", 3 },
	{ "24", 24 },
	{ "one less than a power of two", 4095 },
	{ "the pool", POOL_BYTES },
	{ "larger than the pool", 2 * POOL_BYTES },
	{ "largest power of two", SIZE_MAX / 2 + 1 },
	{ "SIZE_MAX", SIZE_MAX },
};

PARAM_TABLE(bad_align);

static void memalign_refuses_other_alignments(struct kunit *test)
{
	const struct bad_align_case *p = test->param_value;
	struct tlsf_pool_stats before = look(test);

	KUNIT_EXPECT_NULL(test, tlsf_pool_memalign(pool_of(test), p->align, 100, QUIET));
	look_unchanged(test, &before);
}

/* ---- full pools ---- */

static void whole_empty_pool_is_one_request(struct kunit *test)
{
	struct tlsf_pool_stats s = look(test);
	void *block;

	KUNIT_EXPECT_EQ(test, s.max_request, s.free_bytes);
	KUNIT_EXPECT_EQ(test, s.max_request, s.largest_free);
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool_of(test), s.max_request + 1, QUIET));
	block = take(test, s.max_request);
	s = look(test);
	KUNIT_EXPECT_EQ(test, s.free_blocks, 0);
	KUNIT_EXPECT_EQ(test, s.largest_free, 0);
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool_of(test), 1, QUIET));
	give(test, block);
}

static void full_pool_serves_again_what_was_just_freed(struct kunit *test)
{
	const struct good_size_case *p = test->param_value;
	struct tlsf_pool *pool = pool_of(test);
	struct chain *all = take_all(test, p->size), *c, *next;

	for (c = all; c && c->next; c = c->next) {
		next = c->next->next;
		give(test, c->next);
		c->next = take(test, p->size);
		c->next->next = next;
	}
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool, p->size, QUIET));
	give_all(test, all);
}

static void realloc_to_ksize_takes_nothing_from_a_full_pool(struct kunit *test)
{
	const struct good_size_case *p = test->param_value;
	struct chain *all = take_all(test, p->size), *rest = take_all(test, 1), *c;

	for (c = all; c; c = c->next)
		KUNIT_ASSERT_PTR_EQ(test, claim(test, c), (void *)c);
	for (c = rest; c; c = c->next)
		KUNIT_ASSERT_PTR_EQ(test, claim(test, c), (void *)c);
	give_all(test, all);
	give_all(test, rest);
}

static void largest_free_is_what_can_be_had(struct kunit *test)
{
	void *low = take(test, 5000), *wall = take(test, 8), *block;
	struct tlsf_pool_stats s;

	give(test, low);
	s = look(test);
	KUNIT_EXPECT_EQ(test, s.free_blocks, 2);
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool_of(test), s.largest_free + 1, QUIET));
	block = take(test, s.largest_free);
	KUNIT_EXPECT_EQ(test, look(test).free_blocks, 1);
	give(test, block);
	give(test, wall);
}

static void too_little_memory_counts_as_exhausted(struct kunit *test)
{
	void *block = take(test, POOL_BYTES / 4 * 3);
	struct tlsf_pool_stats before = look(test), after;

	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool_of(test), before.free_bytes + 1, QUIET));
	after = look_unchanged(test, &before);
	KUNIT_EXPECT_EQ(test, after.fail_exhausted, before.fail_exhausted + 1);
	KUNIT_EXPECT_EQ(test, after.fail_fragmented, before.fail_fragmented);
	give(test, block);
}

static void too_small_pieces_count_as_fragmented(struct kunit *test)
{
	struct chain *all = take_all(test, 1000), *c;
	struct tlsf_pool_stats before, after;
	struct chain *hole;

	for (c = all; c && c->next; c = c->next) {
		hole = c->next;
		c->next = hole->next;
		give(test, hole);
		if (!c->next)
			break;
	}
	before = look(test);
	KUNIT_ASSERT_GT(test, before.free_bytes, 3000);
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool_of(test), 3000, QUIET));
	after = look_unchanged(test, &before);
	KUNIT_EXPECT_EQ(test, after.fail_fragmented, before.fail_fragmented + 1);
	KUNIT_EXPECT_EQ(test, after.fail_exhausted, before.fail_exhausted);
	give_all(test, all);
}

static void high_water_stays_when_blocks_go(struct kunit *test)
{
	void *block = take(test, 10000);
	struct tlsf_pool_stats s = look(test);
	u64 high = s.used_bytes + s.used_blocks * sizeof(long);		/* with headers */

	give(test, block);
	KUNIT_EXPECT_EQ(test, look(test).high_water, high);
	block = take(test, 5000);
	KUNIT_EXPECT_EQ(test, look(test).high_water, high);
	give(test, block);
}

/* ---- resize ---- */

enum { BELOW, BLOCK, ABOVE, WALL, ROW };

/* the block is larger than its neighbours: moved into one, it overlaps itself */
static const size_t row_size[ROW] = { 64, 1024, 64, 64 };

/* physical neighbours, each filled with its index as the seed */
static void take_row(struct kunit *test, void *row[ROW])
{
	unsigned int i;

	for (i = 0; i < ROW; i++) {
		row[i] = take(test, row_size[i]);
		pattern_fill(row[i], i, row_size[i]);
		if (i)
			KUNIT_ASSERT_PTR_EQ(test, row[i], row[i - 1] + row_size[i - 1] + HEADER);
	}
}

/* the live neighbours of the block have kept their contents; give all back */
static void give_row(struct kunit *test, void *row[ROW])
{
	unsigned int i;

	for (i = 0; i < ROW; i++) {
		if (!row[i])
			continue;
		if (i != BLOCK)
			KUNIT_EXPECT_EQ(test, pattern_kept(row[i], i, row_size[i]), row_size[i]);
		give(test, row[i]);
	}
}

struct resize_case {
	const char *name;
	bool free_below;
	bool free_above;
	size_t size;
	enum { STAYS, MOVES_BELOW, MOVES_AWAY } outcome;
};

static const struct resize_case resize_cases[] = {
	{ "same size", false, false, 1024, STAYS },
	{ "smaller", false, false, 500, STAYS },
	{ "smaller by less than a block", false, false, 1010, STAYS },
	{ "smaller beside free neighbours", true, true, 500, STAYS },
	{ "into the block above", false, true, 1080, STAYS },
	{ "all of the block above", false, true, 1024 + 64 + HEADER, STAYS },
	{ "upwards rather than downwards", true, true, 1080, STAYS },
	{ "into the block below", true, false, 1080, MOVES_BELOW },
	{ "all of the block below", true, false, 1024 + 64 + HEADER, MOVES_BELOW },
	{ "into both neighbours", true, true, 1120, MOVES_BELOW },
	{ "all of both neighbours", true, true, 1024 + 2 * (64 + HEADER), MOVES_BELOW },
	{ "away from live neighbours", false, false, 1080, MOVES_AWAY },
	{ "away from neighbours too small", true, true, 2000, MOVES_AWAY },
};

PARAM_TABLE(resize);

static void resize_in_row(struct kunit *test, const struct resize_case *p, void *row[ROW],
			  gfp_t flags)
{
	void *block = row[BLOCK], *below = row[BELOW];

	if (p->free_below) {
		give(test, row[BELOW]);
		row[BELOW] = NULL;
	}
	if (p->free_above) {
		give(test, row[ABOVE]);
		row[ABOVE] = NULL;
	}
	row[BLOCK] = retake(test, block, TLSF_MINALIGN, p->size, flags);
	if (p->outcome == STAYS)
		KUNIT_EXPECT_PTR_EQ(test, row[BLOCK], block);
	else if (p->outcome == MOVES_BELOW)
		KUNIT_EXPECT_PTR_EQ(test, row[BLOCK], below);
	else
		KUNIT_EXPECT_TRUE(test, row[BLOCK] < below || row[BLOCK] > row[WALL]);
}

static void realloc_keeps_the_contents(struct kunit *test)
{
	const struct resize_case *p = test->param_value;
	size_t kept = min_t(size_t, p->size, row_size[BLOCK]);
	void *row[ROW];

	take_row(test, row);
	resize_in_row(test, p, row, 0);
	KUNIT_EXPECT_EQ(test, pattern_kept(row[BLOCK], BLOCK, kept), kept);
	give_row(test, row);
}

static void realloc_with_gfp_zero_zeroes_what_is_new(struct kunit *test)
{
	const struct resize_case *p = test->param_value;
	size_t kept = min_t(size_t, p->size, row_size[BLOCK]);
	size_t bytes;
	void *row[ROW];

	dirty_pool(test);
	take_row(test, row);
	resize_in_row(test, p, row, __GFP_ZERO);
	KUNIT_EXPECT_EQ(test, pattern_kept(row[BLOCK], BLOCK, kept), kept);
	bytes = usable(test, row[BLOCK]);
	row[BLOCK] = claim(test, row[BLOCK]);
	if (p->size > row_size[BLOCK])
		KUNIT_EXPECT_NULL(test, memchr_inv(row[BLOCK] + kept, 0, bytes - kept));
	give_row(test, row);
}

static void realloc_to_a_smaller_size_gives_back_the_rest(struct kunit *test)
{
	void *block = take(test, 20000);
	struct tlsf_pool_stats before = look(test), after;

	block = retake(test, block, TLSF_MINALIGN, 10000, 0);
	after = look(test);
	KUNIT_EXPECT_EQ(test, after.free_bytes, before.free_bytes + 10000);
	KUNIT_EXPECT_EQ(test, after.resizes, before.resizes + 1);
	give(test, block);
}

static void realloc_of_nothing_allocates(struct kunit *test)
{
	struct tlsf_pool *pool = pool_of(test);
	void *p = tlsf_pool_realloc(pool, NULL, 100, QUIET);
	void *q = tlsf_pool_realloc(pool, ZERO_SIZE_PTR, 100, QUIET);

	KUNIT_EXPECT_GE(test, tlsf_pool_ksize(pool, p), 100);
	KUNIT_EXPECT_GE(test, tlsf_pool_ksize(pool, q), 100);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	tlsf_pool_free(pool, p);
	tlsf_pool_free(pool, q);
}

static void realloc_to_nothing_frees(struct kunit *test)
{
	struct tlsf_pool *pool = pool_of(test);
	void *block = take(test, 100);

	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_realloc(pool, block, 0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, look(test).used_blocks, 0);
	KUNIT_EXPECT_EQ(test, look(test).frees, 1);
}

/* no other block has room for @size, and the block is walled in */
static void realloc_that_fails_keeps_the_block(struct kunit *test)
{
	const struct huge_size_case *p = test->param_value;
	struct tlsf_pool *pool = pool_of(test);
	void *block = take(test, 1000);
	struct chain *rest = take_all(test, 24);
	struct tlsf_pool_stats before = look(test);
	size_t bytes = usable(test, block);

	block = claim(test, block);
	before = look(test);
	pattern_fill(block, 7, bytes);
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc(pool, block, p->size, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc(pool, block, 1100, QUIET | __GFP_ZERO));
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc_align(pool, block, 64, 1100, QUIET));
	look_unchanged(test, &before);
	KUNIT_EXPECT_EQ(test, usable(test, block), bytes);
	KUNIT_EXPECT_EQ(test, pattern_kept(block, 7, bytes), bytes);
	give_all(test, rest);
	give(test, block);
}

static void realloc_align_keeps_the_alignment(struct kunit *test)
{
	const struct good_align_case *p = test->param_value;
	void *block = take_aligned(test, p->align, 50, 0), *wall[8];
	size_t size = 50;
	unsigned int i;

	pattern_fill(block, 1, size);
	for (i = 0; i < ARRAY_SIZE(wall); i++, size *= 2) {
		wall[i] = take(test, 8);
		block = retake(test, block, p->align, 2 * size, 0);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)block, p->align));
		KUNIT_EXPECT_EQ(test, pattern_kept(block, 1, size), size);
		pattern_fill(block, 1, 2 * size);
	}
	for (i = 0; i < ARRAY_SIZE(wall); i++)
		give(test, wall[i]);
	give(test, block);
}

static void realloc_align_downwards_keeps_the_alignment(struct kunit *test)
{
	void *odd = take(test, 40), *below = take(test, 1000);
	void *block = take_aligned(test, 256, 500, 0), *wall = take(test, 8000);
	void *moved;

	pattern_fill(block, 1, 500);
	give(test, below);
	moved = retake(test, block, 256, 900, 0);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)moved, 256));
	KUNIT_EXPECT_TRUE(test, moved > odd && moved < block);
	KUNIT_EXPECT_EQ(test, pattern_kept(moved, 1, 500), 500);
	give(test, moved);
	give(test, wall);
	give(test, odd);
}

static void realloc_align_refuses_other_alignments(struct kunit *test)
{
	const struct bad_align_case *p = test->param_value;
	void *block = take(test, 100), *wall = take(test, 8);
	struct tlsf_pool_stats before = look(test);

	pattern_fill(block, 1, 100);
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc_align(pool_of(test), block, p->align, 1000,
							QUIET));
	look_unchanged(test, &before);
	KUNIT_EXPECT_EQ(test, pattern_kept(block, 1, 100), 100);
	give(test, block);
	give(test, wall);
}

/* ---- pointers that are no blocks ---- */

static void *pointer_to_slab(struct kunit *test, void *block)
{
	return kunit_kmalloc(test, 64, GFP_KERNEL);
}

static void *pointer_to_user_space(struct kunit *test, void *block)
{
	return (void *)PAGE_SIZE;
}

static void *pointer_to_the_last_byte(struct kunit *test, void *block)
{
	return (void *)ULONG_MAX;
}

static void *pointer_to_the_pool_itself(struct kunit *test, void *block)
{
	return pool_of(test);
}

static void *pointer_past_the_pool(struct kunit *test, void *block)
{
	return block + POOL_BYTES;
}

static void *pointer_to_the_header(struct kunit *test, void *block)
{
	return block - HEADER;
}

static void *pointer_misaligned(struct kunit *test, void *block)
{
	return block + 1;
}

static void *pointer_inside_over_pattern(struct kunit *test, void *block)
{
	return block + 2 * HEADER;
}

static void *pointer_inside_over_zeroes(struct kunit *test, void *block)
{
	memset(block + 100, 0, 100);
	return PTR_ALIGN(block + 150, HEADER);
}

static void *pointer_inside_over_ones(struct kunit *test, void *block)
{
	memset(block + 100, 0xff, 100);
	return PTR_ALIGN(block + 150, HEADER);
}

struct bad_pointer_case {
	const char *name;
	void *(*make)(struct kunit *test, void *block);
};

static const struct bad_pointer_case bad_pointer_cases[] = {
	{ "slab memory", pointer_to_slab },
	{ "user space", pointer_to_user_space },
	{ "last byte of memory", pointer_to_the_last_byte },
	{ "struct tlsf_pool", pointer_to_the_pool_itself },
	{ "past the pool", pointer_past_the_pool },
	{ "header of a block", pointer_to_the_header },
	{ "misaligned", pointer_misaligned },
	{ "inside a block, over a pattern", pointer_inside_over_pattern },
	{ "inside a block, over zeroes", pointer_inside_over_zeroes },
	{ "inside a block, over ones", pointer_inside_over_ones },
};

PARAM_TABLE(bad_pointer);

static void pointer_that_is_no_block_is_rejected(struct kunit *test)
{
	const struct bad_pointer_case *p = test->param_value;
	struct tlsf_pool *pool = pool_of(test);
	struct tlsf_pool_stats before;
	void *row[ROW], *bad, *copy;

	take_row(test, row);
	bad = p->make(test, row[BLOCK]);
	copy = kunit_kmalloc(test, row_size[BLOCK], GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, row[BLOCK], row_size[BLOCK]);
	before = look(test);
	tlsf_pool_free(pool, bad);
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 1);
	KUNIT_EXPECT_EQ(test, tlsf_pool_ksize(pool, bad), 0);
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 1);
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc(pool, bad, 100, QUIET));
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 2);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_pool_realloc(pool, bad, 0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 3);
	KUNIT_EXPECT_EQ(test, memcmp(copy, row[BLOCK], row_size[BLOCK]), 0);
	give_row(test, row);
}

struct double_free_case {
	const char *name;
	bool free_below;
	bool free_above;
};

static const struct double_free_case double_free_cases[] = {
	{ "between live neighbours", false, false },
	{ "merged into the block below", true, false },
	{ "merged with the block above", false, true },
	{ "merged with both", true, true },
};

PARAM_TABLE(double_free);

static void freeing_twice_is_rejected(struct kunit *test)
{
	const struct double_free_case *p = test->param_value;
	struct tlsf_pool_stats before;
	void *row[ROW];

	take_row(test, row);
	if (p->free_below)
		give(test, row[BELOW]);
	if (p->free_above)
		give(test, row[ABOVE]);
	give(test, row[BLOCK]);
	before = look(test);
	tlsf_pool_free(pool_of(test), row[BLOCK]);
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 1);
	if (p->free_below)
		row[BELOW] = NULL;
	if (p->free_above)
		row[ABOVE] = NULL;
	row[BLOCK] = NULL;
	give_row(test, row);
}

/* the header of the block that was is still there, inside the one that is */
static void stale_pointer_into_a_new_block_is_rejected(struct kunit *test)
{
	struct tlsf_pool_stats before;
	void *row[ROW], *rest, *stale;

	take_row(test, row);
	rest = take(test, look(test).largest_free);
	stale = row[BLOCK];
	give(test, row[BELOW]);
	give(test, stale);
	row[BLOCK] = take(test, row_size[BELOW] + HEADER + row_size[BLOCK]);
	KUNIT_ASSERT_PTR_EQ(test, row[BLOCK], row[BELOW]);
	row[BELOW] = NULL;
	before = look(test);
	tlsf_pool_free(pool_of(test), stale);
	KUNIT_EXPECT_EQ(test, look_unchanged(test, &before).bad_frees, 1);
	give(test, rest);
	give_row(test, row);
}

/* ---- a damaged heap ---- */

/* written to after it was freed, and the next request that meets it is refused */
static void damage(struct kunit *test, struct tlsf_pool *pool)
{
	void *wall = tlsf_pool_alloc(pool, 8, QUIET);
	unsigned long *block = tlsf_pool_alloc(pool, 200, QUIET);

	KUNIT_ASSERT_NOT_NULL(test, wall);
	KUNIT_ASSERT_NOT_NULL(test, block);
	tlsf_pool_free(pool, block);
	OPTIMIZER_HIDE_VAR(block);
	block[0] = 0x41414141;
	block[1] = 0x41414141;
	KUNIT_EXPECT_FALSE(test, tlsf_pool_damaged(pool));
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool, 200, QUIET));
}

/* the pool's name tells who reads the log that this is on purpose */
static void damaged_pool_does_not_look_full(struct kunit *test)
{
	struct tlsf_pool *pool = tlsf_pool_create("damaged", SMALLEST_POOL);
	struct tlsf_pool_stats s;
	void *kept;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	kept = tlsf_pool_alloc(pool, 1000, QUIET);
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, s.damaged + s.fail_damaged, 0);
	damage(test, pool);
	KUNIT_EXPECT_TRUE(test, tlsf_pool_damaged(pool));
	KUNIT_EXPECT_NULL(test, tlsf_pool_alloc(pool, 8, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_pool_memalign(pool, 64, 8, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc(pool, NULL, 8, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_pool_realloc(pool, kept, 2000, QUIET));
	tlsf_pool_free(pool, kept);
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, s.damaged, 1);
	KUNIT_EXPECT_EQ(test, s.fail_damaged, 5);
	KUNIT_EXPECT_EQ(test, s.fail_exhausted + s.fail_fragmented + s.fail_busy, 0);
	KUNIT_EXPECT_EQ(test, s.used_blocks, 1);	/* the wall */
	KUNIT_EXPECT_FALSE(test, tlsf_pool_damaged(pool_of(test)));
	KUNIT_EXPECT_FALSE(test, tlsf_pool_damaged(NULL));
	tlsf_pool_destroy(pool);
}

/* ---- creating pools ---- */

struct bad_name_case {
	const char *name;
	const char *arg;
	int err;
};

static const struct bad_name_case bad_name_cases[] = {
	{ "NULL", NULL, -EINVAL },
	{ "empty", "", -EINVAL },
	{ "16 characters", "0123456789abcdef", -EINVAL },
	{ "slash", "a/b", -EINVAL },
	{ "this directory", ".", -EINVAL },
	{ "directory above", "..", -EINVAL },
	{ "name of the default pool", "default", -EEXIST },
	{ "name in use", POOL_NAME, -EEXIST },
};

PARAM_TABLE(bad_name);

static void create_refuses_bad_names(struct kunit *test)
{
	const struct bad_name_case *p = test->param_value;
	struct tlsf_pool *pool = tlsf_pool_create(p->arg, SMALLEST_POOL);

	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), p->err);
	tlsf_pool_destroy(pool);
}

struct bad_size_case {
	const char *name;
	size_t size;
};

static const struct bad_size_case bad_size_cases[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "one less than the smallest", SMALLEST_POOL - 1 },
	{ "one more than the largest", (size_t)((1ULL << 35) + 1) },
	{ "rounding up wraps round", SIZE_MAX - 1 },
	{ "SIZE_MAX", SIZE_MAX },
};

PARAM_TABLE(bad_size);

static void create_refuses_bad_sizes(struct kunit *test)
{
	const struct bad_size_case *p = test->param_value;
	struct tlsf_pool *pool = tlsf_pool_create("kunit-size", p->size);

	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -EINVAL);
	tlsf_pool_destroy(pool);
}

static void create_refuses_more_than_the_machine_has(struct kunit *test)
{
	u64 ram = (u64)totalram_pages() << PAGE_SHIFT;
	struct tlsf_pool *pool;

	if (ram >= 1ULL << 35 || ram > SIZE_MAX / 4)
		kunit_skip(test, "%llu bytes of memory are more than a pool can have", ram);
	pool = tlsf_pool_create("kunit-ram", ram);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
	tlsf_pool_destroy(pool);
}

/* 8 MiB less than are available, where at least 16 are to be left */
static void create_leaves_the_machine_a_reserve(struct kunit *test)
{
	u64 bytes = ((u64)max(si_mem_available(), 0L) << PAGE_SHIFT) - SZ_8M;
	struct tlsf_pool *pool;

	if (bytes >= 1ULL << 35 || bytes > SIZE_MAX / 4)
		kunit_skip(test, "%llu bytes are more than a pool can have", bytes);
	pool = tlsf_pool_create("kunit-reserve", bytes);
	KUNIT_EXPECT_EQ(test, PTR_ERR(pool), -ENOMEM);
	tlsf_pool_destroy(pool);
}

static void create_rounds_up_to_whole_pages(struct kunit *test)
{
	struct tlsf_pool *pool = tlsf_pool_create("kunit-pages", SMALLEST_POOL + 1);
	struct tlsf_pool_stats s;

	KUNIT_ASSERT_FALSE(test, IS_ERR(pool));
	tlsf_pool_stats(pool, &s);
	KUNIT_EXPECT_EQ(test, s.pool_bytes, PAGE_ALIGN(SMALLEST_POOL + 1));
	tlsf_pool_destroy(pool);
}

static void name_is_free_again_after_destroy(struct kunit *test)
{
	static const char longest[] = "0123456789abcde";
	struct tlsf_pool *pool;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pool = tlsf_pool_create(longest, SMALLEST_POOL);
		KUNIT_EXPECT_FALSE(test, IS_ERR(pool));
		tlsf_pool_destroy(pool);
	}
}

static void destroy_takes_null_and_errors(struct kunit *test)
{
	tlsf_pool_destroy(NULL);
	tlsf_pool_destroy(ERR_PTR(-ENOMEM));
}

#define MANY	12

static void many_create(struct kunit *test, struct tlsf_pool *pool[MANY])
{
	char name[16];
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "kunit-%u", i);
		pool[i] = tlsf_pool_create(name, SMALLEST_POOL);
		KUNIT_EXPECT_FALSE(test, IS_ERR(pool[i]));
	}
}

static void many_pools_keep_apart(struct kunit *test)
{
	struct tlsf_pool *pool[MANY];
	struct tlsf_pool_stats s;
	void *block[MANY];
	unsigned int i;

	many_create(test, pool);
	for (i = 0; i < MANY && !IS_ERR(pool[i]); i++) {
		block[i] = tlsf_pool_alloc(pool[i], 5000, QUIET);
		KUNIT_EXPECT_NOT_NULL(test, block[i]);
		pattern_fill(block[i], i, block[i] ? 5000 : 0);
	}
	while (i--) {
		tlsf_pool_free(pool_of(test), block[i]);
		KUNIT_EXPECT_EQ(test, look(test).bad_frees, MANY - i);
		KUNIT_EXPECT_EQ(test, pattern_kept(block[i], i, 5000), 5000);
		tlsf_pool_free(pool[i], block[i]);
		tlsf_pool_stats(pool[i], &s);
		KUNIT_EXPECT_EQ(test, s.used_blocks, 0);
		KUNIT_EXPECT_EQ(test, s.bad_frees, 0);
	}
	for (i = 0; i < MANY; i++)
		tlsf_pool_destroy(pool[(i + MANY / 2) % MANY]);
}

/* ---- the default pool under slab's names ---- */

/* noinline: as take_aligned() */
static noinline void *default_take(struct kunit *test, void *block, size_t size)
{
	KUNIT_ASSERT_FALSE(test, ZERO_OR_NULL_PTR(block));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)block, TLSF_MINALIGN));
	KUNIT_EXPECT_GE(test, tlsf_ksize(block), size);
	return block;
}

static void default_give(struct kunit *test, const void *block)
{
	tlsf_kfree(block);
	KUNIT_EXPECT_EQ(test, tlsf_ksize(block), 0);
}

static void *default_claim(struct kunit *test, void *block, size_t *bytes)
{
	void *same;

	*bytes = tlsf_ksize(block);
	same = tlsf_krealloc(block, *bytes, QUIET);
	KUNIT_ASSERT_PTR_EQ(test, same, block);
	return same;
}

static void default_pool_serves_every_name(struct kunit *test)
{
	void *malloced = default_take(test, tlsf_kmalloc(100, QUIET), 100);
	void *aligned = default_take(test, tlsf_kmemalign(4096, 100, QUIET), 100);
	void *array = default_take(test, tlsf_kmalloc_array(10, 33, QUIET), 330);

	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((uintptr_t)aligned, 4096));
	pattern_fill(malloced, 1, 100);
	malloced = default_take(test, tlsf_krealloc(malloced, 5000, QUIET), 5000);
	KUNIT_EXPECT_EQ(test, pattern_kept(malloced, 1, 100), 100);
	default_give(test, malloced);
	default_give(test, aligned);
	default_give(test, array);
}

/* zeroes over what was dirtied a moment ago, where the pool serves the same block */
static void kzalloc_and_kcalloc_zero_all_usable_bytes(struct kunit *test)
{
	void *block = default_take(test, tlsf_kmalloc(990, QUIET), 990);
	size_t bytes;

	block = default_claim(test, block, &bytes);
	memset(block, 0xa5, bytes);
	default_give(test, block);
	block = default_take(test, tlsf_kzalloc(990, QUIET), 990);
	block = default_claim(test, block, &bytes);
	KUNIT_EXPECT_NULL(test, memchr_inv(block, 0, bytes));
	memset(block, 0xa5, bytes);
	default_give(test, block);
	block = default_take(test, tlsf_kcalloc(99, 10, QUIET), 990);
	block = default_claim(test, block, &bytes);
	KUNIT_EXPECT_NULL(test, memchr_inv(block, 0, bytes));
	default_give(test, block);
}

static void default_pool_takes_nothing_for_nothing(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, tlsf_kmalloc(0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_kzalloc(0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_kmalloc_array(0, 8, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_PTR_EQ(test, tlsf_kcalloc(8, 0, QUIET), ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, tlsf_ksize(NULL), 0);
	KUNIT_EXPECT_EQ(test, tlsf_ksize(ZERO_SIZE_PTR), 0);
	tlsf_kfree(NULL);
	tlsf_kfree(ZERO_SIZE_PTR);
	tlsf_kfree_sensitive(NULL);
	tlsf_kfree_sensitive(ZERO_SIZE_PTR);
}

struct array_case {
	const char *name;
	size_t n;
	size_t size;
};

static const struct array_case array_cases[] = {
	{ "product wraps round to 0", SIZE_MAX / 2 + 1, 2 },
	{ "product wraps round to 16", SIZE_MAX / 16 + 2, 16 },
	{ "SIZE_MAX elements of 2 bytes", SIZE_MAX, 2 },
	{ "2 elements of SIZE_MAX bytes", 2, SIZE_MAX },
	{ "SIZE_MAX of SIZE_MAX", SIZE_MAX, SIZE_MAX },
	{ "no overflow, but over the pool", SIZE_MAX, 1 },
};

PARAM_TABLE(array);

static void array_that_overflows_is_refused(struct kunit *test)
{
	const struct array_case *p = test->param_value;

	KUNIT_EXPECT_NULL(test, tlsf_kmalloc_array(p->n, p->size, QUIET));
	KUNIT_EXPECT_NULL(test, tlsf_kcalloc(p->n, p->size, QUIET));
}

/*
 * A free block keeps its contents but for two links and a footer, addresses that may
 * have any byte; the next owner may look.
 */
static void kfree_sensitive_leaves_no_contents(struct kunit *test)
{
	void *block = default_take(test, tlsf_kmalloc(500, QUIET), 500);
	size_t bytes, links = 2 * sizeof(void *), footer = sizeof(void *);
	void *next;

	block = default_claim(test, block, &bytes);
	memset(block, 0xa5, bytes);
	tlsf_kfree_sensitive(block);
	KUNIT_EXPECT_EQ(test, tlsf_ksize(block), 0);
	next = default_take(test, tlsf_kmalloc(500, QUIET), 500);
	next = default_claim(test, next, &bytes);
	if (next == block)
		KUNIT_EXPECT_NULL(test, memchr_inv(next + links, 0, bytes - links - footer));
	else
		kunit_mark_skipped(test, "somebody else uses the default pool");
	default_give(test, next);
}

static void *leave_scope(struct kunit *test)
{
	void *block __free(tlsf_kfree) = tlsf_kmalloc(100, QUIET);

	return default_take(test, block, 100);
}

static void *leave_scope_with_the_block(struct kunit *test)
{
	void *block __free(tlsf_kfree) = tlsf_kmalloc(100, QUIET);

	default_take(test, block, 100);
	return_ptr(block);
}

static void cleanup_attribute_frees_at_the_end_of_the_scope(struct kunit *test)
{
	void *block = leave_scope(test);

	KUNIT_EXPECT_EQ(test, tlsf_ksize(block), 0);
	block = leave_scope_with_the_block(test);
	KUNIT_EXPECT_GE(test, tlsf_ksize(block), 100);
	default_give(test, block);
}

static u64 default_bad_frees(void)
{
	struct tlsf_pool_stats s;

	tlsf_pool_stats(NULL, &s);
	return s.bad_frees;
}

struct no_block_case {
	const char *name;
	void *ptr;
};

static const struct no_block_case no_block_cases[] = {
	{ "NULL", NULL },
	{ "ZERO_SIZE_PTR", ZERO_SIZE_PTR },
	{ "-ENOMEM", (void *)-ENOMEM },
	{ "first error", (void *)-1L },
	{ "last error", (void *)-MAX_ERRNO },
};

PARAM_TABLE(no_block);

/* as slab's; and what is counted as no bad free is not reported either */
static void cleanup_attribute_takes_null_and_errors(struct kunit *test)
{
	const struct no_block_case *p = test->param_value;
	u64 before = default_bad_frees();

	{
		void *block __free(tlsf_kfree) = p->ptr;
	}
	KUNIT_EXPECT_EQ(test, default_bad_frees(), before);
	tlsf_kfree(p->ptr);
	KUNIT_EXPECT_EQ(test, default_bad_frees(), before + IS_ERR(p->ptr));
}

static void kfree_sensitive_counts_bad_frees_as_kfree_does(struct kunit *test)
{
	const struct no_block_case *p = test->param_value;
	u64 before = default_bad_frees();

	tlsf_kfree_sensitive(p->ptr);
	KUNIT_EXPECT_EQ(test, default_bad_frees(), before + IS_ERR(p->ptr));
}

static void kfree_sensitive_twice_is_a_bad_free(struct kunit *test)
{
	void *block = default_take(test, tlsf_kmalloc(500, QUIET), 500);
	u64 before = default_bad_frees();

	tlsf_kfree_sensitive(block);
	KUNIT_EXPECT_EQ(test, default_bad_frees(), before);
	tlsf_kfree_sensitive(block);
	KUNIT_EXPECT_EQ(test, default_bad_frees(), before + 1);
}

/* ---- every context ---- */

/* what a driver does in one interrupt; KUnit's own macros may not be used there */
struct errand {
	struct tlsf_pool *pool;
	unsigned int done;
	unsigned int starved;		/* the pool had nothing to give */
	unsigned int wrong;		/* contents or size */
	bool there;			/* in the context it was meant for */
	struct irq_work irq_work;
	struct tasklet_struct tasklet;
};

static void errand_run(struct errand *e)
{
	u8 *block = tlsf_pool_alloc(e->pool, 40, QUIET | __GFP_ZERO), *larger;

	e->done++;
	if (!block) {
		e->starved++;
		return;
	}
	e->wrong += !!memchr_inv(block, 0, 40);
	pattern_fill(block, e->done, 40);
	larger = tlsf_pool_realloc(e->pool, block, 300, QUIET);
	e->starved += !larger;
	block = larger ?: block;
	e->wrong += pattern_kept(block, e->done, 40) != 40;
	e->wrong += tlsf_pool_ksize(e->pool, block) < (larger ? 300 : 40);
	tlsf_pool_free(e->pool, block);
}

static void errand_with_interrupts_off(struct errand *e)
{
	unsigned long flags;

	local_irq_save(flags);
	e->there = irqs_disabled();
	errand_run(e);
	local_irq_restore(flags);
}

static DEFINE_RAW_SPINLOCK(driver_lock);

static void errand_under_raw_spinlock(struct errand *e)
{
	raw_spin_lock(&driver_lock);
	e->there = true;
	errand_run(e);
	raw_spin_unlock(&driver_lock);
}

static void errand_under_raw_spinlock_irq(struct errand *e)
{
	raw_spin_lock_irq(&driver_lock);
	e->there = irqs_disabled();
	errand_run(e);
	raw_spin_unlock_irq(&driver_lock);
}

static void errand_tasklet(struct tasklet_struct *tasklet)
{
	struct errand *e = container_of(tasklet, struct errand, tasklet);

	e->there = in_serving_softirq();
	errand_run(e);
}

static void errand_in_softirq(struct errand *e)
{
	tasklet_setup(&e->tasklet, errand_tasklet);
	tasklet_schedule(&e->tasklet);
	tasklet_kill(&e->tasklet);
}

static void errand_irq_work(struct irq_work *irq_work)
{
	struct errand *e = container_of(irq_work, struct errand, irq_work);

	e->there = in_hardirq() && irqs_disabled();
	errand_run(e);
}

static void errand_in_hardirq(struct errand *e)
{
	e->irq_work = IRQ_WORK_INIT_HARD(errand_irq_work);
	irq_work_queue(&e->irq_work);
	irq_work_sync(&e->irq_work);
}

struct context_case {
	const char *name;
	void (*run)(struct errand *e);
};

static const struct context_case context_cases[] = {
	{ "interrupts off", errand_with_interrupts_off },
	{ "raw spinlock", errand_under_raw_spinlock },
	{ "raw spinlock, interrupts off", errand_under_raw_spinlock_irq },
	{ "softirq", errand_in_softirq },
	{ "hard interrupt", errand_in_hardirq },
};

PARAM_TABLE(context);

static void all_works_in_every_context(struct kunit *test)
{
	const struct context_case *p = test->param_value;
	struct errand *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	struct tlsf_pool_stats after;

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->pool = pool_of(test);
	p->run(e);
	KUNIT_EXPECT_TRUE(test, e->there);
	KUNIT_EXPECT_EQ(test, e->done, 1);
	KUNIT_EXPECT_EQ(test, e->starved, 0);
	KUNIT_EXPECT_EQ(test, e->wrong, 0);
	after = look(test);
	KUNIT_EXPECT_GT(test, after.allocs, 0);
	KUNIT_EXPECT_EQ(test, after.bad_frees, 0);
}

/* ---- two threads and their interrupts on one pool ---- */

#define HAMMERS		2
#define HAMMER_SLOTS	32
#define HAMMER_STEPS	10000
#define HAMMER_LARGEST	3000		/* all slots full are more than the pool */

struct slot {
	void *block;
	size_t size;
	unsigned int seed;
};

struct hammer {
	struct work_struct work;
	struct errand interrupt;
	u32 random;
	unsigned int served;
	unsigned int wrong;
	struct slot slot[HAMMER_SLOTS];
};

/* xorshift: the same steps on every run */
static u32 hammer_random(struct hammer *h)
{
	h->random ^= h->random << 13;
	h->random ^= h->random >> 17;
	h->random ^= h->random << 5;
	return h->random;
}

static void slot_verify(struct hammer *h, const struct slot *s, const void *block, size_t size)
{
	h->wrong += pattern_kept(block, s->seed, size) != size;
}

static void slot_free(struct hammer *h, struct slot *s)
{
	slot_verify(h, s, s->block, s->size);
	tlsf_pool_free(h->interrupt.pool, s->block);
	*s = (struct slot){};
}

/* allocates when the slot is empty; what cannot be had leaves the slot as it was */
static void slot_resize(struct hammer *h, struct slot *s, size_t size)
{
	void *block = tlsf_pool_realloc(h->interrupt.pool, s->block, size, QUIET);

	if (!block) {
		slot_verify(h, s, s->block, s->size);
		return;
	}
	slot_verify(h, s, block, min(size, s->size));
	*s = (struct slot){ block, size, hammer_random(h) };
	pattern_fill(block, s->seed, size);
	h->served++;
}

static void hammer_work(struct work_struct *work)
{
	struct hammer *h = container_of(work, struct hammer, work);
	unsigned int i;

	for (i = 0; i < HAMMER_STEPS; i++) {
		struct slot *s = &h->slot[hammer_random(h) % HAMMER_SLOTS];

		if (s->block && hammer_random(h) % 2)
			slot_free(h, s);
		else
			slot_resize(h, s, 1 + hammer_random(h) % HAMMER_LARGEST);
		if (i % 64 == 0)
			irq_work_queue(&h->interrupt.irq_work);
		cond_resched();
	}
	irq_work_sync(&h->interrupt.irq_work);
	for (i = 0; i < HAMMER_SLOTS; i++)
		slot_free(h, &h->slot[i]);
}

static void hammer_start(struct kunit *test, struct hammer *h, struct workqueue_struct *wq,
			 u32 seed)
{
	h->interrupt.pool = pool_of(test);
	h->interrupt.irq_work = IRQ_WORK_INIT_HARD(errand_irq_work);
	h->random = seed;
	INIT_WORK(&h->work, hammer_work);
	queue_work(wq, &h->work);
}

static void threads_and_interrupts_share_a_pool(struct kunit *test)
{
	struct hammer *h = kunit_kcalloc(test, HAMMERS, sizeof(*h), GFP_KERNEL);
	struct workqueue_struct *wq = alloc_workqueue("tlsf_kunit", WQ_UNBOUND, HAMMERS);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	for (i = 0; i < HAMMERS; i++)
		hammer_start(test, &h[i], wq, i + 1);
	destroy_workqueue(wq);		/* waits for both */
	for (i = 0; i < HAMMERS; i++) {
		KUNIT_EXPECT_GT(test, h[i].served, HAMMER_STEPS / 4);
		KUNIT_EXPECT_EQ(test, h[i].wrong, 0);
		KUNIT_EXPECT_GT(test, h[i].interrupt.done, 0);
		KUNIT_EXPECT_EQ(test, h[i].interrupt.wrong, 0);
	}
	KUNIT_EXPECT_EQ(test, look(test).bad_frees, 0);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_PARAM(alloc_gives_the_bytes_asked_for, good_size_gen_params),
	KUNIT_CASE_PARAM(alloc_with_gfp_zero_zeroes_all_usable_bytes, good_size_gen_params),
	KUNIT_CASE(nothing_asked_for_gives_zero_size_ptr),
	KUNIT_CASE(null_and_zero_size_ptr_are_freed_in_silence),
	KUNIT_CASE_PARAM(more_than_the_pool_is_refused, huge_size_gen_params),
	KUNIT_CASE_PARAM(memalign_gives_multiples_of_the_alignment, good_align_gen_params),
	KUNIT_CASE_PARAM(memalign_refuses_other_alignments, bad_align_gen_params),
	KUNIT_CASE(whole_empty_pool_is_one_request),
	KUNIT_CASE_PARAM(full_pool_serves_again_what_was_just_freed, good_size_gen_params),
	KUNIT_CASE_PARAM(realloc_to_ksize_takes_nothing_from_a_full_pool, good_size_gen_params),
	KUNIT_CASE(largest_free_is_what_can_be_had),
	KUNIT_CASE(too_little_memory_counts_as_exhausted),
	KUNIT_CASE(too_small_pieces_count_as_fragmented),
	KUNIT_CASE(high_water_stays_when_blocks_go),
	KUNIT_CASE_PARAM(realloc_keeps_the_contents, resize_gen_params),
	KUNIT_CASE_PARAM(realloc_with_gfp_zero_zeroes_what_is_new, resize_gen_params),
	KUNIT_CASE(realloc_to_a_smaller_size_gives_back_the_rest),
	KUNIT_CASE(realloc_of_nothing_allocates),
	KUNIT_CASE(realloc_to_nothing_frees),
	KUNIT_CASE_PARAM(realloc_that_fails_keeps_the_block, huge_size_gen_params),
	KUNIT_CASE_PARAM(realloc_align_keeps_the_alignment, good_align_gen_params),
	KUNIT_CASE(realloc_align_downwards_keeps_the_alignment),
	KUNIT_CASE_PARAM(realloc_align_refuses_other_alignments, bad_align_gen_params),
	KUNIT_CASE_PARAM(pointer_that_is_no_block_is_rejected, bad_pointer_gen_params),
	KUNIT_CASE_PARAM(freeing_twice_is_rejected, double_free_gen_params),
	KUNIT_CASE(stale_pointer_into_a_new_block_is_rejected),
	KUNIT_CASE(damaged_pool_does_not_look_full),
	KUNIT_CASE_PARAM(create_refuses_bad_names, bad_name_gen_params),
	KUNIT_CASE_PARAM(create_refuses_bad_sizes, bad_size_gen_params),
	KUNIT_CASE(create_refuses_more_than_the_machine_has),
	KUNIT_CASE(create_leaves_the_machine_a_reserve),
	KUNIT_CASE(create_rounds_up_to_whole_pages),
	KUNIT_CASE(name_is_free_again_after_destroy),
	KUNIT_CASE(destroy_takes_null_and_errors),
	KUNIT_CASE(many_pools_keep_apart),
	KUNIT_CASE(default_pool_serves_every_name),
	KUNIT_CASE(kzalloc_and_kcalloc_zero_all_usable_bytes),
	KUNIT_CASE(default_pool_takes_nothing_for_nothing),
	KUNIT_CASE_PARAM(array_that_overflows_is_refused, array_gen_params),
	KUNIT_CASE(kfree_sensitive_leaves_no_contents),
	KUNIT_CASE(cleanup_attribute_frees_at_the_end_of_the_scope),
	KUNIT_CASE_PARAM(cleanup_attribute_takes_null_and_errors, no_block_gen_params),
	KUNIT_CASE_PARAM(kfree_sensitive_counts_bad_frees_as_kfree_does, no_block_gen_params),
	KUNIT_CASE(kfree_sensitive_twice_is_a_bad_free),
	KUNIT_CASE_PARAM(all_works_in_every_context, context_gen_params),
	KUNIT_CASE(threads_and_interrupts_share_a_pool),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "tlsf_pool",
	.init = pool_init,
	.exit = pool_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);

MODULE_DESCRIPTION("KUnit suite of tlsf's pools, through the exported API");
MODULE_LICENSE("GPL");
