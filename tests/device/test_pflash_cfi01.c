/* SPDX-License-Identifier: BSD-2-Clause */
/* Flash chips: the command set, and that what was stored is in the image afterwards. */
#include <errno.h>
#include <jansson.h>
#include <unistd.h>
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

/* ---- on its way to the drive ---- */

/* The chip instead on a node of DRIVER over the image, with MORE of the node's options. */
static void replace_flash(json_t *node)
{
	struct error err = ERROR_INIT;

	device_unrealize(flash);
	if (!blockdev_add(d.k->loop, node, &err))
		fail_msg("%s", err.msg);
	flash = kit_add(d.k, &pflash_cfi01_type, "drive", "node", NULL);
	pflash_map(flash, &d.k->m->mem.root, AT);
}

static void program(uint64_t offset, uint8_t value)
{
	put(offset, 0x10);
	put(offset, value);
}

static uint8_t in_image(uint64_t offset)
{
	uint8_t sector[512];

	dk_read_image(image, offset / 512, sector, sizeof(sector));
	return sector[offset % 512];
}

/* The entries of a log (io/block/blklogwrites.c): the byte at AT_ONE in each write that has it. */
static unsigned logged(const char *log, uint64_t *sectors, uint8_t *first, unsigned max)
{
	uint64_t entry[4];
	unsigned n = 0;

	for (uint64_t at = 1; n < max; at += 1 + (entry[3] + 511) / 512) {
		uint8_t raw[512];

		dk_read_image(log, at, raw, sizeof(raw));
		memcpy(entry, raw, sizeof(entry));
		if (!entry[1] && !entry[2])
			break;
		if (entry[2])
			continue;
		sectors[n] = entry[0];
		dk_read_image(log, at + 1, raw, sizeof(raw));
		first[n++] = raw[0];
	}
	return n;
}

static void what_was_stored_arrives_in_its_order(void **state)
{
	const char *log = dk_image(&d, 64 * KiB);
	uint64_t sectors[8];
	uint8_t first[8];

	assert_int_equal(truncate(log, 0), 0);
	replace_flash(json_pack("{s:s,s:s,s:{s:s,s:{s:s,s:s},s:{s:s,s:s}}}", "driver", "raw",
				"node-name", "node", "file", "driver", "blklogwrites", "file",
				"driver", "file", "filename", image, "log", "driver", "file",
				"filename", log));
	put(0x5000, 0x20);
	put(0x5000, 0xd0);
	program(0x5000, 0x0f);
	program(0x1004, 0);
	program(0x1005, 0);
	program(0x5000, 0x01); /* what is on its way stays what it was */
	assert_true(drives_drain(d.k->m));
	assert_int_equal(truncate(log, 64 * KiB), 0);
	assert_int_equal(logged(log, sectors, first, ARRAY_SIZE(sectors)), 4);
	assert_true(sectors[0] == 0x28 && first[0] == 0xff);
	assert_true(sectors[1] == 0x28 && first[1] == 0x0f);
	assert_true(sectors[2] == 0x08);
	assert_true(sectors[3] == 0x28 && first[3] == 0x01);
}

static void fail_to_write_once(void)
{
	replace_flash(json_pack("{s:s,s:s,s:{s:s,s:{s:s,s:s},s:[{s:s,s:i,s:b}]}}", "driver", "raw",
				"node-name", "node", "file", "driver", "blkdebug", "image",
				"driver", "file", "filename", image, "inject-error", "event",
				"write_aio", "errno", EIO, "once", 1));
}

static void what_could_not_be_written_is_written_after_a_reset(void **state)
{
	fail_to_write_once();
	program(0x100, 0);
	assert_true(drives_drain(d.k->m));
	assert_int_not_equal(in_image(0x100), 0);
	device_reset(flash);
	assert_true(drives_drain(d.k->m));
	assert_int_equal(in_image(0x100), 0);
}

static void what_could_not_be_written_goes_along_with_the_next_change(void **state)
{
	fail_to_write_once();
	program(0x100, 0);
	assert_true(drives_drain(d.k->m));
	assert_int_not_equal(in_image(0x100), 0);
	assert_int_equal(get(0x100), 0x80); /* the guest has it: status */
	put(0, 0xff);
	assert_int_equal(get(0x100), 0);
	program(0x3100, 0);
	assert_true(drives_drain(d.k->m));
	assert_int_equal(in_image(0x100), 0);
	assert_int_equal(in_image(0x3100), 0);
}

static void more_changes_than_wait_arrive_all_the_same(void **state)
{
	uint8_t got[BYTES];

	for (unsigned i = 0; i < 4000; i++)
		program(i * 2654435761u % BYTES, (uint8_t)i);
	put(0, 0xff);
	assert_true(drives_drain(d.k->m));
	dk_read_image(image, 0, got, sizeof(got));
	assert_memory_equal(got, pflash_data(flash), BYTES);
}

static void a_read_only_chip_is_locked(void **state)
{
	replace_flash(json_pack("{s:s,s:s,s:b,s:{s:s,s:s}}", "driver", "raw", "node-name", "node",
				"read-only", 1, "file", "driver", "file", "filename", image));
	program(0x100, 0);
	assert_int_equal(get(0x100), 0x92);
	put(0, 0x50);
	put(0x1000, 0x20);
	put(0x1000, 0xd0);
	assert_int_equal(get(0x1000), 0xa2);
	put(0, 0x50);
	assert_int_equal(as_read(&d.k->m->mem, AT + 0x1000, 4), dk_word(8, 0));
}

static void no_command_byte_does_harm(void **state)
{
	uint8_t got[BYTES];

	for (unsigned i = 0; i < 200000; i++) {
		unsigned x = i * 2654435761u;

		put(x % BYTES, (uint8_t)(i < 256 * 256 ? i % 2 ? i >> 8 : i : x >> 24));
		get(x >> 8 & (BYTES - 1));
		if (i % 50000 == 49999)
			kit_save_load(flash);
	}
	device_reset(flash);
	assert_true(drives_drain(d.k->m));
	dk_read_image(image, 0, got, sizeof(got));
	assert_memory_equal(got, pflash_data(flash), BYTES);
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
		TEST(what_was_stored_arrives_in_its_order),
		TEST(what_could_not_be_written_goes_along_with_the_next_change),
		TEST(what_could_not_be_written_is_written_after_a_reset),
		TEST(more_changes_than_wait_arrive_all_the_same),
		TEST(a_read_only_chip_is_locked),
		TEST(no_command_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
