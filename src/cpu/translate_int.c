/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer instructions to micro-operations: data movement, arithmetic, stack, flags, locked operations. Shifts, bits,
 * multiplication and strings are in translate_int2.c; the table of both is here.
 *
 * What has no micro-operation with a memory operand goes through temporaries: load to R_T0, operate, store from R_T0. For a
 * read-modify-write the load (LDW) faults as the store would, so that nothing faults after state has changed.
 */
#include <sched.h>
#include "src/cpu/cpuid.h"
#include "src/cpu/flags.h"
#include "src/cpu/translate_int.h"

/* ---- what is known of the flags ---- */

#define CC_KEEP (-2) /* the micro-operation leaves the flags alone */

/* Flags left by micro-operations FIRST to LAST: cc + log2(size), where each four from FIRST on are sizes 8 to 64. */
struct cc_effect {
	uint16_t first, last;
	int8_t cc;
};

static const struct cc_effect cc_effects[] = {
	{UOP_EA64, UOP_LD_T0_64, CC_KEEP},
	{UOP_CARRY, UOP_CARRY_SRC2, CC_KEEP},
	{UOP_ADD_RR8, UOP_ADD_MIX64, CC_ADD},
	{UOP_OR_RR8, UOP_OR_MIX64, CC_LOGIC},
	{UOP_ADC_RR8, UOP_ADC_MIX64, CC_ADC},
	{UOP_SBB_RR8, UOP_SBB_MIX64, CC_SBB},
	{UOP_AND_RR8, UOP_AND_MIX64, CC_LOGIC},
	{UOP_SUB_RR8, UOP_SUB_MIX64, CC_SUB},
	{UOP_XOR_RR8, UOP_XOR_MIX64, CC_LOGIC},
	{UOP_CMP_RR8, UOP_CMP_MIX64, CC_SUB},
	{UOP_TEST_RR8, UOP_TEST_MIX64, CC_LOGIC},
	{UOP_INC_R8, UOP_INC_MX64, CC_INC},
	{UOP_DEC_R8, UOP_DEC_MX64, CC_DEC},
	{UOP_NEG_R8, UOP_NEG_MX64, CC_SUB},
	{UOP_NOT_R8, UOP_MOVSX64_32_MX, CC_KEEP},
	{UOP_ZERO16, UOP_ZERO64, CC_LOGIC + 1},
	{UOP_LEA16, UOP_MOV_SELECTOR, CC_KEEP},
	{UOP_PUSHA, UOP_PUSHF, CC_KEEP},
	{UOP_ENTER, UOP_LAHF, CC_KEEP},
	{UOP_CLD, UOP_MFENCE, CC_KEEP},
	{UOP_LOCK_ADD8, UOP_LOCK_ADD64, CC_ADD},
	{UOP_LOCK_OR8, UOP_LOCK_OR64, CC_LOGIC},
	{UOP_LOCK_ADC8, UOP_LOCK_ADC64, CC_ADC},
	{UOP_LOCK_SBB8, UOP_LOCK_SBB64, CC_SBB},
	{UOP_LOCK_AND8, UOP_LOCK_AND64, CC_LOGIC},
	{UOP_LOCK_SUB8, UOP_LOCK_SUB64, CC_SUB},
	{UOP_LOCK_XOR8, UOP_LOCK_XOR64, CC_LOGIC},
	{UOP_LOCK_INC8, UOP_LOCK_INC64, CC_INC},
	{UOP_LOCK_DEC8, UOP_LOCK_DEC64, CC_DEC},
	{UOP_LOCK_NEG8, UOP_LOCK_NEG64, CC_SUB},
	{UOP_LOCK_NOT8, UOP_XCHG_M64, CC_KEEP},
	{UOP_XADD_M8, UOP_XADD_RR64, CC_ADD},
	{UOP_CMPXCHG_M8, UOP_CMPXCHG_RR64, CC_SUB},
	{UOP_SSE_UNAVAILABLE, UOP_CVTTSD2SI_RM64, CC_KEEP},
	{UOP_COMISS_XX, UOP_PTEST_XM, CC_EFLAGS},
	{UOP_BT_RR16, UOP_BT_MI64, CC_CF_IN_SRC},
	{UOP_SHL_RI8, UOP_SHL_RI64, CC_SHL},
	{UOP_SHR_RI8, UOP_SHR_RI64, CC_SHR},
	{UOP_SAR_RI8, UOP_SAR_RI64, CC_SHR},
	{UOP_BTEA16, UOP_BTEA_SEG64, CC_KEEP},
	{UOP_BSF16, UOP_BSF64, CC_LOGIC + 1},
	{UOP_BSR16, UOP_BSR64, CC_LOGIC + 1},
	{UOP_ANDN32, UOP_ANDN64, CC_LOGIC + 2},
	{UOP_PDEP32, UOP_MULX64, CC_KEEP},
	{UOP_CRC32, UOP_MOVBE64, CC_KEEP},
	{UOP_DIV8, UOP_IDIV64, CC_KEEP},
	{UOP_MOVS, UOP_LODS, CC_KEEP},
};

static int cc_effect_of(uint16_t op)
{
	for (unsigned i = 0; i < ARRAY_SIZE(cc_effects); i++) {
		const struct cc_effect *e = &cc_effects[i];

		if (op >= e->first && op <= e->last)
			return e->cc == CC_KEEP ? CC_KEEP : e->cc + ((op - e->first) & 3);
	}
	return -1;
}

