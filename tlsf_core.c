// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two-level segregated fit: the algorithm.
 *
 * Room: core. Freestanding; includes tlsf_core.h alone. The caller serialises all
 * calls on one control structure. Layout, names and the numbered invariants are in
 * tlsf_core.h, the class mapping in tlsf_map.h.
 *
 * How a request is served (Masmano et al., ECRTS 2004, section 4): look at the head of
 * the request's own list; when it is too small, the first list above that is not empty,
 * by two bit scans at most (a bitmap word, then the summary), has only blocks that are
 * large enough: take its head and give back what is too much. The look at the own list
 * makes "free n, allocate n" succeed in a full pool and the whole empty pool allocatable,
 * and wastes less. A free merges with both physical neighbours and pushes the result on
 * the head of its list.
 *
 * Validation. A pointer is looked up in the table of regions before anything is read
 * through it, a size is held against the end of the region before it is believed, both
 * neighbours must agree with it, and a block leaves its list only if whatever points
 * at it is where its links say (safe unlink); a link is held against the end of the
 * regions before it is followed. A bad pointer or a damaged header changes
 * nothing. The tests on the fast path are folded together; refuse_pointer() takes them
 * apart to name the rule. A block that is absorbed by the one below loses its
 * header, so that no header of an allocated block is ever left inside another.
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
 *
 * likely() marks the longer side of a branch here, not the more frequent one: the code
 * of the worst case is laid out in one line.
 */
#include "tlsf_core.h"

#ifdef TLSF_COUNT_STEPS
#define TLSF_STEPS_BEGIN(c)	((c)->steps = 0)
#define TLSF_STEPS(c, n)	((c)->steps += (n))
#else
#define TLSF_STEPS_BEGIN(c)	((void)(c))
#define TLSF_STEPS(c, n)	((void)(c), (void)(n))
#endif

/* what stands before the operations: "static inline" where a caller includes this file */
#ifndef TLSF_OP
#define TLSF_OP
#endif

/*
 * Who includes this file has one region (TLSF_INLINED), and nothing is called from what is
 * inlined, so that no register has to be kept for coming back: what is rare is inlined too,
 * and a free that is refused is left as it is, for tlsf_core_free_refused().
 */
#ifdef TLSF_INLINED
#define TLSF_RARE		__always_inline
#else
#define TLSF_RARE		noinline __cold
#endif

#ifndef __KERNEL__
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define noinline	__attribute__((__noinline__))
#define __cold		__attribute__((__cold__))
#define barrier()	__asm__ volatile("" : : : "memory")
#define OPTIMIZER_HIDE_VAR(x)	__asm__("" : "+r"(x))
#ifndef __always_inline		/* glibc has it, with this meaning */
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#endif

static_assert(sizeof(unsigned long) == sizeof(size_t), "bitmap words hold sizes");
static_assert(sizeof(void *) == TLSF_GRANULE, "footers and links are one granule");
static_assert(((size_t)1 << TLSF_GRANULE_LOG2) == TLSF_GRANULE, "granule is 2^log2");
static_assert(TLSF_BITMAP_WORDS <= TLSF_WORD_BITS, "one summary word is enough");
static_assert(TLSF_FIRST_LIST + TLSF_LISTS_MAX <= TLSF_BITMAP_WORDS * TLSF_WORD_BITS,
	      "a bit for every list");
static_assert(offsetof(struct tlsf_core, list) % TLSF_GRANULE == 0, "lists have places");
static_assert(TLSF_REGIONS_MAX == 8, "region_search() takes three steps");
static_assert(TLSF_FIRST_LIST >= TLSF_WORD_BITS, "no list has a bit in the summary");

/* ---- sizes and places ---- */

#define BLOCK_MIN	(TLSF_BLOCK_MIN / TLSF_GRANULE)
#define NIL		TLSF_NIL

/* bits of the summary that stand for a word of lists */
#define SUMMARY_BITS	(((1UL << (TLSF_BITMAP_WORDS - 1)) - 1) << 1)

static __always_inline struct tlsf_block *at(const struct tlsf_core *c, size_t place)
{
	return tlsf_block_at(c, place);
}

/* place of the list of free blocks of @n granules */
static __always_inline size_t list_of(size_t n)
{
	return tlsf_map_index(n) + TLSF_FIRST_LIST;
}

