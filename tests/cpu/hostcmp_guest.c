/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side: one vCPU of a machine with RAM and nothing else, run from this thread. Long mode, CPL 0; code ends at a HLT. All
 * vectors lead to a HLT of their own by way of an interrupt stack, so a fault is told by where the processor halted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "src/cpu/block.h"
#include "src/cpu/cpuid.h"
#include "src/cpu/flags.h"
#include "src/cpu/hostfeat.h"
#include "src/cpu/mmu.h"
#include "src/cpu/native.h"
#include "src/machine.h"
#include "tests/cpu/hostcmp.h"

/* Guest-physical layout */
enum {
	PHYS_GDT = 0x1000,
	PHYS_IDT = 0x2000,
	PHYS_TSS = 0x3000,
	PHYS_IST = 0x4000,
	PHYS_HANDLERS = 0x5000,
	PHYS_FX = 0x6000,
	PHYS_STUB = 0x7000,
	PHYS_DATA = 0x10000,
	PHYS_STACK = 0x20000,
	PHYS_CODE = 0x30000,
	PHYS_TABLES = 0x100000,
};

/* The system structures are mapped here, read and written by the processor alone. */
#define SYS    0x24000000ull
#define PTE_P  1ull
#define PTE_W  2ull
#define PTE_PS 0x80ull

static struct loop *loop;
static struct machine *m;
static struct cpu *c;
static struct x86_regs regs64, regs32;
/* What the segments are for now: kind of code, base of CS, ES expanding down; 0: nothing known. */
static uint64_t segments_now;
static uint64_t next_table;

static uint64_t *phys64(uint64_t phys)
{
	return (uint64_t *)(m->ram.host + phys);
}

static uint64_t new_table(void)
{
	uint64_t phys = next_table;

	next_table += HC_PAGE;
	return phys;
}

static void map(uint64_t cr3, uint64_t lin, uint64_t phys, uint64_t flags)
{
	uint64_t table = cr3;

	for (unsigned level = 3; level > 0; level--) {
		uint64_t *e = phys64(table) + (lin >> (12 + 9 * level) & 511);

		if (!*e)
			*e = new_table() | PTE_P | PTE_W;
		table = *e & PAGE_MASK;
	}
	phys64(table)[lin >> 12 & 511] = phys | PTE_P | flags;
}

static uint64_t make_tables(void)
{
	uint64_t cr3;

	next_table = PHYS_TABLES;
	cr3 = new_table();
	for (unsigned i = 0; i < 3; i++)
		map(cr3, HC_DATA + i * HC_PAGE, PHYS_DATA + i * HC_PAGE, i < 2 ? PTE_W : 0);
	map(cr3, HC_STACK, PHYS_STACK, PTE_W);
	for (unsigned i = 0; i < HC_CODE_SIZE / HC_PAGE; i++)
		map(cr3, HC_CODE + i * HC_PAGE, PHYS_CODE + i * HC_PAGE, PTE_W);
	for (uint64_t p = PHYS_GDT; p <= PHYS_STUB; p += HC_PAGE)
		map(cr3, SYS + p, p, PTE_W);
	return cr3;
}

static void make_idt(void)
{
	for (unsigned v = 0; v < 256; v++) {
		uint64_t handler = SYS + PHYS_HANDLERS + 16 * v;
		uint64_t *gate = phys64(PHYS_IDT + 16 * v);

		/* Offset in three parts, selector 8, IST 1, 64-bit interrupt gate. */
		gate[0] = (handler & 0xffff) | 8ull << 16 | 1ull << 32 | 0x8eull << 40 |
			  (handler >> 16 & 0xffff) << 48;
		gate[1] = handler >> 32;
		m->ram.host[PHYS_HANDLERS + 16 * v] = 0xf4; /* HLT */
	}
	/* TSS: IST1 at 0x24 */
	stn_le(m->ram.host + PHYS_TSS + 0x24, 8, SYS + PHYS_IST + HC_PAGE);
	phys64(PHYS_GDT)[1] = 0x00af9b000000ffff; /* 08: 64-bit code */
	phys64(PHYS_GDT)[2] = 0x00cf93000000ffff; /* 10: data */
	phys64(PHYS_GDT)[3] = 0x00cf9b000000ffff; /* 18: 32-bit code */
}

