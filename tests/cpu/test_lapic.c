/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC on a fake clock. The machine's vCPUs are never started: the test is each vCPU's thread in turn, and
 * the loop's too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/clock.h"
#include "src/cpu/cpu.h"
#include "src/cpu/lapic_regs.h"
#include "src/machine.h"

#define VCPUS 4

struct bench {
	struct loop *loop;
	struct clock *clock;
	struct machine *m;
	struct cpu *c[VCPUS];
	struct lapic *l[VCPUS];
	unsigned eois;
	uint8_t eoi_vector;
};

static void on_eoi(void *opaque, uint8_t vector)
{
	struct bench *b = opaque;

	b->eois++;
	b->eoi_vector = vector;
}

static int setup(void **state)
{
	struct machine_config config = {.type = &machine_none,
					.accel = &accel_soft,
					.cpus = VCPUS,
					.maxcpus = VCPUS,
					.ram_bytes = MiB,
					.cpu_model = "max"};
	struct bench *b = xzalloc(sizeof(*b));
	struct error err = ERROR_INIT;

	b->loop = loop_new();
	b->clock = clock_new_fake(b->loop);
	b->m = machine_new(b->loop, &config, b->clock);
	if (!machine_build(b->m, &err)) {
		error_report(&err);
		return -1;
	}
	b->m->eoi_broadcast = on_eoi;
	b->m->eoi_opaque = b;
	clock_resume(b->clock);
	for (unsigned i = 0; i < VCPUS; i++) {
		b->c[i] = b->m->vcpus[i]->accel;
		b->l[i] = b->c[i]->lapic;
		lapic_mmio_write(b->l[i], APIC_SVR, SVR_ENABLE | 0xff);
	}
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	machine_free(b->m);
	clock_free(b->clock);
	loop_free(b->loop);
	free(b);
	return 0;
}

static uint32_t rd(struct lapic *l, uint32_t offset)
{
	return lapic_mmio_read(l, offset);
}

static void wr(struct lapic *l, uint32_t offset, uint32_t value)
{
	lapic_mmio_write(l, offset, value);
}

static bool requested(struct lapic *l, int vector)
{
	lapic_serve(l);
	return rd(l, APIC_IRR + (uint32_t)vector / 32 * 16) & BIT(vector % 32);
}

/* Which vCPUs have VECTOR requested, as bits; forgets them. */
static unsigned who(struct bench *b, int vector)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < VCPUS; i++) {
		if (requested(b->l[i], vector))
			mask |= BIT(i);
		b->l[i]->irr[vector / 32] &= ~BIT(vector % 32);
	}
	return mask;
}

static void ipi(struct lapic *l, uint32_t dest, uint32_t low)
{
	wr(l, APIC_ICR_HIGH, dest << 24);
	wr(l, APIC_ICR, low);
}

static void to_x2(struct lapic *l)
{
	assert_true(lapic_wrmsr(l, MSR_APIC_BASE, l->base | APIC_BASE_EXTD));
}

/* ---- registers ---- */

static void registers_read_their_reset_values(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[2];
	uint64_t base;

	lapic_reset(l, false);
	assert_int_equal(rd(l, APIC_ID), 2u << 24);
	assert_int_equal(rd(l, APIC_VERSION), 0x00050014);
	assert_int_equal(rd(l, APIC_TPR), 0);
	assert_int_equal(rd(l, APIC_PPR), 0);
	assert_int_equal(rd(l, APIC_LDR), 0);
	assert_int_equal(rd(l, APIC_DFR), 0xffffffff);
	assert_int_equal(rd(l, APIC_SVR), 0xff);
	for (uint32_t r = APIC_ISR; r < APIC_ESR; r += 16)
		assert_int_equal(rd(l, r), 0);
	assert_int_equal(rd(l, APIC_ESR), 0);
	for (uint32_t r = APIC_LVT_TIMER; r <= APIC_LVT_ERROR; r += 16)
		assert_int_equal(rd(l, r), LVT_MASKED);
	assert_int_equal(rd(l, APIC_TIMER_INITIAL), 0);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 0);
	assert_int_equal(rd(l, APIC_TIMER_DIVIDE), 0);
	assert_true(lapic_rdmsr(l, MSR_APIC_BASE, &base));
	assert_int_equal(base, 0xfee00800);
	assert_true(lapic_rdmsr(b->l[0], MSR_APIC_BASE, &base));
	assert_int_equal(base, 0xfee00900);
}

