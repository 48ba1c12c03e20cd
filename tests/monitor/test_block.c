/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks by the monitor: what it shows of them, media that come and go, sizes, limits, errors. */
#include "tests/monitor/kit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include "io/block/block_internal.h"
#include "src/drive.h"
#include "src/list.h"

#define SIZE (1 * MiB)

static char *image;

static char *make_image(void)
{
	char *path = xstrdup("/var/tmp/evmm-monitor-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	close(fd);
	return path;
}

/* ARGS with ' for ". */
static const char *quoted(const char *args)
{
	static char text[1024];

	if (!args)
		return NULL;
	assert_true(strlen(args) < sizeof(text));
	strcpy(text, args);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return text;
}

static json_t *run(struct kit *k, const char *command, const char *args)
{
	json_t *v = kit_qmp(k, command, quoted(args));

	if (!v)
		fail_msg("%s %s failed", command, args ? args : "");
	return v;
}

static const char *fails(struct kit *k, const char *command, const char *args, const char *class)
{
	return kit_error(k, command, quoted(args), class);
}

/* A machine that has a disk "hd" of rules RULES on the image, in a virtio-blk-device or on its own. */
static struct kit *with_disk(const char *rules)
{
	struct kit *k = kit_new(KIT_PC, NULL);
	struct error err = ERROR_INIT;
	char *text =
		xasprintf("if=none,id=hd,driver=raw,file.driver=blkdebug,file.image.driver=file,"
			  "file.image.filename=%s%s%s",
			  image, *rules ? "," : "", rules);
	json_t *keys = drive_parse_option(text, &err);

	if (!keys || !drive_add(k->m, keys, &err))
		fail_msg("%s: %s", text, err.msg);
	free(text);
	return k;
}

static struct device *add_device(struct kit *k, const char *type, const char *id, const char *drive)
{
	struct device *dev = device_new(k->m, device_type_find(type), id);
	struct error err = ERROR_INIT;

	if ((drive && !device_set_prop(dev, "drive", drive, &err)) || !device_realize(dev, &err))
		fail_msg("%s: %s", type, err.msg);
	device_reset(dev);
	return dev;
}

static json_t *item(json_t *list, const char *key, const char *value)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
	{
		const char *s = json_string_value(json_object_get(v, key));

		if (s && !strcmp(s, value))
			return v;
	}
	fail_msg("no %s=%s", key, value);
	return NULL;
}

