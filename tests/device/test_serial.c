/* SPDX-License-Identifier: BSD-2-Clause */
/* 16550A. */
#include "devices/char/serial.h"
#include "tests/device/kit.h"

#define IRQ  4
#define PORT 0x3f8
#define RBR  (PORT + 0)
#define THR  (PORT + 0)
#define IER  (PORT + 1)
#define IIR  (PORT + 2)
#define FCR  (PORT + 2)
#define LCR  (PORT + 3)
#define MCR  (PORT + 4)
#define LSR  (PORT + 5)
#define MSR  (PORT + 6)
#define SCR  (PORT + 7)

#define DR    0x01
#define OE    0x02
#define BI    0x10
#define THRE  0x20
#define EMPTY 0x60
#define FERR  0x80

/* One character at 9600 baud, 5 data bits and a stop bit, as LCR 0 has it. */
#define CHAR_NS (7 * NS_PER_SEC / 9600)

static struct kit *k;
static struct device *uart;
static struct kit_chardev *chr;

static int setup(void **state)
{
	k = kit_new();
	chr = kit_chardev_new(k, "c0");
	uart = kit_add(k, &serial_type, "chardev", "c0", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint8_t in(uint16_t port)
{
	return kit_in8(k, port);
}

static void out(uint16_t port, uint8_t value)
{
	kit_out8(k, port, value);
}

static void master_reset_gives_the_data_sheet_s_values(void **state)
{
	out(LCR, 0x1b);
	out(MCR, 0x0f);
	out(SCR, 0x55);
	device_reset(uart);
	assert_int_equal(in(IER), 0x00);
	assert_int_equal(in(IIR), 0x01);
	assert_int_equal(in(LCR), 0x00);
	assert_int_equal(in(MCR), 0x00);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(MSR)&0x0f, 0x00);
	assert_int_equal(in(SCR), 0x00);
}

static void dlab_shows_the_divisor_latch_in_the_first_two_registers(void **state)
{
	out(IER, 0x05);
	out(LCR, 0x83);
	assert_int_equal(in(RBR), 12);
	out(RBR, 0x34);
	out(IER, 0x12);
	assert_int_equal(in(RBR), 0x34);
	assert_int_equal(in(IER), 0x12);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0x05);
	assert_int_equal(chr->len, 0);
}

static void a_character_written_to_thr_goes_out(void **state)
{
	out(THR, 'h');
	out(THR, 'i');
	assert_string_equal(chr->out, "hi");
	assert_int_equal(in(LSR), EMPTY);
}

static void an_empty_transmitter_interrupts_when_thri_is_enabled(void **state)
{
	assert_int_equal(k->rises[IRQ], 0);
	out(IER, 0x02);
	assert_true(k->level[IRQ]);
	assert_int_equal(in(IIR), 0x02);
	assert_false(k->level[IRQ]); /* reading IIR took it back */
	assert_int_equal(in(IIR), 0x01);
	out(THR, 'x');
	assert_true(k->level[IRQ]);
	out(THR, 'y');
	assert_int_equal(k->rises[IRQ], 3); /* an edge for each */
	out(IER, 0);
	assert_false(k->level[IRQ]);
	out(IER, 0x02);
	assert_true(k->level[IRQ]);
}

static void thre_stays_low_while_the_back_end_takes_nothing(void **state)
{
	chr->room = 0;
	out(IER, 0x02);
	in(IIR);
	out(THR, 'x');
	assert_int_equal(in(LSR), 0);
	assert_false(k->level[IRQ]);
	chr->room = 100;
	chardev_writable(&chr->chr);
	assert_string_equal(chr->out, "x");
	assert_int_equal(in(LSR), EMPTY);
	assert_true(k->level[IRQ]);
}

static void the_transmitter_fifo_holds_sixteen(void **state)
{
	out(FCR, 0x01);
	chr->room = 0;
	for (unsigned i = 0; i < 20; i++)
		out(THR, 'a' + i);
	chr->room = 100;
	chardev_writable(&chr->chr);
	assert_string_equal(chr->out, "abcdefghijklmnop");
}

static void a_received_character_sets_dr_and_interrupts(void **state)
{
	out(IER, 0x01);
	assert_int_equal(kit_type(chr, "xy", 2), 1);
	assert_true(k->level[IRQ]);
	assert_int_equal(in(LSR), EMPTY | DR);
	assert_int_equal(in(IIR), 0x04);
	assert_true(k->level[IRQ]); /* until RBR is read */
	assert_int_equal(in(RBR), 'x');
	assert_false(k->level[IRQ]);
	assert_int_equal(in(LSR), EMPTY);
	assert_int_equal(in(RBR), 'x'); /* RBR keeps its value */
}

static void the_receiver_fifo_interrupts_at_its_trigger_level(void **state)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	for (unsigned i = 0; i < 4; i++) {
		out(FCR, 0x07 | i << 6);
		out(IER, 0x01);
		for (unsigned n = 1; n <= levels[i]; n++) {
			assert_false(k->level[IRQ]);
			assert_int_equal(kit_type(chr, "x", 1), 1);
		}
		assert_true(k->level[IRQ]);
		assert_int_equal(in(IIR), 0xc4);
		in(RBR);
		assert_false(k->level[IRQ]);
	}
}

