/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pool from inside: what the plain path (tlsf_plain.c) and all else that is done to a
 * pool (tlsf_pool.c) share.
 *
 * Room: pool; for its two files alone. The lock order stands in tlsf_pool.c.
 */
#ifndef _TLSF_PLAIN_H
#define _TLSF_PLAIN_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/ratelimit.h>
#include <linux/workqueue.h>

#include "tlsf_core.h"
#include "tlsf_defer.h"
#include "tlsf_latency.h"
#include "tlsf_lock.h"
#include "tlsf_pool.h"

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

/* The pool's own memory begins with this; the list heads and the region follow. */
struct tlsf_pool {
	/* under lock, as all that the core manages */
	struct tlsf_lock lock ____cacheline_aligned;
	unsigned int steps_seen;
	size_t request_size;		/* the allocation that is being served */
	gfp_t request_gfp;

	struct tlsf_defer defer;	/* blocks are taken off under lock */
	atomic_long_t fail_busy;	/* statistics of those without the lock */
	atomic_long_t deferred_frees;
	atomic_long_t bad_deferred;
	atomic_long_t fail_damaged;

	/* constant between create and destroy */
	size_t bytes ____cacheline_aligned;
	size_t max_request;
	struct tlsf_latency latency;
	char name[TLSF_POOL_NAME_LEN];

	/* set once, when the heap was found damaged; read without the lock */
	bool damaged;

	struct pool_report report[REPORT_KINDS];	/* each guarded by its @pending */

	/* take back deferred frees that no operation comes to take back */
	struct irq_work idle_work;
	struct delayed_work drain_work;

	struct list_head link;		/* under pools_lock */

	struct tlsf_core core ____cacheline_aligned;	/* under lock */
};

/*
 * The ways off the plain path. @caller is the user's code, for reports. @flags of the
 * interrupts: they are off, and these turn them on again.
 */

/*
 * Somebody listens: timed and recorded. Called last of all, and before a register is
 * saved: so the user's code is where they return to, but for kernels with frame pointers,
 * which are built without tail calls. The user's arguments come first, where they
 * already are.
 */
#if defined(CONFIG_ARM64)
/* The compiler knows none but its own there; the hint is XPACLRI, in case it is signed. */
static __always_inline unsigned long tlsf_listened_ip(void)
{
	register unsigned long ip asm("x30") = (*(unsigned long **)__builtin_frame_address(0))[1];

	asm("hint #7" : "+r" (ip));
	return ip;
}

#define TLSF_LISTENED_IP	tlsf_listened_ip()
#elif defined(CONFIG_FRAME_POINTER)
#define TLSF_LISTENED_IP	((unsigned long)__builtin_return_address(1))
#else
#define TLSF_LISTENED_IP	_RET_IP_
#endif

/* the core sees every value but the small powers of two that are always met */
static __always_inline size_t tlsf_pool_align(size_t align)
{
	return is_power_of_2(align) ? align : SIZE_MAX;
}

void *tlsf_pool_alloc_listened(size_t size, gfp_t gfp, struct tlsf_pool *pool);
void *tlsf_pool_memalign_listened(size_t align, size_t size, gfp_t gfp, struct tlsf_pool *pool);
void tlsf_pool_free_listened(struct tlsf_pool *pool, void *ptr);

/* to be zeroed, which takes its time in any case */
void *tlsf_pool_alloc_apart(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
			    unsigned long caller);

/* the lock is not to be had at once, or a free was deferred */
__cold void *tlsf_pool_alloc_slow(struct tlsf_pool *pool, size_t align, size_t size, gfp_t gfp,
				  unsigned long flags, unsigned long caller);
__cold void tlsf_pool_free_slow(struct tlsf_pool *pool, void *ptr, unsigned long flags,
				unsigned long caller);

/* the core refused, and says why under the lock, which these release */
__cold void *tlsf_pool_alloc_refused(struct tlsf_pool *pool, size_t align, unsigned long flags,
				     unsigned long caller);
__cold void tlsf_pool_free_refused(struct tlsf_pool *pool, void *ptr, unsigned long flags,
				   unsigned long caller);

#endif /* _TLSF_PLAIN_H */
