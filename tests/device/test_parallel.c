/* SPDX-License-Identifier: BSD-2-Clause */
/* The parallel port: the compatibility mode's handshake, its interrupt, and a printer that is slow. */
#include "devices/char/serial.h"
#include "tests/device/kit.h"

#define LPT    0x378
#define STATUS (LPT + 1)
#define CTRL   (LPT + 2)

static struct kit *k;
static struct kit_chardev *chr;
static struct device *dev;

static int setup(void **state)
{
	k = kit_new();
	chr = kit_chardev_new(k, "c0");
	dev = kit_add(k, &parallel_type, "chardev", "c0", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void print(char c)
{
	kit_out8(k, LPT, c);
	kit_out8(k, CTRL, 0x0d);
	kit_out8(k, CTRL, 0x0c);
}

static void the_printer_is_ready_after_reset(void **state)
{
	assert_int_equal(kit_in8(k, LPT), 0);
	assert_int_equal(kit_in8(k, STATUS), 0xdf);
	assert_int_equal(kit_in8(k, CTRL), 0xcc);
}

static void a_strobe_prints_what_is_on_the_data_lines(void **state)
{
	print('h');
	print('i');
	assert_string_equal(chr->out, "hi");
	assert_int_equal(kit_in8(k, LPT), 'i');
	/* Holding it or writing other bits prints nothing. */
	kit_out8(k, CTRL, 0x0d);
	kit_out8(k, CTRL, 0x0f);
	kit_out8(k, CTRL, 0x0c);
	assert_string_equal(chr->out, "hii");
	/* A printer that is not selected takes nothing. */
	kit_out8(k, CTRL, 0x04);
	kit_out8(k, CTRL, 0x05);
	kit_out8(k, CTRL, 0x04);
	assert_string_equal(chr->out, "hii");
}

static void the_printer_is_busy_during_the_strobe_and_acknowledges_after(void **state)
{
	kit_out8(k, CTRL, 0x0d);
	assert_int_equal(kit_in8(k, STATUS) & 0xc0, 0x40);
	kit_out8(k, CTRL, 0x0c);
	assert_int_equal(kit_in8(k, STATUS) & 0xc0, 0x80);
	assert_int_equal(kit_in8(k, STATUS) & 0xc0, 0xc0);
}

static void an_acknowledge_interrupts_when_that_is_enabled(void **state)
{
	print('x');
	assert_int_equal(k->rises[7], 0);
	kit_out8(k, CTRL, 0x1c);
	kit_out8(k, CTRL, 0x1d);
	assert_int_equal(k->rises[7], 0);
	kit_out8(k, CTRL, 0x1c);
	assert_int_equal(k->rises[7], 1);
	assert_int_equal(kit_in8(k, STATUS) & 0x04, 0);
	assert_false(k->level[7]);
	assert_int_equal(kit_in8(k, STATUS) & 0x04, 0x04);
}

static void a_back_end_that_takes_nothing_makes_the_printer_busy(void **state)
{
	chr->room = 1;
	print('1');
	kit_in8(k, STATUS);
	kit_out8(k, CTRL, 0x1c);
	kit_out8(k, LPT, '2');
	kit_out8(k, CTRL, 0x1d);
	kit_out8(k, CTRL, 0x1c);
	assert_int_equal(kit_in8(k, STATUS) & 0xc0, 0x40);
	assert_int_equal(k->rises[7], 0);
	/* What is strobed meanwhile is lost, not the character that waits. */
	print('3');
	kit_out8(k, CTRL, 0x1c);
	kit_save_load(dev);
	chr->room = 10;
	chardev_writable(&chr->chr);
	assert_string_equal(chr->out, "12");
	assert_int_equal(k->rises[7], 1);
	assert_int_equal(kit_in8(k, STATUS) & 0x80, 0x80);
}

static void init_makes_the_printer_forget(void **state)
{
	chr->room = 0;
	print('x');
	kit_out8(k, CTRL, 0x08);
	kit_out8(k, CTRL, 0x0c);
	assert_int_equal(kit_in8(k, STATUS), 0xdf);
	chr->room = 10;
	chardev_writable(&chr->chr);
	assert_int_equal(chr->len, 0);
}

static void turned_round_data_lines_read_as_ones(void **state)
{
	kit_out8(k, LPT, 0x12);
	kit_out8(k, CTRL, 0x2c);
	assert_int_equal(kit_in8(k, LPT), 0xff);
	kit_out8(k, CTRL, 0x0c);
	assert_int_equal(kit_in8(k, LPT), 0x12);
}

static void ports_are_chosen_by_index(void **state)
{
	char *msg;

	kit_add(k, &parallel_type, NULL);
	assert_int_equal(kit_in8(k, 0x279), 0xdf);
	kit_add(k, &parallel_type, "index", "2", NULL);
	assert_int_equal(kit_in8(k, 0x3bd), 0xdf);
	msg = kit_add_fails(k, &parallel_type, "index", "0", NULL);
	assert_string_equal(msg, "isa-parallel: index=0 is taken");
	free(msg);
	msg = kit_add_fails(k, &parallel_type, NULL);
	assert_non_null(strstr(msg, "at most"));
	free(msg);
	/* Nobody listens: what is printed is gone. */
	kit_out8(k, 0x27a, 0x0d);
	kit_out8(k, 0x27a, 0x0c);
	assert_int_equal(kit_in8(k, 0x279) & 0x80, 0x80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_printer_is_ready_after_reset),
		TEST(a_strobe_prints_what_is_on_the_data_lines),
		TEST(the_printer_is_busy_during_the_strobe_and_acknowledges_after),
		TEST(an_acknowledge_interrupts_when_that_is_enabled),
		TEST(a_back_end_that_takes_nothing_makes_the_printer_busy),
		TEST(init_makes_the_printer_forget),
		TEST(turned_round_data_lines_read_as_ones),
		TEST(ports_are_chosen_by_index),
	};

	return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
