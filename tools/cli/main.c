// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf: look at, stress and measure the kernel's bounded-time memory pool.
 *
 * Room: cli. Wiring only: global options, the table of subcommands,
 * and the check that everything printed was really written.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(x)		#x
#define NUMBER(x)	TEXT(x)

const char *argp_program_version = "tlsf " TLSF_TOOL_VERSION " (ABI " NUMBER(TLSF_ABI_VERSION) ")";

struct command {
	const char *name;
	const char *summary;
	int (*run)(struct cli *cli, int argc, char **argv);
};

static const struct command commands[] = {
	{ "info", "constants of the module and the pool", cmd_info },
	{ "stat", "counters, and latency of each operation", cmd_stat },
	{ "hist", "latency histogram", cmd_hist },
	{ "map", "picture of used and free blocks", cmd_map },
	{ "check", "prove every invariant of the heap", cmd_check },
	{ "stress", "random load from many threads, contents verified", cmd_stress },
	{ "replay", "replay a recorded trace, contents verified", cmd_replay },
	{ "reset", "start latency figures and counters afresh", cmd_reset },
};

/* What to run, found while the global options are parsed. */
struct invocation {
	struct cli cli;
	const struct command *command;
	int first;	/* index of the subcommand in argv */
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
	struct invocation *inv = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &inv->cli;
		return 0;
	case ARGP_KEY_ARG:
		inv->command = command_find(arg);
		if (!inv->command)
			argp_error(state, "unknown command '%s'", arg);
		inv->first = state->next - 1;
		state->next = state->argc;	/* the rest is the subcommand's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
	}
	return ARGP_ERR_UNKNOWN;
}

/* Appends the table of commands to --help. */
static char *help_filter(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t len;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&all, &len);
	if (!out)
		return (char *)text;
	fputs("Commands ('tlsf COMMAND --help' for the options of each):\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n%s", text);
	fclose(out);
	return all;
}

static const struct argp global_argp = {
	.parser = parse_global,
	.args_doc = "COMMAND [OPTION...]",
	.doc = "Look at, stress and measure the kernel's bounded-time memory pool."
	       "\v"
	       "Exit status: 0 success; 1 what was looked at failed (corruption, failed "
	       "operations, one above --max-cycles); 2 wrong usage or a bad input file; 3 no device, no permission, "
	       "or another ABI.",
	.children = cli_device_child,
	.help_filter = help_filter,
};

static int run(struct invocation *inv, int argc, char **argv)
{
	static char name[32];

	snprintf(name, sizeof(name), "tlsf %s", inv->command->name);
	argv[inv->first] = name;
	return inv->command->run(&inv->cli, argc - inv->first, argv + inv->first);
}

int main(int argc, char **argv)
{
	struct invocation inv = { .cli.device = "/dev/tlsf" };
	static char name[] = "tlsf";
	int code;

	argp_err_exit_status = EXIT_USAGE;
	argv[0] = name;
	argp_parse(&global_argp, argc, argv, ARGP_IN_ORDER, NULL, &inv);
	code = run(&inv, argc, argv);
	progress_clear();
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write the output: %s", strerror(errno));
		return EXIT_BAD;
	}
	return code;
}
