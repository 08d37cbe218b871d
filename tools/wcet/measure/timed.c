// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many instructions one call takes, exactly.
 *
 * Room: wcet. The TSC must count instructions (QEMU, -icount shift=0).
 *
 * Interrupts are enabled during the call, so that enabling them again after the lock is
 * part of it; but none arrives, because the task priority register holds them all back.
 *
 * On a kernel that does not preempt itself a reschedule is pending, which costs an
 * instruction when the lock is released: a call that is patched to a nop.
 */
#include <linux/err.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include <asm/asm.h>
#include <asm/nospec-branch.h>

#include "measure.h"

/*
 * Between the two readings are, besides the function from its first instruction to its
 * return: the first reading, two moves, the call, and a move.
 */
#define APART	5

#define PRIORITY_HIGHEST	15UL
#define PRIORITY_LOWEST		0UL

static void interrupts_above(unsigned long priority)
{
	asm volatile("mov %0, %%cr8" : : "r"(priority) : "memory");
}

static void reschedule_pending(bool pending)
{
	if (!preempt_model_none() && !preempt_model_voluntary())
		return;
	if (pending)
		set_preempt_need_resched();
	else if (!need_resched())
		clear_preempt_need_resched();
}

/**
 * timed_call() - call a function and count
 * @fn: its address
 * @arg: its arguments; what it does not take is ignored
 * @cycles: instructions from its first to its return
 *
 * Context: task, interrupts on.
 * Return: what @fn returned.
 */
unsigned long timed_call(unsigned long fn, const unsigned long arg[4], unsigned int *cycles)
{
	unsigned long first = arg[0], second = arg[1], fourth = arg[3], ret;
	unsigned int count;

	interrupts_above(PRIORITY_HIGHEST);
	reschedule_pending(true);
	asm volatile("rdtsc\n\t"
		     "mov %%eax, %%r12d\n\t"
		     "mov %[third], %%rdx\n\t"
		     ANNOTATE_RETPOLINE_SAFE "\n\t"
		     "call *%[fn]\n\t"
		     "mov %%rax, %[ret]\n\t"
		     "rdtsc\n\t"
		     "sub %%r12d, %%eax"
		     : "=&a"(count), [ret] "=&b"(ret), "+D"(first), "+S"(second),
		       "+c"(fourth), ASM_CALL_CONSTRAINT
		     : [third] "r"(arg[2]), [fn] "r"(fn)
		     : "rdx", "r8", "r9", "r10", "r11", "r12", "memory", "cc");
	reschedule_pending(false);
	interrupts_above(PRIORITY_LOWEST);
	*cycles = count - APART;
	return ret;
}

/* ---- one operation that takes long ---- */

/*
 * What the module records as a new maximum takes longer, once. A data breakpoint on a
 * block's header lets one operation take thousands of instructions while it holds the
 * lock, so that nothing after it is a new maximum.
 */
static struct perf_event * __percpu *breakpoint;

static void nothing(struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs)
{
}

/**
 * watch() - let every access to a block's header take long
 * @ptr: usable bytes of the block
 *
 * Context: task; may sleep.
 * Return: 0, or a negative errno.
 */
int watch(void *ptr)
{
	struct perf_event_attr attr;
	unsigned long value;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)ptr - sizeof(size_t);
	attr.bp_len = HW_BREAKPOINT_LEN_8;
	attr.bp_type = HW_BREAKPOINT_RW;
	breakpoint = register_wide_hw_breakpoint(&attr, nothing, NULL);
	value = (__force unsigned long)breakpoint;	/* no pointer for IS_ERR() to take */
	return IS_ERR_VALUE(value) ? (int)value : 0;
}

/**
 * unwatch() - undo watch()
 *
 * Context: task; may sleep.
 */
void unwatch(void)
{
	unregister_wide_hw_breakpoint(breakpoint);
}
