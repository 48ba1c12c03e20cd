/* SPDX-License-Identifier: BSD-2-Clause */
/* The floppy controller: commands by DMA and without, formats, the change line, resets, and hosts that mean harm. */
#include <jansson.h>
#include "io/block/block_internal.h"
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define FDC	   0x3f0
#define DOR	   (FDC + 2)
#define MSR	   (FDC + 4)
#define DSR	   (FDC + 4)
#define FIFO	   (FDC + 5)
#define DIR	   (FDC + 7)
#define CCR	   (FDC + 7)
#define FLOPPY_IRQ 6
#define BUFFER	   0x20000
#define KIB_1440   (1440 * KiB)

#define READ	    0xe6
#define WRITE	    0xc5
#define READ_ID	    0x4a
#define FORMAT	    0x4d
#define SEEK	    0x0f
#define RECALIBRATE 0x07
#define SENSE_INT   0x08
#define SENSE_DRIVE 0x04
#define SPECIFY	    0x03
#define GET_VERSION 0x10
#define DUMPREG	    0x0e
#define MODE_READ   0x46 /* channel 2: single, to memory */
#define MODE_WRITE  0x4a

static struct disk_kit d;
static struct device *floppy;
static const char *image;
static uint8_t result[16];

static void out(uint8_t value)
{
	assert_int_equal(kit_in8(d.k, MSR) & 0xc0, 0x80);
	kit_out8(d.k, FIFO, value);
}

static bool has_result(struct disk_kit *kit)
{
	return (kit_in8(kit->k, MSR) & 0xc0) == 0xc0;
}

/* All of the result phase: how many bytes. */
static unsigned take_result(void)
{
	unsigned n = 0;

	dk_until(&d, has_result);
	while (has_result(&d) && n < sizeof(result))
		result[n++] = kit_in8(d.k, FIFO);
	assert_int_equal(kit_in8(d.k, MSR), 0x80);
	return n;
}

static bool irq(void)
{
	return d.k->m->gsi[FLOPPY_IRQ].level;
}

static bool irq_is_up(struct disk_kit *kit)
{
	return irq();
}

static unsigned command(const uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		out(bytes[i]);
	return take_result();
}

#define COMMAND(...) command((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void reset(void)
{
	kit_out8(d.k, DOR, 0);
	kit_out8(d.k, DOR, 0x1c); /* DMA, not in reset, motor A */
	dk_until(&d, irq_is_up);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(COMMAND(SENSE_INT), 2);
		assert_int_equal(result[0], 0xc0 | i);
		assert_int_equal(result[1], 0);
	}
	assert_false(irq());
	out(SPECIFY);
	out(0xaf);
	out(0x02);
	kit_out8(d.k, CCR, 0);
}

static void setup_with(uint64_t bytes)
{
	dk_init(&d, &machine_pc, 4 * MiB);
	image = dk_image(&d, bytes);
	floppy = dk_add(&d, &floppy_type, "floppy", image, NULL);
	reset();
}

static int setup(void **state)
{
	setup_with(KIB_1440);
	return 0;
}

static int teardown(void **state)
{
	dk_fini(&d);
	return 0;
}

static void program_dma(uint8_t mode, uint32_t addr, uint16_t bytes)
{
	kit_out8(d.k, 0x0a, 6); /* masked */
	kit_out8(d.k, 0x0c, 0);
	kit_out8(d.k, 0x04, addr);
	kit_out8(d.k, 0x04, addr >> 8);
	kit_out8(d.k, 0x81, addr >> 16);
	kit_out8(d.k, 0x05, bytes - 1);
	kit_out8(d.k, 0x05, (bytes - 1) >> 8);
	kit_out8(d.k, 0x0b, mode);
	kit_out8(d.k, 0x0a, 2);
}

/* Sectors from (C, H, R) on, up to the DMA's count; ST0. */
static uint8_t transfer(uint8_t code, uint8_t c, uint8_t h, uint8_t r, uint8_t eot)
{
	const uint8_t bytes[] = {code, h << 2, c, h, r, 2, eot, 0x1b, 0xff};

	assert_int_equal(command(bytes, sizeof(bytes)), 7);
	return result[0];
}

static void check_ram(gpa_t gpa, uint64_t lba, unsigned n)
{
	for (unsigned i = 0; i < n * 128; i++)
		assert_int_equal(dk_ram(&d, gpa + 4 * i), dk_word(lba + i / 128, i % 128));
}

