/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's side of virtio (Virtio 1.2, chapters 2, 3 and 4.2), for tests. */
#include "tests/device/virtio_kit.h"
#include "devices/virtio/virtio_mmio.h"

#define REG_DEVICE_FEATURES	0x10
#define REG_DEVICE_FEATURES_SEL 0x14
#define REG_DRIVER_FEATURES	0x20
#define REG_DRIVER_FEATURES_SEL 0x24
#define REG_QUEUE_SEL		0x30
#define REG_QUEUE_NUM		0x38
#define REG_QUEUE_READY		0x44
#define REG_QUEUE_NOTIFY	0x50
#define REG_STATUS		0x70
#define REG_QUEUE_DESC		0x80
#define REG_QUEUE_DRIVER	0x90
#define REG_QUEUE_DEVICE	0xa0

#define QUEUE_AREAS  0x10000
#define QUEUE_STRIDE 0x4000

#define PACKED_AVAIL 0x80
#define PACKED_USED  0x8000

void vk_put(struct vk *v, gpa_t gpa, uint64_t value, unsigned size)
{
	as_write(&v->k->m->mem, gpa, value, size);
}

uint64_t vk_get(struct vk *v, gpa_t gpa, unsigned size)
{
	return as_read(&v->k->m->mem, gpa, size);
}

uint32_t vk_reg(struct vk *v, unsigned offset)
{
	return (uint32_t)vk_get(v, v->regs + offset, 4);
}

void vk_set_reg(struct vk *v, unsigned offset, uint32_t value)
{
	vk_put(v, v->regs + offset, value, 4);
}

uint8_t vk_status(struct vk *v)
{
	return (uint8_t)vk_reg(v, REG_STATUS);
}

void vk_init_slot(struct vk *v, struct kit *k, unsigned slot)
{
	struct error err = ERROR_INIT;

	memset(v, 0, sizeof(*v));
	v->k = k;
	v->regs = VK_REGS + 0x1000 * slot;
	v->areas = QUEUE_AREAS + (gpa_t)QUEUE_STRIDE * VK_QUEUES * slot;
	if (!virtio_mmio_create(k->m, slot, v->regs, VK_GSI + slot, &err))
		fail_msg("%s", err.msg);
}

void vk_init(struct vk *v, struct kit *k)
{
	vk_init_slot(v, k, 0);
}

