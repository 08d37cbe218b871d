/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frees that could not have the lock: a lock-free list of blocks that wait for it.
 *
 * Room: pool. In NMI, and inside a section of our own, nobody may wait for a lock; a free
 * must not fail for that. So the block goes on this list, and later operations, which
 * have the lock, take it off and free it. Any number may add at a time, in any context;
 * one at a time takes off.
 *
 * A waiting block is linked through its first word. Its second holds a mark, so that the
 * same block is not added twice, and that a block which was written to after it was freed
 * is found out before its link is followed.
 */
#ifndef _TLSF_DEFER_H
#define _TLSF_DEFER_H

#include <linux/llist.h>
#include <linux/types.h>

struct tlsf_deferred {
	struct llist_node node;
	unsigned long mark;
};

/**
 * struct tlsf_defer - blocks that wait to be freed
 * @list: of struct tlsf_deferred
 * @low: lowest address that a block can have; constant after init, as @high and @secret
 * @high: highest
 * @secret: what makes the mark of a block, of its address
 */
struct tlsf_defer {
	struct llist_head list;
	unsigned long low;
	unsigned long high;
	unsigned long secret;
};

void tlsf_defer_init(struct tlsf_defer *d, const void *low, const void *high);
bool tlsf_defer_push(struct tlsf_defer *d, void *ptr);
bool tlsf_defer_pop(struct tlsf_defer *d, void **ptr);

/* does any block wait? the one test of the plain path */
static __always_inline bool tlsf_defer_pending(const struct tlsf_defer *d)
{
	/* A look: what is missed now is seen by the next, and taking off looks again. */
	return data_race(d->list.first);
}

#endif /* _TLSF_DEFER_H */
