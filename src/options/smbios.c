/* SPDX-License-Identifier: BSD-2-Clause */
/* -smbios and -uuid: what the machine says of itself in SMBIOS. */
#include <stdio.h>
#include <stdlib.h>
#include "src/boot/firmware.h"
#include "src/boot/smbios.h"
#include "src/options/table.h"

#define SMBIOS_FILE_MAX (64 * KiB)

enum kind { TEXT, NUMBER_8, NUMBER_16, NUMBER_64, SWITCH, RELEASE, UUID };

/* A field of a type: its key, and where it goes. */
struct field {
	const char *key;
	enum kind kind;
	size_t offset;
};

#define FIELD(key, kind, member)                                  \
	{                                                         \
		key, kind, offsetof(struct smbios_config, member) \
	}

static const struct field bios_fields[] = {
	FIELD("vendor", TEXT, bios.vendor), FIELD("version", TEXT, bios.version),
	FIELD("date", TEXT, bios.date),	    {"release", RELEASE, 0},
	FIELD("uefi", SWITCH, bios.uefi),   {.key = NULL},
};

static const struct field system_fields[] = {
	FIELD("manufacturer", TEXT, system.manufacturer),
	FIELD("product", TEXT, system.product),
	FIELD("version", TEXT, system.version),
	FIELD("serial", TEXT, system.serial),
	{"uuid", UUID, 0},
	FIELD("sku", TEXT, system.sku),
	FIELD("family", TEXT, system.family),
	{.key = NULL},
};

static const struct field board_fields[] = {
	FIELD("manufacturer", TEXT, board.manufacturer),
	FIELD("product", TEXT, board.product),
	FIELD("version", TEXT, board.version),
	FIELD("serial", TEXT, board.serial),
	FIELD("asset", TEXT, board.asset),
	FIELD("location", TEXT, board.location),
	{.key = NULL},
};

static const struct field chassis_fields[] = {
	FIELD("manufacturer", TEXT, chassis.manufacturer),
	FIELD("version", TEXT, chassis.version),
	FIELD("serial", TEXT, chassis.serial),
	FIELD("asset", TEXT, chassis.asset),
	FIELD("sku", TEXT, chassis.sku),
	{.key = NULL},
};

static const struct field processor_fields[] = {
	FIELD("sock_pfx", TEXT, processor.sock_pfx),
	FIELD("manufacturer", TEXT, processor.manufacturer),
	FIELD("version", TEXT, processor.version),
	FIELD("serial", TEXT, processor.serial),
	FIELD("asset", TEXT, processor.asset),
	FIELD("part", TEXT, processor.part),
	FIELD("max-speed", NUMBER_16, processor.max_speed),
	FIELD("current-speed", NUMBER_16, processor.current_speed),
	FIELD("processor-id", NUMBER_64, processor.id),
	{.key = NULL},
};

static const struct field memory_fields[] = {
	FIELD("loc_pfx", TEXT, memory.loc_pfx),
	FIELD("bank", TEXT, memory.bank),
	FIELD("manufacturer", TEXT, memory.manufacturer),
	FIELD("serial", TEXT, memory.serial),
	FIELD("asset", TEXT, memory.asset),
	FIELD("part", TEXT, memory.part),
	FIELD("speed", NUMBER_16, memory.speed),
	{.key = NULL},
};

/* Of the port that is being described. */
#define PORT_FIELD(key, kind, member)                                     \
	{                                                                 \
		key, kind,                                                \
			offsetof(struct smbios_config, ports[0].member) - \
				offsetof(struct smbios_config, ports)     \
	}

static const struct field port_fields[] = {
	PORT_FIELD("internal_reference", TEXT, internal),
	PORT_FIELD("external_reference", TEXT, external),
	PORT_FIELD("connector_type", NUMBER_8, connector),
	PORT_FIELD("port_type", NUMBER_8, kind),
	{.key = NULL},
};

/* Their keys stand several times. */
static const struct field oem_fields[] = {
	{"value", TEXT, 0},
	{"path", TEXT, 0},
	{.key = NULL},
};

