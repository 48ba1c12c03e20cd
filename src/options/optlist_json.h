/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON objects in the place of comma lists: QMP's arguments, and what managers write behind -device, -object and others. */
#ifndef EVMM_OPTIONS_OPTLIST_JSON_H
#define EVMM_OPTIONS_OPTLIST_JSON_H

#include <jansson.h>
#include "src/options/optlist.h"

/* As an option would spell it; the caller's (free). NULL for null, arrays and objects. */
char *optlist_json_text(json_t *value);
/* What lies in an object is named by its way, "out.frequency"; an array is a list, "0,1,3". On error L is empty. */
bool optlist_from_json(json_t *object, struct optlist *l, struct error *err);
/* optlist_parse, for an option that takes an object too. */
bool optlist_parse_json(struct optlist *l, const char *arg, const char *implied_key,
			struct error *err);

#endif
