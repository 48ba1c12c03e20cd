/* SPDX-License-Identifier: BSD-2-Clause */
/* AHCI: command lists, received frames, queued commands, packets, errors and resets; and lists that mean harm. */
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define DISK_BYTES (3 * MiB)
#define SECTORS	   (DISK_BYTES / 512)
#define ABAR	   0xfe000000u
#define AHCI_DEVFN PCI_DEVFN(31, 2)

#define CLB    0x10000u
#define FB     0x11000u
#define TABLES 0x20000u /* 4 KiB each, by slot */
#define BUFFER 0x200000u

#define GHC    0x04
#define HBA_IS 0x08
#define PX(n)  (0x100 + 0x80 * (n))
#define P_CLB  0x00
#define P_FB   0x08
#define P_IS   0x10
#define P_IE   0x14
#define P_CMD  0x18
#define P_TFD  0x20
#define P_SIG  0x24
#define P_SSTS 0x28
#define P_SCTL 0x2c
#define P_SERR 0x30
#define P_SACT 0x34
#define P_CI   0x38

#define CMD_START   0x11 /* ST, FRE */
#define CMD_RUNNING 0xc000
#define IS_DHRS	    0x01
#define IS_PSS	    0x02
#define IS_SDBS	    0x08
#define IS_PCS	    0x40
#define IS_OFS	    0x01000000
#define IS_HBFS	    0x20000000
#define IS_TFES	    0x40000000

#define HEADER_ATAPI 0x20
#define HEADER_WRITE 0x40

static struct disk_kit d;
static struct device *disk, *cd;
static const char *image;
static unsigned port; /* that the helpers use */

static uint32_t reg(unsigned offset)
{
	return dk_ram(&d, ABAR + offset);
}

static void set_reg(unsigned offset, uint32_t value)
{
	dk_set_ram(&d, ABAR + offset, value);
}

static uint32_t p_reg(unsigned offset)
{
	return reg(PX(port) + offset);
}

static void set_p_reg(unsigned offset, uint32_t value)
{
	set_reg(PX(port) + offset, value);
}

static void set_command(uint16_t value)
{
	pci_config_write(d.k->m->pci, 0, AHCI_DEVFN, PCI_COMMAND, value, 2);
}

static void start_port(void)
{
	set_p_reg(P_CLB, CLB);
	set_p_reg(P_CLB + 4, 0);
	set_p_reg(P_FB, FB);
	set_p_reg(P_FB + 4, 0);
	set_p_reg(P_SERR, UINT32_MAX);
	set_p_reg(P_IS, UINT32_MAX);
	set_p_reg(P_IE, 0x7fffffff);
	set_p_reg(P_CMD, CMD_START);
}

static int setup(void **state)
{
	port = 0;
	dk_init(&d, &machine_q35, 4 * MiB);
	image = dk_image(&d, DISK_BYTES);
	disk = dk_add(&d, &ide_hd_type, "disk", image, "bus", "ide.0", NULL);
	cd = dk_add(&d, &ide_cd_type, "cd", dk_image(&d, 1 * MiB), "bus", "ide.1", NULL);
	pci_config_write(d.k->m->pci, 0, AHCI_DEVFN, PCI_BAR0 + 20, ABAR, 4);
	set_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_reg(GHC, 2);
	start_port();
	return 0;
}

static int teardown(void **state)
{
	dk_fini(&d);
	return 0;
}

/* ---- commands ---- */

static uint32_t table_of(unsigned slot)
{
	return TABLES + slot * 0x1000;
}

static void put_header(unsigned slot, uint32_t flags, unsigned prds)
{
	dk_set_ram(&d, CLB + 32 * slot, flags | prds << 16);
	dk_set_ram(&d, CLB + 32 * slot + 4, 0);
	dk_set_ram(&d, CLB + 32 * slot + 8, table_of(slot));
	dk_set_ram(&d, CLB + 32 * slot + 12, 0);
}

