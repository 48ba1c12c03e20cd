/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of SSE to SSE4.2, AES-NI, PCLMULQDQ, SHA, FXSAVE and XSAVE (SDM 1, chapters 10 to 13). */
#include "src/cpu/cpuid.h"
#include "src/cpu/sse_imm.h"
#include "src/cpu/translate.h"
#include "src/cpu/translate_fpu.h"

/* arg of an entry: a micro-operation, and in the high half what its group needs */
#define ARG(op, more) ((unsigned)(op) | ((unsigned)(more) << 16))
#define ARG_OP(arg)   ((enum uop_op)((arg)&0xffff))
#define ARG_MORE(arg) ((arg) >> 16)

/* Floating-point elements of a result: one if the operand isn't a whole register. */
#define ELEMENTS(bytes, kind) ((kind) < 4 ? 0 : (bytes) < 16 ? 1 : (kind) == 4 ? 4 : 2)

bool x_sse_off(struct xlate *x)
{
	struct uop *u;

	if (!(x->mode & (MODE_SSE_UD | MODE_SSE_NM)))
		return false;
	u = x_emit(x, UOP_SSE_UNAVAILABLE);
	u->imm = x->mode & MODE_SSE_UD ? EXC_UD : EXC_NM;
	x->ended = true;
	return true;
}

bool x_is_xmm(const ZydisDecodedOperand *o)
{
	return x_is_reg(o) && o->reg.value >= ZYDIS_REGISTER_XMM0 &&
	       o->reg.value <= ZYDIS_REGISTER_XMM15;
}

bool x_is_mm(const ZydisDecodedOperand *o)
{
	return x_is_reg(o) && o->reg.value >= ZYDIS_REGISTER_MM0 &&
	       o->reg.value <= ZYDIS_REGISTER_MM7;
}

uint8_t x_xmm(const ZydisDecodedOperand *o)
{
	return (uint8_t)(x_vec(o->reg.value) * sizeof(union xmm));
}

/* ---- checks of exceptions that the guest wants to see ---- */

void x_sse_check(struct xlate *x, enum uop_op op, enum sse_check kind, uint8_t dst,
		 unsigned fp_bytes, unsigned elements)
{
	struct uop *u;

	if (!(x->mode & MODE_MXCSR))
		return;
	u = x_emit(x, op);
	u->size = (uint8_t)kind;
	u->dst = dst;
	u->imm = fp_bytes == 1 ? 0 : fp_bytes;
	u->src = (uint8_t)elements;
}

/* ---- the regular form: op xmm, xmm/mem ---- */

static struct uop *x_xmm_rm(struct xlate *x, enum uop_op xx)
{
	const ZydisDecodedOperand *src = &x->ops[1];
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(src)) {
		m = x_mem(x, src, src->size / 8, false);
		u = x_emit_mem(x, xx + 1, &m);
	} else {
		u = x_emit(x, xx);
		u->src = x_xmm(src);
	}
	u->dst = x_xmm(&x->ops[0]);
	return u;
}

/* More: kind of sse_list.h | elements of the result << 8. */
static bool xlate_regular(struct xlate *x, const struct xlate_entry *e)
{
	unsigned kind = ARG_MORE(e->arg) & 0xff, n = ARG_MORE(e->arg) >> 8;
	uint8_t dst;

	if (!x_is_xmm(&x->ops[0]) || (!x_is_mem(&x->ops[1]) && !x_is_xmm(&x->ops[1])))
		return false;
	if (x_sse_off(x))
		return true;
	dst = x_xmm(&x->ops[0]);
	if (kind)
		x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_XMM, dst, kind, n);
	x_xmm_rm(x, ARG_OP(e->arg));
	if (kind)
		x_sse_check(x, UOP_SSE_CHECK_END, CHECK_XMM, dst, kind, n);
	return true;
}

