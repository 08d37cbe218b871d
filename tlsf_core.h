/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two-level segregated fit allocator over memory that the caller supplies.
 *
 * Room: core. Layout, invariants, prototypes. Freestanding: no lock, no allocation, no
 * printing, no sleeping, no clock. The caller serialises. Operations (tlsf_ops.h) run
 * no loop and no recursion; set up, walk and checker may loop.
 *
 * Words used throughout (after Masmano et al., "TLSF: a new dynamic memory
 * allocator for real-time systems", ECRTS 2004):
 *
 *  block		header word and the payload behind it
 *  granule		sizeof(size_t): all sizes and addresses are multiples of it
 *  index		number of a granule, counted from the control structure
 *  class		sizes that share one free list; first and second level in one
 *			number (tlsf_map.h)
 *  good fit		first block of the smallest class in which every block fits
 *  physical neighbour	the block just before or after in memory
 *  immediate coalescing free merges with free neighbours at once
 */
#ifndef _TLSF_CORE_H
#define _TLSF_CORE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#include "tlsf_bits.h"
#include "tlsf_map.h"

#define TLSF_GRANULE		sizeof(size_t)
#define TLSF_WORD_BITS		(8 * (unsigned int)sizeof(unsigned long))
#define TLSF_GRANULE_LOG2	(sizeof(size_t) == 8 ? 3 : 2)

/* Block sizes stay below this: 2^36 on 64-bit, 2^31 on 32-bit. */
#define TLSF_BLOCK_LIMIT_LOG2	(sizeof(size_t) == 8 ? 36 : 31)
#define TLSF_BLOCK_LIMIT	((size_t)1 << TLSF_BLOCK_LIMIT_LOG2)
/* No memory is larger: on 64-bit 2^32 granules, as an index must fit in half a link. */
#define TLSF_REGION_MAX		(sizeof(size_t) == 8 ? TLSF_BLOCK_LIMIT / 2 : TLSF_BLOCK_LIMIT)
#define TLSF_LISTS_MAX		((TLSF_BLOCK_LIMIT_LOG2 - TLSF_GRANULE_LOG2 - TLSF_SLI + 1) * \
				 TLSF_SL_COUNT)
/* and bits for the indices below the first list */
#define TLSF_BITMAP_WORDS	(TLSF_LISTS_MAX / TLSF_WORD_BITS + 2)

/* No operation takes more steps: see tlsf_ops.h, "Steps". */
#define TLSF_STEPS_MAX		8

/**
 * enum tlsf_status - result of a core operation; what a caller can be told
 * @TLSF_OK: done
 * @TLSF_E_SIZE: size is zero or larger than any block can be
 * @TLSF_E_ALIGN: alignment is not a power of two, or larger than any block
 * @TLSF_E_EXHAUSTED: more asked for than all free memory
 * @TLSF_E_FRAGMENTED: that much memory is free, but no block is large enough
 * @TLSF_E_OUTSIDE: pointer is not in the region
 * @TLSF_E_MISALIGNED: pointer is not a multiple of the granule
 * @TLSF_E_HEADER: no plausible header: damaged, or not the start of a block
 * @TLSF_E_FREE: block is already free
 * @TLSF_E_NEIGHBOUR: a physical neighbour disagrees about where it ends
 * @TLSF_E_LINKS: the links of a free block, or what leads to them, are damaged
 * @TLSF_STATUS_NR: how many there are
 */
enum tlsf_status {
	TLSF_OK = 0,
	TLSF_E_SIZE,
	TLSF_E_ALIGN,
	TLSF_E_EXHAUSTED,
	TLSF_E_FRAGMENTED,
	TLSF_E_OUTSIDE,
	TLSF_E_MISALIGNED,
	TLSF_E_HEADER,
	TLSF_E_FREE,
	TLSF_E_NEIGHBOUR,
	TLSF_E_LINKS,
	TLSF_STATUS_NR,
};

