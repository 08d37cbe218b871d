/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools, as the module's other rooms see them.
 *
 * Room: pool. What users of the module see is in include/linux/tlsf.h; here is what
 * the device and the views need besides: each operation with its cost and its status,
 * the map of blocks, the check, and who is told of new pools.
 */
#ifndef _TLSF_POOL_H
#define _TLSF_POOL_H

#include <linux/sizes.h>
#include <linux/tlsf.h>

#include "tlsf_latency.h"

/* pools smaller than this are all overhead; larger, links have no room for the index */
#define TLSF_POOL_MIN		(16UL << 10)
#define TLSF_POOL_MAX		(IS_ENABLED(CONFIG_64BIT) ? 1ULL << 35 : 1ULL << 30)

/* blocks that a walk looks at in one hold of the lock */
#define TLSF_POOL_WALK_CHUNK	64

/* bytes that who may sleep works on before others may run */
#define TLSF_POOL_PIECE		SZ_1M

/*
 * The figures of a pool, by name, each named once. All of them are members of struct
 * tlsf_pool_stats (linux/tlsf.h) and of struct tlsf_stats (uapi/linux/tlsf.h), where their
 * meaning is told; who copies, shows or resets them goes through these lists.
 */

/* what struct tlsf_core_stats has under the same name */
#define TLSF_CORE_FIGURES(X)	\
	X(used_bytes)		\
	X(free_bytes)		\
	X(largest_free)		\
	X(high_water)		\
	X(used_blocks)		\
	X(free_blocks)		\
	X(allocs)		\
	X(frees)		\
	X(resizes)		\
	X(fail_exhausted)	\
	X(fail_fragmented)

/* what the pool counts besides, without its lock */
#define TLSF_POOL_COUNTERS(X)	\
	X(fail_busy)		\
	X(deferred_frees)	\
	X(fail_damaged)

/* and what becomes part of a figure: bad_deferred of bad_frees */
#define TLSF_POOL_EVENTS(X)	\
	TLSF_POOL_COUNTERS(X)	\
	X(bad_deferred)

/* all that is shown; the last three are derived */
#define TLSF_POOL_FIGURES(X)	\
	TLSF_CORE_FIGURES(X)	\
	TLSF_POOL_COUNTERS(X)	\
	X(overhead_bytes)	\
	X(bad_frees)		\
	X(damaged)

/**
 * struct tlsf_cost - what one operation took
 * @hold: cycles of the core and of taking the lock once it was free
 * @total: the same and the wait for the lock
 * @steps: steps of the core
 * @usable: bytes of the block that came of it; 0 when none did
 * @kept: of a resize: how many of them have the contents from before
 * @err: what came of it: 0, or a negative errno
 */
struct tlsf_cost {
	u64 hold;
	u64 total;
	unsigned int steps;
	size_t usable;
	size_t kept;
	int err;
};

/**
 * struct tlsf_pool_block - one block of the map
 * @offset: of its usable bytes from the start of the pool
 * @size: usable bytes
 * @free: in a free list
 */
struct tlsf_pool_block {
	size_t offset;
	size_t size;
	bool free;
};

/**
 * struct tlsf_pool_cursor - a place in the map; zero it to start
 * @offset: where to go on
 * @generation: state of the pool that @offset belongs to
 */
struct tlsf_pool_cursor {
	size_t offset;
	size_t generation;
};

/**
 * struct tlsf_pool_notifier - who is told about pools
 * @created: a pool is ready
 * @destroyed: a pool is about to go
 *
 * Called in task context under the lock of the list of pools.
 */
struct tlsf_pool_notifier {
	void (*created)(struct tlsf_pool *pool);
	void (*destroyed)(struct tlsf_pool *pool);
};

extern struct tlsf_pool *tlsf_default_pool;	/* constant between init and exit */

const char *tlsf_pool_name(const struct tlsf_pool *pool);
struct tlsf_latency *tlsf_pool_latency(struct tlsf_pool *pool);
size_t tlsf_pool_offset(const struct tlsf_pool *pool, const void *ptr);
unsigned int tlsf_pool_steps_seen(struct tlsf_pool *pool);
unsigned int tlsf_pool_steps_max(void);
size_t tlsf_pool_min_usable(void);
void tlsf_pool_stats_reset(struct tlsf_pool *pool);

int tlsf_pool_alloc_cost(struct tlsf_pool *pool, size_t align, size_t size, gfp_t flags,
			 void **ptr, struct tlsf_cost *cost);
int tlsf_pool_free_cost(struct tlsf_pool *pool, void *ptr, struct tlsf_cost *cost);
int tlsf_pool_resize_cost(struct tlsf_pool *pool, size_t align, size_t size, bool may_move,
			  void **ptr, struct tlsf_cost *cost);

int tlsf_pool_walk(struct tlsf_pool *pool, struct tlsf_pool_cursor *at,
		   struct tlsf_pool_block *blocks, unsigned int *nr, bool atomic);
unsigned int tlsf_pool_check(struct tlsf_pool *pool, size_t *offset, size_t *blocks);

void tlsf_pool_notify(const struct tlsf_pool_notifier *new);
int tlsf_pool_init(u64 default_bytes);
void tlsf_pool_exit(void);

#endif /* _TLSF_POOL_H */
