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
#define HEAP_BLOCKS_MAX	16

struct heap {
	struct tlsf_core *c;
	void *memory;		/* what heap_close() frees */
};

/*
 * A control structure for regions of up to @region_bytes, no region yet, and @bytes of
 * memory, aligned to HEAP_ALIGN, just behind the control structure: the result. A read
 * or write beyond either end is seen by the address sanitizer.
 */
unsigned char *heap_open_empty(struct heap *h, size_t region_bytes, size_t bytes);
/* all @bytes as one region */
void heap_open(struct heap *h, size_t bytes);
/* exactly the heap of @layout; @p gets its blocks, allocated or free, in order */
void heap_build(struct heap *h, const char *layout, void **p);
/* the blocks alone, in a heap with room for just them */
void heap_fill(struct heap *h, const char *layout, void **p);
size_t layout_region_bytes(const char *layout);
void heap_close(struct heap *h);
void *memory_aligned(size_t bytes);
void memory_free(void *mem);
/* where the memory of the last region ends */
unsigned char *heap_end(const struct heap *h);
/* is the byte at @offset of the control structure one that says where the regions are? */
bool heap_is_limit(const struct heap *h, size_t offset);

/* checked operations: results and arguments of their namesakes in tlsf_core.h */
#define heap_alloc(h, ...)	(KTAP_HERE, heap_alloc_(h, __VA_ARGS__))
#define heap_memalign(h, ...)	(KTAP_HERE, heap_memalign_(h, __VA_ARGS__))
#define heap_free(h, ...)	(KTAP_HERE, heap_free_(h, __VA_ARGS__))
#define heap_resize(h, ...)	(KTAP_HERE, heap_resize_(h, __VA_ARGS__))
#define heap_grow_back(h, ...)	(KTAP_HERE, heap_grow_back_(h, __VA_ARGS__))
#define heap_verify(h)		(KTAP_HERE, heap_verify_(h))
#define heap_expect(h, layout)	(KTAP_HERE, heap_expect_(h, layout))

void *heap_alloc_(struct heap *h, size_t size);
void *heap_memalign_(struct heap *h, size_t align, size_t size);
enum tlsf_status heap_free_(struct heap *h, void *ptr);
enum tlsf_status heap_resize_(struct heap *h, void *ptr, size_t size);
enum tlsf_status heap_grow_back_(struct heap *h, void **ptr, size_t align, size_t size);
void heap_verify_(struct heap *h);
void heap_expect_(struct heap *h, const char *layout);

size_t heap_usable(struct heap *h, const void *ptr);
struct tlsf_core_stats heap_stats(const struct heap *h);

/* exactly so many steps in the last operation; none where they are not counted */
#ifdef TLSF_COUNT_STEPS
#define EXPECT_STEPS(h, want)	EXPECT_EQ(tlsf_core_steps((h)->c), want)
#else
#define EXPECT_STEPS(h, want)	EXPECT_EQ(tlsf_core_steps((h)->c), 0 * (want))
#endif

/* size of the block that serves a request, by the layout rules alone */
size_t block_bytes(size_t size);

/*
 * The control structure and every byte of every region. What a refused call may change
 * is left out of the comparison: bad_pointers, fail_*, status, steps, and nil.prev,
 * which is scratch.
 */
struct snapshot {
	struct tlsf_core *control;
	unsigned char *bytes[TLSF_REGIONS_MAX];
};

void snapshot_take(struct snapshot *s, const struct heap *h);
void snapshot_drop(struct snapshot *s, const struct heap *h);
#define snapshot_expect_same(s, h)	(KTAP_HERE, snapshot_expect_same_(s, h))
void snapshot_expect_same_(struct snapshot *s, const struct heap *h);	/* releases @s */

#endif /* _HEAP_H */
