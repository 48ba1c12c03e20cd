/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of -object and object_add: what is neither a device nor a back end of one alone, and is named by others: memory
 * backends, sources of randomness, secrets. An object is a struct that begins with `struct object` and one const struct
 * object_type; src/object.c lists the types, once.
 *
 * Life: object_create_from_option (properties set, then realize) -> object_delete or the end of the set. Who keeps a pointer to one
 * counts itself in USERS; until it lets go, the object can't be deleted. Loop thread, or start-up before it runs.
 */
#ifndef EVMM_OBJECT_H
#define EVMM_OBJECT_H

#include "src/list.h"
#include "src/props.h"

struct loop;
struct object;

struct object_set {
	struct loop *loop;
	struct list objects; /* in the order of creation */
};

struct object_type {
	const char *name, *desc;
	size_t size;
	const struct device_prop *props;
	bool early; /* created when its -object is parsed, for options behind it; others once all chardevs are there */
	/* Takes what it needs; false leaves nothing that unrealize would have to undo. */
	bool (*realize)(struct object *o, struct error *err);
	void (*unrealize)(struct object *o);
	/* NULL: who uses one is counted in USERS. Called of what is realized. */
	bool (*in_use)(const struct object *o);
};

struct object {
	const struct object_type *type;
	struct object_set *set;
	struct list node;
	char *id;
	unsigned users;
};

void object_set_init(struct object_set *set, struct loop *loop);
/* Deletes all of them, the last one first. */
void object_set_fini(struct object_set *set);

/* "TYPE,id=ID[,prop=value...]". TYPE,help prints the properties and exits 0. */
struct object *object_create_from_option(struct object_set *set, const char *arg,
					 struct error *err);
/* By a list with "qom-type", "id" and properties. */
struct optlist;
struct object *object_create_from_list(struct object_set *set, struct optlist *l,
				       struct error *err);
/* For the program's own: properties by props_set or in the struct, then object_add. */
struct object *object_new(struct object_set *set, const struct object_type *type, const char *id);
/* On failure the object is freed. */
bool object_add(struct object *o, struct error *err);
bool object_delete(struct object_set *set, const char *id, struct error *err);

/* TYPE NULL: of any type. NULL with ERR when there is none of that id, or it is something else. */
struct object *object_find(const struct object_set *set, const char *id,
			   const struct object_type *type, struct error *err);

const struct object_type *object_type_find(const char *name);
extern const struct object_type *const object_types[]; /* ends with NULL */
/* The type that ARG names, or NULL. */
const struct object_type *object_type_of_option(const char *arg);
/* -object help */
void object_list_types(void);

#endif
