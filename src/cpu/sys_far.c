/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Far control transfers: JMP, CALL, RET and IRET in all modes, with call gates and stack switches (SDM 2A CALL, IRET,
 * JMP, RET; 3A 5.8). Each either ends with everything done or faults before the first change of a register.
 */
#include "src/cpu/sys.h"

/* The next instruction is at OFF. */
static void set_rip(struct cpu *c, uint64_t off)
{
	c->rip = off;
	c->cur = NULL;
}

static uint64_t offset_mask(unsigned opsize)
{
	return opsize == 2 ? 0xffff : opsize == 4 ? UINT32_MAX : UINT64_MAX;
}

void code_check_offset(struct cpu *c, uint16_t attr, uint32_t limit, uint64_t off)
{
	bool ok = (c->efer & EFER_LMA) && (attr & SEG_L) ? is_canonical(off) : off <= limit;

	if (!ok)
		cpu_raise_err(c, EXC_GP, c->exc_ext ? 1 : 0);
}

/* L and D together are reserved in long mode. */
static void check_code_width(struct cpu *c, uint16_t sel, uint16_t attr)
{
	if ((c->efer & EFER_LMA) && (attr & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB))
		raise_sel(c, EXC_GP, sel);
}

static void load_cs(struct cpu *c, uint16_t sel, struct desc *d, unsigned cpl, uint64_t off)
{
	c->cpl = (uint8_t)cpl;
	seg_set_desc(c, S_CS, (uint16_t)((sel & ~3u) | cpl), d);
	set_rip(c, off);
	cpu_mode_changed(c);
}

static void far_real(struct cpu *c, uint16_t sel, uint64_t off)
{
	if (off > c->seg[S_CS].limit)
		cpu_raise_err(c, EXC_GP, 0);
	if (c->flags & FL_VM)
		seg_set_v86(c, S_CS, sel);
	else
		seg_set_real(c, S_CS, sel);
	set_rip(c, off);
	cpu_mode_changed(c);
}

/* A code segment that JMP or CALL names directly. */
static void check_direct(struct cpu *c, uint16_t sel, const struct desc *d)
{
	uint16_t attr = desc_attr(d);

	if (attr & SEG_CONFORM ? SEG_DPL(attr) > c->cpl
			       : (sel & 3u) > c->cpl || SEG_DPL(attr) != c->cpl)
		raise_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
	check_code_width(c, sel, attr);
}

/* Gates and TSSs: DPL against CPL and RPL, then presence. */
static void check_system(struct cpu *c, uint16_t sel, uint16_t attr)
{
	if (SEG_DPL(attr) < c->cpl || SEG_DPL(attr) < (sel & 3u))
		raise_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
}

struct call_gate {
	uint16_t sel;
	uint64_t off;
	unsigned size, params;
	struct desc target;
	uint16_t attr;
};

/* Reads the gate and judges its target; JUMP may not change the privilege. */
static void open_gate(struct cpu *c, uint16_t sel, const struct desc *d, bool jump,
		      struct call_gate *g)
{
	unsigned type = desc_attr(d) & 15;

	check_system(c, sel, desc_attr(d));
	g->sel = (uint16_t)(d->lo >> 16);
	g->off = d->lo & 0xffff;
	g->params = d->hi & 31;
	g->size = type == SYS_CALL16 ? 2 : 4;
	if (type == SYS_CALL)
		g->off |= d->hi & 0xffff0000u;
	if (c->efer & EFER_LMA) {
		g->off |= (uint64_t)desc_fetch_high(c, sel) << 32;
		g->size = 8;
		g->params = 0;
	}
	if (!(g->sel & 0xfffc))
		cpu_raise_err(c, EXC_GP, 0);
	desc_need(c, g->sel, &g->target, EXC_GP);
	g->attr = desc_attr(&g->target);
	if (!desc_is_code(g->attr) || SEG_DPL(g->attr) > c->cpl ||
	    (jump && !(g->attr & SEG_CONFORM) && SEG_DPL(g->attr) != c->cpl))
		raise_sel(c, EXC_GP, g->sel);
	if ((c->efer & EFER_LMA) && (g->attr & (SEG_L | SEG_DB)) != SEG_L)
		raise_sel(c, EXC_GP, g->sel);
	if (!(g->attr & SEG_P))
		raise_sel(c, EXC_NP, g->sel);
}

