/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operations cost: clock, per-CPU histograms, worst-case witness.
 *
 * Room: latency. Knows no pool and no core; the pool tells it what to record. Records
 * with interrupts off, in a bounded number of steps, without a lock; reads and resets
 * from task context. Unit and frequency of the clock: tlsf_clock_hz(), tlsf_clock_ns().
 */
#ifndef _TLSF_LATENCY_H
#define _TLSF_LATENCY_H

#include <linux/jump_label.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/types.h>

#include "tlsf_map.h"

/* 2^28 cycles and more, a tenth of a second, share the last bucket */
#define TLSF_LATENCY_BUCKETS	768

enum tlsf_latency_op {
	TLSF_LATENCY_ALLOC,
	TLSF_LATENCY_FREE,
	TLSF_LATENCY_RESIZE,
	TLSF_LATENCY_OPS,
};

enum tlsf_latency_kind {
	TLSF_LATENCY_HOLD,	/* the core, with the lock held */
	TLSF_LATENCY_TOTAL,	/* waiting for the lock and the core */
	TLSF_LATENCY_KINDS,
};

/**
 * struct tlsf_sample - one timed operation
 * @op: which
 * @steps: steps the core took
 * @start: clock before the lock
 * @locked: clock with the lock held, before the core
 * @end: clock after the core, before the unlock
 * @size: bytes asked for or given back
 * @align: alignment asked for, 0 for none
 * @caller: return address into the user of the pool
 */
struct tlsf_sample {
	enum tlsf_latency_op op;
	unsigned int steps;
	u64 start;
	u64 locked;
	u64 end;
	size_t size;
	size_t align;
	unsigned long caller;
};

/**
 * struct tlsf_latency_witness - the worst operation, whole
 * @cycles: its figure of the histogram's kind; 0 before the first
 * @hold: cycles with the lock held
 * @time_ns: when it ended, CLOCK_MONOTONIC
 * @size: as in &struct tlsf_sample, and so @align, @caller and @steps
 * @align: see @size
 * @caller: see @size
 * @steps: see @size
 * @cpu: where
 * @context: 0 task, 1 softirq, 2 hardirq, 3 NMI
 */
struct tlsf_latency_witness {
	u64 cycles;
	u64 hold;
	u64 time_ns;
	size_t size;
	size_t align;
	unsigned long caller;
	unsigned int steps;
	unsigned int cpu;
	unsigned int context;
};

struct tlsf_latency_histogram {
	u64 count;
	u64 sum;
	u64 min;
	u64 max;
	struct tlsf_latency_witness worst;
	u64 bucket[TLSF_LATENCY_BUCKETS];
};

struct tlsf_latency;

/* on while histograms are recorded or a tracepoint is used: the one patched branch */
DECLARE_STATIC_KEY_FALSE(tlsf_timing);

/* get_cycles() where it counts cycles; it is constant zero elsewhere, as on UML */
#if defined(CONFIG_X86_TSC) && !defined(CONFIG_UML)
#define TLSF_CLOCK_CYCLES 1
#else
#define TLSF_CLOCK_CYCLES 0
#endif

/* the clock; the barriers keep the measured code on its side of it */
static __always_inline u64 tlsf_clock(void)
{
	u64 now;

	barrier();
	now = TLSF_CLOCK_CYCLES ? get_cycles() : ktime_get_mono_fast_ns();
	barrier();
	return now;
}

u64 tlsf_clock_hz(void);
u64 tlsf_clock_overhead(void);
u64 tlsf_clock_net(u64 from, u64 to);
u64 tlsf_clock_ns(u64 cycles);
void tlsf_clock_calibrate(void);

void tlsf_latency_enable(bool on);
bool tlsf_latency_enabled(void);
struct tlsf_latency *tlsf_latency_create(void);
void tlsf_latency_destroy(struct tlsf_latency *lat);
void tlsf_latency_record(struct tlsf_latency *lat, const struct tlsf_sample *s);
void tlsf_latency_read(struct tlsf_latency *lat, enum tlsf_latency_op op,
		       enum tlsf_latency_kind kind, struct tlsf_latency_histogram *sum);
void tlsf_latency_reset(struct tlsf_latency *lat);
u64 tlsf_latency_percentile(const struct tlsf_latency_histogram *h, unsigned int per_100k);
const char *tlsf_latency_op_name(enum tlsf_latency_op op);
const char *tlsf_latency_context_name(unsigned int context);

#endif /* _TLSF_LATENCY_H */
