/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's object model as far as users see it: types, the tree of what there is, and properties.
 *
 *	/machine/peripheral/ID			devices with an id
 *	/machine/peripheral-anon/device[N]	other devices of -device
 *	/machine/unattached/device[N]		the board's own
 *	/machine/cpu[N]				processors
 *	/objects/ID				what -object made
 */
#include <stdio.h>
#include <stdlib.h>
#include "monitor/commands.h"
#include "monitor/values.h"
#include "src/hotplug.h"
#include "src/object.h"
#include "src/options/optlist.h"

/* ---- types ---- */

/* What the types of the tables derive from. */
static const struct base {
	const char *name, *parent;
} bases[] = {
	{"object", NULL},	   {"device", "object"},	 {"sys-bus-device", "device"},
	{"isa-device", "device"},  {"pci-device", "device"},	 {"ide-device", "device"},
	{"scsi-device", "device"}, {"virtio-device", "device"},	 {"virtio-serial-port", "device"},
	{"cpu", "device"},	   {"x86_64-cpu", "cpu"},	 {"machine", "object"},
	{"accel", "object"},	   {"memory-backend", "object"}, {"user-creatable", "object"},
};

static const char *device_parent(const struct device_type *t)
{
	static const char *const parents[] = {[BUS_SYSTEM] = "sys-bus-device",
					      [BUS_ISA] = "isa-device",
					      [BUS_PCI] = "pci-device",
					      [BUS_IDE] = "ide-device",
					      [BUS_FLOPPY] = "device",
					      [BUS_VIRTIO] = "virtio-device",
					      [BUS_VIRTIO_SERIAL] = "virtio-serial-port",
					      [BUS_SCSI] = "scsi-device",
					      [BUS_NONE] = "device"};

	return t->bus < ARRAY_SIZE(parents) && parents[t->bus] ? parents[t->bus] : "device";
}

static const char *object_parent(const struct object_type *t)
{
	return strncmp(t->name, "memory-backend-", 15) ? "object" : "memory-backend";
}

static const char *parent_of_base(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++)
		if (!strcmp(bases[i].name, name))
			return bases[i].parent;
	return NULL;
}

static bool is_base(const char *name)
{
	return parent_of_base(name) || !strcmp(name, "object");
}

static bool descends(const char *name, const char *parent, const char *wanted)
{
	if (!wanted || !strcmp(name, wanted))
		return true;
	for (; parent; parent = parent_of_base(parent))
		if (!strcmp(parent, wanted))
			return true;
	return false;
}

static void add_type(json_t *list, const char *name, const char *parent, bool abstract,
		     const char *implements)
{
	json_t *entry;

	if (!descends(name, parent, implements))
		return;
	entry = json_pack("{ss}", "name", name);
	if (abstract)
		json_object_set_new(entry, "abstract", json_true());
	if (parent)
		json_object_set_new(entry, "parent", json_string(parent));
	json_array_append_new(list, entry);
}

static void add_named(json_t *list, const char *name, const char *suffix, const char *parent,
		      const char *implements)
{
	char *full = xasprintf("%s%s", name, suffix);

	add_type(list, full, parent, false, implements);
	free(full);
}

struct machine_list {
	json_t *list;
	const char *implements;
};

static void add_machine(void *opaque, const struct machine_type *type, const char *name,
			bool deprecated)
{
	struct machine_list *l = opaque;

	add_named(l->list, name, "-machine", "machine", l->implements);
}

