/* SPDX-License-Identifier: BSD-2-Clause */
/* Running, pausing, resetting and ending the machine. */
#include <stdio.h>
#include "monitor/commands.h"
#include "monitor/dump.h"
#include "src/events.h"

static json_t *query_status(struct command_call *call, json_t *args)
{
	const struct machine *m = call->machine;

	return json_pack("{s:s,s:b,s:b}", "status", machine_state_name(m), "singlestep", 0,
			 "running", m->state == RUN_RUNNING);
}

static json_t *query_name(struct command_call *call, json_t *args)
{
	const char *name = call->machine->config.name;

	return name ? json_pack("{ss}", "name", name) : json_object();
}

static json_t *stop(struct command_call *call, json_t *args)
{
	machine_pause(call->machine);
	return command_ok();
}

static json_t *cont(struct command_call *call, json_t *args)
{
	struct machine *m = call->machine;

	if (m->state == RUN_SHUTDOWN || m->state == RUN_INTERNAL_ERROR)
		return command_fail(call, "Resetting the Virtual Machine is required");
	if (dump_is_active(m))
		return command_fail(call, "There is a dump in process, please wait.");
	machine_resume(m);
	return command_ok();
}

static json_t *quit(struct command_call *call, json_t *args)
{
	machine_request_shutdown(call->machine, SHUTDOWN_QUIT, 0);
	return command_ok();
}

static json_t *system_reset(struct command_call *call, json_t *args)
{
	machine_request_reset_as(call->machine, SHUTDOWN_HOST_RESET);
	return command_ok();
}

static json_t *system_powerdown(struct command_call *call, json_t *args)
{
	machine_power_button(call->machine);
	qmp_event_emit(call->machine, "POWERDOWN", NULL);
	return command_ok();
}

static json_t *system_wakeup(struct command_call *call, json_t *args)
{
	struct machine *m = call->machine;

	if (!m->woken)
		return command_fail(call, "wake-up from suspend is not supported by this guest");
	if (m->state != RUN_SUSPENDED)
		return command_fail(call, "Unable to wake up: guest is not in suspended state");
	machine_wake(m, WAKE_OTHER);
	return command_ok();
}

static json_t *inject_nmi(struct command_call *call, json_t *args)
{
	struct machine *m = call->machine;

	if (!m->n_vcpus)
		return command_fail(call, "machine does not provide NMIs");
	machine_inject_nmi(m);
	return command_ok();
}

