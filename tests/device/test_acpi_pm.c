/* SPDX-License-Identifier: BSD-2-Clause */
/* PIIX4 power management. */
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define SCI	9
#define BASE	0x600
#define PMSTS	(BASE + 0)
#define PMEN	(BASE + 2)
#define PMCNTRL (BASE + 4)
#define PMTMR	(BASE + 8)
#define GPSTS	(BASE + 12)
#define GPEN	(BASE + 14)
#define PWRBTN	0x100
#define TMROF	0x001
#define FN	PCI_DEVFN(1, 3)

static struct kit *k;
static struct device *pm;

static int setup(void **state)
{
	k = kit_new();
	kit_add(k, &i440fx_type, NULL);
	pm = kit_add(k, &piix4_pm_type, "pm-base", "0x600", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void the_timer_counts_24_bits_at_3_579545_mhz(void **state)
{
	uint32_t start = kit_in32(k, PMTMR), now;

	kit_advance(k, NS_PER_SEC);
	now = kit_in32(k, PMTMR);
	assert_in_range(now - start, 3579544, 3579545);
	kit_advance(k, 4 * NS_PER_SEC);
	assert_int_equal(kit_in32(k, PMTMR), 5ull * 3579545 & 0xffffff);
	assert_int_equal(kit_in8(k, PMTMR + 3), 0);
	assert_int_equal(kit_in8(k, PMTMR + 1), kit_in32(k, PMTMR) >> 8 & 0xff);
}

static void tmrof_sts_is_set_when_bit_23_toggles(void **state)
{
	kit_advance(k, 2343000000);
	assert_int_equal(kit_in16(k, PMSTS), 0);
	kit_advance(k, 1000000);
	assert_int_equal(kit_in16(k, PMSTS), TMROF);
	kit_out16(k, PMSTS, TMROF);
	assert_int_equal(kit_in16(k, PMSTS), 0);
	assert_int_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
	kit_out16(k, PMEN, TMROF);
	kit_advance(k, 2342000000);
	assert_false(k->level[SCI]);
	kit_advance(k, 2000000);
	assert_true(k->level[SCI]);
	kit_out16(k, PMSTS, TMROF);
	assert_false(k->level[SCI]);
}

static void the_power_button_sets_its_status_and_interrupts_when_enabled(void **state)
{
	machine_power_button(k->m);
	assert_int_equal(kit_in16(k, PMSTS), PWRBTN);
	assert_false(k->level[SCI]);
	kit_out16(k, PMEN, PWRBTN);
	assert_true(k->level[SCI]);
	kit_out16(k, PMSTS, 0);
	assert_true(k->level[SCI]);
	kit_out8(k, PMSTS + 1, PWRBTN >> 8);
	assert_false(k->level[SCI]);
	machine_power_button(k->m);
	assert_true(k->level[SCI]);
}

static void sus_en_with_type_0_is_soft_off(void **state)
{
	kit_out16(k, PMCNTRL, 0x2001);
	assert_true(k->m->shutdown_pending);
	assert_int_equal(k->m->shutdown_cause, SHUTDOWN_GUEST);
}

static void other_sleeping_types_are_a_guest_s_error(void **state)
{
	kit_out16(k, PMCNTRL, 0x2c01);
	assert_false(k->m->shutdown_pending);
	assert_int_equal(pm->guest_error_count, 1);
	assert_int_equal(kit_in16(k, PMCNTRL), 0x0c01); /* SUS_EN reads as 0 */
}

static void sleeping_states_may_be_switched_off(void **state)
{
	teardown(NULL);
	k = kit_new();
	kit_add(k, &i440fx_type, NULL);
	pm = kit_add(k, &piix4_pm_type, "pm-base", "0x600", "disable_s3", "1", "disable_s4", "1",
		     NULL);
	assert_false(k->m->has_s3 || k->m->has_s4);
	kit_out16(k, PMCNTRL, 0x2401);
	kit_out16(k, PMCNTRL, 0x2801);
	assert_int_equal(pm->guest_error_count, 2);
	assert_false(k->m->suspend_pending || k->m->shutdown_pending);
}

static void sci_en_is_always_set(void **state)
{
	assert_int_equal(kit_in16(k, PMCNTRL), 0x0001);
	kit_out16(k, PMCNTRL, 0);
	assert_int_equal(kit_in16(k, PMCNTRL), 0x0001);
}

static void registers_take_bytes_words_and_doublewords(void **state)
{
	kit_out8(k, PMEN + 1, 0xff);
	assert_int_equal(kit_in32(k, PMSTS), 0x05000000);
	kit_out32(k, PMSTS, 0x0021ffff);
	assert_int_equal(kit_in32(k, PMSTS), 0x00210000);
	kit_out32(k, GPSTS, 0xffffffff);
	assert_int_equal(kit_in32(k, GPSTS), 0xffff0000);
	kit_out32(k, BASE + 0x20, 0xffffffff);
	assert_int_equal(kit_in32(k, BASE + 0x20), 0);
}

static uint32_t config_get(unsigned reg)
{
	return pci_config_read(k->m->pci, 0, FN, reg, 4);
}

static void the_ports_lie_where_pmba_says_while_pmiose_is_set(void **state)
{
	assert_int_equal(config_get(0), 0x71138086);
	assert_int_equal(config_get(0x40), 0x601);
	pci_config_write(k->m->pci, 0, FN, 0x40, 0xb03f, 4);
	assert_int_equal(config_get(0x40), 0xb001);
	assert_int_equal(kit_in32(k, PMSTS), 0xffffffff);
	assert_int_equal(kit_in16(k, 0xb004), 1);
	pci_config_write(k->m->pci, 0, FN, 0x80, 0, 1);
	assert_int_equal(kit_in16(k, 0xb004), 0xffff);
	pci_config_write(k->m->pci, 0, FN, 0x80, 1, 1);
	assert_int_equal(kit_in16(k, 0xb004), 1);
	device_reset(pm);
	assert_int_equal(kit_in16(k, PMCNTRL), 1);
}

static void without_pm_base_firmware_places_the_ports(void **state)
{
	teardown(NULL);
	k = kit_new();
	kit_add(k, &i440fx_type, NULL);
	pm = kit_add(k, &piix4_pm_type, NULL);
	assert_int_equal(config_get(0x40), 1);
	assert_int_equal(kit_in16(k, PMCNTRL), 0xffff);
	free(kit_add_fails(k, &piix4_pm_type, "addr", "5", "pm-base", "0x620", NULL));
}

static void events_survive_save_and_load(void **state)
{
	kit_out16(k, PMEN, PWRBTN | TMROF);
	machine_power_button(k->m);
	pci_config_write(k->m->pci, 0, FN, 0x40, 0xb000, 4);
	kit_save_load(pm);
	assert_true(k->level[SCI]);
	assert_int_equal(kit_in32(k, 0xb000), (PWRBTN | TMROF) << 16 | PWRBTN);
	kit_out16(k, 0xb000, PWRBTN);
	kit_advance(k, 3 * NS_PER_SEC);
	assert_true(k->level[SCI]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_timer_counts_24_bits_at_3_579545_mhz),
		TEST(tmrof_sts_is_set_when_bit_23_toggles),
		TEST(the_power_button_sets_its_status_and_interrupts_when_enabled),
		TEST(sus_en_with_type_0_is_soft_off),
		TEST(other_sleeping_types_are_a_guest_s_error),
		TEST(sleeping_states_may_be_switched_off),
		TEST(sci_en_is_always_set),
		TEST(registers_take_bytes_words_and_doublewords),
		TEST(the_ports_lie_where_pmba_says_while_pmiose_is_set),
		TEST(without_pm_base_firmware_places_the_ports),
		TEST(events_survive_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
