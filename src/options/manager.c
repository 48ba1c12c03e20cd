/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that managers give and people seldom: -global, -add-fd, -sandbox, -audiodev; and what is said to be absent. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "src/fdset.h"
#include "src/globals.h"
#include "src/options/optlist_json.h"
#include "src/options/table.h"

bool opt_global(struct options_parse_state *p, const char *value, struct error *err)
{
	return globals_add(&p->o->globals, value, err);
}

bool options_driftfix(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!strcmp(value, "slew"))
		return globals_add(&p->o->globals, "mc146818rtc.lost_tick_policy=slew", err);
	return !strcmp(value, "none") ||
	       error_set(err, "driftfix is 'none' or 'slew', not '%s'", value);
}

/* ---- -add-fd ---- */

static bool inherited(uint64_t fd, struct error *err)
{
	int flags;

	if (fd <= STDERR_FILENO)
		return error_set(err, "fd=%llu is a standard stream", (unsigned long long)fd);
	/* Those that we have opened ourselves are closed on exec. */
	flags = fd <= INT32_MAX ? fcntl((int)fd, F_GETFD) : -1;
	if (flags < 0 || (flags & FD_CLOEXEC))
		return error_set(err, "fd=%llu is not an open descriptor that was inherited",
				 (unsigned long long)fd);
	return true;
}

static bool apply_add_fd(struct optlist *l, struct error *err)
{
	static const char *const known[] = {"fd", "set", "opaque", NULL};
	const char *fd = optlist_get(l, "fd"), *set = optlist_get(l, "set");
	const char *opaque = optlist_get(l, "opaque");
	uint64_t number, id;
	int copy;

	if (!optlist_check_unused(l, known, err))
		return false;
	if (!fd || !parse_u64(fd, &number))
		return error_set(err, "fd= must be the number of a descriptor");
	if (!set || !parse_u64(set, &id) || id > INT64_MAX)
		return error_set(err, "set= must be the number of a set");
	if (!inherited(number, err))
		return false;
	copy = fcntl((int)number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (copy < 0)
		return error_set_errno(err, errno, "fd=%s", fd);
	fdset_add((int64_t)id, copy, opaque);
	return true;
}

bool opt_add_fd(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	ok = apply_add_fd(&l, err);
	optlist_free(&l);
	return ok;
}

/* ---- -sandbox ---- */

bool opt_sandbox(struct options_parse_state *p, const char *value, struct error *err)
{
	return sandbox_parse(&p->o->process.sandbox, value, err);
}

/* ---- -audiodev ---- */

static bool apply_audiodev(struct optlist *l, struct error *err)
{
	static const char *const known[] = {"driver", "id", NULL};
	const char *driver = optlist_get(l, "driver"), *id = optlist_get(l, "id");

	if (!driver)
		return error_set(err, "driver= is missing");
	if (strcmp(driver, "none"))
		return error_set(err, "there is no audio driver '%s', only 'none'", driver);
	if (!id)
		return error_set(err, "id= is missing");
	return optlist_check_unused(l, known, err);
}

bool opt_audiodev(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!strcmp(value, "help") || !strcmp(value, "?")) {
		puts("Available audio drivers:\nnone");
		exit(0);
	}
	if (!optlist_parse_json(&l, value, "driver", err))
		return false;
	ok = apply_audiodev(&l, err);
	optlist_free(&l);
	return ok;
}

/* ---- what isn't there ---- */

bool options_machine_absent(struct optlist *l, struct error *err)
{
	static const char *const keys[] = {"usb", "vmport", "smm"};

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = optlist_get(l, keys[i]);
		bool on;

		if (!value || !strcmp(value, "auto"))
			continue;
		if (!parse_bool(value, &on))
			return error_set(err, "%s is 'on' or 'off', not '%s'", keys[i], value);
		if (on)
			return error_set(err, "%s=on: there is none", keys[i]);
	}
	return true;
}
