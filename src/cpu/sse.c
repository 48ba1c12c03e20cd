/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE: the host's and the guest's MXCSR, slow loads, and operations of which the guest wants to see exceptions. */
#include "src/cpu/fpu.h"
#include "src/cpu/sse_exec.h"

/* What the host's MXCSR holds for a guest's. FTZ counts only while underflow is masked (SDM 1, 10.2.3.3). */
static uint32_t sse_host_mxcsr(uint32_t mxcsr)
{
	if (!(mxcsr & MXCSR_UM))
		mxcsr &= ~MXCSR_FZ;
	return mxcsr | MXCSR_MASKS;
}

void sse_enter_guest(struct cpu *c)
{
	/* Whatever ran on this thread before. */
	fpu_host_clear();
	_mm_setcsr(sse_host_mxcsr(c->mxcsr));
}

void sse_leave_guest(struct cpu *c)
{
	sse_sync_mxcsr(c);
	_mm_setcsr(MXCSR_DEFAULT);
}

void sse_sync_mxcsr(struct cpu *c)
{
	c->mxcsr |= _mm_getcsr() & MXCSR_FLAGS;
}

void sse_set_mxcsr(struct cpu *c, uint32_t mxcsr)
{
	uint32_t old = c->mxcsr;

	c->mxcsr = mxcsr;
	_mm_setcsr(sse_host_mxcsr(mxcsr));
	if ((old ^ mxcsr) & MXCSR_MASKS)
		cpu_mode_changed(c);
}

void sse_raise(struct cpu *c, const struct uop *u, int vector)
{
	c->cur = u;
	if (vector == EXC_GP)
		cpu_raise_err(c, vector, 0);
	cpu_raise(c, vector);
}

void sse_load_slow(struct cpu *c, const struct uop *u, unsigned bytes)
{
	uint64_t lin = uop_lin(c, u);

	if (bytes < 16) {
		c->sse_tmp.u64[0] = mmu_load_slow(c, u, lin, bytes);
		c->sse_tmp.u64[1] = 0;
		return;
	}
	if (lin & 15)
		sse_raise(c, u, EXC_GP);
	mmu_load128_slow(c, u, lin, &c->sse_tmp);
}

/* Always raises: SSE is off (CR0.TS, CR0.EM, CR4.OSFXSR), known when translating. imm: the vector. */
const struct uop *sse_unavailable(struct cpu *c, const struct uop *u)
{
	sse_raise(c, u, (int)u->imm);
}

static noinline_fn void sse_ldmxcsr_body(struct cpu *c, const struct uop *u)
{
	uint32_t v = mmu_ld32(c, u, uop_lin(c, u));

	if (v & ~MXCSR_VALID)
		sse_raise(c, u, EXC_GP);
	sse_set_mxcsr(c, v);
}

const struct uop *sse_ldmxcsr(struct cpu *c, const struct uop *u)
{
	sse_ldmxcsr_body(c, u);
	SSE_NEXT_MODE();
}

UOP_FRAME_FN(sse_stmxcsr)
{
	sse_sync_mxcsr(c);
	mmu_st32(c, u, uop_lin(c, u), c->mxcsr);
}

/*
 * ---- checked operations (MODE_MXCSR) ----
 *
 * What the host's masked answer doesn't tell: PE of an unmasked overflow or underflow, which is of rounding with an unbounded
 * exponent there, and of the masked result here; and tiny but exact products within DPPS and DPPD.
 */

/* u->size: enum sse_check */
UOP_FRAME_FN(sse_check_begin)
{
	sse_sync_mxcsr(c);
	_mm_setcsr(sse_host_mxcsr(c->mxcsr) & ~MXCSR_FLAGS);
	c->sse_saved.cc_op = c->cc_op;
	c->sse_saved.cc_dst = c->cc_dst;
	c->sse_saved.cc_src = c->cc_src;
	c->sse_saved.cc_src2 = c->cc_src2;
	if (u->size == CHECK_XMM)
		c->sse_saved.xmm = *XMM(c, u->dst);
	else if (u->size == CHECK_GPR)
		c->sse_saved.gpr = c->regs[u->dst];
	else if (u->size == CHECK_MMX)
		c->sse_saved.fpu = c->fpu;
}

static cold_fn void sse_check_undo(struct cpu *c, const struct uop *u)
{
	c->cc_op = c->sse_saved.cc_op;
	c->cc_dst = c->sse_saved.cc_dst;
	c->cc_src = c->sse_saved.cc_src;
	c->cc_src2 = c->sse_saved.cc_src2;
	if (u->size == CHECK_XMM)
		*XMM(c, u->dst) = c->sse_saved.xmm;
	else if (u->size == CHECK_GPR)
		c->regs[u->dst] = c->sse_saved.gpr;
	else if (u->size == CHECK_MMX) {
		/* The registers have become MMX's all the same. */
		c->fpu = c->sse_saved.fpu;
		c->fpu.top = 0;
		c->fpu.ftw = 0xff;
	}
}

/* True when an element of the result is denormal. u->imm: bytes of an element, 0: integers. u->src: elements. */
static bool sse_result_denormal(const struct cpu *c, const struct uop *u)
{
	const union xmm *r = XMM(c, u->dst);

	for (unsigned i = 0; i < u->src; i++) {
		if (u->imm == 4 && !(r->u32[i] & 0x7f800000) && (r->u32[i] & 0x7fffff))
			return true;
		if (u->imm == 8 && !(r->u64[i] & 0x7ff0000000000000) &&
		    (r->u64[i] & 0xfffffffffffff))
			return true;
	}
	return false;
}

UOP_FRAME_FN(sse_check_end)
{
	uint32_t flags = _mm_getcsr() & MXCSR_FLAGS;
	uint32_t unmasked = ~(c->mxcsr / MXCSR_IM) & MXCSR_FLAGS;

	/* Masked, underflow is flagged only when the result is inexact as well; unmasked, whenever it is tiny. */
	if ((unmasked & MXCSR_UE) && sse_result_denormal(c, u))
		flags |= MXCSR_UE;
	if (likely(!(flags & unmasked))) {
		c->mxcsr |= flags;
		return;
	}
	/* Those found before computing (invalid, denormal, divide by zero) keep the others from being found. */
	if (flags & unmasked & (MXCSR_IE | MXCSR_DE | MXCSR_ZE))
		flags &= MXCSR_IE | MXCSR_DE | MXCSR_ZE;
	sse_check_undo(c, u);
	c->mxcsr |= flags;
	_mm_setcsr(sse_host_mxcsr(c->mxcsr));
	sse_raise(c, u, c->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
}
