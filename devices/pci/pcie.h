/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes a PCI function one of PCI Express: its capability structure. Loop thread. */
#ifndef EVMM_DEVICES_PCIE_H
#define EVMM_DEVICES_PCIE_H

#include "devices/pci/pci.h"

/* Device/Port Type (PCI Express Base Specification 2.0, 7.8.2) */
enum pcie_type {
	PCIE_ENDPOINT = 0,
	PCIE_ROOT_PORT = 4,
	PCIE_UPSTREAM_PORT = 5,
	PCIE_DOWNSTREAM_PORT = 6,
	PCIE_TO_PCI_BRIDGE = 7,
};

/*
 * From realize: the capability at OFFSET (0: behind the others); where it is. PORT is the link's number, SLOT that of the slot
 * which root and downstream ports lead to.
 */
unsigned pcie_express_init(struct pci_device *pci, unsigned offset, enum pcie_type type,
			   uint8_t port, uint16_t slot);
/* The status registers of the port whose capability is at CAP show whether there is something in its slot. */
void pcie_slot_show(struct pci_device *pci, unsigned cap, bool occupied);

extern const struct device_type pci_bridge_type, pcie_pci_bridge_type, pcie_root_port_type,
	ioh3420_type, x3130_upstream_type, xio3130_downstream_type;

#endif
