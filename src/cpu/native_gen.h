/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the translators of micro-operations to host code share (native.c, native_int.c, native_flow.c, native_sse.c,
 * native_fpu.c).
 *
 * Registers within a fragment: RDI is c, RSI the fragment's first micro-operation. RAX, RCX, RDX are free within one
 * micro-operation. R15 is c->tlb once loaded. The others, the pool, hold guest registers that were read or written in this
 * fragment. Every change is stored to c->regs[] at once, so the pool can be forgotten at any time. XMMn holds the guest's
 * xmm n, likewise.
 *
 * Lazy flags are not stored at once: g->pend says what is still to be stored, in registers that it keeps from reuse. Most of
 * it is overwritten by the next operation and never stored. Every way out of the fragment stores it first.
 */
#ifndef EVMM_CPU_NATIVE_GEN_H
#define EVMM_CPU_NATIVE_GEN_H

#include "src/cpu/block.h"
#include "src/cpu/flags.h"
#include "src/cpu/native_emit.h"

/* A value: nothing, a register (its low 8 << lg bits count), a constant. */
struct native_loc {
	enum { LOC_NONE, LOC_REG, LOC_IMM } kind;
	unsigned reg, lg;
	uint64_t imm;
};

/* Flags to be stored. */
struct native_pend {
	bool base; /* cc_op, and of cc_dst, cc_src, cc_src2 those that are not LOC_NONE */
	unsigned op;
	struct native_loc dst, src, src2;
	/* Then what changes only some flags, of a result r: CF and OF by rotates, all but CF by INC and DEC. */
	enum { MOD_NONE, MOD_ROL, MOD_ROR, MOD_INC, MOD_DEC } mod;
	struct native_loc r;
};

/* A way out in the middle: to the ordinary function of micro-operation `uop`. */
struct native_exit {
	uint8_t *jump; /* place of the displacement */
	unsigned uop;
	struct native_pend pend;
};

enum { NATIVE_MAX_EXITS = 512 };

struct native_gen {
	struct emitter e;
	struct cpu *c;
	struct block *b;
	unsigned first; /* micro-operation at which the fragment begins */
	unsigned at;	/* the current one */
	bool ended;	/* the current one leaves the block */
	int host_of[R_NSLOTS], slot_of[16];
	uint32_t locked; /* registers in use by the current micro-operation */
	unsigned next;	 /* where to look for a free one */
	bool tlb_loaded;
	uint32_t xmm_loaded;
	bool fpu_checked; /* the control word */
	struct native_pend pend;
	/* The host's flags are those of an operation of this kind (cc_op), or -1. */
	int host_flags;
	bool host_cf; /* CF and OF among them */
	struct native_exit exits[NATIVE_MAX_EXITS];
	unsigned n_exits;
};

#define CPU_OFF(field) ((int32_t)offsetof(struct cpu, field))

/* Opcode for operands of 1 << lg bytes; OP is the one for bytes, the next one that for others. */
static inline uint32_t ng_op(uint32_t op, unsigned lg)
{
	return lg == 0 ? op | OP_B : (op + 1) | (lg == 1 ? OP_66 : lg == 3 ? OP_W : 0);
}

/* ---- native.c ---- */

/* A pool register of its own. */
unsigned ng_alloc(struct native_gen *g);
/* The register that holds slot SLOT, all 64 bits: to read; to be overwritten wholly; to be modified. The latter two need ng_put. */
unsigned ng_get(struct native_gen *g, unsigned slot);
unsigned ng_def(struct native_gen *g, unsigned slot);
unsigned ng_mod(struct native_gen *g, unsigned slot);
void ng_put(struct native_gen *g, unsigned slot);
/* c->regs[slot] is changed in memory. */
void ng_forget(struct native_gen *g, unsigned slot);
/* Registers of 1 << lg bytes, named as micro-operations do: zero-extended into REG; written from REG. */
void ng_read(struct native_gen *g, unsigned reg, unsigned slot, unsigned lg);
void ng_write(struct native_gen *g, unsigned slot, unsigned lg, unsigned reg);

/* RAX := linear address of U's memory operand; flags untouched. */
void ng_lin(struct native_gen *g, const struct uop *u);
/* From the linear address in RAX to the host's, or out. SIZE bytes; ALIGNED: 16 that must be aligned. */
void ng_check(struct native_gen *g, unsigned size, bool write, bool aligned);
/* Both. */
void ng_addr(struct native_gen *g, const struct uop *u, unsigned size, bool write);

/* Out of the fragment on COND (16: always), to the ordinary function of the current micro-operation, or of N before it. */
void ng_exit_if(struct native_gen *g, unsigned cond);
void ng_exit_if_before(struct native_gen *g, unsigned cond, unsigned n);

struct native_loc ng_reg(unsigned reg, unsigned lg);
struct native_loc ng_imm(uint64_t v);
/* Flags of an operation of kind CC (cc_op) replace what was pending. HOST: the host's flags are the same now. */
void ng_flags(struct native_gen *g, unsigned cc, struct native_loc dst, struct native_loc src,
	      bool host);
/* INC, DEC, ROL, ROR: before registers are taken for it; and once done, with the result R. */
void ng_flags_before_mod(struct native_gen *g, int mod);
void ng_flags_mod(struct native_gen *g, int mod, struct native_loc r);
/* Stores what is pending. */
void ng_flush(struct native_gen *g);
/*
 * Makes the host's flags good for condition COND of flags of kind CC, or of any kind (-1); before registers are taken. False
 * when that can't be.
 */
bool ng_test(struct native_gen *g, int cc, unsigned cond);
/* The host's flags are about to be lost. */
static inline void ng_clobber(struct native_gen *g)
{
	g->host_flags = -1;
}

/* ---- translators: micro-operations taken, the current one first; 0 with nothing emitted: not theirs ---- */

unsigned native_int(struct native_gen *g, const struct uop *u);
unsigned native_flow(struct native_gen *g, const struct uop *u);
unsigned native_sse(struct native_gen *g, const struct uop *u);
unsigned native_fpu(struct native_gen *g, const struct uop *u);

#endif
