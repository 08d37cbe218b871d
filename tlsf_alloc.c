// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocate and free: the fast path, the slow path, and the exported functions.
 *
 * Room: pool. May be called in every context: task, softirq, hard interrupt, NMI, with
 * interrupts off and under raw spinlocks, on PREEMPT_RT too; what is for the device, in any
 * but NMI. None sleeps, reclaims or prints: reports are handed to an irq_work.
 *
 * alloc_fast() and free_fast() are templates, inlined into each exported function and, with
 * @recorded, once more into what these jump to while operations are timed. They either
 * succeed or leave all else to a tail call, so that no register is saved for coming back: to
 * alloc_failed() or free_rejected() when the core says no and nobody records, else to
 * tlsf_alloc_slow() or tlsf_free_slow(). "make wcet" counts each path.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/string.h>

#include "tlsf_ops.h"
#include "tlsf_pool_priv.h"
#include "tlsf_trace.h"

/* ---- allocate ---- */

static void *alloc_recorded(size_t size, gfp_t gfp, struct tlsf_pool *pool, size_t align);

/* the core has no block: what is left to do, with the lock still held and @flags to restore */
static noinline __cold void *alloc_failed(struct tlsf_pool *pool, size_t align, size_t size,
					  gfp_t gfp, unsigned long flags, enum tlsf_status why,
					  unsigned long caller)
{
	struct tlsf_call call = { .align = align, .size = size, .caller = caller };

	/* frees were deferred since the fast path looked: the slow path takes them back */
	if (unlikely(tlsf_defer_pending(&pool->defer))) {
		tlsf_unlock_irqrestore(&pool->lock, flags);
		return tlsf_alloc_slow(pool, align, size, gfp, caller, NULL);
	}
	call.status = tlsf_core_alloc_failed(tlsf_pool_core(pool), size, why);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	if (!size)
		return ZERO_SIZE_PTR;
	tlsf_report_failure(pool, &call, gfp);
	return NULL;
}

/*
 * @recorded is a constant. All that the instance without it pays for recording is the static
 * branch of tlsf_timing.
 */
static __always_inline void *alloc_fast(struct tlsf_pool *pool, size_t align, size_t size,
					gfp_t gfp, const bool recorded)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	unsigned long flags;
	enum tlsf_status why;
	unsigned int steps;
	void *ptr;
	u64 start;

	/* 0, 3, 5 and the like would look like none: so large, the core rejects them */
	if (!recorded && !is_power_of_2(align))
		align = SIZE_MAX;
	if (!recorded && unlikely(gfp & __GFP_ZERO))
		goto slow;
	if (!recorded && static_branch_unlikely(&tlsf_timing))
		return alloc_recorded(size, gfp, pool, align);
	if (unlikely(!tlsf_fast_begin(pool, &flags, &start, recorded)))
		goto slow;
	/* where @align is no constant: small requests save 45 instructions by the branch */
	ptr = align > TLSF_GRANULE ? tlsf_op_memalign(core, align, size, &steps, &why) :
				     tlsf_op_alloc(core, size, &steps, &why);
	if (unlikely(!ptr)) {
		if (!recorded)
			return alloc_failed(pool, align, size, gfp, flags, why,
					    tlsf_user_ip(recorded));
		/* from the beginning: the slow path times and records the failure whole */
		tlsf_unlock_irqrestore(&pool->lock, flags);
		goto slow;
	}
	tlsf_fast_end(pool, flags, recorded, start, TLSF_LAT_ALLOC, size, align, steps, 0);
	return ptr;
slow:
	return tlsf_alloc_slow(pool, align, size, gfp, tlsf_user_ip(recorded), NULL);
}

/* arguments in the order of the exported functions, so that the tail call moves no register */
static noinline void *alloc_recorded(size_t size, gfp_t gfp, struct tlsf_pool *pool, size_t align)
{
	return alloc_fast(pool, align, size, gfp, true);
}

/**
 * tlsf_alloc_attempt() - one section of a request on the slow path
 * @pool: pool
 * @call: the request; @call->retry is set when it is not over: there is no block, but
 *	deferred frees may make one. Then nothing was counted or recorded.
 * @record: false for a part of another operation, which is what is recorded
 *
 * Context: any.
 */
noinline void tlsf_alloc_attempt(struct tlsf_pool *pool, struct tlsf_call *call, bool record)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	bool final = call->retry;
	enum tlsf_status why;

	call->retry = false;
	if (!tlsf_slow_begin(pool, call))
		return;
	call->status = TLSF_OK;
	call->ptr = call->align > TLSF_GRANULE ?
		tlsf_op_memalign(core, call->align, call->size, &call->steps, &why) :
		tlsf_op_alloc(core, call->size, &call->steps, &why);
	if (likely(call->ptr)) {
		call->cost.usable = tlsf_block_usable(call->ptr);
	} else {
		call->retry = !final && why == TLSF_E_FRAGMENTED &&
			      tlsf_defer_pending(&pool->defer);
		if (!call->retry)
			call->status = tlsf_core_alloc_failed(core, call->size, why);
	}
	if (record && !call->retry)
		tlsf_slow_end(pool, call, TLSF_LAT_ALLOC, tlsf_clock());
	else
		tlsf_unlock_irqrestore(&pool->lock, call->flags);
}

