// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two-level segregated fit: the algorithm.
 *
 * Room: core (freestanding); includes tlsf_core.h alone. The caller serialises all
 * calls on one control structure. Layout, names and the numbered invariants are in
 * tlsf_core.h, the class mapping in tlsf_map.h.
 *
 * How a request is served (Masmano et al., ECRTS 2004, section 4): round it up to
 * the smallest class in which every block fits, find the first non-empty class from
 * there with one look at the head of that very class, else two bit scans (a bitmap
 * word, then the summary), take the head, give back what is too much. When nothing
 * is found, the head of the request's own class may still be large enough: one look,
 * on the way to failure only. It makes "free n, allocate n" succeed in a full pool
 * and the whole empty pool allocatable. A free merges with both physical neighbours
 * and pushes the result on the head of its list.
 *
 * Rounding up costs nothing to compute: the class after that of (size - 1 granule) is
 * the first in which every block has at least size.
 *
 * Validation. A pointer is looked up in the table of regions before anything is read
 * through it, a size is held against the end of the region before it is believed, both
 * neighbours must agree with it, and a block leaves its list only if whatever points
 * at it is where its links say (safe unlink). A bad pointer or a damaged header changes
 * nothing. The tests on the fast path are folded together; refuse_pointer() takes them
 * apart to name the rule. A block that is absorbed by the one below loses its header,
 * so that no header of an allocated block is ever left inside another.
 *
 * Free needs two removals and finds the second block damaged only after the first has
 * left its list. A removed block keeps its links, so it is put back where it was.
 *
 * Steps. Counted when TLSF_COUNT_STEPS is defined: a bitmap scan, a list insertion,
 * a list removal, a split and a merge are one step each. The longest operations:
 *
 *	alloc		2 scans + removal + split + insertion			  5
 *	memalign	2 scans + removal + 2 (split + insertion)		  7
 *	free		2 (merge + removal) + insertion				  5
 *	resize		merge + removal + split + insertion			  4
 *	grow_back	2 (merge + removal) + split + insertion			  6
 */
#include "tlsf_core.h"

#ifdef TLSF_COUNT_STEPS
#define TLSF_STEPS_BEGIN(c)	((c)->steps = 0)
#define TLSF_STEP(c)		((c)->steps++)
#else
#define TLSF_STEPS_BEGIN(c)	((void)(c))
#define TLSF_STEP(c)		((void)(c))
#endif

#ifndef __KERNEL__
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define noinline	__attribute__((__noinline__))
#define __cold		__attribute__((__cold__))
#ifndef __always_inline		/* glibc has it, with this meaning */
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#endif

static_assert(sizeof(unsigned long) == sizeof(size_t), "bitmap words hold sizes");
static_assert(sizeof(void *) == TLSF_GRANULE, "footers and links are one granule");
static_assert(((size_t)1 << TLSF_GRANULE_LOG2) == TLSF_GRANULE, "granule is 2^log2");
static_assert(TLSF_BITMAP_WORDS <= TLSF_WORD_BITS, "one summary word is enough");
static_assert(TLSF_FIRST_SLOT + TLSF_LISTS_MAX < TLSF_BITMAP_WORDS * TLSF_WORD_BITS,
	      "a bit for every slot");
static_assert(offsetof(struct tlsf_core, list) % sizeof(void *) == 0, "heads are slots");
static_assert(TLSF_REGIONS_MAX == 8, "region_search() takes three steps");
static_assert(offsetof(struct tlsf_core, nil) == 0, "nil is tested as the core's address");

/* ---- sizes and classes ---- */

/*
 * A list is named by the slot of its head: its index when the whole control structure
 * is seen as an array of words. Bit n of the bitmap belongs to slot n, so that the
 * address of a head gives the bit without knowing where the list heads begin.
 */
static __always_inline struct tlsf_block **slot_head(struct tlsf_core *c, size_t slot)
{
	return (struct tlsf_block **)c + slot;
}

/* the list of free blocks of @block_size */
static __always_inline size_t slot_of(size_t block_size)
{
	return tlsf_map_scaled(block_size, TLSF_GRANULE_LOG2) + TLSF_FIRST_SLOT;
}

/*
 * The first list in which every block serves @size bytes. Its blocks are larger than
 * the class of one granule less, which is what (@size + a header - 1) falls into; the
 * granule's fraction drops out in the mapping.
 */
static __always_inline size_t slot_above(size_t size)
{
	return slot_of(size + TLSF_BLOCK_HEADER - 1) + 1;
}

/* size of the block that serves @size bytes; @size is at most max_request */
static __always_inline size_t block_need(size_t size)
{
	size_t need = (size + TLSF_BLOCK_HEADER + TLSF_GRANULE - 1) & ~TLSF_FLAGS;

	return need < TLSF_BLOCK_MIN ? TLSF_BLOCK_MIN : need;
}

/* one comparison for both ends: zero wraps round to the largest size */
static __always_inline bool size_refused(const struct tlsf_core *c, size_t size)
{
	return unlikely(size - 1 >= c->max_request);
}

/* zero, not a power of two, or beyond all sense */
static __always_inline bool align_refused(const struct tlsf_core *c, size_t align)
{
	return unlikely(!align || (align & (align - 1)) || align > c->max_request);
}

static __always_inline uintptr_t align_up(uintptr_t addr, size_t align)
{
	return (addr + align - 1) & ~(uintptr_t)(align - 1);
}

