/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest may do with its power besides switching it off: panic, sleep and wake. */
#include <jansson.h>
#include "src/events.h"
#include "src/log.h"
#include "src/machine.h"

/* ---- panics ---- */

bool panic_action_parse(const char *name, enum panic_action *out)
{
	static const char *const names[] = {
		[PANIC_SHUTDOWN] = "shutdown",
		[PANIC_PAUSE] = "pause",
		[PANIC_EXIT_FAILURE] = "exit-failure",
		[PANIC_NONE] = "none",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]))
			continue;
		*out = i;
		return true;
	}
	return false;
}

static void tell_panic(struct machine *m, const char *event, const char *action)
{
	qmp_event_emit(m, event, json_pack("{s:s}", "action", action));
}

void machine_guest_panicked(struct machine *m)
{
	enum panic_action action = m->config.panic;

	LOOP_ASSERT();
	log_printf(LOG_GUEST_ERRORS, "Guest crashed\n");
	if (action == PANIC_SHUTDOWN && m->config.no_shutdown)
		action = PANIC_PAUSE;
	if (action == PANIC_NONE) {
		tell_panic(m, "GUEST_PANICKED", "run");
		return;
	}
	tell_panic(m, "GUEST_PANICKED", action == PANIC_PAUSE ? "pause" : "poweroff");
	machine_stop(m, RUN_GUEST_PANICKED);
	if (action != PANIC_PAUSE)
		machine_request_shutdown(m, SHUTDOWN_GUEST_PANIC, action == PANIC_EXIT_FAILURE);
}

void machine_guest_crashloaded(struct machine *m)
{
	LOOP_ASSERT();
	log_printf(LOG_GUEST_ERRORS, "Guest crash loaded\n");
	tell_panic(m, "GUEST_CRASHLOADED", "run");
}

/* ---- sleep ---- */

void machine_wake(struct machine *m, enum wake_reason reason)
{
	LOOP_ASSERT();
	if ((m->state != RUN_SUSPENDED && !m->suspend_pending) || m->wake_pending)
		return;
	m->wake_pending = true;
	m->wake_reason = reason;
	loop_work_schedule(&m->control_work);
}