/* ---- being one ---- */

static void the_controller_says_what_it_is(void **state)
{
	assert_int_equal(COMMAND(GET_VERSION), 1);
	assert_int_equal(result[0], 0x90);
	assert_int_equal(COMMAND(0x18), 1);
	assert_int_equal(result[0], 0x41);
	assert_int_equal(COMMAND(DUMPREG), 10);
	assert_int_equal(result[4], 0xaf);
	assert_int_equal(COMMAND(SENSE_INT), 1); /* nothing to tell */
	assert_int_equal(result[0], 0x80);
	assert_int_equal(COMMAND(0xff), 1);
	assert_int_equal(result[0], 0x80);
}

static void in_reset_it_does_nothing(void **state)
{
	kit_out8(d.k, DOR, 0x18);
	assert_int_equal(kit_in8(d.k, MSR), 0);
	kit_out8(d.k, FIFO, GET_VERSION);
	assert_int_equal(kit_in8(d.k, FIFO), 0);
	reset();
	kit_out8(d.k, DSR, 0x80); /* the other way */
	dk_until(&d, irq_is_up);
	assert_int_equal(COMMAND(SENSE_INT), 2);
	assert_int_equal(result[0], 0xc0);
}

static void locked_settings_outlive_a_reset(void **state)
{
	const uint8_t configure[] = {0x13, 0, 0x57, 0};

	assert_int_equal(COMMAND(0x94), 1);
	assert_int_equal(result[0], 0x10);
	for (unsigned i = 0; i < 4; i++)
		out(configure[i]);
	kit_out8(d.k, DOR, 0);
	kit_out8(d.k, DOR, 0x1c);
	assert_int_equal(COMMAND(DUMPREG), 10);
	assert_int_equal(result[8], 0x57);
	assert_int_equal(COMMAND(0x14), 1);
	assert_int_equal(result[0], 0);
	kit_out8(d.k, DOR, 0);
	kit_out8(d.k, DOR, 0x1c);
	assert_int_equal(COMMAND(DUMPREG), 10);
	assert_int_equal(result[8], 0x20);
}

static void seeks_end_with_an_interrupt(void **state)
{
	out(SEEK);
	out(0);
	out(40);
	assert_true(irq());
	assert_int_equal(COMMAND(SENSE_INT), 2);
	assert_int_equal(result[0], 0x20);
	assert_int_equal(result[1], 40);
	assert_false(irq());
	assert_int_equal(COMMAND(SENSE_DRIVE, 0), 1);
	assert_int_equal(result[0] & 0x10, 0);
	out(RECALIBRATE);
	out(0);
	assert_int_equal(COMMAND(SENSE_INT), 2);
	assert_int_equal(result[1], 0);
	assert_int_equal(COMMAND(SENSE_DRIVE, 0), 1);
	assert_int_equal(result[0] & 0x10, 0x10);
	out(RECALIBRATE); /* a drive that isn't there */
	out(1);
	assert_int_equal(COMMAND(SENSE_INT), 2);
	assert_int_equal(result[0], 0x71);
}

/* ---- data ---- */

static void dma_ends_a_read_by_its_count(void **state)
{
	program_dma(MODE_READ, BUFFER, 5 * 512);
	assert_int_equal(transfer(READ, 7, 1, 3, 18), 4);
	assert_int_equal(result[1] | result[2], 0);
	assert_int_equal(result[3], 7);
	assert_int_equal(result[4], 1);
	assert_int_equal(result[5], 8); /* the next one */
	check_ram(BUFFER, (7 * 2 + 1) * 18 + 2, 5);
	assert_int_equal(dk_ram(&d, BUFFER + 5 * 512), 0);
	assert_int_equal(kit_in8(d.k, 8) & 4, 4); /* the DMA controller has told TC */
}

static void multi_track_reads_go_on_with_the_other_side(void **state)
{
	program_dma(MODE_READ, BUFFER, 36 * 512);
	assert_int_equal(transfer(READ, 3, 0, 1, 18), 4);
	check_ram(BUFFER, 3 * 36, 36);
	assert_int_equal(result[3], 4);
	assert_int_equal(result[4], 0);
	assert_int_equal(result[5], 1);
}

