/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps within a page, by condition, and by what set the flags. Those that compare themselves leave the lazy
 * flags as the comparison alone would.
 */
#include "src/cpu/exec_flow.h"
#include "src/cpu/exec_int.h"

#define EACH_COND(X, name, ...)              \
	X(name##_o, COND_O, __VA_ARGS__)     \
	X(name##_no, COND_NO, __VA_ARGS__)   \
	X(name##_b, COND_B, __VA_ARGS__)     \
	X(name##_nb, COND_NB, __VA_ARGS__)   \
	X(name##_z, COND_Z, __VA_ARGS__)     \
	X(name##_nz, COND_NZ, __VA_ARGS__)   \
	X(name##_be, COND_BE, __VA_ARGS__)   \
	X(name##_nbe, COND_NBE, __VA_ARGS__) \
	X(name##_s, COND_S, __VA_ARGS__)     \
	X(name##_ns, COND_NS, __VA_ARGS__)   \
	X(name##_p, COND_P, __VA_ARGS__)     \
	X(name##_np, COND_NP, __VA_ARGS__)   \
	X(name##_l, COND_L, __VA_ARGS__)     \
	X(name##_nl, COND_NL, __VA_ARGS__)   \
	X(name##_le, COND_LE, __VA_ARGS__)   \
	X(name##_nle, COND_NLE, __VA_ARGS__)
#define EACH_SIZE(X, name)         \
	EACH_COND(X, name##8, 8)   \
	EACH_COND(X, name##16, 16) \
	EACH_COND(X, name##32, 32) \
	EACH_COND(X, name##64, 64)

#define GO(test)                            \
	do {                                \
		if (test)                   \
			return chain(c, u); \
		return chain(c, u + 1);     \
	} while (0)

/* ---- flags set before ---- */

#define DEF_ANY(name, cond, bits)                                                    \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		GO(cc_test(c, cond));                                                \
	}
EACH_COND(DEF_ANY, exec_jcc, 0)

#define DEF_SUB(name, cond, bits)                                                    \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		GO(cc_test_op(c, CC_SUB + LOG2_##bits, cond));                       \
	}
EACH_SIZE(DEF_SUB, exec_jcc_sub)

#define DEF_LOGIC(name, cond, bits)                                                  \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		GO(cc_test_op(c, CC_LOGIC + LOG2_##bits, cond));                     \
	}
EACH_SIZE(DEF_LOGIC, exec_jcc_logic)

#define DEF_EFLAGS(name, cond, bits)                                                 \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		GO(cc_test_op(c, CC_EFLAGS, cond));                                  \
	}
EACH_COND(DEF_EFLAGS, exec_jcc_eflags, 0)

/* ---- comparing themselves ---- */

/* Condition COND of comparing A with B; SUB says how: a constant, as all but the operands. */
static always_inline bool cmp_test(const struct cpu *c, unsigned op, unsigned cond, uint64_t a,
				   uint64_t b)
{
	switch (cond) {
	case COND_B:
		return a < b;
	case COND_NB:
		return a >= b;
	case COND_Z:
		return a == b;
	case COND_NZ:
		return a != b;
	case COND_BE:
		return a <= b;
	case COND_NBE:
		return a > b;
	case COND_L:
		return cc_sext(op, a) < cc_sext(op, b);
	case COND_NL:
		return cc_sext(op, a) >= cc_sext(op, b);
	case COND_LE:
		return cc_sext(op, a) <= cc_sext(op, b);
	case COND_NLE:
		return cc_sext(op, a) > cc_sext(op, b);
	default:
		return cc_test_op(c, op, cond);
	}
}

#define CMP_GO(bits, cond, a, b)                                                   \
	do {                                                                       \
		uint##bits##_t a_ = (uint##bits##_t)(a), b_ = (uint##bits##_t)(b); \
		SET_CC(CC_SUB, bits, a_ - b_, b_);                                 \
		GO(cmp_test(c, CC_SUB + LOG2_##bits, cond, a_, b_));               \
	} while (0)
#define TEST_GO(bits, cond, a, b)                                \
	do {                                                     \
		SET_CC_LOGIC(bits, (a) & (b));                   \
		GO(cc_test_op(c, CC_LOGIC + LOG2_##bits, cond)); \
	} while (0)

/* The immediate of a form with memory operand. */
static always_inline int16_t small_imm(const struct uop *u)
{
	return (int16_t)(u->dst | u->src << 8);
}

#define DEF_REG(name, ...)                                                           \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		__VA_ARGS__;                                                         \
	}

/* One cold twin for all conditions: the comparison, then the condition that the micro-operation's number tells. */
#define DEF_MEM_SLOW(name, bits, ...)                                                              \
	static cold_fn const struct uop *name##bits##_slow(struct cpu *c, const struct uop *u)     \
	{                                                                                          \
		uint##bits##_t m = (uint##bits##_t)mmu_load_slow(c, u, uop_lin(c, u), (bits) / 8); \
		unsigned cond = (unsigned)(u->op - UOP_JCC_O) & 15;                                \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		GO(cc_test(c, cond));                                                              \
	}
#define EACH_MEM_SLOW(name, SLOW) SLOW(name, 8) SLOW(name, 16) SLOW(name, 32) SLOW(name, 64)

#define DEF_MEM(name, slow, bits, ...)                                               \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		uint64_t lin = uop_lin(c, u);                                        \
		const struct tlb_entry *e = mmu_slot(c, lin);                        \
		uint##bits##_t m;                                                    \
                                                                                     \
		if (!MMU_HIT_RD(e, lin, (bits) / 8))                                 \
			return slow(c, u);                                           \
		m = *(const volatile guest_u##bits *)(lin + e->addend);              \
		__VA_ARGS__;                                                         \
	}

#define JCMP_RR(name, cond, bits) \
	DEF_REG(name, CMP_GO(bits, cond, GET##bits(u->dst), GET##bits(u->src)))
#define JCMP_RI(name, cond, bits) \
	DEF_REG(name, CMP_GO(bits, cond, GET##bits(u->dst), (int64_t)u->disp))
#define JTEST_RR(name, cond, bits) \
	DEF_REG(name, TEST_GO(bits, cond, GET##bits(u->dst), GET##bits(u->src)))
#define JTEST_RI(name, cond, bits) \
	DEF_REG(name, TEST_GO(bits, cond, GET##bits(u->dst), (int64_t)u->disp))
EACH_SIZE(JCMP_RR, exec_jcmp_rr)
EACH_SIZE(JCMP_RI, exec_jcmp_ri)
EACH_SIZE(JTEST_RR, exec_jtest_rr)
EACH_SIZE(JTEST_RI, exec_jtest_ri)

#define SLOW_RM(name, bits) DEF_MEM_SLOW(name, bits, SET_CC(CC_SUB, bits, GET##bits(u->dst) - m, m))
#define SLOW_MR(name, bits) \
	DEF_MEM_SLOW(name, bits, SET_CC(CC_SUB, bits, m - GET##bits(u->src), GET##bits(u->src)))
#define SLOW_MI(name, bits) \
	DEF_MEM_SLOW(name, bits, SET_CC(CC_SUB, bits, m - (int64_t)small_imm(u), small_imm(u)))
#define SLOW_TEST(name, bits) DEF_MEM_SLOW(name, bits, SET_CC_LOGIC(bits, m &(int64_t)small_imm(u)))
EACH_MEM_SLOW(jcmp_rm, SLOW_RM)
EACH_MEM_SLOW(jcmp_mr, SLOW_MR)
EACH_MEM_SLOW(jcmp_mi, SLOW_MI)
EACH_MEM_SLOW(jtest_mi, SLOW_TEST)

#define JCMP_RM(name, cond, bits) \
	DEF_MEM(name, jcmp_rm##bits##_slow, bits, CMP_GO(bits, cond, GET##bits(u->dst), m))
#define JCMP_MR(name, cond, bits) \
	DEF_MEM(name, jcmp_mr##bits##_slow, bits, CMP_GO(bits, cond, m, GET##bits(u->src)))
#define JCMP_MI(name, cond, bits) \
	DEF_MEM(name, jcmp_mi##bits##_slow, bits, CMP_GO(bits, cond, m, (int64_t)small_imm(u)))
#define JTEST_MI(name, cond, bits) \
	DEF_MEM(name, jtest_mi##bits##_slow, bits, TEST_GO(bits, cond, m, (int64_t)small_imm(u)))
EACH_SIZE(JCMP_RM, exec_jcmp_rm)
EACH_SIZE(JCMP_MR, exec_jcmp_mr)
EACH_SIZE(JCMP_MI, exec_jcmp_mi)
EACH_SIZE(JTEST_MI, exec_jtest_mi)

/* ---- BT ---- */

#define BT_GO(value, n, want)                 \
	do {                                  \
		bool bit_ = (value) >> (n)&1; \
		cc_replace_cf(c, bit_);       \
		GO(bit_ == (want));           \
	} while (0)

DEF_REG(exec_jbt_ri_b, BT_GO(c->regs[u->dst], u->src, true))
DEF_REG(exec_jbt_ri_nb, BT_GO(c->regs[u->dst], u->src, false))

#define DEF_BT_MEM(bits)                                                                         \
	static cold_fn const struct uop *jbt_mi##bits##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                        \
		uint64_t m = mmu_load_slow(c, u, uop_lin(c, u), (bits) / 8);                     \
                                                                                                 \
		BT_GO(m, u->dst, u->op == UOP_JBT_MI##bits##_B);                                 \
	}                                                                                        \
	DEF_MEM(exec_jbt_mi##bits##_b, jbt_mi##bits##_slow, bits, BT_GO(m, u->dst, true))        \
	DEF_MEM(exec_jbt_mi##bits##_nb, jbt_mi##bits##_slow, bits, BT_GO(m, u->dst, false))
DEF_BT_MEM(16)
DEF_BT_MEM(32)
DEF_BT_MEM(64)
