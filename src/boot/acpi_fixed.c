/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of fixed form: FADT, FACS, MADT, HPET, MCFG, WAET.
 *
 * There is no SMI command port: the machine is in ACPI mode from reset on, PM1_CNT.SCI_EN reads as set.
 */
#include "src/boot/acpi.h"

#define LAPIC_ADDR   0xfee00000u
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
	FADT_GPE0_BLK = 80,
	FADT_PM1_EVT_LEN = 88,
	FADT_PM1_CNT_LEN = 89,
	FADT_PM_TMR_LEN = 91,
	FADT_GPE0_BLK_LEN = 92,
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
	FADT_X_GPE0_BLK = 220,
};

#define FADT_FLAG_WBINVD     BIT(0)
#define FADT_FLAG_PROC_C1    BIT(2)
#define FADT_FLAG_SLP_BUTTON BIT(5) /* no fixed sleep button */
#define FADT_FLAG_FIX_RTC    BIT(6) /* no RTC wake status in the fixed registers */
#define FADT_FLAG_RTC_S4     BIT(7)
#define FADT_FLAG_RESET_REG  BIT(10)

#define BOOT_ARCH_LEGACY_DEVICES BIT(0)
#define BOOT_ARCH_8042		 BIT(1)
#define BOOT_ARCH_NO_VGA	 BIT(2)
#define BOOT_ARCH_NO_RTC	 BIT(5)

#define CMOS_CENTURY 0x32

#define HPET_ID \
	0x8086a201 /* as its register: Intel, legacy replacement, 64 bits, 3 timers, revision 1 */
#define HPET_MIN_TICK 100

#define WAET_PM_TIMER_GOOD BIT(1) /* one reading is enough */

/* Generic address structure (5.2.3.2), in I/O space */
static void put_gas(uint8_t *p, uint16_t port, unsigned bits)
{
	p[0] = 1;
	p[1] = (uint8_t)bits;
	p[2] = 0;
	p[3] = bits == 8 ? 1 : bits == 16 ? 2 : 3;
	stn_le(p + 4, 8, port);
}

static void fill_pm_blocks(uint8_t *t, const struct acpi_board *b)
{
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
	if (!b->gpe0_bytes)
		return;
	stn_le(t + FADT_GPE0_BLK, 4, b->gpe0_base);
	t[FADT_GPE0_BLK_LEN] = b->gpe0_bytes;
	put_gas(t + FADT_X_GPE0_BLK, b->gpe0_base, b->gpe0_bytes * 8u);
	t[FADT_X_GPE0_BLK + 3] = 1; /* byte by byte */
}

static unsigned boot_arch(const struct acpi_board *b)
{
	return BOOT_ARCH_LEGACY_DEVICES | (b->has_8042 ? BOOT_ARCH_8042 : 0) |
	       (b->has_vga ? 0 : BOOT_ARCH_NO_VGA) | (b->has_rtc ? 0 : BOOT_ARCH_NO_RTC);
}

void acpi_add_fadt(struct acpi_set *set, size_t facs, size_t dsdt)
{
	static const uint8_t zeroes[FADT_BYTES - HEADER_BYTES];
	const struct acpi_board *b = set->board;
	size_t at = acpi_begin(set, "FACP", 3);
	uint32_t flags = FADT_FLAG_WBINVD | FADT_FLAG_PROC_C1 | FADT_FLAG_SLP_BUTTON;
	uint8_t *t;

	aml_raw(acpi_out(set), zeroes, sizeof(zeroes));
	t = acpi_out(set)->bytes + at;
	fill_pm_blocks(t, b);
	/* Latencies too long to be used: neither C2 nor C3. */
	stn_le(t + FADT_P_LVL2_LAT, 2, 0xfff);
	stn_le(t + FADT_P_LVL3_LAT, 2, 0xfff);
	if (b->has_rtc)
		t[FADT_CENTURY] = CMOS_CENTURY;
	else
		flags |= FADT_FLAG_FIX_RTC;
	stn_le(t + FADT_IAPC_BOOT_ARCH, 2, boot_arch(b));
	if (b->reset_port) {
		flags |= FADT_FLAG_RESET_REG;
		put_gas(t + FADT_RESET_REG, b->reset_port, 8);
		t[FADT_RESET_VALUE] = b->reset_value;
	}
	stn_le(t + FADT_FLAGS, 4, flags);
	acpi_point(set, at + FADT_FIRMWARE_CTRL, 4, ACPI_TABLES, facs);
	acpi_point(set, at + FADT_DSDT, 4, ACPI_TABLES, dsdt);
	acpi_point(set, at + FADT_X_DSDT, 8, ACPI_TABLES, dsdt);
	acpi_end(set, at, true);
}

