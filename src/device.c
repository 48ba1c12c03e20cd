/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices' frame: properties, life, -device. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/bus.h"
#include "src/clock.h"
#include "src/device.h"
#include "src/globals.h"
#include "src/log.h"
#include "src/loop.h"
#include "src/machine.h"
#include "src/options/options.h"
#include "src/options/optlist_json.h"

/* ---- types ---- */

const struct device_type *device_type_find(const char *name)
{
	for (const struct device_type *const *t = device_types; *t; t++)
		if (!strcmp((*t)->name, name) || ((*t)->alias && !strcmp((*t)->alias, name)))
			return *t;
	return NULL;
}

static unsigned count_types(void)
{
	unsigned n = 0;

	while (device_types[n])
		n++;
	return n;
}

bool device_type_unknown(const char *name, struct error *err)
{
	const char **names = xzalloc((count_types() * 2 + 1) * sizeof(*names));
	const char *nearest;
	unsigned n = 0;

	for (const struct device_type *const *t = device_types; *t; t++) {
		if (!(*t)->user_creatable)
			continue;
		names[n++] = (*t)->name;
		if ((*t)->alias)
			names[n++] = (*t)->alias;
	}
	nearest = nearest_word(name, names);
	if (nearest)
		error_set(err, "'%s' is not a valid device model name; did you mean '%s'?", name,
			  nearest);
	else
		error_set(err, "'%s' is not a valid device model name (-device help lists them)",
			  name);
	free(names);
	return false;
}

void device_list_types(void)
{
	for (const struct device_type *const *t = device_types; *t; t++) {
		if (!(*t)->user_creatable)
			continue;
		printf("name \"%s\"", (*t)->name);
		if (bus_type_name((*t)->bus))
			printf(", bus %s", bus_type_name((*t)->bus));
		if ((*t)->alias)
			printf(", alias \"%s\"", (*t)->alias);
		if ((*t)->desc)
			printf(", desc \"%s\"", (*t)->desc);
		printf("\n");
	}
}

void device_help(const struct device_type *type)
{
	printf("%s options:\n", type->name);
	props_help(type->props);
}

/* ---- properties ---- */

bool device_set_prop(struct device *dev, const char *name, const char *value, struct error *err)
{
	return props_set(dev, dev->type->props, "device", dev->type->name, name, value, err);
}

static cold_fn void __attribute__((noreturn))
bad_builtin(const struct device *dev, const char *what)
{
	report_error("%s: no property '%s' of that type", dev->type->name, what);
	abort();
}

void device_set_prop_num(struct device *dev, const char *name, uint64_t value)
{
	const struct device_prop *p = props_find(dev->type->props, name);

	if (!p || p->type == PROP_STRING || p->type == PROP_CHARDEV || p->type == PROP_DRIVE)
		bad_builtin(dev, name);
	props_store_num(dev, p, value);
}

void device_set_prop_chardev(struct device *dev, const char *name, struct chardev *chr)
{
	const struct device_prop *p = props_find(dev->type->props, name);

	if (!p || p->type != PROP_CHARDEV)
		bad_builtin(dev, name);
	*(struct chardev **)((char *)dev + p->offset) = chr;
}

void device_set_prop_drive(struct device *dev, const char *name, struct block *b)
{
	const struct device_prop *p = props_find(dev->type->props, name);

	if (!p || p->type != PROP_DRIVE)
		bad_builtin(dev, name);
	*(struct block **)((char *)dev + p->offset) = b;
}

/* ---- life ---- */

struct device *device_new(struct machine *m, const struct device_type *type, const char *id)
{
	struct device *dev = xzalloc(type->size);

	dev->type = type;
	dev->machine = m;
	dev->id = id ? xstrdup(id) : NULL;
	list_init(&dev->node);
	if (m) {
		dev->number = m->devices_made++;
		list_push_back(&m->devices, &dev->node);
	}
	props_set_defaults(dev, type->props);
	if (m && m->config.globals)
		globals_apply(m->config.globals, dev);
	return dev;
}

bool device_realize(struct device *dev, struct error *err)
{
	if (dev->type->realize && !dev->type->realize(dev, err))
		return false;
	dev->realized = true;
	return true;
}

void device_reset(struct device *dev)
{
	dev->broken = NULL;
	if (dev->type->reset)
		dev->type->reset(dev);
}

