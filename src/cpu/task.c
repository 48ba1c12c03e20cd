/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches, 16- and 32-bit (SDM 3A, chapter 7). Not in long mode.
 *
 * Up to the point where TR changes, a fault belongs to the old task and nothing has happened but accesses to memory;
 * after it, the new task's registers are in place with all descriptors invalid, and a fault belongs to the new task.
 */
#include "src/cpu/sys.h"

/* 32-bit TSS (figure 7-2) */
enum {
	TSS_LINK = 0,
	TSS_CR3 = 0x1c,
	TSS_EIP = 0x20,
	TSS_EFLAGS = 0x24,
	TSS_GPR = 0x28,
	TSS_SEG = 0x48,
	TSS_LDT = 0x60,
	TSS_TRAP = 0x64,
	TSS_MIN_LIMIT = 0x67,
};

/* 16-bit TSS (figure 7-10) */
enum {
	TSS16_IP = 0x0e,
	TSS16_FLAGS = 0x10,
	TSS16_GPR = 0x12,
	TSS16_SEG = 0x22,
	TSS16_LDT = 0x2a,
	TSS16_MIN_LIMIT = 0x2b,
};

/* A task's state as a TSS holds it. Segments in the order ES CS SS DS FS GS. */
struct task {
	uint32_t cr3, eip, eflags, gpr[8];
	uint16_t seg[S_NSEGS], ldt;
	bool trap;
};

static bool is_wide(uint16_t attr)
{
	return attr & 8;
}

static uint32_t tss_read(struct cpu *c, uint64_t base, unsigned off, unsigned size)
{
	return (uint32_t)mmu_sys_load(c, (uint32_t)(base + off), size);
}

static void tss_write(struct cpu *c, uint64_t base, unsigned off, unsigned size, uint32_t value)
{
	mmu_sys_store(c, (uint32_t)(base + off), size, value);
}

static void tss_load(struct cpu *c, uint64_t base, bool wide, struct task *t)
{
	unsigned i;

	memset(t, 0, sizeof(*t));
	if (!wide) {
		t->eip = tss_read(c, base, TSS16_IP, 2);
		t->eflags = tss_read(c, base, TSS16_FLAGS, 2);
		for (i = 0; i < 8; i++)
			t->gpr[i] = tss_read(c, base, TSS16_GPR + i * 2, 2) | 0xffff0000u;
		for (i = 0; i < 4; i++)
			t->seg[i] = (uint16_t)tss_read(c, base, TSS16_SEG + i * 2, 2);
		t->ldt = (uint16_t)tss_read(c, base, TSS16_LDT, 2);
		return;
	}
	t->cr3 = tss_read(c, base, TSS_CR3, 4);
	t->eip = tss_read(c, base, TSS_EIP, 4);
	t->eflags = tss_read(c, base, TSS_EFLAGS, 4);
	for (i = 0; i < 8; i++)
		t->gpr[i] = tss_read(c, base, TSS_GPR + i * 4, 4);
	for (i = 0; i < S_NSEGS; i++)
		t->seg[i] = (uint16_t)tss_read(c, base, TSS_SEG + i * 4, 2);
	t->ldt = (uint16_t)tss_read(c, base, TSS_LDT, 2);
	t->trap = tss_read(c, base, TSS_TRAP, 2) & 1;
}

/* CR3 and the LDT selector are not saved. */
static void tss_save(struct cpu *c, uint32_t eip, uint32_t eflags)
{
	uint64_t base = c->tr.base;
	unsigned i;

	if (!is_wide(c->tr.attr)) {
		tss_write(c, base, TSS16_IP, 2, eip);
		tss_write(c, base, TSS16_FLAGS, 2, eflags);
		for (i = 0; i < 8; i++)
			tss_write(c, base, TSS16_GPR + i * 2, 2, (uint32_t)c->regs[i]);
		for (i = 0; i < 4; i++)
			tss_write(c, base, TSS16_SEG + i * 2, 2, c->seg[i].sel);
		return;
	}
	tss_write(c, base, TSS_EIP, 4, eip);
	tss_write(c, base, TSS_EFLAGS, 4, eflags);
	for (i = 0; i < 8; i++)
		tss_write(c, base, TSS_GPR + i * 4, 4, (uint32_t)c->regs[i]);
	for (i = 0; i < S_NSEGS; i++)
		tss_write(c, base, TSS_SEG + i * 4, 2, c->seg[i].sel);
}

