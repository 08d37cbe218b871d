// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact borders: validation and limits hold to the granule, even where the memory around
 * was made to look right. What is planted is what a mutated core would fall for.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"
#include "ops.h"

#define REGION		(40 * G)
#define SPARE		(64 * G)	/* memory above the region, in none */
#define BLOCKS		(REGION - G)	/* all of the region but its end mark */

/* header of an allocated block */
#define USED(size)	((size) | TLSF_USED)

static void plant(void *at, size_t word)
{
	memcpy(at, &word, sizeof(word));
}

static enum tlsf_status usable_status(struct heap *h, void *p)
{
	size_t usable;

	return tlsf_core_usable(h->c, p, &usable);
}

/* ---- headers ---- */

static void own_size_ends_in_the_region(void)
{
	struct heap h;
	size_t size;
	void *p;

	heap_open_below(&h, REGION, SPARE, USED(TLSF_BLOCK_MIN));
	EXPECT(heap_alloc(&h, 9 * G));
	p = heap_alloc(&h, BLOCKS - 11 * G);
	for (size = 0; size < BLOCKS - 11 * G; size += G)
		plant((char *)p + size, USED(TLSF_BLOCK_MIN));
	for (size = 0; size < REGION + SPARE - 10 * G; size += G) {
		ktap_note("size %zu", size);
		tlsf_block_of(p)->header = USED(size);
		EXPECT_STATUS(usable_status(&h, p),
			      size >= TLSF_BLOCK_MIN && size <= BLOCKS - 10 * G ?
			      TLSF_OK : TLSF_E_HEADER);
	}
	heap_close(&h);
}

/* an allocated one, whose header is all there is to look at: no larger than all memory */
static void size_of_the_block_above_is_plausible(void)
{
	size_t size, most;
	struct heap h;
	void *p;

	heap_open_below(&h, REGION, SPARE, USED(TLSF_BLOCK_MIN));
	p = heap_alloc(&h, 9 * G);
	EXPECT(heap_alloc(&h, BLOCKS - 11 * G));
	most = h.c->last * G + TLSF_BLOCK_MIN;
	for (size = 0; size < most + SPARE; size += G) {
		ktap_note("size %zu", size);
		tlsf_block_above(tlsf_block_of(p), 10 * G)->header = USED(size);
		EXPECT_STATUS(usable_status(&h, p), size >= TLSF_BLOCK_MIN && size <= most ?
			      TLSF_OK : TLSF_E_NEIGHBOUR);
	}
	heap_close(&h);
}

/* a footer where the size with its wrong flags leads, is none */
static void free_block_above_has_no_other_flag(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct tlsf_block *above;
	size_t flags, size;
	struct heap h;

	for (flags = 1; flags < G; flags++) {
		heap_build(&h, "U64 F64 U64", p);
		above = tlsf_block_of(p[1]);
		size = tlsf_block_size(above);
		above->header = size | flags;
		plant((char *)above + size + flags - G, tlsf_block_index(h.c, above));
		EXPECT_STATUS(usable_status(&h, p[0]), TLSF_E_NEIGHBOUR);
		EXPECT_STATUS(tlsf_core_free(h.c, p[0]), TLSF_E_NEIGHBOUR);
		heap_close(&h);
	}
}

static void block_above_that_takes_us_for_free_is_rejected(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U64 U64 U64", p);
	tlsf_block_of(p[1])->header |= TLSF_PREV_FREE;
	EXPECT_STATUS(usable_status(&h, p[0]), TLSF_E_NEIGHBOUR);
	EXPECT_STATUS(tlsf_core_resize(h.c, p[0], 32), TLSF_E_NEIGHBOUR);
	EXPECT_STATUS(tlsf_core_free(h.c, p[0]), TLSF_E_NEIGHBOUR);
	heap_close(&h);
}

