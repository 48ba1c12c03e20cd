/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parallel port with a printer on it: what the guest prints goes to a character device.
 *
 * IEEE Std 1284-1994, compatibility mode (clause 6.3, annex C); IBM Personal System/2 Hardware Interface Technical
 * Reference, Common Interfaces (October 1990), "Parallel Port Controller".
 *
 *	offset	name	access	reset	section
 *	0	DATA	RW	00	data port
 *	1	STATUS	R	df	status port
 *	2	CONTROL	RW	cc	control port; bits 6 and 7 read as ones
 *
 * Not modelled: the printer's answers in the other modes (nibble, byte, EPP, ECP); with the data lines turned round
 * (CONTROL.DIR) DATA reads as ones, nothing drives them.
 * Deviates because: BUSY is as long as the back end takes nothing; a real printer is busy for each character.
 */
#include "devices/char/serial.h"
#include "devices/isa.h"
#include "io/char/chardev.h"

#define PARALLEL_DATA	 0
#define PARALLEL_STATUS	 1
#define PARALLEL_CONTROL 2
#define PARALLEL_REGS	 3

/* As seen in the register: BUSY and ACK are inverted, the others as on the wire. */
#define PARALLEL_STATUS_NOT_BUSY  0x80
#define PARALLEL_STATUS_NOT_ACK	  0x40
#define PARALLEL_STATUS_PE	  0x20
#define PARALLEL_STATUS_SELECT	  0x10
#define PARALLEL_STATUS_NOT_FAULT 0x08
#define PARALLEL_STATUS_NOT_IRQ	  0x04
#define PARALLEL_STATUS_ONES	  0x03
#define PARALLEL_STATUS_READY                                                          \
	(PARALLEL_STATUS_NOT_BUSY | PARALLEL_STATUS_NOT_ACK | PARALLEL_STATUS_SELECT | \
	 PARALLEL_STATUS_NOT_FAULT | PARALLEL_STATUS_NOT_IRQ | PARALLEL_STATUS_ONES)

#define PARALLEL_CONTROL_STROBE	  0x01
#define PARALLEL_CONTROL_AUTOFD	  0x02
#define PARALLEL_CONTROL_NOT_INIT 0x04
#define PARALLEL_CONTROL_SELIN	  0x08
#define PARALLEL_CONTROL_INTEN	  0x10
#define PARALLEL_CONTROL_DIR	  0x20
#define PARALLEL_CONTROL_WRITABLE 0x3f
#define PARALLEL_CONTROL_ONES	  0xc0
#define PARALLEL_CONTROL_RESET	  (PARALLEL_CONTROL_NOT_INIT | PARALLEL_CONTROL_SELIN)

#define PARALLEL_PORTS 3
#define PARALLEL_IRQ   7
#define PARALLEL_AUTO  UINT32_MAX

static const uint16_t parallel_ports[PARALLEL_PORTS] = {0x378, 0x278, 0x3bc};

struct parallel {
	struct device dev;

	/* configuration */
	struct region ports;
	struct chardev *chr;
	uint32_t index, iobase, irq_num;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t data, control;
	uint8_t latched;  /* the character the printer has, while it is busy with it */
	bool busy;	  /* the back end has not taken it yet */
	bool strobed;	  /* a character came with the strobe that is still on */
	bool ack_due;	  /* the next look at STATUS sees the acknowledge pulse */
	bool irq_pending; /* the pulse's trailing edge, until STATUS is read */
	uint8_t reserved;
	GUEST_VISIBLE_END;

	/* host side */
	struct irq irq;
};

static struct parallel *parallel_of(struct device *dev)
{
	return container_of(dev, struct parallel, dev);
}

static void parallel_update_irq(struct parallel *s)
{
	irq_set(&s->irq, s->irq_pending && (s->control & PARALLEL_CONTROL_INTEN));
}

/* The printer */

static void parallel_acknowledge(struct parallel *s)
{
	s->ack_due = true;
	s->irq_pending = s->control & PARALLEL_CONTROL_INTEN;
	parallel_update_irq(s);
}

/* It acknowledges when it has the character and the strobe is over. */
static void parallel_try_print(struct parallel *s)
{
	s->busy = s->chr && chardev_write(s->chr, &s->latched, 1) == 0;
	if (!s->busy && !s->strobed)
		parallel_acknowledge(s);
}

static void parallel_strobe(struct parallel *s, bool on)
{
	if (on && !s->busy) {
		s->latched = s->data;
		s->strobed = true;
		parallel_try_print(s);
	} else if (on) {
		guest_error(&s->dev, "character strobed while the printer is busy");
	} else if (s->strobed) {
		s->strobed = false;
		if (!s->busy)
			parallel_acknowledge(s);
	}
}

static void parallel_init_printer(struct parallel *s)
{
	s->busy = s->strobed = s->ack_due = s->irq_pending = false;
}

/* Reads */

static uint8_t parallel_read_status(struct parallel *s)
{
	uint8_t value = PARALLEL_STATUS_READY;

	if (s->busy || s->strobed)
		value &= ~PARALLEL_STATUS_NOT_BUSY;
	if (s->ack_due)
		value &= ~PARALLEL_STATUS_NOT_ACK;
	if (s->irq_pending)
		value &= ~PARALLEL_STATUS_NOT_IRQ;
	s->ack_due = s->irq_pending = false;
	parallel_update_irq(s);
	return value;
}

