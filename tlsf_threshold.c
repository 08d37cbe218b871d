// SPDX-License-Identifier: GPL-2.0-only
/*
 * A number of cycles that no operation should take, and the first one that did.
 *
 * Room: latency. Includes tlsf_threshold.h and tlsf_latency.h.
 *
 * Nothing is added to the path of an operation: the threshold is one more bound of the
 * gate of struct tlsf_latency_cell, and who does not pass the gate asks here. Hence
 * setting it closes all gates once.
 *
 * The word @phase decides who owns the rest: OFF and ARMED belong to who sets, under
 * set_lock; whoever turns ARMED into TAKING, in whatever context, owns @first until it
 * says EXCEEDED; then all may read it until it is set again. Phase and threshold are
 * read one after the other, so who comes may have an old threshold: whoever takes looks
 * again, and says ARMED again when it was nothing.
 */
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "tlsf_threshold.h"

enum phase { OFF, ARMED, TAKING, EXCEEDED };

static atomic_t phase = ATOMIC_INIT(OFF);
static u64 max_cycles;				/* changes while OFF */
static struct tlsf_threshold_state first;	/* see above */
static DEFINE_MUTEX(set_lock);

DECLARE_WAIT_QUEUE_HEAD(tlsf_threshold_queue);

static void wake(struct irq_work *unused)
{
	wake_up_interruptible(&tlsf_threshold_queue);
}

/* waking takes a lock that sleeps on PREEMPT_RT: later, from where it may */
static struct irq_work wake_work = IRQ_WORK_INIT(wake);

/**
 * tlsf_threshold_limit() - cycles above which tlsf_threshold_exceed() wants to know
 *
 * Context: any.
 */
u64 tlsf_threshold_limit(void)
{
	int now = atomic_read(&phase);

	/* who is taking may find that it must not: the gates are to stay as they are */
	return now == ARMED || now == TAKING ? READ_ONCE(max_cycles) : U64_MAX;
}

/**
 * tlsf_threshold_exceed() - an operation was above the limit; the first that is counts
 * @pool: name of its pool
 * @op: which operation
 * @w: how it was
 *
 * Context: any, interrupts off.
 */
void tlsf_threshold_exceed(const char *pool, enum tlsf_lat_op op,
			   const struct tlsf_latency_witness *w)
{
	if (atomic_cmpxchg(&phase, ARMED, TAKING) != ARMED)
		return;
	if (w->cycles <= max_cycles) {
		atomic_set_release(&phase, ARMED);
		return;
	}
	tracing_off();
	first = (struct tlsf_threshold_state){
		.max_cycles = max_cycles, .exceeded = true, .op = op, .witness = *w,
	};
	strscpy(first.pool, pool, sizeof(first.pool));
	/* Pairs with the acquire in tlsf_threshold_exceeded() */
	atomic_set_release(&phase, EXCEEDED);
	irq_work_queue(&wake_work);
}

/* who is taking is on another processor, with interrupts off, and soon done */
static void disarm(void)
{
	int was;

	lockdep_assert_held(&set_lock);
	do {
		was = atomic_read(&phase);
		cpu_relax();
	} while (was == TAKING || atomic_cmpxchg(&phase, was, OFF) != was);
}

/**
 * tlsf_threshold_set() - set the threshold afresh and forget who exceeded the last one
 * @cycles: total cycles that an operation may take; 0 for no threshold
 *
 * Context: task; may sleep.
 */
void tlsf_threshold_set(u64 cycles)
{
	mutex_lock(&set_lock);
	disarm();
	WRITE_ONCE(max_cycles, cycles);
	if (cycles) {
		/* fully ordered: who sees it armed sees the threshold */
		atomic_xchg(&phase, ARMED);
		tlsf_latency_recheck();
	}
	mutex_unlock(&set_lock);
}

/**
 * tlsf_threshold_exceeded() - did an operation exceed the threshold since it was set?
 *
 * Context: any.
 */
bool tlsf_threshold_exceeded(void)
{
	/* Pairs with the release in tlsf_threshold_exceed() */
	return atomic_read_acquire(&phase) == EXCEEDED;
}

/**
 * tlsf_threshold_read() - the threshold, and who exceeded it
 * @state: filled in
 *
 * Context: task; may sleep.
 */
void tlsf_threshold_read(struct tlsf_threshold_state *state)
{
	mutex_lock(&set_lock);
	if (tlsf_threshold_exceeded())
		*state = first;
	else
		*state = (struct tlsf_threshold_state){ .max_cycles = max_cycles };
	mutex_unlock(&set_lock);
}

/**
 * tlsf_threshold_exit() - nothing is on its way any more
 *
 * Context: task; may sleep. Nothing may record any more, and nobody waits.
 */
void tlsf_threshold_exit(void)
{
	irq_work_sync(&wake_work);
}
