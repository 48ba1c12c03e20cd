/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about what boots: firmware and where it is found. */
#include <stdlib.h>
#include "src/boot/firmware.h"
#include "src/options_table.h"

bool options_bios(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, "no file named");
	p->o->config.boot.bios = value;
	return true;
}

bool options_data_dir(struct options_parse_state *p, const char *value, struct error *err)
{
	struct machine_config *c = &p->o->config;

	if (!strcmp(value, "help") || !strcmp(value, "?")) {
		p->data_dirs_help = true;
		return true;
	}
	if (c->boot.n_data_dirs == BOOT_DATA_DIRS)
		return error_set(err, "more than %u directories", BOOT_DATA_DIRS);
	c->boot.data_dirs[c->boot.n_data_dirs++] = value;
	return true;
}

bool options_boot_complete(struct options_parse_state *p, struct error *err)
{
	struct machine_config *c = &p->o->config;

	if (p->data_dirs_help) {
		firmware_list_dirs(c);
		exit(0);
	}
	if (c->boot.bios && !c->type->firmware)
		return error_set(err, "-bios %s: machine '%s' has no firmware", c->boot.bios,
				 c->type->name);
	if (!c->boot.bios && !c->kernel && !c->accel->no_vcpus)
		c->boot.bios = c->type->firmware;
	c->boot.no_graphics = p->o->nographic;
	return true;
}
