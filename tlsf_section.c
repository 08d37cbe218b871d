// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a section of the slow path, and frees that had to be deferred.
 *
 * Room: pool. Such a section waits for the lock where that is allowed, and is timed whole; it
 * begins in tlsf_pool_priv.h.
 * In NMI, and inside a section of our own, it is not waited for: a request then fails, a
 * free puts its block on a lock-free list (tlsf_defer.h). Each later operation takes
 * TLSF_DRAIN_MAX of these off first, a request that would fail TLSF_DRAIN_FAILING. Where no
 * operation comes, a work takes back all after TLSF_DRAIN_IDLE. Any context, and no loop,
 * but for that work and the end of a pool.
 */
#include <linux/irq_work.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "tlsf_pool_priv.h"

/* deferred frees that each operation does first; in the bound of an operation that does */
#define TLSF_DRAIN_MAX	1

/* and that a request takes back which would fail, before it is tried once more */
enum { TLSF_DRAIN_FAILING = 16 };

/* a pool that nobody uses gets them back after this time */
#define TLSF_DRAIN_IDLE	(HZ / 2)

static_assert(sizeof(struct tlsf_deferred) <= TLSF_BLOCK_MIN - TLSF_BLOCK_HEADER,
	      "every block can wait to be freed");

struct workqueue_struct *tlsf_drain_queue;

/* ---- deferred frees ---- */

/* the next block that waits, under the lock; its pointer, or NULL */
static __always_inline enum tlsf_status drain_locked(struct tlsf_pool *pool, void **ptr)
{
	lockdep_assert_held(&pool->lock.raw);
	if (likely(tlsf_defer_pop(&pool->defer, ptr)))
		return *ptr ? tlsf_core_free(tlsf_pool_core(pool), *ptr) : TLSF_OK;
	atomic_long_inc(&pool->events.bad_deferred);
	return TLSF_E_LINKS;
}

/**
 * tlsf_drain_one() - free one block that waits for it
 * @pool: pool
 *
 * Context: any; one hold of the lock.
 * Return: false when there is nothing left to do, or it cannot be done now.
 */
noinline bool tlsf_drain_one(struct tlsf_pool *pool)
{
	enum tlsf_status status;
	unsigned long flags;
	void *ptr;

	if (!tlsf_defer_pending(&pool->defer) || !tlsf_lock_irqsave(&pool->lock, &flags))
		return false;
	status = drain_locked(pool, &ptr);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	if (unlikely(status != TLSF_OK))
		tlsf_report_pointer(pool, status, ptr, _THIS_IP_);
	return ptr;
}

/* nobody came: what is deferred later is another work's */
static void drain_idle(struct work_struct *work)
{
	struct tlsf_pool *pool = container_of(to_delayed_work(work), struct tlsf_pool, drain_work);

	while (tlsf_drain_one(pool))
		cond_resched();
}

/* a delayed work cannot be queued in NMI */
static void drain_idle_later(struct irq_work *work)
{
	struct tlsf_pool *pool = container_of(work, struct tlsf_pool, idle_work);

	queue_delayed_work(tlsf_drain_queue, &pool->drain_work, TLSF_DRAIN_IDLE);
}

/**
 * tlsf_drain_init() - no freed block waits
 * @pool: pool
 *
 * Context: task.
 */
void tlsf_drain_init(struct tlsf_pool *pool)
{
	init_irq_work(&pool->idle_work, drain_idle_later);
	INIT_DELAYED_WORK(&pool->drain_work, drain_idle);
}

/**
 * tlsf_drain_exit() - free all that wait, however many
 * @pool: pool, which nobody uses any more
 *
 * Context: task; may sleep.
 */
void tlsf_drain_exit(struct tlsf_pool *pool)
{
	irq_work_sync(&pool->idle_work);
	cancel_delayed_work_sync(&pool->drain_work);
	while (tlsf_drain_one(pool))
		cond_resched();
}

/**
 * tlsf_drain_some() - what each operation on the slow path does first
 * @pool: pool
 *
 * Context: any; up to TLSF_DRAIN_MAX holds of the lock.
 */
noinline __cold void tlsf_drain_some(struct tlsf_pool *pool)
{
	unsigned int n = 0;

	while (n < TLSF_DRAIN_MAX && tlsf_drain_one(pool))
		n++;
}

