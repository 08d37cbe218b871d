// SPDX-License-Identifier: GPL-2.0-only
/*
 * HISTOGRAM: as many entries as operations, in the buckets that the ABI's formula says,
 * with the worst of them told whole.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <stdint.h>

#define ALLOCS	100
#define FREES	60
#define RESIZES	40

static u64 bucket[TLSF_HISTOGRAM_BUCKETS + 1];

static struct tlsf_histogram read_histogram(int fd, u32 op, u32 kind)
{
	struct tlsf_histogram h = {
		.argsz = sizeof(h), .op = op, .kind = kind,
		.nr_buckets = TLSF_HISTOGRAM_BUCKETS, .buckets = (uintptr_t)bucket,
	};

	EXPECT_OK(dev_call(fd, TLSF_IOC_HISTOGRAM, &h));
	EXPECT_EQ(h.nr_buckets, TLSF_HISTOGRAM_BUCKETS);
	return h;
}

static int with_operations(void)
{
	int fd = dev_fresh();
	u32 handle[ALLOCS];

	EXPECT_OK(parameter_set("latency", "1"));
	reset(fd, TLSF_RESET_LATENCY);
	for (int i = 0; i < ALLOCS; i++)
		handle[i] = ALLOC(fd, .size = 100 + i, .align = i % 2 ? 64 : 0).handle;
	for (int i = 0; i < RESIZES; i++)
		EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle[i], .size = 40)));
	for (int i = 0; i < FREES; i++)
		EXPECT_OK(op_do(fd, OP(FREE, .handle = handle[i])));
	return fd;
}

/* the formula of <linux/tlsf.h> */
static u32 bucket_of(u64 v)
{
	u32 f = v ? 63 - __builtin_clzll(v) : 0;
	u64 i = v < 64 ? v : 32 * (f - 5) + (v >> (f - 5));

	return i < TLSF_HISTOGRAM_BUCKETS ? (u32)i : TLSF_HISTOGRAM_BUCKETS - 1;
}

static void expect_consistent(const struct tlsf_histogram *h, u64 count)
{
	u64 sum = 0;

	EXPECT_EQ(h->count, count);
	EXPECT_LE(h->min, h->max);
	EXPECT_GE(h->sum, h->count * h->min);
	EXPECT_LE(h->sum, h->count * h->max);
	for (u32 i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		sum += bucket[i];
	EXPECT_EQ(sum, h->count);
	EXPECT(bucket[bucket_of(h->min)] && bucket[bucket_of(h->max)]);
	for (u32 i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		EXPECT((i >= bucket_of(h->min) && i <= bucket_of(h->max)) || !bucket[i]);
}

static void expect_worst(const struct tlsf_histogram *h, u32 steps_max)
{
	const struct tlsf_witness *w = &h->worst;

	EXPECT_EQ(w->cycles, h->max);
	EXPECT_LE(w->hold, w->cycles);
	EXPECT_LE(w->steps, steps_max);
	EXPECT_LE(w->cpu, 1024);
	EXPECT_EQ(w->context, 0);
	EXPECT_EQ(w->reserved, 0);
	EXPECT(w->time_ns && w->size);
	EXPECT(memchr(w->symbol, 0, sizeof(w->symbol)) && strchr((char *)w->symbol, '+'));
}

static void all_operations_are_recorded(void)
{
	static const u64 count[] = { ALLOCS, FREES, RESIZES };
	int fd = with_operations();

	for (u32 op = 0; op < TLSF_LAT_NR; op++) {
		for (u32 kind = 0; kind < TLSF_LAT_KINDS; kind++) {
			struct tlsf_histogram h = read_histogram(fd, op, kind);

			expect_consistent(&h, count[op]);
			expect_worst(&h, info_of(fd).steps_max);
		}
	}
}

static void total_is_no_less_than_hold(void)
{
	int fd = with_operations();

	for (u32 op = 0; op < TLSF_LAT_NR; op++)
		EXPECT_GE(read_histogram(fd, op, TLSF_LAT_TOTAL).sum,
			  read_histogram(fd, op, TLSF_LAT_HOLD).sum);
}

static void cycles_of_the_operations_are_these(void)
{
	int fd = dev_fresh();
	struct tlsf_histogram h;
	u64 sum = 0;

	EXPECT_OK(parameter_set("latency", "1"));
	reset(fd, TLSF_RESET_LATENCY);
	for (int i = 0; i < 50; i++)
		sum += ALLOC(fd, .size = 200).cycles;
	h = read_histogram(fd, TLSF_LAT_ALLOC, TLSF_LAT_HOLD);
	EXPECT_EQ(h.sum, sum);
}

static void room_for_fewer_buckets(void)
{
	static const u32 room[] = { 0, 1, 100, TLSF_HISTOGRAM_BUCKETS, ~0u };
	int fd = with_operations();

	for (size_t i = 0; i < ARRAY_SIZE(room); i++) {
		struct tlsf_histogram h = {
			.argsz = sizeof(h), .nr_buckets = room[i], .buckets = (uintptr_t)bucket,
		};
		u32 want = room[i] < TLSF_HISTOGRAM_BUCKETS ? room[i] : TLSF_HISTOGRAM_BUCKETS;

		memset(bucket, 0xff, sizeof(bucket));
		EXPECT_OK(dev_call(fd, TLSF_IOC_HISTOGRAM, &h));
		EXPECT_EQ(h.nr_buckets, want);
		EXPECT_EQ(h.count, ALLOCS);
		EXPECT_EQ(bucket[want], ~0ULL);
		EXPECT(!want || bucket[want - 1] != ~0ULL);
	}
}

static void summary_alone(void)
{
	int fd = with_operations();
	struct tlsf_histogram h = { .argsz = sizeof(h), .nr_buckets = TLSF_HISTOGRAM_BUCKETS };

	EXPECT_OK(dev_call(fd, TLSF_IOC_HISTOGRAM, &h));
	EXPECT_EQ(h.nr_buckets, 0);
	EXPECT_EQ(h.count, ALLOCS);
}

static void empty_after_reset(void)
{
	int fd = with_operations();
	struct tlsf_histogram h;

	reset(fd, TLSF_RESET_LATENCY);
	h = read_histogram(fd, TLSF_LAT_FREE, TLSF_LAT_TOTAL);
	EXPECT_EQ(h.count | h.sum | h.min | h.max | h.worst.cycles | h.worst.time_ns, 0);
	EXPECT_EQ(h.worst.symbol[0], 0);
	for (u32 i = 0; i < TLSF_HISTOGRAM_BUCKETS; i++)
		EXPECT_EQ(bucket[i], 0);
}

UAPI_MAIN(KTAP_CASE(all_operations_are_recorded), KTAP_CASE(total_is_no_less_than_hold),
	  KTAP_CASE(cycles_of_the_operations_are_these), KTAP_CASE(room_for_fewer_buckets),
	  KTAP_CASE(summary_alone), KTAP_CASE(empty_after_reset))
