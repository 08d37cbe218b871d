// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocate, aligned allocate and free: which block serves, what is split off, what
 * merges, how failure is told, what is counted.
 *
 * Room: host.
 */
#include <stdio.h>
#include <string.h>

#include "heap.h"

/* ---- which block serves a request ---- */

/* The classic example, with granules for bytes: a block of 68 is free, and one of 72 */
static void request_of_69_is_served_from_the_next_list_up(void)
{
	char layout[64];
	void *p[6];
	struct heap h;

	snprintf(layout, sizeof(layout), "U64 F%zu U64 F%zu U64", 67 * G, 71 * G);
	heap_build(&h, layout, p);
	EXPECT_EQ(tlsf_map_index(69), tlsf_map_index(68));	/* one list for both */
	EXPECT_PTR(heap_alloc(&h, 68 * G), p[3]);		/* 69 with the header */
	heap_close(&h);
}

static void own_list_serves_first(void)
{
	char layout[64];
	void *p[6];
	struct heap h;

	snprintf(layout, sizeof(layout), "U64 F%zu U64 F%zu U64", 68 * G, 71 * G);
	heap_build(&h, layout, p);
	EXPECT_PTR(heap_alloc(&h, 68 * G), p[1]);
	heap_close(&h);
}

/* the head alone is looked at: a block behind it may fit and is not found */
static void own_list_is_looked_at_once(void)
{
	char layout[64];
	void *p[6];
	struct heap h;

	snprintf(layout, sizeof(layout), "U64 U%zu U64 U%zu U64", 68 * G, 67 * G);
	heap_build(&h, layout, p);
	EXPECT_STATUS(heap_free(&h, p[1]), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, p[3]), TLSF_OK);	/* now the head */
	EXPECT_PTR(heap_alloc(&h, 68 * G), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_FRAGMENTED);
	EXPECT_PTR(heap_alloc(&h, 67 * G), p[3]);
	EXPECT_PTR(heap_alloc(&h, 68 * G), p[1]);
	heap_close(&h);
}

static void block_freed_last_serves_first(void)
{
	void *p[8];
	struct heap h;

	heap_build(&h, "U64 U64 U64 U64 U64 U64 U64", p);
	EXPECT_STATUS(heap_free(&h, p[1]), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, p[5]), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, p[3]), TLSF_OK);
	EXPECT_PTR(heap_alloc(&h, 64), p[3]);
	EXPECT_PTR(heap_alloc(&h, 64), p[5]);
	EXPECT_PTR(heap_alloc(&h, 64), p[1]);
	heap_close(&h);
}

/* one block free in the class of @block granules: every request finds it from below */
static void search_finds_the_only_block_from_every_class_below(void)
{
	char layout[64];
	size_t payload, size;
	void *p[4];
	struct heap h;

	for (payload = 64; payload < 9000; payload += payload / 2 / G * G) {
		for (size = G; size <= payload; size += size < 256 ? G : size / 9 / G * G) {
			snprintf(layout, sizeof(layout), "U64 F%zu U64", payload);
			heap_build(&h, layout, p);
			EXPECT_PTR(heap_alloc(&h, size), p[1]);
			heap_close(&h);
		}
	}
}

static void usable_size_is_the_request_in_granules(void)
{
	struct heap h;
	size_t size;
	void *p;

	heap_open(&h, 8192);
	for (size = 1; size <= 1024; size++) {
		p = heap_alloc(&h, size);
		EXPECT_EQ(heap_usable(&h, p), block_bytes(size) - G);
		EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	}
	heap_close(&h);
}

/* ---- what is split off ---- */

