/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's state as a whole: reset, what the mode bits say, registers for the monitor and the loaders, and debug
 * registers' checks between instructions (SDM 3A 9.1; 3B 17).
 */
#include "src/clock.h"
#include "src/cpu/lapic.h"
#include "src/cpu/sys.h"
#include "src/log.h"
#include "src/machine.h"

/* ---- mode ---- */

static bool segs_are_flat(const struct cpu *c)
{
	static const uint8_t data[] = {S_DS, S_ES, S_SS};
	unsigned i;

	if (c->seg[S_CS].limit != UINT32_MAX)
		return false;
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		const struct cpu_seg *s = &c->seg[data[i]];
		/* present, data, up, writable */
		uint16_t want = SEG_P | SEG_S | SEG_RW, must = want | SEG_CODE | SEG_CONFORM;

		if (s->base || s->limit != UINT32_MAX || (s->attr & must) != want)
			return false;
	}
	return true;
}

static uint32_t code_mode(const struct cpu *c)
{
	uint16_t cs = c->seg[S_CS].attr;
	uint32_t m = 0;

	if (c->efer & EFER_LMA) {
		m |= MODE_LMA;
		if (cs & SEG_L)
			return m | MODE_CODE64 | MODE_FLAT;
	}
	if (cs & SEG_DB)
		m |= MODE_CODE32;
	if (c->seg[S_SS].attr & SEG_DB)
		m |= MODE_SS32;
	if ((c->cr0 & CR0_PE) && !(c->flags & FL_VM) && segs_are_flat(c))
		m |= MODE_FLAT;
	return m;
}

static uint32_t debug_mode(const struct cpu *c)
{
	uint32_t m = (c->flags & FL_TF) || c->debug.step ? MODE_STEP : 0;
	uint64_t dr7 = cpu_debug_registers(c)[7];
	unsigned n;

	if (likely(!(dr7 & 0xff)))
		return m;
	for (n = 0; n < 4; n++) {
		if (dr7 & (3u << (2 * n)))
			m |= (dr7 >> (16 + 4 * n)) & 3 ? MODE_DBP : MODE_BP;
	}
	return m;
}

/* Alignment checks and data breakpoints need every access to take the slow path. */
static bool accesses_are_checked(const struct cpu *c, uint32_t mode)
{
	return (mode & MODE_DBP) || (c->cpl == 3 && (c->cr0 & CR0_AM) && (c->flags & FL_AC));
}

void cpu_mode_changed(struct cpu *c)
{
	uint32_t m = code_mode(c) | debug_mode(c);
	unsigned s;

	if (c->cr0 & CR0_PE)
		m |= c->flags & FL_VM ? MODE_PE | MODE_VM : MODE_PE;
	if (c->cpl == 3)
		m |= MODE_USER;
	if (c->cpl == 0)
		m |= MODE_CPL0;
	if (c->cr0 & (CR0_EM | CR0_TS))
		m |= c->cr0 & CR0_TS ? MODE_FPU_NM | MODE_SSE_NM : MODE_FPU_NM;
	if ((c->cr0 & CR0_EM) || !(c->cr4 & CR4_OSFXSR))
		m |= MODE_SSE_UD;
	if ((c->mxcsr & 0x1f80) != 0x1f80)
		m |= MODE_MXCSR;
	if ((c->cr4 & CR4_TSD) && c->cpl != 0)
		m |= MODE_TSD;
	if (unlikely((m ^ c->mode) & MODE_CODE64)) {
		for (s = 0; s < S_FS; s++)
			c->regs[R_ESBASE + s] = m & MODE_CODE64 ? 0 : c->seg[s].base;
	}
	c->mode = m;
	c->mmu_index = c->cpl == 3				    ? MMU_USER
		       : (c->cr4 & CR4_SMAP) && !(c->flags & FL_AC) ? MMU_KERNEL_SMAP
								    : MMU_KERNEL;
	c->tlb = c->tables[unlikely(accesses_are_checked(c, m)) ? MMU_CHECKED : c->mmu_index];
}

/* ---- between instructions ---- */

void cpu_insn_breakpoint(struct cpu *c)
{
	uint64_t lin = c->regs[R_CSBASE] + c->rip, hit = 0;
	const uint64_t *dr = cpu_debug_registers(c);
	unsigned n;

	if (!(c->mode & MODE_CODE64))
		lin = (uint32_t)lin;
	if ((c->flags & FL_RF) || c->irq_inhibit == 2)
		return;
	for (n = 0; n < 4; n++) {
		if ((dr[7] & (3u << (2 * n))) && !((dr[7] >> (16 + 4 * n)) & 0xf) && dr[n] == lin)
			hit |= BIT(n);
	}
	if (hit)
		cpu_raise_db(c, hit);
}

