/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing disks while the guest runs: nodes, media, sizes, limits, histograms. */
#include "io/block/ahead.h"
#include "io/block/block_internal.h"
#include "monitor/block.h"
#include "src/drive.h"

static const char *str(json_t *args, const char *key)
{
	return json_string_value(json_object_get(args, key));
}

static bool is_true(json_t *args, const char *key)
{
	return json_is_true(json_object_get(args, key));
}

/* ---- which disk ---- */

static struct block *block_of_device(const char *id)
{
	list_for_each(it, block_all()) {
		struct block *b = list_entry(it, struct block, node);

		if (block_is_qdev(b, id))
			return b;
	}
	return NULL;
}

/* "device" is the disk's own id, "id" that of the device that has it. */
static struct block *find_block(struct command_call *call, json_t *args)
{
	const char *device = str(args, "device"), *id = str(args, "id");
	struct block *b;

	if (!device == !id) {
		command_fail(call, "Need exactly one of 'device' and 'id'");
		return NULL;
	}
	b = id ? block_of_device(id) : block_by_id(device);
	if (!b && id && block_by_id(id))
		b = block_by_id(id);
	if (!b)
		command_fail_class(call, QMP_DEVICE_NOT_FOUND, "Device '%s' not found",
				   id ? id : device);
	return b;
}

/* Ends a command whose work returned OK. */
static json_t *answer(struct command_call *call, bool ok, struct error *err)
{
	return ok ? command_ok() : command_fail_error(call, err);
}

/* What makes the loop wait for the host is done ahead by a worker; then CALL goes on here. */
static void go_on(struct command_call *call, bool ending, command_fn *fn)
{
	command_complete(call, ending ? command_fail(call, "evmm ends") : fn(call, call->args));
}

/* ---- nodes ---- */

static json_t *do_blockdev_add(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;

	return answer(call, blockdev_add(call->machine->loop, json_deep_copy(args), &err), &err);
}

static void blockdev_looked_at(void *opaque, bool ending)
{
	go_on(opaque, ending, do_blockdev_add);
}

static json_t *cmd_blockdev_add(struct command_call *call, json_t *args)
{
	block_ahead_open(call->machine->workers, args, blockdev_looked_at, call);
	return NULL;
}

static json_t *cmd_blockdev_del(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;

	return answer(call, blockdev_del(str(args, "node-name"), &err), &err);
}

/* NULL after command_fail(). */
static struct block_node *node_to_resize(struct command_call *call, json_t *args)
{
	const char *device = str(args, "device"), *node = str(args, "node-name");
	json_int_t size = json_integer_value(json_object_get(args, "size"));
	struct block_node *n = node ? block_node_find(node) : NULL;
	struct block *b = device ? block_by_id(device) : NULL;

	if (!device && !node) {
		command_fail(call, "Need exactly one of 'device' and 'node-name'");
		return NULL;
	}
	if (device && !b) {
		command_fail_class(call, QMP_DEVICE_NOT_FOUND,
				   "Cannot find device='%s' nor node-name='%s'", device,
				   node ? node : "");
		return NULL;
	}
	if (node && !n) {
		command_fail(call, "Cannot find device='%s' nor node-name='%s'",
			     device ? device : "", node);
		return NULL;
	}
	n = n ? n : b->root;
	if (!n) {
		command_fail(call, "Device '%s' has no medium", device);
		return NULL;
	}
	if (size < 0) {
		command_fail(call, "Parameter 'size' expects a >0 size");
		return NULL;
	}
	return n;
}

static uint64_t new_size(json_t *args)
{
	return (uint64_t)json_integer_value(json_object_get(args, "size"));
}

static json_t *do_block_resize(struct command_call *call, json_t *args)
{
	struct block_node *n = node_to_resize(call, args);
	struct error err = ERROR_INIT;

	return n ? answer(call, block_node_resize(n, new_size(args), &err), &err) : NULL;
}

static void truncated(void *opaque, bool ending)
{
	go_on(opaque, ending, do_block_resize);
}

