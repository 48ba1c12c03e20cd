/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host machine code, one instruction at a time (SDM 2, chapter 2): what native*.c write with.
 *
 * An instruction is named by its opcode byte and, ORed to it, its map, mandatory prefix and operand size.
 */
#ifndef EVMM_CPU_NATIVE_EMIT_H
#define EVMM_CPU_NATIVE_EMIT_H

#include <stdint.h>
#include <string.h>
#include "src/util.h"

enum host_reg {
	H_RAX,
	H_RCX,
	H_RDX,
	H_RBX,
	H_RSP,
	H_RBP,
	H_RSI,
	H_RDI,
	H_R8,
	H_R9,
	H_R10,
	H_R11,
	H_R12,
	H_R13,
	H_R14,
	H_R15,
	H_NONE = -1,
};

#define OP_0F	0x100u
#define OP_0F38 0x200u
#define OP_66	(0x66u << 16)
#define OP_F2	(0xf2u << 16)
#define OP_F3	(0xf3u << 16)
#define OP_W	BIT(24) /* 64-bit operands */
#define OP_B	BIT(25) /* byte registers: SPL to DIL, never AH to BH */

struct emitter {
	uint8_t *p;
};

static inline void emit_8(struct emitter *e, unsigned v)
{
	*e->p++ = (uint8_t)v;
}

static inline void emit_32(struct emitter *e, uint32_t v)
{
	memcpy(e->p, &v, 4);
	e->p += 4;
}

static inline void emit_64(struct emitter *e, uint64_t v)
{
	memcpy(e->p, &v, 8);
	e->p += 8;
}

/* Prefixes, REX, map and opcode byte. */
static inline void emit_opcode(struct emitter *e, uint32_t op, unsigned reg, unsigned index,
			       unsigned base, bool base_is_byte)
{
	unsigned rex =
		(op & OP_W ? 8 : 0) | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1);

	if (op >> 16 & 0xff)
		emit_8(e, op >> 16 & 0xff);
	if (rex || ((op & OP_B) && (reg >= 4 || (base_is_byte && base >= 4))))
		emit_8(e, 0x40 | rex);
	if (op & (OP_0F | OP_0F38))
		emit_8(e, 0x0f);
	if (op & OP_0F38)
		emit_8(e, 0x38);
	emit_8(e, op & 0xff);
}

/* OP with two registers. */
static inline void emit_rr(struct emitter *e, uint32_t op, unsigned reg, unsigned rm)
{
	emit_opcode(e, op, reg, 0, rm, true);
	emit_8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* OP with a register and memory at [base + disp]. */
static inline void emit_rm(struct emitter *e, uint32_t op, unsigned reg, unsigned base,
			   int32_t disp)
{
	unsigned mod = !disp && (base & 7) != H_RBP ? 0 : disp == (int8_t)disp ? 1 : 2;

	emit_opcode(e, op, reg, 0, base, false);
	emit_8(e, mod << 6 | (reg & 7) << 3 | (base & 7));
	if ((base & 7) == H_RSP)
		emit_8(e, 0x24);
	if (mod == 1)
		emit_8(e, (uint8_t)disp);
	else if (mod == 2)
		emit_32(e, (uint32_t)disp);
}

/* OP with a register and memory at [base + (index << scale) + disp]; BASE may be H_NONE. */
static inline void emit_rmx(struct emitter *e, uint32_t op, unsigned reg, int base, unsigned index,
			    unsigned scale, int32_t disp)
{
	unsigned mod = base == H_NONE				? 0
		       : !disp && ((unsigned)base & 7) != H_RBP ? 0
		       : disp == (int8_t)disp			? 1
								: 2;

	emit_opcode(e, op, reg, index, base == H_NONE ? 0 : (unsigned)base, false);
	emit_8(e, mod << 6 | (reg & 7) << 3 | 4);
	emit_8(e, scale << 6 | (index & 7) << 3 | (base == H_NONE ? 5 : (unsigned)base & 7));
	if (mod == 1)
		emit_8(e, (uint8_t)disp);
	else if (mod == 2 || base == H_NONE)
		emit_32(e, (uint32_t)disp);
}

/* REG := V, flags untouched. */
static inline void emit_mov_imm(struct emitter *e, unsigned reg, uint64_t v)
{
	if (v == (uint32_t)v) {
		emit_opcode(e, 0xb8 | (reg & 7), 0, 0, reg, false);
		emit_32(e, (uint32_t)v);
	} else if ((int64_t)v == (int32_t)v) {
		emit_rr(e, 0xc7 | OP_W, 0, reg);
		emit_32(e, (uint32_t)v);
	} else {
		emit_opcode(e, (0xb8 | (reg & 7)) | OP_W, 0, 0, reg, false);
		emit_64(e, v);
	}
}

/* Group 1 (ADD 0, OR 1, ADC 2, SBB 3, AND 4, SUB 5, XOR 6, CMP 7) with an immediate; W: OP_W or 0. */
static inline void emit_alu_imm(struct emitter *e, uint32_t w, unsigned nth, unsigned reg,
				int32_t imm)
{
	bool small = imm == (int8_t)imm;

	emit_rr(e, (small ? 0x83 : 0x81) | w, nth, reg);
	if (small)
		emit_8(e, (uint8_t)imm);
	else
		emit_32(e, (uint32_t)imm);
}

/* Jcc or JMP (cond 16) with a displacement to be filled in: its place. */
static inline uint8_t *emit_jump(struct emitter *e, unsigned cond)
{
	if (cond < 16) {
		emit_8(e, 0x0f);
		emit_8(e, 0x80 | cond);
	} else {
		emit_8(e, 0xe9);
	}
	emit_32(e, 0);
	return e->p - 4;
}

static inline void emit_land(uint8_t *place, const uint8_t *target)
{
	int32_t disp = (int32_t)(target - (place + 4));

	memcpy(place, &disp, 4);
}

#endif
