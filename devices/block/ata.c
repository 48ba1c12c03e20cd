/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine of an ATA device: task file, phases, and the commands that move sectors. The other
 * commands are in ata_commands.c, the queued ones in ata_queue.c, packets in atapi.c.
 *
 * ATA8-ACS (T13/1699D revision 6a) sections 4 "Feature sets", 6 "Status and error", 7 "Commands";
 * ATA/ATAPI-7 volume 2 (T13/1532D) section 9 "Protocols" for the phases.
 *
 *	register	name		access	reset		section
 *	0		DATA		RW	-		ata7v2 6.2.5; the port moves it
 *	1		ERROR		R	01		acs 6.3, after reset: diagnostics passed
 *	1		FEATURES	W	-		acs 6.4
 *	2		COUNT		RW	01		acs 6.5
 *	3		LBA LOW		RW	01		acs 6.6
 *	4		LBA MID		RW	00, CD 14	acs 6.6
 *	5		LBA HIGH	RW	00, CD eb	acs 6.6
 *	6		DEVICE		RW	00		acs 6.7
 *	7		STATUS		R	50, CD 00	acs 6.2
 *	7		COMMAND		W	-		acs 7
 *
 * Not modelled: overlapped commands, the security and host protected area feature sets (but READ NATIVE
 * MAX), streaming, power management timers.
 * Deviates because: a PIO transfer reads up to ATA_BUFFER ahead and gathers as much before it writes, so
 * that the block engine isn't asked for single sectors; the host sees DRQ blocks as ever, and the end of
 * the command only when all is written.
 */
#include <stdlib.h>
#include "devices/block/ata.h"

static void ata_go(struct ata_device *ata);

/* ---- registers ---- */

uint8_t ata_status(const struct ata_device *ata)
{
	return ata->draining ? ATA_STATUS_BSY : ata->tf.status;
}

void ata_write_reg(struct ata_device *ata, unsigned reg, uint8_t value)
{
	struct ata_taskfile *tf = &ata->tf;

	if (ata_status(ata) & (ATA_STATUS_BSY | ATA_STATUS_DRQ) && reg != ATA_REG_DEVICE)
		return;
	switch (reg) {
	case ATA_REG_FEATURE:
		tf->hob_feature = tf->feature;
		tf->feature = value;
		break;
	case ATA_REG_COUNT:
		tf->hob_count = tf->count;
		tf->count = value;
		break;
	case ATA_REG_LBA_LOW:
		tf->hob_low = tf->low;
		tf->low = value;
		break;
	case ATA_REG_LBA_MID:
		tf->hob_mid = tf->mid;
		tf->mid = value;
		break;
	case ATA_REG_LBA_HIGH:
		tf->hob_high = tf->high;
		tf->high = value;
		break;
	case ATA_REG_DEVICE:
		tf->device = value;
		break;
	}
}

uint8_t ata_read_reg(const struct ata_device *ata, unsigned reg, bool hob)
{
	const struct ata_taskfile *tf = &ata->tf;

	switch (reg) {
	case ATA_REG_ERROR:
		return hob ? 0 : tf->error;
	case ATA_REG_COUNT:
		return hob ? tf->hob_count : tf->count;
	case ATA_REG_LBA_LOW:
		return hob ? tf->hob_low : tf->low;
	case ATA_REG_LBA_MID:
		return hob ? tf->hob_mid : tf->mid;
	case ATA_REG_LBA_HIGH:
		return hob ? tf->hob_high : tf->high;
	case ATA_REG_DEVICE:
		return tf->device | 0xa0; /* bits that ATA-4 made obsolete, and set */
	default:
		return ata_status(ata);
	}
}

void ata_set_intrq(struct ata_device *ata, bool level)
{
	if (ata->intrq == level)
		return;
	ata->intrq = level;
	ata->port->ops->intrq(ata->port);
}

void ata_ack(struct ata_device *ata)
{
	ata_set_intrq(ata, false);
}

/* ---- addresses ---- */