static void put_prd(unsigned slot, unsigned n, uint64_t addr, uint32_t bytes)
{
	gpa_t at = table_of(slot) + 0x80 + 16 * n;

	dk_set_ram(&d, at, addr);
	dk_set_ram(&d, at + 4, addr >> 32);
	dk_set_ram(&d, at + 8, 0);
	dk_set_ram(&d, at + 12, bytes - 1);
}

static void put_frame(unsigned slot, uint8_t command, uint64_t lba, uint16_t count,
		      uint16_t feature)
{
	gpa_t at = table_of(slot);

	dk_set_ram(&d, at, 0x8027 | command << 16 | (uint32_t)feature << 24);
	dk_set_ram(&d, at + 4, (lba & 0xffffff) | 0x40000000);
	dk_set_ram(&d, at + 8, (uint32_t)(lba >> 24) | (uint32_t)(feature >> 8) << 24);
	dk_set_ram(&d, at + 12, count);
	dk_set_ram(&d, at + 16, 0);
}

static void issue(uint32_t slots)
{
	set_p_reg(P_CI, slots);
}

static bool commands_are_over(struct disk_kit *kit)
{
	return (!p_reg(P_CI) && !p_reg(P_SACT)) || (p_reg(P_IS) & IS_TFES);
}

static void finish(void)
{
	dk_until(&d, commands_are_over);
}

static bool irq(void)
{
	for (unsigned gsi = 0; gsi < MACHINE_GSIS; gsi++)
		if (gsi >= 16 && d.k->m->gsi[gsi].level)
			return true;
	return false;
}

/* One sector or more by DMA into BUFFER, in slot 0. */
static void read_dma(uint64_t lba, unsigned n)
{
	put_header(0, 5, 1);
	put_prd(0, 0, BUFFER, n * 512);
	put_frame(0, ATA_CMD_READ_DMA_EXT, lba, n, 0);
	issue(1);
}

static void check_ram(gpa_t gpa, uint64_t lba, unsigned n)
{
	for (unsigned i = 0; i < n * 128; i++)
		assert_int_equal(dk_ram(&d, gpa + 4 * i), dk_word(lba + i / 128, i % 128));
}

/* Out of an error, as drivers do it (6.2.2.1). */
static void recover(void)
{
	set_p_reg(P_CMD, 0x10);
	assert_false(p_reg(P_CMD) & 0x8000);
	set_p_reg(P_SERR, UINT32_MAX);
	set_p_reg(P_IS, UINT32_MAX);
	set_p_reg(P_CMD, CMD_START);
}

static bool is_ready(struct disk_kit *kit)
{
	return !(p_reg(P_TFD) & 0x88);
}

static void comreset(void)
{
	set_p_reg(P_CMD, 0x10);
	set_p_reg(P_SCTL, 1);
	set_p_reg(P_SCTL, 0);
	dk_until(&d, is_ready);
	start_port();
}

/* ---- registers ---- */

static void the_hba_says_what_it_is(void **state)
{
	assert_int_equal(reg(0x00), 0xc1249f05);
	assert_int_equal(reg(0x0c), 0x3f);
	assert_int_equal(reg(0x10), 0x10200);
	assert_int_equal(reg(GHC), 0x80000002);
	assert_int_equal(as_read(&d.k->m->mem, ABAR + 1, 1), 0x9f); /* narrow reads work */
	as_write(&d.k->m->mem, ABAR + GHC, 0, 1);		    /* narrow writes don't */
	assert_int_equal(reg(GHC), 0x80000002);
}

