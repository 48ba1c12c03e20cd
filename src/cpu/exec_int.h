/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the integer micro-operations are written.
 *
 * Speed hangs on the functions having no stack frame. A call that returns into the function would force one upon all
 * paths, so memory operands follow one pattern: the hot function handles the TLB hit, and on a miss jumps to its cold
 * twin, which does the whole instruction by way of the slow functions and goes on. Both are made from one body by the DEF_
 * macros. In a body, `m` is the memory operand and `r` the result to be stored, both of the operand's size.
 */
#ifndef EVMM_CPU_EXEC_INT_H
#define EVMM_CPU_EXEC_INT_H

#include "src/cpu/ea.h"
#include "src/cpu/flags.h"
#include "src/cpu/ir.h"
#include "src/cpu/mmu.h"

#define GET8(r)	    REG8(c, r)
#define GET16(r)    REG16(c, r)
#define GET32(r)    REG32(c, r)
#define GET64(r)    REG64(c, r)
#define SET8(r, v)  (REG8(c, r) = (uint8_t)(v))
#define SET16(r, v) (REG16(c, r) = (uint16_t)(v))
#define SET32(r, v) (REG64(c, r) = (uint32_t)(v))
#define SET64(r, v) (REG64(c, r) = (uint64_t)(v))

#define LOG2_8	0
#define LOG2_16 1
#define LOG2_32 2
#define LOG2_64 3

