/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about what a PC's board has. */
#include "src/options/table.h"

bool options_machine_board(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	const char *hpet = optlist_get(l, "hpet");
	bool on = true;

	if (!hpet)
		return true;
	if (!parse_bool(hpet, &on))
		return error_set(err, "hpet is 'on' or 'off', not '%s'", hpet);
	p->o->config.no_hpet = !on;
	return true;
}

bool options_no_hpet(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.no_hpet = true;
	return true;
}

bool options_no_acpi(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.acpi = false;
	return true;
}
