/* SPDX-License-Identifier: BSD-2-Clause */
/* A device of -device takes the place of what the board would have of its kind without being asked, as with QEMU. */
#include "src/options/optlist_json.h"
#include "src/options/table.h"

enum default_part { DEFAULT_CDROM, DEFAULT_FLOPPY, DEFAULT_VGA, DEFAULT_SERIAL };

static const struct {
	const char *driver;
	enum default_part part;
} instead[] = {
	{"ide-cd", DEFAULT_CDROM},  {"ide-hd", DEFAULT_CDROM},	{"scsi-cd", DEFAULT_CDROM},
	{"scsi-hd", DEFAULT_CDROM}, {"floppy", DEFAULT_FLOPPY}, {"isa-fdc", DEFAULT_FLOPPY},
	{"VGA", DEFAULT_VGA},	    {"isa-vga", DEFAULT_VGA},	{"isa-serial", DEFAULT_SERIAL},
};

static void drop(struct options_parse_state *p, enum default_part part)
{
	struct machine_config *c = &p->o->config;

	switch (part) {
	case DEFAULT_CDROM:
		c->no_default_cdrom = true;
		break;
	case DEFAULT_FLOPPY:
		c->no_default_floppy = true;
		break;
	case DEFAULT_VGA:
		if (c->vga == VGA_DEFAULT)
			c->vga = VGA_NONE;
		break;
	case DEFAULT_SERIAL:
		p->no_default_serial = true;
		break;
	}
}

void options_drop_defaults(struct options_parse_state *p)
{
	list_for_each(it, &p->o->devices) {
		const struct option_device *d = list_entry(it, struct option_device, node);
		struct error ignored = ERROR_INIT;
		const char *driver;
		struct optlist l;

		if (strcmp(d->option, "device") ||
		    !optlist_parse_json(&l, d->value, "driver", &ignored)) {
			error_clear(&ignored); /* is said when the device is made */
			continue;
		}
		driver = optlist_get(&l, "driver");
		for (unsigned i = 0; driver && i < ARRAY_SIZE(instead); i++)
			if (!strcmp(instead[i].driver, driver))
				drop(p, instead[i].part);
		optlist_free(&l);
	}
}
