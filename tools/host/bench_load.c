// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads for the benchmark; see bench_load.h. The format of traces is told in
 * tools/traces/FORMAT.md; lint-trace.py there checks them more strictly than this.
 *
 * Room: host.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_load.h"

/* ---- distributions ---- */

static size_t uniform(struct rng *r, size_t least, size_t most)
{
	return least + (size_t)rng_below(r, most - least + 1);
}

static size_t normal(struct rng *r, double mean, double deviation)
{
	double x;

	do
		x = mean + deviation * sqrt(-2 * log(1 - rng_unit(r))) * cos(2 * M_PI * rng_unit(r));
	while (x < 1);
	return (size_t)x;
}

static size_t draw_u16_1024(struct rng *r)
{
	return uniform(r, 16, 1024);
}

static size_t draw_lu16_64k(struct rng *r)
{
	return (size_t)(16 * exp2(12 * rng_unit(r)));
}

static size_t draw_fixed_64(struct rng *r)
{
	(void)r;
	return 64;
}

static size_t draw_u1_4096(struct rng *r)
{
	return uniform(r, 1, 4096);
}

static size_t draw_n512(struct rng *r)
{
	return normal(r, 512, 170);
}

static size_t draw_n4096(struct rng *r)
{
	return normal(r, 4096, 1365);
}

static size_t draw_small_mix(struct rng *r)
{
	static const size_t sizes[] = { 16, 24, 32, 48, 64, 96, 128, 256 };

	return sizes[rng_below(r, ARRAY_SIZE(sizes))];
}

const struct load_dist load_dists[] = {
	{ "u16-1024",	draw_u16_1024 },
	{ "lu16-64k",	draw_lu16_64k },
	{ "fixed-64",	draw_fixed_64 },
	{ "u1-4096",	draw_u1_4096 },
	{ "n512",	draw_n512 },
	{ "n4096",	draw_n4096 },
	{ "small-mix",	draw_small_mix },
	{ NULL,		NULL },
};

const struct load_dist *load_dist_find(const char *name)
{
	const struct load_dist *d = load_dists;

	while (d->name && strcmp(d->name, name))
		d++;
	return d->name ? d : NULL;
}

/* ---- building ---- */

static void *must(void *mem)
{
	if (mem)
		return mem;
	fputs("bench: out of memory for the load\n", stderr);
	exit(2);
}

static void append(struct load *load, size_t *room, struct load_op op)
{
	if (load->nr == *room) {
		*room = *room ? 2 * *room : 65536;
		load->ops = must(reallocarray(load->ops, *room, sizeof(*load->ops)));
	}
	load->ops[load->nr++] = op;
	if (op.id >= load->nr_ids)
		load->nr_ids = op.id + 1;
}

static void note_peak(struct load *load, size_t live)
{
	load->peak = live > load->peak ? live : load->peak;
}

/* ids of live blocks, and above them ids that are free, with the sizes by id */
struct live {
	uint32_t *ids;
	uint32_t *size;
	size_t nr;
	size_t room;
	size_t bytes;
};

static struct load_op churn_alloc(struct live *l, uint32_t size)
{
	uint32_t id;

	if (l->nr == l->room) {
		l->room = l->room ? 2 * l->room : 1024;
		l->ids = must(reallocarray(l->ids, l->room, sizeof(*l->ids)));
		l->size = must(reallocarray(l->size, l->room, sizeof(*l->size)));
		for (id = (uint32_t)l->nr; id < l->room; id++)
			l->ids[id] = id;
	}
	id = l->ids[l->nr++];
	l->size[id] = size;
	l->bytes += size;
	return (struct load_op){ .kind = LOAD_ALLOC, .id = id, .size = size };
}

static struct load_op churn_free(struct live *l, size_t i)
{
	uint32_t id = l->ids[i];

	l->bytes -= l->size[id];
	l->ids[i] = l->ids[--l->nr];
	l->ids[l->nr] = id;
	return (struct load_op){ .kind = LOAD_FREE, .id = id };
}

void load_churn(struct load *load, const struct load_dist *dist, size_t target, size_t churn)
{
	struct rng r = rng_seed(1);
	struct live l = { .nr = 0 };
	size_t room = 0;

	*load = (struct load){ .ops = NULL };
	while (!load->fill || load->nr < load->fill + churn) {
		if (l.bytes >= target && !load->fill)
			load->fill = load->nr;
		append(load, &room, l.bytes < target ?
		       churn_alloc(&l, (uint32_t)dist->draw(&r)) :
		       churn_free(&l, (size_t)rng_below(&r, l.nr)));
		note_peak(load, l.bytes);
	}
	free(l.ids);
	free(l.size);
}

/* ---- traces ---- */

#define LINE_MAX_BYTES	4096	/* with the newline */

/* Numbers are read as wide as they may be: a narrow one would wrap without a word. */
static bool parse(const char *line, struct load_op *op)
{
	static const char kinds[] = { [LOAD_ALLOC] = 'a', [LOAD_FREE] = 'f', [LOAD_RESIZE] = 'r' };
	const char *kind = memchr(kinds, *line, sizeof(kinds));
	unsigned long long id = 0, size = 0, align = 1;
	int words = sscanf(line + 1, " %llu %llu %llu", &id, &size, &align);

	if (!kind || words < 1 + (*kind != 'f') || id >= 1u << 24 || size > UINT32_MAX ||
	    !align || align > UINT32_MAX)
		return false;
	*op = (struct load_op){ .kind = (uint32_t)(kind - kinds), .id = (uint32_t)id,
				.size = (uint32_t)size,
				.align_log2 = (uint32_t)__builtin_ctzll(align) };
	return true;
}

/* the size of each block, to know how many bytes are alive */
static void find_peak(struct load *load)
{
	uint32_t *size = must(calloc(load->nr_ids, sizeof(*size)));
	size_t live = 0, i;

	for (i = 0; i < load->nr; i++) {
		const struct load_op *op = &load->ops[i];

		live += op->size;
		live -= op->kind == LOAD_ALLOC ? 0 : size[op->id];
		size[op->id] = op->size;
		note_peak(load, live);
	}
	free(size);
}

static void refuse_trace(const char *path, size_t line, const char *what)
{
	fprintf(stderr, "bench: %s:%zu: %s; see tools/traces/FORMAT.md\n", path, line, what);
	exit(2);
}

void load_trace(struct load *load, const char *path)
{
	char command[4096], line[LINE_MAX_BYTES + 1];
	struct load_op op;
	size_t room = 0, end = 0, at = 0;
	FILE *in;
	int len;

	*load = (struct load){ .ops = NULL };
	len = snprintf(command, sizeof(command), "LD_PRELOAD= zstd -dcq -- '%s'", path);
	if (len >= (int)sizeof(command) || strchr(path, '\''))
		refuse_trace(path, at, "a path that is too long, or has a quote in it");
	in = popen(command, "r");
	while (in && !end && fgets(line, sizeof(line), in)) {
		at++;
		if (!strchr(line, '\n'))
			refuse_trace(path, at, "longer than 4096 bytes, or cut short");
		if (*line == '#' || *line == 't')
			continue;
		if (sscanf(line, "end %zu", &end) == 1)
			break;
		if (!parse(line, &op))
			refuse_trace(path, at, "not an operation, or a number that is too large");
		append(load, &room, op);
	}
	if (!in || pclose(in) || !load->nr || end != load->nr)
		refuse_trace(path, at, "not a whole trace");
	find_peak(load);
}

void load_release(struct load *load)
{
	free(load->ops);
	load->ops = NULL;
}
