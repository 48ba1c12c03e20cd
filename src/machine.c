/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's life: built, started, paused, reset, ended. Whatever a device or the monitor asks for is noted, and
 * carried out by control() once the vCPUs have parked; nothing here waits.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/events.h"
#include "src/hotplug.h"
#include "io/display/console.h"
#include "src/input.h"
#include "src/drive.h"
#include "src/boot/bootorder.h"
#include "src/log.h"
#include "src/machine.h"
#include "src/named_fd.h"
#include "src/worker.h"

#define MACHINE_WORKERS 8

/* ---- boards ---- */

static bool none_init(struct machine *m, struct error *err)
{
	return true;
}

const struct machine_type machine_none = {
	.name = "none",
	.desc = "empty machine",
	.init = none_init,
};

/* ---- memory ---- */

static void on_view_changed(void *opaque)
{
	struct machine *m = opaque;

	if (m->accel->memory_changed)
		m->accel->memory_changed(m);
	loop_work_schedule(&m->reclaim_work);
}

static void on_ram_written(void *opaque, gpa_t gpa, uint64_t bytes)
{
	struct machine *m = opaque;

	if (m->accel->ram_written)
		m->accel->ram_written(m, gpa, bytes);
}

/* What every vCPU has moved on from. A parked one takes its views anew before it goes on. */
static void reclaim(void *opaque)
{
	struct machine *m = opaque;
	uint64_t mem = UINT64_MAX, io = UINT64_MAX;

	/* Pairs with vcpu_views_hold: who isn't seen holding a view sees the new one. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];
		/* Read once: they grow meanwhile. */
		uint64_t mem_seen = __atomic_load_n(&v->view_seen, __ATOMIC_ACQUIRE);
		uint64_t io_seen = __atomic_load_n(&v->io_view_seen, __ATOMIC_ACQUIRE);

		if (v->parked)
			continue;
		mem = MIN(mem, mem_seen);
		io = MIN(io, io_seen);
	}
	as_reclaim(&m->mem, mem);
	as_reclaim(&m->io, io);
}

/* ---- building ---- */

static void control(void *opaque);

struct machine *machine_new(struct loop *loop, const struct machine_config *config,
			    struct clock *clock)
{
	struct machine *m = xaligned_zalloc(64, sizeof(*m));

	LOOP_ASSERT();
	m->config = *config;
	m->loop = loop;
	m->clock = clock ? clock : loop_clock_guest(loop);
	m->accel = config->accel;
	m->state = RUN_PRELAUNCH;
	list_init(&m->devices);
	list_init(&m->buses);
	list_init(&m->unplugs);
	list_init(&m->named_fds);
	list_init(&m->irqfds);
	drives_init(m);
	object_set_init(&m->own_objects, loop);
	m->objects = config->objects ? config->objects : &m->own_objects;
	list_init(&m->inspections);
	list_init(&m->boot_order);
	loop_work_init(&m->control_work, loop, "machine", control, m);
	loop_work_init(&m->reclaim_work, loop, "memory", reclaim, m);
	as_init(&m->mem, "memory", UINT64_MAX);
	as_init(&m->io, "I/O", 65536);
	m->mem.changed = m->io.changed = on_view_changed;
	m->mem.ram_written = on_ram_written;
	m->mem.changed_opaque = m->io.changed_opaque = m;
	m->workers = worker_pool_new(loop, MACHINE_WORKERS);
	m->display = display_new(loop);
	m->input = input_new(m);
	return m;
}

static unsigned bits_for(unsigned n)
{
	return n > 1 ? 32 - (unsigned)__builtin_clz(n - 1) : 0;
}

/* Thread, core and socket in fields of whole bits, as CPUID's topology leaves take the id apart. */
static uint32_t apic_id_of(const struct machine_config *config, unsigned index)
{
	unsigned threads = MAX(config->threads, 1u), cores = config->cores ? config->cores : 256;
	unsigned thread = index % threads, core = index / threads % cores,
		 socket = index / threads / cores;

	return socket << (bits_for(cores) + bits_for(threads)) | core << bits_for(threads) | thread;
}

