/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two-level segregated fit allocator over memory that the caller supplies.
 *
 * Room: core. Freestanding. Knows nobody: no lock, no allocation, no printing, no
 * sleeping, no clock. The caller serialises. The same source is built into the
 * module, under KUnit, and in user space.
 *
 * Cost: alloc, memalign, free, resize and grow_back run no loop and no recursion;
 * their steps (bitmap scans, list insertions and removals, splits, merges) never
 * exceed TLSF_STEPS_MAX. init, add_region, remove_region, reset and the walk are
 * for setting up and looking.
 *
 * Words used throughout (after Masmano et al., "TLSF: a new dynamic memory
 * allocator for real-time systems", ECRTS 2004):
 *
 *  block		header word and the payload behind it
 *  granule		sizeof(size_t): all sizes and addresses are multiples of it
 *  place		number of a granule, counted from the control structure
 *  class, index	one free list; first and second level in one number (tlsf_map.h)
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

/* Block sizes stay below this: 2^39 on 64-bit, 2^31 on 32-bit. */
#define TLSF_BLOCK_LIMIT_LOG2	(sizeof(size_t) == 8 ? 39 : 31)
#define TLSF_BLOCK_LIMIT	((size_t)1 << TLSF_BLOCK_LIMIT_LOG2)
/* No region is larger: 256 GiB on 64-bit, or all that blocks can be. */
#define TLSF_REGION_MAX		(sizeof(size_t) == 8 ? TLSF_BLOCK_LIMIT / 2 : TLSF_BLOCK_LIMIT)
#define TLSF_GRANULE_LOG2	(sizeof(size_t) == 8 ? 3 : 2)
#define TLSF_LISTS_MAX		((TLSF_BLOCK_LIMIT_LOG2 - TLSF_GRANULE_LOG2 - TLSF_SLI + 1) * \
				 TLSF_SL_COUNT)
/* and bits for what stands before the lists */
#define TLSF_BITMAP_WORDS	(TLSF_LISTS_MAX / TLSF_WORD_BITS + (sizeof(size_t) == 8 ? 2 : 4))

/*
 * Validation must find the region of a pointer before it may read a header, without
 * a loop: a binary search in a sorted table, unrolled, three steps for eight. A tag
 * in the header could name the region in fewer, but reading it would already touch
 * memory that is not known to be ours.
 */
#define TLSF_REGIONS_MAX	8

/* places there are at most: more would wrap round to address 0 */
#define TLSF_PLACES		((size_t)1 << (TLSF_WORD_BITS - TLSF_GRANULE_LOG2))

/* where an unused entry of that table starts: above every address */
#define TLSF_NO_ADDRESS		(~(uintptr_t)0)

/*
 * Most steps any one operation takes. The longest is memalign that finds its block
 * with two scans, unlinks it, splits off a gap before and a rest behind, and inserts
 * both: see tlsf_core.c, "Steps".
 */
#define TLSF_STEPS_MAX		8

/**
 * enum tlsf_status - result of a core operation; what a caller can be told
 * @TLSF_OK: done
 * @TLSF_E_SIZE: size is zero or larger than any block can be
 * @TLSF_E_ALIGN: alignment is not a power of two, or larger than any block
 * @TLSF_E_EXHAUSTED: more asked for than all free memory
 * @TLSF_E_FRAGMENTED: that much memory is free, but no block is large enough
 * @TLSF_E_OUTSIDE: pointer is in no region
 * @TLSF_E_MISALIGNED: pointer is not a multiple of the granule
 * @TLSF_E_HEADER: no plausible header: damaged, or not the start of a block
 * @TLSF_E_FREE: block is already free
 * @TLSF_E_NEIGHBOUR: a physical neighbour disagrees about where it ends
 * @TLSF_E_LINKS: the links of a free block are damaged
 * @TLSF_E_BUSY: region has allocated blocks
 * @TLSF_E_REGION: region too small, too large, overlapping, or one too many
 * @TLSF_STATUS_NR: how many there are
 * @TLSF_E_HELD_BACK: only between an inlined free and tlsf_core_free_refused()
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
	TLSF_E_BUSY,
	TLSF_E_REGION,
	TLSF_STATUS_NR,
	TLSF_E_HELD_BACK = TLSF_STATUS_NR,
};

/*
 * Block layout. A block is named by the place of its header; its size counts the
 * header. Only the header is ours while a block is allocated: one word.
 *
 *	allocated                          free
 *	+--------+----------------------+  +--------+------+------+-- - - --+--------+
 *	| header | payload              |  | header | next | prev |         | footer |
 *	+--------+----------------------+  +--------+------+------+-- - - --+--------+
 *	          ^ what the caller gets             list links             own place,
 *	                                                                    read by the
 *	                                                                    neighbour above
 *
 * Header: the size in bytes, a multiple of the granule, and
 *	lowest bit	TLSF_PREV_FREE	the block below is free: the word before this
 *					header is its footer
 *	highest bit	TLSF_USED	this block is allocated, else in a free list
 * Bits from TLSF_BLOCK_LIMIT up to the highest are zero, kept for a check word. A free
 * block is never above another, so its header is its size. A small number, such as a link
 * or most of what callers store, is no header of an allocated block.
 *
 * A region is blocks without gaps and an end mark, the header of an allocated block of
 * TLSF_BLOCK_MIN that has no payload: so it is plausible to whom it is the block above.
 *
 * Why places and not addresses: whether a link may be followed is one comparison, for
 * range and alignment at once. The control structure lies below its regions and is place
 * 0; it contains the nil block, in which every list ends. A list is named by the
 * place, inside the control structure, of a block whose next would be the head of the
 * list. So what points at a block is always the next of the block before it, real or
 * not, and insertion has no special case. Bit n of the bitmap belongs to the list of
 * place n: the link of a block says which bit to clear when it was the only one.
 *
 * Invariants; tlsf_check.c proves them by these numbers:
 *
 *  1. Blocks tile each region exactly, from its first byte to its end mark.
 *  2. Sizes are multiples of the granule, at least TLSF_BLOCK_MIN, below
 *     TLSF_BLOCK_LIMIT; spare header bits are zero.
 *  3. No two free blocks are physical neighbours.
 *  4. TLSF_PREV_FREE says what the block below is.
 *  5. The footer of a free block holds its place.
 *  6. Every block in a list is free, in a region, of that list's class, and the block
 *     before it and its prev agree.
 *  7. The lists hold exactly the free blocks of the regions.
 *  8. A bitmap bit is set if and only if its list is not empty, a summary bit if and
 *     only if its bitmap word is not zero.
 *  9. Counters agree with the blocks.
 * 10. The control structure agrees with itself: regions are sorted, disjoint and above
 *     it, their ends are where their memory ends, the limits follow from them, and the
 *     nil block is never anything else.
 */
