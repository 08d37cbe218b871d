/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wait for the first operation that takes longer than it should.
 *
 * Room: cli.
 */
#ifndef TLSF_WATCH_H
#define TLSF_WATCH_H

#include "dev.h"

/* @seconds is 0 for no limit. */
struct watch {
	u64 max_cycles;
	unsigned int seconds;
};

int watch(struct dev *dev, const struct watch *w, bool json);

#endif /* TLSF_WATCH_H */
