// SPDX-License-Identifier: GPL-2.0-only
/*
 * A latency plot as a self-contained SVG picture.
 *
 * Room: cli. Writes to the stream it is given, nothing else.
 *
 * The x axis is the bucket number, which is logarithmic in cycles (linear below 64);
 * the y axis is the logarithm of the count, so that a single outlier can be seen. An
 * operation has a colour, a context a dash. Lines through the picture mark percentiles
 * and maximum, with their names on top, a row for each distribution.
 */
#include "svg.h"

#include <math.h>

#define WIDTH	900.0
#define PLOT	298.0	/* height of the picture proper */
#define LEFT	84.0
#define RIGHT	(WIDTH - 25)
#define HEAD	42.0	/* first line below the title */
#define LINE	16.0
#define FLOOR	0.6	/* count at the base line: one operation stands clear of it */

static const char *const colour[TLSF_LAT_NR] = {
	[TLSF_LAT_ALLOC] = "#1f6fb4", [TLSF_LAT_FREE] = "#d1602a", [TLSF_LAT_RESIZE] = "#2a8a4a",
};

static const char *const dash[TLSF_LAT_CONTEXTS] = {
	[TLSF_LAT_ANY] = "none", [TLSF_LAT_TASK] = "none", [TLSF_LAT_SOFTIRQ] = "6 3",
	[TLSF_LAT_HARDIRQ] = "2 2", [TLSF_LAT_NMI] = "8 2 2 2",
};

/* The part of the histograms that is shown, and where. */
struct view {
	double top, bottom;
	unsigned int first, end;
	double decades;		/* log10 of the count at the top */
};

static double x_of(const struct view *v, unsigned int bucket)
{
	return LEFT + (bucket - v->first) * (RIGHT - LEFT) / (v->end - v->first);
}

static double y_of(const struct view *v, double count)
{
	double base = log10(FLOOR);

	if (count < FLOOR)
		return v->bottom;
	return v->bottom - (log10(count) - base) / (v->decades - base) * PLOT;
}

static struct view view_of(const struct lat *const *lat, size_t nr)
{
	/* a line of legend and a line of marks for each */
	double top = HEAD + 2 * LINE * (double)nr + 6;
	struct view v = { .top = top, .bottom = top + PLOT, .first = TLSF_HISTOGRAM_BUCKETS,
			  .decades = 1 };
	unsigned int first, last;

	for (size_t s = 0; s < nr; s++) {
		if (!lat_range(lat[s], &first, &last))
			continue;
		v.first = first < v.first ? first : v.first;
		v.end = last + 1 > v.end ? last + 1 : v.end;
		for (unsigned int i = first; i <= last; i++)
			if (lat[s]->bucket[i])
				v.decades = fmax(v.decades, ceil(log10((double)lat[s]->bucket[i])));
	}
	if (!v.end)
		v.first = 0, v.end = 63;
	v.first = v.first ? v.first - 1 : 0;
	v.end++;
	return v;
}

static void text(FILE *out, double x, double y, const char *anchor, const char *string)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
		string);
}

static void grid_line(FILE *out, double x1, double y1, double x2, double y2)
{
	fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ddd\"/>\n", x1, y1, x2, y2);
}

/* Ticks at multiples of a power of two of buckets: round numbers of cycles. */
static void x_axis(FILE *out, const struct view *v, const struct dev *dev)
{
	unsigned int step = 1;
	char label[32];

	while ((v->end - v->first) / step > 10)
		step *= 2;
	for (unsigned int i = (v->first + step - 1) / step * step; i <= v->end; i += step) {
		grid_line(out, x_of(v, i), v->top, x_of(v, i), v->bottom);
		snprintf(label, sizeof(label), "%llu", lat_floor(i));
		text(out, x_of(v, i), v->bottom + 16, "middle", label);
		snprintf(label, sizeof(label), "%.0f ns", dev_ns(dev, (double)lat_floor(i)));
		text(out, x_of(v, i), v->bottom + 31, "middle", label);
	}
	text(out, (LEFT + RIGHT) / 2, v->bottom + 52, "middle", "cycles, and the same in nanoseconds");
}

static void y_axis(FILE *out, const struct view *v)
{
	char label[32];

	for (int decade = 0; decade <= (int)v->decades; decade++) {
		double y = y_of(v, pow(10, decade));

		grid_line(out, LEFT, y, RIGHT, y);
		snprintf(label, sizeof(label), "%.0f", pow(10, decade));
		text(out, LEFT - 6, y + 4, "end", label);
	}
	text(out, LEFT - 6, v->top - 10, "end", "operations");
}

