// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states that cost most, made on purpose.
 *
 * Room: wcet. What an operation costs depends on which lists are empty, how far
 * apart they are, where in its list a block stands, and whether there is a neighbour, a
 * gap, a rest, a new peak. Each state is built, used once and taken down. What does not
 * fit into a small target is left out: an allocation that fails gives NULL, and every
 * operation takes NULL.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "measure.h"

/* keeps two blocks from being neighbours; no hole of populate() serves it */
#define GUARD	32

/* blocks in the order in which they were allocated; free ones are NULL */
struct row {
	struct target *t;
	void *block[96];
	unsigned int nr;
};

static unsigned int put(struct row *r, size_t size)
{
	r->block[r->nr] = target_alloc(r->t, size);
	return r->nr++;
}

static void drop(struct row *r, unsigned int i)
{
	target_free(r->t, r->block[i]);
	r->block[i] = NULL;
}

static void level(struct row *r)
{
	r->block[r->nr++] = target_level(r->t);
}

/* a new peak, which the next free finds */
static void exceed(struct row *r)
{
	level(r);
	put(r, GUARD);
}

static void clear(struct row *r)
{
	while (r->nr)
		drop(r, --r->nr);
}

/* ---- where a free block stands in its list ---- */

enum place { ALONE, FIRST, LAST, BETWEEN, PLACES };

/* two blocks of its size, elsewhere, unless it is to be alone; the first of their numbers */
static unsigned int put_mates(struct row *r, size_t size, enum place place)
{
	unsigned int mates = r->nr;

	if (place == ALONE)
		return mates;
	put(r, size);
	put(r, GUARD);
	put(r, size);
	put(r, GUARD);
	return mates;
}

/* free block @i so that it stands at @place among its mates; the last freed is first */
static void settle(struct row *r, unsigned int i, unsigned int mates, enum place place)
{
	if (place == FIRST || place == BETWEEN)
		drop(r, mates);
	drop(r, i);
	if (place == LAST || place == BETWEEN)
		drop(r, mates + 2);
}

/*
 * Keep a free block of @size apart from all others: what is pushed on its list then finds a
 * head, which is held against the list. 0: none.
 */
static void meet(struct row *r, size_t size)
{
	unsigned int i;

	if (!size)
		return;
	i = put(r, size);
	put(r, GUARD);
	drop(r, i);
}

/* ---- allocate ---- */

/* one block is left of the target, far from the class asked for, and alone in its list */
static void small_from_giant(struct target *t, size_t size)
{
	struct row r = { .t = t };

	level(&r);
	put(&r, size);
	clear(&r);
}

/* the only block that serves is @from, in a list that it shares, or not */
static void small_from_block(struct target *t, size_t size, size_t from, enum place place)
{
	struct row r = { .t = t };
	unsigned int mates = put_mates(&r, from, place), i = put(&r, from);

	put(&r, GUARD);
	level(&r);
	settle(&r, i, mates, place);
	put(&r, size);
	clear(&r);
}

/*
 * The same with alignment, a gap below and a rest above; @shift moves where the block begins.
 */
static void aligned_from_block(struct target *t, size_t align, size_t size, size_t from,
			       size_t shift, enum place place)
{
	struct row r = { .t = t };
	unsigned int mates = put_mates(&r, from, place), i;

	put(&r, shift);
	i = put(&r, from);
	put(&r, GUARD);
	level(&r);
	settle(&r, i, mates, place);
	r.block[r.nr++] = target_memalign(t, align, size);
	clear(&r);
}

/* a gap below and a rest above; @shift moves where the giant begins */
static void aligned_from_giant(struct target *t, size_t align, size_t shift)
{
	struct row r = { .t = t };

	level(&r);
	put(&r, shift);
	r.block[r.nr++] = target_memalign(t, align, 40);
	clear(&r);
}

/* ---- free ---- */

/* both neighbours are free, of any classes, anywhere in their lists; @met see meet() */
static void free_between(struct target *t, const size_t size[3], enum place low, enum place high,
			 size_t met)
{
	struct row r = { .t = t };
	unsigned int low_mates = put_mates(&r, size[0], low);
	unsigned int high_mates = put_mates(&r, size[2], high);
	unsigned int i;

	meet(&r, met);
	i = put(&r, size[0]);
	put(&r, size[1]);
	put(&r, size[2]);
	put(&r, GUARD);
	settle(&r, i, low_mates, low);
	settle(&r, i + 2, high_mates, high);
	exceed(&r);
	drop(&r, i + 1);
	clear(&r);
}

