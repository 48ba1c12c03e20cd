/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jumps (ops_flow.h) to host code. What is linked, or at hand in the jump cache, is jumped to; all else is left to the
 * micro-operation's function.
 */
#include "src/cpu/mmu.h"
#include "src/cpu/native_gen.h"

/* ---- from block to block ---- */

static int32_t uop_off(const struct native_gen *g, unsigned k, size_t field)
{
	return (int32_t)((k - g->first) * sizeof(struct uop) + field);
}

static void exit_if_requested(struct native_gen *g)
{
	emit_rm(&g->e, 0x83, 7, H_RDI, CPU_OFF(exit_request));
	emit_8(&g->e, 0);
	ng_exit_if(g, COND_NZ);
}

/* Into the block that RAX points to. */
static void enter_block(struct native_gen *g)
{
	struct emitter *e = &g->e;

	emit_rm(e, 0x89 | OP_W, H_RAX, H_RDI, CPU_OFF(block));
	emit_rm(e, 0x8d | OP_W, H_RSI, H_RAX, offsetof(struct block, uops));
	emit_rm(e, 0xff, 4, H_RAX, offsetof(struct block, uops) + offsetof(struct uop, fn));
}

/* The direct jump that is micro-operation K; the current one is executed again where it isn't linked. */
static void chain(struct native_gen *g, unsigned k, bool other_page)
{
	struct emitter *e = &g->e;

	exit_if_requested(g);
	emit_rm(e, 0x8b | OP_W, H_RAX, H_RSI, uop_off(g, k, offsetof(struct uop, imm)));
	if (other_page) {
		emit_rm(e, 0x8b | OP_W, H_RCX, H_RSI,
			uop_off(g, k, offsetof(struct uop, generation)));
		emit_rm(e, 0x3b | OP_W, H_RCX, H_RDI, CPU_OFF(tlb_generation));
		ng_exit_if(g, COND_NZ);
	}
	emit_rr(e, 0x85 | OP_W, H_RAX, H_RAX);
	ng_exit_if(g, COND_Z);
	enter_block(g);
	g->ended = true;
}

/* To the address in RAX, by the jump cache: RAX := block, or out. */
static void find_block(struct native_gen *g)
{
	struct emitter *e = &g->e;
	_Static_assert(sizeof(struct jump_entry) == 32, "the index is shifted to that size");

	emit_mov_imm(e, H_RDX, (uintptr_t)g->c->blocks->jump);
	emit_rr(e, 0x8b | OP_W, H_RCX, H_RAX);
	emit_rr(e, 0xc1 | OP_W, 5, H_RCX);
	emit_8(e, JUMP_CACHE_BITS);
	emit_rr(e, 0x33, H_RCX, H_RAX);
	emit_alu_imm(e, 0, 4, H_RCX, (1 << JUMP_CACHE_BITS) - 1);
	emit_rr(e, 0xc1, 4, H_RCX);
	emit_8(e, 5);
	emit_rr(e, 0x03 | OP_W, H_RDX, H_RCX);
	emit_rm(e, 0x3b | OP_W, H_RAX, H_RDX, offsetof(struct jump_entry, rip));
	ng_exit_if(g, COND_NZ);
	emit_rm(e, 0x8b | OP_W, H_RCX, H_RDI, CPU_OFF(tlb_generation));
	emit_rm(e, 0x3b | OP_W, H_RCX, H_RDX, offsetof(struct jump_entry, generation));
	ng_exit_if(g, COND_NZ);
	emit_rm(e, 0x81, 7, H_RDX, offsetof(struct jump_entry, mode));
	emit_32(e, g->b->mode);
	ng_exit_if(g, COND_NZ);
	emit_rm(e, 0x8b | OP_W, H_RAX, H_RDX, offsetof(struct jump_entry, block));
}

static uint64_t next_rip(const struct native_gen *g, const struct uop *u)
{
	return g->b->rip + u->ip + u->ilen;
}

static void move_sp(struct native_gen *g, int bytes)
{
	unsigned sp = ng_mod(g, R_RSP);

	emit_rm(&g->e, 0x8d | OP_W, sp, sp, bytes);
	ng_put(g, R_RSP);
}

/* Stores the return address; RAX was checked. The stack pointer moves only where nothing can be executed again. */
static void store_return(struct native_gen *g, const struct uop *u)
{
	emit_mov_imm(&g->e, H_RCX, next_rip(g, u));
	emit_rm(&g->e, 0x89 | OP_W, H_RCX, H_RAX, 0);
}

