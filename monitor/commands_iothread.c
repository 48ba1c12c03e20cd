/* SPDX-License-Identifier: BSD-2-Clause */
/* query-iothreads: the objects of that type, all of which are the loop's thread. */
#include <inttypes.h>
#include <unistd.h>
#include "monitor/commands.h"
#include "src/iothread.h"

static json_t *iothread_info(const struct iothread *t)
{
	return json_pack("{s:s,s:i,s:I,s:I,s:I,s:I}", "id", t->obj.id, "thread-id", (int)gettid(),
			 "poll-max-ns", (json_int_t)t->poll_max_ns, "poll-grow",
			 (json_int_t)t->poll_grow, "poll-shrink", (json_int_t)t->poll_shrink,
			 "aio-max-batch", (json_int_t)t->aio_max_batch);
}

static json_t *query_iothreads(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	list_for_each(it, &call->machine->objects->objects) {
		struct object *o = list_entry(it, struct object, node);

		if (o->type == &iothread_type)
			json_array_append_new(list,
					      iothread_info(container_of(o, struct iothread, obj)));
	}
	return list;
}

static void show_iothreads(struct monitor *mon, json_t *list)
{
	static const char *const rows[] = {"poll-max-ns", "poll-grow", "poll-shrink",
					   "aio-max-batch"};
	json_t *t;
	size_t i;

	json_array_foreach(list, i, t)
	{
		monitor_printf(mon, "%s:\n  thread_id=%" PRId64 "\n",
			       json_string_value(json_object_get(t, "id")),
			       (int64_t)json_integer_value(json_object_get(t, "thread-id")));
		for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
			monitor_printf(mon, "  %s=%" PRId64 "\n", rows[r],
				       (int64_t)json_integer_value(json_object_get(t, rows[r])));
	}
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "IOThreadInfo",
	 "id:str thread-id:int poll-max-ns:int poll-grow:int poll-shrink:int aio-max-batch:int",
	 NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-iothreads", NULL, "[IOThreadInfo]", query_iothreads, 0},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"iothreads", NULL, NULL, "show iothreads", .qmp = "query-iothreads",
	 .show = show_iothreads},
	{.name = NULL},
};

const struct command_group commands_iothread = {.types = types, .qmp = qmp, .info = info};
