/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The intermediate form: what translation makes, and what executes. This is the seam: an interpreter binds
 * each micro-operation to a C function; a translator to host code will read the same array.
 *
 * A block is a run of micro-operations for consecutive instructions, entered at the top only, left at its end or
 * by a fault. One x86 instruction becomes one micro-operation where that is possible (memory operand included),
 * else a few. All micro-operations of an instruction carry its offset in `ip`, so that a fault is precise. An
 * instruction changes architectural state only after its last micro-operation access that may fault has succeeded.
 *
 * Memory operands are linear addresses: regs[base] + (regs[index] << scale) + disp, 64-bit arithmetic. In 64-bit
 * mode with 64-bit addresses the guest's own operand goes straight in there (FS/GS: the base slot of the segment
 * stands as base or index). Everything else (16/32-bit address size, segments with base or limit) is computed and checked by
 * an EA micro-operation into R_EA before, and the operation itself has base=R_EA, index=R_ZERO, disp=0.
 */
#ifndef EVMM_CPU_IR_H
#define EVMM_CPU_IR_H

#include "src/cpu/cpu.h"

typedef const struct uop *uop_fn(struct cpu *c, const struct uop *u);

struct uop {
	uop_fn *fn;    /* binding for the interpreter, from `op` */
	uint16_t op;   /* enum uop_op */
	uint16_t ip;   /* offset of the instruction from block->rip */
	uint8_t ilen;  /* its length; next rip = block->rip + ip + ilen */
	uint8_t flags; /* UF_* */
	uint8_t dst,
		src; /* register slots; for 8-bit registers BYTE OFFSETS into regs[] (so that AH is 1) ; xmm/mm/st numbers for those units */
	union {
		struct {
			uint8_t base, index, scale; /* memory operand */
			uint8_t size; /* operand size in bytes where the op is not specialised by size */
			int32_t disp;
		};
		uint64_t
			generation; /* direct jumps to another page: c->tlb_generation for which imm holds */
	};
	uint64_t imm; /* immediate, or pointer (successor block, helper argument) */
};
_Static_assert(sizeof(struct uop) == 32, "micro-operations are packed");

enum {
	UF_SS = 1u
		<< 0, /* the memory operand's segment is SS: a non-canonical address is #SS, not #GP */
	UF_LOCK = 1u << 1, /* LOCK prefix (or XCHG with memory) */
	UF_REP = 1u << 2,  /* REP/REPE */
	UF_REPNE = 1u << 3,
	UF_MEM = 1u << 4, /* has a memory operand, for ops that take either */
	UF_A32 = 1u << 5, /* address size 32 (string instructions) */
	UF_A16 = 1u << 6,
	UF_AUX = 1u << 7, /* the op's own */
};

/*
 * All micro-operations. Each execution unit lists its own in an X-macro file: UOP(NAME, function), where NAME
 * becomes the enum constant UOP_NAME and `function` the uop_fn that executes it.
 *	ops_flow.h	effective addresses, jumps, calls		exec_ea.c, exec_flow.c
 *	ops_int.h	integer, stack, string				exec_int*.c
 *	ops_sys.h	system instructions, far transfers, I/O		sys*.c
 *	ops_fpu.h	x87 and MMX					fpu*.c
 *	ops_sse.h	SSE to SSE4.2					sse*.c
 */
enum uop_op {
	UOP_NONE,
#define UOP(name, fn) UOP_##name,
#include "src/cpu/ops_flow.h"
#include "src/cpu/ops_int.h"
#include "src/cpu/ops_sys.h"
#include "src/cpu/ops_fpu.h"
#include "src/cpu/ops_sse.h"
#undef UOP
	UOP_COUNT
};

#define UOP(name, fn) uop_fn fn;
#include "src/cpu/ops_flow.h"
#include "src/cpu/ops_int.h"
#include "src/cpu/ops_sys.h"
#include "src/cpu/ops_fpu.h"
#include "src/cpu/ops_sse.h"
#undef UOP

extern uop_fn *const uop_functions[UOP_COUNT]; /* exec.c */
extern const char *const uop_names[UOP_COUNT]; /* exec.c, for -d op */

/*
 * How an executing function ends. With tail calls (gcc -O2) the next micro-operation is jumped to; without
 * (sanitizers, -O0) it is returned to a loop in exec.c that calls it. Functions must not keep addresses of
 * locals alive across NEXT.
 */