int x_known_cc(const struct xlate *x)
{
	for (unsigned i = x->n; i-- > 0;) {
		int cc = cc_effect_of(x->uops[i].op);

		if (cc != CC_KEEP)
			return cc;
	}
	return -1;
}

void xi_carry(struct xlate *x)
{
	int cc = x_known_cc(x);
	struct uop *u;

	switch (cc < 0 ? -1 : cc & ~3) {
	case CC_LOGIC:
		u = x_emit(x, UOP_MOV_RI64);
		u->dst = R_CARRY;
		break;
	case CC_ADD:
		x_emit(x, UOP_CARRY_ADD);
		break;
	case CC_ADC:
		x_emit(x, UOP_CARRY_ADC);
		break;
	case CC_SUB:
		x_emit(x, UOP_CARRY_SUB);
		break;
	case CC_SBB:
		x_emit(x, UOP_CARRY_SBB);
		break;
	case CC_INC:
	case CC_DEC:
		x_emit(x, UOP_CARRY_SRC2);
		break;
	default:
		x_emit(x, UOP_CARRY);
		break;
	}
}

/* ---- operands ---- */

uint8_t xi_slot(const ZydisDecodedOperand *o)
{
	return o->size == 8 ? x_reg8(o->reg.value) : x_reg(o->reg.value);
}

bool xi_is_gpr(const ZydisDecodedOperand *o)
{
	if (!x_is_reg(o))
		return false;
	switch (ZydisRegisterGetClass(o->reg.value)) {
	case ZYDIS_REGCLASS_GPR8:
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return true;
	default:
		return false;
	}
}

struct uop *xi_emit_mem(struct xlate *x, unsigned op, const struct mem_ref *m)
{
	return x_emit_mem(x, op + (m->index != R_ZERO ? 4 : 0), m);
}

struct mem_ref xi_load(struct xlate *x, const ZydisDecodedOperand *o, unsigned slot, bool for_write)
{
	unsigned size = o->size / 8;
	struct mem_ref m = x_mem(x, o, size, for_write);

	xi_emit_mem(x, (for_write ? UOP_LDW_RM8 : UOP_MOV_RM8) + xi_log2(size), &m)->dst =
		xi_temp(slot, size);
	return m;
}

void xi_store(struct xlate *x, const struct mem_ref *m, unsigned slot, unsigned size)
{
	xi_emit_mem(x, UOP_MOV_MR8 + xi_log2(size), m)->src = xi_temp(slot, size);
}

/* The slot that holds source operand O: its own, or R_T1 after a load or a move. */
uint8_t xi_source(struct xlate *x, const ZydisDecodedOperand *o, unsigned size)
{
	struct uop *u;

	if (x_is_reg(o))
		return xi_slot(o);
	if (x_is_mem(o)) {
		xi_load(x, o, R_T1, false);
	} else {
		u = x_emit(x, UOP_MOV_RI64);
		u->dst = R_T1;
		u->imm = x_imm(o, size);
	}
	return xi_temp(R_T1, size);
}

/* ---- data movement ---- */

static bool x_mov(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned size = d->size / 8, lg;
	struct mem_ref m;
	struct uop *u;

	if ((x_is_reg(d) && !xi_is_gpr(d)) || (x_is_reg(s) && !xi_is_gpr(s)))
		return false; /* segment, control and debug registers */
	lg = xi_log2(size);
	if (x_is_mem(d)) {
		m = x_mem(x, d, size, true);
		u = xi_emit_mem(x, (x_is_imm(s) ? UOP_MOV_MI8 : UOP_MOV_MR8) + lg, &m);
		if (x_is_imm(s))
			u->imm = x_imm(s, size);
		else
			u->src = xi_slot(s);
	} else if (x_is_mem(s)) {
		m = x_mem(x, s, size, false);
		u = xi_emit_mem(x, UOP_MOV_RM8 + lg, &m);
		u->dst = xi_slot(d);
	} else if (x_is_imm(s)) {
		u = x_emit(x, size == 4 ? UOP_MOV_RI64 : UOP_MOV_RI8 + lg);
		u->dst = xi_slot(d);
		u->imm = x_imm(s, size);
	} else {
		u = x_emit(x, UOP_MOV_RR8 + lg);
		u->dst = xi_slot(d);
		u->src = xi_slot(s);
	}
	return true;
}

/* arg: nonzero for sign extension. */
static bool x_movx(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned to = d->size / 8, from = s->size / 8, op;
	struct mem_ref m;
	struct uop *u;

	if (from == to || (from == 4 && to == 2))
		return x_mov(x, e); /* MOVSXD without REX.W; MOVZX and MOVSX of 16 to 16 bits */
	if (e->arg) {
		if (from == 1)
			op = to == 2   ? UOP_MOVSX16_8_R
			     : to == 4 ? UOP_MOVSX32_8_R
				       : UOP_MOVSX64_8_R;
		else if (from == 2)
			op = to == 4 ? UOP_MOVSX32_16_R : UOP_MOVSX64_16_R;
		else
			op = UOP_MOVSX64_32_R;
	} else if (from == 1) {
		op = to == 2 ? UOP_MOVZX16_8_R : UOP_MOVZX32_8_R;
	} else {
		op = UOP_MOVZX32_16_R;
	}
	if (x_is_mem(s)) {
		m = x_mem(x, s, from, false);
		u = x_emit_mem(x, op + (m.index != R_ZERO ? 2 : 1), &m);
	} else {
		u = x_emit(x, op);
		u->src = xi_slot(s);
	}
	u->dst = xi_slot(d);
	return true;
}

