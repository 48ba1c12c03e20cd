/* SPDX-License-Identifier: BSD-2-Clause */
/* The x87 and SSE state as a whole: FXSAVE, XSAVE, FNSAVE and their like, what switches the units off, pending exceptions. */
#include "src/cpu/fpu.h"
#include "src/cpu/sse.h"
#include "tests/cpu/sysbox.h"

#define AREA 0x200000u /* where state is stored */

SNIPPET(s_fxsave64, 64, "fxsave64 (%rbx); hlt");
SNIPPET(s_fxsave, 64, "fxsave (%rbx); hlt");
SNIPPET(s_fxsave32, 32, "fxsave (%ebx); hlt");
SNIPPET(s_fxrstor64, 64, "fxrstor64 (%rbx); hlt");
SNIPPET(s_fxrstor32, 32, "fxrstor (%ebx); hlt");
SNIPPET(s_xsave64, 64, "xsave64 (%rbx); hlt");
SNIPPET(s_xsavec64, 64, "xsavec64 (%rbx); hlt");
SNIPPET(s_xrstor64, 64, "xrstor64 (%rbx); hlt");
SNIPPET(s_sse, 64, "addpd %xmm1, %xmm2; hlt");
SNIPPET(s_mmx, 64, "paddb %mm1, %mm2; hlt");
SNIPPET(s_mixed, 64, "movq2dq %mm1, %xmm2; hlt");
SNIPPET(s_x87, 64, "fld1; hlt");
SNIPPET(s_fwait, 64, "fwait; hlt");
SNIPPET(s_movnti, 64, "movnti %rax, (%rbx); prefetcht0 -1; sfence; hlt");
SNIPPET(s_ldmxcsr, 64, "ldmxcsr (%rbx); hlt");
SNIPPET(s_unmask, 64, "ldmxcsr (%rbx); divsd %xmm1, %xmm2; stmxcsr 4(%rbx); hlt");
SNIPPET(s_zerodiv, 64, "fldcw (%rbx); fld1; fldz; .byte 0xde, 0xf9; fnstsw %ax; fnop; hlt");
SNIPPET(s_env64, 64, "fninit; fld1; fadds 0x40(%rbx); fnstenv (%rbx); hlt");
SNIPPET(s_env16, 16, "fninit; fld1; fadds 0x40(%bx); fnstenv (%bx); hlt");
SNIPPET(s_env32real, 16, "fninit; fld1; fadds 0x40(%bx); data32 fnstenv (%bx); hlt");
SNIPPET(s_fnsave, 64, "fninit; fldpi; fld1; fldz; fincstp; fnsave (%rbx); hlt");
SNIPPET(s_frstor, 64, "frstor (%rbx); hlt");
SNIPPET(s_maskmov, 64, "maskmovdqu %xmm2, %xmm1; hlt");
SNIPPET(s_maskmov_fs, 64, "fs maskmovdqu %xmm2, %xmm1; hlt");

static uint8_t *area(struct box *b)
{
	return b->ram + AREA;
}

static uint64_t at(struct box *b, unsigned offset, unsigned bytes)
{
	return ldn_le(area(b) + offset, bytes);
}

static struct cpu *start(struct box *b, enum box_mode mode)
{
	struct cpu *c = sys_mode(b, mode, 0);

	c->regs[R_RBX] = AREA;
	fpu_init(&c->fpu, true);
	memset(area(b), 0xcc, 1024);
	return c;
}

/* A state in which everything differs from its initial value. */
static void fill_state(struct cpu *c)
{
	c->fpu.top = 5;
	c->fpu.fsw = FSW_C0 | FSW_PE;
	c->fpu.fcw = 0x0f7f;
	c->fpu.ftw = 0xe1;
	c->fpu.fop = 0x123;
	c->fpu.fip = 0x123456789abc;
	c->fpu.fdp = 0xfedcba98765;
	c->fpu.fcs = 0x1111;
	c->fpu.fds = 0x2222;
	for (unsigned i = 0; i < 8; i++) {
		c->fpu.r[i].mant = 0x8000000000000000 + i;
		c->fpu.r[i].exp = (uint16_t)(0x3fff + i);
	}
	for (unsigned i = 0; i < 16; i++)
		c->xmm[i].i = _mm_set_epi64x(0x1111 * i, 0x2222 * i);
	c->mxcsr = 0x5f81;
}