/* XOR or subtraction of a register with itself makes zero, without looking at it. */
static bool xlate_zeroing(struct xlate *x, const struct xlate_entry *e)
{
	if (!x_is_xmm(&x->ops[0]) || !x_is_xmm(&x->ops[1]) ||
	    x->ops[0].reg.value != x->ops[1].reg.value)
		return false;
	if (!x_sse_off(x))
		x_emit(x, UOP_XMM_ZERO)->dst = x_xmm(&x->ops[0]);
	return true;
}

/* ---- with an immediate: the host code for its value ---- */

struct imm_form {
	const uint8_t *stubs;
	uint8_t bytes, kind, mask, elements;
};

#define SSE_IMM_OP(name, insn, bytes, feature, kind, mask) \
	{sse_stubs_##insn, bytes, kind, mask, ELEMENTS(bytes, kind)},
#define SSE_IMM_SHIFT(name, insn, feature) {sse_stubs_##insn, 16, 0, 255, 1},
static const struct imm_form imm_forms[] = {
#include "src/cpu/sse_list_imm.h"
};
#undef SSE_IMM_OP
#undef SSE_IMM_SHIFT

enum {
#define SSE_IMM_OP(name, insn, bytes, feature, kind, mask) IMM_##name,
#define SSE_IMM_SHIFT(name, insn, feature)		   IMM_##name,
#include "src/cpu/sse_list_imm.h"
#undef SSE_IMM_OP
#undef SSE_IMM_SHIFT
};

static enum uop_op imm_uop(unsigned bytes)
{
	return bytes == 16 ? UOP_SSE_IMM_XM16 : bytes == 8 ? UOP_SSE_IMM_XM8 : UOP_SSE_IMM_XM4;
}

/* The immediate is the last visible operand, except for the compares whose mnemonic Zydis prints with it. */
static unsigned imm_of(const struct xlate *x)
{
	return (uint8_t)x->insn->raw.imm[0].value.u;
}

static bool xlate_imm(struct xlate *x, const struct xlate_entry *e)
{
	const struct imm_form *f = &imm_forms[e->arg];
	const ZydisDecodedOperand *src = &x->ops[1];
	unsigned imm = imm_of(x) & f->mask;
	struct mem_ref m;
	struct uop *u;
	uint8_t dst;

	if (!x_is_xmm(&x->ops[0]) || (x_is_reg(src) && !x_is_xmm(src)))
		return false;
	if (x_sse_off(x))
		return true;
	dst = x_xmm(&x->ops[0]);
	if (f->kind)
		x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_XMM, dst, f->kind, f->elements);
	if (x_is_mem(src)) {
		m = x_mem(x, src, f->bytes, false);
		u = x_emit_mem(x, imm_uop(f->bytes), &m);
		if (e->arg == IMM_INSERTPS)
			imm &= 0x3f; /* from memory there is only one element to choose */
	} else {
		enum uop_op op = e->arg == IMM_PSHUFD	? UOP_PSHUFD_XX
				 : e->arg == IMM_SHUFPD ? UOP_SHUFPD_XX
							: UOP_SSE_IMM_XX;
		u = x_emit(x, op);
		u->src = x_is_reg(src) ? x_xmm(src) : dst;
	}
	u->dst = dst;
	if (u->op == UOP_PSHUFD_XX || u->op == UOP_SHUFPD_XX)
		u->imm = imm;
	else
		u->imm = (uintptr_t)f->stubs + SSE_STUB_BYTES * imm;
	if (f->kind)
		x_sse_check(x, UOP_SSE_CHECK_END, CHECK_XMM, dst, f->kind, f->elements);
	return true;
}

/* Shift of xmm by an immediate; the form with xmm/mem is a regular one. */
static bool xlate_shift_imm(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (!x_is_xmm(&x->ops[0]) || !x_is_imm(&x->ops[1]))
		return false;
	if (x_sse_off(x))
		return true;
	u = x_emit(x, ARG_OP(e->arg));
	u->dst = x_xmm(&x->ops[0]);
	u->imm = imm_of(x);
	return true;
}

