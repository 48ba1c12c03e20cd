/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables: checksums, what points where, MADT entries; and iasl's opinion, where it is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/boot/aml.h"
#include "src/boot/boot.h"

#define GPA 0xf0000u

static uint32_t apic_ids[MACHINE_MAX_VCPUS];

static struct acpi_tables build_for(enum acpi_pci pci, unsigned cpus, uint32_t id_step)
{
	struct acpi_board b = {
		.cpus = cpus,
		.apic_ids = apic_ids,
		.ioapic_id = 3,
		.ioapic_addr = 0xfec00000,
		.pm_base = 0x600,
		.sci_irq = 9,
		.reset_port = 0xcf9,
		.reset_value = 0x0f,
		.gpe0_base = 0x60c,
		.gpe0_bytes = 4,
		.pci = pci,
		.pci_mem = {{0x40000000, 0xfec00000}},
		.has_s3 = true,
		.has_s4 = true,
		.serial_mask = 0xf,
		.has_8042 = true,
		.has_rtc = true,
	};

	for (unsigned i = 0; i < cpus; i++)
		apic_ids[i] = i * id_step;
	return acpi_build(&b, GPA);
}

static struct acpi_tables build(unsigned cpus, uint32_t id_step)
{
	return build_for(ACPI_PCI_I440FX, cpus, id_step);
}

static const uint8_t *at(const struct acpi_tables *t, uint64_t gpa)
{
	assert_true(gpa >= GPA && gpa < GPA + t->n);
	return t->bytes + (gpa - GPA);
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

/* The table at GPA, its signature, checksum and length checked. */
static const uint8_t *table(const struct acpi_tables *t, uint64_t gpa, const char *signature)
{
	const uint8_t *p = at(t, gpa);
	uint32_t n = (uint32_t)ldn_le(p + 4, 4);

	assert_memory_equal(p, signature, 4);
	assert_true(n >= 36 && n <= t->n - (size_t)(p - t->bytes));
	assert_int_equal(sum(p, n), 0);
	return p;
}

static const uint8_t *xsdt_entry(const struct acpi_tables *t, unsigned i, const char *signature)
{
	const uint8_t *xsdt = table(t, ldn_le(t->bytes + 24, 8), "XSDT");

	return table(t, ldn_le(xsdt + 36 + 8 * i, 8), signature);
}

static void the_rsdp_leads_to_rsdt_and_xsdt(void **state)
{
	struct acpi_tables t = build(1, 1);
	const uint8_t *rsdt, *xsdt;

	assert_memory_equal(t.bytes, "RSD PTR ", 8);
	assert_int_equal(t.bytes[15], 2);
	assert_int_equal(ldn_le(t.bytes + 20, 4), 36);
	assert_int_equal(sum(t.bytes, 20), 0);
	assert_int_equal(sum(t.bytes, 36), 0);
	rsdt = table(&t, ldn_le(t.bytes + 16, 4), "RSDT");
	xsdt = table(&t, ldn_le(t.bytes + 24, 8), "XSDT");
	assert_int_equal(ldn_le(rsdt + 4, 4), 36 + 3 * 4);
	assert_int_equal(ldn_le(xsdt + 4, 4), 36 + 3 * 8);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ldn_le(rsdt + 36 + 4 * i, 4), ldn_le(xsdt + 36 + 8 * i, 8));
	free(t.bytes);
}

static void the_fadt_has_its_registers_in_both_forms(void **state)
{
	struct acpi_tables t = build(1, 1);
	const uint8_t *fadt = xsdt_entry(&t, 0, "FACP"), *facs;

	assert_true(fadt[8] >= 3);
	assert_int_equal(ldn_le(fadt + 46, 2), 9);
	assert_int_equal(ldn_le(fadt + 56, 4), 0x600);
	assert_int_equal(ldn_le(fadt + 148 + 4, 8), 0x600);
	assert_int_equal(ldn_le(fadt + 64, 4), 0x604);
	assert_int_equal(ldn_le(fadt + 172 + 4, 8), 0x604);
	assert_int_equal(ldn_le(fadt + 76, 4), 0x608);
	assert_int_equal(ldn_le(fadt + 208 + 4, 8), 0x608);
	assert_int_equal(ldn_le(fadt + 116 + 4, 8), 0xcf9);
	assert_int_equal(fadt[128], 0x0f);
	assert_true(ldn_le(fadt + 112, 4) & BIT(10));
	assert_int_equal(ldn_le(fadt + 40, 4), ldn_le(fadt + 140, 8));
	table(&t, ldn_le(fadt + 140, 8), "DSDT");
	facs = at(&t, ldn_le(fadt + 36, 4));
	assert_memory_equal(facs, "FACS", 4);
	assert_int_equal((facs - t.bytes) % 64, 0);
	free(t.bytes);
}

struct madt {
	unsigned lapics, x2apics, ioapics, overrides, nmis, x2apic_nmis;
	uint16_t sci_flags;
	uint32_t irq0_gsi;
};

static struct madt walk_madt(const struct acpi_tables *t)
{
	const uint8_t *madt = xsdt_entry(t, 1, "APIC"), *p = madt + 44,
		      *end = madt + ldn_le(madt + 4, 4);
	struct madt m = {0};

