/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82801I (ICH9) LPC interface bridge, function 00:1f.0: power management, interrupt routing, chipset configuration.
 *
 * Intel ICH9 data sheet (316972-004) sections 10 (chipset configuration registers) and 13. Its ISA parts (8254, 8259s, RTC,
 * port 92h, reset control) are devices of their own; the configuration registers are the rows of lpc_registers.
 *
 *	where			what
 *	PMBASE (40h)		the ports of acpi_pm.c, with GPE0_STS at 20h; SMI_EN at 30h
 *	RCBA (F0h)		16 KiB of memory that keeps what is written
 *	PIRQ[n]_ROUT (60h, 68h)	the ISA interrupt of wires A to D, E to H, beside IOAPIC pin 16 + n, which it always has
 *
 * INTx of slot s goes to wire E + (s + x) mod 4; of slots 25 to 29 and 31 to wire A + x, of slot 30 to E + x.
 *
 * Not modelled: what the chipset configuration registers govern (so the slots' interrupt routes are those of reset), TCO,
 * GPIO, LPC decode ranges, SMI.
 * Deviates because: with the property "pm-base" the ports are in place from reset on, for kernels that are started
 * without firmware. SMI_EN.APMC_EN is set for good: SeaBIOS takes it that SMM is somebody's already, and does not wait for
 * an SMI that never comes.
 */
#include <stdlib.h>
#include "devices/chipset/acpi_pm.h"
#include "devices/isa.h"
#include "devices/pci/pci.h"

#define PM_BYTES    128
#define GPE0_STS    0x20
#define GPE_BYTES   8
#define SMI_EN	    0x30
#define SMI_EN_APMC 0x20

#define PMBASE	     0x40
#define PMBASE_BASE  0xff80
#define ACPI_CNTL    0x44
#define ACPI_CNTL_EN 0x80
#define PIRQA_ROUT   0x60
#define PIRQE_ROUT   0x68
#define PIRQ_DISABLE 0x80
#define PIRQ_IRQ     0x0f
#define LPC_PIRQS    8
#define LPC_IRQS     0xdef8 /* that a ROUT register can name: 3 to 7, 9 to 12, 14, 15 */
#define LPC_GSI	     16	    /* of wire A */
#define RCBA	     0xf0
#define RCBA_ENABLE  1
#define RCBA_BASE    0xffffc000
#define RCRB_BYTES   0x4000

#define ELCR 0x4d0 /* the 8259s' edge/level registers: two bytes */

static const struct pci_register lpc_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 316972 13.1 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x2918, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0007, 0x0140, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0200, 0, 0xf900},
	{"RID", PCI_REVISION_ID, 1, 0x02, 0, 0},
	{"CC", PCI_CLASS, 3, 0x060100, 0, 0},
	{"HEADTYP", PCI_HEADER_TYPE, 1, PCI_HEADER_MULTI, 0, 0},
	{"PMBASE", PMBASE, 4, 0x00000001, PMBASE_BASE, 0},
	{"ACPI_CNTL", ACPI_CNTL, 1, 0x00, 0x87, 0},
	{"GPIOBASE", 0x48, 4, 0x00000001, 0x0000ff80, 0},
	{"GC", 0x4c, 1, 0x00, 0x11, 0},
	{"PIRQA-D_ROUT", PIRQA_ROUT, 4, 0x80808080, 0x8f8f8f8f, 0},
	{"SIRQ_CNTL", 0x64, 1, 0x10, 0xff, 0},
	{"PIRQE-H_ROUT", PIRQE_ROUT, 4, 0x80808080, 0x8f8f8f8f, 0},
	{"LPC_I/O_DEC", 0x80, 2, 0x0000, 0x1377, 0},
	{"LPC_EN", 0x82, 2, 0x0000, 0x3f0f, 0},
	{"GEN_PMCON_1", 0xa0, 2, 0x0000, 0x15bb, 0},
	{"GEN_PMCON_2", 0xa2, 1, 0x00, 0x80, 0x07},
	{"GEN_PMCON_3", 0xa4, 1, 0x00, 0xb9, 0x06},
	{"BIOS_CNTL", 0xdc, 1, 0x00, 0x1d, 0},
	{"RCBA", RCBA, 4, 0x00000000, 0xffffc001, 0},
	{.name = NULL},
};

