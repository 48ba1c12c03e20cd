/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug exit. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debug_exit_ends_with_twice_the_value_plus_1),
		TEST(debug_exit_takes_the_width_of_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
