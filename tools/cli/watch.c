// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait for the first operation that takes longer than it should.
 *
 * Room: cli. Sets the threshold, waits with poll, and leaves it as it is
 * when it was exceeded, so that others can read it too, else off.
 */
#include "watch.h"
#include "lat.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* Signals come only while ppoll() waits, so that none is missed. */
static void signals_hold(sigset_t *before)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Until the threshold is exceeded, a signal, or the end of time. */
static int wait_for_it(struct dev *dev, const struct watch *w, const sigset_t *signals)
{
	struct pollfd fd = { .fd = dev->fd, .events = POLLPRI };
	double end = now_seconds() + w->seconds;

	while (!interrupted) {
		double left = w->seconds ? end - now_seconds() : 1e6;
		struct timespec ts = { .tv_sec = left > 0 ? (time_t)left : 0 };

		ts.tv_nsec = left > 0 ? (long)((left - (double)ts.tv_sec) * 1e9) : 0;
		if (ppoll(&fd, 1, &ts, signals) < 0 && errno != EINTR)
			return -errno;
		if (fd.revents & POLLPRI || left <= 0)
			break;
	}
	return 0;
}

static int watch_json(const struct dev *dev, const struct tlsf_threshold *t)
{
	return print_json(json_pack("{s:o, s:I, s:b, s:o, s:o, s:o}",
		"clock", dev_clock_json(dev), "max_cycles", (json_int_t)t->max_cycles,
		"exceeded", !!t->exceeded,
		"operation", t->exceeded ? json_string(lat_op_name[t->op]) : json_null(),
		"pool", t->exceeded ? json_string((const char *)t->pool) : json_null(),
		"witness", lat_witness_json(&t->witness)));
}

static void watch_text(const struct dev *dev, const struct tlsf_threshold *t)
{
	if (!t->exceeded) {
		printf("no operation took more than %llu cycles\n", t->max_cycles);
		return;
	}
	printf("tracing stopped: %s in %s context, pool %s, ", lat_op_name[t->op],
	       lat_witness_context(&t->witness), (const char *)t->pool);
	lat_print_witness(dev, &t->witness);
}

static int watch_report(const struct dev *dev, const struct tlsf_threshold *t, bool json)
{
	int code = EXIT_OK;

	if (json)
		code = watch_json(dev, t);
	else
		watch_text(dev, t);
	return code ? code : t->exceeded ? EXIT_BAD : EXIT_OK;
}

int watch(struct dev *dev, const struct watch *w, bool json)
{
	struct tlsf_threshold set = { .flags = TLSF_THRESHOLD_SET, .max_cycles = w->max_cycles };
	struct tlsf_threshold seen = { 0 };
	sigset_t signals;
	int err;

	if (!(dev->info.flags & TLSF_INFO_LATENCY)) {
		complain("latency recording is off, so nothing would be seen; switch it on with "
			 "'echo 1 >/sys/module/tlsf_mod/parameters/latency'");
		return EXIT_USAGE;
	}
	signals_hold(&signals);
	err = dev_threshold(dev, &set);
	if (!err)
		err = wait_for_it(dev, w, &signals);
	if (!err)
		err = dev_threshold(dev, &seen);
	if (err)
		return dev_explain(dev, "THRESHOLD", err);
	if (!seen.exceeded) {
		set.max_cycles = 0;
		dev_threshold(dev, &set);
	}
	if (seen.op >= TLSF_LAT_NR)
		return dev_explain(dev, "THRESHOLD", -EPROTO);
	return watch_report(dev, &seen, json);
}
