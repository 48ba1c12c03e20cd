/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ATA devices (hard disks and CD-ROMs), and the ports that they are plugged into. The device is the same
 * on an IDE channel and on an AHCI port: it has its task file, executes commands, and asks its port
 * to move data and tell the host. Loop thread.
 *
 *	port -> device	ata_write_reg, ata_execute, ata_pio_moved, ata_dma_ready, ata_reset
 *	device -> port	struct ata_port_ops
 *
 * What a command does is in two fields, so that it can be saved: OP says what is being done, PHASE what it
 * waits for:
 *
 *	IDLE	nothing
 *	PIO_IN	the host, to take buffer[pos..drq_end)		ata_pio_moved -> ops[op].moved
 *	PIO_OUT	the host, to fill buffer[pos..drq_end)		ata_pio_moved -> ops[op].moved
 *	DMA	the port's DMA engine, to be started		ata_dma_ready -> ops[op].go
 *	IO	the block engine				done -> ops[op].done
 *
 * A request that is with the block engine can't be taken back. After a reset the device is busy (BSY) until
 * the last one has come back; nothing else than the end of that wait comes of it.
 */
#ifndef EVMM_DEVICES_ATA_H
#define EVMM_DEVICES_ATA_H

#include <sys/uio.h>
#include "devices/block/ata_defs.h"
#include "devices/scsi/mmc.h"
#include "io/block/block.h"
#include "src/bus.h"
#include "src/machine.h"

#define ATA_BUFFER	 32768 /* bytes */
#define ATA_MULTIPLE_MAX 16    /* sectors of a DRQ block */
#define ATA_QUEUE	 32
#define ATA_NO_TAG	 ATA_QUEUE
#define ATA_IOVS	 256 /* of one request; as an element has two bytes or more, they hold a sector */
#define ATA_IO_BYTES	 (1u * MiB) /* at most in one request */
#define ATA_CDB		 MMC_CDB_BYTES

struct ata_device;
struct ata_port;

/* One request to the block engine. On the heap, for it may have to outlive its device. */
struct ata_io {
	struct block_req req;
	struct ata_device *ata; /* NULL: nobody waits for it any more */
	uint8_t tag;
	bool busy;
	bool to_host; /* the pieces are written to, not read */
	bool mapped;  /* pieces of guest memory, not the bounce buffer */
	unsigned n_iov;
	size_t bytes;
	struct iovec iov[ATA_IOVS];
	gpa_t gpa[ATA_IOVS];
	uint8_t bounce[]; /* ATA_BUFFER, but in those of queued commands */
};

enum ata_dma_end {
	ATA_DMA_DONE,
	ATA_DMA_SHORT, /* the host gave less memory than the command moves */
	ATA_DMA_BAD,   /* its descriptors led outside of memory */
	ATA_DMA_FAILED /* the device failed */
};

struct ata_port_ops {
	/* buffer[pos..drq_end) waits for the host, as phase says. Calls ata_pio_moved, now or later. */
	void (*pio)(struct ata_port *port);
	/* May the device ask for memory now? When not, the port calls ata_dma_ready later. */
	bool (*dma_is_on)(struct ata_port *port);
	/*
	 * Fills IO with pieces of host memory, up to BYTES and as many as it holds, cut to a multiple of UNIT, from where the
	 * last dma_commit of its tag left off. False: the descriptors lead outside of memory.
	 */
	bool (*dma_map)(struct ata_port *port, struct ata_io *io, size_t bytes, size_t unit);
	/* What dma_map gave has been used. */
	void (*dma_commit)(struct ata_port *port, struct ata_io *io);
	void (*dma_end)(struct ata_port *port, enum ata_dma_end how);
	/* INTRQ has changed to ata->intrq. */
	void (*intrq)(struct ata_port *port);
	/* The command is over; status and the other registers are final. */
	void (*complete)(struct ata_port *port);
	/* A queued command is over. */
	void (*queued_complete)(struct ata_port *port, unsigned tag, bool ok);
	/* The device has come out of a reset, with its signature in the task file. */
	void (*reset_done)(struct ata_port *port);
	/* It was busy with what is over, and takes commands again. */
	void (*ready)(struct ata_port *port);
	/* The device's state was loaded, after the port's. */
	void (*restored)(struct ata_port *port);
	/* What the host has fetched behind the port's back is to become the device's state. May be NULL. */
	void (*settle)(struct ata_port *port);
};

/* A place for a device. */
struct ata_port {
	const struct ata_port_ops *ops;
	void *opaque;
	struct ata_device *ata; /* NULL: empty */
	bool serial;		/* Serial ATA: no cable, native command queueing */
};

