/* SPDX-License-Identifier: BSD-2-Clause */
/* Drives: where each belongs on the board, and what happens to the machine when one fails. */
#include <errno.h>
#include <stdlib.h>
#include "io/block/block_internal.h"
#include "src/bus.h"
#include "src/drive.h"
#include "src/events.h"
#include "src/machine.h"

/* How long the end of the machine waits for a host that doesn't answer. */
#define DRAIN_NS (10 * NS_PER_SEC)

static const struct {
	const char *name;
	unsigned units;
} interfaces[] = {
	[DRIVE_IF_DEFAULT] = {"default", 0}, [DRIVE_IF_NONE] = {"none", 0},
	[DRIVE_IF_IDE] = {"ide", 2},	     [DRIVE_IF_SCSI] = {"scsi", 7},
	[DRIVE_IF_FLOPPY] = {"floppy", 0},   [DRIVE_IF_PFLASH] = {"pflash", 0},
	[DRIVE_IF_MTD] = {"mtd", 0},	     [DRIVE_IF_SD] = {"sd", 0},
	[DRIVE_IF_VIRTIO] = {"virtio", 0},
};

unsigned drive_if_units(const struct machine *m, enum drive_if type)
{
	if (type == DRIVE_IF_IDE && m->config.type->ide_units)
		return m->config.type->ide_units;
	return interfaces[type].units;
}

const char *drive_if_name(enum drive_if type)
{
	return interfaces[type].name;
}

struct drive *drive_get(struct machine *m, enum drive_if type, unsigned bus, unsigned unit)
{
	list_for_each(it, &m->drives) {
		struct drive *d = list_entry(it, struct drive, node);

		if (d->type == type && d->bus == bus && d->unit == unit)
			return d;
	}
	return NULL;
}

/* ---- the place on the board ---- */

struct place {
	enum drive_if type;
	uint64_t bus, unit, index;
	bool bus_given, unit_given, index_given, cdrom, media_given;
};

static bool parse_if(struct block_options *o, struct place *p, struct error *err)
{
	char *word = NULL;
	bool ok = block_options_str(o, "if", &word, err);

	for (unsigned i = DRIVE_IF_NONE; ok && word && i < ARRAY_SIZE(interfaces); i++)
		if (!strcmp(word, interfaces[i].name))
			p->type = i;
	if (ok && word && p->type == DRIVE_IF_DEFAULT)
		ok = error_set(err, "unsupported bus type '%s'", word);
	free(word);
	return ok;
}

static bool parse_media(struct block_options *o, struct place *p, struct error *err)
{
	char *word = NULL;
	bool ok = block_options_str(o, "media", &word, err);

	p->media_given = word;
	if (ok && word) {
		p->cdrom = !strcmp(word, "cdrom");
		if (!p->cdrom && strcmp(word, "disk"))
			ok = error_set(err, "'%s' invalid media (disk or cdrom)", word);
	}
	free(word);
	return ok;
}

static bool find_place(struct machine *m, struct place *p, struct error *err)
{
	unsigned units;

	if (p->type == DRIVE_IF_DEFAULT)
		p->type = m->config.type->default_drive ? m->config.type->default_drive
							: DRIVE_IF_IDE;
	units = drive_if_units(m, p->type);
	if (p->index_given) {
		if (p->bus_given || p->unit_given)
			return error_set(err, "index cannot be used with bus and unit");
		p->bus = units ? p->index / units : 0;
		p->unit = units ? p->index % units : p->index;
	} else if (!p->unit_given) {
		/* The first that is free. */
		while (drive_get(m, p->type, (unsigned)p->bus, (unsigned)p->unit)) {
			p->unit++;
			if (units && p->unit >= units) {
				p->unit -= units;
				p->bus++;
			}
		}
	}
	if (units && p->unit >= units)
		return error_set(err, "unit %llu too big (max is %u)", (unsigned long long)p->unit,
				 units - 1);
	if (p->bus > 255 || p->unit > 255)
		return error_set(err, "bus and unit are 255 at most");
	if (p->type != DRIVE_IF_NONE && drive_get(m, p->type, (unsigned)p->bus, (unsigned)p->unit))
		return error_set(err, "drive with bus=%llu, unit=%llu (index=%llu) exists",
				 (unsigned long long)p->bus, (unsigned long long)p->unit,
				 (unsigned long long)(p->bus * units + p->unit));
	return true;
}

