/* SPDX-License-Identifier: BSD-2-Clause */
/* -global: defaults of a device type's properties, for all devices of that type that are made later. Loop thread. */
#ifndef EVMM_GLOBALS_H
#define EVMM_GLOBALS_H

#include "src/device.h"

struct device_global {
	struct list node;
	const struct device_type *type;
	char *prop, *value;
	bool used;
};

/* "TYPE.PROP=VALUE", or "driver=TYPE,property=PROP,value=VALUE". Type, property and value are checked. */
bool globals_add(struct list *globals, const char *arg, struct error *err);
/* To a new device, whose properties have their defaults. */
void globals_apply(struct list *globals, struct device *dev);
/* Of types that are not there and won't come: says so. */
void globals_warn_unused(const struct list *globals);
void globals_free(struct list *globals);

#endif