static bool vcpus_build(struct machine *m, struct error *err)
{
	unsigned cpus = m->accel->no_vcpus ? 0 : MAX(m->config.cpus, 1u);

	m->vcpus = xzalloc(MAX(cpus, 1u) * sizeof(*m->vcpus));
	for (unsigned i = 0; i < cpus; i++) {
		uint32_t id = apic_id_of(&m->config, i);

		if (id >= MACHINE_MAX_VCPUS)
			return error_set(err, "-smp: CPU %u would have APIC id %u (at most %u)", i,
					 id, MACHINE_MAX_VCPUS - 1);
		m->vcpus[i] = vcpu_new(m, i, id);
		m->n_vcpus++;
		if (!m->accel->vcpu_init(m->vcpus[i], err))
			return false;
	}
	return true;
}

bool machine_build(struct machine *m, struct error *err)
{
	LOOP_ASSERT();
	if (!machine_ram_build(m, err) || !m->accel->init(m, err))
		return false;
	machine_ram_map(m);
	return m->accel->set_cpu_model(m, m->config.cpu_model, err) && vcpus_build(m, err) &&
	       m->config.type->init(m, err);
}

static void vcpus_free(struct machine *m)
{
	vcpus_end(m);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (m->vcpus[i]->accel)
			m->accel->vcpu_fini(m->vcpus[i]);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vcpu_free(m->vcpus[i]);
	m->n_vcpus = 0;
	free(m->vcpus);
	m->vcpus = NULL;
}

void machine_free(struct machine *m)
{
	LOOP_ASSERT();
	clock_pause(m->clock);
	vcpus_free(m);
	hotplug_fini(m);
	drives_drain(m);
	worker_pool_free(m->workers);
	if (m->dump_free)
		m->dump_free(m);
	named_fds_close(m);
	as_detach_all(&m->mem);
	as_detach_all(&m->io);
	while (!list_empty(&m->devices))
		device_unrealize(list_entry(m->devices.prev, struct device, node));
	drives_free(m);
	display_free(m->display);
	input_free(m->input);
	loop_work_cancel(&m->control_work);
	loop_work_cancel(&m->reclaim_work);
	m->mem.changed = m->io.changed = NULL;
	if (m->accel_state)
		m->accel->fini(m);
	as_fini(&m->mem);
	as_fini(&m->io);
	machine_ram_free(m);
	dirty_logs_free(m);
	object_set_fini(&m->own_objects);
	boot_order_free(m);
	free(m->device_tree);
	free(m->board);
	free(m);
}

/* ---- interrupt lines ---- */

/* A line's own struct irq tells only of changes, so that counting those who hold it up is enough. */
static void shared_gsi_changed(void *opaque, unsigned n, bool level)
{
	struct machine *m = opaque;

	if (level)
		m->gsi_asserted[n]++;
	else
		m->gsi_asserted[n]--;
	irq_set(&m->gsi[n], m->gsi_asserted[n] != 0);
}

void machine_share_gsi(struct machine *m, struct irq *irq, unsigned n)
{
	irq_connect(irq, shared_gsi_changed, m, n);
}

/* ---- reset ---- */

static void log_vcpu(struct machine *m, struct vcpu *v, const char *what)
{
	struct x86_regs regs;
	char *text;

	if (!log_enabled(LOG_CPU_RESET))
		return;
	m->accel->get_regs(v, &regs);
	text = x86_regs_format(&regs);
	log_printf(LOG_CPU_RESET, "%s (CPU %u)\n%s", what, v->index, text);
	free(text);
}

/* The vCPUs are parked. Devices first: a reset device has let go of its interrupt line. */
static bool reset_all(struct machine *m)
{
	m->reset_pending = m->suspend_pending = m->wake_pending = false;
	list_for_each(it, &m->devices)
		device_reset(list_entry(it, struct device, node));
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		log_vcpu(m, m->vcpus[i], "CPU Reset");
		m->accel->vcpu_reset(m->vcpus[i]);
	}
	if (m->waking)
		return !m->boot_wake || m->boot_wake(m, m->boot_opaque);
	return !m->boot_reset || m->boot_reset(m, m->boot_opaque);
}

