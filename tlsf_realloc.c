// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resize: in place, backward into the block below, or elsewhere.
 *
 * Room: pool. In place has a fast path like tlsf_alloc.c. Contents move outside the lock; it
 * is taken for each step: in place, backward, allocate, free, and give back. A resize that fails
 * has changed nothing, next to damaged memory too, unless its caller was killed. Any context
 * and never sleeps, but for tlsf_pool_resize_cost().
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "tlsf_ops.h"
#include "tlsf_pool_priv.h"

/* ---- in place ---- */

/* sets @old_usable, and the cost's usable when it succeeds */
static __always_inline void run_resize(struct tlsf_pool *pool, struct tlsf_call *call)
{
	struct tlsf_core *core = tlsf_pool_core(pool);

	lockdep_assert_held(&pool->lock.raw);
	/* what is no block is rejected, and counted, by the resize */
	tlsf_core_usable(core, call->ptr, &call->old_usable);
	call->status = tlsf_op_resize(core, call->ptr, call->size, &call->steps);
	if (call->status == TLSF_OK)
		call->cost.usable = tlsf_block_usable(call->ptr);
}

/* waits for the lock, and is always timed */
static noinline void resize_slow(struct tlsf_pool *pool, struct tlsf_call *call)
{
	if (!tlsf_slow_begin(pool, call))
		return;
	run_resize(pool, call);
	tlsf_slow_end(pool, call, TLSF_LAT_RESIZE, tlsf_clock());
}

static __always_inline void resize_fast(struct tlsf_pool *pool, struct tlsf_call *call,
					const bool recorded)
{
	unsigned long flags;
	u64 start;

	if (unlikely(!tlsf_fast_begin(pool, &flags, &start, recorded)))
		return resize_slow(pool, call);
	run_resize(pool, call);
	tlsf_fast_end(pool, flags, recorded, start, TLSF_LAT_RESIZE, call->size, call->align,
		      call->steps, call->caller);
}

static noinline void resize_recorded(struct tlsf_pool *pool, struct tlsf_call *call)
{
	resize_fast(pool, call, true);
}

/* ---- moving ---- */

static void run_grow_backward(struct tlsf_pool *pool, struct tlsf_call *call)
{
	lockdep_assert_held(&pool->lock.raw);
	call->status = tlsf_core_grow_backward(tlsf_pool_core(pool), &call->ptr, call->align,
					       call->size);
	if (call->status == TLSF_OK)
		call->cost.usable = tlsf_block_usable(call->ptr);
}

/* what grew backward gives back its tail */
static void run_trim(struct tlsf_pool *pool, struct tlsf_call *call)
{
	lockdep_assert_held(&pool->lock.raw);
	call->status = tlsf_core_resize(tlsf_pool_core(pool), call->ptr, call->size);
	if (call->status == TLSF_OK)
		call->cost.usable = tlsf_block_usable(call->ptr);
}

static void run_free(struct tlsf_pool *pool, struct tlsf_call *call)
{
	lockdep_assert_held(&pool->lock.raw);
	call->status = tlsf_core_free(tlsf_pool_core(pool), call->ptr);
}

/* one hold of the lock, not timed; a constant @run is inlined */
static __always_inline void locked(struct tlsf_pool *pool, struct tlsf_call *call,
				   void (*run)(struct tlsf_pool *pool, struct tlsf_call *call))
{
	unsigned long flags;

	call->status = TLSF_E_LOCK;
	if (unlikely(!tlsf_lock_irqsave(&pool->lock, &flags)))
		return;
	run(pool, call);
	tlsf_unlock_irqrestore(&pool->lock, flags);
}

/*
 * Move contents outside the lock, downwards or to another block: how many bytes arrived.
 * Who may sleep moves them in pieces, so that others run in between, and stops when
 * killed.
 */
static size_t contents_move(void *to, const void *from, size_t bytes, bool may_sleep)
{
	size_t done = 0;

	while (may_sleep && bytes - done > TLSF_POOL_PIECE) {
		memmove(to + done, from + done, TLSF_POOL_PIECE);
		done += TLSF_POOL_PIECE;
		cond_resched();
		if (fatal_signal_pending(current))
			return done;
	}
	memmove(to + done, from + done, bytes - done);
	return bytes;
}

