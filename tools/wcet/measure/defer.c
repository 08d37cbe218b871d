// SPDX-License-Identifier: GPL-2.0-only
/*
 * A free that is deferred.
 *
 * Room: wcet. That takes somebody who frees while this processor holds the lock.
 * A request for zeroed memory takes the slow path, and a probe where that ends its section
 * frees the blocks. Both probe and request are gone before anything is timed.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/tlsf.h>

#include "measure.h"

#define HOLE	24	/* bytes of the request; a GUARD of states.c keeps a place for it */

static void *const *victims;
static unsigned int victims_left;

static int free_victims(struct kprobe *probe, struct pt_regs *regs)
{
	while (victims_left)
		tlsf_kfree(victims[--victims_left]);
	return 0;
}

/**
 * target_defer() - let the next operation on the default pool find deferred frees
 * @t: the default pool
 * @ptr: blocks that are freed; one that is NULL, and nothing happens
 * @nr: how many
 *
 * Context: task; may sleep.
 * Return: another block, in the making of which they were freed.
 */
void *target_defer(struct target *t, void *const ptr[], unsigned int nr)
{
	struct kprobe probe = { .symbol_name = "tlsf_slow_end", .pre_handler = free_victims };
	size_t usable = 0;
	unsigned int i;
	void *block;

	for (i = 0; i < nr; i++) {
		if (!ptr[i])
			return NULL;
		usable += t->usable(t, ptr[i]);
	}
	if (register_kprobe(&probe))
		return NULL;
	victims = ptr;
	victims_left = nr;
	block = tlsf_kzalloc(HOLE, GFP_ATOMIC | __GFP_NOWARN);
	unregister_kprobe(&probe);
	if (victims_left || !block)
		return block;
	t->used += t->usable(t, block) - usable;
	t->pending = nr;
	return block;
}
