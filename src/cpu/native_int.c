/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer micro-operations (ops_int.h) to host code. */
#include "src/cpu/native_gen.h"

/* Micro-operations that come as sizes 8 to 64: whether OP is of the N sets of four from FIRST on. */
static bool in(unsigned op, unsigned first, unsigned n)
{
	return op >= first && op < first + 4 * n;
}

static unsigned size_of(unsigned op, unsigned first)
{
	return (op - first) & 3;
}

/* ---- moves ---- */

static void load(struct native_gen *g, const struct uop *u, unsigned lg)
{
	if (lg >= 2) {
		emit_rm(&g->e, 0x8b | (lg == 3 ? OP_W : 0), ng_def(g, u->dst), H_RAX, 0);
		ng_put(g, u->dst);
		return;
	}
	emit_rm(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F, H_RCX, H_RAX, 0);
	ng_write(g, u->dst, lg, H_RCX);
}

static void store_imm(struct native_gen *g, uint64_t imm, unsigned lg)
{
	struct emitter *e = &g->e;

	if (lg == 3 && (int64_t)imm != (int32_t)imm) {
		emit_mov_imm(e, H_RCX, imm);
		emit_rm(e, 0x89 | OP_W, H_RCX, H_RAX, 0);
		return;
	}
	emit_rm(e, ng_op(0xc6, lg), 0, H_RAX, 0);
	if (lg == 0)
		emit_8(e, (uint8_t)imm);
	else if (lg == 1)
		stn_le(e->p, 2, imm), e->p += 2;
	else
		emit_32(e, (uint32_t)imm);
}

static unsigned move(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op, lg = size_of(op, UOP_MOV_RR8);

	if (in(op, UOP_MOV_RR8, 1)) {
		if (lg >= 2) {
			unsigned s = ng_get(g, u->src);

			emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), ng_def(g, u->dst), s);
			ng_put(g, u->dst);
		} else {
			ng_read(g, H_RAX, u->src, lg);
			ng_write(g, u->dst, lg, H_RAX);
		}
	} else if (in(op, UOP_MOV_RI8, 1)) {
		uint64_t imm = lg == 2 ? (uint32_t)u->imm : u->imm;

		if (lg >= 2) {
			emit_mov_imm(&g->e, ng_def(g, u->dst), imm);
			ng_put(g, u->dst);
		} else {
			emit_mov_imm(&g->e, H_RAX, imm & 0xffff);
			ng_write(g, u->dst, lg, H_RAX);
		}
	} else if (in(op, UOP_MOV_RM8, 2)) {
		ng_addr(g, u, 1u << lg, false);
		load(g, u, lg);
	} else if (in(op, UOP_LDW_RM8, 2)) {
		lg = size_of(op, UOP_LDW_RM8);
		ng_addr(g, u, 1u << lg, true);
		load(g, u, lg);
	} else if (in(op, UOP_MOV_MR8, 2)) {
		ng_addr(g, u, 1u << lg, true);
		if (lg >= 2) {
			emit_rm(&g->e, ng_op(0x88, lg), ng_get(g, u->src), H_RAX, 0);
		} else {
			ng_read(g, H_RCX, u->src, lg);
			emit_rm(&g->e, ng_op(0x88, lg), H_RCX, H_RAX, 0);
		}
	} else if (in(op, UOP_MOV_MI8, 2)) {
		ng_addr(g, u, 1u << lg, true);
		store_imm(g, u->imm, lg);
	} else {
		return 0;
	}
	return 1;
}

/* MOVZX, MOVSX: opcode, and sizes. */
static const struct extension {
	uint16_t op; /* NAME_R; NAME_M, NAME_MX follow */
	uint8_t to, from;
	uint32_t code;
} extensions[] = {
	{UOP_MOVZX16_8_R, 1, 0, 0xb6 | OP_0F},	{UOP_MOVZX32_8_R, 2, 0, 0xb6 | OP_0F},
	{UOP_MOVZX32_16_R, 2, 1, 0xb7 | OP_0F}, {UOP_MOVSX16_8_R, 1, 0, 0xbe | OP_0F},
	{UOP_MOVSX32_8_R, 2, 0, 0xbe | OP_0F},	{UOP_MOVSX32_16_R, 2, 1, 0xbf | OP_0F},
	{UOP_MOVSX64_8_R, 3, 0, 0xbe | OP_0F},	{UOP_MOVSX64_16_R, 3, 1, 0xbf | OP_0F},
	{UOP_MOVSX64_32_R, 3, 2, 0x63},
};