/**
 * tlsf_drain_failing() - free so many blocks that wait that a bound can be told
 * @pool: pool
 *
 * For a request that would fail while they wait. Unrolled, so that "make wcet" meets no
 * loop.
 *
 * Context: any; up to TLSF_DRAIN_FAILING holds of the lock.
 */
noinline __cold void tlsf_drain_failing(struct tlsf_pool *pool)
{
	unsigned int n;

#pragma GCC unroll TLSF_DRAIN_FAILING
	for (n = 0; n < TLSF_DRAIN_FAILING; n++)
		if (!tlsf_drain_one(pool))
			break;
}

/* a block's header, and no more, without the lock */
static struct tlsf_block block_copy(const void *ptr)
{
	/* Who changes TLSF_PREV_FREE meanwhile, under the lock, writes the rest as it is. */
	return (struct tlsf_block){ .header = data_race(READ_ONCE(tlsf_block_of(ptr)->header)) };
}

/**
 * tlsf_block_look() - does a pointer look like an allocated block?
 * @pool: pool
 * @ptr: pointer
 * @usable: out: bytes of the block, when it does
 *
 * Without the lock: of an allocated block, size and TLSF_USED do not change, whatever
 * its neighbours do.
 *
 * Context: any.
 * Return: TLSF_OK, or the rule that @ptr breaks.
 */
enum tlsf_status tlsf_block_look(const struct tlsf_pool *pool, const void *ptr, size_t *usable)
{
	const void *end = tlsf_core_end(tlsf_pool_core(pool));
	const struct tlsf_defer *d = &pool->defer;
	unsigned long addr = (unsigned long)ptr;
	struct tlsf_block b;
	size_t size;

	if (addr - d->low > d->high - d->low)
		return TLSF_E_OUTSIDE;
	if (!IS_ALIGNED(addr, TLSF_GRANULE))
		return TLSF_E_MISALIGNED;
	b = block_copy(ptr);
	if (tlsf_block_is_free(&b))
		return TLSF_E_FREE;
	size = tlsf_block_size(&b);
	if (size < TLSF_BLOCK_MIN || size > end - (void *)tlsf_block_of(ptr))
		return TLSF_E_HEADER;
	*usable = size - TLSF_BLOCK_HEADER;
	return TLSF_OK;
}

/**
 * tlsf_free_defer() - the lock could not be had: leave a block to later operations
 * @pool: pool
 * @ptr: block; they validate it
 * @caller: the user's code, for a report
 *
 * Context: any.
 */
noinline __cold void tlsf_free_defer(struct tlsf_pool *pool, void *ptr, unsigned long caller)
{
	size_t usable;
	enum tlsf_status status = tlsf_block_look(pool, ptr, &usable);

	if (status == TLSF_OK && !tlsf_defer_push(&pool->defer, ptr))
		status = TLSF_E_FREE;
	if (status == TLSF_OK) {
		atomic_long_inc(&pool->events.deferred_frees);
		irq_work_queue(&pool->idle_work);
		return;
	}
	atomic_long_inc(&pool->events.bad_deferred);
	tlsf_report_pointer(pool, status, ptr, caller);
}

/* ---- the end of a section ---- */

/**
 * tlsf_slow_end() - unlock, record, interrupts as they were
 * @pool: pool
 * @call: operation that has run; its cost is filled in
 * @op: which
 * @end: the clock, read by the caller: this is a call, and not part of what is timed
 *
 * Context: any; called with the lock held.
 */
void tlsf_slow_end(struct tlsf_pool *pool, struct tlsf_call *call, enum tlsf_lat_op op,
		   u64 end)
{
	struct tlsf_sample s = {
		.op = op, .start = call->start, .locked = call->locked, .end = end,
		.steps = call->steps, .size = call->size, .align = call->align,
		.caller = call->caller,
	};

	tlsf_steps_record(pool, s.steps);
	tlsf_unlock(&pool->lock);
	if (static_branch_unlikely(&tlsf_timing))
		tlsf_latency_record(&pool->latency, &s);
	local_irq_restore(call->flags);
	call->cost.hold = tlsf_clock_net(s.locked, s.end);
	call->cost.total = s.locked == s.start ? call->cost.hold :
			   tlsf_clock_net(s.start, s.locked) + call->cost.hold;
	call->cost.steps = s.steps;
}
