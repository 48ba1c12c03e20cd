/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that leave for other code or load segments: SYSCALL and SYSENTER with their returns, INT n, far
 * transfers, MOV, PUSH and POP of segment registers, LAR and its like.
 */
#include "src/cpu/sys_ops.h"

/* ---- fast system calls (SDM 2B SYSCALL, SYSRET; APM 3) ---- */

#define ATTR_CODE64(dpl) (SEG_G | SEG_L | SEG_P | (dpl) << 5 | SEG_S | SEG_CODE | SEG_RW | SEG_A)
#define ATTR_CODE32(dpl) (SEG_G | SEG_DB | SEG_P | (dpl) << 5 | SEG_S | SEG_CODE | SEG_RW | SEG_A)
#define ATTR_DATA32(dpl) (SEG_G | SEG_DB | SEG_P | (dpl) << 5 | SEG_S | SEG_RW | SEG_A)

static void flat_segments(struct cpu *c, unsigned cs, bool code64, unsigned ss, unsigned cpl)
{
	c->cpl = (uint8_t)cpl;
	seg_set(c, S_CS, (uint16_t)cs, 0, UINT32_MAX,
		(uint16_t)(code64 ? ATTR_CODE64(cpl) : ATTR_CODE32(cpl)));
	seg_set(c, S_SS, (uint16_t)ss, 0, UINT32_MAX, (uint16_t)ATTR_DATA32(cpl));
}

static bool is_intel(const struct cpu *c)
{
	return !strcmp(c->model->vendor, "GenuineIntel");
}

/* AMD's processors have SYSCALL in every protected mode, Intel's in 64-bit mode alone. */
static void check_syscall(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	if (!(c->efer & EFER_SCE) || (is_intel(c) && !(c->mode & MODE_CODE64)))
		cpu_raise(c, EXC_UD);
}

/*
 * Unlike other instructions, SYSCALL and SYSRET are followed by a single-step trap when TF is set after them, not when
 * it was before: FMASK keeps it out of the kernel, and R11 brings it on before the first instruction of the user.
 */
static const struct uop *fast_call_done(struct cpu *c, uint64_t rip)
{
	bool stepping = c->block->mode & MODE_STEP;

	cpu_mode_changed(c);
	if (c->flags & FL_TF) {
		c->rip = rip;
		c->cur = NULL;
		cpu_raise_db(c, BIT(14)); /* BS */
	}
	c->step_done = stepping;
	return sys_done(c, rip);
}

const struct uop *op_syscall(struct cpu *c, const struct uop *u)
{
	unsigned sel = (unsigned)(c->star >> 32) & 0xfffc;

	check_syscall(c, u);
	if (!(c->cr0 & CR0_PE))
		cpu_raise(c, EXC_UD);
	if (c->efer & EFER_LMA) {
		uint64_t target = c->mode & MODE_CODE64 ? c->lstar : c->cstar;

		c->regs[R_RCX] = u->imm;
		c->regs[R_R11] = cpu_eflags(c) & ~(uint64_t)FL_RF;
		cpu_set_eflags(c, c->regs[R_R11] & ~c->fmask);
		flat_segments(c, sel, true, sel + 8, 0);
		return fast_call_done(c, target);
	}
	c->regs[R_RCX] = (uint32_t)u->imm;
	c->flags &= ~(uint64_t)(FL_IF | FL_VM | FL_RF);
	flat_segments(c, sel, false, sel + 8, 0);
	cpu_mode_changed(c);
	return sys_done(c, (uint32_t)c->star);
}

const struct uop *op_sysret(struct cpu *c, const struct uop *u)
{
	unsigned sel = (unsigned)(c->star >> 48) & 0xfffc;
	bool wide = u->size == 8;
	uint64_t rip = wide ? c->regs[R_RCX] : (uint32_t)c->regs[R_RCX];

	check_syscall(c, u);
	if (!(c->cr0 & CR0_PE) || c->cpl)
		cpu_raise_err(c, EXC_GP, 0);
	/* AMD's processors let a bad RCX fault in the code returned to. */
	if (wide && is_intel(c) && !is_canonical(rip))
		cpu_raise_err(c, EXC_GP, 0);
	if (c->efer & EFER_LMA)
		cpu_set_eflags(c, (c->regs[R_R11] & 0x3c7fd7u) | FL_1);
	else
		c->flags |= FL_IF;
	flat_segments(c, (wide ? sel + 16 : sel) | 3, wide, (sel + 8) | 3, 3);
	return fast_call_done(c, rip);
}

