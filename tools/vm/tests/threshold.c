// SPDX-License-Identifier: GPL-2.0-only
/*
 * THRESHOLD and poll(): the first operation above it is kept and wakes who waits; those
 * after it and those below it do not.
 *
 * Room: vm. Other contexts and tracing: max_cycles.sh.
 */
#include "uapi.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define NEVER	(1ULL << 60)	/* cycles */

static struct tlsf_threshold threshold(int fd, u32 flags, u64 max_cycles)
{
	struct tlsf_threshold t = {
		.argsz = sizeof(t), .flags = flags, .max_cycles = max_cycles,
	};

	EXPECT_OK(dev_call(fd, TLSF_IOC_THRESHOLD, &t));
	return t;
}

static struct tlsf_threshold look(int fd)
{
	return threshold(fd, 0, 0);
}

static void set(int fd, u64 max_cycles)
{
	struct tlsf_threshold t = threshold(fd, TLSF_THRESHOLD_SET, max_cycles);

	EXPECT_EQ(t.max_cycles, max_cycles);
	EXPECT_EQ(t.exceeded | t.op | t.witness.cycles | t.witness.symbol[0] | t.pool[0], 0);
}

static short polled(int fd, int milliseconds)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI | POLLIN };

	return poll(&p, 1, milliseconds) == 1 ? p.revents : 0;
}

static int with_recording(void)
{
	int fd = dev_fresh();

	EXPECT_OK(parameter_set("latency", "1"));
	reset(fd, TLSF_RESET_LATENCY);
	return fd;
}

static void none_is_never_exceeded(void)
{
	int fd = with_recording();

	ALLOC(fd, .size = 100);
	EXPECT_EQ(look(fd).max_cycles, 0);
	EXPECT_EQ(look(fd).exceeded, 0);
	EXPECT_EQ(polled(fd, 0), 0);
}

static void the_first_above_it_is_kept(void)
{
	int fd = with_recording();
	struct tlsf_threshold t, later;
	struct tlsf_op op;

	set(fd, 1);
	EXPECT_EQ(polled(fd, 0), 0);
	op = ALLOC(fd, .size = 1234, .align = 64);
	EXPECT_EQ(polled(fd, 5000), POLLPRI);
	t = look(fd);
	EXPECT_EQ(t.max_cycles, 1);
	EXPECT_EQ(t.exceeded, 1);
	EXPECT_EQ(t.op, TLSF_LAT_ALLOC);
	EXPECT(!strcmp((char *)t.pool, "default"));
	EXPECT_EQ(t.witness.size, 1234);
	EXPECT_EQ(t.witness.align, 64);
	EXPECT_EQ(t.witness.hold, op.cycles);
	EXPECT_GE(t.witness.cycles, op.cycles);
	EXPECT_EQ(t.witness.context, 0);
	EXPECT_GE(t.witness.steps, 1);
	EXPECT(strstr((char *)t.witness.symbol, "[tlsf_mod]"));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = op.handle)));
	later = look(fd);
	EXPECT(!memcmp(&later, &t, sizeof(t)));
	EXPECT_EQ(polled(fd, 0), POLLPRI);
}

static void those_below_it_are_not(void)
{
	int fd = with_recording();

	set(fd, NEVER);
	for (int i = 0; i < 2000; i++)
		EXPECT_OK(op_do(fd, OP(FREE, .handle = ALLOC(fd, .size = 64).handle)));
	EXPECT_EQ(look(fd).exceeded, 0);
	EXPECT_EQ(polled(fd, 0), 0);
}

static void setting_it_forgets(void)
{
	int fd = with_recording(), other = dev_open();

	set(fd, 1);
	ALLOC(fd, .size = 100);
	EXPECT_EQ(polled(other, 5000), POLLPRI);
	set(other, NEVER);
	EXPECT_EQ(polled(fd, 0), 0);
	set(fd, 1);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = ALLOC(fd, .size = 9).handle, .size = 5)));
	EXPECT_EQ(polled(fd, 5000), POLLPRI);
	set(fd, 0);
	EXPECT_EQ(polled(fd, 0), 0);
	ALLOC(fd, .size = 100);
	EXPECT_EQ(look(fd).exceeded, 0);
}

static void nothing_is_seen_without_recording(void)
{
	int fd = with_recording();

	EXPECT_OK(parameter_set("latency", "0"));
	set(fd, 1);
	ALLOC(fd, .size = 100);
	EXPECT_EQ(look(fd).exceeded, 0);
	EXPECT_OK(parameter_set("latency", "1"));
	ALLOC(fd, .size = 100);
	EXPECT_EQ(look(fd).exceeded, 1);
}

/* Who is not woken finds out at the end of the time. */
static void *wait_for_it(void *fd)
{
	time_t start = time(NULL);
	long got = polled(*(int *)fd, 20000);

	return (void *)(time(NULL) - start < 15 ? got : 0);
}

