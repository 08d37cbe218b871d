/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow model: what must hold of a heap, decided without the heap.
 *
 * It knows where the region is and the blocks that were handed out, as a plain array in
 * address order, and derives the free runs between them. Coalescing is
 * immediate, so each run is one free block. It knows the rules of the layout (a header
 * a block, an end mark, the smallest block) and the rounding of good fit, and computes
 * both naively. It never reads the heap's memory.
 *
 * Room: host; of the core it takes constants and types only.
 */
#ifndef _SHADOW_H
#define _SHADOW_H

#include "../../tlsf_core.h"
#include "ktap.h"

#define SHADOW_BLOCKS_MAX	512

struct shadow_block {
	uintptr_t start;	/* of the usable bytes */
	size_t size;		/* usable bytes */
	size_t tag;		/* of the contents */
};

struct shadow {
	struct shadow_block live[SHADOW_BLOCKS_MAX];
	unsigned int nr_live;
	uintptr_t first;	/* header of the first block */
	uintptr_t end;		/* end mark */
	size_t bytes;		/* from @first to the end of the memory */
	/* what the core's counters must say; the rest follows from the blocks */
	struct tlsf_core_stats count;
};

/* the free runs; bytes count headers */
struct shadow_runs {
	size_t number;
	size_t bytes;
	size_t largest;
};

/* what a resize or a backward growth must come to */
struct shadow_outcome {
	enum tlsf_status status;
	uintptr_t start;
	size_t size;
};

/* an empty heap in @bytes of @mem, the first @control of which are not its region */
void shadow_init(struct shadow *s, const void *mem, size_t bytes, size_t control);

/* a block was handed out: it lies in the region, free, and overlaps nothing */
struct shadow_block *shadow_insert(struct shadow *s, const void *ptr, size_t size);
void shadow_remove(struct shadow *s, unsigned int i);
void shadow_resized(struct shadow *s, unsigned int i, const struct shadow_outcome *now);
/* index of the block at @ptr, or -1 */
int shadow_find(const struct shadow *s, const void *ptr);

struct shadow_runs shadow_runs(const struct shadow *s);
size_t shadow_run_above(const struct shadow *s, unsigned int i);
struct shadow_outcome shadow_resize(const struct shadow *s, unsigned int i, size_t size);
struct shadow_outcome shadow_grow_backward(const struct shadow *s, unsigned int i, size_t align,
				       size_t size);

/* the smallest block that good fit finds for one of @bytes, whatever else is free */
size_t shadow_good_fit(size_t bytes);
/* largest block of the empty heap */
size_t shadow_largest_ever(const struct shadow *s);

/* a request for @size failed, for which @bytes of one free run would have been enough */
void shadow_expect_failure(struct shadow *s, enum tlsf_status status, size_t size, size_t bytes);
/*
 * A request for @size got @p: takes it in. What it has beyond the request is less than a
 * block, and only at the end of a run.
 */
struct shadow_block *shadow_expect_served(struct shadow *s, struct tlsf_core *c, void *p,
					  size_t size);
/* a resize to @size came to @status; E_SIZE may stand for any size that the region cannot hold */
void shadow_expect_status(const struct shadow *s, enum tlsf_status status,
			  const struct shadow_outcome *must, size_t size);

/* all figures, those counted and those that follow from the blocks */
void shadow_expect_stats(const struct shadow *s, const struct tlsf_core *c);
/* the walk meets exactly the blocks and the runs */
void shadow_expect_walk(const struct shadow *s, const struct tlsf_core *c);

#endif /* _SHADOW_H */
