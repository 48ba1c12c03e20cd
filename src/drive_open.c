/* SPDX-License-Identifier: BSD-2-Clause */
/* From what -drive says about an image to a graph of nodes: file names, formats that are guessed, -snapshot. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "io/block/block_internal.h"
#include "io/block/drivers.h"
#include "io/block/probe.h"
#include "src/drive.h"

/* "nbd:..." has a protocol, "/a:b" and "./a:b" do not. */
static size_t protocol_length(const char *name)
{
	size_t n = strcspn(name, ":/");

	return name[n] == ':' ? n : 0;
}

static json_t *options_for_path(const char *driver, const char *path)
{
	return json_pack("{s:s,s:o}", "driver", driver, "filename",
			 json_stringn_nocheck(path, strlen(path)));
}

static json_t *parse_json_name(const char *text, struct error *err)
{
	json_error_t jerr;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &jerr);

	if (!json_is_object(json)) {
		json_decref(json);
		error_set(err, "Could not parse the JSON options: %s",
			  json ? "an object is expected" : jerr.text);
		return NULL;
	}
	return json;
}

json_t *drive_parse_filename(const char *name, struct error *err)
{
	size_t n = protocol_length(name);
	struct stat st;

	if (!n) {
		bool is_device = stat(name, &st) == 0 && S_ISBLK(st.st_mode);

		return options_for_path(is_device ? "host_device" : "file", name);
	}
	if (!strncmp(name, "json:", 5))
		return parse_json_name(name + 5, err);
	if (!strncmp(name, "file:", 5))
		return options_for_path("file", name + (strncmp(name, "file://", 7) ? 5 : 7));
	if (!strncmp(name, "host_device:", 12))
		return options_for_path("host_device", name + 12);
	if (!strcmp(name, "null-co://") || !strcmp(name, "null-aio://"))
		return json_pack("{s:s%}", "driver", name, n);
	error_set(err, "Unknown protocol '%.*s'", (int)n, name);
	return NULL;
}

/* "file" is a file name, also where a node is called so: it becomes an object, with "file.*". AIO of the drive is the file's. */
static bool expand_file(json_t *o, struct error *err)
{
	json_t *file = json_object_get(o, "file"), *more = json_object_get(o, "file-options"),
	       *parsed;
	const char *inherited[] = {"aio", "locking"};

	if (json_is_string(file)) {
		if (json_object_get(more, "filename"))
			return error_set(err, "'file' and 'file.filename' both name an image");
		parsed = drive_parse_filename(json_string_value(file), err);
		if (!parsed)
			return false;
		if (more)
			json_object_update(parsed, more);
		json_object_set_new(o, "file", parsed);
		file = parsed;
	}
	json_object_del(o, "file-options");
	if (!json_is_object(file))
		return true;
	if (!json_object_get(file, "driver"))
		json_object_set_new(file, "driver", json_string("file"));
	for (unsigned i = 0; i < ARRAY_SIZE(inherited); i++) {
		json_t *value = json_object_get(o, inherited[i]);

		if (value && !json_object_get(file, inherited[i]))
			json_object_set(file, inherited[i], value);
		json_object_del(o, inherited[i]);
	}
	return true;
}

static struct block_node *open_node(struct loop *loop, json_t *json, struct error *err)
{
	static const struct block_flags none;
	struct block_options o;
	struct block_node *n;

	block_options_init(&o, json_incref(json));
	n = block_node_open(loop, &o, &none, err);
	block_options_fini(&o);
	return n;
}

/* The file below a format, opened on its own so that its first bytes can be looked at. */
static struct block_node *open_file(struct loop *loop, json_t *options, struct error *err)
{
	static const char *const inherited[] = {"read-only", "auto-read-only", "force-share"};
	json_t *file = json_object_get(options, "file"), *cache = json_object_get(options, "cache");
	struct block_node *n;

	if (!json_is_object(file)) {
		error_set(err, "no file named");
		return NULL;
	}
	file = json_deep_copy(file);
	for (unsigned i = 0; i < ARRAY_SIZE(inherited); i++) {
		json_t *value = json_object_get(options, inherited[i]);

		if (value && !json_object_get(file, inherited[i]))
			json_object_set(file, inherited[i], value);
	}
	if (cache && !json_object_get(file, "cache"))
		json_object_set_new(file, "cache", json_deep_copy(cache));
	if (!json_object_get(file, "discard"))
		json_object_set_new(file, "discard", json_string("unmap"));
	n = open_node(loop, file, err);
	json_decref(file);
	return n;
}

static bool guess_format(struct block_node *file, json_t *options, struct error *err)
{
	const char *path = block_node_filename(file);
	uint8_t head[BLOCK_PROBE_BYTES];
	size_t n = MIN(sizeof(head), file->bytes);
	int ret = n ? block_node_pread_sync(file, 0, head, n) : 0;
	const char *format;

	if (ret < 0)
		return error_set_errno(err, -ret,
				       "Could not read image for determining its format");
	format = n ? block_probe(head, n) : NULL;
	if (format && !block_driver_find(format))
		return error_set(err, "'%s' is a %s image, which this build cannot read",
				 path ? path : file->name, format);
	json_object_set_new(options, "driver", json_string(format ? format : "raw"));
	return true;
}

/* No driver= and no format=. */
static struct block_node *open_guessed(struct loop *loop, json_t *options, struct error *err)
{
	struct block_node *file = open_file(loop, options, err), *n = NULL;
	const char *path;

	if (!file)
		return NULL;
	if (guess_format(file, options, err)) {
		json_object_set_new(options, "file", json_string(file->name));
		n = open_node(loop, options, err);
	}
	if (n && n->drv->is_format && !strcmp(n->drv->name, "raw") && file->drv->filename) {
		n->probed = true;
		path = block_node_filename(file);
		if (!n->flags.read_only)
			report_warning("Image format was not specified for '%s' and probing "
				       "guessed raw; what the guest may write to block 0 is "
				       "restricted. format=raw says that it is raw",
				       path);
	}
	block_node_unref(file);
	return n;
}

/* What snapshot=on puts upon IMAGE, whose reference it takes over. */
static struct block_node *open_overlay(struct loop *loop, struct block_node *image, bool read_only,
				       struct error *err)
{
	json_t *json = json_pack("{s:s,s:s,s:b}", "driver", block_overlay.name, "file", image->name,
				 "read-only", read_only);
	struct block_node *n = open_node(loop, json, err);

	json_decref(json);
	block_node_unref(image);
	return n;
}

/* With snapshot=on; *GUEST_TOO: read-only=on was said, and then the guest may not write to what is upon it either. */
static bool image_is_only_read(json_t *options, bool *guest_too, struct error *err)
{
	struct block_options o;
	bool ok;

	block_options_init(&o, json_incref(options));
	ok = block_options_bool(&o, "read-only", guest_too, err);
	block_options_fini(&o);
	json_object_set_new(options, "read-only", json_true());
	return ok;
}

struct block_node *drive_open_node(struct loop *loop, json_t *options, bool snapshot,
				   struct error *err)
{
	struct block_node *n = NULL;

	json_t *driver = json_object_get(options, "driver");
	bool read_only = false;

	if ((!snapshot || image_is_only_read(options, &read_only, err)) &&
	    expand_file(options, err))
		n = driver ? open_node(loop, options, err) : open_guessed(loop, options, err);
	json_decref(options);
	return n && snapshot ? open_overlay(loop, n, read_only, err) : n;
}
