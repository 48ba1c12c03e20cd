/* SPDX-License-Identifier: BSD-2-Clause */
/* PS/2 mouse: commands, packets, the wheel and the fourth and fifth button. */
#include "devices/input/ps2_mouse.h"
#include "tests/device/kit.h"

static struct ps2_mouse mouse;

static int setup(void **state)
{
	ps2_mouse_reset(&mouse);
	return 0;
}

static int teardown(void **state)
{
	return 0;
}

static void expect(const char *hex)
{
	char got[256] = "";
	uint8_t byte;

	while (ps2_mouse_read(&mouse, &byte))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%02x", *got ? " " : "",
			 byte);
	assert_string_equal(got, hex);
}

static void command(uint8_t byte, const char *answer)
{
	ps2_mouse_write(&mouse, byte);
	expect(answer);
}

static void rate(uint8_t r)
{
	command(0xf3, "fa");
	command(r, "fa");
}

static void move(int x, int y)
{
	ps2_mouse_move(&mouse, INPUT_AXIS_X, x);
	ps2_mouse_move(&mouse, INPUT_AXIS_Y, y);
	ps2_mouse_sync(&mouse);
}

static void reset_ends_with_the_test_and_the_type(void **state)
{
	command(0xff, "fa aa 00");
	command(0xf2, "fa 00");
	command(0xe9, "fa 00 02 64");
}

static void modes_show_in_the_status(void **state)
{
	command(0xf4, "fa");
	command(0xe7, "fa");
	command(0xf0, "fa");
	command(0xe8, "fa");
	command(3, "fa");
	rate(40);
	ps2_mouse_button(&mouse, INPUT_BUTTON_RIGHT, true);
	command(0xe9, "fa 71 03 28");
	command(0xe6, "fa");
	command(0xea, "fa 0a 00 00"); /* what was held back */
	command(0xe9, "fa 21 03 28");
	command(0xf6, "fa");
	command(0xe9, "fa 01 02 64");
}

static void movements_and_buttons_make_packets(void **state)
{
	move(1, 1);
	expect(""); /* not enabled */
	command(0xf4, "fa");
	move(0, 0);
	expect("");
	move(3, 4); /* down is negative */
	expect("28 03 fc");
	move(-300, 0); /* more than a packet holds */
	expect("18 01 00 18 d3 00");
	ps2_mouse_button(&mouse, INPUT_BUTTON_LEFT, true);
	ps2_mouse_button(&mouse, INPUT_BUTTON_MIDDLE, true);
	ps2_mouse_sync(&mouse);
	ps2_mouse_button(&mouse, INPUT_BUTTON_LEFT, false);
	ps2_mouse_sync(&mouse);
	expect("0d 00 00 0c 00 00");
	ps2_mouse_button(&mouse, INPUT_BUTTON_WHEEL_UP, true);
	ps2_mouse_sync(&mouse);
	expect("");
}

static void three_rates_bring_the_wheel(void **state)
{
	rate(200);
	rate(100);
	rate(80);
	command(0xf2, "fa 03");
	command(0xf4, "fa");
	ps2_mouse_button(&mouse, INPUT_BUTTON_WHEEL_UP, true);
	ps2_mouse_button(&mouse, INPUT_BUTTON_WHEEL_UP, false);
	ps2_mouse_sync(&mouse);
	expect("08 00 00 ff");
	ps2_mouse_button(&mouse, INPUT_BUTTON_WHEEL_DOWN, true);
	ps2_mouse_sync(&mouse);
	expect("08 00 00 01");
}

static void and_three_more_the_fourth_and_fifth_button(void **state)
{
	rate(200);
	rate(200);
	rate(80);
	command(0xf2, "fa 04");
	command(0xf4, "fa");
	ps2_mouse_button(&mouse, INPUT_BUTTON_SIDE, true);
	ps2_mouse_button(&mouse, INPUT_BUTTON_WHEEL_UP, true);
	ps2_mouse_sync(&mouse);
	ps2_mouse_button(&mouse, INPUT_BUTTON_EXTRA, true);
	ps2_mouse_sync(&mouse);
	expect("08 00 00 1f 08 00 00 30");
	command(0xff, "fa aa 00");
	command(0xf2, "fa 00");
}

static void scaling_2_to_1_is_for_streaming(void **state)
{
	command(0xf4, "fa");
	command(0xe7, "fa");
	move(3, 0);
	move(-5, 0);
	move(10, 0);
	expect("08 03 00 18 f7 00 08 14 00");
	command(0xf0, "fa");
	move(3, 0);
	expect("");
	command(0xeb, "fa 08 03 00");
}

static void wrap_mode_gives_bytes_back(void **state)
{
	command(0xee, "fa");
	command(0xf2, "f2");
	command(0x12, "12");
	command(0xec, "fa");
	command(0xf2, "fa 00");
	command(0xee, "fa");
	command(0xff, "fa aa 00");
}

static void a_command_ends_the_packet_under_way(void **state)
{
	uint8_t byte;

	command(0xf4, "fa");
	move(1, 0);
	assert_true(ps2_mouse_read(&mouse, &byte));
	command(0xe9, "fa 20 02 64");
}

static void resend_and_unknown_commands(void **state)
{
	command(0xf2, "fa 00");
	command(0xfe, "00");
	command(0x01, "fe");
}

static void a_hand_that_goes_on_while_nobody_reads_is_bounded(void **state)
{
	unsigned n = 0;
	uint8_t byte;

	command(0xf4, "fa");
	for (unsigned i = 0; i < 5000; i++)
		move(INT32_MAX, INT32_MIN + 1);
	for (unsigned i = 0; i < 5000; i++)
		ps2_mouse_write(&mouse, 0xe9);
	for (unsigned i = 0; i < 100; i++)
		move(INT32_MIN + 1, INT32_MAX);
	while (ps2_mouse_read(&mouse, &byte))
		n++;
	assert_true(n > 16 && n < 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reset_ends_with_the_test_and_the_type),
		TEST(modes_show_in_the_status),
		TEST(movements_and_buttons_make_packets),
		TEST(three_rates_bring_the_wheel),
		TEST(and_three_more_the_fourth_and_fifth_button),
		TEST(scaling_2_to_1_is_for_streaming),
		TEST(wrap_mode_gives_bytes_back),
		TEST(a_command_ends_the_packet_under_way),
		TEST(resend_and_unknown_commands),
		TEST(a_hand_that_goes_on_while_nobody_reads_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
