// SPDX-License-Identifier: GPL-2.0-only
/*
 * Self-test for any kernel: allocate, resize and free in every context there is.
 *
 * Room: selftest. A client of <linux/tlsf.h>, on a pool of its own but for one block of
 * the default pool. Needs no KUnit.
 *
 * modprobe runs it. The result, in KTAP, is in the kernel log and, until rmmod, in
 * <debugfs>/tlsf_selftest/results. A context that the machine cannot give is skipped with
 * the reason.
 *
 * Where the pool's lock is free every request must be served, in NMI too. A probe inside
 * the allocator's own section, or an NMI that hits one, must be refused at once, and what
 * it frees must be freed later. At the end all memory has to be one free block again.
 *
 * NMIs come from the PMU. Without one, nmi_wait= tells for how many seconds to wait for
 * NMIs from elsewhere: a QEMU monitor's, a BMC's, those of a front panel's button.
 */
#define pr_fmt(fmt) fmt

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tlsf.h>
#ifdef CONFIG_X86
#include <asm/nmi.h>
#endif

#include "tlsf_compat.h"

#define POOL_BYTES	SZ_1M
#define LARGEST		SZ_64K		/* largest request; a resize doubles it */
#define SLOTS		64		/* blocks that are live under load */
#define NMIS_WANTED	100		/* of which some hit the section */
#define QUIET		(GFP_NOWAIT | __GFP_NOWARN)

static bool nmi_listening;	/* until rmmod: who sends NMIs does not stop at once */
static unsigned int nmi_wait;
module_param(nmi_wait, uint, 0444);
MODULE_PARM_DESC(nmi_wait, "seconds to wait for NMIs from elsewhere, without a PMU (default 0)");

static struct tlsf_pool *pool;

/* ---- report ---- */

static char results[SZ_4K];
static struct debugfs_blob_wrapper blob = { .data = results };
static struct dentry *views;
static unsigned int nr_tests, nr_failed;

static __printf(1, 2) void say(const char *fmt, ...)
{
	char *line = results + blob.size;
	va_list args;

	va_start(args, fmt);
	blob.size += vscnprintf(line, sizeof(results) - blob.size, fmt, args);
	va_end(args);
	pr_info("%s", line);
}

static void result(bool good, const char *name)
{
	nr_failed += !good;
	say("%s %u - %s\n", good ? "ok" : "not ok", ++nr_tests, name);
}

static void skip(const char *name, const char *reason)
{
	say("ok %u - %s # SKIP %s\n", ++nr_tests, name, reason);
}

/* ---- what is done in each context ---- */

/* what came of it; written in one context, read in task context when that is over */
struct outcome {
	unsigned int requests;
	unsigned int refused;	/* NULL */
	unsigned int wrong;	/* misaligned, too small, or contents changed */
	bool expected_context;
};

static bool stamped(const u8 *block, size_t size)
{
	return block[0] == (u8)size && (size == 1 || block[size - 1] == (u8)~size);
}

static void stamp(u8 *block, size_t size)
{
	block[size - 1] = ~size;
	block[0] = size;
}

static u8 *resize(struct outcome *o, u8 *block, size_t size)
{
	u8 *moved = tlsf_pool_realloc(pool, block, size, QUIET);

	o->requests++;
	o->refused += !moved;
	return moved ?: block;
}

/* allocate @size bytes, double, halve, free */
static void exercise_size(struct outcome *o, size_t size)
{
	u8 *block = tlsf_pool_alloc(pool, size, QUIET);

	o->requests++;
	o->refused += !block;
	if (!block)
		return;
	o->wrong += !IS_ALIGNED((unsigned long)block, TLSF_MINALIGN);
	o->wrong += tlsf_pool_ksize(pool, block) < size;
	stamp(block, size);
	block = resize(o, block, 2 * size);
	o->wrong += !stamped(block, size);
	block = resize(o, block, DIV_ROUND_UP(size, 2));
	o->wrong += block[0] != (u8)size;
	tlsf_pool_free(pool, block);
}