static void the_registers_are_behind_two_ports_too(void **state)
{
	const uint16_t ports = 0xc100;

	assert_int_equal(pci_config_read(d.k->m->pci, 0, PCI_DEVFN(31, 2), 0xa8, 4) & 0xffff00ff,
			 0x00100012);
	assert_int_equal(pci_config_read(d.k->m->pci, 0, PCI_DEVFN(31, 2), 0xac, 4), 0x48);
	pci_config_write(d.k->m->pci, 0, PCI_DEVFN(31, 2), PCI_BAR0 + 16, 0xffffffff, 4);
	assert_int_equal(pci_config_read(d.k->m->pci, 0, PCI_DEVFN(31, 2), PCI_BAR0 + 16, 4),
			 0xffffffe1);
	pci_config_write(d.k->m->pci, 0, PCI_DEVFN(31, 2), PCI_BAR0 + 16, ports, 4);
	pci_config_write(d.k->m->pci, 0, PCI_DEVFN(31, 2), PCI_COMMAND, 7, 2);
	assert_int_equal(kit_in32(d.k, ports + 0x14), 0xc1249f05);
	kit_out32(d.k, ports + 0x10, 0xffffff00 | GHC);
	assert_int_equal(kit_in32(d.k, ports + 0x10), 0x700 | GHC);
	kit_out32(d.k, ports + 0x10, GHC);
	kit_out32(d.k, ports + 0x14, 0);
	assert_int_equal(reg(GHC), 0x80000000);
	kit_out32(d.k, ports + 0x10, 0x100 + P_SIG);
	assert_int_equal(kit_in32(d.k, ports + 0x14), 0x101);
	kit_out32(d.k, ports + 0x10, 0x7fc); /* no such port */
	kit_out32(d.k, ports + 0x14, 0xffffffff);
	assert_int_equal(kit_in32(d.k, ports + 0x14), 0);
	assert_int_equal(kit_in32(d.k, ports), 0);
}

static void a_port_shows_what_is_on_it(void **state)
{
	assert_int_equal(p_reg(P_SSTS), 0x123);
	assert_int_equal(p_reg(P_SIG), 0x101);
	assert_int_equal(p_reg(P_TFD), 0x150);
	assert_int_equal(p_reg(P_CMD) & CMD_RUNNING, CMD_RUNNING);
	port = 1;
	assert_int_equal(p_reg(P_SIG), 0xeb140101);
	port = 2;
	assert_int_equal(p_reg(P_SSTS), 0);
	assert_int_equal(p_reg(P_TFD) & 0xff, 0x7f);
	set_p_reg(P_CMD, CMD_START);
	issue(0xffffffff); /* into the void */
	assert_int_equal(p_reg(P_CI), 0xffffffff);
}

static void lists_lie_on_their_boundaries(void **state)
{
	set_p_reg(P_CMD, 0);
	set_p_reg(P_CLB, 0xffffffff);
	set_p_reg(P_FB, 0xffffffff);
	assert_int_equal(p_reg(P_CLB), 0xfffffc00);
	assert_int_equal(p_reg(P_FB), 0xffffff00);
}

static void nothing_is_asked_of_a_stopped_port(void **state)
{
	set_p_reg(P_CMD, 0x10);
	issue(1);
	set_p_reg(P_SACT, 1);
	assert_int_equal(p_reg(P_CI), 0);
	assert_int_equal(p_reg(P_SACT), 0);
}

/* ---- commands ---- */

static void a_command_moves_its_data_and_sends_a_frame(void **state)
{
	put_header(0, 5, 2);
	put_prd(0, 0, BUFFER, 1024);
	put_prd(0, 1, BUFFER + 0x1000, 3072);
	put_frame(0, ATA_CMD_READ_DMA_EXT, 33, 8, 0);
	issue(1);
	finish();
	check_ram(BUFFER, 33, 2);
	check_ram(BUFFER + 0x1000, 35, 6);
	assert_int_equal(dk_ram(&d, CLB + 4), 4096); /* PRDBC */
	assert_int_equal(p_reg(P_IS), IS_DHRS);
	assert_int_equal(reg(HBA_IS), 1);
	assert_true(irq());
	assert_int_equal(dk_ram(&d, FB + 0x40), 0x00504034);
	set_reg(HBA_IS, 1); /* the port still has something */
	assert_int_equal(reg(HBA_IS), 1);
	set_p_reg(P_IS, IS_DHRS);
	set_reg(HBA_IS, 1);
	assert_int_equal(reg(HBA_IS), 0);
	assert_false(irq());
}

