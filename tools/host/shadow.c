// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow model; see shadow.h. Plain rather than fast: arrays and loops.
 *
 * Room: host; of the core it takes constants and types only.
 */
#include <string.h>

#include "heap.h"
#include "shadow.h"

/* ---- the region ---- */

void shadow_init(struct shadow *s, const void *mem, size_t bytes, size_t control)
{
	memset(s, 0, sizeof(*s));
	s->first = (uintptr_t)mem + control;
	s->end = ((uintptr_t)mem + bytes) / G * G - G;
	s->bytes = bytes - control;
}

static void expect_inside(const struct shadow *s, const struct shadow_block *b)
{
	if (b->start < s->first + G || b->start + b->size > s->end)
		ktap_fail(__FILE__, __LINE__, "block of %zu bytes at 0x%zx is not in the region",
			  b->size, (size_t)b->start);
}

/* ---- blocks ---- */

/* number of blocks that start below @start */
static unsigned int position(const struct shadow *s, uintptr_t start)
{
	unsigned int low = 0, high = s->nr_live;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (s->live[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int shadow_find(const struct shadow *s, const void *ptr)
{
	unsigned int i = position(s, (uintptr_t)ptr);

	return i < s->nr_live && s->live[i].start == (uintptr_t)ptr ? (int)i : -1;
}

/* blocks and their headers do not overlap the blocks before and after */
static void expect_no_overlap(const struct shadow *s, unsigned int i)
{
	const struct shadow_block *b = &s->live[i];

	if (i && b[-1].start + b[-1].size > b->start - G)
		ktap_fail(__FILE__, __LINE__, "block of %zu at 0x%zx overlaps %zu at 0x%zx",
			  b->size, (size_t)b->start, b[-1].size, (size_t)b[-1].start);
	if (i + 1 < s->nr_live && b->start + b->size > b[1].start - G)
		ktap_fail(__FILE__, __LINE__, "block of %zu at 0x%zx overlaps %zu at 0x%zx",
			  b->size, (size_t)b->start, b[1].size, (size_t)b[1].start);
}

static void note_used(struct shadow *s, size_t added)
{
	size_t with_headers;

	s->count.used_bytes += added;
	with_headers = s->count.used_bytes + s->nr_live * G;
	if (with_headers > s->count.high_water)
		s->count.high_water = with_headers;
}

struct shadow_block *shadow_insert(struct shadow *s, const void *ptr, size_t size)
{
	unsigned int i = position(s, (uintptr_t)ptr);

	EXPECT(s->nr_live < SHADOW_BLOCKS_MAX);
	memmove(&s->live[i + 1], &s->live[i], (s->nr_live++ - i) * sizeof(s->live[0]));
	s->live[i] = (struct shadow_block){ .start = (uintptr_t)ptr, .size = size };
	expect_no_overlap(s, i);
	expect_inside(s, &s->live[i]);
	s->count.allocs++;
	note_used(s, size);
	return &s->live[i];
}

void shadow_remove(struct shadow *s, unsigned int i)
{
	s->count.frees++;
	s->count.used_bytes -= s->live[i].size;
	memmove(&s->live[i], &s->live[i + 1], (--s->nr_live - i) * sizeof(s->live[0]));
}

void shadow_resized(struct shadow *s, unsigned int i, const struct shadow_outcome *now)
{
	size_t was = s->live[i].size;

	s->live[i].start = now->start;
	s->live[i].size = now->size;
	expect_no_overlap(s, i);
	expect_inside(s, &s->live[i]);
	s->count.resizes++;
	note_used(s, now->size - was);
}

/* ---- free runs ---- */

static void add_run(struct shadow_runs *runs, uintptr_t from, uintptr_t to)
{
	if (from == to)
		return;
	EXPECT_GE(to - from, TLSF_BLOCK_MIN);	/* else nobody could ever use it */
	runs->number++;
	runs->bytes += to - from;
	if (to - from > runs->largest)
		runs->largest = to - from;
}

struct shadow_runs shadow_runs(const struct shadow *s)
{
	struct shadow_runs runs = { .number = 0 };
	uintptr_t from = s->first;
	unsigned int b;

	for (b = 0; b < s->nr_live; b++) {
		add_run(&runs, from, s->live[b].start - G);
		from = s->live[b].start + s->live[b].size;
	}
	add_run(&runs, from, s->end);
	return runs;
}

size_t shadow_run_above(const struct shadow *s, unsigned int i)
{
	const struct shadow_block *b = &s->live[i];
	uintptr_t to = i + 1 < s->nr_live ? b[1].start - G : s->end;

	return to - (b->start + b->size);
}

/* where the run below block @i begins; the block's own header when there is none */
static uintptr_t run_below(const struct shadow *s, unsigned int i)
{
	const struct shadow_block *b = &s->live[i];

	return i ? b[-1].start + b[-1].size : s->first;
}

/* ---- what operations must come to ---- */

size_t shadow_largest_ever(const struct shadow *s)
{
	return s->end - s->first;
}

size_t shadow_good_fit(size_t bytes)
{
	size_t width = G;

	while (bytes / width >= 2 * TLSF_SL_COUNT)
		width *= 2;
	return (bytes + width - 1) / width * width;
}

/* @have bytes from a block's start up, cut to what @size needs, or all of them */
static size_t cut_to(size_t have, size_t size)
{
	size_t need = block_bytes(size);

	return (have - need < TLSF_BLOCK_MIN ? have : need) - G;
}

struct shadow_outcome shadow_resize(const struct shadow *s, unsigned int i, size_t size)
{
	const struct shadow_block *b = &s->live[i];
	struct shadow_outcome out = { .start = b->start, .size = b->size };
	size_t have = G + b->size + shadow_run_above(s, i);

	out.status = block_bytes(size) > have ? TLSF_E_FRAGMENTED : TLSF_OK;
	if (out.status == TLSF_OK)
		out.size = cut_to(have, size);
	return out;
}

/* first start in the run from @from up that is aligned and leaves no scrap below */
static uintptr_t aligned_start(uintptr_t from, size_t align)
{
	uintptr_t start = from + G;

	while (start % align || (start != from + G && start - G - from < TLSF_BLOCK_MIN))
		start += G;
	return start;
}

struct shadow_outcome shadow_grow_backward(const struct shadow *s, unsigned int i, size_t align,
				       size_t size)
{
	const struct shadow_block *b = &s->live[i];
	struct shadow_outcome out = { .status = TLSF_E_FRAGMENTED, .start = b->start,
				      .size = b->size };
	uintptr_t start = aligned_start(run_below(s, i), align);
	size_t grown = b->start + b->size - start;

	if (align + G > shadow_largest_ever(s))
		out.status = TLSF_E_ALIGN;
	if (out.status == TLSF_E_ALIGN || start >= b->start)
		return out;
	if (G + grown < block_bytes(size))
		grown += shadow_run_above(s, i);
	if (G + grown < block_bytes(size))
		return out;
	return (struct shadow_outcome){ .status = TLSF_OK, .start = start, .size = grown };
}

/* ---- what operations came to ---- */

void shadow_expect_failure(struct shadow *s, enum tlsf_status status, size_t size, size_t bytes)
{
	struct shadow_runs runs = shadow_runs(s);

	if (!size || bytes < size || bytes > shadow_largest_ever(s)) {
		if (status == TLSF_E_SIZE)
			return;		/* it could never be served */
		EXPECT(size);
	}
	if (shadow_good_fit(bytes) <= runs.largest)
		ktap_fail(__FILE__, __LINE__, "request of %zu failed (%s), but %zu are free",
			  size, tlsf_core_strstatus(status), runs.largest);
	if (block_bytes(size) > runs.bytes) {
		EXPECT_STATUS(status, TLSF_E_EXHAUSTED);
		s->count.fail_exhausted++;
	} else {
		EXPECT_STATUS(status, TLSF_E_FRAGMENTED);
		s->count.fail_fragmented++;
	}
}

struct shadow_block *shadow_expect_served(struct shadow *s, struct tlsf_core *c, void *p,
					  size_t size)
{
	struct shadow_block *b;
	size_t usable = 0;

	EXPECT_STATUS(tlsf_core_usable(c, p, &usable), TLSF_OK);
	b = shadow_insert(s, p, usable);
	EXPECT_GE(usable + G, block_bytes(size));
	EXPECT_LE(usable + 2 * G, block_bytes(size) + TLSF_BLOCK_MIN);
	if (usable + G != block_bytes(size))
		EXPECT_EQ(shadow_run_above(s, (unsigned int)(b - s->live)), 0);
	return b;
}

void shadow_expect_status(const struct shadow *s, enum tlsf_status status,
			  const struct shadow_outcome *must, size_t size)
{
	if (status == TLSF_E_SIZE)
		EXPECT(!size || block_bytes(size) < size ||
		       block_bytes(size) > shadow_largest_ever(s));
	else
		EXPECT_STATUS(status, must->status);
}

/* ---- the core's own figures ---- */

void shadow_expect_stats(const struct shadow *s, const struct tlsf_core *c)
{
	struct shadow_runs runs = shadow_runs(s);
	struct tlsf_core_stats is;

	tlsf_core_stats(c, &is);
	EXPECT_EQ(is.region_bytes, s->bytes);
	EXPECT_EQ(is.used_bytes, s->count.used_bytes);
	EXPECT_EQ(is.used_blocks, s->nr_live);
	EXPECT_EQ(is.free_blocks, runs.number);
	EXPECT_EQ(is.free_bytes, runs.bytes - runs.number * G);
	EXPECT_EQ(is.overhead_bytes, s->bytes - is.used_bytes - is.free_bytes);
	EXPECT_EQ(is.high_water, s->count.high_water);
	EXPECT_EQ(is.allocs, s->count.allocs);
	EXPECT_EQ(is.frees, s->count.frees);
	EXPECT_EQ(is.resizes, s->count.resizes);
	EXPECT_EQ(is.fail_exhausted, s->count.fail_exhausted);
	EXPECT_EQ(is.fail_fragmented, s->count.fail_fragmented);
	EXPECT_EQ(is.bad_pointers, s->count.bad_pointers);
	/* a block of the same class as the largest */
	if (runs.number)
		EXPECT_EQ(tlsf_map_index((is.largest_free + G) / G),
			  tlsf_map_index(runs.largest / G));
	else
		EXPECT_EQ(is.largest_free, 0);
}

void shadow_expect_walk(const struct shadow *s, const struct tlsf_core *c)
{
	struct tlsf_block_info block;
	unsigned int b = 0;
	size_t offset = 0;

	while (tlsf_core_walk(c, &offset, &block)) {
		if (block.free)
			continue;
		EXPECT(b < s->nr_live);
		EXPECT_PTR(block.ptr, s->live[b].start);
		EXPECT_EQ(block.size, s->live[b].size);
		b++;
	}
	EXPECT_EQ(b, s->nr_live);
}
