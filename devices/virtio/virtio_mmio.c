/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over MMIO: the transport (Virtio 1.2, 4.2.2).
 *
 *	offset	name			access	reset
 *	000	MagicValue		R	"virt"
 *	004	Version			R	2; 1 with force-legacy
 *	008	DeviceID		R	0 while no device is there
 *	00c	VendorID		R
 *	010	DeviceFeatures		R
 *	014	DeviceFeaturesSel	W
 *	020	DriverFeatures		W
 *	024	DriverFeaturesSel	W
 *	030	QueueSel		W
 *	034	QueueNumMax		R
 *	038	QueueNum		W
 *	044	QueueReady		RW
 *	050	QueueNotify		W	a doorbell
 *	060	InterruptStatus		R
 *	064	InterruptACK		W
 *	070	Status			RW
 *	080/090/0a0 QueueDesc/Driver/Device Low, +4 High	W
 *	0b0	SHMLen, SHMBase		R	all ones: no shared memory
 *	0c0	QueueReset		RW
 *	0fc	ConfigGeneration	R
 *	100	Config
 *
 * Not modelled: the legacy register layout (4.2.4).
 * Deviates because: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include "devices/virtio/virtio_mmio.h"

#define MMIO_MAGIC		 0x000
#define MMIO_VERSION		 0x004
#define MMIO_DEVICE_ID		 0x008
#define MMIO_VENDOR_ID		 0x00c
#define MMIO_DEVICE_FEATURES	 0x010
#define MMIO_DEVICE_FEATURES_SEL 0x014
#define MMIO_DRIVER_FEATURES	 0x020
#define MMIO_DRIVER_FEATURES_SEL 0x024
#define MMIO_QUEUE_SEL		 0x030
#define MMIO_QUEUE_NUM_MAX	 0x034
#define MMIO_QUEUE_NUM		 0x038
#define MMIO_QUEUE_READY	 0x044
#define MMIO_QUEUE_NOTIFY	 0x050
#define MMIO_INTERRUPT_STATUS	 0x060
#define MMIO_INTERRUPT_ACK	 0x064
#define MMIO_STATUS		 0x070
#define MMIO_QUEUE_DESC		 0x080
#define MMIO_QUEUE_DRIVER	 0x090
#define MMIO_QUEUE_DEVICE	 0x0a0
#define MMIO_SHM_LEN		 0x0b0
#define MMIO_SHM_BASE_HIGH	 0x0bc
#define MMIO_QUEUE_RESET	 0x0c0
#define MMIO_CONFIG_GENERATION	 0x0fc
#define MMIO_CONFIG		 0x100

#define MMIO_MAGIC_VALUE   0x74726976
#define MMIO_VERSION_VALUE 2
#define MMIO_VENDOR	   0x554d4551 /* as QEMU's, which drivers print */

struct mmio_queue {
	struct virtqueue *vq;
	struct loop_notifier notifier;
	struct region_doorbell doorbell;
	bool armed;
};

struct virtio_mmio {
	struct device dev;

	/* configuration */
	uint64_t gpa;
	uint32_t gsi, index;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t device_features_sel, driver_features_sel, queue_sel, reserved;
	GUEST_VISIBLE_END;

	/* host side */
	struct virtio *virtio; /* NULL: free */
	struct region regs;
	struct irq irq;
	struct mmio_queue *queues;
};

static struct virtio_mmio *mmio_of(struct device *dev)
{
	return container_of(dev, struct virtio_mmio, dev);
}

/* ---- interrupts and doorbells ---- */

static void mmio_update_irq(struct virtio_mmio *t)
{
	irq_set(&t->irq, t->virtio && t->virtio->isr);
}

static void mmio_interrupt(struct virtio *v, struct virtqueue *vq)
{
	v->isr |= vq ? VIRTIO_ISR_QUEUE : VIRTIO_ISR_CONFIG;
	mmio_update_irq(v->transport_opaque);
}

