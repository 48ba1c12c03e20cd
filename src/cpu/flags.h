/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lazy arithmetic flags: an operation leaves its result and operand in cc_dst, cc_src (cc_src2) and its kind in cc_op;
 * the flags are computed when somebody reads them.
 *
 * cc_op = class + log2(operand bytes). With a, b the operands and r the result, all truncated to the size:
 *	CC_EFLAGS  cc_src is the FL_ARITH bits themselves (log2 0 only)
 *	CC_ADD	   dst=r src=b			(a = r - b)
 *	CC_ADC	   dst=r src=b src2=carry in
 *	CC_SUB	   dst=r src=b			(a = r + b)
 *	CC_SBB	   dst=r src=b src2=borrow in
 *	CC_LOGIC   dst=r			CF=OF=AF=0
 *	CC_INC	   dst=r src2=CF before (0/1)
 *	CC_DEC	   dst=r src2=CF before
 *	CC_SHL	   dst=r src=value shifted by count-1 (CF is its top bit)
 *	CC_SHR	   dst=r src=value shifted by count-1 (CF is its low bit); SAR too
 *	CC_MUL	   dst=low half src=nonzero when the high half is significant (CF=OF)
 *	CC_SZP	   dst gives SF, ZF, PF; src has CF, AF, OF where EFLAGS has them
 *
 * The inline functions take the cc_op as an argument: where translation knows which operation set the flags
 * (x_known_cc), it is a constant and a condition costs a compare.
 */
#ifndef EVMM_CPU_FLAGS_H
#define EVMM_CPU_FLAGS_H

#include "src/cpu/cpu.h"

enum {
	CC_EFLAGS = 0,
	CC_ADD = 4,
	CC_ADC = 8,
	CC_SUB = 12,
	CC_SBB = 16,
	CC_LOGIC = 20,
	CC_INC = 24,
	CC_DEC = 28,
	CC_SHL = 32,
	CC_SHR = 36,
	CC_MUL = 40,
	CC_SZP = 44,
	CC_COUNT = 48,
};

/* Conditions as in the low nibble of Jcc, SETcc, CMOVcc. */
enum {
	COND_O,
	COND_NO,
	COND_B,
	COND_NB,
	COND_Z,
	COND_NZ,
	COND_BE,
	COND_NBE,
	COND_S,
	COND_NS,
	COND_P,
	COND_NP,
	COND_L,
	COND_NL,
	COND_LE,
	COND_NLE,
};

/* FL_ARITH bits from the lazy state (flags.c). */
uint32_t cc_compute(const struct cpu *c);

/* All of EFLAGS. */
static inline uint64_t cpu_eflags(const struct cpu *c)
{
	return c->flags | FL_1 | cc_compute(c);
}

static inline void cc_set(struct cpu *c, uint32_t arith)
{
	c->cc_op = CC_EFLAGS;
	c->cc_src = arith & FL_ARITH;
}

/* Sets EFLAGS wholly; df mirrored. The caller calls cpu_mode_changed when TF, VM, AC may have changed. */
static inline void cpu_set_eflags(struct cpu *c, uint64_t fl)
{
	cc_set(c, (uint32_t)fl);
	c->flags = fl & ~(uint64_t)FL_ARITH;
	c->df = fl & FL_DF ? -1 : 1;
}

static always_inline uint64_t cc_mask(unsigned op)
{
	return ~0ull >> (64 - (8u << (op & 3)));
}

/* Top bit of V at the size of OP, 0 or 1. */
static always_inline unsigned cc_msb(unsigned op, uint64_t v)
{
	return (v >> ((8u << (op & 3)) - 1)) & 1;
}

static always_inline int64_t cc_sext(unsigned op, uint64_t v)
{
	unsigned shift = 64 - (8u << (op & 3));

	return (int64_t)(v << shift) >> shift;
}

/* The first operand, rebuilt from the result. ADD, ADC, SUB, SBB only. */
static always_inline uint64_t cc_first(const struct cpu *c, unsigned op)
{
	uint64_t r = c->cc_dst, b = c->cc_src;

	switch (op & ~3u) {
	case CC_ADD:
		return (r - b) & cc_mask(op);
	case CC_ADC:
		return (r - b - c->cc_src2) & cc_mask(op);
	case CC_SUB:
		return (r + b) & cc_mask(op);
	default:
		return (r + b + c->cc_src2) & cc_mask(op);
	}
}

static always_inline bool cc_cf_op(const struct cpu *c, unsigned op)
{
	switch (op & ~3u) {
	case CC_ADD:
		return c->cc_dst < c->cc_src;
	case CC_ADC:
		return c->cc_src2 ? c->cc_dst <= c->cc_src : c->cc_dst < c->cc_src;
	case CC_SUB:
		return cc_first(c, op) < c->cc_src;
	case CC_SBB:
		return c->cc_src2 ? cc_first(c, op) <= c->cc_src : cc_first(c, op) < c->cc_src;
	case CC_LOGIC:
		return false;
	case CC_INC:
	case CC_DEC:
		return c->cc_src2;
	case CC_SHL:
		return cc_msb(op, c->cc_src);
	case CC_MUL:
		return c->cc_src != 0;
	default: /* EFLAGS, SHR, SZP */
		return c->cc_src & 1;
	}
}