static bool x_lea_insn(struct xlate *x, const struct xlate_entry *e)
{
	unsigned lg = xi_log2(x->ops[0].size / 8);
	struct mem_ref m = x_lea(x, &x->ops[1]);

	x_emit_mem(x, (m.index != R_ZERO ? UOP_LEAX16 : UOP_LEA16) + lg - 1, &m)->dst =
		xi_slot(&x->ops[0]);
	return true;
}

static bool x_xchg(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned lg = xi_log2(d->size / 8);
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(s)) {
		d = s;
		s = &x->ops[0];
	}
	if (x_is_mem(d)) {
		m = x_mem(x, d, d->size / 8, true);
		u = x_emit_mem(x, UOP_XCHG_M8 + lg, &m);
	} else {
		u = x_emit(x, UOP_XCHG_RR8 + lg);
		u->dst = xi_slot(d);
	}
	u->src = xi_slot(s);
	return true;
}

static bool x_bswap(struct xlate *x, const struct xlate_entry *e)
{
	x_emit(x, UOP_BSWAP16 + xi_log2(x->ops[0].size / 8) - 1)->dst = xi_slot(&x->ops[0]);
	return true;
}

/* CBW, CWDE, CDQE: arg is the MOVSX of rAX. */
static bool x_cbw(struct xlate *x, const struct xlate_entry *e)
{
	x_emit(x, e->arg); /* dst and src are slot 0, byte 0 */
	return true;
}

/* arg: the micro-operation, without operands. */
static bool x_plain(struct xlate *x, const struct xlate_entry *e)
{
	x_emit(x, e->arg);
	return true;
}

static bool x_xlat(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u = x_emit(x, UOP_XLAT);

	u->src = (uint8_t)xi_data_segment(x);
	u->flags = xi_addr_flags(x);
	return true;
}

int xi_data_segment(const struct xlate *x)
{
	ZydisInstructionAttributes a = x->insn->attributes;

	if (a & ZYDIS_ATTRIB_HAS_SEGMENT_FS)
		return S_FS;
	if (a & ZYDIS_ATTRIB_HAS_SEGMENT_GS)
		return S_GS;
	if (x->mode & MODE_CODE64)
		return S_DS;
	if (a & ZYDIS_ATTRIB_HAS_SEGMENT_ES)
		return S_ES;
	if (a & ZYDIS_ATTRIB_HAS_SEGMENT_CS)
		return S_CS;
	if (a & ZYDIS_ATTRIB_HAS_SEGMENT_SS)
		return S_SS;
	return S_DS;
}

uint8_t xi_addr_flags(const struct xlate *x)
{
	return x->adsize == 2 ? UF_A16 : x->adsize == 4 ? UF_A32 : 0;
}

/* arg: the condition. */
static void emit_cond(struct xlate *x, unsigned any_op, unsigned cond, unsigned dst, unsigned src)
{
	int cc = x_known_cc(x);
	unsigned group = 0;
	struct uop *u;

	/* Groups of 16 after the first: SUB8 to SUB64, LOGIC8 to LOGIC64. */
	if (cc >= 0 && (cc & ~3) == CC_SUB)
		group = 1 + (cc & 3);
	else if (cc >= 0 && (cc & ~3) == CC_LOGIC)
		group = 5 + (cc & 3);
	if (any_op == UOP_CMOV16_O)
		group = 0;
	u = x_emit(x, any_op + 16 * group + cond);
	u->dst = (uint8_t)dst;
	u->src = (uint8_t)src;
}

static bool x_setcc(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	struct mem_ref m;

	if (x_is_reg(d)) {
		emit_cond(x, UOP_SET_O, e->arg, xi_slot(d), 0);
		return true;
	}
	m = x_mem(x, d, 1, true);
	emit_cond(x, UOP_SET_O, e->arg, R_T0 * 8, 0);
	xi_store(x, &m, R_T0, 1);
	return true;
}

static bool x_cmovcc(struct xlate *x, const struct xlate_entry *e)
{
	unsigned size = x->ops[0].size / 8;
	unsigned op = size == 2 ? UOP_CMOV16_O : size == 4 ? UOP_CMOV32_O : UOP_CMOV64_O;
	unsigned src = xi_source(x, &x->ops[1], size);

	emit_cond(x, op, e->arg, xi_slot(&x->ops[0]), src);
	return true;
}

/* ---- arithmetic and logic ---- */

static bool is_locked(const struct xlate *x)
{
	return (x->insn->attributes & ZYDIS_ATTRIB_HAS_LOCK) && x_is_mem(&x->ops[0]);
}

/* Distances of the forms from NAME_RR8 (ops_int.h). */
enum { FORM_RI = 4, FORM_RM = 8, FORM_MR = 16, FORM_MI = 24, FORM_TEST_MR = 8, FORM_TEST_MI = 16 };

