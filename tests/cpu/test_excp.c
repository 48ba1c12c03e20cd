/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts: frames, stacks, error codes, double and triple faults, debug traps, in every mode. */
#include "tests/cpu/sysbox.h"

SNIPPET(s_ud2, 64, "ud2");
SNIPPET(s_div64, 64, "xor %ecx, %ecx; div %ecx");
SNIPPET(s_load64, 64, "mov (%rbx), %eax; hlt");
SNIPPET(s_store64, 64, "mov %eax, (%rbx); hlt");
SNIPPET(s_int3, 64, "int3; hlt");
SNIPPET(s_int80, 64, "int $0x80; hlt");
SNIPPET(s_nop3, 64, "nop; nop; nop; hlt");
SNIPPET(s_hlt, 64, "hlt");

/* ---- long mode ---- */

static void test_a_fault_in_long_mode_pushes_its_own_address(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_ud2);
	c->regs[R_RSP] = BOX_STACK - 5;
	assert_int_equal(box_run(b, 0), EXC_UD);
	/* Aligned to 16 before the pushes. */
	assert_int_equal(c->regs[R_RSP], ((BOX_STACK - 5) & ~15) - 40);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE);
	assert_int_equal(on_stack(b, 1, 8), BOX_CS64);
	assert_int_equal(on_stack(b, 2, 8), FL_1 | FL_RF);
	assert_int_equal(on_stack(b, 3, 8), BOX_STACK - 5);
	assert_int_equal(on_stack(b, 4, 8), BOX_DS);
	assert_int_equal(c->seg[S_SS].sel, BOX_DS);
}

static void test_a_trap_pushes_the_next_address(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_int3);
	assert_int_equal(box_run(b, 0), EXC_BP);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 1);
	assert_int_equal(on_stack(b, 2, 8), FL_1);
	assert_int_equal(c->flags & FL_TF, 0);
}

static void test_divide_error_leaves_registers_alone(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_div64);
	c->regs[R_RAX] = 7;
	c->regs[R_RDX] = 9;
	assert_int_equal(box_run(b, 0), EXC_DE);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 2);
	assert_int_equal(c->regs[R_RAX], 7);
	assert_int_equal(c->regs[R_RDX], 9);
}

static void test_page_fault_frame_and_cr2(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_load64);
	c->regs[R_RBX] = 0x12345678;
	assert_int_equal(box_run(b, 0), EXC_PF);
	assert_int_equal(c->cr2, 0x12345678);
	assert_int_equal(on_stack(b, 0, 8), 0);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	assert_int_equal(on_stack(b, 3, 8), FL_1 | FL_RF);
}

static void test_from_user_the_stack_is_rsp0_and_ss_null(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 3);

	PUT(b, s_store64);
	box_st64(b, box_pte(0x200000), 0x200000 | 5);
	c->regs[R_RBX] = 0x200010;
	assert_int_equal(box_run(b, 0), EXC_PF);
	assert_int_equal(c->cpl, 0);
	assert_int_equal(c->seg[S_SS].sel, 0);
	assert_int_equal(c->seg[S_CS].sel, BOX_CS64);
	assert_int_equal(c->regs[R_RSP], SYS_STACK0 - 48);
	assert_int_equal(on_stack(b, 0, 8), 7);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	assert_int_equal(on_stack(b, 2, 8), SEL_UCODE64);
	assert_int_equal(on_stack(b, 4, 8), SYS_USTACK);
	assert_int_equal(on_stack(b, 5, 8), SEL_UDATA);
}

static void test_ist_switches_without_a_change_of_privilege(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	for (unsigned ist = 1; ist <= 7; ist++)
		box_st64(b, SYS_TSS_AT + 36 + 8 * (ist - 1), 0x5000 + 0x100 * ist);
	PUT(b, s_ud2);
	for (unsigned ist = 1; ist <= 7; ist++) {
		sys_mode(b, BOX_LONG, 0);
		for (unsigned i = 1; i <= 7; i++)
			box_st64(b, SYS_TSS_AT + 36 + 8 * (i - 1), 0x5000 + 0x100 * i);
		put_idt64(b, EXC_UD, BOX_CS64, BOX_HLTS + 16 * EXC_UD, 0x8e, ist);
		assert_int_equal(box_run(b, 0), EXC_UD);
		assert_int_equal(c->regs[R_RSP], 0x5000 + 0x100 * ist - 40);
		assert_int_equal(c->seg[S_SS].sel, BOX_DS);
	}
}

