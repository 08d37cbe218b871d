/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small seeded random generator (splitmix64): same seed, same load.
 *
 * Room: cli. Pure arithmetic; not for secrets.
 */
#ifndef TLSF_RNG_H
#define TLSF_RNG_H

#include "cli.h"

struct rng {
	u64 state;
};

static inline u64 rng_next(struct rng *rng)
{
	u64 z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 .. n - 1; the bias of at most n / 2^64 does not matter to a load */
static inline u64 rng_below(struct rng *rng, u64 n)
{
	return (u64)(((unsigned __int128)rng_next(rng) * n) >> 64);
}

/* 0 <= x < 1 */
static inline double rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

static inline bool rng_percent(struct rng *rng, unsigned int percent)
{
	return rng_below(rng, 100) < percent;
}

#endif /* TLSF_RNG_H */
