/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of devices and objects as JSON. */
#ifndef EVMM_VALUES_H
#define EVMM_VALUES_H

#include <jansson.h>
#include "src/props.h"

/* As QOM names it: "bool", "uint32", "str"... */
const char *value_type(const struct device_prop *p);
json_t *value_get(const void *obj, const struct device_prop *p);
/* NULL: it has none. */
json_t *value_default(const struct device_prop *p);

#endif
