/* SPDX-License-Identifier: BSD-2-Clause */
/* What all virtio devices have in common (Virtio 1.2, chapters 2 and 3). */
#include <assert.h>
#include <stdlib.h>
#include "devices/virtio/virtio.h"
#include "src/iothread.h"

/* ---- interrupts: one decision per queue and turn ---- */

static void notify_all(void *opaque)
{
	struct virtio *v = opaque;

	while (v->notify_pending) {
		unsigned i = (unsigned)__builtin_ctzll(v->notify_pending);

		v->notify_pending &= v->notify_pending - 1;
		virtq_notify(&v->queues[i]);
	}
}

static void kick_all(void *opaque)
{
	struct virtio *v = opaque;
	uint64_t pending = v->kick_pending;

	v->kick_pending = 0;
	for (; pending; pending &= pending - 1)
		virtio_kick(&v->queues[__builtin_ctzll(pending)]);
}

void virtio_notify_later(struct virtqueue *vq)
{
	vq->virtio->notify_pending |= BIT64(vq->index);
	loop_work_schedule(&vq->virtio->notify_work);
}

void virtio_kick_later(struct virtqueue *vq)
{
	vq->virtio->kick_pending |= BIT64(vq->index);
	loop_work_schedule(&vq->virtio->kick_work);
}

void virtio_interrupt(struct virtio *v, struct virtqueue *vq)
{
	v->transport->interrupt(v, vq);
}

void virtio_config_changed(struct virtio *v)
{
	v->config_generation++;
	if (virtio_running(v))
		v->transport->interrupt(v, NULL);
}

void virtio_break(struct virtio *v, const char *why)
{
	if (v->dev->broken)
		return;
	device_break(v->dev, why);
	if (!virtio_has(v, VIRTIO_F_VERSION_1))
		return; /* legacy drivers know no such status */
	v->status |= VIRTIO_STATUS_NEEDS_RESET;
	if (v->status & VIRTIO_STATUS_DRIVER_OK)
		v->transport->interrupt(v, NULL);
}

/* ---- life ---- */

bool virtio_take_iothread(struct virtio *v, struct device *dev, struct error *err)
{
	if (!v->iothread_id)
		return true;
	v->iothread = iothread_get(dev->machine->objects, v->iothread_id, err);
	if (!v->iothread)
		error_prefix(err, "%s: iothread: ", dev->type->name);
	return v->iothread;
}

void virtio_init(struct virtio *v, const struct virtio_class *cls, struct device *dev,
		 uint64_t features)
{
	static const struct {
		size_t want;
		unsigned bit;
	} optional[] = {
		{offsetof(struct virtio, want_indirect), VIRTIO_F_INDIRECT_DESC},
		{offsetof(struct virtio, want_event_idx), VIRTIO_F_EVENT_IDX},
		{offsetof(struct virtio, want_packed), VIRTIO_F_RING_PACKED},
		{offsetof(struct virtio, want_in_order), VIRTIO_F_IN_ORDER},
		{offsetof(struct virtio, want_any_layout), VIRTIO_F_ANY_LAYOUT},
		{offsetof(struct virtio, want_ring_reset), VIRTIO_F_RING_RESET},
		{offsetof(struct virtio, want_notification_data), VIRTIO_F_NOTIFICATION_DATA},
	};

	v->cls = cls;
	v->dev = dev;
	v->n_queues = 0;
	v->host_features = features | BIT64(VIRTIO_F_VERSION_1);
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		if (*((bool *)v + optional[i].want))
			v->host_features |= BIT64(optional[i].bit);
	v->scratch = xmalloc(VIRTQ_MAX_CHAIN * sizeof(*v->scratch));
	loop_work_init(&v->notify_work, dev->machine->loop, cls->name, notify_all, v);
	loop_work_init(&v->kick_work, dev->machine->loop, cls->name, kick_all, v);
}

struct virtqueue *virtio_add_queue(struct virtio *v, unsigned max_size)
{
	struct virtqueue *vq = &v->queues[v->n_queues];

	assert(v->n_queues < VIRTIO_MAX_QUEUES && max_size <= VIRTQ_MAX_SIZE);
	vq->virtio = v;
	vq->index = (uint16_t)v->n_queues++;
	vq->max_size = (uint16_t)max_size;
	virtq_reset(vq);
	return vq;
}

