/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of -object: the list of their types, and their life. */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/throttle_group.h"
#include "io/crypto/secret.h"
#include "io/rng/rng.h"
#include "src/iothread.h"
#include "src/memory_backend.h"
#include "src/object.h"
#include "src/options/optlist_json.h"
#include "src/util.h"

const struct object_type *const object_types[] = {
	&iothread_type,
	&memory_backend_file_type,
	&memory_backend_memfd_type,
	&memory_backend_ram_type,
	&rng_builtin_type,
	&rng_random_type,
	&secret_type,
	&throttle_group_type,
	NULL,
};

/* ---- types ---- */

const struct object_type *object_type_find(const char *name)
{
	for (const struct object_type *const *t = object_types; *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}

static bool unknown_type(const char *name, struct error *err)
{
	const char *names[ARRAY_SIZE(object_types)], *nearest;

	for (unsigned i = 0; i < ARRAY_SIZE(object_types); i++)
		names[i] = object_types[i] ? object_types[i]->name : NULL;
	nearest = nearest_word(name, names);
	if (nearest)
		return error_set(err, "invalid object type '%s'; did you mean '%s'?", name,
				 nearest);
	return error_set(err, "invalid object type '%s' (-object help lists them)", name);
}

void object_list_types(void)
{
	printf("List of user creatable objects:\n");
	for (const struct object_type *const *t = object_types; *t; t++)
		printf("  %-24s %s\n", (*t)->name, (*t)->desc ? (*t)->desc : "");
}

const struct object_type *object_type_of_option(const char *arg)
{
	const struct object_type *type;
	struct optlist l;
	const char *name;

	if (!optlist_parse_json(&l, arg, "qom-type", NULL))
		return NULL;
	name = optlist_get(&l, "qom-type");
	type = name ? object_type_find(name) : NULL;
	optlist_free(&l);
	return type;
}

/* ---- life ---- */

void object_set_init(struct object_set *set, struct loop *loop)
{
	set->loop = loop;
	list_init(&set->objects);
}

struct object *object_new(struct object_set *set, const struct object_type *type, const char *id)
{
	struct object *o = xzalloc(type->size);

	o->type = type;
	o->set = set;
	o->id = xstrdup(id);
	list_init(&o->node);
	props_set_defaults(o, type->props);
	return o;
}

static void object_free(struct object *o)
{
	list_remove(&o->node);
	props_free(o, o->type->props);
	free(o->id);
	free(o);
}

bool object_add(struct object *o, struct error *err)
{
	if (o->type->realize && !o->type->realize(o, err)) {
		object_free(o);
		return false;
	}
	list_push_back(&o->set->objects, &o->node);
	return true;
}

static void object_end(struct object *o)
{
	if (o->type->unrealize)
		o->type->unrealize(o);
	object_free(o);
}

void object_set_fini(struct object_set *set)
{
	while (!list_empty(&set->objects))
		object_end(list_entry(set->objects.prev, struct object, node));
}

static struct object *find(const struct object_set *set, const char *id)
{
	list_for_each(it, &set->objects) {
		struct object *o = list_entry(it, struct object, node);

		if (!strcmp(o->id, id))
			return o;
	}
	return NULL;
}

struct object *object_find(const struct object_set *set, const char *id,
			   const struct object_type *type, struct error *err)
{
	struct object *o = find(set, id);

	if (!o) {
		error_set(err, "object '%s' not found", id);
		return NULL;
	}
	if (type && o->type != type) {
		error_set(err, "object '%s' is a %s, not a %s", id, o->type->name, type->name);
		return NULL;
	}
	return o;
}

bool object_delete(struct object_set *set, const char *id, struct error *err)
{
	struct object *o = object_find(set, id, NULL, err);

	if (!o)
		return false;
	if (o->users || (o->type->in_use && o->type->in_use(o)))
		return error_set(err, "object '%s' is in use, can not be deleted", id);
	object_end(o);
	return true;
}

/* ---- -object ---- */

static bool set_props(struct object *o, struct optlist *l, struct error *err)
{
	for (unsigned i = 0; i < l->n; i++) {
		const char *key = l->items[i].key;

		if (!l->items[i].used && !props_set(o, o->type->props, "object", o->type->name,
						    key ? key : "", l->items[i].value, err))
			return false;
	}
	return true;
}

struct object *object_create_from_list(struct object_set *set, struct optlist *l, struct error *err)
{
	const char *name = optlist_get(l, "qom-type"), *id = optlist_get(l, "id");
	const struct object_type *type = name ? object_type_find(name) : NULL;
	struct object *o;

	if (!name) {
		error_set(err, "an object type is needed (-object help lists them)");
		return NULL;
	}
	if (!type) {
		unknown_type(name, err);
		return NULL;
	}
	if (!id) {
		error_set(err, "Parameter 'id' is missing");
		return NULL;
	}
	if (!id_check(id, err))
		return NULL;
	if (find(set, id)) {
		error_set(err, "Duplicate object ID '%s'", id);
		return NULL;
	}
	o = object_new(set, type, id);
	if (!set_props(o, l, err)) {
		object_free(o);
		return NULL;
	}
	return object_add(o, err) ? o : NULL;
}

/* "TYPE,help" prints and exits: for the command line only. */
static void help_if_asked(struct optlist *l)
{
	const char *name = optlist_get(l, "qom-type");
	const struct object_type *type = name ? object_type_find(name) : NULL;

	if (!type || (!optlist_get(l, "help") && !optlist_get(l, "?")))
		return;
	printf("%s options:\n", type->name);
	props_help(type->props);
	exit(0);
}

struct object *object_create_from_option(struct object_set *set, const char *arg, struct error *err)
{
	struct optlist l;
	struct object *o;

	if (!optlist_parse_json(&l, arg, "qom-type", err))
		return NULL;
	help_if_asked(&l);
	o = object_create_from_list(set, &l, err);
	optlist_free(&l);
	return o;
}
