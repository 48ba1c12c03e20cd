/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues, the device's side (Virtual I/O Device Version 1.2, sections 2.6 to 2.9): split and packed rings, indirect
 * descriptors, notification suppression by flags and by event index, in-order use. Loop thread.
 *
 * A split queue is three areas of guest memory. The driver fills descriptors, and puts the index of a chain's first one into
 * the available ring; the device hands the chain back through the used ring:
 *
 *	descriptor area		driver area (available)		device area (used)
 *	+------------------+	+--------------------+		+-----------------------+
 *	| addr len flags   |<-.	| flags		     |		| flags			|
 *	|	   next ---|--|	| idx  (driver's)    |		| idx  (device's)	|
 *	+------------------+  |	| ring[idx % size] --|--.	| ring[idx % size] =	|
 *	| ...		   |<-'-|--------------------|--'	|   { id, len }		|
 *	+------------------+	| used_event	     |		| avail_event		|
 *				+--------------------+		+-----------------------+
 *
 * A packed queue is one ring of descriptors that both sides write; two flag bits of each, compared with a wrap counter,
 * say whose it is. Driver and device area are then the two event suppression structures.
 *
 * Everything in guest memory is the guest's to change at any time: each descriptor is read once into a private copy, a
 * chain has at most VIRTQ_MAX_CHAIN descriptors, and what makes no sense breaks the device (DEVICE_NEEDS_RESET).
 */
#ifndef EVMM_DEVICES_VIRTIO_VIRTQUEUE_H
#define EVMM_DEVICES_VIRTIO_VIRTQUEUE_H

#include <sys/uio.h>
#include "src/device.h"
#include "src/loop.h"

struct virtio;

#define VIRTQ_MAX_SIZE	1024
#define VIRTQ_MAX_CHAIN 1024 /* descriptors of one element, through an indirect table too */
#define VIRTQ_MAX_IOV	264  /* pieces of host memory of one element */

struct virtqueue {
	/* configuration */
	struct virtio *virtio;
	uint16_t index;
	uint16_t max_size; /* 0: there is no such queue */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t desc_gpa, driver_gpa, device_gpa;
	uint16_t size;
	uint16_t vector;     /* MSI-X vector, or VIRTIO_NO_VECTOR */
	uint16_t next_avail; /* split: free running; packed: the descriptor */
	uint16_t next_used;
	uint16_t next_seq; /* elements popped so far */
	bool enabled;
	bool avail_wrap, used_wrap; /* packed */
	GUEST_VISIBLE_END;

	/* host side */
	bool mapped;
	uint8_t *desc, *driver, *device;
	bool packed, event_idx, in_order;
	bool notification_off;	   /* the driver was asked not to notify */
	struct loop_poller poller; /* looks for what is available while the loop is awake */
	bool polling;		   /* it is in the loop's list */
	int64_t looked_ns;	   /* when the poller last looked */
	unsigned idle_sleeps;	   /* of the loop, since something was available */
	unsigned in_flight;
	uint16_t signalled_used; /* next_used at the last interrupt decision, if SIGNALLED_VALID */
	bool signalled_valid;
	unsigned unsignalled; /* packed: descriptors used since then */
	unsigned generation;  /* goes on with each reset */
	unsigned orphans;     /* in flight since before a reset */
	struct virtq_done *
		done; /* with in_order: by sequence number % size, what is used but not in turn yet */
	uint16_t done_seq; /* the next one to be published */
};

struct virtq_done {
	bool done;
	uint16_t id, n_desc;
	uint32_t len;
	bool written;
};

/* One chain of the driver's. A device's request struct begins with it. Pieces that the device reads come first. */
struct virtq_elem {
	uint16_t id;	 /* of the head descriptor; packed: buffer ID */
	uint16_t n_desc; /* ring entries that it takes: packed only */
	uint16_t seq;
	unsigned generation;  /* the queue's when it was popped */
	uint16_t n_out, n_in; /* pieces to be read, to be written */
	uint64_t out_bytes, in_bytes;
	struct iovec iov[VIRTQ_MAX_IOV];
	gpa_t gpa[VIRTQ_MAX_IOV];
};

