/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two halves of integer translation share. */
#ifndef EVMM_CPU_TRANSLATE_INT_H
#define EVMM_CPU_TRANSLATE_INT_H

#include "src/cpu/translate.h"

static inline unsigned xi_log2(unsigned size)
{
	return (unsigned)__builtin_ctz(size);
}

/* A temporary slot as an operand of SIZE bytes. */
static inline uint8_t xi_temp(unsigned slot, unsigned size)
{
	return (uint8_t)(size == 1 ? slot * 8 : slot);
}

/* CF into R_CARRY, as cheaply as what is known of the flags allows. */
void xi_carry(struct xlate *x);
/* Slot of a general register operand; byte offset for 8 bits. */
uint8_t xi_slot(const ZydisDecodedOperand *o);
bool xi_is_gpr(const ZydisDecodedOperand *o);
/* OP is the form without an index of a set of four sizes; the form with one is chosen where needed. */
struct uop *xi_emit_mem(struct xlate *x, unsigned op, const struct mem_ref *m);
/* Loads memory operand O into temporary SLOT, as the first half of a read-modify-write if FOR_WRITE. */
struct mem_ref xi_load(struct xlate *x, const ZydisDecodedOperand *o, unsigned slot,
		       bool for_write);
void xi_store(struct xlate *x, const struct mem_ref *m, unsigned slot, unsigned size);
/* Slot with the value of source operand O of SIZE bytes: a register's own, or R_T1. */
uint8_t xi_source(struct xlate *x, const ZydisDecodedOperand *o, unsigned size);
/* The segment of a data access with no operand that says it (strings, XLAT): DS unless overridden. */
int xi_data_segment(const struct xlate *x);
/* UF_A16 or UF_A32 as the address size has it. */
uint8_t xi_addr_flags(const struct xlate *x);

/* ---- entries of the second half ---- */

bool xi_shift(struct xlate *x, const struct xlate_entry *e);
bool xi_rotate_carry(struct xlate *x, const struct xlate_entry *e);
bool xi_shift_double(struct xlate *x, const struct xlate_entry *e);
bool xi_bit_test(struct xlate *x, const struct xlate_entry *e);
bool xi_bit_scan(struct xlate *x, const struct xlate_entry *e);
bool xi_bmi(struct xlate *x, const struct xlate_entry *e);
bool xi_rorx(struct xlate *x, const struct xlate_entry *e);
bool xi_crc32(struct xlate *x, const struct xlate_entry *e);
bool xi_movbe(struct xlate *x, const struct xlate_entry *e);
bool xi_muldiv(struct xlate *x, const struct xlate_entry *e);
bool xi_imul(struct xlate *x, const struct xlate_entry *e);
bool xi_decimal_imm(struct xlate *x, const struct xlate_entry *e);
bool xi_string(struct xlate *x, const struct xlate_entry *e);

#endif
