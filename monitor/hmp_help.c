/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking commands up by name, and `help`. */
#include <ctype.h>
#include <stdlib.h>
#include "monitor/hmp.h"

size_t hmp_name_length(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == '?' || s[n] == '-')
		n++;
	return n;
}

static bool is_named(const struct hmp_command *c, const char *word, size_t n)
{
	for (const char *name = c->name; *name;) {
		size_t len = strcspn(name, "|");

		if (len == n && !memcmp(name, word, n))
			return true;
		name += len + (name[len] == '|');
	}
	return false;
}

static const struct hmp_command *find_in(const struct hmp_command *list, const char *word, size_t n)
{
	for (; list && list->name; list++)
		if (is_named(list, word, n))
			return list;
	return NULL;
}

const struct hmp_command *hmp_find(const char *word, size_t n, bool info)
{
	for (const struct command_group *const *g = command_groups; *g; g++) {
		const struct hmp_command *c = find_in(info ? (*g)->info : (*g)->hmp, word, n);

		if (c)
			return c;
	}
	return NULL;
}

static void print_row(struct monitor *mon, const char *before, const struct hmp_command *c)
{
	const char *params = c->params ? c->params : "";

	monitor_printf(mon, "%s%s%s%s -- %s\n", before, c->name, *params ? " " : "", params,
		       c->help);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct hmp_command *const *)a)->name,
		      (*(const struct hmp_command *const *)b)->name);
}

static void print_all(struct monitor *mon, bool info)
{
	const struct hmp_command *rows[256];
	unsigned n = 0;

	for (const struct command_group *const *g = command_groups; *g; g++)
		for (const struct hmp_command *c = info ? (*g)->info : (*g)->hmp;
		     c && c->name && n < ARRAY_SIZE(rows); c++)
			rows[n++] = c;
	qsort(rows, n, sizeof(rows[0]), by_name);
	for (unsigned i = 0; i < n; i++)
		print_row(mon, info ? "info " : "", rows[i]);
}

void hmp_help_info(struct monitor *mon)
{
	print_all(mon, true);
}

void hmp_help(struct monitor *mon, json_t *args)
{
	const char *word = json_string_value(json_object_get(args, "name")),
		   *sub = json_string_value(json_object_get(args, "sub"));
	const struct hmp_command *c;
	size_t n;

	if (!word || !*word) {
		print_all(mon, false);
		return;
	}
	n = hmp_name_length(word);
	c = hmp_find(word, n, false);
	if (!c) {
		monitor_printf(mon, "unknown command: '%s'\n", word);
	} else if (!c->is_info) {
		print_row(mon, "", c);
	} else if (!sub || !*sub) {
		hmp_help_info(mon);
	} else {
		c = hmp_find(sub, hmp_name_length(sub), true);
		if (c)
			print_row(mon, "info ", c);
		else
			monitor_printf(mon, "unknown command: 'info %s'\n", sub);
	}
}