static bool parse_place(struct machine *m, struct block_options *o, struct place *p,
			struct error *err)
{
	p->bus_given = block_options_has(o, "bus");
	p->unit_given = block_options_has(o, "unit");
	p->index_given = block_options_has(o, "index");
	return parse_if(o, p, err) && parse_media(o, p, err) &&
	       block_options_u64(o, "bus", &p->bus, err) &&
	       block_options_u64(o, "unit", &p->unit, err) &&
	       block_options_u64(o, "index", &p->index, err) && find_place(m, p, err);
}

/* "ide0-hd0", "ide1-cd0", "floppy0", "virtio0". */
static char *default_id(const struct place *p)
{
	const char *media =
		p->type == DRIVE_IF_IDE || p->type == DRIVE_IF_SCSI ? p->cdrom ? "-cd" : "-hd" : "";

	if (interfaces[p->type].units)
		return xasprintf("%s%u%s%u", interfaces[p->type].name, (unsigned)p->bus, media,
				 (unsigned)p->unit);
	return xasprintf("%s%s%u", interfaces[p->type].name, media, (unsigned)p->unit);
}

/* ---- -drive ---- */

/* What a drive's keys say about the disk, as opposed to its image. */
struct drive_policy {
	char *rerror, *werror;
	bool writeback, snapshot, account_invalid, account_failed;
	char *throttle_group;
	struct throttle_config throttle;
};

static bool set_cache_mode(struct block_options *o, const char *mode, bool *writeback,
			   struct error *err)
{
	static const struct {
		const char *name;
		bool direct, no_flush, writeback;
	} modes[] = {
		{"none", true, false, true},	    {"off", true, false, true},
		{"writeback", false, false, true},  {"writethrough", false, false, false},
		{"directsync", true, false, false}, {"unsafe", false, true, true},
	};
	json_t *cache = json_object_get(o->json, "cache");

	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(mode, modes[i].name))
			continue;
		*writeback = modes[i].writeback;
		if (!cache) {
			cache = json_object();
			json_object_set_new(o->json, "cache", cache);
		}
		/* cache.direct and the like, where given, have the last word. */
		if (!json_object_get(cache, "direct"))
			json_object_set_new(cache, "direct", json_boolean(modes[i].direct));
		if (!json_object_get(cache, "no-flush"))
			json_object_set_new(cache, "no-flush", json_boolean(modes[i].no_flush));
		return true;
	}
	return error_set(err,
			 "invalid cache option '%s' (none, writeback, writethrough, directsync or "
			 "unsafe)",
			 mode);
}

/* "cache" is a word or an object; with both, the command line's parser has the word under "cache-mode". */
static bool parse_cache(struct block_options *o, struct drive_policy *p, struct error *err)
{
	json_t *cache = json_object_get(o->json, "cache");
	struct block_options sub;
	char *mode = NULL;
	bool ok = true;

	if (json_is_string(cache)) {
		mode = xstrdup(json_string_value(cache));
		json_object_del(o->json, "cache");
	} else {
		ok = block_options_str(o, "cache-mode", &mode, err);
	}
	if (ok && mode)
		ok = set_cache_mode(o, mode, &p->writeback, err);
	free(mode);
	cache = json_object_get(o->json, "cache");
	if (!ok || !json_is_object(cache))
		return ok;
	json_incref(cache);
	block_options_init(&sub, cache);
	ok = block_options_bool(&sub, "writeback", &p->writeback, err);
	block_options_fini(&sub);
	return ok;
}

/* throttling.*, and the older words for it. */
static bool parse_throttle(struct block_options *o, struct drive_policy *p, struct error *err)
{
	static const struct {
		const char *old, *key;
	} renamed[] = {
		{"iops", "iops-total"},
		{"iops_rd", "iops-read"},
		{"iops_wr", "iops-write"},
		{"bps", "bps-total"},
		{"bps_rd", "bps-read"},
		{"bps_wr", "bps-write"},
		{"iops_max", "iops-total-max"},
		{"iops_rd_max", "iops-read-max"},
		{"iops_wr_max", "iops-write-max"},
		{"bps_max", "bps-total-max"},
		{"bps_rd_max", "bps-read-max"},
		{"bps_wr_max", "bps-write-max"},
		{"iops_size", "iops-size"},
		{"group", "group"},
	};
	json_t *json = block_options_take(o, "throttling");
	struct block_options sub;
	bool any, ok = true;

	if (json && !json_is_object(json)) {
		json_decref(json);
		return error_set(
			err,
			"'throttling' has a value: throttling.iops-total=N and the like are meant");
	}
	block_options_init(&sub, json);
	for (unsigned i = 0; i < ARRAY_SIZE(renamed); i++) {
		json_t *value = block_options_take(o, renamed[i].old);

		if (value && block_options_has(&sub, renamed[i].key)) {
			json_decref(value);
			ok = ok &&
			     error_set(err,
				       "'throttling.%s' and its alias '%s' can't be used at the "
				       "same time",
				       renamed[i].key, renamed[i].old);
		} else if (value) {
			json_object_set_new(sub.json, renamed[i].key, value);
		}
	}
	ok = ok && throttle_config_take(&sub, &p->throttle, &any, err) &&
	     block_options_str(&sub, "group", &p->throttle_group, err) &&
	     block_options_check_unused(&sub, err);
	block_options_fini(&sub);
	return ok;
}

