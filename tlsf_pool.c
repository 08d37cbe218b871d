// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: memory, lock, and the exported API.
 *
 * Room: pool. Includes the core, latency, trace and compat; knows no device and no
 * view. Allocate and free may be called in every context: task, softirq, hard interrupt,
 * NMI, with interrupts off and under raw spinlocks, on PREEMPT_RT too. None sleeps,
 * reclaims or prints there: reports are handed to an irq_work.
 *
 * In NMI, and in a probe that fires inside a section of ours, the lock is not waited for.
 * An allocation that does not get it at once returns NULL. A free puts its block on a
 * lock-free list, and each later operation takes TLSF_DRAIN_MAX of these off first, a
 * request that would fail TLSF_DRAIN_FAILING. Where no operation comes, a work takes back
 * all after TLSF_DRAIN_IDLE.
 *
 * Lock order, outermost first:
 *
 *	create_lock	mutex; pools are made one at a time, so that what one finds
 *			available no other takes. Task context.
 *	pools_lock	mutex; the list of pools and the observer. Task context.
 *	pool->lock	raw spinlock, always irqsave; everything in pool->core and the
 *			pool's own blocks' headers and links. A leaf: under it run the
 *			core's bounded steps and clock readings and nothing else. No
 *			other lock, no printing, no zeroing or copying, no tracepoint.
 *
 * Exceptions to "bounded" are the check and the atomic walk, which say so.
 *
 * The core is there twice. Without a listener, operations run on the plain path, where
 * tlsf_fast.h is inlined into each exported function, and count nothing. Timed and rare
 * ones call tlsf_core.o, which counts steps.
 */
#define pr_fmt(fmt) "tlsf: " fmt

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

/* Timed operations tell their steps. */
#define TLSF_COUNT_STEPS

#include "tlsf_fast.h"
#include "tlsf_plain.h"

#define CREATE_TRACE_POINTS
#include "tlsf_trace.h"

/* deferred frees that each operation does first; in the bound of an operation that does */
#define TLSF_DRAIN_MAX	1

/* and that a request takes back which would fail, before it is tried once more */
enum { TLSF_DRAIN_FAILING = 16 };

/* a pool that nobody uses gets them back after this time */
#define TLSF_DRAIN_IDLE	(HZ / 2)

/* status of an operation that could not have the lock: no status of the core */
#define TLSF_E_LOCK	TLSF_STATUS_NR
/* status of a resize whose caller was killed while the contents moved */
#define TLSF_E_KILLED	(TLSF_STATUS_NR + 1)

static_assert(sizeof(struct tlsf_deferred) <= TLSF_BLOCK_MIN - TLSF_BLOCK_HEADER,
	      "every block can wait to be freed");

/* live blocks that the report of a leak lists one by one */
#define LEAKS_LISTED	16

static DEFINE_MUTEX(create_lock);
static DEFINE_MUTEX(pools_lock);
static LIST_HEAD(pools);				/* under pools_lock */
static const struct tlsf_pool_observer *observer;	/* under pools_lock */

struct tlsf_pool *tlsf_default_pool;

/* takes back deferred frees; constant between init and exit */
static struct workqueue_struct *drain_queue;

/* ---- reports ---- */

static void report_print(const struct pool_report *r, enum pool_report_kind kind, int suppressed)
{
	const char *name = r->pool->name, *why = tlsf_core_strstatus(r->status);

	switch (kind) {
	case REPORT_POINTER:
		pr_err("pool %s: pointer %p from %pS refused: %s (%d more not shown)\n",
		       name, r->ptr, (void *)r->caller, why, suppressed);
		break;
	case REPORT_REQUEST:
		pr_warn("pool %s: %zu bytes for %pS refused: %s (%d more not shown)\n",
			name, r->size, (void *)r->caller, why, suppressed);
		break;
	default:
		pr_err("pool %s: heap is damaged, found serving %pS: %s; no further request is served\n",
		       name, (void *)r->caller, why);
	}
}

static void report_work(struct irq_work *work)
{
	struct pool_report *r = container_of(work, struct pool_report, work);

	if (__ratelimit(&r->limit))
		report_print(r, r - r->pool->report, atomic_xchg(&r->suppressed, 0));
	else
		atomic_inc(&r->suppressed);
	/* Pairs with the acquire in report_queue(): the fields are free for the next */
	atomic_set_release(&r->pending, 0);
}

/* queue a report; any context */
static noinline __cold void report_queue(struct tlsf_pool *pool, enum pool_report_kind kind,
					 enum tlsf_status status, const void *ptr, size_t size,
					 unsigned long caller)
{
	struct pool_report *r = &pool->report[kind];

	/* Pairs with the release in report_work() */
	if (atomic_cmpxchg_acquire(&r->pending, 0, 1)) {
		atomic_inc(&r->suppressed);
		return;
	}
	r->status = status;
	r->ptr = ptr;
	r->size = size;
	r->caller = caller;
	irq_work_queue(&r->work);
}

static void report(struct tlsf_pool *pool, enum tlsf_status status, const void *ptr,
		   unsigned long caller)
{
	report_queue(pool, REPORT_POINTER, status, ptr, 0, caller);
}

static void reports_init(struct tlsf_pool *pool)
{
	struct pool_report *r;

	for (r = pool->report; r < pool->report + REPORT_KINDS; r++) {
		init_irq_work(&r->work, report_work);
		r->pool = pool;
		ratelimit_default_init(&r->limit);
		/* what was held back we tell ourselves */
		ratelimit_set_flags(&r->limit, RATELIMIT_MSG_ON_RELEASE);
	}
}

/* nothing is on its way any more; what was held back last is told */
static void reports_exit(struct tlsf_pool *pool)
{
	static const char *const what[REPORT_KINDS] = {
		[REPORT_POINTER] = "refused pointers",
		[REPORT_REQUEST] = "refused requests",
		[REPORT_DAMAGE] = "reports of damage",
	};
	unsigned int i;
	int suppressed;

	for (i = 0; i < REPORT_KINDS; i++) {
		irq_work_sync(&pool->report[i].work);
		suppressed = atomic_read(&pool->report[i].suppressed);
		if (suppressed)
			pr_warn("pool %s: %d more %s were not shown\n", pool->name, suppressed,
				what[i]);
	}
}

/* ---- one operation on the core, plain and timed ---- */

/* what every operation takes in and gives out */
struct op {
	void *ptr;
	size_t align;
	size_t size;
	enum tlsf_status cause;		/* why the same request failed before */
	size_t old_usable;		/* out of a resize */
	size_t usable;			/* out, where it says so, and when it succeeds */
	unsigned long caller;
	enum tlsf_status status;
};

