/* SPDX-License-Identifier: BSD-2-Clause */
/* ATAPI CD-ROM on an IDE channel: packets by PIO and DMA, what the disc and the drive tell, the tray, and discs that come and go. */
#include <jansson.h>
#include "io/block/block_internal.h"
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define CD_BYTES   (1 * MiB + 700) /* ends within a sector */
#define CD_SECTORS 513

#define GOOD	0x50
#define DRQ	0x58
#define CHECKED 0x51

#define KEY(error) ((error) >> 4)

static struct disk_kit d;
static struct device *cd;
static uint8_t data[64 * 2352];
static uint8_t sense[18];

static int setup(void **state)
{
	dk_init(&d, &machine_pc, 4 * MiB);
	cd = dk_add(&d, &ide_cd_type, "cd", dk_image(&d, CD_BYTES), "bus", "ide.0", "unit", "0",
		    NULL);
	ide_enable_dma(&d);
	return 0;
}

static int teardown(void **state)
{
	dk_fini(&d);
	return 0;
}

static void start_packet(bool dma, uint16_t limit)
{
	ide_out(&d, ATA_REG_DEVICE, 0xa0);
	ide_out(&d, ATA_REG_FEATURE, dma);
	ide_out(&d, ATA_REG_LBA_MID, limit & 0xff);
	ide_out(&d, ATA_REG_LBA_HIGH, limit >> 8);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_PACKET);
	assert_int_equal(ide_wait(&d), DRQ);
	assert_int_equal(ide_in(&d, ATA_REG_COUNT), ATAPI_REASON_CD);
}

static void send_packet(const uint8_t *cdb, bool dma, uint16_t limit)
{
	start_packet(dma, limit);
	ide_write_block(&d, cdb, 12);
}

/* A command whose data come in by PIO, in blocks of LIMIT: how many bytes; -1: it failed, with its sense data in SENSE. */
static int packet_in_limit(const uint8_t *cdb, uint16_t limit)
{
	unsigned total = 0;

	send_packet(cdb, false, limit);
	for (;;) {
		uint8_t status = ide_wait(&d);
		unsigned n;

		assert_true(ide_irq(&d));
		ide_in(&d, ATA_REG_STATUS);
		if (!(status & ATA_STATUS_DRQ)) {
			assert_int_equal(ide_in(&d, ATA_REG_COUNT),
					 ATAPI_REASON_CD | ATAPI_REASON_IO);
			return status & ATA_STATUS_ERR ? -1 : (int)total;
		}
		assert_int_equal(ide_in(&d, ATA_REG_COUNT), ATAPI_REASON_IO);
		n = ide_in(&d, ATA_REG_LBA_MID) | ide_in(&d, ATA_REG_LBA_HIGH) << 8;
		assert_true(n && n <= MAX(limit, 2u) && total + n <= sizeof(data));
		ide_read_block(&d, data + total, n);
		total += n;
	}
}

static int packet_in(const uint8_t *cdb)
{
	return packet_in_limit(cdb, 0x8000);
}

#define PACKET(...) packet_in((const uint8_t[12]){__VA_ARGS__})

/* Sense key and codes of the command before, 0xkkaaqq. */
static unsigned sense_of(void)
{
	assert_int_equal(PACKET(0x03, 0, 0, 0, 18), 18);
	memcpy(sense, data, 18);
	assert_int_equal(sense[0] & 0x7f, 0x70);
	return (sense[2] & 0xfu) << 16 | sense[12] << 8 | sense[13];
}

static void check_sense(int ret, unsigned expected)
{
	assert_int_equal(ret, -1);
	assert_int_equal(KEY(ide_in(&d, ATA_REG_ERROR)), expected >> 16);
	assert_int_equal(sense_of(), expected);
}

static void check_data(const uint8_t *p, uint32_t lba, unsigned n)
{
	for (unsigned i = 0; i < n * 512; i++)
		assert_int_equal(ldn_le(p + 4 * i, 4), dk_word(lba * 4 + i / 128, i % 128));
}

