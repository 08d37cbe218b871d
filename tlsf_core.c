// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two-level segregated fit: what is not inlined.
 *
 * Room: core; includes tlsf_ops.h alone. The operations as functions, what is
 * left to do when one fails (cold), set up, walk and statistics. The caller serialises
 * all calls on one control structure. Layout, names and the numbered invariants are in
 * tlsf_core.h, the class mapping in tlsf_map.h.
 */
#include "tlsf_ops.h"

static_assert(sizeof(unsigned long) == sizeof(size_t), "bitmap words hold sizes");
static_assert(sizeof(void *) == TLSF_GRANULE, "footers and links are one granule");
static_assert(((size_t)1 << TLSF_GRANULE_LOG2) == TLSF_GRANULE, "granule is 2^log2");
static_assert(TLSF_BITMAP_WORDS < TLSF_WORD_BITS, "one summary word is enough");
static_assert(TLSF_FIRST_LIST + TLSF_LISTS_MAX <= TLSF_BITMAP_WORDS * TLSF_WORD_BITS,
	      "a bit for every list");
static_assert(offsetof(struct tlsf_core, list) % TLSF_GRANULE == 0, "lists have indices");
static_assert(offsetof(struct tlsf_core, free_minus_frees) == 8 * TLSF_GRANULE,
	      "the first words are one line of 64 bytes on 64-bit");

/* ---- why a pointer is rejected ---- */

/* the tests that the operations fold together, one at a time: which does @ptr fail? */
static noinline __cold enum tlsf_status explain_pointer(const struct tlsf_core *c, const void *ptr)
{
	struct tlsf_used u;
	size_t header, end, below;

	u.b = ((uintptr_t)tlsf_block_of(ptr) - (uintptr_t)c) / TLSF_GRANULE;
	if (u.b < c->start || u.b > c->last)
		return TLSF_E_OUTSIDE;
	if ((uintptr_t)ptr & TLSF_FLAGS)
		return TLSF_E_MISALIGNED;
	header = tlsf_block_at(c, u.b)->header;
	if (!tlsf_header_good(c, &u, header)) {
		/* a free block's, with a footer that agrees: freed already; else damaged */
		header ^= TLSF_USED;
		return tlsf_header_good(c, &u, header) && !u.prev_free &&
		       *tlsf_block_footer_below(tlsf_block_at(c, u.b + u.n)) == u.b ?
			TLSF_E_FREE : TLSF_E_HEADER;
	}
	if (!tlsf_above_good(c, &u, tlsf_block_at(c, u.b + u.n)->header, &end) ||
	    (u.prev_free && !tlsf_below_good(c, &u, &below)))
		return TLSF_E_NEIGHBOUR;
	return TLSF_E_LINKS;
}

/* ---- the operations, for who does not inline them ---- */

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
	enum tlsf_status why;
	unsigned int steps;
	void *ptr = tlsf_op_alloc(c, size, &steps, &why);

	if (unlikely(!ptr))
		tlsf_core_alloc_failed(c, size, why);
	return ptr;
}

/**
 * tlsf_core_memalign() - allocate a block at a multiple of an alignment
 * @c: control structure
 * @align: power of two
 * @size: bytes wanted
 *
 * Context: any; the caller serialises. At most 7 steps, no loop.
 * Return: memory aligned to @align, or NULL; tlsf_core_status() says why.
 */
void *tlsf_core_memalign(struct tlsf_core *c, size_t align, size_t size)
{
	enum tlsf_status why;
	unsigned int steps;
	void *ptr = tlsf_op_memalign(c, align, size, &steps, &why);

	if (unlikely(!ptr))
		tlsf_core_alloc_failed(c, size, why);
	return ptr;
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
	unsigned int steps;

	return tlsf_op_free(c, ptr, &steps) ? TLSF_OK : tlsf_core_reject(c, ptr);
}

/**
 * tlsf_core_resize() - make a block smaller or larger where it stands
 * @c: control structure
 * @ptr: what an allocation returned
 * @size: bytes wanted
 *
 * Context: any; the caller serialises. At most 4 steps, no loop.
 * Return: as tlsf_op_resize(). Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_resize(struct tlsf_core *c, void *ptr, size_t size)
{
	unsigned int steps;

	return tlsf_op_resize(c, ptr, size, &steps);
}

/**
 * tlsf_core_grow_backward() - grow a block into its free neighbours, below first
 * @c: control structure
 * @ptr: in: what an allocation returned; out: the new start of the block
 * @align: power of two that the new start is to be a multiple of
 * @size: bytes wanted
 *
 * Context: any; the caller serialises. At most 6 steps, no loop.
 * Return: as tlsf_op_grow_backward(). Nothing has changed unless TLSF_OK.
 */
enum tlsf_status tlsf_core_grow_backward(struct tlsf_core *c, void **ptr, size_t align,
					 size_t size)
{
	unsigned int steps;

	return tlsf_op_grow_backward(c, ptr, align, size, &steps);
}

