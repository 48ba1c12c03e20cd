/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices and a driver that means no good: descriptors, rings and registers as the input says, while requests are under way.
 *
 *	byte 0	the device; byte 1: features that are accepted
 *	then	operations, each a byte and its arguments
 */
#include "tests/device/virtio_kit.h"
#include "tests/fuzz/fuzz.h"

#define RING_BASE   0x10000 /* virtio_kit.h */
#define QUEUE_BYTES 0x4000
#define RING_SIZE   16
#define CHUNK_MAX   64

enum { BLK, SCSI, SERIAL, RNG, BALLOON, KINDS };
static const char *const names[KINDS] = {"virtio-blk-device", "virtio-scsi-device",
					 "virtio-serial-device", "virtio-rng-device",
					 "virtio-balloon-device"};

static struct vk machines[KINDS];

static struct vk *machine(unsigned kind)
{
	struct vk *v = &machines[kind];
	struct kit *k;

	if (v->k)
		return v;
	k = kit_new();
	vk_init(v, k);
	if (kind == BLK)
		kit_add_null_disk(k, "d");
	if (kind == BLK)
		kit_add(k, device_type_find(names[kind]), "drive", "d", "num-queues", "2", NULL);
	else
		kit_add(k, device_type_find(names[kind]), NULL);
	if (kind == SCSI) {
		kit_add_null_disk(k, "s");
		kit_add(k, device_type_find("scsi-hd"), "drive", "s", NULL);
	} else if (kind == SERIAL) {
		struct kit_chardev *c = kit_chardev_new(k, "c");

		c->room = 1000;
		kit_add(k, device_type_find("virtconsole"), "chardev", "c", NULL);
	}
	return v;
}

static uint64_t features(uint8_t bits)
{
	return (bits & 1 ? BIT64(VIRTIO_F_RING_PACKED) : 0) |
	       (bits & 2 ? BIT64(VIRTIO_F_INDIRECT_DESC) : 0) |
	       (bits & 4 ? BIT64(VIRTIO_F_EVENT_IDX) : 0) |
	       (bits & 8 ? BIT64(VIRTIO_F_IN_ORDER) : 0) | (bits & 16 ? 0xffff : 0);
}

/* Addresses that matter: the rings, the buffers, the end of RAM, nowhere, the device itself. */
static gpa_t address(struct fuzz_input *in)
{
	uint8_t where = (uint8_t)fuzz_take(in, 1);
	uint16_t offset = (uint16_t)fuzz_take(in, 2);

	switch (where % 8) {
	case 0:
		return KIT_RAM - 1 - offset % 4096;
	case 1:
		return VK_REGS + offset % 512;
	case 2:
		return ~(uint64_t)offset;
	case 3:
		return (uint64_t)offset << 32;
	case 4:
	case 5:
		return RING_BASE + offset;
	default:
		return VK_BUFFERS + offset;
	}
}

static void put(struct vk *v, gpa_t gpa, struct fuzz_input *in)
{
	const uint8_t *bytes;
	size_t n = fuzz_take_bytes(in, fuzz_take(in, 1) % CHUNK_MAX, &bytes);

	for (size_t i = 0; i < n; i++)
		vk_put(v, gpa + i, bytes[i], 1);
}

static void set_descriptor(struct vk *v, unsigned q, struct fuzz_input *in)
{
	static const uint32_t lengths[] = {0, 1, 16, 512, 4096, 0x10000, 0x80000000, 0xffffffff};
	gpa_t table = RING_BASE + QUEUE_BYTES * q, gpa = address(in);
	uint8_t n = (uint8_t)fuzz_take(in, 1), len = (uint8_t)fuzz_take(in, 1);
	uint16_t flags = fuzz_take(in, 1) & 0xf, next = (uint16_t)fuzz_take(in, 1);

	if (n & 0x80) /* an indirect table */
		table = VK_BUFFERS;
	if (v->packed) {
		vk_put(v, table + 16ull * (n % RING_SIZE) + 14,
		       flags | (n & 0x40 ? 0x80 : 0) | (n & 0x20 ? 0x8000 : 0), 2);
		flags = 0;
	}
	vk_set_desc(v, table, n % RING_SIZE, gpa, lengths[len % 8] + (len >> 3), flags, next);
}

static void operate(struct vk *v, struct fuzz_input *in)
{
	uint8_t op = (uint8_t)fuzz_take(in, 1);
	unsigned q = op >> 4 & 1;

	switch (op % 16) {
	case 0:
	case 1:
		put(v, address(in), in);
		break;
	case 2:
		put(v, VK_BUFFERS + fuzz_take(in, 1), in);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		set_descriptor(v, q, in);
		break;
	case 7:
	case 8:
	case 9:
		if (!v->packed)
			vk_make_available(v, q, (uint16_t)fuzz_take(in, 1) % (RING_SIZE + 1));
		break;
	case 10:
		vk_set_reg(v, (unsigned)fuzz_take(in, 1) * 4 % 512, (uint32_t)fuzz_take(in, 2));
		break;
	case 11:
		vk_reg(v, (unsigned)fuzz_take(in, 2) % 512);
		break;
	case 12:
		kit_advance(v->k, (int64_t)fuzz_take(in, 3));
		break;
	default:
		vk_kick(v, op >> 4 & 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {data, n};
	struct vk *v = machine(fuzz_take(&in, 1) % KINDS);

	/* A reset heals what the input before has done. */
	vk_negotiate(v, 0);
	vk_start(v, features((uint8_t)fuzz_take(&in, 1)) & v->features, 2, RING_SIZE);
	while (in.n)
		operate(v, &in);
	kit_settle(v->k);
	return 0;
}
