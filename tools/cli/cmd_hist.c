// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf hist: latency histograms in the terminal, or as JSON, of which plot.py draws them.
 *
 * Room: cli. Reads HISTOGRAM.
 *
 * The 768 log-linear buckets are merged, a power of two at a time, until those that
 * hold anything fit the rows of the picture: finely up to the power of two above the
 * 99th percentile, which gets two thirds of the rows, and coarsely in the tail.
 */
#include "lat.h"

enum { OPT_OP = KEY(16), OPT_KIND, OPT_CONTEXT, OPT_ROWS, OPT_ASCII };

#define OP_ALL		TLSF_LAT_NR
#define CONTEXT_EACH	TLSF_LAT_CONTEXTS
#define BAR_WIDTH	50

struct options {
	struct cli *cli;
	u32 op;
	u32 kind;
	u32 context;
	unsigned int rows;
	bool ascii;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	static const char *const ops[] = { "alloc", "free", "resize", "all" };
	static const char *const contexts[] = { "any", "task", "softirq", "hardirq", "NMI", "each" };
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o->cli;
		return 0;
	case OPT_OP:
		o->op = (u32)arg_word(state, "op", arg, ops, ARRAY_SIZE(ops));
		return 0;
	case OPT_KIND:
		o->kind = (u32)arg_word(state, "kind", arg, lat_kind_name, TLSF_LAT_KINDS);
		return 0;
	case OPT_CONTEXT:
		o->context = (u32)arg_word(state, "context", arg, contexts, ARRAY_SIZE(contexts));
		return 0;
	case OPT_ROWS:
		o->rows = (unsigned int)arg_number(state, "rows", arg, 2, TLSF_HISTOGRAM_BUCKETS);
		return 0;
	case OPT_ASCII:
		o->ascii = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "op", OPT_OP, "alloc|free|resize|all", 0, "Operation to show (default all)", 0 },
	{ "kind", OPT_KIND, "hold|total", 0,
	  "Core and lock, without or with the wait for the lock (default hold)", 0 },
	{ "context", OPT_CONTEXT, "any|task|softirq|hardirq|NMI|each", 0,
	  "Operations in which context; any: all in one histogram (default each)", 0 },
	{ "rows", OPT_ROWS, "N", 0, "Most rows of a picture (default 24)", 0 },
	{ "ascii", OPT_ASCII, NULL, 0, "Draw with ASCII even in a UTF-8 terminal", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show latency histograms.",
	.children = cli_json_child,
};

/* Where buckets are merged how: @body to a row below @split, @tail to a row from it. */
struct layout {
	unsigned int split, body, tail;
};

static unsigned int layout_width(const struct layout *l, unsigned int bucket)
{
	return bucket < l->split ? l->body : l->tail;
}

static u64 group_sum(const struct lat *lat, unsigned int start, unsigned int width)
{
	u64 sum = 0;

	for (unsigned int i = start; i < start + width && i < ARRAY_SIZE(lat->bucket); i++)
		sum += lat->bucket[i];
	return sum;
}

/* Smallest power of two of buckets to a row with which first..end-1 fits the rows. */
static unsigned int group_width(const struct lat *lat, unsigned int first, unsigned int end,
				unsigned int rows)
{
	for (unsigned int width = 1;; width *= 2) {
		unsigned int used = 0;

		for (unsigned int i = first; i < end; i += width)
			used += group_sum(lat, i, width) != 0;
		if (used <= rows)
			return width;
	}
}

static struct layout layout_of(const struct lat *lat, unsigned int rows)
{
	unsigned int tail_rows = rows > 2 ? rows / 3 : 1;
	u64 p99 = lat_figures(lat).p99;
	struct layout l = { .split = 64 };

	while (l.split < ARRAY_SIZE(lat->bucket) && lat_floor(l.split) <= p99)
		l.split += 32;
	l.body = group_width(lat, 0, l.split, rows - tail_rows);
	l.tail = group_width(lat, l.split, ARRAY_SIZE(lat->bucket), tail_rows);
	return l;
}

/* A bar of eighths of a cell; whatever is counted is visible. */
static void print_bar(u64 count, u64 most, bool ascii)
{
	static const char *const eighth[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned int len = (unsigned int)((double)count / (double)most * BAR_WIDTH * 8);

	if (!len)
		len = 1;
	for (unsigned int i = 0; i < (ascii ? (len + 7) / 8 : len / 8); i++)
		fputs(ascii ? "#" : "█", stdout);
	puts(ascii ? "" : eighth[len % 8]);
}

static u64 largest_group(const struct lat *lat, const struct layout *l)
{
	u64 most = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lat->bucket); i += layout_width(l, i)) {
		u64 count = group_sum(lat, i, layout_width(l, i));

		most = count > most ? count : most;
	}
	return most;
}