static __always_inline void run_alloc(struct tlsf_pool *pool, struct op *op)
{
	lockdep_assert_held(&pool->lock.raw);
	if (op->align > TLSF_MINALIGN)
		op->ptr = tlsf_core_memalign(&pool->core, op->align, op->size);
	else
		op->ptr = tlsf_core_alloc(&pool->core, op->size);
	op->status = likely(op->ptr) ? TLSF_OK : tlsf_core_status(&pool->core);
}

/* of an allocated block, under the lock */
static __always_inline size_t block_usable(const void *ptr)
{
	return tlsf_block_size(tlsf_block_of(ptr)) - TLSF_BLOCK_HEADER;
}

/* sets op->usable */
static __always_inline void run_alloc_sized(struct tlsf_pool *pool, struct op *op)
{
	run_alloc(pool, op);
	if (likely(op->ptr))
		op->usable = block_usable(op->ptr);
}

static __always_inline void run_free(struct tlsf_pool *pool, struct op *op)
{
	lockdep_assert_held(&pool->lock.raw);
	op->status = tlsf_core_free(&pool->core, op->ptr);
}

/* for the timed path, whose sample wants to know how much it was */
static __always_inline void run_free_sized(struct tlsf_pool *pool, struct op *op)
{
	size_t used = tlsf_core_used_bytes(&pool->core);

	run_free(pool, op);
	op->size = used - tlsf_core_used_bytes(&pool->core);
}

/* sets op->usable */
static __always_inline void run_resize(struct tlsf_pool *pool, struct op *op)
{
	lockdep_assert_held(&pool->lock.raw);
	/* what is no block is rejected, and counted, by the resize */
	tlsf_core_usable(&pool->core, op->ptr, &op->old_usable);
	op->status = tlsf_core_resize(&pool->core, op->ptr, op->size);
	if (op->status == TLSF_OK)
		op->usable = block_usable(op->ptr);
}

/* the same, inlined */
static __always_inline void run_resize_fast(struct tlsf_pool *pool, struct op *op)
{
	lockdep_assert_held(&pool->lock.raw);
	tlsf_core_usable(&pool->core, op->ptr, &op->old_usable);
	op->status = tlsf_fast_resize(&pool->core, op->ptr, op->size);
}

/* sets op->usable */
static __always_inline void run_grow_back(struct tlsf_pool *pool, struct op *op)
{
	lockdep_assert_held(&pool->lock.raw);
	op->status = tlsf_core_grow_back(&pool->core, &op->ptr, op->align, op->size);
	if (op->status == TLSF_OK)
		op->usable = block_usable(op->ptr);
}

typedef void (*run_fn)(struct tlsf_pool *pool, struct op *op);

/* a constant @run is inlined: no indirect call */
static __always_inline void locked(struct tlsf_pool *pool, struct op *op, run_fn run)
{
	unsigned long flags;

	op->status = TLSF_E_LOCK;
	if (unlikely(!tlsf_lock_irqsave(&pool->lock, &flags)))
		return;
	run(pool, op);
	tlsf_unlock_irqrestore(&pool->lock, flags);
}

/* ---- deferred frees ---- */

static __always_inline void run_drain(struct tlsf_pool *pool, struct op *op)
{
	lockdep_assert_held(&pool->lock.raw);
	op->status = TLSF_E_LINKS;
	if (likely(tlsf_defer_pop(&pool->defer, &op->ptr)))
		op->status = op->ptr ? tlsf_core_free(&pool->core, op->ptr) : TLSF_OK;
	else
		atomic_long_inc(&pool->bad_deferred);
}

/* false when there is nothing left to do, or it cannot be done now */
static noinline bool drain_one(struct tlsf_pool *pool)
{
	struct op op = {};

	if (!tlsf_defer_pending(&pool->defer))
		return false;
	locked(pool, &op, run_drain);
	if (unlikely(op.status != TLSF_OK && op.status != TLSF_E_LOCK))
		report(pool, op.status, op.ptr, _THIS_IP_);
	return op.ptr;
}

/* nobody came: what is deferred later is another work's */
static void drain_idle(struct work_struct *work)
{
	struct tlsf_pool *pool = container_of(to_delayed_work(work), struct tlsf_pool, drain_work);

	while (drain_one(pool))
		cond_resched();
}

/* a delayed work cannot be queued in NMI */
static void drain_idle_later(struct irq_work *work)
{
	struct tlsf_pool *pool = container_of(work, struct tlsf_pool, idle_work);

	queue_delayed_work(drain_queue, &pool->drain_work, TLSF_DRAIN_IDLE);
}

static void drain_init(struct tlsf_pool *pool)
{
	init_irq_work(&pool->idle_work, drain_idle_later);
	INIT_DELAYED_WORK(&pool->drain_work, drain_idle);
}

static void drain_exit(struct tlsf_pool *pool)
{
	irq_work_sync(&pool->idle_work);
	cancel_delayed_work_sync(&pool->drain_work);
	while (drain_one(pool))
		cond_resched();
}

static noinline __cold void pool_drain_some(struct tlsf_pool *pool)
{
	unsigned int n = 0;

	while (n < TLSF_DRAIN_MAX && drain_one(pool))
		n++;
}

static __always_inline void pool_drain(struct tlsf_pool *pool)
{
	if (unlikely(tlsf_defer_pending(&pool->defer)))
		pool_drain_some(pool);
}

/* a block's header, and no more, without the lock */
static struct tlsf_block block_copy(const void *ptr)
{
	/* Who changes TLSF_PREV_FREE meanwhile, under the lock, writes the rest as it is. */
	return (struct tlsf_block){ .header = data_race(READ_ONCE(tlsf_block_of(ptr)->header)) };
}

/*
 * Does @ptr look like an allocated block? Without the lock: of an allocated block, size
 * and TLSF_USED do not change, whatever its neighbours do.
 */
static enum tlsf_status block_look(const struct tlsf_pool *pool, const void *ptr, size_t *usable)
{
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
	if (size < TLSF_BLOCK_MIN || size > (unsigned long)pool + pool->bytes - addr)
		return TLSF_E_HEADER;
	*usable = size - TLSF_BLOCK_HEADER;
	return TLSF_OK;
}

/* the lock could not be had: leave the block to later operations, which validate it */
static noinline __cold void free_defer(struct tlsf_pool *pool, void *ptr, unsigned long caller)
{
	size_t usable;
	enum tlsf_status status = block_look(pool, ptr, &usable);

	if (status == TLSF_OK && !tlsf_defer_push(&pool->defer, ptr))
		status = TLSF_E_FREE;
	if (status == TLSF_OK) {
		atomic_long_inc(&pool->deferred_frees);
		irq_work_queue(&pool->idle_work);
		return;
	}
	atomic_long_inc(&pool->bad_deferred);
	report(pool, status, ptr, caller);
}