/* ---- after a deferred free ---- */

/* three neighbours and a guard; the number of the first */
static unsigned int put_triple(struct row *r, const size_t size[3])
{
	unsigned int i = put(r, size[0]);

	put(r, size[1]);
	put(r, size[2]);
	put(r, GUARD);
	return i;
}

/* let the middle blocks of the @nr triples that begin at @first be deferred frees */
static void defer(struct row *r, const unsigned int first[], unsigned int nr)
{
	void *victim[1 + DRAIN_FAILING];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		victim[i] = r->block[first[i] + 1];
		r->block[first[i] + 1] = NULL;
	}
	r->block[r->nr++] = target_defer(r->t, victim, nr);
}

/*
 * What was deferred merges with both neighbours, and then so does what is freed, which is
 * of other classes, or a request is served from it. All are alone in their lists, or meet
 * one other there.
 */
static void drain_first(struct target *t, const size_t size[3], const size_t other[3],
			bool then_free, bool met)
{
	struct row r = { .t = t };
	unsigned int hole = put_triple(&r, (size_t [3]){ GUARD, GUARD, GUARD });
	unsigned int i = put_triple(&r, size), j = put_triple(&r, other);

	if (met)
		meet(&r, size[0] + size[1] + size[2] + 16);
	if (met && then_free)
		meet(&r, other[0] + other[1] + other[2] + 16);
	level(&r);
	drop(&r, hole);
	drop(&r, i);
	drop(&r, i + 2);
	if (then_free) {
		drop(&r, j);
		drop(&r, j + 2);
	}
	defer(&r, &i, 1);
	if (then_free)
		drop(&r, j + 1);
	else
		put(&r, 4 * GUARD);
	clear(&r);
}

/* ---- resize ---- */

/* into the free block above, all or some of it; and back; @met see meet() */
static void grow_into(struct target *t, size_t from, size_t above, size_t to, enum place place,
		      size_t met)
{
	struct row r = { .t = t };
	unsigned int mates = put_mates(&r, above, place), i;

	meet(&r, met);
	i = put(&r, from);
	put(&r, above);
	put(&r, GUARD);
	level(&r);
	settle(&r, i + 1, mates, place);
	r.block[i] = target_resize(t, r.block[i], to);
	r.block[i] = target_resize(t, r.block[i], from);
	clear(&r);
}

/* into the giant above, which is alone in its list */
static void grow_into_giant(struct target *t, size_t from, size_t to)
{
	struct row r = { .t = t };
	unsigned int i;

	level(&r);
	i = put(&r, from);
	r.block[i] = target_resize(t, r.block[i], to);
	r.block[i] = target_resize(t, r.block[i], from);
	clear(&r);
}

/* into both neighbours, with a gap that @align leaves below */
static void grow_both(struct target *t, const size_t size[3], size_t align, enum place place)
{
	struct row r = { .t = t };
	unsigned int mates = put_mates(&r, size[0], place), i;

	put(&r, 3 * GUARD);
	i = put(&r, size[0]);
	put(&r, size[1]);
	put(&r, size[2]);
	put(&r, GUARD);
	level(&r);
	settle(&r, i, mates, place);
	drop(&r, i + 2);
	r.block[i + 1] = target_grow_backward(t, r.block[i + 1], align, size[0] + size[1] + align);
	clear(&r);
}

/* ---- exhaustion ---- */

/* take all there is; each block leads to the one before */
static void **fill(struct target *t)
{
	void **chain = NULL, **more;
	size_t size;

	for (size = SZ_1G; size >= GUARD; size /= 2) {
		while ((more = target_alloc(t, size))) {
			*more = chain;
			chain = more;
		}
	}
	return chain;
}

static void drain(struct target *t, void **chain)
{
	while (chain) {
		void **next = *chain;

		target_free(t, chain);
		chain = next;
	}
}

/*
 * The last free block is in the request's own list, and only the look at its head finds
 * it; for eight bytes more that fails too.
 */
static void peek_in_full(struct target *t, size_t size, size_t align)
{
	struct row r = { .t = t };
	unsigned int i = put(&r, size);
	void **rest = fill(t);

	drop(&r, i);
	put(&r, size);
	drop(&r, i + 1);
	put(&r, size + 8);
	drop(&r, i + 2);
	r.block[r.nr++] = target_memalign(t, align, size - align - 24);
	clear(&r);
	drain(t, rest);
}

/*
 * The pool is full but for what was deferred, each of which merges with both neighbours; all
 * that an operation may take back it does, and no piece is large enough. Each neighbour is
 * alone in its list.
 */
