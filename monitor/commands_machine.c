/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine as a whole: its type, its memory, and what the command line knows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "devices/chipset/vmgenid.h"
#include "monitor/commands.h"
#include "src/board/numa.h"
#include "src/boot/bootorder.h"
#include "src/memory_backend.h"
#include "src/options/table.h"

static void add_machine(void *opaque, const struct machine_type *t, const char *name,
			bool deprecated)
{
	json_t *entry = json_pack("{s:s,s:i,s:b,s:b,s:b}", "name", name, "cpu-max",
				  MACHINE_MAX_VCPUS, "hotpluggable-cpus", 0, "numa-mem-supported",
				  1, "deprecated", deprecated);
	bool own = !strcmp(name, t->name);

	if (own && t->alias)
		json_object_set_new(entry, "alias", json_string(t->alias));
	if (own && t->is_default)
		json_object_set_new(entry, "is-default", json_true());
	json_array_append_new(opaque, entry);
}

static json_t *query_machines(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	machine_each_name(add_machine, list);
	return list;
}

static json_t *query_current_machine(struct command_call *call, json_t *args)
{
	return json_pack("{s:b}", "wakeup-suspend-support", call->machine->woken != NULL);
}

static json_t *query_memory_size_summary(struct command_call *call, json_t *args)
{
	return json_pack("{s:I,s:i}", "base-memory", (json_int_t)call->machine->ram.bytes,
			 "plugged-memory", 0);
}

/* There are neither memory devices, nor threads of devices' own. */
static json_t *query_nothing(struct command_call *call, json_t *args)
{
	return json_array();
}

/* Managers insist on hearing of migrations before they start a guest, whether there will be any or not. */
static json_t *query_migrate_capabilities(struct command_call *call, json_t *args)
{
	return json_pack("[{s:s,s:b}]", "capability", "events", "state",
			 call->machine->migration_events);
}

static json_t *migrate_set_capabilities(struct command_call *call, json_t *args)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(args, "capabilities"), i, v)
		call->machine->migration_events = arg_bool(v, "state", false);
	return command_ok();
}

static json_t *query_vm_generation_id(struct command_call *call, json_t *args)
{
	static const uint8_t place[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	char text[UUID_TEXT_BYTES];
	uint8_t uuid[16];
	const uint8_t *guid;

	if (!call->machine->vmgenid)
		return command_fail(call, "VM Generation ID device not found");
	guid = vmgenid_guid(call->machine->vmgenid);
	for (unsigned i = 0; i < 16; i++)
		uuid[i] = guid[place[i]];
	format_uuid(uuid, text);
	return json_pack("{ss}", "guid", text);
}

/* ---- memory backends ---- */

static json_t *host_nodes(const struct memory_backend *b)
{
	json_t *list = json_array();
	const char *s = b->host_nodes;

	while (s && *s) {
		char *end;
		unsigned long first = strtoul(s, &end, 10), last = first;

		if (end == s)
			break;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last; first++)
			json_array_append_new(list, json_integer((json_int_t)first));
		s = end + (*end != 0);
	}
	return list;
}

static bool is_memory_backend(const struct object *o)
{
	return o->type == &memory_backend_ram_type || o->type == &memory_backend_file_type ||
	       o->type == &memory_backend_memfd_type;
}

static json_t *query_memdev(struct command_call *call, json_t *args)
{
	const struct object_set *set = call->machine->objects;
	json_t *list = json_array();

	list_for_each(it, &set->objects) {
		struct object *o = list_entry(it, struct object, node);
		const struct memory_backend *b = container_of(o, struct memory_backend, object);

		if (!is_memory_backend(o))
			continue;
		json_array_append_new(list, json_pack("{s:s,s:I,s:b,s:b,s:b,s:b,s:b,s:o,s:s}", "id",
						      o->id, "size", (json_int_t)b->size, "merge",
						      b->merge, "dump", b->dump, "prealloc",
						      b->prealloc, "share", b->share, "reserve",
						      b->reserve, "host-nodes", host_nodes(b),
						      "policy", b->policy ? b->policy : "default"));
	}
	return list;
}

/* ---- options ---- */

