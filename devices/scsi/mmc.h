/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of CD and DVD drives (MMC-5, T10/1675D), for whatever carries them: ATAPI packets, or a SCSI bus. A command
 * becomes a result, which says what the carrier is to do: move bytes, read sectors, report a condition. Loop thread.
 */
#ifndef EVMM_DEVICES_MMC_H
#define EVMM_DEVICES_MMC_H

#include "devices/scsi/scsi_defs.h"
#include "io/block/block.h"
#include "src/device.h"

#define MMC_CDB_BYTES	  12
#define MMC_REPLY_BYTES	  4096
#define CD_SECTOR	  2048
#define CD_RAW_SECTOR	  2352
#define CD_FRAMES	  75  /* a second */
#define CD_LEAD_IN_FRAMES 150 /* before sector 0 */

struct mmc_drive {
	/* configuration */
	struct block *block; /* NULL: a drive that never has a disc */
	bool atapi;
	const char *vendor, *product, *revision, *serial; /* SERIAL may be NULL */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint16_t
		sense_asc; /* of the last command that failed, for REQUEST SENSE; a SCSI bus has its own */
	uint8_t sense_key;
	uint8_t event;		   /* of the medium, not reported yet (6.7) */
	uint8_t recovery, retries; /* mode page 01h */
	bool tray_open, tray_locked, unit_attention;
	uint8_t pad[7];
	GUEST_VISIBLE_END;
};

extern const struct state_desc mmc_drive_state;

enum mmc_what {
	MMC_GOOD,
	MMC_CHECK,	/* KEY and ASC */
	MMC_REPLY,	/* the buffer's first BYTES */
	MMC_READ,	/* SECTORS from LBA on, each as SECTOR_BYTES: CD_SECTOR or CD_RAW_SECTOR */
	MMC_PARAMETERS, /* the host gives BYTES; then mmc_mode_select */
};

struct mmc_result {
	enum mmc_what what;
	enum scsi_sense_key key;
	uint16_t asc;
	uint32_t bytes;
	uint32_t lba, sectors, sector_bytes;
};

/* CDB of MMC_CDB_BYTES; a reply is in BUF, of MMC_REPLY_BYTES. */
void mmc_run(struct mmc_drive *d, const uint8_t *cdb, uint8_t *buf, struct mmc_result *result);
/* The parameter list of the MODE SELECT in CDB: MMC_GOOD or MMC_CHECK. */
void mmc_mode_select(struct mmc_drive *d, const uint8_t *cdb, const uint8_t *list, uint32_t bytes,
		     struct mmc_result *result);
void mmc_reset(struct mmc_drive *d);

/* A last sector that the image has in part counts, and is filled up with zeros. */
uint32_t mmc_sectors(const struct mmc_drive *d);
bool mmc_has_disc(const struct mmc_drive *d);
/* ECMA-130 section 14: sync, header, the data; EDC and ECC are left zeros. */
void mmc_put_raw_sector(uint8_t *raw, const uint8_t *data, uint32_t lba);
/* The user has put a disc in, or taken it out. */
void mmc_medium_changed(struct mmc_drive *d, bool loaded);
/* The user wants the disc, and the guest holds the tray. */
void mmc_eject_request(struct mmc_drive *d, bool force);

#endif