static const char *str(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static json_int_t num(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void done(void *opaque, int ret)
{
	*(int *)opaque = ret;
}

#define PENDING 1

/* A read or write of a sector through the disk. */
static int transfer(struct kit *k, const char *id, bool write, uint64_t offset)
{
	static struct block_req r;
	static uint8_t buf[512];
	struct iovec iov = {buf, sizeof(buf)};
	int ret = PENDING;

	if (write)
		block_writev(block_by_id(id), &r, offset, &iov, 1, 0, done, &ret);
	else
		block_readv(block_by_id(id), &r, offset, &iov, 1, done, &ret);
	for (unsigned i = 0; i < 1000 && ret == PENDING; i++)
		loop_run_once(k->loop, 10 * NS_PER_MS);
	assert_int_not_equal(ret, PENDING);
	return ret;
}

static void query_block_shows_the_disk_and_its_image(void **state)
{
	static const char *const names[] = {"dev0", "/machine/peripheral/dev0",
					    "/machine/peripheral/dev0/virtio-backend"};
	struct kit *k = with_disk("");
	json_t *list, *disk, *inserted;
	char args[200];

	add_device(k, "virtio-blk-pci", "dev0", "hd");
	list = run(k, "query-block", NULL);
	disk = item(list, "device", "hd");
	inserted = json_object_get(disk, "inserted");
	assert_string_equal(str(disk, "qdev"), "/machine/peripheral/dev0/virtio-backend");
	assert_false(json_is_true(json_object_get(disk, "removable")));
	assert_string_equal(str(disk, "io-status"), "ok");
	assert_string_equal(str(inserted, "file"), image);
	assert_string_equal(str(inserted, "drv"), "raw");
	assert_int_equal(num(json_object_get(inserted, "image"), "virtual-size"), SIZE);
	json_decref(list);
	assert_non_null(strstr(kit_hmp(k, "info block"),
			       "Attached to:      /machine/peripheral/dev0/virtio-backend"));
	assert_non_null(strstr(kit_hmp(k, "info block -v hd"), "virtual size: 1048576 bytes"));
	list = run(k, "query-named-block-nodes", NULL);
	assert_int_equal(json_array_size(list), 3);
	item(list, "drv", "blkdebug");
	json_decref(list);
	/* By any of its device's names. */
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(
			args, sizeof(args),
			"{'id': '%s', 'bps': 1, 'bps_rd': 0, 'bps_wr': 0, 'iops': 0, 'iops_rd': 0, 'iops_wr': 0}",
			names[i]);
		json_decref(run(k, "block_set_io_throttle", args));
	}
	kit_free(k);
}

static void a_disk_without_a_name_goes_by_its_node_or_its_device(void **state)
{
	struct kit *k = kit_new(KIT_PC, NULL);
	char *line, *path;

	path = device_path(add_device(k, "ide-cd", NULL, NULL));
	json_decref(run(k, "blockdev-add", "{'driver': 'null-co', 'node-name': 'n'}"));
	add_device(k, "virtio-blk-pci", "disk", "n");
	line = xasprintf("%s: [not inserted]\r\n    Attached to:      %s\r\n", path, path);
	assert_non_null(strstr(kit_hmp(k, "info block"), line));
	assert_non_null(strstr(kit_hmp(k, "info block"), "\nn: null-co (null-co)\r\n"));
	free(line);
	free(path);
	kit_free(k);
}

static void query_blockstats_counts(void **state)
{
	struct kit *k = with_disk("file.inject-error.0.sector=100,file.inject-error.0.errno=5,"
				  "werror=report,rerror=report");
	json_t *list, *stats;

	json_decref(run(k, "block-latency-histogram-set",
			"{'id': 'hd', 'boundaries': [1, 10000000000]}"));
	assert_int_equal(transfer(k, "hd", false, 0), 0);
	assert_int_equal(transfer(k, "hd", true, 1024), 0);
	assert_int_equal(transfer(k, "hd", false, 51200), -EIO);
	assert_int_equal(transfer(k, "hd", false, SIZE), -EIO);
	list = run(k, "query-blockstats", NULL);
	stats = json_object_get(item(list, "device", "hd"), "stats");
	assert_int_equal(num(stats, "rd_operations"), 1);
	assert_int_equal(num(stats, "rd_bytes"), 512);
	assert_int_equal(num(stats, "wr_operations"), 1);
	assert_int_equal(num(stats, "wr_highest_offset"), 1536);
	assert_int_equal(num(stats, "failed_rd_operations"), 1);
	assert_int_equal(num(stats, "invalid_rd_operations"), 1);
	assert_int_equal(
		json_integer_value(json_array_get(
			json_object_get(json_object_get(stats, "rd_latency_histogram"), "bins"),
			1)),
		2);
	json_decref(list);
	json_decref(run(k, "query-blockstats", "{'query-nodes': true}"));
	assert_non_null(strstr(kit_hmp(k, "info blockstats"), "hd: rd_bytes=512 wr_bytes=512"));
	fails(k, "block-latency-histogram-set", "{'id': 'hd', 'boundaries': [-1]}", "GenericError");
	fails(k, "block-latency-histogram-set", "{'id': 'hd', 'boundaries': [5, 5]}",
	      "GenericError");
	json_decref(run(k, "block-latency-histogram-set", "{'id': 'hd'}"));
	list = run(k, "query-blockstats", NULL);
	stats = json_object_get(item(list, "device", "hd"), "stats");
	assert_null(json_object_get(stats, "rd_latency_histogram"));
	json_decref(list);
	kit_free(k);
}

static void an_error_stops_the_guest_and_cont_tries_again(void **state)
{
	struct kit *k = with_disk("file.inject-error.0.event=write_aio,"
				  "file.inject-error.0.errno=28,file.inject-error.0.once=on");
	static struct block_req r;
	static uint8_t buf[512];
	struct iovec iov = {buf, sizeof(buf)};
	json_t *e, *list, *status;
	int ret = PENDING;

	add_device(k, "virtio-blk-pci", "dev0", "hd");
	block_writev(block_by_id("hd"), &r, 0, &iov, 1, 0, done, &ret);
	for (unsigned i = 0; i < 100 && k->m->state == RUN_RUNNING; i++)
		loop_run_once(k->loop, 10 * NS_PER_MS);
	status = run(k, "query-status", NULL);
	assert_string_equal(str(status, "status"), "io-error");
	json_decref(status);
	e = kit_event(k, "BLOCK_IO_ERROR");
	assert_non_null(e);
	e = json_object_get(e, "data");
	assert_string_equal(str(e, "device"), "hd");
	assert_string_equal(str(e, "node-name"), block_by_id("hd")->root->name);
	assert_string_equal(str(e, "operation"), "write");
	assert_string_equal(str(e, "action"), "stop");
	assert_true(json_is_true(json_object_get(e, "nospace")));
	list = run(k, "query-block", NULL);
	assert_string_equal(str(item(list, "device", "hd"), "io-status"), "nospace");
	json_decref(list);
	assert_int_equal(ret, PENDING);
	json_decref(run(k, "cont", NULL));
	for (unsigned i = 0; i < 1000 && ret == PENDING; i++)
		loop_run_once(k->loop, 10 * NS_PER_MS);
	assert_int_equal(ret, 0);
	assert_int_equal(k->m->state, RUN_RUNNING);
	kit_free(k);
}

/* The host is still at it: the reset comes when it has answered, and the loop runs meanwhile. */
static void a_reset_waits_for_requests_in_flight(void **state)
{
	struct kit *k = with_disk("file.inject-error.0.errno=0,"
				  "file.inject-error.0.delay-ns=300000000");
	static struct block_req r;
	static uint8_t buf[512];
	struct iovec iov = {buf, sizeof(buf)};
	int ret = PENDING;

	block_readv(block_by_id("hd"), &r, 0, &iov, 1, done, &ret);
	json_decref(run(k, "system_reset", NULL));
	json_decref(run(k, "query-status", NULL));
	assert_true(ret != PENDING || !kit_event_now(k, "RESET"));
	for (unsigned i = 0; i < 1000 && !kit_event_now(k, "RESET"); i++) {
		loop_run_once(k->loop, 10 * NS_PER_MS);
		json_decref(run(k, "query-status", NULL));
	}
	assert_non_null(kit_event(k, "RESET"));
	assert_int_equal(ret, 0);
	kit_free(k);
}

static void a_disk_is_resized_while_it_is_used(void **state)
{
	struct kit *k = with_disk("");
	json_t *list;

	add_device(k, "virtio-blk-pci", "dev0", "hd");
	json_decref(run(k, "block_resize", "{'device': 'hd', 'size': 2097152}"));
	assert_int_equal(transfer(k, "hd", true, 2 * SIZE - 512), 0);
	list = run(k, "query-block", NULL);
	assert_int_equal(
		num(json_object_get(json_object_get(item(list, "device", "hd"), "inserted"),
				    "image"),
		    "virtual-size"),
		2 * SIZE);
	json_decref(list);
	assert_string_equal(kit_hmp(k, "block_resize hd 1"), "");
	assert_int_equal(transfer(k, "hd", true, 2 * SIZE - 512), -EIO);
	fails(k, "block_resize", "{'device': 'nope', 'size': 512}", "DeviceNotFound");
	fails(k, "block_resize", "{'device': 'hd', 'size': -1}", "GenericError");
	kit_free(k);
}

/* A lease stands for a server that doesn't answer: who opens the file waits until it is given back. */
static void a_file_that_cannot_be_opened_yet_holds_up_its_command_alone(void **state)
{
	struct kit *k = kit_new(KIT_PC, NULL);
	struct session *other = kit_session(k, false);
	char *path = make_image(), *text;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	json_t *v;

	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		print_message("no leases here: %s\n", strerror(errno));
		close(fd);
		unlink(path);
		free(path);
		kit_free(k);
		skip();
	}
	json_decref(kit_next(k, other)); /* its greeting */
	text = xasprintf("{\"execute\": \"blockdev-add\", \"arguments\": {\"driver\": \"raw\", "
			 "\"node-name\": \"late\", \"file\": {\"driver\": \"file\", "
			 "\"filename\": \"%s\"}}}",
			 path);
	kit_send(k, k->s, text, strlen(text));
	assert_true(kit_is_silent(k, k->s));
	kit_send(k, other, "{\"execute\": \"qmp_capabilities\"}", 31);
	v = kit_next(k, other);
	assert_non_null(json_object_get(v, "return"));
	json_decref(v);
	assert_null(block_node_find("late"));
	assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	close(fd);
	v = kit_next(k, k->s);
	assert_non_null(json_object_get(v, "return"));
	json_decref(v);
	assert_non_null(block_node_find("late"));
	json_decref(run(k, "blockdev-del", "{'node-name': 'late'}"));
	unlink(path);
	free(path);
	free(text);
	kit_free(k);
}

