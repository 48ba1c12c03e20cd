/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE instructions of the regular form (sse_list.h): the host's instruction on the guest's operands. */
#include "src/cpu/sse_exec.h"

#define SSE_TYPE_2  guest_u16
#define SSE_TYPE_4  guest_u32
#define SSE_TYPE_8  guest_u64
#define SSE_TYPE_16 union xmm

#define SSE_BODY(insn)                                         \
	__m128i d = XMM(c, u->dst)->i;                         \
	__asm__ volatile(#insn " %1, %0" : "+x"(d) : "m"(*p)); \
	XMM(c, u->dst)->i = d

#define SSE_BODY_XMM0(insn)                                                     \
	__m128i d = XMM(c, u->dst)->i;                                          \
	register __m128i x0 __asm__("xmm0") = c->xmm[0].i;                      \
	__asm__ volatile(#insn " %%xmm0, %1, %0" : "+x"(d) : "m"(*p), "x"(x0)); \
	XMM(c, u->dst)->i = d

#define SSE_OP(name, insn, bytes, feature, kind)                      \
	SSE_REG_OP(sse_##insn##_xx, SSE_TYPE_##bytes, SSE_BODY(insn)) \
	SSE_MEM_OP(sse_##insn##_xm, SSE_TYPE_##bytes, SSE_BODY(insn))

#define SSE_OPZ(name, insn, feature)                                \
	SSE_REG_OP(sse_##insn##_xx, union xmm, SSE_BODY_XMM0(insn)) \
	SSE_MEM_OP(sse_##insn##_xm, union xmm, SSE_BODY_XMM0(insn))

#include "src/cpu/sse_list.h"
