// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: the lock that is not waited for when it must not be, and the list of frees that
 * could not have it.
 *
 * Room: kunit. White-box: built from the sources, nothing of tlsf_mod.ko is used. UML is
 * a uniprocessor kernel, so here it is the guard for those that is tested; NMIs and
 * several processors are the self-test's.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../tlsf_defer.c"
#include "../tlsf_lock.c"

static struct tlsf_lock *lock_make(struct kunit *test)
{
	struct tlsf_lock *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	raw_spin_lock_init(&l->raw);
	return l;
}

static void lock_is_taken_once(struct kunit *test)
{
	struct tlsf_lock *l = lock_make(test);
	unsigned long flags, nested;
	bool first, again, off;

	first = tlsf_lock_irqsave(l, &flags);
	again = tlsf_lock_irqsave(l, &nested);
	off = irqs_disabled();
	tlsf_unlock_irqrestore(l, flags);
	KUNIT_EXPECT_TRUE(test, first);
	KUNIT_EXPECT_FALSE(test, again);
	KUNIT_EXPECT_TRUE(test, off);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
}

static void lock_is_taken_again_after_release(struct kunit *test)
{
	struct tlsf_lock *l = lock_make(test);
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_TRUE(test, tlsf_lock_irqsave(l, &flags));
		tlsf_unlock_irqrestore(l, flags);
	}
	KUNIT_EXPECT_EQ(test, raw_cpu_read(tlsf_lock_depth), 0);
}

static void lock_does_not_concern_another(struct kunit *test)
{
	struct tlsf_lock *a = lock_make(test), *b = lock_make(test);
	unsigned long flags, nested;
	bool other;

	KUNIT_ASSERT_TRUE(test, tlsf_lock_irqsave(a, &flags));
	other = tlsf_lock_irqsave(b, &nested);
	if (other)
		tlsf_unlock_irqrestore(b, nested);
	tlsf_unlock_irqrestore(a, flags);
	KUNIT_EXPECT_TRUE(test, other);
}

static struct kunit_case lock_cases[] = {
	KUNIT_CASE(lock_is_taken_once),
	KUNIT_CASE(lock_is_taken_again_after_release),
	KUNIT_CASE(lock_does_not_concern_another),
	{}
};

static struct kunit_suite lock_suite = { .name = "tlsf_lock", .test_cases = lock_cases };

#define BLOCKS	4

static struct tlsf_defer waiting;
static struct tlsf_deferred block[BLOCKS];

static int defer_init(struct kunit *test)
{
	memset(block, 0, sizeof(block));
	tlsf_defer_init(&waiting, block, block + BLOCKS);
	return 0;
}

static void *popped(struct kunit *test)
{
	void *ptr;

	KUNIT_EXPECT_TRUE(test, tlsf_defer_pop(&waiting, &ptr));
	return ptr;
}

static void defer_gives_back_each_block_once(struct kunit *test)
{
	unsigned int i, seen = 0;

	KUNIT_EXPECT_FALSE(test, tlsf_defer_pending(&waiting));
	for (i = 0; i < BLOCKS; i++)
		KUNIT_EXPECT_TRUE(test, tlsf_defer_push(&waiting, &block[i]));
	for (i = 0; i < BLOCKS; i++) {
		struct tlsf_deferred *b = popped(test);

		KUNIT_ASSERT_NOT_NULL(test, b);
		seen |= 1 << (b - block);
	}
	KUNIT_EXPECT_EQ(test, seen, (1 << BLOCKS) - 1);
	KUNIT_EXPECT_NULL(test, popped(test));
	KUNIT_EXPECT_FALSE(test, tlsf_defer_pending(&waiting));
}

static void defer_rejects_a_block_that_waits(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, tlsf_defer_push(&waiting, &block[0]));
	KUNIT_EXPECT_TRUE(test, tlsf_defer_push(&waiting, &block[1]));
	KUNIT_EXPECT_FALSE(test, tlsf_defer_push(&waiting, &block[0]));
	KUNIT_EXPECT_PTR_EQ(test, popped(test), (void *)&block[1]);
	KUNIT_EXPECT_PTR_EQ(test, popped(test), (void *)&block[0]);
	KUNIT_EXPECT_NULL(test, popped(test));
}

static void defer_takes_a_block_again(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, tlsf_defer_push(&waiting, &block[2]));
	KUNIT_EXPECT_PTR_EQ(test, popped(test), (void *)&block[2]);
	KUNIT_EXPECT_TRUE(test, tlsf_defer_push(&waiting, &block[2]));
	KUNIT_EXPECT_PTR_EQ(test, popped(test), (void *)&block[2]);
}

/* written to after it was freed: the list is given up, and works afterwards */
static void defer_damaged(struct kunit *test, struct tlsf_deferred *written)
{
	void *ptr;

	KUNIT_EXPECT_FALSE(test, tlsf_defer_pop(&waiting, &ptr));
	KUNIT_EXPECT_PTR_EQ(test, ptr, (void *)written);
	KUNIT_EXPECT_FALSE(test, tlsf_defer_pending(&waiting));
	KUNIT_EXPECT_TRUE(test, tlsf_defer_push(&waiting, &block[3]));
	KUNIT_EXPECT_PTR_EQ(test, popped(test), (void *)&block[3]);
}

static void defer_finds_a_mark_overwritten(struct kunit *test)
{
	tlsf_defer_push(&waiting, &block[0]);
	tlsf_defer_push(&waiting, &block[1]);
	block[1].mark++;
	defer_damaged(test, &block[1]);
}

static void defer_finds_a_link_overwritten(struct kunit *test)
{
	struct tlsf_deferred stray = {};

	tlsf_defer_push(&waiting, &block[0]);
	tlsf_defer_push(&waiting, &block[1]);
	block[1].node.next = &stray.node;
	KUNIT_EXPECT_PTR_EQ(test, popped(test), (void *)&block[1]);
	defer_damaged(test, &stray);
}

static struct kunit_case defer_cases[] = {
	KUNIT_CASE(defer_gives_back_each_block_once),
	KUNIT_CASE(defer_rejects_a_block_that_waits),
	KUNIT_CASE(defer_takes_a_block_again),
	KUNIT_CASE(defer_finds_a_mark_overwritten),
	KUNIT_CASE(defer_finds_a_link_overwritten),
	{}
};

static struct kunit_suite defer_suite = {
	.name = "tlsf_defer",
	.init = defer_init,
	.test_cases = defer_cases,
};

kunit_test_suites(&lock_suite, &defer_suite);
MODULE_DESCRIPTION("KUnit suites of tlsf: lock and deferred frees");
MODULE_LICENSE("GPL");
