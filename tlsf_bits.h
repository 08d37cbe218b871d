/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bit scans, and bits of a bitmap by their number.
 *
 * Room: core. Freestanding. In the kernel these are the kernel's own (asm/bitops.h);
 * in user space the same instructions on x86-64, so that what tools/host counts is what
 * the kernel runs, and plain C elsewhere.
 */
#ifndef _TLSF_BITS_H
#define _TLSF_BITS_H

#ifdef __KERNEL__

#include <linux/bitops.h>

#define tlsf_fls(v)		__fls(v)
#define tlsf_ffs(v)		__ffs(v)
#define tlsf_bit_set(n, map)	__set_bit(n, map)
#define tlsf_bit_clear(n, map)	__clear_bit(n, map)

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

#define TLSF_BITS_OF_LONG	(8 * sizeof(unsigned long))

static inline void tlsf_bit_set(unsigned long n, unsigned long *map)
{
#if defined(__x86_64__)
	__asm__("btsq %1, %0" : "+m"(*(unsigned long (*)[])map) : "r"(n) : "cc");
#else
	map[n / TLSF_BITS_OF_LONG] |= 1UL << (n % TLSF_BITS_OF_LONG);
#endif
}

static inline void tlsf_bit_clear(unsigned long n, unsigned long *map)
{
#if defined(__x86_64__)
	__asm__("btrq %1, %0" : "+m"(*(unsigned long (*)[])map) : "r"(n) : "cc");
#else
	map[n / TLSF_BITS_OF_LONG] &= ~(1UL << (n % TLSF_BITS_OF_LONG));
#endif
}

#endif /* __KERNEL__ */
#endif /* _TLSF_BITS_H */
