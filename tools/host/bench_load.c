// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads for the benchmark; see bench_load.h.
 *
 * Room: host. Traces are read by tools/cli/trace.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cli/trace.h"
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

static struct load_op load_op_of(const struct trace_op *op)
{
	static const enum load_kind kind[] = {
		[TLSF_OP_ALLOC] = LOAD_ALLOC, [TLSF_OP_FREE] = LOAD_FREE,
		[TLSF_OP_RESIZE] = LOAD_RESIZE,
	};

	return (struct load_op){ .kind = kind[op->kind], .align_log2 = op->align_log2,
				 .id = op->id, .size = (uint32_t)op->size };
}

/* writes the operations to @fd; the exit status */
static int read_trace(const char *path, int fd)
{
	FILE *out = fdopen(fd, "w");
	struct trace trace;
	size_t i;

	if (!out || trace_load(&trace, path))
		return 2;
	for (i = 0; i < trace.nr; i++) {
		struct load_op op = load_op_of(&trace.ops[i]);

		if (op.size != trace.ops[i].size) {
			complain("%s: operation %zu: expected less than 4 GiB", path, i + 1);
			return 2;
		}
		fwrite(&op, sizeof(op), 1, out);
	}
	return fclose(out) ? 2 : 0;
}

/* In a process of its own: what a reader leaves in the heap is not to be measured. */
void load_trace(struct load *load, const char *path)
{
	struct load_op op;
	size_t room = 0;
	int fd[2], status;
	FILE *in;

	*load = (struct load){ .ops = NULL };
	if (pipe(fd))
		exit(2);
	if (!fork())
		_exit(read_trace(path, fd[1]));
	close(fd[1]);
	in = must(fdopen(fd[0], "r"));
	while (fread(&op, sizeof(op), 1, in))
		append(load, &room, op);
	fclose(in);
	if (wait(&status) < 0 || status || !load->nr)
		exit(2);
	find_peak(load);
}

void load_release(struct load *load)
{
	free(load->ops);
	load->ops = NULL;
}
