/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE4.2 string comparison, with the host's own; one piece of host code for each immediate. */
#include "src/cpu/sse_exec.h"
#include "src/cpu/sse_imm.h"

/* In: xmm0, xmm1, edi, esi: lengths, rdx: where the flags and the index go. */
#define SSE_STR_STUBS(name)                                            \
	__asm__(".pushsection .text.sse_stubs, \"ax\", @progbits\n"    \
		".balign 64\n"                                         \
		".globl sse_stubs_" #name "\n"                         \
		".hidden sse_stubs_" #name "\n"                        \
		".type sse_stubs_" #name ", @function\n"               \
		"sse_stubs_" #name ":\n"                               \
		"sse_str_i = 0\n"                                      \
		".rept 256\n"                                          \
		".balign 32\n"                                         \
		"mov %rdx, %r8\n"                                      \
		"mov %edi, %eax\n"                                     \
		"mov %esi, %edx\n" #name " $sse_str_i, %xmm1, %xmm0\n" \
		"pushfq\n"                                             \
		"popq (%r8)\n"                                         \
		"mov %rcx, 8(%r8)\n"                                   \
		"ret\n"                                                \
		"sse_str_i = sse_str_i + 1\n"                          \
		".endr\n"                                              \
		".popsection");

SSE_STR_STUBS(pcmpestri)
SSE_STR_STUBS(pcmpestrm)
SSE_STR_STUBS(pcmpistri)
SSE_STR_STUBS(pcmpistrm)

/* A length in RAX or RDX (UF_AUX: 64 bits) counts by its absolute value and not beyond 16. */
static int sse_str_length(const struct cpu *c, const struct uop *u, unsigned reg)
{
	int64_t n = u->flags & UF_AUX ? (int64_t)c->regs[reg] : (int32_t)c->regs[reg];

	return n > 16 || n < -16 ? 16 : (int)n;
}

/* The second operand may be in memory, which need not be aligned. */
static __m128i sse_str_source(struct cpu *c, const struct uop *u)
{
	if (!(u->flags & UF_MEM))
		return XMM(c, u->src)->i;
	mmu_ld128(c, u, uop_lin(c, u), &c->sse_tmp);
	return c->sse_tmp.i;
}

static noinline_fn void sse_str(struct cpu *c, const struct uop *u, bool index)
{
	uint64_t aux[2];
	__m128i s = sse_str_source(c, u), mask;

	mask = ((sse_str_fn *)u->imm)(XMM(c, u->dst)->i, s, sse_str_length(c, u, R_RAX),
				      sse_str_length(c, u, R_RDX), aux);
	if (index)
		c->regs[R_RCX] = (uint32_t)aux[1];
	else
		c->xmm[0].i = mask;
	cc_set(c, (uint32_t)aux[0] & FL_ARITH);
}

const struct uop *sse_pcmpestri(struct cpu *c, const struct uop *u)
{
	sse_str(c, u, true);
	NEXT();
}

const struct uop *sse_pcmpestrm(struct cpu *c, const struct uop *u)
{
	sse_str(c, u, false);
	NEXT();
}

const struct uop *sse_pcmpistri(struct cpu *c, const struct uop *u)
{
	sse_str(c, u, true);
	NEXT();
}

const struct uop *sse_pcmpistrm(struct cpu *c, const struct uop *u)
{
	sse_str(c, u, false);
	NEXT();
}