static unsigned extend(struct native_gen *g, const struct uop *u)
{
	const struct extension *x = extensions;
	uint32_t code;

	while (u->op < x->op || u->op > x->op + 2)
		if (++x == extensions + ARRAY_SIZE(extensions))
			return 0;
	code = x->code | (x->to == 3 ? OP_W : 0);
	if (u->op == x->op) {
		ng_read(g, H_RAX, u->src, x->from);
		emit_rr(&g->e, code, H_RCX, H_RAX);
	} else {
		ng_addr(g, u, 1u << x->from, false);
		emit_rm(&g->e, code, H_RCX, H_RAX, 0);
	}
	ng_write(g, u->dst, x->to, H_RCX);
	return 1;
}

static unsigned lea(struct native_gen *g, const struct uop *u)
{
	unsigned lg = 1 + (u->op - UOP_LEA16) % 3;

	ng_lin(g, u);
	ng_write(g, u->dst, lg, H_RAX);
	return 1;
}

static unsigned zero(struct native_gen *g, const struct uop *u)
{
	unsigned lg = 1 + u->op - UOP_ZERO16;

	emit_mov_imm(&g->e, H_RAX, 0);
	ng_write(g, u->dst, lg, H_RAX);
	ng_flags(g, CC_LOGIC + lg, ng_imm(0), (struct native_loc){0}, false);
	return 1;
}

/* CWD, CDQ, CQO. */
static unsigned sign_to_rdx(struct native_gen *g, const struct uop *u)
{
	unsigned lg = 1 + u->op - UOP_CWD16;

	if (lg == 1)
		return 0;
	ng_read(g, H_RAX, R_RAX, lg);
	ng_clobber(g);
	emit_rr(&g->e, 0xc1 | (lg == 3 ? OP_W : 0), 7, H_RAX);
	emit_8(&g->e, lg == 3 ? 63 : 31);
	ng_write(g, R_RDX, lg, H_RAX);
	return 1;
}

static unsigned bswap(struct native_gen *g, const struct uop *u)
{
	unsigned lg = 1 + u->op - UOP_BSWAP16;

	if (lg == 1)
		return 0;
	ng_read(g, H_RAX, u->dst, lg);
	emit_opcode(&g->e, 0xc8 | OP_0F | (lg == 3 ? OP_W : 0), 0, 0, H_RAX, false);
	ng_write(g, u->dst, lg, H_RAX);
	return 1;
}

static unsigned exchange(struct native_gen *g, const struct uop *u)
{
	unsigned lg = size_of(u->op, UOP_XCHG_RR8);

	ng_read(g, H_RAX, u->dst, lg);
	ng_read(g, H_RCX, u->src, lg);
	ng_write(g, u->dst, lg, H_RCX);
	ng_write(g, u->src, lg, H_RAX);
	return 1;
}

/* ---- arithmetic and logic ---- */

/* In the order of group 1, which is that of the opcodes. */
static const uint8_t alu_cc[8] = {CC_ADD,   CC_LOGIC, CC_ADC,	CC_SBB,
				  CC_LOGIC, CC_SUB,   CC_LOGIC, CC_SUB};

enum { ALU_ADC = 2, ALU_SBB = 3, ALU_AND = 4, ALU_SUB = 5, ALU_CMP = 7 };

/* The host's CF := R_CARRY. */
static void take_carry(struct native_gen *g)
{
	emit_rr(&g->e, 0xba | OP_0F, 4, ng_get(g, R_CARRY));
	emit_8(&g->e, 0);
}

static void pend_alu(struct native_gen *g, unsigned nth, unsigned lg, struct native_loc r,
		     struct native_loc operand)
{
	if (alu_cc[nth] == CC_LOGIC)
		operand.kind = LOC_NONE;
	ng_flags(g, alu_cc[nth] + lg, r, operand, true);
	if (nth == ALU_ADC || nth == ALU_SBB)
		g->pend.src2 = ng_reg((unsigned)g->host_of[R_CARRY], 3);
}

