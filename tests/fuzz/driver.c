/* SPDX-License-Identifier: BSD-2-Clause */
/* Where there is no libFuzzer: pseudo-random inputs for a fuzz target, or the files that are named. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/fuzz/fuzz.h"

#define ROUNDS	   10000
#define INPUT_MAX  2048
#define FILE_MAX   (1 * MiB)
#define LIBFUZZERS '-' /* its options */

static uint64_t seed = 1;

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

/* Small numbers, bytes that come again, and noise. */
static size_t make(uint8_t *out)
{
	size_t n = any(INPUT_MAX);

	for (size_t i = 0; i < n; i++) {
		switch (any(4)) {
		case 0:
			out[i] = (uint8_t)any(8);
			break;
		case 1:
			out[i] = i ? out[any((uint32_t)i)] : 0;
			break;
		default:
			out[i] = (uint8_t)any(256);
		}
	}
	return n;
}

static int run_file(const char *path)
{
	uint8_t *buf = xmalloc(FILE_MAX);
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f) {
		perror(path);
		free(buf);
		return 1;
	}
	n = fread(buf, 1, FILE_MAX, f);
	fclose(f);
	LLVMFuzzerTestOneInput(buf, n);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	const char *rounds = getenv("EVMM_FUZZ_ROUNDS"), *s = getenv("EVMM_FUZZ_SEED");
	unsigned long n = rounds	   ? strtoul(rounds, NULL, 0)
			  : &fuzz_slowness ? ROUNDS / fuzz_slowness
					   : ROUNDS;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] != LIBFUZZERS)
			failed |= run_file(argv[i]);
	if (argc > 1)
		return failed;
	if (s)
		seed = strtoull(s, NULL, 0);
	for (unsigned long i = 0; i < n; i++) {
		/* Exactly as long as the input, so that reading beyond it is seen. */
		uint8_t all[INPUT_MAX], *input;
		size_t bytes = make(all);

		input = xmalloc(bytes + !bytes);
		memcpy(input, all, bytes);
		LLVMFuzzerTestOneInput(input, bytes);
		free(input);
	}
	printf("%lu inputs\n", n);
	return 0;
}