/**
 * tlsf_zero() - outside the lock: takes time in proportion to the size
 * @ptr: block, which is the caller's own
 * @from: first byte to zero
 * @to: and the one behind the last
 *
 * Context: any. A function of its own so that "make wcet" can stop there.
 */
noinline void tlsf_zero(void *ptr, size_t from, size_t to)
{
	memset(ptr + from, 0, to - from);
}

/**
 * tlsf_alloc_slow() - allocate whatever it takes
 * @pool: pool
 * @align: power of two, or a number that no core serves
 * @size: bytes
 * @gfp: as for tlsf_pool_alloc()
 * @caller: the user's code
 * @cost: out: what it took and what came of it; or NULL
 *
 * Waits for the lock where that is allowed, takes back frees that were deferred before it
 * gives up, times, traces and reports; zeroes outside the lock.
 *
 * Context: any; never sleeps.
 * Return: as tlsf_pool_alloc().
 */
noinline void *tlsf_alloc_slow(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
			       unsigned long caller, struct tlsf_cost *cost)
{
	struct tlsf_call call = { .align = align, .size = size, .caller = caller };

	if (!size)
		return ZERO_SIZE_PTR;
	tlsf_alloc_attempt(pool, &call, true);
	if (call.retry) {
		tlsf_drain_failing(pool);
		tlsf_alloc_attempt(pool, &call, true);
	}
	if (cost) {
		*cost = call.cost;
		cost->err = tlsf_status_errno(pool, call.status);
	}
	if (unlikely(!call.ptr)) {
		tlsf_report_failure(pool, &call, gfp);
		return NULL;
	}
	trace_tlsf_alloc(pool->name, call.ptr, size, align, call.cost.hold, call.cost.total,
			 call.cost.steps, caller);
	if (gfp & __GFP_ZERO)
		tlsf_zero(call.ptr, 0, call.cost.usable);
	return call.ptr;
}

/**
 * tlsf_pool_alloc_cost() - allocate, and say why not and what it cost
 * @pool: pool
 * @align: power of two
 * @size: bytes, not 0
 * @flags: as for tlsf_pool_alloc()
 * @ptr: out: the block, when the result is 0
 * @cost: out: what it took
 *
 * Context: any but NMI.
 * Return: 0; -ENOMEM not now; -E2BIG never; -EIO the heap is damaged.
 */
int tlsf_pool_alloc_cost(struct tlsf_pool *pool, size_t align, size_t size, gfp_t flags,
			 void **ptr, struct tlsf_cost *cost)
{
	*cost = (struct tlsf_cost){};
	if (size > pool->max_request || align > pool->max_request)
		return -E2BIG;
	*ptr = tlsf_alloc_slow(pool, align, size, flags, _RET_IP_, cost);
	return cost->err;
}

/* ---- free ---- */

/* usable bytes of the block whose granules, one of them its header, have become free */
static __always_inline size_t freed_bytes(const struct tlsf_core *core, size_t free_before)
{
	return (core->free - free_before - 1) * TLSF_GRANULE;
}

static void free_recorded(struct tlsf_pool *pool, void *ptr);

/*
 * The core has rejected the pointer: what is left to do, with the lock still held and @flags
 * to restore. Who let go of it before might find that @ptr has become a block, somebody else's.
 */
static noinline __cold void free_rejected(struct tlsf_pool *pool, void *ptr, unsigned long flags,
					  unsigned long caller)
{
	enum tlsf_status status = tlsf_core_reject(tlsf_pool_core(pool), ptr);

	tlsf_unlock_irqrestore(&pool->lock, flags);
	tlsf_report_pointer(pool, status, ptr, caller);
}

static __always_inline void free_fast(struct tlsf_pool *pool, const void *block,
				      const bool recorded)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	void *ptr = (void *)block;
	unsigned long flags;
	unsigned int steps;
	size_t before;
	u64 start;

	if (!recorded && unlikely(ZERO_OR_NULL_PTR(ptr)))
		return;
	if (!recorded && static_branch_unlikely(&tlsf_timing))
		return free_recorded(pool, ptr);
	if (unlikely(!tlsf_fast_begin(pool, &flags, &start, recorded)))
		return tlsf_free_slow(pool, ptr, tlsf_user_ip(recorded), NULL);
	before = core->free;
	if (unlikely(!tlsf_op_free(core, ptr, &steps)))
		return free_rejected(pool, ptr, flags, tlsf_user_ip(recorded));
	tlsf_fast_end(pool, flags, recorded, start, TLSF_LAT_FREE, freed_bytes(core, before), 0,
		      steps, 0);
}

/* entered by a tail call */
static noinline void free_recorded(struct tlsf_pool *pool, void *ptr)
{
	free_fast(pool, ptr, true);
}

