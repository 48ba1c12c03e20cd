/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of block nodes: "-blockdev" text and JSON to nested objects, and typed look-ups in them. */
#include <ctype.h>
#include <stdlib.h>
#include "io/block/options.h"
#include "src/options/optlist.h"

void block_options_init(struct block_options *o, json_t *json)
{
	o->json = json ? json : json_object();
	o->n_known = 0;
}

void block_options_fini(struct block_options *o)
{
	json_decref(o->json);
	o->json = NULL;
}

bool block_options_set_path(json_t *object, const char *path, json_t *value, struct error *err)
{
	const char *dot;

	while ((dot = strchr(path, '.'))) {
		char *key = xstrdup(path);
		json_t *next;

		key[dot - path] = '\0';
		next = json_object_get(object, key);
		if (!next) {
			next = json_object();
			json_object_set_new(object, key, next);
		}
		free(key);
		if (!json_is_object(next)) {
			json_decref(value);
			return error_set(err, "'%s' is below a key that has a value itself", path);
		}
		object = next;
		path = dot + 1;
	}
	if (json_is_object(json_object_get(object, path))) {
		json_decref(value);
		return error_set(err, "'%s' has keys below it already", path);
	}
	json_object_set_new(object, path, value);
	return true;
}

static json_t *parse_json(const char *text, struct error *err)
{
	json_error_t jerr;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &jerr);

	if (!json) {
		error_set(err, "not JSON: %s (line %d, column %d)", jerr.text, jerr.line,
			  jerr.column);
		return NULL;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		error_set(err, "a JSON object is expected");
		return NULL;
	}
	return json;
}

json_t *block_options_parse(const char *text, const char *implied, struct error *err)
{
	struct optlist l;
	json_t *json;

	while (isspace((unsigned char)*text))
		text++;
	if (*text == '{')
		return parse_json(text, err);
	if (!optlist_parse(&l, text, implied, err))
		return NULL;
	json = json_object();
	for (unsigned i = 0; i < l.n; i++) {
		const struct optlist_item *item = &l.items[i];
		json_t *value = json_stringn_nocheck(item->value, strlen(item->value));
		bool ok = item->key ? block_options_set_path(json, item->key, value, err)
				    : error_set(err, "'%s' has no value", item->value);

		if (ok)
			continue;
		json_decref(json);
		json = NULL;
		break;
	}
	optlist_free(&l);
	return json;
}

bool block_options_has(const struct block_options *o, const char *key)
{
	return json_object_get(o->json, key) != NULL;
}

json_t *block_options_take(struct block_options *o, const char *key)
{
	json_t *value = json_object_get(o->json, key);

	if (o->n_known < BLOCK_OPTIONS_MAX_KNOWN)
		o->known[o->n_known++] = key;
	if (value) {
		json_incref(value);
		json_object_del(o->json, key);
	}
	return value;
}

static bool wrong_kind(const char *key, json_t *value, const char *expected, struct error *err)
{
	if (json_is_string(value))
		error_set(err, "Parameter '%s' expects %s, not '%s'", key, expected,
			  json_string_value(value));
	else
		error_set(err, "Parameter '%s' expects %s", key, expected);
	json_decref(value);
	return false;
}

bool block_options_str(struct block_options *o, const char *key, char **out, struct error *err)
{
	json_t *value = block_options_take(o, key);

	if (!value)
		return true;
	if (!json_is_string(value))
		return wrong_kind(key, value, "a string", err);
	free(*out);
	*out = xstrdup(json_string_value(value));
	json_decref(value);
	return true;
}

bool block_options_bool(struct block_options *o, const char *key, bool *out, struct error *err)
{
	json_t *value = block_options_take(o, key);

	if (!value)
		return true;
	if (json_is_boolean(value))
		*out = json_is_true(value);
	else if (!json_is_string(value) || !parse_bool(json_string_value(value), out))
		return wrong_kind(key, value, "'on' or 'off'", err);
	json_decref(value);
	return true;
}

static bool take_number(struct block_options *o, const char *key, uint64_t *out, bool size,
			struct error *err)
{
	json_t *value = block_options_take(o, key);
	const char *expected = size ? "a size such as 512, 64k or 1M" : "a number";
	bool ok;

	if (!value)
		return true;
	if (json_is_integer(value)) {
		ok = json_integer_value(value) >= 0;
		if (ok)
			*out = (uint64_t)json_integer_value(value);
	} else if (json_is_string(value)) {
		ok = size ? parse_size(json_string_value(value), 0, out)
			  : parse_u64(json_string_value(value), out);
	} else {
		ok = false;
	}
	if (!ok)
		return wrong_kind(key, value, expected, err);
	json_decref(value);
	return true;
}

bool block_options_u64(struct block_options *o, const char *key, uint64_t *out, struct error *err)
{
	return take_number(o, key, out, false, err);
}

bool block_options_size(struct block_options *o, const char *key, uint64_t *out, struct error *err)
{
	return take_number(o, key, out, true, err);
}

bool block_options_check_unused(struct block_options *o, struct error *err)
{
	void *it = json_object_iter(o->json);
	const char *key, *near;

	if (!it)
		return true;
	key = json_object_iter_key(it);
	o->known[o->n_known] = NULL;
	near = nearest_word(key, o->known);
	if (near)
		return error_set(err, "Parameter '%s' is unexpected; did you mean '%s'?", key,
				 near);
	return error_set(err, "Parameter '%s' is unexpected", key);
}