/* granules of the block that serves @size bytes, header included; @size is not 0 */
static __always_inline size_t granules_for(size_t size)
{
	size_t more = (size - 1) / TLSF_GRANULE;	/* than those of a byte */

	return (more < BLOCK_MIN - 2 ? BLOCK_MIN - 2 : more) + 2;
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
 * How many granules above @b the first block may begin whose payload is a multiple of
 * @align, if what is left below it is either nothing or a free block. From granule g to
 * the next multiple of a power of two p there are -g mod p, and the payload of @b is
 * granule g = @b / TLSF_GRANULE + 1; -g is then the complement of @b / TLSF_GRANULE.
 */
static __always_inline size_t gap_for(const struct tlsf_block *b, size_t align)
{
	size_t last = (align - 1) / TLSF_GRANULE;	/* bits that must be zero */
	size_t gap = ~((uintptr_t)b / TLSF_GRANULE) & last;

	if (gap && gap < BLOCK_MIN)
		gap = ((gap - BLOCK_MIN) & last) + BLOCK_MIN;
	return gap;
}

/*
 * @bytes in granules, or more than any number of them when there is a fraction, whose
 * bits become the highest: one comparison for range and alignment.
 */
static __always_inline size_t granules_rotated(size_t bytes)
{
	return bytes >> TLSF_GRANULE_LOG2 | bytes << (TLSF_WORD_BITS - TLSF_GRANULE_LOG2);
}

/* ---- free lists ---- */

static __always_inline void list_filled(struct tlsf_core *c, size_t list)
{
	tlsf_bit_set(list, c->bitmap);
	tlsf_bit_set(list / TLSF_WORD_BITS, c->bitmap);
}

static __always_inline void list_emptied(struct tlsf_core *c, size_t list)
{
	size_t w = list / TLSF_WORD_BITS;

	tlsf_bit_clear(list, c->bitmap);
	if (likely(!c->bitmap[w]))
		tlsf_bit_clear(w, c->bitmap);
}

/*
 * May a block be pushed on @list? Its head gets a link back to the new block, so it must
 * be a block that knows the list: else that link is written over somebody's data.
 */
static __always_inline bool list_sound(const struct tlsf_core *c, size_t list)
{
	size_t head = at(c, list)->next;

	return likely(head == NIL) ||
	       (likely(head < c->links_end) && likely(at(c, head)->prev == list));
}

/*
 * Make the @n granules from @b a free block and push it on its list, which is sound. The
 * block above has been told, or will be.
 */
static __always_inline void block_insert(struct tlsf_core *c, size_t b, size_t n)
{
	size_t header = n * TLSF_GRANULE, list, next;

	*tlsf_block_footer_below(at(c, b + n)) = b;
	OPTIMIZER_HIDE_VAR(header);
	at(c, b)->header = header;
	list = list_of(n);
	next = at(c, list)->next;
	OPTIMIZER_HIDE_VAR(list);
	at(c, list)->next = b;
	at(c, b)->next = next;
	at(c, next)->prev = b;
	at(c, b)->prev = list;
	list_filled(c, list);
}

/*
 * Take @b, before which is @prev, out of its list; nothing has changed when the block
 * after it says otherwise. When it was the only one, @prev is the list.
 */
static __always_inline bool block_bypass(struct tlsf_core *c, size_t b, size_t prev, bool first)
{
	size_t next = at(c, b)->next;

	if (likely(next == NIL)) {
		at(c, prev)->next = NIL;
		if (likely(first || prev < c->control_end))
			list_emptied(c, prev);
	} else {
		if (unlikely(next >= c->blocks_end || at(c, next)->prev != b))
			return false;
		OPTIMIZER_HIDE_VAR(next);
		at(c, next)->prev = prev;
		at(c, prev)->next = next;
	}
	return true;
}

/* Remove a block from its list, unless its links are damaged: then nothing has changed. */
static __always_inline bool block_unlink(struct tlsf_core *c, size_t b)
{
	size_t prev = at(c, b)->prev;

	if (unlikely(prev >= c->links_end || at(c, prev)->next != b))
		return false;
	OPTIMIZER_HIDE_VAR(prev);
	return block_bypass(c, b, prev, false);
}

/* put back exactly where it was the block that was removed last */
static TLSF_RARE void block_relink(struct tlsf_core *c, size_t b)
{
	size_t prev = at(c, b)->prev;

	at(c, prev)->next = b;
	at(c, at(c, b)->next)->prev = b;
	if (prev < c->control_end)
		list_filled(c, prev);
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

/* could a block of @r have its payload at @ptr? */
static __always_inline bool region_has(const struct tlsf_region *r, const void *ptr)
{
	return likely(granules_rotated((uintptr_t)ptr - r->first) < r->granules);
}

/* the one region that may hold @ptr; most often there is only one */
static __always_inline const struct tlsf_region *
region_of(const struct tlsf_core *c, const void *ptr)
{
	return region_has(c->region, ptr) ? c->region : region_search(c, (uintptr_t)ptr);
}

/* an allocated block that was found to be one */
struct view {
	size_t b;
	size_t n;		/* granules */
	size_t next;		/* the block above */
	size_t prev_flag;	/* TLSF_PREV_FREE or 0 */
};

/*
 * Is @header that of an allocated block at @v->b that ends in the region? A bit that is
 * not as it should be makes the size too large.
 */
static __always_inline bool view_header(const struct tlsf_region *r, struct view *v, size_t header)
{
	v->prev_flag = header & TLSF_PREV_FREE;
	v->n = granules_rotated((header & ~TLSF_PREV_FREE) ^ TLSF_USED);
	v->next = v->b + v->n;
	return !unlikely(v->n < BLOCK_MIN) && likely(v->next <= r->end);
}

/* Is @ptr in @r, aligned, and below it the header of an allocated block? */
static __always_inline bool view_block(const struct tlsf_region *r, struct view *v, const void *ptr)
{
	v->b = granules_rotated((uintptr_t)ptr - r->first);
	if (unlikely(v->b >= r->granules))
		return false;
	v->b += r->start;
	return view_header(r, v, tlsf_block_of(ptr)->header);
}

/* Could an allocated block have @header? The end mark looks like the smallest. */
static __always_inline bool used_header_good(const struct tlsf_core *c, size_t header)
{
	return likely(granules_rotated((header ^ TLSF_USED) - TLSF_BLOCK_MIN) < c->blocks_end);
}

/* Does the free block above, which has @header, end in the region and know it? */
static __always_inline bool next_free_good(const struct tlsf_core *c, const struct tlsf_region *r,
					   const struct view *v, size_t header, size_t *end)
{
	*end = v->next + granules_rotated(header);
	return likely(*end <= r->end) &&
	       likely(*tlsf_block_footer_below(at(c, *end)) == v->next);
}

/* either, by what @header says */
static __always_inline bool next_good(const struct tlsf_core *c, const struct tlsf_region *r,
				      const struct view *v, size_t header, size_t *end)
{
	return header & TLSF_USED ? used_header_good(c, header) :
				    next_free_good(c, r, v, header, end);
}

/* Is what the footer below leads to a free block that ends where we begin? */
static __always_inline bool prev_good(const struct tlsf_core *c, const struct view *v,
				      const void *ptr, size_t *prev)
{
	size_t n;

	*prev = *tlsf_block_footer_below(tlsf_block_of(ptr));
	return !unlikely(__builtin_sub_overflow(v->b, *prev, &n)) &&
	       likely(at(c, *prev)->header == n * TLSF_GRANULE);
}

/* which rule did @ptr break? what the fast path folds together, one at a time */
static noinline __cold enum tlsf_status explain_pointer(const struct tlsf_core *c, const void *ptr)
{
	const struct tlsf_region *r = region_search(c, (uintptr_t)ptr);
	size_t header, end;
	struct view v;

	if (((uintptr_t)ptr - r->first) / TLSF_GRANULE >= r->granules)
		return TLSF_E_OUTSIDE;
	if ((uintptr_t)ptr & TLSF_FLAGS)
		return TLSF_E_MISALIGNED;
	header = tlsf_block_of(ptr)->header;
	if (!view_block(r, &v, ptr))
		return view_header(r, &v, header ^ TLSF_USED) && !v.prev_flag &&
		       *tlsf_block_footer_below(at(c, v.next)) == v.b ?
			TLSF_E_FREE : TLSF_E_HEADER;
	if (!next_good(c, r, &v, at(c, v.next)->header, &end))
		return TLSF_E_NEIGHBOUR;
	if (v.prev_flag && !prev_good(c, &v, ptr, &end))
		return TLSF_E_NEIGHBOUR;
	return TLSF_E_LINKS;
}

static noinline __cold enum tlsf_status refuse_pointer(struct tlsf_core *c, const void *ptr)
{
	c->bad_pointers++;
	return explain_pointer(c, ptr);
}

/* ---- carving blocks ---- */

/* may what block_carve() leaves of @n granules be pushed on its list? */
static __always_inline bool rest_sound(const struct tlsf_core *c, size_t n, size_t need)
{
	size_t rest = n - need;

	return unlikely(rest < BLOCK_MIN) || list_sound(c, list_of(rest));
}

/*
 * Make @b an allocated block of at least @need out of @n granules that are in no list,
 * and of which the block above knows that they are free. What is left becomes a free
 * block when it can be one, else it is handed out too. A free block has gone for this,
 * so the count of them changes only if none takes its place. Returns the size it got.
 * @steps were taken before.
 */
static __always_inline size_t block_carve(struct tlsf_core *c, size_t b, size_t n, size_t need,
					  size_t prev_flag, unsigned int steps)
{
	size_t rest = n - need;

	if (likely(rest >= BLOCK_MIN)) {
		TLSF_STEPS(c, steps + 2);
		at(c, b)->header = need * TLSF_GRANULE | prev_flag | TLSF_USED;
		block_insert(c, b + need, rest);
		return need;
	}
	TLSF_STEPS(c, steps);
	at(c, b + n)->header &= ~TLSF_PREV_FREE;
	at(c, b)->header = n * TLSF_GRANULE | prev_flag | TLSF_USED;
	c->free_less_frees--;
	return n;
}

/* ---- allocate ---- */

static TLSF_RARE void *fail_with(struct tlsf_core *c, enum tlsf_status status)
{
	c->status = status;
	return NULL;
}

/*
 * No block for @need granules: because the heap is damaged, there is too little, or it is
 * in too small pieces?
 */
static __always_inline void *fail_no_block(struct tlsf_core *c, size_t need,
					   enum tlsf_status status)
{
	if (unlikely(status == TLSF_E_LINKS))
		return fail_with(c, status);
	if (need > c->free) {
		c->fail_exhausted++;
		c->status = TLSF_E_EXHAUSTED;
		barrier();	/* or else the two ends become one, and longer */
		return NULL;
	}
	c->fail_fragmented++;
	c->status = TLSF_E_FRAGMENTED;
	return NULL;
}

/*
 * Move *@list up to the next one that is not empty. Of the summary only the bits that
 * have a bitmap word are looked at; a word that is empty all the same, and a bit above
 * the last list, are damage.
 */
static __always_inline enum tlsf_status list_search(struct tlsf_core *c, size_t *list)
{
	size_t w = *list / TLSF_WORD_BITS;
	unsigned long word = ~1UL << (*list % TLSF_WORD_BITS);

	word &= c->bitmap[w];
	if (unlikely(word)) {
		TLSF_STEPS(c, 1);
	} else {
		word = ~0UL << (w + 1);		/* there are fewer words than bits */
		word &= c->bitmap[TLSF_SUMMARY] & SUMMARY_BITS;
		if (unlikely(!word)) {
			TLSF_STEPS(c, 1);
			return TLSF_E_FRAGMENTED;
		}
		TLSF_STEPS(c, 2);
		w = tlsf_ffs(word);
		word = c->bitmap[w];
		if (unlikely(!word))
			return TLSF_E_LINKS;
	}
	*list = w * TLSF_WORD_BITS + tlsf_ffs(word);
	return likely(*list < c->control_end - 1) ? TLSF_OK : TLSF_E_LINKS;
}

/* a head that is about to be taken off its list */
struct found {
	size_t list;
	size_t b;
	size_t n;	/* granules; not to be believed before block_good() */
};

/* false when the head is nowhere in the regions, nor the nil block */
static __always_inline bool list_head(const struct tlsf_core *c, struct found *f)
{
	f->b = at(c, f->list)->next;
	if (unlikely(f->b >= c->links_end))
		return false;
	f->n = at(c, f->b)->header / TLSF_GRANULE;
	return true;
}

/* Find a list whose head has at least @need granules: TLSF_E_FRAGMENTED when none has. */
static __always_inline enum tlsf_status list_find(struct tlsf_core *c, size_t need,
						  struct found *f)
{
	enum tlsf_status status;

	f->list = list_of(need);
	if (unlikely(!list_head(c, f)))
		return TLSF_E_LINKS;
	if (likely(f->n < need)) {
		status = list_search(c, &f->list);
		if (unlikely(status != TLSF_OK))
			return status;
		if (unlikely(!list_head(c, f) || f->n < need))
			return TLSF_E_LINKS;
	}
	return TLSF_OK;
}

/* is what was found what a free block at the head of its list has to be? */
static __always_inline bool block_good(const struct tlsf_core *c, const struct found *f)
{
	size_t above = f->b + f->n;

	return !unlikely(above > c->top) &&
	       likely(*tlsf_block_footer_below(at(c, above)) == f->b) &&
	       likely(at(c, f->b)->prev == f->list);
}

/* never NULL, so that callers who look for it are seen to do so in vain */
static __always_inline void *payload_at(const struct tlsf_core *c, size_t b)
{
	void *payload = tlsf_block_payload(at(c, b));

	return payload ? payload : (__builtin_unreachable(), NULL);
}

/**
 * tlsf_core_alloc() - allocate a block
 * @c: control structure
 * @size: bytes wanted; 1 to c->max_request
 *
 * Context: any; the caller serialises. At most 5 steps, no loop.
 * Return: memory aligned to TLSF_GRANULE, or NULL; tlsf_core_status() says why.
 */
TLSF_OP void *tlsf_core_alloc(struct tlsf_core *c, size_t size)
{
	enum tlsf_status status;
	struct found f;
	size_t need;

	TLSF_STEPS_BEGIN(c);
	if (size_refused(c, size))
		return fail_with(c, TLSF_E_SIZE);
	need = granules_for(size);
	status = list_find(c, need, &f);
	if (unlikely(status != TLSF_OK))
		return fail_no_block(c, need, status);
	if (unlikely(!block_good(c, &f) || !rest_sound(c, f.n, need) ||
		     !block_bypass(c, f.b, f.list, true)))
		return fail_with(c, TLSF_E_LINKS);
	need = block_carve(c, f.b, f.n, need, 0, 1);
	c->free -= need;
	c->allocs++;
	return payload_at(c, f.b);
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
TLSF_OP void *tlsf_core_memalign(struct tlsf_core *c, size_t align, size_t size)
{
	enum tlsf_status status;
	size_t need, room, gap;
	struct found f;

	TLSF_STEPS_BEGIN(c);
	if (align_refused(c, align))
		return fail_with(c, TLSF_E_ALIGN);
	if (align <= TLSF_GRANULE)
		return tlsf_core_alloc(c, size);
	if (size_refused(c, size))
		return fail_with(c, TLSF_E_SIZE);
	need = granules_for(size);
	room = need + align / TLSF_GRANULE + BLOCK_MIN - 1;
	if (size_refused(c, room * TLSF_GRANULE - TLSF_BLOCK_HEADER))
		return fail_with(c, TLSF_E_SIZE);
	status = list_find(c, room, &f);
	if (unlikely(status != TLSF_OK))
		return fail_no_block(c, need, status);
	gap = gap_for(at(c, f.b), align);
	if (unlikely(!block_good(c, &f) || !rest_sound(c, f.n - gap, need) ||
		     (likely(gap) && !list_sound(c, list_of(gap))) ||
		     !block_bypass(c, f.b, f.list, true)))
		return fail_with(c, TLSF_E_LINKS);
	need = block_carve(c, f.b + gap, f.n - gap, need, gap ? TLSF_PREV_FREE : 0, 1);
	c->free -= need;
	c->allocs++;
	if (likely(gap)) {
		TLSF_STEPS(c, 2);
		block_insert(c, f.b, gap);
		c->free_less_frees++;
	}
	return payload_at(c, f.b + gap);
}

/* ---- free ---- */

/* @n granules more are free; the moment before that happens is the one for a minimum */
static __always_inline void account_free(struct tlsf_core *c, size_t n)
{
	size_t free = c->free;

	if (likely((ptrdiff_t)free < c->low_water))
		c->low_water = (ptrdiff_t)free;
	barrier();
	c->free += n;
}

/* the block above is not what it should be: as if nothing had happened */
static noinline __cold enum tlsf_status refuse_next(struct tlsf_core *c, void *ptr, size_t start,
						    size_t next)
{
	struct tlsf_block *b = tlsf_block_of(ptr);

	if (start != NIL && at(c, start) != b) {
		b->header = ((uintptr_t)at(c, next) - (uintptr_t)b) | TLSF_PREV_FREE | TLSF_USED;
		block_relink(c, start);
		c->free_less_frees++;
	}
	return refuse_pointer(c, ptr);
}

#ifdef TLSF_INLINED
static __always_inline enum tlsf_status
refuse_free(struct tlsf_core *c, void *ptr, size_t start, size_t next)
{
	(void)ptr;
	c->refused.start = start;
	c->refused.next = next;
	return TLSF_E_HELD_BACK;
}
#else
/* with what was found so far: the block above, and what is to be merged with; NIL: nothing */
static noinline __cold enum tlsf_status refuse_free(struct tlsf_core *c, void *ptr, size_t start,
						    size_t next)
{
	return next == NIL ? refuse_pointer(c, ptr) : refuse_next(c, ptr, start, next);
}
#endif

static __always_inline enum tlsf_status
free_in(struct tlsf_core *c, const struct tlsf_region *r, void *ptr)
{
	size_t start, end, header;
	struct view v;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(r, &v, ptr)))
		return refuse_free(c, ptr, NIL, NIL);
	start = v.b;
	end = v.next;
	header = at(c, v.next)->header;
	if (unlikely(likely(v.prev_flag) && !prev_good(c, &v, ptr, &start)) ||
	    unlikely(!next_good(c, r, &v, header, &end)) ||
	    unlikely(!list_sound(c, list_of(end - start))))
		return refuse_free(c, ptr, NIL, NIL);
	if (likely(v.prev_flag)) {
		if (unlikely(!block_unlink(c, start)))
			return refuse_free(c, ptr, NIL, NIL);
		TLSF_STEPS(c, 2);
		tlsf_block_of(ptr)->header = 0;
		c->free_less_frees--;
	}
	if (likely(!(header & TLSF_USED))) {
		if (unlikely(!block_unlink(c, v.next)))
			return refuse_free(c, ptr, start, v.next);
		TLSF_STEPS(c, 2);
		c->free_less_frees--;
	} else {
		at(c, v.next)->header = header | TLSF_PREV_FREE;
	}
	TLSF_STEPS(c, 1);
	account_free(c, v.n);
	c->frees++;
	block_insert(c, start, end - start);
	return TLSF_OK;
}

static TLSF_RARE enum tlsf_status free_searched(struct tlsf_core *c, void *ptr)
{
#ifdef TLSF_INLINED
	return refuse_free(c, ptr, NIL, NIL);
#else
	return free_in(c, region_search(c, (uintptr_t)ptr), ptr);
#endif
}

/**
 * tlsf_core_free() - take a block back and merge it with free neighbours
 * @c: control structure
 * @ptr: what an allocation returned
 *
 * Context: any; the caller serialises. At most 5 steps, no loop.
 * Return: TLSF_OK, or the rule that @ptr breaks; then nothing has changed.
 */
TLSF_OP enum tlsf_status tlsf_core_free(struct tlsf_core *c, void *ptr)
{
	return region_has(c->region, ptr) ? free_in(c, c->region, ptr) : free_searched(c, ptr);
}

/* ---- resize ---- */

static __always_inline enum tlsf_status
resize_in(struct tlsf_core *c, const struct tlsf_region *r, void *ptr, size_t size)
{
	size_t need, have, header, end;
	unsigned int steps = 0;
	struct view v;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(r, &v, ptr)))
		return refuse_pointer(c, ptr);
	if (size_refused(c, size))
		return TLSF_E_SIZE;
	end = v.next;
	header = at(c, v.next)->header;
	if (unlikely(!next_good(c, r, &v, header, &end)))
		return refuse_pointer(c, ptr);
	need = granules_for(size);
	have = end - v.b;
	if (need > have)
		return TLSF_E_FRAGMENTED;
	if (unlikely(!rest_sound(c, have, need)))
		return refuse_pointer(c, ptr);
	if (likely(!(header & TLSF_USED))) {
		if (unlikely(!block_unlink(c, v.next)))
			return refuse_pointer(c, ptr);
		steps = 2;
	} else {
		at(c, v.next)->header = header | TLSF_PREV_FREE;
		c->free_less_frees++;
	}
	have = block_carve(c, v.b, have, need, v.prev_flag, steps);
	account_free(c, v.n - have);
	c->resizes++;
	return TLSF_OK;
}