static void writes_arrive(void **state)
{
	uint8_t is[1024];

	for (unsigned i = 0; i < 256; i++)
		dk_set_ram(&d, BUFFER + 4 * i, i * 77);
	put_header(3, 5 | HEADER_WRITE, 1);
	put_prd(3, 0, BUFFER, 1024);
	put_frame(3, ATA_CMD_WRITE_DMA_EXT, 50, 2, 0);
	issue(8);
	finish();
	dk_read_image(image, 50, is, sizeof(is));
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(ldn_le(is + 4 * i, 4), i * 77);
}

static void pio_is_announced_by_its_own_frame(void **state)
{
	put_header(0, 5, 1);
	put_prd(0, 0, BUFFER, 512);
	put_frame(0, ATA_CMD_IDENTIFY, 0, 0, 0);
	issue(1);
	finish();
	assert_int_equal(p_reg(P_IS), IS_PSS);
	assert_int_equal(dk_ram(&d, FB + 0x20), 0x0058605f);
	assert_int_equal(dk_ram(&d, FB + 0x2c) >> 24, 0x50); /* E_STATUS */
	assert_int_equal(dk_ram(&d, FB + 0x30) & 0xffff, 512);
	assert_int_equal(dk_ram(&d, BUFFER) & 0xffff, 0x40);
	assert_int_equal(dk_ram(&d, BUFFER + 2 * 76) & 0xffff, 0x106); /* queueing */
	assert_int_equal(dk_ram(&d, BUFFER + 2 * 60), SECTORS);
}

static void pio_of_many_sectors_both_ways(void **state)
{
	uint8_t is[512];

	put_header(0, 5, 1);
	put_prd(0, 0, BUFFER, 200 * 512);
	put_frame(0, ATA_CMD_READ_SECTORS_EXT, 10, 200, 0);
	issue(1);
	finish();
	check_ram(BUFFER, 10, 200);
	assert_int_equal(dk_ram(&d, CLB + 4), 200 * 512);
	for (unsigned i = 0; i < 100 * 128; i++)
		dk_set_ram(&d, BUFFER + 4 * i, ~i);
	put_header(0, 5 | HEADER_WRITE, 1);
	put_frame(0, ATA_CMD_WRITE_MULTIPLE_EXT, 10, 100, 0);
	issue(1);
	finish();
	assert_int_equal(p_reg(P_TFD) & 0xff, 0x50);
	dk_read_image(image, 109, is, sizeof(is));
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(ldn_le(is + 4 * i, 4), (uint32_t) ~(i + 99 * 128));
}

static void slots_are_done_one_after_the_other(void **state)
{
	for (unsigned slot = 0; slot < 32; slot++) {
		put_header(slot, 5, 1);
		put_prd(slot, 0, BUFFER + slot * 512, 512);
		put_frame(slot, ATA_CMD_READ_DMA_EXT, 100 + slot, 1, 0);
	}
	issue(0xffffffff);
	finish();
	check_ram(BUFFER, 100, 32);
}

static void queued_commands_run_side_by_side(void **state)
{
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned slot = 0; slot < 32; slot++) {
			put_header(slot, 5, 1);
			put_prd(slot, 0, BUFFER + slot * 4096, 4096);
			put_frame(slot, ATA_CMD_READ_FPDMA_QUEUED, 1000 * round + slot * 8,
				  slot << 3, 8);
		}
		set_p_reg(P_SACT, 0xffffffff);
		issue(0xffffffff);
		assert_int_equal(p_reg(P_CI), 0); /* the device has them all */
		finish();
		check_ram(BUFFER, 1000 * round, 256);
		assert_true(p_reg(P_IS) & IS_SDBS);
		assert_false(p_reg(P_IS) & IS_TFES);
		assert_int_equal(dk_ram(&d, FB + 0x58), 0x005040a1);
	}
}

