/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI Machine Language, as far as the tables of acpi.c need it. */
#include <stdlib.h>
#include "src/boot/aml.h"

enum {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_STRING = 0x0d,
	AML_QWORD = 0x0e,
	AML_SCOPE = 0x10,
	AML_BUFFER = 0x11,
	AML_PACKAGE = 0x12,
	AML_METHOD = 0x14,
	AML_DUAL_NAME = 0x2e,
	AML_MULTI_NAME = 0x2f,
	AML_EXT = 0x5b,
	AML_EXT_REGION = 0x80,
	AML_EXT_FIELD = 0x81,
	AML_EXT_DEVICE = 0x82,
	AML_IF = 0xa0,
};

void aml_raw(struct aml *a, const void *bytes, size_t n)
{
	if (a->room - a->n < n) {
		a->room = a->room * 2 + n;
		a->bytes = xrealloc(a->bytes, a->room);
	}
	memcpy(a->bytes + a->n, bytes, n);
	a->n += n;
}

void aml_u8(struct aml *a, uint8_t v)
{
	aml_raw(a, &v, 1);
}

void aml_u16(struct aml *a, uint16_t v)
{
	aml_raw(a, &v, 2);
}

void aml_u32(struct aml *a, uint32_t v)
{
	aml_raw(a, &v, 4);
}

void aml_u64(struct aml *a, uint64_t v)
{
	aml_raw(a, &v, 8);
}

void aml_name(struct aml *a, const char *path)
{
	unsigned segments = 1;

	if (*path == '\\')
		aml_u8(a, (uint8_t)*path++);
	for (const char *p = path; *p; p++)
		segments += *p == '.';
	if (segments == 2)
		aml_u8(a, AML_DUAL_NAME);
	if (segments > 2) {
		aml_u8(a, AML_MULTI_NAME);
		aml_u8(a, (uint8_t)segments);
	}
	while (segments--) {
		size_t n = strcspn(path, ".");

		for (size_t i = 0; i < 4; i++)
			aml_u8(a, i < n ? (uint8_t)path[i] : '_');
		path += n + (path[n] == '.');
	}
}

void aml_int(struct aml *a, uint64_t v)
{
	if (v <= 1) {
		aml_u8(a, v ? AML_ONE : AML_ZERO);
	} else if (v <= 0xff) {
		aml_u8(a, AML_BYTE);
		aml_u8(a, (uint8_t)v);
	} else if (v <= 0xffff) {
		aml_u8(a, AML_WORD);
		aml_u16(a, (uint16_t)v);
	} else if (v <= 0xffffffff) {
		aml_u8(a, AML_DWORD);
		aml_u32(a, (uint32_t)v);
	} else {
		aml_u8(a, AML_QWORD);
		aml_u64(a, v);
	}
}

void aml_string(struct aml *a, const char *s)
{
	aml_u8(a, AML_STRING);
	aml_raw(a, s, strlen(s) + 1);
}

void aml_eisaid(struct aml *a, const char *id)
{
	uint32_t v = (uint32_t)(id[0] - '@') << 26 | (uint32_t)(id[1] - '@') << 21 |
		     (uint32_t)(id[2] - '@') << 16 | (uint32_t)strtoul(id + 3, NULL, 16);

	/* Always a DWORD, most significant byte first. */
	aml_u8(a, AML_DWORD);
	aml_u32(a, __builtin_bswap32(v));
}

void aml_name_decl(struct aml *a, const char *name)
{
	aml_u8(a, AML_NAME);
	aml_name(a, name);
}

void aml_name_int(struct aml *a, const char *name, uint64_t v)
{
	aml_name_decl(a, name);
	aml_int(a, v);
}

void aml_name_string(struct aml *a, const char *name, const char *s)
{
	aml_name_decl(a, name);
	aml_string(a, s);
}

void aml_op(struct aml *a, enum aml_op op)
{
	aml_u8(a, (uint8_t)op);
}

void aml_region(struct aml *a, const char *name, enum aml_region space, uint64_t offset,
		uint64_t bytes)
{
	aml_u8(a, AML_EXT);
	aml_u8(a, AML_EXT_REGION);
	aml_name(a, name);
	aml_u8(a, (uint8_t)space);
	aml_int(a, offset);
	aml_int(a, bytes);
}

/*
 * A package's length counts the length's own bytes: known only at its end, so aml_end inserts it.
 */
static size_t begin(struct aml *a)
{
	return a->n;
}

void aml_end(struct aml *a, size_t mark)
{
	size_t n = a->n - mark;
	unsigned extra = n + 1 <= 0x3f ? 0 : n + 2 <= 0xfff ? 1 : n + 3 <= 0xfffff ? 2 : 3;
	uint8_t length[4];

	n += extra + 1;
	/* Alone, the first byte has 6 bits of it; with more to come, 4. */
	length[0] = extra ? (uint8_t)(extra << 6 | (n & 15)) : (uint8_t)n;
	for (unsigned i = 1; i <= extra; i++)
		length[i] = (uint8_t)(n >> (4 + 8 * (i - 1)));
	aml_raw(a, length, extra + 1); /* for the room */
	memmove(a->bytes + mark + extra + 1, a->bytes + mark, a->n - mark - extra - 1);
	memcpy(a->bytes + mark, length, extra + 1);
}