static bool xlate_string(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *src = &x->ops[1];
	const uint8_t *stubs = e->arg == UOP_PCMPESTRI	 ? sse_stubs_pcmpestri
			       : e->arg == UOP_PCMPESTRM ? sse_stubs_pcmpestrm
			       : e->arg == UOP_PCMPISTRI ? sse_stubs_pcmpistri
							 : sse_stubs_pcmpistrm;
	struct mem_ref m;
	struct uop *u;

	if (x_sse_off(x))
		return true;
	if (x_is_mem(src)) {
		m = x_mem(x, src, 16, false);
		u = x_emit_mem(x, e->arg, &m);
		u->flags |= UF_MEM;
	} else {
		u = x_emit(x, e->arg);
		u->src = x_xmm(src);
	}
	u->dst = x_xmm(&x->ops[0]);
	u->imm = (uintptr_t)stubs + SSE_STR_BYTES * imm_of(x);
	if (x->insn->raw.rex.W)
		u->flags |= UF_AUX;
	return true;
}

/* ---- moves ---- */

/* Emits a load, a store, or a register move: LOAD, STORE and REG are micro-operations, UOP_NONE: no such form. */
static bool x_move(struct xlate *x, enum uop_op reg, enum uop_op load, enum uop_op store,
		   unsigned bytes)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	struct mem_ref m;
	struct uop *u;

	if ((x_is_reg(d) && !x_is_xmm(d)) || (x_is_reg(s) && !x_is_xmm(s)))
		return false;
	if ((x_is_mem(d) ? store : x_is_mem(s) ? load : reg) == UOP_NONE)
		return false;
	if (x_sse_off(x))
		return true;
	if (x_is_mem(d)) {
		m = x_mem(x, d, bytes, true);
		u = x_emit_mem(x, store, &m);
		u->src = x_xmm(s);
	} else if (x_is_mem(s)) {
		m = x_mem(x, s, bytes, false);
		u = x_emit_mem(x, load, &m);
		u->dst = x_xmm(d);
	} else {
		u = x_emit(x, reg);
		u->dst = x_xmm(d);
		u->src = x_xmm(s);
	}
	return true;
}

static bool xlate_mov_aligned(struct xlate *x, const struct xlate_entry *e)
{
	return x_move(x, UOP_XMM_XX, UOP_XMM_XM, UOP_XMM_MX, 16);
}

static bool xlate_mov_unaligned(struct xlate *x, const struct xlate_entry *e)
{
	return x_move(x, UOP_XMM_XX, UOP_XMM_XM_UNALIGNED, UOP_XMM_MX_UNALIGNED, 16);
}

static bool xlate_movss(struct xlate *x, const struct xlate_entry *e)
{
	return x_move(x, UOP_MOVSS_XX, UOP_MOVD_XM, UOP_MOVD_MX, 4);
}

static bool xlate_movsd(struct xlate *x, const struct xlate_entry *e)
{
	if (!x_is_xmm(&x->ops[0]) && !x_is_xmm(&x->ops[1]))
		return false; /* the string instruction */
	return x_move(x, UOP_MOVSD_XX, UOP_MOVQ_XM, UOP_MOVQ_MX, 8);
}

static bool xlate_cmpsd(struct xlate *x, const struct xlate_entry *e)
{
	return x_is_xmm(&x->ops[0]) && xlate_imm(x, e);
}

/* MOVLPS, MOVLPD, MOVHPS, MOVHPD, MOVHLPS, MOVLHPS. arg: register form; more: 1 for the high half */
static bool xlate_mov_half(struct xlate *x, const struct xlate_entry *e)
{
	if (ARG_MORE(e->arg))
		return x_move(x, ARG_OP(e->arg), UOP_MOVHPS_XM, UOP_MOVHPS_MX, 8);
	return x_move(x, ARG_OP(e->arg), UOP_MOVLPS_XM, UOP_MOVQ_MX, 8);
}

