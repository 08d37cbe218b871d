// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core against the allocator of this process: time, latency, use of memory.
 *
 * bench.py runs it once for each allocator, load and round, with other allocators
 * preloaded as malloc. Each line of output is a name and a value.
 *
 *	bench speed core|malloc LOAD [TRACE]
 *	bench cold core|malloc LOAD
 *	bench memory core|malloc TRACE
 *	bench fill
 *
 * Room: host.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../bench/module/percentile.h"
#include "bench_cold.h"
#include "bench_load.h"
#include "heap.h"

#define MIB		((size_t)1 << 20)
#define POOL_MIB_MAX	(4ul << 20)	/* 4 TiB */
#define CHURN		400000u
#define COLD_CHURN	20000u		/* of so many, each with everything flushed before it */
#define FILL_POOL	(4 * MIB)	/* of the use of memory at the first failure */
#define FILL_SEEDS	20u
#define REUSE_SIZES	204u

static noreturn void die(const char *what, const char *value)
{
	fprintf(stderr, "bench: %s: %s\n", what, value);
	exit(2);
}

static void say(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
}

/* ---- the allocators ---- */

/* both are called through pointers, so the call costs both the same */
struct allocator {
	void *(*alloc)(size_t size);
	void *(*memalign)(size_t align, size_t size);
	void (*free)(void *p);
	void *(*resize)(void *p, size_t size);
};

static struct tlsf_core *core;

/* a region of @pool bytes, and the control structure besides */
static void core_open(size_t pool)
{
	static void *mem;
	size_t bytes = heap_bytes_for(pool / G * G);

	free(mem);
	mem = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
	if (!mem)
		die("no memory", "for the pool");
	memset(mem, 0xff, bytes);
	core = tlsf_core_init(mem, bytes);
	if (!core)
		die("cannot make", "the pool");
}

static void *core_alloc(size_t size)
{
	return tlsf_core_alloc(core, size);
}

static void *core_memalign(size_t align, size_t size)
{
	return tlsf_core_memalign(core, align, size);
}

static void core_free(void *p)
{
	tlsf_core_free(core, p);
}

static void *core_move(void *p, size_t old, size_t size)
{
	void *to = tlsf_core_alloc(core, size);

	if (!to)
		return NULL;
	memcpy(to, p, old < size ? old : size);
	tlsf_core_free(core, p);
	return to;
}

/* as the pool does it: where it stands, else backward, else elsewhere */
static void *core_resize(void *p, size_t size)
{
	size_t old = 0;
	void *to = p;

	if (tlsf_core_resize(core, p, size) == TLSF_OK)
		return p;
	tlsf_core_usable(core, p, &old);
	if (tlsf_core_grow_backward(core, &to, TLSF_GRANULE, size) != TLSF_OK)
		return core_move(p, old, size);
	memmove(to, p, old);
	tlsf_core_resize(core, to, size);
	return to;
}

static const struct allocator core_allocator = { core_alloc, core_memalign, core_free,
						 core_resize };
static const struct allocator malloc_allocator = { malloc, aligned_alloc, free, realloc };

static bool is_core(const char *name)
{
	if (strcmp(name, "core") && strcmp(name, "malloc"))
		die("expected core or malloc, not", name);
	return !strcmp(name, "core");
}

/* ---- playing a load ---- */

static struct {
	const struct allocator *a;
	void **block;		/* by id */
	size_t failed;
} play;

static void play_open(const struct allocator *a, const struct load *load)
{
	play.a = a;
	play.failed = 0;
	play.block = calloc(load->nr_ids, sizeof(*play.block));
}

/* a user writes to what he gets */
static void take(uint32_t id, void *p)
{
	play.block[id] = p;
	if (p)
		*(size_t *)p = id;
	else
		play.failed++;
}

static void play_resize(const struct load_op *op)
{
	void *p = play.block[op->id] ? play.a->resize(play.block[op->id], op->size) : NULL;

	if (p)
		play.block[op->id] = p;
	else
		play.failed++;
}

static inline void play_op(const struct load_op *op)
{
	switch (op->kind) {
	case LOAD_ALLOC:
		return take(op->id, op->align_log2 ?
			    play.a->memalign((size_t)1 << op->align_log2, op->size) :
			    play.a->alloc(op->size));
	case LOAD_FREE:
		if (play.block[op->id])
			play.a->free(play.block[op->id]);
		play.block[op->id] = NULL;
		return;
	default:
		play_resize(op);
	}
}

