/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reset control register, port CF9h.
 *
 * 82371SB PIIX3 (290550-002) "RC"; ICH9 (316972-004) 13.7.5 "RST_CNT"; the FADT's reset register points here (ACPI 6.4
 * section 4.8.3.6).
 *
 *	port	name	access	reset	section
 *	cf9	RC	RW	00	290550 "RC": 1 SRST (hard rather than soft), 2 RCPU; ICH9 3 FULL_RST
 *
 * The port lies within the doubleword of CONFADD, so that a host bridge, where there is one, passes
 * on the narrow accesses.
 *
 * Not modelled: soft reset, which leaves all but the processor alone.
 * Deviates because: either kind resets the machine; who asks for one wants the other too (Linux
 * writes both in turn).
 */
#include "devices/chipset/chipset.h"
#include "devices/isa.h"

#define RC_PORT	    0xcf9
#define RC_SRST	    0x02
#define RC_RCPU	    0x04
#define RC_FULL_RST 0x08
#define RC_WRITABLE (RC_SRST | RC_RCPU)

struct reset_control {
	struct device dev;

	/* configuration */
	struct region port;
	bool full_reset;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t rc;
	GUEST_VISIBLE_END;
};

struct region *reset_control_region(struct device *dev)
{
	return &container_of(dev, struct reset_control, dev)->port;
}

static uint8_t writable(const struct reset_control *s)
{
	return RC_WRITABLE | (s->full_reset ? RC_FULL_RST : 0);
}

static uint64_t reset_control_read(void *opaque, uint64_t offset, unsigned size)
{
	struct reset_control *s = opaque;

	return s->rc;
}

/* RCPU acts as it rises. */
static void reset_control_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct reset_control *s = opaque;
	bool reset = value & ~s->rc & RC_RCPU;

	s->rc = value & writable(s);
	if (reset)
		machine_request_reset(s->dev.machine);
}

static const struct region_ops reset_control_ops = {
	.read = reset_control_read, .write = reset_control_write, .min_size = 1, .max_size = 1};

static void reset_control_reset(struct device *dev)
{
	container_of(dev, struct reset_control, dev)->rc = 0;
}

static bool reset_control_post_load(void *opaque, struct error *err)
{
	struct reset_control *s = opaque;

	s->rc &= writable(s);
	return true;
}

static const struct state_desc reset_control_state = {
	.name = "reset_control",
	.version = 1,
	STATE_SPAN(reset_control),
	.post_load = reset_control_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(reset_control, rc),
			STATE_END,
		},
};

static const struct device_prop reset_control_props[] = {
	DEFINE_PROP(reset_control, full_reset, "full-reset", PROP_BOOL, 0,
		    "FULL_RST is there: ICH9"),
	DEFINE_PROP_END,
};

/* The host bridge's ports, added later, hide the region at its own address. */
static bool reset_control_realize(struct device *dev, struct error *err)
{
	struct reset_control *s = container_of(dev, struct reset_control, dev);

	region_init_io(&s->port, "reset-control", &reset_control_ops, s, 1);
	return isa_add_ports(dev, &s->port, RC_PORT, err);
}

static void reset_control_unrealize(struct device *dev)
{
	region_remove(&container_of(dev, struct reset_control, dev)->port);
}

const struct device_type reset_control_type = {
	.name = "reset-control",
	.desc = "reset control register",
	.bus = BUS_ISA,
	.size = sizeof(struct reset_control),
	.props = reset_control_props,
	.state = &reset_control_state,
	.realize = reset_control_realize,
	.reset = reset_control_reset,
	.unrealize = reset_control_unrealize,
};
