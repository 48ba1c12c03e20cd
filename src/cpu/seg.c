/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segmentation: descriptors, segment registers, and the stacks that gates and returns use (SDM 3A, chapters 3 and 5).
 */
#include "src/cpu/sys.h"

/* ---- descriptors ---- */

void raise_sel(struct cpu *c, int vector, uint16_t sel)
{
	cpu_raise_err(c, vector, (sel & 0xfffcu) | (c->exc_ext ? 1 : 0));
}

/* Linear address of SIZE bytes of the descriptor; false when null or outside the table. */
static bool desc_lin(const struct cpu *c, uint16_t sel, unsigned size, uint64_t *lin)
{
	uint32_t off = sel & 0xfff8u;

	if (!(sel & 0xfffcu))
		return false;
	if (sel & 4) {
		if (!(c->ldt.attr & SEG_P) || off + size - 1 > c->ldt.limit)
			return false;
		*lin = c->ldt.base + off;
	} else {
		if (off + size - 1 > c->gdt.limit)
			return false;
		*lin = c->gdt.base + off;
	}
	if (!(c->efer & EFER_LMA))
		*lin = (uint32_t)*lin;
	return true;
}

bool desc_fetch(struct cpu *c, uint16_t sel, struct desc *d)
{
	uint64_t lin, v;

	if (!desc_lin(c, sel, 8, &lin))
		return false;
	v = mmu_sys_load(c, lin, 8);
	d->lo = (uint32_t)v;
	d->hi = (uint32_t)(v >> 32);
	return true;
}

void desc_need(struct cpu *c, uint16_t sel, struct desc *d, int vector)
{
	if (!desc_fetch(c, sel, d))
		raise_sel(c, vector, sel);
}

uint32_t desc_fetch_high(struct cpu *c, uint16_t sel)
{
	uint64_t lin, v;

	if (!desc_lin(c, sel, 16, &lin))
		raise_sel(c, EXC_GP, sel);
	v = mmu_sys_load(c, lin + 8, 8);
	if ((v >> 40) & 0x1f)
		raise_sel(c, EXC_GP, sel);
	return (uint32_t)v;
}

void desc_set_accessed(struct cpu *c, uint16_t sel, struct desc *d)
{
	uint64_t lin;

	if (d->hi & BIT(8))
		return;
	d->hi |= BIT(8);
	if (desc_lin(c, sel, 8, &lin))
		mmu_sys_store(c, lin + 5, 1, (d->hi >> 8) & 0xff);
}

void desc_set_busy(struct cpu *c, uint16_t sel, bool busy)
{
	uint64_t lin, b;

	if (!desc_lin(c, sel, 8, &lin))
		return;
	b = mmu_sys_load(c, lin + 5, 1);
	mmu_sys_store(c, lin + 5, 1, busy ? b | 2 : b & ~2ull);
}

/* ---- segment registers ---- */

void seg_set(struct cpu *c, int s, uint16_t sel, uint64_t base, uint32_t limit, uint16_t attr)
{
	c->seg[s] = (struct cpu_seg){.sel = sel, .attr = attr, .limit = limit, .base = base};
	c->regs[R_ESBASE + s] = (c->mode & MODE_CODE64) && s < S_FS ? 0 : base;
}

void seg_set_desc(struct cpu *c, int s, uint16_t sel, const struct desc *d)
{
	seg_set(c, s, sel, desc_base(d), desc_limit(d), desc_attr(d));
}

void seg_set_real(struct cpu *c, int s, uint16_t sel)
{
	/* Limit and attributes stay what they were ("unreal" mode lives on it). */
	seg_set(c, s, sel, (uint64_t)sel << 4, c->seg[s].limit, c->seg[s].attr);
}

void seg_set_v86(struct cpu *c, int s, uint16_t sel)
{
	seg_set(c, s, sel, (uint64_t)sel << 4, 0xffff, SEG_P | 3 << 5 | SEG_S | SEG_RW | SEG_A);
}

void seg_check_ss(struct cpu *c, uint16_t sel, unsigned cpl, struct desc *d, int vector)
{
	uint16_t attr;

	desc_need(c, sel, d, vector);
	attr = desc_attr(d);
	if ((sel & 3) != cpl || SEG_DPL(attr) != cpl || !desc_is_data(attr) || !(attr & SEG_RW))
		raise_sel(c, vector, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_SS, sel);
}