extern const struct state_desc virtqueue_state;

/* The driver has enabled the queue: its areas are looked up. False when they aren't RAM; the device is broken then. */
bool virtq_map(struct virtqueue *vq);
void virtq_unmap(struct virtqueue *vq);
void virtq_reset(struct virtqueue *vq);

/*
 * The next chain, into E. False when there is none, when the queue isn't enabled, or when the chain is bad: then the device
 * is broken.
 */
bool virtq_pop(struct virtqueue *vq, struct virtq_elem *e);
/* Is nothing available? */
bool virtq_empty(struct virtqueue *vq);
/* Takes the element that was popped last back: it will be popped again. */
void virtq_unpop(struct virtqueue *vq, const struct virtq_elem *e);
enum virtq_next {
	VIRTQ_SERVED,
	VIRTQ_NONE, /* nothing was available */
	VIRTQ_STALLED, /* something is, but the device cannot take it: it drains the queue again when it can */
};
/*
 * From class->notified: calls ONE, which pops and serves an element, until nothing is available. Meanwhile, and
 * while the device is stalled, the driver need not notify. After a queue's worth the rest waits for the loop's next turn, so
 * that a driver which is faster than us doesn't keep the loop.
 *
 * Where the class wants its queues polled, a queue that was drained is looked at in every turn from then on and the driver need not
 * notify until the loop sleeps; not any more after a few sleeps in which nothing came.
 */
void virtq_drain(struct virtqueue *vq, enum virtq_next (*one)(struct virtqueue *vq));
/*
 * E is used; its first WRITTEN bytes to be written have been. The driver sees it at once, or in its turn; the interrupt, if
 * it wants one, comes at the end of the loop's turn. Every popped element must be pushed (or unpopped); one that a
 * reset has orphaned goes nowhere.
 */
void virtq_push(struct virtqueue *vq, const struct virtq_elem *e, uint64_t written);
/* Was E's queue reset since it was popped? Its memory is the driver's again. */
static inline bool virtq_is_orphan(const struct virtqueue *vq, const struct virtq_elem *e)
{
	return e->generation != vq->generation;
}
/* The decision about an interrupt, for virtio.c. */
void virtq_notify(struct virtqueue *vq);
/* Asks the driver to notify, or not to bother; after `true` look once more whether something has come. */
void virtq_set_notification(struct virtqueue *vq, bool on);

/* Bytes from OFFSET of what the device reads, or to what it writes; how many there were. */
size_t virtq_read(const struct virtq_elem *e, uint64_t offset, void *buf, size_t bytes);
size_t virtq_write(const struct virtq_elem *e, uint64_t offset, const void *buf, size_t bytes);
/* The first piece to be written. */
struct iovec *virtq_in(struct virtq_elem *e);

/* ---- between the two ring forms ---- */

struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags_or_id; /* split: flags; packed: id */
	uint16_t next_or_flags;
};

#define VIRTQ_DESC_NEXT	    1
#define VIRTQ_DESC_WRITE    2
#define VIRTQ_DESC_INDIRECT 4

bool virtq_add_piece(struct virtqueue *vq, struct virtq_elem *e, uint64_t addr, uint32_t len,
		     bool write);
/* An indirect table, read whole into the device's scratch memory: its descriptors and how many; NULL: it is bad. */
const struct virtq_desc *virtq_read_table(struct virtqueue *vq, uint64_t addr, uint32_t len,
					  unsigned *n);
void virtq_bad(struct virtqueue *vq, const char *why);
static inline bool virtq_need_event(uint16_t event, uint16_t new, uint16_t old)
{
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

bool packed_pop(struct virtqueue *vq, struct virtq_elem *e);
bool packed_empty(struct virtqueue *vq);
void packed_unpop(struct virtqueue *vq, const struct virtq_elem *e);
void packed_publish(struct virtqueue *vq, const struct virtq_done *d);
bool packed_wants_interrupt(struct virtqueue *vq);
void packed_set_notification(struct virtqueue *vq, bool on);

#endif