static void limits_are_set_and_shown(void **state)
{
	struct kit *k = with_disk("");
	json_t *list, *inserted;

	json_decref(run(k, "block_set_io_throttle",
			"{'device': 'hd', 'bps': 0, 'bps_rd': 1000, 'bps_wr': 0, 'iops': 50, "
			"'iops_rd': 0, 'iops_wr': 0, 'iops_max': 100, 'iops_max_length': 3}"));
	list = run(k, "query-block", NULL);
	inserted = json_object_get(item(list, "device", "hd"), "inserted");
	assert_int_equal(num(inserted, "bps_rd"), 1000);
	assert_int_equal(num(inserted, "iops"), 50);
	assert_int_equal(num(inserted, "iops_max"), 100);
	assert_int_equal(num(inserted, "iops_max_length"), 3);
	assert_string_equal(str(inserted, "group"), "hd");
	json_decref(list);
	assert_non_null(strstr(
		kit_hmp(k, "info block"),
		"    I/O throttling:   bps=0 bps_rd=1000 bps_wr=0 bps_max=0 bps_rd_max=0 bps_wr_max=0 "
		"iops=50 iops_rd=0 iops_wr=0 iops_max=100 iops_rd_max=0 iops_wr_max=0 iops_size=0 "
		"group=hd\r\n"));
	fails(k, "block_set_io_throttle",
	      "{'device': 'hd', 'bps': 1, 'bps_rd': 1, 'bps_wr': 0, 'iops': 0, 'iops_rd': 0, "
	      "'iops_wr': 0}",
	      "GenericError");
	fails(k, "block_set_io_throttle",
	      "{'device': 'hd', 'bps': -1, 'bps_rd': 0, 'bps_wr': 0, 'iops': 0, 'iops_rd': 0, "
	      "'iops_wr': 0}",
	      "GenericError");
	fails(k, "block_set_io_throttle",
	      "{'device': 'hd', 'bps': 0, 'bps_rd': 0, 'bps_wr': 0, 'iops': 50, 'iops_rd': 0, "
	      "'iops_wr': 0, 'iops_max': 100, 'iops_max_length': 0}",
	      "GenericError");
	assert_string_equal(kit_hmp(k, "block_set_io_throttle hd 0 0 0 0 0 0"), "");
	assert_null(block_by_id("hd")->throttle.group);
	kit_free(k);
}

