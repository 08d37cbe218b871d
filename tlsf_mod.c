// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf_mod: parameters, and the order of init and exit.
 *
 * Room: module. Wires the rooms together and has no logic of its own.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "tlsf_debugfs.h"
#include "tlsf_dev.h"
#include "tlsf_pool.h"
#include "tlsf_threshold.h"

static u64 pool_size = 16ULL << 20;

/* a size with K, M, G, T, P or E behind it; tlsf_pool_init() knows the limits */
static int size_set(const char *val, const struct kernel_param *kp)
{
	char *end;
	u64 bytes = memparse(val, &end);

	if (end == val || (*end && *end != '\n') || !bytes) {
		pr_err("tlsf: %s=%s refused: give bytes, with K, M or G if you like\n",
		       kp->name, val);
		return -EINVAL;
	}
	*(u64 *)kp->arg = bytes;
	return 0;
}

static int size_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", *(u64 *)kp->arg);
}

static const struct kernel_param_ops size_ops = { .set = size_set, .get = size_get };

module_param_cb(pool_size, &size_ops, &pool_size, 0444);
MODULE_PARM_DESC(pool_size, "bytes of the default pool, with K/M/G (default 16M)");

static bool latency = true;

static int latency_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	if (!err)
		tlsf_latency_enable(latency);
	return err;
}

static const struct kernel_param_ops latency_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = latency_set,
	.get = param_get_bool,
};

module_param_cb(latency, &latency_ops, &latency, 0644);
MODULE_PARM_DESC(latency, "record latency histograms (default 1)");

static int max_cycles_set(const char *val, const struct kernel_param *kp)
{
	u64 cycles;
	int err = kstrtou64(val, 0, &cycles);

	if (err)
		pr_err("tlsf: %s=%s refused: give a number of cycles, 0 for none\n", kp->name,
		       val);
	else
		tlsf_threshold_set(cycles);
	return err;
}

static int max_cycles_get(char *buffer, const struct kernel_param *kp)
{
	struct tlsf_threshold_state state;

	tlsf_threshold_read(&state);
	return sysfs_emit(buffer, "%llu\n", state.max_cycles);
}

static const struct kernel_param_ops max_cycles_ops = {
	.set = max_cycles_set,
	.get = max_cycles_get,
};

module_param_cb(max_cycles, &max_cycles_ops, NULL, 0644);
MODULE_PARM_DESC(max_cycles, "first operation above it stops tracing and wakes poll() on /dev/tlsf (default 0: none)");

module_param_named(quota_blocks, tlsf_dev_quota_blocks, uint, 0644);
MODULE_PARM_DESC(quota_blocks, "blocks that one open /dev/tlsf may hold (default 1048576)");
module_param_named(quota_bytes, tlsf_dev_quota_bytes, ulong, 0644);
MODULE_PARM_DESC(quota_bytes, "bytes that one open /dev/tlsf may hold, 0 for all (default 0)");

static int __init tlsf_init(void)
{
	int err;

	tlsf_clock_calibrate();
	tlsf_latency_enable(latency);
	err = tlsf_pool_init(pool_size);
	if (err)
		goto disable_latency;
	tlsf_debugfs_init();
	err = tlsf_dev_init();
	if (err)
		goto exit_debugfs;
	return 0;

exit_debugfs:
	tlsf_debugfs_exit();
	tlsf_pool_exit();
disable_latency:
	tlsf_threshold_exit();
	tlsf_latency_enable(false);
	return err;
}

static void __exit tlsf_exit(void)
{
	tlsf_dev_exit();
	tlsf_debugfs_exit();
	tlsf_pool_exit();
	tlsf_threshold_exit();
	tlsf_latency_enable(false);
}

module_init(tlsf_init);
module_exit(tlsf_exit);
MODULE_DESCRIPTION("Bounded-time memory pool: two-level segregated fit");
MODULE_LICENSE("GPL");
