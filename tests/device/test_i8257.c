/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC's DMA controllers: registers by the flip-flop, transfers both ways, TC, autoinitialisation, words, pages. */
#include "devices/chipset/i8257.h"
#include "tests/device/kit.h"

#define AT 0x30000

static struct kit *k;
static struct device *dma;
static unsigned calls;

static int setup(void **state)
{
	struct machine_config config = {.ram_bytes = 4 * MiB, .cpus = 1};

	k = kit_new_with(NULL, &config);
	dma = kit_add(k, &i8257_type, NULL);
	calls = 0;
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void program(unsigned channel, uint8_t mode, uint32_t addr, uint16_t count)
{
	static const uint8_t pages[] = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a};
	unsigned step = channel < 4 ? 1 : 2, base = channel < 4 ? 0 : 0xc0, n = channel % 4;
	uint16_t offset = channel < 4 ? addr : addr >> 1;

	kit_out8(k, base + 0xa * step, 4 | n);
	kit_out8(k, base + 0xc * step, 0);
	kit_out8(k, base + 2 * n * step, offset);
	kit_out8(k, base + 2 * n * step, offset >> 8);
	kit_out8(k, base + (2 * n + 1) * step, count);
	kit_out8(k, base + (2 * n + 1) * step, count >> 8);
	kit_out8(k, pages[channel], addr >> 16);
	kit_out8(k, base + 0xb * step, mode | n);
	kit_out8(k, base + 0xa * step, n);
}

static uint16_t read_half_by_half(uint16_t port)
{
	uint16_t low = kit_in8(k, port);

	return low | kit_in8(k, port) << 8;
}

static size_t transfer(unsigned channel, void *buf, size_t n, bool to_memory, bool *tc)
{
	size_t moved;

	i8257_set_dreq(dma, channel, true);
	moved = i8257_transfer(dma, channel, buf, n, to_memory, tc);
	i8257_set_dreq(dma, channel, false);
	return moved;
}

static void on_ready(void *opaque)
{
	calls++;
}

static void registers_are_read_and_written_in_halves(void **state)
{
	program(2, 0x44, 0x31234, 0x5678);
	kit_out8(k, 0x0c, 0);
	assert_int_equal(read_half_by_half(4), 0x1234);
	assert_int_equal(read_half_by_half(5), 0x5678);
	kit_in8(k, 4);
	assert_int_equal(kit_in8(k, 5),
			 0x56); /* the flip-flop is the controller's, not the register's */
	assert_int_equal(kit_in8(k, 0x81), 3);
	assert_int_equal(kit_in8(k, 0x0f) & 0x0f, 0x0b);
	kit_out8(k, 0x80, 0x99); /* a page that is nobody's keeps its byte */
	assert_int_equal(kit_in8(k, 0x80), 0x99);
}

static void bytes_go_to_memory_and_from_it(void **state)
{
	uint8_t buf[256], back[256];
	bool tc;

	for (unsigned i = 0; i < 256; i++)
		buf[i] = i * 5;
	program(2, 0x44, AT, 255);
	assert_int_equal(transfer(2, buf, 100, true, &tc), 100);
	assert_false(tc);
	assert_int_equal(read_half_by_half(4), 100);
	assert_int_equal(read_half_by_half(5), 155);
	assert_int_equal(transfer(2, buf + 100, 200, true, &tc), 156); /* no more than the count */
	assert_true(tc);
	assert_int_equal(kit_in8(k, 8) & 0x0f, 4);
	assert_int_equal(kit_in8(k, 8) & 0x0f, 0);	     /* told once */
	assert_int_equal(transfer(2, buf, 1, true, &tc), 0); /* masked now */
	program(1, 0x48, AT, 255);
	assert_int_equal(transfer(1, back, 256, false, &tc), 256);
	assert_true(tc);
	assert_memory_equal(back, buf, 256);
}

static void a_channel_of_the_other_direction_moves_nothing(void **state)
{
	uint8_t buf[16] = {1, 2, 3};
	bool tc;

	program(2, 0x48, AT, 15);
	assert_int_equal(transfer(2, buf, 16, true, &tc), 16);
	assert_true(tc);
	assert_int_equal(as_read(&k->m->mem, AT, 4), 0);
	program(2, 0x44, AT, 15);
	transfer(2, buf, 16, false, &tc);
	assert_int_equal(buf[0], 0xff);
}