static void reserved_bits_do_not_stick(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TPR, ~0u);
	assert_int_equal(rd(l, APIC_TPR), 0xff);
	wr(l, APIC_LDR, ~0u);
	assert_int_equal(rd(l, APIC_LDR), 0xff000000);
	wr(l, APIC_DFR, 0);
	assert_int_equal(rd(l, APIC_DFR), 0x0fffffff);
	wr(l, APIC_TIMER_DIVIDE, ~0u);
	assert_int_equal(rd(l, APIC_TIMER_DIVIDE), 0xb);
	wr(l, APIC_LVT_ERROR, ~0u);
	assert_int_equal(rd(l, APIC_LVT_ERROR), LVT_MASKED | 0xff);
	wr(l, APIC_ID, 0x55000000);
	assert_int_equal(rd(l, APIC_ID), 0);
}

static void a_disabled_apic_masks_its_lvt_and_takes_no_vectors(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_LVT_TIMER, 0x30);
	wr(l, APIC_SVR, 0xff);
	assert_int_equal(rd(l, APIC_LVT_TIMER), LVT_MASKED | 0x30);
	wr(l, APIC_LVT_TIMER, 0x31);
	assert_int_equal(rd(l, APIC_LVT_TIMER), LVT_MASKED | 0x31);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x40, false);
	assert_false(requested(l, 0x40));
	wr(l, APIC_SVR, SVR_ENABLE | 0xff);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x40, false);
	assert_true(requested(l, 0x40));
}

static void unknown_registers_are_errors(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_LVT_ERROR, 0x77);
	assert_int_equal(rd(l, 0x40), 0);
	assert_int_equal(rd(l, APIC_ESR), 0); /* not before it is written */
	assert_true(requested(l, 0x77));
	wr(l, APIC_ESR, 0);
	assert_int_equal(rd(l, APIC_ESR), ESR_REGISTER);
	wr(l, APIC_ESR, 0);
	assert_int_equal(rd(l, APIC_ESR), 0);
	wr(l, 0x3f0, 1);
	wr(l, APIC_ESR, 0);
	assert_int_equal(rd(l, APIC_ESR), ESR_REGISTER);
}

/* ---- priorities ---- */

static void higher_vectors_come_first_and_classes_nest(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x41, false);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x45, false);
	lapic_serve(l);
	assert_true(lapic_has_interrupt(l));
	assert_int_equal(lapic_ack_interrupt(l), 0x45);
	assert_int_equal(rd(l, APIC_PPR), 0x40);
	assert_false(lapic_has_interrupt(l)); /* same class */
	assert_int_equal(lapic_ack_interrupt(l), -1);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x50, false);
	lapic_serve(l);
	assert_int_equal(lapic_ack_interrupt(l), 0x50);
	assert_int_equal(rd(l, APIC_ISR + 0x20), BIT(5) | BIT(16));
	wr(l, APIC_EOI, 0);
	assert_int_equal(rd(l, APIC_ISR + 0x20), BIT(5));
	b->c[0]->exit_request = 0;
	wr(l, APIC_EOI, 0);
	assert_int_equal(b->c[0]->exit_request, 1); /* 0x41 may come now */
	assert_int_equal(lapic_ack_interrupt(l), 0x41);
}

