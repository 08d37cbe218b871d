// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest useful client: messages out of a hard interrupt.
 *
 * Room: samples. Includes <linux/tlsf.h> and no other header of ours.
 *
 * A device interrupts; the handler allocates a message and leaves it in a mailbox; a
 * work item reads the mailbox and frees what it has read. The handler runs in hard
 * interrupt context on PREEMPT_RT too, where it must not call kmalloc().
 *
 * There is no device: a delayed work raises the interrupt at every tick. One line in
 * the log, when the module goes, says what became of the messages.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/tlsf.h>
#include <linux/workqueue.h>

struct message {
	struct llist_node node;
	bool from_hardirq;
};

static LLIST_HEAD(mailbox);			/* from the interrupt to the reader */
static unsigned long sent, dropped;		/* the interrupt's own */
static unsigned long received, from_hardirq;	/* the reader's own */

static void read_mailbox(struct work_struct *work)
{
	struct message *m, *next;

	llist_for_each_entry_safe(m, next, llist_del_all(&mailbox), node) {
		received++;
		from_hardirq += m->from_hardirq;
		tlsf_kfree(m);
	}
}

static DECLARE_WORK(reader, read_mailbox);

static void handle_interrupt(struct irq_work *irq)
{
	struct message *m = tlsf_kmalloc(sizeof(*m), GFP_NOWAIT);

	if (!m) {
		dropped++;
		return;
	}
	m->from_hardirq = in_hardirq();
	llist_add(&m->node, &mailbox);
	sent++;
	schedule_work(&reader);
}

/* _HARD: in hard interrupt context whatever the kernel's preemption model */
static struct irq_work interrupt = IRQ_WORK_INIT_HARD(handle_interrupt);

static void raise_interrupt(struct work_struct *work)
{
	irq_work_queue(&interrupt);
	schedule_delayed_work(to_delayed_work(work), 1);
}

static DECLARE_DELAYED_WORK(device, raise_interrupt);

static int __init sample_init(void)
{
	schedule_delayed_work(&device, 0);
	return 0;
}

/* first the device, then the interrupt, then the reader: after that all is read */
static void __exit sample_exit(void)
{
	cancel_delayed_work_sync(&device);
	irq_work_sync(&interrupt);
	flush_work(&reader);
	pr_info("%lu messages sent, %lu of them in hard interrupt context; %lu read and freed, %lu dropped\n",
		sent, from_hardirq, received, dropped);
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_DESCRIPTION("Sample client of tlsf: messages out of a hard interrupt");
MODULE_LICENSE("GPL");
