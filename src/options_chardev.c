/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which back end each serial port, the monitor and the debug consoles get: -serial, -monitor,
 * -nographic, -chardev.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chardev.h"
#include "src/options_table.h"

struct option_chardev {
	struct list node;
	struct chardev *chr;
};

static void keep(struct options *o, struct chardev *chr)
{
	struct option_chardev *k = xzalloc(sizeof(*k));

	k->chr = chr;
	/* Freed front to back: a mux must go before what it stands on. */
	list_push_front(&o->chardevs, &k->node);
}

void options_free_chardevs(struct options *o)
{
	list_for_each_safe(it, &o->chardevs) {
		struct option_chardev *k = list_entry(it, struct option_chardev, node);

		chardev_free(k->chr);
		free(k);
	}
	list_init(&o->chardevs);
}

bool options_add_chardev(struct options_parse_state *p, const char *arg, struct error *err)
{
	struct chardev *chr = chardev_new_option(p->loop, arg, err);

	if (!chr)
		return false;
	keep(p->o, chr);
	return true;
}

void options_on_quit(struct options *o, void (*fn)(void *opaque), void *opaque)
{
	list_for_each(it, &o->chardevs) {
		struct chardev *chr = list_entry(it, struct option_chardev, node)->chr;

		if (chardev_is_mux(chr))
			chardev_mux_on_quit(chr, fn, opaque);
	}
}

static void set_escapes(struct options_parse_state *p)
{
	list_for_each(it, &p->o->chardevs) {
		struct chardev *chr = list_entry(it, struct option_chardev, node)->chr;

		if (chardev_is_mux(chr))
			chardev_mux_set_escape(chr, p->escape);
	}
}

/* A back end for one front end. NULL, ERR clear: none. RAW: control characters go to the guest. */
static struct chardev *make(struct options_parse_state *p, const char *id, const char *spec,
			    bool raw, struct error *err)
{
	struct chardev *chr;

	if (!strncmp(spec, "chardev:", 8))
		return chardev_take(spec + 8, err);
	if (raw && !strcmp(spec, "stdio")) {
		char *arg = xasprintf("stdio,id=%s,signal=off", id);

		chr = chardev_new_option(p->loop, arg, err);
		free(arg);
	} else {
		chr = chardev_new_legacy(p->loop, id, spec, err);
	}
	if (!chr)
		return NULL;
	keep(p->o, chr);
	return chardev_take(id, err);
}

/* "mon:DEV": DEV carries this front end and the monitor, C-a c switches. */
static struct chardev *make_with_monitor(struct options_parse_state *p, const char *id,
					 const char *spec, struct error *err)
{
	struct chardev *backend, *mux;

	if (p->o->monitor) {
		error_set(err, "the monitor is on another device already");
		return NULL;
	}
	backend = make(p, id, spec, true, err);
	if (!backend)
		return NULL;
	/* One that is a mux already has another end for the monitor. */
	if (chardev_is_mux(backend)) {
		p->o->monitor = chardev_mux_add(backend);
		return backend;
	}
	mux = chardev_new_mux(p->loop, backend, p->escape);
	keep(p->o, mux);
	if (chardev_id(mux))
		chardev_take(chardev_id(mux), NULL);
	p->o->monitor = chardev_mux_add(mux);
	return mux;
}

bool options_connect_one(struct options_parse_state *p, const char *option, const char *id,
			 const char *spec, struct chardev **out, struct error *err)
{
	bool with_monitor = !strncmp(spec, "mon:", 4);

	*out = with_monitor ? make_with_monitor(p, id, spec + 4, err)
			    : make(p, id, spec, p->o->nographic, err);
	if (*out || !error_is_set(err))
		return true;
	error_prefix(err, "-%s %s: ", option, spec);
	return false;
}

/*
 * As QEMU: on the terminal the first serial port and the monitor share it, and each option takes
 * one away.
 */
static void set_defaults(struct options_parse_state *p)
{
	struct machine_config *c = &p->o->config;
	bool default_monitor = !p->monitor && !c->nodefaults;

	if (p->o->nographic && default_monitor) {
		for (unsigned i = 0; i < p->n_serials; i++) {
			if (!strncmp(p->serials[i], "mon:", 4))
				default_monitor = false;
			if (!strcmp(p->serials[i], "stdio")) {
				p->serials[i] = "mon:stdio";
				default_monitor = false;
				break;
			}
		}
	}
	if (p->n_serials == 0 && !c->nodefaults) {
		if (!p->o->nographic)
			p->serials[p->n_serials++] = "null";
		else if (default_monitor)
			p->serials[p->n_serials++] = "mon:stdio";
		else
			p->serials[p->n_serials++] = "stdio";
		if (p->o->nographic)
			default_monitor = false;
	}
	if (p->o->nographic && default_monitor)
		p->monitor = "stdio";
}

static bool connect_debugcons(struct options_parse_state *p, struct error *err)
{
	for (unsigned i = 0; i < p->n_debugcons; i++) {
		struct option_device *dev;
		struct chardev *chr;
		char id[24];

		snprintf(id, sizeof(id), "debugcon%u", i);
		if (!options_connect_one(p, "debugcon", id, p->debugcons[i], &chr, err))
			return false;
		if (!chr)
			continue;
		dev = xzalloc(sizeof(*dev));
		dev->option = "debugcon";
		dev->value = p->debugcons[i];
		dev->chr = chr;
		list_push_back(&p->o->devices, &dev->node);
	}
	return true;
}

bool options_connect_chardevs(struct options_parse_state *p, struct error *err)
{
	bool nothing_shown = !p->o->nographic && !p->display_given && p->n_serials == 0 &&
			     !p->monitor && p->n_debugcons == 0 && !p->o->config.nodefaults &&
			     list_empty(&p->o->chardevs);

	set_defaults(p);
	for (unsigned i = 0; i < p->n_serials; i++) {
		char id[24];

		snprintf(id, sizeof(id), "serial%u", i);
		if (!options_connect_one(p, "serial", id, p->serials[i], &p->o->config.serials[i],
					 err))
			return false;
	}
	if (p->monitor) {
		struct chardev *chr;

		if (!options_connect_one(p, "monitor", "compat_monitor0", p->monitor, &chr, err))
			return false;
		if (chr && p->o->monitor) {
			return error_set(err, "-monitor %s: -serial mon: has given it a place",
					 p->monitor);
		}
		if (chr)
			p->o->monitor = chr;
	}
	if (!connect_debugcons(p, err) || !options_connect_monitors(p, err))
		return false;
	set_escapes(p);
	if (nothing_shown)
		report_info(
			"the guest's console is not shown; -nographic puts it on this terminal");
	return true;
}

/* ---- devices ---- */

static bool create_debugcon(struct machine *m, struct chardev *chr, struct error *err)
{
	const struct device_type *type = device_type_find("isa-debugcon");
	struct device *dev;

	if (!type)
		return error_set(err, "this build has no isa-debugcon");
	dev = device_new(m, type, NULL);
	device_set_prop_num(dev, "iobase", 0xe9);
	device_set_prop_chardev(dev, "chardev", chr);
	return device_realize(dev, err);
}

bool options_create_devices(struct options *o, struct machine *m, struct error *err)
{
	list_for_each(it, &o->devices) {
		struct option_device *d = list_entry(it, struct option_device, node);

		if (d->chr ? create_debugcon(m, d->chr, err)
			   : device_create_from_option(m, d->value, err) != NULL)
			continue;
		error_prefix(err, "-%s %s: ", d->option, d->value);
		return false;
	}
	return true;
}
