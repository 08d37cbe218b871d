// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walker that proves the core's numbered invariants (tlsf_core.h).
 *
 * Room: core. Freestanding; includes tlsf_core.h alone; prints nothing, changes
 * nothing. The caller serialises. Cost: proportional to blocks and lists.
 *
 * It may be run on a damaged heap. Whatever says where something is or how much there is
 * of it, the control structure's own fields included, is held against what the caller
 * gave (base and bytes of each region) or the compiler knows before it is followed. So it
 * names damage of any word but survives only where base and bytes can be believed.
 */
#include "tlsf_core.h"

#define NO_BLOCK_BELOW	((const struct tlsf_block *)NULL)

struct check {
	const struct tlsf_core *c;
	const void *where;
	size_t used;
	size_t used_blocks;
	size_t free_blocks;
};

static unsigned int broken(struct check *k, unsigned int invariant, const void *where)
{
	k->where = where;
	return invariant;
}

/* is @b a place where a header of region @r can be? */
static bool in_blocks(const struct tlsf_region *r, const struct tlsf_block *b)
{
	return (uintptr_t)tlsf_block_payload(b) - r->first <= tlsf_region_last(r);
}

static bool in_any_region(const struct tlsf_core *c, const struct tlsf_block *b)
{
	unsigned int i;

	for (i = 0; i < c->nr_regions; i++)
		if (in_blocks(&c->region[i], b))
			return true;
	return false;
}

/* invariants 1 to 5 for @b, below which is @prev; adds it to the sums */
static unsigned int check_block(struct check *k, const struct tlsf_region *r,
				const struct tlsf_block *b, const struct tlsf_block *prev)
{
	size_t size = tlsf_block_size(b);
	bool free = tlsf_block_is_free(b);
	bool prev_free = prev && tlsf_block_is_free(prev);

	if (size >= TLSF_BLOCK_LIMIT || size < TLSF_BLOCK_MIN ||
	    (b->header & TLSF_FLAGS & ~TLSF_PREV_FREE))
		return broken(k, 2, b);
	if (tlsf_block_place(k->c, b) + size / TLSF_GRANULE > r->end)
		return broken(k, 1, b);
	if (free && prev_free)
		return broken(k, 3, b);
	if (prev_free != !!(b->header & TLSF_PREV_FREE))
		return broken(k, 4, b);
	if (free && *tlsf_block_footer_below(tlsf_block_above(b, size)) !=
	    tlsf_block_place(k->c, b))
		return broken(k, 5, b);
	k->free_blocks += free;
	k->used_blocks += !free;
	k->used += free ? 0 : size / TLSF_GRANULE;
	return 0;
}

static unsigned int check_region(struct check *k, const struct tlsf_region *r)
{
	const struct tlsf_block *b = tlsf_block_of((void *)r->first), *prev = NO_BLOCK_BELOW;
	unsigned int bad;

	while (in_blocks(r, b)) {
		bad = check_block(k, r, b, prev);
		if (bad)
			return bad;
		prev = b;
		b = tlsf_block_above(b, tlsf_block_size(b));
	}
	/* b is the end mark, or between it and the last place for a block */
	if (tlsf_block_place(k->c, b) != r->end ||
	    (b->header & ~TLSF_PREV_FREE) != (TLSF_BLOCK_MIN | TLSF_USED))
		return broken(k, 1, b);
	if (tlsf_block_is_free(prev) != !!(b->header & TLSF_PREV_FREE))
		return broken(k, 4, b);
	return 0;
}

/* invariant 6 for list @i; counts its blocks, of which there may be @most */
static unsigned int check_list(struct check *k, unsigned int i, size_t *count, size_t most)
{
	const struct tlsf_core *c = k->c;
	size_t place, prev = TLSF_FIRST_LIST + i;

	for (place = c->list[i]; place != TLSF_NIL; place = tlsf_block_at(c, place)->next) {
		const struct tlsf_block *b = tlsf_block_at(c, place);

		/* a place that is too large may lead to a block all the same: it wraps */
		if (place >= c->links_end || !in_any_region(c, b) || b->prev != prev ||
		    !tlsf_block_is_free(b) ||
		    tlsf_map_index(tlsf_block_size(b) / TLSF_GRANULE) != i)
			return broken(k, 6, b);
		if (++*count > most)
			return broken(k, 7, b);
		prev = place;
	}
	return 0;
}

