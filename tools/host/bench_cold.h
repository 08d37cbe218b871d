/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of one operation after the caches went cold.
 *
 * Room: host. x86-64; knows no allocator.
 */
#ifndef _BENCH_COLD_H
#define _BENCH_COLD_H

#include <stdint.h>

/*
 * Looks up once what cold_flush() is to flush: all memory of this process that is resident
 * now and not the stack. So it is called when no more memory will be taken.
 */
void cold_open(void);

/* nothing of that is in any cache afterwards: control structure, pool and code */
void cold_flush(void);

/* ticks of the TSC that @op(@arg) takes; what reads the clock has just run and is warm */
uint64_t cold_time(void (*op)(void *arg), void *arg);

#endif /* _BENCH_COLD_H */
