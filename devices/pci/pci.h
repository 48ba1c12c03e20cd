/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI: buses, and what every PCI device is made of (PCI Local Bus Specification 3.0, chapter 6; PCI Express Base
 * Specification 2.0, chapter 7). A device's struct begins with struct pci_device; it describes its configuration
 * header by rows, and pci_device_init builds from them what can be written. BARs, interrupts and capabilities are
 * declared in realize, after pci_device_init; the core does for them all that the guest asks of the registers.
 * Loop thread.
 */
#ifndef EVMM_DEVICES_PCI_H
#define EVMM_DEVICES_PCI_H

#include "src/machine.h"

#define PCI_DEVFN(slot, fn) ((slot) << 3 | (fn))
#define PCI_SLOT(devfn)	    ((unsigned)(devfn) >> 3)
#define PCI_FN(devfn)	    ((devfn)&7)
#define PCI_FUNCTIONS	    256 /* of one bus */
#define PCI_SLOTS	    32
#define PCI_CONFIG_BYTES    256
#define PCIE_CONFIG_BYTES   4096 /* of a function on a PCI Express bus */
#define PCI_BARS	    6
#define PCI_PIRQS	    8 /* interrupt wires that a host's bridge can have */
#define PCI_MSIX_VECTORS    256
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
#define PCI_BAR0	     0x10
#define PCI_SUBSYSTEM_VENDOR 0x2c
#define PCI_SUBSYSTEM	     0x2e
#define PCI_ROM_BAR	     0x30
#define PCI_CAPABILITIES     0x34
#define PCI_INTERRUPT_LINE   0x3c
#define PCI_INTERRUPT_PIN    0x3d

#define PCI_COMMAND_IO	     0x0001
#define PCI_COMMAND_MEMORY   0x0002
#define PCI_COMMAND_MASTER   0x0004
#define PCI_COMMAND_INTX_OFF 0x0400
#define PCI_STATUS_INTX	     0x0008
#define PCI_STATUS_CAPS	     0x0010
#define PCI_HEADER_BRIDGE    0x01
#define PCI_HEADER_MULTI     0x80

/* Type 1 headers, of bridges (PCI-to-PCI Bridge Architecture Specification 1.2, 3.2) */
#define PCI_PRIMARY_BUS	     0x18
#define PCI_SECONDARY_BUS    0x19
#define PCI_SUBORDINATE_BUS  0x1a
#define PCI_IO_BASE	     0x1c
#define PCI_IO_LIMIT	     0x1d
#define PCI_SEC_STATUS	     0x1e
#define PCI_MEMORY_BASE	     0x20
#define PCI_MEMORY_LIMIT     0x22
#define PCI_PREF_BASE	     0x24
#define PCI_PREF_LIMIT	     0x26
#define PCI_PREF_BASE_UPPER  0x28
#define PCI_PREF_LIMIT_UPPER 0x2c
#define PCI_BRIDGE_CONTROL   0x3e

/* Capability identifiers (PCI Code and ID Assignment Specification 1.11, 2) */
#define PCI_CAP_PM	0x01
#define PCI_CAP_MSI	0x05
#define PCI_CAP_VENDOR	0x09
#define PCI_CAP_EXPRESS 0x10
#define PCI_CAP_MSIX	0x11

/*
 * One register of the configuration space. The rows of a device end with name NULL; bytes without a
 * row read as 0.
 */
struct pci_register {
	const char *name;
	uint16_t offset; /* of a capability's rows: from its beginning */
	uint8_t bytes;	 /* 1 to 4 */
	uint32_t reset;
	uint32_t wmask; /* bits that a write changes */
	uint32_t w1c;	/* bits that writing 1 clears */
};

struct pci_bus;

enum pci_bar_flags { PCI_BAR_IO = 1, PCI_BAR_64 = 2, PCI_BAR_PREFETCH = 4 };

