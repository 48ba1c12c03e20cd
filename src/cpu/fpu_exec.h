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

#define FPU_IMM_FOP(imm)  ((uint16_t)((imm)&0x7ff))
#define FPU_IMM_SEG_SHIFT 16
#define FPU_IMM_SEG(imm)  (((imm) >> FPU_IMM_SEG_SHIFT) & 7)

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

/* ---- the stack ---- */

static always_inline void fpu_pop(struct cpu_fpu *f)
{
	f->ftw &= (uint8_t)~BIT(f->top);
	f->top = (f->top + 1) & 7;
}

/* Makes room for a new ST(0), which the caller fills. */
static always_inline void fpu_push(struct cpu_fpu *f)
{
	f->top = (f->top - 1) & 7;
	f->ftw |= BIT(f->top);
}

static always_inline void fpu_copy(union fpreg *d, const union fpreg *s)
{
	d->mant = s->mant;
	d->exp = s->exp;
}

/* QNaN floating-point indefinite, the answer to masked invalid operations. */
static inline void fpu_indefinite(struct cpu_fpu *f, unsigned i)
{
	FPU_ST(f, i).mant = 0xc000000000000000;
	FPU_ST(f, i).exp = 0xffff;
	f->ftw |= FPU_BIT(f, i);
}

/* Stack fault: the operand is empty, or (C1) there is no room for a result. True when it is masked. */
bool fpu_stack_fault(struct cpu_fpu *f, uint16_t c1);

/* ---- what the host's x87 reported ---- */

#define FSW_PRE (FSW_IE | FSW_DE | FSW_ZE) /* found before computing: unmasked, the operands stay */
#define FSW_OUT (FSW_PRE | FSW_OE | FSW_UE) /* unmasked, nothing is stored to memory */

/*
 * Takes exceptions and the condition codes CC of host status SW, as they are after one operation. False when one of the
 * exceptions STOP occurred and is unmasked.
 */
static always_inline bool fpu_take(struct cpu_fpu *f, uint16_t sw, uint16_t cc, uint16_t stop)
{
	f->fsw = (uint16_t)((f->fsw & ~cc) | (sw & (FSW_EXC | cc)));
	if (likely(!(f->fsw & ~f->fcw & FSW_EXC)))
		return true;
	f->fsw |= FSW_ES | FSW_B;
	return !(sw & ~f->fcw & stop);
}

extern const uint16_t
	fpu_host_fcw; /* what the host's control word is outside of these pieces of assembly */

/*
 * Host x87 code that executes one guest operation under the guest's control word, unmasked exceptions included: they
 * become pending, and are cleared before any instruction that would report them. LOAD fills the host's stack, OP is
 * the operation; the status is left in AX; STORE empties the stack again.
 */
#define FPU_HOST(load, op, store) \
	load "\n\tfldcw %[fcw]\n\t" op "\n\tfnstsw %%ax\n\tfnclex\n\tfldcw %[host]\n\t" store

#endif
