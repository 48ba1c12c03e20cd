/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -readconfig: options in a file.
 *
 *	# a comment
 *	[device "id"]
 *	  driver = "virtio-net-pci"
 *	  netdev = "n0"
 *
 * A section is the option of its name, or of the other name that QEMU gives it there; the quoted word is its id=.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/options/table.h"

/* What isn't called by its option's name. */
static const struct {
	const char *section, *option;
} other_names[] = {
	{"smp-opts", "smp"},
	{"memory", "m"},
	{"boot-opts", "boot"},
};

struct section {
	const struct option_desc *option;
	char *value;
	unsigned line;
};

static char *strip(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return s;
}

/* "key=value" at the end of V, commas doubled. */
static void append(char **v, const char *key, const char *value)
{
	char *doubled = xmalloc(2 * strlen(value) + 1), *w = doubled, *all;

	for (; *value; value++) {
		if (*value == ',')
			*w++ = ',';
		*w++ = *value;
	}
	*w = 0;
	all = xasprintf("%s%s%s=%s", *v ? *v : "", *v ? "," : "", key, doubled);
	free(doubled);
	free(*v);
	*v = all;
}

static const struct option_desc *option_for(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(other_names); i++)
		if (!strcmp(name, other_names[i].section))
			name = other_names[i].option;
	for (const struct option_desc *d = option_table; d->name; d++)
		if (!strcmp(d->name, name))
			return d->arg && d->help && strcmp(d->name, "readconfig") ? d : NULL;
	return NULL;
}

/* The quoted text at S, which is ended there; NULL: there is none, or something behind it. */
static char *quoted(char *s)
{
	char *end = *s == '"' ? strchr(s + 1, '"') : NULL;

	if (!end || end[1])
		return NULL;
	*end = 0;
	return s + 1;
}

static bool begin_section(struct section *sec, char *text, struct error *err)
{
	char *end = strrchr(text, ']'), *name, *id;

	if (!end || end[1])
		return error_set(err, "a section is [NAME] or [NAME \"ID\"]");
	*end = 0;
	name = strip(text + 1);
	id = name + strcspn(name, " \t");
	if (*id) {
		*id++ = 0;
		id = quoted(strip(id));
		if (!id)
			return error_set(err, "a section is [NAME] or [NAME \"ID\"]");
	}
	sec->option = option_for(name);
	if (!sec->option)
		return error_set(err, "there is no option group '%s'", name);
	if (*id)
		append(&sec->value, "id", id);
	return true;
}

static bool add_key(struct section *sec, char *text, struct error *err)
{
	char *equals = strchr(text, '='), *value;

	if (!sec->option)
		return error_set(err, "no section has begun");
	if (!equals)
		return error_set(err, "neither [SECTION] nor KEY = \"VALUE\"");
	*equals = 0;
	value = quoted(strip(equals + 1));
	if (!value)
		return error_set(err, "the value must be in quotes");
	append(&sec->value, strip(text), value);
	return true;
}

static bool end_section(struct options_parse_state *p, struct section *sec, struct error *err)
{
	const struct option_desc *d = sec->option;
	const char *value;

	if (!d)
		return true;
	value = options_keep_string(p->o, sec->value ? sec->value : xstrdup(""));
	sec->option = NULL;
	sec->value = NULL;
	if (d->fn(p, value, err))
		return true;
	error_prefix(err, "[%s] ", d->name);
	return false;
}

static bool read_line(struct options_parse_state *p, struct section *sec, char *line,
		      struct error *err)
{
	char *text = strip(line);

	if (!*text || *text == '#')
		return true;
	if (*text == '[')
		return end_section(p, sec, err) && begin_section(sec, text, err);
	return add_key(sec, text, err);
}

bool opt_readconfig(struct options_parse_state *p, const char *value, struct error *err)
{
	FILE *f = fopen(value, "re");
	struct section sec = {.option = NULL};
	unsigned number = 0;
	char *line = NULL;
	size_t size = 0;
	bool ok = true;
	ssize_t n;

	if (!f)
		return error_set_errno(err, errno, "cannot be opened");
	while (ok && (n = getline(&line, &size, f)) >= 0) {
		number++;
		ok = strlen(line) == (size_t)n ? read_line(p, &sec, line, err)
					       : error_set(err, "a NUL byte");
	}
	if (ok && ferror(f))
		ok = error_set_errno(err, errno, "cannot be read");
	ok = ok && end_section(p, &sec, err);
	if (!ok)
		error_prefix(err, "line %u: ", number);
	free(sec.value);
	free(line);
	fclose(f);
	return ok;
}
