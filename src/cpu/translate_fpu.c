/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of x87 (SDM 1, chapter 8). */
#include "src/cpu/cpuid.h"
#include "src/cpu/fpu_exec.h"
#include "src/cpu/translate_fpu.h"

bool x_fpu_off(struct xlate *x, bool mmx)
{
	struct uop *u;

	if (!(x->mode & MODE_FPU_NM))
		return false;
	u = x_emit(x, UOP_FPU_UNAVAILABLE);
	if (mmx)
		u->flags |= UF_AUX;
	x->ended = true;
	return true;
}

static const ZydisDecodedOperand *x_mem_operand(const struct xlate *x)
{
	for (unsigned i = 0; i < x->insn->operand_count_visible; i++)
		if (x_is_mem(&x->ops[i]))
			return &x->ops[i];
	return NULL;
}

/* Without operands, or none that matter. */
static bool xlate_fpu_plain(struct xlate *x, const struct xlate_entry *e)
{
	if (!x_fpu_off(x, false))
		x_emit(x, e->arg);
	return true;
}

static bool xlate_fwait(struct xlate *x, const struct xlate_entry *e)
{
	x_emit(x, UOP_FWAIT);
	return true;
}

static bool xlate_fpu_word(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *mem = x_mem_operand(x);
	struct mem_ref m;

	if (x_fpu_off(x, false))
		return true;
	if (!mem) {
		x_emit(x, UOP_FNSTSW_AX);
		return true;
	}
	m = x_mem(x, mem, 2, e->arg != UOP_FLDCW);
	x_emit_mem(x, e->arg, &m);
	return true;
}

static bool xlate_fpu_env(struct xlate *x, const struct xlate_entry *e)
{
	bool whole = e->arg == UOP_FNSAVE || e->arg == UOP_FRSTOR;
	bool write = e->arg == UOP_FNSAVE || e->arg == UOP_FNSTENV;
	unsigned opsize = x->opsize == 2 ? 2 : 4;
	struct mem_ref m;
	struct uop *u;

	if (x_fpu_off(x, false))
		return true;
	m = x_mem(x, x_mem_operand(x), 7 * opsize + (whole ? 80 : 0), write);
	u = x_emit_mem(x, e->arg, &m);
	u->size = (uint8_t)opsize;
	if (!(x->mode & MODE_PE) || (x->mode & MODE_VM))
		u->flags |= UF_AUX;
	return true;
}

/* ---- instructions that compute: by opcode and ModRM (SDM 2D, A.5) ---- */

enum { POP = 1u << 0, WRITES = 1u << 1, BCD = 1u << 2 };

struct x87_mem_form {
	uint16_t op;
	uint8_t bytes, how;
};