struct lpc {
	struct pci_device pci;
	struct acpi_pm pm;

	/* configuration */
	uint16_t pm_base;
	struct region rcrb, smi_en;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t rcrb_bytes[RCRB_BYTES];
	GUEST_VISIBLE_END;

	/* host side */
	struct irq out[LPC_PIRQS]; /* by wire: the ISA interrupt it is routed to */
	bool wire[LPC_PIRQS];
};

static struct lpc *lpc_of(struct device *dev)
{
	return container_of(dev, struct lpc, pci.dev);
}

uint16_t ich9_lpc_pm_base(struct device *dev)
{
	return acpi_pm_base(&lpc_of(dev)->pm);
}

/* ---- interrupts ---- */

static unsigned lpc_map(unsigned slot, unsigned pin)
{
	if (slot < 25)
		return 4 + (slot + pin) % 4;
	return slot == 30 ? 4 + pin : pin;
}

static void lpc_set_wire(void *opaque, unsigned pirq, bool level)
{
	struct lpc *s = opaque;

	s->wire[pirq] = level;
	irq_set(&s->out[pirq], level);
	irq_set(&s->pci.dev.machine->gsi[LPC_GSI + pirq], level);
}

static unsigned rout_of(unsigned pirq)
{
	return pirq < 4 ? PIRQA_ROUT + pirq : PIRQE_ROUT + pirq - 4;
}

/* A reserved number routes nowhere. */
static void lpc_connect(struct lpc *s, unsigned pirq)
{
	uint8_t rout = s->pci.config[rout_of(pirq)], irq = rout & PIRQ_IRQ;

	isa_disconnect_irq(&s->out[pirq]);
	if (!(rout & PIRQ_DISABLE) && (LPC_IRQS & BIT(irq)))
		isa_connect_irq(&s->pci.dev, &s->out[pirq], irq, NULL);
	irq_set(&s->out[pirq], s->wire[pirq]);
}

static uint8_t lpc_line(void *opaque, unsigned pirq)
{
	return 10 + pirq / 2 % 2;
}

/* IRQ 10 for half of the wires, 11 for the others; both level-triggered. */
static void lpc_route(void *opaque)
{
	struct lpc *s = opaque;
	struct address_space *io = &s->pci.dev.machine->io;
	uint64_t elcr = as_read(io, ELCR, 1) | as_read(io, ELCR + 1, 1) << 8;

	for (unsigned i = 0; i < LPC_PIRQS; i++) {
		pci_config_write(s->pci.bus, 0, (unsigned)s->pci.addr, rout_of(i), lpc_line(s, i),
				 1);
		elcr |= BIT(lpc_line(s, i));
	}
	as_write(io, ELCR, elcr & 0xff, 1);
	as_write(io, ELCR + 1, elcr >> 8, 1);
}

static const struct pci_pirq_ops lpc_pirq = {
	.map = lpc_map, .set = lpc_set_wire, .route = lpc_route, .line = lpc_line};

/* ---- chipset configuration registers; SMI_EN ---- */

static uint64_t rcrb_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct lpc *s = opaque;

	return ldn_le(&s->rcrb_bytes[offset], size);
}

static void rcrb_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct lpc *s = opaque;

	stn_le(&s->rcrb_bytes[offset], size, value);
}

static const struct region_ops rcrb_ops = {
	.read = rcrb_read, .write = rcrb_write, .min_size = 1, .max_size = 4};

static uint64_t smi_en_read(void *opaque, uint64_t offset, unsigned size)
{
	return SMI_EN_APMC >> (8 * offset);
}

static void smi_en_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct region_ops smi_en_ops = {
	.read = smi_en_read, .write = smi_en_write, .min_size = 1, .max_size = 4};

/* ---- configuration registers ---- */

static bool touches(unsigned offset, unsigned bytes, unsigned reg, unsigned n)
{
	return offset < reg + n && offset + bytes > reg;
}

