/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of the command table: checking values against them, and showing them as QMP's introspection. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/qapi.h"

/* ---- words ---- */

static bool is_word(const char *a, size_t n, const char *b)
{
	return strlen(b) == n && !memcmp(a, b, n);
}

bool qapi_next(const char **s, struct qapi_member *m)
{
	const char *p = *s ? *s : "";
	size_t n;

	p += strspn(p, " \n");
	if (!*p)
		return false;
	m->optional = *p == '?';
	p += m->optional;
	m->name = p;
	m->name_len = strcspn(p, ": \n");
	p += m->name_len;
	n = *p == ':' ? strcspn(p + 1, " \n") : 0;
	m->type = p + (*p == ':');
	m->type_len = n;
	*s = m->type + n;
	return true;
}

const struct qapi_type *qapi_type_find(const char *name, size_t n)
{
	command_each(types, t)
	{
		if (is_word(name, n, t->name))
			return t;
	}
	return NULL;
}

/* An argument list is members, or the name of a struct that has them. */
static const struct qapi_type *named_struct(const char *args)
{
	return args && *args && !strpbrk(args, ": ") ? qapi_type_find(args, strlen(args)) : NULL;
}

/* ---- built-in types ---- */

static const struct builtin {
	const char *name;      /* in the table */
	const char *shown;     /* by introspection */
	const char *json_type; /* the same */
	const char *expected;  /* in messages */
} builtins[] = {
	{"str", "str", "string", "string"},	{"int", "int", "int", "integer"},
	{"size", "int", "int", "integer"},	{"number", "number", "number", "number"},
	{"bool", "bool", "boolean", "boolean"}, {"null", "null", "null", "null"},
	{"any", "any", "value", "any"},
};

static const struct builtin *builtin_find(const char *name, size_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(builtins); i++)
		if (is_word(name, n, builtins[i].name))
			return &builtins[i];
	return NULL;
}

static bool is_builtin(const json_t *v, const struct builtin *b)
{
	switch (b->json_type[0]) {
	case 's':
		return json_is_string(v);
	case 'i':
		return json_is_integer(v);
	case 'b':
		return json_is_boolean(v);
	case 'v':
		return true;
	default:
		return b->json_type[2] == 'm' ? json_is_number(v) : json_is_null(v);
	}
}

/* ---- checking ---- */

static bool wrong_type(const char *path, const char *expected, struct error *err)
{
	return error_set(err, "Invalid parameter type for '%s', expected: %s", path, expected);
}

static char *join(const char *path, const char *name, size_t n)
{
	return xasprintf("%s%s%.*s", path, *path ? "." : "", (int)n, name);
}

static bool check_array(json_t *v, const char *type, size_t len, const char *path,
			struct error *err)
{
	size_t i, n = json_array_size(v);
	bool ok = true;

	if (!json_is_array(v))
		return wrong_type(path, "array", err);
	for (i = 0; i < n && ok; i++) {
		char *element = xasprintf("%s[%zu]", path, i);

		ok = qapi_check(json_array_get(v, i), type, len, element, err);
		free(element);
	}
	return ok;
}

static bool check_enum(json_t *v, const struct qapi_type *t, const char *path, struct error *err)
{
	const char *words = t->members;
	struct qapi_member m;

	if (!json_is_string(v))
		return wrong_type(path, "string", err);
	while (qapi_next(&words, &m))
		if (is_word(m.name, m.name_len, json_string_value(v)))
			return true;
	return error_set(err, "Parameter '%s' does not accept value '%s'", path,
			 json_string_value(v));
}

static bool json_type_fits(json_t *v, const char *type, size_t len)
{
	const struct builtin *b = builtin_find(type, len);
	const struct qapi_type *t = qapi_type_find(type, len);

	if (b)
		return is_builtin(v, b);
	if (*type == '[')
		return json_is_array(v);
	return t && t->meta == QAPI_ENUM ? json_is_string(v) : json_is_object(v);
}

static bool check_alternate(json_t *v, const struct qapi_type *t, const char *path,
			    struct error *err)
{
	const char *words = t->members;
	struct qapi_member m;

	while (qapi_next(&words, &m))
		if (json_type_fits(v, m.type, m.type_len))
			return qapi_check(v, m.type, m.type_len, path, err);
	return wrong_type(path, t->name, err);
}

/* MEMBERS of OBJECT; what was seen is counted. */
static bool check_listed(json_t *object, const char *members, const char *path, size_t *seen,
			 struct error *err)
{
	struct qapi_member m;
	bool ok = true;

