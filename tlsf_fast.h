/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's five operations once more, inlined into whoever includes this.
 *
 * Room: pool. tlsf_fast_alloc() is tlsf_core_alloc() and so on, from the same source and
 * on the same control structure; what is not an operation is there once, in tlsf_core.o.
 * They count steps when TLSF_COUNT_STEPS is defined before: not so on the plain path.
 */
#ifndef _TLSF_FAST_H
#define _TLSF_FAST_H

#include "tlsf_core.h"

#define TLSF_OPS_ONLY
#define TLSF_INLINED
#define TLSF_OP			static __always_inline __maybe_unused
#define tlsf_core_alloc		tlsf_fast_alloc
#define tlsf_core_memalign	tlsf_fast_memalign
#define tlsf_core_free		tlsf_fast_free
#define tlsf_core_resize	tlsf_fast_resize
#define tlsf_core_grow_back	tlsf_fast_grow_back

#include "tlsf_core.c"

#undef tlsf_core_alloc
#undef tlsf_core_memalign
#undef tlsf_core_free
#undef tlsf_core_resize
#undef tlsf_core_grow_back

/* @align as tlsf_pool_align() has it */
static __always_inline void *tlsf_fast_alloc_align(struct tlsf_core *core, size_t align,
						   size_t size)
{
	return align > TLSF_GRANULE ? tlsf_fast_memalign(core, align, size) :
				       tlsf_fast_alloc(core, size);
}

#endif /* _TLSF_FAST_H */