/* The first sector that the task file names, in whatever way (acs 6.6; CHS as ATA-5 had it). */
static bool ata_get_lba(const struct ata_device *ata, uint64_t *lba)
{
	const struct ata_taskfile *tf = &ata->tf;
	uint32_t cyl = tf->mid | tf->high << 8, head = tf->device & ATA_DEVICE_HEAD;

	if (ata->lba48) {
		*lba = (uint64_t)tf->hob_high << 40 | (uint64_t)tf->hob_mid << 32 |
		       (uint64_t)tf->hob_low << 24 | tf->high << 16 | tf->mid << 8 | tf->low;
		return true;
	}
	if (tf->device & ATA_DEVICE_LBA) {
		*lba = (uint64_t)head << 24 | tf->high << 16 | tf->mid << 8 | tf->low;
		return true;
	}
	*lba = ((uint64_t)cyl * ata->cur_heads + head) * ata->cur_secs + tf->low - 1;
	return tf->low && tf->low <= ata->cur_secs && head < ata->cur_heads;
}

void ata_set_lba(struct ata_device *ata, uint64_t lba)
{
	struct ata_taskfile *tf = &ata->tf;
	uint32_t track = ata->cur_heads * ata->cur_secs, cyl, in_cyl;

	if (ata->lba48) {
		tf->hob_high = lba >> 40;
		tf->hob_mid = lba >> 32;
		tf->hob_low = lba >> 24;
	} else if (tf->device & ATA_DEVICE_LBA) {
		tf->device = (tf->device & ~ATA_DEVICE_HEAD) | (lba >> 24 & ATA_DEVICE_HEAD);
	} else {
		cyl = track ? lba / track : 0;
		in_cyl = track ? lba % track : 0;
		tf->high = cyl >> 8;
		tf->mid = cyl;
		tf->device = (tf->device & ~ATA_DEVICE_HEAD) | (track ? in_cyl / ata->cur_secs : 0);
		tf->low = (track ? in_cyl % ata->cur_secs : 0) + 1;
		return;
	}
	tf->high = lba >> 16;
	tf->mid = lba >> 8;
	tf->low = lba;
}

/* Sectors that COUNT names; 0 is all of its range. */
static uint32_t ata_get_count(const struct ata_device *ata)
{
	uint32_t n = ata->tf.count;

	if (ata->lba48)
		return (n | ata->tf.hob_count << 8) ?: 65536;
	return n ?: 256;
}

/* ---- ends of commands ---- */

static void ata_idle(struct ata_device *ata, uint8_t status)
{
	ata->op = ATA_OP_NONE;
	ata->phase = ATA_PHASE_IDLE;
	ata->pos = ata->len = ata->drq_end = 0;
	ata->tf.status = status;
}

void ata_finish(struct ata_device *ata, bool interrupt)
{
	ata_idle(ata, ATA_STATUS_GOOD);
	ata->tf.error = 0;
	if (interrupt)
		ata_set_intrq(ata, true);
	ata->port->ops->complete(ata->port);
}

static void ata_end_badly(struct ata_device *ata, uint8_t error, enum ata_dma_end how)
{
	bool dma = ata->phase == ATA_PHASE_DMA || (ata->phase == ATA_PHASE_IO && ata->use_dma);

	ata_idle(ata, ATA_STATUS_GOOD | ATA_STATUS_ERR);
	ata->tf.error = error;
	if (dma)
		ata->port->ops->dma_end(ata->port, how);
	/* A controller whose table ended too soon hears no more of the device (290550 2.7.3). */
	if (how != ATA_DMA_SHORT)
		ata_set_intrq(ata, true);
	ata->port->ops->complete(ata->port);
}

void ata_fail(struct ata_device *ata, uint8_t error)
{
	ata_end_badly(ata, error, ATA_DMA_FAILED);
}

/* ---- PIO ---- */

void ata_drq(struct ata_device *ata, enum ata_phase phase, uint32_t bytes, bool interrupt)
{
	ata->phase = phase;
	ata->drq_end = ata->pos + bytes;
	ata->tf.status = ATA_STATUS_GOOD | ATA_STATUS_DRQ;
	ata->tf.error = 0;
	if (interrupt)
		ata_set_intrq(ata, true);
	ata->port->ops->pio(ata->port);
}

/* ---- requests ---- */

struct ata_io *ata_io_new(struct ata_device *ata, uint8_t tag, size_t bounce)
{
	struct ata_io *io = xzalloc(sizeof(*io) + bounce);

