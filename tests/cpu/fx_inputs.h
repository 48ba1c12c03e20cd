/* SPDX-License-Identifier: BSD-2-Clause */
/* Random inputs for floating-point and SIMD forms of hostcmp: the FXSAVE image, and memory operands that look like numbers. */
#ifndef EVMM_TESTS_FX_INPUTS_H
#define EVMM_TESTS_FX_INPUTS_H

#include "tests/cpu/hostcmp.h"

/* Zeros, infinities, NaNs of both kinds, denormals, huge, tiny, small integers, neighbours of powers of two. */
uint32_t fx_float(void);
uint64_t fx_double(void);
/* 10 bytes; unnormals and pseudo-denormals too. */
void fx_extended(uint8_t *p);

/* Hooks (struct hc_form's setup). All fill registers and the memory operand with integers, singles and doubles. */
void fx_setup(struct hc_case *k);	 /* default control words */
void fx_setup_sse(struct hc_case *k);	 /* any rounding, FTZ, DAZ; sometimes exceptions unmasked */
void fx_setup_masked(struct hc_case *k); /* the same, all exceptions masked */
void fx_setup_x87(
	struct hc_case *k); /* any control word; sometimes an exception is pending already */
void fx_setup_mxcsr(struct hc_case *k); /* the memory operand is a value for MXCSR, mostly valid */

#endif