static json_t *cmd_block_resize(struct command_call *call, json_t *args)
{
	struct block_node *n = node_to_resize(call, args);

	if (n)
		block_ahead_resize(call->machine->workers, n, new_size(args), truncated, call);
	return NULL;
}

/* ---- media ---- */

static json_t *cmd_open_tray(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	struct error err = ERROR_INIT;

	if (!b)
		return NULL;
	/* The guest has been asked, and may open it itself. */
	if (!block_open_tray(b, is_true(args, "force"), &err) && block_is_removable(b))
		error_clear(&err);
	return answer(call, !error_is_set(&err), &err);
}

static json_t *cmd_close_tray(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	struct error err = ERROR_INIT;

	return b ? answer(call, block_close_tray(b, &err), &err) : NULL;
}

static json_t *cmd_eject(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	struct error err = ERROR_INIT;

	if (!b)
		return NULL;
	return answer(call,
		      block_open_tray(b, is_true(args, "force"), &err) &&
			      block_take_medium_out(b, &err),
		      &err);
}

static json_t *cmd_remove_medium(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	struct error err = ERROR_INIT;

	return b ? answer(call, block_take_medium_out(b, &err), &err) : NULL;
}

static json_t *do_insert_medium(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	const char *name = str(args, "node-name");
	struct block_node *n = block_node_find(name);
	struct error err = ERROR_INIT;

	if (!b)
		return NULL;
	if (!n)
		return command_fail(call, "Node '%s' not found", name);
	if (block_put_medium_in(b, block_node_ref(n), &err))
		return command_ok();
	block_node_unref(n);
	return command_fail_error(call, &err);
}

static void node_looked_at(void *opaque, bool ending)
{
	go_on(opaque, ending, do_insert_medium);
}

static json_t *cmd_insert_medium(struct command_call *call, json_t *args)
{
	block_ahead_attach(call->machine->workers, str(args, "node-name"), node_looked_at, call);
	return NULL;
}

/* The image, before anything is done with the old one. */
static struct block_node *open_medium(struct block *b, json_t *args, struct error *err)
{
	const char *format = str(args, "format"), *mode = str(args, "read-only-mode");
	bool read_only = block_read_only(b);
	struct block_node *n;

	if (mode && strcmp(mode, "retain"))
		read_only = !strcmp(mode, "read-only");
	/* Nothing was in: a CD can only be read. */
	else if (!block_has_medium(b))
		read_only = block_has_tray(b);
	n = drive_open_node(b->loop,
			    json_pack("{s:s,s:s*,s:b,s:b}", "file", str(args, "filename"), "driver",
				      format, "read-only", read_only, "auto-read-only", !mode),
			    false, err);
	return n;
}

static json_t *do_change_medium(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	struct error err = ERROR_INIT;
	struct block_node *n;

	if (!b)
		return NULL;
	n = open_medium(b, args, &err);
	if (!n)
		return command_fail_error(call, &err);
	if (block_open_tray(b, is_true(args, "force"), &err) && block_take_medium_out(b, &err) &&
	    block_put_medium_in(b, n, &err))
		return answer(call, block_close_tray(b, &err), &err);
	block_node_unref(n);
	return command_fail_error(call, &err);
}

static void medium_looked_at(void *opaque, bool ending)
{
	go_on(opaque, ending, do_change_medium);
}

static json_t *cmd_change_medium(struct command_call *call, json_t *args)
{
	if (find_block(call, args))
		block_ahead_open(call->machine->workers, args, medium_looked_at, call);
	return NULL;
}

/* ---- limits and histograms ---- */

static uint64_t number(json_t *args, const char *word, const char *suffix, uint64_t otherwise,
		       bool *negative)
{
	char key[64];
	json_t *value;

	snprintf(key, sizeof(key), "%s%s", word, suffix);
	value = json_object_get(args, key);
	if (!value)
		return otherwise;
	*negative |= json_integer_value(value) < 0;
	return (uint64_t)json_integer_value(value);
}

