// SPDX-License-Identifier: GPL-2.0-only
/*
 * A free that is deferred.
 *
 * Room: wcet (kernel). That takes somebody who frees while this processor holds the lock.
 * A request for zeroed memory calls the core's own function under it, and a probe there
 * frees the block. Both probe and request are gone before anything is timed.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/tlsf.h>

#include "measure.h"

#define HOLE	24	/* bytes of the request; GUARD of states.c, which keeps a place for it */

static void *victim;

static int free_victim(struct kprobe *probe, struct pt_regs *regs)
{
	void *ptr = victim;

	victim = NULL;
	tlsf_kfree(ptr);
	return 0;
}

/**
 * target_defer() - let the next operation on the default pool find a deferred free
 * @t: the default pool
 * @ptr: block that is freed; NULL, and nothing happens
 *
 * Context: task; may sleep.
 * Return: another block, in the making of which @ptr was freed.
 */
void *target_defer(struct target *t, void *ptr)
{
	struct kprobe probe = { .symbol_name = "tlsf_core_alloc", .pre_handler = free_victim };
	size_t usable = ptr ? t->usable(t, ptr) : 0;
	void *block;

	if (!ptr || register_kprobe(&probe))
		return NULL;
	victim = ptr;
	block = tlsf_kzalloc(HOLE, GFP_ATOMIC | __GFP_NOWARN);
	unregister_kprobe(&probe);
	if (victim || !block)
		return block;
	t->used += t->usable(t, block) - usable;
	t->pending = true;
	return block;
}
