// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exact instruction counts of the core: no clock, the same on every run, so they gate.
 *
 * Room: host. x86-64; heap.h, ktap.h, libc.
 *
 * The core is linked twice, both times as gcc -O2 makes it. One copy is untouched but
 * for the name of its section: it runs under the trap flag, and each trap with the
 * instruction pointer in that section is one instruction. The other (counted.sed) adds
 * one to a variable before each instruction, which serves runs too long for a signal
 * per instruction; every named state proves that it agrees with the first.
 *
 *	steps [CSV]	KTAP; the table on lines of "# "; and as
 *			operation,min,avg,max,ceiling into the file
 *
 * Ceilings are what the core reaches now, with the gcc named below. When one is
 * exceeded, the core has become slower: that is a failure. When one can be lowered, the
 * table says so. Goals are what is aimed at.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "heap.h"
#include "ops.h"

#if defined(__clang__) || __GNUC__ != 12
#define CEILINGS_APPLY	false
#else
#define CEILINGS_APPLY	true
#endif

/* ---- operations and how they end ---- */

enum op { ALLOC, MEMALIGN, FREE, RESIZE, GROW_BACKWARD };

struct call {
	enum op op;
	size_t align;
	size_t size;
	void *ptr;		/* the block: in, out, or both */
	bool done;		/* neither failed nor rejected */
	unsigned long count;	/* of instructions */
};

enum group {
	MALLOC_DONE, MALLOC_FAILS, MEMALIGN_DONE, MEMALIGN_FAILS, FREE_DONE, FREE_REJECTED,
	RESIZE_DONE, RESIZE_FAILS, GROW_BACKWARD_DONE, GROW_BACKWARD_FAILS, GROUPS
};

static const struct {
	const char *name;
	enum op op;
	unsigned int goal;	/* of the worst case; 0 for none */
} groups[GROUPS] = {
	[MALLOC_DONE]		= { "malloc",		ALLOC,		115 },
	[MALLOC_FAILS]		= { "malloc_fails",	ALLOC,		45 },
	[MEMALIGN_DONE]		= { "memalign",		MEMALIGN,	180 },
	[MEMALIGN_FAILS]	= { "memalign_fails",	MEMALIGN,	0 },
	[FREE_DONE]		= { "free",		FREE,		130 },
	[FREE_REJECTED]		= { "free_rejected",	FREE,		0 },
	[RESIZE_DONE]		= { "resize",		RESIZE,		125 },
	[RESIZE_FAILS]		= { "resize_fails",	RESIZE,		0 },
	[GROW_BACKWARD_DONE]	= { "grow_backward",	GROW_BACKWARD,	0 },
	[GROW_BACKWARD_FAILS]	= { "grow_backward_fails",	GROW_BACKWARD,	0 },
};

/* the groups of an operation are a pair: done, and not */
static enum group group_of(const struct call *call)
{
	return 2 * (enum group)call->op + !call->done;
}

/* ---- the two meters ---- */

extern const char __start_tlsf_text[], __stop_tlsf_text[];

void *counted_alloc(struct tlsf_core *c, size_t size);
void *counted_memalign(struct tlsf_core *c, size_t align, size_t size);
enum tlsf_status counted_free(struct tlsf_core *c, void *ptr);
enum tlsf_status counted_resize(struct tlsf_core *c, void *ptr, size_t size);
enum tlsf_status counted_grow_backward(struct tlsf_core *c, void **ptr, size_t align, size_t size);

extern volatile unsigned long counted_instructions;
volatile unsigned long counted_instructions;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	uintptr_t ip = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];

	(void)signal;
	(void)info;
	if (ip >= (uintptr_t)__start_tlsf_text && ip < (uintptr_t)__stop_tlsf_text)
		counted_instructions++;
}

static __attribute__((__noinline__)) void stepping_on(void)
{
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
}

static __attribute__((__noinline__)) void stepping_off(void)
{
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
}

