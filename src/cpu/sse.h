/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SSE state of the software CPU.
 *
 * MXCSR: while guest code runs, the vCPU thread's own MXCSR holds the guest's rounding, FTZ, DAZ and sticky flags, with
 * all exceptions masked; so an operation costs nothing but itself. c->mxcsr holds the guest's control bits always, and
 * its sticky flags as of the last sse_sync_mxcsr(). Outside of guest code c->mxcsr is whole and the host's is the default.
 *
 * When the guest unmasks an exception (MODE_MXCSR), translation puts a check before and after each operation that may
 * raise one: the flags of this operation alone are seen, and the destination is put back before #XM.
 */
#ifndef EVMM_CPU_SSE_H
#define EVMM_CPU_SSE_H

#include "src/cpu/cpu.h"

/* MXCSR (SDM 1, 10.2.3) */
#define MXCSR_IE      BIT(0)
#define MXCSR_DE      BIT(1)
#define MXCSR_ZE      BIT(2)
#define MXCSR_OE      BIT(3)
#define MXCSR_UE      BIT(4)
#define MXCSR_PE      BIT(5)
#define MXCSR_FLAGS   0x3fu
#define MXCSR_DAZ     BIT(6)
#define MXCSR_IM      BIT(7)
#define MXCSR_UM      BIT(11)
#define MXCSR_MASKS   0x1f80u
#define MXCSR_RC      0x6000u
#define MXCSR_FZ      BIT(15)
#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_VALID   0xffffu /* MXCSR_MASK of FXSAVE: other bits are reserved, setting one is #GP */

/* What the destination of a checked operation is. */
enum sse_check { CHECK_XMM, CHECK_GPR, CHECK_FLAGS, CHECK_MMX };

/* cpu_exec's caller, vCPU thread: around guest code. Before leave, no floating point in C on this thread. */
void sse_enter_guest(struct cpu *c);
void sse_leave_guest(struct cpu *c);

/* In guest code: c->mxcsr made whole; a new value taken (reserved bits already checked), mode recomputed. */
void sse_sync_mxcsr(struct cpu *c);
void sse_set_mxcsr(struct cpu *c, uint32_t mxcsr);

#endif