void virtio_fini(struct virtio *v)
{
	vcpus_release(v->dev->machine, v);
	for (unsigned i = 0; i < v->n_queues; i++)
		virtq_unmap(&v->queues[i]);
	loop_work_cancel(&v->notify_work);
	loop_work_cancel(&v->kick_work);
	free(v->scratch);
	v->scratch = NULL;
	iothread_put(v->iothread);
	v->iothread = NULL;
}

bool virtio_busy(const struct virtio *v)
{
	unsigned n = v->orphans;

	for (unsigned i = 0; i < v->n_queues; i++)
		n += v->queues[i].in_flight;
	return v->cls->must_drain && n;
}

bool virtio_running(const struct virtio *v)
{
	return v->status & VIRTIO_STATUS_DRIVER_OK && !v->dev->broken;
}

static void queue_forget(struct virtqueue *vq)
{
	struct virtio *v = vq->virtio;
	bool was = vq->enabled;

	v->orphans += vq->in_flight;
	vq->orphans += vq->in_flight;
	vq->generation++;
	virtq_reset(vq);
	v->notify_pending &= ~BIT64(vq->index);
	v->kick_pending &= ~BIT64(vq->index);
	if (was && v->transport->queue_changed)
		v->transport->queue_changed(vq);
}

void virtio_reset(struct virtio *v)
{
	if (v->status)
		v->status_before_reset = v->status;
	for (unsigned i = 0; i < v->n_queues; i++)
		queue_forget(&v->queues[i]);
	v->guest_features = 0;
	v->config_vector = VIRTIO_NO_VECTOR;
	v->status = v->isr = 0;
	v->features_ok = false;
	v->config_generation = 0;
	v->dev->broken = NULL;
	memset(v->config, 0, sizeof(v->config));
	v->cls->reset(v);
}

static bool no_orphans(void *opaque)
{
	return !((struct virtio *)opaque)->orphans;
}

void virtio_hold_reset(struct virtio *v)
{
	if (v->cls->must_drain && v->orphans)
		vcpu_hold_answer(v->dev->machine, no_orphans, v);
}

/* ---- status and features ---- */

uint8_t virtio_get_status(const struct virtio *v)
{
	return v->status || !v->orphans ? v->status : v->status_before_reset;
}

/* 3.1.1 step 6: features that don't go together, or that were not offered, are refused by leaving FEATURES_OK off. */
static bool features_acceptable(const struct virtio *v)
{
	return !(v->guest_features & ~v->host_features) && virtio_has(v, VIRTIO_F_VERSION_1);
}

/*
 * A driver may fill its queues before DRIVER_OK (3.1.1); a doorbell of that time was dropped, and none need come again:
 * Linux' balloon rings once, just before.
 */
static void look_into_queues(struct virtio *v)
{
	for (unsigned i = 0; i < v->n_queues; i++)
		if (v->queues[i].enabled)
			virtio_kick_later(&v->queues[i]);
}

void virtio_set_status(struct virtio *v, uint8_t status, bool legacy)
{
	bool was_running = v->status & VIRTIO_STATUS_DRIVER_OK;

	if (!status) {
		virtio_reset(v);
		return;
	}
	if (!legacy && (status & ~v->status & VIRTIO_STATUS_FEATURES_OK)) {
		if (features_acceptable(v)) {
			v->features_ok = true;
			if (v->cls->features_set)
				v->cls->features_set(v);
		} else {
			guest_error(v->dev, "features %llx are not among %llx",
				    (unsigned long long)v->guest_features,
				    (unsigned long long)v->host_features);
			status &= ~VIRTIO_STATUS_FEATURES_OK;
		}
	}
	v->status = status | (v->status & VIRTIO_STATUS_NEEDS_RESET);
	if (was_running || !(status & VIRTIO_STATUS_DRIVER_OK))
		return;
	if (legacy && v->cls->features_set)
		v->cls->features_set(v);
	if (v->cls->started)
		v->cls->started(v);
	look_into_queues(v);
}

void virtio_set_features(struct virtio *v, unsigned select, uint32_t value)
{
	uint64_t mask;

	if (select > 1 || v->features_ok)
		return;
	mask = (uint64_t)UINT32_MAX << 32 * select;
	v->guest_features = (v->guest_features & ~mask) | (uint64_t)value << 32 * select;
}