/*
 * First payload address from @payload up that is a multiple of @align and leaves
 * below it either nothing or room for a free block.
 */
static __always_inline uintptr_t aligned_payload(uintptr_t payload, size_t align)
{
	uintptr_t at = align_up(payload, align);

	if (at != payload && at - payload < TLSF_BLOCK_MIN)
		at = align_up(payload + TLSF_BLOCK_MIN, align);
	return at;
}

/* ---- free lists ---- */

static __always_inline bool is_nil(const struct tlsf_core *c, const struct tlsf_block *b)
{
	return b == &c->nil;
}

/* all bits but bit (@n modulo the word): what compilers know as a rotation */
static __always_inline unsigned long all_but(size_t n)
{
	return (~1UL << (n & (TLSF_WORD_BITS - 1))) | (~1UL >> (-n & (TLSF_WORD_BITS - 1)));
}

static __always_inline void slot_set(struct tlsf_core *c, size_t slot)
{
	c->bitmap[slot / TLSF_WORD_BITS] |= 1UL << (slot % TLSF_WORD_BITS);
	c->summary |= 1UL << (slot / TLSF_WORD_BITS);
}

static __always_inline void slot_clear(struct tlsf_core *c, size_t slot)
{
	size_t w = slot / TLSF_WORD_BITS;

	c->bitmap[w] &= all_but(slot);
	if (!c->bitmap[w])
		c->summary &= all_but(w);
}

/* what makes a free block, but for the word that the block above has of it */
static __always_inline void block_mark_free(struct tlsf_block *b, size_t size)
{
	*tlsf_block_footer_below(tlsf_block_at(b, size)) = b;
	b->header = size + TLSF_FREE;
}

static __always_inline void block_insert(struct tlsf_core *c, struct tlsf_block *b, size_t size)
{
	size_t slot = slot_of(size + TLSF_FREE);	/* the same, and the header has it */
	struct tlsf_block **head = slot_head(c, slot);
	struct tlsf_block *next = *head;

	TLSF_STEP(c);
	*head = b;
	b->next = next;
	next->pprev = &b->next;
	b->pprev = head;
	slot_set(c, slot);
}

/*
 * @bytes in granules, or more than any number of them when there is a fraction, whose
 * bits become the highest: one comparison for range and alignment.
 */
static __always_inline size_t granules_rotated(size_t bytes)
{
	return bytes >> TLSF_GRANULE_LOG2 | bytes << (TLSF_WORD_BITS - TLSF_GRANULE_LOG2);
}

/*
 * May @addr be read as a block with its links? Compares with the span of control
 * structure and regions, in which only gaps between regions are wrongly taken for ours.
 */
static __always_inline bool is_ours(const struct tlsf_core *c, const void *addr)
{
	return granules_rotated((uintptr_t)addr - c->low) < c->extent;
}

/*
 * Remove a block from its list, unless its links are damaged: then nothing has changed.
 * When the nil block is next, this was the last; when besides a list head pointed at
 * it, the list is empty now, and the head's address is the slot.
 */
static __always_inline bool block_unlink(struct tlsf_core *c, struct tlsf_block *b)
{
	struct tlsf_block **pprev = b->pprev;
	struct tlsf_block *next = b->next;
	size_t at = (uintptr_t)pprev - (uintptr_t)c;

	if (unlikely(!is_ours(c, pprev) || *pprev != b))
		return false;
	if (!is_nil(c, next)) {
		if (unlikely(!is_ours(c, next) || next->pprev != &b->next))
			return false;
		next->pprev = pprev;
	}
	TLSF_STEP(c);
	*pprev = next;
	if (is_nil(c, next) && at < c->control_bytes)
		slot_clear(c, at / sizeof(*pprev));
	return true;
}

/* put back exactly where it was the block that block_unlink() removed last */
static noinline __cold void block_relink(struct tlsf_core *c, struct tlsf_block *b)
{
	*b->pprev = b;
	b->next->pprev = &b->next;
	slot_set(c, slot_of(tlsf_block_size(b)));
	c->free_less_frees++;
}

/* ---- regions and validation ---- */

/* three steps of binary search; an unused entry starts above every address */
static noinline const struct tlsf_region *region_search(const struct tlsf_core *c, uintptr_t addr)
{
	const struct tlsf_region *r = c->region;

	r += r[4].first <= addr ? 4 : 0;
	r += r[2].first <= addr ? 2 : 0;
	r += r[1].first <= addr ? 1 : 0;
	return r;
}

/* the one region that may hold @payload; most often there is only one */
static __always_inline const struct tlsf_region *
region_of(const struct tlsf_core *c, uintptr_t payload)
{
	const struct tlsf_region *r = c->region;

	return likely(granules_rotated(payload - r->first) < r->granules) ?
		r : region_search(c, payload);
}

/* an allocated block that was found to be one */
struct view {
	struct tlsf_block *b;
	struct tlsf_block *next;
	size_t payload;		/* usable bytes */
	size_t prev_flag;	/* TLSF_PREV_FREE or 0 */
	size_t below;		/* granules of its region below it */
	size_t room;		/* bytes of its region above it, and up to a granule more */
};

/*
 * Is @ptr in a region, aligned, and below it the header of an allocated block that ends
 * in the region? A size below the minimum wraps round and is too large.
 */
