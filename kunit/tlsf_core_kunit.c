// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite "tlsf_core": the core, white-box, in the kernel.
 *
 * Room: kunit. Includes tlsf_core.h, and the core's own objects are linked into this
 * module, so it runs without tlsf_mod.ko. What the user-space tests of tools/host prove
 * at length is repeated here in its essentials, with the kernel's compiler flags and
 * under KASAN. The control structure and the region above it are one kmalloc'ed piece,
 * to the byte: an access past its ends is seen, and one in between would be a write that
 * unchanged() or the checker finds.
 *
 * Most tests start from a heap in writing, "U64 F128 U32", and compare with another one
 * (layout.h); p[i] is its i-th block. checked() proves all invariants, the accounting
 * and the bound of the steps around every operation, and each operation its own bound. These
 * are the inlined operations of tlsf_ops.h; what a test calls itself is in tlsf_core.c.
 */
#include <kunit/test.h>

#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../tlsf_ops.h"
#include "layout.h"

#define G		TLSF_GRANULE
#define BLOCKS_MAX	10
#define LAYOUT_MAX	40
#define TOP_BIT		(SIZE_MAX / 2 + 1)

/* scans before the own list is looked at: its head comes before the bitmap */
#define OWN_SCAN	0

/* most steps of each operation: see tlsf_ops.h, "Steps" */
#define ALLOC_STEPS	(OWN_SCAN + 5)
#define MEMALIGN_STEPS	(OWN_SCAN + 7)
#define FREE_STEPS	5
#define RESIZE_STEPS	4
#define GROW_BACKWARD_STEPS 6

static_assert(MEMALIGN_STEPS <= TLSF_STEPS_MAX, "the longest operation is bounded");

struct heap {
	struct tlsf_core *c;
	unsigned int steps;	/* of the last checked operation */
	void *p[BLOCKS_MAX];
};

