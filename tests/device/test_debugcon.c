/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug console port. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debugcon_passes_on_what_is_written_and_reads_as_e9),
		TEST(debugcon_has_its_port_and_readback_as_properties),
		TEST(debugcon_needs_a_chardev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
