// SPDX-License-Identifier: GPL-2.0-only
/*
 * What operations cost: clock, per-CPU histograms, worst-case witness.
 *
 * Room: latency. Includes tlsf_latency.h and tlsf_threshold.h.
 *
 * A cell belongs to one CPU and one context and is written there with interrupts off,
 * so it needs no lock: an NMI has a cell of its own. What is counted for operations that
 * waited for the lock is atomic and shared. A reader adds up all CPUs; what it counts is
 * what it found in the buckets, never a torn figure on 64-bit. A reset runs on each CPU.
 *
 * Buckets are the size classes of TLSF applied to cycles (tlsf_map.h): exact below 64,
 * within 1/32 above.
 */
#define pr_fmt(fmt) "tlsf: " fmt

#include <linux/cpu.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "tlsf_latency.h"
#include "tlsf_threshold.h"

#define CALIBRATION_ROUNDS	1000

#define CELLS			(TLSF_LAT_NR * TLSF_LATENCY_CONTEXTS)

/* the last bucket begins here; what is in it is not worth being fast */
#define FAST_MAX		(tlsf_map_floor(TLSF_HISTOGRAM_BUCKETS - 1) - 1)

/* tlsf_latency_slot() puts one of these bits above all others */
static_assert(SOFTIRQ_OFFSET > 1 && HARDIRQ_MASK > SOFTIRQ_MASK && NMI_MASK > HARDIRQ_MASK,
	      "an interrupt's bits are above those of what it interrupts");

DEFINE_STATIC_KEY_FALSE(tlsf_timing);

/* constant after tlsf_clock_calibrate() */
static u64 clock_overhead;

/* guards the list, and writes to the cells of CPUs that are offline */
static DEFINE_MUTEX(all_lock);
static LIST_HEAD(all);

/* guards tlsf_timing's count against two switches at once */
static DEFINE_MUTEX(enable_lock);
static bool enabled;

/* ---- clock ---- */

/**
 * tlsf_clock_hz() - ticks of tlsf_clock() per second
 *
 * Context: any.
 * Return: 0 when the kernel could not find it out.
 */
u64 tlsf_clock_hz(void)
{
	return TLSF_CLOCK_HZ;
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

static enum tlsf_lat_context context_of(unsigned int slot)
{
	if (NMI_MASK >> slot & 1)
		return TLSF_LAT_NMI;
	if (HARDIRQ_MASK >> slot & 1)
		return TLSF_LAT_HARDIRQ;
	return SOFTIRQ_OFFSET >> slot & 1 ? TLSF_LAT_SOFTIRQ : TLSF_LAT_TASK;
}

static unsigned int bucket_of(u64 cycles)
{
	return cycles > FAST_MAX ? TLSF_HISTOGRAM_BUCKETS - 1 : tlsf_map_index(cycles);
}

/* a new maximum: rare, so it may look at the time and where it is */
static void witness_take(struct tlsf_latency_witness *w, const struct tlsf_sample *s, u64 cycles)
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
		.context = context_of(tlsf_latency_slot()),
	};
}

static void range_widen(struct tlsf_latency_range *r, const struct tlsf_sample *s, u64 cycles)
{
	bool first = r->min == U64_MAX;

	raw_write_seqcount_begin(&r->seq);
	if (first || cycles > r->max) {
		r->max = cycles;
		witness_take(&r->worst, s, cycles);
	}
	r->min = min(r->min, cycles);
	raw_write_seqcount_end(&r->seq);
}

/* nothing passes: no reading is as large as @from */
static void gate_close(struct tlsf_latency_cell *cell)
{
	WRITE_ONCE(cell->from, 1ULL << 63);
	WRITE_ONCE(cell->span, 0);
}

/* what breaks no record and is within the threshold passes */
static void gate_open(struct tlsf_latency_cell *cell)
{
	u64 least = max_t(u64, cell->alone.min, TLSF_SL_COUNT);
	u64 most = min3(cell->alone.max, (u64)FAST_MAX, tlsf_threshold_limit());

	if (least > most)
		return gate_close(cell);
	cell->from = least + clock_overhead;
	cell->span = most - least;
	cell->least = least;
}

static noinline __cold void threshold_exceeded(struct tlsf_latency *lat,
					       const struct tlsf_sample *s, u64 cycles)
{
	struct tlsf_latency_witness w;

	witness_take(&w, s, cycles);
	tlsf_threshold_exceed(lat->name, s->op, &w);
}

static void threshold_look(struct tlsf_latency *lat, const struct tlsf_sample *s, u64 cycles)
{
	if (unlikely(cycles > tlsf_threshold_limit()))
		threshold_exceeded(lat, s, cycles);
}

