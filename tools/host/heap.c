// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps to test on, checked operations, snapshots; see heap.h.
 *
 * Room: host; libc, the core's own headers and ktap.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kunit/layout.h"
#include "asan.h"
#include "heap.h"
#include "ops.h"

void *memory_aligned(size_t bytes)
{
	void *mem;

	EXPECT(!posix_memalign(&mem, HEAP_ALIGN, bytes));
	return memset(mem, 0xa5, bytes);
}

void memory_free(void *mem)
{
	free(mem);
}

unsigned char *heap_start(const struct heap *h)
{
	return (unsigned char *)tlsf_core_start(h->c);
}

unsigned char *heap_end(const struct heap *h)
{
	return (unsigned char *)tlsf_core_end(h->c) + TLSF_BLOCK_HEADER;
}

bool heap_is_limit(const struct heap *h, size_t offset)
{
	size_t word = offset / G * G;

	(void)h;
	return word == offsetof(struct tlsf_core, last) ||
	       word == offsetof(struct tlsf_core, start) ||
	       word == offsetof(struct tlsf_core, max_request) ||
	       word == offsetof(struct tlsf_core, bytes);
}

size_t heap_bytes_for(size_t region_bytes)
{
	size_t bytes = region_bytes;

	while (!tlsf_core_size(bytes) || bytes - tlsf_core_size(bytes) < region_bytes)
		bytes += G;
	return bytes;
}

void heap_open_below(struct heap *h, size_t bytes, size_t spare, size_t word)
{
	size_t all = heap_bytes_for(bytes), control = all - bytes, offset, at;
	unsigned char *mem;

	offset = (control + HEAP_ALIGN - 1) / HEAP_ALIGN * HEAP_ALIGN - control;
	mem = memory_aligned(offset + all + spare);
	for (at = 0; at < (all + spare) / G; at++)
		memcpy(mem + offset + at * G, &word, G);
	*h = (struct heap){ .memory = mem, .c = tlsf_core_init(mem + offset, all) };
	EXPECT_PTR(h->c, mem + offset);
	EXPECT_PTR(heap_start(h), mem + offset + control);
	EXPECT_PTR(heap_end(h), mem + offset + all);
	asan_poison(mem, offset);
	heap_verify_(h);
}

void heap_open(struct heap *h, size_t bytes)
{
	heap_open_below(h, bytes, 0, SIZE_MAX / 0xff * 0xa5);
}

void heap_close(struct heap *h)
{
	free(h->memory);
	h->c = NULL;
}

static size_t layout_region_bytes(const char *layout)
{
	size_t bytes = TLSF_BLOCK_HEADER;	/* the end mark */
	struct layout_token token;

	while (layout_token(&layout, &token))
		bytes += token.size + TLSF_BLOCK_HEADER;
	return bytes;
}

void heap_build(struct heap *h, const char *layout, void **p)
{
	struct layout_token token;
	const char *text;
	size_t i = 0;

	heap_open(h, layout_region_bytes(layout));
	for (text = layout; layout_token(&text, &token); i++) {
		p[i] = heap_alloc_(h, token.size);
		EXPECT(p[i]);
		EXPECT_EQ(heap_usable(h, p[i]), token.size);
	}
	for (i = 0, text = layout; layout_token(&text, &token); i++)
		if (token.free)
			EXPECT_STATUS(heap_free_(h, p[i]), TLSF_OK);
	tlsf_core_stats_reset(h->c);
	heap_expect_(h, layout);
}

/* ---- what must hold whatever happened ---- */

static struct tlsf_core_stats walk_sums(const struct heap *h)
{
	struct tlsf_core_stats sum = { .region_bytes = 0 };
	struct tlsf_block_info block;
	size_t offset = 0;

	while (tlsf_core_walk(h->c, &offset, &block)) {
		if (block.free) {
			sum.free_bytes += block.size;
			sum.free_blocks++;
		} else {
			sum.used_bytes += block.size;
			sum.used_blocks++;
		}
	}
	return sum;
}

static void verify_accounting(const struct heap *h)
{
	struct tlsf_core_stats s = heap_stats(h), sum = walk_sums(h);

	EXPECT_EQ(s.used_bytes, sum.used_bytes);
	EXPECT_EQ(s.free_bytes, sum.free_bytes);
	EXPECT_EQ(s.used_blocks, sum.used_blocks);
	EXPECT_EQ(s.free_blocks, sum.free_blocks);
	EXPECT_EQ(s.used_bytes + s.free_bytes + s.overhead_bytes, s.region_bytes);
	EXPECT_LE(s.largest_free, s.free_bytes);
	EXPECT_GE(s.high_water, s.used_bytes);
}

