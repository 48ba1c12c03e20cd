/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog of Intel's 6300ESB I/O controller hub: two stages, one after the other, then -action watchdog=.
 *
 * Intel 6300ESB I/O Controller Hub Datasheet (300641-004), 16: Watchdog Timer (D29:F4).
 *
 *	offset	name		width	access	reset	section
 *	config 60  CONFIG	16	RW	0000	16: bit 5 output disabled; bit 2 pace, 0: 1 kHz, 1: 1 MHz; 1-0 stage 1's
 *						interrupt: 0 IRQ, 2 SMI, 3 none
 *	config 68  LOCK		8	RW	00	16: bit 2 free running; bit 1 enabled; bit 0 locked, until a reset
 *	mem 00	PRELOAD1	32	RW	fffff	16: of stage 1, 20 bits
 *	mem 04	PRELOAD2	32	RW	fffff	16: of stage 2
 *	mem 08	GINTSR		32	RW1C	0	16: bit 0 stage 1 has ended
 *	mem 0c	RELOAD		16	RW	0	16: bit 8 begins stage 1 anew; bit 9 the timer has expired (W1C, kept over resets)
 *
 * The preload registers and RELOAD take a write only right behind 80h and 86h, both written to RELOAD. A preload counts
 * in 2^15 (1 kHz) or 2^5 (1 MHz) cycles of the 33 MHz clock.
 *
 * Not modelled: the interrupt of stage 1, which is an input of an IOAPIC that no board here has; SMI.
 * Deviates because: a stage takes a millisecond at least, so that a free-running timer is no load for the host.
 */
#include "devices/chipset/watchdog.h"
#include "devices/pci/pci.h"

#define ESB_CONFIG	   0x60
#define ESB_CONFIG_OFF	   0x0020
#define ESB_CONFIG_MHZ	   0x0004
#define ESB_CONFIG_INT	   0x0003
#define ESB_LOCK	   0x68
#define ESB_LOCK_FREE	   0x04
#define ESB_LOCK_ENABLE	   0x02
#define ESB_LOCK_LOCKED	   0x01
#define ESB_PRELOAD1	   0x00
#define ESB_PRELOAD2	   0x04
#define ESB_PRELOAD_MASK   0xfffffu
#define ESB_GINTSR	   0x08
#define ESB_GINTSR_ACTIVE  0x01
#define ESB_RELOAD	   0x0c
#define ESB_RELOAD_RELOAD  0x0100
#define ESB_RELOAD_TIMEOUT 0x0200
#define ESB_UNLOCK1	   0x80
#define ESB_UNLOCK2	   0x86
#define ESB_BAR_BYTES	   16
#define ESB_CLOCKS_PER_US  33
#define ESB_STAGE_MIN_NS   NS_PER_MS

struct i6300esb {
	struct pci_device pci;

	/* configuration */
	struct region mem;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int64_t deadline_ns; /* guest clock, of the stage; 0: it doesn't count */
	uint32_t preload[2];
	uint8_t lock;	  /* LOCK as it holds */
	uint8_t stage;	  /* 0, 1 */
	uint8_t unlocked; /* of the two writes that come first, how many have */
	uint8_t gintsr;
	bool timeout;
	GUEST_VISIBLE_END;

	/* host side */
	struct timer timer;
};

static struct i6300esb *esb_of(struct device *dev)
{
	return container_of(dev, struct i6300esb, pci.dev);
}

/* ---- the timer ---- */

static void esb_arm(struct i6300esb *s)
{
	if (s->deadline_ns)
		timer_arm(&s->timer, s->deadline_ns);
	else
		timer_cancel(&s->timer);
}

static void esb_begin(struct i6300esb *s, unsigned stage)
{
	unsigned shift = s->pci.config[ESB_CONFIG] & ESB_CONFIG_MHZ ? 5 : 15;
	int64_t ns = ((int64_t)s->preload[stage] << shift) * NS_PER_US / ESB_CLOCKS_PER_US;

	s->stage = (uint8_t)stage;
	s->deadline_ns = clock_now_ns(s->pci.dev.machine->clock) + MAX(ns, ESB_STAGE_MIN_NS);
	esb_arm(s);
}

static void esb_stop(struct i6300esb *s)
{
	s->deadline_ns = 0;
	esb_arm(s);
}

static void esb_on_timer(void *opaque)
{
	struct i6300esb *s = opaque;
	unsigned config = s->pci.config[ESB_CONFIG];

	if (s->stage == 0) {
		if ((config & ESB_CONFIG_INT) != ESB_CONFIG_INT)
			s->gintsr |= ESB_GINTSR_ACTIVE;
		esb_begin(s, 1);
		return;
	}
	if (s->lock & ESB_LOCK_FREE)
		esb_begin(s, 0);
	else
		esb_stop(s);
	if (config & ESB_CONFIG_OFF)
		return;
	s->timeout = true;
	machine_watchdog_expired(s->pci.dev.machine);
}

/* ---- registers ---- */

static void esb_write_lock(struct i6300esb *s)
{
	uint8_t *now = &s->pci.config[ESB_LOCK], was = s->lock;

	if (was & ESB_LOCK_LOCKED) {
		*now = was;
		return;
	}
	s->lock = *now;
	if (*now & ~was & ESB_LOCK_ENABLE)
		esb_begin(s, 0);
	if (was & ~*now & ESB_LOCK_ENABLE)
		esb_stop(s);
}

static void esb_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct i6300esb *s = container_of(pci, struct i6300esb, pci);

	/* Not a reset or a load, which the device has functions for. */
	if (bytes <= 4 && offset <= ESB_LOCK && offset + bytes > ESB_LOCK)
		esb_write_lock(s);
}

