/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two-level segregated fit: the operations, each written once, always inlined.
 *
 * Room: core. Includes tlsf_core.h alone; calls nothing but the cold functions of
 * tlsf_core.c, and those only when an operation fails. The caller serialises.
 *
 * Allocate (Masmano et al., ECRTS 2004, section 4): look at the head of the request's own
 * list; when it is too small, the first list above that is not empty, by a scan of a
 * bitmap word and one of the summary, has only blocks that are large enough: take its
 * head and give back what is too much. The look at the own list makes "free n, allocate n"
 * succeed in a full pool and the whole empty pool one request, and wastes less. Free merges
 * with both physical neighbours and pushes the result on the head of its list.
 *
 * Validation. A pointer is held against the region before anything is read through it, a
 * size against the end of the region before it is believed, both neighbours must agree
 * with it, and a block leaves its list only if whatever points at it is where its links say
 * (safe unlink). A link checks itself (tlsf_core.h), and is held against the end of the
 * region before it is followed. What is found damaged after a block
 * has left its list is undone: a removed block keeps its links, so it can be put back where
 * it was, the last one first. So a rejected operation changes nothing. tlsf_core_reject()
 * finds out which rule a pointer breaks.
 *
 * A block that is absorbed by the one below loses TLSF_USED, so that no header of an
 * allocated block is ever left inside another.
 *
 * Steps. A bitmap scan, a list insertion, a list removal, a split and a merge are one
 * step each. *steps is set to their number; who ignores it pays nothing. The longest:
 *
 *	alloc		2 scans + removal + split + insertion			  5
 *	memalign	2 scans + removal + 2 (split + insertion)		  7
 *	free		2 (merge + removal) + insertion				  5
 *	resize		merge + removal + split + insertion			  4
 *	grow_backward	2 (merge + removal) + split + insertion			  6
 */
#ifndef _TLSF_OPS_H
#define _TLSF_OPS_H

#include "tlsf_core.h"

#ifndef __KERNEL__
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define noinline	__attribute__((__noinline__))
#define __cold		__attribute__((__cold__))
#undef __always_inline		/* glibc has it, with this meaning */
#define __always_inline	inline __attribute__((__always_inline__))
#endif

/* ---- sizes and indices ---- */

/* bits of the summary that stand for a bitmap word */
#define TLSF_SUMMARY_BITS	((1UL << TLSF_BITMAP_WORDS) - 1)

/* index of the list of free blocks of @n granules */
static __always_inline size_t tlsf_list_of(size_t n)
{
	return tlsf_map_index(n) + TLSF_FIRST_LIST;
}

/* granules of the block that serves @size bytes, header included; @size is not 0 */
static __always_inline size_t tlsf_granules_for(size_t size)
{
	size_t more = (size - 1) / TLSF_GRANULE;	/* than those of a byte */

	return (more < TLSF_GRANULES_MIN - 2 ? TLSF_GRANULES_MIN - 2 : more) + 2;
}

/* one comparison for both ends: zero wraps round to the largest size */
static __always_inline bool tlsf_size_bad(const struct tlsf_core *c, size_t size)
{
	return unlikely(size - 1 >= c->max_request);
}

/* zero, not a power of two, or beyond all sense */
static __always_inline bool tlsf_align_bad(const struct tlsf_core *c, size_t align)
{
	return unlikely(!align || (align & (align - 1)) ||
			(align > TLSF_GRANULE && align > c->max_request));
}

/*
 * Granules that serve @need at a multiple of @align wherever they begin: the gap that
 * tlsf_align_gap() leaves below is at most what is added.
 */
static __always_inline size_t tlsf_room_for(size_t align, size_t need)
{
	return align > TLSF_GRANULE ? need + align / TLSF_GRANULE + TLSF_GRANULES_MIN - 1 : need;
}

