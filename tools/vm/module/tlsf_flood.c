// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients that give two pools more to report than a log should get, for the test of what
 * is shown of it.
 *
 * Room: vm. A plain client of linux/tlsf.h, with pools of its own, of which
 * nothing is left. Does all of it while it is loaded.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/tlsf.h>

#define FLOOD	1000
#define OTHERS	13

/* a free that is rejected because the links of the block below are damaged */
static int free_beside_damage(struct tlsf_pool *pool)
{
	unsigned long *below = tlsf_pool_alloc(pool, 200, GFP_KERNEL);
	void *block = tlsf_pool_alloc(pool, 64, GFP_KERNEL);
	void *above = tlsf_pool_alloc(pool, 24, GFP_KERNEL);
	unsigned long link;
	unsigned int i;

	if (!below || !block || !above)
		return -ENOMEM;
	tlsf_pool_free(pool, below);
	OPTIMIZER_HIDE_VAR(below);
	link = below[1];
	below[1] = 0x41414141;
	for (i = 0; i < FLOOD; i++) {
		tlsf_pool_free(pool, block);
		if (i % 100 == 99)
			usleep_range(1000, 2000);
	}
	below[1] = link;
	tlsf_pool_free(pool, block);
	tlsf_pool_free(pool, above);
	return 0;
}

/* @pool is full and says so while another driver frees what is no block in @other */
static int fail_beside_bad_frees(struct tlsf_pool *pool, struct tlsf_pool *other)
{
	unsigned int i;

	for (i = 0; i < FLOOD; i++) {
		if (tlsf_pool_alloc(pool, 16000, GFP_KERNEL))
			return -EINVAL;
		if (i % (FLOOD / OTHERS + 1))
			continue;
		tlsf_pool_free(other, &i);
		usleep_range(1000, 2000);
	}
	return 0;
}

static int __init flood_init(void)
{
	struct tlsf_pool *pool = tlsf_pool_create("flood", 16 << 10);
	struct tlsf_pool *other = tlsf_pool_create("other", 16 << 10);
	int err = -ENOMEM;

	if (!IS_ERR(pool) && !IS_ERR(other))
		err = free_beside_damage(pool) ?: fail_beside_bad_frees(pool, other);
	tlsf_pool_destroy(pool);
	tlsf_pool_destroy(other);
	return err;
}

static void __exit flood_exit(void)
{
}

module_init(flood_init);
module_exit(flood_exit);
MODULE_DESCRIPTION("More to report than a log should get, in pools of tlsf");
MODULE_LICENSE("GPL");
