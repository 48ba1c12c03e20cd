/* SPDX-License-Identifier: BSD-2-Clause */
/* -drive, -blockdev, -hda to -hdd, -cdrom, -fda, -fdb, -snapshot. */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/node.h"
#include "io/block/options.h"
#include "src/drive.h"
#include "src/options/table.h"

static void keep(struct options_parse_state *p, const char *option, const char *value, json_t *json)
{
	struct option_drive *d = xzalloc(sizeof(*d));

	d->option = option;
	d->value = value;
	d->blockdev = !strcmp(option, "blockdev");
	d->json = json;
	list_push_back(&p->o->drives, &d->node);
}

void options_free_drives(struct options *o)
{
	list_for_each_safe(it, &o->drives) {
		struct option_drive *d = list_entry(it, struct option_drive, node);

		json_decref(d->json);
		free(d);
	}
	list_init(&o->drives);
}

static json_t *string(const char *s)
{
	json_t *json = json_stringn_nocheck(s, strlen(s));

	return json ? json : json_null();
}

/*
 * A key that has a value of its own and others below it, which an object cannot say: "cache=none,cache.writeback=off" and
 * "file=a.img,file.locking=off".
 */
static char *rename_key(const char *key, bool has_file)
{
	if (!strcmp(key, "cache"))
		return xstrdup("cache-mode");
	if (has_file && !strncmp(key, "file.", 5))
		return xasprintf("file-options.%s", key + 5);
	return xstrdup(key);
}

static json_t *drive_keys(struct optlist *l, struct error *err)
{
	bool has_file = optlist_get(l, "file") != NULL;
	json_t *json = json_object();

	for (unsigned i = 0; i < l->n; i++) {
		const struct optlist_item *item = &l->items[i];
		char *key = rename_key(item->key ? item->key : "file", has_file);
		bool ok = block_options_set_path(json, key, string(item->value), err);

		free(key);
		if (!ok) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

json_t *drive_parse_option(const char *value, struct error *err)
{
	struct optlist l;
	json_t *json;

	if (!optlist_parse(&l, value, "file", err))
		return NULL;
	json = drive_keys(&l, err);
	optlist_free(&l);
	return json;
}

static void __attribute__((noreturn)) list_formats(void)
{
	fputs("Supported formats:", stdout);
	for (const struct block_driver *const *d = block_drivers; *d; d++)
		printf(" %s", (*d)->name);
	putchar('\n');
	exit(0);
}

bool options_drive(struct options_parse_state *p, const char *value, struct error *err)
{
	json_t *json = drive_parse_option(value, err);
	const char *format = json_string_value(json_object_get(json, "format"));

	if (!json)
		return false;
	if (format && (!strcmp(format, "help") || !strcmp(format, "?")))
		list_formats();
	keep(p, "drive", value, json);
	return true;
}

bool options_blockdev(struct options_parse_state *p, const char *value, struct error *err)
{
	json_t *json = block_options_parse(value, "driver", err);

	if (!json)
		return false;
	keep(p, "blockdev", value, json);
	return true;
}

static bool disk(struct options_parse_state *p, const char *option, const char *value,
		 const char *type, const char *media, int index)
{
	json_t *json =
		json_pack("{s:s,s:i,s:o}", "media", media, "index", index, "file", string(value));

	if (type)
		json_object_set_new(json, "if", json_string(type));
	keep(p, option, value, json);
	return true;
}

bool options_hda(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "hda", value, NULL, "disk", 0);
}

bool options_hdb(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "hdb", value, NULL, "disk", 1);
}

bool options_hdc(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "hdc", value, NULL, "disk", 2);
}

bool options_hdd(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "hdd", value, NULL, "disk", 3);
}

bool options_cdrom(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "cdrom", value, NULL, "cdrom", 2);
}

bool options_fda(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "fda", value, "floppy", "disk", 0);
}

bool options_fdb(struct options_parse_state *p, const char *value, struct error *err)
{
	return disk(p, "fdb", value, "floppy", "disk", 1);
}

bool options_pflash(struct options_parse_state *p, const char *value, struct error *err)
{
	keep(p, "pflash", value, json_pack("{s:s,s:o}", "if", "pflash", "file", string(value)));
	return true;
}

bool options_snapshot(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.snapshot = true;
	return true;
}

/* Nodes first: drives may stand on them. */
static bool open_all(struct options *o, struct machine *m, bool blockdev, struct error *err)
{
	list_for_each(it, &o->drives) {
		struct option_drive *d = list_entry(it, struct option_drive, node);
		bool ok;

		if (d->blockdev != blockdev)
			continue;
		ok = blockdev ? blockdev_add(m->loop, json_incref(d->json), err)
			      : drive_add(m, json_incref(d->json), err);
		if (ok)
			continue;
		error_prefix(err, "-%s %s: ", d->option, d->value);
		return false;
	}
	return true;
}

bool options_open_drives(struct options *o, struct machine *m, struct error *err)
{
	return open_all(o, m, true, err) && open_all(o, m, false, err) &&
	       drive_add_defaults(m, err);
}