static void test_interrupt_gates_clear_if_and_trap_gates_do_not(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_int80);
	c->flags |= FL_IF | FL_NT | FL_AC;
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(c->flags & (FL_IF | FL_NT), 0);
	assert_int_equal(c->flags & FL_AC, FL_AC);
	assert_int_equal(on_stack(b, 2, 8) & (FL_IF | FL_NT), FL_IF | FL_NT);
	sys_mode(b, BOX_LONG, 0);
	put_idt64(b, 0x80, BOX_CS64, BOX_HLTS + 16 * 0x80, 0x8f, 0);
	c->flags |= FL_IF;
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(c->flags & FL_IF, FL_IF);
}

static void test_int_n_needs_the_gates_privilege(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 3);

	PUT(b, s_int80);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 8), 0x80 * 8 + 2);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	sys_mode(b, BOX_LONG, 3);
	put_idt64(b, 0x80, BOX_CS64, BOX_HLTS + 16 * 0x80, 0xee, 0);
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 2);
	assert_int_equal(c->regs[R_RSP], SYS_STACK0 - 40);
}

static void test_what_is_wrong_with_a_gate(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	static const struct {
		uint16_t sel;
		unsigned attr;
		int vector;
		unsigned error;
	} cases[] = {
		{BOX_CS64, 0x0e, EXC_NP, 0x80 * 8 + 2},	       /* not present */
		{BOX_CS64, 0x86, EXC_GP, 0x80 * 8 + 2},	       /* 16-bit gate */
		{BOX_CS64, 0x85, EXC_GP, 0x80 * 8 + 2},	       /* task gate */
		{0, 0x8e, EXC_GP, 0},			       /* null */
		{BOX_CS32, 0x8e, EXC_GP, BOX_CS32},	       /* not 64-bit */
		{SEL_BAD64, 0x8e, EXC_GP, SEL_BAD64},	       /* L and D */
		{BOX_DS, 0x8e, EXC_GP, BOX_DS},		       /* data */
		{SEL_UCODE64, 0x8e, EXC_GP, SEL_UCODE64 & ~3}, /* outer */
		{0x3f8, 0x8e, EXC_GP, 0x3f8},		       /* beyond the table */
		{0x0c, 0x8e, EXC_GP, 0x0c},		       /* no LDT */
	};

	PUT(b, s_int80);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		sys_mode(b, BOX_LONG, 0);
		put_idt64(b, 0x80, cases[i].sel, BOX_HLTS + 16 * 0x80, cases[i].attr, 0);
		assert_int_equal(box_run(b, 0), cases[i].vector);
		assert_int_equal(on_stack(b, 0, 8), cases[i].error);
		assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	}
	/* For an exception the EXT bit is set. */
	PUT(b, s_int3);
	sys_mode(b, BOX_LONG, 0);
	put_idt64(b, EXC_UD, SEL_BAD64, 0, 0x8e, 0);
	PUT(b, s_ud2);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 8), SEL_BAD64 | 1);
	assert_int_equal(c->delivering, -1);
}

static void test_idt_limit(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_int80);
	c->idt.limit = 0x80 * 16 + 14;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 8), 0x80 * 8 + 2);
}

/* ---- double and triple faults ---- */

static int run_with_bad_gates(struct box *b, const uint8_t *bad, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_idt64(b, bad[i], BOX_CS64, BOX_HLTS + 16 * bad[i], 0x0e, 0);
	return box_run(b, 0);
}

static void test_contributory_pairs_make_a_double_fault(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	/* #GP, whose gate is not present: #NP makes #DF. */
	PUT(b, s_load64);
	c->regs[R_RBX] = 1ull << 63;
	assert_int_equal(run_with_bad_gates(b, (const uint8_t[]){EXC_GP}, 1), EXC_DF);
	assert_int_equal(on_stack(b, 0, 8), 0);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	/* #PF then #NP: #DF. */
	sys_mode(b, BOX_LONG, 0);
	c->regs[R_RBX] = 0x10000000;
	assert_int_equal(run_with_bad_gates(b, (const uint8_t[]){EXC_PF}, 1), EXC_DF);
	/* #UD is benign: the #NP is delivered. */
	sys_mode(b, BOX_LONG, 0);
	PUT(b, s_ud2);
	assert_int_equal(run_with_bad_gates(b, (const uint8_t[]){EXC_UD}, 1), EXC_NP);
	assert_int_equal(on_stack(b, 0, 8), EXC_UD * 8 + 3);
}

