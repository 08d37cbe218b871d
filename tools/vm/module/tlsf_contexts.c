// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on the default pool in each context, for the tests of what is recorded.
 *
 * Room: vm. A plain client of linux/tlsf.h. Does all of it while it is
 * loaded: task=, softirq=, hardirq= and nmi= say how many allocations, resizes and frees
 * there are to be in each context, failing= how many requests that no pool can serve;
 * what is written to again= later is done at once, in task context. Nothing is left
 * allocated.
 */
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/tlsf.h>

#include "tlsf_nmi.h"

#define FLAGS	(GFP_NOWAIT | __GFP_NOWARN)

static unsigned int task, softirq, hardirq, nmi, failing;
module_param(task, uint, 0444);
MODULE_PARM_DESC(task, "operations of each kind in task context");
module_param(softirq, uint, 0444);
MODULE_PARM_DESC(softirq, "the same in a softirq");
module_param(hardirq, uint, 0444);
MODULE_PARM_DESC(hardirq, "the same in a hard interrupt");
module_param(nmi, uint, 0444);
MODULE_PARM_DESC(nmi, "the same in an NMI");
module_param(failing, uint, 0444);
MODULE_PARM_DESC(failing, "requests in task context that cannot be served");

static unsigned int done;

static void operate(unsigned int times)
{
	void *ptr;

	while (times--) {
		ptr = tlsf_kmalloc(200, FLAGS);
		if (ptr && tlsf_krealloc(ptr, 100, FLAGS) == ptr)
			done++;
		tlsf_kfree(ptr);
	}
}

static noinline void fail(unsigned int times)
{
	while (times--)
		if (!tlsf_kmalloc(SIZE_MAX / 2, FLAGS))
			done++;
}

static int again_set(const char *val, const struct kernel_param *kp)
{
	unsigned int times;
	int err = kstrtouint(val, 0, &times);

	if (err)
		return err;
	for (; times && !signal_pending(current); times--) {
		operate(1);
		cond_resched();
	}
	return 0;
}

static const struct kernel_param_ops again_ops = { .set = again_set };

module_param_cb(again, &again_ops, NULL, 0200);
MODULE_PARM_DESC(again, "writing a number does so many more in task context");

static void in_softirq_context(struct tasklet_struct *unused)
{
	operate(softirq);
}

static void in_hardirq_context(struct irq_work *unused)
{
	operate(hardirq);
}

/* the first does all */
static void in_nmi_context(void)
{
	static bool came;

	if (!xchg(&came, true))
		operate(nmi);
}

static int raise_nmi(void)
{
	int err = nmi_listen(in_nmi_context);

	if (err)
		return err;
	nmi_send(get_cpu());
	put_cpu();
	nmi_ignore();
	return 0;
}

static DECLARE_TASKLET(tasklet, in_softirq_context);
static struct irq_work interrupt = IRQ_WORK_INIT_HARD(in_hardirq_context);

static int __init contexts_init(void)
{
	int err = nmi ? raise_nmi() : 0;

	if (err)
		return err;
	operate(task);
	fail(failing);
	tasklet_schedule(&tasklet);
	tasklet_kill(&tasklet);		/* which waits for it */
	irq_work_queue(&interrupt);
	irq_work_sync(&interrupt);
	return done == task + failing + softirq + hardirq + nmi ? 0 : -EIO;
}

static void __exit contexts_exit(void)
{
}

module_init(contexts_init);
module_exit(contexts_exit);
MODULE_DESCRIPTION("Operations of tlsf in each context");
MODULE_LICENSE("GPL");