static uint32_t be(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* ---- being one ---- */

static void a_packet_device_has_its_signature(void **state)
{
	assert_int_equal(kit_in8(d.k, IDE_CTRL), 0);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_MID), 0x14);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_HIGH), 0xeb);
	ide_out(&d, ATA_REG_LBA_MID, 0);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_IDENTIFY);
	assert_true(ide_wait(&d) & ATA_STATUS_ERR);
	assert_int_equal(ide_in(&d, ATA_REG_ERROR), ATA_ERROR_ABRT);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_MID), 0x14);
	ide_out(&d, ATA_REG_LBA_MID, 0);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_DEVICE_RESET);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_MID), 0x14);
	assert_false(ide_irq(&d));
}

static void identify_packet_tells_of_the_drive(void **state)
{
	uint16_t id[256];

	ide_command28(&d, 0, ATA_CMD_IDENTIFY_PACKET, 0, 0);
	assert_int_equal(ide_wait(&d), DRQ);
	ide_read_block(&d, id, sizeof(id));
	assert_int_equal(id[0] & 0xdf03, 0x8500 & 0xdf03);
	assert_memory_equal(&id[27], "EQUMD DVR-MO", 12);
}

static void inquiry_names_it(void **state)
{
	assert_int_equal(PACKET(0x12, 0, 0, 0, 36), 36);
	assert_int_equal(data[0], 5);
	assert_int_equal(data[1], 0x80);
	assert_memory_equal(data + 8, "QEMU    QEMU DVD-ROM", 20);
	assert_int_equal(PACKET(0x12, 0, 0, 0, 5), 5); /* no more than is asked for */
}

/* ---- reading ---- */

static void the_capacity_counts_a_sector_that_is_there_in_part(void **state)
{
	assert_int_equal(PACKET(0x25), 8);
	assert_int_equal(be(data, 4), CD_SECTORS - 1);
	assert_int_equal(be(data + 4, 4), 2048);
}

static void pio_moves_as_much_at_a_time_as_the_host_says(void **state)
{
	static const uint16_t limits[] = {2048, 512, 0x8000, 0xfffe, 100, 2047};
	static const uint8_t read[12] = {0x28, 0, 0, 0, 1, 0x10, 0, 0, 9};

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		memset(data, 0, sizeof(data));
		assert_int_equal(packet_in_limit(read, limits[i]), 9 * 2048);
		check_data(data, 0x110, 9);
	}
}

static void a_limit_of_0_moves_nothing(void **state)
{
	send_packet((const uint8_t[12]){0x28, 0, 0, 0, 0, 0, 0, 0, 1}, false, 0);
	assert_true(ide_wait(&d) & ATA_STATUS_ERR);
	assert_true(ide_in(&d, ATA_REG_ERROR) & ATA_ERROR_ABRT);
	send_packet((const uint8_t[12]){0x00}, false, 0); /* without data it doesn't matter */
	assert_int_equal(ide_wait(&d), GOOD);
}

static void dma_reads_into_memory(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 2048, false);
	ide_prd(&d, 1, DK_BUFFER + 4096, 2 * 2048, true);
	send_packet((const uint8_t[12]){0xa8, 0, 0, 0, 0, 30, 0, 0, 0, 3}, true, 0);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_true(ide_irq(&d));
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(dk_ram(&d, DK_BUFFER + 4 * i), dk_word(30 * 4 + i / 128, i % 128));
		assert_int_equal(dk_ram(&d, DK_BUFFER + 4096 + 4 * i),
				 dk_word(31 * 4 + i / 128, i % 128));
	}
}

static void replies_go_by_dma_too(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 8, true);
	send_packet((const uint8_t[12]){0x25}, true, 0);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(dk_ram(&d, DK_BUFFER), __builtin_bswap32(CD_SECTORS - 1));
}

static void dma_outside_of_memory_ends_the_packet(void **state)
{
	ide_prd(&d, 0, 0xf0000000, 2048, true);
	for (unsigned part = 0; part < 2; part++) {
		/* in whole, and the last sector, which comes by the buffer */
		send_packet((const uint8_t[12]){0x28, 0, 0, 0, part ? 2 : 0, 0, 0, 0, 1}, true, 0);
		ide_start_dma(&d, true);
		assert_true(ide_wait(&d) & ATA_STATUS_ERR);
		assert_true(ide_bm_status(&d) & 2);
		ide_stop_dma(&d);
	}
	assert_int_equal(PACKET(0x00), 0);
}