/* TSS or task gate. */
static void far_task(struct cpu *c, uint16_t sel, const struct desc *d, enum task_why why,
		     uint64_t next_rip)
{
	check_system(c, sel, desc_attr(d));
	if ((desc_attr(d) & 15) == SYS_TASK)
		sel = task_gate_tss(c, d);
	task_switch(c, sel, why, next_rip);
}

/* True for call gates; task switches are done; anything else faults. */
static bool far_system(struct cpu *c, uint16_t sel, const struct desc *d, enum task_why why,
		       uint64_t next_rip)
{
	unsigned type = desc_attr(d) & (SEG_S | 15);

	if (type == SYS_CALL || (type == SYS_CALL16 && !(c->efer & EFER_LMA)))
		return true;
	if ((c->efer & EFER_LMA) || (type != SYS_TASK && type != SYS_TSS16 && type != SYS_TSS))
		raise_sel(c, EXC_GP, sel);
	far_task(c, sel, d, why, next_rip);
	return false;
}

void far_jump(struct cpu *c, uint16_t sel, uint64_t off, unsigned opsize)
{
	struct call_gate g;
	struct desc d;

	off &= offset_mask(opsize);
	if (is_real_or_v86(c)) {
		far_real(c, sel, off);
		return;
	}
	if (!(sel & 0xfffc))
		cpu_raise_err(c, EXC_GP, 0);
	desc_need(c, sel, &d, EXC_GP);
	if (desc_is_code(desc_attr(&d))) {
		check_direct(c, sel, &d);
		code_check_offset(c, desc_attr(&d), desc_limit(&d), off);
		desc_set_accessed(c, sel, &d);
		load_cs(c, sel, &d, c->cpl, off);
		return;
	}
	if (!far_system(c, sel, &d, TASK_JUMP, c->block->rip + c->cur->ip + c->cur->ilen))
		return;
	open_gate(c, sel, &d, true, &g);
	code_check_offset(c, g.attr, desc_limit(&g.target), g.off);
	desc_set_accessed(c, g.sel, &g.target);
	load_cs(c, g.sel, &g.target, c->cpl, g.off);
}

static void push_return(struct cpu *c, struct stack *s, unsigned size, uint64_t next_rip)
{
	stack_room(c, s, 2 * size);
	stack_push(c, s, size, c->seg[S_CS].sel);
	stack_push(c, s, size, next_rip);
}

/* Through a gate to an inner privilege, outside long mode. */
static void call_inner(struct cpu *c, struct call_gate *g, uint64_t next_rip)
{
	unsigned cpl = SEG_DPL(g->attr), i;
	struct stack s, old;
	uint32_t params[31], sp;
	struct desc ssd;
	uint16_t ss;

	tss_stack(c, cpl, &ss, &sp);
	if (!(ss & 0xfffc))
		raise_sel(c, EXC_TS, ss);
	seg_check_ss(c, ss, cpl, &ssd, EXC_TS);
	stack_from_desc(c, &s, ss, &ssd, sp, cpl);
	stack_room(c, &s, (4 + g->params) * g->size);
	code_check_offset(c, g->attr, desc_limit(&g->target), g->off);
	stack_current(c, &old);
	for (i = 0; i < g->params; i++)
		params[i] = (uint32_t)stack_pop(c, &old, g->size);
	stack_push(c, &s, g->size, c->seg[S_SS].sel);
	stack_push(c, &s, g->size, c->regs[R_RSP]);
	for (i = g->params; i-- > 0;)
		stack_push(c, &s, g->size, params[i]);
	push_return(c, &s, g->size, next_rip);
	desc_set_accessed(c, ss, &ssd);
	desc_set_accessed(c, g->sel, &g->target);
	seg_set_desc(c, S_SS, ss, &ssd);
	c->regs[R_RSP] = sp;
	stack_commit(c, &s);
	load_cs(c, g->sel, &g->target, cpl, g->off);
}

