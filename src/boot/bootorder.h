/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware is to boot from, and in which order: -boot, and "bootindex" of devices, which fw_cfg's file "bootorder"
 * passes on as OpenFirmware paths (IEEE 1275), spelled as QEMU spells them because SeaBIOS and OVMF look for those.
 * Loop thread.
 */
#ifndef EVMM_BOOTORDER_H
#define EVMM_BOOTORDER_H

#include "src/machine.h"

/*
 * DEV's realize, when it has a bootindex (-1: none, and nothing happens). SUFFIX is what follows the device's path, like
 * "disk@0" or "ethernet-phy@0", or "". False when the index is taken.
 */
bool boot_index_add(struct machine *m, int32_t bootindex, struct device *dev, const char *suffix,
		    struct error *err);
/* DEV's unrealize. */
void boot_index_remove(struct machine *m, struct device *dev);
/* Not a device: a file of fw_cfg that firmware starts, "/rom@genroms/linuxboot_dma.bin". */
bool boot_index_add_path(struct machine *m, int32_t bootindex, const char *path, struct error *err);
/* The file's contents, a path on each line; heap. *BYTES counts the NUL, and is 0 when there is nothing. */
char *boot_order_list(const struct machine *m, uint32_t *bytes);
void boot_order_free(struct machine *m);

/* "/pci@i0cf8/isa@1/fdc@03f0", heap: by the type's fw_path, or by where a PCI function is. NULL: it has none. */
char *device_fw_path(struct device *dev);
/* The path of an ISA device called NAME at PORT. */
char *isa_fw_path(struct device *dev, const char *name, uint16_t port);
/* A bus's: "/pci@i0cf8" and the bridges on the way. */
struct pci_bus;
char *pci_bus_fw_path(const struct pci_bus *bus);

/* -boot order= and once=: letters a to p, each once; what a PC takes, with ERR the message without the option. */
bool boot_order_check(const char *letters, struct error *err);

#endif
