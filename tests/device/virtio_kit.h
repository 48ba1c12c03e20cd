/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio driver for tests: it finds a device behind a virtio-mmio transport, and puts chains into its queues, split or
 * packed, whole or bent. What it lays out is in the low MiB of RAM:
 *
 *	10000 + 4000 * queue	descriptors, driver area at +2000, device area at +3000; a second device's at 30000
 *	80000			what a test has there
 */
#ifndef EVMM_TESTS_VIRTIO_KIT_H
#define EVMM_TESTS_VIRTIO_KIT_H

#include "devices/virtio/virtio.h"
#include "devices/virtio/virtio_types.h"
#include "tests/device/kit.h"

#define VK_REGS	   0xfeb00000
#define VK_GSI	   16
#define VK_BUFFERS 0x80000
#define VK_QUEUES  8

#define VK_NEXT	    1
#define VK_WRITE    2
#define VK_INDIRECT 4

struct vk_piece {
	gpa_t gpa;
	uint32_t len;
	bool write;
};

struct vk_queue {
	unsigned size;
	gpa_t desc, driver, device;
	uint16_t avail, used;		/* free running; packed: entries */
	bool avail_wrap, used_wrap;	/* packed */
	uint16_t used_entries_of[1024]; /* packed, by id: how many entries the chain took */
	uint16_t next_free;		/* split: the next descriptor, going round */
};

struct vk {
	struct kit *k;
	gpa_t regs, areas;
	bool packed;
	uint64_t features; /* offered */
	struct vk_queue q[VK_QUEUES];
};

/* The transport; add the device after it. */
void vk_init(struct vk *v, struct kit *k);
/* The second one, SLOT 1, behind VK_REGS + 1000 and VK_GSI + 1. */
void vk_init_slot(struct vk *v, struct kit *k, unsigned slot);
uint32_t vk_reg(struct vk *v, unsigned offset);
void vk_set_reg(struct vk *v, unsigned offset, uint32_t value);
uint8_t vk_status(struct vk *v);

/* Resets the device and brings it to DRIVER_OK with FEATURES (VERSION_1 too) and N queues of SIZE entries. */
void vk_start(struct vk *v, uint64_t features, unsigned n, unsigned size);
/* As far as FEATURES_OK; true when the device takes them. */
bool vk_negotiate(struct vk *v, uint64_t features);
void vk_set_queue(struct vk *v, unsigned q, unsigned size);

/* A chain, made available; its id. The device isn't told. */
uint16_t vk_add(struct vk *v, unsigned q, const struct vk_piece *pieces, unsigned n);
/* Descriptor N of the queue (split: FLAGS as given; packed: AVAIL and USED are added), not yet available. */
void vk_set_desc(struct vk *v, gpa_t table, unsigned n, gpa_t gpa, uint32_t len, uint16_t flags,
		 uint16_t next_or_id);
/* Descriptor HEAD becomes available (split). */
void vk_make_available(struct vk *v, unsigned q, uint16_t head);
/* The queue's doorbell, and what follows from it. */
void vk_kick(struct vk *v, unsigned q);
/* The next used chain: false when there is none. */
bool vk_used(struct vk *v, unsigned q, uint16_t *id, uint32_t *len);
/* Adds the bytes of TEXT as a chain of one piece at GPA, and kicks. */
void vk_send(struct vk *v, unsigned q, gpa_t gpa, const char *text);

void vk_put(struct vk *v, gpa_t gpa, uint64_t value, unsigned size);
uint64_t vk_get(struct vk *v, gpa_t gpa, unsigned size);

#endif
