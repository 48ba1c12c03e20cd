/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System instructions on the processor's own state: control and debug registers, descriptor table registers, flags,
 * bases, cache and TLB control, CPUID and its like. Far transfers and what surrounds them are in sys_far.c and
 * sys_call.c, MSRs in sys_msr.c, ports in sys_io.c.
 *
 * Where the privilege follows from the block's mode, translate_sys.c has checked it.
 */
#include <sys/random.h>
#include "src/cpu/lapic.h"
#include "src/cpu/sys_ops.h"

const struct uop *op_nothing(struct cpu *c, const struct uop *u)
{
	NEXT();
}

/* ---- control registers (SDM 3A 2.5, 4.1) ---- */

static void gp0(struct cpu *c) __attribute__((noreturn));
static void gp0(struct cpu *c)
{
	cpu_raise_err(c, EXC_GP, 0);
}

static void enter_long_mode(struct cpu *c)
{
	if (!(c->cr4 & CR4_PAE) || (c->seg[S_CS].attr & SEG_L))
		gp0(c);
	c->efer |= EFER_LMA;
}

void sys_set_cr0(struct cpu *c, uint64_t value)
{
	uint64_t known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW |
			 CR0_CD | CR0_PG;
	uint64_t changed;

	if (value >> 32)
		gp0(c);
	value = (value & known) | CR0_ET;
	changed = value ^ c->cr0;
	if (((value & CR0_PG) && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD)))
		gp0(c);
	if (changed & CR0_PG) {
		if (value & CR0_PG) {
			if (c->efer & EFER_LME)
				enter_long_mode(c);
			else if (c->cr4 & CR4_PAE)
				mmu_load_pdptes(c, c->cr3);
		} else {
			if (c->mode & MODE_CODE64)
				gp0(c);
			c->efer &= ~(uint64_t)EFER_LMA;
		}
	}
	c->cr0 = value;
	if ((changed & CR0_PE) && !(value & CR0_PE))
		c->cpl = 0;
	if (changed & (CR0_PG | CR0_WP | CR0_PE))
		mmu_config_changed(c);
	cpu_mode_changed(c);
}

void sys_set_cr3(struct cpu *c, uint64_t value)
{
	if (c->efer & EFER_LMA) {
		if (value & ~c->phys_mask)
			gp0(c);
	} else {
		if ((c->cr4 & CR4_PAE) && (c->cr0 & CR0_PG))
			mmu_load_pdptes(c, value);
		value = (uint32_t)value;
	}
	c->cr3 = value;
	mmu_flush_nonglobal(c);
}

/* Bits that the guest may set, by what its CPUID shows. */
static uint64_t cr4_known(struct cpu *c)
{
	static const struct {
		unsigned feature;
		uint64_t bits;
	} rows[] = {
		{FEAT_TSC, CR4_TSD},	       {FEAT_DE, CR4_DE},	   {FEAT_PSE, CR4_PSE},
		{FEAT_PAE, CR4_PAE},	       {FEAT_MCE, CR4_MCE},	   {FEAT_PGE, CR4_PGE},
		{FEAT_FXSR, CR4_OSFXSR},       {FEAT_SSE, CR4_OSXMMEXCPT}, {FEAT_UMIP, CR4_UMIP},
		{FEAT_FSGSBASE, CR4_FSGSBASE}, {FEAT_XSAVE, CR4_OSXSAVE},  {FEAT_SMEP, CR4_SMEP},
		{FEAT_SMAP, CR4_SMAP},
	};
	uint64_t known = CR4_PCE;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (cpu_has(c, rows[i].feature))
			known |= rows[i].bits;
	}
	return known;
}

