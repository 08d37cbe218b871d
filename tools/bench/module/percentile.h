/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Percentiles out of counts, the same in the kernel and in user space.
 *
 * Room: bench. Includes nothing. It is here because a module is built from its own
 * directory alone, while tools/cli and tools/host can reach it.
 */
#ifndef _PERCENTILE_H
#define _PERCENTILE_H

/* How many of @total are @per_10k ten-thousandths, rounded up; the product could wrap. */
static inline unsigned long long percentile_rank(unsigned long long total, unsigned int per_10k)
{
	return total / 10000 * per_10k + (total % 10000 * per_10k + 9999) / 10000;
}

/*
 * The least value that so many of the @total did not exceed, where @count[i] had the value i,
 * and the last of the @nr that or more.
 */
static inline unsigned int percentile_find(const unsigned int *count, unsigned int nr,
					   unsigned long long total, unsigned int per_10k)
{
	unsigned long long rank = percentile_rank(total, per_10k), seen = 0;
	unsigned int i;

	for (i = 0; i < nr - 1; i++) {
		seen += count[i];
		if (seen >= rank)
			break;
	}
	return i;
}

#endif /* _PERCENTILE_H */
