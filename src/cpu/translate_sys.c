/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation of system instructions, far transfers, segment loads and port I/O. What follows from the block's mode is judged
 * here: privilege, and what real and virtual-8086 mode don't have. The rest is the micro-operation's matter.
 */
#include "src/cpu/cpuid.h"
#include "src/cpu/translate_int.h"

static bool in_real_or_v86(const struct xlate *x)
{
	return !(x->mode & MODE_PE) || (x->mode & MODE_VM);
}

static bool is_far(const struct xlate *x)
{
	return x->insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

/* Size of control, debug and base registers. */
static uint8_t wide_size(const struct xlate *x)
{
	return x->mode & MODE_CODE64 ? 8 : 4;
}

/* The micro-operation leaves the block, and finds the next rip in imm. */
static struct uop *ends(struct xlate *x, struct uop *u)
{
	u->imm = x->next_rip;
	x->ended = true;
	return u;
}

/* OP with the register or memory operand O in dst (WRITE) or src, or with UF_MEM; memory of SIZE bytes. */
static struct uop *emit_rm(struct xlate *x, enum uop_op op, const ZydisDecodedOperand *o,
			   unsigned size, bool write)
{
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(o)) {
		m = x_mem(x, o, size, write);
		u = x_emit_mem(x, op, &m);
		u->flags |= UF_MEM;
	} else {
		u = x_emit(x, op);
		if (write)
			u->dst = x_reg(o->reg.value);
		else
			u->src = x_reg(o->reg.value);
	}
	u->size = (uint8_t)x->opsize;
	return u;
}

/* ---- no operands, or none that matter here ---- */

enum {
	NEEDS_CPL0 = BIT(16), /* else #GP(0) */
	NEEDS_64 = BIT(19),   /* #UD outside 64-bit mode */
	NEEDS_TSC = BIT(20),  /* #GP(0) where CR4.TSD forbids */
	ENDS = BIT(21),
};

/* True when the instruction ends here, with *RESULT for the caller to return. */
static bool refused(struct xlate *x, unsigned needs, bool *result)
{
	*result = false;
	if ((needs & NEEDS_64) && !(x->mode & MODE_CODE64))
		return true;
	if (((needs & NEEDS_CPL0) && !(x->mode & MODE_CPL0)) ||
	    ((needs & NEEDS_TSC) && (x->mode & MODE_TSD))) {
		*result = x_gp(x);
		return true;
	}
	return false;
}

static bool x_simple(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;
	bool result;

	if (refused(x, e->arg, &result))
		return result;
	u = x_emit(x, e->arg & 0xffff);
	u->size = (uint8_t)x->opsize;
	if (e->arg & ENDS)
		ends(x, u);
	return true;
}

static bool x_ac(struct xlate *x, const struct xlate_entry *e)
{
	if (!(x->mode & MODE_CPL0))
		return false;
	x_emit(x, UOP_SYS_AC)->imm = e->arg;
	return true;
}

static bool x_rdreg(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;
	bool result;

	if (refused(x, e->arg, &result))
		return result;
	if (!x_is_reg(&x->ops[0]))
		return false;
	u = x_emit(x, e->arg & 0xffff);
	u->dst = x_reg(x->ops[0].reg.value);
	u->size = (uint8_t)x->opsize;
	return true;
}

/* RDFSBASE and the like: arg is the segment. */
static bool x_base(struct xlate *x, const struct xlate_entry *e)
{
	bool write = e->arg & 0x100;
	uint8_t r = x_reg(x->ops[0].reg.value), seg = e->arg & 0xff;
	struct uop *u;

	if (!(x->mode & MODE_CODE64))
		return false;
	u = x_emit(x, write ? UOP_SYS_BASE_WRITE : UOP_SYS_BASE_READ);
	u->dst = write ? seg : r;
	u->src = write ? r : seg;
	u->size = (uint8_t)x->opsize;
	return true;
}

/* ---- MOV of control, debug and segment registers ---- */