static const struct ops ops_counted = {
	counted_alloc, counted_memalign, counted_free, counted_resize, counted_grow_backward
};

struct meter {
	const struct ops *ops;
	bool steps;
};

static const struct meter stepped = { &ops_called, true }, counted = { &ops_counted, false };

static enum tlsf_status operate(const struct ops *ops, struct tlsf_core *c, struct call *call)
{
	switch (call->op) {
	case ALLOC:
		call->ptr = ops->alloc(c, call->size);
		break;
	case MEMALIGN:
		call->ptr = ops->memalign(c, call->align, call->size);
		break;
	case FREE:
		return ops->free(c, call->ptr);
	case RESIZE:
		return ops->resize(c, call->ptr, call->size);
	case GROW_BACKWARD:
		return ops->grow_backward(c, &call->ptr, call->align, call->size);
	}
	return call->ptr ? TLSF_OK : TLSF_E_EXHAUSTED;	/* or any other failure */
}

static void measure(const struct meter *m, struct tlsf_core *c, struct call *call)
{
	enum tlsf_status status;

	counted_instructions = 0;
	if (m->steps)
		stepping_on();
	status = operate(m->ops, c, call);
	if (m->steps)
		stepping_off();
	call->count = counted_instructions;
	call->done = status == TLSF_OK;
}

/* ---- figures ---- */

struct figure {
	enum group group;
	const char *name;
	unsigned int ceiling;
	double avg_ceiling;	/* of random runs; 0 for none */
	double avg_goal;
	unsigned long n;
	unsigned long sum;
	unsigned long min;
	unsigned long max;
};

static void figure_add(struct figure *f, unsigned long count)
{
	f->min = !f->n || count < f->min ? count : f->min;
	f->max = count > f->max ? count : f->max;
	f->sum += count;
	f->n++;
}

static double figure_avg(const struct figure *f)
{
	return f->n ? (double)f->sum / (double)f->n : 0;
}

static void figure_check(const struct figure *f)
{
	ktap_note("%s/%s", groups[f->group].name, f->name);
	EXPECT_GE(f->n, 1);
	EXPECT_LE(f->max, f->ceiling);
	if (f->avg_ceiling)
		EXPECT_LE(lround(10 * figure_avg(f)), lround(10 * f->avg_ceiling));
}

/* ---- named states ---- */

struct state {
	struct figure f;
	const char *before;	/* the heap; see ../../kunit/layout.h */
	int block;		/* of it, that is operated on */
	size_t size;
	size_t align;
	const char *after;	/* proof that it went as its name says; NULL if damaged */
	void (*prepare)(struct heap *h, void **p, struct call *call);
};

static void outside(struct heap *h, void **p, struct call *call)
{
	(void)p;
	call->ptr = h;
}

static void misaligned(struct heap *h, void **p, struct call *call)
{
	(void)h;
	(void)p;
	call->ptr = (char *)call->ptr + 1;
}

static void own_header_damaged(struct heap *h, void **p, struct call *call)
{
	(void)h;
	(void)p;
	tlsf_block_of(call->ptr)->header = SIZE_MAX;
}

/* the last to be found: the block below has left its list and must go back */
static void links_above_damaged(struct heap *h, void **p, struct call *call)
{
	(void)h;
	(void)call;
	tlsf_block_of(p[2])->prev = 0;
}

/*
 * Lists "emptied" lose their only block and with it the bits of bitmap and summary;
 * lists "kept" have another. A block of 4208 serves a request of 4096 although that is
 * not the smallest size of its class: only the look at the request's own class finds it.
 */
#define GIANT	"F1048568"

