/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvpanic as a PCI function.
 *
 * QEMU, docs/specs/pvpanic and pci-ids: BAR 0 is memory, whose first byte is the register of devices/chipset/pvpanic.c.
 *
 * Not modelled: nothing.
 * Deviates because: BAR 0 is of 16 bytes, not 2: PCI 3.0 6.2.5.1 has none that is smaller.
 */
#include "devices/chipset/pvpanic.h"
#include "devices/pci/pci.h"

#define BAR_BYTES 16

static const struct pci_register pvpanic_pci_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits */
	{"VID", PCI_VENDOR_ID, 2, 0x1b36, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x0011, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0000, PCI_COMMAND_MEMORY, 0},
	{"RID", PCI_REVISION_ID, 1, 0x01, 0, 0},
	{"CLASSC", PCI_CLASS, 3, 0x088000, 0, 0},
	{"SVID", PCI_SUBSYSTEM_VENDOR, 2, 0x1af4, 0, 0},
	{"SID", PCI_SUBSYSTEM, 2, 0x1100, 0, 0},
	{.name = NULL},
};

struct pvpanic_pci {
	struct pci_device pci;
	struct pvpanic panic;
};

static struct pvpanic_pci *pvpanic_pci_of(struct device *dev)
{
	return container_of(dev, struct pvpanic_pci, pci.dev);
}

static void pvpanic_pci_reset(struct device *dev)
{
	pci_device_reset(&pvpanic_pci_of(dev)->pci);
}

static const struct state_desc pvpanic_pci_state = {
	.name = "pvpanic_pci",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(pvpanic_pci, pci, pci_device_state),
			STATE_END,
		},
};

static const struct device_prop pvpanic_pci_props[] = {
	PCI_PROPS(pvpanic_pci),
	PVPANIC_PROP_EVENTS(pvpanic_pci),
	DEFINE_PROP_END,
};

static bool pvpanic_pci_realize(struct device *dev, struct error *err)
{
	struct pvpanic_pci *s = pvpanic_pci_of(dev);

	if (!pci_device_init(&s->pci, pvpanic_pci_registers, err))
		return false;
	pvpanic_init(&s->panic, dev, BAR_BYTES);
	pci_bar_init(&s->pci, 0, 0, &s->panic.region);
	return true;
}

static void pvpanic_pci_unrealize(struct device *dev)
{
	pci_device_fini(&pvpanic_pci_of(dev)->pci);
}

const struct device_type pvpanic_pci_type = {
	.name = "pvpanic-pci",
	.desc = "tells the host of the guest's panic",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct pvpanic_pci),
	.props = pvpanic_pci_props,
	.state = &pvpanic_pci_state,
	.realize = pvpanic_pci_realize,
	.reset = pvpanic_pci_reset,
	.unrealize = pvpanic_pci_unrealize,
};
