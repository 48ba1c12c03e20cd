/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the halves of the AHCI controller: ahci.c has the HBA and what it is on PCI, ahci_port.c the ports. Loop thread. */
#ifndef EVMM_DEVICES_AHCI_H
#define EVMM_DEVICES_AHCI_H

#include "devices/block/ide.h"
#include "devices/pci/pci.h"

#define AHCI_PORTS	6
#define AHCI_SLOTS	32
#define AHCI_NO_SLOT	AHCI_SLOTS
#define AHCI_PORT_BYTES 0x80

struct ahci;

struct ahci_port {
	/* configuration */
	struct ahci *hba;
	unsigned n;
	struct ide_bus bus;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct prd_walk walk[AHCI_SLOTS]; /* how far each slot's table has been used */
	uint32_t moved[AHCI_SLOTS];	  /* bytes of each */
	uint64_t clb, fb;
	uint64_t
		packet_at; /* where the slot's command table has the packet; 0: it comes like data */
	uint32_t is, ie, cmd, sctl, serr, sact, ci;
	uint8_t slot;	   /* whose command the device executes, but for queued ones */
	uint8_t next_slot; /* where the search for one begins */
	bool stopped;	   /* until ST is cleared: an error, or a device that will not answer */
	bool srst;	   /* a control FIS holds the device in reset */
	bool clo;	   /* BSY and DRQ are hidden until the device says something */
	GUEST_VISIBLE_END;

	/* host side */
	struct prd_walk after[AHCI_SLOTS]; /* where dma_map left off */
	bool pio_due, in_pio, in_engine;
};

struct ahci {
	struct pci_device pci;

	/* configuration */
	struct region regs, ports_pair; /* BAR 5; BAR 4 */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t ghc, is;
	uint32_t index; /* what the data port shows */
	uint32_t reserved;
	GUEST_VISIBLE_END;
	struct ahci_port ports[AHCI_PORTS];
};

/* ---- ahci.c ---- */

/* A port's IS or IE has changed. */
void ahci_update_irq(struct ahci *s);

/* ---- ahci_port.c ---- */
extern const struct state_desc ahci_port_state;

void ahci_port_init(struct ahci_port *p, struct ahci *hba, unsigned n);
void ahci_port_fini(struct ahci_port *p);
/* Registers only; the drive is a device of its own. */
void ahci_port_reset(struct ahci_port *p);
/* GHC.HR: the drive is reset too. */
void ahci_port_hba_reset(struct ahci_port *p);
uint32_t ahci_port_read(struct ahci_port *p, unsigned offset);
void ahci_port_write(struct ahci_port *p, unsigned offset, uint32_t value);
/* Whatever held commands back may be over. */
void ahci_port_run(struct ahci_port *p);

#endif
