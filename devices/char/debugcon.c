/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug console: one port, each byte written to it goes to a character device. Firmware and small
 * kernels look for it at E9h, where it reads as E9h.
 *
 * As in Bochs (user manual, "port_e9_hack").
 *
 *	offset	name	access	reset	section
 *	0	DATA	RW	-	reads as the property "readback"
 *
 * Not modelled: waiting; what the back end cannot take is lost, as there is no way to tell the
 * guest.
 * Deviates because: nothing.
 */
#include "devices/char/serial.h"
#include "devices/isa.h"
#include "io/char/chardev.h"

#define DEBUGCON_PORT	  0xe9
#define DEBUGCON_READBACK 0xe9

struct debugcon {
	struct device dev;

	/* configuration */
	struct region port;
	struct chardev *chr;
	uint32_t iobase, readback;
};

static uint64_t debugcon_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct debugcon *s = opaque;

	return s->readback;
}

static void debugcon_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct debugcon *s = opaque;
	uint8_t c = value;

	chardev_write(s->chr, &c, 1);
}

static const struct region_ops debugcon_ops = {
	.read = debugcon_read, .write = debugcon_write, .min_size = 1, .max_size = 1};

static void debugcon_changed(void *opaque, struct chardev *chr);

static const struct chardev_handlers debugcon_handlers = {.changed = debugcon_changed};

static void debugcon_changed(void *opaque, struct chardev *chr)
{
	struct debugcon *s = opaque;

	s->chr = chr;
	chardev_attach(chr, &debugcon_handlers, s);
}

static const struct device_prop debugcon_props[] = {
	DEFINE_PROP(debugcon, iobase, "iobase", PROP_U32, DEBUGCON_PORT, "the port"),
	DEFINE_PROP(debugcon, chr, "chardev", PROP_CHARDEV, 0,
		    "character device that takes the output"),
	DEFINE_PROP(debugcon, readback, "readback", PROP_U32, DEBUGCON_READBACK,
		    "what the port reads as"),
	DEFINE_PROP_END,
};

static bool debugcon_realize(struct device *dev, struct error *err)
{
	struct debugcon *s = container_of(dev, struct debugcon, dev);

	if (!s->chr)
		return error_set(err, "isa-debugcon: chardev= is needed");
	region_init_io(&s->port, "debugcon", &debugcon_ops, s, 1);
	if (!isa_add_ports(dev, &s->port, s->iobase, err))
		return false;
	chardev_attach(s->chr, &debugcon_handlers, s);
	return true;
}

static void debugcon_unrealize(struct device *dev)
{
	struct debugcon *s = container_of(dev, struct debugcon, dev);

	chardev_attach(s->chr, NULL, NULL);
	region_remove(&s->port);
}

const struct device_type debugcon_type = {
	.name = "isa-debugcon",
	.desc = "debug console port",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct debugcon),
	.props = debugcon_props,
	.realize = debugcon_realize,
	.unrealize = debugcon_unrealize,
};
