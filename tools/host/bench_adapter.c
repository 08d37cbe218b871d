// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core under the benchmark that compares allocators: one control structure right below
 * @mem, on a line of its own, and a region of the bytes that were asked for.
 *
 * Room: host. Built by the benchmark, which has alloc.h and core.inc.
 */
#include "alloc.h"
#include <string.h>

#include "tlsf_core.h"

#define A_ID		ours
#define A_NAME		"ours"
#define A_INBAND	1
#define A_malloc	tlsf_core_alloc
#define A_free(c, p)	((void)tlsf_core_free(c, p))
#define A_pmalloc	((void *(*)(void *, size_t))tlsf_core_alloc)
#define A_pfree		((void (*)(void *, void *))tlsf_core_free)
#define A_prealloc	core_realloc
#define A_pmemalign	((void *(*)(void *, size_t, size_t))tlsf_core_memalign)
#define A_check		core_check

static size_t a_ctrl(size_t bytes)
{
	return tlsf_core_size(bytes + tlsf_core_size(bytes));
}

static void *a_init(void *ctrl, void *mem, size_t bytes)
{
	size_t control = a_ctrl(bytes);

	(void)ctrl;
	return tlsf_core_init((void *)(((uintptr_t)mem - control) & ~(uintptr_t)63),
			      control + bytes);
}

static void *core_realloc(void *c, void *ptr, size_t size)
{
	enum tlsf_status status = ptr ? tlsf_core_resize(c, ptr, size) : TLSF_E_FRAGMENTED;
	size_t usable = 0;
	void *new;

	if (status != TLSF_E_FRAGMENTED)
		return status == TLSF_OK ? ptr : NULL;
	new = tlsf_core_alloc(c, size);
	if (new && ptr && tlsf_core_usable(c, ptr, &usable) == TLSF_OK) {
		memcpy(new, ptr, usable < size ? usable : size);
		tlsf_core_free(c, ptr);
	}
	return new;
}

static int core_check(void *c)
{
	return (int)tlsf_core_check(c, NULL);
}

#include "core.inc"
