/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI buses: the root, and those behind bridges. */
#include "devices/pci/pci.h"

/* RAM and the board's own parts hide what a function decodes. */
#define PCI_SPACE_PRIORITY -1
#define IO_SPACE_BYTES	   0x10000

static void bus_init(struct pci_bus *bus, struct machine *m, const char *name, bool express)
{
	bus->name = name;
	bus->machine = m;
	bus->express = express;
	bus->slots = PCI_SLOTS;
	list_init(&bus->children);
	list_init(&bus->node);
	region_init_container(&bus->mem, name, UINT64_MAX);
	region_init_container(&bus->io, name, IO_SPACE_BYTES);
}

void pci_root_bus_init(struct pci_bus *bus, struct machine *m, const char *name, bool express)
{
	bus_init(bus, m, name, express);
	region_add(&m->mem.root, 0, &bus->mem, PCI_SPACE_PRIORITY);
	region_add(&m->io.root, 0, &bus->io, PCI_SPACE_PRIORITY);
	m->pci = bus;
}

void pci_root_bus_fini(struct pci_bus *bus)
{
	region_remove(&bus->mem);
	region_remove(&bus->io);
	bus->machine->pci = NULL;
}

void pci_secondary_bus_init(struct pci_bus *bus, struct pci_device *bridge, const char *name,
			    bool express)
{
	bus_init(bus, bridge->dev.machine, name, express);
	bus->parent = bridge->bus;
	bus->bridge = bridge;
	list_push_back(&bus->parent->children, &bus->node);
}

void pci_secondary_bus_fini(struct pci_bus *bus)
{
	list_remove(&bus->node);
}

static struct pci_bus *find_below(struct pci_bus *bus, const char *name)
{
	if (!strcmp(bus->name, name))
		return bus;
	list_for_each(it, &bus->children) {
		struct pci_bus *found = find_below(list_entry(it, struct pci_bus, node), name);

		if (found)
			return found;
	}
	return NULL;
}

struct pci_bus *pci_bus_find(struct machine *m, const char *name)
{
	if (!m->pci || !name || !*name)
		return m->pci;
	return find_below(m->pci, name);
}

unsigned pci_bus_number(const struct pci_bus *bus)
{
	return bus->bridge ? bus->bridge->config[PCI_SECONDARY_BUS] : 0;
}
