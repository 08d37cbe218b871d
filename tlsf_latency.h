/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operations cost: clock, per-CPU histograms, worst-case witness.
 *
 * Room: latency. Knows no pool, and of the core the mapping alone; the pool tells it what
 * to record. Records with interrupts off, in a bounded number of steps, without a lock;
 * reads and resets from task context. Operations, kinds, contexts and units are those of
 * the ABI (uapi/linux/tlsf.h).
 *
 * The common case, an operation that found the lock free and broke no record, is
 * tlsf_latency_add(), inline: two comparisons in one, a sum and a bucket. All else is
 * rare, and a call.
 */
#ifndef _TLSF_LATENCY_H
#define _TLSF_LATENCY_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/jump_label.h>
#include <linux/kcsan-checks.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/seqlock.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/types.h>

#include <uapi/linux/tlsf.h>

#include "tlsf_map.h"

/* contexts that there are; TLSF_LAT_ANY stands for all of them, below TLSF_LAT_TASK */
#define TLSF_LATENCY_CONTEXTS	(TLSF_LAT_CONTEXTS - TLSF_LAT_TASK)

/**
 * struct tlsf_sample - one timed operation
 * @op: which
 * @steps: steps the core took
 * @start: clock before the lock
 * @locked: clock with the lock held, before the core; @start when the lock was free
 * @end: clock after the core, before the unlock
 * @size: bytes asked for or given back
 * @align: alignment asked for, 0 for none
 * @caller: return address into the user of the pool
 */
struct tlsf_sample {
	enum tlsf_lat_op op;
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
 * @context: enum tlsf_lat_context, never TLSF_LAT_ANY
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
	u64 bucket[TLSF_HISTOGRAM_BUCKETS];
};

/**
 * struct tlsf_latency_range - the least and the most of some operations
 * @seq: lets a reader see a whole witness; the one writer is the CPU, in one context
 * @min: fewest cycles; U64_MAX before the first
 * @max: most cycles
 * @worst: the operation that took @max
 */
struct tlsf_latency_range {
	seqcount_t seq;
	u64 min;
	u64 max;
	struct tlsf_latency_witness worst;
};

/**
 * struct tlsf_latency_cell - one CPU's operations of one kind in one context
 * @from: least raw reading that needs no look: @least and the clock's own overhead
 * @span: from there to the greatest
 * @least: @from in net cycles; at least 32, so that it has a logarithm
 * @sum: cycles of those that found the lock free
 * @bucket: histogram of them; the last has 2^28 cycles and more, a tenth of a second
 * @alone: extremes of them
 * @waited: extremes of those that waited, hold and total
 * @waited_sum: their cycles
 *
 * @from and @span are the gate: within it an operation breaks no record, exceeds no
 * threshold and has a bucket of its own.
 */
struct tlsf_latency_cell {
	u64 from;
	u64 span;
	u64 least;
	u64 sum;
	u64 bucket[TLSF_HISTOGRAM_BUCKETS];
	struct tlsf_latency_range alone;
	struct tlsf_latency_range waited[TLSF_LAT_KINDS];
	u64 waited_sum[TLSF_LAT_KINDS];
};

/* bits of the preempt count: the highest one set says which context it is */
#define TLSF_LATENCY_SLOTS	32

/**
 * struct tlsf_latency_cpu - where one CPU records
 * @cell: by operation, and by the highest bit of the preempt count that tells a context
 * @memory: of the cells
 */
struct tlsf_latency_cpu {
	struct tlsf_latency_cell *cell[TLSF_LAT_NR][TLSF_LATENCY_SLOTS];
	struct tlsf_latency_cell *memory;
};

/* histograms of those that waited: rare enough for all CPUs to share */
struct tlsf_latency_waited {
	atomic64_t bucket[TLSF_LAT_NR][TLSF_LATENCY_CONTEXTS][TLSF_LAT_KINDS]
			 [TLSF_HISTOGRAM_BUCKETS];
};

/**
 * struct tlsf_latency - the histograms of one pool
 * @cpu: constant after init, as @waited
 * @waited: see &struct tlsf_latency_waited
 * @name: of the pool; constant, and outlives this
 * @link: in the list of all
 */