	io->ata = ata;
	io->tag = tag;
	return io;
}

void ata_io_unmap(struct ata_io *io)
{
	for (unsigned i = 0; io->mapped && i < io->n_iov; i++)
		dma_unmap(io->ata->dev.machine, io->gpa[i], io->iov[i].iov_base, io->iov[i].iov_len,
			  io->to_host);
	io->mapped = false;
}

void ata_io_submitted(struct ata_io *io)
{
	io->busy = true;
	io->ata->in_flight++;
}

/* All that was out when the device was reset or loaded has come back. */
static void ata_drained(struct ata_device *ata)
{
	ata->draining = false;
	if (ata->resetting) {
		ata->resetting = false;
		ata->port->ops->reset_done(ata->port);
		return;
	}
	if (ata->phase == ATA_PHASE_IO)
		ata_go(ata);
	ata_queue_restart(ata);
	ata->port->ops->ready(ata->port);
}

void ata_io_done(void *opaque, int ret)
{
	struct ata_io *io = opaque;
	struct ata_device *ata = io->ata;

	io->busy = false;
	if (!ata) {
		free(io);
		return;
	}
	ata->in_flight--;
	ata_io_unmap(io);
	if (ata->draining) {
		if (!ata->in_flight)
			ata_drained(ata);
	} else if (io->tag != ATA_NO_TAG) {
		ata_queue_done(ata, io, ret);
	} else {
		ata_op_done(ata, ret);
	}
}

/* The one request that is no queued command's. */
static struct ata_io *ata_begin_io(struct ata_device *ata, bool bounce, size_t bytes)
{
	struct ata_io *io = ata->io;

	if (bounce) {
		io->mapped = false;
		io->bytes = bytes;
		io->n_iov = 1;
		io->iov[0] = (struct iovec){io->bounce, bytes};
	}
	ata->phase = ATA_PHASE_IO;
	ata->tf.status = ATA_STATUS_BSY;
	ata_io_submitted(io);
	return io;
}

void ata_submit_read(struct ata_device *ata, uint64_t offset, bool bounce, size_t bytes)
{
	struct ata_io *io = ata_begin_io(ata, bounce, bytes);

	block_readv(ata->conf.block, &io->req, offset, io->iov, io->n_iov, ata_io_done, io);
}

void ata_submit_write(struct ata_device *ata, uint64_t offset, bool bounce, size_t bytes)
{
	struct ata_io *io = ata_begin_io(ata, bounce, bytes);

	if (bounce)
		memcpy(io->bounce, ata->buffer, bytes);
	block_writev(ata->conf.block, &io->req, offset, io->iov, io->n_iov,
		     ata->fua ? BLOCK_FUA : 0, ata_io_done, io);
}

void ata_submit_flush(struct ata_device *ata)
{
	struct ata_io *io = ata_begin_io(ata, true, 0);

	block_flush(ata->conf.block, &io->req, ata_io_done, io);
}

void ata_submit_discard(struct ata_device *ata, uint64_t offset, uint64_t bytes)
{
	struct ata_io *io = ata_begin_io(ata, true, 0);

	block_discard(ata->conf.block, &io->req, offset, bytes, ata_io_done, io);
}

/* ---- DMA ---- */

void ata_want_dma(struct ata_device *ata)
{
	ata->phase = ATA_PHASE_DMA;
	ata->tf.status = ATA_STATUS_GOOD | ATA_STATUS_DRQ;
	if (ata->port->ops->dma_is_on(ata->port))
		ata_go(ata);
}

void ata_dma_ready(struct ata_device *ata)
{
	if (ata->phase == ATA_PHASE_DMA && !ata->draining)
		ata_go(ata);
}

/* The whole of a command's DMA has been done. */
void ata_dma_finish(struct ata_device *ata)
{
	ata->port->ops->dma_end(ata->port, ATA_DMA_DONE);
	ata_finish(ata, true);
}