static void make_regs(uint64_t cr3)
{
	struct x86_segment data = {.selector = 0x10,
				   .limit = 0xffffffff,
				   .type = 3,
				   .s = true,
				   .present = true,
				   .db = true,
				   .g = true};
	struct x86_regs *r = &regs64;

	cpu_get_regs(c, r);
	r->rflags = 2;
	r->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
	r->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	r->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	r->cr3 = cr3;
	r->gdt_base = SYS + PHYS_GDT;
	r->gdt_limit = 0xff;
	r->idt_base = SYS + PHYS_IDT;
	r->idt_limit = 0xfff;
	r->tr = (struct x86_segment){.selector = 0x20,
				     .base = SYS + PHYS_TSS,
				     .limit = 0x67,
				     .type = 11,
				     .present = true};
	r->ds = r->es = r->ss = r->fs = r->gs = data;
	r->cs = data;
	r->cs.selector = 8;
	r->cs.type = 11;
	r->cs.l = true;
	r->cs.db = false;
	regs32 = regs64;
	regs32.cs.selector = 0x18;
	regs32.cs.l = false;
	regs32.cs.db = true;
}

void hc_guest_init(const char *model)
{
	struct machine_config config = {.type = &machine_none,
					.accel = &accel_soft,
					.cpus = 1,
					.maxcpus = 1,
					.sockets = 1,
					.cores = 1,
					.threads = 1,
					.ram_bytes = 4 * MiB,
					.cpu_model = model};
	struct error err = {0};
	uint64_t cr3;

	loop = loop_new();
	m = machine_new(loop, &config, NULL);
	if (!machine_build(m, &err)) {
		printf("no machine: %s\n", err.msg);
		exit(1);
	}
	c = m->vcpus[0]->accel;
	mmu_take_view(c);
	cr3 = make_tables();
	make_idt();
	make_regs(cr3);
	segments_now = 0;
}

void hc_guest_fini(void)
{
	machine_free(m);
	loop_free(loop);
}

bool hc_guest_has(unsigned feature)
{
	return !feature || cpu_has(c, feature);
}

uint8_t *hc_guest_page(uint64_t lin)
{
	if (lin >= HC_DATA && lin < HC_DATA + 3 * HC_PAGE)
		return m->ram.host + PHYS_DATA + (lin - HC_DATA);
	if (lin >= HC_STACK && lin < HC_STACK + HC_PAGE)
		return m->ram.host + PHYS_STACK + (lin - HC_STACK);
	return m->ram.host + PHYS_CODE + (lin - HC_CODE);
}

void hc_guest_code_changed(void)
{
	block_flush_all(c);
}

/* FXRSTOR (1) or FXSAVE (0) of the area N at PHYS_FX. */
static unsigned fx_insn(uint8_t *p, unsigned bits, unsigned reg, unsigned n)
{
	uint32_t addr = (uint32_t)(SYS + PHYS_FX + n * sizeof(struct hc_fx));
	unsigned i = 0;

	if (bits == 64)
		p[i++] = 0x48; /* REX.W */
	p[i++] = 0x0f;
	p[i++] = 0xae;
	p[i++] = (uint8_t)(reg << 3 | (bits == 64 ? 4 : 5));
	if (bits == 64)
		p[i++] = 0x25; /* SIB: no base, no index */
	memcpy(p + i, &addr, 4);
	return i + 4;
}

unsigned hc_guest_prologue(uint8_t *p, const struct hc_form *f, unsigned bits)
{
	static unsigned nth;

	/* Of four pieces of code one is interpreted, the others become host code at once. */
	native_set_threshold(c, nth++ & 3 ? 1 : 0);
	return f->options & HC_FX ? fx_insn(p, bits, 1, 0) : 0;
}

