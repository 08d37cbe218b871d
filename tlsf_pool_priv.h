/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct tlsf_pool, and what the files of the pool share: private to them.
 *
 * Room: pool. For tlsf_{pool,alloc,realloc,section,stats,report}.c alone; may touch the core,
 * the lock, deferred frees and latency. A section is one hold of the lock with one operation
 * in it: the fast path's and the slow path's begin here.
 *
 * Lock order, outermost first:
 *
 *	create_lock	mutex; pools are made one at a time, so that what one finds
 *			available no other takes. Task context.
 *	pools_lock	mutex; the list of pools and the notifier. Task context.
 *	pool->lock	raw spinlock, always irqsave; everything in the core and the
 *			pool's own blocks' headers and links. A leaf: under it run the
 *			core's bounded steps and clock readings and nothing else. No
 *			other lock, no printing, no zeroing or copying, no tracepoint.
 *
 * Exceptions to "bounded" are the check and the atomic walk, which say so.
 */
#ifndef _TLSF_POOL_PRIV_H
#define _TLSF_POOL_PRIV_H

#include <linux/cache.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/ratelimit.h>
#include <linux/workqueue.h>

#include "tlsf_core.h"
#include "tlsf_defer.h"
#include "tlsf_latency.h"
#include "tlsf_lock.h"
#include "tlsf_pool.h"

/* status of an operation that could not have the lock: no status of the core */
#define TLSF_E_LOCK	TLSF_STATUS_NR
/* status of a resize whose caller was killed while the contents moved */
#define TLSF_E_KILLED	(TLSF_STATUS_NR + 1)

/* what there is to report; each kind has its own limit, so that none silences another */
enum pool_report_kind {
	REPORT_POINTER,		/* a pointer that was rejected */
	REPORT_REQUEST,		/* a request that failed */
	REPORT_DAMAGE,		/* the heap was found damaged: once */
	REPORT_KINDS,
};

/*
 * The last report of its kind, on its way to the log. Whoever sets @pending owns the other
 * fields until the irq_work has printed them; others only count.
 */
struct pool_report {
	struct irq_work work;
	struct tlsf_pool *pool;
	struct ratelimit_state limit;
	atomic_t pending;
	atomic_t suppressed;		/* since the last one that was printed */
	enum tlsf_status status;
	const void *ptr;		/* rejected pointer */
	size_t size;			/* of the request */
	unsigned long caller;
};

/*
 * The pool's memory begins with this; the core's control structure and its region follow.
 * Aligned so that the core's hot line is one cache line.
 */
struct tlsf_pool {
	/* under lock */
	struct tlsf_lock lock ____cacheline_aligned;
	unsigned int steps_seen;

	struct tlsf_defer defer;	/* blocks are taken off under lock */

	/* counters that are updated without the lock: see tlsf_pool.h */
#define TLSF_EVENT(name) atomic_long_t name;
	struct {
		TLSF_POOL_EVENTS(TLSF_EVENT)
	} events;
#undef TLSF_EVENT

	/* constant between create and destroy */
	size_t bytes ____cacheline_aligned;
	size_t max_request;
	struct tlsf_latency latency;
	char name[TLSF_NAME_LEN];

	/* set once, when the heap was found damaged; read without the lock */
	bool damaged;

	struct pool_report report[REPORT_KINDS];	/* each guarded by its @pending */

	/* take back deferred frees that no operation comes to take back */
	struct irq_work idle_work;
	struct delayed_work drain_work;

	struct list_head link;		/* under pools_lock */
} __aligned(64);

/* The core is at a constant distance: one address leads to both, and no load is needed. */
static __always_inline struct tlsf_core *tlsf_pool_core(const struct tlsf_pool *pool)
{
	return (struct tlsf_core *)(pool + 1);
}

/**
 * struct tlsf_call - one operation on the slow path
 * @ptr: block to free or resize; out: block that came of it
 * @align: alignment asked for
 * @size: bytes asked for
 * @old_usable: out of a resize: bytes that the block had
 * @caller: the user's code, for reports
 * @status: out
 * @retry: of a request: out: not over, deferred frees may serve it; in: this is the second try
 * @flags: of the interrupts, inside the section
 * @start: clock before the lock
 * @locked: clock with the lock held; @start when the lock was free
 * @steps: of the core
 * @cost: out: what it took; @cost.usable is set by who runs the operation
 */
struct tlsf_call {
	void *ptr;
	size_t align;
	size_t size;
	size_t old_usable;
	unsigned long caller;
	enum tlsf_status status;
	bool retry;
	unsigned long flags;
	u64 start;
	u64 locked;
	unsigned int steps;
	struct tlsf_cost cost;
};

/* of an allocated block, under the lock */
static __always_inline size_t tlsf_block_usable(const void *ptr)
{
	return tlsf_block_size(tlsf_block_of(ptr)) - TLSF_BLOCK_HEADER;
}

/* does this result speak of the pointer and not of the request? */
static inline bool tlsf_status_blames_pointer(enum tlsf_status status)
{
	return status >= TLSF_E_OUTSIDE && status <= TLSF_E_LINKS;
}

/* ---- the fast path's section ---- */

/* while a tracepoint is used every operation takes the slow path, which tells it */
DECLARE_STATIC_KEY_FALSE(tlsf_traced);

/*
 * Return address into the module's user. Unrecorded it is our own, since this is inlined into
 * the exported function. Recorded: that function called us by a tail call, so the address is the
 * same, but with frame pointers, where GCC makes no tail calls and it is one frame up. To be
 * called only where it is needed: passing it along costs three instructions.
 */