size_t ata_dma_get(struct ata_device *ata, size_t bytes, size_t unit, bool to_host)
{
	struct ata_io *io = ata->io;

	io->n_iov = 0;
	io->bytes = 0;
	io->to_host = to_host;
	io->mapped = true;
	if (!ata->port->ops->dma_map(ata->port, io, bytes, unit)) {
		io->to_host = false;
		ata_io_unmap(io);
		ata_end_badly(ata, ATA_ERROR_ABRT, ATA_DMA_BAD);
		return 0;
	}
	if (!io->bytes)
		ata_end_badly(ata, ATA_ERROR_ABRT, ATA_DMA_SHORT);
	return io->bytes;
}

bool ata_dma_copy(struct ata_device *ata, uint8_t *buf, size_t bytes, bool to_host)
{
	struct ata_io *io = ata->io;

	while (bytes) {
		size_t got = ata_dma_get(ata, bytes, 1, to_host);

		if (!got)
			return false;
		for (unsigned i = 0; i < io->n_iov; i++) {
			if (to_host)
				memcpy(io->iov[i].iov_base, buf, io->iov[i].iov_len);
			else
				memcpy(buf, io->iov[i].iov_base, io->iov[i].iov_len);
			buf += io->iov[i].iov_len;
		}
		ata_io_unmap(io);
		ata->port->ops->dma_commit(ata->port, io);
		bytes -= got;
	}
	return true;
}

/* ---- reading and verifying ---- */

static void ata_read_go(struct ata_device *ata)
{
	size_t bytes;

	if (ata->use_dma) {
		bytes = MIN((uint64_t)ata->left * ATA_SECTOR, ATA_IO_BYTES);
		bytes = ata_dma_get(ata, bytes, ATA_SECTOR, true);
		if (!bytes)
			return;
	} else {
		bytes = MIN((uint64_t)ata->left * ATA_SECTOR, ATA_BUFFER);
	}
	ata->chunk = bytes / ATA_SECTOR;
	ata_submit_read(ata, ata->lba * ATA_SECTOR, !ata->use_dma, bytes);
}

/* CHUNK sectors are done. */
static void ata_advance(struct ata_device *ata)
{
	ata->lba += ata->chunk;
	ata->left -= ata->chunk;
	ata->tf.count = ata->left;
	ata->tf.hob_count = ata->left >> 8;
	ata_set_lba(ata, ata->left ? ata->lba : ata->lba - 1);
}

static void ata_read_next(struct ata_device *ata)
{
	ata_drq(ata, ATA_PHASE_PIO_IN,
		MIN(ata->len - ata->pos, (uint32_t)ata->block_sectors * ATA_SECTOR), true);
}

static void ata_read_done(struct ata_device *ata, int ret)
{
	if (ret < 0) {
		ata_set_lba(ata, ata->lba);
		ata_fail(ata, ATA_ERROR_UNC);
		return;
	}
	ata_advance(ata);
	if (!ata->use_dma) {
		ata->len = ata->chunk * ATA_SECTOR;
		ata->pos = 0;
		memcpy(ata->buffer, ata->io->bounce, ata->len);
		ata_read_next(ata);
		return;
	}
	ata->port->ops->dma_commit(ata->port, ata->io);
	if (ata->left)
		ata_want_dma(ata);
	else
		ata_dma_finish(ata);
}

static void ata_read_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		ata_read_next(ata);
	else if (ata->left)
		ata_read_go(ata);
	else
		ata_finish(ata, false);
}

static void ata_verify_done(struct ata_device *ata, int ret)
{
	if (ret < 0) {
		ata_set_lba(ata, ata->lba);
		ata_fail(ata, ATA_ERROR_UNC);
		return;
	}
	ata_advance(ata);
	if (ata->left)
		ata_read_go(ata);
	else
		ata_finish(ata, true);
}

/* ---- writing ---- */

/* Asks for the next DRQ block; the first of a command comes without an interrupt. */
static void ata_write_next(struct ata_device *ata, bool interrupt)
{
	ata_drq(ata, ATA_PHASE_PIO_OUT,
		MIN(ata->len - ata->pos, (uint32_t)ata->block_sectors * ATA_SECTOR), interrupt);
}

static void ata_write_gather(struct ata_device *ata, bool interrupt)
{
	ata->chunk = MIN(ata->left, ATA_BUFFER / ATA_SECTOR);
	ata->len = ata->chunk * ATA_SECTOR;
	ata->pos = 0;
	ata_write_next(ata, interrupt);
}

