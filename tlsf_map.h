/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TLSF mapping: from a number to its log-linear class, without a loop.
 *
 * Room: core. Freestanding. The size classes and the latency histograms are both
 * built on it. Cost: one bit scan and four additions or shifts.
 *
 * Masmano et al. (ECRTS 2004, section 4) map a size r to two indices,
 *
 *	f = floor(log2(r))	s = (r - 2^f) * 2^SLI / 2^f
 *
 * with 2^SLI second-level classes to each first level. Here both are one flat
 * index. Below 2^(SLI+1) every value has a class of its own (s has no fraction to
 * drop), so these levels join seamlessly: index(v) = v. Above, f rises by one for
 * each 2^SLI classes:
 *
 *	index(v) = (f - SLI) * 2^SLI + v / 2^(f - SLI)
 *
 * where v / 2^(f - SLI) = 2^SLI + s. Setting bit SLI in the argument of the scan
 * makes f - SLI zero for small values, so both cases are one formula.
 */
#ifndef _TLSF_MAP_H
#define _TLSF_MAP_H

#include "tlsf_bits.h"

#define TLSF_SLI	5
#define TLSF_SL_COUNT	(1u << TLSF_SLI)

/* class of v: classes are in ascending order and cover all values */
static inline unsigned long tlsf_map_index(unsigned long v)
{
	unsigned long f = tlsf_fls(v | TLSF_SL_COUNT);

	return (f << TLSF_SLI) - (TLSF_SLI << TLSF_SLI) + (v >> (f - TLSF_SLI));
}

/* smallest value of class @index: the inverse of tlsf_map_index() */
static inline unsigned long tlsf_map_floor(unsigned long index)
{
	unsigned long shift = index < TLSF_SL_COUNT ? 0 : (index >> TLSF_SLI) - 1;

	return (index - (shift << TLSF_SLI)) << shift;
}

#endif /* _TLSF_MAP_H */
