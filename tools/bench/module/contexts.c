// SPDX-License-Identifier: GPL-2.0-only
/*
 * Some blocks allocated, verified and freed in each context where a peer may be called.
 *
 * Room: bench. Where it may not be called it is not, so that nothing crashes.
 * NMI is not tried either way.
 */
#define pr_fmt(fmt) fmt

#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "bench.h"

#define BLOCKS	16

static struct trial {
	const struct peer *peer;
	const struct workload *w;
	bool ok;
} trial;

static void *trial_alloc(size_t size, u8 pattern)
{
	u32 cycles;
	void *ptr = trial.peer->alloc(size, &cycles);

	if (ptr)
		memset(ptr, pattern, size);
	else
		trial.ok &= trial.peer->may_refuse;
	return ptr;
}

static void trial_free(void *ptr, size_t size, u8 pattern)
{
	u32 cycles;

	trial.ok &= !memchr_inv(ptr, pattern, size);
	trial.peer->free(ptr, size, &cycles);
}

/* the workload's first sizes, since a peer may be ready for no others */
static void trial_run(struct irq_work *unused)
{
	const struct op *ops = trial.w->ops;
	u32 i, served = 0, n = min_t(u32, BLOCKS, trial.w->nr_ops);
	void *ptr[BLOCKS];

	trial.ok = true;
	for (i = 0; i < n; i++) {
		ptr[i] = ops[i].size ? trial_alloc(ops[i].size, 1 + i) : NULL;
		served += !!ptr[i];
	}
	for (i = 0; i < n; i++)
		if (ptr[i])
			trial_free(ptr[i], ops[i].size, 1 + i);
	trial.ok &= served > 0;
}

static void trial_task(void)
{
	trial_run(NULL);
}

static void trial_raw(void)
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	trial_run(NULL);
	raw_spin_unlock_irqrestore(&lock, flags);
}

static void trial_hardirq(void)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(trial_run);

	irq_work_queue(&work);
	irq_work_sync(&work);
}

static const struct context {
	const char *name;
	unsigned int where;
	void (*run)(void);
} contexts[] = {
	{ "task", IN_TASK, trial_task },
	{ "raw", IN_RAW, trial_raw },
	{ "hardirq", IN_HARDIRQ, trial_hardirq },
	{ "nmi", IN_NMI, NULL },
};

static const char *verdict(const struct context *c)
{
	if (!(trial.peer->where & c->where))
		return "illegal";
	if (!c->run)
		return "legal";
	trial.ok = false;
	c->run();
	return trial.ok ? "works" : "FAILS";
}

/* true if it works wherever it should; prints a line for report.py */
bool contexts_try(const struct peer *peer, const struct workload *w)
{
	char line[64] = "";
	size_t i, used = 0;

	trial.peer = peer;
	trial.w = w;
	for (i = 0; i < ARRAY_SIZE(contexts); i++)
		used += scnprintf(line + used, sizeof(line) - used, " %s=%s", contexts[i].name,
				  verdict(&contexts[i]));
	pr_info("bench-contexts %s%s %s\n", peer->name, line, peer->limits);
	return !strstr(line, "FAILS");
}
