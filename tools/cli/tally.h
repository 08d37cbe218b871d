/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a load did: operations, failures, cycles, peaks; as text and as JSON.
 *
 * Room: cli. Pure bookkeeping: filled by batch.c, printed by the
 * commands. One writer each; tally_add() merges when the threads are done.
 */
#ifndef TLSF_TALLY_H
#define TLSF_TALLY_H

#include "dev.h"

#define TALLY_ERRNOS	256

/* Cycles of the core, as each operation's own result reported them. */
struct cost {
	u64 count, sum, min, max;
};

/* Memory held by live blocks: bytes asked for, bytes got, and with headers. */
struct holding {
	u64 blocks, wanted, usable, footprint;
};

/**
 * struct tally - the account of one thread, or of all
 * @cost: per enum tlsf_lat_op, of operations that succeeded
 * @verified: contents found right
 * @failed: failed operations by errno
 * @faults: failures that are not a mere shortage, and wrong answers
 * @fault: the first fault, in words
 * @live: now
 * @peak: most of each so far
 */
struct tally {
	struct cost cost[TLSF_LAT_NR];
	u64 verified;
	u64 failed[TALLY_ERRNOS];
	u64 faults;
	char fault[256];
	struct holding live, peak;
};

void tally_served(struct tally *t, u32 lat_op, u64 cycles);
void tally_hold(struct tally *t, long long blocks, long long wanted, long long usable,
		u32 overhead);
void tally_failed(struct tally *t, int err);
void tally_add(struct tally *sum, const struct tally *part);
u64 tally_operations(const struct tally *t);
void tally_print(const struct tally *t, const struct dev *dev, bool verify);
int tally_json(const struct tally *t, json_t *object);

#endif /* TLSF_TALLY_H */