static json_t *qom_list_types(struct command_call *call, json_t *args)
{
	const struct accel_ops *accel = call->machine->accel;
	static const char *const accels[] = {"kvm", "qtest", "soft", "tcg"};
	const char *implements = arg_str(args, "implements"), *name, *desc;
	bool creatable = implements && !strcmp(implements, "user-creatable");
	json_t *list = json_array();

	if (arg_bool(args, "abstract", false))
		for (unsigned i = 0; i < ARRAY_SIZE(bases); i++)
			add_type(list, bases[i].name, bases[i].parent, true, implements);
	for (const struct device_type *const *t = device_types; *t; t++)
		add_type(list, (*t)->name, device_parent(*t), false, implements);
	for (const struct object_type *const *t = object_types; *t; t++)
		add_type(list, (*t)->name, object_parent(*t), false, creatable ? NULL : implements);
	machine_each_name(add_machine, &(struct machine_list){list, implements});
	for (unsigned i = 0; i < ARRAY_SIZE(accels); i++)
		if (accel_exists(accels[i]))
			add_named(list, accels[i], "-accel", "accel", implements);
	for (unsigned i = 0; accel->cpu_model && accel->cpu_model(i, &name, &desc); i++)
		add_named(list, name, "-x86_64-cpu", "x86_64-cpu", implements);
	return list;
}

static json_t *property(const char *name, const char *type, const char *desc)
{
	json_t *p = json_pack("{s:s,s:s}", "name", name, "type", type);

	if (desc)
		json_object_set_new(p, "description", json_string(desc));
	return p;
}

static json_t *describe_props(const struct device_prop *props)
{
	json_t *list = json_array();

	for (const struct device_prop *p = props; p && p->name; p++) {
		json_t *entry = property(p->name, value_type(p), p->desc), *v = value_default(p);

		if (v)
			json_object_set_new(entry, "default-value", v);
		json_array_append_new(list, entry);
	}
	return list;
}

static json_t *no_such_type(struct command_call *call, const char *name)
{
	if (is_base(name))
		return command_fail(call,
				    "Parameter 'typename' expects a non-abstract device type");
	return command_fail_class(call, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", name);
}

static json_t *device_list_properties(struct command_call *call, json_t *args)
{
	const char *name = arg_str(args, "typename");
	const struct device_type *t = device_type_find(name);

	if (t)
		return describe_props(t->props);
	if (object_type_find(name))
		return command_fail(call, "Parameter 'typename' expects a device type");
	return no_such_type(call, name);
}

struct feature_list {
	json_t *list;
};

static void add_feature(void *opaque, const char *feature, bool on)
{
	struct feature_list *f = opaque;

	json_array_append_new(f->list, property(feature, "bool", NULL));
}

static json_t *cpu_properties(const struct accel_ops *accel, const char *type)
{
	static const char suffix[] = "-x86_64-cpu";
	size_t n = strlen(type), m = sizeof(suffix) - 1;
	struct feature_list f = {.list = json_array()};
	bool found = false;

	if (n > m && !strcmp(type + n - m, suffix) && accel->cpu_model_features) {
		char *model = xasprintf("%.*s", (int)(n - m), type);

		found = accel->cpu_model_features(model, add_feature, &f);
		free(model);
	}
	if (found)
		return f.list;
	json_decref(f.list);
	return NULL;
}

/* What -machine takes is what a board's properties are. */
static json_t *machine_properties(const char *type)
{
	static const char suffix[] = "-machine";
	size_t n = strlen(type), m = sizeof(suffix) - 1;
	char *name = n > m && !strcmp(type + n - m, suffix) ? xasprintf("%.*s", (int)(n - m), type)
							    : NULL;
	bool known = name && machine_type_find(name);
	json_t *list, *taken, *v;
	size_t i;

	free(name);
	if (!known)
		return NULL;
	list = json_array();
	json_array_append_new(list, property("type", "string", NULL));
	taken = option_parameters("machine");
	json_array_foreach(taken, i, v)
	{
		const char *kind = arg_str(v, "type");

		if (!strcmp(arg_str(v, "name"), "type"))
			continue;
		json_array_append_new(list,
				      property(arg_str(v, "name"),
					       !strcmp(kind, "boolean") ? "bool" : kind, NULL));
	}
	json_decref(taken);
	return list;
}

static json_t *qom_list_properties(struct command_call *call, json_t *args)
{
	const char *name = arg_str(args, "typename");
	const struct device_type *d = device_type_find(name);
	const struct object_type *o = object_type_find(name);
	json_t *cpu; /* or machine */

	if (d || o)
		return describe_props(d ? d->props : o->props);
	if (is_base(name))
		return json_array();
	cpu = cpu_properties(call->machine->accel, name);
	if (!cpu)
		cpu = machine_properties(name);
	if (cpu)
		return cpu;
	return command_fail_class(call, QMP_DEVICE_NOT_FOUND, "Class '%s' not found", name);
}

/* ---- the tree ---- */

enum node_kind { NODE_NONE, NODE_CONTAINER, NODE_DEVICE, NODE_OBJECT, NODE_CPU };

struct node {
	enum node_kind kind;
	const char *path; /* of a container */
	struct device *dev;
	struct object *object;
	struct vcpu *vcpu;
};

static const char *const containers[] = {
	"/",
	"/machine",
	"/machine/peripheral",
	"/machine/peripheral-anon",
	"/machine/unattached",
	"/objects",
};

static struct node find_node(struct machine *m, const char *path)
{
	struct node n = {.kind = NODE_NONE};
	char tail;
	unsigned cpu;

	for (unsigned i = 0; i < ARRAY_SIZE(containers); i++)
		if (!strcmp(containers[i], path))
			n = (struct node){.kind = NODE_CONTAINER, .path = containers[i]};
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);
		char *p = device_path(dev);

		/* A bare id is a partial path that names it. */
		if (!strcmp(p, path) || (dev->id && !strcmp(dev->id, path)))
			n = (struct node){.kind = NODE_DEVICE, .dev = dev};
		free(p);
	}
	list_for_each(it, &m->objects->objects) {
		struct object *o = list_entry(it, struct object, node);

		if ((!strncmp(path, "/objects/", 9) && !strcmp(path + 9, o->id)) ||
		    !strcmp(path, o->id))
			n = (struct node){.kind = NODE_OBJECT, .object = o};
	}
	if (sscanf(path, "/machine/cpu[%u%c", &cpu, &tail) == 2 && tail == ']' && cpu < m->n_vcpus)
		n = (struct node){.kind = NODE_CPU, .vcpu = m->vcpus[cpu]};
	return n;
}

