/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI fixed hardware of PIIX4 and ICH9.
 *
 * ACPI 6.4 section 4.8 "ACPI register model"; Intel 82371AB (290562-001) section 7.2, ICH9 (316972-004) section 13.8.
 *
 *	offset	name	width	access	reset		section (ACPI 6.4)
 *	00	PMSTS	16	R/W1C	0000		4.8.3.1.1
 *	02	PMEN	16	RW	0000		4.8.3.1.2
 *	04	PMCNTRL	16	RW	0001		4.8.3.2.1
 *	08	PMTMR	32	R	counts		4.8.3.3; 24 bits at 3.579545 MHz
 *	gpe	GPSTS	n	R/W1C	0		4.8.4.1.1.1
 *	gpe+n	GPEN	n	RW	0		4.8.4.1.1.2
 *
 * SCI is IRQ 9.
 *
 * Not modelled: throttling, device monitors and the global SMI registers (read as 0); S1 and S2.
 * Deviates because: SCI_EN is always set: a kernel that is started without firmware finds nobody else to do it, and there
 * is no SMI to ask by. The types of sleep are ACPI_SLP_TYP_*, on ICH9 too: SeaBIOS and OVMF power off with type 0.
 */
#include "devices/chipset/acpi_pm.h"
#include "devices/isa.h"
#include "src/events.h"

#define PM_IRQ	    9
#define PM_TIMER_HZ 3579545

#define PMSTS	0x00
#define PMEN	0x02
#define PMCNTRL 0x04
#define PMTMR	0x08

#define PMSTS_TMROF	      0x0001
#define PMSTS_WAK	      0x8000
#define PMSTS_W1C	      0x8d31
#define PMEN_WRITABLE	      0x0521
#define PMCNTRL_SCI_EN	      0x0001
#define PMCNTRL_SUS_TYP	      0x1c00
#define PMCNTRL_SUS_TYP_SHIFT 10
#define PMCNTRL_SUS_EN	      0x2000
#define PMCNTRL_KEPT	      0x1c02 /* SUS_TYP, BRLD_EN_BM; SUS_EN and GBL_RLS are commands */
#define PMTMR_BITS	      24
#define PMTMR_CARRY	      23 /* TMROF_STS follows the toggling of this bit */

static uint64_t gpe_mask(const struct acpi_pm *pm)
{
	return pm->gpe_bytes < 8 ? BIT64(8 * pm->gpe_bytes) - 1 : UINT64_MAX;
}

/* Timer and SCI */

static uint64_t pm_timer_clks(int64_t ns)
{
	return muldiv64(ns, PM_TIMER_HZ, NS_PER_SEC);
}

static int64_t acpi_pm_now(const struct acpi_pm *pm)
{
	return clock_now_ns(pm->dev->machine->clock);
}

static void acpi_pm_sync(struct acpi_pm *pm)
{
	int64_t now = acpi_pm_now(pm);

	if (pm_timer_clks(now) >> PMTMR_CARRY != pm_timer_clks(pm->synced_ns) >> PMTMR_CARRY)
		pm->pmsts |= PMSTS_TMROF;
	pm->synced_ns = now;
}

/* SCI, and the timer if the carry's interrupt is waited for. */
static void acpi_pm_update(struct acpi_pm *pm)
{
	bool event = (pm->pmsts & pm->pmen) || (pm->gpsts & pm->gpen);
	uint64_t carry = ((pm_timer_clks(pm->synced_ns) >> PMTMR_CARRY) + 1) << PMTMR_CARRY;

	irq_set(&pm->sci, event && (pm->pmcntrl & PMCNTRL_SCI_EN));
	if (pm->pmen & ~pm->pmsts & PMSTS_TMROF)
		timer_arm(&pm->overflow, muldiv64(carry, NS_PER_SEC, PM_TIMER_HZ) + 1);
	else
		timer_cancel(&pm->overflow);
}

static void acpi_pm_on_overflow(void *opaque)
{
	struct acpi_pm *pm = opaque;

	acpi_pm_sync(pm);
	acpi_pm_update(pm);
}

/* The timer doesn't run in suspension. */
static void acpi_pm_wake_by_event(struct acpi_pm *pm)
{
	uint16_t events = pm->pmsts & pm->pmen;

	if (events & (ACPI_PM_RTC | ACPI_PM_PWRBTN))
		machine_wake(pm->dev->machine, events & ACPI_PM_RTC ? WAKE_RTC : WAKE_OTHER);
}

static void acpi_pm_power_button(void *opaque)
{
	struct acpi_pm *pm = opaque;

	pm->pmsts |= ACPI_PM_PWRBTN;
	acpi_pm_update(pm);
	acpi_pm_wake_by_event(pm);
}