static void test_page_fault_while_delivering(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	/* #DE, then the stack is not mapped: #PF is delivered, by its IST stack. */
	PUT(b, s_div64);
	c->regs[R_RSP] = 0x20000000;
	box_st64(b, SYS_TSS_AT + 36, 0x5000);
	put_idt64(b, EXC_PF, BOX_CS64, BOX_HLTS + 16 * EXC_PF, 0x8e, 1);
	assert_int_equal(box_run(b, 0), EXC_PF);
	assert_int_equal(on_stack(b, 0, 8), 2);
	assert_int_equal(c->cr2, 0x20000000 - 8);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE + 2);
	/* #PF twice: #DF. */
	sys_mode(b, BOX_LONG, 0);
	PUT(b, s_load64);
	c->regs[R_RSP] = 0x20000000;
	c->regs[R_RBX] = 0x10000000;
	box_st64(b, SYS_TSS_AT + 36, 0x5000);
	put_idt64(b, EXC_DF, BOX_CS64, BOX_HLTS + 16 * EXC_DF, 0x8e, 1);
	assert_int_equal(box_run(b, 0), EXC_DF);
}

static int run_to_shutdown(struct box *b)
{
	struct cpu *c = box_cpu(b, 0);
	struct vcpu *v = c->vcpu;

	c->vcpu = NULL; /* there is no machine to tell */
	c->shutdown = c->halted = false;
	__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
	cpu_exec(c);
	c->vcpu = v;
	return c->shutdown;
}

static void test_a_fault_in_a_double_fault_shuts_down(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_ud2);
	c->idt.limit = 0;
	assert_true(run_to_shutdown(b));
	sys_mode(b, BOX_LONG, 0);
	PUT(b, s_load64);
	c->regs[R_RSP] = 0x20000000;
	c->regs[R_RBX] = 0x10000000;
	assert_true(run_to_shutdown(b));
	assert_int_equal(c->delivering, -1);
}

/* ---- protected mode ---- */

SNIPPET(p_int80, 32, "int $0x80; hlt");
SNIPPET(p_ud2, 32, "ud2");
SNIPPET(p_gp, 32, "mov $0x3f8, %eax; mov %eax, %ds");
SNIPPET(p_into, 32, "mov $0x7fffffff, %eax; add $1, %eax; into; hlt");
SNIPPET(p_bound, 32, "mov $5, %eax; bound %eax, 0x7800; hlt");

static void test_same_privilege_frame_in_protected_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	PUT(b, p_ud2);
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(c->regs[R_RSP], BOX_STACK - 12);
	assert_int_equal(on_stack(b, 0, 4), BOX_CODE);
	assert_int_equal(on_stack(b, 1, 4), BOX_CS32);
	assert_int_equal(on_stack(b, 2, 4), FL_1 | FL_RF);
	sys_mode(b, BOX_PROT32, 0);
	PUT(b, p_gp);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 4), 0x3f8);
	assert_int_equal(on_stack(b, 1, 4), BOX_CODE + 5);
}

static void test_inner_privilege_frame_in_protected_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	PUT(b, p_gp);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(c->cpl, 0);
	assert_int_equal(c->regs[R_RSP], SYS_STACK0 - 24);
	assert_int_equal(c->seg[S_SS].sel, BOX_DS);
	assert_int_equal(on_stack(b, 0, 4), 0x3f8);
	assert_int_equal(on_stack(b, 1, 4), BOX_CODE + 5);
	assert_int_equal(on_stack(b, 2, 4), SEL_UCODE32);
	assert_int_equal(on_stack(b, 4, 4), SYS_USTACK);
	assert_int_equal(on_stack(b, 5, 4), SEL_UDATA);
}

