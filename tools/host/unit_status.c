// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every status is provoked, and what is rejected changes nothing: the control structure
 * and all bytes of the region are compared before and after.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"

/* ---- requests that cannot be served ---- */

struct request {
	const char *layout;
	size_t align;		/* 0: alloc, else memalign */
	size_t size;
	enum tlsf_status status;
};

#define TOP_BIT	(SIZE_MAX / 2 + 1)

static const struct request requests[] = {
	{ "F1024",	0,	0,		TLSF_E_SIZE },
	{ "F1024",	0,	SIZE_MAX,	TLSF_E_SIZE },
	{ "F1024",	0,	TOP_BIT,	TLSF_E_SIZE },
	{ "F1024",	0,	2048,		TLSF_E_SIZE },
	{ "F1024",	64,	0,		TLSF_E_SIZE },
	{ "F1024",	64,	SIZE_MAX,	TLSF_E_SIZE },
	{ "F1024",	64,	TOP_BIT,	TLSF_E_SIZE },
	{ "F1024",	1,	0,		TLSF_E_SIZE },
	{ "F1024",	512,	1024,		TLSF_E_SIZE },	/* both together */
	{ "F1024",	3,	64,		TLSF_E_ALIGN },
	{ "F1024",	24,	64,		TLSF_E_ALIGN },
	{ "F1024",	SIZE_MAX, 64,		TLSF_E_ALIGN },
	{ "F1024",	TOP_BIT, 64,		TLSF_E_ALIGN },
	{ "F1024",	2048,	64,		TLSF_E_ALIGN },
	{ "F1024",	TOP_BIT | 1, 0,		TLSF_E_ALIGN },	/* named before the size */
	{ "U64 F64 U64", 0,	64 + G + 1,	TLSF_E_EXHAUSTED },
	{ "U64 F64 U64", 16,	64 + G + 1,	TLSF_E_EXHAUSTED },
	{ "U64",	0,	1,		TLSF_E_EXHAUSTED },
	{ "F64 U64 F64", 0,	64 + G,		TLSF_E_FRAGMENTED },
	{ "F64 U64 F64", 32,	64,		TLSF_E_FRAGMENTED },
};

static void failed_request_changes_nothing(void)
{
	const struct request *r;
	void *p[HEAP_BLOCKS_MAX];
	struct snapshot before;
	struct heap h;

	for (r = requests; r < requests + ARRAY_SIZE(requests); r++) {
		heap_build(&h, r->layout, p);
		snapshot_take(&before, &h);
		EXPECT_PTR(r->align ? heap_memalign(&h, r->align, r->size) :
				      heap_alloc(&h, r->size), NULL);
		EXPECT_STATUS(tlsf_core_status(h.c), r->status);
		EXPECT_EQ(heap_stats(&h).fail_exhausted, r->status == TLSF_E_EXHAUSTED);
		EXPECT_EQ(heap_stats(&h).fail_fragmented, r->status == TLSF_E_FRAGMENTED);
		snapshot_expect_same(&before, &h);
		heap_close(&h);
	}
}

/* memalign's alignment of 0 is told apart from "any" */
static void alignment_of_zero_is_rejected(void)
{
	struct heap h;

	heap_open(&h, 4096);
	EXPECT_PTR(heap_memalign(&h, 0, 64), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_ALIGN);
	heap_close(&h);
}