/* all size classes: 32 to a power of two */
static void exercise(struct outcome *o)
{
	size_t size;

	for (size = 1; size <= LARGEST; size += max_t(size_t, 8, rounddown_pow_of_two(size) / 32))
		exercise_size(o, size);
}

/* the lock was free: nothing may have been refused */
static void judge(const char *name, const struct outcome *o)
{
	if (!o->expected_context || o->refused || o->wrong || !o->requests)
		say("# %s: %sin context, %u requests, %u refused, %u wrong\n", name,
		    o->expected_context ? "" : "not ", o->requests, o->refused, o->wrong);
	result(o->expected_context && o->requests && !o->refused && !o->wrong, name);
}

/* ---- contexts that can be entered at will ---- */

static void run_in_task(struct outcome *o)
{
	o->expected_context = in_task() && !irqs_disabled();
	exercise(o);
}

static void run_under_raw_spinlock(struct outcome *o)
{
	static DEFINE_RAW_SPINLOCK(lock);

	raw_spin_lock(&lock);
	o->expected_context = !preemptible();
	exercise(o);
	raw_spin_unlock(&lock);
}

static void run_with_interrupts_off(struct outcome *o)
{
	local_irq_disable();
	o->expected_context = irqs_disabled();
	exercise(o);
	local_irq_enable();
}

/* a deferred context: who waits, and for what */
static struct {
	struct outcome *o;
	struct completion done;
} deferred;

static void deferred_run(bool expected_context)
{
	deferred.o->expected_context = expected_context;
	exercise(deferred.o);
	complete(&deferred.done);
}

static void tasklet_fn(struct tasklet_struct *unused)
{
	deferred_run(in_serving_softirq());
}

static void run_in_softirq(struct outcome *o)
{
	static struct tasklet_struct tasklet;

	tasklet_setup(&tasklet, tasklet_fn);
	tasklet_schedule(&tasklet);
	wait_for_completion(&deferred.done);
	tasklet_kill(&tasklet);
}

static enum hrtimer_restart timer_fn(struct hrtimer *unused)
{
	deferred_run(in_hardirq());
	return HRTIMER_NORESTART;
}

static void run_in_hard_timer(struct outcome *o)
{
	static struct hrtimer timer;

	tlsf_hrtimer_setup(&timer, timer_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&timer, ms_to_ktime(1), HRTIMER_MODE_REL_HARD);
	wait_for_completion(&deferred.done);
	hrtimer_cancel(&timer);
}

static void irq_work_fn(struct irq_work *unused)
{
	deferred_run(in_hardirq());
}

static void run_in_irq_work(struct outcome *o)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(irq_work_fn);

	irq_work_queue(&work);
	wait_for_completion(&deferred.done);
	irq_work_sync(&work);
}

static const struct {
	const char *name;
	void (*run)(struct outcome *o);
} contexts[] = {
	{ "task", run_in_task },
	{ "under a raw spinlock", run_under_raw_spinlock },
	{ "interrupts off", run_with_interrupts_off },
	{ "softirq: tasklet", run_in_softirq },
	{ "hard interrupt: HRTIMER_MODE_REL_HARD", run_in_hard_timer },
	{ "hard interrupt: irq_work", run_in_irq_work },
};

static void test_contexts(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		struct outcome o = {};

		deferred.o = &o;
		init_completion(&deferred.done);
		contexts[i].run(&o);
		judge(contexts[i].name, &o);
	}
}

/* ---- all that a block has, as FORTIFY_SOURCE allows it ---- */

/*
 * More than was asked for, in the documented way. Without the tlsf_krealloc() the memset()
 * is a kernel BUG: the compiler knows of 25 bytes, and tlsf_ksize() tells more.
 */
