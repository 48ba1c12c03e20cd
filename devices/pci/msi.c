/* SPDX-License-Identifier: BSD-2-Clause */
/* Message signalled interrupts (PCI Local Bus Specification 3.0, 6.8): MSI and MSI-X. */
#include <assert.h>
#include "devices/pci/pci.h"

/* MSI capability (6.8.1); where mask and pending bits are depends on the address's width */
#define MSI_CTRL	   0x02
#define MSI_CTRL_ENABLE	   0x0001
#define MSI_CTRL_MMC_SHIFT 1 /* Multiple Message Capable */
#define MSI_CTRL_MME_SHIFT 4 /* Multiple Message Enable */
#define MSI_CTRL_MME	   0x0070
#define MSI_CTRL_64	   0x0080
#define MSI_CTRL_MASKABLE  0x0100
#define MSI_ADDR	   0x04
#define MSI_BYTES	   24

/* MSI-X capability (6.8.2) and its table's entries */
#define MSIX_CTRL	   0x02
#define MSIX_CTRL_MASK_ALL 0x4000
#define MSIX_CTRL_ENABLE   0x8000
#define MSIX_TABLE	   0x04
#define MSIX_PBA	   0x08
#define MSIX_BYTES	   12
#define MSIX_ENTRY_BYTES   16
#define MSIX_ENTRY_DATA	   8
#define MSIX_ENTRY_CTRL	   12
#define MSIX_ENTRY_MASKED  0x1

static void message(struct pci_device *pci, uint64_t addr, uint32_t data)
{
	struct machine *m = pci->dev.machine;

	if (pci_bus_master(pci) && m->accel->msi_send)
		m->accel->msi_send(m, addr, data);
}

/* ---- MSI ---- */

static unsigned msi_data_at(const struct pci_device *pci)
{
	return pci->msi_cap + (pci_get(pci, pci->msi_cap + MSI_CTRL, 2) & MSI_CTRL_64 ? 12 : 8);
}

void pci_msi_init(struct pci_device *pci, unsigned offset, unsigned vectors, bool is_64,
		  bool maskable)
{
	unsigned log = (unsigned)__builtin_ctz(vectors), data = is_64 ? 12 : 8;
	uint16_t ctrl = log << MSI_CTRL_MMC_SHIFT | (is_64 ? MSI_CTRL_64 : 0) |
			(maskable ? MSI_CTRL_MASKABLE : 0);
	uint32_t mask_bits = vectors == 32 ? UINT32_MAX : BIT(vectors) - 1;
	const struct pci_register rows[] = {
		{"MSI control", MSI_CTRL, 2, ctrl, MSI_CTRL_ENABLE | MSI_CTRL_MME, 0},
		{"MSI address", MSI_ADDR, 4, 0, 0xfffffffc, 0},
		{"MSI data", data, 2, 0, 0xffff, 0},
		{is_64 ? "MSI upper address" : NULL, 8, 4, 0, UINT32_MAX, 0},
		{.name = NULL},
	};

	assert(vectors && vectors <= 32 && !(vectors & (vectors - 1)));
	pci->msi_cap =
		pci_add_capability(pci, PCI_CAP_MSI, offset, maskable ? data + 12 : data + 2, rows);
	if (maskable) {
		stn_le(&pci->wmask[pci->msi_cap + data + 4], 4, mask_bits);
		pci_own_bits(pci, pci->msi_cap + data + 8, 4, mask_bits);
	}
	pci->wmask[PCI_COMMAND] |= PCI_COMMAND_MASTER;
}

bool pci_msi_enabled(const struct pci_device *pci)
{
	return pci->msi_cap && (pci->config[pci->msi_cap + MSI_CTRL] & MSI_CTRL_ENABLE);
}

void pci_msi_notify(struct pci_device *pci, unsigned vector)
{
	unsigned ctrl, capable, enabled, data_at;
	uint64_t addr;

	if (!pci_msi_enabled(pci))
		return;
	ctrl = pci_get(pci, pci->msi_cap + MSI_CTRL, 2);
	capable = ctrl >> MSI_CTRL_MMC_SHIFT & 7;
	enabled = MIN((ctrl & MSI_CTRL_MME) >> MSI_CTRL_MME_SHIFT, capable);
	data_at = msi_data_at(pci);
	if (vector >= BIT(enabled))
		vector = 0; /* the guest gave fewer than the device would use */
	if ((ctrl & MSI_CTRL_MASKABLE) && (pci_get(pci, data_at + 4, 4) & BIT(vector))) {
		pci_set(pci, data_at + 8, 4, pci_get(pci, data_at + 8, 4) | BIT(vector));
		return;
	}
	addr = pci_get(pci, pci->msi_cap + MSI_ADDR, 4);
	if (ctrl & MSI_CTRL_64)
		addr |= (uint64_t)pci_get(pci, pci->msi_cap + MSI_ADDR + 4, 4) << 32;
	message(pci, addr, (pci_get(pci, data_at, 2) & ~(BIT(enabled) - 1)) | vector);
}

