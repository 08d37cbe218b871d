// SPDX-License-Identifier: GPL-2.0-only
/*
 * ALLOC gives a handle, at least the size asked for, and what it cost.
 *
 * Room: vm.
 */
#include "uapi.h"

static void usable_is_enough(void)
{
	int fd = dev_fresh();
	struct tlsf_info info = info_of(fd);

	EXPECT_EQ(ALLOC(fd, .size = 1).usable, info.min_usable);
	for (u64 size = 1; size < 5000; size += 1 + size / 7) {
		struct tlsf_op op = ALLOC(fd, .size = size);

		EXPECT_EQ(op.usable % info.granule, 0);
		EXPECT_LE(op.usable, size + info.min_usable + info.block_overhead);
	}
	EXPECT_SOUND(fd);
}

static void handles_differ(void)
{
	static unsigned char seen[1 << 16];
	int fd = dev_fresh();

	for (int i = 0; i < 2000; i++) {
		u32 handle = ALLOC(fd, .size = 16).handle;

		EXPECT(handle < sizeof(seen) && !seen[handle]++);
	}
}

static void file_accounts_for_it(void)
{
	int fd = dev_fresh();
	struct tlsf_stats before = stats_of(fd), now;
	u64 usable = ALLOC(fd, .size = 1000).usable + ALLOC(fd, .size = 3).usable;

	now = stats_of(fd);
	EXPECT_EQ(now.file_blocks, 2);
	EXPECT_EQ(now.file_bytes, usable);
	EXPECT_EQ(now.used_bytes, usable);
	EXPECT_EQ(now.used_blocks, 2);
	EXPECT_EQ(now.allocs, before.allocs + 2);
	EXPECT_EQ(stats_of(dev_open()).file_blocks, 0);
}

static void opcode_may_be_left_out(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = OP(ALLOC, .size = 16);

	op.opcode = 0;
	EXPECT_OK(dev_call(fd, TLSF_IOC_ALLOC, &op));
	EXPECT_EQ(op.opcode, TLSF_OP_ALLOC);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
}

/* What the caller leaves in the results does not matter. */
static void results_are_written(void)
{
	int fd = dev_fresh();
	struct tlsf_op op = ALLOC(fd, .size = 16, .handle = 0xdeadbeef, .usable = ~0ULL,
				  .cycles = ~0ULL, .result = -77);

	EXPECT_LE(op.usable, 64);
	EXPECT(op.handle != 0xdeadbeef && op.cycles != ~0ULL);
	op = OP(ALLOC, .size = 0, .handle = op.handle, .usable = ~0ULL, .cycles = ~0ULL);
	EXPECT_ERR(op_run(fd, &op), EINVAL);
	EXPECT_EQ(op.handle, 0);
	EXPECT_EQ(op.usable | op.cycles, 0);
}

static void cost_is_told(void)
{
	int fd = dev_fresh();
	u64 cycles = 0;

	for (int i = 0; i < 100; i++)
		cycles += ALLOC(fd, .size = 100, .flags = i & 1 ? TLSF_OP_ZERO : 0).cycles;
	EXPECT_GE(cycles, 100);
	EXPECT_LE(cycles, info_of(fd).cycle_hz * 10);
}

UAPI_MAIN(KTAP_CASE(usable_is_enough), KTAP_CASE(handles_differ),
	  KTAP_CASE(file_accounts_for_it), KTAP_CASE(opcode_may_be_left_out),
	  KTAP_CASE(results_are_written), KTAP_CASE(cost_is_told))