static void test_ksize(void)
{
	static const char name[] = "all that tlsf_ksize() tells, after tlsf_krealloc() to it";
	void *p = tlsf_kmalloc(25, QUIET), *old = p;
	size_t n = tlsf_ksize(p);

	if (!p)
		return skip(name, "the default pool has nothing to give");
	p = tlsf_krealloc(p, n, QUIET);
	if (p)
		memset(p, 0xa5, n);
	say("# %zu bytes for 25, FORTIFY_SOURCE %s\n", n,
	    IS_ENABLED(CONFIG_FORTIFY_SOURCE) ? "on" : "off");
	result(n > 25 && p == old && !memchr_inv(p, 0xa5, n), name);
	tlsf_kfree(p ?: old);
}

/* ---- NMI ---- */

/* what the next NMI does; NULL for nothing */
typedef void (*nmi_fn)(void);
static nmi_fn nmi_work;
static atomic_t nmis;
static struct outcome nmi_outcome;
static void *slots[SLOTS];

static void __maybe_unused nmi_came(void)
{
	nmi_fn work = READ_ONCE(nmi_work);

	if (work && in_nmi())
		work();
}

/* the first NMI does all, on one processor, while nobody uses the pool */
static void nmi_exercise(void)
{
	if (atomic_inc_return(&nmis) != 1)
		return;
	nmi_outcome.expected_context = in_nmi();
	exercise(&nmi_outcome);
	WRITE_ONCE(nmi_work, NULL);
}

/* put @block where another one was, and free that */
static void slot_replace(unsigned int i, void *block)
{
	tlsf_pool_free(pool, xchg(&slots[i % SLOTS], block));
}

/* each NMI, wherever it hits: free a block of the load, allocate one for it */
static void nmi_interfere(void)
{
	unsigned int n = atomic_inc_return(&nmis);

	slot_replace(n, NULL);
	slot_replace(n, tlsf_pool_alloc(pool, 8 + n % 1000, QUIET));
}

static void nmi_arm(nmi_fn work)
{
	atomic_set(&nmis, 0);
	WRITE_ONCE(nmi_work, work);
}

static bool nmi_seconds_passed(ktime_t begin)
{
	return ktime_ms_delta(ktime_get(), begin) > 1000LL * max(nmi_wait, 1U);
}

/* until an NMI has done it; spinning, so that a counter of cycles counts */
static bool nmi_quiet(void)
{
	ktime_t begin = ktime_get();

	nmi_arm(nmi_exercise);
	while (READ_ONCE(nmi_work) && !nmi_seconds_passed(begin))
		cond_resched();
	WRITE_ONCE(nmi_work, NULL);
	return atomic_read(&nmis);
}

/* allocate and free in task context until enough NMIs have hit */
static void nmi_under_load(void)
{
	ktime_t begin = ktime_get();
	unsigned int i = 0;

	nmi_arm(nmi_interfere);
	while (atomic_read(&nmis) < NMIS_WANTED && !nmi_seconds_passed(begin)) {
		slot_replace(i, tlsf_pool_alloc(pool, 8 + i * 37 % 1000, QUIET));
		if (!(++i % 1024))
			cond_resched();
	}
	WRITE_ONCE(nmi_work, NULL);
	msleep(20);		/* one that is under way on another processor */
	for (i = 0; i < SLOTS; i++)
		slot_replace(i, NULL);
}

static void test_nmi_under_load(const char *source)
{
	struct tlsf_pool_stats before, after;
	u64 busy, late;

	tlsf_pool_stats(pool, &before);
	nmi_under_load();
	tlsf_pool_stats(pool, &after);
	busy = after.fail_busy - before.fail_busy;
	late = after.deferred_frees - before.deferred_frees;
	say("# %d NMIs from %s into a load: %llu allocations refused, %llu frees deferred\n",
	    atomic_read(&nmis), source, busy, late);
	result(atomic_read(&nmis) && busy && late && after.bad_frees == before.bad_frees,
	       "NMI inside the allocator: refused or deferred");
}

