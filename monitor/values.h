/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of devices and objects as JSON, and back. */
#ifndef EVMM_VALUES_H
#define EVMM_VALUES_H

#include <jansson.h>
#include "src/optlist.h"
#include "src/props.h"

/* As QOM names it: "bool", "uint32", "str"... */
const char *value_type(const struct device_prop *p);
json_t *value_get(const void *obj, const struct device_prop *p);
/* NULL: it has none. */
json_t *value_default(const struct device_prop *p);
/* As the command line has it: "on", "12", a string. NULL: V is an object, an array or null. Heap. */
char *value_text(json_t *v);
/* Every scalar member of OBJECT; false with ERR at another. */
bool values_to_optlist(json_t *object, struct optlist *l, struct error *err);

#endif
