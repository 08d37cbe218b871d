/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes memory out of bounds for the address sanitizer, and in bounds again; nothing in
 * builds without it.
 *
 * Room: tools/host (user space).
 */
#ifndef _ASAN_H
#define _ASAN_H

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define asan_poison(mem, bytes)		ASAN_POISON_MEMORY_REGION(mem, bytes)
#define asan_unpoison(mem, bytes)	ASAN_UNPOISON_MEMORY_REGION(mem, bytes)
#else
#define asan_poison(mem, bytes)		((void)(mem), (void)(bytes))
#define asan_unpoison(mem, bytes)	((void)(mem), (void)(bytes))
#endif

#endif /* _ASAN_H */