/* false when no NMI came */
static bool test_nmi_from(const char *source)
{
	memset(&nmi_outcome, 0, sizeof(nmi_outcome));
	if (!nmi_quiet())
		return false;
	say("# NMIs come from %s\n", source);
	judge("NMI", &nmi_outcome);
	test_nmi_under_load(source);
	return true;
}

#ifdef CONFIG_PERF_EVENTS

static void perf_overflow(struct perf_event *event, struct perf_sample_data *data,
			  struct pt_regs *regs)
{
	nmi_came();
}

static bool test_nmi_from_pmu(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES,
		.size = sizeof(attr), .sample_period = 1000003, .pinned = 1,
	};
	struct perf_event *event;
	bool came;

	event = perf_event_create_kernel_counter(&attr, -1, current, perf_overflow, NULL);
	if (IS_ERR(event))
		return false;
	came = test_nmi_from("the PMU");
	perf_event_release_kernel(event);
	return came;
}

#else

static bool test_nmi_from_pmu(void)
{
	return false;
}

#endif

#ifdef CONFIG_X86

static int nmi_handler(unsigned int type, struct pt_regs *regs)
{
	nmi_came();
	return NMI_HANDLED;
}

static int nmi_listen(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_handler, 0, "tlsf_selftest");
}

static void nmi_ignore(void)
{
	unregister_nmi_handler(NMI_LOCAL, "tlsf_selftest");
}

#else

static int nmi_listen(void)
{
	return -EOPNOTSUPP;
}

static void nmi_ignore(void)
{
}

#endif

static void test_nmi(void)
{
	const char *reason = nmi_wait ? "no NMI from a PMU, and none came in nmi_wait= seconds" :
			     "no NMI from a PMU, and nmi_wait= does not say that others send any";

	if (test_nmi_from_pmu() || (nmi_listening && test_nmi_from("elsewhere")))
		return;
	skip("NMI", reason);
	skip("NMI inside the allocator: refused or deferred", reason);
}

/* ---- a probe inside the allocator's own section ---- */

static struct {
	struct task_struct *task;	/* whose operations are probed */
	unsigned int hits;
	bool in_nmi;
	void *victim;			/* freed by the probe */
	void *got;			/* allocated by it: should be NULL */
} probed;

static int probe_handler(struct kprobe *unused, struct pt_regs *regs)
{
	if (READ_ONCE(probed.task) != current || probed.hits++)
		return 0;
	probed.in_nmi = in_nmi();
	probed.got = tlsf_pool_alloc(pool, 64, QUIET);
	tlsf_pool_free(pool, probed.victim);
	return 0;
}

/* one allocation with the probe in it; was the probe treated as it should be? */
static bool probe_is_refused(gfp_t gfp)
{
	struct tlsf_pool_stats before, after;
	void *block;

	probed.victim = tlsf_pool_alloc(pool, 64, QUIET);
	tlsf_pool_stats(pool, &before);
	probed.hits = 0;
	WRITE_ONCE(probed.task, current);
	block = tlsf_pool_alloc(pool, 64, gfp);
	WRITE_ONCE(probed.task, NULL);
	tlsf_pool_stats(pool, &after);
	tlsf_pool_free(pool, probed.hits ? probed.got : probed.victim);
	tlsf_pool_free(pool, block);
	return block && !probed.got && after.fail_busy - before.fail_busy == 1 &&
	       after.deferred_frees - before.deferred_frees == 1;
}

static void test_probe(const char *name, struct kprobe *probe, gfp_t gfp, const char *not_hit)
{
	int err = register_kprobe(probe);
	bool refused;

	if (err) {
		say("# register_kprobe(): %d\n", err);
		return skip(name, "the kernel does not let a probe be set there");
	}
	refused = probe_is_refused(gfp);
	unregister_kprobe(probe);
	if (!probed.hits)
		return skip(name, not_hit);
	say("# the probe ran %s\n", probed.in_nmi ? "as an NMI does" : "outside of NMI");
	result(refused, name);
}

