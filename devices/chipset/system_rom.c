/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system ROM: firmware below 4 GiB, where the processor starts, and its end below 1 MiB.
 *
 * Intel SDM 3A 9.1.4 "First instruction executed" (FFFFFFF0h); 82371SB PIIX3 (290550-002) "XBCS", the BIOS ranges below
 * 1 MiB.
 *
 *	address		what
 *	4 GiB - size	the image
 *	FFFFFh - ...	its last 128 KiB (or all of it, when smaller)
 *
 * Without an image it shows the end of a flash chip below 1 MiB.
 *
 * Not modelled: the switches of XBCS; the ROM is always decoded.
 * Deviates because: nothing.
 */
#include <stdlib.h>
#include "devices/chipset/chipset.h"
#include "src/boot/firmware.h"

#define SYSTEM_ROM_UNIT	     (64 * KiB)
#define SYSTEM_ROM_MAX	     (16 * MiB)
#define SYSTEM_ROM_LOW_BYTES (128 * KiB)
#define SYSTEM_ROM_END	     (4 * GiB)
#define SYSTEM_ROM_LOW_END   MiB

struct system_rom {
	struct device dev;

	/* configuration */
	char *file;
	uint8_t *bytes;
	struct region rom, low;
};

static const struct device_prop system_rom_props[] = {
	DEFINE_PROP_STR(system_rom, file, "file", NULL, "the image"),
	DEFINE_PROP_END,
};

void system_rom_map_low(struct device *dev, const uint8_t *bytes, uint64_t n, struct region *memory)
{
	struct system_rom *s = container_of(dev, struct system_rom, dev);
	uint64_t low = MIN(n, SYSTEM_ROM_LOW_BYTES);

	region_init_rom(&s->low, "isa-bios", (uint8_t *)bytes + n - low, low);
	region_add(memory, SYSTEM_ROM_LOW_END - low, &s->low, 0);
}

void system_rom_map(struct device *dev, struct region *memory)
{
	struct system_rom *s = container_of(dev, struct system_rom, dev);

	region_add(memory, SYSTEM_ROM_END - s->rom.size, &s->rom, 0);
	region_add(memory, SYSTEM_ROM_LOW_END - s->low.size, &s->low, 0);
}

static bool system_rom_realize(struct device *dev, struct error *err)
{
	struct system_rom *s = container_of(dev, struct system_rom, dev);
	char *path = s->file ? firmware_find(&dev->machine->config, s->file) : NULL;
	uint64_t n = 0, low;

	if (!s->file)
		return true;
	if (!path)
		return error_set(err, "-bios %s: no such file, nor in the directories of -L help",
				 s->file);
	s->bytes = firmware_read("-bios", path, SYSTEM_ROM_MAX, &n, err);
	free(path);
	if (!s->bytes)
		return false;
	if (n % SYSTEM_ROM_UNIT) {
		free(s->bytes);
		return error_set(err, "-bios %s: %llu bytes are not a multiple of 64 KiB", s->file,
				 (unsigned long long)n);
	}
	dev->machine->uefi = firmware_is_uefi(s->bytes, n);
	low = MIN(n, SYSTEM_ROM_LOW_BYTES);
	region_init_rom(&s->rom, "pc.bios", s->bytes, n);
	region_init_alias(&s->low, "isa-bios", &s->rom, n - low, low);
	return true;
}

static void system_rom_unrealize(struct device *dev)
{
	struct system_rom *s = container_of(dev, struct system_rom, dev);

	region_remove(&s->low);
	region_remove(&s->rom);
	free(s->bytes);
}

const struct device_type system_rom_type = {
	.name = "system-rom",
	.desc = "firmware in ROM",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct system_rom),
	.props = system_rom_props,
	.realize = system_rom_realize,
	.unrealize = system_rom_unrealize,
};
