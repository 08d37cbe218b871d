/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bit scans.
 *
 * Room: core. The kernel's own in the kernel. In user space the same two
 * instructions on x86-64, so that what is counted there is what the kernel runs: the
 * compiler's builtins extend an int after each (7 instructions of an allocation, 4 % of
 * the time of 1 MiB at 85 %).
 */
#ifndef _TLSF_BITS_H
#define _TLSF_BITS_H

#ifdef __KERNEL__

#include <linux/bitops.h>

#define tlsf_fls(v)	__fls(v)
#define tlsf_ffs(v)	__ffs(v)

#else

/* number of the highest bit that is set; @v must not be 0 */
static inline unsigned long tlsf_fls(unsigned long v)
{
#if defined(__x86_64__)
	unsigned long n;

	__asm__("bsrq %1, %0" : "=r"(n) : "rm"(v) : "cc");
	return n;
#else
	return (unsigned int)__builtin_clzl(v) ^ (8 * (unsigned int)sizeof(v) - 1);
#endif
}

/* number of the lowest bit that is set; @v must not be 0 */
static inline unsigned long tlsf_ffs(unsigned long v)
{
#if defined(__x86_64__)
	unsigned long n;

	__asm__("rep; bsfq %1, %0" : "=r"(n) : "rm"(v) : "cc");
	return n;
#else
	return (unsigned int)__builtin_ctzl(v);
#endif
}

#endif /* __KERNEL__ */
#endif /* _TLSF_BITS_H */
