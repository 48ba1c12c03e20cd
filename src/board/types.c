/* SPDX-License-Identifier: BSD-2-Clause */
/* The boards there are, and their names: a board of QEMU's later versions is the one of its earlier ones, too. */
#include <stdio.h>
#include "src/machine.h"

const struct machine_type *const machine_types[] = {&machine_pc, &machine_q35, &machine_microvm,
						    &machine_none, NULL};

/* As QEMU 7.2 lists them. A board's newest version has the board's own name. */
static const char *const i440fx_versions[] = {"7.1",  "7.0",  "6.2",  "6.1", "6.0", "5.2", "5.1",
					      "5.0",  "4.2",  "4.1",  "4.0", "3.1", "3.0", "2.9",
					      "2.8",  "2.7",  "2.6",  "2.5", "2.4", "2.3", "2.2",
					      "2.12", "2.11", "2.10", "2.1", "2.0", "1.7", "1.6",
					      "1.5",  "1.4",  NULL};
static const char *const q35_versions[] = {"7.1", "7.0", "6.2",	 "6.1",	 "6.0",	  "5.2",
					   "5.1", "5.0", "4.2",	 "4.1",	 "4.0.1", "4.0",
					   "3.1", "3.0", "2.9",	 "2.8",	 "2.7",	  "2.6",
					   "2.5", "2.4", "2.12", "2.11", "2.10",  NULL};

static const struct {
	const struct machine_type *type;
	const char *prefix;
	const char *const *versions;
} families[] = {
	{&machine_pc, "pc-i440fx-", i440fx_versions},
	{&machine_q35, "pc-q35-", q35_versions},
};

static void each_version(const struct machine_type *type, machine_name_fn *fn, void *opaque)
{
	char name[64];

	for (unsigned i = 0; i < ARRAY_SIZE(families); i++) {
		if (families[i].type != type)
			continue;
		for (const char *const *v = families[i].versions; *v; v++) {
			snprintf(name, sizeof(name), "%s%s", families[i].prefix, *v);
			fn(opaque, type, name, **v == '1');
		}
	}
}

void machine_each_name(machine_name_fn *fn, void *opaque)
{
	for (const struct machine_type *const *t = machine_types; *t; t++) {
		fn(opaque, *t, (*t)->name, false);
		each_version(*t, fn, opaque);
	}
}

static bool has_version(const struct machine_type *type, const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(families); i++) {
		size_t n = strlen(families[i].prefix);

		if (families[i].type != type || strncmp(name, families[i].prefix, n))
			continue;
		for (const char *const *v = families[i].versions; *v; v++)
			if (!strcmp(name + n, *v))
				return true;
	}
	return false;
}

const struct machine_type *machine_type_find(const char *name)
{
	for (const struct machine_type *const *t = machine_types; *t; t++)
		if (!strcmp((*t)->name, name) || ((*t)->alias && !strcmp((*t)->alias, name)) ||
		    has_version(*t, name))
			return *t;
	return NULL;
}

const char *machine_name(const struct machine *m)
{
	const char *given = m->config.type_name;

	return given && (!m->config.type->alias || strcmp(given, m->config.type->alias))
		       ? given
		       : m->config.type->name;
}

static void show(void *opaque, const struct machine_type *t, const char *name, bool deprecated)
{
	bool own = !strcmp(name, t->name);

	if (own && t->alias)
		printf("%-20s %s (alias of %s)\n", t->alias, t->desc, t->name);
	printf("%-20s %s%s%s\n", name, t->desc, own && t->is_default ? " (default)" : "",
	       deprecated ? " (deprecated)" : "");
}

void machine_list_types(void)
{
	printf("Supported machines are:\n");
	machine_each_name(show, NULL);
}