/* ---- configuration ---- */

uint32_t virtio_config_read(const struct virtio *v, unsigned offset, unsigned bytes)
{
	if (offset + bytes > v->cls->config_bytes)
		return UINT32_MAX;
	return (uint32_t)ldn_le(&v->config[offset], bytes);
}

void virtio_config_write(struct virtio *v, unsigned offset, uint32_t value, unsigned bytes)
{
	if (!v->cls->config_written || offset + bytes > v->cls->config_bytes)
		return;
	stn_le(&v->config[offset], bytes, value);
	v->cls->config_written(v, offset, bytes);
}

/* ---- queues ---- */

struct virtqueue *virtio_queue(struct virtio *v, unsigned index)
{
	return index < v->n_queues ? &v->queues[index] : NULL;
}

void virtio_enable_queue(struct virtqueue *vq)
{
	struct virtio *v = vq->virtio;

	if (vq->enabled)
		return;
	vq->enabled = true;
	if (virtq_map(vq) && v->transport->queue_changed)
		v->transport->queue_changed(vq);
}

void virtio_reset_queue(struct virtqueue *vq)
{
	queue_forget(vq);
	if (vq->virtio->cls->queue_reset)
		vq->virtio->cls->queue_reset(vq);
}

bool virtio_queue_resetting(const struct virtqueue *vq)
{
	return vq->orphans;
}

/* Drivers of before version 1 may kick before DRIVER_OK. */
void virtio_kick(struct virtqueue *vq)
{
	struct virtio *v = vq->virtio;

	if (vq->enabled && !v->dev->broken &&
	    ((v->status & VIRTIO_STATUS_DRIVER_OK) || !virtio_has(v, VIRTIO_F_VERSION_1)))
		v->cls->notified(vq);
}

/* ---- save and load ---- */

static bool queue_post_load(struct virtqueue *vq, struct error *err)
{
	if (vq->size > vq->max_size || (!vq->packed && (vq->size & (vq->size - 1))) ||
	    (vq->enabled && !vq->size))
		return error_set(err, "%s: queue %u of %u entries", vq->virtio->cls->name,
				 vq->index, vq->size);
	vq->in_flight = 0;
	vq->signalled_valid = false;
	return true;
}

bool virtio_post_load(struct virtio *v, struct error *err)
{
	if (v->features_ok && (v->guest_features & ~v->host_features))
		return error_set(err, "%s: features that this device has not", v->cls->name);
	if (v->status & VIRTIO_STATUS_NEEDS_RESET)
		v->dev->broken = "it did when it was saved";
	for (unsigned i = 0; i < v->n_queues; i++) {
		struct virtqueue *vq = &v->queues[i];

		vq->packed = virtio_has(v, VIRTIO_F_RING_PACKED);
		if (!queue_post_load(vq, err))
			return false;
		if (vq->packed &&
		    (vq->next_avail >= MAX(vq->size, 1u) || vq->next_used >= MAX(vq->size, 1u)))
			return error_set(err, "%s: queue %u is beyond its end", v->cls->name, i);
		virtq_unmap(vq);
		if (!vq->enabled)
			continue;
		/* Who saved it may have asked the driver not to notify, and have used descriptors without a word of it yet. */
		if (virtq_map(vq)) {
			virtio_kick_later(vq);
			virtio_notify_later(vq);
		}
		if (v->transport->queue_changed)
			v->transport->queue_changed(vq);
	}
	return true;
}

const struct state_desc virtio_state = {
	.name = "virtio",
	.version = 1,
	STATE_SPAN(virtio),
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(virtio, queues, virtqueue_state),
			STATE_FIELD(virtio, guest_features),
			STATE_FIELD(virtio, config_generation),
			STATE_FIELD(virtio, config_vector),
			STATE_FIELD(virtio, status),
			STATE_FIELD(virtio, isr),
			STATE_ARRAY(virtio, config),
			STATE_FIELD(virtio, features_ok),
			STATE_ARRAY(virtio, reserved),
			STATE_END,
		},
};

const struct state_desc virtio_no_state = {
	.name = "none",
	.version = 1,
	.fields = (const struct state_field[]){STATE_END},
};