/* [opcode & 7][reg]; no op: not here (control instructions, or none) */
static const struct x87_mem_form x87_mem_forms[8][8] = {
	{{UOP_FADD_M32, 4, 0},
	 {UOP_FMUL_M32, 4, 0},
	 {UOP_FCOM_M32, 4, 0},
	 {UOP_FCOM_M32, 4, POP},
	 {UOP_FSUB_M32, 4, 0},
	 {UOP_FSUBR_M32, 4, 0},
	 {UOP_FDIV_M32, 4, 0},
	 {UOP_FDIVR_M32, 4, 0}},
	{{UOP_FLD_M32, 4, 0}, {0}, {UOP_FST_M32, 4, WRITES}, {UOP_FST_M32, 4, WRITES | POP}},
	{{UOP_FADD_I32, 4, 0},
	 {UOP_FMUL_I32, 4, 0},
	 {UOP_FCOM_I32, 4, 0},
	 {UOP_FCOM_I32, 4, POP},
	 {UOP_FSUB_I32, 4, 0},
	 {UOP_FSUBR_I32, 4, 0},
	 {UOP_FDIV_I32, 4, 0},
	 {UOP_FDIVR_I32, 4, 0}},
	{{UOP_FILD_32, 4, 0},
	 {UOP_FISTTP_32, 4, WRITES | POP},
	 {UOP_FIST_32, 4, WRITES},
	 {UOP_FIST_32, 4, WRITES | POP},
	 {0},
	 {UOP_FLD_M80, 10, 0},
	 {0},
	 {UOP_FSTP_M80, 10, WRITES}},
	{{UOP_FADD_M64, 8, 0},
	 {UOP_FMUL_M64, 8, 0},
	 {UOP_FCOM_M64, 8, 0},
	 {UOP_FCOM_M64, 8, POP},
	 {UOP_FSUB_M64, 8, 0},
	 {UOP_FSUBR_M64, 8, 0},
	 {UOP_FDIV_M64, 8, 0},
	 {UOP_FDIVR_M64, 8, 0}},
	{{UOP_FLD_M64, 8, 0},
	 {UOP_FISTTP_64, 8, WRITES | POP},
	 {UOP_FST_M64, 8, WRITES},
	 {UOP_FST_M64, 8, WRITES | POP}},
	{{UOP_FADD_I16, 2, 0},
	 {UOP_FMUL_I16, 2, 0},
	 {UOP_FCOM_I16, 2, 0},
	 {UOP_FCOM_I16, 2, POP},
	 {UOP_FSUB_I16, 2, 0},
	 {UOP_FSUBR_I16, 2, 0},
	 {UOP_FDIV_I16, 2, 0},
	 {UOP_FDIVR_I16, 2, 0}},
	{{UOP_FILD_16, 2, 0},
	 {UOP_FISTTP_16, 2, WRITES | POP},
	 {UOP_FIST_16, 2, WRITES},
	 {UOP_FIST_16, 2, WRITES | POP},
	 {UOP_FLD_M80, 10, BCD},
	 {UOP_FILD_64, 8, 0},
	 {UOP_FBSTP, 10, WRITES},
	 {UOP_FIST_64, 8, WRITES | POP}},
};

/* Which of a register form's fields ST(i) is: DST: ST(i) = ST(i) op ST(0); SRC: ST(0) with ST(i); NONE: neither. */
enum { SRC, DST, NONE };

struct x87_reg_form {
	uint16_t op;
	uint8_t sti, pops, size;
};

/* [opcode & 7][reg]: forms with ST(i). The rest is in x87_single. */
static const struct x87_reg_form x87_reg_forms[8][8] = {
	{{UOP_FADD_ST, SRC, 0, 0},
	 {UOP_FMUL_ST, SRC, 0, 0},
	 {UOP_FCOM_ST, SRC, 0, 0},
	 {UOP_FCOM_ST, SRC, 1, 0},
	 {UOP_FSUB_ST, SRC, 0, 0},
	 {UOP_FSUBR_ST, SRC, 0, 0},
	 {UOP_FDIV_ST, SRC, 0, 0},
	 {UOP_FDIVR_ST, SRC, 0, 0}},
	{{UOP_FLD_ST, SRC, 0, 0}, {UOP_FXCH, SRC, 0, 0}, {0}, {UOP_FST_ST, DST, 1, 0}},
	{{UOP_FCMOV, SRC, 0, 2},
	 {UOP_FCMOV, SRC, 0, 4},
	 {UOP_FCMOV, SRC, 0, 6},
	 {UOP_FCMOV, SRC, 0, 10}},
	{{UOP_FCMOV, SRC, 0, 3},
	 {UOP_FCMOV, SRC, 0, 5},
	 {UOP_FCMOV, SRC, 0, 7},
	 {UOP_FCMOV, SRC, 0, 11},
	 {0},
	 {UOP_FUCOMI, SRC, 0, 0},
	 {UOP_FCOMI, SRC, 0, 0}},
	{{UOP_FADD_ST, DST, 0, 0},
	 {UOP_FMUL_ST, DST, 0, 0},
	 {UOP_FCOM_ST, SRC, 0, 0},
	 {UOP_FCOM_ST, SRC, 1, 0},
	 {UOP_FSUBR_ST, DST, 0, 0},
	 {UOP_FSUB_ST, DST, 0, 0},
	 {UOP_FDIVR_ST, DST, 0, 0},
	 {UOP_FDIV_ST, DST, 0, 0}},
	{{UOP_FFREE, DST, 0, 0},
	 {UOP_FXCH, SRC, 0, 0},
	 {UOP_FST_ST, DST, 0, 0},
	 {UOP_FST_ST, DST, 1, 0},
	 {UOP_FUCOM_ST, SRC, 0, 0},
	 {UOP_FUCOM_ST, SRC, 1, 0}},
	{{UOP_FADD_ST, DST, 1, 0},
	 {UOP_FMUL_ST, DST, 1, 0},
	 {UOP_FCOM_ST, SRC, 1, 0},
	 {0},
	 {UOP_FSUBR_ST, DST, 1, 0},
	 {UOP_FSUB_ST, DST, 1, 0},
	 {UOP_FDIVR_ST, DST, 1, 0},
	 {UOP_FDIV_ST, DST, 1, 0}},
	{{UOP_FFREE, DST, 1, 0},
	 {UOP_FXCH, SRC, 0, 0},
	 {UOP_FST_ST, DST, 1, 0},
	 {UOP_FST_ST, DST, 1, 0},
	 {0},
	 {UOP_FUCOMI, SRC, 1, 0},
	 {UOP_FCOMI, SRC, 1, 0}},
};