static void test_gates_to_privilege_1_use_its_stack(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	PUT(b, p_int80);
	RUN_AT(b, p_ud2, 0x200000);
	put_idt32(b, 0x80, make_gate(SEL_CODE1 & ~3, 0x200000, 0xee, 0));
	assert_int_equal(box_run(b, 0), EXC_UD);
	/* #UD came at privilege 1 and went to 0. */
	assert_int_equal(on_stack(b, 0, 4), 0x200000);
	assert_int_equal(on_stack(b, 1, 4), SEL_CODE1);
	assert_int_equal(on_stack(b, 3, 4), SYS_STACK1 - 20);
	assert_int_equal(on_stack(b, 4, 4), SEL_DATA1);
	assert_int_equal(get32(b, SYS_STACK1 - 20), BOX_CODE + 2);
	assert_int_equal(get32(b, SYS_STACK1 - 4), SEL_UDATA);
	assert_int_equal(c->cpl, 0);
}

static void test_conforming_handlers_keep_the_privilege(void **state)
{
	struct box *b = *state;

	sys_mode(b, BOX_PROT32, 3);
	PUT(b, p_int80);
	RUN_AT(b, p_ud2, 0x200000);
	put_idt32(b, 0x80, make_gate(SEL_CONF32, 0x200000, 0xee, 0));
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 1, 4), SEL_CONF32 | 3);
	assert_int_equal(on_stack(b, 3, 4), SYS_USTACK - 12);
}

static void test_16_bit_gates_push_words(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	PUT(b, p_int80);
	put_idt32(b, 0x80, make_gate(BOX_CS32, BOX_HLTS + 0x800, 0xe6, 0) | 0xabcdull << 48);
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(c->regs[R_RSP], SYS_STACK0 - 10);
	assert_int_equal(on_stack(b, 0, 2), (BOX_CODE + 2) & 0xffff);
	assert_int_equal(on_stack(b, 1, 2), SEL_UCODE32);
	assert_int_equal(on_stack(b, 3, 2), SYS_USTACK);
	assert_int_equal(on_stack(b, 4, 2), SEL_UDATA);
}

static void test_what_is_wrong_with_the_inner_stack(void **state)
{
	struct box *b = *state;
	static const struct {
		uint16_t ss;
		int vector;
		unsigned error;
	} cases[] = {
		{0, EXC_TS, 0},
		{SEL_UDATA, EXC_TS, SEL_UDATA & ~3}, /* not the privilege */
		{BOX_DS, EXC_TS, BOX_DS},
		{SEL_DATA1 & ~3, EXC_TS, SEL_DATA1 & ~3}, /* RPL */
		{SEL_CODE1, EXC_TS, SEL_CODE1 & ~3},	  /* code */
		{SEL_RODATA1, EXC_TS, SEL_RODATA1 & ~3},  /* not writable */
		{SEL_ABSENT1, EXC_SS, SEL_ABSENT1 & ~3},
		{0x3f8, EXC_TS, 0x3f8},
	};

	PUT(b, p_int80);
	RUN_AT(b, p_ud2, 0x200000);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		sys_mode(b, BOX_PROT32, 3);
		put_idt32(b, 0x80, make_gate(SEL_CODE1 & ~3, BOX_HLTS, 0xee, 0));
		put32(b, SYS_TSS_AT + 16, cases[i].ss);
		/* Privilege 1 has no stack; the fault goes to privilege 0, which has one. */
		assert_int_equal(box_run(b, 0), cases[i].vector);
		assert_int_equal(on_stack(b, 0, 4), cases[i].error);
		assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
	}
}

static void test_tss_too_small_for_the_stack(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	PUT(b, p_int80);
	put_idt32(b, 0x80, make_gate(BOX_CS32, BOX_HLTS, 0xee, 0));
	c->tr.limit = 8;
	assert_true(run_to_shutdown(
		b)); /* #TS, whose handler is at privilege 0 as well, then #DF, and no more */
}

static void test_into_and_bound(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	PUT(b, p_into);
	assert_int_equal(box_run(b, 0), EXC_OF);
	assert_int_equal(on_stack(b, 0, 4), BOX_CODE + 9);
	sys_mode(b, BOX_PROT32, 0);
	PUT(b, p_bound);
	put32(b, 0x7800, 6);
	put32(b, 0x7804, 9);
	assert_int_equal(box_run(b, 0), EXC_BR);
	assert_int_equal(on_stack(b, 0, 4), BOX_CODE + 5);
	sys_mode(b, BOX_PROT32, 0);
	put32(b, 0x7800, 5);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 5);
}

