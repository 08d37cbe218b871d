// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at a pool: figures, sizes of blocks, the map, the check.
 *
 * Room: pool. Changes nothing but counters. Figures and sizes are one hold of the lock, of
 * constant length; the walk and the check say how many and how long. A figure that is counted
 * is named once, in tlsf_pool.h.
 */
#include <linux/export.h>
#include <linux/minmax.h>

#include "tlsf_pool_priv.h"

/* ---- sizes of blocks ---- */

/* where the lock cannot be waited for, the block is looked at without it */
static size_t pool_ksize(struct tlsf_pool *pool, const void *ptr, unsigned long caller)
{
	enum tlsf_status status;
	unsigned long flags;
	size_t usable = 0;

	if (ZERO_OR_NULL_PTR(ptr))
		return 0;
	if (likely(tlsf_lock_irqsave(&pool->lock, &flags))) {
		status = tlsf_core_usable(tlsf_pool_core(pool), ptr, &usable);
		tlsf_unlock_irqrestore(&pool->lock, flags);
	} else {
		status = tlsf_block_look(pool, ptr, &usable);
	}
	if (unlikely(status != TLSF_OK))
		tlsf_report_pointer(pool, status, ptr, caller);
	return usable;
}

/**
 * tlsf_pool_ksize() - how many bytes a block has
 * @pool: pool
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * What is more than was asked for may be used only after a tlsf_pool_realloc() to this
 * size: FORTIFY_SOURCE knows no more than the last size asked for. That one leaves the
 * block where it is and succeeds in a full pool too; it can fail only where the lock is
 * not to be waited for, as in NMI.
 *
 * Context: any; never sleeps. Bound: no step, one validation under the lock.
 * Return: bytes, at least those asked for; 0 for NULL, ZERO_SIZE_PTR and, reported but no
 *	bad free, for what is no block of the pool.
 */
size_t tlsf_pool_ksize(struct tlsf_pool *pool, const void *ptr)
{
	return pool_ksize(pool, ptr, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_pool_ksize);

/**
 * tlsf_ksize() - how many bytes a block of the default pool has
 * @ptr: block, NULL or ZERO_SIZE_PTR
 *
 * To use more than was asked for, tlsf_krealloc() to this size first: see
 * tlsf_pool_ksize().
 *
 * Context: any; never sleeps. Bound: as tlsf_pool_ksize().
 * Return: as tlsf_pool_ksize().
 */
size_t tlsf_ksize(const void *ptr)
{
	return pool_ksize(tlsf_default_pool, ptr, _RET_IP_);
}
EXPORT_SYMBOL_GPL(tlsf_ksize);

/* ---- figures ---- */

/**
 * tlsf_pool_stats() - one consistent look at a pool
 * @pool: pool, or NULL for the default one
 * @stats: filled in
 *
 * Context: any; never sleeps. Bound: constant, no list is walked. All is 0 where the
 *	lock is not to be had and not to be waited for, as in NMI.
 */
void tlsf_pool_stats(struct tlsf_pool *pool, struct tlsf_pool_stats *stats)
{
	struct tlsf_core_stats s;
	unsigned long flags;

	pool = pool ?: tlsf_default_pool;
	*stats = (struct tlsf_pool_stats){};
	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return;
	tlsf_core_stats(tlsf_pool_core(pool), &s);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	*stats = (struct tlsf_pool_stats){
		.pool_bytes = pool->bytes,
		.overhead_bytes = pool->bytes - s.used_bytes - s.free_bytes,
		.max_request = pool->max_request,
		.bad_frees = s.bad_pointers + atomic_long_read(&pool->events.bad_deferred),
		.damaged = READ_ONCE(pool->damaged),
#define FROM_CORE(name) .name = s.name,
		TLSF_CORE_FIGURES(FROM_CORE)
#undef FROM_CORE
#define FROM_POOL(name) .name = atomic_long_read(&pool->events.name),
		TLSF_POOL_COUNTERS(FROM_POOL)
#undef FROM_POOL
	};
}
EXPORT_SYMBOL_GPL(tlsf_pool_stats);

/**
 * tlsf_pool_stats_reset() - count events, steps and the high water afresh
 * @pool: pool
 *
 * Context: any but NMI.
 */
void tlsf_pool_stats_reset(struct tlsf_pool *pool)
{
	unsigned long flags;

	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return;
	tlsf_core_stats_reset(tlsf_pool_core(pool));
#define RESET(name) atomic_long_set(&pool->events.name, 0);
	TLSF_POOL_EVENTS(RESET)
#undef RESET
	WRITE_ONCE(pool->steps_seen, 0);
	tlsf_unlock_irqrestore(&pool->lock, flags);
}

/**
 * tlsf_pool_damaged() - was the heap found damaged?
 * @pool: pool, or NULL for the default one
 *
 * Somebody wrote where no memory was theirs, and an allocation met it: the log says so,
 * and every request is refused from then on, whatever is free. Frees go on. There is no
 * repair but another pool.
 *
 * Context: any; never sleeps. Bound: one read, no lock.
 */
bool tlsf_pool_damaged(const struct tlsf_pool *pool)
{
	return READ_ONCE((pool ?: tlsf_default_pool)->damaged);
}
EXPORT_SYMBOL_GPL(tlsf_pool_damaged);

const char *tlsf_pool_name(const struct tlsf_pool *pool)
{
	return pool->name;
}

struct tlsf_latency *tlsf_pool_latency(struct tlsf_pool *pool)
{
	return &pool->latency;
}

size_t tlsf_pool_offset(const struct tlsf_pool *pool, const void *ptr)
{
	return ptr - (void *)pool;
}

unsigned int tlsf_pool_steps_seen(struct tlsf_pool *pool)
{
	return READ_ONCE(pool->steps_seen);
}

unsigned int tlsf_pool_steps_max(void)
{
	return TLSF_STEPS_MAX;
}

size_t tlsf_pool_min_usable(void)
{
	return TLSF_BLOCK_MIN - TLSF_BLOCK_HEADER;
}

/* ---- the map and the check ---- */

/* up to @room blocks from @at, under one hold of the lock; -EAGAIN when @at is stale */
static int walk_chunk(struct tlsf_pool *pool, struct tlsf_pool_cursor *at,
		      struct tlsf_pool_block *blocks, unsigned int room, unsigned int *got)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	size_t offset = at->offset, generation = tlsf_core_generation(core);
	struct tlsf_block_info info;
	unsigned int n = 0;

	lockdep_assert_held(&pool->lock.raw);
	if (at->offset && at->generation != generation)
		return -EAGAIN;
	while (n < room && tlsf_core_walk(core, &offset, &info))
		blocks[n++] = (struct tlsf_pool_block){ tlsf_pool_offset(pool, info.ptr),
							info.size, info.free };
	*at = (struct tlsf_pool_cursor){ offset, generation };
	*got = n;
	return 0;
}

