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
 * Validation. Nothing is written before everything that will be read has been found
 * plausible, so a bad pointer or a damaged header changes nothing. The tests on the
 * fast path are folded together; refuse_pointer() takes them apart to name the rule.
 *
 * Steps. Counted when TLSF_COUNT_STEPS is defined: a bitmap scan, a list insertion,
 * a list removal, a split and a merge are one step each. The longest operations:
 *
 *	alloc		2 scans + removal + split + insertion			  5
 *	memalign	2 scans + removal + 2 (split + insertion)		  7
 *	free		2 (merge + removal) + insertion				  5
 *	resize		merge + removal + split + insertion			  4
 *	grow_back	2 (merge + removal) + split + insertion		  	  6
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
static_assert(TLSF_REGIONS_MAX == 8, "region_search() takes three steps");
static_assert(offsetof(struct tlsf_core, nil) == 0, "nil is tested as the core's address");

/* ---- sizes and classes ---- */

static __always_inline unsigned int class_of(size_t block_size)
{
	return tlsf_map_index(block_size >> TLSF_GRANULE_LOG2);
}

/* smallest class in which every block has at least @block_size */
static __always_inline unsigned int class_above(size_t block_size)
{
	return tlsf_map_index((block_size >> TLSF_GRANULE_LOG2) - 1) + 1;
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
	return !align || (align & (align - 1)) || align > c->max_request;
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

/* ends, with the footer, what a free block is; the neighbour above is told apart */
static __always_inline void block_mark_free(struct tlsf_block *b, size_t size)
{
	b->header = size | TLSF_FREE;
	*tlsf_block_footer_below(tlsf_block_at(b, size)) = b;
}

static __always_inline void block_insert(struct tlsf_core *c, struct tlsf_block *b, size_t size)
{
	unsigned int i = class_of(size);
	struct tlsf_block **head = &c->list[i];
	struct tlsf_block *next = *head;

	TLSF_STEP(c);
	b->next = next;
	b->pprev = head;
	next->pprev = &b->next;
	*head = b;
	c->bitmap[i / TLSF_WORD_BITS] |= 1UL << (i % TLSF_WORD_BITS);
	c->summary |= 1UL << (i / TLSF_WORD_BITS);
}

/* list @i has become empty */
static __always_inline void class_clear(struct tlsf_core *c, unsigned int i)
{
	unsigned int w = i / TLSF_WORD_BITS;
	unsigned long word = c->bitmap[w] & ~(1UL << (i % TLSF_WORD_BITS));

	c->bitmap[w] = word;
	if (!word)
		c->summary &= ~(1UL << w);
}

/*
 * Remove a block whose links were found good. When the nil block is next, the block
 * was the last; when besides a list head pointed at it, the list is empty now.
 */
static __always_inline void block_unlink(struct tlsf_core *c, struct tlsf_block *b)
{
	struct tlsf_block **pprev = b->pprev;
	struct tlsf_block *next = b->next;
	size_t i;

	TLSF_STEP(c);
	*pprev = next;
	next->pprev = pprev;
	if (!is_nil(c, next))
		return;
	i = ((uintptr_t)pprev - (uintptr_t)c->list) / sizeof(*pprev);
	if (i < c->nr_lists)
		class_clear(c, (unsigned int)i);
}

/* may @addr be read as a link? exact with one region, else gaps count as well */
static __always_inline bool is_ours(const struct tlsf_core *c, const void *addr)
{
	return (uintptr_t)addr - c->low < c->extent;
}

/* do the blocks, or the list head, on both sides of a free block agree? */
static __always_inline bool links_good(const struct tlsf_core *c, const struct tlsf_block *b)
{
	const struct tlsf_block *next = b->next;

	if (unlikely(!is_ours(c, b->pprev) || *b->pprev != b))
		return false;
	return likely(is_nil(c, next) || (is_ours(c, next) && next->pprev == &b->next));
}

/*
 * First non-empty list from @i up, by two scans at most. Returns 0 when there is none:
 * no block is small enough for class 0.
 */
static __always_inline unsigned int class_search(struct tlsf_core *c, unsigned int i)
{
	unsigned int w = i / TLSF_WORD_BITS;
	unsigned long word = c->bitmap[w] & (~0UL << (i % TLSF_WORD_BITS));

	TLSF_STEP(c);
	if (!word) {
		unsigned long higher = c->summary & (~1UL << w);

		if (!higher)
			return 0;
		TLSF_STEP(c);
		w = (unsigned int)__builtin_ctzl(higher);
		word = c->bitmap[w];
	}
	return w * TLSF_WORD_BITS + (unsigned int)__builtin_ctzl(word);
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

static __always_inline bool in_region(const struct tlsf_region *r, uintptr_t payload)
{
	return payload - r->first <= r->last;
}

/* the one region that may hold @payload; in_region() says whether it does */
static __always_inline const struct tlsf_region *region_of(const struct tlsf_core *c,
							    uintptr_t payload)
{
	const struct tlsf_region *r = c->region;

	return likely(in_region(r, payload)) ? r : region_search(c, payload);
}

/* an allocated block and its surroundings, filled in while they are validated */
struct view {
	struct tlsf_block *b;
	struct tlsf_block *next;
	struct tlsf_block *prev;	/* NULL unless free */
	size_t size;
	size_t prev_flag;		/* TLSF_PREV_FREE or 0 */
	size_t next_size;		/* 0 unless free */
	size_t below;			/* bytes of the region below the block */
	size_t slack;			/* how much it may exceed TLSF_BLOCK_MIN */
};

/*
 * Not free, not too small and not past the end, in one comparison: rotated right by
 * one, TLSF_FREE becomes the top bit, and less than the minimum wraps round to the
 * top as well. TLSF_PREV_FREE adds one to half a size; a granule is more than two.
 */
static __always_inline bool header_good(size_t header, size_t slack)
{
	size_t half = (header >> 1) | (header << (8 * sizeof(header) - 1));

	return likely(half - TLSF_BLOCK_MIN / 2 <= slack / 2 + 1);
}

/* the block above knows that we are allocated, and when it is free, it is whole */
static __always_inline bool next_agrees(struct view *v)
{
	size_t header = v->next->header;

	v->next_size = 0;
	if (!(header & (TLSF_FREE | TLSF_PREV_FREE)))
		return true;
	v->next_size = header - TLSF_FREE;
	return likely((header & TLSF_FLAGS) == TLSF_FREE &&
		      v->next_size <= v->slack + TLSF_BLOCK_MIN - v->size &&
		      *tlsf_block_footer_below(tlsf_block_at(v->next, v->next_size)) == v->next);
}

/* the footer below leads to a block in the region that ends where we begin */
static __always_inline bool prev_agrees(struct view *v)
{
	size_t size;

	v->prev = NULL;
	if (!v->prev_flag)
		return true;
	v->prev = *tlsf_block_footer_below(v->b);
	size = (uintptr_t)v->b - (uintptr_t)v->prev;
	return likely(size <= v->below && v->prev->header == (size | TLSF_FREE));
}

/* fill @v from @ptr; false when any rule is broken. Writes nothing but @v. */
static __always_inline bool view_block(const struct tlsf_core *c, struct view *v, const void *ptr)
{
	uintptr_t payload = (uintptr_t)ptr;
	const struct tlsf_region *r = region_of(c, payload);
	size_t header;

	v->below = payload - r->first;
	v->slack = r->last - v->below;
	if (unlikely(v->below > r->last || (payload & TLSF_FLAGS)))
		return false;
	v->b = tlsf_block_of(ptr);
	header = v->b->header;
	if (!header_good(header, v->slack))
		return false;
	v->size = header & ~TLSF_FLAGS;
	v->prev_flag = header & TLSF_PREV_FREE;
	v->next = tlsf_block_at(v->b, v->size);
	return next_agrees(v) && (!v->next_size || links_good(c, v->next)) &&
	       prev_agrees(v) && (!v->prev || links_good(c, v->prev));
}

/* which rule did @ptr break? what view_block() folds together, one at a time */
static noinline __cold enum tlsf_status refuse_pointer(struct tlsf_core *c, const void *ptr)
{
	uintptr_t payload = (uintptr_t)ptr;
	const struct tlsf_region *r = region_of(c, payload);
	struct view v = { .b = tlsf_block_of(ptr), .below = payload - r->first };

	c->bad_pointers++;
	if (!in_region(r, payload))
		return TLSF_E_OUTSIDE;
	if (payload & TLSF_FLAGS)
		return TLSF_E_MISALIGNED;
	v.slack = r->last - v.below;
	v.size = tlsf_block_size(v.b);
	v.prev_flag = v.b->header & TLSF_PREV_FREE;
	if (v.size < TLSF_BLOCK_MIN || v.size - TLSF_BLOCK_MIN > v.slack)
		return TLSF_E_HEADER;
	if (v.b->header & TLSF_FREE)
		return TLSF_E_FREE;
	v.next = tlsf_block_at(v.b, v.size);
	return next_agrees(&v) && prev_agrees(&v) ? TLSF_E_LINKS : TLSF_E_NEIGHBOUR;
}

/* the head of list @i is a whole free block with these bounds */
static __always_inline bool head_good(const struct tlsf_core *c, struct tlsf_block *b,
				      unsigned int i, size_t size)
{
	const struct tlsf_block *next = b->next;
	const struct tlsf_block *above = tlsf_block_at(b, size);

	return likely((b->header & TLSF_FLAGS) == TLSF_FREE && b->pprev == &c->list[i] &&
		      (is_nil(c, next) || (is_ours(c, next) && next->pprev == &b->next)) &&
		      is_ours(c, above) && *tlsf_block_footer_below(above) == b);
}

/* ---- carving blocks ---- */

static __always_inline void account_alloc(struct tlsf_core *c, size_t payload)
{
	size_t used = c->used_bytes + payload;

	c->used_bytes = used;
	if (used > c->high_water)
		c->high_water = used;
}

/*
 * Make @b an allocated block of @need bytes out of @size that are in no list. What is
 * left becomes a free block when it can be one, else it is handed out too. The block
 * above must say that a free block is below it if and only if @above_knows_free.
 * Returns the size it got.
 */
static __always_inline size_t block_carve(struct tlsf_core *c, struct tlsf_block *b, size_t size,
					  size_t need, size_t prev_flag)
{
	struct tlsf_block *above = tlsf_block_at(b, size);
	size_t rest = size - need;

	if (rest < TLSF_BLOCK_MIN) {
		b->header = size | prev_flag;
		above->header &= ~TLSF_PREV_FREE;
		return size;
	}
	TLSF_STEP(c);
	b->header = need | prev_flag;
	b = tlsf_block_at(b, need);
	block_mark_free(b, rest);
	above->header |= TLSF_PREV_FREE;
	block_insert(c, b, rest);
	c->free_blocks++;
	return need;
}

/* ---- allocate ---- */

/* no block for @need bytes: because there is too little, or in too small pieces? */
static noinline void *fail_no_block(struct tlsf_core *c, size_t need)
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

static noinline __cold void *fail_with(struct tlsf_core *c, enum tlsf_status status)
{
	c->status = status;
	return NULL;
}

/*
 * Index of a list whose head has at least @need bytes; its head is nil when there is
 * none. Good fit first; the head of the request's own class on the way to failure.
 */
static __always_inline unsigned int class_find(struct tlsf_core *c, size_t need)
{
	unsigned int i = class_above(need);

	if (!is_nil(c, c->list[i]))
		return i;
	i = class_search(c, i);
	if (likely(i))
		return i;
	i = class_of(need);
	return tlsf_block_size(c->list[i]) >= need ? i : 0;
}

/* take the head @b off list @i */
static __always_inline void class_pop(struct tlsf_core *c, struct tlsf_block *b, unsigned int i)
{
	struct tlsf_block *next = b->next;

	TLSF_STEP(c);
	c->list[i] = next;
	next->pprev = &c->list[i];
	if (is_nil(c, next))
		class_clear(c, i);
	c->free_blocks--;
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
	size_t need, have;
	unsigned int i;

	TLSF_STEPS_BEGIN(c);
	if (size_refused(c, size))
		return fail_with(c, TLSF_E_SIZE);
	need = block_need(size);
	i = class_find(c, need);
	b = c->list[i];
	if (unlikely(!i))
		return fail_no_block(c, need);
	have = tlsf_block_size(b);
	if (!head_good(c, b, i, have))
		return fail_with(c, TLSF_E_LINKS);
	class_pop(c, b, i);
	have = block_carve(c, b, have, need, 0);
	c->allocs++;
	account_alloc(c, have - TLSF_BLOCK_HEADER);
	return tlsf_block_payload(b);
}

/* give the @gap bytes at @b, in no list, back as a free block below an allocated one */
static __always_inline void gap_release(struct tlsf_core *c, struct tlsf_block *b, size_t gap)
{
	TLSF_STEP(c);
	block_mark_free(b, gap);
	block_insert(c, b, gap);
	c->free_blocks++;
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
	size_t need, room, have, gap;
	unsigned int i;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(align_refused(c, align)))
		return fail_with(c, TLSF_E_ALIGN);
	if (align <= TLSF_GRANULE)
		return tlsf_core_alloc(c, size);
	if (size_refused(c, size))
		return fail_with(c, TLSF_E_SIZE);
	need = block_need(size);
	room = need + align + TLSF_BLOCK_MIN - TLSF_GRANULE;
	if (unlikely(room > c->max_request + TLSF_BLOCK_HEADER))
		return fail_with(c, TLSF_E_SIZE);
	i = class_find(c, room);
	b = c->list[i];
	if (unlikely(!i))
		return fail_no_block(c, need);
	have = tlsf_block_size(b);
	if (!head_good(c, b, i, have))
		return fail_with(c, TLSF_E_LINKS);
	class_pop(c, b, i);
	aligned = tlsf_block_of((void *)aligned_payload((uintptr_t)tlsf_block_payload(b), align));
	gap = (uintptr_t)aligned - (uintptr_t)b;
	have = block_carve(c, aligned, have - gap, need, gap ? TLSF_PREV_FREE : 0);
	if (gap)
		gap_release(c, b, gap);
	c->allocs++;
	account_alloc(c, have - TLSF_BLOCK_HEADER);
	return tlsf_block_payload(aligned);
}

/* ---- free ---- */

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
	struct tlsf_block *b;
	struct view v;
	size_t size;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(c, &v, ptr)))
		return refuse_pointer(c, ptr);
	b = v.b;
	size = v.size;
	c->frees++;
	c->free_blocks++;
	c->used_bytes -= size - TLSF_BLOCK_HEADER;
	if (v.next_size) {
		TLSF_STEP(c);
		block_unlink(c, v.next);
		size += v.next_size;
		c->free_blocks--;
	}
	if (v.prev) {
		TLSF_STEP(c);
		block_unlink(c, v.prev);
		size += (uintptr_t)b - (uintptr_t)v.prev;
		b = v.prev;
		c->free_blocks--;
	}
	block_mark_free(b, size);
	tlsf_block_at(b, size)->header |= TLSF_PREV_FREE;
	block_insert(c, b, size);
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
	struct view v;
	size_t need, have;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(c, &v, ptr)))
		return refuse_pointer(c, ptr);
	if (size_refused(c, size))
		return TLSF_E_SIZE;
	need = block_need(size);
	have = v.size + v.next_size;
	if (need > have)
		return TLSF_E_FRAGMENTED;
	if (v.next_size) {
		TLSF_STEP(c);
		block_unlink(c, v.next);
		c->free_blocks--;
	}
	have = block_carve(c, v.b, have, need, v.prev_flag);
	c->resizes++;
	account_alloc(c, have - v.size);
	return TLSF_OK;
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
 * Return: as tlsf_core_resize(). Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_grow_back(struct tlsf_core *c, void **ptr, size_t align, size_t size)
{
	struct tlsf_block *aligned;
	struct view v;
	size_t have, gap;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(c, &v, *ptr)))
		return refuse_pointer(c, *ptr);
	if (size_refused(c, size))
		return TLSF_E_SIZE;
	if (unlikely(align_refused(c, align)))
		return TLSF_E_ALIGN;
	if (!v.prev)
		return TLSF_E_FRAGMENTED;
	aligned = tlsf_block_of((void *)aligned_payload((uintptr_t)tlsf_block_payload(v.prev),
							 align));
	if (aligned >= v.b)
		return TLSF_E_FRAGMENTED;
	have = (uintptr_t)v.next - (uintptr_t)aligned;
	if (have < block_need(size))
		have += v.next_size;
	if (have < block_need(size))
		return TLSF_E_FRAGMENTED;
	if (tlsf_block_at(aligned, have) != v.next) {
		TLSF_STEP(c);
		block_unlink(c, v.next);
		c->free_blocks--;
	}
	TLSF_STEP(c);
	block_unlink(c, v.prev);
	c->free_blocks--;
	gap = (uintptr_t)aligned - (uintptr_t)v.prev;
	aligned->header = have | (gap ? TLSF_PREV_FREE : 0);
	tlsf_block_at(aligned, have)->header &= ~TLSF_PREV_FREE;
	if (gap)
		gap_release(c, v.prev, gap);
	c->resizes++;
	account_alloc(c, have - v.size);
	*ptr = tlsf_block_payload(aligned);
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

	if (unlikely(!view_block(c, &v, ptr)))
		return refuse_pointer(c, ptr);
	*usable = v.size - TLSF_BLOCK_HEADER;
	return TLSF_OK;
}