static void the_task_priority_holds_interrupts_back(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	lapic_set_tpr(l, 0x4f);
	assert_int_equal(rd(l, APIC_PPR), 0x4f);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x4f, false);
	lapic_serve(l);
	assert_false(lapic_has_interrupt(l));
	b->c[0]->exit_request = 0;
	wr(l, APIC_TPR, 0x3f);
	assert_int_equal(b->c[0]->exit_request, 1);
	assert_true(lapic_has_interrupt(l));
	assert_int_equal(lapic_get_tpr(l), 0x3f);
}

static void only_level_interrupts_broadcast_their_end(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x60, true);
	lapic_serve(l);
	assert_int_equal(rd(l, APIC_TMR + 0x30), BIT(0));
	assert_int_equal(lapic_ack_interrupt(l), 0x60);
	wr(l, APIC_EOI, 0);
	loop_run_once(b->loop, 0);
	assert_int_equal(b->eois, 1);
	assert_int_equal(b->eoi_vector, 0x60);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 0x60, false);
	lapic_serve(l);
	assert_int_equal(rd(l, APIC_TMR + 0x30), 0);
	assert_int_equal(lapic_ack_interrupt(l), 0x60);
	wr(l, APIC_EOI, 0);
	wr(l, APIC_EOI, 0); /* one too many: nothing */
	loop_run_once(b->loop, 0);
	assert_int_equal(b->eois, 1);
}

/* ---- destinations ---- */

static void physical_destinations(void **state)
{
	struct bench *b = *state;

	ipi(b->l[0], 2, 0x31);
	assert_int_equal(who(b, 0x31), BIT(2));
	ipi(b->l[0], 0, 0x31);
	assert_int_equal(who(b, 0x31), BIT(0));
	ipi(b->l[0], 9, 0x31);
	assert_int_equal(who(b, 0x31), 0);
	ipi(b->l[0], 0xff, 0x31);
	assert_int_equal(who(b, 0x31), 0xf);
	lapic_deliver_mt(b->m, 0xff, false, DELIVER_FIXED, 0x31, false);
	assert_int_equal(who(b, 0x31), 0xf);
}

static void shorthands(void **state)
{
	struct bench *b = *state;

	ipi(b->l[1], 3, 1u << 18 | 0x32);
	assert_int_equal(who(b, 0x32), BIT(1));
	ipi(b->l[1], 3, 2u << 18 | 0x32);
	assert_int_equal(who(b, 0x32), 0xf);
	ipi(b->l[1], 3, 3u << 18 | 0x32);
	assert_int_equal(who(b, 0x32), 0xf & ~BIT(1));
}

static void the_flat_model(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < VCPUS; i++)
		wr(b->l[i], APIC_LDR, BIT(24 + i));
	ipi(b->l[0], 0x0a, BIT(11) | 0x33);
	assert_int_equal(who(b, 0x33), BIT(1) | BIT(3));
	ipi(b->l[0], 0xff, BIT(11) | 0x33);
	assert_int_equal(who(b, 0x33), 0xf);
	ipi(b->l[0], 0xf0, BIT(11) | 0x33);
	assert_int_equal(who(b, 0x33), 0);
}

static void the_cluster_model(void **state)
{
	struct bench *b = *state;

	/* Two clusters of two. */
	for (unsigned i = 0; i < VCPUS; i++) {
		wr(b->l[i], APIC_DFR, 0);
		wr(b->l[i], APIC_LDR, (i / 2) << 28 | BIT(24 + i % 2));
	}
	ipi(b->l[0], 0x11, BIT(11) | 0x34);
	assert_int_equal(who(b, 0x34), BIT(2));
	ipi(b->l[0], 0x0f, BIT(11) | 0x34);
	assert_int_equal(who(b, 0x34), BIT(0) | BIT(1));
	ipi(b->l[0], 0xf2, BIT(11) | 0x34);
	assert_int_equal(who(b, 0x34), BIT(1) | BIT(3));
}