static void media_are_changed_with_the_tray_open(void **state)
{
	struct kit *k = kit_new(KIT_PC, NULL);
	char *args = xasprintf("{'driver': 'raw', 'node-name': 'disc', 'read-only': true, "
			       "'file': {'driver': 'file', 'filename': '%s'}}",
			       image);
	json_t *e;

	add_device(k, "ide-cd", "cd", NULL);
	json_decref(run(k, "blockdev-add", args));
	free(args);
	fails(k, "blockdev-insert-medium", "{'id': 'cd', 'node-name': 'disc'}", "GenericError");
	json_decref(run(k, "blockdev-open-tray", "{'id': 'cd'}"));
	e = json_object_get(kit_event(k, "DEVICE_TRAY_MOVED"), "data");
	assert_string_equal(str(e, "id"), "cd");
	assert_true(json_is_true(json_object_get(e, "tray-open")));
	json_decref(run(k, "blockdev-insert-medium", "{'id': 'cd', 'node-name': 'disc'}"));
	fails(k, "blockdev-insert-medium", "{'id': 'cd', 'node-name': 'disc'}", "GenericError");
	json_decref(run(k, "blockdev-close-tray", "{'id': 'cd'}"));
	assert_false(json_is_true(json_object_get(
		json_object_get(kit_event(k, "DEVICE_TRAY_MOVED"), "data"), "tray-open")));
	fails(k, "blockdev-del", "{'node-name': 'disc'}", "GenericError");
	fails(k, "blockdev-remove-medium", "{'id': 'cd'}", "GenericError");
	json_decref(run(k, "eject", "{'id': 'cd'}"));
	json_decref(run(k, "blockdev-del", "{'node-name': 'disc'}"));
	fails(k, "blockdev-open-tray", "{'id': 'nope'}", "DeviceNotFound");
	assert_string_equal(fails(k, "eject", "{'device': 'nope'}", "DeviceNotFound"),
			    "Device 'nope' not found");
	fails(k, "eject", "{}", "GenericError");
	args = xasprintf("{'id': 'cd', 'filename': '%s', 'format': 'raw'}", image);
	json_decref(run(k, "blockdev-change-medium", args));
	free(args);
	assert_non_null(strstr(kit_hmp(k, "info block"), "(raw, read-only)"));
	assert_non_null(strstr(kit_hmp(k, "info block"), "not locked, tray closed"));
	fails(k, "blockdev-change-medium", "{'id': 'cd', 'filename': '/nope'}", "GenericError");
	/* The old medium is still in. */
	assert_non_null(strstr(kit_hmp(k, "info block"), "(raw, read-only)"));
	kit_free(k);
}

