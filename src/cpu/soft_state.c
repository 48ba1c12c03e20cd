/* SPDX-License-Identifier: BSD-2-Clause */
/* What accel_ops shows of a software CPU beyond its registers: MSRs, and what is under way between two instructions. */
#include <stdlib.h>
#include "src/cpu/cpuid.h"
#include "src/cpu/lapic_regs.h"
#include "src/cpu/sys.h"

/* ---- MSRs ---- */

/* In an order in which they can be set: the APIC's mode first, the deadline after what it is measured by. */
static const uint32_t msr_list[] = {
	0x1b,	    0x10,	0x3b,	    0x174,	0x175,	    0x176,	0x17a,
	0x17b,	    0x1a0,	0x200,	    0x201,	0x202,	    0x203,	0x204,
	0x205,	    0x206,	0x207,	    0x208,	0x209,	    0x20a,	0x20b,
	0x20c,	    0x20d,	0x20e,	    0x20f,	0x250,	    0x258,	0x259,
	0x268,	    0x269,	0x26a,	    0x26b,	0x26c,	    0x26d,	0x26e,
	0x26f,	    0x277,	0x2ff,	    0x400,	0x404,	    0x408,	0x40c,
	0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103,
	0xc0010015, 0x6e0,
};

struct x86_msr *cpu_get_msrs(struct cpu *c, unsigned *n)
{
	struct x86_msr *msrs = xzalloc(sizeof(msr_list) / sizeof(msr_list[0]) * sizeof(*msrs));

	*n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(msr_list); i++)
		if (msr_read(c, msr_list[i], &msrs[*n].value))
			msrs[(*n)++].index = msr_list[i];
	return msrs;
}

/* EFER as set_regs has it: a WRMSR could not change LME while paging is on. */
static bool set_one(struct cpu *c, const struct x86_msr *m)
{
	if (m->index == 0xc0000080)
		return m->value == c->efer || msr_write(c, m->index, m->value);
	if (m->index == MSR_APIC_BASE && c->lapic)
		return lapic_set_base(c->lapic, m->value);
	/* As it was: neither moves the other. */
	if (m->index == 0x10) {
		c->tsc_offset = (int64_t)((uint64_t)c->tsc_offset + m->value - cpu_rdtsc(c));
		return true;
	}
	if (m->index == 0x3b) {
		c->tsc_adjust = m->value;
		return true;
	}
	return msr_write(c, m->index, m->value);
}

bool cpu_set_msrs(struct cpu *c, const struct x86_msr *msrs, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < n; i++)
		if (!set_one(c, &msrs[i]))
			return error_set(err, "MSR %#x cannot be set to %#llx", msrs[i].index,
					 (unsigned long long)msrs[i].value);
	return true;
}

/* ---- events ---- */

void cpu_get_events(struct cpu *c, struct x86_events *e)
{
	memset(e, 0, sizeof(*e));
	if (c->injected >= 0) {
		e->exception.injected = true;
		e->exception.vector = (uint8_t)c->injected;
		e->exception.has_error = c->injected_has_error;
		e->exception.error = c->injected_error;
	}
	e->nmi.masked = c->nmi_blocked;
	e->nmi.pending = c->nmi_pending;
	e->smi.smm = c->in_smm;
	e->shadow = c->irq_inhibit == 2 ? X86_SHADOW_MOV_SS : c->irq_inhibit ? X86_SHADOW_STI : 0;
	e->halted = c->halted;
	e->wait_sipi = c->wait_sipi;
	if (c->lapic)
		lapic_get_events(c->lapic, e);
}

void cpu_set_events(struct cpu *c, const struct x86_events *e)
{
	c->injected = e->exception.injected ? e->exception.vector & 31 : -1;
	c->injected_has_error = e->exception.has_error;
	c->injected_error = e->exception.error;
	c->nmi_blocked = e->nmi.masked;
	c->nmi_pending = (uint8_t)MIN((unsigned)e->nmi.pending + e->nmi.injected, 2u);
	c->irq_inhibit = e->shadow & X86_SHADOW_MOV_SS ? 2 : e->shadow ? 1 : 0;
	c->halted = e->halted;
	c->wait_sipi = e->wait_sipi;
	if (!c->lapic)
		return;
	lapic_set_events(c->lapic, e);
	if (e->interrupt.injected && !e->interrupt.soft)
		lapic_accept(c->lapic, e->interrupt.vector, false);
}
