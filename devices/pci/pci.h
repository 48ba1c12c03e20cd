/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: a bus, and what every PCI device is made of (PCI Local Bus Specification 3.0, chapter 6). A
 * device's struct begins with struct pci_device; it describes its configuration header by rows, and
 * pci_device_init builds from them what can be written. Loop thread.
 */
#ifndef EVMM_DEVICES_PCI_H
#define EVMM_DEVICES_PCI_H

#include "src/machine.h"

#define PCI_DEVFN(slot, fn) ((slot) << 3 | (fn))
#define PCI_FUNCTIONS	    256 /* of one bus */
#define PCI_CONFIG_BYTES    256
#define PCI_ADDR_AUTO	    -1

/* Configuration header, type 0 (6.1) */
#define PCI_VENDOR_ID	     0x00
#define PCI_DEVICE_ID	     0x02
#define PCI_COMMAND	     0x04
#define PCI_STATUS	     0x06
#define PCI_REVISION_ID	     0x08
#define PCI_CLASS	     0x09 /* three bytes: interface, subclass, base class */
#define PCI_CACHE_LINE	     0x0c
#define PCI_LATENCY_TIMER    0x0d
#define PCI_HEADER_TYPE	     0x0e
#define PCI_SUBSYSTEM_VENDOR 0x2c
#define PCI_SUBSYSTEM	     0x2e
#define PCI_INTERRUPT_LINE   0x3c
#define PCI_INTERRUPT_PIN    0x3d

#define PCI_COMMAND_IO	   0x0001
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_HEADER_MULTI   0x80

/*
 * One register of the configuration space. The rows of a device end with name NULL; bytes without a
 * row read as 0.
 */
struct pci_register {
	const char *name;
	uint8_t offset;
	uint8_t bytes; /* 1 to 4 */
	uint32_t reset;
	uint32_t wmask; /* bits that a write changes */
	uint32_t w1c;	/* bits that writing 1 clears */
};

struct pci_bus;

struct pci_device {
	struct device dev;

	/* configuration */
	int32_t addr; /* devfn, or PCI_ADDR_AUTO */
	const struct pci_register *registers;
	uint8_t wmask[PCI_CONFIG_BYTES], w1c[PCI_CONFIG_BYTES];

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t config[PCI_CONFIG_BYTES];
	GUEST_VISIBLE_END;

	/* host side */
	struct pci_bus *bus;
	/* Bytes from OFFSET on were written, or (offset 0, all) reset or loaded. May be NULL. */
	void (*config_changed)(struct pci_device *pci, unsigned offset, unsigned bytes);
};

struct pci_bus {
	struct pci_device *devices[PCI_FUNCTIONS]; /* by devfn */
};

extern const struct state_desc pci_device_state;
extern const struct device_type i440fx_type, piix3_type, piix4_pm_type;

/*
 * From a realize function. Takes the place that "addr" names, or the first free slot; registers get
 * their reset values.
 */
bool pci_device_init(struct pci_device *pci, const struct pci_register *registers,
		     struct error *err);
/* From a reset function. */
void pci_device_reset(struct pci_device *pci);
void pci_device_fini(struct pci_device *pci);

/*
 * One access within a function's 256 bytes, SIZE 1, 2 or 4 and aligned. Where no function is: ones,
 * and dropped.
 */
uint32_t pci_config_read(struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned size);
void pci_config_write(struct pci_bus *bus, unsigned devfn, unsigned offset, uint32_t value,
		      unsigned size);

/*
 * Accesses to CF8h-CFBh that are not doublewords go on to REGION, which begins with CF9h; real
 * bridges leave them to the bus.
 */
void i440fx_forward_narrow(struct device *dev, struct region *region);

/* PIIX4's power management function (devices/chipset/acpi_pm.c): the power button was pressed. */
void acpi_pm_power_button(void *opaque);

#endif