/* By FOP: instructions whose second byte is one value. */
static const struct {
	uint16_t fop, op;
	uint8_t sti, pops;
} x87_single[] = {
	{0x1d0, UOP_FNOP, 0, 0},    {0x1e0, UOP_FCHS, 0, 0},	 {0x1e1, UOP_FABS, 0, 0},
	{0x1e4, UOP_FTST, 0, 0},    {0x1e5, UOP_FXAM, 0, 0},	 {0x1e8, UOP_FLD1, 0, 0},
	{0x1e9, UOP_FLDL2T, 0, 0},  {0x1ea, UOP_FLDL2E, 0, 0},	 {0x1eb, UOP_FLDPI, 0, 0},
	{0x1ec, UOP_FLDLG2, 0, 0},  {0x1ed, UOP_FLDLN2, 0, 0},	 {0x1ee, UOP_FLDZ, 0, 0},
	{0x1f0, UOP_F2XM1, 0, 0},   {0x1f1, UOP_FYL2X, 0, 0},	 {0x1f2, UOP_FPTAN, 0, 0},
	{0x1f3, UOP_FPATAN, 0, 0},  {0x1f4, UOP_FXTRACT, 0, 0},	 {0x1f5, UOP_FPREM1, 0, 0},
	{0x1f6, UOP_FDECSTP, 0, 0}, {0x1f7, UOP_FINCSTP, 0, 0},	 {0x1f8, UOP_FPREM, 0, 0},
	{0x1f9, UOP_FYL2XP1, 0, 0}, {0x1fa, UOP_FSQRT, 0, 0},	 {0x1fb, UOP_FSINCOS, 0, 0},
	{0x1fc, UOP_FRNDINT, 0, 0}, {0x1fd, UOP_FSCALE, 0, 0},	 {0x1fe, UOP_FSIN, 0, 0},
	{0x1ff, UOP_FCOS, 0, 0},    {0x2e9, UOP_FUCOM_ST, 1, 2}, {0x6d9, UOP_FCOM_ST, 1, 2},
	{0x3e0, UOP_FNOP, 0, 0},    {0x3e1, UOP_FNOP, 0, 0},	 {0x3e4, UOP_FNOP, 0, 0},
};

static bool x87_memory(struct xlate *x, unsigned opcode, unsigned reg, unsigned fop)
{
	const struct x87_mem_form *f = &x87_mem_forms[opcode][reg];
	const ZydisDecodedOperand *mem = x_mem_operand(x);
	struct mem_ref m;
	struct uop *u;

	if (!f->op || !mem)
		return false;
	if (x_fpu_off(x, false))
		return true;
	m = x_mem(x, mem, f->bytes, f->how & WRITES);
	u = x_emit_mem(x, f->op, &m);
	u->size = f->how & POP ? 1 : 0; /* compares count their pops */
	if (f->how & POP)
		u->flags |= UF_AUX;
	if (f->how & BCD)
		u->flags |= UF_REP;
	u->imm = fop | (uint64_t)x_seg(mem->mem.segment) << FPU_IMM_SEG_SHIFT;
	return true;
}