static void lpc_place_rcrb(struct lpc *s)
{
	struct address_space *mem = &s->pci.dev.machine->mem;
	uint32_t rcba = pci_get(&s->pci, RCBA, 4);

	as_begin(mem);
	region_set_enabled(&s->rcrb, rcba & RCBA_ENABLE);
	region_move(&s->rcrb, rcba & RCBA_BASE);
	as_commit(mem);
}

static void lpc_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct lpc *s = container_of(pci, struct lpc, pci);

	for (unsigned i = 0; i < LPC_PIRQS; i++)
		if (touches(offset, bytes, rout_of(i), 1))
			lpc_connect(s, i);
	if (touches(offset, bytes, PMBASE, 5))
		acpi_pm_place(&s->pm, pci_get(pci, PMBASE, 2) & PMBASE_BASE,
			      pci->config[ACPI_CNTL] & ACPI_CNTL_EN);
	if (touches(offset, bytes, RCBA, 4))
		lpc_place_rcrb(s);
}

static void lpc_reset(struct device *dev)
{
	struct lpc *s = lpc_of(dev);

	pci_device_reset(&s->pci);
	if (s->pm_base) {
		pci_set(&s->pci, PMBASE, 2, s->pm_base | 1);
		s->pci.config[ACPI_CNTL] = ACPI_CNTL_EN;
		lpc_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	}
	memset(s->rcrb_bytes, 0, sizeof(s->rcrb_bytes));
	acpi_pm_reset(&s->pm);
}

static const struct state_desc lpc_state = {
	.name = "ich9_lpc",
	.version = 1,
	STATE_SPAN(lpc),
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(lpc, pci, pci_device_state),
			STATE_STRUCT(lpc, pm, acpi_pm_state),
			STATE_ARRAY(lpc, rcrb_bytes),
			STATE_END,
		},
};

static const struct device_prop lpc_props[] = {
	PCI_PROPS_AT(lpc, PCI_DEVFN(31, 0)),
	DEFINE_PROP(lpc, pm_base, "pm-base", PROP_U16, 0,
		    "where the ports are from reset on; 0: where firmware puts them"),
	ACPI_PM_PROPS(lpc),
	DEFINE_PROP_END,
};

static bool lpc_realize(struct device *dev, struct error *err)
{
	struct lpc *s = lpc_of(dev);

	if (s->pm_base & ~PMBASE_BASE)
		return error_set(err, "ICH9-LPC: pm-base 0x%x is not a multiple of %u", s->pm_base,
				 PM_BYTES);
	if (!pci_device_init(&s->pci, lpc_registers, err))
		return false;
	s->pci.config_changed = lpc_config_changed;
	if (!s->pci.bus->bridge && !s->pci.bus->pirq) {
		s->pci.bus->pirq = &lpc_pirq;
		s->pci.bus->pirq_opaque = s;
	}
	region_init_io(&s->rcrb, "ich9-rcrb", &rcrb_ops, s, RCRB_BYTES);
	s->rcrb.enabled = false;
	region_add(&dev->machine->mem.root, 0, &s->rcrb, 1);
	if (!acpi_pm_init(&s->pm, dev, PM_BYTES, GPE0_STS, GPE_BYTES, err))
		return false;
	region_init_io(&s->smi_en, "ich9-smi-en", &smi_en_ops, s, 4);
	region_add(&s->pm.ports, SMI_EN, &s->smi_en, 0);
	return true;
}

static void lpc_unrealize(struct device *dev)
{
	struct lpc *s = lpc_of(dev);

	if (!s->pci.bus)
		return;
	if (s->pci.bus->pirq_opaque == s)
		s->pci.bus->pirq = NULL;
	for (unsigned i = 0; i < LPC_PIRQS; i++)
		isa_disconnect_irq(&s->out[i]);
	region_remove(&s->rcrb);
	region_remove(&s->smi_en);
	acpi_pm_fini(&s->pm);
	pci_device_fini(&s->pci);
}

const struct device_type ich9_lpc_type = {
	.name = "ICH9-LPC",
	.desc = "82801I LPC bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct lpc),
	.props = lpc_props,
	.state = &lpc_state,
	.realize = lpc_realize,
	.reset = lpc_reset,
	.unrealize = lpc_unrealize,
};
