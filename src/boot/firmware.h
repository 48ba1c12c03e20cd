/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware: which file it is, where files are looked for (-L), and what fw_cfg tells it about the machine. Start-up code,
 * loop thread.
 */
#ifndef EVMM_BOOT_FIRMWARE_H
#define EVMM_BOOT_FIRMWARE_H

#include "src/machine.h"

/* The directories of -L, then those of the distribution's packages; ends with NULL. */
#define FIRMWARE_MAX_DIRS 24
/* Path of NAME: itself when that can be read, else within the directories. NULL: none has it. The caller frees it. */
char *firmware_find(const struct machine_config *c, const char *name);
/* -L help */
void firmware_list_dirs(const struct machine_config *c);
/*
 * All of a file, MAX bytes at most, page-aligned heap. OPTION names it in messages ("-bios"); NULL on error.
 */
uint8_t *firmware_read(const char *option, const char *path, uint64_t max, uint64_t *bytes,
		       struct error *err);

/* Is the image one of UEFI's: does it begin with a firmware volume (PI 1.7, volume 3, 3.2.1)? */
bool firmware_is_uefi(const uint8_t *image, uint64_t bytes);

/*
 * The BIOS of a display adapter that is no PCI function, for firmware to start: the file NAME, if there is one, in
 * fw_cfg's vgaroms. A machine without fw_cfg has no firmware that could use it. DEVICE is for the message.
 */
bool firmware_offer_vgarom(struct machine *m, const char *device, const char *name,
			   struct error *err);

/* Fills fw_cfg with what firmware asks for. After all devices are there. */
bool firmware_describe(struct machine *m, struct error *err);

/*
 * -kernel with firmware: kernel, initrd and command line become items of fw_cfg (QEMU's fw_cfg specification, "Firmware
 * Configuration Items" 07h to 18h). UEFI looks there by itself; a BIOS is given an option ROM that boots from there, and comes
 * before all else in the boot order. Nothing without -kernel.
 */
bool firmware_add_kernel(struct machine *m, struct error *err);

#endif