/* what is left of a block is split off when a block can be made of it */
static void rest_is_split_off_from_the_smallest_block_on(void)
{
	char layout[64], want[64];
	size_t rest;
	void *p[4];
	struct heap h;

	for (rest = 0; rest <= 2 * TLSF_BLOCK_MIN; rest += G) {
		bool split = rest >= TLSF_BLOCK_MIN;

		snprintf(layout, sizeof(layout), "U64 F%zu U64", 64 + rest);
		snprintf(want, sizeof(want), split ? "U64 U64 F%zu U64" : "U64 U%zu U64",
			 split ? rest - G : 64 + rest);
		heap_build(&h, layout, p);
		EXPECT_PTR(heap_alloc(&h, 64), p[1]);
		heap_expect(&h, want);
		heap_close(&h);
	}
}

/* ---- what merges ---- */

struct merge_case {
	const char *before;
	int freed;
	const char *after;
	unsigned int steps;
};

static const struct merge_case merge_cases[] = {
	{ "U64 U128 U32",	1, "U64 F128 U32",		1 },
	{ "F64 U128 U32",	1, "F64+128 U32",		3 },
	{ "U64 U128 F32",	1, "U64 F128+32",		3 },
	{ "F64 U128 F32",	1, "F64+128+32",		5 },
	{ "U64 U128 U32",	0, "F64 U128 U32",		1 },
	{ "U64 F128 U32",	0, "F64+128 U32",		3 },
	{ "U64 U128 U32",	2, "U64 U128 F32",		1 },
	{ "U64 F128 U32",	2, "U64 F128+32",		3 },
	{ "U64",		0, "F64",			1 },
	{ "F64 U64 U64 F64",	1, "F64+64 U64 F64",		3 },
	{ "F64 U64 U64 F64",	2, "F64 U64 F64+64",		3 },
	{ "F64 U64 F64 U64 F64", 1, "F64+64+64 U64 F64",	5 },
	{ "F64 U64 F64 U64 F64", 3, "F64 U64 F64+64+64",	5 },
	{ "F24 U24 F24 U24 F24", 1, "F24+24+24 U24 F24",	5 },
	{ "U2048 U24 F4096 U24", 1, "U2048 F24+4096 U24",	3 },
};

static void free_merges_with_free_neighbours_at_once(void)
{
	const struct merge_case *m;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	for (m = merge_cases; m < merge_cases + ARRAY_SIZE(merge_cases); m++) {
		heap_build(&h, m->before, p);
		EXPECT_STATUS(heap_free(&h, p[m->freed]), TLSF_OK);
		EXPECT_EQ(heap_stats(&h).frees, 1);
		EXPECT_STEPS(&h, m->steps);
		heap_expect(&h, m->after);
		heap_close(&h);
	}
}

/* all 5! orders of freeing five blocks end in one free block */
static void free_in_every_order_gives_one_block(void)
{
	static const unsigned int radix[] = { 5, 4, 3, 2, 1 };
	unsigned int order, code, i, nth;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	for (order = 0; order < 120; order++) {
		heap_build(&h, "U24 U32 U40 U48 U56", p);
		for (i = 0, code = order; i < 5; code /= radix[i++]) {
			nth = code % radix[i];
			EXPECT_STATUS(heap_free(&h, p[nth]), TLSF_OK);
			memmove(&p[nth], &p[nth + 1], (4 - nth) * sizeof(p[0]));
		}
		heap_expect(&h, "F24+32+40+48+56");
		heap_close(&h);
	}
}

/* ---- failure ---- */