static void block_below_that_ends_elsewhere_is_rejected(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	char *fake;

	heap_build(&h, "F200 U64", p);
	fake = (char *)p[0] + 8 * G;
	plant(fake, (size_t)((char *)tlsf_block_of(p[1]) - fake - G));
	*tlsf_block_footer_below(tlsf_block_of(p[1])) = tlsf_block_index(h.c, (void *)fake);
	EXPECT_STATUS(tlsf_core_free(h.c, p[1]), TLSF_E_NEIGHBOUR);
	heap_close(&h);
}

/* which of the two is wrong below: that it is a block, or where its links lead */
static void what_is_wrong_below_is_told(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct tlsf_block *below;
	struct heap h;

	heap_build(&h, "U64 F64 U64 U64", p);
	below = tlsf_block_of(p[1]);
	*tlsf_block_footer_below(tlsf_block_of(p[2])) = tlsf_block_index(h.c, tlsf_block_of(p[0]));
	EXPECT_STATUS(tlsf_core_free(h.c, p[2]), TLSF_E_NEIGHBOUR);
	*tlsf_block_footer_below(tlsf_block_of(p[2])) = tlsf_block_index(h.c, below);
	below->prev++;
	EXPECT_STATUS(tlsf_core_free(h.c, p[2]), TLSF_E_LINKS);
	heap_close(&h);
}

/* the smallest free block is one; FREE and a size that cannot be are damage */
static void free_block_is_told_from_damage(void)
{
	struct heap h;
	void *p;

	heap_open(&h, REGION);
	p = heap_alloc(&h, 1);
	EXPECT(heap_alloc(&h, 4 * G));
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	EXPECT_STATUS(tlsf_core_free(h.c, p), TLSF_E_FREE);
	tlsf_block_of(p)->header = 0;
	EXPECT_STATUS(tlsf_core_free(h.c, p), TLSF_E_HEADER);
	tlsf_block_of(p)->header = 2 * REGION;
	EXPECT_STATUS(tlsf_core_free(h.c, p), TLSF_E_HEADER);
	heap_close(&h);
}

/* ---- pointers ---- */

static void misaligned_pointer_is_rejected_whatever_is_there(void)
{
	struct heap h;
	size_t off;
	char *p;

	heap_open(&h, REGION);
	p = heap_alloc(&h, 20 * G);
	for (off = 1; off < G; off++) {
		plant(p + 4 * G + off - TLSF_BLOCK_HEADER, USED(TLSF_BLOCK_MIN));
		plant(p + 4 * G + off - TLSF_BLOCK_HEADER + TLSF_BLOCK_MIN,
		      USED(TLSF_BLOCK_MIN));
		EXPECT_STATUS(usable_status(&h, p + 4 * G + off), TLSF_E_MISALIGNED);
		EXPECT_STATUS(tlsf_core_free(h.c, p + 4 * G + off), TLSF_E_MISALIGNED);
	}
	heap_close(&h);
}

static void last_byte_where_a_block_could_begin(void)
{
	struct heap h;
	char *last;

	heap_open(&h, REGION);
	last = (char *)heap_start(&h) + BLOCKS - TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER;
	EXPECT_STATUS(tlsf_core_free(h.c, last + G - 1), TLSF_E_MISALIGNED);
	EXPECT_STATUS(tlsf_core_free(h.c, last + G), TLSF_E_OUTSIDE);
	heap_close(&h);
}

/* ---- links ---- */

/* its last word is the first beyond all that is ours, and agrees */
static void link_that_ends_beyond_the_region_is_rejected(void)
{
	struct tlsf_block *b, *beyond;
	struct heap h;
	void *p, *q;

	heap_open_below(&h, REGION, SPARE, 0);
	p = heap_alloc(&h, 9 * G);
	q = heap_alloc(&h, 9 * G);
	EXPECT(heap_alloc(&h, 9 * G));
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	b = tlsf_block_of(p);
	beyond = (struct tlsf_block *)(heap_end(&h) + G - sizeof(*beyond));
	b->next = tlsf_link(tlsf_block_index(h.c, beyond));
	beyond->prev = tlsf_block_index(h.c, b);
	EXPECT_STATUS(tlsf_core_free(h.c, q), TLSF_E_LINKS);
	heap_close(&h);
}

