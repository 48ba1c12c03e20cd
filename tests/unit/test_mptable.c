/* SPDX-License-Identifier: BSD-2-Clause */
/* The MP table: lengths, checksums, and what its entries say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/boot/mptable.h"

#define GPA 0xf0000u

static uint32_t apic_ids[MACHINE_MAX_VCPUS];

static struct acpi_board board(unsigned cpus, uint32_t id_step)
{
	struct acpi_board b = {
		.cpus = cpus,
		.apic_ids = apic_ids,
		.ioapic_addr = 0xfec00000,
		.virtio = {{0xfeb00000, 5}, {0xfeb00400, 7}},
		.n_virtio = 2,
	};

	for (unsigned i = 0; i < cpus; i++)
		apic_ids[i] = i * id_step;
	return b;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

struct found {
	unsigned cpus, boot_cpus, buses, ioapics, extints, local_extints, nmis, lines;
	int pin[256]; /* of an ISA interrupt; -1: none */
	unsigned flags[256];
};

static void note_interrupt(struct found *f, const uint8_t *p)
{
	if (p[0] == 4) {
		f->local_extints += p[1] == 3 && p[7] == 0;
		f->nmis += p[1] == 1 && p[6] == 0xff && p[7] == 1;
	} else if (p[1] == 3) {
		f->extints++;
	} else {
		f->lines++;
		f->pin[p[5]] = p[7];
		f->flags[p[5]] = (unsigned)ldn_le(p + 2, 2);
	}
}

/* Takes the table apart, its pointer, lengths, checksums and number of entries checked. */
static struct found walk(struct aml *a)
{
	const uint8_t *t = a->bytes + 16, *p = t + 44, *end = a->bytes + a->n;
	struct found f = {0};
	unsigned n = 0;

	memset(f.pin, 0xff, sizeof(f.pin));
	assert_memory_equal(a->bytes, "_MP_", 4);
	assert_int_equal(ldn_le(a->bytes + 4, 4), GPA + 16);
	assert_int_equal(sum(a->bytes, 16), 0);
	assert_memory_equal(t, "PCMP", 4);
	assert_int_equal(ldn_le(t + 4, 2), a->n - 16);
	assert_int_equal(sum(t, a->n - 16), 0);
	assert_int_equal(ldn_le(t + 36, 4), 0xfee00000);
	for (; p < end; p += p[0] ? 8 : 20, n++) {
		f.cpus += p[0] == 0;
		f.boot_cpus += p[0] == 0 && p[3] & 2;
		f.buses += p[0] == 1 && !memcmp(p + 2, "ISA   ", 6);
		f.ioapics += p[0] == 2 && p[3] == 1 && ldn_le(p + 4, 4) == 0xfec00000;
		if (p[0] == 0)
			assert_int_equal(ldn_le(p + 4, 4), 0x663);
		if (p[0] == 0)
			assert_int_equal(ldn_le(p + 8, 4), 0x78bfbff);
		if (p[0] > 2)
			note_interrupt(&f, p);
	}
	assert_ptr_equal(p, end);
	assert_int_equal(ldn_le(t + 34, 2), n);
	free(a->bytes);
	return f;
}

static void processors_bus_ioapic_and_interrupts_are_told(void **state)
{
	struct acpi_board b = board(3, 1);
	struct aml a = mptable_build(&b, 0x663, 0x78bfbff, GPA);
	struct found f = walk(&a);

	assert_int_equal(f.cpus, 3);
	assert_int_equal(f.boot_cpus, 1);
	assert_int_equal(f.buses, 1);
	assert_int_equal(f.ioapics, 1);
	assert_int_equal(f.lines, 15);
	assert_int_equal(f.extints, 0);
	assert_int_equal(f.local_extints, 1);
	assert_int_equal(f.nmis, 1);
	assert_int_equal(f.pin[0], 2);
	assert_int_equal(f.pin[2], -1);
	assert_int_equal(f.pin[15], 15);
}

static void lines_of_virtio_are_level_and_active_high(void **state)
{
	struct acpi_board b = board(1, 1);
	struct aml a = mptable_build(&b, 0x663, 0x78bfbff, GPA);
	struct found f = walk(&a);

	assert_int_equal(f.flags[5], 0xd);
	assert_int_equal(f.flags[7], 0xd);
	assert_int_equal(f.flags[4], 0);
	assert_int_equal(f.flags[6], 0);
}

static void without_8259s_nothing_comes_from_them(void **state)
{
	struct acpi_board b = board(1, 1);
	struct aml a;
	struct found f;

	b.no_pic = true;
	a = mptable_build(&b, 0x663, 0x78bfbff, GPA);
	f = walk(&a);
	assert_int_equal(f.extints + f.local_extints, 0);
	assert_int_equal(f.nmis, 1);
}

static void apic_ids_that_do_not_fit_are_left_out(void **state)
{
	struct acpi_board b = board(255, 2);
	struct aml a = mptable_build(&b, 0x663, 0x78bfbff, GPA);

	assert_int_equal(walk(&a).cpus, 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processors_bus_ioapic_and_interrupts_are_told),
		cmocka_unit_test(lines_of_virtio_are_level_and_active_high),
		cmocka_unit_test(without_8259s_nothing_comes_from_them),
		cmocka_unit_test(apic_ids_that_do_not_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
