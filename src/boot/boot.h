/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Getting a guest started without firmware: -kernel with a Linux bzImage (boot protocol 2.x, Documentation/arch/x86/boot.rst),
 * an ELF with a PVH note (hvm/start_info.h), or a multiboot image (Multiboot 0.6.96; and ELF64 as kernel writers use),
 * with -initrd and -append. Start-up code: reads files with plain calls, before the guest runs.
 *
 * boot_load reads and checks everything and keeps it; machine->boot_reset then copies it into guest RAM and sets the boot
 * CPU's registers after every reset, so that a reboot starts from the same image.
 */
#ifndef EVMM_BOOT_H
#define EVMM_BOOT_H

#include "src/boot/acpi.h"

/* After machine_build. Messages name the file or option. */
bool boot_load(struct machine *m, struct error *err);
void boot_free(struct machine *m);

#endif
