/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: walks the option table for the parser, -help and the manual page. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "src/fdset.h"
#include "src/globals.h"
#include "src/options/table.h"

struct option_string {
	struct list node;
	char *s;
};

const char *options_keep_string(struct options *o, char *s)
{
	struct option_string *k = xzalloc(sizeof(*k));

	k->s = s;
	list_push_back(&o->strings, &k->node);
	return s;
}

static const struct option_desc *find_option(const char *name)
{
	for (const struct option_desc *d = option_table; d->name; d++)
		if (!strcmp(d->name, name) || (d->alias && !strcmp(d->alias, name)))
			return d;
	return NULL;
}

bool options_have(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++) {
		const struct option_desc *d;

		if (argv[i][0] != '-')
			continue;
		d = find_option(argv[i] + (argv[i][1] == '-' ? 2 : 1));
		if (!d)
			return false; /* which will be told when it is parsed */
		if (!strcmp(d->name, name))
			return true;
		i += d->arg != NULL;
	}
	return false;
}

static bool unknown_option(const char *arg, const char *name, struct error *err)
{
	const char *names[160], *near, *equals = strchr(name, '=');
	unsigned n = 0;

	if (equals) {
		char *word = xstrdup(name);
		const struct option_desc *d;

		word[equals - name] = '\0';
		d = find_option(word);
		free(word);
		if (d && d->arg)
			return error_set(err, "%s: the value comes after a space: -%s %s", arg,
					 d->name, equals + 1);
	}
	for (const struct option_desc *d = option_table; d->name; d++) {
		if (!d->help)
			continue;
		names[n++] = d->name;
		if (d->alias)
			names[n++] = d->alias;
		if (n >= ARRAY_SIZE(names) - 2)
			break;
	}
	names[n] = NULL;
	near = nearest_word(name, names);
	if (near)
		return error_set(err, "%s: unknown option; did you mean -%s?", arg, near);
	return error_set(err, "%s: unknown option; -help lists them all", arg);
}

static bool parse_one(struct options_parse_state *p, int argc, char **argv, int *i,
		      struct error *err)
{
	const char *arg = argv[*i], *name = arg + 1, *value = NULL;
	const struct option_desc *d;

	if (arg[0] != '-' && access(arg, F_OK) == 0)
		return options_hda(p, arg, err);
	if (arg[0] != '-' || !arg[1])
		return error_set(err, "%s: neither an option nor a disk image that is there", arg);
	if (*name == '-')
		name++;
	d = find_option(name);
	if (!d)
		return unknown_option(arg, name, err);
	if (d->arg) {
		if (*i + 1 >= argc)
			return error_set(err, "%s: a value must follow: -%s %s", arg, d->name,
					 d->arg);
		value = argv[++*i];
	}
	if (d->fn(p, value, err))
		return true;
	/* Some messages name their option themselves. */
	if (err && err->msg && err->msg[0] == '-')
		return false;
	error_prefix(err, value ? "-%s %s: " : "-%s: ", name, value);
	return false;
}

static bool has_value(const char *s)
{
	return s && *s;
}

static bool check_together(struct options_parse_state *p, struct error *err)
{
	struct machine_config *c = &p->o->config;

	/* Where it means nothing, because nothing is left to the defaults, managers give it. */
	if (p->o->process.daemonize && p->o->nographic && !c->nodefaults &&
	    (p->n_serials == 0 || !p->monitor))
		return error_set(err, "-nographic and -daemonize: a daemon has no terminal");
	if (!c->kernel && has_value(c->initrd))
		return error_set(err, "-initrd %s: only together with -kernel", c->initrd);
	if (!c->kernel && has_value(c->append))
		return error_set(err, "-append %s: only together with -kernel", c->append);
	if (!p->smp_given)
		return options_smp_complete(c, err);
	return true;
}

static bool choose_accel(struct options_parse_state *p, struct error *err)
{
	struct machine_config *c = &p->o->config;
	char *all = NULL;

	for (unsigned i = 0; i < p->n_accels; i++) {
		char *next = xasprintf("%s%s%s", all ? all : "", all ? ":" : "", p->accels[i]);

		free(all);
		all = next;
	}
	c->accel = accel_select(all, err);
	if (!c->accel && all && !strcmp(p->accel_option, "enable-kvm"))
		error_prefix(err, "-enable-kvm: ");
	else if (!c->accel && all)
		error_prefix(err, "-%s %s: ", p->accel_option, all);
	free(all);
	return c->accel != NULL;
}

