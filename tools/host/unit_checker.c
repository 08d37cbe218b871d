// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker itself: each invariant is broken by hand, in every way there is, and the
 * checker names its number.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"

#define LAYOUT	"U64 F128 U64 F256 U64 U64"

struct fault {
	const char *name;
	unsigned int invariant;
	void (*plant)(struct tlsf_core *c, struct tlsf_block **b);
};

/* ---- 1: blocks tile the region ---- */

static struct tlsf_block *end_mark(struct tlsf_block **b)
{
	return tlsf_block_above(b[5], tlsf_block_size(b[5]));
}

static void end_mark_has_another_size(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	end_mark(b)->header += G;
}

static void end_mark_is_free(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	end_mark(b)->header &= ~TLSF_USED;
}

static void last_block_goes_past_the_end(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[5]->header += G;
}

static void last_block_ends_before_the_end(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[5]->header -= G;
}

static void block_goes_far_past_the_end(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[0]->header += 1 << 20;
}

/* ---- 2: sizes ---- */

static void block_is_smaller_than_the_smallest(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[2]->header = (TLSF_BLOCK_MIN - G) | TLSF_PREV_FREE | TLSF_USED;
}

static void block_has_no_size(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[0]->header = 0;
}

static void block_reaches_the_limit(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[0]->header |= G == 8 ? TLSF_BLOCK_LIMIT : G / 2;	/* no such bit in 32 */
}

static void spare_bit_is_set(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[0]->header |= G / 2;
}

/* ---- 3 to 5: neighbours ---- */

static void two_free_blocks_touch(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[0]->header &= ~TLSF_USED;
	*tlsf_block_footer_below(b[1]) = tlsf_block_index(c, b[0]);
}

static void free_block_below_is_not_known(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[2]->header &= ~TLSF_PREV_FREE;
}

static void allocated_block_below_passes_for_free(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[5]->header |= TLSF_PREV_FREE;
}

static void first_block_has_a_free_block_below(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	b[0]->header |= TLSF_PREV_FREE;
}

static void end_mark_has_a_free_block_below(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)c;
	end_mark(b)->header |= TLSF_PREV_FREE;
}

static void footer_leads_elsewhere(struct tlsf_core *c, struct tlsf_block **b)
{
	*tlsf_block_footer_below(b[2]) = tlsf_block_index(c, b[0]);
}

/* ---- 6 and 7: lists ---- */

static size_t list_of(const struct tlsf_block *b)
{
	return TLSF_FIRST_LIST + tlsf_map_index(tlsf_block_size(b) / G);
}

/* put @b on the head of @list, without a bit for it */
static void push(struct tlsf_core *c, struct tlsf_block *b, size_t list)
{
	b->next = tlsf_block_at(c, list)->next;
	b->prev = list;
	tlsf_block_at(c, tlsf_link_index(b->next))->prev = tlsf_block_index(c, b);
	tlsf_block_at(c, list)->next = tlsf_link(tlsf_block_index(c, b));
}

static void set_bit(struct tlsf_core *c, size_t list)
{
	c->bitmap[list / TLSF_WORD_BITS] |= 1UL << (list % TLSF_WORD_BITS);
	c->summary |= 1UL << (list / TLSF_WORD_BITS);
}

static void clear_bit(struct tlsf_core *c, size_t list)
{
	c->bitmap[list / TLSF_WORD_BITS] &= ~(1UL << (list % TLSF_WORD_BITS));
}

static void link_back_leads_elsewhere(struct tlsf_core *c, struct tlsf_block **b)
{
	b[1]->prev = tlsf_block_index(c, b[3]);
}

static void list_leads_out_of_the_region(struct tlsf_core *c, struct tlsf_block **b)
{
	b[1]->next = tlsf_link(c->last + 1024);
}

static void list_leads_into_the_control_structure(struct tlsf_core *c, struct tlsf_block **b)
{
	b[1]->next = tlsf_link(c->start - 2);
}

