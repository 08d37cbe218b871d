// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency distributions: read one, and compute what people ask of it.
 *
 * Room: tools (user space). A percentile is the upper edge of the bucket in which it
 * falls, so it is never too low; it is capped at the largest value seen.
 */
#include "lat.h"

#include <string.h>

const char *const lat_op_name[TLSF_LAT_NR] = {
	[TLSF_LAT_ALLOC] = "alloc", [TLSF_LAT_FREE] = "free", [TLSF_LAT_RESIZE] = "resize",
};

const char *const lat_kind_name[TLSF_LAT_KINDS] = {
	[TLSF_LAT_HOLD] = "hold", [TLSF_LAT_TOTAL] = "total",
};

static const char *const context_name[] = { "task", "softirq", "hardirq", "NMI" };

int lat_read(struct dev *dev, u32 op, u32 kind, struct lat *lat)
{
	int err;

	*lat = (struct lat){ .h = { .op = op, .kind = kind } };
	err = dev_histogram(dev, &lat->h, lat->bucket, ARRAY_SIZE(lat->bucket));
	lat->h.worst.symbol[sizeof(lat->h.worst.symbol) - 1] = '\0';
	return err ? dev_explain(dev, "HISTOGRAM", err) : EXIT_OK;
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

/* First and last bucket that is not empty; false when all are. */
bool lat_range(const struct lat *lat, unsigned int *first, unsigned int *last)
{
	bool any = false;

	for (unsigned int i = 0; i < ARRAY_SIZE(lat->bucket); i++) {
		if (!lat->bucket[i])
			continue;
		if (!any)
			*first = i;
		*last = i;
		any = true;
	}
	return any;
}

static u64 percentile(const struct lat *lat, u64 total, unsigned int permille)
{
	u64 rank = (u64)(((unsigned __int128)total * permille + 999) / 1000);
	u64 below = 0;

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
		.p50 = percentile(lat, total, 500), .p99 = percentile(lat, total, 990),
		.p999 = percentile(lat, total, 999),
	};
}

static const char *context(const struct tlsf_witness *w)
{
	return w->context < ARRAY_SIZE(context_name) ? context_name[w->context] : "unknown";
}

static json_t *worst_json(const struct tlsf_witness *w)
{
	if (!w->cycles)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:s}",
			 "cycles", (json_int_t)w->cycles, "hold", (json_int_t)w->hold,
			 "time_ns", (json_int_t)w->time_ns,
			 "size", (json_int_t)w->size, "align", (json_int_t)w->align,
			 "steps", w->steps, "cpu", w->cpu, "context", context(w),
			 "symbol", (const char *)w->symbol);
}

/* Figures once in cycles and once in nanoseconds. */
static json_t *figures_json(const struct lat_figures *f, double scale)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}",
			 "min", (double)f->min * scale, "mean", f->mean * scale,
			 "p50", (double)f->p50 * scale, "p99", (double)f->p99 * scale,
			 "p99.9", (double)f->p999 * scale, "max", (double)f->max * scale);
}

static json_t *cycles_json(const struct lat_figures *f)
{
	return json_pack("{s:I, s:f, s:I, s:I, s:I, s:I}",
			 "min", (json_int_t)f->min, "mean", f->mean,
			 "p50", (json_int_t)f->p50, "p99", (json_int_t)f->p99,
			 "p99.9", (json_int_t)f->p999, "max", (json_int_t)f->max);
}

json_t *lat_json(const struct dev *dev, const struct lat *lat)
{
	struct lat_figures f = lat_figures(lat);

	return json_pack("{s:I, s:o, s:o, s:o}", "count", (json_int_t)f.count,
			 "cycles", cycles_json(&f), "ns", figures_json(&f, dev_ns(dev, 1)),
			 "worst", worst_json(&lat->h.worst));
}

void lat_print_worst(const struct dev *dev, const struct lat *lat)
{
	const struct tlsf_witness *w = &lat->h.worst;

	if (!w->cycles)
		return;
	printf("  %-6s %-5s %llu cycles (%.0f ns): %llu bytes", lat_op_name[lat->h.op],
	       lat_kind_name[lat->h.kind], w->cycles, dev_ns(dev, (double)w->cycles), w->size);
	if (w->align > dev->info.granule)
		printf(" aligned to %llu", w->align);
	printf(", %u steps, CPU %u, %s, from %s, at %.6f s\n", w->steps, w->cpu, context(w),
	       w->symbol[0] ? (const char *)w->symbol : "an unnamed caller",
	       (double)w->time_ns / 1e9);
}