static void call_inner_64(struct cpu *c, struct call_gate *g, uint64_t next_rip)
{
	unsigned cpl = SEG_DPL(g->attr);
	struct stack s = {.mask = UINT64_MAX, .supervisor = cpl != 3, .wide = true};

	s.sp = tss_rsp(c, cpl);
	code_check_offset(c, g->attr, 0, g->off);
	stack_push(c, &s, 8, c->seg[S_SS].sel);
	stack_push(c, &s, 8, c->regs[R_RSP]);
	push_return(c, &s, 8, next_rip);
	desc_set_accessed(c, g->sel, &g->target);
	seg_set(c, S_SS, (uint16_t)cpl, 0, 0, (uint16_t)(cpl << 5));
	c->regs[R_RSP] = s.sp;
	load_cs(c, g->sel, &g->target, cpl, g->off);
}

static void call_gate(struct cpu *c, struct call_gate *g, uint64_t next_rip)
{
	struct stack s;

	if (!(g->attr & SEG_CONFORM) && SEG_DPL(g->attr) < c->cpl) {
		if (c->efer & EFER_LMA)
			call_inner_64(c, g, next_rip);
		else
			call_inner(c, g, next_rip);
		return;
	}
	stack_current(c, &s);
	if (c->efer & EFER_LMA) { /* the handler is 64-bit code, whatever the caller is */
		s.wide = true;
		s.mask = UINT64_MAX;
		s.base = 0;
	}
	code_check_offset(c, g->attr, desc_limit(&g->target), g->off);
	push_return(c, &s, g->size, next_rip);
	desc_set_accessed(c, g->sel, &g->target);
	stack_commit(c, &s);
	load_cs(c, g->sel, &g->target, c->cpl, g->off);
}

void far_call(struct cpu *c, uint16_t sel, uint64_t off, unsigned opsize, uint64_t next_rip)
{
	struct call_gate g;
	struct stack s;
	struct desc d;

	off &= offset_mask(opsize);
	if (is_real_or_v86(c)) {
		if (off > c->seg[S_CS].limit)
			cpu_raise_err(c, EXC_GP, 0);
		stack_current(c, &s);
		push_return(c, &s, opsize, next_rip);
		stack_commit(c, &s);
		far_real(c, sel, off);
		return;
	}
	if (!(sel & 0xfffc))
		cpu_raise_err(c, EXC_GP, 0);
	desc_need(c, sel, &d, EXC_GP);
	if (!desc_is_code(desc_attr(&d))) {
		if (!far_system(c, sel, &d, TASK_CALL, next_rip))
			return;
		open_gate(c, sel, &d, false, &g);
		call_gate(c, &g, next_rip);
		return;
	}
	check_direct(c, sel, &d);
	stack_current(c, &s);
	stack_room(c, &s, 2 * opsize);
	code_check_offset(c, desc_attr(&d), desc_limit(&d), off);
	push_return(c, &s, opsize, next_rip);
	desc_set_accessed(c, sel, &d);
	stack_commit(c, &s);
	load_cs(c, sel, &d, c->cpl, off);
}

/* ---- returns ---- */

/* The code segment that RET and IRET go to. */
static void check_return_cs(struct cpu *c, uint16_t sel, struct desc *d)
{
	uint16_t attr;

	if (!(sel & 0xfffc))
		cpu_raise_err(c, EXC_GP, 0);
	desc_need(c, sel, d, EXC_GP);
	attr = desc_attr(d);
	if (!desc_is_code(attr) || (sel & 3u) < c->cpl ||
	    (attr & SEG_CONFORM ? SEG_DPL(attr) > (sel & 3u) : SEG_DPL(attr) != (sel & 3u)))
		raise_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
	check_code_width(c, sel, attr);
}

/* SS that comes off the stack. True: a null one, which 64-bit code below privilege 3 may have. */
static bool check_return_ss(struct cpu *c, uint16_t ss, unsigned cpl, uint16_t cs_attr,
			    struct desc *d)
{
	if (!(ss & 0xfffc)) {
		if ((c->efer & EFER_LMA) && (cs_attr & SEG_L) && cpl != 3 && (ss & 3u) == cpl)
			return true;
		cpu_raise_err(c, EXC_GP, 0);
	}
	seg_check_ss(c, ss, cpl, d, EXC_GP);
	return false;
}

