/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A software CPU in a box: processors over flat RAM, no devices, no loop, no threads but the test's own. A test
 * puts code into RAM and runs it until HLT. Exceptions end in a HLT too: their vector and what the processor
 * pushed can be looked at.
 *
 *	0x1000	GDT, IDT at 0x2000, page tables for 64-bit mode from 0x10000 on (the first 16 MiB, 4 KiB pages, user)
 *	0x3000	HLT for each vector, at 0x3000 + 16 * vector
 *	0x7000	top of the stack for exceptions and for the test
 */
#ifndef EVMM_TESTS_CPU_BOX_H
#define EVMM_TESTS_CPU_BOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include "src/cpu/block.h"
#include "src/cpu/cpu.h"
#include "src/cpu/cpuid.h"
#include "src/cpu/flags.h"
#include "src/cpu/mmu.h"
#include "src/cpu/native.h"
#include "src/cpu/soft.h"
#include "src/machine.h"

enum { BOX_MAX_CPUS = 4 };
#define BOX_RAM_BYTES (16 * MiB)
#define BOX_GDT	      0x1000u
#define BOX_IDT	      0x2000u
#define BOX_HLTS      0x3000u
#define BOX_STACK     0x7000u
#define BOX_PML4      0x10000u
#define BOX_PT	      0x13000u /* 8 tables */
#define BOX_CODE      0x100000u

enum { BOX_CS64 = 0x08, BOX_DS = 0x10, BOX_CS32 = 0x18, BOX_CS16 = 0x20, BOX_DS16 = 0x28 };

struct box {
	struct machine m;
	struct soft soft;
	struct vcpu *vcpus[BOX_MAX_CPUS];
	uint8_t *ram;
};

static inline struct cpu *box_cpu(struct box *box, unsigned i)
{
	return box->vcpus[i]->accel;
}

static inline void box_st64(struct box *box, uint64_t at, uint64_t v)
{
	memcpy(box->ram + at, &v, 8);
}

static inline uint64_t box_ld64(const struct box *box, uint64_t at)
{
	uint64_t v;

	memcpy(&v, box->ram + at, 8);
	return v;
}

static inline void box_tables(struct box *box)
{
	static const uint64_t gdt[] = {
		0,
		0x00af9b000000ffffull,
		0x00cf93000000ffffull,
		0x00cf9b000000ffffull,
		0x000f9b000000ffffull,
		0x000f93000000ffffull,
	};

	memcpy(box->ram + BOX_GDT, gdt, sizeof(gdt));
	for (unsigned i = 0; i < 256; i++)
		box->ram[BOX_HLTS + 16 * i] = 0xf4;
	box_st64(box, BOX_PML4, (BOX_PML4 + 0x1000) | 7);
	box_st64(box, BOX_PML4 + 0x1000, (BOX_PML4 + 0x2000) | 7);
	for (unsigned i = 0; i < 8; i++)
		box_st64(box, BOX_PML4 + 0x2000 + 8 * i, (BOX_PT + 0x1000 * i) | 7);
	for (unsigned i = 0; i < BOX_RAM_BYTES / PAGE_SIZE; i++)
		box_st64(box, BOX_PT + 8 * i, (uint64_t)i << PAGE_SHIFT | 7);
}

/* Where the page table entry of LIN is. */
static inline uint64_t box_pte(uint64_t lin)
{
	return BOX_PT + (lin >> PAGE_SHIFT) * 8;
}