/* ---- real mode ---- */

static void test_real_mode_frame(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_REAL16, 0);

	BOX_CODE_AT(b, 0x4000, 0xcd, 0x80, 0xf4);
	c->rip = 0x4000;
	c->flags |= FL_IF;
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(c->regs[R_RSP], BOX_STACK - 6);
	assert_int_equal(on_stack(b, 0, 2), 0x4002);
	assert_int_equal(on_stack(b, 1, 2), 0);
	assert_int_equal(on_stack(b, 2, 2), FL_1 | FL_IF);
	assert_int_equal(c->flags & FL_IF, 0);
	/* #UD pushes no error code, and its own address. */
	sys_mode(b, BOX_REAL16, 0);
	BOX_CODE_AT(b, 0x4000, 0x0f, 0x0b);
	c->rip = 0x4000;
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 0, 2), 0x4000);
}

static void test_real_mode_beyond_the_ivt(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_REAL16, 0);

	BOX_CODE_AT(b, 0x4000, 0xcd, 0x80, 0xf4);
	c->rip = 0x4000;
	c->idt.limit = 0x80 * 4 + 2;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 2), 0x4000);
	sys_mode(b, BOX_REAL16, 0);
	c->rip = 0x4000;
	c->idt.limit = EXC_GP * 4;
	assert_int_equal(box_run(b, 0), EXC_DF);
	sys_mode(b, BOX_REAL16, 0);
	c->rip = 0x4000;
	c->idt.limit = 3;
	assert_true(run_to_shutdown(b));
}

/* ---- virtual-8086 mode ---- */

/* Enters v86 code at 0:4000 from privilege 0 by IRET. */
static struct cpu *enter_v86(struct box *b, uint64_t flags)
{
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);
	static const uint32_t frame[] = {0x4000, 0,	 0,	 0x5000, 0x0010,
					 0x0020, 0x0030, 0x0040, 0x0050};

	memcpy(b->ram + 0x7800, frame, sizeof(frame));
	put32(b, 0x7808, (uint32_t)flags | FL_VM | FL_1);
	c->regs[R_RSP] = 0x7800;
	BOX_CODE_AT(b, BOX_CODE, 0xcf);
	return c;
}

static void test_iret_to_v86_and_back_by_an_exception(void **state)
{
	struct box *b = *state;
	struct cpu *c = enter_v86(b, 0);

	BOX_CODE_AT(b, 0x4000, 0x0f, 0x0b);
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(c->regs[R_RSP], SYS_STACK0 - 36);
	assert_int_equal(on_stack(b, 0, 4), 0x4000);
	assert_int_equal(on_stack(b, 1, 4), 0);
	assert_int_equal(on_stack(b, 2, 4), FL_VM | FL_RF | FL_1);
	assert_int_equal(on_stack(b, 3, 4), 0x5000);
	assert_int_equal(on_stack(b, 4, 4), 0x10); /* SS */
	assert_int_equal(on_stack(b, 5, 4), 0x20); /* ES */
	assert_int_equal(on_stack(b, 6, 4), 0x30); /* DS */
	assert_int_equal(on_stack(b, 7, 4), 0x40); /* FS */
	assert_int_equal(on_stack(b, 8, 4), 0x50); /* GS */
	for (int s = S_DS; s <= S_GS; s++)
		assert_int_equal(c->seg[s].sel, 0);
	assert_int_equal(c->seg[S_ES].sel, 0);
	assert_int_equal(c->flags & FL_VM, 0);
	assert_int_equal(c->cpl, 0);
}

static void test_v86_addresses_are_selector_times_16(void **state)
{
	struct box *b = *state;
	struct cpu *c = enter_v86(b, FL_IOPL);

	/* mov $0x0200, %ax; mov %ax, %ds; mov 0x10, %bx; ud2 */
	BOX_CODE_AT(b, 0x4000, 0xb8, 0x00, 0x02, 0x8e, 0xd8, 0x8b, 0x1e, 0x10, 0x00, 0x0f, 0x0b);
	put16(b, 0x2010, 0xbeef); /* within the IDT's page, at a vector that isn't used */
	put16(b, 0x2010, (uint16_t)get16(b, 0x2010));
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(c->regs[R_RBX] & 0xffff, get16(b, 0x2010));
	assert_int_equal(on_stack(b, 6, 4), 0x200);
}

