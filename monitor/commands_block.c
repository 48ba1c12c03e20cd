/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks as the monitor shows them: query-block, query-blockstats, query-named-block-nodes, and the same for people. */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include "io/block/block_internal.h"
#include "monitor/block.h"
#include "src/drive.h"

/* ---- nodes ---- */

static const char *detect_zeroes_name(const struct block_node *n)
{
	return n->flags.zeroes_unmap ? "unmap" : n->flags.detect_zeroes ? "on" : "off";
}

/* The old words for the limits, in the order of enum throttle_limit. */
const char *const block_limit_words[THROTTLE_LIMITS] = {"bps",	"bps_rd",  "bps_wr",
							"iops", "iops_rd", "iops_wr"};

static void set_int(json_t *o, const char *key, const char *suffix, uint64_t value)
{
	char name[96];

	snprintf(name, sizeof(name), "%s%s", key, suffix);
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

static void add_limits(json_t *o, const struct block *b)
{
	static const struct throttle_config none;
	struct throttle_group *g = b ? b->throttle.group : NULL;
	const struct throttle_config *c = g ? throttle_group_config(g) : &none;

	for (unsigned i = 0; i < THROTTLE_LIMITS; i++) {
		set_int(o, block_limit_words[i], "", c->of[i].avg);
		if (!c->of[i].max)
			continue;
		set_int(o, block_limit_words[i], "_max", c->of[i].max);
		set_int(o, block_limit_words[i], "_max_length", MAX(c->of[i].burst_length, 1u));
	}
	if (!g)
		return;
	if (c->iops_size)
		set_int(o, "iops_size", "", c->iops_size);
	json_object_set_new(o, "group", json_string(throttle_group_name(g)));
}

static json_t *image_info(const struct block_node *n)
{
	const char *path = block_node_filename(n);
	json_t *o = json_pack("{s:s,s:s,s:I}", "filename", path ? path : n->drv->name, "format",
			      n->drv->name, "virtual-size", (json_int_t)n->bytes);
	struct stat st;

	if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		set_int(o, "actual-size", "", (uint64_t)st.st_blocks * 512);
	return o;
}

static json_t *node_info(const struct block_node *n)
{
	const struct block *b = n->block;
	const char *path = block_node_filename(n);
	json_t *o = json_pack("{s:s,s:s,s:b,s:s,s:i,s:b,s:s,s:o,s:{s:b,s:b,s:b},s:i}", "file",
			      path ? path : n->drv->name, "node-name", n->name, "ro",
			      n->flags.read_only, "drv", n->drv->name, "backing_file_depth", 0,
			      "encrypted", 0, "detect_zeroes", detect_zeroes_name(n), "image",
			      image_info(n), "cache", "writeback", !b || b->write_cache, "direct",
			      n->flags.direct, "no-flush", n->flags.no_flush, "write_threshold", 0);

	add_limits(o, b);
	return o;
}

static json_t *query_named_block_nodes(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	list_for_each(it, block_nodes())
		json_array_append_new(list, node_info(list_entry(it, struct block_node, node)));
	return list;
}

/* ---- disks ---- */

#define INNER "/virtio-backend"

static bool has_inner(const struct device *dev)
{
	return dev->type->bus == BUS_PCI && !strncmp(dev->type->name, "virtio-", 7);
}

char *block_qdev(const struct block *b)
{
	char *path, *inner;

	if (!b->dev)
		return NULL;
	if (b->dev->id && !has_inner(b->dev))
		return xstrdup(b->dev->id);
	path = device_path(b->dev);
	if (!has_inner(b->dev))
		return path;
	inner = xasprintf("%s" INNER, path);
	free(path);
	return inner;
}

bool block_is_qdev(const struct block *b, const char *name)
{
	size_t n = strlen(name), inner = strlen(INNER);
	char *path;
	bool is;

	if (!b->dev)
		return false;
	if (b->dev->id && !strcmp(b->dev->id, name))
		return true;
	if (has_inner(b->dev) && n > inner && !strcmp(name + n - inner, INNER))
		n -= inner;
	path = device_path(b->dev);
	is = strlen(path) == n && !strncmp(path, name, n);
	free(path);
	return is;
}

static void set_qdev(json_t *o, const struct block *b)
{
	char *name = block_qdev(b);

	if (name)
		json_object_set_new(o, "qdev", json_string(name));
	free(name);
}

/* Only a disk that may stop the guest has a status. */
static const char *io_status(const struct block *b)
{
	bool stops = b->on_write_error == BLOCK_ERROR_STOP ||
		     b->on_write_error == BLOCK_ERROR_ENOSPC ||
		     b->on_read_error == BLOCK_ERROR_STOP;

	if (!b->dev || !stops)
		return NULL;
	return !b->io_errno ? "ok" : b->io_errno == ENOSPC ? "nospace" : "failed";
}

static json_t *block_info(const struct block *b)
{
	json_t *o =
		json_pack("{s:s,s:s,s:b,s:b}", "device", block_id(b), "type", "unknown",
			  "removable", block_is_removable(b), "locked", block_medium_is_locked(b));

	set_qdev(o, b);
	if (block_has_tray(b))
		json_object_set_new(o, "tray_open", json_boolean(block_tray_is_open(b)));
	if (io_status(b))
		json_object_set_new(o, "io-status", json_string(io_status(b)));
	if (b->root)
		json_object_set_new(o, "inserted", node_info(b->root));
	return o;
}

static json_t *query_block(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	list_for_each(it, block_all())
		json_array_append_new(list, block_info(list_entry(it, struct block, node)));
	return list;
}

/* ---- statistics ---- */

static const struct {
	enum block_acct kind;
	const char *word;
} acct_words[] = {
	{BLOCK_ACCT_READ, "rd"},
	{BLOCK_ACCT_WRITE, "wr"},
	{BLOCK_ACCT_FLUSH, "flush"},
	{BLOCK_ACCT_UNMAP, "unmap"},
};

static void set_named(json_t *o, const char *before, const char *word, const char *after,
		      uint64_t v)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%s", before, word);
	set_int(o, name, after, v);
}