static __always_inline bool view_block(const struct tlsf_core *c, struct view *v, const void *ptr)
{
	const struct tlsf_region *r = region_of(c, (uintptr_t)ptr);
	size_t header;

	v->below = granules_rotated((uintptr_t)ptr - r->first);
	v->room = r->limit - (uintptr_t)ptr;
	if (unlikely(v->below >= r->granules))
		return false;
	v->b = tlsf_block_of(ptr);
	header = v->b->header;
	if (unlikely((header & TLSF_FLAGS & ~TLSF_PREV_FREE) ||
		     header - TLSF_BLOCK_MIN > v->room))
		return false;
	v->prev_flag = header & TLSF_PREV_FREE;
	v->payload = (header - TLSF_BLOCK_HEADER) & ~TLSF_FLAGS;
	v->next = (struct tlsf_block *)((uintptr_t)ptr + v->payload);
	v->room -= v->payload + TLSF_BLOCK_HEADER - TLSF_BLOCK_MIN;
	return true;
}

/* Could the allocated block above have @header? The end mark looks like the smallest. */
static __always_inline bool next_used_good(const struct view *v, size_t header)
{
	return likely(header - TLSF_BLOCK_MIN <= v->room);
}

/*
 * Does the free block above, which has @header, end in the region and know it?
 * TLSF_PREV_FREE in its header would say that we are free.
 */
static __always_inline bool next_free_good(const struct view *v, size_t header)
{
	size_t size = header - TLSF_FREE;

	return likely(!(size & TLSF_FLAGS) && size <= v->room &&
		      *tlsf_block_footer_below(tlsf_block_at(v->next, size)) == v->next);
}

/* Is what the footer below leads to a free block of the region that ends where we begin? */
static __always_inline bool prev_good(const struct view *v, const struct tlsf_block *prev)
{
	size_t size = (uintptr_t)v->b - (uintptr_t)prev;

	return likely(granules_rotated(size) <= v->below && prev->header == (size | TLSF_FREE));
}

/* either, by what @header says */
static __always_inline bool next_good(const struct view *v, size_t header)
{
	return header & (TLSF_FREE | TLSF_PREV_FREE) ? next_free_good(v, header) :
						       next_used_good(v, header);
}

/* which rule did @ptr break? what the fast path folds together, one at a time */
static noinline __cold enum tlsf_status refuse_pointer(struct tlsf_core *c, const void *ptr)
{
	const struct tlsf_region *r = region_of(c, (uintptr_t)ptr);
	struct view v;
	size_t header;

	c->bad_pointers++;
	if (((uintptr_t)ptr - r->first) / TLSF_GRANULE >= r->granules)
		return TLSF_E_OUTSIDE;
	if ((uintptr_t)ptr & TLSF_FLAGS)
		return TLSF_E_MISALIGNED;
	header = tlsf_block_of(ptr)->header;
	if (!view_block(c, &v, ptr))
		return (header & TLSF_FLAGS) == TLSF_FREE && header - TLSF_BLOCK_MIN <= v.room ?
			TLSF_E_FREE : TLSF_E_HEADER;
	if (!next_good(&v, v.next->header))
		return TLSF_E_NEIGHBOUR;
	if (v.prev_flag && !prev_good(&v, *tlsf_block_footer_below(v.b)))
		return TLSF_E_NEIGHBOUR;
	return TLSF_E_LINKS;
}

/* ---- carving blocks ---- */

/* @payload more usable bytes are in use; or fewer, in two's complement */
static __always_inline void account_used(struct tlsf_core *c, size_t payload)
{
	size_t used = c->used_bytes + payload;

	c->used_bytes = used;
	if (used > c->high_water)
		c->high_water = used;
}

/*
 * Make @b an allocated block of at least @need bytes out of @size that are in no list,
 * and of which the block above knows that they are free. What is left becomes a free
 * block when it can be one, else it is handed out too. A free block has gone for this,
 * so the count of them changes only if none takes its place. Returns the size it got.
 */
static __always_inline size_t block_carve(struct tlsf_core *c, struct tlsf_block *b, size_t size,
					  size_t need, size_t prev_flag)
{
	size_t rest = size - need;

	if (rest < TLSF_BLOCK_MIN) {
		tlsf_block_at(b, size)->header &= ~TLSF_PREV_FREE;
		b->header = size | prev_flag;
		c->free_less_frees--;
		return size;
	}
	TLSF_STEP(c);
	b->header = need | prev_flag;
	b = tlsf_block_at(b, need);
	block_mark_free(b, rest);
	block_insert(c, b, rest);
	return need;
}

/* ---- allocate ---- */

static noinline __cold void *fail_with(struct tlsf_core *c, enum tlsf_status status)
{
	c->status = status;
	return NULL;
}

/* no block for @need bytes: because there is too little, or in too small pieces? */
static __always_inline void *fail_no_block(struct tlsf_core *c, size_t need)
{
	size_t headers = (c->allocs - c->frees) * TLSF_BLOCK_HEADER;

	if (need > c->capacity - c->used_bytes - headers) {
		c->fail_exhausted++;
		c->status = TLSF_E_EXHAUSTED;
	} else {
		c->fail_fragmented++;
		c->status = TLSF_E_FRAGMENTED;
	}
	return NULL;
}

/*
 * Move *@slot up to the first non-empty list, by two scans at most; false, and *@slot as
 * it was, when there is none.
 */
