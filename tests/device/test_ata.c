/* SPDX-License-Identifier: BSD-2-Clause */
/* ATA disks on an IDE channel: registers, PIO, DMA, addresses of all kinds, errors, resets, and hosts that mean harm. */
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define DISK_BYTES (3 * MiB)
#define SECTORS	   (DISK_BYTES / 512)
#define GOOD	   0x50
#define DRQ	   0x58
#define FAILED	   0x51

#define BM_ACTIVE 0x01
#define BM_ERROR  0x02
#define BM_IRQ	  0x04

static struct disk_kit d;
static struct device *disk;
static const char *image;

static int setup(void **state)
{
	dk_init(&d, &machine_pc, 4 * MiB);
	image = dk_image(&d, DISK_BYTES);
	disk = dk_add(&d, &ide_hd_type, "disk", image, "bus", "ide.0", "unit", "0", NULL);
	ide_enable_dma(&d);
	return 0;
}

static int teardown(void **state)
{
	dk_fini(&d);
	return 0;
}

static void check_sectors(const void *buf, uint64_t lba, unsigned n)
{
	for (unsigned i = 0; i < n * 128; i++)
		assert_int_equal(ldn_le((const uint8_t *)buf + 4 * i, 4),
				 dk_word(lba + i / 128, i % 128));
}

static void check_ram(gpa_t gpa, uint64_t lba, unsigned n)
{
	for (unsigned i = 0; i < n * 128; i++)
		assert_int_equal(dk_ram(&d, gpa + 4 * i), dk_word(lba + i / 128, i % 128));
}

static void check_image(uint64_t lba, const void *buf, size_t bytes)
{
	uint8_t is[16 * 512];

	assert_true(bytes <= sizeof(is));
	dk_read_image(image, lba, is, bytes);
	assert_memory_equal(is, buf, bytes);
}

static void fill(uint8_t *buf, size_t bytes, unsigned seed)
{
	for (size_t i = 0; i < bytes; i++)
		buf[i] = (uint8_t)(i * 7 + seed + i / 512);
}

static void check_failed(uint8_t error)
{
	assert_int_equal(ide_wait(&d), FAILED);
	assert_int_equal(ide_in(&d, ATA_REG_ERROR), error);
}

/* ---- registers ---- */

static void after_a_reset_the_registers_have_the_signature(void **state)
{
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
	assert_int_equal(ide_in(&d, ATA_REG_ERROR), ATA_DIAG_GOOD);
	assert_int_equal(ide_in(&d, ATA_REG_COUNT), 1);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW), 1);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_MID), 0);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_HIGH), 0);
}

static void a_place_without_a_drive_reads_as_zeros(void **state)
{
	ide_out(&d, ATA_REG_DEVICE, 0xb0);
	for (unsigned reg = 0; reg < ATA_REGS; reg++)
		assert_int_equal(ide_in(&d, reg), 0);
	assert_int_equal(kit_in8(d.k, IDE_CTRL), 0);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_IDENTIFY);
	assert_false(ide_irq(&d));
	ide_out(&d, ATA_REG_DEVICE, 0xa0);
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
}

static void a_register_shows_what_was_before_by_hob(void **state)
{
	ide_out(&d, ATA_REG_LBA_LOW, 0x12);
	ide_out(&d, ATA_REG_LBA_LOW, 0x34);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW), 0x34);
	kit_out8(d.k, IDE_CTRL, ATA_CONTROL_HOB);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW), 0x12);
	ide_out(&d, ATA_REG_COUNT, 1); /* any write takes HOB back */
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW), 0x34);
}

static void identify_tells_of_the_drive(void **state)
{
	uint16_t id[256];

	ide_command28(&d, 0, ATA_CMD_IDENTIFY, 0, 0);
	assert_int_equal(ide_wait(&d), DRQ);
	assert_true(ide_irq(&d));
	assert_int_equal(ide_in(&d, ATA_REG_STATUS), DRQ);
	assert_false(ide_irq(&d));
	ide_read_block(&d, id, sizeof(id));
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
	assert_int_equal(id[0], 0x40);
	assert_int_equal(id[1], SECTORS / 16 / 63);
	assert_int_equal(id[3], 16);
	assert_int_equal(id[6], 63);
	assert_memory_equal(&id[27], "EQUMH RADDSI K", 14); /* bytes swapped */
	assert_int_equal(id[60] | id[61] << 16, SECTORS);
	assert_int_equal(id[100], SECTORS);
	assert_int_equal(id[83] & 0xc000, 0x4000);
	assert_true(id[83] & 0x0400); /* 48-bit addresses */
}

