// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/tlsf: allocate, free and look at the default pool through ioctl.
 *
 * Room: dev. A client of the pool, of its figures and of the threshold (tlsf_pool.h,
 * tlsf_latency.h, tlsf_threshold.h); knows neither the core nor the pool's insides. Task
 * context only.
 *
 * User space names blocks by handles. A handle belongs to the open file that got it,
 * is given out in cyclic order so that a stale one is soon recognised, and ends with
 * the file, however that ends. One table drives the dispatch: an entry knows its
 * struct's sizes and its function or opcode, and the dispatcher does all copying. It writes
 * the struct back before the function runs as well as after, so that a pointer that cannot
 * be written is found while nothing has happened yet.
 *
 * No request keeps the processor for longer than TLSF_POOL_PIECE bytes take: between such
 * pieces others may run, and a task that was killed stops.
 *
 * Locking: tlsf_file.lock, a mutex, guards everything of one open file; it is taken
 * once for an ioctl. The pool's own lock nests inside it.
 */
#define pr_fmt(fmt) "tlsf: " fmt

#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>
#include <uapi/linux/tlsf.h>

#include "tlsf_contents.h"
#include "tlsf_dev.h"
#include "tlsf_latency.h"
#include "tlsf_pool.h"
#include "tlsf_threshold.h"

unsigned int tlsf_dev_quota_blocks = 1U << 20;
unsigned long tlsf_dev_quota_bytes;

static_assert(sizeof(struct tlsf_op) == 64, "ABI");
static_assert(sizeof(struct tlsf_block_desc) == 24, "ABI");

/* a block and what must be remembered to resize it and to account for it */
struct handle {
	void *ptr;
	size_t usable;
	size_t align;
	struct tlsf_contents contents;
	u32 id;
	struct rb_node node;	/* in tlsf_file.by_address */
};

struct tlsf_file {
	struct mutex lock;	/* guards all below */
	struct xarray handles;	/* id -> struct handle */
	struct rb_root by_address;
	u32 next_id;
	u32 nr_blocks;
	u64 bytes;
	struct tlsf_pool_cursor walk;	/* where the last WALK ended */
};

/* handles that the operations of a batch got so far, for TLSF_OP_REF */
struct batch_refs {
	const struct tlsf_op *ops;
	u32 nr;
};

/* ---- handles ---- */

static u32 quota_blocks(void)
{
	return READ_ONCE(tlsf_dev_quota_blocks) ?: U32_MAX;
}

static u64 quota_bytes(void)
{
	return READ_ONCE(tlsf_dev_quota_bytes) ?: U64_MAX;
}

/* bytes that the file may still hold; without a quota any request goes to the pool */
static u64 quota_bytes_left(const struct tlsf_file *file)
{
	u64 quota = quota_bytes();

	return quota == U64_MAX ? quota : quota - min(quota, file->bytes);
}

static struct handle *handle_get(struct tlsf_file *file, u32 id)
{
	lockdep_assert_held(&file->lock);
	return id ? xa_load(&file->handles, id) : NULL;
}

static bool handle_below(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct handle, node)->ptr < rb_entry(b, struct handle, node)->ptr;
}

static size_t handle_offset(const struct handle *h)
{
	return tlsf_pool_offset(tlsf_default_pool, h->ptr);
}

/* in the order of addresses */
static struct handle *handle_next(const struct handle *h)
{
	return rb_entry_safe(rb_next(&h->node), struct handle, node);
}

/* the lowest handle whose block is at @offset or above, or NULL */
static struct handle *handle_from(const struct tlsf_file *file, size_t offset)
{
	struct rb_node *node = file->by_address.rb_node;
	struct handle *h, *found = NULL;