static __always_inline bool slot_search(struct tlsf_core *c, size_t *slot)
{
	size_t w = *slot / TLSF_WORD_BITS;
	unsigned long word = c->bitmap[w] & (~0UL << (*slot % TLSF_WORD_BITS));

	TLSF_STEP(c);
	if (!word) {
		unsigned long higher = c->summary & (~1UL << w);

		if (unlikely(!higher))
			return false;
		TLSF_STEP(c);
		w = (unsigned int)__builtin_ctzl(higher);
		word = c->bitmap[w];
	}
	*slot = w * TLSF_WORD_BITS + (unsigned int)__builtin_ctzl(word);
	return true;
}

/*
 * Find a list whose head has at least @need bytes: good fit from *@slot up; on the way
 * to failure the head of the list below, which is that of the request's own class if
 * that is another.
 */
static __always_inline bool slot_find(struct tlsf_core *c, size_t *slot, size_t need)
{
	if (likely(!is_nil(c, *slot_head(c, *slot))) || slot_search(c, slot))
		return true;
	--*slot;
	return (*slot_head(c, *slot))->header >= need;
}

/*
 * Take the head off list @slot: its size, or 0 when it is not what a free block has to
 * be, and then nothing has changed.
 */
static __always_inline bool slot_pop(struct tlsf_core *c, size_t slot, size_t *block_size)
{
	struct tlsf_block **head = slot_head(c, slot);
	struct tlsf_block *b = *head, *next = b->next;
	size_t size = b->header - TLSF_FREE;

	if (unlikely(b->pprev != head ||
		     !is_ours(c, tlsf_block_at(b, size - 2 * TLSF_GRANULE)) ||
		     *tlsf_block_footer_below(tlsf_block_at(b, size)) != b))
		return false;
	if (is_nil(c, next)) {
		slot_clear(c, slot);
	} else {
		if (unlikely(!is_ours(c, next) || next->pprev != &b->next))
			return false;
		next->pprev = head;
	}
	TLSF_STEP(c);
	*head = next;
	*block_size = size;
	return true;
}

/**
 * tlsf_core_alloc() - allocate a block
 * @c: control structure
 * @size: bytes wanted; 1 to c->max_request
 *
 * Context: any; the caller serialises. At most 5 steps, no loop.
 * Return: memory aligned to TLSF_GRANULE, or NULL; tlsf_core_status() says why.
 */
void *tlsf_core_alloc(struct tlsf_core *c, size_t size)
{
	struct tlsf_block *b;
	size_t need, slot;

	TLSF_STEPS_BEGIN(c);
	if (size_refused(c, size))
		return fail_with(c, TLSF_E_SIZE);
	need = block_need(size);
	slot = slot_above(size);
	if (unlikely(!slot_find(c, &slot, need)))
		return fail_no_block(c, need);
	b = *slot_head(c, slot);
	if (unlikely(!slot_pop(c, slot, &size)))
		return fail_with(c, TLSF_E_LINKS);
	account_used(c, block_carve(c, b, size, need, 0) - TLSF_BLOCK_HEADER);
	c->allocs++;
	return tlsf_block_payload(b);
}

/**
 * tlsf_core_memalign() - allocate a block at a multiple of an alignment
 * @c: control structure
 * @align: power of two
 * @size: bytes wanted
 *
 * Looks for a block that is large enough wherever it lies, @align + TLSF_BLOCK_MIN
 * larger than @size, and gives back what is left below and above.
 *
 * Context: any; the caller serialises. At most 7 steps, no loop.
 * Return: memory aligned to @align, or NULL; tlsf_core_status() says why.
 */
void *tlsf_core_memalign(struct tlsf_core *c, size_t align, size_t size)
{
	struct tlsf_block *b, *aligned;
	size_t need, room, slot, gap;

	TLSF_STEPS_BEGIN(c);
	if (align_refused(c, align))
		return fail_with(c, TLSF_E_ALIGN);
	if (align <= TLSF_GRANULE)
		return tlsf_core_alloc(c, size);
	if (size_refused(c, size))
		return fail_with(c, TLSF_E_SIZE);
	need = block_need(size);
	room = need - TLSF_BLOCK_HEADER + align + TLSF_BLOCK_MIN - TLSF_GRANULE;
	if (size_refused(c, room))
		return fail_with(c, TLSF_E_SIZE);
	slot = slot_above(room);
	if (unlikely(!slot_find(c, &slot, room + TLSF_BLOCK_HEADER)))
		return fail_no_block(c, need);
	b = *slot_head(c, slot);
	if (unlikely(!slot_pop(c, slot, &size)))
		return fail_with(c, TLSF_E_LINKS);
	aligned = tlsf_block_of((void *)aligned_payload((uintptr_t)tlsf_block_payload(b), align));
	gap = (uintptr_t)aligned - (uintptr_t)b;
	size = block_carve(c, aligned, size - gap, need, gap ? TLSF_PREV_FREE : 0);
	account_used(c, size - TLSF_BLOCK_HEADER);
	if (gap) {
		TLSF_STEP(c);
		block_mark_free(b, gap);
		block_insert(c, b, gap);
		c->free_less_frees++;
	}
	c->allocs++;
	return tlsf_block_payload(aligned);
}

/* ---- free ---- */

/* the block above is not what it should be: as if nothing had happened */
static noinline __cold enum tlsf_status
refuse_next(struct tlsf_core *c, struct tlsf_block *b, struct tlsf_block *prev)
{
	if (prev != b)
		block_relink(c, prev);
	return refuse_pointer(c, tlsf_block_payload(b));
}

