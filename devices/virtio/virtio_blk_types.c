/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-blk-pci and virtio-blk-device: the block device at its two transports. */
#include "devices/virtio/virtio_blk.h"
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_types.h"

struct virtio_blk_pci {
	struct virtio_pci pci;
	struct virtio_blk blk;
};
VIRTIO_PCI_TYPE(virtio_blk_pci, blk, "virtio-blk-pci", "virtio-blk", "virtio block device on PCI",
		VIRTIO_BLK_PROPS(virtio_blk_pci, blk), virtio_blk_state, virtio_blk_init,
		virtio_blk_fini);

struct virtio_blk_device {
	struct virtio_mmio_device mmio;
	struct virtio_blk blk;
};
VIRTIO_MMIO_TYPE(virtio_blk_device, blk, "virtio-blk-device", "virtio block device",
		 VIRTIO_BLK_PROPS(virtio_blk_device, blk), virtio_blk_state, virtio_blk_init,
		 virtio_blk_fini);