/* the parameters name_cases[] of struct name_case, described by its member title */
#define PARAM_TABLE(name_, title)							\
	static void name_##_desc(const struct name_##_case *t, char *desc)		\
	{										\
		strscpy(desc, t->title, KUNIT_PARAM_DESC_SIZE);				\
	}										\
	KUNIT_ARRAY_PARAM(name_, name_##_cases, name_##_desc)

/* ---- heaps ---- */

/* memory for a region of @region_bytes: how much it takes */
static size_t memory_for(size_t region_bytes)
{
	size_t bytes = region_bytes;

	while (!tlsf_core_size(bytes) || bytes - tlsf_core_size(bytes) < region_bytes)
		bytes += G;
	return bytes;
}

/* a heap whose region has exactly @bytes */
static void heap_open(struct kunit *test, struct heap *h, size_t bytes)
{
	size_t all = memory_for(bytes);
	void *mem = kunit_kzalloc(test, all, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	h->c = tlsf_core_init(mem, all);
	KUNIT_ASSERT_PTR_EQ(test, (void *)h->c, mem);
	KUNIT_ASSERT_PTR_EQ(test, (void *)tlsf_core_start(h->c), mem + all - bytes);
	KUNIT_ASSERT_PTR_EQ(test, (void *)tlsf_core_end(h->c), mem + all - TLSF_BLOCK_HEADER);
}

static void accounting_checked(struct kunit *test, const struct heap *h)
{
	struct tlsf_core_stats s;

	tlsf_core_stats(h->c, &s);
	KUNIT_EXPECT_EQ(test, s.used_bytes + s.free_bytes + s.overhead_bytes, s.region_bytes);
	KUNIT_EXPECT_GE(test, s.high_water, s.used_bytes + s.used_blocks * G);
}

/* all that must hold after any operation */
static void checked(struct kunit *test, const struct heap *h)
{
	const void *where = NULL;

	KUNIT_ASSERT_EQ_MSG(test, tlsf_core_check(h->c, &where), 0, "broken at %p", where);
	KUNIT_EXPECT_LE(test, h->steps, (unsigned int)TLSF_STEPS_MAX);
	accounting_checked(test, h);
}

static void checked_steps(struct kunit *test, const struct heap *h, unsigned int most)
{
	checked(test, h);
	KUNIT_EXPECT_LE(test, h->steps, most);
}

static void *alloc(struct kunit *test, struct heap *h, size_t size)
{
	enum tlsf_status why;
	void *ptr = tlsf_op_alloc(h->c, size, &h->steps, &why);

	if (!ptr)
		tlsf_core_alloc_failed(h->c, size, why);
	checked_steps(test, h, ALLOC_STEPS);
	return ptr;
}

static void *memalign(struct kunit *test, struct heap *h, size_t align, size_t size)
{
	enum tlsf_status why;
	void *ptr = tlsf_op_memalign(h->c, align, size, &h->steps, &why);

	if (!ptr)
		tlsf_core_alloc_failed(h->c, size, why);
	checked_steps(test, h, MEMALIGN_STEPS);
	return ptr;
}

static enum tlsf_status give(struct kunit *test, struct heap *h, void *ptr)
{
	enum tlsf_status status = tlsf_op_free(h->c, ptr, &h->steps) ?
				  TLSF_OK : tlsf_core_reject(h->c, ptr);

	checked_steps(test, h, FREE_STEPS);
	return status;
}

static enum tlsf_status resize(struct kunit *test, struct heap *h, void *ptr, size_t size)
{
	enum tlsf_status status = tlsf_op_resize(h->c, ptr, size, &h->steps);

	checked_steps(test, h, RESIZE_STEPS);
	return status;
}

static enum tlsf_status grow_backward(struct kunit *test, struct heap *h, void **ptr,
				      size_t align, size_t size)
{
	enum tlsf_status status = tlsf_op_grow_backward(h->c, ptr, align, size, &h->steps);

	checked_steps(test, h, GROW_BACKWARD_STEPS);
	return status;
}

static size_t layout_bytes(const char *layout)
{
	size_t bytes = TLSF_BLOCK_HEADER;	/* the end mark */
	struct layout_token token;

	while (layout_token(&layout, &token))
		bytes += token.size + TLSF_BLOCK_HEADER;
	return bytes;
}

/* exactly the heap of @layout */
static void build(struct kunit *test, struct heap *h, const char *layout)
{
	struct layout_token token;
	const char *text;
	int i;

	heap_open(test, h, layout_bytes(layout));
	for (i = 0, text = layout; layout_token(&text, &token); i++) {
		h->p[i] = alloc(test, h, token.size);
		KUNIT_ASSERT_NOT_NULL(test, h->p[i]);
	}
	for (i = 0, text = layout; layout_token(&text, &token); i++)
		if (token.free)
			KUNIT_ASSERT_EQ(test, give(test, h, h->p[i]), TLSF_OK);
	KUNIT_ASSERT_TRUE(test, layout_matches(h->c, layout));
	tlsf_core_stats_reset(h->c);
}

static void looks_like(struct kunit *test, const struct heap *h, const char *layout)
{
	KUNIT_EXPECT_TRUE_MSG(test, layout_matches(h->c, layout), "expected %s", layout);
}

/* ---- nothing changes: the control structure and all bytes of the region ---- */

struct snapshot {
	struct tlsf_core *copy;
};

static size_t heap_bytes(const struct heap *h)
{
	return tlsf_core_end(h->c) + TLSF_BLOCK_HEADER - (void *)h->c;
}

static void snapshot_take(struct kunit *test, const struct heap *h, struct snapshot *s)
{
	s->copy = kunit_kzalloc(test, heap_bytes(h), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->copy);
	memcpy(s->copy, h->c, heap_bytes(h));
}

/* but for the counters of failures, and nil.prev, which is scratch */
static void unchanged(struct kunit *test, const struct heap *h, struct snapshot *s)
{
	s->copy->nil.prev = h->c->nil.prev;
	s->copy->status = h->c->status;
	s->copy->bad_pointers = h->c->bad_pointers;
	s->copy->fail_exhausted = h->c->fail_exhausted;
	s->copy->fail_fragmented = h->c->fail_fragmented;
	KUNIT_EXPECT_EQ(test, memcmp(s->copy, h->c, heap_bytes(h)), 0);
}

/* ---- mapping ---- */

/* (f, s) of the paper as one index, computed naively */
static unsigned int naive_index(unsigned long r)
{
	unsigned int f = 0;

	if (r < 2 * TLSF_SL_COUNT)
		return r;
	while (r >> f > 1)
		f++;
	return (f - TLSF_SLI + 1) * TLSF_SL_COUNT + ((r - (1UL << f)) >> (f - TLSF_SLI));
}

static void mapping_is_the_formula_to_2_16(struct kunit *test)
{
	unsigned long r;

	for (r = 0; r <= 1UL << 16; r++)
		KUNIT_ASSERT_EQ(test, tlsf_map_index(r), naive_index(r));
}

static void mapping_is_the_formula_at_every_boundary(struct kunit *test)
{
	unsigned int i, last = tlsf_map_index(ULONG_MAX);

	for (i = 1; i <= last; i++) {
		KUNIT_ASSERT_EQ(test, naive_index(tlsf_map_floor(i)), i);
		KUNIT_ASSERT_EQ(test, tlsf_map_index(tlsf_map_floor(i)), i);
		KUNIT_ASSERT_EQ(test, tlsf_map_index(tlsf_map_floor(i) - 1), i - 1);
	}
}

/* ---- allocate ---- */

struct alloc_case {
	char before[LAYOUT_MAX];
	size_t align;		/* 0: alloc, else memalign */
	size_t size;
	int served_from;
	char after[LAYOUT_MAX];
	unsigned int steps;	/* 0: as many scans as there are words of the bitmap between */
};

static const struct alloc_case alloc_cases[] = {
	{ "U64 F64 U64",	0, 64,	1, "U64 U64 U64",		OWN_SCAN + 1 },
	{ "U64 F80 U64",	0, 40,	1, "U64 U40 F80-40 U64",	0 },
	{ "U64 F72 U64",	0, 64,	1, "U64 U72 U64",		0 },
	{ "F64 U24 F32 U24",	0, 32,	2, "F64 U24 U32 U24",		OWN_SCAN + 1 },
	{ "U64 F65536",		0, 64,	1, "U64 U64 F65536-64",		5 },
	{ "U64 F65536",		0, 65536, 1, "U64 U65536",		OWN_SCAN + 1 },
	{ "F64 U24 F96 U24",	0, 80,	2, "F64 U24 U96 U24",		0 },
	{ "U64 F64 U64",	1, 64,	1, "U64 U64 U64",		OWN_SCAN + 1 },
	{ "F8192 U64 F65536",	0, 8200, 2, "F8192 U64 U8200 F65536-8200", OWN_SCAN + 5 },
};

PARAM_TABLE(alloc, before);

static void alloc_serves(struct kunit *test)
{
	const struct alloc_case *t = test->param_value;
	struct heap *h = test->priv;
	void *ptr;

	build(test, h, t->before);
	ptr = t->align ? memalign(test, h, t->align, t->size) : alloc(test, h, t->size);
	KUNIT_EXPECT_PTR_EQ(test, ptr, h->p[t->served_from]);
	if (t->steps)
		KUNIT_EXPECT_EQ(test, h->steps, t->steps);
	looks_like(test, h, t->after);
}

/*
 * Granules for bytes, headers included: 68 and 69 share a list. A request of 69 takes
 * its head only if that is large enough, and does not look at the block behind it.
 */
struct class_case {
	char before[LAYOUT_MAX];
	int freed_last;		/* it becomes the head */
	int served_from;
};

static const struct class_case class_cases[] = {
	{ "U64 U544 U64 F568 U64",		1, 1 },
	{ "U64 U536 U64 F568 U64",		1, 3 },
	{ "U64 F544 U64 U536 U64 F568 U64",	3, 5 },
	{ "U64 U544 U64 F536 U64 F568 U64",	1, 1 },
};

PARAM_TABLE(class, before);

static void own_list_serves_when_its_head_is_large_enough(struct kunit *test)
{
	const struct class_case *t = test->param_value;
	struct heap *h = test->priv;

	if (G != 8)
		kunit_skip(test, "the layouts are written for a granule of 8");
	KUNIT_ASSERT_EQ(test, tlsf_map_index(69), tlsf_map_index(68));
	build(test, h, t->before);
	KUNIT_ASSERT_EQ(test, give(test, h, h->p[t->freed_last]), TLSF_OK);
	KUNIT_EXPECT_PTR_EQ(test, alloc(test, h, 544), h->p[t->served_from]);
}

static void memalign_serves_every_power_of_two(struct kunit *test)
{
	struct heap *h = test->priv;
	size_t align;
	void *ptr;

	heap_open(test, h, 32768);
	for (align = 1; align <= 8192; align *= 2) {
		ptr = memalign(test, h, align, 100);
		KUNIT_ASSERT_NOT_NULL(test, ptr);
		KUNIT_EXPECT_EQ(test, (uintptr_t)ptr % align, 0);
		memset(ptr, 0xff, 100);
		KUNIT_EXPECT_EQ(test, give(test, h, ptr), TLSF_OK);
		looks_like(test, h, "F*");
	}
}

/* ---- free ---- */

struct merge_case {
	char before[LAYOUT_MAX];
	int freed;
	char after[LAYOUT_MAX];
	unsigned int steps;
};

static const struct merge_case merge_cases[] = {
	{ "U64 U128 U32",	1, "U64 F128 U32",	1 },
	{ "F64 U128 U32",	1, "F64+128 U32",	3 },
	{ "U64 U128 F32",	1, "U64 F128+32",	3 },
	{ "F64 U128 F32",	1, "F64+128+32",	5 },
	{ "U64 U128 U32",	0, "F64 U128 U32",	1 },
	{ "U64 U128 U32",	2, "U64 U128 F32",	1 },
	{ "U64",		0, "F64",		1 },
};

PARAM_TABLE(merge, before);

static void free_merges_at_once(struct kunit *test)
{
	const struct merge_case *t = test->param_value;
	struct heap *h = test->priv;

	build(test, h, t->before);
	KUNIT_EXPECT_EQ(test, give(test, h, h->p[t->freed]), TLSF_OK);
	KUNIT_EXPECT_EQ(test, h->steps, t->steps);
	looks_like(test, h, t->after);
}

/* ---- the worst cases of the paper (Masmano et al., ECRTS 2004) ---- */

static const size_t region_sizes[] = { SZ_64K, SZ_256K, SZ_1M };

/* all free memory is one block: two scans to find it, and what is too much goes back */
static void paper_worst_malloc_splits_the_largest_block_for_the_smallest_request(struct kunit *test)
{
	struct heap *h = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(region_sizes); i++) {
		heap_open(test, h, region_sizes[i]);
		KUNIT_EXPECT_NOT_NULL(test, alloc(test, h, 1));
		KUNIT_EXPECT_EQ(test, h->steps, ALLOC_STEPS - OWN_SCAN);
	}
}

/* the same with an alignment: what is too much is on both sides */
static void paper_worst_malloc_aligned(struct kunit *test)
{
	struct heap *h = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(region_sizes); i++) {
		heap_open(test, h, region_sizes[i]);
		alloc(test, h, 3 * G);
		KUNIT_EXPECT_NOT_NULL(test, memalign(test, h, SZ_4K, 1));
		KUNIT_EXPECT_EQ(test, h->steps, MEMALIGN_STEPS - OWN_SCAN);
	}
}

