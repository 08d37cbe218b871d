/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NMIs that a module sends to processors of its choice, and takes itself.
 *
 * Room: harness (kernel). For the modules beside it. On x86 with a local APIC; elsewhere
 * nmi_listen() says -EOPNOTSUPP and nothing is sent.
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
