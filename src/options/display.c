/* SPDX-License-Identifier: BSD-2-Clause */
/* -vga and -display. */
#include <stdio.h>
#include <stdlib.h>
#include "src/options/table.h"

bool opt_vga(struct options_parse_state *p, const char *value, struct error *err)
{
	/* Those that QEMU has besides. */
	static const char *const others[] = {"cirrus", "vmware", "qxl",	  "xenfb",
					     "tcx",    "cg3",	 "virtio"};
	struct machine_config *c = &p->o->config;

	if (!strcmp(value, "help") || !strcmp(value, "?")) {
		puts("none                 no graphic card\n"
		     "std                  standard VGA (default)");
		exit(0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(value, others[i]))
			return error_set(err,
					 "the display adapter '%s' is not offered; there is "
					 "'std', or 'none'",
					 value);
	if (strcmp(value, "std") && strcmp(value, "none"))
		return error_set(err, "no such display adapter '%s'; -vga help lists them", value);
	c->vga = !strcmp(value, "std") ? VGA_STD : VGA_NONE;
	return true;
}

bool opt_display(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!strcmp(value, "help") || !strcmp(value, "?")) {
		puts("Available display backend types:\nnone");
		exit(0);
	}
	if (strcmp(value, "none"))
		return error_set(err, "no such display; there is 'none'");
	p->display_given = true;
	return true;
}