/* both neighbours are free, each in a list of its own, and all becomes one block */
static void paper_worst_free_merges_both_neighbours(struct kunit *test)
{
	struct heap *h = test->priv;

	build(test, h, "F64 U128 F8192 U24");
	KUNIT_EXPECT_EQ(test, give(test, h, h->p[1]), TLSF_OK);
	KUNIT_EXPECT_EQ(test, h->steps, FREE_STEPS);
	looks_like(test, h, "F64+128+8192 U24");
}

/* ---- resize ---- */

struct resize_case {
	char before[LAYOUT_MAX];
	int block;
	size_t back_align;	/* 0: resize, else grow_backward */
	size_t size;
	enum tlsf_status status;
	char after[LAYOUT_MAX];
};

static const struct resize_case resize_cases[] = {
	{ "U128 U64",		0, 0, 64,	TLSF_OK,	"U64 F128-64 U64" },
	{ "U128 F64",		0, 0, 64,	TLSF_OK,	"U64 F128+64-64" },
	{ "U40 U64",		0, 0, 32,	TLSF_OK,	"U40 U64" },
	{ "U64 F64 U64",	0, 0, 128,	TLSF_OK,	"U64+64 U64" },
	{ "U64 F200 U64",	0, 0, 128,	TLSF_OK,	"U128 F64+200-128 U64" },
	{ "U64 F64 U64",	0, 0, 64 + G + 65, TLSF_E_FRAGMENTED, "U64 F64 U64" },
	{ "U64 F64 U64",	0, 0, 0,	TLSF_E_SIZE,	"U64 F64 U64" },
	{ "U64 F64 U64",	0, 0, SIZE_MAX,	TLSF_E_SIZE,	"U64 F64 U64" },
	{ "F64 U64 U64",	1, 1, 128,	TLSF_OK,	"U64+64 U64" },
	{ "F64 U64 F64 U64",	1, 1, 144,	TLSF_OK,	"U64+64+64 U64" },
	{ "F200 U64 F64",	1, 1, 200,	TLSF_OK,	"U200+64 F64" },
	{ "U64 U64 F200",	1, 1, 100,	TLSF_E_FRAGMENTED, "U64 U64 F200" },
	{ "F64 U64 F64",	1, 3, 100,	TLSF_E_ALIGN,	"F64 U64 F64" },
	{ "F64 U64 F64",	1, 1, SIZE_MAX,	TLSF_E_SIZE,	"F64 U64 F64" },
};

