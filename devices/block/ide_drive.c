/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IDE cables, and what is plugged on them: the ide-hd and ide-cd devices. The drives' inside is ata.c and
 * its sisters; here are properties, names, and coming and going.
 *
 * Deviates because: names and serial numbers are those of QEMU's drives, for guests find their disks by
 * them (/dev/disk/by-id).
 */
#include <stdio.h>
#include <stdlib.h>
#include "devices/block/ata.h"
#include "devices/block/ide.h"
#include "src/boot/bootorder.h"

#define UNIT_AUTO UINT32_MAX

static struct ata_device *ata_of(struct device *dev)
{
	return container_of(dev, struct ata_device, dev);
}

/* ---- cables ---- */

void ide_bus_init(struct ide_bus *bus, struct device *controller, unsigned channel,
		  unsigned n_units, const struct ata_port_ops *ops, void *opaque)
{
	bus_init(&bus->bus, controller, BUS_IDE, "ide");
	bus->channel = channel;
	bus->n_units = n_units;
	for (unsigned unit = 0; unit < n_units; unit++)
		bus->ports[unit] = (struct ata_port){.ops = ops, .opaque = opaque};
}

void ide_bus_fini(struct ide_bus *bus)
{
	bus_fini(&bus->bus);
}

/* The next cable of the machine after PREV (NULL: the first), or NULL. */
static struct ide_bus *next_bus(struct machine *m, struct ide_bus *prev)
{
	struct bus *bus = bus_next(m, BUS_IDE, prev ? &prev->bus : NULL);

	return bus ? container_of(bus, struct ide_bus, bus) : NULL;
}

static unsigned bus_index(struct ide_bus *bus)
{
	unsigned n = 0;

	for (struct ide_bus *b = next_bus(bus->bus.owner->machine, NULL); b != bus;
	     b = next_bus(bus->bus.owner->machine, b))
		n++;
	return n;
}

static unsigned free_unit(const struct ide_bus *bus)
{
	unsigned unit = 0;

	while (unit < bus->n_units && bus->ports[unit].ata)
		unit++;
	return unit;
}

static struct ide_bus *choose_bus(struct ata_device *ata, struct error *err)
{
	struct machine *m = ata->dev.machine;
	const char *type = ata->dev.type->name;
	struct bus *found;

	if (!ata->bus_name || !*ata->bus_name) {
		for (struct ide_bus *bus = next_bus(m, NULL); bus; bus = next_bus(m, bus))
			if (ata->unit == UNIT_AUTO
				    ? free_unit(bus) < bus->n_units
				    : ata->unit < bus->n_units && !bus->ports[ata->unit].ata)
				return bus;
		if (next_bus(m, NULL)) {
			error_set(err, "%s: no place is free on an IDE bus", type);
			return NULL;
		}
	}
	found = bus_find(m, BUS_IDE, ata->bus_name, type, err);
	return found ? container_of(found, struct ide_bus, bus) : NULL;
}

static bool choose_place(struct ata_device *ata, struct error *err)
{
	const char *type = ata->dev.type->name;
	struct ide_bus *bus = choose_bus(ata, err);

	if (!bus)
		return false;
	if (ata->unit == UNIT_AUTO)
		ata->unit = free_unit(bus);
	if (ata->unit >= bus->n_units)
		return error_set(err, "%s: bus '%s' has %u unit%s, and unit %u is none", type,
				 bus->bus.name, bus->n_units, bus->n_units > 1 ? "s" : "",
				 ata->unit);
	if (bus->ports[ata->unit].ata)
		return error_set(err, "%s: IDE unit %u of bus '%s' is in use", type, ata->unit,
				 bus->bus.name);
	ata->dev.parent_bus = &bus->bus;
	ata->bus = bus;
	ata->port = &bus->ports[ata->unit];
	return true;
}

