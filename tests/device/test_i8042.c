/* SPDX-License-Identifier: BSD-2-Clause */
/* 8042, its keyboard and its mouse. */
#include "devices/input/i8042.h"
#include "src/input.h"
#include "tests/device/kit.h"

#define DATA   0x60
#define STATUS 0x64
#define OBF    0x01
#define AUX    0x20

static struct kit *k;
static struct device *kbc;

static int setup(void **state)
{
	k = kit_new();
	kbc = kit_add(k, &i8042_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void command(uint8_t c)
{
	kit_out8(k, STATUS, c);
}

static void data(uint8_t d)
{
	kit_out8(k, DATA, d);
}

static uint8_t answer(void)
{
	assert_true(kit_in8(k, STATUS) & OBF);
	return kit_in8(k, DATA);
}

static void nothing_more(void)
{
	assert_false(kit_in8(k, STATUS) & OBF);
}

static void status_after_reset_is_not_inhibited_and_empty(void **state)
{
	assert_int_equal(kit_in8(k, STATUS), 0x1c);
}

static void the_self_test_answers_55(void **state)
{
	command(0xaa);
	assert_int_equal(answer(), 0x55);
	nothing_more();
	assert_true(kit_in8(k, STATUS) & 0x04);
}

static void the_command_byte_reads_as_written(void **state)
{
	command(0x20);
	assert_int_equal(answer(), 0x65);
	command(0x60);
	data(0x47);
	command(0x20);
	assert_int_equal(answer(), 0x47);
	command(0x65); /* RAM */
	data(0xab);
	command(0x25);
	assert_int_equal(answer(), 0xab);
}

static void both_ports_test_good(void **state)
{
	command(0xab);
	assert_int_equal(answer(), 0);
	command(0xa9);
	assert_int_equal(answer(), 0);
}

static void disabling_a_port_shows_in_the_command_byte(void **state)
{
	command(0xad);
	command(0xa8);
	command(0x20);
	assert_int_equal(answer() & 0x30, 0x10);
	command(0xae);
	command(0xa7);
	command(0x20);
	assert_int_equal(answer() & 0x30, 0x20);
}

static void status_tells_whether_a_command_or_data_was_last(void **state)
{
	command(0xae);
	assert_int_equal(kit_in8(k, STATUS) & 0x08, 0x08);
	data(0xee);
	assert_int_equal(kit_in8(k, STATUS) & 0x08, 0);
}

static void the_keyboard_identifies_itself_and_interrupts_for_each_byte(void **state)
{
	command(0x60);
	data(0x05); /* interrupt, no translation */
	kit_clear(k);
	data(0xf2);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0xab);
	assert_int_equal(answer(), 0x83);
	nothing_more();
	assert_int_equal(k->rises[1], 3);
	assert_false(k->level[1]);
}

static void translation_turns_the_identification_into_set_1(void **state)
{
	data(0xf2);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0xab);
	assert_int_equal(answer(), 0x41);
}

static void the_keyboard_resets_and_passes_its_test(void **state)
{
	data(0xff);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0xaa);
	nothing_more();
}

static void the_keyboard_takes_its_commands_parameters(void **state)
{
	static const uint8_t with_parameter[][2] = {{0xed, 0x07}, {0xf3, 0x20}, {0xf0, 0x01}};

	for (unsigned i = 0; i < ARRAY_SIZE(with_parameter); i++) {
		data(with_parameter[i][0]);
		assert_int_equal(answer(), 0xfa);
		data(with_parameter[i][1]);
		assert_int_equal(answer(), 0xfa);
		nothing_more();
	}
	command(0x60);
	data(0x05);
	data(0xf0);
	answer();
	data(0);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 1);
	data(0xf6);
	assert_int_equal(answer(), 0xfa);
	data(0xf4);
	assert_int_equal(answer(), 0xfa);
}

static void echo_resend_and_an_unknown_command(void **state)
{
	data(0xee);
	assert_int_equal(answer(), 0xee);
	data(0xfe);
	assert_int_equal(answer(), 0xee);
	data(0x12);
	assert_int_equal(answer(), 0xfe);
}

static void a_command_in_the_place_of_a_parameter_is_a_command(void **state)
{
	data(0xed);
	assert_int_equal(answer(), 0xfa);
	data(0xee);
	assert_int_equal(answer(), 0xee);
	data(0x02);
	assert_int_equal(answer(), 0xfe);
}

static void a_disabled_keyboard_keeps_its_bytes(void **state)
{
	data(0xf2);
	command(0xad);
	assert_int_equal(answer(), 0xfa); /* was in the output buffer */
	nothing_more();
	command(0xae);
	assert_int_equal(answer(), 0xab);
}