static void on_doorbell(void *opaque)
{
	virtio_kick(((struct mmio_queue *)opaque)->vq);
}

static void mmio_queue_changed(struct virtqueue *vq)
{
	struct virtio_mmio *t = vq->virtio->transport_opaque;
	struct mmio_queue *q = &t->queues[vq->index];

	if (vq->enabled == q->armed)
		return;
	q->armed = vq->enabled;
	if (q->armed)
		region_add_doorbell(&t->regs, &q->doorbell);
	else
		region_remove_doorbell(&t->regs, &q->doorbell);
}

static const struct virtio_transport mmio_transport = {.interrupt = mmio_interrupt,
						       .queue_changed = mmio_queue_changed};

/* ---- registers ---- */

static uint32_t features(uint64_t bits, uint32_t select)
{
	return select < 2 ? (uint32_t)(bits >> 32 * select) : 0;
}

static uint64_t mmio_read_free(unsigned offset)
{
	switch (offset) {
	case MMIO_MAGIC:
		return MMIO_MAGIC_VALUE;
	case MMIO_VERSION:
		return MMIO_VERSION_VALUE;
	case MMIO_VENDOR_ID:
		return MMIO_VENDOR;
	default:
		return 0;
	}
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_mmio *t = opaque;
	struct virtio *v = t->virtio;
	const struct virtqueue *vq = v ? virtio_queue(v, t->queue_sel) : NULL;

	if (v && offset >= MMIO_CONFIG)
		return virtio_config_read(v, (unsigned)offset - MMIO_CONFIG, size);
	if (!v || size != 4)
		return size == 4 ? mmio_read_free((unsigned)offset) : 0;
	switch (offset) {
	case MMIO_DEVICE_ID:
		return v->cls->id;
	case MMIO_DEVICE_FEATURES:
		return features(v->host_features, t->device_features_sel);
	case MMIO_QUEUE_NUM_MAX:
		return vq ? vq->max_size : 0;
	case MMIO_QUEUE_READY:
		return vq && vq->enabled;
	case MMIO_INTERRUPT_STATUS:
		return v->isr;
	case MMIO_STATUS:
		return virtio_get_status(v);
	case MMIO_SHM_LEN ... MMIO_SHM_BASE_HIGH:
		return UINT32_MAX;
	case MMIO_QUEUE_RESET:
		return vq && virtio_queue_resetting(vq);
	case MMIO_CONFIG_GENERATION:
		return v->config_generation;
	default:
		return mmio_read_free((unsigned)offset);
	}
}

static void set_half(uint64_t *gpa, bool high, uint32_t value)
{
	uint64_t mask = (uint64_t)UINT32_MAX << (high ? 32 : 0);

	*gpa = (*gpa & ~mask) | (uint64_t)value << (high ? 32 : 0);
}