/*
 * Granules to skip at the start of free block @b so that the payload after them is aligned to
 * @align. What is skipped is nothing, or large enough to be a free block. The payload of @b
 * begins at granule g = b / TLSF_GRANULE + 1; the distance to the next multiple of a power of
 * two p is -g mod p, which is ~(b / TLSF_GRANULE) & (p - 1).
 */
static __always_inline size_t tlsf_align_gap(const struct tlsf_block *b, size_t align)
{
	size_t low = (align - 1) / TLSF_GRANULE;	/* bits that must be zero */
	size_t gap = ~((uintptr_t)b / TLSF_GRANULE) & low;

	if (gap && gap < TLSF_GRANULES_MIN)
		gap = ((gap - TLSF_GRANULES_MIN) & low) + TLSF_GRANULES_MIN;
	return gap;
}

/*
 * @bytes in granules, or more than any number of them when there is a fraction, whose
 * bits become the highest: one comparison for range and alignment.
 */
static __always_inline size_t tlsf_rotated(size_t bytes)
{
	return bytes >> TLSF_GRANULE_LOG2 | bytes << (TLSF_WORD_BITS - TLSF_GRANULE_LOG2);
}

/* ---- free lists ---- */

static __always_inline void tlsf_list_filled(struct tlsf_core *c, size_t list)
{
	size_t w = list / TLSF_WORD_BITS;

	c->bitmap[w] |= 1UL << list % TLSF_WORD_BITS;
	c->summary |= 1UL << w;
}

static __always_inline void tlsf_list_emptied(struct tlsf_core *c, size_t list)
{
	size_t w = list / TLSF_WORD_BITS;
	unsigned long word = c->bitmap[w] & ~(1UL << list % TLSF_WORD_BITS);

	c->bitmap[w] = word;
	if (!word)
		c->summary &= ~(1UL << w);
}

/*
 * May a block be pushed on @list, which has this head, a link? The prev of the head is going to
 * be written. Halves that differ make its index too large, and 0 wraps round. On 32-bit, where
 * that does not find all (tlsf_core.h), the head must point back; the sentinel is made to.
 */
static __always_inline bool tlsf_head_good(struct tlsf_core *c, size_t list, size_t head)
{
	if (unlikely(tlsf_link_index(head) - 1 >= c->last))
		return false;
	if (TLSF_WORD_BITS == 64)
		return true;
	tlsf_block_at(c, TLSF_NIL)->prev = list;
	return !unlikely(tlsf_block_at(c, tlsf_link_index(head))->prev != list);
}

/*
 * Make the @n granules from @b a free block and the first of @list, before @head, a link. The
 * block above has been told that it is above a free one, or will be.
 */
static __always_inline void tlsf_block_insert(struct tlsf_core *c, size_t b, size_t n, size_t list,
					      size_t head)
{
	tlsf_block_at(c, b)->header = n * TLSF_GRANULE;
	*tlsf_block_footer_below(tlsf_block_at(c, b + n)) = b;
	tlsf_block_at(c, tlsf_link_index(head))->prev = b;
	tlsf_block_at(c, list)->next = tlsf_link(b);
	tlsf_block_at(c, b)->next = head;
	tlsf_block_at(c, b)->prev = list;
	tlsf_list_filled(c, list);
}

/* the same on its list; false, and nothing has changed, when that is damaged */
static __always_inline bool tlsf_block_push(struct tlsf_core *c, size_t b, size_t n)
{
	size_t list = tlsf_list_of(n), head = tlsf_block_at(c, list)->next;

	if (!tlsf_head_good(c, list, head))
		return false;
	tlsf_block_insert(c, b, n, list, head);
	return true;
}

/*
 * Take @b, the head of @list, off it. False, and nothing has changed, when the block after it
 * does not agree.
 *
 * Whether @b was the only block of its list cannot be predicted, so the bitmap is updated
 * without a branch (10 % of the time, 1 MiB pool, mixed sizes). If its bitmap word has no other
 * list, a branch predicts well, as when blocks of one size come and go, and nothing waits for
 * the load of the link (a third of the time, 32 MiB pool, one size).
 */