static const char *member(json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

static json_t *set_action(struct command_call *call, json_t *args)
{
	struct machine_config *c = &call->machine->config;
	const char *reboot = member(args, "reboot"), *shutdown = member(args, "shutdown");
	const char *panic = member(args, "panic");

	if (reboot)
		c->no_reboot = !strcmp(reboot, "shutdown");
	if (shutdown)
		c->no_shutdown = !strcmp(shutdown, "pause");
	if (panic)
		panic_action_parse(panic, &c->panic);
	if (member(args, "watchdog"))
		watchdog_action_parse(member(args, "watchdog"), &c->watchdog, NULL);
	return command_ok();
}

static json_t *watchdog_set_action(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;

	/* The human monitor's word hasn't been held against the enum. */
	return watchdog_action_parse(member(args, "action"), &call->machine->config.watchdog, &err)
		       ? command_ok()
		       : command_fail_error(call, &err);
}

/* ---- for people ---- */

static void show_status(struct monitor *mon, json_t *status)
{
	const char *name = json_string_value(json_object_get(status, "status"));
	bool running = json_is_true(json_object_get(status, "running"));

	monitor_printf(mon, "VM status: %s", running ? "running" : "paused");
	if (!running && strcmp(name, "paused"))
		monitor_printf(mon, " (%s)", name);
	monitor_printf(mon, "\n");
}

static void show_name(struct monitor *mon, json_t *answer)
{
	const char *name = member(answer, "name");

	if (name)
		monitor_printf(mon, "%s\n", name);
}

static const struct qapi_type types[] = {
	{QAPI_ENUM, "RunState",
	 "debug guest-panicked internal-error io-error paused prelaunch running shutdown suspended "
	 "watchdog",
	 NULL, NULL},
	{QAPI_STRUCT, "StatusInfo", "running:bool singlestep:bool status:RunState", NULL, NULL},
	{QAPI_STRUCT, "NameInfo", "?name:str", NULL, NULL},
	{QAPI_ENUM, "RebootAction", "reset shutdown", NULL, NULL},
	{QAPI_ENUM, "ShutdownAction", "poweroff pause", NULL, NULL},
	{QAPI_ENUM, "PanicAction", "pause shutdown exit-failure none", NULL, NULL},
	{QAPI_ENUM, "WatchdogAction", "reset shutdown poweroff pause debug none inject-nmi", NULL,
	 NULL},
	{QAPI_ENUM, "GuestPanicAction", "pause poweroff run", NULL, NULL},
	{QAPI_ENUM, "ShutdownCause",
	 "none host-error host-qmp-quit host-qmp-system-reset host-signal host-ui guest-shutdown "
	 "guest-reset guest-panic subsystem-reset snapshot-load",
	 NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-status", NULL, "StatusInfo", query_status, COMMAND_OOB},
	{"query-name", NULL, "NameInfo", query_name, COMMAND_OOB},
	{"stop", NULL, NULL, stop, 0},
	{"cont", NULL, NULL, cont, 0},
	{"quit", NULL, NULL, quit, 0},
	{"system_reset", NULL, NULL, system_reset, 0},
	{"system_powerdown", NULL, NULL, system_powerdown, 0},
	{"system_wakeup", NULL, NULL, system_wakeup, 0},
	{"inject-nmi", NULL, NULL, inject_nmi, 0},
	{"set-action",
	 "?reboot:RebootAction ?shutdown:ShutdownAction ?panic:PanicAction ?watchdog:WatchdogAction",
	 NULL, set_action, 0},
	{"watchdog-set-action", "action:WatchdogAction", NULL, watchdog_set_action, 0},
	{.name = NULL},
};

static const struct qmp_event events[] = {
	{"SHUTDOWN", "guest:bool reason:ShutdownCause", 0, NULL},
	{"RESET", "guest:bool reason:ShutdownCause", 0, NULL},
	{"STOP", NULL, 0, NULL},
	{"RESUME", NULL, 0, NULL},
	{"POWERDOWN", NULL, 0, NULL},
	{"SUSPEND", NULL, 0, NULL},
	{"SUSPEND_DISK", NULL, 0, NULL},
	{"WAKEUP", NULL, 0, NULL},
	{"WATCHDOG", "action:WatchdogAction", 0, NULL},
	{"GUEST_PANICKED", "action:GuestPanicAction", 0, NULL},
	{"GUEST_CRASHLOADED", "action:GuestPanicAction", 0, NULL},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"cont|c", NULL, NULL, "resume emulation", .qmp = "cont"},
	{"nmi", NULL, NULL, "inject an NMI", .qmp = "inject-nmi"},
	{"quit|q", NULL, NULL, "quit the emulator", .qmp = "quit"},
	{"stop|s", NULL, NULL, "stop emulation", .qmp = "stop"},
	{"system_powerdown", NULL, NULL, "send system power down event", .qmp = "system_powerdown"},
	{"system_reset", NULL, NULL, "reset the system", .qmp = "system_reset"},
	{"system_wakeup", NULL, NULL, "wakeup guest from suspend", .qmp = "system_wakeup"},
	{"watchdog_action", "action:s", "[reset|shutdown|poweroff|pause|debug|none|inject-nmi]",
	 "change watchdog action", .qmp = "watchdog-set-action"},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"name", NULL, NULL, "show the current VM name", .qmp = "query-name", .show = show_name},
	{"status", NULL, NULL, "show the current VM status (running|paused)", .qmp = "query-status",
	 .show = show_status},
	{.name = NULL},
};

const struct command_group commands_run = {
	.types = types, .qmp = qmp, .events = events, .hmp = hmp, .info = info};
