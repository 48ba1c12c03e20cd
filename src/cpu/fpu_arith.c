/* SPDX-License-Identifier: BSD-2-Clause */
/* x87: basic arithmetic and comparison. */
#include "src/cpu/fpu_exec.h"

#define FPU_CONTROLS [fcw] "m"(f->fcw), [host] "m"(fpu_host_fcw)

/* ---- ST(dst) = ST(dst) op ST(src); UF_AUX: then pop ---- */

static cold_fn void fpu_arith_empty(struct cpu *c, const struct uop *u, unsigned dst)
{
	struct cpu_fpu *f = &c->fpu;

	if (!fpu_stack_fault(f, 0))
		return;
	fpu_indefinite(f, dst);
	if (u->flags & UF_AUX)
		fpu_pop(f);
}

#define FPU_ARITH_REG(name, insn)                                                          \
	UOP_FRAME_FN(fpu_##name##_st)                                                      \
	{                                                                                  \
		struct cpu_fpu *f = &c->fpu;                                               \
		long double *d = &FPU_ST(f, u->dst).ld;                                    \
		uint16_t sw;                                                               \
                                                                                           \
		fpu_wait(c, u);                                                            \
		fpu_note(c, u);                                                            \
		if (unlikely(FPU_EMPTY(f, u->dst) || FPU_EMPTY(f, u->src))) {              \
			fpu_arith_empty(c, u, u->dst);                                     \
			return;                                                            \
		}                                                                          \
		__asm__ volatile(FPU_HOST("fldt %[s]\n\tfldt %[d]", insn " %%st(1), %%st", \
					  "fstpt %[d]\n\tfstp %%st(0)")                    \
				 : "=&a"(sw), [d] "+m"(*d)                                 \
				 : [s] "m"(FPU_ST(f, u->src).ld), FPU_CONTROLS);           \
		if (fpu_take(f, sw, FSW_C1, FSW_PRE) && (u->flags & UF_AUX))               \
			fpu_pop(f);                                                        \
	}

/* ---- ST(0) = ST(0) op memory ---- */

#define FPU_ARITH_MEM(name, insn, bits)                                            \
	UOP_FRAME_FN(fpu_##name)                                                   \
	{                                                                          \
		struct cpu_fpu *f = &c->fpu;                                       \
		uint64_t lin = uop_lin(c, u);                                      \
		uint##bits##_t m;                                                  \
		uint16_t sw;                                                       \
                                                                                   \
		fpu_wait(c, u);                                                    \
		m = mmu_ld##bits(c, u, lin);                                       \
		fpu_note_mem(c, u, lin);                                           \
		if (unlikely(FPU_EMPTY(f, 0))) {                                   \
			fpu_arith_empty(c, u, 0);                                  \
			return;                                                    \
		}                                                                  \
		__asm__ volatile(FPU_HOST("fldt %[d]", insn " %[m]", "fstpt %[d]") \
				 : "=&a"(sw), [d] "+m"(FPU_ST(f, 0).ld)            \
				 : [m] "m"(m), FPU_CONTROLS);                      \
		fpu_take(f, sw, FSW_C1, FSW_PRE);                                  \
	}

#define FPU_ARITH(name)                                  \
	FPU_ARITH_REG(f##name, "f" #name)                \
	FPU_ARITH_MEM(f##name##_m32, "f" #name "s", 32)  \
	FPU_ARITH_MEM(f##name##_m64, "f" #name "l", 64)  \
	FPU_ARITH_MEM(f##name##_i16, "fi" #name "s", 16) \
	FPU_ARITH_MEM(f##name##_i32, "fi" #name "l", 32)

FPU_ARITH(add)
FPU_ARITH(mul)
FPU_ARITH(sub)
FPU_ARITH(subr)
FPU_ARITH(div)
FPU_ARITH(divr)

/* ---- comparison into the condition codes; u->size: how many to pop ---- */

/* Unmasked, an invalid operand leaves the stack; the condition codes are set in any case. */
static void fpu_compared(struct cpu *c, const struct uop *u, uint16_t sw)
{
	struct cpu_fpu *f = &c->fpu;

	if (!fpu_take(f, sw, FSW_CC, FSW_PRE))
		return;
	for (unsigned i = 0; i < u->size; i++)
		fpu_pop(f);
}

static cold_fn void fpu_compare_empty(struct cpu *c, const struct uop *u)
{
	struct cpu_fpu *f = &c->fpu;

	f->fsw |= FSW_C0 | FSW_C2 | FSW_C3;
	if (!fpu_stack_fault(f, 0))
		return;
	for (unsigned i = 0; i < u->size; i++)
		fpu_pop(f);
}

#define FPU_COMPARE_REG(name, insn)                                                          \
	UOP_FRAME_FN(fpu_##name)                                                             \
	{                                                                                    \
		struct cpu_fpu *f = &c->fpu;                                                 \
		uint16_t sw;                                                                 \
                                                                                             \
		fpu_wait(c, u);                                                              \
		fpu_note(c, u);                                                              \
		if (unlikely(FPU_EMPTY(f, 0) || FPU_EMPTY(f, u->src))) {                     \
			fpu_compare_empty(c, u);                                             \
			return;                                                              \
		}                                                                            \
		__asm__ volatile("fldt %[s]\n\tfldt %[d]\n\t" insn " %%st(1)\n\t"            \
				 "fnstsw %%ax\n\tfnclex\n\tfstp %%st(0)\n\tfstp %%st(0)"     \
				 : "=&a"(sw)                                                 \
				 : [d] "m"(FPU_ST(f, 0).ld), [s] "m"(FPU_ST(f, u->src).ld)); \
		fpu_compared(c, u, sw);                                                      \
	}

#define FPU_COMPARE_MEM(name, insn, bits)                                 \
	UOP_FRAME_FN(fpu_##name)                                          \
	{                                                                 \
		struct cpu_fpu *f = &c->fpu;                              \
		uint64_t lin = uop_lin(c, u);                             \
		uint##bits##_t m;                                         \
		uint16_t sw;                                              \
                                                                          \
		fpu_wait(c, u);                                           \
		m = mmu_ld##bits(c, u, lin);                              \
		fpu_note_mem(c, u, lin);                                  \
		if (unlikely(FPU_EMPTY(f, 0))) {                          \
			fpu_compare_empty(c, u);                          \
			return;                                           \
		}                                                         \
		__asm__ volatile("fldt %[d]\n\t" insn " %[m]\n\t"         \
				 "fnstsw %%ax\n\tfnclex\n\tfstp %%st(0)"  \
				 : "=&a"(sw)                              \
				 : [d] "m"(FPU_ST(f, 0).ld), [m] "m"(m)); \
		fpu_compared(c, u, sw);                                   \
	}

FPU_COMPARE_REG(fcom_st, "fcom")
FPU_COMPARE_REG(fucom_st, "fucom")
FPU_COMPARE_MEM(fcom_m32, "fcoms", 32)
FPU_COMPARE_MEM(fcom_m64, "fcoml", 64)
FPU_COMPARE_MEM(fcom_i16, "ficoms", 16)
FPU_COMPARE_MEM(fcom_i32, "ficoml", 32)

UOP_FRAME_FN(fpu_ftst)
{
	struct cpu_fpu *f = &c->fpu;
	uint16_t sw;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (FPU_EMPTY(f, 0)) {
		fpu_compare_empty(c, u);
		return;
	}
	__asm__ volatile("fldt %[d]\n\tftst\n\tfnstsw %%ax\n\tfnclex\n\tfstp %%st(0)"
			 : "=&a"(sw)
			 : [d] "m"(FPU_ST(f, 0).ld));
	fpu_compared(c, u, sw);
}

/* ---- comparison into EFLAGS; u->size: how many to pop ---- */

static noinline_fn void fpu_comi(struct cpu *c, const struct uop *u, bool quiet)
{
	struct cpu_fpu *f = &c->fpu;
	unsigned flags;
	uint16_t sw;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (unlikely(FPU_EMPTY(f, 0) || FPU_EMPTY(f, u->src))) {
		cc_set(c, FL_ZF | FL_PF | FL_CF);
		if (fpu_stack_fault(f, 0) && u->size)
			fpu_pop(f);
		return;
	}
	if (quiet)
		__asm__ volatile("fldt %[s]\n\tfldt %[d]\n\tfucomi %%st(1), %%st\n\t"
				 "lahf\n\tmovzbl %%ah, %[fl]\n\t"
				 "fnstsw %%ax\n\tfnclex\n\tfstp %%st(0)\n\tfstp %%st(0)"
				 : "=&a"(sw), [fl] "=&Q"(flags)
				 : [d] "m"(FPU_ST(f, 0).ld), [s] "m"(FPU_ST(f, u->src).ld)
				 : "cc");
	else
		__asm__ volatile("fldt %[s]\n\tfldt %[d]\n\tfcomi %%st(1), %%st\n\t"
				 "lahf\n\tmovzbl %%ah, %[fl]\n\t"
				 "fnstsw %%ax\n\tfnclex\n\tfstp %%st(0)\n\tfstp %%st(0)"
				 : "=&a"(sw), [fl] "=&Q"(flags)
				 : [d] "m"(FPU_ST(f, 0).ld), [s] "m"(FPU_ST(f, u->src).ld)
				 : "cc");
	cc_set(c, flags & (FL_ZF | FL_PF | FL_CF));
	if (fpu_take(f, sw, 0, FSW_PRE) && u->size)
		fpu_pop(f);
}

const struct uop *fpu_fcomi(struct cpu *c, const struct uop *u)
{
	fpu_comi(c, u, false);
	NEXT();
}

const struct uop *fpu_fucomi(struct cpu *c, const struct uop *u)
{
	fpu_comi(c, u, true);
	NEXT();
}

/* The class as C3, C2, C0 (SDM 2A, FXAM); C1 is the sign, of an empty register too. */
const struct uop *fpu_fxam(struct cpu *c, const struct uop *u)
{
	struct cpu_fpu *f = &c->fpu;
	const union fpreg *r = &FPU_ST(f, 0);
	unsigned exp = r->exp & 0x7fff;
	uint16_t cc;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (FPU_EMPTY(f, 0))
		cc = FSW_C3 | FSW_C0;
	else if (!exp)
		cc = r->mant ? FSW_C3 | FSW_C2 : FSW_C3;
	else if (!(r->mant >> 63))
		cc = 0; /* unsupported */
	else if (exp == 0x7fff)
		cc = r->mant << 1 ? FSW_C0 : FSW_C2 | FSW_C0;
	else
		cc = FSW_C2;
	f->fsw = (uint16_t)((f->fsw & ~FSW_CC) | cc | (r->exp & 0x8000 ? FSW_C1 : 0));
	NEXT();
}