/* A cable, on which units may be plugged. */
struct ide_bus {
	struct bus bus;
	unsigned channel; /* among its controller's */
	unsigned n_units;
	struct ata_port ports[2];
};

enum ata_op {
	ATA_OP_NONE,
	ATA_OP_READ,
	ATA_OP_WRITE,
	ATA_OP_VERIFY,
	ATA_OP_FLUSH,
	ATA_OP_REPLY, /* what is in the buffer goes to the host */
	ATA_OP_TRIM,
	ATA_OP_PACKET, /* the command packet comes */
	ATA_OP_PACKET_REPLY,
	ATA_OP_PACKET_DATA, /* the host gives a parameter list */
	ATA_OP_PACKET_READ,
	ATA_OPS
};

enum ata_phase {
	ATA_PHASE_IDLE,
	ATA_PHASE_PIO_IN,
	ATA_PHASE_PIO_OUT,
	ATA_PHASE_DMA,
	ATA_PHASE_IO,
	ATA_PHASES
};

/* As byte 39h of the CMOS RAM tells it to a BIOS. */
enum ata_translation { ATA_TRANSLATE_NONE, ATA_TRANSLATE_LBA, ATA_TRANSLATE_LARGE };

/* The task file (7.1): each register with what was in it before the last write (HOB). */
struct ata_taskfile {
	uint8_t feature, count, low, mid, high;
	uint8_t hob_feature, hob_count, hob_low, hob_mid, hob_high;
	uint8_t device, error, status, pad;
};

struct ata_queued {
	uint64_t lba;
	uint32_t left; /* sectors; 0: no such command */
	uint8_t write, fua;
	uint8_t pad[2];
};

struct ata_device {
	struct device dev;

	/* configuration */
	struct block_conf conf; /* its block is NULL in an empty CD drive without one */
	char *serial, *version, *model, *bus_name;
	uint64_t wwn;
	uint32_t unit;
	uint32_t cyls, heads, secs;
	uint8_t translation; /* enum ata_translation: what a BIOS should do to the geometry */
	uint16_t rotation_rate;
	bool is_cd;
	bool cache_at_reset;
	struct mmc_drive mmc; /* a CD drive's; it has a guest-visible part of its own */
	struct ide_bus *bus;
	struct ata_port *port;
	uint64_t sectors; /* of ATA_SECTOR; a CD's follow from the medium */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t lba; /* of the next sector to move */
	uint64_t queue_error_lba;
	uint32_t left;	/* sectors still to be moved, what is in the buffer not counted */
	uint32_t chunk; /* sectors in the buffer, or asked of the block engine */
	uint32_t pos, len, drq_end;		/* in buffer; LEN bytes are in it, or will be */
	uint32_t active;			/* queued commands, by tag */
	uint32_t sector_bytes;			/* of ATA_OP_PACKET_READ */
	uint32_t packet_limit;			/* bytes of a DRQ block */
	uint16_t cur_cyls, cur_heads, cur_secs; /* translation in force */
	uint16_t trim_pos;			/* entries done */
	struct ata_taskfile tf;
	uint8_t op, phase, command;
	uint8_t block_sectors; /* of this command's DRQ block */
	uint8_t multiple;
	uint8_t transfer_mode; /* SET FEATURES 03h */
	uint8_t queue_error_tag, queue_error_status, queue_error;
	uint8_t cdb[ATA_CDB];
	bool use_dma, lba48, fua;
	bool intrq;
	bool smart, smart_autosave, write_cache, read_ahead, standby;
	bool queue_failed; /* until the error log is read */
	uint8_t pad[3];
	struct ata_queued queue[ATA_QUEUE];
	uint8_t buffer[ATA_BUFFER];
	GUEST_VISIBLE_END;

	/* host side */
	struct ata_io *io;		    /* of commands that are not queued */
	struct ata_io *queue_io[ATA_QUEUE]; /* made when first needed */
	unsigned in_flight;
	bool draining;	/* reset, or loaded, while requests were out */
	bool resetting; /* reset_done is due when they are back */
};

/* ---- for ports ---- */

/* As the host sees it now; reading does not acknowledge the interrupt. */
uint8_t ata_status(const struct ata_device *ata);
/* REG is ATA_REG_FEATURE to ATA_REG_DEVICE; dropped while the device is busy. */
void ata_write_reg(struct ata_device *ata, unsigned reg, uint8_t value);
/* ATA_REG_ERROR to ATA_REG_DEVICE, HOB as the device control register has it. */
uint8_t ata_read_reg(const struct ata_device *ata, unsigned reg, bool hob);
void ata_execute(struct ata_device *ata, uint8_t command);
/*
 * READ or WRITE FPDMA QUEUED: FEATURE has its length, COUNT its tag. False: refused, and ended like any command that is
 * aborted.
 */
