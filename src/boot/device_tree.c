/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree of a microvm, made with libfdt:
 *
 *	/chosen			bootargs
 *	/memory@0		reg
 *	/cpus/cpu@N		device_type, reg (APIC id)
 *	/lapic@fee00000		intel,ce4100-lapic
 *	/ioapic@fec00000	intel,ce4100-ioapic; two cells: pin, 0 edge high or 1 level low (x86's binding)
 *	/virtio_mmio@ADDR	virtio,mmio
 *	/serial@3f8		ns16550a
 */
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "devices/virtio/virtio_mmio.h"
#include "src/boot/device_tree.h"
#include "src/boot/firmware.h"

#define TREE_BYTES	(64 * KiB)
#define TREE_MAX	(2 * MiB) /* of -dtb */
#define LAPIC_ADDR	0xfee00000
#define APIC_BYTES	0x1000
#define PHANDLE_IOAPIC	1
#define INTERRUPT_EDGE	1 /* low to high */
#define INTERRUPT_LEVEL 4 /* high */
#define COM1_PORT	0x3f8
#define COM1_IRQ	4
#define COM1_CLOCK	1843200

struct tree {
	void *fdt;
	int ret; /* the first error of libfdt's */
};

static void note(struct tree *t, int ret)
{
	if (ret < 0 && t->ret >= 0)
		t->ret = ret;
}

static int add_node(struct tree *t, int parent, const char *name)
{
	int node = fdt_add_subnode(t->fdt, parent, name);

	note(t, node);
	return node < 0 ? 0 : node;
}

static void put_string(struct tree *t, int node, const char *name, const char *value)
{
	note(t, fdt_setprop_string(t->fdt, node, name, value));
}

static void put_cell(struct tree *t, int node, const char *name, uint32_t value)
{
	note(t, fdt_setprop_u32(t->fdt, node, name, value));
}

/* Two cells of address, two of size. */
static void put_reg(struct tree *t, int node, uint64_t addr, uint64_t bytes)
{
	const fdt64_t reg[] = {cpu_to_fdt64(addr), cpu_to_fdt64(bytes)};

	note(t, fdt_setprop(t->fdt, node, "reg", reg, sizeof(reg)));
}

static void put_interrupt(struct tree *t, int node, uint32_t pin, uint32_t kind)
{
	const fdt32_t cells[] = {cpu_to_fdt32(pin), cpu_to_fdt32(kind)};

	put_cell(t, node, "interrupt-parent", PHANDLE_IOAPIC);
	note(t, fdt_setprop(t->fdt, node, "interrupts", cells, sizeof(cells)));
}

static void add_memory(struct tree *t, const struct machine *m)
{
	fdt64_t reg[] = {0, cpu_to_fdt64(m->ram.below_4g), cpu_to_fdt64(4 * GiB),
			 cpu_to_fdt64(m->ram.above_4g)};
	int node = add_node(t, 0, "memory@0");

	put_string(t, node, "device_type", "memory");
	note(t, fdt_setprop(t->fdt, node, "reg", reg,
			    m->ram.above_4g ? sizeof(reg) : sizeof(reg) / 2));
}

static void add_cpus(struct tree *t, const struct acpi_board *b)
{
	int cpus = add_node(t, 0, "cpus");

	put_cell(t, cpus, "#address-cells", 1);
	put_cell(t, cpus, "#size-cells", 0);
	for (unsigned i = b->cpus; i-- > 0;) {
		char name[24];
		int node;

		snprintf(name, sizeof(name), "cpu@%x", b->apic_ids[i]);
		node = add_node(t, cpus, name);
		put_string(t, node, "device_type", "cpu");
		put_string(t, node, "compatible", "intel,ce4100");
		put_cell(t, node, "reg", b->apic_ids[i]);
	}
}

static void add_interrupts(struct tree *t, const struct acpi_board *b)
{
	char name[24];
	int node = add_node(t, 0, "lapic@fee00000");

	put_string(t, node, "compatible", "intel,ce4100-lapic");
	put_reg(t, node, LAPIC_ADDR, APIC_BYTES);
	snprintf(name, sizeof(name), "ioapic@%x", b->ioapic_addr);
	node = add_node(t, 0, name);
	put_string(t, node, "compatible", "intel,ce4100-ioapic");
	put_reg(t, node, b->ioapic_addr, APIC_BYTES);
	note(t, fdt_setprop(t->fdt, node, "interrupt-controller", NULL, 0));
	put_cell(t, node, "#interrupt-cells", 2);
	put_cell(t, node, "#address-cells", 2);
	put_cell(t, node, "phandle", PHANDLE_IOAPIC);
}

static void add_devices(struct tree *t, const struct acpi_board *b)
{
	for (unsigned i = b->n_virtio; i-- > 0;) {
		char name[32];
		int node;

		snprintf(name, sizeof(name), "virtio_mmio@%x", b->virtio[i].addr);
		node = add_node(t, 0, name);
		put_string(t, node, "compatible", "virtio,mmio");
		put_reg(t, node, b->virtio[i].addr, VIRTIO_MMIO_BYTES);
		put_interrupt(t, node, b->virtio[i].gsi, INTERRUPT_LEVEL);
		note(t, fdt_setprop(t->fdt, node, "dma-coherent", NULL, 0));
	}
	if (b->serial_mask & 1) {
		int node = add_node(t, 0, "serial@3f8");

		put_string(t, node, "compatible", "ns16550a");
		put_reg(t, node, COM1_PORT, 8);
		put_cell(t, node, "clock-frequency", COM1_CLOCK);
		put_interrupt(t, node, COM1_IRQ, INTERRUPT_EDGE);
	}
}

static void fill(struct tree *t, const struct machine *m, const struct acpi_board *b,
		 const char *cmdline)
{
	int chosen;

	note(t, fdt_create_empty_tree(t->fdt, TREE_BYTES));
	if (t->ret < 0)
		return;
	put_string(t, 0, "model", "evmm microvm");
	put_string(t, 0, "compatible", "linux,microvm");
	put_cell(t, 0, "#address-cells", 2);
	put_cell(t, 0, "#size-cells", 2);
	/* Each new node goes before those that are there. */
	add_devices(t, b);
	add_interrupts(t, b);
	add_cpus(t, b);
	add_memory(t, m);
	chosen = add_node(t, 0, "chosen");
	put_string(t, chosen, "bootargs", cmdline ? cmdline : "");
	note(t, fdt_pack(t->fdt));
}

bool device_tree_build(struct machine *m, const struct acpi_board *b, const char *cmdline,
		       struct error *err)
{
	struct tree t = {.fdt = xzalloc(TREE_BYTES)};

	fill(&t, m, b, cmdline);
	if (t.ret < 0) {
		free(t.fdt);
		return error_set(err, "the device tree cannot be built: %s", fdt_strerror(t.ret));
	}
	free(m->device_tree);
	m->device_tree = t.fdt;
	m->device_tree_bytes = fdt_totalsize(t.fdt);
	return true;
}

bool device_tree_dump(struct machine *m, const char *file, struct error *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	ssize_t n;

	if (fd < 0)
		return error_set_errno(err, errno, "-machine dumpdtb=%s", file);
	n = write(fd, m->device_tree, m->device_tree_bytes);
	if (close(fd) < 0 || n != (ssize_t)m->device_tree_bytes)
		return error_set_errno(err, n < 0 ? errno : EIO, "-machine dumpdtb=%s", file);
	return true;
}

bool device_tree_read(struct machine *m, struct error *err)
{
	const char *file = m->config.dtb;
	uint64_t n = 0;
	uint8_t *tree = firmware_read("-dtb", file, TREE_MAX, &n, err);

	if (!tree)
		return false;
	if (n < sizeof(struct fdt_header) || fdt_check_header(tree) < 0 ||
	    fdt_totalsize(tree) > n) {
		free(tree);
		return error_set(err, "-dtb %s: is not a flattened device tree, or is truncated",
				 file);
	}
	free(m->device_tree);
	m->device_tree = tree;
	m->device_tree_bytes = n;
	return true;
}
