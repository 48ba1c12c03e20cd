/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows when a watchdog was not petted: -action watchdog=. */
#include <jansson.h>
#include "src/error.h"
#include "src/events.h"
#include "src/machine.h"

static const char *const names[] = {
	[WATCHDOG_RESET] = "reset",	      [WATCHDOG_SHUTDOWN] = "shutdown",
	[WATCHDOG_POWEROFF] = "poweroff",     [WATCHDOG_PAUSE] = "pause",
	[WATCHDOG_DEBUG] = "debug",	      [WATCHDOG_NONE] = "none",
	[WATCHDOG_INJECT_NMI] = "inject-nmi",
};

bool watchdog_action_parse(const char *name, enum watchdog_action *out, struct error *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]))
			continue;
		*out = i;
		return true;
	}
	return error_set(err,
			 "watchdog is 'reset', 'shutdown', 'poweroff', 'pause', 'debug', 'none' or "
			 "'inject-nmi', not '%s'",
			 name);
}

void machine_inject_nmi(struct machine *m)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		m->accel->inject_nmi(m->vcpus[i]);
}

void machine_watchdog_expired(struct machine *m)
{
	enum watchdog_action action = m->config.watchdog;

	LOOP_ASSERT();
	qmp_event_emit(m, "WATCHDOG", json_pack("{s:s}", "action", names[action]));
	switch (action) {
	case WATCHDOG_RESET:
		machine_request_reset(m);
		break;
	case WATCHDOG_SHUTDOWN:
		machine_power_button(m);
		break;
	case WATCHDOG_POWEROFF:
		machine_request_shutdown(m, SHUTDOWN_GUEST, 0);
		break;
	case WATCHDOG_PAUSE:
		machine_stop(m, RUN_WATCHDOG);
		break;
	case WATCHDOG_DEBUG:
		report_warning("the guest's watchdog has expired");
		break;
	case WATCHDOG_INJECT_NMI:
		machine_inject_nmi(m);
		break;
	case WATCHDOG_NONE:
		break;
	}
}