/* What sits on DEV's buses came after it, and goes before it. */
static void unrealize_children(struct device *dev)
{
	for (;;) {
		struct device *child = NULL;

		list_for_each(it, &dev->machine->devices) {
			struct device *d = list_entry(it, struct device, node);

			if (d->parent_bus && d->parent_bus->owner == dev)
				child = d;
		}
		if (!child)
			return;
		device_unrealize(child);
	}
}

void device_unrealize(struct device *dev)
{
	if (dev->machine)
		unrealize_children(dev);
	if (dev->realized && dev->type->unrealize)
		dev->type->unrealize(dev);
	list_remove(&dev->node);
	props_free(dev, dev->type->props);
	free(dev->id);
	free(dev);
}

struct device *device_create_builtin(struct machine *m, const struct device_type *type)
{
	struct device *dev = device_new(m, type, NULL);
	struct error err = ERROR_INIT;

	if (!device_realize(dev, &err)) {
		error_prefix(&err, "%s: ", type->name);
		error_report(&err);
		exit(1); /* by a -global that it can't be made with */
	}
	return dev;
}

/* ---- -device ---- */

struct device *device_find(struct machine *m, const char *id)
{
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if (dev->id && !strcmp(dev->id, id))
			return dev;
	}
	return NULL;
}

char *device_path(const struct device *dev)
{
	if (dev->id)
		return xasprintf("/machine/peripheral/%s", dev->id);
	return xasprintf("/machine/%s/device[%u]", dev->by_user ? "peripheral-anon" : "unattached",
			 dev->number);
}

static bool apply_options(struct device *dev, struct optlist *l, struct error *err)
{
	for (unsigned i = 0; i < l->n; i++) {
		const char *key = l->items[i].key;

		if (!l->items[i].used &&
		    !device_set_prop(dev, key ? key : "", l->items[i].value, err))
			return false;
	}
	return device_realize(dev, err);
}

struct device *device_create_from_list(struct machine *m, struct optlist *l, struct error *err)
{
	const char *driver = optlist_get(l, "driver");
	const char *id = optlist_get(l, "id");
	const struct device_type *type;
	struct device *dev;

	if (!driver) {
		error_set(err, "a device model name is needed (-device help lists them)");
		return NULL;
	}
	type = device_type_find(driver);
	if (!type) {
		device_type_unknown(driver, err);
		return NULL;
	}
	if (!type->user_creatable) {
		error_set(err, "'%s' is a part of the board; it can't be added", driver);
		return NULL;
	}
	if (id && !id_check(id, err))
		return NULL;
	if (id && device_find(m, id)) {
		error_set(err, "Duplicate device ID '%s'", id);
		return NULL;
	}
	dev = device_new(m, type, id);
	dev->by_user = true;
	if (!apply_options(dev, l, err)) {
		device_unrealize(dev);
		return NULL;
	}
	return dev;
}

/* "TYPE,help" prints and exits: for the command line only. */
static void help_if_asked(struct optlist *l)
{
	const char *driver = optlist_get(l, "driver");
	const struct device_type *type = driver ? device_type_find(driver) : NULL;

	if (!type || (!optlist_get(l, "help") && !optlist_get(l, "?")))
		return;
	device_help(type);
	exit(0);
}

struct device *device_create_from_option(struct machine *m, const char *arg, struct error *err)
{
	struct optlist l;
	struct device *dev = NULL;

	if (!strcmp(arg, "help") || !strcmp(arg, "?")) {
		device_list_types();
		exit(0);
	}
	if (optlist_parse_json(&l, arg, "driver", err)) {
		help_if_asked(&l);
		dev = device_create_from_list(m, &l, err);
		optlist_free(&l);
	}
	return dev;
}

/* ---- what the guest did wrong ---- */

#define GUEST_ERRORS_UNLIMITED 10

void guest_error(struct device *dev, const char *fmt, ...)
{
	char *what;
	va_list ap;

	dev->guest_error_count++;
	if (!log_enabled(LOG_GUEST_ERRORS))
		return;
	if (dev->guest_error_count > GUEST_ERRORS_UNLIMITED && dev->machine) {
		int64_t now = clock_now_ns(loop_clock_host(dev->machine->loop));

		if (now < dev->guest_error_next_ns)
			return;
		dev->guest_error_next_ns = now + NS_PER_SEC;
	}
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		abort();
	va_end(ap);
	log_printf(LOG_GUEST_ERRORS, "%s: %s (%u so far)\n", dev->id ? dev->id : dev->type->name,
		   what, dev->guest_error_count);
	free(what);
}

void device_break(struct device *dev, const char *why)
{
	if (dev->broken)
		return;
	dev->broken = why;
	guest_error(dev, "needs a reset: %s", why);
}
