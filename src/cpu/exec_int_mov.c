/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves, extensions, LEA, XCHG of registers, BSWAP, XLAT; and the address checks that integer units share. */
#include "src/cpu/block.h"
#include "src/cpu/exec_int.h"

const struct uop *i_after_store(struct cpu *c, const struct uop *u)
{
	uint64_t next;

	/* A block of a single-stepped instruction has its own end, which must not be skipped. */
	if (likely(c->block->valid) || u[1].ip == u->ip || (c->mode & (MODE_STEP | MODE_BP)))
		NEXT();
	next = UOP_NEXT_RIP(c, u);
	if (!(c->mode & MODE_CODE64))
		next &= c->mode & MODE_CODE32 ? 0xffffffff : 0xffff;
	c->rip = next;
	STOP();
}

/* Is [OFF, OFF + SIZE) inside the limit, and may the segment be accessed so? */
static bool seg_allows(const struct cpu *c, int seg, uint64_t off, unsigned size, bool write)
{
	const struct cpu_seg *s = &c->seg[seg];
	uint64_t last = off + size - 1;

	if ((c->mode & MODE_PE) && !(c->mode & MODE_VM)) {
		if (!(s->attr & SEG_P))
			return false; /* null selector */
		if (s->attr & SEG_CODE) {
			if (write || !(s->attr & SEG_RW))
				return false;
		} else if (write && !(s->attr & SEG_RW)) {
			return false;
		}
		if (!(s->attr & SEG_CODE) && (s->attr & SEG_CONFORM)) /* expand-down */
			return off > s->limit && last <= (s->attr & SEG_DB ? 0xffffffff : 0xffff);
	}
	return last <= s->limit;
}

uint64_t i_seg_lin(struct cpu *c, const struct uop *u, int seg, uint64_t off, unsigned size, bool write)
{
	if (c->mode & MODE_CODE64)
		return seg >= S_FS ? c->regs[R_ESBASE + seg] + off : off;
	if (unlikely(!seg_allows(c, seg, off, size, write))) {
		c->cur = u;
		cpu_raise_err(c, seg == S_SS ? EXC_SS : EXC_GP, 0);
	}
	return (uint32_t)(c->regs[R_ESBASE + seg] + off);
}

#define DEF_LOADW(name, bits, lin_of)                                                              \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u)           \
	{                                                                                          \
		uint64_t lin = uop_lin(c, u);                                                      \
                                                                                                   \
		mmu_probe(c, u, lin, (bits) / 8, ACC_WRITE);                                       \
		SET##bits(u->dst, mmu_load_slow(c, u, lin, (bits) / 8));                           \
		NEXT();                                                                            \
	}                                                                                          \
	const struct uop *name(struct cpu *c, const struct uop *u)                                 \
	{                                                                                          \
		uint64_t lin = lin_of(c, u);                                                       \
		const struct tlb_entry *e = mmu_slot(c, lin);                                      \
                                                                                                   \
		if (!MMU_HIT_WR(e, lin, (bits) / 8))                                               \
			return name##_slow(c, u);                                                  \
		SET##bits(u->dst, *(const volatile guest_u##bits *)(lin + e->addend));             \
		NEXT();                                                                            \
	}

#define DEF_MOV_MEM(bits, x, lin_of)                                                               \
	DEF_LOAD(i_mov_rm##x##bits, bits, lin_of, SET##bits(u->dst, m);)                           \
	DEF_STORE(i_mov_mr##x##bits, bits, lin_of, GET##bits(u->src))                              \
	DEF_STORE(i_mov_mi##x##bits, bits, lin_of, u->imm)                                         \
	DEF_LOADW(i_ldw_rm##x##bits, bits, lin_of)
#define DEF_MOV(bits)                                                                              \
	DEF_HANDLER(i_mov_rr##bits, SET##bits(u->dst, GET##bits(u->src));)                         \
	DEF_HANDLER(i_mov_ri##bits, SET##bits(u->dst, u->imm);)                                    \
	DEF_MOV_MEM(bits, , LIN_B)                                                                 \
	DEF_MOV_MEM(bits, x, LIN_X)

DEF_MOV(8)
DEF_MOV(16)
DEF_MOV(32)
DEF_MOV(64)

#define DEF_EXT(name, to, from, sign)                                                              \
	DEF_HANDLER(name##_r, SET##to(u->dst, (sign##int##from##_t)GET##from(u->src));)            \
	DEF_LOAD(name##_m, from, LIN_B, SET##to(u->dst, (sign##int##from##_t)m);)                  \
	DEF_LOAD(name##_mx, from, LIN_X, SET##to(u->dst, (sign##int##from##_t)m);)

DEF_EXT(i_movzx16_8, 16, 8, u)
DEF_EXT(i_movzx32_8, 32, 8, u)
DEF_EXT(i_movzx32_16, 32, 16, u)
DEF_EXT(i_movsx16_8, 16, 8, )
DEF_EXT(i_movsx32_8, 32, 8, )
DEF_EXT(i_movsx32_16, 32, 16, )
DEF_EXT(i_movsx64_8, 64, 8, )
DEF_EXT(i_movsx64_16, 64, 16, )
DEF_EXT(i_movsx64_32, 64, 32, )

#define DEF_REG_OPS(bits)                                                                          \
	DEF_HANDLER(i_zero##bits, SET##bits(u->dst, 0); SET_CC_LOGIC(bits, 0);)                    \
	DEF_HANDLER(i_lea##bits, SET##bits(u->dst, LIN_B(c, u));)                                  \
	DEF_HANDLER(i_leax##bits, SET##bits(u->dst, LIN_X(c, u));)                                 \
	DEF_HANDLER(i_cwd##bits, SET##bits(R_RDX, (int##bits##_t)GET##bits(R_RAX) < 0 ? -1 : 0);)
DEF_REG_OPS(16)
DEF_REG_OPS(32)
DEF_REG_OPS(64)

#define DEF_XCHG(bits)                                                                             \
	DEF_HANDLER(i_xchg_rr##bits,                                                               \
		    uint##bits##_t a = GET##bits(u->dst), b = GET##bits(u->src);                   \
		    SET##bits(u->dst, b); SET##bits(u->src, a);)
DEF_XCHG(8)
DEF_XCHG(16)
DEF_XCHG(32)
DEF_XCHG(64)

/* BSWAP of a 16-bit register is undefined; processors clear it. */
DEF_HANDLER(i_bswap16, SET16(u->dst, 0);)
DEF_HANDLER(i_bswap32, SET32(u->dst, __builtin_bswap32(GET32(u->dst)));)
DEF_HANDLER(i_bswap64, SET64(u->dst, __builtin_bswap64(GET64(u->dst)));)

/* AL = [seg:rBX + AL]; src: segment. */
const struct uop *i_xlat(struct cpu *c, const struct uop *u)
{
	uint64_t off = (c->regs[R_RBX] + REG8(c, 0)) & i_addr_mask(u);

	REG8(c, 0) = mmu_ld8(c, u, i_seg_lin(c, u, u->src, off, 1, false));
	NEXT();
}
