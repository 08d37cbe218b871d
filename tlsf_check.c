// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walker that proves the core's numbered invariants (tlsf_core.h).
 *
 * Room: core. Freestanding; includes tlsf_core.h alone; prints nothing, changes
 * nothing. The caller serialises. Cost: proportional to blocks and lists.
 *
 * It may be run on a damaged heap. Whatever says where something is or how much there is
 * of it, the control structure's own fields included, is held against what the caller
 * gave (@bytes, which has to agree with @last) or the compiler knows before it is followed. So
 * it names and survives damage of any word.
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

/* invariants 1 to 5 for the block at @b, below which is @below or none; adds it to the sums */
static unsigned int check_block(struct check *k, size_t b, const struct tlsf_block *below)
{
	const struct tlsf_core *c = k->c;
	const struct tlsf_block *block = tlsf_block_at(c, b);
	size_t size = tlsf_block_size(block);
	bool free = tlsf_block_is_free(block), below_free = below && tlsf_block_is_free(below);

	if (size >= TLSF_BLOCK_LIMIT || size < TLSF_BLOCK_MIN ||
	    (block->header & TLSF_FLAGS & ~TLSF_PREV_FREE))
		return broken(k, 2, block);
	if (b + size / TLSF_GRANULE > tlsf_core_end_index(c))
		return broken(k, 1, block);
	if (free && below_free)
		return broken(k, 3, block);
	if (below_free != !!(block->header & TLSF_PREV_FREE))
		return broken(k, 4, block);
	if (free && *tlsf_block_footer_below(tlsf_block_above(block, size)) != b)
		return broken(k, 5, block);
	k->free_blocks += free;
	k->used_blocks += !free;
	k->used += free ? 0 : size / TLSF_GRANULE;
	return 0;
}

/* invariants 1 to 5 */
static unsigned int check_region(struct check *k)
{
	const struct tlsf_core *c = k->c;
	const struct tlsf_block *below = NO_BLOCK_BELOW, *mark;
	size_t b = c->start;
	unsigned int bad;

	while (b <= c->last) {
		bad = check_block(k, b, below);
		if (bad)
			return bad;
		below = tlsf_block_at(c, b);
		b += tlsf_block_size(below) / TLSF_GRANULE;
	}
	/* it is the end mark, or between it and the last place for a block */
	mark = tlsf_block_at(c, b);
	if (b != tlsf_core_end_index(c) ||
	    (mark->header & ~TLSF_PREV_FREE) != (TLSF_BLOCK_MIN | TLSF_USED))
		return broken(k, 1, mark);
	if (tlsf_block_is_free(below) != !!(mark->header & TLSF_PREV_FREE))
		return broken(k, 4, mark);
	return 0;
}

/* invariant 6 for list @list; counts its blocks, of which there may be @most */
static unsigned int check_list(struct check *k, size_t list, size_t *count, size_t most)
{
	const struct tlsf_core *c = k->c;
	size_t b, prev = list;

	for (;;) {
		const struct tlsf_block *block;

		b = tlsf_link_index(tlsf_block_at(c, prev)->next);
		if (b == TLSF_NIL)
			return 0;
		if (b < c->start || b > c->last)
			return broken(k, 6, tlsf_block_at(c, prev));
		block = tlsf_block_at(c, b);
		if (block->prev != prev ||
		    !tlsf_block_is_free(block) ||
		    tlsf_map_index(tlsf_block_size(block) / TLSF_GRANULE) + TLSF_FIRST_LIST != list)
			return broken(k, 6, block);
		if (++*count > most)
			return broken(k, 7, block);
		prev = b;
	}
}

/* invariants 6 to 8: the lists against the walk, the bitmaps against the lists */
static unsigned int check_lists(struct check *k)
{
	const struct tlsf_core *c = k->c;
	size_t i, end = c->start - 1, count = 0;
	unsigned int w, bad;

	for (i = TLSF_FIRST_LIST; i < end; i++) {
		bad = check_list(k, i, &count, k->free_blocks);
		if (bad)
			return bad;
	}
	for (i = 0; i < TLSF_BITMAP_WORDS * TLSF_WORD_BITS; i++) {
		bool set = c->bitmap[i / TLSF_WORD_BITS] >> (i % TLSF_WORD_BITS) & 1;
		bool list = i >= TLSF_FIRST_LIST && i < end;

		if (set != (list && tlsf_block_at(c, i)->next != tlsf_link(TLSF_NIL)))
			return broken(k, 8, &c->bitmap[i / TLSF_WORD_BITS]);
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
	size_t size = tlsf_core_size(c->bytes);

	if (c->nil.header || c->nil.next != tlsf_link(TLSF_NIL))
		return broken(k, 10, &c->nil);
	if (!size || c->last != c->bytes / TLSF_GRANULE - 1 - TLSF_GRANULES_MIN)
		return broken(k, 10, &c->last);
	if (c->start != size / TLSF_GRANULE)
		return broken(k, 10, &c->start);
	if (c->max_request && c->max_request != tlsf_core_most(c))
		return broken(k, 10, &c->max_request);
	return 0;
}

/* invariant 9 */
static unsigned int check_counters(struct check *k)
{
	const struct tlsf_core *c = k->c;

	if (k->used != tlsf_core_capacity(c) - c->free)
		return broken(k, 9, &c->free);
	if (k->used_blocks != c->allocs - c->frees)
		return broken(k, 9, &c->allocs);
	if (k->free_blocks != tlsf_core_free_blocks(c))
		return broken(k, 9, &c->free_minus_frees);
	return 0;
}

/**
 * tlsf_core_check() - prove all invariants
 * @c: control structure
 * @where: set to the address of the first broken one, unless NULL
 *
 * Return: 0, or the number of the first broken invariant.
 */
unsigned int tlsf_core_check(const struct tlsf_core *c, const void **where)
{
	struct check k = { .c = c };
	unsigned int bad = check_control(&k);

	if (!bad)
		bad = check_region(&k);
	if (!bad)
		bad = check_lists(&k);
	if (!bad)
		bad = check_counters(&k);
	if (bad && where)
		*where = k.where;
	return bad;
}