struct pci_bar {
	struct region *region; /* the device's; NULL: no such BAR */
	uint8_t flags;	       /* enum pci_bar_flags; 0: 32-bit memory */
	bool mapped;	       /* REGION is in the bus's address space, at `at` */
	uint64_t at;
};

struct pci_device {
	struct device dev;

	/* configuration */
	int32_t addr;	       /* devfn, or PCI_ADDR_AUTO */
	char *bus_name;	       /* "bus"; NULL: the root */
	bool multifunction;    /* other functions may share the slot of function 0 */
	char *romfile;	       /* option ROM; NULL or "": none */
	bool rombar;	       /* the option ROM has its BAR */
	unsigned config_bytes; /* PCI_CONFIG_BYTES, or PCIE_CONFIG_BYTES */
	/* of CONFIG_BYTES each: values at reset; bits the guest writes, clears by writing 1; bits the device itself changes */
	uint8_t *initial, *wmask, *w1c, *own;
	unsigned caps_end;	   /* first byte behind the capabilities so far */
	unsigned ext_caps_end;	   /* the same, of extended ones; 0: none */
	uint8_t msi_cap, msix_cap; /* where; 0: none */
	unsigned msix_vectors;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t config[PCIE_CONFIG_BYTES];
	uint8_t msix_table[PCI_MSIX_VECTORS * 16];
	uint8_t msix_pending[PCI_MSIX_VECTORS / 8];
	GUEST_VISIBLE_END;

	/* host side */
	struct pci_bus *bus;
	struct pci_bar bars[PCI_BARS], rom;
	struct region rom_region, msix_region;
	uint8_t *rom_host;
	size_t rom_bytes;
	bool intx_asserted; /* as the bus has been told */
	/* Bytes from OFFSET on were written, or (offset 0, all) reset or loaded. The core has done its part. May be NULL. */
	void (*config_changed)(struct pci_device *pci, unsigned offset, unsigned bytes);
	/* BYTES from OFFSET on are about to be read. May be NULL. */
	void (*config_reading)(struct pci_device *pci, unsigned offset, unsigned bytes);
};

/* What every PCI device type's property table has, S being its struct with a member `pci`; ADDR where it is if nobody says. */
#define PCI_PROPS_AT(S, addr_)                                                   \
	DEFINE_PROP(S, pci.addr, "addr", PROP_PCI_ADDR, (uint64_t)(addr_),       \
		    "PCI slot and function"),                                    \
		DEFINE_PROP_STR(S, pci.bus_name, "bus", NULL, "PCI bus"),        \
		DEFINE_PROP(S, pci.multifunction, "multifunction", PROP_BOOL, 0, \
			    "the slot has several functions"),                   \
		DEFINE_PROP_STR(S, pci.romfile, "romfile", NULL, "option ROM"),  \
		DEFINE_PROP(S, pci.rombar, "rombar", PROP_BOOL, 1, "the option ROM can be mapped")
#define PCI_PROPS(S) PCI_PROPS_AT(S, PCI_ADDR_AUTO)

/* The interrupt wires behind a root bus, by the bridge that routes them. */
struct pci_pirq_ops {
	/* The wire that PIN (0: INTA) of SLOT is soldered to. */
	unsigned (*map)(unsigned slot, unsigned pin);
	/* The wire's level: high while any function drives it. */
	void (*set)(void *opaque, unsigned pirq, bool level);
	/* Boot without firmware: gives every wire an interrupt; then, which one (for the functions' Interrupt Line). */
	void (*route)(void *opaque);
	uint8_t (*line)(void *opaque, unsigned pirq);
};

struct pci_bus {
	const char *name; /* "pci.0", "pcie.0", or the bridge's id */
	struct machine *machine;
	bool express;
	unsigned slots; /* that it has: PCI_SLOTS, or 1 behind a PCI Express port */
	struct pci_device *devices[PCI_FUNCTIONS]; /* by devfn */
	struct region mem,
		io; /* containers: what functions decode; a root's are in the machine's address spaces */

