/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands for tlsf_trace.h where a pool is built into a suite: tracepoints exist once.
 *
 * Room: kunit. For copies of the pool's sources that kunit/Kbuild makes. Includes nothing.
 */
#ifndef _TLSF_UNTRACED_H
#define _TLSF_UNTRACED_H

#define trace_tlsf_alloc(...)		do { } while (0)
#define trace_tlsf_free(...)		do { } while (0)
#define trace_tlsf_exhausted(...)	do { } while (0)

int tlsf_trace_reg(void);
void tlsf_trace_unreg(void);

#endif /* _TLSF_UNTRACED_H */
