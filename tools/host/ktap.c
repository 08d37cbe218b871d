// SPDX-License-Identifier: GPL-2.0-only
/*
 * KTAP: runs the cases of a table and reports them; see ktap.h.
 *
 * Room: host; libc only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ktap.h"

#ifndef BUILD_NAME
#define BUILD_NAME "unnamed"
#endif

enum { CASE_STARTS, CASE_FAILED, CASE_SKIPPED };

uint64_t ktap_seed = 1;

static jmp_buf case_end;
static const char *here_file;
static int here_line;
static char note[256];

void ktap_here(const char *file, int line)
{
	here_file = file;
	here_line = line;
}

void ktap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
}

void ktap_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (here_file)
		printf("#   last checked operation: %s:%d\n", here_file, here_line);
	if (*note)
		printf("#   %s\n", note);
	longjmp(case_end, CASE_FAILED);
}

void ktap_skip(const char *reason)
{
	printf("# skipped: %s\n", reason);
	longjmp(case_end, CASE_SKIPPED);
}

static int run_case(const struct ktap_case *test)
{
	int end = setjmp(case_end);

	here_file = NULL;
	*note = '\0';
	if (end == CASE_STARTS)
		test->run();
	return end;
}

static uint64_t seed_from_environment(void)
{
	const char *text = getenv("TLSF_SEED");

	return text ? strtoull(text, NULL, 0) : ktap_seed;
}

int ktap_run(const char *name, const struct ktap_case *cases, size_t nr_cases)
{
	int failures = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ktap_seed = seed_from_environment();
	printf("KTAP version 1\n# %s, build %s, seed %llu\n1..%zu\n", name, BUILD_NAME,
	       (unsigned long long)ktap_seed, nr_cases);
	for (i = 0; i < nr_cases; i++) {
		int end = run_case(&cases[i]);

		printf("%sok %zu %s%s\n", end == CASE_FAILED ? "not " : "", i + 1,
		       cases[i].name, end == CASE_SKIPPED ? " # SKIP" : "");
		failures += end == CASE_FAILED;
	}
	if (failures) {
		fflush(stdout);
		_exit(EXIT_FAILURE);	/* what failed cases left behind is no news */
	}
	return EXIT_SUCCESS;
}