/* REG := REG op B. The immediate is cut to the size. */
static void alu_op(struct native_gen *g, unsigned nth, unsigned lg, unsigned reg,
		   const struct native_loc *b)
{
	if (nth == ALU_ADC || nth == ALU_SBB)
		take_carry(g);
	if (b->kind == LOC_REG)
		emit_rr(&g->e, ng_op((nth << 3) + 2, lg), reg, b->reg);
	else
		emit_alu_imm(&g->e, lg == 3 ? OP_W : 0, nth, reg, (int32_t)b->imm);
}

/* Operands of 8 and 16 bits: A in RAX, B in RCX; the result where STORE says, and the flags. */
static void alu_small(struct native_gen *g, unsigned nth, unsigned lg, int slot)
{
	unsigned r = ng_alloc(g), s = ng_alloc(g);

	if (nth == ALU_ADC || nth == ALU_SBB)
		take_carry(g);
	/* CMP wants the difference for the flags. */
	emit_rr(&g->e, ng_op((nth == ALU_CMP ? ALU_SUB : nth) << 3, lg), H_RCX, H_RAX);
	emit_rr(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F | OP_B, r, H_RAX);
	emit_rr(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F | OP_B, s, H_RCX);
	if (slot >= 0 && nth != ALU_CMP)
		ng_write(g, (unsigned)slot, lg, H_RAX);
	pend_alu(g, nth, lg, ng_reg(r, 3), ng_reg(s, 3));
}

/* An immediate operand of 32 or 64 bits as it goes into an instruction: cut to the size, which flags want. */
static struct native_loc imm_operand(struct native_gen *g, const struct uop *u, unsigned lg)
{
	unsigned h;

	if (lg == 2)
		return ng_imm((uint32_t)u->imm);
	if ((int64_t)u->imm == (int32_t)u->imm)
		return ng_imm(u->imm);
	h = ng_alloc(g);
	emit_mov_imm(&g->e, h, u->imm);
	return ng_reg(h, 3);
}

/* NAME_RR, NAME_RI of 32 and 64 bits; the destination is a register. */
static void alu_regs(struct native_gen *g, unsigned nth, unsigned lg, unsigned slot,
		     struct native_loc b)
{
	unsigned d;

	if (nth == ALU_CMP) {
		unsigned a = ng_get(g, slot);

		d = ng_alloc(g);
		emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), d, a);
		alu_op(g, ALU_SUB, lg, d, &b);
	} else {
		d = ng_mod(g, slot);
		if (b.kind == LOC_REG && b.reg == d && alu_cc[nth] != CC_LOGIC) {
			b.reg = ng_alloc(g);
			emit_rr(&g->e, 0x8b | OP_W, b.reg, d);
		}
		alu_op(g, nth, lg, d, &b);
		ng_put(g, slot);
	}
	pend_alu(g, nth, lg, ng_reg(d, 3), b);
}

static unsigned alu_memory(struct native_gen *g, const struct uop *u, unsigned nth, unsigned lg,
			   bool imm)
{
	bool cmp = nth == ALU_CMP;
	struct native_loc b;
	unsigned m;

	ng_addr(g, u, 1u << lg, !cmp);
	if (lg < 2) {
		/* The address moves over: RAX and RCX are the operands. */
		emit_rr(&g->e, 0x8b | OP_W, H_RDX, H_RAX);
		if (imm)
			emit_mov_imm(&g->e, H_RCX, u->imm & (lg ? 0xffff : 0xff));
		else
			ng_read(g, H_RCX, u->src, lg);
		emit_rm(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F, H_RAX, H_RDX, 0);
		alu_small(g, nth, lg, -1);
		if (!cmp)
			emit_rm(&g->e, ng_op(0x88, lg), H_RAX, H_RDX, 0);
		return 1;
	}
	b = imm ? imm_operand(g, u, lg) : ng_reg(ng_get(g, u->src), lg);
	m = ng_alloc(g);
	emit_rm(&g->e, 0x8b | (lg == 3 ? OP_W : 0), m, H_RAX, 0);
	alu_op(g, cmp ? ALU_SUB : nth, lg, m, &b);
	if (!cmp)
		emit_rm(&g->e, ng_op(0x88, lg), m, H_RAX, 0);
	pend_alu(g, nth, lg, ng_reg(m, 3), b);
	return 1;
}

