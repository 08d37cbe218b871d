// SPDX-License-Identifier: GPL-2.0-only
/*
 * INFO: the constants are those of the ABI, and agree with each other.
 *
 * Room: vm.
 */
#include "uapi.h"

static void abi_is_the_headers(void)
{
	struct tlsf_info info = info_of(dev_fresh());

	EXPECT_EQ(info.argsz, sizeof(info));
	EXPECT_EQ(info.abi_version, TLSF_ABI_VERSION);
	EXPECT_EQ(info.max_batch, TLSF_BATCH_MAX);
	EXPECT_EQ(info.flags & ~TLSF_INFO_LATENCY, 0);
}

/* the counter of the machine, as user space reads it; its frequency is 0 if not told */
#ifdef __aarch64__
#define COUNTER_UNIT	TLSF_CYCLE_CNTVCT

static u64 counter(void)
{
	u64 now;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (now) : : "memory");
	return now;
}

static u64 counter_hz(void)
{
	u64 hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	return hz;
}
#else
#define COUNTER_UNIT	TLSF_CYCLE_TSC

static u64 counter(void)
{
	return __builtin_ia32_rdtsc();
}

static u64 counter_hz(void)
{
	return 0;
}
#endif

static void clock_is_known(void)
{
	struct tlsf_info info = info_of(dev_fresh());

	EXPECT_EQ(info.cycle_unit, COUNTER_UNIT);
	EXPECT_GE(info.cycle_hz, 1000000);
	EXPECT_LE(info.clock_overhead, info.cycle_hz / 1000);
}

static void clock_is_the_counter(void)
{
	int fd = dev_fresh();
	u64 hz = counter_hz(), from = counter();
	struct tlsf_op op = ALLOC(fd, .size = 100);
	u64 to = counter();

	EXPECT_EQ(info_of(fd).cycle_hz, hz ?: info_of(fd).cycle_hz);
	EXPECT_GE(op.cycles, 1);
	EXPECT_LE(op.cycles, to - from);
}

static void sizes_agree(void)
{
	struct tlsf_info info = info_of(dev_fresh());

	EXPECT_EQ(info.granule, 8);
	EXPECT_EQ(info.block_overhead, 8);
	EXPECT_EQ(info.min_usable % info.granule, 0);
	EXPECT_GE(info.min_usable, info.granule);
	EXPECT_LE(info.min_usable, 64);
	EXPECT_GE(info.steps_max, 1);
	EXPECT_LE(info.steps_max, 64);
}

static void pool_is_the_parameters(void)
{
	struct tlsf_info info = info_of(dev_fresh());

	EXPECT_EQ(info.pool_bytes, (parameter_get("pool_size") + 4095) / 4096 * 4096);
	EXPECT_EQ(info.quota_blocks, parameter_get("quota_blocks") ?: ~0u);
	EXPECT_EQ(info.quota_bytes, parameter_get("quota_bytes") ?: ~0ULL);
	EXPECT(memchr(info.name, 0, TLSF_NAME_LEN));
	EXPECT(!strcmp((const char *)info.name, "default"));
}

static void empty_pool_is_one_block(void)
{
	int fd = dev_fresh();
	struct tlsf_info info = info_of(fd);
	struct tlsf_stats stats = stats_of(fd);

	EXPECT_EQ(stats.free_blocks, 1);
	EXPECT_EQ(stats.largest_free, info.max_request);
	EXPECT_LE(info.max_request, info.pool_bytes);
	EXPECT_GE(info.max_request, info.pool_bytes / 2);
	EXPECT_EQ(stats.file_blocks + stats.file_bytes, 0);
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(abi_is_the_headers), KTAP_CASE(clock_is_known),
	  KTAP_CASE(clock_is_the_counter), KTAP_CASE(sizes_agree), KTAP_CASE(pool_is_the_parameters),
	  KTAP_CASE(empty_pool_is_one_block))