/* ---- timed ---- */

/* while a tracepoint is used, each operation is told whole */
static DEFINE_STATIC_KEY_FALSE(traced);

/* more than ever before, which happens TLSF_STEPS_MAX times at most */
static noinline __cold void steps_rise(struct tlsf_pool *pool, unsigned int steps)
{
	lockdep_assert_held(&pool->lock.raw);
	WRITE_ONCE(pool->steps_seen, steps);	/* for tlsf_pool_steps_seen() */
}

static __always_inline void steps_see(struct tlsf_pool *pool, unsigned int steps)
{
	if (unlikely(steps > pool->steps_seen))
		steps_rise(pool, steps);
}

/*
 * The recorded path: timed, as it nearly always is, with nobody tracing and the lock
 * free. False when it is not, and then nothing has happened. What only a new extreme or a
 * refusal wants to know is looked up there, so that no register has to keep it.
 */
static __always_inline bool record_begin(struct tlsf_pool *pool, unsigned long *flags, u64 *start)
{
	if (static_branch_unlikely(&traced) || unlikely(tlsf_defer_pending(&pool->defer)))
		return false;
	local_irq_save(*flags);
	*start = tlsf_clock();
	if (likely(tlsf_lock_try(&pool->lock)))
		return true;
	local_irq_restore(*flags);
	return false;
}

/* @caller 0 is who called the function that this is inlined into: looked up when needed */
static __always_inline void record_end(struct tlsf_pool *pool, enum tlsf_lat_op kind,
				       unsigned long flags, u64 start, size_t size,
				       size_t align, unsigned long caller)
{
	u64 cycles = tlsf_clock() - start;
	unsigned int steps = pool->core.steps;

	steps_see(pool, steps);
	tlsf_unlock(&pool->lock);
	if (unlikely(!tlsf_latency_add(&pool->latency, kind, cycles)))
		tlsf_latency_add_rare(&pool->latency, kind, cycles, size, align, steps,
				      caller ?: TLSF_LISTENED_IP);
	local_irq_restore(flags);
}

/* the same whatever happens, and what it cost */
static __always_inline void locked_timed(struct tlsf_pool *pool, struct op *op, run_fn run,
					 enum tlsf_lat_op kind, struct tlsf_cost *cost)
{
	struct tlsf_sample s = { .op = kind, .align = op->align, .caller = op->caller };
	unsigned long flags;

	pool_drain(pool);
	*cost = (struct tlsf_cost){};
	op->status = TLSF_E_LOCK;
	local_irq_save(flags);
	s.start = tlsf_clock();
	s.locked = s.start;
	if (unlikely(!tlsf_lock_try(&pool->lock))) {
		if (!tlsf_lock_wait(&pool->lock)) {
			local_irq_restore(flags);
			return;
		}
		s.locked = tlsf_clock();
	}
	run(pool, op);
	s.end = tlsf_clock();
	s.size = op->size;
	s.steps = pool->core.steps;
	steps_see(pool, s.steps);
	tlsf_unlock(&pool->lock);
	tlsf_latency_record(&pool->latency, &s);
	local_irq_restore(flags);
	cost->hold = tlsf_clock_net(s.locked, s.end);
	cost->total = s.locked == s.start ? cost->hold :
		      tlsf_clock_net(s.start, s.locked) + cost->hold;
	cost->steps = s.steps;
}

/* ---- allocate ---- */

/* the core found its heap damaged: say so once and stop handing out */
static void pool_retire(struct tlsf_pool *pool, unsigned long caller)
{
	unsigned long flags;

	/* if not now, then the next that finds it */
	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return;
	tlsf_core_retire(&pool->core);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	if (!xchg(&pool->damaged, true))
		report_queue(pool, REPORT_DAMAGE, TLSF_E_LINKS, NULL, 0, caller);
}

static void alloc_failed(struct tlsf_pool *pool, const struct op *op, gfp_t flags)
{
	if (op->status == TLSF_E_LOCK)
		atomic_long_inc(&pool->fail_busy);
	else if (op->status == TLSF_E_LINKS || READ_ONCE(pool->damaged))
		atomic_long_inc(&pool->fail_damaged);
	if (op->status == TLSF_E_LOCK || READ_ONCE(pool->damaged))
		return;
	if (op->status == TLSF_E_LINKS)
		return pool_retire(pool, op->caller);
	if (op->status == TLSF_E_EXHAUSTED || op->status == TLSF_E_FRAGMENTED)
		trace_tlsf_exhausted(pool->name, op->size, op->align,
				     op->status == TLSF_E_FRAGMENTED, op->caller);
	if (!(flags & __GFP_NOWARN))
		report_queue(pool, REPORT_REQUEST, op->status, NULL, op->size, op->caller);
}

/*
 * A request that would fail while freed blocks wait: take back so many that it can be said
 * how long that takes at most. Unrolled, so that "make wcet" meets no loop.
 */
static noinline __cold unsigned int drain_failing(struct tlsf_pool *pool)
{
	unsigned int n;

#pragma GCC unroll TLSF_DRAIN_FAILING
	for (n = 0; n < TLSF_DRAIN_FAILING; n++)
		if (!drain_one(pool))
			break;
	return n;
}

/* the same request once more: it counts as one */
static __always_inline void run_alloc_again(struct tlsf_pool *pool, struct op *op)
{
	if (op->cause == TLSF_E_EXHAUSTED)
		pool->core.fail_exhausted--;
	else
		pool->core.fail_fragmented--;
	run_alloc_sized(pool, op);
}

/* is it worth trying once more? */
static bool alloc_may_succeed(struct tlsf_pool *pool, struct op *op)
{
	op->cause = op->status;
	return (op->status == TLSF_E_EXHAUSTED || op->status == TLSF_E_FRAGMENTED) &&
	       tlsf_defer_pending(&pool->defer) && drain_failing(pool);
}

static noinline void alloc_again(struct tlsf_pool *pool, struct op *op)
{
	if (alloc_may_succeed(pool, op))
		locked(pool, op, run_alloc_again);
}

/* outside the lock: zeroing takes time in proportion to the size, which is the block's own */
static noinline void zero_usable(void *ptr, size_t from)
{
	struct tlsf_block b = block_copy(ptr);

	memset(ptr + from, 0, tlsf_block_size(&b) - TLSF_BLOCK_HEADER - from);
}