/*
 * Block layout. A block is named by the index of its header; its size counts the
 * header. Only the header is ours while a block is allocated: one word.
 *
 *	allocated                          free
 *	+--------+----------------------+  +--------+------+------+-- - - --+--------+
 *	| header | payload              |  | header | next | prev |         | footer |
 *	+--------+----------------------+  +--------+------+------+-- - - --+--------+
 *	          ^ what the caller gets             list links             own index,
 *	                                                                    read by the
 *	                                                                    neighbour above
 *
 * Header: the size in bytes, a multiple of the granule, and
 *	lowest bit	TLSF_PREV_FREE	the block below is free: the word before this
 *					header is its footer
 *	highest bit	TLSF_USED	this block is allocated, else in a free list
 * Bits from TLSF_BLOCK_LIMIT up to the highest are zero, kept for a check word. A free
 * block has neither flag, since two free blocks are never neighbours: its header is its size.
 * A small number, such as an index or most of what callers store, is no header of an
 * allocated block.
 *
 * The memory is one piece: the control structure with its lists, then the region, which
 * is blocks without gaps and an end mark. The end mark is the header of an allocated block
 * of TLSF_BLOCK_MIN that has no payload: so it is plausible to whom it is the block above.
 *
 *	index  0     2        ...   TLSF_FIRST_LIST + i   ...   start         ...   last + 4
 *	       last  sentinel       its next: head of list i    first block         end mark
 *
 * Why indices and not addresses: whether a link may be followed is one comparison with
 * @last, for range and alignment at once. A list is named by the index, inside the control
 * structure, of a block whose next would be the head of the list. So what points at a block
 * is always the next of the block before it, real or not, and insertion has no special
 * case. Bit n of the bitmap belongs to the list of index n: the prev of a block says which
 * bit to clear when it was the only one.
 *
 * A next is a link, an index in both halves of the word: i ^ i << 32. The same formula gives
 * the index back. When the halves differ, because a bit flipped or a number was written over
 * the word, it gives a number beyond any block. So a damaged head of a list is seen before
 * the block that it leads to is written, and without a look at that block, which a cold cache
 * would have to wait for. What has equal halves is believed so far; the block that it leads
 * to must point back. On 32-bit the halves are of 16 bits and overlap when a pool is larger
 * than 256 KiB, so some flipped bits lead to another block: there a head must point back
 * before it is pushed on, too.
 *
 * Every list ends in the sentinel, the block of index TLSF_NIL. Before the code tests that the
 * next block points back to this one, it stores this block's index in the sentinel's prev: so
 * the end of a list passes the same test, without a branch. The sentinel is not index 0, so
 * that a link that was zeroed after a free is rejected: the "prev" of block 0 is the header
 * of the sentinel, which is always 0 and never a block. @last and @start, which are indices of
 * blocks, stand where no index has its "prev": they cannot pass for a link back.
 *
 * Invariants; tlsf_check.c proves them by these numbers:
 *
 *  1. Blocks tile the region exactly, from its first byte to its end mark.
 *  2. Sizes are multiples of the granule, at least TLSF_BLOCK_MIN, below
 *     TLSF_BLOCK_LIMIT; spare header bits are zero.
 *  3. No two free blocks are physical neighbours.
 *  4. TLSF_PREV_FREE says what the block below is.
 *  5. The footer of a free block holds its index.
 *  6. Every block in a list is free, in the region, of that list's class, and the block
 *     before it and its prev agree.
 *  7. The lists hold exactly the free blocks of the region.
 *  8. A bitmap bit is set if and only if its list is not empty, a summary bit if and
 *     only if its bitmap word is not zero.
 *  9. Counters agree with the blocks.
 * 10. The control structure agrees with itself: the limits follow from the size of the
 *     memory, and the sentinel is never anything else.
 */
#define TLSF_PREV_FREE		((size_t)1)
#define TLSF_USED		((size_t)1 << (8 * sizeof(size_t) - 1))
#define TLSF_FLAGS		(TLSF_GRANULE - 1)

struct tlsf_block {
	size_t header;
	size_t next;		/* a link; free blocks only, as all below */
	size_t prev;		/* an index */
	/* ... footer: the last word */
};

#define TLSF_BLOCK_HEADER	sizeof(size_t)
#define TLSF_BLOCK_MIN		(sizeof(struct tlsf_block) + sizeof(size_t))
#define TLSF_GRANULES_MIN	(TLSF_BLOCK_MIN / TLSF_GRANULE)

