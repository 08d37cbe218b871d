// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit: figures that are derived from a histogram, and resets of one.
 *
 * Room: kunit. White-box: built from the sources, nothing of tlsf_mod.ko is used. No CPU is
 * online for them, so that cells are reset twice: as those of a CPU that is, by the CPU itself, and
 * as those of one that is not. A hook is called before and after each write to extremes.
 */
/* as the sources below have it, which come later */
#define pr_fmt(fmt) "tlsf: " fmt

#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/module.h>
#include <linux/seqlock.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

static void (*on_write)(void);

static void range_written(void)
{
	if (on_write)
		on_write();
}

static void writing(seqcount_t *seq)
{
	range_written();
	raw_write_seqcount_begin(seq);
}

static void written(seqcount_t *seq)
{
	raw_write_seqcount_end(seq);
	range_written();
}

#undef raw_write_seqcount_begin
#undef raw_write_seqcount_end
#define raw_write_seqcount_begin	writing
#define raw_write_seqcount_end		written
#undef cpu_online
#define cpu_online(cpu)			false

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

/* ---- resets ---- */

static struct tlsf_latency lat;
static atomic_t writes, unguarded;	/* all CPUs that are online write */
static unsigned int nmi_at;

static int latency_test_init(struct kunit *test)
{
	on_write = NULL;
	atomic_set(&writes, 0);
	atomic_set(&unguarded, 0);
	return tlsf_latency_init(&lat, "kunit");
}

static void latency_test_exit(struct kunit *test)
{
	on_write = NULL;
	tlsf_latency_destroy(&lat);
}

static void note_guards(void)
{
	atomic_inc(&writes);
	if (!irqs_disabled() || !mutex_is_locked(&all_lock))
		atomic_inc(&unguarded);
}

/* else two resets at once write to the cells of a CPU that is offline, or a reader preempts one */
static void reset_writes_alone_and_is_not_preempted(struct kunit *test)
{
	on_write = note_guards;
	tlsf_latency_reset(&lat);
	on_write = NULL;
	KUNIT_EXPECT_EQ(test, atomic_read(&writes), (num_online_cpus() + num_possible_cpus()) *
						    CELLS * (1 + TLSF_LAT_KINDS) * 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&unguarded), 0);
}

/* as the pool does: by the gate if it is open for that */
static void record(u64 cycles)
{
	u64 raw = cycles + tlsf_clock_overhead();

	if (!tlsf_latency_add(&lat, TLSF_LAT_ALLOC, raw))
		tlsf_latency_add_rare(&lat, TLSF_LAT_ALLOC, raw, 8, 0, 1, _THIS_IP_);
}

static void record_as_nmi(void)
{
	if (atomic_inc_return(&writes) != nmi_at)
		return;
	on_write = NULL;
	record(300);
}

static void reset_with_nmi(unsigned int at)
{
	struct cells_call call = { .lat = &lat, .fn = cell_reset };
	unsigned long flags;

	nmi_at = at;
	atomic_set(&writes, 0);
	local_irq_save(flags);
	record(100);
	record(1000);
	on_write = record_as_nmi;
	call_here(&call);
	record(200);
	local_irq_restore(flags);
}

/* the first cell is that of our operations: its three ranges, before and after each write */
static void operation_amid_a_reset_leaves_no_gate_open(struct kunit *test)
{
	struct tlsf_latency_histogram *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	unsigned int at;

	KUNIT_ASSERT_NOT_NULL(test, h);
	for (at = 1; at <= 2 * (1 + TLSF_LAT_KINDS); at++) {
		reset_with_nmi(at);
		KUNIT_EXPECT_PTR_EQ(test, on_write, NULL);
		tlsf_latency_read(&lat, TLSF_LAT_ALLOC, TLSF_LAT_HOLD, TLSF_LAT_ANY, h);
		KUNIT_EXPECT_GE(test, h->count, 1);
		KUNIT_EXPECT_LE(test, h->min, 200);
		KUNIT_EXPECT_GE(test, h->max, 200);
		KUNIT_EXPECT_LE(test, h->max, 300);
	}
}

static struct kunit_case latency_cases[] = {
	KUNIT_CASE_PARAM(percentile_is_right_for_any_count, share_gen_params),
	KUNIT_CASE(address_without_a_name_is_not_told),
	KUNIT_CASE(reset_writes_alone_and_is_not_preempted),
	KUNIT_CASE(operation_amid_a_reset_leaves_no_gate_open),
	{}
};

static struct kunit_suite latency_suite = {
	.name = "tlsf_latency",
	.init = latency_test_init,
	.exit = latency_test_exit,
	.test_cases = latency_cases,
};

kunit_test_suites(&latency_suite);
MODULE_DESCRIPTION("KUnit suite of tlsf: latency figures");
MODULE_LICENSE("GPL");
