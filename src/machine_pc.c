/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `pc` board: a list of parts, and the wires between them.
 *
 *	GSI 0-15	the ISA lines: to the 8259s, and to the IOAPIC's pin of that number; but
 *	GSI 0		(the timer) to IOAPIC pin 2, as the MADT says: pin 0 is the 8259's
 *	GSI 2		is the cascade, and no line
 *	GSI 16-23	IOAPIC only
 *	8259 INTR	LINT0 of the boot processor
 */
#include "devices/char/serial.h"
#include "devices/chipset/chipset.h"
#include "devices/chipset/fw_cfg.h"
#include "devices/display/vga.h"
#include "devices/input/i8042.h"
#include "devices/pci/pci.h"
#include "src/boot/boot.h"
#include "src/machine.h"

#define PC_ISA_IRQS	    16
#define PC_GSI_TIMER	    0
#define PC_GSI_CASCADE	    2
#define PC_IOAPIC_PIN_TIMER 2
#define PC_IOAPIC_BASE	    0xfec00000
#define PC_PM_BASE	    0x600
#define PC_PM_SCI	    9
#define PC_CMOS_BOOT_12	    0x3d
#define PC_CMOS_BOOT_3	    0x38
#define PC_GPE0_OFFSET	    0x0c
#define PC_GPE0_BYTES	    4
#define PC_VMGENID_GPE	    5
#define PC_PCI_MEM_MIN	    (1 * GiB)
#define PC_RESET_PORT	    0xcf9
#define PC_RESET_VALUE	    0x06 /* hard reset, now */

struct pc {
	struct machine *machine;
	struct device *pic, *ioapic, *pm, *rtc;
	struct acpi_board acpi;
	uint32_t apic_ids[MACHINE_MAX_VCPUS];
};

static void pc_gsi(void *opaque, unsigned gsi, bool level)
{
	struct pc *pc = opaque;

	if (gsi == PC_GSI_CASCADE || !pc->machine->vcpus)
		return; /* no vCPUs: the machine is being taken apart */
	if (gsi < PC_ISA_IRQS)
		i8259_set_irq(pc->pic, gsi, level);
	ioapic_set_irq(pc->ioapic, gsi == PC_GSI_TIMER ? PC_IOAPIC_PIN_TIMER : gsi, level);
}

static void pc_intr(void *opaque, unsigned n, bool level)
{
	struct machine *m = opaque;

	m->accel->set_intr(m, level);
}

static void pc_wire_interrupts(struct machine *m, struct pc *pc)
{
	for (unsigned gsi = 0; gsi < MACHINE_GSIS; gsi++)
		irq_connect(&m->gsi[gsi], pc_gsi, pc, gsi);
	irq_connect(i8259_intr(pc->pic), pc_intr, m, 0);
	m->intack = i8259_intack;
	m->intack_opaque = pc->pic;
	m->eoi_broadcast = ioapic_eoi;
	m->eoi_opaque = pc->ioapic;
}

static bool pc_add_serials(struct machine *m, struct pc *pc, struct error *err)
{
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		struct device *dev;

		if (!m->config.serials[i])
			continue;
		dev = device_new(m, &serial_type, NULL);
		device_set_prop_num(dev, "index", i);
		device_set_prop_chardev(dev, "chardev", m->config.serials[i]);
		if (!device_realize(dev, err))
			return false;
		pc->acpi.serial_mask |= BIT(i);
	}
	return true;
}

/* What firmware decides on: where the ports are, and where it has put BARs. */
static void pc_refresh_acpi(struct machine *m)
{
	struct pc *pc = m->board;

	pc->acpi.pm_base = m->config.boot.bios ? piix4_pm_base(pc->pm) : PC_PM_BASE;
	pc->acpi.gpe0_base = pc->acpi.pm_base + PC_GPE0_OFFSET;
	pc->acpi.gpe0_bytes = PC_GPE0_BYTES;
	pc->acpi.pci_mem[0] =
		(struct acpi_range){MAX(m->ram.below_4g, PC_PCI_MEM_MIN), PC_IOAPIC_BASE};
	pc->acpi.pci_mem64 = acpi_pci_window64(m);
	pc->acpi.vmgenid = m->vmgenid;
}

