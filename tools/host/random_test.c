// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations against the shadow model, the whole heap checked after each.
 *
 * A run is a series of epochs, each with a heap of its own: other sizes, odd ends,
 * anywhere in an arena. An epoch is a series of phases: fill, churn, drain, empty, each
 * with a distribution of sizes. Blocks carry a pattern of their own that is verified
 * whenever they are touched. Now and then comes a bad pointer, or the largest request
 * there can be. Each operation is drawn in one of the two forms of ops.h.
 *
 * All is drawn from the seed, and addresses repeat in what matters (their offset from a
 * multiple of 1 MiB): a failure prints seed and operation, and the same seed repeats it.
 *
 * Room: host.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asan.h"
#include "heap.h"
#include "ops.h"
#include "shadow.h"

#define ARENA_BYTES	((size_t)1 << 20)
#define BLOCKS_MOST	400u			/* then only frees are drawn */
#define EPOCH_OPS	5000u
#define FREED_MAX	16u

struct phase {
	const char *name;
	unsigned int alloc_percent;	/* of allocs among allocs and frees */
	unsigned int shortest;		/* operations */
	unsigned int longest;
};

static const struct phase phases[] = {
	{ "fill",	80, 100, 1500 },
	{ "churn",	50, 100, 3000 },
	{ "drain",	20, 100, 1000 },
	{ "empty",	0,  500, 600 },
};

enum sizes { SIZES_TINY, SIZES_SMALL, SIZES_LOG_UNIFORM, SIZES_LARGE, SIZES_NR };

static unsigned long nr_ops = 50000;

static struct {
	struct rng rng;
	struct tlsf_core *c;
	const struct ops *ops;		/* form of the next operation */
	struct shadow s;
	unsigned char *arena;
	const struct phase *phase;
	unsigned int phase_left;
	enum sizes sizes;
	size_t largest;			/* request that can be */
	void *freed[FREED_MAX];		/* lately */
	unsigned long op;
} t;

