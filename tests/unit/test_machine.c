/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's life: start, pause, reset, end, with processors that do nothing but wait, or triple-fault when told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/machine.h"

struct bench {
	struct loop *loop;
	struct machine *m;
	unsigned device_resets, vcpu_resets, boots, ends;
	bool boot_fails;
	uint32_t fault; /* atomic: the vCPU that looks next triple-faults */
	uint32_t turns; /* atomic: of vCPU threads outside the park */
};

static struct bench *bench_of(struct machine *m)
{
	return m->on_end_opaque;
}

static bool idle_init(struct machine *m, struct error *err)
{
	return true;
}

static void idle_fini(struct machine *m)
{
}

static bool idle_model(struct machine *m, const char *arg, struct error *err)
{
	return true;
}

static bool idle_vcpu_init(struct vcpu *v, struct error *err)
{
	return true;
}

static void idle_vcpu_fini(struct vcpu *v)
{
}

static void idle_vcpu_run(struct vcpu *v)
{
	struct bench *b = bench_of(v->machine);

	for (;;) {
		uint32_t requests = vcpu_take_requests(v);

		if (requests & VCPU_REQ_EXIT)
			return;
		if (requests & VCPU_REQ_PAUSE) {
			vcpu_park(v);
			continue;
		}
		vcpu_views_taken(v, 0);
		__atomic_fetch_add(&b->turns, 1, __ATOMIC_RELAXED);
		if (__atomic_exchange_n(&b->fault, 0, __ATOMIC_SEQ_CST))
			vcpu_shutdown(v);
		else
			vcpu_wait_event(v, INT64_MAX);
	}
}

static void idle_kick(struct vcpu *v)
{
}

static void idle_vcpu_reset(struct vcpu *v)
{
	assert_true(v->parked);
	bench_of(v->machine)->vcpu_resets++;
}

static void idle_get_regs(struct vcpu *v, struct x86_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
}

static const struct accel_ops accel_idle = {
	.name = "idle",
	.init = idle_init,
	.fini = idle_fini,
	.set_cpu_model = idle_model,
	.vcpu_init = idle_vcpu_init,
	.vcpu_fini = idle_vcpu_fini,
	.vcpu_run = idle_vcpu_run,
	.kick = idle_kick,
	.vcpu_reset = idle_vcpu_reset,
	.get_regs = idle_get_regs,
};

/* ---- */

static void probe_reset(struct device *dev)
{
	bench_of(dev->machine)->device_resets++;
}

static const struct device_type probe_type = {
	.name = "probe", .size = sizeof(struct device), .reset = probe_reset};

static bool on_boot(struct machine *m, void *opaque)
{
	struct bench *b = opaque;

	assert_true(vcpus_all_parked(m));
	assert_int_equal(b->vcpu_resets % m->n_vcpus, 0);
	b->boots++;
	return !b->boot_fails;
}

static void on_end(void *opaque)
{
	struct bench *b = opaque;

	b->ends++;
}

static struct machine_config config(void)
{
	return (struct machine_config){.type = &machine_none,
				       .accel = &accel_idle,
				       .cpus = 3,
				       .maxcpus = 3,
				       .ram_bytes = MiB};
}

static void build(struct bench *b, const struct machine_config *c)
{
	struct error err = ERROR_INIT;

	memset(b, 0, sizeof(*b));
	b->loop = loop_new();
	b->m = machine_new(b->loop, c, NULL);
	b->m->on_end = on_end;
	b->m->on_end_opaque = b;
	b->m->boot_reset = on_boot;
	b->m->boot_opaque = b;
	assert_true(machine_build(b->m, &err));
	device_create_builtin(b->m, &probe_type);
	assert_string_equal(machine_state_name(b->m), "prelaunch");
	assert_true(machine_start(b->m, &err));
}

static void destroy(struct bench *b)
{
	machine_free(b->m);
	loop_free(b->loop);
}

static void turn(struct bench *b, unsigned ms)
{
	int64_t end = clock_now_ns(loop_clock_host(b->loop)) + ms * NS_PER_MS;

	while (clock_now_ns(loop_clock_host(b->loop)) < end)
		loop_run_once(b->loop, NS_PER_MS);
}

static void settle(struct bench *b)
{
	turn(b, 5);
	for (int i = 0;
	     i < 2000 && (b->m->pausing || b->m->reset_pending || b->m->shutdown_pending); i++)
		turn(b, 5);
}

static void wait_parked(struct bench *b)
{
	for (int i = 0; i < 2000 && !vcpus_all_parked(b->m); i++)
		turn(b, 5);
	assert_true(vcpus_all_parked(b->m));
}