static void load_ss(struct cpu *c, uint16_t sel)
{
	struct desc d;

	if (!(sel & 0xfffc)) {
		if (!(c->mode & MODE_CODE64) || c->cpl == 3 || (sel & 3) != c->cpl)
			cpu_raise_err(c, EXC_GP, c->exc_ext);
		seg_set(c, S_SS, sel, 0, 0, (uint16_t)(c->cpl << 5));
		return;
	}
	seg_check_ss(c, sel, c->cpl, &d, EXC_GP);
	desc_set_accessed(c, sel, &d);
	seg_set_desc(c, S_SS, sel, &d);
}

static void load_data(struct cpu *c, int s, uint16_t sel)
{
	struct desc d;
	uint16_t attr;

	if (!(sel & 0xfffc)) {
		seg_set(c, s, sel, 0, 0, 0);
		return;
	}
	desc_need(c, sel, &d, EXC_GP);
	attr = desc_attr(&d);
	if (!(attr & SEG_S) || (attr & (SEG_CODE | SEG_RW)) == SEG_CODE)
		raise_sel(c, EXC_GP, sel);
	if ((attr & (SEG_CODE | SEG_CONFORM)) != (SEG_CODE | SEG_CONFORM) &&
	    ((sel & 3u) > SEG_DPL(attr) || c->cpl > SEG_DPL(attr)))
		raise_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
	desc_set_accessed(c, sel, &d);
	seg_set_desc(c, s, sel, &d);
}

void seg_load(struct cpu *c, int s, uint16_t sel)
{
	if (!(c->cr0 & CR0_PE))
		seg_set_real(c, s, sel);
	else if (c->flags & FL_VM)
		seg_set_v86(c, s, sel);
	else if (s == S_SS)
		load_ss(c, sel);
	else
		load_data(c, s, sel);
}

void seg_drop_inner(struct cpu *c)
{
	static const uint8_t data[] = {S_ES, S_DS, S_FS, S_GS};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(data); i++) {
		const struct cpu_seg *s = &c->seg[data[i]];

		if ((s->attr & SEG_S) &&
		    (s->attr & (SEG_CODE | SEG_CONFORM)) != (SEG_CODE | SEG_CONFORM) &&
		    SEG_DPL(s->attr) < c->cpl)
			seg_set(c, data[i], 0, s->base, 0,
				0); /* 64-bit code goes on using the base of FS and GS */
	}
}

void seg_load_ldt(struct cpu *c, uint16_t sel)
{
	uint64_t base;
	struct desc d;

	if (!(sel & 0xfffc)) {
		c->ldt = (struct cpu_seg){.sel = sel};
		return;
	}
	if ((sel & 4) || !desc_fetch(c, sel, &d))
		raise_sel(c, EXC_GP, sel);
	if ((desc_attr(&d) & (SEG_S | 15)) != SYS_LDT)
		raise_sel(c, EXC_GP, sel);
	if (!(desc_attr(&d) & SEG_P))
		raise_sel(c, EXC_NP, sel);
	base = desc_base(&d);
	if (c->efer & EFER_LMA) {
		base |= (uint64_t)desc_fetch_high(c, sel) << 32;
		if (!is_canonical(base))
			raise_sel(c, EXC_GP, sel);
	}
	c->ldt = (struct cpu_seg){
		.sel = sel, .attr = desc_attr(&d), .limit = desc_limit(&d), .base = base};
}

void seg_load_tr(struct cpu *c, uint16_t sel)
{
	uint64_t base;
	struct desc d;
	uint16_t type;

	if (!(sel & 0xfffc))
		cpu_raise_err(c, EXC_GP, 0);
	if ((sel & 4) || !desc_fetch(c, sel, &d))
		raise_sel(c, EXC_GP, sel);
	type = desc_attr(&d) & (SEG_S | 15);
	if (type != SYS_TSS && (type != SYS_TSS16 || (c->efer & EFER_LMA)))
		raise_sel(c, EXC_GP, sel);
	if (!(desc_attr(&d) & SEG_P))
		raise_sel(c, EXC_NP, sel);
	base = desc_base(&d);
	if (c->efer & EFER_LMA) {
		base |= (uint64_t)desc_fetch_high(c, sel) << 32;
		if (!is_canonical(base))
			raise_sel(c, EXC_GP, sel);
	}
	desc_set_busy(c, sel, true);
	c->tr = (struct cpu_seg){
		.sel = sel, .attr = desc_attr(&d) | 2, .limit = desc_limit(&d), .base = base};
}

