// SPDX-License-Identifier: GPL-2.0-only
/*
 * What operations cost: clock, per-CPU histograms, worst-case witness.
 *
 * Room: latency. Includes tlsf_latency.h alone.
 *
 * A histogram belongs to one CPU and is written there with interrupts off, so it
 * needs no lock. A reader adds up all CPUs; it may see a count that is one ahead of
 * its bucket, never a torn figure on 64-bit. A reset runs on each CPU itself.
 *
 * Buckets are the size classes of TLSF applied to cycles (tlsf_map.h): exact below 64,
 * within 1/32 above.
 */
#define pr_fmt(fmt) "tlsf: " fmt

#include <linux/cpu.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "tlsf_latency.h"

#define CALIBRATION_ROUNDS	1000

struct lat_cpu {
	struct tlsf_latency_histogram h[TLSF_LATENCY_OPS][TLSF_LATENCY_KINDS];
};

struct tlsf_latency {
	unsigned int nr_cpus;		/* constant after create, as @cpu */
	struct lat_cpu *cpu[];
};

DEFINE_STATIC_KEY_FALSE(tlsf_timing);

/* constant after tlsf_clock_calibrate() */
static u64 clock_overhead;

/* guards tlsf_timing's count against two switches at once */
static DEFINE_MUTEX(enable_lock);
static bool enabled;

/* ---- clock ---- */

/**
 * tlsf_clock_hz() - ticks of tlsf_clock() per second
 *
 * Context: any.
 */
u64 tlsf_clock_hz(void)
{
#if TLSF_CLOCK_CYCLES
	return 1000ULL * tsc_khz;
#else
	return NSEC_PER_SEC;
#endif
}

/**
 * tlsf_clock_overhead() - what reading the clock twice measures of nothing
 *
 * Context: any.
 */
u64 tlsf_clock_overhead(void)
{
	return clock_overhead;
}

/**
 * tlsf_clock_net() - time between two readings, less the clock's own
 * @from: earlier reading
 * @to: later reading
 *
 * Context: any.
 */
u64 tlsf_clock_net(u64 from, u64 to)
{
	return to - from > clock_overhead ? to - from - clock_overhead : 0;
}

/**
 * tlsf_clock_ns() - cycles in nanoseconds
 * @cycles: of tlsf_clock()
 *
 * Context: any.
 */
u64 tlsf_clock_ns(u64 cycles)
{
	return mul_u64_u64_div_u64(cycles, NSEC_PER_SEC, tlsf_clock_hz());
}

/**
 * tlsf_clock_calibrate() - find the overhead: the least of many readings
 *
 * Context: task, once, before any pool is timed.
 */
void tlsf_clock_calibrate(void)
{
	u64 least = U64_MAX, start;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < CALIBRATION_ROUNDS; i++) {
		local_irq_save(flags);
		start = tlsf_clock();
		least = min(least, tlsf_clock() - start);
		local_irq_restore(flags);
	}
	clock_overhead = least;
}

/* ---- recording ---- */

static unsigned int context_now(void)
{
	if (in_nmi())
		return 3;
	if (in_hardirq())
		return 2;
	return in_serving_softirq() ? 1 : 0;
}

/* a new maximum: rare, so it may look at the time and where it is */
static noinline void witness_take(struct tlsf_latency_witness *w, const struct tlsf_sample *s,
				  u64 cycles)
{
	*w = (struct tlsf_latency_witness){
		.cycles = cycles,
		.hold = tlsf_clock_net(s->locked, s->end),
		.time_ns = ktime_get_mono_fast_ns(),
		.size = s->size,
		.align = s->align,
		.caller = s->caller,
		.steps = s->steps,
		.cpu = raw_smp_processor_id(),
		.context = context_now(),
	};
}

static void histogram_add(struct tlsf_latency_histogram *h, const struct tlsf_sample *s, u64 cycles)
{
	unsigned int i = TLSF_LATENCY_BUCKETS - 1;

	if (cycles < tlsf_map_floor(TLSF_LATENCY_BUCKETS))
		i = tlsf_map_index(cycles);
	h->bucket[i]++;
	h->sum += cycles;
	if (!h->count++ || cycles < h->min)
		h->min = cycles;
	if (h->count == 1 || cycles > h->max) {
		h->max = cycles;
		witness_take(&h->worst, s, cycles);
	}
}

/**
 * tlsf_latency_record() - add one operation to this CPU's histograms
 * @lat: histograms, or NULL for none
 * @s: what happened
 *
 * Context: any, interrupts off.
 */
void tlsf_latency_record(struct tlsf_latency *lat, const struct tlsf_sample *s)
{
	struct tlsf_latency_histogram *h;

	lockdep_assert_irqs_disabled();
	if (!lat || !READ_ONCE(enabled))
		return;
	h = lat->cpu[raw_smp_processor_id()]->h[s->op];
	histogram_add(&h[TLSF_LATENCY_HOLD], s, tlsf_clock_net(s->locked, s->end));
	/* three readings stand between start and end, and two of them count */
	histogram_add(&h[TLSF_LATENCY_TOTAL], s,
		      tlsf_clock_net(s->start, s->locked) + tlsf_clock_net(s->locked, s->end));
}