static void lowest_priority_takes_the_idlest_in_turn(void **state)
{
	struct bench *b = *state;
	unsigned seen = 0;

	wr(b->l[0], APIC_TPR, 0x80);
	wr(b->l[3], APIC_TPR, 0x10);
	for (unsigned i = 0; i < 8; i++) {
		unsigned mask;

		lapic_deliver_mt(b->m, 0xff, false, DELIVER_LOWEST, 0x35, false);
		mask = who(b, 0x35);
		assert_int_equal(__builtin_popcount(mask), 1);
		seen |= mask;
	}
	assert_int_equal(seen, BIT(1) | BIT(2));
}

static void bad_vectors_are_send_errors(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	ipi(l, 1, 0x0f);
	wr(l, APIC_ESR, 0);
	assert_int_equal(rd(l, APIC_ESR), ESR_SEND_VECTOR);
	lapic_deliver_mt(b->m, 0, false, DELIVER_FIXED, 3, false);
	lapic_serve(l);
	wr(l, APIC_ESR, 0);
	assert_int_equal(rd(l, APIC_ESR), ESR_RECEIVE_VECTOR);
}

static void an_error_interrupt_with_a_bad_vector_ends(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_LVT_ERROR, 2);
	ipi(l, 1, 0x0f);
	wr(l, APIC_ESR, 0);
	assert_int_equal(rd(l, APIC_ESR), ESR_SEND_VECTOR | ESR_RECEIVE_VECTOR);
}

static void messages_are_taken_apart(void **state)
{
	struct bench *b = *state;

	lapic_msi_mt(b->m, 0xfee02000, 0x0041);
	assert_int_equal(who(b, 0x41), BIT(2));
	lapic_msi_mt(b->m, 0xfee03000, 0x8042);
	lapic_serve(b->l[3]);
	assert_int_equal(rd(b->l[3], APIC_TMR + 0x20), BIT(2));
	wr(b->l[1], APIC_LDR, 0x02000000);
	lapic_msi_mt(b->m, 0xfee02004, 0x0143);
	assert_int_equal(who(b, 0x43), BIT(1));
	/* Id 0x102 is nobody, though its low byte is 2. */
	lapic_msi_mt(b->m, 0xfee02020, 0x0044);
	assert_int_equal(who(b, 0x44), 0);
	lapic_msi_mt(b->m, 0xfee01000, 0x0400);
	lapic_serve(b->l[1]);
	assert_false(b->c[1]->nmi_pending); /* it waits for SIPI */
	b->c[1]->wait_sipi = false;
	lapic_msi_mt(b->m, 0xfee01000, 0x0400);
	lapic_serve(b->l[1]);
	assert_true(b->c[1]->nmi_pending);
}

/* ---- x2APIC ---- */

static void x2apic_modes_change_as_the_manual_says(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[1];
	const uint64_t base = 0xfee00000;

	assert_false(lapic_wrmsr(l, MSR_APIC_BASE, base | APIC_BASE_EXTD));
	assert_true(lapic_wrmsr(l, MSR_APIC_BASE, base | APIC_BASE_EN | APIC_BASE_EXTD));
	assert_true(lapic_mmio_base(l) == ~0ull);
	assert_false(lapic_wrmsr(l, MSR_APIC_BASE, base | APIC_BASE_EN));
	assert_true(lapic_wrmsr(l, MSR_APIC_BASE, base));
	assert_false(lapic_wrmsr(l, MSR_APIC_BASE, base | APIC_BASE_EN | APIC_BASE_EXTD));
	assert_true(lapic_wrmsr(l, MSR_APIC_BASE, 0xd0000000 | APIC_BASE_EN));
	assert_int_equal(lapic_mmio_base(l), 0xd0000000);
	assert_false(lapic_wrmsr(l, MSR_APIC_BASE, base | APIC_BASE_EN | BIT(0)));
	assert_false(lapic_wrmsr(l, MSR_APIC_BASE, BIT64(60) | APIC_BASE_EN));
}

