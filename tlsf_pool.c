// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a pool: its memory, the list of pools, the default pool, and its retirement: no
 * further request is served, frees still are.
 *
 * Room: pool. Task context but for tlsf_pool_retire(); nothing here runs for each
 * operation. The lock order is in tlsf_pool_priv.h.
 */
#define pr_fmt(fmt) "tlsf: " fmt

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "tlsf_pool_priv.h"

/* live blocks that the report of a leak lists one by one */
#define LEAKS_LISTED	16

static DEFINE_MUTEX(create_lock);
static DEFINE_MUTEX(pools_lock);
static LIST_HEAD(pools);				/* under pools_lock */
static const struct tlsf_pool_notifier *notifier;	/* under pools_lock */

struct tlsf_pool *tlsf_default_pool;

/* lay out control structure and region behind the pool's own structure */
static int pool_format(struct tlsf_pool *pool)
{
	struct tlsf_core *core = tlsf_core_init(tlsf_pool_core(pool),
						pool->bytes - sizeof(*pool));
	struct tlsf_core_stats s;

	if (!core)
		return -EINVAL;
	tlsf_defer_init(&pool->defer, tlsf_block_payload(tlsf_core_start(core)),
			tlsf_core_end(core));
	tlsf_core_stats(core, &s);
	pool->max_request = s.largest_free;
	return 0;
}

static void pool_release(struct tlsf_pool *pool)
{
	tlsf_latency_destroy(&pool->latency);
	vfree(pool);
}

/* what pools leave to the rest of the machine: taking all memory can deadlock it */
#define TLSF_RESERVE_MIN	((u64)SZ_16M)
#define TLSF_RESERVE_MAX	((u64)SZ_256M)

static u64 memory_reserve(void)
{
	return clamp(((u64)totalram_pages() << PAGE_SHIFT) / 16, TLSF_RESERVE_MIN,
		     TLSF_RESERVE_MAX);
}