static void add_histogram(json_t *o, const char *word, const struct block_histogram *h)
{
	json_t *bounds, *bins;
	char name[96];

	if (!h->n)
		return;
	bounds = json_array();
	bins = json_array();
	for (unsigned i = 0; i < h->n; i++)
		json_array_append_new(bounds, json_integer((json_int_t)h->bounds_ns[i]));
	for (unsigned i = 0; i <= h->n; i++)
		json_array_append_new(bins, json_integer((json_int_t)h->counts[i]));
	snprintf(name, sizeof(name), "%s_latency_histogram", word);
	json_object_set_new(o, name, json_pack("{s:o,s:o}", "boundaries", bounds, "bins", bins));
}

static json_t *device_stats(const struct block_stats *s, int64_t now_ns)
{
	json_t *o = json_pack("{s:b,s:b,s:[]}", "account_invalid", s->account_invalid,
			      "account_failed", s->account_failed, "timed_stats");

	for (unsigned i = 0; i < ARRAY_SIZE(acct_words); i++) {
		const char *word = acct_words[i].word;
		__typeof__(&s->of[0]) of = &s->of[acct_words[i].kind];

		if (acct_words[i].kind != BLOCK_ACCT_FLUSH) {
			set_int(o, word, "_bytes", of->bytes);
			set_int(o, word, "_merged", of->merged);
		}
		set_int(o, word, "_operations", of->ops);
		set_int(o, word, "_total_time_ns", of->total_ns);
		set_named(o, "failed_", word, "_operations", of->failed);
		set_named(o, "invalid_", word, "_operations", of->invalid);
		if (acct_words[i].kind != BLOCK_ACCT_UNMAP)
			add_histogram(o, word, &of->histogram);
	}
	set_int(o, "wr_highest_offset", "", s->highest_offset);
	if (s->last_access_ns)
		set_int(o, "idle_time_ns", "", (uint64_t)(now_ns - s->last_access_ns));
	return o;
}

