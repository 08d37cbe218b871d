/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes memory out of bounds for the address sanitizer, and in bounds again; nothing in
 * builds without it.
 *
 * Room: host.
 */
#ifndef _ASAN_H
#define _ASAN_H

#if defined(__has_feature)	/* clang's way of saying so */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__	1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define asan_poison(mem, bytes)		ASAN_POISON_MEMORY_REGION(mem, bytes)
#define asan_unpoison(mem, bytes)	ASAN_UNPOISON_MEMORY_REGION(mem, bytes)
#else
#define asan_poison(mem, bytes)		((void)(mem), (void)(bytes))
#define asan_unpoison(mem, bytes)	((void)(mem), (void)(bytes))
#endif

#endif /* _ASAN_H */