static void queued_writes_arrive(void **state)
{
	uint8_t is[4096];

	for (unsigned i = 0; i < 1024; i++)
		dk_set_ram(&d, BUFFER + 4 * i, i ^ 0x5a5a);
	put_header(7, 5 | HEADER_WRITE, 2);
	put_prd(7, 0, BUFFER, 1000);
	put_prd(7, 1, BUFFER + 1000, 3096);
	put_frame(7, ATA_CMD_WRITE_FPDMA_QUEUED, 400, 7 << 3, 8);
	set_p_reg(P_SACT, BIT(7));
	issue(BIT(7));
	finish();
	dk_read_image(image, 400, is, sizeof(is));
	for (unsigned i = 0; i < 1024; i++)
		assert_int_equal(ldn_le(is + 4 * i, 4), i ^ 0x5a5a);
}

static void packets_come_from_the_command_table(void **state)
{
	port = 1;
	start_port();
	put_header(0, 5 | HEADER_ATAPI, 1);
	put_prd(0, 0, BUFFER, 3 * 2048);
	put_frame(0, ATA_CMD_PACKET, 0, 0, 1); /* by DMA */
	dk_set_ram(&d, TABLES + 0x40, 0x00000028);
	dk_set_ram(&d, TABLES + 0x44, 0x00001400);
	dk_set_ram(&d, TABLES + 0x48, 0x00000003);
	issue(1);
	finish();
	assert_int_equal(p_reg(P_IS), IS_DHRS);
	check_ram(BUFFER, 20 * 4, 12);
	put_frame(0, ATA_CMD_PACKET, 0x0800 << 8, 0, 0); /* the same by PIO, 2 KiB at a time */
	for (unsigned i = 0; i < 3 * 512; i++)
		dk_set_ram(&d, BUFFER + 4 * i, 0);
	issue(1);
	finish();
	assert_true(p_reg(P_IS) & IS_DHRS);
	check_ram(BUFFER, 20 * 4, 12);
}

/* ---- errors ---- */

static void a_failed_command_stops_the_port(void **state)
{
	put_header(1, 5, 1);
	put_prd(1, 0, BUFFER, 512);
	put_frame(1, ATA_CMD_READ_DMA_EXT, SECTORS, 1, 0);
	put_header(2, 5, 1);
	put_prd(2, 0, BUFFER, 512);
	put_frame(2, ATA_CMD_READ_DMA_EXT, 5, 1, 0);
	issue(6);
	finish();
	dk_turn(&d, 5);
	assert_int_equal(p_reg(P_CI), 6);
	assert_int_equal(p_reg(P_CMD) >> 8 & 31, 1); /* CCS: which one */
	assert_int_equal(p_reg(P_TFD), 0x1051);
	assert_int_equal(dk_ram(&d, FB + 0x40), 0x10514034);
	recover();
	assert_int_equal(p_reg(P_CI), 0);
	read_dma(5, 1);
	finish();
	check_ram(BUFFER, 5, 1);
}

static void a_failed_queued_command_is_in_the_log(void **state)
{
	for (unsigned slot = 0; slot < 4; slot++) {
		put_header(slot, 5, 1);
		put_prd(slot, 0, BUFFER + slot * 512, 512);
		put_frame(slot, ATA_CMD_READ_FPDMA_QUEUED, slot == 2 ? SECTORS : slot, slot << 3,
			  1);
	}
	set_p_reg(P_SACT, 15);
	issue(15);
	finish();
	assert_true(p_reg(P_IS) & IS_TFES);
	assert_true(p_reg(P_SACT) & BIT(2));
	recover();
	put_header(5, 5, 1); /* refused until the log is read */
	put_prd(5, 0, BUFFER, 512);
	put_frame(5, ATA_CMD_READ_FPDMA_QUEUED, 9, 5 << 3, 1);
	set_p_reg(P_SACT, BIT(5));
	issue(BIT(5));
	finish();
	assert_true(p_reg(P_IS) & IS_TFES);
	recover();
	put_header(0, 5, 1);
	put_prd(0, 0, BUFFER, 512);
	put_frame(0, ATA_CMD_READ_LOG_EXT, 0x10, 1, 0);
	issue(1);
	finish();
	assert_int_equal(dk_ram(&d, BUFFER) & 0xff, 2); /* the tag */
	assert_int_equal(dk_ram(&d, BUFFER) >> 24, ATA_ERROR_IDNF);
	queued_commands_run_side_by_side(state);
}

