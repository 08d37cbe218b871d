/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Latency distributions: read one, and compute what people ask of it.
 *
 * Room: cli. The bucket mapping is the one that the uapi header
 * defines at struct tlsf_histogram.
 */
#ifndef TLSF_LAT_H
#define TLSF_LAT_H

#include "dev.h"

struct lat {
	struct tlsf_histogram h;
	u64 bucket[TLSF_HISTOGRAM_BUCKETS];
};

/* All in cycles; percentiles are upper edges of buckets, never above max. */
struct lat_figures {
	u64 count, min, p50, p99, p999, p9999, max;
	double mean;
};

extern const char *const lat_op_name[TLSF_LAT_NR];
extern const char *const lat_kind_name[TLSF_LAT_KINDS];

extern const char *const lat_context_name[TLSF_LAT_CONTEXTS];

/* One operation's distributions: [TLSF_LAT_ANY], and those of each context. */
struct lat_set {
	struct lat context[TLSF_LAT_CONTEXTS];
};

int lat_read(struct dev *dev, u32 op, u32 kind, u32 context, struct lat *lat);
int lat_read_set(struct dev *dev, u32 op, u32 kind, struct lat_set *set);
bool lat_shown(const struct lat_set *set, u32 context);
u64 lat_floor(unsigned int bucket);
u64 lat_upper(const struct lat *lat, unsigned int bucket);
struct lat_figures lat_figures(const struct lat *lat);
json_t *lat_json(const struct dev *dev, const struct lat *lat);
json_t *lat_set_json(const struct dev *dev, const struct lat_set *set,
		     json_t *(*one)(const struct dev *dev, const struct lat *lat));
const char *lat_witness_context(const struct tlsf_witness *w);
json_t *lat_witness_json(const struct tlsf_witness *w);
void lat_print_witness(const struct dev *dev, const struct tlsf_witness *w);
void lat_print_worst(const struct dev *dev, const struct lat *lat);

#endif /* TLSF_LAT_H */