static __always_inline bool tlsf_block_pop(struct tlsf_core *c, size_t b, size_t list)
{
	size_t link = tlsf_block_at(c, b)->next, next = tlsf_link_index(link);
	size_t w = list / TLSF_WORD_BITS;
	unsigned long word = c->bitmap[w], less = word & ~(1UL << list % TLSF_WORD_BITS);

	if (!less && next == TLSF_NIL) {
		tlsf_block_at(c, list)->next = link;
		c->bitmap[w] = 0;
		c->summary &= ~(1UL << w);
		return true;
	}
	if (unlikely(next > c->last))
		return false;
	tlsf_block_at(c, TLSF_NIL)->prev = b;
	if (unlikely(tlsf_block_at(c, next)->prev != b))
		return false;
	tlsf_block_at(c, next)->prev = list;
	tlsf_block_at(c, list)->next = link;
	c->bitmap[w] = next == TLSF_NIL ? less : word;
	return true;
}

/* the same wherever in a list @b is: false, too, when what is before it does not agree */
static __always_inline bool tlsf_block_unlink(struct tlsf_core *c, size_t b)
{
	size_t prev = tlsf_block_at(c, b)->prev, link, next;

	/* a list or a block: the words before the lists could look like one that points at @b */
	if (unlikely(prev < TLSF_FIRST_LIST || prev > c->last ||
		     tlsf_block_at(c, prev)->next != tlsf_link(b)))
		return false;
	link = tlsf_block_at(c, b)->next;
	next = tlsf_link_index(link);
	if (unlikely(next > c->last))
		return false;
	tlsf_block_at(c, TLSF_NIL)->prev = b;
	if (unlikely(tlsf_block_at(c, next)->prev != b))
		return false;
	tlsf_block_at(c, next)->prev = prev;
	tlsf_block_at(c, prev)->next = link;
	if (next == TLSF_NIL && prev < c->start)
		tlsf_list_emptied(c, prev);
	return true;
}

/* tlsf_core.c: put back exactly where it was the block that left its list last */
void tlsf_core_relink(struct tlsf_core *c, size_t b);

/* ---- validation of an allocated block ---- */

/* an allocated block that was found to be one */
struct tlsf_used {
	size_t b;
	size_t n;		/* granules */
	size_t prev_free;	/* TLSF_PREV_FREE or 0 */
};

/*
 * Is @header that of an allocated block at @u->b that ends in the region? A bit that is not
 * as it should be makes the size too large, and one that is too small wraps round.
 */
static __always_inline bool tlsf_header_good(const struct tlsf_core *c, struct tlsf_used *u,
					     size_t header)
{
	u->prev_free = header & TLSF_PREV_FREE;
	u->n = tlsf_rotated((header & ~TLSF_PREV_FREE) ^ TLSF_USED);
	return !unlikely(u->n - TLSF_GRANULES_MIN > c->last - u->b);
}

/* Is @ptr in the region, aligned, and below it the header of an allocated block? */
static __always_inline bool tlsf_used_good(const struct tlsf_core *c, struct tlsf_used *u,
					   const void *ptr)
{
	u->b = tlsf_rotated((uintptr_t)tlsf_block_of(ptr) - (uintptr_t)c);
	if (unlikely(u->b < c->start || u->b > c->last))
		return false;
	return tlsf_header_good(c, u, tlsf_block_of(ptr)->header);
}

/* Could the block above @u, which has @header, be allocated? The end mark looks like it. */
static __always_inline bool tlsf_above_used_good(const struct tlsf_core *c, size_t header)
{
	return !unlikely(tlsf_rotated((header ^ TLSF_USED) - TLSF_BLOCK_MIN) > c->last);
}

/* Does the free block at @b, which has @header, end in the region and know it? */
static __always_inline bool tlsf_above_free_good(const struct tlsf_core *c, size_t b, size_t header,
						 size_t *end)
{
	*end = b + tlsf_rotated(header);
	return !unlikely(*end > tlsf_core_end_index(c) ||
			 *tlsf_block_footer_below(tlsf_block_at(c, *end)) != b);
}