PARAM_TABLE(resize, before);

static void resize_in_place(struct kunit *test)
{
	const struct resize_case *t = test->param_value;
	struct heap *h = test->priv;
	struct snapshot before;
	void *ptr;

	build(test, h, t->before);
	snapshot_take(test, h, &before);
	ptr = h->p[t->block];
	KUNIT_EXPECT_EQ(test, t->status, t->back_align ?
			grow_backward(test, h, &ptr, t->back_align, t->size) :
			resize(test, h, ptr, t->size));
	if (t->status != TLSF_OK)
		unchanged(test, h, &before);
	looks_like(test, h, t->after);
}

/* ---- failed requests, rejected pointers ---- */

struct request_case {
	char layout[LAYOUT_MAX];
	size_t align;		/* 0: alloc, else memalign */
	size_t size;
	enum tlsf_status status;
};

static const struct request_case request_cases[] = {
	{ "F1024",		0, 0,		TLSF_E_SIZE },
	{ "F1024",		0, SIZE_MAX,	TLSF_E_SIZE },
	{ "F1024",		0, TOP_BIT,	TLSF_E_SIZE },
	{ "F1024",		64, 0,		TLSF_E_SIZE },
	{ "F1024",		512, 1024,	TLSF_E_SIZE },
	{ "F1024",		3, 64,		TLSF_E_ALIGN },
	{ "F1024",		SIZE_MAX, 64,	TLSF_E_ALIGN },
	{ "F1024",		TOP_BIT, 64,	TLSF_E_ALIGN },
	{ "U64 F64 U64",	0, 64 + G + 1,	TLSF_E_EXHAUSTED },
	{ "U64",		16, 1,		TLSF_E_EXHAUSTED },
	{ "F64 U64 F64",	0, 64 + G,	TLSF_E_FRAGMENTED },
	{ "F64 U64 F64",	32, 64,		TLSF_E_FRAGMENTED },
};

