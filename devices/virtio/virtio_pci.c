/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over PCI, the interface of version 1 (Virtio 1.2, 4.1).
 *
 * BAR 4 (64-bit, 16 KiB) has the four structures, a page each; capabilities tell where. BAR 1 is MSI-X. BAR 0 is the
 * legacy interface (virtio_pci_legacy.c), where there is one.
 *
 *	offset	structure	section
 *	0000	common		4.1.4.3; struct offsets below
 *	1000	ISR status	4.1.4.5; reading clears, and lowers INTx
 *	2000	device		4.1.4.6
 *	3000	notify		4.1.4.4; queue N at 4 * N
 *
 * Not modelled: shared memory regions (4.1.4.7), the queue_notify_data of NOTIFICATION_DATA beyond the queue's own index,
 * SR-IOV.
 * Deviates because: nothing.
 */
#include <stdlib.h>
#include "devices/pci/pcie.h"
#include "devices/virtio/virtio_pci.h"
#include "src/options/optlist.h"

#define MODERN_BAR	  4
#define MSIX_BAR	  1
#define STRUCTURE_BYTES	  0x1000
#define COMMON_OFFSET	  0x0000
#define ISR_OFFSET	  0x1000
#define DEVICE_OFFSET	  0x2000
#define NOTIFY_OFFSET	  0x3000
#define NOTIFY_MULTIPLIER 4

/* struct virtio_pci_cap (4.1.4) */
#define CAP_LEN	   2
#define CAP_TYPE   3
#define CAP_BAR	   4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_EXTRA  16 /* notify_off_multiplier, or pci_cfg_data */
#define CAP_BYTES  16

enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI };

/* struct virtio_pci_common_cfg (4.1.4.3) */
#define COMMON_DEVICE_FEATURE_SELECT 0x00
#define COMMON_DEVICE_FEATURE	     0x04
#define COMMON_DRIVER_FEATURE_SELECT 0x08
#define COMMON_DRIVER_FEATURE	     0x0c
#define COMMON_CONFIG_MSIX_VECTOR    0x10
#define COMMON_NUM_QUEUES	     0x12
#define COMMON_DEVICE_STATUS	     0x14
#define COMMON_CONFIG_GENERATION     0x15
#define COMMON_QUEUE_SELECT	     0x16
#define COMMON_QUEUE_SIZE	     0x18
#define COMMON_QUEUE_MSIX_VECTOR     0x1a
#define COMMON_QUEUE_ENABLE	     0x1c
#define COMMON_QUEUE_NOTIFY_OFF	     0x1e
#define COMMON_QUEUE_DESC	     0x20
#define COMMON_QUEUE_DRIVER	     0x28
#define COMMON_QUEUE_DEVICE	     0x30
#define COMMON_QUEUE_NOTIFY_DATA     0x38
#define COMMON_QUEUE_RESET	     0x3a
#define COMMON_BYTES		     0x3c

#define PCI_DEVICE_MODERN	0x1040 /* plus the device type */
#define PCI_DEVICE_TRANSITIONAL 0x1000
#define PCI_SUBSYSTEM_MODERN	0x1100

/* ---- interrupts ---- */

static void pci_interrupt(struct virtio *v, struct virtqueue *vq)
{
	struct virtio_pci *p = v->transport_opaque;
	uint16_t vector = vq ? vq->vector : v->config_vector;

	/* 4.1.4.5.1: with messages too. A driver whose vectors are one, and DPDK's, look what it was. */
	if (!vq)
		v->isr |= VIRTIO_ISR_CONFIG;
	if (pci_msix_enabled(&p->pci)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_msix_notify(&p->pci, vector);
		return;
	}
	if (vq)
		v->isr |= VIRTIO_ISR_QUEUE;
	pci_set_intx(&p->pci, true);
}

uint8_t virtio_pci_read_isr(struct virtio_pci *p)
{
	uint8_t isr = p->virtio->isr;

	p->virtio->isr = 0;
	pci_set_intx(&p->pci, false);
	return isr;
}