/* MOVD and MOVQ: xmm with a general register, memory, or another xmm. */
static bool xlate_movd(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	bool wide = x->insn->mnemonic == ZYDIS_MNEMONIC_MOVQ;
	struct uop *u;

	if (!x_is_xmm(d) && !x_is_xmm(s))
		return false;
	if (x_is_mem(d) || x_is_mem(s) || (x_is_xmm(d) && x_is_xmm(s)))
		return x_move(x, UOP_MOVQ_XX, wide ? UOP_MOVQ_XM : UOP_MOVD_XM,
			      wide ? UOP_MOVQ_MX : UOP_MOVD_MX, wide ? 8 : 4);
	if (x_sse_off(x))
		return true;
	if (x_is_xmm(d)) {
		u = x_emit(x, wide ? UOP_MOVQ_XR : UOP_MOVD_XR);
		u->dst = x_xmm(d);
		u->src = x_reg(s->reg.value);
	} else {
		u = x_emit(x, wide ? UOP_MOVQ_RX : UOP_MOVD_RX);
		u->dst = x_reg(d->reg.value);
		u->src = x_xmm(s);
	}
	return true;
}

/* General register from xmm: MOVMSKPS, MOVMSKPD, PMOVMSKB. */
static bool xlate_mask(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (!x_is_xmm(&x->ops[1]))
		return false;
	if (x_sse_off(x))
		return true;
	u = x_emit(x, ARG_OP(e->arg));
	u->dst = x_reg(x->ops[0].reg.value);
	u->src = x_xmm(&x->ops[1]);
	return true;
}

static bool xlate_maskmovdqu(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m;
	struct uop *u;

	if (x_sse_off(x))
		return true;
	m = x_mem_rdi(x, 16);
	u = x_emit_mem(x, UOP_MASKMOVDQU, &m);
	u->dst = x_xmm(&x->ops[0]);
	u->src = x_xmm(&x->ops[1]);
	return true;
}

/* PINSRx. arg: form from a general register, the next one from memory; more: bytes of an element */
static bool xlate_insert(struct xlate *x, const struct xlate_entry *e)
{
	unsigned bytes = ARG_MORE(e->arg);
	const ZydisDecodedOperand *s = &x->ops[1];
	struct mem_ref m;
	struct uop *u;

	if (!x_is_xmm(&x->ops[0]))
		return false;
	if (x_sse_off(x))
		return true;
	if (x_is_mem(s)) {
		m = x_mem(x, s, bytes, false);
		u = x_emit_mem(x, ARG_OP(e->arg) + 1, &m);
	} else {
		u = x_emit(x, ARG_OP(e->arg));
		u->src = x_reg(s->reg.value);
	}
	u->dst = x_xmm(&x->ops[0]);
	u->imm = imm_of(x) & (16 / bytes - 1);
	return true;
}

/* PEXTRx, EXTRACTPS. arg: form to a general register, the next one to memory; more: bytes of an element */
static bool xlate_extract(struct xlate *x, const struct xlate_entry *e)
{
	unsigned bytes = ARG_MORE(e->arg);
	const ZydisDecodedOperand *d = &x->ops[0];
	struct mem_ref m;
	struct uop *u;

	if (!x_is_xmm(&x->ops[1]))
		return false;
	/* PEXTRW has its SSE2 encoding, and one of SSE4.1 that takes memory. */
	if (x->insn->opcode_map == ZYDIS_OPCODE_MAP_0F3A && !cpu_has(x->c, FEAT_SSE41))
		return false;
	if (x_sse_off(x))
		return true;
	if (x_is_mem(d)) {
		m = x_mem(x, d, bytes, true);
		u = x_emit_mem(x, ARG_OP(e->arg) + 1, &m);
	} else {
		u = x_emit(x, ARG_OP(e->arg));
		u->dst = x_reg(d->reg.value);
	}
	u->src = x_xmm(&x->ops[1]);
	u->imm = imm_of(x) & (16 / bytes - 1);
	return true;
}

/* ---- comparison into EFLAGS; more: 1 for floating point ---- */

static bool xlate_compare(struct xlate *x, const struct xlate_entry *e)
{
	if (x_sse_off(x))
		return true;
	if (ARG_MORE(e->arg))
		x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_FLAGS, 0, 0, 0);
	x_xmm_rm(x, ARG_OP(e->arg));
	if (ARG_MORE(e->arg))
		x_sse_check(x, UOP_SSE_CHECK_END, CHECK_FLAGS, 0, 0, 0);
	return true;
}

