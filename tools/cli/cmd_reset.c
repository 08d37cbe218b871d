// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf reset: start latency figures and event counters afresh.
 *
 * Room: cli. Calls RESET, which touches no block.
 */
#include "dev.h"

enum { OPT_LATENCY = KEY(16), OPT_COUNTERS };

struct options {
	struct cli *cli;
	u32 flags;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o->cli;
		return 0;
	case OPT_LATENCY:
		o->flags |= TLSF_RESET_LATENCY;
		return 0;
	case OPT_COUNTERS:
		o->flags |= TLSF_RESET_COUNTERS;
		return 0;
	case ARGP_KEY_END:
		if (!o->flags)
			o->flags = TLSF_RESET_LATENCY | TLSF_RESET_COUNTERS;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "latency", OPT_LATENCY, NULL, 0, "Histograms and worst cases only", 0 },
	{ "counters", OPT_COUNTERS, NULL, 0, "Event counters and high water only", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Start latency figures and event counters afresh; blocks are not touched."
	       "\vWithout an option, both.",
	.children = cli_device_child,
};

int cmd_reset(struct cli *cli, int argc, char **argv)
{
	struct options o = { .cli = cli };
	struct dev dev;
	int code, err;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = dev_open(&dev, cli->device);
	if (code)
		return code;
	err = dev_reset(&dev, o.flags);
	if (err)
		code = dev_explain(&dev, "RESET", err);
	dev_close(&dev);
	return code;
}
