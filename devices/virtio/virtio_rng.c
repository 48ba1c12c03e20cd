/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-rng (Virtio 1.2, 5.4): one queue whose buffers are filled with random bytes. No configuration.
 *
 * max-bytes and period limit what a guest may draw: that many bytes in each period of guest time.
 *
 * Not modelled: nothing.
 * Deviates because: nothing.
 */
#include <stdlib.h>
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_types.h"
#include "io/rng/rng.h"

#define RNG_QUEUE_SIZE 8
#define RNG_CHUNK      4096

struct virtio_rng {
	struct virtio v;

	/* configuration */
	char *rng_id;
	uint64_t max_bytes; /* in a period; UINT64_MAX: no limit */
	uint32_t period_ms;

	/* host side */
	struct rng *rng;
	struct virtqueue *vq;
	struct virtq_elem elem; /* the one in hand; never kept beyond a call */
	struct rng_request req;
	bool busy;
	uint64_t quota;
	struct timer period;
	uint8_t buf[RNG_CHUNK];
};

static struct virtio_rng *rng_of(struct virtio *v)
{
	return container_of(v, struct virtio_rng, v);
}

/*
 * A source may have nothing for hours. Until then the buffer stays in the ring: it is neither in the way of a reset nor lost
 * when the machine is saved.
 */
static void rng_next(struct virtio_rng *s)
{
	if (s->busy)
		return;
	if (!s->quota) {
		if (!timer_pending(&s->period))
			timer_arm(&s->period, clock_now_ns(s->v.dev->machine->clock) +
						      s->period_ms * NS_PER_MS);
		return;
	}
	if (!virtq_pop(s->vq, &s->elem))
		return;
	s->req.n = MIN(MIN(sizeof(s->buf), s->quota), s->elem.in_bytes);
	if (!s->req.n) {
		virtio_break(&s->v, "a buffer for random bytes that has no room");
		virtq_push(s->vq, &s->elem, 0);
		return;
	}
	virtq_unpop(s->vq, &s->elem);
	s->busy = true;
	rng_ask(s->rng, &s->req);
}

static void rng_done(void *opaque, size_t n)
{
	struct virtio_rng *s = opaque;

	s->busy = false;
	if (s->max_bytes != UINT64_MAX)
		s->quota -= n;
	if (virtq_pop(s->vq, &s->elem))
		virtq_push(s->vq, &s->elem, virtq_write(&s->elem, 0, s->buf, n));
	rng_next(s);
}

static void rng_on_period(void *opaque)
{
	struct virtio_rng *s = opaque;

	s->quota = s->max_bytes;
	rng_next(s);
}

static void rng_notified(struct virtqueue *vq)
{
	rng_next(rng_of(vq->virtio));
}

static void rng_reset(struct virtio *v)
{
	struct virtio_rng *s = rng_of(v);

	rng_cancel(&s->req);
	s->busy = false;
	timer_cancel(&s->period);
	s->quota = s->max_bytes;
}

static const struct virtio_class rng_class = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_RNG,
	.pci_class = 0x00ff00,
	.notified = rng_notified,
	.reset = rng_reset,
};

static bool virtio_rng_init(struct virtio_rng *s, struct device *dev, struct error *err)
{
	if (!s->period_ms || !s->max_bytes)
		return error_set(err, "%s: %s must be more than 0", dev->type->name,
				 s->period_ms ? "max-bytes" : "period");
	s->rng = rng_get(dev->machine->objects, s->rng_id, err);
	if (!s->rng) {
		error_prefix(err, "%s: rng=%s: ", dev->type->name, s->rng_id);
		return false;
	}
	virtio_init(&s->v, &rng_class, dev, 0);
	s->vq = virtio_add_queue(&s->v, RNG_QUEUE_SIZE);
	s->quota = s->max_bytes;
	list_init(&s->req.node);
	s->req.buf = s->buf;
	s->req.done = rng_done;
	s->req.opaque = s;
	timer_init(&s->period, dev->machine->clock, "virtio-rng", rng_on_period, s);
	return true;
}

static void virtio_rng_fini(struct virtio_rng *s)
{
	rng_cancel(&s->req);
	timer_cancel(&s->period);
	rng_put(s->rng);
	virtio_fini(&s->v);
}

#define VIRTIO_RNG_PROPS(S, F)                                                                 \
	VIRTIO_PROPS(S, F.v),                                                                  \
		DEFINE_PROP_STR(S, F.rng_id, "rng", NULL, "object the bytes come from"),       \
		DEFINE_PROP(S, F.max_bytes, "max-bytes", PROP_U64, UINT64_MAX, "in a period"), \
		DEFINE_PROP(S, F.period_ms, "period", PROP_U32, 65536, "milliseconds")

struct virtio_rng_pci {
	struct virtio_pci pci;
	struct virtio_rng rng;
};
VIRTIO_PCI_TYPE(virtio_rng_pci, rng, "virtio-rng-pci", "virtio-rng", "virtio random numbers on PCI",
		VIRTIO_RNG_PROPS(virtio_rng_pci, rng), virtio_no_state, virtio_rng_init,
		virtio_rng_fini);

struct virtio_rng_device {
	struct virtio_mmio_device mmio;
	struct virtio_rng rng;
};
VIRTIO_MMIO_TYPE(virtio_rng_device, rng, "virtio-rng-device", "virtio random numbers",
		 VIRTIO_RNG_PROPS(virtio_rng_device, rng), virtio_no_state, virtio_rng_init,
		 virtio_rng_fini);
