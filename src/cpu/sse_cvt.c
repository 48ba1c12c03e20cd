/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE: comparison into EFLAGS, conversion to and from integers, shifts by an immediate. */
#include "src/cpu/sse_exec.h"

#define SSE_FN(name, body)                                         \
	const struct uop *name(struct cpu *c, const struct uop *u) \
	{                                                          \
		body;                                              \
		NEXT();                                            \
	}

/* ZF, PF, CF as the comparison has them; OF, SF, AF are cleared. LAHF: AH = SF ZF 0 AF 0 PF 1 CF. */
#define SSE_COMI_BODY(insn)                                \
	unsigned ax;                                       \
	__asm__ volatile(#insn " %1, %2\n\tlahf"           \
			 : "=a"(ax)                        \
			 : "m"(*p), "x"(XMM(c, u->dst)->i) \
			 : "cc");                          \
	c->cc_op = CC_EFLAGS;                              \
	c->cc_src = (ax >> 8) & (FL_ZF | FL_PF | FL_CF)

#define SSE_COMI(insn, type)                                   \
	SSE_REG_OP(sse_##insn##_xx, type, SSE_COMI_BODY(insn)) \
	SSE_MEM_OP(sse_##insn##_xm, type, SSE_COMI_BODY(insn))

SSE_COMI(comiss, guest_u32)
SSE_COMI(ucomiss, guest_u32)
SSE_COMI(comisd, guest_u64)
SSE_COMI(ucomisd, guest_u64)

#define SSE_PTEST_BODY                                                                       \
	__m128i d = XMM(c, u->dst)->i, s = p->i, zero = _mm_setzero_si128();                 \
	bool z = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(d, s), zero)) == 0xffff;     \
	bool cf = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_andnot_si128(d, s), zero)) == 0xffff; \
	cc_set(c, (z ? FL_ZF : 0) | (cf ? FL_CF : 0))

SSE_REG_OP(sse_ptest_xx, union xmm, SSE_PTEST_BODY)
SSE_MEM_OP(sse_ptest_xm, union xmm, SSE_PTEST_BODY)

/* ---- integer to floating point: the rest of the destination stays ---- */

#define SSE_FROM_INT_BODY(insn, value)                            \
	__m128i d = XMM(c, u->dst)->i;                            \
	__asm__ volatile(#insn " %1, %0" : "+x"(d) : "r"(value)); \
	XMM(c, u->dst)->i = d

#define SSE_FROM_INT(insn)                                                       \
	SSE_FN(sse_##insn##_xr32, SSE_FROM_INT_BODY(insn##l, REG32(c, u->src)))  \
	SSE_FN(sse_##insn##_xr64, SSE_FROM_INT_BODY(insn##q, REG64(c, u->src)))  \
	SSE_MEM_OP(sse_##insn##_xm32, guest_u32, SSE_FROM_INT_BODY(insn##l, *p)) \
	SSE_MEM_OP(sse_##insn##_xm64, guest_u64, SSE_FROM_INT_BODY(insn##q, *p))

SSE_FROM_INT(cvtsi2ss)
SSE_FROM_INT(cvtsi2sd)

/* ---- floating point to integer ---- */

#define SSE_TO_INT_BODY(insn, type)                            \
	type r;                                                \
	__asm__ volatile(#insn " %1, %0" : "=r"(r) : "m"(*p)); \
	REG64(c, u->dst) = r

#define SSE_TO_INT(insn, mem)                                               \
	SSE_REG_OP(sse_##insn##_rx32, mem, SSE_TO_INT_BODY(insn, uint32_t)) \
	SSE_REG_OP(sse_##insn##_rx64, mem, SSE_TO_INT_BODY(insn, uint64_t)) \
	SSE_MEM_OP(sse_##insn##_rm32, mem, SSE_TO_INT_BODY(insn, uint32_t)) \
	SSE_MEM_OP(sse_##insn##_rm64, mem, SSE_TO_INT_BODY(insn, uint64_t))

SSE_TO_INT(cvtss2si, guest_u32)
SSE_TO_INT(cvttss2si, guest_u32)
SSE_TO_INT(cvtsd2si, guest_u64)
SSE_TO_INT(cvttsd2si, guest_u64)

/* ---- shifts by u->imm ---- */

#define SSE_SHIFT(insn)                                              \
	SSE_FN(sse_##insn##_xi, __m128i d = XMM(c, u->dst)->i;       \
	       __asm__(#insn " %1, %0"                               \
		       : "+x"(d)                                     \
		       : "x"(_mm_cvtsi64_si128((long long)u->imm))); \
	       XMM(c, u->dst)->i = d)

SSE_SHIFT(psllw)
SSE_SHIFT(pslld)
SSE_SHIFT(psllq)
SSE_SHIFT(psrlw)
SSE_SHIFT(psrld)
SSE_SHIFT(psrlq)
SSE_SHIFT(psraw)
SSE_SHIFT(psrad)