	while (node) {
		h = rb_entry(node, struct handle, node);
		if (handle_offset(h) >= offset) {
			found = h;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static int handle_add(struct tlsf_file *file, struct handle *h)
{
	int err = xa_alloc_cyclic(&file->handles, &h->id, h, XA_LIMIT(1, INT_MAX),
				  &file->next_id, GFP_KERNEL_ACCOUNT);

	if (err < 0)
		return err;
	rb_add(&h->node, &file->by_address, handle_below);
	file->nr_blocks++;
	file->bytes += h->usable;
	return 0;
}

/* the block is at @ptr now, and so large; its contents are @kept from before */
static void handle_resize(struct tlsf_file *file, struct handle *h, void *ptr, size_t usable,
			  size_t kept)
{
	if (ptr != h->ptr) {
		rb_erase(&h->node, &file->by_address);
		h->ptr = ptr;
		rb_add(&h->node, &file->by_address, handle_below);
	}
	/* not the difference of two size_t, which wraps at 32 bits where those have 32 */
	file->bytes = file->bytes - h->usable + usable;
	h->usable = usable;
	h->contents.known = min(h->contents.known, kept);
}

static void handle_remove(struct tlsf_file *file, struct handle *h)
{
	xa_erase(&file->handles, h->id);
	rb_erase(&h->node, &file->by_address);
	file->nr_blocks--;
	file->bytes -= h->usable;
	kfree(h);
}

/* ---- operations, alone or in a batch ---- */

static int op_alloc(struct tlsf_file *file, struct tlsf_op *op)
{
	size_t align = op->align ?: TLSF_MINALIGN;
	struct tlsf_cost cost;
	struct handle *h;
	int err;

	if (!op->size || op->seed || !is_power_of_2(align) || op->align > SIZE_MAX)
		return -EINVAL;
	if (op->size > SIZE_MAX)
		return -E2BIG;
	if (file->nr_blocks >= quota_blocks() ||
	    op->size > quota_bytes_left(file))
		return -EDQUOT;
	h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h)
		return -ENOMEM;
	h->align = align;
	/* zeroed here, in pieces, and not by the pool in one go */
	err = tlsf_pool_alloc_cost(tlsf_default_pool, align, op->size, __GFP_NOWARN, &h->ptr,
				   &cost);
	op->cycles = cost.hold;
	if (err)
		goto free_handle;
	h->usable = cost.usable;
	if (op->flags & TLSF_OP_ZERO)
		err = tlsf_contents_fill(&h->contents, h->ptr, h->usable, true, 0);
	err = err ?: handle_add(file, h);
	if (err)
		goto free_block;
	op->handle = h->id;
	op->usable = h->usable;
	return 0;

free_block:
	tlsf_pool_free(tlsf_default_pool, h->ptr);
free_handle:
	kfree(h);
	return err;
}

static int op_free(struct tlsf_file *file, struct tlsf_op *op)
{
	struct handle *h = handle_get(file, op->handle);
	struct tlsf_cost cost;
	int err;

	if (op->size || op->align || op->seed)
		return -EINVAL;
	if (!h)
		return -ENOENT;
	err = tlsf_pool_free_cost(tlsf_default_pool, h->ptr, &cost);
	op->cycles = cost.hold;
	handle_remove(file, h);
	return err;
}

static int op_resize(struct tlsf_file *file, struct tlsf_op *op)
{
	struct handle *h = handle_get(file, op->handle);
	struct tlsf_cost cost;
	void *ptr;
	int err;

	if (!op->size || op->align || op->seed)
		return -EINVAL;
	if (!h)
		return -ENOENT;
	if (op->size > SIZE_MAX)
		return -E2BIG;
	if (op->size > h->usable && op->size - h->usable > quota_bytes_left(file))
		return -EDQUOT;
	ptr = h->ptr;
	err = tlsf_pool_resize_cost(tlsf_default_pool, h->align, op->size,
				    !(op->flags & TLSF_OP_INPLACE), &ptr, &cost);
	op->cycles = cost.hold;
	op->usable = cost.usable;
	if (cost.usable)
		handle_resize(file, h, ptr, cost.usable, cost.kept);
	return err;
}

static int op_fill(struct tlsf_file *file, struct tlsf_op *op)
{
	struct handle *h = handle_get(file, op->handle);
	int err;

	if (op->size || op->align)
		return -EINVAL;
	if (!h)
		return -ENOENT;
	err = tlsf_contents_fill(&h->contents, h->ptr, h->usable, false, op->seed);
	op->usable = h->contents.known;
	return err;
}

static int op_verify(struct tlsf_file *file, struct tlsf_op *op)
{
	struct handle *h = handle_get(file, op->handle);
	bool zeros = op->flags & TLSF_OP_ZERO;
	size_t at = 0;
	int err;

	if (op->align || (zeros && op->seed))
		return -EINVAL;
	if (!h)
		return -ENOENT;
	if (op->size > h->usable)
		return -EINVAL;
	err = tlsf_contents_verify(&h->contents, h->ptr, op->size ?: h->usable, zeros, op->seed,
				   &at);
	op->usable = at;
	return err;
}

static const struct {
	int (*run)(struct tlsf_file *file, struct tlsf_op *op);
	u32 flags;
} op_table[] = {
	[TLSF_OP_ALLOC] = { op_alloc, TLSF_OP_ZERO },
	[TLSF_OP_FREE] = { op_free, TLSF_OP_REF },
	[TLSF_OP_RESIZE] = { op_resize, TLSF_OP_REF | TLSF_OP_INPLACE },
	[TLSF_OP_FILL] = { op_fill, TLSF_OP_REF },
	[TLSF_OP_VERIFY] = { op_verify, TLSF_OP_REF | TLSF_OP_ZERO },
};

/* the handle that an earlier ALLOC of the batch got */
static int resolve_ref(struct tlsf_op *op, const struct batch_refs *refs)
{
	if (!refs || op->handle >= refs->nr ||
	    refs->ops[op->handle].opcode != TLSF_OP_ALLOC)
		return -EINVAL;
	if (refs->ops[op->handle].result)
		return -ENOENT;
	op->handle = refs->ops[op->handle].handle;
	return 0;
}

/* check what all operations have in common, and run @op; the result is also in it */
static int op_run(struct tlsf_file *file, struct tlsf_op *op, const struct batch_refs *refs)
{
	int err;

	op->usable = 0;
	op->cycles = 0;
	if (op->opcode == TLSF_OP_ALLOC)
		op->handle = 0;
	if (!op->opcode || op->opcode >= ARRAY_SIZE(op_table) || op->reserved ||
	    op->flags & ~op_table[op->opcode].flags)
		err = -EINVAL;
	else if (op->flags & TLSF_OP_REF)
		err = resolve_ref(op, refs);
	else
		err = 0;
	op->result = err ?: op_table[op->opcode].run(file, op);
	return op->result;
}

static void batch_run(struct tlsf_file *file, struct tlsf_op *ops, struct tlsf_batch *batch)
{
	struct batch_refs refs = { .ops = ops };
	u32 nr = batch->nr_ops;

	batch->nr_failed = 0;
	for (; refs.nr < nr && !fatal_signal_pending(current); refs.nr++) {
		struct tlsf_op *op = &ops[refs.nr];

		if (op->argsz != sizeof(*op))
			op->result = -EINVAL;
		else
			op_run(file, op, &refs);
		batch->nr_failed += op->result < 0;
		cond_resched();
	}
	batch->nr_ops = refs.nr;
}

static int ioctl_batch(struct tlsf_file *file, void *arg)
{
	struct tlsf_batch *batch = arg;
	void __user *user = u64_to_user_ptr(batch->ops);
	struct tlsf_op *ops;
	int err = 0;

	if (batch->flags || !batch->nr_ops)
		return -EINVAL;
	if (batch->nr_ops > TLSF_BATCH_MAX)
		return -E2BIG;
	ops = vmemdup_user(user, array_size(batch->nr_ops, sizeof(*ops)));
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	/* results must have a place before there are any */
	if (copy_to_user(user, ops, array_size(batch->nr_ops, sizeof(*ops)))) {
		err = -EFAULT;
		goto free_ops;
	}
	batch_run(file, ops, batch);
	if (copy_to_user(user, ops, array_size(batch->nr_ops, sizeof(*ops))))
		err = -EFAULT;
free_ops:
	kvfree(ops);
	return err;
}

/* ---- looking ---- */

static int ioctl_info(struct tlsf_file *file, void *arg)
{
	struct tlsf_info *info = arg;
	struct tlsf_pool_stats s;

	if (info->flags)
		return -EINVAL;
	tlsf_pool_stats(tlsf_default_pool, &s);
	*info = (struct tlsf_info){
		.argsz = info->argsz,
		.flags = tlsf_latency_enabled() ? TLSF_INFO_LATENCY : 0,
		.abi_version = TLSF_ABI_VERSION,
		.cycle_unit = TLSF_CLOCK_UNIT,
		.cycle_hz = tlsf_clock_hz(),
		.clock_overhead = tlsf_clock_overhead(),
		.pool_bytes = s.pool_bytes,
		.max_request = s.max_request,
		.granule = TLSF_MINALIGN,
		.min_usable = tlsf_pool_min_usable(),
		.block_overhead = sizeof(size_t),
		.max_batch = TLSF_BATCH_MAX,
		.quota_bytes = quota_bytes(),
		.quota_blocks = quota_blocks(),
		.steps_max = tlsf_pool_steps_max(),
	};
	strscpy(info->name, tlsf_pool_name(tlsf_default_pool), sizeof(info->name));
	return 0;
}

static int ioctl_stats(struct tlsf_file *file, void *arg)
{
	struct tlsf_stats *stats = arg;
	struct tlsf_pool_stats s;

	if (stats->flags)
		return -EINVAL;
	tlsf_pool_stats(tlsf_default_pool, &s);
	*stats = (struct tlsf_stats){
		.argsz = stats->argsz,
		.file_bytes = file->bytes,
		.file_blocks = file->nr_blocks,
		.steps_max_seen = tlsf_pool_steps_seen(tlsf_default_pool),
#define COPY(name) .name = s.name,
		TLSF_POOL_FIGURES(COPY)
#undef COPY
	};
	return 0;
}

static void witness_export(struct tlsf_witness *to, const struct tlsf_latency_witness *w)
{
	*to = (struct tlsf_witness){
		.cycles = w->cycles,
		.time_ns = w->time_ns,
		.size = w->size,
		.align = w->align,
		.hold = w->hold,
		.steps = w->steps,
		.cpu = w->cpu,
		.context = w->cycles ? w->context - TLSF_LAT_TASK : 0,
	};
	if (w->cycles)
		tlsf_latency_symbol(w->caller, to->symbol, sizeof(to->symbol));
}

static int ioctl_histogram(struct tlsf_file *file, void *arg)
{
	struct tlsf_histogram *to = arg;
	struct tlsf_latency_histogram *h;
	u32 nr = min_t(u32, to->nr_buckets, TLSF_HISTOGRAM_BUCKETS);
	int err = 0;

	if (to->flags || to->reserved || to->reserved2 || to->op >= TLSF_LAT_NR ||
	    to->kind >= TLSF_LAT_KINDS || to->context >= TLSF_LAT_CONTEXTS)
		return -EINVAL;
	h = kmalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return -ENOMEM;
	tlsf_latency_read(tlsf_pool_latency(tlsf_default_pool), to->op, to->kind,
			  to->context, h);
	to->nr_buckets = to->buckets ? nr : 0;
	to->count = h->count;
	to->sum = h->sum;
	to->min = h->min;
	to->max = h->max;
	witness_export(&to->worst, &h->worst);
	if (copy_to_user(u64_to_user_ptr(to->buckets), h->bucket,
			 to->nr_buckets * sizeof(h->bucket[0])))
		err = -EFAULT;
	kfree(h);
	return err;
}

static int ioctl_reset(struct tlsf_file *file, void *arg)
{
	struct tlsf_reset *reset = arg;

	if (!reset->flags || reset->flags & ~(TLSF_RESET_LATENCY | TLSF_RESET_COUNTERS))
		return -EINVAL;
	if (reset->flags & TLSF_RESET_LATENCY)
		tlsf_latency_reset(tlsf_pool_latency(tlsf_default_pool));
	if (reset->flags & TLSF_RESET_COUNTERS)
		tlsf_pool_stats_reset(tlsf_default_pool);
	return 0;
}

static int ioctl_threshold(struct tlsf_file *file, void *arg)
{
	struct tlsf_threshold *to = arg;
	struct tlsf_threshold_state state;

	if (to->flags & ~TLSF_THRESHOLD_SET)
		return -EINVAL;
	if (to->flags & TLSF_THRESHOLD_SET)
		tlsf_threshold_set(to->max_cycles);
	tlsf_threshold_read(&state);
	to->max_cycles = state.max_cycles;
	to->exceeded = state.exceeded;
	to->op = state.op;
	strscpy_pad(to->pool, state.pool, sizeof(to->pool));
	witness_export(&to->witness, &state.witness);
	return 0;
}

static int ioctl_check(struct tlsf_file *file, void *arg)
{
	struct tlsf_check *check = arg;
	size_t offset, blocks;

	if (check->flags || check->reserved)
		return -EINVAL;
	check->invariant = tlsf_pool_check(tlsf_default_pool, &offset, &blocks);
	check->offset = check->invariant ? offset : 0;
	check->blocks = blocks;
	return check->invariant ? -EBADMSG : 0;
}

/* @blocks, in the order of their addresses, and whose they are */
static void walk_export(struct tlsf_file *file, struct tlsf_block_desc *map,
			const struct tlsf_pool_block *blocks, unsigned int nr)
{
	struct handle *h = nr ? handle_from(file, blocks[0].offset) : NULL;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		map[i] = (struct tlsf_block_desc){
			.offset = blocks[i].offset,
			.size = blocks[i].size,
			.state = blocks[i].free ? 0 : TLSF_BLOCK_USED,
		};
		while (h && handle_offset(h) < map[i].offset)
			h = handle_next(h);
		if (h && handle_offset(h) == map[i].offset) {
			map[i].state |= TLSF_BLOCK_MINE;
			map[i].handle = h->id;
		}
		cond_resched();
	}
}

/* a cursor that we gave out, so that nobody sees the pool's contents as a header */
static bool walk_cursor_known(const struct tlsf_file *file, const struct tlsf_walk *walk)
{
	return !walk->cursor || (walk->cursor == file->walk.offset &&
				 walk->generation == file->walk.generation);
}

static int walk_copy(struct tlsf_file *file, struct tlsf_walk *walk,
		     struct tlsf_pool_block *blocks, struct tlsf_block_desc *map)
{
	struct tlsf_pool_cursor at = { .offset = walk->cursor, .generation = walk->generation };
	unsigned int nr = walk->nr_blocks;
	int err = tlsf_pool_walk(tlsf_default_pool, &at, blocks, &nr,
				 walk->flags & TLSF_WALK_ATOMIC);