static void list_holds_an_allocated_block(struct tlsf_core *c, struct tlsf_block **b)
{
	push(c, b[0], list_of(b[0]));
	set_bit(c, list_of(b[0]));
}

static void free_block_is_in_no_list(struct tlsf_core *c, struct tlsf_block **b)
{
	unsigned int i;

	tlsf_block_at(c, list_of(b[1]))->next = tlsf_link(TLSF_NIL);
	clear_bit(c, list_of(b[1]));
	c->summary = 0;
	for (i = 0; i < TLSF_BITMAP_WORDS; i++)
		c->summary |= (unsigned long)!!c->bitmap[i] << i;
}

static void block_is_in_another_class(struct tlsf_core *c, struct tlsf_block **b)
{
	free_block_is_in_no_list(c, b);
	push(c, b[1], list_of(b[3]));
}

/* a list goes on to what looks like a free block inside an allocated one */
static void list_holds_a_block_that_is_none(struct tlsf_core *c, struct tlsf_block **b)
{
	struct tlsf_block *fake = tlsf_block_payload(b[4]);

	fake->header = tlsf_block_size(b[3]);
	fake->next = tlsf_link(TLSF_NIL);
	fake->prev = tlsf_block_index(c, b[3]);
	b[3]->next = tlsf_link(tlsf_block_index(c, fake));
}

/* ---- 8: bitmaps ---- */

static void bit_of_a_list_is_lost(struct tlsf_core *c, struct tlsf_block **b)
{
	clear_bit(c, list_of(b[1]));
}

static void bit_of_an_empty_list_is_set(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	set_bit(c, TLSF_FIRST_LIST + 1);
}

static void bit_of_the_list_above_all_is_set(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	set_bit(c, c->start - 1);
}

static void summary_bit_is_lost(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->summary = 0;
}

static void summary_bit_is_set_for_nothing(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->summary |= 1UL << (TLSF_BITMAP_WORDS - 1);
}

static void summary_bit_beyond_the_bitmap_is_set(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->summary |= 1UL << (TLSF_WORD_BITS - 1);
}

/* ---- 9: counters ---- */

static void used_bytes_are_off(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->free += G;
}

static void blocks_handed_out_are_off(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->allocs++;
}

static void blocks_taken_back_are_off(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->frees++;
}

static void free_blocks_are_off(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->free_minus_frees--;
}

/* ---- 10: control structure ---- */

static void nil_has_a_size(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->nil.header = TLSF_BLOCK_MIN;
}

static void nil_leads_on(struct tlsf_core *c, struct tlsf_block **b)
{
	c->nil.next = tlsf_link(tlsf_block_index(c, b[1]));
}

static void memory_is_larger(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->bytes += G;
}

static void region_begins_above_its_first_block(struct tlsf_core *c, struct tlsf_block **b)
{
	c->start = tlsf_block_index(c, b[1]);
}

static void region_ends_below_its_end_mark(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->last--;
}

static void more_can_be_asked_for_than_there_is(struct tlsf_core *c, struct tlsf_block **b)
{
	(void)b;
	c->max_request++;
}

#define FAULT(invariant, plant)	{ #plant, invariant, plant }