static void check_push(struct native_gen *g)
{
	emit_rm(&g->e, 0x8d | OP_W, H_RAX, ng_get(g, R_RSP), -8);
	ng_check(g, 8, true, false);
}

/* A call: all ways out come before anything is changed. */
static unsigned call_direct(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;

	ng_flush(g);
	exit_if_requested(g);
	if (u->op == UOP_CALL64_X) {
		emit_rm(e, 0x8b | OP_W, H_RCX, H_RSI,
			uop_off(g, g->at, offsetof(struct uop, generation)));
		emit_rm(e, 0x3b | OP_W, H_RCX, H_RDI, CPU_OFF(tlb_generation));
		ng_exit_if(g, COND_NZ);
	}
	check_push(g);
	emit_rm(e, 0x83 | OP_W, 7, H_RSI, uop_off(g, g->at, offsetof(struct uop, imm)));
	emit_8(e, 0);
	ng_exit_if(g, COND_Z);
	store_return(g, u);
	move_sp(g, -8);
	emit_rm(e, 0x8b | OP_W, H_RAX, H_RSI, uop_off(g, g->at, offsetof(struct uop, imm)));
	enter_block(g);
	g->ended = true;
	return 1;
}

static unsigned call_indirect(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;
	unsigned h;

	ng_flush(g);
	exit_if_requested(g);
	emit_rr(e, 0x8b | OP_W, H_RAX, ng_get(g, u->src));
	find_block(g);
	h = ng_alloc(g);
	emit_rr(e, 0x8b | OP_W, h, H_RAX);
	check_push(g);
	store_return(g, u);
	g->locked = BIT(h);
	move_sp(g, -8);
	emit_rr(e, 0x8b | OP_W, H_RAX, h);
	enter_block(g);
	g->ended = true;
	return 1;
}

static unsigned jump_indirect(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;

	ng_flush(g);
	exit_if_requested(g);
	if (u->op == UOP_JMP_M64) {
		ng_addr(g, u, 8, false);
		emit_rm(e, 0x8b | OP_W, H_RAX, H_RAX, 0);
	} else {
		emit_rr(e, 0x8b | OP_W, H_RAX, ng_get(g, u->src));
	}
	find_block(g);
	enter_block(g);
	g->ended = true;
	return 1;
}

static unsigned ret(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;

	ng_flush(g);
	exit_if_requested(g);
	emit_rr(e, 0x8b | OP_W, H_RAX, ng_get(g, R_RSP));
	ng_check(g, 8, false, false);
	emit_rm(e, 0x8b | OP_W, H_RAX, H_RAX, 0);
	find_block(g);
	move_sp(g, 8 + (u->op == UOP_RET64_IMM ? (int)u->imm : 0));
	enter_block(g);
	g->ended = true;
	return 1;
}

/* ---- conditional jumps; the next micro-operation is the way straight on ---- */

/* The host's flags say which way. */
static unsigned branch(struct native_gen *g, unsigned cond)
{
	uint8_t *straight = emit_jump(&g->e, cond ^ 1);

	chain(g, g->at, false);
	emit_land(straight, g->e.p);
	chain(g, g->at + 1, false);
	return 2;
}

/* JCC groups: what set the flags. */
static unsigned jcc(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op, cond = (op - UOP_JCC_O) & 15;
	int kind = -1;

	if (op >= UOP_JCC_EFLAGS_O)
		kind = CC_EFLAGS;
	else if (op >= UOP_JCC_LOGIC8_O)
		kind = (int)(CC_LOGIC + (op - UOP_JCC_LOGIC8_O) / 16);
	else if (op >= UOP_JCC_SUB8_O)
		kind = (int)(CC_SUB + (op - UOP_JCC_SUB8_O) / 16);
	/* First what is pending goes to memory, if it can be tested there or the test outlives that. */
	if (kind < 0 && !ng_test(g, kind, cond))
		return 0;
	ng_flush(g);
	if (!ng_test(g, kind, cond))
		return 0;
	return branch(g, cond);
}

static unsigned jcc_other_page(struct native_gen *g, const struct uop *u)
{
	uint8_t *straight;

	(void)straight;
	if ((u->flags & UF_AUX) || !ng_test(g, -1, u->src))
		return 0;
	ng_flush(g);
	if (!ng_test(g, -1, u->src))
		return 0;
	straight = emit_jump(&g->e, u->src ^ 1);
	chain(g, g->at, true);
	emit_land(straight, g->e.p);
	g->at++;
	chain(g, g->at, u[1].op == UOP_JMP_X);
	return 2;
}