/* what ends a section of the slow path, which requests for zeroed memory take */
static void test_probe_slow(void)
{
	struct kprobe probe = { .symbol_name = "tlsf_slow_end",
				.pre_handler = probe_handler };

	test_probe("probe inside a slow section: refused and deferred", &probe, QUIET | __GFP_ZERO,
		   "the request went past tlsf_slow_end()");
}

#ifdef CONFIG_X86

/*
 * Behind the atomic instruction that takes the lock: "lock cmpxchg r32, m32". With one
 * processor running the kernel has made a "ds" of the prefix.
 */
static kprobe_opcode_t *behind_lock(void)
{
	const u8 *code = (const u8 *)tlsf_pool_alloc, *end = code + 256;

	for (; code < end; code++) {
		const u8 *op = code + 1 + ((code[1] & 0xf0) == 0x40);

		if ((code[0] == 0xf0 || code[0] == 0x3e) && op[0] == 0x0f && op[1] == 0xb1)
			return (kprobe_opcode_t *)op + 3 + ((op[2] & 7) == 4) +
			       (op[2] >> 6 == 1) + 4 * (op[2] >> 6 == 2);
	}
	return NULL;
}

#elif defined(CONFIG_ARM64)

/* At the instruction that gives the lock back, and has not run yet: "stlrb wt, [xn]". */
static kprobe_opcode_t *behind_lock(void)
{
	kprobe_opcode_t *code = (kprobe_opcode_t *)tlsf_pool_alloc, *end = code + 256;

	for (; code < end; code++)
		if ((le32_to_cpu(*code) & 0xfffffc00) == 0x089ffc00)
			return code;
	return NULL;
}

#else

static kprobe_opcode_t *behind_lock(void)
{
	return NULL;
}

#endif

static void test_probe_fast(void)
{
	static const char name[] = "probe inside a fast section: refused and deferred";
	struct kprobe probe = { .addr = behind_lock(), .pre_handler = probe_handler };

	if (!probe.addr)
		return skip(name, "the lock is not a spinlock as on x86 or arm64 with SMP");
	test_probe(name, &probe, QUIET, "operations are timed: tlsf_mod has latency=1");
}

/* ---- all together ---- */

/* later operations have freed what was deferred, and all is one free block again */
static void test_all_back(void)
{
	struct tlsf_pool_stats s;
	unsigned int i;

	for (i = 0; i < 2 * NMIS_WANTED; i++)
		tlsf_pool_free(pool, tlsf_pool_alloc(pool, 8, QUIET));
	tlsf_pool_stats(pool, &s);
	if (s.used_blocks || s.bad_frees || s.largest_free != s.max_request)
		say("# %llu blocks in use, %llu bad frees, largest free %llu of %llu bytes\n",
		    s.used_blocks, s.bad_frees, s.largest_free, s.max_request);
	result(!s.used_blocks && !s.bad_frees && s.free_blocks == 1 &&
	       s.largest_free == s.max_request, "all memory is one free block again");
}

static int __init selftest_init(void)
{
	pool = tlsf_pool_create("selftest", POOL_BYTES);
	if (IS_ERR(pool)) {
		pr_err("tlsf_selftest: no pool of %u bytes (%pe): free memory or unload other users\n",
		       POOL_BYTES, pool);
		return PTR_ERR(pool);
	}
	nmi_listening = nmi_wait && !nmi_listen();
	say("KTAP version 1\n");
	test_contexts();
	test_ksize();
	test_nmi();
	test_probe_slow();
	test_probe_fast();
	test_all_back();
	say("1..%u\n", nr_tests);
	say("# %u failed\n", nr_failed);
	views = debugfs_create_dir("tlsf_selftest", NULL);
	debugfs_create_blob("results", 0444, views, &blob);
	return 0;
}

static void __exit selftest_exit(void)
{
	debugfs_remove(views);
	if (nmi_listening)
		nmi_ignore();
	tlsf_pool_destroy(pool);
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("Self-test of tlsf in every context");
MODULE_LICENSE("GPL");