/* Not in long mode on AMD's processors. */
static void check_sysenter(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	if ((c->efer & EFER_LMA) && !is_intel(c))
		cpu_raise(c, EXC_UD);
	if (!(c->cr0 & CR0_PE) || !(c->sysenter_cs & 0xfffc))
		cpu_raise_err(c, EXC_GP, 0);
}

const struct uop *op_sysenter(struct cpu *c, const struct uop *u)
{
	unsigned sel = (unsigned)c->sysenter_cs & 0xfffc;
	bool wide = c->efer & EFER_LMA;

	check_sysenter(c, u);
	c->flags &= ~(uint64_t)(FL_VM | FL_IF | FL_RF);
	flat_segments(c, sel, wide, sel + 8, 0);
	c->regs[R_RSP] = wide ? c->sysenter_esp : (uint32_t)c->sysenter_esp;
	cpu_mode_changed(c);
	return sys_done(c, wide ? c->sysenter_eip : (uint32_t)c->sysenter_eip);
}

const struct uop *op_sysexit(struct cpu *c, const struct uop *u)
{
	unsigned sel = (unsigned)c->sysenter_cs & 0xfffc;
	bool wide = u->size == 8;
	uint64_t rip = c->regs[R_RDX], rsp = c->regs[R_RCX];

	check_sysenter(c, u);
	if (c->cpl || (wide && (!is_canonical(rip) || !is_canonical(rsp))))
		cpu_raise_err(c, EXC_GP, 0);
	flat_segments(c, (wide ? sel + 32 : sel + 16) | 3, wide, (wide ? sel + 40 : sel + 24) | 3,
		      3);
	c->regs[R_RSP] = wide ? rsp : (uint32_t)rsp;
	cpu_mode_changed(c);
	return sys_done(c, wide ? rip : (uint32_t)rip);
}

/* ---- software interrupts ---- */

const struct uop *op_int(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	excp_software(c, u->dst, u->imm, u->flags & UF_AUX);
	STOP();
}

const struct uop *op_into(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	if (!(cc_compute(c) & FL_OF))
		return sys_done(c, u->imm);
	excp_software(c, EXC_OF, u->imm, false);
	STOP();
}

/* ---- far transfers ---- */

/* m16:16, m16:32, m16:64 at the memory operand. */
static uint16_t load_far_pointer(struct cpu *c, const struct uop *u, uint64_t *off)
{
	uint8_t buf[10];

	mmu_load_bytes(c, u, uop_lin(c, u), buf, 2u + u->size);
	*off = ldn_le(buf, u->size);
	c->cur = u;
	return (uint16_t)ldn_le(buf + u->size, 2);
}

const struct uop *op_jmp_far(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	far_jump(c, (uint16_t)(u->imm >> 32), (uint32_t)u->imm, u->size);
	STOP();
}

const struct uop *op_jmp_far_mem(struct cpu *c, const struct uop *u)
{
	uint64_t off;
	uint16_t sel = load_far_pointer(c, u, &off);

	far_jump(c, sel, off, u->size);
	STOP();
}

static uint64_t next_rip(const struct cpu *c, const struct uop *u)
{
	uint64_t rip = UOP_NEXT_RIP(c, u);

	return c->mode & MODE_CODE64 ? rip : (uint32_t)rip;
}

const struct uop *op_call_far(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	far_call(c, (uint16_t)(u->imm >> 32), (uint32_t)u->imm, u->size, next_rip(c, u));
	STOP();
}

const struct uop *op_call_far_mem(struct cpu *c, const struct uop *u)
{
	uint64_t off;
	uint16_t sel = load_far_pointer(c, u, &off);

	far_call(c, sel, off, u->size, next_rip(c, u));
	STOP();
}

const struct uop *op_ret_far(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	far_return(c, u->size, (unsigned)u->imm);
	STOP();
}

const struct uop *op_iret(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	far_iret(c, u->size);
	STOP();
}

/* ---- segment registers ---- */

const struct uop *op_sreg_read(struct cpu *c, const struct uop *u)
{
	if (u->flags & UF_MEM)
		mmu_st16(c, u, uop_lin(c, u), c->seg[u->src].sel);
	else
		sys_put_gpr(c, u->dst, u->size, c->seg[u->src].sel);
	NEXT();
}

