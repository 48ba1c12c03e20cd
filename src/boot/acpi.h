/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables (ACPI 6.3, chapter 5) for a board that describes itself in struct acpi_board.
 *
 * The tables are built once, as a set of files that point at each other by offsets. From there two ways lead into the
 * guest: acpi_build links them for an address, where no firmware runs; acpi_loader.c hands them to firmware together with
 * the commands that link them wherever firmware puts them. Loop thread, and start-up.
 */
#ifndef EVMM_BOOT_ACPI_H
#define EVMM_BOOT_ACPI_H

#include "src/boot/aml.h"
#include "src/machine.h"

enum acpi_pci { ACPI_PCI_NONE, ACPI_PCI_I440FX, ACPI_PCI_Q35 };

/* An address range, END exclusive; empty when they are equal. */
struct acpi_range {
	uint64_t start, end;
};

#define ACPI_MAX_VIRTIO 8

/* A virtio transport in memory. */
struct acpi_virtio {
	uint32_t addr, gsi;
};

struct acpi_board {
	unsigned cpus;
	const uint32_t *apic_ids;
	uint32_t ioapic_id, ioapic_addr;
	uint16_t
		pm_base; /* PM1a_EVT; CNT at +4, timer at +8; 0: firmware has not put it anywhere */
	uint16_t gpe0_base;
	uint8_t gpe0_bytes; /* status and enable together; 0: none */
	uint8_t sci_irq;
	uint16_t reset_port; /* with value; FADT reset register */
	uint8_t reset_value;
	enum acpi_pci pci;
	struct acpi_range pci_mem[2], pci_mem64; /* what the root bus decodes */
	struct acpi_range mmconfig;		 /* with a MiB for each bus, from bus 0 on */
	unsigned serial_mask;			 /* COM ports present */
	bool has_8042, has_rtc, has_vga, has_fw_cfg;
	bool no_pic;
	bool has_s3, has_s4;
	uint32_t ged_addr, ged_gsi; /* address 0: none; else there is no fixed hardware */
	struct acpi_virtio virtio[ACPI_MAX_VIRTIO];
	unsigned n_virtio;
	uint32_t hpet_addr;	 /* 0: none */
	uint16_t pvpanic_port;	 /* 0: none */
	struct device *vmgenid;	 /* NULL: none */
	const struct numa *numa; /* NULL: one node, and no table of them */
	uint64_t below_4g;    /* with that: bytes of RAM from address 0 on; the rest is at 4 GiB */
	unsigned vmgenid_gpe; /* the general purpose event that tells of a new one */
};

/* One blob, linked for an address: RSDP first, tables after. */
struct acpi_tables {
	uint8_t *bytes;
	size_t n;
	gpa_t vmgenid; /* where the GUID is; 0: none */
	gpa_t facs;
};
struct acpi_tables acpi_build(const struct acpi_board *board, gpa_t gpa);

/* ---- files ---- */

enum acpi_file { ACPI_RSDP, ACPI_TABLES, ACPI_VMGENID, ACPI_FILES };

/* BYTES bytes at AT in FILE hold an offset in TARGET, and are to become the address of that. */
struct acpi_ref {
	enum acpi_file file, target;
	uint32_t at;
	uint8_t bytes;
};

/* The byte at AT makes the sum of N bytes from START on zero. */
struct acpi_sum {
	enum acpi_file file;
	uint32_t at, start, n;
};

#define ACPI_MAX_TABLES 24
#define ACPI_MAX_REFS	(2 * ACPI_MAX_TABLES + 16)

struct acpi_set {
	const struct acpi_board *board;
	struct aml files[ACPI_FILES];
	struct acpi_ref refs[ACPI_MAX_REFS];
	struct acpi_sum sums[ACPI_MAX_TABLES];
	unsigned n_refs, n_sums;
	uint32_t listed
		[ACPI_MAX_TABLES]; /* tables that RSDT and XSDT name, in the order of building */
	unsigned n_listed;
};

/* Where the GUID is in its file: so far in that nobody takes what stands before it for a table. */
#define ACPI_VMGENID_OFFSET 40
#define ACPI_VMGENID_BYTES  4096

void acpi_set_build(struct acpi_set *set, const struct acpi_board *board);
void acpi_set_free(struct acpi_set *set);

/* For what builds a table: its header (5.2.6), and its end. A table that is LISTED stands in RSDT and XSDT. */
size_t acpi_begin(struct acpi_set *set, const char *signature, uint8_t revision);
void acpi_end(struct acpi_set *set, size_t at, bool listed);
static inline struct aml *acpi_out(struct acpi_set *set)
{
	return &set->files[ACPI_TABLES];
}
/* The BYTES bytes at AT of the tables become the address of OFFSET in TARGET. */
void acpi_point(struct acpi_set *set, size_t at, uint8_t bytes, enum acpi_file target,
		uint64_t offset);

/* Of the FACS: where the guest goes on after a suspension, in real mode (5.2.10). */
#define ACPI_FACS_WAKING_VECTOR 12

/* The tables, a file each or a few together */
size_t acpi_add_dsdt(struct acpi_set *set);
void acpi_add_fadt(struct acpi_set *set, size_t facs, size_t dsdt);
/* Without fixed hardware: in the FADT's place, and what the DSDT has besides. */
void acpi_add_reduced_fadt(struct acpi_set *set, size_t dsdt);
void acpi_add_reduced_devices(struct acpi_set *set);
size_t acpi_add_facs(struct acpi_set *set);
void acpi_add_madt(struct acpi_set *set);
void acpi_add_hpet(struct acpi_set *set);
void acpi_add_mcfg(struct acpi_set *set);
void acpi_add_srat(struct acpi_set *set);
void acpi_add_slit(struct acpi_set *set);
void acpi_add_waet(struct acpi_set *set);
void acpi_add_vmgenid(struct acpi_set *set);

/* ---- to firmware ---- */

/* Adds the files and the commands to fw_cfg; they are made anew when firmware selects them. */
bool acpi_loader_add(struct machine *m, struct error *err);

#endif