/* "device" is the disk's name, "id" what has it, by its path when it has no id. */
static void a_tray_that_moves_names_the_disk_and_the_device(void **state)
{
	struct kit *k = kit_new(KIT_PC, NULL);
	struct error err = ERROR_INIT;
	char *path;
	json_t *e;

	assert_true(drive_add(k->m, json_pack("{s:s,s:s}", "if", "none", "id", "cd0"), &err));
	path = device_path(add_device(k, "ide-cd", NULL, "cd0"));
	json_decref(run(k, "blockdev-open-tray", "{'device': 'cd0'}"));
	e = json_object_get(kit_event(k, "DEVICE_TRAY_MOVED"), "data");
	assert_string_equal(str(e, "device"), "cd0");
	assert_string_equal(str(e, "id"), path);
	free(path);
	kit_free(k);
}

static void a_fixed_disk_has_an_image(void **state)
{
	static const char *const types[] = {"virtio-blk-pci", "ide-hd"};
	struct kit *k = kit_new(KIT_PC, NULL);
	struct error err = ERROR_INIT;

	assert_true(drive_add(k->m, json_pack("{s:s,s:s}", "if", "none", "id", "none0"), &err));
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		struct device *dev = device_new(k->m, device_type_find(types[i]), "d");

		assert_true(device_set_prop(dev, "drive", "none0", &err));
		assert_false(device_realize(dev, &err));
		assert_string_equal(err.msg, "Device needs media, but drive is empty");
		error_clear(&err);
		device_unrealize(dev);
	}
	fails(k, "device_add", "{'driver': 'virtio-blk-pci', 'drive': 'none0'}", "GenericError");
	kit_free(k);
}

