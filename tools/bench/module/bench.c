// SPDX-License-Identifier: GPL-2.0-only
/*
 * Head to head: one workload through each allocator, every call measured on its own.
 *
 * Room: bench. Does all of it in its init function, in task context, then stays
 * loaded. Where a cycle is an instruction, as under -icount, the figures are exact.
 *
 * Around each call interrupts are off, if the allocator may be called like that; else
 * they are on, and a call in which one came is left out. Between calls each block is
 * filled with a pattern, and verified before it is freed. Prints lines for report.py:
 *
 *	bench-contexts NAME CONTEXT=works|legal|illegal... WHY NOT
 *	bench-cost WORKLOAD NAME alloc|free CALLS LEFT-OUT REFUSED SUM MIN P50 P99 P99.9 MAX
 *	bench-memory WORKLOAD NAME BYTES OF-BYTES
 *	bench-done WORKLOAD			if all of it went well
 *	bench: ...				if not, and why
 */
#define pr_fmt(fmt) fmt

#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kernel_stat.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "bench.h"

static char *workload;
module_param(workload, charp, 0444);
MODULE_PARM_DESC(workload, "File made by workload.py");

/* for the test of this test: what is wrong in the middle of the first allocator's run */
enum fault { NO_FAULT, LOST_FREE, DAMAGED_BYTE };
static unsigned int fault;
module_param(fault, uint, 0444);
MODULE_PARM_DESC(fault, "Seed a fault: 1 a block that is never freed, 2 a damaged byte");

struct block {
	void *ptr;
	u32 size;
};

/* one peer at its work */
static struct {
	const struct peer *peer;
	struct workload w;
	struct block *blocks;		/* by id */
	unsigned long *pages;		/* room for all that may be live */
	struct tally alloc;
	struct tally free;
	u32 clock_cost;
	size_t memory, asked;		/* at the peak; asked by those who got a block */
} run;

/* ---- a call on its own ---- */

struct alone {
	unsigned long flags;
	unsigned long ticks;
	unsigned long irqs;
	unsigned long switches;
};

static bool irqs_off(void)
{
	return run.peer->where & IN_RAW;
}

static void alone_look(struct alone *a)
{
	a->ticks = jiffies;
	a->irqs = kstat_cpu_irqs_sum(raw_smp_processor_id());
	a->switches = current->nvcsw + current->nivcsw;
}

static void alone_begin(struct alone *a)
{
	if (irqs_off())
		local_irq_save(a->flags);
	else
		alone_look(a);
}

/* was the call alone? */
static bool alone_end(const struct alone *a)
{
	struct alone now;

	if (irqs_off()) {
		local_irq_restore(a->flags);
		return true;
	}
	alone_look(&now);
	return now.ticks == a->ticks && now.irqs == a->irqs && now.switches == a->switches;
}

static void count_call(struct tally *t, u32 cycles, bool alone)
{
	if (!t)
		return;
	if (alone)
		tally_add(t, cycles - run.clock_cost);
	else
		t->left_out++;
}

/* what two readings cost with nothing in between; it is always the same */
static u32 clock_cost(void)
{
	unsigned long flags;
	u32 cycles;

	local_irq_save(flags);
	TIMED(&cycles, barrier());
	local_irq_restore(flags);
	return cycles;
}

/* ---- operations ---- */

static u8 pattern(u32 id)
{
	return 1 + (id * 0x9e3779b1U >> 24) % 255;
}

static int refused(u32 size)
{
	run.alloc.refused++;
	if (run.peer->may_refuse)
		return 0;
	pr_err("bench: %s has no %u bytes left; is the machine large enough?\n", run.peer->name,
	       size);
	return -ENOMEM;
}

static int do_alloc(u32 id, u32 size)
{
	struct block *b = &run.blocks[id];
	struct alone alone;
	u32 cycles;

	alone_begin(&alone);
	b->ptr = run.peer->alloc(size, &cycles);
	count_call(b->ptr ? &run.alloc : NULL, cycles, alone_end(&alone));
	if (!b->ptr)
		return refused(size);
	b->size = size;
	memset(b->ptr, pattern(id), size);
	return 0;
}

static int verify(u32 id)
{
	const struct block *b = &run.blocks[id];
	const u8 *bad = memchr_inv(b->ptr, pattern(id), b->size);

	if (!bad)
		return 0;
	pr_err("bench: %s: byte %td of block %u of %u bytes is %#x, expected %#x\n",
	       run.peer->name, bad - (u8 *)b->ptr, id, b->size, *bad, pattern(id));
	return -EIO;
}

static int do_free(u32 id, struct tally *t)
{
	struct block *b = &run.blocks[id];
	struct alone alone;
	u32 cycles;
	int err;

	if (!b->ptr) {
		t->refused++;
		return 0;
	}
	err = verify(id);
	if (err)
		return err;
	alone_begin(&alone);
	run.peer->free(b->ptr, b->size, &cycles);
	count_call(t, cycles, alone_end(&alone));
	b->ptr = NULL;
	return 0;
}

/* ---- memory: what is taken while the most bytes are live ---- */

