// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged headers, footers and links, one field at a time and each in many ways: every
 * operation that would have trusted the field rejects it, and nothing has changed. Under
 * the sanitizers this also proves that no damaged value leads to a bad access.
 *
 * Not damaged here is what one look at a constant number of words cannot tell: a link
 * cut short to the nil block, a PREV_FREE flag that is lost, and a free neighbour above
 * that looks like an allocated one.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"

#define LAYOUT	"U32 F128 U64 F200 U32 F128 U32 F200 U32"
enum { FIRST, BELOW, BLOCK, ABOVE, LAST };		/* the first five of them */

/* ---- fields ---- */

static size_t *own_header(void **p)
{
	return &tlsf_block_of(p[BLOCK])->header;
}

static size_t *header_above(void **p)
{
	return &tlsf_block_of(p[ABOVE])->header;
}

static size_t *next_above(void **p)
{
	return &tlsf_block_of(p[ABOVE])->next;
}

static size_t *prev_above(void **p)
{
	return &tlsf_block_of(p[ABOVE])->prev;
}

static size_t *footer_above(void **p)
{
	return tlsf_block_footer_below(tlsf_block_of(p[LAST]));
}

static size_t *header_below(void **p)
{
	return &tlsf_block_of(p[BELOW])->header;
}

static size_t *next_below(void **p)
{
	return &tlsf_block_of(p[BELOW])->next;
}

static size_t *prev_below(void **p)
{
	return &tlsf_block_of(p[BELOW])->prev;
}

static size_t *footer_below(void **p)
{
	return tlsf_block_footer_below(tlsf_block_of(p[BLOCK]));
}

/* ---- damage ---- */

enum reach {
	WITHIN,		/* as a link: leads to a granule of the heap, or of the control structure */
	WILD,		/* leads anywhere else */
};

static size_t index_of(const struct heap *h, const void *addr)
{
	return tlsf_block_index(h->c, addr);
}

/* way number @way to damage a word that held @was; false after the last */
static bool damaged_within(const struct heap *h, void **p, unsigned int way, size_t was,
			   size_t *value)
{
	const size_t values[] = {
		was + G, was - G, was + 3 * G, was - 3 * G,
		was + TLSF_BLOCK_MIN, was - TLSF_BLOCK_MIN,
		was + 1, was - 1, was + 3, was - 3,
		index_of(h, p[FIRST]), index_of(h, p[LAST]), index_of(h, p[BLOCK]) - 1,
		index_of(h, heap_start(h)), 2, TLSF_FIRST_LIST + 1, h->c->last,
	};

	if (way < ARRAY_SIZE(values))
		*value = values[way];
	return way < ARRAY_SIZE(values);
}

static bool damaged_wild(const struct heap *h, void **p, unsigned int way, size_t was,
			 size_t *value)
{
	const size_t end = (size_t)p[LAST + 4] + 32 + G, control = (size_t)h->c;
	const size_t below = (size_t)tlsf_block_of(p[BELOW]);
	const size_t above = (size_t)tlsf_block_of(p[ABOVE]);
	const size_t values[] = {
		0, 1, 2, 3, G, TLSF_BLOCK_MIN, TLSF_BLOCK_MIN | TLSF_USED, SIZE_MAX,
		SIZE_MAX & ~TLSF_FLAGS,
		was ^ 1, was ^ (SIZE_MAX / 2 + 1), was ^ TLSF_BLOCK_LIMIT,
		end, end - 1, end - G, control - G, control + 3,
		h->c->last + 1, h->c->last + 2, SIZE_MAX / G, SIZE_MAX / G + 1,
		/* as a size: leads to the control structure and round again */
		control - below, control - above, (control - below) | TLSF_USED,
	};

	if (way < ARRAY_SIZE(values))
		*value = values[way];
	return way < ARRAY_SIZE(values);
}

static bool is_next(void **p, const size_t *field)
{
	return field == next_above(p) || field == next_below(p);
}

/* within its reach a next is a whole link; wild, it is any word */
static bool damaged(const struct heap *h, void **p, enum reach reach, unsigned int way,
		    const size_t *field, size_t was, size_t *value)
{
	bool link = is_next(p, field) && reach == WITHIN, more;

	if (link)
		was = tlsf_link_index(was);
	more = reach == WITHIN ? damaged_within(h, p, way, was, value) :
				 damaged_wild(h, p, way, was, value);
	if (link)
		*value = tlsf_link(*value);
	return more;
}

/* is @value what an allocated block above could have for a header? */
static bool passes_for_allocated(const struct heap *h, void **p, const size_t *field, size_t value)
{
	return field == header_above(p) && !(value & TLSF_FLAGS) &&
	       (value ^ TLSF_USED) - TLSF_BLOCK_MIN <= h->c->last * G;
}

