/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floppy drives: the disk, its format, the change line.
 *
 * An image says nothing of how its sectors lie; its size does. Formats: the PC's own ones, and those that
 * distributions' and Linux's superformat's disks have had.
 */
#include "devices/block/floppy.h"
#include "src/boot/bootorder.h"

#define UNIT_AUTO UINT32_MAX

static const struct floppy_format formats[] = {
	/* drive, sectors of a track, tracks, heads, rate */
	{FLOPPY_1M44, 18, 80, 2, FLOPPY_500K}, /* 1,440 K; the first where several have one size */
	{FLOPPY_1M44, 20, 80, 2, FLOPPY_500K}, {FLOPPY_1M44, 21, 80, 2, FLOPPY_500K},
	{FLOPPY_1M44, 21, 82, 2, FLOPPY_500K}, {FLOPPY_1M44, 21, 83, 2, FLOPPY_500K},
	{FLOPPY_1M44, 22, 80, 2, FLOPPY_500K}, {FLOPPY_1M44, 23, 80, 2, FLOPPY_500K},
	{FLOPPY_1M44, 24, 80, 2, FLOPPY_500K}, {FLOPPY_2M88, 36, 80, 2, FLOPPY_1M}, /* 2,880 K */
	{FLOPPY_2M88, 39, 80, 2, FLOPPY_1M},   {FLOPPY_2M88, 40, 80, 2, FLOPPY_1M},
	{FLOPPY_2M88, 44, 80, 2, FLOPPY_1M},   {FLOPPY_2M88, 48, 80, 2, FLOPPY_1M},
	{FLOPPY_1M44, 9, 80, 2, FLOPPY_250K}, /* 720 K */
	{FLOPPY_1M44, 10, 80, 2, FLOPPY_250K}, {FLOPPY_1M44, 10, 82, 2, FLOPPY_250K},
	{FLOPPY_1M44, 10, 83, 2, FLOPPY_250K}, {FLOPPY_1M44, 13, 80, 2, FLOPPY_250K},
	{FLOPPY_1M44, 14, 80, 2, FLOPPY_250K}, {FLOPPY_1M2, 15, 80, 2, FLOPPY_500K}, /* 1,200 K */
	{FLOPPY_1M2, 18, 80, 2, FLOPPY_500K},  {FLOPPY_1M2, 18, 82, 2, FLOPPY_500K},
	{FLOPPY_1M2, 18, 83, 2, FLOPPY_500K},  {FLOPPY_1M2, 20, 80, 2, FLOPPY_500K},
	{FLOPPY_1M2, 9, 80, 2, FLOPPY_300K}, /* 720 K, in a drive that turns faster */
	{FLOPPY_1M2, 11, 80, 2, FLOPPY_300K},  {FLOPPY_1M2, 9, 40, 2, FLOPPY_300K}, /* 360 K */
	{FLOPPY_1M2, 9, 40, 1, FLOPPY_300K},					    /* 180 K */
	{FLOPPY_1M2, 10, 41, 2, FLOPPY_300K},  {FLOPPY_1M2, 10, 42, 2, FLOPPY_300K},
	{FLOPPY_1M2, 8, 40, 2, FLOPPY_250K},  /* 320 K */
	{FLOPPY_1M2, 8, 40, 1, FLOPPY_250K},  /* 160 K */
	{FLOPPY_1M44, 9, 40, 2, FLOPPY_250K}, /* 360 K */
	{FLOPPY_1M44, 9, 40, 1, FLOPPY_250K}, /* 180 K */
};

static const struct {
	const char *name;
	enum floppy_drive_type type;
} type_names[] = {
	{"120", FLOPPY_1M2},
	{"144", FLOPPY_1M44},
	{"288", FLOPPY_2M88},
	{"none", FLOPPY_NONE},
};

static struct floppy *floppy_of(struct device *dev)
{
	return container_of(dev, struct floppy, dev);
}

static uint64_t format_bytes(const struct floppy_format *f)
{
	return (uint64_t)f->sectors * f->tracks * f->heads * FLOPPY_SECTOR;
}

/* A drive reads the disks of its size: 3.5 inch ones up to its density, or 5.25 inch ones. */
static bool drive_reads(enum floppy_drive_type type, const struct floppy_format *f)
{
	return type == FLOPPY_NONE || f->drive == type ||
	       (type == FLOPPY_2M88 && f->drive == FLOPPY_1M44);
}