static void play_range(const struct load *load, size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++)
		play_op(&load->ops[i]);
}

static void play_drain(const struct load *load)
{
	uint32_t id;

	for (id = 0; id < load->nr_ids; id++) {
		if (play.block[id])
			play.a->free(play.block[id]);
		play.block[id] = NULL;
	}
}

/* ---- speed ---- */

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline uint64_t ticks(void)
{
#ifdef __x86_64__
	uint64_t t;

	__builtin_ia32_lfence();
	t = __builtin_ia32_rdtsc();
	__builtin_ia32_lfence();
	return t;
#else
	return (uint64_t)now_ns();
#endif
}

#define LATENCY_BUCKETS	(1u << 16)	/* one to a tick; the last is for all above */

struct latency {
	uint32_t count[LATENCY_BUCKETS];
	uint64_t total;
};

static void latency_add(struct latency *l, uint64_t t)
{
	l->count[t < LATENCY_BUCKETS ? t : LATENCY_BUCKETS - 1]++;
	l->total++;
}

static void latency_say(const char *what, const struct latency *l, double ns_per_tick)
{
	static const struct { const char *name; unsigned int per_10k; } points[] = {
		{ "p50", 5000 }, { "p99", 9900 }, { "p99.9", 9990 },
	};
	char name[64];
	size_t i;

	for (i = 0; l->total && i < ARRAY_SIZE(points); i++) {
		snprintf(name, sizeof(name), "%s_%s_ns", what, points[i].name);
		say(name, ns_per_tick * percentile_find(l->count, LATENCY_BUCKETS, l->total,
							points[i].per_10k));
	}
}

/* what two readings of the clock with nothing in between differ by, at least */
static uint64_t ticks_overhead(void)
{
	uint64_t least = UINT64_MAX, t;
	int i;

	for (i = 0; i < 1000; i++) {
		t = ticks();
		t = ticks() - t;
		least = t < least ? t : least;
	}
	return least;
}

static void measure_latency(const struct load *load)
{
	static struct latency latency[3];	/* by kind */
	uint64_t overhead = ticks_overhead(), first, t;
	double begin = now_ns();
	size_t i;

	first = ticks();
	for (i = load->fill; i < load->nr; i++) {
		t = ticks();
		play_op(&load->ops[i]);
		t = ticks() - t;
		latency_add(&latency[load->ops[i].kind], t < overhead ? 0 : t - overhead);
	}
	begin = (now_ns() - begin) / (double)(ticks() - first);
	latency_say("alloc", &latency[LOAD_ALLOC], begin);
	latency_say("free", &latency[LOAD_FREE], begin);
	latency_say("resize", &latency[LOAD_RESIZE], begin);
}

/* once to warm up, once for the time of all, once for the time of each */
static void speed(const struct load *load)
{
	double begin;

	play_range(load, 0, load->nr);
	play_drain(load);
	play_range(load, 0, load->fill);
	play.failed = 0;
	begin = now_ns();
	play_range(load, load->fill, load->nr);
	say("ns", (now_ns() - begin) / (double)(load->nr - load->fill));
	say("failed", (double)play.failed);
	play_drain(load);
	play_range(load, 0, load->fill);
	measure_latency(load);
}

/* NAME, or DIST:MIB:PERCENT, a pool of so many MiB filled to so many percent */
static size_t load_open(struct load *load, const char *text, const char *trace)
{
	unsigned long mib, percent;
	char name[64];

	if (trace) {
		load_trace(load, trace);
		return 2 * load->peak;
	}
	if (sscanf(text, "%63[^:]:%lu:%lu", name, &mib, &percent) != 3 || !load_dist_find(name))
		die("expected DISTRIBUTION:MIB:PERCENT, not", text);
	if (!mib || mib > POOL_MIB_MAX || !percent || percent > 100)
		die("expected 1 to 4194304 MiB filled to 1 to 100 percent, not", text);
	load_churn(load, load_dist_find(name), mib * MIB / 100 * percent, CHURN);
	return mib * MIB;
}