static uint16_t valid_vector(const struct virtio_pci *p, uint64_t vector)
{
	return vector < p->pci.msix_vectors ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

/* ---- doorbells ---- */

static void on_doorbell(void *opaque)
{
	struct virtio_pci_queue *q = opaque;

	virtio_kick(q->vq);
}

static void disarm(struct virtio_pci *p, struct virtio_pci_queue *q)
{
	if (!q->armed)
		return;
	q->armed = false;
	if (p->modern)
		region_remove_doorbell(&p->notify, &q->modern);
	if (p->legacy)
		region_remove_doorbell(&p->legacy_io, &q->legacy);
}

static void arm(struct virtio_pci *p, struct virtio_pci_queue *q)
{
	if (q->armed || !p->ioeventfd)
		return;
	q->armed = true;
	if (p->modern)
		region_add_doorbell(&p->notify, &q->modern);
	if (p->legacy)
		region_add_doorbell(&p->legacy_io, &q->legacy);
}

static void pci_queue_changed(struct virtqueue *vq)
{
	struct virtio_pci *p = vq->virtio->transport_opaque;
	struct machine *m = p->pci.dev.machine;

	as_begin(&m->mem);
	as_begin(&m->io);
	if (vq->enabled)
		arm(p, &p->queues[vq->index]);
	else
		disarm(p, &p->queues[vq->index]);
	as_commit(&m->io);
	as_commit(&m->mem);
}

static const struct virtio_transport pci_transport = {.interrupt = pci_interrupt,
						      .queue_changed = pci_queue_changed};

/* ---- common configuration ---- */

static uint64_t common_read_queue(const struct virtqueue *vq, unsigned offset)
{
	switch (offset) {
	case COMMON_QUEUE_SIZE:
		return vq->size;
	case COMMON_QUEUE_MSIX_VECTOR:
		return vq->vector;
	case COMMON_QUEUE_ENABLE:
		return vq->enabled;
	case COMMON_QUEUE_NOTIFY_OFF:
	case COMMON_QUEUE_NOTIFY_DATA:
		return vq->index;
	case COMMON_QUEUE_DESC:
		return vq->desc_gpa & UINT32_MAX;
	case COMMON_QUEUE_DESC + 4:
		return vq->desc_gpa >> 32;
	case COMMON_QUEUE_DRIVER:
		return vq->driver_gpa & UINT32_MAX;
	case COMMON_QUEUE_DRIVER + 4:
		return vq->driver_gpa >> 32;
	case COMMON_QUEUE_DEVICE:
		return vq->device_gpa & UINT32_MAX;
	case COMMON_QUEUE_DEVICE + 4:
		return vq->device_gpa >> 32;
	case COMMON_QUEUE_RESET:
		return virtio_queue_resetting(vq);
	default:
		return 0;
	}
}

static uint64_t common_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_pci *p = opaque;
	struct virtio *v = p->virtio;
	const struct virtqueue *vq;

	switch (offset) {
	case COMMON_DEVICE_FEATURE_SELECT:
		return p->device_feature_select;
	case COMMON_DEVICE_FEATURE:
		return p->device_feature_select < 2
			       ? v->host_features >> 32 * p->device_feature_select & UINT32_MAX
			       : 0;
	case COMMON_DRIVER_FEATURE_SELECT:
		return p->driver_feature_select;
	case COMMON_DRIVER_FEATURE:
		return p->driver_feature_select < 2
			       ? v->guest_features >> 32 * p->driver_feature_select & UINT32_MAX
			       : 0;
	case COMMON_CONFIG_MSIX_VECTOR:
		return v->config_vector;
	case COMMON_NUM_QUEUES:
		return v->n_queues;
	case COMMON_DEVICE_STATUS:
		return virtio_get_status(v);
	case COMMON_CONFIG_GENERATION:
		return v->config_generation & 0xff;
	case COMMON_QUEUE_SELECT:
		return p->queue_select;
	default:
		vq = virtio_queue(v, p->queue_select);
		return vq ? common_read_queue(vq, (unsigned)offset) : 0;
	}
}

