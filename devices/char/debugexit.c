/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug exit: writing V to the port ends the machine, and evmm exits with status (V << 1) | 1.
 * Kernel tests report with it.
 *
 * As in QEMU (docs/specs and the users' convention): never 0, so that a test cannot be taken for an
 * ordinary end.
 *
 *	offset	name	access	reset	section
 *	0	EXIT	RW	00	as wide as the property "iosize"; reads as 0
 *
 * Not modelled: nothing.
 * Deviates because: nothing.
 */
#include "devices/char/serial.h"
#include "devices/isa.h"

#define DEBUGEXIT_PORT	0x501
#define DEBUGEXIT_BYTES 2
#define DEBUGEXIT_MAX	4

struct debugexit {
	struct device dev;

	/* configuration */
	struct region port;
	uint32_t iobase, iosize;
};

static uint64_t debugexit_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void debugexit_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct debugexit *s = opaque;

	machine_request_shutdown(s->dev.machine, SHUTDOWN_DEBUG_EXIT,
				 (int)((uint32_t)value << 1 | 1));
}

static const struct region_ops debugexit_ops = {
	.read = debugexit_read, .write = debugexit_write, .min_size = 1, .max_size = 4};

static const struct device_prop debugexit_props[] = {
	DEFINE_PROP(debugexit, iobase, "iobase", PROP_U32, DEBUGEXIT_PORT, "first port"),
	DEFINE_PROP(debugexit, iosize, "iosize", PROP_U32, DEBUGEXIT_BYTES,
		    "number of ports, 1 to 4"),
	DEFINE_PROP_END,
};

static bool debugexit_realize(struct device *dev, struct error *err)
{
	struct debugexit *s = container_of(dev, struct debugexit, dev);

	if (!s->iosize || s->iosize > DEBUGEXIT_MAX)
		return error_set(err, "isa-debug-exit: iosize=%u is not 1 to %u", s->iosize,
				 DEBUGEXIT_MAX);
	region_init_io(&s->port, "debug-exit", &debugexit_ops, s, s->iosize);
	return isa_add_ports(dev, &s->port, s->iobase, err);
}

static void debugexit_unrealize(struct device *dev)
{
	region_remove(&container_of(dev, struct debugexit, dev)->port);
}

const struct device_type debugexit_type = {
	.name = "isa-debug-exit",
	.desc = "ends the machine with an exit status",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct debugexit),
	.props = debugexit_props,
	.realize = debugexit_realize,
	.unrealize = debugexit_unrealize,
};