	while (ok && qapi_next(&members, &m)) {
		char *name = join(path, m.name, m.name_len), key[64];
		json_t *v;

		snprintf(key, sizeof(key), "%.*s", (int)m.name_len, m.name);
		v = json_object_get(object, key);
		if (v) {
			++*seen;
			ok = qapi_check(v, m.type, m.type_len, name, err);
		} else if (!m.optional) {
			ok = error_set(err, "Parameter '%s' is missing", name);
		}
		free(name);
	}
	return ok;
}

static bool is_listed(const char *members, const char *name)
{
	struct qapi_member m;

	while (qapi_next(&members, &m))
		if (is_word(m.name, m.name_len, name))
			return true;
	return false;
}

static bool name_unexpected(json_t *object, const char *members, const char *more, const char *path,
			    struct error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach(object, key, v)
	{
		char *name;

		if (is_listed(members, key) || (more && is_listed(more, key)))
			continue;
		name = join(path, key, strlen(key));
		error_set(err, "Parameter '%s' is unexpected", name);
		free(name);
		return false;
	}
	return true;
}

/* The struct that the tag's value selects, or NULL. */
static const struct qapi_type *variant_of(json_t *object, const struct qapi_type *t)
{
	const char *words = t->variants, *tag;
	struct qapi_member m;

	if (!t->tag)
		return NULL;
	tag = json_string_value(json_object_get(object, t->tag));
	while (tag && qapi_next(&words, &m))
		if (is_word(m.name, m.name_len, tag))
			return qapi_type_find(m.type, m.type_len);
	return NULL;
}

static bool check_struct(json_t *v, const struct qapi_type *t, bool extra, const char *path,
			 struct error *err)
{
	const struct qapi_type *variant;
	size_t seen = 0;

	if (!json_is_object(v))
		return wrong_type(path, "object", err);
	if (!check_listed(v, t->members, path, &seen, err))
		return false;
	variant = variant_of(v, t);
	if (variant && !check_listed(v, variant->members, path, &seen, err))
		return false;
	return extra || seen == json_object_size(v) ||
	       name_unexpected(v, t->members, variant ? variant->members : NULL, path, err);
}

bool qapi_check_members(json_t *object, const char *members, bool extra, const char *path,
			struct error *err)
{
	const struct qapi_type *named = named_struct(members);
	const struct qapi_type anonymous = {QAPI_STRUCT, "", members, NULL, NULL};

	return check_struct(object, named ? named : &anonymous, extra, path, err);
}

bool qapi_check(json_t *v, const char *type, size_t len, const char *path, struct error *err)
{
	const struct builtin *b;
	const struct qapi_type *t;

	if (*type == '[')
		return check_array(v, type + 1, len - 2, path, err);
	b = builtin_find(type, len);
	if (b)
		return is_builtin(v, b) || wrong_type(path, b->expected, err);
	t = qapi_type_find(type, len);
	assert(t);
	if (t->meta == QAPI_ENUM)
		return check_enum(v, t, path, err);
	if (t->meta == QAPI_ALTERNATE)
		return check_alternate(v, t, path, err);
	return check_struct(v, t, false, path, err);
}

/* ---- introspection ---- */

/*
 * As QEMU, all but built-in types go by numbers: their names are no interface. The types that the commands and events
 * use, directly or not, are shown, and no others.
 */
struct introspection {
	json_t *out;
	unsigned next;
	json_t *refs; /* our name -> the number as a string; built-ins and arrays: themselves */
};

static json_t *show_members(struct introspection *in, const char *members);

static const char *type_ref(struct introspection *in, const char *type, size_t len);

static const char *new_ref(struct introspection *in, const char *key)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", in->next++);
	if (!key)
		key = number;
	json_object_set_new(in->refs, key, json_string(number));
	return json_string_value(json_object_get(in->refs, key));
}

static const char *array_ref(struct introspection *in, const char *key, const char *element,
			     size_t len)
{
	const char *of = type_ref(in, element, len);
	char *shown = xasprintf("[%s]", of);

	if (!json_object_get(in->refs, key)) {
		json_array_append_new(in->out, json_pack("{ssssss}", "name", shown, "element-type",
							 of, "meta-type", "array"));
		json_object_set_new(in->refs, key, json_string(shown));
	}
	free(shown);
	return json_string_value(json_object_get(in->refs, key));
}

static const char *builtin_ref(struct introspection *in, const struct builtin *b)
{
	char *key = xasprintf("(%s)", b->shown);

	if (!json_object_get(in->refs, key)) {
		json_object_set_new(in->refs, key, json_true());
		json_array_append_new(in->out, json_pack("{ssssss}", "name", b->shown, "json-type",
							 b->json_type, "meta-type", "builtin"));
	}
	free(key);
	return b->shown;
}

