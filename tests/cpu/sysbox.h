/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A box with privileges: descriptors for user code, conforming code, a TSS, stacks. Code comes from assembly in the test
 * (SNIPPET) and is put to BOX_CODE.
 *
 *	0x6000	top of the privilege 0 stack of the TSS	0x8000	TSS	0x9000	top of the user's stack
 *	0x6400, 0x6800	tops of stacks for privilege 1 and 2
 */
#ifndef EVMM_TESTS_CPU_SYSBOX_H
#define EVMM_TESTS_CPU_SYSBOX_H

#include "tests/cpu/fault.h"

#define SNIPPET(name, bits, text)                                                    \
	__asm__(".pushsection .rodata\n.code" #bits "\n" #name ":\n" text "\n" #name \
		"_end:\n.code64\n.popsection");                                      \
	extern const uint8_t name[], name##_end[]

#define RUN_AT(box, name, at) box_code(box, at, name, (size_t)(name##_end - name))
#define PUT(box, name)	      RUN_AT(box, name, BOX_CODE)

/* Beside those of box.h */
enum {
	SEL_TSS = 0x30, /* 16 bytes */
	SEL_UCODE32 = 0x43,
	SEL_UDATA = 0x4b,
	SEL_UCODE64 = 0x53,
	SEL_CONF32 = 0x58,
	SEL_LDT = 0x60,	 /* 16 bytes */
	SEL_GATE = 0x70, /* 16 bytes */
	SEL_CODE1 = 0x81,
	SEL_DATA1 = 0x89,
	SEL_DATA2 = 0x92,
	SEL_ABSENT = 0x98,
	SEL_ABSENT_DATA = 0xa0,
	SEL_RODATA = 0xa8,
	SEL_XONLY = 0xb0,
	SEL_DOWN = 0xb8,
	SEL_UCODE16 = 0xc3,
	SEL_TSS_B = 0xc8,
	SEL_TSS16 = 0xd0,
	SEL_TASKGATE = 0xd8,
	SEL_CODE32_3 = 0x43,
	SEL_CODE2 = 0xe2,
	SEL_CONF64 = 0xe8,
	SEL_BAD64 = 0xf0,
	SEL_RODATA1 = 0xf9,
	SEL_ABSENT1 = 0x101,
};

#define SYS_TSS_AT 0x8000u
#define SYS_STACK0 0x6000u
#define SYS_STACK1 0x6400u
#define SYS_STACK2 0x6800u
#define SYS_USTACK 0x9000u

static inline uint64_t make_desc(uint32_t base, uint32_t limit20, unsigned attr)
{
	return (limit20 & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
	       (uint64_t)(attr & 0xff) << 40 | (uint64_t)(limit20 >> 16 & 15) << 48 |
	       (uint64_t)(attr >> 12 & 15) << 52 | (uint64_t)(base >> 24) << 56;
}

static inline void put_desc(struct box *b, uint16_t sel, uint64_t d)
{
	box_st64(b, BOX_GDT + (sel & 0xfff8), d);
}

static inline uint64_t get_desc(struct box *b, uint16_t sel)
{
	return box_ld64(b, BOX_GDT + (sel & 0xfff8));
}

static inline uint64_t make_gate(uint16_t sel, uint32_t off, unsigned attr, unsigned params)
{
	return (off & 0xffff) | (uint64_t)sel << 16 | (uint64_t)params << 32 |
	       (uint64_t)attr << 40 | (uint64_t)(off >> 16) << 48;
}

static inline void put_idt32(struct box *b, unsigned vector, uint64_t gate)
{
	box_st64(b, BOX_IDT + 8 * vector, gate);
}

static inline void put_idt64(struct box *b, unsigned vector, uint16_t sel, uint64_t off,
			     unsigned attr, unsigned ist)
{
	box_st64(b, BOX_IDT + 16 * vector, make_gate(sel, (uint32_t)off, attr, ist));
	box_st64(b, BOX_IDT + 16 * vector + 8, off >> 32);
}

static inline void put32(struct box *b, uint64_t at, uint32_t v)
{
	memcpy(b->ram + at, &v, 4);
}

static inline uint32_t get32(struct box *b, uint64_t at)
{
	uint32_t v;

	memcpy(&v, b->ram + at, 4);
	return v;
}

static inline uint16_t get16(struct box *b, uint64_t at)
{
	uint16_t v;

	memcpy(&v, b->ram + at, 2);
	return v;
}

static inline void put16(struct box *b, uint64_t at, uint16_t v)
{
	memcpy(b->ram + at, &v, 2);
}

/* The Nth word of SIZE bytes on the stack. */
static inline uint64_t on_stack(struct box *b, unsigned n, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, b->ram + box_cpu(b, 0)->regs[R_RSP] + n * size, size);
	return v;
}

