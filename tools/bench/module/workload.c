// SPDX-License-Identifier: GPL-2.0-only
/*
 * A workload: read from a file, checked, and looked over for its peak.
 *
 * Room: bench. Task context. The file is what workload.py writes: two words,
 * the number of operations and of ids, then the operations. All little-endian u32.
 */
#define pr_fmt(fmt) fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/vmalloc.h>

#include "bench.h"

struct file_header {
	u32 nr_ops;
	u32 nr_ids;
};

unsigned int size_class(size_t size)
{
	return max_t(unsigned int, CLASS_MIN, order_base_2(size));
}

/* sizes of the live blocks by id, and their sums */
struct look {
	u32 *size;
	u32 blocks;
	size_t bytes;
	u32 class_blocks[CLASSES];
};

static void look_alloc(struct workload *w, struct look *l, u32 i)
{
	const struct op *op = &w->ops[i];
	unsigned int class = size_class(op->size);

	l->size[op->id] = op->size;
	l->bytes += op->size;
	l->blocks++;
	l->class_blocks[class]++;
	w->most_blocks = max(w->most_blocks, l->blocks);
	w->class_blocks[class] = max(w->class_blocks[class], l->class_blocks[class]);
	if (l->bytes > w->peak_bytes) {
		w->peak_bytes = l->bytes;
		w->peak_op = i;
	}
}

static void look_free(struct look *l, const struct op *op)
{
	u32 size = l->size[op->id];

	l->size[op->id] = 0;
	l->bytes -= size;
	l->blocks--;
	l->class_blocks[size_class(size)]--;
}

/* an allocated id is freed before it is allocated again */
static bool op_valid(const struct workload *w, const struct look *l, const struct op *op)
{
	return op->id < w->nr_ids && op->size <= 1U << CLASS_MAX &&
	       !l->size[op->id] == !!op->size;
}

static int look_over(struct workload *w, struct look *l)
{
	u32 i;

	for (i = 0; i < w->nr_ops; i++) {
		const struct op *op = &w->ops[i];

		if (!op_valid(w, l, op)) {
			pr_err("bench: operation %u, id %u size %u, is out of order or range\n",
			       i, op->id, op->size);
			return -EINVAL;
		}
		if (op->size)
			look_alloc(w, l, i);
		else
			look_free(l, op);
	}
	return 0;
}

static int workload_look_over(struct workload *w)
{
	struct look l = { .size = vcalloc(w->nr_ids, sizeof(*l.size)) };
	int err = l.size ? look_over(w, &l) : -ENOMEM;

	vfree(l.size);
	return err;
}

/* the whole file into w->file; how many bytes */
static ssize_t file_read(struct workload *w, struct file *file)
{
	size_t size = i_size_read(file_inode(file));
	loff_t pos = 0;

	w->file = vmalloc(size ?: 1);
	return w->file ? kernel_read(file, w->file, size, &pos) : -ENOMEM;
}

static ssize_t path_read(struct workload *w, const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	ssize_t bytes;

	if (IS_ERR(file))
		return PTR_ERR(file);
	bytes = file_read(w, file);
	filp_close(file, NULL);
	return bytes;
}

static bool header_valid(const struct file_header *h, ssize_t bytes)
{
	return bytes >= (ssize_t)sizeof(*h) &&
	       (bytes - sizeof(*h)) / sizeof(struct op) == h->nr_ops &&
	       (bytes - sizeof(*h)) % sizeof(struct op) == 0 && h->nr_ops;
}

static int parse(struct workload *w, const char *path, ssize_t bytes)
{
	const struct file_header *h = w->file;

	if (bytes < 0) {
		pr_err("bench: cannot read '%s': %zd\n", path, bytes);
		return bytes;
	}
	if (!header_valid(h, bytes)) {
		pr_err("bench: '%s' of %zd bytes is no workload; see workload.py\n", path, bytes);
		return -EINVAL;
	}
	w->nr_ops = h->nr_ops;
	w->nr_ids = h->nr_ids;
	w->ops = (const struct op *)(h + 1);
	return workload_look_over(w);
}

int workload_load(struct workload *w, const char *path)
{
	int err = parse(w, path, path_read(w, path));

	if (err)
		workload_unload(w);
	return err;
}

void workload_unload(struct workload *w)
{
	vfree(w->file);
	w->file = NULL;
}
