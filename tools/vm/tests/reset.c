// SPDX-License-Identifier: GPL-2.0-only
/*
 * RESET starts the figures it names afresh, leaves the others, and touches no block.
 *
 * Room: vm.
 */
#include "uapi.h"

static u64 recorded(int fd)
{
	struct tlsf_histogram h = { .argsz = sizeof(h), .op = TLSF_LAT_ALLOC };

	EXPECT_OK(dev_call(fd, TLSF_IOC_HISTOGRAM, &h));
	return h.count;
}

static int with_figures(void)
{
	int fd = dev_fresh();

	parameter_set("latency", "1");
	reset(fd, TLSF_RESET_LATENCY | TLSF_RESET_COUNTERS);
	for (int i = 0; i < 5; i++)
		ALLOC(fd, .size = 100);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = ALLOC(fd, .size = 100).handle)));
	EXPECT_ERR(op_do(fd, OP(ALLOC, .size = info_of(fd).max_request)), ENOMEM);
	EXPECT_EQ(stats_of(fd).allocs, 6);
	EXPECT_GE(recorded(fd), 6);
	return fd;
}

static void expect_blocks(int fd, u64 used_bytes)
{
	struct tlsf_stats s = stats_of(fd);

	EXPECT_EQ(s.used_bytes, used_bytes);
	EXPECT_EQ(s.used_blocks, 5);
	EXPECT_EQ(s.file_blocks, 5);
	EXPECT_SOUND(fd);
}

static void counters(void)
{
	int fd = with_figures();
	struct tlsf_stats before = stats_of(fd), now;

	reset(fd, TLSF_RESET_COUNTERS);
	now = stats_of(fd);
	EXPECT_EQ(now.allocs + now.frees + now.resizes + now.bad_frees, 0);
	EXPECT_EQ(now.fail_exhausted + now.fail_fragmented, 0);
	EXPECT_EQ(now.fail_busy + now.deferred_frees + now.fail_damaged, 0);
	EXPECT_EQ(now.steps_max_seen, 0);
	EXPECT_EQ(now.high_water, now.used_bytes + now.used_blocks * sizeof(long));
	EXPECT_GE(recorded(fd), 6);
	expect_blocks(fd, before.used_bytes);
}

static void latency(void)
{
	int fd = with_figures();
	struct tlsf_stats before = stats_of(fd);

	reset(fd, TLSF_RESET_LATENCY);
	EXPECT_UNCHANGED(fd, &before);
	EXPECT_EQ(recorded(fd), 0);
	expect_blocks(fd, before.used_bytes);
}

static void both(void)
{
	int fd = with_figures();
	u64 used_bytes = stats_of(fd).used_bytes;

	reset(fd, TLSF_RESET_LATENCY | TLSF_RESET_COUNTERS);
	EXPECT_EQ(stats_of(fd).allocs + recorded(fd), 0);
	expect_blocks(fd, used_bytes);
}

UAPI_MAIN(KTAP_CASE(counters), KTAP_CASE(latency), KTAP_CASE(both))
