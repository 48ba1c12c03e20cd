/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware on a board: a ROM of -bios, or the flash chips of -drive if=pflash. Start-up. */
#ifndef EVMM_BOARD_FIRMWARE_H
#define EVMM_BOARD_FIRMWARE_H

#include "src/machine.h"

/* Does the guest begin with firmware? */
bool machine_has_firmware(struct machine *m);
/* Puts it into MEMORY, which is addressed as the guest's is: below 4 GiB, and its end below 1 MiB. */
bool machine_add_firmware(struct machine *m, struct region *memory, struct error *err);

#endif
