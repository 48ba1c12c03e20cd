/* SPDX-License-Identifier: BSD-2-Clause */
/* -global (globals.h). */
#include <stdlib.h>
#include "src/globals.h"
#include "src/hotplug.h"
#include "src/options/optlist.h"

static void global_free(struct device_global *g)
{
	free(g->prop);
	free(g->value);
	free(g);
}

/* On a device that is nobody's: so it is known to succeed later. */
static bool try_out(const struct device_global *g, struct error *err)
{
	const struct device_prop *p = props_find(g->type->props, g->prop);
	struct device *dev;
	bool ok;

	if (p && (p->type == PROP_CHARDEV || p->type == PROP_DRIVE))
		return error_set(err, "'%s.%s' is one device's own; -device sets it", g->type->name,
				 g->prop);
	dev = device_new(NULL, g->type, NULL);
	ok = device_set_prop(dev, g->prop, g->value, err);
	device_unrealize(dev);
	return ok;
}

static bool take(struct list *globals, const char *driver, const char *prop, const char *value,
		 struct error *err)
{
	struct device_global *g;
	const struct device_type *type = device_type_find(driver);

	if (!type)
		return device_type_unknown(driver, err);
	g = xzalloc(sizeof(*g));
	g->type = type;
	g->prop = xstrdup(prop);
	g->value = xstrdup(value);
	if (!try_out(g, err)) {
		global_free(g);
		return false;
	}
	list_push_back(globals, &g->node);
	return true;
}

static bool take_keys(struct list *globals, const char *arg, struct error *err)
{
	static const char *const known[] = {"driver", "property", "value", NULL};
	const char *driver, *prop, *value;
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, arg, NULL, err))
		return false;
	driver = optlist_get(&l, "driver");
	prop = optlist_get(&l, "property");
	value = optlist_get(&l, "value");
	ok = optlist_check_unused(&l, known, err);
	if (ok && (!driver || !prop || !value))
		ok = error_set(err, "the form is TYPE.PROPERTY=VALUE");
	ok = ok && take(globals, driver, prop, value, err);
	optlist_free(&l);
	return ok;
}

bool globals_add(struct list *globals, const char *arg, struct error *err)
{
	const char *equals = strchr(arg, '='), *dot = strchr(arg, '.');
	char *driver, *prop;
	bool ok;

	if (!equals)
		return error_set(err, "the form is TYPE.PROPERTY=VALUE");
	/* Some types have a dot in their name. */
	for (const char *next = dot; next && next < equals; next = strchr(next + 1, '.'))
		dot = next;
	if (!dot || dot > equals)
		return take_keys(globals, arg, err);
	driver = xasprintf("%.*s", (int)(dot - arg), arg);
	prop = xasprintf("%.*s", (int)(equals - dot - 1), dot + 1);
	ok = take(globals, driver, prop, equals + 1, err);
	free(driver);
	free(prop);
	return ok;
}

void globals_apply(struct list *globals, struct device *dev)
{
	list_for_each(it, globals) {
		struct device_global *g = list_entry(it, struct device_global, node);

		if (g->type != dev->type)
			continue;
		device_set_prop(dev, g->prop, g->value, NULL);
		g->used = true;
	}
}

void globals_warn_unused(const struct list *globals)
{
	list_for_each(it, globals) {
		const struct device_global *g = list_entry(it, struct device_global, node);

		if (!g->used && !device_is_hotpluggable(g->type))
			report_warning("-global %s.%s=%s: there is no %s", g->type->name, g->prop,
				       g->value, g->type->name);
	}
}

void globals_free(struct list *globals)
{
	list_for_each_safe(it, globals)
		global_free(list_entry(it, struct device_global, node));
	list_init(globals);
}
