// SPDX-License-Identifier: GPL-2.0-only
/*
 * The allocators: each as its users would set it up, given the workload in advance.
 *
 * Room: bench. A plain client of linux/tlsf.h and of the kernel's own. Where
 * something had to be decided, it was in favour of the others:
 *
 *  - tlsf and both gen_pools get one pool of the same size, half as large again as the
 *    peak. gen_pool has its finest useful granule, 8 bytes, as tlsf has.
 *  - kmem_cache is one cache for each power of two, never shared with others. Finding
 *    the cache of a size is not counted.
 *  - mempool is one pool on top of each of these caches. Its reserve is what makes it
 *    certain to succeed: as many objects as the workload ever holds of that size.
 *  - "+zero" zeroes, as Debian's kernels do on each allocation unless booted with
 *    init_on_alloc=0, as run.sh does to see the allocators themselves.
 */
#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/tlsf.h>
#include <linux/vmalloc.h>

#include "bench.h"

#define IN_ALL		(IN_TASK | IN_RAW | IN_HARDIRQ)
/* what takes a spinlock_t, which sleeps on PREEMPT_RT */
#define IN_ALL_BUT_RT	(IS_ENABLED(CONFIG_PREEMPT_RT) ? IN_TASK : IN_ALL)

static size_t pool_bytes(const struct workload *w)
{
	return PAGE_ALIGN(w->peak_bytes + w->peak_bytes / 2 + SZ_64K);
}

/* ---- tlsf ---- */

static struct {
	struct tlsf_pool *pool;
	unsigned long base;
	size_t overhead;
} tlsf;

/* the first block of an empty pool lies where its memory starts */
static int tlsf_open(const struct workload *w)
{
	struct tlsf_pool_stats stats;
	void *first;

	tlsf.pool = tlsf_pool_create("bench", pool_bytes(w));
	if (IS_ERR(tlsf.pool))
		return PTR_ERR(tlsf.pool);
	tlsf_pool_stats(tlsf.pool, &stats);
	tlsf.overhead = stats.overhead_bytes;
	first = tlsf_pool_alloc(tlsf.pool, 1, GFP_ATOMIC);
	tlsf.base = (unsigned long)first;
	tlsf_pool_free(tlsf.pool, first);
	return 0;
}

static void tlsf_close(void)
{
	tlsf_pool_destroy(tlsf.pool);
}

static void *tlsf_alloc(size_t size, u32 *cycles)
{
	void *ptr;

	TIMED(cycles, ptr = tlsf_pool_alloc(tlsf.pool, size, GFP_ATOMIC));
	return ptr;
}

static void *tlsf_zalloc(size_t size, u32 *cycles)
{
	void *ptr;

	TIMED(cycles, ptr = tlsf_pool_alloc(tlsf.pool, size, GFP_ATOMIC | __GFP_ZERO));
	return ptr;
}

static void tlsf_free(void *ptr, size_t size, u32 *cycles)
{
	TIMED(cycles, tlsf_pool_free(tlsf.pool, ptr));
}

static size_t tlsf_left(void)
{
	struct tlsf_pool_stats stats;

	tlsf_pool_stats(tlsf.pool, &stats);
	return stats.used_bytes;
}

static size_t tlsf_overhead(void)
{
	return tlsf.overhead;
}

static unsigned long tlsf_base(void)
{
	return tlsf.base;
}

/* ---- kmalloc ---- */

static int nothing_to_open(const struct workload *w)
{
	return 0;
}

static void nothing_to_close(void)
{
}

static void *slab_alloc(size_t size, u32 *cycles)
{
	void *ptr;

	TIMED(cycles, ptr = kmalloc(size, GFP_ATOMIC));
	return ptr;
}

static void *slab_zalloc(size_t size, u32 *cycles)
{
	void *ptr;

	TIMED(cycles, ptr = kzalloc(size, GFP_ATOMIC));
	return ptr;
}

static void slab_free(void *ptr, size_t size, u32 *cycles)
{
	TIMED(cycles, kfree(ptr));
}