/* arg: NAME_RR8; the locked ones follow each other in the same order. */
static bool x_alu(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned size = d->size / 8, op = e->arg + xi_log2(size);
	bool compare = e->arg == UOP_CMP_RR8;
	struct mem_ref m;
	struct uop *u;

	if (e->arg == UOP_ADC_RR8 || e->arg == UOP_SBB_RR8)
		xi_carry(x);
	if (is_locked(x)) {
		unsigned src = xi_source(x, s, size),
			 nth = (e->arg - UOP_ADD_RR8) / (UOP_OR_RR8 - UOP_ADD_RR8);

		m = x_mem(x, d, size, true);
		x_emit_mem(x, UOP_LOCK_ADD8 + 4 * nth + xi_log2(size), &m)->src = (uint8_t)src;
		return true;
	}
	if (x_is_mem(d)) {
		m = x_mem(x, d, size, !compare);
		u = xi_emit_mem(x, op + (x_is_imm(s) ? FORM_MI : FORM_MR), &m);
	} else if (x_is_mem(s)) {
		m = x_mem(x, s, size, false);
		u = xi_emit_mem(x, op + FORM_RM, &m);
	} else if (x_is_reg(s) && d->reg.value == s->reg.value && size > 1 &&
		   (e->arg == UOP_XOR_RR8 || e->arg == UOP_SUB_RR8)) {
		u = x_emit(x, UOP_ZERO16 + xi_log2(size) - 1);
	} else {
		u = x_emit(x, op + (x_is_imm(s) ? FORM_RI : 0));
	}
	if (x_is_reg(d))
		u->dst = xi_slot(d);
	if (x_is_reg(s))
		u->src = xi_slot(s);
	else if (x_is_imm(s))
		u->imm = x_imm(s, size);
	return true;
}

static bool x_test(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0], *s = &x->ops[1];
	unsigned size = d->size / 8, op = UOP_TEST_RR8 + xi_log2(size);
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(d)) {
		m = x_mem(x, d, size, false);
		u = xi_emit_mem(x, op + (x_is_imm(s) ? FORM_TEST_MI : FORM_TEST_MR), &m);
	} else {
		u = x_emit(x, op + (x_is_imm(s) ? FORM_RI : 0));
		u->dst = xi_slot(d);
	}
	if (x_is_imm(s))
		u->imm = x_imm(s, size);
	else
		u->src = xi_slot(s);
	return true;
}

/* arg: NAME_R8. */
static bool x_unary(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	unsigned size = d->size / 8, lg = xi_log2(size), nth;
	struct mem_ref m;

	if (e->arg == UOP_INC_R8 || e->arg == UOP_DEC_R8)
		xi_carry(x);
	if (x_is_reg(d)) {
		x_emit(x, e->arg + lg)->dst = xi_slot(d);
		return true;
	}
	m = x_mem(x, d, size, true);
	if (is_locked(x)) {
		nth = (e->arg - UOP_INC_R8) / (UOP_DEC_R8 - UOP_INC_R8);
		x_emit_mem(x, UOP_LOCK_INC8 + 4 * nth + lg, &m);
	} else {
		xi_emit_mem(x, e->arg + 4 + lg, &m);
	}
	return true;
}

/* XADD, CMPXCHG; arg: NAME_M8, the register form follows. */
static bool x_xadd(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *d = &x->ops[0];
	unsigned size = d->size / 8, lg = xi_log2(size);
	struct mem_ref m;
	struct uop *u;

	if (x_is_mem(d)) {
		m = x_mem(x, d, size, true);
		u = x_emit_mem(x, e->arg + lg, &m);
	} else {
		u = x_emit(x, e->arg + 4 + lg);
		u->dst = xi_slot(d);
	}
	u->src = xi_slot(&x->ops[1]);
	return true;
}

static bool x_cmpxchg8b(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m = x_mem(x, &x->ops[0], e->arg == UOP_CMPXCHG8B ? 8 : 16, true);

	x_emit_mem(x, e->arg, &m);
	return true;
}

/* ---- stack ---- */

static bool flat32_stack(const struct xlate *x)
{
	return !(x->mode & MODE_CODE64) && (x->mode & MODE_FLAT) && (x->mode & MODE_SS32);
}

/*
 * The micro-operation at the end is a push or pop in 64-bit mode, ONE, of SLOT. With those just before it, it becomes a run: in
 * front of the N single ones stands the micro-operation RUN2 + N - 2 that does all of them where none can fault.
 */
static void join_run(struct xlate *x, enum uop_op one, enum uop_op run2, uint8_t slot)
{
	unsigned last = x->n - 1, n = 1;
	struct uop *u;

	while (n < 7 && n <= last && x->uops[last - n].op == one)
		n++;
	if (n < 2 || n > 6 || slot == R_RSP)
		return;
	if (n > 2) {
		if (n > last || x->uops[last - n].op != run2 + n - 3)
			return;
		u = &x->uops[last - n];
		u->op++;
	} else {
		u = &x->uops[last - 1];
		u->imm = one == UOP_PUSH_R64 ? u->src : u->dst;
		if (u->imm == R_RSP)
			return;
		memmove(u + 1, u, 2 * sizeof(*u));
		x->n++;
		u->op = (uint16_t)run2;
	}
	u->fn = uop_functions[u->op];
	u->imm |= (uint64_t)slot << 8 * (n - 1);
}