static void mmio_write_queue(struct virtqueue *vq, unsigned offset, uint32_t value)
{
	struct virtio *v = vq->virtio;
	bool packed = virtio_has(v, VIRTIO_F_RING_PACKED);

	if (offset == MMIO_QUEUE_READY && !value && vq->enabled) {
		virtio_reset_queue(vq);
		return;
	}
	if (offset == MMIO_QUEUE_RESET) {
		if (value == 1 && virtio_has(v, VIRTIO_F_RING_RESET))
			virtio_reset_queue(vq);
		return;
	}
	if (vq->enabled)
		return; /* what is in use doesn't move */
	switch (offset) {
	case MMIO_QUEUE_NUM:
		if (!value || value > vq->max_size || (!packed && (value & (value - 1))))
			virtio_break(v, "a queue of impossible size");
		else
			vq->size = (uint16_t)value;
		break;
	case MMIO_QUEUE_READY:
		if (value == 1)
			virtio_enable_queue(vq);
		break;
	case MMIO_QUEUE_DESC:
	case MMIO_QUEUE_DESC + 4:
		set_half(&vq->desc_gpa, offset != MMIO_QUEUE_DESC, value);
		break;
	case MMIO_QUEUE_DRIVER:
	case MMIO_QUEUE_DRIVER + 4:
		set_half(&vq->driver_gpa, offset != MMIO_QUEUE_DRIVER, value);
		break;
	case MMIO_QUEUE_DEVICE:
	case MMIO_QUEUE_DEVICE + 4:
		set_half(&vq->device_gpa, offset != MMIO_QUEUE_DEVICE, value);
		break;
	}
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_mmio *t = opaque;
	struct virtio *v = t->virtio;
	struct virtqueue *vq;

	if (!v)
		return;
	if (offset >= MMIO_CONFIG) {
		virtio_config_write(v, (unsigned)offset - MMIO_CONFIG, (uint32_t)value, size);
		return;
	}
	if (size != 4)
		return; /* 4.2.2.2: 32 bits wide and aligned only */
	switch (offset) {
	case MMIO_DEVICE_FEATURES_SEL:
		t->device_features_sel = (uint32_t)value;
		break;
	case MMIO_DRIVER_FEATURES:
		virtio_set_features(v, t->driver_features_sel, (uint32_t)value);
		break;
	case MMIO_DRIVER_FEATURES_SEL:
		t->driver_features_sel = (uint32_t)value;
		break;
	case MMIO_QUEUE_SEL:
		t->queue_sel = (uint32_t)value;
		break;
	case MMIO_QUEUE_NOTIFY:
		vq = virtio_queue(v, (unsigned)value & 0xffff);
		if (vq)
			virtio_kick(vq);
		break;
	case MMIO_INTERRUPT_ACK:
		v->isr &= ~value;
		mmio_update_irq(t);
		break;
	case MMIO_STATUS:
		virtio_set_status(v, (uint8_t)value, false);
		mmio_update_irq(t);
		if (!(uint8_t)value)
			virtio_hold_reset(v); /* Linux doesn't look whether it has been done */
		break;
	default:
		vq = virtio_queue(v, t->queue_sel);
		if (vq)
			mmio_write_queue(vq, (unsigned)offset, (uint32_t)value);
	}
}

static const struct region_ops mmio_ops = {
	.read = mmio_read, .write = mmio_write, .min_size = 1, .max_size = 4};

/* ---- what is behind it ---- */

static struct virtio_mmio *find_transport(struct machine *m, const char *bus)
{
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);
		struct virtio_mmio *t = mmio_of(dev);
		char name[32];

		if (dev->type != &virtio_mmio_type || !dev->realized)
			continue;
		snprintf(name, sizeof(name), "virtio-mmio-bus.%u", t->index);
		if (bus && *bus ? !strcmp(bus, name) : !t->virtio)
			return t;
	}
	return NULL;
}

static void drop_queues(struct virtio_mmio *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (t->queues[i].armed)
			region_remove_doorbell(&t->regs, &t->queues[i].doorbell);
		loop_notifier_fini(&t->queues[i].notifier);
	}
	free(t->queues);
	t->queues = NULL;
}

bool virtio_mmio_attach(struct virtio *v, const char *bus, struct error *err)
{
	const char *name = v->dev->type->name;
	struct virtio_mmio *t = find_transport(v->dev->machine, bus);

	if (!t)
		return error_set(err,
				 bus && *bus
					 ? "%s: Bus '%s' not found"
					 : "%s: no virtio-mmio transport is free on this machine",
				 name, bus);
	if (t->virtio)
		return error_set(err, "%s: %s is in use by %s", name, bus,
				 t->virtio->dev->type->name);
	t->queues = xzalloc(v->n_queues * sizeof(*t->queues));
	for (unsigned i = 0; i < v->n_queues; i++) {
		struct mmio_queue *q = &t->queues[i];

		q->vq = &v->queues[i];
		if (!loop_notifier_init(&q->notifier, v->dev->machine->loop, v->cls->name,
					on_doorbell, q)) {
			drop_queues(t, i);
			return error_set(err, "%s: no eventfd is to be had for queue %u", name, i);
		}
		q->doorbell = (struct region_doorbell){.offset = MMIO_QUEUE_NOTIFY,
						       .size = 4,
						       .match_value = true,
						       .value = i,
						       .notifier = &q->notifier};
		list_init(&q->doorbell.node);
	}
	v->transport = &mmio_transport;
	v->transport_opaque = t;
	t->virtio = v;
	return true;
}

