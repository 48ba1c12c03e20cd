/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82371SB (PIIX3) PCI-to-ISA bridge, function 0.
 *
 * Intel 82371FB/82371SB data sheet (290550-002) section 2.2. Its ISA parts (8254, 8259s, RTC ports,
 * port 92h, RCR) are devices of their own; the registers here are the rows of piix3_registers.
 *
 * PIRQA# to PIRQD# are the wires of the root bus: INTx of slot s goes to PIRQ (s - 1 + x) mod 4, as on boards of the time.
 *
 * Not modelled: what the other registers govern: positive decode, ISA timing, top of memory for DMA, SMI.
 * Deviates because: nothing.
 */
#include "devices/isa.h"
#include "devices/pci/pci.h"

#define PIRQRC		      0x60
#define PIRQRC_DISABLE	      0x80 /* the wire goes to no IRQ */
#define PIRQRC_IRQ	      0x0f
#define PIIX3_PIRQRC_WRITABLE 0x8f8f8f8f
#define PIIX3_PIRQS	      4
#define PIIX3_IRQS	      0xdef8 /* that PIRQRC can name: 3 to 7, 9 to 12, 14, 15 */

#define ELCR 0x4d0 /* the 8259s' edge/level registers: two bytes */

static const struct pci_register piix3_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 290550 2.2 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x7000, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0007, 0x0108, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0200, 0, 0x7800},
	{"RID", PCI_REVISION_ID, 1, 0x00, 0, 0},
	{"CLASSC", PCI_CLASS, 3, 0x060100, 0, 0},
	{"HEDT", PCI_HEADER_TYPE, 1, PCI_HEADER_MULTI, 0, 0},
	{"IORT", 0x4c, 1, 0x4d, 0x7f, 0},
	{"XBCS", 0x4e, 2, 0x0003, 0x07ff, 0},
	{"PIRQRC", PIRQRC, 4, 0x80808080, PIIX3_PIRQRC_WRITABLE, 0}, /* A to D */
	{"TOM", 0x69, 1, 0x02, 0xfe, 0},
	{"MSTAT", 0x6a, 2, 0x0000, 0x8000, 0},
	{"DLC", 0x82, 1, 0x00, 0x0f, 0},
	{.name = NULL},
};

struct piix3 {
	struct pci_device pci;

	/* host side */
	struct irq out[PIIX3_PIRQS]; /* by wire: the ISA interrupt it is routed to */
	bool wire[PIIX3_PIRQS];
};

static struct piix3 *piix3_of(struct device *dev)
{
	return container_of(dev, struct piix3, pci.dev);
}

/* ---- PIRQ routing ---- */

static unsigned piix3_map(unsigned slot, unsigned pin)
{
	return (slot + pin + PIIX3_PIRQS - 1) % PIIX3_PIRQS;
}

static void piix3_set_wire(void *opaque, unsigned pirq, bool level)
{
	struct piix3 *s = opaque;

	s->wire[pirq] = level;
	irq_set(&s->out[pirq], level);
}

/* A reserved number routes nowhere. */
static void piix3_connect(struct piix3 *s, unsigned pirq)
{
	uint8_t pirqrc = s->pci.config[PIRQRC + pirq], irq = pirqrc & PIRQRC_IRQ;

	isa_disconnect_irq(&s->out[pirq]);
	if (!(pirqrc & PIRQRC_DISABLE) && (PIIX3_IRQS & BIT(irq)))
		isa_connect_irq(&s->pci.dev, &s->out[pirq], irq, NULL);
	irq_set(&s->out[pirq], s->wire[pirq]);
}

static void piix3_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct piix3 *s = container_of(pci, struct piix3, pci);

	for (unsigned i = 0; i < PIIX3_PIRQS; i++)
		if (PIRQRC + i >= offset && PIRQRC + i < offset + bytes)
			piix3_connect(s, i);
}

/* IRQ 10 for two wires, 11 for the others; both level-triggered. */
static uint8_t piix3_line(void *opaque, unsigned pirq)
{
	return 10 + pirq / 2;
}

static void piix3_route(void *opaque)
{
	struct piix3 *s = opaque;
	struct address_space *io = &s->pci.dev.machine->io;
	uint64_t elcr = as_read(io, ELCR, 1) | as_read(io, ELCR + 1, 1) << 8;

	for (unsigned i = 0; i < PIIX3_PIRQS; i++) {
		pci_config_write(s->pci.bus, 0, s->pci.addr, PIRQRC + i, piix3_line(s, i), 1);
		elcr |= BIT(piix3_line(s, i));
	}
	as_write(io, ELCR, elcr & 0xff, 1);
	as_write(io, ELCR + 1, elcr >> 8, 1);
}

static const struct pci_pirq_ops piix3_pirq = {
	.map = piix3_map, .set = piix3_set_wire, .route = piix3_route, .line = piix3_line};

static void piix3_reset(struct device *dev)
{
	pci_device_reset(&piix3_of(dev)->pci);
}

static const struct state_desc piix3_state = {
	.name = "piix3",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(piix3, pci, pci_device_state),
			STATE_END,
		},
};

static const struct device_prop piix3_props[] = {
	PCI_PROPS_AT(piix3, PCI_DEVFN(1, 0)),
	DEFINE_PROP_END,
};

static bool piix3_realize(struct device *dev, struct error *err)
{
	struct piix3 *s = piix3_of(dev);

	if (!pci_device_init(&s->pci, piix3_registers, err))
		return false;
	s->pci.config_changed = piix3_config_changed;
	if (!s->pci.bus->bridge && !s->pci.bus->pirq) {
		s->pci.bus->pirq = &piix3_pirq;
		s->pci.bus->pirq_opaque = s;
	}
	return true;
}

static void piix3_unrealize(struct device *dev)
{
	struct piix3 *s = piix3_of(dev);

	if (!s->pci.bus)
		return;
	if (s->pci.bus->pirq_opaque == s)
		s->pci.bus->pirq = NULL;
	for (unsigned i = 0; i < PIIX3_PIRQS; i++)
		isa_disconnect_irq(&s->out[i]);
	pci_device_fini(&s->pci);
}

const struct device_type piix3_type = {
	.name = "PIIX3",
	.desc = "82371SB PCI-to-ISA bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct piix3),
	.props = piix3_props,
	.state = &piix3_state,
	.realize = piix3_realize,
	.reset = piix3_reset,
	.unrealize = piix3_unrealize,
};