static json_t *disk_stats(const struct block *b)
{
	json_t *o = json_pack("{s:s,s:o}", "device", block_id(b), "stats",
			      device_stats(&b->stats, clock_now_ns(loop_clock_host(b->loop))));

	set_qdev(o, b);
	if (b->root)
		json_object_set_new(o, "node-name", json_string(b->root->name));
	return o;
}

/* Nodes count nothing of their own. */
static json_t *node_stats(const struct block_node *n)
{
	static const struct block_stats none;

	return json_pack("{s:s,s:o}", "node-name", n->name, "stats", device_stats(&none, 0));
}

static json_t *query_blockstats(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	if (json_is_true(json_object_get(args, "query-nodes"))) {
		list_for_each(it, block_nodes())
			json_array_append_new(list,
					      node_stats(list_entry(it, struct block_node, node)));
		return list;
	}
	list_for_each(it, block_all())
		json_array_append_new(list, disk_stats(list_entry(it, struct block, node)));
	return list;
}

/* ---- for people ---- */

static const char *str(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool is_true(json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static long long num(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* Of bytes or of requests, from FIRST on: in all, of reads, of writes. */
static void show_three_limits(struct monitor *mon, json_t *inserted, unsigned first,
			      const char *suffix)
{
	for (unsigned i = first; i < first + 3; i++) {
		char key[64];

		snprintf(key, sizeof(key), "%s%s", block_limit_words[i], suffix);
		monitor_printf(mon, " %s=%lld", key, num(inserted, key));
	}
}

static void show_limits(struct monitor *mon, json_t *inserted)
{
	if (!str(inserted, "group"))
		return;
	monitor_printf(mon, "    I/O throttling:  ");
	for (unsigned i = 0; i < THROTTLE_LIMITS; i += 3) {
		show_three_limits(mon, inserted, i, "");
		show_three_limits(mon, inserted, i, "_max");
	}
	monitor_printf(mon, " iops_size=%lld group=%s\n", num(inserted, "iops_size"),
		       str(inserted, "group"));
}

static void show_inserted(struct monitor *mon, json_t *inserted, bool verbose)
{
	json_t *cache = json_object_get(inserted, "cache"),
	       *image = json_object_get(inserted, "image");

	monitor_printf(mon, "    Cache mode:       %s%s%s\n",
		       is_true(cache, "writeback") ? "writeback" : "writethrough",
		       is_true(cache, "direct") ? ", direct" : "",
		       is_true(cache, "no-flush") ? ", ignore flushes" : "");
	if (strcmp(str(inserted, "detect_zeroes"), "off"))
		monitor_printf(mon, "    Detect zeroes:    %s\n", str(inserted, "detect_zeroes"));
	show_limits(mon, inserted);
	if (!verbose)
		return;
	monitor_printf(mon, "\nImages:\nimage: %s\nfile format: %s\nvirtual size: %lld bytes\n",
		       str(image, "filename"), str(image, "format"), num(image, "virtual-size"));
	if (json_object_get(image, "actual-size"))
		monitor_printf(mon, "disk size: %lld bytes\n", num(image, "actual-size"));
}

/* A disk without a name goes by its node, or else by its device. */
static void show_name(struct monitor *mon, json_t *info)
{
	json_t *inserted = json_object_get(info, "inserted");
	const char *name = str(info, "device"), *node = str(inserted, "node-name");

	if (*name && node)
		monitor_printf(mon, "%s (%s)", name, node);
	else
		monitor_printf(mon, "%s",
			       *name		   ? name
			       : node		   ? node
			       : str(info, "qdev") ? str(info, "qdev")
						   : "<anonymous>");
}

static void show_block(struct monitor *mon, json_t *info, bool verbose)
{
	json_t *inserted = json_object_get(info, "inserted");
	const char *status = str(info, "io-status");

	show_name(mon, info);
	if (inserted)
		monitor_printf(mon, ": %s (%s%s)\n", str(inserted, "file"), str(inserted, "drv"),
			       is_true(inserted, "ro") ? ", read-only" : "");
	else
		monitor_printf(mon, ": [not inserted]\n");
	if (str(info, "qdev"))
		monitor_printf(mon, "    Attached to:      %s\n", str(info, "qdev"));
	if (status && strcmp(status, "ok"))
		monitor_printf(mon, "    I/O status:       %s\n", status);
	if (is_true(info, "removable"))
		monitor_printf(mon, "    Removable device: %slocked, tray %s\n",
			       is_true(info, "locked") ? "" : "not ",
			       is_true(info, "tray_open") ? "open" : "closed");
	if (inserted)
		show_inserted(mon, inserted, verbose);
}

static void info_nodes(struct monitor *mon, const char *only)
{
	list_for_each(it, block_nodes()) {
		const struct block_node *n = list_entry(it, struct block_node, node);
		json_t *info;

		if (only && strcmp(only, n->name))
			continue;
		info = node_info(n);
		monitor_printf(mon, "%s: %s (%s%s)\n", n->name, str(info, "file"), n->drv->name,
			       n->flags.read_only ? ", read-only" : "");
		show_inserted(mon, info, false);
		json_decref(info);
	}
}

static void info_block(struct monitor *mon, json_t *args)
{
	const char *only = str(args, "device");
	const char *between = "";

	if (is_true(args, "nodes")) {
		info_nodes(mon, only);
		return;
	}
	list_for_each(it, block_all()) {
		const struct block *b = list_entry(it, struct block, node);
		json_t *info;

		if (only && strcmp(only, block_id(b)))
			continue;
		monitor_printf(mon, "%s", between);
		info = block_info(b);
		show_block(mon, info, is_true(args, "verbose"));
		json_decref(info);
		between = "\n";
	}
}

static void show_stats(struct monitor *mon, const struct block *b)
{
	static const char *const keys[] = {
		"rd_bytes",
		"wr_bytes",
		"unmap_bytes",
		"rd_operations",
		"wr_operations",
		"flush_operations",
		"unmap_operations",
		"wr_total_time_ns",
		"rd_total_time_ns",
		"flush_total_time_ns",
		"unmap_total_time_ns",
		"rd_merged",
		"wr_merged",
		"idle_time_ns",
		"failed_rd_operations",
		"failed_wr_operations",
		"failed_flush_operations",
	};
	json_t *disk = disk_stats(b), *stats = json_object_get(disk, "stats");

	monitor_printf(mon, "%s:", *block_id(b) ? block_id(b) : b->root ? b->root->name : "-");
	for (unsigned k = 0; k < ARRAY_SIZE(keys); k++)
		if (json_object_get(stats, keys[k]))
			monitor_printf(mon, " %s=%lld", keys[k], num(stats, keys[k]));
	monitor_printf(mon, " in_flight=%u oldest_ns=%" PRId64 "\n", b->n_inflight,
		       block_oldest_ns(b));
	json_decref(disk);
}

static void info_blockstats(struct monitor *mon, json_t *args)
{
	list_for_each(it, block_all())
		show_stats(mon, list_entry(it, struct block, node));
}

static const struct qapi_type types[] = {
	{QAPI_ENUM, "BlockdevDetectZeroesOptions", "off on unmap", NULL, NULL},
	{QAPI_ENUM, "BlockDeviceIoStatus", "ok failed nospace", NULL, NULL},
	{QAPI_ENUM, "IoOperationType", "read write", NULL, NULL},
	{QAPI_ENUM, "BlockErrorAction", "ignore report stop", NULL, NULL},
	{QAPI_STRUCT, "BlockdevCacheInfo", "writeback:bool direct:bool no-flush:bool", NULL, NULL},
	{QAPI_STRUCT, "ImageInfo",
	 "filename:str format:str ?actual-size:int virtual-size:int ?cluster-size:int "
	 "?backing-filename:str",
	 NULL, NULL},
	{QAPI_STRUCT, "BlockDeviceInfo",
	 "file:str ?node-name:str ro:bool drv:str ?backing_file:str backing_file_depth:int "
	 "encrypted:bool detect_zeroes:BlockdevDetectZeroesOptions image:ImageInfo "
	 "cache:BlockdevCacheInfo write_threshold:int "
	 "bps:int bps_rd:int bps_wr:int iops:int iops_rd:int iops_wr:int "
	 "?bps_max:int ?bps_rd_max:int ?bps_wr_max:int ?iops_max:int ?iops_rd_max:int "
	 "?iops_wr_max:int ?bps_max_length:int ?bps_rd_max_length:int ?bps_wr_max_length:int "
	 "?iops_max_length:int ?iops_rd_max_length:int ?iops_wr_max_length:int ?iops_size:int "
	 "?group:str",
	 NULL, NULL},
	{QAPI_STRUCT, "BlockInfo",
	 "device:str ?qdev:str type:str removable:bool locked:bool ?inserted:BlockDeviceInfo "
	 "?tray_open:bool ?io-status:BlockDeviceIoStatus",
	 NULL, NULL},
	{QAPI_STRUCT, "BlockLatencyHistogramInfo", "boundaries:[int] bins:[int]", NULL, NULL},
	{QAPI_STRUCT, "BlockDeviceTimedStats",
	 "interval_length:int min_rd_latency_ns:int max_rd_latency_ns:int avg_rd_latency_ns:int "
	 "min_wr_latency_ns:int max_wr_latency_ns:int avg_wr_latency_ns:int "
	 "min_flush_latency_ns:int max_flush_latency_ns:int avg_flush_latency_ns:int "
	 "avg_rd_queue_depth:number avg_wr_queue_depth:number",
	 NULL, NULL},
	{QAPI_STRUCT, "BlockDeviceStats",
	 "rd_bytes:int wr_bytes:int unmap_bytes:int rd_operations:int wr_operations:int "
	 "flush_operations:int unmap_operations:int rd_total_time_ns:int wr_total_time_ns:int "
	 "flush_total_time_ns:int unmap_total_time_ns:int wr_highest_offset:int rd_merged:int "
	 "wr_merged:int unmap_merged:int ?idle_time_ns:int failed_rd_operations:int "
	 "failed_wr_operations:int failed_flush_operations:int failed_unmap_operations:int "
	 "invalid_rd_operations:int invalid_wr_operations:int invalid_flush_operations:int "
	 "invalid_unmap_operations:int account_invalid:bool account_failed:bool "
	 "timed_stats:[BlockDeviceTimedStats] ?rd_latency_histogram:BlockLatencyHistogramInfo "
	 "?wr_latency_histogram:BlockLatencyHistogramInfo "
	 "?flush_latency_histogram:BlockLatencyHistogramInfo",
	 NULL, NULL},
	{QAPI_STRUCT, "BlockStats", "?device:str ?qdev:str ?node-name:str stats:BlockDeviceStats",
	 NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-block", NULL, "[BlockInfo]", query_block, 0},
	{"query-blockstats", "?query-nodes:bool", "[BlockStats]", query_blockstats, 0},
	{"query-named-block-nodes", "?flat:bool", "[BlockDeviceInfo]", query_named_block_nodes, 0},
	{.name = NULL},
};

static const struct qmp_event events[] = {
	{"BLOCK_IO_ERROR",
	 "device:str ?node-name:str operation:IoOperationType action:BlockErrorAction ?nospace:bool "
	 "reason:str",
	 0, NULL},
	{"DEVICE_TRAY_MOVED", "device:str id:str tray-open:bool", 0, NULL},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"block", "nodes:-n verbose:-v device:B?", "[-n] [-v] [device]",
	 "show info of one block device or all block devices (-n: of nodes; -v: verbose)",
	 .fn = info_block},
	{"blockstats", NULL, NULL, "show block device statistics", .fn = info_blockstats},
	{.name = NULL},
};

const struct command_group commands_block = {
	.types = types, .qmp = qmp, .events = events, .info = info};