void heap_verify_(struct heap *h)
{
	const void *where = NULL;
	unsigned int invariant = tlsf_core_check(h->c, &where);

	if (invariant)
		ktap_fail(__FILE__, __LINE__, "invariant %u is broken at %p", invariant, where);
	verify_accounting(h);
}

static void verify_operation(struct heap *h)
{
	h->steps = ops_steps;
	EXPECT_LE(h->steps, TLSF_STEPS_MAX);
	heap_verify_(h);
}

/* ---- checked operations ---- */

void *heap_alloc_(struct heap *h, size_t size)
{
	void *p = ops_inlined.alloc(h->c, size);

	verify_operation(h);
	EXPECT_EQ((uintptr_t)p % G, 0);
	if (p)
		EXPECT_GE(heap_usable(h, p), size);
	return p;
}

void *heap_memalign_(struct heap *h, size_t align, size_t size)
{
	void *p = ops_inlined.memalign(h->c, align, size);

	verify_operation(h);
	if (p) {
		EXPECT_EQ((uintptr_t)p % align, 0);
		EXPECT_GE(heap_usable(h, p), size);
	}
	return p;
}

enum tlsf_status heap_free_(struct heap *h, void *ptr)
{
	enum tlsf_status status = ops_inlined.free(h->c, ptr);

	verify_operation(h);
	return status;
}

enum tlsf_status heap_resize_(struct heap *h, void *ptr, size_t size)
{
	enum tlsf_status status = ops_inlined.resize(h->c, ptr, size);

	verify_operation(h);
	if (status == TLSF_OK)
		EXPECT_GE(heap_usable(h, ptr), size);
	return status;
}

enum tlsf_status heap_grow_backward_(struct heap *h, void **ptr, size_t align, size_t size)
{
	void *before = *ptr;
	enum tlsf_status status = ops_inlined.grow_backward(h->c, ptr, align, size);

	verify_operation(h);
	if (status == TLSF_OK) {
		EXPECT((uintptr_t)*ptr < (uintptr_t)before);
		EXPECT_EQ((uintptr_t)*ptr % align, 0);
		EXPECT_GE(heap_usable(h, *ptr), size);
	} else {
		EXPECT_PTR(*ptr, before);
	}
	return status;
}

size_t heap_usable(struct heap *h, const void *ptr)
{
	size_t usable = 0;

	EXPECT_STATUS(tlsf_core_usable(h->c, ptr, &usable), TLSF_OK);
	return usable;
}

struct tlsf_core_stats heap_stats(const struct heap *h)
{
	struct tlsf_core_stats s;

	memset(&s, 0x5a, sizeof(s));
	tlsf_core_stats(h->c, &s);
	return s;
}

size_t block_bytes(size_t size)
{
	size_t bytes = (size + TLSF_BLOCK_HEADER + G - 1) / G * G;

	return bytes < TLSF_BLOCK_MIN ? TLSF_BLOCK_MIN : bytes;
}

/* ---- layouts ---- */

static void print_layout(const struct heap *h)
{
	struct tlsf_block_info block;
	size_t offset = 0;

	printf("#   layout:");
	while (tlsf_core_walk(h->c, &offset, &block))
		printf(" %c%zu", block.free ? 'F' : 'U', block.size);
	putchar('\n');
}

void heap_expect_(struct heap *h, const char *layout)
{
	if (layout_matches(h->c, layout))
		return;
	print_layout(h);
	ktap_fail(__FILE__, __LINE__, "expected layout: %s", layout);
}

/* ---- snapshots ---- */

void snapshot_take(struct snapshot *s, const struct heap *h)
{
	size_t bytes = (size_t)(heap_end(h) - (unsigned char *)h->c);

	s->copy = malloc(bytes);
	EXPECT(s->copy);
	memcpy(s->copy, h->c, bytes);
}

static void forget_what_may_change(struct tlsf_core *then, const struct tlsf_core *now)
{
	then->nil.prev = now->nil.prev;
	then->status = now->status;
	then->bad_pointers = now->bad_pointers;
	then->fail_exhausted = now->fail_exhausted;
	then->fail_fragmented = now->fail_fragmented;
}

void snapshot_drop(struct snapshot *s)
{
	free(s->copy);
}

void snapshot_expect_same_(struct snapshot *s, const struct heap *h)
{
	size_t bytes = (size_t)(heap_end(h) - (unsigned char *)h->c), i;
	const unsigned char *then = (const unsigned char *)s->copy;
	const unsigned char *now = (const unsigned char *)h->c;

	forget_what_may_change(s->copy, h->c);
	if (memcmp(then, now, bytes)) {
		for (i = 0; then[i] == now[i]; )
			i++;
		ktap_fail(__FILE__, __LINE__,
			  "byte %zu was 0x%02x, is 0x%02x; the region begins at %zu", i, then[i],
			  now[i], (size_t)(heap_start(h) - now));
	}
	snapshot_drop(s);
}
