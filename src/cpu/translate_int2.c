/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer instructions to micro-operations, second half: shifts, bits, multiplication and division, strings. */
#include "src/cpu/cpuid.h"
#include "src/cpu/flags.h"
#include "src/cpu/translate_int.h"

/* The destination's slot: its own, or R_T0 loaded for a read-modify-write through *M. */
static uint8_t dest_slot(struct xlate *x, const ZydisDecodedOperand *d, struct mem_ref *m)
{
	if (x_is_reg(d))
		return xi_slot(d);
	*m = xi_load(x, d, R_T0, true);
	return xi_temp(R_T0, d->size / 8);
}

static void dest_done(struct xlate *x, const ZydisDecodedOperand *d, const struct mem_ref *m)
{
	if (x_is_mem(d))
		xi_store(x, m, R_T0, d->size / 8);
}

/* ---- shifts ---- */

/* A shift by 0 only clears the upper half of a 32-bit register. */
static void emit_shift_by_0(struct xlate *x, const ZydisDecodedOperand *d, uint8_t slot)
{
	struct uop *u;

	if (!x_is_reg(d) || d->size != 32)
		return;
	u = x_emit(x, UOP_MOV_RR32);
	u->dst = slot;
	u->src = slot;
}

/* arg: NAME_RI8; the forms by CL follow. */
bool xi_shift(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned size = d->size / 8, count = 0;
	struct mem_ref m;
	uint8_t slot = dest_slot(x, d, &m);
	struct uop *u;

	if (x_is_imm(s)) {
		count = (unsigned)s->imm.value.u & (size == 8 ? 63 : 31);
		if (!count) {
			emit_shift_by_0(x, d, slot);
			return true;
		}
	}
	u = x_emit(x, e->arg + (x_is_imm(s) ? 0 : 4) + xi_log2(size));
	u->dst = slot;
	u->imm = count;
	dest_done(x, d, &m);
	return true;
}

/* RCL, RCR; arg: the micro-operation. */
bool xi_rotate_carry(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	struct mem_ref m;
	struct uop *u;
	uint8_t slot;

	xi_carry(x);
	slot = dest_slot(x, d, &m);
	u = x_emit(x, e->arg);
	u->dst = slot;
	u->size = (uint8_t)(d->size / 8);
	if (x_is_imm(s))
		u->imm = s->imm.value.u & 0xff;
	else
		u->flags |= UF_AUX;
	dest_done(x, d, &m);
	return true;
}

/* SHLD, SHRD; arg: NAME16. */
bool xi_shift_double(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *n = &x->ops[2];
	struct mem_ref m;
	uint8_t slot = dest_slot(x, d, &m);
	struct uop *u = x_emit(x, e->arg + xi_log2(d->size / 8) - 1);

	u->dst = slot;
	u->src = xi_slot(&x->ops[1]);
	if (x_is_imm(n))
		u->imm = n->imm.value.u & 0xff;
	else
		u->flags |= UF_AUX;
	dest_done(x, d, &m);
	return true;
}

/* ---- bits ---- */

/* The operand of a bit string in memory that the register operand points into: its address is in R_EA. */
static struct mem_ref bit_string(struct xlate *x, bool write)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	unsigned lg = xi_log2(d->size / 8);
	struct mem_ref m;
	struct uop *u;

	if ((x->mode & MODE_CODE64) && x->adsize == 8) {
		m = x_mem(x, d, 0, write);
		u = x_emit_mem(x, UOP_BTEA16 + lg - 1, &m);
	} else {
		m = x_lea(x, d);
		u = x_emit_mem(x, UOP_BTEA_SEG16 + lg - 1, &m);
		u->flags = (uint8_t)(xi_addr_flags(x) | (write ? UF_AUX : 0));
		u->imm = (uint64_t)x_seg(d->mem.segment);
	}
	u->src = xi_slot(&x->ops[1]);
	return (struct mem_ref){.base = R_EA, .index = R_ZERO, .flags = m.flags & UF_SS};
}

