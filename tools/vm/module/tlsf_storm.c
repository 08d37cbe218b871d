// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools made, used and destroyed by several threads at once, and in between pools that
 * cannot be.
 *
 * Room: vm. A plain client of linux/tlsf.h. Does all of it while it is
 * loaded, until pools= pools have come and gone; one line in the log says what happened.
 * Threads contend for fewer names than they are. Each pool is filled until it serves no
 * more, its contents are verified, and it is destroyed whole again. What cannot be made
 * must be refused with its own error. Whatever else is found lets the module fail to load.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tlsf.h>

#define QUIET	(GFP_NOWAIT | __GFP_NOWARN)
#define NAMES	3
#define BLOCKS	32

static unsigned long pools = 100;
module_param(pools, ulong, 0444);
MODULE_PARM_DESC(pools, "pools to make and destroy (default 100)");

static atomic_long_t made, taken, refused, wrong;

static void complain(const char *what, const char *name, long got)
{
	if (atomic_long_inc_return(&wrong) < 10)
		pr_err("tlsf_storm: pool '%s': %s (%ld)\n", name, what, got);
}

/* ---- pools that cannot be ---- */

static const struct {
	const char *name;
	size_t bytes;
	long err;
} hopeless[] = {
	{ "", SZ_64K, -EINVAL },
	{ ".", SZ_64K, -EINVAL },
	{ "a/b", SZ_64K, -EINVAL },
	{ "sixteen-letters-", SZ_64K, -EINVAL },
	{ "none", 0, -EINVAL },
	{ "small", SZ_16K - 1, -EINVAL },
	{ "huge", SIZE_MAX, -EINVAL },
	{ "large", 32UL << 30, -ENOMEM },
	{ "larger", (32UL << 30) + 1, -EINVAL },
	{ "default", SZ_64K, -EEXIST },
};

static void try_hopeless(unsigned int i)
{
	struct tlsf_pool *pool = tlsf_pool_create(hopeless[i].name, hopeless[i].bytes);
	long err = PTR_ERR_OR_ZERO(pool);

	if (err != hopeless[i].err)
		complain("was to be refused", hopeless[i].name, err);
	atomic_long_inc(&refused);
	tlsf_pool_destroy(pool);
}

/* ---- one pool ---- */

/* blocks of @size bytes until there are no more or @blocks is full */
static unsigned int pool_fill(struct tlsf_pool *pool, size_t size, void **blocks)
{
	unsigned int nr = 0;

	while (nr < BLOCKS && (blocks[nr] = tlsf_pool_alloc(pool, size, QUIET))) {
		memset(blocks[nr], nr, size);
		nr++;
	}
	return nr;
}

static void pool_empty(struct tlsf_pool *pool, const char *name, size_t size, void **blocks,
		       unsigned int nr)
{
	while (nr--) {
		if (memchr_inv(blocks[nr], nr, size))
			complain("wrong contents", name, nr);
		tlsf_pool_free(pool, blocks[nr]);
	}
}

static void pool_expect_whole(struct tlsf_pool *pool, const char *name)
{
	struct tlsf_pool_stats s;

	tlsf_pool_stats(pool, &s);
	if (s.used_blocks || s.free_blocks != 1 || s.largest_free != s.max_request || s.bad_frees)
		complain("is not whole again", name, s.used_blocks);
}

static void pool_use(struct tlsf_pool *pool, const char *name, size_t size)
{
	void *blocks[BLOCKS];
	unsigned int nr = pool_fill(pool, size, blocks);

	if (!nr)
		complain("serves nothing", name, size);
	pool_empty(pool, name, size, blocks, nr);
	pool_expect_whole(pool, name);
}

static void try_pool(unsigned int i)
{
	char name[16];
	struct tlsf_pool *pool;

	snprintf(name, sizeof(name), "storm%u", i % NAMES);
	pool = tlsf_pool_create(name, SZ_16K << i % 4);
	if (pool == ERR_PTR(-EEXIST)) {
		atomic_long_inc(&taken);
	} else if (IS_ERR(pool)) {
		complain("was not made", name, PTR_ERR(pool));
	} else {
		pool_use(pool, name, 8 + i % 1000);
		tlsf_pool_destroy(pool);
		atomic_long_inc(&made);
	}
}

/* ---- the run ---- */

static int storm(void *arg)
{
	unsigned int i = (unsigned long)arg;

	for (; !kthread_should_stop(); i += 7) {
		try_pool(i);
		try_hopeless(i % ARRAY_SIZE(hopeless));
		cond_resched();
	}
	return 0;
}

static void wait_for_pools(void)
{
	while (atomic_long_read(&made) < pools && !atomic_long_read(&wrong) &&
	       !signal_pending(current))
		schedule_timeout_interruptible(HZ / 50 + 1);
}

static int run(struct task_struct **threads, unsigned int nr)
{
	unsigned long started = 0;
	int err = 0;

	while (started < nr && !err) {
		threads[started] = kthread_run(storm, (void *)started, "tlsf_storm/%lu", started);
		err = PTR_ERR_OR_ZERO(threads[started]);
		started += !err;
	}
	if (!err)
		wait_for_pools();
	while (started)
		kthread_stop(threads[--started]);
	return err;
}

static int __init storm_init(void)
{
	unsigned int nr = 2 * num_online_cpus();
	struct task_struct **threads = kcalloc(nr, sizeof(*threads), GFP_KERNEL);
	int err;

	if (!threads)
		return -ENOMEM;
	err = run(threads, nr);
	kfree(threads);
	pr_info("tlsf_storm: %ld pools made and destroyed, %ld names taken, %ld refused, %ld wrong\n",
		atomic_long_read(&made), atomic_long_read(&taken), atomic_long_read(&refused),
		atomic_long_read(&wrong));
	return err ?: atomic_long_read(&wrong) ? -EIO : 0;
}

static void __exit storm_exit(void)
{
}

module_init(storm_init);
module_exit(storm_exit);
MODULE_DESCRIPTION("Storms of pools of tlsf");
MODULE_LICENSE("GPL");
