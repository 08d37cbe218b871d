/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tlsf: memory pools with a bounded worst case, for every context.
 *
 * Room: include. This is what other modules include, and all they need.
 *
 * A pool is vmalloc'ed once and managed by a two-level segregated fit allocator
 * (Masmano et al., ECRTS 2004) under a raw spinlock. Allocate, free and resize in
 * place run a bounded number of steps that depends neither on the size asked for
 * nor on the state of the pool. None of them sleeps, reclaims or prints in the
 * caller's context, so on PREEMPT_RT they are legal in hard interrupts and under
 * raw spinlocks, where kmalloc() is not. In NMI, and in a probe that fires inside the
 * allocator, a lock that is taken cannot be waited for: there an allocation or a resize
 * then returns NULL, and a free is done by a later operation. A free never fails.
 *
 * tlsf_pool_*() work on pools of one's own. tlsf_k*() work on the default pool,
 * with the names, arguments and results of their slab namesakes, except that
 *
 *  - memory is virtually, not physically contiguous: no DMA, no virt_to_page();
 *  - alignment is TLSF_MINALIGN whatever the size; ask tlsf_kmemalign() for more;
 *  - of the gfp flags __GFP_ZERO is honoured, __GFP_NOWARN silences the report of
 *    an exhausted pool, and all others are accepted and change nothing.
 *
 * The compiler is told the size that was asked for, and FORTIFY_SOURCE stops the kernel
 * when more is used. tlsf_ksize() tells more: as with slab, reallocate to it first, which
 * moves nothing and takes nothing from the pool:
 *
 *	size_t n = tlsf_ksize(p);
 *
 *	p = tlsf_krealloc(p, n, flags);
 *	memset(p, 0, n);
 */
#ifndef _LINUX_TLSF_H
#define _LINUX_TLSF_H

#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/slab.h>		/* ZERO_SIZE_PTR */
#include <linux/types.h>

#define TLSF_MINALIGN	sizeof(void *)

struct tlsf_pool;

/**
 * struct tlsf_pool_stats - one consistent look at a pool
 * @pool_bytes: memory given to the pool; used + free + overhead, always
 * @used_bytes: usable bytes of allocated blocks
 * @free_bytes: usable bytes of free blocks
 * @overhead_bytes: headers, end marks and the control structure
 * @largest_free: largest request that would succeed now
 * @max_request: largest request the empty pool can serve
 * @high_water: most bytes that allocated blocks took, headers included, since creation
 *	or reset
 * @used_blocks: allocated blocks
 * @free_blocks: free blocks
 * @allocs: allocations served
 * @frees: blocks freed
 * @resizes: changes of a block's bounds; one that grows downwards counts twice, and
 *	one that moves away as an allocation and a free instead
 * @fail_exhausted: requests larger than all free memory; what is larger than the
 *	pool is refused before and not counted
 * @fail_fragmented: requests refused although that much memory was free
 * @bad_frees: pointers rejected by free or resize
 * @fail_busy: requests refused because they could not wait for the lock: in NMI, or in a
 *	probe that fired inside the allocator
 * @deferred_frees: frees that could not wait for it; their blocks count as used until a
 *	later operation frees them
 * @damaged: 1 when the heap was found damaged, else 0: the pool serves nothing any more
 * @fail_damaged: requests refused because of that
 */
struct tlsf_pool_stats {
	u64 pool_bytes;
	u64 used_bytes;
	u64 free_bytes;
	u64 overhead_bytes;
	u64 largest_free;
	u64 max_request;
	u64 high_water;
	u64 used_blocks;
	u64 free_blocks;
	u64 allocs;
	u64 frees;
	u64 resizes;
	u64 fail_exhausted;
	u64 fail_fragmented;
	u64 bad_frees;
	u64 fail_busy;
	u64 deferred_frees;
	u64 damaged;
	u64 fail_damaged;
};

struct tlsf_pool *tlsf_pool_create(const char *name, size_t bytes);
void tlsf_pool_destroy(struct tlsf_pool *pool);
void tlsf_pool_stats(struct tlsf_pool *pool, struct tlsf_pool_stats *stats);
bool tlsf_pool_damaged(const struct tlsf_pool *pool);

void tlsf_pool_free(struct tlsf_pool *pool, const void *ptr);
size_t tlsf_pool_ksize(struct tlsf_pool *pool, const void *ptr);
void *tlsf_pool_alloc(struct tlsf_pool *pool, size_t size, gfp_t flags)
	__malloc __alloc_size(2);
void *tlsf_pool_memalign(struct tlsf_pool *pool, size_t align, size_t size,
			 gfp_t flags) __malloc __alloc_size(3);
void *__must_check tlsf_pool_realloc(struct tlsf_pool *pool, const void *ptr,
				     size_t size, gfp_t flags) __realloc_size(3);
void *__must_check tlsf_pool_realloc_align(struct tlsf_pool *pool, const void *ptr,
					   size_t align, size_t size, gfp_t flags)
	__realloc_size(4);

void tlsf_kfree(const void *ptr);
void tlsf_kfree_sensitive(const void *ptr);
size_t tlsf_ksize(const void *ptr);
void *tlsf_kmalloc(size_t size, gfp_t flags) __malloc __alloc_size(1);
void *tlsf_kmemalign(size_t align, size_t size, gfp_t flags) __malloc __alloc_size(2);
void *__must_check tlsf_krealloc(const void *ptr, size_t size, gfp_t flags)
	__realloc_size(2);
void *tlsf_kzalloc(size_t size, gfp_t flags) __malloc __alloc_size(1);
void *tlsf_kmalloc_array(size_t n, size_t size, gfp_t flags)
	__malloc __alloc_size(1, 2);
void *tlsf_kcalloc(size_t n, size_t size, gfp_t flags) __malloc __alloc_size(1, 2);

/*
 * A pointer declared with __free(tlsf_kfree) is freed when it goes out of scope. As with
 * slab's, it may be an ERR_PTR() by then; given to tlsf_kfree() itself, that is rejected.
 */
DEFINE_FREE(tlsf_kfree, void *, if (!IS_ERR_OR_NULL(_T)) tlsf_kfree(_T))

#endif /* _LINUX_TLSF_H */