#ifdef BENCH_KMALLOC_NOLOCK
static void *nolock_alloc(size_t size, u32 *cycles)
{
	void *ptr;

	TIMED(cycles, ptr = kmalloc_nolock(size, 0, NUMA_NO_NODE));
	return ptr;
}

static void nolock_free(void *ptr, size_t size, u32 *cycles)
{
	TIMED(cycles, kfree_nolock(ptr));
}
#endif

/* ---- kmem_cache ---- */

static struct kmem_cache *caches[CLASSES];

static void caches_close(void)
{
	unsigned int class;

	for (class = 0; class < CLASSES; class++) {
		kmem_cache_destroy(caches[class]);
		caches[class] = NULL;
	}
}

/* a cache with a part that may be copied to user space is never merged with another */
static int cache_open(unsigned int class)
{
	size_t size = 1UL << class;
	char name[32];

	snprintf(name, sizeof(name), "tlsf-bench-%zu", size);
	caches[class] = kmem_cache_create_usercopy(name, size, 0, 0, 0, size, NULL);
	return caches[class] ? 0 : -ENOMEM;
}

static int caches_open(const struct workload *w)
{
	unsigned int class;

	for (class = 0; class < CLASSES; class++) {
		if (w->class_blocks[class] && cache_open(class)) {
			caches_close();
			return -ENOMEM;
		}
	}
	return 0;
}

static void *cache_alloc(size_t size, u32 *cycles)
{
	struct kmem_cache *cache = caches[size_class(size)];
	void *ptr;

	TIMED(cycles, ptr = kmem_cache_alloc(cache, GFP_ATOMIC));
	return ptr;
}

static void cache_free(void *ptr, size_t size, u32 *cycles)
{
	struct kmem_cache *cache = caches[size_class(size)];

	TIMED(cycles, kmem_cache_free(cache, ptr));
}

/* ---- mempool ---- */

static mempool_t *mempools[CLASSES];

static void mempools_close(void)
{
	unsigned int class;

	for (class = 0; class < CLASSES; class++) {
		mempool_destroy(mempools[class]);
		mempools[class] = NULL;
	}
	caches_close();
}

static int mempools_open(const struct workload *w)
{
	unsigned int class;
	int err = caches_open(w);

	for (class = 0; class < CLASSES && !err; class++) {
		if (!caches[class])
			continue;
		mempools[class] = mempool_create_slab_pool(w->class_blocks[class], caches[class]);
		if (!mempools[class]) {
			mempools_close();
			return -ENOMEM;
		}
	}
	return err;
}

static void *mempools_alloc(size_t size, u32 *cycles)
{
	mempool_t *pool = mempools[size_class(size)];
	void *ptr;

	TIMED(cycles, ptr = mempool_alloc(pool, GFP_ATOMIC));
	return ptr;
}

static void mempools_free(void *ptr, size_t size, u32 *cycles)
{
	mempool_t *pool = mempools[size_class(size)];

	TIMED(cycles, mempool_free(ptr, pool));
}

static void **mempools_reserve(unsigned int class, unsigned int *nr)
{
	*nr = mempools[class] ? mempools[class]->curr_nr : 0;
	return *nr ? mempools[class]->elements : NULL;
}

/* ---- gen_pool ---- */

#define GRANULE_ORDER	3

static struct {
	struct gen_pool *pool;
	void *memory;
	size_t bytes;
} gen;

static void gen_close(void)
{
	gen_pool_destroy(gen.pool);
	vfree(gen.memory);
}

static int gen_open(const struct workload *w, genpool_algo_t algo)
{
	int err = -ENOMEM;

	gen.bytes = pool_bytes(w);
	gen.memory = vmalloc(gen.bytes);
	if (!gen.memory)
		return -ENOMEM;
	gen.pool = gen_pool_create(GRANULE_ORDER, NUMA_NO_NODE);
	if (!gen.pool)
		goto free_memory;
	gen_pool_set_algo(gen.pool, algo, NULL);
	err = gen_pool_add(gen.pool, (unsigned long)gen.memory, gen.bytes, NUMA_NO_NODE);
	if (!err)
		return 0;
	gen_pool_destroy(gen.pool);
free_memory:
	vfree(gen.memory);
	return err;
}

