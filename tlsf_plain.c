// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plain path: exported allocate and free while nobody listens.
 *
 * Room: pool. The core's operations, from tlsf_fast.h, and the lock are inlined into each
 * function, and count no steps. All that leaves the path does so by a tail call into
 * tlsf_pool.c, so that no register has to be kept for coming back; what a refusal wants
 * to know is left in the pool. Any context; "make wcet" counts each path.
 */
#include <linux/module.h>

#include "tlsf_fast.h"
#include "tlsf_plain.h"

/* ---- allocate ---- */

static __always_inline void *alloc_listened(struct tlsf_pool *pool, size_t align, size_t size,
					    gfp_t gfp)
{
	return __builtin_constant_p(align) && align == TLSF_MINALIGN ?
		tlsf_pool_alloc_listened(size, gfp, pool) :
		tlsf_pool_memalign_listened(align, size, gfp, pool);
}

static __always_inline void *alloc_plain(struct tlsf_pool *pool, size_t align, size_t size,
					 gfp_t gfp)
{
	unsigned long flags;
	void *ptr;

	align = tlsf_pool_align(align);
	if (unlikely(gfp & __GFP_ZERO))
		return tlsf_pool_alloc_apart(pool, align, size, gfp, _RET_IP_);
	local_irq_save(flags);
	if (unlikely(tlsf_defer_pending(&pool->defer) || !tlsf_lock_try(&pool->lock)))
		return tlsf_pool_alloc_slow(pool, align, size, gfp, flags, _RET_IP_);
	pool->request_size = size;
	pool->request_gfp = gfp;
	ptr = tlsf_fast_alloc_align(&pool->core, align, size);
	if (unlikely(!ptr))
		return tlsf_pool_alloc_refused(pool, align, flags, _RET_IP_);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	return ptr;
}

static __always_inline void *pool_alloc(struct tlsf_pool *pool, size_t align, size_t size,
					gfp_t gfp)
{
	if (static_branch_unlikely(&tlsf_timing))
		return alloc_listened(pool, align, size, gfp);
	return alloc_plain(pool, align, size, gfp);
}

/* ---- free ---- */

static __always_inline void free_plain(struct tlsf_pool *pool, void *ptr)
{
	unsigned long flags;

	local_irq_save(flags);
	if (unlikely(tlsf_defer_pending(&pool->defer) || !tlsf_lock_try(&pool->lock)))
		return tlsf_pool_free_slow(pool, ptr, flags, _RET_IP_);
	if (unlikely(tlsf_fast_free(&pool->core, ptr) != TLSF_OK))
		return tlsf_pool_free_refused(pool, ptr, flags, _RET_IP_);
	tlsf_unlock_irqrestore(&pool->lock, flags);
}

static __always_inline void pool_free(struct tlsf_pool *pool, const void *ptr)
{
	if (unlikely(ZERO_OR_NULL_PTR(ptr)))
		return;
	if (static_branch_unlikely(&tlsf_timing))
		return tlsf_pool_free_listened(pool, (void *)ptr);
	free_plain(pool, (void *)ptr);
}

/* ---- exported: pools of one's own ---- */

/**
 * tlsf_pool_alloc() - allocate from a pool
 * @pool: pool
 * @size: bytes
 * @flags: __GFP_ZERO zeroes the usable bytes, outside the lock; __GFP_NOWARN keeps
 *	failure out of the log; others change nothing
 *
 * Context: any; never sleeps. Bound: at most TLSF_STEPS_MAX steps under the
 *	lock, whatever the size and the state of the pool, and as many for a deferred free.
 * Return: memory aligned to TLSF_MINALIGN; ZERO_SIZE_PTR for no bytes; NULL when the
 *	pool cannot serve it now.
 */
void *tlsf_pool_alloc(struct tlsf_pool *pool, size_t size, gfp_t flags)
{
	return pool_alloc(pool, TLSF_MINALIGN, size, flags);
}
EXPORT_SYMBOL_GPL(tlsf_pool_alloc);

/**
 * tlsf_pool_memalign() - allocate from a pool at a multiple of an alignment
 * @pool: pool
 * @align: power of two
 * @size: bytes
 * @flags: as for tlsf_pool_alloc()
 *
 * Context: any; never sleeps. Bound: at most TLSF_STEPS_MAX steps under the
 *	lock, whatever the size and the state of the pool, and as many for a deferred free.
 * Return: memory aligned to @align; ZERO_SIZE_PTR for no bytes; NULL when the pool
 *	cannot serve it now, or @align is not a power of two.
 */