/* ---- FXSAVE, FXRSTOR ---- */

static void test_fxsave64_lays_out_everything(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	fill_state(c);
	PUT(b, s_fxsave64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 0, 2), 0x0f7f);
	assert_int_equal(at(b, 2, 2), FSW_C0 | FSW_PE | 5 << 11);
	assert_int_equal(at(b, 4, 2), 0xe1);
	assert_int_equal(at(b, 6, 2), 0x123);
	assert_int_equal(at(b, 8, 8), 0x123456789abc);
	assert_int_equal(at(b, 16, 8), 0xfedcba98765);
	assert_int_equal(at(b, 24, 4), 0x5f81);
	assert_int_equal(at(b, 28, 4), 0xffff);
	/* ST(0) is physical register 5. */
	assert_int_equal(at(b, 32, 8), 0x8000000000000005);
	assert_int_equal(at(b, 40, 8), 0x3fff + 5);
	assert_int_equal(at(b, 32 + 16 * 3, 8), 0x8000000000000000);
	assert_int_equal(at(b, 160 + 16 * 15, 8), 0x2222 * 15);
	assert_int_equal(at(b, 160 + 16 * 15 + 8, 8), 0x1111 * 15);
	assert_int_equal(at(b, 416, 8), 0xcccccccccccccccc);
}

static void test_fxsave_without_rex_w_has_selectors(void **state)
{
	struct box *b = *state;

	fill_state(start(b, BOX_LONG));
	PUT(b, s_fxsave);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 8, 4), 0x56789abc);
	assert_int_equal(at(b, 12, 4), 0x1111);
	assert_int_equal(at(b, 16, 4), 0xcba98765);
	assert_int_equal(at(b, 20, 4), 0x2222);
	assert_int_equal(at(b, 160 + 16 * 15, 8), 0x2222 * 15);
}

static void test_outside_64_bit_mode_eight_xmm_registers_are_saved(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_PROT32);

	fill_state(c);
	PUT(b, s_fxsave32);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 160 + 16 * 7, 8), 0x2222 * 7);
	assert_int_equal(at(b, 160 + 16 * 8, 8), 0xcccccccccccccccc);
	memset(area(b) + 160, 0x55, 256);
	PUT(b, s_fxrstor32);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->xmm[7].u64[0], 0x5555555555555555);
	assert_int_equal(c->xmm[8].u64[0], 0x2222 * 8);
}

static void test_without_osfxsr_xmm_registers_are_left_out(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	fill_state(c);
	c->cr4 &= ~(uint64_t)CR4_OSFXSR;
	cpu_mode_changed(c);
	PUT(b, s_fxsave64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 24, 4), 0x5f81);
	assert_int_equal(at(b, 160, 8), 0xcccccccccccccccc);
}

static void test_fxrstor_brings_back_what_fxsave_stored(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);
	struct cpu_fpu fpu;

	fill_state(c);
	fpu = c->fpu;
	PUT(b, s_fxsave64);
	box_run(b, 0);
	memset(&c->fpu, 0, sizeof(c->fpu));
	memset(c->xmm, 0, sizeof(c->xmm));
	c->mxcsr = 0x1f80;
	PUT(b, s_fxrstor64);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->fpu.top, 5);
	assert_int_equal(c->fpu.ftw, 0xe1);
	assert_int_equal(c->fpu.fsw, FSW_C0 | FSW_PE);
	assert_int_equal(c->fpu.fip, fpu.fip);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(c->fpu.r[i].mant, fpu.r[i].mant);
		assert_int_equal(c->fpu.r[i].exp, fpu.r[i].exp);
	}
	assert_int_equal(c->xmm[9].u64[1], 0x1111 * 9);
	assert_int_equal(c->mxcsr, 0x5f81);
}

