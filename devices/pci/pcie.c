/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI Express capability (PCI Express Base Specification 2.0, 7.8), of ports, bridges and endpoints. */
#include "devices/pci/pcie.h"

#define EXP_BYTES	 0x3c
#define EXP_VERSION	 2
#define EXP_TYPE_SHIFT	 4
#define EXP_SLOT	 0x0100 /* Slot Implemented */
#define EXP_DEVCAP_RBER	 0x8000 /* Role-Based Error Reporting; payloads of 128 bytes */
#define EXP_DEVCTL_RESET 0x2810 /* 512-byte reads, no snoop, relaxed ordering */
#define EXP_DEVCTL_WMASK 0x781f
#define EXP_DEVSTA_W1C	 0x000f
#define EXP_LINK_X1	 0x0011 /* 2.5 GT/s, one lane */
#define EXP_LNKCAP_DLLLA 0x00100000
#define EXP_LNKCTL_WMASK 0x00c0
#define EXP_LNKSTA	 0x12
#define EXP_LNKSTA_DLLLA 0x2000 /* Data Link Layer Link Active */
#define EXP_SLTSTA	 0x1a
#define EXP_SLTSTA_PDS	 0x0040 /* Presence Detect State */
#define EXP_ROOTCTL	 0x000f

unsigned pcie_express_init(struct pci_device *pci, unsigned offset, enum pcie_type type,
			   uint8_t port, uint16_t slot)
{
	bool root = type == PCIE_ROOT_PORT, has_slot = root || type == PCIE_DOWNSTREAM_PORT;
	const struct pci_register rows[] = {
		/* name, offset, bytes, reset, written bits, write-1-to-clear bits */
		{"PCI Express Capabilities", 0x02, 2,
		 EXP_VERSION | type << EXP_TYPE_SHIFT | (has_slot ? EXP_SLOT : 0u), 0, 0},
		{"Device Capabilities", 0x04, 4, EXP_DEVCAP_RBER, 0, 0},
		{"Device Control", 0x08, 2, EXP_DEVCTL_RESET, EXP_DEVCTL_WMASK, 0},
		{"Device Status", 0x0a, 2, 0, 0, EXP_DEVSTA_W1C},
		{"Link Capabilities", 0x0c, 4,
		 EXP_LINK_X1 | (has_slot ? EXP_LNKCAP_DLLLA : 0u) | (uint32_t)port << 24, 0, 0},
		{"Link Control", 0x10, 2, 0, EXP_LNKCTL_WMASK, 0},
		{"Link Status", EXP_LNKSTA, 2, EXP_LINK_X1, 0, 0},
		{"Slot Capabilities", 0x14, 4, has_slot ? (uint32_t)slot << 19 : 0, 0, 0},
		{"Root Control", 0x1c, 2, 0, root ? EXP_ROOTCTL : 0u, 0},
		{"Root Status", 0x20, 4, 0, 0, root ? BIT(16) : 0u},
		{"Link Control 2", 0x30, 2, 0x0001, 0x000f, 0},
		{.name = NULL},
	};
	unsigned at = pci_add_capability(pci, PCI_CAP_EXPRESS, offset, EXP_BYTES, rows);

	if (has_slot) {
		pci_own_bits(pci, at + EXP_LNKSTA, 2, EXP_LNKSTA_DLLLA);
		pci_own_bits(pci, at + EXP_SLTSTA, 2, EXP_SLTSTA_PDS);
	}
	return at;
}

static void put_bit(struct pci_device *pci, unsigned offset, unsigned bit, bool on)
{
	pci_set(pci, offset, 2, (pci_get(pci, offset, 2) & ~bit) | (on ? bit : 0));
}

void pcie_slot_show(struct pci_device *pci, unsigned cap, bool occupied)
{
	put_bit(pci, cap + EXP_LNKSTA, EXP_LNKSTA_DLLLA, occupied);
	put_bit(pci, cap + EXP_SLTSTA, EXP_SLTSTA_PDS, occupied);
}