static uint64_t esb_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i6300esb *s = opaque;

	switch (offset) {
	case ESB_PRELOAD1:
		return s->preload[0];
	case ESB_PRELOAD2:
		return s->preload[1];
	case ESB_GINTSR:
		return s->gintsr;
	case ESB_RELOAD:
		return s->timeout ? ESB_RELOAD_TIMEOUT : 0;
	default:
		return 0;
	}
}

static void esb_write_reload(struct i6300esb *s, uint32_t value)
{
	if (value == ESB_UNLOCK1) {
		s->unlocked = 1;
	} else if (value == ESB_UNLOCK2 && s->unlocked == 1) {
		s->unlocked = 2;
	} else {
		if (s->unlocked == 2 && (value & ESB_RELOAD_TIMEOUT))
			s->timeout = false;
		if (s->unlocked == 2 && (value & ESB_RELOAD_RELOAD) && (s->lock & ESB_LOCK_ENABLE))
			esb_begin(s, 0);
		s->unlocked = 0;
	}
}

static void esb_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i6300esb *s = opaque;

	switch (offset) {
	case ESB_PRELOAD1:
	case ESB_PRELOAD2:
		if (s->unlocked == 2)
			s->preload[offset == ESB_PRELOAD2] = (uint32_t)value & ESB_PRELOAD_MASK;
		s->unlocked = 0;
		break;
	case ESB_GINTSR:
		s->gintsr &= (uint8_t) ~(value & ESB_GINTSR_ACTIVE);
		break;
	case ESB_RELOAD:
		esb_write_reload(s, (uint32_t)value & 0xffff);
		break;
	default:
		break;
	}
}

static const struct region_ops esb_ops = {
	.read = esb_read, .write = esb_write, .min_size = 1, .max_size = 4};

/* ---- life ---- */

/* What has expired is told after the reset that it led to. */
static void esb_reset(struct device *dev)
{
	struct i6300esb *s = esb_of(dev);

	pci_device_reset(&s->pci);
	s->preload[0] = s->preload[1] = ESB_PRELOAD_MASK;
	s->lock = s->stage = s->unlocked = s->gintsr = 0;
	esb_stop(s);
}

static bool esb_post_load(void *opaque, struct error *err)
{
	struct i6300esb *s = opaque;
	int64_t longest = ((int64_t)ESB_PRELOAD_MASK << 15) * NS_PER_US / ESB_CLOCKS_PER_US;

	s->preload[0] &= ESB_PRELOAD_MASK;
	s->preload[1] &= ESB_PRELOAD_MASK;
	s->stage &= 1;
	s->unlocked = MIN(s->unlocked, 2);
	s->gintsr &= ESB_GINTSR_ACTIVE;
	s->lock &= ESB_LOCK_FREE | ESB_LOCK_ENABLE | ESB_LOCK_LOCKED;
	s->pci.config[ESB_LOCK] = s->lock;
	s->deadline_ns =
		MAX(0, MIN(s->deadline_ns, clock_now_ns(s->pci.dev.machine->clock) + longest));
	esb_arm(s);
	return true;
}

static const struct pci_register esb_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x25ab, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0000, PCI_COMMAND_MEMORY, 0},
	{"CLASSC", PCI_CLASS, 3, 0x088000, 0, 0},
	{"SVID", PCI_SUBSYSTEM_VENDOR, 2, 0x1af4, 0, 0},
	{"SID", PCI_SUBSYSTEM, 2, 0x1100, 0, 0},
	{"CONFIG", ESB_CONFIG, 2, 0x0000, ESB_CONFIG_OFF | ESB_CONFIG_MHZ | ESB_CONFIG_INT, 0},
	{"LOCK", ESB_LOCK, 1, 0x00, ESB_LOCK_FREE | ESB_LOCK_ENABLE | ESB_LOCK_LOCKED, 0},
	{.name = NULL},
};

static const struct state_desc esb_state = {
	.name = "i6300esb",
	.version = 1,
	STATE_SPAN(i6300esb),
	.post_load = esb_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(i6300esb, pci, pci_device_state),
			STATE_FIELD(i6300esb, deadline_ns),
			STATE_ARRAY(i6300esb, preload),
			STATE_FIELD(i6300esb, lock),
			STATE_FIELD(i6300esb, stage),
			STATE_FIELD(i6300esb, unlocked),
			STATE_FIELD(i6300esb, gintsr),
			STATE_FIELD(i6300esb, timeout),
			STATE_END,
		},
};

static const struct device_prop esb_props[] = {
	PCI_PROPS(i6300esb),
	DEFINE_PROP_END,
};

static bool esb_realize(struct device *dev, struct error *err)
{
	struct i6300esb *s = esb_of(dev);

	if (!pci_device_init(&s->pci, esb_registers, err))
		return false;
	s->pci.config_changed = esb_config_changed;
	region_init_io(&s->mem, "i6300esb", &esb_ops, s, ESB_BAR_BYTES);
	pci_bar_init(&s->pci, 0, 0, &s->mem);
	timer_init(&s->timer, dev->machine->clock, "i6300esb", esb_on_timer, s);
	return true;
}

static void esb_unrealize(struct device *dev)
{
	struct i6300esb *s = esb_of(dev);

	timer_cancel(&s->timer);
	pci_device_fini(&s->pci);
}

const struct device_type i6300esb_type = {
	.name = "i6300esb",
	.desc = "Intel 6300ESB watchdog",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct i6300esb),
	.props = esb_props,
	.state = &esb_state,
	.realize = esb_realize,
	.reset = esb_reset,
	.unrealize = esb_unrealize,
};