/* the word that a block at the first index too high would have for its next agrees */
static void link_back_to_the_end_mark_is_rejected(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct tlsf_block *b;
	struct heap h;

	heap_build(&h, "U64 F128 U64", p);
	b = tlsf_block_of(p[1]);
	b->prev = h.c->last + 1;
	tlsf_block_at(h.c, b->prev)->next = tlsf_link(tlsf_block_index(h.c, b));
	EXPECT_STATUS(tlsf_core_free(h.c, p[0]), TLSF_E_LINKS);
	heap_close(&h);
}

/* a granule too large, with a footer where the end mark was */
static void head_that_ends_beyond_its_region_is_not_served(void)
{
	struct tlsf_block *b;
	struct heap h;
	size_t size;

	heap_open_below(&h, REGION, SPARE, 0);
	EXPECT(heap_alloc(&h, 9 * G));
	b = tlsf_block_above((struct tlsf_block *)heap_start(&h), 10 * G);
	size = tlsf_block_size(b) + G;
	b->header = size;
	*tlsf_block_footer_below(tlsf_block_above(b, size)) = tlsf_block_index(h.c, b);
	EXPECT_PTR(tlsf_core_alloc(h.c, 4 * G), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	heap_close(&h);
}

/* a block as it should be, but for its list, in which all are larger */
static void head_smaller_than_its_list_is_not_served(void)
{
	struct snapshot before;
	void *p[HEAP_BLOCKS_MAX];
	struct tlsf_block *b;
	struct heap h;

	heap_build(&h, "U64 F200 U64", p);
	b = tlsf_block_of(p[1]);
	b->header = TLSF_BLOCK_MIN;
	*tlsf_block_footer_below(tlsf_block_above(b, TLSF_BLOCK_MIN)) = tlsf_block_index(h.c, b);
	snapshot_take(&before, &h);
	EXPECT_PTR(tlsf_core_alloc(h.c, 100), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	EXPECT_PTR(tlsf_core_memalign(h.c, 2 * G, 60), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	snapshot_expect_same(&before, &h);
	heap_close(&h);
}

/* p[3] lies between free blocks; the one above is damaged */
static void expect_rejected_free_changes_nothing(struct heap *h, void **p)
{
	size_t *footer = tlsf_block_footer_below(tlsf_block_of(p[5]));
	struct snapshot before;

	*footer = 0;
	snapshot_take(&before, h);
	EXPECT_STATUS(tlsf_core_free(h->c, p[3]), TLSF_E_NEIGHBOUR);
	snapshot_expect_same(&before, h);
	*footer = tlsf_block_index(h->c, tlsf_block_of(p[4]));
}

/*
 * Free takes the block below out of its list before it finds the one above damaged, and
 * puts it back: alone in its list, first, last, and in the middle.
 */
static void rejected_free_puts_the_block_below_back(void)
{
	static const char *const layouts[] = {
		"U128 U32 F128 U64 F200 U32 U128 U32",
		"F128 U32 F128 U64 F200 U32 U128 U32",
		"U128 U32 F128 U64 F200 U32 F128 U32",
		"F128 U32 F128 U64 F200 U32 F128 U32",
	};
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		heap_build(&h, layouts[i], p);
		expect_rejected_free_changes_nothing(&h, p);
		heap_expect(&h, layouts[i]);
		heap_close(&h);
	}
}

/* what it is put back behind has the lowest index of all blocks: it is no list */
static void rejected_free_puts_the_block_below_back_behind_the_first(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U128 U32 F128 U64 F200 U32", p);
	EXPECT_STATUS(heap_free(&h, p[0]), TLSF_OK);
	EXPECT_EQ(tlsf_block_of(p[2])->prev, h.c->start);
	expect_rejected_free_changes_nothing(&h, p);
	heap_expect(&h, "F128 U32 F128 U64 F200 U32");
	heap_close(&h);
}

/* ---- what leads to a free block ---- */

static void set_bit(struct tlsf_core *c, size_t list)
{
	c->bitmap[list / TLSF_WORD_BITS] |= 1UL << list % TLSF_WORD_BITS;
	c->summary |= 1UL << list / TLSF_WORD_BITS;
}

/* neither served nor written over, whoever looks */
static void expect_damage_on_the_way(struct heap *h, size_t size, size_t largest)
{
	struct snapshot before;

	snapshot_take(&before, h);
	EXPECT_PTR(tlsf_core_alloc(h->c, size), NULL);
	EXPECT_STATUS(tlsf_core_status(h->c), TLSF_E_LINKS);
	EXPECT_PTR(tlsf_core_memalign(h->c, 2 * G, size), NULL);
	EXPECT_STATUS(tlsf_core_status(h->c), TLSF_E_LINKS);
	EXPECT_EQ(heap_stats(h).largest_free, largest);
	EXPECT_EQ(heap_stats(h).fail_fragmented + heap_stats(h).fail_exhausted, 0);
	snapshot_expect_same(&before, h);
	heap_close(h);
}

/* more is free than the 128 bytes that are asked for, but in no block large enough */
#define BITS_LAYOUT	"U64 F64 U32 F64 U32 F64 U1000"
#define BITS_LAST	6

/* what would be its head is the header of the first block: no index, or one of anything */
static void bit_above_the_last_list_is_damage(void)
{
	static const char *const layouts[] = { BITS_LAYOUT, "F64 U32 F64 U32 F64 U1000" };
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		heap_build(&h, layouts[i], p);
		set_bit(h.c, h.c->start - 1);
		expect_damage_on_the_way(&h, 128, 0);
	}
}

/* the same where memory of the caller looks like a block that is in that list */
static void bit_of_what_is_no_list_leads_nowhere(void)
{
	struct tlsf_block *fake;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t list;

	heap_build(&h, BITS_LAYOUT, p);
	list = tlsf_block_index(h.c, p[BITS_LAST]);
	EXPECT_LE(list, TLSF_BITMAP_WORDS * TLSF_WORD_BITS - 1);
	fake = (struct tlsf_block *)((char *)p[BITS_LAST] + 200);
	fake->header = 512;
	fake->next = tlsf_link(TLSF_NIL);
	fake->prev = list;
	*tlsf_block_footer_below(tlsf_block_above(fake, 512)) = tlsf_block_index(h.c, fake);
	tlsf_block_at(h.c, list)->next = tlsf_link(tlsf_block_index(h.c, fake));
	set_bit(h.c, list);
	expect_damage_on_the_way(&h, 128, 0);
}

static void bit_of_an_empty_list_is_damage(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, BITS_LAYOUT, p);
	set_bit(h.c, h.c->start - 2);
	expect_damage_on_the_way(&h, 128, 0);
}