static void show_enum(const struct qapi_type *t, json_t *entry)
{
	json_t *members = json_array(), *values = json_array();
	const char *words = t->members;
	struct qapi_member m;

	while (qapi_next(&words, &m)) {
		json_array_append_new(members, json_pack("{s:s%}", "name", m.name, m.name_len));
		json_array_append_new(values, json_stringn(m.name, m.name_len));
	}
	json_object_set_new(entry, "meta-type", json_string("enum"));
	json_object_set_new(entry, "members", members);
	json_object_set_new(entry, "values", values);
}

static json_t *show_cases(struct introspection *in, const char *words)
{
	json_t *cases = json_array();
	struct qapi_member m;

	while (qapi_next(&words, &m))
		json_array_append_new(cases, json_pack("{s:s%,s:s}", "case", m.name, m.name_len,
						       "type", type_ref(in, m.type, m.type_len)));
	return cases;
}

static void show_alternate(struct introspection *in, const struct qapi_type *t, json_t *entry)
{
	json_t *members = json_array();
	const char *words = t->members;
	struct qapi_member m;

	while (qapi_next(&words, &m))
		json_array_append_new(members,
				      json_pack("{s:s}", "type", type_ref(in, m.type, m.type_len)));
	json_object_set_new(entry, "meta-type", json_string("alternate"));
	json_object_set_new(entry, "members", members);
}

static const char *named_ref(struct introspection *in, const struct qapi_type *t)
{
	const char *ref = json_string_value(json_object_get(in->refs, t->name));
	json_t *entry;

	if (ref)
		return ref;
	ref = new_ref(in, t->name);
	entry = json_pack("{s:s}", "name", ref);
	json_array_append_new(in->out, entry);
	if (t->meta == QAPI_ENUM) {
		show_enum(t, entry);
	} else if (t->meta == QAPI_ALTERNATE) {
		show_alternate(in, t, entry);
	} else {
		json_object_set_new(entry, "meta-type", json_string("object"));
		json_object_set_new(entry, "members", show_members(in, t->members));
		if (t->tag) {
			json_object_set_new(entry, "tag", json_string(t->tag));
			json_object_set_new(entry, "variants", show_cases(in, t->variants));
		}
	}
	return ref;
}

static const char *type_ref(struct introspection *in, const char *type, size_t len)
{
	const struct builtin *b = builtin_find(type, len);
	const struct qapi_type *t;
	const char *ref;
	char *key;

	if (b)
		return builtin_ref(in, b);
	if (*type == '[') {
		key = xasprintf("%.*s", (int)len, type);
		ref = array_ref(in, key, type + 1, len - 2);
		free(key);
		return ref;
	}
	t = qapi_type_find(type, len);
	if (!t) {
		fprintf(stderr, "the command table uses a type that it doesn't have: %.*s\n",
			(int)len, type);
		abort();
	}
	return named_ref(in, t);
}

static json_t *show_members(struct introspection *in, const char *members)
{
	json_t *list = json_array();
	struct qapi_member m;

	while (qapi_next(&members, &m)) {
		json_t *shown = json_pack("{s:s%,s:s}", "name", m.name, m.name_len, "type",
					  type_ref(in, m.type, m.type_len));

		if (m.optional)
			json_object_set_new(shown, "default", json_null());
		json_array_append_new(list, shown);
	}
	return list;
}

/* The type of an argument list, of an event's data, or of what returns nothing. */
static const char *members_ref(struct introspection *in, const char *members)
{
	const struct qapi_type *named = named_struct(members);
	const char *ref;

	if (named)
		return named_ref(in, named);
	if (!members || !*members) {
		ref = json_string_value(json_object_get(in->refs, "(empty)"));
		if (ref)
			return ref;
		members = "";
		ref = new_ref(in, "(empty)");
	} else {
		ref = new_ref(in, NULL);
	}
	json_array_append_new(in->out, json_pack("{s:s,s:s,s:o}", "name", ref, "meta-type",
						 "object", "members", show_members(in, members)));
	return ref;
}

json_t *qapi_introspect(void)
{
	struct introspection in = {.out = json_array(), .refs = json_object()};
	json_t *out = json_array();

	command_each(qmp, c)
	{
		const char *args = members_ref(&in, c->args);
		const char *ret = c->returns ? type_ref(&in, c->returns, strlen(c->returns))
					     : members_ref(&in, NULL);
		json_t *entry = json_pack("{ssssssss}", "name", c->name, "ret-type", ret,
					  "meta-type", "command", "arg-type", args);

		if (c->flags & COMMAND_OOB)
			json_object_set_new(entry, "allow-oob", json_true());
		json_array_append_new(out, entry);
	}
	command_each(events, e)
	{
		json_array_append_new(out,
				      json_pack("{ssssss}", "name", e->name, "arg-type",
						members_ref(&in, e->data), "meta-type", "event"));
	}
	json_array_extend(out, in.out);
	json_decref(in.out);
	json_decref(in.refs);
	return out;
}