void sys_set_cr4(struct cpu *c, uint64_t value)
{
	uint64_t changed = value ^ c->cr4;

	if ((value & ~cr4_known(c)) || ((c->efer & EFER_LMA) && !(value & CR4_PAE)))
		gp0(c);
	if ((changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP)) && (value & CR4_PAE) &&
	    (c->cr0 & CR0_PG) && !(c->efer & EFER_LMA))
		mmu_load_pdptes(c, c->cr3);
	c->cr4 = value;
	if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP))
		mmu_config_changed(c);
	cpu_mode_changed(c);
}

const struct uop *op_cr_read(struct cpu *c, const struct uop *u)
{
	uint64_t v = 0;

	switch (u->src) {
	case 0:
		v = c->cr0;
		break;
	case 2:
		v = c->cr2;
		break;
	case 3:
		v = c->cr3;
		break;
	case 4:
		v = c->cr4;
		break;
	case 8:
		v = c->lapic ? lapic_get_tpr(c->lapic) >> 4 : 0;
		break;
	}
	sys_put_gpr(c, u->dst, u->size, v);
	NEXT();
}

const struct uop *op_cr_write(struct cpu *c, const struct uop *u)
{
	uint64_t v = u->size == 8 ? c->regs[u->src] : (uint32_t)c->regs[u->src];

	c->cur = u;
	switch (u->dst) {
	case 0:
		sys_set_cr0(c, v);
		break;
	case 2:
		c->cr2 = v;
		break;
	case 3:
		sys_set_cr3(c, v);
		break;
	case 4:
		sys_set_cr4(c, v);
		break;
	case 8:
		if (v >> 4)
			gp0(c);
		if (c->lapic)
			lapic_set_tpr(c->lapic, (uint8_t)(v << 4));
		break;
	}
	return sys_done(c, u->imm);
}

const struct uop *op_clts(struct cpu *c, const struct uop *u)
{
	c->cr0 &= ~(uint64_t)CR0_TS;
	cpu_mode_changed(c);
	return sys_done(c, u->imm);
}

const struct uop *op_lmsw(struct cpu *c, const struct uop *u)
{
	uint64_t v;

	c->cur = u;
	v = u->flags & UF_MEM ? mmu_ld16(c, u, uop_lin(c, u)) : c->regs[u->src];
	/* PE, MP, EM, TS; PE can't be cleared by it. */
	sys_set_cr0(c, (c->cr0 & ~0xeull) | (v & 0xf));
	return sys_done(c, u->imm);
}

/* UMIP: SGDT, SIDT, SLDT, STR and SMSW fault outside privilege 0. */
static void check_umip(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	if ((c->cr4 & CR4_UMIP) && c->cpl)
		gp0(c);
}

const struct uop *op_smsw(struct cpu *c, const struct uop *u)
{
	check_umip(c, u);
	if (u->flags & UF_MEM)
		mmu_st16(c, u, uop_lin(c, u), (uint16_t)c->cr0);
	else
		sys_put_gpr(c, u->dst, u->size, c->cr0);
	NEXT();
}

/* ---- debug registers (SDM 3B 17.2) ---- */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE is set; DR7.GD guards all. */
static unsigned check_dr(struct cpu *c, const struct uop *u, unsigned n)
{
	c->cur = u;
	if (n == 4 || n == 5) {
		if (c->cr4 & CR4_DE)
			cpu_raise(c, EXC_UD);
		n += 2;
	}
	if (c->dr[7] & BIT(13)) {
		cpu_sync_rip(c);
		cpu_raise_db(c, BIT(13)); /* BD */
	}
	return n;
}

const struct uop *op_dr_read(struct cpu *c, const struct uop *u)
{
	unsigned n = check_dr(c, u, u->src);

	sys_put_gpr(c, u->dst, u->size, c->dr[n]);
	NEXT();
}