static void summary_bit_of_an_empty_word_is_damage(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, BITS_LAYOUT, p);
	h.c->summary |= 1UL << (TLSF_BITMAP_WORDS - 1);
	expect_damage_on_the_way(&h, 128, 0);
}

/* it would be the first that is too high; looked at first, or after the own list */
static void head_above_all_blocks_is_damage(void)
{
	static const struct { const char *layout; int block; size_t size; } heads[] = {
		{ "U64 F200 U1000", 1, 128 },
		{ "U64 F4096 U64 F8192 U64", 3, 4096 + G },
	};
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		heap_build(&h, heads[i].layout, p);
		tlsf_block_at(h.c, tlsf_block_of(p[heads[i].block])->prev)->next = tlsf_link(h.c->last + 1);
		expect_damage_on_the_way(&h, heads[i].size, 0);
	}
}

/* the own list has a block, but a smaller one; the next has one that is smaller still */
static void head_smaller_than_its_list_is_damage_above_the_own_list_too(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U64 F4096 U64 F8192 U64", p);
	tlsf_block_of(p[3])->header = 64;
	expect_damage_on_the_way(&h, 4096 + G, 64 - G);
}

/* an operation that pushes free blocks on so many lists that were empty */
struct push {
	const char *layout;
	enum { ALLOC, MEMALIGN, FREE, RESIZE, GROW_BACKWARD } op;
	int block;
	size_t size;
	unsigned int lists;
};

