/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SSE instructions with an immediate byte. The immediate is part of the host's instruction as well, so there is a
 * tiny function of the C calling convention (operands and result in xmm0, xmm1) for each of its values, 8 bytes apart, and
 * translation puts the one to call in u->imm.
 */
#include "src/cpu/sse_exec.h"
#include "src/cpu/sse_imm.h"

#define SSE_STUBS(name, count, insn)                                \
	__asm__(".pushsection .text.sse_stubs, \"ax\", @progbits\n" \
		".balign 64\n"                                      \
		".globl sse_stubs_" #name "\n"                      \
		".hidden sse_stubs_" #name "\n"                     \
		".type sse_stubs_" #name ", @function\n"            \
		"sse_stubs_" #name ":\n"                            \
		"sse_stub_i = 0\n"                                  \
		".rept " #count "\n"                                \
		".balign 8\n" insn "\n"                             \
		"ret\n"                                             \
		"sse_stub_i = sse_stub_i + 1\n"                     \
		".endr\n"                                           \
		".popsection");

#define SSE_IMM_OP(name, insn, bytes, feature, kind, mask) \
	SSE_STUBS(insn, mask + 1, #insn " $sse_stub_i, %xmm1, %xmm0")
#define SSE_IMM_SHIFT(name, insn, feature) SSE_STUBS(insn, 256, #insn " $sse_stub_i, %xmm0")
#include "src/cpu/sse_list_imm.h"

const struct uop *sse_imm_xx(struct cpu *c, const struct uop *u)
{
	XMM(c, u->dst)->i = ((sse_stub_fn *)u->imm)(XMM(c, u->dst)->i, XMM(c, u->src)->i);
	NEXT();
}

#define SSE_IMM_BODY(load) XMM(c, u->dst)->i = ((sse_stub_fn *)u->imm)(XMM(c, u->dst)->i, load)

SSE_MEM_OP(sse_imm_xm16, union xmm, SSE_IMM_BODY(p->i))
SSE_MEM_OP(sse_imm_xm8, guest_u64, SSE_IMM_BODY(_mm_cvtsi64_si128((long long)*p)))
SSE_MEM_OP(sse_imm_xm4, guest_u32, SSE_IMM_BODY(_mm_cvtsi32_si128((int)*p)))

/* The shuffles that compilers like best, without a call. */
const struct uop *sse_pshufd_xx(struct cpu *c, const struct uop *u)
{
	const union xmm *s = XMM(c, u->src);
	unsigned imm = (unsigned)u->imm;

	XMM(c, u->dst)->i = _mm_set_epi32(s->s32[(imm >> 6) & 3], s->s32[(imm >> 4) & 3],
					  s->s32[(imm >> 2) & 3], s->s32[imm & 3]);
	NEXT();
}

const struct uop *sse_shufpd_xx(struct cpu *c, const struct uop *u)
{
	const union xmm *d = XMM(c, u->dst), *s = XMM(c, u->src);
	unsigned imm = (unsigned)u->imm;

	XMM(c, u->dst)->i = _mm_set_epi64x(s->s64[(imm >> 1) & 1], d->s64[imm & 1]);
	NEXT();
}
