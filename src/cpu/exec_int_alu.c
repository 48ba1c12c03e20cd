/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer arithmetic and logic with two operands or one, by operand form and size (SDM 2: ADD to XOR, INC, DEC, NEG, NOT). */
#include "src/cpu/exec_int.h"

DEF_HANDLER(i_carry, c->regs[R_CARRY] = cc_cf(c);)
DEF_HANDLER(i_carry_add, c->regs[R_CARRY] = cc_cf_op(c, CC_ADD);)
DEF_HANDLER(i_carry_adc, c->regs[R_CARRY] = cc_cf_op(c, CC_ADC);)
DEF_HANDLER(i_carry_sub, c->regs[R_CARRY] = cc_cf_op(c, CC_SUB + (c->cc_op & 3));)
DEF_HANDLER(i_carry_sbb, c->regs[R_CARRY] = cc_cf_op(c, CC_SBB + (c->cc_op & 3));)
DEF_HANDLER(i_carry_bit0, c->regs[R_CARRY] = cc_cf_op(c, CC_EFLAGS);)
DEF_HANDLER(i_carry_src2, c->regs[R_CARRY] = cc_cf_op(c, CC_INC);)

/* r from a and b, and its flags. */
#define DO_ADD(bits)                 \
	r = (uint##bits##_t)(a + b); \
	SET_CC(CC_ADD, bits, r, b);
#define DO_SUB(bits)                 \
	r = (uint##bits##_t)(a - b); \
	SET_CC(CC_SUB, bits, r, b);
#define DO_ADC(bits)                                 \
	{                                            \
		uint64_t carry = c->regs[R_CARRY];   \
		r = (uint##bits##_t)(a + b + carry); \
		SET_CC(CC_ADC, bits, r, b);          \
		c->cc_src2 = carry;                  \
	}
#define DO_SBB(bits)                                 \
	{                                            \
		uint64_t carry = c->regs[R_CARRY];   \
		r = (uint##bits##_t)(a - b - carry); \
		SET_CC(CC_SBB, bits, r, b);          \
		c->cc_src2 = carry;                  \
	}
#define DO_AND(bits) \
	r = a & b;   \
	SET_CC_LOGIC(bits, r);
#define DO_OR(bits) \
	r = a | b;  \
	SET_CC_LOGIC(bits, r);
#define DO_XOR(bits) \
	r = a ^ b;   \
	SET_CC_LOGIC(bits, r);

#define DEF_ALU_MEM(name, bits, x, lin_of, DO)                                                     \
	DEF_LOAD(name##_rm##x##bits, bits, lin_of, uint##bits##_t a = GET##bits(u->dst), b = m, r; \
		 DO(bits) SET##bits(u->dst, r);)                                                   \
	DEF_RMW(name##_mr##x##bits, bits, lin_of, uint##bits##_t a = m, b = GET##bits(u->src);     \
		DO(bits))                                                                          \
	DEF_RMW(name##_mi##x##bits, bits, lin_of, uint##bits##_t a = m,                            \
		b = (uint##bits##_t)u->imm;                                                        \
		DO(bits))
#define DEF_ALU_SIZE(name, bits, DO)                                                              \
	DEF_HANDLER(name##_rr##bits, uint##bits##_t a = GET##bits(u->dst), b = GET##bits(u->src), \
		    r;                                                                            \
		    DO(bits) SET##bits(u->dst, r);)                                               \
	DEF_HANDLER(name##_ri##bits, uint##bits##_t a = GET##bits(u->dst),                        \
		    b = (uint##bits##_t)u->imm, r;                                                \
		    DO(bits) SET##bits(u->dst, r);)                                               \
	DEF_ALU_MEM(name, bits, , LIN_B, DO)                                                      \
	DEF_ALU_MEM(name, bits, x, LIN_X, DO)
#define DEF_ALU(name, DO)          \
	DEF_ALU_SIZE(name, 8, DO)  \
	DEF_ALU_SIZE(name, 16, DO) \
	DEF_ALU_SIZE(name, 32, DO) \
	DEF_ALU_SIZE(name, 64, DO)

DEF_ALU(i_add, DO_ADD)
DEF_ALU(i_or, DO_OR)
DEF_ALU(i_adc, DO_ADC)
DEF_ALU(i_sbb, DO_SBB)
DEF_ALU(i_and, DO_AND)
DEF_ALU(i_sub, DO_SUB)
DEF_ALU(i_xor, DO_XOR)

/* CMP and TEST: flags only, memory is only read. */
#define CMP_CC(bits, a, b)  SET_CC(CC_SUB, bits, (a) - (b), b);
#define TEST_CC(bits, a, b) SET_CC_LOGIC(bits, (a) & (b));

#define DEF_CMP_MEM(name, bits, x, lin_of, CC)                                                \
	DEF_LOAD(name##_mr##x##bits, bits, lin_of, uint##bits##_t b = GET##bits(u->src);      \
		 CC(bits, m, b))                                                              \
	DEF_LOAD(name##_mi##x##bits, bits, lin_of, uint##bits##_t b = (uint##bits##_t)u->imm; \
		 CC(bits, m, b))
#define DEF_CMP_SIZE(name, bits, CC)                                                              \
	DEF_HANDLER(name##_rr##bits, uint##bits##_t a = GET##bits(u->dst), b = GET##bits(u->src); \
		    CC(bits, a, b))                                                               \
	DEF_HANDLER(name##_ri##bits, uint##bits##_t a = GET##bits(u->dst),                        \
		    b = (uint##bits##_t)u->imm;                                                   \
		    CC(bits, a, b))                                                               \
	DEF_CMP_MEM(name, bits, , LIN_B, CC)                                                      \
	DEF_CMP_MEM(name, bits, x, LIN_X, CC)

DEF_CMP_SIZE(i_cmp, 8, CMP_CC)
DEF_CMP_SIZE(i_cmp, 16, CMP_CC)
DEF_CMP_SIZE(i_cmp, 32, CMP_CC)
DEF_CMP_SIZE(i_cmp, 64, CMP_CC)
DEF_CMP_SIZE(i_test, 8, TEST_CC)
DEF_CMP_SIZE(i_test, 16, TEST_CC)
DEF_CMP_SIZE(i_test, 32, TEST_CC)
DEF_CMP_SIZE(i_test, 64, TEST_CC)

#define DEF_CMP_RM(bits, x, lin_of)                                                     \
	DEF_LOAD(i_cmp_rm##x##bits, bits, lin_of, uint##bits##_t a = GET##bits(u->dst); \
		 CMP_CC(bits, a, m))

DEF_CMP_RM(8, , LIN_B)
DEF_CMP_RM(16, , LIN_B)
DEF_CMP_RM(32, , LIN_B)
DEF_CMP_RM(64, , LIN_B)
DEF_CMP_RM(8, x, LIN_X)
DEF_CMP_RM(16, x, LIN_X)
DEF_CMP_RM(32, x, LIN_X)
DEF_CMP_RM(64, x, LIN_X)

/* INC and DEC keep CF, which is in R_CARRY. */
#define DO_INC(bits)                     \
	c->cc_src2 = c->regs[R_CARRY];   \
	r = (uint##bits##_t)(m + 1);     \
	c->cc_op = CC_INC + LOG2_##bits; \
	c->cc_dst = r;
#define DO_DEC(bits)                     \
	c->cc_src2 = c->regs[R_CARRY];   \
	r = (uint##bits##_t)(m - 1);     \
	c->cc_op = CC_DEC + LOG2_##bits; \
	c->cc_dst = r;
#define DO_NEG(bits)              \
	r = (uint##bits##_t) - m; \
	SET_CC(CC_SUB, bits, r, m);
#define DO_NOT(bits) r = (uint##bits##_t) ~m;

#define DEF_UNARY_SIZE(name, bits, DO)                                       \
	DEF_HANDLER(name##_r##bits, uint##bits##_t m = GET##bits(u->dst), r; \
		    DO(bits) SET##bits(u->dst, r);)                          \
	DEF_RMW(name##_m##bits, bits, LIN_B, DO(bits))                       \
	DEF_RMW(name##_mx##bits, bits, LIN_X, DO(bits))
#define DEF_UNARY(name, DO)          \
	DEF_UNARY_SIZE(name, 8, DO)  \
	DEF_UNARY_SIZE(name, 16, DO) \
	DEF_UNARY_SIZE(name, 32, DO) \
	DEF_UNARY_SIZE(name, 64, DO)

DEF_UNARY(i_inc, DO_INC)
DEF_UNARY(i_dec, DO_DEC)
DEF_UNARY(i_neg, DO_NEG)
DEF_UNARY(i_not, DO_NOT)