/**
 * tlsf_core_free() - take a block back and merge it with free neighbours
 * @c: control structure
 * @ptr: what an allocation returned
 *
 * Context: any; the caller serialises. At most 5 steps, no loop.
 * Return: TLSF_OK, or the rule that @ptr breaks; then nothing has changed.
 */
enum tlsf_status tlsf_core_free(struct tlsf_core *c, void *ptr)
{
	struct tlsf_block *start, *end;
	struct view v;
	size_t header;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(c, &v, ptr)))
		return refuse_pointer(c, ptr);
	start = v.b;
	end = v.next;
	header = end->header;
	if (v.prev_flag) {
		start = *tlsf_block_footer_below(start);
		if (unlikely(!prev_good(&v, start) || !block_unlink(c, start)))
			return refuse_pointer(c, ptr);
		TLSF_STEP(c);
		c->free_less_frees--;
	}
	if (header & (TLSF_FREE | TLSF_PREV_FREE)) {
		if (unlikely(!next_free_good(&v, header) || !block_unlink(c, end)))
			return refuse_next(c, v.b, start);
		TLSF_STEP(c);
		c->free_less_frees--;
		end = tlsf_block_at(end, header - TLSF_FREE);
	} else if (unlikely(!next_used_good(&v, header))) {
		return refuse_next(c, v.b, start);
	}
	v.b->header = 0;
	c->frees++;
	c->used_bytes -= v.payload;
	end->header |= TLSF_PREV_FREE;
	block_mark_free(start, (uintptr_t)end - (uintptr_t)start);
	block_insert(c, start, (uintptr_t)end - (uintptr_t)start);
	return TLSF_OK;
}

/* ---- resize ---- */

/**
 * tlsf_core_resize() - make a block smaller or larger where it stands
 * @c: control structure
 * @ptr: what an allocation returned
 * @size: bytes wanted
 *
 * Grows into the block above when that is free. What is not needed is given back.
 * The contents up to the smaller of the two sizes stay.
 *
 * Context: any; the caller serialises. At most 4 steps, no loop.
 * Return: TLSF_OK; TLSF_E_FRAGMENTED when there is no room above; TLSF_E_SIZE; or the
 * rule that @ptr breaks. Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_resize(struct tlsf_core *c, void *ptr, size_t size)
{
	size_t need, have, header;
	struct view v;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(c, &v, ptr)))
		return refuse_pointer(c, ptr);
	if (size_refused(c, size))
		return TLSF_E_SIZE;
	need = block_need(size);
	have = v.payload + TLSF_BLOCK_HEADER;
	header = v.next->header;
	if (unlikely(!next_good(&v, header)))
		return refuse_pointer(c, ptr);
	if (header & TLSF_FREE)
		have += header - TLSF_FREE;
	if (need > have)
		return TLSF_E_FRAGMENTED;
	if (header & TLSF_FREE) {
		if (unlikely(!block_unlink(c, v.next)))
			return refuse_pointer(c, ptr);
		TLSF_STEP(c);
	} else {
		v.next->header = header | TLSF_PREV_FREE;
		c->free_less_frees++;
	}
	have = block_carve(c, v.b, have, need, v.prev_flag);
	account_used(c, have - TLSF_BLOCK_HEADER - v.payload);
	c->resizes++;
	return TLSF_OK;
}

/* first payload in the free block below that @align allows, or the block's own */
static __always_inline struct tlsf_block *lowest_start(const struct view *v, size_t align)
{
	struct tlsf_block *prev = *tlsf_block_footer_below(v->b);

	return tlsf_block_of((void *)aligned_payload((uintptr_t)tlsf_block_payload(prev), align));
}

/**
 * tlsf_core_grow_back() - grow a block into the free block below it, and if need be
 *	also into the one above
 * @c: control structure
 * @ptr: in: what an allocation returned; out: the new start of the block
 * @align: power of two that the new start is to be a multiple of
 * @size: bytes wanted
 *
 * Touches no contents, so its cost does not depend on them: the caller moves them,
 * from the old pointer to the new, after it has released its lock, since all of both
 * places is now one block of its own. The block is larger than asked for until
 * tlsf_core_resize() has given back its tail, which must wait for the move.
 *
 * Context: any; the caller serialises. At most 6 steps, no loop.
 * Return: as tlsf_core_resize(), and TLSF_E_ALIGN. Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_grow_back(struct tlsf_core *c, void **ptr, size_t align, size_t size)
{
	struct tlsf_block *prev, *start, *end;
	size_t need, header;
	struct view v;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(c, &v, *ptr)))
		return refuse_pointer(c, *ptr);
	if (size_refused(c, size))
		return TLSF_E_SIZE;
	if (align_refused(c, align))
		return TLSF_E_ALIGN;
	header = v.next->header;
	if (unlikely(!next_good(&v, header)))
		return refuse_pointer(c, *ptr);
	if (!v.prev_flag)
		return TLSF_E_FRAGMENTED;
	prev = *tlsf_block_footer_below(v.b);
	if (!prev_good(&v, prev))
		return refuse_pointer(c, *ptr);
	start = lowest_start(&v, align);
	if (start >= v.b)
		return TLSF_E_FRAGMENTED;
	need = block_need(size);
	end = v.next;
	if ((uintptr_t)end - (uintptr_t)start < need && (header & TLSF_FREE))
		end = tlsf_block_at(end, header - TLSF_FREE);
	if ((uintptr_t)end - (uintptr_t)start < need)
		return TLSF_E_FRAGMENTED;
	if (unlikely(!block_unlink(c, prev)))
		return refuse_pointer(c, *ptr);
	TLSF_STEP(c);
	c->free_less_frees--;
	if (end != v.next) {
		if (unlikely(!block_unlink(c, v.next)))
			return refuse_next(c, v.b, prev);
		TLSF_STEP(c);
		c->free_less_frees--;
		end->header &= ~TLSF_PREV_FREE;
	}
	v.b->header = 0;
	start->header = (uintptr_t)end - (uintptr_t)start;
	if (start != prev) {
		TLSF_STEP(c);
		start->header |= TLSF_PREV_FREE;
		block_mark_free(prev, (uintptr_t)start - (uintptr_t)prev);
		block_insert(c, prev, (uintptr_t)start - (uintptr_t)prev);
		c->free_less_frees++;
	}
	account_used(c, (uintptr_t)end - (uintptr_t)start - TLSF_BLOCK_HEADER - v.payload);
	c->resizes++;
	*ptr = tlsf_block_payload(start);
	return TLSF_OK;
}

/**
 * tlsf_core_usable() - how many bytes of a block may be used
 * @c: control structure
 * @ptr: what an allocation returned
 * @usable: set when the result is TLSF_OK
 *
 * Context: any; the caller serialises. No step.
 * Return: TLSF_OK, or the rule that @ptr breaks.
 */
