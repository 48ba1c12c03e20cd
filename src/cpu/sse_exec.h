/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the functions that execute SSE share.
 *
 * In SSE micro-operations an xmm register is its byte offset in c->xmm[] (16 * number). A register is always written
 * 16 bytes at once: a later load of any width is then forwarded from the store.
 *
 * Floating point is inline assembly throughout: the compiler may swap operands (whose NaN wins?), fold or move what
 * it understands.
 */
#ifndef EVMM_CPU_SSE_EXEC_H
#define EVMM_CPU_SSE_EXEC_H

#include "src/cpu/flags.h"
#include "src/cpu/ir.h"
#include "src/cpu/mmu.h"
#include "src/cpu/sse.h"

#define XMM(c, off) ((union xmm *)((uint8_t *)(c)->xmm + (off)))

/*
 * What a TLB entry's tag must be for a fast access of BYTES at LIN. 16 bytes must be aligned: the low four address bits
 * are kept, so a misaligned address never matches.
 */
static always_inline uint64_t sse_tag(uint64_t lin, unsigned bytes)
{
	return bytes == 16 ? lin & (PAGE_MASK | 15) : (lin + bytes - 1) & PAGE_MASK;
}

/* The slow way: checks alignment (16 bytes), loads into c->sse_tmp, zero-extended. */
void sse_load_slow(struct cpu *c, const struct uop *u, unsigned bytes);

/* #GP(0) of a misaligned operand, and others that name no error code. */
void sse_raise(struct cpu *c, const struct uop *u, int vector) __attribute__((noreturn, cold));

/* At the end of what loads MXCSR: translated code depends on its masks (c->mode), the rest of the block may be void. */
#define SSE_NEXT_MODE()                                \
	do {                                           \
		if (likely(c->mode == c->block->mode)) \
			NEXT();                        \
		c->rip = UOP_NEXT_RIP(c, u);           \
		if (!(c->mode & MODE_CODE64))          \
			c->rip = (uint32_t)c->rip;     \
		STOP();                                \
	} while (0)

/*
 * Defines NAME, which executes BODY with `p`, a const pointer of TYPE to the memory operand of sizeof(TYPE) bytes.
 * The slow way is a function of its own, so that the usual one needs no stack frame.
 */
#define SSE_MEM_OP(name, type, body)                                                     \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		const type *p = (const type *)&c->sse_tmp;                               \
                                                                                         \
		sse_load_slow(c, u, sizeof(type));                                       \
		body;                                                                    \
		NEXT();                                                                  \
	}                                                                                \
	const struct uop *name(struct cpu *c, const struct uop *u)                       \
	{                                                                                \
		uint64_t lin = uop_lin(c, u);                                            \
		const struct tlb_entry *e = mmu_slot(c, lin);                            \
		const type *p = (const type *)(lin + e->addend);                         \
                                                                                         \
		if (unlikely(e->rtag != sse_tag(lin, sizeof(type))))                     \
			return name##_slow(c, u);                                        \
		body;                                                                    \
		NEXT();                                                                  \
	}

/* The register form of the same: `p` points to the source register. */
#define SSE_REG_OP(name, type, body)                               \
	const struct uop *name(struct cpu *c, const struct uop *u) \
	{                                                          \
		const type *p = (const type *)XMM(c, u->src);      \
                                                                   \
		body;                                              \
		NEXT();                                            \
	}

#endif
