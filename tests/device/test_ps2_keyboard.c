/* SPDX-License-Identifier: BSD-2-Clause */
/* The AT keyboard's scan codes and the commands that concern them; the others are tested through the 8042. */
#include "devices/input/ps2_keyboard.h"
#include "tests/device/kit.h"

static struct ps2_keyboard kbd;

static int setup(void **state)
{
	ps2_keyboard_reset(&kbd);
	return 0;
}

static int teardown(void **state)
{
	return 0;
}

static void expect(const char *hex)
{
	char got[128] = "";
	uint8_t byte;

	while (ps2_keyboard_read(&kbd, &byte))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%02x", *got ? " " : "",
			 byte);
	assert_string_equal(got, hex);
}

static void command(uint8_t byte)
{
	uint8_t ack;

	ps2_keyboard_write(&kbd, byte);
	assert_true(ps2_keyboard_read(&kbd, &ack));
	assert_int_equal(ack, 0xfa);
}

static void use_set(uint8_t set)
{
	command(0xf0);
	command(set);
}

static void press(enum input_key key)
{
	ps2_keyboard_key(&kbd, key, true);
}

static void release(enum input_key key)
{
	ps2_keyboard_key(&kbd, key, false);
}

static void sets_1_and_2_have_their_codes(void **state)
{
	press(INPUT_KEY_A);
	release(INPUT_KEY_A);
	press(INPUT_KEY_RIGHT);
	release(INPUT_KEY_RIGHT);
	press(INPUT_KEY_F7);
	release(INPUT_KEY_F7);
	expect("1c f0 1c e0 74 e0 f0 74 83 f0 83");
	use_set(1);
	press(INPUT_KEY_A);
	release(INPUT_KEY_A);
	press(INPUT_KEY_RIGHT);
	release(INPUT_KEY_RIGHT);
	expect("1e 9e e0 4d e0 cd");
}

static void set_3_lets_go_silently_but_of_those_told_to(void **state)
{
	use_set(3);
	press(INPUT_KEY_A);
	release(INPUT_KEY_A);
	press(INPUT_KEY_SHIFT);
	release(INPUT_KEY_SHIFT);
	press(INPUT_KEY_UP);
	release(INPUT_KEY_UP);
	expect("1c 12 f0 12 63");
	command(0xf8);
	press(INPUT_KEY_UP);
	release(INPUT_KEY_UP);
	expect("63 f0 63");
	command(0xf7);
	release(INPUT_KEY_UP);
	expect("");
	command(0xfc); /* key type make and break */
	command(0x63);
	command(0x1c);
	release(INPUT_KEY_UP);
	release(INPUT_KEY_A);
	release(INPUT_KEY_B);
	expect("f0 63 f0 1c");
	command(0xfd);
	command(0x1c);
	release(INPUT_KEY_A);
	expect("");
}

static void pause_and_print_screen_depend_on_what_is_held(void **state)
{
	press(INPUT_KEY_PAUSE);
	release(INPUT_KEY_PAUSE);
	expect("e1 14 77 e1 f0 14 f0 77");
	press(INPUT_KEY_PRINT);
	release(INPUT_KEY_PRINT);
	expect("e0 12 e0 7c e0 f0 7c e0 f0 12");
	press(INPUT_KEY_CTRL_R);
	expect("e0 14");
	press(INPUT_KEY_PAUSE);
	release(INPUT_KEY_PAUSE);
	expect("e0 7e e0 f0 7e");
	press(INPUT_KEY_PRINT);
	expect("e0 7c");
	release(INPUT_KEY_CTRL_R);
	press(INPUT_KEY_ALT);
	expect("e0 f0 14 11");
	press(INPUT_KEY_PRINT);
	release(INPUT_KEY_PRINT);
	expect("84 f0 84");
	release(INPUT_KEY_ALT);
	expect("f0 11");
	use_set(1);
	press(INPUT_KEY_PAUSE);
	press(INPUT_KEY_PRINT);
	release(INPUT_KEY_PRINT);
	expect("e1 1d 45 e1 9d c5 e0 2a e0 37 e0 b7 e0 aa");
}

static void a_disabled_keyboard_sees_no_keys(void **state)
{
	command(0xf5);
	press(INPUT_KEY_A);
	expect("");
	command(0xf4);
	press(INPUT_KEY_B);
	expect("32");
}

static void an_answer_goes_before_the_keys_that_wait(void **state)
{
	press(INPUT_KEY_A);
	ps2_keyboard_write(&kbd, 0xee);
	expect("ee 1c");
}

static void a_full_buffer_loses_whole_keys(void **state)
{
	unsigned n = 0;
	uint8_t byte;

	for (unsigned i = 0; i < 100; i++) {
		press(INPUT_KEY_RIGHT);
		release(INPUT_KEY_RIGHT);
	}
	while (ps2_keyboard_read(&kbd, &byte))
		n++;
	/* e0 74 e0 f0 74, three times, has no room for another e0 74 but one. */
	assert_int_equal(n, 15);
}

static void every_key_has_a_code_of_one_byte_or_the_prefix(void **state)
{
	for (enum input_key key = 1; key < INPUT_KEYS; key++) {
		enum input_key found;
		const char *name = input_key_name(key);

		assert_true(input_key_parse(name, strlen(name), &found));
		assert_int_equal(found, key);
		for (unsigned set = 1; set <= 3; set++) {
			uint16_t code = input_key_scan_code(key, set);

			assert_true(!(code >> 8) || code >> 8 == 0xe0);
			assert_true(set != 1 || !(code & 0x80));
		}
		press(key);
		release(key);
		while (kbd.fifo_n)
			kbd.fifo_n = 0;
	}
}

static void keys_have_names_and_numbers(void **state)
{
	enum input_key key;

	assert_true(input_key_parse("0x1e", 4, &key));
	assert_int_equal(key, INPUT_KEY_A);
	assert_true(input_key_parse("0xc8", 4, &key));
	assert_int_equal(key, INPUT_KEY_UP);
	assert_false(input_key_parse("0x1ff", 5, &key));
	assert_false(input_key_parse("unmapped", 8, &key));
	assert_false(input_key_parse("", 0, &key));
	assert_false(input_key_parse("nosuchkeyofwhichthenameisfartoolong", 35, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sets_1_and_2_have_their_codes),
		TEST(set_3_lets_go_silently_but_of_those_told_to),
		TEST(pause_and_print_screen_depend_on_what_is_held),
		TEST(a_disabled_keyboard_sees_no_keys),
		TEST(an_answer_goes_before_the_keys_that_wait),
		TEST(a_full_buffer_loses_whole_keys),
		TEST(every_key_has_a_code_of_one_byte_or_the_prefix),
		TEST(keys_have_names_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
