/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port 92h: the fast ways to the A20 gate and to reset.
 *
 * 82371SB PIIX3 (290550-002) "Port 92 register".
 *
 *	port	name	access	reset	section
 *	92	P92	RW	02	290550 "Port 92": 0 FAST_INIT, 1 FAST_A20
 *
 * Not modelled: address line 20 is never held low; FAST_A20 keeps what is written.
 * Deviates because: FAST_A20 is set at reset, as firmware leaves it. FAST_INIT resets the machine,
 * not the processor alone.
 */
#include "devices/chipset/chipset.h"
#include "devices/isa.h"

#define P92_PORT      0x92
#define P92_FAST_INIT 0x01
#define P92_FAST_A20  0x02
#define P92_WRITABLE  (P92_FAST_INIT | P92_FAST_A20)

struct port92 {
	struct device dev;

	/* configuration */
	struct region port;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t p92;
	GUEST_VISIBLE_END;
};

static uint64_t port92_read(void *opaque, uint64_t offset, unsigned size)
{
	struct port92 *s = opaque;

	return s->p92;
}

/* FAST_INIT acts as it rises. */
static void port92_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct port92 *s = opaque;
	bool init = value & ~s->p92 & P92_FAST_INIT;

	s->p92 = value & P92_WRITABLE;
	if (init)
		machine_request_reset(s->dev.machine);
}

static const struct region_ops port92_ops = {
	.read = port92_read, .write = port92_write, .min_size = 1, .max_size = 1};

static void port92_reset(struct device *dev)
{
	container_of(dev, struct port92, dev)->p92 = P92_FAST_A20;
}

static bool port92_post_load(void *opaque, struct error *err)
{
	struct port92 *s = opaque;

	s->p92 &= P92_WRITABLE;
	return true;
}

static const struct state_desc port92_state = {
	.name = "port92",
	.version = 1,
	STATE_SPAN(port92),
	.post_load = port92_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(port92, p92),
			STATE_END,
		},
};

static const struct device_prop port92_props[] = {
	DEFINE_PROP_END,
};

static bool port92_realize(struct device *dev, struct error *err)
{
	struct port92 *s = container_of(dev, struct port92, dev);

	region_init_io(&s->port, "port92", &port92_ops, s, 1);
	return isa_add_ports(dev, &s->port, P92_PORT, err);
}

static void port92_unrealize(struct device *dev)
{
	region_remove(&container_of(dev, struct port92, dev)->port);
}

const struct device_type port92_type = {
	.name = "port92",
	.desc = "fast A20 gate and reset",
	.bus = BUS_ISA,
	.size = sizeof(struct port92),
	.props = port92_props,
	.state = &port92_state,
	.realize = port92_realize,
	.reset = port92_reset,
	.unrealize = port92_unrealize,
};
