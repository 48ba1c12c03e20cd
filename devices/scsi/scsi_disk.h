/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the halves of the SCSI disk: scsi_disk.c moves blocks, scsi_disk_info.c says what the disk is. Loop thread. */
#ifndef EVMM_DEVICES_SCSI_DISK_H
#define EVMM_DEVICES_SCSI_DISK_H

#include "devices/scsi/scsi.h"

struct scsi_disk {
	struct scsi_device scsi;

	/* configuration */
	struct block_conf conf;
	char *serial, *version, *vendor, *product, *device_id;
	uint64_t wwn;
	uint16_t rotation_rate;
	bool removable, dpofua;
	bool cache_at_reset;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	bool write_cache; /* as the caching page has it */
	uint8_t reserved[7];
	GUEST_VISIBLE_END;
};

static inline struct scsi_disk *scsi_disk_of(struct scsi_device *dev)
{
	return container_of(dev, struct scsi_disk, scsi);
}

static inline uint32_t disk_block_bytes(const struct scsi_disk *d)
{
	return (uint32_t)d->conf.logical_block_size;
}

static inline uint64_t disk_blocks(const struct scsi_disk *d)
{
	return block_bytes(d->conf.block) / disk_block_bytes(d);
}

#define DISK_MAX_UNMAP_BLOCKS	   0xffffffff
#define DISK_MAX_UNMAP_DESCRIPTORS 255
#define DISK_MAX_WRITE_SAME	   0x7fffff

/* scsi_disk_info.c */
void disk_set_write_cache(struct scsi_disk *d, bool on);
void disk_inquiry(struct scsi_req *req);
void disk_mode_sense(struct scsi_req *req);
void disk_mode_select(struct scsi_req *req);
void disk_read_capacity_10(struct scsi_req *req);
void disk_service_action_in_16(struct scsi_req *req);

#endif
