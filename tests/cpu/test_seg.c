/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmentation: loads and their checks, limits, far transfers, call gates, returns, LAR and its like. */
#include "tests/cpu/sysbox.h"
#include "src/cpu/sys.h"

/* ---- loads ---- */

struct load_case {
	int seg;
	uint16_t sel;
	unsigned cpl;
	int vector; /* NO_FAULT: it loads */
	unsigned error;
};

static void test_data_segment_loads(void **state)
{
	static const struct load_case cases[] = {
		{S_DS, 0, 0, NO_FAULT, 0},
		{S_DS, 3, 3, NO_FAULT, 0},
		{S_DS, BOX_DS, 0, NO_FAULT, 0},
		{S_DS, BOX_DS, 3, EXC_GP, BOX_DS},
		{S_DS, BOX_DS | 3, 0, EXC_GP, BOX_DS},
		{S_DS, SEL_UDATA, 3, NO_FAULT, 0},
		{S_DS, SEL_UDATA, 0, NO_FAULT, 0},
		{S_ES, SEL_RODATA, 0, NO_FAULT, 0},
		{S_ES, SEL_DOWN, 0, NO_FAULT, 0},
		{S_FS, BOX_CS32, 0, NO_FAULT, 0}, /* readable code */
		{S_FS, BOX_CS32, 3, EXC_GP, BOX_CS32},
		{S_FS, SEL_CONF32, 3, NO_FAULT, 0}, /* conforming: any privilege */
		{S_GS, SEL_XONLY, 0, EXC_GP, SEL_XONLY},
		{S_GS, SEL_TSS, 0, EXC_GP, SEL_TSS},
		{S_GS, SEL_ABSENT_DATA, 0, EXC_NP, SEL_ABSENT_DATA},
		{S_GS, 0x3f8, 0, EXC_GP, 0x3f8},
		{S_GS, 0x0c, 0, EXC_GP, 0x0c}, /* no LDT */
		{S_SS, BOX_DS, 0, NO_FAULT, 0},
		{S_SS, SEL_DOWN, 0, NO_FAULT, 0},
		{S_SS, SEL_UDATA, 3, NO_FAULT, 0},
		{S_SS, 0, 0, EXC_GP, 0},
		{S_SS, SEL_UDATA, 0, EXC_GP, SEL_UDATA & ~3},
		{S_SS, BOX_DS | 3, 0, EXC_GP, BOX_DS},
		{S_SS, SEL_RODATA, 0, EXC_GP, SEL_RODATA},
		{S_SS, BOX_CS32, 0, EXC_GP, BOX_CS32},
		{S_SS, SEL_ABSENT_DATA, 0, EXC_SS, SEL_ABSENT_DATA},
	};
	struct box *b = *state;

	for (volatile unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct load_case *k = &cases[i];
		struct cpu *c = sys_mode(b, BOX_PROT32, k->cpl);

		c->exc_error = 0;
		assert_int_equal(FAULT_OF(c, seg_load(c, k->seg, k->sel)), k->vector);
		assert_int_equal(c->exc_error, k->error);
		if (k->vector == NO_FAULT) {
			assert_int_equal(c->seg[k->seg].sel, k->sel);
			assert_int_equal(!!(c->seg[k->seg].attr & SEG_P), (k->sel & ~3) != 0);
		}
	}
}

static void test_a_load_sets_the_accessed_bit(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	put_desc(b, SEL_GATE, make_desc(0x12345678, 0x5678, 0x4092));
	assert_no_fault(c, seg_load(c, S_ES, SEL_GATE));
	assert_int_equal(get_desc(b, SEL_GATE), make_desc(0x12345678, 0x5678, 0x4093));
	assert_int_equal(c->seg[S_ES].base, 0x12345678);
	assert_int_equal(c->regs[R_ESBASE], 0x12345678);
	assert_int_equal(c->seg[S_ES].limit, 0x5678);
	put_desc(b, SEL_GATE, make_desc(0, 0x5678, 0xc093));
	assert_no_fault(c, seg_load(c, S_ES, SEL_GATE));
	assert_int_equal(c->seg[S_ES].limit, 0x5678fff);
}

