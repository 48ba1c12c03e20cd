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

/* Operators (ACPI 6.3, 20.3), each followed by its operands. */
enum aml_op {
	AML_OP_NULL = 0x00, /* a target that is none */
	AML_OP_LOCAL0 = 0x60,
	AML_OP_LOCAL1 = 0x61,
	AML_OP_ARG0 = 0x68,
	AML_OP_ARG1 = 0x69,
	AML_OP_ARG3 = 0x6b,
	AML_OP_STORE = 0x70,
	AML_OP_ADD = 0x72,
	AML_OP_AND = 0x7b,
	AML_OP_OR = 0x7d,
	AML_OP_NOTIFY = 0x86,
	AML_OP_INDEX = 0x88,
	AML_OP_CREATE_DWORD_FIELD = 0x8a,
	AML_OP_LNOT = 0x92,
	AML_OP_LEQUAL = 0x93,
	AML_OP_RETURN = 0xa4,
};

enum aml_region { AML_SYSTEM_MEMORY = 0, AML_SYSTEM_IO = 1, AML_PCI_CONFIG = 2 };

/* FieldFlags: access of this size, others' bits preserved, no lock */
enum aml_access { AML_BYTE_ACC = 1, AML_WORD_ACC = 2, AML_DWORD_ACC = 3 };

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
/* Buffer () {BYTES} */
void aml_buffer(struct aml *a, const void *bytes, size_t n);
/* Name (NAME, "S") */
void aml_name_string(struct aml *a, const char *name, const char *s);
/* EISAID("PNP0A03") as an integer */
void aml_eisaid(struct aml *a, const char *id);
/* Name (NAME, what is written next) */
void aml_name_decl(struct aml *a, const char *name);
void aml_name_int(struct aml *a, const char *name, uint64_t v);

/* One of the operators */
void aml_op(struct aml *a, enum aml_op op);
/* OperationRegion (NAME, SPACE, OFFSET, BYTES) */
void aml_region(struct aml *a, const char *name, enum aml_region space, uint64_t offset,
		uint64_t bytes);
/* A named field of BITS bits, or with NULL a gap; between aml_field and aml_end. */
void aml_field_bits(struct aml *a, const char *name, unsigned bits);

/* Opens; the result goes to aml_end, innermost first. A method that creates names is serialized: AML_SERIALIZED | args. */
#define AML_SERIALIZED 8
size_t aml_if(struct aml *a);
size_t aml_field(struct aml *a, const char *region, enum aml_access access);
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
/* Memory32Fixed (ReadOnly or ReadWrite, base, bytes) */
void aml_memory32(struct aml *a, bool writable, uint32_t base, uint32_t bytes);
/* Interrupt (ResourceConsumer, Level, ActiveHigh, Shared or Exclusive) {irqs} */
void aml_interrupt(struct aml *a, bool shared, const uint32_t *irqs, unsigned n);
/*
 * Address space descriptors (6.4.3.5) of a producer, fixed, positive decode. TYPE 0 memory, 1 I/O, 2 bus numbers; FLAGS
 * are the type's.
 */
#define AML_SPACE_MEMORY     0
#define AML_SPACE_IO	     1
#define AML_SPACE_BUS	     2
#define AML_IO_ENTIRE_RANGE  3
#define AML_MEMORY_WRITE     1
#define AML_MEMORY_CACHEABLE 2
void aml_space(struct aml *a, unsigned bits, uint8_t type, uint8_t flags, uint64_t first,
	       uint64_t last);
/* IRQNoFlags () {irq}: edge, active high */
void aml_irq(struct aml *a, unsigned irq);

#endif