/* invariants 6 to 8: the lists against the walk, the bitmaps against the lists */
static unsigned int check_lists(struct check *k)
{
	const struct tlsf_core *c = k->c;
	unsigned int i, w, bad;
	size_t count = 0;

	for (i = 0; i < c->nr_lists; i++) {
		bad = check_list(k, i, &count, k->free_blocks);
		if (bad)
			return bad;
	}
	for (i = TLSF_WORD_BITS; i < TLSF_BITMAP_WORDS * TLSF_WORD_BITS; i++) {
		bool set = c->bitmap[i / TLSF_WORD_BITS] >> (i % TLSF_WORD_BITS) & 1;
		bool list = i - TLSF_FIRST_LIST < c->nr_lists;

		if (set != (list && c->list[i - TLSF_FIRST_LIST] != TLSF_NIL))
			return broken(k, 8, &c->bitmap[i / TLSF_WORD_BITS]);
	}
	for (w = 0; w < TLSF_WORD_BITS; w++)
		if ((c->bitmap[TLSF_SUMMARY] >> w & 1) !=
		    (w != TLSF_SUMMARY && w < TLSF_BITMAP_WORDS && c->bitmap[w]))
			return broken(k, 8, &c->bitmap[TLSF_SUMMARY]);
	return count == k->free_blocks ? 0 : broken(k, 7, c->list);
}

/* Is @r the blocks that fit into the memory from its base on? */
static bool region_agrees(const struct tlsf_core *c, const struct tlsf_region *r)
{
	uintptr_t base = (uintptr_t)r->base, start = r->first - TLSF_BLOCK_HEADER;
	size_t n = r->end - r->start;

	return base >= (uintptr_t)tlsf_block_at(c, c->control_end) &&
	       r->bytes <= TLSF_REGION_MAX && base <= TLSF_NO_ADDRESS - r->bytes &&
	       start - base < TLSF_GRANULE &&
	       r->start < r->end && n <= r->bytes / TLSF_GRANULE &&
	       base + r->bytes - start - (n * TLSF_GRANULE + TLSF_BLOCK_HEADER) < TLSF_GRANULE &&
	       r->granules - 1 == n - TLSF_BLOCK_MIN / TLSF_GRANULE &&
	       r->start < TLSF_PLACES && (uintptr_t)tlsf_block_at(c, r->start) == start;
}

static bool limits_agree(const struct tlsf_core *c)
{
	size_t top = c->control_end, capacity = 0;
	unsigned int i;

	for (i = 0; i < c->nr_regions; i++) {
		top = c->region[i].end;
		capacity += top - c->region[i].start;
	}
	return c->top == top && c->links_end == top - 1 && c->blocks_end == top - 1 &&
	       c->capacity == capacity &&
	       (!c->max_request || c->max_request == tlsf_core_most(c));
}

/* invariant 10 */
static unsigned int check_control(struct check *k)
{
	const struct tlsf_core *c = k->c;
	unsigned int i;

	if (c->nil.header || c->nil.next != TLSF_NIL)
		return broken(k, 10, &c->nil);
	if (!c->nr_lists || c->nr_lists > TLSF_LISTS_MAX ||
	    c->control_end != offsetof(struct tlsf_core, list) / TLSF_GRANULE + c->nr_lists)
		return broken(k, 10, &c->nr_lists);
	if (c->nr_regions > TLSF_REGIONS_MAX)
		return broken(k, 10, &c->nr_regions);
	for (i = 0; i < TLSF_REGIONS_MAX; i++) {
		const struct tlsf_region *r = &c->region[i];

		if (i >= c->nr_regions ? r->first != TLSF_NO_ADDRESS :
		    !region_agrees(c, r) || (i && r->start <= r[-1].end))
			return broken(k, 10, r);
	}
	return limits_agree(c) ? 0 : broken(k, 10, &c->top);
}

/* invariant 9 */
static unsigned int check_counters(struct check *k)
{
	const struct tlsf_core *c = k->c;

	if (k->used != c->capacity - c->free)
		return broken(k, 9, &c->free);
	if (k->used_blocks != c->allocs - c->frees)
		return broken(k, 9, &c->allocs);
	if (k->free_blocks != tlsf_core_free_blocks(c))
		return broken(k, 9, &c->free_less_frees);
	return 0;
}

/**
 * tlsf_core_check() - prove all invariants
 * @c: control structure
 * @where: set to the place of the first broken one, unless NULL
 *
 * Return: 0, or the number of the first broken invariant.
 */
unsigned int tlsf_core_check(const struct tlsf_core *c, const void **where)
{
	struct check k = { .c = c };
	unsigned int i, bad = check_control(&k);

	for (i = 0; !bad && i < c->nr_regions; i++)
		bad = check_region(&k, &c->region[i]);
	if (!bad)
		bad = check_lists(&k);
	if (!bad)
		bad = check_counters(&k);
	if (bad && where)
		*where = k.where;
	return bad;
}
