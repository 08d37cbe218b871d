/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bit scans.
 *
 * Room: core. The kernel's own in the kernel, the compiler's elsewhere:
 * on x86-64 both are the same two instructions.
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
	return (unsigned int)__builtin_clzl(v) ^ (8 * (unsigned int)sizeof(v) - 1);
}

/* number of the lowest bit that is set; @v must not be 0 */
static inline unsigned long tlsf_ffs(unsigned long v)
{
	return (unsigned int)__builtin_ctzl(v);
}

#endif /* __KERNEL__ */
#endif /* _TLSF_BITS_H */
