/* SPDX-License-Identifier: BSD-2-Clause */
/* fw_cfg: items and files that the board offers to firmware and small kernels. Loop thread. */
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
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_NUMA = 0x0d,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_ENTRY = 0x10,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
	/* of the x86 alone */
	FW_CFG_ARCH_LOCAL = 0x8000,
	FW_CFG_IRQ0_OVERRIDE = 0x8002,
};

#define FW_CFG_FILES	  128
#define FW_CFG_NAME_BYTES 56 /* with the end of the string */

extern const struct device_type fw_cfg_type;

/* What a file does beside being read. Each may be NULL. */
struct fw_cfg_hooks {
	/* The guest has selected it and is about to read from its start: fw_cfg_update_file may be called. */
	void (*select)(void *opaque);
	/* The guest has written N of its bytes at OFFSET; without this the file can't be written. */
	void (*written)(void *opaque, const uint8_t *bytes, uint32_t offset, uint32_t n);
	void *opaque;
};

/* Sets item KEY to a copy of N bytes, or to the SIZE low bytes of VALUE, little-endian. */
void fw_cfg_set(struct device *dev, unsigned key, const void *bytes, uint32_t n);
void fw_cfg_set_num(struct device *dev, unsigned key, unsigned size, uint64_t value);
/* The same without a copy: the N bytes, heap, are the device's from now on. */
void fw_cfg_give(struct device *dev, unsigned key, uint8_t *bytes, uint32_t n);
/*
 * A named file (a copy). False when the name is too long or taken, or there are too many. HOOKS may be NULL.
 */
bool fw_cfg_add_file(struct device *dev, const char *name, const void *bytes, uint32_t n,
		     struct error *err);
bool fw_cfg_add_file_hooks(struct device *dev, const char *name, const void *bytes, uint32_t n,
			   const struct fw_cfg_hooks *hooks, struct error *err);
/* Other contents for a file that exists. */
void fw_cfg_update_file(struct device *dev, const char *name, const void *bytes, uint32_t n);
/* Is there a file of that name? Its bytes and their number (N may be NULL). */
const uint8_t *fw_cfg_find_file(struct device *dev, const char *name, uint32_t *n);

#endif