/* is @value that of the last link of a list? then the rest of the list is lost, unnoticed */
static bool ends_the_list(void **p, const size_t *field, size_t value)
{
	return is_next(p, field) && value == tlsf_link(TLSF_NIL);
}

/* payloads of ones, so that no word of them looks like a header */
static void build(struct heap *h, void **p)
{
	int i;

	heap_build(h, LAYOUT, p);
	for (i = 0; i < 9; i += 2)
		memset(p[i], 0xff, heap_usable(h, p[i]));
}

/* ---- free, resize, grow back, usable ---- */

/* an operation fails if it would have trusted what lies on a damaged side */
enum side {
	OWN	= 0,		/* trusted by all */
	LOW	= 1,
	HIGH	= 2,
};

struct operation {
	unsigned int trusts;	/* sides */
	size_t back_align;	/* 0: resize, else grow_backward */
	size_t size;
};

static const struct operation operations[] = {
	{ HIGH,		0, 200 },	/* grows into the block above */
	{ HIGH,		0, 24 },	/* gives its tail to the block above */
	{ LOW,		1, 100 },
	{ LOW | HIGH,	1, 400 },
};

static void expect_rejected(struct heap *h, void *ptr, enum side damaged)
{
	const struct operation *o;
	size_t usable = 0;
	void *at = ptr;

	EXPECT(tlsf_core_free(h->c, ptr) != TLSF_OK);
	for (o = operations; o < operations + ARRAY_SIZE(operations); o++)
		if ((o->trusts & damaged) == damaged)
			EXPECT((o->back_align ?
				tlsf_core_grow_backward(h->c, &at, o->back_align, o->size) :
				tlsf_core_resize(h->c, ptr, o->size)) != TLSF_OK);
	if (damaged == OWN)
		EXPECT(tlsf_core_usable(h->c, ptr, &usable) != TLSF_OK);
	EXPECT_PTR(at, ptr);
	EXPECT_EQ(usable, 0);
}

static void damage_is_rejected(size_t *(*field)(void **p), enum side side, enum reach reach)
{
	void *p[HEAP_BLOCKS_MAX];
	struct snapshot before;
	size_t value, was;
	unsigned int way;
	struct heap h;

	build(&h, p);
	was = *field(p);
	for (way = 0; damaged(&h, p, reach, way, field(p), was, &value); way++) {
		if (value == was || passes_for_allocated(&h, p, field(p), value) ||
		    ends_the_list(p, field(p), value) ||
		    (field == own_header && value == (was & ~TLSF_PREV_FREE)))
			continue;
		*field(p) = value;
		ktap_note("0x%zx was overwritten with 0x%zx", was, value);
		snapshot_take(&before, &h);
		expect_rejected(&h, p[BLOCK], side);
		snapshot_expect_same(&before, &h);
		*field(p) = was;
	}
	heap_verify(&h);
	heap_close(&h);
}

#define DAMAGE_CASES(field, side)				\
static void field##_damaged_is_rejected(void)			\
{								\
	damage_is_rejected(field, side, WITHIN);			\
}								\
static void field##_gone_wild_is_rejected(void)			\
{								\
	damage_is_rejected(field, side, WILD);			\
}

DAMAGE_CASES(own_header, OWN)
DAMAGE_CASES(header_above, HIGH)
DAMAGE_CASES(next_above, HIGH)
DAMAGE_CASES(prev_above, HIGH)
DAMAGE_CASES(footer_above, HIGH)
DAMAGE_CASES(header_below, LOW)
DAMAGE_CASES(next_below, LOW)
DAMAGE_CASES(prev_below, LOW)
DAMAGE_CASES(footer_below, LOW)

/* a spare bit of the header is set: invariant 2 */
static void own_header_with_a_spare_bit_is_rejected(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	build(&h, p);
	*own_header(p) |= G / 2;
	expect_rejected(&h, p[BLOCK], OWN);
	heap_close(&h);
}

/* ---- alloc, memalign ---- */

/* both lists of LAYOUT have two blocks; BELOW and ABOVE go to the heads */
static void build_with_heads(struct heap *h, void **p)
{
	build(h, p);
	EXPECT_PTR(tlsf_core_alloc(h->c, 128), p[BELOW + 4]);
	EXPECT_PTR(tlsf_core_alloc(h->c, 128), p[BELOW]);
	EXPECT_PTR(tlsf_core_alloc(h->c, 200), p[ABOVE + 4]);
	EXPECT_PTR(tlsf_core_alloc(h->c, 200), p[ABOVE]);
	EXPECT_STATUS(heap_free(h, p[BELOW + 4]), TLSF_OK);
	EXPECT_STATUS(heap_free(h, p[ABOVE + 4]), TLSF_OK);
	EXPECT_STATUS(heap_free(h, p[BELOW]), TLSF_OK);
	EXPECT_STATUS(heap_free(h, p[ABOVE]), TLSF_OK);
}

