/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware-reduced ACPI (ACPI 6.4, 4.1): no fixed hardware, so power button, sleep and reset are registers in memory,
 * and what there is of devices stands in the DSDT.
 */
#include <stdio.h>
#include "devices/chipset/acpi_ged.h"
#include "devices/virtio/virtio_mmio.h"
#include "src/boot/acpi.h"

/* FADT, offsets (5.2.9) */
enum {
	FADT_PM_TMR_BLK = 76,
	FADT_PM_TMR_LEN = 91,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_X_DSDT = 140,
	FADT_X_PM_TMR_BLK = 208,
	FADT_SLEEP_CTL = 244,
	FADT_SLEEP_STS = 256,
	FADT_BYTES = 276,
};

#define FADT_BOOT_ARCH	  109
#define FADT_FLAG_RESET	  BIT(10)
#define FADT_FLAG_REDUCED BIT(20)
#define BOOT_ARCH_NO_VGA  BIT(2)
#define BOOT_ARCH_NO_RTC  BIT(5)
#define HEADER_BYTES	  36

/* Generic address structure (5.2.3.2): a byte in memory */
static void put_memory_byte(uint8_t *p, uint64_t gpa)
{
	p[0] = 0;
	p[1] = 8;
	p[2] = 0;
	p[3] = 1;
	stn_le(p + 4, 8, gpa);
}

void acpi_add_reduced_fadt(struct acpi_set *set, size_t dsdt)
{
	static const uint8_t zeroes[FADT_BYTES - HEADER_BYTES];
	const struct acpi_board *b = set->board;
	size_t at = acpi_begin(set, "FACP", 6);
	uint8_t *t;

	aml_raw(acpi_out(set), zeroes, sizeof(zeroes));
	t = acpi_out(set)->bytes + at;
	stn_le(t + FADT_BOOT_ARCH, 2, BOOT_ARCH_NO_VGA | (b->has_rtc ? 0 : BOOT_ARCH_NO_RTC));
	stn_le(t + FADT_FLAGS, 4, FADT_FLAG_RESET | FADT_FLAG_REDUCED);
	put_memory_byte(t + FADT_RESET_REG, b->ged_addr + GED_RESET);
	t[FADT_RESET_VALUE] = GED_RESET_VALUE;
	t[FADT_MINOR] = 3;
	stn_le(t + FADT_PM_TMR_BLK, 4, GED_PM_TIMER_PORT);
	t[FADT_PM_TMR_LEN] = 4;
	memcpy(t + FADT_X_PM_TMR_BLK, (const uint8_t[]){1, 32, 0, 3}, 4); /* a port of 32 bits */
	stn_le(t + FADT_X_PM_TMR_BLK + 4, 8, GED_PM_TIMER_PORT);
	put_memory_byte(t + FADT_SLEEP_CTL, b->ged_addr + GED_SLEEP_CTL);
	put_memory_byte(t + FADT_SLEEP_STS, b->ged_addr + GED_SLEEP_STS);
	acpi_point(set, at + FADT_X_DSDT, 8, ACPI_TABLES, dsdt);
	acpi_end(set, at, true);
}

/* The method that the operating system runs at each interrupt: If (ESEL & 2) { Notify (PWRB, 0x80) } */
static void add_event_method(struct aml *a)
{
	size_t method = aml_method(a, "_EVT", AML_SERIALIZED | 1), branch;

	aml_op(a, AML_OP_STORE);
	aml_name(a, "ESEL");
	aml_op(a, AML_OP_LOCAL0);
	branch = aml_if(a);
	aml_op(a, AML_OP_AND);
	aml_op(a, AML_OP_LOCAL0);
	aml_int(a, GED_EVENT_POWER_BUTTON);
	aml_op(a, AML_OP_NULL);
	aml_op(a, AML_OP_NOTIFY);
	aml_name(a, "\\_SB.PWRB");
	aml_int(a, 0x80);
	aml_end(a, branch);
	aml_end(a, method);
}

static void add_events(struct aml *a, const struct acpi_board *b)
{
	size_t dev = aml_device(a, "PWRB"), field;
	struct aml_resources crs;

	aml_name_decl(a, "_HID");
	aml_eisaid(a, "PNP0C0C");
	aml_name_int(a, "_UID", 0);
	aml_end(a, dev);

	dev = aml_device(a, "GED");
	aml_name_string(a, "_HID", "ACPI0013");
	aml_name_int(a, "_UID", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_interrupt(a, false, &(uint32_t){b->ged_gsi}, 1);
	aml_resources_end(a, crs);
	aml_region(a, "EREG", AML_SYSTEM_MEMORY, b->ged_addr + GED_EVENTS, 4);
	field = aml_field(a, "EREG", AML_DWORD_ACC);
	aml_field_bits(a, "ESEL", 32);
	aml_end(a, field);
	add_event_method(a);
	aml_end(a, dev);
}

static void add_virtio(struct aml *a, unsigned n, const struct acpi_virtio *v)
{
	char name[5];
	struct aml_resources crs;
	size_t dev;

	snprintf(name, sizeof(name), "VR%02u", n % 100);
	dev = aml_device(a, name);
	aml_name_string(a, "_HID", "LNRO0005");
	aml_name_int(a, "_UID", n);
	aml_name_int(a, "_CCA", 1);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_memory32(a, true, v->addr, VIRTIO_MMIO_BYTES);
	aml_interrupt(a, true, &(uint32_t){v->gsi}, 1);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

void acpi_add_reduced_devices(struct acpi_set *set)
{
	const struct acpi_board *b = set->board;
	struct aml *a = acpi_out(set);

	add_events(a, b);
	for (unsigned i = 0; i < b->n_virtio; i++)
		add_virtio(a, i, &b->virtio[i]);
}