/* BT, BTS, BTR, BTC with a register number and a memory operand. NTH: 0 for BT. */
static void bit_of_string(struct xlate *x, const struct xlate_entry *e, unsigned nth)
{
	unsigned size = x->ops[0].size / 8, lg = xi_log2(size);
	struct mem_ref m = bit_string(x, nth != 0);
	struct uop *u;

	if (nth && (x->insn->attributes & ZYDIS_ATTRIB_HAS_LOCK)) {
		x_emit_mem(x, UOP_LOCK_BTS16 + 3 * (nth - 1) + lg - 1, &m)->src =
			xi_slot(&x->ops[1]);
		return;
	}
	xi_emit_mem(x, (nth ? UOP_LDW_RM8 : UOP_MOV_RM8) + lg, &m)->dst = R_T0;
	u = x_emit(x, e->arg + lg - 1);
	u->dst = R_T0;
	u->src = xi_slot(&x->ops[1]);
	if (nth)
		xi_store(x, &m, R_T0, size);
}

/* arg: NAME_RR16; immediates follow. */
bool xi_bit_test(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned nth = (e->arg - UOP_BT_RR16) / (UOP_BTS_RR16 - UOP_BT_RR16),
		 lg = xi_log2(d->size / 8);
	struct mem_ref m;
	struct uop *u;
	uint8_t slot;

	if (x_is_mem(d) && x_is_reg(s)) {
		bit_of_string(x, e, nth);
		return true;
	}
	if (nth && x_is_mem(d) && (x->insn->attributes & ZYDIS_ATTRIB_HAS_LOCK)) {
		slot = xi_source(x, s, d->size / 8);
		m = x_mem(x, d, d->size / 8, true);
		x_emit_mem(x, UOP_LOCK_BTS16 + 3 * (nth - 1) + lg - 1, &m)->src = slot;
		return true;
	}
	if (!nth && x_is_mem(d)) {
		m = x_mem(x, d, d->size / 8, false);
		x_emit_mem(x, UOP_BT_MI16 + lg - 1, &m)->dst = s->imm.value.u & (d->size - 1u);
		return true;
	}
	slot = x_is_reg(d) ? xi_slot(d) : R_T0;
	if (x_is_mem(d))
		m = xi_load(x, d, R_T0, nth != 0);
	u = x_emit(x, e->arg + (x_is_imm(s) ? 3 : 0) + lg - 1);
	u->dst = slot;
	if (x_is_imm(s))
		u->imm = s->imm.value.u & (d->size - 1u);
	else
		u->src = xi_slot(s);
	if (nth)
		dest_done(x, d, &m);
	return true;
}

/* dst := f(src); arg: NAME16. */
bool xi_bit_scan(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	uint8_t src = xi_source(x, &x->ops[1], d->size / 8);
	struct uop *u = x_emit(x, e->arg + xi_log2(d->size / 8) - 1);

	u->dst = xi_slot(d);
	u->src = src;
	return true;
}

/*
 * BMI: arg is NAME32; which visible operand is the r/m one differs. ANDN, PDEP, PEXT, MULX: the last. BEXTR, BZHI, SARX, SHLX,
 * SHRX: the middle. BLSI, BLSR, BLSMSK: the second of two.
 */
bool xi_bmi(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	unsigned size = d->size / 8, n = x->insn->operand_count_visible, rm = n - 1;
	struct uop *u;
	uint8_t src;

	if (n == 3 && (e->arg == UOP_BEXTR32 || e->arg == UOP_BZHI32 || e->arg == UOP_SARX32 ||
		       e->arg == UOP_SHLX32 || e->arg == UOP_SHRX32))
		rm = 1;
	src = xi_source(x, &x->ops[rm], size);
	u = x_emit(x, e->arg + (size == 8 ? 1 : 0));
	u->dst = xi_slot(d);
	u->src = src;
	if (n == 3)
		u->base = xi_slot(&x->ops[rm == 1 ? 2 : 1]);
	return true;
}