static void a_part_of_a_sector_is_filled_up_with_zeros(void **state)
{
	uint8_t zeros[2048 - 700] = {0};

	assert_int_equal(PACKET(0x28, 0, 0, 0, 2, 0, 0, 0, 1), 2048);
	for (unsigned i = 0; i < 700 / 4; i++)
		assert_int_equal(ldn_le(data + 4 * i, 4), dk_word(2048 + i / 128, i % 128));
	assert_memory_equal(data + 700, zeros, sizeof(zeros));
	ide_prd(&d, 0, DK_BUFFER, 2 * 2048, true);
	send_packet((const uint8_t[12]){0x28, 0, 0, 0, 1, 0xff, 0, 0, 2}, true, 0);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(dk_ram(&d, DK_BUFFER + 2048 + 696), dk_word(2049, 46));
	assert_int_equal(dk_ram(&d, DK_BUFFER + 2048 + 700), 0);
}

static void beyond_the_end_is_out_of_range(void **state)
{
	check_sense(PACKET(0x28, 0, 0, 0, 2, 1, 0, 0, 1), 0x052100);
	check_sense(PACKET(0x28, 0, 0, 0, 2, 0, 0, 0, 2), 0x052100);
	check_sense(PACKET(0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 0x052100);
	assert_int_equal(PACKET(0x28, 0, 0, 0, 2, 1, 0, 0, 0), 0);
	check_sense(PACKET(0xf7), 0x052000); /* no such command */
}

static void raw_sectors_have_sync_and_header(void **state)
{
	static const uint8_t head[16] = {0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0,	 0,    2,    5,	   1};

	assert_int_equal(PACKET(0xbe, 0, 0, 0, 0, 5, 0, 0, 1, 0xf8), 2352);
	assert_memory_equal(data, head, sizeof(head));
	check_data(data + 16, 5, 1);
	assert_int_equal(PACKET(0xbe, 0, 0, 0, 0, 5, 0, 0, 20, 0x10), 20 * 2048);
	check_data(data, 5, 20);
	assert_int_equal(PACKET(0xbe, 0, 0, 0, 0, 5, 0, 0, 20, 0xf8), 20 * 2352);
	check_data(data + 19 * 2352 + 16, 24, 1);
	assert_int_equal(PACKET(0xb9, 0, 0, 0, 2, 5, 0, 2, 6, 0x10), 2048); /* by minutes */
	check_data(data, 5, 1);
}

/* ---- what the disc and the drive tell ---- */

static void the_table_of_contents_has_a_track_and_the_lead_out(void **state)
{
	assert_int_equal(PACKET(0x43, 0, 0, 0, 0, 0, 0, 0, 100), 20);
	assert_int_equal(be(data, 2), 18);
	assert_int_equal(data[6], 1);
	assert_int_equal(data[5], 0x14);
	assert_int_equal(be(data + 8, 4), 0);
	assert_int_equal(data[14], 0xaa);
	assert_int_equal(be(data + 16, 4), CD_SECTORS);
	assert_int_equal(PACKET(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100), 12); /* in minutes */
	assert_int_equal(data[9], 0);
	assert_int_equal(data[10], (CD_SECTORS + 150) / 75);
	assert_int_equal(data[11], (CD_SECTORS + 150) % 75);
	assert_int_equal(PACKET(0x43, 0, 1, 0, 0, 0, 0, 0, 100), 12);
	assert_true(PACKET(0x43, 0, 2, 0, 0, 0, 0, 0, 100) > 40);
	check_sense(PACKET(0x43, 0, 0, 0, 0, 0, 9, 0, 100), 0x052400);
	check_sense(PACKET(0x43, 0, 5, 0, 0, 0, 0, 0, 100), 0x052400);
}

static void configurations_name_the_profile(void **state)
{
	assert_true(PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 200) > 16);
	assert_int_equal(be(data + 6, 2), 8); /* CD-ROM: it is that small */
	assert_int_equal(be(data + 8, 2), 0);
	assert_int_equal(PACKET(0x46, 2, 0, 0, 0, 0, 0, 0, 200), 8 + 12);
	assert_int_equal(PACKET(0x46, 0, 0, 0, 0, 0, 0, 0, 4), 4);
}