static void set_defaults(struct options *o, struct loop *loop)
{
	memset(o, 0, sizeof(*o));
	object_set_init(&o->objects, loop);
	o->config.objects = &o->objects;
	list_init(&o->devices);
	list_init(&o->drives);
	list_init(&o->globals);
	o->config.globals = &o->globals;
	list_init(&o->chardevs);
	list_init(&o->monitors);
	list_init(&o->fw_cfg);
	list_init(&o->strings);
	o->config.ram_bytes = 128 * MiB;
	o->config.acpi = true;
	o->config.boot.splash_time = o->config.boot.reboot_timeout = -1;
	for (unsigned i = 0; machine_types[i]; i++)
		if (machine_types[i]->is_default)
			o->config.type = machine_types[i];
}

static bool parse_all(struct options_parse_state *p, int argc, char **argv, struct error *err)
{
	struct machine_config *c = &p->o->config;

	for (int i = 1; i < argc; i++)
		if (!parse_one(p, argc, argv, &i, err))
			return false;
	if (p->cpu_help) {
		if (!choose_accel(p, err))
			return false;
		if (c->accel->cpu_help)
			c->accel->cpu_help();
		exit(0);
	}
	if (p->msg_guest_name)
		report_with_guest(c->name);
	options_drop_defaults(p);
	return check_together(p, err) && options_complete_numa(p, err) && choose_accel(p, err) &&
	       options_boot_complete(p, err) && options_connect_chardevs(p, err) &&
	       options_create_objects(p, err);
}

bool options_parse(struct options *o, struct loop *loop, int argc, char **argv, struct error *err)
{
	struct options_parse_state p = {.o = o, .loop = loop, .escape = 1};
	bool ok;

	set_defaults(o, loop);
	list_init(&p.late_objects);
	ok = parse_all(&p, argc, argv, err);
	options_forget_objects(&p);
	return ok;
}

void options_free(struct options *o)
{
	report_with_guest(NULL);
	object_set_fini(&o->objects);
	options_free_monitors(o);
	options_free_chardevs(o);
	options_free_drives(o);
	options_free_fw_cfg(o);
	globals_free(&o->globals);
	fdsets_close();
	list_for_each_safe(it, &o->devices)
		free(list_entry(it, struct option_device, node));
	list_for_each_safe(it, &o->strings) {
		struct option_string *k = list_entry(it, struct option_string, node);

		free(k->s);
		free(k);
	}
	list_init(&o->devices);
	list_init(&o->strings);
}

/* ---- -help and the manual page ---- */

#define HELP_COLUMN 32

void options_print_help(void)
{
	printf("evmm %s: runs PC virtual machines\n"
	       "usage: evmm [option]...\n",
	       PACKAGE_VERSION);
	for (const struct option_desc *d = option_table; d->name; d++) {
		int n;

		if (!d->help)
			continue;
		if (d->heading)
			printf("\n%s:\n", d->heading);
		n = printf("-%s", d->name);
		if (d->alias)
			n += printf(" or -%s", d->alias);
		if (d->arg)
			n += printf(" %s", d->arg);
		if (n >= HELP_COLUMN) {
			putchar('\n');
			n = 0;
		}
		printf("%*s%s\n", HELP_COLUMN - n, "", d->help);
	}
	printf("\nWith -nographic the console's escapes are C-a h (help), C-a x (quit), C-a c (monitor).\n");
}

/* man(7) gives a meaning to a leading dot or quote, to backslashes and to plain dashes. */
static void put_man_text(const char *s)
{
	bool line_start = true;

	for (; *s; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			fputs("\\&", stdout);
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else
			putchar(*s);
		line_start = *s == '\n';
	}
}

void options_write_man(void)
{
	for (const struct option_desc *d = option_table; d->name; d++) {
		if (!d->help)
			continue;
		if (d->heading)
			printf(".SS %s\n", d->heading);
		printf(".TP\n\\fB\\-%s\\fR", d->name);
		if (d->alias)
			printf(", \\fB\\-%s\\fR", d->alias);
		if (d->arg) {
			printf(" \\fI");
			put_man_text(d->arg);
			printf("\\fR");
		}
		putchar('\n');
		put_man_text(d->help);
		printf(".\n");
		if (d->man) {
			put_man_text(d->man);
			putchar('\n');
		}
	}
}
