/* SPDX-License-Identifier: BSD-2-Clause */
/* The `q35` board (82Q35 MCH, ICH9): a list of parts. */
#include "devices/block/ide.h"
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "src/board/disks.h"
#include "src/board/firmware.h"
#include "src/board/pc_board.h"

#define Q35_VGA_SLOT	1
#define Q35_SATA_DEVFN	PCI_DEVFN(31, 2)
#define Q35_SATA_PORTS	6
#define Q35_GPE0_OFFSET 0x20
#define Q35_GPE0_BYTES	16
#define Q35_VMGENID_GPE 5
#define Q35_HPET_PINS	0xff0104
#define Q35_MMCONFIG	0xb0000000ull /* where no firmware puts it anywhere; 256 MiB */
#define Q35_RAM_LIMIT	(2816 * MiB)  /* up to this, all RAM is below 4 GiB: what MMCONFIG leaves */
#define Q35_RAM_SPLIT	(2 * GiB)     /* else this much is */

/* What firmware decides on: where ports and configuration space are, and where it has put BARs. */
static void q35_refresh_acpi(struct machine *m)
{
	struct pc_board *pc = m->board;
	struct acpi_board *a = &pc->acpi;
	uint64_t bytes, low = MAX(m->ram.below_4g, PC_PCI_MEM_MIN);

	pc_board_refresh(m);
	a->pm_base = m->config.boot.firmware ? ich9_lpc_pm_base(pc->pm) : PC_PM_BASE;
	a->gpe0_base = a->pm_base + Q35_GPE0_OFFSET;
	a->mmconfig.start =
		m->config.boot.firmware ? q35_mch_mmconfig(pc->host_bridge, &bytes) : Q35_MMCONFIG;
	if (!m->config.boot.firmware)
		bytes = 256 * MiB;
	a->mmconfig.end = a->mmconfig.start + bytes;
	a->pci_mem[0] = (struct acpi_range){low, PC_IRQ_IOAPIC_BASE};
	a->pci_mem[1] = (struct acpi_range){0, 0};
	if (bytes && a->mmconfig.start >= low && a->mmconfig.end <= PC_IRQ_IOAPIC_BASE) {
		a->pci_mem[0].end = a->mmconfig.start;
		a->pci_mem[1] = (struct acpi_range){a->mmconfig.end, PC_IRQ_IOAPIC_BASE};
	}
}

static void q35_describe(struct machine *m)
{
	struct pc_board *pc = m->board;

	pc_board_describe(m, q35_refresh_acpi);
	pc->acpi.pci = ACPI_PCI_Q35;
	pc->acpi.gpe0_bytes = Q35_GPE0_BYTES;
	pc->acpi.vmgenid_gpe = Q35_VMGENID_GPE;
}

/* The hub's ports hide the reset control register's, and it is told of them. */
static bool q35_add_pci(struct machine *m, struct pc_board *pc, struct error *err)
{
	struct device *reset = device_new(m, &reset_control_type, NULL), *sata;
	bool firmware = m->config.boot.firmware;

	device_set_prop_num(reset, "full-reset", true);
	if (!device_realize(reset, err))
		return false;
	pc->host_bridge = device_new(m, &q35_mch_type, NULL);
	device_set_prop_num(pc->host_bridge, "shadow", !firmware);
	device_set_prop_num(pc->host_bridge, "pciexbar", firmware ? 0 : Q35_MMCONFIG);
	if (!device_realize(pc->host_bridge, err))
		return false;
	q35_mch_forward_narrow(pc->host_bridge, reset_control_region(reset));
	pc->pm = device_new(m, &ich9_lpc_type, NULL);
	device_set_prop_num(pc->pm, "pm-base", firmware ? 0 : PC_PM_BASE);
	m->assign_resources = pci_assign_resources;
	if (!device_realize(pc->pm, err))
		return false;
	sata = device_new(m, &ahci_type, NULL);
	device_set_prop_num(sata, "addr", Q35_SATA_DEVFN);
	device_set_prop_num(sata, "multifunction", true);
	return device_realize(sata, err);
}

static bool q35_init(struct machine *m, struct error *err)
{
	struct pc_board *pc = pc_board_new(m);

	if (!pc_board_add_hpet(m, Q35_HPET_PINS, err) || !q35_add_pci(m, pc, err) ||
	    !machine_add_firmware(m, &m->pci->mem, err) ||
	    !pc_board_add_vga(m, Q35_VGA_SLOT, err) || !pc_board_add_serials(m, err) ||
	    !machine_add_ide_drives(m, Q35_SATA_PORTS, err) ||
	    !pc_board_add_floppies(m, false, err))
		return false;
	q35_describe(m);
	return true;
}

const struct machine_type machine_q35 = {
	.name = "pc-q35-7.2",
	.alias = "q35",
	.desc = "Standard PC (Q35 + ICH9, 2009)",
	.firmware = "bios-256k.bin",
	.low_ram_limit = Q35_RAM_LIMIT,
	.low_ram_split = Q35_RAM_SPLIT,
	.ide_units = 1,
	.default_cdrom = true,
	.init = q35_init,
	.ready = pc_board_ready,
};
