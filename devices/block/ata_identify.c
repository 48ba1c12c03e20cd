/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an ATA device says of itself: IDENTIFY DEVICE (ATA8-ACS 7.16.7), IDENTIFY PACKET DEVICE (7.17.7),
 * and the geometry that it claims.
 *
 * A BIOS translates cylinders, heads and sectors by its own rules, and the partition table on the disk
 * was made under some BIOS's. So the geometry follows the first partition that tells of one, and else the
 * size: 16 heads and 63 sectors, at most 16383 cylinders.
 */
#include <stdio.h>
#include "devices/block/ata.h"

#define CHS_CYLS_MAX	 16383
#define CHS_HEADS	 16
#define CHS_SECS	 63
#define CHS_HEADS_MAX	 16
#define CHS_SECS_MAX	 255
#define CHS_CYLS_BIOS	 1024 /* that fit into a BIOS call as they are */
#define CHS_TRACKS_LARGE 131072

#define MBR_TABLE     0x1be
#define MBR_ENTRY     16
#define MBR_ENTRIES   4
#define MBR_SIGNATURE 0xaa55

static void put_word(uint8_t *page, unsigned word, uint16_t value)
{
	stn_le(page + 2 * word, 2, value);
}

/* The first character of each pair is in the upper byte; spaces fill up (acs 3.2.9). */
static void put_string(uint8_t *page, unsigned word, const char *s, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		page[2 * word + (i ^ 1)] = *s ? *s : ' ';
		if (*s)
			s++;
	}
}

static void put_names(const struct ata_device *ata, uint8_t *page)
{
	put_string(page, 10, ata->serial, 20);
	put_string(page, 23, ata->version, 8);
	put_string(page, 27, ata->model, 40);
}

/* Words 62, 63 and 88: modes that there are, and the one in force. */
static void put_transfer_modes(const struct ata_device *ata, uint8_t *page)
{
	unsigned kind = ata->transfer_mode >> 3, mode = BIT(ata->transfer_mode & 7);

	put_word(page, 62, 0x07 | (kind == 2 ? mode << 8 : 0));
	put_word(page, 63, 0x07 | (kind == 4 ? mode << 8 : 0));
	put_word(page, 64, 0x03); /* PIO modes 3 and 4 */
	for (unsigned word = 65; word <= 68; word++)
		put_word(page, word, 120); /* ns of a cycle */
	put_word(page, 88, 0x3f | (kind == 8 ? mode << 8 : 0));
}

/* Words 1, 3, 6 and 54 to 58 (ATA-5) */
static void put_geometry(const struct ata_device *ata, uint8_t *page)
{
	uint32_t capacity = (uint32_t)ata->cur_cyls * ata->cur_heads * ata->cur_secs;

	put_word(page, 1, MIN(ata->cyls, UINT16_MAX));
	put_word(page, 3, ata->heads);
	put_word(page, 6, ata->secs);
	put_word(page, 53, 7);
	put_word(page, 54, ata->cur_cyls);
	put_word(page, 55, ata->cur_heads);
	put_word(page, 56, ata->cur_secs);
	stn_le(page + 2 * 57, 4, capacity);
}

static void put_sizes(const struct ata_device *ata, uint8_t *page)
{
	unsigned exponent = 0;

	put_geometry(ata, page);
	stn_le(page + 2 * 60, 4, MIN(ata->sectors, ATA_LBA28_SECTORS - 1));
	stn_le(page + 2 * 100, 8, ata->sectors);
	while (exponent < 8 && (ATA_SECTOR << exponent) < ata->conf.physical_block_size)
		exponent++;
	put_word(page, 106, 0x6000 | exponent); /* logical sectors in a physical one */
	if (block_limits(ata->conf.block)->discard) {
		put_word(page, 105, 8);	     /* sectors of ranges at most */
		put_word(page, 169, 0x0001); /* TRIM */
	}
}

