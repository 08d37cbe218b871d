/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an open file has written into a block: the pattern of a seed, or zeros.
 *
 * Room: dev. A block comes with what somebody else left in it, which user space must not find
 * out. So memory is compared with what is known to have been written there, and with
 * nothing else; what an answer says besides follows from the caller's own arguments.
 *
 * Context: task; may sleep. Work is done in pieces of TLSF_POOL_PIECE: in between others
 * may run, and a task that was killed stops.
 */
#ifndef _TLSF_CONTENTS_H
#define _TLSF_CONTENTS_H

#include <linux/types.h>

/**
 * struct tlsf_contents - what was written into a block
 * @known: how many bytes from its start
 * @seed: the pattern that they are of
 * @zeros: they are zeros instead
 */
struct tlsf_contents {
	size_t known;
	u64 seed;
	bool zeros;
};

int tlsf_contents_fill(struct tlsf_contents *c, u8 *ptr, size_t bytes, bool zeros, u64 seed);
int tlsf_contents_verify(const struct tlsf_contents *c, const u8 *ptr, size_t bytes, bool zeros,
			 u64 seed, size_t *at);

#endif /* _TLSF_CONTENTS_H */