#define PUSH_ALIGN	64

static const struct push pushes[] = {
	{ "F4096 U64",				ALLOC,		0, 100, 1 },
	{ "F4096 U64 F4096 U64",		ALLOC,		0, 100, 1 },
	{ "F4096 U64",				MEMALIGN,	0, 100, 2 },
	{ "F4096 U64 F4096 U64",		MEMALIGN,	0, 100, 2 },
	{ "U64 U32",				FREE,		0, 0, 1 },
	{ "F128 U64 U32",			FREE,		1, 0, 1 },
	{ "U64 F200 U32",			FREE,		0, 0, 1 },
	{ "F128 U64 F200 U32",			FREE,		1, 0, 1 },
	{ "F128 U64 F200 U32 F128 U32 F200 U32", FREE,		1, 0, 1 },
	{ "F128 U32 F200 U32 F128 U64 F200 U32", FREE,		5, 0, 1 },
	{ "U128 U64",				RESIZE,		0, 64, 1 },
	{ "U128 F64 U64",			RESIZE,		0, 64, 1 },
	{ "U64 F200 U64",			RESIZE,		0, 128, 1 },
	{ "U64 F200 U64 F200 U64",		RESIZE,		0, 128, 1 },
	{ "F200 U64 U24",			GROW_BACKWARD,	1, 100, 1 },
	{ "F200 U64 F200 U24",			GROW_BACKWARD,	1, 100, 1 },
	{ "F200 U64 F200 U24",			GROW_BACKWARD,	1, 300, 1 },
	{ "F200 U64 F200 U24 F200 U24",		GROW_BACKWARD,	1, 300, 1 },
};

static enum tlsf_status push_operate(const struct ops *ops, struct heap *h, const struct push *t,
				     void *ptr)
{
	switch (t->op) {
	case ALLOC:
		return ops->alloc(h->c, t->size) ? TLSF_OK : tlsf_core_status(h->c);
	case MEMALIGN:
		return ops->memalign(h->c, PUSH_ALIGN, t->size) ? TLSF_OK : tlsf_core_status(h->c);
	case FREE:
		return ops->free(h->c, ptr);
	case RESIZE:
		return ops->resize(h->c, ptr, t->size);
	default:
		return ops->grow_backward(h->c, &ptr, PUSH_ALIGN, t->size);
	}
}

/* the lists of the free blocks there are, and how many */
static unsigned int lists_in_use(const struct heap *h, size_t *list)
{
	struct tlsf_block_info block;
	unsigned int n = 0;
	size_t offset = 0;

	while (tlsf_core_walk(h->c, &offset, &block))
		if (block.free)
			list[n++] = TLSF_FIRST_LIST + tlsf_map_index((block.size + G) / G);
	return n;
}

/* way number @way to damage the head of an empty list; false after the last */
static bool damaged_head(const struct heap *h, size_t live, unsigned int way, size_t *head)
{
	const size_t written[] = {
		live, 0, 1, SIZE_MAX, SIZE_MAX / 0xff * 0x6b, tlsf_link(h->c->last + 1),
	};

	if (way < TLSF_WORD_BITS)
		*head = tlsf_link(TLSF_NIL) ^ (size_t)1 << way;
	else if (way - TLSF_WORD_BITS < ARRAY_SIZE(written))
		*head = written[way - TLSF_WORD_BITS];
	else
		return false;
	return true;
}