static void run_speed(bool of_core, const char *name, const char *trace)
{
	struct load load;
	size_t pool = load_open(&load, name, trace);

	if (of_core)
		core_open(pool);
	play_open(of_core ? &core_allocator : &malloc_allocator, &load);
	speed(&load);
	load_release(&load);
}

/* ---- cold caches ---- */

/* what cold_time() does; on the stack, which is not flushed */
struct cold_call {
	const struct allocator *a;
	void *p;
	size_t size;
};

static void cold_alloc(void *arg)
{
	struct cold_call *call = arg;

	call->p = call->a->alloc(call->size);
}

static void cold_free(void *arg)
{
	struct cold_call *call = arg;

	call->a->free(call->p);
}

/* of a load without resizes and alignments */
static uint64_t play_cold(const struct load_op *op)
{
	struct allocator a = *play.a;
	struct cold_call call = { &a, play.block[op->id], op->size };
	bool is_free = op->kind == LOAD_FREE;
	uint64_t t;

	cold_flush();
	*(struct tlsf_core *volatile *)&core;	/* where the core is, is no part of it */
	t = cold_time(is_free ? cold_free : cold_alloc, &call);
	if (is_free)
		play.block[op->id] = NULL;
	else
		take(op->id, call.p);
	return t;
}

/* each operation with nothing of this process in any cache; everything was warm once */
static void run_cold(bool of_core, const char *name)
{
	static struct latency latency[2];	/* by kind */
	struct load load;
	size_t pool = load_open(&load, name, NULL), i;
	double ns_per_tick;
	uint64_t first;

	if (of_core)
		core_open(pool);
	play_open(of_core ? &core_allocator : &malloc_allocator, &load);
	play_range(&load, 0, load.nr - COLD_CHURN);
	cold_open();
	ns_per_tick = now_ns();
	first = ticks();
	for (i = load.nr - COLD_CHURN; i < load.nr; i++)
		latency_add(&latency[load.ops[i].kind], play_cold(&load.ops[i]));
	ns_per_tick = (now_ns() - ns_per_tick) / (double)(ticks() - first);
	latency_say("cold_alloc", &latency[LOAD_ALLOC], ns_per_tick);
	latency_say("cold_free", &latency[LOAD_FREE], ns_per_tick);
	load_release(&load);
}

/* ---- memory that a trace needs ---- */

static bool pool_serves(const struct load *load, size_t pool)
{
	core_open(pool);
	play_open(&core_allocator, load);
	play_range(load, 0, load->nr);
	free(play.block);
	return !play.failed;
}

static void memory_of_core(const struct load *load)
{
	size_t least = load->peak, most = 2 * load->peak;

	while (most - least > 256) {
		size_t middle = (least + most) / 2;

		if (pool_serves(load, middle))
			most = middle;
		else
			least = middle;
	}
	say("bytes", (double)most);
	say("of_peak", (double)most / (double)load->peak);
	say("control_bytes", (double)tlsf_core_size(most));
}

/* not what is mapped of files: how much of libc was touched by now says nothing */
static size_t resident(void)
{
	static int fd = -1;
	unsigned long pages = 0, of_files = 0;
	char text[128] = "";

	if (fd < 0)
		fd = open("/proc/self/statm", O_RDONLY);
	if (pread(fd, text, sizeof(text) - 1, 0) < 0 ||
	    sscanf(text, "%*u %lu %lu", &pages, &of_files) != 2)
		die("cannot read", "/proc/self/statm");
	return (pages - of_files) * (size_t)sysconf(_SC_PAGESIZE);
}

/* resident memory at most, with every block written, less what was there before */
static void memory_of_malloc(const struct load *load)
{
	size_t before, now, most, i;

	memset(play.block, 0, load->nr_ids * sizeof(*play.block));
	before = resident();
	most = before;
	for (i = 0; i < load->nr; i++) {
		const struct load_op *op = &load->ops[i];

		play_op(op);
		if (op->kind != LOAD_FREE)
			memset(play.block[op->id], 0xff, op->size);
		if (i % 8)
			continue;
		now = resident();
		most = now > most ? now : most;
	}
	say("bytes", (double)(most - before));
	say("of_peak", (double)(most - before) / (double)load->peak);
}