static void test_fxsave_and_fxrstor_want_16_byte_alignment(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	PUT(b, s_fxsave64);
	c->regs[R_RBX] += 8;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(at(b, 8, 8), 0xcccccccccccccccc);
	c = start(b, BOX_LONG);
	PUT(b, s_fxrstor64);
	c->regs[R_RBX] += 8;
	assert_int_equal(box_run(b, 0), EXC_GP);
}

static void test_reserved_bits_of_mxcsr_are_refused(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	memset(area(b), 0, 512);
	put32(b, AREA + 24, 0x1f80 | 1u << 16);
	c->fpu.fcw = 0x37f;
	PUT(b, s_fxrstor64);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(c->fpu.fcw, 0x37f);
	c = start(b, BOX_LONG);
	put32(b, AREA, 0x80000000 | 0x1f80);
	PUT(b, s_ldmxcsr);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(c->mxcsr, 0x1f80);
}

/* ---- XSAVE ---- */

static struct cpu *start_xsave(struct box *b, uint64_t xcr0, uint32_t rfbm)
{
	struct cpu *c = start(b, BOX_LONG);

	c->cr4 |= CR4_OSXSAVE;
	c->xcr0 = xcr0;
	cpu_mode_changed(c);
	c->regs[R_RAX] = rfbm;
	c->regs[R_RDX] = 0;
	return c;
}

static void test_xsave_needs_osxsave_and_64_byte_alignment(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	PUT(b, s_xsave64);
	assert_int_equal(box_run(b, 0), EXC_UD);
	c = start_xsave(b, 3, 3);
	PUT(b, s_xsave64);
	c->regs[R_RBX] += 16;
	assert_int_equal(box_run(b, 0), EXC_GP);
	c = start_xsave(b, 3, 3);
	c->cr0 |= CR0_TS;
	cpu_mode_changed(c);
	PUT(b, s_xsave64);
	assert_int_equal(box_run(b, 0), EXC_NM);
}

static void test_xsave_writes_what_is_asked_for(void **state)
{
	struct box *b = *state;
	struct cpu *c = start_xsave(b, 3, 2);

	fill_state(c);
	memset(area(b) + 512, 0, 64);
	box_st64(b, AREA + 512, 1);
	PUT(b, s_xsave64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 0, 8), 0xcccccccccccccccc);
	assert_int_equal(at(b, 24, 4), 0x5f81);
	assert_int_equal(at(b, 160 + 16, 8), 0x2222);
	/* XSTATE_BV: the other bit stays; the rest of the header isn't touched. */
	assert_int_equal(at(b, 512, 8), 3);
	assert_int_equal(at(b, 520, 8), 0);
	c = start_xsave(b, 1, ~0u);
	fill_state(c);
	memset(area(b) + 512, 0, 64);
	PUT(b, s_xsave64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 0, 2), 0x0f7f);
	assert_int_equal(at(b, 24, 8), 0xcccccccccccccccc);
	assert_int_equal(at(b, 512, 8), 1);
}

static void test_xsavec_writes_its_format_into_the_header(void **state)
{
	struct box *b = *state;
	struct cpu *c = start_xsave(b, 3, 3);

	fill_state(c);
	PUT(b, s_xsavec64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 512, 8), 3);
	assert_int_equal(at(b, 520, 8), 0x8000000000000003);
	assert_int_equal(at(b, 528, 8), 0);
	c->mxcsr = 0x1f80;
	memset(c->xmm, 0, sizeof(c->xmm));
	PUT(b, s_xrstor64);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->xmm[3].u64[0], 0x2222 * 3);
	assert_int_equal(c->mxcsr, 0x5f81);
}

static void test_xrstor_initialises_what_the_image_lacks(void **state)
{
	struct box *b = *state;
	struct cpu *c = start_xsave(b, 3, 3);

	fill_state(c);
	memset(area(b), 0, 576);
	put32(b, AREA + 24, 0x3f80);
	PUT(b, s_xrstor64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->fpu.fcw, 0x37f);
	assert_int_equal(c->fpu.ftw, 0);
	assert_int_equal(c->fpu.r[2].mant, 0);
	assert_int_equal(c->xmm[3].u64[0], 0);
	/* MXCSR comes from memory in the standard form. */
	assert_int_equal(c->mxcsr, 0x3f80);
}