static unsigned alu(struct native_gen *g, const struct uop *u)
{
	unsigned nth = (u->op - UOP_ADD_RR8) / 32, form = (u->op - UOP_ADD_RR8) % 32 / 4;
	unsigned lg = (u->op - UOP_ADD_RR8) & 3, m;

	if (form >= 4) /* MR, MRX, MI, MIX */
		return alu_memory(g, u, nth, lg, form >= 6);
	if (form >= 2) /* RM, RMX */
		ng_addr(g, u, 1u << lg, false);
	if (lg < 2) {
		if (form >= 2)
			emit_rm(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F, H_RCX, H_RAX, 0);
		else if (form == 1)
			emit_mov_imm(&g->e, H_RCX, u->imm & (lg ? 0xffff : 0xff));
		else
			ng_read(g, H_RCX, u->src, lg);
		ng_read(g, H_RAX, u->dst, lg);
		alu_small(g, nth, lg, u->dst);
		return 1;
	}
	if (form >= 2) {
		m = ng_alloc(g);
		emit_rm(&g->e, 0x8b | (lg == 3 ? OP_W : 0), m, H_RAX, 0);
		alu_regs(g, nth, lg, u->dst, ng_reg(m, 3));
	} else {
		alu_regs(g, nth, lg, u->dst,
			 form ? imm_operand(g, u, lg) : ng_reg(ng_get(g, u->src), lg));
	}
	return 1;
}

static void test_small(struct native_gen *g, unsigned lg)
{
	unsigned r = ng_alloc(g);

	emit_rr(&g->e, ng_op(ALU_AND << 3, lg), H_RCX, H_RAX);
	emit_rr(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F | OP_B, r, H_RAX);
	ng_flags(g, CC_LOGIC + lg, ng_reg(r, 3), (struct native_loc){0}, true);
}

static unsigned test(struct native_gen *g, const struct uop *u)
{
	unsigned form = (u->op - UOP_TEST_RR8) / 4, lg = (u->op - UOP_TEST_RR8) & 3, r;
	bool imm = form == 1 || form >= 4, mem = form >= 2;
	struct native_loc b;

	if (mem)
		ng_addr(g, u, 1u << lg, false);
	if (lg < 2) {
		if (imm)
			emit_mov_imm(&g->e, H_RCX, u->imm & (lg ? 0xffff : 0xff));
		else
			ng_read(g, H_RCX, u->src, lg);
		if (mem)
			emit_rm(&g->e, lg ? 0xb7 | OP_0F : 0xb6 | OP_0F, H_RAX, H_RAX, 0);
		else
			ng_read(g, H_RAX, u->dst, lg);
		test_small(g, lg);
		return 1;
	}
	if (form == 0 && u->dst == u->src) {
		r = ng_get(g, u->dst);
		emit_rr(&g->e, ng_op(0x84, lg), r, r);
		ng_flags(g, CC_LOGIC + lg, ng_reg(r, lg), (struct native_loc){0}, true);
		return 1;
	}
	b = imm ? imm_operand(g, u, lg) : ng_reg(ng_get(g, u->src), lg);
	r = ng_alloc(g);
	if (mem)
		emit_rm(&g->e, 0x8b | (lg == 3 ? OP_W : 0), r, H_RAX, 0);
	else
		emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), r, ng_get(g, u->dst));
	alu_op(g, ALU_AND, lg, r, &b);
	ng_flags(g, CC_LOGIC + lg, ng_reg(r, 3), (struct native_loc){0}, true);
	return 1;
}