static void emit_push_slot(struct xlate *x, uint8_t slot)
{
	struct uop *u;

	if ((x->mode & MODE_CODE64) && x->opsize == 8) {
		u = x_emit(x, UOP_PUSH_R64);
		u->flags |= UF_SS;
		u->src = slot;
		join_run(x, UOP_PUSH_R64, UOP_PUSH2_R64, slot);
		return;
	} else if (flat32_stack(x) && x->opsize == 4) {
		u = x_emit(x, UOP_PUSH_R32);
		u->flags |= UF_SS;
	} else {
		u = x_emit(x, UOP_PUSH_T);
		u->size = (uint8_t)x->opsize;
		u->flags |= UF_SS;
	}
	u->src = slot;
}

static bool x_push(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *o = &x->ops[0];
	struct uop *u;

	if (x_is_imm(o)) {
		if ((x->mode & MODE_CODE64) && x->opsize == 8) {
			u = x_emit(x, UOP_PUSH_I64);
			u->flags |= UF_SS;
		} else if (flat32_stack(x) && x->opsize == 4) {
			u = x_emit(x, UOP_PUSH_I32);
			u->flags |= UF_SS;
		} else {
			u = x_emit(x, UOP_MOV_RI64);
			u->dst = R_T0;
			emit_push_slot(x, R_T0);
		}
		u->imm = x_imm(o, x->opsize);
	} else if (x_is_mem(o)) {
		xi_load(x, o, R_T0, false);
		emit_push_slot(x, R_T0);
	} else if (xi_is_gpr(o)) {
		emit_push_slot(x, xi_slot(o));
	} else {
		u = x_emit(x, UOP_MOV_SELECTOR);
		u->dst = R_T0;
		u->src = (uint8_t)x_seg(o->reg.value);
		emit_push_slot(x, R_T0);
	}
	return true;
}

/* The memory operand's address is computed with rSP as it is after the pop. */
static void emit_pop_mem(struct xlate *x, const ZydisDecodedOperand *o)
{
	ZydisDecodedOperand adjusted = *o;
	struct mem_ref m;
	struct uop *u;

	if (o->mem.base == ZYDIS_REGISTER_RSP || o->mem.base == ZYDIS_REGISTER_ESP) {
		adjusted.mem.disp.value =
			(o->mem.disp.has_displacement ? o->mem.disp.value : 0) + x->opsize;
		adjusted.mem.disp.has_displacement = true;
	}
	u = x_emit(x, UOP_PEEK_T);
	u->size = (uint8_t)x->opsize;
	u->dst = R_T0;
	u->flags |= UF_SS;
	m = x_mem(x, &adjusted, x->opsize, true);
	xi_store(x, &m, R_T0, x->opsize);
	x_emit(x, UOP_DROP)->imm = x->opsize;
}

static bool x_pop(struct xlate *x, const struct xlate_entry *e)
{
	const ZydisDecodedOperand *o = &x->ops[0];
	struct uop *u;

	if (x_is_mem(o)) {
		emit_pop_mem(x, o);
		return true;
	}
	if (!xi_is_gpr(o))
		return false; /* segment registers */
	if ((x->mode & MODE_CODE64) && x->opsize == 8) {
		u = x_emit(x, UOP_POP_R64);
		u->base = R_RSP;
	} else if (flat32_stack(x) && x->opsize == 4) {
		u = x_emit(x, UOP_POP_R32);
		u->base = R_RSP;
	} else {
		u = x_emit(x, UOP_POP_T);
		u->size = (uint8_t)x->opsize;
	}
	u->flags |= UF_SS;
	u->dst = xi_slot(o);
	if (u->op == UOP_POP_R64)
		join_run(x, UOP_POP_R64, UOP_POP2_R64, u->dst);
	return true;
}

/* PUSHA, POPA, PUSHF, POPF; arg: the micro-operation. */
static bool x_stack_plain(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u = x_emit(x, e->arg);

	u->size = (uint8_t)x->opsize;
	u->flags |= UF_SS;
	return true;
}

static bool x_enter(struct xlate *x, const struct xlate_entry *e)
{
	struct uop *u = x_emit(x, UOP_ENTER);

	u->size = (uint8_t)x->opsize;
	u->flags |= UF_SS;
	u->imm = x->ops[0].imm.value.u & 0xffff;
	u->disp = x->ops[1].imm.value.u & 31;
	return true;
}

static bool x_leave(struct xlate *x, const struct xlate_entry *e)
{
	bool fast = (x->mode & MODE_CODE64) && x->opsize == 8;
	struct uop *u = x_emit(x, fast ? UOP_LEAVE64 : UOP_LEAVE);

	u->size = (uint8_t)x->opsize;
	u->flags |= UF_SS;
	if (fast)
		u->base = R_RBP;
	return true;
}

static bool x_lahf(struct xlate *x, const struct xlate_entry *e)
{
	if ((x->mode & MODE_CODE64) && !cpu_has(x->c, FEAT_LAHF_LM))
		return false;
	return x_plain(x, e);
}

static bool x_bound(struct xlate *x, const struct xlate_entry *e)
{
	unsigned size = x->ops[0].size / 8;
	struct mem_ref m = x_mem(x, &x->ops[1], 2 * size, false);
	struct uop *u = x_emit_mem(x, UOP_BOUND, &m);

	u->size = (uint8_t)size;
	u->src = xi_slot(&x->ops[0]);
	return true;
}

/* ---- hints and fences ---- */

