/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about the process itself, the test protocol and the debugger. */
#include "src/log.h"
#include "src/options/table.h"

bool opt_daemonize(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->process.daemonize = true;
	return true;
}

bool opt_pidfile(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->process.pidfile = value;
	return true;
}

bool opt_runas(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->process.user = value;
	return true;
}

bool opt_chroot(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->process.chroot_dir = value;
	return true;
}

static bool keep(struct options_parse_state *p, struct optlist *l, const char *key,
		 const char **where)
{
	const char *value = optlist_get(l, key);

	if (value)
		*where = options_keep_string(p->o, xstrdup(value));
	return true;
}

bool opt_run_with(struct options_parse_state *p, const char *value, struct error *err)
{
	static const char *const known[] = {"chroot", "user", NULL};
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	ok = keep(p, &l, "chroot", &p->o->process.chroot_dir) &&
	     keep(p, &l, "user", &p->o->process.user) && optlist_check_unused(&l, known, err);
	optlist_free(&l);
	return ok;
}

/* There are none. */
bool opt_no_user_config(struct options_parse_state *p, const char *value, struct error *err)
{
	return true;
}

static bool on_or_off(struct optlist *l, const char *key, bool *value, struct error *err)
{
	const char *s = optlist_get(l, key);

	*value = false;
	return !s || parse_bool(s, value) ||
	       error_set(err, "%s is 'on' or 'off', not '%s'", key, s);
}

bool opt_msg(struct options_parse_state *p, const char *value, struct error *err)
{
	static const char *const known[] = {"timestamp", "guest-name", NULL};
	bool ok, timestamp, guest_name;
	struct optlist l;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	ok = on_or_off(&l, "timestamp", &timestamp, err) &&
	     on_or_off(&l, "guest-name", &guest_name, err) && optlist_check_unused(&l, known, err);
	optlist_free(&l);
	if (!ok)
		return false;
	report_with_timestamp(timestamp);
	p->msg_guest_name = guest_name;
	return true;
}

bool opt_name(struct options_parse_state *p, const char *value, struct error *err)
{
	static const char *const known[] = {"guest", "process", "debug-threads", NULL};
	bool ok, debug_threads;
	struct optlist l;

	if (!optlist_parse(&l, value, "guest", err))
		return false;
	/* Threads have their names in any case. */
	ok = keep(p, &l, "guest", &p->o->config.name) &&
	     keep(p, &l, "process", &p->o->process.name) &&
	     on_or_off(&l, "debug-threads", &debug_threads, err) &&
	     optlist_check_unused(&l, known, err);
	optlist_free(&l);
	return ok;
}

bool opt_qtest(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->qtest)
		return error_set(err, "one is enough");
	p->qtest = value;
	return true;
}

bool opt_qtest_log(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->qtest_log = value;
	return true;
}

bool opt_gdb(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->gdb = value;
	return true;
}

bool opt_s(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->gdb = "tcp::1234";
	return true;
}

bool options_connect_qtest(struct options_parse_state *p, struct error *err)
{
	return !p->qtest || options_connect_one(p, "qtest", "qtest", p->qtest, &p->o->qtest, err);
}