/**
 * struct tlsf_core - control structure; the caller's lock guards all of it
 * @last: highest index that a block can have, and so any link; constant after init, as
 *	@start and @bytes
 * @start: index of the first block; the lists end there
 * @nil: the sentinel; header 0 so that it never satisfies a request, its own next, prev
 *	scratch
 * @summary: bit w is set when bitmap word w is not zero
 * @max_request: no larger request can ever succeed; 0 when the heap was retired
 * @free: granules of free blocks, headers included
 * @free_minus_frees: number of free blocks minus @frees, may wrap. A free that merges with
 *	nothing adds one to both, so the common case does not write it.
 * @low_water: lowest @free as of the last free or resize; readers take the minimum of it
 *	and @free, so that an allocation need not update it
 * @allocs: blocks ever handed out
 * @frees: blocks ever taken back; @allocs - @frees are allocated now
 * @bitmap: bit n is set when the list of index n is not empty
 * @resizes: blocks resized
 * @fail_exhausted: failed requests by cause, as @fail_fragmented
 * @fail_fragmented: see @fail_exhausted
 * @bad_pointers: pointers that validation rejected
 * @bytes: what tlsf_core_init() was given
 * @since: counters at the last tlsf_core_stats_reset()
 * @status: why the last allocation failed
 * @list: links to the heads; the region begins where they end
 *
 * On 64-bit every operation needs the first line of 64 bytes and the second, which has the
 * bits of all lists for blocks below 14 KiB. What is rare is behind the bitmap.
 */
struct tlsf_core {
	size_t last;
	size_t start;
	struct tlsf_block nil;
	unsigned long summary;
	size_t max_request;
	size_t free;

	size_t free_minus_frees;
	size_t low_water;
	size_t allocs;
	size_t frees;
	unsigned long bitmap[TLSF_BITMAP_WORDS];

	size_t resizes;
	size_t fail_exhausted;
	size_t fail_fragmented;
	size_t bad_pointers;
	size_t bytes;
	struct {
		size_t allocs;
		size_t frees;
		size_t resizes;
		size_t fail_exhausted;
		size_t fail_fragmented;
		size_t bad_pointers;
	} since;
	enum tlsf_status status;

	size_t list[];
};

#define TLSF_NIL		(offsetof(struct tlsf_core, nil) / TLSF_GRANULE)

/* index of the first list: its head is the next of a block that would be there */
#define TLSF_FIRST_LIST		(offsetof(struct tlsf_core, list) / TLSF_GRANULE - 1)

/* what is stored to lead to @index */
static inline size_t tlsf_link(size_t index)
{
	return index ^ index << TLSF_WORD_BITS / 2;
}

/* where @link leads; more than any index when its halves differ */
static inline size_t tlsf_link_index(size_t link)
{
	return link ^ link << TLSF_WORD_BITS / 2;
}

/* the block at @index, or the list */
static inline struct tlsf_block *tlsf_block_at(const struct tlsf_core *c, size_t index)
{
	return (struct tlsf_block *)((char *)c + index * TLSF_GRANULE);
}

static inline size_t tlsf_block_index(const struct tlsf_core *c, const struct tlsf_block *b)
{
	return ((uintptr_t)b - (uintptr_t)c) / TLSF_GRANULE;
}

static inline struct tlsf_block *tlsf_block_of(const void *payload)
{
	return (struct tlsf_block *)((uintptr_t)payload - TLSF_BLOCK_HEADER);
}

static inline void *tlsf_block_payload(const struct tlsf_block *b)
{
	return (char *)b + TLSF_BLOCK_HEADER;
}

static inline size_t tlsf_block_size(const struct tlsf_block *b)
{
	return b->header & ~(TLSF_FLAGS | TLSF_USED);
}

static inline bool tlsf_block_is_free(const struct tlsf_block *b)
{
	return !(b->header & TLSF_USED);
}

/* the block @size bytes above @b */
static inline struct tlsf_block *tlsf_block_above(const struct tlsf_block *b, size_t size)
{
	return (struct tlsf_block *)((uintptr_t)b + size);
}

/* the footer of the block below @b, which must be free */
static inline size_t *tlsf_block_footer_below(const struct tlsf_block *b)
{
	return (size_t *)((uintptr_t)b - TLSF_GRANULE);
}

/* index of the end mark */
static inline size_t tlsf_core_end_index(const struct tlsf_core *c)
{
	return c->last + TLSF_GRANULES_MIN;
}

