/* SPDX-License-Identifier: BSD-2-Clause */
/* Processors: those there are, those there could be, and the models of -cpu. */
#include <inttypes.h>
#include <stdlib.h>
#include "monitor/commands.h"
#include "src/board/numa.h"

/* ---- those there are ---- */

static unsigned node_of(const struct machine *m, unsigned cpu)
{
	const struct numa *numa = m->config.numa;

	return numa ? numa->cpu_node[cpu] : NUMA_NO_NODE;
}

static json_t *topology(const struct machine *m, unsigned cpu)
{
	const struct machine_config *c = &m->config;
	unsigned threads = MAX(c->threads, 1u), cores = c->cores ? c->cores : 256;
	unsigned node = node_of(m, cpu);
	json_t *props = json_pack("{s:i,s:i,s:i}", "socket-id", cpu / threads / cores, "core-id",
				  cpu / threads % cores, "thread-id", cpu % threads);

	if (node != NUMA_NO_NODE)
		json_object_set_new(props, "node-id", json_integer(node));
	return props;
}

static json_t *query_cpus_fast(struct command_call *call, json_t *args)
{
	struct machine *m = call->machine;
	json_t *list = json_array();

	for (unsigned i = 0; i < m->n_vcpus; i++) {
		char *path = xasprintf("/machine/cpu[%u]", i);
		int tid = __atomic_load_n(&m->vcpus[i]->tid, __ATOMIC_RELAXED);

		json_array_append_new(list, json_pack("{s:i,s:s,s:i,s:o,s:s}", "cpu-index", i,
						      "qom-path", path, "thread-id", tid, "props",
						      topology(m, i), "target", "x86_64"));
		free(path);
	}
	return list;
}

static char *cpu_type(const struct machine *m)
{
	const char *model = m->config.cpu_model ? m->config.cpu_model : "max";

	return xasprintf("%.*s-x86_64-cpu", (int)strcspn(model, ","), model);
}

/* None can be plugged: those that are there, that is. */
static json_t *query_hotpluggable_cpus(struct command_call *call, json_t *args)
{
	struct machine *m = call->machine;
	json_t *list = json_array();
	char *type = cpu_type(m);

	for (unsigned i = m->n_vcpus; i-- > 0;) {
		char *path = xasprintf("/machine/cpu[%u]", i);

		json_array_append_new(list,
				      json_pack("{s:o,s:i,s:s,s:s}", "props", topology(m, i),
						"vcpus-count", 1, "qom-path", path, "type", type));
		free(path);
	}
	free(type);
	return list;
}

static json_t *query_kvm(struct command_call *call, json_t *args)
{
	return json_pack("{s:b,s:b}", "enabled", !strcmp(call->machine->accel->name, "kvm"),
			 "present", accel_exists("kvm"));
}

/* ---- models ---- */

static json_t *query_cpu_definitions(struct command_call *call, json_t *args)
{
	const struct accel_ops *accel = call->machine->accel;
	const char *name, *desc;
	json_t *list = json_array();

	for (unsigned i = 0; accel->cpu_model && accel->cpu_model(i, &name, &desc); i++) {
		char *type = xasprintf("%s-x86_64-cpu", name);
		/* What "max" and "host" are depends on the host. */
		bool fixed = strcmp(name, "max") && strcmp(name, "host");

		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:b,s:b,s:[],s:b}", "name", name,
						"typename", type, "static", 0, "migration-safe",
						fixed, "unavailable-features", "deprecated", 0));
		free(type);
	}
	return list;
}

static void add_feature(void *opaque, const char *feature, bool on)
{
	json_object_set_new(opaque, feature, json_boolean(on));
}

static json_t *query_cpu_model_expansion(struct command_call *call, json_t *args)
{
	const struct accel_ops *accel = call->machine->accel;
	json_t *model = json_object_get(args, "model"), *given = json_object_get(model, "props");
	const char *name = arg_str(model, "name"), *key;
	json_t *props = json_object(), *v;

	if (!accel->cpu_model_features || !accel->cpu_model_features(name, add_feature, props)) {
		json_decref(props);
		return command_fail(call, "CPU model '%s' not found", name);
	}
	if (given && !json_is_object(given)) {
		json_decref(props);
		return command_fail(call,
				    "Invalid parameter type for 'model.props', expected: object");
	}
	json_object_foreach(given, key, v)
	{
		json_t *had = json_object_get(props, key);

		if (!had || !json_is_boolean(v)) {
			command_fail(call,
				     had ? "Invalid parameter type for '%s', expected: boolean"
					 : "Property '%s' not found",
				     key);
			json_decref(props);
			return NULL;
		}
		json_object_set(props, key, v);
	}
	return json_pack("{s:{s:s,s:o}}", "model", "name", name, "props", props);
}

/* ---- for people ---- */