static void the_command_needs_no_interrupt_when_it_is_off(void **state)
{
	kit_out8(d.k, IDE_CTRL, ATA_CONTROL_NIEN);
	ide_command28(&d, 0, ATA_CMD_IDENTIFY, 0, 0);
	ide_wait(&d);
	assert_false(ide_irq(&d));
	kit_out8(d.k, IDE_CTRL, 0);
	assert_true(ide_irq(&d));
}

/* ---- PIO ---- */

static void pio_reads_a_sector_for_each_interrupt(void **state)
{
	uint8_t buf[512];

	ide_command28(&d, 0, ATA_CMD_READ_SECTORS, 5, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ide_wait(&d), DRQ);
		assert_true(ide_irq(&d));
		ide_in(&d, ATA_REG_STATUS);
		assert_false(ide_irq(&d));
		ide_read_block(&d, buf, sizeof(buf));
		check_sectors(buf, 5 + i, 1);
	}
	assert_int_equal(ide_wait(&d), GOOD);
	assert_false(ide_irq(&d)); /* none at the end */
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW), 7);
}

static void pio_reads_by_bytes_words_and_doublewords(void **state)
{
	ide_command28(&d, 0, ATA_CMD_READ_SECTORS, 9, 1);
	ide_wait(&d);
	assert_int_equal(kit_in32(d.k, IDE_DATA), dk_word(9, 0));
	assert_int_equal(kit_in16(d.k, IDE_DATA), dk_word(9, 1) & 0xffff);
	assert_int_equal(kit_in16(d.k, IDE_DATA), dk_word(9, 1) >> 16);
	assert_int_equal(kit_in8(d.k, IDE_DATA), dk_word(9, 2) & 0xff);
}

static void a_count_of_0_is_256_sectors(void **state)
{
	uint8_t buf[512];

	ide_command28(&d, 0, ATA_CMD_READ_SECTORS, 100, 0);
	for (unsigned i = 0; i < 256; i++) {
		assert_int_equal(ide_wait(&d), DRQ);
		ide_read_block(&d, buf, sizeof(buf));
		check_sectors(buf, 100 + i, 1);
	}
	assert_int_equal(ide_wait(&d), GOOD);
}

static void pio_writes_arrive_when_the_command_is_over(void **state)
{
	uint8_t buf[4 * 512];

	fill(buf, sizeof(buf), 1);
	ide_command28(&d, 0, ATA_CMD_WRITE_SECTORS, 40, 4);
	assert_int_equal(ide_wait(&d), DRQ);
	assert_false(ide_irq(&d)); /* the first block is not announced */
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(ide_wait(&d), DRQ);
		ide_write_block(&d, buf + 512 * i, 512);
		ide_wait(&d);
		assert_true(ide_irq(&d));
		ide_in(&d, ATA_REG_STATUS);
	}
	assert_int_equal(ide_wait(&d), GOOD);
	check_image(40, buf, sizeof(buf));
}

static void multiple_mode_moves_blocks_of_sectors(void **state)
{
	uint8_t buf[10 * 512];

	ide_command28(&d, 0, ATA_CMD_SET_MULTIPLE, 0, 4);
	assert_int_equal(ide_wait(&d), GOOD);
	ide_command28(&d, 0, ATA_CMD_READ_MULTIPLE, 20, 10);
	for (unsigned at = 0; at < 10; at += 4) {
		unsigned n = MIN(10 - at, 4u);

		assert_int_equal(ide_wait(&d), DRQ);
		ide_read_block(&d, buf + 512 * at, n * 512);
	}
	assert_int_equal(ide_wait(&d), GOOD);
	check_sectors(buf, 20, 10);
	fill(buf, sizeof(buf), 9);
	ide_command48(&d, 0, ATA_CMD_WRITE_MULTIPLE_EXT, 60, 10);
	for (unsigned at = 0; at < 10; at += 4) {
		assert_int_equal(ide_wait(&d), DRQ);
		ide_write_block(&d, buf + 512 * at, MIN(10 - at, 4u) * 512);
	}
	assert_int_equal(ide_wait(&d), GOOD);
	check_image(60, buf, sizeof(buf));
}

