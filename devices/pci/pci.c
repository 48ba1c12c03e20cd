/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions: their configuration space, and their place on the bus. */
#include "devices/pci/pci.h"

#define PCI_SLOTS 32

static void pci_build_masks(struct pci_device *pci)
{
	for (const struct pci_register *r = pci->registers; r->name; r++) {
		memcpy(&pci->wmask[r->offset], &r->wmask, r->bytes);
		memcpy(&pci->w1c[r->offset], &r->w1c, r->bytes);
	}
}

static void pci_fill(struct pci_device *pci)
{
	memset(pci->config, 0, sizeof(pci->config));
	for (const struct pci_register *r = pci->registers; r->name; r++)
		memcpy(&pci->config[r->offset], &r->reset, r->bytes);
}

static int pci_free_slot(const struct pci_bus *bus)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		unsigned fn = 0;

		while (fn < 8 && !bus->devices[PCI_DEVFN(slot, fn)])
			fn++;
		if (fn == 8)
			return PCI_DEVFN(slot, 0);
	}
	return PCI_ADDR_AUTO;
}

bool pci_device_init(struct pci_device *pci, const struct pci_register *registers,
		     struct error *err)
{
	const char *name = pci->dev.type->name;
	struct pci_bus *bus = pci->dev.machine->pci;

	if (!bus)
		return error_set(err, "%s: this machine has no PCI bus", name);
	if (pci->addr == PCI_ADDR_AUTO)
		pci->addr = pci_free_slot(bus);
	if (pci->addr == PCI_ADDR_AUTO)
		return error_set(err, "%s: no PCI slot is free", name);
	if (pci->addr < 0 || pci->addr >= PCI_FUNCTIONS)
		return error_set(err, "%s: addr is not a PCI slot and function", name);
	if (bus->devices[pci->addr])
		return error_set(err, "%s: PCI slot %d function %d is in use by %s", name,
				 pci->addr >> 3, pci->addr & 7,
				 bus->devices[pci->addr]->dev.type->name);
	pci->bus = bus;
	pci->registers = registers;
	bus->devices[pci->addr] = pci;
	pci_build_masks(pci);
	pci_fill(pci);
	return true;
}

void pci_device_reset(struct pci_device *pci)
{
	pci_fill(pci);
	if (pci->config_changed)
		pci->config_changed(pci, 0, PCI_CONFIG_BYTES);
}

void pci_device_fini(struct pci_device *pci)
{
	pci->bus->devices[pci->addr] = NULL;
}

uint32_t pci_config_read(struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned size)
{
	const struct pci_device *pci = bus->devices[devfn];

	return pci ? ldn_le(&pci->config[offset], size) : UINT32_MAX;
}

void pci_config_write(struct pci_bus *bus, unsigned devfn, unsigned offset, uint32_t value,
		      unsigned size)
{
	struct pci_device *pci = bus->devices[devfn];

	if (!pci)
		return;
	for (unsigned i = 0; i < size; i++) {
		uint8_t *byte = &pci->config[offset + i], mask = pci->wmask[offset + i];
		uint8_t written = value >> 8 * i;

		*byte = (*byte & ~mask) | (written & mask);
		*byte &= ~(written & pci->w1c[offset + i]);
	}
	if (pci->config_changed)
		pci->config_changed(pci, offset, size);
}

/*
 * What was loaded may differ from a fresh function only where the guest can write, or the device
 * sets and the guest clears.
 */
static bool pci_post_load(void *opaque, struct error *err)
{
	struct pci_device *pci = opaque;
	uint8_t loaded[PCI_CONFIG_BYTES];

	memcpy(loaded, pci->config, sizeof(loaded));
	pci_fill(pci);
	for (unsigned i = 0; i < PCI_CONFIG_BYTES; i++) {
		uint8_t free_bits = pci->wmask[i] | pci->w1c[i];

		if ((loaded[i] ^ pci->config[i]) & ~free_bits)
			return error_set(err,
					 "%s: saved configuration byte 0x%02x is another device's",
					 pci->dev.type->name, i);
		pci->config[i] = loaded[i];
	}
	if (pci->config_changed)
		pci->config_changed(pci, 0, PCI_CONFIG_BYTES);
	return true;
}

const struct state_desc pci_device_state = {
	.name = "pci",
	.version = 1,
	STATE_SPAN(pci_device),
	.post_load = pci_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(pci_device, config),
			STATE_END,
		},
};