static void test_null_ss_in_64_bit_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	assert_no_fault(c, seg_load(c, S_SS, 0));
	assert_fault(c, EXC_GP, 0, seg_load(c, S_SS, 1)); /* RPL is not CPL */
	c = sys_mode(b, BOX_LONG, 3);
	assert_fault(c, EXC_GP, 0, seg_load(c, S_SS, 3));
}

static void test_real_mode_loads_keep_the_limit(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_REAL16, 0);

	c->seg[S_FS].limit = UINT32_MAX;
	assert_no_fault(c, seg_load(c, S_FS, 0x1234));
	assert_int_equal(c->regs[R_FSBASE], 0x12340);
	assert_int_equal(c->seg[S_FS].limit, UINT32_MAX);
}

/* ---- LDT and TR ---- */

static void test_ldt_and_tr_loads(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	put_desc(b, SEL_LDT, make_desc(0x9100, 0xf, 0x82));
	assert_no_fault(c, seg_load_ldt(c, SEL_LDT));
	assert_int_equal(c->ldt.base, 0x9100);
	box_st64(b, 0x9108, make_desc(0x777, 0xff, 0x4093));
	assert_no_fault(c, seg_load(c, S_ES, 0xc));
	assert_int_equal(c->seg[S_ES].base, 0x777);
	assert_fault(c, EXC_GP, 0x14, seg_load(c, S_ES, 0x14));
	assert_fault(c, EXC_GP, 0xc, seg_load_ldt(c, 0xc));
	assert_fault(c, EXC_GP, BOX_DS, seg_load_ldt(c, BOX_DS));
	put_desc(b, SEL_LDT, make_desc(0x9100, 0xf, 0x02));
	assert_fault(c, EXC_NP, SEL_LDT, seg_load_ldt(c, SEL_LDT));
	assert_no_fault(c, seg_load_ldt(c, 0));
	assert_fault(c, EXC_GP, 0xc, seg_load(c, S_ES, 0xc));

	assert_fault(c, EXC_GP, 0, seg_load_tr(c, 0));
	assert_fault(c, EXC_GP, SEL_TSS, seg_load_tr(c, SEL_TSS)); /* busy */
	put_desc(b, SEL_TSS, make_desc(SYS_TSS_AT, 0x67, 0x89));
	assert_no_fault(c, seg_load_tr(c, SEL_TSS));
	assert_int_equal(get_desc(b, SEL_TSS), make_desc(SYS_TSS_AT, 0x67, 0x8b));
	assert_int_equal(c->tr.attr & 15, SYS_TSS_BUSY);
	put_desc(b, SEL_TSS, make_desc(SYS_TSS_AT, 0x67, 0x09));
	assert_fault(c, EXC_NP, SEL_TSS, seg_load_tr(c, SEL_TSS));
	put_desc(b, SEL_TSS16, make_desc(SYS_TSS_AT, 0x67, 0x81));
	assert_no_fault(c, seg_load_tr(c, SEL_TSS16));
}

static void test_system_descriptors_are_16_bytes_in_long_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	put_desc(b, SEL_TSS, make_desc(0x12345678, 0x67, 0x89));
	put_desc(b, SEL_TSS + 8, 0xffff8000);
	assert_no_fault(c, seg_load_tr(c, SEL_TSS));
	assert_int_equal(c->tr.base, 0xffff800012345678);
	put_desc(b, SEL_LDT, make_desc(0x12345678, 0x67, 0x82));
	put_desc(b, SEL_LDT + 8, 0x8000);
	assert_fault(c, EXC_GP, SEL_LDT, seg_load_ldt(c, SEL_LDT)); /* not canonical */
	put_desc(b, SEL_LDT + 8, 0x7fff | 1ull << 40);
	assert_fault(c, EXC_GP, SEL_LDT, seg_load_ldt(c, SEL_LDT)); /* type bits in the high half */
	put_desc(b, SEL_LDT + 8, 0x7fff);
	assert_no_fault(c, seg_load_ldt(c, SEL_LDT));
	assert_int_equal(c->ldt.base, 0x7fff12345678);
	put_desc(b, SEL_TSS16, make_desc(SYS_TSS_AT, 0x67, 0x81));
	assert_fault(c, EXC_GP, SEL_TSS16, seg_load_tr(c, SEL_TSS16));
	/* The high half must be in the table too. */
	c->gdt.limit = SEL_LDT + 7;
	assert_fault(c, EXC_GP, SEL_LDT, seg_load_ldt(c, SEL_LDT));
}

