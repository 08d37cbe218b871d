// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a pool tells others: reports in the log, tracepoints, an errno for each status.
 *
 * Room: pool. Reports may be made in any context: an irq_work prints them later. Each kind
 * has a limit of its own in each pool, and who comes while one is on its way, or beyond the
 * limit, is counted. Takes no lock but to retire a damaged pool.
 */
#define pr_fmt(fmt) "tlsf: " fmt

#include <linux/irq_work.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "tlsf_pool_priv.h"

#define CREATE_TRACE_POINTS
#include "tlsf_trace.h"

DEFINE_STATIC_KEY_FALSE(tlsf_traced);

/* ---- on the way to the log ---- */

static void report_print(const struct pool_report *r, enum pool_report_kind kind, int suppressed)
{
	const char *name = r->pool->name, *why = tlsf_core_strstatus(r->status);

	switch (kind) {
	case REPORT_POINTER:
		pr_err("pool %s: pointer %p from %pS rejected: %s (%d more not shown)\n",
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

/* ---- what there is to report ---- */

/**
 * tlsf_report_pointer() - a pointer was rejected
 * @pool: pool
 * @status: the rule that it breaks
 * @ptr: pointer
 * @caller: who gave it
 *
 * Context: any.
 */
void tlsf_report_pointer(struct tlsf_pool *pool, enum tlsf_status status, const void *ptr,
			 unsigned long caller)
{
	report_queue(pool, REPORT_POINTER, status, ptr, 0, caller);
}

/**
 * tlsf_report_damage() - the heap was found damaged
 * @pool: pool
 * @caller: whose request found it
 *
 * Context: any.
 */
void tlsf_report_damage(struct tlsf_pool *pool, unsigned long caller)
{
	report_queue(pool, REPORT_DAMAGE, TLSF_E_LINKS, NULL, 0, caller);
}

/**
 * tlsf_report_failure() - a request failed: count, trace and report it, as far as it is due
 * @pool: pool; retires when damage is why
 * @call: the request and its status
 * @gfp: __GFP_NOWARN keeps it out of the log
 *
 * Context: any.
 */
void __cold tlsf_report_failure(struct tlsf_pool *pool, const struct tlsf_call *call, gfp_t gfp)
{
	enum tlsf_status status = call->status;

	if (status == TLSF_E_LOCK)
		atomic_long_inc(&pool->events.fail_busy);
	else if (status == TLSF_E_LINKS || READ_ONCE(pool->damaged))
		atomic_long_inc(&pool->events.fail_damaged);
	if (status == TLSF_E_LOCK || READ_ONCE(pool->damaged))
		return;
	if (status == TLSF_E_LINKS)
		return tlsf_pool_retire(pool, call->caller);
	if (status == TLSF_E_EXHAUSTED || status == TLSF_E_FRAGMENTED)
		trace_tlsf_exhausted(pool->name, call->size, call->align,
				     status == TLSF_E_FRAGMENTED, call->caller);
	if (!(gfp & __GFP_NOWARN))
		report_queue(pool, REPORT_REQUEST, status, NULL, call->size, call->caller);
}

/* ---- life ---- */

/**
 * tlsf_reports_init() - nothing to report yet
 * @pool: pool
 *
 * Context: task.
 */
void tlsf_reports_init(struct tlsf_pool *pool)
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

/**
 * tlsf_reports_exit() - no report is on its way any more
 * @pool: pool
 *
 * How many were suppressed since the last one that was printed is told.
 *
 * Context: task; may sleep.
 */
void tlsf_reports_exit(struct tlsf_pool *pool)
{
	static const char *const what[REPORT_KINDS] = {
		[REPORT_POINTER] = "rejected pointers",
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

/* ---- tracepoints ---- */

/* a tracepoint is being used, or no longer: time operations for it */
int tlsf_trace_reg(void)
{
	static_branch_inc(&tlsf_traced);
	static_branch_inc(&tlsf_timing);
	return 0;
}

void tlsf_trace_unreg(void)
{
	static_branch_dec(&tlsf_timing);
	static_branch_dec(&tlsf_traced);
}

/* ---- for user space ---- */

/**
 * tlsf_status_errno() - the errno that says what a status means to user space
 * @pool: pool
 * @status: of an operation
 *
 * Context: any.
 */
int tlsf_status_errno(const struct tlsf_pool *pool, enum tlsf_status status)
{
	if (status == TLSF_OK)
		return 0;
	if (status == TLSF_E_KILLED)
		return -EINTR;
	if (READ_ONCE(pool->damaged))
		return -EIO;
	if (status == TLSF_E_SIZE || status == TLSF_E_ALIGN)
		return -E2BIG;
	return tlsf_status_blames_pointer(status) ? -EIO : -ENOMEM;
}
