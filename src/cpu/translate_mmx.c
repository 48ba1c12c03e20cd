/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of MMX, with what SSE, SSE2 and SSSE3 added to it (SDM 1, chapter 9). */
#include "src/cpu/cpuid.h"
#include "src/cpu/translate_fpu.h"

/* A source operand: mm register, memory, or an immediate. */
static struct uop *x_mmx_source(struct xlate *x, enum uop_op op, const ZydisDecodedOperand *s)
{
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(s)) {
		m = x_mem(x, s, s->size / 8, false);
		u = x_emit_mem(x, op, &m);
		u->flags |= UF_MEM;
		u->size = (uint8_t)(s->size / 8);
		return u;
	}
	u = x_emit(x, op);
	if (x_is_imm(s)) {
		u->flags |= UF_AUX;
		u->imm = (uint8_t)x->insn->raw.imm[0].value.u;
	} else {
		u->src = x_vec(s->reg.value);
	}
	return u;
}

static bool xlate_mmx(struct xlate *x, const struct xlate_entry *e)
{
	if (!x_is_mm(&x->ops[0]))
		return false;
	if (!x_fpu_off(x, true))
		x_mmx_source(x, e->arg, &x->ops[1])->dst = x_vec(x->ops[0].reg.value);
	return true;
}

/* PSHUFW, PALIGNR: the immediate comes third. */
static bool xlate_mmx_imm(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (!x_is_mm(&x->ops[0]))
		return false;
	if (x_fpu_off(x, true))
		return true;
	u = x_mmx_source(x, e->arg, &x->ops[1]);
	u->dst = x_vec(x->ops[0].reg.value);
	u->imm = (uint8_t)x->insn->raw.imm[0].value.u;
	return true;
}

static bool xlate_emms(struct xlate *x, const struct xlate_entry *e)
{
	if (!x_fpu_off(x, true))
		x_emit(x, UOP_EMMS);
	return true;
}

/* MOVD, MOVQ, MOVNTQ */
static bool xlate_mmx_mov(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned bytes = x->insn->mnemonic == ZYDIS_MNEMONIC_MOVD ? 4 : 8;
	struct mem_ref m;
	struct uop *u;

	if (!x_is_mm(d) && !x_is_mm(s))
		return false;
	if (x_fpu_off(x, true))
		return true;
	if (x_is_mem(d)) {
		m = x_mem(x, d, bytes, true);
		u = x_emit_mem(x, UOP_MMX_STORE, &m);
		u->src = x_vec(s->reg.value);
	} else if (x_is_mem(s) || (x_is_mm(d) && x_is_mm(s))) {
		u = x_mmx_source(x, UOP_MMX_MOV, s);
		u->dst = x_vec(d->reg.value);
	} else if (x_is_mm(d)) {
		u = x_emit(x, UOP_MMX_MOV_FROM_GPR);
		u->dst = x_vec(d->reg.value);
		u->src = x_reg(s->reg.value);
	} else {
		u = x_emit(x, UOP_MMX_MOV_TO_GPR);
		u->dst = x_reg(d->reg.value);
		u->src = x_vec(s->reg.value);
	}
	u->size = (uint8_t)bytes;
	return true;
}

/* MOVQ2DQ, MOVDQ2Q */
static bool xlate_mmx_xmm(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	struct uop *u;

	if (x_sse_off(x))
		return true;
	u = x_emit(x, e->arg);
	u->dst = x_is_xmm(d) ? x_xmm(d) : x_vec(d->reg.value);
	u->src = x_is_xmm(s) ? x_xmm(s) : x_vec(s->reg.value);
	return true;
}

/* Where MASKMOVQ and MASKMOVDQU store, an operand that isn't written down: DS (or another segment):rDI. */
struct mem_ref x_mem_rdi(struct xlate *x, unsigned bytes)
{
	static const struct {
		ZydisInstructionAttributes attribute;
		ZydisRegister segment;
	} overrides[] = {
		{ZYDIS_ATTRIB_HAS_SEGMENT_CS, ZYDIS_REGISTER_CS},
		{ZYDIS_ATTRIB_HAS_SEGMENT_SS, ZYDIS_REGISTER_SS},
		{ZYDIS_ATTRIB_HAS_SEGMENT_DS, ZYDIS_REGISTER_DS},
		{ZYDIS_ATTRIB_HAS_SEGMENT_ES, ZYDIS_REGISTER_ES},
		{ZYDIS_ATTRIB_HAS_SEGMENT_FS, ZYDIS_REGISTER_FS},
		{ZYDIS_ATTRIB_HAS_SEGMENT_GS, ZYDIS_REGISTER_GS},
	};
	ZydisDecodedOperand op = {.type = ZYDIS_OPERAND_TYPE_MEMORY, .size = (ZyanU16)(bytes * 8)};

	op.mem.segment = ZYDIS_REGISTER_DS;
	op.mem.base = x->adsize == 8   ? ZYDIS_REGISTER_RDI
		      : x->adsize == 4 ? ZYDIS_REGISTER_EDI
				       : ZYDIS_REGISTER_DI;
	for (unsigned i = 0; i < ARRAY_SIZE(overrides); i++)
		if (x->insn->attributes & overrides[i].attribute)
			op.mem.segment = overrides[i].segment;
	return x_mem(x, &op, bytes, true);
}

