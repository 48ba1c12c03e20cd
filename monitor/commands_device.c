/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and objects come and go: device_add, device_del, object-add, object-del, and `info qtree`. */
#include <inttypes.h>
#include <stdlib.h>
#include "io/block/ahead.h"
#include "monitor/commands.h"
#include "monitor/values.h"
#include "src/bus.h"
#include "src/hotplug.h"
#include "src/object.h"
#include "src/options/optlist_json.h"

static json_t *do_device_add(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;
	const char *driver = arg_str(args, "driver");
	struct optlist l;
	struct device *dev;

	if (!device_type_find(driver))
		return command_fail(call, "'%s' is not a valid device model name", driver);
	if (!optlist_from_json(args, &l, &err))
		return command_fail_error(call, &err);
	dev = device_plug(call->machine, &l, &err);
	optlist_free(&l);
	return dev ? command_ok() : command_fail_error(call, &err);
}

static void disk_looked_at(void *opaque, bool ending)
{
	struct command_call *call = opaque;

	command_complete(call, ending ? command_fail(call, "evmm ends")
				      : do_device_add(call, call->args));
}

/* What a disk's device will ask the host is asked ahead, by a worker. */
static json_t *device_add(struct command_call *call, json_t *args)
{
	const char *drive = json_string_value(json_object_get(args, "drive"));

	if (!drive)
		return do_device_add(call, args);
	block_ahead_attach(call->machine->workers, drive, disk_looked_at, call);
	return NULL;
}

/* By id, or by its path. */
static struct device *find_device(struct machine *m, const char *name)
{
	struct device *dev = device_find(m, name);

	list_for_each(it, &m->devices) {
		struct device *other = list_entry(it, struct device, node);
		char *path = device_path(other);

		if (!dev && !strcmp(path, name))
			dev = other;
		free(path);
	}
	return dev;
}