static void x2apic_registers(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[1];
	uint64_t v;

	assert_false(lapic_rdmsr(l, 0x802, &v));
	to_x2(l);
	assert_true(lapic_rdmsr(l, 0x802, &v));
	assert_int_equal(v, 1);
	assert_true(lapic_rdmsr(l, 0x80d, &v));
	assert_int_equal(v, BIT(1));
	assert_false(lapic_wrmsr(l, 0x802, 1));
	assert_false(lapic_wrmsr(l, 0x80d, 1));
	assert_false(lapic_rdmsr(l, 0x80e, &v)); /* DFR */
	assert_false(lapic_rdmsr(l, 0x831, &v)); /* ICR high */
	assert_false(lapic_rdmsr(l, 0x80b, &v)); /* EOI */
	assert_false(lapic_rdmsr(l, 0x83f, &v)); /* SELF IPI */
	assert_false(lapic_rdmsr(l, 0x8ff, &v));
	assert_false(lapic_wrmsr(l, 0x80b, 1));
	assert_true(lapic_wrmsr(l, 0x80b, 0));
	assert_false(lapic_wrmsr(l, 0x828, 1));
	assert_false(lapic_wrmsr(l, 0x808, 0x100));
	assert_false(lapic_wrmsr(l, 0x838, BIT64(32)));
	assert_false(lapic_wrmsr(l, 0x832, BIT64(40)));
	assert_true(lapic_wrmsr(l, 0x83f, 0x51));
	assert_true(requested(l, 0x51));
}

static void x2apic_destinations(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < VCPUS; i++)
		to_x2(b->l[i]);
	assert_true(lapic_wrmsr(b->l[0], 0x830, 2ull << 32 | 0x52));
	assert_int_equal(who(b, 0x52), BIT(2));
	assert_true(lapic_wrmsr(b->l[0], 0x830, 0xffffffffull << 32 | 0x52));
	assert_int_equal(who(b, 0x52), 0xf);
	assert_true(lapic_wrmsr(b->l[0], 0x830, 0x0000000aull << 32 | BIT(11) | 0x52));
	assert_int_equal(who(b, 0x52), BIT(1) | BIT(3));
	assert_true(lapic_wrmsr(b->l[0], 0x830, 0x0001000aull << 32 | BIT(11) | 0x52));
	assert_int_equal(who(b, 0x52), 0);
	assert_false(lapic_wrmsr(b->l[0], 0x830, BIT(17) | 0x52));
	assert_int_equal(who(b, 0x52), 0);
}

/* ---- lines and special messages ---- */

static void lint0_is_extint_after_power_on(void **state)
{
	struct bench *b = *state;

	lapic_reset(b->l[0], false);
	lapic_set_lint0_mt(b->l[0], true);
	lapic_serve(b->l[0]);
	assert_true(lapic_has_interrupt(b->l[0]));
	lapic_set_lint0_mt(b->l[0], false);
	assert_false(lapic_has_interrupt(b->l[0]));
	/* Masked, or another's: no. */
	lapic_set_lint0_mt(b->l[0], true);
	wr(b->l[0], APIC_LVT_LINT0, LVT_MASKED | 0x700);
	assert_false(lapic_has_interrupt(b->l[0]));
	lapic_set_lint0_mt(b->l[1], true);
	lapic_serve(b->l[1]);
	assert_false(lapic_has_interrupt(b->l[1]));
}

static void lint0_may_be_fixed_or_nmi(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_LVT_LINT0, 0x38);
	lapic_set_lint0_mt(l, true);
	lapic_set_lint0_mt(l, false);
	assert_true(requested(l, 0x38));
	assert_false(b->c[0]->nmi_pending);
	wr(l, APIC_LVT_LINT0, DELIVER_NMI << 8);
	lapic_set_lint0_mt(l, true);
	lapic_serve(l);
	assert_true(b->c[0]->nmi_pending);
}

