// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races on the default pool: tasks, softirqs, hard interrupts and NMIs on all processors.
 *
 * Room: vm. A plain client of linux/tlsf.h. Does all of it while it is
 * loaded, until ops= allocations, resizes and frees have been done. All contexts on all
 * processors share one table of blocks: who draws a slot takes what is in it, which
 * somebody else allocated, elsewhere, and verifies its contents before it resizes or frees
 * it. One line in the log says how many operations there were in which context. A block
 * with wrong contents lets the module fail to load, and a request that is refused outside
 * of NMI: the pool has room enough. Nothing is left allocated.
 *
 * Two threads for each processor. Each of them raises softirqs where it runs, and hard
 * interrupts and, with nmi=1, NMIs on processors that it draws, in the midst of what these
 * are doing.
 */
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tlsf.h>

#include "tlsf_nmi.h"

#define QUIET		(GFP_NOWAIT | __GFP_NOWARN)
#define SLOTS		1024
#define SIZE_MOST	2000
#define TURNS		16	/* of a thread at a time; an interrupt takes fewer */

static unsigned long ops = 10000;
module_param(ops, ulong, 0444);
MODULE_PARM_DESC(ops, "operations in all contexts together (default 10000)");

static bool nmi;
module_param(nmi, bool, 0444);
MODULE_PARM_DESC(nmi, "in NMIs too (default 0)");

/* at the beginning of each block; all behind it has the value of @byte */
struct block {
	unsigned long self;	/* its address, but for bits that tell its @size and @byte */
	u16 size;
	u8 byte;
	u8 data[];
};

enum context { TASK, SOFTIRQ, HARDIRQ, NMI, CONTEXTS };

static struct block *slots[SLOTS];
static atomic_long_t done[CONTEXTS], refused[CONTEXTS], wrong;
static atomic64_t turns;

static enum context context(void)
{
	if (in_nmi())
		return NMI;
	if (in_hardirq())
		return HARDIRQ;
	return in_serving_softirq() ? SOFTIRQ : TASK;
}