/* Words 82 to 87: feature sets that there are, and that are on. */
static void put_features(const struct ata_device *ata, uint8_t *page)
{
	unsigned enabled = 0x4000 | (ata->write_cache ? 0x20 : 0) | (ata->read_ahead ? 0x40 : 0) |
			   (ata->smart ? 0x01 : 0) | 0x08;

	put_word(page, 82, 0x4069); /* power management, SMART, caches */
	put_word(page, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit addresses */
	put_word(page, 84, 0x4063); /* logs, WRITE FUA, SMART's own */
	put_word(page, 85, enabled);
	put_word(page, 86, 0x3400);
	put_word(page, 87, 0x4063);
	if (ata->wwn) {
		put_word(page, 84, 0x4163);
		put_word(page, 87, 0x4163);
		for (unsigned i = 0; i < 4; i++)
			put_word(page, 108 + i, ata->wwn >> (48 - 16 * i));
	}
}

static void identify_disk(const struct ata_device *ata, uint8_t *page)
{
	put_word(page, 0, 0x0040); /* not removable */
	put_word(page, 47, 0x8000 | ATA_MULTIPLE_MAX);
	put_word(page, 48, 1);
	put_word(page, 49, 0x0f00); /* DMA, LBA, IORDY */
	put_word(page, 50, 0x4000);
	put_word(page, 59, ata->multiple ? 0x100 | ata->multiple : 0);
	put_sizes(ata, page);
	put_transfer_modes(ata, page);
	if (ata->port->serial) {
		put_word(page, 75, ATA_QUEUE - 1);
		put_word(page, 76, 0x0106); /* queueing, 1.5 and 3 Gb/s */
	}
	put_word(page, 80, 0x00f0); /* ATA-4 to ATA/ATAPI-7 */
	put_word(page, 81, 0x0016);
	put_features(ata, page);
	if (!ata->port->serial)
		put_word(page, 93, ata->unit ? 0x6b00 : 0x600b); /* the cable has 80 wires */
	put_word(page, 217, ata->rotation_rate);
}

static void identify_cd(const struct ata_device *ata, uint8_t *page)
{
	put_word(page, 0, 0x85c0);  /* ATAPI, CD-ROM, removable, DRQ within 50 us, packets of 12 */
	put_word(page, 49, 0x0f00); /* DMA, LBA, IORDY */
	put_word(page, 53, 7);
	put_transfer_modes(ata, page);
	put_word(page, 71, 30); /* ns to release the bus */
	put_word(page, 72, 30);
	put_word(page, 80, 0x001e); /* ATA-1 to ATA/ATAPI-4 */
	put_word(page, 82, 0x4210); /* DEVICE RESET, PACKET */
	put_word(page, 83, 0x4000);
	put_word(page, 84, 0x4000);
	put_word(page, 85, 0x4210);
	put_word(page, 87, 0x4000);
}

void ata_identify(const struct ata_device *ata, uint8_t *page)
{
	memset(page, 0, ATA_SECTOR);
	put_names(ata, page);
	if (ata->is_cd)
		identify_cd(ata, page);
	else
		identify_disk(ata, page);
}

/* ---- geometry ---- */

/* Heads and sectors of the last CHS address of the first partition that ends on a cylinder's end. */
static bool geometry_from_mbr(const struct ata_device *ata, uint32_t *heads, uint32_t *secs)
{
	uint8_t mbr[ATA_SECTOR];

	if (!ata->sectors || block_pread_sync(ata->conf.block, 0, mbr, sizeof(mbr)) < 0 ||
	    ldn_le(mbr + ATA_SECTOR - 2, 2) != MBR_SIGNATURE)
		return false;
	for (unsigned i = 0; i < MBR_ENTRIES; i++) {
		const uint8_t *entry = mbr + MBR_TABLE + MBR_ENTRY * i;
		uint32_t last_head = entry[5], last_sec = entry[6] & 0x3f;

		if (!ldn_le(entry + 12, 4) || !last_head)
			continue;
		*heads = last_head + 1;
		*secs = last_sec;
		if (last_sec && ata->sectors / (*heads * *secs) >= 1 &&
		    ata->sectors / (*heads * *secs) <= CHS_CYLS_MAX)
			return true;
	}
	return false;
}

/* A table made with more heads than a drive may have was translated by a BIOS, which will do so again. */
static void guess_geometry(struct ata_device *ata)
{
	uint32_t heads, secs;
	bool found = geometry_from_mbr(ata, &heads, &secs);

	if (!found || heads > CHS_HEADS_MAX) {
		ata->heads = CHS_HEADS;
		ata->secs = CHS_SECS;
	} else {
		ata->heads = heads;
		ata->secs = secs;
	}
	ata->cyls = MIN(MAX(ata->sectors / (ata->heads * ata->secs), 2u), CHS_CYLS_MAX);
	if (!found)
		ata->translation =
			ata->cyls <= CHS_CYLS_BIOS ? ATA_TRANSLATE_NONE : ATA_TRANSLATE_LBA;
	else if (heads > CHS_HEADS_MAX)
		ata->translation = ata->cyls * ata->heads <= CHS_TRACKS_LARGE ? ATA_TRANSLATE_LARGE
									      : ATA_TRANSLATE_LBA;
	else
		ata->translation = ATA_TRANSLATE_NONE;
}

bool ata_guess_geometry(struct ata_device *ata, struct error *err)
{
	const char *name = ata->dev.type->name;

	if (!ata->cyls && !ata->heads && !ata->secs)
		guess_geometry(ata);
	else
		ata->translation =
			ata->cyls <= CHS_CYLS_BIOS ? ATA_TRANSLATE_NONE : ATA_TRANSLATE_LBA;
	if (!ata->cyls || ata->cyls > UINT16_MAX)
		return error_set(err, "%s: cyls must be between 1 and 65535", name);
	if (!ata->heads || ata->heads > CHS_HEADS_MAX)
		return error_set(err, "%s: heads must be between 1 and 16", name);
	if (!ata->secs || ata->secs > CHS_SECS_MAX)
		return error_set(err, "%s: secs must be between 1 and 255", name);
	return true;
}