static struct state states[] = {
	{ { MALLOC_DONE, "one_giant_block", 159 },
	  GIANT, 0, 24, 0, "U24 F1048568-24" },
	{ { MALLOC_DONE, "giant_list_kept", 164 },
	  GIANT " U24 " GIANT " U24", 0, 24, 0, GIANT " U24 U24 F1048568-24 U24" },
	{ { MALLOC_DONE, "one_scan_emptied", 147 },
	  "F104 U24", 0, 64, 0, "U64 F104-64 U24" },
	{ { MALLOC_DONE, "one_scan_kept", 152 },
	  "F104 U24 F104 U24", 0, 64, 0, "F104 U24 U64 F104-64 U24" },
	{ { MALLOC_DONE, "exact_hit_emptied", 87 },
	  "F64 U24", 0, 64, 0, "U64 U24" },
	{ { MALLOC_DONE, "exact_hit_kept", 92 },
	  "F64 U24 F64 U24", 0, 64, 0, "F64 U24 U64 U24" },
	{ { MALLOC_DONE, "hit_with_rest_emptied", 124 },
	  "F4208 U24", 0, 4088, 0, "U4088 F4208-4088 U24" },
	{ { MALLOC_DONE, "hit_with_rest_kept", 129 },
	  "F4208 U24 F4208 U24", 0, 4088, 0, "F4208 U24 U4088 F4208-4088 U24" },
	{ { MALLOC_DONE, "own_class_peek_emptied", 124 },
	  "F4208 U24", 0, 4096, 0, "U4096 F4208-4096 U24" },
	{ { MALLOC_DONE, "own_class_peek_kept", 129 },
	  "F4208 U24 F4208 U24", 0, 4096, 0, "F4208 U24 U4096 F4208-4096 U24" },
	{ { MALLOC_DONE, "own_class_peek_whole_pool", 87 },
	  "F4208", 0, 4208, 0, "U4208" },

	{ { MALLOC_FAILS, "exhausted", 88 },
	  "U64 U64", 0, 64, 0, "U64 U64" },
	{ { MALLOC_FAILS, "fragmented", 88 },
	  "F64 U24 F64 U24", 0, 100, 0, "F64 U24 F64 U24" },
	{ { MALLOC_FAILS, "own_class_too_small", 88 },
	  "F4096 U24", 0, 4112, 0, "F4096 U24" },
	{ { MALLOC_FAILS, "size_zero", 38 },
	  "F64 U24", 0, 0, 0, "F64 U24" },
	{ { MALLOC_FAILS, "size_too_large", 38 },
	  "F64 U24", 0, SIZE_MAX, 0, "F64 U24" },

	{ { MEMALIGN_DONE, "giant_gap_and_rest_emptied", 242 },
	  GIANT, 0, 100, 4096, "F4080 U104 F1048568-4080-104" },
	{ { MEMALIGN_DONE, "giant_gap_and_rest_kept", 246 },
	  GIANT " U24 " GIANT " U24", 0, 100, 4096, "F* U24 F* U104 F* U24" },
	{ { MEMALIGN_DONE, "own_class_peek_gap_and_rest", 207 },
	  "F4208 U24", 0, 4056, 16, "F32 U4056 F4208-32-4056 U24" },
	{ { MEMALIGN_DONE, "own_class_peek_gap_and_rest_kept", 211 },
	  "F4208 U32 F4208 U24", 0, 4056, 16, "F4208 U32 F32 U4056 F4208-32-4056 U24" },
	{ { MEMALIGN_DONE, "aligned_already", 205 },
	  "U32 F4208 U24", 0, 64, 16, "U32 U64 F4208-64 U24" },
	{ { MEMALIGN_DONE, "granule_is_malloc", 199 },
	  GIANT, 0, 24, 8, "U24 F1048568-24" },

	{ { MEMALIGN_FAILS, "fragmented", 105 },
	  "F64 U24 F64 U24", 0, 64, 64, "F64 U24 F64 U24" },
	{ { MEMALIGN_FAILS, "align_is_no_power_of_two", 42 },
	  "F64 U24", 0, 8, 24, "F64 U24" },
	{ { MEMALIGN_FAILS, "align_too_large", 47 },
	  "F64 U24", 0, 8, SIZE_MAX / 2 + 1, "F64 U24" },