/* ---- limits ---- */

SNIPPET(l_load, 32, "mov %es:(%ebx), %eax; hlt");
SNIPPET(l_store, 32, "movl $1, %es:(%ebx); hlt");
SNIPPET(l_stack, 32, "push %eax; hlt");

static int access_es(struct box *b, uint64_t desc, uint32_t ebx, bool store)
{
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);
	int vec;

	put_desc(b, SEL_GATE, desc);
	vec = FAULT_OF(c, seg_load(c, S_ES, SEL_GATE));
	assert_int_equal(vec, NO_FAULT);
	cpu_mode_changed(c);
	if (store)
		PUT(b, l_store);
	else
		PUT(b, l_load);
	c->regs[R_RBX] = ebx;
	vec = box_run(b, 0);
	if (vec != -1) {
		assert_int_equal(on_stack(b, 0, 4), 0);
		assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
	}
	return vec;
}

static void test_limits(void **state)
{
	struct box *b = *state;
	uint64_t up = make_desc(0x200000, 0xfff, 0x4093), down = make_desc(0x200000, 0xfff, 0x4097),
		 down16 = make_desc(0x200000, 0xfff, 0x0097),
		 ro = make_desc(0x200000, 0xfff, 0x4091), code = make_desc(0x200000, 0xfff, 0x409b);

	assert_int_equal(access_es(b, up, 0xffc, false), -1);
	assert_int_equal(access_es(b, up, 0xffd, false), EXC_GP);
	assert_int_equal(access_es(b, up, 0xffffffff, false), EXC_GP);
	assert_int_equal(access_es(b, up, 0xffc, true), -1);
	assert_int_equal(access_es(b, down, 0xfff, false), EXC_GP);
	assert_int_equal(access_es(b, down, 0x1000, false), -1);
	assert_int_equal(access_es(b, down, 0xfffffffd, false), EXC_GP);
	assert_int_equal(access_es(b, down16, 0xfffc, false), -1);
	assert_int_equal(access_es(b, down16, 0xfffd, false), EXC_GP);
	assert_int_equal(access_es(b, ro, 0, false), -1);
	assert_int_equal(access_es(b, ro, 0, true), EXC_GP);
	assert_int_equal(access_es(b, code, 0, false), -1);
	assert_int_equal(access_es(b, code, 0, true), EXC_GP);
}

static void test_null_segments_fault_when_used(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	assert_no_fault(c, seg_load(c, S_ES, 0));
	cpu_mode_changed(c);
	PUT(b, l_load);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 4), 0);
}

static void test_stack_limit(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	put_desc(b, SEL_GATE, make_desc(0, 0x9fff, 0x40f3));
	assert_no_fault(c, seg_load(c, S_SS, SEL_GATE | 3));
	c->regs[R_RSP] = 0xa002;
	cpu_mode_changed(c);
	PUT(b, l_stack);
	assert_int_equal(box_run(b, 0), EXC_SS);
	assert_int_equal(on_stack(b, 0, 4), 0);
	assert_int_equal(on_stack(b, 4, 4), 0xa002);
}

/* ---- far jumps ---- */

static void far_at(struct box *b, uint8_t opcode, uint16_t sel, uint32_t off)
{
	uint8_t code[8] = {opcode};

	stn_le(code + 1, 4, off);
	stn_le(code + 5, 2, sel);
	code[7] = 0xf4;
	box_code(b, BOX_CODE, code, 8);
	BOX_CODE_AT(b, 0x200000, 0xf4);
}