static void test_v86_int_n_needs_iopl_3(void **state)
{
	struct box *b = *state;

	enter_v86(b, 0);
	BOX_CODE_AT(b, 0x4000, 0xcd, 0x80);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 4), 0);
	assert_int_equal(on_stack(b, 1, 4), 0x4000);
	enter_v86(b, FL_IOPL);
	put_idt32(b, 0x80, make_gate(BOX_CS32, BOX_HLTS + 0x800, 0xee, 0));
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(on_stack(b, 0, 4), 0x4002);
	/* INT3 does not ask for IOPL, but for the gate's privilege. */
	enter_v86(b, 0);
	BOX_CODE_AT(b, 0x4000, 0xcc);
	put_idt32(b, EXC_BP, make_gate(BOX_CS32, BOX_HLTS + 16 * EXC_BP, 0xee, 0));
	assert_int_equal(box_run(b, 0), EXC_BP);
}

static void test_v86_sensitive_instructions(void **state)
{
	static const uint8_t sensitive[][2] = {{0xfa, 0x90}, {0xfb, 0x90}, {0x9c, 0x90},
					       {0x9d, 0x90}, {0xcf, 0x90}, {0xf4, 0x90}};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(sensitive); i++) {
		enter_v86(b, 0);
		box_code(b, 0x4000, sensitive[i], 2);
		assert_int_equal(box_run(b, 0), EXC_GP);
		assert_int_equal(on_stack(b, 0, 4), 0);
	}
	/* With IOPL 3 all but HLT work; CLI clears the real IF. */
	enter_v86(b, FL_IOPL | FL_IF);
	BOX_CODE_AT(b, 0x4000, 0xfa, 0x9c, 0x58, 0x0f, 0x0b); /* cli; pushf; pop %ax; ud2 */
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 2, 4) & FL_IF, 0);
	assert_int_equal(box_cpu(b, 0)->regs[R_RAX] & 0xffff, FL_IOPL | FL_1);
	/* LLDT and its like don't exist. */
	enter_v86(b, FL_IOPL);
	BOX_CODE_AT(b, 0x4000, 0x0f, 0x00, 0xd0);
	assert_int_equal(box_run(b, 0), EXC_UD);
}

/* ---- interrupts ---- */

static void test_nmi_is_blocked_until_iret(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_nop3);
	c->nmi_pending = 1;
	assert_int_equal(box_run(b, 0), EXC_NMI);
	assert_true(c->nmi_blocked);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE);
	c->nmi_pending = 1;
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->nmi_pending, 1);
	BOX_CODE_AT(b, BOX_CODE, 0x48, 0xcf); /* iretq */
	box_st64(b, 0x7800, 0x200000);
	box_st64(b, 0x7808, BOX_CS64);
	box_st64(b, 0x7810, FL_1);
	box_st64(b, 0x7818, BOX_STACK);
	box_st64(b, 0x7820, BOX_DS);
	RUN_AT(b, s_hlt, 0x200000);
	c->regs[R_RSP] = 0x7800;
	c->rip = BOX_CODE;
	/* The held one comes before the instruction that IRET returns to. */
	assert_int_equal(box_run(b, 0), EXC_NMI);
	assert_int_equal(c->nmi_pending, 0);
	assert_int_equal(on_stack(b, 0, 8), 0x200000);
	c->regs[R_RSP] = 0x7800;
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_false(c->nmi_blocked);
	/* One that has been waiting comes right after IRET. */
	c->nmi_pending = c->nmi_blocked = true;
	c->regs[R_RSP] = 0x7800;
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), EXC_NMI);
	assert_int_equal(on_stack(b, 0, 8), 0x200000);
}

static void test_nmi_is_blocked_while_its_delivery_faults(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	box_st64(b, BOX_IDT + 16 * EXC_NMI,
		 make_gate(BOX_CS64, BOX_CODE, 0x0e, 0)); /* not present */
	PUT(b, s_nop3);
	cpu_nmi(c);
	assert_int_equal(box_run(b, 0), EXC_NP);
	assert_true(c->nmi_blocked);
	assert_int_equal(c->nmi_pending, 0);
}

