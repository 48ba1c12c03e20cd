/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware task switches: what is saved and loaded, busy bits and links, and faults on either side. */
#include "tests/cpu/sysbox.h"

#define TSS_B	0x8800u
#define B_STACK 0x9800u

/* A 32-bit task at TSS_B that runs at 0x200000 with its own registers. */
static struct cpu *two_tasks(struct box *b)
{
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	memset(b->ram + TSS_B, 0, 0x68);
	put_desc(b, SEL_TSS_B, make_desc(TSS_B, 0x67, 0x89));
	put32(b, TSS_B + 0x20, 0x200000);
	put32(b, TSS_B + 0x24, FL_1 | FL_CF);
	for (unsigned i = 0; i < 8; i++)
		put32(b, TSS_B + 0x28 + 4 * i, 0x1000 + i);
	put32(b, TSS_B + 0x28 + 4 * R_RSP, B_STACK);
	for (unsigned i = 0; i < 6; i++)
		put32(b, TSS_B + 0x48 + 4 * i, i == S_CS ? BOX_CS32 : BOX_DS);
	BOX_CODE_AT(b, 0x200000, 0xf4);
	for (unsigned i = 0; i < 8; i++)
		if (i != R_RSP)
			c->regs[i] = 0x2000 + i;
	return c;
}

static void go(struct box *b, uint8_t opcode, uint16_t sel)
{
	uint8_t code[8] = {opcode};

	stn_le(code + 1, 4, 0xdeadbeef);
	stn_le(code + 5, 2, sel);
	code[7] = 0xf4;
	box_code(b, BOX_CODE, code, 8);
}

static bool is_busy(struct box *b, uint16_t sel)
{
	return get_desc(b, sel) >> 41 & 1;
}

static void test_a_jump_saves_and_loads_everything(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	go(b, 0xea, SEL_TSS_B);
	c->flags |= FL_IF;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, 0x200001);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(c->regs[i], i == R_RSP ? B_STACK : 0x1000 + i);
	assert_int_equal(cpu_eflags(c), FL_1 | FL_CF);
	assert_int_equal(c->tr.sel, SEL_TSS_B);
	assert_int_equal(c->tr.base, TSS_B);
	assert_true(c->cr0 & CR0_TS);
	assert_false(is_busy(b, SEL_TSS));
	assert_true(is_busy(b, SEL_TSS_B));
	assert_int_equal(get32(b, SYS_TSS_AT + 0x20), BOX_CODE + 7);
	assert_int_equal(get32(b, SYS_TSS_AT + 0x24), FL_1 | FL_IF);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(get32(b, SYS_TSS_AT + 0x28 + 4 * i),
				 i == R_RSP ? BOX_STACK : 0x2000 + i);
	assert_int_equal(get16(b, SYS_TSS_AT + 0x48 + 4 * S_CS), BOX_CS32);
}

static void test_a_call_nests_and_iret_returns(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	go(b, 0x9a, SEL_TSS_B);
	BOX_CODE_AT(b, 0x200000, 0x43, 0xcf, 0xf4); /* inc %ebx; iret; hlt */
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, BOX_CODE + 8);
	assert_int_equal(c->tr.sel, SEL_TSS);
	assert_true(is_busy(b, SEL_TSS));
	assert_false(is_busy(b, SEL_TSS_B));
	assert_int_equal(get16(b, TSS_B), SEL_TSS); /* the link */
	assert_int_equal(get32(b, TSS_B + 0x20), 0x200002);
	assert_int_equal(get32(b, TSS_B + 0x24) & FL_NT, 0);
	assert_int_equal(get32(b, TSS_B + 0x28 + 4 * R_RBX), 0x1000 + R_RBX + 1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(c->regs[i], i == R_RSP ? BOX_STACK : 0x2000 + i);
	/* The next call goes on after the IRET. */
	BOX_CODE_AT(b, 0x200002, 0xf4);
	go(b, 0x9a, SEL_TSS_B);
	c->rip = BOX_CODE;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, 0x200003);
	assert_true(is_busy(b, SEL_TSS));
	assert_true(c->flags & FL_NT);
}

