/* SPDX-License-Identifier: BSD-2-Clause */
/* What -hda, -cdrom, -fda and -drive if=ide,floppy become on a PC, and what its CMOS RAM says of them. */
#include <stdio.h>
#include "devices/block/floppy.h"
#include "devices/block/ide.h"
#include "devices/chipset/chipset.h"
#include "src/board/disks.h"
#include "src/drive.h"

#define CMOS_FLOPPY_TYPES  0x10 /* A: in the upper half */
#define CMOS_DISK_TYPES	   0x12
#define CMOS_EQUIPMENT	   0x14
#define CMOS_DISK_EXT_TYPE 0x19 /* two bytes */
#define CMOS_DISK_GEOMETRY 0x1b /* nine bytes each */
#define CMOS_TRANSLATION   0x39 /* two bits a drive */

#define DISK_TYPE_EXT	    0xf
#define DISK_TYPE_USER	    47
#define EQUIPMENT_FLOPPY    0x01
#define EQUIPMENT_TWO	    0x40
#define GEOMETRY_BYTES	    9
#define GEOMETRY_MANY_HEADS 0x08
#define GEOMETRY_NO_RETRIES 0xc0

static bool add_drive(struct machine *m, const struct drive *d, const struct device_type *type,
		      const char *bus, unsigned unit, struct error *err)
{
	struct device *dev = device_new(m, type, NULL);

	device_set_prop_drive(dev, "drive", d->block);
	device_set_prop_num(dev, "unit", unit);
	if (device_set_prop(dev, "bus", bus, err) && device_realize(dev, err))
		return true;
	error_prefix(err, "-drive id=%s: ", block_id(d->block));
	device_unrealize(dev);
	return false;
}

bool machine_add_ide_drives(struct machine *m, unsigned buses, struct error *err)
{
	unsigned units = drive_if_units(m, DRIVE_IF_IDE);

	for (unsigned i = 0; i < buses * units; i++) {
		struct drive *d = drive_get(m, DRIVE_IF_IDE, i / units, i % units);
		char bus[16];

		snprintf(bus, sizeof(bus), "ide.%u", i / units);
		if (d && !add_drive(m, d, d->media_cdrom ? &ide_cd_type : &ide_hd_type, bus,
				    i % units, err))
			return false;
	}
	return true;
}

bool machine_add_floppies(struct machine *m, struct error *err)
{
	for (unsigned unit = 0; unit < FLOPPY_DRIVES; unit++) {
		struct drive *d = drive_get(m, DRIVE_IF_FLOPPY, 0, unit);

		if (d && !add_drive(m, d, &floppy_type, "floppy-bus.0", unit, err))
			return false;
	}
	return true;
}

/* ---- the CMOS RAM ---- */

static void describe_floppies(struct machine *m, struct device *rtc)
{
	unsigned a = fdc_drive_type(m, 0), b = fdc_drive_type(m, 1);
	uint8_t equipment = mc146818_get_cmos(rtc, CMOS_EQUIPMENT);

	if (a || b)
		equipment |= EQUIPMENT_FLOPPY;
	if (a && b)
		equipment |= EQUIPMENT_TWO;
	mc146818_set_cmos(rtc, CMOS_FLOPPY_TYPES, a << 4 | b);
	mc146818_set_cmos(rtc, CMOS_EQUIPMENT, equipment);
}

static void describe_geometry(struct device *rtc, unsigned n, uint32_t cyls, uint32_t heads,
			      uint32_t secs)
{
	const uint8_t bytes[GEOMETRY_BYTES] = {
		cyls,	   cyls >> 8,
		heads,	   0xff, /* no write precompensation */
		0xff,	   GEOMETRY_NO_RETRIES | (heads > 8 ? GEOMETRY_MANY_HEADS : 0),
		cyls, /* landing zone */
		cyls >> 8, secs,
	};

	mc146818_set_cmos(rtc, CMOS_DISK_EXT_TYPE + n, DISK_TYPE_USER);
	for (unsigned i = 0; i < GEOMETRY_BYTES; i++)
		mc146818_set_cmos(rtc, CMOS_DISK_GEOMETRY + n * GEOMETRY_BYTES + i, bytes[i]);
}

static void describe_disks(struct machine *m, struct device *rtc)
{
	uint8_t types = 0, translations = 0;

	for (unsigned i = 0; i < 4; i++) {
		enum ata_translation translation;
		uint32_t cyls, heads, secs;

		if (!ide_geometry(m, i / 2, i % 2, &cyls, &heads, &secs, &translation))
			continue;
		translations |= translation << 2 * i;
		if (i >= 2)
			continue;
		types |= DISK_TYPE_EXT << (i ? 0 : 4);
		describe_geometry(rtc, i, cyls, heads, secs);
	}
	mc146818_set_cmos(rtc, CMOS_DISK_TYPES, types);
	mc146818_set_cmos(rtc, CMOS_TRANSLATION, translations);
}

void machine_describe_disks(struct machine *m, struct device *rtc)
{
	describe_floppies(m, rtc);
	describe_disks(m, rtc);
}
