/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties: what users set by name on devices and objects, by a table. */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/block.h"
#include "io/char/chardev.h"
#include "src/options/optlist.h"
#include "src/props.h"
#include "src/util.h"

/* Whose properties they are, for messages. */
struct owner {
	const char *option, *name;
	const struct device_prop *props;
};

static const char *const prop_type_names[] = {
	[PROP_BOOL] = "bool",	[PROP_U8] = "uint8",	[PROP_U16] = "uint16",
	[PROP_U32] = "uint32",	[PROP_U64] = "uint64",	[PROP_SIZE] = "size",
	[PROP_STRING] = "str",	[PROP_CHARDEV] = "str", [PROP_PCI_ADDR] = "int32",
	[PROP_INT32] = "int32", [PROP_DRIVE] = "str",
};

static void print_default(const struct device_prop *p)
{
	switch (p->type) {
	case PROP_BOOL:
		printf(" (default: %s)", p->defval ? "on" : "off");
		break;
	case PROP_STRING:
		if (p->defstr)
			printf(" (default: %s)", p->defstr);
		break;
	case PROP_CHARDEV:
	case PROP_PCI_ADDR:
	case PROP_DRIVE:
		break;
	case PROP_INT32:
		printf(" (default: %d)", (int32_t)p->defval);
		break;
	default:
		printf(" (default: %llu)", (unsigned long long)p->defval);
	}
}

void props_help(const struct device_prop *props)
{
	for (const struct device_prop *p = props; p && p->name; p++) {
		int width = printf("  %s=<%s>", p->name, prop_type_names[p->type]);

		printf("%*s - %s", MAX(0, 24 - width), "", p->desc ? p->desc : "");
		print_default(p);
		printf("\n");
	}
}