#define TLSF_PREV_FREE		((size_t)1)
#define TLSF_USED		((size_t)1 << (8 * sizeof(size_t) - 1))
#define TLSF_FLAGS		(TLSF_GRANULE - 1)

struct tlsf_block {
	size_t header;
	size_t next;		/* free blocks only, as all below */
	size_t prev;
	/* ... footer: the last word */
};

#define TLSF_BLOCK_HEADER	sizeof(size_t)
#define TLSF_BLOCK_MIN		(sizeof(struct tlsf_block) + sizeof(size_t))

/**
 * struct tlsf_region - memory between a first payload and an end mark
 * @first: address of the first block's payload, or TLSF_NO_ADDRESS
 * @granules: from there, at which a payload could start; 0 when the entry is unused
 * @start: place of the first block
 * @end: place of the end mark
 * @base: what the caller gave, for accounting and removal
 * @bytes: how much of it
 */
struct tlsf_region {
	uintptr_t first;
	size_t granules;
	size_t start;
	size_t end;
	void *base;
	size_t bytes;
};

/**
 * struct tlsf_core - control structure; the caller's lock guards all of it
 * @bitmap: bit n is set when the list of place n is not empty. No list has a place as
 *	low as the bits of the first word, which is the summary: its bit w is set when
 *	word w is not zero.
 * @nil: ends every list; header 0 so that it never satisfies a request. Its prev is
 *	written by every operation at the end of a list and never read.
 * @max_request: no larger request can ever succeed; 0 when the heap was retired
 * @top: place of the highest end mark; constant between region changes, as are
 *	@links_end, @blocks_end, @capacity and @region
 * @links_end: no link is as high
 * @blocks_end: the same number, in a word of its own for those who would otherwise
 *	keep it in a register
 * @control_end: places of this structure with all its lists; constant after init
 * @nr_lists: lists in use, and as many as the memory has room for, less the empty one
 *	above the last class; constant after init
 * @nr_regions: entries of @region in use
 * @status: why the last allocation failed
 * @steps: steps of the last operation, where they are counted
 * @free: granules of free blocks, headers included
 * @low_water: least @free ever, but for what was allocated after the last free; below
 *	zero when more was in use than the regions that are left could hold
 * @free_less_frees: free blocks less @frees, so that a free without a merge, which
 *	adds one to both, has nothing to count here
 * @allocs: blocks ever handed out
 * @frees: blocks ever taken back; @allocs - @frees are allocated now
 * @resizes: blocks resized
 * @fail_exhausted: failed requests by cause, as @fail_fragmented
 * @fail_fragmented: see @fail_exhausted
 * @bad_pointers: pointers that validation refused
 * @capacity: granules of all blocks, allocated and free, headers included
 * @since: counters at the last tlsf_core_stats_reset()
 * @refused: how far an inlined free came before it was refused
 * @region: sorted by address
 * @list: heads, @nr_lists of them
 */
