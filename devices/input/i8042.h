/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller, as boards make it. */
#ifndef EVMM_DEVICES_I8042_H
#define EVMM_DEVICES_I8042_H

#include "src/device.h"

extern const struct device_type i8042_type;

#endif
