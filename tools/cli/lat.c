// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency distributions: read one, and compute what people ask of it.
 *
 * Room: cli. A percentile is the upper edge of the bucket in which it
 * falls, so it is never too low; it is capped at the largest value seen.
 */
#include "lat.h"
#include "../bench/module/percentile.h"

#include <string.h>

const char *const lat_op_name[TLSF_LAT_NR] = {
	[TLSF_LAT_ALLOC] = "alloc", [TLSF_LAT_FREE] = "free", [TLSF_LAT_RESIZE] = "resize",
};

const char *const lat_kind_name[TLSF_LAT_KINDS] = {
	[TLSF_LAT_HOLD] = "hold", [TLSF_LAT_TOTAL] = "total",
};

const char *const lat_context_name[TLSF_LAT_CONTEXTS] = {
	[TLSF_LAT_ANY] = "any", [TLSF_LAT_TASK] = "task", [TLSF_LAT_SOFTIRQ] = "softirq",
	[TLSF_LAT_HARDIRQ] = "hardirq", [TLSF_LAT_NMI] = "NMI",
};

int lat_read(struct dev *dev, u32 op, u32 kind, u32 context, struct lat *lat)
{
	int err;

	*lat = (struct lat){ .h = { .op = op, .kind = kind, .context = context } };
	err = dev_histogram(dev, &lat->h, lat->bucket, ARRAY_SIZE(lat->bucket));
	lat->h.worst.symbol[sizeof(lat->h.worst.symbol) - 1] = '\0';
	return err ? dev_explain(dev, "HISTOGRAM", err) : EXIT_OK;
}

/* All contexts one after the other: operations may go on meanwhile. */
int lat_read_set(struct dev *dev, u32 op, u32 kind, struct lat_set *set)
{
	int code = EXIT_OK;

	for (u32 i = 0; i < TLSF_LAT_CONTEXTS && !code; i++)
		code = lat_read(dev, op, kind, i, &set->context[i]);
	return code;
}

/*
 * A context that never occurred is not shown, and the sum of all only where it is not the
 * same as one of them.
 */
bool lat_shown(const struct lat_set *set, u32 context)
{
	unsigned int nr = 0;

	for (u32 i = TLSF_LAT_TASK; i < TLSF_LAT_CONTEXTS; i++)
		nr += set->context[i].h.count != 0;
	return context == TLSF_LAT_ANY ? nr != 1 : set->context[context].h.count != 0;
}

/* Smallest value of a bucket: the inverse of the mapping in the uapi header. */
u64 lat_floor(unsigned int bucket)
{
	unsigned int shift = bucket < 32 ? 0 : bucket / 32 - 1;

	return (u64)(bucket - 32 * shift) << shift;
}

/* Largest value of a bucket that can have been seen. */
u64 lat_upper(const struct lat *lat, unsigned int bucket)
{
	u64 edge = lat_floor(bucket + 1) - 1;

	return bucket + 1 >= ARRAY_SIZE(lat->bucket) || edge > lat->h.max ? lat->h.max : edge;
}

static u64 percentile(const struct lat *lat, u64 total, unsigned int per_10k)
{
	u64 rank = percentile_rank(total, per_10k), below = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lat->bucket); i++) {
		below += lat->bucket[i];
		if (below && below >= rank)
			return lat_upper(lat, i);
	}
	return lat->h.max;
}

struct lat_figures lat_figures(const struct lat *lat)
{
	u64 total = 0;

	/* The buckets' own total: operations may go on while they are copied. */
	for (unsigned int i = 0; i < ARRAY_SIZE(lat->bucket); i++)
		total += lat->bucket[i];
	if (!lat->h.count)
		return (struct lat_figures){ 0 };
	return (struct lat_figures){
		.count = lat->h.count, .min = lat->h.min, .max = lat->h.max,
		.mean = (double)lat->h.sum / (double)lat->h.count,
		.p50 = percentile(lat, total, 5000), .p99 = percentile(lat, total, 9900),
		.p999 = percentile(lat, total, 9990), .p9999 = percentile(lat, total, 9999),
	};
}

