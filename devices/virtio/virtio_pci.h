/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over PCI (Virtio 1.2, 4.1): the function through which a driver reaches a virtio device. A device type at a
 * "-pci" name is a struct that begins with struct virtio_pci and has its struct virtio behind it. Loop thread.
 */
#ifndef EVMM_DEVICES_VIRTIO_PCI_H
#define EVMM_DEVICES_VIRTIO_PCI_H

#include "devices/pci/pci.h"
#include "devices/virtio/virtio.h"

struct virtio_pci_queue {
	struct virtqueue *vq;
	struct loop_notifier notifier;
	struct region_doorbell modern, legacy;
	bool armed; /* the doorbells are in place */
};

struct virtio_pci {
	struct pci_device pci;

	/* configuration */
	char *disable_legacy; /* "auto", "on", "off" */
	bool disable_modern, ioeventfd;
	uint32_t vectors; /* MSI-X; UINT32_MAX: as many as the device makes use of */
	bool modern, legacy;
	unsigned cfg_cap; /* where the PCI configuration access capability is */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t device_feature_select, driver_feature_select;
	uint16_t queue_select;
	uint8_t reserved[6];
	GUEST_VISIBLE_END;

	/* host side */
	struct virtio *virtio;
	struct region bar, common, isr, device, notify, legacy_io;
	struct virtio_pci_queue *queues; /* virtio->n_queues */
};

/* Of every type whose struct begins with struct virtio_pci. */
#define VIRTIO_PCI_PROPS                                                                          \
	PCI_PROPS(virtio_pci),                                                                    \
		DEFINE_PROP_STR(virtio_pci, disable_legacy, "disable-legacy", "auto",             \
				"on, off or auto: no interface for drivers of before version 1"), \
		DEFINE_PROP(virtio_pci, disable_modern, "disable-modern", PROP_BOOL, 0,           \
			    "no interface for drivers of version 1"),                             \
		DEFINE_PROP(virtio_pci, ioeventfd, "ioeventfd", PROP_BOOL, 1,                     \
			    "notifications without a trap"),                                      \
		DEFINE_PROP(virtio_pci, vectors, "vectors", PROP_U32, UINT32_MAX, "MSI-X vectors")

extern const struct state_desc virtio_pci_state;

/*
 * From realize, after the class has made V and its queues. On failure nothing is left to be undone here.
 * The type's struct S has the function as its member `pci` and V anywhere.
 */
bool virtio_pci_init(struct virtio_pci *p, struct virtio *v, struct error *err);
void virtio_pci_reset(struct virtio_pci *p);
void virtio_pci_fini(struct virtio_pci *p);

/*
 * The device type NAME##_type of struct NAME, which has `struct virtio_pci pci` first and the class's struct, whose first
 * member is `struct virtio v`, as PART. STATE saves what the class has beyond its struct
 * virtio. INIT(part, dev, err) makes queues and features, FINI(part) undoes it.
 */
#define VIRTIO_PCI_TYPE(NAME, PART, name_, alias_, desc_, PROPS, STATE, INIT, FINI)               \
	static bool NAME##_realize(struct device *dev, struct error *err)                         \
	{                                                                                         \
		struct NAME *s = container_of(dev, struct NAME, pci.pci.dev);                     \
                                                                                                  \
		if (!INIT(&s->PART, dev, err))                                                    \
			return false;                                                             \
		if (virtio_pci_init(&s->pci, &s->PART.v, err))                                    \
			return true;                                                              \
		FINI(&s->PART);                                                                   \
		return false;                                                                     \
	}                                                                                         \
	static void NAME##_reset(struct device *dev)                                              \
	{                                                                                         \
		virtio_pci_reset(&container_of(dev, struct NAME, pci.pci.dev)->pci);              \
	}                                                                                         \
	static bool NAME##_busy(struct device *dev)                                               \
	{                                                                                         \
		return virtio_busy(&container_of(dev, struct NAME, pci.pci.dev)->PART.v);         \
	}                                                                                         \
	static void NAME##_unrealize(struct device *dev)                                          \
	{                                                                                         \
		struct NAME *s = container_of(dev, struct NAME, pci.pci.dev);                     \
                                                                                                  \
		virtio_pci_fini(&s->pci);                                                         \
		FINI(&s->PART);                                                                   \
	}                                                                                         \
	static const struct state_desc NAME##_state = {                                           \
		.name = name_,                                                                    \
		.version = 1,                                                                     \
		.fields = (const struct state_field[]){STATE_STRUCT(NAME, PART.v, virtio_state),  \
						       STATE_STRUCT(NAME, PART, STATE),           \
						       STATE_STRUCT(NAME, pci, virtio_pci_state), \
						       STATE_END},                                \
	};                                                                                        \
	static const struct device_prop NAME##_props[] = {VIRTIO_PCI_PROPS, PROPS,                \
							  DEFINE_PROP_END};                       \
	const struct device_type NAME##_type = {                                                  \
		.name = name_,                                                                    \
		.alias = alias_,                                                                  \
		.desc = desc_,                                                                    \
		.bus = BUS_PCI,                                                                   \
		.user_creatable = true,                                                           \
		.size = sizeof(struct NAME),                                                      \
		.props = NAME##_props,                                                            \
		.state = &NAME##_state,                                                           \
		.realize = NAME##_realize,                                                        \
		.reset = NAME##_reset,                                                            \
		.busy = NAME##_busy,                                                              \
		.unrealize = NAME##_unrealize,                                                    \
	}

/* virtio_pci_legacy.c: the interface of before version 1 (4.1.4.10), in I/O space. */
void virtio_pci_legacy_init(struct virtio_pci *p);

/* The interrupt cause register: reading clears it. */
uint8_t virtio_pci_read_isr(struct virtio_pci *p);

#endif