	if (err)
		return err;
	walk_export(file, map, blocks, nr);
	if (copy_to_user(u64_to_user_ptr(walk->blocks), map, nr * sizeof(*map)))
		return -EFAULT;
	walk->more = nr == walk->nr_blocks;
	walk->nr_blocks = nr;
	walk->cursor = at.offset;
	walk->generation = at.generation;
	file->walk = at;
	return 0;
}

static int ioctl_walk(struct tlsf_file *file, void *arg)
{
	struct tlsf_walk *walk = arg;
	struct tlsf_pool_block *blocks;
	struct tlsf_block_desc *map;
	int err = -ENOMEM;

	if (walk->flags & ~TLSF_WALK_ATOMIC || walk->more || !walk->nr_blocks ||
	    !walk_cursor_known(file, walk))
		return -EINVAL;
	if (walk->nr_blocks > TLSF_WALK_MAX)
		return -E2BIG;
	blocks = kvmalloc_array(walk->nr_blocks, sizeof(*blocks), GFP_KERNEL);
	map = kvmalloc_array(walk->nr_blocks, sizeof(*map), GFP_KERNEL);
	if (blocks && map)
		err = walk_copy(file, walk, blocks, map);
	kvfree(map);
	kvfree(blocks);
	return err;
}

/* ---- dispatch ---- */

union ioctl_arg {
	__u32 argsz;
	struct tlsf_info info;
	struct tlsf_op op;
	struct tlsf_batch batch;
	struct tlsf_stats stats;
	struct tlsf_histogram histogram;
	struct tlsf_reset reset;
	struct tlsf_check check;
	struct tlsf_walk walk;
	struct tlsf_threshold threshold;
};

struct ioctl_entry {
	unsigned int cmd;
	unsigned int min_size;	/* of the first release; never grows */
	unsigned int size;
	int (*run)(struct tlsf_file *file, void *arg);
	u32 opcode;		/* of a single operation, instead of @run */
};

#define ENTRY(_cmd, _run, _struct, _last) \
	[_IOC_NR(_cmd)] = { _cmd, offsetofend(struct _struct, _last), sizeof(struct _struct), _run }
#define SINGLE(_cmd, _opcode) \
	[_IOC_NR(_cmd)] = { _cmd, offsetofend(struct tlsf_op, reserved), sizeof(struct tlsf_op), \
			    NULL, _opcode }

static const struct ioctl_entry ioctl_table[] = {
	ENTRY(TLSF_IOC_INFO, ioctl_info, tlsf_info, name),
	SINGLE(TLSF_IOC_ALLOC, TLSF_OP_ALLOC),
	SINGLE(TLSF_IOC_FREE, TLSF_OP_FREE),
	SINGLE(TLSF_IOC_RESIZE, TLSF_OP_RESIZE),
	SINGLE(TLSF_IOC_FILL, TLSF_OP_FILL),
	SINGLE(TLSF_IOC_VERIFY, TLSF_OP_VERIFY),
	ENTRY(TLSF_IOC_BATCH, ioctl_batch, tlsf_batch, ops),
	ENTRY(TLSF_IOC_STATS, ioctl_stats, tlsf_stats, steps_max_seen),
	ENTRY(TLSF_IOC_HISTOGRAM, ioctl_histogram, tlsf_histogram, worst),
	ENTRY(TLSF_IOC_RESET, ioctl_reset, tlsf_reset, flags),
	ENTRY(TLSF_IOC_CHECK, ioctl_check, tlsf_check, blocks),
	ENTRY(TLSF_IOC_WALK, ioctl_walk, tlsf_walk, blocks),
	ENTRY(TLSF_IOC_THRESHOLD, ioctl_threshold, tlsf_threshold, witness),
};

/* by number, whatever size the caller's struct gave the command word */
static const struct ioctl_entry *entry_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (_IOC_TYPE(cmd) != TLSF_IOC_MAGIC || nr >= ARRAY_SIZE(ioctl_table) ||
	    _IOC_DIR(cmd) != _IOC_DIR(ioctl_table[nr].cmd))
		return NULL;
	return &ioctl_table[nr];
}

