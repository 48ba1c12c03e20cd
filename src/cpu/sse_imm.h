/* SPDX-License-Identifier: BSD-2-Clause */
/* Host code for SSE instructions with an immediate byte, one piece for each value (sse_imm.c, sse_str.c). */
#ifndef EVMM_CPU_SSE_IMM_H
#define EVMM_CPU_SSE_IMM_H

#include "src/cpu/cpu.h"

/* Destination, source; the new destination. */
typedef __m128i sse_stub_fn(__m128i d, __m128i s);

#define SSE_STUB_BYTES 8 /* from one to the next */

#define SSE_IMM_OP(name, insn, bytes, feature, kind, mask) extern const uint8_t sse_stubs_##insn[];
#define SSE_IMM_SHIFT(name, insn, feature)		   extern const uint8_t sse_stubs_##insn[];
#include "src/cpu/sse_list_imm.h"
#undef SSE_IMM_OP
#undef SSE_IMM_SHIFT

/*
 * PCMPxSTRx: both lengths as in EAX and EDX (explicit forms), AUX: where RFLAGS (aux[0]) and RCX (aux[1], index forms) go;
 * returns the mask (mask forms).
 */
typedef __m128i sse_str_fn(__m128i d, __m128i s, int length_d, int length_s, uint64_t *aux);

#define SSE_STR_BYTES 32

extern const uint8_t sse_stubs_pcmpestri[], sse_stubs_pcmpestrm[], sse_stubs_pcmpistri[],
	sse_stubs_pcmpistrm[];

#endif