static void series(FILE *out, const struct view *v, const struct lat *lat)
{
	const char *c = colour[lat->h.op];

	fprintf(out, "<path fill=\"%s\" fill-opacity=\".15\" stroke=\"%s\" "
		"stroke-dasharray=\"%s\" d=\"M%.1f %.1f", c, c, dash[lat->h.context],
		x_of(v, v->first), v->bottom);
	for (unsigned int i = v->first; i < v->end && i < ARRAY_SIZE(lat->bucket); i++)
		fprintf(out, "V%.1fH%.1f", y_of(v, (double)lat->bucket[i]), x_of(v, i + 1));
	fprintf(out, "V%.1f\"/>\n", v->bottom);
}

/* In the middle of the bucket that a value falls into. */
static double x_of_cycles(const struct view *v, u64 cycles)
{
	unsigned int i = 0;

	while (i + 1 < TLSF_HISTOGRAM_BUCKETS && lat_floor(i + 1) <= cycles)
		i++;
	return (x_of(v, i) + x_of(v, i + 1)) / 2;
}

/* A line at each percentile; a name that has no room left of the next one is left out. */
static void marks(FILE *out, const struct view *v, const struct lat *lat, size_t row)
{
	struct lat_figures f = lat_figures(lat);
	const struct { const char *name; u64 cycles; } mark[] = {
		{ "max", f.max }, { "p99.99", f.p9999 }, { "p99.9", f.p999 }, { "p99", f.p99 },
		{ "p50", f.p50 },
	};
	double y = v->top - 6 - LINE * (double)row, limit = RIGHT + 20;

	for (size_t i = 0; f.count && i < ARRAY_SIZE(mark); i++) {
		double x = x_of_cycles(v, mark[i].cycles);

		fprintf(out, "<path stroke=\"%s\" stroke-opacity=\".6\" stroke-dasharray=\"%s\" "
			"d=\"M%.1f %.1fV%.1f\"><title>%s %s %s: %llu cycles</title></path>\n",
			colour[lat->h.op], dash[lat->h.context], x, y + 2, v->bottom,
			lat_op_name[lat->h.op], lat_context_name[lat->h.context], mark[i].name,
			mark[i].cycles);
		if (x + 18 > limit)
			continue;
		fprintf(out, "<g fill=\"%s\" font-size=\"10\">", colour[lat->h.op]);
		text(out, x, y, "middle", mark[i].name);
		fputs("</g>", out);
		limit = x - 18;
	}
}

static void legend(FILE *out, const struct lat *lat, size_t row)
{
	struct lat_figures f = lat_figures(lat);
	double y = HEAD + LINE * (double)row;
	char line[200];

	fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"9\" fill=\"%s\" "
		"fill-opacity=\".15\" stroke=\"%s\" stroke-dasharray=\"%s\"/>\n", LEFT, y - 9,
		colour[lat->h.op], colour[lat->h.op], dash[lat->h.context]);
	snprintf(line, sizeof(line),
		 "%s, %s: count %llu, min %llu, avg %.1f, p50 %llu, p99 %llu, p99.9 %llu, "
		 "p99.99 %llu, max %llu cycles", lat_op_name[lat->h.op],
		 lat_context_name[lat->h.context], f.count, f.min, f.mean, f.p50, f.p99, f.p999,
		 f.p9999, f.max);
	text(out, LEFT + 18, y, "start", line);
}

void svg_plot(FILE *out, const struct dev *dev, const struct lat *const *lat, size_t nr)
{
	struct view v = view_of(lat, nr);
	char title[160];

	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
		"font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", WIDTH,
		v.bottom + 66);
	snprintf(title, sizeof(title), "tlsf latency, %s; 1 cycle = 1 %s tick of %llu Hz",
		 nr && lat[0]->h.kind == TLSF_LAT_HOLD ? "hold: lock and core"
					      : "total: wait for the lock, lock and core",
		 dev_unit(dev), dev->info.cycle_hz);
	fprintf(out, "<title>%s</title>\n<g font-size=\"15\">", title);
	text(out, LEFT, 22, "start", title);
	fputs("</g>\n", out);
	x_axis(out, &v, dev);
	y_axis(out, &v);
	for (size_t s = 0; s < nr; s++) {
		series(out, &v, lat[s]);
		marks(out, &v, lat[s], nr - 1 - s);
		legend(out, lat[s], s);
	}
	fputs("</svg>\n", out);
}
