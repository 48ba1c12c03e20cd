/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82371SB (PIIX3) PCI-to-ISA bridge, function 0.
 *
 * Intel 82371FB/82371SB data sheet (290550-002) section 2.2. Its ISA parts (8254, 8259s, RTC ports,
 * port 92h, RCR) are devices of their own; the registers here are the rows of piix3_registers.
 *
 * Not modelled: what the registers govern: positive decode, ISA timing, PIRQ routing (no function
 * on the board drives INTx), top of memory for DMA, SMI.
 * Deviates because: nothing.
 */
#include "devices/pci/pci.h"

#define PIIX3_PIRQRC_WRITABLE 0x8f8f8f8f

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
	{"PIRQRC", 0x60, 4, 0x80808080, PIIX3_PIRQRC_WRITABLE, 0}, /* A to D */
	{"TOM", 0x69, 1, 0x02, 0xfe, 0},
	{"MSTAT", 0x6a, 2, 0x0000, 0x8000, 0},
	{"DLC", 0x82, 1, 0x00, 0x0f, 0},
	{.name = NULL},
};

struct piix3 {
	struct pci_device pci;
};

static struct piix3 *piix3_of(struct device *dev)
{
	return container_of(dev, struct piix3, pci.dev);
}

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
	DEFINE_PROP(piix3, pci.addr, "addr", PROP_PCI_ADDR, PCI_DEVFN(1, 0),
		    "PCI slot and function"),
	DEFINE_PROP_END,
};

static bool piix3_realize(struct device *dev, struct error *err)
{
	return pci_device_init(&piix3_of(dev)->pci, piix3_registers, err);
}

static void piix3_unrealize(struct device *dev)
{
	pci_device_fini(&piix3_of(dev)->pci);
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