/* ---- LAR, LSL, VERR, VERW ---- */

/* What these may see at the current privilege: any conforming code, else DPL not below CPL and RPL. */
static bool desc_visible(struct cpu *c, uint16_t sel, struct desc *d)
{
	uint16_t attr;

	if (!desc_fetch(c, sel, d))
		return false;
	attr = desc_attr(d);
	if (desc_is_code(attr) && (attr & SEG_CONFORM))
		return true;
	return SEG_DPL(attr) >= c->cpl && SEG_DPL(attr) >= (sel & 3u);
}

bool seg_lar(struct cpu *c, uint16_t sel, uint32_t *value)
{
	uint32_t types = BIT(SYS_TSS16) | BIT(SYS_LDT) | BIT(SYS_TSS16_BUSY) | BIT(SYS_CALL16) |
			 BIT(SYS_TASK) | BIT(SYS_TSS) | BIT(SYS_TSS_BUSY) | BIT(SYS_CALL);
	struct desc d;

	if (!desc_visible(c, sel, &d))
		return false;
	if (c->efer & EFER_LMA)
		types = BIT(SYS_LDT) | BIT(SYS_TSS) | BIT(SYS_TSS_BUSY) | BIT(SYS_CALL);
	if (!(desc_attr(&d) & SEG_S) && !(types & BIT(SEG_TYPE(desc_attr(&d)))))
		return false;
	*value = d.hi & 0x00f0ff00u; /* bits 19-16 are undefined */
	return true;
}

bool seg_lsl(struct cpu *c, uint16_t sel, uint32_t *value)
{
	uint32_t types = BIT(SYS_TSS16) | BIT(SYS_LDT) | BIT(SYS_TSS16_BUSY) | BIT(SYS_TSS) |
			 BIT(SYS_TSS_BUSY);
	struct desc d;

	if (!desc_visible(c, sel, &d))
		return false;
	if (c->efer & EFER_LMA)
		types = BIT(SYS_LDT) | BIT(SYS_TSS) | BIT(SYS_TSS_BUSY);
	if (!(desc_attr(&d) & SEG_S) && !(types & BIT(SEG_TYPE(desc_attr(&d)))))
		return false;
	*value = desc_limit(&d);
	return true;
}

bool seg_verify(struct cpu *c, uint16_t sel, bool write)
{
	struct desc d;
	uint16_t attr;

	if (!desc_visible(c, sel, &d))
		return false;
	attr = desc_attr(&d);
	if (!(attr & SEG_S))
		return false;
	if (write)
		return desc_is_data(attr) && (attr & SEG_RW);
	return desc_is_data(attr) || (attr & SEG_RW);
}

/* ---- limits ---- */

/* The last byte at FIRST + SIZE - 1 lies within LIMIT, up or down (SDM 3A 5.3). */
static bool limit_allows(uint16_t attr, uint32_t limit, uint32_t first, unsigned size)
{
	uint64_t last = (uint64_t)first + size - 1;

	if (desc_is_data(attr) && (attr & SEG_CONFORM))
		return first > limit && last <= (attr & SEG_DB ? UINT32_MAX : 0xffff);
	return last <= limit;
}

bool seg_allows(struct cpu *c, int s, uint32_t offset, unsigned size)
{
	return limit_allows(c->seg[s].attr, c->seg[s].limit, offset, size);
}

void seg_check(struct cpu *c, int s, uint32_t offset, unsigned size, bool write)
{
	const struct cpu_seg *g = &c->seg[s];
	int vector = s == S_SS ? EXC_SS : EXC_GP;

	if (!limit_allows(g->attr, g->limit, offset, size))
		cpu_raise_err(c, vector, 0);
	if (is_real_or_v86(c))
		return;
	if (!(g->attr & SEG_P) || !(g->attr & SEG_S))
		cpu_raise_err(c, vector, 0);
	if (write ? (g->attr & SEG_CODE) || !(g->attr & SEG_RW)
		  : (g->attr & (SEG_CODE | SEG_RW)) == SEG_CODE)
		cpu_raise_err(c, vector, 0);
}

