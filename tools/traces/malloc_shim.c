// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records every malloc, free and realloc of a program into a file.
 *
 * Room: traces. LD_PRELOAD, glibc. Usage:
 *	TLSF_RECORD=FILE LD_PRELOAD=./malloc_shim.so PROGRAM
 * FILE must not exist: a child that inherits the environment finds it taken and
 * records nothing. convert-recording.py turns FILE into a trace.
 *
 * The call to glibc and the record of it are one critical section, so the order of
 * the records is the order of the operations, whatever thread they come from. The
 * shim itself never allocates: records go straight into a shared mapping.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define RECORDS_MAX (UINT64_C(1) << 22)	/* 128 MiB, sparse */

enum shim_kind { SHIM_ALLOC = 1, SHIM_FREE = 2, SHIM_RESIZE = 3 };

/* Laid out as convert-recording.py reads it. */
struct shim_record {
	uint64_t kind;
	uint64_t size;
	uint64_t address;	/* of the new block */
	uint64_t old;		/* FREE, RESIZE: of the old block; ALLOC: alignment or 0 */
};

struct shim_header {
	char magic[8];
	uint64_t nr;
	uint64_t room;
	uint64_t lost;		/* records that found no room */
	struct shim_record records[];
};

/* glibc's own entry points, exported for interposers. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *ptr);

static struct shim_header *shim;	/* NULL: not recording; constant once threads run */
static atomic_flag shim_busy = ATOMIC_FLAG_INIT;

static void shim_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&shim_busy, memory_order_acquire))
		sched_yield();
}

static void shim_unlock(void)
{
	atomic_flag_clear_explicit(&shim_busy, memory_order_release);
}

/* Caller holds the lock. */
static void record(enum shim_kind kind, size_t size, const void *address, uintptr_t old)
{
	if (!shim)
		return;
	if (shim->nr == shim->room) {
		shim->lost++;
		return;
	}
	shim->records[shim->nr++] = (struct shim_record){
		.kind = kind, .size = size, .address = (uintptr_t)address, .old = old,
	};
}

/* A child of fork() shares the file but is not the program that is recorded. */
static void child_stops(void)
{
	shim = NULL;
	shim_unlock();
}

static void give_up(const char *path)
{
	fprintf(stderr, "malloc_shim: cannot record into %s: %s\n", path, strerror(errno));
	_exit(125);
}

static __attribute__((constructor)) void shim_start(void)
{
	const size_t bytes = sizeof(*shim) + RECORDS_MAX * sizeof(struct shim_record);
	const char *path = getenv("TLSF_RECORD");
	struct shim_header *map;
	int fd;

	fd = path ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	if (!path || (fd < 0 && errno == EEXIST))
		return;
	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		give_up(path);
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || pthread_atfork(shim_lock, shim_unlock, child_stops))
		give_up(path);
	close(fd);
	memcpy(map->magic, "tlsfshim", sizeof(map->magic));
	map->room = RECORDS_MAX;
	shim = map;
}

static void *record_alloc(void *ptr, size_t size, size_t align)
{
	if (ptr)
		record(SHIM_ALLOC, size, ptr, align);
	shim_unlock();
	return ptr;
}

EXPORT void *malloc(size_t size)
{
	shim_lock();
	return record_alloc(__libc_malloc(size), size, 0);
}

EXPORT void *calloc(size_t nr, size_t size)
{
	shim_lock();
	return record_alloc(__libc_calloc(nr, size), nr * size, 0);
}

EXPORT void *memalign(size_t align, size_t size)
{
	shim_lock();
	return record_alloc(__libc_memalign(align, size), size, align);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

EXPORT int posix_memalign(void **ptr, size_t align, size_t size)
{
	void *block;

	if (align % sizeof(void *) || !align || align & (align - 1))
		return EINVAL;
	block = memalign(align, size);
	if (!block)
		return ENOMEM;
	*ptr = block;
	return 0;
}

EXPORT void free(void *ptr)
{
	if (!ptr)
		return;
	shim_lock();
	record(SHIM_FREE, 0, NULL, (uintptr_t)ptr);
	__libc_free(ptr);
	shim_unlock();
}

EXPORT void *realloc(void *ptr, size_t size)
{
	const uintptr_t old = (uintptr_t)ptr;
	void *block;

	if (!ptr)
		return malloc(size);
	shim_lock();
	block = __libc_realloc(ptr, size);
	if (block)
		record(SHIM_RESIZE, size, block, old);
	else if (!size)		/* glibc: realloc to nothing is free */
		record(SHIM_FREE, 0, NULL, old);
	shim_unlock();
	return block;
}

EXPORT void *reallocarray(void *ptr, size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(ptr, bytes);
}
