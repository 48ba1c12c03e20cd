/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the halves of the ATAPI CD-ROM: atapi.c moves bytes, atapi_info.c knows the commands. Loop thread. */
#ifndef EVMM_DEVICES_ATAPI_H
#define EVMM_DEVICES_ATAPI_H

#include <errno.h>
#include "devices/block/ata.h"

#define CD_SECTOR	  2048
#define CD_RAW_SECTOR	  2352
#define CD_FRAMES	  75  /* a second */
#define CD_LEAD_IN_FRAMES 150 /* before sector 0 */

#define SENSE_NOT_READY	      0x02
#define SENSE_MEDIUM_ERROR    0x03
#define SENSE_ILLEGAL_REQUEST 0x05
#define SENSE_UNIT_ATTENTION  0x06

#define ASC_UNRECOVERED_READ_ERROR 0x11
#define ASC_INVALID_OPCODE	   0x20
#define ASC_LBA_OUT_OF_RANGE	   0x21
#define ASC_INVALID_FIELD	   0x24
#define ASC_INVALID_PARAMETER	   0x26
#define ASC_MEDIUM_CHANGED	   0x28
#define ASC_SAVING_UNSUPPORTED	   0x39
#define ASC_NO_MEDIUM		   0x3a
#define ASC_REMOVAL_PREVENTED	   0x53
#define ASC_WRONG_TRACK_MODE	   0x64

/* Events of the media class (MMC-5 6.7.2) */
#define EVENT_EJECT_REQUEST 1
#define EVENT_NEW_MEDIA	    2
#define EVENT_MEDIA_REMOVAL 3

/* atapi.c */
uint32_t atapi_sectors(const struct ata_device *ata);
bool atapi_has_disc(const struct ata_device *ata);
void atapi_ok(struct ata_device *ata);
void atapi_check(struct ata_device *ata, uint8_t key, uint8_t asc, uint8_t ascq);
/* The buffer's first BYTES, as far as the host has room for them. */
void atapi_reply(struct ata_device *ata, uint32_t bytes, uint32_t allocated);
/* A parameter list of BYTES comes; then atapi_mode_select_data. */
void atapi_want_data(struct ata_device *ata, uint32_t bytes);
void atapi_read(struct ata_device *ata, uint32_t lba, uint32_t n, uint32_t sector_bytes);
void atapi_lock(struct ata_device *ata, bool locked);
void atapi_move_tray(struct ata_device *ata, bool open);

/* atapi_info.c */
void atapi_run(struct ata_device *ata);
void atapi_mode_select_data(struct ata_device *ata, const uint8_t *list, uint32_t bytes);

#endif
