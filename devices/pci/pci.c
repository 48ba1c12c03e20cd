/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions: their configuration space, capabilities, and the INTx pin. */
#include <assert.h>
#include <stdlib.h>
#include "devices/pci/pci.h"

#define PCI_STANDARD_HEADER 0x40 /* capabilities begin behind it */

#define PCIE_EXT_CAPS_BEGIN 0x100
#define PCIE_EXT_NEXT_SHIFT 20

/* ---- building ---- */

void pci_add_registers(struct pci_device *pci, unsigned offset, const struct pci_register *rows)
{
	for (const struct pci_register *r = rows; r->name; r++) {
		unsigned at = offset + r->offset;

		assert(at + r->bytes <= pci->config_bytes);
		stn_le(&pci->initial[at], r->bytes, r->reset);
		stn_le(&pci->wmask[at], r->bytes, r->wmask);
		stn_le(&pci->w1c[at], r->bytes, r->w1c);
		memcpy(&pci->config[at], &pci->initial[at], r->bytes);
	}
}

static void set_initial(struct pci_device *pci, unsigned offset, unsigned bytes, uint32_t value)
{
	stn_le(&pci->initial[offset], bytes, value);
	pci_set(pci, offset, bytes, value);
}

unsigned pci_add_capability(struct pci_device *pci, uint8_t id, unsigned offset, unsigned bytes,
			    const struct pci_register *rows)
{
	if (!offset)
		offset = ALIGN_UP(pci->caps_end, 4);
	pci->caps_end = MAX(pci->caps_end, offset + bytes);
	assert(offset >= PCI_STANDARD_HEADER && offset + bytes <= PCI_CONFIG_BYTES);
	if (rows)
		pci_add_registers(pci, offset, rows);
	set_initial(pci, offset, 1, id);
	set_initial(pci, offset + 1, 1, pci->initial[PCI_CAPABILITIES]);
	set_initial(pci, PCI_CAPABILITIES, 1, offset);
	set_initial(pci, PCI_STATUS, 1, pci->initial[PCI_STATUS] | PCI_STATUS_CAPS);
	return offset;
}

/* The list's last header is made to lead to the new one. */
unsigned pcie_add_capability(struct pci_device *pci, uint16_t id, unsigned version, unsigned bytes,
			     const struct pci_register *rows)
{
	unsigned offset = pci->ext_caps_end ? ALIGN_UP(pci->ext_caps_end, 4) : PCIE_EXT_CAPS_BEGIN;
	unsigned last = PCIE_EXT_CAPS_BEGIN, next;

	assert(offset + bytes <= pci->config_bytes);
	if (rows)
		pci_add_registers(pci, offset, rows);
	set_initial(pci, offset, 4, id | version << 16);
	if (pci->ext_caps_end) {
		while ((next = (uint32_t)ldn_le(&pci->initial[last], 4) >> PCIE_EXT_NEXT_SHIFT))
			last = next;
		set_initial(pci, last, 4,
			    (uint32_t)ldn_le(&pci->initial[last], 4) |
				    offset << PCIE_EXT_NEXT_SHIFT);
	}
	pci->ext_caps_end = offset + bytes;
	return offset;
}

void pci_own_bits(struct pci_device *pci, unsigned offset, unsigned bytes, uint32_t mask)
{
	stn_le(&pci->own[offset], bytes, mask | (uint32_t)ldn_le(&pci->own[offset], bytes));
}

/* ---- a place on a bus ---- */

static int free_slot(const struct pci_bus *bus)
{
	for (unsigned slot = 0; slot < bus->slots; slot++) {
		unsigned fn = 0;

		while (fn < 8 && !bus->devices[PCI_DEVFN(slot, fn)])
			fn++;
		if (fn == 8)
			return PCI_DEVFN(slot, 0);
	}
	return PCI_ADDR_AUTO;
}

/* Functions but 0 are looked for only where function 0 says that there are several (6.2.1, header type). */
static bool check_multifunction(struct pci_device *pci, struct pci_bus *bus, struct error *err)
{
	unsigned slot = PCI_SLOT(pci->addr);
	struct pci_device *first = bus->devices[PCI_DEVFN(slot, 0)];

	if (PCI_FN(pci->addr)) {
		if (first && !(first->config[PCI_HEADER_TYPE] & PCI_HEADER_MULTI))
			return error_set(
				err,
				"%s: PCI slot %u has a single function, %s (multifunction=on there "
				"makes room for more)",
				pci->dev.type->name, slot, first->dev.type->name);
		return true;
	}
	for (unsigned fn = 1; fn < 8; fn++)
		if (bus->devices[PCI_DEVFN(slot, fn)] && !pci->multifunction)
			return error_set(
				err,
				"%s: PCI slot %u has other functions already, so this one needs "
				"multifunction=on",
				pci->dev.type->name, slot);
	return true;
}

