/* SPDX-License-Identifier: BSD-2-Clause */
/* The `pc` board (82441FX, PIIX3, PIIX4's power management): a list of parts. */
#include "devices/block/ide.h"
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "src/board/disks.h"
#include "src/board/firmware.h"
#include "src/board/pc_board.h"

#define PC_IDE_DEVFN   PCI_DEVFN(1, 1)
#define PC_VGA_SLOT    2
#define PC_GPE0_OFFSET 0x0c
#define PC_GPE0_BYTES  4
#define PC_VMGENID_GPE 5
#define PC_HPET_PINS   0x4

/* What firmware decides on: where the ports are, and where it has put BARs. */
static void pc_refresh_acpi(struct machine *m)
{
	struct pc_board *pc = m->board;

	pc_board_refresh(m);
	pc->acpi.pm_base = m->config.boot.firmware ? piix4_pm_base(pc->pm) : PC_PM_BASE;
	pc->acpi.gpe0_base = pc->acpi.pm_base + PC_GPE0_OFFSET;
	pc->acpi.pci_mem[0] =
		(struct acpi_range){MAX(m->ram.below_4g, PC_PCI_MEM_MIN), PC_IRQ_IOAPIC_BASE};
}

static void pc_describe(struct machine *m)
{
	struct pc_board *pc = m->board;

	pc_board_describe(m, pc_refresh_acpi);
	pc->acpi.pci = ACPI_PCI_I440FX;
	pc->acpi.gpe0_bytes = PC_GPE0_BYTES;
	pc->acpi.vmgenid_gpe = PC_VMGENID_GPE;
}

/* The host bridge's ports hide the reset control register's, and it is told of them. */
static bool pc_add_pci(struct machine *m, struct pc_board *pc, struct error *err)
{
	struct device *reset = device_create_builtin(m, &reset_control_type);
	struct device *ide;

	pc->host_bridge = device_new(m, &i440fx_type, NULL);
	device_set_prop_num(pc->host_bridge, "shadow", !m->config.boot.firmware);
	if (!device_realize(pc->host_bridge, err))
		return false;
	i440fx_forward_narrow(pc->host_bridge, reset_control_region(reset));
	device_create_builtin(m, &piix3_type);
	ide = device_new(m, &piix3_ide_type, NULL);
	device_set_prop_num(ide, "addr", PC_IDE_DEVFN);
	if (!device_realize(ide, err))
		return false;
	pc->pm = device_new(m, &piix4_pm_type, NULL);
	/* Where no firmware runs, the ports have to be in place. */
	device_set_prop_num(pc->pm, "pm-base", m->config.boot.firmware ? 0 : PC_PM_BASE);
	m->assign_resources = pci_assign_resources;
	return device_realize(pc->pm, err);
}

static bool pc_init(struct machine *m, struct error *err)
{
	struct pc_board *pc = pc_board_new(m);

	if (!pc_board_add_hpet(m, PC_HPET_PINS, err) || !pc_add_pci(m, pc, err) ||
	    !machine_add_firmware(m, &m->pci->mem, err) || !pc_board_add_vga(m, PC_VGA_SLOT, err) ||
	    !pc_board_add_serials(m, err) || !machine_add_ide_drives(m, 2, err) ||
	    !pc_board_add_floppies(m, true, err))
		return false;
	pc_describe(m);
	return true;
}

const struct machine_type machine_pc = {
	.name = "pc-i440fx-7.2",
	.alias = "pc",
	.desc = "Standard PC (i440FX + PIIX, 1996)",
	.is_default = true,
	.firmware = "bios-256k.bin",
	.default_cdrom = true,
	.default_floppy = true,
	.init = pc_init,
	.ready = pc_board_ready,
};
