/* SPDX-License-Identifier: BSD-2-Clause */
/* Buses by name. */
#include <stdlib.h>
#include "src/bus.h"
#include "src/machine.h"

static const char *const type_names[] = {
	[BUS_SYSTEM] = "System",
	[BUS_ISA] = "ISA",
	[BUS_PCI] = "PCI",
	[BUS_IDE] = "IDE",
	[BUS_FLOPPY] = "floppy-bus",
	[BUS_VIRTIO] = "virtio-bus",
	[BUS_VIRTIO_SERIAL] = "virtio-serial-bus",
	[BUS_SCSI] = "SCSI",
	[BUS_NONE] = NULL,
};

const char *bus_type_name(enum bus_type type)
{
	return type_names[type];
}

static struct bus *by_name(struct machine *m, const char *name)
{
	list_for_each(it, &m->buses) {
		struct bus *bus = list_entry(it, struct bus, node);

		if (!strcmp(bus->name, name))
			return bus;
	}
	return NULL;
}

static char *new_name(struct device *owner, const char *prefix)
{
	const char *begin = owner->id ? owner->id : prefix;

	for (unsigned n = 0;; n++) {
		char *name = xasprintf("%s.%u", begin, n);

		if (!by_name(owner->machine, name))
			return name;
		free(name);
	}
}

void bus_init(struct bus *bus, struct device *owner, enum bus_type type, const char *prefix)
{
	bus->type = type;
	bus->owner = owner;
	bus->name = new_name(owner, prefix);
	list_init(&bus->node);
	list_push_back(&owner->machine->buses, &bus->node);
}

void bus_fini(struct bus *bus)
{
	if (!bus->name)
		return;
	list_remove(&bus->node);
	free(bus->name);
	bus->name = NULL;
}

struct bus *bus_next(struct machine *m, enum bus_type type, struct bus *prev)
{
	bool seen = !prev;

	list_for_each(it, &m->buses) {
		struct bus *bus = list_entry(it, struct bus, node);

		if (seen && bus->type == type)
			return bus;
		seen |= bus == prev;
	}
	return NULL;
}

struct bus *bus_find(struct machine *m, enum bus_type type, const char *name, const char *who,
		     struct error *err)
{
	struct bus *bus = name ? by_name(m, name) : bus_next(m, type, NULL);

	if (!bus && name)
		error_set(err, "bus=%s: there is no such bus", name);
	else if (!bus)
		error_set(err, "No '%s' bus found for device '%s'", type_names[type], who);
	else if (bus->type != type)
		error_set(err, "bus=%s is a %s bus, not a %s bus", name, type_names[bus->type],
			  type_names[type]);
	else
		return bus;
	return NULL;
}