static void test_far_jumps_in_protected_mode(void **state)
{
	static const struct {
		uint16_t sel;
		unsigned cpl;
		uint32_t off;
		int vector;
		unsigned error;
		uint16_t cs;
	} cases[] = {
		{BOX_CS32, 0, 0x200000, -1, 0, BOX_CS32},
		{BOX_CS32 | 3, 0, 0x200000, EXC_GP, BOX_CS32, 0},
		{SEL_UCODE32, 0, 0x200000, EXC_GP, SEL_UCODE32 & ~3, 0},
		{BOX_CS32, 3, 0x200000, EXC_GP, BOX_CS32, 0},
		{SEL_CONF32, 0, 0x200000, -1, 0, SEL_CONF32},
		{SEL_CONF32 | 3, 0, 0x200000, -1, 0, SEL_CONF32},
		{0, 0, 0x200000, EXC_GP, 0, 0},
		{0x3f8, 0, 0x200000, EXC_GP, 0x3f8, 0},
		{BOX_DS, 0, 0x200000, EXC_GP, BOX_DS, 0},
		{SEL_ABSENT, 0, 0x200000, EXC_NP, SEL_ABSENT, 0},
		{BOX_CS16, 0, 0x200000, EXC_GP, 0, 0}, /* beyond the limit */
		{SEL_LDT, 0, 0x200000, EXC_GP, SEL_LDT, 0},
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpu *c = sys_mode(b, BOX_PROT32, cases[i].cpl);

		put_desc(b, BOX_CS16, make_desc(0, 0xffff, 0x009b));
		put_desc(b, SEL_LDT, make_desc(0x9100, 0xf, 0x82));
		far_at(b, 0xea, cases[i].sel, cases[i].off);
		assert_int_equal(box_run(b, 0), cases[i].vector);
		if (cases[i].vector == -1) {
			assert_int_equal(c->rip, 0x200001);
			assert_int_equal(c->seg[S_CS].sel, cases[i].cs);
		} else {
			assert_int_equal(on_stack(b, 0, 4), cases[i].error);
			assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
		}
	}
}

static void test_far_call_and_return(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	far_at(b, 0x9a, BOX_CS32, 0x200000);
	BOX_CODE_AT(b, 0x200000, 0xca, 8, 0); /* retf 8 */
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, BOX_CODE + 8);
	assert_int_equal(c->regs[R_RSP], BOX_STACK + 8);
	assert_int_equal(get32(b, BOX_STACK - 4), BOX_CS32);
	assert_int_equal(get32(b, BOX_STACK - 8), BOX_CODE + 7);
}

static void test_real_mode_far_call(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_REAL16, 0);

	BOX_CODE_AT(b, 0x4000, 0x9a, 0x10, 0x00, 0x50, 0x04, 0xf4); /* call 0450:0010 */
	BOX_CODE_AT(b, 0x4510, 0xcb);
	c->rip = 0x4000;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, 0x4006);
	assert_int_equal(c->regs[R_RSP], BOX_STACK);
	assert_int_equal(get16(b, BOX_STACK - 4), 0x4005);
}

/* ---- call gates ---- */

SNIPPET(g_ret8, 32, "mov 8(%esp), %eax; mov 12(%esp), %ecx; lret $8");

static void test_a_call_gate_switches_stacks_and_copies_parameters(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	put_desc(b, SEL_GATE, make_gate(BOX_CS32, 0x200000, 0xec, 2));
	far_at(b, 0x9a, SEL_GATE | 3, 0xdeadbeef);
	put32(b, SYS_USTACK, 0x11111111);
	put32(b, SYS_USTACK + 4, 0x22222222);
	RUN_AT(b, g_ret8, 0x200000);
	c->seg[S_ES] = (struct cpu_seg){.sel = SEL_UDATA, .attr = 0xc0f3, .limit = UINT32_MAX};
	/* HLT at privilege 3 is #GP. */
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 1, 4), BOX_CODE + 7);
	assert_int_equal(on_stack(b, 2, 4), SEL_UCODE32);
	assert_int_equal(on_stack(b, 4, 4), SYS_USTACK + 8);
	assert_int_equal(on_stack(b, 5, 4), SEL_UDATA);
	assert_int_equal(c->regs[R_RAX], 0x11111111);
	assert_int_equal(c->regs[R_RCX], 0x22222222);
}