static inline struct box *box_new(unsigned cpus)
{
	struct box *box = xaligned_zalloc(64, sizeof(*box));
	struct machine *m = &box->m;
	struct error err = {0};

	box->ram = mmap(NULL, BOX_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	assert_ptr_not_equal(box->ram, MAP_FAILED);
	m->config.cpus = m->config.maxcpus = cpus;
	m->accel = &accel_soft;
	m->ram.host = box->ram;
	m->ram.bytes = m->ram.below_4g = BOX_RAM_BYTES;
	as_init(&m->mem, "memory", 1ull << 52);
	as_init(&m->io, "io", 65536);
	region_init_ram(&m->ram.low, "ram", box->ram, BOX_RAM_BYTES);
	region_add(&m->mem.root, 0, &m->ram.low, 0);
	m->clock = NULL;
	m->vcpus = box->vcpus;
	m->accel_state = &box->soft;
	box->soft.code_map = code_map_new(m);
	box->soft.model = cpu_model_parse("max", &err);
	assert_non_null(box->soft.model);
	for (unsigned i = 0; i < cpus; i++) {
		struct vcpu *v = xaligned_zalloc(64, sizeof(*v));

		v->machine = m;
		v->index = v->apic_id = i;
		box->vcpus[i] = v;
		m->n_vcpus++;
		cpu_new(m, v, box->soft.model);
		native_set_threshold(box_cpu(box, i), 2); /* once this way, then that */
		cpu_reset(box_cpu(box, i), false);
		mmu_take_view(box_cpu(box, i));
	}
	box_tables(box);
	return box;
}

static inline void box_free(struct box *box)
{
	for (unsigned i = 0; i < box->m.n_vcpus; i++) {
		cpu_free(box_cpu(box, i));
		free(box->vcpus[i]);
	}
	code_map_free(box->soft.code_map);
	free(box->soft.model);
	as_fini(&box->m.mem);
	as_fini(&box->m.io);
	munmap(box->ram, BOX_RAM_BYTES);
	free(box);
}

static inline struct x86_segment box_segment(uint16_t sel, uint32_t limit, bool code, bool db,
					     bool l)
{
	return (struct x86_segment){
		.selector = sel,
		.limit = limit,
		.type = code ? 11 : 3,
		.s = true,
		.present = true,
		.l = l,
		.db = db,
		.g = limit == UINT32_MAX,
	};
}

enum box_mode { BOX_REAL16, BOX_PROT16, BOX_PROT32, BOX_LONG };

static inline void box_idt(struct box *box, enum box_mode mode)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t at = BOX_HLTS + 16 * i;

		if (mode == BOX_LONG) {
			box_st64(box, BOX_IDT + 16 * i,
				 (at & 0xffff) | BOX_CS64 << 16 | 0x8e00ull << 32 | at >> 16 << 48);
			box_st64(box, BOX_IDT + 16 * i + 8, 0);
		} else if (mode == BOX_REAL16) {
			uint16_t ivt[2] = {(uint16_t)at, 0};

			memcpy(box->ram + BOX_IDT + 4 * i, ivt, 4);
		} else {
			box_st64(box, BOX_IDT + 8 * i,
				 (at & 0xffff) | BOX_CS32 << 16 | 0x8e00ull << 32);
		}
	}
}

/* Registers of MODE, code and data flat where the mode has that, ready to run at RIP. */
static inline void box_mode(struct box *box, unsigned cpu, enum box_mode mode, uint64_t rip)
{
	struct x86_regs r;
	bool is16 = mode == BOX_REAL16 || mode == BOX_PROT16;
	uint16_t cs = mode == BOX_LONG ? BOX_CS64 : mode == BOX_PROT32 ? BOX_CS32 : BOX_CS16;

	cpu_get_regs(box_cpu(box, cpu), &r);
	memset(r.gpr, 0, sizeof(r.gpr));
	r.gpr[R_RSP] = BOX_STACK - 0x400 * cpu;
	r.rip = rip;
	r.rflags = FL_1;
	r.cs = box_segment(mode == BOX_REAL16 ? 0 : cs, is16 ? 0xffff : UINT32_MAX, true,
			   !is16 && mode != BOX_LONG, mode == BOX_LONG);
	r.ds = box_segment(mode == BOX_REAL16 ? 0
			   : is16	      ? BOX_DS16
					      : BOX_DS,
			   is16 ? 0xffff : UINT32_MAX, false, !is16, false);
	r.es = r.ss = r.fs = r.gs = r.ds;
	r.gdt_base = BOX_GDT;
	r.gdt_limit = 0x2f;
	r.idt_base = BOX_IDT;
	r.idt_limit = 0xfff;
	r.cr0 = CR0_ET | CR0_NE | (mode == BOX_REAL16 ? 0 : CR0_PE) |
		(mode == BOX_LONG ? CR0_PG | CR0_WP : 0);
	r.cr3 = BOX_PML4;
	r.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | (mode == BOX_LONG ? CR4_PAE : 0);
	r.efer = mode == BOX_LONG ? EFER_LME | EFER_LMA | EFER_NXE : 0;
	box_idt(box, mode);
	cpu_set_regs(box_cpu(box, cpu), &r);
}

/* Puts bytes of code into RAM, as a device would. */
static inline void box_code(struct box *box, uint64_t at, const void *bytes, size_t n)
{
	memcpy(box->ram + at, bytes, n);
	code_map_written(box->soft.code_map, NULL, at, n);
}
#define BOX_CODE_AT(box, at, ...) \
	box_code(box, at, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* Runs processor CPU until it halts. The vector if that was by an exception, else -1. */
static inline int box_run(struct box *box, unsigned cpu)
{
	struct cpu *c = box_cpu(box, cpu);

	c->halted = false;
	while (!c->halted) {
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&c->vcpu->requests, 0, __ATOMIC_SEQ_CST);
		code_map_serve(c);
		cpu_exec(c);
	}
	return c->rip > BOX_HLTS && c->rip <= BOX_HLTS + 0x1000
		       ? (int)((c->rip - 1 - BOX_HLTS) / 16)
		       : -1;
}

#endif
