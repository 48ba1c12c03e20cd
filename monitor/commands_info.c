/* SPDX-License-Identifier: BSD-2-Clause */
/* `info ...`: what the machine, its devices and the loop are doing. */
#include <inttypes.h>
#include <stdlib.h>
#include "io/block/block.h"
#include "io/char/chardev.h"
#include "monitor/commands.h"

/* ---- processors ---- */

static void info_cpus(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);

	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];
		struct x86_regs regs;

		m->accel->get_regs(v, &regs);
		monitor_printf(mon, "%c CPU #%u: apic_id=%u pc=0x%016" PRIx64 "\n",
			       v == monitor_vcpu(mon) ? '*' : ' ', i, v->apic_id, regs.rip);
	}
}

static void print_registers(struct monitor *mon, struct vcpu *v)
{
	struct x86_regs regs;
	char *text;

	v->machine->accel->get_regs(v, &regs);
	text = x86_regs_format(&regs);
	monitor_printf(mon, "CPU#%u\n%s", v->index, text);
	free(text);
}

static void info_registers(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);

	if (json_object_get(args, "all")) {
		for (unsigned i = 0; i < m->n_vcpus; i++)
			print_registers(mon, m->vcpus[i]);
	} else if (monitor_vcpu(mon)) {
		print_registers(mon, monitor_vcpu(mon));
	} else {
		monitor_printf(mon, "no CPU\n");
	}
}

/* ---- the loop ---- */

static void info_loop(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);

	monitor_printf(mon, "%-16s %12s %14s %10s %10s\n", "source", "callbacks", "total us",
		       "mean ns", "max us");
	list_for_each(it, loop_stats_list(m->loop)) {
		const struct loop_stats *r = list_entry(it, struct loop_stats, node);

		monitor_printf(mon,
			       "%-16s %12" PRIu64 " %14" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
			       r->name, r->callbacks, r->total_ns / 1000,
			       r->callbacks ? r->total_ns / r->callbacks : 0, r->max_ns / 1000);
	}
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		/* Written by the vCPU as we read: each is a figure, not a promise. */
		const struct vcpu_stats *s = &m->vcpus[i]->stats;

		monitor_printf(mon,
			       "vcpu%u: %" PRIu64 " traps (%" PRIu64
			       " answered while spinning, %" PRIu64 " woke the loop), %" PRIu64
			       " posted, %" PRIu64 " doorbells, %" PRIu64 " sleeps\n",
			       i, s->traps, s->spins_won, s->loop_wakes, s->posted, s->doorbells,
			       s->sleeps);
	}
}

/* ---- devices ---- */

static void print_prop(struct monitor *mon, struct device *dev, const struct device_prop *p)
{
	const void *field = (const char *)dev + p->offset;

	monitor_printf(mon, "    %s = ", p->name);
	switch (p->type) {
	case PROP_BOOL:
		monitor_printf(mon, "%s\n", *(const bool *)field ? "true" : "false");
		break;
	case PROP_U8:
		monitor_printf(mon, "%u (0x%x)\n", *(const uint8_t *)field,
			       *(const uint8_t *)field);
		break;
	case PROP_U16:
		monitor_printf(mon, "%u (0x%x)\n", *(const uint16_t *)field,
			       *(const uint16_t *)field);
		break;
	case PROP_U32:
		monitor_printf(mon, "%u (0x%x)\n", *(const uint32_t *)field,
			       *(const uint32_t *)field);
		break;
	case PROP_U64:
	case PROP_SIZE:
		monitor_printf(mon, "%" PRIu64 " (0x%" PRIx64 ")\n", *(const uint64_t *)field,
			       *(const uint64_t *)field);
		break;
	case PROP_STRING:
		monitor_printf(mon, "\"%s\"\n", *(char *const *)field ? *(char *const *)field : "");
		break;
	case PROP_CHARDEV: {
		const struct chardev *chr = *(struct chardev *const *)field;

		monitor_printf(mon, "\"%s\"\n", chr && chardev_id(chr) ? chardev_id(chr) : "");
		break;
	}
	case PROP_DRIVE: {
		const struct block *b = *(struct block *const *)field;

		monitor_printf(mon, "\"%s\"\n", b ? block_id(b) : "");
		break;
	}
	case PROP_INT32:
		monitor_printf(mon, "%d (0x%x)\n", *(const int32_t *)field,
			       *(const uint32_t *)field);
		break;
	case PROP_PCI_ADDR: {
		int32_t devfn = *(const int32_t *)field;

		if (devfn < 0)
			monitor_printf(mon, "auto\n");
		else
			monitor_printf(mon, "%02x.%x\n", devfn >> 3, devfn & 7);
		break;
	}
	}
}

