/* SPDX-License-Identifier: BSD-2-Clause */
/* What the board is and does: its identity. */
#include "monitor/commands.h"
#include "src/options/optlist.h"

static json_t *query_uuid(struct command_call *call, json_t *args)
{
	char text[UUID_TEXT_BYTES];

	format_uuid(call->machine->config.uuid, text);
	return json_pack("{s:s}", "UUID", text);
}

static void show_uuid(struct monitor *mon, json_t *v)
{
	monitor_printf(mon, "%s\n", arg_str(v, "UUID"));
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "UuidInfo", "UUID:str", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-uuid", NULL, "UuidInfo", query_uuid, 0},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"uuid", NULL, NULL, "show the current VM UUID", .qmp = "query-uuid", .show = show_uuid},
	{.name = NULL},
};

const struct command_group commands_board = {.types = types, .qmp = qmp, .info = info};