/* a single operation's opcode may be left out */
static int entry_call(const struct ioctl_entry *e, struct tlsf_file *file, union ioctl_arg *arg)
{
	if (e->run)
		return e->run(file, arg);
	if (arg->op.opcode && arg->op.opcode != e->opcode)
		return -EINVAL;
	arg->op.opcode = e->opcode;
	return op_run(file, &arg->op, NULL);
}

/* copy in, prove that copying out works, run, copy out */
static int entry_run(const struct ioctl_entry *e, struct tlsf_file *file, void __user *user)
{
	union ioctl_arg arg = {};
	size_t known;
	u32 argsz;
	int err;

	if (get_user(argsz, (u32 __user *)user))
		return -EFAULT;
	if (argsz < e->min_size)
		return -EINVAL;
	if (argsz > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&arg, e->size, user, argsz);
	if (err)
		return err;
	known = min_t(size_t, argsz, e->size);
	arg.argsz = argsz;
	if (copy_to_user(user, &arg, known))
		return -EFAULT;
	if (mutex_lock_killable(&file->lock))
		return -EINTR;
	err = entry_call(e, file, &arg);
	mutex_unlock(&file->lock);
	if (copy_to_user(user, &arg, known))
		return -EFAULT;
	return err;
}

static long tlsf_dev_ioctl(struct file *filp, unsigned int cmd, unsigned long user)
{
	const struct ioctl_entry *e = entry_find(cmd);

	return e ? entry_run(e, filp->private_data, (void __user *)user) : -ENOTTY;
}

