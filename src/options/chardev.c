/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which back end each serial port, the monitor and the debug consoles get: -serial, -parallel, -monitor, -debugcon,
 * -nographic, -chardev.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chardev.h"
#include "src/options/table.h"

/* What -chardev asked for; made when all options are known. */
struct option_chardev {
	struct list node;
	const char *value;
};

bool options_add_chardev(struct options_parse_state *p, const char *arg, struct error *err)
{
	struct option_chardev *k;
	struct chardev_config c;

	/* Mistakes are told before anything is opened. */
	if (!chardev_config_parse(&c, arg, err))
		return false;
	chardev_config_fini(&c);
	k = xzalloc(sizeof(*k));
	k->value = arg;
	list_push_back(&p->o->chardevs, &k->node);
	return true;
}

void options_free_chardevs(struct options *o)
{
	list_for_each_safe(it, &o->chardevs)
		free(list_entry(it, struct option_chardev, node));
	list_init(&o->chardevs);
	chardev_free_all();
}

void options_on_quit(struct options *o, void (*fn)(void *opaque), void *opaque)
{
	for (struct chardev *chr = chardev_next(NULL); chr; chr = chardev_next(chr))
		if (chardev_is_mux(chr))
			chardev_mux_on_quit(chr, fn, opaque);
}

static void set_escapes(struct options_parse_state *p)
{
	for (struct chardev *chr = chardev_next(NULL); chr; chr = chardev_next(chr))
		if (chardev_is_mux(chr))
			chardev_mux_set_escape(chr, p->escape);
}

static bool make_chardevs(struct options_parse_state *p, struct error *err)
{
	list_for_each(it, &p->o->chardevs) {
		const char *value = list_entry(it, struct option_chardev, node)->value;

		if (!chardev_new_option(p->loop, value, err)) {
			error_prefix(err, "-chardev %s: ", value);
			return false;
		}
	}
	return true;
}

/*
 * A back end for one front end, or with MUX for several. NULL, ERR clear: none. RAW: control characters go to the
 * guest.
 */
static struct chardev *make(struct options_parse_state *p, const char *id, const char *spec,
			    bool raw, bool mux, struct error *err)
{
	struct chardev_config c;
	struct chardev *chr;

	if (!strncmp(spec, "chardev:", 8)) {
		chr = chardev_take(spec + 8, err);
		return chr && mux && !chardev_is_mux(chr) ? chardev_share(chr) : chr;
	}
	if (!strcmp(spec, "none") || !chardev_config_parse_legacy(&c, id, spec, err))
		return NULL;
	c.starting = true;
	c.mux = mux;
	if (raw && !strcmp(c.backend, "stdio"))
		c.signal = 0;
	chr = chardev_new(p->loop, &c, err);
	chardev_config_fini(&c);
	return chr ? chardev_take(id, err) : NULL;
}

/* CHR has a monitor for people; there may be several. */
static void set_monitor(struct options_parse_state *p, const char *option, const char *value,
			struct chardev *chr)
{
	if (p->o->monitor)
		options_add_monitor(p->o, option, value, chr);
	else
		p->o->monitor = chr;
}

/* "mon:DEV": DEV carries this front end and the monitor, C-a c switches. */
static struct chardev *make_with_monitor(struct options_parse_state *p, const char *id,
					 const char *spec, struct error *err)
{
	struct chardev *chr, *monitor;

	chr = make(p, id, spec, true, true, err);
	if (!chr)
		return NULL;
	monitor = chardev_take(chardev_id(chr), err);
	if (!monitor)
		return NULL;
	set_monitor(p, "serial", spec, monitor);
	return chr;
}

bool options_connect_one(struct options_parse_state *p, const char *option, const char *id,
			 const char *spec, struct chardev **out, struct error *err)
{
	bool with_monitor = !strncmp(spec, "mon:", 4);

	*out = with_monitor ? make_with_monitor(p, id, spec + 4, err)
			    : make(p, id, spec, p->o->nographic, false, err);
	if (*out || !error_is_set(err))
		return true;
	error_prefix(err, "-%s %s: ", option, spec);
	return false;
}

