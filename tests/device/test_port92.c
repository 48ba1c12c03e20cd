/* SPDX-License-Identifier: BSD-2-Clause */
/* Port 92h. */
#include "devices/chipset/chipset.h"
#include "tests/device/kit.h"

static struct kit *k;
static struct device *p92;

static int setup(void **state)
{
	k = kit_new();
	p92 = kit_add(k, &port92_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void fast_a20_reads_as_written(void **state)
{
	assert_int_equal(kit_in8(k, 0x92), 0x02);
	kit_out8(k, 0x92, 0xfc);
	assert_int_equal(kit_in8(k, 0x92), 0x00);
	kit_out8(k, 0x92, 0x02);
	assert_int_equal(kit_in8(k, 0x92), 0x02);
	assert_false(k->m->reset_pending);
}

static void fast_init_resets_as_it_rises(void **state)
{
	kit_out8(k, 0x92, 0x03);
	assert_true(k->m->reset_pending);
	kit_settle(k);
	assert_int_equal(kit_in8(k, 0x92), 0x02);
}

static void it_survives_save_and_load(void **state)
{
	kit_out8(k, 0x92, 0);
	kit_save_load(p92);
	assert_int_equal(kit_in8(k, 0x92), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fast_a20_reads_as_written),
		TEST(fast_init_resets_as_it_rises),
		TEST(it_survives_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