static void a_tag_that_is_not_its_slots_is_refused(void **state)
{
	put_header(0, 5, 1);
	put_prd(0, 0, BUFFER, 512);
	put_frame(0, ATA_CMD_READ_FPDMA_QUEUED, 9, 5 << 3, 1);
	set_p_reg(P_SACT, BIT(0) | BIT(5));
	issue(1);
	finish();
	assert_int_equal(p_reg(P_TFD), 0x0451);
	comreset();
	put_frame(0, ATA_CMD_READ_FPDMA_QUEUED, 9, 0, 1); /* nor is one without SACT */
	issue(1);
	finish();
	assert_int_equal(p_reg(P_TFD), 0x0451);
}

static void memory_that_is_not_there_is_a_bus_error(void **state)
{
	static const uint64_t bad[] = {0xf0000000, 0xfffffffffffff000, 0x3fff00,
				       0x8000000000000000};

	for (unsigned i = 0; i < ARRAY_SIZE(bad) * 3; i++) {
		static const uint8_t commands[] = {ATA_CMD_READ_DMA_EXT, ATA_CMD_READ_SECTORS_EXT,
						   ATA_CMD_READ_FPDMA_QUEUED};
		uint8_t command = commands[i % 3];

		put_header(0, 5, 1);
		put_prd(0, 0, bad[i / 3], 1024);
		put_frame(0, command, 3, i % 3 == 2 ? 0 : 2, 2);
		if (i % 3 == 2)
			set_p_reg(P_SACT, 1);
		issue(1);
		finish();
		assert_true(p_reg(P_IS) & IS_HBFS);
		comreset();
	}
	read_dma(5, 1);
	finish();
	check_ram(BUFFER, 5, 1);
}

static void lists_that_are_not_there_are_bus_errors(void **state)
{
	set_p_reg(P_CMD, 0);
	set_p_reg(P_CLB, 0xf0000000);
	set_p_reg(P_CMD, CMD_START);
	issue(1);
	assert_true(p_reg(P_IS) & IS_HBFS);
	recover();
	set_p_reg(P_CLB, CLB);
	put_header(0, 5, 1);
	dk_set_ram(&d, CLB + 8, 0xf0000000); /* the table */
	issue(1);
	assert_true(p_reg(P_IS) & IS_HBFS);
	comreset();
	set_p_reg(P_FB, 0xf0000000); /* where frames go */
	read_dma(5, 1);
	finish();
	assert_true(p_reg(P_IS) & IS_HBFS);
	check_ram(BUFFER, 5, 1);
}

static void more_data_than_memory_is_an_overflow(void **state)
{
	put_header(0, 5, 1);
	put_prd(0, 0, BUFFER, 1024);
	put_frame(0, ATA_CMD_READ_DMA_EXT, 7, 4, 0);
	issue(1);
	finish();
	assert_true(p_reg(P_IS) & IS_OFS);
	check_ram(BUFFER, 7, 2);
	recover();
	put_header(0, 5, 0); /* none at all */
	put_frame(0, ATA_CMD_READ_FPDMA_QUEUED, 7, 0, 4);
	set_p_reg(P_SACT, 1);
	issue(1);
	finish();
	assert_true(p_reg(P_IS) & IS_OFS);
}

static void frames_that_nobody_answers_hold_the_port(void **state)
{
	static const uint32_t first[] = {0x00ec8035, 0x00ec8127, 0x00ec8f27};

	for (unsigned i = 0; i < ARRAY_SIZE(first) + 1; i++) {
		put_header(0, i == ARRAY_SIZE(first) ? 1 : 5, 1);
		put_prd(0, 0, BUFFER, 512);
		put_frame(0, ATA_CMD_IDENTIFY, 0, 0, 0);
		if (i < ARRAY_SIZE(first))
			dk_set_ram(&d, TABLES, first[i]);
		issue(1);
		dk_turn(&d, 3);
		assert_int_equal(p_reg(P_CI), 1);
		recover();
	}
	read_dma(5, 1);
	finish();
	check_ram(BUFFER, 5, 1);
}