struct tlsf_latency {
	struct tlsf_latency_cpu __percpu *cpu;
	struct tlsf_latency_waited *waited;
	const char *name;
	struct list_head link;
};

/* on while histograms are recorded or a tracepoint is used: the one patched branch */
DECLARE_STATIC_KEY_FALSE(tlsf_timing);

/* what get_cycles() reads, enum tlsf_cycle_unit; it is constant zero elsewhere, as on UML */
#if defined(CONFIG_X86_TSC) && !defined(CONFIG_UML)
#define TLSF_CLOCK_UNIT		TLSF_CYCLE_TSC
#define TLSF_CLOCK_HZ		(1000ULL * tsc_khz)
#elif defined(CONFIG_ARM64)
#define TLSF_CLOCK_UNIT		TLSF_CYCLE_CNTVCT
#define TLSF_CLOCK_HZ		arch_timer_get_cntfrq()
#else
#define TLSF_CLOCK_UNIT		TLSF_CYCLE_NS
#define TLSF_CLOCK_HZ		NSEC_PER_SEC
#endif

#define TLSF_CLOCK_CYCLES	(TLSF_CLOCK_UNIT != TLSF_CYCLE_NS)

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
void tlsf_clock_calibrate(void);

/* the highest bit of the preempt count that tells a context; bit 0 for a task */
static __always_inline unsigned long tlsf_latency_slot(void)
{
	unsigned long count = preempt_count() & (NMI_MASK | HARDIRQ_MASK);

	return __fls(count | in_serving_softirq() | 1);
}

/* nobody else writes to a cell */
static __always_inline void tlsf_latency_count(u64 *figure, u64 more)
{
	ASSERT_EXCLUSIVE_WRITER(*figure);
	/* Plainly, in one instruction. Who reads has the figure before or after. */
	data_race(*figure += more);
}

/**
 * tlsf_latency_add() - add an operation that found the lock free
 * @lat: histograms
 * @op: which operation
 * @raw: clock after less clock before, nothing subtracted
 *
 * Context: any, interrupts off.
 * Return: false when nothing was added: tlsf_latency_add_rare() is to do it.
 */
static __always_inline bool tlsf_latency_add(struct tlsf_latency *lat, enum tlsf_lat_op op,
					     u64 raw)
{
	struct tlsf_latency_cell *cell = this_cpu_read(lat->cpu->cell[op][tlsf_latency_slot()]);
	u64 beyond = raw - cell->from;
	unsigned long cycles, shift;

	if (unlikely(beyond > cell->span))
		return false;
	cycles = beyond + cell->least;
	tlsf_latency_count(&cell->sum, cycles);
	shift = __fls(cycles) - TLSF_SLI;
	tlsf_latency_count(&cell->bucket[(cycles >> shift) + (shift << TLSF_SLI)], 1);
	return true;
}

void tlsf_latency_add_rare(struct tlsf_latency *lat, enum tlsf_lat_op op, u64 raw, size_t size,
			   size_t align, unsigned int steps, unsigned long caller);
void tlsf_latency_enable(bool on);
bool tlsf_latency_enabled(void);
void tlsf_latency_recheck(void);
size_t tlsf_latency_bytes(void);
int tlsf_latency_init(struct tlsf_latency *lat, const char *name);
void tlsf_latency_destroy(struct tlsf_latency *lat);
void tlsf_latency_record(struct tlsf_latency *lat, const struct tlsf_sample *s);
void tlsf_latency_read(struct tlsf_latency *lat, enum tlsf_lat_op op,
		       enum tlsf_lat_kind kind, enum tlsf_lat_context context,
		       struct tlsf_latency_histogram *sum);
void tlsf_latency_reset(struct tlsf_latency *lat);
u64 tlsf_latency_percentile(const struct tlsf_latency_histogram *h, unsigned int per_100k);
bool tlsf_latency_symbol(unsigned long caller, char *text, size_t size);
const char *tlsf_latency_op_name(enum tlsf_lat_op op);
const char *tlsf_latency_context_name(enum tlsf_lat_context context);

#endif /* _TLSF_LATENCY_H */