static bool x_mov_cr(struct xlate *x, unsigned cr, uint8_t gpr, bool write)
{
	struct uop *u;

	if (cr != 0 && cr != 2 && cr != 3 && cr != 4 && cr != 8)
		return false;
	if (!(x->mode & MODE_CPL0))
		return x_gp(x);
	u = x_emit(x, write ? UOP_SYS_CR_WRITE : UOP_SYS_CR_READ);
	u->dst = write ? (uint8_t)cr : gpr;
	u->src = write ? gpr : (uint8_t)cr;
	u->size = wide_size(x);
	if (write)
		ends(x, u);
	return true;
}

static bool x_mov_dr(struct xlate *x, unsigned dr, uint8_t gpr, bool write)
{
	struct uop *u;

	if (dr > 7)
		return false;
	if (!(x->mode & MODE_CPL0))
		return x_gp(x);
	u = x_emit(x, write ? UOP_SYS_DR_WRITE : UOP_SYS_DR_READ);
	u->dst = write ? (uint8_t)dr : gpr;
	u->src = write ? gpr : (uint8_t)dr;
	u->size = wide_size(x);
	if (write)
		ends(x, u);
	return true;
}

static bool x_mov_from_sreg(struct xlate *x, int seg)
{
	struct uop *u = emit_rm(x, UOP_SYS_SREG_READ, &x->ops[0], 2, true);

	u->src = (uint8_t)seg;
	return true;
}

static bool x_mov_to_sreg(struct xlate *x, int seg)
{
	bool goes_on = (x->mode & MODE_CODE64) && seg != S_SS;
	struct uop *u;

	if (seg == S_CS)
		return false;
	u = emit_rm(x, goes_on ? UOP_SYS_SREG_WRITE64 : UOP_SYS_SREG_WRITE, &x->ops[1], 2, false);
	u->dst = (uint8_t)seg;
	if (!goes_on)
		ends(x, u);
	return true;
}

static ZydisRegisterClass reg_class(const ZydisDecodedOperand *o)
{
	return x_is_reg(o) ? ZydisRegisterGetClass(o->reg.value) : ZYDIS_REGCLASS_INVALID;
}

static bool x_mov(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *to = &x->ops[0], *from = &x->ops[1];

	if (reg_class(to) == ZYDIS_REGCLASS_CONTROL)
		return x_mov_cr(x, x_vec(to->reg.value), x_reg(from->reg.value), true);
	if (reg_class(from) == ZYDIS_REGCLASS_CONTROL)
		return x_mov_cr(x, x_vec(from->reg.value), x_reg(to->reg.value), false);
	if (reg_class(to) == ZYDIS_REGCLASS_DEBUG)
		return x_mov_dr(x, x_vec(to->reg.value), x_reg(from->reg.value), true);
	if (reg_class(from) == ZYDIS_REGCLASS_DEBUG)
		return x_mov_dr(x, x_vec(from->reg.value), x_reg(to->reg.value), false);
	if (reg_class(to) == ZYDIS_REGCLASS_SEGMENT)
		return x_mov_to_sreg(x, x_seg(to->reg.value));
	if (reg_class(from) == ZYDIS_REGCLASS_SEGMENT)
		return x_mov_from_sreg(x, x_seg(from->reg.value));
	return false;
}

static bool x_pop(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (reg_class(&x->ops[0]) != ZYDIS_REGCLASS_SEGMENT)
		return false;
	u = ends(x, x_emit(x, UOP_SYS_SREG_POP));
	u->dst = (uint8_t)x_seg(x->ops[0].reg.value);
	u->size = (uint8_t)x->opsize;
	return true;
}

/* LDS, LES, LFS, LGS, LSS: arg is the segment. */
static bool x_load_far(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m;
	struct uop *u;

	if (!x_is_mem(&x->ops[1]))
		return false;
	m = x_mem(x, &x->ops[1], 2 + x->opsize, false);
	u = ends(x, x_emit_mem(x, UOP_SYS_LOAD_FAR, &m));
	u->dst = x_reg(x->ops[0].reg.value);
	u->src = (uint8_t)e->arg;
	u->size = (uint8_t)x->opsize;
	return true;
}

/* ---- descriptor tables, machine status word ---- */

/* arg: 0 GDT, 1 IDT */
static bool x_sgdt(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m;
	struct uop *u;

	m = x_mem(x, &x->ops[0], 2u + wide_size(x), true);
	u = x_emit_mem(x, UOP_SYS_SGDT, &m);
	u->dst = (uint8_t)e->arg;
	u->size = wide_size(x);
	return true;
}