/* ---- running, pausing, ending ---- */

static json_t *cause_data(enum shutdown_cause cause)
{
	/* QEMU's words. */
	static const char *const reasons[] = {
		[SHUTDOWN_NONE] = "none",
		[SHUTDOWN_GUEST] = "guest-shutdown",
		[SHUTDOWN_GUEST_RESET] = "guest-reset",
		[SHUTDOWN_HOST_SIGNAL] = "host-signal",
		[SHUTDOWN_QUIT] = "host-qmp-quit",
		[SHUTDOWN_DEBUG_EXIT] = "guest-shutdown",
		[SHUTDOWN_HOST_RESET] = "host-qmp-system-reset",
		[SHUTDOWN_GUEST_PANIC] = "guest-panic",
	};
	bool guest = cause == SHUTDOWN_GUEST || cause == SHUTDOWN_GUEST_RESET ||
		     cause == SHUTDOWN_DEBUG_EXIT || cause == SHUTDOWN_GUEST_PANIC;

	return json_pack("{s:b,s:s}", "guest", guest, "reason", reasons[cause]);
}

static void on_parked(void *opaque)
{
	struct machine *m = opaque;

	m->pausing = false;
	loop_work_schedule(&m->control_work);
}

/* Asks at once, also from within a device's callback: the vCPU that is in there goes no further than it must. */
static void ask_vcpus_to_park(struct machine *m)
{
	if (m->pausing)
		return;
	m->pausing = true;
	vcpus_pause(m, on_parked, m);
}

/* To a debugger. */
static void report_stop(struct machine *m)
{
	struct debug_stop stop = m->debug_stop;

	if (m->running_wanted || !vcpus_all_parked(m))
		return;
	m->debug_stop.vcpu = NULL;
	if (stop.vcpu && m->on_debug_stop)
		m->on_debug_stop(m->debug_opaque, &stop);
	else if (!stop.vcpu && m->stop_untold && m->on_stopped)
		m->on_stopped(m->debug_opaque);
	m->stop_untold = false;
}

static void end(struct machine *m)
{
	bool stay = m->config.no_shutdown && (m->shutdown_cause == SHUTDOWN_GUEST ||
					      m->shutdown_cause == SHUTDOWN_GUEST_RESET ||
					      m->shutdown_cause == SHUTDOWN_GUEST_PANIC ||
					      m->shutdown_cause == SHUTDOWN_HOST_RESET);

	m->shutdown_pending = false;
	qmp_event_emit(m, "SHUTDOWN", cause_data(m->shutdown_cause));
	if (stay && m->state == RUN_RUNNING)
		qmp_event_emit(m, "STOP", NULL);
	m->state = RUN_SHUTDOWN;
	m->running_wanted = false;
	clock_pause(m->clock);
	m->stop_untold = stay;
	report_stop(m);
	if (!stay && m->on_end)
		m->on_end(m->on_end_opaque);
}

static void run(struct machine *m)
{
	m->state = RUN_RUNNING;
	if (!m->clock_held)
		clock_resume(m->clock);
	if (m->accel->clock_paused)
		m->accel->clock_paused(m, false);
	vcpus_resume(m);
	drives_retry(m);
}

/* The vCPUs are parked, for whatever reason. */
static void run_inspections(struct machine *m)
{
	while (!list_empty(&m->inspections)) {
		struct machine_inspect *req =
			list_first(&m->inspections, struct machine_inspect, node);

		list_remove(&req->node);
		req->fn(req->opaque);
	}
}

