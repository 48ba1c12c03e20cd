/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers behind hardware-reduced ACPI: a generic event device, sleep control and reset.
 *
 * ACPI 6.4, sections 4.8.3.6 "Reset register", 4.8.3.7 "Sleep control and status registers", 5.6.9 "Interrupt-signaled
 * ACPI events".
 *
 *	offset	name		width	access	reset	section
 *	000	events		32	R	0	5.6.9; reading clears; bit 1 the power button
 *	200	SLEEP_CTL	8	RW	0	4.8.3.7.1
 *	201	SLEEP_STS	8	R/W1C	0	4.8.3.7.2
 *	202	RESET		8	W	-	4.8.3.6; 42h resets
 *
 *	port 608	PM_TMR		32	R	counts	4.8.3.3; 24 bits at 3.579545 MHz
 *
 * The interrupt is a level, high while any event is pending.
 *
 * Not modelled: states of sleep other than S5.
 * Deviates because: there is a power management timer. Linux takes it from the FADT of such a machine too, and finds no
 * other clock of known pace to measure the processor's by.
 */
#include "devices/chipset/acpi_ged.h"

#define SLEEP_CTL_TYP_SHIFT 2
#define SLEEP_CTL_TYP	    0x1c
#define SLEEP_CTL_EN	    0x20
#define SLEEP_STS_WAK	    0x80
#define SLEEP_TYP_S5	    5
#define PM_TIMER_HZ	    3579545
#define PM_TIMER_BITS	    24

struct acpi_ged {
	struct device dev;

	/* configuration */
	struct region regs, pm_timer;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t events;
	uint8_t sleep_ctl, sleep_sts;
	uint16_t pad;
	GUEST_VISIBLE_END;

	/* host side */
	struct irq irq;
};

static void ged_power_button(void *opaque)
{
	struct acpi_ged *s = opaque;

	s->events |= GED_EVENT_POWER_BUTTON;
	irq_set(&s->irq, true);
}

static uint64_t ged_read(void *opaque, uint64_t offset, unsigned size)
{
	struct acpi_ged *s = opaque;
	uint32_t events = s->events;

	switch (offset) {
	case GED_EVENTS:
		s->events = 0;
		irq_set(&s->irq, false);
		return events;
	case GED_SLEEP_CTL:
		return s->sleep_ctl;
	case GED_SLEEP_STS:
		return s->sleep_sts;
	}
	return 0;
}

static void ged_sleep(struct acpi_ged *s)
{
	unsigned type = (s->sleep_ctl & SLEEP_CTL_TYP) >> SLEEP_CTL_TYP_SHIFT;

	if (type == SLEEP_TYP_S5)
		machine_request_shutdown(s->dev.machine, SHUTDOWN_GUEST, 0);
	else
		guest_error(&s->dev, "sleeping state of type %u is none that the board has", type);
}

static void ged_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_ged *s = opaque;

	switch (offset) {
	case GED_SLEEP_CTL:
		s->sleep_ctl = value & SLEEP_CTL_TYP;
		if (value & SLEEP_CTL_EN)
			ged_sleep(s);
		break;
	case GED_SLEEP_STS:
		s->sleep_sts &= (uint8_t) ~(value & SLEEP_STS_WAK);
		break;
	case GED_RESET:
		if ((value & 0xff) == GED_RESET_VALUE)
			machine_request_reset(s->dev.machine);
		break;
	}
}

static const struct region_ops ged_ops = {
	.read = ged_read, .write = ged_write, .min_size = 1, .max_size = 4};

static void ged_reset(struct device *dev)
{
	struct acpi_ged *s = container_of(dev, struct acpi_ged, dev);

	s->events = 0;
	s->sleep_ctl = s->sleep_sts = 0;
	irq_set(&s->irq, false);
}

static bool ged_post_load(void *opaque, struct error *err)
{
	struct acpi_ged *s = opaque;

	s->events &= GED_EVENT_POWER_BUTTON;
	s->sleep_ctl &= SLEEP_CTL_TYP;
	s->sleep_sts &= SLEEP_STS_WAK;
	s->pad = 0;
	irq_set(&s->irq, s->events != 0);
	return true;
}

static const struct state_desc ged_state = {
	.name = "acpi-ged",
	.version = 1,
	STATE_SPAN(acpi_ged),
	.post_load = ged_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(acpi_ged, events),
			STATE_FIELD(acpi_ged, sleep_ctl),
			STATE_FIELD(acpi_ged, sleep_sts),
			STATE_FIELD(acpi_ged, pad),
			STATE_END,
		},
};

static bool ged_realize(struct device *dev, struct error *err)
{
	struct acpi_ged *s = container_of(dev, struct acpi_ged, dev);

	region_init_io(&s->regs, "acpi-ged", &ged_ops, s, GED_BYTES);
	region_init_io(&s->pm_timer, "acpi-ged-timer", NULL, NULL, 4);
	s->pm_timer.counter = (struct region_counter){
		.clock = dev->machine->clock, .hz = PM_TIMER_HZ, .bits = PM_TIMER_BITS};
	region_add(&dev->machine->io.root, GED_PM_TIMER_PORT, &s->pm_timer, 0);
	dev->machine->power_button = ged_power_button;
	dev->machine->power_button_opaque = s;
	return true;
}

static void ged_unrealize(struct device *dev)
{
	struct acpi_ged *s = container_of(dev, struct acpi_ged, dev);

	irq_lower(&s->irq);
	region_remove(&s->regs);
	region_remove(&s->pm_timer);
	dev->machine->power_button = NULL;
}

void acpi_ged_create(struct machine *m, gpa_t gpa, unsigned gsi)
{
	struct acpi_ged *s =
		container_of(device_create_builtin(m, &acpi_ged_type), struct acpi_ged, dev);

	region_add(&m->mem.root, gpa, &s->regs, 0);
	machine_share_gsi(m, &s->irq, gsi);
}

const struct device_type acpi_ged_type = {
	.name = "acpi-ged",
	.desc = "ACPI generic event device",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct acpi_ged),
	.state = &ged_state,
	.realize = ged_realize,
	.reset = ged_reset,
	.unrealize = ged_unrealize,
};
