/* SPDX-License-Identifier: BSD-2-Clause */
/* The debugger's connection. */
#include "monitor/commands.h"
#include "monitor/gdbstub.h"

static void hmp_gdbserver(struct monitor *mon, json_t *args)
{
	const char *device = json_string_value(json_object_get(args, "device"));
	struct machine *m = monitor_machine(mon);
	struct error err = ERROR_INIT;

	if (!device)
		device = "tcp::1234";
	if (gdbstub_in_command(m)) {
		monitor_error(mon, "the debugger that asks for it is connected to it");
	} else if (!gdbstub_start(m, device, false, &err)) {
		error_prefix(&err, "Could not open gdbserver on device '%s': ", device);
		monitor_report(mon, &err);
	} else if (!strcmp(device, "none")) {
		monitor_printf(mon, "Disabled gdbserver\n");
	} else {
		monitor_printf(mon, "Waiting for gdb connection on device '%s'\n", device);
	}
}

static const struct hmp_command hmp[] = {
	{"gdbserver", "device:S?", "[device]",
	 "start gdbserver on given device (default 'tcp::1234'), stop with 'none'",
	 .fn = hmp_gdbserver, .parked = true},
	{.name = NULL},
};

const struct command_group commands_gdb = {.hmp = hmp};
