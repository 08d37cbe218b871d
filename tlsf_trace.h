/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints tlsf:tlsf_alloc, tlsf:tlsf_free and tlsf:tlsf_exhausted.
 *
 * Room: pool. They fire after the lock is released and interrupts are restored, so a
 * probe may itself call the pool. While one of the first two is in use, operations
 * are timed; that is what the registration callbacks switch on. Cycles are those of
 * tlsf_latency.h, net of the clock's own, and suit a histogram: hist:keys=cycles.log2.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tlsf

#if !defined(_TLSF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TLSF_TRACE_H

#include <linux/tracepoint.h>

#include "tlsf_compat.h"

#ifndef TLSF_TRACE_ONCE
#define TLSF_TRACE_ONCE
int tlsf_trace_reg(void);
void tlsf_trace_unreg(void);
#endif

TRACE_EVENT_FN(tlsf_alloc,
	TP_PROTO(const char *pool, const void *ptr, size_t size, size_t align,
		 u64 cycles, u64 total, unsigned int steps, unsigned long caller),
	TP_ARGS(pool, ptr, size, align, cycles, total, steps, caller),
	TP_STRUCT__entry(
		__string(pool, pool)
		__field(const void *, ptr)
		__field(size_t, size)
		__field(size_t, align)
		__field(u64, cycles)
		__field(u64, total)
		__field(unsigned int, steps)
		__field(unsigned long, caller)
	),
	TP_fast_assign(
		tlsf_assign_str(pool, pool);
		__entry->ptr = ptr;
		__entry->size = size;
		__entry->align = align;
		__entry->cycles = cycles;
		__entry->total = total;
		__entry->steps = steps;
		__entry->caller = caller;
	),
	TP_printk("pool=%s ptr=%p size=%zu align=%zu cycles=%llu total=%llu steps=%u caller=%pS",
		  __get_str(pool), __entry->ptr, __entry->size, __entry->align,
		  __entry->cycles, __entry->total, __entry->steps, (void *)__entry->caller),
	tlsf_trace_reg, tlsf_trace_unreg
);

TRACE_EVENT_FN(tlsf_free,
	TP_PROTO(const char *pool, const void *ptr, u64 cycles, u64 total,
		 unsigned int steps, unsigned long caller),
	TP_ARGS(pool, ptr, cycles, total, steps, caller),
	TP_STRUCT__entry(
		__string(pool, pool)
		__field(const void *, ptr)
		__field(u64, cycles)
		__field(u64, total)
		__field(unsigned int, steps)
		__field(unsigned long, caller)
	),
	TP_fast_assign(
		tlsf_assign_str(pool, pool);
		__entry->ptr = ptr;
		__entry->cycles = cycles;
		__entry->total = total;
		__entry->steps = steps;
		__entry->caller = caller;
	),
	TP_printk("pool=%s ptr=%p cycles=%llu total=%llu steps=%u caller=%pS",
		  __get_str(pool), __entry->ptr, __entry->cycles, __entry->total,
		  __entry->steps, (void *)__entry->caller),
	tlsf_trace_reg, tlsf_trace_unreg
);

TRACE_EVENT(tlsf_exhausted,
	TP_PROTO(const char *pool, size_t size, size_t align, bool fragmented,
		 unsigned long caller),
	TP_ARGS(pool, size, align, fragmented, caller),
	TP_STRUCT__entry(
		__string(pool, pool)
		__field(size_t, size)
		__field(size_t, align)
		__field(bool, fragmented)
		__field(unsigned long, caller)
	),
	TP_fast_assign(
		tlsf_assign_str(pool, pool);
		__entry->size = size;
		__entry->align = align;
		__entry->fragmented = fragmented;
		__entry->caller = caller;
	),
	TP_printk("pool=%s size=%zu align=%zu cause=%s caller=%pS",
		  __get_str(pool), __entry->size, __entry->align,
		  __entry->fragmented ? "fragmented" : "exhausted", (void *)__entry->caller)
);

#endif /* _TLSF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE tlsf_trace
#include <trace/define_trace.h>