static void characters_below_the_trigger_level_time_out_after_four_character_times(void **state)
{
	out(FCR, 0xc1);
	out(IER, 0x01);
	kit_type(chr, "ab", 2);
	kit_advance(k, 4 * CHAR_NS - 2000);
	assert_false(k->level[IRQ]);
	kit_advance(k, 4000);
	assert_true(k->level[IRQ]);
	assert_int_equal(in(IIR), 0xcc);
	assert_int_equal(in(RBR), 'a'); /* clears it; the time runs anew */
	assert_false(k->level[IRQ]);
	kit_advance(k, 4 * CHAR_NS + 2000);
	assert_true(k->level[IRQ]);
	assert_int_equal(in(RBR), 'b');
	kit_advance(k, NS_PER_SEC);
	assert_false(k->level[IRQ]);
	assert_int_equal(clock_next_deadline_ns(k->clock), INT64_MAX);
}

static void a_full_fifo_holds_the_back_end_until_it_is_read(void **state)
{
	out(FCR, 0x01);
	assert_int_equal(kit_type(chr, "0123456789abcdefgh", 18), 16);
	assert_int_equal(kit_type(chr, "g", 1), 0);
	assert_int_equal(in(RBR), '0');
	assert_int_equal(kit_type(chr, "g", 1), 1);
	for (const char *p = "123456789abcdefg"; *p; p++)
		assert_int_equal(in(RBR), *p);
	assert_int_equal(in(LSR), EMPTY);
}

static void an_overrun_sets_oe_until_lsr_is_read(void **state)
{
	out(IER, 0x04);
	out(MCR, 0x10);
	out(THR, 'a');
	out(THR, 'b');
	assert_true(k->level[IRQ]);
	assert_int_equal(in(IIR), 0x06);
	assert_int_equal(in(LSR), EMPTY | DR | OE);
	assert_false(k->level[IRQ]);
	assert_int_equal(in(LSR), EMPTY | DR);
	assert_int_equal(in(RBR), 'b'); /* without FIFO the old one is lost */
	out(FCR, 0x01);
	for (unsigned i = 0; i < 17; i++)
		out(THR, 'a' + i);
	assert_int_equal(in(LSR), EMPTY | DR | OE);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(in(RBR), 'a' + i);
	assert_int_equal(in(LSR), EMPTY);
}

static void a_break_is_a_0_with_bi_set(void **state)
{
	out(FCR, 0x01);
	out(IER, 0x04);
	kit_type(chr, "a", 1);
	chardev_event(&chr->chr, CHR_EVENT_BREAK);
	assert_int_equal(in(LSR), EMPTY | DR | FERR);
	assert_false(k->level[IRQ]);
	assert_int_equal(in(RBR), 'a');
	assert_true(k->level[IRQ]); /* now it is at the head */
	assert_int_equal(in(LSR), EMPTY | DR | BI | FERR);
	assert_int_equal(in(LSR), EMPTY | DR);
	assert_int_equal(in(RBR), 0);
}

static void loopback_sends_to_itself_and_shows_mcr_in_msr(void **state)
{
	out(MCR, 0x1a);
	assert_int_equal(in(MSR)&0xf0, 0x90);
	out(MCR, 0x15);
	assert_int_equal(in(MSR)&0xf0, 0x60);
	out(THR, 'L');
	assert_int_equal(in(RBR), 'L');
	assert_int_equal(chr->len, 0);
	assert_int_equal(kit_type(chr, "x", 1), 0); /* the line is not connected */
	out(LCR, 0x40);
	assert_int_equal(in(LSR), EMPTY | DR | BI);
	assert_int_equal(in(RBR), 0);
	out(MCR, 0);
	assert_int_equal(kit_type(chr, "x", 1), 1);
}

static void a_changed_modem_line_sets_its_delta_and_interrupts(void **state)
{
	in(MSR);
	out(IER, 0x08);
	out(MCR, 0x10);
	assert_true(k->level[IRQ]);
	assert_int_equal(in(IIR), 0x00);
	assert_int_equal(in(MSR), 0x0b);
	assert_false(k->level[IRQ]);
	out(MCR, 0x14); /* RI rises: no delta */
	assert_int_equal(in(MSR), 0x40);
	out(MCR, 0x10); /* its trailing edge */
	assert_int_equal(in(MSR), 0x04);
}

static void the_highest_interrupt_is_the_one_that_iir_names(void **state)
{
	out(MCR, 0x10);
	out(IER, 0x0f);
	out(THR, 'a');
	out(THR, 'b');
	assert_int_equal(in(IIR), 0x06);
	in(LSR);
	assert_int_equal(in(IIR), 0x04);
	in(RBR);
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(in(IIR), 0x00);
	in(MSR);
	assert_int_equal(in(IIR), 0x01);
}

