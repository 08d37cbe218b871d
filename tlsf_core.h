/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two-level segregated fit allocator over memory that the caller supplies.
 *
 * Room: core (freestanding). Knows nobody: no lock, no allocation, no printing, no
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

#include "tlsf_map.h"

#define TLSF_GRANULE		sizeof(size_t)
#define TLSF_WORD_BITS		(8 * (unsigned int)sizeof(unsigned long))

/* Block sizes stay below this: 2^39 on 64-bit, 2^31 on 32-bit. */
#define TLSF_BLOCK_LIMIT_LOG2	(sizeof(size_t) == 8 ? 39 : 31)
#define TLSF_BLOCK_LIMIT	((size_t)1 << TLSF_BLOCK_LIMIT_LOG2)
#define TLSF_GRANULE_LOG2	(sizeof(size_t) == 8 ? 3 : 2)
#define TLSF_LISTS_MAX		((TLSF_BLOCK_LIMIT_LOG2 - TLSF_GRANULE_LOG2 - TLSF_SLI + 1) * \
				 TLSF_SL_COUNT)
/* One more list than classes: the class above the last, always empty. */
#define TLSF_BITMAP_WORDS	(TLSF_LISTS_MAX / TLSF_WORD_BITS + 1)

/*
 * Validation must find the region of a pointer before it may read a header, without
 * a loop: a binary search in a sorted table, unrolled, three steps for eight. A tag
 * in the header could name the region in fewer, but reading it would already touch
 * memory that is not known to be ours.
 */
#define TLSF_REGIONS_MAX	8

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
};

struct tlsf_core;

/**
 * struct tlsf_core_stats - what the core counted, and the figures it derives
 * @region_bytes: memory of all regions
 * @used_bytes: usable bytes of allocated blocks
 * @free_bytes: usable bytes of free blocks
 * @overhead_bytes: headers, end marks, what alignment cut off;
 *	used + free + overhead = region_bytes
 * @largest_free: largest request that tlsf_core_alloc() would serve now
 * @high_water: most used_bytes since init or the last reset of it
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
enum tlsf_status tlsf_core_resize(struct tlsf_core *c, void *ptr, size_t size);
enum tlsf_status tlsf_core_grow_back(struct tlsf_core *c, void **ptr, size_t align,
				     size_t size);
enum tlsf_status tlsf_core_usable(const struct tlsf_core *c, const void *ptr,
				  size_t *usable);

enum tlsf_status tlsf_core_why(const struct tlsf_core *c, size_t align, size_t size);
bool tlsf_core_walk(const struct tlsf_core *c, struct tlsf_cursor *at,
		    struct tlsf_block_info *info);
void tlsf_core_stats(const struct tlsf_core *c, struct tlsf_core_stats *stats);
void tlsf_core_stats_reset(struct tlsf_core *c);
unsigned int tlsf_core_steps(const struct tlsf_core *c);
const char *tlsf_core_strstatus(enum tlsf_status status);

/* tlsf_check.c: 0 when all invariants hold, else the number of the first broken one */
unsigned int tlsf_core_check(const struct tlsf_core *c, const void **where);

#endif /* _TLSF_CORE_H */
