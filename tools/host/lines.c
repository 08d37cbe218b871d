// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to be looked at by valgrind's lackey: operations of the core, each between two
 * stores to a mark, so that lines.py can tell which accesses are whose.
 *
 * Room: host; the core's functions as gcc -O2 makes them, in a section of
 * their own (see the Makefile).
 *
 *	lines		prints where the marks, the pool and the core's code are
 *
 * A pool of 1 MiB is filled to 85 %, churned until it is as fragmented as it will be, and
 * then used: so neither the first nor the luckiest of operations are counted.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tlsf_core.h"
#include "../cli/rng.h"

#define POOL		((size_t)1 << 20)
#define LIVE_MAX	8192u
#define CHURN		6000u
#define COUNTED		1500u

enum mark { DONE, ALLOC, FREE, MEMALIGN, RESIZE, MARKS };

/* a line each, so that a store says which by its address */
static volatile struct { long at; char pad[56]; } mark[MARKS] __attribute__((aligned(64)));
static unsigned char memory[POOL] __attribute__((aligned(4096)));

extern const char __start_tlsf_text, __stop_tlsf_text;

/*
 * The core's code comes after this and so always begins in the same place of a line, whatever
 * else is linked. How many lines it takes depends on that, by more than half a line on average.
 * The place is the one at which the ceilings were taken.
 */
__asm__(".pushsection tlsf_text, \"ax\"\n.balign 64\n.skip 16\n.popsection");

static struct tlsf_core *core;
static void *live[LIVE_MAX];
static size_t nr_live;

static size_t draw(struct rng *r)
{
	return 16 + rng_below(r, 1009);
}

static void fill(struct rng *r)
{
	size_t bytes = 0, size;

	while (bytes < POOL / 100 * 85 && nr_live < LIVE_MAX) {
		size = draw(r);
		live[nr_live] = tlsf_core_alloc(core, size);
		if (!live[nr_live])
			return;
		bytes += size;
		nr_live++;
	}
}

static void churn(struct rng *r)
{
	void **slot = &live[rng_below(r, nr_live)];

	tlsf_core_free(core, *slot);
	*slot = tlsf_core_alloc(core, draw(r));
}

/* one of each, on a block that was chosen at random */
static void counted(struct rng *r)
{
	void **slot = &live[rng_below(r, nr_live)];
	size_t size = draw(r), align = (size_t)16 << rng_below(r, 4);

	mark[FREE].at = 1;
	tlsf_core_free(core, *slot);
	mark[DONE].at = 1;
	mark[ALLOC].at = 1;
	*slot = tlsf_core_alloc(core, size);
	mark[DONE].at = 1;

	size = draw(r);
	mark[RESIZE].at = 1;
	tlsf_core_resize(core, *slot, size);
	mark[DONE].at = 1;

	tlsf_core_free(core, *slot);
	size = draw(r);
	mark[MEMALIGN].at = 1;
	*slot = tlsf_core_memalign(core, align, size);
	mark[DONE].at = 1;
}

int main(void)
{
	struct rng r = rng_seed(5);
	unsigned int i;

	core = tlsf_core_init(memory, POOL);
	if (!core)
		return 1;
	printf("%lx %lx %lx %lx %lx\n", (long)mark, (long)memory, (long)memory + (long)POOL,
	       (long)&__start_tlsf_text, (long)&__stop_tlsf_text);
	fflush(stdout);
	fill(&r);
	for (i = 0; i < CHURN; i++)
		churn(&r);
	for (i = 0; i < COUNTED; i++)
		counted(&r);
	return 0;
}
