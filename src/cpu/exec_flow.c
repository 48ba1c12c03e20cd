/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jumps, calls and returns: how one block leads to the next.
 *
 * Each way from block to block looks at exit_request once. A direct jump goes straight to its successor when it is linked:
 * within a page always, as both have the same physical page; to another page while no TLB flush has come in between.
 * An indirect one asks the jump cache. What isn't at hand is looked up from here, without going back to the outer loop.
 */
#include "src/cpu/block.h"
#include "src/cpu/ea.h"
#include "src/cpu/exec_flow.h"
#include "src/cpu/flags.h"
#include "src/cpu/mmu.h"

/* To the block at c->rip, by way of the cache. */
static const struct uop *enter(struct cpu *c)
{
	c->cur = NULL;
	c->block = NULL;
	c->block = block_find(c);
	GOTO(c->block->uops);
}

/* Whether the micro-operation keeps the TLB generation for which it is linked. */
static bool keeps_generation(const struct uop *u)
{
	switch (u->op) {
	case UOP_JMP_X:
	case UOP_CALL64_X:
	case UOP_CALL_GEN:
	case UOP_JCC_X:
	case UOP_LOOP:
	case UOP_JCXZ:
		return true;
	default:
		return false;
	}
}

const struct uop *flow_link(struct cpu *c, const struct uop *u)
{
	struct block *from = c->block, *to = (struct block *)u->imm;
	unsigned k = u - from->uops + 1 == from->n_uops ? 0 : 1;
	bool keeps = keeps_generation(u);
	uint64_t evictions = c->blocks->evictions;

	if (u->flags & UF_AUX)
		uop_raise_err(c, u, EXC_GP, 0);
	c->rip = from->exits[k].target;
	if (exit_requested(c))
		STOP();
	c->cur = NULL;
	c->block = NULL;
	if (to && keeps && block_still_at(c, to)) {
		((struct uop *)u)->generation = c->tlb_generation;
		c->block = to;
		GOTO(to->uops);
	}
	to = block_find(c);
	c->block = to;
	/* The memory of FROM may have been taken for TO. */
	if (evictions == c->blocks->evictions && block_link(c, from, k, to, keeps) && keeps)
		((struct uop *)u)->generation = c->tlb_generation;
	GOTO(to->uops);
}

static always_inline const struct uop *chain_x(struct cpu *c, const struct uop *u)
{
	struct block *to = (struct block *)u->imm;

	if (unlikely(!to || u->generation != c->tlb_generation) || exit_requested(c))
		return flow_link(c, u);
	c->block = to;
	GOTO(to->uops);
}

const struct uop *exec_jmp(struct cpu *c, const struct uop *u)
{
	return chain(c, u);
}

const struct uop *exec_jmp_x(struct cpu *c, const struct uop *u)
{
	return chain_x(c, u);
}

const struct uop *exec_jcc_x(struct cpu *c, const struct uop *u)
{
	if (cc_test(c, u->src))
		return chain_x(c, u);
	NEXT();
}

static uint64_t count_mask(const struct uop *u)
{
	return u->dst == 8 ? UINT64_MAX : u->dst == 4 ? UINT32_MAX : UINT16_MAX;
}

const struct uop *exec_jcxz(struct cpu *c, const struct uop *u)
{
	if (!(c->regs[R_RCX] & count_mask(u)))
		return chain_x(c, u);
	NEXT();
}

const struct uop *exec_loop(struct cpu *c, const struct uop *u)
{
	uint64_t count = (c->regs[R_RCX] - 1) & count_mask(u);
	bool taken = count && (u->src == 2 || cc_test(c, 4) == (u->src == 1));

	if (taken && (u->flags & UF_AUX))
		uop_raise_err(c, u, EXC_GP, 0);
	if (u->dst == 2)
		REG16(c, R_RCX) = (uint16_t)count;
	else
		c->regs[R_RCX] = count;
	if (taken)
		return chain_x(c, u);
	NEXT();
}

/* ---- 64-bit code ---- */

