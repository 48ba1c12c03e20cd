/* SPDX-License-Identifier: BSD-2-Clause */
/* x87: loads, stores and what else moves data. */
#include "src/cpu/fpu_exec.h"

#define FPU_CONTROLS [fcw] "m"(f->fcw), [host] "m"(fpu_host_fcw)

/* Is there room for a push? If not, the masked answer is a pushed indefinite. */
static always_inline bool fpu_room(struct cpu_fpu *f)
{
	if (likely(FPU_EMPTY(f, 7)))
		return true;
	if (fpu_stack_fault(f, FSW_C1)) {
		fpu_push(f);
		fpu_indefinite(f, 0);
	}
	return false;
}

/* ---- loads ---- */

/*
 * A signalling NaN or a denormal raises an exception when it is loaded from single or double precision. Of the latter's, even
 * when unmasked, the value is pushed.
 */
#define FPU_LOAD(name, insn, bits)                                                   \
	UOP_FRAME_FN(fpu_##name)                                                     \
	{                                                                            \
		struct cpu_fpu *f = &c->fpu;                                         \
		uint64_t lin = uop_lin(c, u);                                        \
		uint##bits##_t m;                                                    \
		union fpreg r;                                                       \
		uint16_t sw;                                                         \
                                                                                     \
		fpu_wait(c, u);                                                      \
		m = mmu_ld##bits(c, u, lin);                                         \
		fpu_note_mem(c, u, lin);                                             \
		if (!fpu_room(f))                                                    \
			return;                                                      \
		__asm__ volatile(insn " %[m]\n\tfnstsw %%ax\n\tfnclex\n\tfstpt %[r]" \
				 : "=&a"(sw), [r] "=m"(r.ld)                         \
				 : [m] "m"(m));                                      \
		if (fpu_take(f, (uint16_t)(sw & ~FSW_C1), FSW_C1, FSW_IE)) {         \
			fpu_push(f);                                                 \
			fpu_copy(&FPU_ST(f, 0), &r);                                 \
		}                                                                    \
	}

FPU_LOAD(fld_m32, "flds", 32)
FPU_LOAD(fld_m64, "fldl", 64)
FPU_LOAD(fild_16, "filds", 16)
FPU_LOAD(fild_32, "fildl", 32)
FPU_LOAD(fild_64, "fildll", 64)

/* 80 bits: size 10; UF_REP: packed decimal. */
UOP_FRAME_FN(fpu_fld_m80)
{
	struct cpu_fpu *f = &c->fpu;
	uint64_t lin = uop_lin(c, u);
	union fpreg r;

	fpu_wait(c, u);
	mmu_load_bytes(c, u, lin, &r, 10);
	fpu_note_mem(c, u, lin);
	if (!fpu_room(f))
		return;
	if (u->flags & UF_REP)
		__asm__ volatile("fbld %[r]\n\tfnclex\n\tfstpt %[r]" : [r] "+m"(r.ld));
	f->fsw &= (uint16_t)~FSW_C1;
	fpu_push(f);
	fpu_copy(&FPU_ST(f, 0), &r);
}

UOP_FRAME_FN(fpu_fld_st)
{
	struct cpu_fpu *f = &c->fpu;

	fpu_wait(c, u);
	fpu_note(c, u);
	/* An empty source is found before a full stack. */
	if (FPU_EMPTY(f, u->src)) {
		if (fpu_stack_fault(f, 0)) {
			fpu_push(f);
			fpu_indefinite(f, 0);
		}
	} else if (fpu_room(f)) {
		const union fpreg *s = &FPU_ST(f, u->src);

		f->fsw &= (uint16_t)~FSW_C1;
		fpu_push(f);
		fpu_copy(&FPU_ST(f, 0), s);
	}
}

#define FPU_CONSTANT(name, insn)                                                           \
	UOP_FRAME_FN(fpu_##name)                                                           \
	{                                                                                  \
		struct cpu_fpu *f = &c->fpu;                                               \
                                                                                           \
		fpu_wait(c, u);                                                            \
		fpu_note(c, u);                                                            \
		if (!fpu_room(f))                                                          \
			return;                                                            \
		fpu_push(f);                                                               \
		f->fsw &= (uint16_t)~FSW_C1;                                               \
		__asm__ volatile("fldcw %[fcw]\n\t" insn "\n\tfldcw %[host]\n\tfstpt %[r]" \
				 : [r] "=m"(FPU_ST(f, 0).ld)                               \
				 : FPU_CONTROLS);                                          \
	}

FPU_CONSTANT(fld1, "fld1")
FPU_CONSTANT(fldl2t, "fldl2t")
FPU_CONSTANT(fldl2e, "fldl2e")
FPU_CONSTANT(fldpi, "fldpi")
FPU_CONSTANT(fldlg2, "fldlg2")
FPU_CONSTANT(fldln2, "fldln2")
FPU_CONSTANT(fldz, "fldz")

/* ---- stores; UF_AUX: then pop ---- */

/*
 * OP stores ST(0) to %[m], and may pop or not: FNINIT tidies up. EMPTY is what a masked stack fault stores. Of an unmasked
 * exception other than inexact nothing is stored; a page fault comes all the same.
 */
#define FPU_STORE(name, op, tidy, bits, empty)                               \
	UOP_FRAME_FN(fpu_##name)                                             \
	{                                                                    \
		struct cpu_fpu *f = &c->fpu;                                 \
		uint64_t lin = uop_lin(c, u);                                \
		uint##bits##_t m = 0;                                        \
		uint16_t sw;                                                 \
                                                                             \
		fpu_wait(c, u);                                              \
		if (unlikely(FPU_EMPTY(f, 0))) {                             \
			if (f->fcw & FSW_IE)                                 \
				mmu_st##bits(c, u, lin, empty);              \
			else                                                 \
				mmu_probe(c, u, lin, bits / 8, ACC_WRITE);   \
			fpu_note_mem(c, u, lin);                             \
			if (fpu_stack_fault(f, 0) && (u->flags & UF_AUX))    \
				fpu_pop(f);                                  \
			return;                                              \
		}                                                            \
		__asm__ volatile(FPU_HOST("fldt %[s]", op " %[m]", tidy)     \
				 : "=&a"(sw), [m] "+m"(m)                    \
				 : [s] "m"(FPU_ST(f, 0).ld), FPU_CONTROLS);  \
		if (!(sw & ~f->fcw & FSW_OUT))                               \
			mmu_st##bits(c, u, lin, m);                          \
		else                                                         \
			mmu_probe(c, u, lin, bits / 8, ACC_WRITE);           \
		fpu_note_mem(c, u, lin);                                     \
		if (fpu_take(f, sw, FSW_C1, FSW_OUT) && (u->flags & UF_AUX)) \
			fpu_pop(f);                                          \
	}

FPU_STORE(fst_m32, "fsts", "fstp %%st(0)", 32, 0xffc00000)
FPU_STORE(fst_m64, "fstl", "fstp %%st(0)", 64, 0xfff8000000000000)
FPU_STORE(fist_16, "fists", "fstp %%st(0)", 16, 0x8000)
FPU_STORE(fist_32, "fistl", "fstp %%st(0)", 32, 0x80000000)
FPU_STORE(fist_64, "fistpll", "fninit", 64, 0x8000000000000000)
FPU_STORE(fisttp_16, "fisttps", "fninit", 16, 0x8000)
FPU_STORE(fisttp_32, "fisttpl", "fninit", 32, 0x80000000)
FPU_STORE(fisttp_64, "fisttpll", "fninit", 64, 0x8000000000000000)

UOP_FRAME_FN(fpu_fstp_m80)
{
	struct cpu_fpu *f = &c->fpu;
	uint64_t lin = uop_lin(c, u);
	union fpreg r = FPU_ST(f, 0);

	fpu_wait(c, u);
	if (FPU_EMPTY(f, 0)) {
		r.mant = 0xc000000000000000;
		r.exp = 0xffff;
		if (f->fcw & FSW_IE)
			mmu_store_bytes(c, u, lin, &r, 10);
		else
			mmu_probe(c, u, lin, 10, ACC_WRITE);
		fpu_note_mem(c, u, lin);
		if (fpu_stack_fault(f, 0))
			fpu_pop(f);
		return;
	}
	mmu_store_bytes(c, u, lin, &r, 10);
	fpu_note_mem(c, u, lin);
	f->fsw &= (uint16_t)~FSW_C1;
	fpu_pop(f);
}

UOP_FRAME_FN(fpu_fbstp)
{
	struct cpu_fpu *f = &c->fpu;
	uint64_t lin = uop_lin(c, u);
	bool empty = FPU_EMPTY(f, 0);
	union fpreg r;
	uint16_t sw;

	fpu_wait(c, u);
	r.mant = 0xc000000000000000;
	r.exp = 0xffff; /* packed decimal indefinite, and also a NaN, which gives it */
	__asm__ volatile(FPU_HOST("fldt %[s]", "fbstp %[r]", "fninit")
			 : "=&a"(sw), [r] "+m"(r.ld)
			 : [s] "m"(FPU_ST(f, 0).ld), FPU_CONTROLS);
	if (empty) {
		r.mant = 0xc000000000000000;
		r.exp = 0xffff;
		sw = FSW_IE;
	}
	if (!(sw & ~f->fcw & FSW_OUT))
		mmu_store_bytes(c, u, lin, &r, 10);
	else
		mmu_probe(c, u, lin, 10, ACC_WRITE);
	fpu_note_mem(c, u, lin);
	if (empty ? fpu_stack_fault(f, 0) : fpu_take(f, sw, FSW_C1, FSW_OUT))
		fpu_pop(f);
}

/* ST(dst) = ST(0). UF_REP: D9 D8+i, which of an empty ST(0) makes no stack fault, and only pops. */
UOP_FRAME_FN(fpu_fst_st)
{
	struct cpu_fpu *f = &c->fpu;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (FPU_EMPTY(f, 0) && (u->flags & UF_REP)) {
		f->fsw &= (uint16_t)~FSW_C1;
	} else if (FPU_EMPTY(f, 0)) {
		if (!fpu_stack_fault(f, 0))
			return;
		fpu_indefinite(f, u->dst);
	} else {
		f->fsw &= (uint16_t)~FSW_C1;
		fpu_copy(&FPU_ST(f, u->dst), &FPU_ST(f, 0));
		f->ftw |= FPU_BIT(f, u->dst);
	}
	if (u->flags & UF_AUX)
		fpu_pop(f);
}

UOP_FRAME_FN(fpu_fxch)
{
	struct cpu_fpu *f = &c->fpu;
	union fpreg t;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (unlikely(FPU_EMPTY(f, 0) || FPU_EMPTY(f, u->src))) {
		if (!fpu_stack_fault(f, 0))
			return;
		if (FPU_EMPTY(f, 0))
			fpu_indefinite(f, 0);
		if (FPU_EMPTY(f, u->src))
			fpu_indefinite(f, u->src);
	} else {
		f->fsw &= (uint16_t)~FSW_C1;
	}
	fpu_copy(&t, &FPU_ST(f, 0));
	fpu_copy(&FPU_ST(f, 0), &FPU_ST(f, u->src));
	fpu_copy(&FPU_ST(f, u->src), &t);
}

/* ST(0) = ST(src) if condition u->size (as in Jcc) holds. */
UOP_FRAME_FN(fpu_fcmov)
{
	struct cpu_fpu *f = &c->fpu;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (unlikely(FPU_EMPTY(f, 0) || FPU_EMPTY(f, u->src))) {
		if (fpu_stack_fault(f, 0))
			fpu_indefinite(f, 0);
	} else if (cc_test(c, u->size)) {
		fpu_copy(&FPU_ST(f, 0), &FPU_ST(f, u->src));
	}
}

/* ---- the stack itself ---- */

const struct uop *fpu_fincstp(struct cpu *c, const struct uop *u)
{
	fpu_wait(c, u);
	fpu_note(c, u);
	c->fpu.top = (c->fpu.top + 1) & 7;
	c->fpu.fsw &= (uint16_t)~FSW_C1;
	NEXT();
}

const struct uop *fpu_fdecstp(struct cpu *c, const struct uop *u)
{
	fpu_wait(c, u);
	fpu_note(c, u);
	c->fpu.top = (c->fpu.top - 1) & 7;
	c->fpu.fsw &= (uint16_t)~FSW_C1;
	NEXT();
}

/* UF_AUX: FFREEP */
const struct uop *fpu_ffree(struct cpu *c, const struct uop *u)
{
	struct cpu_fpu *f = &c->fpu;

	fpu_wait(c, u);
	fpu_note(c, u);
	f->ftw &= (uint8_t)~FPU_BIT(f, u->dst);
	f->fsw &= (uint16_t)~FSW_C1;
	if (u->flags & UF_AUX)
		fpu_pop(f);
	NEXT();
}

const struct uop *fpu_fnop(struct cpu *c, const struct uop *u)
{
	fpu_wait(c, u);
	fpu_note(c, u);
	NEXT();
}