/* the region: header of the first block, header of the end mark */
static inline const void *tlsf_core_start(const struct tlsf_core *c)
{
	return tlsf_block_at(c, c->start);
}

static inline const void *tlsf_core_end(const struct tlsf_core *c)
{
	return tlsf_block_at(c, tlsf_core_end_index(c));
}

/* granules of all blocks, allocated and free, headers included */
static inline size_t tlsf_core_capacity(const struct tlsf_core *c)
{
	return tlsf_core_end_index(c) - c->start;
}

/* usable bytes of allocated blocks */
static inline size_t tlsf_core_used_bytes(const struct tlsf_core *c)
{
	return (tlsf_core_capacity(c) - c->free - (c->allocs - c->frees)) * TLSF_GRANULE;
}

static inline size_t tlsf_core_free_blocks(const struct tlsf_core *c)
{
	return c->frees + c->free_minus_frees;
}

/**
 * struct tlsf_core_stats - what the core counted, and the figures it derives
 * @region_bytes: memory of the region, end mark included
 * @used_bytes: usable bytes of allocated blocks
 * @free_bytes: usable bytes of free blocks
 * @overhead_bytes: headers, end mark, what is no whole granule;
 *	used + free + overhead = region_bytes
 * @largest_free: largest request that tlsf_core_alloc() would serve now
 * @high_water: most bytes that allocated blocks took, headers included, since init or
 *	the last reset of it
 * @used_blocks: allocated blocks
 * @free_blocks: free blocks
 * @allocs: blocks handed out
 * @frees: blocks taken back
 * @resizes: resizes and backward growths done
 * @fail_exhausted: requests for more than all free memory
 * @fail_fragmented: other requests that found no block
 * @bad_pointers: pointers that validation rejected
 */
struct tlsf_core_stats {
	size_t region_bytes;
	size_t used_bytes;
	size_t free_bytes;
	size_t overhead_bytes;
	size_t largest_free;
	size_t high_water;
	size_t used_blocks;
	size_t free_blocks;
	size_t allocs;
	size_t frees;
	size_t resizes;
	size_t fail_exhausted;
	size_t fail_fragmented;
	size_t bad_pointers;
};

/**
 * struct tlsf_block_info - one block as the walk reports it
 * @ptr: start of the usable bytes
 * @size: usable bytes
 * @free: true when the block is in a free list
 */
struct tlsf_block_info {
	void *ptr;
	size_t size;
	bool free;
};

size_t tlsf_core_size(size_t bytes);
struct tlsf_core *tlsf_core_init(void *mem, size_t bytes);

void *tlsf_core_alloc(struct tlsf_core *c, size_t size);
void *tlsf_core_memalign(struct tlsf_core *c, size_t align, size_t size);
enum tlsf_status tlsf_core_free(struct tlsf_core *c, void *ptr);
enum tlsf_status tlsf_core_resize(struct tlsf_core *c, void *ptr, size_t size);
enum tlsf_status tlsf_core_grow_backward(struct tlsf_core *c, void **ptr, size_t align,
					 size_t size);
enum tlsf_status tlsf_core_usable(struct tlsf_core *c, const void *ptr, size_t *usable);

/* what is left to do, under the same lock, for who calls tlsf_op_*() when one fails */
enum tlsf_status tlsf_core_alloc_failed(struct tlsf_core *c, size_t size, enum tlsf_status why);
enum tlsf_status tlsf_core_reject(struct tlsf_core *c, const void *ptr);

enum tlsf_status tlsf_core_status(const struct tlsf_core *c);
bool tlsf_core_walk(const struct tlsf_core *c, size_t *offset, struct tlsf_block_info *info);
void tlsf_core_stats(const struct tlsf_core *c, struct tlsf_core_stats *stats);
void tlsf_core_stats_reset(struct tlsf_core *c);
size_t tlsf_core_generation(const struct tlsf_core *c);
void tlsf_core_retire(struct tlsf_core *c);
const char *tlsf_core_strstatus(enum tlsf_status status);

size_t tlsf_core_most(const struct tlsf_core *c);	/* what max_request is to be */

/* tlsf_check.c: 0 when all invariants hold, else the number of the first broken one */
unsigned int tlsf_core_check(const struct tlsf_core *c, const void **where);

#endif /* _TLSF_CORE_H */