/* One "key=FORM" of an option's argument, at S up to N; what the help shows is all that the table has. */
static json_t *parameter(const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n), *form = eq ? eq + 1 : "";
	size_t key = eq ? (size_t)(eq - s) : n, m = eq ? n - key - 1 : 0;
	const char *type = "string";

	if (m == 6 && !memcmp(form, "on|off", 6))
		type = "boolean";
	else if (m == 1 && *form == 'N')
		type = "number";
	else if ((m == 4 && !memcmp(form, "SIZE", 4)) || (m == 4 && !memcmp(form, "MEGS", 4)))
		type = "size";
	return json_pack("{s:s%,s:s}", "name", s, key, "type", type);
}

/* "[type=]NAME[,accel=ACCEL][,acpi=on|off]": the words with "=" */
static json_t *parameters_of(const char *arg)
{
	json_t *list = json_array();

	while (*arg) {
		size_t n;
		char word[128];
		unsigned len = 0;

		arg += strspn(arg, "[],. ");
		for (n = 0; arg[n] && !(arg[n] == ',' || arg[n] == ' '); n++)
			if (arg[n] != '[' && arg[n] != ']' && len < sizeof(word) - 1)
				word[len++] = arg[n];
		if (memchr(word, '=', len))
			json_array_append_new(list, parameter(word, len));
		arg += n;
	}
	return list;
}

json_t *option_parameters(const char *option)
{
	for (const struct option_desc *d = option_table; d->name; d++)
		if (!strcmp(d->name, option))
			return parameters_of(d->arg ? d->arg : "");
	return json_array();
}

static json_t *query_command_line_options(struct command_call *call, json_t *args)
{
	const char *wanted = arg_str(args, "option");
	json_t *list = json_array();

	for (const struct option_desc *d = option_table; d->name; d++) {
		json_t *parameters;

		if (!d->help || (wanted && strcmp(wanted, d->name)))
			continue;
		parameters = parameters_of(d->arg ? d->arg : "");
		json_array_append_new(list, json_pack("{s:s,s:o}", "option", d->name, "parameters",
						      parameters));
	}
	if (!wanted || json_array_size(list))
		return list;
	json_decref(list);
	return command_fail(call, "Invalid parameter '%s'", wanted);
}

/* ---- for people ---- */

static void show_memory_size(struct monitor *mon, json_t *v)
{
	monitor_printf(mon, "base memory: %lld\nplugged memory: %lld\n",
		       arg_int(v, "base-memory", 0), arg_int(v, "plugged-memory", 0));
}

static const char *true_false(json_t *v, const char *name)
{
	return arg_bool(v, name, false) ? "true" : "false";
}

static void show_memdevs(struct monitor *mon, json_t *list)
{
	json_t *v, *node;
	size_t i, j;

	json_array_foreach(list, i, v)
	{
		monitor_printf(mon,
			       "memory backend: %s\n  size:  %lld\n  merge: %s\n  dump: %s\n"
			       "  prealloc: %s\n  share: %s\n  policy: %s\n  host nodes:",
			       arg_str(v, "id"), arg_int(v, "size", 0), true_false(v, "merge"),
			       true_false(v, "dump"), true_false(v, "prealloc"),
			       true_false(v, "share"), arg_str(v, "policy"));
		json_array_foreach(json_object_get(v, "host-nodes"), j, node)
			monitor_printf(mon, " %lld", json_integer_value(node));
		monitor_printf(mon, "\n");
	}
}

static void show_generation_id(struct monitor *mon, json_t *v)
{
	monitor_printf(mon, "%s\n", arg_str(v, "guid"));
}

static void hmp_boot_set(struct monitor *mon, json_t *args)
{
	const char *letters = arg_str(args, "bootdevice");
	struct machine *m = monitor_machine(mon);
	struct error err = ERROR_INIT;

	if (!m->set_boot_order) {
		monitor_error(mon,
			      "no function defined to set boot device list for this architecture");
	} else if (!boot_order_check(letters, &err)) {
		monitor_report(mon, &err);
	} else {
		m->set_boot_order(m, letters);
		monitor_printf(mon, "boot device list now set to %s\n", letters);
	}
}

/* Read-only memory, as the address space has it. */
static void print_roms(struct monitor *mon, const struct region *r, uint64_t base)
{
	if (r->kind == REGION_ROM && r->enabled)
		monitor_printf(mon,
			       "addr=%016" PRIx64 " size=0x%06" PRIx64 " mem=rom name=\"%s\"\n",
			       base, r->size, r->name);
	list_for_each(it, &r->children) {
		const struct region *child = list_entry(it, struct region, node);

		print_roms(mon, child, base + child->offset);
	}
}

