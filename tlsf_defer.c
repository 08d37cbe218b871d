// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees that could not have the lock. See tlsf_defer.h.
 *
 * Room: pool. No lock, no allocation. Cost: taking off is a dozen steps and never
 * retries; adding retries only while others add or take off at the same time.
 */
#include <linux/align.h>
#include <linux/random.h>

#include "tlsf_defer.h"

void tlsf_defer_init(struct tlsf_defer *d, const void *low, const void *high)
{
	init_llist_head(&d->list);
	d->low = (unsigned long)low;
	d->high = (unsigned long)high - sizeof(struct tlsf_deferred);
	d->secret = get_random_long();
}

static unsigned long mark_of(const struct tlsf_defer *d, const struct tlsf_deferred *b)
{
	return (unsigned long)b ^ d->secret;
}

static bool is_ours(const struct tlsf_defer *d, const struct tlsf_deferred *b)
{
	return (unsigned long)b - d->low <= d->high - d->low &&
	       IS_ALIGNED((unsigned long)b, sizeof(long));
}

/**
 * tlsf_defer_push() - add a block
 * @d: list
 * @ptr: block, which the caller has found plausible
 *
 * Context: any.
 * Return: false when it waits already.
 */
bool tlsf_defer_push(struct tlsf_defer *d, void *ptr)
{
	struct tlsf_deferred *b = ptr;

	if (xchg(&b->mark, mark_of(d, b)) == mark_of(d, b))
		return false;
	llist_add(&b->node, &d->list);
	return true;
}

/**
 * tlsf_defer_pop() - take a block off
 * @d: list
 * @ptr: out: the block; NULL when none is to be had now
 *
 * When another processor adds at this moment, none is to be had: no retry.
 *
 * Context: any; the caller serialises.
 * Return: false when a block was written to after it was freed: the list is lost.
 */
bool tlsf_defer_pop(struct tlsf_defer *d, void **ptr)
{
	/* Pairs with the cmpxchg() in llist_add(): mark and link are there */
	struct llist_node *first = smp_load_acquire(&d->list.first);
	struct tlsf_deferred *b = (struct tlsf_deferred *)first;

	*ptr = NULL;
	if (!first)
		return true;
	if (!is_ours(d, b) || READ_ONCE(b->mark) != mark_of(d, b)) {
		*ptr = b;
		llist_del_all(&d->list);
		return false;
	}
	if (cmpxchg(&d->list.first, first, READ_ONCE(first->next)) == first) {
		b->mark = 0;
		*ptr = b;
	}
	return true;
}
