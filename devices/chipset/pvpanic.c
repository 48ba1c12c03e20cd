/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvpanic: a guest tells its host that it has panicked. The ISA card.
 *
 * QEMU, docs/specs/pvpanic.
 *
 *	offset	name	width	access	reset	section
 *	00	EVENTS	8	RW	-	read: the events that the host knows; write: 0 panicked, 1 crash kernel loaded
 *
 * Its port is the property "ioport"; guests find it in the DSDT (QEMU0001), firmware in fw_cfg's etc/pvpanic-port.
 *
 * Not modelled: nothing.
 * Deviates because: nothing.
 */
#include "devices/chipset/fw_cfg.h"
#include "devices/chipset/pvpanic.h"
#include "devices/isa.h"

#define PVPANIC_PORT	  0x505
#define PVPANIC_PORT_FILE "etc/pvpanic-port"

static uint64_t pvpanic_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pvpanic *p = opaque;

	return offset ? 0 : p->events;
}

static void pvpanic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pvpanic *p = opaque;

	if (offset)
		return;
	if (value & ~(uint64_t)PVPANIC_EVENTS)
		guest_error(p->dev, "events 0x%02x are not known", (unsigned)value);
	if (value & PVPANIC_PANICKED)
		machine_guest_panicked(p->dev->machine);
	else if (value & PVPANIC_CRASHLOADED)
		machine_guest_crashloaded(p->dev->machine);
}

static const struct region_ops pvpanic_ops = {
	.read = pvpanic_read, .write = pvpanic_write, .min_size = 1, .max_size = 1};

void pvpanic_init(struct pvpanic *p, struct device *dev, unsigned bytes)
{
	p->dev = dev;
	region_init_io(&p->region, "pvpanic", &pvpanic_ops, p, bytes);
}

/* ---- the ISA card ---- */

struct pvpanic_isa {
	struct device dev;
	struct pvpanic panic;

	/* configuration */
	uint16_t port;
};

static const struct device_prop pvpanic_isa_props[] = {
	DEFINE_PROP(pvpanic_isa, port, "ioport", PROP_U16, PVPANIC_PORT, "its port"),
	PVPANIC_PROP_EVENTS(pvpanic_isa),
	DEFINE_PROP_END,
};

static bool pvpanic_isa_realize(struct device *dev, struct error *err)
{
	struct pvpanic_isa *s = container_of(dev, struct pvpanic_isa, dev);
	struct machine *m = dev->machine;
	uint8_t port[2];

	if (m->pvpanic_port)
		return error_set(err, "pvpanic: at most one is permitted");
	stn_le(port, 2, s->port);
	pvpanic_init(&s->panic, dev, 1);
	if (!isa_add_ports(dev, &s->panic.region, s->port, err))
		return false;
	if (m->fw_cfg && !fw_cfg_add_file(m->fw_cfg, PVPANIC_PORT_FILE, port, sizeof(port), err)) {
		region_remove(&s->panic.region);
		return false;
	}
	m->pvpanic_port = s->port;
	return true;
}

static void pvpanic_isa_unrealize(struct device *dev)
{
	region_remove(&container_of(dev, struct pvpanic_isa, dev)->panic.region);
	dev->machine->pvpanic_port = 0;
}

const struct device_type pvpanic_isa_type = {
	.name = "pvpanic",
	.desc = "tells the host of the guest's panic",
	.bus = BUS_ISA,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct pvpanic_isa),
	.props = pvpanic_isa_props,
	.realize = pvpanic_isa_realize,
	.unrealize = pvpanic_isa_unrealize,
};
