/* SPDX-License-Identifier: BSD-2-Clause */
/* x87: its state as a whole: reset, environment, save and restore, control and status words (SDM 1, 8.1). */
#include "src/cpu/fpu_exec.h"

void fpu_init(struct cpu_fpu *f, bool registers)
{
	fpu_host_clear();
	f->fcw = FCW_DEFAULT;
	f->fsw = 0;
	f->top = 0;
	f->ftw = 0;
	f->fop = 0;
	f->fip = f->fdp = 0;
	f->fcs = f->fds = 0;
	if (!registers)
		return;
	for (unsigned i = 0; i < 8; i++) {
		f->r[i].mant = 0;
		f->r[i].exp = 0;
	}
}

const uint16_t fpu_host_fcw = FCW_DEFAULT;

bool fpu_stack_fault(struct cpu_fpu *f, uint16_t c1)
{
	f->fsw = (uint16_t)((f->fsw & ~FSW_C1) | FSW_IE | FSW_SF | c1);
	fpu_update_es(f);
	return f->fcw & FSW_IE;
}

/*
 * With CR0.NE = 0 a PC's FERR# goes to the interrupt controller; software of the 386's time waits for that. It isn't
 * modelled: the instruction goes on, as with IGNNE# asserted.
 */
void fpu_pending(struct cpu *c, const struct uop *u)
{
	if (!(c->cr0 & CR0_NE))
		return;
	c->cur = u;
	cpu_raise(c, EXC_MF);
}

/* Always raises: the x87 is off, known when translating. UF_AUX: MMX, for which CR0.EM means #UD. */
const struct uop *fpu_unavailable(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	cpu_raise(c, (u->flags & UF_AUX) && (c->cr0 & CR0_EM) ? EXC_UD : EXC_NM);
}

/* FWAIT heeds CR0.TS only with CR0.MP, and CR0.EM not at all. */
const struct uop *fpu_fwait(struct cpu *c, const struct uop *u)
{
	if ((c->cr0 & (CR0_TS | CR0_MP)) == (CR0_TS | CR0_MP)) {
		c->cur = u;
		cpu_raise(c, EXC_NM);
	}
	fpu_wait(c, u);
	NEXT();
}

const struct uop *fpu_fninit(struct cpu *c, const struct uop *u)
{
	fpu_init(&c->fpu, false);
	NEXT();
}

const struct uop *fpu_fnclex(struct cpu *c, const struct uop *u)
{
	fpu_host_clear();
	c->fpu.fsw &= FSW_CC;
	NEXT();
}

const struct uop *fpu_fldcw(struct cpu *c, const struct uop *u)
{
	fpu_wait(c, u);
	fpu_set_control(&c->fpu, mmu_ld16(c, u, uop_lin(c, u)));
	NEXT();
}

const struct uop *fpu_fnstcw(struct cpu *c, const struct uop *u)
{
	mmu_st16(c, u, uop_lin(c, u), c->fpu.fcw);
	NEXT();
}

const struct uop *fpu_fnstsw_m(struct cpu *c, const struct uop *u)
{
	mmu_st16(c, u, uop_lin(c, u), fpu_status(&c->fpu));
	NEXT();
}

const struct uop *fpu_fnstsw_ax(struct cpu *c, const struct uop *u)
{
	REG16(c, R_RAX) = fpu_status(&c->fpu);
	NEXT();
}

/* ---- environment: u->size 2 or 4 (operand size); UF_AUX: real or virtual-8086 mode ---- */

#define FENV_BYTES(u) ((u)->size == 2 ? 14u : 28u)

/* The tag word, two bits for each physical register: 0 valid, 1 zero, 2 special, 3 empty. */
static uint16_t fpu_tag_word(const struct cpu_fpu *f)
{
	uint16_t tw = 0;

	for (unsigned i = 0; i < 8; i++) {
		const union fpreg *r = &f->r[i];
		unsigned exp = r->exp & 0x7fff, tag;

		if (!(f->ftw & BIT(i)))
			tag = 3;
		else if (!exp && !r->mant)
			tag = 1;
		else if (!exp || exp == 0x7fff || !(r->mant >> 63))
			tag = 2;
		else
			tag = 0;
		tw |= (uint16_t)(tag << (2 * i));
	}
	return tw;
}