static void test_of_many_nmis_two_are_kept(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	unsigned i;

	for (i = 0; i < 5; i++)
		cpu_nmi(c);
	PUT(b, s_nop3);
	assert_int_equal(box_run(b, 0), EXC_NMI);
	assert_int_equal(c->nmi_pending, 1);
	for (i = 0; i < 5; i++)
		cpu_nmi(c);
	assert_int_equal(c->nmi_pending, 1);
}

/* ---- debugging ---- */

SNIPPET(d_popf, 64, "pushf; orl $0x100, (%rsp); popf; nop; nop; hlt");
SNIPPET(d_movss, 64, "mov %ss, %eax; mov %eax, %ss; nop; nop; hlt");
SNIPPET(d_drread, 64, "mov %dr0, %rax; hlt");

static void test_single_step_traps_after_each_instruction(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_nop3);
	c->flags |= FL_TF;
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->dr[6], 0xffff0ff0 | BIT(14));
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 1);
	assert_int_equal(on_stack(b, 2, 8), FL_1 | FL_TF);
	assert_int_equal(c->flags & FL_TF, 0);
}

static void test_popf_sets_tf_for_the_instruction_after_it(void **state)
{
	struct box *b = *state;

	sys_mode(b, BOX_LONG, 0);
	PUT(b, d_popf);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 10);
}

static void test_int_n_under_single_step_does_not_trap(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_int80);
	c->flags |= FL_TF;
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), 0x80);
	assert_int_equal(on_stack(b, 2, 8) & FL_TF, FL_TF);
}

static void test_mov_ss_holds_the_trap_for_one_instruction(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, d_movss);
	c->rip = BOX_CODE + 2;
	c->regs[R_RAX] = BOX_DS;
	c->flags |= FL_TF;
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 5);
}

static void test_instruction_breakpoints(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_nop3);
	c->dr[2] = BOX_CODE + 1;
	c->dr[7] = 0x400 | 1 << 4; /* L2 */
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->dr[6] & 0xf, 4);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 1);
	/* RF steps over it. */
	c->rip = BOX_CODE + 1;
	c->flags |= FL_RF;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->flags & FL_RF, 0);
}

static void test_data_breakpoints_trap_after_the_access(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, s_store64);
	c->dr[1] = 0x7802;
	c->dr[7] = 0x400 | 2 << 2 | 1 << 20 | 1 << 22; /* G1, writes, 2 bytes */
	c->regs[R_RBX] = 0x7800;
	c->regs[R_RAX] = 0x99;
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->dr[6] & 0xf, 2);
	assert_int_equal(get32(b, 0x7800), 0x99);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 2);
	/* Reads don't match it, nor does a write beside it. */
	c->rip = BOX_CODE;
	c->regs[R_RBX] = 0x77fe;
	c->dr[6] = 0xffff0ff0;
	assert_int_equal(box_run(b, 0), -1);
	PUT(b, s_load64);
	c->rip = BOX_CODE;
	c->regs[R_RBX] = 0x7800;
	assert_int_equal(box_run(b, 0), -1);
	c->dr[7] |= 3 << 20; /* reads too */
	cpu_mode_changed(c);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), EXC_DB);
}

SNIPPET(d_movss_mem, 64, "mov (%rbx), %ss; .byte 0xf1; nop; hlt");
SNIPPET(d_movss_int, 64, "mov (%rbx), %ss; int $0x80; hlt");

/* DR1 watches what MOV SS reads. */
static struct cpu *watch_mov_ss(struct box *b)
{
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	put16(b, 0x7800, BOX_DS);
	c->regs[R_RBX] = 0x7800;
	c->dr[1] = 0x7800;
	c->dr[7] = 0x400 | 3 << 2 | 3 << 20 | 1 << 22;
	cpu_mode_changed(c);
	return c;
}

static void test_int1_takes_along_what_mov_ss_held_back(void **state)
{
	struct box *b = *state;
	struct cpu *c = watch_mov_ss(b);

	PUT(b, d_movss_mem);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 3);
	assert_int_equal(c->dr[6], 0xffff0ff0 | 2);
	assert_int_equal(c->regs[R_RSP], BOX_STACK - 40);
}

