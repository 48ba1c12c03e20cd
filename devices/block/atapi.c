/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ATAPI CD-ROM: how a packet command's bytes travel, the medium and its tray, and reading. What the drive
 * tells of itself and of the disc is in atapi_info.c.
 *
 * ATA/ATAPI-7 volume 1 (T13/1532D) 6.24 "PACKET", volume 2 9.8 "PACKET command protocols"; MMC-5 (T10/1675D) section 6
 * "Commands"; SPC-3 (T10/1416D) 4.5 "Sense data".
 *
 * While a packet is under way the task file has: COUNT, the interrupt reason (C/D, I/O); LBA MID and HIGH, how many
 * bytes this DRQ block has; ERROR, when it failed, the sense key in its upper half.
 *
 * Not modelled: audio, subchannels, writing; error correction codes of raw sectors read as zeros.
 * Deviates because: no unit attention follows a reset; guests of QEMU's drive have never seen one.
 */
#include "devices/block/atapi.h"

static uint64_t medium_bytes(const struct ata_device *ata)
{
	return ata->conf.block ? block_bytes(ata->conf.block) : 0;
}

/* A last sector that the image has in part counts, and is filled up with zeros. */
uint32_t atapi_sectors(const struct ata_device *ata)
{
	uint64_t n = medium_bytes(ata) / CD_SECTOR + (medium_bytes(ata) % CD_SECTOR != 0);

	return MIN(n, UINT32_MAX);
}

bool atapi_has_disc(const struct ata_device *ata)
{
	return !ata->tray_open && ata->conf.block && block_has_medium(ata->conf.block);
}

/* ---- ends ---- */

static void reason(struct ata_device *ata, uint8_t value)
{
	ata->tf.count = value;
}

void atapi_ok(struct ata_device *ata)
{
	ata->sense_key = ata->sense_asc = ata->sense_ascq = 0;
	reason(ata, ATAPI_REASON_CD | ATAPI_REASON_IO);
	ata_finish(ata, true);
}

void atapi_check(struct ata_device *ata, uint8_t key, uint8_t asc, uint8_t ascq)
{
	ata->sense_key = key;
	ata->sense_asc = asc;
	ata->sense_ascq = ascq;
	reason(ata, ATAPI_REASON_CD | ATAPI_REASON_IO);
	ata_fail(ata, key << 4 | (key == SENSE_ILLEGAL_REQUEST ? ATA_ERROR_ABRT : 0));
}

static void end_dma(struct ata_device *ata)
{
	ata->port->ops->dma_end(ata->port, ATA_DMA_DONE);
	atapi_ok(ata);
}

/* ---- DRQ blocks ---- */

static uint32_t drq_limit(const struct ata_device *ata)
{
	return MAX(ata->packet_limit & ~1u, 2u);
}

static void data_block(struct ata_device *ata, enum ata_phase phase)
{
	uint32_t bytes = MIN(ata->len - ata->pos, drq_limit(ata));

	reason(ata, phase == ATA_PHASE_PIO_IN ? ATAPI_REASON_IO : 0);
	ata->tf.mid = bytes;
	ata->tf.high = bytes >> 8;
	ata_drq(ata, phase, bytes, true);
}

/* ---- the packet ---- */

void atapi_cmd_packet(struct ata_device *ata)
{
	ata->use_dma = ata->tf.feature & 1;
	ata->packet_limit = ata->tf.mid | ata->tf.high << 8;
	ata->op = ATA_OP_PACKET;
	ata->pos = 0;
	ata->len = ATA_CDB;
	reason(ata, ATAPI_REASON_CD);
	ata_drq(ata, ATA_PHASE_PIO_OUT, ATA_CDB, false);
}

static void packet_moved(struct ata_device *ata)
{
	memcpy(ata->cdb, ata->buffer, ATA_CDB);
	ata->op = ATA_OP_NONE;
	ata->phase = ATA_PHASE_IDLE;
	ata->pos = ata->len = ata->drq_end = 0;
	atapi_run(ata);
}

const struct ata_op_fns atapi_packet_fns = {.moved = packet_moved};

/* Data by PIO need a limit (ATA/ATAPI-7 6.24.4). */
static bool can_move_data(struct ata_device *ata)
{
	if (ata->use_dma || ata->packet_limit)
		return true;
	ata_fail(ata, ATA_ERROR_ABRT);
	return false;
}