static int compare_ulong(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static size_t live_bytes(void)
{
	size_t bytes = 0;
	u32 id;

	for (id = 0; id < run.w.nr_ids; id++)
		if (run.blocks[id].ptr)
			bytes += run.blocks[id].size;
	return bytes;
}

/* a pool: from its start to the end of the last live block */
static size_t pool_memory(void)
{
	unsigned long end = run.peer->base();
	u32 id;

	for (id = 0; id < run.w.nr_ids; id++)
		if (run.blocks[id].ptr)
			end = max(end, (unsigned long)run.blocks[id].ptr + run.blocks[id].size);
	return run.peer->overhead() + end - run.peer->base();
}

static unsigned int collect_reserve(unsigned int n)
{
	unsigned int class, nr, i;

	for (class = 0; class < CLASSES && run.peer->reserve; class++) {
		void **reserve = run.peer->reserve(class, &nr);

		for (i = 0; i < nr; i++)
			run.pages[n++] = (unsigned long)virt_to_head_page(reserve[i]);
	}
	return n;
}

/* slabs and pages that hold at least one live or reserved block */
static size_t page_memory(void)
{
	size_t bytes = 0;
	unsigned int n = 0, i;
	u32 id;

	for (id = 0; id < run.w.nr_ids; id++)
		if (run.blocks[id].ptr)
			run.pages[n++] = (unsigned long)virt_to_head_page(run.blocks[id].ptr);
	n = collect_reserve(n);
	sort(run.pages, n, sizeof(*run.pages), compare_ulong, NULL);
	for (i = 0; i < n; i++)
		if (!i || run.pages[i] != run.pages[i - 1])
			bytes += page_size((struct page *)run.pages[i]);
	return bytes;
}

/* ---- one peer ---- */

static void seed_fault(const struct block *b)
{
	u32 cycles;

	if (fault == LOST_FREE)
		run.peer->alloc(b->size, &cycles);
	else if (fault == DAMAGED_BYTE)
		((u8 *)b->ptr)[b->size - 1]++;
}

static int do_op(u32 i)
{
	const struct op *op = &run.w.ops[i];
	int err = op->size ? do_alloc(op->id, op->size) : do_free(op->id, &run.free);

	if (err || i != run.w.peak_op)
		return err;
	run.memory = run.peer->base ? pool_memory() : page_memory();
	run.asked = live_bytes();
	if (run.peer == peers)
		seed_fault(&run.blocks[op->id]);
	return 0;
}

/* what the workload leaves allocated; it did not free that itself, so it is not counted */
static int free_rest(void)
{
	int err = 0;
	u32 id;

	for (id = 0; id < run.w.nr_ids && !err; id++)
		if (run.blocks[id].ptr)
			err = do_free(id, NULL);
	return err;
}

static int nothing_left(void)
{
	size_t left = run.peer->left ? run.peer->left() : 0;

	if (!left)
		return 0;
	pr_err("bench: %s says %zu bytes are allocated, but all blocks were freed\n",
	       run.peer->name, left);
	return -EIO;
}

static int do_ops(void)
{
	int err = 0;
	u32 i;

	for (i = 0; i < run.w.nr_ops && !err; i++) {
		err = do_op(i);
		cond_resched();
	}
	return err ?: free_rest() ?: nothing_left();
}

static int try_contexts(void)
{
	if (contexts_try(run.peer, &run.w))
		return 0;
	pr_err("bench: %s fails in a context where it should work, see above\n",
	       run.peer->name);
	return -EIO;
}

static void print_cost(const char *what, const struct tally *t)
{
	pr_info("bench-cost %s %s %s %llu %u %u %llu %u %u %u %u %u\n", kbasename(workload),
		run.peer->name, what, t->calls, t->left_out, t->refused, t->sum, t->min,
		tally_percentile(t, 5000), tally_percentile(t, 9900), tally_percentile(t, 9990),
		t->max);
}

static void print_peer(void)
{
	print_cost("alloc", &run.alloc);
	print_cost("free", &run.free);
	pr_info("bench-memory %s %s %zu %zu\n", kbasename(workload), run.peer->name, run.memory,
		run.asked);
}

/* a peer that failed stays open: some BUG() when they are closed with blocks left */
static int run_peer(const struct peer *peer)
{
	int err;

	run.peer = peer;
	memset(run.blocks, 0, run.w.nr_ids * sizeof(*run.blocks));
	tally_clear(&run.alloc);
	tally_clear(&run.free);
	err = peer->open(&run.w);
	if (err) {
		pr_err("bench: cannot set up %s: %d\n", peer->name, err);
		return err;
	}
	err = do_ops() ?: try_contexts() ?: nothing_left();
	if (err)
		return err;
	peer->close();
	print_peer();
	return 0;
}

static int run_peers(void)
{
	unsigned int i;
	int err = 0;

	run.clock_cost = clock_cost();
	for (i = 0; i < nr_peers && !err; i++)
		err = run_peer(&peers[i]);
	return err;
}

/* ---- module ---- */

static size_t most_objects(const struct workload *w)
{
	size_t n = w->most_blocks;
	unsigned int class;

	for (class = 0; class < CLASSES; class++)
		n += w->class_blocks[class];
	return n;
}

static void release(void)
{
	tally_exit(&run.free);
	tally_exit(&run.alloc);
	vfree(run.pages);
	vfree(run.blocks);
	workload_unload(&run.w);
}

static int prepare(void)
{
	run.blocks = vcalloc(run.w.nr_ids, sizeof(*run.blocks));
	run.pages = vcalloc(most_objects(&run.w), sizeof(*run.pages));
	if (!run.blocks || !run.pages)
		return -ENOMEM;
	return tally_init(&run.alloc) ?: tally_init(&run.free);
}

static int __init bench_init(void)
{
	int err = workload_load(&run.w, workload ?: "");

	if (err)
		return err;
	err = prepare();
	if (!err && !run_peers())
		pr_info("bench-done %s\n", kbasename(workload));
	release();
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("tlsf beside the kernel's own allocators");