static always_inline bool cc_of_op(const struct cpu *c, unsigned op)
{
	uint64_t a, r = c->cc_dst, b = c->cc_src;

	switch (op & ~3u) {
	case CC_ADD:
	case CC_ADC:
		a = cc_first(c, op);
		return cc_msb(op, (a ^ r) & (b ^ r));
	case CC_SUB:
	case CC_SBB:
		a = cc_first(c, op);
		return cc_msb(op, (a ^ b) & (a ^ r));
	case CC_LOGIC:
		return false;
	case CC_INC:
		return r == (cc_mask(op) >> 1) + 1;
	case CC_DEC:
		return r == cc_mask(op) >> 1;
	case CC_SHL:
	case CC_SHR:
		return cc_msb(op, b ^ r);
	case CC_MUL:
		return b != 0;
	default: /* EFLAGS, SZP */
		return b & FL_OF;
	}
}

static always_inline bool cc_af_op(const struct cpu *c, unsigned op)
{
	switch (op & ~3u) {
	case CC_ADD:
	case CC_ADC:
	case CC_SUB:
	case CC_SBB:
		return (cc_first(c, op) ^ c->cc_dst ^ c->cc_src) & FL_AF;
	case CC_INC:
		return (c->cc_dst & 15) == 0;
	case CC_DEC:
		return (c->cc_dst & 15) == 15;
	case CC_EFLAGS:
	case CC_SZP:
		return c->cc_src & FL_AF;
	default:
		return false;
	}
}

static always_inline bool cc_zf_op(const struct cpu *c, unsigned op)
{
	return (op & ~3u) == CC_EFLAGS ? (c->cc_src & FL_ZF) != 0 : c->cc_dst == 0;
}

static always_inline bool cc_sf_op(const struct cpu *c, unsigned op)
{
	return (op & ~3u) == CC_EFLAGS ? (c->cc_src & FL_SF) != 0 : cc_msb(op, c->cc_dst);
}

static always_inline bool cc_pf_op(const struct cpu *c, unsigned op)
{
	return (op & ~3u) == CC_EFLAGS ? (c->cc_src & FL_PF) != 0
				       : !__builtin_parity(c->cc_dst & 0xff);
}

/* CF as it stands, for ADC, INC, RCL... */
static always_inline bool cc_cf(const struct cpu *c)
{
	return cc_cf_op(c, c->cc_op);
}

/* Condition COND with the flags set by an operation of kind OP (constants: a compare or two). */
static always_inline bool cc_test_op(const struct cpu *c, unsigned op, unsigned cond)
{
	bool yes, sub = (op & ~3u) == CC_SUB;

	switch (cond >> 1) {
	case COND_O >> 1:
		yes = cc_of_op(c, op);
		break;
	case COND_B >> 1:
		yes = cc_cf_op(c, op);
		break;
	case COND_Z >> 1:
		yes = cc_zf_op(c, op);
		break;
	case COND_BE >> 1:
		yes = sub ? cc_first(c, op) <= c->cc_src : cc_cf_op(c, op) || cc_zf_op(c, op);
		break;
	case COND_S >> 1:
		yes = cc_sf_op(c, op);
		break;
	case COND_P >> 1:
		yes = cc_pf_op(c, op);
		break;
	case COND_L >> 1:
		yes = sub ? cc_sext(op, cc_first(c, op)) < cc_sext(op, c->cc_src)
			  : cc_sf_op(c, op) != cc_of_op(c, op);
		break;
	default:
		yes = sub ? cc_sext(op, cc_first(c, op)) <= cc_sext(op, c->cc_src)
			  : cc_zf_op(c, op) || cc_sf_op(c, op) != cc_of_op(c, op);
		break;
	}
	return yes != (cond & 1);
}

/* Condition COND with whatever set the flags (flags.c). */
bool cc_test(const struct cpu *c, unsigned cond);

/* CF becomes CF; SF, ZF and PF stay; OF and AF needn't (BT and its like leave them undefined). */
static always_inline void cc_replace_cf(struct cpu *c, bool cf)
{
	unsigned op = c->cc_op;

	if (op == CC_EFLAGS) {
		c->cc_src = (c->cc_src & ~(uint64_t)FL_CF) | cf;
	} else {
		c->cc_op = CC_SZP | (op & 3);
		c->cc_src = cf;
	}
}

/* Replaces the bits MASK (a constant, out of CF, AF, OF) by BITS; the other flags stay as they are. */
static always_inline void cc_replace(struct cpu *c, uint32_t mask, uint32_t bits)
{
	unsigned op = c->cc_op;
	uint32_t keep = 0;

	if (op == CC_EFLAGS) {
		c->cc_src = (c->cc_src & ~(uint64_t)mask) | bits;
		return;
	}
	if (!(mask & FL_CF))
		keep |= cc_cf_op(c, op) ? FL_CF : 0;
	if (!(mask & FL_AF))
		keep |= cc_af_op(c, op) ? FL_AF : 0;
	if (!(mask & FL_OF))
		keep |= cc_of_op(c, op) ? FL_OF : 0;
	c->cc_src = keep | bits;
	c->cc_op = CC_SZP + (op & 3);
}

#endif