/* The length of a field, in the package's form: at most 12 bits are needed here. */
void aml_field_bits(struct aml *a, const char *name, unsigned bits)
{
	if (name)
		aml_name(a, name);
	else
		aml_u8(a, 0);
	if (bits <= 0x3f) {
		aml_u8(a, (uint8_t)bits);
	} else {
		aml_u8(a, (uint8_t)(1 << 6 | (bits & 15)));
		aml_u8(a, (uint8_t)(bits >> 4));
	}
}

size_t aml_if(struct aml *a)
{
	aml_u8(a, AML_IF);
	return begin(a);
}

size_t aml_field(struct aml *a, const char *region, enum aml_access access)
{
	size_t mark;

	aml_u8(a, AML_EXT);
	aml_u8(a, AML_EXT_FIELD);
	mark = begin(a);
	aml_name(a, region);
	aml_u8(a, (uint8_t)access);
	return mark;
}

size_t aml_scope(struct aml *a, const char *path)
{
	size_t mark;

	aml_u8(a, AML_SCOPE);
	mark = begin(a);
	aml_name(a, path);
	return mark;
}

size_t aml_device(struct aml *a, const char *name)
{
	size_t mark;

	aml_u8(a, AML_EXT);
	aml_u8(a, AML_EXT_DEVICE);
	mark = begin(a);
	aml_name(a, name);
	return mark;
}

size_t aml_method(struct aml *a, const char *name, unsigned args)
{
	size_t mark;

	aml_u8(a, AML_METHOD);
	mark = begin(a);
	aml_name(a, name);
	aml_u8(a, (uint8_t)args);
	return mark;
}

size_t aml_package(struct aml *a, unsigned elements)
{
	size_t mark;

	aml_u8(a, AML_PACKAGE);
	mark = begin(a);
	aml_u8(a, (uint8_t)elements);
	return mark;
}

void aml_buffer(struct aml *a, const void *bytes, size_t n)
{
	size_t mark;

	aml_u8(a, AML_BUFFER);
	mark = begin(a);
	aml_int(a, n);
	aml_raw(a, bytes, n);
	aml_end(a, mark);
}

struct aml_resources aml_resources(struct aml *a)
{
	struct aml_resources r;

	aml_u8(a, AML_BUFFER);
	r.mark = begin(a);
	aml_u8(a, AML_WORD);
	r.size_at = a->n;
	aml_u16(a, 0);
	return r;
}

void aml_resources_end(struct aml *a, struct aml_resources r)
{
	aml_u16(a, 0x0079); /* end tag; checksum 0: not checked */
	stn_le(a->bytes + r.size_at, 2, a->n - r.size_at - 2);
	aml_end(a, r.mark);
}

void aml_io(struct aml *a, uint16_t first, uint8_t count)
{
	aml_u8(a, 0x47);
	aml_u8(a, 1); /* decodes 16 bits */
	aml_u16(a, first);
	aml_u16(a, first);
	aml_u8(a, 1);
	aml_u8(a, count);
}

void aml_irq(struct aml *a, unsigned irq)
{
	aml_u8(a, 0x22);
	aml_u16(a, (uint16_t)(1u << irq));
}

void aml_memory32(struct aml *a, bool writable, uint32_t base, uint32_t bytes)
{
	aml_u8(a, 0x86);
	aml_u16(a, 9);
	aml_u8(a, writable);
	aml_u32(a, base);
	aml_u32(a, bytes);
}

void aml_interrupt(struct aml *a, bool shared, const uint32_t *irqs, unsigned n)
{
	aml_u8(a, 0x89);
	aml_u16(a, (uint16_t)(2 + 4 * n));
	aml_u8(a, (uint8_t)(1 | shared << 3));
	aml_u8(a, (uint8_t)n);
	for (unsigned i = 0; i < n; i++)
		aml_u32(a, irqs[i]);
}

static void put_width(struct aml *a, unsigned bits, uint64_t v)
{
	aml_raw(a, &v, bits / 8);
}

void aml_space(struct aml *a, unsigned bits, uint8_t type, uint8_t flags, uint64_t first,
	       uint64_t last)
{
	aml_u8(a, bits == 16 ? 0x88 : bits == 32 ? 0x87 : 0x8a);
	aml_u16(a, (uint16_t)(3 + 5 * bits / 8));
	aml_u8(a, type);
	aml_u8(a, 0x0c);
	aml_u8(a, flags);
	put_width(a, bits, 0);
	put_width(a, bits, first);
	put_width(a, bits, last);
	put_width(a, bits, 0);
	put_width(a, bits, last - first + 1);
}
