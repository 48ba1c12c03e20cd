/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt controllers: `info pic`, `info irq`, `info lapic`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/commands.h"

/* What FN, with struct device_type's signature, writes about DEV. */
static void print_part(struct monitor *mon, const struct device *dev,
		       void (*fn)(const struct device *dev, FILE *out))
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		abort();
	fn(dev, out);
	if (fclose(out))
		abort();
	monitor_printf(mon, "%s", text);
	free(text);
}

static void info_pic(struct monitor *mon, json_t *args)
{
	list_for_each(it, &monitor_machine(mon)->devices) {
		const struct device *dev = list_entry(it, struct device, node);

		if (dev->type->print_pic)
			print_part(mon, dev, dev->type->print_pic);
	}
}

static void info_irq(struct monitor *mon, json_t *args)
{
	list_for_each(it, &monitor_machine(mon)->devices) {
		const struct device *dev = list_entry(it, struct device, node);
		const uint64_t *counts;
		unsigned n;

		if (!dev->type->irq_counts)
			continue;
		monitor_printf(mon, "IRQ statistics for %s:\n", dev->type->name);
		counts = dev->type->irq_counts(dev, &n);
		for (unsigned i = 0; i < n; i++)
			if (counts[i])
				monitor_printf(mon, "%2u: %" PRIu64 "\n", i, counts[i]);
	}
}

/* ---- the local APIC (SDM 3A, table 11-1) ---- */

enum lapic_register {
	LAPIC_ID = 0x20,
	LAPIC_VERSION = 0x30,
	LAPIC_TPR = 0x80,
	LAPIC_PPR = 0xa0,
	LAPIC_LDR = 0xd0,
	LAPIC_DFR = 0xe0,
	LAPIC_SVR = 0xf0,
	LAPIC_ISR = 0x100,
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_ICR = 0x300,
	LAPIC_ICR2 = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_PERF = 0x340,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};

static uint32_t lapic_get(const struct x86_lapic *l, unsigned offset)
{
	return (uint32_t)ldn_le(&l->regs[offset], 4);
}

static void print_lvt(struct monitor *mon, const struct x86_lapic *l, const char *name,
		      unsigned offset)
{
	static const char *const modes[] = {"Fixed", "?", "SMI", "?", "NMI", "INIT", "?", "ExtINT"};
	static const char *const timer_modes[] = {"one-shot", "periodic", "tsc-deadline", "?"};
	uint32_t v = lapic_get(l, offset);

	monitor_printf(mon, "%-8s 0x%08x %s %-5s%s", name, v,
		       v & 0x2000 ? "active-lo" : "active-hi", v & 0x8000 ? "level" : "edge",
		       v & 0x10000 ? " masked" : "");
	if (offset == LAPIC_LVT_TIMER)
		monitor_printf(mon, " %s", timer_modes[v >> 17 & 3]);
	else
		monitor_printf(mon, " %s", modes[v >> 8 & 7]);
	monitor_printf(mon, " (vec %u)\n", v & 0xff);
}

static void print_vectors(struct monitor *mon, const struct x86_lapic *l, const char *name,
			  unsigned offset)
{
	bool any = false;

	monitor_printf(mon, "%s\t ", name);
	for (unsigned i = 0; i < 256; i++) {
		if (!(lapic_get(l, offset + i / 32 * 16) & BIT(i % 32)))
			continue;
		any = true;
		monitor_printf(mon, "%u%s ", i,
			       lapic_get(l, LAPIC_TMR + i / 32 * 16) & BIT(i % 32) ? "(level)"
										   : "");
	}
	monitor_printf(mon, any ? "\n" : "(none)\n");
}

static void print_lapic(struct monitor *mon, const struct x86_lapic *l, uint32_t id)
{
	uint32_t svr = lapic_get(l, LAPIC_SVR);

	monitor_printf(mon, "dumping local APIC state for CPU %u\n\n", id);
	print_lvt(mon, l, "LVT0", LAPIC_LVT_LINT0);
	print_lvt(mon, l, "LVT1", LAPIC_LVT_LINT1);
	print_lvt(mon, l, "LVTPC", LAPIC_LVT_PERF);
	print_lvt(mon, l, "LVTERR", LAPIC_LVT_ERROR);
	print_lvt(mon, l, "LVTTHMR", LAPIC_LVT_THERMAL);
	print_lvt(mon, l, "LVTT", LAPIC_LVT_TIMER);
	monitor_printf(mon, "Timer\t DCR=0x%x initial_count=%u current_count=%u\n",
		       lapic_get(l, LAPIC_TIMER_DIVIDE), lapic_get(l, LAPIC_TIMER_INITIAL),
		       lapic_get(l, LAPIC_TIMER_CURRENT));
	monitor_printf(mon, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", svr,
		       svr & 0x100 ? "enabled" : "disabled", svr & 0x200 ? "on" : "off",
		       svr & 0xff);
	monitor_printf(mon, "ICR\t 0x%08x ICR2 0x%08x\n", lapic_get(l, LAPIC_ICR),
		       lapic_get(l, LAPIC_ICR2));
	monitor_printf(mon, "ESR\t 0x%08x\n", lapic_get(l, LAPIC_ESR));
	print_vectors(mon, l, "ISR", LAPIC_ISR);
	print_vectors(mon, l, "IRR", LAPIC_IRR);
	monitor_printf(mon, "\nAPR 0x00 TPR 0x%02x DFR 0x%x LDR 0x%x PPR 0x%02x\n",
		       lapic_get(l, LAPIC_TPR), lapic_get(l, LAPIC_DFR) >> 28,
		       lapic_get(l, LAPIC_LDR) >> 24, lapic_get(l, LAPIC_PPR));
}

static void info_lapic(struct monitor *mon, json_t *args)
{
	json_t *id = json_object_get(args, "apic-id");
	struct machine *m = monitor_machine(mon);
	struct vcpu *v = id ? NULL : monitor_vcpu(mon);
	struct x86_lapic lapic;

	for (unsigned i = 0; id && i < m->n_vcpus; i++)
		if (m->vcpus[i]->apic_id == json_integer_value(id))
			v = m->vcpus[i];
	if (!v || !m->accel->get_lapic) {
		monitor_printf(mon, "No local APIC\n");
		return;
	}
	memset(&lapic, 0, sizeof(lapic));
	m->accel->get_lapic(v, &lapic);
	print_lapic(mon, &lapic, v->apic_id);
}

static const struct hmp_command info[] = {
	{"irq", NULL, NULL, "show the interrupts statistics (if available)", .fn = info_irq},
	{"lapic", "apic-id:i?", "[apic-id]", "show local apic state (apic-id: local apic to read)",
	 .fn = info_lapic, .parked = true},
	{"pic", NULL, NULL, "show PIC state", .fn = info_pic, .parked = true},
	{.name = NULL},
};

const struct command_group commands_irq = {.info = info};