static void multiple_mode_takes_powers_of_2_up_to_16(void **state)
{
	for (unsigned n = 1; n < 256; n++) {
		bool good = n <= 16 && !(n & (n - 1));

		ide_command28(&d, 0, ATA_CMD_SET_MULTIPLE, 0, n);
		assert_int_equal(ide_wait(&d), good ? GOOD : FAILED);
	}
	ide_command28(&d, 0, ATA_CMD_SET_MULTIPLE, 0, 0); /* off */
	assert_int_equal(ide_wait(&d), GOOD);
	ide_command28(&d, 0, ATA_CMD_READ_MULTIPLE, 0, 1);
	check_failed(ATA_ERROR_ABRT);
}

/* ---- addresses ---- */

static void chs_addresses_go_by_the_translation_in_force(void **state)
{
	uint8_t buf[512];

	ide_out(&d, ATA_REG_DEVICE, 0xa7); /* 8 heads */
	ide_out(&d, ATA_REG_COUNT, 17);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_INITIALIZE_PARAMETERS);
	assert_int_equal(ide_wait(&d), GOOD);
	ide_out(&d, ATA_REG_DEVICE, 0xa3);
	ide_out(&d, ATA_REG_COUNT, 1);
	ide_out(&d, ATA_REG_LBA_LOW, 5);
	ide_out(&d, ATA_REG_LBA_MID, 9);
	ide_out(&d, ATA_REG_LBA_HIGH, 0);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_READ_SECTORS);
	assert_int_equal(ide_wait(&d), DRQ);
	ide_read_block(&d, buf, sizeof(buf));
	check_sectors(buf, (9 * 8 + 3) * 17 + 4, 1);
	for (unsigned bad = 0; bad < 2; bad++) { /* there are no sectors 0 and 18 */
		ide_out(&d, ATA_REG_LBA_LOW, bad ? 18 : 0);
		ide_out(&d, ATA_REG_COUNT, 1);
		ide_out(&d, ATA_REG_COMMAND, ATA_CMD_READ_SECTORS);
		check_failed(ATA_ERROR_IDNF);
	}
}

static void lba48_reaches_what_lba28_does(void **state)
{
	uint8_t buf[512];

	ide_command48(&d, 0, ATA_CMD_READ_SECTORS_EXT, SECTORS - 1, 1);
	assert_int_equal(ide_wait(&d), DRQ);
	ide_read_block(&d, buf, sizeof(buf));
	check_sectors(buf, SECTORS - 1, 1);
	ide_command48(&d, 0, ATA_CMD_READ_NATIVE_MAX_EXT, 0, 0);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW) | ide_in(&d, ATA_REG_LBA_MID) << 8,
			 SECTORS - 1);
}

static void beyond_the_end_no_address_is_found(void **state)
{
	ide_command28(&d, 0, ATA_CMD_READ_SECTORS, SECTORS, 1);
	check_failed(ATA_ERROR_IDNF);
	ide_command28(&d, 0, ATA_CMD_READ_SECTORS, SECTORS - 1, 2);
	check_failed(ATA_ERROR_IDNF);
	ide_command28(&d, 0, ATA_CMD_WRITE_DMA, SECTORS, 1);
	check_failed(ATA_ERROR_IDNF);
	ide_command48(&d, 0, ATA_CMD_READ_DMA_EXT, (1ull << 48) - 1, 0);
	check_failed(ATA_ERROR_IDNF);
	ide_command48(&d, 0, ATA_CMD_VERIFY_EXT, SECTORS - 5, 6);
	check_failed(ATA_ERROR_IDNF);
	ide_command48(&d, 0, ATA_CMD_VERIFY_EXT, SECTORS - 5, 5);
	assert_int_equal(ide_wait(&d), GOOD);
}

/* ---- DMA ---- */

static void dma_scatters_what_it_reads(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 512, false);
	ide_prd(&d, 1, DK_BUFFER + 0x1000, 1024, false);
	ide_prd(&d, 2, DK_BUFFER + 0x3000, 2560, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 77, 8);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_true(ide_irq(&d));
	assert_int_equal(ide_bm_status(&d), 0x60 | BM_IRQ);
	ide_stop_dma(&d);
	check_ram(DK_BUFFER, 77, 1);
	check_ram(DK_BUFFER + 0x1000, 78, 2);
	check_ram(DK_BUFFER + 0x3000, 80, 5);
}