static void nmi_comes_by_lint1_and_by_message(void **state)
{
	struct bench *b = *state;

	lapic_nmi_mt(b->l[0]);
	lapic_serve(b->l[0]);
	assert_false(b->c[0]->nmi_pending); /* LINT1 is masked */
	wr(b->l[0], APIC_LVT_LINT1, DELIVER_NMI << 8);
	lapic_nmi_mt(b->l[0]);
	lapic_serve(b->l[0]);
	assert_true(b->c[0]->nmi_pending);
	b->c[1]->wait_sipi = false;
	ipi(b->l[0], 1, DELIVER_NMI << 8);
	lapic_serve(b->l[1]);
	assert_int_equal(b->c[1]->nmi_pending, 1);
	b->c[1]->nmi_pending = 0;
	for (unsigned i = 0; i < 3; i++)
		ipi(b->l[i], 1, DELIVER_NMI << 8);
	lapic_serve(b->l[1]);
	assert_int_equal(b->c[1]->nmi_pending, 2);
}

static void init_and_startup(void **state)
{
	struct bench *b = *state;
	struct x86_regs regs;

	assert_true(b->c[1]->wait_sipi); /* since power-on */
	assert_false(b->c[0]->wait_sipi);
	wr(b->l[1], APIC_TPR, 0x20);
	ipi(b->l[0], 1, DELIVER_INIT << 8 | BIT(14));
	ipi(b->l[0], 1, DELIVER_SIPI << 8 | 0x9a);
	lapic_serve(b->l[1]);
	assert_false(b->c[1]->wait_sipi);
	cpu_get_regs(b->c[1], &regs);
	assert_int_equal(regs.cs.selector, 0x9a00);
	assert_int_equal(regs.cs.base, 0x9a000);
	assert_int_equal(regs.cs.limit, 0xffff);
	assert_int_equal(regs.rip, 0);
	assert_int_equal(rd(b->l[1], APIC_TPR), 0);
	assert_int_equal(rd(b->l[1], APIC_ID), 1u << 24);
	/* The second one of the usual two is ignored. */
	ipi(b->l[0], 1, DELIVER_SIPI << 8 | 0x55);
	lapic_serve(b->l[1]);
	cpu_get_regs(b->c[1], &regs);
	assert_int_equal(regs.cs.selector, 0x9a00);
	/* INIT puts it back to waiting; the boot processor starts over. De-assert does nothing. */
	ipi(b->l[0], 1, DELIVER_INIT << 8 | BIT(15));
	lapic_serve(b->l[1]);
	assert_false(b->c[1]->wait_sipi);
	ipi(b->l[0], 1, DELIVER_INIT << 8 | BIT(15) | BIT(14));
	lapic_serve(b->l[1]);
	assert_true(b->c[1]->wait_sipi);
	ipi(b->l[1], 0, DELIVER_INIT << 8 | BIT(14));
	lapic_serve(b->l[0]);
	assert_false(b->c[0]->wait_sipi);
	cpu_get_regs(b->c[0], &regs);
	assert_int_equal(regs.rip, 0xfff0);
}

static void x2apic_survives_init(void **state)
{
	struct bench *b = *state;
	uint64_t v;

	to_x2(b->l[1]);
	lapic_deliver_mt(b->m, 1, false, DELIVER_INIT, 0, false);
	lapic_serve(b->l[1]);
	assert_true(lapic_rdmsr(b->l[1], 0x80d, &v));
	assert_int_equal(v, BIT(1));
}

/* ---- the timer ---- */

static void one_shot_counts_down_once(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TIMER_DIVIDE, 0x3); /* by 16 */
	wr(l, APIC_LVT_TIMER, 0x40);
	wr(l, APIC_TIMER_INITIAL, 1000);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 1000);
	assert_int_equal(lapic_deadline_ns(l), 16000);
	clock_fake_advance(b->clock, 1600);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 900);
	clock_fake_advance(b->clock, 14399);
	assert_false(requested(l, 0x40));
	clock_fake_advance(b->clock, 1);
	assert_true(requested(l, 0x40));
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 0);
	assert_true(lapic_deadline_ns(l) == INT64_MAX);
	who(b, 0x40);
	clock_fake_advance(b->clock, NS_PER_SEC);
	assert_false(requested(l, 0x40));
}

