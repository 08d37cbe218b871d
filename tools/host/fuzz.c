// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzz target; see fuzz.h.
 *
 * The first bytes say where in an arena the heap's memory begins and how much there is of
 * it, too little at times; then each operation is a byte and its arguments are the bytes
 * after it. A bit of that byte chooses the form of the operation (ops.h). The shadow model
 * says what every result must be. Blocks are filled with a tag of their own, compared when
 * they are touched. All invariants are proven after each of the first operations, and now
 * and then in a long sequence. At the end all is freed, and the empty heap must be one
 * free block that can be had whole.
 *
 * What is not the heap's is out of bounds for the address sanitizer. The memory comes full
 * of ones, as are tags in their high bits: no chance word passes for a header, so every
 * bad pointer must be rejected.
 *
 * Room: host.
 */
#include <string.h>

#include "asan.h"
#include "fuzz.h"
#include "heap.h"
#include "ops.h"
#include "shadow.h"

#define ARENA_BYTES	((size_t)1 << 17)
#define BLOCKS_MOST	400u
#define CHECKED_OPS	256u		/* after so many, only every 16th is followed by a proof */
#define FREED_MAX	8u

static unsigned char arena[ARENA_BYTES] __attribute__((__aligned__(65536)));

static struct {
	const uint8_t *at, *end;	/* input not yet used */
	struct tlsf_core *c;
	const struct ops *ops;		/* form of the next operation */
	struct shadow s;
	size_t largest;			/* request that can be */
	void *freed[FREED_MAX];		/* lately */
	unsigned int op;
} t;

static unsigned int take8(void)
{
	return t.at < t.end ? *t.at++ : 0;
}

static size_t take16(void)
{
	size_t high = take8();

	return high << 8 | take8();
}

/* the top bits say what kind of size: most are small, some are around the limits */
static size_t take_size(void)
{
	size_t v = take16(), n = v % 8192;

	switch (v / 8192) {
	case 7:
		return SIZE_MAX - n / 16;
	case 6:
		return t.largest - 4 * G + n % (8 * G);
	case 5:
		return n * (1 + t.largest / 8192);
	default:
		return n % 300;
	}
}

static size_t take_align(void)
{
	unsigned int v = take8();

	return v < 240 ? (size_t)1 << v % 15 : (size_t)v - 240;
}

static unsigned int take_block(void)
{
	return take8() * 3 % t.s.nr_live;
}

/* ---- contents ---- */

static void contents_write(struct shadow_block *b)
{
	b->tag = 1 + t.op * 37 % 127;
	memset((void *)b->start, (int)b->tag, b->size);
}

static void contents_verify(uintptr_t start, size_t bytes, size_t tag)
{
	const unsigned char *at = (const unsigned char *)start;

	if (bytes && (*at != tag || memcmp(at, at + 1, bytes - 1)))
		ktap_fail(__FILE__, __LINE__, "contents of %zu bytes at offset 0x%zx changed",
			  bytes, (size_t)(at - arena));
}

/* ---- operations ---- */

static void op_alloc(void)
{
	size_t size = take_size();
	void *p = t.ops->alloc(t.c, size);

	ktap_note("operation %u: alloc(%zu)", t.op, size);
	if (p)
		contents_write(shadow_expect_served(&t.s, t.c, p, size));
	else
		shadow_expect_failure(&t.s, tlsf_core_status(t.c), size, block_bytes(size));
}

static void op_memalign(void)
{
	size_t align = take_align(), size = take_size(), room = block_bytes(size);
	void *p = t.ops->memalign(t.c, align, size);

	ktap_note("operation %u: memalign(%zu, %zu)", t.op, align, size);
	if (p) {
		EXPECT(align && !(align & (align - 1)));
		EXPECT_EQ((uintptr_t)p % align, 0);
		contents_write(shadow_expect_served(&t.s, t.c, p, size));
	} else if (tlsf_core_status(t.c) == TLSF_E_ALIGN) {
		EXPECT(!align || (align & (align - 1)) ||
		       align + G > shadow_largest_ever(&t.s));
	} else {
		room += align > G ? align + TLSF_BLOCK_MIN - G : 0;
		shadow_expect_failure(&t.s, tlsf_core_status(t.c), size, room);
	}
}

