/* SPDX-License-Identifier: BSD-2-Clause */
/* fw_cfg: items and files that the board offers to firmware and small kernels. Loop thread, before the guest runs. */
#ifndef EVMM_FW_CFG_H
#define EVMM_FW_CFG_H

#include "src/machine.h"

enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
};

#define FW_CFG_FILES 32

extern const struct device_type fw_cfg_type;

/* Sets item KEY to a copy of N bytes, or to the SIZE low bytes of VALUE, little-endian. */
void fw_cfg_set(struct device *dev, unsigned key, const void *bytes, uint32_t n);
void fw_cfg_set_num(struct device *dev, unsigned key, unsigned size, uint64_t value);
/* A named file (a copy). False when the name is too long or there are too many. */
bool fw_cfg_add_file(struct device *dev, const char *name, const void *bytes, uint32_t n,
		     struct error *err);

#endif
