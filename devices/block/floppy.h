/* SPDX-License-Identifier: BSD-2-Clause */
/* Floppy drives (floppy.c), and their controller (fdc.c) as boards see it. Loop thread. */
#ifndef EVMM_DEVICES_FLOPPY_H
#define EVMM_DEVICES_FLOPPY_H

#include "io/block/block.h"
#include "src/machine.h"

extern const struct device_type floppy_type, isa_fdc_type;

#define FLOPPY_SECTOR 512
#define FLOPPY_DRIVES 2 /* of a controller */

/* As CMOS byte 10h has them. */
enum floppy_drive_type {
	FLOPPY_NONE = 0,
	FLOPPY_1M2 = 2,
	FLOPPY_1M44 = 4,
	FLOPPY_2M88 = 5,
};

/* Data rate select codes (82078 table 2-5) */
enum floppy_rate { FLOPPY_500K, FLOPPY_300K, FLOPPY_250K, FLOPPY_1M };

struct floppy_format {
	enum floppy_drive_type drive;
	uint8_t sectors, tracks, heads;
	enum floppy_rate rate;
};

struct fdc;

struct floppy {
	struct device dev;

	/* configuration */
	struct block_conf conf;
	char *type_name, *bus_name;
	uint32_t unit;
	enum floppy_drive_type type;
	struct fdc *fdc;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t track; /* that the head is over */
	bool changed;  /* the disk change line */
	GUEST_VISIBLE_END;

	/* host side */
	const struct floppy_format *format; /* of the disk in it */
};

static inline bool floppy_has_disk(const struct floppy *f)
{
	return f && f->conf.block && block_has_medium(f->conf.block);
}

/* The format of an image of BYTES in a drive of TYPE (NONE: of any): the one of that size, else the smallest that it fits in. */
const struct floppy_format *floppy_guess_format(uint64_t bytes, enum floppy_drive_type type);

/* fdc.c. The drive is plugged in at its unit, or the first free one. */
bool fdc_plug(struct floppy *f, struct error *err);
void fdc_unplug(struct floppy *f);
/* For the CMOS RAM: what is on unit UNIT of the machine's first controller. */
enum floppy_drive_type fdc_drive_type(struct machine *m, unsigned unit);
/* What a drive becomes that has no disk to go by. */
enum floppy_drive_type fdc_fallback(const struct fdc *fdc);
/* The controller's OpenFirmware path, heap. */
char *fdc_fw_path(struct fdc *fdc);
bool floppy_parse_type(const char *name, enum floppy_drive_type *type);

#endif