	/* a root's */
	const struct pci_pirq_ops *pirq;
	void *pirq_opaque;
	uint16_t pirq_asserted[PCI_PIRQS]; /* functions that drive it */

	/* a secondary bus's */
	struct pci_bus *parent;
	struct pci_device *bridge;
	struct list children, node;
};

extern const struct state_desc pci_device_state;
extern const struct device_type i440fx_type, piix3_type, piix4_pm_type, q35_mch_type, ich9_lpc_type;

/* ---- functions (pci.c) ---- */

/*
 * From a realize function. Takes the place that "addr" and "bus" name, or the first free slot; registers get
 * their reset values.
 */
bool pci_device_init(struct pci_device *pci, const struct pci_register *registers,
		     struct error *err);
/* From a reset function. Interrupt lines fall, BARs are unmapped. */
void pci_device_reset(struct pci_device *pci);
/* From an unrealize function; does nothing when pci_device_init failed. Regions of BARs may be freed afterwards. */
void pci_device_fini(struct pci_device *pci);

/* More rows, OFFSET added to theirs; at realize. */
void pci_add_registers(struct pci_device *pci, unsigned offset, const struct pci_register *rows);
/*
 * A capability of BYTES bytes at OFFSET (0: behind the others) with ROWS (may be NULL). Where it lies. Realize only; they
 * always fit, or it is a bug of ours.
 */
unsigned pci_add_capability(struct pci_device *pci, uint8_t id, unsigned offset, unsigned bytes,
			    const struct pci_register *rows);
/* Extended capability (PCIe 7.9.1), from 100h on; express buses only. */
unsigned pcie_add_capability(struct pci_device *pci, uint16_t id, unsigned version, unsigned bytes,
			     const struct pci_register *rows);
/* The device changes these bits of the registers by itself: a saved state may have them otherwise. */
void pci_own_bits(struct pci_device *pci, unsigned offset, unsigned bytes, uint32_t mask);

static inline uint32_t pci_get(const struct pci_device *pci, unsigned offset, unsigned bytes)
{
	return (uint32_t)ldn_le(&pci->config[offset], bytes);
}

static inline void pci_set(struct pci_device *pci, unsigned offset, unsigned bytes, uint32_t value)
{
	stn_le(&pci->config[offset], bytes, value);
}

/*
 * The level of the function's INTx# pin (6.2.4). Interrupt Status shows it, Interrupt Disable holds it back. Without an
 * Interrupt Pin register nothing happens.
 */
void pci_set_intx(struct pci_device *pci, bool level);
/* May the function do DMA (Bus Master)? */
bool pci_bus_master(const struct pci_device *pci);
/* dma_read and dma_write for a function: nothing gets through without Bus Master. */
bool pci_dma_read(struct pci_device *pci, gpa_t gpa, void *buf, size_t bytes);
bool pci_dma_write(struct pci_device *pci, gpa_t gpa, const void *buf, size_t bytes);

/* ---- base address registers (bar.c) ---- */

/*
 * BAR N (of two, with PCI_BAR_64) decodes REGION, whose size is a power of 2, of 4 bytes at least in I/O space and 16 in
 * memory. REGION is the device's, and must be initialised; it is mapped where and while the guest says.
 */
void pci_bar_init(struct pci_device *pci, unsigned n, unsigned flags, struct region *region);
/* Guest address of BAR N, UINT64_MAX while it isn't decoded. */
uint64_t pci_bar_address(const struct pci_device *pci, unsigned n);
/* The option ROM "romfile" or, where that isn't given, DEFAULT_FILE (NULL: none). pci_device_fini frees it. */
bool pci_rom_init(struct pci_device *pci, const char *default_file, struct error *err);

/* ---- message signalled interrupts (msi.c) ---- */

/* VECTORS: 1, 2, 4, 8, 16 or 32. */
void pci_msi_init(struct pci_device *pci, unsigned offset, unsigned vectors, bool is_64,
		  bool maskable);