	{ { FREE_DONE, "no_merge", 96 },
	  "U24 U64 U24", 1, 0, 0, "U24 F64 U24" },
	{ { FREE_DONE, "no_merge_list_kept", 96 },
	  "U24 U64 U24 F64 U24", 1, 0, 0, "U24 F64 U24 F64 U24" },
	{ { FREE_DONE, "merge_below_emptied", 148 },
	  "F64 U64 U24", 1, 0, 0, "F64+64 U24" },
	{ { FREE_DONE, "merge_below_kept", 132 },
	  "F64 U64 U24 F64 U24", 1, 0, 0, "F64+64 U24 F64 U24" },
	{ { FREE_DONE, "merge_above_emptied", 135 },
	  "U24 U64 F64 U24", 1, 0, 0, "U24 F64+64 U24" },
	{ { FREE_DONE, "merge_above_kept", 120 },
	  "U24 U64 F64 U24 F64 U24", 1, 0, 0, "U24 F64+64 U24 F64 U24" },
	{ { FREE_DONE, "merge_both_emptied", 187 },
	  "F64 U64 F20000 U24", 1, 0, 0, "F64+64+20000 U24" },
	{ { FREE_DONE, "merge_both_kept_heads", 160 },
	  "F64 U24 F20000 U24 F64 U64 F20000 U24", 5, 0, 0,
	  "F64 U24 F20000 U24 F64+64+20000 U24" },
	{ { FREE_DONE, "merge_both_kept_tails", 156 },
	  "F64 U64 F20000 U24 F64 U24 F20000 U24", 1, 0, 0,
	  "F64+64+20000 U24 F64 U24 F20000 U24" },
	{ { FREE_DONE, "merge_both_of_one_list", 171 },
	  "F64 U64 F64 U24", 1, 0, 0, "F64+64+64 U24" },

	{ { FREE_REJECTED, "outside", 36 },
	  "U24 U64 U24", 1, 0, 0, "U24 U64 U24", outside },
	{ { FREE_REJECTED, "misaligned", 39 },
	  "U24 U64 U24", 1, 0, 0, "U24 U64 U24", misaligned },
	{ { FREE_REJECTED, "free_already", 83 },
	  "U24 F64 U24", 1, 0, 0, "U24 F64 U24" },
	{ { FREE_REJECTED, "header_damaged", 76 },
	  "U24 U64 U24", 1, 0, 0, NULL, own_header_damaged },
	{ { FREE_REJECTED, "links_above_damaged", 178 },
	  "F64 U64 F64 U24", 1, 0, 0, "F64 U64 F64 U24", links_above_damaged },

	{ { RESIZE_DONE, "same_size", 67 },
	  "U128 U64", 0, 128, 0, "U128 U64" },
	{ { RESIZE_DONE, "shrink", 134 },
	  "U128 U64", 0, 64, 0, "U64 F128-64 U64" },
	{ { RESIZE_DONE, "shrink_merging_above_emptied", 180 },
	  "U128 F64 U24", 0, 64, 0, "U64 F128+64-64 U24" },
	{ { RESIZE_DONE, "shrink_merging_above_kept", 165 },
	  "U128 F64 U24 F64 U24", 0, 64, 0, "U64 F128+64-64 U24 F64 U24" },
	{ { RESIZE_DONE, "grow_with_rest_emptied", 180 },
	  "U64 F200 U24", 0, 128, 0, "U128 F64+200-128 U24" },
	{ { RESIZE_DONE, "grow_with_rest_kept", 165 },
	  "U64 F200 U24 F200 U24", 0, 128, 0, "U128 F64+200-128 U24 F200 U24" },
	{ { RESIZE_DONE, "grow_without_rest_emptied", 139 },
	  "U64 F64 U24", 0, 128, 0, "U64+64 U24" },