static json_t *not_found(struct command_call *call, const char *path)
{
	return command_fail_class(call, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", path);
}

static void add_child(json_t *list, const char *name, const char *type)
{
	char *full = xasprintf("child<%s>", type);

	json_array_append_new(list, property(name, full, NULL));
	free(full);
}

/* "/a/b" is directly in "/a" */
static const char *name_in(const char *path, const char *container)
{
	size_t n = strlen(container);
	const char *name;

	if (!strcmp(container, "/"))
		n = 0;
	if (strncmp(path, container, n) || path[n] != '/' || !path[n + 1])
		return NULL;
	name = path + n + 1;
	return strchr(name, '/') ? NULL : name;
}

static json_t *list_container(struct machine *m, const char *path)
{
	json_t *list = json_array();

	json_array_append_new(list, property("type", "string", NULL));
	for (unsigned i = 0; i < ARRAY_SIZE(containers); i++) {
		const char *name = name_in(containers[i], path);

		if (name)
			add_child(list, name,
				  strcmp(name, "machine") ? "container" : machine_name(m));
	}
	list_for_each(it, &m->devices) {
		const struct device *dev = list_entry(it, struct device, node);
		char *full = device_path(dev);
		const char *name = name_in(full, path);

		if (name)
			add_child(list, name, dev->type->name);
		free(full);
	}
	if (!strcmp(path, "/objects"))
		list_for_each(it, &m->objects->objects) {
			const struct object *o = list_entry(it, struct object, node);

			add_child(list, o->id, o->type->name);
		}
	for (unsigned i = 0; !strcmp(path, "/machine") && i < m->n_vcpus; i++) {
		char name[24];

		snprintf(name, sizeof(name), "cpu[%u]", i);
		add_child(list, name, "x86_64-cpu");
	}
	return list;
}

static json_t *qom_list(struct command_call *call, json_t *args)
{
	const char *path = arg_str(args, "path");
	struct node n = find_node(call->machine, path);
	json_t *list;

	if (n.kind == NODE_NONE)
		return not_found(call, path);
	if (n.kind == NODE_CONTAINER)
		return list_container(call->machine, n.path);
	list = json_array();
	json_array_append_new(list, property("type", "string", NULL));
	if (n.kind == NODE_CPU) {
		json_array_append_new(list, property("apic-id", "uint32", NULL));
		return list;
	}
	for (const struct device_prop *p = n.dev ? n.dev->type->props : n.object->type->props;
	     p && p->name; p++)
		json_array_append_new(list, property(p->name, value_type(p), NULL));
	for (const struct device_live_prop *p = n.dev ? n.dev->live_props : NULL; p && p->name; p++)
		json_array_append_new(list, property(p->name, p->type, NULL));
	if (n.dev) {
		json_array_append_new(list, property("realized", "bool", NULL));
		json_array_append_new(list, property("hotpluggable", "bool", NULL));
	}
	return list;
}

static const char *type_of(struct machine *m, const struct node *n)
{
	switch (n->kind) {
	case NODE_DEVICE:
		return n->dev->type->name;
	case NODE_OBJECT:
		return n->object->type->name;
	case NODE_CPU:
		return "x86_64-cpu";
	default:
		return strcmp(n->path, "/machine") ? "container" : machine_name(m);
	}
}

static const struct device_live_prop *find_live(const struct node *n, const char *name)
{
	for (const struct device_live_prop *p = n->dev ? n->dev->live_props : NULL; p && p->name;
	     p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static json_t *get_special(struct machine *m, const struct node *n, const char *name)
{
	if (!strcmp(name, "type"))
		return json_string(type_of(m, n));
	if (n->dev && !strcmp(name, "realized"))
		return json_boolean(n->dev->realized);
	if (n->dev && !strcmp(name, "hotpluggable"))
		return json_boolean(device_is_hotpluggable(n->dev->type));
	if (n->vcpu && !strcmp(name, "apic-id"))
		return json_integer(n->vcpu->apic_id);
	if (find_live(n, name))
		return find_live(n, name)->get(n->dev);
	return NULL;
}

static const struct device_prop *find_prop(const struct node *n, const char *name)
{
	if (n->dev)
		return props_find(n->dev->type->props, name);
	return n->object ? props_find(n->object->type->props, name) : NULL;
}

static json_t *no_property(struct command_call *call, const struct node *n, const char *name)
{
	return command_fail(call, "Property '%s.%s' not found", type_of(call->machine, n), name);
}

static json_t *qom_get(struct command_call *call, json_t *args)
{
	const char *path = arg_str(args, "path"), *name = arg_str(args, "property");
	struct node n = find_node(call->machine, path);
	const struct device_prop *p;
	json_t *v;

	if (n.kind == NODE_NONE)
		return not_found(call, path);
	v = get_special(call->machine, &n, name);
	if (v)
		return v;
	p = find_prop(&n, name);
	if (!p)
		return no_property(call, &n, name);
	return value_get(n.dev ? (void *)n.dev : (void *)n.object, p);
}

static json_t *qom_set(struct command_call *call, json_t *args)
{
	const char *path = arg_str(args, "path"), *name = arg_str(args, "property");
	struct node n = find_node(call->machine, path);
	const struct device_live_prop *live;
	struct error err = ERROR_INIT;

	if (n.kind == NODE_NONE)
		return not_found(call, path);
	live = find_live(&n, name);
	if (live && live->set)
		return live->set(n.dev, json_object_get(args, "value"), &err)
			       ? command_ok()
			       : command_fail_error(call, &err);
	if (!live && !find_prop(&n, name))
		return no_property(call, &n, name);
	return command_fail(call,
			    "Attempt to set property '%s' on device '%s' (type '%s') after it was "
			    "realized",
			    name, path, type_of(call->machine, &n));
}

/* ---- for people ---- */

static void show_list(struct monitor *mon, json_t *list)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		monitor_printf(mon, "%s (%s)\n", arg_str(v, "name"), arg_str(v, "type"));
	}
}

static void show_value(struct monitor *mon, json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_INDENT(4));

	monitor_printf(mon, "%s\n", text);
	free(text);
}

