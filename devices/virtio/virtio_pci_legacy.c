/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over PCI, the interface of before version 1 (Virtio 1.2, 4.1.4.10; "Virtio PCI Card Specification" 0.9.5).
 *
 *	offset	name			width	access
 *	00	Device Features		32	R
 *	04	Driver Features		32	RW
 *	08	Queue Address		32	RW, page number of the whole queue
 *	0c	Queue Size		16	R
 *	0e	Queue Select		16	RW
 *	10	Queue Notify		16	W, a doorbell
 *	12	Device Status		8	RW
 *	13	ISR Status		8	R, reading clears
 *	14	Config Vector		16	RW, only while MSI-X is enabled
 *	16	Queue Vector		16	RW, only while MSI-X is enabled
 *	14/18	Device configuration, behind what there is before it
 *
 * Not modelled: nothing.
 * Deviates because: DRIVER_OK sets Bus Master, which some drivers of that time forgot (Linux before 2.6.35).
 */
#include "devices/virtio/virtio_pci.h"

#define LEGACY_BAR	       0
#define LEGACY_DEVICE_FEATURES 0x00
#define LEGACY_DRIVER_FEATURES 0x04
#define LEGACY_QUEUE_ADDRESS   0x08
#define LEGACY_QUEUE_SIZE      0x0c
#define LEGACY_QUEUE_SELECT    0x0e
#define LEGACY_QUEUE_NOTIFY    0x10
#define LEGACY_DEVICE_STATUS   0x12
#define LEGACY_ISR_STATUS      0x13
#define LEGACY_CONFIG_VECTOR   0x14
#define LEGACY_QUEUE_VECTOR    0x16
#define LEGACY_CONFIG	       0x14 /* without MSI-X; else behind the vectors */
#define LEGACY_CONFIG_MSIX     0x18

#define LEGACY_PAGE_SHIFT 12
#define LEGACY_ALIGN	  4096 /* of the used ring */

static unsigned config_at(const struct virtio_pci *p)
{
	return pci_msix_enabled(&p->pci) ? LEGACY_CONFIG_MSIX : LEGACY_CONFIG;
}

static uint64_t legacy_read(void *opaque, uint64_t offset, unsigned size)
{
	struct virtio_pci *p = opaque;
	struct virtio *v = p->virtio;
	const struct virtqueue *vq = virtio_queue(v, p->queue_select);

	if (offset >= config_at(p))
		return virtio_config_read(v, (unsigned)offset - config_at(p), size);
	switch (offset) {
	case LEGACY_DEVICE_FEATURES:
		return v->host_features & UINT32_MAX;
	case LEGACY_DRIVER_FEATURES:
		return v->guest_features & UINT32_MAX;
	case LEGACY_QUEUE_ADDRESS:
		return vq ? vq->desc_gpa >> LEGACY_PAGE_SHIFT : 0;
	case LEGACY_QUEUE_SIZE:
		return vq ? vq->size : 0;
	case LEGACY_QUEUE_SELECT:
		return p->queue_select;
	case LEGACY_DEVICE_STATUS:
		return v->status;
	case LEGACY_ISR_STATUS:
		return virtio_pci_read_isr(p);
	case LEGACY_CONFIG_VECTOR:
		return v->config_vector;
	case LEGACY_QUEUE_VECTOR:
		return vq ? vq->vector : VIRTIO_NO_VECTOR;
	default:
		return 0;
	}
}

/* The layout of 2.7.2: descriptors, available ring, and the used ring on the next page. */
static void set_queue_address(struct virtqueue *vq, uint32_t page)
{
	uint64_t n = vq->size;

	if (!page) {
		if (vq->enabled)
			virtio_reset_queue(vq);
		return;
	}
	if (vq->enabled)
		return;
	vq->desc_gpa = (uint64_t)page << LEGACY_PAGE_SHIFT;
	vq->driver_gpa = vq->desc_gpa + 16 * n;
	vq->device_gpa = ALIGN_UP(vq->driver_gpa + 4 + 2 * n + 2, LEGACY_ALIGN);
	virtio_enable_queue(vq);
}

static uint16_t vector_of(const struct virtio_pci *p, uint64_t value)
{
	return value < p->pci.msix_vectors ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void set_status(struct virtio_pci *p, uint8_t status)
{
	virtio_set_status(p->virtio, status, true);
	if (!status) {
		pci_set_intx(&p->pci, false);
		virtio_hold_reset(p->virtio);
	}
	if ((status & VIRTIO_STATUS_DRIVER_OK) && !pci_bus_master(&p->pci))
		p->pci.config[PCI_COMMAND] |= PCI_COMMAND_MASTER;
}

static void legacy_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct virtio_pci *p = opaque;
	struct virtio *v = p->virtio;
	struct virtqueue *vq = virtio_queue(v, p->queue_select);

	if (offset >= config_at(p)) {
		virtio_config_write(v, (unsigned)offset - config_at(p), (uint32_t)value, size);
		return;
	}
	switch (offset) {
	case LEGACY_DRIVER_FEATURES:
		virtio_set_features(v, 0, (uint32_t)value & (uint32_t)v->host_features);
		break;
	case LEGACY_QUEUE_ADDRESS:
		if (vq)
			set_queue_address(vq, (uint32_t)value);
		break;
	case LEGACY_QUEUE_SELECT:
		p->queue_select = (uint16_t)value;
		break;
	case LEGACY_QUEUE_NOTIFY:
		vq = virtio_queue(v, (unsigned)value & 0xffff);
		if (vq)
			virtio_kick(vq);
		break;
	case LEGACY_DEVICE_STATUS:
		set_status(p, (uint8_t)value);
		break;
	case LEGACY_CONFIG_VECTOR:
		v->config_vector = vector_of(p, value);
		break;
	case LEGACY_QUEUE_VECTOR:
		if (vq)
			vq->vector = vector_of(p, value);
		break;
	}
}

static const struct region_ops legacy_ops = {.read = legacy_read,
					     .write = legacy_write,
					     .min_size = 1,
					     .max_size = 4,
					     .unaligned = true};

void virtio_pci_legacy_init(struct virtio_pci *p)
{
	uint64_t size = 32;

	while (size < LEGACY_CONFIG_MSIX + p->virtio->cls->config_bytes)
		size *= 2;
	region_init_io(&p->legacy_io, "virtio-pci-legacy", &legacy_ops, p, size);
	pci_bar_init(&p->pci, LEGACY_BAR, PCI_BAR_IO, &p->legacy_io);
	for (unsigned i = 0; i < p->virtio->n_queues; i++) {
		p->queues[i].legacy = (struct region_doorbell){.offset = LEGACY_QUEUE_NOTIFY,
							       .size = 2,
							       .match_value = true,
							       .value = i,
							       .notifier = &p->queues[i].notifier};
		list_init(&p->queues[i].legacy.node);
	}
}
