/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes ACPI Machine Language (ACPI 6.3, chapter 20): a growing buffer of little-endian bytes, and
 * packages (what has a PkgLength: Scope, Device, Method, Package, Buffer) that are opened and
 * closed around their contents.
 */
#ifndef EVMM_BOOT_AML_H
#define EVMM_BOOT_AML_H

#include "src/util.h"

struct aml {
	uint8_t *bytes; /* heap; the owner frees it */
	size_t n, room;
};

void aml_raw(struct aml *a, const void *bytes, size_t n);
void aml_u8(struct aml *a, uint8_t v);
void aml_u16(struct aml *a, uint16_t v);
void aml_u32(struct aml *a, uint32_t v);
void aml_u64(struct aml *a, uint64_t v);

/* A NameString of segments separated by dots, each padded with '_'; a leading '\' is the root. */
void aml_name(struct aml *a, const char *path);
/* An integer constant in its shortest form. */
void aml_int(struct aml *a, uint64_t v);
void aml_string(struct aml *a, const char *s);
/* EISAID("PNP0A03") as an integer */
void aml_eisaid(struct aml *a, const char *id);
/* Name (NAME, what is written next) */
void aml_name_decl(struct aml *a, const char *name);
void aml_name_int(struct aml *a, const char *name, uint64_t v);

/* Opens; the result goes to aml_end, innermost first. */
size_t aml_scope(struct aml *a, const char *path);
size_t aml_device(struct aml *a, const char *name);
size_t aml_method(struct aml *a, const char *name, unsigned args);
size_t aml_package(struct aml *a, unsigned elements);
void aml_end(struct aml *a, size_t mark);

/*
 * A resource template: opens a Buffer; descriptors follow; aml_resources_end adds the end tag and
 * closes.
 */
struct aml_resources {
	size_t mark, size_at;
};
struct aml_resources aml_resources(struct aml *a);
void aml_resources_end(struct aml *a, struct aml_resources r);
/* IO (Decode16, first, first, 1, count) */
void aml_io(struct aml *a, uint16_t first, uint8_t count);
/* IRQNoFlags () {irq}: edge, active high */
void aml_irq(struct aml *a, unsigned irq);

#endif
