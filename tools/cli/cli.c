// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared options, strict number parsing, messages and JSON output.
 *
 * Room: cli. Touches stdout, stderr and the environment; no device.
 */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_DEVICE = KEY(0), OPT_JSON, OPT_GET };

/* What --get names; NULL for all. */
static const char *wanted;

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct cli *cli = state->input;

	switch (key) {
	case OPT_DEVICE:
		cli->device = arg;
		return 0;
	case OPT_JSON:
		cli->json = true;
		return 0;
	case OPT_GET:
		cli->json = true;
		wanted = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

#define DEVICE_OPTION \
	{ "device", OPT_DEVICE, "PATH", 0, "Device to use (default /dev/tlsf)", 1 }

static const struct argp_option device_options[] = { DEVICE_OPTION, { 0 } };
static const struct argp_option json_options[] = {
	DEVICE_OPTION,
	{ "json", OPT_JSON, NULL, 0, "Print JSON for scripts", 1 },
	{ "get", OPT_GET, "KEY", 0,
	  "Print one value of that alone; KEY leads to it, as in counters/allocs", 1 },
	{ 0 }
};

static const struct argp device_argp = { .options = device_options, .parser = parse_common };
static const struct argp json_argp = { .options = json_options, .parser = parse_common };

const struct argp_child cli_device_child[] = { { &device_argp, 0, NULL, 0 }, { 0 } };
const struct argp_child cli_json_child[] = { { &json_argp, 0, NULL, 0 }, { 0 } };

/* Decimal digits at *text; moves *text behind them. No sign, no space, no overflow. */
bool scan_u64(const char **text, u64 *value)
{
	const char *p = *text;
	u64 v = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (u64)(*p - '0'), &v))
			return false;
	*text = p;
	*value = v;
	return true;
}

/* The same with an optional suffix K, M or G (powers of 1024). */
bool scan_size(const char **text, u64 *bytes)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	char upper;

	if (!scan_u64(text, bytes))
		return false;
	upper = **text & ~0x20;	/* 0 of a blank, which strchr() would find */
	suffix = upper ? strchr(suffixes, upper) : NULL;
	if (!suffix)
		return true;
	(*text)++;
	return !__builtin_mul_overflow(*bytes, 1ULL << (10 * (suffix - suffixes + 1)), bytes);
}

u64 arg_number(struct argp_state *state, const char *option, const char *arg,
	       u64 least, u64 most)
{
	const char *end = arg;
	u64 value = 0;

	if (!scan_u64(&end, &value) || *end || value < least || value > most)
		argp_error(state, "--%s: '%s' is not a number from %llu to %llu",
			   option, arg, least, most);
	return value;
}

size_t arg_word(struct argp_state *state, const char *option, const char *arg,
		const char *const *words, size_t nr)
{
	char known[128] = "";

	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(arg, words[i]))
			return i;
		strcat(strcat(known, " "), words[i]);
	}
	argp_error(state, "--%s: '%s' is none of:%s", option, arg, known);
	return 0;
}

void complain(const char *format, ...)
{
	va_list args;

	progress_clear();
	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* One that understands escape sequences: a serial console that is logged does not. */
bool is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

static bool progress_shown;

/* One line that overwrites itself; a log file or a pipe never sees it. */
void progress(const char *format, ...)
{
	va_list args;

	if (!is_terminal(STDERR_FILENO))
		return;
	va_start(args, format);
	fputs("\r\033[K", stderr);
	vfprintf(stderr, format, args);
	fflush(stderr);
	va_end(args);
	progress_shown = true;
}

void progress_clear(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

/* What keys with slashes between them lead to from @node; NULL when there is no such. */
static const json_t *json_at(const json_t *node, const char *keys)
{
	for (const char *key = keys; node && *key; key += strspn(key, "/")) {
		size_t length = strcspn(key, "/");

		node = json_object_getn(node, key, length);
		key += length;
	}
	return node;
}

/* A string without its quotes. */
static int print_value(const json_t *value)
{
	if (json_is_string(value))
		return puts(json_string_value(value));
	if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10) | JSON_ENCODE_ANY))
		return -1;
	return putchar('\n');
}

/* Consumes @root. */
int print_json(json_t *root)
{
	const json_t *value = wanted ? json_at(root, wanted) : root;
	int code = EXIT_OK;

	if (root && !value) {
		complain("--get: '%s' leads to nothing; see --json for what there is", wanted);
		code = EXIT_USAGE;
	} else if (!root || print_value(value) < 0) {
		complain("cannot build the JSON output: out of memory");
		code = EXIT_BAD;
	}
	json_decref(root);
	return code;
}

const char *human_bytes(u64 bytes, char text[16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 16, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "unknown errno";
}

/* From the environment alone: an initramfs has no locale data to load. */
bool locale_is_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}