/**
 * tlsf_core_usable() - how many bytes of a block may be used
 * @c: control structure
 * @ptr: what an allocation returned
 * @usable: set when the result is TLSF_OK
 *
 * Context: any; the caller serialises. No step. Counts nothing.
 * Return: TLSF_OK, or the rule that @ptr breaks.
 */
enum tlsf_status tlsf_core_usable(struct tlsf_core *c, const void *ptr, size_t *usable)
{
	struct tlsf_used u;
	size_t end;

	if (!tlsf_used_good(c, &u, ptr) ||
	    !tlsf_above_good(c, &u, tlsf_block_at(c, u.b + u.n)->header, &end))
		return explain_pointer(c, ptr);
	*usable = (u.n - 1) * TLSF_GRANULE;
	return TLSF_OK;
}

/* ---- when an operation fails ---- */

/* undo the most recent unlink: put @b back where it was in its list */
noinline __cold void tlsf_core_relink(struct tlsf_core *c, size_t b)
{
	size_t prev = tlsf_block_at(c, b)->prev;

	tlsf_block_at(c, prev)->next = tlsf_link(b);
	tlsf_block_at(c, tlsf_link_index(tlsf_block_at(c, b)->next))->prev = b;
	if (prev < c->start)
		tlsf_list_filled(c, prev);
}

/* see tlsf_ops.h; the block above was unlinked when it has not TLSF_USED */
noinline __cold void tlsf_core_free_undo_above(struct tlsf_core *c, const void *ptr)
{
	const struct tlsf_block *b = tlsf_block_of(ptr);
	struct tlsf_block *above = tlsf_block_above(b, tlsf_block_size(b));

	c->free -= tlsf_block_size(b) / TLSF_GRANULE;
	c->frees--;
	if (tlsf_block_is_free(above)) {
		tlsf_core_relink(c, tlsf_block_index(c, above));
		c->free_minus_frees++;
	} else {
		above->header &= ~TLSF_PREV_FREE;
	}
}

/* see tlsf_ops.h; the block below was unlinked when @ptr has not TLSF_USED any more */
noinline __cold void tlsf_core_free_undo_below(struct tlsf_core *c, const void *ptr)
{
	struct tlsf_block *b = tlsf_block_of(ptr);

	if (tlsf_block_is_free(b)) {
		tlsf_core_relink(c, *tlsf_block_footer_below(b));
		b->header ^= TLSF_USED;
		c->free_minus_frees++;
	}
}

/**
 * tlsf_core_alloc_failed() - count a failed allocation
 * @c: control structure
 * @size: what the operation was called with
 * @why: the reason that it gave
 *
 * Context: any; the caller serialises, and has not let go of @c in between.
 * Return: the reason, for tlsf_core_status() too: more than all free memory, or too much
 *	for any block of it.
 */
noinline __cold enum tlsf_status tlsf_core_alloc_failed(struct tlsf_core *c, size_t size,
							enum tlsf_status why)
{
	if (why == TLSF_E_FRAGMENTED && tlsf_granules_for(size) > c->free)
		why = TLSF_E_EXHAUSTED;
	c->status = why;
	c->fail_exhausted += why == TLSF_E_EXHAUSTED;
	c->fail_fragmented += why == TLSF_E_FRAGMENTED;
	return why;
}

/**
 * tlsf_core_reject() - count a rejected pointer and find out why
 * @c: control structure
 * @ptr: what it was called with
 *
 * Context: any; the caller serialises, and has not let go of @c in between.
 * Return: the rule that @ptr breaks; it is counted.
 */
noinline __cold enum tlsf_status tlsf_core_reject(struct tlsf_core *c, const void *ptr)
{
	c->bad_pointers++;
	return explain_pointer(c, ptr);
}

/* ---- setting up; may loop over lists ---- */

/**
 * tlsf_core_size() - bytes of the control structure in a piece of memory
 * @bytes: all of the memory
 *
 * Return: bytes, a multiple of the granule: 3.6 KiB of 1 MiB, 7.3 KiB of any size; 0 when
 * the memory is too small for one block beside it, or larger than TLSF_REGION_MAX.
 */
size_t tlsf_core_size(size_t bytes)
{
	size_t words = bytes / TLSF_GRANULE, size;

	if (bytes < sizeof(struct tlsf_core) || bytes > TLSF_REGION_MAX)
		return 0;
	/* The head of list i is granule TLSF_FIRST_LIST + 1 + i; i goes up to the largest class. */
	size = (TLSF_FIRST_LIST + 1 + tlsf_map_index(words - 1) + 1) * TLSF_GRANULE;
	return size + TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER > words * TLSF_GRANULE ? 0 : size;
}

/* no larger request can ever succeed: the whole region as one block */
size_t tlsf_core_most(const struct tlsf_core *c)
{
	return (tlsf_core_capacity(c) - 1) * TLSF_GRANULE;
}

/**
 * tlsf_core_init() - make a control structure and behind it a region with one free block
 * @mem: memory for both, aligned to the granule; 64-byte alignment saves a cache line
 * @bytes: how much of it
 *
 * Return: the control structure at @mem, or NULL, and @mem untouched, when @mem is
 * NULL or misaligned, or tlsf_core_size() says that @bytes do not serve.
 */