static void pc_describe(struct machine *m, struct pc *pc)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		pc->apic_ids[i] = m->vcpus[i]->apic_id;
	pc->acpi.cpus = m->n_vcpus;
	pc->acpi.apic_ids = pc->apic_ids;
	pc->acpi.ioapic_addr = PC_IOAPIC_BASE;
	pc->acpi.sci_irq = PC_PM_SCI;
	pc->acpi.reset_port = PC_RESET_PORT;
	pc->acpi.reset_value = PC_RESET_VALUE;
	pc->acpi.pci = ACPI_PCI_I440FX;
	pc->acpi.vmgenid_gpe = PC_VMGENID_GPE;
	pc->acpi.has_8042 = true;
	pc->acpi.has_rtc = true;
	m->acpi = &pc->acpi;
	m->acpi_refresh = pc_refresh_acpi;
}

static bool pc_add_rom(struct machine *m, struct region *memory, struct error *err)
{
	struct device *rom;

	if (!m->config.boot.bios)
		return true;
	rom = device_new(m, &system_rom_type, NULL);
	if (!device_set_prop(rom, "file", m->config.boot.bios, err) || !device_realize(rom, err))
		return false;
	system_rom_map(rom, memory);
	return true;
}

/* The host bridge's ports hide the reset control register's, and it is told of them. */
static bool pc_add_pci(struct machine *m, struct pc *pc, struct error *err)
{
	struct device *reset = device_create_builtin(m, &reset_control_type);
	struct device *bridge = device_new(m, &i440fx_type, NULL);

	device_set_prop_num(bridge, "shadow", !m->config.boot.bios);
	if (!device_realize(bridge, err) || !pc_add_rom(m, &m->pci->mem, err))
		return false;
	i440fx_forward_narrow(bridge, reset_control_region(reset));
	device_create_builtin(m, &piix3_type);
	pc->pm = device_new(m, &piix4_pm_type, NULL);
	/* Where no firmware runs, the ports have to be in place. */
	device_set_prop_num(pc->pm, "pm-base", m->config.boot.bios ? 0 : PC_PM_BASE);
	if (!device_realize(pc->pm, err))
		return false;
	m->assign_resources = pci_assign_resources;
	return true;
}

/* SeaBIOS reads three nibbles, the first choice in the lowest: 1 floppy, 2 disk, 3 CD, 4 network. */
static void pc_set_boot_order(struct machine *m, const char *letters)
{
	static const char kinds[] = "?acdn";
	struct pc *pc = m->board;
	uint8_t nibbles[3] = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(nibbles) && letters[i]; i++)
		nibbles[i] = letters[i] == 'b' ? 1 : (uint8_t)(strchr(kinds, letters[i]) - kinds);
	mc146818_set_cmos(pc->rtc, PC_CMOS_BOOT_12, (uint8_t)(nibbles[1] << 4 | nibbles[0]));
	mc146818_set_cmos(pc->rtc, PC_CMOS_BOOT_3,
			  (uint8_t)(nibbles[2] << 4 | !m->config.boot.fd_check_off));
}

/* Where QEMU has it. Nothing that the guest could see hangs on -display. */
static bool pc_add_vga(struct machine *m, struct error *err)
{
	struct device *vga;

	if (m->config.vga == VGA_NONE || (m->config.vga == VGA_DEFAULT && m->config.nodefaults))
		return true;
	vga = device_new(m, &vga_pci_type, NULL);
	device_set_prop_num(vga, "addr", PCI_DEVFN(2, 0));
	return device_realize(vga, err);
}

static bool pc_init(struct machine *m, struct error *err)
{
	struct pc *pc = xzalloc(sizeof(*pc));

	m->board = pc;
	pc->machine = m;
	pc->pic = device_create_builtin(m, &i8259_type);
	pc->ioapic = device_create_builtin(m, &ioapic_type);
	pc_wire_interrupts(m, pc);
	device_create_builtin(m, &i8254_type);
	pc->rtc = device_create_builtin(m, &mc146818_type);
	m->set_boot_order = pc_set_boot_order;
	device_create_builtin(m, &port92_type);
	device_create_builtin(m, &i8042_type);
	m->fw_cfg = device_create_builtin(m, &fw_cfg_type);
	if (!pc_add_pci(m, pc, err) || !pc_add_vga(m, err) || !pc_add_serials(m, pc, err))
		return false;
	pc_describe(m, pc);
	return true;
}

const struct machine_type machine_pc = {
	.name = "pc",
	.alias = "pc-i440fx",
	.desc = "Standard PC (i440FX + PIIX)",
	.is_default = true,
	.firmware = "bios-256k.bin",
	.init = pc_init,
};