static void autoinitialisation_begins_anew(void **state)
{
	uint8_t buf[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	bool tc;

	program(3, 0x54, AT, 3);
	assert_int_equal(transfer(3, buf, 8, true, &tc), 4);
	assert_true(tc);
	assert_int_equal(transfer(3, buf + 4, 8, true, &tc), 4);
	assert_true(tc);
	assert_int_equal(as_read(&k->m->mem, AT, 4), 0x08070605);
}

static void addresses_go_down_or_wrap_within_their_page(void **state)
{
	uint8_t buf[4] = {1, 2, 3, 4};
	bool tc;

	program(2, 0x64, AT + 3, 3);
	transfer(2, buf, 4, true, &tc);
	assert_int_equal(as_read(&k->m->mem, AT, 4), 0x01020304);
	program(2, 0x44, 0x3fffe, 3);
	assert_int_equal(transfer(2, buf, 4, true, &tc), 4);
	assert_int_equal(as_read(&k->m->mem, 0x3fffe, 2), 0x0201);
	assert_int_equal(as_read(&k->m->mem, 0x40000, 2), 0);
	assert_int_equal(as_read(&k->m->mem, 0x30000, 2), 0x0403);
}

static void the_second_controller_moves_words(void **state)
{
	uint8_t buf[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	bool tc;

	program(6, 0x44, 0x32000, 3);
	assert_int_equal(transfer(6, buf, 9, true, &tc), 8);
	assert_true(tc);
	assert_int_equal(as_read(&k->m->mem, 0x32000, 4), 0x04030201);
	assert_int_equal(as_read(&k->m->mem, 0x32004, 4), 0x08070605);
	program(5, 0x44, 0x12000, 3); /* the lowest bit of the page is none of the address's */
	transfer(5, buf, 1, true, &tc);
	assert_int_equal(as_read(&k->m->mem, 0x12000, 4), 0);
}

static void masks_and_the_command_register_hold_a_channel_back(void **state)
{
	uint8_t buf[4] = {0};
	bool tc;

	assert_true(i8257_connect(dma, 2, on_ready, NULL));
	assert_false(i8257_connect(dma, 2, on_ready, NULL)); /* somebody else's */
	assert_false(i8257_connect(dma, 4, on_ready, NULL)); /* the cascade */
	assert_false(i8257_connect(dma, 8, on_ready, NULL));
	program(2, 0x44, AT, 15);
	i8257_set_dreq(dma, 2, true);
	assert_int_equal(kit_in8(k, 8) & 0xf0, 0x40);
	kit_out8(k, 0x0a, 6);
	assert_int_equal(i8257_transfer(dma, 2, buf, 4, true, &tc), 0);
	calls = 0;
	kit_out8(k, 0x0a, 2);
	assert_int_equal(calls, 1); /* it is told */
	kit_out8(k, 0x08, 4);	    /* disabled */
	assert_int_equal(i8257_transfer(dma, 2, buf, 4, true, &tc), 0);
	kit_out8(k, 0x08, 0);
	assert_true(calls > 1);
	assert_int_equal(i8257_transfer(dma, 2, buf, 4, true, &tc), 4);
	kit_out8(k, 0x0d, 0); /* master clear masks all */
	assert_int_equal(i8257_transfer(dma, 2, buf, 4, true, &tc), 0);
}

static void memory_that_is_not_there_takes_nothing(void **state)
{
	uint8_t buf[16] = {1};
	bool tc;

	program(2, 0x44, 0xff0000, 15);
	assert_int_equal(transfer(2, buf, 16, true, &tc), 16);
	program(2, 0x48, 0xff0000, 15);
	assert_int_equal(transfer(2, buf, 16, false, &tc), 16);
	assert_true(tc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_are_read_and_written_in_halves),
		TEST(bytes_go_to_memory_and_from_it),
		TEST(a_channel_of_the_other_direction_moves_nothing),
		TEST(autoinitialisation_begins_anew),
		TEST(addresses_go_down_or_wrap_within_their_page),
		TEST(the_second_controller_moves_words),
		TEST(masks_and_the_command_register_hold_a_channel_back),
		TEST(memory_that_is_not_there_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