static void who_waits_is_woken(void)
{
	int fd = with_recording(), other = dev_open();
	pthread_t waiter[2];
	void *got;

	set(fd, 1);
	for (int i = 0; i < 2; i++)
		EXPECT(!pthread_create(&waiter[i], NULL, wait_for_it, i ? &other : &fd));
	usleep(200000);		/* they are likely to wait by now */
	ALLOC(fd, .size = 100);
	for (int i = 0; i < 2; i++) {
		EXPECT(!pthread_join(waiter[i], &got));
		EXPECT_EQ((long)got, POLLPRI);
	}
}

static void the_parameter_is_the_same(void)
{
	int fd = with_recording();

	EXPECT_OK(parameter_set("max_cycles", "1"));
	EXPECT_EQ(look(fd).max_cycles, 1);
	ALLOC(fd, .size = 100);
	EXPECT_EQ(polled(fd, 5000), POLLPRI);
	set(fd, 12345);
	EXPECT_EQ(parameter_get("max_cycles"), 12345);
	EXPECT_ERR(parameter_set("max_cycles", "many"), EINVAL);
	EXPECT_ERR(parameter_set("max_cycles", "-1"), EINVAL);
	EXPECT_ERR(parameter_set("max_cycles", "99999999999999999999"), ERANGE);
	EXPECT_EQ(parameter_get("max_cycles"), 12345);
}

static void unknown_flags_are_refused(void)
{
	int fd = with_recording();

	set(fd, 77);
	for (int bit = 1; bit < 32; bit++) {
		struct tlsf_threshold t = {
			.argsz = sizeof(t), .flags = 1u << bit, .max_cycles = 5,
		};

		EXPECT_REFUSED(fd, dev_call(fd, TLSF_IOC_THRESHOLD, &t), EINVAL);
	}
	EXPECT_EQ(look(fd).max_cycles, 77);
}

static void *operate(void *stop)
{
	int fd = *(int *)stop;
	struct tlsf_op op = OP(ALLOC, .size = 100);

	while (!op_run(fd, &op) && op.usable) {
		struct tlsf_op end = OP(FREE, .handle = op.handle);

		if (op_run(fd, &end))
			break;
		op = OP(ALLOC, .size = 100);
		if (__atomic_load_n((int *)stop, __ATOMIC_RELAXED) < 0)
			return NULL;
	}
	return stop;		/* an operation failed */
}

static struct load {
	pthread_t thread;
	int fd;
} load[2];

static void load_begin(void)
{
	for (int i = 0; i < 2; i++) {
		load[i].fd = dev_open();
		EXPECT(!pthread_create(&load[i].thread, NULL, operate, &load[i].fd));
	}
}

static void load_end(void)
{
	void *failed;

	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&load[i].fd, -1, __ATOMIC_RELAXED);
		EXPECT(!pthread_join(load[i].thread, &failed));
		EXPECT(!failed);
	}
}

/* Set and exceeded over and over, on all processors. */
static void set_under_load(void)
{
	int fd = with_recording();

	load_begin();
	for (int i = 0; i < 300; i++) {
		set(fd, NEVER);
		threshold(fd, TLSF_THRESHOLD_SET, 1);
		EXPECT_EQ(polled(fd, 20000), POLLPRI);
		EXPECT_GE(look(fd).witness.cycles, 2);
	}
	load_end();
	EXPECT_SOUND(fd);
}

/* Who was above the threshold before it was raised is not above it now. */
static void raised_under_load(void)
{
	int fd = with_recording();

	load_begin();
	for (int i = 0; i < 300; i++) {
		threshold(fd, TLSF_THRESHOLD_SET, 1);
		set(fd, NEVER);
		EXPECT_EQ(look(fd).exceeded, 0);
	}
	load_end();
}

static char tracing_on(const char *write_that)
{
	FILE *file = fopen("/sys/kernel/tracing/tracing_on", write_that ? "w" : "r");
	int got = 0;

	EXPECT(file);
	if (write_that)
		fputs(write_that, file);
	else
		got = fgetc(file);
	EXPECT(!fclose(file));
	return (char)got;
}

/* The last case: the tests that come after this one want to trace. */
static void tracing_is_stopped(void)
{
	int fd = with_recording();

	tracing_on("1");
	set(fd, NEVER);
	ALLOC(fd, .size = 100);
	EXPECT_EQ(tracing_on(NULL), '1');
	set(fd, 1);
	ALLOC(fd, .size = 100);
	EXPECT_EQ(tracing_on(NULL), '0');
	set(fd, 0);
	tracing_on("1");
}

UAPI_MAIN(KTAP_CASE(none_is_never_exceeded), KTAP_CASE(the_first_above_it_is_kept),
	  KTAP_CASE(those_below_it_are_not), KTAP_CASE(setting_it_forgets),
	  KTAP_CASE(nothing_is_seen_without_recording),
	  KTAP_CASE(who_waits_is_woken), KTAP_CASE(the_parameter_is_the_same),
	  KTAP_CASE(unknown_flags_are_refused), KTAP_CASE(set_under_load),
	  KTAP_CASE(raised_under_load),
	  KTAP_CASE(tracing_is_stopped))
