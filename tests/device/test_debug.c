/* SPDX-License-Identifier: BSD-2-Clause */
/* isa-debugcon, isa-debug-exit and pc-testdev. */
#include "devices/char/serial.h"
#include "tests/device/kit.h"

static struct kit *k;

static int setup(void **state)
{
	k = kit_new();
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void debugcon_passes_on_what_is_written_and_reads_as_e9(void **state)
{
	struct kit_chardev *chr = kit_chardev_new(k, "c0");

	kit_add(k, &debugcon_type, "chardev", "c0", NULL);
	kit_out8(k, 0xe9, 'o');
	kit_out8(k, 0xe9, 'k');
	assert_string_equal(chr->out, "ok");
	assert_int_equal(kit_in8(k, 0xe9), 0xe9);
}

static void debugcon_has_its_port_and_readback_as_properties(void **state)
{
	struct kit_chardev *chr = kit_chardev_new(k, "c0");

	kit_add(k, &debugcon_type, "chardev", "c0", "iobase", "0x402", "readback", "0x12", NULL);
	kit_out8(k, 0x402, 'x');
	assert_string_equal(chr->out, "x");
	assert_int_equal(kit_in8(k, 0x402), 0x12);
	assert_int_equal(kit_in8(k, 0xe9), 0xff);
	chr->room = 0;
	kit_out8(k, 0x402, 'y'); /* lost, and no harm */
}

static void debugcon_needs_a_chardev(void **state)
{
	char *why = kit_add_fails(k, &debugcon_type, NULL);

	assert_string_equal(why, "isa-debugcon: chardev= is needed");
	free(why);
	kit_chardev_new(k, "c0");
	free(kit_add_fails(k, &debugcon_type, "chardev", "c0", "iobase", "0x10000", NULL));
}

static void debug_exit_ends_with_twice_the_value_plus_1(void **state)
{
	kit_add(k, &debugexit_type, NULL);
	assert_int_equal(kit_in8(k, 0x501), 0);
	kit_out8(k, 0x501, 0x10);
	assert_true(k->m->shutdown_pending);
	assert_int_equal(k->m->shutdown_cause, SHUTDOWN_DEBUG_EXIT);
	assert_int_equal(k->m->exit_status, 0x21);
}

static void debug_exit_takes_the_width_of_its_size(void **state)
{
	kit_add(k, &debugexit_type, "iobase", "0xf4", "iosize", "4", NULL);
	kit_out32(k, 0xf4, 0x7fffffff);
	assert_int_equal(k->m->exit_status, -1);
	free(kit_add_fails(k, &debugexit_type, "iosize", "0", NULL));
	free(kit_add_fails(k, &debugexit_type, "iosize", "5", NULL));
	free(kit_add_fails(k, &debugexit_type, "iobase", "0xffff", NULL));
}

static void testdev_stores_four_bytes_in_any_width(void **state)
{
	kit_add(k, &testdev_type, NULL);
	kit_out32(k, 0xe0, 0x12345678);
	assert_int_equal(kit_in32(k, 0xe0), 0x12345678);
	assert_int_equal(kit_in16(k, 0xe1), 0x3456);
	kit_out8(k, 0xe3, 0xaa);
	assert_int_equal(kit_in32(k, 0xe8), 0xaa345678);
	kit_out16(k, 0xe8, 0xbbcc);
	assert_int_equal(kit_in32(k, 0xe0), 0xaa34bbcc);
	kit_out32(k, 0xe4, 0x1000);
}

static void testdev_pulls_interrupt_lines(void **state)
{
	struct device *dev = kit_add(k, &testdev_type, NULL);

	kit_out8(k, 0x2000 + 5, 1);
	kit_out32(k, 0x2000 + 17, 1);
	assert_true(k->level[5] && k->level[17]);
	kit_out8(k, 0x2000 + 5, 0);
	assert_false(k->level[5]);
	kit_save_load(dev);
	assert_true(k->level[17]);
	device_reset(dev);
	assert_false(k->level[17]);
}

static void testdev_has_memory_that_traps(void **state)
{
	kit_add(k, &testdev_type, NULL);
	as_write(&k->m->mem, 0xff000000, 0x1122334455667788, 8);
	assert_int_equal(as_read(&k->m->mem, 0xff000001, 4), 0x44556677);
	as_write(&k->m->mem, 0xff00fffe, 0xabcd, 2);
	assert_int_equal(as_read(&k->m->mem, 0xff00fffe, 4), 0xffffabcd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debugcon_passes_on_what_is_written_and_reads_as_e9),
		TEST(debugcon_has_its_port_and_readback_as_properties),
		TEST(debugcon_needs_a_chardev),
		TEST(debug_exit_ends_with_twice_the_value_plus_1),
		TEST(debug_exit_takes_the_width_of_its_size),
		TEST(testdev_stores_four_bytes_in_any_width),
		TEST(testdev_pulls_interrupt_lines),
		TEST(testdev_has_memory_that_traps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