	{ { RESIZE_FAILS, "no_room_above", 62 },
	  "U64 U24 U4000", 0, 128, 0, "U64 U24 U4000" },
	{ { RESIZE_FAILS, "too_little_above", 65 },
	  "U64 F64 U24 U4000", 0, 256, 0, "U64 F64 U24 U4000" },
	{ { RESIZE_FAILS, "size_zero", 42 },
	  "U64 U24", 0, 0, 0, "U64 U24" },
	{ { RESIZE_FAILS, "free_already", 88 },
	  "U24 F64 U24", 1, 64, 0, "U24 F64 U24" },

	{ { GROW_BACKWARD_DONE, "below_is_enough", 189 },
	  "F64 U64 U24", 1, 128, 8, "U64+64 U24" },
	{ { GROW_BACKWARD_DONE, "both_emptied", 237 },
	  "F64 U64 F20000 U24", 1, 20000, 8, "U64+64+20000 U24" },
	{ { GROW_BACKWARD_DONE, "both_and_gap_emptied", 270 },
	  "F200 U64 F20000 U24", 1, 20000, 64, "F48 U200+64+20000-48 U24" },
	{ { GROW_BACKWARD_DONE, "both_and_gap_kept", 238 },
	  "F200 U64 F20000 U24 F200 U24 F20000 U24", 1, 20000, 64,
	  "F48 U200+64+20000-48 U24 F200 U24 F20000 U24" },

	{ { GROW_BACKWARD_FAILS, "too_little_on_both_sides", 103 },
	  "F64 U64 F64 U4000", 1, 1000, 8, "F64 U64 F64 U4000" },
	{ { GROW_BACKWARD_FAILS, "none_below", 70 },
	  "U64 U64 F64 U4000", 1, 1000, 8, "U64 U64 F64 U4000" },
};

static void state_build(const struct state *s, struct heap *h, struct call *call)
{
	void *p[HEAP_BLOCKS_MAX];

	heap_build(h, s->before, p);
	*call = (struct call){ .op = groups[s->f.group].op, .align = s->align, .size = s->size,
			       .ptr = p[s->block] };
	if (s->prepare)
		s->prepare(h, p, call);
}

/* operate in state @s under meter @m; the count */
static unsigned long state_count(const struct state *s, const struct meter *m)
{
	struct call call;
	struct heap h;

	state_build(s, &h, &call);
	measure(m, h.c, &call);
	EXPECT_EQ(call.op, groups[s->f.group].op);
	EXPECT_EQ(s->f.group, group_of(&call));
	if (s->after)
		heap_expect(&h, s->after);
	heap_close(&h);
	return call.count;
}

static void both_meters_agree_in_every_state(void)
{
	struct state *s;

	for (s = states; s < states + ARRAY_SIZE(states); s++) {
		ktap_note("%s/%s", groups[s->f.group].name, s->f.name);
		figure_add(&s->f, state_count(s, &stepped));
		EXPECT_EQ(state_count(s, &counted), s->f.max);
	}
}

/* ---- random runs ---- */

#define MIX_SEED	1	/* of its own: ceilings hold for this very run */
#define MIX_OPS		100000
#define MIX_SLOTS	256

struct mix {
	const char *name;
	size_t bytes;		/* of the pool */
	size_t least, most;	/* size of a request */
	bool log_uniform;
	bool all;		/* memalign, resize and grow_backward too */
};

static const struct mix mixes[] = {
	{ "random_uniform_16_1024",	1 << 20, 16, 1024,	false,	false },
	{ "random_log_uniform_16_64K",	4 << 20, 16, 65536,	true,	false },
	{ "random_all_operations",	1 << 20, 1, 65536,	true,	true },
};

