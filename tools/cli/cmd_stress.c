// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf stress: random load from many threads, with contents verified, then a check.
 *
 * Room: cli. Each thread has its own open file, so its own handles;
 * threads share only struct run. All blocks are gone when the process ends.
 *
 * A draw picks a random slot: an empty one is allocated, a full one resized or freed.
 * The same seed, thread count and --ops give every thread the same draws; which block
 * the pool then finds depends on how the threads interleave.
 */
#include "batch.h"
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
	OPT_THREADS = KEY(16), OPT_DURATION, OPT_OPS, OPT_SIZE, OPT_ALIGN_MIX, OPT_RESIZE_MIX,
	OPT_SLOTS, OPT_SEED, OPT_NO_VERIFY, OPT_BATCH,
};

#define ALIGN_LOG2_MIN	4
#define ALIGN_LOG2_MAX	12
#define SIG_FINISHED	SIGUSR1	/* to ourselves, from the last thread */
#define TICK_NS		250000000

enum size_shape { SIZE_FIXED, SIZE_UNIFORM, SIZE_LOGUNIFORM };

static const char *const shape_name[] = {
	[SIZE_FIXED] = "fixed", [SIZE_UNIFORM] = "uniform", [SIZE_LOGUNIFORM] = "loguniform",
};

/* What to do; constant once parsed. */
struct plan {
	struct cli *cli;
	u32 threads, slots, batch;
	u64 duration, ops, seed;
	enum size_shape shape;
	u64 least, most;	/* sizes */
	unsigned int align_mix, resize_mix;
	bool verify;
};

struct worker {
	const struct plan *plan;
	struct run *run;
	pthread_t thread;
	struct dev dev;
	struct batch batch;
	struct rng rng;
	struct block *slots;
	u64 quota;		/* draws to do */
	_Atomic u64 drawn;	/* draws done; the main thread reads it for progress */
};

struct run {
	const struct plan *plan;
	struct dev dev;
	atomic_bool stop;
	atomic_uint running;
	struct worker *workers;
	u32 opened;		/* workers that are ready */
	double start, seconds;
	u64 drawn, drained;
	struct tally tally;
	struct tlsf_check check;
};

/* ---- options ---- */

/* A size at *@at, if there is a number: one that wraps is told from what is none. */
static bool parse_bytes(struct argp_state *state, const char *arg, const char **at, u64 *bytes)
{
	if (**at < '0' || **at > '9')
		return false;
	if (!scan_size(at, bytes))
		argp_error(state, "--size: '%s': a size is at most 2^64 - 1 bytes, with its suffix",
			   arg);
	return true;
}

static void parse_size(struct argp_state *state, struct plan *p, const char *arg)
{
	const char *at = strchr(arg, ':');
	size_t len = at ? (size_t)(at - arg) : 0;

	for (p->shape = SIZE_FIXED; p->shape <= SIZE_LOGUNIFORM; p->shape++)
		if (strlen(shape_name[p->shape]) == len && !strncmp(arg, shape_name[p->shape], len))
			break;
	if (p->shape > SIZE_LOGUNIFORM || (at++, !parse_bytes(state, arg, &at, &p->least)))
		argp_error(state, "--size: '%s' is not fixed:N, uniform:A-B or loguniform:A-B", arg);
	p->most = p->least;
	if (p->shape != SIZE_FIXED && (*at++ != '-' || !parse_bytes(state, arg, &at, &p->most)))
		argp_error(state, "--size: '%s' needs a range A-B", arg);
	if (*at)
		argp_error(state, "--size: '%s' has '%s' too much", arg, at);
	if (!p->least || p->least > p->most)
		argp_error(state, "--size: '%s': sizes start at 1 and the first is the smaller", arg);
}

