/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks for tests. */
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>
#include "src/drive.h"
#include "tests/device/disk_kit.h"

#define TURN_NS	  (5 * NS_PER_MS)
#define MAX_TURNS 4000

void dk_init(struct disk_kit *d, const struct machine_type *board, uint64_t ram_bytes)
{
	struct machine_config config = {
		.rtc_clock_vm = true, .ram_bytes = ram_bytes, .cpus = 1, .no_shutdown = true};

	*d = (struct disk_kit){.k = kit_new_with(board, &config)};
}

void dk_fini(struct disk_kit *d)
{
	kit_free(d->k);
	for (unsigned i = 0; i < d->n_images; i++)
		unlink(d->paths[i]);
}

uint32_t dk_word(uint64_t lba, unsigned n)
{
	return (uint32_t)(lba * 128 + n) * 2654435761u;
}

const char *dk_image(struct disk_kit *d, uint64_t bytes)
{
	char *path = d->paths[d->n_images];
	uint32_t sector[128];
	int fd;

	assert_true(d->n_images++ < DK_IMAGES);
	snprintf(path, sizeof(d->paths[0]), "/tmp/evmm-test-disk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (uint64_t lba = 0; lba * 512 < bytes; lba++) {
		size_t n = MIN(bytes - lba * 512, sizeof(sector));

		for (unsigned i = 0; i < 128; i++)
			sector[i] = dk_word(lba, i);
		assert_int_equal(pwrite(fd, sector, n, lba * 512), n);
	}
	close(fd);
	return path;
}

void dk_read_image(const char *path, uint64_t lba, void *buf, size_t bytes)
{
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, buf, bytes, lba * 512), bytes);
	close(fd);
}

struct block *dk_block(const char *id)
{
	struct block *b = block_by_id(id);

	assert_non_null(b);
	return b;
}

struct device *dk_add(struct disk_kit *d, const struct device_type *type, const char *id,
		      const char *path, ...)
{
	struct error err = ERROR_INIT;
	json_t *options = json_pack("{s:s,s:s}", "if", "none", "id", id);
	struct device *dev;
	bool ok = true;
	va_list ap;

	if (path) {
		json_object_set_new(options, "file", json_string(path));
		json_object_set_new(options, "format", json_string("raw"));
	}
	if (type == &ide_cd_type)
		json_object_set_new(options, "media", json_string("cdrom"));
	if (!drive_add(d->k->m, options, &err))
		fail_msg("%s", err.msg);
	dev = device_new(d->k->m, type, id);
	ok = device_set_prop(dev, "drive", id, &err);
	va_start(ap, path);
	for (const char *name = va_arg(ap, const char *); name && ok;
	     name = va_arg(ap, const char *))
		ok = device_set_prop(dev, name, va_arg(ap, const char *), &err);
	va_end(ap);
	if (!ok || !device_realize(dev, &err))
		fail_msg("%s", err.msg);
	device_reset(dev);
	return dev;
}

void dk_until(struct disk_kit *d, bool (*cond)(struct disk_kit *d))
{
	for (unsigned i = 0; i < MAX_TURNS && !cond(d); i++)
		loop_run_once(d->k->loop, TURN_NS);
	if (!cond(d))
		fail_msg("it never comes");
}

void dk_turn(struct disk_kit *d, unsigned turns)
{
	for (unsigned i = 0; i < turns; i++)
		loop_run_once(d->k->loop, NS_PER_MS);
}

uint32_t dk_ram(struct disk_kit *d, gpa_t gpa)
{
	return as_read(&d->k->m->mem, gpa, 4);
}

void dk_set_ram(struct disk_kit *d, gpa_t gpa, uint32_t value)
{
	as_write(&d->k->m->mem, gpa, value, 4);
}

/* ---- the primary channel ---- */

void ide_enable_dma(struct disk_kit *d)
{
	struct pci_bus *root = d->k->m->pci;

	pci_config_write(root, 0, PCI_DEVFN(1, 1), PCI_BAR0 + 16, BM_PORT, 4);
	pci_config_write(root, 0, PCI_DEVFN(1, 1), PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER,
			 2);
}

void ide_out(struct disk_kit *d, unsigned reg, uint8_t value)
{
	kit_out8(d->k, IDE_DATA + reg, value);
}

uint8_t ide_in(struct disk_kit *d, unsigned reg)
{
	return kit_in8(d->k, IDE_DATA + reg);
}

static bool not_busy(struct disk_kit *d)
{
	return !(kit_in8(d->k, IDE_CTRL) & ATA_STATUS_BSY);
}

uint8_t ide_wait(struct disk_kit *d)
{
	dk_until(d, not_busy);
	return kit_in8(d->k, IDE_CTRL);
}

bool ide_irq(struct disk_kit *d)
{
	return d->k->m->gsi_asserted[DK_IRQ];
}

void ide_command28(struct disk_kit *d, unsigned unit, uint8_t command, uint32_t lba, uint8_t count)
{
	ide_out(d, ATA_REG_DEVICE, 0xe0 | unit << 4 | lba >> 24);
	ide_out(d, ATA_REG_COUNT, count);
	ide_out(d, ATA_REG_LBA_LOW, lba);
	ide_out(d, ATA_REG_LBA_MID, lba >> 8);
	ide_out(d, ATA_REG_LBA_HIGH, lba >> 16);
	ide_out(d, ATA_REG_COMMAND, command);
}

void ide_command48(struct disk_kit *d, unsigned unit, uint8_t command, uint64_t lba, uint16_t count)
{
	ide_out(d, ATA_REG_DEVICE, 0xe0 | unit << 4);
	ide_out(d, ATA_REG_COUNT, count >> 8);
	ide_out(d, ATA_REG_LBA_LOW, lba >> 24);
	ide_out(d, ATA_REG_LBA_MID, lba >> 32);
	ide_out(d, ATA_REG_LBA_HIGH, lba >> 40);
	ide_out(d, ATA_REG_COUNT, count);
	ide_out(d, ATA_REG_LBA_LOW, lba);
	ide_out(d, ATA_REG_LBA_MID, lba >> 8);
	ide_out(d, ATA_REG_LBA_HIGH, lba >> 16);
	ide_out(d, ATA_REG_COMMAND, command);
}

void ide_read_block(struct disk_kit *d, void *buf, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		stn_le((uint8_t *)buf + i, 2, kit_in16(d->k, IDE_DATA));
}

void ide_write_block(struct disk_kit *d, const void *buf, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 2)
		kit_out16(d->k, IDE_DATA, ldn_le((const uint8_t *)buf + i, 2));
}

void ide_prd(struct disk_kit *d, unsigned n, uint32_t addr, uint16_t bytes, bool last)
{
	dk_set_ram(d, DK_PRDT + 8 * n, addr);
	dk_set_ram(d, DK_PRDT + 8 * n + 4, bytes | (last ? 0x80000000 : 0));
}

void ide_start_dma(struct disk_kit *d, bool to_host)
{
	kit_out8(d->k, BM_PORT + 2, 0x66);
	kit_out32(d->k, BM_PORT + 4, DK_PRDT);
	kit_out8(d->k, BM_PORT, to_host ? 9 : 1);
}

void ide_stop_dma(struct disk_kit *d)
{
	kit_out8(d->k, BM_PORT, 0);
}

uint8_t ide_bm_status(struct disk_kit *d)
{
	return kit_in8(d->k, BM_PORT + 2);
}