static bool parse_policy(struct block_options *o, struct drive_policy *p, struct error *err)
{
	bool copy_on_read = false;

	p->writeback = p->account_invalid = p->account_failed = true;
	if (!block_options_str(o, "rerror", &p->rerror, err) ||
	    !block_options_str(o, "werror", &p->werror, err) || !parse_cache(o, p, err) ||
	    !parse_throttle(o, p, err) || !block_options_bool(o, "snapshot", &p->snapshot, err) ||
	    !block_options_bool(o, "stats-account-invalid", &p->account_invalid, err) ||
	    !block_options_bool(o, "stats-account-failed", &p->account_failed, err) ||
	    !block_options_bool(o, "copy-on-read", &copy_on_read, err))
		return false;
	return !copy_on_read || error_set(err, "copy-on-read is for images with a backing file");
}

static bool apply_policy(struct block *b, const struct drive_policy *p, struct error *err)
{
	if (p->rerror && !block_on_error_parse(p->rerror, true, &b->on_read_error, err))
		return false;
	if (p->werror && !block_on_error_parse(p->werror, false, &b->on_write_error, err))
		return false;
	b->write_cache = p->writeback;
	b->stats.account_invalid = p->account_invalid;
	b->stats.account_failed = p->account_failed;
	if (throttle_config_any(&p->throttle))
		block_set_throttle(b, p->throttle_group ? p->throttle_group : block_id(b),
				   &p->throttle);
	return true;
}

static bool rename_key(struct block_options *o, const char *old, const char *key,
		       const char *complaint, struct error *err)
{
	json_t *value = json_object_get(o->json, old);

	if (!value)
		return true;
	if (block_options_has(o, key))
		return error_set(err, "%s", complaint);
	json_object_set(o->json, key, value);
	json_object_del(o->json, old);
	return true;
}

/* Old spellings, and what has another default here than in -blockdev. */
static bool set_image_defaults(struct block_options *o, bool cdrom, struct error *err)
{
	if (!rename_key(o, "readonly", "read-only",
			"'read-only' and its alias 'readonly' can't be used at the same time",
			err) ||
	    !rename_key(o, "format", "driver", "Cannot specify both 'driver' and 'format'", err))
		return false;
	if (!json_object_get(o->json, "auto-read-only"))
		json_object_set_new(o->json, "auto-read-only", json_true());
	if (cdrom && !json_object_get(o->json, "read-only"))
		json_object_set_new(o->json, "read-only", json_true());
	return true;
}

static bool has_image(const struct block_options *o)
{
	json_t *file = json_object_get(o->json, "file");

	if (json_is_string(file))
		return *json_string_value(file);
	return file || json_object_get(o->json, "driver") || json_object_get(o->json, "filename");
}

static bool open_image(struct block *b, struct block_options *o, bool snapshot, struct error *err)
{
	struct block_node *root;

	if (!has_image(o)) {
		/* Nothing in the drive: what is said of an image is for none. */
		json_object_del(o->json, "file");
		return true;
	}
	root = drive_open_node(b->loop, json_incref(o->json), snapshot, err);
	if (!root)
		return false;
	if (block_insert_medium(b, root, err))
		return true;
	block_node_unref(root);
	return false;
}

static struct block *make_block(struct loop *loop, struct block_options *o, const char *id,
				bool cdrom, bool snapshot, struct error *err)
{
	struct drive_policy policy = {.snapshot = snapshot};
	struct block *b = block_new(loop, id, err);

	if (!b)
		return NULL;
	if (!set_image_defaults(o, cdrom, err) || !parse_policy(o, &policy, err) ||
	    !apply_policy(b, &policy, err) || !open_image(b, o, policy.snapshot, err)) {
		block_free(b);
		b = NULL;
	}
	free(policy.rerror);
	free(policy.werror);
	free(policy.throttle_group);
	return b;
}

