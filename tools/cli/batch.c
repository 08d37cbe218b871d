// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on blocks, gathered into batches, with their contents verified.
 *
 * Room: cli. One batch belongs to one thread and one open file.
 *
 * Settling walks the results in order, so after it each block is as the kernel has
 * it. An operation on a block whose ALLOC failed in the same batch fails as well;
 * that is a consequence and is not counted again.
 */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const opcode_name[] = {
	[TLSF_OP_ALLOC] = "ALLOC", [TLSF_OP_FREE] = "FREE", [TLSF_OP_RESIZE] = "RESIZE",
	[TLSF_OP_FILL] = "FILL", [TLSF_OP_VERIFY] = "VERIFY",
};

int batch_init(struct batch *b, struct dev *dev, u32 capacity)
{
	if (capacity > dev->info.max_batch)
		capacity = dev->info.max_batch ? dev->info.max_batch : 1;
	*b = (struct batch){ .dev = dev, .capacity = capacity, .verify = true };
	b->ops = calloc(capacity, sizeof(*b->ops));
	b->staged = calloc(capacity, sizeof(*b->staged));
	if (b->ops && b->staged)
		return EXIT_OK;
	complain("out of memory for a batch of %u operations", capacity);
	batch_release(b);
	return EXIT_BAD;
}

void batch_release(struct batch *b)
{
	free(b->ops);
	free(b->staged);
	b->ops = NULL;
	b->staged = NULL;
}

/* A fault in words, if it is the first. */
static void fault(struct batch *b, u32 i, const char *what)
{
	const struct staged *st = &b->staged[i];
	const struct tlsf_op *op = &b->ops[i];
	u32 handle = st->ref < 0 ? op->handle : b->ops[st->ref].handle;

	if (b->tally.faults++)
		return;
	snprintf(b->tally.fault, sizeof(b->tally.fault),
		 "operation %llu: %s of handle %u, size %llu, align %llu, seed 0x%llx: %s",
		 st->where, opcode_name[op->opcode], handle, op->size, op->align, op->seed, what);
}

static void settle_failure(struct batch *b, u32 i)
{
	const struct tlsf_op *op = &b->ops[i];
	char what[80];
	int err = -op->result;

	tally_failed(&b->tally, err);
	if (op->opcode == TLSF_OP_ALLOC || op->opcode == TLSF_OP_FREE)
		b->staged[i].block->live = false;
	if (b->shortage_ok && (err == ENOMEM || err == EDQUOT))
		return;
	if (err == EBADMSG)
		snprintf(what, sizeof(what), "wrong byte at offset %llu", op->usable);
	else
		snprintf(what, sizeof(what), "%s (%s)", strerror(err), errno_name(err));
	fault(b, i, what);
}

static void settle_alloc(struct batch *b, const struct tlsf_op *op, struct block *block)
{
	*block = (struct block){
		.live = true, .handle = op->handle, .seed = block->seed,
		.sure = op->size, .wanted = op->size, .usable = op->usable,
	};
	tally_served(&b->tally, TLSF_LAT_ALLOC, op->cycles);
	tally_hold(&b->tally, 1, (long long)op->size, (long long)op->usable,
		   b->dev->info.block_overhead);
}

static void settle_resize(struct batch *b, const struct tlsf_op *op, struct block *block)
{
	tally_served(&b->tally, TLSF_LAT_RESIZE, op->cycles);
	tally_hold(&b->tally, 0, (long long)(op->size - block->wanted),
		   (long long)(op->usable - block->usable), b->dev->info.block_overhead);
	block->sure = op->size;
	block->wanted = op->size;
	block->usable = op->usable;
}

static void settle_free(struct batch *b, const struct tlsf_op *op, struct block *block)
{
	tally_served(&b->tally, TLSF_LAT_FREE, op->cycles);
	tally_hold(&b->tally, -1, -(long long)block->wanted, -(long long)block->usable,
		   b->dev->info.block_overhead);
	block->live = false;
}