static void store_flags(struct native_gen *g, unsigned cc, unsigned result, int operand)
{
	struct emitter *e = &g->e;

	emit_rm(e, 0x89 | OP_W, result, H_RDI, CPU_OFF(cc_dst));
	if (operand >= 0)
		emit_rm(e, 0x89 | OP_W, (unsigned)operand, H_RDI, CPU_OFF(cc_src));
	emit_rm(e, 0xc7, 0, H_RDI, CPU_OFF(cc_op));
	emit_32(e, cc);
}

/* A in RAX, B in RCX, zero-extended: their comparison's flags stored, and the host's. */
static void compare(struct native_gen *g, unsigned lg, bool test)
{
	struct emitter *e = &g->e;

	emit_rr(e, ng_op(test ? 0x22 : 0x2a, lg), H_RAX, H_RCX);
	if (lg < 2)
		emit_rr(e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F | OP_B, H_RAX, H_RAX);
	store_flags(g, (test ? CC_LOGIC : CC_SUB) + lg, H_RAX, test ? -1 : H_RCX);
}

static uint64_t cut(uint64_t v, unsigned lg)
{
	return lg == 3 ? v : v & ((1ull << (8u << lg)) - 1);
}

static const uint32_t load_ops[] = {0xb6 | OP_0F, 0xb7 | OP_0F, 0x8b, 0x8b | OP_W};

/* JCMP and JTEST. */
static unsigned compare_and_jump(struct native_gen *g, const struct uop *u)
{
	static const struct {
		uint16_t op;
		bool test, mem;
		enum { B_REG, B_IMM, B_MEM } b;
	} forms[] = {
		{UOP_JTEST_MI8_O, true, true, B_IMM},  {UOP_JTEST_RI8_O, true, false, B_IMM},
		{UOP_JTEST_RR8_O, true, false, B_REG}, {UOP_JCMP_MI8_O, false, true, B_IMM},
		{UOP_JCMP_MR8_O, false, true, B_REG},  {UOP_JCMP_RM8_O, false, false, B_MEM},
		{UOP_JCMP_RI8_O, false, false, B_IMM}, {UOP_JCMP_RR8_O, false, false, B_REG},
	};
	struct emitter *e = &g->e;
	unsigned i = 0, lg, cond;
	int64_t imm;

	while (u->op < forms[i].op)
		i++;
	lg = (u->op - forms[i].op) / 16u;
	cond = (u->op - forms[i].op) & 15;
	imm = forms[i].mem ? (int16_t)(u->dst | u->src << 8) : u->disp;
	if (forms[i].mem || forms[i].b == B_MEM)
		ng_addr(g, u, 1u << lg, false);
	/* What is pending is overwritten without having been seen; but ways out from here on are behind the comparison. */
	g->pend = (struct native_pend){0};
	if (forms[i].b == B_MEM)
		emit_rm(e, load_ops[lg], H_RCX, H_RAX, 0);
	else if (forms[i].b == B_IMM)
		emit_mov_imm(e, H_RCX, cut((uint64_t)imm, lg));
	else
		ng_read(g, H_RCX, u->src, lg);
	if (forms[i].mem)
		emit_rm(e, load_ops[lg], H_RAX, H_RAX, 0);
	else
		ng_read(g, H_RAX, u->dst, lg);
	compare(g, lg, forms[i].test);
	return branch(g, cond);
}

/* CF := RAX's low bit, as cc_replace_cf does it. */
static void replace_cf(struct native_gen *g)
{
	struct emitter *e = &g->e;
	uint8_t *eflags, *done;

	emit_rm(e, 0x8b, H_RCX, H_RDI, CPU_OFF(cc_op));
	emit_rr(e, 0x85, H_RCX, H_RCX);
	eflags = emit_jump(e, COND_Z);
	emit_alu_imm(e, 0, 4, H_RCX, 3);
	emit_alu_imm(e, 0, 1, H_RCX, CC_SZP);
	emit_rm(e, 0x89, H_RCX, H_RDI, CPU_OFF(cc_op));
	emit_rm(e, 0x89 | OP_W, H_RAX, H_RDI, CPU_OFF(cc_src));
	done = emit_jump(e, 16);
	emit_land(eflags, e->p);
	emit_rm(e, 0x8b | OP_W, H_RCX, H_RDI, CPU_OFF(cc_src));
	emit_alu_imm(e, OP_W, 4, H_RCX, ~(int32_t)FL_CF);
	emit_rr(e, 0x0b | OP_W, H_RCX, H_RAX);
	emit_rm(e, 0x89 | OP_W, H_RCX, H_RDI, CPU_OFF(cc_src));
	emit_land(done, e->p);
}