/* an operation that found the lock free */
static void add_alone(struct tlsf_latency *lat, const struct tlsf_sample *s)
{
	struct tlsf_latency_cell *cell = this_cpu_read(lat->cpu->cell[s->op][tlsf_latency_slot()]);
	u64 cycles = tlsf_clock_net(s->start, s->end);

	tlsf_latency_count(&cell->bucket[bucket_of(cycles)], 1);
	tlsf_latency_count(&cell->sum, cycles);
	range_widen(&cell->alone, s, cycles);
	threshold_look(lat, s, cycles);
	gate_open(cell);
}

static void add_waited_kind(struct tlsf_latency *lat, const struct tlsf_sample *s,
			    enum tlsf_lat_kind kind, u64 cycles)
{
	unsigned int slot = tlsf_latency_slot(), context = context_of(slot) - TLSF_LAT_TASK;
	struct tlsf_latency_cell *cell = this_cpu_read(lat->cpu->cell[s->op][slot]);

	atomic64_inc(&lat->waited->bucket[s->op][context][kind][bucket_of(cycles)]);
	tlsf_latency_count(&cell->waited_sum[kind], cycles);
	range_widen(&cell->waited[kind], s, cycles);
}

/* an operation that waited for the lock, and so differs in hold and total */
static void add_waited(struct tlsf_latency *lat, const struct tlsf_sample *s)
{
	u64 hold = tlsf_clock_net(s->locked, s->end);
	/* three readings stand between start and end, and two of them count */
	u64 total = tlsf_clock_net(s->start, s->locked) + hold;

	add_waited_kind(lat, s, TLSF_LAT_HOLD, hold);
	add_waited_kind(lat, s, TLSF_LAT_TOTAL, total);
	threshold_look(lat, s, total);
}

/**
 * tlsf_latency_add_rare() - add an operation that tlsf_latency_add() did not
 * @lat: histograms
 * @op: which operation
 * @raw: clock after less clock before
 * @size: as in &struct tlsf_sample, and so @align, @steps and @caller
 * @align: see @size
 * @steps: see @size
 * @caller: see @size
 *
 * Context: any, interrupts off.
 */
void __cold tlsf_latency_add_rare(struct tlsf_latency *lat, enum tlsf_lat_op op, u64 raw,
				  size_t size, size_t align, unsigned int steps,
				  unsigned long caller)
{
	struct tlsf_sample s = {
		.op = op, .end = raw, .size = size, .align = align, .steps = steps,
		.caller = caller,
	};

	lockdep_assert_irqs_disabled();
	add_alone(lat, &s);
}

/**
 * tlsf_latency_record() - add one operation, whatever it was like
 * @lat: histograms
 * @s: what happened
 *
 * Context: any, interrupts off.
 */