/* A split queue's size is a power of 2 (2.7); larger than offered, or 0, is none that a driver may ask for. */
static void set_size(struct virtqueue *vq, uint64_t size)
{
	bool packed = virtio_has(vq->virtio, VIRTIO_F_RING_PACKED);

	if (!size || size > vq->max_size || (!packed && (size & (size - 1))))
		virtio_break(vq->virtio, "a queue of impossible size");
	else
		vq->size = (uint16_t)size;
}

static void set_half(uint64_t *gpa, unsigned high, uint32_t value)
{
	uint64_t mask = (uint64_t)UINT32_MAX << 32 * high;

	*gpa = (*gpa & ~mask) | (uint64_t)value << 32 * high;
}

static void common_write_queue(struct virtio_pci *p, struct virtqueue *vq, unsigned offset,
			       uint32_t value)
{
	if (offset == COMMON_QUEUE_MSIX_VECTOR) {
		vq->vector = valid_vector(p, value);
		return;
	}
	if (offset == COMMON_QUEUE_RESET) {
		if (value == 1 && virtio_has(vq->virtio, VIRTIO_F_RING_RESET))
			virtio_reset_queue(vq);
		return;
	}
	if (vq->enabled)
		return; /* what is in use doesn't move */
	switch (offset) {
	case COMMON_QUEUE_SIZE:
		set_size(vq, value);
		break;
	case COMMON_QUEUE_ENABLE:
		if (value == 1)
			virtio_enable_queue(vq);
		break;
	case COMMON_QUEUE_DESC:
	case COMMON_QUEUE_DESC + 4:
		set_half(&vq->desc_gpa, offset - COMMON_QUEUE_DESC ? 1 : 0, value);
		break;
	case COMMON_QUEUE_DRIVER:
	case COMMON_QUEUE_DRIVER + 4:
		set_half(&vq->driver_gpa, offset - COMMON_QUEUE_DRIVER ? 1 : 0, value);
		break;
	case COMMON_QUEUE_DEVICE:
	case COMMON_QUEUE_DEVICE + 4:
		set_half(&vq->device_gpa, offset - COMMON_QUEUE_DEVICE ? 1 : 0, value);
		break;
	}
}

static void common_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;
	struct virtio *v = p->virtio;
	struct virtqueue *vq;

	switch (offset) {
	case COMMON_DEVICE_FEATURE_SELECT:
		p->device_feature_select = (uint32_t)value;
		break;
	case COMMON_DRIVER_FEATURE_SELECT:
		p->driver_feature_select = (uint32_t)value;
		break;
	case COMMON_DRIVER_FEATURE:
		virtio_set_features(v, p->driver_feature_select, (uint32_t)value);
		break;
	case COMMON_CONFIG_MSIX_VECTOR:
		v->config_vector = valid_vector(p, value);
		break;
	case COMMON_DEVICE_STATUS:
		virtio_set_status(v, (uint8_t)value, false);
		if (!value)
			pci_set_intx(&p->pci, false);
		break;
	case COMMON_QUEUE_SELECT:
		p->queue_select = (uint16_t)value;
		break;
	default:
		vq = virtio_queue(v, p->queue_select);
		if (vq)
			common_write_queue(p, vq, (unsigned)offset, (uint32_t)value);
	}
}

static const struct region_ops common_ops = {
	.read = common_read, .write = common_write, .min_size = 1, .max_size = 4};

/* ---- the other structures ---- */

static uint64_t isr_read(void *opaque, uint64_t offset, unsigned size)
{
	return offset ? 0 : virtio_pci_read_isr(opaque);
}

static void isr_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct region_ops isr_ops = {
	.read = isr_read, .write = isr_write, .min_size = 1, .max_size = 4};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
	return virtio_config_read(((struct virtio_pci *)opaque)->virtio, (unsigned)offset, size);
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	virtio_config_write(((struct virtio_pci *)opaque)->virtio, (unsigned)offset,
			    (uint32_t)value, size);
}

static const struct region_ops device_ops = {
	.read = device_read, .write = device_write, .min_size = 1, .max_size = 4};

static uint64_t notify_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