/* either, by what @header says; @end is the end of the free block above, or of @u itself */
static __always_inline bool tlsf_above_good(const struct tlsf_core *c, const struct tlsf_used *u,
					    size_t header, size_t *end)
{
	*end = u->b + u->n;
	return header & TLSF_USED ? tlsf_above_used_good(c, header) :
				    tlsf_above_free_good(c, *end, header, end);
}

/* Is what the footer below @u leads to a free block that ends where @u begins? */
static __always_inline bool tlsf_below_good(const struct tlsf_core *c, const struct tlsf_used *u,
					    size_t *below)
{
	*below = *tlsf_block_footer_below(tlsf_block_at(c, u->b));
	return !unlikely(*below >= u->b || tlsf_block_at(c, *below)->header !=
					   (u->b - *below) * TLSF_GRANULE);
}

/* ---- allocate ---- */

/* the head of a list; granules are not to be believed before tlsf_found_good() */
struct tlsf_found {
	size_t list;
	size_t b;
	size_t n;
};

/*
 * The head of @f->list and its size; false when its link leads beyond the region. An empty
 * list gives the sentinel, whose size of 0 never fits. A good link has the index in its lower
 * half: on 64-bit the load of the header need not wait for the arithmetic (4 % of the time,
 * 1 MiB pool, mixed sizes).
 */
static __always_inline bool tlsf_list_head(const struct tlsf_core *c, struct tlsf_found *f)
{
	size_t link = tlsf_block_at(c, f->list)->next;

	f->b = TLSF_WORD_BITS == 64 ? (uint32_t)link : tlsf_link_index(link);
	if (unlikely(tlsf_link_index(link) > c->last))
		return false;
	f->n = tlsf_block_at(c, f->b)->header / TLSF_GRANULE;
	return true;
}

/*
 * Move @f->list up to the first one that is not empty. Of the summary only the bits that
 * have a bitmap word are looked at; a word that is empty all the same, and a bit above
 * the last list, are damage.
 */
static __always_inline enum tlsf_status tlsf_list_search(const struct tlsf_core *c,
							 struct tlsf_found *f, unsigned int *steps)
{
	size_t w = f->list / TLSF_WORD_BITS;
	unsigned long word = c->bitmap[w] >> f->list % TLSF_WORD_BITS;

	*steps += 1;
	if (!word) {
		word = c->summary & TLSF_SUMMARY_BITS & (~1UL << w);	/* those above w */
		if (unlikely(!word))
			return TLSF_E_FRAGMENTED;
		*steps += 1;
		w = tlsf_ffs(word);
		word = c->bitmap[w];
		if (unlikely(!word))
			return TLSF_E_LINKS;
		f->list = w * TLSF_WORD_BITS;
	}
	f->list += tlsf_ffs(word);
	return unlikely(f->list + 1 >= c->start) ? TLSF_E_LINKS : TLSF_OK;
}

/*
 * Find a list whose head has at least @need granules: TLSF_E_FRAGMENTED when none has. The own
 * list is looked at before the bitmap: one line more in every third allocation, but lines
 * are not waited for one after the other (cold malloc, median: 16 % less).
 */
static __always_inline enum tlsf_status tlsf_list_find(const struct tlsf_core *c, size_t need,
						       struct tlsf_found *f, unsigned int *steps)
{
	enum tlsf_status status;

	f->list = tlsf_list_of(need);
	if (!tlsf_list_head(c, f))
		return TLSF_E_LINKS;
	if (f->n >= need)
		return TLSF_OK;
	f->list++;
	status = tlsf_list_search(c, f, steps);
	if (status == TLSF_OK && (!tlsf_list_head(c, f) || unlikely(f->n < need)))
		return TLSF_E_LINKS;
	return status;
}

/*
 * Is what was found a free block that ends in the region, and does it point back to its list?
 * It is large enough for the request, so it is not too small to be a block.
 */
