// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees what is no block from a probe inside the allocator's own section, for the test of
 * what is counted without the pool's lock.
 *
 * Room: vm. A plain client of linux/tlsf.h. Does it once, in the default
 * pool, while it is loaded.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/tlsf.h>

static bool freed;

static int free_no_block(struct kprobe *unused, struct pt_regs *regs)
{
	if (!xchg(&freed, true))
		tlsf_kfree(&freed);
	return 0;
}

/* what ends a section of the slow path, which requests for zeroed memory take */
static struct kprobe probe = {
	.symbol_name = "tlsf_slow_end",
	.pre_handler = free_no_block,
};

static int __init probe_init(void)
{
	int err = register_kprobe(&probe);

	if (err)
		return -EOPNOTSUPP;
	tlsf_kfree(tlsf_kzalloc(64, GFP_KERNEL));
	unregister_kprobe(&probe);
	return freed ? 0 : -EIO;
}

static void __exit probe_exit(void)
{
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_DESCRIPTION("A bad free from inside the allocator of tlsf");
MODULE_LICENSE("GPL");