static bool x_nothing(struct xlate *x, const struct xlate_entry *e)
{
	return true;
}

/* Does nothing to memory, but faults as a load of a byte. */
static bool x_cacheline(struct xlate *x, const struct xlate_entry *e)
{
	struct mem_ref m = x_mem(x, &x->ops[0], 1, false);

	x_emit_mem(x, UOP_PROBE, &m)->size = 1;
	return true;
}

static bool x_pause(struct xlate *x, const struct xlate_entry *e)
{
	cpu_set_t set;

	x_emit(x, UOP_PAUSE)->imm =
		sched_getaffinity(0, sizeof(set), &set) == 0 &&
		x->c->model->threads * x->c->model->cores * x->c->model->sockets >
			(unsigned)CPU_COUNT(&set);
	return true;
}

#define SETCC_CMOVCC(suffix, cond)                                     \
	{ZYDIS_MNEMONIC_SET##suffix, x_setcc, cond, 0},                \
	{                                                              \
		ZYDIS_MNEMONIC_CMOV##suffix, x_cmovcc, cond, FEAT_CMOV \
	}

const struct xlate_entry xlate_int_table[] = {
	{ZYDIS_MNEMONIC_MOV, x_mov, 0, 0},
	{ZYDIS_MNEMONIC_MOVNTI, x_mov, 0, FEAT_SSE2},
	{ZYDIS_MNEMONIC_MOVZX, x_movx, 0, 0},
	{ZYDIS_MNEMONIC_MOVSX, x_movx, 1, 0},
	{ZYDIS_MNEMONIC_MOVSXD, x_movx, 1, 0},
	{ZYDIS_MNEMONIC_LEA, x_lea_insn, 0, 0},
	{ZYDIS_MNEMONIC_XCHG, x_xchg, 0, 0},
	{ZYDIS_MNEMONIC_BSWAP, x_bswap, 0, 0},
	{ZYDIS_MNEMONIC_XLAT, x_xlat, 0, 0},
	{ZYDIS_MNEMONIC_CBW, x_cbw, UOP_MOVSX16_8_R, 0},
	{ZYDIS_MNEMONIC_CWDE, x_cbw, UOP_MOVSX32_16_R, 0},
	{ZYDIS_MNEMONIC_CDQE, x_cbw, UOP_MOVSX64_32_R, 0},
	{ZYDIS_MNEMONIC_CWD, x_plain, UOP_CWD16, 0},
	{ZYDIS_MNEMONIC_CDQ, x_plain, UOP_CWD32, 0},
	{ZYDIS_MNEMONIC_CQO, x_plain, UOP_CWD64, 0},
	SETCC_CMOVCC(O, COND_O),
	SETCC_CMOVCC(NO, COND_NO),
	SETCC_CMOVCC(B, COND_B),
	SETCC_CMOVCC(NB, COND_NB),
	SETCC_CMOVCC(Z, COND_Z),
	SETCC_CMOVCC(NZ, COND_NZ),
	SETCC_CMOVCC(BE, COND_BE),
	SETCC_CMOVCC(NBE, COND_NBE),
	SETCC_CMOVCC(S, COND_S),
	SETCC_CMOVCC(NS, COND_NS),
	SETCC_CMOVCC(P, COND_P),
	SETCC_CMOVCC(NP, COND_NP),
	SETCC_CMOVCC(L, COND_L),
	SETCC_CMOVCC(NL, COND_NL),
	SETCC_CMOVCC(LE, COND_LE),
	SETCC_CMOVCC(NLE, COND_NLE),

	{ZYDIS_MNEMONIC_ADD, x_alu, UOP_ADD_RR8, 0},
	{ZYDIS_MNEMONIC_OR, x_alu, UOP_OR_RR8, 0},
	{ZYDIS_MNEMONIC_ADC, x_alu, UOP_ADC_RR8, 0},
	{ZYDIS_MNEMONIC_SBB, x_alu, UOP_SBB_RR8, 0},
	{ZYDIS_MNEMONIC_AND, x_alu, UOP_AND_RR8, 0},
	{ZYDIS_MNEMONIC_SUB, x_alu, UOP_SUB_RR8, 0},
	{ZYDIS_MNEMONIC_XOR, x_alu, UOP_XOR_RR8, 0},
	{ZYDIS_MNEMONIC_CMP, x_alu, UOP_CMP_RR8, 0},
	{ZYDIS_MNEMONIC_TEST, x_test, 0, 0},
	{ZYDIS_MNEMONIC_INC, x_unary, UOP_INC_R8, 0},
	{ZYDIS_MNEMONIC_DEC, x_unary, UOP_DEC_R8, 0},
	{ZYDIS_MNEMONIC_NEG, x_unary, UOP_NEG_R8, 0},
	{ZYDIS_MNEMONIC_NOT, x_unary, UOP_NOT_R8, 0},
	{ZYDIS_MNEMONIC_XADD, x_xadd, UOP_XADD_M8, 0},
	{ZYDIS_MNEMONIC_CMPXCHG, x_xadd, UOP_CMPXCHG_M8, 0},
	{ZYDIS_MNEMONIC_CMPXCHG8B, x_cmpxchg8b, UOP_CMPXCHG8B, FEAT_CX8},
	{ZYDIS_MNEMONIC_CMPXCHG16B, x_cmpxchg8b, UOP_CMPXCHG16B, FEAT_CX16},

	{ZYDIS_MNEMONIC_PUSH, x_push, 0, 0},
	{ZYDIS_MNEMONIC_POP, x_pop, 0, 0},
	{ZYDIS_MNEMONIC_PUSHA, x_stack_plain, UOP_PUSHA, 0},
	{ZYDIS_MNEMONIC_PUSHAD, x_stack_plain, UOP_PUSHA, 0},
	{ZYDIS_MNEMONIC_POPA, x_stack_plain, UOP_POPA, 0},
	{ZYDIS_MNEMONIC_POPAD, x_stack_plain, UOP_POPA, 0},
	{ZYDIS_MNEMONIC_PUSHF, x_stack_plain, UOP_PUSHF, 0},
	{ZYDIS_MNEMONIC_PUSHFD, x_stack_plain, UOP_PUSHF, 0},
	{ZYDIS_MNEMONIC_PUSHFQ, x_stack_plain, UOP_PUSHF, 0},
	{ZYDIS_MNEMONIC_POPF, x_stack_plain, UOP_POPF, 0},
	{ZYDIS_MNEMONIC_POPFD, x_stack_plain, UOP_POPF, 0},
	{ZYDIS_MNEMONIC_POPFQ, x_stack_plain, UOP_POPF, 0},
	{ZYDIS_MNEMONIC_ENTER, x_enter, 0, 0},
	{ZYDIS_MNEMONIC_LEAVE, x_leave, 0, 0},
	{ZYDIS_MNEMONIC_LAHF, x_lahf, UOP_LAHF, 0},
	{ZYDIS_MNEMONIC_SAHF, x_lahf, UOP_SAHF, 0},
	{ZYDIS_MNEMONIC_CLC, x_plain, UOP_CLC, 0},
	{ZYDIS_MNEMONIC_STC, x_plain, UOP_STC, 0},
	{ZYDIS_MNEMONIC_CMC, x_plain, UOP_CMC, 0},
	{ZYDIS_MNEMONIC_CLD, x_plain, UOP_CLD, 0},
	{ZYDIS_MNEMONIC_STD, x_plain, UOP_STD, 0},
	{ZYDIS_MNEMONIC_SALC, x_plain, UOP_SALC, 0},
	{ZYDIS_MNEMONIC_BOUND, x_bound, 0, 0},

	{ZYDIS_MNEMONIC_NOP, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PAUSE, x_pause, 0, 0},
	{ZYDIS_MNEMONIC_ENDBR32, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_ENDBR64, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_RDSSPD, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_RDSSPQ, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_CLDEMOTE, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCH, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCHW, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCHWT1, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCHT0, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCHT1, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCHT2, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_PREFETCHNTA, x_nothing, 0, 0},
	{ZYDIS_MNEMONIC_CLFLUSH, x_cacheline, 0, FEAT_CLFLUSH},
	{ZYDIS_MNEMONIC_CLFLUSHOPT, x_cacheline, 0, FEAT_CLFLUSHOPT},
	{ZYDIS_MNEMONIC_CLWB, x_cacheline, 0, FEAT_CLWB},
	{ZYDIS_MNEMONIC_LFENCE, x_plain, UOP_LFENCE, FEAT_SSE2},
	{ZYDIS_MNEMONIC_MFENCE, x_plain, UOP_MFENCE, FEAT_SSE2},
	{ZYDIS_MNEMONIC_SFENCE, x_plain, UOP_SFENCE, FEAT_SSE},

	{ZYDIS_MNEMONIC_SHL, xi_shift, UOP_SHL_RI8, 0},
	{ZYDIS_MNEMONIC_SHR, xi_shift, UOP_SHR_RI8, 0},
	{ZYDIS_MNEMONIC_SAR, xi_shift, UOP_SAR_RI8, 0},
	{ZYDIS_MNEMONIC_ROL, xi_shift, UOP_ROL_RI8, 0},
	{ZYDIS_MNEMONIC_ROR, xi_shift, UOP_ROR_RI8, 0},
	{ZYDIS_MNEMONIC_RCL, xi_rotate_carry, UOP_RCL, 0},
	{ZYDIS_MNEMONIC_RCR, xi_rotate_carry, UOP_RCR, 0},
	{ZYDIS_MNEMONIC_SHLD, xi_shift_double, UOP_SHLD16, 0},
	{ZYDIS_MNEMONIC_SHRD, xi_shift_double, UOP_SHRD16, 0},
	{ZYDIS_MNEMONIC_BT, xi_bit_test, UOP_BT_RR16, 0},
	{ZYDIS_MNEMONIC_BTS, xi_bit_test, UOP_BTS_RR16, 0},
	{ZYDIS_MNEMONIC_BTR, xi_bit_test, UOP_BTR_RR16, 0},
	{ZYDIS_MNEMONIC_BTC, xi_bit_test, UOP_BTC_RR16, 0},
	{ZYDIS_MNEMONIC_BSF, xi_bit_scan, UOP_BSF16, 0},
	{ZYDIS_MNEMONIC_BSR, xi_bit_scan, UOP_BSR16, 0},
	{ZYDIS_MNEMONIC_TZCNT, xi_bit_scan, UOP_TZCNT16, FEAT_BMI1},
	{ZYDIS_MNEMONIC_LZCNT, xi_bit_scan, UOP_LZCNT16, FEAT_ABM},
	{ZYDIS_MNEMONIC_POPCNT, xi_bit_scan, UOP_POPCNT16, FEAT_POPCNT},
	{ZYDIS_MNEMONIC_ANDN, xi_bmi, UOP_ANDN32, FEAT_BMI1},
	{ZYDIS_MNEMONIC_BEXTR, xi_bmi, UOP_BEXTR32, FEAT_BMI1},
	{ZYDIS_MNEMONIC_BLSI, xi_bmi, UOP_BLSI32, FEAT_BMI1},
	{ZYDIS_MNEMONIC_BLSR, xi_bmi, UOP_BLSR32, FEAT_BMI1},
	{ZYDIS_MNEMONIC_BLSMSK, xi_bmi, UOP_BLSMSK32, FEAT_BMI1},
	{ZYDIS_MNEMONIC_BZHI, xi_bmi, UOP_BZHI32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_PDEP, xi_bmi, UOP_PDEP32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_PEXT, xi_bmi, UOP_PEXT32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_MULX, xi_bmi, UOP_MULX32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_SARX, xi_bmi, UOP_SARX32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_SHLX, xi_bmi, UOP_SHLX32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_SHRX, xi_bmi, UOP_SHRX32, FEAT_BMI2},
	{ZYDIS_MNEMONIC_RORX, xi_rorx, 0, FEAT_BMI2},
	{ZYDIS_MNEMONIC_ADCX, xi_bmi, UOP_ADCX32, FEAT_ADX},
	{ZYDIS_MNEMONIC_ADOX, xi_bmi, UOP_ADOX32, FEAT_ADX},
	{ZYDIS_MNEMONIC_CRC32, xi_crc32, 0, FEAT_SSE42},
	{ZYDIS_MNEMONIC_MOVBE, xi_movbe, 0, FEAT_MOVBE},

	{ZYDIS_MNEMONIC_MUL, xi_muldiv, UOP_MUL8, 0},
	{ZYDIS_MNEMONIC_IMUL, xi_imul, UOP_IMUL8, 0},
	{ZYDIS_MNEMONIC_DIV, xi_muldiv, UOP_DIV8, 0},
	{ZYDIS_MNEMONIC_IDIV, xi_muldiv, UOP_IDIV8, 0},
	{ZYDIS_MNEMONIC_DAA, x_plain, UOP_DAA, 0},
	{ZYDIS_MNEMONIC_DAS, x_plain, UOP_DAS, 0},
	{ZYDIS_MNEMONIC_AAA, x_plain, UOP_AAA, 0},
	{ZYDIS_MNEMONIC_AAS, x_plain, UOP_AAS, 0},
	{ZYDIS_MNEMONIC_AAM, xi_decimal_imm, UOP_AAM, 0},
	{ZYDIS_MNEMONIC_AAD, xi_decimal_imm, UOP_AAD, 0},

	{ZYDIS_MNEMONIC_MOVSB, xi_string, UOP_MOVS | 1 << 16, 0},
	{ZYDIS_MNEMONIC_MOVSW, xi_string, UOP_MOVS | 2 << 16, 0},
	{ZYDIS_MNEMONIC_MOVSD, xi_string, UOP_MOVS | 4 << 16, 0},
	{ZYDIS_MNEMONIC_MOVSQ, xi_string, UOP_MOVS | 8 << 16, 0},
	{ZYDIS_MNEMONIC_STOSB, xi_string, UOP_STOS | 1 << 16, 0},
	{ZYDIS_MNEMONIC_STOSW, xi_string, UOP_STOS | 2 << 16, 0},
	{ZYDIS_MNEMONIC_STOSD, xi_string, UOP_STOS | 4 << 16, 0},
	{ZYDIS_MNEMONIC_STOSQ, xi_string, UOP_STOS | 8 << 16, 0},
	{ZYDIS_MNEMONIC_LODSB, xi_string, UOP_LODS | 1 << 16, 0},
	{ZYDIS_MNEMONIC_LODSW, xi_string, UOP_LODS | 2 << 16, 0},
	{ZYDIS_MNEMONIC_LODSD, xi_string, UOP_LODS | 4 << 16, 0},
	{ZYDIS_MNEMONIC_LODSQ, xi_string, UOP_LODS | 8 << 16, 0},
	{ZYDIS_MNEMONIC_SCASB, xi_string, UOP_SCAS | 1 << 16, 0},
	{ZYDIS_MNEMONIC_SCASW, xi_string, UOP_SCAS | 2 << 16, 0},
	{ZYDIS_MNEMONIC_SCASD, xi_string, UOP_SCAS | 4 << 16, 0},
	{ZYDIS_MNEMONIC_SCASQ, xi_string, UOP_SCAS | 8 << 16, 0},
	{ZYDIS_MNEMONIC_CMPSB, xi_string, UOP_CMPS | 1 << 16, 0},
	{ZYDIS_MNEMONIC_CMPSW, xi_string, UOP_CMPS | 2 << 16, 0},
	{ZYDIS_MNEMONIC_CMPSD, xi_string, UOP_CMPS | 4 << 16, 0},
	{ZYDIS_MNEMONIC_CMPSQ, xi_string, UOP_CMPS | 8 << 16, 0},
	{ZYDIS_MNEMONIC_INVALID, NULL, 0, 0},
};