static void test_call_gate_checks(void **state)
{
	static const struct {
		uint16_t target;
		unsigned attr;
		uint16_t sel;
		uint8_t opcode;
		int vector;
		unsigned error;
	} cases[] = {
		{BOX_CS32, 0x8c, SEL_GATE | 3, 0x9a, EXC_GP, SEL_GATE}, /* DPL 0 */
		{BOX_CS32, 0x6c, SEL_GATE | 3, 0x9a, EXC_NP, SEL_GATE},
		{0, 0xec, SEL_GATE | 3, 0x9a, EXC_GP, 0},
		{BOX_DS, 0xec, SEL_GATE | 3, 0x9a, EXC_GP, BOX_DS},
		{SEL_ABSENT, 0xec, SEL_GATE | 3, 0x9a, EXC_NP, SEL_ABSENT},
		{0x3f8, 0xec, SEL_GATE | 3, 0x9a, EXC_GP, 0x3f8},
		{BOX_CS32, 0xec, SEL_GATE | 3, 0xea, EXC_GP, BOX_CS32}, /* JMP may not go inward */
		{BOX_CS32, 0xee, SEL_GATE | 3, 0x9a, EXC_GP, SEL_GATE}, /* an interrupt gate */
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		sys_mode(b, BOX_PROT32, 3);
		put_desc(b, SEL_GATE, make_gate(cases[i].target, 0x200000, cases[i].attr, 0));
		far_at(b, cases[i].opcode, cases[i].sel, 0);
		assert_int_equal(box_run(b, 0), cases[i].vector);
		assert_int_equal(on_stack(b, 0, 4), cases[i].error);
		assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
	}
}

static void test_call_gate_to_conforming_code_keeps_the_stack(void **state)
{
	struct box *b = *state;

	sys_mode(b, BOX_PROT32, 3);
	put_desc(b, SEL_GATE, make_gate(SEL_CONF32, 0x200000, 0xec, 2));
	far_at(b, 0x9a, SEL_GATE | 3, 0);
	assert_int_equal(box_run(b, 0), EXC_GP); /* HLT */
	assert_int_equal(on_stack(b, 1, 4), 0x200000);
	assert_int_equal(on_stack(b, 2, 4), SEL_CONF32 | 3);
	assert_int_equal(on_stack(b, 4, 4), SYS_USTACK - 8);
}

static void test_call_gate_in_long_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 3);

	put_desc(b, SEL_GATE, make_gate(BOX_CS64, 0x200000, 0xec, 0));
	put_desc(b, SEL_GATE + 8, 0);
	BOX_CODE_AT(b, BOX_CODE, 0xff, 0x1b, 0x90, 0xf4); /* lcall *(%rbx) */
	c->regs[R_RBX] = 0x7800;
	put32(b, 0x7800, 0);
	put16(b, 0x7804, SEL_GATE | 3);
	BOX_CODE_AT(b, 0x200000, 0x48, 0xcb);	 /* lretq */
	assert_int_equal(box_run(b, 0), EXC_GP); /* HLT */
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE + 3);
	assert_int_equal(on_stack(b, 2, 8), SEL_UCODE64);
	assert_int_equal(on_stack(b, 4, 8), SYS_USTACK);
	assert_int_equal(on_stack(b, 5, 8), SEL_UDATA);
	assert_int_equal(box_ld64(b, SYS_STACK0 - 8), SEL_UDATA);
	assert_int_equal(box_ld64(b, SYS_STACK0 - 16), SYS_USTACK);
	/* 32-bit targets are not allowed. */
	c = sys_mode(b, BOX_LONG, 3);
	c->regs[R_RBX] = 0x7800;
	put_desc(b, SEL_GATE, make_gate(BOX_CS32, 0x200000, 0xec, 0));
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 8), BOX_CS32);
}