static noinline void alloc_timed(struct tlsf_pool *pool, struct op *op, struct tlsf_cost *cost)
{
	locked_timed(pool, op, run_alloc_sized, TLSF_LAT_ALLOC, cost);
	if (unlikely(!op->ptr) && alloc_may_succeed(pool, op))
		locked_timed(pool, op, run_alloc_again, TLSF_LAT_ALLOC, cost);
	if (op->ptr)
		trace_tlsf_alloc(pool->name, op->ptr, op->size, op->align, cost->hold,
				 cost->total, cost->steps, op->caller);
}

/* what is left to do, outside the lock, when there is no block or it is to be zeroed */
static noinline void *alloc_finish(struct tlsf_pool *pool, struct op *op, gfp_t flags)
{
	if (!op->size)
		return ZERO_SIZE_PTR;
	if (!op->ptr)
		alloc_failed(pool, op, flags);
	else if (flags & __GFP_ZERO)
		zero_usable(op->ptr, 0);
	return op->ptr;
}

/*
 * The ways off the plain path make an op of their own, so that the address of the
 * plain path's never leaves it, and it stays in registers.
 */
static noinline __cold void *alloc_traced(struct tlsf_pool *pool, size_t align, size_t size,
					  gfp_t flags, unsigned long caller)
{
	struct op op = { .align = align, .size = size, .caller = caller };
	struct tlsf_cost cost;

	if (!size)
		return ZERO_SIZE_PTR;
	alloc_timed(pool, &op, &cost);
	return alloc_finish(pool, &op, flags);
}

static noinline __cold void *alloc_report(struct tlsf_pool *pool, enum tlsf_status status,
					  size_t align, size_t size, gfp_t gfp,
					  unsigned long caller)
{
	struct op op = { .align = align, .size = size, .caller = caller, .status = status };

	alloc_again(pool, &op);
	return alloc_finish(pool, &op, gfp);
}

/* the core gave nothing, and says why under the lock */
void *tlsf_pool_alloc_refused(struct tlsf_pool *pool, size_t align, unsigned long flags,
			      unsigned long caller)
{
	enum tlsf_status status = tlsf_core_status(&pool->core);
	size_t size = pool->request_size;
	gfp_t gfp = pool->request_gfp;

	tlsf_unlock_irqrestore(&pool->lock, flags);
	return alloc_report(pool, status, align, size, gfp, caller);
}

/* a request that fails is recorded all the same; the reading includes coming here */
static noinline __cold void *alloc_recorded_refused(struct tlsf_pool *pool, size_t align,
						    unsigned long flags, u64 start,
						    unsigned long caller)
{
	struct tlsf_sample s = {
		.op = TLSF_LAT_ALLOC, .start = start, .locked = start, .end = tlsf_clock(),
		.steps = pool->core.steps, .size = pool->request_size, .align = align,
		.caller = caller,
	};
	enum tlsf_status status = tlsf_core_status(&pool->core);
	gfp_t gfp = pool->request_gfp;

	steps_see(pool, s.steps);
	tlsf_unlock(&pool->lock);
	tlsf_latency_record(&pool->latency, &s);
	local_irq_restore(flags);
	return alloc_report(pool, status, align, s.size, gfp, caller);
}

static __always_inline void *alloc_recorded(struct tlsf_pool *pool, size_t align, size_t size,
					    gfp_t gfp)
{
	unsigned long flags;
	u64 start;
	void *ptr;

	if (unlikely(gfp & __GFP_ZERO) || unlikely(!record_begin(pool, &flags, &start)))
		return alloc_traced(pool, align, size, gfp, TLSF_LISTENED_IP);
	pool->request_size = size;
	pool->request_gfp = gfp;
	ptr = tlsf_fast_alloc_align(&pool->core, align, size);
	if (unlikely(!ptr))
		return alloc_recorded_refused(pool, align, flags, start, TLSF_LISTENED_IP);
	record_end(pool, TLSF_LAT_ALLOC, flags, start, pool->request_size, align, 0);
	return ptr;
}

void *tlsf_pool_alloc_listened(size_t size, gfp_t gfp, struct tlsf_pool *pool)
{
	return alloc_recorded(pool, TLSF_MINALIGN, size, gfp);
}

void *tlsf_pool_memalign_listened(size_t align, size_t size, gfp_t gfp, struct tlsf_pool *pool)
{
	return alloc_recorded(pool, tlsf_pool_align(align), size, gfp);
}

void *tlsf_pool_alloc_apart(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
			    unsigned long caller)
{
	struct op op = { .align = align, .size = size, .caller = caller };

	pool_drain(pool);
	locked(pool, &op, run_alloc);
	if (unlikely(!op.ptr))
		alloc_again(pool, &op);
	return alloc_finish(pool, &op, gfp);
}

void *tlsf_pool_alloc_slow(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
			   unsigned long flags, unsigned long caller)
{
	local_irq_restore(flags);
	return tlsf_pool_alloc_apart(pool, align, size, gfp, caller);
}

/* ---- free ---- */

static noinline void free_timed(struct tlsf_pool *pool, struct op *op, struct tlsf_cost *cost)
{
	locked_timed(pool, op, run_free_sized, TLSF_LAT_FREE, cost);
	if (op->status == TLSF_OK)
		trace_tlsf_free(pool->name, op->ptr, cost->hold, cost->total, cost->steps,
				op->caller);
}

/* what is left to do, outside the lock, when the block was not taken back */
static void free_finish(struct tlsf_pool *pool, const struct op *op)
{
	if (op->status == TLSF_E_LOCK)
		free_defer(pool, op->ptr, op->caller);
	else if (op->status != TLSF_OK)
		report(pool, op->status, op->ptr, op->caller);
}

static noinline __cold void free_traced(struct tlsf_pool *pool, void *ptr, unsigned long caller)
{
	struct op op = { .ptr = ptr, .caller = caller };
	struct tlsf_cost cost;

	free_timed(pool, &op, &cost);
	free_finish(pool, &op);
}

/* what is refused is not recorded */
static __always_inline void free_recorded(struct tlsf_pool *pool, void *ptr)
{
	unsigned long flags;
	size_t before;
	u64 start;

	if (unlikely(!record_begin(pool, &flags, &start)))
		return free_traced(pool, ptr, TLSF_LISTENED_IP);
	before = pool->core.free;
	if (unlikely(tlsf_fast_free(&pool->core, ptr) != TLSF_OK))
		return tlsf_pool_free_refused(pool, ptr, flags, TLSF_LISTENED_IP);
	record_end(pool, TLSF_LAT_FREE, flags, start,
		   (pool->core.free - before) * TLSF_GRANULE, 0, 0);
}

void tlsf_pool_free_listened(struct tlsf_pool *pool, void *ptr)
{
	free_recorded(pool, ptr);
}

