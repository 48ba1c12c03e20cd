/* SPDX-License-Identifier: BSD-2-Clause */
/* -object: some are made at once, for the options behind them; others when the chardevs that they name are there. */
#include <stdlib.h>
#include "src/options/table.h"

struct option_object {
	struct list node;
	const char *arg;
};

bool options_add_object(struct options_parse_state *p, const char *arg, struct error *err)
{
	const struct object_type *type;
	struct option_object *late;

	if (!strcmp(arg, "help") || !strcmp(arg, "?")) {
		object_list_types();
		exit(0);
	}
	type = object_type_of_option(arg);
	if (!type || type->early)
		return object_create_from_option(&p->o->objects, arg, err) != NULL;
	late = xzalloc(sizeof(*late));
	late->arg = arg;
	list_push_back(&p->late_objects, &late->node);
	return true;
}

bool options_create_objects(struct options_parse_state *p, struct error *err)
{
	list_for_each(it, &p->late_objects) {
		const struct option_object *late = list_entry(it, struct option_object, node);

		if (!object_create_from_option(&p->o->objects, late->arg, err)) {
			error_prefix(err, "-object %s: ", late->arg);
			return false;
		}
	}
	return true;
}

void options_forget_objects(struct options_parse_state *p)
{
	list_for_each_safe(it, &p->late_objects) {
		list_remove(it);
		free(list_entry(it, struct option_object, node));
	}
}