const char *lat_witness_context(const struct tlsf_witness *w)
{
	u32 i = w->context + TLSF_LAT_TASK;

	return i < ARRAY_SIZE(lat_context_name) ? lat_context_name[i] : "unknown";
}

json_t *lat_witness_json(const struct tlsf_witness *w)
{
	if (!w->cycles)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:s}",
			 "cycles", (json_int_t)w->cycles, "hold", (json_int_t)w->hold,
			 "time_ns", (json_int_t)w->time_ns,
			 "size", (json_int_t)w->size, "align", (json_int_t)w->align,
			 "steps", w->steps, "cpu", w->cpu, "context", lat_witness_context(w),
			 "symbol", (const char *)w->symbol);
}

/* Figures once in cycles and once in nanoseconds. */
static json_t *figures_json(const struct lat_figures *f, double scale)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
			 "min", (double)f->min * scale, "mean", f->mean * scale,
			 "p50", (double)f->p50 * scale, "p99", (double)f->p99 * scale,
			 "p99.9", (double)f->p999 * scale, "p99.99", (double)f->p9999 * scale,
			 "max", (double)f->max * scale);
}

static json_t *cycles_json(const struct lat_figures *f)
{
	return json_pack("{s:I, s:f, s:I, s:I, s:I, s:I, s:I}",
			 "min", (json_int_t)f->min, "mean", f->mean,
			 "p50", (json_int_t)f->p50, "p99", (json_int_t)f->p99,
			 "p99.9", (json_int_t)f->p999, "p99.99", (json_int_t)f->p9999,
			 "max", (json_int_t)f->max);
}

json_t *lat_json(const struct dev *dev, const struct lat *lat)
{
	struct lat_figures f = lat_figures(lat);

	return json_pack("{s:I, s:o, s:o, s:o}", "count", (json_int_t)f.count,
			 "cycles", cycles_json(&f), "ns", figures_json(&f, dev_ns(dev, 1)),
			 "worst", lat_witness_json(&lat->h.worst));
}

/* The sum of all, and within it each context that occurred; @one makes JSON of one. */
json_t *lat_set_json(const struct dev *dev, const struct lat_set *set,
		     json_t *(*one)(const struct dev *dev, const struct lat *lat))
{
	json_t *all = one(dev, &set->context[TLSF_LAT_ANY]), *contexts = json_object();

	for (u32 i = TLSF_LAT_TASK; i < TLSF_LAT_CONTEXTS; i++)
		if (lat_shown(set, i))
			json_object_set_new(contexts, lat_context_name[i],
					    one(dev, &set->context[i]));
	json_object_set_new(all, "contexts", contexts);
	return all;
}

/* In one line, to the end of it. */
void lat_print_witness(const struct dev *dev, const struct tlsf_witness *w)
{
	printf("%llu cycles (%.0f ns): %llu bytes", w->cycles, dev_ns(dev, (double)w->cycles),
	       w->size);
	if (w->align > dev->info.granule)
		printf(" aligned to %llu", w->align);
	printf(", %u steps, CPU %u, from %.*s, at %.6f s\n", w->steps, w->cpu,
	       (int)sizeof(w->symbol),
	       w->symbol[0] ? (const char *)w->symbol : "an unnamed caller",
	       (double)w->time_ns / 1e9);
}

void lat_print_worst(const struct dev *dev, const struct lat *lat)
{
	if (!lat->h.worst.cycles)
		return;
	printf("  %-6s %-5s %-7s ", lat_op_name[lat->h.op], lat_kind_name[lat->h.kind],
	       lat_witness_context(&lat->h.worst));
	lat_print_witness(dev, &lat->h.worst);
}