bool ata_execute_queued(struct ata_device *ata, uint8_t command);
/* The host has moved the bytes up to drq_end. */
void ata_pio_moved(struct ata_device *ata);
void ata_dma_ready(struct ata_device *ata);
/* The status register was read. */
void ata_ack(struct ata_device *ata);
/* SRST or COMRESET (HARD): what the device did is forgotten, its task file has the signature. */
void ata_reset(struct ata_device *ata, bool hard);
/* EXECUTE DEVICE DIAGNOSTIC of the other device of the cable. */
void ata_signature(struct ata_device *ata);

/* ---- for the commands ---- */

struct ata_op_fns {
	void (*moved)(struct ata_device *ata); /* the host has moved a DRQ block */
	void (*go)(
		struct ata_device *ata); /* the DMA engine is on; also begins again after loading */
	void (*done)(struct ata_device *ata, int ret); /* the block engine is */
};

extern const struct ata_op_fns atapi_packet_fns, atapi_reply_fns, atapi_data_fns, atapi_read_fns;

/* The end of a command, with an interrupt or (last data of a PIO read) without. */
void ata_finish(struct ata_device *ata, bool interrupt);
void ata_fail(struct ata_device *ata, uint8_t error);
void ata_dma_finish(struct ata_device *ata);
/* Shows BYTES of the buffer from pos on as a DRQ block. */
void ata_drq(struct ata_device *ata, enum ata_phase phase, uint32_t bytes, bool interrupt);
void ata_set_intrq(struct ata_device *ata, bool level);
/* The command wants the DMA engine: ops[op].go comes when it is on, perhaps at once. */
void ata_want_dma(struct ata_device *ata);
/* Between buffer and host memory; false when the host gave less memory than that, or bad one. */
bool ata_dma_copy(struct ata_device *ata, uint8_t *buf, size_t bytes, bool to_host);
/* Host memory for up to BYTES, in multiples of UNIT, into ata->io; how many bytes. 0: the command was failed. */
size_t ata_dma_get(struct ata_device *ata, size_t bytes, size_t unit, bool to_host);
void ata_io_unmap(struct ata_io *io);
/* Requests of the command that is not queued; ops[op].done comes later. */
void ata_submit_read(struct ata_device *ata, uint64_t offset, bool bounce, size_t bytes);
void ata_submit_write(struct ata_device *ata, uint64_t offset, bool bounce, size_t bytes);
void ata_submit_flush(struct ata_device *ata);
void ata_submit_discard(struct ata_device *ata, uint64_t offset, uint64_t bytes);
/* The buffer's first BYTES as the reply of an ATA command, one sector a DRQ block. */
void ata_reply(struct ata_device *ata, uint32_t bytes);

/* The commands of ata.c. */
void ata_cmd_read(struct ata_device *ata);
void ata_cmd_write(struct ata_device *ata);
void ata_cmd_verify(struct ata_device *ata);
void ata_cmd_seek(struct ata_device *ata);
void ata_cmd_flush(struct ata_device *ata);
void ata_cmd_trim(struct ata_device *ata);
void ata_set_lba(struct ata_device *ata, uint64_t lba);
void ata_op_done(struct ata_device *ata, int ret);
/* The device's state is going to be looked at, or changed, by somebody else than its port. */
void ata_settle(struct ata_device *ata);
/* The saved fields were loaded: false when they can't be, else what was under way goes on. */
bool ata_loaded(struct ata_device *ata);

/* IDENTIFY DEVICE and IDENTIFY PACKET DEVICE, 512 bytes (ata_identify.c). */
void ata_identify(const struct ata_device *ata, uint8_t *page);
/* "cyls", "heads", "secs" where the user gave none: as the partition table hints, else by size. */
bool ata_guess_geometry(struct ata_device *ata, struct error *err);
/* SMART and the logs (ata_smart.c). */
void ata_cmd_smart(struct ata_device *ata);
void ata_cmd_read_log(struct ata_device *ata);
/* Queued commands (ata_queue.c). */
void ata_queue_reset(struct ata_device *ata);
void ata_queue_restart(struct ata_device *ata);
void ata_queue_done(struct ata_device *ata, struct ata_io *io, int ret);
struct ata_io *ata_io_new(struct ata_device *ata, uint8_t tag, size_t bounce);
void ata_io_submitted(struct ata_io *io);
void ata_io_done(void *opaque, int ret);
/* ATAPI (atapi.c). */
void atapi_cmd_packet(struct ata_device *ata);

#endif
