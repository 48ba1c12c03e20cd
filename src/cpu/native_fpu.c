/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87 micro-operations (ops_fpu.h) to host code: operands are taken from struct cpu, the host's x87 computes, the result goes back.
 *
 * Only under the control word that FNINIT sets, which is the host's too: all exceptions masked, 64 bits of precision. So
 * none can be pending either. A full or an empty register where there should be none is left to the micro-operation's function.
 *
 * The host's exception flags are not cleared each time, which costs more than an addition: they are sticky, and so are the
 * guest's, which have them already (fpu.h).
 */
#include "src/cpu/fpu_exec.h"
#include "src/cpu/native_gen.h"

#define FPU_OFF(field) CPU_OFF(fpu.field)

/* Escape opcodes of the host, as native_emit.h has them. */
enum { D8 = 0xd8, D9, DA, DB, DC, DD, DE, DF };

/* Instructions without memory operand. */
static void x87(struct native_gen *g, unsigned escape, unsigned second)
{
	emit_8(&g->e, escape);
	emit_8(&g->e, second);
}

/* What holds throughout the fragment is looked at once; and few ways out are made with flags to be stored. */
static void begin(struct native_gen *g)
{
	ng_flush(g);
	ng_clobber(g);
	if (!g->fpu_checked) {
		emit_rm(&g->e, 0x81 | OP_66, 7, H_RDI, FPU_OFF(fcw));
		emit_8(&g->e, FCW_DEFAULT & 0xff);
		emit_8(&g->e, FCW_DEFAULT >> 8);
		ng_exit_if(g, COND_NZ);
	}
	g->fpu_checked = true;
}

/* REG := number of the physical register that is ST(I). */
static void physical(struct native_gen *g, unsigned reg, unsigned i)
{
	emit_rm(&g->e, 0x8b, reg, H_RDI, FPU_OFF(top));
	if (!i)
		return;
	emit_rm(&g->e, 0x8d, reg, reg, (int32_t)i);
	emit_alu_imm(&g->e, 0, 4, reg, 7);
}

/* From the number of a physical register in REG to its place behind FPU_OFF(r). */
static void place(struct native_gen *g, unsigned reg)
{
	emit_rr(&g->e, 0xc1, 4, reg);
	emit_8(&g->e, 4);
}

/* FLD and FSTP with the physical register at REG. */
static void load(struct native_gen *g, unsigned reg)
{
	emit_rmx(&g->e, DB, 5, H_RDI, reg, 0, FPU_OFF(r));
}

static void store(struct native_gen *g, unsigned reg)
{
	emit_rmx(&g->e, DB, 7, H_RDI, reg, 0, FPU_OFF(r));
}

/* The tags, for tag() to look at. */
static unsigned tags(struct native_gen *g)
{
	unsigned t = ng_alloc(g);

	emit_rm(&g->e, 0xb6 | OP_0F, t, H_RDI, FPU_OFF(ftw));
	return t;
}

/* Out if physical register REG is EMPTY, or is not. */
static void out_if(struct native_gen *g, unsigned t, unsigned reg, bool empty)
{
	emit_rr(&g->e, 0xa3 | OP_0F, reg, t); /* bt */
	ng_exit_if(g, empty ? COND_NB : COND_B);
}

/* REG := place of ST(I), which is not empty. */
static void operand(struct native_gen *g, unsigned t, unsigned reg, unsigned i)
{
	physical(g, reg, i);
	out_if(g, t, reg, true);
	place(g, reg);
}

/* RCX := number of the physical register that a push fills, RDX: its place. */
static unsigned room(struct native_gen *g)
{
	unsigned t = tags(g);

	physical(g, H_RCX, 7);
	out_if(g, t, H_RCX, false);
	emit_rr(&g->e, 0x8b, H_RDX, H_RCX);
	place(g, H_RDX);
	return t;
}

static void put_tags(struct native_gen *g, unsigned t)
{
	emit_rm(&g->e, 0x88 | OP_B, t, H_RDI, FPU_OFF(ftw));
}