/*
 * Grow downwards: the core joins the blocks, the contents move outside the lock since
 * both places are ours, and only then the tail, which held contents, is given back. The
 * joining is what succeeds or fails. A tail that cannot be given back, without the lock,
 * beside damage or in a pool that has retired, stays: the block is larger.
 */
static noinline void resize_backward(struct tlsf_pool *pool, struct tlsf_call *call,
				     bool may_sleep)
{
	struct tlsf_call back = *call;
	size_t moved;

	locked(pool, &back, run_grow_backward);
	if (tlsf_status_blames_pointer(back.status))
		call->status = back.status;
	if (back.status != TLSF_OK)
		return;
	moved = contents_move(back.ptr, call->ptr, call->old_usable, may_sleep);
	call->status = moved == call->old_usable ? TLSF_OK : TLSF_E_KILLED;
	call->old_usable = moved;
	call->ptr = back.ptr;
	locked(pool, &back, run_trim);
	if (tlsf_status_blames_pointer(back.status))
		tlsf_report_pointer(pool, back.status, back.ptr, back.caller);
	call->cost.usable = back.cost.usable;
}

/*
 * The last resort: another block, a copy outside the lock, and the old one freed. When
 * that is rejected the old block is still the caller's, and the new one goes.
 */
static noinline void resize_elsewhere(struct tlsf_pool *pool, struct tlsf_call *call, gfp_t gfp,
				      bool may_sleep)
{
	struct tlsf_call to = { .align = call->align, .size = call->size, .caller = call->caller };

	tlsf_alloc_attempt(pool, &to, false);
	if (to.retry) {
		tlsf_drain_failing(pool);
		tlsf_alloc_attempt(pool, &to, false);
	}
	call->status = to.status;
	if (!to.ptr)
		return tlsf_report_failure(pool, &to, gfp);
	if (contents_move(to.ptr, call->ptr, call->old_usable, may_sleep) == call->old_usable)
		locked(pool, call, run_free);
	else
		call->status = TLSF_E_KILLED;
	if (call->status == TLSF_E_LOCK) {
		tlsf_free_defer(pool, call->ptr, call->caller);
		call->status = TLSF_OK;
	}
	if (call->status == TLSF_OK) {
		call->ptr = to.ptr;
		call->cost.usable = to.cost.usable;
		return;
	}
	if (tlsf_status_blames_pointer(call->status))
		tlsf_report_pointer(pool, call->status, call->ptr, call->caller);
	locked(pool, &to, run_free);
	if (to.status == TLSF_E_LOCK)
		tlsf_free_defer(pool, to.ptr, to.caller);
	else if (to.status != TLSF_OK)
		tlsf_report_pointer(pool, to.status, to.ptr, to.caller);
}

/*
 * There was no room above: move, to below or away. Whatever fails is counted and
 * reported here, and then the block is as it was: but TLSF_E_KILLED, with another
 * call->ptr, is a block that has grown downwards and has the first call->old_usable bytes
 * of its contents.
 */
static void resize_moving(struct tlsf_pool *pool, struct tlsf_call *call, gfp_t gfp,
			  bool may_sleep)
{
	if (call->status == TLSF_E_FRAGMENTED)
		resize_backward(pool, call, may_sleep);
	if (call->status == TLSF_E_FRAGMENTED)
		return resize_elsewhere(pool, call, gfp, may_sleep);
	if (tlsf_status_blames_pointer(call->status))
		tlsf_report_pointer(pool, call->status, call->ptr, call->caller);
	else if (call->status != TLSF_OK && call->status != TLSF_E_KILLED)
		tlsf_report_failure(pool, call, gfp);
}

static void *pool_realloc(struct tlsf_pool *pool, const void *ptr, size_t align, size_t size,
			  gfp_t gfp, unsigned long caller)
{
	struct tlsf_call call = { .ptr = (void *)ptr, .align = align, .size = size,
				  .caller = caller };

	if (ZERO_OR_NULL_PTR(ptr))
		return tlsf_alloc_slow(pool, align, size, gfp, caller, NULL);
	if (!size) {
		tlsf_free_slow(pool, call.ptr, caller, NULL);
		return ZERO_SIZE_PTR;
	}
	if (static_branch_unlikely(&tlsf_timing))
		resize_recorded(pool, &call);
	else
		resize_fast(pool, &call, false);
	if (unlikely(call.status != TLSF_OK))
		resize_moving(pool, &call, gfp, false);
	if (call.status != TLSF_OK)
		return NULL;
	if (gfp & __GFP_ZERO)
		tlsf_zero(call.ptr, min(size, call.old_usable), call.cost.usable);
	return call.ptr;
}