static void msi_fire_pending(struct pci_device *pci)
{
	unsigned pending_at = msi_data_at(pci) + 8;
	uint32_t ready;

	if (!pci_msi_enabled(pci) ||
	    !(pci_get(pci, pci->msi_cap + MSI_CTRL, 2) & MSI_CTRL_MASKABLE))
		return;
	ready = pci_get(pci, pending_at, 4) & ~pci_get(pci, pending_at - 4, 4);
	pci_set(pci, pending_at, 4, pci_get(pci, pending_at, 4) & ~ready);
	for (; ready; ready &= ready - 1)
		pci_msi_notify(pci, (unsigned)__builtin_ctz(ready));
}

/* ---- MSI-X ---- */

static bool msix_masked(const struct pci_device *pci, unsigned vector)
{
	return (pci_get(pci, pci->msix_cap + MSIX_CTRL, 2) & MSIX_CTRL_MASK_ALL) ||
	       (pci->msix_table[vector * MSIX_ENTRY_BYTES + MSIX_ENTRY_CTRL] & MSIX_ENTRY_MASKED);
}

bool pci_msix_enabled(const struct pci_device *pci)
{
	return pci->msix_cap && (pci_get(pci, pci->msix_cap + MSIX_CTRL, 2) & MSIX_CTRL_ENABLE);
}

void pci_msix_notify(struct pci_device *pci, unsigned vector)
{
	const uint8_t *entry = &pci->msix_table[vector * MSIX_ENTRY_BYTES];

	if (vector >= pci->msix_vectors || !pci_msix_enabled(pci))
		return;
	if (msix_masked(pci, vector)) {
		pci->msix_pending[vector / 8] |= BIT(vector % 8);
		return;
	}
	message(pci, ldn_le(entry, 8), (uint32_t)ldn_le(entry + MSIX_ENTRY_DATA, 4));
}

static void msix_fire_pending(struct pci_device *pci, unsigned vector)
{
	if (!(pci->msix_pending[vector / 8] & BIT(vector % 8)) || !pci_msix_enabled(pci) ||
	    msix_masked(pci, vector))
		return;
	pci->msix_pending[vector / 8] &= ~BIT(vector % 8);
	pci_msix_notify(pci, vector);
}

/* The table is the BAR's first half, the pending bits begin its second. */
static uint64_t msix_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_device *pci = opaque;
	uint64_t half = pci->msix_region.size / 2, value = 0;

	if (offset < half) {
		if (offset + size <= pci->msix_vectors * MSIX_ENTRY_BYTES)
			value = ldn_le(&pci->msix_table[offset], size);
	} else if (offset - half + size <= sizeof(pci->msix_pending)) {
		value = ldn_le(&pci->msix_pending[offset - half], size);
	}
	return value;
}

static void msix_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pci_device *pci = opaque;
	unsigned vector = (unsigned)(offset / MSIX_ENTRY_BYTES);
	uint8_t *entry;

	if (vector >= pci->msix_vectors || size < 4)
		return; /* doublewords and quadwords only (6.8.2) */
	entry = &pci->msix_table[vector * MSIX_ENTRY_BYTES];
	stn_le(&pci->msix_table[offset], size, value);
	stn_le(entry, 4, ldn_le(entry, 4) & ~3ull);
	stn_le(entry + MSIX_ENTRY_CTRL, 4, ldn_le(entry + MSIX_ENTRY_CTRL, 4) & MSIX_ENTRY_MASKED);
	msix_fire_pending(pci, vector);
}

static const struct region_ops msix_ops = {
	.read = msix_read, .write = msix_write, .min_size = 1, .max_size = 8};

void pci_msix_init(struct pci_device *pci, unsigned vectors, unsigned bar)
{
	uint64_t half = 2048;
	struct pci_register rows[] = {
		{"MSI-X control", MSIX_CTRL, 2, vectors - 1, MSIX_CTRL_ENABLE | MSIX_CTRL_MASK_ALL,
		 0},
		{"MSI-X table", MSIX_TABLE, 4, bar, 0, 0},
		{"MSI-X PBA", MSIX_PBA, 4, 0, 0, 0},
		{.name = NULL},
	};

	assert(vectors && vectors <= PCI_MSIX_VECTORS);
	while (half < vectors * MSIX_ENTRY_BYTES)
		half *= 2;
	rows[2].reset = (uint32_t)half | bar;
	pci->msix_vectors = vectors;
	pci->msix_cap = pci_add_capability(pci, PCI_CAP_MSIX, 0, MSIX_BYTES, rows);
	region_init_io(&pci->msix_region, "msix", &msix_ops, pci, 2 * half);
	pci_bar_init(pci, bar, 0, &pci->msix_region);
}

/* Control words, masks or addresses may have changed. */
void pci_msi_config_changed(struct pci_device *pci)
{
	if (pci->msi_cap)
		msi_fire_pending(pci);
	for (unsigned i = 0; pci_msix_enabled(pci) && i < pci->msix_vectors; i++)
		msix_fire_pending(pci, i);
}