const struct device_prop *props_find(const struct device_prop *props, const char *name)
{
	for (const struct device_prop *p = props; p && p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static void *prop_field(void *obj, const struct device_prop *p)
{
	return (char *)obj + p->offset;
}

static unsigned prop_bits(enum prop_type type)
{
	switch (type) {
	case PROP_BOOL:
		return 1;
	case PROP_U8:
		return 8;
	case PROP_U16:
		return 16;
	case PROP_U32:
		return 32;
	default:
		return 64;
	}
}

void props_store_num(void *obj, const struct device_prop *p, uint64_t value)
{
	void *field = prop_field(obj, p);

	switch (p->type) {
	case PROP_BOOL:
		*(bool *)field = value;
		break;
	case PROP_U8:
		*(uint8_t *)field = (uint8_t)value;
		break;
	case PROP_U16:
		*(uint16_t *)field = (uint16_t)value;
		break;
	case PROP_U32:
		*(uint32_t *)field = (uint32_t)value;
		break;
	case PROP_U64:
	case PROP_SIZE:
		*(uint64_t *)field = value;
		break;
	case PROP_PCI_ADDR:
	case PROP_INT32:
		*(int32_t *)field = (int32_t)value;
		break;
	default:
		abort();
	}
}

static void prop_store_string(void *obj, const struct device_prop *p, const char *value)
{
	char **field = prop_field(obj, p);

	free(*field);
	*field = value ? xstrdup(value) : NULL;
}

void props_set_defaults(void *obj, const struct device_prop *props)
{
	for (const struct device_prop *p = props; p && p->name; p++) {
		if (p->type == PROP_STRING)
			prop_store_string(obj, p, p->defstr);
		else if (p->type != PROP_CHARDEV && p->type != PROP_DRIVE)
			props_store_num(obj, p, p->defval);
	}
}

static bool unknown_prop(const struct owner *o, const char *name, struct error *err)
{
	const char *names[65] = {NULL};
	const char *nearest;
	unsigned n = 0;

	for (const struct device_prop *p = o->props; p && p->name && n < 64; p++)
		names[n++] = p->name;
	nearest = nearest_word(name, names);
	if (nearest)
		return error_set(err, "Property '%s.%s' not found; did you mean '%s'?", o->name,
				 name, nearest);
	return error_set(err, "Property '%s.%s' not found (-%s %s,help lists them)", o->name, name,
			 o->option, o->name);
}

static bool bad_value(const struct owner *o, const struct device_prop *p, const char *value,
		      const char *expected, struct error *err)
{
	return error_set(err, "Property '%s.%s': '%s' is not %s", o->name, p->name, value,
			 expected);
}

/* "slot" or "slot.function", both hexadecimal as QEMU has them. */
static bool parse_pci_addr(const char *s, uint64_t *devfn)
{
	unsigned slot, fn = 0;
	int used = 0;

	if (!*s || strspn(s, "0123456789abcdefABCDEF.xX") != strlen(s))
		return false;
	if (sscanf(s, "%x.%x%n", &slot, &fn, &used) != 2 || s[used]) {
		fn = 0;
		used = 0;
		if (sscanf(s, "%x%n", &slot, &used) != 1 || s[used])
			return false;
	}
	if (slot > 31 || fn > 7)
		return false;
	*devfn = slot << 3 | fn;
	return true;
}

static bool set_number(const struct owner *o, void *obj, const struct device_prop *p,
		       const char *value, struct error *err)
{
	unsigned bits = prop_bits(p->type);
	uint64_t n;

	if (!parse_u64(value, &n))
		return bad_value(o, p, value, "a number", err);
	if (bits < 64 && n >> bits)
		return error_set(err, "Property '%s.%s': %s is too large (at most %llu)", o->name,
				 p->name, value, (1ull << bits) - 1);
	props_store_num(obj, p, n);
	return true;
}

static bool set_chardev(const struct owner *o, void *obj, const struct device_prop *p,
			const char *value, struct error *err)
{
	struct chardev *chr = chardev_take(value, err);

	if (!chr) {
		error_prefix(err, "Property '%s.%s': ", o->name, p->name);
		return false;
	}
	*(struct chardev **)prop_field(obj, p) = chr;
	return true;
}

static bool set_int32(const struct owner *o, void *obj, const struct device_prop *p,
		      const char *value, struct error *err)
{
	bool negative = value[0] == '-';
	uint64_t n;

	if (!parse_u64(value + negative, &n) || n > (uint64_t)INT32_MAX + negative)
		return bad_value(o, p, value, "a number of 32 bits", err);
	props_store_num(obj, p, negative ? -n : n);
	return true;
}

static bool set_drive(const struct owner *o, void *obj, const struct device_prop *p,
		      const char *value, struct error *err)
{
	struct block **field = prop_field(obj, p), *b = block_for_device(value, err);

	if (!b) {
		error_prefix(err, "Property '%s.%s': ", o->name, p->name);
		return false;
	}
	block_release(*field);
	*field = b;
	return true;
}

bool props_set(void *obj, const struct device_prop *props, const char *option, const char *owner,
	       const char *name, const char *value, struct error *err)
{
	const struct owner o = {.option = option, .name = owner, .props = props};
	const struct device_prop *p = props_find(props, name);
	uint64_t n;
	bool b;

	if (!p)
		return unknown_prop(&o, name, err);
	switch (p->type) {
	case PROP_BOOL:
		if (!parse_bool(value, &b))
			return bad_value(&o, p, value, "'on' or 'off'", err);
		props_store_num(obj, p, b);
		return true;
	case PROP_SIZE:
		if (!parse_size(value, 0, &n))
			return bad_value(&o, p, value, "a size such as 512, 64k or 1M", err);
		props_store_num(obj, p, n);
		return true;
	case PROP_STRING:
		prop_store_string(obj, p, value);
		return true;
	case PROP_CHARDEV:
		return set_chardev(&o, obj, p, value, err);
	case PROP_PCI_ADDR:
		if (!parse_pci_addr(value, &n))
			return bad_value(&o, p, value, "a PCI address (slot or slot.function)",
					 err);
		props_store_num(obj, p, n);
		return true;
	case PROP_INT32:
		return set_int32(&o, obj, p, value, err);
	case PROP_DRIVE:
		return set_drive(&o, obj, p, value, err);
	default:
		return set_number(&o, obj, p, value, err);
	}
}

void props_free(void *obj, const struct device_prop *props)
{
	for (const struct device_prop *p = props; p && p->name; p++) {
		if (p->type == PROP_STRING)
			prop_store_string(obj, p, NULL);
		else if (p->type == PROP_CHARDEV)
			chardev_release(*(struct chardev **)prop_field(obj, p));
		else if (p->type == PROP_DRIVE)
			block_release(*(struct block **)prop_field(obj, p));
	}
}
