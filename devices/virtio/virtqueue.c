/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtqueues: elements and their memory, and the split ring (Virtio 1.2, 2.6 and 2.7). */
#include <stdlib.h>
#include "devices/virtio/virtio.h"

#define DESC_BYTES	sizeof(struct virtq_desc)
#define DESC_ALIGN	16
#define AVAIL_ALIGN	2
#define USED_ALIGN	4
#define AVAIL_FLAGS	0
#define AVAIL_IDX	2
#define AVAIL_RING	4
#define USED_FLAGS	0
#define USED_IDX	2
#define USED_RING	4
#define USED_ELEM_BYTES 8

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY	   1

#define PACKED_EVENT_BYTES 4
#define PACKED_EVENT_ALIGN 4

/* A queue in which nothing came while the loop slept so often isn't polled any more. */
#define IDLE_SLEEPS 4
/* With so many requests under way the disk has enough to do, and what follows is taken in batches: a system call for each. */
#define BATCH_FROM 8
#define BATCH_NS   (20 * NS_PER_US)

void virtq_bad(struct virtqueue *vq, const char *why)
{
	virtio_break(vq->virtio, why);
}

/* ---- memory ---- */

/* Aligned as 2.7 and 2.8.10 have it. */
static uint8_t *map_area(struct virtqueue *vq, gpa_t gpa, size_t bytes, unsigned align, bool write)
{
	size_t n = bytes;
	uint8_t *host = gpa % align ? NULL : dma_map(vq->virtio->dev->machine, gpa, &n, write);

	return host && n >= bytes ? host : NULL;
}

bool virtq_map(struct virtqueue *vq)
{
	bool packed = virtio_has(vq->virtio, VIRTIO_F_RING_PACKED);
	size_t n = vq->size;

	vq->packed = packed;
	vq->event_idx = virtio_has(vq->virtio, VIRTIO_F_EVENT_IDX);
	vq->in_order = virtio_has(vq->virtio, VIRTIO_F_IN_ORDER);
	vq->desc = map_area(vq, vq->desc_gpa, n * DESC_BYTES, DESC_ALIGN, packed);
	vq->driver =
		map_area(vq, vq->driver_gpa, packed ? PACKED_EVENT_BYTES : AVAIL_RING + 2 * n + 2,
			 packed ? PACKED_EVENT_ALIGN : AVAIL_ALIGN, false);
	vq->device = map_area(vq, vq->device_gpa,
			      packed ? PACKED_EVENT_BYTES : USED_RING + USED_ELEM_BYTES * n + 2,
			      packed ? PACKED_EVENT_ALIGN : USED_ALIGN, true);
	vq->mapped = vq->desc && vq->driver && vq->device;
	if (!vq->mapped) {
		virtq_bad(vq, "a virtqueue is not in RAM, or not aligned");
		return false;
	}
	if (vq->in_order && !vq->done) {
		vq->done = xzalloc(VIRTQ_MAX_SIZE * sizeof(*vq->done));
		vq->done_seq = vq->next_seq;
	}
	return true;
}

static void stop_polling(struct virtqueue *vq)
{
	if (!vq->polling)
		return;
	vq->polling = false;
	loop_poller_remove(&vq->poller);
}

void virtq_unmap(struct virtqueue *vq)
{
	stop_polling(vq);
	vq->mapped = false;
	free(vq->done);
	vq->done = NULL;
}

void virtq_reset(struct virtqueue *vq)
{
	virtq_unmap(vq);
	vq->desc_gpa = vq->driver_gpa = vq->device_gpa = 0;
	vq->size = vq->max_size;
	vq->vector = VIRTIO_NO_VECTOR;
	vq->next_avail = vq->next_used = vq->signalled_used = vq->next_seq = 0;
	vq->enabled = vq->signalled_valid = false;
	vq->avail_wrap = vq->used_wrap = true;
	vq->notification_off = false;
	vq->in_flight = vq->unsignalled = 0;
}

/* The device wrote BYTES of its area at OFFSET: whoever keeps track of written RAM hears of it. */
static void device_area_written(struct virtqueue *vq, size_t offset, size_t bytes)
{
	dma_unmap(vq->virtio->dev->machine, vq->device_gpa + offset, vq->device + offset, bytes,
		  true);
}

