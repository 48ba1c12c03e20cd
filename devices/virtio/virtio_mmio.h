/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over MMIO (Virtio 1.2, 4.2). A board makes transports ("virtio-mmio"), each with a page of registers and an
 * interrupt; device types at a "-device" name take the first free one, or the one that bus= names
 * ("virtio-mmio-bus.N"). Loop thread.
 */
#ifndef EVMM_DEVICES_VIRTIO_MMIO_H
#define EVMM_DEVICES_VIRTIO_MMIO_H

#include "devices/virtio/virtio.h"

#define VIRTIO_MMIO_BYTES 0x200

extern const struct device_type virtio_mmio_type;

/*
 * For boards: transport N of the machine at GPA, its interrupt on GSI. Guests are told of it in the device tree, in ACPI
 * (LNRO0005) or on the command line. NULL with ERR.
 */
struct device *virtio_mmio_create(struct machine *m, unsigned n, gpa_t gpa, unsigned gsi,
				  struct error *err);
/* Does a device stand behind this transport? */
bool virtio_mmio_in_use(const struct device *transport);

/* What a device type at a "-device" name begins with. */
struct virtio_mmio_device {
	struct device dev;
	char *bus;
};

/*
 * The device type NAME##_type of struct NAME, which has `struct virtio_mmio_device mmio` first and the class's struct, whose
 * first member is `struct virtio v`, as PART; as VIRTIO_PCI_TYPE.
 */
#define VIRTIO_MMIO_TYPE(NAME, PART, name_, desc_, PROPS, STATE, INIT, FINI)                      \
	static bool NAME##_realize(struct device *dev, struct error *err)                         \
	{                                                                                         \
		struct NAME *s = container_of(dev, struct NAME, mmio.dev);                        \
                                                                                                  \
		if (!INIT(&s->PART, dev, err))                                                    \
			return false;                                                             \
		if (virtio_mmio_attach(&s->PART.v, s->mmio.bus, err))                             \
			return true;                                                              \
		FINI(&s->PART);                                                                   \
		return false;                                                                     \
	}                                                                                         \
	static void NAME##_reset(struct device *dev)                                              \
	{                                                                                         \
		virtio_mmio_reset(&container_of(dev, struct NAME, mmio.dev)->PART.v);             \
	}                                                                                         \
	static bool NAME##_busy(struct device *dev)                                               \
	{                                                                                         \
		return virtio_busy(&container_of(dev, struct NAME, mmio.dev)->PART.v);            \
	}                                                                                         \
	static void NAME##_unrealize(struct device *dev)                                          \
	{                                                                                         \
		struct NAME *s = container_of(dev, struct NAME, mmio.dev);                        \
                                                                                                  \
		virtio_mmio_detach(&s->PART.v);                                                   \
		FINI(&s->PART);                                                                   \
	}                                                                                         \
	static bool NAME##_post_load(void *opaque, struct error *err)                             \
	{                                                                                         \
		return virtio_mmio_post_load(&((struct NAME *)opaque)->PART.v, err);              \
	}                                                                                         \
	static const struct state_desc NAME##_state = {                                           \
		.name = name_,                                                                    \
		.version = 1,                                                                     \
		.post_load = NAME##_post_load,                                                    \
		.fields =                                                                         \
			(const struct state_field[]){STATE_STRUCT(NAME, PART.v, virtio_state),    \
						     STATE_STRUCT(NAME, PART, STATE), STATE_END}, \
	};                                                                                        \
	static const struct device_prop NAME##_props[] = {                                        \
		DEFINE_PROP_STR(NAME, mmio.bus, "bus", NULL, "virtio-mmio-bus.N"), PROPS,         \
		DEFINE_PROP_END};                                                                 \
	const struct device_type NAME##_type = {                                                  \
		.name = name_,                                                                    \
		.desc = desc_,                                                                    \
		.bus = BUS_VIRTIO,                                                                \
		.user_creatable = true,                                                           \
		.size = sizeof(struct NAME),                                                      \
		.props = NAME##_props,                                                            \
		.state = &NAME##_state,                                                           \
		.realize = NAME##_realize,                                                        \
		.reset = NAME##_reset,                                                            \
		.busy = NAME##_busy,                                                              \
		.unrealize = NAME##_unrealize,                                                    \
	}

/*
 * From the realize of a "-device" type, after the class has made V and its queues: BUS NULL takes the first free transport.
 * On failure nothing is left to be undone here.
 */
bool virtio_mmio_attach(struct virtio *v, const char *bus, struct error *err);
/* From unrealize. */
void virtio_mmio_detach(struct virtio *v);
/* From reset and post_load: the transport, a device of its own, has had its turn before. */
void virtio_mmio_reset(struct virtio *v);
bool virtio_mmio_post_load(struct virtio *v, struct error *err);

#endif
