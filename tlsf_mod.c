// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf_mod: parameters, and the order of init and exit.
 *
 * Room: mod. Parses parameters and wires the rooms together; no other logic. Task context.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/stringify.h>

#include "tlsf_debugfs.h"
#include "tlsf_dev.h"
#include "tlsf_pool.h"
#include "tlsf_threshold.h"

/* ---- sizes ---- */

/* what a suffix multiplies by, as a shift; 0 when it is none */
static unsigned int suffix_shift(char suffix)
{
	static const char suffixes[] = "KMGTPE";
	const char *at = suffix ? strchr(suffixes, toupper(suffix)) : NULL;

	return at ? 10 * (at - suffixes + 1) : 0;
}

/* of the number that @val begins with; an E is a digit in a hexadecimal one */
static size_t digits_len(const char *val)
{
	if (val[0] == '0' && toupper(val[1]) == 'X')
		return 2 + strspn(val + 2, "0123456789abcdefABCDEF");
	return strspn(val, "0123456789");
}

/*
 * A number, K, M, G, T, P or E behind it or not, and the newline that echo adds. What
 * does not fit is refused: memparse() would let it wrap.
 */
static int size_parse(const char *val, unsigned long *bytes)
{
	size_t len = digits_len(val);
	unsigned int shift = suffix_shift(val[len]);
	const char *end = val + len + !!shift;
	unsigned long long n;
	char number[32];
	int err;

	if (*end == '\n')
		end++;
	if (*end || !len || len >= sizeof(number))
		return -EINVAL;
	strscpy(number, val, len + 1);
	err = kstrtoull(number, 0, &n);
	if (err)
		return err;
	if (n > ULONG_MAX >> shift)
		return -ERANGE;
	*bytes = (unsigned long)n << shift;
	return 0;
}

static int size_set(const char *val, const struct kernel_param *kp)
{
	unsigned long bytes;
	int err = size_parse(val, &bytes);

	if (err) {
		pr_err("tlsf: %s=%.*s refused: give bytes, up to %lu, with K, M, G, T, P or E if you like\n",
		       kp->name, (int)strcspn(val, "\n"), val, ULONG_MAX);
		return err;
	}
	WRITE_ONCE(*(unsigned long *)kp->arg, bytes);
	return 0;
}

static int size_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%lu\n", *(unsigned long *)kp->arg);
}

static const struct kernel_param_ops size_ops = { .set = size_set, .get = size_get };

/* ---- parameters ---- */

static unsigned long pool_size = 16UL << 20;	/* tlsf_pool_init() knows the limits */

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
MODULE_PARM_DESC(quota_blocks, "blocks that one open /dev/tlsf may hold (default 1048576, 0 for no limit)");
module_param_cb(quota_bytes, &size_ops, &tlsf_dev_quota_bytes, 0644);
MODULE_PARM_DESC(quota_bytes, "bytes that one open /dev/tlsf may hold, with K/M/G, 0 for no limit (default 0)");

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
MODULE_AUTHOR("The tlsf maintainers");
MODULE_DESCRIPTION("Bounded-time memory pool: two-level segregated fit");
MODULE_VERSION(__stringify(TLSF_VERSION));	/* dkms.conf */
MODULE_LICENSE("GPL");
