/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio devices that -device knows. */
#ifndef EVMM_DEVICES_VIRTIO_TYPES_H
#define EVMM_DEVICES_VIRTIO_TYPES_H

#include "src/device.h"

extern const struct device_type virtio_blk_pci_type, virtio_blk_device_type;
extern const struct device_type virtio_rng_pci_type, virtio_rng_device_type;
extern const struct device_type virtio_serial_pci_type, virtio_serial_device_type;
extern const struct device_type virtio_balloon_pci_type, virtio_balloon_device_type;
extern const struct device_type virtio_scsi_pci_type, virtio_scsi_device_type;
extern const struct device_type virtconsole_type, virtserialport_type;

#endif