void machine_inspect(struct machine *m, struct machine_inspect *req, loop_fn *fn, void *opaque)
{
	LOOP_ASSERT();
	req->fn = fn;
	req->opaque = opaque;
	list_init(&req->node);
	if (vcpus_all_parked(m)) {
		fn(opaque);
		return;
	}
	list_push_back(&m->inspections, &req->node);
	loop_work_schedule(&m->control_work);
}

void machine_inspect_cancel(struct machine_inspect *req)
{
	LOOP_ASSERT();
	list_remove(&req->node);
}

/* While the guest sleeps its clock goes on: alarms come. */
static void stand_still(struct machine *m)
{
	if (m->state == RUN_SUSPENDED)
		return;
	clock_pause(m->clock);
	if (m->accel->clock_paused && vcpus_all_parked(m))
		m->accel->clock_paused(m, true);
}

static void suspend(struct machine *m)
{
	m->suspend_pending = false;
	m->running_wanted = false;
	m->state = RUN_SUSPENDED;
	if (m->suspending)
		m->suspending(m);
	qmp_event_emit(m, "SUSPEND", NULL);
	if (m->wake_pending)
		loop_work_schedule(&m->control_work);
}

static void spoiled(struct machine *m)
{
	m->state = RUN_INTERNAL_ERROR;
	m->running_wanted = false;
}

static void do_reset(struct machine *m)
{
	if (m->state == RUN_SUSPENDED) {
		m->state = RUN_RUNNING;
		m->running_wanted = true;
	}
	if (m->state != RUN_RUNNING)
		m->state = RUN_PRELAUNCH;
	qmp_event_emit(m, "RESET", cause_data(m->reset_cause));
	if (!reset_all(m))
		spoiled(m);
}

static void do_wake(struct machine *m)
{
	m->state = RUN_RUNNING;
	m->running_wanted = true;
	m->waking = true;
	if (!reset_all(m))
		spoiled(m);
	m->waking = false;
	if (m->woken)
		m->woken(m->woken_opaque, m->wake_reason);
	qmp_event_emit(m, "WAKEUP", NULL);
}

/* Does what is to be done next. The work phase only: no device is in the middle of anything. */
static void control(void *opaque)
{
	struct machine *m = opaque;
	bool wakes;

	if (!m->started || m->pausing)
		return;
	if ((m->shutdown_pending || m->reset_pending || m->suspend_pending || !m->running_wanted ||
	     !list_empty(&m->inspections)) &&
	    !vcpus_all_parked(m)) {
		ask_vcpus_to_park(m);
		return;
	}
	if (vcpus_all_parked(m))
		run_inspections(m);
	if (m->shutdown_pending) {
		end(m);
		return;
	}
	/* What the host still writes into the guest's memory would spoil what the reset loads there. */
	wakes = m->wake_pending && m->state == RUN_SUSPENDED;
	if ((m->reset_pending || wakes) && !drives_idle(m))
		return;
	if (m->reset_pending)
		do_reset(m);
	else if (wakes)
		do_wake(m);
	else if (m->suspend_pending && m->running_wanted)
		suspend(m);
	if (m->running_wanted)
		run(m);
	else
		stand_still(m);
	report_stop(m);
}

bool machine_start(struct machine *m, struct error *err)
{
	LOOP_ASSERT();
	if (m->config.type->ready)
		m->config.type->ready(m);
	if (!reset_all(m))
		return error_set(err, "the guest's memory is too small for what is to be booted");
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (!vcpu_start(m->vcpus[i], err))
			return false;
	m->started = true;
	if (m->config.start_paused)
		return true;
	m->running_wanted = true;
	run(m);
	return true;
}

void machine_pause(struct machine *m)
{
	LOOP_ASSERT();
	if (m->state == RUN_RUNNING)
		machine_stop(m, RUN_PAUSED);
}

void machine_stop(struct machine *m, enum run_state state)
{
	LOOP_ASSERT();
	if (m->state == RUN_RUNNING)
		qmp_event_emit(m, "STOP", NULL);
	m->state = state;
	m->running_wanted = false;
	m->stop_untold = true;
	clock_pause(m->clock);
	ask_vcpus_to_park(m);
	loop_work_schedule(&m->control_work);
}

