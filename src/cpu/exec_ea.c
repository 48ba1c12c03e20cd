/* SPDX-License-Identifier: BSD-2-Clause */
/* Effective addresses that are not a plain sum of 64-bit registers, and the checks of segmentation. */
#include "src/cpu/ea.h"
#include "src/cpu/mmu.h"

static bool kind_allows(uint16_t attr, bool write)
{
	if (!(attr & SEG_P))
		return false; /* a null selector */
	if (write)
		return !(attr & SEG_CODE) && (attr & SEG_RW);
	return !(attr & SEG_CODE) || (attr & SEG_RW);
}

static bool limit_allows(const struct cpu_seg *s, uint32_t off, unsigned size)
{
	uint64_t last = (uint64_t)off + size - 1;

	if ((s->attr & (SEG_CODE | SEG_CONFORM)) == SEG_CONFORM) /* expand-down */
		return off > s->limit && last <= (s->attr & SEG_DB ? UINT32_MAX : UINT16_MAX);
	return last <= s->limit;
}

uint64_t ea_check(struct cpu *c, const struct uop *u, int seg, uint32_t off, unsigned size,
		  bool write)
{
	const struct cpu_seg *s = &c->seg[seg];
	bool protected_mode = (c->mode & (MODE_PE | MODE_VM)) == MODE_PE;

	if (size &&
	    ((protected_mode && !kind_allows(s->attr, write)) || !limit_allows(s, off, size)))
		uop_raise_err(c, u, seg == S_SS ? EXC_SS : EXC_GP, 0);
	return (uint32_t)(c->regs[R_ESBASE + seg] + off);
}

const struct uop *exec_ea64(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = uop_lin(c, u);
	NEXT();
}

const struct uop *exec_ea_imm(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = u->imm;
	NEXT();
}

const struct uop *exec_ripbase(struct cpu *c, const struct uop *u)
{
	c->regs[R_RIPBASE] = c->block->rip;
	NEXT();
}

const struct uop *exec_ea32(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = (uint32_t)uop_lin(c, u);
	NEXT();
}

const struct uop *exec_ea32_b(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = c->regs[u->dst] + (uint32_t)uop_lin(c, u);
	NEXT();
}

const struct uop *exec_ea16(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = (uint16_t)uop_lin(c, u);
	NEXT();
}

const struct uop *exec_ea32_seg(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = ea_check(c, u, u->dst, (uint32_t)uop_lin(c, u), (unsigned)u->imm,
				 u->flags & UF_AUX);
	NEXT();
}

const struct uop *exec_ea16_seg(struct cpu *c, const struct uop *u)
{
	c->regs[R_EA] = ea_check(c, u, u->dst, (uint16_t)uop_lin(c, u), (unsigned)u->imm,
				 u->flags & UF_AUX);
	NEXT();
}