static const struct {
	uint8_t type;
	const struct field *fields;
} types[] = {
	{0, bios_fields},      {1, system_fields}, {2, board_fields}, {3, chassis_fields},
	{4, processor_fields}, {8, port_fields},   {11, oem_fields},  {17, memory_fields},
};

static struct smbios_config *config_of(struct options_parse_state *p)
{
	struct machine_config *c = &p->o->config;

	if (!c->smbios) {
		c->smbios = xzalloc(sizeof(*c->smbios));
		options_keep_string(p->o, (char *)c->smbios);
	}
	return c->smbios;
}

/* ---- fields ---- */

static bool set_number(void *to, const char *key, const char *value, uint64_t max,
		       struct error *err)
{
	uint64_t n;

	if (!parse_u64(value, &n) || n > max)
		return error_set(err, "%s is a number up to %llu, not '%s'", key,
				 (unsigned long long)max, value);
	memcpy(to, &n, sizeof(n));
	return true;
}

static bool set_release(struct smbios_config *c, const char *value, struct error *err)
{
	unsigned major, minor;
	int n = 0;

	if (sscanf(value, "%3u.%3u%n", &major, &minor, &n) != 2 || value[n] || major > 255 ||
	    minor > 255)
		return error_set(err, "release is MAJOR.MINOR, each up to 255, not '%s'", value);
	c->bios.has_release = true;
	c->bios.major = (uint8_t)major;
	c->bios.minor = (uint8_t)minor;
	return true;
}

static bool set_uuid(struct options_parse_state *p, const char *value, struct error *err)
{
	struct machine_config *c = &p->o->config;

	if (!parse_uuid(value, c->uuid))
		return error_set(
			err, "'%s' is not of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", value);
	c->uuid_given = true;
	return true;
}

static bool set_field(struct options_parse_state *p, const struct field *f, void *base,
		      const char *value, struct error *err)
{
	void *to = (char *)base + f->offset;
	const char *text;

	switch (f->kind) {
	case TEXT:
		text = options_keep_string(p->o, xstrdup(value));
		memcpy(to, &text, sizeof(text));
		return true;
	case NUMBER_8:
		return set_number(to, f->key, value, UINT8_MAX, err);
	case NUMBER_16:
		return set_number(to, f->key, value, UINT16_MAX, err);
	case NUMBER_64:
		return set_number(to, f->key, value, UINT64_MAX, err);
	case SWITCH:
		return parse_bool(value, to) ||
		       error_set(err, "%s is 'on' or 'off', not '%s'", f->key, value);
	case RELEASE:
		return set_release(config_of(p), value, err);
	case UUID:
		return set_uuid(p, value, err);
	}
	return true;
}

static bool set_fields(struct options_parse_state *p, struct optlist *l, const struct field *fields,
		       void *base, struct error *err)
{
	for (const struct field *f = fields; f->key; f++) {
		const char *value = optlist_get(l, f->key);

		if (value && !set_field(p, f, base, value, err))
			return false;
	}
	return true;
}

/* ---- types that are given several times ---- */

static bool add_port(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	struct smbios_config *c = config_of(p);

	if (c->n_ports == SMBIOS_MAX_PORTS)
		return error_set(err, "more than %u structures of type 8", SMBIOS_MAX_PORTS);
	return set_fields(p, l, port_fields, &c->ports[c->n_ports++], err);
}

static const char *read_oem_string(struct options_parse_state *p, const char *path,
				   struct error *err)
{
	uint64_t n;
	uint8_t *bytes = firmware_read("path", path, SMBIOS_FILE_MAX, &n, err);
	char *text;

	if (!bytes)
		return NULL;
	if (memchr(bytes, 0, n)) {
		error_set(err, "path %s: there is a byte 0 in it", path);
		free(bytes);
		return NULL;
	}
	text = xzalloc(n + 1);
	memcpy(text, bytes, n);
	free(bytes);
	return options_keep_string(p->o, text);
}

