/* SPDX-License-Identifier: BSD-2-Clause */
/* 8254 and port 61h. */
#include "devices/chipset/chipset.h"
#include "tests/device/kit.h"

#define COUNTER0   0x40
#define COUNTER2   0x42
#define CONTROL	   0x43
#define NMISC	   0x61
#define HZ	   1193182
#define OUT	   0x80
#define NULL_COUNT 0x40

static struct kit *k;
static struct device *pit;
static uint64_t clks_passed;

static int setup(void **state)
{
	k = kit_new();
	pit = kit_add(k, &i8254_type, NULL);
	clks_passed = 0;
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

/*
 * To the middle of the CLK that is N later, counted from the kit's start, where counts are best
 * loaded.
 */
static void advance_clks(uint64_t n)
{
	int64_t now = clock_now_ns(k->clock), then;

	clks_passed += n;
	then = (int64_t)((clks_passed * 2 + 1) * NS_PER_SEC / (2 * HZ));
	kit_advance(k, then - now);
}

static void program(unsigned counter, unsigned mode, uint16_t count)
{
	kit_out8(k, CONTROL, counter << 6 | 0x30 | mode << 1);
	kit_out8(k, COUNTER0 + counter, count & 0xff);
	kit_out8(k, COUNTER0 + counter, count >> 8);
}

static uint16_t latch(unsigned counter)
{
	uint16_t value;

	kit_out8(k, CONTROL, counter << 6);
	value = kit_in8(k, COUNTER0 + counter);
	return value | kit_in8(k, COUNTER0 + counter) << 8;
}

static uint8_t status(unsigned counter)
{
	kit_out8(k, CONTROL, 0xe0 | 2 << counter);
	return kit_in8(k, COUNTER0 + counter);
}

static bool out2(void)
{
	return kit_in8(k, NMISC) & 0x20;
}

static void mode_0_raises_out_at_terminal_count_and_goes_on_counting(void **state)
{
	program(0, 0, 100);
	assert_false(k->level[0]);
	advance_clks(0);
	assert_int_equal(latch(0), 100);
	advance_clks(99);
	assert_int_equal(latch(0), 1);
	assert_false(k->level[0]);
	advance_clks(1);
	assert_true(k->level[0]);
	assert_int_equal(latch(0), 0);
	advance_clks(1);
	assert_int_equal(latch(0), 0xffff);
	advance_clks(200000);
	assert_int_equal(k->rises[0], 1);
}

static void mode_0_stops_when_the_first_byte_of_a_new_count_is_written(void **state)
{
	program(2, 0, 100);
	kit_out8(k, NMISC, 1);
	advance_clks(150);
	assert_true(out2());
	kit_out8(k, COUNTER2, 10);
	assert_false(out2());
	advance_clks(1000);
	assert_false(out2());
	kit_out8(k, COUNTER2, 0);
	advance_clks(11);
	assert_true(out2());
}

static void mode_2_raises_out_once_in_each_count(void **state)
{
	program(0, 2, 1000);
	kit_clear(k);
	advance_clks(1000 * 50);
	assert_int_equal(k->rises[0], 50);
	assert_true(k->level[0]);
}

static void mode_2_counts_from_n_down_to_1(void **state)
{
	program(0, 2, 5);
	for (unsigned i = 0; i < 12; i++) {
		advance_clks(i ? 1 : 0);
		assert_int_equal(latch(0), 5 - i % 5);
	}
}

static void mode_2_does_not_drift(void **state)
{
	program(0, 2, 11932); /* 100 Hz, nearly */
	kit_clear(k);
	kit_advance(k, 1000 * NS_PER_SEC);
	assert_int_equal(k->rises[0], 1000ull * HZ / 11932);
}

static void mode_2_takes_a_new_count_at_the_end_of_the_cycle(void **state)
{
	program(0, 2, 1000);
	kit_clear(k);
	advance_clks(500);
	kit_out8(k, COUNTER0, 200);
	kit_out8(k, COUNTER0, 0);
	assert_int_equal(status(0) & NULL_COUNT, NULL_COUNT);
	assert_int_equal(latch(0), 500);
	advance_clks(500);
	assert_int_equal(k->rises[0], 1);
	assert_int_equal(latch(0), 200);
	assert_int_equal(status(0) & NULL_COUNT, 0);
	advance_clks(200);
	assert_int_equal(k->rises[0], 2);
}

static void a_read_at_the_end_of_a_cycle_loses_no_interrupt(void **state)
{
	program(0, 2, 60000);
	kit_clear(k);
	for (unsigned i = 0; i < 60; i++) {
		kit_out8(k, COUNTER0, 60000 & 0xff);
		kit_out8(k, COUNTER0, 60000 >> 8);
		advance_clks(6000);
		latch(0);
	}
	assert_int_equal(k->rises[0], 6);
}

static void mode_3_is_a_square_wave_high_first(void **state)
{
	program(0, 3, 1000);
	kit_clear(k);
	advance_clks(499);
	assert_true(k->level[0]);
	advance_clks(1);
	assert_false(k->level[0]);
	advance_clks(499);
	assert_false(k->level[0]);
	advance_clks(1);
	assert_true(k->level[0]);
	assert_int_equal(k->rises[0], 1);
	assert_int_equal(k->falls[0], 1);
}

static void mode_3_counts_by_two_twice_in_a_cycle(void **state)
{
	static const uint16_t even[] = {6, 4, 2, 6, 4, 2, 6}, odd[] = {4, 2, 0, 4, 2, 4};

	program(0, 3, 6);
	for (unsigned i = 0; i < ARRAY_SIZE(even); i++, advance_clks(1))
		assert_int_equal(latch(0), even[i]);
	teardown(NULL);
	setup(NULL);
	program(0, 3, 5); /* high for three, low for two */
	for (unsigned i = 0; i < ARRAY_SIZE(odd); i++, advance_clks(1))
		assert_int_equal(latch(0), odd[i]);
}

static void mode_4_strobes_once_after_terminal_count(void **state)
{
	program(0, 4, 100);
	assert_true(k->level[0]);
	kit_clear(k);
	advance_clks(100);
	assert_int_equal(k->rises[0], 0);
	advance_clks(1);
	assert_int_equal(k->rises[0], 1);
	advance_clks(200000);
	assert_int_equal(k->rises[0], 1);
}

static void modes_1_and_5_start_at_the_rising_gate(void **state)
{
	program(2, 1, 100);
	advance_clks(500);
	assert_true(out2());
	kit_out8(k, NMISC, 1);
	assert_false(out2());
	advance_clks(50);
	kit_out8(k, NMISC, 0); /* a low gate does not matter */
	assert_false(out2());
	kit_out8(k, NMISC, 1); /* but its rise starts anew */
	advance_clks(99);
	assert_false(out2());
	advance_clks(2);
	assert_true(out2());

	program(2, 5, 100);
	kit_out8(k, NMISC, 0);
	kit_out8(k, NMISC, 1);
	advance_clks(99);
	assert_true(out2());
	assert_int_equal(status(2) & OUT, OUT);
	advance_clks(1);
	assert_false(out2());
	advance_clks(1);
	assert_true(out2());
}

static void mode_1_takes_a_new_count_with_the_next_trigger(void **state)
{
	program(2, 1, 100);
	kit_out8(k, NMISC, 1);
	kit_out8(k, COUNTER2, 10);
	kit_out8(k, COUNTER2, 0);
	advance_clks(50);
	assert_false(out2());
	kit_out8(k, NMISC, 0);
	kit_out8(k, NMISC, 1);
	advance_clks(11);
	assert_true(out2());
}

static void a_low_gate_holds_modes_0_and_4(void **state)
{
	program(2, 0, 100);
	advance_clks(500);
	assert_int_equal(latch(2), 100);
	kit_out8(k, NMISC, 1);
	advance_clks(60);
	kit_out8(k, NMISC, 0);
	advance_clks(1000);
	assert_int_equal(latch(2), 40);
	assert_false(out2());
	kit_out8(k, NMISC, 1);
	advance_clks(41);
	assert_true(out2());
}

static void a_low_gate_raises_out_in_modes_2_and_3_and_its_rise_starts_anew(void **state)
{
	kit_out8(k, NMISC, 1);
	program(2, 3, 100);
	advance_clks(60);
	assert_false(out2());
	kit_out8(k, NMISC, 0);
	assert_true(out2());
	advance_clks(1000);
	kit_out8(k, NMISC, 1);
	advance_clks(49);
	assert_true(out2());
	advance_clks(2);
	assert_false(out2());
}

static void a_count_of_0_is_65536(void **state)
{
	program(0, 2, 0);
	kit_clear(k);
	advance_clks(65536 - 1);
	assert_int_equal(latch(0), 1);
	assert_int_equal(k->rises[0], 0);
	advance_clks(1);
	assert_int_equal(k->rises[0], 1);
	assert_int_equal(latch(0), 0);
}

static void bcd_counts_in_decimal_and_0_is_10000(void **state)
{
	kit_out8(k, CONTROL, 0x31);
	kit_out8(k, COUNTER0, 0x00);
	kit_out8(k, COUNTER0, 0x10);
	advance_clks(1);
	assert_int_equal(latch(0), 0x0999);
	teardown(NULL);
	setup(NULL);
	kit_out8(k, CONTROL, 0x31);
	kit_out8(k, COUNTER0, 0);
	kit_out8(k, COUNTER0, 0);
	assert_int_equal(latch(0), 0);
	advance_clks(2);
	assert_int_equal(latch(0), 0x9998);
	advance_clks(9999);
	assert_int_equal(latch(0), 0x9999);
}

static void digits_above_nine_do_no_harm(void **state)
{
	for (unsigned cr = 0; cr < 0x10000; cr += cr < 0xff00 ? 7 : 1) {
		kit_out8(k, CONTROL, 0x35);
		kit_out8(k, COUNTER0, cr & 0xff);
		kit_out8(k, COUNTER0, cr >> 8);
		latch(0);
	}
	kit_out8(k, CONTROL, 0x35); /* 9 * 1000 + 9 * 100 + 9 * 10 + 11: one more than there is */
	kit_out8(k, COUNTER0, 0x9b);
	kit_out8(k, COUNTER0, 0x99);
	assert_int_equal(latch(0), 0);
}

static void a_latched_count_holds_until_both_bytes_are_read(void **state)
{
	uint16_t value;

	program(0, 0, 1000);
	advance_clks(100);
	kit_out8(k, CONTROL, 0x00);
	advance_clks(100);
	kit_out8(k, CONTROL, 0x00); /* ignored */
	value = kit_in8(k, COUNTER0);
	advance_clks(100);
	value |= kit_in8(k, COUNTER0) << 8;
	assert_int_equal(value, 900);
	value = kit_in8(k, COUNTER0);
	value |= kit_in8(k, COUNTER0) << 8;
	assert_int_equal(value, 700);
}

static void one_byte_counts_have_the_other_byte_0(void **state)
{
	kit_out8(k, CONTROL, 0x10); /* LSB, mode 0 */
	kit_out8(k, COUNTER0, 50);
	assert_int_equal(kit_in8(k, COUNTER0), 50);
	assert_int_equal(kit_in8(k, COUNTER0), 50);
	kit_out8(k, CONTROL, 0x20); /* MSB */
	kit_out8(k, COUNTER0, 1);
	advance_clks(1);
	assert_int_equal(kit_in8(k, COUNTER0), 0);
	advance_clks(254);
	assert_false(k->level[0]);
	advance_clks(1);
	assert_true(k->level[0]);
}

static void read_back_latches_status_and_count_of_several_counters(void **state)
{
	program(0, 2, 1000);
	program(2, 0, 500);
	kit_out8(k, CONTROL, 0xca);
	assert_int_equal(kit_in8(k, COUNTER0), OUT | 0x34);
	assert_int_equal(kit_in8(k, COUNTER0), 1000 & 0xff);
	assert_int_equal(kit_in8(k, COUNTER0), 1000 >> 8);
	assert_int_equal(kit_in8(k, COUNTER2), 0x30);
	assert_int_equal(kit_in8(k, COUNTER2), 500 & 0xff);
}

static void null_count_is_set_from_the_control_word_to_the_count(void **state)
{
	kit_out8(k, CONTROL, 0x34);
	assert_int_equal(status(0), OUT | NULL_COUNT | 0x34);
	kit_out8(k, COUNTER0, 10);
	assert_int_equal(status(0), OUT | NULL_COUNT | 0x34);
	kit_out8(k, COUNTER0, 0);
	assert_int_equal(status(0), OUT | 0x34);
}

static void modes_6_and_7_are_2_and_3(void **state)
{
	kit_out8(k, CONTROL, 0x3c);
	assert_int_equal(status(0) & 0x0e, 2 << 1);
	kit_out8(k, CONTROL, 0x3e);
	assert_int_equal(status(0) & 0x0e, 3 << 1);
}

static void port_61h_keeps_its_writable_bits_and_toggles_refresh(void **state)
{
	unsigned toggles = 0;
	uint8_t last;

	kit_out8(k, NMISC, 0xff);
	assert_int_equal(kit_in8(k, NMISC) & 0xcf, 0x0f);
	last = kit_in8(k, NMISC) & 0x10;
	for (unsigned i = 0; i < 1000; i++, kit_advance(k, NS_PER_US)) {
		uint8_t now = kit_in8(k, NMISC) & 0x10;

		toggles += now != last;
		last = now;
	}
	assert_in_range(toggles, 65, 67); /* each 15 us */
}

static void the_control_port_reads_as_ones(void **state)
{
	assert_int_equal(kit_in8(k, CONTROL), 0xff);
}

static void a_tiny_count_raises_no_more_than_one_edge_in_50_us(void **state)
{
	program(0, 2, 1);
	program(0, 2, 2);
	kit_clear(k);
	kit_advance(k, 10 * NS_PER_MS);
	assert_in_range(k->rises[0], 100, 201);
}

static void no_timer_runs_when_no_edge_is_to_come(void **state)
{
	program(0, 0, 100);
	advance_clks(200);
	assert_int_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
	kit_out8(k, CONTROL, 0x34);
	assert_int_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
}

static void a_count_that_runs_survives_save_and_load(void **state)
{
	program(0, 2, 1000);
	kit_clear(k);
	advance_clks(300);
	kit_save_load(pit);
	assert_int_equal(latch(0), 700);
	kit_clear(k);
	advance_clks(699);
	assert_int_equal(k->rises[0], 0);
	advance_clks(1);
	assert_int_equal(k->rises[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mode_0_raises_out_at_terminal_count_and_goes_on_counting),
		TEST(mode_0_stops_when_the_first_byte_of_a_new_count_is_written),
		TEST(mode_2_raises_out_once_in_each_count),
		TEST(mode_2_counts_from_n_down_to_1),
		TEST(mode_2_does_not_drift),
		TEST(mode_2_takes_a_new_count_at_the_end_of_the_cycle),
		TEST(a_read_at_the_end_of_a_cycle_loses_no_interrupt),
		TEST(mode_3_is_a_square_wave_high_first),
		TEST(mode_3_counts_by_two_twice_in_a_cycle),
		TEST(mode_4_strobes_once_after_terminal_count),
		TEST(modes_1_and_5_start_at_the_rising_gate),
		TEST(mode_1_takes_a_new_count_with_the_next_trigger),
		TEST(a_low_gate_holds_modes_0_and_4),
		TEST(a_low_gate_raises_out_in_modes_2_and_3_and_its_rise_starts_anew),
		TEST(a_count_of_0_is_65536),
		TEST(bcd_counts_in_decimal_and_0_is_10000),
		TEST(digits_above_nine_do_no_harm),
		TEST(a_latched_count_holds_until_both_bytes_are_read),
		TEST(one_byte_counts_have_the_other_byte_0),
		TEST(read_back_latches_status_and_count_of_several_counters),
		TEST(null_count_is_set_from_the_control_word_to_the_count),
		TEST(modes_6_and_7_are_2_and_3),
		TEST(port_61h_keeps_its_writable_bits_and_toggles_refresh),
		TEST(the_control_port_reads_as_ones),
		TEST(a_tiny_count_raises_no_more_than_one_edge_in_50_us),
		TEST(no_timer_runs_when_no_edge_is_to_come),
		TEST(a_count_that_runs_survives_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
