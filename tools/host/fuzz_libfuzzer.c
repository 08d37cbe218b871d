// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzz target under libFuzzer: what ktap.c is to a test, with a failure that aborts,
 * so that the engine keeps the input.
 *
 * Room: host; built by clang -fsanitize=fuzzer.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "ktap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char note[256];

void ktap_here(const char *file, int line)
{
	(void)file;
	(void)line;
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

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n  %s\n", note);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_one(data, bytes);
	return 0;
}