static void dma_pieces_need_not_be_sectors(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 2, false);
	ide_prd(&d, 1, DK_BUFFER + 2, 600, false);
	ide_prd(&d, 2, DK_BUFFER + 602, 422, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 3, 2);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	check_ram(DK_BUFFER, 3, 2);
}

static void dma_writes_in_requests_as_large_as_they_come(void **state)
{
	uint8_t buf[16 * 512];

	fill(buf, sizeof(buf), 3);
	for (unsigned i = 0; i < sizeof(buf); i += 4)
		dk_set_ram(&d, DK_BUFFER + i, ldn_le(buf + i, 4));
	ide_prd(&d, 0, DK_BUFFER, 0x1800, false);
	ide_prd(&d, 1, DK_BUFFER + 0x1800, 0x800, true);
	ide_command48(&d, 0, ATA_CMD_WRITE_DMA_EXT, 300, 16);
	ide_start_dma(&d, false);
	assert_int_equal(ide_wait(&d), GOOD);
	check_image(300, buf, sizeof(buf));
	ide_command28(&d, 0, ATA_CMD_FLUSH, 0, 0);
	assert_int_equal(ide_wait(&d), GOOD);
}

static void a_length_of_0_is_64_kib(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 0, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 1000, 128);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	check_ram(DK_BUFFER, 1000, 128);
}

static void the_bus_master_may_be_started_before_the_command(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 512, true);
	ide_start_dma(&d, true);
	assert_int_equal(ide_bm_status(&d), 0x60 | BM_ACTIVE);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 8, 1);
	assert_int_equal(ide_wait(&d), GOOD);
	check_ram(DK_BUFFER, 8, 1);
}

static void a_table_longer_than_the_transfer_leaves_it_active(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 512, false);
	ide_prd(&d, 1, DK_BUFFER + 512, 512, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 8, 1);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(ide_bm_status(&d), 0x60 | BM_IRQ | BM_ACTIVE);
	ide_stop_dma(&d);
	assert_int_equal(ide_bm_status(&d), 0x60 | BM_IRQ);
}

static void a_table_shorter_than_the_transfer_ends_it(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 1024, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 8, 4);
	ide_start_dma(&d, true);
	assert_true(ide_wait(&d) & ATA_STATUS_ERR);
	assert_int_equal(ide_bm_status(&d) & (BM_ACTIVE | BM_IRQ), 0);
	check_ram(DK_BUFFER, 8, 2);
}

static void dma_needs_bus_master_enable(void **state)
{
	pci_config_write(d.k->m->pci, 0, PCI_DEVFN(1, 1), PCI_COMMAND, PCI_COMMAND_IO, 2);
	ide_prd(&d, 0, DK_BUFFER, 512, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 8, 1);
	ide_start_dma(&d, true);
	dk_turn(&d, 5);
	assert_int_equal(kit_in8(d.k, IDE_CTRL), DRQ);
	assert_int_equal(dk_ram(&d, DK_BUFFER), 0);
	pci_config_write(d.k->m->pci, 0, PCI_DEVFN(1, 1), PCI_COMMAND,
			 PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
	assert_int_equal(ide_wait(&d), GOOD);
	check_ram(DK_BUFFER, 8, 1);
}

static void dma_outside_of_memory_is_an_error_on_the_bus(void **state)
{
	static const uint32_t bad[] = {0xf0000000, 0xfffffe00, 0x003fff00, 0x000a0000};

	for (unsigned write = 0; write < 2; write++) {
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			ide_prd(&d, 0, bad[i], 512, true);
			ide_command28(&d, 0, write ? ATA_CMD_WRITE_DMA : ATA_CMD_READ_DMA, 8, 1);
			ide_start_dma(&d, !write);
			check_failed(ATA_ERROR_ABRT);
			assert_true(ide_bm_status(&d) & BM_ERROR);
			assert_false(ide_bm_status(&d) & BM_ACTIVE);
			ide_stop_dma(&d);
		}
	}
	/* The table itself too. */
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 8, 1);
	kit_out8(d.k, BM_PORT + 2, 0x66);
	kit_out32(d.k, BM_PORT + 4, 0xf0000000);
	kit_out8(d.k, BM_PORT, 9);
	check_failed(ATA_ERROR_ABRT);
	assert_true(ide_bm_status(&d) & BM_ERROR);
}

