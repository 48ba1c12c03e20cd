/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device (Virtual I/O Device Version 1.2, chapters 2 and 3): status, features, configuration, virtqueues. What the
 * device is good for is its class; how the guest reaches it is its transport (virtio_pci.h, virtio_mmio.h). A
 * device's struct has a struct virtio, usually as its first member. Loop thread.
 *
 *	guest --registers--> transport --> virtio_set_status, ... --> class->reset, started
 *	guest --doorbell---> queue's notifier --> class->notified(queue) --> virtq_pop ... virtq_push
 *	end of the turn  <-- notify_work: one virtq_notify per queue --> transport->interrupt
 *
 * Reset with requests in flight: they can't be called back. The queue's generation goes on, so that their completion
 * changes nothing of the queue; while such orphans exist the status register doesn't read 0 (4.1.4.3.2), and a driver waits.
 */
#ifndef EVMM_DEVICES_VIRTIO_H
#define EVMM_DEVICES_VIRTIO_H

#include "devices/virtio/virtqueue.h"
#include "src/machine.h"

#define VIRTIO_VENDOR	    0x1af4
#define VIRTIO_MAX_QUEUES   64
#define VIRTIO_CONFIG_BYTES 128
#define VIRTIO_NO_VECTOR    0xffff

/* Device types (5) */
enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_RNG = 4,
	VIRTIO_ID_BALLOON = 5,
	VIRTIO_ID_SCSI = 8,
};

/* Device status (2.1) */
#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER	  2
#define VIRTIO_STATUS_DRIVER_OK	  4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED	  128

/* Feature bits that belong to no device type (6) */
#define VIRTIO_F_NOTIFY_ON_EMPTY   24
#define VIRTIO_F_ANY_LAYOUT	   27
#define VIRTIO_F_INDIRECT_DESC	   28
#define VIRTIO_F_EVENT_IDX	   29
#define VIRTIO_F_VERSION_1	   32
#define VIRTIO_F_RING_PACKED	   34
#define VIRTIO_F_IN_ORDER	   35
#define VIRTIO_F_NOTIFICATION_DATA 38
#define VIRTIO_F_RING_RESET	   40

#define VIRTIO_ISR_QUEUE  1
#define VIRTIO_ISR_CONFIG 2

struct virtio_class {
	const char *name;
	enum virtio_id id;
	uint32_t pci_class; /* base class, subclass, interface */
	unsigned config_bytes;
	/* The driver has written BYTES of v->config at OFFSET. NULL: nothing there can be written. */
	void (*config_written)(struct virtio *v, unsigned offset, unsigned bytes);
	/* The driver has agreed to v->guest_features. May be NULL. */
	void (*features_set)(struct virtio *v);
	/* DRIVER_OK was set. May be NULL. */
	void (*started)(struct virtio *v);
	/* Something may be available in VQ. */
	void (*notified)(struct virtqueue *vq);
	/* The driver (or the machine) reset the device; queues are empty already. Fills v->config anew. */
	void (*reset)(struct virtio *v);
	/* VQ alone was reset (2.6.1). May be NULL. */
	void (*queue_reset)(struct virtqueue *vq);
	/* Requests can't be taken back: the device stays until the last has ended. */
	bool must_drain;
	/* Queues are polled while they are busy (virtq_drain). */
	bool polls;
};

struct virtio_transport {
	/* VQ NULL: the configuration changed. */
	void (*interrupt)(struct virtio *v, struct virtqueue *vq);
	/* A driver has enabled or lost a queue. May be NULL. */
	void (*queue_changed)(struct virtqueue *vq);
};

struct virtio {
	/* configuration */
	const struct virtio_class *cls;
	struct device *dev; /* the one whose registers the guest sees */
	const struct virtio_transport *transport;
	void *transport_opaque;
	uint64_t host_features; /* what is offered */
	bool want_indirect, want_event_idx, want_packed, want_in_order,
		want_ring_reset; /* properties */
	bool want_notification_data, want_any_layout;
	char *iothread_id;
	unsigned n_queues;

	struct virtqueue queues[VIRTIO_MAX_QUEUES];

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t guest_features; /* what the driver took */
	uint32_t config_generation;
	uint16_t config_vector;
	uint8_t status;
	uint8_t isr;
	uint8_t config[VIRTIO_CONFIG_BYTES];
	bool features_ok;
	uint8_t reserved[7];
	GUEST_VISIBLE_END;

	/* host side */
	unsigned orphans;
	uint8_t status_before_reset;
	uint64_t notify_pending, kick_pending; /* queues, by bit */
	struct loop_work notify_work, kick_work;
	struct virtq_desc *scratch; /* VIRTQ_MAX_CHAIN */
	struct iothread *iothread;
};