/* 4.8.3.1.1, RTC_STS */
static void acpi_pm_rtc_alarm(void *opaque)
{
	struct acpi_pm *pm = opaque;

	pm->pmsts |= ACPI_PM_RTC;
	acpi_pm_update(pm);
	acpi_pm_wake_by_event(pm);
}

/* Out of suspension, behind the reset: the guest waits for WAK_STS, and the other bit says what it was (4.8.3.1.1). */
static void acpi_pm_woken(void *opaque, enum wake_reason reason)
{
	struct acpi_pm *pm = opaque;

	pm->pmsts |= PMSTS_WAK | (reason == WAKE_RTC ? ACPI_PM_RTC : ACPI_PM_PWRBTN);
	acpi_pm_update(pm);
}

static void acpi_pm_raise_gpe(void *opaque, unsigned n)
{
	struct acpi_pm *pm = opaque;

	pm->gpsts |= BIT64(n) & gpe_mask(pm);
	acpi_pm_update(pm);
}

/* Reads */

/* One byte: the registers are small, and their blocks may be taken apart in any way. */
static uint8_t acpi_pm_read_byte(struct acpi_pm *pm, uint64_t offset)
{
	uint64_t gpe = offset - pm->gpe_offset;

	switch (offset) {
	case PMSTS:
	case PMSTS + 1:
		acpi_pm_sync(pm);
		return pm->pmsts >> (8 * (offset - PMSTS)) & 0xff;
	case PMEN:
	case PMEN + 1:
		return pm->pmen >> (8 * (offset - PMEN)) & 0xff;
	case PMCNTRL:
	case PMCNTRL + 1:
		return pm->pmcntrl >> (8 * (offset - PMCNTRL)) & 0xff;
	}
	if (offset < pm->gpe_offset || gpe >= 2 * pm->gpe_bytes)
		return 0;
	if (gpe < pm->gpe_bytes)
		return pm->gpsts >> (8 * gpe) & 0xff;
	return pm->gpen >> (8 * (gpe - pm->gpe_bytes)) & 0xff;
}

static uint64_t acpi_pm_read(void *opaque, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)acpi_pm_read_byte(opaque, offset + i) << (8 * i);
	return value;
}

/* Writes */

static void acpi_pm_sleep(struct acpi_pm *pm)
{
	struct machine *m = pm->dev->machine;
	unsigned type = (pm->pmcntrl & PMCNTRL_SUS_TYP) >> PMCNTRL_SUS_TYP_SHIFT;

	if (type == ACPI_SLP_TYP_S4 && !pm->disable_s4) {
		qmp_event_emit(m, "SUSPEND_DISK", NULL);
		machine_request_shutdown(m, SHUTDOWN_GUEST, 0);
	} else if (type == ACPI_SLP_TYP_S3 && !pm->disable_s3) {
		machine_request_suspend(m);
		acpi_pm_wake_by_event(pm);
	} else if (type == ACPI_SLP_TYP_S5)
		machine_request_shutdown(m, SHUTDOWN_GUEST, 0);
	else
		guest_error(pm->dev, "sleeping state of type %u is none that the board has", type);
}

/* A byte of a register: BIT_OFFSET says which. */
static void write_masked(uint16_t *reg, unsigned bit_offset, uint8_t value, uint16_t mask)
{
	mask &= (uint16_t)(0xff << bit_offset);
	*reg = (uint16_t)((*reg & ~mask) | ((value << bit_offset) & mask));
}

static void acpi_pm_write_gpe(struct acpi_pm *pm, uint64_t gpe, uint8_t value)
{
	unsigned shift = 8 * (unsigned)(gpe % pm->gpe_bytes);

	if (gpe < pm->gpe_bytes)
		pm->gpsts &= ~((uint64_t)value << shift);
	else if (gpe < 2 * pm->gpe_bytes)
		pm->gpen = (pm->gpen & ~(0xffull << shift)) | (uint64_t)value << shift;
}

static void acpi_pm_write_byte(struct acpi_pm *pm, uint64_t offset, uint8_t value)
{
	switch (offset) {
	case PMSTS:
	case PMSTS + 1:
		acpi_pm_sync(pm);
		pm->pmsts &= (uint16_t) ~((value << (8 * (offset - PMSTS))) & PMSTS_W1C);
		break;
	case PMEN:
	case PMEN + 1:
		acpi_pm_sync(pm);
		write_masked(&pm->pmen, 8 * (offset - PMEN), value, PMEN_WRITABLE);
		break;
	case PMCNTRL:
	case PMCNTRL + 1:
		write_masked(&pm->pmcntrl, 8 * (offset - PMCNTRL), value, PMCNTRL_KEPT);
		if (offset == PMCNTRL + 1 && (value << 8 & PMCNTRL_SUS_EN))
			acpi_pm_sleep(pm);
		break;
	default:
		if (offset >= pm->gpe_offset)
			acpi_pm_write_gpe(pm, offset - pm->gpe_offset, value);
		break;
	}
}

