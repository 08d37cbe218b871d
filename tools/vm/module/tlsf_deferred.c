// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees that have to be deferred, for the test of who takes them back.
 *
 * Room: vm. A plain client of linux/tlsf.h, with a pool of its own, of which
 * nothing is left. A probe inside the allocator's section frees most of a full pool: of a
 * section before, or with late=1 of the very request that finds no block. Does all of it
 * while it is loaded; the load fails with
 *	EOPNOTSUPP	the kernel does not let a probe be set there
 *	EIO		a request failed although blocks waited that would have served it
 *	ETIME		the rest did not come back by itself
 *	EINVAL		the test did not get as far as that
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tlsf.h>

#define BLOCKS	95
#define BYTES	208
#define REQUEST	2000
#define FILLERS	64

static struct tlsf_pool *pool;
static void *block[BLOCKS], *filler[FILLERS], *last, *served;
static bool freed;

static bool late;
module_param(late, bool, 0444);
MODULE_PARM_DESC(late, "Free while a request is about to fail; recording has to be off");

static int free_all(struct kprobe *unused, struct pt_regs *regs)
{
	unsigned int i;

	if (!xchg(&freed, true))
		for (i = 0; i < BLOCKS; i++)
			tlsf_pool_free(pool, block[i]);
	return 0;
}

/* what ends a section of the slow path, which requests for zeroed memory take */
static struct kprobe probe = {
	.symbol_name = "tlsf_slow_end",
	.pre_handler = free_all,
};

/* fill the pool; @last is the block that makes room for the probed request */
static int fill(void)
{
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		block[i] = tlsf_pool_alloc(pool, BYTES, GFP_KERNEL);
	last = tlsf_pool_alloc(pool, BYTES, GFP_KERNEL);
	for (i = 0; i < FILLERS; i++)
		filler[i] = tlsf_pool_alloc(pool, BYTES, GFP_KERNEL | __GFP_NOWARN);
	return last && !filler[FILLERS - 1] ? 0 : -EINVAL;
}

static void empty(void)
{
	unsigned int i;

	for (i = 0; i < BLOCKS && !freed; i++)
		tlsf_pool_free(pool, block[i]);
	for (i = 0; i < FILLERS; i++)
		tlsf_pool_free(pool, filler[i]);
	tlsf_pool_free(pool, last);
	tlsf_pool_free(pool, served);
}

static u64 used_blocks(void)
{
	struct tlsf_pool_stats s;

	tlsf_pool_stats(pool, &s);
	return s.used_blocks;
}

static int defer_and_ask(void)
{
	struct tlsf_pool_stats full, s;
	int err = fill() ?: register_kprobe(&probe) ? -EOPNOTSUPP : 0;

	if (err)
		return err;
	tlsf_pool_stats(pool, &full);
	tlsf_pool_free(pool, last);
	last = tlsf_pool_alloc(pool, BYTES, GFP_KERNEL | __GFP_ZERO);
	unregister_kprobe(&probe);
	tlsf_pool_stats(pool, &s);
	if (!last || !freed || s.deferred_frees != BLOCKS)
		return -EINVAL;
	served = tlsf_pool_alloc(pool, REQUEST, GFP_KERNEL);
	tlsf_pool_stats(pool, &s);
	if (!served || s.fail_exhausted + s.fail_fragmented !=
		       full.fail_exhausted + full.fail_fragmented)
		return -EIO;
	if (full.used_blocks - s.used_blocks > BLOCKS / 2)
		return -EINVAL;		/* hardly any is left to come back by itself */
	msleep(1000);
	return used_blocks() == full.used_blocks + 1 - BLOCKS ? 0 : -ETIME;
}

/* the fast path has found no block, and still has the lock */
static int defer_when_failing(void)
{
	int err = fill();

	if (err)
		return err;
	probe.symbol_name = "alloc_failed";
	if (register_kprobe(&probe))
		return -EOPNOTSUPP;
	served = tlsf_pool_alloc(pool, REQUEST, GFP_KERNEL);
	unregister_kprobe(&probe);
	if (!freed)
		return -EINVAL;
	return served ? 0 : -EIO;
}

static int __init deferred_init(void)
{
	int err;

	pool = tlsf_pool_create("deferred", 32 << 10);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = late ? defer_when_failing() : defer_and_ask();
	empty();
	tlsf_pool_destroy(pool);
	return err;
}

static void __exit deferred_exit(void)
{
}

module_init(deferred_init);
module_exit(deferred_exit);
MODULE_DESCRIPTION("Deferred frees that nobody comes to take back");
MODULE_LICENSE("GPL");
