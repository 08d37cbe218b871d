/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block map of the pool, as one consistent list in address order.
 *
 * Room: cli. Calls WALK; changes nothing.
 */
#ifndef TLSF_WALK_H
#define TLSF_WALK_H

#include "dev.h"

struct heap {
	struct tlsf_block_desc *blocks;
	size_t nr;
	bool atomic;	/* the lock was held for the whole walk */
};

int heap_read(struct dev *dev, struct heap *heap);
void heap_release(struct heap *heap);

#endif /* TLSF_WALK_H */