/* ---- replies ---- */

void atapi_reply(struct ata_device *ata, uint32_t bytes, uint32_t allocated)
{
	ata->len = MIN(bytes, allocated);
	ata->pos = 0;
	if (!ata->len) {
		atapi_ok(ata);
		return;
	}
	if (!can_move_data(ata))
		return;
	ata->op = ATA_OP_PACKET_REPLY;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		data_block(ata, ATA_PHASE_PIO_IN);
}

static void reply_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		data_block(ata, ATA_PHASE_PIO_IN);
	else
		atapi_ok(ata);
}

static void reply_go(struct ata_device *ata)
{
	reason(ata, ATAPI_REASON_IO);
	if (ata_dma_copy(ata, ata->buffer, ata->len, true))
		end_dma(ata);
}

const struct ata_op_fns atapi_reply_fns = {.moved = reply_moved, .go = reply_go};

/* ---- parameter lists ---- */

void atapi_want_data(struct ata_device *ata, uint32_t bytes)
{
	if (!bytes) {
		atapi_ok(ata);
		return;
	}
	if (!can_move_data(ata))
		return;
	ata->op = ATA_OP_PACKET_DATA;
	ata->len = MIN(bytes, ATA_BUFFER);
	ata->pos = 0;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		data_block(ata, ATA_PHASE_PIO_OUT);
}

static void data_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		data_block(ata, ATA_PHASE_PIO_OUT);
	else
		atapi_mode_select_data(ata, ata->buffer, ata->len);
}

static void data_go(struct ata_device *ata)
{
	if (!ata_dma_copy(ata, ata->buffer, ata->len, false))
		return;
	ata->port->ops->dma_end(ata->port, ATA_DMA_DONE);
	ata->phase = ATA_PHASE_IDLE;
	atapi_mode_select_data(ata, ata->buffer, ata->len);
}

const struct ata_op_fns atapi_data_fns = {.moved = data_moved, .go = data_go};

/* ---- reading ---- */

void atapi_read(struct ata_device *ata, uint32_t lba, uint32_t n, uint32_t sector_bytes)
{
	uint32_t sectors = atapi_sectors(ata);

	if (lba > sectors || n > sectors - lba) {
		atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0);
		return;
	}
	if (!n) {
		atapi_ok(ata);
		return;
	}
	if (!can_move_data(ata))
		return;
	ata->op = ATA_OP_PACKET_READ;
	ata->lba = lba;
	ata->left = n;
	ata->sector_bytes = sector_bytes;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		atapi_read_fns.go(ata);
}

/* Straight into the host's memory, where each byte is one of the image. */
static bool reads_directly(const struct ata_device *ata)
{
	return ata->use_dma && ata->sector_bytes == CD_SECTOR &&
	       (ata->lba + ata->left) * CD_SECTOR <= medium_bytes(ata);
}

static void read_go(struct ata_device *ata)
{
	uint64_t offset = ata->lba * CD_SECTOR, bytes;

	reason(ata, ATAPI_REASON_IO);
	if (!atapi_has_disc(ata) || offset >= medium_bytes(ata)) {
		atapi_check(ata, SENSE_NOT_READY, ASC_NO_MEDIUM, 0); /* it went meanwhile */
		return;
	}
	if (reads_directly(ata)) {
		bytes = MIN((uint64_t)ata->left * CD_SECTOR, ATA_IO_BYTES);
		bytes = ata_dma_get(ata, bytes, CD_SECTOR, true);
		if (!bytes)
			return;
		ata->chunk = bytes / CD_SECTOR;
		ata->len = 0;
		ata_submit_read(ata, offset, false, bytes);
		return;
	}
	ata->chunk = MIN(ata->left, ATA_BUFFER / ata->sector_bytes);
	ata->len = ata->chunk * ata->sector_bytes;
	ata->pos = ata->drq_end = 0;
	bytes = MIN((uint64_t)ata->chunk * CD_SECTOR, medium_bytes(ata) - offset);
	ata_submit_read(ata, offset, true, bytes);
}

static uint8_t bcd(unsigned n)
{
	return n / 10 % 10 << 4 | n % 10;
}