/* ---- conversions with general registers: arg is the first of XR32 XR64 XM32 XM64, or RX32 RX64 RM32 RM64 ---- */

static bool xlate_from_int(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *s = &x->ops[1];
	enum uop_op op = ARG_OP(e->arg) + (s->size == 64);
	uint8_t dst = x_xmm(&x->ops[0]);
	struct mem_ref m;
	struct uop *u;

	if (x_sse_off(x))
		return true;
	x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_XMM, dst, 1, 0);
	if (x_is_mem(s)) {
		m = x_mem(x, s, s->size / 8, false);
		u = x_emit_mem(x, op + 2, &m);
	} else {
		u = x_emit(x, op);
		u->src = x_reg(s->reg.value);
	}
	u->dst = dst;
	x_sse_check(x, UOP_SSE_CHECK_END, CHECK_XMM, dst, 1, 0);
	return true;
}

static bool xlate_to_int(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *s = &x->ops[1];
	enum uop_op op = ARG_OP(e->arg) + (x->ops[0].size == 64);
	uint8_t dst = x_reg(x->ops[0].reg.value);
	struct mem_ref m;
	struct uop *u;

	if (x_sse_off(x))
		return true;
	x_sse_check(x, UOP_SSE_CHECK_BEGIN, CHECK_GPR, dst, 1, 0);
	if (x_is_mem(s)) {
		m = x_mem(x, s, ARG_MORE(e->arg), false);
		u = x_emit_mem(x, op + 2, &m);
	} else {
		u = x_emit(x, op);
		u->src = x_xmm(s);
	}
	u->dst = dst;
	x_sse_check(x, UOP_SSE_CHECK_END, CHECK_GPR, dst, 1, 0);
	return true;
}

/* ---- MXCSR and the state as a whole ---- */

static bool xlate_mxcsr(struct xlate *x, const struct xlate_entry *e)
{
	bool store = e->arg == UOP_STMXCSR;
	struct mem_ref m;

	if (x_sse_off(x))
		return true;
	m = x_mem(x, &x->ops[0], 4, store);
	x_emit_mem(x, ARG_OP(e->arg), &m);
	return true;
}

/* more: bit 0: 1 = XSAVEC; bit 1: the instruction writes memory; bit 2: XSAVE's family, whose #UD comes before #NM */
static bool xlate_state(struct xlate *x, const struct xlate_entry *e)
{
	unsigned more = ARG_MORE(e->arg);
	bool wide = x->insn->raw.rex.W, write = more & 2;
	struct mem_ref m;
	struct uop *u;

	if (!(more & 4) && x_fpu_off(x, false))
		return true;
	m = x_mem(x, &x->ops[0], more & 4 ? 576 : 512, write);
	u = x_emit_mem(x, ARG_OP(e->arg), &m);
	u->size = x->mode & MODE_CODE64 ? 16 : 8;
	u->imm = more & 1;
	if (wide)
		u->flags |= UF_AUX;
	return true;
}

#define M(name) ZYDIS_MNEMONIC_##name

