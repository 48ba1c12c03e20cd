/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitors beyond the first of -monitor: further ones, -qmp, -qmp-pretty and -mon. */
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chardev.h"
#include "src/options/table.h"

static struct option_monitor *add(struct options *o, const char *option, const char *value,
				  char *spec, bool qmp, bool pretty)
{
	struct option_monitor *mon = xzalloc(sizeof(*mon));

	mon->option = option;
	mon->value = value;
	mon->spec = spec;
	mon->qmp = qmp;
	mon->pretty = pretty;
	list_push_back(&o->monitors, &mon->node);
	return mon;
}

void options_add_monitor(struct options *o, const char *option, const char *value,
			 struct chardev *chr)
{
	add(o, option, value, xstrdup(value), false, false)->chr = chr;
}

bool opt_qmp(struct options_parse_state *p, const char *value, struct error *err)
{
	add(p->o, "qmp", value, xstrdup(value), true, false);
	return true;
}

bool opt_qmp_pretty(struct options_parse_state *p, const char *value, struct error *err)
{
	add(p->o, "qmp-pretty", value, xstrdup(value), true, true);
	return true;
}

static bool apply_mon(struct options_parse_state *p, struct optlist *l, const char *value,
		      struct error *err)
{
	static const char *const known[] = {"chardev", "mode", "pretty", "id", NULL};
	const char *chardev = optlist_get(l, "chardev"), *mode = optlist_get(l, "mode");
	const char *pretty = optlist_get(l, "pretty");
	bool control = mode && !strcmp(mode, "control"), is_pretty = false;

	optlist_get(l, "id");
	if (!optlist_check_unused(l, known, err))
		return false;
	if (!chardev)
		return error_set(err, "chardev= is missing");
	if (mode && !control && strcmp(mode, "readline"))
		return error_set(err, "mode is 'control' or 'readline', not '%s'", mode);
	if (pretty && !parse_bool(pretty, &is_pretty))
		return error_set(err, "pretty is 'on' or 'off', not '%s'", pretty);
	if (is_pretty && !control)
		return error_set(err, "pretty=on is for mode=control");
	add(p->o, "mon", value, xasprintf("chardev:%s", chardev), control, is_pretty);
	return true;
}

bool opt_mon(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, "chardev", err))
		return false;
	ok = apply_mon(p, &l, value, err);
	optlist_free(&l);
	return ok;
}

bool options_connect_monitors(struct options_parse_state *p, struct error *err)
{
	unsigned n = p->monitor ? 1 : 0;

	list_for_each(it, &p->o->monitors) {
		struct option_monitor *mon = list_entry(it, struct option_monitor, node);
		char id[24];

		if (mon->chr)
			continue;
		snprintf(id, sizeof(id), "compat_monitor%u", n++);
		if (!options_connect_one(p, mon->option, id, mon->spec, &mon->chr, err))
			return false;
	}
	return true;
}

void options_free_monitors(struct options *o)
{
	list_for_each_safe(it, &o->monitors) {
		struct option_monitor *mon = list_entry(it, struct option_monitor, node);

		free(mon->spec);
		free(mon);
	}
	list_init(&o->monitors);
}
