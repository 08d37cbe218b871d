// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resize where the block stands: shrink, grow forward, grow backward, both; failure
 * leaves everything as it was.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"

struct resize_case {
	const char *before;
	int block;
	size_t size;
	const char *after;
	unsigned int steps;
};

static const struct resize_case resize_cases[] = {
	/* shrink: the tail becomes a block, joins the free block above, or stays */
	{ "U128 U64",		0, 64,	"U64 F128-64 U64",	2 },
	{ "U128 F64",		0, 64,	"U64 F128+64-64",	4 },
	{ "U128 U64",		0, 127,	"U128 U64",		0 },
	{ "U40 U64",		0, 32,	"U40 U64",		0 },
	{ "F64 U128 U64",	1, 64,	"F64 U64 F128-64 U64",	2 },
	{ "U128",		0, 24,	"U24 F128-24",		2 },
	/* grow into the free block above: all of it, or a part */
	{ "U64 F64 U64",	0, 64 + G + 64,	"U64+64 U64",	2 },
	{ "U64 F200 U64",	0, 128,	"U128 F64+200-128 U64",	4 },
	{ "U64 F64 U64",	0, 128,	"U64+64 U64",		2 },
	{ "F32 U64 F64 U64",	1, 128,	"F32 U64+64 U64",	2 },
	{ "U64 F64",		0, 72,	"U72 F64+64-72",	4 },
	{ "U64 F1000",		0, 64 + G + 1000, "U64+1000",	2 },
	/* the same size again */
	{ "U64 U64",		0, 64,	"U64 U64",		0 },
	{ "U64 F64 U64",	0, 64,	"U64 F64 U64",		0 },
};

static void resize_in_place(void)
{
	const struct resize_case *r;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	for (r = resize_cases; r < resize_cases + ARRAY_SIZE(resize_cases); r++) {
		heap_build(&h, r->before, p);
		EXPECT_STATUS(heap_resize(&h, p[r->block], r->size), TLSF_OK);
		heap_expect(&h, r->after);
		EXPECT_STEPS(&h, r->steps);
		EXPECT_EQ(heap_stats(&h).resizes, 1);
		heap_close(&h);
	}
}

/* every pair of sizes: exact arithmetic, whatever the granule */
static void resize_between_all_sizes(void)
{
	size_t from, to, room = block_bytes(400) + block_bytes(400);
	struct heap h;
	void *p;

	for (from = 1; from <= 400; from += 7) {
		for (to = 1; to <= 800; to += 5) {
			heap_open(&h, room + G);
			p = heap_alloc(&h, from);
			EXPECT_STATUS(heap_resize(&h, p, to), TLSF_OK);
			if (room - block_bytes(to) >= TLSF_BLOCK_MIN)
				EXPECT_EQ(heap_usable(&h, p), block_bytes(to) - G);
			else
				EXPECT_EQ(heap_usable(&h, p), room - G);
			heap_close(&h);
		}
	}
}

struct back_case {
	const char *before;
	int block;
	size_t size;
	int moves_to;		/* block whose place it takes */
	const char *grown;	/* after grow_backward */
	const char *trimmed;	/* after the resize that follows */
	unsigned int steps;
};

static const struct back_case back_cases[] = {
	/* room below is enough */
	{ "F64 U64 U64",	1, 128,	0, "U64+64 U64",	"U64+64 U64",		2 },
	{ "U32 F64 U64 U64",	2, 104,	1, "U32 U64+64 U64",	"U32 U104 F64+64-104 U64", 2 },
	{ "F200 U64 F64",	1, 200, 0, "U200+64 F64",	"U200 F64+64",		2 },
	{ "F64 U64 F64",	1, 64 + G + 64, 0, "U64+64 F64", "U64+64 F64",		2 },
	{ "F512 U64",		1, 72,	0, "U512+64",		"U72 F512+64-72",	2 },
	/* room above is needed too */
	{ "F64 U64 F64 U64",	1, 144,	0, "U64+64+64 U64",	"U144 F64+64+64-144 U64", 4 },
	{ "F64 U64 F64",	1, 3 * 64 + 2 * G, 0, "U64+64+64", "U64+64+64",		4 },
};

static void grow_backward_then_trim(void)
{
	const struct back_case *b;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	void *at;

	for (b = back_cases; b < back_cases + ARRAY_SIZE(back_cases); b++) {
		heap_build(&h, b->before, p);
		at = p[b->block];
		EXPECT_STATUS(heap_grow_backward(&h, &at, 1, b->size), TLSF_OK);
		EXPECT_STEPS(&h, b->steps);
		EXPECT_PTR(at, p[b->moves_to]);
		heap_expect(&h, b->grown);
		EXPECT_EQ(heap_stats(&h).resizes, 1);
		EXPECT_STATUS(heap_resize(&h, at, b->size), TLSF_OK);
		heap_expect(&h, b->trimmed);
		heap_close(&h);
	}
}

/* the new start is aligned and the gap below it stays free, or is none */
static void grow_backward_keeps_alignment_and_gives_back_the_gap(void)
{
	size_t align, first;
	struct heap h;
	void *p, *q, *below;

	for (align = G; align <= 512; align *= 2) {
		for (first = TLSF_BLOCK_MIN; first <= TLSF_BLOCK_MIN + align; first += G) {
			heap_open(&h, 8192);
			below = heap_alloc(&h, first - G);
			p = heap_alloc(&h, 2000);
			q = heap_alloc(&h, 64);
			EXPECT(below && p && q);
			EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
			p = q;
			EXPECT_STATUS(heap_grow_backward(&h, &q, align, 1000), TLSF_OK);
			if ((char *)q - (char *)below == (ptrdiff_t)first)
				heap_expect(&h, "U* U* F*");
			else
				heap_expect(&h, "U* F* U* F*");
			EXPECT_EQ((uintptr_t)q + heap_usable(&h, q), (uintptr_t)p + 64);
			heap_close(&h);
		}
	}
}