static void without_its_interrupt_enabled_the_line_stays_down(void **state)
{
	command(0x60);
	data(0x44);
	kit_clear(k);
	data(0xee);
	assert_int_equal(k->rises[1], 0);
	command(0x60);
	data(0x45);
	assert_true(k->level[1]);
}

static void the_buffers_can_be_written_as_if_by_the_devices(void **state)
{
	command(0x60);
	data(0x47);
	kit_clear(k);
	command(0xd2);
	data(0x1c);
	assert_true(k->level[1]);
	assert_int_equal(answer(), 0x1c); /* not translated */
	command(0xd3);
	data(0x5a);
	assert_int_equal(kit_in8(k, STATUS) & (AUX | OBF), AUX | OBF);
	assert_true(k->level[12]);
	assert_false(k->level[1]);
	assert_int_equal(answer(), 0x5a);
	assert_false(k->level[12]);
}

static void what_is_sent_to_the_auxiliary_port_reaches_the_mouse(void **state)
{
	command(0x60);
	data(0x47);
	kit_clear(k);
	command(0xd4);
	data(0xf2);
	assert_int_equal(kit_in8(k, STATUS) & (AUX | OBF), AUX | OBF);
	assert_true(k->level[12]);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0x00);
	nothing_more();
	assert_int_equal(k->rises[12], 2);
	assert_int_equal(k->rises[1], 0);
}

static void a_disabled_auxiliary_port_keeps_its_bytes(void **state)
{
	command(0xd4);
	data(0xe9);
	command(0xa7);
	assert_int_equal(answer(), 0xfa);
	nothing_more();
	command(0xa8);
	assert_int_equal(answer(), 0x00);
	assert_int_equal(answer(), 0x02);
	assert_int_equal(answer(), 100);
	nothing_more();
}

static void a_key_comes_translated_with_its_interrupt(void **state)
{
	input_key_event(k->m->input, INPUT_KEY_A, true);
	assert_true(k->level[1]);
	assert_int_equal(answer(), 0x1e);
	nothing_more();
	input_key_event(k->m->input, INPUT_KEY_A, false);
	input_key_event(k->m->input, INPUT_KEY_UP, true);
	input_key_event(k->m->input, INPUT_KEY_UP, false);
	assert_int_equal(answer(), 0x9e);
	assert_int_equal(answer(), 0xe0);
	assert_int_equal(answer(), 0x48);
	assert_int_equal(answer(), 0xe0);
	assert_int_equal(answer(), 0xc8);
	nothing_more();
	assert_false(k->level[1]);
}

static void movements_come_when_the_mouse_is_enabled(void **state)
{
	command(0xd4);
	data(0xf4);
	answer();
	input_rel_event(k->m->input, INPUT_AXIS_X, 5);
	input_button_event(k->m->input, INPUT_BUTTON_LEFT, true);
	nothing_more();
	input_sync(k->m->input);
	assert_int_equal(kit_in8(k, STATUS) & (AUX | OBF), AUX | OBF);
	assert_int_equal(answer(), 0x09);
	assert_int_equal(answer(), 5);
	assert_int_equal(answer(), 0);
	nothing_more();
}

static void sendkey_holds_the_keys_down_for_a_while(void **state)
{
	static const enum input_key keys[] = {INPUT_KEY_CTRL, INPUT_KEY_ALT, INPUT_KEY_DELETE};
	static const uint8_t down[] = {0x1d, 0x38, 0xe0, 0x53}, up[] = {0xe0, 0xd3, 0xb8, 0x9d};
	struct error err = ERROR_INIT;

	assert_true(input_send_keys(k->m->input, keys, 3, 0, &err));
	assert_true(input_send_keys(k->m->input, keys, 1, 10, &err));
	for (unsigned i = 0; i < sizeof(down); i++)
		assert_int_equal(answer(), down[i]);
	kit_advance(k, 99 * NS_PER_MS);
	nothing_more();
	kit_advance(k, 1 * NS_PER_MS);
	for (unsigned i = 0; i < sizeof(up); i++)
		assert_int_equal(answer(), up[i]);
	assert_int_equal(answer(), 0x1d);
	nothing_more();
	kit_advance(k, 10 * NS_PER_MS);
	assert_int_equal(answer(), 0x9d);
	for (unsigned i = 0; i < 512; i++)
		assert_true(input_send_keys(k->m->input, keys, 1, 10, &err));
	assert_false(input_send_keys(k->m->input, keys, 3, 10, &err));
	error_clear(&err);
}

static void a_paused_machine_takes_no_keys(void **state)
{
	machine_pause(k->m);
	input_key_event(k->m->input, INPUT_KEY_A, true);
	nothing_more();
}