static noinline enum tlsf_status resize_searched(struct tlsf_core *c, void *ptr, size_t size)
{
	return resize_in(c, region_search(c, (uintptr_t)ptr), ptr, size);
}

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
TLSF_OP enum tlsf_status tlsf_core_resize(struct tlsf_core *c, void *ptr, size_t size)
{
	return region_has(c->region, ptr) ? resize_in(c, c->region, ptr, size) :
					    resize_searched(c, ptr, size);
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
TLSF_OP enum tlsf_status tlsf_core_grow_back(struct tlsf_core *c, void **ptr, size_t align,
					     size_t size)
{
	const struct tlsf_region *r = region_of(c, *ptr);
	size_t need, header, prev, start, end;
	struct view v;

	TLSF_STEPS_BEGIN(c);
	if (unlikely(!view_block(r, &v, *ptr)))
		return refuse_pointer(c, *ptr);
	if (size_refused(c, size))
		return TLSF_E_SIZE;
	if (align_refused(c, align))
		return TLSF_E_ALIGN;
	end = v.next;
	header = at(c, v.next)->header;
	if (unlikely(!next_good(c, r, &v, header, &end)))
		return refuse_pointer(c, *ptr);
	if (!v.prev_flag)
		return TLSF_E_FRAGMENTED;
	if (unlikely(!prev_good(c, &v, *ptr, &prev)))
		return refuse_pointer(c, *ptr);
	start = prev + gap_for(at(c, prev), align);
	if (start >= v.b)
		return TLSF_E_FRAGMENTED;
	need = granules_for(size);
	if (v.next - start >= need)
		end = v.next;
	if (end - start < need)
		return TLSF_E_FRAGMENTED;
	if (unlikely((start != prev && !list_sound(c, list_of(start - prev))) ||
		     !block_unlink(c, prev)))
		return refuse_pointer(c, *ptr);
	TLSF_STEPS(c, 2);
	tlsf_block_of(*ptr)->header = 0;
	c->free_less_frees--;
	if (end != v.next) {
		if (unlikely(!block_unlink(c, v.next)))
			return refuse_next(c, *ptr, prev, v.next);
		TLSF_STEPS(c, 2);
		c->free_less_frees--;
		at(c, end)->header &= ~TLSF_PREV_FREE;
	}
	at(c, start)->header = (end - start) * TLSF_GRANULE | TLSF_USED;
	if (start != prev) {
		TLSF_STEPS(c, 2);
		at(c, start)->header |= TLSF_PREV_FREE;
		block_insert(c, prev, start - prev);
		c->free_less_frees++;
	}
	c->free -= end - start - v.n;
	c->resizes++;
	*ptr = tlsf_block_payload(at(c, start));
	return TLSF_OK;
}

#ifndef TLSF_OPS_ONLY		/* who includes this file for the operations has the rest */

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
	const struct tlsf_region *r = region_of(c, ptr);
	struct view v;
	size_t end;

	if (unlikely(!view_block(r, &v, ptr) ||
		     !next_good(c, r, &v, at(c, v.next)->header, &end)))
		return explain_pointer(c, ptr);
	*usable = (v.n - 1) * TLSF_GRANULE;
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
	return (unsigned int)tlsf_map_index(region_bytes / TLSF_GRANULE) + 1;
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
	return offsetof(struct tlsf_core, list) + lists_for(region_bytes) * sizeof(size_t);
}