static const struct fault faults[] = {
	FAULT(1, end_mark_has_another_size),
	FAULT(1, end_mark_is_free),
	FAULT(1, last_block_goes_past_the_end),
	FAULT(1, last_block_ends_before_the_end),
	FAULT(1, block_goes_far_past_the_end),
	FAULT(2, block_is_smaller_than_the_smallest),
	FAULT(2, block_has_no_size),
	FAULT(2, block_reaches_the_limit),
	FAULT(2, spare_bit_is_set),
	FAULT(3, two_free_blocks_touch),
	FAULT(4, free_block_below_is_not_known),
	FAULT(4, allocated_block_below_passes_for_free),
	FAULT(4, first_block_has_a_free_block_below),
	FAULT(4, end_mark_has_a_free_block_below),
	FAULT(5, footer_leads_elsewhere),
	FAULT(6, link_back_leads_elsewhere),
	FAULT(6, list_leads_out_of_the_region),
	FAULT(6, list_leads_into_the_control_structure),
	FAULT(6, list_holds_an_allocated_block),
	FAULT(6, block_is_in_another_class),
	FAULT(7, free_block_is_in_no_list),
	FAULT(7, list_holds_a_block_that_is_none),
	FAULT(8, bit_of_a_list_is_lost),
	FAULT(8, bit_of_an_empty_list_is_set),
	FAULT(8, bit_of_the_list_above_all_is_set),
	FAULT(8, summary_bit_is_lost),
	FAULT(8, summary_bit_is_set_for_nothing),
	FAULT(8, summary_bit_beyond_the_bitmap_is_set),
	FAULT(9, used_bytes_are_off),
	FAULT(9, blocks_handed_out_are_off),
	FAULT(9, blocks_taken_back_are_off),
	FAULT(9, free_blocks_are_off),
	FAULT(10, nil_has_a_size),
	FAULT(10, nil_leads_on),
	FAULT(10, memory_is_larger),
	FAULT(10, region_begins_above_its_first_block),
	FAULT(10, region_ends_below_its_end_mark),
	FAULT(10, more_can_be_asked_for_than_there_is),
};

static void build(struct heap *h, struct tlsf_block **b)
{
	void *p[HEAP_BLOCKS_MAX];
	int i;

	heap_build(h, LAYOUT, p);
	for (i = 0; i < 6; i++)
		b[i] = tlsf_block_of(p[i]);
}

/* plants every fault of @invariant in a heap of its own */
static void faults_are_named(unsigned int invariant)
{
	struct tlsf_block *b[HEAP_BLOCKS_MAX];
	const struct fault *f;
	const void *where;
	struct heap h;

	for (f = faults; f < faults + ARRAY_SIZE(faults); f++) {
		if (f->invariant != invariant)
			continue;
		build(&h, b);
		f->plant(h.c, b);
		where = NULL;
		ktap_note("fault: %s", f->name);
		EXPECT_EQ(tlsf_core_check(h.c, &where), invariant);
		EXPECT(where);
		EXPECT_EQ(tlsf_core_check(h.c, NULL), invariant);
		heap_close(&h);
	}
}

#define INVARIANT_CASE(n)			\
static void invariant_##n##_is_named(void)	\
{						\
	faults_are_named(n);			\
}

INVARIANT_CASE(1)
INVARIANT_CASE(2)
INVARIANT_CASE(3)
INVARIANT_CASE(4)
INVARIANT_CASE(5)
INVARIANT_CASE(6)
INVARIANT_CASE(7)
INVARIANT_CASE(8)
INVARIANT_CASE(9)
INVARIANT_CASE(10)

static void whole_heap_passes(void)
{
	struct tlsf_block *b[HEAP_BLOCKS_MAX];
	const void *where = b;
	struct heap h;

	build(&h, b);
	EXPECT_EQ(tlsf_core_check(h.c, &where), 0);
	EXPECT_PTR(where, b);
	EXPECT_EQ(tlsf_core_check(h.c, NULL), 0);
	heap_close(&h);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(whole_heap_passes),
		KTAP_CASE(invariant_1_is_named),
		KTAP_CASE(invariant_2_is_named),
		KTAP_CASE(invariant_3_is_named),
		KTAP_CASE(invariant_4_is_named),
		KTAP_CASE(invariant_5_is_named),
		KTAP_CASE(invariant_6_is_named),
		KTAP_CASE(invariant_7_is_named),
		KTAP_CASE(invariant_8_is_named),
		KTAP_CASE(invariant_9_is_named),
		KTAP_CASE(invariant_10_is_named),
	};

	return ktap_run("unit_checker", cases, ARRAY_SIZE(cases));
}
