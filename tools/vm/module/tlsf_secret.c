// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves a secret in the default pool, for the test that hunts for it.
 *
 * Room: vm. A plain client of linux/tlsf.h. While it is loaded it takes all
 * of the default pool in blocks of many sizes, writes the word secret= over each, and
 * frees them all.
 */
#include <linux/module.h>
#include <linux/tlsf.h>

#define FLAGS	(GFP_NOWAIT | __GFP_NOWARN)

static unsigned long long secret;
module_param(secret, ullong, 0400);
MODULE_PARM_DESC(secret, "what each word of the pool is to hold");

struct planted {
	struct planted *next;
};

/* the largest blocks that there are, down to the smallest; NULL when the pool is full */
static struct planted *plant(size_t *size)
{
	u64 *word;
	size_t i;

	while (!(word = tlsf_kmalloc(*size, FLAGS)) && *size > 24)
		*size -= *size / 8;
	for (i = 0; word && i < *size / sizeof(*word); i++)
		word[i] = secret;
	return (struct planted *)word;
}

static int __init secret_init(void)
{
	struct planted *all = NULL, *p;
	size_t size = 4096;

	while ((p = plant(&size))) {
		p->next = all;
		all = p;
		cond_resched();
	}
	while ((p = all)) {
		all = p->next;
		*(u64 *)p = secret;
		tlsf_kfree(p);
		cond_resched();
	}
	return 0;
}

static void __exit secret_exit(void)
{
}

module_init(secret_init);
module_exit(secret_exit);
MODULE_DESCRIPTION("A secret in the memory of tlsf");
MODULE_LICENSE("GPL");
