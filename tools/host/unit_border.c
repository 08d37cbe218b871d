// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact borders: validation and limits hold to the granule, even where the memory around
 * was made to look right. What is planted is what a mutated core would fall for.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"

#define REGION		(40 * G)
#define SPARE		(64 * G)	/* memory above the region, in none */
#define BLOCKS		(REGION - G)	/* all of the region but its end mark */

/* header of an allocated block */
#define USED(size)	((size) | TLSF_USED)

static void plant(void *at, size_t word)
{
	memcpy(at, &word, sizeof(word));
}

/* a region with an aligned end, and SPARE bytes above it that are full of @word */
static unsigned char *open_below_spare(struct heap *h, size_t word)
{
	unsigned char *mem = heap_open_empty(h, REGION, REGION + SPARE);
	size_t at;

	for (at = 0; at < REGION + SPARE; at += G)
		plant(mem + at, word);
	EXPECT_STATUS(tlsf_core_add_region(h->c, mem, REGION), TLSF_OK);
	return mem;
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

	open_below_spare(&h, USED(TLSF_BLOCK_MIN));
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

	open_below_spare(&h, USED(TLSF_BLOCK_MIN));
	p = heap_alloc(&h, 9 * G);
	EXPECT(heap_alloc(&h, BLOCKS - 11 * G));
	most = h.c->blocks_end * G + TLSF_BLOCK_MIN - G;
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
		plant((char *)above + size + flags - G, tlsf_block_place(h.c, above));
		EXPECT_STATUS(usable_status(&h, p[0]), TLSF_E_NEIGHBOUR);
		EXPECT_STATUS(tlsf_core_free(h.c, p[0]), TLSF_E_NEIGHBOUR);
		heap_close(&h);
	}
}

static void block_above_that_takes_us_for_free_is_refused(void)
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

static void block_below_that_ends_elsewhere_is_refused(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	char *fake;

	heap_build(&h, "F200 U64", p);
	fake = (char *)p[0] + 8 * G;
	plant(fake, (size_t)((char *)tlsf_block_of(p[1]) - fake - G));
	*tlsf_block_footer_below(tlsf_block_of(p[1])) = tlsf_block_place(h.c, (void *)fake);
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
	*tlsf_block_footer_below(tlsf_block_of(p[2])) = tlsf_block_place(h.c, tlsf_block_of(p[0]));
	EXPECT_STATUS(tlsf_core_free(h.c, p[2]), TLSF_E_NEIGHBOUR);
	*tlsf_block_footer_below(tlsf_block_of(p[2])) = tlsf_block_place(h.c, below);
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

static void misaligned_pointer_is_refused_whatever_is_there(void)
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
	last = (char *)h.c->region[0].base + BLOCKS - TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER;
	EXPECT_STATUS(tlsf_core_free(h.c, last + G - 1), TLSF_E_MISALIGNED);
	EXPECT_STATUS(tlsf_core_free(h.c, last + G), TLSF_E_OUTSIDE);
	heap_close(&h);
}

static void heap_without_regions_knows_no_pointer(void)
{
	struct heap h;

	heap_open_empty(&h, REGION, REGION);
	EXPECT_STATUS(tlsf_core_free(h.c, NULL), TLSF_E_OUTSIDE);
	EXPECT_STATUS(tlsf_core_free(h.c, h.c), TLSF_E_OUTSIDE);
	heap_close(&h);
}

/* ---- links ---- */

/* its last word is the first beyond all that is ours, and agrees */
static void link_that_ends_beyond_the_region_is_refused(void)
{
	struct tlsf_block *b, *beyond;
	unsigned char *mem;
	struct heap h;
	void *p, *q;

	mem = open_below_spare(&h, 0);
	p = heap_alloc(&h, 9 * G);
	q = heap_alloc(&h, 9 * G);
	EXPECT(heap_alloc(&h, 9 * G));
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	b = tlsf_block_of(p);
	beyond = (struct tlsf_block *)(mem + REGION + G - sizeof(*beyond));
	b->next = tlsf_block_place(h.c, beyond);
	beyond->prev = tlsf_block_place(h.c, b);
	EXPECT_STATUS(tlsf_core_free(h.c, q), TLSF_E_LINKS);
	heap_close(&h);
}

