/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all parts of the tlsf command share: exit codes, options, messages, numbers.
 *
 * Room: cli. May use libc with argp, jansson, zstd, pthreads and the
 * uapi header <linux/tlsf.h>; never kernel or core sources.
 *
 * Errors go to stderr as "tlsf: what, which value, what to do"; figures to stdout.
 */
#ifndef TLSF_CLI_H
#define TLSF_CLI_H

#include <argp.h>
#include <jansson.h>
#include <linux/tlsf.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u64 u64;
typedef __u32 u32;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define KEY(n)		(0x100 + (n))	/* argp key of an option without a short form */

/**
 * enum exit_code - what the command tells a script
 * @EXIT_OK: done, and what was looked at is sound
 * @EXIT_BAD: what was looked at failed: corruption, failed operations, one above the
 *	threshold
 * @EXIT_USAGE: wrong options, or an input file that is no good
 * @EXIT_DEVICE: no device, no permission, or not the ABI this command knows
 */
enum exit_code {
	EXIT_OK = 0,
	EXIT_BAD = 1,
	EXIT_USAGE = 2,
	EXIT_DEVICE = 3,
};

/**
 * struct cli - options that more than one subcommand takes
 * @device: path of the device
 * @json: print JSON rather than text
 */
struct cli {
	const char *device;
	bool json;
};

/* Children for a subcommand's argp; its input is the struct cli. */
extern const struct argp_child cli_device_child[];
extern const struct argp_child cli_json_child[];

int cmd_info(struct cli *cli, int argc, char **argv);
int cmd_stat(struct cli *cli, int argc, char **argv);
int cmd_stress(struct cli *cli, int argc, char **argv);
int cmd_replay(struct cli *cli, int argc, char **argv);
int cmd_hist(struct cli *cli, int argc, char **argv);
int cmd_map(struct cli *cli, int argc, char **argv);
int cmd_check(struct cli *cli, int argc, char **argv);
int cmd_reset(struct cli *cli, int argc, char **argv);

/* cli.c: options */
bool scan_u64(const char **text, u64 *value);
bool scan_size(const char **text, u64 *bytes);
u64 arg_number(struct argp_state *state, const char *option, const char *arg,
	       u64 least, u64 most);
size_t arg_word(struct argp_state *state, const char *option, const char *arg,
		const char *const *words, size_t nr);

/* cli.c: output */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void progress_clear(void);
int print_json(json_t *root);
const char *human_bytes(u64 bytes, char text[16]);
const char *errno_name(int err);
bool is_terminal(int fd);
bool locale_is_utf8(void);
double now_seconds(void);

#endif /* TLSF_CLI_H */