static bool x_lgdt(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m;
	struct uop *u;

	if (!(x->mode & MODE_CPL0))
		return x_gp(x);
	m = x_mem(x, &x->ops[0], 2u + wide_size(x), false);
	u = x_emit_mem(x, UOP_SYS_LGDT, &m);
	u->dst = (uint8_t)e->arg;
	u->size = wide_size(x);
	if (x->opsize == 2)
		u->flags |= UF_AUX;
	return true;
}

/* SLDT, STR: arg 0 LDTR, 1 TR */
static bool x_sldt(struct xlate *x, const struct xlate_entry *e)
{
	if (in_real_or_v86(x))
		return false;
	emit_rm(x, UOP_SYS_SLDT, &x->ops[0], 2, true)->src = (uint8_t)e->arg;
	return true;
}

static bool x_lldt(struct xlate *x, const struct xlate_entry *e)
{
	if (in_real_or_v86(x))
		return false;
	if (!(x->mode & MODE_CPL0))
		return x_gp(x);
	emit_rm(x, UOP_SYS_LLDT, &x->ops[0], 2, false)->dst = (uint8_t)e->arg;
	return true;
}

static bool x_smsw(struct xlate *x, const struct xlate_entry *e)
{
	emit_rm(x, UOP_SYS_SMSW, &x->ops[0], 2, true);
	return true;
}

static bool x_lmsw(struct xlate *x, const struct xlate_entry *e)
{
	if (!(x->mode & MODE_CPL0))
		return x_gp(x);
	ends(x, emit_rm(x, UOP_SYS_LMSW, &x->ops[0], 2, false));
	return true;
}

static bool x_invlpg(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m;

	if (!(x->mode & MODE_CPL0))
		return x_gp(x);
	m = x_mem(x, &x->ops[0], 0, false);
	ends(x, x_emit_mem(x, UOP_SYS_INVLPG, &m));
	return true;
}

/* ---- LAR, LSL, VERR, VERW, ARPL ---- */

static bool x_lar(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (in_real_or_v86(x))
		return false;
	u = emit_rm(x, UOP_SYS_LAR, &x->ops[1], 2, false);
	u->dst = x_reg(x->ops[0].reg.value);
	u->flags |= (uint8_t)e->arg;
	return true;
}

static bool x_verr(struct xlate *x, const struct xlate_entry *e)
{
	if (in_real_or_v86(x))
		return false;
	emit_rm(x, UOP_SYS_VERR, &x->ops[0], 2, false)->flags |= (uint8_t)e->arg;
	return true;
}

static bool x_arpl(struct xlate *x, const struct xlate_entry *e)
{
	if (in_real_or_v86(x))
		return false;
	emit_rm(x, UOP_SYS_ARPL, &x->ops[0], 2, true)->src = x_reg(x->ops[1].reg.value);
	return true;
}

/* ---- far transfers and software interrupts ---- */

/* arg: the form with a pointer in the instruction; the one with it in memory follows it. */
static bool x_far(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *o = &x->ops[0];
	struct mem_ref m;
	struct uop *u;

	if (!is_far(x))
		return false;
	if (o->type == ZYDIS_OPERAND_TYPE_POINTER) {
		u = x_emit(x, e->arg);
		u->imm = (uint64_t)o->ptr.segment << 32 | o->ptr.offset;
	} else {
		m = x_mem(x, o, 2 + x->opsize, false);
		u = x_emit_mem(x, e->arg + 1, &m);
	}
	u->size = (uint8_t)x->opsize;
	x->ended = true;
	return true;
}

static bool x_ret_far(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u;

	if (!is_far(x))
		return false;
	u = x_emit(x, UOP_SYS_RET_FAR);
	u->size = (uint8_t)x->opsize;
	if (x->insn->operand_count_visible && x_is_imm(&x->ops[0]))
		u->imm = x_imm(&x->ops[0], 2);
	x->ended = true;
	return true;
}

static bool x_iret(struct xlate *x, const struct xlate_entry *e)
{
	x_emit(x, UOP_SYS_IRET)->size = (uint8_t)e->arg;
	x->ended = true;
	return true;
}

