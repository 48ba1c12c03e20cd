/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual machine generation identifier: what the tables and the board need of the device. Loop thread. */
#ifndef EVMM_VMGENID_H
#define EVMM_VMGENID_H

#include "src/machine.h"

#define VMGENID_GUID_FILE "etc/vmgenid_guid"
#define VMGENID_ADDR_FILE "etc/vmgenid_addr"

extern const struct device_type vmgenid_type;

/* 16 bytes, as they lie in guest memory. */
const uint8_t *vmgenid_guid(struct device *dev);
/* The guest has them at GPA; 0: nowhere. */
void vmgenid_set_address(struct device *dev, gpa_t gpa);

#endif
