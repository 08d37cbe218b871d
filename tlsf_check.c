// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walker that proves the core's numbered invariants (tlsf_core.h).
 *
 * Room: core (freestanding); includes tlsf_core.h alone; prints nothing, changes
 * nothing. The caller serialises. Cost: proportional to blocks and lists. It trusts
 * no pointer that it has not found inside a region or the control structure, so it
 * may be run on a damaged heap.
 */
#include "tlsf_core.h"

#define NO_BLOCK_BELOW	((const struct tlsf_block *)NULL)

struct check {
	const struct tlsf_core *c;
	const void *where;
	size_t used_bytes;
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
	uintptr_t payload = (uintptr_t)tlsf_block_payload(b);

	return payload - r->first <= tlsf_region_last(r) && !(payload & TLSF_FLAGS);
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
	bool free = b->header & TLSF_FREE;
	bool prev_free = prev && (prev->header & TLSF_FREE);

	if (size >= TLSF_BLOCK_LIMIT || size < TLSF_BLOCK_MIN ||
	    (b->header & TLSF_FLAGS & ~(TLSF_FREE | TLSF_PREV_FREE)))
		return broken(k, 2, b);
	if (size - TLSF_BLOCK_MIN > r->limit - (uintptr_t)tlsf_block_payload(b))
		return broken(k, 1, b);
	if (free && prev_free)
		return broken(k, 3, b);
	if (prev_free != !!(b->header & TLSF_PREV_FREE))
		return broken(k, 4, b);
	if (free && *tlsf_block_footer_below(tlsf_block_at(b, size)) != b)
		return broken(k, 5, b);
	k->free_blocks += free;
	k->used_blocks += !free;
	k->used_bytes += free ? 0 : size - TLSF_BLOCK_HEADER;
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
		b = tlsf_block_at(b, tlsf_block_size(b));
	}
	/* b is the end mark, or between it and the last place for a block */
	if ((uintptr_t)tlsf_block_payload(b) != r->limit - TLSF_FLAGS + TLSF_BLOCK_MIN ||
	    tlsf_block_size(b) != TLSF_BLOCK_MIN || (b->header & TLSF_FREE))
		return broken(k, 1, b);
	if (!(prev->header & TLSF_FREE) != !(b->header & TLSF_PREV_FREE))
		return broken(k, 4, b);
	return 0;
}

/* invariant 6 for list @i; counts its blocks, of which there may be @most */
static unsigned int check_list(struct check *k, unsigned int i, size_t *count, size_t most)
{
	const struct tlsf_core *c = k->c;
	struct tlsf_block *const *pprev = &c->list[i];
	const struct tlsf_block *b;

	for (b = *pprev; b != &c->nil; b = *pprev) {
		if (!in_any_region(c, b) || b->pprev != pprev || !(b->header & TLSF_FREE) ||
		    tlsf_map_index(tlsf_block_size(b) / TLSF_GRANULE) != i)
			return broken(k, 6, b);
		if (++*count > most)
			return broken(k, 7, b);
		pprev = &b->next;
	}
	return 0;
}

/* invariants 6 to 8: the lists against the walk, the bitmaps against the lists */
static unsigned int check_lists(struct check *k)
{
	const struct tlsf_core *c = k->c;
	unsigned int i, w, bad;
	size_t count = 0;

	for (i = 0; i <= c->nr_lists; i++) {
		size_t slot = TLSF_FIRST_SLOT + i;
		bool set = c->bitmap[slot / TLSF_WORD_BITS] >> (slot % TLSF_WORD_BITS) & 1;
		bool empty = c->list[i] == &c->nil;

		bad = check_list(k, i, &count, k->free_blocks);
		if (bad)
			return bad;
		if (set == empty)
			return broken(k, 8, &c->list[i]);
	}
	for (w = 0; w < TLSF_WORD_BITS; w++)
		if ((c->summary >> w & 1) != (w < TLSF_BITMAP_WORDS && c->bitmap[w]))
			return broken(k, 8, &c->summary);
	return count == k->free_blocks ? 0 : broken(k, 7, c->list);
}

/* invariant 10 */
static unsigned int check_control(struct check *k)
{
	const struct tlsf_core *c = k->c;
	unsigned int i;

	if (c->nil.header || c->nil.next != &c->nil)
		return broken(k, 10, &c->nil);
	if (c->nr_regions > TLSF_REGIONS_MAX)
		return broken(k, 10, &c->nr_regions);
	for (i = 1; i < TLSF_REGIONS_MAX; i++) {
		const struct tlsf_region *below = &c->region[i - 1];

		if (i >= c->nr_regions ? c->region[i].first != TLSF_NO_ADDRESS :
		    c->region[i].first <= below->limit - TLSF_FLAGS + TLSF_BLOCK_MIN)
			return broken(k, 10, &c->region[i]);
	}
	return 0;
}

/* invariant 9 */
static unsigned int check_counters(struct check *k)
{
	const struct tlsf_core *c = k->c;

	if (k->used_bytes != c->used_bytes)
		return broken(k, 9, &c->used_bytes);
	if (k->used_blocks != c->allocs - c->frees)
		return broken(k, 9, &c->allocs);
	if (k->free_blocks != tlsf_core_free_blocks(c))
		return broken(k, 9, &c->free_less_frees);
	return c->high_water < c->used_bytes ? broken(k, 9, &c->high_water) : 0;
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