PARAM_TABLE(request, layout);

static void failed_request_changes_nothing(struct kunit *test)
{
	const struct request_case *t = test->param_value;
	struct heap *h = test->priv;
	struct snapshot before;

	build(test, h, t->layout);
	snapshot_take(test, h, &before);
	KUNIT_EXPECT_NULL(test, t->align ? memalign(test, h, t->align, t->size) :
					   alloc(test, h, t->size));
	KUNIT_EXPECT_EQ(test, tlsf_core_status(h->c), t->status);
	unchanged(test, h, &before);
	checked(test, h);
}

struct pointer_case {
	char name[LAYOUT_MAX];
	int block;		/* of "U64 F64 U64 U64" */
	ptrdiff_t offset;
	enum tlsf_status status;
};

static const struct pointer_case pointer_cases[] = {
	{ "one byte in",	0, 1,			TLSF_E_MISALIGNED },
	{ "one granule in",	0, TLSF_GRANULE,	TLSF_E_HEADER },
	{ "header",		2, -(ptrdiff_t)TLSF_GRANULE, TLSF_E_HEADER },
	{ "first header",	0, -(ptrdiff_t)TLSF_GRANULE, TLSF_E_OUTSIDE },
	{ "end mark",		3, 64 + TLSF_GRANULE,	TLSF_E_OUTSIDE },
	{ "free block",		1, 0,			TLSF_E_FREE },
};

PARAM_TABLE(pointer, name);

/* by free, resize, grow back and usable alike */
static void rejected(struct kunit *test, struct heap *h, void *ptr, enum tlsf_status status)
{
	struct snapshot before;
	size_t usable = 77;
	void *at = ptr;

	snapshot_take(test, h, &before);
	KUNIT_EXPECT_EQ(test, tlsf_core_free(h->c, ptr), status);
	KUNIT_EXPECT_EQ(test, tlsf_core_resize(h->c, ptr, 100), status);
	KUNIT_EXPECT_EQ(test, tlsf_core_grow_backward(h->c, &at, 1, 100), status);
	KUNIT_EXPECT_EQ(test, tlsf_core_usable(h->c, ptr, &usable), status);
	KUNIT_EXPECT_PTR_EQ(test, at, ptr);
	KUNIT_EXPECT_EQ(test, usable, 77);
	unchanged(test, h, &before);
}

static void bad_pointer_changes_nothing(struct kunit *test)
{
	const struct pointer_case *t = test->param_value;
	struct heap *h = test->priv;

	build(test, h, "U64 F64 U64 U64");
	rejected(test, h, h->p[t->block] + t->offset, t->status);
	checked(test, h);
}

