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

unsigned char *heap_end(const struct heap *h)
{
	const struct tlsf_region *r = &h->c->region[h->c->nr_regions - 1];

	return (unsigned char *)r->base + r->bytes;
}

bool heap_is_limit(const struct heap *h, size_t offset)
{
	size_t region = offset - offsetof(struct tlsf_core, region);
	size_t word = offset / G * G;

	(void)h;
	return region < sizeof(h->c->region) || word == offsetof(struct tlsf_core, max_request) ||
	       word == offsetof(struct tlsf_core, top) ||
	       word == offsetof(struct tlsf_core, links_end) ||
	       word == offsetof(struct tlsf_core, blocks_end) ||
	       word == offsetof(struct tlsf_core, control_end);
}

unsigned char *heap_open_empty(struct heap *h, size_t region_bytes, size_t bytes)
{
	size_t control = tlsf_core_size(region_bytes);
	size_t offset = (control + HEAP_ALIGN - 1) / HEAP_ALIGN * HEAP_ALIGN;
	unsigned char *mem = memory_aligned(offset + bytes);

	h->memory = mem;
	h->c = tlsf_core_init(mem + offset - control, control, region_bytes);
	EXPECT_PTR(h->c, mem + offset - control);
	asan_poison(mem, offset - control);
	return mem + offset;
}

void heap_open(struct heap *h, size_t bytes)
{
	unsigned char *mem = heap_open_empty(h, bytes, bytes);

	EXPECT_STATUS(tlsf_core_add_region(h->c, mem, bytes), TLSF_OK);
	heap_verify_(h);
}

void heap_close(struct heap *h)
{
	free(h->memory);
	h->c = NULL;
}

size_t layout_region_bytes(const char *layout)
{
	size_t bytes = TLSF_BLOCK_HEADER;	/* the end mark */
	struct layout_token token;

	while (layout_token(&layout, &token))
		bytes += token.size + TLSF_BLOCK_HEADER;
	return bytes;
}

void heap_fill(struct heap *h, const char *layout, void **p)
{
	struct layout_token token;
	const char *text;
	size_t i = 0;

	for (text = layout; layout_token(&text, &token); i++) {
		p[i] = heap_alloc_(h, token.size);
		EXPECT(p[i]);
		EXPECT_EQ(heap_usable(h, p[i]), token.size);
	}
	for (i = 0, text = layout; layout_token(&text, &token); i++)
		if (token.free)
			EXPECT_STATUS(heap_free_(h, p[i]), TLSF_OK);
	tlsf_core_stats_reset(h->c);
}

void heap_build(struct heap *h, const char *layout, void **p)
{
	heap_open(h, layout_region_bytes(layout));
	heap_fill(h, layout, p);
	heap_expect_(h, layout);
}

/* ---- what must hold whatever happened ---- */

static struct tlsf_core_stats walk_sums(const struct heap *h)
{
	struct tlsf_core_stats sum = { .region_bytes = 0 };
	struct tlsf_cursor at = { .region = 0 };
	struct tlsf_block_info block;

	while (tlsf_core_walk(h->c, &at, &block)) {
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
	EXPECT_LE(tlsf_core_steps(h->c), TLSF_STEPS_MAX);
	heap_verify_(h);
}

/* ---- checked operations ---- */

void *heap_alloc_(struct heap *h, size_t size)
{
	void *p = tlsf_core_alloc(h->c, size);

	verify_operation(h);
	EXPECT_EQ((uintptr_t)p % G, 0);
	if (p)
		EXPECT_GE(heap_usable(h, p), size);
	return p;
}

void *heap_memalign_(struct heap *h, size_t align, size_t size)
{
	void *p = tlsf_core_memalign(h->c, align, size);

	verify_operation(h);
	if (p) {
		EXPECT_EQ((uintptr_t)p % align, 0);
		EXPECT_GE(heap_usable(h, p), size);
	}
	return p;
}

enum tlsf_status heap_free_(struct heap *h, void *ptr)
{
	enum tlsf_status status = tlsf_core_free(h->c, ptr);

	verify_operation(h);
	return status;
}

enum tlsf_status heap_resize_(struct heap *h, void *ptr, size_t size)
{
	enum tlsf_status status = tlsf_core_resize(h->c, ptr, size);

	verify_operation(h);
	if (status == TLSF_OK)
		EXPECT_GE(heap_usable(h, ptr), size);
	return status;
}

enum tlsf_status heap_grow_back_(struct heap *h, void **ptr, size_t align, size_t size)
{
	void *before = *ptr;
	enum tlsf_status status = tlsf_core_grow_back(h->c, ptr, align, size);

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
	struct tlsf_cursor at = { .region = 0 };
	struct tlsf_block_info block;
	unsigned int region = 0;

	printf("#   layout:");
	while (tlsf_core_walk(h->c, &at, &block)) {
		for (; region < at.region; region++)
			printf(" |");
		printf(" %c%zu", block.free ? 'F' : 'U', block.size);
	}
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

static size_t control_bytes(const struct tlsf_core *c)
{
	return offsetof(struct tlsf_core, list) + c->nr_lists * sizeof(c->list[0]);
}

static void *copy_of(const void *mem, size_t bytes)
{
	void *copy = malloc(bytes);

	EXPECT(copy);
	return memcpy(copy, mem, bytes);
}

void snapshot_take(struct snapshot *s, const struct heap *h)
{
	unsigned int i;

	s->control = copy_of(h->c, control_bytes(h->c));
	for (i = 0; i < h->c->nr_regions; i++)
		s->bytes[i] = copy_of(h->c->region[i].base, h->c->region[i].bytes);
}

static void forget_what_may_change(struct tlsf_core *then, const struct tlsf_core *now)
{
	then->nil.prev = now->nil.prev;
	then->status = now->status;
	then->steps = now->steps;
	then->low_water = now->low_water;
	then->refused = now->refused;
	then->bad_pointers = now->bad_pointers;
	then->fail_exhausted = now->fail_exhausted;
	then->fail_fragmented = now->fail_fragmented;
}

static void expect_same_bytes(const void *then, const void *now, size_t bytes, const char *what)
{
	const unsigned char *a = then, *b = now;
	size_t i;

	if (!memcmp(a, b, bytes))
		return;
	for (i = 0; a[i] == b[i]; )
		i++;
	ktap_fail(__FILE__, __LINE__, "%s changed: byte %zu was 0x%02x, is 0x%02x", what, i,
		  a[i], b[i]);
}

void snapshot_drop(struct snapshot *s, const struct heap *h)
{
	unsigned int i;

	for (i = 0; i < h->c->nr_regions; i++)
		free(s->bytes[i]);
	free(s->control);
}

void snapshot_expect_same_(struct snapshot *s, const struct heap *h)
{
	unsigned int i;

	forget_what_may_change(s->control, h->c);
	expect_same_bytes(s->control, h->c, control_bytes(h->c), "control structure");
	for (i = 0; i < h->c->nr_regions; i++)
		expect_same_bytes(s->bytes[i], h->c->region[i].base, h->c->region[i].bytes,
				  "region");
	snapshot_drop(s, h);
}