/* A table never marked as ended, of the shortest pieces, is read as far as the transfer needs it. */
static void a_table_without_an_end_ends(void **state)
{
	for (unsigned i = 0; i < 8192; i++)
		ide_prd(&d, i, DK_BUFFER, 2, false);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 0, 200);
	ide_start_dma(&d, true);
	assert_true(ide_wait(&d) & ATA_STATUS_ERR); /* 64 KiB of table hold 16 KiB */
	ide_stop_dma(&d);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 0, 16);
	ide_start_dma(&d, true);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(dk_ram(&d, DK_BUFFER) & 0xffff, dk_word(15, 127) >> 16);
}

/* The device writes over its own table; what it had read of that holds. */
static void dma_onto_its_own_table_is_only_dma(void **state)
{
	ide_prd(&d, 0, DK_PRDT, 512, false);
	ide_prd(&d, 1, DK_BUFFER, 512, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 8, 2);
	ide_start_dma(&d, true);
	assert_false(ide_wait(&d) & ATA_STATUS_BSY);
	check_ram(DK_PRDT, 8, 1);
}

/* ---- resets ---- */

static bool is_idle(struct disk_kit *kit)
{
	return ide_wait(kit) == GOOD;
}

static void a_reset_during_dma_waits_for_what_is_out(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 0, true);
	for (unsigned i = 0; i < 20; i++) {
		ide_command28(&d, 0, i & 1 ? ATA_CMD_READ_DMA : ATA_CMD_WRITE_DMA, 0, 128);
		ide_start_dma(&d, i & 1);
		dk_turn(&d, i % 3);
		kit_out8(d.k, IDE_CTRL, ATA_CONTROL_SRST);
		assert_int_equal(kit_in8(d.k, IDE_CTRL), ATA_STATUS_BSY);
		kit_out8(d.k, IDE_CTRL, 0);
		dk_until(&d, is_idle);
		ide_stop_dma(&d);
		assert_false(ide_irq(&d));
		after_a_reset_the_registers_have_the_signature(state);
		identify_tells_of_the_drive(state);
	}
}

static void the_machine_may_be_reset_while_a_request_is_out(void **state)
{
	for (unsigned i = 0; i < 10; i++) {
		ide_enable_dma(&d);
		ide_prd(&d, 0, DK_BUFFER, 0, true);
		ide_command28(&d, 0, ATA_CMD_READ_DMA, 0, 128);
		ide_start_dma(&d, true);
		list_for_each(it, &d.k->m->devices)
			device_reset(list_entry(it, struct device, node));
		dk_until(&d, is_idle);
	}
	ide_enable_dma(&d);
	dma_scatters_what_it_reads(state);
}

static void a_drive_may_go_while_a_request_is_out(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 0, true);
	ide_command28(&d, 0, ATA_CMD_READ_DMA, 0, 128);
	ide_start_dma(&d, true);
	device_unrealize(disk);
	assert_int_equal(kit_in8(d.k, IDE_CTRL), 0);
	dk_turn(&d, 20);
}

static void the_bus_master_may_be_stopped_and_started_at_any_time(void **state)
{
	ide_prd(&d, 0, DK_BUFFER, 512, false);
	ide_prd(&d, 1, DK_BUFFER + 512, 0xfe00, true);
	for (unsigned i = 0; i < 40; i++) {
		ide_command28(&d, 0, ATA_CMD_READ_DMA, 0, 128);
		ide_start_dma(&d, true);
		dk_turn(&d, i % 2);
		ide_stop_dma(&d);
		ide_start_dma(&d, true);
		dk_turn(&d, 1);
		kit_out8(d.k, IDE_CTRL, ATA_CONTROL_SRST);
		kit_out8(d.k, IDE_CTRL, 0);
		dk_until(&d, is_idle);
		ide_stop_dma(&d);
	}
}

/* ---- everything else ---- */

static void save_and_load_goes_on_with_the_command(void **state)
{
	uint8_t buf[512];

	ide_command28(&d, 0, ATA_CMD_READ_SECTORS, 30, 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(ide_wait(&d), DRQ);
		if (i % 16 == 7) {
			kit_save_load(disk);
			assert_int_equal(ide_wait(&d), DRQ);
		}
		ide_read_block(&d, buf, sizeof(buf));
		check_sectors(buf, 30 + i, 1);
	}
	assert_int_equal(ide_wait(&d), GOOD);
}

