/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native command queueing: READ and WRITE FPDMA QUEUED (ATA8-ACS 7.22, 7.63; Serial ATA 2.6 section 13.6).
 * Up to 32 commands run side by side, each with its own request to the block engine.
 *
 * When one fails, all are over: the host is told once, and has to read the error log (READ LOG EXT, page
 * 10h) before the device takes queued commands again (4.16.3).
 */
#include "devices/block/ata.h"

#define QUEUE_TAG_SHIFT 3

static struct ata_io *queue_io(struct ata_device *ata, unsigned tag)
{
	if (!ata->queue_io[tag])
		ata->queue_io[tag] = ata_io_new(ata, tag, 0);
	return ata->queue_io[tag];
}

static void queue_end(struct ata_device *ata, unsigned tag)
{
	ata->active &= ~BIT(tag);
	ata->queue[tag].left = 0;
}

static void queue_fail(struct ata_device *ata, unsigned tag, uint8_t error)
{
	ata->queue_failed = true;
	ata->queue_error_tag = tag;
	ata->queue_error = error;
	ata->queue_error_status = ATA_STATUS_GOOD | ATA_STATUS_ERR;
	ata->queue_error_lba = ata->queue[tag].lba;
	ata->active = 0;
	memset(ata->queue, 0, sizeof(ata->queue));
	ata->tf.status = ATA_STATUS_GOOD | ATA_STATUS_ERR;
	ata->tf.error = error;
	ata->port->ops->queued_complete(ata->port, tag, false);
	/* The others come back from the block engine, nothing comes of it, and their tags are not free before. */
	ata->draining = ata->in_flight;
}

/* Maps what comes next of the command, and submits it. */
static void queue_go(struct ata_device *ata, unsigned tag)
{
	struct ata_queued *q = &ata->queue[tag];
	struct ata_io *io = queue_io(ata, tag);
	size_t bytes = MIN((uint64_t)q->left * ATA_SECTOR, ATA_IO_BYTES);
	uint64_t offset = q->lba * ATA_SECTOR;
	bool good;

	io->n_iov = 0;
	io->bytes = 0;
	io->to_host = !q->write;
	io->mapped = true;
	good = ata->port->ops->dma_map(ata->port, io, bytes, ATA_SECTOR);
	if (!good || !io->bytes) {
		ata->port->ops->dma_end(ata->port, good ? ATA_DMA_SHORT : ATA_DMA_BAD);
		io->to_host = false;
		ata_io_unmap(io);
		queue_fail(ata, tag, ATA_ERROR_ABRT);
		return;
	}
	ata_io_submitted(io);
	if (q->write)
		block_writev(ata->conf.block, &io->req, offset, io->iov, io->n_iov,
			     q->fua ? BLOCK_FUA : 0, ata_io_done, io);
	else
		block_readv(ata->conf.block, &io->req, offset, io->iov, io->n_iov, ata_io_done, io);
}

void ata_queue_done(struct ata_device *ata, struct ata_io *io, int ret)
{
	struct ata_queued *q = &ata->queue[io->tag];

	if (!(ata->active & BIT(io->tag)))
		return; /* it was over when another one failed */
	if (ret < 0) {
		queue_fail(ata, io->tag, q->write ? ATA_ERROR_ABRT : ATA_ERROR_UNC);
		return;
	}
	ata->port->ops->dma_commit(ata->port, io);
	q->lba += io->bytes / ATA_SECTOR;
	q->left -= io->bytes / ATA_SECTOR;
	if (q->left) {
		queue_go(ata, io->tag);
		return;
	}
	queue_end(ata, io->tag);
	ata->port->ops->queued_complete(ata->port, io->tag, true);
}

bool ata_execute_queued(struct ata_device *ata, uint8_t command)
{
	const struct ata_taskfile *tf = &ata->tf;
	unsigned tag = tf->count >> QUEUE_TAG_SHIFT;
	uint32_t n = (tf->feature | tf->hob_feature << 8) ?: 65536;
	uint64_t lba = (uint64_t)tf->hob_high << 40 | (uint64_t)tf->hob_mid << 32 |
		       (uint64_t)tf->hob_low << 24 | tf->high << 16 | tf->mid << 8 | tf->low;
	struct ata_queued *q = &ata->queue[tag];

	if (ata->is_cd || !ata->port->serial || ata->queue_failed || (ata->active & BIT(tag)) ||
	    queue_io(ata, tag)->busy) {
		ata_fail(ata, ATA_ERROR_ABRT);
		return false;
	}
	q->lba = lba;
	q->left = n;
	q->write = command == ATA_CMD_WRITE_FPDMA_QUEUED;
	q->fua = q->write && (tf->device & ATA_DEVICE_FUA);
	ata->standby = false;
	if (lba >= ata->sectors || n > ata->sectors - lba) {
		queue_fail(ata, tag, ATA_ERROR_IDNF);
		return true;
	}
	ata->active |= BIT(tag);
	ata->tf.status = ATA_STATUS_GOOD;
	ata->tf.error = 0;
	queue_go(ata, tag);
	return true;
}

void ata_queue_reset(struct ata_device *ata)
{
	ata->active = 0;
	ata->queue_failed = false;
	memset(ata->queue, 0, sizeof(ata->queue));
}

/* Loaded: what was under way begins again. */
void ata_queue_restart(struct ata_device *ata)
{
	for (unsigned tag = 0; tag < ATA_QUEUE; tag++)
		if (ata->active & BIT(tag))
			queue_go(ata, tag);
}