static bool add_oem_strings(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	struct smbios_config *c = config_of(p);

	for (unsigned i = 0; i < l->n; i++) {
		struct optlist_item *item = &l->items[i];
		bool value = item->key && !strcmp(item->key, "value");
		bool path = item->key && !strcmp(item->key, "path");
		const char *text;

		if (!value && !path)
			continue;
		item->used = true;
		if (c->n_oem == SMBIOS_MAX_OEM)
			return error_set(err, "more than %u strings of type 11", SMBIOS_MAX_OEM);
		text = value ? options_keep_string(p->o, xstrdup(item->value))
			     : read_oem_string(p, item->value, err);
		if (!text)
			return false;
		if (!*text)
			return error_set(err, "a string of type 11 is empty");
		c->oem[c->n_oem++] = text;
	}
	return true;
}

/* ---- an option ---- */

static const struct field *fields_of(uint64_t type)
{
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].fields;
	return NULL;
}

static bool check_keys(struct optlist *l, const struct field *fields, struct error *err)
{
	const char *known[16] = {"type"};
	unsigned n = 1;

	for (; fields->key; fields++)
		known[n++] = fields->key;
	known[n] = NULL;
	return optlist_check_unused(l, known, err);
}

static bool add_type(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	const char *value = optlist_get(l, "type");
	struct smbios_config *c = config_of(p);
	const struct field *fields;
	uint64_t type;
	bool ok;

	if (!value)
		return error_set(err, "neither type= nor file= is given");
	if (!parse_u64(value, &type) || !(fields = fields_of(type)))
		return error_set(err,
				 "type is 0, 1, 2, 3, 4, 8, 11 or 17, not '%s'; file= gives others",
				 value);
	if (c->has_blob[type])
		return error_set(err, "a file= has given the structure of type %s", value);
	c->given[type] = true;
	if (fields == port_fields)
		ok = add_port(p, l, err);
	else if (fields == oem_fields)
		ok = add_oem_strings(p, l, err);
	else
		ok = set_fields(p, l, fields, c, err);
	return ok && check_keys(l, fields, err);
}

static bool add_file(struct options_parse_state *p, struct optlist *l, const char *path,
		     struct error *err)
{
	static const char *const known[] = {"file", NULL};
	struct smbios_config *c = config_of(p);
	uint64_t n;
	uint8_t *bytes;

	if (!optlist_check_unused(l, known, err))
		return false;
	if (c->n_blobs == SMBIOS_MAX_BLOBS)
		return error_set(err, "more than %u files", SMBIOS_MAX_BLOBS);
	bytes = firmware_read("file", path, SMBIOS_FILE_MAX, &n, err);
	if (!bytes)
		return false;
	options_keep_string(p->o, (char *)bytes);
	if (!smbios_check_blob(bytes, n, err)) {
		error_prefix(err, "file %s: ", path);
		return false;
	}
	if (c->given[bytes[0]])
		return error_set(err, "file %s: type=%u has given the fields of that structure",
				 path, bytes[0]);
	c->has_blob[bytes[0]] = true;
	c->blobs[c->n_blobs].bytes = bytes;
	c->blobs[c->n_blobs++].n = n;
	return true;
}

bool options_smbios(struct options_parse_state *p, const char *value, struct error *err)
{
	const char *path;
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	path = optlist_get(&l, "file");
	ok = path ? add_file(p, &l, path, err) : add_type(p, &l, err);
	optlist_free(&l);
	return ok;
}

bool options_uuid(struct options_parse_state *p, const char *value, struct error *err)
{
	return set_uuid(p, value, err);
}

bool options_machine_smbios(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	const char *value = optlist_get(l, "smbios-entry-point-type");

	if (!value)
		return true;
	if (strcmp(value, "32") && strcmp(value, "64"))
		return error_set(err, "smbios-entry-point-type is 32 or 64, not '%s'", value);
	p->o->config.smbios_64 = !strcmp(value, "64");
	return true;
}
