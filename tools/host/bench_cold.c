// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time of one operation after the caches went cold.
 *
 * Room: host. x86-64; knows no allocator. What an allocator keeps its
 * state in is not known of others, so everything is flushed that is resident: heaps,
 * static data, and the text of the program and of all libraries, line by line (CLFLUSHOPT,
 * Intel SDM volume 2). TLBs and branch predictors stay as they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench_cold.h"

#define LINE		64u
#define RANGES_MAX	4096u

static struct { char *from, *to; } range[RANGES_MAX];
static size_t nr_ranges;

/* runs of resident pages of one mapping */
static void add_resident(char *from, char *to, size_t page)
{
	static unsigned char resident[1u << 20];
	size_t pages = (size_t)(to - from) / page, i;

	if (pages > sizeof(resident) || mincore(from, (size_t)(to - from), resident))
		return;
	for (i = 0; i < pages && nr_ranges < RANGES_MAX; i++) {
		if (!(resident[i] & 1))
			continue;
		if (nr_ranges && range[nr_ranges - 1].to == from + i * page) {
			range[nr_ranges - 1].to += page;
			continue;
		}
		range[nr_ranges].from = from + i * page;
		range[nr_ranges++].to = from + (i + 1) * page;
	}
}

void cold_open(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], mode[5];
	unsigned long from, to;

	nr_ranges = 0;
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && mode[0] == 'r' &&
		    !strstr(line, "[stack]") && !strstr(line, "[v"))
			add_resident((char *)from, (char *)to, page);
	if (maps)
		fclose(maps);
	if (!nr_ranges || nr_ranges == RANGES_MAX) {
		fprintf(stderr, "bench: %zu ranges of memory to flush; expected 1 to %u\n",
			nr_ranges, RANGES_MAX - 1);
		exit(2);
	}
}

__attribute__((target("clflushopt"))) void cold_flush(void)
{
	size_t i;
	char *p;

	for (i = 0; i < nr_ranges; i++)
		for (p = range[i].from; p < range[i].to; p += LINE)
			_mm_clflushopt(p);
	_mm_mfence();
}

static void nothing(void *arg)
{
	(void)arg;
}

static __attribute__((noinline)) uint64_t timed(void (*op)(void *arg), void *arg)
{
	uint64_t begin, end;
	unsigned int cpu;

	_mm_lfence();
	begin = __rdtsc();
	_mm_lfence();
	op(arg);
	end = __rdtscp(&cpu);
	_mm_lfence();
	return end - begin;
}

uint64_t cold_time(void (*op)(void *arg), void *arg)
{
	uint64_t overhead = timed(nothing, NULL), t;

	overhead = timed(nothing, NULL);
	t = timed(op, arg);
	return t > overhead ? t - overhead : 0;
}