bool ide_geometry(struct machine *m, unsigned bus, unsigned unit, uint32_t *cyls, uint32_t *heads,
		  uint32_t *secs, enum ata_translation *translation)
{
	struct ide_bus *b = next_bus(m, NULL);
	const struct ata_device *ata;

	for (unsigned i = 0; b && i < bus; i++)
		b = next_bus(m, b);
	ata = b && unit < b->n_units ? b->ports[unit].ata : NULL;
	if (!ata || ata->is_cd)
		return false;
	*cyls = ata->cyls;
	*heads = ata->heads;
	*secs = ata->secs;
	*translation = ata->translation;
	return true;
}

/* ---- the backend's events ---- */

static void on_medium_changed(void *opaque, bool loaded)
{
	mmc_medium_changed(&((struct ata_device *)opaque)->mmc, loaded);
}

static bool on_tray_open(void *opaque)
{
	return ((struct ata_device *)opaque)->mmc.tray_open;
}

static void on_eject_request(void *opaque, bool force)
{
	mmc_eject_request(&((struct ata_device *)opaque)->mmc, force);
}

static bool on_medium_locked(void *opaque)
{
	return ((struct ata_device *)opaque)->mmc.tray_locked;
}

static const struct block_device_ops disk_ops = {0};
static const struct block_device_ops cd_ops = {
	.medium_changed = on_medium_changed,
	.tray_open = on_tray_open,
	.eject_request = on_eject_request,
	.medium_locked = on_medium_locked,
};

/* ---- life ---- */

static void drive_reset(struct device *dev)
{
	ata_reset(ata_of(dev), true);
}

static void ata_pre_save(void *opaque)
{
	ata_settle(opaque);
}

static bool ata_post_load(void *opaque, struct error *err)
{
	struct ata_device *ata = opaque;

	return ata_loaded(ata) ||
	       error_set(err, "%s: saved state is not possible", ata->dev.type->name);
}

static const struct state_desc queued_state = {
	.name = "ata-queued",
	.version = 1,
	.span_offset = 0,
	.span_bytes = sizeof(struct ata_queued),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(ata_queued, lba),
			STATE_FIELD(ata_queued, left),
			STATE_FIELD(ata_queued, write),
			STATE_FIELD(ata_queued, fua),
			STATE_ARRAY(ata_queued, pad),
			STATE_END,
		},
};

static const struct state_desc taskfile_state = {
	.name = "ata-taskfile",
	.version = 1,
	.span_offset = 0,
	.span_bytes = sizeof(struct ata_taskfile),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(ata_taskfile, feature),
			STATE_FIELD(ata_taskfile, count),
			STATE_FIELD(ata_taskfile, low),
			STATE_FIELD(ata_taskfile, mid),
			STATE_FIELD(ata_taskfile, high),
			STATE_FIELD(ata_taskfile, hob_feature),
			STATE_FIELD(ata_taskfile, hob_count),
			STATE_FIELD(ata_taskfile, hob_low),
			STATE_FIELD(ata_taskfile, hob_mid),
			STATE_FIELD(ata_taskfile, hob_high),
			STATE_FIELD(ata_taskfile, device),
			STATE_FIELD(ata_taskfile, error),
			STATE_FIELD(ata_taskfile, status),
			STATE_FIELD(ata_taskfile, pad),
			STATE_END,
		},
};