bool virtq_add_piece(struct virtqueue *vq, struct virtq_elem *e, uint64_t addr, uint32_t len,
		     bool write)
{
	uint64_t left = len;

	if (!len) {
		virtq_bad(vq, "a descriptor of no length");
		return false;
	}
	if (!write && e->n_in) {
		virtq_bad(vq, "a descriptor to be read comes after one to be written");
		return false;
	}
	while (left) {
		unsigned i = e->n_out + e->n_in;
		size_t n = left;
		void *host;

		if (i == VIRTQ_MAX_IOV) {
			virtq_bad(vq, "a descriptor chain has too many pieces");
			return false;
		}
		host = addr + (left - 1) < addr
			       ? NULL
			       : dma_map(vq->virtio->dev->machine, addr, &n, write);
		if (!host || !n) {
			virtq_bad(vq, "a descriptor names memory that is not there");
			return false;
		}
		e->iov[i] = (struct iovec){.iov_base = host, .iov_len = n};
		e->gpa[i] = addr;
		if (write)
			e->n_in++;
		else
			e->n_out++;
		addr += n;
		left -= n;
	}
	if (write)
		e->in_bytes += len;
	else
		e->out_bytes += len;
	return true;
}

const struct virtq_desc *virtq_read_table(struct virtqueue *vq, uint64_t addr, uint32_t len,
					  unsigned *n)
{
	struct virtio *v = vq->virtio;

	if (!virtio_has(v, VIRTIO_F_INDIRECT_DESC)) {
		virtq_bad(vq, "an indirect descriptor, which was not negotiated");
		return NULL;
	}
	if (!len || len % DESC_BYTES || len / DESC_BYTES > VIRTQ_MAX_CHAIN) {
		virtq_bad(vq, "an indirect table of impossible length");
		return NULL;
	}
	if (!dma_read(v->dev->machine, addr, v->scratch, len)) {
		virtq_bad(vq, "an indirect table outside of RAM");
		return NULL;
	}
	*n = len / DESC_BYTES;
	return v->scratch;
}

/* ---- the split ring ---- */

static uint16_t load16(const uint8_t *p)
{
	return __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE);
}

static void store16(uint8_t *p, uint16_t value)
{
	__atomic_store_n((uint16_t *)p, value, __ATOMIC_RELEASE);
}

static bool split_walk_table(struct virtqueue *vq, struct virtq_elem *e, const struct virtq_desc *d)
{
	const struct virtq_desc *table;
	unsigned n, at = 0;

	if (d->flags_or_id & VIRTQ_DESC_NEXT) {
		virtq_bad(vq, "an indirect descriptor that has a next one");
		return false;
	}
	table = virtq_read_table(vq, d->addr, d->len, &n);
	if (!table)
		return false;
	for (unsigned count = 0; count < n; count++) {
		const struct virtq_desc *t = &table[at];

		if (t->flags_or_id & VIRTQ_DESC_INDIRECT) {
			virtq_bad(vq, "an indirect descriptor in an indirect table");
			return false;
		}
		if (!virtq_add_piece(vq, e, t->addr, t->len, t->flags_or_id & VIRTQ_DESC_WRITE))
			return false;
		if (!(t->flags_or_id & VIRTQ_DESC_NEXT))
			return true;
		at = t->next_or_flags;
		if (at >= n) {
			virtq_bad(vq, "a descriptor's next one is outside of its table");
			return false;
		}
	}
	virtq_bad(vq, "a loop of descriptors");
	return false;
}

static bool split_walk(struct virtqueue *vq, struct virtq_elem *e)
{
	unsigned at = e->id;

	for (unsigned count = 0; count < vq->size; count++) {
		struct virtq_desc d;

		memcpy(&d, vq->desc + at * DESC_BYTES, sizeof(d));
		if (d.flags_or_id & VIRTQ_DESC_INDIRECT)
			return split_walk_table(vq, e, &d);
		if (!virtq_add_piece(vq, e, d.addr, d.len, d.flags_or_id & VIRTQ_DESC_WRITE))
			return false;
		if (!(d.flags_or_id & VIRTQ_DESC_NEXT))
			return true;
		at = d.next_or_flags;
		if (at >= vq->size) {
			virtq_bad(vq, "a descriptor's next one is outside of the queue");
			return false;
		}
	}
	virtq_bad(vq, "a loop of descriptors");
	return false;
}

static uint16_t split_available(struct virtqueue *vq)
{
	return load16(vq->driver + AVAIL_IDX) - vq->next_avail;
}

static void split_set_avail_event(struct virtqueue *vq)
{
	size_t offset = USED_RING + (size_t)USED_ELEM_BYTES * vq->size;

	store16(vq->device + offset, vq->next_avail);
	device_area_written(vq, offset, 2);
}

