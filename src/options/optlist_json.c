/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON objects as comma lists (optlist_json.h). */
#include <stdlib.h>
#include "src/options/optlist_json.h"

#define NESTING_MAX 8

char *optlist_json_text(json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return xstrdup(json_string_value(v));
	case JSON_INTEGER:
		return xasprintf("%lld", (long long)json_integer_value(v));
	case JSON_REAL:
		return xasprintf("%g", json_real_value(v));
	case JSON_TRUE:
		return xstrdup("on");
	case JSON_FALSE:
		return xstrdup("off");
	default:
		return NULL;
	}
}

/* "0,1,3" */
static char *list_text(json_t *array)
{
	char *all = xstrdup("");
	json_t *element;
	size_t i;

	json_array_foreach(array, i, element)
	{
		char *text = optlist_json_text(element), *longer;

		longer = text ? xasprintf("%s%s%s", all, i ? "," : "", text) : NULL;
		free(text);
		free(all);
		all = longer;
		if (!all)
			break;
	}
	return all;
}

static bool add(struct optlist *l, const char *key, json_t *v, unsigned depth, struct error *err);

static bool add_members(struct optlist *l, const char *key, json_t *v, unsigned depth,
			struct error *err)
{
	const char *name;
	json_t *member;
	bool ok = true;

	json_object_foreach(v, name, member)
	{
		char *path = xasprintf("%s%s%s", key, *key ? "." : "", name);

		ok = ok && add(l, path, member, depth + 1, err);
		free(path);
	}
	return ok;
}

static bool add(struct optlist *l, const char *key, json_t *v, unsigned depth, struct error *err)
{
	char *text;
	bool ok;

	if (depth > NESTING_MAX)
		return error_set(err, "'%s' is nested too deep", key);
	if (json_is_object(v))
		return add_members(l, key, v, depth, err);
	text = json_is_array(v) ? list_text(v) : optlist_json_text(v);
	if (!text)
		return error_set(err, "Invalid parameter type for '%s', expected: string", key);
	ok = optlist_add(l, key, text) ||
	     error_set(err, "more than %zu values", ARRAY_SIZE(l->items));
	free(text);
	return ok;
}

bool optlist_from_json(json_t *object, struct optlist *l, struct error *err)
{
	l->n = 0;
	if (add_members(l, "", object, 0, err))
		return true;
	optlist_free(l);
	return false;
}

bool optlist_parse_json(struct optlist *l, const char *arg, const char *implied_key,
			struct error *err)
{
	json_error_t where;
	json_t *object;
	bool ok;

	if (*arg != '{')
		return optlist_parse(l, arg, implied_key, err);
	object = json_loads(arg, JSON_REJECT_DUPLICATES, &where);
	if (!object)
		return error_set(err, "JSON, column %d: %s", where.column, where.text);
	ok = optlist_from_json(object, l, err);
	json_decref(object);
	return ok;
}
