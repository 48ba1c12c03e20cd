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
 */
#ifndef EVMM_CPU_FLAGS_H
#define EVMM_CPU_FLAGS_H

#include "src/cpu/cpu.h"

enum {
	CC_EFLAGS = 0, CC_ADD = 4, CC_ADC = 8, CC_SUB = 12, CC_SBB = 16, CC_LOGIC = 20, CC_INC = 24, CC_DEC = 28,
	CC_SHL = 32, CC_SHR = 36, CC_MUL = 40, CC_COUNT = 44,
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

/* Condition code as in Jcc's low nibble: 0 O, 2 B, 4 E, 6 BE, 8 S, A P, C L, E LE; odd: negated (flags.c). */
bool cc_test(const struct cpu *c, unsigned cond);

#endif
