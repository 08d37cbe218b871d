/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzz target: bytes in, a sequence of heap operations carried out and proven.
 *
 * Room: host. Two programs hold it: fuzz_libfuzzer.c under libFuzzer,
 * where a failed expectation aborts, and fuzz_replay.c under ktap.h.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* any bytes are a sequence; the same bytes are the same one, on machines of one word size */
void fuzz_one(const uint8_t *data, size_t bytes);

#endif /* _FUZZ_H */