/* INC, DEC, behind a CARRY of which it needs nothing: BEHIND is 1 then. */
static unsigned step(struct native_gen *g, const struct uop *u, unsigned behind)
{
	bool dec = u->op >= UOP_DEC_R8;
	unsigned first = dec ? UOP_DEC_R8 : UOP_INC_R8, lg = size_of(u->op, first), h;
	int mod = dec ? MOD_DEC : MOD_INC;

	ng_flags_before_mod(g, mod);
	if (u->op < first + 4) {
		if (lg < 2) {
			h = ng_alloc(g);
			ng_read(g, h, u->dst, lg);
			emit_rr(&g->e, ng_op(0xfe, lg), dec, h);
			ng_write(g, u->dst, lg, h);
			/* Only now: the write leaves the host's flags alone. */
			ng_flags_mod(g, mod, ng_reg(h, lg));
			return 1;
		}
		h = ng_mod(g, u->dst);
		emit_rr(&g->e, ng_op(0xfe, lg), dec, h);
		ng_put(g, u->dst);
		ng_flags_mod(g, mod, (struct native_loc){LOC_REG, h, lg, 0});
		return 1;
	}
	g->at -= behind;
	ng_addr(g, u, 1u << lg, true);
	g->at += behind;
	h = ng_alloc(g);
	emit_rm(&g->e,
		lg == 0	  ? 0xb6 | OP_0F
		: lg == 1 ? 0xb7 | OP_0F
		: lg == 2 ? 0x8b
			  : 0x8b | OP_W,
		h, H_RAX, 0);
	emit_rr(&g->e, ng_op(0xfe, lg), dec, h);
	emit_rm(&g->e, ng_op(0x88, lg), h, H_RAX, 0);
	ng_flags_mod(g, mod, ng_reg(h, lg));
	return 1;
}

static bool is_step(unsigned op)
{
	return op >= UOP_INC_R8 && op <= UOP_DEC_MX64;
}

/* CF into R_CARRY; for INC and DEC not at all. */
static unsigned carry(struct native_gen *g, const struct uop *u)
{
	int kind;

	if (g->at + 1 < g->b->n_uops && u[1].ip == u->ip && is_step(u[1].op)) {
		g->at++;
		step(g, u + 1, 1);
		return 2;
	}
	kind = g->pend.base && g->pend.mod == MOD_NONE && (g->pend.op & ~3u) == CC_SUB
		       ? (int)g->pend.op
		       : -1;
	if (!ng_test(g, kind, COND_B))
		return 0;
	emit_rr(&g->e, 0x92 | OP_0F | OP_B, 0, H_RAX);
	emit_rr(&g->e, 0xb6 | OP_0F | OP_B, ng_def(g, R_CARRY), H_RAX);
	ng_put(g, R_CARRY);
	return 1;
}

static unsigned negate(struct native_gen *g, const struct uop *u)
{
	bool not = u->op >= UOP_NOT_R8;
	unsigned first = not ? UOP_NOT_R8 : UOP_NEG_R8, lg = size_of(u->op, first), h, m;

	if (lg < 2 || u->op >= first + 4)
		return 0;
	if (not ) {
		h = ng_mod(g, u->dst);
		emit_rr(&g->e, ng_op(0xf6, lg), 2, h);
		/* 32 bits: the upper half is cleared by the host as by the guest. */
		ng_put(g, u->dst);
		return 1;
	}
	m = ng_get(g, u->dst);
	h = ng_alloc(g);
	emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), h, m);
	m = ng_mod(g, u->dst);
	emit_rr(&g->e, ng_op(0xf6, lg), 3, m);
	ng_put(g, u->dst);
	ng_flags(g, CC_SUB + lg, ng_reg(m, 3), ng_reg(h, 3), true);
	return 1;
}

/* ---- shifts ---- */