void machine_stop_io_error(struct machine *m)
{
	LOOP_ASSERT();
	if (m->state == RUN_RUNNING)
		machine_stop(m, RUN_IO_ERROR);
}

void machine_debug_stop(struct machine *m, const struct debug_stop *stop)
{
	LOOP_ASSERT();
	/* Paused already: whoever looks at the vCPU finds it where it stopped. */
	if (m->state != RUN_RUNNING)
		return;
	m->debug_stop = *stop;
	machine_stop(m, RUN_DEBUG);
}

void machine_internal_error(struct machine *m, struct vcpu *v, const char *what)
{
	struct x86_regs regs;
	char *text;

	LOOP_ASSERT();
	m->accel->get_regs(v, &regs);
	text = x86_regs_format(&regs);
	report_error("CPU %u: %s\n%s", v->index, what, text);
	free(text);
	machine_stop(m, RUN_INTERNAL_ERROR);
}

void machine_resume(struct machine *m)
{
	LOOP_ASSERT();
	if (m->state != RUN_PAUSED && m->state != RUN_PRELAUNCH && m->state != RUN_DEBUG &&
	    m->state != RUN_IO_ERROR && m->state != RUN_GUEST_PANICKED && m->state != RUN_WATCHDOG)
		return;
	m->state = RUN_RUNNING;
	m->running_wanted = true;
	m->debug_stop.vcpu = NULL;
	m->stop_untold = false;
	qmp_event_emit(m, "RESUME", NULL);
	loop_work_schedule(&m->control_work);
}

void machine_request_reset(struct machine *m)
{
	machine_request_reset_as(m, SHUTDOWN_GUEST_RESET);
}

void machine_request_reset_as(struct machine *m, enum shutdown_cause cause)
{
	LOOP_ASSERT();
	if (m->config.no_reboot) {
		machine_request_shutdown(m, cause, 0);
		return;
	}
	if (m->reset_pending)
		return;
	m->reset_pending = true;
	m->reset_cause = cause;
	ask_vcpus_to_park(m);
	loop_work_schedule(&m->control_work);
}

void machine_request_suspend(struct machine *m)
{
	LOOP_ASSERT();
	m->suspend_pending = true;
	ask_vcpus_to_park(m);
	loop_work_schedule(&m->control_work);
}

void machine_request_shutdown(struct machine *m, enum shutdown_cause cause, int status)
{
	LOOP_ASSERT();
	/* Of several the first counts, but the host's word is the last. */
	if (m->shutdown_pending && cause != SHUTDOWN_HOST_SIGNAL && cause != SHUTDOWN_QUIT)
		return;
	m->shutdown_pending = true;
	m->shutdown_cause = cause;
	m->exit_status = cause == SHUTDOWN_DEBUG_EXIT || cause == SHUTDOWN_GUEST_PANIC ? status : 0;
	ask_vcpus_to_park(m);
	loop_work_schedule(&m->control_work);
}

void machine_triple_fault(struct machine *m, struct vcpu *v)
{
	log_vcpu(m, v, "Triple fault");
	machine_request_reset(m);
}

void machine_power_button(struct machine *m)
{
	LOOP_ASSERT();
	if (m->power_button)
		m->power_button(m->power_button_opaque);
}

const char *machine_state_name(const struct machine *m)
{
	static const char *const names[] = {
		[RUN_PRELAUNCH] = "prelaunch",
		[RUN_RUNNING] = "running",
		[RUN_PAUSED] = "paused",
		[RUN_SHUTDOWN] = "shutdown",
		[RUN_INTERNAL_ERROR] = "internal-error",
		[RUN_DEBUG] = "debug",
		[RUN_IO_ERROR] = "io-error",
		[RUN_GUEST_PANICKED] = "guest-panicked",
		[RUN_SUSPENDED] = "suspended",
		[RUN_WATCHDOG] = "watchdog",
	};

	return names[m->state];
}