static void test_int_n_is_followed_by_what_mov_ss_held_back(void **state)
{
	struct box *b = *state;
	struct cpu *c = watch_mov_ss(b);

	PUT(b, d_movss_int);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(on_stack(b, 0, 8), BOX_HLTS + 16 * 0x80);
	assert_int_equal(on_stack(b, 5 + (on_stack(b, 3, 8) - c->regs[R_RSP] - 40) / 8, 8),
			 BOX_CODE + 4);
}

SNIPPET(d_copy, 64, "movsq; hlt");

static void test_a_faulting_instruction_leaves_no_breakpoint_behind(void **state)
{
	struct box *b = *state;
	struct cpu *c = watch_mov_ss(b);

	PUT(b, d_copy);
	c->regs[R_RSI] = 0x7800;
	c->regs[R_RDI] = 0x300000;
	box_st64(b, box_pte(0x300000), 0);
	assert_int_equal(box_run(b, 0), EXC_PF);
	assert_int_equal(c->dr[6], 0xffff0ff0);
}

SNIPPET(d_loop, 64, "1: jmp 1b");

static void test_requests_are_served_while_breakpoints_are_on(void **state)
{
	struct box *b = *state;
	struct cpu *c = watch_mov_ss(b);

	PUT(b, d_loop);
	c->exit_request = 1;
	cpu_exec(c);
	assert_int_equal(c->rip, BOX_CODE);
}

static void test_general_detect(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, d_drread);
	c->dr[7] = 0x400 | BIT(13);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->dr[6], 0xffff0ff0 | BIT(13));
	assert_int_equal(c->dr[7], 0x400);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_a_fault_in_long_mode_pushes_its_own_address),
		SYS_TEST(test_a_trap_pushes_the_next_address),
		SYS_TEST(test_divide_error_leaves_registers_alone),
		SYS_TEST(test_page_fault_frame_and_cr2),
		SYS_TEST(test_from_user_the_stack_is_rsp0_and_ss_null),
		SYS_TEST(test_ist_switches_without_a_change_of_privilege),
		SYS_TEST(test_interrupt_gates_clear_if_and_trap_gates_do_not),
		SYS_TEST(test_int_n_needs_the_gates_privilege),
		SYS_TEST(test_what_is_wrong_with_a_gate),
		SYS_TEST(test_idt_limit),
		SYS_TEST(test_contributory_pairs_make_a_double_fault),
		SYS_TEST(test_page_fault_while_delivering),
		SYS_TEST(test_a_fault_in_a_double_fault_shuts_down),
		SYS_TEST(test_same_privilege_frame_in_protected_mode),
		SYS_TEST(test_inner_privilege_frame_in_protected_mode),
		SYS_TEST(test_gates_to_privilege_1_use_its_stack),
		SYS_TEST(test_conforming_handlers_keep_the_privilege),
		SYS_TEST(test_16_bit_gates_push_words),
		SYS_TEST(test_what_is_wrong_with_the_inner_stack),
		SYS_TEST(test_tss_too_small_for_the_stack),
		SYS_TEST(test_into_and_bound),
		SYS_TEST(test_real_mode_frame),
		SYS_TEST(test_real_mode_beyond_the_ivt),
		SYS_TEST(test_iret_to_v86_and_back_by_an_exception),
		SYS_TEST(test_v86_addresses_are_selector_times_16),
		SYS_TEST(test_v86_int_n_needs_iopl_3),
		SYS_TEST(test_v86_sensitive_instructions),
		SYS_TEST(test_nmi_is_blocked_until_iret),
		SYS_TEST(test_nmi_is_blocked_while_its_delivery_faults),
		SYS_TEST(test_of_many_nmis_two_are_kept),
		SYS_TEST(test_single_step_traps_after_each_instruction),
		SYS_TEST(test_popf_sets_tf_for_the_instruction_after_it),
		SYS_TEST(test_int_n_under_single_step_does_not_trap),
		SYS_TEST(test_mov_ss_holds_the_trap_for_one_instruction),
		SYS_TEST(test_instruction_breakpoints),
		SYS_TEST(test_data_breakpoints_trap_after_the_access),
		SYS_TEST(test_int1_takes_along_what_mov_ss_held_back),
		SYS_TEST(test_int_n_is_followed_by_what_mov_ss_held_back),
		SYS_TEST(test_a_faulting_instruction_leaves_no_breakpoint_behind),
		SYS_TEST(test_requests_are_served_while_breakpoints_are_on),
		SYS_TEST(test_general_detect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
