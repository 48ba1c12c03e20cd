/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82371AB (PIIX4) power management, function 3: the ACPI fixed hardware.
 *
 * Intel 82371AB data sheet (290562-001) section 7; ACPI 6.4 section 4.8 "ACPI register model".
 *
 *	offset	name	width	access	reset		section (290562)
 *	00	PMSTS	16	R/W1C	0000		7.2.1
 *	02	PMEN	16	RW	0000		7.2.2
 *	04	PMCNTRL	16	RW	0001		7.2.3
 *	08	PMTMR	32	R	counts		7.2.4; 24 bits at 3.579545 MHz
 *	0c	GPSTS	16	R/W1C	0000		7.2.5
 *	0e	GPEN	16	RW	0000		7.2.6
 *
 * They lie at PMBA (configuration register 40h) while PMIOSE (80h) is set; the configuration
 * registers are the rows of acpi_pm_registers. SCI is IRQ 9.
 *
 * Not modelled: SMBus; throttling, device monitors and the global SMI registers at offset 10h and
 * up (read as 0); any source of a general purpose event; sleeping states other than soft-off.
 * Deviates because: with the property "pm-base" the block is in place from reset on, and SCI_EN is
 * always set: a kernel that is started without firmware finds nobody else to do it, and there is no
 * SMI to ask by. APMC_EN is set for good: SeaBIOS takes it that SMM is somebody's already, and does
 * not wait for an SMI that never comes.
 */
#include "devices/isa.h"
#include "devices/pci/pci.h"
#include "src/log.h"

#define PM_BYTES    64
#define PM_IRQ	    9
#define PM_TIMER_HZ 3579545

#define PMBA		 0x40
#define PMBA_BASE	 0xffc0
#define DEVACTB		 0x58
#define DEVACTB_APMC_EN	 0x02000000
#define PMREGMISC	 0x80
#define PMREGMISC_PMIOSE 0x01

#define PMSTS	0x00
#define PMEN	0x02
#define PMCNTRL 0x04
#define PMTMR	0x08
#define GPSTS	0x0c
#define GPEN	0x0e

#define PMSTS_TMROF	0x0001
#define PMSTS_PWRBTN	0x0100
#define PMSTS_W1C	0x8d31
#define PMEN_WRITABLE	0x0521
#define PMCNTRL_SCI_EN	0x0001
#define PMCNTRL_SUS_TYP 0x1c00
#define PMCNTRL_SUS_EN	0x2000
#define PMCNTRL_KEPT	0x1c02 /* SUS_TYP, BRLD_EN_BM; SUS_EN and GBL_RLS are commands */
#define PMCNTRL_SOFTOFF 0x0000 /* SUS_TYP: S5 */
#define PMTMR_BITS	24
#define PMTMR_CARRY	23 /* TMROF_STS follows the toggling of this bit */
#define GPE_WRITABLE	0x0f03

static const struct pci_register acpi_pm_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 290562 7.1 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x7113, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0000, 0x0001, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0280, 0, 0x0800},
	{"RID", PCI_REVISION_ID, 1, 0x03, 0, 0},
	{"CLASSC", PCI_CLASS, 3, 0x068000, 0, 0},
	{"INTLN", PCI_INTERRUPT_LINE, 1, 0x09, 0xff, 0},
	{"INTPN", PCI_INTERRUPT_PIN, 1, 0x01, 0, 0},
	{"PMBA", PMBA, 4, 0x00000001, PMBA_BASE, 0},
	{"DEVACTB", DEVACTB, 4, DEVACTB_APMC_EN, 0, 0},
	{"PMREGMISC", PMREGMISC, 1, 0x00, PMREGMISC_PMIOSE, 0},
	{.name = NULL},
};

struct acpi_pm {
	struct pci_device pci;

	/* configuration */
	struct region ports, pmtmr;
	uint16_t pm_base;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int64_t synced_ns; /* guest clock: TMROF_STS has been worked out up to here */
	uint16_t pmsts, pmen, pmcntrl;
	uint16_t gpsts, gpen;
	GUEST_VISIBLE_END;

	/* host side */
	struct irq sci;
	struct timer overflow;
};

static struct acpi_pm *acpi_pm_of(struct device *dev)
{
	return container_of(dev, struct acpi_pm, pci.dev);
}

/* Timer and SCI */

static uint64_t pm_timer_clks(int64_t ns)
{
	return muldiv64(ns, PM_TIMER_HZ, NS_PER_SEC);
}

static int64_t acpi_pm_now(const struct acpi_pm *s)
{
	return clock_now_ns(s->pci.dev.machine->clock);
}