void cpu_step_trap(struct cpu *c, uint32_t block_mode)
{
	uint64_t bits = c->db_pending;

	c->cur = NULL;
	/* INT n has cleared TF, and is not followed by a trap. RF that IRET brought in is the next instruction's. */
	if (c->step_done && !c->debug.step)
		block_mode &= ~MODE_STEP;
	if (!c->keep_rf)
		c->flags &= ~(uint64_t)FL_RF;
	c->step_done = c->keep_rf = false;
	if (c->irq_inhibit == 2)
		return;
	if (block_mode & MODE_STEP)
		bits |= BIT(14); /* BS */
	c->db_pending = 0;
	if (bits)
		cpu_raise_db(c, bits);
}

/* ---- reset ---- */

static void reset_segments(struct cpu *c)
{
	int s;

	for (s = 0; s < S_NSEGS; s++)
		seg_set(c, s, 0, 0, 0xffff, SEG_P | SEG_S | SEG_RW | SEG_A);
	seg_set(c, S_CS, 0xf000, 0xffff0000u, 0xffff, SEG_P | SEG_S | SEG_CODE | SEG_RW | SEG_A);
	c->ldt = (struct cpu_seg){.attr = SEG_P | SYS_LDT, .limit = 0xffff};
	c->tr = (struct cpu_seg){.attr = SEG_P | SYS_TSS_BUSY, .limit = 0xffff};
	c->gdt = (struct cpu_dtr){.limit = 0xffff};
	c->idt = (struct cpu_dtr){.limit = 0xffff};
}

static void reset_fpu(struct cpu *c)
{
	memset(&c->fpu, 0, sizeof(c->fpu));
	memset(c->xmm, 0, sizeof(c->xmm));
	c->fpu.fcw = 0x40;
	c->fpu.ftw = 0xff;
	c->mxcsr = 0x1f80;
	c->xcr0 = 1;
}

static uint32_t cpuid_signature(struct cpu *c)
{
	uint32_t out[4];

	cpu_cpuid(c, 1, 0, out);
	return out[0];
}

void cpu_reset(struct cpu *c, bool init)
{
	uint64_t cr0 = init ? c->cr0 & (CR0_CD | CR0_NW) : CR0_CD | CR0_NW;

	memset(c->regs, 0, sizeof(c->regs));
	c->mode = 0;
	c->cr0 = cr0 | CR0_ET;
	c->cr2 = c->cr3 = c->cr4 = c->efer = 0;
	memset(c->pdpte, 0, sizeof(c->pdpte));
	memset(c->dr, 0, sizeof(c->dr));
	c->dr[6] = 0xffff0ff0u;
	c->dr[7] = 0x400;
	c->cpl = 0;
	reset_segments(c);
	c->phys_mask = (1ull << c->model->phys_bits) - 1;
	c->regs[R_RDX] = cpuid_signature(c);
	c->rip = 0xfff0;
	cpu_set_eflags(c, FL_1);
	if (!init)
		reset_fpu(c);
	msr_reset(c, init);
	c->irq_inhibit = c->irq_waiting = 0;
	c->block = NULL;
	c->cur = NULL;
	c->delivering = c->injected = -1;
	c->exc_ext = c->exc_soft = c->shutdown = c->step_done = c->keep_rf = false;
	c->nmi_blocked = c->halted = c->in_smm = false;
	c->nmi_pending = 0;
	c->db_pending = 0;
	c->wait_sipi = false;
	c->last_range = NULL;
	if (c->machine)
		c->view = as_view_mt(&c->machine->mem);
	mmu_config_changed(c);
	cpu_mode_changed(c);
	if (init)
		cpu_log_state(c, LOG_CPU_RESET, "INIT");
}

/* ---- registers from outside ---- */

static struct x86_segment seg_out(const struct cpu_seg *s, uint64_t base)
{
	return (struct x86_segment){
		.selector = s->sel,
		.base = base,
		.limit = s->limit,
		.type = SEG_TYPE(s->attr),
		.s = s->attr & SEG_S,
		.present = s->attr & SEG_P,
		.avl = s->attr & BIT(12),
		.l = s->attr & SEG_L,
		.db = s->attr & SEG_DB,
		.g = s->attr & SEG_G,
		.dpl = SEG_DPL(s->attr),
	};
}

static struct cpu_seg seg_in(const struct x86_segment *s)
{
	return (struct cpu_seg){
		.sel = s->selector,
		.base = s->base,
		.limit = s->limit,
		.attr = (uint16_t)((s->type & 15) | (s->s ? SEG_S : 0) | (s->dpl & 3) << 5 |
				   (s->present ? SEG_P : 0) | (s->avl ? BIT(12) : 0) |
				   (s->l ? SEG_L : 0) | (s->db ? SEG_DB : 0) | (s->g ? SEG_G : 0)),
	};
}

static uint64_t seg_base(const struct cpu *c, int s)
{
	return s >= S_FS ? c->regs[R_ESBASE + s] : c->seg[s].base;
}