static void fcr_switches_and_empties_the_fifos(void **state)
{
	out(FCR, 0xc9);
	assert_int_equal(in(IIR), 0xc1);
	kit_type(chr, "abc", 3);
	out(FCR, 0xcb);
	assert_int_equal(in(LSR), EMPTY);
	kit_type(chr, "abc", 3);
	out(FCR, 0x00);
	assert_int_equal(in(IIR), 0x01);
	assert_int_equal(in(LSR), EMPTY);
	out(FCR, 0xc0); /* nothing without bit 0 */
	assert_int_equal(in(IIR), 0x01);
}

static void status_registers_drop_writes_and_reserved_bits_read_0(void **state)
{
	out(LSR, 0xff);
	out(MSR, 0xff);
	out(IER, 0xf0);
	out(MCR, 0xe0);
	assert_int_equal(in(LSR), EMPTY);
	assert_int_equal(in(MSR), 0xb0);
	assert_int_equal(in(IER), 0);
	assert_int_equal(in(MCR), 0);
	out(SCR, 0xa5);
	assert_int_equal(in(SCR), 0xa5);
}

static void ports_are_taken_in_order_and_by_number(void **state)
{
	struct device *other = kit_add(k, &serial_type, NULL);
	char *why;

	kit_out8(k, 0x2ff, 0x77);
	assert_int_equal(kit_in8(k, 0x2ff), 0x77);
	kit_out8(k, 0x2f9, 0x02);
	assert_true(k->level[3]);
	device_unrealize(other);
	assert_false(k->level[3]);
	assert_int_equal(kit_in8(k, 0x2ff), 0xff);
	kit_add(k, &serial_type, "iobase", "0x1000", "irq", "7", "index", "9", NULL);
	kit_out8(k, 0x1001, 0x02);
	assert_true(k->level[7]);
	why = kit_add_fails(k, &serial_type, "index", "0", NULL);
	free(why);
	free(kit_add_fails(k, &serial_type, "index", "4", NULL));
	free(kit_add_fails(k, &serial_type, "iobase", "0xfff9", NULL));
	free(kit_add_fails(k, &serial_type, "irq", "16", NULL));
	free(kit_add_fails(k, &serial_type, "irq", "2", NULL));
	free(kit_add_fails(k, &serial_type, "chardev", "c0", NULL)); /* in use */
}

static void a_shared_line_stays_up_until_the_last_lets_go(void **state)
{
	kit_add(k, &serial_type, "index", "2", NULL);
	out(IER, 0x02);
	kit_out8(k, 0x3e9, 0x02);
	assert_int_equal(k->rises[IRQ], 1);
	out(IER, 0);
	assert_true(k->level[IRQ]);
	kit_out8(k, 0x3e9, 0);
	assert_false(k->level[IRQ]);
}

static void a_port_with_nothing_behind_it_still_transmits(void **state)
{
	kit_add(k, &serial_type, "index", "1", NULL);
	kit_out8(k, 0x2f8, 'x');
	assert_int_equal(kit_in8(k, 0x2fd), EMPTY);
}

static void fifos_and_interrupts_survive_save_and_load(void **state)
{
	out(FCR, 0xc1);
	out(IER, 0x01);
	kit_type(chr, "ab", 2);
	chr->room = 0;
	out(THR, 'T');
	kit_save_load(uart);
	assert_int_equal(in(LSR), DR);
	kit_advance(k, 4 * CHAR_NS + 2000);
	assert_true(k->level[IRQ]);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(in(RBR), 'b');
	chr->room = 10;
	chardev_writable(&chr->chr);
	assert_string_equal(chr->out, "T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(master_reset_gives_the_data_sheet_s_values),
		TEST(dlab_shows_the_divisor_latch_in_the_first_two_registers),
		TEST(a_character_written_to_thr_goes_out),
		TEST(an_empty_transmitter_interrupts_when_thri_is_enabled),
		TEST(thre_stays_low_while_the_back_end_takes_nothing),
		TEST(the_transmitter_fifo_holds_sixteen),
		TEST(a_received_character_sets_dr_and_interrupts),
		TEST(the_receiver_fifo_interrupts_at_its_trigger_level),
		TEST(characters_below_the_trigger_level_time_out_after_four_character_times),
		TEST(a_full_fifo_holds_the_back_end_until_it_is_read),
		TEST(an_overrun_sets_oe_until_lsr_is_read),
		TEST(a_break_is_a_0_with_bi_set),
		TEST(loopback_sends_to_itself_and_shows_mcr_in_msr),
		TEST(a_changed_modem_line_sets_its_delta_and_interrupts),
		TEST(the_highest_interrupt_is_the_one_that_iir_names),
		TEST(fcr_switches_and_empties_the_fifos),
		TEST(status_registers_drop_writes_and_reserved_bits_read_0),
		TEST(ports_are_taken_in_order_and_by_number),
		TEST(a_shared_line_stays_up_until_the_last_lets_go),
		TEST(a_port_with_nothing_behind_it_still_transmits),
		TEST(fifos_and_interrupts_survive_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