/* no larger request can ever succeed; before there is a region, what the lists allow */
size_t tlsf_core_most(const struct tlsf_core *c)
{
	size_t most = 0, n;
	unsigned int i;

	if (!c->nr_regions)
		return tlsf_map_floor(c->nr_lists) * TLSF_GRANULE - TLSF_GRANULE -
		       TLSF_BLOCK_HEADER;
	for (i = 0; i < c->nr_regions; i++) {
		n = c->region[i].end - c->region[i].start;
		most = n > most ? n : most;
	}
	return (most - 1) * TLSF_GRANULE;
}

/* @n granules came with a region or, in two's complement, left */
static void regions_changed(struct tlsf_core *c, size_t n)
{
	unsigned int i;

	c->capacity += n;
	c->free += n;
	c->low_water += (ptrdiff_t)n;
	c->top = c->control_end;
	for (i = 0; i < c->nr_regions; i++)
		c->top = c->region[i].end;
	c->links_end = c->top - 1;		/* links are two words */
	c->blocks_end = c->links_end;
	if (c->max_request)			/* not retired */
		c->max_request = tlsf_core_most(c);
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
	*c = (struct tlsf_core){ .nr_lists = lists_for(region_bytes), .nil.next = NIL };
	c->control_end = tlsf_core_size(region_bytes) / TLSF_GRANULE;
	c->max_request = 1;		/* any but 0, which says retired */
	regions_changed(c, 0);
	for (i = 0; i < TLSF_REGIONS_MAX; i++)
		c->region[i].first = TLSF_NO_ADDRESS;
	for (i = 0; i < c->nr_lists; i++)
		c->list[i] = NIL;
	return c;
}

