/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware does for PCI, where none runs: bus numbers, addresses for the BARs and the bridges' windows, interrupt
 * lines. Everything goes through configuration writes, as a guest's would.
 */
#include "devices/pci/pci.h"

#define MEM_BEGIN  0xc0000000ull /* at the lowest, and behind RAM */
#define MEM_END	   0xfec00000ull /* IOAPIC */
#define IO_BEGIN   0xc000
#define IO_END	   0x10000
#define HIGH_ALIGN (1 * GiB)
#define WINDOW_MEM_BYTES \
	(1 * MiB) /* bridges decode in steps of this (bridge specification 3.2.5) */
#define WINDOW_IO_BYTES 4096

struct assign {
	struct pci_bus *root;
	uint64_t mem, high, io; /* the first free address of each kind */
	unsigned buses;		/* numbers given out */
};

static void put(struct assign *a, struct pci_device *pci, unsigned offset, unsigned size,
		uint32_t value)
{
	pci_config_write(a->root, pci_bus_number(pci->bus), (unsigned)pci->addr, offset, value,
			 size);
}

/* SIZE bytes from *CURSOR on, aligned to their size; UINT64_MAX when they don't fit below END. */
static uint64_t take(uint64_t *cursor, uint64_t size, uint64_t end)
{
	uint64_t at = ALIGN_UP(*cursor, size);

	if (at >= end || size > end - at)
		return UINT64_MAX;
	*cursor = at + size;
	return at;
}

static void assign_bar(struct assign *a, struct pci_device *pci, unsigned n)
{
	const struct pci_bar *bar = &pci->bars[n];
	uint64_t size = bar->region->size, at;

	if (bar->flags & PCI_BAR_IO)
		at = take(&a->io, size, IO_END);
	else
		at = take(&a->mem, size, MEM_END);
	if (at == UINT64_MAX && (bar->flags & PCI_BAR_64))
		at = take(&a->high, size, UINT64_MAX);
	if (at == UINT64_MAX)
		return;
	put(a, pci, PCI_BAR0 + 4 * n, 4, (uint32_t)at);
	if (bar->flags & PCI_BAR_64)
		put(a, pci, PCI_BAR0 + 4 * n + 4, 4, at >> 32);
}

static void assign_line(struct assign *a, struct pci_device *pci)
{
	const struct pci_device *at = pci;
	const struct pci_bus *bus = pci->bus;
	unsigned pin = pci->config[PCI_INTERRUPT_PIN];

	if (!pin || pin > 4 || !a->root->pirq)
		return;
	pin--;
	for (; bus->bridge; at = bus->bridge, bus = bus->parent)
		pin = (pin + PCI_SLOT(at->addr)) % 4;
	put(a, pci, PCI_INTERRUPT_LINE, 1,
	    a->root->pirq->line(a->root->pirq_opaque, a->root->pirq->map(PCI_SLOT(at->addr), pin)));
}

static void assign_bus(struct assign *a, struct pci_bus *bus);

static struct pci_bus *bus_behind(struct pci_device *bridge)
{
	list_for_each(it, &bridge->bus->children) {
		struct pci_bus *bus = list_entry(it, struct pci_bus, node);

		if (bus->bridge == bridge)
			return bus;
	}
	return NULL;
}

/* The windows are what the bus behind took, in whole steps; an empty one has its limit below its base. */
static void assign_bridge(struct assign *a, struct pci_device *bridge, struct pci_bus *behind)
{
	uint64_t mem = ALIGN_UP(a->mem, WINDOW_MEM_BYTES), io = ALIGN_UP(a->io, WINDOW_IO_BYTES);
	uint64_t mem_last, io_last;

	put(a, bridge, PCI_PRIMARY_BUS, 1, pci_bus_number(bridge->bus));
	put(a, bridge, PCI_SECONDARY_BUS, 1, ++a->buses);
	put(a, bridge, PCI_SUBORDINATE_BUS, 1, 0xff);
	a->mem = mem;
	a->io = io;
	assign_bus(a, behind);
	a->mem = ALIGN_UP(a->mem, WINDOW_MEM_BYTES);
	a->io = ALIGN_UP(a->io, WINDOW_IO_BYTES);
	mem_last = a->mem - 1;
	io_last = a->io - 1;
	put(a, bridge, PCI_SUBORDINATE_BUS, 1, a->buses);
	put(a, bridge, PCI_MEMORY_BASE, 4,
	    (uint32_t)(mem >> 16 & 0xfff0) | (uint32_t)(mem_last & 0xfff00000));
	put(a, bridge, PCI_PREF_BASE, 4, 0x0000fff0);
	put(a, bridge, PCI_IO_BASE, 2, (uint32_t)(io >> 8 & 0xf0) | (uint32_t)(io_last & 0xf000));
	put(a, bridge, PCI_COMMAND, 2,
	    pci_get(bridge, PCI_COMMAND, 2) | PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
		    PCI_COMMAND_MASTER);
}

static void assign_function(struct assign *a, struct pci_device *pci)
{
	struct pci_bus *behind = bus_behind(pci);
	uint16_t decode = 0;

	for (unsigned n = 0; n < PCI_BARS; n++) {
		if (!pci->bars[n].region)
			continue;
		assign_bar(a, pci, n);
		decode |= pci->bars[n].flags & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	}
	assign_line(a, pci);
	if (decode)
		put(a, pci, PCI_COMMAND, 2, pci_get(pci, PCI_COMMAND, 2) | decode);
	if (behind)
		assign_bridge(a, pci, behind);
}

static void assign_bus(struct assign *a, struct pci_bus *bus)
{
	for (unsigned devfn = 0; devfn < PCI_FUNCTIONS; devfn++)
		if (bus->devices[devfn])
			assign_function(a, bus->devices[devfn]);
}

void pci_assign_resources(struct machine *m)
{
	struct assign a = {.root = m->pci, .io = IO_BEGIN};

	if (!m->pci)
		return;
	a.mem = MAX(MEM_BEGIN, m->ram.below_4g);
	a.high = ALIGN_UP(4 * GiB + m->ram.above_4g, HIGH_ALIGN);
	as_begin(&m->mem);
	as_begin(&m->io);
	if (m->pci->pirq)
		m->pci->pirq->route(m->pci->pirq_opaque);
	assign_bus(&a, m->pci);
	as_commit(&m->io);
	as_commit(&m->mem);
}
