// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device: open it, call it, explain what it answers.
 *
 * Room: cli. The only part that issues ioctls. Each open file has its
 * own handles; threads that share none need no locking here.
 */
#include "dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int dev_call(struct dev *dev, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(dev->fd, request, arg);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static int explain_open(const char *path, int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		complain("%s: no such device: the module is not loaded; load it with "
			 "'modprobe tlsf_mod', or 'insmod tlsf_mod.ko' where it was built", path);
		break;
	case EACCES:
	case EPERM:
		complain("%s: permission denied: run as root, or as a member of the group 'tlsf' "
			 "where the udev rule is installed", path);
		break;
	case EISDIR:
		complain("%s: a directory, not the tlsf device; give the device with --device",
			 path);
		break;
	default:
		complain("%s: cannot open: %s", path, strerror(err));
	}
	return EXIT_DEVICE;
}

static int explain_abi(const struct dev *dev)
{
	complain("%s: the module speaks ABI %u, this command ABI %u: install both from one version",
		 dev->path, dev->info.abi_version, TLSF_ABI_VERSION);
	return EXIT_DEVICE;
}

/* Says why @call failed; returns the exit code that fits. */
int dev_explain(const struct dev *dev, const char *call, int err)
{
	switch (-err) {
	case ENOTTY:
		complain("%s: %s is not a call of this device: wrong device, or an older module; "
			 "give the device with --device", dev->path, call);
		return EXIT_DEVICE;
	case E2BIG:
		complain("%s: %s: the module is older than this command: install both from one "
			 "version", dev->path, call);
		return EXIT_DEVICE;
	default:
		complain("%s: %s failed: %s (%s)", dev->path, call, strerror(-err),
			 errno_name(-err));
		return EXIT_BAD;
	}
}

/* Leaves the device open with its constants read, or says why not. */
int dev_open(struct dev *dev, const char *path)
{
	int err;

	*dev = (struct dev){ .path = path, .info.argsz = sizeof(dev->info) };
	dev->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (dev->fd < 0)
		return explain_open(path, errno);
	err = dev_call(dev, TLSF_IOC_INFO, &dev->info);
	if (!err && dev->info.abi_version == TLSF_ABI_VERSION)
		return EXIT_OK;
	err = err ? dev_explain(dev, "INFO", err) : explain_abi(dev);
	dev_close(dev);
	return err ? EXIT_DEVICE : EXIT_OK;
}

void dev_close(struct dev *dev)
{
	close(dev->fd);
	dev->fd = -1;
}

/* One operation by its own ioctl; the outcome is in @op->result as in a batch. */
int dev_op(struct dev *dev, struct tlsf_op *op)
{
	static const unsigned long request[] = {
		[TLSF_OP_ALLOC] = TLSF_IOC_ALLOC,	[TLSF_OP_FREE] = TLSF_IOC_FREE,
		[TLSF_OP_RESIZE] = TLSF_IOC_RESIZE,	[TLSF_OP_FILL] = TLSF_IOC_FILL,
		[TLSF_OP_VERIFY] = TLSF_IOC_VERIFY,
	};

	op->argsz = sizeof(*op);
	op->result = dev_call(dev, request[op->opcode], op);
	return op->result;
}

int dev_batch(struct dev *dev, struct tlsf_op *ops, u32 nr, u32 *done)
{
	struct tlsf_batch batch = {
		.argsz = sizeof(batch), .nr_ops = nr, .ops = (uintptr_t)ops,
	};
	int err = dev_call(dev, TLSF_IOC_BATCH, &batch);

	*done = err ? 0 : batch.nr_ops;
	return err;
}

int dev_stats(struct dev *dev, struct tlsf_stats *stats)
{
	*stats = (struct tlsf_stats){ .argsz = sizeof(*stats) };
	return dev_call(dev, TLSF_IOC_STATS, stats);
}

/* The caller sets @h->op and @h->kind. */
int dev_histogram(struct dev *dev, struct tlsf_histogram *h, u64 *buckets, u32 nr)
{
	h->argsz = sizeof(*h);
	h->nr_buckets = nr;
	h->buckets = (uintptr_t)buckets;
	return dev_call(dev, TLSF_IOC_HISTOGRAM, h);
}

int dev_reset(struct dev *dev, u32 flags)
{
	struct tlsf_reset reset = { .argsz = sizeof(reset), .flags = flags };

	return dev_call(dev, TLSF_IOC_RESET, &reset);
}

int dev_check(struct dev *dev, struct tlsf_check *check)
{
	*check = (struct tlsf_check){ .argsz = sizeof(*check) };
	return dev_call(dev, TLSF_IOC_CHECK, check);
}

int dev_walk(struct dev *dev, struct tlsf_walk *walk)
{
	walk->argsz = sizeof(*walk);
	return dev_call(dev, TLSF_IOC_WALK, walk);
}

/* The caller sets @t->flags and @t->max_cycles. */
int dev_threshold(struct dev *dev, struct tlsf_threshold *t)
{
	t->argsz = sizeof(*t);
	return dev_call(dev, TLSF_IOC_THRESHOLD, t);
}

const char *dev_unit(const struct dev *dev)
{
	switch (dev->info.cycle_unit) {
	case TLSF_CYCLE_TSC:
		return "tsc";
	case TLSF_CYCLE_NS:
		return "ns";
	case TLSF_CYCLE_CNTVCT:
		return "cntvct";
	}
	return "unknown";
}

double dev_ns(const struct dev *dev, double cycles)
{
	return dev->info.cycle_hz ? cycles * 1e9 / (double)dev->info.cycle_hz : 0;
}

void dev_print_clock(const struct dev *dev)
{
	printf("1 cycle = 1 %s tick of %llu Hz = %.3f ns; clock overhead %llu cycles, subtracted%s\n",
	       dev_unit(dev), dev->info.cycle_hz, dev_ns(dev, 1), dev->info.clock_overhead,
	       dev->info.flags & TLSF_INFO_LATENCY ? "" : "; recording is OFF");
}

json_t *dev_clock_json(const struct dev *dev)
{
	return json_pack("{s:s, s:I, s:I, s:b}", "unit", dev_unit(dev),
			 "hz", (json_int_t)dev->info.cycle_hz,
			 "overhead_cycles", (json_int_t)dev->info.clock_overhead,
			 "recording", !!(dev->info.flags & TLSF_INFO_LATENCY));
}
