/* SPDX-License-Identifier: BSD-2-Clause */
/* What the words of the command table mean: types, checking a value against one, and introspection. */
#ifndef EVMM_QAPI_H
#define EVMM_QAPI_H

#include "monitor/command.h"

/* One word "name:type" of a members list. */
struct qapi_member {
	const char *name, *type; /* not terminated */
	size_t name_len, type_len;
	bool optional;
};

/* The word at *S, which is moved on; false at the end. */
bool qapi_next(const char **s, struct qapi_member *member);
/* Of the type named TYPE, LEN long. The message names the offender as QEMU does ("Invalid parameter type for 'x', ..."). */
bool qapi_check(json_t *value, const char *type, size_t len, const char *path, struct error *err);
/* An object with these members and, unless EXTRA, no others. */
bool qapi_check_members(json_t *object, const char *members, bool extra, const char *path,
			struct error *err);
/* query-qmp-schema's answer. */
json_t *qapi_introspect(void);

#endif