const struct floppy_format *floppy_guess_format(uint64_t bytes, enum floppy_drive_type type)
{
	const struct floppy_format *best = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct floppy_format *f = &formats[i];
		uint64_t size = format_bytes(f);

		if (!drive_reads(type, f))
			continue;
		if (size == bytes)
			return f;
		/* Larger than all: the largest. */
		if (!best ||
		    (size >= bytes ? format_bytes(best) < bytes || size < format_bytes(best)
				   : size > format_bytes(best) && format_bytes(best) < bytes))
			best = f;
	}
	return best;
}

bool floppy_parse_type(const char *name, enum floppy_drive_type *type)
{
	for (unsigned i = 0; i < ARRAY_SIZE(type_names); i++) {
		if (!strcmp(name, type_names[i].name)) {
			*type = type_names[i].type;
			return true;
		}
	}
	return false;
}

/* ---- the disk ---- */

static void floppy_look(struct floppy *f)
{
	f->format = floppy_has_disk(f) ? floppy_guess_format(block_bytes(f->conf.block), f->type)
				       : NULL;
}

static void floppy_medium_changed(void *opaque, bool loaded)
{
	struct floppy *f = opaque;

	f->changed = true;
	floppy_look(f);
}

static const struct block_device_ops floppy_block_ops = {.medium_changed = floppy_medium_changed};

/* ---- life ---- */

/* QEMU's drives start with the line up: nobody has looked yet. */
static void floppy_reset(struct device *dev)
{
	struct floppy *f = floppy_of(dev);

	f->track = 0;
	f->changed = true;
}

static const struct state_desc floppy_state = {
	.name = "floppy",
	.version = 1,
	STATE_SPAN(floppy),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(floppy, track),
			STATE_FIELD(floppy, changed),
			STATE_END,
		},
};

static const struct device_prop floppy_props[] = {
	BLOCK_CONF_PROPS(floppy, conf),
	DEFINE_PROP_STR(floppy, bus_name, "bus", NULL, "floppy bus"),
	DEFINE_PROP(floppy, unit, "unit", PROP_U32, UNIT_AUTO, "0 is A:, 1 is B:"),
	DEFINE_PROP_STR(floppy, type_name, "drive-type", "auto",
			"120, 144, 288, none, or auto: as the disk has it"),
	DEFINE_PROP_END,
};

static bool choose_type(struct floppy *f, struct error *err)
{
	if (strcmp(f->type_name, "auto")) {
		if (!floppy_parse_type(f->type_name, &f->type))
			return error_set(
				err,
				"floppy: drive-type must be 120, 144, 288, auto or none, not '%s'",
				f->type_name);
	} else if (floppy_has_disk(f)) {
		f->type = floppy_guess_format(block_bytes(f->conf.block), FLOPPY_NONE)->drive;
	} else {
		f->type = fdc_fallback(f->fdc);
	}
	return true;
}

static char *floppy_fw_path(struct device *dev)
{
	return fdc_fw_path(floppy_of(dev)->fdc);
}

static void floppy_unrealize(struct device *dev)
{
	struct floppy *f = floppy_of(dev);

	boot_index_remove(dev->machine, dev);
	fdc_unplug(f);
	if (f->conf.block)
		block_detach(f->conf.block);
}

static bool floppy_realize(struct device *dev, struct error *err)
{
	struct floppy *f = floppy_of(dev);

	if (f->conf.logical_block_size && f->conf.logical_block_size != FLOPPY_SECTOR)
		return error_set(err, "floppy: logical_block_size must be 512");
	f->conf.logical_block_size = FLOPPY_SECTOR;
	if (!fdc_plug(f, err))
		return false;
	if (!block_conf_attach(&f->conf, dev, &floppy_block_ops, f, true, true, err)) {
		fdc_unplug(f);
		return false;
	}
	if (!choose_type(f, err) || !boot_index_add(dev->machine, f->conf.bootindex, dev,
						    f->unit ? "floppy@1" : "floppy@0", err)) {
		floppy_unrealize(dev);
		return false;
	}
	floppy_look(f);
	return true;
}

const struct device_type floppy_type = {
	.name = "floppy",
	.desc = "floppy drive",
	.bus = BUS_FLOPPY,
	.user_creatable = true,
	.size = sizeof(struct floppy),
	.props = floppy_props,
	.state = &floppy_state,
	.realize = floppy_realize,
	.reset = floppy_reset,
	.unrealize = floppy_unrealize,
	.fw_path = floppy_fw_path,
};