/* Settles what was left open, so that the printed plan repeats the run. */
static void complete(struct plan *p)
{
	if (!p->duration && !p->ops)
		p->duration = 10;
	if (!p->threads)
		p->threads = (u32)sysconf(_SC_NPROCESSORS_ONLN);
	if (!p->seed && getrandom(&p->seed, 4, 0) != 4)
		p->seed = (u64)time(NULL);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct plan *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = p->cli;
		return 0;
	case OPT_THREADS:
		p->threads = (u32)arg_number(state, "threads", arg, 1, 1024);
		return 0;
	case OPT_DURATION:
		p->duration = arg_number(state, "duration", arg, 1, 1000000000);
		return 0;
	case OPT_OPS:
		p->ops = arg_number(state, "ops", arg, 1, 1ULL << 62);
		return 0;
	case OPT_SIZE:
		parse_size(state, p, arg);
		return 0;
	case OPT_ALIGN_MIX:
		p->align_mix = (unsigned int)arg_number(state, "align-mix", arg, 0, 100);
		return 0;
	case OPT_RESIZE_MIX:
		p->resize_mix = (unsigned int)arg_number(state, "resize-mix", arg, 0, 100);
		return 0;
	case OPT_SLOTS:
		p->slots = (u32)arg_number(state, "slots", arg, 1, 1u << 24);
		return 0;
	case OPT_SEED:
		p->seed = arg_number(state, "seed", arg, 1, 1ULL << 62);
		return 0;
	case OPT_NO_VERIFY:
		p->verify = false;
		return 0;
	case OPT_BATCH:
		p->batch = (u32)arg_number(state, "batch", arg, 1, TLSF_BATCH_MAX);
		return 0;
	case ARGP_KEY_END:
		complete(p);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "threads", OPT_THREADS, "N", 0, "Threads, each with its own open file (default: CPUs)", 0 },
	{ "duration", OPT_DURATION, "SECONDS", 0, "How long (default 10, without --ops)", 0 },
	{ "ops", OPT_OPS, "N", 0, "How many operations, all threads together", 0 },
	{ "size", OPT_SIZE, "SHAPE", 0,
	  "fixed:N, uniform:A-B or loguniform:A-B bytes, with suffix K, M or G "
	  "(default loguniform:16-4K)", 0 },
	{ "align-mix", OPT_ALIGN_MIX, "PERCENT", 0,
	  "Allocations aligned to a random power of two, 16 to 4096 (default 10)", 0 },
	{ "resize-mix", OPT_RESIZE_MIX, "PERCENT", 0,
	  "Draws of a live block that resize it rather than free it (default 10)", 0 },
	{ "slots", OPT_SLOTS, "N", 0, "Blocks that a thread may hold (default 1024)", 0 },
	{ "seed", OPT_SEED, "N", 0, "Of the random load (default random; always printed)", 0 },
	{ "no-verify", OPT_NO_VERIFY, NULL, 0, "Do not fill blocks and verify their contents", 0 },
	{ "batch", OPT_BATCH, "N", 0,
	  "Operations per system call (default 256); 1: each a call of its own", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Load the pool with random operations and verify that no two blocks overlap."
	       "\v"
	       "ENOMEM and EDQUOT are counted and are no failure. Any other error, and any wrong "
	       "byte, stops the run with exit status 1. An interrupt stops it with a report.",
	.children = cli_json_child,
};

/* ---- load ---- */

static u64 draw_size(const struct plan *p, struct rng *rng)
{
	double low = log((double)p->least), high = log((double)p->most + 1);
	u64 size;

	if (p->shape != SIZE_LOGUNIFORM)
		return p->least + rng_below(rng, p->most - p->least + 1);
	size = (u64)exp(low + rng_unit(rng) * (high - low));
	return size < p->least ? p->least : size > p->most ? p->most : size;
}

static u64 draw_align(const struct plan *p, struct rng *rng)
{
	if (!rng_percent(rng, p->align_mix))
		return 0;
	return 1ULL << (ALIGN_LOG2_MIN + rng_below(rng, ALIGN_LOG2_MAX - ALIGN_LOG2_MIN + 1));
}