/* arg: the vector; none: the immediate; with UF_AUX << 8: INT1 */
#define INT_IMM 0x1000u
static bool x_int(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u = ends(x, x_emit(x, UOP_SYS_INT));

	u->dst = e->arg & INT_IMM ? (uint8_t)x->ops[0].imm.value.u : (uint8_t)e->arg;
	u->flags |= (uint8_t)(e->arg >> 16);
	return true;
}

/* ---- ports ---- */

static bool x_in(struct xlate *x, const struct xlate_entry *e)
{
	bool out = e->arg == UOP_SYS_OUT;
	const ZydisDecodedOperand *port = &x->ops[out ? 0 : 1], *data = &x->ops[out ? 1 : 0];
	struct uop *u = ends(x, x_emit(x, e->arg));

	u->size = (uint8_t)(data->size / 8);
	if (x_is_imm(port))
		u->src = (uint8_t)port->imm.value.u;
	else
		u->flags |= UF_AUX;
	return true;
}

/* arg: element size, | 0x100 for OUTS */
static bool x_ins(struct xlate *x, const struct xlate_entry *e)
{
	bool out = e->arg & 0x100;
	struct uop *u = ends(x, x_emit(x, out ? UOP_SYS_OUTS : UOP_SYS_INS));

	u->size = (uint8_t)e->arg;
	u->flags |= x_flags(x);
	u->src = (uint8_t)xi_data_segment(x);
	return true;
}

/* ---- the table ---- */

#define S(name, op, needs, feature)                                      \
	{                                                                \
		ZYDIS_MNEMONIC_##name, x_simple, (op) | (needs), feature \
	}