void tlsf_pool_free_refused(struct tlsf_pool *pool, void *ptr, unsigned long flags,
			    unsigned long caller)
{
	enum tlsf_status status = tlsf_core_free_refused(&pool->core, ptr);

	tlsf_unlock_irqrestore(&pool->lock, flags);
	report(pool, status, ptr, caller);
}

static void free_apart(struct tlsf_pool *pool, void *ptr, unsigned long caller)
{
	struct op op = { .ptr = ptr, .caller = caller };

	pool_drain(pool);
	locked(pool, &op, run_free);
	free_finish(pool, &op);
}

void tlsf_pool_free_slow(struct tlsf_pool *pool, void *ptr, unsigned long flags,
			 unsigned long caller)
{
	local_irq_restore(flags);
	free_apart(pool, ptr, caller);
}

/* for those who allocate and free on somebody's behalf, off the plain path */
static void *alloc_any(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
		       unsigned long caller)
{
	if (static_branch_unlikely(&tlsf_timing))
		return alloc_traced(pool, align, size, gfp, caller);
	return tlsf_pool_alloc_apart(pool, align, size, gfp, caller);
}

static void free_any(struct tlsf_pool *pool, void *ptr, unsigned long caller)
{
	if (static_branch_unlikely(&tlsf_timing))
		return free_traced(pool, ptr, caller);
	free_apart(pool, ptr, caller);
}

static size_t pool_ksize(struct tlsf_pool *pool, const void *ptr, unsigned long caller)
{
	enum tlsf_status status;
	unsigned long flags;
	size_t usable = 0;

	if (ZERO_OR_NULL_PTR(ptr))
		return 0;
	if (likely(tlsf_lock_irqsave(&pool->lock, &flags))) {
		status = tlsf_core_usable(&pool->core, ptr, &usable);
		tlsf_unlock_irqrestore(&pool->lock, flags);
	} else {
		status = block_look(pool, ptr, &usable);
	}
	if (unlikely(status != TLSF_OK))
		report(pool, status, ptr, caller);
	return usable;
}

/* ---- resize ---- */

static noinline void resize_timed(struct tlsf_pool *pool, struct op *op, struct tlsf_cost *cost)
{
	locked_timed(pool, op, run_resize, TLSF_LAT_RESIZE, cost);
}

static noinline __cold void resize_traced(struct tlsf_pool *pool, struct op *op)
{
	struct tlsf_cost cost;

	resize_timed(pool, op, &cost);
}

static noinline void resize_listened(struct tlsf_pool *pool, struct op *op)
{
	unsigned long flags;
	u64 start;

	if (unlikely(!record_begin(pool, &flags, &start)))
		return resize_traced(pool, op);
	run_resize_fast(pool, op);
	record_end(pool, TLSF_LAT_RESIZE, flags, start, op->size, op->align, op->caller);
}