/* the head of @list had a bit flipped, or something written over it: false when it is in use */
static bool push_on_damaged_list(const struct push *t, const struct ops *ops, size_t list)
{
	void *p[HEAP_BLOCKS_MAX] = { NULL };
	struct snapshot before;
	size_t *head, last = 0;
	unsigned int way;
	struct heap h;
	bool empty;

	heap_build(&h, t->layout, p);
	while (p[last + 1])
		last++;
	head = &tlsf_block_at(h.c, list)->next;
	empty = *head == tlsf_link(TLSF_NIL);
	for (way = 0; empty && damaged_head(&h, tlsf_block_index(h.c, tlsf_block_of(p[last])),
					    way, head); way++) {
		snapshot_take(&before, &h);
		EXPECT_STATUS(push_operate(ops, &h, t, p[t->block]), TLSF_E_LINKS);
		snapshot_expect_same(&before, &h);
		*head = tlsf_link(TLSF_NIL);
		heap_verify(&h);
	}
	heap_close(&h);
	return empty;
}

/* nothing is pushed where a live block would be written to, and all is put back */
static void damaged_list_takes_no_block(void)
{
	size_t list[HEAP_BLOCKS_MAX];
	void *p[HEAP_BLOCKS_MAX];
	unsigned int n, tried;
	const struct push *t;
	struct heap h;

	for (t = pushes; t < pushes + ARRAY_SIZE(pushes); t++) {
		ktap_note("push %zu", (size_t)(t - pushes));
		heap_build(&h, t->layout, p);
		EXPECT_STATUS(push_operate(&ops_called, &h, t, p[t->block]), TLSF_OK);
		n = lists_in_use(&h, list);
		heap_close(&h);
		for (tried = 0; n--; )
			tried += push_on_damaged_list(t, &ops_called, list[n]) &&
				 push_on_damaged_list(t, &ops_inlined, list[n]);
		EXPECT_EQ(tried, t->lists);
	}
}

/* ---- limits ---- */