const struct xlate_entry xlate_sys_table[] = {
	{ZYDIS_MNEMONIC_MOV, x_mov, 0, 0},
	{ZYDIS_MNEMONIC_POP, x_pop, 0, 0},
	{ZYDIS_MNEMONIC_LDS, x_load_far, S_DS, 0},
	{ZYDIS_MNEMONIC_LES, x_load_far, S_ES, 0},
	{ZYDIS_MNEMONIC_LFS, x_load_far, S_FS, 0},
	{ZYDIS_MNEMONIC_LGS, x_load_far, S_GS, 0},
	{ZYDIS_MNEMONIC_LSS, x_load_far, S_SS, 0},

	S(CLTS, UOP_SYS_CLTS, NEEDS_CPL0 | ENDS, 0),
	S(INVD, UOP_SYS_NOTHING, NEEDS_CPL0, 0),
	S(WBINVD, UOP_SYS_NOTHING, NEEDS_CPL0, 0),
	S(HLT, UOP_SYS_HLT, NEEDS_CPL0 | ENDS, 0),
	S(CLI, UOP_SYS_CLI, 0, 0),
	S(STI, UOP_SYS_STI, ENDS, 0),
	S(SWAPGS, UOP_SYS_SWAPGS, NEEDS_64 | NEEDS_CPL0, 0),
	S(CPUID, UOP_SYS_CPUID, 0, 0),
	S(RDTSC, UOP_SYS_RDTSC, NEEDS_TSC, FEAT_TSC),
	S(RDTSCP, UOP_SYS_RDTSCP, NEEDS_TSC, FEAT_RDTSCP),
	S(RDPMC, UOP_SYS_RDPMC, 0, 0),
	S(XGETBV, UOP_SYS_XGETBV, 0, FEAT_XSAVE),
	S(XSETBV, UOP_SYS_XSETBV, ENDS, FEAT_XSAVE),
	S(RDMSR, UOP_SYS_RDMSR, NEEDS_CPL0, FEAT_MSR),
	S(WRMSR, UOP_SYS_WRMSR, NEEDS_CPL0 | ENDS, FEAT_MSR),
	S(SYSCALL, UOP_SYS_SYSCALL, ENDS, FEAT_SYSCALL),
	S(SYSRET, UOP_SYS_SYSRET, ENDS, FEAT_SYSCALL),
	S(SYSENTER, UOP_SYS_SYSENTER, ENDS, FEAT_SEP),
	S(SYSEXIT, UOP_SYS_SYSEXIT, ENDS, FEAT_SEP),
	{ZYDIS_MNEMONIC_STAC, x_ac, 1, FEAT_SMAP},
	{ZYDIS_MNEMONIC_CLAC, x_ac, 0, FEAT_SMAP},
	{ZYDIS_MNEMONIC_RDRAND, x_rdreg, UOP_SYS_RDRAND, FEAT_RDRAND},
	{ZYDIS_MNEMONIC_RDSEED, x_rdreg, UOP_SYS_RDRAND, FEAT_RDSEED},
	{ZYDIS_MNEMONIC_RDPID, x_rdreg, UOP_SYS_RDPID, FEAT_RDPID},
	{ZYDIS_MNEMONIC_RDFSBASE, x_base, S_FS, FEAT_FSGSBASE},
	{ZYDIS_MNEMONIC_RDGSBASE, x_base, S_GS, FEAT_FSGSBASE},
	{ZYDIS_MNEMONIC_WRFSBASE, x_base, S_FS | 0x100, FEAT_FSGSBASE},
	{ZYDIS_MNEMONIC_WRGSBASE, x_base, S_GS | 0x100, FEAT_FSGSBASE},

	{ZYDIS_MNEMONIC_SGDT, x_sgdt, 0, 0},
	{ZYDIS_MNEMONIC_SIDT, x_sgdt, 1, 0},
	{ZYDIS_MNEMONIC_LGDT, x_lgdt, 0, 0},
	{ZYDIS_MNEMONIC_LIDT, x_lgdt, 1, 0},
	{ZYDIS_MNEMONIC_SLDT, x_sldt, 0, 0},
	{ZYDIS_MNEMONIC_STR, x_sldt, 1, 0},
	{ZYDIS_MNEMONIC_LLDT, x_lldt, 0, 0},
	{ZYDIS_MNEMONIC_LTR, x_lldt, 1, 0},
	{ZYDIS_MNEMONIC_SMSW, x_smsw, 0, 0},
	{ZYDIS_MNEMONIC_LMSW, x_lmsw, 0, 0},
	{ZYDIS_MNEMONIC_INVLPG, x_invlpg, 0, 0},

	{ZYDIS_MNEMONIC_LAR, x_lar, 0, 0},
	{ZYDIS_MNEMONIC_LSL, x_lar, UF_AUX, 0},
	{ZYDIS_MNEMONIC_VERR, x_verr, 0, 0},
	{ZYDIS_MNEMONIC_VERW, x_verr, UF_AUX, 0},
	{ZYDIS_MNEMONIC_ARPL, x_arpl, 0, 0},

	{ZYDIS_MNEMONIC_JMP, x_far, UOP_SYS_JMP_FAR, 0},
	{ZYDIS_MNEMONIC_CALL, x_far, UOP_SYS_CALL_FAR, 0},
	{ZYDIS_MNEMONIC_RET, x_ret_far, 0, 0},
	{ZYDIS_MNEMONIC_IRET, x_iret, 2, 0},
	{ZYDIS_MNEMONIC_IRETD, x_iret, 4, 0},
	{ZYDIS_MNEMONIC_IRETQ, x_iret, 8, 0},
	{ZYDIS_MNEMONIC_INT, x_int, INT_IMM, 0},
	{ZYDIS_MNEMONIC_INT3, x_int, EXC_BP, 0},
	{ZYDIS_MNEMONIC_INT1, x_int, EXC_DB | UF_AUX << 16, 0},
	S(INTO, UOP_SYS_INTO, ENDS, 0),

	{ZYDIS_MNEMONIC_IN, x_in, UOP_SYS_IN, 0},
	{ZYDIS_MNEMONIC_OUT, x_in, UOP_SYS_OUT, 0},
	{ZYDIS_MNEMONIC_INSB, x_ins, 1, 0},
	{ZYDIS_MNEMONIC_INSW, x_ins, 2, 0},
	{ZYDIS_MNEMONIC_INSD, x_ins, 4, 0},
	{ZYDIS_MNEMONIC_OUTSB, x_ins, 1 | 0x100, 0},
	{ZYDIS_MNEMONIC_OUTSW, x_ins, 2 | 0x100, 0},
	{ZYDIS_MNEMONIC_OUTSD, x_ins, 4 | 0x100, 0},
	{0, NULL, 0, 0},
};