/* After room(): the host's ST(0) is pushed. */
static void push(struct native_gen *g, unsigned t)
{
	store(g, H_RDX);
	emit_rr(&g->e, 0xab | OP_0F, H_RCX, t); /* bts */
	put_tags(g, t);
	emit_rm(&g->e, 0x89, H_RCX, H_RDI, FPU_OFF(top));
}

/* T: the tags. */
static void pop(struct native_gen *g, unsigned t)
{
	emit_rm(&g->e, 0x8b, H_RCX, H_RDI, FPU_OFF(top));
	emit_rr(&g->e, 0xb3 | OP_0F, H_RCX, t); /* btr */
	put_tags(g, t);
	emit_rm(&g->e, 0x8d, H_RCX, H_RCX, 1);
	emit_alu_imm(&g->e, 0, 4, H_RCX, 7);
	emit_rm(&g->e, 0x89, H_RCX, H_RDI, FPU_OFF(top));
}

/* The host's status, in AX: FNSTSW, right behind the operation. */
static void status(struct native_gen *g)
{
	x87(g, DF, 0xe0);
}

/* From there exceptions and the condition codes CC. RDX is lost. */
static void take(struct native_gen *g, unsigned cc)
{
	emit_alu_imm(&g->e, 0, 4, H_RAX, (int32_t)(FSW_EXC | cc));
	emit_rm(&g->e, 0xb7 | OP_0F, H_RDX, H_RDI, FPU_OFF(fsw));
	if (cc)
		emit_alu_imm(&g->e, 0, 4, H_RDX, ~(int32_t)cc);
	emit_rr(&g->e, 0x0b, H_RDX, H_RAX);
	emit_rm(&g->e, 0x89 | OP_66, H_RDX, H_RDI, FPU_OFF(fsw));
}

/* What can't go wrong: C1 := 0. */
static void exact(struct native_gen *g)
{
	emit_rm(&g->e, 0x81 | OP_66, 4, H_RDI, FPU_OFF(fsw));
	emit_8(&g->e, ~FSW_C1 & 0xff);
	emit_8(&g->e, ~FSW_C1 >> 8 & 0xff);
}

/* FIP, FCS, FOP. RAX is lost. */
static void note(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;
	unsigned fop = FPU_IMM_FOP(u->imm);

	emit_mov_imm(e, H_RAX, g->b->rip + u->ip);
	emit_rm(e, 0x89 | OP_W, H_RAX, H_RDI, FPU_OFF(fip));
	emit_rm(e, 0xb7 | OP_0F, H_RAX, H_RDI, CPU_OFF(seg[S_CS].sel));
	emit_rm(e, 0x89 | OP_66, H_RAX, H_RDI, FPU_OFF(fcs));
	emit_rm(e, 0xc7 | OP_66, 0, H_RDI, FPU_OFF(fop));
	emit_8(e, fop & 0xff);
	emit_8(e, fop >> 8);
}

/* FDP and FDS too: LIN holds the linear address. */
static void note_mem(struct native_gen *g, const struct uop *u, unsigned lin)
{
	struct emitter *e = &g->e;
	unsigned seg = FPU_IMM_SEG(u->imm);

	note(g, u);
	emit_rm(e, 0x2b | OP_W, lin, H_RDI, (int32_t)(R_ESBASE + seg) * 8);
	emit_rm(e, 0x89 | OP_W, lin, H_RDI, FPU_OFF(fdp));
	emit_rm(e, 0xb7 | OP_0F, H_RAX, H_RDI,
		CPU_OFF(seg) +
			(int32_t)(seg * sizeof(struct cpu_seg) + offsetof(struct cpu_seg, sel)));
	emit_rm(e, 0x89 | OP_66, H_RAX, H_RDI, FPU_OFF(fds));
}

/* RAX := host address of the operand; the result: where its linear address is kept. */
static unsigned memory(struct native_gen *g, const struct uop *u, unsigned bytes, bool write)
{
	unsigned lin;

	ng_lin(g, u);
	lin = ng_alloc(g);
	emit_rr(&g->e, 0x8b | OP_W, lin, H_RAX);
	ng_check(g, bytes, write, false);
	g->locked |= BIT(lin);
	return lin;
}