static json_t *cmd_set_throttle(struct command_call *call, json_t *args)
{
	struct block *b = find_block(call, args);
	const char *group = str(args, "group");
	struct throttle_config c = {.iops_size = 0};
	struct error err = ERROR_INIT;
	bool negative = false;

	if (!b)
		return NULL;
	if (!b->root)
		return command_fail(call, "Device has no medium");
	for (unsigned i = 0; i < THROTTLE_LIMITS; i++) {
		c.of[i].avg = number(args, block_limit_words[i], "", 0, &negative);
		c.of[i].max = number(args, block_limit_words[i], "_max", 0, &negative);
		c.of[i].burst_length = number(args, block_limit_words[i], "_max_length",
					      THROTTLE_BURST_LENGTH, &negative);
	}
	c.iops_size = number(args, "iops_size", "", 0, &negative);
	if (negative)
		return command_fail(call,
				    "bps/iops/max values must be within [0, 1000000000000000]");
	if (!throttle_config_check(&c, &err))
		return command_fail_error(call, &err);
	if (!group)
		group = b->throttle.group      ? throttle_group_name(b->throttle.group)
			: b->dev && b->dev->id ? b->dev->id
					       : block_id(b);
	block_set_throttle(b, group, &c);
	return command_ok();
}

/* Bounds under KEY, else ALL's; no such list: off when there is none at all. */
static bool set_histogram(struct block_histogram *h, json_t *args, const char *key)
{
	json_t *list = json_object_get(args, key);
	uint64_t bounds[BLOCK_HISTOGRAM_MAX];

	list = list ? list : json_object_get(args, "boundaries");
	if (!list) {
		/* Without any list: all are switched off. */
		return json_object_size(args) > 1 || block_histogram_set(h, NULL, 0);
	}
	if (!json_array_size(list) || json_array_size(list) > BLOCK_HISTOGRAM_MAX)
		return false;
	for (unsigned i = 0; i < json_array_size(list); i++) {
		json_int_t bound = json_integer_value(json_array_get(list, i));

		if (bound <= 0)
			return false;
		bounds[i] = (uint64_t)bound;
	}
	return block_histogram_set(h, bounds, (unsigned)json_array_size(list));
}

static json_t *cmd_histogram(struct command_call *call, json_t *args)
{
	static const struct {
		const char *key;
		enum block_acct kind;
	} lists[] = {
		{"boundaries-read", BLOCK_ACCT_READ},
		{"boundaries-write", BLOCK_ACCT_WRITE},
		{"boundaries-flush", BLOCK_ACCT_FLUSH},
	};
	struct block *b = find_block(call, args);

	if (!b)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		if (!set_histogram(&b->stats.of[lists[i].kind].histogram, args, lists[i].key))
			return command_fail(
				call,
				"Device '%s' set %s fail: bounds are above 0 and rise, %d at most",
				str(args, "id"), lists[i].key, BLOCK_HISTOGRAM_MAX);
	return command_ok();
}

/* ---- for people ---- */

struct drive_to_add {
	struct monitor *mon; /* NULL: it is gone, and nothing is added */
	json_t *keys;
};

static void drive_not_wanted(void *opaque)
{
	((struct drive_to_add *)opaque)->mon = NULL;
}

static void drive_looked_at(void *opaque, bool ending)
{
	struct drive_to_add *d = opaque;
	struct error err = ERROR_INIT;

	if (!d->mon || ending) {
		json_decref(d->keys);
	} else {
		if (drive_add(monitor_machine(d->mon), d->keys, &err))
			monitor_printf(d->mon, "OK\n");
		else
			monitor_report(d->mon, &err);
	}
	if (d->mon)
		hmp_finish(d->mon);
	free(d);
}

/* "[[domain:]bus:]slot" is taken for QEMU's sake; only if=none has a meaning at run time. */
static void hmp_drive_add(struct monitor *mon, json_t *args)
{
	struct error err = ERROR_INIT;
	json_t *keys = drive_parse_option(str(args, "opts"), &err);
	const char *type = json_string_value(json_object_get(keys, "if"));
	struct drive_to_add *d;

	if (!keys || !type || strcmp(type, "none")) {
		if (!keys)
			monitor_report(mon, &err);
		else
			monitor_error(
				mon,
				"Can't hot-add drive to type %s: if=none and device_add are the way",
				type ? type : "default");
		json_decref(keys);
		hmp_finish(mon);
		return;
	}
	d = xzalloc(sizeof(*d));
	d->mon = mon;
	d->keys = keys;
	hmp_on_cancel(mon, drive_not_wanted, d);
	block_ahead_open(monitor_machine(mon)->workers, keys, drive_looked_at, d);
}