static void at_the_end_of_a_track_there_is_no_more(void **state)
{
	program_dma(MODE_READ, BUFFER, 4 * 512);
	assert_int_equal(transfer(READ & 0x7f, 3, 0, 17, 18), 0x40);
	assert_int_equal(result[1], 0x80);
	check_ram(BUFFER, 3 * 36 + 16, 2);
}

static void writes_arrive(void **state)
{
	uint8_t is[1024];

	for (unsigned i = 0; i < 256; i++)
		dk_set_ram(&d, BUFFER + 4 * i, i * 3);
	program_dma(MODE_WRITE, BUFFER, 1024);
	assert_int_equal(transfer(WRITE, 9, 0, 4, 18), 0);
	dk_read_image(image, 9 * 36 + 3, is, sizeof(is));
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(ldn_le(is + 4 * i, 4), i * 3);
}

static void a_count_within_a_sector_writes_zeros_behind_it(void **state)
{
	uint8_t is[512];

	for (unsigned i = 0; i < 128; i++)
		dk_set_ram(&d, BUFFER + 4 * i, UINT32_MAX);
	program_dma(MODE_WRITE, BUFFER, 100);
	assert_int_equal(transfer(WRITE, 9, 0, 4, 18), 0);
	dk_read_image(image, 9 * 36 + 3, is, sizeof(is));
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(is[i], i < 100 ? 0xff : 0);
}

static void without_dma_the_host_moves_each_byte(void **state)
{
	static const uint8_t read[] = {READ, 0, 2, 0, 5, 2, 6, 0x1b, 0xff};

	out(SPECIFY);
	out(0xaf);
	out(0x03);
	for (unsigned i = 0; i < sizeof(read); i++)
		out(read[i]);
	for (unsigned sector = 0; sector < 2; sector++) {
		dk_until(&d, irq_is_up);
		for (unsigned i = 0; i < 512; i++) {
			assert_int_equal(kit_in8(d.k, MSR), 0xf0);
			assert_int_equal(kit_in8(d.k, FIFO),
					 dk_word(2 * 36 + 4 + sector, i / 4) >> 8 * (i % 4) & 0xff);
		}
	}
	/* MT: it goes on with side 1, where there is no end by the count either. */
	dk_until(&d, irq_is_up);
	reset();
}

static void sectors_that_are_not_there_are_not_found(void **state)
{
	static const uint8_t bad[][3] = {{80, 0, 1}, {0, 0, 0}, {0, 0, 19}, {255, 1, 1}};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		program_dma(MODE_READ, BUFFER, 512);
		assert_int_equal(transfer(READ, bad[i][0], bad[i][1], bad[i][2], 255) & 0xc0, 0x40);
		assert_int_equal(result[1], 4);
	}
	kit_out8(d.k, CCR, 2); /* at another rate there is nothing at all */
	program_dma(MODE_READ, BUFFER, 512);
	assert_int_equal(transfer(READ, 0, 0, 1, 18) & 0xc0, 0x40);
	assert_int_equal(result[1], 1);
	kit_out8(d.k, CCR, 0);
	assert_int_equal(COMMAND(READ_ID, 0), 7);
	assert_int_equal(result[0], 0);
	assert_int_equal(result[6], 2);
	assert_int_equal(COMMAND(READ_ID, 1), 7); /* no drive */
	assert_int_equal(result[0] & 0xc0, 0x40);
}

static void format_fills_a_track(void **state)
{
	static const uint8_t format[] = {FORMAT, 0, 2, 18, 0x50, 0xf6};
	uint8_t is[512];

	out(SEEK);
	out(0);
	out(5);
	COMMAND(SENSE_INT);
	for (unsigned i = 0; i < 18; i++)
		dk_set_ram(&d, BUFFER + 4 * i, 5 | (i + 1) << 16 | 2 << 24);
	program_dma(MODE_WRITE, BUFFER, 72);
	assert_int_equal(command(format, sizeof(format)), 7);
	assert_int_equal(result[0], 0);
	for (unsigned i = 0; i < 18; i++) {
		dk_read_image(image, 5 * 36 + i, is, sizeof(is));
		assert_int_equal(is[0], 0xf6);
		assert_int_equal(is[511], 0xf6);
	}
	dk_read_image(image, 5 * 36 + 18, is, sizeof(is));
	assert_int_equal(ldn_le(is, 4), dk_word(5 * 36 + 18, 0));
}

