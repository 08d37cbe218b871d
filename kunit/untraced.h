/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In place of tlsf_trace.h, for a pool that is built into a suite: tracepoints that are
 * not there.
 *
 * Room: kunit.
 */
#ifndef _UNTRACED_H
#define _UNTRACED_H

#define trace_tlsf_alloc(...)		do { } while (0)
#define trace_tlsf_free(...)		do { } while (0)
#define trace_tlsf_exhausted(...)	do { } while (0)

int tlsf_trace_reg(void);
void tlsf_trace_unreg(void);

#endif /* _UNTRACED_H */