uint16_t task_gate_tss(struct cpu *c, const struct desc *gate)
{
	uint16_t sel = (uint16_t)(gate->lo >> 16);
	unsigned type;
	struct desc d;

	if ((sel & 4) || !desc_fetch(c, sel, &d))
		raise_sel(c, EXC_GP, sel);
	type = desc_attr(&d) & (SEG_S | 15);
	if (type != SYS_TSS16 && type != SYS_TSS)
		raise_sel(c, EXC_GP, sel);
	if (!(desc_attr(&d) & SEG_P))
		raise_sel(c, EXC_NP, sel);
	return sel;
}

/* ---- the new task's segments ---- */

static void load_task_ldt(struct cpu *c, uint16_t sel)
{
	struct desc d;

	c->ldt = (struct cpu_seg){.sel = sel};
	if (!(sel & 0xfffc))
		return;
	if ((sel & 4) || !desc_fetch(c, sel, &d) || (desc_attr(&d) & (SEG_S | 15)) != SYS_LDT ||
	    !(desc_attr(&d) & SEG_P))
		raise_sel(c, EXC_TS, sel);
	c->ldt = (struct cpu_seg){
		.sel = sel, .attr = desc_attr(&d), .limit = desc_limit(&d), .base = desc_base(&d)};
}