static void start_resets_once_and_runs(void **state)
{
	struct machine_config c = config();
	struct bench b;

	build(&b, &c);
	assert_string_equal(machine_state_name(b.m), "running");
	assert_int_equal(b.boots, 1);
	assert_int_equal(b.device_resets, 1);
	assert_int_equal(b.vcpu_resets, 3);
	assert_false(clock_is_paused(b.m->clock));
	settle(&b);
	assert_int_equal(b.ends, 0);
	destroy(&b);
}

static void started_paused_it_waits(void **state)
{
	struct machine_config c = config();
	struct bench b;

	c.start_paused = true;
	build(&b, &c);
	settle(&b);
	wait_parked(&b);
	assert_string_equal(machine_state_name(b.m), "prelaunch");
	assert_int_equal(b.turns, 0);
	assert_int_equal(clock_now_ns(b.m->clock), 0);
	machine_resume(b.m);
	settle(&b);
	assert_string_equal(machine_state_name(b.m), "running");
	assert_false(vcpus_all_parked(b.m));
	destroy(&b);
}

static void pause_stops_vcpus_and_the_guest_clock(void **state)
{
	struct machine_config c = config();
	struct bench b;
	int64_t then;

	build(&b, &c);
	for (int i = 0; i < 50; i++) {
		machine_pause(b.m);
		assert_string_equal(machine_state_name(b.m), "paused");
		then = clock_now_ns(b.m->clock);
		if (i % 3 == 0) {
			wait_parked(&b);
			assert_int_equal(clock_now_ns(b.m->clock), then);
		} else if (i % 3 == 1) {
			loop_run_once(b.loop, 0);
		}
		machine_resume(b.m);
		machine_pause(b.m); /* before anything was carried out */
		machine_resume(b.m);
		settle(&b);
		assert_string_equal(machine_state_name(b.m), "running");
		assert_false(clock_is_paused(b.m->clock));
		assert_false(vcpus_all_parked(b.m));
	}
	assert_int_equal(b.boots, 1);
	destroy(&b);
}

static void reset_starts_over(void **state)
{
	struct machine_config c = config();
	struct bench b;

	build(&b, &c);
	machine_request_reset(b.m);
	machine_request_reset(b.m);
	assert_int_equal(b.boots, 1); /* not from within the caller */
	settle(&b);
	assert_int_equal(b.boots, 2);
	assert_int_equal(b.device_resets, 2);
	assert_int_equal(b.vcpu_resets, 6);
	assert_string_equal(machine_state_name(b.m), "running");
	destroy(&b);
}

static void reset_while_paused_stays_paused(void **state)
{
	struct machine_config c = config();
	struct bench b;

	build(&b, &c);
	machine_pause(b.m);
	wait_parked(&b);
	machine_request_reset(b.m);
	settle(&b);
	assert_int_equal(b.boots, 2);
	assert_string_equal(machine_state_name(b.m), "prelaunch");
	assert_true(vcpus_all_parked(b.m));
	destroy(&b);
}

static void no_reboot_makes_a_reset_the_end(void **state)
{
	struct machine_config c = config();
	struct bench b;

	c.no_reboot = true;
	build(&b, &c);
	machine_request_reset(b.m);
	settle(&b);
	assert_int_equal(b.boots, 1);
	assert_int_equal(b.ends, 1);
	assert_int_equal(b.m->shutdown_cause, SHUTDOWN_GUEST_RESET);
	assert_int_equal(b.m->exit_status, 0);
	destroy(&b);
}

static void no_shutdown_keeps_the_guest_to_look_at(void **state)
{
	struct machine_config c = config();
	struct bench b;

	c.no_shutdown = true;
	build(&b, &c);
	machine_request_shutdown(b.m, SHUTDOWN_GUEST, 0);
	settle(&b);
	assert_int_equal(b.ends, 0);
	assert_string_equal(machine_state_name(b.m), "shutdown");
	assert_true(vcpus_all_parked(b.m));
	machine_resume(b.m); /* not without a reset */
	settle(&b);
	assert_string_equal(machine_state_name(b.m), "shutdown");
	machine_request_reset(b.m);
	settle(&b);
	assert_string_equal(machine_state_name(b.m), "prelaunch");
	machine_resume(b.m);
	settle(&b);
	assert_string_equal(machine_state_name(b.m), "running");
	/* The host's wish is another matter. */
	machine_request_shutdown(b.m, SHUTDOWN_GUEST, 0);
	machine_request_shutdown(b.m, SHUTDOWN_HOST_SIGNAL, 0);
	settle(&b);
	assert_int_equal(b.ends, 1);
	destroy(&b);
}

static void debug_exit_gives_its_status(void **state)
{
	struct machine_config c = config();
	struct bench b;

	build(&b, &c);
	machine_request_shutdown(b.m, SHUTDOWN_DEBUG_EXIT, 33);
	machine_request_shutdown(b.m, SHUTDOWN_GUEST, 0);
	settle(&b);
	assert_int_equal(b.ends, 1);
	assert_int_equal(b.m->exit_status, 33);
	destroy(&b);
}