static void grow_backward_may_take_all_its_steps(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t size;
	char *base;

	heap_build(&h, "U40 F4000 U64 F64", p);
	base = (char *)p[0] - G;	/* HEAP_ALIGN is more than 1024 */
	size = (size_t)((char *)p[2] + 64 - (base + 1024)) + 1;
	EXPECT_STATUS(heap_grow_backward(&h, &p[2], 1024, size), TLSF_OK);
	EXPECT_STEPS(&h, 6);
	heap_expect(&h, "U40 F* U*");
	heap_close(&h);
}

/* the caller moves the contents; both old and new place are its own until it trims */
static void contents_survive_grow_backward_and_resize(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	void *at;
	int i;

	heap_build(&h, "F64 U256 F64 U32", p);
	at = p[1];
	for (i = 0; i < 256; i++)
		((unsigned char *)at)[i] = (unsigned char)i;
	EXPECT_STATUS(heap_grow_backward(&h, &at, G, 320), TLSF_OK);
	memmove(at, p[1], 256);
	EXPECT_STATUS(heap_resize(&h, at, 320), TLSF_OK);
	EXPECT_STATUS(heap_resize(&h, at, 256), TLSF_OK);
	for (i = 0; i < 256; i++)
		EXPECT_EQ(((unsigned char *)at)[i], i);
	heap_close(&h);
}

/* ---- failure leaves everything ---- */

struct failing {
	const char *layout;
	int block;
	size_t align;		/* 0: resize, else grow_backward */
	size_t size;
	enum tlsf_status status;
};

static const struct failing failing_cases[] = {
	{ "U64 U64",		0, 0,	64 + G,		TLSF_E_FRAGMENTED },
	{ "U64 F64 U64",	0, 0,	64 + G + 65,	TLSF_E_FRAGMENTED },
	{ "F512 U64 U64",	1, 0,	64 + 1,		TLSF_E_FRAGMENTED },
	{ "U64 F64 U64",	0, 0,	64 + G + 65,	TLSF_E_FRAGMENTED },
	{ "U64 F64",		0, 0,	64 + G + 65,	TLSF_E_SIZE },
	{ "U64",		0, 0,	65,		TLSF_E_SIZE },
	{ "U64 F64",		0, 0,	0,		TLSF_E_SIZE },
	{ "U64 F64",		0, 0,	SIZE_MAX,	TLSF_E_SIZE },
	{ "U64 F64",		0, 0,	SIZE_MAX - 64,	TLSF_E_SIZE },
	{ "U64 U64 F512",	1, G,	65,		TLSF_E_FRAGMENTED },
	{ "F64 U64 U64",	1, G,	64 + G + 65,	TLSF_E_FRAGMENTED },
	{ "F64 U64 F64 U64",	1, G,	3 * 64 + 2 * G + 1, TLSF_E_FRAGMENTED },
	{ "F64 U64 F64",	1, G,	3 * 64 + 2 * G + 1, TLSF_E_SIZE },
	{ "U32 F64 U64 U64",	2, 128,	65,		TLSF_E_FRAGMENTED },
	{ "F64 U64 F64",	1, G,	0,		TLSF_E_SIZE },
	{ "F64 U64 F64",	1, G,	SIZE_MAX,	TLSF_E_SIZE },
	{ "F64 U64 F64",	1, 3,	65,		TLSF_E_ALIGN },
	{ "F64 U64 F64",	1, SIZE_MAX, 65,	TLSF_E_ALIGN },
	{ "F64 U64 F64",	1, SIZE_MAX / 2 + 1, 65, TLSF_E_ALIGN },
};

static enum tlsf_status try_failing(struct heap *h, const struct failing *r, void *ptr)
{
	void *at = ptr;

	return r->align ? heap_grow_backward(h, &at, r->align, r->size) :
			  heap_resize(h, ptr, r->size);
}

static void failed_resize_changes_nothing(void)
{
	const struct failing *r;
	void *p[HEAP_BLOCKS_MAX];
	struct snapshot before;
	struct heap h;

	for (r = failing_cases; r < failing_cases + ARRAY_SIZE(failing_cases); r++) {
		heap_build(&h, r->layout, p);
		snapshot_take(&before, &h);
		EXPECT_STATUS(try_failing(&h, r, p[r->block]), r->status);
		snapshot_expect_same(&before, &h);
		EXPECT_STEPS(&h, 0);
		heap_close(&h);
	}
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(resize_in_place),
		KTAP_CASE(resize_between_all_sizes),
		KTAP_CASE(grow_backward_then_trim),
		KTAP_CASE(grow_backward_keeps_alignment_and_gives_back_the_gap),
		KTAP_CASE(grow_backward_may_take_all_its_steps),
		KTAP_CASE(contents_survive_grow_backward_and_resize),
		KTAP_CASE(failed_resize_changes_nothing),
	};

	return ktap_run("unit_resize", cases, ARRAY_SIZE(cases));
}
