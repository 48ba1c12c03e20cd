/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bridges to conventional PCI: from PCI (pci-bridge) and from PCI Express (pcie-pci-bridge).
 *
 * PCI-to-PCI Bridge Architecture Specification 1.2, chapters 3 and 13 (slot numbering); PCI Express to PCI/PCI-X Bridge
 * Specification 1.0. bridge.c has the header and the windows.
 *
 *	type		vendor:device	its own capabilities
 *	pci-bridge	1b36:0001	Slot Identification: the chassis number
 *	pcie-pci-bridge	1b36:000e	Express
 *
 * Not modelled: the standard hot plug controller (SHPC), and with it interrupts of the bridge's own; VGA forwarding.
 * Deviates because: Bus Master does not hold back what devices behind do by DMA, as SeaBIOS leaves it clear.
 */
#include "devices/pci/pcie.h"

#define PCI_CAP_SLOT_ID 0x04
#define SLOT_ID_BYTES	4
#define SLOT_ID_FIRST	0x20 /* the first bridge in its chassis */

struct to_pci {
	struct pci_bridge bridge;

	/* configuration */
	uint8_t chassis_nr;
	bool shpc;
};

static struct to_pci *to_pci_of(struct device *dev)
{
	return container_of(dev, struct to_pci, bridge.pci.dev);
}

static bool to_pci_init(struct to_pci *s, uint16_t device, struct error *err)
{
	const struct pci_register rows[] = {
		{"vendor", PCI_VENDOR_ID, 2, 0x1b36, 0, 0},
		{"device", PCI_DEVICE_ID, 2, device, 0, 0},
		{"class", PCI_CLASS, 3, 0x060400, 0, 0},
		{.name = NULL},
	};

	return pci_bridge_init(&s->bridge, rows, false, err);
}

static bool pci_bridge_realize(struct device *dev, struct error *err)
{
	struct to_pci *s = to_pci_of(dev);
	const struct pci_register rows[] = {
		{"expansion slots", 2, 1, SLOT_ID_FIRST, 0, 0},
		{"chassis number", 3, 1, s->chassis_nr, 0xff, 0},
		{.name = NULL},
	};

	if (!s->chassis_nr)
		return error_set(err, "%s: chassis_nr=1 to 255 is needed, another for each bridge",
				 dev->type->name);
	if (s->shpc)
		return error_set(err, "%s: shpc=on: bridges do not do hot plugging yet",
				 dev->type->name);
	if (!to_pci_init(s, 0x0001, err))
		return false;
	pci_add_capability(&s->bridge.pci, PCI_CAP_SLOT_ID, 0, SLOT_ID_BYTES, rows);
	return true;
}

static bool pcie_pci_bridge_realize(struct device *dev, struct error *err)
{
	struct to_pci *s = to_pci_of(dev);

	if (!to_pci_init(s, 0x000e, err))
		return false;
	if (!s->bridge.pci.bus->express) {
		error_set(err, "%s: goes on a PCI Express bus, and %s is none", dev->type->name,
			  s->bridge.pci.bus->name);
		pci_bridge_fini(&s->bridge);
		return false;
	}
	pcie_express_init(&s->bridge.pci, 0, PCIE_TO_PCI_BRIDGE, 0, 0);
	return true;
}

static void to_pci_reset(struct device *dev)
{
	pci_device_reset(&to_pci_of(dev)->bridge.pci);
}

static void to_pci_unrealize(struct device *dev)
{
	pci_bridge_fini(&to_pci_of(dev)->bridge);
}

static const struct state_desc to_pci_state = {
	.name = "pci-bridge",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(to_pci, bridge.pci, pci_device_state),
			STATE_END,
		},
};

static const struct device_prop pci_bridge_props[] = {
	PCI_PROPS(pci_bridge),
	DEFINE_PROP(to_pci, chassis_nr, "chassis_nr", PROP_U8, 0,
		    "number of the chassis, from 1 on"),
	DEFINE_PROP(to_pci, shpc, "shpc", PROP_BOOL, 0, "must be off"),
	DEFINE_PROP_END,
};

static const struct device_prop pcie_pci_bridge_props[] = {
	PCI_PROPS(pci_bridge),
	DEFINE_PROP_END,
};

const struct device_type pci_bridge_type = {
	.name = "pci-bridge",
	.desc = "Standard PCI Bridge",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct to_pci),
	.props = pci_bridge_props,
	.state = &to_pci_state,
	.realize = pci_bridge_realize,
	.reset = to_pci_reset,
	.unrealize = to_pci_unrealize,
};

const struct device_type pcie_pci_bridge_type = {
	.name = "pcie-pci-bridge",
	.desc = "PCI Express to PCI bridge",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct to_pci),
	.props = pcie_pci_bridge_props,
	.state = &to_pci_state,
	.realize = pcie_pci_bridge_realize,
	.reset = to_pci_reset,
	.unrealize = to_pci_unrealize,
};
