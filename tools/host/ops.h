/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's operations in both forms, behind one table: the functions of tlsf_core.c, and
 * those of tlsf_ops.h inlined here, which also say how many steps they took. Arguments and
 * results are those of tlsf_core.h.
 *
 * Room: host; tlsf_ops.h is included by ops.c and nobody else, so that
 * a changed core is two objects.
 */
#ifndef _OPS_H
#define _OPS_H

#include "../../tlsf_core.h"

struct ops {
	void *(*alloc)(struct tlsf_core *c, size_t size);
	void *(*memalign)(struct tlsf_core *c, size_t align, size_t size);
	enum tlsf_status (*free)(struct tlsf_core *c, void *ptr);
	enum tlsf_status (*resize)(struct tlsf_core *c, void *ptr, size_t size);
	enum tlsf_status (*grow_backward)(struct tlsf_core *c, void **ptr, size_t align,
					  size_t size);
};

extern const struct ops ops_called, ops_inlined;

/* of the last operation of ops_inlined; none may leave it unset */
extern unsigned int ops_steps;

#endif /* _OPS_H */
