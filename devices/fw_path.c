/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenFirmware paths of devices (IEEE 1275 PCI bus binding, section 2), by QEMU's names for PCI's classes. */
#include <stdlib.h>
#include "devices/pci/pci.h"
#include "src/boot/bootorder.h"

#define PCI_BASE_CLASS 0x0a /* two bytes: subclass, base class */
#define PCI_CLASS_ISA  0x0601

static const struct {
	uint16_t class; /* base class and subclass */
	const char *name;
} class_names[] = {
	{0x0001, "display"},  {0x0100, "scsi"},	      {0x0101, "ide"},
	{0x0102, "fdc"},      {0x0103, "ipi"},	      {0x0104, "raid"},
	{0x0200, "ethernet"}, {0x0201, "token-ring"}, {0x0202, "fddi"},
	{0x0203, "atm"},      {0x0300, "display"},    {0x0400, "video"},
	{0x0401, "sound"},    {0x0403, "sound"},      {0x0500, "memory"},
	{0x0501, "flash"},    {0x0600, "host"},	      {0x0601, "isa"},
	{0x0602, "eisa"},     {0x0603, "mca"},	      {0x0604, "pci-bridge"},
	{0x0605, "pcmcia"},   {0x0700, "serial"},     {0x0701, "parallel"},
	{0x0c00, "firewire"}, {0x0c03, "usb"},	      {0x0c04, "fibre-channel"},
	{0x0c05, "smbus"},
};

static char *function_name(const struct pci_device *pci)
{
	uint32_t class = pci_get(pci, PCI_BASE_CLASS, 2);

	for (size_t i = 0; i < ARRAY_SIZE(class_names); i++)
		if (class_names[i].class == class)
			return xstrdup(class_names[i].name);
	return xasprintf("pci%04x,%04x", pci_get(pci, PCI_VENDOR_ID, 2),
			 pci_get(pci, PCI_DEVICE_ID, 2));
}

static char *function_path(const struct pci_device *pci)
{
	char *bus = pci_bus_fw_path(pci->bus), *name = function_name(pci), *path;

	if (PCI_FN(pci->addr))
		path = xasprintf("%s/%s@%x,%x", bus, name, PCI_SLOT(pci->addr), PCI_FN(pci->addr));
	else
		path = xasprintf("%s/%s@%x", bus, name, PCI_SLOT(pci->addr));
	free(bus);
	free(name);
	return path;
}

char *pci_bus_fw_path(const struct pci_bus *bus)
{
	return bus->bridge ? function_path(bus->bridge) : xstrdup("/pci@i0cf8");
}

char *isa_fw_path(struct device *dev, const char *name, uint16_t port)
{
	const struct pci_bus *bus = dev->machine->pci;
	char *bridge = NULL, *path;

	for (unsigned devfn = 0; bus && devfn < PCI_FUNCTIONS && !bridge; devfn++) {
		const struct pci_device *pci = bus->devices[devfn];

		if (pci && pci_get(pci, PCI_BASE_CLASS, 2) == PCI_CLASS_ISA)
			bridge = function_path(pci);
	}
	path = xasprintf("%s/%s@%04x", bridge ? bridge : "/isa", name, port);
	free(bridge);
	return path;
}

char *device_fw_path(struct device *dev)
{
	if (dev->type->fw_path)
		return dev->type->fw_path(dev);
	if (dev->type->bus == BUS_PCI)
		return function_path(container_of(dev, struct pci_device, dev));
	return NULL;
}
