/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The measurement of make wcet: what its parts share.
 *
 * Room: wcet. A plain client of linux/tlsf.h, x86 only, loaded in a guest whose
 * TSC counts instructions. Words used in all files:
 *
 *  target	what is driven: the default pool, a pool of its own, or a bare core
 *  verb	one operation; each has its own maximum
 *  phase	where a maximum comes from: states (made on purpose), random, search
 *  peak	most bytes ever in use; to go beyond costs an instruction
 *  level	an allocation that brings the use up to the peak, so that the next exceeds it
 */
#ifndef _WCET_MEASURE_H
#define _WCET_MEASURE_H

#include <linux/prandom.h>
#include <linux/types.h>

enum verb {
	ALLOC, MEMALIGN, RESIZE, FREE, GROW_BACKWARD, NO_MEMORY,
	SEARCHED,
	ALLOC_DRAINS = SEARCHED, FREE_DRAINS,	/* that take back a deferred free first */
	NO_MEMORY_DRAINS,			/* and DRAIN_FAILING more before it fails */
	VERBS
};

/* as in the pool */
enum { DRAIN_FAILING = 16 };

enum phase { STATES, RANDOM, SEARCH, PHASES };

/**
 * struct target - what is driven, and what it was seen to take
 * @name: of each verb in the table; NULL for what it cannot do
 * @fn: address of each verb's function
 * @self: its first argument, or NULL: the default pool's functions have none
 * @core: is it a bare core, whose resize and free return a status?
 * @usable: how many bytes of a block may be used
 * @pending: frees that were deferred, of which the next operation takes back one first
 * @used: bytes in use
 * @peak: most @used ever
 * @phase: where the operations come from now
 * @max: instructions that each verb took at most, by phase
 * @round: the same, since the last target_round()
 */
struct target {
	const char *name[VERBS];
	unsigned long fn[VERBS];
	void *self;
	bool core;
	size_t (*usable)(struct target *t, void *ptr);
	unsigned int pending;
	size_t used;
	size_t peak;
	enum phase phase;
	unsigned int max[PHASES][VERBS];
	unsigned int round[VERBS];
};

/* timed.c */
unsigned long timed_call(unsigned long fn, const unsigned long arg[4], unsigned int *cycles);
int watch(void *ptr);
void unwatch(void);

/* target.c: operations on a target, which are timed; all take NULL as slab's do */
void *target_alloc(struct target *t, size_t size);
void *target_memalign(struct target *t, size_t align, size_t size);
void *target_resize(struct target *t, void *ptr, size_t size);
void *target_grow_backward(struct target *t, void *ptr, size_t align, size_t size);
void target_free(struct target *t, void *ptr);
void *target_level(struct target *t);
void target_round(struct target *t);

/* defer.c */
void *target_defer(struct target *t, void *const ptr[], unsigned int nr);

struct target *target_default(void);
struct target *target_own(size_t bytes);
struct target *target_bare(size_t bytes);
void targets_close(void);

/* states.c, search.c */
void states(struct target *t);
void random_ops(struct target *t, struct rnd_state *rng, unsigned int ops);
void search(struct target *t, enum verb verb, struct rnd_state *rng, unsigned int rounds);

#endif /* _WCET_MEASURE_H */
