/* SPDX-License-Identifier: BSD-2-Clause */
/* MC146818 and CMOS RAM; -rtc clock=vm, so that the test moves its time. */
#include "devices/chipset/chipset.h"
#include "tests/device/kit.h"

#define IRQ 8
#define A   0x0a
#define B   0x0b
#define C   0x0c
#define D   0x0d
#define SET 0x80
#define PIE 0x40
#define AIE 0x20
#define UIE 0x10
#define DM  0x04
#define H24 0x02

static struct kit *k;
static struct device *rtc;

/* 1999-12-31 23:59:50 */
#define START 946684790

static void build(int64_t base)
{
	struct machine_config config = {.rtc_clock_vm = true,
					.rtc_base_set = true,
					.rtc_base_unix = base,
					.ram_bytes = 32 * MiB,
					.cpus = 3};

	k = kit_new_with(NULL, &config);
	rtc = kit_add(k, &mc146818_type, NULL);
}

static int setup(void **state)
{
	build(START);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint8_t get(uint8_t index)
{
	kit_out8(k, 0x70, index);
	return kit_in8(k, 0x71);
}

static void put(uint8_t index, uint8_t value)
{
	kit_out8(k, 0x70, index);
	kit_out8(k, 0x71, value);
}

static void expect_time(uint8_t h, uint8_t m, uint8_t s)
{
	assert_int_equal(get(4), h);
	assert_int_equal(get(2), m);
	assert_int_equal(get(0), s);
}

static void expect_date(uint8_t century, uint8_t y, uint8_t m, uint8_t d, uint8_t weekday)
{
	assert_int_equal(get(0x32), century);
	assert_int_equal(get(9), y);
	assert_int_equal(get(8), m);
	assert_int_equal(get(7), d);
	assert_int_equal(get(6), weekday);
}

static void time_and_date_are_kept_in_bcd_and_roll_over(void **state)
{
	expect_time(0x23, 0x59, 0x50);
	expect_date(0x19, 0x99, 0x12, 0x31, 6);
	kit_advance(k, 10 * NS_PER_SEC);
	expect_time(0, 0, 0);
	expect_date(0x20, 0x00, 0x01, 0x01, 7);
	kit_advance(k, 59 * 86400 * NS_PER_SEC);
	expect_date(0x20, 0x00, 0x02, 0x29, 3);
}

static void dm_chooses_binary_and_24_12_the_hours_form(void **state)
{
	put(B, DM | H24);
	expect_time(23, 59, 50);
	put(B, DM);
	assert_int_equal(get(4), 0x80 | 11);
	put(B, 0);
	assert_int_equal(get(4), 0x91);
	kit_advance(k, 10 * NS_PER_SEC);
	assert_int_equal(get(4), 0x12); /* midnight */
	kit_advance(k, 12 * 3600 * NS_PER_SEC);
	assert_int_equal(get(4), 0x92);
}

static void set_stops_the_updates_until_a_new_time_is_in_place(void **state)
{
	put(B, SET | H24);
	kit_advance(k, 5 * NS_PER_SEC);
	expect_time(0x23, 0x59, 0x50);
	put(0x32, 0x20);
	put(9, 0x24);
	put(8, 0x02);
	put(7, 0x29);
	put(4, 0x12);
	put(2, 0x34);
	put(0, 0x56);
	kit_advance(k, 5 * NS_PER_SEC);
	expect_time(0x12, 0x34, 0x56);
	put(B, H24);
	expect_time(0x12, 0x34, 0x56);
	kit_advance(k, 4 * NS_PER_SEC);
	expect_time(0x12, 0x35, 0x00);
	expect_date(0x20, 0x24, 0x02, 0x29, 5);
}

static void a_time_byte_written_while_it_runs_is_taken(void **state)
{
	put(0, 0x10);
	expect_time(0x23, 0x59, 0x10);
	put(4, 0x08);
	kit_advance(k, 50 * NS_PER_SEC);
	expect_time(0x09, 0x00, 0x00);
}

static void a_divider_that_was_held_in_reset_updates_after_half_a_second(void **state)
{
	put(A, 0x76);
	kit_advance(k, 10 * NS_PER_SEC);
	expect_time(0x23, 0x59, 0x50);
	put(A, 0x26);
	kit_advance(k, 490 * NS_PER_MS);
	expect_time(0x23, 0x59, 0x50);
	kit_advance(k, 20 * NS_PER_MS);
	expect_time(0x23, 0x59, 0x51);
}

static void uip_is_set_2228_us_before_the_time_changes(void **state)
{
	kit_advance(k, NS_PER_SEC - 2229 * NS_PER_US);
	assert_int_equal(get(A), 0x26);
	kit_advance(k, 2 * NS_PER_US);
	assert_int_equal(get(A), 0xa6);
	expect_time(0x23, 0x59, 0x50);
	put(B, SET | H24);
	assert_int_equal(get(A), 0x26);
	put(B, H24);
	kit_advance(k, 2227 * NS_PER_US);
	assert_int_equal(get(A), 0x26);
	expect_time(0x23, 0x59, 0x51);
}

static void pf_rises_at_the_rate_that_rs_names(void **state)
{
	unsigned count = 0;

	put(A, 0x26); /* 1024 Hz */
	put(B, PIE | H24);
	for (unsigned i = 0; i < 4000; i++) {
		kit_advance(k, 250 * NS_PER_US);
		if (!k->level[IRQ])
			continue;
		assert_int_equal(get(C), 0xc0 | (i == 3999 ? 0x10 : 0));
		assert_false(k->level[IRQ]);
		count++;
	}
	assert_int_equal(count, 1024);
	assert_int_equal(k->rises[IRQ], 1024);
	put(A, 0x2f); /* 2 Hz */
	kit_clear(k);
	for (unsigned i = 0; i < 100; i++) {
		kit_advance(k, 100 * NS_PER_MS);
		get(C);
	}
	assert_int_equal(k->rises[IRQ], 20);
	put(A, 0x20);
	kit_clear(k);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(k->rises[IRQ], 0);
}

static void rates_1_and_2_are_256_and_128_hz(void **state)
{
	put(B, PIE | H24);
	put(A, 0x21);
	kit_advance(k, 3906249);
	assert_int_equal(k->rises[IRQ], 0);
	kit_advance(k, 2);
	assert_int_equal(k->rises[IRQ], 1);
	get(C);
	put(A, 0x22);
	kit_clear(k);
	kit_advance(k, 7812500 - 3906251 - 1);
	assert_int_equal(k->rises[IRQ], 0);
	kit_advance(k, 2);
	assert_int_equal(k->rises[IRQ], 1);
}

static void uf_rises_with_each_second_and_reading_c_clears_it(void **state)
{
	put(B, UIE | H24);
	kit_advance(k, 999 * NS_PER_MS);
	assert_false(k->level[IRQ]);
	kit_advance(k, 2 * NS_PER_MS);
	assert_true(k->level[IRQ]);
	assert_int_equal(get(C) & 0x90, 0x90);
	assert_int_equal(get(C), 0);
	assert_false(k->level[IRQ]);
	kit_advance(k, NS_PER_SEC);
	assert_true(k->level[IRQ]);
}

static void flags_rise_without_their_interrupt_and_without_a_timer(void **state)
{
	assert_int_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(get(C), 0x50);
	assert_int_equal(k->rises[IRQ], 0);
	put(B, UIE | H24);
	assert_int_not_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
	put(B, H24);
	assert_int_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
}

static void an_interrupt_enabled_after_its_flag_comes_at_once(void **state)
{
	kit_advance(k, NS_PER_SEC);
	put(B, UIE | H24);
	assert_true(k->level[IRQ]);
}

static void the_alarm_comes_at_its_time_of_day(void **state)
{
	put(5, 0x00);
	put(3, 0x00);
	put(1, 0x05);
	put(B, AIE | H24);
	kit_advance(k, 14 * NS_PER_SEC);
	assert_false(k->level[IRQ]);
	kit_advance(k, 1 * NS_PER_SEC);
	assert_true(k->level[IRQ]);
	assert_int_equal(get(C) & 0xa0, 0xa0);
	kit_advance(k, 86399 * NS_PER_SEC);
	assert_false(k->level[IRQ]);
	kit_advance(k, 1 * NS_PER_SEC);
	assert_true(k->level[IRQ]);
}

static void an_alarm_byte_with_both_high_bits_matches_all(void **state)
{
	put(5, 0xc0);
	put(3, 0xff);
	put(1, 0x30);
	put(B, AIE | H24);
	for (unsigned i = 0; i < 10; i++) {
		kit_advance(k, 60 * NS_PER_SEC);
		assert_true(k->level[IRQ]);
		get(C);
	}
	put(1, 0x75); /* never */
	kit_clear(k);
	kit_advance(k, 90000 * NS_PER_SEC);
	assert_int_equal(k->rises[IRQ], 0);
}

static void set_clears_uie_and_holds_flags_back(void **state)
{
	put(B, SET | UIE | H24);
	assert_int_equal(get(B), SET | H24);
	kit_advance(k, 3 * NS_PER_SEC);
	assert_int_equal(get(C) & 0x30, 0);
}

static void register_d_says_that_ram_is_valid(void **state)
{
	assert_int_equal(get(D), 0x80);
	put(D, 0);
	assert_int_equal(get(D), 0x80);
}

static void reset_clears_interrupts_and_keeps_time_and_ram(void **state)
{
	put(0x40, 0x5a);
	put(B, PIE | AIE | UIE | DM | H24);
	kit_advance(k, NS_PER_SEC);
	assert_true(k->level[IRQ]);
	device_reset(rtc);
	assert_false(k->level[IRQ]);
	assert_int_equal(get(B), DM | H24);
	assert_int_equal(get(C), 0);
	assert_int_equal(get(0x40), 0x5a);
	expect_time(23, 59, 51);
}

static void cmos_tells_memory_and_processors(void **state)
{
	unsigned sum = 0;

	assert_int_equal(get(0x15) | get(0x16) << 8, 640);
	assert_int_equal(get(0x17) | get(0x18) << 8, 31 * 1024);
	assert_int_equal(get(0x30) | get(0x31) << 8, 31 * 1024);
	assert_int_equal(get(0x34) | get(0x35) << 8, 16 * 16);
	assert_int_equal(get(0x5b) | get(0x5c) | get(0x5d), 0);
	assert_int_equal(get(0x5f), 2);
	for (unsigned i = 0x10; i <= 0x2d; i++)
		sum += get(i);
	assert_int_equal(get(0x2e) << 8 | get(0x2f), sum);
}

static void the_index_has_seven_bits_and_its_port_is_write_only(void **state)
{
	put(0x40 | 0x80, 0x77); /* NMI masked */
	assert_int_equal(get(0x40), 0x77);
	assert_int_equal(kit_in8(k, 0x70), 0xff);
}

static void nonsense_in_the_time_bytes_is_taken_as_the_nearest_time(void **state)
{
	for (unsigned i = 0; i < 256; i += 5) {
		put(B, SET | (i & 6));
		for (unsigned r = 0; r < 10; r++)
			put(r, 255 - i);
		put(0x32, i);
		put(B, i & 6);
		get(0);
		kit_advance(k, 7 * NS_PER_SEC);
		get(9);
	}
	put(B, SET | H24);
	put(8, 0x13);
	put(7, 0x00);
	put(9, 0x01);
	put(0x32, 0x20);
	put(B, H24);
	assert_int_equal(get(8), 0x12);
	assert_int_equal(get(7), 0x01);
}

static void years_beyond_the_model_do_not_overflow(void **state)
{
	teardown(NULL);
	build(INT64_MAX);
	kit_advance(k, 1000000 * NS_PER_SEC);
	assert_int_equal(get(0x32), 0x22);
	teardown(NULL);
	build(INT64_MIN);
	assert_int_equal(get(0x32), 0x19);
}

static void time_and_alarms_survive_save_and_load(void **state)
{
	put(5, 0x00);
	put(3, 0x00);
	put(1, 0x05);
	put(B, AIE | H24);
	kit_save_load(rtc);
	expect_time(0x23, 0x59, 0x50);
	kit_advance(k, 14 * NS_PER_SEC);
	assert_false(k->level[IRQ]);
	kit_advance(k, 1 * NS_PER_SEC);
	assert_true(k->level[IRQ]);
	kit_save_load(rtc);
	assert_true(k->level[IRQ]);
}

static void the_host_s_time_is_shown_without_a_base(void **state)
{
	struct machine_config config = {.rtc_base_set = false};
	int64_t host;

	teardown(NULL);
	k = kit_new_with(NULL, &config);
	rtc = kit_add(k, &mc146818_type, NULL);
	put(B, DM | H24);
	host = clock_wall_ns() / NS_PER_SEC % 86400;
	for (unsigned tries = 0; tries < 3; tries++) {
		int64_t shown = get(4) * 3600 + get(2) * 60 + get(0);

		if (shown >= host && shown <= host + 5)
			return;
		host = clock_wall_ns() / NS_PER_SEC %
		       86400; /* a second or a day turned over between the reads */
	}
	fail();
}

static void only_a_policy_that_there_is_is_taken(void **state)
{
	char *said = kit_add_fails(k, &mc146818_type, "lost_tick_policy", "merge", NULL);

	assert_non_null(strstr(said, "'merge'"));
	free(said);
}

/* 1 s without the guest acknowledging a thing, then as fast as it can. */
static unsigned ticks_after_a_stall(const char *policy, int64_t then_ns)
{
	unsigned count = 0;

	teardown(NULL);
	k = kit_new_with(NULL, &(struct machine_config){.rtc_clock_vm = true});
	rtc = kit_add(k, &mc146818_type, "lost_tick_policy", policy, NULL);
	put(A, 0x2a); /* 64 Hz */
	put(B, PIE | H24);
	get(C);
	kit_advance(k, NS_PER_SEC);
	for (int64_t at = 0; at < then_ns; at += 250 * NS_PER_US) {
		kit_advance(k, 250 * NS_PER_US);
		if (k->level[IRQ] && (get(C) & 0x40))
			count++;
	}
	return count;
}

static void a_guest_that_was_too_slow_gets_its_ticks_when_asked_for(void **state)
{
	assert_int_equal(ticks_after_a_stall("discard", NS_PER_SEC), 65);
	assert_in_range(ticks_after_a_stall("slew", NS_PER_SEC), 127, 128);
	/* They come at a few times the pace, not all at once. */
	assert_in_range(ticks_after_a_stall("slew", 100 * NS_PER_MS), 20, 40);
	kit_save_load(rtc);
	put(B, H24);
	get(C);
	put(B, PIE | H24);
	kit_clear(k);
	kit_advance(k, NS_PER_SEC / 128);
	assert_in_range(k->rises[IRQ], 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(time_and_date_are_kept_in_bcd_and_roll_over),
		TEST(dm_chooses_binary_and_24_12_the_hours_form),
		TEST(set_stops_the_updates_until_a_new_time_is_in_place),
		TEST(a_time_byte_written_while_it_runs_is_taken),
		TEST(a_divider_that_was_held_in_reset_updates_after_half_a_second),
		TEST(uip_is_set_2228_us_before_the_time_changes),
		TEST(pf_rises_at_the_rate_that_rs_names),
		TEST(rates_1_and_2_are_256_and_128_hz),
		TEST(uf_rises_with_each_second_and_reading_c_clears_it),
		TEST(flags_rise_without_their_interrupt_and_without_a_timer),
		TEST(an_interrupt_enabled_after_its_flag_comes_at_once),
		TEST(the_alarm_comes_at_its_time_of_day),
		TEST(an_alarm_byte_with_both_high_bits_matches_all),
		TEST(set_clears_uie_and_holds_flags_back),
		TEST(register_d_says_that_ram_is_valid),
		TEST(reset_clears_interrupts_and_keeps_time_and_ram),
		TEST(cmos_tells_memory_and_processors),
		TEST(the_index_has_seven_bits_and_its_port_is_write_only),
		TEST(nonsense_in_the_time_bytes_is_taken_as_the_nearest_time),
		TEST(years_beyond_the_model_do_not_overflow),
		TEST(time_and_alarms_survive_save_and_load),
		TEST(the_host_s_time_is_shown_without_a_base),
		TEST(only_a_policy_that_there_is_is_taken),
		TEST(a_guest_that_was_too_slow_gets_its_ticks_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
