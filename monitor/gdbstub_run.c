/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub: who runs, who steps, and what a stop is called.
 *
 *	gdb_resume --> the machine runs --> a debugger's stop, a pause, the guest's end --> T packet, if gdb waits for one
 *	                     ^     |
 *	                     |     +--> an INT3 of the guest's own: becomes its exception
 *	                     |     +--> an INT3 met at another address of the same memory: that vCPU steps over it alone
 *	                     +----------+
 */
#include <inttypes.h>
#include "monitor/gdbstub_internal.h"

#define EXC_BP 3

void gdb_plan_all(struct gdbstub *g, enum gdb_plan plan)
{
	for (unsigned i = 0; i < g->machine->n_vcpus; i++)
		g->plan[i] = plan;
}

/* ---- going on ---- */

static void set_held(struct gdbstub *g)
{
	struct machine *m = g->machine;

	for (unsigned i = 0; i < m->n_vcpus; i++)
		m->vcpus[i]->held = g->plan[i] == GDB_STAY;
}

/* What a halted vCPU is stepped out of needs time to pass. */
static bool steps_take_time(struct gdbstub *g)
{
	struct machine *m = g->machine;

	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct x86_events events;

		if (g->plan[i] == GDB_RUN)
			return true;
		if (g->plan[i] != GDB_STEP)
			continue;
		m->accel->get_events(m->vcpus[i], &events);
		if (events.halted || events.wait_sipi)
			return true;
	}
	return !(g->step_flags & GDB_STEP_NOTIMER);
}

static bool go(struct gdbstub *g)
{
	struct machine *m = g->machine;
	struct error err = ERROR_INIT;

	if (!gdb_break_apply(g, &err)) {
		error_prefix(&err, "gdb: ");
		error_report(&err);
		return false;
	}
	set_held(g);
	m->clock_held = !steps_take_time(g);
	machine_resume(m);
	return m->state == RUN_RUNNING;
}

static enum gdb_signal signal_of(enum run_state state)
{
	switch (state) {
	case RUN_DEBUG:
		return GDB_SIGNAL_TRAP;
	case RUN_SHUTDOWN:
		return GDB_SIGNAL_QUIT;
	case RUN_INTERNAL_ERROR:
		return GDB_SIGNAL_ABRT;
	case RUN_IO_ERROR:
		return GDB_SIGNAL_IO;
	default:
		return GDB_SIGNAL_INT;
	}
}

void gdb_resume(struct gdbstub *g)
{
	g->awaiting_stop = true;
	if (!go(g))
		gdb_tell_stopped(g);
}

void gdb_interrupt(struct gdbstub *g)
{
	if (g->machine->state != RUN_RUNNING)
		return;
	g->awaiting_stop = true;
	machine_pause(g->machine);
}

/* ---- having stopped ---- */

/* Whoever lets the machine go on from the monitor lets all of it go on. */
static void rest(struct gdbstub *g)
{
	if (g->over)
		gdb_break_lift(g, g->over_gpa, false);
	g->over = NULL;
	gdb_plan_all(g, GDB_RUN);
	set_held(g);
	g->machine->clock_held = false;
	gdb_break_apply(g, NULL);
}

void gdb_let_go(struct gdbstub *g)
{
	rest(g);
	gdb_break_remove_all(g);
}

void gdb_put_stop(struct gdbstub *g, enum gdb_signal signal)
{
	gdb_printf(g, "T%02xthread:", signal);
	gdb_put_thread(g, g->c_cpu);
	gdb_puts(g, ";");
}

void gdb_tell_stopped(struct gdbstub *g)
{
	if (!g->awaiting_stop)
		return;
	rest(g);
	g->awaiting_stop = false;
	gdb_put_stop(g, signal_of(g->machine->state));
	gdb_send(g);
}

void gdb_on_stopped(void *opaque)
{
	struct gdbstub *g = opaque;

	rest(g);
	gdb_tell_stopped(g);
}

static void put_reason(struct gdbstub *g, const struct debug_stop *stop)
{
	switch (stop->reason) {
	case DEBUG_SW_BREAK:
		if (g->swbreak)
			gdb_puts(g, "swbreak:;");
		break;
	case DEBUG_HW_BREAK:
		if (g->hwbreak)
			gdb_puts(g, "hwbreak:;");
		break;
	case DEBUG_WATCH:
		gdb_printf(g, "%swatch:%" PRIx64 ";", stop->kind == DEBUG_ON_WRITE ? "" : "a",
			   stop->addr);
		break;
	case DEBUG_STEP:
	case DEBUG_NONE:
		break;
	}
}

