// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pointers that were good once: no header of an allocated block is ever left inside
 * another block, so each is rejected for what it is, whatever was allocated over it since
 * and even if nobody has written there.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"

#define POOL_BYTES	((size_t)2048)
#define LIVE_MAX	24u

/* @ptr is inside an allocated block: whatever is tried with it is rejected as @why */
static void expect_stale(struct heap *h, void *ptr, enum tlsf_status why)
{
	struct snapshot before;
	size_t usable;
	void *at = ptr;

	snapshot_take(&before, h);
	EXPECT_STATUS(tlsf_core_free(h->c, ptr), why);
	EXPECT_STATUS(tlsf_core_resize(h->c, ptr, 32), why);
	EXPECT_STATUS(tlsf_core_grow_backward(h->c, &at, 1, 200), why);
	EXPECT_STATUS(tlsf_core_usable(h->c, ptr, &usable), why);
	snapshot_expect_same(&before, h);
	heap_verify(h);
}

/* free: the block is absorbed by the free one below, or by both */
static void block_merged_into_the_one_below_leaves_no_header(void)
{
	static const char *const layouts[] = { "U64 U64 U64", "U64 U64 F64 U64" };
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		heap_build(&h, layouts[i], p);
		EXPECT_STATUS(heap_free(&h, p[0]), TLSF_OK);
		EXPECT_STATUS(heap_free(&h, p[1]), TLSF_OK);
		EXPECT_PTR(heap_alloc(&h, 64 + G + 64), p[0]);
		expect_stale(&h, p[1], TLSF_E_HEADER);
		heap_close(&h);
	}
}

/* grow_backward: the block's own header is inside it now */
static void block_grown_backward_leaves_no_header(void)
{
	void *p[HEAP_BLOCKS_MAX], *at;
	struct heap h;

	heap_build(&h, "F64 U64 U64", p);
	at = p[1];
	EXPECT_STATUS(heap_grow_backward(&h, &at, 1, 100), TLSF_OK);
	EXPECT_PTR(at, p[0]);
	expect_stale(&h, p[1], TLSF_E_HEADER);
	heap_close(&h);
}

/* free and resize: the block above was free, and its header is still that of a free one */
static void free_block_absorbed_from_above_stays_rejected(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U64 F64 U64", p);
	EXPECT_STATUS(heap_free(&h, p[0]), TLSF_OK);
	EXPECT_PTR(heap_alloc(&h, 64 + G + 64), p[0]);
	expect_stale(&h, p[1], TLSF_E_HEADER);
	heap_close(&h);
	heap_build(&h, "U64 F64 U64", p);
	EXPECT_STATUS(heap_resize(&h, p[0], 64 + G + 64), TLSF_OK);
	expect_stale(&h, p[1], TLSF_E_FREE);
	heap_close(&h);
}

/* ---- any history ---- */

struct history {
	struct heap h;
	struct rng r;
	void *live[LIVE_MAX];
	unsigned int nr_live;
};

static size_t draw(struct history *y, size_t bound)
{
	return (size_t)rng_below(&y->r, bound);
}

static void take(struct history *y, void *p)
{
	if (p)
		y->live[y->nr_live++] = p;
}

/* nothing of it writes into a block */
static void one_operation(struct history *y)
{
	unsigned int i = (unsigned int)draw(y, LIVE_MAX);

	if (i >= y->nr_live) {
		take(y, draw(y, 2) ? heap_alloc(&y->h, 1 + draw(y, 200)) :
				     heap_memalign(&y->h, G << draw(y, 6), 1 + draw(y, 100)));
	} else if (draw(y, 2)) {
		EXPECT_STATUS(heap_free(&y->h, y->live[i]), TLSF_OK);
		y->live[i] = y->live[--y->nr_live];
	} else if (draw(y, 2)) {
		heap_resize(&y->h, y->live[i], 1 + draw(y, 300));
	} else {
		heap_grow_backward(&y->h, &y->live[i], G << draw(y, 4), 1 + draw(y, 300));
	}
}

static bool is_live(const struct history *y, const void *p)
{
	unsigned int i = 0;

	while (i < y->nr_live && y->live[i] != p)
		i++;
	return i < y->nr_live;
}

/* a pointer to any granule is good if and only if it is that of a live block */
static void expect_only_live_pointers(struct history *y)
{
	unsigned char *mem = heap_start(&y->h);
	size_t at, usable;

	for (at = 0; at < POOL_BYTES; at += G)
		EXPECT_EQ(tlsf_core_usable(y->h.c, mem + at, &usable) == TLSF_OK,
			  is_live(y, mem + at));
}

static void only_live_pointers_are_ever_good(void)
{
	struct history y = { .r = rng_seed(ktap_seed) };
	int op;

	heap_open(&y.h, POOL_BYTES);
	for (op = 0; op < 5000; op++) {
		ktap_note("operation %d", op);
		one_operation(&y);
		expect_only_live_pointers(&y);
	}
	heap_close(&y.h);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(block_merged_into_the_one_below_leaves_no_header),
		KTAP_CASE(block_grown_backward_leaves_no_header),
		KTAP_CASE(free_block_absorbed_from_above_stays_rejected),
		KTAP_CASE(only_live_pointers_are_ever_good),
	};

	return ktap_run("unit_stale", cases, ARRAY_SIZE(cases));
}