/* ---- exported ---- */

/**
 * tlsf_pool_realloc() - make a block larger or smaller
 * @pool: pool
 * @ptr: block, or NULL to allocate
 * @size: bytes; 0 to free
 * @flags: as for tlsf_pool_alloc(); __GFP_ZERO zeroes what is new, provided that it was
 *	given at each allocation before
 *
 * Grows in place upwards or downwards when a neighbour is free, else moves. A block
 * that moves is aligned to TLSF_MINALIGN: tlsf_pool_realloc_align() keeps more.
 *
 * Beside damage too the result says whose block it is: NULL, and the old one is as it
 * was, or another one, with the contents. One that grew downwards may then have more
 * bytes than were asked for.
 *
 * Context: any; never sleeps. Bound: at most TLSF_STEPS_MAX steps in each of up
 *	to four holds of the lock; copying is outside and in proportion to the size, in one
 *	go with no chance to reschedule, also where the caller might sleep.
 * Return: the block; ZERO_SIZE_PTR for no bytes; NULL when it cannot be had, and then
 *	the old block is as it was.
 */
void *tlsf_pool_realloc(struct tlsf_pool *pool, const void *ptr, size_t size, gfp_t flags)
{
	return pool_realloc(pool, ptr, TLSF_MINALIGN, size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_pool_realloc);

/**
 * tlsf_pool_realloc_align() - make an aligned block larger or smaller
 * @pool: pool
 * @ptr: block, or NULL to allocate
 * @align: power of two that the result is a multiple of when it moves
 * @size: bytes; 0 to free
 * @flags: as for tlsf_pool_realloc()
 *
 * Context: any; never sleeps. Bound: as tlsf_pool_realloc().
 * Return: as tlsf_pool_realloc(); NULL too when @align is not a power of two.
 */
void *tlsf_pool_realloc_align(struct tlsf_pool *pool, const void *ptr, size_t align, size_t size,
			      gfp_t flags)
{
	if (!is_power_of_2(align))
		return NULL;
	return pool_realloc(pool, ptr, align, size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_pool_realloc_align);

/**
 * tlsf_krealloc() - tlsf_pool_realloc() in the default pool
 * @ptr: block, or NULL to allocate
 * @size: bytes; 0 to free
 * @flags: as for tlsf_pool_realloc()
 *
 * Context: any; never sleeps. Bound: as tlsf_pool_realloc(); large contents move in one
 *	go.
 * Return: as tlsf_pool_realloc().
 */
void *tlsf_krealloc(const void *ptr, size_t size, gfp_t flags)
{
	return pool_realloc(tlsf_default_pool, ptr, TLSF_MINALIGN, size, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_krealloc);

/* ---- for the device ---- */

/**
 * tlsf_pool_resize_cost() - resize, and say why not and what it cost
 * @pool: pool
 * @align: power of two that is kept when the block moves
 * @size: bytes, not 0
 * @may_move: false to resize in place or not at all
 * @ptr: in: block; out: the block, another one when it has moved
 * @cost: out: what the attempt in place took, and what came of it
 *
 * Contents move in pieces of TLSF_POOL_PIECE, with a chance to reschedule in between.
 *
 * Context: task; may sleep.
 * Return: 0; -ENOMEM not now; -E2BIG never; -EIO the heap is damaged; -EINTR killed while
 * contents moved. The block is as it was when @cost->usable is 0. It is not only with 0,
 * and with -EINTR when it grew downwards: then the first @cost->kept bytes have arrived,
 * and the rest is lost.
 */
int tlsf_pool_resize_cost(struct tlsf_pool *pool, size_t align, size_t size, bool may_move,
			  void **ptr, struct tlsf_cost *cost)
{
	struct tlsf_call call = { .ptr = *ptr, .align = align, .size = size, .caller = _RET_IP_ };

	*cost = (struct tlsf_cost){};
	if (size > pool->max_request)
		return -E2BIG;
	resize_slow(pool, &call);
	if (may_move || call.status != TLSF_E_FRAGMENTED)
		resize_moving(pool, &call, __GFP_NOWARN, true);
	*ptr = call.ptr;
	*cost = call.cost;
	cost->kept = min(call.old_usable, cost->usable);
	cost->err = tlsf_status_errno(pool, call.status);
	return cost->err;
}
