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

#include "src/machine.h"

/* After machine_build. Messages name the file or option. */
bool boot_load(struct machine *m, struct error *err);
void boot_free(struct machine *m);

/* acpi.c: what the board tells about itself. Tables are built into guest RAM at each reset; RSDP at 0xf0000 region. */
struct acpi_board {
	unsigned cpus;
	const uint32_t *apic_ids;
	uint32_t ioapic_id, ioapic_addr;
	uint16_t pm_base; /* PM1a_EVT; CNT at +4, timer at +8 */
	uint8_t sci_irq;
	uint16_t reset_port; /* with value; FADT reset register */
	uint8_t reset_value;
	bool has_pci;
	uint32_t pci_mmio_base; /* window below the IOAPIC; 0: from the end of low RAM */
	uint8_t pirq_gsi[4];	/* of PIRQA to PIRQD, level, active high; 0: GSI 10, 10, 11, 11 */
	unsigned serial_mask;	/* COM ports present */
	bool has_8042, has_rtc;
};
struct acpi_tables {
	uint8_t *bytes; /* one blob: RSDP first, tables after */
	size_t n;
};
/* Builds the blob for guest-physical address GPA. */
struct acpi_tables acpi_build(const struct acpi_board *board, gpa_t gpa);

#endif
