/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the functions that execute x87 share.
 *
 * x87 micro-operations: imm bits 0-10: the opcode as FOP has it; FPU_IMM_SEG: segment register of the memory operand. dst, src:
 * i of ST(i); size: bytes of the memory operand. UF_AUX, and what else a group of them needs, is told there.
 */
#ifndef EVMM_CPU_FPU_EXEC_H
#define EVMM_CPU_FPU_EXEC_H

#include "src/cpu/flags.h"
#include "src/cpu/fpu.h"
#include "src/cpu/ir.h"
#include "src/cpu/mmu.h"

#define FPU_IMM_FOP(imm)     ((uint16_t)((imm) & 0x7ff))
#define FPU_IMM_SEG_SHIFT    16
#define FPU_IMM_SEG(imm)     (((imm) >> FPU_IMM_SEG_SHIFT) & 7)

#define FPU_ST(f, i)	((f)->r[((f)->top + (i)) & 7])
#define FPU_BIT(f, i)	BIT(((f)->top + (i)) & 7) /* of ST(i) in ftw */
#define FPU_EMPTY(f, i) (!((f)->ftw & FPU_BIT(f, i)))

/* An unmasked exception is pending: #MF, or nothing when CR0.NE says that the interrupt controller is told. */
void fpu_pending(struct cpu *c, const struct uop *u);

/* At the start of every waiting instruction. */
static always_inline void fpu_wait(struct cpu *c, const struct uop *u)
{
	if (unlikely(c->fpu.fsw & FSW_ES))
		fpu_pending(c, u);
}

/* FIP, FCS, FOP of an instruction that isn't a control instruction; once its memory accesses are done. */
static always_inline void fpu_note(struct cpu *c, const struct uop *u)
{
	c->fpu.fip = c->block->rip + u->ip;
	c->fpu.fcs = c->seg[S_CS].sel;
	c->fpu.fop = FPU_IMM_FOP(u->imm);
}

/* The same with FDP and FDS. */
static always_inline void fpu_note_mem(struct cpu *c, const struct uop *u, uint64_t lin)
{
	unsigned seg = FPU_IMM_SEG(u->imm);

	fpu_note(c, u);
	c->fpu.fdp = lin - c->regs[R_ESBASE + seg];
	c->fpu.fds = c->seg[seg].sel;
}

#endif
