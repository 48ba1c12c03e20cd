/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables (ACPI 6.3, chapter 5) for a board that describes itself in struct acpi_board: RSDP,
 * RSDT, XSDT, FADT, FACS, MADT, and a DSDT with what the guest cannot find by probing. One blob, in
 * this order:
 *
 *	RSDP | FACS (64-byte aligned) | DSDT | FADT | MADT | RSDT | XSDT
 *
 * There is no SMI command port: the machine is in ACPI mode from reset on, PM1_CNT.SCI_EN reads as
 * set.
 */
#include <stdlib.h>
#include "src/boot/aml.h"
#include "src/boot/boot.h"

#define LAPIC_ADDR   0xfee00000u
#define RSDP_BYTES   36
#define FACS_OFFSET  64
#define FACS_BYTES   64
#define FADT_BYTES   244
#define HEADER_BYTES 36

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10
};

/* MPS INTI flags of MADT entries (5.2.12.5) */
#define INTI_BUS_DEFAULT 0
#define INTI_LEVEL_HIGH	 0xd

/* FADT (5.2.9), offsets */
enum {
	FADT_FIRMWARE_CTRL = 36,
	FADT_DSDT = 40,
	FADT_SCI_INT = 46,
	FADT_PM1A_EVT_BLK = 56,
	FADT_PM1A_CNT_BLK = 64,
	FADT_PM_TMR_BLK = 76,
	FADT_PM1_EVT_LEN = 88,
	FADT_PM1_CNT_LEN = 89,
	FADT_PM_TMR_LEN = 91,
	FADT_P_LVL2_LAT = 96,
	FADT_P_LVL3_LAT = 98,
	FADT_CENTURY = 108,
	FADT_IAPC_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_EVT_BLK = 148,
	FADT_X_PM1A_CNT_BLK = 172,
	FADT_X_PM_TMR_BLK = 208,
};

#define FADT_FLAG_WBINVD     BIT(0)
#define FADT_FLAG_PROC_C1    BIT(2)
#define FADT_FLAG_SLP_BUTTON BIT(5) /* no fixed sleep button */
#define FADT_FLAG_FIX_RTC    BIT(6) /* no RTC wake status in the fixed registers */
#define FADT_FLAG_RESET_REG  BIT(10)

#define BOOT_ARCH_LEGACY_DEVICES BIT(0)
#define BOOT_ARCH_8042		 BIT(1)
#define BOOT_ARCH_NO_VGA	 BIT(2)
#define BOOT_ARCH_NO_RTC	 BIT(5)

#define CMOS_CENTURY 0x32

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

static void align(struct aml *a, size_t to)
{
	while (a->n % to)
		aml_u8(a, 0);
}

/* The common header (5.2.6); the result goes to end_table. */
static size_t begin_table(struct aml *a, const char *signature, uint8_t revision)
{
	char id[9] = "EVMM";
	size_t at;

	align(a, 16);
	at = a->n;
	memcpy(id + 4, signature, 4);
	aml_raw(a, signature, 4);
	aml_u32(a, 0);
	aml_u8(a, revision);
	aml_u8(a, 0);
	aml_raw(a, "EVMM  ", 6);
	aml_raw(a, id, 8);
	aml_u32(a, 1);
	aml_raw(a, "EVMM", 4);
	aml_u32(a, 1);
	return at;
}

static void end_table(struct aml *a, size_t at)
{
	stn_le(a->bytes + at + 4, 4, a->n - at);
	a->bytes[at + 9] = (uint8_t)-sum(a->bytes + at, a->n - at);
}

/* ---- DSDT ---- */

static void add_device_ids(struct aml *a, const char *hid, unsigned uid)
{
	aml_name_decl(a, "_HID");
	aml_eisaid(a, hid);
	aml_name_int(a, "_UID", uid);
}