/* urgent, and to be had, from when the threshold was exceeded until it is set again */
static __poll_t tlsf_dev_poll(struct file *filp, struct poll_table_struct *wait)
{
	poll_wait(filp, &tlsf_threshold_queue, wait);
	return tlsf_threshold_exceeded() ? EPOLLPRI : 0;
}

/* ---- life of an open file ---- */

static int tlsf_dev_open(struct inode *inode, struct file *filp)
{
	struct tlsf_file *file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	xa_init_flags(&file->handles, XA_FLAGS_ALLOC1);
	file->by_address = RB_ROOT;
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

static int tlsf_dev_release(struct inode *inode, struct file *filp)
{
	struct tlsf_file *file = filp->private_data;
	struct handle *h;
	unsigned long id;

	/* erased one by one: to destroy them all at once is one stretch with interrupts off */
	xa_for_each(&file->handles, id, h) {
		tlsf_pool_free(tlsf_default_pool, h->ptr);
		xa_erase(&file->handles, id);
		kfree(h);
		cond_resched();
	}
	xa_destroy(&file->handles);
	kfree(file);
	return 0;
}

static const struct file_operations tlsf_dev_fops = {
	.owner = THIS_MODULE,
	.open = tlsf_dev_open,
	.release = tlsf_dev_release,
	.poll = tlsf_dev_poll,
	.unlocked_ioctl = tlsf_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice tlsf_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tlsf",
	.fops = &tlsf_dev_fops,
	.mode = 0600,
};

/**
 * tlsf_dev_init() - make /dev/tlsf appear
 *
 * Context: task; after tlsf_pool_init().
 * Return: 0 or a negative errno.
 */
int tlsf_dev_init(void)
{
	return misc_register(&tlsf_dev);
}

/**
 * tlsf_dev_exit() - make /dev/tlsf disappear; no file is open, or the module would
 * not go
 *
 * Context: task.
 */
void tlsf_dev_exit(void)
{
	misc_deregister(&tlsf_dev);
}
