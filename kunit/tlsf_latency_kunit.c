// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: figures that are derived from a histogram.
 *
 * Room: kunit. White-box: built from the sources, nothing of tlsf_mod.ko is used.
 */
/* as the sources below have it, which come later */
#define pr_fmt(fmt) "tlsf: " fmt

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "../tlsf_latency.c"
#include "../tlsf_threshold.c"

struct share_case {
	const char *name;
	u64 low, high;			/* operations of 10 and of 40 cycles */
	unsigned int per_100k;
	u64 cycles;
};

static const struct share_case share_cases[] = {
	{ "nothing", 0, 0, 99990, 0 },
	{ "one operation", 1, 0, 50000, 10 },
	{ "half of two", 1, 1, 50000, 10 },
	{ "more than half of two", 1, 1, 50001, 40 },
	{ "99.99 % of 10000", 9999, 1, 99990, 10 },
	{ "99.99 % of 9999", 9998, 1, 99990, 40 },
	{ "all", 1ULL << 40, 1, 100000, 40 },
	{ "2^48: half", 1ULL << 47, 1ULL << 47, 50000, 10 },
	{ "2^48: 99 %", 1ULL << 47, 1ULL << 47, 99000, 40 },
	{ "2^60: half", 1ULL << 59, 1ULL << 59, 50000, 10 },
	{ "2^60: 99.9 %", (1ULL << 60) - (1ULL << 50), 1ULL << 50, 99900, 10 },
	{ "2^60: 99.99 %", (1ULL << 60) - (1ULL << 50), 1ULL << 50, 99990, 40 },
	{ "2^64 - 1: half", 1ULL << 63, (1ULL << 63) - 1, 50000, 10 },
	{ "2^64 - 1: 99.99 %", 1ULL << 63, (1ULL << 63) - 1, 99990, 40 },
};

static void share_desc(const struct share_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(share, share_cases, share_desc);

static void percentile_is_right_for_any_count(struct kunit *test)
{
	const struct share_case *p = test->param_value;
	struct tlsf_latency_histogram *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->bucket[10] = p->low;
	h->bucket[40] = p->high;
	h->count = p->low + p->high;
	h->max = p->high ? 40 : p->low ? 10 : 0;
	KUNIT_EXPECT_EQ(test, tlsf_latency_percentile(h, p->per_100k), p->cycles);
}

/* of a module that has gone, an address without a name is left */
static void address_without_a_name_is_not_told(struct kunit *test)
{
	char text[64];

	memset(text, 0xff, sizeof(text));
	KUNIT_EXPECT_FALSE(test, tlsf_latency_symbol((unsigned long)test, text, sizeof(text)));
	KUNIT_EXPECT_NULL(test, memchr_inv(text, 0, sizeof(text)));
	KUNIT_EXPECT_TRUE(test, tlsf_latency_symbol((unsigned long)&vfree + 1, text,
						    sizeof(text)));
	KUNIT_EXPECT_TRUE(test, strstarts(text, "vfree+0x1/"));
}

static struct kunit_case latency_cases[] = {
	KUNIT_CASE_PARAM(percentile_is_right_for_any_count, share_gen_params),
	KUNIT_CASE(address_without_a_name_is_not_told),
	{}
};

static struct kunit_suite latency_suite = {
	.name = "tlsf_latency",
	.test_cases = latency_cases,
};

kunit_test_suites(&latency_suite);
MODULE_DESCRIPTION("KUnit suite of tlsf: latency figures");
MODULE_LICENSE("GPL");