bool vk_negotiate(struct vk *v, uint64_t features)
{
	vk_set_reg(v, REG_STATUS, 0);
	kit_settle(v->k);
	assert_int_equal(vk_status(v), 0);
	vk_set_reg(v, REG_STATUS, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	v->features = 0;
	for (unsigned i = 0; i < 2; i++) {
		vk_set_reg(v, REG_DEVICE_FEATURES_SEL, i);
		v->features |= (uint64_t)vk_reg(v, REG_DEVICE_FEATURES) << 32 * i;
	}
	for (unsigned i = 0; i < 2; i++) {
		vk_set_reg(v, REG_DRIVER_FEATURES_SEL, i);
		vk_set_reg(v, REG_DRIVER_FEATURES, (uint32_t)(features >> 32 * i));
	}
	v->packed = features >> VIRTIO_F_RING_PACKED & 1;
	vk_set_reg(v, REG_STATUS, vk_status(v) | VIRTIO_STATUS_FEATURES_OK);
	return vk_status(v) & VIRTIO_STATUS_FEATURES_OK;
}

static void set_address(struct vk *v, unsigned reg, gpa_t gpa)
{
	vk_set_reg(v, reg, (uint32_t)gpa);
	vk_set_reg(v, reg + 4, (uint32_t)(gpa >> 32));
}

void vk_set_queue(struct vk *v, unsigned n, unsigned size)
{
	struct vk_queue *q = &v->q[n];

	memset(q, 0, sizeof(*q));
	q->size = size;
	q->avail_wrap = q->used_wrap = true;
	q->desc = v->areas + (gpa_t)QUEUE_STRIDE * n;
	q->driver = q->desc + 0x2000;
	q->device = q->desc + 0x3000;
	for (unsigned i = 0; i < QUEUE_STRIDE; i += 8)
		vk_put(v, q->desc + i, 0, 8);
	vk_set_reg(v, REG_QUEUE_SEL, n);
	vk_set_reg(v, REG_QUEUE_NUM, size);
	set_address(v, REG_QUEUE_DESC, q->desc);
	set_address(v, REG_QUEUE_DRIVER, q->driver);
	set_address(v, REG_QUEUE_DEVICE, q->device);
	vk_set_reg(v, REG_QUEUE_READY, 1);
}

void vk_start(struct vk *v, uint64_t features, unsigned n, unsigned size)
{
	assert_true(vk_negotiate(v, features | BIT64(VIRTIO_F_VERSION_1)));
	for (unsigned i = 0; i < n; i++)
		vk_set_queue(v, i, size);
	vk_set_reg(v, REG_STATUS, vk_status(v) | VIRTIO_STATUS_DRIVER_OK);
	kit_clear(v->k);
}

/* ---- chains ---- */

void vk_set_desc(struct vk *v, gpa_t table, unsigned n, gpa_t gpa, uint32_t len, uint16_t flags,
		 uint16_t next_or_id)
{
	gpa_t at = table + 16ull * n;

	vk_put(v, at, gpa, 8);
	vk_put(v, at + 8, len, 4);
	vk_put(v, at + (v->packed ? 14 : 12), flags, 2);
	vk_put(v, at + (v->packed ? 12 : 14), next_or_id, 2);
}

void vk_make_available(struct vk *v, unsigned n, uint16_t head)
{
	struct vk_queue *q = &v->q[n];

	vk_put(v, q->driver + 4 + 2 * (q->avail % q->size), head, 2);
	vk_put(v, q->driver + 2, ++q->avail, 2);
}

static uint16_t add_split(struct vk *v, unsigned n, const struct vk_piece *pieces, unsigned count)
{
	struct vk_queue *q = &v->q[n];
	uint16_t head = q->next_free;

	for (unsigned i = 0; i < count; i++) {
		uint16_t at = q->next_free, next = (uint16_t)((at + 1) % q->size);

		vk_set_desc(v, q->desc, at, pieces[i].gpa, pieces[i].len,
			    (pieces[i].write ? VK_WRITE : 0) | (i + 1 < count ? VK_NEXT : 0), next);
		q->next_free = next;
	}
	vk_make_available(v, n, head);
	return head;
}

/* The first one's flags last: they hand the chain over. */
static uint16_t add_packed(struct vk *v, unsigned n, const struct vk_piece *pieces, unsigned count)
{
	struct vk_queue *q = &v->q[n];
	uint16_t id = q->avail, first_flags = 0, first = q->avail;

	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = (q->avail_wrap ? PACKED_AVAIL : PACKED_USED) |
				 (pieces[i].write ? VK_WRITE : 0) | (i + 1 < count ? VK_NEXT : 0);

		if (!i)
			first_flags = flags;
		vk_set_desc(v, q->desc, q->avail, pieces[i].gpa, pieces[i].len,
			    i ? flags : flags ^ (PACKED_AVAIL | PACKED_USED), id);
		if (++q->avail == q->size) {
			q->avail = 0;
			q->avail_wrap = !q->avail_wrap;
		}
	}
	q->used_entries_of[id] = (uint16_t)count;
	vk_put(v, q->desc + 16ull * first + 14, first_flags, 2);
	return id;
}

uint16_t vk_add(struct vk *v, unsigned q, const struct vk_piece *pieces, unsigned n)
{
	return v->packed ? add_packed(v, q, pieces, n) : add_split(v, q, pieces, n);
}

void vk_kick(struct vk *v, unsigned q)
{
	vk_set_reg(v, REG_QUEUE_NOTIFY, q);
	kit_settle(v->k);
}

static bool used_packed(struct vk *v, struct vk_queue *q, uint16_t *id, uint32_t *len)
{
	gpa_t at = q->desc + 16ull * q->used;
	uint16_t flags = (uint16_t)vk_get(v, at + 14, 2);

	if (!!(flags & PACKED_AVAIL) != q->used_wrap || !!(flags & PACKED_USED) != q->used_wrap)
		return false;
	*id = (uint16_t)vk_get(v, at + 12, 2);
	*len = (uint32_t)vk_get(v, at + 8, 4);
	q->used += q->used_entries_of[*id % 1024];
	if (q->used >= q->size) {
		q->used -= q->size;
		q->used_wrap = !q->used_wrap;
	}
	return true;
}

bool vk_used(struct vk *v, unsigned n, uint16_t *id, uint32_t *len)
{
	struct vk_queue *q = &v->q[n];
	gpa_t at;

	if (v->packed)
		return used_packed(v, q, id, len);
	if ((uint16_t)vk_get(v, q->device + 2, 2) == q->used)
		return false;
	at = q->device + 4 + 8ull * (q->used++ % q->size);
	*id = (uint16_t)vk_get(v, at, 4);
	*len = (uint32_t)vk_get(v, at + 4, 4);
	return true;
}

void vk_send(struct vk *v, unsigned q, gpa_t gpa, const char *text)
{
	struct vk_piece piece = {gpa, (uint32_t)strlen(text), false};

	for (size_t i = 0; text[i]; i++)
		vk_put(v, gpa + i, (uint8_t)text[i], 1);
	vk_add(v, q, &piece, 1);
	vk_kick(v, q);
}
