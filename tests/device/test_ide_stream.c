/* SPDX-License-Identifier: BSD-2-Clause */
/* PIO data that vCPUs fetch without a trap: the same bytes, states and interrupts as one by one, whenever the loop looks. */
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define DISK_BYTES (1 * MiB)
#define GOOD	   0x50
#define DRQ	   0x58
#define SECTORS	   4
#define LBA	   7

static struct disk_kit d;
static struct device *disk;

static int setup(void **state)
{
	dk_init(&d, &machine_pc, 4 * MiB);
	disk = dk_add(&d, &ide_hd_type, "disk", dk_image(&d, DISK_BYTES), "bus", "ide.0", "unit",
		      "0", NULL);
	return 0;
}

static int teardown(void **state)
{
	dk_fini(&d);
	return 0;
}

/* What a vCPU tries first. */
static bool stream(uint16_t port, void *buf, unsigned size, unsigned count)
{
	const struct view_range *range = view_find(as_view_mt(&d.k->m->io), port);

	assert_non_null(range->tap.stream);
	return view_stream(range, port, buf, size, count);
}

static uint64_t trap_read(uint16_t port, unsigned size)
{
	return as_read(&d.k->m->io, port, size);
}

static void begin(bool interrupts, uint8_t command)
{
	kit_out8(d.k, IDE_CTRL, interrupts ? 0 : ATA_CONTROL_NIEN);
	ide_command28(&d, 0, command, LBA, SECTORS);
	assert_int_equal(ide_wait(&d), DRQ);
}

static void check_words(const uint8_t *buf, unsigned from, unsigned bytes)
{
	for (unsigned i = from; i < from + bytes; i++) {
		uint32_t word = dk_word(LBA + i / 512, i % 512 / 4);

		assert_int_equal(buf[i - from], (uint8_t)(word >> 8 * (i % 4)));
	}
}

static void fetch(unsigned from, unsigned bytes)
{
	uint8_t buf[SECTORS * 512];

	assert_true(stream(IDE_DATA, buf, 2, bytes / 2));
	check_words(buf, from, bytes);
}

static void a_block_is_fetched_without_a_trap_but_for_its_end(void **state)
{
	uint8_t buf[512];

	begin(true, ATA_CMD_READ_SECTORS);
	assert_false(stream(IDE_DATA, buf, 2, 256));
	fetch(0, 400);
	fetch(400, 110);
	assert_false(stream(IDE_DATA, buf, 2, 1));
	stn_le(buf, 2, trap_read(IDE_DATA, 2));
	check_words(buf, 510, 2);
	/* The next one. */
	assert_true(ide_irq(&d));
	fetch(512, 4);
}

static void the_loop_goes_on_where_a_vcpu_left_off(void **state)
{
	uint8_t buf[4];

	begin(true, ATA_CMD_READ_SECTORS);
	for (unsigned at = 0; at < SECTORS * 512; at += 4) {
		if (at % 12 || !stream(IDE_DATA, buf, 4, 1))
			stn_le(buf, 4, trap_read(IDE_DATA, 4));
		check_words(buf, at, 4);
	}
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
	assert_int_equal(kit_in16(d.k, IDE_DATA), 0);
}

static void with_an_interrupt_pending_its_acknowledge_traps(void **state)
{
	uint8_t status;

	begin(true, ATA_CMD_READ_SECTORS);
	assert_true(ide_irq(&d));
	assert_false(stream(IDE_STATUS, &status, 1, 1));
	assert_true(stream(IDE_CTRL, &status, 1, 1));
	assert_int_equal(status, DRQ);
	assert_true(ide_irq(&d));
	assert_int_equal(trap_read(IDE_STATUS, 1), DRQ);
	assert_false(ide_irq(&d));
	assert_true(stream(IDE_STATUS, &status, 1, 1));
	assert_int_equal(status, DRQ);
	fetch(0, 510);
}

static void without_interrupts_block_follows_block(void **state)
{
	uint8_t buf[512], status;

	begin(false, ATA_CMD_READ_SECTORS);
	assert_true(stream(IDE_STATUS, &status, 1, 1));
	for (unsigned i = 0; i + 1 < SECTORS; i++) {
		fetch(i * 512, 512);
		assert_true(stream(IDE_STATUS, &status, 1, 1));
		assert_int_equal(status, DRQ);
	}
	assert_false(stream(IDE_DATA, buf, 2, 256));
	assert_int_equal(trap_read(IDE_STATUS, 1), DRQ);
	fetch((SECTORS - 1) * 512, 510);
	trap_read(IDE_DATA, 2);
	assert_int_equal(trap_read(IDE_STATUS, 1), GOOD);
	assert_false(stream(IDE_STATUS, &status, 1, 1));
}

