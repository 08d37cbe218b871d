// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core's operations in both forms; see ops.h.
 *
 * Room: host; the core's own headers.
 */
#include "../../tlsf_ops.h"
#include "ops.h"

#define STEPS_UNSET	1000u	/* more than any operation takes */

unsigned int ops_steps;

static void *inlined_alloc(struct tlsf_core *c, size_t size)
{
	enum tlsf_status why;
	void *ptr;

	ops_steps = STEPS_UNSET;
	ptr = tlsf_op_alloc(c, size, &ops_steps, &why);
	if (!ptr)
		tlsf_core_alloc_failed(c, size, why);
	return ptr;
}

static void *inlined_memalign(struct tlsf_core *c, size_t align, size_t size)
{
	enum tlsf_status why;
	void *ptr;

	ops_steps = STEPS_UNSET;
	ptr = tlsf_op_memalign(c, align, size, &ops_steps, &why);
	if (!ptr)
		tlsf_core_alloc_failed(c, size, why);
	return ptr;
}

static enum tlsf_status inlined_free(struct tlsf_core *c, void *ptr)
{
	ops_steps = STEPS_UNSET;
	return tlsf_op_free(c, ptr, &ops_steps) ? TLSF_OK : tlsf_core_reject(c, ptr);
}

static enum tlsf_status inlined_resize(struct tlsf_core *c, void *ptr, size_t size)
{
	ops_steps = STEPS_UNSET;
	return tlsf_op_resize(c, ptr, size, &ops_steps);
}

static enum tlsf_status inlined_grow_backward(struct tlsf_core *c, void **ptr, size_t align,
					      size_t size)
{
	ops_steps = STEPS_UNSET;
	return tlsf_op_grow_backward(c, ptr, align, size, &ops_steps);
}

const struct ops ops_inlined = {
	inlined_alloc, inlined_memalign, inlined_free, inlined_resize, inlined_grow_backward
};

const struct ops ops_called = {
	tlsf_core_alloc, tlsf_core_memalign, tlsf_core_free, tlsf_core_resize,
	tlsf_core_grow_backward
};
