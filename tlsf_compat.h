/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernel versions: the only file that looks at
 * LINUX_VERSION_CODE.
 *
 * Room: mod. May be included by all kernel rooms but the core. Each entry says since when the
 * new way exists, so that it can go when the old kernels do.
 */
#ifndef _TLSF_COMPAT_H
#define _TLSF_COMPAT_H

#include <linux/version.h>

/* 6.10: __assign_str() finds the source itself */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define tlsf_assign_str(dst, src)	__assign_str(dst, src)
#else
#define tlsf_assign_str(dst, src)	__assign_str(dst)
#endif

/* 6.13: hrtimer_setup() takes the function too */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define tlsf_hrtimer_setup(timer, fn, clock, mode)	\
	do {						\
		hrtimer_init(timer, clock, mode);	\
		(timer)->function = (fn);		\
	} while (0)
#else
#define tlsf_hrtimer_setup	hrtimer_setup
#endif

#endif /* _TLSF_COMPAT_H */
