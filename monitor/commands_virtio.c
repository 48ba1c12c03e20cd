/* SPDX-License-Identifier: BSD-2-Clause */
/* What virtio devices have for the monitor: the balloon, and the ports' opening and closing. */
#include "devices/virtio/virtio_balloon.h"
#include "monitor/commands.h"

static struct virtio_balloon *balloon(struct command_call *call)
{
	if (!call->machine->balloon)
		command_fail_class(call, QMP_DEVICE_NOT_ACTIVE,
				   "No balloon device has been activated");
	return call->machine->balloon;
}

static json_t *query_balloon(struct command_call *call, json_t *args)
{
	struct virtio_balloon *b = balloon(call);

	return b ? json_pack("{s:I}", "actual", (json_int_t)virtio_balloon_actual(b)) : NULL;
}

static json_t *set_balloon(struct command_call *call, json_t *args)
{
	struct virtio_balloon *b = balloon(call);
	json_int_t value = json_integer_value(json_object_get(args, "value"));

	if (!b)
		return NULL;
	if (value <= 0)
		return command_fail(call, "Parameter 'target' expects a size");
	virtio_balloon_set_target(b, (uint64_t)value);
	return command_ok();
}

static void show_balloon(struct monitor *mon, json_t *answer)
{
	monitor_printf(mon, "balloon: actual=%lld\n",
		       json_integer_value(json_object_get(answer, "actual")) / (long long)MiB);
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "BalloonInfo", "actual:int", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-balloon", NULL, "BalloonInfo", query_balloon, 0},
	{"balloon", "value:int", NULL, set_balloon, 0},
	{.name = NULL},
};

static const struct qmp_event events[] = {
	{"BALLOON_CHANGE", "actual:int", NS_PER_SEC, NULL},
	{"VSERPORT_CHANGE", "id:str open:bool", NS_PER_SEC, "id"},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"balloon", "value:o", "target", "request VM to change its memory allocation (in MB)",
	 .qmp = "balloon"},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"balloon", NULL, NULL, "show balloon information", .qmp = "query-balloon",
	 .show = show_balloon},
	{.name = NULL},
};

const struct command_group commands_virtio = {
	.types = types, .qmp = qmp, .events = events, .hmp = hmp, .info = info};
