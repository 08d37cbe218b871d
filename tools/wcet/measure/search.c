// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations, and a search for what costs most.
 *
 * Room: wcet. Seeded, so that a run repeats. The search keeps, for one verb, the
 * sequence of operations that raised its maximum: it changes a few of them, runs the
 * sequence from where all its blocks are free, and goes on from the change unless that
 * took fewer instructions. It knows nothing of how the allocator works.
 */
#include <linux/string.h>

#include "measure.h"

#define SLOTS	256
#define GENES	48
#define FEW	12	/* slots of a sequence: it must meet its own blocks again */
#define CHANGES	4

/* one operation: what it does depends also on whether its slot has a block */
struct gene {
	u8 slot;
	u8 kind;
	u8 align_log2;
	u16 size;
};

enum { KINDS = 16 };

static void *slot[SLOTS];

static struct gene random_gene(struct rnd_state *rng, unsigned int slots)
{
	u32 bits = prandom_u32_state(rng);

	return (struct gene){
		.slot = prandom_u32_state(rng) % slots,
		.kind = bits % KINDS,
		.align_log2 = 4 + (bits >> 8) % 6,
		.size = 1 + (prandom_u32_state(rng) & ((16u << (bits >> 16) % 10) - 1)),
	};
}

static void *from_nothing(struct target *t, const struct gene *g)
{
	if (g->kind < 4)
		return target_memalign(t, 1u << g->align_log2, g->size);
	if (g->kind == 4)
		return target_level(t);
	return target_alloc(t, g->size);
}

static void *from_block(struct target *t, void *ptr, const struct gene *g)
{
	if (g->kind < 5)
		return target_resize(t, ptr, g->size);
	if (g->kind == 5)
		return target_grow_backward(t, ptr, 1u << g->align_log2, g->size);
	target_free(t, ptr);
	return NULL;
}

static void express(struct target *t, const struct gene *g)
{
	void **at = &slot[g->slot];

	*at = *at ? from_block(t, *at, g) : from_nothing(t, g);
}

static void free_all(struct target *t)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		target_free(t, slot[i]);
		slot[i] = NULL;
	}
}

/**
 * random_ops() - a long random load
 * @t: target
 * @rng: where chance comes from
 * @ops: how many operations
 */
void random_ops(struct target *t, struct rnd_state *rng, unsigned int ops)
{
	t->phase = RANDOM;
	while (ops--) {
		struct gene g = random_gene(rng, SLOTS);

		express(t, &g);
	}
	free_all(t);
}

/* ---- search ---- */

struct sequence {
	struct gene gene[GENES];
	unsigned int cost;
};

static void evaluate(struct target *t, enum verb verb, struct sequence *s)
{
	unsigned int i;

	target_round(t);
	for (i = 0; i < GENES; i++)
		express(t, &s->gene[i]);
	free_all(t);
	s->cost = t->round[verb];
}

/* new operations, or one that is repeated elsewhere */
static void mutate(struct sequence *s, struct rnd_state *rng)
{
	unsigned int n = 1 + prandom_u32_state(rng) % CHANGES;

	while (n--) {
		struct gene *g = &s->gene[prandom_u32_state(rng) % GENES];

		*g = prandom_u32_state(rng) & 3 ? random_gene(rng, FEW) :
						  s->gene[prandom_u32_state(rng) % GENES];
	}
}

/**
 * search() - look for the sequence in which @verb takes longest
 * @t: target
 * @verb: which
 * @rng: where chance comes from
 * @rounds: how many sequences to try
 */
void search(struct target *t, enum verb verb, struct rnd_state *rng, unsigned int rounds)
{
	static struct sequence best, next;
	unsigned int i;

	t->phase = SEARCH;
	for (i = 0; i < GENES; i++)
		best.gene[i] = random_gene(rng, FEW);
	evaluate(t, verb, &best);
	while (rounds--) {
		next = best;
		mutate(&next, rng);
		evaluate(t, verb, &next);
		if (next.cost >= best.cost)
			best = next;
	}
}