static void test_xrstor_refuses_bad_headers(void **state)
{
	static const struct {
		unsigned offset;
		uint64_t value;
	} bad[] = {
		{512, 4},		   /* a state that XCR0 hasn't */
		{520, 1},		   /* XCOMP_BV without its top bit */
		{528, 1},		   /* reserved */
		{520, 0x8000000000000004}, /* compacted, a state that XCR0 hasn't */
		{24, 0x10000},		   /* MXCSR */
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct cpu *c = start_xsave(b, 3, 3);

		memset(area(b), 0, 576);
		box_st64(b, AREA + bad[i].offset, bad[i].value);
		PUT(b, s_xrstor64);
		c->fpu.fcw = 0xf7f;
		assert_int_equal(box_run(b, 0), EXC_GP);
		assert_int_equal(c->fpu.fcw, 0xf7f);
	}
}

/* ---- switched off ---- */

static int run_with(struct box *b, const uint8_t *code, size_t bytes, uint64_t cr0, bool osfxsr)
{
	struct cpu *c = start(b, BOX_LONG);

	c->cr0 = (c->cr0 & ~(uint64_t)(CR0_TS | CR0_EM | CR0_MP)) | cr0;
	if (!osfxsr)
		c->cr4 &= ~(uint64_t)CR4_OSFXSR;
	cpu_mode_changed(c);
	box_code(b, BOX_CODE, code, bytes);
	return box_run(b, 0);
}
#define RUN_WITH(name, cr0, osfxsr) run_with(b, name, (size_t)(name##_end - name), cr0, osfxsr)

static void test_what_cr0_and_cr4_switch_off(void **state)
{
	struct box *b = *state;

	assert_int_equal(RUN_WITH(s_sse, 0, true), -1);
	assert_int_equal(RUN_WITH(s_sse, CR0_TS, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_sse, CR0_EM, true), EXC_UD);
	assert_int_equal(RUN_WITH(s_sse, CR0_EM | CR0_TS, true), EXC_UD);
	assert_int_equal(RUN_WITH(s_sse, CR0_TS, false), EXC_UD);
	assert_int_equal(RUN_WITH(s_mmx, 0, false), -1);
	assert_int_equal(RUN_WITH(s_mmx, CR0_TS, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_mmx, CR0_EM, true), EXC_UD);
	assert_int_equal(RUN_WITH(s_mixed, CR0_TS, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_mixed, 0, false), EXC_UD);
	assert_int_equal(RUN_WITH(s_x87, CR0_TS, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_x87, CR0_EM, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_x87, 0, false), -1);
	assert_int_equal(RUN_WITH(s_fwait, CR0_TS, true), -1);
	assert_int_equal(RUN_WITH(s_fwait, CR0_EM, true), -1);
	assert_int_equal(RUN_WITH(s_fwait, CR0_TS | CR0_MP, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_fxsave64, CR0_TS, true), EXC_NM);
	assert_int_equal(RUN_WITH(s_ldmxcsr, CR0_TS, false), EXC_UD);
	assert_int_equal(RUN_WITH(s_movnti, CR0_TS | CR0_EM, false), -1);
}

/* ---- exceptions ---- */

