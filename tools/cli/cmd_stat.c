// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf stat: counters of the pool, latency of each operation, worst cases.
 *
 * Room: cli. Reads STATS and HISTOGRAM and changes nothing; with
 * --max-cycles it hands over to watch.c.
 */
#include "lat.h"
#include "watch.h"

enum { OPT_MAX_CYCLES = KEY(16), OPT_DURATION };

struct options {
	struct cli *cli;
	struct watch watch;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o->cli;
		return 0;
	case OPT_MAX_CYCLES:
		o->watch.max_cycles = arg_number(state, "max-cycles", arg, 1, ~0ULL);
		return 0;
	case OPT_DURATION:
		o->watch.seconds = (unsigned int)arg_number(state, "duration", arg, 1, 1000000);
		return 0;
	case ARGP_KEY_END:
		if (o->watch.seconds && !o->watch.max_cycles)
			argp_error(state, "--duration goes with --max-cycles");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "max-cycles", OPT_MAX_CYCLES, "N", 0,
	  "Wait for the first operation that takes more than N cycles, and show it", 0 },
	{ "duration", OPT_DURATION, "SECONDS", 0,
	  "With --max-cycles: wait no longer (default: until interrupted)", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show the pool's counters and the latency of each operation."
	       "\v"
	       "hold is the allocator core and its lock, from when the lock was free to be taken; "
	       "total adds the wait for it. Percentiles are upper edges of histogram buckets (about 3 % wide).\n"
	       "With --max-cycles, the first operation above N also stops the kernel's tracing, "
	       "and the exit status is 1; it is 0 when there was none before the time was up, "
	       "or before a signal.",
	.children = cli_json_child,
};

struct report {
	struct dev dev;
	struct tlsf_stats stats;
	struct lat_set set[TLSF_LAT_NR][TLSF_LAT_KINDS];
	const struct lat *row[TLSF_LAT_NR * TLSF_LAT_KINDS * TLSF_LAT_CONTEXTS];
	size_t nr_rows;
};

static int report_read_set(struct report *r, u32 op, u32 kind)
{
	struct lat_set *set = &r->set[op][kind];
	int code = lat_read_set(&r->dev, op, kind, set);

	for (u32 i = 0; i < TLSF_LAT_CONTEXTS; i++)
		if (lat_shown(set, i))
			r->row[r->nr_rows++] = &set->context[i];
	return code;
}

static int report_read(struct report *r)
{
	int err = dev_stats(&r->dev, &r->stats);
	int code = err ? dev_explain(&r->dev, "STATS", err) : EXIT_OK;

	for (u32 op = 0; op < TLSF_LAT_NR; op++)
		for (u32 kind = 0; kind < TLSF_LAT_KINDS && !code; kind++)
			code = report_read_set(r, op, kind);
	return code;
}

/* One row of figures; @scale turns cycles into the unit of the table. */
static void print_row(const struct lat *lat, double scale)
{
	struct lat_figures f = lat_figures(lat);

	printf("  %-6s %-5s %-7s %12llu", lat_op_name[lat->h.op], lat_kind_name[lat->h.kind],
	       lat_context_name[lat->h.context], f.count);
	if (f.count)
		printf(" %9.0f %11.1f %9.0f %9.0f %9.0f %9.0f %9.0f", (double)f.min * scale,
		       f.mean * scale, (double)f.p50 * scale, (double)f.p99 * scale,
		       (double)f.p999 * scale, (double)f.p9999 * scale, (double)f.max * scale);
	putchar('\n');
}

static void print_table(const struct report *r, const char *unit, double scale)
{
	printf("\nlatency, %-6s %18s %9s %11s %9s %9s %9s %9s %9s\n", unit, "count", "min",
	       "mean", "p50", "p99", "p99.9", "p99.99", "max");
	for (size_t i = 0; i < r->nr_rows; i++)
		print_row(r->row[i], scale);
}

static void print_bytes(const char *label, u64 bytes, const char *blocks_label, u64 blocks)
{
	char human[16];

	printf("  %-14s %14llu bytes (%s)", label, bytes, human_bytes(bytes, human));
	if (blocks_label)
		printf(" in %llu %s", blocks, blocks_label);
	putchar('\n');
}