const struct uop *op_dr_write(struct cpu *c, const struct uop *u)
{
	unsigned n = check_dr(c, u, u->dst);
	uint64_t v = u->size == 8 ? c->regs[u->src] : (uint32_t)c->regs[u->src];

	if (n >= 6 && v >> 32)
		gp0(c);
	if (n == 6)
		v = (v & 0xe00f) | 0xffff0ff0u;
	else if (n == 7)
		v = (v & 0xffff23ffu) | 0x400;
	c->dr[n] = v;
	if (n == 7)
		cpu_mode_changed(c);
	return sys_done(c, u->imm);
}

/* ---- descriptor table registers ---- */

UOP_FRAME_FN(op_sgdt)
{
	const struct cpu_dtr *t = u->dst ? &c->idt : &c->gdt;
	uint8_t buf[10];

	check_umip(c, u);
	stn_le(buf, 2, t->limit);
	stn_le(buf + 2, 8, t->base);
	mmu_store_bytes(c, u, uop_lin(c, u), buf, 2u + u->size);
}

UOP_FRAME_FN(op_lgdt)
{
	struct cpu_dtr *t = u->dst ? &c->idt : &c->gdt;
	uint8_t buf[10];
	uint64_t base;

	mmu_load_bytes(c, u, uop_lin(c, u), buf, 2u + u->size);
	base = ldn_le(buf + 2, u->size);
	if (u->size == 8 && !is_canonical(base)) {
		c->cur = u;
		gp0(c);
	}
	/* A 16-bit operand loads 24 bits of base. */
	t->base = u->flags & UF_AUX ? base & 0xffffff : base;
	t->limit = (uint16_t)ldn_le(buf, 2);
}

const struct uop *op_sldt(struct cpu *c, const struct uop *u)
{
	uint16_t sel = u->src ? c->tr.sel : c->ldt.sel;

	check_umip(c, u);
	if (u->flags & UF_MEM)
		mmu_st16(c, u, uop_lin(c, u), sel);
	else
		sys_put_gpr(c, u->dst, u->size, sel);
	NEXT();
}

const struct uop *op_lldt(struct cpu *c, const struct uop *u)
{
	uint16_t sel;

	c->cur = u;
	sel = u->flags & UF_MEM ? mmu_ld16(c, u, uop_lin(c, u)) : (uint16_t)c->regs[u->src];
	c->cur = u;
	if (u->dst)
		seg_load_tr(c, sel);
	else
		seg_load_ldt(c, sel);
	NEXT();
}

/* ---- TLB ---- */

const struct uop *op_invlpg(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u);

	if (!(c->efer & EFER_LMA) || is_canonical(lin))
		mmu_flush_page(c, lin);
	return sys_done(c, u->imm);
}

/* ---- interrupts and flags ---- */

const struct uop *op_hlt(struct cpu *c, const struct uop *u)
{
	c->halted = true;
	return sys_done(c, u->imm);
}

static void check_iopl(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	if (c->flags & FL_VM ? (c->flags & FL_IOPL) != FL_IOPL
			     : c->cpl > (c->flags & FL_IOPL) >> 12)
		gp0(c);
}

const struct uop *op_cli(struct cpu *c, const struct uop *u)
{
	check_iopl(c, u);
	c->flags &= ~(uint64_t)FL_IF;
	NEXT();
}

const struct uop *op_sti(struct cpu *c, const struct uop *u)
{
	check_iopl(c, u);
	if (!(c->flags & FL_IF)) {
		c->flags |= FL_IF;
		c->irq_inhibit = 1;
	}
	return sys_done(c, u->imm);
}

const struct uop *op_ac(struct cpu *c, const struct uop *u)
{
	if (u->imm)
		c->flags |= FL_AC;
	else
		c->flags &= ~(uint64_t)FL_AC;
	/* At privilege 0 it bears on SMAP alone; with data breakpoints every access stays checked. */
	if (c->cr4 & CR4_SMAP) {
		c->mmu_index = u->imm ? MMU_KERNEL : MMU_KERNEL_SMAP;
		if (c->tlb != c->tables[MMU_CHECKED])
			c->tlb = c->tables[c->mmu_index];
	}
	NEXT();
}