/* RAX := bit N of RAX. */
static void take_bit(struct native_gen *g, unsigned n)
{
	struct emitter *e = &g->e;

	if (n) {
		emit_rr(e, 0xc1 | OP_W, 5, H_RAX);
		emit_8(e, n);
	}
	emit_alu_imm(e, 0, 4, H_RAX, 1);
}

/* The memory operand of BT: LG is its size. */
static void load_bit(struct native_gen *g, const struct uop *u, unsigned lg)
{
	ng_flush(g);
	ng_addr(g, u, 1u << lg, false);
	emit_rm(&g->e, load_ops[lg], H_RAX, H_RAX, 0);
	take_bit(g, u->dst);
	replace_cf(g);
}

static unsigned bit_test_and_jump(struct native_gen *g, const struct uop *u)
{
	bool nb;

	if (u->op >= UOP_JBT_MI16_B) {
		load_bit(g, u, 1 + (u->op - UOP_JBT_MI16_B) / 2u);
		nb = (u->op - UOP_JBT_MI16_B) & 1;
	} else {
		ng_flush(g);
		emit_rr(&g->e, 0x8b | OP_W, H_RAX, ng_get(g, u->dst));
		take_bit(g, u->src);
		replace_cf(g);
		nb = u->op == UOP_JBT_RI_NB;
	}
	ng_clobber(g);
	emit_rr(&g->e, 0x85, H_RAX, H_RAX);
	return branch(g, nb ? COND_Z : COND_NZ);
}

static unsigned bit_test(struct native_gen *g, const struct uop *u)
{
	if (u->op >= UOP_BT_MI16 && u->op <= UOP_BT_MI64) {
		load_bit(g, u, 1 + u->op - UOP_BT_MI16);
	} else if (u->op == UOP_BT_RI32 || u->op == UOP_BT_RI64) {
		ng_flush(g);
		emit_rr(&g->e, 0x8b | OP_W, H_RAX, ng_get(g, u->dst));
		take_bit(g, (unsigned)u->imm);
		replace_cf(g);
	} else {
		return 0;
	}
	ng_clobber(g);
	return 1;
}

/* ---- addresses ---- */

static unsigned address(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;
	unsigned h;

	switch (u->op) {
	case UOP_EA64:
		ng_lin(g, u);
		ng_write(g, R_EA, 3, H_RAX);
		return 1;
	case UOP_EA32:
		ng_lin(g, u);
		ng_write(g, R_EA, 2, H_RAX);
		return 1;
	case UOP_EA_IMM:
		emit_mov_imm(e, ng_def(g, R_EA), u->imm);
		ng_put(g, R_EA);
		return 1;
	case UOP_RIPBASE:
		emit_mov_imm(e, ng_def(g, R_RIPBASE), g->b->rip);
		ng_put(g, R_RIPBASE);
		return 1;
	case UOP_LD_T0_64:
		ng_addr(g, u, 8, false);
		h = ng_def(g, R_T0);
		emit_rm(e, 0x8b | OP_W, h, H_RAX, 0);
		ng_put(g, R_T0);
		return 1;
	default:
		return 0;
	}
}

unsigned native_flow(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op;

	if (op >= UOP_JCC_O && op <= UOP_JCC_EFLAGS_NLE)
		return jcc(g, u);
	if (op >= UOP_JCMP_RR8_O && op <= UOP_JTEST_MI64_NLE)
		return compare_and_jump(g, u);
	if (op >= UOP_JBT_RI_B && op <= UOP_JBT_MI64_NB)
		return bit_test_and_jump(g, u);
	if (op >= UOP_BT_RI16 && op <= UOP_BT_MI64)
		return bit_test(g, u);
	switch (op) {
	case UOP_JMP:
	case UOP_JMP_X:
		if (u->flags & UF_AUX)
			return 0;
		ng_flush(g);
		chain(g, g->at, op == UOP_JMP_X);
		return 1;
	case UOP_JCC_X:
		return jcc_other_page(g, u);
	case UOP_CALL64:
	case UOP_CALL64_X:
		return call_direct(g, u);
	case UOP_CALL_R64:
		return call_indirect(g, u);
	case UOP_JMP_R64:
	case UOP_JMP_M64:
		return jump_indirect(g, u);
	case UOP_RET64:
	case UOP_RET64_IMM:
		return ret(g, u);
	default:
		return address(g, u);
	}
}