/* ---- arithmetic ---- */

/* In the order of ops_fpu.h: FADD FMUL FSUB FSUBR FDIV FDIVR. */
static const struct {
	uint8_t pop; /* DE: ST(1) = ST(1) op ST(0), pop */
	uint8_t nth; /* with memory: ST(0) = ST(0) op m */
} ariths[] = {{0xc1, 0}, {0xc9, 1}, {0xe9, 4}, {0xe1, 5}, {0xf9, 6}, {0xf1, 7}};

/* m32, m64, i16, i32 */
static const struct {
	uint8_t escape, bytes;
} operands[] = {{D8, 4}, {DC, 8}, {DE, 2}, {DA, 4}};

static unsigned arith(struct native_gen *g, const struct uop *u)
{
	unsigned i = (u->op - UOP_FADD_ST) / 5, form = (u->op - UOP_FADD_ST) % 5, lin = 0, t;

	begin(g);
	if (form)
		lin = memory(g, u, operands[form - 1].bytes, false);
	t = tags(g);
	operand(g, t, H_RCX, form ? 0 : u->dst);
	if (!form)
		operand(g, t, H_RDX, u->src);
	load(g, H_RCX);
	if (form) {
		emit_rm(&g->e, operands[form - 1].escape, ariths[i].nth, H_RAX, 0);
	} else {
		load(g, H_RDX);
		x87(g, DE, ariths[i].pop);
	}
	status(g);
	store(g, H_RCX);
	take(g, FSW_C1);
	if (form)
		note_mem(g, u, lin);
	else
		note(g, u);
	if (!form && (u->flags & UF_AUX))
		pop(g, t);
	return 1;
}

/* ST(0) = op ST(0). */
static unsigned unary(struct native_gen *g, const struct uop *u, unsigned second, bool rounds)
{
	unsigned t;

	begin(g);
	t = tags(g);
	operand(g, t, H_RCX, 0);
	load(g, H_RCX);
	x87(g, D9, second);
	if (rounds)
		status(g);
	store(g, H_RCX);
	if (rounds)
		take(g, FSW_C1);
	else
		exact(g);
	note(g, u);
	return 1;
}

/* ---- comparison ---- */

static unsigned compare(struct native_gen *g, const struct uop *u)
{
	unsigned form = u->op - UOP_FCOM_ST, lin = 0, t;
	bool mem = u->op >= UOP_FCOM_M32 && u->op <= UOP_FCOM_I32;

	begin(g);
	if (mem)
		lin = memory(g, u, operands[form - 1].bytes, false);
	t = tags(g);
	operand(g, t, H_RCX, 0);
	if (mem) {
		load(g, H_RCX);
		emit_rm(&g->e, operands[form - 1].escape, 3, H_RAX, 0);
	} else if (u->op == UOP_FTST) {
		load(g, H_RCX);
		x87(g, D9, 0xe4);
	} else {
		operand(g, t, H_RDX, u->src);
		load(g, H_RDX);
		load(g, H_RCX);
		if (u->op == UOP_FUCOM_ST)
			x87(g, DA, 0xe9);
		else
			x87(g, DE, 0xd9);
	}
	status(g);
	if (u->op == UOP_FTST)
		x87(g, DD, 0xd8);
	take(g, FSW_CC);
	if (mem)
		note_mem(g, u, lin);
	else
		note(g, u);
	for (unsigned i = 0; i < u->size; i++)
		pop(g, t);
	return 1;
}

