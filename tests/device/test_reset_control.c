/* SPDX-License-Identifier: BSD-2-Clause */
/* Port CF9h. */
#include "devices/chipset/chipset.h"
#include "tests/device/kit.h"

static struct kit *k;
static struct device *rc;

static int setup(void **state)
{
	k = kit_new();
	rc = kit_add(k, &reset_control_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void rcpu_resets_as_it_rises(void **state)
{
	kit_out8(k, 0xcf9, 0x02);
	assert_false(k->m->reset_pending);
	assert_int_equal(kit_in8(k, 0xcf9), 0x02);
	kit_out8(k, 0xcf9, 0x06);
	assert_true(k->m->reset_pending);
	kit_settle(k);
	assert_int_equal(kit_in8(k, 0xcf9), 0x00);
}

static void the_value_of_the_fadt_resets_at_once(void **state)
{
	kit_out8(k, 0xcf9, 0x06);
	assert_true(k->m->reset_pending);
}

/* 02h, then 06h: hard; 04h: soft; 0Eh: with the power taken away, where the chip can. All of them reset the machine. */
static void every_kind_resets_the_machine(void **state)
{
	static const uint8_t values[] = {0x04, 0x06, 0x0e};

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		kit_out8(k, 0xcf9, values[i]);
		assert_true(k->m->reset_pending);
		kit_settle(k);
		assert_false(k->m->reset_pending);
		assert_int_equal(kit_in8(k, 0xcf9), 0x00);
	}
}

static void full_rst_is_ich9s(void **state)
{
	struct device *ich9;

	kit_out8(k, 0xcf9, 0x0a);
	assert_int_equal(kit_in8(k, 0xcf9), 0x02);
	teardown(NULL);
	k = kit_new();
	ich9 = kit_add(k, &reset_control_type, "full-reset", "on", NULL);
	kit_out8(k, 0xcf9, 0x0a);
	assert_int_equal(kit_in8(k, 0xcf9), 0x0a);
	kit_save_load(ich9);
	assert_int_equal(kit_in8(k, 0xcf9), 0x0a);
	assert_false(k->m->reset_pending);
}

static void with_no_reboot_a_reset_ends_the_machine(void **state)
{
	k->m->config.no_reboot = true;
	kit_out8(k, 0xcf9, 0x06);
	assert_false(k->m->reset_pending);
	assert_true(k->m->shutdown_pending);
	assert_int_equal(k->m->shutdown_cause, SHUTDOWN_GUEST_RESET);
}

static void it_survives_save_and_load(void **state)
{
	kit_out8(k, 0xcf9, 0x02);
	kit_save_load(rc);
	assert_int_equal(kit_in8(k, 0xcf9), 0x02);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rcpu_resets_as_it_rises),
		TEST(the_value_of_the_fadt_resets_at_once),
		TEST(every_kind_resets_the_machine),
		TEST(full_rst_is_ich9s),
		TEST(with_no_reboot_a_reset_ends_the_machine),
		TEST(it_survives_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