static void drain_and_fail(struct target *t)
{
	struct row r = { .t = t };
	unsigned int i, first[1 + DRAIN_FAILING], hole;
	void **rest;

	hole = put_triple(&r, (size_t [3]){ GUARD, GUARD, GUARD });
	for (i = 0; i < ARRAY_SIZE(first); i++)
		first[i] = put_triple(&r, (size_t [3]){ 200 + 16 * i, 48, 600 + 40 * i });
	rest = fill(t);
	drop(&r, hole);
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		drop(&r, first[i]);
		drop(&r, first[i] + 2);
	}
	defer(&r, first, ARRAY_SIZE(first));
	put(&r, SZ_8K);
	clear(&r);
	drain(t, rest);
}

/* ---- all of them ---- */

/* each in another word of the bitmap */
static const size_t sizes[] = { 32, 528, SZ_2K, SZ_8K, SZ_128K };

/* the @i-th triple of sizes up to @most; false when there is none */
static bool triple(size_t size[3], unsigned int i, size_t most)
{
	unsigned int j, n = 0;

	while (n < ARRAY_SIZE(sizes) && sizes[n] <= most)
		n++;
	for (j = 0; j < 3; j++, i /= n)
		size[j] = sizes[i % n];
	return !i;
}

static void states_of_alloc(struct target *t, size_t most)
{
	enum place place;
	size_t i, j;

	for (i = 16; i <= most; i *= 2)
		small_from_giant(t, i);
	for (place = ALONE; place < PLACES; place++)
		for (i = 16; i <= most / 4; i *= 4)
			for (j = 2 * i; j <= most; j *= 4)
				small_from_block(t, i, j, place);
	for (i = 16; i <= most; i *= 2)
		for (j = 24; j <= 88; j += 8)
			aligned_from_giant(t, i, j);
	/* what is left goes into words of the bitmap that were empty, as was the request's own */
	for (place = ALONE; place < PLACES; place++) {
		small_from_block(t, 500, 1000, place);
		for (j = 32; j <= 544; j += 32)
			aligned_from_block(t, 512, 200, 4000, j, place);
	}
}

static void states_of_free(struct target *t, size_t most)
{
	enum place low, high;
	unsigned int i, met;
	size_t size[3];

	for (i = 0; triple(size, i, most); i++)
		for (low = ALONE; low < PLACES; low++)
			for (high = ALONE; high < PLACES; high++)
				for (met = 0; met < 2; met++)
					free_between(t, size, low, high,
						     met * (size[0] + size[1] + size[2] + 16));
}

static void states_of_draining(struct target *t)
{
	static const size_t mixed[][3] = { { 528, 80, SZ_8K }, { SZ_2K, 120, 6000 } };
	unsigned int i;

	for (i = 0; i < 8; i++)
		drain_first(t, mixed[i & 1], mixed[~i & 1], i & 2, i & 4);
}

static void states_of_resize(struct target *t, size_t most)
{
	enum place place;
	size_t from, to, size[3];
	unsigned int i;

	for (from = 24; from <= most / 2; from *= 2)
		for (to = 2 * from; to <= most; to *= 2)
			grow_into_giant(t, from, to);
	for (i = 0; triple(size, i, most); i++) {
		for (place = ALONE; place < PLACES; place++) {
			grow_into(t, size[0], size[1], size[0] + size[1] / 2, place, 0);
			grow_into(t, size[0], size[1], size[0] + size[1] / 2, place, size[1] / 2);
			grow_into(t, size[0], size[1], size[0] + size[1], place, 0);
			grow_both(t, size, 64, place);
			grow_both(t, size, 8, place);
		}
	}
}

/**
 * states() - drive a target through all of them
 * @t: target
 *
 * Small blocks come first: a small target soon has no room for a new peak. The full
 * target comes last: after it nothing is a new peak.
 */
void states(struct target *t)
{
	static const size_t most[] = { 64, SZ_1K, SZ_8K, SZ_128K };
	unsigned int i;
	size_t size;

	t->phase = STATES;
	for (i = 0; i < ARRAY_SIZE(most); i++) {
		states_of_alloc(t, min_t(size_t, most[i], SZ_4K));
		states_of_resize(t, min_t(size_t, most[i], SZ_8K));
		states_of_free(t, most[i]);
	}
	if (t->name[ALLOC_DRAINS])
		states_of_draining(t);
	for (size = 560; size <= SZ_16K; size += 520)
		peek_in_full(t, size, 64);
	if (t->name[NO_MEMORY_DRAINS])
		drain_and_fail(t);
}
