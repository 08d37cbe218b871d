// SPDX-License-Identifier: GPL-2.0-only
/*
 * Views for people: <debugfs>/tlsf/<pool>/{stats,latency,map}.
 *
 * Room: views. Reads the pool and its histograms through their interfaces and changes
 * nothing. No ABI promise: programs use /dev/tlsf. Task context.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "tlsf_debugfs.h"
#include "tlsf_latency.h"
#include "tlsf_pool.h"

static struct dentry *root;

static int stats_show(struct seq_file *m, void *unused)
{
	struct tlsf_pool *pool = m->private;
	struct tlsf_pool_stats s;

	tlsf_pool_stats(pool, &s);
#define SHOW(name) seq_printf(m, "%-16s %12llu\n", #name, s.name);
	SHOW(pool_bytes)
	SHOW(max_request)
	TLSF_POOL_FIGURES(SHOW)
#undef SHOW
	seq_printf(m, "steps_max_seen   %12u\n", tlsf_pool_steps_seen(pool));
	seq_printf(m, "steps_max        %12u\n", tlsf_pool_steps_max());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* a context that never occurred is not shown */
static void latency_row(struct seq_file *m, enum tlsf_lat_op op, const char *kind,
			enum tlsf_lat_context context, const struct tlsf_latency_histogram *h)
{
	char symbol[64];

	if (!h->count)
		return;
	seq_printf(m, "%-7s %-6s %-8s %10llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu\n",
		   tlsf_latency_op_name(op), kind, tlsf_latency_context_name(context),
		   h->count, h->min, div64_u64(h->sum, h->count),
		   tlsf_latency_percentile(h, 50000), tlsf_latency_percentile(h, 99000),
		   tlsf_latency_percentile(h, 99900), tlsf_latency_percentile(h, 99990), h->max);
	seq_printf(m, "#   worst: size %zu align %zu steps %u cpu %u from %s\n", h->worst.size,
		   h->worst.align, h->worst.steps, h->worst.cpu,
		   tlsf_latency_symbol(h->worst.caller, symbol, sizeof(symbol)) ? symbol :
		   "(module gone)");
}

static void latency_rows(struct seq_file *m, enum tlsf_lat_op op,
			 struct tlsf_latency_histogram *h)
{
	static const char *const kind_name[] = { "hold", "total" };
	struct tlsf_latency *lat = tlsf_pool_latency(m->private);
	unsigned int kind, context;

	for (kind = 0; kind < TLSF_LAT_KINDS; kind++) {
		for (context = TLSF_LAT_TASK; context < TLSF_LAT_CONTEXTS; context++) {
			tlsf_latency_read(lat, op, kind, context, h);
			latency_row(m, op, kind_name[kind], context, h);
		}
	}
}

static int latency_show(struct seq_file *m, void *unused)
{
	struct tlsf_latency_histogram *h = kmalloc(sizeof(*h), GFP_KERNEL);
	unsigned int op;

	if (!h)
		return -ENOMEM;
	seq_printf(m, "# recording %s; cycles of %llu Hz, the clock's own %llu subtracted\n",
		   tlsf_latency_enabled() ? "on" : "off", tlsf_clock_hz(), tlsf_clock_overhead());
	seq_puts(m, "#op     part   context       count      min     mean      p50      p99    p99.9   p99.99      max\n");
	for (op = 0; op < TLSF_LAT_NR; op++)
		latency_rows(m, op, h);
	kfree(h);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

/*
 * The map, one line for each block. Between two lines nothing is held but a chunk of
 * blocks, so that memory does not grow with the pool; one read() gets a page at most.
 */
struct map_view {
	struct tlsf_pool *pool;
	struct tlsf_pool_cursor at;	/* behind the chunk */
	loff_t first;			/* line of blocks[0] */
	unsigned int nr;
	bool last;			/* there is no chunk behind this one */
	bool changed;			/* because the pool changed: a last line says so */
	struct tlsf_pool_block blocks[TLSF_POOL_WALK_CHUNK];
};

static void map_rewind(struct map_view *view)
{
	*view = (struct map_view){ .pool = view->pool };
}

static void map_advance(struct map_view *view)
{
	view->first += view->nr;
	view->nr = TLSF_POOL_WALK_CHUNK;
	if (tlsf_pool_walk(view->pool, &view->at, view->blocks, &view->nr, false)) {
		view->changed = true;
		view->nr = 0;
	}
	view->last = view->nr < TLSF_POOL_WALK_CHUNK;
	cond_resched();
}

/* the block of line @pos, or the view itself for the last line of one that changed */
static void *map_line(struct map_view *view, loff_t pos)
{
	while (pos >= view->first + view->nr && !view->last)
		map_advance(view);
	if (pos < view->first + view->nr)
		return &view->blocks[pos - view->first];
	return view->changed && pos == view->first + view->nr ? view : NULL;
}

static void *map_start(struct seq_file *m, loff_t *pos)
{
	struct map_view *view = m->private;

	if (!*pos || *pos < view->first)
		map_rewind(view);
	return map_line(view, *pos);
}

static void *map_next(struct seq_file *m, void *line, loff_t *pos)
{
	return map_line(m->private, ++*pos);
}

static void map_stop(struct seq_file *m, void *line)
{
}

static int map_show(struct seq_file *m, void *line)
{
	const struct tlsf_pool_block *b = line;

	if (line == m->private)
		seq_puts(m, "# the pool changed meanwhile: read again for the rest\n");
	else
		seq_printf(m, "%12zu %12zu %s\n", b->offset, b->size, b->free ? "free" : "used");
	return 0;
}

static const struct seq_operations map_ops = {
	.start = map_start,
	.next = map_next,
	.stop = map_stop,
	.show = map_show,
};

static int map_open(struct inode *inode, struct file *file)
{
	struct map_view *view = __seq_open_private(file, &map_ops, sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->pool = inode->i_private;
	return 0;
}

static const struct file_operations map_fops = {
	.owner = THIS_MODULE,
	.open = map_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static void pool_created(struct tlsf_pool *pool)
{
	struct dentry *dir = debugfs_create_dir(tlsf_pool_name(pool), root);

	debugfs_create_file("stats", 0400, dir, pool, &stats_fops);
	debugfs_create_file("latency", 0400, dir, pool, &latency_fops);
	debugfs_create_file("map", 0400, dir, pool, &map_fops);
}

/* waits for readers */
static void pool_destroyed(struct tlsf_pool *pool)
{
	struct dentry *dir = debugfs_lookup(tlsf_pool_name(pool), root);

	debugfs_remove(dir);
	dput(dir);
}

static const struct tlsf_pool_notifier views = {
	.created = pool_created,
	.destroyed = pool_destroyed,
};

/**
 * tlsf_debugfs_init() - show all pools, now and to come
 *
 * Context: task. Failure is harmless: there are no views then.
 */
void tlsf_debugfs_init(void)
{
	root = debugfs_create_dir("tlsf", NULL);
	tlsf_pool_notify(&views);
}

/**
 * tlsf_debugfs_exit() - show no pool any more
 *
 * Context: task.
 */
void tlsf_debugfs_exit(void)
{
	tlsf_pool_notify(NULL);
	debugfs_remove(root);
}