/* ---- setting up; may loop over lists and regions ---- */

/* lists for blocks of up to @region_bytes, as tlsf_core_init() will arrange them */
static unsigned int lists_for(size_t region_bytes)
{
	if (region_bytes < TLSF_BLOCK_MIN)
		region_bytes = TLSF_BLOCK_MIN;
	if (region_bytes >= TLSF_BLOCK_LIMIT)
		region_bytes = TLSF_BLOCK_LIMIT - TLSF_GRANULE;
	return class_of(region_bytes) + 1;
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
	       (lists_for(region_bytes) + 1) * sizeof(struct tlsf_block *);
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
	c->low = (uintptr_t)c;
	c->extent = tlsf_core_size(region_bytes);
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
	size_t size = r->last + TLSF_BLOCK_MIN;

	tlsf_block_at(b, size)->header = TLSF_PREV_FREE;
	block_mark_free(b, size);
	block_insert(c, b, size);
	c->free_blocks++;
}

/* @low and @extent cover the control structure and all regions */
static void regions_changed(struct tlsf_core *c)
{
	uintptr_t end = (uintptr_t)&c->list[c->nr_lists + 1];
	unsigned int i;

	c->low = (uintptr_t)c;
	c->capacity = 0;
	for (i = 0; i < c->nr_regions; i++) {
		const struct tlsf_region *r = &c->region[i];

		c->capacity += r->last + TLSF_BLOCK_MIN;
		c->low = r->first < c->low ? r->first : c->low;
		end = r->first + r->last > end ? r->first + r->last + TLSF_BLOCK_MIN : end;
	}
	c->extent = end - c->low;
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
				   .last = size - TLSF_BLOCK_MIN,
				   .base = mem, .bytes = bytes };
	return size < TLSF_BLOCK_LIMIT && class_of(size) < c->nr_lists;
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
	    ranges_overlap((uintptr_t)mem, bytes, (uintptr_t)c,
			   offsetof(struct tlsf_core, list) +
			   (c->nr_lists + 1) * sizeof(c->list[0])))
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
 * there is no such region. Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_remove_region(struct tlsf_core *c, void *mem)
{
	struct tlsf_block *b;
	unsigned int i = 0;

	while (i < c->nr_regions && c->region[i].base != mem)
		i++;
	if (i == c->nr_regions)
		return TLSF_E_REGION;
	b = tlsf_block_of((void *)c->region[i].first);
	if (b->header != ((c->region[i].last + TLSF_BLOCK_MIN) | TLSF_FREE))
		return TLSF_E_BUSY;
	block_unlink(c, b);
	c->free_blocks--;
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
 * All pointers into the regions become invalid. Event counters go on; the blocks that
 * were allocated count as freed.
 */
void tlsf_core_reset(struct tlsf_core *c)
{
	unsigned int i;

	for (i = 0; i <= c->nr_lists; i++)
		c->list[i] = &c->nil;
	for (i = 0; i < TLSF_BITMAP_WORDS; i++)
		c->bitmap[i] = 0;
	c->summary = 0;
	c->free_blocks = 0;
	c->used_bytes = 0;
	c->frees = c->allocs;
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

	if (at->region < c->nr_regions && at->offset > r->last) {
		*at = (struct tlsf_cursor){ .region = at->region + 1 };
		r++;
	}
	if (at->region >= c->nr_regions)
		return false;
	b = tlsf_block_of((void *)(r->first + at->offset));
	if (tlsf_block_size(b) < TLSF_BLOCK_MIN ||
	    tlsf_block_size(b) - TLSF_BLOCK_MIN > r->last - at->offset)
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
	return tlsf_block_size(c->list[i]) - TLSF_BLOCK_HEADER;
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
			      (blocks + c->free_blocks) * TLSF_BLOCK_HEADER,
		.largest_free = largest_request(c),
		.high_water = c->high_water,
		.used_blocks = blocks,
		.free_blocks = c->free_blocks,
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
		[TLSF_E_HEADER] = "no valid header: inside a block, or overwritten",
		[TLSF_E_FREE] = "block is already free",
		[TLSF_E_NEIGHBOUR] = "neighbouring block disagrees: freed twice, or overwritten",
		[TLSF_E_LINKS] = "free list links are damaged: written after free",
		[TLSF_E_BUSY] = "region has allocated blocks",
		[TLSF_E_REGION] = "region too small, too large, overlapping, or one too many",
	};

	return (unsigned int)status < TLSF_STATUS_NR ? text[status] : "unknown status";
}