static void acpi_pm_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		acpi_pm_write_byte(opaque, offset + i, value >> (8 * i) & 0xff);
	acpi_pm_update(opaque);
}

static const struct region_ops acpi_pm_ops = {
	.read = acpi_pm_read, .write = acpi_pm_write, .min_size = 1, .max_size = 4};

/* Where the ports are */

void acpi_pm_place(struct acpi_pm *pm, uint16_t base, bool enabled)
{
	struct address_space *io = &pm->dev->machine->io;

	as_begin(io);
	region_set_enabled(&pm->ports, base && enabled);
	region_move(&pm->ports, base);
	as_commit(io);
}

uint16_t acpi_pm_base(const struct acpi_pm *pm)
{
	return pm->ports.enabled ? (uint16_t)pm->ports.offset : 0;
}

/* Life */

void acpi_pm_reset(struct acpi_pm *pm)
{
	pm->synced_ns = acpi_pm_now(pm);
	pm->pmsts = pm->pmen = 0;
	pm->gpsts = pm->gpen = 0;
	pm->pmcntrl = PMCNTRL_SCI_EN;
	acpi_pm_update(pm);
}

static bool acpi_pm_post_load(void *opaque, struct error *err)
{
	struct acpi_pm *pm = opaque;

	if (pm->synced_ns < 0 || pm->synced_ns > acpi_pm_now(pm))
		return error_set(err, "%s: saved time is not possible", pm->dev->type->name);
	pm->pmsts &= PMSTS_W1C;
	pm->pmen &= PMEN_WRITABLE;
	pm->pmcntrl = (pm->pmcntrl & PMCNTRL_KEPT) | PMCNTRL_SCI_EN;
	pm->gpsts &= gpe_mask(pm);
	pm->gpen &= gpe_mask(pm);
	pm->pad = 0;
	acpi_pm_update(pm);
	return true;
}

const struct state_desc acpi_pm_state = {
	.name = "acpi_pm",
	.version = 1,
	STATE_SPAN(acpi_pm),
	.post_load = acpi_pm_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(acpi_pm, synced_ns),
			STATE_FIELD(acpi_pm, gpsts),
			STATE_FIELD(acpi_pm, gpen),
			STATE_FIELD(acpi_pm, pmsts),
			STATE_FIELD(acpi_pm, pmen),
			STATE_FIELD(acpi_pm, pmcntrl),
			STATE_FIELD(acpi_pm, pad),
			STATE_END,
		},
};

bool acpi_pm_init(struct acpi_pm *pm, struct device *dev, unsigned bytes, unsigned gpe_offset,
		  unsigned gpe_bytes, struct error *err)
{
	struct machine *m = dev->machine;

	pm->dev = dev;
	pm->gpe_offset = gpe_offset;
	pm->gpe_bytes = gpe_bytes;
	timer_init(&pm->overflow, m->clock, "acpi-pm", acpi_pm_on_overflow, pm);
	region_init_io(&pm->ports, "acpi-pm", &acpi_pm_ops, pm, bytes);
	pm->ports.enabled = false;
	region_init_io(&pm->pmtmr, "acpi-pm-timer", NULL, NULL, 4);
	pm->pmtmr.counter =
		(struct region_counter){.clock = m->clock, .hz = PM_TIMER_HZ, .bits = PMTMR_BITS};
	region_add(&pm->ports, PMTMR, &pm->pmtmr, 0);
	m->power_button = acpi_pm_power_button;
	m->power_button_opaque = pm;
	m->rtc_alarm = acpi_pm_rtc_alarm;
	m->has_s3 = !pm->disable_s3;
	m->has_s4 = !pm->disable_s4;
	m->woken = acpi_pm_woken;
	m->woken_opaque = pm;
	m->raise_gpe = acpi_pm_raise_gpe;
	m->raise_gpe_opaque = pm;
	return isa_connect_irq(dev, &pm->sci, PM_IRQ, err) &&
	       isa_add_ports(dev, &pm->ports, 0, err);
}

void acpi_pm_fini(struct acpi_pm *pm)
{
	struct machine *m = pm->dev->machine;

	timer_cancel(&pm->overflow);
	isa_disconnect_irq(&pm->sci);
	region_remove(&pm->ports);
	region_remove(&pm->pmtmr);
	m->power_button = NULL;
	m->rtc_alarm = NULL;
	m->woken = NULL;
	m->raise_gpe = NULL;
}