static void print_counters(const struct tlsf_stats *s, u32 steps_max)
{
	puts("memory");
	print_bytes("used", s->used_bytes, "blocks", s->used_blocks);
	print_bytes("free", s->free_bytes, "blocks", s->free_blocks);
	print_bytes("overhead", s->overhead_bytes, NULL, 0);
	print_bytes("largest free", s->largest_free, NULL, 0);
	print_bytes("high water", s->high_water, NULL, 0);
	puts("\ncounters");
	printf("  %-14s %14llu\n  %-14s %14llu\n  %-14s %14llu\n", "allocs", s->allocs,
	       "frees", s->frees, "resizes", s->resizes);
	printf("  %-14s %14llu exhausted, %llu fragmented\n", "no memory", s->fail_exhausted,
	       s->fail_fragmented);
	printf("  %-14s %14llu refused, %llu frees deferred\n", "lock not free", s->fail_busy,
	       s->deferred_frees);
	printf("  %-14s %14s, %llu requests refused\n", "heap damaged", s->damaged ? "yes" : "no",
	       s->fail_damaged);
	printf("  %-14s %14llu\n", "bad frees", s->bad_frees);
	printf("  %-14s %14u seen, %u at most\n", "steps", s->steps_max_seen, steps_max);
}

static void report_text(const struct report *r)
{
	print_counters(&r->stats, r->dev.info.steps_max);
	print_table(r, "cycles", 1);
	if (r->dev.info.cycle_unit != TLSF_CYCLE_NS)
		print_table(r, "ns", dev_ns(&r->dev, 1));
	puts("\nworst");
	for (size_t i = 0; i < r->nr_rows; i++)
		if (r->row[i]->h.context != TLSF_LAT_ANY)
			lat_print_worst(&r->dev, r->row[i]);
	putchar('\n');
	dev_print_clock(&r->dev);
}

static json_t *counters_json(const struct tlsf_stats *s)
{
	const struct { const char *name; u64 value; } counter[] = {
		{ "used_bytes", s->used_bytes }, { "free_bytes", s->free_bytes },
		{ "overhead_bytes", s->overhead_bytes }, { "largest_free", s->largest_free },
		{ "high_water", s->high_water }, { "used_blocks", s->used_blocks },
		{ "free_blocks", s->free_blocks }, { "allocs", s->allocs },
		{ "frees", s->frees }, { "resizes", s->resizes },
		{ "fail_exhausted", s->fail_exhausted },
		{ "fail_fragmented", s->fail_fragmented }, { "bad_frees", s->bad_frees },
		{ "steps_max_seen", s->steps_max_seen }, { "fail_busy", s->fail_busy },
		{ "deferred_frees", s->deferred_frees }, { "damaged", s->damaged },
		{ "fail_damaged", s->fail_damaged },
	};
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(counter); i++)
		json_object_set_new(object, counter[i].name,
				    json_integer((json_int_t)counter[i].value));
	return object;
}

static json_t *latency_json(const struct report *r)
{
	json_t *all = json_object();

	for (u32 op = 0; op < TLSF_LAT_NR; op++) {
		json_t *kinds = json_object();

		for (u32 kind = 0; kind < TLSF_LAT_KINDS; kind++)
			json_object_set_new(kinds, lat_kind_name[kind],
					    lat_set_json(&r->dev, &r->set[op][kind], lat_json));
		json_object_set_new(all, lat_op_name[op], kinds);
	}
	return all;
}

static int report_json(const struct report *r)
{
	return print_json(json_pack("{s:o, s:o, s:o}", "clock", dev_clock_json(&r->dev),
				    "counters", counters_json(&r->stats),
				    "latency", latency_json(r)));
}

int cmd_stat(struct cli *cli, int argc, char **argv)
{
	struct options o = { .cli = cli };
	static struct report report;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = dev_open(&report.dev, cli->device);
	if (code)
		return code;
	if (o.watch.max_cycles) {
		code = watch(&report.dev, &o.watch, cli->json);
		dev_close(&report.dev);
		return code;
	}
	code = report_read(&report);
	if (!code && cli->json)
		code = report_json(&report);
	else if (!code)
		report_text(&report);
	dev_close(&report.dev);
	return code;
}