struct block *drive_new_block(struct loop *loop, json_t *options, struct error *err)
{
	struct block_options o;
	struct block *b = NULL;
	char *id = NULL;

	LOOP_ASSERT();
	block_options_init(&o, options);
	if (block_options_str(&o, "id", &id, err))
		b = make_block(loop, &o, id ? id : "disk0", false, false, err);
	free(id);
	block_options_fini(&o);
	return b;
}

static bool add_block(struct machine *m, struct block_options *o, const struct place *p,
		      bool is_default, struct error *err)
{
	struct drive *d;
	struct block *b;
	char *id = NULL;

	if (!block_options_str(o, "id", &id, err))
		return false;
	if (!id)
		id = default_id(p);
	b = make_block(m->loop, o, id, p->cdrom, m->config.snapshot, err);
	free(id);
	if (!b)
		return false;
	d = xzalloc(sizeof(*d));
	d->type = p->type;
	d->bus = (unsigned)p->bus;
	d->unit = (unsigned)p->unit;
	d->media_cdrom = p->cdrom;
	d->is_default = is_default;
	d->block = b;
	list_push_back(&m->drives, &d->node);
	return true;
}

static bool add(struct machine *m, json_t *options, bool is_default, struct error *err)
{
	struct place place = {.type = DRIVE_IF_DEFAULT};
	struct block_options o;
	bool ok;

	LOOP_ASSERT();
	block_options_init(&o, options);
	ok = parse_place(m, &o, &place, err) && add_block(m, &o, &place, is_default, err);
	block_options_fini(&o);
	return ok;
}

bool drive_add(struct machine *m, json_t *options, struct error *err)
{
	return add(m, options, false, err);
}

static bool is_below(const struct device *dev, const struct device *top)
{
	while (dev && dev != top)
		dev = dev->parent_bus ? dev->parent_bus->owner : NULL;
	return dev;
}

void drives_leave_with(struct machine *m, const struct device *dev)
{
	LOOP_ASSERT();
	list_for_each_safe(it, &m->drives) {
		struct drive *d = list_entry(it, struct drive, node);

		if (!d->block->dev || !is_below(d->block->dev, dev))
			continue;
		/* Without a name, a disk ends when its device lets go of it. */
		block_make_anonymous(d->block);
		list_remove(&d->node);
		free(d);
	}
}

bool drive_del(struct machine *m, const char *id, struct error *err)
{
	struct block *b = block_by_id(id);

	LOOP_ASSERT();
	if (!b)
		return error_set(err, "Device '%s' not found", id);
	list_for_each_safe(it, &m->drives) {
		struct drive *d = list_entry(it, struct drive, node);

		if (d->block != b)
			continue;
		list_remove(&d->node);
		free(d);
	}
	block_remove_medium(b);
	block_cancel_held(b);
	block_make_anonymous(b);
	return true;
}

bool drive_add_defaults(struct machine *m, struct error *err)
{
	const struct machine_type *type = m->config.type;
	unsigned units = drive_if_units(m, DRIVE_IF_IDE);

	if (m->config.nodefaults)
		return true;
	if (type->default_cdrom && !m->config.no_default_cdrom &&
	    !drive_get(m, DRIVE_IF_IDE, 2 / units, 2 % units) &&
	    !add(m, json_pack("{s:s,s:s,s:i}", "if", "ide", "media", "cdrom", "index", 2), true,
		 err))
		return false;
	return !type->default_floppy || m->config.no_default_floppy ||
	       drive_get(m, DRIVE_IF_FLOPPY, 0, 0) ||
	       add(m, json_pack("{s:s,s:i}", "if", "floppy", "index", 0), true, err);
}

bool drive_create_devices(struct machine *m, struct error *err)
{
	static const char *const names[] = {"virtio-blk-pci", "virtio-blk-device"};
	const struct device_type *type;

	list_for_each(it, &m->drives) {
		struct drive *d = list_entry(it, struct drive, node);
		struct device *dev;

		if (d->type != DRIVE_IF_VIRTIO || d->claimed || d->block->dev)
			continue;
		type = device_type_find(names[m->pci == NULL]);
		if (!type)
			break;
		dev = device_new(m, type, NULL);
		if (!device_set_prop(dev, "drive", block_id(d->block), err) ||
		    !device_realize(dev, err)) {
			error_prefix(err, "-drive if=virtio,id=%s: ", block_id(d->block));
			device_unrealize(dev);
			return false;
		}
	}
	return true;
}

