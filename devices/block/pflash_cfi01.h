/* SPDX-License-Identifier: BSD-2-Clause */
/* Flash that holds firmware and its variables, for boards. Loop thread. */
#ifndef EVMM_PFLASH_CFI01_H
#define EVMM_PFLASH_CFI01_H

#include "src/machine.h"

#define PFLASH_SECTOR 4096

extern const struct device_type pflash_cfi01_type;

uint64_t pflash_bytes(struct device *dev);
/* For start-up: what the flash holds. */
const uint8_t *pflash_data(struct device *dev);
/* The flash appears in MEMORY at AT. */
void pflash_map(struct device *dev, struct region *memory, uint64_t at);

#endif