/* FCOMI, FUCOMI. LAHF has ZF, PF, CF and the bit that is always 1. */
static unsigned compare_flags(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;
	unsigned t;

	begin(g);
	t = tags(g);
	operand(g, t, H_RCX, 0);
	operand(g, t, H_RDX, u->src);
	load(g, H_RDX);
	load(g, H_RCX);
	x87(g, DF, u->op == UOP_FUCOMI ? 0xe9 : 0xf1);
	emit_8(e, 0x9f); /* lahf */
	emit_8(e, 0x0f); /* movzbl %ah, %ecx */
	emit_8(e, 0xb6);
	emit_8(e, 0xcc);
	status(g);
	x87(g, DD, 0xd8);
	emit_alu_imm(e, 0, 4, H_RCX, (int32_t)(FL_ZF | FL_PF | FL_CF));
	emit_rm(e, 0x89 | OP_W, H_RCX, H_RDI, CPU_OFF(cc_src));
	emit_rm(e, 0xc7, 0, H_RDI, CPU_OFF(cc_op));
	emit_32(e, CC_EFLAGS);
	take(g, 0);
	note(g, u);
	if (u->size)
		pop(g, t);
	return 1;
}

/* ---- loads ---- */

/* A denormal, an infinity or a NaN at RAX raises an exception when it is loaded, or may: out. RDX and flags are lost. */
static void out_if_special(struct native_gen *g, bool is_double)
{
	struct emitter *e = &g->e;
	uint32_t w = is_double ? OP_W : 0;
	uint8_t *zero;

	emit_rm(e, 0x8b | w, H_RDX, H_RAX, 0);
	emit_rr(e, 0x03 | w, H_RDX, H_RDX);
	zero = emit_jump(e, COND_Z);
	emit_rr(e, 0xc1 | w, 5, H_RDX);
	emit_8(e, is_double ? 53 : 24);
	emit_alu_imm(e, 0, 5, H_RDX, 1);
	emit_alu_imm(e, 0, 7, H_RDX, is_double ? 0x7fe : 0xfe);
	ng_exit_if(g, COND_NB);
	emit_land(zero, e->p);
}

static unsigned load_memory(struct native_gen *g, const struct uop *u)
{
	/* m32, m64, m80, i16, i32, i64 */
	static const struct {
		uint8_t escape, nth, bytes;
	} forms[] = {{D9, 0, 4}, {DD, 0, 8}, {DB, 5, 10}, {DF, 0, 2}, {DB, 0, 4}, {DF, 5, 8}};
	unsigned i = u->op - UOP_FLD_M32, lin, t;

	if (u->flags & UF_REP)
		return 0;
	begin(g);
	lin = memory(g, u, forms[i].bytes, false);
	if (i < 2)
		out_if_special(g, i);
	t = room(g);
	emit_rm(&g->e, forms[i].escape, forms[i].nth, H_RAX, 0);
	push(g, t);
	exact(g);
	note_mem(g, u, lin);
	return 1;
}

static unsigned load_constant(struct native_gen *g, const struct uop *u)
{
	unsigned t;

	begin(g);
	t = room(g);
	x87(g, D9, u->imm & 0xff);
	push(g, t);
	exact(g);
	note(g, u);
	return 1;
}

static unsigned load_register(struct native_gen *g, const struct uop *u)
{
	unsigned t, s;

	begin(g);
	t = tags(g);
	s = ng_alloc(g);
	operand(g, t, s, u->src);
	t = room(g);
	load(g, s);
	push(g, t);
	exact(g);
	note(g, u);
	return 1;
}

/* ---- stores ---- */

/* FST to memory as FSTP, which there is for each: the host's register is popped in any case. */
static unsigned store_memory(struct native_gen *g, const struct uop *u)
{
	static const struct {
		uint16_t op;
		uint8_t escape, nth, bytes;
	} forms[] = {
		{UOP_FST_M32, D9, 3, 4},   {UOP_FST_M64, DD, 3, 8},   {UOP_FSTP_M80, DB, 7, 10},
		{UOP_FIST_16, DF, 3, 2},   {UOP_FIST_32, DB, 3, 4},   {UOP_FIST_64, DF, 7, 8},
		{UOP_FISTTP_16, DF, 1, 2}, {UOP_FISTTP_32, DB, 1, 4}, {UOP_FISTTP_64, DD, 1, 8},
	};
	unsigned i = 0, lin, t;

	while (u->op != forms[i].op)
		if (++i == ARRAY_SIZE(forms))
			return 0;
	begin(g);
	lin = memory(g, u, forms[i].bytes, true);
	t = tags(g);
	operand(g, t, H_RCX, 0);
	load(g, H_RCX);
	emit_rm(&g->e, forms[i].escape, forms[i].nth, H_RAX, 0);
	if (u->op == UOP_FSTP_M80) {
		exact(g);
	} else {
		status(g);
		take(g, FSW_C1);
	}
	note_mem(g, u, lin);
	if ((u->flags & UF_AUX) || u->op == UOP_FSTP_M80)
		pop(g, t);
	return 1;
}