/* -mon says where the monitor is, as -monitor does; -qmp stdio leaves no terminal for one. */
static bool is_monitor_said(struct options_parse_state *p)
{
	list_for_each(it, &p->o->monitors) {
		const struct option_monitor *mon = list_entry(it, struct option_monitor, node);

		if (!strcmp(mon->option, "mon") || !strcmp(mon->spec, "stdio"))
			return true;
	}
	return p->monitor;
}

/*
 * As QEMU: on the terminal the first serial port and the monitor share it, and each option takes
 * one away.
 */
static void set_defaults(struct options_parse_state *p)
{
	struct machine_config *c = &p->o->config;
	bool default_monitor = !is_monitor_said(p) && !c->nodefaults;

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
	if (p->n_serials == 0 && !c->nodefaults && !p->no_default_serial) {
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

/* Back ends for devices that the option stands for: -debugcon, -parallel. */
static bool connect_devices(struct options_parse_state *p, const char *option,
			    const char *const *specs, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < n; i++) {
		struct option_device *dev;
		struct chardev *chr;
		char id[24];

		snprintf(id, sizeof(id), "%s%u", option, i);
		if (!options_connect_one(p, option, id, specs[i], &chr, err))
			return false;
		if (!chr)
			continue;
		dev = xzalloc(sizeof(*dev));
		dev->option = option;
		dev->value = specs[i];
		dev->chr = chr;
		dev->index = i;
		list_push_back(&p->o->devices, &dev->node);
	}
	return true;
}

static bool check_daemon(struct options_parse_state *p, struct error *err)
{
	if (!p->o->process.daemonize)
		return true;
	for (struct chardev *chr = chardev_next(NULL); chr; chr = chardev_next(chr)) {
		char *name = chardev_filename(chr);
		bool stdio = !strcmp(name, "stdio");

		free(name);
		if (stdio)
			return error_set(err,
					 "-daemonize: a daemon has no terminal, but %s is stdio",
					 chardev_id(chr));
	}
	return true;
}

bool options_connect_chardevs(struct options_parse_state *p, struct error *err)
{
	bool nothing_shown = !p->o->nographic && !p->display_given && p->n_serials == 0 &&
			     !p->monitor && p->n_debugcons == 0 && !p->o->config.nodefaults &&
			     list_empty(&p->o->chardevs);

	set_defaults(p);
	if (!make_chardevs(p, err))
		return false;
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
		if (chr)
			set_monitor(p, "monitor", p->monitor, chr);
	}
	if (!connect_devices(p, "debugcon", p->debugcons, p->n_debugcons, err) ||
	    !connect_devices(p, "parallel", p->parallels, p->n_parallels, err) ||
	    !options_connect_monitors(p, err) || !options_connect_qtest(p, err))
		return false;
	if (!check_daemon(p, err))
		return false;
	set_escapes(p);
	if (nothing_shown && !p->o->process.daemonize)
		report_info(
			"the guest's console is not shown; -nographic puts it on this terminal");
	return true;
}

/* ---- devices ---- */

/* What an option other than -device stands for. */
static bool create_for(const struct option_device *d, struct machine *m, struct error *err)
{
	bool debugcon = !strcmp(d->option, "debugcon");
	const char *name = debugcon ? "isa-debugcon" : "isa-parallel";
	const struct device_type *type = device_type_find(name);
	struct device *dev;

	if (!type)
		return error_set(err, "this build has no %s", name);
	dev = device_new(m, type, NULL);
	if (!debugcon)
		device_set_prop_num(dev, "index", d->index);
	device_set_prop_chardev(dev, "chardev", d->chr);
	return device_realize(dev, err);
}

bool options_create_devices(struct options *o, struct machine *m, struct error *err)
{
	list_for_each(it, &o->devices) {
		struct option_device *d = list_entry(it, struct option_device, node);

		if (d->chr ? create_for(d, m, err)
			   : device_create_from_option(m, d->value, err) != NULL)
			continue;
		error_prefix(err, "-%s %s: ", d->option, d->value);
		return false;
	}
	return true;
}