static const struct uop *noinline_fn jump_slow(struct cpu *c, uint64_t rip)
{
	c->rip = rip;
	if (exit_requested(c))
		STOP();
	return enter(c);
}

static always_inline const struct uop *jump_to(struct cpu *c, struct block *b, uint64_t rip)
{
	if (unlikely(!b) || exit_requested(c))
		return jump_slow(c, rip);
	c->block = b;
	GOTO(b->uops);
}

/*
 * The stack operations have no frame for the sake of speed: a TLB miss is a jump to a cold twin that does the whole
 * instruction by way of the slow functions. HOW goes on after the push of the return address.
 */
#define DEF_CALL64(name, how)                                                            \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		mmu_store_slow(c, u, c->regs[R_RSP] - 8, 8, UOP_NEXT_RIP(c, u));         \
		c->regs[R_RSP] -= 8;                                                     \
		return how;                                                              \
	}                                                                                \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)     \
	{                                                                                \
		uint64_t sp = c->regs[R_RSP] - 8;                                        \
		const struct tlb_entry *e = mmu_slot(c, sp);                             \
                                                                                         \
		if (!MMU_HIT_WR(e, sp, 8))                                               \
			return name##_slow(c, u);                                        \
		*(volatile guest_u64 *)(sp + e->addend) = UOP_NEXT_RIP(c, u);            \
		c->regs[R_RSP] = sp;                                                     \
		return how;                                                              \
	}
DEF_CALL64(exec_call64, chain(c, u))
DEF_CALL64(exec_call64_x, chain_x(c, u))

static cold_fn const struct uop *not_canonical(struct cpu *c, const struct uop *u)
{
	uop_raise_err(c, u, EXC_GP, 0);
}

/* Indirect targets that are not at hand. POP: what a return takes off the stack. */
static noinline_fn const struct uop *indirect_slow(struct cpu *c, const struct uop *u, uint64_t rip,
						   uint64_t pop)
{
	if (!canonical(c, rip))
		return not_canonical(c, u);
	c->regs[R_RSP] += pop;
	return jump_slow(c, rip);
}

static cold_fn const struct uop *call_r64_slow(struct cpu *c, const struct uop *u)
{
	uint64_t rip = c->regs[u->src];

	if (!canonical(c, rip))
		return not_canonical(c, u);
	mmu_st64(c, u, c->regs[R_RSP] - 8, UOP_NEXT_RIP(c, u));
	c->regs[R_RSP] -= 8;
	return jump_slow(c, rip);
}

const struct uop *exec_call_r64(struct cpu *restrict c, const struct uop *restrict u)
{
	struct block *b = jump_find64(c, c->regs[u->src]);
	uint64_t sp = c->regs[R_RSP] - 8;
	const struct tlb_entry *e = mmu_slot(c, sp);

	if (unlikely(!b) || !MMU_HIT_WR(e, sp, 8) || exit_requested(c))
		return call_r64_slow(c, u);
	*(volatile guest_u64 *)(sp + e->addend) = UOP_NEXT_RIP(c, u);
	c->regs[R_RSP] = sp;
	c->block = b;
	GOTO(b->uops);
}

static always_inline const struct uop *jump64(struct cpu *c, const struct uop *u, uint64_t rip,
					      uint64_t pop)
{
	struct block *b = jump_find64(c, rip);

	if (unlikely(!b) || exit_requested(c))
		return indirect_slow(c, u, rip, pop);
	c->regs[R_RSP] += pop;
	c->block = b;
	GOTO(b->uops);
}

const struct uop *exec_jmp_r64(struct cpu *restrict c, const struct uop *restrict u)
{
	return jump64(c, u, c->regs[u->src], 0);
}

/* For a target in memory, at address LIN. */
#define DEF_JUMP_MEM64(name, lin_expr, pop)                                               \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u)  \
	{                                                                                 \
		return indirect_slow(c, u, mmu_load_slow(c, u, lin_expr, 8), pop);        \
	}                                                                                 \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)      \
	{                                                                                 \
		uint64_t lin = lin_expr;                                                  \
		const struct tlb_entry *e = mmu_slot(c, lin);                             \
                                                                                          \
		if (!MMU_HIT_RD(e, lin, 8))                                               \
			return name##_slow(c, u);                                         \
		return jump64(c, u, *(const volatile guest_u64 *)(lin + e->addend), pop); \
	}
