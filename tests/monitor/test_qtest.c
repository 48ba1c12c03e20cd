/* SPDX-License-Identifier: BSD-2-Clause */
/* The test protocol: every command, what each answers to nonsense, and peers that break off or do not read. */
#include "monitor/qtest.h"
#include "tests/device/kit.h"

static struct kit *k;
static struct kit_chardev *chr;
static struct qtest *q;

static int setup(void **state)
{
	k = kit_new_with(&machine_pc, NULL);
	chr = kit_chardev_new(k, "qtest");
	q = qtest_new(k->m, chardev_take("qtest", NULL), true, "none", NULL);
	return 0;
}

static int teardown(void **state)
{
	qtest_free(q);
	kit_free(k);
	return 0;
}

static void clear(void)
{
	chr->len = 0;
	chr->out[0] = 0;
}

static void type(const char *text)
{
	size_t n = strlen(text), done = 0;

	while (done < n)
		done += kit_type(chr, text + done, n - done);
}

static void expect(const char *command, const char *want)
{
	clear();
	type(command);
	type("\n");
	if (strcmp(chr->out, want))
		fail_msg("%s:\n got '%s'\nwant '%s'", command, chr->out, want);
}

static void ports_are_read_and_written(void **state)
{
	expect("outb 0x71 0x12", "OK\n");
	expect("outl 0xcf8 0x80000000", "OK\n");
	expect("inl 0xcf8", "OK 0x80000000\n");
	expect("inw 0xcfc", "OK 0x8086\n");
	expect("inb 0xcfd", "OK 0x0080\n");
	expect("inb 0x666", "OK 0x00ff\n");
	expect("  outw 0x666   1 ", "OK\n");
	expect("inb 0x71\r", "OK 0x0012\n");
}

static void memory_is_read_and_written_in_any_form(void **state)
{
	expect("writeq 0x1000 0x8877665544332211", "OK\n");
	expect("readb 0x1000", "OK 0x0000000000000011\n");
	expect("readw 0x1000", "OK 0x0000000000002211\n");
	expect("readl 0x1001", "OK 0x0000000055443322\n");
	expect("readq 0x1000", "OK 0x8877665544332211\n");
	expect("writeb 0x1000 0xff", "OK\n");
	expect("writew 0x1002 0xaabb", "OK\n");
	expect("writel 0x1004 0", "OK\n");
	expect("read 0x1000 8", "OK 0xff22bbaa00000000\n");
	expect("write 0x2000 4 0x0a0B0c", "OK\n");
	expect("read 0x2000 4", "OK 0x0a0b0c00\n");
	expect("memset 0x2001 2 0x7f", "OK\n");
	expect("read 0x2000 4", "OK 0x0a7f7f00\n");
	expect("b64write 0x3000 1 QQ==", "OK\n");
	expect("b64write 0x3001 2 QkM=", "OK\n");
	expect("b64write 0x3003 3 REVG", "OK\n");
	expect("b64read 0x3000 6", "OK QUJDREVG\n");
	expect("b64read 0x3000 5", "OK QUJDREU=\n");
	expect("b64read 0x3000 4", "OK QUJDRA==\n");
	/* Registers of a device: the IOAPIC's version. */
	expect("writel 0xfec00000 1", "OK\n");
	expect("read 0xfec00010 4", "OK 0x20001700\n");
	expect("endianness", "OK little\n");
}

static void nonsense_is_answered(void **state)
{
	expect("frobnicate 1 2", "FAIL Unknown command 'frobnicate'\n");
	expect("inb", "FAIL inb takes 1 argument\n");
	expect("outb 1 2 3", "FAIL outb takes 2 arguments\n");
	expect("inb zz", "FAIL 'zz' is not a number\n");
	expect("readb 99999999999999999999", "FAIL '99999999999999999999' is not a number\n");
	expect("write 0 2 123", "FAIL data must be 0x and two hexadecimal digits a byte\n");
	expect("write 0 2 0x123", "FAIL data must be 0x and two hexadecimal digits a byte\n");
	expect("write 0 1 0x1234", "FAIL data must be 0x and two hexadecimal digits a byte\n");
	expect("b64write 0 3 !!!!", "FAIL data must be 3 bytes in base 64\n");
	expect("b64write 0 3 QQ==", "FAIL data must be 3 bytes in base 64\n");
	expect("read 0 0", "FAIL 0 bytes at 0: must be 1 to 16777216, below 2^64\n");
	expect("read 0 99999999", "FAIL 99999999 bytes at 0: must be 1 to 16777216, below 2^64\n");
	expect("read 0xffffffffffffffff 2",
	       "FAIL 2 bytes at 0xffffffffffffffff: must be 1 to 16777216, below 2^64\n");
	expect("read 0xffffffffffffffff 1", "OK 0xff\n");
	expect("1 2 3 4 5 6 7 8 9", "FAIL more than 8 words\n");
	expect("", "");
	expect("irq_intercept_in nobody", "FAIL Unknown device 'nobody'\n");
	expect("irq_intercept_in mc146818rtc", "FAIL mc146818rtc has no interrupt inputs\n");
	expect("irq_intercept_out ioapic", "FAIL ioapic has no interrupt outputs\n");
	expect("set_irq_in ioapic unnamed-gpio-in 24 1", "FAIL ioapic has no interrupt input 24\n");
	expect("set_irq_in ioapic named 1 1", "FAIL ioapic has no inputs named 'named'\n");
}