static void add_serial(struct aml *a, unsigned n)
{
	static const uint16_t ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	static const uint8_t irqs[] = {4, 3, 4, 3};
	char name[] = {'C', 'O', 'M', (char)('1' + n), 0};
	size_t dev = aml_device(a, name);
	struct aml_resources crs;

	add_device_ids(a, "PNP0501", n + 1);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, ports[n], 8);
	aml_irq(a, irqs[n]);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_8042(struct aml *a)
{
	size_t dev = aml_device(a, "KBD");
	struct aml_resources crs;

	add_device_ids(a, "PNP0303", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, 0x60, 1);
	aml_io(a, 0x64, 1);
	aml_irq(a, 1);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_rtc(struct aml *a)
{
	size_t dev = aml_device(a, "RTC");
	struct aml_resources crs;

	add_device_ids(a, "PNP0B00", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, 0x70, 2);
	aml_irq(a, 8);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

/* The power management ports are nobody else's. */
static void add_motherboard(struct aml *a, const struct acpi_board *b)
{
	size_t dev = aml_device(a, "MBRD");
	struct aml_resources crs;

	add_device_ids(a, "PNP0C02", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, b->pm_base, 0x40);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_cpus(struct aml *a, const struct acpi_board *b)
{
	static const char hex[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < b->cpus; i++) {
		char name[] = {'C', hex[i >> 8 & 15], hex[i >> 4 & 15], hex[i & 15], 0};
		size_t dev = aml_device(a, name);

		aml_name_decl(a, "_HID");
		aml_string(a, "ACPI0007");
		aml_name_int(a, "_UID", i);
		aml_end(a, dev);
	}
}

/* Address space descriptors (6.4.3.5): produced by the bridge, fixed, positive decode. */
static void add_word_space(struct aml *a, uint8_t type, uint8_t flags, uint16_t first,
			   uint16_t last)
{
	aml_u8(a, 0x88);
	aml_u16(a, 13);
	aml_u8(a, type);
	aml_u8(a, 0x0c);
	aml_u8(a, flags);
	aml_u16(a, 0);
	aml_u16(a, first);
	aml_u16(a, last);
	aml_u16(a, 0);
	aml_u16(a, (uint16_t)(last - first + 1));
}

static void add_dword_memory(struct aml *a, uint8_t flags, uint32_t first, uint32_t last)
{
	aml_u8(a, 0x87);
	aml_u16(a, 23);
	aml_u8(a, 0); /* memory */
	aml_u8(a, 0x0c);
	aml_u8(a, flags);
	aml_u32(a, 0);
	aml_u32(a, first);
	aml_u32(a, last);
	aml_u32(a, 0);
	aml_u32(a, last - first + 1);
}

#define SPACE_IO	1
#define SPACE_BUS	2
#define IO_ENTIRE_RANGE 3
#define MEM_WRITE	1
#define MEM_CACHEABLE	2

static void add_pci_resources(struct aml *a, const struct acpi_board *b)
{
	struct aml_resources crs;

	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	add_word_space(a, SPACE_BUS, 0, 0, 255);
	aml_io(a, 0xcf8, 8);
	add_word_space(a, SPACE_IO, IO_ENTIRE_RANGE, 0, 0xcf7);
	add_word_space(a, SPACE_IO, IO_ENTIRE_RANGE, 0xd00, 0xffff);
	add_dword_memory(a, MEM_WRITE | MEM_CACHEABLE, 0xa0000, 0xbffff);
	add_dword_memory(a, MEM_WRITE, b->pci_mmio_base, b->ioapic_addr - 1);
	aml_resources_end(a, crs);
}

static unsigned pirq_gsi(const struct acpi_board *b, unsigned pirq)
{
	return b->pirq_gsi[pirq] ? b->pirq_gsi[pirq] : 10 + pirq / 2;
}

/* INTx of a slot goes to PIRQ (slot + x - 1) mod 4, as the i440FX board is wired. */
static void add_prt(struct aml *a, const struct acpi_board *b)
{
	size_t prt;

	aml_name_decl(a, "_PRT");
	prt = aml_package(a, 32 * 4);
	for (unsigned slot = 0; slot < 32; slot++) {
		for (unsigned pin = 0; pin < 4; pin++) {
			size_t route = aml_package(a, 4);

			aml_int(a, slot << 16 | 0xffff);
			aml_int(a, pin);
			aml_int(a, 0);
			aml_int(a, pirq_gsi(b, (slot + pin + 3) % 4));
			aml_end(a, route);
		}
	}
	aml_end(a, prt);
}

static void add_pci(struct aml *a, const struct acpi_board *b)
{
	size_t dev = aml_device(a, "PCI0");

	add_device_ids(a, "PNP0A03", 0);
	aml_name_int(a, "_BBN", 0);
	add_pci_resources(a, b);
	add_prt(a, b);
	aml_end(a, dev);
}

static size_t add_dsdt(struct aml *a, const struct acpi_board *b)
{
	size_t at = begin_table(a, "DSDT", 2), sb, s5;

	sb = aml_scope(a, "\\_SB");
	add_cpus(a, b);
	if (b->has_pci)
		add_pci(a, b);
	if (b->pm_base)
		add_motherboard(a, b);
	for (unsigned i = 0; i < 4; i++)
		if (b->serial_mask & (1u << i))
			add_serial(a, i);
	if (b->has_8042)
		add_8042(a);
	if (b->has_rtc)
		add_rtc(a);
	aml_end(a, sb);

	/* Soft off: SLP_TYP 0, as the PIIX4 has it. */
	aml_name_decl(a, "\\_S5");
	s5 = aml_package(a, 4);
	for (unsigned i = 0; i < 4; i++)
		aml_int(a, 0);
	aml_end(a, s5);
	end_table(a, at);
	return at;
}

/* ---- FADT, FACS, MADT ---- */

/* Generic address structure (5.2.3.2), in I/O space */
static void put_gas(uint8_t *p, uint16_t port, unsigned bits)
{
	p[0] = 1;
	p[1] = (uint8_t)bits;
	p[2] = 0;
	p[3] = bits == 8 ? 1 : bits == 16 ? 2 : 3;
	stn_le(p + 4, 8, port);
}

static size_t add_fadt(struct aml *a, const struct acpi_board *b, gpa_t facs, gpa_t dsdt)
{
	static const uint8_t zeroes[FADT_BYTES - HEADER_BYTES];
	size_t at = begin_table(a, "FACP", 3);
	unsigned boot_arch = BOOT_ARCH_LEGACY_DEVICES | BOOT_ARCH_NO_VGA;
	uint32_t flags =
		FADT_FLAG_WBINVD | FADT_FLAG_PROC_C1 | FADT_FLAG_SLP_BUTTON | FADT_FLAG_FIX_RTC;
	uint8_t *t;

	aml_raw(a, zeroes, sizeof(zeroes));
	t = a->bytes + at;
	stn_le(t + FADT_FIRMWARE_CTRL, 4, facs);
	stn_le(t + FADT_DSDT, 4, dsdt);
	stn_le(t + FADT_X_DSDT, 8, dsdt);
	stn_le(t + FADT_SCI_INT, 2, b->sci_irq);
	stn_le(t + FADT_PM1A_EVT_BLK, 4, b->pm_base);
	stn_le(t + FADT_PM1A_CNT_BLK, 4, b->pm_base + 4);
	stn_le(t + FADT_PM_TMR_BLK, 4, b->pm_base + 8);
	t[FADT_PM1_EVT_LEN] = 4;
	t[FADT_PM1_CNT_LEN] = 2;
	t[FADT_PM_TMR_LEN] = 4;
	put_gas(t + FADT_X_PM1A_EVT_BLK, b->pm_base, 32);
	put_gas(t + FADT_X_PM1A_CNT_BLK, b->pm_base + 4, 16);
	put_gas(t + FADT_X_PM_TMR_BLK, b->pm_base + 8, 32);
	/* Latencies too long to be used: neither C2 nor C3. */
	stn_le(t + FADT_P_LVL2_LAT, 2, 0xfff);
	stn_le(t + FADT_P_LVL3_LAT, 2, 0xfff);
	if (b->has_rtc)
		t[FADT_CENTURY] = CMOS_CENTURY;
	else
		boot_arch |= BOOT_ARCH_NO_RTC;
	if (b->has_8042)
		boot_arch |= BOOT_ARCH_8042;
	stn_le(t + FADT_IAPC_BOOT_ARCH, 2, boot_arch);
	if (b->reset_port) {
		flags |= FADT_FLAG_RESET_REG;
		put_gas(t + FADT_RESET_REG, b->reset_port, 8);
		t[FADT_RESET_VALUE] = b->reset_value;
	}
	stn_le(t + FADT_FLAGS, 4, flags);
	end_table(a, at);
	return at;
}

static void add_facs(struct aml *a)
{
	uint8_t facs[FACS_BYTES] = "FACS";

	stn_le(facs + 4, 4, FACS_BYTES);
	facs[32] = 1; /* version */
	while (a->n < FACS_OFFSET)
		aml_u8(a, 0);
	aml_raw(a, facs, sizeof(facs));
}

static bool add_madt_cpu(struct aml *a, unsigned uid, uint32_t apic_id)
{
	bool x2apic = apic_id >= 255;

	aml_u8(a, x2apic ? MADT_X2APIC : MADT_LAPIC);
	aml_u8(a, x2apic ? 16 : 8);
	if (x2apic) {
		aml_u16(a, 0);
		aml_u32(a, apic_id);
		aml_u32(a, 1); /* enabled */
		aml_u32(a, uid);
	} else {
		aml_u8(a, (uint8_t)uid);
		aml_u8(a, (uint8_t)apic_id);
		aml_u32(a, 1);
	}
	return x2apic;
}

static void add_madt_override(struct aml *a, unsigned irq, unsigned gsi, uint16_t flags)
{
	aml_u8(a, MADT_OVERRIDE);
	aml_u8(a, 10);
	aml_u8(a, 0); /* ISA */
	aml_u8(a, (uint8_t)irq);
	aml_u32(a, gsi);
	aml_u16(a, flags);
}

static void add_madt_nmi(struct aml *a, bool x2apic)
{
	aml_u8(a, x2apic ? MADT_X2APIC_NMI : MADT_LAPIC_NMI);
	aml_u8(a, x2apic ? 12 : 6);
	if (x2apic) {
		aml_u16(a, INTI_BUS_DEFAULT);
		aml_u32(a, 0xffffffff); /* all processors */
		aml_u32(a, 1);		/* LINT1, and three bytes that are reserved */
	} else {
		aml_u8(a, 0xff);
		aml_u16(a, INTI_BUS_DEFAULT);
		aml_u8(a, 1);
	}
}

static size_t add_madt(struct aml *a, const struct acpi_board *b)
{
	size_t at = begin_table(a, "APIC", 3);
	unsigned level_irqs = 1u << b->sci_irq;
	bool any_x2apic = false;

	aml_u32(a, LAPIC_ADDR);
	aml_u32(a, 1); /* the two 8259s are there too */
	for (unsigned i = 0; i < b->cpus; i++)
		any_x2apic |= add_madt_cpu(a, i, b->apic_ids[i]);
	aml_u8(a, MADT_IOAPIC);
	aml_u8(a, 12);
	aml_u8(a, (uint8_t)b->ioapic_id);
	aml_u8(a, 0);
	aml_u32(a, b->ioapic_addr);
	aml_u32(a, 0); /* its first GSI */
	add_madt_override(a, 0, 2, INTI_BUS_DEFAULT);
	for (unsigned i = 0; b->has_pci && i < 4; i++)
		level_irqs |= 1u << pirq_gsi(b, i);
	for (unsigned irq = 0; irq < 16; irq++)
		if (level_irqs & (1u << irq))
			add_madt_override(a, irq, irq, INTI_LEVEL_HIGH);
	add_madt_nmi(a, false);
	if (any_x2apic)
		add_madt_nmi(a, true);
	end_table(a, at);
	return at;
}

static void put_rsdp(uint8_t *p, gpa_t rsdt, gpa_t xsdt)
{
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "EVMM  ", 6);
	p[15] = 2; /* revision */
	stn_le(p + 16, 4, rsdt);
	stn_le(p + 20, 4, RSDP_BYTES);
	stn_le(p + 24, 8, xsdt);
	p[8] = (uint8_t)-sum(p, 20);
	p[32] = (uint8_t)-sum(p, RSDP_BYTES);
}

struct acpi_tables acpi_build(const struct acpi_board *board, gpa_t gpa)
{
	struct aml a = {0};
	size_t dsdt, fadt, madt, rsdt, xsdt;

	for (unsigned i = 0; i < RSDP_BYTES; i++)
		aml_u8(&a, 0);
	add_facs(&a);
	dsdt = add_dsdt(&a, board);
	fadt = add_fadt(&a, board, gpa + FACS_OFFSET, gpa + dsdt);
	madt = add_madt(&a, board);

	rsdt = begin_table(&a, "RSDT", 1);
	aml_u32(&a, (uint32_t)(gpa + fadt));
	aml_u32(&a, (uint32_t)(gpa + madt));
	end_table(&a, rsdt);

	xsdt = begin_table(&a, "XSDT", 1);
	aml_u64(&a, gpa + fadt);
	aml_u64(&a, gpa + madt);
	end_table(&a, xsdt);

	put_rsdp(a.bytes, gpa + rsdt, gpa + xsdt);
	return (struct acpi_tables){.bytes = a.bytes, .n = a.n};
}