static void the_size_of_an_image_tells_its_format(void **state)
{
	static const struct {
		unsigned kib, tracks, heads, sectors;
		enum floppy_drive_type drive;
	} cases[] = {
		{1440, 80, 2, 18, FLOPPY_1M44}, {720, 80, 2, 9, FLOPPY_1M44},
		{2880, 80, 2, 36, FLOPPY_2M88}, {1200, 80, 2, 15, FLOPPY_1M2},
		{360, 40, 2, 9, FLOPPY_1M2},	{160, 40, 1, 8, FLOPPY_1M2},
		{1680, 80, 2, 21, FLOPPY_1M44},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct floppy_format *f =
			floppy_guess_format(cases[i].kib * KiB, FLOPPY_NONE);

		assert_int_equal(f->tracks, cases[i].tracks);
		assert_int_equal(f->heads, cases[i].heads);
		assert_int_equal(f->sectors, cases[i].sectors);
		assert_int_equal(f->drive, cases[i].drive);
	}
	/* Sizes that are none's: the next larger one; larger than all: the largest. */
	for (uint64_t bytes = 1; bytes; bytes <<= 3)
		assert_non_null(floppy_guess_format(bytes, FLOPPY_1M44));
	assert_int_equal(floppy_guess_format(1296384, FLOPPY_1M44)->sectors, 18);
}

static void what_an_image_lacks_of_its_format_is_not_found(void **state)
{
	dk_fini(&d);
	setup_with(1000 * 512 + 100); /* 720 K, in part */
	kit_out8(d.k, CCR, 2);
	program_dma(MODE_READ, BUFFER, 512);
	assert_int_equal(transfer(READ, 55, 0, 9, 9), 0);
	check_ram(BUFFER, 55 * 18 + 8, 1);
	program_dma(MODE_READ, BUFFER, 512);
	assert_int_equal(transfer(READ, 55, 1, 3, 9) & 0xc0, 0x40);
	assert_int_equal(result[1], 4);
}

/* ---- the disk ---- */

static void the_change_line_falls_with_a_step(void **state)
{
	struct error err = ERROR_INIT;
	struct block *b = dk_block("floppy");
	struct block_node *node;

	assert_int_equal(kit_in8(d.k, DIR), 0x80);
	out(SEEK);
	out(0);
	out(1);
	COMMAND(SENSE_INT);
	assert_int_equal(kit_in8(d.k, DIR), 0);
	block_remove_medium(b);
	assert_int_equal(kit_in8(d.k, DIR), 0x80);
	out(SEEK);
	out(0);
	out(2);
	COMMAND(SENSE_INT);
	assert_int_equal(kit_in8(d.k, DIR), 0x80); /* without a disk it stays up */
	program_dma(MODE_READ, BUFFER, 512);
	assert_int_equal(transfer(READ, 0, 0, 1, 18) & 0xc0, 0x40);
	assert_int_equal(result[1], 1);
	node = drive_open_node(d.k->loop,
			       json_pack("{s:s,s:b,s:{s:s,s:s}}", "driver", "raw", "read-only", 1,
					 "file", "driver", "file", "filename",
					 dk_image(&d, 720 * KiB)),
			       false, &err);
	assert_non_null(node);
	assert_true(block_insert_medium(b, node, &err));
	assert_int_equal(kit_in8(d.k, DIR), 0x80);
	kit_out8(d.k, CCR, 2);
	program_dma(MODE_READ, BUFFER, 512);
	assert_int_equal(transfer(READ, 79, 1, 9, 9), 4);
	check_ram(BUFFER, 1439, 1);
	program_dma(MODE_WRITE, BUFFER, 512);
	assert_int_equal(transfer(WRITE, 0, 0, 1, 9) & 0xc0, 0x40);
	assert_int_equal(result[1], 2); /* not writable */
	assert_int_equal(COMMAND(SENSE_DRIVE, 0), 1);
	assert_int_equal(result[0] & 0x40, 0x40);
}