static void ata_write_go(struct ata_device *ata)
{
	size_t bytes = ata->len;

	if (ata->use_dma) {
		bytes = MIN((uint64_t)ata->left * ATA_SECTOR, ATA_IO_BYTES);
		bytes = ata_dma_get(ata, bytes, ATA_SECTOR, false);
		if (!bytes)
			return;
		ata->chunk = bytes / ATA_SECTOR;
	}
	ata_submit_write(ata, ata->lba * ATA_SECTOR, !ata->use_dma, bytes);
}

static void ata_write_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		ata_write_next(ata, true);
	else
		ata_write_go(ata);
}

static void ata_write_done(struct ata_device *ata, int ret)
{
	if (ret < 0) {
		ata_set_lba(ata, ata->lba);
		ata_fail(ata, ATA_ERROR_ABRT);
		return;
	}
	ata_advance(ata);
	if (ata->use_dma) {
		ata->port->ops->dma_commit(ata->port, ata->io);
		if (ata->left)
			ata_want_dma(ata);
		else
			ata_dma_finish(ata);
	} else if (ata->left) {
		ata_write_gather(ata, true);
	} else {
		ata_finish(ata, true);
	}
}

/* ---- the start of a transfer of sectors ---- */

static bool ata_start_transfer(struct ata_device *ata, enum ata_op op)
{
	uint32_t n = ata_get_count(ata);
	uint64_t lba;

	if (!ata_get_lba(ata, &lba) || lba >= ata->sectors || n > ata->sectors - lba) {
		ata_fail(ata, ATA_ERROR_IDNF);
		return false;
	}
	ata->op = op;
	ata->lba = lba;
	ata->left = n;
	ata->standby = false;
	return true;
}

void ata_cmd_read(struct ata_device *ata)
{
	if (!ata_start_transfer(ata, ATA_OP_READ))
		return;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		ata_read_go(ata);
}

void ata_cmd_write(struct ata_device *ata)
{
	if (!ata_start_transfer(ata, ATA_OP_WRITE))
		return;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		ata_write_gather(ata, false);
}

void ata_cmd_verify(struct ata_device *ata)
{
	if (ata_start_transfer(ata, ATA_OP_VERIFY))
		ata_read_go(ata);
}

void ata_cmd_seek(struct ata_device *ata)
{
	uint64_t lba;

	if (!ata_get_lba(ata, &lba) || lba >= ata->sectors)
		ata_fail(ata, ATA_ERROR_IDNF);
	else
		ata_finish(ata, true);
}

/* ---- replies, flushes, trims ---- */

void ata_reply(struct ata_device *ata, uint32_t bytes)
{
	ata->op = ATA_OP_REPLY;
	ata->block_sectors = 1;
	ata->pos = 0;
	ata->len = bytes;
	if (ata->use_dma)
		ata_want_dma(ata);
	else
		ata_read_next(ata);
}

static void ata_reply_go(struct ata_device *ata)
{
	if (ata_dma_copy(ata, ata->buffer, ata->len, true))
		ata_dma_finish(ata);
}

static void ata_reply_moved(struct ata_device *ata)
{
	if (ata->pos < ata->len)
		ata_read_next(ata);
	else
		ata_finish(ata, false);
}

static void ata_flush_go(struct ata_device *ata)
{
	ata_submit_flush(ata);
}

static void ata_flush_done(struct ata_device *ata, int ret)
{
	if (ret < 0)
		ata_fail(ata, ATA_ERROR_ABRT);
	else
		ata_finish(ata, true);
}

void ata_cmd_flush(struct ata_device *ata)
{
	ata->op = ATA_OP_FLUSH;
	ata_flush_go(ata);
}

/*
 * DATA SET MANAGEMENT (acs 7.9): the ranges, eight bytes each, 48 bits of LBA and 16 of length,
 * come by DMA. They are then trimmed one after the other.
 */
#define ATA_TRIM	     0x01
#define ATA_RANGES_PER_BLOCK (ATA_SECTOR / 8)