/* ---- returns ---- */

static void frame32(struct box *b, uint32_t eip, uint32_t cs, uint32_t flags, uint32_t esp,
		    uint32_t ss)
{
	const uint32_t f[] = {eip, cs, flags, esp, ss};

	memcpy(b->ram + 0x7800, f, sizeof(f));
	box_cpu(b, 0)->regs[R_RSP] = 0x7800;
	BOX_CODE_AT(b, BOX_CODE, 0xcf, 0xf4);
	BOX_CODE_AT(b, 0x200000, 0xf4);
}

static void test_iret_to_outer_privilege_nulls_inner_segments(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	frame32(b, 0x200000, SEL_UCODE32, FL_1 | FL_IF | FL_CF, 0x8f00, SEL_UDATA);
	assert_no_fault(c, seg_load(c, S_ES, SEL_UDATA));
	assert_no_fault(c, seg_load(c, S_FS, SEL_CONF32));
	assert_int_equal(box_run(b, 0), EXC_GP); /* HLT */
	assert_int_equal(c->seg[S_DS].sel, 0);
	assert_int_equal(c->seg[S_GS].sel, 0);
	assert_int_equal(c->seg[S_ES].sel, SEL_UDATA);
	assert_int_equal(c->seg[S_FS].sel, SEL_CONF32);
	assert_int_equal(on_stack(b, 1, 4), 0x200000);
	assert_int_equal(on_stack(b, 3, 4), FL_1 | FL_IF | FL_CF | FL_RF);
	assert_int_equal(on_stack(b, 4, 4), 0x8f00);
}

static void test_iret_checks(void **state)
{
	static const struct {
		uint16_t cs, ss;
		int vector;
		unsigned error;
	} cases[] = {
		{0, 0, EXC_GP, 0},
		{0x3f8, 0, EXC_GP, 0x3f8},
		{BOX_DS, 0, EXC_GP, BOX_DS},
		{SEL_ABSENT, 0, EXC_NP, SEL_ABSENT},
		{BOX_CS32 | 3, SEL_UDATA, EXC_GP, BOX_CS32}, /* DPL is not RPL */
		{SEL_CODE1 & ~3, 0, EXC_GP, SEL_CODE1 & ~3},
		{SEL_UCODE32, 0, EXC_GP, 0},
		{SEL_UCODE32, BOX_DS | 3, EXC_GP, BOX_DS},
		{SEL_UCODE32, BOX_DS, EXC_GP, BOX_DS},
		{SEL_UCODE32, SEL_UCODE32, EXC_GP, SEL_UCODE32 & ~3},
		{SEL_UCODE32, SEL_ABSENT_DATA, EXC_GP, SEL_ABSENT_DATA},
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpu *c = sys_mode(b, BOX_PROT32, 0);

		frame32(b, 0x200000, cases[i].cs, FL_1, 0x8f00, cases[i].ss);
		assert_int_equal(box_run(b, 0), cases[i].vector);
		assert_int_equal(on_stack(b, 0, 4), cases[i].error);
		assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
		assert_int_equal(c->regs[R_RSP], 0x7800 - 16);
	}
}

static void test_flags_that_iret_may_change(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);
	uint32_t all = FL_IF | FL_IOPL | FL_NT | FL_AC | FL_ID | FL_DF | FL_ARITH | FL_1;

	frame32(b, 0x200000, BOX_CS32, all, 0, 0);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(cpu_eflags(c), all);
	/* Privilege 3, IOPL 0: neither IF nor IOPL. */
	c = sys_mode(b, BOX_PROT32, 3);
	frame32(b, 0x200000, SEL_UCODE32, all & ~FL_NT, 0, 0);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 3, 4), (all & ~(FL_NT | FL_IF | FL_IOPL)) | FL_RF);
}