void tlsf_latency_record(struct tlsf_latency *lat, const struct tlsf_sample *s)
{
	lockdep_assert_irqs_disabled();
	if (!READ_ONCE(enabled))
		return;
	if (s->locked == s->start)
		add_alone(lat, s);
	else
		add_waited(lat, s);
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

static void range_reset(struct tlsf_latency_range *r)
{
	raw_write_seqcount_begin(&r->seq);
	r->min = U64_MAX;
	r->max = 0;
	r->worst = (struct tlsf_latency_witness){};
	raw_write_seqcount_end(&r->seq);
}

/*
 * Counts word by word, for who reads meanwhile. The extremes come first: an NMI in between
 * opens its gate by what it finds, and the gate is closed when that is right again.
 */
static void cell_reset(struct tlsf_latency_cell *cell)
{
	unsigned int i;

	range_reset(&cell->alone);
	range_reset(&cell->waited[TLSF_LAT_HOLD]);
	range_reset(&cell->waited[TLSF_LAT_TOTAL]);
	gate_close(cell);
	WRITE_ONCE(cell->sum, 0);
	for (i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		WRITE_ONCE(cell->bucket[i], 0);
	for (i = 0; i < TLSF_LAT_KINDS; i++)
		WRITE_ONCE(cell->waited_sum[i], 0);
}

/* @fn on the cells of each CPU, by the CPU itself if it is online */
struct cells_call {
	struct tlsf_latency *lat;
	void (*fn)(struct tlsf_latency_cell *cell);
};

static void call_here(void *arg)
{
	struct cells_call *call = arg;
	struct tlsf_latency_cpu *cpu = this_cpu_ptr(call->lat->cpu);
	unsigned int i;

	for (i = 0; i < CELLS; i++)
		call->fn(&cpu->memory[i]);
}

/*
 * With interrupts off here too: a reader spins while extremes are written, for ever if it has
 * preempted the writer.
 */
static void cells_visit_offline(struct tlsf_latency *lat, int cpu,
				void (*fn)(struct tlsf_latency_cell *cell))
{
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < CELLS; i++) {
		local_irq_save(flags);
		fn(&per_cpu_ptr(lat->cpu, cpu)->memory[i]);
		local_irq_restore(flags);
	}
}

static void cells_visit(struct tlsf_latency *lat, void (*fn)(struct tlsf_latency_cell *cell))
{
	struct cells_call call = { .lat = lat, .fn = fn };
	int cpu;

	lockdep_assert_held(&all_lock);
	cpus_read_lock();
	on_each_cpu(call_here, &call, 1);
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			cells_visit_offline(lat, cpu, fn);
	cpus_read_unlock();
}

static void waited_reset(struct tlsf_latency_waited *w)
{
	atomic64_t *bucket = &w->bucket[0][0][0][0];
	unsigned int i;

	for (i = 0; i < sizeof(*w) / sizeof(*bucket); i++)
		atomic64_set(&bucket[i], 0);
}

/**
 * tlsf_latency_reset() - empty all histograms
 * @lat: histograms
 *
 * Context: task; may sleep.
 */
void tlsf_latency_reset(struct tlsf_latency *lat)
{
	mutex_lock(&all_lock);
	cells_visit(lat, cell_reset);
	waited_reset(lat->waited);
	mutex_unlock(&all_lock);
}

/**
 * tlsf_latency_recheck() - a threshold was set: the next operations are to be looked at
 *
 * Context: task; may sleep.
 */
void tlsf_latency_recheck(void)
{
	struct tlsf_latency *lat;

	mutex_lock(&all_lock);
	list_for_each_entry(lat, &all, link)
		cells_visit(lat, gate_close);
	mutex_unlock(&all_lock);
}

static struct tlsf_latency_cell *cell_at(const struct tlsf_latency *lat, int cpu,
					 enum tlsf_lat_op op,
					 enum tlsf_lat_context context)
{
	unsigned int i = op * TLSF_LATENCY_CONTEXTS + (context - TLSF_LAT_TASK);

	return &per_cpu_ptr(lat->cpu, cpu)->memory[i];
}

static int cells_create(struct tlsf_latency *lat, int cpu)
{
	struct tlsf_latency_cpu *c = per_cpu_ptr(lat->cpu, cpu);
	unsigned int op, slot;

	c->memory = kvzalloc_node(CELLS * sizeof(*c->memory), GFP_KERNEL, cpu_to_node(cpu));
	if (!c->memory)
		return -ENOMEM;
	for (slot = 0; slot < CELLS; slot++)
		cell_reset(&c->memory[slot]);
	for (op = 0; op < TLSF_LAT_NR; op++)
		for (slot = 0; slot < TLSF_LATENCY_SLOTS; slot++)
			c->cell[op][slot] = cell_at(lat, cpu, op, context_of(slot));
	return 0;
}

/**
 * tlsf_latency_bytes() - memory that the histograms of one pool take
 *
 * Context: any.
 */
size_t tlsf_latency_bytes(void)
{
	size_t cpu = sizeof(struct tlsf_latency_cpu) + CELLS * sizeof(struct tlsf_latency_cell);

	return sizeof(struct tlsf_latency_waited) + num_possible_cpus() * cpu;
}

/**
 * tlsf_latency_init() - empty histograms for every possible CPU
 * @lat: filled in
 * @name: of the pool; stays valid
 *
 * Takes 80 KiB for each, and 144 KiB for all.
 *
 * Context: task; may sleep.
 * Return: 0, or -ENOMEM, and then there is nothing to destroy.
 */
int tlsf_latency_init(struct tlsf_latency *lat, const char *name)
{
	int cpu, err = 0;

	lat->name = name;
	INIT_LIST_HEAD(&lat->link);
	lat->waited = kvzalloc(sizeof(*lat->waited), GFP_KERNEL);
	lat->cpu = alloc_percpu(struct tlsf_latency_cpu);
	if (!lat->waited || !lat->cpu)
		err = -ENOMEM;
	for_each_possible_cpu(cpu)
		err = err ?: cells_create(lat, cpu);
	if (err) {
		tlsf_latency_destroy(lat);
		return err;
	}
	mutex_lock(&all_lock);
	list_add(&lat->link, &all);
	mutex_unlock(&all_lock);
	return 0;
}

/**
 * tlsf_latency_destroy() - give histograms back
 * @lat: histograms, or all zero
 *
 * Context: task; may sleep. Nothing may record any more.
 */
void tlsf_latency_destroy(struct tlsf_latency *lat)
{
	int cpu;

	if (!lat->name)
		return;
	mutex_lock(&all_lock);
	list_del_init(&lat->link);
	mutex_unlock(&all_lock);
	if (lat->cpu)
		for_each_possible_cpu(cpu)
			kvfree(per_cpu_ptr(lat->cpu, cpu)->memory);
	free_percpu(lat->cpu);
	kvfree(lat->waited);
	*lat = (struct tlsf_latency){};
}

/* ---- reading ---- */

static void range_merge(struct tlsf_latency_histogram *sum, const struct tlsf_latency_range *from)
{
	struct tlsf_latency_range r;
	unsigned int seq;

	do {
		seq = raw_read_seqcount_begin(&from->seq);
		r = *from;
	} while (read_seqcount_retry(&from->seq, seq));
	if (r.min == U64_MAX)
		return;
	sum->min = min(sum->min, r.min);
	if (r.max >= sum->max) {
		sum->max = r.max;
		sum->worst = r.worst;
	}
}

static void cell_merge(struct tlsf_latency_histogram *sum, const struct tlsf_latency_cell *cell,
		       enum tlsf_lat_kind kind)
{
	unsigned int i;

	for (i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		sum->bucket[i] += READ_ONCE(cell->bucket[i]);
	sum->sum += READ_ONCE(cell->sum) + READ_ONCE(cell->waited_sum[kind]);
	range_merge(sum, &cell->alone);
	range_merge(sum, &cell->waited[kind]);
}

static void context_merge(struct tlsf_latency_histogram *sum, struct tlsf_latency *lat,
			  enum tlsf_lat_op op, enum tlsf_lat_kind kind,
			  enum tlsf_lat_context context)
{
	const atomic64_t *waited = lat->waited->bucket[op][context - TLSF_LAT_TASK][kind];
	unsigned int i;
	int cpu;

	for (i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		sum->bucket[i] += atomic64_read(&waited[i]);
	for_each_possible_cpu(cpu)
		cell_merge(sum, cell_at(lat, cpu, op, context), kind);
}

/**
 * tlsf_latency_read() - the histogram of one operation over all CPUs
 * @lat: histograms
 * @op: which operation
 * @kind: which stretch of it
 * @context: of operations in which context, or TLSF_LAT_ANY
 * @sum: filled in
 *
 * Context: task.
 */
void tlsf_latency_read(struct tlsf_latency *lat, enum tlsf_lat_op op,
		       enum tlsf_lat_kind kind, enum tlsf_lat_context context,
		       struct tlsf_latency_histogram *sum)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	sum->min = U64_MAX;
	for (i = TLSF_LAT_TASK; i < TLSF_LAT_CONTEXTS; i++)
		if (context == TLSF_LAT_ANY || context == i)
			context_merge(sum, lat, op, kind, i);
	for (i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		sum->count += sum->bucket[i];
	if (!sum->count)
		sum->min = 0;
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
	u32 rest;
	u64 want = div_u64_rem(h->count, 100000, &rest) * per_100k, seen = 0;
	unsigned int i;

	/* in two parts, since the product of all would wrap at 2^64 */
	want += div_u64((u64)rest * per_100k + 99999, 100000);
	for (i = 0; i < TLSF_HISTOGRAM_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen >= want && seen)
			return min_t(u64, tlsf_map_floor(i + 1) - 1, h->max);
	}
	return h->max;
}

/**
 * tlsf_latency_symbol() - who asked for an operation, by name
 * @caller: of its witness
 * @text: filled in, with zeros to the end; empty when that module has gone, for then
 *	there is an address and no name, and nobody is to see addresses
 * @size: of @text
 *
 * Context: task.
 * Return: whether there is a name.
 */
bool tlsf_latency_symbol(unsigned long caller, char *text, size_t size)
{
	memset(text, 0, size);
	snprintf(text, size, "%pS", (void *)caller);
	if (strstarts(text, "0x"))
		memset(text, 0, size);
	return *text;
}

const char *tlsf_latency_op_name(enum tlsf_lat_op op)
{
	static const char *const name[TLSF_LAT_NR] = {
		[TLSF_LAT_ALLOC] = "alloc",
		[TLSF_LAT_FREE] = "free",
		[TLSF_LAT_RESIZE] = "resize",
	};

	return name[op];
}

const char *tlsf_latency_context_name(enum tlsf_lat_context context)
{
	static const char *const name[TLSF_LAT_CONTEXTS] = {
		[TLSF_LAT_TASK] = "task",
		[TLSF_LAT_SOFTIRQ] = "softirq",
		[TLSF_LAT_HARDIRQ] = "hardirq",
		[TLSF_LAT_NMI] = "NMI",
	};

	return name[context];
}