/*
 * Asked for what the damaged block could serve, the heap fails and is unchanged, or
 * serves another. The flags of a header are not looked at: a block that is as large as it
 * says is served, and @heals.
 */
static void expect_not_served(struct heap *h, const void *damaged, bool heals, size_t align,
			      size_t size)
{
	struct snapshot before;
	void *got;

	snapshot_take(&before, h);
	got = tlsf_core_memalign(h->c, align, size);
	if (got) {
		snapshot_drop(&before);
		EXPECT(heals || got < damaged || (char *)got >= (char *)damaged + 200);
		EXPECT_STATUS(tlsf_core_free(h->c, got), TLSF_OK);
	} else {
		EXPECT(tlsf_core_status(h->c) == TLSF_E_LINKS ||
		       tlsf_core_status(h->c) == TLSF_E_FRAGMENTED);
		snapshot_expect_same(&before, h);
	}
}

static void damaged_head_is_not_served(size_t *(*field)(void **p), enum reach reach, int block,
				       size_t size)
{
	bool header = field == header_above || field == header_below;
	void *p[HEAP_BLOCKS_MAX];
	size_t value, was;
	unsigned int way;
	struct heap h;

	build_with_heads(&h, p);
	was = *field(p);
	for (way = 0; damaged(&h, p, reach, way, field(p), was, &value); way++) {
		bool heals = header && value / G == was / G;

		if (value == was || ends_the_list(p, field(p), value))
			continue;
		*field(p) = value;
		ktap_note("0x%zx was overwritten with 0x%zx", was, value);
		expect_not_served(&h, p[block], heals, G, size);
		*field(p) = value;
		expect_not_served(&h, p[block], heals, 2 * G, size - 5 * G);
		*field(p) = was;
		heap_verify(&h);
	}
	heap_close(&h);
}

#define HEAD_CASES(field, block, size)					\
static void field##_of_a_head_damaged_is_not_served(void)		\
{									\
	damaged_head_is_not_served(field, WITHIN, block, size);		\
}									\
static void field##_of_a_head_gone_wild_is_not_served(void)		\
{									\
	damaged_head_is_not_served(field, WILD, block, size);		\
}

HEAD_CASES(header_above, ABOVE, 200)
HEAD_CASES(next_above, ABOVE, 200)
HEAD_CASES(prev_above, ABOVE, 200)
HEAD_CASES(footer_above, ABOVE, 200)
HEAD_CASES(header_below, BELOW, 128)
HEAD_CASES(next_below, BELOW, 128)
HEAD_CASES(prev_below, BELOW, 128)
HEAD_CASES(footer_below, BELOW, 128)

/* the last block of a region: what lies above it is the end mark */
static void damaged_end_mark_is_rejected(void)
{
	static const size_t damage[] = { 0, 1, 3, SIZE_MAX, SIZE_MAX - 1, TLSF_BLOCK_MIN,
					TLSF_BLOCK_MIN | TLSF_USED | 1 };
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t i;

	heap_build(&h, "U64 U64", p);
	for (i = 0; i < ARRAY_SIZE(damage); i++) {
		tlsf_block_above(tlsf_block_of(p[1]), 64 + G)->header = damage[i];
		EXPECT_STATUS(tlsf_core_free(h.c, p[1]), TLSF_E_NEIGHBOUR);
		EXPECT_STATUS(tlsf_core_resize(h.c, p[1], 24), TLSF_E_NEIGHBOUR);
	}
	heap_close(&h);
}

