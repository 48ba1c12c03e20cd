/* SPDX-License-Identifier: BSD-2-Clause */
/* What is logged, and where to. */
#include "monitor/commands.h"
#include "src/log.h"

static void hmp_log(struct monitor *mon, json_t *args)
{
	const char *items = json_string_value(json_object_get(args, "items")), *name, *help;
	struct error err = ERROR_INIT;

	if (!items || !strcmp(items, "help") || !strcmp(items, "?")) {
		for (unsigned i = 0; log_item(i, &name, &help); i++)
			monitor_printf(mon, "%-15s %s\n", name, help);
		monitor_printf(mon, "%-15s %s\n", "none", "turn all off");
	} else if (!log_set_mask(items, &err)) {
		monitor_report(mon, &err);
	}
}

static void hmp_logfile(struct monitor *mon, json_t *args)
{
	struct error err = ERROR_INIT;

	if (!log_set_file(json_string_value(json_object_get(args, "filename")), &err))
		monitor_report(mon, &err);
}

static const struct hmp_command hmp[] = {
	{"log", "items:s?", "item1[,...]", "activate logging of the specified items",
	 .fn = hmp_log},
	{"logfile", "filename:F", "filename", "output logs to 'filename'", .fn = hmp_logfile},
	{.name = NULL},
};

const struct command_group commands_log = {.hmp = hmp};