static bool split_pop(struct virtqueue *vq, struct virtq_elem *e)
{
	uint16_t available = split_available(vq);

	if (!available)
		return false;
	if (available > vq->size) {
		virtq_bad(vq, "more is available than the queue holds");
		return false;
	}
	e->id = load16(vq->driver + AVAIL_RING + 2 * (vq->next_avail % vq->size));
	if (e->id >= vq->size) {
		virtq_bad(vq, "an available index outside of the queue");
		return false;
	}
	if (!split_walk(vq, e))
		return false;
	vq->next_avail++;
	if (vq->event_idx && !vq->notification_off) {
		split_set_avail_event(vq);
		/* The driver must see it before we find that nothing more is available, or neither hears of what it adds now. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	return true;
}

static void split_publish(struct virtqueue *vq, const struct virtq_done *d)
{
	size_t offset = USED_RING + (size_t)USED_ELEM_BYTES * (vq->next_used % vq->size);

	stn_le(vq->device + offset, 4, d->id);
	stn_le(vq->device + offset + 4, 4, d->len);
	device_area_written(vq, offset, USED_ELEM_BYTES);
	store16(vq->device + USED_IDX, ++vq->next_used);
	device_area_written(vq, USED_IDX, 2);
}

static bool split_wants_interrupt(struct virtqueue *vq)
{
	uint16_t old = vq->signalled_used;
	bool valid = vq->signalled_valid;

	if (!vq->event_idx)
		return !(load16(vq->driver + AVAIL_FLAGS) & AVAIL_NO_INTERRUPT);
	vq->signalled_used = vq->next_used;
	vq->signalled_valid = true;
	return !valid ||
	       virtq_need_event(load16(vq->driver + AVAIL_RING + 2 * vq->size), vq->next_used, old);
}

static void split_set_notification(struct virtqueue *vq, bool on)
{
	if (vq->event_idx) {
		if (on)
			split_set_avail_event(vq);
		return; /* off: the event stays where it was, behind us */
	}
	store16(vq->device + USED_FLAGS, on ? 0 : USED_NO_NOTIFY);
	device_area_written(vq, USED_FLAGS, 2);
}

/* ---- either ring ---- */

/* While requests from before a reset are under way nothing new is taken: a driver that does not wait could pile them up. */
static bool usable(struct virtqueue *vq)
{
	return vq->enabled && vq->mapped && !vq->orphans && !vq->virtio->dev->broken;
}

bool virtq_empty(struct virtqueue *vq)
{
	if (!usable(vq))
		return true;
	return vq->packed ? packed_empty(vq) : !split_available(vq);
}

bool virtq_pop(struct virtqueue *vq, struct virtq_elem *e)
{
	if (!usable(vq))
		return false;
	e->n_out = e->n_in = 0;
	e->out_bytes = e->in_bytes = 0;
	if (vq->in_flight >= vq->size) {
		if (!virtq_empty(vq))
			virtq_bad(vq, "more requests than the queue holds");
		return false;
	}
	if (vq->packed ? !packed_pop(vq, e) : !split_pop(vq, e))
		return false;
	e->seq = vq->next_seq++;
	e->generation = vq->generation;
	vq->in_flight++;
	return true;
}

void virtq_unpop(struct virtqueue *vq, const struct virtq_elem *e)
{
	if (vq->packed)
		packed_unpop(vq, e);
	else
		vq->next_avail--;
	vq->next_seq--;
	vq->in_flight--;
}

static void publish(struct virtqueue *vq, const struct virtq_done *d)
{
	if (vq->packed)
		packed_publish(vq, d);
	else
		split_publish(vq, d);
	virtio_notify_later(vq);
}

static void mark_written(struct virtqueue *vq, const struct virtq_elem *e, uint64_t bytes)
{
	for (unsigned i = e->n_out; i < e->n_out + e->n_in && bytes; i++) {
		size_t n = MIN(bytes, e->iov[i].iov_len);

		dma_unmap(vq->virtio->dev->machine, e->gpa[i], e->iov[i].iov_base, n, true);
		bytes -= n;
	}
}

void virtq_push(struct virtqueue *vq, const struct virtq_elem *e, uint64_t written)
{
	struct virtq_done d = {.id = e->id,
			       .n_desc = e->n_desc,
			       .len = (uint32_t)MIN(written, (uint64_t)UINT32_MAX),
			       .written = written != 0};

	mark_written(vq, e, written);
	if (virtq_is_orphan(vq, e)) {
		vq->virtio->orphans--;
		if (!--vq->orphans)
			virtio_kick_later(vq);
		return;
	}
	vq->in_flight--;
	if (!usable(vq))
		return;
	if (!vq->in_order) {
		publish(vq, &d);
		return;
	}
	d.done = true;
	vq->done[e->seq % VIRTQ_MAX_SIZE] = d;
	for (struct virtq_done *next = &vq->done[vq->done_seq % VIRTQ_MAX_SIZE]; next->done;
	     next = &vq->done[vq->done_seq % VIRTQ_MAX_SIZE]) {
		next->done = false;
		vq->done_seq++;
		publish(vq, next);
	}
}

