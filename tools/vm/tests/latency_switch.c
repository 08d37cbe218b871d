// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parameter latency switches recording off and on at run time.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static u64 recorded(int fd)
{
	u64 count = 0;

	for (u32 op = 0; op < TLSF_LAT_NR; op++) {
		struct tlsf_histogram h = { .argsz = sizeof(h), .op = op };

		EXPECT_OK(dev_call(fd, TLSF_IOC_HISTOGRAM, &h));
		count += h.count;
	}
	return count;
}

/* three operations */
static void operate(int fd)
{
	u32 handle = ALLOC(fd, .size = 100).handle;

	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle, .size = 50)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
}

static void off_and_on(void)
{
	int fd = dev_fresh();

	reset(fd, TLSF_RESET_LATENCY);
	for (int i = 1; i <= 5; i++) {
		EXPECT_OK(parameter_set("latency", "0"));
		EXPECT_EQ(info_of(fd).flags, 0);
		operate(fd);
		EXPECT_EQ(recorded(fd), 3 * (i - 1));
		EXPECT_OK(parameter_set("latency", "1"));
		EXPECT_EQ(info_of(fd).flags, TLSF_INFO_LATENCY);
		operate(fd);
		EXPECT_EQ(recorded(fd), 3 * i);
	}
}

static void counters_and_costs_go_on(void)
{
	int fd = dev_fresh();
	u64 cycles = 0;

	EXPECT_OK(parameter_set("latency", "0"));
	reset(fd, TLSF_RESET_COUNTERS);
	for (int i = 0; i < 100; i++)
		cycles += ALLOC(fd, .size = 100).cycles;
	EXPECT_EQ(stats_of(fd).allocs, 100);
	EXPECT_GE(cycles, 100);
	EXPECT_SOUND(fd);
}

static void nonsense_is_refused(void)
{
	int fd = dev_fresh();

	EXPECT_OK(parameter_set("latency", "1"));
	EXPECT_ERR(parameter_set("latency", "2"), EINVAL);
	EXPECT_ERR(parameter_set("latency", "maybe"), EINVAL);
	EXPECT_EQ(info_of(fd).flags, TLSF_INFO_LATENCY);
	EXPECT_ERR(parameter_set("pool_size", "32M"), EACCES);
}

static void load(int fd)
{
	struct tlsf_op ops[] = {
		OP(ALLOC, .size = 100), OP(RESIZE, .size = 50, .flags = TLSF_OP_REF),
		OP(FREE, .flags = TLSF_OP_REF),
	};

	while (!batch_do(fd, ops, ARRAY_SIZE(ops))) {
		ops[1].handle = 0;	/* references again */
		ops[2].handle = 0;
	}
	_exit(1);
}

/*
 * The switch patches code that somebody runs at this moment: on another processor or, where
 * that is emulated, on the same one, which was preempted anywhere in it.
 */
static void switched_under_load(void)
{
	int fd = dev_fresh(), status;
	cpu_set_t one;
	pid_t child;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (emulated())
		EXPECT_OK(sched_setaffinity(0, sizeof(one), &one));
	child = fork();
	if (!child)
		load(fd);
	for (int i = 0; i < 40; i++) {
		EXPECT_OK(parameter_set("latency", i % 2 ? "1" : "0"));
		usleep(1000);
	}
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT(WIFSIGNALED(status));	/* no operation failed before */
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(off_and_on), KTAP_CASE(counters_and_costs_go_on),
	  KTAP_CASE(nonsense_is_refused), KTAP_CASE(switched_under_load))