/**
 * tlsf_latency_enable() - switch recording of histograms
 * @on: whether to record
 *
 * Context: task; may sleep.
 */
void tlsf_latency_enable(bool on)
{
	mutex_lock(&enable_lock);
	if (on && !enabled)
		static_branch_inc(&tlsf_timing);
	if (!on && enabled)
		static_branch_dec(&tlsf_timing);
	WRITE_ONCE(enabled, on);
	mutex_unlock(&enable_lock);
}

/**
 * tlsf_latency_enabled() - are histograms recorded?
 *
 * Context: any.
 */
bool tlsf_latency_enabled(void)
{
	return READ_ONCE(enabled);
}

/* ---- life ---- */

/**
 * tlsf_latency_create() - empty histograms for every possible CPU
 *
 * Takes 37 KiB for each.
 *
 * Context: task; may sleep.
 * Return: the histograms, or NULL without memory.
 */
struct tlsf_latency *tlsf_latency_create(void)
{
	struct tlsf_latency *lat = kzalloc(struct_size(lat, cpu, nr_cpu_ids), GFP_KERNEL);
	int cpu;

	if (!lat)
		return NULL;
	lat->nr_cpus = nr_cpu_ids;
	for_each_possible_cpu(cpu) {
		lat->cpu[cpu] = kvzalloc_node(sizeof(*lat->cpu[0]), GFP_KERNEL, cpu_to_node(cpu));
		if (!lat->cpu[cpu]) {
			tlsf_latency_destroy(lat);
			return NULL;
		}
	}
	return lat;
}

/**
 * tlsf_latency_destroy() - give histograms back
 * @lat: histograms, or NULL
 *
 * Context: task; may sleep. Nothing may record any more.
 */
void tlsf_latency_destroy(struct tlsf_latency *lat)
{
	int cpu;

	if (!lat)
		return;
	for_each_possible_cpu(cpu)
		kvfree(lat->cpu[cpu]);
	kfree(lat);
}

static void reset_here(void *arg)
{
	struct tlsf_latency *lat = arg;

	memset(lat->cpu[raw_smp_processor_id()], 0, sizeof(*lat->cpu[0]));
}

/**
 * tlsf_latency_reset() - empty all histograms
 * @lat: histograms
 *
 * Context: task; may sleep.
 */
void tlsf_latency_reset(struct tlsf_latency *lat)
{
	int cpu;

	cpus_read_lock();
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			memset(lat->cpu[cpu], 0, sizeof(*lat->cpu[0]));
	on_each_cpu(reset_here, lat, 1);
	cpus_read_unlock();
}

/* ---- reading ---- */

static void histogram_merge(struct tlsf_latency_histogram *sum,
			    const struct tlsf_latency_histogram *h)
{
	unsigned int i;

	if (!READ_ONCE(h->count))
		return;
	sum->min = sum->count ? min(sum->min, h->min) : h->min;
	sum->count += h->count;
	sum->sum += h->sum;
	if (h->worst.cycles >= sum->worst.cycles) {
		sum->max = h->max;
		sum->worst = h->worst;
	}
	for (i = 0; i < TLSF_LATENCY_BUCKETS; i++)
		sum->bucket[i] += READ_ONCE(h->bucket[i]);
}

/**
 * tlsf_latency_read() - the histogram of one operation over all CPUs
 * @lat: histograms
 * @op: which operation
 * @kind: which stretch of it
 * @sum: filled in
 *
 * Context: task.
 */
void tlsf_latency_read(struct tlsf_latency *lat, enum tlsf_latency_op op,
		       enum tlsf_latency_kind kind, struct tlsf_latency_histogram *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu)
		histogram_merge(sum, &lat->cpu[cpu]->h[op][kind]);
}

/**
 * tlsf_latency_percentile() - cycles that a share of all operations did not exceed
 * @h: histogram
 * @per_100k: the share, in hundred-thousandths
 *
 * Context: any.
 * Return: upper end of the bucket in which the share is reached, no more than the
 * maximum; 0 for an empty histogram.
 */
u64 tlsf_latency_percentile(const struct tlsf_latency_histogram *h, unsigned int per_100k)
{
	u64 want = div_u64(h->count * per_100k + 99999, 100000), seen = 0;
	unsigned int i;

	for (i = 0; i < TLSF_LATENCY_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen >= want && seen)
			return min_t(u64, tlsf_map_floor(i + 1) - 1, h->max);
	}
	return h->max;
}

const char *tlsf_latency_op_name(enum tlsf_latency_op op)
{
	static const char *const name[TLSF_LATENCY_OPS] = {
		[TLSF_LATENCY_ALLOC] = "alloc",
		[TLSF_LATENCY_FREE] = "free",
		[TLSF_LATENCY_RESIZE] = "resize",
	};

	return name[op];
}

const char *tlsf_latency_context_name(unsigned int context)
{
	static const char *const name[] = { "task", "softirq", "hardirq", "NMI" };

	return name[context & 3];
}
