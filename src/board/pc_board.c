/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boards of the PC family share. */
#include "devices/block/floppy.h"
#include "devices/char/serial.h"
#include "devices/chipset/chipset.h"
#include "devices/chipset/fw_cfg.h"
#include "devices/chipset/hpet.h"
#include "devices/chipset/i8257.h"
#include "devices/display/vga.h"
#include "devices/input/i8042.h"
#include "devices/pci/pci.h"
#include "src/board/disks.h"
#include "src/board/firmware.h"
#include "src/board/pc_board.h"
#include "src/drive.h"

#define CMOS_SHUTDOWN	     0x0f
#define CMOS_SHUTDOWN_RESUME 0xfe

#define CMOS_BOOT_12 0x3d
#define CMOS_BOOT_3  0x38

#define WINDOW_ALIGN (1 * GiB)
#define WINDOW_BYTES (32 * GiB)

/* SeaBIOS reads three nibbles, the first choice in the lowest: 1 floppy, 2 disk, 3 CD, 4 network. */
static void set_boot_order(struct machine *m, const char *letters)
{
	static const char kinds[] = "?acdn";
	struct pc_board *pc = m->board;
	uint8_t nibbles[3] = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(nibbles) && letters[i]; i++)
		nibbles[i] = letters[i] == 'b' ? 1 : (uint8_t)(strchr(kinds, letters[i]) - kinds);
	mc146818_set_cmos(pc->rtc, CMOS_BOOT_12, (uint8_t)(nibbles[1] << 4 | nibbles[0]));
	mc146818_set_cmos(pc->rtc, CMOS_BOOT_3,
			  (uint8_t)(nibbles[2] << 4 | !m->config.boot.fd_check_off));
}

/* Firmware that finds this goes on where the FACS says. */
static void suspending(struct machine *m)
{
	struct pc_board *pc = m->board;

	mc146818_set_cmos(pc->rtc, CMOS_SHUTDOWN, CMOS_SHUTDOWN_RESUME);
}

struct pc_board *pc_board_new(struct machine *m)
{
	struct pc_board *pc = xzalloc(sizeof(*pc));

	m->board = pc;
	pc->machine = m;
	pc_irq_create(&pc->irqs, m);
	pc->rtc = device_create_builtin(m, &mc146818_type);
	m->set_boot_order = set_boot_order;
	m->suspending = suspending;
	device_create_builtin(m, &port92_type);
	device_create_builtin(m, &i8042_type);
	device_create_builtin(m, &i8257_type);
	m->fw_cfg = device_create_builtin(m, &fw_cfg_type);
	m->config.boot.firmware = machine_has_firmware(m);
	return pc;
}

bool pc_board_add_hpet(struct machine *m, uint32_t pins, struct error *err)
{
	struct pc_board *pc = m->board;
	struct device *hpet;

	if (m->config.no_hpet)
		return true;
	hpet = device_new(m, &hpet_type, NULL);
	device_set_prop_num(hpet, "hpet-intcap", pins);
	hpet_wire(hpet, pc->irqs.pit, pc->rtc);
	pc->acpi.hpet_addr = HPET_BASE;
	return device_realize(hpet, err);
}

bool pc_board_add_vga(struct machine *m, unsigned slot, struct error *err)
{
	struct device *vga;

	if (m->config.vga == VGA_NONE || (m->config.vga == VGA_DEFAULT && m->config.nodefaults))
		return true;
	vga = device_new(m, &vga_pci_type, NULL);
	device_set_prop_num(vga, "addr", PCI_DEVFN(slot, 0));
	return device_realize(vga, err);
}

bool pc_board_add_serials(struct machine *m, struct error *err)
{
	struct pc_board *pc = m->board;

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

bool pc_board_add_floppies(struct machine *m, bool always, struct error *err)
{
	if (always || drive_get(m, DRIVE_IF_FLOPPY, 0, 0) || drive_get(m, DRIVE_IF_FLOPPY, 0, 1))
		device_create_builtin(m, &isa_fdc_type);
	return machine_add_floppies(m, err);
}

void pc_board_ready(struct machine *m)
{
	struct pc_board *pc = m->board;

	machine_describe_disks(m, pc->rtc);
}

void pc_board_describe(struct machine *m, void (*refresh)(struct machine *m))
{
	struct pc_board *pc = m->board;

	for (unsigned i = 0; i < m->n_vcpus; i++)
		pc->apic_ids[i] = m->vcpus[i]->apic_id;
	pc->acpi.cpus = m->n_vcpus;
	pc->acpi.apic_ids = pc->apic_ids;
	pc->acpi.ioapic_addr = PC_IRQ_IOAPIC_BASE;
	pc->acpi.sci_irq = PC_PM_SCI;
	pc->acpi.reset_port = PC_RESET_PORT;
	pc->acpi.reset_value = PC_RESET_VALUE;
	pc->acpi.has_8042 = true;
	pc->acpi.has_rtc = true;
	pc->acpi.numa = m->config.numa;
	pc->acpi.below_4g = m->ram.below_4g;
	m->acpi = &pc->acpi;
	m->acpi_refresh = refresh;
}

/* ---- the 64-bit window of the root bus ---- */

static void include(struct acpi_range *r, uint64_t at, uint64_t bytes)
{
	r->start = MIN(r->start, ALIGN_DOWN(at, WINDOW_ALIGN));
	r->end = MAX(r->end, ALIGN_UP(at + bytes, WINDOW_ALIGN));
}

/* What is decoded behind bridges lies within their windows, but the BARs say it as well. */
static void include_bus(struct acpi_range *r, const struct pci_bus *bus)
{
	for (unsigned devfn = 0; devfn < PCI_FUNCTIONS; devfn++) {
		const struct pci_device *pci = bus->devices[devfn];

		for (unsigned n = 0; pci && n < PCI_BARS; n++) {
			uint64_t at = pci->bars[n].region ? pci_bar_address(pci, n) : UINT64_MAX;

			if (at != UINT64_MAX && at >= 4 * GiB && !(pci->bars[n].flags & PCI_BAR_IO))
				include(r, at, pci->bars[n].region->size);
		}
	}
	list_for_each(it, &bus->children)
		include_bus(r, list_entry(it, struct pci_bus, node));
}

static struct acpi_range window64(const struct machine *m)
{
	uint64_t start = ALIGN_UP(4 * GiB + m->ram.above_4g, WINDOW_ALIGN);
	struct acpi_range r = {start, start + WINDOW_BYTES};

	include_bus(&r, m->pci);
	r.start = MAX(r.start, start); /* RAM is nobody's window */
	return r;
}

void pc_board_refresh(struct machine *m)
{
	struct pc_board *pc = m->board;

	pc->acpi.pci_mem64 = window64(m);
	pc->acpi.vmgenid = m->vmgenid;
	pc->acpi.has_s3 = m->has_s3;
	pc->acpi.has_s4 = m->has_s4;
	pc->acpi.pvpanic_port = m->pvpanic_port;
	pc->acpi.has_fw_cfg = m->fw_cfg != NULL;
	pc->acpi.has_vga = m->boot_screen != NULL;
}
