/* SPDX-License-Identifier: BSD-2-Clause */
/* Boards of the PC family: from -drive to devices. At start-up. */
#ifndef EVMM_BOARD_DISKS_H
#define EVMM_BOARD_DISKS_H

#include "src/machine.h"

/* Plugs the drives of if=ide into the cables "ide.0" and on. */
bool machine_add_ide_drives(struct machine *m, unsigned buses, struct error *err);
/* Those of if=floppy, into the floppy controller. */
bool machine_add_floppies(struct machine *m, struct error *err);
/* What firmware looks up in the CMOS RAM, when all devices are there. */
void machine_describe_disks(struct machine *m, struct device *rtc);

#endif
