/* SPDX-License-Identifier: BSD-2-Clause */
/* A Linux bzImage's setup header, for whoever hands the kernel on: the loader, or firmware by way of fw_cfg. */
#ifndef EVMM_BOOT_LINUX_IMAGE_H
#define EVMM_BOOT_LINUX_IMAGE_H

#include "src/boot/loader.h"

/* Offsets in the file's setup header, which are also those in struct boot_params. */
enum {
	HDR_SETUP_SECTS = 0x1f1,
	HDR_SYSSIZE = 0x1f4,
	HDR_VID_MODE = 0x1fa,
	HDR_BOOT_FLAG = 0x1fe,
	HDR_JUMP = 0x200,
	HDR_MAGIC = 0x202,
	HDR_VERSION = 0x206,
	HDR_TYPE_OF_LOADER = 0x210,
	HDR_LOADFLAGS = 0x211,
	HDR_CODE32_START = 0x214,
	HDR_RAMDISK_IMAGE = 0x218,
	HDR_RAMDISK_SIZE = 0x21c,
	HDR_HEAP_END_PTR = 0x224,
	HDR_CMD_LINE_PTR = 0x228,
	HDR_INITRD_ADDR_MAX = 0x22c,
	HDR_KERNEL_ALIGNMENT = 0x230,
	HDR_RELOCATABLE = 0x234,
	HDR_XLOADFLAGS = 0x236,
	HDR_CMDLINE_SIZE = 0x238,
	HDR_SETUP_DATA = 0x250,
	HDR_PREF_ADDRESS = 0x258,
	HDR_INIT_SIZE = 0x260,
};
#define HDR_END_MAX 0x290 /* where struct boot_params has room for it to end */

#define LINUX_LOADED_HIGH      BIT(0) /* in HDR_LOADFLAGS */
#define LINUX_CAN_USE_HEAP     BIT(7)
#define LINUX_LOADER_UNDEFINED 0xff
#define LINUX_VID_MODE_NORMAL  0xffff

struct linux_image {
	const uint8_t *head;
	unsigned version;
	uint32_t setup_bytes; /* of the file, before the protected-mode kernel */
	uint64_t kernel_bytes;
	gpa_t load,
		runtime_end; /* [load, runtime_end) belongs to the kernel until it reads the memory map */
	uint32_t initrd_addr_max, cmdline_max;
	bool entry64;
};

static inline uint32_t linux_hdr(const struct linux_image *k, unsigned offset, unsigned size)
{
	return (uint32_t)ldn_le(k->head + offset, size);
}

/*
 * Fills in all of K but load address, end and entry. HEAD is the file's first BYTES, and is kept. False with ERR clear when it
 * is no bzImage.
 */
bool linux_read_header(struct linux_image *k, const struct boot_file *f, const uint8_t *head,
		       size_t bytes, struct error *err);
/* Where the protected-mode kernel goes, and what belongs to it there: in RAM, or ERR says what is missing. */
bool linux_choose_address(struct linux_image *k, const struct boot_file *f, const struct machine *m,
			  struct error *err);
/* The kernel takes command lines of that length. */
bool linux_check_cmdline(const struct linux_image *k, const char *cmdline, struct error *err);

#endif