/* gdb is told what it has asked for, however it was made. */
static enum debug_reason reason_for_gdb(struct gdbstub *g, const struct debug_stop *stop)
{
	if (stop->reason != DEBUG_HW_BREAK && stop->reason != DEBUG_SW_BREAK)
		return stop->reason;
	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->type == GDB_BREAK_SW && b->addr == stop->addr)
			return DEBUG_SW_BREAK;
	}
	return DEBUG_HW_BREAK;
}

static void tell_debug_stop(struct gdbstub *g, const struct debug_stop *stop)
{
	struct debug_stop told = *stop;

	told.reason = reason_for_gdb(g, stop);
	rest(g);
	g->g_cpu = g->c_cpu = stop->vcpu->index;
	if (!g->awaiting_stop)
		return;
	g->awaiting_stop = false;
	gdb_put_stop(g, GDB_SIGNAL_TRAP);
	put_reason(g, &told);
	gdb_send(g);
}

static void give_to_guest(struct gdbstub *g, struct vcpu *v)
{
	const struct accel_ops *accel = g->machine->accel;
	struct x86_events events;

	accel->get_events(v, &events);
	events.exception.injected = true;
	events.exception.has_error = false;
	events.exception.vector = EXC_BP;
	accel->set_events(v, &events, NULL);
	go(g);
}

/* The others wait: they would run past the breakpoint meanwhile. G->plan stays what gdb wants. */
static void step_over(struct gdbstub *g, struct vcpu *v, gpa_t gpa)
{
	struct machine *m = g->machine;
	struct guest_debug debug = {.step = true, .block_irq = true};

	g->over = v;
	g->over_gpa = gpa;
	gdb_break_lift(g, gpa, true);
	m->accel->set_guest_debug(v, &debug, NULL);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		m->vcpus[i]->held = m->vcpus[i] != v;
	machine_resume(m);
}

static bool stepped_over(struct gdbstub *g, const struct debug_stop *stop)
{
	bool wanted = g->plan[g->over->index] == GDB_STEP;

	gdb_break_lift(g, g->over_gpa, false);
	g->over = NULL;
	if (wanted || stop->reason != DEBUG_STEP)
		return false;
	go(g);
	return true;
}

void gdb_on_debug_stop(void *opaque, const struct debug_stop *stop)
{
	struct gdbstub *g = opaque;
	struct gdb_break *met = NULL;
	bool alias = false;

	if (g->over && stepped_over(g, stop))
		return;
	if (stop->reason == DEBUG_SW_BREAK) {
		met = gdb_break_met(g, stop->vcpu, stop->addr, &alias);
		if (!met) {
			give_to_guest(g, stop->vcpu);
			return;
		}
		if (alias) {
			step_over(g, stop->vcpu, met->gpa);
			return;
		}
	}
	tell_debug_stop(g, stop);
}

/* ---- vCont ---- */

/* One action, of which the leftmost that fits a thread counts. */
static bool vcont_action(struct gdbstub *g, const char **p, bool *planned)
{
	unsigned n = g->machine->n_vcpus, index = 0;
	enum gdb_plan plan;
	bool all = true;
	uint64_t signal;

	if (**p != 'c' && **p != 'C' && **p != 's' && **p != 'S')
		return false;
	plan = **p == 'c' || **p == 'C' ? GDB_RUN : GDB_STEP;
	if (*(*p)++ < 'a' && !gdb_number(p, &signal))
		return false;
	if (**p == ':') {
		(*p)++;
		if (!gdb_parse_thread(p, 0, n, &index, &all))
			return false;
	}
	for (unsigned i = 0; i < n; i++) {
		if ((all || i == index) && !planned[i]) {
			g->plan[i] = plan;
			planned[i] = true;
		}
	}
	return true;
}

bool gdb_vcont(struct gdbstub *g, const char *p)
{
	bool planned[MACHINE_MAX_VCPUS] = {false};

	gdb_plan_all(g, GDB_STAY);
	while (*p == ';') {
		p++;
		if (!vcont_action(g, &p, planned))
			return false;
	}
	if (*p)
		return false;
	for (unsigned i = 0; i < g->machine->n_vcpus; i++)
		if (planned[i])
			return true;
	return false;
}
