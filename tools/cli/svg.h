/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A latency plot as a self-contained SVG picture.
 *
 * Room: cli. Writes to the stream it is given, nothing else.
 */
#ifndef TLSF_SVG_H
#define TLSF_SVG_H

#include "lat.h"

void svg_plot(FILE *out, const struct dev *dev, const struct lat *const *lat, size_t nr);

#endif /* TLSF_SVG_H */