static void acpi_pm_sync(struct acpi_pm *s)
{
	int64_t now = acpi_pm_now(s);

	if (pm_timer_clks(now) >> PMTMR_CARRY != pm_timer_clks(s->synced_ns) >> PMTMR_CARRY)
		s->pmsts |= PMSTS_TMROF;
	s->synced_ns = now;
}

/* SCI, and the timer if the carry's interrupt is waited for. */
static void acpi_pm_update(struct acpi_pm *s)
{
	bool event = (s->pmsts & s->pmen) || (s->gpsts & s->gpen);
	uint64_t carry = ((pm_timer_clks(s->synced_ns) >> PMTMR_CARRY) + 1) << PMTMR_CARRY;

	irq_set(&s->sci, event && (s->pmcntrl & PMCNTRL_SCI_EN));
	if (s->pmen & ~s->pmsts & PMSTS_TMROF)
		timer_arm(&s->overflow, muldiv64(carry, NS_PER_SEC, PM_TIMER_HZ) + 1);
	else
		timer_cancel(&s->overflow);
}

static void acpi_pm_on_overflow(void *opaque)
{
	struct acpi_pm *s = opaque;

	acpi_pm_sync(s);
	acpi_pm_update(s);
}

void acpi_pm_power_button(void *opaque)
{
	struct acpi_pm *s = acpi_pm_of(opaque);

	s->pmsts |= PMSTS_PWRBTN;
	acpi_pm_update(s);
}

/* Reads */

static uint32_t acpi_pm_read_dword(struct acpi_pm *s, uint64_t offset)
{
	switch (offset) {
	case PMSTS:
		acpi_pm_sync(s);
		return s->pmsts | (uint32_t)s->pmen << 16;
	case PMCNTRL:
		return s->pmcntrl;
	case GPSTS:
		return s->gpsts | (uint32_t)s->gpen << 16;
	default:
		return 0;
	}
}

static uint64_t acpi_pm_read(void *opaque, uint64_t offset, unsigned size)
{
	return acpi_pm_read_dword(opaque, ALIGN_DOWN(offset, 4)) >> (offset & 3) * 8;
}

/* Writes */

static void acpi_pm_sleep(struct acpi_pm *s)
{
	if ((s->pmcntrl & PMCNTRL_SUS_TYP) == PMCNTRL_SOFTOFF)
		machine_request_shutdown(s->pci.dev.machine, SHUTDOWN_GUEST, 0);
	else
		guest_error(&s->pci.dev, "sleeping state of type %u is none that the board has",
			    (s->pmcntrl & PMCNTRL_SUS_TYP) >> 10);
}

/* VALUE and MASK have the written bytes in place within the 16-bit register at OFFSET. */
static void acpi_pm_write_word(struct acpi_pm *s, uint64_t offset, uint16_t value, uint16_t mask)
{
	switch (offset) {
	case PMSTS:
		acpi_pm_sync(s);
		s->pmsts &= ~(value & mask & PMSTS_W1C);
		break;
	case PMEN:
		acpi_pm_sync(s);
		mask &= PMEN_WRITABLE;
		s->pmen = (s->pmen & ~mask) | (value & mask);
		break;
	case PMCNTRL:
		s->pmcntrl = (s->pmcntrl & ~(mask & PMCNTRL_KEPT)) | (value & mask & PMCNTRL_KEPT);
		if (value & mask & PMCNTRL_SUS_EN)
			acpi_pm_sleep(s);
		break;
	case GPSTS:
		s->gpsts &= ~(value & mask & GPE_WRITABLE);
		break;
	case GPEN:
		mask &= GPE_WRITABLE;
		s->gpen = (s->gpen & ~mask) | (value & mask);
		break;
	default:
		break;
	}
}

static void acpi_pm_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_pm *s = opaque;
	uint64_t mask = size == 4 ? 0xffffffff : (1u << size * 8) - 1;
	unsigned shift = (offset & 1) * 8;

	acpi_pm_write_word(s, offset & ~1ull, value << shift, mask << shift);
	if (size == 4)
		acpi_pm_write_word(s, offset + 2, value >> 16, 0xffff);
	acpi_pm_update(s);
}

static const struct region_ops acpi_pm_ops = {
	.read = acpi_pm_read, .write = acpi_pm_write, .min_size = 1, .max_size = 4};