static void registers_are_not_written_while_data_are_due(void **state)
{
	ide_command28(&d, 0, ATA_CMD_IDENTIFY, 0, 0);
	ide_wait(&d);
	ide_out(&d, ATA_REG_COUNT, 0x77);
	assert_int_not_equal(ide_in(&d, ATA_REG_COUNT), 0x77);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_READ_SECTORS); /* nor is there another command */
	assert_int_equal(ide_wait(&d), DRQ);
}

static void flushes_power_and_features_are_known(void **state)
{
	static const uint8_t good[] = {
		ATA_CMD_FLUSH,	    ATA_CMD_FLUSH_EXT,	      ATA_CMD_STANDBY_IMMEDIATE,
		ATA_CMD_IDLE,	    ATA_CMD_CHECK_POWER_MODE, ATA_CMD_SLEEP,
		ATA_CMD_RECALIBRATE};

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		ide_command28(&d, 0, good[i], 0, 0);
		assert_int_equal(ide_wait(&d), GOOD);
		assert_true(ide_irq(&d));
	}
	ide_out(&d, ATA_REG_FEATURE, 3);
	ide_command28(&d, 0, ATA_CMD_SET_FEATURES, 0, 0x22); /* multiword DMA mode 2 */
	assert_int_equal(ide_wait(&d), GOOD);
	ide_out(&d, ATA_REG_FEATURE, 3);
	ide_command28(&d, 0, ATA_CMD_SET_FEATURES, 0, 0x7f);
	check_failed(ATA_ERROR_ABRT);
	ide_out(&d, ATA_REG_FEATURE, 0x82); /* write cache off */
	ide_command28(&d, 0, ATA_CMD_SET_FEATURES, 0, 0);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_false(block_write_cache(dk_block("disk")));
}

static void smart_says_that_all_is_well(void **state)
{
	uint8_t page[512], sum = 0;

	ide_out(&d, ATA_REG_FEATURE, 0xda);
	ide_command28(&d, 0, ATA_CMD_SMART, 0xc24f00, 0);
	assert_int_equal(ide_wait(&d), GOOD);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_MID), 0x4f);
	ide_out(&d, ATA_REG_FEATURE, 0xd0);
	ide_command28(&d, 0, ATA_CMD_SMART, 0xc24f00, 1);
	assert_int_equal(ide_wait(&d), DRQ);
	ide_read_block(&d, page, sizeof(page));
	for (unsigned i = 0; i < sizeof(page); i++)
		sum += page[i];
	assert_int_equal(sum, 0);
	ide_out(&d, ATA_REG_FEATURE, 0xd0);
	ide_command28(&d, 0, ATA_CMD_SMART, 0, 1); /* without the key */
	check_failed(ATA_ERROR_ABRT);
}

/* Whatever a command is, the channel is usable after a reset. */
static void no_command_byte_does_harm(void **state)
{
	static const uint32_t lbas[] = {0, 1, 0x0fffffff};
	uint8_t sector[512] = {0};

	for (unsigned command = 0; command < 256; command++) {
		for (unsigned i = 0; i < ARRAY_SIZE(lbas); i++) {
			ide_prd(&d, 0, DK_BUFFER, 0, true);
			ide_out(&d, ATA_REG_FEATURE, i ? command : 1);
			ide_command28(&d, i & 1, command, lbas[i], i);
			ide_start_dma(&d, i & 1);
			dk_turn(&d, 2);
			ide_write_block(&d, sector, 64);
			ide_read_block(&d, sector, 64);
			ide_stop_dma(&d);
			kit_out8(d.k, IDE_CTRL, ATA_CONTROL_SRST);
			kit_out8(d.k, IDE_CTRL, 0);
			ide_out(&d, ATA_REG_DEVICE, 0xa0);
			dk_until(&d, is_idle);
		}
	}
	identify_tells_of_the_drive(state);
}