struct tlsf_core *tlsf_core_init(void *mem, size_t bytes)
{
	size_t size = tlsf_core_size(bytes), n, i;
	struct tlsf_core *c = mem;

	if (!mem || ((uintptr_t)mem & TLSF_FLAGS) || !size ||
	    bytes > ~(uintptr_t)0 - (uintptr_t)mem)
		return NULL;
	*c = (struct tlsf_core){
		.last = bytes / TLSF_GRANULE - 1 - TLSF_GRANULES_MIN,
		.start = size / TLSF_GRANULE,
		.bytes = bytes,
		.free_minus_frees = 1,
		.nil.next = tlsf_link(TLSF_NIL),
	};
	for (i = TLSF_FIRST_LIST; i + 1 < c->start; i++)
		tlsf_block_at(c, i)->next = tlsf_link(TLSF_NIL);
	n = tlsf_core_capacity(c);
	c->max_request = tlsf_core_most(c);
	c->free = n;
	c->low_water = n;
	tlsf_block_at(c, tlsf_core_end_index(c))->header =
		TLSF_BLOCK_MIN | TLSF_PREV_FREE | TLSF_USED;
	tlsf_block_push(c, c->start, n);
	return c;
}

/* ---- looking ---- */

/**
 * tlsf_core_walk() - the next block in address order
 * @c: control structure
 * @offset: bytes from the start of the region; 0 for the first block; moved on to the
 *	block after
 * @info: filled in
 *
 * The blocks must not change between calls, unless the caller makes sure that @offset
 * still is the start of a block. A damaged header ends the walk.
 *
 * Return: false when there is no further block.
 */
bool tlsf_core_walk(const struct tlsf_core *c, size_t *offset, struct tlsf_block_info *info)
{
	size_t last = (c->last - c->start) * TLSF_GRANULE;
	const struct tlsf_block *b;

	if (*offset > last)
		return false;
	b = tlsf_block_above(tlsf_block_at(c, c->start), *offset);
	if (tlsf_block_size(b) - TLSF_BLOCK_MIN > last - *offset)
		return false;
	*info = (struct tlsf_block_info){ .ptr = tlsf_block_payload(b),
					  .size = tlsf_block_size(b) - TLSF_BLOCK_HEADER,
					  .free = tlsf_block_is_free(b) };
	*offset += tlsf_block_size(b);
	return true;
}

/*
 * What tlsf_core_alloc() can serve at most now: the head of the highest list. 0 when what
 * leads there is damaged.
 */
static size_t largest_request(const struct tlsf_core *c)
{
	unsigned long summary = c->summary & TLSF_SUMMARY_BITS, word;
	size_t list, head;

	word = summary ? c->bitmap[tlsf_fls(summary)] : 0;
	if (!word)
		return 0;
	list = tlsf_fls(summary) * TLSF_WORD_BITS + tlsf_fls(word);
	if (list + 1 >= c->start)
		return 0;
	head = tlsf_link_index(tlsf_block_at(c, list)->next);
	if (head == TLSF_NIL || head > c->last)
		return 0;
	return tlsf_block_at(c, head)->header / TLSF_GRANULE * TLSF_GRANULE - TLSF_BLOCK_HEADER;
}

/**
 * tlsf_core_stats() - counters and the figures that follow from them
 * @c: control structure
 * @stats: filled in
 *
 * Takes the same time whatever the region holds.
 */
void tlsf_core_stats(const struct tlsf_core *c, struct tlsf_core_stats *stats)
{
	size_t lowest = c->free < c->low_water ? c->free : c->low_water;

	*stats = (struct tlsf_core_stats){
		.region_bytes = c->bytes - c->start * TLSF_GRANULE,
		.used_bytes = tlsf_core_used_bytes(c),
		.free_bytes = (c->free - tlsf_core_free_blocks(c)) * TLSF_GRANULE,
		.largest_free = largest_request(c),
		.high_water = (tlsf_core_capacity(c) - lowest) * TLSF_GRANULE,
		.used_blocks = c->allocs - c->frees,
		.free_blocks = tlsf_core_free_blocks(c),
		.allocs = c->allocs - c->since.allocs,
		.frees = c->frees - c->since.frees,
		.resizes = c->resizes - c->since.resizes,
		.fail_exhausted = c->fail_exhausted - c->since.fail_exhausted,
		.fail_fragmented = c->fail_fragmented - c->since.fail_fragmented,
		.bad_pointers = c->bad_pointers - c->since.bad_pointers,
	};
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
	c->low_water = c->free;
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
		[TLSF_E_HEADER] = "no valid header: freed before, inside a block, or overwritten",
		[TLSF_E_FREE] = "block is already free",
		[TLSF_E_NEIGHBOUR] = "neighbouring block disagrees: freed twice, or overwritten",
		[TLSF_E_LINKS] = "free list links are damaged: written after free",
	};

	return (unsigned int)status < TLSF_STATUS_NR ? text[status] : "unknown status";
}