/* What no doorbell took. */
static void notify_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;
	struct virtqueue *vq = virtio_queue(p->virtio, (unsigned)(offset / NOTIFY_MULTIPLIER));

	if (vq)
		virtio_kick(vq);
}

static const struct region_ops notify_ops = {
	.read = notify_read, .write = notify_write, .min_size = 1, .max_size = 4};

/* ---- PCI configuration access (4.1.4.9): the structures, for who can't map BARs ---- */

static struct region *cfg_target(struct virtio_pci *p, uint64_t *offset, unsigned *bytes)
{
	static const uint64_t mask = STRUCTURE_BYTES - 1;
	uint32_t at = pci_get(&p->pci, p->cfg_cap + CAP_OFFSET, 4);
	struct region *const structures[] = {&p->common, &p->isr, &p->device, &p->notify};

	*bytes = pci_get(&p->pci, p->cfg_cap + CAP_LENGTH, 4);
	*offset = at & mask;
	if (p->pci.config[p->cfg_cap + CAP_BAR] != MODERN_BAR ||
	    (*bytes != 1 && *bytes != 2 && *bytes != 4) || at % *bytes ||
	    at / STRUCTURE_BYTES >= ARRAY_SIZE(structures))
		return NULL;
	return structures[at / STRUCTURE_BYTES];
}

static bool touches_cfg_data(const struct virtio_pci *p, unsigned offset, unsigned bytes)
{
	return p->cfg_cap && bytes <= 4 && offset < p->cfg_cap + CAP_EXTRA + 4 &&
	       offset + bytes > p->cfg_cap + CAP_EXTRA;
}

static void config_reading(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);
	struct region *r;
	uint64_t at;
	unsigned n;

	if (!touches_cfg_data(p, offset, bytes))
		return;
	r = cfg_target(p, &at, &n);
	if (r)
		pci_set(pci, p->cfg_cap + CAP_EXTRA, n, (uint32_t)r->ops->read(r->opaque, at, n));
}

static void config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct virtio_pci *p = container_of(pci, struct virtio_pci, pci);
	struct region *r;
	uint64_t at;
	unsigned n;

	if (!touches_cfg_data(p, offset, bytes))
		return;
	r = cfg_target(p, &at, &n);
	if (r)
		r->ops->write(r->opaque, at, pci_get(pci, p->cfg_cap + CAP_EXTRA, n), n);
}

/* ---- building ---- */

static unsigned add_structure(struct virtio_pci *p, unsigned type, uint32_t offset, uint32_t length,
			      unsigned bytes, uint32_t extra)
{
	bool cfg = type == CAP_PCI;
	const struct pci_register rows[] = {
		{"cap_len", CAP_LEN, 1, bytes, 0, 0},
		{"cfg_type", CAP_TYPE, 1, type, 0, 0},
		{"bar", CAP_BAR, 1, cfg ? 0 : MODERN_BAR, cfg ? 0xff : 0, 0},
		{"offset", CAP_OFFSET, 4, offset, cfg ? UINT32_MAX : 0, 0},
		{"length", CAP_LENGTH, 4, length, cfg ? UINT32_MAX : 0, 0},
		{bytes > CAP_BYTES ? "extra" : NULL, CAP_EXTRA, 4, extra, cfg ? UINT32_MAX : 0, 0},
		{.name = NULL},
	};

	return pci_add_capability(&p->pci, PCI_CAP_VENDOR, 0, bytes, rows);
}

