/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A number of cycles that no operation should take, and the first one that did.
 *
 * Room: latency. One threshold for all pools. The first operation above it stops
 * tracing, so that the trace ends with what led to it, is kept whole, and wakes who
 * waits; whatever comes later is ignored until the threshold is set again. Noticed in
 * any context, NMI included, with interrupts off; set and read in task context.
 */
#ifndef _TLSF_THRESHOLD_H
#define _TLSF_THRESHOLD_H

#include <linux/wait.h>

#include "tlsf_latency.h"

/**
 * struct tlsf_threshold_state - the threshold and what became of it
 * @max_cycles: total cycles that are still allowed; 0 for no threshold
 * @exceeded: an operation took more
 * @op: which
 * @pool: of which pool
 * @witness: how
 */
struct tlsf_threshold_state {
	u64 max_cycles;
	bool exceeded;
	enum tlsf_lat_op op;
	char pool[TLSF_NAME_LEN];
	struct tlsf_latency_witness witness;
};

/* woken when the threshold is exceeded */
extern wait_queue_head_t tlsf_threshold_queue;

u64 tlsf_threshold_limit(void);
void tlsf_threshold_exceed(const char *pool, enum tlsf_lat_op op,
			   const struct tlsf_latency_witness *w);
void tlsf_threshold_set(u64 max_cycles);
bool tlsf_threshold_exceeded(void);
void tlsf_threshold_read(struct tlsf_threshold_state *state);
void tlsf_threshold_exit(void);

#endif /* _TLSF_THRESHOLD_H */
