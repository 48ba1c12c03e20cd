/* SPDX-License-Identifier: BSD-2-Clause */
/* Flash chips: the command set, and that what was stored is in the image afterwards. */
#include "devices/block/pflash_cfi01.h"
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define AT    0xffe00000ull
#define BYTES (64 * KiB)

static struct disk_kit d;
static struct device *flash;
static const char *image;

static int setup(void **state)
{
	dk_init(&d, NULL, 1 * MiB);
	image = dk_image(&d, BYTES);
	flash = dk_add(&d, &pflash_cfi01_type, "flash", image, NULL);
	pflash_map(flash, &d.k->m->mem.root, AT);
	return 0;
}

static int teardown(void **state)
{
	dk_fini(&d);
	return 0;
}

static void put(uint64_t offset, uint8_t value)
{
	as_write(&d.k->m->mem, AT + offset, value, 1);
}

static uint8_t get(uint64_t offset)
{
	return (uint8_t)as_read(&d.k->m->mem, AT + offset, 1);
}

static void the_array_shows_the_image(void **state)
{
	assert_int_equal(as_read(&d.k->m->mem, AT + 512 * 3 + 8, 4), dk_word(3, 2));
	assert_int_equal(pflash_bytes(flash), BYTES);
}

static void identifier_and_query_show_what_the_chip_is(void **state)
{
	put(0, 0x90);
	assert_int_equal(get(0), 0x89);
	assert_int_equal(get(2), 0); /* no block is locked */
	put(0, 0x98);
	assert_int_equal(get(0x10), 'Q');
	assert_int_equal(get(0x11), 'R');
	assert_int_equal(get(0x27), 16); /* 2^16 bytes */
	assert_int_equal(get(0x2d), BYTES / 4096 - 1);
	assert_int_equal(get(BYTES - 1), 0);
	put(0, 0xff);
	assert_int_equal(as_read(&d.k->m->mem, AT, 4), dk_word(0, 0));
}

static void an_erased_block_is_all_ones(void **state)
{
	put(0x1234, 0x20);
	put(0x1234, 0xd0);
	assert_int_equal(get(0x1000) & 0xb2, 0x80); /* status: ready, no error */
	put(0, 0xff);
	assert_int_equal(get(0x1000), 0xff);
	assert_int_equal(get(0x1fff), 0xff);
	assert_int_equal(as_read(&d.k->m->mem, AT + 0x2000, 4), dk_word(16, 0));
}

static void programming_clears_bits_and_sets_none(void **state)
{
	put(0x1000, 0x20);
	put(0x1000, 0xd0);
	put(0x1001, 0x10);
	put(0x1001, 0x5a);
	put(0x1001, 0x40);
	put(0x1001, 0xf0);
	put(0, 0xff);
	assert_int_equal(get(0x1001), 0x50);
	assert_int_equal(get(0x1002), 0xff);
}

static void a_buffer_is_programmed_when_confirmed(void **state)
{
	put(0x1000, 0x20);
	put(0x1000, 0xd0);
	put(0x1100, 0xe8);
	put(0x1100, 1); /* two bytes */
	put(0x1102, 0x12);
	put(0x1103, 0x34);
	put(0x1100, 0xd0);
	assert_int_equal(get(0) & 0x80, 0x80);
	put(0, 0xff);
	assert_int_equal(get(0x1101), 0xff);
	assert_int_equal(get(0x1102), 0x12);
	assert_int_equal(get(0x1103), 0x34);
}

static void what_is_not_a_sequence_is_an_error_in_the_status(void **state)
{
	put(0, 0x50);
	put(0, 0x20);
	put(0, 0x12);
	assert_int_equal(get(0), 0xb0);
	put(0, 0x50);
	put(0x100, 0xe8);
	put(0x100, 3);
	put(0x300, 1); /* outside of the buffer */
	assert_int_equal(get(0), 0xb0);
	put(0, 0x50);
	put(0, 0x70);
	assert_int_equal(get(0), 0);
	put(0, 0x77);
	assert_int_equal(as_read(&d.k->m->mem, AT, 4), dk_word(0, 0));
}

static void a_reset_shows_the_array(void **state)
{
	put(0, 0xe8);
	put(0, 3);
	device_reset(flash);
	assert_int_equal(as_read(&d.k->m->mem, AT, 4), dk_word(0, 0));
	put(0, 0x90);
	kit_save_load(flash);
	assert_int_equal(get(0), 0x89);
}

static void what_was_stored_is_in_the_image(void **state)
{
	uint8_t got[512];

	put(0x1000, 0x20);
	put(0x1000, 0xd0);
	for (unsigned i = 0; i < 300; i++) {
		put(0x1000 + i, 0x10);
		put(0x1000 + i, (uint8_t)i);
	}
	assert_true(drives_drain(d.k->m));
	dk_read_image(image, 0x1000 / 512, got, sizeof(got));
	for (unsigned i = 0; i < sizeof(got); i++)
		assert_int_equal(got[i], i < 300 ? (uint8_t)i : 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_array_shows_the_image),
		TEST(identifier_and_query_show_what_the_chip_is),
		TEST(an_erased_block_is_all_ones),
		TEST(programming_clears_bits_and_sets_none),
		TEST(a_buffer_is_programmed_when_confirmed),
		TEST(what_is_not_a_sequence_is_an_error_in_the_status),
		TEST(a_reset_shows_the_array),
		TEST(what_was_stored_is_in_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
