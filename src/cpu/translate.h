/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation: guest bytes to micro-operations, one block at a time. translate.c decodes (Zydis), walks the block and
 * dispatches by mnemonic; each unit (translate_int.c, _flow.c, _sys.c, _fpu.c, _sse.c) gives a table of entries.
 */
#ifndef EVMM_CPU_TRANSLATE_H
#define EVMM_CPU_TRANSLATE_H

#include <Zydis/Zydis.h>
#include "src/cpu/ir.h"

/* One translation in progress. */
struct xlate {
	struct cpu *c;
	uint32_t mode;	   /* enum cpu_mode_bits, as of the block's start */
	uint64_t rip;	   /* of the current instruction */
	uint64_t next_rip; /* after it, wrapped to the code size */
	const ZydisDecodedInstruction *insn;
	const ZydisDecodedOperand *ops; /* the visible ones, in Intel order (destination first) */
	unsigned
		opsize; /* operand size in bytes: 2, 4, 8 (1 where operands are bytes: look at the operand) */
	unsigned adsize; /* address size in bytes: 2, 4, 8 */
	/*
	 * How the block goes on after this instruction. Neither: with the next one. `last`: the block ends and jumps to
	 * next_rip, possibly chained, so c->mode must be as before. `ended`: the last micro-operation leaves by itself,
	 * with c->rip set and STOP(); what changes the mode, the mapping or the interrupt shadow does that.
	 */
	bool ended, last;
	struct uop *uops; /* buffer, owned by translate.c */
	unsigned n, max;
	uint64_t block_rip;
	/* direct jumps: exits of the block, see struct block_exit */
	unsigned n_exits;
	uint64_t exit_target[2];
	bool rip_base; /* R_RIPBASE holds block_rip in this block */
	bool crossing; /* the instruction after the block's last one begins on its page and ends on the next */
};

/* A memory operand as micro-operations take it. */
struct mem_ref {
	uint8_t base, index, scale, flags; /* flags: UF_SS */
	int32_t disp;
};

struct xlate_entry {
	ZydisMnemonic mnemonic;
	/*
	 * Emits; returns false, having emitted nothing, when this form is not this entry's or not valid here: then the
	 * next entry of the same mnemonic is tried (any table: MOV to CR8 or a segment register, MOVSD and CMPSD of
	 * strings or SSE, POP of a segment register), and #UD follows when none takes it.
	 */
	bool (*fn)(struct xlate *x, const struct xlate_entry *e);
	unsigned arg;	  /* the function's own */
	unsigned feature; /* 0, or CPU_FEATURE(...) of cpuid.h that the guest must have */
};

/*
 * Each ends with an entry whose fn is NULL. A mnemonic may have several entries, in one table or in two (MOVSD is a string
 * instruction and one of SSE2): they are tried in order until one returns true; what a false one emitted is dropped.
 */
extern const struct xlate_entry xlate_int_table[], xlate_flow_table[], xlate_sys_table[],
	xlate_fpu_table[], xlate_mmx_table[], xlate_sse_table[];

/* Appends a micro-operation: everything zero but fn, op, ip, ilen, base=index=R_ZERO. There is always room. */
struct uop *x_emit(struct xlate *x, enum uop_op op);
/* x_emit with the memory operand filled in. */
struct uop *x_emit_mem(struct xlate *x, enum uop_op op, const struct mem_ref *m);
/*
 * Resolves memory operand OP for an access of SIZE bytes; may emit EA micro-operations (segment checks with the
 * access's kind and size included). At most one R_EA is alive at a time: string instructions do their own.
 */
struct mem_ref x_mem(struct xlate *x, const ZydisDecodedOperand *op, unsigned size, bool write);
/* Effective address only (LEA): into slot R_EA or fused; no segment, no check; wrapped to the address size. */
struct mem_ref x_lea(struct xlate *x, const ZydisDecodedOperand *op);

/* Slot of a general register, any width but 8 bits. */
uint8_t x_reg(ZydisRegister r);
/* Byte offset in regs[] of an 8-bit register (AL=0, AH=1, CL=8...). */
uint8_t x_reg8(ZydisRegister r);
/* S_ES... of a segment register. */
int x_seg(ZydisRegister r);
/* Number of an XMM, MMX or ST register. */
uint8_t x_vec(ZydisRegister r);

static inline bool x_is_reg(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_REGISTER;
}
static inline bool x_is_mem(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_MEMORY;
}
static inline bool x_is_imm(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}
/* Sign- or zero-extended as the instruction has it, then truncated to SIZE bytes. */
uint64_t x_imm(const ZydisDecodedOperand *o, unsigned size);

/*
 * The cc_op (flags.h) that the micro-operations emitted so far surely leave, or -1 when it is known only at run time.
 * For conditions: cc_test_op with a constant (translate_int.c). CC_CF_IN_SRC: only that CF is bit 0 of cc_src.
 */
#define CC_CF_IN_SRC 64
int x_known_cc(const struct xlate *x);

/*
 * The common case for instructions that need no speed: one micro-operation OP that calls its function once. Of the
 * visible operands the first register is dst, the second src, the third base (only without a memory operand; then scale
 * says 1); if operand 0 is in memory, the first register is src. Registers are numbered by x_reg, x_reg8, x_seg or
 * x_vec as their class is, control and debug registers by their number. An immediate is in imm, size is opsize, the memory operand is as of x_mem with UF_MEM
 * set. UF_LOCK, UF_REP, UF_REPNE, UF_A16, UF_A32 are as the instruction has them.
 */
bool x_generic(struct xlate *x, enum uop_op op, unsigned mem_size, bool mem_write);
/* The flags UF_LOCK, UF_REP, UF_REPNE, UF_A16, UF_A32 of the current instruction. */
uint8_t x_flags(const struct xlate *x);
/* Raises a fault when reached, and ends the block: #UD; or #GP(0). */
bool x_ud(struct xlate *x);
bool x_gp(struct xlate *x);

/* ---- between translate.c, translate_flow.c, log and block.c ---- */

enum { XLATE_MAX_INSNS = 64, XLATE_MAX_UOPS = 256, XLATE_INSN_UOPS = 32 };

/* The block ends with a jump to TARGET: its exit 0. */
void x_jump(struct xlate *x, uint64_t target);
/* Entries for a mnemonic, NULL-terminated; NULL when there are none. */
const struct xlate_entry *const *xlate_lookup(ZydisMnemonic mnemonic);

/*
 * Translates at C->rip for MODE (c->mode, with MODE_SINGLE or not) into the cache. PHYS is the address of the first byte,
 * HOST points to it, or is NULL where it isn't RAM or ROM. An instruction that can't be fetched faults (no return) if it
 * is the first, else ends the block before it.
 */
struct block *translate_block(struct cpu *c, uint32_t mode, uint64_t phys, const uint8_t *host);

#endif