static struct figure mix_figures[ARRAY_SIZE(mixes)][GROUPS] = {
	{
		[MALLOC_DONE]	= { .ceiling = 164, .avg_ceiling = 132.2, .avg_goal = 70 },
		[FREE_DONE]	= { .ceiling = 187, .avg_ceiling = 117.2, .avg_goal = 58 },
	}, {
		[MALLOC_DONE]	= { .ceiling = 164, .avg_ceiling = 135.8 },
		[FREE_DONE]	= { .ceiling = 187, .avg_ceiling = 122.2 },
	}, {
		[MALLOC_DONE]	= { .ceiling = 164 },
		[MALLOC_FAILS]	= { .ceiling = 88 },
		[MEMALIGN_DONE]	= { .ceiling = 244 },
		[MEMALIGN_FAILS] = { .ceiling = 105 },
		[FREE_DONE]	= { .ceiling = 182 },
		[RESIZE_DONE]	= { .ceiling = 180 },
		[RESIZE_FAILS]	= { .ceiling = 65 },
		[GROW_BACKWARD_DONE] = { .ceiling = 227 },
		[GROW_BACKWARD_FAILS] = { .ceiling = 103 },
	},
};

static size_t mix_size(const struct mix *m, struct rng *r)
{
	double u = rng_unit(r);

	if (m->log_uniform)
		return (size_t)((double)m->least * pow((double)m->most / (double)m->least, u));
	return m->least + rng_below(r, m->most - m->least + 1);
}

/* what to do with a block, or with none */
static struct call mix_call(const struct mix *m, struct rng *r, void *ptr)
{
	struct call call = { .op = ptr ? FREE : ALLOC, .align = TLSF_GRANULE,
			     .size = mix_size(m, r), .ptr = ptr };

	if (m->all && !ptr && !rng_below(r, 4)) {
		call.op = MEMALIGN;
		call.align = (size_t)16 << rng_below(r, 9);
	} else if (m->all && ptr && rng_below(r, 2)) {
		call.op = rng_below(r, 4) ? RESIZE : GROW_BACKWARD;
	}
	return call;
}

static void mix_run(const struct mix *m, struct figure *figures)
{
	void *slots[MIX_SLOTS] = { NULL };
	struct rng r = rng_seed(MIX_SEED);
	struct heap h;
	int i;

	heap_open(&h, m->bytes);
	for (i = 0; i < MIX_OPS; i++) {
		void **slot = &slots[rng_below(&r, MIX_SLOTS)];
		struct call call = mix_call(m, &r, *slot);

		measure(&counted, h.c, &call);
		figure_add(&figures[group_of(&call)], call.count);
		*slot = call.op == FREE ? NULL : call.ptr;
	}
	heap_verify(&h);
	heap_close(&h);
}

static void random_runs_leave_a_sound_heap(void)
{
	size_t m;
	int g;

	for (m = 0; m < ARRAY_SIZE(mixes); m++) {
		for (g = 0; g < GROUPS; g++) {
			mix_figures[m][g].group = (enum group)g;
			mix_figures[m][g].name = mixes[m].name;
		}
		mix_run(&mixes[m], mix_figures[m]);
	}
}

/* ---- report ---- */

static void for_each_figure(enum group group, void (*fn)(const struct figure *f))
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (states[i].f.group == group)
			fn(&states[i].f);
	for (i = 0; i < ARRAY_SIZE(mixes); i++)
		if (mix_figures[i][group].n)
			fn(&mix_figures[i][group]);
}

static void print_figure(const struct figure *f)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%s", groups[f->group].name, f->name);
	printf("# %-46s %5lu %7.1f %5lu %8u", name, f->min, figure_avg(f), f->max, f->ceiling);
	if (f->avg_ceiling)
		printf("   average: ceiling %.1f", f->avg_ceiling);
	if (f->avg_goal)
		printf(", goal %.0f", f->avg_goal);
	if (f->max < f->ceiling)
		printf("   ceiling can be lowered");
	putchar('\n');
}

/* all of a group in one; its average is mostly that of the random runs */
static struct figure whole;

