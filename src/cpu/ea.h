/* SPDX-License-Identifier: BSD-2-Clause */
/* Segmented addresses: the checks of SDM 3A 5.3 to 5.5 that are made when an operand is accessed. */
#ifndef EVMM_CPU_EA_H
#define EVMM_CPU_EA_H

#include "src/cpu/ir.h"

/*
 * Linear address of offset OFF in segment SEG (S_*), checked for an access of SIZE bytes (0: not checked): presence, kind
 * and limit; #SS(0) for SS, else #GP(0), as faults of U's instruction. For code that isn't 64-bit, where the result is 32 bits.
 */
uint64_t ea_check(struct cpu *c, const struct uop *u, int seg, uint32_t off, unsigned size,
		  bool write);

/* The same for any mode; in 64-bit mode only FS and GS have a base, and nothing is checked here. */
static inline uint64_t ea_lin(struct cpu *c, const struct uop *u, int seg, uint64_t off,
			      unsigned size, bool write)
{
	if (c->mode & MODE_CODE64)
		return seg >= S_FS ? c->regs[R_ESBASE + seg] + off : off;
	if ((c->mode & MODE_FLAT) && seg < S_FS && seg != S_CS)
		return (uint32_t)off;
	return ea_check(c, u, seg, (uint32_t)off, size, write);
}

/* A fault of U's instruction. */
static inline void __attribute__((noreturn, cold))
uop_raise(struct cpu *c, const struct uop *u, int vector)
{
	c->cur = u;
	cpu_raise(c, vector);
}
static inline void __attribute__((noreturn, cold))
uop_raise_err(struct cpu *c, const struct uop *u, int vector, uint32_t error)
{
	c->cur = u;
	cpu_raise_err(c, vector, error);
}

/* Linear addresses have 48 significant bits, or 57 with LA57; the others repeat the highest. */
static inline bool canonical(const struct cpu *c, uint64_t lin)
{
	unsigned drop = c->cr4 & CR4_LA57 ? 7 : 16;

	return (uint64_t)((int64_t)(lin << drop) >> drop) == lin;
}

#endif