/* ---- stacks ---- */

static uint64_t stack_mask(const struct cpu *c, bool wide, uint16_t attr)
{
	return wide ? UINT64_MAX : attr & SEG_DB ? UINT32_MAX : 0xffff;
}

void stack_current(struct cpu *c, struct stack *s)
{
	s->wide = c->mode & MODE_CODE64;
	s->mask = stack_mask(c, s->wide, c->seg[S_SS].attr);
	s->base = s->wide ? 0 : c->seg[S_SS].base;
	s->sp = c->regs[R_RSP];
	s->limit = c->seg[S_SS].limit;
	s->attr = c->seg[S_SS].attr;
	s->error = 0;
	s->supervisor = c->cpl != 3;
}

void stack_from_desc(struct cpu *c, struct stack *s, uint16_t sel, const struct desc *d,
		     uint64_t sp, unsigned cpl)
{
	s->wide = false;
	s->attr = desc_attr(d);
	s->mask = stack_mask(c, false, s->attr);
	s->base = desc_base(d);
	s->sp = sp;
	s->limit = desc_limit(d);
	s->error = sel & 0xfffc;
	s->supervisor = cpl != 3;
}

static void stack_check(struct cpu *c, const struct stack *s, uint64_t sp, unsigned size)
{
	if (s->wide) {
		if (unlikely(!is_canonical(sp) || !is_canonical(sp + size - 1)))
			raise_sel(c, EXC_SS, s->error);
	} else if (unlikely(!limit_allows(s->attr, s->limit, (uint32_t)sp, size))) {
		raise_sel(c, EXC_SS, s->error);
	}
}

static uint64_t stack_lin(const struct stack *s, uint64_t sp)
{
	return s->wide ? sp : (uint32_t)(s->base + sp);
}

void stack_push(struct cpu *c, struct stack *s, unsigned size, uint64_t value)
{
	uint64_t sp = (s->sp - size) & s->mask;

	stack_check(c, s, sp, size);
	mmu_store_as(c, stack_lin(s, sp), size, value, s->supervisor);
	s->sp = (s->sp & ~s->mask) | sp;
}

uint64_t stack_pop(struct cpu *c, struct stack *s, unsigned size)
{
	uint64_t sp = s->sp & s->mask, value;

	stack_check(c, s, sp, size);
	value = mmu_load_as(c, stack_lin(s, sp), size, s->supervisor);
	s->sp = (s->sp & ~s->mask) | ((sp + size) & s->mask);
	return value;
}

void stack_room(struct cpu *c, const struct stack *s, unsigned bytes)
{
	stack_check(c, s, (s->sp - bytes) & s->mask, bytes);
}

void stack_commit(struct cpu *c, const struct stack *s)
{
	c->regs[R_RSP] = (c->regs[R_RSP] & ~s->mask) | (s->sp & s->mask);
	if (s->mask == UINT32_MAX)
		c->regs[R_RSP] = (uint32_t)c->regs[R_RSP];
}

/* ---- stacks in the TSS ---- */

void tss_stack(struct cpu *c, unsigned cpl, uint16_t *ss, uint32_t *sp)
{
	bool wide = (c->tr.attr & 15) == SYS_TSS_BUSY || (c->tr.attr & 15) == SYS_TSS;
	uint32_t off = wide ? 4 + cpl * 8 : 2 + cpl * 4;

	if (!(c->tr.attr & SEG_P) || off + (wide ? 5 : 3) > c->tr.limit)
		raise_sel(c, EXC_TS, c->tr.sel);
	*sp = (uint32_t)mmu_sys_load(c, (uint32_t)(c->tr.base + off), wide ? 4 : 2);
	*ss = (uint16_t)mmu_sys_load(c, (uint32_t)(c->tr.base + off + (wide ? 4 : 2)), 2);
}

uint64_t tss_rsp(struct cpu *c, unsigned n)
{
	/* RSP0-2 at 4, 12, 20; IST1-7 at 36. */
	uint32_t off = n < 3 ? 4 + n * 8 : 36 + (n - 4) * 8;

	if (!(c->tr.attr & SEG_P) || off + 7 > c->tr.limit)
		raise_sel(c, EXC_TS, c->tr.sel);
	return mmu_sys_load(c, c->tr.base + off, 8);
}