static void a_disk_may_go_while_it_is_read(void **state)
{
	static const uint8_t read[] = {READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff};
	struct error err = ERROR_INIT;
	struct block *b = dk_block("floppy");
	const char *path = dk_image(&d, KIB_1440);

	for (unsigned i = 0; i < 20; i++) {
		struct block_node *node;

		program_dma(MODE_READ, BUFFER, 36 * 512);
		for (unsigned n = 0; n < sizeof(read); n++)
			out(read[n]);
		dk_turn(&d, i % 4);
		block_remove_medium(b);
		take_result();
		node = drive_open_node(d.k->loop,
				       json_pack("{s:s,s:b,s:{s:s,s:s}}", "driver", "raw",
						 "read-only", 1, "file", "driver", "file",
						 "filename", path),
				       false, &err);
		assert_true(block_insert_medium(b, node, &err));
	}
}

/* ---- abuse ---- */

static void a_reset_during_a_transfer_waits_for_what_is_out(void **state)
{
	static const uint8_t read[] = {READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff};

	for (unsigned i = 0; i < 20; i++) {
		program_dma(MODE_READ, BUFFER, 36 * 512);
		for (unsigned n = 0; n < sizeof(read); n++)
			out(read[n]);
		dk_turn(&d, i % 4);
		reset();
		dma_ends_a_read_by_its_count(state);
	}
}

static void dma_outside_of_memory_moves_nothing(void **state)
{
	program_dma(MODE_READ, 0xfffe00, 1024); /* RAM ends before */
	assert_int_equal(transfer(READ, 0, 0, 1, 18), 0);
	program_dma(MODE_WRITE, 0xfffe00, 512);
	assert_int_equal(transfer(WRITE, 79, 0, 1, 18), 0);
	program_dma(MODE_READ, 0x0a0000, 512); /* the display */
	assert_int_equal(transfer(READ, 0, 0, 1, 18), 0);
	program_dma(MODE_READ, 0x01fe00, 1024); /* wraps within its 64 KiB */
	assert_int_equal(transfer(READ, 0, 0, 1, 18), 0);
	check_ram(0x01fe00, 0, 1);
	check_ram(0x010000, 1, 1);
}

static void no_command_byte_does_harm(void **state)
{
	uint64_t seed = 88172645463325252;

	for (unsigned i = 0; i < 256 * 8; i++) {
		unsigned n = 0;

		program_dma(i & 1 ? MODE_READ : MODE_WRITE, i & 2 ? BUFFER : 0xff0000, seed >> 50);
		if ((kit_in8(d.k, MSR) & 0xc0) == 0x80)
			kit_out8(d.k, FIFO, i / 8);
		while ((kit_in8(d.k, MSR) & 0xc0) == 0x80 && n++ < 600) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			kit_out8(d.k, FIFO, i & 4 ? seed >> 56 : seed >> 62);
		}
		dk_turn(&d, i % 8 == 0);
		for (n = 0; (kit_in8(d.k, MSR) & 0xc0) == 0xc0 && n < 600; n++)
			kit_in8(d.k, FIFO);
		if (i % 4 == 3)
			reset();
	}
	reset();
	dma_ends_a_read_by_its_count(state);
}

static void a_drive_may_go_while_a_request_is_out(void **state)
{
	static const uint8_t read[] = {READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff};

	program_dma(MODE_READ, BUFFER, 36 * 512);
	for (unsigned n = 0; n < sizeof(read); n++)
		out(read[n]);
	device_unrealize(floppy);
	take_result();
	assert_int_equal(result[0] & 0xc0, 0x40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_controller_says_what_it_is),
		TEST(in_reset_it_does_nothing),
		TEST(locked_settings_outlive_a_reset),
		TEST(seeks_end_with_an_interrupt),
		TEST(dma_ends_a_read_by_its_count),
		TEST(multi_track_reads_go_on_with_the_other_side),
		TEST(at_the_end_of_a_track_there_is_no_more),
		TEST(writes_arrive),
		TEST(a_count_within_a_sector_writes_zeros_behind_it),
		TEST(without_dma_the_host_moves_each_byte),
		TEST(sectors_that_are_not_there_are_not_found),
		TEST(format_fills_a_track),
		TEST(the_size_of_an_image_tells_its_format),
		TEST(what_an_image_lacks_of_its_format_is_not_found),
		TEST(the_change_line_falls_with_a_step),
		TEST(a_disk_may_go_while_it_is_read),
		TEST(a_reset_during_a_transfer_waits_for_what_is_out),
		TEST(dma_outside_of_memory_moves_nothing),
		TEST(no_command_byte_does_harm),
		TEST(a_drive_may_go_while_a_request_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
