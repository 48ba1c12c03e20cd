/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `microvm` board: processors, their interrupt controllers, a serial port, and virtio transports in memory. A list of
 * parts. There is neither PCI nor firmware; a kernel is told by hardware-reduced ACPI, by a device tree, and, with acpi=off,
 * by an MP table and on its command line.
 *
 *	address		what			GSI
 *	FEA00000	acpi-ged		9
 *	FEB00000	virtio-mmio, 8 of them	16 to 23; with acpi=off 5 to 12
 */
#include <stdio.h>
#include <stdlib.h>
#include "devices/char/serial.h"
#include "devices/chipset/acpi_ged.h"
#include "devices/chipset/chipset.h"
#include "devices/virtio/virtio_mmio.h"
#include "src/board/pc_irq.h"
#include "src/boot/device_tree.h"
#include "src/drive.h"

#define MICROVM_GED	     0xfea00000
#define MICROVM_GED_GSI	     9
#define MICROVM_VIRTIO	     0xfeb00000
#define MICROVM_VIRTIO_GSI   16
#define MICROVM_VIRTIO_IRQ   5 /* instead, where no table tells of the IOAPIC */
#define MICROVM_TRANSPORTS   8
#define VIRTIO_CMDLINE_BYTES 64

/* m->board */
struct microvm {
	struct pc_irq irqs;
	struct acpi_board acpi;
	uint32_t apic_ids[MACHINE_MAX_VCPUS];
	struct device *transports[MICROVM_TRANSPORTS];
	char cmdline[4096 + MICROVM_TRANSPORTS * VIRTIO_CMDLINE_BYTES];
};

static bool has_rtc(const struct machine *m)
{
	return m->config.microvm.rtc || (!m->config.microvm.no_rtc && m->accel != &accel_kvm);
}

static unsigned first_gsi(const struct machine *m)
{
	return m->config.acpi ? MICROVM_VIRTIO_GSI : MICROVM_VIRTIO_IRQ;
}

static bool add_transports(struct machine *m, struct microvm *vm, struct error *err)
{
	for (unsigned i = 0; i < MICROVM_TRANSPORTS; i++) {
		vm->transports[i] = virtio_mmio_create(m, i, MICROVM_VIRTIO + i * VIRTIO_MMIO_BYTES,
						       first_gsi(m) + i, err);
		if (!vm->transports[i])
			return false;
	}
	return true;
}

static bool add_serial(struct machine *m, struct microvm *vm, struct error *err)
{
	struct device *dev;

	if (!m->config.serials[0] || m->config.microvm.no_isa_serial)
		return true;
	dev = device_new(m, &serial_type, NULL);
	device_set_prop_num(dev, "index", 0);
	device_set_prop_chardev(dev, "chardev", m->config.serials[0]);
	vm->acpi.serial_mask = 1;
	return device_realize(dev, err);
}

/* Transports with nothing behind them are not worth a guest's look. */
static void describe_virtio(struct machine *m, struct microvm *vm)
{
	vm->acpi.n_virtio = 0;
	for (unsigned i = 0; i < MICROVM_TRANSPORTS; i++)
		if (virtio_mmio_in_use(vm->transports[i]))
			vm->acpi.virtio[vm->acpi.n_virtio++] = (struct acpi_virtio){
				MICROVM_VIRTIO + i * VIRTIO_MMIO_BYTES, first_gsi(m) + i};
}

static void refresh_acpi(struct machine *m)
{
	struct microvm *vm = m->board;

	describe_virtio(m, vm);
	vm->acpi.pvpanic_port = m->pvpanic_port;
}

static void describe(struct machine *m, struct microvm *vm)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vm->apic_ids[i] = m->vcpus[i]->apic_id;
	vm->acpi.cpus = m->n_vcpus;
	vm->acpi.apic_ids = vm->apic_ids;
	vm->acpi.ioapic_addr = PC_IRQ_IOAPIC_BASE;
	vm->acpi.sci_irq = MICROVM_GED_GSI;
	vm->acpi.ged_addr = MICROVM_GED;
	vm->acpi.ged_gsi = MICROVM_GED_GSI;
	vm->acpi.has_rtc = has_rtc(m);
	vm->acpi.no_pic = m->config.microvm.no_pic;
	m->acpi = &vm->acpi;
	m->acpi_refresh = refresh_acpi;
}

/*
 * As firmware leaves the 8259s: initialized, all masked. A kernel that finds hardware-reduced ACPI takes it that there are
 * none, and the 8254 counts from power-on.
 */
static void mask_pics(struct machine *m)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} writes[] = {{0x20, 0x11}, {0x21, 0x08}, {0x21, 0x04}, {0x21, 0x01}, {0x21, 0xff},
		      {0xa0, 0x11}, {0xa1, 0x70}, {0xa1, 0x02}, {0xa1, 0x01}, {0xa1, 0xff}};

	for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
		as_write(&m->io, writes[i].port, writes[i].value, 1);
}

static bool microvm_init(struct machine *m, struct error *err)
{
	struct microvm *vm = xzalloc(sizeof(*vm));

	m->board = vm;
	if (!pc_irq_create_some(&vm->irqs, m, !m->config.microvm.no_pic, !m->config.microvm.no_pit,
				err))
		return false;
	if (has_rtc(m))
		device_create_builtin(m, &mc146818_type);
	acpi_ged_create(m, MICROVM_GED, MICROVM_GED_GSI);
	if (!add_serial(m, vm, err) || !add_transports(m, vm, err))
		return false;
	describe(m, vm);
	m->assign_resources = mask_pics;
	return true;
}

/* What no table tells, the command line does (Linux's virtio_mmio.device=). */
static bool complete_cmdline(struct machine *m, struct microvm *vm, struct error *err)
{
	const char *append = m->config.append ? m->config.append : "";
	size_t n = strlen(append);

	if (m->config.acpi || m->config.microvm.no_auto_cmdline || !vm->acpi.n_virtio)
		return true;
	if (n >= sizeof(vm->cmdline) - MICROVM_TRANSPORTS * VIRTIO_CMDLINE_BYTES)
		return error_set(err, "-append: %zu characters are too many", n);
	memcpy(vm->cmdline, append, n);
	for (unsigned i = 0; i < vm->acpi.n_virtio; i++)
		n += (size_t)snprintf(vm->cmdline + n, VIRTIO_CMDLINE_BYTES,
				      " virtio_mmio.device=%u@0x%x:%u", VIRTIO_MMIO_BYTES,
				      vm->acpi.virtio[i].addr, vm->acpi.virtio[i].gsi);
	m->config.append = vm->cmdline;
	return true;
}

static bool microvm_before_boot(struct machine *m, struct error *err)
{
	struct microvm *vm = m->board;

	describe_virtio(m, vm);
	if (!complete_cmdline(m, vm, err) ||
	    !device_tree_build(m, &vm->acpi, m->config.append, err))
		return false;
	if (!m->config.dumpdtb)
		return true;
	if (device_tree_dump(m, m->config.dumpdtb, err))
		exit(0);
	return false;
}

const struct machine_type machine_microvm = {
	.name = "microvm",
	.desc = "microvm (i386)",
	.default_drive = DRIVE_IF_VIRTIO,
	.init = microvm_init,
	.before_boot = microvm_before_boot,
};