static void free_block(unsigned int i)
{
	struct shadow_block *b = &t.s.live[i];
	void *p = (void *)b->start;

	ktap_note("operation %u: free(block %u of %zu)", t.op, i, b->size);
	contents_verify(b->start, b->size, b->tag);
	EXPECT_STATUS(t.ops->free(t.c, p), TLSF_OK);
	shadow_remove(&t.s, i);
	t.freed[t.op % FREED_MAX] = p;
}

static void op_free(void)
{
	free_block(take_block());
}

/* resizes block @i, of whose contents the first @was bytes are written */
static void resize_block(unsigned int i, size_t size, size_t was, bool must_serve)
{
	struct shadow_block *b = &t.s.live[i];
	struct shadow_outcome must = shadow_resize(&t.s, i, size);
	enum tlsf_status status = t.ops->resize(t.c, (void *)b->start, size);

	shadow_expect_status(&t.s, status, &must, size);
	EXPECT(status == TLSF_OK || !must_serve);
	if (status == TLSF_OK)
		shadow_resized(&t.s, i, &must);
	contents_verify(b->start, b->size < was ? b->size : was, b->tag);
	contents_write(b);
}

static void op_resize(void)
{
	unsigned int i = take_block();
	size_t size = take_size(), was = t.s.live[i].size;

	ktap_note("operation %u: resize(block %u of %zu, %zu)", t.op, i, was, size);
	resize_block(i, size, was, false);
}

/* as the pool does it: grow, move the contents, give back the tail */
static void op_grow_backward(void)
{
	unsigned int i = take_block();
	struct shadow_block *b = &t.s.live[i];
	size_t align = (size_t)1 << take8() % 10, was = b->size, size = was - 64 + take16() % 1024;
	struct shadow_outcome must = shadow_grow_backward(&t.s, i, align, size);
	void *p = (void *)b->start;
	enum tlsf_status status = t.ops->grow_backward(t.c, &p, align, size);

	ktap_note("operation %u: grow_backward(block %u of %zu, %zu, %zu)", t.op, i, was, align,
		  size);
	shadow_expect_status(&t.s, status, &must, size);
	EXPECT_PTR(p, status == TLSF_OK ? must.start : b->start);
	if (status != TLSF_OK)
		return contents_verify(b->start, was, b->tag);
	memmove(p, (void *)b->start, was);
	shadow_resized(&t.s, i, &must);
	resize_block(i, size, was, true);
}

/* ---- what must be rejected ---- */

static void *take_bad_pointer(unsigned int how)
{
	size_t offset = take16() * G / 2;
	const struct shadow_block *b;

	if (how & 1)
		return t.freed[offset % FREED_MAX];
	if (how & 2 || !t.s.nr_live)
		return arena + offset % ARENA_BYTES;
	b = &t.s.live[take_block()];
	return (void *)(b->start + offset % b->size);
}

static void op_bad_pointer(void)
{
	unsigned int how = take8();
	void *p = take_bad_pointer(how), *at = p;
	size_t usable;

	if (shadow_find(&t.s, p) >= 0)
		return;
	ktap_note("operation %u: bad pointer, offset 0x%zx", t.op, (uintptr_t)p - (uintptr_t)arena);
	t.s.count.bad_pointers += (how >> 2 & 3) != 2;	/* usable only looks */
	switch (how >> 2 & 3) {
	case 0:
		EXPECT(t.ops->resize(t.c, p, 64) != TLSF_OK);
		break;
	case 1:
		EXPECT(t.ops->grow_backward(t.c, &at, 1, 64) != TLSF_OK);
		EXPECT_PTR(at, p);
		break;
	case 2:
		EXPECT(tlsf_core_usable(t.c, p, &usable) != TLSF_OK);
		break;
	default:
		EXPECT(t.ops->free(t.c, p) != TLSF_OK);
	}
}

static void op_stats_reset(void)
{
	size_t used = t.s.count.used_bytes;

	ktap_note("operation %u: stats_reset", t.op);
	tlsf_core_stats_reset(t.c);
	t.s.count = (struct tlsf_core_stats){ .used_bytes = used,
					      .high_water = used + t.s.nr_live * G };
}