/* the word that a block at the first place too high would have for its next agrees */
static void link_back_to_the_end_mark_is_refused(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct tlsf_block *b;
	struct heap h;

	heap_build(&h, "U64 F128 U64", p);
	b = tlsf_block_of(p[1]);
	b->prev = h.c->links_end;
	tlsf_block_at(h.c, h.c->links_end)->next = tlsf_block_place(h.c, b);
	EXPECT_STATUS(tlsf_core_free(h.c, p[0]), TLSF_E_LINKS);
	heap_close(&h);
}

/* a granule too large, with a footer where the end mark was */
static void head_that_ends_beyond_its_region_is_not_served(void)
{
	struct tlsf_block *b;
	struct heap h;
	size_t size;

	open_below_spare(&h, 0);
	EXPECT(heap_alloc(&h, 9 * G));
	b = tlsf_block_above(tlsf_block_of((void *)h.c->region[0].first), 10 * G);
	size = tlsf_block_size(b) + G;
	b->header = size;
	*tlsf_block_footer_below(tlsf_block_above(b, size)) = tlsf_block_place(h.c, b);
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
	*tlsf_block_footer_below(tlsf_block_above(b, TLSF_BLOCK_MIN)) = tlsf_block_place(h.c, b);
	snapshot_take(&before, &h);
	EXPECT_PTR(tlsf_core_alloc(h.c, 100), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	EXPECT_PTR(tlsf_core_memalign(h.c, 2 * G, 60), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	snapshot_expect_same(&before, &h);
	heap_close(&h);
}

/* p[3] lies between free blocks; the one above is damaged */
static void expect_refused_free_changes_nothing(struct heap *h, void **p)
{
	size_t *footer = tlsf_block_footer_below(tlsf_block_of(p[5]));
	struct snapshot before;

	*footer = 0;
	snapshot_take(&before, h);
	EXPECT_STATUS(tlsf_core_free(h->c, p[3]), TLSF_E_NEIGHBOUR);
	snapshot_expect_same(&before, h);
	*footer = tlsf_block_place(h->c, tlsf_block_of(p[4]));
}

/*
 * Free takes the block below out of its list before it finds the one above damaged, and
 * puts it back: alone in its list, first, last, and in the middle.
 */
static void refused_free_puts_the_block_below_back(void)
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
		expect_refused_free_changes_nothing(&h, p);
		heap_expect(&h, layouts[i]);
		heap_close(&h);
	}
}

