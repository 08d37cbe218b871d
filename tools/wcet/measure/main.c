// SPDX-License-Identifier: GPL-2.0-only
/*
 * The longest that each operation was seen to take, in instructions.
 *
 * Room: wcet. Does all of it in its init function and prints "wcet-max NAME
 * NUMBER" for each operation, and "wcet-phase PHASE NAME NUMBER" for what each phase
 * found; then stays loaded. Load it right after tlsf_mod: a peak from before is not known
 * to it.
 */
#define pr_fmt(fmt) fmt

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/tlsf.h>

#include "measure.h"

static unsigned int ops = 30000;
module_param(ops, uint, 0444);
MODULE_PARM_DESC(ops, "Random operations on each target");

static unsigned int rounds = 200;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "Sequences that the search tries for each operation");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "Of the random operations and of the search");

static unsigned int live;
module_param(live, uint, 0444);
MODULE_PARM_DESC(live, "Blocks that stay allocated in the default pool meanwhile");

static bool timed;
module_param(timed, bool, 0444);
MODULE_PARM_DESC(timed, "Recording is on: first provide for no new extreme after; no bare core");

static bool deferring = true;
module_param(deferring, bool, 0444);
MODULE_PARM_DESC(deferring, "Operations after a deferred free, too; not while times are recorded");

static bool only_default;
module_param(only_default, bool, 0444);
MODULE_PARM_DESC(only_default, "Drive the default pool alone");

/* ---- blocks that stay ---- */

#define LIVE_SIZE	24
#define HOLE_SIZE	24	/* serves none of the requests of states.c */
#define HOLE_EVERY	64

/* pushes a block on a chain; false when there is none */
static bool push(void ***chain, size_t size)
{
	void **ptr = tlsf_kmalloc(size, GFP_KERNEL | __GFP_NOWARN);

	if (!ptr)
		return false;
	*ptr = *chain;
	*chain = ptr;
	return true;
}

static void pop_all(void **chain)
{
	while (chain) {
		void **next = *chain;

		tlsf_kfree(chain);
		chain = next;
	}
}

/*
 * @live blocks, and among them free ones of one size: a list that is long, too. Their peak
 * was with the free ones in use.
 */
static bool populate(void ***chain)
{
	void **holes = NULL;
	unsigned int i;
	bool good = true;

	for (i = 0; good && i < live; i++)
		good = (i % HOLE_EVERY || push(&holes, HOLE_SIZE)) && push(chain, LIVE_SIZE);
	pop_all(holes);
	target_default()->peak = DIV_ROUND_UP(live, HOLE_EVERY) * HOLE_SIZE;
	return good;
}

/* ---- phases ---- */

static void print(const struct target *t)
{
	static const char *const phase_name[] = { "states", "random", "search" };
	const char *suffix = timed ? " (timed)" : "";
	unsigned int verb, phase, most;

	for (verb = 0; verb < VERBS; verb++) {
		if (!t->name[verb])
			continue;
		for (phase = most = 0; phase < PHASES; phase++) {
			pr_info("wcet-phase %s %s%s %u\n", phase_name[phase], t->name[verb],
				suffix, t->max[phase][verb]);
			most = max(most, t->max[phase][verb]);
		}
		pr_info("wcet-max %s%s %u\n", t->name[verb], suffix, most);
	}
}

static void all_phases(struct target *t)
{
	struct rnd_state rng;
	enum verb verb;

	prandom_seed_state(&rng, seed);
	states(t);
	random_ops(t, &rng, ops);
	for (verb = 0; verb < SEARCHED; verb++)
		if (t->name[verb])
			search(t, verb, &rng, rounds);
}

/*
 * A new extreme takes longer to record. So the first operation of each kind is the slowest
 * of all, and then everything is done that will be done: that has the shortest.
 */
static int forestall_extremes(struct target *t)
{
	void *ptr = target_alloc(t, SZ_1K);
	int err = watch(ptr);

	if (err)
		return err;
	target_free(t, ptr);
	ptr = target_alloc(t, SZ_1K);
	ptr = target_resize(t, ptr, SZ_2K);
	unwatch();
	target_free(t, ptr);
	all_phases(t);
	memset(t->max, 0, sizeof(t->max));
	return 0;
}

static int drive(struct target *t)
{
	int err;

	if (IS_ERR_OR_NULL(t))
		return PTR_ERR_OR_ZERO(t);
	if (!deferring)
		t->name[ALLOC_DRAINS] = t->name[FREE_DRAINS] = t->name[NO_MEMORY_DRAINS] = NULL;
	err = timed ? forestall_extremes(t) : 0;
	if (err)
		return err;
	all_phases(t);
	print(t);
	return 0;
}

static int drive_all(void)
{
	int err = drive(target_default());

	if (!err && !only_default)
		err = drive(target_own(SZ_16M));
	if (!err && !only_default && !timed)
		err = drive(target_bare(SZ_16M));
	return err;
}

static int __init wcet_measure_init(void)
{
	void **chain = NULL;
	int err = populate(&chain) ? drive_all() : -ENOSPC;

	pop_all(chain);
	targets_close();
	return err;
}

static void __exit wcet_measure_exit(void)
{
}

module_init(wcet_measure_init);
module_exit(wcet_measure_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Longest seen operation of tlsf_mod, in instructions");