static void test_iretq(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	const uint64_t to_user[] = {0x200000, SEL_UCODE64, FL_1 | FL_IF, 0x8ff1, SEL_UDATA};
	const uint64_t to_null_ss[] = {0x200000, BOX_CS64, FL_1, 0x6ff8, 0};
	const uint64_t to_compat[] = {0x200000, SEL_UCODE32, FL_1, 0x8ff0, SEL_UDATA};
	const uint64_t bad_rip[] = {0x800000000000, SEL_UCODE64, FL_1, 0x8ff0, SEL_UDATA};

	BOX_CODE_AT(b, BOX_CODE, 0x48, 0xcf);
	BOX_CODE_AT(b, 0x200000, 0xf4);
	memcpy(b->ram + 0x7800, to_user, sizeof(to_user));
	c->regs[R_RSP] = 0x7800;
	c->regs[R_GSBASE] = c->seg[S_GS].base = 0x400000;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 1, 8), 0x200000);
	assert_int_equal(on_stack(b, 4, 8), 0x8ff1);
	/* GS had a selector of privilege 0: it goes, its base stays. */
	assert_int_equal(c->seg[S_GS].sel, 0);
	assert_int_equal(c->regs[R_GSBASE], 0x400000);

	c = sys_mode(b, BOX_LONG, 0);
	memcpy(b->ram + 0x7800, to_null_ss, sizeof(to_null_ss));
	c->regs[R_RSP] = 0x7800;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RSP], 0x6ff8);
	assert_int_equal(c->seg[S_SS].sel, 0);

	c = sys_mode(b, BOX_LONG, 0);
	memcpy(b->ram + 0x7800, to_compat, sizeof(to_compat));
	c->regs[R_RSP] = 0x7800;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 2, 8), SEL_UCODE32);

	c = sys_mode(b, BOX_LONG, 0);
	memcpy(b->ram + 0x7800, bad_rip, sizeof(bad_rip));
	c->regs[R_RSP] = 0x7800;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 8), 0);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);

	/* NT has no meaning in long mode. */
	c = sys_mode(b, BOX_LONG, 0);
	c->flags |= FL_NT;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
}

/* ---- modes ---- */

SNIPPET(m_enter_long, 32,
	"mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4\n"
	"mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr\n"
	"mov $0x10000, %eax; mov %eax, %cr3\n"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
	"ljmp $0x08, $0x200000");
SNIPPET(m_in_long, 64, "mov $0x1122334455667788, %rax; mov %rax, %r8; hlt");

static void test_the_way_into_long_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	PUT(b, m_enter_long);
	RUN_AT(b, m_in_long, 0x200000);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_R8], 0x1122334455667788);
	assert_int_equal(c->efer & (EFER_LMA | EFER_LME), EFER_LMA | EFER_LME);
	assert_true(c->mode & MODE_CODE64);
	assert_int_equal(c->regs[R_CSBASE], 0);
}

SNIPPET(m_to_prot, 16, "mov %cr0, %eax; or $1, %eax; mov %eax, %cr0; ljmpl $0x18, $0x200000");

static void test_the_way_into_protected_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_REAL16, 0);

	RUN_AT(b, m_to_prot, 0x4000);
	BOX_CODE_AT(b, 0x200000, 0xb8, 0x78, 0x56, 0x34, 0x12, 0xf4);
	c->rip = 0x4000;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0x12345678);
	assert_int_equal(c->seg[S_CS].sel, BOX_CS32);
}

/* ---- LAR, LSL, VERR, VERW, ARPL ---- */