static __always_inline bool tlsf_found_good(const struct tlsf_core *c, const struct tlsf_found *f)
{
	return !unlikely(f->b + f->n > tlsf_core_end_index(c) ||
			 *tlsf_block_footer_below(tlsf_block_at(c, f->b + f->n)) != f->b ||
			 tlsf_block_at(c, f->b)->prev != f->list);
}

/**
 * tlsf_op_memalign() - allocate a block at a multiple of an alignment
 * @c: control structure
 * @align: power of two
 * @size: bytes wanted
 * @steps: set to the steps it took
 * @why: set to the reason when it fails; TLSF_E_FRAGMENTED for want of memory
 *
 * With an alignment beyond the granule it looks for a block that is large enough wherever it
 * lies (tlsf_room_for()), and gives back what is left below.
 * What is left above becomes a free block when it can be one, else it is handed out too.
 *
 * Return: memory aligned to @align; or NULL, and nothing has changed: under the same lock
 * tlsf_core_alloc_failed() is to be called, which counts the failure.
 */
static __always_inline void *tlsf_op_memalign(struct tlsf_core *c, size_t align, size_t size,
					      unsigned int *steps, enum tlsf_status *why)
{
	size_t need, room, gap, gap_list, b, end;
	struct tlsf_found f;

	*steps = 0;
	*why = TLSF_E_ALIGN;
	if (tlsf_align_bad(c, align))
		return NULL;
	*why = TLSF_E_SIZE;
	if (tlsf_size_bad(c, size))
		return NULL;
	need = tlsf_granules_for(size);
	room = tlsf_room_for(align, need);
	if (room != need && tlsf_size_bad(c, (room - 1) * TLSF_GRANULE))
		return NULL;
	*why = tlsf_list_find(c, room, &f, steps);
	if (unlikely(*why != TLSF_OK))
		return NULL;
	*why = TLSF_E_LINKS;
	if (!tlsf_found_good(c, &f))
		return NULL;
	gap = tlsf_align_gap(tlsf_block_at(c, f.b), align);
	gap_list = tlsf_list_of(gap);
	if ((gap && !tlsf_head_good(c, gap_list, tlsf_block_at(c, gap_list)->next)) ||
	    !tlsf_block_pop(c, f.b, f.list))
		return NULL;
	b = f.b + gap;
	end = f.b + f.n;
	*steps += 1;
	if (end - b - need >= TLSF_GRANULES_MIN) {
		if (!tlsf_block_push(c, b + need, end - b - need)) {
			tlsf_core_relink(c, f.b);
			return NULL;
		}
		*steps += 2;
	} else {
		need = end - b;
		tlsf_block_at(c, end)->header &= ~TLSF_PREV_FREE;
		c->free_minus_frees--;
	}
	if (gap) {
		tlsf_block_insert(c, f.b, gap, gap_list, tlsf_block_at(c, gap_list)->next);
		*steps += 2;
		c->free_minus_frees++;
	}
	tlsf_block_at(c, b)->header = need * TLSF_GRANULE | TLSF_USED | (gap ? TLSF_PREV_FREE : 0);
	c->free -= need;
	c->allocs++;
	return tlsf_block_payload(tlsf_block_at(c, b));
}

/**
 * tlsf_op_alloc() - allocate a block
 * @c: control structure
 * @size: bytes wanted; 1 to c->max_request
 * @steps: set to the steps it took
 * @why: set to the reason when it fails
 *
 * Return: as tlsf_op_memalign() with an alignment of TLSF_GRANULE, to which all that
 * is about alignment folds.
 */
static __always_inline void *tlsf_op_alloc(struct tlsf_core *c, size_t size, unsigned int *steps,
					   enum tlsf_status *why)
{
	return tlsf_op_memalign(c, TLSF_GRANULE, size, steps, why);
}

/* ---- free ---- */

/*
 * Add @n to the free granules; a resize that grows passes a negative number, wrapped. Their
 * number is lowest just before it rises, so low_water is updated here and not by allocations.
 */