static size_t below(size_t bound)
{
	return (size_t)rng_below(&t.rng, bound);
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

/* ---- contents: words of a tag and their place; their top bit is not that of a header ---- */

static size_t pattern_word(size_t tag, size_t i)
{
	return (tag ^ i * 0x9e3779b9) & (SIZE_MAX / 2);
}

/* the words that are written and compared: both ends, and some between */
static bool word_is_marked(size_t i, size_t words)
{
	return i < 12 || i + 12 >= words || !(i % 32);
}

static size_t next_marked(size_t i, size_t words)
{
	for (i++; i < words && !word_is_marked(i, words); )
		i++;
	return i;
}

static void contents_write(struct shadow_block *b)
{
	size_t *word = (size_t *)b->start, words = b->size / G, i;

	b->tag = (size_t)rng_next(&t.rng);
	for (i = 0; i < words; i = next_marked(i, words))
		word[i] = pattern_word(b->tag, i);
}

/* the first @bytes of what was written when the block had @size are at @start */
static void contents_verify(uintptr_t start, size_t bytes, size_t size, size_t tag)
{
	const size_t *word = (const size_t *)start;
	size_t i;

	for (i = 0; i < bytes / G; i = next_marked(i, size / G))
		EXPECT_EQ(word[i], pattern_word(tag, i));
}

static void block_verify(const struct shadow_block *b)
{
	contents_verify(b->start, b->size, b->size, b->tag);
}

/* ---- draws ---- */

static size_t draw_log_uniform(size_t most)
{
	unsigned int bits = 1;

	while (most >> bits)
		bits++;
	return 1 + below((size_t)1 << (1 + below(bits))) % most;
}

static size_t draw_size(void)
{
	if (one_in(500))
		return t.largest - 4 * G + below(8 * G);
	if (one_in(1000))
		return one_in(2) ? 0 : SIZE_MAX - below(64);
	switch (t.sizes) {
	case SIZES_TINY:
		return 1 + below(48);
	case SIZES_SMALL:
		return 1 + below(1024);
	case SIZES_LARGE:
		return 1 + below(t.largest / 4);
	default:
		return draw_log_uniform(t.largest / 2 + 1);
	}
}

static size_t draw_align(void)
{
	if (one_in(300))
		return below(2 * t.largest);
	return (size_t)1 << below(one_in(4) ? 14 : 8);
}

static unsigned int draw_block(void)
{
	return (unsigned int)below(t.s.nr_live);
}

/* ---- operations ---- */

static void expect_served(void *p, size_t size)
{
	contents_write(shadow_expect_served(&t.s, t.c, p, size));
}

static void op_alloc(void)
{
	size_t size = draw_size();
	void *p;

	ktap_note("operation %lu: alloc(%zu)", t.op, size);
	p = t.ops->alloc(t.c, size);
	if (p)
		expect_served(p, size);
	else
		shadow_expect_failure(&t.s, tlsf_core_status(t.c), size, block_bytes(size));
}

static void op_memalign(void)
{
	size_t align = draw_align(), size = draw_size(), room = block_bytes(size);
	void *p;

	ktap_note("operation %lu: memalign(%zu, %zu)", t.op, align, size);
	p = t.ops->memalign(t.c, align, size);
	if (p) {
		EXPECT(align && !(align & (align - 1)));
		EXPECT_EQ((uintptr_t)p % align, 0);
		expect_served(p, size);
		return;
	}
	if (tlsf_core_status(t.c) == TLSF_E_ALIGN) {
		EXPECT(!align || (align & (align - 1)) ||
		       align + G > shadow_largest_ever(&t.s));
		return;
	}
	if (align > G)
		room += align + TLSF_BLOCK_MIN - G;
	shadow_expect_failure(&t.s, tlsf_core_status(t.c), size, room);
}

static void op_free(void)
{
	unsigned int i = draw_block();
	void *p = (void *)t.s.live[i].start;

	ktap_note("operation %lu: free(block %u of %zu)", t.op, i, t.s.live[i].size);
	block_verify(&t.s.live[i]);
	EXPECT_STATUS(t.ops->free(t.c, p), TLSF_OK);
	shadow_remove(&t.s, i);
	t.freed[t.op % FREED_MAX] = p;
}

/* resizes block @i, whose contents were written when it had @was bytes */
static enum tlsf_status resize_block(unsigned int i, size_t size, size_t was)
{
	struct shadow_block *b = &t.s.live[i];
	struct shadow_outcome must = shadow_resize(&t.s, i, size);
	enum tlsf_status status = t.ops->resize(t.c, (void *)b->start, size);

	shadow_expect_status(&t.s, status, &must, size);
	if (status == TLSF_OK)
		shadow_resized(&t.s, i, &must);
	contents_verify(b->start, b->size < was ? b->size : was, was, b->tag);
	contents_write(b);
	return status;
}

static void op_resize(void)
{
	unsigned int i = draw_block();
	size_t size = draw_size(), was = t.s.live[i].size;

	ktap_note("operation %lu: resize(block %u of %zu, %zu)", t.op, i, was, size);
	resize_block(i, size, was);
}

/* as the pool does it: grow, move the contents, give back the tail */
static void op_grow_backward(void)
{
	unsigned int i = draw_block();
	struct shadow_block *b = &t.s.live[i];
	size_t align = (size_t)1 << below(9), was = b->size, size = was + below(512) - below(64);
	struct shadow_outcome must = shadow_grow_backward(&t.s, i, align, size);
	void *p = (void *)b->start;
	enum tlsf_status status;

	ktap_note("operation %lu: grow_backward(block %u of %zu, %zu, %zu)", t.op, i, was, align,
		  size);
	status = t.ops->grow_backward(t.c, &p, align, size);
	shadow_expect_status(&t.s, status, &must, size);
	if (status != TLSF_OK) {
		EXPECT_PTR(p, b->start);
		block_verify(b);
		return;
	}
	EXPECT_PTR(p, must.start);
	memmove(p, (void *)b->start, was);
	shadow_resized(&t.s, i, &must);
	EXPECT_EQ(tlsf_core_check(t.c, NULL), 0);
	EXPECT_STATUS(resize_block(i, size, was), TLSF_OK);
}

/* ---- what must be rejected ---- */

static void *draw_bad_pointer(void)
{
	const struct shadow_block *b;

	switch (below(3)) {
	case 0:
		return t.freed[below(FREED_MAX)];
	case 1:
		return t.arena + below(ARENA_BYTES);
	}
	if (!t.s.nr_live)
		return NULL;
	b = &t.s.live[draw_block()];
	return (void *)(b->start + below(b->size) / (one_in(2) ? 1 : G) * G);
}

static void op_bad_pointer(void)
{
	void *p = draw_bad_pointer(), *at = p;
	size_t usable;

	if (shadow_find(&t.s, p) >= 0)
		return;
	ktap_note("operation %lu: bad pointer, offset 0x%zx", t.op, (size_t)p % ARENA_BYTES);
	t.s.count.bad_pointers++;
	switch (below(4)) {
	case 0:
		EXPECT(t.ops->free(t.c, p) != TLSF_OK);
		break;
	case 1:
		EXPECT(t.ops->resize(t.c, p, 1 + below(100)) != TLSF_OK);
		break;
	case 2:
		EXPECT(t.ops->grow_backward(t.c, &at, 1, 1 + below(1000)) != TLSF_OK);
		EXPECT_PTR(at, p);
		break;
	default:
		t.s.count.bad_pointers--;	/* only looks */
		EXPECT(tlsf_core_usable(t.c, p, &usable) != TLSF_OK);
	}
}

/* ---- rare events ---- */

static void op_stats_reset(void)
{
	size_t used = t.s.count.used_bytes;

	ktap_note("operation %lu: stats_reset", t.op);
	tlsf_core_stats_reset(t.c);
	t.s.count = (struct tlsf_core_stats){ .used_bytes = used,
					      .high_water = used + t.s.nr_live * G };
}

/* what the heap says it can serve at most, it serves */
static void op_alloc_largest(void)
{
	struct tlsf_core_stats stats;
	void *p;

	tlsf_core_stats(t.c, &stats);
	ktap_note("operation %lu: alloc(largest_free %zu)", t.op, stats.largest_free);
	if (!stats.largest_free)
		return;
	p = t.ops->alloc(t.c, stats.largest_free);
	EXPECT(p);
	expect_served(p, stats.largest_free);
}

static void op_rare(void)
{
	if (one_in(3))
		op_stats_reset();
	else if (t.s.nr_live < BLOCKS_MOST)
		op_alloc_largest();
}

/* ---- the run ---- */

static void draw_phase(void)
{
	t.phase = &phases[below(ARRAY_SIZE(phases))];
	t.phase_left = t.phase->shortest;
	t.phase_left += (unsigned int)below(t.phase->longest - t.phase->shortest);
	t.sizes = (enum sizes)below(SIZES_NR);
}

static void one_operation(void)
{
	bool alloc = below(100) < t.phase->alloc_percent;

	t.ops = one_in(2) ? &ops_called : &ops_inlined;
	if (one_in(200))
		return op_rare();
	if (one_in(40))
		return op_bad_pointer();
	if (!t.s.nr_live || (alloc && t.s.nr_live < BLOCKS_MOST))
		return one_in(4) ? op_memalign() : op_alloc();
	if (one_in(3))
		return one_in(3) ? op_grow_backward() : op_resize();
	op_free();
}

static void expect_all_holds(void)
{
	const void *where = NULL;
	unsigned int invariant = tlsf_core_check(t.c, &where);

	if (invariant)
		ktap_fail(__FILE__, __LINE__, "invariant %u is broken at offset 0x%zx", invariant,
			  (size_t)where % ARENA_BYTES);
	EXPECT_LE(ops_steps, TLSF_STEPS_MAX);
	shadow_expect_stats(&t.s, t.c);
	shadow_expect_walk(&t.s, t.c);
}

/* bytes of region: 256 to most of the arena, as many small ones as large ones */
static size_t draw_region_size(void)
{
	size_t octave = (size_t)256 << below(11);

	return octave + below(octave);
}

static void epoch_begin(void)
{
	size_t bytes = heap_bytes_for(draw_region_size() / G * G) + below(G), offset;
	unsigned char *mem;

	asan_unpoison(t.arena, ARENA_BYTES);
	memset(t.arena, 0xff, ARENA_BYTES);
	asan_poison(t.arena, ARENA_BYTES);
	memset(t.freed, 0, sizeof(t.freed));
	offset = below((ARENA_BYTES - bytes) / CONTROL_ALIGN) * CONTROL_ALIGN;
	mem = t.arena + offset;
	asan_unpoison(mem, bytes);
	t.c = tlsf_core_init(mem, bytes);
	EXPECT_PTR(t.c, mem);
	shadow_init(&t.s, mem, bytes, tlsf_core_size(bytes));
	t.largest = shadow_largest_ever(&t.s) - G;
}

/* freeing everything must leave one free block */
static void epoch_end(void)
{
	struct tlsf_core_stats stats;

	while (t.s.nr_live) {
		op_free();
		expect_all_holds();
	}
	tlsf_core_stats(t.c, &stats);
	EXPECT_EQ(stats.free_blocks, 1);
	EXPECT_EQ(stats.largest_free, t.largest);
}

static void random_operations(void)
{
	t.rng = rng_seed(ktap_seed);
	EXPECT(!posix_memalign((void **)&t.arena, ARENA_BYTES, ARENA_BYTES));
	for (t.op = 0; t.op < nr_ops; t.op++) {
		if (!(t.op % EPOCH_OPS)) {
			if (t.op)
				epoch_end();
			epoch_begin();
		}
		if (!t.phase_left--)
			draw_phase();
		one_operation();
		expect_all_holds();
	}
	epoch_end();
}

static void usage(const char *program)
{
	fprintf(stderr, "usage: %s [--ops N] [--seed S]\n", program);
	exit(2);
}

/* A number from 0 to @most and nothing else: neither text nor one that wraps is 0. */
static size_t number(const char *program, const char *text, size_t most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > most) {
		fprintf(stderr, "%s: '%s' is not a number from 0 to %zu\n", program, text, most);
		exit(2);
	}
	return value;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "seed", required_argument, NULL, 's' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'o')
			nr_ops = number(argv[0], optarg, SIZE_MAX);
		else if (c == 's')
			setenv("TLSF_SEED", optarg, 1);
		else
			usage(argv[0]);
	}
	if (optind != argc)
		usage(argv[0]);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(random_operations),
	};

	parse(argc, argv);
	return ktap_run("random_test", cases, ARRAY_SIZE(cases));
}
