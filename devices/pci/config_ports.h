/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2), part of a host bridge. Loop thread.
 *
 *	port	name	width	access	reset
 *	cf8	CONFADD	32	RW	00000000; doublewords only
 *	cfc	CONFDATA 8-32	RW	-
 */
#ifndef EVMM_PCI_CONFIG_PORTS_H
#define EVMM_PCI_CONFIG_PORTS_H

#include "devices/pci/pci.h"

struct pci_config_ports {
	struct pci_bus *root;
	struct region ports;
	struct region
		*narrow; /* takes what is no doubleword at CF8h; starts at CF9h; may be NULL */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t confadd;
	uint32_t pad;
	GUEST_VISIBLE_END;
};

extern const struct state_desc pci_config_ports_state;

bool pci_config_ports_init(struct pci_config_ports *p, struct device *dev, struct pci_bus *root,
			   struct error *err);
void pci_config_ports_fini(struct pci_config_ports *p);

#endif