static bool take_place(struct pci_device *pci, struct error *err)
{
	const char *name = pci->dev.type->name;
	struct machine *m = pci->dev.machine;
	struct pci_bus *bus = pci_bus_find(m, pci->bus_name);

	if (!m->pci)
		return error_set(err, "%s: this machine has no PCI bus", name);
	if (!bus)
		return error_set(err, "%s: Bus '%s' not found", name, pci->bus_name);
	/* No bridge tells its guest of what comes and goes. */
	if (bus->bridge && m->plugging)
		return error_set(err, "%s: Bus '%s' does not support hotplugging", name, bus->name);
	if (pci->addr == PCI_ADDR_AUTO)
		pci->addr = free_slot(bus);
	if (pci->addr == PCI_ADDR_AUTO)
		return error_set(err, "%s: no PCI slot is free on %s", name, bus->name);
	if (pci->addr < 0 || PCI_SLOT(pci->addr) >= bus->slots)
		return error_set(err, "%s: addr is not a PCI slot and function of %s", name,
				 bus->name);
	if (bus->devices[pci->addr])
		return error_set(err, "%s: PCI slot %d function %d is in use by %s", name,
				 pci->addr >> 3, pci->addr & 7,
				 bus->devices[pci->addr]->dev.type->name);
	if (!check_multifunction(pci, bus, err))
		return false;
	pci->bus = bus;
	bus->devices[pci->addr] = pci;
	return true;
}

bool pci_device_init(struct pci_device *pci, const struct pci_register *registers,
		     struct error *err)
{
	uint8_t *masks;

	if (!take_place(pci, err))
		return false;
	pci->config_bytes = pci->bus->express ? PCIE_CONFIG_BYTES : PCI_CONFIG_BYTES;
	masks = xzalloc(4 * pci->config_bytes);
	pci->initial = masks;
	pci->wmask = masks + pci->config_bytes;
	pci->w1c = masks + 2 * pci->config_bytes;
	pci->own = masks + 3 * pci->config_bytes;
	pci->caps_end = PCI_STANDARD_HEADER;
	pci_add_registers(pci, 0, registers);
	for (const struct pci_register *r = registers; r->name; r++)
		pci->caps_end = MAX(pci->caps_end, MIN(r->offset + r->bytes, PCI_CONFIG_BYTES));
	if (pci->multifunction)
		set_initial(pci, PCI_HEADER_TYPE, 1,
			    pci->initial[PCI_HEADER_TYPE] | PCI_HEADER_MULTI);
	if (pci->initial[PCI_INTERRUPT_PIN]) {
		pci->wmask[PCI_INTERRUPT_LINE] = 0xff;
		pci->wmask[PCI_COMMAND + 1] |= PCI_COMMAND_INTX_OFF >> 8;
		pci_own_bits(pci, PCI_STATUS, 1, PCI_STATUS_INTX);
	}
	return true;
}

static void all_changed(struct pci_device *pci)
{
	pci_bars_update(pci);
	pci_msi_config_changed(pci);
	pci_intx_update(pci);
	if (pci->config_changed)
		pci->config_changed(pci, 0, pci->config_bytes);
}

void pci_device_reset(struct pci_device *pci)
{
	memcpy(pci->config, pci->initial, pci->config_bytes);
	memset(pci->msix_table, 0, sizeof(pci->msix_table));
	for (unsigned i = 0; i < pci->msix_vectors; i++)
		pci->msix_table[i * 16 + 12] = 1; /* masked */
	memset(pci->msix_pending, 0, sizeof(pci->msix_pending));
	all_changed(pci);
}

void pci_device_fini(struct pci_device *pci)
{
	if (!pci->bus)
		return;
	pci->config[PCI_STATUS] &= ~PCI_STATUS_INTX;
	pci_intx_update(pci);
	pci_bars_unmap(pci);
	pci->bus->devices[pci->addr] = NULL;
	pci->bus = NULL;
	free(pci->initial);
	pci->initial = NULL;
	free(pci->rom_host);
	pci->rom_host = NULL;
}

/* ---- configuration space ---- */