/* whatever small numbers a caller stores, sizes and links included: none is a header */
static void pointer_at_stored_numbers_changes_nothing(struct kunit *test)
{
	struct heap *h = test->priv;
	size_t i, n, *words;

	build(test, h, "U64 U128 F64 U64");
	words = h->p[1];
	for (n = TLSF_BLOCK_MIN; n <= 2 * TLSF_BLOCK_MIN; n += G / 2) {
		for (i = 0; i < 128 / G; i++)
			words[i] = n;
		for (i = 1; i < 128 / G; i++)
			rejected(test, h, words + i, TLSF_E_HEADER);
	}
	for (i = 0; i < 128 / G; i++)
		words[i] = tlsf_block_index(h->c, (void *)(words + i));
	for (i = 1; i < 128 / G; i++)
		rejected(test, h, words + i, TLSF_E_HEADER);
	checked(test, h);
}

static void foreign_pointer_changes_nothing(struct kunit *test)
{
	struct heap *h = test->priv;

	build(test, h, "U64 F64 U64");
	rejected(test, h, NULL, TLSF_E_OUTSIDE);
	rejected(test, h, test, TLSF_E_OUTSIDE);
	rejected(test, h, h->c, TLSF_E_OUTSIDE);
}

static void pointer_freed_twice_changes_nothing(struct kunit *test)
{
	struct heap *h = test->priv;

	build(test, h, "U64 U64 U64 U64 U64");
	KUNIT_ASSERT_EQ(test, give(test, h, h->p[3]), TLSF_OK);
	rejected(test, h, h->p[3], TLSF_E_FREE);
	KUNIT_ASSERT_EQ(test, give(test, h, h->p[1]), TLSF_OK);
	KUNIT_ASSERT_EQ(test, give(test, h, h->p[2]), TLSF_OK);		/* merges with both */
	rejected(test, h, h->p[2], TLSF_E_HEADER);
}

/* each field that a free of p[2] in "U32 F128 U64 F200 U32" would trust */
struct damage_case {
	char name[LAYOUT_MAX];
	size_t *(*field)(struct heap *h);
	enum tlsf_status status;
};

static size_t *header_above(struct heap *h)
{
	return &tlsf_block_of(h->p[3])->header;
}

static size_t *next_above(struct heap *h)
{
	return &tlsf_block_of(h->p[3])->next;
}

static size_t *prev_above(struct heap *h)
{
	return &tlsf_block_of(h->p[3])->prev;
}

static size_t *footer_above(struct heap *h)
{
	return tlsf_block_footer_below(tlsf_block_of(h->p[4]));
}

static size_t *header_below(struct heap *h)
{
	return &tlsf_block_of(h->p[1])->header;
}

static size_t *next_below(struct heap *h)
{
	return &tlsf_block_of(h->p[1])->next;
}

static size_t *prev_below(struct heap *h)
{
	return &tlsf_block_of(h->p[1])->prev;
}

static size_t *footer_below(struct heap *h)
{
	return tlsf_block_footer_below(tlsf_block_of(h->p[2]));
}

#define DAMAGE(field, status)	{ #field, field, status }

static const struct damage_case damage_cases[] = {
	DAMAGE(header_above, TLSF_E_NEIGHBOUR),
	DAMAGE(next_above, TLSF_E_LINKS),
	DAMAGE(prev_above, TLSF_E_LINKS),
	DAMAGE(footer_above, TLSF_E_NEIGHBOUR),
	DAMAGE(header_below, TLSF_E_NEIGHBOUR),
	DAMAGE(next_below, TLSF_E_LINKS),
	DAMAGE(prev_below, TLSF_E_LINKS),
	DAMAGE(footer_below, TLSF_E_NEIGHBOUR),
};

PARAM_TABLE(damage, name);

static void damage_is_rejected(struct kunit *test)
{
	const struct damage_case *t = test->param_value;
	struct heap *h = test->priv;
	struct snapshot before;
	size_t i, was, damage[] = { SIZE_MAX, SIZE_MAX - 6, TOP_BIT, 3, 0, 0, 0, 0, 0 };

	build(test, h, "U32 F128 U64 F200 U32");
	was = *t->field(h);
	damage[4] = was + 1;		/* indices: of the granule beside the right one */
	damage[5] = was - 1;
	damage[6] = h->c->last + 1;	/* and of those beside the last that a link may have */
	damage[7] = h->c->last;
	damage[8] = 0;			/* what a caller who still uses the block writes there */
	for (i = 0; i < ARRAY_SIZE(damage); i++) {
		*t->field(h) = damage[i];
		snapshot_take(test, h, &before);
		KUNIT_EXPECT_EQ(test, tlsf_core_free(h->c, h->p[2]), t->status);
		unchanged(test, h, &before);
	}
	*t->field(h) = was;
	KUNIT_EXPECT_EQ(test, give(test, h, h->p[2]), TLSF_OK);
}

/* ---- memory ---- */

