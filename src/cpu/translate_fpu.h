/* SPDX-License-Identifier: BSD-2-Clause */
/* What the translation of x87, MMX and SSE shares. */
#ifndef EVMM_CPU_TRANSLATE_FPU_H
#define EVMM_CPU_TRANSLATE_FPU_H

#include "src/cpu/sse.h"
#include "src/cpu/translate.h"

/* When the unit is off (CR0.TS, CR0.EM, CR4.OSFXSR): emits what raises, ends the block, true. */
bool x_fpu_off(struct xlate *x, bool mmx);
bool x_sse_off(struct xlate *x);

bool x_is_xmm(const ZydisDecodedOperand *o);
bool x_is_mm(const ZydisDecodedOperand *o);
/* An xmm register as SSE micro-operations have it: byte offset in c->xmm[]. */
uint8_t x_xmm(const ZydisDecodedOperand *o);

/* The operand of MASKMOVQ and MASKMOVDQU: rDI, in DS or the segment of a prefix. */
struct mem_ref x_mem_rdi(struct xlate *x, unsigned bytes);

/*
 * Before and after an operation that may raise SIMD exceptions (OP: UOP_SSE_CHECK_BEGIN, _END): nothing unless the guest has
 * unmasked one. FP_BYTES, ELEMENTS: of the result, if it is floating point that may underflow, else 0 or 1, 0.
 */
void x_sse_check(struct xlate *x, enum uop_op op, enum sse_check kind, uint8_t dst,
		 unsigned fp_bytes, unsigned elements);

#endif