static void info_roms(struct monitor *mon, json_t *args)
{
	print_roms(mon, &monitor_machine(mon)->mem.root, 0);
}

static void info_numa(struct monitor *mon, json_t *args)
{
	const struct machine *m = monitor_machine(mon);
	const struct numa *numa = m->config.numa;

	monitor_printf(mon, "%u nodes\n", numa ? numa->n : 0);
	for (unsigned i = 0; numa && i < numa->n; i++) {
		monitor_printf(mon, "node %u cpus:", i);
		for (unsigned cpu = 0; cpu < m->n_vcpus; cpu++)
			if (numa->cpu_node[cpu] == i)
				monitor_printf(mon, " %u", cpu);
		monitor_printf(mon, "\nnode %u size: %" PRIu64 " MB\nnode %u plugged: 0 MB\n", i,
			       (uint64_t)(numa->nodes[i].bytes / MiB), i);
	}
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "MachineInfo",
	 "name:str ?alias:str ?is-default:bool cpu-max:int hotpluggable-cpus:bool "
	 "numa-mem-supported:bool deprecated:bool",
	 NULL, NULL},
	{QAPI_STRUCT, "CurrentMachineParams", "wakeup-suspend-support:bool", NULL, NULL},
	{QAPI_STRUCT, "MemoryInfo", "base-memory:size ?plugged-memory:size", NULL, NULL},
	{QAPI_ENUM, "HostMemPolicy", "default preferred bind interleave", NULL, NULL},
	{QAPI_STRUCT, "Memdev",
	 "?id:str size:size merge:bool dump:bool prealloc:bool share:bool ?reserve:bool "
	 "host-nodes:[int] policy:HostMemPolicy",
	 NULL, NULL},
	{QAPI_ENUM, "MemoryDeviceInfoKind", "dimm", NULL, NULL},
	{QAPI_STRUCT, "MemoryDeviceInfo", "type:MemoryDeviceInfoKind", NULL, NULL},
	{QAPI_ENUM, "MigrationCapability", "events", NULL, NULL},
	{QAPI_STRUCT, "MigrationCapabilityStatus", "capability:MigrationCapability state:bool",
	 NULL, NULL},
	{QAPI_STRUCT, "GuidInfo", "guid:str", NULL, NULL},
	{QAPI_ENUM, "CommandLineParameterType", "string boolean number size", NULL, NULL},
	{QAPI_STRUCT, "CommandLineParameterInfo", "name:str type:CommandLineParameterType", NULL,
	 NULL},
	{QAPI_STRUCT, "CommandLineOptionInfo", "option:str parameters:[CommandLineParameterInfo]",
	 NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-machines", NULL, "[MachineInfo]", query_machines, 0},
	{"query-current-machine", NULL, "CurrentMachineParams", query_current_machine, 0},
	{"query-memory-size-summary", NULL, "MemoryInfo", query_memory_size_summary, 0},
	{"query-memdev", NULL, "[Memdev]", query_memdev, 0},
	{"query-memory-devices", NULL, "[MemoryDeviceInfo]", query_nothing, 0},
	{"query-migrate-capabilities", NULL, "[MigrationCapabilityStatus]",
	 query_migrate_capabilities, 0},
	{"migrate-set-capabilities", "capabilities:[MigrationCapabilityStatus]", NULL,
	 migrate_set_capabilities, 0},
	{"query-vm-generation-id", NULL, "GuidInfo", query_vm_generation_id, 0},
	{"query-command-line-options", "?option:str", "[CommandLineOptionInfo]",
	 query_command_line_options, 0},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"boot_set", "bootdevice:s", "bootdevice", "define new values for the boot device list",
	 .fn = hmp_boot_set},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"memdev", NULL, NULL, "show memory backends", .qmp = "query-memdev", .show = show_memdevs},
	{"memory_size_summary", NULL, NULL,
	 "show the amount of initially allocated and present hotpluggable (if enabled) memory in "
	 "bytes.",
	 .qmp = "query-memory-size-summary", .show = show_memory_size},
	{"numa", NULL, NULL, "show NUMA information", .fn = info_numa},
	{"roms", NULL, NULL, "show roms", .fn = info_roms},
	{"vm-generation-id", NULL, NULL, "Show Virtual Machine Generation ID",
	 .qmp = "query-vm-generation-id", .show = show_generation_id},
	{.name = NULL},
};

const struct command_group commands_machine = {
	.types = types, .qmp = qmp, .hmp = hmp, .info = info};