static void print_device(struct monitor *mon, struct device *dev)
{
	monitor_printf(mon, "  dev: %s, id \"%s\"\n", dev->type->name, dev->id ? dev->id : "");
	for (const struct device_prop *p = dev->type->props; p && p->name; p++)
		print_prop(mon, dev, p);
	if (dev->guest_error_count)
		monitor_printf(mon, "    guest errors: %u\n", dev->guest_error_count);
	if (dev->broken)
		monitor_printf(mon, "    needs a reset: %s\n", dev->broken);
}

static void info_qtree(struct monitor *mon, json_t *args)
{
	static const struct {
		enum bus_type type;
		const char *name;
	} buses[] = {{BUS_SYSTEM, "main-system-bus"},
		     {BUS_PCI, "pci.0"},
		     {BUS_ISA, "isa.0"},
		     {BUS_NONE, "no bus"}};
	struct machine *m = monitor_machine(mon);

	for (unsigned i = 0; i < ARRAY_SIZE(buses); i++) {
		bool any = false;

		list_for_each(it, &m->devices) {
			struct device *dev = list_entry(it, struct device, node);

			if (dev->type->bus != buses[i].type)
				continue;
			if (!any)
				monitor_printf(mon, "bus: %s\n", buses[i].name);
			any = true;
			print_device(mon, dev);
		}
	}
}

/* ---- memory ---- */

static const char *kind_name(enum region_kind kind)
{
	switch (kind) {
	case REGION_RAM:
		return "ram";
	case REGION_ROM:
		return "rom";
	default:
		return "i/o";
	}
}

static void print_region(struct monitor *mon, const struct region *r, uint64_t base, unsigned depth)
{
	monitor_printf(mon, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s): ", 2 * depth, "", base,
		       base + (r->size ? r->size - 1 : 0), r->priority, kind_name(r->kind));
	if (r->kind == REGION_ALIAS)
		monitor_printf(mon, "alias %s @%s %016" PRIx64 "-%016" PRIx64, r->name,
			       r->alias->name, r->alias_offset, r->alias_offset + r->size - 1);
	else
		monitor_printf(mon, "%s", r->name);
	monitor_printf(mon, "%s\n", r->enabled ? "" : " [disabled]");
	list_for_each(it, &r->children) {
		const struct region *child = list_entry(it, struct region, node);

		print_region(mon, child, base + child->offset, depth + 1);
	}
}

static void print_view(struct monitor *mon, const struct address_space *as)
{
	const struct mem_view *view = as_view_mt(as);

	for (unsigned i = 0; i < view->n; i++) {
		const struct view_range *r = &view->ranges[i];

		monitor_printf(mon, "  %016" PRIx64 "-%016" PRIx64 " (%s): %s @%016" PRIx64 "\n",
			       r->start, r->last, kind_name(r->kind), r->region->name,
			       r->region_offset);
	}
}

static void info_mtree(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);
	struct address_space *const spaces[] = {&m->mem, &m->io};

	for (unsigned i = 0; i < ARRAY_SIZE(spaces); i++) {
		if (json_object_get(args, "flat")) {
			monitor_printf(mon, "FlatView: %s\n", spaces[i]->name);
			print_view(mon, spaces[i]);
		} else {
			monitor_printf(mon, "address-space: %s\n", spaces[i]->name);
			print_region(mon, &spaces[i]->root, 0, 1);
		}
		monitor_printf(mon, "\n");
	}
}

static const struct hmp_command info[] = {
	{"cpus", NULL, NULL, "show infos for each CPU", .fn = info_cpus, .parked = true},
	{"loop", NULL, NULL, "show what the event loop spends its time on", .fn = info_loop},
	{"mtree", "flat:-f", "[-f]", "show memory tree (-f: dump flat view for address spaces)",
	 .fn = info_mtree},
	{"qtree", NULL, NULL, "show device tree", .fn = info_qtree},
	{"registers", "all:-a", "[-a]", "show the cpu registers (-a: all)", .fn = info_registers,
	 .parked = true},
	{.name = NULL},
};

const struct command_group commands_info = {.info = info};