static void whole_add(const struct figure *f)
{
	whole.min = f->min < whole.min ? f->min : whole.min;
	whole.max = f->max > whole.max ? f->max : whole.max;
	whole.ceiling = f->ceiling > whole.ceiling ? f->ceiling : whole.ceiling;
	whole.sum += f->sum;
	whole.n += f->n;
}

static const struct figure *whole_group(enum group group)
{
	whole = (struct figure){ .group = group, .min = ULONG_MAX };
	for_each_figure(group, whole_add);
	return &whole;
}

static void print_worst(enum group group)
{
	unsigned long max = whole_group(group)->max;

	printf("# worst %-16s %5lu", groups[group].name, max);
	if (groups[group].goal)
		printf("   goal %3u%s", groups[group].goal,
		       max > groups[group].goal ? "   not reached" : "");
	putchar('\n');
}

static void print_table(void)
{
	int g;

	printf("# Instructions per operation, %s, -O2, validation on\n#\n", "gcc " __VERSION__);
	printf("# %-46s %5s %7s %5s %8s\n", "operation/state", "min", "avg", "max", "ceiling");
	for (g = 0; g < GROUPS; g++)
		for_each_figure((enum group)g, print_figure);
	printf("#\n");
	for (g = 0; g < GROUPS; g++)
		print_worst((enum group)g);
}

static FILE *csv;

static void write_figure(const struct figure *f)
{
	fprintf(csv, "%s%s%s,%lu,%.1f,%lu,%u\n", groups[f->group].name, f->name ? "/" : "",
		f->name ? f->name : "", f->min, figure_avg(f), f->max, f->ceiling);
}

static void write_csv(const char *path)
{
	int g;

	csv = fopen(path, "w");
	if (!csv)
		ktap_fail(__FILE__, __LINE__, "%s: cannot be written", path);
	fprintf(csv, "operation,min,avg,max,ceiling\n");
	for (g = 0; g < GROUPS; g++)
		write_figure(whole_group((enum group)g));
	for (g = 0; g < GROUPS; g++)
		for_each_figure((enum group)g, write_figure);
	EXPECT(!fclose(csv));
}

static const char *csv_path;

static void all_is_reported(void)
{
	print_table();
	if (csv_path)
		write_csv(csv_path);
}

/* ---- ceilings ---- */

static void check_group(enum group group)
{
	if (!CEILINGS_APPLY)
		ktap_skip("ceilings are for gcc 12, and this is another compiler");
	for_each_figure(group, figure_check);
}

#define CEILINGS(name, done, fails)				\
static void name##_stays_below_its_ceilings(void)		\
{								\
	check_group(done);					\
	check_group(fails);					\
}

CEILINGS(malloc, MALLOC_DONE, MALLOC_FAILS)
CEILINGS(memalign, MEMALIGN_DONE, MEMALIGN_FAILS)
CEILINGS(free, FREE_DONE, FREE_REJECTED)
CEILINGS(resize, RESIZE_DONE, RESIZE_FAILS)
CEILINGS(grow_backward, GROW_BACKWARD_DONE, GROW_BACKWARD_FAILS)

static const struct ktap_case cases[] = {
	KTAP_CASE(both_meters_agree_in_every_state),
	KTAP_CASE(random_runs_leave_a_sound_heap),
	KTAP_CASE(all_is_reported),
	KTAP_CASE(malloc_stays_below_its_ceilings),
	KTAP_CASE(memalign_stays_below_its_ceilings),
	KTAP_CASE(free_stays_below_its_ceilings),
	KTAP_CASE(resize_stays_below_its_ceilings),
	KTAP_CASE(grow_backward_stays_below_its_ceilings),
};

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	if (argc > 2) {
		fprintf(stderr, "usage: steps [CSV]\n");
		return EXIT_FAILURE;
	}
	csv_path = argv[1];
	sigaction(SIGTRAP, &action, NULL);
	return ktap_run("steps", cases, ARRAY_SIZE(cases));
}