/* By an immediate; 32 and 64 bits. */
static unsigned shift(struct native_gen *g, const struct uop *u)
{
	static const struct {
		uint16_t op;
		uint8_t nth, cc;
	} shifts[] = {
		{UOP_SHL_RI8, 4, CC_SHL}, {UOP_SHR_RI8, 5, CC_SHR}, {UOP_SAR_RI8, 7, CC_SHR},
		{UOP_ROL_RI8, 0, 0},	  {UOP_ROR_RI8, 1, 0},
	};
	unsigned lg = size_of(u->op, UOP_SHL_RI8), i = 0, h, s, n = (unsigned)u->imm;
	uint32_t code = 0xc1 | (lg == 3 ? OP_W : 0);

	while (!in(u->op, shifts[i].op, 1))
		if (++i == ARRAY_SIZE(shifts))
			return 0;
	if (lg < 2)
		return 0;
	if (i >= 3) {
		int mod = i == 3 ? MOD_ROL : MOD_ROR;

		ng_flags_before_mod(g, mod);
		h = ng_mod(g, u->dst);
		emit_rr(&g->e, code, shifts[i].nth, h);
		emit_8(&g->e, n);
		ng_put(g, u->dst);
		ng_flags_mod(g, mod, (struct native_loc){LOC_REG, h, lg, 0});
		return 1;
	}
	/* cc_src is the value one step before, with what 64-bit arithmetic leaves above it cut off. */
	h = ng_get(g, u->dst);
	s = ng_alloc(g);
	emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), s, h);
	h = ng_def(g, u->dst);
	if (n > 1) {
		emit_rr(&g->e, code, shifts[i].nth, s);
		emit_8(&g->e, n - 1);
	}
	emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), h, s);
	emit_rr(&g->e, code, shifts[i].nth, h);
	emit_8(&g->e, 1);
	ng_put(g, u->dst);
	ng_flags(g, shifts[i].cc + lg, ng_reg(h, 3), ng_reg(s, 3), true);
	g->host_cf = false;
	return 1;
}

/* By CL: the flags depend on whether there is anything to do, so they are stored in place. */
static unsigned shift_by_cl(struct native_gen *g, const struct uop *u)
{
	unsigned lg = size_of(u->op, UOP_SHL_RC8), cc = u->op < UOP_SHR_RI8 ? CC_SHL : CC_SHR, h;
	unsigned nth = u->op < UOP_SHR_RI8 ? 4 : u->op < UOP_SAR_RI8 ? 5 : 7;
	uint32_t w = lg == 3 ? OP_W : 0;
	struct emitter *e = &g->e;
	uint8_t *none;

	ng_flush(g);
	ng_clobber(g);
	emit_rr(e, 0x8b, H_RCX, ng_get(g, R_RCX));
	h = ng_mod(g, u->dst);
	if (lg == 2)
		emit_rr(e, 0x8b, h, h);
	emit_alu_imm(e, 0, ALU_AND, H_RCX, lg == 3 ? 63 : 31);
	none = emit_jump(e, COND_Z);
	emit_alu_imm(e, 0, ALU_SUB, H_RCX, 1);
	emit_rr(e, 0xd3 | w, nth, h);
	emit_rm(e, 0x89 | OP_W, h, H_RDI, CPU_OFF(cc_src));
	emit_rr(e, 0xc1 | w, nth, h);
	emit_8(e, 1);
	emit_rm(e, 0x89 | OP_W, h, H_RDI, CPU_OFF(cc_dst));
	emit_rm(e, 0xc7, 0, H_RDI, CPU_OFF(cc_op));
	emit_32(e, cc + lg);
	emit_land(none, e->p);
	ng_put(g, u->dst);
	return 1;
}

/* ---- multiplication ---- */

/* Flags of a product whose low half is in R; the host's OF says whether the high half matters. */
static void mul_flags(struct native_gen *g, unsigned lg, unsigned r)
{
	unsigned o = ng_alloc(g);

	emit_rr(&g->e, 0x90 | OP_0F | OP_B, 0, o);
	emit_rr(&g->e, 0xb6 | OP_0F | OP_B, o, o);
	ng_flags(g, CC_MUL + lg, ng_reg(r, 3), ng_reg(o, 3), false);
}

static unsigned imul(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op, lg = 1 + (op - UOP_IMUL_RR16) % 3, d, s;
	uint32_t w = lg == 3 ? OP_W : 0;

	if (lg < 2)
		return 0;
	if (op >= UOP_IMUL_RM16) {
		ng_addr(g, u, 1u << lg, false);
		d = ng_mod(g, u->dst);
		emit_rm(&g->e, 0xaf | OP_0F | w, d, H_RAX, 0);
	} else if (op >= UOP_IMUL_RRI16) {
		if (lg == 3 && (int64_t)u->imm != (int32_t)u->imm)
			return 0;
		s = ng_get(g, u->src);
		d = ng_def(g, u->dst);
		emit_rr(&g->e, 0x69 | w, d, s);
		emit_32(&g->e, (uint32_t)u->imm);
	} else {
		s = ng_get(g, u->src);
		d = ng_mod(g, u->dst);
		emit_rr(&g->e, 0xaf | OP_0F | w, d, s);
	}
	ng_put(g, u->dst);
	mul_flags(g, lg, d);
	return 1;
}