static bool status_blames_pointer(enum tlsf_status status)
{
	return status >= TLSF_E_OUTSIDE && status <= TLSF_E_LINKS;
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
static noinline void resize_backward(struct tlsf_pool *pool, struct op *op, bool may_sleep)
{
	struct op back = *op;
	size_t moved;

	locked(pool, &back, run_grow_back);
	if (status_blames_pointer(back.status))
		op->status = back.status;
	if (back.status != TLSF_OK)
		return;
	moved = contents_move(back.ptr, op->ptr, op->old_usable, may_sleep);
	op->status = moved == op->old_usable ? TLSF_OK : TLSF_E_KILLED;
	op->old_usable = moved;
	op->ptr = back.ptr;
	locked(pool, &back, run_resize);
	if (status_blames_pointer(back.status))
		report(pool, back.status, back.ptr, back.caller);
	op->usable = back.usable;
}

/*
 * The last resort: another block, a copy outside the lock, and the old one freed. When
 * that is refused the old block is still the caller's, and the new one goes.
 */
static noinline void resize_elsewhere(struct tlsf_pool *pool, struct op *op, gfp_t flags,
				      bool may_sleep)
{
	struct op to = { .align = op->align, .size = op->size, .caller = op->caller };

	locked(pool, &to, run_alloc_sized);
	if (!to.ptr)
		alloc_again(pool, &to);
	op->status = to.status;
	if (!to.ptr)
		return alloc_failed(pool, &to, flags);
	if (contents_move(to.ptr, op->ptr, op->old_usable, may_sleep) == op->old_usable)
		locked(pool, op, run_free);
	else
		op->status = TLSF_E_KILLED;
	if (op->status == TLSF_E_LOCK) {
		free_defer(pool, op->ptr, op->caller);
		op->status = TLSF_OK;
	}
	if (op->status == TLSF_OK) {
		op->ptr = to.ptr;
		op->usable = to.usable;
		return;
	}
	if (status_blames_pointer(op->status))
		report(pool, op->status, op->ptr, op->caller);
	locked(pool, &to, run_free);
	free_finish(pool, &to);
}

/*
 * There was no room above: move, to below or away. Whatever fails is counted and
 * reported here, and then the block is as it was: but TLSF_E_KILLED, with another
 * op->ptr, is a block that has grown downwards and has the first op->old_usable bytes of
 * its contents.
 */
static void resize_moving(struct tlsf_pool *pool, struct op *op, gfp_t flags, bool may_sleep)
{
	if (op->status == TLSF_E_FRAGMENTED)
		resize_backward(pool, op, may_sleep);
	if (op->status == TLSF_E_FRAGMENTED)
		return resize_elsewhere(pool, op, flags, may_sleep);
	if (status_blames_pointer(op->status))
		report(pool, op->status, op->ptr, op->caller);
	else if (op->status != TLSF_OK && op->status != TLSF_E_KILLED)
		alloc_failed(pool, op, flags);
}

static void *pool_realloc(struct tlsf_pool *pool, const void *ptr, size_t align, size_t size,
			  gfp_t flags, unsigned long caller)
{
	struct op op = { .ptr = (void *)ptr, .align = align, .size = size, .caller = caller };

	if (ZERO_OR_NULL_PTR(ptr))
		return alloc_any(pool, align, size, flags, caller);
	if (!size) {
		free_any(pool, op.ptr, caller);
		return ZERO_SIZE_PTR;
	}
	if (static_branch_unlikely(&tlsf_timing)) {
		resize_listened(pool, &op);
	} else {
		pool_drain(pool);
		locked(pool, &op, run_resize_fast);
	}
	resize_moving(pool, &op, flags, false);
	if (op.status != TLSF_OK)
		return NULL;
	if (flags & __GFP_ZERO)
		zero_usable(op.ptr, min(size, op.old_usable));
	return op.ptr;
}

/* ---- exported: pools of one's own ---- */

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
 * tlsf_pool_ksize() - how many bytes a block has
 * @pool: pool
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * What is more than was asked for may be used only after a tlsf_pool_realloc() to this
 * size: FORTIFY_SOURCE knows no more than the last size asked for. That one leaves the
 * block where it is and succeeds in a full pool too; it can fail only where the lock is
 * not to be waited for, as in NMI.
 *
 * Context: any; never sleeps. Bound: no step, one validation under the lock.
 * Return: bytes, at least those asked for; 0 for NULL, ZERO_SIZE_PTR and, reported, for
 *	what is no block of the pool.
 */
size_t tlsf_pool_ksize(struct tlsf_pool *pool, const void *ptr)
{
	return pool_ksize(pool, ptr, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_pool_ksize);

/**
 * tlsf_pool_stats() - one consistent look at a pool
 * @pool: pool, or NULL for the default one
 * @stats: filled in
 *
 * Context: any; never sleeps. Bound: constant, no list is walked. All is 0 where the
 *	lock is not to be had and not to be waited for, as in NMI.
 */
void tlsf_pool_stats(struct tlsf_pool *pool, struct tlsf_pool_stats *stats)
{
	struct tlsf_core_stats s;
	unsigned long flags;

	pool = pool ?: tlsf_default_pool;
	*stats = (struct tlsf_pool_stats){};
	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return;
	tlsf_core_stats(&pool->core, &s);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	*stats = (struct tlsf_pool_stats){
		.pool_bytes = pool->bytes,
		.used_bytes = s.used_bytes,
		.free_bytes = s.free_bytes,
		.overhead_bytes = pool->bytes - s.used_bytes - s.free_bytes,
		.largest_free = s.largest_free,
		.max_request = pool->max_request,
		.high_water = s.high_water,
		.used_blocks = s.used_blocks,
		.free_blocks = s.free_blocks,
		.allocs = s.allocs,
		.frees = s.frees,
		.resizes = s.resizes,
		.fail_exhausted = s.fail_exhausted,
		.fail_fragmented = s.fail_fragmented,
		.bad_frees = s.bad_pointers + atomic_long_read(&pool->bad_deferred),
		.fail_busy = atomic_long_read(&pool->fail_busy),
		.deferred_frees = atomic_long_read(&pool->deferred_frees),
		.damaged = READ_ONCE(pool->damaged),
		.fail_damaged = atomic_long_read(&pool->fail_damaged),
	};
}
EXPORT_SYMBOL_GPL(tlsf_pool_stats);

/**
 * tlsf_pool_damaged() - was the heap found damaged?
 * @pool: pool, or NULL for the default one
 *
 * Somebody wrote where no memory was theirs, and an allocation met it: the log says so,
 * and every request is refused from then on, whatever is free. Frees go on. There is no
 * repair but another pool.
 *
 * Context: any; never sleeps. Bound: one read, no lock.
 */
bool tlsf_pool_damaged(const struct tlsf_pool *pool)
{
	return READ_ONCE((pool ?: tlsf_default_pool)->damaged);
}
EXPORT_SYMBOL_GPL(tlsf_pool_damaged);

/* ---- life of a pool ---- */

/* lay out control structure and region in the pool's memory */
static int pool_format(struct tlsf_pool *pool)
{
	size_t size = tlsf_core_size(pool->bytes);
	size_t heap = ALIGN(offsetof(struct tlsf_pool, core) + size, SMP_CACHE_BYTES);
	struct tlsf_core_stats s;

	tlsf_defer_init(&pool->defer, (void *)pool + heap, (void *)pool + pool->bytes);
	if (!tlsf_core_init(&pool->core, size, pool->bytes) ||
	    tlsf_core_add_region(&pool->core, (void *)pool + heap, pool->bytes - heap) != TLSF_OK)
		return -EINVAL;
	tlsf_core_stats(&pool->core, &s);
	pool->max_request = s.largest_free;
	return 0;
}

static void pool_release(struct tlsf_pool *pool)
{
	tlsf_latency_destroy(&pool->latency);
	vfree(pool);
}

/* what pools leave to the rest of the machine: memory taken to the end is a deadlock */
#define TLSF_RESERVE_MIN	((u64)SZ_16M)
#define TLSF_RESERVE_MAX	((u64)SZ_256M)

static u64 memory_reserve(void)
{
	return clamp(((u64)totalram_pages() << PAGE_SHIFT) / 16, TLSF_RESERVE_MIN,
		     TLSF_RESERVE_MAX);
}

static u64 memory_available(void)
{
	return (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;
}

static bool memory_suffices(u64 bytes)
{
	return bytes + memory_reserve() <= memory_available();
}

static bool name_is_good(const char *name)
{
	return name && *name && strlen(name) < TLSF_POOL_NAME_LEN && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static struct tlsf_pool *pool_make(const char *name, size_t bytes)
{
	struct tlsf_pool *pool;
	int err = -ENOMEM;

	/* fail and say so, rather than have the OOM killer make room */
	pool = __vmalloc(bytes, GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!pool)
		return ERR_PTR(err);
	*pool = (struct tlsf_pool){ .bytes = bytes };
	raw_spin_lock_init(&pool->lock.raw);
	reports_init(pool);
	drain_init(pool);
	strscpy(pool->name, name, sizeof(pool->name));
	err = tlsf_latency_init(&pool->latency, pool->name) ?: pool_format(pool);
	if (!err)
		return pool;
	pool_release(pool);
	return ERR_PTR(err);
}

/* no more than leaves the reserve: not tried, and given back if others took it meanwhile */
static struct tlsf_pool *pool_make_within(const char *name, size_t bytes)
{
	struct tlsf_pool *pool = ERR_PTR(-ENOMEM);

	mutex_lock(&create_lock);
	if (memory_suffices((u64)bytes + tlsf_latency_bytes()))
		pool = pool_make(name, bytes);
	if (!IS_ERR(pool) && !memory_suffices(0)) {
		pool_release(pool);
		pool = ERR_PTR(-ENOMEM);
	}
	mutex_unlock(&create_lock);
	return pool;
}

static struct tlsf_pool *pool_find(const char *name)
{
	struct tlsf_pool *pool;

	lockdep_assert_held(&pools_lock);
	list_for_each_entry(pool, &pools, link)
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
}

/* under its name into the list, unless the name is taken */
static int pool_publish(struct tlsf_pool *pool)
{
	int err = 0;

	mutex_lock(&pools_lock);
	if (pool_find(pool->name)) {
		err = -EEXIST;
	} else {
		list_add_tail(&pool->link, &pools);
		if (observer)
			observer->created(pool);
	}
	mutex_unlock(&pools_lock);
	return err;
}

/**
 * tlsf_pool_create() - make a pool of one's own
 * @name: 1 to 15 characters without a slash, as its statistics are found under
 * @bytes: memory to take, rounded up to whole pages; 16 KiB to 256 GiB. All is taken
 *	at once; control structure and headers come out of it.
 *
 * Besides @bytes it takes 80 KiB of histograms for each possible CPU, and 144 KiB. Of the
 * memory that is available it leaves a sixteenth of the machine's, at least 16 MiB and at
 * most 256 MiB: a pool that would take more is refused.
 *
 * Context: task; may sleep.
 * Return: the pool, or ERR_PTR(): -EINVAL for a bad name or size, -EEXIST for a name
 *	in use, -ENOMEM.
 */
struct tlsf_pool *tlsf_pool_create(const char *name, size_t bytes)
{
	struct tlsf_pool *pool;
	int err;

	if (!name_is_good(name) || bytes < TLSF_POOL_MIN || bytes > TLSF_POOL_MAX)
		return ERR_PTR(-EINVAL);
	pool = pool_make_within(name, PAGE_ALIGN(bytes));
	if (IS_ERR(pool))
		return pool;
	err = pool_publish(pool);
	if (!err)
		return pool;
	pool_release(pool);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(tlsf_pool_create);

/* live blocks at the end are the user's mistake: list them, crash nothing */
static void report_leaks(struct tlsf_pool *pool)
{
	struct tlsf_cursor at = {};
	struct tlsf_block_info info;
	struct tlsf_core_stats s;
	unsigned int listed = 0;

	tlsf_core_stats(&pool->core, &s);
	if (!s.used_blocks)
		return;
	pr_err("pool %s: leak: %zu live blocks, %zu bytes, as the pool is destroyed\n",
	       pool->name, s.used_blocks, s.used_bytes);
	while (listed < LEAKS_LISTED && tlsf_core_walk(&pool->core, &at, &info)) {
		if (info.free)
			continue;
		pr_err("pool %s: leak: live block at +%zu, %zu bytes\n", pool->name,
		       tlsf_pool_offset(pool, info.ptr), info.size);
		listed++;
	}
}

/**
 * tlsf_pool_destroy() - give a pool back
 * @pool: pool, or NULL or an ERR_PTR() to do nothing
 *
 * Blocks that are still allocated are reported in the log and go with the pool.
 *
 * Context: task; may sleep. The caller makes sure that nobody uses the pool.
 */
void tlsf_pool_destroy(struct tlsf_pool *pool)
{
	if (IS_ERR_OR_NULL(pool))
		return;
	mutex_lock(&pools_lock);
	list_del(&pool->link);
	if (observer)
		observer->destroyed(pool);
	mutex_unlock(&pools_lock);
	drain_exit(pool);
	reports_exit(pool);
	report_leaks(pool);
	pool_release(pool);
}
EXPORT_SYMBOL_GPL(tlsf_pool_destroy);

/* ---- exported: the default pool under slab's names ---- */

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

/**
 * tlsf_kfree_sensitive() - overwrite a block of the default pool and free it
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * What the free then refuses, beside damage, has been overwritten all the same: its
 * contents were given up.
 *
 * Context: any; never sleeps. Bound: as tlsf_kfree(); overwriting is outside
 *	the lock and in proportion to the size.
 */
void tlsf_kfree_sensitive(const void *ptr)
{
	size_t usable = pool_ksize(tlsf_default_pool, ptr, _RET_IP_);

	if (!usable)
		return;
	memzero_explicit((void *)ptr, usable);
	free_any(tlsf_default_pool, (void *)ptr, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_kfree_sensitive);

/**
 * tlsf_ksize() - how many bytes a block of the default pool has
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * To use more than was asked for, tlsf_krealloc() to this size first: see
 * tlsf_pool_ksize().
 *
 * Context: any; never sleeps. Bound: as tlsf_pool_ksize().
 * Return: as tlsf_pool_ksize().
 */
size_t tlsf_ksize(const void *ptr)
{
	return pool_ksize(tlsf_default_pool, ptr, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_ksize);

/* ---- for the device and the views ---- */

/* the errno that says what a status means to user space */
static int status_errno(const struct tlsf_pool *pool, enum tlsf_status status)
{
	if (status == TLSF_OK)
		return 0;
	if (status == TLSF_E_KILLED)
		return -EINTR;
	if (READ_ONCE(pool->damaged))
		return -EIO;
	if (status == TLSF_E_SIZE || status == TLSF_E_ALIGN)
		return -E2BIG;
	return status_blames_pointer(status) ? -EIO : -ENOMEM;
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
	struct op op = { .align = align, .size = size, .caller = _RET_IP_ };

	*cost = (struct tlsf_cost){};
	if (size > pool->max_request || align > pool->max_request)
		return -E2BIG;
	alloc_timed(pool, &op, cost);
	alloc_finish(pool, &op, flags);
	*ptr = op.ptr;
	cost->usable = op.usable;
	return status_errno(pool, op.status);
}

/**
 * tlsf_pool_free_cost() - free, and say what it cost
 * @pool: pool
 * @ptr: block
 * @cost: out: what it took
 *
 * Context: any but NMI.
 * Return: 0; -EIO when the pointer was refused, and reported.
 */
int tlsf_pool_free_cost(struct tlsf_pool *pool, void *ptr, struct tlsf_cost *cost)
{
	struct op op = { .ptr = ptr, .caller = _RET_IP_ };

	free_timed(pool, &op, cost);
	free_finish(pool, &op);
	return op.status == TLSF_OK ? 0 : -EIO;
}

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
	struct op op = { .ptr = *ptr, .align = align, .size = size, .caller = _RET_IP_ };

	*cost = (struct tlsf_cost){};
	if (size > pool->max_request)
		return -E2BIG;
	resize_timed(pool, &op, cost);
	if (may_move || op.status != TLSF_E_FRAGMENTED)
		resize_moving(pool, &op, __GFP_NOWARN, true);
	*ptr = op.ptr;
	cost->usable = op.usable;
	cost->kept = min(op.old_usable, op.usable);
	return status_errno(pool, op.status);
}

/* up to @room blocks from @at, under one hold of the lock; -EAGAIN when @at is stale */
static int walk_chunk(struct tlsf_pool *pool, struct tlsf_pool_cursor *at,
		      struct tlsf_pool_block *blocks, unsigned int room, unsigned int *got)
{
	struct tlsf_cursor core_at = { .offset = at->offset };
	size_t generation = tlsf_core_generation(&pool->core);
	struct tlsf_block_info info;
	unsigned int n = 0;

	lockdep_assert_held(&pool->lock.raw);
	if (at->offset && at->generation != generation)
		return -EAGAIN;
	while (n < room && tlsf_core_walk(&pool->core, &core_at, &info))
		blocks[n++] = (struct tlsf_pool_block){ tlsf_pool_offset(pool, info.ptr),
							info.size, info.free };
	*at = (struct tlsf_pool_cursor){ core_at.offset, generation };
	*got = n;
	return 0;
}

/**
 * tlsf_pool_walk() - the map of blocks in address order
 * @pool: pool
 * @at: where to go on; zero at first; moved on. Never taken from outside the kernel.
 * @blocks: filled in
 * @nr: in: room; out: blocks; fewer than the room at the end of the map
 * @atomic: look at all in one hold of the lock, in time proportional to @nr; otherwise
 *	at TLSF_POOL_WALK_CHUNK at a time
 *
 * Context: task.
 * Return: 0, or -EAGAIN when the pool changed since @at.
 */
int tlsf_pool_walk(struct tlsf_pool *pool, struct tlsf_pool_cursor *at,
		   struct tlsf_pool_block *blocks, unsigned int *nr, bool atomic)
{
	unsigned int room, got, done = 0;
	unsigned long flags;
	int err = 0;

	while (!err && done < *nr) {
		room = atomic ? *nr : min_t(unsigned int, *nr - done, TLSF_POOL_WALK_CHUNK);
		if (!tlsf_lock_irqsave(&pool->lock, &flags))
			return -EAGAIN;
		err = walk_chunk(pool, at, blocks + done, room, &got);
		tlsf_unlock_irqrestore(&pool->lock, flags);
		if (err)
			break;
		done += got;
		if (got < room)
			break;
	}
	*nr = done;
	return err;
}

/**
 * tlsf_pool_check() - prove every invariant of the heap
 * @pool: pool
 * @offset: out: where the first broken one is, from the start of the pool
 * @blocks: out: blocks that there are
 *
 * Context: any but NMI; holds the lock in proportion to the number of blocks.
 * Return: 0, or the number of the first broken invariant (tlsf_core.h), or UINT_MAX when
 *	called inside a section of ours and nothing was looked at.
 */
unsigned int tlsf_pool_check(struct tlsf_pool *pool, size_t *offset, size_t *blocks)
{
	const void *where = (void *)pool;
	struct tlsf_core_stats s;
	unsigned long flags;
	unsigned int broken;

	*offset = *blocks = 0;
	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return UINT_MAX;
	broken = tlsf_core_check(&pool->core, &where);
	tlsf_core_stats(&pool->core, &s);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	*offset = tlsf_pool_offset(pool, where);
	*blocks = s.used_blocks + s.free_blocks;
	return broken;
}

/**
 * tlsf_pool_stats_reset() - count events, steps and the high water afresh
 * @pool: pool
 *
 * Context: any but NMI.
 */
void tlsf_pool_stats_reset(struct tlsf_pool *pool)
{
	unsigned long flags;

	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return;
	tlsf_core_stats_reset(&pool->core);
	atomic_long_set(&pool->fail_busy, 0);
	atomic_long_set(&pool->deferred_frees, 0);
	atomic_long_set(&pool->bad_deferred, 0);
	atomic_long_set(&pool->fail_damaged, 0);
	WRITE_ONCE(pool->steps_seen, 0);
	tlsf_unlock_irqrestore(&pool->lock, flags);
}

const char *tlsf_pool_name(const struct tlsf_pool *pool)
{
	return pool->name;
}

struct tlsf_latency *tlsf_pool_latency(struct tlsf_pool *pool)
{
	return &pool->latency;
}

size_t tlsf_pool_offset(const struct tlsf_pool *pool, const void *ptr)
{
	return ptr - (void *)pool;
}

unsigned int tlsf_pool_steps_seen(struct tlsf_pool *pool)
{
	return READ_ONCE(pool->steps_seen);
}

unsigned int tlsf_pool_steps_max(void)
{
	return TLSF_STEPS_MAX;
}

size_t tlsf_pool_min_usable(void)
{
	return TLSF_BLOCK_MIN - TLSF_BLOCK_HEADER;
}

/* a tracepoint is being used, or no longer: time operations for it */
int tlsf_trace_reg(void)
{
	static_branch_inc(&traced);
	static_branch_inc(&tlsf_timing);
	return 0;
}

void tlsf_trace_unreg(void)
{
	static_branch_dec(&tlsf_timing);
	static_branch_dec(&traced);
}

/**
 * tlsf_pool_observe() - be told of all pools, those that exist and those to come
 * @new: observer, or NULL to be told no more
 *
 * Context: task; may sleep.
 */
void tlsf_pool_observe(const struct tlsf_pool_observer *new)
{
	struct tlsf_pool *pool;

	mutex_lock(&pools_lock);
	if (observer)
		list_for_each_entry(pool, &pools, link)
			observer->destroyed(pool);
	observer = new;
	if (observer)
		list_for_each_entry(pool, &pools, link)
			observer->created(pool);
	mutex_unlock(&pools_lock);
}

/**
 * tlsf_pool_init() - make the default pool
 * @default_bytes: its size
 *
 * Context: task; may sleep.
 * Return: 0, or a negative errno, and then the log says what to do.
 */
int tlsf_pool_init(u64 default_bytes)
{
	if (default_bytes < TLSF_POOL_MIN || default_bytes > TLSF_POOL_MAX) {
		pr_err("pool_size=%llu refused: give %lu to %llu bytes\n", default_bytes,
		       TLSF_POOL_MIN, (u64)TLSF_POOL_MAX);
		return -EINVAL;
	}
	drain_queue = alloc_workqueue("tlsf", WQ_UNBOUND, 0);
	if (!drain_queue)
		return -ENOMEM;
	tlsf_default_pool = tlsf_pool_create("default", default_bytes);
	if (!IS_ERR(tlsf_default_pool))
		return 0;
	destroy_workqueue(drain_queue);
	pr_err("pool_size=%llu refused (%pe): %llu bytes are available, and %llu of them are left to the machine\n",
	       default_bytes, tlsf_default_pool, memory_available(), memory_reserve());
	return PTR_ERR(tlsf_default_pool);
}

/**
 * tlsf_pool_exit() - give the default pool back
 *
 * Context: task; may sleep. Pools of other modules are gone: they held this one.
 */
void tlsf_pool_exit(void)
{
	tlsf_pool_destroy(tlsf_default_pool);
	tlsf_default_pool = NULL;
	destroy_workqueue(drain_queue);
}
