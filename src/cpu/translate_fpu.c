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
	for (unsigned i = 0; i < x->insn->operand_count; i++)
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

#define M(name) ZYDIS_MNEMONIC_##name

const struct xlate_entry xlate_fpu_table[] = {
	{ M(FWAIT), xlate_fwait, 0, FEAT_FPU },
	{ M(FNINIT), xlate_fpu_plain, UOP_FNINIT, FEAT_FPU },
	{ M(FNCLEX), xlate_fpu_plain, UOP_FNCLEX, FEAT_FPU },
	{ M(FLDCW), xlate_fpu_word, UOP_FLDCW, FEAT_FPU },
	{ M(FNSTCW), xlate_fpu_word, UOP_FNSTCW, FEAT_FPU },
	{ M(FNSTSW), xlate_fpu_word, UOP_FNSTSW_M, FEAT_FPU },
	{ M(FNSTENV), xlate_fpu_env, UOP_FNSTENV, FEAT_FPU },
	{ M(FLDENV), xlate_fpu_env, UOP_FLDENV, FEAT_FPU },
	{ M(FNSAVE), xlate_fpu_env, UOP_FNSAVE, FEAT_FPU },
	{ M(FRSTOR), xlate_fpu_env, UOP_FRSTOR, FEAT_FPU },
	{ 0 },
};

const struct xlate_entry xlate_mmx_table[] = {
	{ 0 },
};