void *tlsf_pool_memalign(struct tlsf_pool *pool, size_t align, size_t size, gfp_t flags)
{
	return pool_alloc(pool, align, size, flags);
}
EXPORT_SYMBOL_GPL(tlsf_pool_memalign);

/**
 * tlsf_pool_free() - free a block of a pool
 * @pool: pool
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * A pointer that is no block of the pool, or freed already, is refused, counted and
 * reported, and changes nothing.
 *
 * Context: any; never sleeps. Bound: at most TLSF_STEPS_MAX steps under the
 *	lock, whatever the size and the state of the pool, and as many for a deferred free.
 */
void tlsf_pool_free(struct tlsf_pool *pool, const void *ptr)
{
	pool_free(pool, ptr);
}
EXPORT_SYMBOL_GPL(tlsf_pool_free);

/* ---- exported: the default pool under slab's names ---- */

/**
 * tlsf_kmalloc() - allocate from the default pool
 * @size: bytes
 * @flags: as for tlsf_pool_alloc()
 *
 * Context: any; never sleeps. Bound: at most TLSF_STEPS_MAX steps under the
 *	lock, whatever the size and the state of the pool, and as many for a deferred free.
 * Return: memory aligned to TLSF_MINALIGN; ZERO_SIZE_PTR for no bytes; NULL when the
 *	pool cannot serve it now.
 */
void *tlsf_kmalloc(size_t size, gfp_t flags)
{
	return pool_alloc(tlsf_default_pool, TLSF_MINALIGN, size, flags);
}
EXPORT_SYMBOL_GPL(tlsf_kmalloc);

/**
 * tlsf_kzalloc() - tlsf_kmalloc() of zeroed memory
 * @size: bytes
 * @flags: as for tlsf_pool_alloc()
 *
 * Context: any; never sleeps. Bound: as tlsf_kmalloc(); zeroing is outside the
 *	lock and in proportion to the size.
 * Return: as tlsf_kmalloc().
 */
void *tlsf_kzalloc(size_t size, gfp_t flags)
{
	return pool_alloc(tlsf_default_pool, TLSF_MINALIGN, size, flags | __GFP_ZERO);
}
EXPORT_SYMBOL_GPL(tlsf_kzalloc);

/* n * size, or a size that no pool can serve */
static size_t array_bytes(size_t n, size_t size)
{
	return size_mul(n, size);
}

/**
 * tlsf_kmalloc_array() - allocate an array from the default pool
 * @n: elements
 * @size: bytes of one
 * @flags: as for tlsf_pool_alloc()
 *
 * Context: any; never sleeps. Bound: as tlsf_kmalloc().
 * Return: as tlsf_kmalloc(); NULL too when @n * @size overflows.
 */
void *tlsf_kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return pool_alloc(tlsf_default_pool, TLSF_MINALIGN, array_bytes(n, size), flags);
}
EXPORT_SYMBOL_GPL(tlsf_kmalloc_array);

/**
 * tlsf_kcalloc() - tlsf_kmalloc_array() of zeroed memory
 * @n: elements
 * @size: bytes of one
 * @flags: as for tlsf_pool_alloc()
 *
 * Context: any; never sleeps. Bound: as tlsf_kzalloc().
 * Return: as tlsf_kmalloc_array().
 */
void *tlsf_kcalloc(size_t n, size_t size, gfp_t flags)
{
	return pool_alloc(tlsf_default_pool, TLSF_MINALIGN, array_bytes(n, size),
			  flags | __GFP_ZERO);
}
EXPORT_SYMBOL_GPL(tlsf_kcalloc);

/**
 * tlsf_kmemalign() - tlsf_pool_memalign() from the default pool
 * @align: power of two
 * @size: bytes
 * @flags: as for tlsf_pool_alloc()
 *
 * Context: any; never sleeps. Bound: as tlsf_pool_memalign().
 * Return: as tlsf_pool_memalign().
 */
void *tlsf_kmemalign(size_t align, size_t size, gfp_t flags)
{
	return pool_alloc(tlsf_default_pool, align, size, flags);
}
EXPORT_SYMBOL_GPL(tlsf_kmemalign);

/**
 * tlsf_kfree() - free a block of the default pool
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * Context: any; never sleeps. Bound: as tlsf_pool_free().
 */
void tlsf_kfree(const void *ptr)
{
	pool_free(tlsf_default_pool, ptr);
}
EXPORT_SYMBOL_GPL(tlsf_kfree);
