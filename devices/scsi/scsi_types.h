/* SPDX-License-Identifier: BSD-2-Clause */
/* The SCSI devices that -device knows. */
#ifndef EVMM_DEVICES_SCSI_TYPES_H
#define EVMM_DEVICES_SCSI_TYPES_H

#include "src/device.h"

extern const struct device_type scsi_hd_type, scsi_cd_type;

#endif