static void modern_init(struct virtio_pci *p)
{
	region_init_container(&p->bar, "virtio-pci", 4 * STRUCTURE_BYTES);
	region_init_io(&p->common, "virtio-pci-common", &common_ops, p, STRUCTURE_BYTES);
	region_init_io(&p->isr, "virtio-pci-isr", &isr_ops, p, STRUCTURE_BYTES);
	region_init_io(&p->device, "virtio-pci-device", &device_ops, p, STRUCTURE_BYTES);
	region_init_io(&p->notify, "virtio-pci-notify", &notify_ops, p, STRUCTURE_BYTES);
	region_add(&p->bar, COMMON_OFFSET, &p->common, 0);
	region_add(&p->bar, ISR_OFFSET, &p->isr, 0);
	region_add(&p->bar, DEVICE_OFFSET, &p->device, 0);
	region_add(&p->bar, NOTIFY_OFFSET, &p->notify, 0);
	pci_bar_init(&p->pci, MODERN_BAR, PCI_BAR_64 | PCI_BAR_PREFETCH, &p->bar);
	add_structure(p, CAP_COMMON, COMMON_OFFSET, STRUCTURE_BYTES, CAP_BYTES, 0);
	add_structure(p, CAP_ISR, ISR_OFFSET, STRUCTURE_BYTES, CAP_BYTES, 0);
	add_structure(p, CAP_DEVICE, DEVICE_OFFSET, STRUCTURE_BYTES, CAP_BYTES, 0);
	add_structure(p, CAP_NOTIFY, NOTIFY_OFFSET, STRUCTURE_BYTES, CAP_BYTES + 4,
		      NOTIFY_MULTIPLIER);
	p->cfg_cap = add_structure(p, CAP_PCI, 0, 0, CAP_BYTES + 4, 0);
	p->pci.config_reading = config_reading;
	p->pci.config_changed = config_changed;
}

/* Legacy device ids are by subject (4.1.2.1): those below 0x1040 were given out one by one. */
static uint16_t transitional_id(enum virtio_id id)
{
	switch (id) {
	case VIRTIO_ID_NET:
		return PCI_DEVICE_TRANSITIONAL + 0;
	case VIRTIO_ID_BLOCK:
		return PCI_DEVICE_TRANSITIONAL + 1;
	case VIRTIO_ID_BALLOON:
		return PCI_DEVICE_TRANSITIONAL + 2;
	case VIRTIO_ID_CONSOLE:
		return PCI_DEVICE_TRANSITIONAL + 3;
	case VIRTIO_ID_SCSI:
		return PCI_DEVICE_TRANSITIONAL + 4;
	case VIRTIO_ID_RNG:
		return PCI_DEVICE_TRANSITIONAL + 5;
	}
	return 0;
}

static bool choose_interfaces(struct virtio_pci *p, const struct pci_bus *bus, struct error *err)
{
	bool off = false, automatic = !strcmp(p->disable_legacy, "auto");

	if (!automatic && !parse_bool(p->disable_legacy, &off))
		return error_set(err, "%s: disable-legacy=%s: on, off or auto",
				 p->pci.dev.type->name, p->disable_legacy);
	if (automatic)
		off = bus && bus->express &&
		      bus->bridge; /* behind a port there may be no I/O space */
	p->legacy = !off && transitional_id(p->virtio->cls->id);
	p->modern = !p->disable_modern;
	if (!p->legacy && !p->modern)
		return error_set(err, "%s: disable-legacy and disable-modern leave no interface",
				 p->pci.dev.type->name);
	if (!p->modern)
		p->virtio->host_features &= UINT32_MAX;
	return true;
}

static bool function_init(struct virtio_pci *p, struct error *err)
{
	const struct virtio_class *cls = p->virtio->cls;
	const struct pci_register rows[] = {
		{"vendor", PCI_VENDOR_ID, 2, VIRTIO_VENDOR, 0, 0},
		{"device", PCI_DEVICE_ID, 2,
		 p->legacy ? transitional_id(cls->id) : PCI_DEVICE_MODERN + cls->id, 0, 0},
		{"command", PCI_COMMAND, 2, 0, PCI_COMMAND_MASTER, 0},
		{"revision", PCI_REVISION_ID, 1, p->legacy ? 0 : 1, 0, 0},
		{"class", PCI_CLASS, 3, cls->pci_class, 0, 0},
		{"subsystem vendor", PCI_SUBSYSTEM_VENDOR, 2, VIRTIO_VENDOR, 0, 0},
		{"subsystem", PCI_SUBSYSTEM, 2, p->legacy ? cls->id : PCI_SUBSYSTEM_MODERN, 0, 0},
		{"interrupt pin", PCI_INTERRUPT_PIN, 1, 1, 0, 0},
		{.name = NULL},
	};

	return pci_device_init(&p->pci, rows, err);
}