static unsigned store_register(struct native_gen *g, const struct uop *u)
{
	unsigned t;

	begin(g);
	t = tags(g);
	operand(g, t, H_RCX, 0);
	physical(g, H_RDX, u->dst);
	emit_rr(&g->e, 0xab | OP_0F, H_RDX, t); /* bts */
	place(g, H_RDX);
	load(g, H_RCX);
	store(g, H_RDX);
	put_tags(g, t);
	exact(g);
	note(g, u);
	if (u->flags & UF_AUX)
		pop(g, t);
	return 1;
}

static unsigned exchange(struct native_gen *g, const struct uop *u)
{
	unsigned t;

	begin(g);
	t = tags(g);
	operand(g, t, H_RCX, 0);
	operand(g, t, H_RDX, u->src);
	load(g, H_RDX);
	load(g, H_RCX);
	store(g, H_RDX);
	store(g, H_RCX);
	exact(g);
	note(g, u);
	return 1;
}

/* ---- control ---- */

static unsigned store_control(struct native_gen *g, const struct uop *u)
{
	ng_addr(g, u, 2, true);
	emit_rm(&g->e, 0xb7 | OP_0F, H_RCX, H_RDI, FPU_OFF(fcw));
	emit_rm(&g->e, 0x89 | OP_66, H_RCX, H_RAX, 0);
	return 1;
}

static unsigned store_status(struct native_gen *g)
{
	struct emitter *e = &g->e;

	emit_rm(e, 0x8b, H_RCX, H_RDI, FPU_OFF(top));
	emit_rr(e, 0xc1, 4, H_RCX);
	emit_8(e, FSW_TOP_SHIFT);
	emit_rm(e, 0xb7 | OP_0F, H_RAX, H_RDI, FPU_OFF(fsw));
	emit_rr(e, 0x0b, H_RAX, H_RCX);
	ng_clobber(g);
	ng_write(g, R_RAX, 1, H_RAX);
	return 1;
}

unsigned native_fpu(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op;

	if (op < UOP_FPU_UNAVAILABLE || op > UOP_FXTRACT)
		return 0;
	if (op >= UOP_FADD_ST && op <= UOP_FDIVR_I32)
		return arith(g, u);
	if (op >= UOP_FLD_M32 && op <= UOP_FILD_64)
		return load_memory(g, u);
	if (op >= UOP_FLD1 && op <= UOP_FLDZ)
		return load_constant(g, u);
	if ((op >= UOP_FCOM_ST && op <= UOP_FUCOM_ST) || op == UOP_FTST)
		return compare(g, u);
	switch (op) {
	case UOP_FCOMI:
	case UOP_FUCOMI:
		return compare_flags(g, u);
	case UOP_FLD_ST:
		return load_register(g, u);
	case UOP_FST_ST:
		return store_register(g, u);
	case UOP_FXCH:
		return exchange(g, u);
	case UOP_FCHS:
		return unary(g, u, 0xe0, false);
	case UOP_FABS:
		return unary(g, u, 0xe1, false);
	case UOP_FSQRT:
		return unary(g, u, 0xfa, true);
	case UOP_FRNDINT:
		return unary(g, u, 0xfc, true);
	case UOP_FNSTCW:
		return store_control(g, u);
	case UOP_FNSTSW_AX:
		return store_status(g);
	default:
		return store_memory(g, u);
	}
}