/* the whole of @r as one free block and an end mark */
static void region_format(struct tlsf_core *c, const struct tlsf_region *r)
{
	at(c, r->end)->header = TLSF_BLOCK_MIN | TLSF_PREV_FREE | TLSF_USED;
	block_insert(c, r->start, r->end - r->start);
	c->free_less_frees++;
}

/* fill @r from what the caller gave, cut to the granule; false when it does not serve */
static bool region_fit(const struct tlsf_core *c, struct tlsf_region *r, void *mem, size_t bytes)
{
	uintptr_t start = align_up((uintptr_t)mem, TLSF_GRANULE);
	uintptr_t end = ((uintptr_t)mem + bytes) & ~(uintptr_t)TLSF_FLAGS;
	size_t n = (end - start) / TLSF_GRANULE - 1;

	if (!mem || bytes > TLSF_NO_ADDRESS - (uintptr_t)mem || bytes < TLSF_BLOCK_MIN ||
	    end < start || end - start < TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER)
		return false;
	*r = (struct tlsf_region){ .first = start + TLSF_BLOCK_HEADER,
				   .granules = n - BLOCK_MIN + 1,
				   .start = tlsf_block_place(c, (void *)start),
				   .base = mem, .bytes = bytes };
	r->end = r->start + n;
	return bytes <= TLSF_REGION_MAX && tlsf_map_index(n) < c->nr_lists &&
	       (uintptr_t)mem >= (uintptr_t)tlsf_block_at(c, c->control_end);
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
 * small for one block, too large for the control structure, below or over it, overlaps a
 * region, or would be region TLSF_REGIONS_MAX + 1.
 */
enum tlsf_status tlsf_core_add_region(struct tlsf_core *c, void *mem, size_t bytes)
{
	struct tlsf_region new;
	unsigned int i;

	if (c->nr_regions == TLSF_REGIONS_MAX || !region_fit(c, &new, mem, bytes))
		return TLSF_E_REGION;
	for (i = 0; i < c->nr_regions; i++)
		if (ranges_overlap((uintptr_t)mem, bytes, (uintptr_t)c->region[i].base,
				   c->region[i].bytes))
			return TLSF_E_REGION;
	for (i = c->nr_regions++; i && c->region[i - 1].first > new.first; i--)
		c->region[i] = c->region[i - 1];
	c->region[i] = new;
	regions_changed(c, new.end - new.start);
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
	const struct tlsf_region *r;
	unsigned int i = 0;
	size_t n;

	while (i < c->nr_regions && c->region[i].base != mem)
		i++;
	if (i == c->nr_regions)
		return TLSF_E_REGION;
	r = &c->region[i];
	n = r->end - r->start;
	if (at(c, r->start)->header != n * TLSF_GRANULE)
		return TLSF_E_BUSY;
	if (!block_unlink(c, r->start))
		return TLSF_E_LINKS;
	c->free_less_frees--;
	for (c->nr_regions--; i < c->nr_regions; i++)
		c->region[i] = c->region[i + 1];
	c->region[i] = (struct tlsf_region){ .first = TLSF_NO_ADDRESS };
	regions_changed(c, -n);
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
	for (i = 0; i < c->nr_lists; i++)
		c->list[i] = NIL;
	for (i = 0; i < TLSF_BITMAP_WORDS; i++)
		c->bitmap[i] = 0;
	account_free(c, c->capacity - c->free);
	c->frees = c->allocs;
	c->free_less_frees = -c->frees;
	for (i = 0; i < c->nr_regions; i++)
		region_format(c, &c->region[i]);
}

/**
 * tlsf_core_free_refused() - what is left of a free that an inlined copy refused
 * @c: control structure
 * @ptr: what it was called with
 *
 * Context: any; the caller serialises, and has not let go of @c in between.
 * Return: the rule that @ptr breaks; nothing has changed.
 */
enum tlsf_status tlsf_core_free_refused(struct tlsf_core *c, void *ptr)
{
	return refuse_free(c, ptr, c->refused.start, c->refused.next);
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
					  .free = tlsf_block_is_free(b) };
	at->offset += tlsf_block_size(b);
	return true;
}