static void an_interrupt_that_was_not_acknowledged_comes_when_they_are_on(void **state)
{
	uint8_t status;

	begin(false, ATA_CMD_READ_SECTORS);
	assert_true(stream(IDE_STATUS, &status, 1, 1));
	fetch(0, 500);
	kit_out8(d.k, IDE_CTRL, 0);
	assert_false(ide_irq(&d));
	kit_out8(d.k, IDE_CTRL, ATA_CONTROL_NIEN);
	fetch(500, 24); /* over the end of the first block */
	kit_out8(d.k, IDE_CTRL, 0);
	assert_true(ide_irq(&d));
	assert_int_equal(trap_read(IDE_STATUS, 1), DRQ);
	assert_false(ide_irq(&d));
	fetch(524, 8);
	kit_out8(d.k, IDE_CTRL, ATA_CONTROL_NIEN);
	fetch(532, 500);
	assert_true(stream(IDE_STATUS, &status, 1, 1)); /* acknowledges */
	kit_out8(d.k, IDE_CTRL, 0);
	assert_false(ide_irq(&d));
}

static void blocks_of_several_sectors_have_their_own_ends(void **state)
{
	ide_command28(&d, 0, ATA_CMD_SET_MULTIPLE, 0, 2);
	begin(false, ATA_CMD_READ_MULTIPLE);
	trap_read(IDE_STATUS, 1);
	fetch(0, 1022);
	kit_out8(d.k, IDE_CTRL, 0);
	assert_false(ide_irq(&d));
	kit_out8(d.k, IDE_CTRL, ATA_CONTROL_NIEN);
	fetch(1022, 2);
	kit_out8(d.k, IDE_CTRL, 0);
	assert_true(ide_irq(&d));
}

static void other_registers_and_sizes_trap(void **state)
{
	uint8_t buf[4];

	begin(false, ATA_CMD_READ_SECTORS);
	for (unsigned reg = ATA_REG_ERROR; reg < ATA_REG_STATUS; reg++)
		assert_false(stream(IDE_DATA + reg, buf, 1, 1));
	assert_false(stream(IDE_CTRL, buf, 2, 1));
	assert_false(stream(IDE_STATUS, buf, 2, 1));
	assert_false(stream(IDE_STATUS, buf, 1, 2));
	assert_false(stream(IDE_DATA, buf, 2, UINT32_MAX / 2));
	assert_int_equal(trap_read(IDE_DATA + ATA_REG_ERROR, 1), 0);
	fetch(0, 512);
}

static void a_reset_ends_it(void **state)
{
	uint8_t buf[4];

	begin(false, ATA_CMD_READ_SECTORS);
	fetch(0, 700);
	kit_out8(d.k, IDE_CTRL, ATA_CONTROL_SRST);
	assert_false(stream(IDE_DATA, buf, 2, 1));
	kit_out8(d.k, IDE_CTRL, 0);
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
	begin(true, ATA_CMD_READ_SECTORS);
	fetch(0, 100);
	device_reset(disk);
	assert_false(stream(IDE_DATA, buf, 2, 1));
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
}

static void the_other_drive_has_none(void **state)
{
	uint8_t buf[4];

	begin(true, ATA_CMD_READ_SECTORS);
	fetch(0, 100);
	ide_out(&d, ATA_REG_DEVICE, 0xb0);
	assert_false(stream(IDE_DATA, buf, 2, 1));
	ide_out(&d, ATA_REG_DEVICE, 0xa0);
	fetch(100, 100);
}

static void saved_and_loaded_it_goes_on(void **state)
{
	struct error err = ERROR_INIT;
	uint8_t *saved, buf[2];
	size_t bytes;

	begin(false, ATA_CMD_READ_SECTORS);
	fetch(0, 600);
	saved = state_save(disk->type->state, disk, &bytes);
	assert_int_equal(trap_read(IDE_DATA, 2), dk_word(LBA + 1, 22) & 0xffff);
	fetch(602, 300);
	assert_true(state_load(disk->type->state, disk, saved, bytes, &err));
	free(saved);
	/* What was fetched after it was saved is fetched again. */
	stn_le(buf, 2, trap_read(IDE_DATA, 2));
	check_words(buf, 600, 2);
	fetch(602, 300);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_block_is_fetched_without_a_trap_but_for_its_end),
		TEST(the_loop_goes_on_where_a_vcpu_left_off),
		TEST(with_an_interrupt_pending_its_acknowledge_traps),
		TEST(without_interrupts_block_follows_block),
		TEST(an_interrupt_that_was_not_acknowledged_comes_when_they_are_on),
		TEST(blocks_of_several_sectors_have_their_own_ends),
		TEST(other_registers_and_sizes_trap),
		TEST(a_reset_ends_it),
		TEST(the_other_drive_has_none),
		TEST(saved_and_loaded_it_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