/**
 * tlsf_free_slow() - free whatever it takes
 * @pool: pool
 * @ptr: block
 * @caller: the user's code
 * @cost: out: what it took and what came of it; or NULL
 *
 * Waits for the lock, or leaves the block to later operations where that is not allowed;
 * takes back a free that was deferred, times, traces and reports.
 *
 * Context: any; never sleeps.
 */
noinline void tlsf_free_slow(struct tlsf_pool *pool, void *ptr, unsigned long caller,
			     struct tlsf_cost *cost)
{
	struct tlsf_call call = { .ptr = ptr, .caller = caller };
	struct tlsf_core *core = tlsf_pool_core(pool);
	size_t before;

	if (!tlsf_slow_begin(pool, &call))
		return tlsf_free_defer(pool, ptr, caller);
	before = core->free;
	if (likely(tlsf_op_free(core, ptr, &call.steps)))
		call.size = freed_bytes(core, before);
	else
		call.status = tlsf_core_reject(core, ptr);
	tlsf_slow_end(pool, &call, TLSF_LAT_FREE, tlsf_clock());
	if (cost) {
		*cost = call.cost;
		cost->err = call.status == TLSF_OK ? 0 : -EIO;
	}
	if (unlikely(call.status != TLSF_OK))
		return tlsf_report_pointer(pool, call.status, ptr, caller);
	trace_tlsf_free(pool->name, ptr, call.cost.hold, call.cost.total, call.cost.steps,
			caller);
}

/**
 * tlsf_pool_free_cost() - free, and say what it cost
 * @pool: pool
 * @ptr: block
 * @cost: out: what it took
 *
 * Context: any but NMI.
 * Return: 0; -EIO when the pointer was rejected, and reported.
 */
int tlsf_pool_free_cost(struct tlsf_pool *pool, void *ptr, struct tlsf_cost *cost)
{
	*cost = (struct tlsf_cost){};
	tlsf_free_slow(pool, ptr, _RET_IP_, cost);
	return cost->err;
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
	return alloc_fast(pool, TLSF_MINALIGN, size, flags, false);
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
	return alloc_fast(pool, align, size, flags, false);
}
EXPORT_SYMBOL_GPL(tlsf_pool_memalign);

/**
 * tlsf_pool_free() - free a block of a pool
 * @pool: pool
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * A pointer that is no block of the pool, or freed already, is rejected, counted and
 * reported, and changes nothing.
 *
 * Context: any; never sleeps. Bound: at most TLSF_STEPS_MAX steps under the
 *	lock, whatever the size and the state of the pool, and as many for a deferred free.
 */
void tlsf_pool_free(struct tlsf_pool *pool, const void *ptr)
{
	free_fast(pool, ptr, false);
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
	return alloc_fast(tlsf_default_pool, TLSF_MINALIGN, size, flags, false);
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
	return alloc_fast(tlsf_default_pool, TLSF_MINALIGN, size, flags | __GFP_ZERO, false);
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
	return alloc_fast(tlsf_default_pool, TLSF_MINALIGN, array_bytes(n, size), flags, false);
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
	return alloc_fast(tlsf_default_pool, TLSF_MINALIGN, array_bytes(n, size),
			  flags | __GFP_ZERO, false);
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
	return alloc_fast(tlsf_default_pool, align, size, flags, false);
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
	free_fast(tlsf_default_pool, ptr, false);
}
EXPORT_SYMBOL_GPL(tlsf_kfree);

/*
 * How many bytes to overwrite before a free. Rejected, counted and reported is a pointer here,
 * as by the free, and not there: that one might find a block by then, somebody else's.
 */
static size_t bytes_to_overwrite(struct tlsf_pool *pool, const void *ptr, unsigned long caller)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	enum tlsf_status status;
	unsigned long flags;
	size_t usable = 0;

	if (likely(tlsf_lock_irqsave(&pool->lock, &flags))) {
		status = tlsf_core_usable(core, ptr, &usable);
		if (unlikely(status != TLSF_OK))
			status = tlsf_core_reject(core, ptr);
		tlsf_unlock_irqrestore(&pool->lock, flags);
	} else {
		status = tlsf_block_look(pool, ptr, &usable);
		if (unlikely(status != TLSF_OK))
			atomic_long_inc(&pool->events.bad_deferred);
	}
	if (unlikely(status != TLSF_OK))
		tlsf_report_pointer(pool, status, ptr, caller);
	return usable;
}

/**
 * tlsf_kfree_sensitive() - overwrite a block of the default pool and free it
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * What the free then rejects, beside damage, has been overwritten all the same: its
 * contents were given up.
 *
 * Context: any; never sleeps. Bound: as tlsf_kfree(); overwriting is outside
 *	the lock and in proportion to the size.
 */
void tlsf_kfree_sensitive(const void *ptr)
{
	struct tlsf_pool *pool = tlsf_default_pool;
	size_t usable;

	if (ZERO_OR_NULL_PTR(ptr))
		return;
	usable = bytes_to_overwrite(pool, ptr, _RET_IP_);
	if (!usable)
		return;
	memzero_explicit((void *)ptr, usable);
	tlsf_free_slow(pool, (void *)ptr, _RET_IP_, NULL);
}
EXPORT_SYMBOL_GPL(tlsf_kfree_sensitive);
