/* SPDX-License-Identifier: BSD-2-Clause */
/* Watchdogs: what a guest that hangs fails to pet. Loop thread. */
#ifndef EVMM_DEVICES_WATCHDOG_H
#define EVMM_DEVICES_WATCHDOG_H

#include "src/device.h"

extern const struct device_type ib700_type, i6300esb_type;

#endif
