// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf replay: carry out a recorded trace, with every block's contents verified.
 *
 * Room: cli. Loads the whole trace first; all blocks belong to this
 * process and are gone when it ends.
 */
#include "batch.h"
#include "trace.h"

#include <stdlib.h>

enum { OPT_BATCH = KEY(16), OPT_NO_VERIFY };

struct options {
	struct cli *cli;
	const char *path;
	u32 batch;
	bool verify;
};

/* What one replay gave. */
struct replay {
	struct trace trace;
	struct batch batch;
	struct dev dev;
	struct tlsf_stats stats;
	double seconds;
	u64 left_over;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o->cli;
		return 0;
	case OPT_BATCH:
		o->batch = (u32)arg_number(state, "batch", arg, 1, TLSF_BATCH_MAX);
		return 0;
	case OPT_NO_VERIFY:
		o->verify = false;
		return 0;
	case ARGP_KEY_ARG:
		if (o->path)
			argp_error(state, "one trace at a time, not also '%s'", arg);
		o->path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no trace given");
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "batch", OPT_BATCH, "N", 0,
	  "Operations per system call (default 256); 1: each a call of its own", 0 },
	{ "no-verify", OPT_NO_VERIFY, NULL, 0, "Do not fill blocks and verify their contents", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Replay a recorded allocation trace, plain or zstd-compressed."
	       "\v"
	       "Exit status: 0 every operation served and all contents right; 1 not so; 2 the "
	       "trace is cut short or broken (nothing is replayed); 3 no device.",
	.children = cli_json_child,
};

static void replay_op(struct batch *b, struct block *block, const struct trace_op *op)
{
	switch (op->kind) {
	case TLSF_OP_ALLOC:
		batch_alloc(b, block, op->size, op->align_log2 ? 1ULL << op->align_log2 : 0);
		break;
	case TLSF_OP_RESIZE:
		batch_resize(b, block, op->size);
		break;
	case TLSF_OP_FREE:
		batch_free(b, block);
	}
}

/* Blocks that the trace leaves allocated: verified and freed as well. */
static void replay_rest(struct replay *r, struct block *blocks)
{
	for (u32 id = 0; id < r->trace.nr_ids && !r->batch.broken; id++) {
		if (!blocks[id].live)
			continue;
		batch_free(&r->batch, &blocks[id]);
		r->left_over++;
	}
	batch_flush(&r->batch);
}

static int replay_all(struct replay *r)
{
	struct block *blocks = calloc(r->trace.nr_ids + 1, sizeof(*blocks));
	double start = now_seconds();

	if (!blocks) {
		complain("out of memory for %u ids", r->trace.nr_ids);
		return EXIT_BAD;
	}
	for (size_t i = 0; i < r->trace.nr && !r->batch.broken; i++) {
		r->batch.where = i + 1;
		replay_op(&r->batch, &blocks[r->trace.ops[i].id], &r->trace.ops[i]);
		if (!(i % 16384))
			progress("replaying: %zu of %zu operations", i, r->trace.nr);
	}
	batch_flush(&r->batch);
	r->seconds = now_seconds() - start;
	replay_rest(r, blocks);
	progress_clear();
	free(blocks);
	return r->batch.tally.faults ? EXIT_BAD : EXIT_OK;
}

static void print_peak(const char *label, u64 bytes)
{
	char human[16];

	printf("  %-26s %14llu bytes (%s)\n", label, bytes, human_bytes(bytes, human));
}

static void report_text(const struct replay *r, const struct options *o)
{
	const struct holding *peak = &r->batch.tally.peak;

	printf("replay: %s: %zu operations in %.2f s: %.0f a second, system calls included\n",
	       o->path, r->trace.nr, r->seconds, (double)r->trace.nr / r->seconds);
	tally_print(&r->batch.tally, &r->dev, o->verify);
	printf("  %-10s %12llu blocks that the trace leaves, freed\n", "left over", r->left_over);
	printf("peak: %llu blocks at a time\n", peak->blocks);
	print_peak("asked for", peak->wanted);
	print_peak("usable in blocks", peak->usable);
	print_peak("with the blocks' headers", peak->footprint);
	print_peak("whole pool, since reset", r->stats.high_water);
}

static int report_json(const struct replay *r, const struct options *o)
{
	const struct holding *peak = &r->batch.tally.peak;
	json_t *all = json_pack("{s:s, s:I, s:f, s:b, s:I, s:I, s:I, s:I, s:I, s:I}",
		"trace", o->path, "operations", (json_int_t)r->trace.nr, "seconds", r->seconds,
		"verify", o->verify, "left_over", (json_int_t)r->left_over,
		"peak_blocks", (json_int_t)peak->blocks,
		"peak_requested_bytes", (json_int_t)peak->wanted,
		"peak_usable_bytes", (json_int_t)peak->usable,
		"peak_footprint_bytes", (json_int_t)peak->footprint,
		"pool_high_water", (json_int_t)r->stats.high_water);

	if (tally_json(&r->batch.tally, all)) {
		json_decref(all);
		all = NULL;
	}
	return print_json(all);
}

static int replay_run(struct replay *r, const struct options *o)
{
	int code = batch_init(&r->batch, &r->dev, o->batch);
	int err;

	if (code)
		return code;
	r->batch.verify = o->verify;
	code = replay_all(r);
	err = dev_stats(&r->dev, &r->stats);
	if (err)
		code = dev_explain(&r->dev, "STATS", err);
	else if (!o->cli->json)
		report_text(r, o);
	else
		code = report_json(r, o) ?: code;
	if (r->batch.tally.faults)
		complain("replay: FAILED: %s", r->batch.tally.fault);
	batch_release(&r->batch);
	return code;
}

int cmd_replay(struct cli *cli, int argc, char **argv)
{
	struct options o = { .cli = cli, .batch = 256, .verify = true };
	static struct replay replay;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = trace_load(&replay.trace, o.path);
	if (code)
		return code;
	code = dev_open(&replay.dev, cli->device);
	if (!code) {
		code = replay_run(&replay, &o);
		dev_close(&replay.dev);
	}
	trace_release(&replay.trace);
	return code;
}