static void print_rows(const struct lat *lat, const struct layout *l, bool ascii)
{
	u64 most = largest_group(lat, l);
	unsigned int width, next = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lat->bucket); i += width) {
		u64 count;

		width = layout_width(l, i);
		count = group_sum(lat, i, width);
		if (!count)
			continue;
		if (next && i != next)
			printf("%21s\n", "...");
		printf("%10llu %10llu %12llu ", lat_floor(i), lat_upper(lat, i + width - 1), count);
		print_bar(count, most, ascii);
		next = i + width;
	}
}

static void print_histogram(const struct dev *dev, const struct lat *lat,
			    const struct options *o)
{
	struct layout layout = layout_of(lat, o->rows);
	struct lat_figures f = lat_figures(lat);

	printf("# %s, %s, %s\n", lat_op_name[lat->h.op], lat_kind_name[lat->h.kind],
	       lat_context_name[lat->h.context]);
	printf("%10s %10s %12s\n", "cycles", "to", "count");
	print_rows(lat, &layout, o->ascii || !locale_is_utf8());
	printf("count: %llu\n", f.count);
	if (f.count)
		printf("min:   %llu cycles (%.0f ns)\navg:   %.1f cycles (%.0f ns)\n"
		       "p50:   %llu, p99: %llu, p99.9: %llu, p99.99: %llu cycles\n"
		       "max:   %llu cycles (%.0f ns)\n",
		       f.min, dev_ns(dev, (double)f.min), f.mean, dev_ns(dev, f.mean),
		       f.p50, f.p99, f.p999, f.p9999, f.max, dev_ns(dev, (double)f.max));
	lat_print_worst(dev, lat);
	putchar('\n');
}

static json_t *histogram_json(const struct dev *dev, const struct lat *lat)
{
	json_t *object = lat_json(dev, lat), *buckets = json_array();

	for (unsigned int i = 0; i < ARRAY_SIZE(lat->bucket); i++)
		if (lat->bucket[i])
			json_array_append_new(buckets, json_pack("{s:I, s:I, s:I}",
				"from", (json_int_t)lat_floor(i),
				"to", (json_int_t)lat_upper(lat, i),
				"count", (json_int_t)lat->bucket[i]));
	json_object_set_new(object, "buckets", buckets);
	return object;
}

/* What was read, and which of it is to be shown. */
struct picture {
	struct dev dev;
	struct lat_set set[TLSF_LAT_NR];
	size_t nr_sets;
	const struct lat *shown[TLSF_LAT_NR * TLSF_LAT_CONTEXTS];
	size_t nr;
};

static bool picture_has(const struct lat_set *set, u32 context, const struct options *o)
{
	/* each: not their sum, unless there is nothing else */
	if (o->context == CONTEXT_EACH)
		return context == TLSF_LAT_ANY ? !set->context[TLSF_LAT_ANY].h.count :
						 lat_shown(set, context);
	return context == o->context;
}

static int picture_add(struct picture *p, u32 op, const struct options *o)
{
	struct lat_set *set = &p->set[p->nr_sets++];
	int code = lat_read_set(&p->dev, op, o->kind, set);

	for (u32 i = 0; i < TLSF_LAT_CONTEXTS; i++)
		if (picture_has(set, i, o))
			p->shown[p->nr++] = &set->context[i];
	return code;
}

static int show_json(const struct picture *p, const struct options *o)
{
	json_t *all = json_object();

	for (size_t i = 0; i < p->nr_sets; i++) {
		const struct lat_set *set = &p->set[i];
		json_t *one = o->context == CONTEXT_EACH ?
			lat_set_json(&p->dev, set, histogram_json) :
			histogram_json(&p->dev, &set->context[o->context]);

		json_object_set_new(all, lat_op_name[set->context->h.op], one);
	}
	return print_json(json_pack("{s:o, s:s, s:o}", "clock", dev_clock_json(&p->dev),
				    "kind", lat_kind_name[o->kind], "histograms", all));
}

static int show(const struct picture *p, const struct options *o)
{
	if (o->cli->json)
		return show_json(p, o);
	for (size_t i = 0; i < p->nr; i++)
		print_histogram(&p->dev, p->shown[i], o);
	dev_print_clock(&p->dev);
	return EXIT_OK;
}

int cmd_hist(struct cli *cli, int argc, char **argv)
{
	struct options o = { .cli = cli, .op = OP_ALL, .context = CONTEXT_EACH, .rows = 24 };
	static struct picture picture;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = dev_open(&picture.dev, cli->device);
	if (code)
		return code;
	for (u32 op = 0; op < TLSF_LAT_NR && !code; op++)
		if (o.op == OP_ALL || o.op == op)
			code = picture_add(&picture, op, &o);
	if (!code)
		code = show(&picture, &o);
	dev_close(&picture.dev);
	return code;
}