static void sizes_that_do_not_fit_the_sector_are_refused(void **state)
{
	static const char *const names[] = {"min_io_size", "opt_io_size", "discard_granularity"};
	struct kit *k = kit_new(KIT_PC, NULL);

	json_decref(run(k, "blockdev-add", "{'driver': 'null-co', 'node-name': 'n'}"));
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		char *args = xasprintf("{'driver': 'virtio-blk-pci', 'drive': 'n', '%s': 1000}",
				       names[i]);

		assert_non_null(strstr(fails(k, "device_add", args, "GenericError"), names[i]));
		free(args);
	}
	kit_free(k);
}

static void a_fixed_disk_is_not_ejected(void **state)
{
	struct kit *k = with_disk("");

	add_device(k, "virtio-blk-pci", "dev0", "hd");
	assert_string_equal(fails(k, "eject", "{'device': 'hd'}", "GenericError"),
			    "Device 'hd' is not removable");
	kit_free(k);
}

static void drives_come_and_go(void **state)
{
	struct kit *k = kit_new(KIT_PC, NULL);
	char *line = xasprintf("drive_add 0 if=none,id=more,format=raw,file=%s", image);

	assert_non_null(strstr(kit_hmp(k, line), "OK"));
	free(line);
	assert_non_null(block_by_id("more"));
	assert_string_equal(kit_hmp(k, "drive_del more"), "");
	assert_null(block_by_id("more"));
	assert_non_null(strstr(kit_hmp(k, "drive_add 0 if=ide,file=/x"), "Error: "));
	assert_non_null(strstr(kit_hmp(k, "drive_add 0 if=none,id=x,file=/nope"),
			       "No such file or directory"));
	assert_non_null(strstr(kit_hmp(k, "drive_del more"), "Device 'more' not found"));
	kit_free(k);
}

/* The image goes, the device stays: the guest's requests fail. */
static void a_drive_in_use_is_taken_away(void **state)
{
	struct kit *k = with_disk("");
	struct block *b = block_by_id("hd");

	add_device(k, "virtio-blk-pci", "dev0", "hd");
	assert_string_equal(kit_hmp(k, "drive_del hd"), "");
	assert_null(block_by_id("hd"));
	assert_false(block_has_medium(b));
	assert_true(list_empty(block_nodes()));
	json_decref(run(k, "query-block", NULL));
	kit_free(k);
}

/* By itself or with its adapter. A node that was named for itself stays. */
static void a_drive_goes_with_its_device(void **state)
{
	static const char *const away[] = {"{'id': 'disk'}", "{'id': 'adapter'}"};
	char *line = xasprintf("drive_add 0 if=none,id=hd,format=raw,file=%s", image);

	for (unsigned i = 0; i < ARRAY_SIZE(away); i++) {
		struct kit *k = kit_new(KIT_PC, NULL);

		json_decref(run(k, "device_add", "{'driver': 'virtio-scsi-pci', 'id': 'adapter'}"));
		json_decref(run(k, "blockdev-add", "{'driver': 'null-co', 'node-name': 'n'}"));
		assert_non_null(strstr(kit_hmp(k, line), "OK"));
		json_decref(run(k, "device_add",
				"{'driver': 'scsi-hd', 'drive': 'hd', 'id': 'disk', 'lun': 1}"));
		json_decref(run(k, "device_add",
				"{'driver': 'scsi-hd', 'drive': 'n', 'id': 'other', 'lun': 2}"));
		json_decref(run(k, "device_del", away[i]));
		assert_non_null(kit_event(k, "DEVICE_DELETED"));
		assert_null(block_by_id("hd"));
		assert_non_null(block_node_find("n"));
		/* Its lock is gone too. */
		assert_non_null(strstr(kit_hmp(k, line), "OK"));
		kit_free(k);
	}
	free(line);
}