static bool x87_registers(struct xlate *x, unsigned opcode, unsigned reg, unsigned rm, unsigned fop)
{
	struct x87_reg_form f = x87_reg_forms[opcode][reg];
	struct uop *u;

	for (unsigned i = 0; !f.op && i < ARRAY_SIZE(x87_single); i++)
		if (x87_single[i].fop == fop) {
			f = (struct x87_reg_form){x87_single[i].op, NONE, x87_single[i].pops, 0};
			rm = x87_single[i].sti;
		}
	if (!f.op)
		return false;
	if (x_fpu_off(x, false))
		return true;
	u = x_emit(x, f.op);
	if (f.sti == DST)
		u->dst = (uint8_t)rm;
	else
		u->src = (uint8_t)rm;
	u->size = f.op == UOP_FCMOV ? f.size : f.pops;
	if (f.pops)
		u->flags |= UF_AUX;
	if (f.op == UOP_FST_ST && opcode == 1)
		u->flags |= UF_REP;
	u->imm = fop;
	return true;
}

static bool xlate_x87(struct xlate *x, const struct xlate_entry *e)
{
	unsigned opcode = x->insn->opcode & 7, mod = x->insn->raw.modrm.mod;
	unsigned reg = x->insn->raw.modrm.reg & 7, rm = x->insn->raw.modrm.rm & 7;
	unsigned fop = opcode << 8 | mod << 6 | reg << 3 | rm;

	if (mod == 3)
		return x87_registers(x, opcode, reg, rm, fop);
	return x87_memory(x, opcode, reg, fop);
}

#define M(name) ZYDIS_MNEMONIC_##name