/* TEXT as what the property has now: a number, on or off, or itself. NULL: it can't be. */
static json_t *value_like(json_t *now, const char *text)
{
	uint64_t n;
	bool on;

	if (json_is_integer(now))
		return parse_u64(text, &n) && n <= INT64_MAX ? json_integer((json_int_t)n) : NULL;
	if (json_is_boolean(now))
		return parse_bool(text, &on) ? json_boolean(on) : NULL;
	return json_string(text);
}

static void hmp_qom_set(struct monitor *mon, json_t *args)
{
	const char *name = arg_str(args, "property"), *text = arg_str(args, "value");
	struct node n = find_node(monitor_machine(mon), arg_str(args, "path"));
	const struct device_live_prop *live = find_live(&n, name);
	json_t *all = json_deep_copy(args), *now = live ? live->get(n.dev) : NULL, *v;

	v = json_object_get(args, "json") ? json_loads(text, JSON_DECODE_ANY, NULL)
					  : value_like(now, text);
	json_decref(now);
	json_object_del(all, "json");
	if (v) {
		json_object_set_new(all, "value", v);
		hmp_run_qmp(mon, "qom-set", all);
	} else {
		monitor_error(mon, "'%s' is no value for '%s'", text, name);
		hmp_finish(mon);
	}
	json_decref(all);
}