enum tlsf_status tlsf_core_usable(struct tlsf_core *c, const void *ptr, size_t *usable)
{
	struct view v;

	if (unlikely(!view_block(c, &v, ptr) || !next_good(&v, v.next->header)))
		return refuse_pointer(c, ptr);
	*usable = v.payload;
	return TLSF_OK;
}

/* ---- setting up; may loop over lists and regions ---- */

/* lists for blocks of up to @region_bytes, as tlsf_core_init() will arrange them */
static unsigned int lists_for(size_t region_bytes)
{
	if (region_bytes < TLSF_BLOCK_MIN)
		region_bytes = TLSF_BLOCK_MIN;
	if (region_bytes >= TLSF_REGION_MAX)
		region_bytes = TLSF_REGION_MAX - TLSF_BLOCK_HEADER;
	return (unsigned int)tlsf_map_scaled(region_bytes, TLSF_GRANULE_LOG2) + 1;
}

/**
 * tlsf_core_size() - bytes of a control structure
 * @region_bytes: the largest region it will manage
 *
 * Return: bytes, a multiple of the granule: 4 KiB serve a region of 1 MiB, 8.5 KiB
 * one of any size.
 */
size_t tlsf_core_size(size_t region_bytes)
{
	return offsetof(struct tlsf_core, list) +
	       (lists_for(region_bytes) + 2) * sizeof(struct tlsf_block *);
}

/* bytes of all blocks of @r */
static size_t region_size(const struct tlsf_region *r)
{
	return tlsf_region_last(r) - TLSF_FLAGS + TLSF_BLOCK_MIN;
}

/* @low and @extent cover the control structure and all regions */
static void regions_changed(struct tlsf_core *c)
{
	uintptr_t end = (uintptr_t)c + c->control_bytes;
	unsigned int i;

	c->low = (uintptr_t)c;
	c->capacity = 0;
	for (i = 0; i < c->nr_regions; i++) {
		uintptr_t start = c->region[i].first - TLSF_BLOCK_HEADER;
		size_t size = region_size(&c->region[i]);

		c->capacity += size;
		c->low = start < c->low ? start : c->low;
		start += size + TLSF_BLOCK_HEADER;
		end = start > end ? start : end;
	}
	c->extent = (end - c->low - sizeof(struct tlsf_block)) / TLSF_GRANULE + 1;
}

/**
 * tlsf_core_init() - make a control structure with no region
 * @mem: memory for it, aligned to the granule; 64-byte alignment saves a cache line
 * @bytes: how much of it
 * @region_bytes: the largest region it will manage
 *
 * Return: the control structure at @mem, or NULL, and @mem untouched, when @mem is
 * NULL, misaligned, or smaller than tlsf_core_size(@region_bytes).
 */
struct tlsf_core *tlsf_core_init(void *mem, size_t bytes, size_t region_bytes)
{
	struct tlsf_core *c = mem;
	unsigned int i;

	if (!mem || ((uintptr_t)mem & TLSF_FLAGS) || bytes < tlsf_core_size(region_bytes))
		return NULL;
	*c = (struct tlsf_core){ .nr_lists = lists_for(region_bytes) };
	c->nil.next = &c->nil;
	c->control_bytes = tlsf_core_size(region_bytes);
	c->max_request = tlsf_map_floor(c->nr_lists) * TLSF_GRANULE - TLSF_GRANULE -
			 TLSF_BLOCK_HEADER;
	for (i = 0; i < TLSF_REGIONS_MAX; i++)
		c->region[i].first = TLSF_NO_ADDRESS;
	for (i = 0; i <= c->nr_lists; i++)
		c->list[i] = &c->nil;
	return c;
}

/* the whole of @r as one free block and an end mark */
static void region_format(struct tlsf_core *c, const struct tlsf_region *r)
{
	struct tlsf_block *b = tlsf_block_of((void *)r->first);
	size_t size = region_size(r);

	tlsf_block_at(b, size)->header = TLSF_BLOCK_MIN | TLSF_PREV_FREE;
	block_mark_free(b, size);
	block_insert(c, b, size);
	c->free_less_frees++;
}