#if defined(__OPTIMIZE__) && !defined(EVMM_SANITIZERS)
#define EVMM_TAILCALL 1
/* The empty asm hides that `next` is u + 1: one addition and an indirect jump, no copies. */
#define NEXT_BUT(n)                                    \
	do {                                           \
		const struct uop *next_ = u + 1 + (n); \
		__asm__("" : "+r"(next_));             \
		return next_->fn(c, next_);            \
	} while (0)
#define GOTO(to)                              \
	do {                                  \
		const struct uop *to_ = (to); \
		return to_->fn(c, to_);       \
	} while (0)
#else
#define EVMM_TAILCALL 0
#define NEXT_BUT(n)   return u + 1 + (n)
#define GOTO(to)      return (to)
#endif
/* NEXT_BUT(n): past n others. */
#define NEXT() NEXT_BUT(0)
/*
 * UOP_FRAME_FN(name) { body }: micro-operation NAME whose body needs a stack frame, e.g. for locals whose address it takes: a
 * function of its own, which has returned before NEXT, so that the next one is a tail call for certain.
 */
#define UOP_FRAME_FN(name)                                                       \
	static noinline_fn void name##_body(struct cpu *c, const struct uop *u); \
	const struct uop *name(struct cpu *c, const struct uop *u)               \
	{                                                                        \
		name##_body(c, u);                                               \
		NEXT();                                                          \
	}                                                                        \
	static noinline_fn void name##_body(struct cpu *c, const struct uop *u)
/* The same, with a body that says whether the block is to be left (STOP). */
#define UOP_FRAME_STOP_FN(name)                                                  \
	static noinline_fn bool name##_body(struct cpu *c, const struct uop *u); \
	const struct uop *name(struct cpu *c, const struct uop *u)               \
	{                                                                        \
		if (unlikely(name##_body(c, u)))                                 \
			STOP();                                                  \
		NEXT();                                                          \
	}                                                                        \
	static noinline_fn bool name##_body(struct cpu *c, const struct uop *u)
/* Leaves the block; c->rip must be set. */
#define STOP() return NULL

/* Writes a general register with x86's rules: 32 bits zero-extend, 8 and 16 leave the rest. */
#define REG8(c, off) (((uint8_t *)(c)->regs)[off])
#define REG16(c, r)  (*(uint16_t *)&(c)->regs[r])
#define REG32(c, r)  (*(uint32_t *)&(c)->regs[r])
#define REG64(c, r)  ((c)->regs[r])

/* Linear address of the memory operand. */
static always_inline uint64_t uop_lin(const struct cpu *c, const struct uop *u)
{
	return c->regs[u->base] + (c->regs[u->index] << u->scale) + (int64_t)u->disp;
}

/* rip of the instruction after u's. */
#define UOP_NEXT_RIP(c, u) ((c)->block->rip + (u)->ip + (u)->ilen)

/*
 * A way out of a block to an address known at translation: exit 0 belongs to the last micro-operation, exit 1
 * to the one before it (the taken side of a conditional jump). While linked, the micro-operation's imm is the successor,
 * and the exit is in the successor's list of those that jump there.
 */
struct block_exit {
	uint64_t target;     /* rip */
	uint32_t next, prev; /* block.c: the successor's list */
};

struct block {
	uint64_t rip;  /* of the first instruction (offset in CS, as the guest sees it) */
	uint64_t phys; /* physical address of the first byte */
	uint32_t
		phys2; /* page number of the rest when the instruction crosses into another page, else BLOCK_NO_PAGE */
	uint32_t cs_base;  /* 0 in 64-bit mode */
	uint32_t cs_limit; /* all ones in 64-bit mode */
	uint32_t mode;
	uint16_t bytes; /* guest bytes covered */
	uint16_t n_uops;
	uint8_t n_insns, n_exits;
	bool valid;	 /* cleared when its bytes were written; reused when no longer executing */
	uint8_t entries; /* while native.c watches it */
	/* owned by block.c: references are offsets in the arena */
	uint32_t hash_next, chained_from;
	uint32_t page_next[2], page_prev[2];
	struct block_exit exits[2];
	struct uop uops[];
};
_Static_assert(sizeof(struct block) == 96, "blocks are packed");
#define BLOCK_NO_PAGE UINT32_MAX

#endif
