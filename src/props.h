/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Properties: what users set by name on a device (-device) or an object (-object). A table says for each where in the struct
 * it is kept, of what type, and its default. It makes parsing, help and messages.
 */
#ifndef EVMM_PROPS_H
#define EVMM_PROPS_H

#include "src/error.h"

enum prop_type {
	PROP_BOOL, /* bool: on|off|yes|no|true|false */
	PROP_U8,
	PROP_U16,
	PROP_U32,
	PROP_U64,      /* number: decimal, 0x hex, 0 octal */
	PROP_SIZE,     /* uint64_t with suffixes k M G T */
	PROP_STRING,   /* char *, heap */
	PROP_CHARDEV,  /* struct chardev *, by id */
	PROP_PCI_ADDR, /* int32_t devfn, "slot.fn" or "slot"; -1 any */
	PROP_INT32,    /* int32_t, decimal */
	PROP_DRIVE,    /* struct block *, by the drive's id or a node's name */
};

struct device_prop {
	const char *name;
	enum prop_type type;
	size_t offset;
	uint64_t defval;    /* numbers and bool */
	const char *defstr; /* strings */
	const char *desc;
};

#define DEFINE_PROP(S, field, name_, type_, def, desc_)                                \
	{                                                                              \
		.name = (name_), .type = (type_), .offset = offsetof(struct S, field), \
		.defval = (def), .desc = (desc_)                                       \
	}
#define DEFINE_PROP_STR(S, field, name_, def, desc_)                                       \
	{                                                                                  \
		.name = (name_), .type = PROP_STRING, .offset = offsetof(struct S, field), \
		.defstr = (def), .desc = (desc_)                                           \
	}
#define DEFINE_PROP_END      \
	{                    \
		.name = NULL \
	}

/* Of a freshly zeroed OBJ. */
void props_set_defaults(void *obj, const struct device_prop *props);
const struct device_prop *props_find(const struct device_prop *props, const char *name);
/* VALUE as the user typed it. OPTION ("device") and OWNER (the type's name) are for messages. */
bool props_set(void *obj, const struct device_prop *props, const char *option, const char *owner,
	       const char *name, const char *value, struct error *err);
/* A number or bool. */
void props_store_num(void *obj, const struct device_prop *p, uint64_t value);
/* What the properties hold on the heap. */
void props_free(void *obj, const struct device_prop *props);
/* One line each on stdout. */
void props_help(const struct device_prop *props);

#endif