/* ---- the sequence ---- */

static const struct {
	void (*run)(void);
	bool needs_block;
} operations[16] = {
	{ op_alloc,	false },
	{ op_alloc,	false },
	{ op_alloc,	false },
	{ op_alloc,	false },
	{ op_memalign,	false },
	{ op_memalign,	false },
	{ op_free,	true },
	{ op_free,	true },
	{ op_free,	true },
	{ op_free,	true },
	{ op_resize,	true },
	{ op_resize,	true },
	{ op_grow_backward, true },
	{ op_grow_backward, true },
	{ op_bad_pointer, false },
	{ op_stats_reset, false },
};

static void expect_all_holds(void)
{
	const void *where = NULL;
	unsigned int invariant = tlsf_core_check(t.c, &where);

	if (invariant)
		ktap_fail(__FILE__, __LINE__, "invariant %u is broken at offset 0x%zx", invariant,
			  (uintptr_t)where - (uintptr_t)arena);
	shadow_expect_stats(&t.s, t.c);
	shadow_expect_walk(&t.s, t.c);
}

static void one_operation(void)
{
	unsigned int how = take8(), i = how % ARRAY_SIZE(operations);

	t.ops = how & 128 ? &ops_called : &ops_inlined;
	if (operations[i].needs_block && !t.s.nr_live)
		i = 0;
	if (!operations[i].needs_block && t.s.nr_live >= BLOCKS_MOST)
		return free_block(0);
	operations[i].run();
	EXPECT_LE(ops_steps, TLSF_STEPS_MAX);
}

/* a core in @bytes of @mem, or none, and then nothing was written */
static void open_core(unsigned char *mem, size_t bytes)
{
	size_t control = tlsf_core_size(bytes);

	asan_unpoison(mem, bytes);
	t.c = tlsf_core_init(mem, bytes);
	EXPECT_PTR(t.c, control ? mem : NULL);
	if (!control)
		return contents_verify((uintptr_t)mem, bytes, 0xff);
	EXPECT_PTR(tlsf_core_start(t.c), mem + control);
	EXPECT_PTR(tlsf_core_end(t.c), mem + bytes / G * G - G);
	shadow_init(&t.s, mem, bytes, control);
	t.largest = shadow_largest_ever(&t.s) - G;
}

/* what is too little memory is replaced by some that must do, all in one place */
static void begin(const uint8_t *data, size_t bytes)
{
	unsigned char *mem;
	size_t size;

	memset(&t, 0, sizeof(t));
	t.at = data;
	t.end = data + bytes;
	asan_unpoison(arena, ARENA_BYTES);
	memset(arena, 0xff, ARENA_BYTES);
	asan_poison(arena, ARENA_BYTES);
	mem = arena + take8() * CONTROL_ALIGN;
	size = take16();
	size = size % 4 ? size / 4 : size;
	open_core(mem, size);
	if (!t.c)
		open_core(mem, heap_bytes_for(512 + size / G * G) + size % G);
	EXPECT(t.c);
}

/* the empty heap is one free block, which can be had whole */
static void expect_whole(void)
{
	void *p;

	EXPECT_EQ(tlsf_core_free_blocks(t.c), 1);
	p = tlsf_core_alloc(t.c, t.largest);
	EXPECT(p);
	contents_write(shadow_expect_served(&t.s, t.c, p, t.largest));
	EXPECT_EQ(tlsf_core_free_blocks(t.c), 0);
	EXPECT_EQ(t.c->free, 0);
	expect_all_holds();
}

void fuzz_one(const uint8_t *data, size_t bytes)
{
	begin(data, bytes);
	expect_all_holds();
	for (; t.at < t.end; t.op++) {
		one_operation();
		if (t.op < CHECKED_OPS || !(t.op % 16))
			expect_all_holds();
	}
	t.ops = &ops_called;
	while (t.s.nr_live)
		free_block(t.op++ * 7 % t.s.nr_live);
	expect_all_holds();
	ktap_note("everything is freed");
	expect_whole();
	asan_unpoison(arena, ARENA_BYTES);
}
