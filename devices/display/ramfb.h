/* SPDX-License-Identifier: BSD-2-Clause */
/* ramfb: a frame buffer in the guest's RAM. */
#ifndef EVMM_RAMFB_H
#define EVMM_RAMFB_H

#include "src/device.h"

extern const struct device_type ramfb_type;

#endif