static void periodic_goes_on_and_missed_periods_are_one(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TIMER_DIVIDE, 0xb); /* by 1 */
	wr(l, APIC_LVT_TIMER, LVT_TIMER_PERIODIC | 0x40);
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_fake_advance(b->clock, 1000);
	assert_int_equal(who(b, 0x40), 1);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 1000);
	clock_fake_advance(b->clock, 5300);
	assert_int_equal(who(b, 0x40), 1);
	assert_int_equal(who(b, 0x40), 0);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 700);
	assert_int_equal(lapic_deadline_ns(l), 7000);
	wr(l, APIC_TIMER_INITIAL, 0);
	clock_fake_advance(b->clock, NS_PER_SEC);
	assert_int_equal(who(b, 0x40), 0);
}

static void a_new_mode_keeps_the_count(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TIMER_DIVIDE, 0xb); /* by 1 */
	wr(l, APIC_LVT_TIMER, 0x40);
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_fake_advance(b->clock, 600);
	wr(l, APIC_LVT_TIMER, LVT_TIMER_PERIODIC | 0x40);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 400);
	clock_fake_advance(b->clock, 2700); /* 3300: in the fourth period */
	assert_int_equal(who(b, 0x40), 1);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 700);
	/* This period is the last one. */
	wr(l, APIC_LVT_TIMER, 0x40);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 700);
	clock_fake_advance(b->clock, 700);
	assert_int_equal(who(b, 0x40), 1);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 0);
	/* At zero it stays there, whatever the mode, until it is loaded again. */
	clock_fake_advance(b->clock, 300);
	wr(l, APIC_LVT_TIMER, LVT_TIMER_PERIODIC | 0x40);
	wr(l, APIC_TIMER_DIVIDE, 0x3);
	wr(l, APIC_LVT_TIMER, 0x40);
	wr(l, APIC_LVT_TIMER, LVT_TIMER_PERIODIC | 0x40);
	assert_int_equal(rd(l, APIC_TIMER_INITIAL), 1000);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 0);
	assert_true(lapic_deadline_ns(l) == INT64_MAX);
	wr(l, APIC_TIMER_DIVIDE, 0xb);
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_fake_advance(b->clock, 1100);
	assert_int_equal(who(b, 0x40), 1);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 900);
}

static void a_masked_timer_counts_silently(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TIMER_DIVIDE, 0xb);
	wr(l, APIC_LVT_TIMER, LVT_MASKED | 0x40);
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_fake_advance(b->clock, 400);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 600);
	assert_true(lapic_deadline_ns(l) == INT64_MAX);
	clock_fake_advance(b->clock, 10000);
	wr(l, APIC_LVT_TIMER, 0x40);
	assert_int_equal(who(b, 0x40), 0); /* what passed while masked is gone */
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_fake_advance(b->clock, 1000);
	wr(l, APIC_LVT_TIMER, LVT_MASKED | 0x40); /* but not what came before */
	assert_int_equal(who(b, 0x40), 1);
}