static void test_an_unmasked_simd_exception_leaves_the_destination(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	put32(b, AREA, 0x1f80 & ~(MXCSR_ZE * MXCSR_IM));
	c->xmm[1].f64[0] = 0;
	c->xmm[2].f64[0] = 1;
	PUT(b, s_unmask);
	assert_int_equal(box_run(b, 0), EXC_XM);
	assert_true(c->xmm[2].f64[0] == 1);
	assert_int_equal(c->mxcsr, (0x1f80 & ~(MXCSR_ZE * MXCSR_IM)) | MXCSR_ZE);
	/* Without OSXMMEXCPT it is #UD. */
	c = start(b, BOX_LONG);
	c->cr4 &= ~(uint64_t)CR4_OSXMMEXCPT;
	put32(b, AREA, 0x1f80 & ~(MXCSR_ZE * MXCSR_IM));
	PUT(b, s_unmask);
	assert_int_equal(box_run(b, 0), EXC_UD);
	/* Others don't matter. */
	c = start(b, BOX_LONG);
	put32(b, AREA, 0x1f80 & ~(MXCSR_OE * MXCSR_IM));
	PUT(b, s_unmask);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 4, 4), (0x1f80 & ~(MXCSR_OE * MXCSR_IM)) | MXCSR_ZE);
	assert_true(c->xmm[2].u64[0] == 0x7ff0000000000000);
}

static void test_sticky_flags_are_the_guests_alone(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);
	volatile double zero = 0;

	/* What C code on this thread raises doesn't show. */
	zero = 1 / zero;
	put32(b, AREA, 0x1f80);
	c->xmm[1].f64[0] = 3;
	c->xmm[2].f64[0] = 1;
	PUT(b, s_unmask);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 4, 4), 0x1f80 | MXCSR_PE);
	assert_int_equal(_mm_getcsr() & (MXCSR_MASKS | MXCSR_RC | MXCSR_FZ | MXCSR_DAZ),
			 MXCSR_DEFAULT);
}

static void test_a_pending_x87_exception_waits_for_the_next_instruction(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	put16(b, AREA, 0x37b);
	PUT(b, s_zerodiv);
	assert_int_equal(box_run(b, 0), EXC_MF);
	/* FNSTSW went through and saw it; FNOP didn't. */
	assert_int_equal(c->regs[R_RAX] & 0xffff, FSW_ZE | FSW_ES | FSW_B | 6 << 11);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 10);
	/* Nothing was popped. */
	assert_int_equal(c->fpu.ftw, 0xc0);
	/* CR0.NE = 0: the interrupt controller's business. */
	c = start(b, BOX_LONG);
	fpu_init(&c->fpu, true);
	c->cr0 &= ~(uint64_t)CR0_NE;
	put16(b, AREA, 0x37b);
	PUT(b, s_zerodiv);
	assert_int_equal(box_run(b, 0), -1);
}

/* ---- the environment and FNSAVE ---- */

static void test_environment_in_protected_mode_format(void **state)
{
	struct box *b = *state;

	start(b, BOX_LONG);
	put32(b, AREA + 0x40, 0x40000000); /* 2.0 */
	PUT(b, s_env64);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(at(b, 0, 4), 0xffff037f);
	assert_int_equal(at(b, 4, 4), 0xffff0000 | 7 << 11);
	assert_int_equal(at(b, 8, 4), 0xffff3fff);
	assert_int_equal(at(b, 12, 4), BOX_CODE + 4);
	assert_int_equal(at(b, 16, 4), BOX_CS64 | 0x043 << 16);
	assert_int_equal(at(b, 20, 4), AREA + 0x40);
	assert_int_equal(at(b, 24, 4), 0xffff0000 | BOX_DS);
}

static void test_environment_in_real_mode_format(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_REAL16, 0);
	uint32_t code = 0x8000;

	RUN_AT(b, s_env16, code);
	c->rip = code;
	c->regs[R_RBX] = 0x5000;
	put32(b, 0x5040, 0x40000000);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(get16(b, 0x5000), 0x37f);
	assert_int_equal(get16(b, 0x5002), 7 << 11);
	assert_int_equal(get16(b, 0x5004), 0x3fff);
	assert_int_equal(get16(b, 0x5006), code + 4);
	assert_int_equal(get16(b, 0x5008), 0x047); /* IP bits 16-19, opcode */
	assert_int_equal(get16(b, 0x500a), 0x5040);
	assert_int_equal(get16(b, 0x500c), 0);
	RUN_AT(b, s_env32real, code);
	c->rip = code;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(get32(b, 0x500c), 0xffff0000 | (code + 4));
	assert_int_equal(get32(b, 0x5010), 0x047);
	assert_int_equal(get32(b, 0x5014), 0xffff5040);
}