static void exhaustion_and_fragmentation_are_told_apart_and_counted(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "F64 U64 F64 U64", p);	/* free: 64 + 64, with headers two more G */
	EXPECT_PTR(heap_alloc(&h, 64 + G), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_FRAGMENTED);
	EXPECT_PTR(heap_alloc(&h, 64 + 64 + G), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_FRAGMENTED);
	EXPECT_PTR(heap_alloc(&h, 64 + 64 + G + 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	EXPECT_EQ(heap_stats(&h).fail_fragmented, 2);
	EXPECT_EQ(heap_stats(&h).fail_exhausted, 1);
	EXPECT_EQ(heap_stats(&h).allocs, 0);
	heap_close(&h);
}

static void full_heap_is_exhausted(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U64 U64", p);
	EXPECT_PTR(heap_alloc(&h, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	EXPECT_PTR(heap_memalign(&h, 32, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	EXPECT_EQ(heap_stats(&h).fail_exhausted, 2);
	EXPECT_EQ(heap_stats(&h).largest_free, 0);
	heap_close(&h);
}

/* ---- aligned allocate ---- */

static void memalign_serves_every_power_of_two(void)
{
	size_t align, size;
	struct heap h;
	void *p;

	heap_open(&h, (size_t)1 << 18);
	for (align = 1; align <= (size_t)1 << 16; align *= 2) {
		for (size = 1; size <= 4096; size = size * 3 + 1) {
			p = heap_memalign(&h, align, size);
			EXPECT(p);
			EXPECT_EQ(heap_usable(&h, p), block_bytes(size) - G);
			EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
			heap_expect(&h, "F*");
		}
	}
	heap_close(&h);
}

/* from every start relative to the alignment; the gap is none or a whole free block */
static void memalign_gives_back_the_gap_and_the_rest(void)
{
	size_t first, align;
	struct heap h;
	void *p, *below;

	for (align = 2 * G; align <= 1024; align *= 2) {
		for (first = TLSF_BLOCK_MIN; first <= TLSF_BLOCK_MIN + align; first += G) {
			heap_open(&h, 8192);
			below = heap_alloc(&h, first - G);
			p = heap_memalign(&h, align, 100);
			EXPECT(p);
			EXPECT_EQ(heap_stats(&h).used_blocks, 2);
			if ((char *)p - (char *)below == (ptrdiff_t)first)
				heap_expect(&h, "U* U* F*");
			else
				heap_expect(&h, "U* F* U* F*");
			EXPECT_LE((char *)p - (char *)below - first, align + TLSF_BLOCK_MIN - G);
			heap_close(&h);
		}
	}
}

static void memalign_of_small_alignments_is_alloc(void)
{
	void *p[HEAP_BLOCKS_MAX];
	size_t align;
	struct heap h;

	for (align = 1; align <= G; align *= 2) {
		heap_build(&h, "U32 F64 U32", p);
		EXPECT_PTR(heap_memalign(&h, align, 64), p[1]);
		heap_close(&h);
	}
}

/* ---- figures ---- */

static void counters_count_and_start_afresh(void)
{
	struct tlsf_core_stats s;
	struct heap h;
	void *a, *b;

	heap_open(&h, 4096);
	a = heap_alloc(&h, 100);
	b = heap_memalign(&h, 64, 200);
	EXPECT_STATUS(heap_resize(&h, b, 300), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, a), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, a), TLSF_E_FREE);
	s = heap_stats(&h);
	EXPECT_EQ(s.allocs, 2);
	EXPECT_EQ(s.frees, 1);
	EXPECT_EQ(s.resizes, 1);
	EXPECT_EQ(s.bad_pointers, 1);
	EXPECT_EQ(s.used_blocks, 1);
	tlsf_core_stats_reset(h.c);
	s = heap_stats(&h);
	EXPECT_EQ(s.allocs + s.frees + s.resizes + s.bad_pointers, 0);
	EXPECT_EQ(s.used_blocks, 1);
	EXPECT_EQ(s.high_water, s.used_bytes + G);
	heap_close(&h);
}

static void high_water_is_the_most_ever_used(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U64 F128 U32 F4096", p);
	EXPECT_EQ(heap_stats(&h).high_water, 96 + 2 * G);
	EXPECT_PTR(heap_alloc(&h, 128), p[1]);
	EXPECT_STATUS(heap_free(&h, p[1]), TLSF_OK);
	EXPECT_EQ(heap_stats(&h).used_bytes, 96);
	EXPECT_EQ(heap_stats(&h).high_water, 96 + 128 + 3 * G);
	EXPECT_STATUS(heap_resize(&h, p[2], 1032), TLSF_OK);
	EXPECT_EQ(heap_stats(&h).high_water, 64 + 1032 + 2 * G);
	EXPECT_STATUS(heap_resize(&h, p[2], 32), TLSF_OK);
	EXPECT_EQ(heap_stats(&h).high_water, 64 + 1032 + 2 * G);
	tlsf_core_stats_reset(h.c);
	EXPECT_EQ(heap_stats(&h).high_water, 96 + 2 * G);
	heap_close(&h);
}

static void largest_free_is_what_alloc_serves(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t largest;

	heap_build(&h, "F64 U64 F1000 U64 F520 U64", p);
	largest = heap_stats(&h).largest_free;
	EXPECT_EQ(largest, 1000);
	EXPECT_PTR(heap_alloc(&h, largest + 1), NULL);
	EXPECT_PTR(heap_alloc(&h, largest), p[2]);
	EXPECT_EQ(heap_stats(&h).largest_free, 520);
	heap_close(&h);
}

static void walk_reports_every_block_in_order(void)
{
	struct tlsf_block_info block;
	void *p[HEAP_BLOCKS_MAX];
	size_t offset = 0;
	struct heap h;
	int i;

	heap_build(&h, "U64 F128 U32 F40", p);
	for (i = 0; tlsf_core_walk(h.c, &offset, &block); i++) {
		EXPECT_PTR(block.ptr, p[i]);
		EXPECT_EQ(block.free, i & 1);
		EXPECT_PTR(heap_start(&h) + offset, (char *)p[i] + block.size);
	}
	EXPECT_EQ(i, 4);
	EXPECT(!tlsf_core_walk(h.c, &offset, &block));
	heap_close(&h);
}

/* a header that leads nowhere ends the walk instead of leading it out of the region */
static void walk_ends_at_a_damaged_header(void)
{
	static const size_t damage[] = { 0, TLSF_BLOCK_MIN - G, 4096, SIZE_MAX & ~TLSF_FLAGS };
	struct tlsf_block_info block;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(damage); i++) {
		size_t offset = 0;

		heap_build(&h, "U64 U128 U32", p);
		tlsf_block_of(p[1])->header = damage[i] | TLSF_USED;
		EXPECT(tlsf_core_walk(h.c, &offset, &block));
		EXPECT(!tlsf_core_walk(h.c, &offset, &block));
		heap_close(&h);
	}
}

/* true when the number has changed since the last call */
static bool generation_changed(const struct heap *h)
{
	static size_t last;
	bool changed = tlsf_core_generation(h->c) != last;

	last = tlsf_core_generation(h->c);
	return changed;
}

static void generation_changes_with_the_blocks_alone(void)
{
	void *p[HEAP_BLOCKS_MAX], *at;
	struct heap h;

	heap_build(&h, "F64 U64 F64 U64", p);
	at = p[1];
	generation_changed(&h);
	EXPECT_STATUS(heap_resize(&h, p[1], 128), TLSF_OK);
	EXPECT(generation_changed(&h));
	EXPECT_STATUS(heap_grow_backward(&h, &at, 1, 128), TLSF_OK);
	EXPECT(generation_changed(&h));
	EXPECT_STATUS(heap_free(&h, at), TLSF_OK);
	EXPECT(generation_changed(&h));
	EXPECT(heap_alloc(&h, 100));
	EXPECT(generation_changed(&h));
	EXPECT_PTR(heap_alloc(&h, 1000), NULL);
	EXPECT(heap_free(&h, NULL) != TLSF_OK);
	tlsf_core_stats_reset(h.c);
	EXPECT(!generation_changed(&h));
	heap_close(&h);
}

/* ---- steps: a metric without a clock, so it is asserted to the digit ---- */

/* scans before the own list is looked at: its head comes before the bitmap */
#define OWN_SCAN	0

struct steps_case {
	const char *layout;
	size_t align;
	size_t size;
	unsigned int steps;
};

static const struct steps_case steps_cases[] = {
	{ "U64 F64 U64",	0, 64,		OWN_SCAN + 1 },	/* own list, no split */
	{ "U64 F128 U64",	0, 128,		OWN_SCAN + 1 },
	{ "U64 F65536 U64",	0, 64,		5 },	/* two scans, removal, split, rest inserted */
	{ "U64 F65536 U64",	0, 65536,	OWN_SCAN + 1 },
	{ "U64 F65536 U64",	0, 65536 + 8,	OWN_SCAN + 1 },	/* a scan finds nothing */
	{ "U64 U64 U64",	0, 64,		1 },
	{ "U64 F64 U64 F8192 U64", 0, 8200,	OWN_SCAN + 1 },
	{ "U64 F8192 U64 F65536", 0, 8200,	OWN_SCAN + 5 },	/* own list, then two scans */
	{ "U64 F65536 U64",	64, 64,		7 },	/* two scans, gap, rest */
	/* own list, then two scans, gap, rest */
	{ "U64 F8192 U64 F65536", 64, 8192 - 64 - 2 * G, OWN_SCAN + 7 },
};

static void steps_are_exact(void)
{
	const struct steps_case *s;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	for (s = steps_cases; s < steps_cases + ARRAY_SIZE(steps_cases); s++) {
		heap_build(&h, s->layout, p);
		if (s->align)
			heap_memalign(&h, s->align, s->size);
		else
			heap_alloc(&h, s->size);
		EXPECT_STEPS(&h, s->steps);
		heap_close(&h);
	}
}

static size_t list_for(size_t size)
{
	return TLSF_FIRST_LIST + tlsf_map_index(block_bytes(size) / G);
}

/* from above the own list; removal, split, rest inserted; a scan of the summary if need be */
static void scan_within_a_bitmap_word_is_one_step(void)
{
	unsigned int seen[2] = { 0, 0 };
	char layout[64];
	void *p[4];
	struct heap h;
	size_t size;

	for (size = 40; size < 4096; size += G) {
		bool same = (list_for(size) + !OWN_SCAN) / TLSF_WORD_BITS ==
			    list_for(2 * size) / TLSF_WORD_BITS;

		snprintf(layout, sizeof(layout), "U64 F%zu U64", 2 * size);
		heap_build(&h, layout, p);
		EXPECT_PTR(heap_alloc(&h, size), p[1]);
		EXPECT_STEPS(&h, same ? 4 : 5);
		seen[same]++;
		heap_close(&h);
	}
	EXPECT(seen[true] && seen[false]);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(request_of_69_is_served_from_the_next_list_up),
		KTAP_CASE(own_list_serves_first),
		KTAP_CASE(own_list_is_looked_at_once),
		KTAP_CASE(block_freed_last_serves_first),
		KTAP_CASE(search_finds_the_only_block_from_every_class_below),
		KTAP_CASE(usable_size_is_the_request_in_granules),
		KTAP_CASE(rest_is_split_off_from_the_smallest_block_on),
		KTAP_CASE(free_merges_with_free_neighbours_at_once),
		KTAP_CASE(free_in_every_order_gives_one_block),
		KTAP_CASE(exhaustion_and_fragmentation_are_told_apart_and_counted),
		KTAP_CASE(full_heap_is_exhausted),
		KTAP_CASE(memalign_serves_every_power_of_two),
		KTAP_CASE(memalign_gives_back_the_gap_and_the_rest),
		KTAP_CASE(memalign_of_small_alignments_is_alloc),
		KTAP_CASE(counters_count_and_start_afresh),
		KTAP_CASE(high_water_is_the_most_ever_used),
		KTAP_CASE(largest_free_is_what_alloc_serves),
		KTAP_CASE(walk_reports_every_block_in_order),
		KTAP_CASE(walk_ends_at_a_damaged_header),
		KTAP_CASE(generation_changes_with_the_blocks_alone),
		KTAP_CASE(steps_are_exact),
		KTAP_CASE(scan_within_a_bitmap_word_is_one_step),
	};

	return ktap_run("unit_alloc", cases, ARRAY_SIZE(cases));
}