static u64 memory_available(void)
{
	return (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;
}

static bool memory_suffices(u64 bytes)
{
	return bytes + memory_reserve() <= memory_available();
}

static bool name_is_good(const char *name)
{
	return name && *name && strlen(name) < TLSF_NAME_LEN && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static struct tlsf_pool *pool_make(const char *name, size_t bytes)
{
	struct tlsf_pool *pool;
	int err = -ENOMEM;

	/* fail and say so, rather than have the OOM killer make room */
	pool = __vmalloc(bytes, GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!pool)
		return ERR_PTR(err);
	*pool = (struct tlsf_pool){ .bytes = bytes };
	raw_spin_lock_init(&pool->lock.raw);
	tlsf_reports_init(pool);
	tlsf_drain_init(pool);
	strscpy(pool->name, name, sizeof(pool->name));
	err = tlsf_latency_init(&pool->latency, pool->name) ?: pool_format(pool);
	if (!err)
		return pool;
	pool_release(pool);
	return ERR_PTR(err);
}

/*
 * Make a pool only if the reserve stays free: looked at before, and after, in case somebody
 * else took memory meanwhile.
 */
static struct tlsf_pool *pool_make_within(const char *name, size_t bytes)
{
	struct tlsf_pool *pool = ERR_PTR(-ENOMEM);

	mutex_lock(&create_lock);
	if (memory_suffices((u64)bytes + tlsf_latency_bytes()))
		pool = pool_make(name, bytes);
	if (!IS_ERR(pool) && !memory_suffices(0)) {
		pool_release(pool);
		pool = ERR_PTR(-ENOMEM);
	}
	mutex_unlock(&create_lock);
	return pool;
}

static struct tlsf_pool *pool_find(const char *name)
{
	struct tlsf_pool *pool;

	lockdep_assert_held(&pools_lock);
	list_for_each_entry(pool, &pools, link)
		if (!strcmp(pool->name, name))
			return pool;
	return NULL;
}

/* under its name into the list, unless the name is taken */
static int pool_publish(struct tlsf_pool *pool)
{
	int err = 0;

	mutex_lock(&pools_lock);
	if (pool_find(pool->name)) {
		err = -EEXIST;
	} else {
		list_add_tail(&pool->link, &pools);
		if (notifier)
			notifier->created(pool);
	}
	mutex_unlock(&pools_lock);
	return err;
}

/**
 * tlsf_pool_create() - make a pool of one's own
 * @name: 1 to 15 characters without a slash, as its statistics are found under
 * @bytes: memory to take, rounded up to whole pages; 16 KiB to 32 GiB, or 1 GiB on 32-bit. All is
 *	taken at once; control structure and headers come out of it.
 *
 * Besides @bytes it takes 80 KiB of histograms for each possible CPU, and 144 KiB. Of the
 * memory that is available it leaves a sixteenth of the machine's, at least 16 MiB and at
 * most 256 MiB: a pool that would take more is refused.
 *
 * Context: task; may sleep.
 * Return: the pool, or ERR_PTR(): -EINVAL for a bad name or size, -EEXIST for a name
 *	in use, -ENOMEM.
 */
struct tlsf_pool *tlsf_pool_create(const char *name, size_t bytes)
{
	struct tlsf_pool *pool;
	int err;

	if (!name_is_good(name) || bytes < TLSF_POOL_MIN || bytes > TLSF_POOL_MAX)
		return ERR_PTR(-EINVAL);
	pool = pool_make_within(name, PAGE_ALIGN(bytes));
	if (IS_ERR(pool))
		return pool;
	err = pool_publish(pool);
	if (!err)
		return pool;
	pool_release(pool);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(tlsf_pool_create);

/* live blocks at the end are the user's mistake: list them, crash nothing */
static void report_leaks(struct tlsf_pool *pool)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	struct tlsf_block_info info;
	struct tlsf_core_stats s;
	unsigned int listed = 0;
	size_t offset = 0;

	tlsf_core_stats(core, &s);
	if (!s.used_blocks)
		return;
	pr_err("pool %s: leak: %zu live blocks, %zu bytes, as the pool is destroyed\n",
	       pool->name, s.used_blocks, s.used_bytes);
	while (listed < LEAKS_LISTED && tlsf_core_walk(core, &offset, &info)) {
		if (info.free)
			continue;
		pr_err("pool %s: leak: live block at +%zu, %zu bytes\n", pool->name,
		       tlsf_pool_offset(pool, info.ptr), info.size);
		listed++;
	}
}

/**
 * tlsf_pool_destroy() - give a pool back
 * @pool: pool, or NULL or an ERR_PTR() to do nothing
 *
 * Blocks that are still allocated are reported in the log and go with the pool.
 *
 * Context: task; may sleep. The caller makes sure that nobody uses the pool.
 */
void tlsf_pool_destroy(struct tlsf_pool *pool)
{
	if (IS_ERR_OR_NULL(pool))
		return;
	mutex_lock(&pools_lock);
	list_del(&pool->link);
	if (notifier)
		notifier->destroyed(pool);
	mutex_unlock(&pools_lock);
	tlsf_drain_exit(pool);
	tlsf_reports_exit(pool);
	report_leaks(pool);
	pool_release(pool);
}
EXPORT_SYMBOL_GPL(tlsf_pool_destroy);

/**
 * tlsf_pool_retire() - the core found its heap damaged: say so once, serve no more
 * @pool: pool
 * @caller: whose request found it
 *
 * Context: any.
 */
void tlsf_pool_retire(struct tlsf_pool *pool, unsigned long caller)
{
	unsigned long flags;
	bool first;

	/* where the lock cannot be waited for, the next request that meets the damage does it */
	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return;
	/* both under the lock: a request that is refused from now on knows why */
	tlsf_core_retire(tlsf_pool_core(pool));
	first = !xchg(&pool->damaged, true);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	if (first)
		tlsf_report_damage(pool, caller);
}

/**
 * tlsf_pool_notify() - be told of all pools, those that exist and those to come
 * @new: notifier, or NULL to be told no more
 *
 * Context: task; may sleep.
 */
void tlsf_pool_notify(const struct tlsf_pool_notifier *new)
{
	struct tlsf_pool *pool;

	mutex_lock(&pools_lock);
	if (notifier)
		list_for_each_entry(pool, &pools, link)
			notifier->destroyed(pool);
	notifier = new;
	if (notifier)
		list_for_each_entry(pool, &pools, link)
			notifier->created(pool);
	mutex_unlock(&pools_lock);
}

/**
 * tlsf_pool_init() - make the default pool
 * @default_bytes: its size
 *
 * Context: task; may sleep.
 * Return: 0, or a negative errno, and then the log says what to do.
 */
int tlsf_pool_init(u64 default_bytes)
{
	if (default_bytes < TLSF_POOL_MIN || default_bytes > TLSF_POOL_MAX) {
		pr_err("pool_size=%llu refused: give %lu to %llu bytes\n", default_bytes,
		       TLSF_POOL_MIN, (u64)TLSF_POOL_MAX);
		return -EINVAL;
	}
	tlsf_drain_queue = alloc_workqueue("tlsf", WQ_UNBOUND, 0);
	if (!tlsf_drain_queue)
		return -ENOMEM;
	tlsf_default_pool = tlsf_pool_create("default", default_bytes);
	if (!IS_ERR(tlsf_default_pool))
		return 0;
	destroy_workqueue(tlsf_drain_queue);
	pr_err("pool_size=%llu refused (%pe): %llu bytes are available, and %llu of them are left to the machine\n",
	       default_bytes, tlsf_default_pool, memory_available(), memory_reserve());
	return PTR_ERR(tlsf_default_pool);
}

/**
 * tlsf_pool_exit() - give the default pool back
 *
 * Context: task; may sleep. Pools of other modules are gone: they held this one.
 */
void tlsf_pool_exit(void)
{
	tlsf_pool_destroy(tlsf_default_pool);
	tlsf_default_pool = NULL;
	destroy_workqueue(tlsf_drain_queue);
}