static void tsc_deadline(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];
	uint64_t v;

	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, 5000)); /* not in that mode: ignored */
	assert_true(lapic_rdmsr(l, MSR_TSC_DEADLINE, &v));
	assert_int_equal(v, 0);
	wr(l, APIC_LVT_TIMER, LVT_TIMER_DEADLINE | 0x40);
	b->c[0]->tsc_offset = 1000;
	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, 5000));
	assert_int_equal(lapic_deadline_ns(l), 4000);
	clock_fake_advance(b->clock, 3999);
	assert_int_equal(who(b, 0x40), 0);
	clock_fake_advance(b->clock, 1);
	assert_int_equal(who(b, 0x40), 1);
	assert_true(lapic_rdmsr(l, MSR_TSC_DEADLINE, &v));
	assert_int_equal(v, 0);
	/* In the past: at once, and the vCPU is told. */
	b->c[0]->exit_request = 0;
	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, 1));
	assert_int_equal(b->c[0]->exit_request, 1);
	assert_int_equal(who(b, 0x40), 1);
	/* 0 disarms, and so does leaving the mode. */
	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, 100000));
	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, 0));
	assert_true(lapic_deadline_ns(l) == INT64_MAX);
	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, 100000));
	wr(l, APIC_LVT_TIMER, 0x40);
	assert_true(lapic_deadline_ns(l) == INT64_MAX);
	wr(l, APIC_LVT_TIMER, LVT_TIMER_DEADLINE | 0x40);
	assert_true(lapic_rdmsr(l, MSR_TSC_DEADLINE, &v));
	assert_int_equal(v, 0);
	/* The largest one is armed, and never comes. */
	assert_true(lapic_wrmsr(l, MSR_TSC_DEADLINE, INT64_MAX));
	clock_fake_advance(b->clock, NS_PER_SEC);
	assert_int_equal(who(b, 0x40), 0);
}

static void the_timer_stands_still_with_the_machine(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TIMER_DIVIDE, 0xb);
	wr(l, APIC_LVT_TIMER, 0x40);
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_pause(b->clock);
	assert_true(lapic_deadline_ns(l) == INT64_MAX);
	lapic_rearm(l);
	clock_resume(b->clock);
	lapic_rearm(l);
	assert_true(lapic_deadline_ns(l) != INT64_MAX);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 1000);
}

static void a_new_divider_keeps_the_count(void **state)
{
	struct bench *b = *state;
	struct lapic *l = b->l[0];

	wr(l, APIC_TIMER_DIVIDE, 0xb);
	wr(l, APIC_LVT_TIMER, 0x40);
	wr(l, APIC_TIMER_INITIAL, 1000);
	clock_fake_advance(b->clock, 400);
	wr(l, APIC_TIMER_DIVIDE, 0); /* by 2 */
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 600);
	clock_fake_advance(b->clock, 1198);
	assert_int_equal(rd(l, APIC_TIMER_CURRENT), 1);
	assert_int_equal(who(b, 0x40), 0);
	clock_fake_advance(b->clock, 2);
	assert_int_equal(who(b, 0x40), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_read_their_reset_values),
		TEST(reserved_bits_do_not_stick),
		TEST(a_disabled_apic_masks_its_lvt_and_takes_no_vectors),
		TEST(unknown_registers_are_errors),
		TEST(higher_vectors_come_first_and_classes_nest),
		TEST(the_task_priority_holds_interrupts_back),
		TEST(only_level_interrupts_broadcast_their_end),
		TEST(physical_destinations),
		TEST(shorthands),
		TEST(the_flat_model),
		TEST(the_cluster_model),
		TEST(lowest_priority_takes_the_idlest_in_turn),
		TEST(bad_vectors_are_send_errors),
		TEST(an_error_interrupt_with_a_bad_vector_ends),
		TEST(messages_are_taken_apart),
		TEST(x2apic_modes_change_as_the_manual_says),
		TEST(x2apic_registers),
		TEST(x2apic_destinations),
		TEST(lint0_is_extint_after_power_on),
		TEST(lint0_may_be_fixed_or_nmi),
		TEST(nmi_comes_by_lint1_and_by_message),
		TEST(init_and_startup),
		TEST(x2apic_survives_init),
		TEST(one_shot_counts_down_once),
		TEST(periodic_goes_on_and_missed_periods_are_one),
		TEST(a_new_mode_keeps_the_count),
		TEST(a_masked_timer_counts_silently),
		TEST(tsc_deadline),
		TEST(the_timer_stands_still_with_the_machine),
		TEST(a_new_divider_keeps_the_count),
	};

	return cmocka_run_group_tests_name("lapic", tests, NULL, NULL);
}