	for (; p < end; p += p[1]) {
		assert_true(p[1] >= 6 && p[1] <= end - p);
		m.lapics += p[0] == 0;
		m.ioapics += p[0] == 1;
		m.overrides += p[0] == 2;
		m.nmis += p[0] == 4;
		m.x2apics += p[0] == 9;
		m.x2apic_nmis += p[0] == 10;
		if (p[0] == 0)
			assert_true(p[3] < 255);
		if (p[0] == 9)
			assert_true(ldn_le(p + 4, 4) >= 255);
		if (p[0] == 2 && p[3] == 0)
			m.irq0_gsi = (uint32_t)ldn_le(p + 4, 4);
		if (p[0] == 2 && p[3] == 9)
			m.sci_flags = (uint16_t)ldn_le(p + 8, 2);
	}
	assert_ptr_equal(p, end);
	return m;
}

static void the_madt_lists_cpus_ioapic_overrides_and_nmi(void **state)
{
	struct acpi_tables t = build(4, 1);
	struct madt m = walk_madt(&t);

	assert_int_equal(m.lapics, 4);
	assert_int_equal(m.x2apics, 0);
	assert_int_equal(m.ioapics, 1);
	assert_int_equal(m.overrides, 5); /* 0, 5, 9, 10, 11 */
	assert_int_equal(m.nmis, 1);
	assert_int_equal(m.irq0_gsi, 2);
	assert_int_equal(m.sci_flags, 0xd);
	free(t.bytes);
}

static void apic_ids_from_255_up_are_x2apic_entries(void **state)
{
	struct acpi_tables t = build(255, 2);
	struct madt m = walk_madt(&t);

	assert_int_equal(m.lapics, 128);
	assert_int_equal(m.x2apics, 127);
	assert_int_equal(m.x2apic_nmis, 1);
	assert_true(t.n <= 0x10000);
	free(t.bytes);
}

static void package_lengths_have_one_to_three_bytes(void **state)
{
	static const struct {
		unsigned contents, bytes;
	} cases[] = {{0, 1}, {62, 1}, {63, 2}, {0xffd, 2}, {0xffe, 3}, {0x10000, 3}};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aml a = {0};
		uint64_t n = cases[i].contents, length;

		while (a.n < n)
			aml_u8(&a, 0xa5);
		aml_end(&a, 0);
		assert_int_equal(a.n, n + cases[i].bytes);
		assert_int_equal(a.bytes[0] >> 6, cases[i].bytes - 1);
		length = cases[i].bytes == 1
				 ? a.bytes[0]
				 : (a.bytes[0] & 15) | ldn_le(a.bytes + 1, cases[i].bytes - 1) << 4;
		assert_int_equal(length, a.n);
		free(a.bytes);
	}
}

static void names_are_padded_and_joined(void **state)
{
	static const char want[] = "\\\x2e_SB_PCI0";
	struct aml a = {0};

	aml_name(&a, "\\_SB.PCI0");
	assert_int_equal(a.n, sizeof(want) - 1);
	assert_memory_equal(a.bytes, want, a.n);
	free(a.bytes);
}

/* ---- iasl ---- */

static void write_table(const char *dir, const char *name, const uint8_t *p)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, ldn_le(p + 4, 4), 1, f), 1);
	fclose(f);
	free(path);
}

static void iasl_takes_every_table(enum acpi_pci pci)
{
	struct acpi_tables t = build_for(pci, 3, 1);
	char dir[] = "/tmp/evmm-acpi-XXXXXX", *cmd;
	const uint8_t *fadt = xsdt_entry(&t, 0, "FACP");

	if (system("iasl -v >/dev/null 2>&1") != 0) {
		free(t.bytes);
		print_message("iasl is not installed (Debian: acpica-tools)\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	write_table(dir, "facp.dat", fadt);
	write_table(dir, "apic.dat", xsdt_entry(&t, 1, "APIC"));
	write_table(dir, "dsdt.dat", at(&t, ldn_le(fadt + 140, 8)));
	write_table(dir, "xsdt.dat", at(&t, ldn_le(t.bytes + 24, 8)));
	/* What it takes apart it must also put together again, from the DSDT with no warning. */
	cmd = xasprintf(
		"cd %s && iasl -d *.dat >log 2>&1 && iasl -we dsdt.dsl >>log 2>&1 && ! grep -iE 'warning|error' "
		"log | grep -vE ' 0 Errors, 0 Warnings' || { cat log; false; }",
		dir);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	cmd = xasprintf("rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	free(t.bytes);
}

static void iasl_takes_every_table_without_complaint(void **state)
{
	iasl_takes_every_table(ACPI_PCI_I440FX);
	iasl_takes_every_table(ACPI_PCI_Q35);
}

static void the_system_is_asked_about_pci_express_where_there_is_some(void **state)
{
	struct acpi_tables pc = build(1, 1), q35 = build_for(ACPI_PCI_Q35, 1, 1);

	assert_null(memmem(pc.bytes, pc.n, "_OSC", 4));
	assert_non_null(memmem(q35.bytes, q35.n, "_OSC", 4));
	free(pc.bytes);
	free(q35.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rsdp_leads_to_rsdt_and_xsdt),
		cmocka_unit_test(the_fadt_has_its_registers_in_both_forms),
		cmocka_unit_test(the_madt_lists_cpus_ioapic_overrides_and_nmi),
		cmocka_unit_test(apic_ids_from_255_up_are_x2apic_entries),
		cmocka_unit_test(package_lengths_have_one_to_three_bytes),
		cmocka_unit_test(names_are_padded_and_joined),
		cmocka_unit_test(the_system_is_asked_about_pci_express_where_there_is_some),
		cmocka_unit_test(iasl_takes_every_table_without_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