unsigned hc_guest_epilogue(uint8_t *p, const struct hc_form *f, unsigned bits)
{
	unsigned n = f->options & HC_FX ? fx_insn(p, bits, 0, 1) : 0;

	p[n] = 0xf4; /* HLT */
	return n;
}

static void set_segment(struct x86_segment *s, uint64_t base, uint32_t limit, bool is32)
{
	s->base = base;
	s->limit = limit;
	s->db = is32;
	s->g = false;
}

static void set_segments(const struct hc_insn *insn, uint64_t at)
{
	uint64_t now = 1 + insn->code + 16 * hc_cs_base(insn, at) + (insn->expand_down ? 8 : 0);
	struct x86_regs r = insn->code == HC_CODE64 ? regs64 : regs32;
	bool is32 = insn->bits == 32;

	if (segments_now == now)
		return;
	segments_now = now;
	if (insn->code >= HC_SEG32) {
		set_segment(&r.cs, hc_cs_base(insn, at), 0xffff, is32);
		set_segment(&r.ds, HC_DATA, HC_DS_LIMIT, true);
		set_segment(&r.ss, HC_STACK, HC_SS_LIMIT, is32);
		r.es = r.ds;
		if (insn->expand_down) {
			set_segment(&r.es, HC_DATA, HC_ES_DOWN, is32);
			r.es.type |= 4;
		}
	}
	cpu_set_regs(c, &r);
}

static void run_at(uint64_t rip)
{
	c->rip = rip;
	c->halted = false;
	while (!c->halted) {
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_RELAXED);
		cpu_exec(c);
	}
}

/* The frame that the fault pushed, from the interrupt stack's top down: SS RSP RFLAGS CS RIP [error]. */
static void take_fault(struct hc_result *r, int vector)
{
	static const uint32_t with_error =
		BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17);
	const uint64_t *top = phys64(PHYS_IST + HC_PAGE);

	r->fault.vector = vector;
	r->fault.error = with_error & BIT(vector) ? top[-6] : 0;
	r->fault.cr2 = c->cr2;
	r->regs.rip = top[-5];
	r->regs.flags = top[-3];
	r->regs.gpr[HC_RSP] = top[-2];
	segments_now = 0;
}

/* After a fault: what FXSAVE stores now. */
static void fetch_fx(void)
{
	uint8_t *stub = m->ram.host + PHYS_STUB;

	if (!stub[0])
		stub[fx_insn(stub, 64, 0, 1)] = 0xf4;
	run_at(SYS + PHYS_STUB);
}

void hc_guest_run(const struct hc_case *k, uint64_t at, uint64_t end, struct hc_result *r)
{
	uint64_t handlers = SYS + PHYS_HANDLERS, cs_base = hc_cs_base(k->insn, at);
	struct hc_fx *fx = (struct hc_fx *)(m->ram.host + PHYS_FX);

	set_segments(k->insn, at);
	if (k->form->options & HC_FX)
		fx[0] = k->fx;
	memcpy(c->regs, k->in.gpr, sizeof(k->in.gpr));
	cpu_set_eflags(c, k->in.flags);
	at -= cs_base;
	end -= cs_base;
	run_at(at);
	memcpy(r->regs.gpr, c->regs, sizeof(r->regs.gpr));
	r->regs.flags = cpu_eflags(c);
	r->fault.vector = -1;
	if (c->rip != end + 1) {
		if (c->rip < handlers || c->rip >= handlers + 16 * 256) {
			printf("the guest halted at %#llx\n", (unsigned long long)c->rip);
			exit(1);
		}
		take_fault(r, (int)((c->rip - handlers) / 16));
		if (k->form->options & HC_FX)
			fetch_fx();
	}
	if (k->form->options & HC_FX)
		r->fx = fx[1];
}