static void test_fnsave_stores_initialises_and_comes_back(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	PUT(b, s_fnsave);
	assert_int_equal(box_run(b, 0), -1);
	/* FINCSTP left the zero above the top: ST(0) = 1, ST(1) = pi, ST(7) = 0. */
	assert_int_equal(at(b, 4, 2), 6 << 11);
	assert_int_equal(at(b, 8, 2), 0x07ff);
	assert_int_equal(at(b, 28, 8), 0x8000000000000000);
	assert_int_equal(at(b, 36, 2), 0x3fff);
	assert_int_equal(at(b, 38, 8), 0xc90fdaa22168c235);
	assert_int_equal(at(b, 28 + 70, 8), 0);
	assert_int_equal(at(b, 108, 1), 0xcc);
	assert_int_equal(c->fpu.ftw, 0);
	assert_int_equal(c->fpu.top, 0);
	PUT(b, s_frstor);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->fpu.top, 6);
	assert_int_equal(c->fpu.ftw, 0xe0);
	assert_int_equal(c->fpu.r[7].mant, 0xc90fdaa22168c235);
	assert_int_equal(c->fpu.r[6].exp, 0x3fff);
}

/* ---- MASKMOVDQU ---- */

static void test_maskmovdqu_touches_only_what_is_selected(void **state)
{
	struct box *b = *state;
	struct cpu *c = start(b, BOX_LONG);

	for (unsigned i = 0; i < 16; i++) {
		c->xmm[1].u8[i] = (uint8_t)i;
		c->xmm[2].u8[i] = i == 3 || i == 5 ? 0x80 : 0x7f;
	}
	PUT(b, s_maskmov);
	/* The second half lies in a page that isn't there. */
	c->regs[R_RDI] = AREA + PAGE_SIZE - 8;
	memset(b->ram + AREA + PAGE_SIZE - 8, 0xee, 8);
	box_st64(b, box_pte(AREA + PAGE_SIZE), 0);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(box_ld64(b, AREA + PAGE_SIZE - 8), 0xeeee05ee03eeeeee);
	/* In another segment. */
	c->regs[R_FSBASE] = 0x1000;
	c->regs[R_RDI] = AREA;
	box_st64(b, box_pte(AREA + PAGE_SIZE), (AREA + PAGE_SIZE) | 7);
	mmu_flush_all(c);
	PUT(b, s_maskmov_fs);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(b->ram[AREA + PAGE_SIZE + 3], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_fxsave64_lays_out_everything),
		SYS_TEST(test_fxsave_without_rex_w_has_selectors),
		SYS_TEST(test_outside_64_bit_mode_eight_xmm_registers_are_saved),
		SYS_TEST(test_without_osfxsr_xmm_registers_are_left_out),
		SYS_TEST(test_fxrstor_brings_back_what_fxsave_stored),
		SYS_TEST(test_fxsave_and_fxrstor_want_16_byte_alignment),
		SYS_TEST(test_reserved_bits_of_mxcsr_are_refused),
		SYS_TEST(test_xsave_needs_osxsave_and_64_byte_alignment),
		SYS_TEST(test_xsave_writes_what_is_asked_for),
		SYS_TEST(test_xsavec_writes_its_format_into_the_header),
		SYS_TEST(test_xrstor_initialises_what_the_image_lacks),
		SYS_TEST(test_xrstor_refuses_bad_headers),
		SYS_TEST(test_what_cr0_and_cr4_switch_off),
		SYS_TEST(test_an_unmasked_simd_exception_leaves_the_destination),
		SYS_TEST(test_sticky_flags_are_the_guests_alone),
		SYS_TEST(test_a_pending_x87_exception_waits_for_the_next_instruction),
		SYS_TEST(test_environment_in_protected_mode_format),
		SYS_TEST(test_environment_in_real_mode_format),
		SYS_TEST(test_fnsave_stores_initialises_and_comes_back),
		SYS_TEST(test_maskmovdqu_touches_only_what_is_selected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