static const struct state_desc ata_state = {
	.name = "ata",
	.version = 1,
	STATE_SPAN(ata_device),
	.pre_save = ata_pre_save,
	.post_load = ata_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(ata_device, lba),
			STATE_FIELD(ata_device, queue_error_lba),
			STATE_FIELD(ata_device, left),
			STATE_FIELD(ata_device, chunk),
			STATE_FIELD(ata_device, pos),
			STATE_FIELD(ata_device, len),
			STATE_FIELD(ata_device, drq_end),
			STATE_FIELD(ata_device, active),
			STATE_FIELD(ata_device, sector_bytes),
			STATE_FIELD(ata_device, packet_limit),
			STATE_FIELD(ata_device, cur_cyls),
			STATE_FIELD(ata_device, cur_heads),
			STATE_FIELD(ata_device, cur_secs),
			STATE_FIELD(ata_device, trim_pos),
			STATE_STRUCT(ata_device, tf, taskfile_state),
			STATE_STRUCT(ata_device, mmc, mmc_drive_state),
			STATE_FIELD(ata_device, op),
			STATE_FIELD(ata_device, phase),
			STATE_FIELD(ata_device, command),
			STATE_FIELD(ata_device, block_sectors),
			STATE_FIELD(ata_device, multiple),
			STATE_FIELD(ata_device, transfer_mode),
			STATE_FIELD(ata_device, queue_error_tag),
			STATE_FIELD(ata_device, queue_error_status),
			STATE_FIELD(ata_device, queue_error),
			STATE_ARRAY(ata_device, cdb),
			STATE_FIELD(ata_device, use_dma),
			STATE_FIELD(ata_device, lba48),
			STATE_FIELD(ata_device, fua),
			STATE_FIELD(ata_device, intrq),
			STATE_FIELD(ata_device, smart),
			STATE_FIELD(ata_device, smart_autosave),
			STATE_FIELD(ata_device, write_cache),
			STATE_FIELD(ata_device, read_ahead),
			STATE_FIELD(ata_device, standby),
			STATE_FIELD(ata_device, queue_failed),
			STATE_ARRAY(ata_device, pad),
			STATE_STRUCT_ARRAY(ata_device, queue, queued_state),
			STATE_ARRAY(ata_device, buffer),
			STATE_END,
		},
};

#define DRIVE_PROPS                                                                             \
	BLOCK_CONF_PROPS(ata_device, conf),                                                     \
		DEFINE_PROP_STR(ata_device, bus_name, "bus", NULL, "IDE bus, such as ide.0"),   \
		DEFINE_PROP(ata_device, unit, "unit", PROP_U32, UNIT_AUTO, "place on the bus"), \
		DEFINE_PROP(ata_device, wwn, "wwn", PROP_U64, 0, "world wide name"),            \
		DEFINE_PROP_STR(ata_device, serial, "serial", NULL, "serial number"),           \
		DEFINE_PROP_STR(ata_device, model, "model", NULL, "model name"),                \
		DEFINE_PROP_STR(ata_device, version, "ver", "2.5+", "firmware revision")

static const struct device_prop hd_props[] = {
	DRIVE_PROPS,
	DEFINE_PROP(ata_device, cyls, "cyls", PROP_U32, 0, "cylinders (0: a guess)"),
	DEFINE_PROP(ata_device, heads, "heads", PROP_U32, 0, "heads (0: a guess)"),
	DEFINE_PROP(ata_device, secs, "secs", PROP_U32, 0, "sectors of a track (0: a guess)"),
	DEFINE_PROP(ata_device, rotation_rate, "rotation_rate", PROP_U16, 0,
		    "revolutions a minute; 1: it doesn't turn; 0: unsaid"),
	DEFINE_PROP_END,
};

static const struct device_prop cd_props[] = {
	DRIVE_PROPS,
	DEFINE_PROP_END,
};

static char *drive_fw_path(struct device *dev)
{
	const struct ide_bus *bus = ata_of(dev)->bus;
	char *controller = device_fw_path(bus->bus.owner), *path;

	if (!controller)
		return NULL;
	path = xasprintf("%s/drive@%x", controller, bus->channel);
	free(controller);
	return path;
}

