/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locked operations, and those that lock without a prefix: XCHG with memory. CMPXCHG, XADD and CMPXCHG8B/16B on memory are
 * atomic with or without the prefix, which nobody can tell from the outside. Operands: slot src (byte offset for 8 bits).
 *
 * The host's locked instructions do the work, so vCPU threads see what processors see. The memory is guest RAM of
 * any alignment; x86 hosts lock across cache lines too.
 */
#include "src/cpu/exec_int.h"

/* Flags, once r is stored. */
#define CC_OF_ADD(bits)	  SET_CC(CC_ADD, bits, r, GET##bits(u->src))
#define CC_OF_SUB(bits)	  SET_CC(CC_SUB, bits, r, GET##bits(u->src))
#define CC_OF_LOGIC(bits) SET_CC_LOGIC(bits, r)
#define CC_OF_ADC(bits)                             \
	SET_CC(CC_ADC, bits, r, GET##bits(u->src)); \
	c->cc_src2 = c->regs[R_CARRY]
#define CC_OF_SBB(bits)                             \
	SET_CC(CC_SBB, bits, r, GET##bits(u->src)); \
	c->cc_src2 = c->regs[R_CARRY]
#define CC_OF_INC(bits)                  \
	c->cc_op = CC_INC + LOG2_##bits; \
	c->cc_dst = r;                   \
	c->cc_src2 = c->regs[R_CARRY]
#define CC_OF_DEC(bits)                  \
	c->cc_op = CC_DEC + LOG2_##bits; \
	c->cc_dst = r;                   \
	c->cc_src2 = c->regs[R_CARRY]
#define CC_OF_NEG(bits) SET_CC(CC_SUB, bits, r, m)

#define R_IS(bits, expr) r = (uint##bits##_t)(expr)
#define SRC(bits)	 GET##bits(u->src)

/* CMPXCHG: 0 in the accumulator's place is slot rAX, byte offset 0. */
#define ACC(bits) GET##bits(0)
#define CMPXCHG_AFTER(bits)               \
	uint##bits##_t acc = ACC(bits);   \
	SET_CC(CC_SUB, bits, acc - m, m); \
	if (acc != m)                     \
	SET##bits(0, m)

#define DEF_LOCK_SIZE(bits)                                                                       \
	DEF_LOCKED(i_lock_add##bits, bits, R_IS(bits, m + SRC(bits)), CC_OF_ADD(bits))            \
	DEF_LOCKED(i_lock_or##bits, bits, R_IS(bits, m | SRC(bits)), CC_OF_LOGIC(bits))           \
	DEF_LOCKED(i_lock_adc##bits, bits, R_IS(bits, m + SRC(bits) + c->regs[R_CARRY]),          \
		   CC_OF_ADC(bits))                                                               \
	DEF_LOCKED(i_lock_sbb##bits, bits, R_IS(bits, m - SRC(bits) - c->regs[R_CARRY]),          \
		   CC_OF_SBB(bits))                                                               \
	DEF_LOCKED(i_lock_and##bits, bits, R_IS(bits, m &SRC(bits)), CC_OF_LOGIC(bits))           \
	DEF_LOCKED(i_lock_sub##bits, bits, R_IS(bits, m - SRC(bits)), CC_OF_SUB(bits))            \
	DEF_LOCKED(i_lock_xor##bits, bits, R_IS(bits, m ^ SRC(bits)), CC_OF_LOGIC(bits))          \
	DEF_LOCKED(i_lock_inc##bits, bits, R_IS(bits, m + 1), CC_OF_INC(bits))                    \
	DEF_LOCKED(i_lock_dec##bits, bits, R_IS(bits, m - 1), CC_OF_DEC(bits))                    \
	DEF_LOCKED(i_lock_neg##bits, bits, R_IS(bits, -m), CC_OF_NEG(bits))                       \
	DEF_LOCKED(i_lock_not##bits, bits, R_IS(bits, ~m), )                                      \
	DEF_LOCKED(i_xchg_m##bits, bits, R_IS(bits, SRC(bits)), SET##bits(u->src, m))             \
	DEF_LOCKED(i_xadd_m##bits, bits, R_IS(bits, m + SRC(bits)), CC_OF_ADD(bits);              \
		   SET##bits(u->src, m))                                                          \
	DEF_LOCKED(i_cmpxchg_m##bits, bits, r = ACC(bits) == m ? SRC(bits) : m,                   \
		   CMPXCHG_AFTER(bits))                                                           \
	DEF_HANDLER(i_xadd_rr##bits, uint##bits##_t a = GET##bits(u->dst), b = GET##bits(u->src); \
		    uint##bits##_t r = (uint##bits##_t)(a + b); SET_CC(CC_ADD, bits, r, b);       \
		    SET##bits(u->src, a); SET##bits(u->dst, r);)                                  \
	DEF_HANDLER(i_cmpxchg_rr##bits, uint##bits##_t m = GET##bits(u->dst), acc = ACC(bits);    \
		    SET_CC(CC_SUB, bits, acc - m, m);                                             \
		    if (acc == m) SET##bits(u->dst, GET##bits(u->src)); else SET##bits(0, m);)

DEF_LOCK_SIZE(8)
DEF_LOCK_SIZE(16)
DEF_LOCK_SIZE(32)
DEF_LOCK_SIZE(64)

/* Bit operations on memory; the bit's number within the operand is the low bits of slot src. */
#define BITMASK(bits)	((uint##bits##_t)1 << (c->regs[u->src] & ((bits)-1)))
#define BIT_AFTER(bits) cc_replace(c, FL_CF, m &BITMASK(bits) ? FL_CF : 0)
#define DEF_LOCK_BIT(bits)                                                                  \
	DEF_LOCKED(i_lock_bts##bits, bits, R_IS(bits, m | BITMASK(bits)), BIT_AFTER(bits))  \
	DEF_LOCKED(i_lock_btr##bits, bits, R_IS(bits, m & ~BITMASK(bits)), BIT_AFTER(bits)) \
	DEF_LOCKED(i_lock_btc##bits, bits, R_IS(bits, m ^ BITMASK(bits)), BIT_AFTER(bits))
DEF_LOCK_BIT(16)
DEF_LOCK_BIT(32)
DEF_LOCK_BIT(64)

/* ZF says whether EDX:EAX (RDX:RAX) was equal; the other flags stay. */
static void set_zf(struct cpu *c, bool zf)
{
	cc_set(c, (cc_compute(c) & ~FL_ZF) | (zf ? FL_ZF : 0));
}

const struct uop *i_cmpxchg8b(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u), expect, desired, old;
	volatile guest_u64 *p = mmu_rmw64(c, u, lin);

	expect = (uint64_t)GET32(R_RDX) << 32 | GET32(R_RAX);
	desired = (uint64_t)GET32(R_RCX) << 32 | GET32(R_RBX);
	if (p) {
		old = __sync_val_compare_and_swap(p, expect, desired);
	} else {
		mmu_probe(c, u, lin, 8, ACC_WRITE);
		mmu_split_lock(c);
		old = mmu_load_slow(c, u, lin, 8);
		mmu_store_slow(c, u, lin, 8, old == expect ? desired : old);
		mmu_split_unlock(c);
	}
	set_zf(c, old == expect);
	if (old != expect) {
		SET32(R_RAX, old);
		SET32(R_RDX, old >> 32);
	}
	NEXT();
}

/* The operand must be aligned, so it never crosses a page; a device's registers are not 16 bytes wide. */
const struct uop *i_cmpxchg16b(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u), low = c->regs[R_RAX], high = c->regs[R_RDX];
	volatile uint64_t *p;
	bool equal;

	if (lin & 15)
		uop_raise_err(c, u, EXC_GP, 0);
	p = (volatile uint64_t *)mmu_rmw_slow(c, u, lin, 16);
	if (p) {
		__asm__ volatile("lock cmpxchg16b %0"
				 : "+m"(*(volatile unsigned __int128 *)p), "=@ccz"(equal),
				   "+a"(low), "+d"(high)
				 : "b"(c->regs[R_RBX]), "c"(c->regs[R_RCX])
				 : "memory");
	} else {
		mmu_probe(c, u, lin, 16, ACC_WRITE);
		mmu_split_lock(c);
		low = mmu_load_slow(c, u, lin, 8);
		high = mmu_load_slow(c, u, lin + 8, 8);
		equal = low == c->regs[R_RAX] && high == c->regs[R_RDX];
		mmu_store_slow(c, u, lin, 8, equal ? c->regs[R_RBX] : low);
		mmu_store_slow(c, u, lin + 8, 8, equal ? c->regs[R_RCX] : high);
		mmu_split_unlock(c);
	}
	set_zf(c, equal);
	if (!equal) {
		c->regs[R_RAX] = low;
		c->regs[R_RDX] = high;
	}
	NEXT();
}