static void two_drives_of_a_cable_answer_one_at_a_time(void **state)
{
	const char *other = dk_image(&d, 1 * MiB);
	uint8_t buf[512];

	dk_add(&d, &ide_hd_type, "second", other, "bus", "ide.0", NULL);
	ide_command28(&d, 1, ATA_CMD_READ_SECTORS, 2047, 1);
	assert_int_equal(ide_wait(&d), DRQ);
	assert_true(ide_irq(&d));
	ide_out(&d, ATA_REG_DEVICE, 0xe0); /* the other one's status and interrupt */
	assert_int_equal(kit_in8(d.k, IDE_CTRL), GOOD);
	assert_false(ide_irq(&d));
	ide_out(&d, ATA_REG_DEVICE, 0xf0);
	assert_true(ide_irq(&d));
	ide_read_block(&d, buf, sizeof(buf));
	check_sectors(buf, 2047, 1);
	ide_command28(&d, 1, ATA_CMD_READ_SECTORS, 2048, 1);
	check_failed(ATA_ERROR_IDNF);
	ide_out(&d, ATA_REG_COMMAND, ATA_CMD_DIAGNOSTIC); /* it speaks for both */
	assert_int_equal(ide_in(&d, ATA_REG_ERROR), ATA_DIAG_GOOD);
	assert_int_equal(ide_in(&d, ATA_REG_DEVICE) & ATA_DEVICE_DEV, 0);
	ide_out(&d, ATA_REG_DEVICE, 0xf0); /* but its signature has each of them */
	assert_int_equal(ide_in(&d, ATA_REG_COUNT), 1);
	assert_int_equal(ide_in(&d, ATA_REG_LBA_LOW), 1);
	assert_int_equal(ide_in(&d, ATA_REG_ERROR), ATA_DIAG_GOOD);
}

static void the_geometry_is_in_cmos(void **state)
{
	uint32_t cyls, heads, secs;
	enum ata_translation translation;

	assert_true(ide_geometry(d.k->m, 0, 0, &cyls, &heads, &secs, &translation));
	assert_int_equal(cyls, SECTORS / 16 / 63);
	assert_int_equal(heads, 16);
	assert_int_equal(secs, 63);
	assert_int_equal(translation, ATA_TRANSLATE_NONE);
	assert_false(ide_geometry(d.k->m, 0, 1, &cyls, &heads, &secs, &translation));
	assert_false(ide_geometry(d.k->m, 7, 0, &cyls, &heads, &secs, &translation));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(after_a_reset_the_registers_have_the_signature),
		TEST(a_place_without_a_drive_reads_as_zeros),
		TEST(a_register_shows_what_was_before_by_hob),
		TEST(identify_tells_of_the_drive),
		TEST(the_command_needs_no_interrupt_when_it_is_off),
		TEST(pio_reads_a_sector_for_each_interrupt),
		TEST(pio_reads_by_bytes_words_and_doublewords),
		TEST(a_count_of_0_is_256_sectors),
		TEST(pio_writes_arrive_when_the_command_is_over),
		TEST(multiple_mode_moves_blocks_of_sectors),
		TEST(multiple_mode_takes_powers_of_2_up_to_16),
		TEST(chs_addresses_go_by_the_translation_in_force),
		TEST(lba48_reaches_what_lba28_does),
		TEST(beyond_the_end_no_address_is_found),
		TEST(dma_scatters_what_it_reads),
		TEST(dma_pieces_need_not_be_sectors),
		TEST(dma_writes_in_requests_as_large_as_they_come),
		TEST(a_length_of_0_is_64_kib),
		TEST(the_bus_master_may_be_started_before_the_command),
		TEST(a_table_longer_than_the_transfer_leaves_it_active),
		TEST(a_table_shorter_than_the_transfer_ends_it),
		TEST(dma_needs_bus_master_enable),
		TEST(dma_outside_of_memory_is_an_error_on_the_bus),
		TEST(a_table_without_an_end_ends),
		TEST(dma_onto_its_own_table_is_only_dma),
		TEST(a_reset_during_dma_waits_for_what_is_out),
		TEST(the_machine_may_be_reset_while_a_request_is_out),
		TEST(a_drive_may_go_while_a_request_is_out),
		TEST(the_bus_master_may_be_stopped_and_started_at_any_time),
		TEST(save_and_load_goes_on_with_the_command),
		TEST(registers_are_not_written_while_data_are_due),
		TEST(flushes_power_and_features_are_known),
		TEST(smart_says_that_all_is_well),
		TEST(no_command_byte_does_harm),
		TEST(two_drives_of_a_cable_answer_one_at_a_time),
		TEST(the_geometry_is_in_cmos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
