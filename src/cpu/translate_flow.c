/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of near jumps, calls, returns and loops. Far forms are translate_sys.c's. */
#include "src/cpu/block.h"
#include "src/cpu/ea.h"
#include "src/cpu/flags.h"
#include "src/cpu/translate.h"

static bool is_far(const struct xlate *x)
{
	return x->insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

static uint64_t mask_target(const struct xlate *x, uint64_t rip)
{
	return x->opsize == 8 ? rip : x->opsize == 4 ? (uint32_t)rip : (uint16_t)rip;
}

static uint64_t direct_target(const struct xlate *x)
{
	return mask_target(x, x->next_rip + x->ops[0].imm.value.u);
}

/* A target outside of the code segment, or not canonical: the jump itself faults, when it is made. */
static bool bad_target(const struct xlate *x, uint64_t rip)
{
	return x->mode & MODE_CODE64 ? !canonical(x->c, rip) : rip > x->c->seg[S_CS].limit;
}

static bool in_page(const struct xlate *x, uint64_t rip)
{
	uint64_t base = x->mode & MODE_CODE64 ? 0 : x->c->regs[R_CSBASE];
	uint64_t a = x->block_rip + base, b = rip + base;

	if (!(x->mode & MODE_CODE64)) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	return a >> PAGE_SHIFT == b >> PAGE_SHIFT;
}

/* The current micro-operation is exit K of the block. */
static void set_exit(struct xlate *x, unsigned k, uint64_t target)
{
	x->exit_target[k] = target;
	x->n_exits = MAX(x->n_exits, k + 1);
}

void x_jump(struct xlate *x, uint64_t target)
{
	if (bad_target(x, target) && target != x->next_rip) {
		x_gp(x);
		return;
	}
	x_emit(x, in_page(x, target) && !x->crossing ? UOP_JMP : UOP_JMP_X);
	set_exit(x, 0, target);
	x->ended = true;
}

static struct uop *emit_load_t0(struct xlate *x, const ZydisDecodedOperand *o)
{
	struct mem_ref m = x_mem(x, o, x->opsize, false);

	return x_emit_mem(x,
			  x->opsize == 8   ? UOP_LD_T0_64
			  : x->opsize == 4 ? UOP_LD_T0_32
					   : UOP_LD_T0_16,
			  &m);
}

/* The slot with an indirect target. */
static uint8_t indirect_slot(struct xlate *x)
{
	if (x_is_reg(&x->ops[0]))
		return x_reg(x->ops[0].reg.value);
	emit_load_t0(x, &x->ops[0]);
	return R_T0;
}

static bool xlate_jmp(struct xlate *x, const struct xlate_entry *e)
{
	bool code64 = x->mode & MODE_CODE64;
	struct uop *u;
	uint8_t slot;

	if (is_far(x))
		return false;
	if (x_is_imm(&x->ops[0])) {
		x_jump(x, direct_target(x));
		return true;
	}
	x->ended = true;
	if (code64 && x_is_mem(&x->ops[0])) {
		struct mem_ref m = x_mem(x, &x->ops[0], 8, false);

		x_emit_mem(x, UOP_JMP_M64, &m);
		return true;
	}
	slot = indirect_slot(x);
	u = x_emit(x, code64 ? UOP_JMP_R64 : UOP_JMP_R_GEN);
	u->src = slot;
	u->size = (uint8_t)x->opsize;
	return true;
}

static bool xlate_call(struct xlate *x, const struct xlate_entry *e)
{
	bool code64 = x->mode & MODE_CODE64;
	struct uop *u;

	if (is_far(x))
		return false;
	x->ended = true;
	if (x_is_imm(&x->ops[0])) {
		uint64_t target = direct_target(x);

		if (bad_target(x, target))
			return x_gp(x);
		u = x_emit(x, !code64		   ? UOP_CALL_GEN
			      : in_page(x, target) ? UOP_CALL64
						   : UOP_CALL64_X);
		set_exit(x, 0, target);
	} else {
		uint8_t slot = indirect_slot(x);

		u = x_emit(x, code64 ? UOP_CALL_R64 : UOP_CALL_R_GEN);
		u->src = slot;
	}
	u->dst = (uint8_t)x->opsize;
	u->flags |= UF_SS;
	return true;
}

static bool xlate_ret(struct xlate *x, const struct xlate_entry *e)
{
	bool imm = x->insn->operand_count_visible && x_is_imm(&x->ops[0]);
	struct uop *u;

	if (is_far(x))
		return false;
	u = x_emit(x, !(x->mode & MODE_CODE64) ? UOP_RET_GEN : imm ? UOP_RET64_IMM : UOP_RET64);
	u->dst = (uint8_t)x->opsize;
	u->flags = UF_SS;
	if (imm)
		u->imm = (uint16_t)x->ops[0].imm.value.u;
	x->ended = true;
	return true;
}

/* The conditional jump and the fall-through after it. */
static struct uop *emit_conditional(struct xlate *x, enum uop_op op)
{
	uint64_t target = direct_target(x);
	struct uop *u = x_emit(x, op);

	set_exit(x, 1, target);
	if (bad_target(x, target))
		u->flags |= UF_AUX;
	x_jump(x, x->next_rip);
	return u;
}

/* Comparisons that can be one micro-operation with the conditional jump after them. Ops of each are in the order of sizes. */
static const struct {
	uint16_t first, last; /* of ops_int.h, with the indexed forms */
	uint16_t fused;	      /* of ops_flow.h, for 8 bits and condition 0 */
	enum { IMM_NONE, IMM_REG, IMM_MEM } imm;
} fusions[] = {
	{UOP_CMP_RR8, UOP_CMP_RR64, UOP_JCMP_RR8_O, IMM_NONE},
	{UOP_CMP_RI8, UOP_CMP_RI64, UOP_JCMP_RI8_O, IMM_REG},
	{UOP_CMP_RM8, UOP_CMP_RMX64, UOP_JCMP_RM8_O, IMM_NONE},
	{UOP_CMP_MR8, UOP_CMP_MRX64, UOP_JCMP_MR8_O, IMM_NONE},
	{UOP_CMP_MI8, UOP_CMP_MIX64, UOP_JCMP_MI8_O, IMM_MEM},
	{UOP_TEST_RR8, UOP_TEST_RR64, UOP_JTEST_RR8_O, IMM_NONE},
	{UOP_TEST_RI8, UOP_TEST_RI64, UOP_JTEST_RI8_O, IMM_REG},
	{UOP_TEST_MI8, UOP_TEST_MIX64, UOP_JTEST_MI8_O, IMM_MEM},
};

/* Moves the immediate to where the fused form has it; false when it doesn't fit. */
static bool move_immediate(struct uop *u, bool mem, unsigned log2_size)
{
	unsigned unused = 64 - (8u << log2_size);
	int64_t imm = (int64_t)(u->imm << unused) >> unused;

	if (mem ? imm != (int16_t)imm : imm != (int32_t)imm)
		return false;
	if (mem) {
		u->dst = (uint8_t)imm;
		u->src = (uint8_t)(imm >> 8);
	} else {
		u->disp = (int32_t)imm;
	}
	return true;
}

/* The same for BT with an immediate, and a jump by CF. */
static bool fuse_bit_test(struct uop *u, unsigned cond)
{
	if (cond != COND_B && cond != COND_NB)
		return false;
	if (u->op >= UOP_BT_RI16 && u->op <= UOP_BT_RI64) {
		u->src = (uint8_t)u->imm;
		u->op = UOP_JBT_RI_B;
	} else if (u->op >= UOP_BT_MI16 && u->op <= UOP_BT_MI64) {
		u->op = (uint16_t)(UOP_JBT_MI16_B + 2 * (u->op - UOP_BT_MI16));
	} else {
		return false;
	}
	u->op += cond == COND_NB;
	u->fn = uop_functions[u->op];
	u->imm = 0;
	return true;
}

/* Turns the comparison before this jump, if there is one, into compare and jump. */
static bool fuse(struct xlate *x, unsigned cond)
{
	struct uop *u = x->n ? &x->uops[x->n - 1] : NULL;

	if (u && fuse_bit_test(u, cond))
		return true;
	for (unsigned i = 0; u && i < ARRAY_SIZE(fusions); i++) {
		unsigned log2_size = (unsigned)(u->op - fusions[i].first) & 3;

		if (u->op < fusions[i].first || u->op > fusions[i].last)
			continue;
		if (fusions[i].imm != IMM_NONE &&
		    !move_immediate(u, fusions[i].imm == IMM_MEM, log2_size))
			return false;
		u->op = (uint16_t)(fusions[i].fused + 16 * log2_size + cond);
		u->fn = uop_functions[u->op];
		u->imm = 0;
		return true;
	}
	return false;
}

/* Micro-operations of 16 conditions: the general ones, or those for what is known to have set the flags. */
static unsigned jcc_group(const struct xlate *x, unsigned cond)
{
	int cc = x_known_cc(x);

	if (cc < 0)
		return UOP_JCC_O;
	if ((cc & ~3) == CC_CF_IN_SRC)
		return (cond >> 1) == COND_B >> 1 ? UOP_JCC_EFLAGS_O : UOP_JCC_O;
	if ((cc & ~3) == CC_EFLAGS)
		return UOP_JCC_EFLAGS_O;
	if ((cc & ~3) == CC_SUB)
		return UOP_JCC_SUB8_O + 16 * (cc & 3);
	/* ZF, SF and PF come from the result alone. */
	if ((cc & ~3) == CC_LOGIC || (cond >> 1) == COND_Z >> 1 || (cond >> 1) == COND_S >> 1 ||
	    (cond >> 1) == COND_P >> 1)
		return UOP_JCC_LOGIC8_O + 16 * (cc & 3);
	return UOP_JCC_O;
}

static bool xlate_jcc(struct xlate *x, const struct xlate_entry *e)
{
	uint64_t target = direct_target(x);
	bool near = in_page(x, target) && in_page(x, x->next_rip) && !bad_target(x, target);

	if (!near) {
		emit_conditional(x, UOP_JCC_X)->src = (uint8_t)e->arg;
	} else if (fuse(x, e->arg)) {
		set_exit(x, 1, target);
		x_jump(x, x->next_rip);
	} else {
		emit_conditional(x, (enum uop_op)(jcc_group(x, e->arg) + e->arg));
	}
	return true;
}

/* arg: 0 LOOPNE, 1 LOOPE, 2 LOOP, 3 JCXZ and its like */
static bool xlate_loop(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u = emit_conditional(x, e->arg == 3 ? UOP_JCXZ : UOP_LOOP);

	u->src = (uint8_t)e->arg;
	u->dst = (uint8_t)x->adsize;
	return true;
}

const struct xlate_entry xlate_flow_table[] = {
	{ZYDIS_MNEMONIC_JMP, xlate_jmp, 0, 0},	  {ZYDIS_MNEMONIC_CALL, xlate_call, 0, 0},
	{ZYDIS_MNEMONIC_RET, xlate_ret, 0, 0},	  {ZYDIS_MNEMONIC_JO, xlate_jcc, 0, 0},
	{ZYDIS_MNEMONIC_JNO, xlate_jcc, 1, 0},	  {ZYDIS_MNEMONIC_JB, xlate_jcc, 2, 0},
	{ZYDIS_MNEMONIC_JNB, xlate_jcc, 3, 0},	  {ZYDIS_MNEMONIC_JZ, xlate_jcc, 4, 0},
	{ZYDIS_MNEMONIC_JNZ, xlate_jcc, 5, 0},	  {ZYDIS_MNEMONIC_JBE, xlate_jcc, 6, 0},
	{ZYDIS_MNEMONIC_JNBE, xlate_jcc, 7, 0},	  {ZYDIS_MNEMONIC_JS, xlate_jcc, 8, 0},
	{ZYDIS_MNEMONIC_JNS, xlate_jcc, 9, 0},	  {ZYDIS_MNEMONIC_JP, xlate_jcc, 10, 0},
	{ZYDIS_MNEMONIC_JNP, xlate_jcc, 11, 0},	  {ZYDIS_MNEMONIC_JL, xlate_jcc, 12, 0},
	{ZYDIS_MNEMONIC_JNL, xlate_jcc, 13, 0},	  {ZYDIS_MNEMONIC_JLE, xlate_jcc, 14, 0},
	{ZYDIS_MNEMONIC_JNLE, xlate_jcc, 15, 0},  {ZYDIS_MNEMONIC_LOOPNE, xlate_loop, 0, 0},
	{ZYDIS_MNEMONIC_LOOPE, xlate_loop, 1, 0}, {ZYDIS_MNEMONIC_LOOP, xlate_loop, 2, 0},
	{ZYDIS_MNEMONIC_JCXZ, xlate_loop, 3, 0},  {ZYDIS_MNEMONIC_JECXZ, xlate_loop, 3, 0},
	{ZYDIS_MNEMONIC_JRCXZ, xlate_loop, 3, 0}, {0, NULL, 0, 0},
};