/* ECMA-130 section 14: sync, header, the data; EDC and ECC are left zeros. */
static void put_raw_sector(uint8_t *raw, const uint8_t *data, uint32_t lba)
{
	uint32_t frames = lba + CD_LEAD_IN_FRAMES;

	memset(raw, 0, CD_RAW_SECTOR);
	memset(raw + 1, 0xff, 10);
	raw[12] = bcd(frames / CD_FRAMES / 60);
	raw[13] = bcd(frames / CD_FRAMES % 60);
	raw[14] = bcd(frames % CD_FRAMES);
	raw[15] = 1; /* mode */
	memcpy(raw + 16, data, CD_SECTOR);
}

static void fill_buffer(struct ata_device *ata)
{
	uint8_t *data = ata->io->bounce;

	memset(data + ata->io->bytes, 0, ata->chunk * CD_SECTOR - ata->io->bytes);
	for (uint32_t i = 0; i < ata->chunk; i++, data += CD_SECTOR) {
		if (ata->sector_bytes == CD_SECTOR)
			memcpy(ata->buffer + i * CD_SECTOR, data, CD_SECTOR);
		else
			put_raw_sector(ata->buffer + i * CD_RAW_SECTOR, data, ata->lba + i);
	}
}

static void read_done(struct ata_device *ata, int ret)
{
	bool direct = !ata->len;

	if (ret < 0) {
		if (ret == -ENOMEDIUM)
			atapi_check(ata, SENSE_NOT_READY, ASC_NO_MEDIUM, 0);
		else
			atapi_check(ata, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR, 0);
		return;
	}
	if (!direct) {
		fill_buffer(ata);
		ata->phase = ATA_PHASE_DMA; /* what becomes of it if the copy fails */
		if (ata->use_dma && !ata_dma_copy(ata, ata->buffer, ata->len, true))
			return;
	} else {
		ata->port->ops->dma_commit(ata->port, ata->io);
	}
	ata->lba += ata->chunk;
	ata->left -= ata->chunk;
	if (!ata->use_dma)
		data_block(ata, ATA_PHASE_PIO_IN);
	else if (ata->left)
		ata_want_dma(ata);
	else
		end_dma(ata);
}

static void read_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		data_block(ata, ATA_PHASE_PIO_IN);
	else if (ata->left)
		read_go(ata);
	else
		atapi_ok(ata);
}

const struct ata_op_fns atapi_read_fns = {.moved = read_moved, .go = read_go, .done = read_done};

/* ---- the tray ---- */

void atapi_lock(struct ata_device *ata, bool locked)
{
	ata->tray_locked = locked;
	if (ata->conf.block)
		block_lock_medium(ata->conf.block, locked);
	atapi_ok(ata);
}

void atapi_move_tray(struct ata_device *ata, bool open)
{
	if (open && !ata->tray_open && ata->tray_locked) {
		atapi_check(ata, atapi_has_disc(ata) ? SENSE_ILLEGAL_REQUEST : SENSE_NOT_READY,
			    ASC_REMOVAL_PREVENTED, 2);
		return;
	}
	if (ata->tray_open != open) {
		ata->tray_open = open;
		if (ata->conf.block)
			block_tray_moved(ata->conf.block, open);
		if (!open && atapi_has_disc(ata)) {
			ata->unit_attention = true;
			ata->event = EVENT_NEW_MEDIA;
		} else if (open) {
			ata->event = EVENT_MEDIA_REMOVAL;
		}
	}
	atapi_ok(ata);
}

/* The user has put a disc in, or taken it out. */
void atapi_medium_changed(struct ata_device *ata, bool loaded)
{
	ata->tray_open = !loaded;
	ata->event = loaded ? EVENT_NEW_MEDIA : EVENT_MEDIA_REMOVAL;
	if (loaded)
		ata->unit_attention = true;
}

/* He presses the button, and the guest holds the tray. */
void atapi_eject_request(struct ata_device *ata, bool force)
{
	ata->event = EVENT_EJECT_REQUEST;
	if (force && ata->tray_locked) {
		ata->tray_locked = false;
		if (ata->conf.block)
			block_lock_medium(ata->conf.block, false);
	}
}

void atapi_reset(struct ata_device *ata)
{
	if (ata->tray_locked && ata->conf.block)
		block_lock_medium(ata->conf.block, false);
	ata->tray_locked = false;
	ata->unit_attention = false;
	ata->event = 0;
	ata->sense_key = ata->sense_asc = ata->sense_ascq = 0;
	ata->recovery = 0;
	ata->retries = 5;
}
