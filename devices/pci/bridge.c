/* SPDX-License-Identifier: BSD-2-Clause */
/* What bridges and PCI Express ports share: the type 1 header and its windows (PCI-to-PCI Bridge Architecture 1.2, chapter 3). */
#include "devices/pci/pci.h"

#define IO_32_BIT     0x01 /* in I/O base and limit: 3.2.5.6; not offered, ports end at 64 Ki */
#define IO_MASK	      0xf0
#define MEM_MASK      0xfff0
#define PREF_64_BIT   0x0001 /* 3.2.5.9 */
#define CONTROL_WMASK 0x005f /* parity, SERR, ISA, VGA, VGA 16 bit, secondary bus reset */
#define CONTROL_RESET 0x0040

static const struct pci_register bridge_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits */
	{"Command", PCI_COMMAND, 2, 0x0000, 0x0147, 0},
	{"Status", PCI_STATUS, 2, 0x0000, 0, 0xf900},
	{"Cache Line Size", PCI_CACHE_LINE, 1, 0, 0xff, 0},
	{"Header Type", PCI_HEADER_TYPE, 1, PCI_HEADER_BRIDGE, 0, 0},
	{"Primary Bus", PCI_PRIMARY_BUS, 1, 0, 0xff, 0},
	{"Secondary Bus", PCI_SECONDARY_BUS, 1, 0, 0xff, 0},
	{"Subordinate Bus", PCI_SUBORDINATE_BUS, 1, 0, 0xff, 0},
	{"Secondary Latency Timer", 0x1b, 1, 0, 0xf8, 0},
	{"I/O Base", PCI_IO_BASE, 1, 0, IO_MASK, 0},
	{"I/O Limit", PCI_IO_LIMIT, 1, 0, IO_MASK, 0},
	{"Secondary Status", PCI_SEC_STATUS, 2, 0, 0, 0xf900},
	{"Memory Base", PCI_MEMORY_BASE, 2, 0, MEM_MASK, 0},
	{"Memory Limit", PCI_MEMORY_LIMIT, 2, 0, MEM_MASK, 0},
	{"Prefetchable Base", PCI_PREF_BASE, 2, PREF_64_BIT, MEM_MASK, 0},
	{"Prefetchable Limit", PCI_PREF_LIMIT, 2, PREF_64_BIT, MEM_MASK, 0},
	{"Prefetchable Base Upper", PCI_PREF_BASE_UPPER, 4, 0, UINT32_MAX, 0},
	{"Prefetchable Limit Upper", PCI_PREF_LIMIT_UPPER, 4, 0, UINT32_MAX, 0},
	{"Interrupt Line", PCI_INTERRUPT_LINE, 1, 0, 0xff, 0},
	{"Bridge Control", PCI_BRIDGE_CONTROL, 2, 0, CONTROL_WMASK, 0},
	{.name = NULL},
};

/* WINDOW shows [BASE, LAST] of what is decoded behind, at the same addresses; nothing when LAST is below BASE. */
static void show(struct region *window, bool *shown, const char *name, struct region *behind,
		 struct region *primary, uint64_t base, uint64_t last, bool enabled)
{
	if (*shown)
		region_remove(window);
	*shown = enabled && base <= last;
	if (!*shown)
		return;
	region_init_alias(window, name, behind, base, last - base + 1);
	region_add(primary, base, window, 0);
}

static void show_windows(struct pci_bridge *b)
{
	const struct pci_device *pci = &b->pci;
	uint64_t pref = (uint64_t)pci_get(pci, PCI_PREF_BASE_UPPER, 4) << 32 |
			(pci_get(pci, PCI_PREF_BASE, 2) & MEM_MASK) << 16;
	uint64_t pref_last = (uint64_t)pci_get(pci, PCI_PREF_LIMIT_UPPER, 4) << 32 |
			     (pci_get(pci, PCI_PREF_LIMIT, 2) & MEM_MASK) << 16 | 0xfffff;
	bool mem = pci->config[PCI_COMMAND] & PCI_COMMAND_MEMORY;

	show(&b->mem_window, &b->mem_shown, "bridge-memory", &b->bus.mem, &pci->bus->mem,
	     (pci_get(pci, PCI_MEMORY_BASE, 2) & MEM_MASK) << 16,
	     (pci_get(pci, PCI_MEMORY_LIMIT, 2) & MEM_MASK) << 16 | 0xfffff, mem);
	show(&b->pref_window, &b->pref_shown, "bridge-prefetchable", &b->bus.mem, &pci->bus->mem,
	     pref, pref_last, mem && pref_last != UINT64_MAX);
	show(&b->io_window, &b->io_shown, "bridge-io", &b->bus.io, &pci->bus->io,
	     (pci->config[PCI_IO_BASE] & IO_MASK) << 8,
	     (pci->config[PCI_IO_LIMIT] & IO_MASK) << 8 | 0xfff,
	     pci->config[PCI_COMMAND] & PCI_COMMAND_IO);
}

static void reset_behind(struct pci_bus *bus)
{
	for (unsigned devfn = 0; devfn < PCI_FUNCTIONS; devfn++)
		if (bus->devices[devfn])
			device_reset(&bus->devices[devfn]->dev);
	list_for_each(it, &bus->children)
		reset_behind(list_entry(it, struct pci_bus, node));
}

void pci_bridge_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct pci_bridge *b = container_of(pci, struct pci_bridge, pci);
	struct machine *m = pci->dev.machine;

	as_begin(&m->mem);
	as_begin(&m->io);
	show_windows(b);
	as_commit(&m->io);
	as_commit(&m->mem);
	if (bytes <= 4 && offset <= PCI_BRIDGE_CONTROL && PCI_BRIDGE_CONTROL < offset + bytes &&
	    (pci_get(pci, PCI_BRIDGE_CONTROL, 2) & CONTROL_RESET))
		reset_behind(&b->bus);
}

bool pci_bridge_init(struct pci_bridge *bridge, const struct pci_register *rows,
		     bool express_behind, struct error *err)
{
	struct pci_device *pci = &bridge->pci;

	if (!pci_device_init(pci, rows, err))
		return false;
	pci_add_registers(pci, 0, bridge_registers);
	if (pci->multifunction)
		pci->config[PCI_HEADER_TYPE] = pci->initial[PCI_HEADER_TYPE] |= PCI_HEADER_MULTI;
	if (pci->initial[PCI_INTERRUPT_PIN])
		pci->wmask[PCI_COMMAND + 1] |= PCI_COMMAND_INTX_OFF >> 8;
	pci->caps_end = 0x40;
	pci_secondary_bus_init(&bridge->bus, pci, pci->dev.id ? pci->dev.id : pci->dev.type->name,
			       express_behind);
	pci->config_changed = pci_bridge_config_changed;
	return true;
}

void pci_bridge_fini(struct pci_bridge *bridge)
{
	if (!bridge->pci.bus)
		return;
	for (unsigned devfn = 0; devfn < PCI_FUNCTIONS; devfn++)
		if (bridge->bus.devices[devfn])
			device_unrealize(&bridge->bus.devices[devfn]->dev);
	if (bridge->mem_shown)
		region_remove(&bridge->mem_window);
	if (bridge->pref_shown)
		region_remove(&bridge->pref_window);
	if (bridge->io_shown)
		region_remove(&bridge->io_window);
	pci_secondary_bus_fini(&bridge->bus);
	pci_device_fini(&bridge->pci);
}