static void test_lar_lsl_verr_verw(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);
	uint32_t v = 0;

	assert_true(seg_lar(c, BOX_DS, &v));
	assert_int_equal(v, 0x00c09300);
	assert_true(seg_lsl(c, BOX_DS, &v));
	assert_int_equal(v, UINT32_MAX);
	assert_true(seg_lsl(c, SEL_TSS, &v));
	assert_int_equal(v, 0x3ff);
	assert_false(seg_lar(c, 0, &v));
	assert_false(seg_lar(c, 0x3f8, &v));
	assert_true(seg_lar(c, SEL_UDATA, &v));
	put_desc(b, SEL_GATE, make_gate(BOX_CS32, 0, 0xec, 0));
	assert_true(seg_lar(c, SEL_GATE, &v));
	assert_false(seg_lsl(c, SEL_GATE, &v));
	put_desc(b, SEL_GATE, make_gate(BOX_CS32, 0, 0xee, 0));
	assert_false(seg_lar(c, SEL_GATE, &v));
	assert_true(seg_verify(c, BOX_DS, true));
	assert_true(seg_verify(c, SEL_RODATA, false));
	assert_false(seg_verify(c, SEL_RODATA, true));
	assert_false(seg_verify(c, SEL_XONLY, false));
	assert_true(seg_verify(c, BOX_CS32, false));
	assert_false(seg_verify(c, BOX_CS32, true));
	assert_false(seg_verify(c, SEL_TSS, false));

	c = sys_mode(b, BOX_PROT32, 3);
	assert_false(seg_lar(c, BOX_DS, &v));
	assert_true(seg_lar(c, SEL_CONF32, &v));
	assert_false(seg_verify(c, BOX_DS, false));
	assert_true(seg_verify(c, SEL_UDATA, true));

	c = sys_mode(b, BOX_LONG, 0);
	put_desc(b, SEL_GATE, make_gate(BOX_CS64, 0, 0xe5, 0));
	assert_false(seg_lar(c, SEL_GATE, &v)); /* no task gates */
}

SNIPPET(a_arpl, 32, "arpl %cx, %ax; setz %dl; lar %ebx, %esi; setz %dh; hlt");

static void test_arpl_and_lar_as_instructions(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	PUT(b, a_arpl);
	c->regs[R_RAX] = 0xaaaa0010;
	c->regs[R_RCX] = 3;
	c->regs[R_RBX] = BOX_DS;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0xaaaa0013);
	assert_int_equal(c->regs[R_RDX], 0x101);
	assert_int_equal(c->regs[R_RSI], 0xc09300);
	c->rip = BOX_CODE;
	c->regs[R_RAX] = 0x13;
	c->regs[R_RCX] = 1;
	c->regs[R_RBX] = 0x3f8;
	c->regs[R_RSI] = 77;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0x13);
	assert_int_equal(c->regs[R_RDX], 0);
	assert_int_equal(c->regs[R_RSI], 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_data_segment_loads),
		SYS_TEST(test_a_load_sets_the_accessed_bit),
		SYS_TEST(test_null_ss_in_64_bit_mode),
		SYS_TEST(test_real_mode_loads_keep_the_limit),
		SYS_TEST(test_ldt_and_tr_loads),
		SYS_TEST(test_system_descriptors_are_16_bytes_in_long_mode),
		SYS_TEST(test_limits),
		SYS_TEST(test_null_segments_fault_when_used),
		SYS_TEST(test_stack_limit),
		SYS_TEST(test_far_jumps_in_protected_mode),
		SYS_TEST(test_far_call_and_return),
		SYS_TEST(test_real_mode_far_call),
		SYS_TEST(test_a_call_gate_switches_stacks_and_copies_parameters),
		SYS_TEST(test_call_gate_checks),
		SYS_TEST(test_call_gate_to_conforming_code_keeps_the_stack),
		SYS_TEST(test_call_gate_in_long_mode),
		SYS_TEST(test_iret_to_outer_privilege_nulls_inner_segments),
		SYS_TEST(test_iret_checks),
		SYS_TEST(test_flags_that_iret_may_change),
		SYS_TEST(test_iretq),
		SYS_TEST(test_the_way_into_long_mode),
		SYS_TEST(test_the_way_into_protected_mode),
		SYS_TEST(test_lar_lsl_verr_verw),
		SYS_TEST(test_arpl_and_lar_as_instructions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
