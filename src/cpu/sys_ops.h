/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers of the micro-operations in the sys files. Private to them. */
#ifndef EVMM_CPU_SYS_OPS_H
#define EVMM_CPU_SYS_OPS_H

#include "src/cpu/sys.h"

/* What XCR0 may hold: x87 and SSE. */
#define CPU_XCR0_KNOWN 3ull

/* A result in a general register of SIZE bytes (2, 4, 8). */
static inline void sys_put_gpr(struct cpu *c, unsigned r, unsigned size, uint64_t v)
{
	if (size == 8)
		c->regs[r] = v;
	else if (size == 4)
		c->regs[r] = (uint32_t)v;
	else
		REG16(c, r) = (uint16_t)v;
}

/* The instruction is complete, and execution goes on at NEXT_RIP in a new block. */
static inline const struct uop *sys_done(struct cpu *c, uint64_t next_rip)
{
	c->rip = next_rip;
	c->cur = NULL;
	STOP();
}

#endif