static __always_inline unsigned long tlsf_user_ip(const bool recorded)
{
#if defined(CONFIG_ARM64)
	/* The compiler knows its own frame alone; the hint is XPACLRI, in case it is signed. */
	if (recorded) {
		register unsigned long ip asm("x30") =
			(*(unsigned long **)__builtin_frame_address(0))[1];

		asm("hint #7" : "+r" (ip));
		return ip;
	}
#elif defined(CONFIG_FRAME_POINTER)
	if (recorded)
		return (unsigned long)__builtin_return_address(1);
#endif
	return _RET_IP_;
}

/* under the lock, in whose line this is; stored always, so that operations take equally long */
static __always_inline void tlsf_steps_record(struct tlsf_pool *pool, unsigned int steps)
{
	/* for tlsf_pool_steps_seen() */
	WRITE_ONCE(pool->steps_seen, max(pool->steps_seen, steps));
}

/*
 * Begin a section if that can be done at once: the lock is free, no freed block waits and,
 * when @recorded, nobody traces. False: nothing has happened, the slow path is to do it.
 */
static __always_inline bool tlsf_fast_begin(struct tlsf_pool *pool, unsigned long *flags,
					    u64 *start, const bool recorded)
{
	if (recorded && static_branch_unlikely(&tlsf_traced))
		return false;
	if (unlikely(tlsf_defer_pending(&pool->defer)))
		return false;
	local_irq_save(*flags);
	*start = recorded ? tlsf_clock() : 0;
	if (likely(tlsf_lock_try(&pool->lock)))
		return true;
	local_irq_restore(*flags);
	return false;
}

/*
 * End it. All parameters from @start on are used only if @recorded. @caller 0: it is looked up,
 * when there is a new minimum or maximum to tell of.
 */
static __always_inline void tlsf_fast_end(struct tlsf_pool *pool, unsigned long flags,
					  const bool recorded, u64 start, enum tlsf_lat_op op,
					  size_t size, size_t align, unsigned int steps,
					  unsigned long caller)
{
	u64 cycles;

	if (!recorded)
		return tlsf_unlock_irqrestore(&pool->lock, flags);
	cycles = tlsf_clock() - start;
	tlsf_steps_record(pool, steps);
	tlsf_unlock(&pool->lock);
	if (unlikely(!tlsf_latency_add(&pool->latency, op, cycles)))
		tlsf_latency_add_rare(&pool->latency, op, cycles, size, align, steps,
				      caller ?: tlsf_user_ip(recorded));
	local_irq_restore(flags);
}

/* ---- deferred frees, and the end of a section: tlsf_section.c ---- */

enum tlsf_status tlsf_block_look(const struct tlsf_pool *pool, const void *ptr, size_t *usable);
void tlsf_free_defer(struct tlsf_pool *pool, void *ptr, unsigned long caller);
bool tlsf_drain_one(struct tlsf_pool *pool);
void tlsf_drain_some(struct tlsf_pool *pool);
void tlsf_drain_failing(struct tlsf_pool *pool);
void tlsf_drain_init(struct tlsf_pool *pool);
void tlsf_drain_exit(struct tlsf_pool *pool);
void tlsf_slow_end(struct tlsf_pool *pool, struct tlsf_call *call, enum tlsf_lat_op op,
		   u64 end);

extern struct workqueue_struct *tlsf_drain_queue;	/* constant between init and exit */

/* ---- the slow path's section ---- */

/*
 * Begin a section whatever it takes. The clock is read whether anybody records or not: what
 * is slow already need not have two ways. False when the lock cannot be had and must not be
 * waited for: the status says so, and interrupts are as they were.
 */
static __always_inline bool tlsf_slow_begin(struct tlsf_pool *pool, struct tlsf_call *call)
{
	if (unlikely(tlsf_defer_pending(&pool->defer)))
		tlsf_drain_some(pool);
	local_irq_save(call->flags);
	call->start = tlsf_clock();
	call->locked = call->start;
	if (likely(tlsf_lock_try(&pool->lock)))
		return true;
	if (tlsf_lock_wait(&pool->lock)) {
		call->locked = tlsf_clock();
		return true;
	}
	local_irq_restore(call->flags);
	call->status = TLSF_E_LOCK;
	return false;
}

/* ---- the slow path: tlsf_alloc.c ---- */

void *tlsf_alloc_slow(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
		      unsigned long caller, struct tlsf_cost *cost);
void tlsf_free_slow(struct tlsf_pool *pool, void *ptr, unsigned long caller,
		    struct tlsf_cost *cost);
void tlsf_alloc_attempt(struct tlsf_pool *pool, struct tlsf_call *call, bool record);
void tlsf_zero(void *ptr, size_t from, size_t to);

/* ---- reports: tlsf_report.c ---- */

void tlsf_report_pointer(struct tlsf_pool *pool, enum tlsf_status status, const void *ptr,
			 unsigned long caller);
void tlsf_report_damage(struct tlsf_pool *pool, unsigned long caller);
void tlsf_report_failure(struct tlsf_pool *pool, const struct tlsf_call *call, gfp_t gfp);
void tlsf_reports_init(struct tlsf_pool *pool);
void tlsf_reports_exit(struct tlsf_pool *pool);
int tlsf_status_errno(const struct tlsf_pool *pool, enum tlsf_status status);

/* ---- life: tlsf_pool.c ---- */

void tlsf_pool_retire(struct tlsf_pool *pool, unsigned long caller);

#endif /* _TLSF_POOL_PRIV_H */
