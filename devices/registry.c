/* SPDX-License-Identifier: BSD-2-Clause */
/* Every device there is, once. */
#include "devices/block/floppy.h"
#include "devices/block/ide.h"
#include "devices/block/pflash_cfi01.h"
#include "devices/char/serial.h"
#include "devices/chipset/acpi_ged.h"
#include "devices/chipset/chipset.h"
#include "devices/chipset/fw_cfg.h"
#include "devices/chipset/hpet.h"
#include "devices/chipset/i8257.h"
#include "devices/chipset/pvpanic.h"
#include "devices/chipset/watchdog.h"
#include "devices/chipset/vmcoreinfo.h"
#include "devices/chipset/vmgenid.h"
#include "devices/display/ramfb.h"
#include "devices/display/vga.h"
#include "devices/input/i8042.h"
#include "devices/pci/pci.h"
#include "devices/pci/pcie.h"
#include "devices/scsi/scsi_types.h"
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_types.h"

const struct device_type *const device_types[] = {
	/* chipset */
	&acpi_ged_type,
	&fw_cfg_type,
	&hpet_type,
	&i8254_type,
	&i8257_type,
	&i8259_type,
	&ib700_type,
	&ioapic_type,
	&kernel_i8259_type,
	&kernel_ioapic_type,
	&kernel_pit_type,
	&mc146818_type,
	&port92_type,
	&pvpanic_isa_type,
	&reset_control_type,
	&system_rom_type,
	&vmcoreinfo_type,
	&vmgenid_type,
	/* pci */
	&i440fx_type,
	&piix3_type,
	&piix4_pm_type,
	&q35_mch_type,
	&ich9_lpc_type,
	&pci_bridge_type,
	&pcie_pci_bridge_type,
	&pcie_root_port_type,
	&ioh3420_type,
	&x3130_upstream_type,
	&xio3130_downstream_type,
	&pvpanic_pci_type,
	&i6300esb_type,
	/* display */
	&ramfb_type,
	&vga_pci_type,
	&vga_secondary_type,
	&vga_bochs_type,
	&vga_isa_type,
	/* block */
	&piix3_ide_type,
	&ahci_type,
	&ide_hd_type,
	&ide_cd_type,
	&isa_fdc_type,
	&floppy_type,
	&pflash_cfi01_type,
	/* input */
	&i8042_type,
	/* char */
	&serial_type,
	&debugcon_type,
	&debugexit_type,
	&parallel_type,
	&testdev_type,
	/* virtio */
	&virtio_mmio_type,
	&virtio_blk_pci_type,
	&virtio_blk_device_type,
	&virtio_rng_pci_type,
	&virtio_rng_device_type,
	&virtio_balloon_pci_type,
	&virtio_balloon_device_type,
	&virtio_scsi_pci_type,
	&virtio_scsi_device_type,
	&virtio_serial_pci_type,
	&virtio_serial_device_type,
	&virtconsole_type,
	&virtserialport_type,
	/* scsi */
	&scsi_hd_type,
	&scsi_cd_type,
	NULL,
};