/* The file's first, for its alignment. */
size_t acpi_add_facs(struct acpi_set *set)
{
	uint8_t facs[FACS_BYTES] = "FACS";

	stn_le(facs + 4, 4, FACS_BYTES);
	facs[32] = 1; /* version */
	aml_raw(acpi_out(set), facs, sizeof(facs));
	return 0;
}

static bool add_cpu(struct aml *a, unsigned uid, uint32_t apic_id)
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

static void add_override(struct aml *a, unsigned irq, unsigned gsi, uint16_t flags)
{
	aml_u8(a, MADT_OVERRIDE);
	aml_u8(a, 10);
	aml_u8(a, 0); /* ISA */
	aml_u8(a, (uint8_t)irq);
	aml_u32(a, gsi);
	aml_u16(a, flags);
}

static void add_nmi(struct aml *a, bool x2apic)
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

/* The SCI and the ISA interrupts that PIRQs can be routed to (PIIX3): level, active high. */
static unsigned level_irqs(const struct acpi_board *b)
{
	unsigned irqs = BIT(b->sci_irq);

	if (b->pci != ACPI_PCI_NONE)
		irqs |= BIT(5) | BIT(10) | BIT(11);
	return irqs;
}

void acpi_add_madt(struct acpi_set *set)
{
	const struct acpi_board *b = set->board;
	size_t at = acpi_begin(set, "APIC", 3);
	struct aml *a = acpi_out(set);
	bool any_x2apic = false;

	aml_u32(a, LAPIC_ADDR);
	aml_u32(a, b->no_pic ? 0 : 1); /* the two 8259s are there too */
	for (unsigned i = 0; i < b->cpus; i++)
		any_x2apic |= add_cpu(a, i, b->apic_ids[i]);
	aml_u8(a, MADT_IOAPIC);
	aml_u8(a, 12);
	aml_u8(a, (uint8_t)b->ioapic_id);
	aml_u8(a, 0);
	aml_u32(a, b->ioapic_addr);
	aml_u32(a, 0); /* its first GSI */
	add_override(a, 0, 2, INTI_BUS_DEFAULT);
	for (unsigned irq = 0; irq < 16; irq++)
		if (level_irqs(b) & BIT(irq))
			add_override(a, irq, irq, INTI_LEVEL_HIGH);
	add_nmi(a, false);
	if (any_x2apic)
		add_nmi(a, true);
	acpi_end(set, at, true);
}

/* IA-PC HPET specification 1.0a, 3.2.4 */
void acpi_add_hpet(struct acpi_set *set)
{
	size_t at = acpi_begin(set, "HPET", 1);
	struct aml *a = acpi_out(set);

	aml_u32(a, HPET_ID);
	aml_u8(a, 0); /* system memory */
	aml_u8(a, 0);
	aml_u8(a, 0);
	aml_u8(a, 0);
	aml_u64(a, set->board->hpet_addr);
	aml_u8(a, 0); /* number */
	aml_u16(a, HPET_MIN_TICK);
	aml_u8(a, 0);
	acpi_end(set, at, true);
}

/* PCI Firmware Specification 3.0, 4.1.2 */
void acpi_add_mcfg(struct acpi_set *set)
{
	const struct acpi_range *r = &set->board->mmconfig;
	size_t at = acpi_begin(set, "MCFG", 1);
	struct aml *a = acpi_out(set);

	aml_u64(a, 0);
	aml_u64(a, r->start);
	aml_u16(a, 0); /* segment */
	aml_u8(a, 0);
	aml_u8(a, (uint8_t)((r->end - r->start) / MiB - 1));
	aml_u32(a, 0);
	acpi_end(set, at, true);
}

/* Windows ACPI Emulated Devices Table */
void acpi_add_waet(struct acpi_set *set)
{
	size_t at = acpi_begin(set, "WAET", 1);

	aml_u32(acpi_out(set), WAET_PM_TIMER_GOOD);
	acpi_end(set, at, true);
}
