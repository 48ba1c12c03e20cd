/* SPDX-License-Identifier: BSD-2-Clause */
/* Serial ports and the small character devices, as boards make them. */
#ifndef EVMM_DEVICES_SERIAL_H
#define EVMM_DEVICES_SERIAL_H

#include "src/device.h"

extern const struct device_type serial_type, debugcon_type, debugexit_type, parallel_type,
	testdev_type;

#endif