void virtq_notify(struct virtqueue *vq)
{
	if (!usable(vq))
		return;
	/* What was used must be visible before the driver's wish is read: 2.7.7.1. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->packed ? packed_wants_interrupt(vq) : split_wants_interrupt(vq))
		virtio_interrupt(vq->virtio, vq);
}

void virtq_set_notification(struct virtqueue *vq, bool on)
{
	if (!usable(vq) || vq->notification_off == !on)
		return;
	vq->notification_off = !on;
	if (vq->packed)
		packed_set_notification(vq, on);
	else
		split_set_notification(vq, on);
	/* And the wish before the ring is looked at again: 2.7.10. */
	if (on)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * A doorbell costs the driver an exit and us a wake-up, a look at its index in memory neither. So while the loop is awake for whatever
 * reason, the queues that have been in use lately are looked at; before it sleeps the driver is asked to notify.
 */
static bool poll_queue(void *opaque)
{
	struct virtqueue *vq = opaque;
	struct loop *loop = vq->virtio->dev->machine->loop;
	uint16_t seq = vq->next_seq;
	bool last_look = loop_is_falling_asleep(loop);

	if (!last_look && vq->in_flight >= BATCH_FROM &&
	    loop_stamp_ns(loop) - vq->looked_ns < BATCH_NS)
		return false;
	vq->looked_ns = loop_stamp_ns(loop);
	if (virtq_empty(vq)) {
		if (!last_look)
			return false;
		virtq_set_notification(vq, true);
		if (virtq_empty(vq)) {
			if (++vq->idle_sleeps > IDLE_SLEEPS)
				stop_polling(vq);
			return false;
		}
	}
	vq->idle_sleeps = 0;
	virtio_kick(vq);
	if (vq->next_seq != seq)
		return true;
	/* The device takes nothing now. */
	stop_polling(vq);
	virtq_set_notification(vq, true);
	return false;
}

/* Returns false when this queue isn't one to be polled. */
static bool start_polling(struct virtqueue *vq)
{
	if (!vq->virtio->cls->polls || !usable(vq))
		return false;
	if (!vq->polling) {
		vq->polling = true;
		vq->idle_sleeps = 0;
		loop_poller_add(&vq->poller, vq->virtio->dev->machine->loop, vq->virtio->cls->name,
				poll_queue, vq);
	}
	return true;
}

void virtq_drain(struct virtqueue *vq, enum virtq_next (*one)(struct virtqueue *vq))
{
	unsigned budget = vq->size;

	do {
		enum virtq_next next = VIRTQ_SERVED;

		virtq_set_notification(vq, false);
		while (budget && (next = one(vq)) == VIRTQ_SERVED)
			budget--;
		if (next == VIRTQ_STALLED)
			return;
		if (!budget) {
			virtio_kick_later(vq);
			return;
		}
		if (start_polling(vq))
			return;
		virtq_set_notification(vq, true);
	} while (!virtq_empty(vq));
}

/* ---- contents ---- */

struct iovec *virtq_in(struct virtq_elem *e)
{
	return &e->iov[e->n_out];
}

/* Copies between BUF and pieces [FIRST, FIRST + N) from OFFSET on. */
static size_t copy(const struct virtq_elem *e, unsigned first, unsigned n, uint64_t offset,
		   void *buf, size_t bytes, bool to_guest)
{
	size_t done = 0;

	for (unsigned i = first; i < first + n && done < bytes; i++) {
		size_t len = e->iov[i].iov_len, part;

		if (offset >= len) {
			offset -= len;
			continue;
		}
		part = MIN(len - offset, bytes - done);
		if (to_guest)
			memcpy((char *)e->iov[i].iov_base + offset, (char *)buf + done, part);
		else
			memcpy((char *)buf + done, (char *)e->iov[i].iov_base + offset, part);
		done += part;
		offset = 0;
	}
	return done;
}

size_t virtq_read(const struct virtq_elem *e, uint64_t offset, void *buf, size_t bytes)
{
	return copy(e, 0, e->n_out, offset, buf, bytes, false);
}

size_t virtq_write(const struct virtq_elem *e, uint64_t offset, const void *buf, size_t bytes)
{
	return copy(e, e->n_out, e->n_in, offset, (void *)buf, bytes, true);
}

/* ---- save and load ---- */

const struct state_desc virtqueue_state = {
	.name = "virtqueue",
	.version = 1,
	STATE_SPAN(virtqueue),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(virtqueue, desc_gpa),
			STATE_FIELD(virtqueue, driver_gpa),
			STATE_FIELD(virtqueue, device_gpa),
			STATE_FIELD(virtqueue, size),
			STATE_FIELD(virtqueue, vector),
			STATE_FIELD(virtqueue, next_avail),
			STATE_FIELD(virtqueue, next_used),
			STATE_FIELD(virtqueue, next_seq),
			STATE_FIELD(virtqueue, enabled),
			STATE_FIELD(virtqueue, avail_wrap),
			STATE_FIELD(virtqueue, used_wrap),
			STATE_END,
		},
};