/* fill @r from what the caller gave, cut to the granule; false when it does not serve */
static bool region_fit(const struct tlsf_core *c, struct tlsf_region *r, void *mem, size_t bytes)
{
	uintptr_t start = align_up((uintptr_t)mem, TLSF_GRANULE);
	uintptr_t end = ((uintptr_t)mem + bytes) & ~(uintptr_t)TLSF_FLAGS;
	size_t size = end - start - TLSF_BLOCK_HEADER;

	if (!mem || bytes > TLSF_NO_ADDRESS - (uintptr_t)mem || bytes < TLSF_BLOCK_MIN ||
	    end < start || end - start < TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER)
		return false;
	*r = (struct tlsf_region){ .first = start + TLSF_BLOCK_HEADER,
				   .granules = (size - TLSF_BLOCK_MIN) / TLSF_GRANULE + 1,
				   .limit = start + TLSF_BLOCK_HEADER + size - TLSF_BLOCK_MIN +
					    TLSF_FLAGS,
				   .base = mem, .bytes = bytes };
	return bytes <= TLSF_REGION_MAX &&
	       tlsf_map_scaled(size, TLSF_GRANULE_LOG2) < c->nr_lists;
}

static bool ranges_overlap(uintptr_t a, size_t a_bytes, uintptr_t b, size_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/**
 * tlsf_core_add_region() - give the core memory to hand out
 * @c: control structure
 * @mem: memory; need not be aligned
 * @bytes: how much; no more than tlsf_core_init() was told
 *
 * Return: TLSF_OK, or TLSF_E_REGION, and nothing changed, when the memory is too
 * small for one block, too large for the control structure, overlaps a region or the
 * control structure, or would be region TLSF_REGIONS_MAX + 1.
 */
enum tlsf_status tlsf_core_add_region(struct tlsf_core *c, void *mem, size_t bytes)
{
	struct tlsf_region new;
	unsigned int i;

	if (c->nr_regions == TLSF_REGIONS_MAX || !region_fit(c, &new, mem, bytes) ||
	    ranges_overlap((uintptr_t)mem, bytes, (uintptr_t)c, c->control_bytes))
		return TLSF_E_REGION;
	for (i = 0; i < c->nr_regions; i++)
		if (ranges_overlap((uintptr_t)mem, bytes, (uintptr_t)c->region[i].base,
				   c->region[i].bytes))
			return TLSF_E_REGION;
	for (i = c->nr_regions++; i && c->region[i - 1].first > new.first; i--)
		c->region[i] = c->region[i - 1];
	c->region[i] = new;
	regions_changed(c);
	region_format(c, &new);
	return TLSF_OK;
}

/**
 * tlsf_core_remove_region() - take memory away again
 * @c: control structure
 * @mem: what tlsf_core_add_region() was given
 *
 * Return: TLSF_OK; TLSF_E_BUSY when a block of it is allocated; TLSF_E_REGION when
 * there is no such region; TLSF_E_LINKS when it is damaged. Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_remove_region(struct tlsf_core *c, void *mem)
{
	struct tlsf_block *b;
	unsigned int i = 0;
	size_t size;

	while (i < c->nr_regions && c->region[i].base != mem)
		i++;
	if (i == c->nr_regions)
		return TLSF_E_REGION;
	b = tlsf_block_of((void *)c->region[i].first);
	size = region_size(&c->region[i]);
	if (b->header != (size | TLSF_FREE))
		return TLSF_E_BUSY;
	if (!block_unlink(c, b))
		return TLSF_E_LINKS;
	c->free_less_frees--;
	for (c->nr_regions--; i < c->nr_regions; i++)
		c->region[i] = c->region[i + 1];
	c->region[i] = (struct tlsf_region){ .first = TLSF_NO_ADDRESS };
	regions_changed(c);
	return TLSF_OK;
}

/**
 * tlsf_core_reset() - free everything at once
 * @c: control structure
 *
 * All pointers into the regions become invalid, and are refused from now on: their
 * headers are wiped. Event counters go on; the blocks that were allocated count as freed.
 */
void tlsf_core_reset(struct tlsf_core *c)
{
	struct tlsf_cursor at = { .region = 0 };
	struct tlsf_block_info info;
	unsigned int i;

	while (tlsf_core_walk(c, &at, &info))
		tlsf_block_of(info.ptr)->header = 0;
	for (i = 0; i <= c->nr_lists; i++)
		c->list[i] = &c->nil;
	for (i = 0; i < TLSF_BITMAP_WORDS; i++)
		c->bitmap[i] = 0;
	c->summary = 0;
	c->used_bytes = 0;
	c->frees = c->allocs;
	c->free_less_frees = -c->frees;
	for (i = 0; i < c->nr_regions; i++)
		region_format(c, &c->region[i]);
}

/* ---- looking ---- */

/**
 * tlsf_core_walk() - the next block in address order
 * @c: control structure
 * @at: where to look; zeroed for the first block; moved on to the block after
 * @info: filled in
 *
 * The blocks must not change between calls, unless the caller makes sure that @at
 * still is the start of a block. A damaged header ends the walk.
 *
 * Return: false when there is no further block.
 */
bool tlsf_core_walk(const struct tlsf_core *c, struct tlsf_cursor *at,
		    struct tlsf_block_info *info)
{
	const struct tlsf_region *r = &c->region[at->region];
	const struct tlsf_block *b;

	if (at->region < c->nr_regions && at->offset > tlsf_region_last(r)) {
		*at = (struct tlsf_cursor){ .region = at->region + 1 };
		r++;
	}
	if (at->region >= c->nr_regions)
		return false;
	b = tlsf_block_of((void *)(r->first + at->offset));
	if (tlsf_block_size(b) - TLSF_BLOCK_MIN > tlsf_region_last(r) - at->offset)
		return false;
	*info = (struct tlsf_block_info){ .ptr = tlsf_block_payload(b),
					  .size = tlsf_block_size(b) - TLSF_BLOCK_HEADER,
					  .free = b->header & TLSF_FREE };
	at->offset += tlsf_block_size(b);
	return true;
}

/* what tlsf_core_alloc() can serve at most now: the head of the highest list */
static size_t largest_request(const struct tlsf_core *c)
{
	unsigned int w, i;

	if (!c->summary)
		return 0;
	w = tlsf_map_log2(c->summary);
	i = w * TLSF_WORD_BITS + tlsf_map_log2(c->bitmap[w]);
	return tlsf_block_size(((struct tlsf_block *const *)c)[i]) - TLSF_BLOCK_HEADER;
}

/**
 * tlsf_core_stats() - counters and the figures that follow from them
 * @c: control structure
 * @stats: filled in
 *
 * Takes the same time whatever the pool holds; loops over regions only.
 */
void tlsf_core_stats(const struct tlsf_core *c, struct tlsf_core_stats *stats)
{
	size_t blocks = c->allocs - c->frees;
	unsigned int i;

	*stats = (struct tlsf_core_stats){
		.used_bytes = c->used_bytes,
		.free_bytes = c->capacity - c->used_bytes -
			      (blocks + tlsf_core_free_blocks(c)) * TLSF_BLOCK_HEADER,
		.largest_free = largest_request(c),
		.high_water = c->high_water,
		.used_blocks = blocks,
		.free_blocks = tlsf_core_free_blocks(c),
		.allocs = c->allocs - c->since.allocs,
		.frees = c->frees - c->since.frees,
		.resizes = c->resizes - c->since.resizes,
		.fail_exhausted = c->fail_exhausted - c->since.fail_exhausted,
		.fail_fragmented = c->fail_fragmented - c->since.fail_fragmented,
		.bad_pointers = c->bad_pointers - c->since.bad_pointers,
	};
	for (i = 0; i < c->nr_regions; i++)
		stats->region_bytes += c->region[i].bytes;
	stats->overhead_bytes = stats->region_bytes - stats->used_bytes - stats->free_bytes;
}

/**
 * tlsf_core_stats_reset() - count events, and the high water, afresh
 * @c: control structure
 */
void tlsf_core_stats_reset(struct tlsf_core *c)
{
	c->since.allocs = c->allocs;
	c->since.frees = c->frees;
	c->since.resizes = c->resizes;
	c->since.fail_exhausted = c->fail_exhausted;
	c->since.fail_fragmented = c->fail_fragmented;
	c->since.bad_pointers = c->bad_pointers;
	c->high_water = c->used_bytes;
}

/**
 * tlsf_core_status() - why the last allocation returned NULL
 * @c: control structure
 */
enum tlsf_status tlsf_core_status(const struct tlsf_core *c)
{
	return c->status;
}

/**
 * tlsf_core_steps() - steps of the last operation
 * @c: control structure
 *
 * Return: 0 where the core is built without TLSF_COUNT_STEPS.
 */
unsigned int tlsf_core_steps(const struct tlsf_core *c)
{
	return c->steps;
}

/**
 * tlsf_core_generation() - a number that changes with every change to the blocks
 * @c: control structure
 *
 * Regions that come and go do not change it.
 */
size_t tlsf_core_generation(const struct tlsf_core *c)
{
	return c->allocs + c->frees + c->resizes;
}

/**
 * tlsf_core_retire() - serve no further request, for good
 * @c: control structure
 *
 * For a heap that was found damaged. Frees are still validated and taken. Costs the
 * allocation path nothing: every size is too large from now on.
 */
void tlsf_core_retire(struct tlsf_core *c)
{
	c->max_request = 0;
}

/**
 * tlsf_core_strstatus() - a status in words that complete "refused: ..."
 * @status: any value
 */
const char *tlsf_core_strstatus(enum tlsf_status status)
{
	static const char *const text[TLSF_STATUS_NR] = {
		[TLSF_OK] = "done",
		[TLSF_E_SIZE] = "size is zero or beyond any block",
		[TLSF_E_ALIGN] = "alignment is not a power of two or beyond any block",
		[TLSF_E_EXHAUSTED] = "not enough free memory",
		[TLSF_E_FRAGMENTED] = "no free block is large enough",
		[TLSF_E_OUTSIDE] = "pointer is outside the pool",
		[TLSF_E_MISALIGNED] = "pointer is not aligned to the granule",
		[TLSF_E_HEADER] = "no valid header: freed before, inside a block, or overwritten",
		[TLSF_E_FREE] = "block is already free",
		[TLSF_E_NEIGHBOUR] = "neighbouring block disagrees: freed twice, or overwritten",
		[TLSF_E_LINKS] = "free list links are damaged: written after free",
		[TLSF_E_BUSY] = "region has allocated blocks",
		[TLSF_E_REGION] = "region too small, too large, overlapping, or one too many",
	};

	return (unsigned int)status < TLSF_STATUS_NR ? text[status] : "unknown status";
}