static void settle_success(struct batch *b, u32 i)
{
	struct block *block = b->staged[i].block;
	const struct tlsf_op *op = &b->ops[i];
	bool sized = op->opcode == TLSF_OP_ALLOC || op->opcode == TLSF_OP_RESIZE;

	if (sized && op->usable < op->size)
		fault(b, i, "the block is smaller than was asked for");
	switch (op->opcode) {
	case TLSF_OP_ALLOC:
		return settle_alloc(b, op, block);
	case TLSF_OP_RESIZE:
		return settle_resize(b, op, block);
	case TLSF_OP_FREE:
		return settle_free(b, op, block);
	case TLSF_OP_VERIFY:
		b->tally.verified++;
	}
}

static void settle(struct batch *b, u32 i)
{
	int ref = b->staged[i].ref;

	if (ref >= 0 && b->ops[ref].result)
		return;
	if (b->ops[i].result)
		settle_failure(b, i);
	else
		settle_success(b, i);
}

/* The call did not carry out all it was given. */
static void broken(struct batch *b, int err, u32 done)
{
	b->broken = true;
	if (err)
		tally_failed(&b->tally, -err);
	fault(b, done, err ? strerror(-err) : "the kernel stopped in the middle of the batch");
}

void batch_flush(struct batch *b)
{
	u32 done = 1;
	int err = 0;

	if (b->nr && !b->broken) {
		if (b->capacity == 1)
			dev_op(b->dev, &b->ops[0]);
		else
			err = dev_batch(b->dev, b->ops, b->nr, &done);
		for (u32 i = 0; i < done; i++)
			settle(b, i);
		if (done < b->nr)
			broken(b, err, done);
	}
	b->nr = 0;
}

/* What an operation that was just put at index @i will have done to its block. */
static void stage(struct block *block, const struct tlsf_op *op, u32 i)
{
	switch (op->opcode) {
	case TLSF_OP_ALLOC:
		block->live = block->ref = true;
		block->handle = i;
		block->sure = op->size;
		break;
	case TLSF_OP_RESIZE:
		if (op->size < block->sure)
			block->sure = op->size;
		break;
	case TLSF_OP_FILL:
		block->seed = op->seed;
		break;
	case TLSF_OP_FREE:
		block->live = false;
	}
}

static void push(struct batch *b, struct block *block, struct tlsf_op op)
{
	struct staged st = { .block = block, .ref = -1, .where = b->where };

	if (b->nr == b->capacity)
		batch_flush(b);
	if (b->broken || (op.opcode != TLSF_OP_ALLOC && !block->live))
		return;
	op.argsz = sizeof(op);
	if (op.opcode != TLSF_OP_ALLOC)
		op.handle = block->handle;
	if (op.opcode != TLSF_OP_ALLOC && block->ref) {
		op.flags |= TLSF_OP_REF;
		st.ref = (int)block->handle;
	}
	stage(block, &op, b->nr);
	b->ops[b->nr] = op;
	b->staged[b->nr++] = st;
	if (b->capacity == 1)
		batch_flush(b);
}

static void push_fill(struct batch *b, struct block *block)
{
	if (b->verify)
		push(b, block, (struct tlsf_op){ .opcode = TLSF_OP_FILL,
						 .seed = rng_next(&b->pattern) });
}

/* The first @size bytes, 0 for all. */
static void push_verify(struct batch *b, struct block *block, u64 size)
{
	if (b->verify)
		push(b, block, (struct tlsf_op){ .opcode = TLSF_OP_VERIFY, .size = size,
						 .seed = block->seed });
}

void batch_alloc(struct batch *b, struct block *block, u64 size, u64 align)
{
	push(b, block, (struct tlsf_op){ .opcode = TLSF_OP_ALLOC, .size = size, .align = align });
	push_fill(b, block);
}

/* All bytes are right before, the common part after, moved or not. */
void batch_resize(struct batch *b, struct block *block, u64 size)
{
	u64 common = size < block->sure ? size : block->sure;

	push_verify(b, block, 0);
	push(b, block, (struct tlsf_op){ .opcode = TLSF_OP_RESIZE, .size = size });
	push_verify(b, block, common);
	push_fill(b, block);
}

void batch_free(struct batch *b, struct block *block)
{
	push_verify(b, block, 0);
	push(b, block, (struct tlsf_op){ .opcode = TLSF_OP_FREE });
}