void cpu_get_regs(struct cpu *c, struct x86_regs *r)
{
	struct x86_segment *segs[S_NSEGS] = {&r->es, &r->cs, &r->ss, &r->ds, &r->fs, &r->gs};
	int s;

	memset(r, 0, sizeof(*r));
	memcpy(r->gpr, c->regs, sizeof(r->gpr));
	r->rip = c->rip;
	r->rflags = cpu_eflags(c);
	for (s = 0; s < S_NSEGS; s++)
		*segs[s] = seg_out(&c->seg[s], seg_base(c, s));
	r->ldt = seg_out(&c->ldt, c->ldt.base);
	r->tr = seg_out(&c->tr, c->tr.base);
	r->gdt_base = c->gdt.base;
	r->gdt_limit = c->gdt.limit;
	r->idt_base = c->idt.base;
	r->idt_limit = c->idt.limit;
	r->cr0 = c->cr0;
	r->cr2 = c->cr2;
	r->cr3 = c->cr3;
	r->cr4 = c->cr4;
	r->cr8 = c->lapic ? lapic_get_tpr(c->lapic) >> 4 : 0;
	r->efer = c->efer;
	memcpy(r->dr, c->dr, sizeof(r->dr));
}

void cpu_set_regs(struct cpu *c, const struct x86_regs *r)
{
	const struct x86_segment *segs[S_NSEGS] = {&r->es, &r->cs, &r->ss, &r->ds, &r->fs, &r->gs};
	int s;

	memcpy(c->regs, r->gpr, sizeof(r->gpr));
	c->rip = r->rip;
	cpu_set_eflags(c, r->rflags | FL_1);
	c->cr0 = r->cr0 | CR0_ET;
	c->cr2 = r->cr2;
	c->cr3 = r->cr3;
	c->cr4 = r->cr4;
	c->efer = r->efer & ~(uint64_t)EFER_LMA;
	if ((c->efer & EFER_LME) && (c->cr0 & CR0_PG))
		c->efer |= EFER_LMA;
	memcpy(c->dr, r->dr, sizeof(c->dr));
	c->mode = 0;
	for (s = 0; s < S_NSEGS; s++) {
		c->seg[s] = seg_in(segs[s]);
		c->regs[R_ESBASE + s] = c->seg[s].base;
	}
	c->ldt = seg_in(&r->ldt);
	c->tr = seg_in(&r->tr);
	c->gdt = (struct cpu_dtr){.base = r->gdt_base, .limit = r->gdt_limit};
	c->idt = (struct cpu_dtr){.base = r->idt_base, .limit = r->idt_limit};
	c->cpl = !(c->cr0 & CR0_PE) ? 0 : c->flags & FL_VM ? 3 : r->ss.dpl & 3;
	if ((c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !(c->efer & EFER_LMA) &&
	    !mmu_try_pdptes(c, c->cr3))
		memset(c->pdpte, 0, sizeof(c->pdpte));
	if (c->lapic)
		lapic_set_tpr(c->lapic, (uint8_t)(r->cr8 << 4));
	c->cur = NULL;
	c->halted = false;
	mmu_config_changed(c);
	cpu_mode_changed(c);
}

static void log_segment(unsigned category, const char *name, const struct cpu_seg *s, uint64_t base)
{
	log_printf(category, "%-3s=%04x %016llx %08x %04x\n", name, s->sel,
		   (unsigned long long)base, s->limit, s->attr);
}

void cpu_log_state(struct cpu *c, unsigned category, const char *why)
{
	static const char *const gpr[16] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
					    "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
	static const char *const seg[S_NSEGS] = {"ES", "CS", "SS", "DS", "FS", "GS"};
	unsigned i;

	if (!log_enabled(category))
		return;
	log_printf(category, "CPU %u: %s\n", c->vcpu ? c->vcpu->index : 0, why);
	for (i = 0; i < 16; i += 4)
		log_printf(category, "%s=%016llx %s=%016llx %s=%016llx %s=%016llx\n", gpr[i],
			   (unsigned long long)c->regs[i], gpr[i + 1],
			   (unsigned long long)c->regs[i + 1], gpr[i + 2],
			   (unsigned long long)c->regs[i + 2], gpr[i + 3],
			   (unsigned long long)c->regs[i + 3]);
	log_printf(category, "RIP=%016llx RFL=%08llx CPL=%u HLT=%d\n", (unsigned long long)c->rip,
		   (unsigned long long)cpu_eflags(c), c->cpl, c->halted);
	for (i = 0; i < S_NSEGS; i++)
		log_segment(category, seg[i], &c->seg[i], seg_base(c, (int)i));
	log_segment(category, "LDT", &c->ldt, c->ldt.base);
	log_segment(category, "TR", &c->tr, c->tr.base);
	log_printf(category, "GDT=%016llx %04x IDT=%016llx %04x\n", (unsigned long long)c->gdt.base,
		   c->gdt.limit, (unsigned long long)c->idt.base, c->idt.limit);
	log_printf(category, "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx EFER=%04llx\n",
		   (unsigned long long)c->cr0, (unsigned long long)c->cr2,
		   (unsigned long long)c->cr3, (unsigned long long)c->cr4,
		   (unsigned long long)c->efer);
}

uint64_t cpu_rdtsc(struct cpu *c)
{
	uint64_t ns = c->machine ? (uint64_t)clock_now_ns(c->machine->clock) : 0;

	return ns + (uint64_t)c->tsc_offset;
}