void ata_cmd_trim(struct ata_device *ata)
{
	uint32_t blocks = ata->tf.count | ata->tf.hob_count << 8;

	if (ata->tf.feature != ATA_TRIM || !blocks || blocks > ATA_BUFFER / ATA_SECTOR) {
		ata_fail(ata, ATA_ERROR_ABRT);
		return;
	}
	ata->op = ATA_OP_TRIM;
	ata->len = blocks * ATA_SECTOR;
	ata->trim_pos = 0;
	ata->chunk = 0; /* the ranges are not here yet */
	ata_want_dma(ata);
}

static void ata_trim_next(struct ata_device *ata)
{
	while (ata->trim_pos < ata->len / 8) {
		uint64_t range = ldn_le(ata->buffer + ata->trim_pos * 8, 8);
		uint64_t lba = range & (BIT64(48) - 1), n = range >> 48;

		if (n && (lba >= ata->sectors || n > ata->sectors - lba)) {
			ata_fail(ata, ATA_ERROR_IDNF);
			return;
		}
		if (n) {
			ata_submit_discard(ata, lba * ATA_SECTOR, n * ATA_SECTOR);
			return;
		}
		ata->trim_pos++;
	}
	ata_dma_finish(ata);
}

static void ata_trim_go(struct ata_device *ata)
{
	if (!ata->chunk) {
		if (!ata_dma_copy(ata, ata->buffer, ata->len, false))
			return;
		ata->chunk = ata->len / ATA_SECTOR;
	}
	ata_trim_next(ata);
}

static void ata_trim_done(struct ata_device *ata, int ret)
{
	if (ret < 0) {
		ata_fail(ata, ATA_ERROR_ABRT);
		return;
	}
	ata->trim_pos++;
	ata_trim_next(ata);
}

/* ---- phases ---- */

static const struct ata_op_fns *const ops[ATA_OPS] = {
	[ATA_OP_READ] = &(const struct ata_op_fns){ata_read_moved, ata_read_go, ata_read_done},
	[ATA_OP_WRITE] = &(const struct ata_op_fns){ata_write_moved, ata_write_go, ata_write_done},
	[ATA_OP_VERIFY] = &(const struct ata_op_fns){NULL, ata_read_go, ata_verify_done},
	[ATA_OP_FLUSH] = &(const struct ata_op_fns){NULL, ata_flush_go, ata_flush_done},
	[ATA_OP_REPLY] = &(const struct ata_op_fns){ata_reply_moved, ata_reply_go, NULL},
	[ATA_OP_TRIM] = &(const struct ata_op_fns){NULL, ata_trim_go, ata_trim_done},
	[ATA_OP_PACKET] = &atapi_packet_fns,
	[ATA_OP_PACKET_REPLY] = &atapi_reply_fns,
	[ATA_OP_PACKET_DATA] = &atapi_data_fns,
	[ATA_OP_PACKET_READ] = &atapi_read_fns,
};

static void ata_go(struct ata_device *ata)
{
	ops[ata->op]->go(ata);
}

void ata_op_done(struct ata_device *ata, int ret)
{
	ops[ata->op]->done(ata, ret);
}

void ata_settle(struct ata_device *ata)
{
	if (ata->port && ata->port->ops->settle)
		ata->port->ops->settle(ata->port);
}

void ata_pio_moved(struct ata_device *ata)
{
	ata->pos = ata->drq_end;
	ops[ata->op]->moved(ata);
}

/* ---- loaded state ---- */

static bool phase_is_possible(const struct ata_device *ata)
{
	const struct ata_op_fns *fns = ata->op < ATA_OPS ? ops[ata->op] : NULL;

	if (ata->phase == ATA_PHASE_IDLE)
		return ata->op == ATA_OP_NONE;
	if (!fns || ata->pos > ata->drq_end || ata->drq_end > ata->len || ata->len > ATA_BUFFER)
		return false;
	switch (ata->phase) {
	case ATA_PHASE_PIO_IN:
	case ATA_PHASE_PIO_OUT:
		return fns->moved && !ata->draining;
	case ATA_PHASE_DMA:
		return fns->go && ata->use_dma;
	case ATA_PHASE_IO:
		return fns->done;
	default:
		return false;
	}
}

