// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block map of the pool, as one consistent list in address order.
 *
 * Room: cli. Calls WALK; changes nothing. First politely, with short
 * holds of the lock; when the pool keeps changing, with one long hold.
 */
#include "walk.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define TRIES	8	/* of each way */

static int heap_room(struct heap *heap)
{
	size_t room = heap->nr + TLSF_WALK_MAX;
	void *blocks = reallocarray(heap->blocks, room, sizeof(*heap->blocks));

	if (!blocks)
		return -ENOMEM;
	heap->blocks = blocks;
	return 0;
}

/* One pass from the first block; -EAGAIN when the pool changed meanwhile. */
static int heap_pass(struct dev *dev, struct heap *heap, u32 flags)
{
	struct tlsf_walk walk = { .flags = flags };
	int err;

	heap->nr = 0;
	do {
		err = heap_room(heap);
		if (err)
			return err;
		walk.nr_blocks = TLSF_WALK_MAX;
		walk.more = 0;
		walk.blocks = (uintptr_t)(heap->blocks + heap->nr);
		err = dev_walk(dev, &walk);
		if (err)
			return err;
		heap->nr += walk.nr_blocks;
	} while (walk.more);
	return 0;
}

int heap_read(struct dev *dev, struct heap *heap)
{
	int err = -EAGAIN;

	*heap = (struct heap){ 0 };
	for (int i = 0; i < 2 * TRIES && err == -EAGAIN; i++) {
		heap->atomic = i >= TRIES;
		err = heap_pass(dev, heap, heap->atomic ? TLSF_WALK_ATOMIC : 0);
	}
	if (!err)
		return EXIT_OK;
	heap_release(heap);
	if (err != -EAGAIN)
		return dev_explain(dev, "WALK", err);
	complain("%s: the pool has more than %u blocks and keeps changing: try again when it is "
		 "quieter", dev->path, TLSF_WALK_MAX);
	return EXIT_BAD;
}

void heap_release(struct heap *heap)
{
	free(heap->blocks);
	heap->blocks = NULL;
}
