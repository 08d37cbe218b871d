/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads for the benchmark: sequences of operations, made before anything is measured.
 *
 * Room: host; knows no allocator. A load says which blocks live, by
 * id; it does not depend on what an allocator answers, so all get the same.
 */
#ifndef _BENCH_LOAD_H
#define _BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ktap.h"

enum load_kind { LOAD_ALLOC, LOAD_FREE, LOAD_RESIZE };

struct load_op {
	uint32_t kind : 2, align_log2 : 6, id : 24;
	uint32_t size;
};

/**
 * struct load - a sequence that begins with an empty heap
 * @ops: the operations
 * @nr: how many
 * @fill: how many of them come before what is measured
 * @nr_ids: all ids are below
 * @peak: most bytes alive at a time, as asked for
 */
struct load {
	struct load_op *ops;
	size_t nr;
	size_t fill;
	uint32_t nr_ids;
	size_t peak;
};

/* distributions of sizes */
struct load_dist {
	const char *name;
	size_t (*draw)(struct rng *r);
};

extern const struct load_dist load_dists[];	/* ends with a NULL name */

const struct load_dist *load_dist_find(const char *name);

/* fills up to @target live bytes, then @churn operations that stay close to it */
void load_churn(struct load *load, const struct load_dist *dist, size_t target, size_t churn);
/* a recorded trace; the process ends with a message when it is no good */
void load_trace(struct load *load, const char *path);
void load_release(struct load *load);

#endif /* _BENCH_LOAD_H */
