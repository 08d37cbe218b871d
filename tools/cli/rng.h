/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pseudo-random numbers (xorshift64*) for all programs of user space: the same seed gives
 * the same numbers on every machine.
 *
 * Room: cli. Includes nothing of the project, since tests and benchmarks of other
 * rooms use it too. Not for secrets.
 */
#ifndef TLSF_RNG_H
#define TLSF_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t x = r->state ? r->state : 1;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	r->state = x;
	return x * 0x2545f4914f6cdd1d;
}

/* the first numbers of neighbouring seeds are alike, so they are thrown away */
static inline struct rng rng_seed(uint64_t seed)
{
	struct rng r = { .state = (seed + 1) * 0x9e3779b97f4a7c15 };
	int i;

	for (i = 0; i < 4; i++)
		rng_next(&r);
	return r;
}

/* 0 .. bound - 1, and below 2^48; the bias does not matter to a load */
static inline uint64_t rng_below(struct rng *r, uint64_t bound)
{
	return (rng_next(r) >> 16) % bound;
}

/* 0 <= x < 1 */
static inline double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

static inline bool rng_percent(struct rng *r, unsigned int percent)
{
	return rng_below(r, 100) < percent;
}

#endif /* TLSF_RNG_H */
