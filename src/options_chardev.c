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
	bool used; /* a front end has it */
};

static struct option_chardev *keep(struct options *o, struct chardev *chr)
{
	struct option_chardev *k = xzalloc(sizeof(*k));

	k->chr = chr;
	/* Freed front to back: a mux must go before what it stands on. */
	list_push_front(&o->chardevs, &k->node);
	return k;
}

void options_free_chardevs(struct options *o)
{
	list_for_each_safe (it, &o->chardevs) {
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

static struct chardev *take_by_id(struct options *o, const char *id, struct error *err)
{
	list_for_each (it, &o->chardevs) {
		struct option_chardev *k = list_entry(it, struct option_chardev, node);
		const char *its_id = chardev_id(k->chr);

		if (!its_id || strcmp(its_id, id))
			continue;
		if (k->used) {
			error_set(err, "chardev '%s' is in use already", id);
			return NULL;
		}
		k->used = true;
		return k->chr;
	}
	error_set(err, "there is no -chardev with id=%s", id);
	return NULL;
}

/*
 * A back end for one front end. NULL with ERR clear: none. RAW: control characters go to the guest.
 */
static struct chardev *make(struct options_parse_state *p, const char *id, const char *spec,
			    bool raw, struct error *err)
{
	struct option_chardev *k;
	struct chardev *chr;

	if (!strncmp(spec, "chardev:", 8))
		return take_by_id(p->o, spec + 8, err);
	if (raw && !strcmp(spec, "stdio")) {
		char *arg = xasprintf("stdio,id=%s,signal=off", id);

		chr = chardev_new_option(p->loop, arg, err);
		free(arg);
	} else {
		chr = chardev_new_legacy(p->loop, id, spec, err);
	}
	if (!chr)
		return NULL;
	k = keep(p->o, chr);
	k->used = true;
	return chr;
}

/* "mon:DEV": DEV carries this front end and the monitor, C-a c switches. */
static struct chardev *make_with_monitor(struct options_parse_state *p, const char *id,
					 const char *spec, struct error *err)
{
	struct chardev *backend, *mux;

	if (p->o->mux) {
		error_set(err, "the monitor is on another device already");
		return NULL;
	}
	backend = make(p, id, spec, true, err);
	if (!backend)
		return NULL;
	mux = chardev_new_mux(p->loop, backend, p->escape);
	keep(p->o, mux)->used = true;
	p->o->mux = mux;
	p->o->monitor = chardev_mux_add(mux);
	return mux;
}

static bool connect_one(struct options_parse_state *p, const char *option, const char *id,
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
		char id[16];

		snprintf(id, sizeof(id), "debugcon%u", i);
		if (!connect_one(p, "debugcon", id, p->debugcons[i], &chr, err))
			return false;
		if (!chr)
			continue;
		dev = xzalloc(sizeof(*dev));
		dev->option = "debugcon";
		dev->value = p->debugcons[i];
		dev->arg = options_keep_string(
			p->o, xasprintf("isa-debugcon,iobase=0xe9,chardev=%s", chardev_id(chr)));
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
		char id[16];

		snprintf(id, sizeof(id), "serial%u", i);
		if (!connect_one(p, "serial", id, p->serials[i], &p->o->config.serials[i], err))
			return false;
	}
	if (p->monitor) {
		struct chardev *chr;

		if (!connect_one(p, "monitor", "compat_monitor0", p->monitor, &chr, err))
			return false;
		if (chr && p->o->monitor) {
			return error_set(err, "-monitor %s: -serial mon: has given it a place",
					 p->monitor);
		}
		if (chr)
			p->o->monitor = chr;
	}
	if (!connect_debugcons(p, err))
		return false;
	if (nothing_shown)
		report_info(
			"the guest's console is not shown; -nographic puts it on this terminal");
	return true;
}