/* what it is put back behind has the lowest place of all blocks: it is no list */
static void refused_free_puts_the_block_below_back_behind_the_first(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, "U128 U32 F128 U64 F200 U32", p);
	EXPECT_STATUS(heap_free(&h, p[0]), TLSF_OK);
	EXPECT_EQ(h.c->region[0].start, h.c->control_end);
	EXPECT_EQ(tlsf_block_of(p[2])->prev, h.c->control_end);
	expect_refused_free_changes_nothing(&h, p);
	heap_expect(&h, "F128 U32 F128 U64 F200 U32");
	heap_close(&h);
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

	heap_open_empty(&h, 5 * G, REGION);
	EXPECT_EQ(h.c->max_request, 4 * G);
	EXPECT_PTR(heap_memalign(&h, 4 * G, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT_PTR(heap_memalign(&h, 8 * G, 1), NULL);
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
	unsigned char *mem;
	struct heap h;

	mem = heap_open_empty(&h, 128 * G, 132 * G);
	EXPECT_STATUS(tlsf_core_add_region(h.c, mem, 132 * G), TLSF_OK);
	EXPECT_EQ(h.c->max_request, 130 * G);
	most = h.c->max_request - slack;
	EXPECT_PTR(heap_memalign(&h, align, most + 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_SIZE);
	EXPECT(heap_memalign(&h, align, most));
	heap_close(&h);
}

static void reset_writes_nothing_beyond_the_control_structure(void)
{
	unsigned char *mem;
	struct heap h;
	size_t i;

	mem = heap_open_empty(&h, REGION, 8 * G + REGION);
	EXPECT_STATUS(tlsf_core_add_region(h.c, mem + 8 * G, REGION), TLSF_OK);
	memset(mem, 0x5a, 8 * G);
	tlsf_core_reset(h.c);
	for (i = 0; i < 8 * G; i++)
		EXPECT_EQ(mem[i], 0x5a);
	heap_close(&h);
}

static void control_structure_is_no_larger_than_needed(void)
{
	size_t bytes, lists;
	struct heap h;

	for (bytes = 0; bytes < TLSF_BLOCK_MIN; bytes++)
		EXPECT_EQ(tlsf_core_size(bytes), tlsf_core_size(TLSF_BLOCK_MIN));
	for (bytes = TLSF_BLOCK_MIN; bytes < 100 * G; bytes += 3 * G) {
		heap_open_empty(&h, bytes, G);
		lists = tlsf_map_index(bytes / G) + 1;
		EXPECT_EQ(h.c->nr_lists, lists);
		EXPECT_EQ(tlsf_core_size(bytes),
			  offsetof(struct tlsf_core, list) + lists * sizeof(h.c->list[0]));
		heap_close(&h);
	}
}

static void region_that_overlaps_any_but_the_first_is_refused(void)
{
	unsigned char *mem;
	struct heap h;
	size_t i;

	mem = heap_open_empty(&h, REGION, 8 * REGION);
	for (i = 0; i < 3; i++)
		EXPECT_STATUS(tlsf_core_add_region(h.c, mem + 2 * i * REGION, REGION), TLSF_OK);
	for (i = 0; i < 3; i++) {
		EXPECT_STATUS(tlsf_core_add_region(h.c, mem + 2 * i * REGION + G, REGION),
			      TLSF_E_REGION);
		EXPECT_STATUS(tlsf_core_add_region(h.c, mem + 2 * i * REGION + REGION - G, REGION),
			      TLSF_E_REGION);
	}
	heap_verify(&h);
	heap_close(&h);
}

/* the last block is a granule too large */
static void walk_stays_in_the_region(void)
{
	struct tlsf_cursor at = { .region = 0 };
	struct tlsf_block_info block;
	struct heap h;
	void *p;

	open_below_spare(&h, USED(TLSF_BLOCK_MIN));
	EXPECT(heap_alloc(&h, 9 * G));
	p = heap_alloc(&h, BLOCKS - 11 * G);
	tlsf_block_of(p)->header += G;
	EXPECT(tlsf_core_walk(h.c, &at, &block));
	EXPECT(!tlsf_core_walk(h.c, &at, &block));
	heap_close(&h);
}

/* each change to the blocks raises it, so no state is taken for an earlier one */
static void generation_only_grows(void)
{
	size_t seen[6];
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
	EXPECT_STATUS(heap_grow_back(&h, &q, 1, 6 * G), TLSF_OK);
	seen[4] = tlsf_core_generation(h.c);
	tlsf_core_reset(h.c);
	seen[5] = tlsf_core_generation(h.c);
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
		KTAP_CASE(block_above_that_takes_us_for_free_is_refused),
		KTAP_CASE(block_below_that_ends_elsewhere_is_refused),
		KTAP_CASE(what_is_wrong_below_is_told),
		KTAP_CASE(free_block_is_told_from_damage),
		KTAP_CASE(misaligned_pointer_is_refused_whatever_is_there),
		KTAP_CASE(last_byte_where_a_block_could_begin),
		KTAP_CASE(heap_without_regions_knows_no_pointer),
		KTAP_CASE(link_that_ends_beyond_the_region_is_refused),
		KTAP_CASE(link_back_to_the_end_mark_is_refused),
		KTAP_CASE(head_that_ends_beyond_its_region_is_not_served),
		KTAP_CASE(head_smaller_than_its_list_is_not_served),
		KTAP_CASE(refused_free_puts_the_block_below_back),
		KTAP_CASE(refused_free_puts_the_block_below_back_behind_the_first),
		KTAP_CASE(largest_request_is_exact),
		KTAP_CASE(largest_alignment_is_exact),
		KTAP_CASE(memalign_takes_the_last_block_that_fits),
		KTAP_CASE(memalign_takes_the_largest_block_of_all),
		KTAP_CASE(reset_writes_nothing_beyond_the_control_structure),
		KTAP_CASE(control_structure_is_no_larger_than_needed),
		KTAP_CASE(region_that_overlaps_any_but_the_first_is_refused),
		KTAP_CASE(walk_stays_in_the_region),
		KTAP_CASE(generation_only_grows),
	};

	return ktap_run("unit_border", cases, ARRAY_SIZE(cases));
}