const struct xlate_entry xlate_sse_table[] = {
	{M(XORPS), xlate_zeroing, 0, FEAT_SSE},
	{M(XORPD), xlate_zeroing, 0, FEAT_SSE2},
	{M(PXOR), xlate_zeroing, 0, FEAT_SSE2},
#define SSE_OP(name, insn, bytes, feature, kind)                                            \
	{M(name), xlate_regular, ARG(UOP_##name##_XX, (kind) | ELEMENTS(bytes, kind) << 8), \
	 feature},
#define SSE_OPZ(name, insn, feature) {M(name), xlate_regular, UOP_##name##_XX, feature},
#include "src/cpu/sse_list.h"
#define SSE_IMM_OP(name, insn, bytes, feature, kind, mask) \
	{M(name), IMM_##name == IMM_CMPSD ? xlate_cmpsd : xlate_imm, IMM_##name, feature},
#define SSE_IMM_SHIFT(name, insn, feature) {M(name), xlate_imm, IMM_##name, feature},
#include "src/cpu/sse_list_imm.h"
	{M(PSLLW), xlate_shift_imm, UOP_PSLLW_XI, FEAT_SSE2},
	{M(PSLLD), xlate_shift_imm, UOP_PSLLD_XI, FEAT_SSE2},
	{M(PSLLQ), xlate_shift_imm, UOP_PSLLQ_XI, FEAT_SSE2},
	{M(PSRLW), xlate_shift_imm, UOP_PSRLW_XI, FEAT_SSE2},
	{M(PSRLD), xlate_shift_imm, UOP_PSRLD_XI, FEAT_SSE2},
	{M(PSRLQ), xlate_shift_imm, UOP_PSRLQ_XI, FEAT_SSE2},
	{M(PSRAW), xlate_shift_imm, UOP_PSRAW_XI, FEAT_SSE2},
	{M(PSRAD), xlate_shift_imm, UOP_PSRAD_XI, FEAT_SSE2},
	/* moves */
	{M(MOVAPS), xlate_mov_aligned, 0, FEAT_SSE},
	{M(MOVAPD), xlate_mov_aligned, 0, FEAT_SSE2},
	{M(MOVDQA), xlate_mov_aligned, 0, FEAT_SSE2},
	{M(MOVNTPS), xlate_mov_aligned, 0, FEAT_SSE},
	{M(MOVNTPD), xlate_mov_aligned, 0, FEAT_SSE2},
	{M(MOVNTDQ), xlate_mov_aligned, 0, FEAT_SSE2},
	{M(MOVNTDQA), xlate_mov_aligned, 0, FEAT_SSE41},
	{M(MOVUPS), xlate_mov_unaligned, 0, FEAT_SSE},
	{M(MOVUPD), xlate_mov_unaligned, 0, FEAT_SSE2},
	{M(MOVDQU), xlate_mov_unaligned, 0, FEAT_SSE2},
	{M(LDDQU), xlate_mov_unaligned, 0, FEAT_SSE3},
	{M(MOVSS), xlate_movss, 0, FEAT_SSE},
	{M(MOVSD), xlate_movsd, 0, FEAT_SSE2},
	{M(MOVD), xlate_movd, 0, FEAT_SSE2},
	{M(MOVQ), xlate_movd, 0, FEAT_SSE2},
	{M(MOVLPS), xlate_mov_half, ARG(UOP_NONE, 0), FEAT_SSE},
	{M(MOVLPD), xlate_mov_half, ARG(UOP_NONE, 0), FEAT_SSE2},
	{M(MOVHPS), xlate_mov_half, ARG(UOP_NONE, 1), FEAT_SSE},
	{M(MOVHPD), xlate_mov_half, ARG(UOP_NONE, 1), FEAT_SSE2},
	{M(MOVHLPS), xlate_mov_half, ARG(UOP_MOVHLPS_XX, 0), FEAT_SSE},
	{M(MOVLHPS), xlate_mov_half, ARG(UOP_MOVLHPS_XX, 1), FEAT_SSE},
	{M(MOVMSKPS), xlate_mask, UOP_MOVMSKPS, FEAT_SSE},
	{M(MOVMSKPD), xlate_mask, UOP_MOVMSKPD, FEAT_SSE2},
	{M(PMOVMSKB), xlate_mask, UOP_PMOVMSKB, FEAT_SSE2},
	{M(MASKMOVDQU), xlate_maskmovdqu, 0, FEAT_SSE2},
	{M(PINSRB), xlate_insert, ARG(UOP_PINSRB_XR, 1), FEAT_SSE41},
	{M(PINSRW), xlate_insert, ARG(UOP_PINSRW_XR, 2), FEAT_SSE2},
	{M(PINSRD), xlate_insert, ARG(UOP_PINSRD_XR, 4), FEAT_SSE41},
	{M(PINSRQ), xlate_insert, ARG(UOP_PINSRQ_XR, 8), FEAT_SSE41},
	{M(PEXTRB), xlate_extract, ARG(UOP_PEXTRB_RX, 1), FEAT_SSE41},
	{M(PEXTRW), xlate_extract, ARG(UOP_PEXTRW_RX, 2), FEAT_SSE2},
	{M(PEXTRD), xlate_extract, ARG(UOP_PEXTRD_RX, 4), FEAT_SSE41},
	{M(PEXTRQ), xlate_extract, ARG(UOP_PEXTRQ_RX, 8), FEAT_SSE41},
	{M(EXTRACTPS), xlate_extract, ARG(UOP_PEXTRD_RX, 4), FEAT_SSE41},
	/* comparison, conversion */
	{M(COMISS), xlate_compare, ARG(UOP_COMISS_XX, 1), FEAT_SSE},
	{M(UCOMISS), xlate_compare, ARG(UOP_UCOMISS_XX, 1), FEAT_SSE},
	{M(COMISD), xlate_compare, ARG(UOP_COMISD_XX, 1), FEAT_SSE2},
	{M(UCOMISD), xlate_compare, ARG(UOP_UCOMISD_XX, 1), FEAT_SSE2},
	{M(PTEST), xlate_compare, ARG(UOP_PTEST_XX, 0), FEAT_SSE41},
	{M(CVTSI2SS), xlate_from_int, UOP_CVTSI2SS_XR32, FEAT_SSE},
	{M(CVTSI2SD), xlate_from_int, UOP_CVTSI2SD_XR32, FEAT_SSE2},
	{M(CVTSS2SI), xlate_to_int, ARG(UOP_CVTSS2SI_RX32, 4), FEAT_SSE},
	{M(CVTTSS2SI), xlate_to_int, ARG(UOP_CVTTSS2SI_RX32, 4), FEAT_SSE},
	{M(CVTSD2SI), xlate_to_int, ARG(UOP_CVTSD2SI_RX32, 8), FEAT_SSE2},
	{M(CVTTSD2SI), xlate_to_int, ARG(UOP_CVTTSD2SI_RX32, 8), FEAT_SSE2},
	{M(PCMPESTRI), xlate_string, UOP_PCMPESTRI, FEAT_SSE42},
	{M(PCMPESTRM), xlate_string, UOP_PCMPESTRM, FEAT_SSE42},
	{M(PCMPISTRI), xlate_string, UOP_PCMPISTRI, FEAT_SSE42},
	{M(PCMPISTRM), xlate_string, UOP_PCMPISTRM, FEAT_SSE42},
	/* state */
	{M(LDMXCSR), xlate_mxcsr, UOP_LDMXCSR, FEAT_SSE},
	{M(STMXCSR), xlate_mxcsr, UOP_STMXCSR, FEAT_SSE},
	{M(FXSAVE), xlate_state, ARG(UOP_FXSAVE, 2), FEAT_FXSR},
	{M(FXSAVE64), xlate_state, ARG(UOP_FXSAVE, 2), FEAT_FXSR},
	{M(FXRSTOR), xlate_state, ARG(UOP_FXRSTOR, 0), FEAT_FXSR},
	{M(FXRSTOR64), xlate_state, ARG(UOP_FXRSTOR, 0), FEAT_FXSR},
	{M(XSAVE), xlate_state, ARG(UOP_XSAVE, 6), FEAT_XSAVE},
	{M(XSAVE64), xlate_state, ARG(UOP_XSAVE, 6), FEAT_XSAVE},
	{M(XSAVEOPT), xlate_state, ARG(UOP_XSAVE, 6), FEAT_XSAVEOPT},
	{M(XSAVEOPT64), xlate_state, ARG(UOP_XSAVE, 6), FEAT_XSAVEOPT},
	{M(XSAVEC), xlate_state, ARG(UOP_XSAVE, 7), FEAT_XSAVEC},
	{M(XSAVEC64), xlate_state, ARG(UOP_XSAVE, 7), FEAT_XSAVEC},
	{M(XRSTOR), xlate_state, ARG(UOP_XRSTOR, 4), FEAT_XSAVE},
	{M(XRSTOR64), xlate_state, ARG(UOP_XRSTOR, 4), FEAT_XSAVE},
	{0},
};
