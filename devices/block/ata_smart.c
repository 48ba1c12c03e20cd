/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMART and the logs of a disk that is always well.
 *
 * ATA8-ACS (T13/1699D revision 6a) 7.52 "SMART", 7.24 "READ LOG EXT", annex A "Log page definitions"; what the
 * attributes are is each maker's business, and their layout is that of SFF-8035i.
 */
#include "devices/block/ata.h"

#define SMART_READ_DATA	      0xd0
#define SMART_READ_THRESHOLDS 0xd1
#define SMART_AUTOSAVE	      0xd2
#define SMART_SAVE	      0xd3
#define SMART_OFFLINE	      0xd4
#define SMART_READ_LOG	      0xd5
#define SMART_ENABLE	      0xd8
#define SMART_DISABLE	      0xd9
#define SMART_STATUS	      0xda

#define SMART_KEY_MID  0x4f
#define SMART_KEY_HIGH 0xc2

#define LOG_DIRECTORY	0x00
#define LOG_ERRORS	0x01 /* summary; SMART */
#define LOG_SELF_TESTS	0x06 /* SMART */
#define LOG_QUEUE_ERROR 0x10 /* general purpose */

#define ATTRIBUTE_BYTES 12

struct attribute {
	uint8_t id, threshold;
	uint16_t flags;
	uint8_t value;
	uint8_t raw;
};

static const struct attribute attributes[] = {
	{1, 6, 0x0003, 100, 0},	   /* read errors */
	{3, 0, 0x0003, 100, 0},	   /* spin-up time */
	{4, 20, 0x0002, 100, 1},   /* starts and stops */
	{5, 36, 0x0003, 100, 0},   /* sectors replaced */
	{9, 0, 0x0003, 100, 1},	   /* hours on */
	{12, 0, 0x0003, 100, 1},   /* power cycles */
	{190, 50, 0x0003, 69, 31}, /* degrees */
};

/* Byte 511 makes the sum of all 0. */
static void put_checksum(uint8_t *page)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < ATA_SECTOR - 1; i++)
		sum += page[i];
	page[ATA_SECTOR - 1] = -sum;
}

static void smart_data(struct ata_device *ata, uint8_t *page)
{
	for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
		const struct attribute *a = &attributes[i];
		uint8_t *p = page + 2 + ATTRIBUTE_BYTES * i;

		p[0] = a->id;
		stn_le(p + 1, 2, a->flags);
		p[3] = p[4] = a->value;
		p[5] = a->raw;
	}
	page[0] = 1;				       /* revision */
	page[362] = ata->smart_autosave ? 0x82 : 0x02; /* off-line data were collected */
	page[367] = 0x11;			       /* it can collect them, and test itself */
	page[368] = 0x03;			       /* attributes are kept */
	page[370] = 0x01;			       /* there are logs */
	page[372] = 2;				       /* minutes of a short self-test */
	page[373] = 54;
	put_checksum(page);
}

static void smart_thresholds(uint8_t *page)
{
	page[0] = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
		page[2 + ATTRIBUTE_BYTES * i] = attributes[i].id;
		page[3 + ATTRIBUTE_BYTES * i] = attributes[i].threshold;
	}
	put_checksum(page);
}

static bool smart_log(struct ata_device *ata, uint8_t *page)
{
	switch (ata->tf.low) {
	case LOG_DIRECTORY:
		page[0] = 1;
		page[2 * LOG_ERRORS] = 1;
		page[2 * LOG_SELF_TESTS] = 1;
		return true;
	case LOG_ERRORS:
		page[0] = 1;
		put_checksum(page);
		return true;
	case LOG_SELF_TESTS:
		page[0] = 1;
		put_checksum(page);
		return true;
	default:
		return false;
	}
}

void ata_cmd_smart(struct ata_device *ata)
{
	struct ata_taskfile *tf = &ata->tf;
	uint8_t *page = ata->buffer;

	if (tf->mid != SMART_KEY_MID || tf->high != SMART_KEY_HIGH ||
	    (!ata->smart && tf->feature != SMART_ENABLE)) {
		ata_fail(ata, ATA_ERROR_ABRT);
		return;
	}
	memset(page, 0, ATA_SECTOR);
	switch (tf->feature) {
	case SMART_ENABLE:
	case SMART_DISABLE:
		ata->smart = tf->feature == SMART_ENABLE;
		break;
	case SMART_AUTOSAVE:
		ata->smart_autosave = tf->count == 0xf1;
		break;
	case SMART_STATUS: /* the key as it was: no threshold is exceeded */
	case SMART_SAVE:
	case SMART_OFFLINE:
		break;
	case SMART_READ_DATA:
		smart_data(ata, page);
		ata_reply(ata, ATA_SECTOR);
		return;
	case SMART_READ_THRESHOLDS:
		smart_thresholds(page);
		ata_reply(ata, ATA_SECTOR);
		return;
	case SMART_READ_LOG:
		if (smart_log(ata, page) && tf->count == 1) {
			ata_reply(ata, ATA_SECTOR);
			return;
		}
		/* fall through */
	default:
		ata_fail(ata, ATA_ERROR_ABRT);
		return;
	}
	ata_finish(ata, true);
}

/* A.14: which queued command failed, with its task file. */
static void queue_error_log(struct ata_device *ata, uint8_t *page)
{
	uint64_t lba = ata->queue_error_lba;

	page[0] = ata->queue_failed ? ata->queue_error_tag : 0x80; /* NQ: none was queued */
	page[2] = ata->queue_error_status;
	page[3] = ata->queue_error;
	page[4] = lba;
	page[5] = lba >> 8;
	page[6] = lba >> 16;
	page[7] = ATA_DEVICE_LBA;
	page[8] = lba >> 24;
	page[9] = lba >> 32;
	page[10] = lba >> 40;
	put_checksum(page);
	ata->queue_failed = false;
}

/* The page's number is in LBA LOW, the first block's in LBA MID. */
void ata_cmd_read_log(struct ata_device *ata)
{
	struct ata_taskfile *tf = &ata->tf;
	uint8_t *page = ata->buffer;

	if (tf->count != 1 || tf->hob_count || tf->mid || tf->hob_mid ||
	    (tf->low != LOG_DIRECTORY && tf->low != LOG_QUEUE_ERROR)) {
		ata_fail(ata, ATA_ERROR_ABRT);
		return;
	}
	memset(page, 0, ATA_SECTOR);
	if (tf->low == LOG_DIRECTORY) {
		page[0] = 1;
		page[2 * LOG_QUEUE_ERROR] = 1;
	} else {
		queue_error_log(ata, page);
	}
	ata_reply(ata, ATA_SECTOR);
}