static void mode_pages_are_shown_and_changed(void **state)
{
	static const uint8_t select[12] = {0x55, 0x10, 0, 0, 0, 0, 0, 0, 16};
	uint8_t list[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0x20, 3};

	assert_true(PACKET(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100) >= 28);
	assert_int_equal(data[8] & 0x3f, 0x2a);
	send_packet(select, false, 0x8000);
	assert_int_equal(ide_wait(&d), DRQ);
	assert_int_equal(ide_in(&d, ATA_REG_COUNT), 0); /* data, to the device */
	ide_write_block(&d, list, sizeof(list));
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(PACKET(0x5a, 0, 1, 0, 0, 0, 0, 0, 100), 16);
	assert_int_equal(data[10], 0x20);
	assert_int_equal(data[11], 3);
}

/* ---- the tray ---- */

static void the_guest_opens_and_closes_the_tray(void **state)
{
	assert_int_equal(PACKET(0x1b, 0, 0, 0, 2), 0);
	check_sense(PACKET(0x00), 0x023a02);
	check_sense(PACKET(0x28, 0, 0, 0, 0, 0, 0, 0, 1), 0x023a02);
	assert_int_equal(PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	assert_int_equal(data[4], 3); /* media removal */
	assert_int_equal(data[5], 1); /* open */
	assert_int_equal(PACKET(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	assert_int_equal(PACKET(0x1b, 0, 0, 0, 3), 0);
	check_sense(PACKET(0x00), 0x062800);
	assert_int_equal(PACKET(0x00), 0);
	assert_int_equal(PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	assert_int_equal(data[4], 2); /* new media */
	assert_int_equal(data[5], 2);
	assert_int_equal(PACKET(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	assert_int_equal(data[4], 0); /* told once */
}

static void a_locked_tray_stays_shut(void **state)
{
	assert_int_equal(PACKET(0x1e, 0, 0, 0, 1), 0);
	check_sense(PACKET(0x1b, 0, 0, 0, 2), 0x055302);
	assert_int_equal(PACKET(0x00), 0);
	assert_int_equal(PACKET(0x1e, 0, 0, 0, 0), 0);
	assert_int_equal(PACKET(0x1b, 0, 0, 0, 2), 0);
}

static struct block_node *open_image(const char *path)
{
	struct error err = ERROR_INIT;
	struct block_node *node =
		drive_open_node(d.k->loop,
				json_pack("{s:s,s:b,s:{s:s,s:s}}", "driver", "raw", "read-only", 1,
					  "file", "driver", "file", "filename", path),
				false, &err);

	if (!node)
		fail_msg("%s", err.msg);
	return node;
}

static void take_out(struct block *b)
{
	struct error err = ERROR_INIT;

	assert_true(block_open_tray(b, true, &err));
	assert_true(block_take_medium_out(b, &err));
}

static void put_in(struct block *b, const char *path)
{
	struct error err = ERROR_INIT;

	assert_true(block_put_medium_in(b, open_image(path), &err));
	assert_true(block_close_tray(b, &err));
}

static void another_disc_is_a_changed_medium(void **state)
{
	struct block *b = dk_block("cd");

	take_out(b);
	check_sense(PACKET(0x00), 0x023a02);
	check_sense(PACKET(0x25), 0x023a02);
	put_in(b, dk_image(&d, 64 * 2048));
	check_sense(PACKET(0x00), 0x062800);
	assert_int_equal(PACKET(0x25), 8);
	assert_int_equal(be(data, 4), 63);
	check_sense(PACKET(0x28, 0, 0, 0, 0, 64, 0, 0, 1), 0x052100);
	assert_int_equal(PACKET(0x28, 0, 0, 0, 0, 63, 0, 0, 1), 2048);
}

static void a_disc_may_go_while_it_is_read(void **state)
{
	struct block *b = dk_block("cd");
	const char *path = dk_image(&d, 256 * 2048);

	ide_prd(&d, 0, DK_BUFFER, 0, true);
	for (unsigned i = 0; i < 20; i++) {
		send_packet((const uint8_t[12]){0x28, 0, 0, 0, 0, 0, 0, 0, 32}, i & 1, 0x800);
		if (i & 1)
			ide_start_dma(&d, true);
		dk_turn(&d, i % 4);
		take_out(b);
		ide_wait(&d);
		ide_out(&d, ATA_REG_COMMAND, ATA_CMD_DEVICE_RESET);
		dk_turn(&d, 2);
		ide_wait(&d);
		ide_stop_dma(&d);
		check_sense(PACKET(0x00), 0x023a02);
		put_in(b, path);
		check_sense(PACKET(0x00), 0x062800);
	}
}

static void an_empty_drive_says_so(void **state)
{
	dk_add(&d, &ide_cd_type, "empty", NULL, "bus", "ide.0", "unit", "1", NULL);
	ide_out(&d, ATA_REG_DEVICE, 0xb0);
	ide_out(&d, ATA_REG_FEATURE, 0);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_PACKET);
	ide_write_block(&d, (const uint8_t[12]){0}, 12);
	assert_true(ide_wait(&d) & ATA_STATUS_ERR);
	assert_int_equal(KEY(ide_in(&d, ATA_REG_ERROR)), 2);
}

/* ---- abuse ---- */

static void no_packet_does_harm(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	ide_prd(&d, 0, DK_BUFFER, 0, true);
	for (unsigned op = 0; op < 256; op++) {
		for (unsigned i = 0; i < 4; i++) {
			uint8_t cdb[12] = {op};

			for (unsigned n = 1; n < 12; n++) {
				seed = seed * 6364136223846793005 + 1442695040888963407;
				cdb[n] = i & 2 ? seed >> 56 : (seed >> 60 ? 0 : 1);
			}
			send_packet(cdb, i & 1, 0xfffe);
			if (i & 1)
				ide_start_dma(&d, true);
			dk_turn(&d, 1);
			ide_write_block(&d, cdb, 12);
			ide_read_block(&d, data, 256);
			ide_stop_dma(&d);
			ide_out(&d, ATA_REG_COMMAND, ATA_CMD_DEVICE_RESET);
			ide_wait(&d);
		}
	}
	PACKET(0x1e, 0, 0, 0, 0);
	PACKET(0x1b, 0, 0, 0, 3);
	PACKET(0x00);
	assert_int_equal(PACKET(0x00), 0);
}

static void save_and_load_goes_on_with_the_packet(void **state)
{
	unsigned total = 0;

	send_packet((const uint8_t[12]){0x28, 0, 0, 0, 0, 7, 0, 0, 40}, false, 2048);
	while (ide_wait(&d) & ATA_STATUS_DRQ) {
		if (total / 2048 % 7 == 3) {
			kit_save_load(cd);
			assert_int_equal(ide_wait(&d), DRQ);
		}
		ide_read_block(&d, data + total, 2048);
		total += 2048;
	}
	assert_int_equal(total, 40 * 2048);
	check_data(data, 7, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_device_has_its_signature),
		TEST(identify_packet_tells_of_the_drive),
		TEST(inquiry_names_it),
		TEST(the_capacity_counts_a_sector_that_is_there_in_part),
		TEST(pio_moves_as_much_at_a_time_as_the_host_says),
		TEST(a_limit_of_0_moves_nothing),
		TEST(dma_reads_into_memory),
		TEST(replies_go_by_dma_too),
		TEST(dma_outside_of_memory_ends_the_packet),
		TEST(a_part_of_a_sector_is_filled_up_with_zeros),
		TEST(beyond_the_end_is_out_of_range),
		TEST(raw_sectors_have_sync_and_header),
		TEST(the_table_of_contents_has_a_track_and_the_lead_out),
		TEST(configurations_name_the_profile),
		TEST(mode_pages_are_shown_and_changed),
		TEST(the_guest_opens_and_closes_the_tray),
		TEST(a_locked_tray_stays_shut),
		TEST(another_disc_is_a_changed_medium),
		TEST(a_disc_may_go_while_it_is_read),
		TEST(an_empty_drive_says_so),
		TEST(no_packet_does_harm),
		TEST(save_and_load_goes_on_with_the_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