static void put_return_ss(struct cpu *c, uint16_t ss, unsigned cpl, bool null, struct desc *d)
{
	if (null)
		seg_set(c, S_SS, ss, 0, 0, (uint16_t)(cpl << 5));
	else
		seg_set_desc(c, S_SS, ss, d);
}

/* RSP on the way out, by the width of the new stack. */
static void put_return_sp(struct cpu *c, uint64_t sp, bool code64)
{
	if (code64)
		c->regs[R_RSP] = sp;
	else if (c->seg[S_SS].attr & SEG_DB)
		c->regs[R_RSP] = (uint32_t)sp;
	else
		c->regs[R_RSP] = (c->regs[R_RSP] & ~0xffffull) | (sp & 0xffff);
}

void far_return(struct cpu *c, unsigned opsize, unsigned release)
{
	struct desc d, ssd;
	uint64_t off, sp;
	uint16_t sel, ss;
	struct stack s;
	unsigned cpl;
	bool null;

	stack_current(c, &s);
	off = stack_pop(c, &s, opsize);
	sel = (uint16_t)stack_pop(c, &s, opsize);
	if (is_real_or_v86(c)) {
		if (off > c->seg[S_CS].limit)
			cpu_raise_err(c, EXC_GP, 0);
		s.sp += release;
		stack_commit(c, &s);
		far_real(c, sel, off);
		return;
	}
	check_return_cs(c, sel, &d);
	cpl = sel & 3;
	s.sp += release;
	if (cpl == c->cpl) {
		code_check_offset(c, desc_attr(&d), desc_limit(&d), off);
		desc_set_accessed(c, sel, &d);
		stack_commit(c, &s);
		load_cs(c, sel, &d, cpl, off);
		return;
	}
	sp = stack_pop(c, &s, opsize);
	ss = (uint16_t)stack_pop(c, &s, opsize);
	null = check_return_ss(c, ss, cpl, desc_attr(&d), &ssd);
	code_check_offset(c, desc_attr(&d), desc_limit(&d), off);
	desc_set_accessed(c, sel, &d);
	if (!null)
		desc_set_accessed(c, ss, &ssd);
	put_return_ss(c, ss, cpl, null, &ssd);
	put_return_sp(c, sp + release, (c->efer & EFER_LMA) && (desc_attr(&d) & SEG_L));
	load_cs(c, sel, &d, cpl, off);
	seg_drop_inner(c);
	cpu_mode_changed(c);
}

/* ---- IRET ---- */

#define IRET_FLAGS (FL_ARITH | FL_TF | FL_DF | FL_NT)

void sys_write_flags(struct cpu *c, uint64_t value, uint64_t mask)
{
	cpu_set_eflags(c, (cpu_eflags(c) & ~mask) | (value & mask));
}

/* What IRET may change, judged by the privilege and mode it is executed at. */
static uint64_t iret_mask(const struct cpu *c, unsigned opsize)
{
	uint64_t mask = IRET_FLAGS | FL_RF | FL_AC | FL_ID;

	if (c->cpl <= (c->flags & FL_IOPL) >> 12)
		mask |= FL_IF;
	if (c->cpl == 0)
		mask |= FL_IOPL | FL_VIF | FL_VIP;
	return opsize == 2 ? mask & 0xffff : mask;
}

/* After EFLAGS came off the stack: RF lasts one instruction, and only breakpoints ask for it. */
static void iret_done(struct cpu *c)
{
	cpu_mode_changed(c);
	if (!(c->mode & MODE_BP))
		c->flags &= ~(uint64_t)FL_RF;
	else if (c->flags & FL_RF)
		c->keep_rf = c->block && (c->block->mode & MODE_ONE);
}

static void iret_real(struct cpu *c, unsigned opsize)
{
	uint64_t off, fl, mask = IRET_FLAGS | FL_IF | FL_IOPL | FL_RF | FL_AC | FL_ID;
	struct stack s;
	uint16_t sel;

	if (c->flags & FL_VM) {
		if ((c->flags & FL_IOPL) != FL_IOPL)
			cpu_raise_err(c, EXC_GP, 0);
		mask &= ~(uint64_t)FL_IOPL;
	}
	stack_current(c, &s);
	off = stack_pop(c, &s, opsize);
	sel = (uint16_t)stack_pop(c, &s, opsize);
	fl = stack_pop(c, &s, opsize);
	if (off > c->seg[S_CS].limit)
		cpu_raise_err(c, EXC_GP, 0);
	stack_commit(c, &s);
	far_real(c, sel, off);
	sys_write_flags(c, fl, opsize == 2 ? mask & 0xffff : mask);
	iret_done(c);
}

