/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocation traces: read one whole, and believe nothing in it unchecked.
 *
 * Room: cli. The format stands in tools/traces/FORMAT.md.
 */
#ifndef TLSF_TRACE_H
#define TLSF_TRACE_H

#include "cli.h"

#define TRACE_IDS_MAX	(1u << 24)

/**
 * struct trace_op - one record
 * @kind: enum tlsf_opcode: ALLOC, FREE or RESIZE
 * @align_log2: ALLOC: log2 of the alignment asked for, 0 for none
 * @id: which block
 * @size: ALLOC, RESIZE: bytes asked for
 */
struct trace_op {
	u32 kind : 4, align_log2 : 6;
	u32 id;
	u64 size;
};

/**
 * struct trace - a whole trace; every record was checked against those before it
 * @ops: the records
 * @nr: how many
 * @nr_ids: all ids are below
 */
struct trace {
	struct trace_op *ops;
	size_t nr;
	u32 nr_ids;
};

int trace_load(struct trace *trace, const char *path);
void trace_release(struct trace *trace);

#endif /* TLSF_TRACE_H */