/* ---- resets ---- */

static void put_control(unsigned slot, uint8_t control)
{
	put_header(slot, 5 | 0x500, 0);
	put_frame(slot, 0, 0, 0, 0);
	dk_set_ram(&d, table_of(slot), 0x27);
	dk_set_ram(&d, table_of(slot) + 12, (uint32_t)control << 24);
}

static void a_soft_reset_brings_the_signature(void **state)
{
	for (unsigned i = 0; i < 10; i++) {
		read_dma(5, 64);
		if (i & 1)
			finish();
		set_p_reg(P_CMD, 0x10);
		set_p_reg(P_CMD, 0x18); /* command list override */
		assert_int_equal(p_reg(P_TFD) & 0x88, 0);
		set_p_reg(P_CMD, CMD_START);
		dk_set_ram(&d, FB + 0x40, 0);
		put_control(0, 4);
		issue(1);
		assert_int_equal(p_reg(P_CI), 0);
		assert_int_equal(p_reg(P_TFD) & 0xff, 0x80);
		put_control(1, 0);
		issue(2);
		dk_until(&d, is_ready);
		assert_int_equal(dk_ram(&d, FB + 0x40), 0x01500034);
		assert_int_equal(dk_ram(&d, FB + 0x4c) & 0xff, 1);
		read_dma(9, 1);
		finish();
		check_ram(BUFFER, 9, 1);
	}
}

static void a_comreset_during_dma_waits_for_what_is_out(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		if (i & 1) {
			read_dma(0, 512);
		} else {
			put_header(4, 5, 1);
			put_prd(4, 0, BUFFER, 512 * 512);
			put_frame(4, ATA_CMD_READ_FPDMA_QUEUED, 0, 4 << 3, 512);
			set_p_reg(P_SACT, 16);
			issue(16);
		}
		dk_turn(&d, i % 3);
		set_p_reg(P_SCTL, 1);
		assert_int_equal(p_reg(P_SSTS), 1);
		set_p_reg(P_SCTL, 0);
		assert_true(p_reg(P_IS) & IS_PCS);
		set_p_reg(P_SERR, UINT32_MAX);
		assert_false(p_reg(P_IS) & IS_PCS);
		comreset();
		read_dma(9, 1);
		finish();
		check_ram(BUFFER, 9, 1);
	}
}

static void an_hba_reset_forgets_everything(void **state)
{
	read_dma(0, 512);
	set_reg(GHC, 1);
	assert_int_equal(reg(GHC), 0x80000000);
	assert_int_equal(p_reg(P_CMD) & 0xc011, 0);
	assert_int_equal(p_reg(P_CI), 0);
	assert_false(irq());
	dk_until(&d, is_ready);
	set_reg(GHC, 2);
	start_port();
	read_dma(9, 1);
	finish();
	check_ram(BUFFER, 9, 1);
}

static void the_machine_may_be_reset_while_requests_are_out(void **state)
{
	for (unsigned i = 0; i < 6; i++) {
		read_dma(0, 512);
		list_for_each(it, &d.k->m->devices)
			device_reset(list_entry(it, struct device, node));
		pci_config_write(d.k->m->pci, 0, AHCI_DEVFN, PCI_BAR0 + 20, ABAR, 4);
		set_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		dk_until(&d, is_ready);
		start_port();
	}
	read_dma(9, 1);
	finish();
	check_ram(BUFFER, 9, 1);
}

