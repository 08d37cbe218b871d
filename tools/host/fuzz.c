// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzz target; see fuzz.h.
 *
 * The first bytes place a control structure and regions in the slots of an arena, at odd
 * addresses and of odd sizes; then each operation is a byte and its arguments are the
 * bytes after it. The shadow model says what every result must be. Blocks are filled with
 * a tag of their own, compared when they are touched. All invariants are proven after
 * each of the first operations, and now and then in a long sequence. At the end all is
 * freed, and the empty heap must be one free block in each region, each of which can be
 * had whole.
 *
 * What is in no region is out of bounds for the address sanitizer. A region comes full of
 * ones, as are tags in their high bits: no chance word passes for a header, so every bad
 * pointer must be refused.
 *
 * Room: host.
 */
#include <string.h>

#include "asan.h"
#include "fuzz.h"
#include "heap.h"
#include "shadow.h"

#define NR_SLOTS	9u		/* the control structure and up to eight regions */
#define SLOT_BYTES	((size_t)8192)
#define ARENA_BYTES	(NR_SLOTS * SLOT_BYTES)
#define BLOCKS_MOST	400u
#define CHECKED_OPS	256u		/* after so many, only every 16th is followed by a proof */
#define FREED_MAX	8u

static unsigned char arena[ARENA_BYTES] __attribute__((__aligned__(16384)));

static struct {
	const uint8_t *at, *end;	/* input not yet used */
	struct tlsf_core *c;
	struct shadow s;
	unsigned int control_slot;
	size_t largest;			/* region that the control structure is made for */
	void *freed[FREED_MAX];		/* lately */
	unsigned int op;
	bool bounded;			/* the last operation promises its steps */
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
	size_t v = take16(), n = v & (SLOT_BYTES - 1);

	switch (v >> 13) {
	case 7:
		return SIZE_MAX - n / 16;
	case 6:
		return t.largest - 4 * G + n % (8 * G);
	case 5:
		return n;
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
	void *p = tlsf_core_alloc(t.c, size);

	ktap_note("operation %u: alloc(%zu)", t.op, size);
	if (p)
		contents_write(shadow_expect_served(&t.s, t.c, p, size));
	else
		shadow_expect_failure(&t.s, tlsf_core_status(t.c), size, block_bytes(size));
}

static void op_memalign(void)
{
	size_t align = take_align(), size = take_size(), room = block_bytes(size);
	void *p = tlsf_core_memalign(t.c, align, size);

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
	EXPECT_STATUS(tlsf_core_free(t.c, p), TLSF_OK);
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
	enum tlsf_status status = tlsf_core_resize(t.c, (void *)b->start, size);

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
static void op_grow_back(void)
{
	unsigned int i = take_block();
	struct shadow_block *b = &t.s.live[i];
	size_t align = (size_t)1 << take8() % 10, was = b->size, size = was - 64 + take16() % 1024;
	struct shadow_outcome must = shadow_grow_back(&t.s, i, align, size);
	void *p = (void *)b->start;
	enum tlsf_status status = tlsf_core_grow_back(t.c, &p, align, size);

	ktap_note("operation %u: grow_back(block %u of %zu, %zu, %zu)", t.op, i, was, align, size);
	shadow_expect_status(&t.s, status, &must, size);
	EXPECT_PTR(p, status == TLSF_OK ? must.start : b->start);
	if (status != TLSF_OK)
		return contents_verify(b->start, was, b->tag);
	memmove(p, (void *)b->start, was);
	shadow_resized(&t.s, i, &must);
	resize_block(i, size, was, true);
}

/* ---- what must be refused ---- */

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
		EXPECT(tlsf_core_resize(t.c, p, 64) != TLSF_OK);
		break;
	case 1:
		EXPECT(tlsf_core_grow_back(t.c, &at, 1, 64) != TLSF_OK);
		EXPECT_PTR(at, p);
		break;
	case 2:
		EXPECT(tlsf_core_usable(t.c, p, &usable) != TLSF_OK);
		break;
	default:
		EXPECT(tlsf_core_free(t.c, p) != TLSF_OK);
	}
}

/* ---- regions, resets ---- */

/* offset and size from the input; too small at times, and then refused */
static void region_add(unsigned int slot)
{
	size_t offset = take8() % 64, bytes = take16() % (SLOT_BYTES - 64);
	unsigned char *mem = arena + slot * SLOT_BYTES + offset;
	bool fits = bytes >= 128 && bytes <= t.largest && slot > t.control_slot;
	enum tlsf_status status;

	asan_unpoison(mem, bytes);
	memset(mem, 0xff, bytes);
	status = tlsf_core_add_region(t.c, mem, bytes);
	ktap_note("operation %u: region of %zu in slot %u", t.op, bytes, slot);
	EXPECT(status == TLSF_OK || status == TLSF_E_REGION);
	EXPECT(status == TLSF_OK || !fits || t.s.nr_regions == TLSF_REGIONS_MAX);
	if (status == TLSF_OK)
		shadow_add_region(&t.s, mem, bytes);
	else
		asan_poison(arena + slot * SLOT_BYTES, SLOT_BYTES);
}