/* PMBA or PMIOSE changed: where the block is, if it is anywhere. */
static void acpi_pm_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct acpi_pm *s = container_of(pci, struct acpi_pm, pci);
	struct address_space *io = &pci->dev.machine->io;
	uint16_t base = ldn_le(&pci->config[PMBA], 2) & PMBA_BASE;

	as_begin(io);
	region_set_enabled(&s->ports, base && (pci->config[PMREGMISC] & PMREGMISC_PMIOSE));
	region_move(&s->ports, base);
	as_commit(io);
}

static void acpi_pm_reset(struct device *dev)
{
	struct acpi_pm *s = acpi_pm_of(dev);

	pci_device_reset(&s->pci);
	if (s->pm_base) {
		stn_le(&s->pci.config[PMBA], 2, s->pm_base | 1);
		s->pci.config[PMREGMISC] |= PMREGMISC_PMIOSE;
		s->pci.config[PCI_COMMAND] |= PCI_COMMAND_IO;
		acpi_pm_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	}
	s->synced_ns = acpi_pm_now(s);
	s->pmsts = s->pmen = s->gpsts = s->gpen = 0;
	s->pmcntrl = PMCNTRL_SCI_EN;
	acpi_pm_update(s);
}

static bool acpi_pm_post_load(void *opaque, struct error *err)
{
	struct acpi_pm *s = opaque;

	if (s->synced_ns < 0 || s->synced_ns > acpi_pm_now(s))
		return error_set(err, "PIIX4_PM: saved time is not possible");
	s->pmsts &= PMSTS_W1C;
	s->pmen &= PMEN_WRITABLE;
	s->pmcntrl = (s->pmcntrl & PMCNTRL_KEPT) | PMCNTRL_SCI_EN;
	s->gpsts &= GPE_WRITABLE;
	s->gpen &= GPE_WRITABLE;
	acpi_pm_update(s);
	return true;
}

static const struct state_desc acpi_pm_state = {
	.name = "acpi_pm",
	.version = 1,
	STATE_SPAN(acpi_pm),
	.post_load = acpi_pm_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(acpi_pm, pci, pci_device_state),
			STATE_FIELD(acpi_pm, synced_ns),
			STATE_FIELD(acpi_pm, pmsts),
			STATE_FIELD(acpi_pm, pmen),
			STATE_FIELD(acpi_pm, pmcntrl),
			STATE_FIELD(acpi_pm, gpsts),
			STATE_FIELD(acpi_pm, gpen),
			STATE_END,
		},
};

static const struct device_prop acpi_pm_props[] = {
	PCI_PROPS_AT(acpi_pm, PCI_DEVFN(1, 3)),
	DEFINE_PROP(acpi_pm, pm_base, "pm-base", PROP_U16, 0,
		    "where the ports are from reset on; 0: where firmware puts them"),
	DEFINE_PROP_END,
};

static bool acpi_pm_realize(struct device *dev, struct error *err)
{
	struct acpi_pm *s = acpi_pm_of(dev);

	if (s->pm_base & ~PMBA_BASE)
		return error_set(err, "PIIX4_PM: pm-base 0x%x is not a multiple of %u", s->pm_base,
				 PM_BYTES);
	if (!pci_device_init(&s->pci, acpi_pm_registers, err))
		return false;
	s->pci.config_changed = acpi_pm_config_changed;
	timer_init(&s->overflow, dev->machine->clock, "acpi-pm", acpi_pm_on_overflow, s);
	region_init_io(&s->ports, "acpi-pm", &acpi_pm_ops, s, PM_BYTES);
	s->ports.enabled = false;
	region_init_io(&s->pmtmr, "acpi-pm-timer", NULL, NULL, 4);
	s->pmtmr.counter = (struct region_counter){
		.clock = dev->machine->clock, .hz = PM_TIMER_HZ, .bits = PMTMR_BITS};
	region_add(&s->ports, PMTMR, &s->pmtmr, 0);
	return isa_connect_irq(dev, &s->sci, PM_IRQ, err) && isa_add_ports(dev, &s->ports, 0, err);
}

static void acpi_pm_unrealize(struct device *dev)
{
	struct acpi_pm *s = acpi_pm_of(dev);

	timer_cancel(&s->overflow);
	isa_disconnect_irq(&s->sci);
	region_remove(&s->ports);
	region_remove(&s->pmtmr);
	pci_device_fini(&s->pci);
}

const struct device_type piix4_pm_type = {
	.name = "PIIX4_PM",
	.desc = "82371AB power management",
	.bus = BUS_PCI,
	.size = sizeof(struct acpi_pm),
	.props = acpi_pm_props,
	.state = &acpi_pm_state,
	.realize = acpi_pm_realize,
	.reset = acpi_pm_reset,
	.unrealize = acpi_pm_unrealize,
};