/* ---- bases ---- */

const struct uop *op_swapgs(struct cpu *c, const struct uop *u)
{
	uint64_t base = c->regs[R_GSBASE];

	c->regs[R_GSBASE] = c->seg[S_GS].base = c->kernel_gs_base;
	c->kernel_gs_base = base;
	NEXT();
}

static void check_fsgsbase(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	if (!(c->cr4 & CR4_FSGSBASE))
		cpu_raise(c, EXC_UD);
}

const struct uop *op_base_read(struct cpu *c, const struct uop *u)
{
	check_fsgsbase(c, u);
	sys_put_gpr(c, u->dst, u->size, c->regs[R_ESBASE + u->src]);
	NEXT();
}

const struct uop *op_base_write(struct cpu *c, const struct uop *u)
{
	uint64_t v = u->size == 8 ? c->regs[u->src] : (uint32_t)c->regs[u->src];

	check_fsgsbase(c, u);
	if (!is_canonical(v))
		gp0(c);
	c->regs[R_ESBASE + u->dst] = c->seg[u->dst].base = v;
	NEXT();
}

/* ---- CPUID and what it tells of ---- */

static void put_edx_eax(struct cpu *c, uint64_t v)
{
	c->regs[R_RAX] = (uint32_t)v;
	c->regs[R_RDX] = v >> 32;
}

UOP_FRAME_FN(op_cpuid)
{
	uint32_t out[4];

	cpu_cpuid(c, (uint32_t)c->regs[R_RAX], (uint32_t)c->regs[R_RCX], out);
	c->regs[R_RAX] = out[0];
	c->regs[R_RBX] = out[1];
	c->regs[R_RCX] = out[2];
	c->regs[R_RDX] = out[3];
}

const struct uop *op_rdtsc(struct cpu *c, const struct uop *u)
{
	put_edx_eax(c, cpu_rdtsc(c));
	NEXT();
}

const struct uop *op_rdtscp(struct cpu *c, const struct uop *u)
{
	put_edx_eax(c, cpu_rdtsc(c));
	c->regs[R_RCX] = (uint32_t)c->tsc_aux;
	NEXT();
}

const struct uop *op_rdpid(struct cpu *c, const struct uop *u)
{
	c->regs[u->dst] = (uint32_t)c->tsc_aux;
	NEXT();
}

/* There are no performance counters. */
const struct uop *op_rdpmc(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	gp0(c);
}

UOP_FRAME_FN(op_rdrand)
{
	uint64_t v = 0;
	bool ok = getrandom(&v, u->size, GRND_NONBLOCK) == (ssize_t)u->size;

	sys_put_gpr(c, u->dst, u->size, v);
	cc_set(c, ok ? FL_CF : 0);
}

const struct uop *op_xgetbv(struct cpu *c, const struct uop *u)
{
	uint32_t index = (uint32_t)c->regs[R_RCX];

	c->cur = u;
	if (!(c->cr4 & CR4_OSXSAVE))
		cpu_raise(c, EXC_UD);
	/* Index 1 is XINUSE; both of its states are taken to be in use. */
	if (index > 1 || (index == 1 && !cpu_has(c, FEAT_XGETBV1)))
		gp0(c);
	put_edx_eax(c, c->xcr0);
	NEXT();
}

const struct uop *op_xsetbv(struct cpu *c, const struct uop *u)
{
	uint64_t v = (uint32_t)c->regs[R_RAX] | c->regs[R_RDX] << 32;

	c->cur = u;
	if (!(c->cr4 & CR4_OSXSAVE))
		cpu_raise(c, EXC_UD);
	if (c->cpl || (uint32_t)c->regs[R_RCX] || (v & ~CPU_XCR0_KNOWN) || !(v & 1))
		gp0(c);
	c->xcr0 = v;
	return sys_done(c, u->imm);
}