static void the_clock_moves_when_told(void **state)
{
	expect("clock_set 1000000", "OK 1000000\n");
	expect("clock_step 500", "OK 1000500\n");
	expect("clock_set 5", "OK 1000500\n");
	assert_int_equal(clock_now_ns(k->clock), 1000500);
	/* To the next timer: the PIT's, whose output turns over after half a period of 65536 ticks. */
	expect("clock_step", "OK 27462701\n");
	expect("clock_step x", "FAIL 'x' is not a number\n");
}

static void a_long_step_lets_others_have_their_turn(void **state)
{
	/* An hour of the PIT's periods. */
	expect("clock_step 3600000000000", "");
	assert_int_equal(chardev_can_receive(&chr->chr), 0);
	while (!chr->len)
		loop_run_once(k->loop, 0);
	assert_string_equal(chr->out, "OK 3600000000000\n");
	expect("endianness", "OK little\n");
	/* 292 years; the peer gives up. */
	expect("clock_step 9223372036854775807", "");
	kit_settle(k);
	chardev_set_open(&chr->chr, false);
	chardev_set_open(&chr->chr, true);
	expect("endianness", "OK little\n");
}

static void a_real_clock_is_not_moved(void **state)
{
	qtest_free(q);
	q = qtest_new(k->m, chardev_take("qtest", NULL), false, "none", NULL);
	expect("clock_step 1",
	       "FAIL the clock goes by itself; -accel qtest has one that is told\n");
}

static void inputs_of_the_ioapic_are_told_as_they_change(void **state)
{
	expect("irq_intercept_in ioapic", "OK\n");
	expect("irq_intercept_in /machine/unattached/ioapic", "OK\n");
	expect("irq_intercept_in i8259", "FAIL IRQ intercept already enabled\n");
	expect("set_irq_in ioapic unnamed-gpio-in 11 1", "IRQ raise 11\nOK\n");
	expect("set_irq_in ioapic unnamed-gpio-in 11 1", "OK\n");
	expect("set_irq_in ioapic unnamed-gpio-in 11 0", "IRQ lower 11\nOK\n");
	/* A timer's, which a step of the clock makes: before the answer. */
	expect("clock_step 30000000", "OK 30000000\n");
	expect("clock_step 30000000", "IRQ raise 2\nOK 60000000\n");
}

static void the_8259s_output_is_told(void **state)
{
	struct accel_qtest_log *log = k->m->accel_state;

	/* ICW1 to ICW4, and input 4 unmasked. */
	expect("outb 0x20 0x11", "OK\n");
	expect("outb 0x21 0x08", "OK\n");
	expect("outb 0x21 0x04", "OK\n");
	expect("outb 0x21 0x01", "OK\n");
	expect("outb 0x21 0xef", "OK\n");
	expect("irq_intercept_out isa-i8259", "OK\n");
	expect("set_irq_in pic unnamed-gpio-in 4 1", "IRQ raise 0\nOK\n");
	assert_true(log->intr);
	expect("outb 0x21 0xff", "IRQ lower 0\nOK\n");
	/* With the peer goes the watch; the line works on. */
	chardev_set_open(&chr->chr, false);
	chardev_set_open(&chr->chr, true);
	expect("outb 0x21 0xef", "OK\n");
	assert_true(log->intr);
}

static void a_line_cut_off_is_not_the_next_peers(void **state)
{
	clear();
	type("outb 0x7");
	chardev_set_open(&chr->chr, false);
	chardev_set_open(&chr->chr, true);
	expect("inb 0x666", "OK 0x00ff\n");
}

static void a_peer_that_does_not_read_is_not_heard(void **state)
{
	clear();
	chr->room = 5;
	type("inb 0x666\ninb 0x666\ninb 0x666\n");
	assert_string_equal(chr->out, "OK 0x");
	assert_int_equal(chardev_can_receive(&chr->chr), 0);
	clear();
	chr->room = 4000;
	chardev_writable(&chr->chr);
	assert_string_equal(chr->out, "00ff\nOK 0x00ff\nOK 0x00ff\n");
	assert_int_equal(chardev_can_receive(&chr->chr), 4096);
}

static void a_line_too_long_is_refused_and_the_next_is_heard(void **state)
{
	char block[4001];

	memset(block, 'x', 4000);
	block[4000] = 0;
	clear();
	type("write 0 1 0x");
	for (int i = 0; i < 17000; i++)
		type(block);
	expect("", "FAIL the line is longer than 67108864 bytes\n");
	expect("endianness", "OK little\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ports_are_read_and_written),
		TEST(memory_is_read_and_written_in_any_form),
		TEST(nonsense_is_answered),
		TEST(the_clock_moves_when_told),
		TEST(a_long_step_lets_others_have_their_turn),
		TEST(a_real_clock_is_not_moved),
		TEST(inputs_of_the_ioapic_are_told_as_they_change),
		TEST(the_8259s_output_is_told),
		TEST(a_line_cut_off_is_not_the_next_peers),
		TEST(a_peer_that_does_not_read_is_not_heard),
		TEST(a_line_too_long_is_refused_and_the_next_is_heard),
	};

	return cmocka_run_group_tests_name("qtest", tests, NULL, NULL);
}