static void the_output_port_shows_the_lines_and_keeps_a20(void **state)
{
	command(0xd0);
	assert_int_equal(answer(), 0xcf);
	command(0xd1);
	data(0xcd);
	command(0xd0);
	assert_int_equal(answer(), 0xcd);
	assert_false(k->m->reset_pending);
}

static void pulsing_the_reset_line_resets(void **state)
{
	command(0xff);
	command(0xf1);
	assert_false(k->m->reset_pending);
	command(0xfe);
	assert_true(k->m->reset_pending);
	kit_settle(k);
	assert_false(k->m->reset_pending);
	command(0xd1);
	data(0xce);
	assert_true(k->m->reset_pending);
}

static void the_other_questions_are_answered(void **state)
{
	command(0xa4);
	assert_int_equal(answer(), 0xf1);
	command(0xc0);
	assert_int_equal(answer(), 0x80);
	command(0xe0);
	assert_int_equal(answer(), 0);
	command(0x00);
	nothing_more();
}

static void a_guest_that_never_reads_does_no_harm(void **state)
{
	for (unsigned i = 0; i < 1000; i++) {
		command(0x20);
		data(0xf2);
		command(0xaa);
		command(0xd3);
		data(i);
	}
	for (unsigned i = 0; i < 100; i++)
		kit_in8(k, DATA);
	nothing_more();
}

static void drain(void)
{
	for (unsigned i = 0; i < 300 && (kit_in8(k, STATUS) & OBF); i++)
		kit_in8(k, DATA);
	nothing_more();
}

/* What a system's driver does first thing brings everything back. */
static void check_alive(void)
{
	drain();
	command(0xaa);
	assert_int_equal(answer(), 0x55);
	command(0x60);
	data(0x03); /* both interrupts, both ports, no translation */
	data(0xff);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0xaa);
	command(0xd4);
	data(0xff);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0xaa);
	assert_int_equal(answer(), 0x00);
	nothing_more();
}

/* Each to the controller, the keyboard and the mouse; behind it whatever may be its parameter. */
static void no_command_byte_does_harm(void **state)
{
	static const uint8_t parameters[] = {0x00, 0x01, 0x55, 0x80, 0xed, 0xf0, 0xfe, 0xff};

	for (unsigned c = 0; c < 256; c++) {
		for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++) {
			command(c);
			data(parameters[i]);
			data(parameters[i]);
			kit_settle(k); /* it may have been a reset */
			check_alive();
			data(c);
			data(parameters[i]);
			check_alive();
			command(0xd4);
			data(c);
			command(0xd4);
			data(parameters[i]);
			input_key_event(k->m->input, INPUT_KEY_A, true);
			check_alive();
		}
	}
	kit_save_load(kbc);
}

static void answers_that_wait_survive_save_and_load(void **state)
{
	data(0xf2);
	command(0xaa);
	command(0xd4);
	data(0);
	kit_save_load(kbc);
	assert_true(k->level[1]);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(answer(), 0x55);
	assert_int_equal(answer(), 0xab);
	assert_int_equal(answer(), 0x41);
	assert_int_equal(answer(), 0xfe);
	nothing_more();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_after_reset_is_not_inhibited_and_empty),
		TEST(the_self_test_answers_55),
		TEST(the_command_byte_reads_as_written),
		TEST(both_ports_test_good),
		TEST(disabling_a_port_shows_in_the_command_byte),
		TEST(status_tells_whether_a_command_or_data_was_last),
		TEST(the_keyboard_identifies_itself_and_interrupts_for_each_byte),
		TEST(translation_turns_the_identification_into_set_1),
		TEST(the_keyboard_resets_and_passes_its_test),
		TEST(the_keyboard_takes_its_commands_parameters),
		TEST(echo_resend_and_an_unknown_command),
		TEST(a_command_in_the_place_of_a_parameter_is_a_command),
		TEST(a_disabled_keyboard_keeps_its_bytes),
		TEST(without_its_interrupt_enabled_the_line_stays_down),
		TEST(the_buffers_can_be_written_as_if_by_the_devices),
		TEST(what_is_sent_to_the_auxiliary_port_reaches_the_mouse),
		TEST(a_disabled_auxiliary_port_keeps_its_bytes),
		TEST(a_key_comes_translated_with_its_interrupt),
		TEST(movements_come_when_the_mouse_is_enabled),
		TEST(sendkey_holds_the_keys_down_for_a_while),
		TEST(a_paused_machine_takes_no_keys),
		TEST(the_output_port_shows_the_lines_and_keeps_a20),
		TEST(pulsing_the_reset_line_resets),
		TEST(the_other_questions_are_answered),
		TEST(a_guest_that_never_reads_does_no_harm),
		TEST(no_command_byte_does_harm),
		TEST(answers_that_wait_survive_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