static void print_tree(struct monitor *mon, const char *path, unsigned depth)
{
	struct machine *m = monitor_machine(mon);
	json_t *list = list_container(m, path), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *name = arg_str(v, "name"), *type = arg_str(v, "type");
		char *sub = xasprintf("%s/%s", strcmp(path, "/") ? path : "", name);

		if (!strncmp(type, "child<", 6)) {
			monitor_printf(mon, "%*s/%s (%.*s)\n", 2 * depth, "", name,
				       (int)strlen(type) - 7, type + 6);
			if (find_node(m, sub).kind == NODE_CONTAINER)
				print_tree(mon, sub, depth + 1);
		}
		free(sub);
	}
	json_decref(list);
}

static void info_qom_tree(struct monitor *mon, json_t *args)
{
	const char *path = arg_str(args, "path");

	if (!path)
		path = "/machine";
	if (find_node(monitor_machine(mon), path).kind == NODE_NONE) {
		monitor_error(mon, "Path '%s' could not be resolved.", path);
		return;
	}
	monitor_printf(mon, "%s\n", path);
	if (find_node(monitor_machine(mon), path).kind == NODE_CONTAINER)
		print_tree(mon, path, 1);
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "ObjectTypeInfo", "name:str ?abstract:bool ?parent:str", NULL, NULL},
	{QAPI_STRUCT, "ObjectPropertyInfo", "name:str type:str ?description:str ?default-value:any",
	 NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"qom-list-types", "?implements:str ?abstract:bool", "[ObjectTypeInfo]", qom_list_types, 0},
	{"qom-list", "path:str", "[ObjectPropertyInfo]", qom_list, 0},
	{"qom-get", "path:str property:str", "any", qom_get, 0},
	{"qom-set", "path:str property:str value:any", NULL, qom_set, 0},
	{"qom-list-properties", "typename:str", "[ObjectPropertyInfo]", qom_list_properties, 0},
	{"device-list-properties", "typename:str", "[ObjectPropertyInfo]", device_list_properties,
	 0},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"qom-list", "path:s", "path", "list QOM properties", .qmp = "qom-list", .show = show_list},
	{"qom-get", "path:s property:s", "path property", "print QOM property", .qmp = "qom-get",
	 .show = show_value},
	{"qom-set", "json:-j path:s property:s value:S", "[-j] path property value",
	 "set QOM property (-j: the value is JSON)", .fn = hmp_qom_set, .deferred = true},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"qom-tree", "path:s?", "[path]", "show QOM composition tree", .fn = info_qom_tree},
	{.name = NULL},
};

const struct command_group commands_qom = {.types = types, .qmp = qmp, .hmp = hmp, .info = info};
