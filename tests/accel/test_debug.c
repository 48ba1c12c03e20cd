/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps, breakpoints and watchpoints through accel_ops, on every accelerator that is here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/accel/box.h"

/*
 *	00 inc %eax; 02 inc %eax; 04 mov %eax,0x20000; 0b mov 0x20000,%ecx; 12 int3; 13 nop; 14 jmp 00
 */
static const uint8_t code[] = {0xff, 0xc0, 0xff, 0xc0, 0x89, 0x04, 0x25, 0x00, 0x00, 0x02, 0x00,
			       0x8b, 0x0c, 0x25, 0x00, 0x00, 0x02, 0x00, 0xcc, 0x90, 0xeb, 0xea};
#define AT_MOV	(BOX_CODE + 0x04)
#define AT_LOAD (BOX_CODE + 0x0b)
#define AT_INT3 (BOX_CODE + 0x12)

static struct box *start(void **state)
{
	char *why = kvm_why_not();
	struct box *b;

	/* A software KVM sees nothing of what a debugger wants of code that runs natively. */
	box_ring = why && strcmp(*state, "soft") ? 0 : 3;
	free(why);
	why = NULL;
	b = box_new(*state, 1, code, sizeof(code), &why);

	if (!b) {
		print_message("no %s here: %s\n", (const char *)*state, why);
		free(why);
		skip();
	}
	return b;
}

static uint64_t rip(struct box *b)
{
	struct x86_regs r;

	b->m->accel->get_regs(b->m->vcpus[0], &r);
	return r.rip;
}

static void want(struct box *b, struct guest_debug debug)
{
	struct error err = ERROR_INIT;

	if (!b->m->accel->set_guest_debug(b->m->vcpus[0], &debug, &err))
		fail_msg("%s", err.msg);
}

static void test_step(void **state)
{
	static const uint64_t expect[] = {BOX_CODE + 2, AT_MOV, AT_LOAD, AT_INT3};
	struct box *b = start(state);

	want(b, (struct guest_debug){.step = true, .block_irq = true});
	for (unsigned i = 0; i < ARRAY_SIZE(expect); i++) {
		box_next_stop(b);
		assert_int_equal(b->stop.reason, DEBUG_STEP);
		assert_int_equal(b->stop.addr, expect[i]);
		assert_int_equal(rip(b), expect[i]);
		assert_string_equal(machine_state_name(b->m), "debug");
	}
	box_free(b);
}

static void test_sw_breakpoint(void **state)
{
	struct box *b = start(state);
	struct x86_regs r;

	want(b, (struct guest_debug){.sw_breakpoints = true});
	for (unsigned i = 1; i <= 3; i++) {
		box_next_stop(b);
		assert_int_equal(b->stop.reason, DEBUG_SW_BREAK);
		assert_int_equal(b->stop.addr, AT_INT3);
		b->m->accel->get_regs(b->m->vcpus[0], &r);
		assert_int_equal(r.rip, AT_INT3);
		assert_int_equal(r.gpr[0], 2 * i);
		r.rip++;
		b->m->accel->set_regs(b->m->vcpus[0], &r);
	}
	box_free(b);
}

static void test_hw_breakpoint(void **state)
{
	struct box *b = start(state);

	want(b, (struct guest_debug){.n_hw = 1,
				     .hw = {{.addr = AT_LOAD, .kind = DEBUG_ON_EXEC, .len = 1}}});
	box_next_stop(b);
	assert_int_equal(b->stop.reason, DEBUG_HW_BREAK);
	assert_int_equal(b->stop.addr, AT_LOAD);
	assert_int_equal(rip(b), AT_LOAD);
	box_free(b);
}

static void test_watchpoints(void **state)
{
	struct box *b = start(state);

	if (box_ring == 0) {
		print_message("a software KVM watches no data\n");
		box_free(b);
		skip();
	}
	want(b, (struct guest_debug){.n_hw = 1,
				     .hw = {{.addr = BOX_DATA, .kind = DEBUG_ON_WRITE, .len = 4}}});
	box_next_stop(b);
	assert_int_equal(b->stop.reason, DEBUG_WATCH);
	assert_int_equal(b->stop.addr, BOX_DATA);
	assert_int_equal(b->stop.kind, DEBUG_ON_WRITE);
	assert_int_equal(rip(b), AT_LOAD);
	want(b, (struct guest_debug){
			.n_hw = 1, .hw = {{.addr = BOX_DATA, .kind = DEBUG_ON_ACCESS, .len = 4}}});
	box_next_stop(b);
	assert_int_equal(b->stop.reason, DEBUG_WATCH);
	assert_int_equal(rip(b), AT_INT3);
	box_free(b);
}

int main(void)
{
#define ON(fn, accel)                                        \
	{                                                    \
#fn " " accel, fn, NULL, NULL, (void *)accel \
	}
	const struct CMUnitTest tests[] = {
		ON(test_step, "soft"),
		ON(test_sw_breakpoint, "soft"),
		ON(test_hw_breakpoint, "soft"),
		ON(test_watchpoints, "soft"),
		ON(test_step, "kvm"),
		ON(test_sw_breakpoint, "kvm"),
		ON(test_hw_breakpoint, "kvm"),
		ON(test_watchpoints, "kvm"),
		ON(test_step, "kvm,kernel-irqchip=off"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