static void run_memory(bool of_core, const char *trace)
{
	struct load load;

	load_trace(&load, trace);
	play_open(&malloc_allocator, &load);
	if (of_core)
		memory_of_core(&load);
	else
		memory_of_malloc(&load);
	load_release(&load);
}

/* ---- use of memory of the core ---- */

/* live bytes over the bytes of the pool when the first request fails */
static double fill_until_failure(const struct load_dist *dist, uint64_t seed)
{
	static struct { void *p; size_t size; } live[FILL_POOL / TLSF_BLOCK_MIN];
	struct rng r = rng_seed(seed);
	size_t nr = 0, bytes = 0, i;

	core_open(FILL_POOL);
	for (;;) {
		if (!nr || rng_below(&r, 100) < 60) {
			live[nr].size = dist->draw(&r);
			live[nr].p = tlsf_core_alloc(core, live[nr].size);
			if (!live[nr].p)
				return (double)bytes / (double)FILL_POOL;
			bytes += live[nr++].size;
		} else {
			i = (size_t)rng_below(&r, nr);
			tlsf_core_free(core, live[i].p);
			bytes -= live[i].size;
			live[i] = live[--nr];
		}
	}
}

/* what headers, the granule and the smallest block leave of a pool without any gap */
static double fill_ceiling(const struct load_dist *dist)
{
	struct rng r = rng_seed(1);
	double asked = 0, taken = 0;
	size_t i, size;

	for (i = 0; i < 100000; i++) {
		size = dist->draw(&r);
		asked += (double)size;
		taken += (double)block_bytes(size);
	}
	return asked / taken;
}

static void say_of(const char *what, const struct load_dist *dist, double value)
{
	char name[64];

	snprintf(name, sizeof(name), "%s:%s", what, dist->name);
	say(name, value);
}

static void say_fill(void)
{
	const struct load_dist *dist;
	unsigned int seed;
	double sum;

	for (dist = load_dists; dist->name; dist++) {
		for (sum = 0, seed = 1; seed <= FILL_SEEDS; seed++)
			sum += fill_until_failure(dist, seed);
		say_of("fill", dist, sum / FILL_SEEDS);
		say_of("ceiling", dist, fill_ceiling(dist));
	}
}

/* a pool full to the last block of @size: can one of them be had again? */
static bool size_is_reused(size_t size)
{
	static void *p[MIB / TLSF_BLOCK_MIN];
	size_t n = 0, rest;

	core_open(MIB);
	for (rest = size; rest; rest = rest > G ? rest - G : 0)
		while ((p[n] = tlsf_core_alloc(core, rest)))
			n += rest == size;
	tlsf_core_free(core, p[n / 2]);
	return tlsf_core_alloc(core, size) == p[n / 2];
}

/* sizes from 24 bytes to 34 KiB: more densely where they are small */
static unsigned int reuse_failures(void)
{
	unsigned int i, failures = 0;
	size_t size = 24;

	for (i = 0; i < REUSE_SIZES; i++, size += 8 + size / 30 / 8 * 8)
		failures += !size_is_reused(size);
	return failures;
}

static void say_whole(void)
{
	core_open(MIB);
	say("whole_request", (double)tlsf_core_most(core));
	say("whole_served", !!tlsf_core_alloc(core, tlsf_core_most(core)));
}

static void run_fill(void)
{
	say_fill();
	say("reuse_sizes", REUSE_SIZES);
	say("reuse_failures", reuse_failures());
	say_whole();
	say("control_1mib", (double)tlsf_core_size(MIB));
	say("control_any", (double)tlsf_core_size(TLSF_REGION_MAX));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "speed") && (argc == 4 || argc == 5))
		run_speed(is_core(argv[2]), argv[3], argc == 5 ? argv[4] : NULL);
	else if (!strcmp(mode, "cold") && argc == 4)
		run_cold(is_core(argv[2]), argv[3]);
	else if (!strcmp(mode, "memory") && argc == 4)
		run_memory(is_core(argv[2]), argv[3]);
	else if (!strcmp(mode, "fill") && argc == 2)
		run_fill();
	else
		die("usage: bench speed core|malloc LOAD [TRACE] | cold core|malloc LOAD | memory core|malloc TRACE | fill",
		    "see bench.c");
	return 0;
}
