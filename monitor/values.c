/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/block/block.h"
#include "io/char/chardev.h"
#include "monitor/values.h"

const char *value_type(const struct device_prop *p)
{
	switch (p->type) {
	case PROP_BOOL:
		return "bool";
	case PROP_U8:
		return "uint8";
	case PROP_U16:
		return "uint16";
	case PROP_U32:
		return "uint32";
	case PROP_U64:
		return "uint64";
	case PROP_SIZE:
		return "size";
	case PROP_INT32:
		return "int32";
	case PROP_STRING:
	case PROP_CHARDEV:
	case PROP_DRIVE:
	case PROP_PCI_ADDR:
		return "str";
	}
	return "str";
}

static json_t *text(const char *s)
{
	json_t *v = json_string(s ? s : "");

	return v ? v : json_string("");
}

static json_t *pci_address(int32_t devfn)
{
	char s[16];

	if (devfn < 0)
		return json_string("auto");
	snprintf(s, sizeof(s), "%02x.%x", (unsigned)devfn >> 3, (unsigned)devfn & 7);
	return json_string(s);
}

json_t *value_get(const void *obj, const struct device_prop *p)
{
	const void *field = (const char *)obj + p->offset;
	const struct chardev *chr;
	const struct block *b;

	switch (p->type) {
	case PROP_BOOL:
		return json_boolean(*(const bool *)field);
	case PROP_U8:
		return json_integer(*(const uint8_t *)field);
	case PROP_U16:
		return json_integer(*(const uint16_t *)field);
	case PROP_U32:
		return json_integer(*(const uint32_t *)field);
	case PROP_U64:
	case PROP_SIZE:
		return json_integer((json_int_t) * (const uint64_t *)field);
	case PROP_INT32:
		return json_integer(*(const int32_t *)field);
	case PROP_STRING:
		return text(*(char *const *)field);
	case PROP_CHARDEV:
		chr = *(struct chardev *const *)field;
		return text(chr ? chardev_id(chr) : NULL);
	case PROP_DRIVE:
		b = *(struct block *const *)field;
		return text(b ? block_id(b) : NULL);
	case PROP_PCI_ADDR:
		return pci_address(*(const int32_t *)field);
	}
	return json_null();
}

json_t *value_default(const struct device_prop *p)
{
	switch (p->type) {
	case PROP_BOOL:
		return json_boolean(p->defval);
	case PROP_U8:
	case PROP_U16:
	case PROP_U32:
	case PROP_U64:
	case PROP_SIZE:
		return json_integer((json_int_t)p->defval);
	case PROP_INT32:
		return json_integer((int32_t)p->defval);
	case PROP_STRING:
		return p->defstr ? text(p->defstr) : NULL;
	case PROP_CHARDEV:
	case PROP_DRIVE:
	case PROP_PCI_ADDR:
		return NULL;
	}
	return NULL;
}
