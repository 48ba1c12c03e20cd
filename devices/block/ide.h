/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IDE cables, the drives on them, and the channel that a PC's IDE controller has for each cable (task
 * file ports, bus-master DMA). Loop thread.
 */
#ifndef EVMM_DEVICES_IDE_H
#define EVMM_DEVICES_IDE_H

#include "devices/block/prd.h"

extern const struct device_type ide_hd_type, ide_cd_type, piix3_ide_type, ahci_type;

/* ---- cables (ide_drive.c) ---- */

/* CHANNEL is the cable's number at its controller; OPAQUE is both ports'. */
void ide_bus_init(struct ide_bus *bus, struct device *controller, unsigned channel,
		  unsigned n_units, const struct ata_port_ops *ops, void *opaque);
/* The drives on it have gone before. */
void ide_bus_fini(struct ide_bus *bus);
/*
 * What a PC's firmware wants to know of a disk (CMOS bytes 12h, 19h-24h, 39h): false when there is none on that cable and unit.
 * CYLS, HEADS and SECS as the drive says them.
 */
bool ide_geometry(struct machine *m, unsigned bus, unsigned unit, uint32_t *cyls, uint32_t *heads,
		  uint32_t *secs, enum ata_translation *translation);

/* ---- channels (ide_channel.c) ---- */

struct ide_channel {
	/* configuration */
	struct device *controller;
	struct ide_bus bus;
	struct region command, control_port;
	/* May the controller do DMA? NULL: it can't. */
	bool (*dma_allowed)(struct device *controller);

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct prd_walk walk;
	uint32_t bm_table;
	uint8_t bm_command, bm_status;
	uint8_t control; /* device control */
	uint8_t select;	 /* unit */
	GUEST_VISIBLE_END;

	/* host side */
	struct irq irq;
	struct region_stream stream; /* of the selected drive's data */
	bool in_access;		     /* the stream stays closed */
	struct prd_walk after;	     /* where dma_map left off */
	uint64_t run, after_run;     /* which start of the bus master that was */
};

extern const struct state_desc ide_channel_state;

/* The ports are initialised, not yet anywhere. */
void ide_channel_init(struct ide_channel *ch, struct device *controller, unsigned channel,
		      bool (*dma_allowed)(struct device *controller));
void ide_channel_fini(struct ide_channel *ch);
void ide_channel_reset(struct ide_channel *ch);
/* The bus-master registers, OFFSET 0 to 7. */
uint32_t ide_bm_read(const struct ide_channel *ch, unsigned offset, unsigned size);
void ide_bm_write(struct ide_channel *ch, unsigned offset, uint32_t value, unsigned size);
/* dma_allowed may answer otherwise now. */
void ide_channel_dma_changed(struct ide_channel *ch);

#endif
