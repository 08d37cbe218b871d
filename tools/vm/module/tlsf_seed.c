// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does what a checker of the kernel must report, to see that the harness notices.
 *
 * Room: vm. Uses nothing of tlsf_mod. All is done while it is loaded, in task
 * context; where the kernel has no such checker nothing happens.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *what = "nothing";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "race, helper, locks or heap");

#define RACE_MS	3000

/* ---- KCSAN: two threads without a lock ---- */

static unsigned long hits;
static char text[64];

static noinline void race(void)
{
	hits++;
}

/* The accesses are the kernel's, to memory of ours. */
static noinline void helper(void)
{
	if (memchr_inv(text, 0, sizeof(text)))
		strscpy(text, "", sizeof(text));
	else
		strscpy(text, "a text that is longer than a word", sizeof(text));
}

static int repeat(void *step)
{
	while (!kthread_should_stop()) {
		((void (*)(void))step)();
		cond_resched();
	}
	return 0;
}

static int race_of(void (*step)(void))
{
	struct task_struct *one, *other;

	one = kthread_run(repeat, step, "tlsf_seed");
	if (IS_ERR(one))
		return PTR_ERR(one);
	other = kthread_run(repeat, step, "tlsf_seed");
	msleep(RACE_MS);
	kthread_stop(one);
	return IS_ERR(other) ? PTR_ERR(other) : kthread_stop(other);
}

/* ---- lockdep: two locks in both orders ---- */

static DEFINE_RAW_SPINLOCK(left);
static DEFINE_RAW_SPINLOCK(right);

static void take_both(raw_spinlock_t *first, raw_spinlock_t *second)
{
	raw_spin_lock(first);
	raw_spin_lock_nested(second, SINGLE_DEPTH_NESTING);
	raw_spin_unlock(second);
	raw_spin_unlock(first);
}

static int locks(void)
{
	take_both(&left, &right);
	take_both(&right, &left);
	return 0;
}

/* ---- KASAN: the byte behind a block ---- */

static int heap(void)
{
	char *block = kmalloc(24, GFP_KERNEL);

	if (!block)
		return -ENOMEM;
	READ_ONCE(block[24]);
	kfree(block);
	return 0;
}

static int __init seed_init(void)
{
	if (!strcmp(what, "race"))
		return race_of(race);
	if (!strcmp(what, "helper"))
		return race_of(helper);
	if (!strcmp(what, "locks"))
		return locks();
	return strcmp(what, "heap") ? -EINVAL : heap();
}

static void __exit seed_exit(void)
{
}

module_init(seed_init);
module_exit(seed_exit);

MODULE_DESCRIPTION("What checkers must report, to test that it is noticed");
MODULE_LICENSE("GPL");