static void region_remove(unsigned int i)
{
	struct shadow_region r = t.s.region[i];
	size_t slot = ((uintptr_t)r.mem - (uintptr_t)arena) / SLOT_BYTES;
	bool busy = shadow_region_busy(&t.s, i);

	ktap_note("operation %u: region %u leaves", t.op, i);
	EXPECT_STATUS(tlsf_core_add_region(t.c, (char *)r.mem + 1, r.bytes - 1), TLSF_E_REGION);
	EXPECT_STATUS(tlsf_core_remove_region(t.c, r.mem), busy ? TLSF_E_BUSY : TLSF_OK);
	if (busy)
		return;
	asan_poison(arena + slot * SLOT_BYTES, SLOT_BYTES);
	shadow_remove_region(&t.s, i);
}

/* the region of the slot leaves if it may; where there is none, one comes */
static void op_region(void)
{
	unsigned int slot = take8() % NR_SLOTS, i = 0;
	uintptr_t mem = (uintptr_t)arena + slot * SLOT_BYTES;

	if (slot == t.control_slot)
		return;
	while (i < t.s.nr_regions && (uintptr_t)t.s.region[i].mem - mem >= SLOT_BYTES)
		i++;
	if (i < t.s.nr_regions)
		region_remove(i);
	else
		region_add(slot);
}

static void op_reset(void)
{
	size_t used = t.s.count.used_bytes;

	ktap_note("operation %u: a reset", t.op);
	if (take8() < 200) {
		tlsf_core_stats_reset(t.c);
		t.s.count = (struct tlsf_core_stats){ .used_bytes = used,
						      .high_water = used + t.s.nr_live * G };
		return;
	}
	tlsf_core_reset(t.c);
	shadow_remove_all(&t.s);
}

/* ---- the sequence ---- */

static const struct {
	void (*run)(void);
	bool needs_block;
	bool bounded;		/* each path of it begins a count of steps */
} operations[16] = {
	{ op_alloc,	false,	true },
	{ op_alloc,	false,	true },
	{ op_alloc,	false,	true },
	{ op_alloc,	false,	true },
	{ op_memalign,	false,	true },
	{ op_memalign,	false,	true },
	{ op_free,	true,	true },
	{ op_free,	true,	true },
	{ op_free,	true,	true },
	{ op_free,	true,	true },
	{ op_resize,	true,	true },
	{ op_resize,	true,	true },
	{ op_grow_back,	true,	true },
	{ op_bad_pointer, false, false },
	{ op_region,	false,	false },
	{ op_reset,	false,	false },
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
	unsigned int i = take8() % ARRAY_SIZE(operations);

	if (operations[i].needs_block && !t.s.nr_live)
		i = 0;
	if (!operations[i].needs_block && t.s.nr_live >= BLOCKS_MOST)
		return free_block(0);
	operations[i].run();
	if (operations[i].bounded)
		EXPECT_LE(tlsf_core_steps(t.c), TLSF_STEPS_MAX);
}

static void begin(const uint8_t *data, size_t bytes)
{
	unsigned int slot, regions;
	unsigned char *mem;
	size_t control;

	memset(&t, 0, sizeof(t));
	t.at = data;
	t.end = data + bytes;
	asan_unpoison(arena, ARENA_BYTES);
	memset(arena, 0xff, ARENA_BYTES);
	asan_poison(arena, ARENA_BYTES);
	t.control_slot = take8() % 3;		/* regions lie above it */
	t.largest = 512 + take16() % (SLOT_BYTES - 512);
	control = tlsf_core_size(t.largest);
	mem = arena + t.control_slot * SLOT_BYTES;
	asan_unpoison(mem, control);
	EXPECT_PTR(tlsf_core_init(mem, control - 1, t.largest), NULL);
	t.c = tlsf_core_init(mem, control, t.largest);
	EXPECT_PTR(t.c, mem);
	regions = 1 + take8() % TLSF_REGIONS_MAX;
	for (slot = 0; slot < NR_SLOTS && t.s.nr_regions < regions; slot++)
		if (slot != t.control_slot)
			region_add(slot);
}

/* the empty heap is one free block in each region, and each can be had whole */
static void expect_whole(void)
{
	struct tlsf_core_stats stats;
	unsigned int i;
	void *p;

	EXPECT_EQ(tlsf_core_free_blocks(t.c), t.s.nr_regions);
	for (i = 0; i < t.s.nr_regions; i++) {
		tlsf_core_stats(t.c, &stats);
		p = tlsf_core_alloc(t.c, stats.largest_free);
		EXPECT(p);
		contents_write(shadow_expect_served(&t.s, t.c, p, stats.largest_free));
	}
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
	while (t.s.nr_live)
		free_block(t.op++ * 7 % t.s.nr_live);
	expect_all_holds();
	ktap_note("everything is freed");
	expect_whole();
	asan_unpoison(arena, ARENA_BYTES);
}