static void nodes_that_make_no_sense_are_refused(void **state)
{
	struct kit *k = kit_new(KIT_NONE, NULL);

	fails(k, "blockdev-add", "{'driver': 'raw', 'node-name': 'n'}", "GenericError");
	fails(k, "blockdev-add", "{'driver': 'rwa', 'node-name': 'n'}", "GenericError");
	fails(k, "blockdev-add", "{'driver': 'null-co', 'node-name': 'n', 'sise': 5}",
	      "GenericError");
	fails(k, "blockdev-add", "{'driver': 'null-co'}", "GenericError");
	json_decref(run(k, "blockdev-add", "{'driver': 'null-co', 'node-name': 'n'}"));
	fails(k, "blockdev-add", "{'driver': 'null-co', 'node-name': 'n'}", "GenericError");
	json_decref(run(k, "blockdev-del", "{'node-name': 'n'}"));
	fails(k, "blockdev-del", "{'node-name': 'n'}", "GenericError");
	kit_free(k);
}

static void limits_that_a_disk_obeys_stay(void **state)
{
	struct kit *k = kit_new(KIT_PC, NULL);

	fails(k, "object-add",
	      "{'qom-type': 'throttle-group', 'id': 'g', 'x-iops-total': 5, "
	      "'x-iops-total-max-length': 0}",
	      "GenericError");
	json_decref(run(k, "object-add",
			"{'qom-type': 'throttle-group', 'id': 'g', 'x-iops-total': 5}"));
	json_decref(run(k, "blockdev-add",
			"{'driver': 'throttle', 'node-name': 't', 'throttle-group': 'g', "
			"'file': {'driver': 'null-co'}}"));
	assert_string_equal(fails(k, "object-del", "{'id': 'g'}", "GenericError"),
			    "object 'g' is in use, can not be deleted");
	json_decref(run(k, "blockdev-del", "{'node-name': 't'}"));
	json_decref(run(k, "object-del", "{'id': 'g'}"));
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_block_shows_the_disk_and_its_image),
		cmocka_unit_test(a_disk_without_a_name_goes_by_its_node_or_its_device),
		cmocka_unit_test(query_blockstats_counts),
		cmocka_unit_test(an_error_stops_the_guest_and_cont_tries_again),
		cmocka_unit_test(a_reset_waits_for_requests_in_flight),
		cmocka_unit_test(a_disk_is_resized_while_it_is_used),
		cmocka_unit_test(limits_are_set_and_shown),
		cmocka_unit_test(a_file_that_cannot_be_opened_yet_holds_up_its_command_alone),
		cmocka_unit_test(media_are_changed_with_the_tray_open),
		cmocka_unit_test(a_tray_that_moves_names_the_disk_and_the_device),
		cmocka_unit_test(a_fixed_disk_has_an_image),
		cmocka_unit_test(sizes_that_do_not_fit_the_sector_are_refused),
		cmocka_unit_test(a_fixed_disk_is_not_ejected),
		cmocka_unit_test(drives_come_and_go),
		cmocka_unit_test(a_drive_in_use_is_taken_away),
		cmocka_unit_test(a_drive_goes_with_its_device),
		cmocka_unit_test(nodes_that_make_no_sense_are_refused),
		cmocka_unit_test(limits_that_a_disk_obeys_stay),
	};
	int failed;

	image = make_image();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(image);
	free(image);
	return failed;
}