void virtio_mmio_detach(struct virtio *v)
{
	struct virtio_mmio *t = v->transport_opaque;

	drop_queues(t, v->n_queues);
	t->virtio = NULL;
	mmio_update_irq(t);
}

void virtio_mmio_reset(struct virtio *v)
{
	virtio_reset(v);
	mmio_update_irq(v->transport_opaque);
}

bool virtio_mmio_post_load(struct virtio *v, struct error *err)
{
	if (!virtio_post_load(v, err))
		return false;
	mmio_update_irq(v->transport_opaque);
	return true;
}

bool virtio_mmio_in_use(const struct device *transport)
{
	return container_of(transport, struct virtio_mmio, dev)->virtio;
}

/* ---- the transport as a device ---- */

static void mmio_reset(struct device *dev)
{
	struct virtio_mmio *t = mmio_of(dev);

	t->device_features_sel = t->driver_features_sel = t->queue_sel = t->reserved = 0;
	mmio_update_irq(t);
}

static bool mmio_post_load(void *opaque, struct error *err)
{
	mmio_update_irq(opaque);
	return true;
}

static const struct state_desc mmio_state = {
	.name = "virtio-mmio",
	.version = 1,
	STATE_SPAN(virtio_mmio),
	.post_load = mmio_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(virtio_mmio, device_features_sel),
			STATE_FIELD(virtio_mmio, driver_features_sel),
			STATE_FIELD(virtio_mmio, queue_sel),
			STATE_FIELD(virtio_mmio, reserved),
			STATE_END,
		},
};

static const struct device_prop mmio_props[] = {
	DEFINE_PROP(virtio_mmio, gpa, "addr", PROP_U64, 0, "guest-physical address"),
	DEFINE_PROP(virtio_mmio, gsi, "gsi", PROP_U32, 0, "interrupt"),
	DEFINE_PROP(virtio_mmio, index, "index", PROP_U32, 0, "number of the bus"),
	DEFINE_PROP_END,
};

static bool mmio_realize(struct device *dev, struct error *err)
{
	struct virtio_mmio *t = mmio_of(dev);

	if (t->gsi >= MACHINE_GSIS)
		return error_set(err, "virtio-mmio: there is no GSI %u", t->gsi);
	machine_share_gsi(dev->machine, &t->irq, t->gsi);
	region_init_io(&t->regs, "virtio-mmio", &mmio_ops, t, VIRTIO_MMIO_BYTES);
	region_add(&dev->machine->mem.root, t->gpa, &t->regs, 0);
	return true;
}

static void mmio_unrealize(struct device *dev)
{
	struct virtio_mmio *t = mmio_of(dev);

	irq_lower(&t->irq);
	region_remove(&t->regs);
}

const struct device_type virtio_mmio_type = {
	.name = "virtio-mmio",
	.desc = "virtio transport in memory",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct virtio_mmio),
	.props = mmio_props,
	.state = &mmio_state,
	.realize = mmio_realize,
	.reset = mmio_reset,
	.unrealize = mmio_unrealize,
};

struct device *virtio_mmio_create(struct machine *m, unsigned n, gpa_t gpa, unsigned gsi,
				  struct error *err)
{
	struct device *dev = device_new(m, &virtio_mmio_type, NULL);

	device_set_prop_num(dev, "addr", gpa);
	device_set_prop_num(dev, "gsi", gsi);
	device_set_prop_num(dev, "index", n);
	if (device_realize(dev, err))
		return dev;
	device_unrealize(dev);
	return NULL;
}
