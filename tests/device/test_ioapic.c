/* SPDX-License-Identifier: BSD-2-Clause */
/* 82093AA. */
#include "devices/chipset/chipset.h"
#include "tests/device/kit.h"

#define BASE	 0xfec00000
#define IOREGSEL (BASE + 0x00)
#define IOWIN	 (BASE + 0x10)
#define IOEOI	 (BASE + 0x40)
#define MASKED	 0x10000
#define LEVEL	 0x8000
#define REMOTE	 0x4000

static struct kit *k;
static struct device *ioapic;

static int setup(void **state)
{
	k = kit_new();
	ioapic = kit_add(k, &ioapic_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint32_t get(uint8_t index)
{
	as_write(&k->m->mem, IOREGSEL, index, 4);
	return as_read(&k->m->mem, IOWIN, 4);
}

static void put(uint8_t index, uint32_t value)
{
	as_write(&k->m->mem, IOREGSEL, index, 4);
	as_write(&k->m->mem, IOWIN, value, 4);
}

static void route(unsigned pin, uint32_t low, uint8_t dest)
{
	put(0x11 + 2 * pin, (uint32_t)dest << 24);
	put(0x10 + 2 * pin, low);
}

static uint32_t last_data(void)
{
	return k->log->msi[(k->log->n_msi - 1) % 64].data;
}

static uint64_t last_addr(void)
{
	return k->log->msi[(k->log->n_msi - 1) % 64].addr;
}

static void every_entry_is_masked_after_reset(void **state)
{
	for (unsigned i = 0; i < 48; i++)
		assert_int_equal(get(0x10 + i), i & 1 ? 0 : MASKED);
	assert_int_equal(get(0), 0);
	assert_int_equal(get(1), 0x00170020);
	assert_int_equal(get(2), 0);
}

static void the_version_is_what_the_property_says(void **state)
{
	kit_free(k);
	k = kit_new();
	ioapic = kit_add(k, &ioapic_type, "version", "0x11", NULL);
	assert_int_equal(get(1), 0x00170011);
	free(kit_add_fails(k, &ioapic_type, "version", "0x12", NULL));
}

static void id_has_four_bits_and_arbitration_follows_it(void **state)
{
	put(0, 0xffffffff);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(2), 0x0f000000);
}

static void an_edge_sends_one_message(void **state)
{
	route(4, 0x31, 0x02);
	ioapic_set_irq(ioapic, 4, true);
	assert_int_equal(k->log->n_msi, 1);
	assert_int_equal(last_addr(), 0xfee02000);
	assert_int_equal(last_data(), 0x4031);
	ioapic_set_irq(ioapic, 4, false);
	assert_int_equal(k->log->n_msi, 1);
	ioapic_set_irq(ioapic, 4, true);
	assert_int_equal(k->log->n_msi, 2);
}

static void destination_and_delivery_mode_are_the_entry_s(void **state)
{
	route(4, 0x0931, 0x0f); /* lowest priority, logical */
	ioapic_set_irq(ioapic, 4, true);
	assert_int_equal(last_addr(), 0xfee0f004);
	assert_int_equal(last_data(), 0x4131);
	route(5, 0x0400, 0x01); /* NMI */
	ioapic_set_irq(ioapic, 5, true);
	assert_int_equal(last_data(), 0x4400);
}

static void an_edge_on_a_masked_pin_is_not_held_pending(void **state)
{
	route(4, MASKED | 0x31, 0);
	ioapic_set_irq(ioapic, 4, true);
	route(4, 0x31, 0);
	assert_int_equal(k->log->n_msi, 0);
}

static void a_level_sets_remote_irr_until_its_eoi(void **state)
{
	route(9, LEVEL | 0x41, 0);
	ioapic_set_irq(ioapic, 9, true);
	assert_int_equal(k->log->n_msi, 1);
	assert_int_equal(last_data(), 0xc041);
	assert_int_equal(get(0x22), LEVEL | REMOTE | 0x41);
	ioapic_set_irq(ioapic, 9, false);
	ioapic_set_irq(ioapic, 9, true);
	assert_int_equal(k->log->n_msi, 1);
	ioapic_set_irq(ioapic, 9, false);
	ioapic_eoi(ioapic, 0x41);
	assert_int_equal(get(0x22), LEVEL | 0x41);
	assert_int_equal(k->log->n_msi, 1);
}

static void a_level_that_is_still_up_at_the_eoi_sends_again(void **state)
{
	route(9, LEVEL | 0x41, 0);
	ioapic_set_irq(ioapic, 9, true);
	ioapic_eoi(ioapic, 0x42);
	assert_int_equal(k->log->n_msi, 1);
	ioapic_eoi(ioapic, 0x41);
	assert_int_equal(k->log->n_msi, 2);
}

static void a_level_that_was_masked_sends_when_unmasked(void **state)
{
	route(9, LEVEL | MASKED | 0x41, 0);
	ioapic_set_irq(ioapic, 9, true);
	assert_int_equal(k->log->n_msi, 0);
	put(0x22, LEVEL | 0x41);
	assert_int_equal(k->log->n_msi, 1);
}

static void the_eoi_register_ends_a_level_from_version_20h_on(void **state)
{
	route(9, LEVEL | 0x41, 0);
	ioapic_set_irq(ioapic, 9, true);
	ioapic_set_irq(ioapic, 9, false);
	as_write(&k->m->mem, IOEOI, 0x41, 4);
	assert_int_equal(get(0x22), LEVEL | 0x41);
}

static void an_entry_made_edge_triggered_loses_remote_irr(void **state)
{
	route(9, LEVEL | 0x41, 0);
	ioapic_set_irq(ioapic, 9, true);
	put(0x22, MASKED | 0x41);
	put(0x22, LEVEL | MASKED | 0x41);
	assert_int_equal(get(0x22), LEVEL | MASKED | 0x41);
	put(0x22, LEVEL | 0x41);
	assert_int_equal(k->log->n_msi, 2);
}

static void status_bits_cannot_be_written(void **state)
{
	put(0x22, 0xffffffff & ~MASKED);
	put(0x23, 0xffffffff);
	assert_int_equal(get(0x22), 0xafff);
	assert_int_equal(get(0x23), 0xff000000);
}

static void only_doublewords_write(void **state)
{
	as_write(&k->m->mem, IOREGSEL, 0x12, 1);
	as_write(&k->m->mem, IOWIN, 0x55, 1);
	assert_int_equal(as_read(&k->m->mem, IOWIN, 4), MASKED);
	assert_int_equal(get(0x7f), 0);
	put(0x7f, 1);
	assert_int_equal(as_read(&k->m->mem, BASE + 0x80, 4), 0);
}

static void remote_irr_survives_save_and_load(void **state)
{
	route(9, LEVEL | 0x41, 3);
	ioapic_set_irq(ioapic, 9, true);
	kit_save_load(ioapic);
	assert_int_equal(get(0x22), LEVEL | REMOTE | 0x41);
	assert_int_equal(k->log->n_msi, 1);
	ioapic_set_irq(ioapic, 9, true);
	assert_int_equal(k->log->n_msi, 1);
	ioapic_eoi(ioapic, 0x41);
	assert_int_equal(k->log->n_msi, 2);
	assert_int_equal(last_addr(), 0xfee03000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_entry_is_masked_after_reset),
		TEST(the_version_is_what_the_property_says),
		TEST(id_has_four_bits_and_arbitration_follows_it),
		TEST(an_edge_sends_one_message),
		TEST(destination_and_delivery_mode_are_the_entry_s),
		TEST(an_edge_on_a_masked_pin_is_not_held_pending),
		TEST(a_level_sets_remote_irr_until_its_eoi),
		TEST(a_level_that_is_still_up_at_the_eoi_sends_again),
		TEST(a_level_that_was_masked_sends_when_unmasked),
		TEST(the_eoi_register_ends_a_level_from_version_20h_on),
		TEST(an_entry_made_edge_triggered_loses_remote_irr),
		TEST(status_bits_cannot_be_written),
		TEST(only_doublewords_write),
		TEST(remote_irr_survives_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
