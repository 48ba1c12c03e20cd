/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FXSAVE, FXRSTOR and XSAVE, XSAVEOPT, XSAVEC, XRSTOR for the x87 and SSE states (SDM 1, 10.5 and chapter 13).
 *
 * Both states are always said to be in use: XINUSE may be 1 for a state in its initial configuration.
 * Micro-operation: memory operand; UF_AUX: REX.W, 64-bit FIP and FDP; size: number of xmm registers saved.
 */
#include "src/cpu/cpuid.h"
#include "src/cpu/fpu.h"
#include "src/cpu/sse_exec.h"
#include "src/cpu/sys_ops.h"

#define XSTATE_X87 BIT(0)
#define XSTATE_SSE BIT(1)

#define XSAVE_LEGACY  512u
#define XSAVE_HEADER  64u
#define XCOMP_COMPACT BIT64(63)

struct fxsave_area {
	uint16_t fcw, fsw;
	uint8_t ftw, reserved0;
	uint16_t fop;
	union {
		struct {
			uint32_t fip;
			uint16_t fcs, reserved1;
			uint32_t fdp;
			uint16_t fds, reserved2;
		};
		struct {
			uint64_t fip64, fdp64;
		};
	};
	uint32_t mxcsr, mxcsr_mask;
	struct {
		uint64_t mant;
		uint16_t exp, reserved[3];
	} st[8];
	union xmm xmm[16];
	uint8_t rest[96];
};
_Static_assert(sizeof(struct fxsave_area) == XSAVE_LEGACY, "the legacy region of XSAVE");

struct xsave_header {
	uint64_t xstate_bv, xcomp_bv, reserved[6];
};
_Static_assert(sizeof(struct xsave_header) == XSAVE_HEADER, "XSAVE header");

#define FXSAVE_X87_BYTES offsetof(struct fxsave_area, mxcsr)

static void fx_put_x87(const struct cpu *c, const struct uop *u, struct fxsave_area *a)
{
	const struct cpu_fpu *f = &c->fpu;

	a->fcw = f->fcw;
	a->fsw = fpu_status(f);
	a->ftw = f->ftw;
	a->fop = f->fop;
	if (u->flags & UF_AUX) {
		a->fip64 = f->fip;
		a->fdp64 = f->fdp;
	} else {
		a->fip = (uint32_t)f->fip;
		a->fcs = f->fcs;
		a->fdp = (uint32_t)f->fdp;
		a->fds = f->fds;
	}
	for (unsigned i = 0; i < 8; i++) {
		a->st[i].mant = f->r[(f->top + i) & 7].mant;
		a->st[i].exp = f->r[(f->top + i) & 7].exp;
	}
}

static void fx_get_x87(struct cpu *c, const struct uop *u, const struct fxsave_area *a)
{
	struct cpu_fpu *f = &c->fpu;

	f->ftw = a->ftw;
	f->fop = a->fop & 0x7ff;
	if (u->flags & UF_AUX) {
		f->fip = a->fip64;
		f->fdp = a->fdp64;
	} else {
		f->fip = a->fip;
		f->fcs = a->fcs;
		f->fdp = a->fdp;
		f->fds = a->fds;
	}
	fpu_set_control(f, a->fcw);
	fpu_set_status(f, a->fsw);
	for (unsigned i = 0; i < 8; i++) {
		f->r[(f->top + i) & 7].mant = a->st[i].mant;
		f->r[(f->top + i) & 7].exp = a->st[i].exp;
	}
}

static uint64_t fx_address(struct cpu *c, const struct uop *u, unsigned align)
{
	uint64_t lin = uop_lin(c, u);

	if (lin & (align - 1))
		sse_raise(c, u, EXC_GP);
	return lin;
}

UOP_FRAME_FN(fpu_fxsave)
{
	uint64_t lin = fx_address(c, u, 16);
	struct fxsave_area a;
	unsigned bytes = offsetof(struct fxsave_area, xmm);

	memset(&a, 0, sizeof(a));
	fx_put_x87(c, u, &a);
	sse_sync_mxcsr(c);
	a.mxcsr = c->mxcsr;
	a.mxcsr_mask = MXCSR_VALID;
	/* Without CR4.OSFXSR the xmm registers are left out. */
	if (c->cr4 & CR4_OSFXSR) {
		memcpy(a.xmm, c->xmm, u->size * sizeof(union xmm));
		bytes += u->size * sizeof(union xmm);
	}
	mmu_store_bytes(c, u, lin, &a, bytes);
}