static void worker_draw(struct worker *w)
{
	const struct plan *p = w->plan;
	struct block *block = &w->slots[rng_below(&w->rng, p->slots)];

	if (!block->live) {
		u64 align = draw_align(p, &w->rng);

		batch_alloc(&w->batch, block, draw_size(p, &w->rng), align);
	} else if (rng_percent(&w->rng, p->resize_mix)) {
		batch_resize(&w->batch, block, draw_size(p, &w->rng));
	} else {
		batch_free(&w->batch, block);
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct run *run = w->run;
	u64 drawn = 0;

	while (drawn < w->quota && !w->batch.tally.faults && !atomic_load(&run->stop)) {
		w->batch.where = ++drawn;
		worker_draw(w);
		atomic_store_explicit(&w->drawn, drawn, memory_order_relaxed);
	}
	batch_flush(&w->batch);
	if (w->batch.tally.faults)
		atomic_store(&run->stop, true);
	if (atomic_fetch_sub(&run->running, 1) == 1)
		kill(getpid(), SIG_FINISHED);
	return NULL;
}

static int worker_open(struct worker *w, struct run *run, u32 index)
{
	const struct plan *p = run->plan;
	struct rng seeds = rng_seed(p->seed + index * 0x632be59bd9b4e019ULL);
	int code = dev_open(&w->dev, p->cli->device);

	if (code)
		return code;
	w->plan = p;
	w->run = run;
	w->quota = p->ops ? p->ops / p->threads + (index < p->ops % p->threads) : ~0ULL;
	w->rng = rng_seed(rng_next(&seeds));
	w->slots = calloc(p->slots, sizeof(*w->slots));
	code = batch_init(&w->batch, &w->dev, p->batch);
	w->batch.pattern = rng_seed(rng_next(&seeds));
	w->batch.verify = p->verify;
	w->batch.shortage_ok = true;
	if (!code && !w->slots) {
		complain("out of memory for %u slots", p->slots);
		code = EXIT_BAD;
	}
	return code;
}

static void worker_close(struct worker *w)
{
	batch_release(&w->batch);
	free(w->slots);
	dev_close(&w->dev);
}

/* Verifies and frees what the thread left; the thread is gone by now. */
static u64 worker_drain(struct worker *w)
{
	u64 drained = 0;

	for (u32 i = 0; i < w->plan->slots && !w->batch.broken; i++) {
		if (!w->slots[i].live)
			continue;
		batch_free(&w->batch, &w->slots[i]);
		drained++;
	}
	batch_flush(&w->batch);
	return drained;
}

/* ---- the run ---- */

static u64 run_drawn(struct run *run)
{
	u64 sum = 0;

	for (u32 i = 0; i < run->opened; i++)
		sum += atomic_load_explicit(&run->workers[i].drawn, memory_order_relaxed);
	return sum;
}

/* Returns when the threads are done, the time is up, or somebody interrupts. */
static void run_watch(struct run *run, const sigset_t *signals)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };
	u64 duration = run->plan->duration;

	while (atomic_load(&run->running) && !atomic_load(&run->stop)) {
		int sig = sigtimedwait(signals, NULL, &tick);
		double elapsed = now_seconds() - run->start;

		if (sig == SIGINT || sig == SIGTERM || (duration && elapsed >= (double)duration))
			break;
		progress("stress: %.0f s, %llu operations", elapsed, run_drawn(run));
	}
	atomic_store(&run->stop, true);
	progress_clear();
}

static int run_start(struct run *run)
{
	u32 started = 0;

	atomic_store(&run->running, run->opened);
	run->start = now_seconds();
	while (started < run->opened &&
	       !pthread_create(&run->workers[started].thread, NULL, worker_main,
			       &run->workers[started]))
		started++;
	if (started == run->opened)
		return EXIT_OK;
	complain("cannot start thread %u of %u", started + 1, run->opened);
	atomic_store(&run->stop, true);
	while (started--)
		pthread_join(run->workers[started].thread, NULL);
	return EXIT_BAD;
}

static int run_threads(struct run *run)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIG_FINISHED);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);	/* threads inherit it */
	if (run_start(run))
		return EXIT_BAD;
	run_watch(run, &signals);
	for (u32 i = 0; i < run->opened; i++)
		pthread_join(run->workers[i].thread, NULL);
	run->seconds = now_seconds() - run->start;
	run->drawn = run_drawn(run);
	return EXIT_OK;
}