/* a request that is a little more than all there is, in the class of the one free block */
static void damage_is_named_before_exhaustion(void)
{
	struct tlsf_block *block;
	void *p[2];
	struct heap h;
	size_t size, head;

	heap_build(&h, "F30000", p);
	size = h.c->free * G + 2 * G;
	EXPECT(!tlsf_core_alloc(h.c, size));
	EXPECT_EQ(tlsf_core_status(h.c), TLSF_E_SIZE);
	heap_close(&h);

	heap_build(&h, "F30000 U64", p);
	size = h.c->free * G + G;
	EXPECT(!tlsf_core_alloc(h.c, size));
	EXPECT_EQ(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	block = tlsf_block_of(p[0]);
	head = block->prev;
	tlsf_block_at(h.c, head)->next = SIZE_MAX;
	EXPECT(!tlsf_core_alloc(h.c, size));
	EXPECT_EQ(tlsf_core_status(h.c), TLSF_E_LINKS);
	tlsf_block_at(h.c, head)->next = tlsf_link(tlsf_block_index(h.c, block));
	block->header += 8 * G;
	EXPECT(!tlsf_core_alloc(h.c, size));
	EXPECT_EQ(tlsf_core_status(h.c), TLSF_E_LINKS);
	block->header -= 8 * G;
	heap_close(&h);
}

/*
 * A small number as the link back of a freed block leads into the control structure, where
 * words may happen to be the index of the block: those before the lists are nobody's next.
 */
static void small_link_back_is_rejected(void)
{
	struct heap h;
	void *p[3];
	size_t i, was;

	heap_build(&h, "F200 U64 U32", p);
	was = tlsf_block_of(p[0])->prev;
	for (i = 0; i < TLSF_FIRST_LIST; i++) {
		tlsf_block_of(p[0])->prev = i;
		EXPECT_EQ(tlsf_core_free(h.c, p[1]), TLSF_E_LINKS);
	}
	tlsf_block_of(p[0])->prev = was;
	heap_close(&h);
}

/*
 * What a driver writes to a block that it has freed, in the words of the links: small
 * numbers, its old contents cleared. They lead to words of the control structure, of which one
 * may happen to be the index of the block: that of the first block and of the last are there.
 */
static void small_link_on_is_rejected(void)
{
	static const char *const layouts[] = { "F200 U64 U32", "U32 U64 F200" };
	struct tlsf_block *b;
	struct heap h;
	void *p[3];
	size_t i, l, was;

	for (l = 0; l < ARRAY_SIZE(layouts); l++) {
		heap_build(&h, layouts[l], p);
		b = tlsf_block_of(p[l ? 2 : 0]);
		was = b->next;
		for (i = 0; i < h.c->start; i++) {
			if (i == TLSF_NIL)
				continue;
			b->next = i;
			EXPECT_EQ(tlsf_core_free(h.c, p[1]), TLSF_E_LINKS);
			b->next = tlsf_link(i);
			EXPECT_EQ(tlsf_core_free(h.c, p[1]), TLSF_E_LINKS);
		}
		b->next = was;
		EXPECT_STATUS(heap_free(&h, p[1]), TLSF_OK);
		heap_close(&h);
	}
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(own_header_with_a_spare_bit_is_rejected),
		KTAP_CASE(small_link_on_is_rejected),
		KTAP_CASE(damaged_end_mark_is_rejected),
		KTAP_CASE(own_header_damaged_is_rejected),
		KTAP_CASE(header_above_damaged_is_rejected),
		KTAP_CASE(next_above_damaged_is_rejected),
		KTAP_CASE(prev_above_damaged_is_rejected),
		KTAP_CASE(footer_above_damaged_is_rejected),
		KTAP_CASE(header_below_damaged_is_rejected),
		KTAP_CASE(next_below_damaged_is_rejected),
		KTAP_CASE(prev_below_damaged_is_rejected),
		KTAP_CASE(footer_below_damaged_is_rejected),
		KTAP_CASE(header_above_of_a_head_damaged_is_not_served),
		KTAP_CASE(next_above_of_a_head_damaged_is_not_served),
		KTAP_CASE(prev_above_of_a_head_damaged_is_not_served),
		KTAP_CASE(footer_above_of_a_head_damaged_is_not_served),
		KTAP_CASE(header_below_of_a_head_damaged_is_not_served),
		KTAP_CASE(next_below_of_a_head_damaged_is_not_served),
		KTAP_CASE(prev_below_of_a_head_damaged_is_not_served),
		KTAP_CASE(footer_below_of_a_head_damaged_is_not_served),
		KTAP_CASE(own_header_gone_wild_is_rejected),
		KTAP_CASE(header_above_gone_wild_is_rejected),
		KTAP_CASE(next_above_gone_wild_is_rejected),
		KTAP_CASE(prev_above_gone_wild_is_rejected),
		KTAP_CASE(footer_above_gone_wild_is_rejected),
		KTAP_CASE(header_below_gone_wild_is_rejected),
		KTAP_CASE(next_below_gone_wild_is_rejected),
		KTAP_CASE(prev_below_gone_wild_is_rejected),
		KTAP_CASE(footer_below_gone_wild_is_rejected),
		KTAP_CASE(header_above_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(next_above_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(prev_above_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(footer_above_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(header_below_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(next_below_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(prev_below_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(footer_below_of_a_head_gone_wild_is_not_served),
		KTAP_CASE(damage_is_named_before_exhaustion),
		KTAP_CASE(small_link_back_is_rejected),
	};

	return ktap_run("unit_damage", cases, ARRAY_SIZE(cases));
}