static void drives_may_go_while_requests_are_out(void **state)
{
	read_dma(0, 512);
	put_header(1, 5, 1);
	put_prd(1, 0, BUFFER, 512 * 512);
	put_frame(1, ATA_CMD_READ_FPDMA_QUEUED, 0, 1 << 3, 512);
	device_unrealize(disk);
	assert_int_equal(p_reg(P_SSTS), 0);
	dk_turn(&d, 20);
}

static void bus_mastering_that_is_off_holds_commands_back(void **state)
{
	set_command(PCI_COMMAND_MEMORY);
	read_dma(5, 1);
	dk_turn(&d, 3);
	assert_int_equal(p_reg(P_CI), 1);
	set_command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	finish();
	check_ram(BUFFER, 5, 1);
}

/* ---- everything else ---- */

static void save_and_load_goes_on_with_queued_commands(void **state)
{
	for (unsigned slot = 0; slot < 8; slot++) {
		put_header(slot, 5, 1);
		put_prd(slot, 0, BUFFER + slot * 32768, 32768);
		put_frame(slot, ATA_CMD_READ_FPDMA_QUEUED, slot * 64, slot << 3, 64);
	}
	set_p_reg(P_SACT, 255);
	issue(255);
	list_for_each(it, &d.k->m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if (dev->type == &ahci_type || dev == disk) {
			size_t bytes;
			uint8_t *saved = state_save(dev->type->state, dev, &bytes);
			struct error err = ERROR_INIT;

			assert_true(state_load(dev->type->state, dev, saved, bytes, &err));
			free(saved);
		}
	}
	finish();
	assert_false(p_reg(P_IS) & IS_TFES);
	check_ram(BUFFER, 0, 512);
}

static void no_command_byte_does_harm(void **state)
{
	for (unsigned i = 0; i < 256 * 4; i++) {
		unsigned slot = i % 32, command = i / 4;

		port = i & 1;
		start_port();
		put_header(slot, 5 | (i & 2 ? HEADER_ATAPI : 0), i % 3);
		put_prd(slot, 0, BUFFER, 0x2000);
		put_prd(slot, 1, i & 4 ? BUFFER : 0xe0000000, 0x400);
		put_frame(slot, command, i * 7919, i & 8 ? slot << 3 : i, i);
		dk_set_ram(&d, table_of(slot) + 0x40, command);
		set_p_reg(P_SACT, i & 16 ? BIT(slot) : 0);
		issue(BIT(slot));
		dk_turn(&d, 1);
		comreset();
	}
	port = 0;
	start_port();
	read_dma(9, 1);
	finish();
	check_ram(BUFFER, 9, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_hba_says_what_it_is),
		TEST(the_registers_are_behind_two_ports_too),
		TEST(a_port_shows_what_is_on_it),
		TEST(lists_lie_on_their_boundaries),
		TEST(nothing_is_asked_of_a_stopped_port),
		TEST(a_command_moves_its_data_and_sends_a_frame),
		TEST(writes_arrive),
		TEST(pio_is_announced_by_its_own_frame),
		TEST(pio_of_many_sectors_both_ways),
		TEST(slots_are_done_one_after_the_other),
		TEST(queued_commands_run_side_by_side),
		TEST(queued_writes_arrive),
		TEST(packets_come_from_the_command_table),
		TEST(a_failed_command_stops_the_port),
		TEST(a_failed_queued_command_is_in_the_log),
		TEST(a_tag_that_is_not_its_slots_is_refused),
		TEST(memory_that_is_not_there_is_a_bus_error),
		TEST(lists_that_are_not_there_are_bus_errors),
		TEST(more_data_than_memory_is_an_overflow),
		TEST(frames_that_nobody_answers_hold_the_port),
		TEST(a_soft_reset_brings_the_signature),
		TEST(a_comreset_during_dma_waits_for_what_is_out),
		TEST(an_hba_reset_forgets_everything),
		TEST(the_machine_may_be_reset_while_requests_are_out),
		TEST(drives_may_go_while_requests_are_out),
		TEST(bus_mastering_that_is_off_holds_commands_back),
		TEST(save_and_load_goes_on_with_queued_commands),
		TEST(no_command_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
