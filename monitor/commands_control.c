/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program asks first: capabilities, versions, what commands and events there are; and help for people. */
#include <stdio.h>
#include "config.h"
#include "monitor/commands.h"
#include "monitor/hmp.h"
#include "monitor/qapi.h"
#include "monitor/qmp.h"
#include "monitor/version.h"

json_t *qmp_version(void)
{
	return json_pack("{s:{s:i,s:i,s:i},s:s}", "qemu", "micro", QMP_COMPATIBLE_MICRO, "minor",
			 QMP_COMPATIBLE_MINOR, "major", QMP_COMPATIBLE_MAJOR, "package",
			 PACKAGE_NAME "-" PACKAGE_VERSION);
}

static json_t *query_version(struct command_call *call, json_t *args)
{
	return qmp_version();
}

static json_t *query_target(struct command_call *call, json_t *args)
{
	return json_pack("{ss}", "arch", "x86_64");
}

static json_t *query_commands(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	command_each(qmp, c)
	{
		json_array_append_new(list, json_pack("{ss}", "name", c->name));
	}
	return list;
}

static json_t *query_events(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	command_each(events, e)
	{
		json_array_append_new(list, json_pack("{ss}", "name", e->name));
	}
	return list;
}

static json_t *query_qmp_schema(struct command_call *call, json_t *args)
{
	return qapi_introspect();
}

static void info_version(struct monitor *mon, json_t *args)
{
	monitor_printf(mon, "%s (QEMU %d.%d.%d)\n", PACKAGE_VERSION, QMP_COMPATIBLE_MAJOR,
		       QMP_COMPATIBLE_MINOR, QMP_COMPATIBLE_MICRO);
}

static void info_history(struct monitor *mon, json_t *args)
{
	for (unsigned i = 0; mon->line && i < mon->line->n_history; i++)
		monitor_printf(mon, "%u: '%s'\n", i, mon->line->history[i]);
}

static const struct qapi_type types[] = {
	{QAPI_ENUM, "QMPCapability", "oob", NULL, NULL},
	{QAPI_STRUCT, "VersionTriple", "major:int minor:int micro:int", NULL, NULL},
	{QAPI_STRUCT, "VersionInfo", "qemu:VersionTriple package:str", NULL, NULL},
	{QAPI_ENUM, "SysEmuTarget", "x86_64", NULL, NULL},
	{QAPI_STRUCT, "TargetInfo", "arch:SysEmuTarget", NULL, NULL},
	{QAPI_STRUCT, "CommandInfo", "name:str", NULL, NULL},
	{QAPI_STRUCT, "EventInfo", "name:str", NULL, NULL},
	{QAPI_ENUM, "SchemaMetaType", "builtin enum array object alternate command event", NULL,
	 NULL},
	{QAPI_ENUM, "JSONType", "string number int boolean null object array value", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfo", "name:str meta-type:SchemaMetaType ?features:[str]",
	 "meta-type",
	 "builtin:SchemaInfoBuiltin enum:SchemaInfoEnum array:SchemaInfoArray "
	 "object:SchemaInfoObject alternate:SchemaInfoAlternate command:SchemaInfoCommand "
	 "event:SchemaInfoEvent"},
	{QAPI_STRUCT, "SchemaInfoBuiltin", "json-type:JSONType", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoEnum", "members:[SchemaInfoEnumMember] values:[str]", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoEnumMember", "name:str ?features:[str]", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoArray", "element-type:str", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoObject",
	 "members:[SchemaInfoObjectMember] ?tag:str ?variants:[SchemaInfoObjectVariant]", NULL,
	 NULL},
	{QAPI_STRUCT, "SchemaInfoObjectMember", "name:str type:str ?default:any ?features:[str]",
	 NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoObjectVariant", "case:str type:str", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoAlternate", "members:[SchemaInfoAlternateMember]", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoAlternateMember", "type:str", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoCommand", "arg-type:str ret-type:str ?allow-oob:bool", NULL, NULL},
	{QAPI_STRUCT, "SchemaInfoEvent", "arg-type:str", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"qmp_capabilities", "?enable:[QMPCapability]", NULL, qmp_capabilities, 0},
	{"query-version", NULL, "VersionInfo", query_version, COMMAND_OOB},
	{"query-target", NULL, "TargetInfo", query_target, COMMAND_OOB},
	{"query-commands", NULL, "[CommandInfo]", query_commands, 0},
	{"query-events", NULL, "[EventInfo]", query_events, 0},
	{"query-qmp-schema", NULL, "[SchemaInfo]", query_qmp_schema, 0},
	{"human-monitor-command", "command-line:str ?cpu-index:int", "str",
	 qmp_human_monitor_command, COMMAND_DEFERRED},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"help|?", "name:h? sub:S?", "[cmd]", "show the help", .fn = hmp_help},
	{"info", NULL, "[subcommand]", "show various information about the system state",
	 .is_info = true},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"history", NULL, NULL, "show the command line history", .fn = info_history},
	{"version", NULL, NULL, "show the version of evmm", .fn = info_version},
	{.name = NULL},
};

const struct command_group commands_control = {
	.types = types, .qmp = qmp, .hmp = hmp, .info = info};
