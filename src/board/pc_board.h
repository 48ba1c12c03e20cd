/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boards of the PC family share, part by part; a board's init is the list of them. Start-up. */
#ifndef EVMM_BOARD_PC_BOARD_H
#define EVMM_BOARD_PC_BOARD_H

#include "src/board/pc_irq.h"
#include "src/boot/acpi.h"

#define PC_PM_BASE     0x600 /* where no firmware puts it anywhere */
#define PC_PM_SCI      9
#define PC_PCI_MEM_MIN (1 * GiB)
#define PC_RESET_PORT  0xcf9
#define PC_RESET_VALUE 0x06 /* hard reset, now */

/* m->board */
struct pc_board {
	struct machine *machine;
	struct pc_irq irqs;
	struct device *rtc, *host_bridge,
		*pm; /* PM: the function with the power management's ports */
	struct acpi_board acpi;
	uint32_t apic_ids[MACHINE_MAX_VCPUS];
};

/* Interrupts, DMA, timer, RTC, port 92h, keyboard, fw_cfg. */
struct pc_board *pc_board_new(struct machine *m);
/* The HPET, unless hpet=off; its timers may be routed to PINS of the IOAPIC, a bit each. */
bool pc_board_add_hpet(struct machine *m, uint32_t pins, struct error *err);
/* The display that -vga asks for, in SLOT of the root bus. Nothing that the guest could see hangs on -display. */
bool pc_board_add_vga(struct machine *m, unsigned slot, struct error *err);
bool pc_board_add_serials(struct machine *m, struct error *err);
/* The floppy controller, with a drive or ALWAYS, and its drives. */
bool pc_board_add_floppies(struct machine *m, bool always, struct error *err);
/* The type's ready: also what -device has added is there now. */
void pc_board_ready(struct machine *m);
/*
 * The tables' description; REFRESH fills in what firmware decides. The board sets what is its own after this.
 */
void pc_board_describe(struct machine *m, void (*refresh)(struct machine *m));
/* In REFRESH: what holds for every board. */
void pc_board_refresh(struct machine *m);

#endif
