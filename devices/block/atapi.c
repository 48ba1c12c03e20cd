/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ATAPI CD-ROM: how a packet command's bytes travel, and reading. What the commands mean is in devices/scsi/mmc.c.
 *
 * ATA/ATAPI-7 volume 1 (T13/1532D) 6.24 "PACKET", volume 2 9.8 "PACKET command protocols"; SPC-3 (T10/1416D)
 * 4.5 "Sense data".
 *
 * While a packet is under way the task file has: COUNT, the interrupt reason (C/D, I/O); LBA MID and HIGH, how many
 * bytes this DRQ block has; ERROR, when it failed, the sense key in its upper half.
 *
 * Not modelled: nothing of PACKET but overlapped commands.
 * Deviates because: no unit attention follows a reset; guests of QEMU's drive have never seen one.
 */
#include <errno.h>
#include "devices/block/ata.h"

/* ---- ends ---- */

static void reason(struct ata_device *ata, uint8_t value)
{
	ata->tf.count = value;
}

static void atapi_ok(struct ata_device *ata)
{
	ata->mmc.sense_key = 0;
	ata->mmc.sense_asc = 0;
	reason(ata, ATAPI_REASON_CD | ATAPI_REASON_IO);
	ata_finish(ata, true);
}

static void atapi_check(struct ata_device *ata, enum scsi_sense_key key, uint16_t asc)
{
	ata->mmc.sense_key = key;
	ata->mmc.sense_asc = asc;
	reason(ata, ATAPI_REASON_CD | ATAPI_REASON_IO);
	ata_fail(ata, key << 4 | (key == SCSI_ILLEGAL_REQUEST ? ATA_ERROR_ABRT : 0));
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

static void run_packet(struct ata_device *ata);

static void packet_moved(struct ata_device *ata)
{
	memcpy(ata->cdb, ata->buffer, ATA_CDB);
	ata->op = ATA_OP_NONE;
	ata->phase = ATA_PHASE_IDLE;
	ata->pos = ata->len = ata->drq_end = 0;
	run_packet(ata);
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

static void reply(struct ata_device *ata, uint32_t bytes)
{
	ata->len = bytes;
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

static void want_parameters(struct ata_device *ata, uint32_t bytes)
{
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

static void parameters_are_here(struct ata_device *ata)
{
	struct mmc_result result;

	mmc_mode_select(&ata->mmc, ata->cdb, ata->buffer, ata->len, &result);
	if (result.what == MMC_GOOD)
		atapi_ok(ata);
	else
		atapi_check(ata, result.key, result.asc);
}

static void data_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		data_block(ata, ATA_PHASE_PIO_OUT);
	else
		parameters_are_here(ata);
}

static void data_go(struct ata_device *ata)
{
	if (!ata_dma_copy(ata, ata->buffer, ata->len, false))
		return;
	ata->port->ops->dma_end(ata->port, ATA_DMA_DONE);
	ata->phase = ATA_PHASE_IDLE;
	parameters_are_here(ata);
}

const struct ata_op_fns atapi_data_fns = {.moved = data_moved, .go = data_go};

/* ---- reading ---- */

static void read_sectors(struct ata_device *ata, const struct mmc_result *what)
{
	if (!can_move_data(ata))
		return;
	ata->op = ATA_OP_PACKET_READ;
	ata->lba = what->lba;
	ata->left = what->sectors;
	ata->sector_bytes = what->sector_bytes;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		atapi_read_fns.go(ata);
}

static uint64_t medium_bytes(const struct ata_device *ata)
{
	return ata->conf.block ? block_bytes(ata->conf.block) : 0;
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
	if (!mmc_has_disc(&ata->mmc) || offset >= medium_bytes(ata)) {
		atapi_check(ata, SCSI_NOT_READY, ASC_NO_MEDIUM); /* it went meanwhile */
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

static void fill_buffer(struct ata_device *ata)
{
	uint8_t *data = ata->io->bounce;

	memset(data + ata->io->bytes, 0, ata->chunk * CD_SECTOR - ata->io->bytes);
	for (uint32_t i = 0; i < ata->chunk; i++, data += CD_SECTOR) {
		if (ata->sector_bytes == CD_SECTOR)
			memcpy(ata->buffer + i * CD_SECTOR, data, CD_SECTOR);
		else
			mmc_put_raw_sector(ata->buffer + i * CD_RAW_SECTOR, data, ata->lba + i);
	}
}

static void read_done(struct ata_device *ata, int ret)
{
	bool direct = !ata->len;

	if (ret < 0) {
		if (ret == -ENOMEDIUM)
			atapi_check(ata, SCSI_NOT_READY, ASC_NO_MEDIUM);
		else
			atapi_check(ata, SCSI_MEDIUM_ERROR, ASC_UNRECOVERED_READ);
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

/* ---- what the packet says ---- */

static void run_packet(struct ata_device *ata)
{
	struct mmc_result result;

	mmc_run(&ata->mmc, ata->cdb, ata->buffer, &result);
	switch (result.what) {
	case MMC_GOOD:
		atapi_ok(ata);
		break;
	case MMC_CHECK:
		atapi_check(ata, result.key, result.asc);
		break;
	case MMC_REPLY:
		reply(ata, result.bytes);
		break;
	case MMC_READ:
		read_sectors(ata, &result);
		break;
	case MMC_PARAMETERS:
		want_parameters(ata, result.bytes);
		break;
	}
}