static uint64_t parallel_read(void *opaque, uint64_t offset, unsigned size)
{
	struct parallel *s = opaque;

	switch (offset) {
	case PARALLEL_DATA:
		return s->control & PARALLEL_CONTROL_DIR ? 0xff : s->data;
	case PARALLEL_STATUS:
		return parallel_read_status(s);
	default:
		return s->control | PARALLEL_CONTROL_ONES;
	}
}

/* Writes */

static void parallel_write_control(struct parallel *s, uint8_t value)
{
	uint8_t old = s->control;

	s->control = value & PARALLEL_CONTROL_WRITABLE;
	if (!(value & PARALLEL_CONTROL_NOT_INIT))
		parallel_init_printer(s);
	else if ((value ^ old) & PARALLEL_CONTROL_STROBE && (value & PARALLEL_CONTROL_SELIN))
		parallel_strobe(s, value & PARALLEL_CONTROL_STROBE);
	parallel_update_irq(s);
}

static void parallel_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct parallel *s = opaque;

	switch (offset) {
	case PARALLEL_DATA:
		s->data = value;
		break;
	case PARALLEL_CONTROL:
		parallel_write_control(s, value);
		break;
	default: /* STATUS is for reading */
		break;
	}
}

static const struct region_ops parallel_ops = {
	.read = parallel_read, .write = parallel_write, .min_size = 1, .max_size = 1};

/* The back end */

static void parallel_writable(void *opaque)
{
	struct parallel *s = opaque;

	if (s->busy)
		parallel_try_print(s);
}

static void parallel_changed(void *opaque, struct chardev *chr);

static const struct chardev_handlers parallel_handlers = {
	.writable = parallel_writable,
	.changed = parallel_changed,
};

static void parallel_changed(void *opaque, struct chardev *chr)
{
	struct parallel *s = opaque;

	s->chr = chr;
	chardev_attach(chr, &parallel_handlers, s);
	parallel_writable(s);
}

static void parallel_reset(struct device *dev)
{
	struct parallel *s = parallel_of(dev);

	parallel_init_printer(s);
	s->data = s->latched = 0;
	s->control = PARALLEL_CONTROL_RESET;
	parallel_update_irq(s);
}

static bool parallel_post_load(void *opaque, struct error *err)
{
	struct parallel *s = opaque;

	s->control &= PARALLEL_CONTROL_WRITABLE;
	s->reserved = 0;
	parallel_update_irq(s);
	parallel_writable(s);
	return true;
}

static const struct state_desc parallel_state = {
	.name = "parallel",
	.version = 1,
	STATE_SPAN(parallel),
	.post_load = parallel_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(parallel, data),
			STATE_FIELD(parallel, control),
			STATE_FIELD(parallel, latched),
			STATE_FIELD(parallel, busy),
			STATE_FIELD(parallel, strobed),
			STATE_FIELD(parallel, ack_due),
			STATE_FIELD(parallel, irq_pending),
			STATE_FIELD(parallel, reserved),
			STATE_END,
		},
};

static const struct device_prop parallel_props[] = {
	DEFINE_PROP(parallel, index, "index", PROP_U32, PARALLEL_AUTO,
		    "LPT port, from 0; default: the first that is free"),
	DEFINE_PROP(parallel, iobase, "iobase", PROP_U32, PARALLEL_AUTO,
		    "first of three ports; default: as index has it"),
	DEFINE_PROP(parallel, irq_num, "irq", PROP_U32, PARALLEL_IRQ, "ISA interrupt line"),
	DEFINE_PROP(parallel, chr, "chardev", PROP_CHARDEV, 0,
		    "character device that takes what is printed"),
	DEFINE_PROP_END,
};

static bool parallel_index_is_taken(const struct machine *m, uint32_t index)
{
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if (dev->type == &parallel_type && dev->realized &&
		    parallel_of(dev)->index == index)
			return true;
	}
	return false;
}

static bool parallel_choose_index(struct parallel *s, struct error *err)
{
	const struct machine *m = s->dev.machine;

	if (s->index == PARALLEL_AUTO) {
		for (s->index = 0; parallel_index_is_taken(m, s->index); s->index++)
			;
	} else if (parallel_index_is_taken(m, s->index)) {
		return error_set(err, "isa-parallel: index=%u is taken", s->index);
	}
	if (s->iobase != PARALLEL_AUTO)
		return true;
	if (s->index >= PARALLEL_PORTS)
		return error_set(err,
				 "isa-parallel: there are %u parallel ports at most; more need "
				 "iobase=",
				 PARALLEL_PORTS);
	s->iobase = parallel_ports[s->index];
	return true;
}

static bool parallel_realize(struct device *dev, struct error *err)
{
	struct parallel *s = parallel_of(dev);

	if (!parallel_choose_index(s, err) || !isa_connect_irq(dev, &s->irq, s->irq_num, err))
		return false;
	region_init_io(&s->ports, "parallel", &parallel_ops, s, PARALLEL_REGS);
	if (!isa_add_ports(dev, &s->ports, s->iobase, err))
		return false;
	if (s->chr)
		chardev_attach(s->chr, &parallel_handlers, s);
	return true;
}

static void parallel_unrealize(struct device *dev)
{
	struct parallel *s = parallel_of(dev);

	if (s->chr)
		chardev_attach(s->chr, NULL, NULL);
	isa_disconnect_irq(&s->irq);
	region_remove(&s->ports);
}

const struct device_type parallel_type = {
	.name = "isa-parallel",
	.desc = "parallel port with a printer",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct parallel),
	.props = parallel_props,
	.state = &parallel_state,
	.realize = parallel_realize,
	.reset = parallel_reset,
	.unrealize = parallel_unrealize,
};
