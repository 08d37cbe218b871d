/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations on blocks, gathered into batches, with their contents verified.
 *
 * Room: cli. One batch belongs to one thread and one open file.
 *
 * A block passes through two times: when an operation on it is *staged* into the
 * batch, and when the batch has run and the result is *settled*. Until then a new
 * block has no handle and is named by the index of its ALLOC (TLSF_OP_REF).
 */
#ifndef TLSF_BATCH_H
#define TLSF_BATCH_H

#include "rng.h"
#include "tally.h"

/**
 * struct block - a block of the pool, as its user knows it; zeroed: none
 * @live: there is one, or its allocation is staged
 * @ref: @handle is an index into the batch that is being gathered
 * @handle: the kernel's name for it
 * @sure: bytes it has whichever staged operations fail
 * @seed: of the pattern that fills it
 * @wanted: settled: bytes asked for
 * @usable: settled: bytes it has
 */
struct block {
	bool live, ref;
	u32 handle;
	u64 sure, seed;
	u64 wanted, usable;
};

/* What settling an operation needs and struct tlsf_op does not say. */
struct staged {
	struct block *block;
	int ref;	/* index of its ALLOC in this batch, or -1 */
	u64 where;
};

/**
 * struct batch - operations on their way to the kernel
 * @dev: whose handles
 * @capacity: operations per call; 1 makes each a call of its own
 * @verify: fill after alloc and resize, verify before they change and at free
 * @shortage_ok: ENOMEM and EDQUOT are counted, but are no fault
 * @broken: a call failed as a whole; nothing more is sent
 * @where: number of the operation that the caller is at, for messages
 * @pattern: source of fill seeds
 * @tally: account of what was settled
 */
struct batch {
	struct dev *dev;
	u32 capacity, nr;
	bool verify, shortage_ok, broken;
	u64 where;
	struct rng pattern;
	struct tally tally;
	struct tlsf_op *ops;
	struct staged *staged;
};

int batch_init(struct batch *b, struct dev *dev, u32 capacity);
void batch_release(struct batch *b);
void batch_alloc(struct batch *b, struct block *block, u64 size, u64 align);
void batch_resize(struct batch *b, struct block *block, u64 size);
void batch_free(struct batch *b, struct block *block);
void batch_flush(struct batch *b);

#endif /* TLSF_BATCH_H */