static noinline_fn void fpu_fxrstor_body(struct cpu *c, const struct uop *u)
{
	uint64_t lin = fx_address(c, u, 16);
	struct fxsave_area a;

	mmu_load_bytes(c, u, lin, &a, XSAVE_LEGACY);
	if (a.mxcsr & ~MXCSR_VALID)
		sse_raise(c, u, EXC_GP);
	fx_get_x87(c, u, &a);
	if (c->cr4 & CR4_OSFXSR)
		memcpy(c->xmm, a.xmm, u->size * sizeof(union xmm));
	sse_set_mxcsr(c, a.mxcsr);
}

const struct uop *fpu_fxrstor(struct cpu *c, const struct uop *u)
{
	fpu_fxrstor_body(c, u);
	SSE_NEXT_MODE();
}

/* The states that the instruction is asked for, EDX:EAX and XCR0. */
static uint64_t xsave_rfbm(const struct cpu *c)
{
	return ((c->regs[R_RDX] << 32) | (uint32_t)c->regs[R_RAX]) & c->xcr0;
}

/* imm: 0 XSAVE or XSAVEOPT, 1 XSAVEC. */
UOP_FRAME_FN(fpu_xsave)
{
	uint64_t lin, rfbm = xsave_rfbm(c);
	struct fxsave_area a;
	struct xsave_header h;

	if (!(c->cr4 & CR4_OSXSAVE))
		sse_raise(c, u, EXC_UD);
	if (c->cr0 & CR0_TS)
		sse_raise(c, u, EXC_NM);
	lin = fx_address(c, u, 64);
	memset(&h, 0, sizeof(h));
	mmu_probe(c, u, lin, XSAVE_LEGACY + XSAVE_HEADER, ACC_WRITE);
	if (u->imm == 1) {
		h.xstate_bv = rfbm;
		h.xcomp_bv = rfbm | XCOMP_COMPACT;
	} else {
		/* Only XSTATE_BV is written, and of it only the bits asked for. */
		h.xstate_bv = mmu_ld64(c, u, lin + XSAVE_LEGACY);
		h.xstate_bv = (h.xstate_bv & ~rfbm) | rfbm;
	}
	memset(&a, 0, sizeof(a));
	if (rfbm & XSTATE_X87) {
		fx_put_x87(c, u, &a);
		mmu_store_bytes(c, u, lin, &a, FXSAVE_X87_BYTES);
		mmu_store_bytes(c, u, lin + offsetof(struct fxsave_area, st), a.st, sizeof(a.st));
	}
	if (rfbm & XSTATE_SSE) {
		sse_sync_mxcsr(c);
		a.mxcsr = c->mxcsr;
		a.mxcsr_mask = MXCSR_VALID;
		memcpy(a.xmm, c->xmm, u->size * sizeof(union xmm));
		mmu_store_bytes(c, u, lin + offsetof(struct fxsave_area, mxcsr), &a.mxcsr, 8);
		mmu_store_bytes(c, u, lin + offsetof(struct fxsave_area, xmm), a.xmm,
				u->size * sizeof(union xmm));
	}
	mmu_store_bytes(c, u, lin + XSAVE_LEGACY, &h, u->imm == 1 ? sizeof(h) : 8);
}

/* SDM 1, 13.8 */
static bool xrstor_header_valid(const struct cpu *c, const struct xsave_header *h)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(h->reserved); i++)
		any |= h->reserved[i];
	if (h->xcomp_bv & XCOMP_COMPACT)
		return cpu_has(c, FEAT_XSAVEC) && !any &&
		       !(h->xcomp_bv & ~XCOMP_COMPACT & ~c->xcr0) && !(h->xstate_bv & ~h->xcomp_bv);
	/* The standard form looks at the first three words only. */
	return !h->xcomp_bv && !h->reserved[0] && !(h->xstate_bv & ~c->xcr0);
}

