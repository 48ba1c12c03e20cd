/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot order: the list of devices with a bootindex. */
#include <stdlib.h>
#include "src/boot/bootorder.h"

#define BOOT_LETTERS_MAX 3 /* that CMOS has room for */

struct boot_entry {
	struct list node; /* machine->boot_order, by index */
	int32_t index;
	struct device *dev;
	char *suffix; /* without DEV: the whole path */
};

static bool insert(struct machine *m, int32_t index, struct device *dev, const char *suffix,
		   struct error *err)
{
	struct list *at = m->boot_order.next;
	struct boot_entry *e;

	while (at != &m->boot_order && list_entry(at, struct boot_entry, node)->index < index)
		at = at->next;
	if (at != &m->boot_order && list_entry(at, struct boot_entry, node)->index == index)
		return error_set(err, "The bootindex %d has already been used", index);
	e = xzalloc(sizeof(*e));
	e->index = index;
	e->dev = dev;
	e->suffix = xstrdup(suffix);
	list_insert(at->prev, &e->node);
	return true;
}

bool boot_index_add(struct machine *m, int32_t bootindex, struct device *dev, const char *suffix,
		    struct error *err)
{
	if (bootindex == -1)
		return true;
	if (bootindex < 0)
		return error_set(err, "Invalid bootindex %d", bootindex);
	return insert(m, bootindex, dev, suffix, err);
}

bool boot_index_add_path(struct machine *m, int32_t bootindex, const char *path, struct error *err)
{
	return insert(m, bootindex, NULL, path, err);
}

static void entry_free(struct boot_entry *e)
{
	list_remove(&e->node);
	free(e->suffix);
	free(e);
}

void boot_index_remove(struct machine *m, struct device *dev)
{
	list_for_each_safe(it, &m->boot_order) {
		struct boot_entry *e = list_entry(it, struct boot_entry, node);

		if (e->dev == dev)
			entry_free(e);
	}
}

void boot_order_free(struct machine *m)
{
	while (!list_empty(&m->boot_order))
		entry_free(list_first(&m->boot_order, struct boot_entry, node));
}

static char *entry_path(const struct boot_entry *e)
{
	char *dev = e->dev ? device_fw_path(e->dev) : NULL, *path;

	if (!dev)
		return xstrdup(e->suffix);
	path = xasprintf("%s%s%s", dev, *e->suffix && *e->suffix != '/' ? "/" : "", e->suffix);
	free(dev);
	return path;
}

char *boot_order_list(const struct machine *m, uint32_t *bytes)
{
	char *all = xstrdup("");

	list_for_each(it, &m->boot_order) {
		char *path = entry_path(list_entry(it, struct boot_entry, node));
		char *longer = xasprintf("%s%s%s", all, *all ? "\n" : "", path);

		free(path);
		free(all);
		all = longer;
	}
	if (*all && m->config.boot.strict) {
		char *longer = xasprintf("%s\nHALT", all);

		free(all);
		all = longer;
	}
	*bytes = *all ? (uint32_t)strlen(all) + 1 : 0;
	return all;
}

bool boot_order_check(const char *letters, struct error *err)
{
	unsigned seen = 0;

	for (const char *p = letters; *p; p++) {
		if (*p < 'a' || *p > 'p')
			return error_set(err, "Invalid boot device '%c'", *p);
		if (seen & BIT(*p - 'a'))
			return error_set(err, "Boot device '%c' was given twice", *p);
		seen |= BIT(*p - 'a');
		if (!strchr("abcdn", *p))
			return error_set(err,
					 "Invalid boot device for PC: '%c' (a floppy, c hard disk, "
					 "d CD-ROM, n network)",
					 *p);
	}
	if (strlen(letters) > BOOT_LETTERS_MAX)
		return error_set(err, "Too many boot devices for PC (at most %d)",
				 BOOT_LETTERS_MAX);
	return true;
}