/* Leaves lazy flags of class CLS for BITS-wide operands. */
#define SET_CC(cls, bits, result, operand)             \
	do {                                           \
		c->cc_op = (cls) + LOG2_##bits;        \
		c->cc_dst = (uint##bits##_t)(result);  \
		c->cc_src = (uint##bits##_t)(operand); \
	} while (0)
#define SET_CC_LOGIC(bits, result)                    \
	do {                                          \
		c->cc_op = CC_LOGIC + LOG2_##bits;    \
		c->cc_dst = (uint##bits##_t)(result); \
	} while (0)

/* Linear address without and with an index. */
#define LIN_B(c, u) ((c)->regs[(u)->base] + (uint64_t)(int64_t)(u)->disp)
#define LIN_X(c, u) uop_lin(c, u)

/* The lazy flags aside, while a store is made that may still begin the instruction again (block_before_store). */
struct cc_state {
	uint64_t dst, src, src2;
	uint32_t op;
};

static inline void cc_save(const struct cpu *c, struct cc_state *s)
{
	*s = (struct cc_state){c->cc_dst, c->cc_src, c->cc_src2, c->cc_op};
}

static inline void cc_restore(struct cpu *c, const struct cc_state *s)
{
	c->cc_dst = s->dst;
	c->cc_src = s->src;
	c->cc_src2 = s->src2;
	c->cc_op = s->op;
}

#define DEF_HANDLER(name, ...)                                                       \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                            \
		__VA_ARGS__                                                          \
		NEXT();                                                              \
	}

#define DEF_LOAD(name, bits, lin_of, ...)                                                          \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u)           \
	{                                                                                          \
		uint##bits##_t m = (uint##bits##_t)mmu_load_slow(c, u, uop_lin(c, u), (bits) / 8); \
		__VA_ARGS__                                                                        \
		NEXT();                                                                            \
	}                                                                                          \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)               \
	{                                                                                          \
		uint64_t lin = lin_of(c, u);                                                       \
		const struct tlb_entry *e = mmu_slot(c, lin);                                      \
		uint##bits##_t m;                                                                  \
                                                                                                   \
		if (!MMU_HIT_RD(e, lin, (bits) / 8))                                               \
			return name##_slow(c, u);                                                  \
		m = *(const volatile guest_u##bits *)(lin + e->addend);                            \
		__VA_ARGS__                                                                        \
		NEXT();                                                                            \
	}

/* VALUE is an expression without side effects. */
#define DEF_STORE(name, bits, lin_of, value)                                              \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u)  \
	{                                                                                 \
		mmu_store_slow(c, u, uop_lin(c, u), (bits) / 8, (uint##bits##_t)(value)); \
		NEXT();                                                                   \
	}                                                                                 \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)      \
	{                                                                                 \
		uint64_t lin = lin_of(c, u);                                              \
		const struct tlb_entry *e = mmu_slot(c, lin);                             \
                                                                                          \
		if (!MMU_HIT_WR(e, lin, (bits) / 8))                                      \
			return name##_slow(c, u);                                         \
		*(volatile guest_u##bits *)(lin + e->addend) = (uint##bits##_t)(value);   \
		NEXT();                                                                   \
	}

/* The body makes r from m; r is stored. */
#define DEF_RMW(name, bits, lin_of, ...)                                                 \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		uint64_t lin = uop_lin(c, u);                                            \
		volatile guest_u##bits *p = mmu_rmw_slow(c, u, lin, (bits) / 8);         \
		struct cc_state before, after;                                           \
		uint##bits##_t m, r;                                                     \
                                                                                         \
		if (p) {                                                                 \
			m = *p;                                                          \
		} else {                                                                 \
			mmu_probe(c, u, lin, (bits) / 8, ACC_WRITE);                     \
			m = (uint##bits##_t)mmu_load_slow(c, u, lin, (bits) / 8);        \
		}                                                                        \
		cc_save(c, &before);                                                     \
		__VA_ARGS__                                                              \
		if (p) {                                                                 \
			*p = r;                                                          \
		} else {                                                                 \
			cc_save(c, &after);                                              \
			cc_restore(c, &before);                                          \
			mmu_store_slow(c, u, lin, (bits) / 8, r);                        \
			cc_restore(c, &after);                                           \
		}                                                                        \
		NEXT();                                                                  \
	}                                                                                \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)     \
	{                                                                                \
		uint64_t lin = lin_of(c, u);                                             \
		const struct tlb_entry *e = mmu_slot(c, lin);                            \
		volatile guest_u##bits *p;                                               \
		uint##bits##_t m, r;                                                     \
                                                                                         \
		if (!MMU_HIT_WR(e, lin, (bits) / 8))                                     \
			return name##_slow(c, u);                                        \
		p = (volatile guest_u##bits *)(lin + e->addend);                         \
		m = *p;                                                                  \
		__VA_ARGS__                                                              \
		*p = r;                                                                  \
		NEXT();                                                                  \
	}

/*
 * Locked: the body makes r from m, and may be run again with another m until r could be stored; AFTER commits the rest.
 * Where there is no host memory to lock, the split lock makes it exclusive.
 */
#define DEF_LOCKED(name, bits, body, after)                                              \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		uint64_t lin = uop_lin(c, u);                                            \
		volatile guest_u##bits *p = mmu_rmw_slow(c, u, lin, (bits) / 8);         \
		uint##bits##_t m, r;                                                     \
                                                                                         \
		if (p) {                                                                 \
			do {                                                             \
				m = *p;                                                  \
				body;                                                    \
			} while (!__sync_bool_compare_and_swap(p, m, r));                \
		} else {                                                                 \
			mmu_probe(c, u, lin, (bits) / 8, ACC_WRITE);                     \
			mmu_split_lock(c);                                               \
			m = (uint##bits##_t)mmu_load_slow(c, u, lin, (bits) / 8);        \
			body;                                                            \
			mmu_store_slow(c, u, lin, (bits) / 8, r);                        \
			mmu_split_unlock(c);                                             \
		}                                                                        \
		after;                                                                   \
		NEXT();                                                                  \
	}                                                                                \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)     \
	{                                                                                \
		uint64_t lin = uop_lin(c, u);                                            \
		const struct tlb_entry *e = mmu_slot(c, lin);                            \
		volatile guest_u##bits *p;                                               \
		uint##bits##_t m, r;                                                     \
                                                                                         \
		if (!MMU_HIT_WR(e, lin, (bits) / 8))                                     \
			return name##_slow(c, u);                                        \
		p = (volatile guest_u##bits *)(lin + e->addend);                         \
		do {                                                                     \
			m = *p;                                                          \
			body;                                                            \
		} while (!__sync_bool_compare_and_swap(p, m, r));                        \
		after;                                                                   \
		NEXT();                                                                  \
	}

/* Address size in bits of a micro-operation that carries UF_A16, UF_A32; as a mask of offsets. */
static always_inline uint64_t i_addr_mask(const struct uop *u)
{
	return u->flags & UF_A16 ? 0xffff : u->flags & UF_A32 ? 0xffffffff : ~0ull;
}

/* Mask of stack offsets in MODE. */
static always_inline uint64_t i_stack_mask(uint32_t mode)
{
	return mode & MODE_CODE64 ? ~0ull : mode & MODE_SS32 ? 0xffffffff : 0xffff;
}

/* Writes a counter or pointer register of the given width: 32 bits zero-extend, 16 leave the rest. */
static always_inline void i_set_masked(struct cpu *c, unsigned slot, uint64_t value, uint64_t mask)
{
	if (mask == 0xffff)
		REG16(c, slot) = (uint16_t)value;
	else
		c->regs[slot] = value & mask;
}

/* c->rip at the next instruction, to leave the block behind this one. */
static inline void i_set_next_rip(struct cpu *c, const struct uop *u)
{
	uint64_t rip = UOP_NEXT_RIP(c, u);

	c->rip = c->block->mode & MODE_CODE64 ? rip : (uint32_t)rip;
}

#endif
