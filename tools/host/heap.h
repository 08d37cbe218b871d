/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A heap to test on, and checked operations: around each of them all invariants, the
 * accounting and the bound of the steps are proven.
 *
 * Room: host; the core's own headers and ktap.h.
 */
#ifndef _HEAP_H
#define _HEAP_H

#include "../../tlsf_core.h"
#include "ktap.h"

#define G		TLSF_GRANULE
#define HEAP_ALIGN	((size_t)4096)	/* of every region, so that runs repeat */
#define CONTROL_ALIGN	TLSF_GRANULE		/* of the memory that a core is given */
#define HEAP_BLOCKS_MAX	16

struct heap {
	struct tlsf_core *c;
	void *memory;		/* what heap_close() frees */
	unsigned int steps;	/* of the last checked operation */
};

/*
 * A heap whose region has exactly @bytes, the first of which are aligned to HEAP_ALIGN. A
 * read or write beyond the memory, at either end, is seen by the address sanitizer.
 */
void heap_open(struct heap *h, size_t bytes);
/* the same, with all its memory full of @word before, and @spare bytes more above it */
void heap_open_below(struct heap *h, size_t bytes, size_t spare, size_t word);
/* exactly the heap of @layout; @p gets its blocks, allocated or free, in order */
void heap_build(struct heap *h, const char *layout, void **p);
void heap_close(struct heap *h);
/* memory for a core with a region of @region_bytes: how much it takes */
size_t heap_bytes_for(size_t region_bytes);
void *memory_aligned(size_t bytes);
void memory_free(void *mem);
/* the first byte of the region, and the first behind its end mark */
unsigned char *heap_start(const struct heap *h);
unsigned char *heap_end(const struct heap *h);
/* is the byte at @offset of the control structure one that says where the region is? */
bool heap_is_limit(const struct heap *h, size_t offset);

/*
 * Checked operations: results and arguments of their namesakes in tlsf_core.h. They are the
 * inlined ones, and keep their steps; a test that calls the core itself has the others.
 */
#define heap_alloc(h, ...)	(KTAP_HERE, heap_alloc_(h, __VA_ARGS__))
#define heap_memalign(h, ...)	(KTAP_HERE, heap_memalign_(h, __VA_ARGS__))
#define heap_free(h, ...)	(KTAP_HERE, heap_free_(h, __VA_ARGS__))
#define heap_resize(h, ...)	(KTAP_HERE, heap_resize_(h, __VA_ARGS__))
#define heap_grow_backward(h, ...)	(KTAP_HERE, heap_grow_backward_(h, __VA_ARGS__))
#define heap_verify(h)		(KTAP_HERE, heap_verify_(h))
#define heap_expect(h, layout)	(KTAP_HERE, heap_expect_(h, layout))

void *heap_alloc_(struct heap *h, size_t size);
void *heap_memalign_(struct heap *h, size_t align, size_t size);
enum tlsf_status heap_free_(struct heap *h, void *ptr);
enum tlsf_status heap_resize_(struct heap *h, void *ptr, size_t size);
enum tlsf_status heap_grow_backward_(struct heap *h, void **ptr, size_t align, size_t size);
void heap_verify_(struct heap *h);
void heap_expect_(struct heap *h, const char *layout);

size_t heap_usable(struct heap *h, const void *ptr);
struct tlsf_core_stats heap_stats(const struct heap *h);

/* exactly so many steps in the last checked operation */
#define EXPECT_STEPS(h, want)	EXPECT_EQ((h)->steps, want)

/* size of the block that serves a request, by the layout rules alone */
size_t block_bytes(size_t size);

/*
 * The control structure and every byte of the region. What a rejected call may change is
 * left out of the comparison: bad_pointers, fail_*, status, and nil.prev, which is scratch.
 */
struct snapshot {
	struct tlsf_core *copy;		/* and the region behind it */
};

void snapshot_take(struct snapshot *s, const struct heap *h);
void snapshot_drop(struct snapshot *s);
#define snapshot_expect_same(s, h)	(KTAP_HERE, snapshot_expect_same_(s, h))
void snapshot_expect_same_(struct snapshot *s, const struct heap *h);	/* releases @s */

#endif /* _HEAP_H */