bool drive_check_claimed(struct machine *m, struct error *err)
{
	list_for_each(it, &m->drives) {
		const struct drive *d = list_entry(it, struct drive, node);

		if (d->type == DRIVE_IF_NONE || d->is_default || d->claimed || d->block->dev)
			continue;
		return error_set(err,
				 "-drive id=%s: machine type does not support if=%s,bus=%u,unit=%u",
				 block_id(d->block), drive_if_name(d->type), d->bus, d->unit);
	}
	return true;
}

/* ---- -blockdev ---- */

bool blockdev_add(struct loop *loop, json_t *options, struct error *err)
{
	static const struct block_flags none;
	struct block_options o;
	struct block_node *n = NULL;

	LOOP_ASSERT();
	block_options_init(&o, options);
	if (!block_options_has(&o, "node-name"))
		error_set(err, "'node-name' must be specified for the root node");
	else
		n = block_node_open(loop, &o, &none, err);
	block_options_fini(&o);
	if (n)
		n->monitor_owned = true;
	return n != NULL;
}

bool blockdev_del(const char *name, struct error *err)
{
	struct block_node *n = block_node_find(name);

	LOOP_ASSERT();
	if (!n)
		return error_set(err, "Failed to find node with node-name='%s'", name);
	if (!n->monitor_owned)
		return error_set(err, "Node %s is not owned by the monitor", name);
	if (n->block || n->parent)
		return error_set(err, "Block device %s is in use", name);
	n->monitor_owned = false;
	block_node_unref(n);
	return true;
}

/* ---- the machine's side ---- */

static void on_io_error(void *opaque, struct block *b, bool is_read, enum block_on_error action,
			int errnum)
{
	static const char *const actions[] = {
		[BLOCK_ERROR_REPORT] = "report",
		[BLOCK_ERROR_IGNORE] = "ignore",
		[BLOCK_ERROR_STOP] = "stop",
	};
	const char *node = b->root ? b->root->name : NULL;

	qmp_event_emit(opaque, "BLOCK_IO_ERROR",
		       json_pack("{s:s,s:s*,s:s,s:s,s:b,s:s}", "device", block_id(b), "node-name",
				 node, "operation", is_read ? "read" : "write", "action",
				 actions[action], "nospace", errnum == ENOSPC, "reason",
				 strerror(errnum)));
	if (action == BLOCK_ERROR_STOP)
		machine_stop_io_error(opaque);
}

static void on_tray_moved(void *opaque, struct block *b, bool open)
{
	char *path = b->dev && !b->dev->id ? device_path(b->dev) : NULL;
	const char *id = !b->dev ? "" : path ? path : b->dev->id;

	qmp_event_emit(opaque, "DEVICE_TRAY_MOVED",
		       json_pack("{s:s,s:s,s:b}", "device", block_id(b), "id", id, "tray-open",
				 open));
	free(path);
}

static void on_idle(void *opaque)
{
	struct machine *m = opaque;

	loop_work_schedule(&m->control_work);
}

static const struct block_host_ops host_ops = {
	.io_error = on_io_error,
	.tray_moved = on_tray_moved,
	.idle = on_idle,
};

void drives_init(struct machine *m)
{
	list_init(&m->drives);
	block_set_host(&host_ops, m);
}

void drives_retry(struct machine *m)
{
	block_retry_held();
}

bool drives_idle(struct machine *m)
{
	return block_when_idle();
}

bool drives_drain(struct machine *m)
{
	return block_drain(m->loop, DRAIN_NS);
}

void drives_free(struct machine *m)
{
	list_for_each_safe(it, &m->drives) {
		struct drive *d = list_entry(it, struct drive, node);

		block_free(d->block);
		free(d);
	}
	list_init(&m->drives);
	/* What stands on another goes first. */
	for (struct list *it = block_nodes()->next; it != block_nodes();) {
		struct block_node *n = list_entry(it, struct block_node, node);

		it = it->next;
		if (!n->monitor_owned || n->parent)
			continue;
		n->monitor_owned = false;
		block_node_unref(n);
		it = block_nodes()->next;
	}
	block_req_pool_empty();
	block_set_host(NULL, NULL);
}