extern const struct state_desc virtio_state;
/* Of classes that have nothing of their own to save. */
extern const struct state_desc virtio_no_state;

/* The properties that every virtio device has. F: the path of its struct virtio within struct S. */
#define VIRTIO_PROPS(S, F)                                                                      \
	DEFINE_PROP(S, F.want_indirect, "indirect_desc", PROP_BOOL, 1, "indirect descriptors"), \
		DEFINE_PROP(S, F.want_event_idx, "event_idx", PROP_BOOL, 1,                     \
			    "notifications by event index"),                                    \
		DEFINE_PROP(S, F.want_packed, "packed", PROP_BOOL, 0, "packed rings"),          \
		DEFINE_PROP(S, F.want_in_order, "in_order", PROP_BOOL, 0, "use in order"),      \
		DEFINE_PROP(S, F.want_any_layout, "any_layout", PROP_BOOL, 1,                   \
			    "any framing of requests, for legacy drivers"),                     \
		DEFINE_PROP(S, F.want_ring_reset, "queue_reset", PROP_BOOL, 1,                  \
			    "single queues can be reset"),                                      \
		DEFINE_PROP(S, F.want_notification_data, "notification_data", PROP_BOOL, 0,     \
			    "notifications say where the driver is")

/* Of disks. F as above. */
#define VIRTIO_IOTHREAD_PROP(S, F)                  \
	DEFINE_PROP_STR(                            \
		S, F.iothread_id, "iothread", NULL, \
		"an object of that type: one loop serves all disks, so it changes nothing")

/* From realize, before virtio_init: the object that was named, which virtio_fini lets go. */
bool virtio_take_iothread(struct virtio *v, struct device *dev, struct error *err);
/* From realize: no queues yet. FEATURES: those of the device's type. */
void virtio_init(struct virtio *v, const struct virtio_class *cls, struct device *dev,
		 uint64_t features);
struct virtqueue *virtio_add_queue(struct virtio *v, unsigned max_size);
/* From unrealize. Requests that are still in flight must have been waited for by the class. */
void virtio_fini(struct virtio *v);

static inline bool virtio_has(const struct virtio *v, unsigned feature)
{
	return v->guest_features >> feature & 1;
}

/* The device changed v->config. */
void virtio_config_changed(struct virtio *v);
/* Something the driver did makes no sense: DEVICE_NEEDS_RESET. WHY is a constant. */
void virtio_break(struct virtio *v, const char *why);
/* For virtq_notify. */
void virtio_interrupt(struct virtio *v, struct virtqueue *vq);
/* For struct device_type: has it requests that must end before it can go? */
bool virtio_busy(const struct virtio *v);
/* Is the device in a driver's hands? */
bool virtio_running(const struct virtio *v);

/* ---- for transports ---- */

/* LEGACY: a driver of before version 1 (no FEATURES_OK, no VERSION_1). */
void virtio_set_status(struct virtio *v, uint8_t status, bool legacy);
/*
 * For drivers that take a reset for done once they have written 0: the vCPU that wrote goes on only when no request from
 * before, which may still be written to its memory, is in flight.
 */
void virtio_hold_reset(struct virtio *v);
/* Not 0 while a reset still waits for requests in flight. */
uint8_t virtio_get_status(const struct virtio *v);
/* 32 bits of the driver's features, SELECT 0 or 1. */
void virtio_set_features(struct virtio *v, unsigned select, uint32_t value);
uint32_t virtio_config_read(const struct virtio *v, unsigned offset, unsigned bytes);
void virtio_config_write(struct virtio *v, unsigned offset, uint32_t value, unsigned bytes);
/* NULL when there is no queue INDEX. */
struct virtqueue *virtio_queue(struct virtio *v, unsigned index);
/* The queue's areas are known; it is looked up and used from now on. */
void virtio_enable_queue(struct virtqueue *vq);
/* 2.6.1: forgets what is in flight; virtio_queue_resetting until that has ended. */
void virtio_reset_queue(struct virtqueue *vq);
bool virtio_queue_resetting(const struct virtqueue *vq);
/* The doorbell of VQ was rung. */
void virtio_kick(struct virtqueue *vq);
/* The same in the loop's next turn. */
void virtio_kick_later(struct virtqueue *vq);
/* At the end of this turn the driver is interrupted for what VQ has used, if it wishes. */
void virtio_notify_later(struct virtqueue *vq);
/* From the transport's device: reset, post_load. */
void virtio_reset(struct virtio *v);
bool virtio_post_load(struct virtio *v, struct error *err);

#endif