/* Table and pending bits are BAR's, which has nothing else. */
void pci_msix_init(struct pci_device *pci, unsigned vectors, unsigned bar);
bool pci_msi_enabled(const struct pci_device *pci);
bool pci_msix_enabled(const struct pci_device *pci);
/* A message; while its vector is masked it stays pending. Nothing when disabled, or when there is no such vector. */
void pci_msi_notify(struct pci_device *pci, unsigned vector);
void pci_msix_notify(struct pci_device *pci, unsigned vector);

/* ---- buses (bus.c) ---- */

/* BUS becomes the machine's root bus, with what it decodes in the machine's address spaces: RAM hides it. */
void pci_root_bus_init(struct pci_bus *bus, struct machine *m, const char *name, bool express);
void pci_root_bus_fini(struct pci_bus *bus);
/* A bus behind BRIDGE; its regions are the caller's to show through windows. */
void pci_secondary_bus_init(struct pci_bus *bus, struct pci_device *bridge, const char *name,
			    bool express);
void pci_secondary_bus_fini(struct pci_bus *bus);
/* NULL or "": the root. NULL when there is no such bus. */
struct pci_bus *pci_bus_find(struct machine *m, const char *name);
/* Bus number, as the guest has programmed the bridges. */
unsigned pci_bus_number(const struct pci_bus *bus);
/* Where no firmware runs: bus numbers, addresses, interrupt lines for everything below the root bus (assign.c). */
void pci_assign_resources(struct machine *m);

/*
 * One access within a function's configuration space, SIZE 1, 2 or 4 and aligned. Where no function is: ones,
 * and dropped. BUS is the root, NUMBER that of any bus below it.
 */
uint32_t pci_config_read(struct pci_bus *root, unsigned number, unsigned devfn, unsigned offset,
			 unsigned size);
void pci_config_write(struct pci_bus *root, unsigned number, unsigned devfn, unsigned offset,
		      uint32_t value, unsigned size);

/* ---- bridges (bridge.c) ---- */

/*
 * What PCI-to-PCI bridges and PCI Express ports are made of (PCI-to-PCI Bridge Architecture Specification 1.2, chapter 3):
 * a function with a type 1 header, the bus behind it, and windows onto what is decoded there. A bridge's struct begins
 * with this one. ROWS name at least vendor, device, class and header type.
 */
struct pci_bridge {
	struct pci_device pci;
	struct pci_bus bus;
	struct region mem_window, pref_window, io_window;
	bool mem_shown, pref_shown, io_shown;
};

/* From realize: pci_device_init too. The bus has the device's id for its name. */
bool pci_bridge_init(struct pci_bridge *bridge, const struct pci_register *rows,
		     bool express_behind, struct error *err);
void pci_bridge_fini(struct pci_bridge *bridge);
/* The windows follow the registers: to be called from the bridge's config_changed if it has one of its own. */
void pci_bridge_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes);

/* ---- for the core's own files ---- */

void pci_bars_update(struct pci_device *pci);
void pci_bars_unmap(struct pci_device *pci);
void pci_msi_config_changed(struct pci_device *pci);
void pci_intx_update(struct pci_device *pci);

/* ---- boards ---- */

/*
 * Accesses to CF8h-CFBh that are not doublewords go on to REGION, which begins with CF9h; real
 * bridges leave them to the bus.
 */
void i440fx_forward_narrow(struct device *dev, struct region *region);

/* The same of the Q35's hub; and where configuration space is in memory, *BYTES 0: nowhere. */
void q35_mch_forward_narrow(struct device *dev, struct region *region);
uint64_t q35_mch_mmconfig(struct device *dev, uint64_t *bytes);
/* ICH9's power management: where its ports are; 0: nowhere. */
uint16_t ich9_lpc_pm_base(struct device *dev);

/* PIIX4's power management function (devices/chipset/piix4_pm.c): where its ports are; 0: nowhere. */
uint16_t piix4_pm_base(struct device *dev);

#endif