static bool sectors_are_possible(const struct ata_device *ata, uint64_t lba, uint32_t n)
{
	return lba <= ata->sectors && n <= ata->sectors - lba;
}

static bool op_is_possible(const struct ata_device *ata)
{
	if (ata->op == ATA_OP_NONE)
		return true;
	if (ata->is_cd != (ata->op >= ATA_OP_PACKET) && !(ata->is_cd && ata->op == ATA_OP_REPLY))
		return false;
	if (ata->is_cd && ata->op != ATA_OP_REPLY)
		return ata->lba <= UINT32_MAX &&
		       (ata->sector_bytes == CD_SECTOR || ata->sector_bytes == CD_RAW_SECTOR ||
			ata->op != ATA_OP_PACKET_READ);
	if (!ata->block_sectors || ata->block_sectors > ATA_MULTIPLE_MAX)
		return false;
	if (ata->op == ATA_OP_VERIFY && ata->use_dma)
		return false;
	if (ata->op == ATA_OP_WRITE && !ata->use_dma &&
	    (ata->chunk > ata->left || ata->len != (uint64_t)ata->chunk * ATA_SECTOR))
		return false;
	return sectors_are_possible(ata, ata->lba, ata->left);
}

static bool queue_is_possible(const struct ata_device *ata)
{
	for (unsigned tag = 0; tag < ATA_QUEUE; tag++) {
		const struct ata_queued *q = &ata->queue[tag];
		bool active = ata->active & BIT(tag);

		if (active != !!q->left || (active && !sectors_are_possible(ata, q->lba, q->left)))
			return false;
	}
	return !ata->active || (ata->port->serial && !ata->is_cd);
}

bool ata_loaded(struct ata_device *ata)
{
	if (!phase_is_possible(ata) || !op_is_possible(ata) || !queue_is_possible(ata) ||
	    ata->multiple > ATA_MULTIPLE_MAX)
		return false;
	if (ata->conf.block && !ata->is_cd)
		block_set_write_cache(ata->conf.block, ata->write_cache);
	if (ata->conf.block && ata->is_cd)
		block_lock_medium(ata->conf.block, ata->mmc.tray_locked);
	ata->port->ops->restored(ata->port);
	ata->resetting = false;
	ata->draining = ata->in_flight;
	if (!ata->in_flight)
		ata_drained(ata);
	return true;
}

/* ---- reset ---- */

void ata_signature(struct ata_device *ata)
{
	struct ata_taskfile *tf = &ata->tf;

	*tf = (struct ata_taskfile){.device = tf->device & ATA_DEVICE_DEV};
	tf->count = tf->low = 1;
	tf->error = ATA_DIAG_GOOD;
	if (ata->is_cd) {
		tf->mid = ATAPI_SIGNATURE_MID;
		tf->high = ATAPI_SIGNATURE_HIGH;
		tf->status = 0;
	} else {
		tf->status = ATA_STATUS_GOOD;
	}
}

static void ata_reset_settings(struct ata_device *ata)
{
	ata->multiple = ata->is_cd ? 0 : ATA_MULTIPLE_MAX;
	ata->transfer_mode = 0;
	ata->smart = ata->smart_autosave = true;
	ata->read_ahead = true;
	ata->write_cache = ata->cache_at_reset;
	if (ata->conf.block && !ata->is_cd)
		block_set_write_cache(ata->conf.block, ata->write_cache);
	ata->cur_cyls = MIN(ata->cyls, UINT16_MAX);
	ata->cur_heads = ata->heads;
	ata->cur_secs = ata->secs;
	ata->standby = false;
}

void ata_reset(struct ata_device *ata, bool hard)
{
	ata_settle(ata);
	ata_idle(ata, 0);
	ata_set_intrq(ata, false);
	ata->tf.device = 0;
	ata_signature(ata);
	ata->use_dma = ata->lba48 = ata->fua = false;
	ata->left = ata->chunk = 0;
	ata_queue_reset(ata);
	if (hard && ata->is_cd)
		mmc_reset(&ata->mmc);
	if (hard)
		ata_reset_settings(ata);
	if (ata->in_flight) {
		ata->draining = ata->resetting = true;
	} else {
		ata->draining = ata->resetting = false;
		ata->port->ops->reset_done(ata->port);
	}
}