static void a_triple_fault_resets(void **state)
{
	struct machine_config c = config();
	struct bench b;

	build(&b, &c);
	for (unsigned i = 2; i < 12; i++) {
		__atomic_store_n(&b.fault, 1, __ATOMIC_SEQ_CST);
		vcpu_request_mt(b.m->vcpus[i % 3], VCPU_REQ_INTR);
		for (int k = 0; k < 2000 && b.boots < i; k++)
			turn(&b, 1);
		assert_int_equal(b.boots, i);
		settle(&b);
		assert_string_equal(machine_state_name(b.m), "running");
	}
	destroy(&b);
}

static void a_triple_fault_without_reboot_ends(void **state)
{
	struct machine_config c = config();
	struct bench b;

	c.no_reboot = true;
	build(&b, &c);
	__atomic_store_n(&b.fault, 1, __ATOMIC_SEQ_CST);
	vcpu_request_mt(b.m->vcpus[0], VCPU_REQ_INTR);
	for (int k = 0; k < 2000 && !b.ends; k++)
		turn(&b, 1);
	assert_int_equal(b.ends, 1);
	destroy(&b);
}

static void a_boot_that_fails_after_reset_is_an_internal_error(void **state)
{
	struct machine_config c = config();
	struct bench b;

	build(&b, &c);
	b.boot_fails = true;
	machine_request_reset(b.m);
	settle(&b);
	assert_string_equal(machine_state_name(b.m), "internal-error");
	assert_true(vcpus_all_parked(b.m));
	destroy(&b);
}

static void apic_ids_have_fields_of_whole_bits(void **state)
{
	struct machine_config c = config();
	struct bench b;
	static const uint32_t expected[12] = {0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13};

	c.cpus = c.maxcpus = 12;
	c.sockets = 2;
	c.cores = 3;
	c.threads = 2;
	build(&b, &c);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(b.m->vcpus[i]->apic_id, expected[i]);
	destroy(&b);
}

static void too_much_of_a_thing_is_an_error(void **state)
{
	struct machine_config c = config();
	struct loop *loop = loop_new();
	struct error err = ERROR_INIT;
	struct machine *m;

	c.ram_bytes = 1ull << 50;
	m = machine_new(loop, &c, NULL);
	assert_false(machine_build(m, &err));
	assert_non_null(strstr(err.msg, "-m: "));
	error_clear(&err);
	machine_free(m);
	c = config();
	c.cpus = c.maxcpus = 200;
	c.sockets = 100;
	c.cores = 1;
	c.threads = 3;
	m = machine_new(loop, &c, NULL);
	assert_false(machine_build(m, &err));
	assert_non_null(strstr(err.msg, "-smp: "));
	error_clear(&err);
	machine_free(m);
	loop_free(loop);
}

static void accelerators_are_found_by_name(void **state)
{
	struct error err = ERROR_INIT;

	char *why = kvm_why_not();
	const struct accel_ops *here = why ? &accel_soft : &accel_kvm;

	assert_ptr_equal(accel_select("soft", &err), &accel_soft);
	assert_ptr_equal(accel_select("tcg", &err), &accel_soft);
	assert_ptr_equal(accel_select("kvm", &err), &accel_kvm);
	assert_ptr_equal(accel_select("kvm:tcg", &err), here);
	assert_ptr_equal(accel_select(NULL, &err), here);
	assert_false(error_is_set(&err));
	assert_true(!why || strstr(why, "/dev/kvm"));
	free(why);
	assert_null(accel_select("kwm", &err));
	assert_string_equal(err.msg, "invalid accelerator 'kwm'; did you mean 'kvm'?");
	error_clear(&err);
	assert_null(accel_select("", &err));
	error_clear(&err);
	assert_null(accel_select("none", &err));
	error_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_resets_once_and_runs),
		cmocka_unit_test(started_paused_it_waits),
		cmocka_unit_test(pause_stops_vcpus_and_the_guest_clock),
		cmocka_unit_test(reset_starts_over),
		cmocka_unit_test(reset_while_paused_stays_paused),
		cmocka_unit_test(no_reboot_makes_a_reset_the_end),
		cmocka_unit_test(no_shutdown_keeps_the_guest_to_look_at),
		cmocka_unit_test(debug_exit_gives_its_status),
		cmocka_unit_test(a_triple_fault_resets),
		cmocka_unit_test(a_triple_fault_without_reboot_ends),
		cmocka_unit_test(a_boot_that_fails_after_reset_is_an_internal_error),
		cmocka_unit_test(apic_ids_have_fields_of_whole_bits),
		cmocka_unit_test(too_much_of_a_thing_is_an_error),
		cmocka_unit_test(accelerators_are_found_by_name),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