const struct xlate_entry xlate_fpu_table[] = {
	{M(FWAIT), xlate_fwait, 0, FEAT_FPU},
	{M(FNINIT), xlate_fpu_plain, UOP_FNINIT, FEAT_FPU},
	{M(FNCLEX), xlate_fpu_plain, UOP_FNCLEX, FEAT_FPU},
	{M(FLDCW), xlate_fpu_word, UOP_FLDCW, FEAT_FPU},
	{M(FNSTCW), xlate_fpu_word, UOP_FNSTCW, FEAT_FPU},
	{M(FNSTSW), xlate_fpu_word, UOP_FNSTSW_M, FEAT_FPU},
	{M(FNSTENV), xlate_fpu_env, UOP_FNSTENV, FEAT_FPU},
	{M(FLDENV), xlate_fpu_env, UOP_FLDENV, FEAT_FPU},
	{M(FNSAVE), xlate_fpu_env, UOP_FNSAVE, FEAT_FPU},
	{M(FRSTOR), xlate_fpu_env, UOP_FRSTOR, FEAT_FPU},
	{M(F2XM1), xlate_x87, 0, FEAT_FPU},
	{M(FABS), xlate_x87, 0, FEAT_FPU},
	{M(FADD), xlate_x87, 0, FEAT_FPU},
	{M(FADDP), xlate_x87, 0, FEAT_FPU},
	{M(FBLD), xlate_x87, 0, FEAT_FPU},
	{M(FBSTP), xlate_x87, 0, FEAT_FPU},
	{M(FCHS), xlate_x87, 0, FEAT_FPU},
	{M(FCOM), xlate_x87, 0, FEAT_FPU},
	{M(FCOMP), xlate_x87, 0, FEAT_FPU},
	{M(FCOMPP), xlate_x87, 0, FEAT_FPU},
	{M(FCOS), xlate_x87, 0, FEAT_FPU},
	{M(FDECSTP), xlate_x87, 0, FEAT_FPU},
	{M(FDISI8087_NOP), xlate_x87, 0, FEAT_FPU},
	{M(FDIV), xlate_x87, 0, FEAT_FPU},
	{M(FDIVP), xlate_x87, 0, FEAT_FPU},
	{M(FDIVR), xlate_x87, 0, FEAT_FPU},
	{M(FDIVRP), xlate_x87, 0, FEAT_FPU},
	{M(FENI8087_NOP), xlate_x87, 0, FEAT_FPU},
	{M(FFREE), xlate_x87, 0, FEAT_FPU},
	{M(FFREEP), xlate_x87, 0, FEAT_FPU},
	{M(FIADD), xlate_x87, 0, FEAT_FPU},
	{M(FICOM), xlate_x87, 0, FEAT_FPU},
	{M(FICOMP), xlate_x87, 0, FEAT_FPU},
	{M(FIDIV), xlate_x87, 0, FEAT_FPU},
	{M(FIDIVR), xlate_x87, 0, FEAT_FPU},
	{M(FILD), xlate_x87, 0, FEAT_FPU},
	{M(FIMUL), xlate_x87, 0, FEAT_FPU},
	{M(FINCSTP), xlate_x87, 0, FEAT_FPU},
	{M(FIST), xlate_x87, 0, FEAT_FPU},
	{M(FISTP), xlate_x87, 0, FEAT_FPU},
	{M(FISUB), xlate_x87, 0, FEAT_FPU},
	{M(FISUBR), xlate_x87, 0, FEAT_FPU},
	{M(FLD), xlate_x87, 0, FEAT_FPU},
	{M(FLD1), xlate_x87, 0, FEAT_FPU},
	{M(FLDL2E), xlate_x87, 0, FEAT_FPU},
	{M(FLDL2T), xlate_x87, 0, FEAT_FPU},
	{M(FLDLG2), xlate_x87, 0, FEAT_FPU},
	{M(FLDLN2), xlate_x87, 0, FEAT_FPU},
	{M(FLDPI), xlate_x87, 0, FEAT_FPU},
	{M(FLDZ), xlate_x87, 0, FEAT_FPU},
	{M(FMUL), xlate_x87, 0, FEAT_FPU},
	{M(FMULP), xlate_x87, 0, FEAT_FPU},
	{M(FNOP), xlate_x87, 0, FEAT_FPU},
	{M(FPATAN), xlate_x87, 0, FEAT_FPU},
	{M(FPREM), xlate_x87, 0, FEAT_FPU},
	{M(FPREM1), xlate_x87, 0, FEAT_FPU},
	{M(FPTAN), xlate_x87, 0, FEAT_FPU},
	{M(FRNDINT), xlate_x87, 0, FEAT_FPU},
	{M(FSCALE), xlate_x87, 0, FEAT_FPU},
	{M(FSETPM287_NOP), xlate_x87, 0, FEAT_FPU},
	{M(FSIN), xlate_x87, 0, FEAT_FPU},
	{M(FSINCOS), xlate_x87, 0, FEAT_FPU},
	{M(FSQRT), xlate_x87, 0, FEAT_FPU},
	{M(FST), xlate_x87, 0, FEAT_FPU},
	{M(FSTP), xlate_x87, 0, FEAT_FPU},
	{M(FSTPNCE), xlate_x87, 0, FEAT_FPU},
	{M(FSUB), xlate_x87, 0, FEAT_FPU},
	{M(FSUBP), xlate_x87, 0, FEAT_FPU},
	{M(FSUBR), xlate_x87, 0, FEAT_FPU},
	{M(FSUBRP), xlate_x87, 0, FEAT_FPU},
	{M(FTST), xlate_x87, 0, FEAT_FPU},
	{M(FUCOM), xlate_x87, 0, FEAT_FPU},
	{M(FUCOMP), xlate_x87, 0, FEAT_FPU},
	{M(FUCOMPP), xlate_x87, 0, FEAT_FPU},
	{M(FXAM), xlate_x87, 0, FEAT_FPU},
	{M(FXCH), xlate_x87, 0, FEAT_FPU},
	{M(FXTRACT), xlate_x87, 0, FEAT_FPU},
	{M(FYL2X), xlate_x87, 0, FEAT_FPU},
	{M(FYL2XP1), xlate_x87, 0, FEAT_FPU},
	{M(FCMOVB), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVBE), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVE), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVNB), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVNBE), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVNE), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVNU), xlate_x87, 0, FEAT_CMOV},
	{M(FCMOVU), xlate_x87, 0, FEAT_CMOV},
	{M(FCOMI), xlate_x87, 0, FEAT_CMOV},
	{M(FCOMIP), xlate_x87, 0, FEAT_CMOV},
	{M(FUCOMI), xlate_x87, 0, FEAT_CMOV},
	{M(FUCOMIP), xlate_x87, 0, FEAT_CMOV},
	{M(FISTTP), xlate_x87, 0, FEAT_SSE3},
	{0},
};
