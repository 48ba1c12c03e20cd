/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz targets: each file defines LLVMFuzzerTestOneInput(), which takes bytes and does with them what a stranger could. Nothing of it
 * may crash, hang or grow.
 *
 * With --enable-fuzzers (clang) libFuzzer looks for inputs that reach new code: `make fuzz`, FUZZ_SECONDS for each. Otherwise
 * driver.c gives each target pseudo-random inputs, in `make check`: EVMM_FUZZ_ROUNDS=N, EVMM_FUZZ_SEED=N, or files to be
 * done again.
 */
#ifndef EVMM_TESTS_FUZZ_H
#define EVMM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "src/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
/* A target whose inputs take long defines it: driver.c does so many times fewer. */
extern const unsigned fuzz_slowness __attribute__((weak));

/* What is left of an input; beyond its end all is 0. */
struct fuzz_input {
	const uint8_t *p;
	size_t n;
};

static inline uint64_t fuzz_take(struct fuzz_input *in, unsigned bytes)
{
	uint64_t v = 0;
	size_t n = MIN(bytes, in->n);

	memcpy(&v, in->p, n);
	in->p += n;
	in->n -= n;
	return v;
}

/* N bytes of it, or fewer; *P is into the input. */
static inline size_t fuzz_take_bytes(struct fuzz_input *in, size_t n, const uint8_t **p)
{
	*p = in->p;
	n = MIN(n, in->n);
	in->p += n;
	in->n -= n;
	return n;
}

#endif