struct tlsf_core {
	unsigned long bitmap[TLSF_BITMAP_WORDS];
	struct tlsf_block nil;
	size_t max_request;
	size_t top;
	size_t links_end;
	size_t blocks_end;
	size_t control_end;
	size_t free;
	ptrdiff_t low_water;
	size_t free_less_frees;
	size_t allocs;
	size_t frees;
	size_t resizes;
	size_t fail_exhausted;
	size_t fail_fragmented;
	size_t bad_pointers;
	size_t capacity;
	unsigned int nr_lists;
	unsigned int nr_regions;
	enum tlsf_status status;
	unsigned int steps;
	struct {
		size_t allocs;
		size_t frees;
		size_t resizes;
		size_t fail_exhausted;
		size_t fail_fragmented;
		size_t bad_pointers;
	} since;
	struct {
		size_t start;
		size_t next;
	} refused;
	struct tlsf_region region[TLSF_REGIONS_MAX];
	size_t list[];
};

#define TLSF_NIL		(offsetof(struct tlsf_core, nil) / TLSF_GRANULE)

/* the word of the bitmap whose bits would belong to lists before the first */
#define TLSF_SUMMARY		0

/* place of the first list: its head is the next of a block that would be there */
#define TLSF_FIRST_LIST		(offsetof(struct tlsf_core, list) / TLSF_GRANULE - 1)

/* the block at @place, or the list */
static inline struct tlsf_block *tlsf_block_at(const struct tlsf_core *c, size_t place)
{
	return (struct tlsf_block *)((uintptr_t)c + place * TLSF_GRANULE);
}

static inline size_t tlsf_block_place(const struct tlsf_core *c, const struct tlsf_block *b)
{
	return ((uintptr_t)b - (uintptr_t)c) / TLSF_GRANULE;
}

static inline struct tlsf_block *tlsf_block_of(const void *payload)
{
	return (struct tlsf_block *)((uintptr_t)payload - TLSF_BLOCK_HEADER);
}

static inline void *tlsf_block_payload(const struct tlsf_block *b)
{
	return (void *)((uintptr_t)b + TLSF_BLOCK_HEADER);
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

/* offset from the first payload of @r of the last one that could be */
static inline size_t tlsf_region_last(const struct tlsf_region *r)
{
	return (r->granules - 1) * TLSF_GRANULE;
}

/* usable bytes of allocated blocks */
static inline size_t tlsf_core_used_bytes(const struct tlsf_core *c)
{
	return (c->capacity - c->free - (c->allocs - c->frees)) * TLSF_GRANULE;
}

static inline size_t tlsf_core_free_blocks(const struct tlsf_core *c)
{
	return c->frees + c->free_less_frees;
}

/* the footer of the block below @b, which must be free */
static inline size_t *tlsf_block_footer_below(const struct tlsf_block *b)
{
	return (size_t *)((uintptr_t)b - TLSF_GRANULE);
}

/**
 * struct tlsf_core_stats - what the core counted, and the figures it derives
 * @region_bytes: memory of all regions
 * @used_bytes: usable bytes of allocated blocks
 * @free_bytes: usable bytes of free blocks
 * @overhead_bytes: headers, end marks, what alignment cut off;
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
 * @bad_pointers: pointers that validation refused
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

/**
 * struct tlsf_cursor - a position in the walk; zero it to start
 * @region: index in the sorted table of regions
 * @offset: bytes from the start of the region to the next block
 */
struct tlsf_cursor {
	unsigned int region;
	size_t offset;
};

size_t tlsf_core_size(size_t region_bytes);
struct tlsf_core *tlsf_core_init(void *mem, size_t bytes, size_t region_bytes);
enum tlsf_status tlsf_core_add_region(struct tlsf_core *c, void *mem, size_t bytes);
enum tlsf_status tlsf_core_remove_region(struct tlsf_core *c, void *mem);
void tlsf_core_reset(struct tlsf_core *c);

void *tlsf_core_alloc(struct tlsf_core *c, size_t size);
void *tlsf_core_memalign(struct tlsf_core *c, size_t align, size_t size);
enum tlsf_status tlsf_core_free(struct tlsf_core *c, void *ptr);
enum tlsf_status tlsf_core_free_refused(struct tlsf_core *c, void *ptr);
enum tlsf_status tlsf_core_resize(struct tlsf_core *c, void *ptr, size_t size);
enum tlsf_status tlsf_core_grow_back(struct tlsf_core *c, void **ptr, size_t align,
				     size_t size);
enum tlsf_status tlsf_core_usable(struct tlsf_core *c, const void *ptr,
				  size_t *usable);

enum tlsf_status tlsf_core_status(const struct tlsf_core *c);
bool tlsf_core_walk(const struct tlsf_core *c, struct tlsf_cursor *at,
		    struct tlsf_block_info *info);
void tlsf_core_stats(const struct tlsf_core *c, struct tlsf_core_stats *stats);
void tlsf_core_stats_reset(struct tlsf_core *c);
unsigned int tlsf_core_steps(const struct tlsf_core *c);
size_t tlsf_core_generation(const struct tlsf_core *c);
void tlsf_core_retire(struct tlsf_core *c);
const char *tlsf_core_strstatus(enum tlsf_status status);

size_t tlsf_core_most(const struct tlsf_core *c);	/* what max_request is to be */

/* tlsf_check.c: 0 when all invariants hold, else the number of the first broken one */
unsigned int tlsf_core_check(const struct tlsf_core *c, const void **where);

#endif /* _TLSF_CORE_H */