/**
 * tlsf_pool_walk() - the map of blocks in address order
 * @pool: pool
 * @at: where to go on; zero at first; moved on. Never taken from outside the kernel.
 * @blocks: filled in
 * @nr: in: room; out: blocks; fewer than the room at the end of the map
 * @atomic: look at all in one hold of the lock, in time proportional to @nr; otherwise
 *	at TLSF_POOL_WALK_CHUNK at a time
 *
 * Context: task.
 * Return: 0, or -EAGAIN when the pool changed since @at.
 */
int tlsf_pool_walk(struct tlsf_pool *pool, struct tlsf_pool_cursor *at,
		   struct tlsf_pool_block *blocks, unsigned int *nr, bool atomic)
{
	unsigned int room, got, done = 0;
	unsigned long flags;
	int err = 0;

	while (!err && done < *nr) {
		room = atomic ? *nr : min_t(unsigned int, *nr - done, TLSF_POOL_WALK_CHUNK);
		if (!tlsf_lock_irqsave(&pool->lock, &flags))
			return -EAGAIN;
		err = walk_chunk(pool, at, blocks + done, room, &got);
		tlsf_unlock_irqrestore(&pool->lock, flags);
		if (err)
			break;
		done += got;
		if (got < room)
			break;
	}
	*nr = done;
	return err;
}

/**
 * tlsf_pool_check() - prove every invariant of the heap
 * @pool: pool
 * @offset: out: where the first broken one is, from the start of the pool
 * @blocks: out: blocks that there are
 *
 * Context: any but NMI; holds the lock in proportion to the number of blocks.
 * Return: 0, or the number of the first broken invariant (tlsf_core.h), or UINT_MAX when
 *	called inside a section of ours and nothing was looked at.
 */
unsigned int tlsf_pool_check(struct tlsf_pool *pool, size_t *offset, size_t *blocks)
{
	struct tlsf_core *core = tlsf_pool_core(pool);
	const void *where = (void *)pool;
	struct tlsf_core_stats s;
	unsigned long flags;
	unsigned int broken;

	*offset = *blocks = 0;
	if (!tlsf_lock_irqsave(&pool->lock, &flags))
		return UINT_MAX;
	broken = tlsf_core_check(core, &where);
	tlsf_core_stats(core, &s);
	tlsf_unlock_irqrestore(&pool->lock, flags);
	*offset = tlsf_pool_offset(pool, where);
	*blocks = s.used_blocks + s.free_blocks;
	return broken;
}