static json_t *device_del(struct command_call *call, json_t *args)
{
	const char *id = arg_str(args, "id");
	struct device *dev = find_device(call->machine, id);
	struct error err = ERROR_INIT;

	if (!dev)
		return command_fail_class(call, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", id);
	if (!device_unplug_request(dev, &err))
		return command_fail_error(call, &err);
	return command_ok();
}

static json_t *object_add_(struct command_call *call, json_t *args)
{
	const char *type = arg_str(args, "qom-type");
	struct error err = ERROR_INIT;
	struct optlist l;
	struct object *o;

	if (!object_type_find(type))
		return command_fail(call, "Parameter 'qom-type' does not accept value '%s'", type);
	if (!optlist_from_json(args, &l, &err))
		return command_fail_error(call, &err);
	o = object_create_from_list(call->machine->objects, &l, &err);
	optlist_free(&l);
	return o ? command_ok() : command_fail_error(call, &err);
}

static json_t *object_del(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;

	if (!object_delete(call->machine->objects, arg_str(args, "id"), &err))
		return command_fail_error(call, &err);
	return command_ok();
}

/* ---- for people ---- */

static void list_device_types(struct monitor *mon)
{
	for (const struct device_type *const *t = device_types; *t; t++) {
		if (!(*t)->user_creatable)
			continue;
		monitor_printf(mon, "name \"%s\"", (*t)->name);
		if ((*t)->alias)
			monitor_printf(mon, ", alias \"%s\"", (*t)->alias);
		if ((*t)->desc)
			monitor_printf(mon, ", desc \"%s\"", (*t)->desc);
		monitor_printf(mon, "\n");
	}
}

static void list_props(struct monitor *mon, const char *name, const struct device_prop *props)
{
	monitor_printf(mon, "%s options:\n", name);
	for (const struct device_prop *p = props; p && p->name; p++)
		monitor_printf(mon, "  %s=<%s> - %s\n", p->name, value_type(p),
			       p->desc ? p->desc : "");
}

/* "TYPE,key=value" as an object; false after it has been dealt with. */
static json_t *spec_to_args(struct monitor *mon, const char *spec, const char *implied)
{
	struct error err = ERROR_INIT;
	struct optlist l;
	json_t *args;

	if (!optlist_parse(&l, spec, implied, &err)) {
		monitor_report(mon, &err);
		return NULL;
	}
	args = json_object();
	for (unsigned i = 0; i < l.n; i++)
		json_object_set_new(args, l.items[i].key ? l.items[i].key : implied,
				    json_string(l.items[i].value));
	optlist_free(&l);
	return args;
}

static bool asks_for_help(json_t *args, const char *type)
{
	return json_object_get(args, "help") || json_object_get(args, "?") || !type ||
	       !strcmp(type, "help") || !strcmp(type, "?");
}

static void object_add_done(struct command_call *call)
{
	struct monitor *mon = call->opaque;

	if (error_is_set(&call->err))
		monitor_error(mon, "%s", call->err.msg);
}

static void hmp_device_add(struct monitor *mon, json_t *args)
{
	json_t *spec = spec_to_args(mon, arg_str(args, "device"), "driver");
	const char *driver = spec ? arg_str(spec, "driver") : NULL;
	const struct device_type *type = driver ? device_type_find(driver) : NULL;

	if (spec && !asks_for_help(spec, driver)) {
		hmp_run_qmp(mon, "device_add", spec);
	} else {
		if (spec && type)
			list_props(mon, type->name, type->props);
		else if (spec)
			list_device_types(mon);
		hmp_finish(mon);
	}
	json_decref(spec);
}

static void hmp_object_add(struct monitor *mon, json_t *args)
{
	json_t *spec = spec_to_args(mon, arg_str(args, "object"), "qom-type");
	const char *name = spec ? arg_str(spec, "qom-type") : NULL;
	const struct object_type *type = name ? object_type_find(name) : NULL;

	if (!spec)
		return;
	if (type && asks_for_help(spec, name)) {
		list_props(mon, type->name, type->props);
	} else if (asks_for_help(spec, name)) {
		for (const struct object_type *const *t = object_types; *t; t++)
			monitor_printf(mon, "%s\n", (*t)->name);
	} else {
		command_start(monitor_machine(mon), qmp_command_find("object-add"), spec, 0,
			      object_add_done, mon, NULL);
	}
	json_decref(spec);
}

static void print_props(struct monitor *mon, const struct device *dev, unsigned indent)
{
	for (const struct device_prop *p = dev->type->props; p && p->name; p++) {
		json_t *v = value_get(dev, p);
		char *text = json_dumps(v, JSON_ENCODE_ANY);

		monitor_printf(mon, "%*s%s = %s", indent, "", p->name, text ? text : "");
		if (json_is_integer(v))
			monitor_printf(mon, " (0x%" PRIx64 ")", (uint64_t)json_integer_value(v));
		monitor_printf(mon, "\n");
		free(text);
		json_decref(v);
	}
}

static void print_bus(struct monitor *mon, const struct bus *bus, unsigned indent);

static void print_device(struct monitor *mon, const struct device *dev, unsigned indent)
{
	monitor_printf(mon, "%*sdev: %s, id \"%s\"\n", indent, "", dev->type->name,
		       dev->id ? dev->id : "");
	print_props(mon, dev, indent + 2);
	if (dev->guest_error_count)
		monitor_printf(mon, "%*sguest errors: %u\n", indent + 2, "",
			       dev->guest_error_count);
	if (dev->broken)
		monitor_printf(mon, "%*sneeds a reset: %s\n", indent + 2, "", dev->broken);
	list_for_each(it, &dev->machine->buses) {
		const struct bus *bus = list_entry(it, struct bus, node);

		if (bus->owner == dev)
			print_bus(mon, bus, indent + 2);
	}
}

/* A bus that a controller offers, and who is on it. */
static void print_bus(struct monitor *mon, const struct bus *bus, unsigned indent)
{
	monitor_printf(mon, "%*sbus: %s\n%*s  type %s\n", indent, "", bus->name, indent, "",
		       bus_type_name(bus->type));
	list_for_each(it, &monitor_machine(mon)->devices) {
		const struct device *dev = list_entry(it, struct device, node);

		if (dev->parent_bus == bus)
			print_device(mon, dev, indent + 2);
	}
}

static void info_qtree(struct monitor *mon, json_t *args)
{
	static const struct {
		enum bus_type type;
		const char *name;
	} buses[] = {{BUS_SYSTEM, "main-system-bus"},
		     {BUS_PCI, "pci.0"},
		     {BUS_ISA, "isa.0"},
		     {BUS_VIRTIO, "virtio-mmio"},
		     {BUS_NONE, "no bus"}};
	struct machine *m = monitor_machine(mon);

	for (unsigned i = 0; i < ARRAY_SIZE(buses); i++) {
		bool any = false;

		list_for_each(it, &m->devices) {
			struct device *dev = list_entry(it, struct device, node);

			if (dev->type->bus != buses[i].type || dev->parent_bus)
				continue;
			if (!any)
				monitor_printf(mon, "bus: %s\n", buses[i].name);
			any = true;
			print_device(mon, dev, 2);
		}
	}
}

static const struct qmp_command qmp[] = {
	{"device_add", "driver:str ?bus:str ?id:str", NULL, device_add,
	 COMMAND_EXTRA_ARGS | COMMAND_DEFERRED},
	{"device_del", "id:str", NULL, device_del, 0},
	{"object-add", "qom-type:str id:str", NULL, object_add_, COMMAND_EXTRA_ARGS},
	{"object-del", "id:str", NULL, object_del, 0},
	{.name = NULL},
};

static const struct qmp_event events[] = {
	{"DEVICE_DELETED", "?device:str path:str", 0, NULL},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"device_add", "device:D", "driver[,prop=value][,...]",
	 "add device, like -device on the command line", .fn = hmp_device_add, .deferred = true},
	{"device_del", "id:d", "device", "remove device", .qmp = "device_del"},
	{"object_add", "object:S", "[qom-type=]type,id=str[,prop=value][,...]", "create QOM object",
	 .fn = hmp_object_add},
	{"object_del", "id:O", "id", "destroy QOM object", .qmp = "object-del"},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"qtree", NULL, NULL, "show device tree", .fn = info_qtree},
	{.name = NULL},
};

const struct command_group commands_device = {
	.qmp = qmp, .events = events, .hmp = hmp, .info = info};
