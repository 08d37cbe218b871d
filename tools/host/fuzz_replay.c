// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzz target without an engine: replays inputs that were found, or a few thousand
 * drawn from the seed, as a test; and writes some of these as a corpus to start from.
 *
 * Room: host.
 *
 *	fuzz_replay			inputs drawn from the seed, KTAP on stdout
 *	fuzz_replay FILE...		those in files
 *	fuzz_replay --corpus DIR	write the first drawn inputs into DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ktap.h"

#define INPUT_MAX	4096u
#define CORPUS_FILES	64u

static char **files;

/* short ones reach the ends, where all is checked; long ones reach deep */
static size_t draw_input(struct rng *r, uint8_t *input, size_t longest)
{
	size_t bytes = 1 + rng_below(r, longest), i;

	for (i = 0; i < bytes; i++)
		input[i] = (uint8_t)rng_below(r, 256);
	return bytes;
}

static void run_drawn(unsigned int inputs, size_t longest)
{
	struct rng r = rng_seed(ktap_seed);
	uint8_t input[INPUT_MAX];

	while (inputs--)
		fuzz_one(input, draw_input(&r, input, longest));
}

static void short_inputs_hold(void)
{
	run_drawn(6000, 100);
}

static void longer_inputs_hold(void)
{
	run_drawn(1000, INPUT_MAX / 4);
}

static void long_inputs_hold(void)
{
	run_drawn(100, INPUT_MAX);
}

static void inputs_in_files_hold(void)
{
	uint8_t input[4 * INPUT_MAX];
	size_t bytes;
	FILE *in;

	for (; *files; files++) {
		printf("# %s\n", *files);
		in = fopen(*files, "rb");
		EXPECT(in);
		bytes = fread(input, 1, sizeof(input), in);
		fclose(in);
		fuzz_one(input, bytes);
	}
}

static int write_corpus(const char *dir)
{
	struct rng r = rng_seed(1);
	uint8_t input[INPUT_MAX];
	char path[4096];
	unsigned int i;
	FILE *out;

	for (i = 0; i < CORPUS_FILES; i++) {
		size_t bytes = draw_input(&r, input, 16 << i % 6);

		snprintf(path, sizeof(path), "%s/seed-%02u", dir, i);
		out = fopen(path, "wb");
		if (!out || fwrite(input, 1, bytes, out) != bytes || fclose(out)) {
			perror(path);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct ktap_case drawn[] = {
		KTAP_CASE(short_inputs_hold),
		KTAP_CASE(longer_inputs_hold),
		KTAP_CASE(long_inputs_hold),
	}, given[] = {
		KTAP_CASE(inputs_in_files_hold),
	};

	if (argc == 3 && !strcmp(argv[1], "--corpus"))
		return write_corpus(argv[2]);
	files = argv + 1;
	return argc > 1 ? ktap_run("fuzz_replay", given, ARRAY_SIZE(given)) :
			  ktap_run("fuzz_replay", drawn, ARRAY_SIZE(drawn));
}