/* The check comes while the blocks are still there: an empty heap proves little. */
static int run_finish(struct run *run)
{
	int code = check_run(&run->dev, &run->check);

	for (u32 i = 0; i < run->opened; i++) {
		struct worker *w = &run->workers[i];
		bool first = !run->tally.faults;

		run->drained += worker_drain(w);
		tally_add(&run->tally, &w->batch.tally);
		if (first && w->batch.tally.faults)
			complain("stress: FAILED: thread %u, seed %llu: %s", i, run->plan->seed,
				 w->batch.tally.fault);
	}
	return run->tally.faults ? EXIT_BAD : code;
}

/* ---- report ---- */

static void print_plan(const struct plan *p)
{
	printf("stress: seed %llu, %u threads, sizes %s:%llu", p->seed, p->threads,
	       shape_name[p->shape], p->least);
	if (p->shape != SIZE_FIXED)
		printf("-%llu", p->most);
	printf(", align-mix %u %%, resize-mix %u %%, %u slots, batch %u, verify %s\n",
	       p->align_mix, p->resize_mix, p->slots, p->batch, p->verify ? "on" : "off");
	fflush(stdout);		/* the seed is known even if the machine then dies */
}

static void report_text(const struct run *run)
{
	printf("operations: %llu in %.2f s: %.0f a second, system calls included\n", run->drawn,
	       run->seconds, (double)run->drawn / run->seconds);
	tally_print(&run->tally, &run->dev, run->plan->verify);
	printf("  %-10s %12llu blocks, freed at the end\n", "left over", run->drained);
	check_print(&run->check);
}

static int report_json(const struct run *run)
{
	const struct plan *p = run->plan;
	json_t *all = json_pack("{s:I, s:i, s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:b}",
		"seed", (json_int_t)p->seed, "threads", p->threads,
		"size_shape", shape_name[p->shape], "size_least", (json_int_t)p->least,
		"size_most", (json_int_t)p->most, "align_mix", p->align_mix,
		"resize_mix", p->resize_mix, "slots", p->slots, "batch", p->batch,
		"verify", p->verify);
	json_t *result = json_pack("{s:I, s:f, s:f, s:I, s:o}",
		"operations", (json_int_t)run->drawn, "seconds", run->seconds,
		"operations_per_second_with_system_calls", (double)run->drawn / run->seconds,
		"left_over", (json_int_t)run->drained, "check", check_json(&run->check));

	if (json_object_update_new(all, result) || tally_json(&run->tally, all)) {
		json_decref(all);
		all = NULL;
	}
	return print_json(all);
}

static int run_all(struct run *run)
{
	const struct plan *p = run->plan;
	int code = EXIT_OK;

	run->workers = calloc(p->threads, sizeof(*run->workers));
	if (!run->workers)
		return EXIT_BAD;
	while (run->opened < p->threads && !code) {
		code = worker_open(&run->workers[run->opened], run, run->opened);
		run->opened += !code;
	}
	if (!code)
		code = run_threads(run);
	if (!code) {
		code = run_finish(run);
		if (!p->cli->json)
			report_text(run);
		else
			code = report_json(run) ?: code;
	}
	while (run->opened)
		worker_close(&run->workers[--run->opened]);
	free(run->workers);
	return code;
}

/* Sizes that an empty pool serves, whatever alignment is drawn. */
static int plan_fits(const struct plan *p, const struct tlsf_info *info)
{
	u64 gap = p->align_mix ? 1ULL << ALIGN_LOG2_MAX : 0;

	if (p->most <= info->max_request && gap <= info->max_request - p->most)
		return EXIT_OK;
	complain("--size: %llu bytes%s can never be served; the empty pool's largest request is %llu",
		 p->most, gap ? ", aligned to 4096," : "", info->max_request);
	return EXIT_USAGE;
}

int cmd_stress(struct cli *cli, int argc, char **argv)
{
	struct plan plan = {
		.cli = cli, .slots = 1024, .batch = 256, .shape = SIZE_LOGUNIFORM,
		.least = 16, .most = 4096, .align_mix = 10, .resize_mix = 10, .verify = true,
	};
	struct run run = { .plan = &plan };
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &plan);
	code = dev_open(&run.dev, cli->device);
	if (code)
		return code;
	code = plan_fits(&plan, &run.dev.info);
	if (!code && !cli->json)
		print_plan(&plan);
	if (!code)
		code = run_all(&run);
	dev_close(&run.dev);
	return code;
}
