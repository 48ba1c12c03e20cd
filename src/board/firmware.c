/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where firmware is. The chip that -drive if=pflash,unit=0 fills ends below 4 GiB, the one of unit 1 below it; with OVMF
 * that is code and variables. Without flash, -bios is in a ROM.
 */
#include <stdlib.h>
#include "devices/block/pflash_cfi01.h"
#include "devices/chipset/chipset.h"
#include "io/block/block.h"
#include "src/board/firmware.h"
#include "src/boot/firmware.h"
#include "src/drive.h"

#define FLASH_CHIPS	2
#define FLASH_BYTES_MAX (8 * MiB) /* of both: what the chipset decodes there */

static bool has_flash(struct machine *m, unsigned unit)
{
	return m->config.boot.pflash[unit] || drive_get(m, DRIVE_IF_PFLASH, 0, unit);
}

bool machine_has_firmware(struct machine *m)
{
	return m->config.boot.bios || has_flash(m, 0);
}

static bool add_rom(struct machine *m, struct region *memory, struct error *err)
{
	struct device *rom;

	if (!m->config.boot.bios)
		return true;
	rom = device_new(m, &system_rom_type, NULL);
	if (!device_set_prop(rom, "file", m->config.boot.bios, err) || !device_realize(rom, err))
		return false;
	system_rom_map(rom, memory);
	return true;
}

static struct device *new_flash(struct machine *m, unsigned unit, struct error *err)
{
	struct drive *d = drive_get(m, DRIVE_IF_PFLASH, 0, unit);
	const char *node = m->config.boot.pflash[unit];
	struct device *dev = device_new(m, &pflash_cfi01_type, NULL);
	bool ok = true;

	if (d && node)
		ok = error_set(err, "-machine pflash%u=%s: -drive if=pflash,unit=%u is there too",
			       unit, node, unit);
	else if (node)
		ok = device_set_prop(dev, "drive", node, err);
	else
		device_set_prop_drive(dev, "drive", d->block);
	if (ok && device_realize(dev, err))
		return dev;
	if (!d)
		error_prefix(err, "-machine pflash%u=%s: ", unit, node);
	else if (!node)
		error_prefix(err, "-drive if=pflash,unit=%u: ", unit);
	device_unrealize(dev);
	return NULL;
}

/* The code, below 1 MiB too: a ROM there, as no command must reach the chip by that way. */
static void show_low(struct machine *m, struct device *flash, struct region *memory)
{
	system_rom_map_low(device_create_builtin(m, &system_rom_type), pflash_data(flash),
			   pflash_bytes(flash), memory);
}

static bool add_flash(struct machine *m, struct region *memory, struct error *err)
{
	uint64_t end = 4 * GiB, total = 0;

	for (unsigned unit = 0; unit < FLASH_CHIPS && has_flash(m, unit); unit++) {
		struct device *dev = new_flash(m, unit, err);

		if (!dev)
			return false;
		total += pflash_bytes(dev);
		if (total > FLASH_BYTES_MAX)
			return error_set(
				err,
				"-drive if=pflash: %llu bytes of flash are too many (at most "
				"%llu)",
				(unsigned long long)total, FLASH_BYTES_MAX);
		end -= pflash_bytes(dev);
		pflash_map(dev, memory, end);
		if (unit == 0) {
			m->uefi = firmware_is_uefi(pflash_data(dev), pflash_bytes(dev));
			show_low(m, dev, memory);
		}
	}
	return true;
}

bool machine_add_firmware(struct machine *m, struct region *memory, struct error *err)
{
	if (!has_flash(m, 0) && has_flash(m, 1))
		return error_set(err, "-drive if=pflash,unit=1: there is no unit 0, which has the "
				      "firmware");
	if (!has_flash(m, 0))
		return add_rom(m, memory, err);
	if (m->config.boot.bios && m->config.boot.bios != m->config.type->firmware)
		return error_set(err, "-bios %s: -drive if=pflash,unit=0 is the firmware",
				 m->config.boot.bios);
	return add_flash(m, memory, err);
}
