/* SPDX-License-Identifier: BSD-2-Clause */
/* pc-testdev. */
#include "devices/char/serial.h"
#include "src/irqfd.h"
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

static void testdev_tells_which_pages_were_written(void **state)
{
	struct device *dev = kit_add(k, &testdev_type, NULL);

	assert_int_equal(kit_in32(k, 0xec), 0xffff);
	assert_int_equal(kit_in32(k, 0xec), 0);
	as_read(&k->m->mem, 0xff022000, 4);
	as_write(&k->m->mem, 0xff023ffe, 0x12345678, 4);
	assert_int_equal(kit_in32(k, 0xec), 0x18);
	assert_int_equal(as_read(&k->m->mem, 0xff023ffe, 4), 0x12345678);
	assert_true(dma_write(k->m, 0xff02f000, "x", 1));
	assert_int_equal(kit_in32(k, 0xec), 0x8000);
	device_reset(dev);
	assert_int_equal(as_read(&k->m->mem, 0xff023ffe, 4), 0);
	assert_int_equal(kit_in32(k, 0xec), 0xffff);
}

static void testdev_raises_a_level_again_until_its_events_are_served(void **state)
{
	struct device *dev = kit_add(k, &testdev_type, NULL);

	kit_out32(k, 0x2040, 5);
	kit_out32(k, 0x2044, 2);
	kit_settle(k);
	assert_true(k->level[5]);
	kit_out32(k, 0x2044, 1);
	irqfds_eoi(k->m, 6);
	assert_true(k->level[5]);
	irqfds_eoi(k->m, 5);
	assert_false(k->level[5]);
	kit_settle(k);
	assert_true(k->level[5]);
	kit_save_load(dev);
	kit_settle(k);
	assert_true(k->level[5]);
	kit_out32(k, 0x2044, 0);
	irqfds_eoi(k->m, 5);
	kit_settle(k);
	assert_false(k->level[5]);
	kit_out32(k, 0x2044, 1);
	kit_settle(k);
	assert_true(k->level[5]);
	kit_out32(k, 0x2040, UINT32_MAX);
	assert_false(k->level[5]);
	kit_out32(k, 0x2044, 1);
	kit_settle(k);
	assert_false(k->level[5]);
	device_reset(dev);
	assert_int_equal(kit_in32(k, 0x2044), 0);
}

static void testdev_sends_messages_through_an_eventfd(void **state)
{
	kit_add(k, &testdev_type, NULL);
	kit_out32(k, 0x2048, 0xfee00000);
	for (unsigned i = 0; i < 2; i++) {
		kit_out32(k, 0x204c, 0x41 + i);
		kit_out32(k, 0x2050, 0);
		kit_settle(k);
		assert_int_equal(k->log->n_msi, i + 1);
		assert_int_equal(k->log->msi[i].addr, 0xfee00000);
		assert_int_equal(k->log->msi[i].data, 0x41 + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(testdev_stores_four_bytes_in_any_width),
		TEST(testdev_tells_which_pages_were_written),
		TEST(testdev_pulls_interrupt_lines),
		TEST(testdev_has_memory_that_traps),
		TEST(testdev_raises_a_level_again_until_its_events_are_served),
		TEST(testdev_sends_messages_through_an_eventfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
