/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device of virtio, without its transport. */
#ifndef EVMM_DEVICES_VIRTIO_BLK_H
#define EVMM_DEVICES_VIRTIO_BLK_H

#include "devices/virtio/virtio.h"
#include "io/block/block.h"

struct virtio_blk {
	struct virtio v;

	/* configuration */
	struct block_conf conf;
	char *serial;
	uint16_t num_queues; /* 0: one a vCPU */
	uint16_t queue_size;
	uint32_t max_discard_sectors, max_write_zeroes_sectors;
	bool discard, write_zeroes, config_wce;
	bool initial_write_cache;

	/* host side */
	struct list free_reqs; /* struct blk_req, made when needed and kept */
	struct list all_reqs;
};

#define VIRTIO_BLK_PROPS(S, F)                                                                   \
	BLOCK_CONF_PROPS(S, F.conf), VIRTIO_PROPS(S, F.v), VIRTIO_IOTHREAD_PROP(S, F.v),         \
		DEFINE_PROP_STR(S, F.serial, "serial", NULL,                                     \
				"serial number that the guest reads"),                           \
		DEFINE_PROP(S, F.num_queues, "num-queues", PROP_U16, 0,                          \
			    "virtqueues (0: one for each processor)"),                           \
		DEFINE_PROP(S, F.queue_size, "queue-size", PROP_U16, 256, "entries of each"),    \
		DEFINE_PROP(S, F.discard, "discard", PROP_BOOL, 1, "the guest may discard"),     \
		DEFINE_PROP(S, F.write_zeroes, "write-zeroes", PROP_BOOL, 1,                     \
			    "the guest may have zeroes written"),                                \
		DEFINE_PROP(S, F.max_discard_sectors, "max-discard-sectors", PROP_U32, 0x3fffff, \
			    "of one discard"),                                                   \
		DEFINE_PROP(S, F.max_write_zeroes_sectors, "max-write-zeroes-sectors", PROP_U32, \
			    0x3fffff, "of one request for zeroes"),                              \
		DEFINE_PROP(S, F.config_wce, "config-wce", PROP_BOOL, 1,                         \
			    "the guest may switch the write cache")

extern const struct state_desc virtio_blk_state;

/* From a transport type's realize, before and after the transport's part. */
bool virtio_blk_init(struct virtio_blk *b, struct device *dev, struct error *err);
void virtio_blk_fini(struct virtio_blk *b);

#endif