/* RDX:RAX; 32 and 64 bits. */
static unsigned mul(struct native_gen *g, const struct uop *u)
{
	bool is_signed = u->op >= UOP_IMUL8;
	unsigned lg = size_of(u->op, UOP_MUL8), s, o, r;
	uint32_t w = lg == 3 ? OP_W : 0;

	if (lg < 2)
		return 0;
	s = ng_get(g, u->src);
	ng_read(g, H_RAX, R_RAX, lg);
	emit_rr(&g->e, 0xf7 | w, is_signed ? 5 : 4, s);
	o = ng_alloc(g);
	emit_rr(&g->e, 0x90 | OP_0F | OP_B, 0, o);
	emit_rr(&g->e, 0xb6 | OP_0F | OP_B, o, o);
	ng_write(g, R_RAX, lg, H_RAX);
	r = (unsigned)g->host_of[R_RAX];
	ng_write(g, R_RDX, lg, H_RDX);
	ng_flags(g, CC_MUL + lg, ng_reg(r, 3), ng_reg(o, 3), false);
	return 1;
}

/* ---- conditions ---- */

/* The kind of flags that a micro-operation of UOP_CONDS_BY_CC from FIRST on is for, and its condition. */
static int cond_kind(unsigned op, unsigned first, unsigned *cond)
{
	unsigned group = (op - first) / 16;

	*cond = (op - first) % 16;
	return !group ? -1 : group <= 4 ? (int)(CC_SUB + group - 1) : (int)(CC_LOGIC + group - 5);
}

static unsigned set(struct native_gen *g, const struct uop *u)
{
	unsigned cond;
	int kind = cond_kind(u->op, UOP_SET_O, &cond);

	if (!ng_test(g, kind, cond))
		return 0;
	emit_rr(&g->e, (0x90 + cond) | OP_0F | OP_B, 0, H_RAX);
	ng_write(g, u->dst, 0, H_RAX);
	return 1;
}

static unsigned cmov(struct native_gen *g, const struct uop *u, unsigned lg)
{
	unsigned cond, d, s;
	int kind = cond_kind(u->op, lg == 2 ? UOP_CMOV32_O : UOP_CMOV64_O, &cond);

	if (!ng_test(g, kind, cond))
		return 0;
	s = ng_get(g, u->src);
	d = ng_mod(g, u->dst);
	emit_rr(&g->e, (0x40 + cond) | OP_0F | (lg == 3 ? OP_W : 0), d, s);
	ng_put(g, u->dst);
	return 1;
}

/* ---- stack ---- */

static void move_sp(struct native_gen *g, int bytes)
{
	unsigned sp = ng_mod(g, R_RSP);

	emit_rm(&g->e, 0x8d | OP_W, sp, sp, bytes);
	ng_put(g, R_RSP);
}

/* N registers, in order in the bytes of REGS. */
static void push_regs(struct native_gen *g, uint64_t regs, unsigned n)
{
	emit_rm(&g->e, 0x8d | OP_W, H_RAX, ng_get(g, R_RSP), -8 * (int)n);
	ng_check(g, 8 * n, true, false);
	for (unsigned i = 0; i < n; i++) {
		g->locked = 0;
		emit_rm(&g->e, 0x89 | OP_W, ng_get(g, regs >> 8 * i & 0xff), H_RAX,
			8 * (int)(n - 1 - i));
	}
	g->locked = 0;
	move_sp(g, -8 * (int)n);
}

static void pop_regs(struct native_gen *g, uint64_t regs, unsigned n)
{
	emit_rr(&g->e, 0x8b | OP_W, H_RAX, ng_get(g, R_RSP));
	ng_check(g, 8 * n, false, false);
	move_sp(g, 8 * (int)n);
	for (unsigned i = 0; i < n; i++) {
		unsigned slot = regs >> 8 * i & 0xff;

		g->locked = 0;
		emit_rm(&g->e, 0x8b | OP_W, ng_def(g, slot), H_RAX, 8 * (int)i);
		ng_put(g, slot);
	}
}

