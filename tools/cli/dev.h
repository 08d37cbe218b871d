/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device: open it, call it, explain what it answers.
 *
 * Room: cli. The only part that issues ioctls. Calls return 0 or a
 * negative errno and print nothing; dev_open() and dev_explain() print.
 */
#ifndef TLSF_DEV_H
#define TLSF_DEV_H

#include "cli.h"

struct dev {
	int fd;
	const char *path;
	struct tlsf_info info;
};

int dev_open(struct dev *dev, const char *path);
void dev_close(struct dev *dev);
int dev_explain(const struct dev *dev, const char *call, int err);

int dev_op(struct dev *dev, struct tlsf_op *op);
int dev_batch(struct dev *dev, struct tlsf_op *ops, u32 nr, u32 *done);
int dev_stats(struct dev *dev, struct tlsf_stats *stats);
int dev_histogram(struct dev *dev, struct tlsf_histogram *h, u64 *buckets, u32 nr);
int dev_reset(struct dev *dev, u32 flags);
int dev_check(struct dev *dev, struct tlsf_check *check);
int dev_walk(struct dev *dev, struct tlsf_walk *walk);
int dev_threshold(struct dev *dev, struct tlsf_threshold *t);

const char *dev_unit(const struct dev *dev);
double dev_ns(const struct dev *dev, double cycles);
void dev_print_clock(const struct dev *dev);
json_t *dev_clock_json(const struct dev *dev);

#endif /* TLSF_DEV_H */
