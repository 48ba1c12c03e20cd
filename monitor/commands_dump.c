/* SPDX-License-Identifier: BSD-2-Clause */
/* dump-guest-memory, and how far it is. */
#include <stdlib.h>
#include "monitor/commands.h"
#include "monitor/dump.h"
#include "src/events.h"
#include "src/named_fd.h"

static const char *const status_names[] = {
	[DUMP_NONE] = "none",
	[DUMP_ACTIVE] = "active",
	[DUMP_COMPLETED] = "completed",
	[DUMP_FAILED] = "failed",
};

static json_t *progress(const struct machine *m)
{
	struct dump_progress p = dump_progress(m);

	return json_pack("{s:s,s:I,s:I}", "status", status_names[p.status], "completed",
			 (json_int_t)p.completed, "total", (json_int_t)p.total);
}

static json_t *query_dump(struct command_call *call, json_t *args)
{
	return progress(call->machine);
}

static json_t *query_capability(struct command_call *call, json_t *args)
{
	return json_pack("{s:[s]}", "formats", "elf");
}

static void tell(struct machine *m, const struct error *err)
{
	json_t *data = json_pack("{s:o}", "result", progress(m));

	if (error_is_set(err))
		json_object_set_new(data, "error", json_string(err->msg));
	qmp_event_emit(m, "DUMP_COMPLETED", data);
}

static void on_detached_end(void *opaque, struct error *err)
{
	tell(opaque, err);
}

static void on_end(void *opaque, struct error *err)
{
	struct command_call *call = opaque;

	tell(call->machine, err);
	command_complete(call, error_is_set(err) ? command_fail_error(call, err) : command_ok());
}

static bool take_range(struct command_call *call, json_t *args, struct dump_request *r)
{
	bool begin = json_object_get(args, "begin"), length = json_object_get(args, "length");
	json_int_t first = arg_int(args, "begin", 0), n = arg_int(args, "length", 0);

	if (begin != length)
		command_fail(call, "Parameter '%s' is missing", begin ? "length" : "begin");
	else if (begin && (first < 0 || n <= 0))
		command_fail(call, "Parameter '%s' is invalid", first < 0 ? "begin" : "length");
	else if (begin && r->paging)
		command_fail(call, "Parameter 'begin' cannot be used with 'paging'");
	r->filtered = begin;
	r->begin = (gpa_t)first;
	r->length = (gpa_t)n;
	return !error_is_set(&call->err);
}

static json_t *dump_guest_memory(struct command_call *call, json_t *args)
{
	struct dump_request r = {.fd = -1, .paging = arg_bool(args, "paging", false)};
	bool detach = arg_bool(args, "detach", false);
	const char *protocol = arg_str(args, "protocol");
	struct machine *m = call->machine;
	struct error err = ERROR_INIT;
	bool ok;

	if (!take_range(call, args, &r))
		return NULL;
	if (!strncmp(protocol, "file:", 5)) {
		r.path = protocol + 5;
	} else if (!strncmp(protocol, "fd:", 3)) {
		r.fd = named_fd_take(m, protocol + 3);
		if (r.fd < 0)
			return command_fail(call, "File descriptor named '%s' has not been found",
					    protocol + 3);
	} else {
		return command_fail(call, "parameter 'protocol' must begin with 'file:' or 'fd:'");
	}
	ok = detach ? dump_start(m, &r, on_detached_end, m, &err)
		    : dump_start(m, &r, on_end, call, &err);
	if (!ok)
		return command_fail_error(call, &err);
	return detach ? command_ok() : NULL;
}

/* ---- for people ---- */

static void hmp_dump(struct monitor *mon, json_t *args)
{
	char *protocol = xasprintf("file:%s", arg_str(args, "filename"));
	json_t *all = json_pack("{s:b,s:b,s:s}", "paging", arg_bool(args, "paging", false),
				"detach", arg_bool(args, "detach", false), "protocol", protocol);
	static const char *const range[] = {"begin", "length"};

	for (unsigned i = 0; i < ARRAY_SIZE(range); i++)
		if (json_object_get(args, range[i]))
			json_object_set(all, range[i], json_object_get(args, range[i]));
	hmp_run_qmp(mon, "dump-guest-memory", all);
	json_decref(all);
	free(protocol);
}

static void show_dump(struct monitor *mon, json_t *v)
{
	json_int_t completed = arg_int(v, "completed", 0), total = arg_int(v, "total", 0);

	monitor_printf(mon, "Status: %s\n", arg_str(v, "status"));
	if (!strcmp(arg_str(v, "status"), status_names[DUMP_ACTIVE]))
		monitor_printf(mon, "Finished: %.2f %%\n",
			       total ? 100.0 * (double)completed / (double)total : 0.0);
}

static const struct qapi_type types[] = {
	{QAPI_ENUM, "DumpStatus", "none active completed failed", NULL, NULL},
	{QAPI_STRUCT, "DumpQueryResult", "status:DumpStatus completed:int total:int", NULL, NULL},
	{QAPI_ENUM, "DumpGuestMemoryFormat", "elf", NULL, NULL},
	{QAPI_STRUCT, "DumpGuestMemoryCapability", "formats:[DumpGuestMemoryFormat]", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"dump-guest-memory",
	 "paging:bool protocol:str ?detach:bool ?begin:int ?length:int ?format:DumpGuestMemoryFormat",
	 NULL, dump_guest_memory, COMMAND_DEFERRED},
	{"query-dump", NULL, "DumpQueryResult", query_dump, 0},
	{"query-dump-guest-memory-capability", NULL, "DumpGuestMemoryCapability", query_capability,
	 0},
	{.name = NULL},
};

static const struct qmp_event events[] = {
	{"DUMP_COMPLETED", "result:DumpQueryResult ?error:str", 0, NULL},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"dump-guest-memory", "paging:-p detach:-d filename:F begin:i? length:i?",
	 "[-p] [-d] filename [begin length]",
	 "dump guest memory into file 'filename' (-p: with the processors' mappings, -d: return at "
	 "once)",
	 .fn = hmp_dump, .deferred = true},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"dump", NULL, NULL, "Display the latest dump status", .qmp = "query-dump",
	 .show = show_dump},
	{.name = NULL},
};

const struct command_group commands_dump = {
	.types = types, .qmp = qmp, .events = events, .hmp = hmp, .info = info};