static int gen_open_first(const struct workload *w)
{
	return gen_open(w, gen_pool_first_fit);
}

static int gen_open_best(const struct workload *w)
{
	return gen_open(w, gen_pool_best_fit);
}

static void *gen_alloc(size_t size, u32 *cycles)
{
	unsigned long ptr;

	TIMED(cycles, ptr = gen_pool_alloc(gen.pool, size));
	return (void *)ptr;
}

static void gen_free(void *ptr, size_t size, u32 *cycles)
{
	TIMED(cycles, gen_pool_free(gen.pool, (unsigned long)ptr, size));
}

static size_t gen_left(void)
{
	return gen_pool_size(gen.pool) - gen_pool_avail(gen.pool);
}

/* one bit for each granule */
static size_t gen_overhead(void)
{
	return sizeof(struct gen_pool) + sizeof(struct gen_pool_chunk) +
	       (gen.bytes >> GRANULE_ORDER) / BITS_PER_BYTE;
}

static unsigned long gen_base(void)
{
	return (unsigned long)gen.memory;
}

/* ---- all of them ---- */

#define NEVER_WAITS	"raw lock; in NMI tried, not waited for"
#define SLEEPS		"takes locks; on PREEMPT_RT they sleep"

const struct peer peers[] = {
	{ .name = "tlsf", .where = IN_ALL | IN_NMI, .limits = NEVER_WAITS,
	  .open = tlsf_open, .close = tlsf_close, .alloc = tlsf_alloc, .free = tlsf_free,
	  .left = tlsf_left, .overhead = tlsf_overhead, .base = tlsf_base },
	{ .name = "tlsf+zero", .where = IN_ALL | IN_NMI, .limits = NEVER_WAITS,
	  .open = tlsf_open, .close = tlsf_close, .alloc = tlsf_zalloc, .free = tlsf_free,
	  .left = tlsf_left, .overhead = tlsf_overhead, .base = tlsf_base },
	{ .name = "kmalloc", .where = IN_ALL_BUT_RT, .limits = SLEEPS,
	  .open = nothing_to_open, .close = nothing_to_close,
	  .alloc = slab_alloc, .free = slab_free },
	{ .name = "kmalloc+zero", .where = IN_ALL_BUT_RT, .limits = SLEEPS,
	  .open = nothing_to_open, .close = nothing_to_close,
	  .alloc = slab_zalloc, .free = slab_free },
#ifdef BENCH_KMALLOC_NOLOCK
	{ .name = "kmalloc_nolock", .may_refuse = true,
	  .limits = "on PREEMPT_RT it returns NULL there",
	  .where = IS_ENABLED(CONFIG_PREEMPT_RT) ? IN_TASK | IN_RAW : IN_ALL | IN_NMI,
	  .open = nothing_to_open, .close = nothing_to_close,
	  .alloc = nolock_alloc, .free = nolock_free },
#endif
	{ .name = "kmem_cache", .where = IN_ALL_BUT_RT, .limits = SLEEPS,
	  .open = caches_open, .close = caches_close,
	  .alloc = cache_alloc, .free = cache_free },
	{ .name = "mempool", .where = IN_ALL_BUT_RT, .limits = SLEEPS,
	  .open = mempools_open, .close = mempools_close,
	  .alloc = mempools_alloc, .free = mempools_free, .reserve = mempools_reserve },
	{ .name = "gen_pool_first_fit", .where = IN_ALL | IN_NMI,
	  .limits = "lock-free; searches the whole pool",
	  .open = gen_open_first, .close = gen_close, .alloc = gen_alloc, .free = gen_free,
	  .left = gen_left, .overhead = gen_overhead, .base = gen_base },
	{ .name = "gen_pool_best_fit", .where = IN_ALL | IN_NMI,
	  .limits = "lock-free; searches the whole pool",
	  .open = gen_open_best, .close = gen_close, .alloc = gen_alloc, .free = gen_free,
	  .left = gen_left, .overhead = gen_overhead, .base = gen_base },
};

const unsigned int nr_peers = ARRAY_SIZE(peers);