static inline void sys_gdt(struct box *b)
{
	put_desc(b, SEL_UCODE32, make_desc(0, 0xfffff, 0xc0fb));
	put_desc(b, SEL_UDATA, make_desc(0, 0xfffff, 0xc0f3));
	put_desc(b, SEL_UCODE64, make_desc(0, 0xfffff, 0xa0fb));
	put_desc(b, SEL_CONF32, make_desc(0, 0xfffff, 0xc09f));
	put_desc(b, SEL_CODE1, make_desc(0, 0xfffff, 0xc0bb));
	put_desc(b, SEL_DATA1, make_desc(0, 0xfffff, 0xc0b3));
	put_desc(b, SEL_DATA2, make_desc(0, 0xfffff, 0xc0d3));
	put_desc(b, SEL_CODE2, make_desc(0, 0xfffff, 0xc0db));
	put_desc(b, SEL_ABSENT, make_desc(0, 0xfffff, 0xc01b));
	put_desc(b, SEL_ABSENT_DATA, make_desc(0, 0xfffff, 0xc013));
	put_desc(b, SEL_RODATA, make_desc(0, 0xfffff, 0xc091));
	put_desc(b, SEL_XONLY, make_desc(0, 0xfffff, 0xc099));
	put_desc(b, SEL_DOWN, make_desc(0, 0x0fff, 0x4097));
	put_desc(b, SEL_UCODE16, make_desc(0, 0xffff, 0x00fb));
	put_desc(b, SEL_CONF64, make_desc(0, 0xfffff, 0xa09f));
	put_desc(b, SEL_RODATA1, make_desc(0, 0xfffff, 0xc0b1));
	put_desc(b, SEL_ABSENT1, make_desc(0, 0xfffff, 0xc033));
	put_desc(b, SEL_BAD64, make_desc(0, 0xfffff, 0xe09b));
}

/* MODE with the descriptors and a TSS, at privilege CPL (0 or 3). */
static inline struct cpu *sys_mode(struct box *b, enum box_mode mode, unsigned cpl)
{
	struct cpu *c = box_cpu(b, 0);
	bool wide = mode == BOX_LONG;

	box_mode(b, 0, mode, BOX_CODE);
	if (mode == BOX_REAL16)
		return c;
	sys_gdt(b);
	memset(b->ram + SYS_TSS_AT, 0, 0x400);
	put_desc(b, SEL_TSS, make_desc(SYS_TSS_AT, 0x3ff, 0x8b));
	put_desc(b, SEL_TSS + 8, 0);
	if (wide) {
		box_st64(b, SYS_TSS_AT + 4, SYS_STACK0);
		box_st64(b, SYS_TSS_AT + 12, SYS_STACK1);
		box_st64(b, SYS_TSS_AT + 20, SYS_STACK2);
	} else {
		put32(b, SYS_TSS_AT + 4, SYS_STACK0);
		put32(b, SYS_TSS_AT + 8, BOX_DS);
		put32(b, SYS_TSS_AT + 12, SYS_STACK1);
		put32(b, SYS_TSS_AT + 16, SEL_DATA1);
		put32(b, SYS_TSS_AT + 20, SYS_STACK2);
		put32(b, SYS_TSS_AT + 24, SEL_DATA2);
	}
	put16(b, SYS_TSS_AT + 0x66, 0x400);
	c->gdt.limit = 0x1ff;
	c->tr = (struct cpu_seg){.sel = SEL_TSS, .attr = 0x8b, .limit = 0x3ff, .base = SYS_TSS_AT};
	c->ldt = (struct cpu_seg){0};
	if (cpl == 3) {
		struct cpu_seg code = {.sel = wide ? SEL_UCODE64 : SEL_UCODE32,
				       .attr = wide ? 0xa0fb : 0xc0fb,
				       .limit = UINT32_MAX},
			       data = {.sel = SEL_UDATA, .attr = 0xc0f3, .limit = UINT32_MAX};

		c->seg[S_CS] = code;
		c->seg[S_SS] = c->seg[S_DS] = c->seg[S_ES] = c->seg[S_FS] = c->seg[S_GS] = data;
		c->cpl = 3;
		c->regs[R_RSP] = SYS_USTACK;
	}
	cpu_mode_changed(c);
	return c;
}

static inline int sysbox_setup(void **state)
{
	*state = box_new(1);
	return 0;
}

static inline int sysbox_teardown(void **state)
{
	box_free(*state);
	return 0;
}

#define SYS_TEST(name) cmocka_unit_test_setup_teardown(name, sysbox_setup, sysbox_teardown)

#endif