/* From privilege 0 into virtual-8086 mode. */
static void iret_to_v86(struct cpu *c, struct stack *s, uint16_t sel, uint64_t off, uint64_t fl)
{
	static const uint8_t order[] = {S_SS, S_ES, S_DS, S_FS, S_GS};
	uint16_t sels[ARRAY_SIZE(order)];
	uint64_t sp;
	unsigned i;

	sp = stack_pop(c, s, 4);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		sels[i] = (uint16_t)stack_pop(c, s, 4);
	sys_write_flags(c, fl, ~0ull >> 32);
	c->cpl = 3;
	for (i = 0; i < ARRAY_SIZE(order); i++)
		seg_set_v86(c, order[i], sels[i]);
	seg_set_v86(c, S_CS, sel);
	c->regs[R_RSP] = (uint32_t)sp;
	set_rip(c, off & 0xffff);
	iret_done(c);
}

static void iret_protected(struct cpu *c, unsigned opsize)
{
	uint64_t off, fl, sp = 0, mask = iret_mask(c, opsize);
	struct desc d, ssd;
	uint16_t sel, ss = 0;
	bool pops_ss, null = false;
	struct stack s;
	unsigned cpl;

	stack_current(c, &s);
	off = stack_pop(c, &s, opsize);
	sel = (uint16_t)stack_pop(c, &s, opsize);
	fl = stack_pop(c, &s, opsize);
	if ((fl & FL_VM) && opsize == 4 && c->cpl == 0 && !(c->efer & EFER_LMA)) {
		iret_to_v86(c, &s, sel, off, fl);
		return;
	}
	check_return_cs(c, sel, &d);
	cpl = sel & 3;
	pops_ss = cpl != c->cpl || (c->mode & MODE_CODE64);
	if (pops_ss) {
		sp = stack_pop(c, &s, opsize);
		ss = (uint16_t)stack_pop(c, &s, opsize);
		null = check_return_ss(c, ss, cpl, desc_attr(&d), &ssd);
	}
	code_check_offset(c, desc_attr(&d), desc_limit(&d), off);
	desc_set_accessed(c, sel, &d);
	if (pops_ss) {
		bool outer = cpl != c->cpl;

		if (!null)
			desc_set_accessed(c, ss, &ssd);
		put_return_ss(c, ss, cpl, null, &ssd);
		put_return_sp(c, sp, (c->efer & EFER_LMA) && (desc_attr(&d) & SEG_L));
		c->cpl = (uint8_t)cpl;
		if (outer)
			seg_drop_inner(c);
	} else {
		stack_commit(c, &s);
	}
	sys_write_flags(c, fl, mask);
	seg_set_desc(c, S_CS, sel, &d);
	set_rip(c, off);
	iret_done(c);
}

/* NT: back to the task whose selector is in the current TSS. */
static void iret_task(struct cpu *c)
{
	uint16_t link;

	if (c->efer & EFER_LMA)
		cpu_raise_err(c, EXC_GP, 0);
	link = (uint16_t)mmu_sys_load(c, (uint32_t)c->tr.base, 2);
	if ((link & 4) || !(link & 0xfffc))
		raise_sel(c, EXC_TS, link);
	task_switch(c, link, TASK_IRET, c->block->rip + c->cur->ip + c->cur->ilen);
}

void far_iret(struct cpu *c, unsigned opsize)
{
	if (unlikely(c->nmi_pending)) /* another one has been waiting for this */
		__atomic_store_n(&c->exit_request, 1, __ATOMIC_RELAXED);
	c->nmi_blocked = false;
	if (is_real_or_v86(c))
		iret_real(c, opsize);
	else if (c->flags & FL_NT)
		iret_task(c);
	else
		iret_protected(c, opsize);
}
