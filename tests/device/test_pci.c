/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration mechanism #1, the host bridge, the ISA bridge, and the rules every function keeps.
 */
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define CONFADD	 0xcf8
#define CONFDATA 0xcfc
#define RC	 0xcf9

static struct kit *k;
static struct device *bridge, *isa;

static int setup(void **state)
{
	struct device *reset;

	k = kit_new();
	reset = kit_add(k, &reset_control_type, NULL);
	bridge = kit_add(k, &i440fx_type, NULL);
	i440fx_forward_narrow(bridge, reset_control_region(reset));
	isa = kit_add(k, &piix3_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void point(unsigned devfn, unsigned reg)
{
	kit_out32(k, CONFADD, 0x80000000 | devfn << 8 | (reg & 0xfc));
}

static uint32_t get(unsigned devfn, unsigned reg)
{
	point(devfn, reg);
	return kit_in32(k, CONFDATA);
}

static void put(unsigned devfn, unsigned reg, uint32_t value)
{
	point(devfn, reg);
	kit_out32(k, CONFDATA, value);
}

static void confadd_is_a_doubleword(void **state)
{
	kit_out32(k, CONFADD, 0x80000000);
	assert_int_equal(kit_in32(k, CONFADD), 0x80000000);
	kit_out8(k, CONFADD, 0x55);
	kit_out16(k, CONFADD, 0x5555);
	assert_int_equal(kit_in32(k, CONFADD), 0x80000000);
	assert_int_equal(kit_in8(k, CONFADD), 0xff);
	kit_out32(k, CONFADD, 0xffffffff);
	assert_int_equal(kit_in32(k, CONFADD), 0x80fffffc);
}

static void a_byte_at_cf9_is_the_reset_control_register_s(void **state)
{
	kit_out32(k, CONFADD, 0x80001234);
	kit_out8(k, RC, 0x02);
	assert_int_equal(kit_in8(k, RC), 0x02);
	assert_int_equal(kit_in32(k, CONFADD), 0x80001234);
	assert_false(k->m->reset_pending);
	kit_out8(k, RC, 0x06);
	assert_true(k->m->reset_pending);
}

static void the_functions_name_themselves(void **state)
{
	assert_int_equal(get(PCI_DEVFN(0, 0), 0), 0x12378086);
	assert_int_equal(get(PCI_DEVFN(0, 0), 8), 0x06000002);
	assert_int_equal(get(PCI_DEVFN(1, 0), 0), 0x70008086);
	assert_int_equal(get(PCI_DEVFN(1, 0), 8), 0x06010000);
	assert_int_equal(get(PCI_DEVFN(1, 0), 0x0c), 0x00800000); /* several functions */
	assert_int_equal(get(PCI_DEVFN(1, 0), 0x60), 0x80808080);
}

static void where_no_function_is_reads_give_ones(void **state)
{
	assert_int_equal(get(PCI_DEVFN(2, 0), 0), 0xffffffff);
	put(PCI_DEVFN(2, 0), 4, 0);
	kit_out32(k, CONFADD, 0x80010000); /* bus 1 */
	assert_int_equal(kit_in32(k, CONFDATA), 0xffffffff);
	kit_out32(k, CONFADD, 0); /* not enabled */
	assert_int_equal(kit_in32(k, CONFDATA), 0xffffffff);
}

static void bytes_and_words_reach_their_part_of_a_register(void **state)
{
	point(PCI_DEVFN(0, 0), 0);
	assert_int_equal(kit_in16(k, CONFDATA + 2), 0x1237);
	assert_int_equal(kit_in8(k, CONFDATA + 1), 0x80);
	point(PCI_DEVFN(1, 0), 0x60);
	kit_out8(k, CONFDATA + 2, 0x0b);
	assert_int_equal(kit_in32(k, CONFDATA), 0x800b8080);
	kit_out16(k, CONFDATA + 1, 0x0a05);
	assert_int_equal(kit_in32(k, CONFDATA), 0x800a0580);
}

static void only_writable_bits_change(void **state)
{
	put(PCI_DEVFN(0, 0), 0, 0);
	assert_int_equal(get(PCI_DEVFN(0, 0), 0), 0x12378086);
	put(PCI_DEVFN(0, 0), 0x58, 0xffffffff);
	assert_int_equal(get(PCI_DEVFN(0, 0), 0x58), 0x33333000);
	put(PCI_DEVFN(1, 0), 0x60, 0xffffffff);
	assert_int_equal(get(PCI_DEVFN(1, 0), 0x60), 0x8f8f8f8f);
}

static void reset_gives_the_registers_back_their_values(void **state)
{
	put(PCI_DEVFN(1, 0), 0x60, 0x0b0b0b0b);
	device_reset(isa);
	device_reset(bridge);
	assert_int_equal(kit_in32(k, CONFADD), 0);
	assert_int_equal(get(PCI_DEVFN(1, 0), 0x60), 0x80808080);
}

static void a_slot_holds_one_function_of_each_number(void **state)
{
	free(kit_add_fails(k, &piix3_type, NULL));
	free(kit_add_fails(k, &i440fx_type, "addr", "3", NULL));
	kit_add(k, &piix3_type, "addr", "4.2", NULL);
	assert_int_equal(get(PCI_DEVFN(4, 2), 0), 0x70008086);
}

static void without_a_bus_there_are_no_functions(void **state)
{
	teardown(NULL);
	k = kit_new();
	free(kit_add_fails(k, &piix3_type, NULL));
}

static void configuration_survives_save_and_load(void **state)
{
	put(PCI_DEVFN(1, 0), 0x60, 0x0b0b0b0b);
	kit_save_load(isa);
	assert_int_equal(get(PCI_DEVFN(1, 0), 0x60), 0x0b0b0b0b);
	kit_save_load(bridge);
	assert_int_equal(kit_in32(k, CONFADD), 0x80000860);
}

static void another_device_s_configuration_is_refused(void **state)
{
	struct error err = ERROR_INIT;
	size_t bytes;
	uint8_t *saved = state_save(isa->type->state, isa, &bytes);

	saved[8] ^= 1; /* the vendor, after two versions */
	assert_false(state_load(isa->type->state, isa, saved, bytes, &err));
	error_clear(&err);
	free(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(confadd_is_a_doubleword),
		TEST(a_byte_at_cf9_is_the_reset_control_register_s),
		TEST(the_functions_name_themselves),
		TEST(where_no_function_is_reads_give_ones),
		TEST(bytes_and_words_reach_their_part_of_a_register),
		TEST(only_writable_bits_change),
		TEST(reset_gives_the_registers_back_their_values),
		TEST(a_slot_holds_one_function_of_each_number),
		TEST(without_a_bus_there_are_no_functions),
		TEST(configuration_survives_save_and_load),
		TEST(another_device_s_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