static void info_cpus(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);

	for (unsigned i = 0; i < m->n_vcpus; i++)
		monitor_printf(mon, "%c CPU #%u: thread_id=%d apic_id=%u\n",
			       m->vcpus[i] == monitor_vcpu(mon) ? '*' : ' ', i,
			       __atomic_load_n(&m->vcpus[i]->tid, __ATOMIC_RELAXED),
			       m->vcpus[i]->apic_id);
}

static void hmp_cpu(struct monitor *mon, json_t *args)
{
	json_int_t index = arg_int(args, "index", -1);

	if (index < 0 || index > UINT32_MAX || !monitor_set_vcpu(mon, (unsigned)index))
		monitor_error(mon, "invalid CPU index");
}

static void print_registers(struct monitor *mon, struct vcpu *v)
{
	struct x86_regs regs;
	char *text;

	v->machine->accel->get_regs(v, &regs);
	text = x86_regs_format(&regs);
	monitor_printf(mon, "\nCPU#%u\n%s", v->index, text);
	free(text);
}

static void info_registers(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);

	if (arg_bool(args, "all", false)) {
		for (unsigned i = 0; i < m->n_vcpus; i++)
			print_registers(mon, m->vcpus[i]);
	} else if (monitor_vcpu(mon)) {
		print_registers(mon, monitor_vcpu(mon));
	} else {
		monitor_printf(mon, "No CPU available\n");
	}
}

static void show_kvm(struct monitor *mon, json_t *kvm)
{
	monitor_printf(mon, "kvm support: %s\n",
		       !arg_bool(kvm, "present", false)	 ? "not compiled"
		       : arg_bool(kvm, "enabled", false) ? "enabled"
							 : "disabled");
}

static void show_hotpluggable(struct monitor *mon, json_t *list)
{
	json_t *v, *n;
	const char *key;
	size_t i;

	monitor_printf(mon, "Hotpluggable CPUs:\n");
	json_array_foreach(list, i, v)
	{
		monitor_printf(mon, "  type: \"%s\"\n  vcpus_count: \"%lld\"\n", arg_str(v, "type"),
			       arg_int(v, "vcpus-count", 0));
		monitor_printf(mon, "  qom_path: \"%s\"\n  CPUInstance Properties:\n",
			       arg_str(v, "qom-path"));
		json_object_foreach(json_object_get(v, "props"), key, n)
			monitor_printf(mon, "    %s: \"%lld\"\n", key, json_integer_value(n));
	}
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "CpuInstanceProperties",
	 "?node-id:int ?socket-id:int ?core-id:int ?thread-id:int", NULL, NULL},
	{QAPI_STRUCT, "CpuInfoFast",
	 "cpu-index:int qom-path:str thread-id:int ?props:CpuInstanceProperties target:SysEmuTarget",
	 NULL, NULL},
	{QAPI_STRUCT, "HotpluggableCPU",
	 "type:str vcpus-count:int props:CpuInstanceProperties ?qom-path:str", NULL, NULL},
	{QAPI_STRUCT, "KvmInfo", "enabled:bool present:bool", NULL, NULL},
	{QAPI_STRUCT, "CpuDefinitionInfo",
	 "name:str ?migration-safe:bool static:bool ?unavailable-features:[str] typename:str "
	 "deprecated:bool",
	 NULL, NULL},
	{QAPI_ENUM, "CpuModelExpansionType", "static full", NULL, NULL},
	{QAPI_STRUCT, "CpuModelInfo", "name:str ?props:any", NULL, NULL},
	{QAPI_STRUCT, "CpuModelExpansionInfo", "model:CpuModelInfo", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-cpus-fast", NULL, "[CpuInfoFast]", query_cpus_fast, 0},
	{"query-hotpluggable-cpus", NULL, "[HotpluggableCPU]", query_hotpluggable_cpus, 0},
	{"query-kvm", NULL, "KvmInfo", query_kvm, COMMAND_OOB},
	{"query-cpu-definitions", NULL, "[CpuDefinitionInfo]", query_cpu_definitions, 0},
	{"query-cpu-model-expansion", "type:CpuModelExpansionType model:CpuModelInfo",
	 "CpuModelExpansionInfo", query_cpu_model_expansion, 0},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"cpu", "index:i", "index", "set the default CPU", .fn = hmp_cpu},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"cpus", NULL, NULL, "show infos for each CPU", .fn = info_cpus},
	{"hotpluggable-cpus", NULL, NULL, "Show information about hotpluggable CPUs",
	 .qmp = "query-hotpluggable-cpus", .show = show_hotpluggable},
	{"kvm", NULL, NULL, "show KVM information", .qmp = "query-kvm", .show = show_kvm},
	{"registers", "all:-a", "[-a]", "show the cpu registers (-a: all)", .fn = info_registers,
	 .parked = true},
	{.name = NULL},
};

const struct command_group commands_cpu = {.types = types, .qmp = qmp, .hmp = hmp, .info = info};