DEF_JUMP_MEM64(exec_jmp_m64, uop_lin(c, u), 0)
DEF_JUMP_MEM64(exec_ret64, c->regs[R_RSP], 8)
DEF_JUMP_MEM64(exec_ret64_imm, c->regs[R_RSP], 8 + u->imm)

const struct uop *exec_ld_t0_16(struct cpu *c, const struct uop *u)
{
	c->regs[R_T0] = mmu_ld16(c, u, uop_lin(c, u));
	NEXT();
}

const struct uop *exec_ld_t0_32(struct cpu *c, const struct uop *u)
{
	c->regs[R_T0] = mmu_ld32(c, u, uop_lin(c, u));
	NEXT();
}

const struct uop *exec_ld_t0_64(struct cpu *c, const struct uop *u)
{
	c->regs[R_T0] = mmu_ld64(c, u, uop_lin(c, u));
	NEXT();
}

/* ---- 16- and 32-bit code: operand size in dst ---- */

static uint32_t stack_offset(const struct cpu *c, uint64_t sp)
{
	return c->mode & MODE_SS32 ? (uint32_t)sp : (uint16_t)sp;
}

static void set_sp(struct cpu *c, uint32_t sp)
{
	if (c->mode & MODE_SS32)
		c->regs[R_RSP] = sp;
	else
		REG16(c, R_RSP) = (uint16_t)sp;
}

static void push_gen(struct cpu *c, const struct uop *u, uint64_t value)
{
	uint32_t sp = stack_offset(c, c->regs[R_RSP] - u->dst);
	uint64_t lin = ea_lin(c, u, S_SS, sp, u->dst, true);

	if (u->dst == 2)
		mmu_st16(c, u, lin, (uint16_t)value);
	else
		mmu_st32(c, u, lin, (uint32_t)value);
	set_sp(c, sp);
}

static void check_target(struct cpu *c, const struct uop *u, uint32_t rip)
{
	if (rip > c->seg[S_CS].limit)
		uop_raise_err(c, u, EXC_GP, 0);
}

const struct uop *exec_call_gen(struct cpu *c, const struct uop *u)
{
	push_gen(c, u, UOP_NEXT_RIP(c, u));
	return chain_x(c, u);
}

const struct uop *exec_call_r_gen(struct cpu *c, const struct uop *u)
{
	uint32_t rip = u->dst == 2 ? REG16(c, u->src) : REG32(c, u->src);

	check_target(c, u, rip);
	push_gen(c, u, UOP_NEXT_RIP(c, u));
	return jump_to(c, jump_find32(c, rip), rip);
}

const struct uop *exec_jmp_r_gen(struct cpu *c, const struct uop *u)
{
	uint32_t rip = u->size == 2 ? REG16(c, u->src) : REG32(c, u->src);

	check_target(c, u, rip);
	return jump_to(c, jump_find32(c, rip), rip);
}

const struct uop *exec_ret_gen(struct cpu *c, const struct uop *u)
{
	uint32_t sp = stack_offset(c, c->regs[R_RSP]);
	uint64_t lin = ea_lin(c, u, S_SS, sp, u->dst, false);
	uint32_t rip = u->dst == 2 ? mmu_ld16(c, u, lin) : mmu_ld32(c, u, lin);

	check_target(c, u, rip);
	set_sp(c, sp + u->dst + (uint32_t)u->imm);
	return jump_to(c, jump_find32(c, rip), rip);
}

/* ---- faults found at translation ---- */

const struct uop *exec_raise_ud(struct cpu *c, const struct uop *u)
{
	uop_raise(c, u, EXC_UD);
}

const struct uop *exec_raise_gp(struct cpu *c, const struct uop *u)
{
	uop_raise_err(c, u, EXC_GP, 0);
}