static bool queues_init(struct virtio_pci *p, struct error *err)
{
	struct virtio *v = p->virtio;

	p->queues = xzalloc(v->n_queues * sizeof(*p->queues));
	for (unsigned i = 0; i < v->n_queues; i++) {
		struct virtio_pci_queue *q = &p->queues[i];

		q->vq = &v->queues[i];
		if (!loop_notifier_init(&q->notifier, p->pci.dev.machine->loop, v->cls->name,
					on_doorbell, q)) {
			while (i--)
				loop_notifier_fini(&p->queues[i].notifier);
			free(p->queues);
			return error_set(err, "%s: no eventfd is to be had for queue %u",
					 p->pci.dev.type->name, i);
		}
		q->modern = (struct region_doorbell){.offset = NOTIFY_MULTIPLIER * i,
						     .notifier = &q->notifier};
		list_init(&q->modern.node);
	}
	return true;
}

bool virtio_pci_init(struct virtio_pci *p, struct virtio *v, struct error *err)
{
	uint32_t vectors = p->vectors == UINT32_MAX ? v->n_queues + 1 : p->vectors;

	p->virtio = v;
	v->transport = &pci_transport;
	v->transport_opaque = p;
	if (vectors > PCI_MSIX_VECTORS)
		return error_set(err, "%s: vectors=%u: at most %u", p->pci.dev.type->name, vectors,
				 PCI_MSIX_VECTORS);
	if (!choose_interfaces(p, pci_bus_find(p->pci.dev.machine, p->pci.bus_name), err) ||
	    !queues_init(p, err))
		return false;
	if (!function_init(p, err)) {
		for (unsigned i = 0; i < v->n_queues; i++)
			loop_notifier_fini(&p->queues[i].notifier);
		free(p->queues);
		return false;
	}
	if (vectors)
		pci_msix_init(&p->pci, vectors, MSIX_BAR);
	if (p->modern)
		modern_init(p);
	if (p->legacy)
		virtio_pci_legacy_init(p);
	/* On the root bus it is an integrated part, and an old driver may find it there. */
	if (p->pci.bus->express && p->pci.bus->bridge)
		pcie_express_init(&p->pci, 0, PCIE_ENDPOINT, 0, 0);
	return true;
}

void virtio_pci_reset(struct virtio_pci *p)
{
	virtio_reset(p->virtio);
	pci_device_reset(&p->pci);
	p->device_feature_select = p->driver_feature_select = 0;
	p->queue_select = 0;
}

void virtio_pci_fini(struct virtio_pci *p)
{
	for (unsigned i = 0; i < p->virtio->n_queues; i++) {
		disarm(p, &p->queues[i]);
		loop_notifier_fini(&p->queues[i].notifier);
	}
	pci_device_fini(&p->pci);
	free(p->queues);
	p->queues = NULL;
}

static bool virtio_pci_post_load(void *opaque, struct error *err)
{
	struct virtio_pci *p = opaque;
	struct virtio *v = p->virtio;

	if (!virtio_post_load(v, err))
		return false;
	if (v->config_vector != VIRTIO_NO_VECTOR)
		v->config_vector = valid_vector(p, v->config_vector);
	for (unsigned i = 0; i < v->n_queues; i++) {
		v->queues[i].vector = valid_vector(p, v->queues[i].vector);
		if (!v->queues[i].enabled)
			disarm(p, &p->queues[i]);
	}
	return true;
}

/* The struct virtio stands before this in a type's table: it is loaded when this is. */
const struct state_desc virtio_pci_state = {
	.name = "virtio-pci",
	.version = 1,
	STATE_SPAN(virtio_pci),
	.post_load = virtio_pci_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(virtio_pci, pci, pci_device_state),
			STATE_FIELD(virtio_pci, device_feature_select),
			STATE_FIELD(virtio_pci, driver_feature_select),
			STATE_FIELD(virtio_pci, queue_select),
			STATE_ARRAY(virtio_pci, reserved),
			STATE_END,
		},
};
