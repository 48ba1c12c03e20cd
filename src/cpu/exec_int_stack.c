/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack instructions, EFLAGS as a whole, single flags, BOUND, PAUSE, fences (SDM 2; POPF: table 4-16 and its operation).
 *
 * rSP moves only after the access that may fault has succeeded.
 */
#include <sched.h>
#include "src/cpu/exec_int.h"

/* COMMIT moves rSP once VALUE is stored at offset SP of a flat stack. */
#define DEF_PUSH(name, bits, sp, value, commit)                                          \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		mmu_store_slow(c, u, sp, (bits) / 8, value);                             \
		commit;                                                                  \
		NEXT();                                                                  \
	}                                                                                \
	const struct uop *name(struct cpu *restrict c, const struct uop *restrict u)     \
	{                                                                                \
		uint64_t lin = sp;                                                       \
		const struct tlb_entry *e = mmu_slot(c, lin);                            \
                                                                                         \
		if (!MMU_HIT_WR(e, lin, (bits) / 8))                                     \
			return name##_slow(c, u);                                        \
		*(volatile guest_u##bits *)(lin + e->addend) = (uint##bits##_t)(value);  \
		commit;                                                                  \
		NEXT();                                                                  \
	}

#define SP64 (c->regs[R_RSP] - 8)
#define SP32 ((uint32_t)(c->regs[R_RSP] - 4))
DEF_PUSH(i_push_r64, 64, SP64, c->regs[u->src], c->regs[R_RSP] = SP64)
DEF_PUSH(i_push_i64, 64, SP64, u->imm, c->regs[R_RSP] = SP64)
DEF_PUSH(i_push_r32, 32, SP32, c->regs[u->src], c->regs[R_RSP] = SP32)
DEF_PUSH(i_push_i32, 32, SP32, u->imm, c->regs[R_RSP] = SP32)

/* Base is R_RSP. POP rSP leaves what was popped. */
DEF_LOAD(i_pop_r64, 64, LIN_B, c->regs[R_RSP] += 8; c->regs[u->dst] = m;)
DEF_LOAD(i_pop_r32, 32, LIN_B, SET32(R_RSP, c->regs[R_RSP] + 4); SET32(u->dst, m);)
DEF_LOAD(i_leave64, 64, LIN_B, c->regs[R_RSP] = c->regs[R_RBP] + 8; c->regs[R_RBP] = m;)

/*
 * A run of N pushes or pops on one page that the TLB has for it. Else nothing is done here: they follow one by one.
 */
#define RUN_REG(i) c->regs[regs[i]]

static always_inline void store_run(const struct cpu *c, volatile guest_u64 *end,
				    const uint8_t *regs, unsigned n)
{
	end[-1] = RUN_REG(0);
	end[-2] = RUN_REG(1);
	if (n > 2)
		end[-3] = RUN_REG(2);
	if (n > 3)
		end[-4] = RUN_REG(3);
	if (n > 4)
		end[-5] = RUN_REG(4);
	if (n > 5)
		end[-6] = RUN_REG(5);
}

static always_inline void load_run(struct cpu *c, const volatile guest_u64 *p, const uint8_t *regs,
				   unsigned n)
{
	RUN_REG(0) = p[0];
	RUN_REG(1) = p[1];
	if (n > 2)
		RUN_REG(2) = p[2];
	if (n > 3)
		RUN_REG(3) = p[3];
	if (n > 4)
		RUN_REG(4) = p[4];
	if (n > 5)
		RUN_REG(5) = p[5];
}

#define DEF_PUSH_RUN(n)                                                                            \
	const struct uop *i_push##n##_r64(struct cpu *restrict c, const struct uop *restrict u)    \
	{                                                                                          \
		uint64_t sp = c->regs[R_RSP], lin = sp - 8 * (n);                                  \
		const struct tlb_entry *e = mmu_slot(c, lin);                                      \
                                                                                                   \
		if (!MMU_HIT_WR(e, lin, 8 * (n)))                                                  \
			NEXT();                                                                    \
		store_run(c, (volatile guest_u64 *)(sp + e->addend), (const uint8_t *)&u->imm, n); \
		c->regs[R_RSP] = lin;                                                              \
		NEXT_BUT(n);                                                                       \
	}
#define DEF_POP_RUN(n)                                                                         \
	const struct uop *i_pop##n##_r64(struct cpu *restrict c, const struct uop *restrict u) \
	{                                                                                      \
		uint64_t lin = c->regs[R_RSP];                                                 \
		const struct tlb_entry *e = mmu_slot(c, lin);                                  \
                                                                                               \
		if (!MMU_HIT_RD(e, lin, 8 * (n)))                                              \
			NEXT();                                                                \
		load_run(c, (const volatile guest_u64 *)(lin + e->addend),                     \
			 (const uint8_t *)&u->imm, n);                                         \
		c->regs[R_RSP] = lin + 8 * (n);                                                \
		NEXT_BUT(n);                                                                   \
	}
DEF_PUSH_RUN(2)
DEF_PUSH_RUN(3)
DEF_PUSH_RUN(4)
DEF_PUSH_RUN(5)
DEF_PUSH_RUN(6)
DEF_POP_RUN(2)
DEF_POP_RUN(3)
DEF_POP_RUN(4)
DEF_POP_RUN(5)
DEF_POP_RUN(6)

static uint64_t load_any(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size)
{
	switch (size) {
	case 2:
		return mmu_ld16(c, u, lin);
	case 4:
		return mmu_ld32(c, u, lin);
	default:
		return mmu_ld64(c, u, lin);
	}
}

static void store_any(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size,
		      uint64_t value)
{
	switch (size) {
	case 2:
		mmu_st16(c, u, lin, (uint16_t)value);
		break;
	case 4:
		mmu_st32(c, u, lin, (uint32_t)value);
		break;
	default:
		mmu_st64(c, u, lin, value);
		break;
	}
}

static void set_sized(struct cpu *c, unsigned slot, uint64_t value, unsigned size)
{
	i_set_masked(c, slot, value, size == 2 ? 0xffff : size == 4 ? 0xffffffff : ~0ull);
}

/* Offset in the stack segment after pushing or popping BYTES. */
static uint64_t sp_plus(const struct cpu *c, int64_t bytes)
{
	return (c->regs[R_RSP] + (uint64_t)bytes) & i_stack_mask(c->mode);
}

static void set_sp(struct cpu *c, uint64_t sp)
{
	i_set_masked(c, R_RSP, sp, i_stack_mask(c->mode));
}

static void push(struct cpu *c, const struct uop *u, unsigned size, uint64_t value)
{
	uint64_t sp = sp_plus(c, -(int64_t)size);

	store_any(c, u, ea_lin(c, u, S_SS, sp, size, true), size, value);
	set_sp(c, sp);
}

static uint64_t peek(struct cpu *c, const struct uop *u, unsigned size)
{
	return load_any(c, u, ea_lin(c, u, S_SS, sp_plus(c, 0), size, false), size);
}

const struct uop *i_push_t(struct cpu *c, const struct uop *u)
{
	push(c, u, u->size, c->regs[u->src]);
	NEXT();
}

const struct uop *i_pop_t(struct cpu *c, const struct uop *u)
{
	uint64_t value = peek(c, u, u->size);

	set_sp(c, sp_plus(c, u->size));
	set_sized(c, u->dst, value, u->size);
	NEXT();
}

const struct uop *i_peek_t(struct cpu *c, const struct uop *u)
{
	c->regs[u->dst] = peek(c, u, u->size);
	NEXT();
}

const struct uop *i_drop(struct cpu *c, const struct uop *u)
{
	set_sp(c, sp_plus(c, (int64_t)u->imm));
	NEXT();
}

const struct uop *i_mov_selector(struct cpu *c, const struct uop *u)
{
	c->regs[u->dst] = c->seg[u->src].sel;
	NEXT();
}

/* Linear addresses of the eight words or doublewords from offset SP on, all checked before any is touched. */
static void frame_of_8(struct cpu *c, const struct uop *u, uint64_t sp, bool write, uint64_t lin[8])
{
	uint64_t mask = i_stack_mask(c->mode);

	for (unsigned i = 0; i < 8; i++) {
		lin[i] = ea_lin(c, u, S_SS, (sp + i * u->size) & mask, u->size, write);
		mmu_probe(c, u, lin[i], u->size, write ? ACC_WRITE : ACC_READ);
	}
}

/* Pushes eAX eCX eDX eBX eSP eBP eSI eDI; eSP as it was. */
const struct uop *i_pusha(struct cpu *c, const struct uop *u)
{
	uint64_t lin[8], sp = sp_plus(c, -8 * (int64_t)u->size);

	frame_of_8(c, u, sp, true, lin);
	for (unsigned i = 0; i < 8; i++)
		store_any(c, u, lin[7 - i], u->size, c->regs[i]);
	set_sp(c, sp);
	NEXT();
}

const struct uop *i_popa(struct cpu *c, const struct uop *u)
{
	uint64_t lin[8];

	frame_of_8(c, u, sp_plus(c, 0), false, lin);
	for (unsigned i = 0; i < 8; i++)
		if (i != R_RSP)
			set_sized(c, i, load_any(c, u, lin[7 - i], u->size), u->size);
	set_sp(c, sp_plus(c, 8 * (int64_t)u->size));
	NEXT();
}

/* In virtual-8086 mode PUSHF and POPF need IOPL 3. */
static void check_vm86_iopl(struct cpu *c, const struct uop *u)
{
	if ((c->mode & MODE_VM) && (c->flags & FL_IOPL) != FL_IOPL)
		uop_raise_err(c, u, EXC_GP, 0);
}

const struct uop *i_pushf(struct cpu *c, const struct uop *u)
{
	check_vm86_iopl(c, u);
	push(c, u, u->size, cpu_eflags(c) & ~(uint64_t)(FL_RF | FL_VM));
	NEXT();
}

const struct uop *i_popf(struct cpu *c, const struct uop *u)
{
	uint64_t may = FL_ARITH | FL_TF | FL_DF | FL_NT | FL_AC | FL_ID, old = cpu_eflags(c), fl;
	unsigned iopl = (c->flags & FL_IOPL) >> 12;

	check_vm86_iopl(c, u);
	fl = peek(c, u, u->size);
	set_sp(c, sp_plus(c, u->size));
	if (!(c->mode & MODE_PE) || c->cpl == 0)
		may |= FL_IF | FL_IOPL;
	else if (c->cpl <= iopl)
		may |= FL_IF;
	if (u->size == 2)
		may &= 0xffff;
	fl = (old & ~may) | (fl & may);
	cpu_set_eflags(c, fl & ~(uint64_t)FL_RF);
	if (!((old ^ fl) & (FL_TF | FL_AC)) && !(fl & ~old & FL_IF))
		NEXT();
	/* The rest of the block is for another mode, or an interrupt is to come first. */
	if ((old ^ fl) & (FL_TF | FL_AC))
		cpu_mode_changed(c);
	cpu_irq_window(c);
	i_set_next_rip(c, u);
	STOP();
}

/* imm: bytes to reserve; disp: nesting level. */
const struct uop *i_enter(struct cpu *c, const struct uop *u)
{
	uint64_t mask = i_stack_mask(c->mode), sp = sp_plus(c, 0), bp = c->regs[R_RBP], frame,
		 value;
	unsigned size = u->size;

	sp = (sp - size) & mask;
	frame = sp;
	store_any(c, u, ea_lin(c, u, S_SS, sp, size, true), size, bp);
	for (int i = 1; i < u->disp; i++) {
		bp = (bp - size) & mask;
		sp = (sp - size) & mask;
		value = load_any(c, u, ea_lin(c, u, S_SS, bp, size, false), size);
		store_any(c, u, ea_lin(c, u, S_SS, sp, size, true), size, value);
	}
	if (u->disp > 0) {
		sp = (sp - size) & mask;
		store_any(c, u, ea_lin(c, u, S_SS, sp, size, true), size, frame);
	}
	sp = (sp - u->imm) & mask;
	mmu_probe(c, u, ea_lin(c, u, S_SS, sp, size, true), size, ACC_WRITE);
	set_sized(c, R_RBP, frame, size);
	set_sp(c, sp);
	NEXT();
}

const struct uop *i_leave(struct cpu *c, const struct uop *u)
{
	uint64_t mask = i_stack_mask(c->mode), sp = c->regs[R_RBP] & mask, value;

	value = load_any(c, u, ea_lin(c, u, S_SS, sp, u->size, false), u->size);
	set_sp(c, (sp + u->size) & mask);
	set_sized(c, R_RBP, value, u->size);
	NEXT();
}

DEF_HANDLER(i_lahf, REG8(c, 1) = (uint8_t)((cc_compute(c) & 0xff) | FL_1);)
DEF_HANDLER(i_sahf, cc_set(c, (cc_compute(c) & FL_OF) | (REG8(c, 1) & (FL_ARITH & 0xff)));)
DEF_HANDLER(i_clc, cc_replace(c, FL_CF, 0);)
DEF_HANDLER(i_stc, cc_replace(c, FL_CF, FL_CF);)
DEF_HANDLER(i_cmc, cc_replace(c, FL_CF, cc_cf(c) ? 0 : FL_CF);)
DEF_HANDLER(i_cld, c->flags &= ~(uint64_t)FL_DF; c->df = 1;)
DEF_HANDLER(i_std, c->flags |= FL_DF; c->df = -1;)
/* AL = CF ? FFh : 0, flags untouched (D6h; documented by AMD and Intel as SALC). */
DEF_HANDLER(i_salc, REG8(c, 0) = cc_cf(c) ? 0xff : 0;)

/* Bounds are signed and inclusive: #BR when outside. */
const struct uop *i_bound(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u);
	int64_t low, high, index;

	if (u->size == 2) {
		low = (int16_t)mmu_ld16(c, u, lin);
		high = (int16_t)mmu_ld16(c, u, lin + 2);
		index = (int16_t)c->regs[u->src];
	} else {
		low = (int32_t)mmu_ld32(c, u, lin);
		high = (int32_t)mmu_ld32(c, u, lin + 4);
		index = (int32_t)c->regs[u->src];
	}
	if (index < low || index > high)
		uop_raise(c, u, EXC_BR);
	NEXT();
}

/* imm: the vCPUs outnumber the host's CPUs, so the one waited for may need this CPU. */
const struct uop *i_pause(struct cpu *c, const struct uop *u)
{
	__builtin_ia32_pause();
	if (u->imm && (++c->pauses & 63) == 0)
		sched_yield();
	NEXT();
}

const struct uop *i_probe(struct cpu *c, const struct uop *u)
{
	mmu_probe(c, u, uop_lin(c, u), u->size, ACC_READ);
	NEXT();
}

DEF_HANDLER(i_lfence, __builtin_ia32_lfence();)
DEF_HANDLER(i_sfence, __builtin_ia32_sfence();)
DEF_HANDLER(i_mfence, __builtin_ia32_mfence();)
