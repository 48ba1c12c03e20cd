/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugging and unplugging devices while the guest runs. */
#include <jansson.h>
#include <stdlib.h>
#include "src/bus.h"
#include "src/drive.h"
#include "src/events.h"
#include "src/hotplug.h"
#include "src/machine.h"
#include "src/options/optlist.h"

#define BUSY_POLL_NS NS_PER_MS

struct unplug {
	struct list node; /* machine->unplugs */
	struct device *dev;
	struct machine_inspect inspect;
	struct timer timer; /* while the device is busy */
};

bool device_is_hotpluggable(const struct device_type *type)
{
	return type->user_creatable && !type->cold_only &&
	       (type->bus == BUS_PCI || type->bus == BUS_SCSI || type->bus == BUS_VIRTIO_SERIAL ||
		type->bus == BUS_NONE);
}

static const char *bus_name(enum bus_type bus)
{
	return bus == BUS_ISA ? "isa.0" : bus == BUS_PCI ? "pci.0" : "main-system-bus";
}

static bool refuse(const struct device_type *type, struct error *err)
{
	if (type->cold_only)
		return error_set(err, "Device '%s' does not support hotplugging", type->name);
	return error_set(err, "Bus '%s' does not support hotplugging", bus_name(type->bus));
}

/* What hangs on its buses goes with it. */
static bool is_busy(struct device *dev)
{
	if (dev->type->busy && dev->type->busy(dev))
		return true;
	list_for_each(it, &dev->machine->devices) {
		struct device *d = list_entry(it, struct device, node);

		if (d->parent_bus && d->parent_bus->owner == dev && is_busy(d))
			return true;
	}
	return false;
}

struct device *device_plug(struct machine *m, struct optlist *l, struct error *err)
{
	const char *driver = optlist_get(l, "driver");
	const struct device_type *type = driver ? device_type_find(driver) : NULL;
	struct device *dev;

	LOOP_ASSERT();
	if (type && type->user_creatable && !device_is_hotpluggable(type)) {
		refuse(type, err);
		return NULL;
	}
	m->plugging = true;
	dev = device_create_from_list(m, l, err);
	m->plugging = false;
	if (!dev)
		return NULL;
	device_reset(dev);
	if (m->device_plugged && dev->type->bus == BUS_PCI)
		m->device_plugged(m->hotplug_opaque, dev);
	return dev;
}

static void unplug_free(struct unplug *u)
{
	machine_inspect_cancel(&u->inspect);
	timer_cancel(&u->timer);
	list_remove(&u->node);
	free(u);
}

/* The vCPUs are parked, and will take the memory view without the device when they go on. */
static void remove_device(void *opaque)
{
	struct unplug *u = opaque;
	struct device *dev = u->dev;
	struct machine *m = dev->machine;
	char *path;
	json_t *data;

	if (is_busy(dev)) {
		timer_arm(&u->timer, clock_now_ns(u->timer.clock) + BUSY_POLL_NS);
		return;
	}
	path = device_path(dev);
	data = json_pack("{ss}", "path", path);
	free(path);
	if (dev->id)
		json_object_set_new(data, "device", json_string(dev->id));
	unplug_free(u);
	drives_leave_with(m, dev);
	device_unrealize(dev);
	qmp_event_emit(m, "DEVICE_DELETED", data);
}

static void try_again(void *opaque)
{
	struct unplug *u = opaque;

	machine_inspect(u->dev->machine, &u->inspect, remove_device, u);
}

void device_unplug(struct device *dev)
{
	struct machine *m = dev->machine;
	struct unplug *u;

	LOOP_ASSERT();
	if (dev->unplugging)
		return;
	dev->unplugging = true;
	u = xzalloc(sizeof(*u));
	u->dev = dev;
	list_init(&u->inspect.node);
	list_push_back(&m->unplugs, &u->node);
	timer_init(&u->timer, loop_clock_host(m->loop), "unplug", try_again, u);
	timer_arm(&u->timer, 0); /* the next turn: nobody is inside the device then */
}

bool device_unplug_request(struct device *dev, struct error *err)
{
	struct machine *m = dev->machine;

	LOOP_ASSERT();
	if (!dev->by_user || !device_is_hotpluggable(dev->type))
		return refuse(dev->type, err);
	if (dev->unplugging)
		return error_set(err, "Device %s is already in the process of unplug",
				 dev->id ? dev->id : dev->type->name);
	if (m->device_unplug && dev->type->bus == BUS_PCI)
		return m->device_unplug(m->hotplug_opaque, dev, err);
	device_unplug(dev);
	return true;
}

void hotplug_fini(struct machine *m)
{
	list_for_each_safe(it, &m->unplugs)
		unplug_free(list_entry(it, struct unplug, node));
}