/* another number each time, in whatever context: splitmix64 of a counter */
static u64 draw(void)
{
	u64 z = atomic64_inc_return(&turns) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* ---- contents ---- */

static unsigned long self_of(const struct block *b)
{
	return (unsigned long)b ^ ((unsigned long)b->size << 8 | b->byte);
}

static void block_fill(struct block *b, size_t size, u8 byte)
{
	b->size = size;
	b->byte = byte;
	b->self = self_of(b);
	memset(b->data, byte, size - sizeof(*b));
}

/* the first @size bytes are as they were filled */
static bool block_holds(const struct block *b, size_t size)
{
	return !memchr_inv(b->data, b->byte, size - sizeof(*b));
}

static void block_verify(const struct block *b)
{
	if (likely(b->self == self_of(b) && block_holds(b, b->size)))
		return;
	if (atomic_long_inc_return(&wrong) == 1)
		pr_err("tlsf_race: wrong contents of a block of %u bytes\n", b->size);
}

/* ---- one turn, in any context ---- */

static void count(bool served)
{
	enum context c = context();

	atomic_long_inc(&done[c]);
	if (!served)
		atomic_long_inc(&refused[c]);
}

static size_t draw_size(u64 r)
{
	return sizeof(struct block) + 1 + (r >> 16) % (r & 1 ? 100 : SIZE_MOST);
}

static struct block *block_new(u64 r)
{
	size_t size = draw_size(r);
	struct block *b = r >> 40 & 7 ? tlsf_kmalloc(size, QUIET) :
					tlsf_kmemalign(64 << (r >> 43 & 3), size, QUIET);

	count(b);
	if (b)
		block_fill(b, size, r >> 32);
	return b;
}

static void block_free(struct block *b)
{
	block_verify(b);
	tlsf_kfree(b);
	count(true);
}

static struct block *block_resize(struct block *b, u64 r)
{
	size_t size = draw_size(r), least = min_t(size_t, size, b->size);
	struct block *to;

	block_verify(b);
	to = tlsf_krealloc(b, size, QUIET);
	count(to);
	if (!to)
		return b;
	if (!block_holds(to, least))
		atomic_long_inc(&wrong);
	block_fill(to, size, r >> 32);
	return to;
}

/* take what is in a slot, do something with it, and put something there */
static void turn(void)
{
	u64 r = draw();
	struct block **slot = &slots[r >> 50 & (SLOTS - 1)];
	struct block *b = xchg(slot, NULL);

	if (!b) {
		b = block_new(r);
	} else if (r >> 48 & 3) {
		block_free(b);
		b = NULL;
	} else {
		b = block_resize(b, r);
	}
	b = b ? xchg(slot, b) : NULL;
	if (b)
		block_free(b);
}

static void take_turns(unsigned int n)
{
	while (n--)
		turn();
}

/* ---- contexts ---- */

struct racer {
	struct task_struct *task;
	struct tasklet_struct tasklet;
	struct irq_work interrupt;	/* here */
	call_single_data_t call;	/* elsewhere */
	atomic_t calls;			/* not over yet */
};

static void on_softirq(struct tasklet_struct *unused)
{
	take_turns(TURNS / 2);
}

static void on_interrupt(struct irq_work *unused)
{
	take_turns(TURNS / 2);
}

static void on_call(void *arg)
{
	struct racer *me = arg;

	take_turns(TURNS / 2);
	atomic_dec(&me->calls);
}

/* on any processor; here when that one is this one, has gone, or has not yet done the last */
static void interrupt_some(struct racer *me)
{
	unsigned int cpu = draw() % nr_cpu_ids;

	atomic_inc(&me->calls);
	if (cpu != raw_smp_processor_id() && !smp_call_function_single_async(cpu, &me->call))
		return;
	atomic_dec(&me->calls);
	irq_work_queue(&me->interrupt);
}

static void on_nmi(void)
{
	take_turns(TURNS / 4);
}

static int race(void *arg)
{
	struct racer *me = arg;

	while (!kthread_should_stop()) {
		take_turns(TURNS);
		tasklet_schedule(&me->tasklet);
		interrupt_some(me);
		if (nmi)
			nmi_send(draw() % nr_cpu_ids);
		cond_resched();
	}
	return 0;
}

static int racer_start(struct racer *me, unsigned int i)
{
	tasklet_setup(&me->tasklet, on_softirq);
	me->interrupt = IRQ_WORK_INIT_HARD(on_interrupt);
	INIT_CSD(&me->call, on_call, me);
	me->task = kthread_run(race, me, "tlsf_race/%u", i);
	return PTR_ERR_OR_ZERO(me->task);
}

static void racer_stop(struct racer *me)
{
	kthread_stop(me->task);
	tasklet_kill(&me->tasklet);
	irq_work_sync(&me->interrupt);
	while (atomic_read(&me->calls))
		cpu_relax();
}

/* ---- the run ---- */

static long total(const atomic_long_t *counter)
{
	long sum = 0;
	int c;

	for (c = 0; c < CONTEXTS; c++)
		sum += atomic_long_read(&counter[c]);
	return sum;
}

static void wait_for_ops(void)
{
	while (total(done) < ops && !atomic_long_read(&wrong) && !signal_pending(current))
		schedule_timeout_interruptible(HZ / 50 + 1);
}

static void slots_empty(void)
{
	struct block *b;
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		b = xchg(&slots[i], NULL);
		if (b)
			block_free(b);
	}
}

static void report(ktime_t begin)
{
	long ms = ktime_ms_delta(ktime_get(), begin);

	pr_info("tlsf_race: %ld operations (%ld task, %ld softirq, %ld hardirq, %ld NMI) in %ld.%03ld s, %ld refused, %ld of them in NMI, %ld wrong\n",
		total(done), atomic_long_read(&done[TASK]), atomic_long_read(&done[SOFTIRQ]),
		atomic_long_read(&done[HARDIRQ]), atomic_long_read(&done[NMI]), ms / 1000,
		ms % 1000, total(refused), atomic_long_read(&refused[NMI]),
		atomic_long_read(&wrong));
}

/* all that could be started run until there were enough operations */
static int run(struct racer *racers, unsigned int nr)
{
	ktime_t begin = ktime_get();
	unsigned int started = 0;
	int err = nmi ? nmi_listen(on_nmi) : 0;

	if (err)
		return err;
	while (started < nr && !err) {
		err = racer_start(&racers[started], started);
		started += !err;
	}
	if (!err)
		wait_for_ops();
	while (started)
		racer_stop(&racers[--started]);
	if (nmi)
		nmi_ignore();
	synchronize_rcu();	/* a call is on its way out of on_call() */
	slots_empty();
	report(begin);
	return err;
}

static int __init race_init(void)
{
	unsigned int nr = 2 * num_online_cpus();
	struct racer *racers = kcalloc(nr, sizeof(*racers), GFP_KERNEL);
	int err;

	if (!racers)
		return -ENOMEM;
	err = run(racers, nr);
	kfree(racers);
	if (atomic_long_read(&wrong) || total(refused) != atomic_long_read(&refused[NMI]))
		return -EIO;
	return err;
}

static void __exit race_exit(void)
{
}

module_init(race_init);
module_exit(race_exit);
MODULE_DESCRIPTION("Races on the default pool of tlsf");
MODULE_LICENSE("GPL");