static void hmp_drive_del(struct monitor *mon, json_t *args)
{
	struct error err = ERROR_INIT;

	if (!drive_del(monitor_machine(mon), str(args, "id"), &err))
		monitor_report(mon, &err);
}

static const struct qapi_type types[] = {
	{QAPI_ENUM, "BlockdevChangeReadOnlyMode", "retain read-only read-write", NULL, NULL},
	{.name = NULL},
};

#define THROTTLE_ARGS                                                                          \
	"?device:str ?id:str bps:int bps_rd:int bps_wr:int iops:int iops_rd:int iops_wr:int "  \
	"?bps_max:int ?bps_rd_max:int ?bps_wr_max:int ?iops_max:int ?iops_rd_max:int "         \
	"?iops_wr_max:int ?bps_max_length:int ?bps_rd_max_length:int ?bps_wr_max_length:int "  \
	"?iops_max_length:int ?iops_rd_max_length:int ?iops_wr_max_length:int ?iops_size:int " \
	"?group:str"

static const struct qmp_command qmp[] = {
	{"blockdev-add", "driver:str ?node-name:str", NULL, cmd_blockdev_add,
	 COMMAND_EXTRA_ARGS | COMMAND_DEFERRED},
	{"blockdev-del", "node-name:str", NULL, cmd_blockdev_del, 0},
	{"block_resize", "?device:str ?node-name:str size:int", NULL, cmd_block_resize,
	 COMMAND_DEFERRED},
	{"block_set_io_throttle", THROTTLE_ARGS, NULL, cmd_set_throttle, 0},
	{"block-latency-histogram-set",
	 "id:str ?boundaries:[int] ?boundaries-read:[int] ?boundaries-write:[int] "
	 "?boundaries-flush:[int]",
	 NULL, cmd_histogram, 0},
	{"blockdev-open-tray", "?device:str ?id:str ?force:bool", NULL, cmd_open_tray, 0},
	{"blockdev-close-tray", "?device:str ?id:str", NULL, cmd_close_tray, 0},
	{"blockdev-insert-medium", "id:str node-name:str", NULL, cmd_insert_medium,
	 COMMAND_DEFERRED},
	{"blockdev-remove-medium", "id:str", NULL, cmd_remove_medium, 0},
	{"blockdev-change-medium",
	 "?device:str ?id:str filename:str ?format:str ?force:bool "
	 "?read-only-mode:BlockdevChangeReadOnlyMode",
	 NULL, cmd_change_medium, COMMAND_DEFERRED},
	{"eject", "?device:str ?id:str ?force:bool", NULL, cmd_eject, 0},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"block_resize", "device:B size:o", "device size", "resize a block image",
	 .qmp = "block_resize"},
	{"block_set_io_throttle", "device:B bps:i bps_rd:i bps_wr:i iops:i iops_rd:i iops_wr:i",
	 "device bps bps_rd bps_wr iops iops_rd iops_wr",
	 "change I/O throttle limits for a block drive", .qmp = "block_set_io_throttle"},
	{"change", "force:-f device:B filename:F format:s? read-only-mode:s?",
	 "[-f] device filename [format [read-only-mode]]", "change a removable medium",
	 .qmp = "blockdev-change-medium"},
	{"drive_add", "node:-n pci_addr:s opts:S", "[-n] [[<domain>:]<bus>:]<slot>\nif=none[,opts]",
	 "add a drive, for device_add", .fn = hmp_drive_add, .deferred = true},
	{"drive_del", "id:B", "device",
	 "remove host block device: the guest's device stays, and its requests fail",
	 .fn = hmp_drive_del},
	{"eject", "force:-f device:B", "[-f] device",
	 "eject a removable medium (use -f to force it)", .qmp = "eject"},
	{.name = NULL},
};

const struct command_group commands_block_change = {.types = types, .qmp = qmp, .hmp = hmp};