/*
 * What tlsf_core_alloc() can serve at most now: the head of the highest list. 0 when what
 * leads there is damaged.
 */
static size_t largest_request(const struct tlsf_core *c)
{
	unsigned long summary = c->bitmap[TLSF_SUMMARY] & SUMMARY_BITS, word;
	struct found f;

	word = summary ? c->bitmap[tlsf_fls(summary)] : 0;
	if (!word)
		return 0;
	f.list = tlsf_fls(summary) * TLSF_WORD_BITS + tlsf_fls(word);
	if (f.list >= c->control_end - 1 || !list_head(c, &f) || f.b == NIL)
		return 0;
	return (f.n - 1) * TLSF_GRANULE;
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
	ptrdiff_t free = (ptrdiff_t)c->free, lowest = free < c->low_water ? free : c->low_water;
	unsigned int i;

	*stats = (struct tlsf_core_stats){
		.used_bytes = tlsf_core_used_bytes(c),
		.free_bytes = (c->free - tlsf_core_free_blocks(c)) * TLSF_GRANULE,
		.largest_free = largest_request(c),
		.high_water = (c->capacity - (size_t)lowest) * TLSF_GRANULE,
		.used_blocks = c->allocs - c->frees,
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
	c->low_water = (ptrdiff_t)c->free;
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

#endif /* TLSF_OPS_ONLY */