/* wherever it begins, and whatever is left behind its last granule */
static void memory_is_cut_to_the_granule(struct kunit *test)
{
	size_t bytes = memory_for(256), offset, odd;
	struct heap *h = test->priv;
	void *mem = kunit_kzalloc(test, bytes + 10 * G, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	for (offset = 0; offset <= 8 * G; offset += G) {
		for (odd = 0; odd < G; odd++) {
			h->c = tlsf_core_init(mem + offset, bytes + odd);
			KUNIT_ASSERT_PTR_EQ(test, (void *)h->c, mem + offset);
			KUNIT_EXPECT_EQ(test, heap_bytes(h), bytes);
			looks_like(test, h, "F*");
			checked(test, h);
		}
	}
}

static void bad_memory_is_rejected(struct kunit *test)
{
	size_t least = memory_for(TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER), offset;
	struct heap *h = test->priv;
	struct snapshot before;

	build(test, h, "U64 F64");
	snapshot_take(test, h, &before);
	KUNIT_EXPECT_NULL(test, tlsf_core_init(NULL, SZ_4K));
	KUNIT_EXPECT_NULL(test, tlsf_core_init(h->c, 0));
	KUNIT_EXPECT_NULL(test, tlsf_core_init(h->c, least - 1));
	KUNIT_EXPECT_NULL(test, tlsf_core_init(h->c, SIZE_MAX));
	KUNIT_EXPECT_NULL(test, tlsf_core_init(h->c, SIZE_MAX - (uintptr_t)h->c + 1));
	for (offset = 1; offset < G; offset++)
		KUNIT_EXPECT_NULL(test, tlsf_core_init((void *)h->c + offset, SZ_4K));
	unchanged(test, h, &before);
	looks_like(test, h, "U64 F64");
	checked(test, h);
}

static void whole_region_is_one_request(struct kunit *test)
{
	struct heap *h = test->priv;
	size_t bytes;
	void *ptr;

	for (bytes = TLSF_BLOCK_MIN + G; bytes < 8192; bytes += bytes / 3 / G * G + G) {
		heap_open(test, h, bytes);
		KUNIT_EXPECT_NULL(test, alloc(test, h, bytes - 2 * G + 1));
		ptr = alloc(test, h, bytes - 2 * G);
		KUNIT_ASSERT_NOT_NULL(test, ptr);
		memset(ptr, 0xff, bytes - 2 * G);
		KUNIT_EXPECT_EQ(test, give(test, h, ptr), TLSF_OK);
	}
}

/* ---- figures ---- */

static void figures_add_up(struct kunit *test)
{
	struct heap *h = test->priv;
	struct tlsf_core_stats s;

	build(test, h, "U64 F128 U32 F48");
	KUNIT_EXPECT_NULL(test, alloc(test, h, 150));
	KUNIT_EXPECT_NULL(test, alloc(test, h, 210));
	KUNIT_EXPECT_EQ(test, give(test, h, NULL), TLSF_E_OUTSIDE);
	tlsf_core_stats(h->c, &s);
	KUNIT_EXPECT_EQ(test, s.used_bytes, 96);
	KUNIT_EXPECT_EQ(test, s.free_bytes, 176);
	KUNIT_EXPECT_EQ(test, s.overhead_bytes, 5 * G);
	KUNIT_EXPECT_EQ(test, s.largest_free, 128);
	KUNIT_EXPECT_EQ(test, s.used_blocks, 2);
	KUNIT_EXPECT_EQ(test, s.free_blocks, 2);
	KUNIT_EXPECT_EQ(test, s.fail_fragmented, 1);
	KUNIT_EXPECT_EQ(test, s.fail_exhausted, 1);
	KUNIT_EXPECT_EQ(test, s.bad_pointers, 1);
}

/* ---- the checker names what is broken ---- */

struct fault_case {
	char name[LAYOUT_MAX];
	unsigned int invariant;
	void (*plant)(struct heap *h);
};

static void end_mark_is_free(struct heap *h)
{
	tlsf_block_above(tlsf_block_of(h->p[4]), 32 + G)->header &= ~TLSF_USED;
}

static void block_has_no_size(struct heap *h)
{
	tlsf_block_of(h->p[0])->header = 0;
}

static void two_free_blocks_touch(struct heap *h)
{
	tlsf_block_of(h->p[0])->header &= ~TLSF_USED;
	*tlsf_block_footer_below(tlsf_block_of(h->p[1])) =
		tlsf_block_index(h->c, tlsf_block_of(h->p[0]));
}

static void free_block_below_is_not_known(struct heap *h)
{
	tlsf_block_of(h->p[2])->header &= ~TLSF_PREV_FREE;
}

static void footer_leads_elsewhere(struct heap *h)
{
	*footer_below(h) = 0;
}

static void link_back_leads_elsewhere(struct heap *h)
{
	*prev_above(h) = 0;
}

static void free_block_is_in_no_list(struct heap *h)
{
	tlsf_block_at(h->c, tlsf_block_of(h->p[1])->prev)->next = tlsf_link(TLSF_NIL);
	tlsf_block_at(h->c, tlsf_block_of(h->p[3])->prev)->next = tlsf_link(TLSF_NIL);
	memset(h->c->bitmap, 0, sizeof(h->c->bitmap));
	h->c->summary = 0;
}

static void bit_of_a_list_is_lost(struct heap *h)
{
	size_t list = tlsf_block_of(h->p[1])->prev;

	__clear_bit(list, h->c->bitmap);
}

static void bit_of_the_summary_is_lost(struct heap *h)
{
	h->c->summary = 0;
}

static void free_granules_are_off(struct heap *h)
{
	h->c->free++;
}

static void nil_leads_on(struct heap *h)
{
	h->c->nil.next = tlsf_link(tlsf_block_index(h->c, tlsf_block_of(h->p[1])));
}

static void region_ends_elsewhere(struct heap *h)
{
	h->c->last--;
}

#define FAULT(invariant, plant)	{ #plant, invariant, plant }

static const struct fault_case fault_cases[] = {
	FAULT(1, end_mark_is_free),
	FAULT(2, block_has_no_size),
	FAULT(3, two_free_blocks_touch),
	FAULT(4, free_block_below_is_not_known),
	FAULT(5, footer_leads_elsewhere),
	FAULT(6, link_back_leads_elsewhere),
	FAULT(7, free_block_is_in_no_list),
	FAULT(8, bit_of_a_list_is_lost),
	FAULT(8, bit_of_the_summary_is_lost),
	FAULT(9, free_granules_are_off),
	FAULT(10, nil_leads_on),
	FAULT(10, region_ends_elsewhere),
};

PARAM_TABLE(fault, name);

static void checker_names_the_invariant(struct kunit *test)
{
	const struct fault_case *t = test->param_value;
	struct heap *h = test->priv;
	const void *where = NULL;

	build(test, h, "U64 F128 U64 F200 U32");
	t->plant(h);
	KUNIT_EXPECT_EQ(test, tlsf_core_check(h->c, &where), t->invariant);
	KUNIT_EXPECT_NOT_NULL(test, where);
}

/* ---- the suite ---- */

static int heap_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct heap), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct kunit_case core_cases[] = {
	KUNIT_CASE(mapping_is_the_formula_to_2_16),
	KUNIT_CASE(mapping_is_the_formula_at_every_boundary),
	KUNIT_CASE_PARAM(alloc_serves, alloc_gen_params),
	KUNIT_CASE_PARAM(own_list_serves_when_its_head_is_large_enough, class_gen_params),
	KUNIT_CASE(memalign_serves_every_power_of_two),
	KUNIT_CASE_PARAM(free_merges_at_once, merge_gen_params),
	KUNIT_CASE(paper_worst_malloc_splits_the_largest_block_for_the_smallest_request),
	KUNIT_CASE(paper_worst_malloc_aligned),
	KUNIT_CASE(paper_worst_free_merges_both_neighbours),
	KUNIT_CASE_PARAM(resize_in_place, resize_gen_params),
	KUNIT_CASE_PARAM(failed_request_changes_nothing, request_gen_params),
	KUNIT_CASE_PARAM(bad_pointer_changes_nothing, pointer_gen_params),
	KUNIT_CASE(pointer_at_stored_numbers_changes_nothing),
	KUNIT_CASE(foreign_pointer_changes_nothing),
	KUNIT_CASE(pointer_freed_twice_changes_nothing),
	KUNIT_CASE_PARAM(damage_is_rejected, damage_gen_params),
	KUNIT_CASE(memory_is_cut_to_the_granule),
	KUNIT_CASE(bad_memory_is_rejected),
	KUNIT_CASE(whole_region_is_one_request),
	KUNIT_CASE(figures_add_up),
	KUNIT_CASE_PARAM(checker_names_the_invariant, fault_gen_params),
	{}
};

static struct kunit_suite core_suite = {
	.name = "tlsf_core",
	.init = heap_init,
	.test_cases = core_cases,
};

kunit_test_suites(&core_suite);

MODULE_DESCRIPTION("KUnit suite of the TLSF core");
MODULE_LICENSE("GPL");
