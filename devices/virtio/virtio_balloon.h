/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-balloon for the monitor: how much memory the guest is to leave to the host, how much it has left, and what it says
 * of its use. A machine has one at most (machine->balloon). Loop thread.
 */
#ifndef EVMM_DEVICES_VIRTIO_BALLOON_H
#define EVMM_DEVICES_VIRTIO_BALLOON_H

#include "devices/virtio/virtio.h"

struct json_t;

/* Tags of statistics (5.5.6.4); UINT64_MAX: the driver has not said. */
#define BALLOON_STATS 16

struct virtio_balloon {
	struct virtio v;

	/* configuration */
	bool deflate_on_oom, free_page_reporting, page_poison;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t num_pages; /* what is asked for, of 4 KiB */
	uint32_t actual;    /* what the driver says it has done */
	uint32_t poison_val;
	uint32_t reserved;
	uint64_t stats[BALLOON_STATS];
	GUEST_VISIBLE_END;

	/* host side */
	struct virtqueue *inflate, *deflate, *statistics, *reporting;
	struct virtq_elem elem; /* the one in hand; never kept beyond a call */
	uint64_t inflated; /* bytes of the list that is available next: what is in them has gone */
	struct timer poll;
	uint32_t poll_seconds; /* 0: the driver is not asked */
	int64_t stats_unix;    /* when the last ones came; 0: never */
};

/* What the guest has now, bytes: its RAM without what is in the balloon. */
uint64_t virtio_balloon_actual(const struct virtio_balloon *b);
/* What it is to have, bytes; more than all of it counts as all. */
void virtio_balloon_set_target(struct virtio_balloon *b, uint64_t bytes);
/* Statistics are asked for every SECONDS; 0: no more. */
void virtio_balloon_set_polling(struct virtio_balloon *b, uint32_t seconds);
/* {"stats": {"stat-free-memory": N, ...}, "last-update": SECONDS}, as QEMU has it: -1 (2^64 - 1) for what is not known. */
struct json_t *virtio_balloon_stats(const struct virtio_balloon *b);

#endif