static void load_task_cs(struct cpu *c, uint16_t sel)
{
	unsigned rpl = sel & 3;
	struct desc d;
	uint16_t attr;

	desc_need(c, sel, &d, EXC_TS);
	attr = desc_attr(&d);
	if (!desc_is_code(attr) ||
	    (attr & SEG_CONFORM ? SEG_DPL(attr) > rpl : SEG_DPL(attr) != rpl))
		raise_sel(c, EXC_TS, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
	desc_set_accessed(c, sel, &d);
	seg_set_desc(c, S_CS, sel, &d);
}

static void load_task_ss(struct cpu *c, uint16_t sel)
{
	struct desc d;

	seg_check_ss(c, sel, c->cpl, &d, EXC_TS);
	desc_set_accessed(c, sel, &d);
	seg_set_desc(c, S_SS, sel, &d);
}

static void load_task_data(struct cpu *c, int s, uint16_t sel)
{
	struct desc d;
	uint16_t attr;

	if (!(sel & 0xfffc))
		return;
	desc_need(c, sel, &d, EXC_TS);
	attr = desc_attr(&d);
	if (!(attr & SEG_S) || (attr & (SEG_CODE | SEG_RW)) == SEG_CODE)
		raise_sel(c, EXC_TS, sel);
	if ((attr & (SEG_CODE | SEG_CONFORM)) != (SEG_CODE | SEG_CONFORM) &&
	    ((sel & 3u) > SEG_DPL(attr) || c->cpl > SEG_DPL(attr)))
		raise_sel(c, EXC_TS, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
	desc_set_accessed(c, sel, &d);
	seg_set_desc(c, s, sel, &d);
}

static void load_task_segments(struct cpu *c, const struct task *t)
{
	int s;

	for (s = 0; s < S_NSEGS; s++)
		seg_set(c, s, t->seg[s], 0, 0, 0);
	c->cpl = t->eflags & FL_VM ? 3 : t->seg[S_CS] & 3;
	cpu_mode_changed(c);
	load_task_ldt(c, t->ldt);
	if (t->eflags & FL_VM) {
		for (s = 0; s < S_NSEGS; s++)
			seg_set_v86(c, s, t->seg[s]);
		cpu_mode_changed(c);
		return;
	}
	load_task_cs(c, t->seg[S_CS]);
	load_task_ss(c, t->seg[S_SS]);
	load_task_data(c, S_DS, t->seg[S_DS]);
	load_task_data(c, S_ES, t->seg[S_ES]);
	load_task_data(c, S_FS, t->seg[S_FS]);
	load_task_data(c, S_GS, t->seg[S_GS]);
	cpu_mode_changed(c);
}

/* ---- the switch ---- */

/* The descriptor of the task to go to; #TS or #GP, #NP by what makes it unusable. */
static void check_tss(struct cpu *c, uint16_t sel, enum task_why why, struct desc *d)
{
	unsigned type, want = why == TASK_IRET ? 2 : 0;

	if ((sel & 4) || !desc_fetch(c, sel, d))
		raise_sel(c, why == TASK_IRET ? EXC_TS : EXC_GP, sel);
	type = desc_attr(d) & (SEG_S | 15);
	if ((type & ~8u) != (SYS_TSS16 | want))
		raise_sel(c, why == TASK_IRET ? EXC_TS : EXC_GP, sel);
	if (!(desc_attr(d) & SEG_P))
		raise_sel(c, EXC_NP, sel);
	if (desc_limit(d) < (is_wide(desc_attr(d)) ? TSS_MIN_LIMIT : TSS16_MIN_LIMIT))
		raise_sel(c, EXC_TS, sel);
}

/* Everything that the switch will write must be writable before it begins. */
static void probe_tss(struct cpu *c, uint64_t base, bool wide)
{
	mmu_probe_as(c, (uint32_t)base, (wide ? TSS_MIN_LIMIT : TSS16_MIN_LIMIT) + 1u, ACC_WRITE,
		     true);
}

static void load_task(struct cpu *c, const struct task *t, bool wide)
{
	unsigned i;

	if (wide && (c->cr0 & CR0_PG)) {
		if (c->cr4 & CR4_PAE)
			mmu_load_pdptes(c, t->cr3);
		c->cr3 = t->cr3;
		mmu_flush_nonglobal(c);
	}
	for (i = 0; i < 8; i++)
		c->regs[i] = t->gpr[i];
	cpu_set_eflags(c, (t->eflags & 0x277fd7u) | FL_1);
	c->rip = t->eip;
	c->cur = NULL;
	/* Breakpoints that are local to a task. */
	c->dr[7] &= ~0x155ull;
}

/* EFLAGS: the image to save. */
static bool switch_to(struct cpu *c, uint16_t sel, enum task_why why, uint64_t next_rip,
		      uint32_t eflags)
{
	struct task t;
	struct desc d;
	uint64_t base;
	bool wide;

	check_tss(c, sel, why, &d);
	wide = is_wide(desc_attr(&d));
	base = desc_base(&d);
	probe_tss(c, c->tr.base, is_wide(c->tr.attr));
	probe_tss(c, base, wide);
	if (why != TASK_CALL)
		desc_set_busy(c, c->tr.sel, false);
	if (why == TASK_IRET)
		eflags &= ~FL_NT;
	tss_save(c, (uint32_t)next_rip, eflags);
	tss_load(c, base, wide, &t);
	if (why == TASK_CALL) {
		tss_write(c, base, TSS_LINK, 2, c->tr.sel);
		t.eflags |= FL_NT;
	}
	if (why != TASK_IRET)
		desc_set_busy(c, sel, true);
	c->tr = (struct cpu_seg){
		.sel = sel, .attr = desc_attr(&d) | 2, .limit = desc_limit(&d), .base = base};
	c->cr0 |= CR0_TS;
	load_task(c, &t, wide);
	load_task_segments(c, &t);
	code_check_offset(c, c->seg[S_CS].attr, c->seg[S_CS].limit, c->rip);
	if (t.trap)
		c->db_pending |= BIT(15); /* BT */
	return wide;
}

/* The T bit of the new TSS: #DB before its first instruction. */
static void task_trap(struct cpu *c)
{
	if (!(c->db_pending & BIT(15)))
		return;
	c->db_pending &= ~(uint64_t)BIT(15);
	cpu_raise_db(c, BIT(15));
}

void task_switch(struct cpu *c, uint16_t sel, enum task_why why, uint64_t next_rip)
{
	switch_to(c, sel, why, next_rip, (uint32_t)cpu_eflags(c));
	task_trap(c);
}

void task_switch_event(struct cpu *c, uint16_t sel, uint64_t eflags, bool has_error, uint32_t error)
{
	bool wide = switch_to(c, sel, TASK_CALL, c->rip, (uint32_t)eflags);
	struct stack s;

	if (has_error) {
		stack_current(c, &s);
		stack_push(c, &s, wide ? 4 : 2, error);
		stack_commit(c, &s);
	}
	task_trap(c);
}