static unsigned stack(struct native_gen *g, const struct uop *u)
{
	unsigned n;

	if (u->op == UOP_PUSH_R64) {
		push_regs(g, u->src, 1);
	} else if (u->op >= UOP_PUSH2_R64 && u->op <= UOP_PUSH6_R64) {
		n = 2 + u->op - UOP_PUSH2_R64;
		push_regs(g, u->imm, n);
		return n + 1;
	} else if (u->op == UOP_POP_R64) {
		pop_regs(g, u->dst, 1);
	} else if (u->op >= UOP_POP2_R64 && u->op <= UOP_POP6_R64) {
		n = 2 + u->op - UOP_POP2_R64;
		pop_regs(g, u->imm, n);
		return n + 1;
	} else if (u->op == UOP_PUSH_I64) {
		emit_rm(&g->e, 0x8d | OP_W, H_RAX, ng_get(g, R_RSP), -8);
		ng_check(g, 8, true, false);
		store_imm(g, u->imm, 3);
		move_sp(g, -8);
	} else if (u->op == UOP_LEAVE64) {
		emit_rr(&g->e, 0x8b | OP_W, H_RAX, ng_get(g, R_RBP));
		ng_check(g, 8, false, false);
		emit_rm(&g->e, 0x8d | OP_W, ng_def(g, R_RSP), ng_get(g, R_RBP), 8);
		ng_put(g, R_RSP);
		emit_rm(&g->e, 0x8b | OP_W, ng_def(g, R_RBP), H_RAX, 0);
		ng_put(g, R_RBP);
	} else {
		return 0;
	}
	return 1;
}

unsigned native_int(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op;

	if (op >= UOP_MOV_RR8 && op <= UOP_LDW_RMX64)
		return move(g, u);
	if (op >= UOP_ADD_RR8 && op <= UOP_CMP_MIX64)
		return alu(g, u);
	if (op >= UOP_TEST_RR8 && op <= UOP_TEST_MIX64)
		return test(g, u);
	if (op >= UOP_PUSH_R64 && op <= UOP_LEAVE64)
		return stack(g, u);
	if (op >= UOP_MOVZX16_8_R && op <= UOP_MOVSX64_32_MX)
		return extend(g, u);
	if (op >= UOP_LEA16 && op <= UOP_LEAX64)
		return lea(g, u);
	if (op >= UOP_ZERO16 && op <= UOP_ZERO64)
		return zero(g, u);
	if (op >= UOP_CARRY && op <= UOP_CARRY_SRC2)
		return carry(g, u);
	if (is_step(op))
		return step(g, u, 0);
	if (op >= UOP_NEG_R8 && op <= UOP_NOT_MX64)
		return negate(g, u);
	if (in(op, UOP_SHL_RC8, 1) || in(op, UOP_SHR_RC8, 1) || in(op, UOP_SAR_RC8, 1))
		return size_of(op, UOP_SHL_RC8) < 2 ? 0 : shift_by_cl(g, u);
	if (op >= UOP_SHL_RI8 && op <= UOP_ROR_RC64)
		return shift(g, u);
	if (op >= UOP_SET_O && op <= UOP_SET_LOGIC64_NLE)
		return set(g, u);
	if (op >= UOP_CMOV32_O && op <= UOP_CMOV32_LOGIC64_NLE)
		return cmov(g, u, 2);
	if (op >= UOP_CMOV64_O && op <= UOP_CMOV64_LOGIC64_NLE)
		return cmov(g, u, 3);
	if (op >= UOP_CWD16 && op <= UOP_CWD64)
		return sign_to_rdx(g, u);
	if (op >= UOP_BSWAP16 && op <= UOP_BSWAP64)
		return bswap(g, u);
	if (in(op, UOP_XCHG_RR8, 1))
		return exchange(g, u);
	if (op >= UOP_IMUL_RR16 && op <= UOP_IMUL_RMX64)
		return imul(g, u);
	if (in(op, UOP_MUL8, 2))
		return mul(g, u);
	return 0;
}
