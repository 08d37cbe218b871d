// SPDX-License-Identifier: GPL-2.0-only
/*
 * Percentiles of as many operations as a counter can hold.
 *
 * Room: cli. run.sh runs it. Of 2^63 - 1 operations a count times 10 000
 * does not fit 64 bits, as it does not from 1.8e15 on.
 */
#include "../lat.h"

#include <stdlib.h>

static int failed;

static void expect(const char *what, u64 count, u64 found, u64 expected)
{
	if (found == expected)
		return;
	printf("%s of %llu operations is %llu, expected %llu\n", what, count, found, expected);
	failed = 1;
}

/* Of each 10 000 operations, 9000 take 10 cycles, 900 20, 90 30, 9 40, and one or more 50. */
static void try_count(u64 count)
{
	static const u64 share[] = { 9000, 900, 90, 9 };
	static struct lat lat;
	struct lat_figures f;
	u64 rest = count;

	lat = (struct lat){ .h = { .count = count, .min = 10, .max = 50 } };
	for (unsigned int i = 0; i < ARRAY_SIZE(share); i++) {
		lat.bucket[10 * (i + 1)] = count / 10000 * share[i];
		rest -= count / 10000 * share[i];
	}
	lat.bucket[50] = rest;
	f = lat_figures(&lat);
	expect("p50", count, f.p50, 10);
	expect("p99", count, f.p99, 20);
	expect("p99.9", count, f.p999, 30);
	expect("p99.99", count, f.p9999, 40);
	expect("the count", count, f.count, count);
}

int main(void)
{
	for (u64 count = 10000; count < 1ULL << 63; count *= 10) {
		try_count(count);
		if (count > ~0ULL / 10)
			break;
	}
	try_count((1ULL << 63) / 10000 * 10000);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