/* beyond the region, whatever is free */
static void largest_request_is_exact(void)
{
	struct heap h;
	size_t most;

	heap_open(&h, REGION);
	most = BLOCKS - TLSF_BLOCK_HEADER;
	EXPECT_PTR(heap_alloc(&h, most + 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT(heap_alloc(&h, most));
	EXPECT_PTR(heap_alloc(&h, most), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	heap_close(&h);
}

/* one that is itself a power of two */
static void largest_alignment_is_exact(void)
{
	struct heap h;

	heap_open(&h, 34 * G);
	EXPECT_EQ(h.c->max_request, 32 * G);
	EXPECT_PTR(heap_memalign(&h, 32 * G, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT_PTR(heap_memalign(&h, 64 * G, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_ALIGN);
	heap_close(&h);
}

/* the only block is in the request's own class, not the first of it, and just fits */
static void memalign_takes_the_last_block_that_fits(void)
{
	size_t block = 125 * G, align = 8 * G, slack = align + TLSF_BLOCK_MIN - G;
	struct heap h;

	heap_open(&h, block + TLSF_BLOCK_HEADER);
	EXPECT_PTR(heap_memalign(&h, align, block - slack - TLSF_BLOCK_HEADER + 1), NULL);
	EXPECT(heap_memalign(&h, align, block - slack - TLSF_BLOCK_HEADER));
	heap_close(&h);
}

/* no block can be larger than the one region is, and all of it is needed */
static void memalign_takes_the_largest_block_of_all(void)
{
	size_t align = 2 * G, slack = align + TLSF_BLOCK_MIN - G, most;
	struct heap h;

	heap_open(&h, 132 * G);
	EXPECT_EQ(h.c->max_request, 130 * G);
	most = h.c->max_request - slack;
	EXPECT_PTR(heap_memalign(&h, align, most + 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT(heap_memalign(&h, align, most));
	heap_close(&h);
}

/* the last block is a granule too large */
static void walk_stays_in_the_region(void)
{
	struct tlsf_block_info block;
	size_t offset = 0;
	struct heap h;
	void *p;

	heap_open_below(&h, REGION, SPARE, USED(TLSF_BLOCK_MIN));
	EXPECT(heap_alloc(&h, 9 * G));
	p = heap_alloc(&h, BLOCKS - 11 * G);
	tlsf_block_of(p)->header += G;
	EXPECT(tlsf_core_walk(h.c, &offset, &block));
	EXPECT(!tlsf_core_walk(h.c, &offset, &block));
	heap_close(&h);
}

/* each change to the blocks raises it, so no state is taken for an earlier one */
static void generation_only_grows(void)
{
	size_t seen[5];
	struct heap h;
	void *p, *q;
	size_t i;

	heap_open(&h, REGION);
	seen[0] = tlsf_core_generation(h.c);
	p = heap_alloc(&h, 8 * G);
	q = heap_alloc(&h, 8 * G);
	seen[1] = tlsf_core_generation(h.c);
	EXPECT_STATUS(heap_resize(&h, q, 4 * G), TLSF_OK);
	seen[2] = tlsf_core_generation(h.c);
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	seen[3] = tlsf_core_generation(h.c);
	EXPECT_STATUS(heap_grow_backward(&h, &q, 1, 6 * G), TLSF_OK);
	seen[4] = tlsf_core_generation(h.c);
	for (i = 1; i < ARRAY_SIZE(seen); i++)
		EXPECT_GE(seen[i], seen[i - 1] + 1);
	heap_close(&h);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(own_size_ends_in_the_region),
		KTAP_CASE(size_of_the_block_above_is_plausible),
		KTAP_CASE(free_block_above_has_no_other_flag),
		KTAP_CASE(block_above_that_takes_us_for_free_is_rejected),
		KTAP_CASE(block_below_that_ends_elsewhere_is_rejected),
		KTAP_CASE(what_is_wrong_below_is_told),
		KTAP_CASE(free_block_is_told_from_damage),
		KTAP_CASE(misaligned_pointer_is_rejected_whatever_is_there),
		KTAP_CASE(last_byte_where_a_block_could_begin),
		KTAP_CASE(link_that_ends_beyond_the_region_is_rejected),
		KTAP_CASE(link_back_to_the_end_mark_is_rejected),
		KTAP_CASE(head_that_ends_beyond_its_region_is_not_served),
		KTAP_CASE(head_smaller_than_its_list_is_not_served),
		KTAP_CASE(rejected_free_puts_the_block_below_back),
		KTAP_CASE(rejected_free_puts_the_block_below_back_behind_the_first),
		KTAP_CASE(bit_above_the_last_list_is_damage),
		KTAP_CASE(bit_of_what_is_no_list_leads_nowhere),
		KTAP_CASE(bit_of_an_empty_list_is_damage),
		KTAP_CASE(summary_bit_of_an_empty_word_is_damage),
		KTAP_CASE(head_above_all_blocks_is_damage),
		KTAP_CASE(head_smaller_than_its_list_is_damage_above_the_own_list_too),
		KTAP_CASE(damaged_list_takes_no_block),
		KTAP_CASE(largest_request_is_exact),
		KTAP_CASE(largest_alignment_is_exact),
		KTAP_CASE(memalign_takes_the_last_block_that_fits),
		KTAP_CASE(memalign_takes_the_largest_block_of_all),
		KTAP_CASE(walk_stays_in_the_region),
		KTAP_CASE(generation_only_grows),
	};

	return ktap_run("unit_border", cases, ARRAY_SIZE(cases));
}