static bool xlate_maskmovq(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m;
	struct uop *u;

	if (x_fpu_off(x, true))
		return true;
	m = x_mem_rdi(x, 8);
	u = x_emit_mem(x, UOP_MASKMOVQ, &m);
	u->dst = x_vec(x->ops[0].reg.value);
	u->src = x_vec(x->ops[1].reg.value);
	return true;
}

/* To a general register: PMOVMSKB, PEXTRW */
static bool xlate_mmx_to_gpr(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (!x_is_mm(&x->ops[1]))
		return false;
	if (x_fpu_off(x, true))
		return true;
	u = x_emit(x, e->arg);
	u->dst = x_reg(x->ops[0].reg.value);
	u->src = x_vec(x->ops[1].reg.value);
	u->imm = (uint8_t)x->insn->raw.imm[0].value.u;
	return true;
}

static bool xlate_mmx_pinsrw(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *s = &x->ops[1];
	struct mem_ref m;
	struct uop *u;

	if (!x_is_mm(&x->ops[0]))
		return false;
	if (x_fpu_off(x, true))
		return true;
	if (x_is_mem(s)) {
		m = x_mem(x, s, 2, false);
		u = x_emit_mem(x, UOP_MMX_PINSRW, &m);
		u->flags |= UF_MEM;
	} else {
		u = x_emit(x, UOP_MMX_PINSRW);
		u->src = x_reg(s->reg.value);
	}
	u->dst = x_vec(x->ops[0].reg.value);
	u->imm = (uint8_t)x->insn->raw.imm[0].value.u;
	return true;
}

static bool xlate_cvt_from_mm(struct xlate *x, const struct xlate_entry *e)
{
	uint8_t dst = x_xmm(&x->ops[0]);

	if (x_sse_off(x))
		return true;
	x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_XMM, dst, 1, 0);
	x_mmx_source(x, e->arg, &x->ops[1])->dst = dst;
	x_sse_check(x, UOP_SSE_CHECK_END, CHECK_XMM, dst, 1, 0);
	return true;
}

static bool xlate_cvt_to_mm(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *s = &x->ops[1];
	struct uop *u;

	if (x_sse_off(x))
		return true;
	x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_MMX, 0, 1, 0);
	u = x_mmx_source(x, e->arg, s);
	u->dst = x_vec(x->ops[0].reg.value);
	if (x_is_reg(s))
		u->src = x_xmm(s);
	x_sse_check(x, UOP_SSE_CHECK_END, CHECK_MMX, 0, 1, 0);
	return true;
}

#define M(name) ZYDIS_MNEMONIC_##name

const struct xlate_entry xlate_mmx_table[] = {
#define MMX_OP(name, insn, feature)    {M(name), xlate_mmx, UOP_MMX_##name, feature},
#define MMX_SHIFT(name, insn, feature) {M(name), xlate_mmx, UOP_MMX_##name, feature},
#include "src/cpu/mmx_list.h"
	{M(EMMS), xlate_emms, 0, FEAT_MMX},
	{M(MOVD), xlate_mmx_mov, 0, FEAT_MMX},
	{M(MOVQ), xlate_mmx_mov, 0, FEAT_MMX},
	{M(MOVNTQ), xlate_mmx_mov, 0, FEAT_SSE},
	{M(MOVQ2DQ), xlate_mmx_xmm, UOP_MOVQ2DQ, FEAT_SSE2},
	{M(MOVDQ2Q), xlate_mmx_xmm, UOP_MOVDQ2Q, FEAT_SSE2},
	{M(MASKMOVQ), xlate_maskmovq, 0, FEAT_SSE},
	{M(PMOVMSKB), xlate_mmx_to_gpr, UOP_MMX_PMOVMSKB, FEAT_SSE},
	{M(PEXTRW), xlate_mmx_to_gpr, UOP_MMX_PEXTRW, FEAT_SSE},
	{M(PINSRW), xlate_mmx_pinsrw, 0, FEAT_SSE},
	{M(PSHUFW), xlate_mmx_imm, UOP_MMX_PSHUFW, FEAT_SSE},
	{M(PALIGNR), xlate_mmx_imm, UOP_MMX_PALIGNR, FEAT_SSSE3},
	{M(CVTPI2PS), xlate_cvt_from_mm, UOP_CVTPI2PS, FEAT_SSE},
	{M(CVTPI2PD), xlate_cvt_from_mm, UOP_CVTPI2PD, FEAT_SSE2},
	{M(CVTPS2PI), xlate_cvt_to_mm, UOP_CVTPS2PI, FEAT_SSE},
	{M(CVTTPS2PI), xlate_cvt_to_mm, UOP_CVTTPS2PI, FEAT_SSE},
	{M(CVTPD2PI), xlate_cvt_to_mm, UOP_CVTPD2PI, FEAT_SSE2},
	{M(CVTTPD2PI), xlate_cvt_to_mm, UOP_CVTTPD2PI, FEAT_SSE2},
	{0},
};
