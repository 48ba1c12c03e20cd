/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion: what could stand where the cursor is, from the command table and what the machine has. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "io/char/chardev.h"
#include "monitor/hmp.h"
#include "src/worker.h"

static void add(struct line_editor *e, const char *word, const char *begun)
{
	if (!strncmp(word, begun, strlen(begun)))
		line_add_candidate(e, word);
}

static void add_names(struct line_editor *e, bool info, const char *begun)
{
	for (const struct command_group *const *g = command_groups; *g; g++) {
		for (const struct hmp_command *c = info ? (*g)->info : (*g)->hmp; c && c->name;
		     c++) {
			char *name = xasprintf("%.*s", (int)strcspn(c->name, "|"), c->name);

			add(e, name, begun);
			free(name);
		}
	}
}

/* ---- file names: a directory may be slow, so a worker reads it ---- */

#define FILES_MAX 64

struct files_job {
	struct worker_job job;
	struct line_editor *editor; /* NULL: it has gone */
	char *path;
	char *names[FILES_MAX];
	unsigned n;
};

static void read_directory(struct worker_job *job)
{
	struct files_job *f = container_of(job, struct files_job, job);
	const char *slash = strrchr(f->path, '/'), *base = slash ? slash + 1 : f->path;
	char *dir = slash ? xasprintf("%.*s", (int)(base - f->path), f->path) : xstrdup(".");
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && f->n < FILES_MAX && (entry = readdir(d))) {
		struct stat st;
		char *name;

		if (strncmp(entry->d_name, base, strlen(base)) ||
		    (entry->d_name[0] == '.' && *base != '.'))
			continue;
		name = xasprintf("%.*s%s", (int)(base - f->path), f->path, entry->d_name);
		if (!stat(name, &st) && S_ISDIR(st.st_mode)) {
			f->names[f->n++] = xasprintf("%s/", name);
			free(name);
		} else {
			f->names[f->n++] = name;
		}
	}
	if (d)
		closedir(d);
	free(dir);
}

static void directory_read(struct worker_job *job)
{
	struct files_job *f = container_of(job, struct files_job, job);

	for (unsigned i = 0; i < f->n; i++) {
		if (f->editor)
			line_add_candidate(f->editor, f->names[i]);
		free(f->names[i]);
	}
	if (f->editor)
		line_completed(f->editor);
	free(f->path);
	free(f);
}

static bool add_files(struct machine *m, struct line_editor *e, const char *begun)
{
	struct files_job *f = xzalloc(sizeof(*f));

	f->editor = e;
	f->path = xstrdup(begun);
	e->job = &f->editor;
	worker_submit(m->workers, &f->job, read_directory, directory_read);
	return false;
}

/* ---- what the machine has ---- */

static void add_chardev(const char *id, void *opaque)
{
	struct line_editor *e = opaque;

	line_add_candidate(e, id);
}

static void add_devices(struct machine *m, struct line_editor *e, const char *begun)
{
	list_for_each(it, &m->devices) {
		const struct device *dev = list_entry(it, struct device, node);

		if (dev->id)
			add(e, dev->id, begun);
	}
}

/* "TYPE,prop=value,pr" */
static void add_device_spec(struct line_editor *e, const char *begun)
{
	const char *comma = strchr(begun, ','), *last = strrchr(begun, ',');
	const struct device_type *type;
	char *name;

	if (!comma) {
		for (const struct device_type *const *t = device_types; *t; t++)
			if ((*t)->user_creatable)
				add(e, (*t)->name, begun);
		return;
	}
	name = xasprintf("%.*s", (int)(comma - begun), begun);
	type = device_type_find(name);
	free(name);
	for (const struct device_prop *p = type ? type->props : NULL; p && p->name; p++) {
		char *word = xasprintf("%.*s%s=", (int)(last + 1 - begun), begun, p->name);

		add(e, word, begun);
		free(word);
	}
}

static bool add_kind(struct machine *m, char kind, struct line_editor *e, const char *begun)
{
	switch (kind) {
	case 'F':
		return add_files(m, e, begun);
	case 'D':
		add_device_spec(e, begun);
		break;
	case 'd':
		add_devices(m, e, begun);
		break;
	case 'c':
		chardev_each_id(begun, add_chardev, e);
		break;
	case 'h':
		add_names(e, false, begun);
		break;
	case 'b':
		add(e, "on", begun);
		add(e, "off", begun);
		break;
	default:
		break;
	}
	return true;
}

/* TEXT follows the name of C; its last word, which may be empty, is being typed. */
static bool complete_argument(struct machine *m, const struct hmp_command *c, const char *text,
			      struct line_editor *e)
{
	const char *row = c->args, *begun = text;
	struct hmp_arg arg = {.kind = 0};

	for (const char *p = text; *p; p++)
		if (isspace((unsigned char)*p))
			begun = p + 1;
	while (hmp_next_arg(&row, &arg)) {
		text += strspn(text, " \t");
		if (arg.flag) {
			if (text[0] == '-' && text[1] == arg.flag)
				text += 2;
			continue;
		}
		if (arg.kind == '/' && *text != '/')
			continue;
		if (text >= begun)
			return add_kind(m, arg.kind, e, begun);
		text += strcspn(text, " \t");
	}
	return true;
}

static bool complete(struct machine *m, const char *line, bool info, struct line_editor *e)
{
	const char *word = line + strspn(line, " \t");
	size_t n = strcspn(word, " \t");
	const struct hmp_command *c;

	if (!word[n]) {
		add_names(e, info, word);
		return true;
	}
	c = hmp_find(word, n, info);
	if (!c)
		return true;
	if (c->is_info)
		return complete(m, word + n, true, e);
	return complete_argument(m, c, word + n, e);
}

bool hmp_complete(struct machine *m, const char *line, struct line_editor *e)
{
	return complete(m, line, false, e);
}
