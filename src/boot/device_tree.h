/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flattened device tree of a machine without firmware (Devicetree Specification 0.4), and -dtb. Start-up. The result is
 * the machine's device_tree.
 */
#ifndef EVMM_BOOT_DEVICE_TREE_H
#define EVMM_BOOT_DEVICE_TREE_H

#include "src/boot/acpi.h"

/* From what the board says for ACPI. CMDLINE may be NULL. */
bool device_tree_build(struct machine *m, const struct acpi_board *board, const char *cmdline,
		       struct error *err);
/* -machine dumpdtb= */
bool device_tree_dump(struct machine *m, const char *file, struct error *err);
/* -dtb: instead of what is there. */
bool device_tree_read(struct machine *m, struct error *err);

#endif
