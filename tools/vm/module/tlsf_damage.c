// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that writes to memory it has freed, for the test of what a damaged heap tells.
 *
 * Room: vm. A plain client of linux/tlsf.h. Does all of it while it is
 * loaded, in the default pool, which nobody else uses meanwhile.
 */
#include <linux/compiler.h>
#include <linux/module.h>
#include <linux/tlsf.h>

static int __init damage_init(void)
{
	unsigned long *block = tlsf_kmalloc(200, GFP_KERNEL);

	if (!block || tlsf_pool_damaged(NULL))
		return -EINVAL;
	tlsf_kfree(block);
	OPTIMIZER_HIDE_VAR(block);
	block[0] = 0x41414141;
	block[1] = 0x41414141;
	if (tlsf_kmalloc(200, GFP_KERNEL) || !tlsf_pool_damaged(NULL))
		return -EUCLEAN;
	return 0;
}

static void __exit damage_exit(void)
{
}

module_init(damage_init);
module_exit(damage_exit);
MODULE_DESCRIPTION("A write after free in a pool of tlsf");
MODULE_LICENSE("GPL");