/* the line between the two is exact */
static void size_beyond_any_block_is_told_from_exhaustion(void)
{
	struct heap h;
	size_t most;
	void *p;

	heap_open(&h, 4096);
	most = h.c->max_request;
	EXPECT_EQ(most, 4096 - 2 * G);
	EXPECT_EQ(most, heap_stats(&h).largest_free);
	p = heap_alloc(&h, most);
	EXPECT(p);
	EXPECT_PTR(heap_alloc(&h, most), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	EXPECT_EQ(heap_stats(&h).fail_exhausted, 1);
	EXPECT_PTR(heap_alloc(&h, most + 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT_PTR(heap_memalign(&h, 2 * G, most), NULL);	/* needs more to be aligned */
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT_EQ(heap_stats(&h).fail_exhausted, 1);	/* what can never be is not counted */
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	heap_close(&h);
}

/* a retired heap takes back what it gave, and gives no more */
static void retired_heap_serves_no_request(void)
{
	void *p[HEAP_BLOCKS_MAX], *at;
	struct heap h;

	heap_build(&h, "F64 U64 F64 U64", p);
	tlsf_core_retire(h.c);
	at = p[1];
	EXPECT_PTR(heap_alloc(&h, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT_PTR(heap_memalign(&h, 64, 1), NULL);
	EXPECT_STATUS(heap_resize(&h, p[1], 24), TLSF_E_SIZE);
	EXPECT_STATUS(heap_grow_backward(&h, &at, 1, 100), TLSF_E_SIZE);
	EXPECT_STATUS(heap_free(&h, p[1]), TLSF_OK);
	EXPECT(heap_free(&h, p[1]) != TLSF_OK);
	heap_close(&h);
}

/* ---- pointers that are rejected ---- */

/* "U64 F64 U64 U64 F64 U64 U64": the pointers made below are into these */
#define POINTER_LAYOUT	"U64 F64 U64 U64 F64 U64 U64"

struct pointer {
	const char *name;
	int block;
	ptrdiff_t offset;
	enum tlsf_status status;
};

static const struct pointer pointers[] = {
	{ "one byte in",		0, 1,		TLSF_E_MISALIGNED },
	{ "one byte before",		2, -1,		TLSF_E_MISALIGNED },
	{ "one granule in",		0, TLSF_GRANULE, TLSF_E_HEADER },
	{ "last granule",		2, 56,		TLSF_E_HEADER },
	{ "its header",			2, -(ptrdiff_t)TLSF_GRANULE, TLSF_E_HEADER },
	{ "end mark",			6, 64 + TLSF_GRANULE, TLSF_E_OUTSIDE },
	{ "last payload of the region",	6, 64,		TLSF_E_OUTSIDE },
	{ "first header of the region",	0, -(ptrdiff_t)TLSF_GRANULE, TLSF_E_OUTSIDE },
	{ "a free block",		1, 0,		TLSF_E_FREE },
	{ "in a free block",		4, 2 * TLSF_GRANULE, TLSF_E_HEADER },
};

enum { FREE, RESIZE, GROW_BACKWARD, USABLE, OPERATIONS };

static enum tlsf_status operate(struct heap *h, int operation, void *ptr)
{
	size_t usable = 0x77;
	enum tlsf_status status;

	switch (operation) {
	case FREE:
		return heap_free(h, ptr);
	case RESIZE:
		return heap_resize(h, ptr, 100);
	case GROW_BACKWARD:
		return heap_grow_backward(h, &ptr, 1, 100);
	}
	status = tlsf_core_usable(h->c, ptr, &usable);
	EXPECT_EQ(usable, 0x77);
	return status;
}

static void expect_rejected(struct heap *h, void *ptr, enum tlsf_status status)
{
	struct snapshot before;
	int operation;

	for (operation = FREE; operation < OPERATIONS; operation++) {
		snapshot_take(&before, h);
		EXPECT_STATUS(operate(h, operation, ptr), status);
		snapshot_expect_same(&before, h);
	}
	EXPECT_EQ(heap_stats(h).bad_pointers, OPERATIONS - 1);	/* USABLE only looks */
	tlsf_core_stats_reset(h->c);
}

static void bad_pointer_changes_nothing(void)
{
	const struct pointer *t;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, POINTER_LAYOUT, p);
	for (t = pointers; t < pointers + ARRAY_SIZE(pointers); t++)
		expect_rejected(&h, (char *)p[t->block] + t->offset, t->status);
	heap_close(&h);
}

static void foreign_pointer_changes_nothing(void)
{
	static int foreign;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, POINTER_LAYOUT, p);
	expect_rejected(&h, NULL, TLSF_E_OUTSIDE);
	expect_rejected(&h, &foreign, TLSF_E_OUTSIDE);
	expect_rejected(&h, h.c, TLSF_E_OUTSIDE);
	expect_rejected(&h, h.c->list, TLSF_E_OUTSIDE);
	expect_rejected(&h, (void *)(UINTPTR_MAX - G + 1), TLSF_E_OUTSIDE);
	heap_close(&h);
}

/* freed blocks, after they have merged in each way */
static void pointer_freed_twice_changes_nothing(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, POINTER_LAYOUT, p);
	EXPECT_STATUS(heap_free(&h, p[2]), TLSF_OK);	/* with the block below */
	EXPECT_STATUS(heap_free(&h, p[3]), TLSF_OK);	/* with both */
	EXPECT_STATUS(heap_free(&h, p[6]), TLSF_OK);	/* with none */
	tlsf_core_stats_reset(h.c);
	expect_rejected(&h, p[2], TLSF_E_HEADER);
	expect_rejected(&h, p[3], TLSF_E_HEADER);
	expect_rejected(&h, p[6], TLSF_E_FREE);
	heap_close(&h);
}

static void broken_links_are_named(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct snapshot before;
	struct heap h;

	heap_build(&h, "U64 F64 U64", p);
	tlsf_block_of(p[1])->next = 0;
	snapshot_take(&before, &h);
	EXPECT_STATUS(tlsf_core_free(h.c, p[0]), TLSF_E_LINKS);
	EXPECT_PTR(tlsf_core_alloc(h.c, 64), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	EXPECT_PTR(tlsf_core_memalign(h.c, 2 * G, 24), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	snapshot_expect_same(&before, &h);
	heap_close(&h);
}

/* ---- in words ---- */

static void every_status_has_words_of_its_own(void)
{
	int a, b;

	for (a = 0; a < TLSF_STATUS_NR; a++) {
		const char *text = tlsf_core_strstatus(a);

		EXPECT(text && *text);
		for (b = 0; b < a; b++)
			EXPECT(strcmp(text, tlsf_core_strstatus(b)));
	}
	EXPECT(!strcmp(tlsf_core_strstatus(TLSF_STATUS_NR), "unknown status"));
	EXPECT(!strcmp(tlsf_core_strstatus((enum tlsf_status)-1), "unknown status"));
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(failed_request_changes_nothing),
		KTAP_CASE(alignment_of_zero_is_rejected),
		KTAP_CASE(size_beyond_any_block_is_told_from_exhaustion),
		KTAP_CASE(retired_heap_serves_no_request),
		KTAP_CASE(bad_pointer_changes_nothing),
		KTAP_CASE(foreign_pointer_changes_nothing),
		KTAP_CASE(pointer_freed_twice_changes_nothing),
		KTAP_CASE(broken_links_are_named),
		KTAP_CASE(every_status_has_words_of_its_own),
	};

	return ktap_run("unit_status", cases, ARRAY_SIZE(cases));
}