bool xi_rorx(struct xlate *x, const struct xlate_entry *e)
{
	unsigned size = x->ops[0].size / 8;
	uint8_t src = xi_source(x, &x->ops[1], size);
	struct uop *u = x_emit(x, size == 8 ? UOP_RORX64 : UOP_RORX32);

	u->dst = xi_slot(&x->ops[0]);
	u->src = src;
	u->imm = x->ops[2].imm.value.u & 63;
	return true;
}

bool xi_crc32(struct xlate *x, const struct xlate_entry *e)
{
	unsigned size = x->ops[1].size / 8;
	uint8_t src = xi_source(x, &x->ops[1], size);
	struct uop *u = x_emit(x, UOP_CRC32);

	u->dst = xi_slot(&x->ops[0]);
	u->src = src;
	u->imm = size;
	return true;
}

bool xi_movbe(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	unsigned size = d->size / 8;
	uint8_t src = xi_source(x, &x->ops[1], size);
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(d))
		m = x_mem(x, d, size, true);
	u = x_emit(x, UOP_MOVBE16 + xi_log2(size) - 1);
	u->dst = x_is_mem(d) ? R_T0 : xi_slot(d);
	u->src = src;
	if (x_is_mem(d))
		xi_store(x, &m, R_T0, size);
	return true;
}

/* ---- multiplication and division ---- */

/* One operand, with rDX:rAX; arg: NAME8. */
bool xi_muldiv(struct xlate *x, const struct xlate_entry *e)
{
	unsigned size = x->ops[0].size / 8;
	uint8_t src = xi_source(x, &x->ops[0], size);

	x_emit(x, e->arg + xi_log2(size))->src = src;
	return true;
}

bool xi_imul(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned size = d->size / 8, lg = xi_log2(size) - 1;
	/* The form with one operand has rDX:rAX or AX beside it, visible or not. */
	bool one =
		x->insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (x->insn->opcode & 0xfe) == 0xf6;
	struct mem_ref m;
	struct uop *u;
	uint8_t src;

	if (one)
		return xi_muldiv(x, e);
	if (x->insn->operand_count_visible == 3) {
		src = xi_source(x, s, size);
		u = x_emit(x, UOP_IMUL_RRI16 + lg);
		u->src = src;
		u->imm = x_imm(&x->ops[2], size);
	} else if (x_is_mem(s)) {
		m = x_mem(x, s, size, false);
		u = x_emit_mem(x, (m.index != R_ZERO ? UOP_IMUL_RMX16 : UOP_IMUL_RM16) + lg, &m);
	} else {
		u = x_emit(x, UOP_IMUL_RR16 + lg);
		u->src = xi_slot(s);
	}
	u->dst = xi_slot(d);
	return true;
}

/* AAM, AAD. */
bool xi_decimal_imm(struct xlate *x, const struct xlate_entry *e)
{
	x_emit(x, e->arg)->imm = x->ops[0].imm.value.u & 0xff;
	return true;
}

/* ---- strings ---- */

/* arg: micro-operation | bytes << 16. MOVSD and CMPSD name SSE instructions as well. */
bool xi_string(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (x->insn->meta.category != ZYDIS_CATEGORY_STRINGOP)
		return false;
	u = x_emit(x, e->arg & 0xffff);
	u->size = (uint8_t)(e->arg >> 16);
	u->src = (uint8_t)xi_data_segment(x);
	u->flags = xi_addr_flags(x);
	/* The last of several counts; F2 repeats MOVS, STOS and LODS as F3 does. */
	for (unsigned i = 0; i < x->insn->raw.prefix_count; i++) {
		uint8_t p = x->insn->raw.prefixes[i].value;

		if (p == 0xf2 || p == 0xf3)
			u->flags =
				(u->flags & ~(UF_REP | UF_REPNE)) | (p == 0xf3 ? UF_REP : UF_REPNE);
	}
	return true;
}