/* SDM 1, figures 8-9 to 8-12. */
static void fpu_put_env(const struct cpu *c, const struct uop *u, uint8_t *p)
{
	const struct cpu_fpu *f = &c->fpu;
	bool real = u->flags & UF_AUX;
	uint32_t ip = (uint32_t)f->fip, dp = (uint32_t)f->fdp;

	if (real) {
		ip += (uint32_t)f->fcs << 4;
		dp += (uint32_t)f->fds << 4;
	}
	if (u->size == 2) {
		stn_le(p, 2, f->fcw);
		stn_le(p + 2, 2, fpu_status(f));
		stn_le(p + 4, 2, fpu_tag_word(f));
		stn_le(p + 6, 2, ip);
		stn_le(p + 8, 2, real ? ((ip >> 4) & 0xf000) | f->fop : f->fcs);
		stn_le(p + 10, 2, dp);
		stn_le(p + 12, 2, real ? (dp >> 4) & 0xf000 : f->fds);
		return;
	}
	stn_le(p, 4, 0xffff0000 | f->fcw);
	stn_le(p + 4, 4, 0xffff0000 | fpu_status(f));
	stn_le(p + 8, 4, 0xffff0000 | fpu_tag_word(f));
	if (real) {
		stn_le(p + 12, 4, 0xffff0000 | (ip & 0xffff));
		stn_le(p + 16, 4, ((ip >> 4) & 0x0ffff000) | f->fop);
		stn_le(p + 20, 4, 0xffff0000 | (dp & 0xffff));
		stn_le(p + 24, 4, (dp >> 4) & 0x0ffff000);
	} else {
		stn_le(p + 12, 4, ip);
		stn_le(p + 16, 4, (uint32_t)f->fop << 16 | f->fcs);
		stn_le(p + 20, 4, dp);
		stn_le(p + 24, 4, 0xffff0000 | f->fds);
	}
}

static void fpu_get_env(struct cpu *c, const struct uop *u, const uint8_t *p)
{
	struct cpu_fpu *f = &c->fpu;
	bool real = u->flags & UF_AUX;
	unsigned w = u->size; /* bytes from one field to the next */
	uint16_t tw = (uint16_t)ldn_le(p + 2 * w, 2);

	f->ftw = 0;
	for (unsigned i = 0; i < 8; i++)
		if (((tw >> (2 * i)) & 3) != 3)
			f->ftw |= BIT(i);
	f->fip = ldn_le(p + 3 * w, w);
	f->fdp = ldn_le(p + 5 * w, w);
	if (real) {
		/* A linear address: the high part stands in the next field, with the opcode. */
		uint32_t hi_ip = (uint32_t)ldn_le(p + 4 * w, w),
			 hi_dp = (uint32_t)ldn_le(p + 6 * w, w);

		f->fop = hi_ip & 0x7ff;
		f->fip = (f->fip & 0xffff) |
			 ((uint64_t)(hi_ip & (w == 2 ? 0xf000 : 0x0ffff000)) << 4);
		f->fdp = (f->fdp & 0xffff) |
			 ((uint64_t)(hi_dp & (w == 2 ? 0xf000 : 0x0ffff000)) << 4);
		f->fcs = f->fds = 0;
	} else {
		f->fcs = (uint16_t)ldn_le(p + 4 * w, 2);
		f->fds = (uint16_t)ldn_le(p + 6 * w, 2);
		f->fop = w == 4 ? ldn_le(p + 18, 2) & 0x7ff : 0;
	}
	fpu_set_control(f, (uint16_t)ldn_le(p, 2));
	fpu_set_status(f, (uint16_t)ldn_le(p + w, 2));
}

UOP_FRAME_FN(fpu_fnstenv)
{
	uint8_t env[28];

	fpu_put_env(c, u, env);
	mmu_store_bytes(c, u, uop_lin(c, u), env, FENV_BYTES(u));
	fpu_set_control(&c->fpu, c->fpu.fcw | FSW_EXC);
}

UOP_FRAME_FN(fpu_fldenv)
{
	uint8_t env[28];

	fpu_wait(c, u);
	mmu_load_bytes(c, u, uop_lin(c, u), env, FENV_BYTES(u));
	fpu_get_env(c, u, env);
}

UOP_FRAME_FN(fpu_fnsave)
{
	uint8_t image[28 + 80], *p = image + FENV_BYTES(u);

	fpu_put_env(c, u, image);
	for (unsigned i = 0; i < 8; i++, p += 10) {
		stn_le(p, 8, FPU_ST(&c->fpu, i).mant);
		stn_le(p + 8, 2, FPU_ST(&c->fpu, i).exp);
	}
	mmu_store_bytes(c, u, uop_lin(c, u), image, FENV_BYTES(u) + 80);
	fpu_init(&c->fpu, false);
}

UOP_FRAME_FN(fpu_frstor)
{
	uint8_t image[28 + 80], *p = image + FENV_BYTES(u);

	fpu_wait(c, u);
	mmu_load_bytes(c, u, uop_lin(c, u), image, FENV_BYTES(u) + 80);
	fpu_get_env(c, u, image);
	for (unsigned i = 0; i < 8; i++, p += 10) {
		FPU_ST(&c->fpu, i).mant = ldn_le(p, 8);
		FPU_ST(&c->fpu, i).exp = (uint16_t)ldn_le(p + 8, 2);
	}
}
