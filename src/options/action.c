/* SPDX-License-Identifier: BSD-2-Clause */
/* -action: what follows when the guest resets the machine, powers it off, panics, or forgets its watchdog. */
#include "src/options/table.h"

static bool choice(struct optlist *l, const char *key, const char *no, const char *yes, bool *out,
		   struct error *err)
{
	const char *value = optlist_get(l, key);

	if (!value)
		return true;
	*out = !strcmp(value, yes);
	return *out || !strcmp(value, no) ||
	       error_set(err, "%s is '%s' or '%s', not '%s'", key, no, yes, value);
}

static bool apply(struct machine_config *c, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"reboot", "shutdown", "panic", "watchdog", NULL};
	const char *panic = optlist_get(l, "panic"), *watchdog = optlist_get(l, "watchdog");

	if (panic && !panic_action_parse(panic, &c->panic))
		return error_set(err,
				 "panic is 'shutdown', 'pause', 'exit-failure' or 'none', not '%s'",
				 panic);
	if (watchdog && !watchdog_action_parse(watchdog, &c->watchdog, err))
		return false;
	return choice(l, "reboot", "reset", "shutdown", &c->no_reboot, err) &&
	       choice(l, "shutdown", "poweroff", "pause", &c->no_shutdown, err) &&
	       optlist_check_unused(l, known, err);
}

bool options_watchdog_action(struct options_parse_state *p, const char *value, struct error *err)
{
	return watchdog_action_parse(value, &p->o->config.watchdog, err);
}

bool options_action(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	ok = apply(&p->o->config, &l, err);
	optlist_free(&l);
	return ok;
}
