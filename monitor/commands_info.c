/* SPDX-License-Identifier: BSD-2-Clause */
/* `info ...`: what the machine, its devices and the loop are doing. */
#include <inttypes.h>
#include <stdlib.h>
#include "monitor/commands.h"

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
			       " posted, %" PRIu64 " doorbells, %" PRIu64 " by stream, %" PRIu64
			       " sleeps\n",
			       i, s->traps, s->spins_won, s->loop_wakes, s->posted, s->doorbells,
			       s->streamed, s->sleeps);
	}
}

/* ---- what the accelerator counts ---- */

static void info_jit(struct monitor *mon, json_t *args)
{
	struct machine *m = monitor_machine(mon);
	struct accel_stat stats[ACCEL_STATS_MAX];

	if (!m->accel->get_stats) {
		monitor_printf(mon, "The accelerator '%s' translates nothing\n", m->accel->name);
		return;
	}
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		unsigned n = m->accel->get_stats(m->vcpus[i], stats);

		monitor_printf(mon, "CPU #%u:\n", i);
		for (unsigned k = 0; k < n; k++)
			monitor_printf(mon, "  %-26s %12" PRIu64 "\n", stats[k].name,
				       stats[k].value);
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
	{"jit", NULL, NULL, "show dynamic compiler info", .fn = info_jit, .parked = true},
	{"loop", NULL, NULL, "show what the event loop spends its time on", .fn = info_loop},
	{"mtree", "flat:-f", "[-f]", "show memory tree (-f: dump flat view for address spaces)",
	 .fn = info_mtree},
	{.name = NULL},
};

const struct command_group commands_info = {.info = info};