static struct pci_device *function_at(struct pci_bus *bus, unsigned number, unsigned devfn)
{
	if (pci_bus_number(bus) == number)
		return bus->devices[devfn];
	list_for_each(it, &bus->children) {
		struct pci_bus *child = list_entry(it, struct pci_bus, node);
		const uint8_t *config = child->bridge->config;

		if (config[PCI_SECONDARY_BUS] && number >= config[PCI_SECONDARY_BUS] &&
		    number <= config[PCI_SUBORDINATE_BUS])
			return function_at(child, number, devfn);
	}
	return NULL;
}

uint32_t pci_config_read(struct pci_bus *root, unsigned number, unsigned devfn, unsigned offset,
			 unsigned size)
{
	struct pci_device *pci = function_at(root, number, devfn);

	if (!pci || offset + size > pci->config_bytes)
		return UINT32_MAX;
	if (pci->config_reading)
		pci->config_reading(pci, offset, size);
	return pci_get(pci, offset, size);
}

void pci_config_write(struct pci_bus *root, unsigned number, unsigned devfn, unsigned offset,
		      uint32_t value, unsigned size)
{
	struct pci_device *pci = function_at(root, number, devfn);

	if (!pci || offset + size > pci->config_bytes)
		return;
	for (unsigned i = 0; i < size; i++) {
		uint8_t *byte = &pci->config[offset + i], mask = pci->wmask[offset + i];
		uint8_t written = value >> 8 * i;

		*byte = (*byte & ~mask) | (written & mask);
		*byte &= ~(written & pci->w1c[offset + i]);
	}
	pci_bars_update(pci);
	pci_msi_config_changed(pci);
	pci_intx_update(pci);
	if (pci->config_changed)
		pci->config_changed(pci, offset, size);
}

/* ---- INTx and DMA ---- */

/* Tells the root bus when what the function drives has changed; bridges swizzle the pins (bridge spec 9.1). */
void pci_intx_update(struct pci_device *pci)
{
	bool level = (pci->config[PCI_STATUS] & PCI_STATUS_INTX) &&
		     !(pci_get(pci, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF);
	const struct pci_device *at = pci;
	struct pci_bus *bus = pci->bus;
	unsigned pin = pci->initial[PCI_INTERRUPT_PIN] - 1u, pirq;

	if (level == pci->intx_asserted || pin > 3)
		return;
	pci->intx_asserted = level;
	for (; bus->bridge; at = bus->bridge, bus = bus->parent)
		pin = (pin + PCI_SLOT(at->addr)) % 4;
	if (!bus->pirq)
		return;
	pirq = bus->pirq->map(PCI_SLOT(at->addr), pin);
	if (level && bus->pirq_asserted[pirq]++ == 0)
		bus->pirq->set(bus->pirq_opaque, pirq, true);
	else if (!level && --bus->pirq_asserted[pirq] == 0)
		bus->pirq->set(bus->pirq_opaque, pirq, false);
}

void pci_set_intx(struct pci_device *pci, bool level)
{
	if (!pci->initial[PCI_INTERRUPT_PIN])
		return;
	pci->config[PCI_STATUS] &= ~PCI_STATUS_INTX;
	if (level)
		pci->config[PCI_STATUS] |= PCI_STATUS_INTX;
	pci_intx_update(pci);
}

bool pci_bus_master(const struct pci_device *pci)
{
	return pci->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

bool pci_dma_read(struct pci_device *pci, gpa_t gpa, void *buf, size_t bytes)
{
	if (pci_bus_master(pci))
		return dma_read(pci->dev.machine, gpa, buf, bytes);
	memset(buf, 0xff, bytes);
	return false;
}

bool pci_dma_write(struct pci_device *pci, gpa_t gpa, const void *buf, size_t bytes)
{
	return pci_bus_master(pci) && dma_write(pci->dev.machine, gpa, buf, bytes);
}

/* ---- save and load ---- */

/*
 * What was loaded may differ from a fresh function only where the guest can write, or the device
 * sets and the guest clears.
 */
static bool pci_post_load(void *opaque, struct error *err)
{
	struct pci_device *pci = opaque;

	for (unsigned i = 0; i < pci->config_bytes; i++) {
		uint8_t free_bits = pci->wmask[i] | pci->w1c[i] | pci->own[i];

		if ((pci->config[i] ^ pci->initial[i]) & ~free_bits) {
			memcpy(pci->config, pci->initial, pci->config_bytes);
			return error_set(err,
					 "%s: saved configuration byte 0x%02x is another device's",
					 pci->dev.type->name, i);
		}
	}
	all_changed(pci);
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
			STATE_ARRAY(pci_device, msix_table),
			STATE_ARRAY(pci_device, msix_pending),
			STATE_END,
		},
};