static void test_an_exception_through_a_task_gate_pushes_its_error_code(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	put_idt32(b, EXC_GP, make_gate(SEL_TSS_B, 0, 0x85, 0));
	BOX_CODE_AT(b, BOX_CODE, 0xb8, 0xf8, 0x03, 0, 0, 0x8e,
		    0xd8); /* mov $0x3f8, %eax; mov %eax, %ds */
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->tr.sel, SEL_TSS_B);
	assert_int_equal(c->regs[R_RSP], B_STACK - 4);
	assert_int_equal(on_stack(b, 0, 4), 0x3f8);
	assert_int_equal(get32(b, SYS_TSS_AT + 0x20), BOX_CODE + 5);
	assert_int_equal(get32(b, SYS_TSS_AT + 0x24), FL_1 | FL_RF);
	assert_true(c->flags & FL_NT);
	assert_int_equal(c->delivering, -1);
}

static void test_int_n_through_a_task_gate_and_back(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	put_idt32(b, 0x80, make_gate(SEL_TSS_B, 0, 0x85, 0));
	BOX_CODE_AT(b, BOX_CODE, 0xcd, 0x80, 0xf4);
	BOX_CODE_AT(b, 0x200000, 0xcf);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, BOX_CODE + 3);
	assert_int_equal(c->tr.sel, SEL_TSS);
}

static void test_a_task_gate_in_the_gdt(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	put_desc(b, SEL_TASKGATE, make_gate(SEL_TSS_B, 0, 0x85, 0));
	go(b, 0xea, SEL_TASKGATE);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->tr.sel, SEL_TSS_B);
}

static void test_16_bit_tasks(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);
	static const uint16_t t[] = {0,	       0x6000, BOX_DS,	     0,	   0,	 0,
				     0,	       0x4000, FL_1 | FL_ZF, 0xa0, 0xa1, 0xa2,
				     0xa3,     0x5800, 0xa5,	     0xa6, 0xa7, BOX_DS,
				     BOX_CS16, BOX_DS, BOX_DS,	     0};

	memcpy(b->ram + TSS_B, t, sizeof(t));
	put_desc(b, SEL_TSS16, make_desc(TSS_B, 0x2b, 0x81));
	put_desc(b, BOX_CS16, make_desc(0, 0xffff, 0x009b));
	go(b, 0x9a, SEL_TSS16);
	BOX_CODE_AT(b, 0x4000, 0xf4);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, 0x4001);
	assert_int_equal(c->regs[R_RAX], 0xffff00a0);
	assert_int_equal(c->regs[R_RSP] & 0xffff, 0x5800);
	assert_int_equal(get16(b, TSS_B), SEL_TSS);
	assert_int_equal(c->seg[S_FS].sel, 0);
	assert_true(c->flags & FL_NT);
	/* Back: a 16-bit task saves only words. */
	BOX_CODE_AT(b, 0x4001, 0xcf);
	BOX_CODE_AT(b, BOX_CODE + 7, 0xf4);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, BOX_CODE + 8);
	assert_int_equal(get16(b, TSS_B + 0x0e), 0x4002);
	assert_int_equal(c->regs[R_RAX], 0x2000);
}

static void test_what_is_wrong_with_a_tss(void **state)
{
	static const struct {
		uint64_t attr, limit;
		int vector;
		unsigned error;
	} cases[] = {
		{0x8b, 0x67, EXC_GP, SEL_TSS_B}, /* busy */
		{0x09, 0x67, EXC_NP, SEL_TSS_B},
		{0x89, 0x66, EXC_TS, SEL_TSS_B},
		{0x82, 0x67, EXC_GP, SEL_TSS_B},
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		two_tasks(b);
		put_desc(b, SEL_TSS_B,
			 make_desc(TSS_B, (uint32_t)cases[i].limit, (unsigned)cases[i].attr));
		go(b, 0xea, SEL_TSS_B);
		assert_int_equal(box_run(b, 0), cases[i].vector);
		assert_int_equal(on_stack(b, 0, 4), cases[i].error);
		assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
		assert_true(is_busy(b, SEL_TSS));
	}
	/* From privilege 3 a TSS of DPL 0. */
	sys_mode(b, BOX_PROT32, 3);
	put_desc(b, SEL_TSS_B, make_desc(TSS_B, 0x67, 0x89));
	go(b, 0xea, SEL_TSS_B);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 0, 4), SEL_TSS_B);
}