static void load_sreg(struct cpu *c, const struct uop *u)
{
	uint16_t sel =
		u->flags & UF_MEM ? mmu_ld16(c, u, uop_lin(c, u)) : (uint16_t)c->regs[u->src];

	c->cur = u;
	seg_load(c, u->dst, sel);
}

const struct uop *op_sreg_write(struct cpu *c, const struct uop *u)
{
	load_sreg(c, u);
	if (u->dst == S_SS)
		c->irq_inhibit = 2;
	cpu_mode_changed(c);
	return sys_done(c, u->imm);
}

const struct uop *op_sreg_write64(struct cpu *c, const struct uop *u)
{
	load_sreg(c, u);
	NEXT();
}

static uint64_t stack_lin(struct cpu *c, const struct stack *s, uint64_t sp, unsigned size,
			  bool write)
{
	if (s->wide)
		return sp;
	seg_check(c, S_SS, (uint32_t)sp, size, write);
	return (uint32_t)(s->base + sp);
}

static uint64_t load_sized(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size)
{
	return size == 8   ? mmu_ld64(c, u, lin)
	       : size == 4 ? mmu_ld32(c, u, lin)
			   : mmu_ld16(c, u, lin);
}

const struct uop *op_sreg_pop(struct cpu *c, const struct uop *u)
{
	uint64_t sp, lin;
	struct stack s;
	uint16_t sel;

	c->cur = u;
	stack_current(c, &s);
	sp = s.sp & s.mask;
	lin = stack_lin(c, &s, sp, u->size, false);
	sel = (uint16_t)load_sized(c, u, lin, u->size);
	c->cur = u;
	seg_load(c, u->dst, sel);
	s.sp = sp + u->size;
	stack_commit(c, &s);
	if (u->dst == S_SS)
		c->irq_inhibit = 2;
	cpu_mode_changed(c);
	return sys_done(c, u->imm);
}

const struct uop *op_load_far(struct cpu *c, const struct uop *u)
{
	uint64_t off;
	uint16_t sel = load_far_pointer(c, u, &off);

	seg_load(c, u->src, sel);
	sys_put_gpr(c, u->dst, u->size, off);
	cpu_mode_changed(c);
	return sys_done(c, u->imm);
}

/* ---- LAR, LSL, VERR, VERW, ARPL ---- */

static void put_zf(struct cpu *c, bool zf)
{
	cc_set(c, (cc_compute(c) & ~FL_ZF) | (zf ? FL_ZF : 0));
}

static uint16_t selector_operand(struct cpu *c, const struct uop *u)
{
	uint16_t sel =
		u->flags & UF_MEM ? mmu_ld16(c, u, uop_lin(c, u)) : (uint16_t)c->regs[u->src];

	c->cur = u;
	return sel;
}

UOP_FRAME_FN(op_lar)
{
	uint16_t sel = selector_operand(c, u);
	uint32_t v;
	bool ok = u->flags & UF_AUX ? seg_lsl(c, sel, &v) : seg_lar(c, sel, &v);

	if (ok)
		sys_put_gpr(c, u->dst, u->size, v);
	put_zf(c, ok);
}

const struct uop *op_verr(struct cpu *c, const struct uop *u)
{
	uint16_t sel = selector_operand(c, u);

	put_zf(c, seg_verify(c, sel, u->flags & UF_AUX));
	NEXT();
}

const struct uop *op_arpl(struct cpu *c, const struct uop *u)
{
	uint16_t rpl = (uint16_t)c->regs[u->src] & 3, sel;
	uint64_t lin = 0;

	c->cur = u;
	if (u->flags & UF_MEM) {
		lin = uop_lin(c, u);
		mmu_probe(c, u, lin, 2, ACC_WRITE);
		sel = mmu_ld16(c, u, lin);
	} else {
		sel = REG16(c, u->dst);
	}
	if ((sel & 3) >= rpl) {
		put_zf(c, false);
		NEXT();
	}
	sel = (uint16_t)((sel & ~3u) | rpl);
	if (u->flags & UF_MEM)
		mmu_st16(c, u, lin, sel);
	else
		REG16(c, u->dst) = sel;
	put_zf(c, true);
	NEXT();
}
