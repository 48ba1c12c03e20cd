/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed ring (Virtio 1.2, 2.8). A descriptor: addr 64, len 32, id 16, flags 16. */
#include "devices/virtio/virtio.h"

#define DESC_BYTES sizeof(struct virtq_desc)
#define DESC_ID	   12
#define DESC_FLAGS 14
#define FLAG_AVAIL 0x0080
#define FLAG_USED  0x8000

/* Event suppression: desc (offset and wrap), flags */
#define EVENT_DESC	0
#define EVENT_FLAGS	2
#define EVENT_ENABLE	0
#define EVENT_DISABLE	1
#define EVENT_BY_DESC	2
#define EVENT_WRAP	0x8000
#define EVENT_DESC_MASK 0x7fff

static uint8_t *desc_at(struct virtqueue *vq, unsigned i)
{
	return vq->desc + i * DESC_BYTES;
}

static uint16_t flags_at(struct virtqueue *vq, unsigned i)
{
	return __atomic_load_n((uint16_t *)(desc_at(vq, i) + DESC_FLAGS), __ATOMIC_ACQUIRE);
}

bool packed_empty(struct virtqueue *vq)
{
	uint16_t flags = flags_at(vq, vq->next_avail);

	return !!(flags & FLAG_AVAIL) != vq->avail_wrap || !!(flags & FLAG_USED) == vq->avail_wrap;
}

static bool walk_table(struct virtqueue *vq, struct virtq_elem *e, const struct virtq_desc *d)
{
	unsigned n;
	const struct virtq_desc *table;

	if (d->next_or_flags & VIRTQ_DESC_NEXT) {
		virtq_bad(vq, "an indirect descriptor that has a next one");
		return false;
	}
	table = virtq_read_table(vq, d->addr, d->len, &n);
	for (unsigned i = 0; table && i < n; i++) {
		if (table[i].next_or_flags & VIRTQ_DESC_INDIRECT) {
			virtq_bad(vq, "an indirect descriptor in an indirect table");
			return false;
		}
		if (!virtq_add_piece(vq, e, table[i].addr, table[i].len,
				     table[i].next_or_flags & VIRTQ_DESC_WRITE))
			return false;
	}
	return table;
}

static void advance(uint16_t *at, bool *wrap, unsigned n, unsigned size)
{
	unsigned next = *at + n;

	if (next >= size) {
		next -= size;
		*wrap = !*wrap;
	}
	*at = (uint16_t)next;
}

bool packed_pop(struct virtqueue *vq, struct virtq_elem *e)
{
	uint16_t at = vq->next_avail;
	bool wrap = vq->avail_wrap;

	if (packed_empty(vq))
		return false;
	for (unsigned count = 1; count <= vq->size; count++) {
		struct virtq_desc d;

		memcpy(&d, desc_at(vq, at), sizeof(d));
		advance(&at, &wrap, 1, vq->size);
		if (d.next_or_flags & VIRTQ_DESC_INDIRECT) {
			if (!walk_table(vq, e, &d))
				return false;
			d.next_or_flags &= ~VIRTQ_DESC_NEXT;
		} else if (!virtq_add_piece(vq, e, d.addr, d.len,
					    d.next_or_flags & VIRTQ_DESC_WRITE)) {
			return false;
		}
		if (!(d.next_or_flags & VIRTQ_DESC_NEXT)) {
			e->id = d.flags_or_id;
			e->n_desc = (uint16_t)count;
			vq->next_avail = at;
			vq->avail_wrap = wrap;
			return true;
		}
	}
	virtq_bad(vq, "a loop of descriptors");
	return false;
}

void packed_unpop(struct virtqueue *vq, const struct virtq_elem *e)
{
	int at = vq->next_avail - e->n_desc;

	if (at < 0) {
		at += vq->size;
		vq->avail_wrap = !vq->avail_wrap;
	}
	vq->next_avail = (uint16_t)at;
}

/* The flags last: they hand the descriptor over. */
void packed_publish(struct virtqueue *vq, const struct virtq_done *d)
{
	uint8_t *desc = desc_at(vq, vq->next_used);
	uint16_t flags =
		(vq->used_wrap ? FLAG_AVAIL | FLAG_USED : 0) | (d->written ? VIRTQ_DESC_WRITE : 0);

	stn_le(desc + 8, 4, d->len);
	stn_le(desc + DESC_ID, 2, d->id);
	__atomic_store_n((uint16_t *)(desc + DESC_FLAGS), flags, __ATOMIC_RELEASE);
	dma_unmap(vq->virtio->dev->machine, vq->desc_gpa + vq->next_used * DESC_BYTES, desc,
		  DESC_BYTES, true);
	advance(&vq->next_used, &vq->used_wrap, d->n_desc, vq->size);
	vq->unsignalled += d->n_desc;
}

bool packed_wants_interrupt(struct virtqueue *vq)
{
	uint16_t old = vq->signalled_used, new = vq->next_used, event;
	/* Once round the ring OLD and NEW are the same, and every descriptor has been passed. */
	bool all = !vq->signalled_valid || vq->unsignalled >= vq->size;
	uint16_t flags = __atomic_load_n((uint16_t *)(vq->driver + EVENT_FLAGS), __ATOMIC_ACQUIRE);
	uint16_t desc = __atomic_load_n((uint16_t *)(vq->driver + EVENT_DESC), __ATOMIC_ACQUIRE);

	vq->signalled_used = new;
	vq->signalled_valid = true;
	vq->unsignalled = 0;
	if (flags == EVENT_DISABLE)
		return false;
	if (flags != EVENT_BY_DESC || !vq->event_idx)
		return true;
	event = desc & EVENT_DESC_MASK;
	if (!!(desc & EVENT_WRAP) != vq->used_wrap)
		event -= vq->size;
	/* OLD may lie in the round before. */
	return all || virtq_need_event(event, new, old > new ? old - vq->size : old);
}

void packed_set_notification(struct virtqueue *vq, bool on)
{
	uint16_t flags = on ? vq->event_idx ? EVENT_BY_DESC : EVENT_ENABLE : EVENT_DISABLE;

	if (flags == EVENT_BY_DESC)
		__atomic_store_n((uint16_t *)(vq->device + EVENT_DESC),
				 vq->next_avail | (vq->avail_wrap ? EVENT_WRAP : 0),
				 __ATOMIC_RELEASE);
	__atomic_store_n((uint16_t *)(vq->device + EVENT_FLAGS), flags, __ATOMIC_RELEASE);
	dma_unmap(vq->virtio->dev->machine, vq->device_gpa, vq->device, 4, true);
}
