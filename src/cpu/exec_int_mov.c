/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves, extensions, LEA, XCHG of registers, BSWAP, XLAT. */
#include "src/cpu/exec_int.h"

#define DEF_LOADW(name, bits, lin_of)                                                    \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		uint64_t lin = uop_lin(c, u);                                            \
		volatile guest_u##bits *p = mmu_rmw_slow(c, u, lin, (bits) / 8);         \
                                                                                         \
		if (!p)                                                                  \
			mmu_probe(c, u, lin, (bits) / 8, ACC_WRITE);                     \
		SET##bits(u->dst, p ? *p : mmu_load_slow(c, u, lin, (bits) / 8));        \
		NEXT();                                                                  \
	}                                                                                \
	const struct uop *name(struct cpu *c, const struct uop *u)                       \
	{                                                                                \
		uint64_t lin = lin_of(c, u);                                             \
		const struct tlb_entry *e = mmu_slot(c, lin);                            \
                                                                                         \
		if (!MMU_HIT_WR(e, lin, (bits) / 8))                                     \
			return name##_slow(c, u);                                        \
		SET##bits(u->dst, *(const volatile guest_u##bits *)(lin + e->addend));   \
		NEXT();                                                                  \
	}

#define DEF_MOV_MEM(bits, x, lin_of)                                     \
	DEF_LOAD(i_mov_rm##x##bits, bits, lin_of, SET##bits(u->dst, m);) \
	DEF_STORE(i_mov_mr##x##bits, bits, lin_of, GET##bits(u->src))    \
	DEF_STORE(i_mov_mi##x##bits, bits, lin_of, u->imm)               \
	DEF_LOADW(i_ldw_rm##x##bits, bits, lin_of)
#define DEF_MOV(bits)                                                      \
	DEF_HANDLER(i_mov_rr##bits, SET##bits(u->dst, GET##bits(u->src));) \
	DEF_HANDLER(i_mov_ri##bits, SET##bits(u->dst, u->imm);)            \
	DEF_MOV_MEM(bits, , LIN_B)                                         \
	DEF_MOV_MEM(bits, x, LIN_X)

DEF_MOV(8)
DEF_MOV(16)
DEF_MOV(32)
DEF_MOV(64)

#define DEF_EXT(name, to, from, sign)                                                   \
	DEF_HANDLER(name##_r, SET##to(u->dst, (sign##int##from##_t)GET##from(u->src));) \
	DEF_LOAD(name##_m, from, LIN_B, SET##to(u->dst, (sign##int##from##_t)m);)       \
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

#define DEF_REG_OPS(bits)                                                       \
	DEF_HANDLER(i_zero##bits, SET##bits(u->dst, 0); SET_CC_LOGIC(bits, 0);) \
	DEF_HANDLER(i_lea##bits, SET##bits(u->dst, LIN_B(c, u));)               \
	DEF_HANDLER(i_leax##bits, SET##bits(u->dst, LIN_X(c, u));)              \
	DEF_HANDLER(i_cwd##bits, SET##bits(R_RDX, (int##bits##_t)GET##bits(R_RAX) < 0 ? -1 : 0);)
DEF_REG_OPS(16)
DEF_REG_OPS(32)
DEF_REG_OPS(64)

#define DEF_XCHG(bits)                                                                            \
	DEF_HANDLER(i_xchg_rr##bits, uint##bits##_t a = GET##bits(u->dst), b = GET##bits(u->src); \
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

	REG8(c, 0) = mmu_ld8(c, u, ea_lin(c, u, u->src, off, 1, false));
	NEXT();
}
