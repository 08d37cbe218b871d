/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NMIs that a module sends to processors of its choice, and takes itself.
 *
 * Room: vm. For the modules beside it. On x86 with a local APIC; on arm64,
 * where the PMU's interrupts are NMIs, each processor gets some hundred in a second by
 * itself; elsewhere nmi_listen() says -EOPNOTSUPP and nothing is sent.
 */
#ifndef _TLSF_NMI_H
#define _TLSF_NMI_H

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/module.h>

#if defined(CONFIG_X86) && defined(CONFIG_X86_LOCAL_APIC)
#include <asm/apic.h>
#include <asm/nmi.h>

static void (*nmi_work)(void);

static int nmi_handler(unsigned int type, struct pt_regs *regs)
{
	nmi_work();
	return NMI_HANDLED;
}

/* @work is done in each NMI from now on; task context */
static inline int nmi_listen(void (*work)(void))
{
	nmi_work = work;
	return register_nmi_handler(NMI_LOCAL, nmi_handler, 0, KBUILD_MODNAME);
}

/* when the last that was sent has arrived; task context */
static inline void nmi_ignore(void)
{
	msleep(50);
	unregister_nmi_handler(NMI_LOCAL, KBUILD_MODNAME);
}

/* to @cpu, if it is there; with preemption off, to this processor too */
static inline void nmi_send(unsigned int cpu)
{
	if (cpu_online(cpu))
		apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
}

#elif defined(CONFIG_ARM64_PSEUDO_NMI) && defined(CONFIG_HW_PERF_EVENTS)
#include <linux/err.h>
#include <linux/perf_event.h>

#define NMI_CYCLES	1000003		/* from one to the next */

static void (*nmi_work)(void);
static struct perf_event *nmi_counters[NR_CPUS];

static void nmi_overflow(struct perf_event *event, struct perf_sample_data *data,
			 struct pt_regs *regs)
{
	nmi_work();
}

/* when the last has been served; task context */
static inline void nmi_ignore(void)
{
	unsigned int cpu;

	msleep(50);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		if (!IS_ERR_OR_NULL(nmi_counters[cpu]))
			perf_event_release_kernel(nmi_counters[cpu]);
		nmi_counters[cpu] = NULL;
	}
}

/* @work is done in each NMI from now on; task context. A processor that goes gets no more. */
static inline int nmi_listen(void (*work)(void))
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES,
		.size = sizeof(attr), .sample_period = NMI_CYCLES, .pinned = 1,
	};
	unsigned int cpu, nr = 0;

	if (!system_uses_irq_prio_masking())
		return -EOPNOTSUPP;
	nmi_work = work;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		nmi_counters[cpu] = perf_event_create_kernel_counter(&attr, cpu, NULL,
								     nmi_overflow, NULL);
		nr += !IS_ERR(nmi_counters[cpu]);
	}
	return nr ? 0 : -EOPNOTSUPP;
}

static inline void nmi_send(unsigned int cpu)
{
}

#else

static inline int nmi_listen(void (*work)(void))
{
	return -EOPNOTSUPP;
}

static inline void nmi_ignore(void)
{
}

static inline void nmi_send(unsigned int cpu)
{
}

#endif

#endif /* _TLSF_NMI_H */