/* What the strings may have, by the words of IDENTIFY. */
static bool check_strings(struct ata_device *ata, struct error *err)
{
	const char *name = ata->dev.type->name;

	if (!ata->serial)
		ata->serial = xasprintf("QM%05u", bus_index(ata->bus) * 2 + ata->unit + 1);
	if (!ata->model)
		ata->model = xstrdup(ata->is_cd ? "QEMU DVD-ROM" : "QEMU HARDDISK");
	if (strlen(ata->serial) > 20)
		return error_set(err, "%s: serial has more than 20 characters", name);
	if (strlen(ata->model) > 40)
		return error_set(err, "%s: model has more than 40 characters", name);
	if (strlen(ata->version) > 8)
		return error_set(err, "%s: ver has more than 8 characters", name);
	return true;
}

static bool drive_realize(struct device *dev, bool is_cd, struct error *err)
{
	struct ata_device *ata = ata_of(dev);

	ata->is_cd = is_cd;
	if (!choose_place(ata, err) || !check_strings(ata, err))
		return false;
	if (!is_cd && ata->conf.logical_block_size && ata->conf.logical_block_size != ATA_SECTOR)
		return error_set(err, "%s: logical_block_size must be 512 for IDE",
				 dev->type->name);
	if (!is_cd)
		ata->conf.logical_block_size = ATA_SECTOR;
	if (!block_conf_attach(&ata->conf, dev, is_cd ? &cd_ops : &disk_ops, ata, is_cd, is_cd,
			       err))
		return false;
	if (!is_cd) {
		ata->sectors = block_bytes(ata->conf.block) / ATA_SECTOR;
		ata->cache_at_reset = block_write_cache(ata->conf.block);
		if (!ata_guess_geometry(ata, err)) {
			block_detach(ata->conf.block);
			return false;
		}
	}
	if (!boot_index_add(dev->machine, ata->conf.bootindex, dev, ata->unit ? "disk@1" : "disk@0",
			    err)) {
		if (ata->conf.block)
			block_detach(ata->conf.block);
		return false;
	}
	ata->mmc.block = ata->conf.block;
	ata->mmc.atapi = true;
	ata->mmc.vendor = "QEMU";
	ata->mmc.product = ata->model;
	ata->mmc.revision = ata->version;
	ata->mmc.serial = ata->serial;
	ata->io = ata_io_new(ata, ATA_NO_TAG, ATA_BUFFER);
	ata->port->ata = ata;
	return true;
}

static bool hd_realize(struct device *dev, struct error *err)
{
	return drive_realize(dev, false, err);
}

static bool cd_realize(struct device *dev, struct error *err)
{
	return drive_realize(dev, true, err);
}

/* What the block engine still has is freed when it gives it back. */
static void release_io(struct ata_io *io)
{
	if (io && io->busy)
		io->ata = NULL;
	else
		free(io);
}

static void drive_unrealize(struct device *dev)
{
	struct ata_device *ata = ata_of(dev);

	boot_index_remove(dev->machine, dev);
	ata_settle(ata);
	ata_set_intrq(ata, false);
	ata->port->ata = NULL;
	release_io(ata->io);
	for (unsigned tag = 0; tag < ATA_QUEUE; tag++)
		release_io(ata->queue_io[tag]);
	if (ata->conf.block)
		block_detach(ata->conf.block);
}

const struct device_type ide_hd_type = {
	.name = "ide-hd",
	.desc = "ATA hard disk",
	.bus = BUS_IDE,
	.user_creatable = true,
	.size = sizeof(struct ata_device),
	.props = hd_props,
	.state = &ata_state,
	.realize = hd_realize,
	.reset = drive_reset,
	.unrealize = drive_unrealize,
	.fw_path = drive_fw_path,
};

const struct device_type ide_cd_type = {
	.name = "ide-cd",
	.desc = "ATAPI CD-ROM",
	.bus = BUS_IDE,
	.user_creatable = true,
	.size = sizeof(struct ata_device),
	.props = cd_props,
	.state = &ata_state,
	.realize = cd_realize,
	.reset = drive_reset,
	.unrealize = drive_unrealize,
	.fw_path = drive_fw_path,
};