static __always_inline void tlsf_free_adjust(struct tlsf_core *c, size_t n)
{
	if (c->free < c->low_water)
		c->low_water = c->free;
	c->free += n;
}

/*
 * tlsf_core.c: undo what a free has done so far about the block above and about itself, and then
 * about the block below. What that was they find in the headers, so that here nothing has
 * to be remembered for it.
 */
void tlsf_core_free_undo_above(struct tlsf_core *c, const void *ptr);
void tlsf_core_free_undo_below(struct tlsf_core *c, const void *ptr);

/**
 * tlsf_op_free() - take a block back and merge it with free neighbours
 * @c: control structure
 * @ptr: what an allocation returned
 * @steps: set to the steps it took
 *
 * Return: false when @ptr is no allocated block, or beside damage, and nothing has changed:
 * under the same lock tlsf_core_reject() is to be called, which counts it and says why.
 */
static __always_inline bool tlsf_op_free(struct tlsf_core *c, const void *ptr, unsigned int *steps)
{
	size_t start, next, end, header;
	struct tlsf_used u;

	*steps = 0;
	if (!tlsf_used_good(c, &u, ptr))
		return false;
	start = u.b;
	if (u.prev_free) {
		if (!tlsf_below_good(c, &u, &start) || !tlsf_block_unlink(c, start))
			return false;
		tlsf_block_of(ptr)->header ^= TLSF_USED;
		c->free_minus_frees--;
		*steps += 2;
	}
	next = u.b + u.n;
	header = tlsf_block_at(c, next)->header;
	if (header & TLSF_USED) {
		if (!tlsf_above_used_good(c, header))
			goto undo_below;
		tlsf_block_at(c, next)->header = header | TLSF_PREV_FREE;
		end = next;
	} else {
		if (!tlsf_above_free_good(c, next, header, &end) || !tlsf_block_unlink(c, next))
			goto undo_below;
		c->free_minus_frees--;
		*steps += 2;
	}
	tlsf_free_adjust(c, u.n);
	c->frees++;
	if (!tlsf_block_push(c, start, end - start))
		goto undo_above;
	*steps += 1;
	return true;

undo_above:
	tlsf_core_free_undo_above(c, ptr);
undo_below:
	tlsf_core_free_undo_below(c, ptr);
	return false;
}

/* ---- resize ---- */

/**
 * tlsf_op_resize() - make a block smaller or larger where it stands
 * @c: control structure
 * @ptr: what an allocation returned
 * @size: bytes wanted
 * @steps: set to the steps it took
 *
 * Grows into the block above when that is free. What is not needed is given back.
 * The contents up to the smaller of the two sizes stay.
 *
 * Return: TLSF_OK; TLSF_E_FRAGMENTED when there is no room above; TLSF_E_SIZE; or the
 * rule that @ptr breaks. Nothing has changed unless TLSF_OK.
 */
static __always_inline enum tlsf_status tlsf_op_resize(struct tlsf_core *c, const void *ptr,
						       size_t size, unsigned int *steps)
{
	size_t need, next, end, header;
	struct tlsf_used u;
	bool above_free;

	*steps = 0;
	if (!tlsf_used_good(c, &u, ptr))
		return tlsf_core_reject(c, ptr);
	if (tlsf_size_bad(c, size))
		return TLSF_E_SIZE;
	next = u.b + u.n;
	header = tlsf_block_at(c, next)->header;
	if (!tlsf_above_good(c, &u, header, &end))
		return tlsf_core_reject(c, ptr);
	need = tlsf_granules_for(size);
	if (need > end - u.b)
		return TLSF_E_FRAGMENTED;
	if (need == u.n) {
		c->resizes++;
		return TLSF_OK;
	}
	above_free = !(header & TLSF_USED);
	if (above_free) {
		if (!tlsf_block_unlink(c, next))
			return tlsf_core_reject(c, ptr);
		*steps += 2;
	}
	if (end - u.b - need >= TLSF_GRANULES_MIN) {
		if (!tlsf_block_push(c, u.b + need, end - u.b - need))
			goto undo_above;
		*steps += 2;
		tlsf_block_at(c, end)->header |= TLSF_PREV_FREE;
		c->free_minus_frees += !above_free;
	} else {
		need = end - u.b;
		tlsf_block_at(c, end)->header &= ~TLSF_PREV_FREE;
		c->free_minus_frees -= above_free;
	}
	tlsf_block_at(c, u.b)->header = need * TLSF_GRANULE | u.prev_free | TLSF_USED;
	tlsf_free_adjust(c, u.n - need);
	c->resizes++;
	return TLSF_OK;

undo_above:
	if (above_free)
		tlsf_core_relink(c, next);
	return tlsf_core_reject(c, ptr);
}