static void test_faults_in_the_new_task(void **state)
{
	static const struct {
		unsigned off;
		uint16_t sel;
		int vector;
		unsigned error;
	} cases[] = {
		{0x48 + 4 * S_CS, SEL_UCODE32 & ~3, EXC_TS, SEL_UCODE32 & ~3},
		{0x48 + 4 * S_CS, BOX_DS, EXC_TS, BOX_DS},
		{0x48 + 4 * S_CS, SEL_ABSENT, EXC_NP, SEL_ABSENT},
		{0x48 + 4 * S_DS, 0x3f8, EXC_TS, 0x3f8},
		{0x48 + 4 * S_DS, SEL_ABSENT_DATA, EXC_NP, SEL_ABSENT_DATA},
		{0x60, BOX_DS, EXC_TS, BOX_DS},
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpu *c = two_tasks(b);

		put16(b, TSS_B + cases[i].off, cases[i].sel);
		go(b, 0xea, SEL_TSS_B);
		/* The handler is a task of its own, as the new one has no stack yet. */
		memcpy(b->ram + TSS_B + 0x100, b->ram + TSS_B, 0x68);
		put16(b, TSS_B + 0x100 + 0x48 + 4 * S_CS, BOX_CS32);
		put16(b, TSS_B + 0x100 + 0x48 + 4 * S_DS, BOX_DS);
		put16(b, TSS_B + 0x100 + 0x60, 0);
		put_desc(b, SEL_GATE, make_desc(TSS_B + 0x100, 0x67, 0x89));
		put_idt32(b, (unsigned)cases[i].vector, make_gate(SEL_GATE, 0, 0x85, 0));
		assert_int_equal(box_run(b, 0), -1);
		assert_int_equal(c->tr.sel, SEL_GATE);
		assert_int_equal(on_stack(b, 0, 4), cases[i].error);
		/* It was the new task that faulted, before its first instruction. */
		assert_int_equal(get16(b, TSS_B + 0x100), SEL_TSS_B);
		assert_int_equal(get32(b, TSS_B + 0x20), 0x200000);
	}
}

static void test_the_trap_bit_of_a_tss(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	put16(b, TSS_B + 0x64, 1);
	go(b, 0xea, SEL_TSS_B);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->dr[6], 0xffff0ff0 | BIT(15));
	assert_int_equal(on_stack(b, 0, 4), 0x200000);
}

static void test_a_task_may_run_in_v86_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	put32(b, TSS_B + 0x24, FL_1 | FL_VM);
	put32(b, TSS_B + 0x20, 0x10);
	put16(b, TSS_B + 0x48 + 4 * S_CS, 0x400);
	put32(b, TSS_B + 4, SYS_STACK0);
	put32(b, TSS_B + 8, BOX_DS);
	BOX_CODE_AT(b, 0x4010, 0x0f, 0x0b);
	go(b, 0xea, SEL_TSS_B);
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 0, 4), 0x10);
	assert_int_equal(on_stack(b, 1, 4), 0x400);
	assert_int_equal(on_stack(b, 2, 4), FL_1 | FL_VM | FL_RF);
	assert_int_equal(c->cpl, 0);
}

static void test_iret_with_a_bad_link(void **state)
{
	struct box *b = *state;
	struct cpu *c = two_tasks(b);

	c->flags |= FL_NT;
	put16(b, SYS_TSS_AT, SEL_TSS_B); /* not busy */
	BOX_CODE_AT(b, BOX_CODE, 0xcf);
	assert_int_equal(box_run(b, 0), EXC_TS);
	assert_int_equal(on_stack(b, 0, 4), SEL_TSS_B);
	assert_int_equal(on_stack(b, 1, 4), BOX_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_a_jump_saves_and_loads_everything),
		SYS_TEST(test_a_call_nests_and_iret_returns),
		SYS_TEST(test_an_exception_through_a_task_gate_pushes_its_error_code),
		SYS_TEST(test_int_n_through_a_task_gate_and_back),
		SYS_TEST(test_a_task_gate_in_the_gdt),
		SYS_TEST(test_16_bit_tasks),
		SYS_TEST(test_what_is_wrong_with_a_tss),
		SYS_TEST(test_faults_in_the_new_task),
		SYS_TEST(test_the_trap_bit_of_a_tss),
		SYS_TEST(test_a_task_may_run_in_v86_mode),
		SYS_TEST(test_iret_with_a_bad_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
