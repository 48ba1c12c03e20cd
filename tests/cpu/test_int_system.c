/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the comparison with the host can't show of integer instructions: that locked ones are atomic between processors, that
 * repeated strings can be interrupted and single-stepped, what privilege does to POPF, and read-modify-writes of the code
 * that runs.
 */
#include "tests/cpu/box.h"
#include <pthread.h>

/* Guest code, position-independent, as assembled here. */
#define GUEST_CODE(name, ...)                      \
	extern const uint8_t name[], name##_end[]; \
	__asm__(".pushsection .rodata\n" #name ":\n" __VA_ARGS__ "\n" #name "_end:\n.popsection")

static void put(struct box *b, uint64_t at, const uint8_t *code, const uint8_t *end)
{
	box_code(b, at, code, (size_t)(end - code));
}
#define PUT(b, at, name) put(b, at, name, name##_end)

#define DATA 0x200000u

static int setup1(void **state)
{
	*state = box_new(1);
	return 0;
}

static int setup3(void **state)
{
	*state = box_new(3);
	return 0;
}

static int teardown(void **state)
{
	box_free(*state);
	return 0;
}

/* ---- locked ---- */

/* rdi: the counters, 64 bytes apart; rsi: turns. Each counter grows by one a turn. */
GUEST_CODE(count_locked, "1:	lock incl (%rdi)\n"
			 "	lock addq $1, 64(%rdi)\n"
			 "	mov $1, %eax\n"
			 "	lock xadd %ax, 128(%rdi)\n"
			 "	mov 192(%rdi), %eax\n"
			 "2:	lea 1(%rax), %ecx\n"
			 "	lock cmpxchg %ecx, 192(%rdi)\n"
			 "	jne 2b\n"
			 "	mov 256(%rdi), %rax\n"
			 "	mov 264(%rdi), %rdx\n"
			 "3:	mov %rax, %rbx\n"
			 "	mov %rdx, %rcx\n"
			 "	add $1, %rbx\n"
			 "	adc $2, %rcx\n"
			 "	lock cmpxchg16b 256(%rdi)\n"
			 "	jne 3b\n"
			 /* a spin lock by XCHG, then one by BTS, around plain additions */
			 "4:	mov $1, %eax\n"
			 "	xchg %al, 320(%rdi)\n"
			 "	test %al, %al\n"
			 "	jnz 4b\n"
			 "	addl $1, 324(%rdi)\n"
			 "	movb $0, 320(%rdi)\n"
			 "5:	lock btsl $40, 384(%rdi)\n"
			 "	jc 5b\n"
			 "	subl $1, 392(%rdi)\n"
			 "	lock btrl $40, 384(%rdi)\n"
			 "	dec %esi\n"
			 "	jnz 1b\n"
			 "	hlt\n");

/* The same across a page: rdi begins a page. */
GUEST_CODE(count_split, "1:	lock incl -2(%rdi)\n"
			"	mov $1, %eax\n"
			"	lock xadd %rax, 4093(%rdi)\n"
			"	mov 8191(%rdi), %ax\n"
			"2:	mov %eax, %ecx\n"
			"	inc %ecx\n"
			"	lock cmpxchg %cx, 8191(%rdi)\n"
			"	jne 2b\n"
			"	dec %esi\n"
			"	jnz 1b\n"
			"	hlt\n");

struct run {
	struct box *b;
	unsigned cpu;
};

static void *run_cpu(void *arg)
{
	struct run *r = arg;

	box_run(r->b, r->cpu);
	return NULL;
}

static void run_all(struct box *b, uint64_t rdi, unsigned turns)
{
	pthread_t threads[3];
	struct run runs[3];

	for (unsigned i = 0; i < 3; i++) {
		box_mode(b, i, BOX_LONG, BOX_CODE);
		box_cpu(b, i)->regs[R_RDI] = rdi;
		box_cpu(b, i)->regs[R_RSI] = turns;
		runs[i] = (struct run){b, i};
	}
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, run_cpu, &runs[i]);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void locked_operations_of_three_processors_lose_nothing(void **state)
{
	struct box *b = *state;
	const unsigned turns = 20000, all = 3 * turns;

	PUT(b, BOX_CODE, count_locked);
	run_all(b, DATA, turns);
	assert_int_equal((uint32_t)box_ld64(b, DATA), all);
	assert_int_equal(box_ld64(b, DATA + 64), all);
	assert_int_equal((uint16_t)box_ld64(b, DATA + 128), (uint16_t)all);
	assert_int_equal((uint32_t)box_ld64(b, DATA + 192), all);
	assert_int_equal(box_ld64(b, DATA + 256), all);
	assert_int_equal(box_ld64(b, DATA + 264), 2 * all);
	assert_int_equal((uint32_t)box_ld64(b, DATA + 324), all);
	assert_int_equal((int32_t)box_ld64(b, DATA + 392), -(int)all);
}

static void locked_operations_across_cache_lines_lose_nothing(void **state)
{
	struct box *b = *state;
	const unsigned turns = 300, all = 3 * turns;

	/* CMPXCHG16B stays aligned: the counters begin at an odd multiple of 16. */
	PUT(b, BOX_CODE, count_locked);
	run_all(b, DATA + 48, turns);
	assert_int_equal((uint32_t)box_ld64(b, DATA + 48), all);
	assert_int_equal(box_ld64(b, DATA + 48 + 256), all);
	PUT(b, BOX_CODE, count_split);
	run_all(b, DATA + 0x1000, turns);
	assert_int_equal((uint32_t)box_ld64(b, DATA + 0x1000 - 2), all);
	assert_int_equal(box_ld64(b, DATA + 0x1000 + 4093), all);
	assert_int_equal((uint16_t)box_ld64(b, DATA + 0x1000 + 8191), all);
}

/* ---- strings ---- */

static void *kick_on(void *arg)
{
	struct box *b = arg;

	while (!__atomic_load_n(&box_cpu(b, 0)->halted, __ATOMIC_RELAXED))
		__atomic_store_n(&box_cpu(b, 0)->exit_request, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

GUEST_CODE(copy_and_compare, "	mov $0x200001, %edi\n"
			     "	mov $0x35, %al\n"
			     "	mov $0x80003, %ecx\n"
			     "	rep stosb\n"
			     "	movb $0x77, (%rdi)\n"
			     "	mov $0x200001, %esi\n"
			     "	mov $0x300123, %edi\n"
			     "	mov $0x80004, %ecx\n"
			     "	rep movsb\n"
			     "	mov $0x200001, %esi\n"
			     "	mov $0x300123, %edi\n"
			     "	mov $0x80010, %ecx\n"
			     "	repe cmpsb\n"
			     "	mov %rcx, %r8\n"
			     "	mov $0x300123, %edi\n"
			     "	mov $0x77, %al\n"
			     "	mov $-1, %rcx\n"
			     "	repne scasb\n"
			     "	hlt\n");

/* How often the processor was left on its way. */
static unsigned copy_and_compare_kicked(struct box *b)
{
	struct cpu *c = box_cpu(b, 0);
	unsigned left = 0;
	pthread_t thread;

	memset(b->ram + 0x200000, 0, 0x200000);
	box_mode(b, 0, BOX_LONG, BOX_CODE);
	b->ram[0x200001 + 0x80004] = 1; /* where the comparison ends */
	c->halted = false;
	pthread_create(&thread, NULL, kick_on, b);
	while (!c->halted) {
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
		cpu_exec(c);
		left++;
	}
	pthread_join(thread, NULL);
	return left - 1;
}

static void repeated_strings_go_on_after_being_interrupted(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	unsigned left = 0;

	PUT(b, BOX_CODE, copy_and_compare);
	/* The other thread may come late. */
	for (unsigned i = 0; i < 1000 && left < 10; i++) {
		left += copy_and_compare_kicked(b);
		assert_int_equal(c->regs[R_R8], 0x80010 - 0x80005);
		assert_int_equal(c->regs[R_RDI], 0x300123 + 0x80004);
		assert_int_equal(c->regs[R_RCX], -1 - 0x80004ll);
		for (unsigned k = 0; k < 0x80003; k++)
			if (b->ram[0x300123 + k] != 0x35)
				fail_msg("byte %#x", k);
		assert_int_equal(b->ram[0x300123 + 0x80003], 0x77);
		assert_int_equal(b->ram[0x300123 + 0x80004], 0);
	}
	assert_true(left >= 10);
}

GUEST_CODE(step_movs, "	rep movsw\n	hlt\n");

static void single_step_stops_after_each_iteration(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint64_t rip = BOX_CODE;

	PUT(b, BOX_CODE, step_movs);
	box_mode(b, 0, BOX_LONG, BOX_CODE);
	c->regs[R_RSI] = DATA;
	c->regs[R_RDI] = DATA + 64;
	c->regs[R_RCX] = 3;
	for (unsigned left = 2; rip == BOX_CODE; left--) {
		struct x86_regs r;

		cpu_get_regs(c, &r);
		r.rip = rip;
		r.rflags |= FL_TF;
		r.gpr[R_RSP] = BOX_STACK;
		cpu_set_regs(c, &r);
		assert_int_equal(box_run(b, 0), EXC_DB);
		assert_int_equal(c->regs[R_RCX], left);
		assert_int_equal(c->regs[R_RDI], DATA + 64 + 2 * (3 - left));
		rip = box_ld64(b, c->regs[R_RSP]);
		assert_int_equal(rip, left ? BOX_CODE : BOX_CODE + 3);
	}
}

/* ---- POPF ---- */

GUEST_CODE(pop_flags, "	pushq %rax\n	popfq\n	pushfq\n	pop %rbx\n	int3\n");

static uint64_t popf_at(struct box *b, unsigned cpl, uint64_t before, uint64_t popped)
{
	struct cpu *c = box_cpu(b, 0);
	struct x86_regs r;

	PUT(b, BOX_CODE, pop_flags);
	box_mode(b, 0, BOX_LONG, BOX_CODE);
	cpu_get_regs(c, &r);
	r.cs.dpl = r.ss.dpl = (uint8_t)cpl;
	r.cs.selector |= (uint16_t)cpl;
	r.ss.selector |= (uint16_t)cpl;
	r.rflags = before | FL_1;
	/* The way back to privilege 0. */
	r.tr = (struct x86_segment){
		.selector = 8, .base = 0x8000, .limit = 0x67, .type = 11, .present = true};
	box_st64(b, 0x8004, 0xa000);
	r.gpr[R_RAX] = popped;
	cpu_set_regs(c, &r);
	box_run(b, 0);
	return c->regs[R_RBX];
}

static void popf_changes_what_the_privilege_allows(void **state)
{
	struct box *b = *state;
	const uint64_t all = FL_ARITH | FL_DF | FL_NT | FL_ID;

	assert_int_equal(popf_at(b, 0, 0, all | FL_IF | FL_IOPL), all | FL_IF | FL_IOPL | FL_1);
	assert_int_equal(popf_at(b, 0, FL_IF | FL_IOPL, 0), FL_1);
	assert_int_equal(popf_at(b, 3, 0, all | FL_IF | FL_IOPL), all | FL_1);
	assert_int_equal(popf_at(b, 3, FL_IF | 0x2000, FL_IOPL), FL_IF | 0x2000 | FL_1);
	assert_int_equal(popf_at(b, 3, FL_IF | FL_IOPL, all), all | FL_IOPL | FL_1);
	/* Never taken: VM, RF, VIF, VIP and what is reserved. */
	assert_int_equal(popf_at(b, 0, 0, 0xffffffff & ~(uint64_t)(FL_TF | FL_AC)),
			 all | FL_IF | FL_IOPL | FL_1);
}

/* ---- code that changes itself by read-modify-write ---- */

GUEST_CODE(change_next, "	mov $1, %edx\n"
			"	stc\n"
			"	rclb $1, 1f+1(%rip)\n" /* 5 becomes 11 */
			"1:	mov $5, %al\n"
			"	lock addb $2, 2f+1(%rip)\n"
			"2:	mov $7, %cl\n"
			"	xchg %dl, 3f+1(%rip)\n"
			"3:	mov $9, %bl\n"
			"	stc\n"
			"	adcb $0, 4f+1(%rip)\n"
			"4:	mov $20, %ah\n"
			"	mov $0x40b640b6, %esi\n" /* mov $64, %dh, twice */
			"	movl %esi, 5f(%rip)\n"
			"5:	.byte 0xb6, 1, 0xb6, 2\n"
			"	hlt\n");

static void a_read_modify_write_of_the_next_instruction_is_seen_by_it(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	for (unsigned turn = 0; turn < 2; turn++) {
		PUT(b, BOX_CODE, change_next);
		box_mode(b, 0, BOX_LONG, BOX_CODE);
		assert_int_equal(box_run(b, 0), -1);
		assert_int_equal((uint8_t)c->regs[R_RAX], 11);
		assert_int_equal((uint8_t)c->regs[R_RCX], 9);
		assert_int_equal((uint8_t)c->regs[R_RBX], 1);
		assert_int_equal((uint8_t)(c->regs[R_RAX] >> 8), 21);
		assert_int_equal((uint8_t)c->regs[R_RDX], 9);
		assert_int_equal((uint8_t)(c->regs[R_RDX] >> 8), 64);
	}
}

/* The store crosses a page into the code that follows. */
GUEST_CODE(change_across, "	stc\n	adcl $0x10000, -2(%rdi)\n	mov $1, %al\n	hlt\n");

static void a_read_modify_write_across_a_page_into_the_block_happens_once(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint64_t at = BOX_CODE + 0x1000;

	/* The block begins its page; the operand's upper half is the first two bytes of `stc; adcl`. */
	PUT(b, at, change_across);
	box_mode(b, 0, BOX_LONG, at);
	c->regs[R_RDI] = at;
	b->ram[at - 2] = 0xff;
	b->ram[at - 1] = 0xff;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(b->ram[at - 2] | b->ram[at - 1] << 8, 0);
	assert_int_equal(b->ram[at], 0xf9 + 2);
	assert_int_equal((uint8_t)c->regs[R_RAX], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(locked_operations_of_three_processors_lose_nothing,
						setup3, teardown),
		cmocka_unit_test_setup_teardown(locked_operations_across_cache_lines_lose_nothing,
						setup3, teardown),
		cmocka_unit_test_setup_teardown(repeated_strings_go_on_after_being_interrupted,
						setup1, teardown),
		cmocka_unit_test_setup_teardown(single_step_stops_after_each_iteration, setup1,
						teardown),
		cmocka_unit_test_setup_teardown(popf_changes_what_the_privilege_allows, setup1,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_read_modify_write_of_the_next_instruction_is_seen_by_it, setup1,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_read_modify_write_across_a_page_into_the_block_happens_once, setup1,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