/**
 * tlsf_op_grow_backward() - grow a block into the free block below it, and if need be
 *	also into the one above
 * @c: control structure
 * @ptr: in: what an allocation returned; out: the new start of the block
 * @align: power of two that the new start is to be a multiple of
 * @size: bytes wanted
 * @steps: set to the steps it took
 *
 * Touches no contents, so its cost does not depend on them: the caller moves them,
 * from the old pointer to the new, after it has released its lock, since both the old
 * block and the new belong to it then. The block is larger than asked for until
 * tlsf_op_resize() has given back its tail, which must wait for the move.
 *
 * Return: as tlsf_op_resize(), and TLSF_E_ALIGN. Nothing has changed unless TLSF_OK.
 */
static __always_inline enum tlsf_status
tlsf_op_grow_backward(struct tlsf_core *c, void **ptr, size_t align, size_t size,
		      unsigned int *steps)
{
	size_t need, below, start, next, end;
	bool take_above, gap;
	struct tlsf_used u;

	*steps = 0;
	if (!tlsf_used_good(c, &u, *ptr))
		return tlsf_core_reject(c, *ptr);
	if (tlsf_size_bad(c, size))
		return TLSF_E_SIZE;
	if (tlsf_align_bad(c, align))
		return TLSF_E_ALIGN;
	next = u.b + u.n;
	if (!tlsf_above_good(c, &u, tlsf_block_at(c, next)->header, &end))
		return tlsf_core_reject(c, *ptr);
	if (!u.prev_free)
		return TLSF_E_FRAGMENTED;
	if (!tlsf_below_good(c, &u, &below))
		return tlsf_core_reject(c, *ptr);
	start = below + tlsf_align_gap(tlsf_block_at(c, below), align);
	need = tlsf_granules_for(size);
	if (start >= u.b || end - start < need)
		return TLSF_E_FRAGMENTED;
	take_above = next - start < need;
	if (!take_above)
		end = next;
	gap = start != below;
	if (!tlsf_block_unlink(c, below))
		return tlsf_core_reject(c, *ptr);
	if (take_above && !tlsf_block_unlink(c, next))
		goto undo_below;
	if (gap && !tlsf_block_push(c, below, start - below))
		goto undo_above;
	*steps = 2 + (take_above ? 2 : 0) + (gap ? 2 : 0);
	c->free_minus_frees -= 1 + (take_above) - (gap);
	tlsf_block_at(c, u.b)->header ^= TLSF_USED;
	if (take_above)
		tlsf_block_at(c, end)->header &= ~TLSF_PREV_FREE;
	tlsf_block_at(c, start)->header = (end - start) * TLSF_GRANULE | TLSF_USED |
					  (gap ? TLSF_PREV_FREE : 0);
	c->free -= end - start - u.n;
	c->resizes++;
	*ptr = tlsf_block_payload(tlsf_block_at(c, start));
	return TLSF_OK;

undo_above:
	if (take_above)
		tlsf_core_relink(c, next);
undo_below:
	tlsf_core_relink(c, below);
	return tlsf_core_reject(c, *ptr);
}

#endif /* _TLSF_OPS_H */