static noinline_fn void fpu_xrstor_body(struct cpu *c, const struct uop *u)
{
	uint64_t lin, rfbm = xsave_rfbm(c);
	struct {
		struct fxsave_area a;
		struct xsave_header h;
	} area;
	struct fxsave_area *a = &area.a;
	uint32_t mxcsr;
	bool compact;

	if (!(c->cr4 & CR4_OSXSAVE))
		sse_raise(c, u, EXC_UD);
	if (c->cr0 & CR0_TS)
		sse_raise(c, u, EXC_NM);
	lin = fx_address(c, u, 64);
	mmu_load_bytes(c, u, lin, &area, sizeof(area));
	if (!xrstor_header_valid(c, &area.h))
		sse_raise(c, u, EXC_GP);
	compact = area.h.xcomp_bv & XCOMP_COMPACT;
	/* MXCSR: in the standard form always from memory, in the compacted one only when the state is there. */
	mxcsr = compact && !(area.h.xstate_bv & XSTATE_SSE) ? MXCSR_DEFAULT : a->mxcsr;
	if ((rfbm & XSTATE_SSE) && (mxcsr & ~MXCSR_VALID))
		sse_raise(c, u, EXC_GP);
	if (rfbm & XSTATE_X87) {
		if (area.h.xstate_bv & XSTATE_X87)
			fx_get_x87(c, u, a);
		else
			fpu_init(&c->fpu, true);
	}
	if (rfbm & XSTATE_SSE) {
		if (!(area.h.xstate_bv & XSTATE_SSE))
			memset(a->xmm, 0, sizeof(a->xmm));
		memcpy(c->xmm, a->xmm, u->size * sizeof(union xmm));
		sse_set_mxcsr(c, mxcsr);
	}
}

const struct uop *fpu_xrstor(struct cpu *c, const struct uop *u)
{
	fpu_xrstor_body(c, u);
	SSE_NEXT_MODE();
}

/* ---- from outside (accel_ops) ---- */

/* FIP and FDP in their 64-bit form. */
static const struct uop wide_uop = {.flags = UF_AUX};

void cpu_get_fpu(struct cpu *c, struct x86_fpu *fpu)
{
	struct fxsave_area a = {.mxcsr = c->mxcsr, .mxcsr_mask = MXCSR_VALID};
	struct xsave_header h = {.xstate_bv = XSTATE_X87 | XSTATE_SSE};

	fx_put_x87(c, &wide_uop, &a);
	memcpy(a.xmm, c->xmm, sizeof(a.xmm));
	memset(fpu, 0, sizeof(*fpu));
	fpu->xcr0 = c->xcr0;
	fpu->bytes = X86_XSAVE_MIN;
	memcpy(fpu->xsave, &a, sizeof(a));
	memcpy(fpu->xsave + sizeof(a), &h, sizeof(h));
}

bool cpu_set_fpu(struct cpu *c, const struct x86_fpu *fpu, struct error *err)
{
	struct fxsave_area a;
	struct xsave_header h;

	memcpy(&a, fpu->xsave, sizeof(a));
	memcpy(&h, fpu->xsave + sizeof(a), sizeof(h));
	if (fpu->xcr0 & ~(uint64_t)CPU_XCR0_KNOWN)
		return error_set(err, "XCR0 %#llx names states that this CPU doesn't have",
				 (unsigned long long)fpu->xcr0);
	if (a.mxcsr & ~MXCSR_VALID)
		return error_set(err, "MXCSR %#x has reserved bits set", a.mxcsr);
	c->xcr0 = fpu->xcr0 | XSTATE_X87;
	if (h.xstate_bv & XSTATE_X87)
		fx_get_x87(c, &wide_uop, &a);
	else
		fpu_init(&c->fpu, true);
	if (!(h.xstate_bv & XSTATE_SSE))
		memset(a.xmm, 0, sizeof(a.xmm));
	memcpy(c->xmm, a.xmm, sizeof(a.xmm));
	c->mxcsr = a.mxcsr;
	cpu_mode_changed(c);
	return true;
}
