// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tally: how many calls took how many cycles, exactly.
 *
 * Room: bench. One counter for each number of cycles, so percentiles are exact
 * up to TALLY_MAX; minimum, maximum and sum always are.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "bench.h"
#include "percentile.h"

#define TALLY_MAX	((1U << 18) - 1)
#define TALLY_BYTES	((TALLY_MAX + 1) * sizeof(u32))

int tally_init(struct tally *t)
{
	t->count = vmalloc(TALLY_BYTES);
	return t->count ? 0 : -ENOMEM;
}

void tally_exit(struct tally *t)
{
	vfree(t->count);
}

void tally_clear(struct tally *t)
{
	*t = (struct tally){ .count = t->count, .min = U32_MAX };
	memset(t->count, 0, TALLY_BYTES);
}

void tally_add(struct tally *t, u32 cycles)
{
	t->count[min(cycles, TALLY_MAX)]++;
	t->calls++;
	t->sum += cycles;
	t->min = min(t->min, cycles);
	t->max = max(t->max, cycles);
}

u32 tally_percentile(const struct tally *t, u32 per_10k)
{
	u32 cycles = percentile_find(t->count, TALLY_MAX + 1, t->calls, per_10k);

	return cycles == TALLY_MAX ? t->max : cycles;
}
