/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MMX: eight registers that are the low 64 bits of the x87's physical ones (SDM 1, chapter 9; SDM 3A, chapter 12).
 * Any MMX instruction sets TOP to 0 and all tags to valid (EMMS: empty); a register written has its exponent set to ones.
 *
 * Micro-operations: mm registers by number; UF_MEM: the source is memory of u->size bytes; UF_AUX: it is u->imm.
 */
#include "src/cpu/fpu_exec.h"
#include "src/cpu/sse_exec.h"

static void mmx_enter(struct cpu_fpu *f)
{
	f->top = 0;
	f->ftw = 0xff;
}

static void mmx_write(struct cpu_fpu *f, unsigned reg, uint64_t value)
{
	mmx_enter(f);
	f->r[reg].mmx = value;
	f->r[reg].exp = 0xffff;
}

static uint64_t mmx_source(struct cpu *c, const struct uop *u)
{
	fpu_wait(c, u);
	if (u->flags & UF_MEM)
		return u->size == 4 ? mmu_ld32(c, u, uop_lin(c, u)) : mmu_ld64(c, u, uop_lin(c, u));
	return u->flags & UF_AUX ? u->imm : c->fpu.r[u->src].mmx;
}

/* The host's x87 is empty between these pieces of assembly, so its MMX registers are free. */
#define MMX_OP(name, insn, feature)                                                                \
	UOP_FRAME_FN(mmx_##insn)                                                                   \
	{                                                                                          \
		uint64_t s = mmx_source(c, u), d = c->fpu.r[u->dst].mmx;                           \
                                                                                                   \
		__asm__ volatile("movq %0, %%mm0\n\t" #insn " %1, %%mm0\n\tmovq %%mm0, %0\n\temms" \
				 : "+m"(d)                                                         \
				 : "m"(s)                                                          \
				 : "mm0");                                                         \
		mmx_write(&c->fpu, u->dst, d);                                                     \
	}
#define MMX_SHIFT MMX_OP
#include "src/cpu/mmx_list.h"

UOP_FRAME_FN(mmx_emms)
{
	fpu_wait(c, u);
	c->fpu.top = 0;
	c->fpu.ftw = 0;
}

/* ---- moves ---- */

UOP_FRAME_FN(mmx_mov)
{
	uint64_t s = mmx_source(c, u);

	mmx_write(&c->fpu, u->dst, s);
}

UOP_FRAME_FN(mmx_mov_from_gpr)
{
	fpu_wait(c, u);
	mmx_write(&c->fpu, u->dst, u->size == 4 ? REG32(c, u->src) : REG64(c, u->src));
}

UOP_FRAME_FN(mmx_mov_to_gpr)
{
	uint64_t s = mmx_source(c, u);

	mmx_enter(&c->fpu);
	REG64(c, u->dst) = u->size == 4 ? (uint32_t)s : s;
}

UOP_FRAME_FN(mmx_store)
{
	fpu_wait(c, u);
	if (u->size == 4)
		mmu_st32(c, u, uop_lin(c, u), (uint32_t)c->fpu.r[u->src].mmx);
	else
		mmu_st64(c, u, uop_lin(c, u), c->fpu.r[u->src].mmx);
	mmx_enter(&c->fpu);
}

UOP_FRAME_FN(mmx_movq2dq)
{
	uint64_t s = mmx_source(c, u);

	mmx_enter(&c->fpu);
	XMM(c, u->dst)->i = _mm_cvtsi64_si128((long long)s);
}

UOP_FRAME_FN(mmx_movdq2q)
{
	fpu_wait(c, u);
	mmx_write(&c->fpu, u->dst, XMM(c, u->src)->u64[0]);
}

/* As MASKMOVDQU (sse_mov.c). */
UOP_FRAME_FN(mmx_maskmovq)
{
	uint64_t lin = uop_lin(c, u), data = c->fpu.r[u->dst].mmx, mask = c->fpu.r[u->src].mmx;

	fpu_wait(c, u);
	mask &= 0x8080808080808080;
	if (mask) {
		unsigned first = (unsigned)__builtin_ctzll(mask) / 8;
		unsigned last = 7 - (unsigned)__builtin_clzll(mask) / 8;

		mmu_probe(c, u, lin + first, last - first + 1, ACC_WRITE);
		for (unsigned i = first; i <= last; i++)
			if (mask & (0x80ull << (8 * i)))
				mmu_st8(c, u, lin + i, (uint8_t)(data >> (8 * i)));
	}
	mmx_enter(&c->fpu);
}

/* ---- elements; u->imm: the immediate ---- */

UOP_FRAME_FN(mmx_pmovmskb)
{
	uint64_t s = mmx_source(c, u);

	mmx_enter(&c->fpu);
	REG64(c, u->dst) = (unsigned)_mm_movemask_epi8(_mm_cvtsi64_si128((long long)s));
}

UOP_FRAME_FN(mmx_pextrw)
{
	uint64_t s;

	fpu_wait(c, u);
	s = c->fpu.r[u->src].mmx;
	mmx_enter(&c->fpu);
	REG64(c, u->dst) = (uint16_t)(s >> (16 * (u->imm & 3)));
}

/* From a general register, or UF_MEM. */
UOP_FRAME_FN(mmx_pinsrw)
{
	unsigned shift = 16 * (u->imm & 3);
	uint64_t s;

	fpu_wait(c, u);
	s = u->flags & UF_MEM ? mmu_ld16(c, u, uop_lin(c, u)) : REG16(c, u->src);
	mmx_write(&c->fpu, u->dst, (c->fpu.r[u->dst].mmx & ~(0xffffull << shift)) | s << shift);
}

UOP_FRAME_FN(mmx_pshufw)
{
	uint64_t s = mmx_source(c, u), r = 0;

	for (unsigned i = 0; i < 4; i++)
		r |= ((s >> (16 * ((u->imm >> (2 * i)) & 3))) & 0xffff) << (16 * i);
	mmx_write(&c->fpu, u->dst, r);
}

UOP_FRAME_FN(mmx_palignr)
{
	uint64_t s = mmx_source(c, u);
	unsigned __int128 both = (unsigned __int128)c->fpu.r[u->dst].mmx << 64 | s;

	mmx_write(&c->fpu, u->dst, u->imm < 16 ? (uint64_t)(both >> (8 * u->imm)) : 0);
}

/* ---- conversions between mm and xmm ---- */

/* To the low half of xmm. From memory the x87 isn't touched. */
UOP_FRAME_FN(mmx_cvtpi2ps)
{
	uint64_t s = mmx_source(c, u);
	__m128i v = _mm_cvtsi64_si128((long long)s);

	if (!(u->flags & UF_MEM))
		mmx_enter(&c->fpu);
	__asm__ volatile("cvtdq2ps %0, %0" : "+x"(v));
	XMM(c, u->dst)->d = _mm_move_sd(XMM(c, u->dst)->d, _mm_castsi128_pd(v));
}

UOP_FRAME_FN(mmx_cvtpi2pd)
{
	uint64_t s = mmx_source(c, u);

	if (!(u->flags & UF_MEM))
		mmx_enter(&c->fpu);
	XMM(c, u->dst)->d = _mm_cvtepi32_pd(_mm_cvtsi64_si128((long long)s));
}

#define MMX_CVT(name, insn, bytes)                                          \
	UOP_FRAME_FN(mmx_##name)                                            \
	{                                                                   \
		__m128i v;                                                  \
                                                                            \
		fpu_wait(c, u);                                             \
		if (!(u->flags & UF_MEM)) {                                 \
			v = XMM(c, u->src)->i;                              \
		} else {                                                    \
			sse_load_slow(c, u, bytes);                         \
			v = c->sse_tmp.i;                                   \
		}                                                           \
		if (bytes == 8)                                             \
			v = _mm_move_epi64(v);                              \
		__asm__ volatile(insn " %0, %0" : "+x"(v));                 \
		mmx_write(&c->fpu, u->dst, (uint64_t)_mm_cvtsi128_si64(v)); \
	}

MMX_CVT(cvtps2pi, "cvtps2dq", 8)
MMX_CVT(cvttps2pi, "cvttps2dq", 8)
MMX_CVT(cvtpd2pi, "cvtpd2dq", 16)
MMX_CVT(cvttpd2pi, "cvttpd2dq", 16)
