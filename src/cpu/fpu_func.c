/* SPDX-License-Identifier: BSD-2-Clause */
/* x87: functions of ST(0) and ST(1): square root, rounding, remainder, scale, trigonometry, logarithms. */
#include "src/cpu/fpu_exec.h"

#define FPU_CONTROLS [fcw] "m"(f->fcw), [host] "m"(fpu_host_fcw)

UOP_FRAME_FN(fpu_fchs)
{
	struct cpu_fpu *f = &c->fpu;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (FPU_EMPTY(f, 0)) {
		if (fpu_stack_fault(f, 0))
			fpu_indefinite(f, 0);
	} else {
		FPU_ST(f, 0).exp ^= 0x8000;
		f->fsw &= (uint16_t)~FSW_C1;
	}
}

UOP_FRAME_FN(fpu_fabs)
{
	struct cpu_fpu *f = &c->fpu;

	fpu_wait(c, u);
	fpu_note(c, u);
	if (FPU_EMPTY(f, 0)) {
		if (fpu_stack_fault(f, 0))
			fpu_indefinite(f, 0);
	} else {
		FPU_ST(f, 0).exp &= 0x7fff;
		f->fsw &= (uint16_t)~FSW_C1;
	}
}

/* ---- ST(0) = op ST(0); CC: the condition codes that the instruction defines ---- */

#define FPU_UNARY(name, cc)                                                 \
	UOP_FRAME_FN(fpu_##name)                                            \
	{                                                                   \
		struct cpu_fpu *f = &c->fpu;                                \
		uint16_t sw;                                                \
                                                                            \
		fpu_wait(c, u);                                             \
		fpu_note(c, u);                                             \
		if (unlikely(FPU_EMPTY(f, 0))) {                            \
			f->fsw &= (uint16_t) ~((cc)&FSW_C2);                \
			if (fpu_stack_fault(f, 0))                          \
				fpu_indefinite(f, 0);                       \
			return;                                             \
		}                                                           \
		__asm__ volatile(FPU_HOST("fldt %[d]", #name, "fstpt %[d]") \
				 : "=&a"(sw), [d] "+m"(FPU_ST(f, 0).ld)     \
				 : FPU_CONTROLS);                           \
		fpu_take(f, sw, cc, FSW_PRE);                               \
	}

FPU_UNARY(fsqrt, FSW_C1)
FPU_UNARY(frndint, FSW_C1)
FPU_UNARY(f2xm1, FSW_C1)
FPU_UNARY(fsin, FSW_C1 | FSW_C2)
FPU_UNARY(fcos, FSW_C1 | FSW_C2)

/* ---- ST(0) = ST(0) op ST(1) ---- */

static cold_fn void fpu_binary_empty(struct cpu_fpu *f, uint16_t cc)
{
	f->fsw &= (uint16_t) ~(cc & FSW_C2);
	if (fpu_stack_fault(f, 0))
		fpu_indefinite(f, 0);
}

/* Of the quotient's bits C0 and C3 stay as they were when there is none: the result is a NaN, or none was stored. */
static uint16_t fpu_quotient_codes(const struct cpu_fpu *f, uint16_t sw)
{
	const union fpreg *r = &FPU_ST(f, 0);

	if ((sw & ~f->fcw & FSW_PRE) || ((r->exp & 0x7fff) == 0x7fff && r->mant << 1))
		return FSW_C1 | FSW_C2;
	return FSW_CC;
}

#define FPU_BINARY(name, cc, codes)                                         \
	UOP_FRAME_FN(fpu_##name)                                            \
	{                                                                   \
		struct cpu_fpu *f = &c->fpu;                                \
		uint16_t sw;                                                \
                                                                            \
		fpu_wait(c, u);                                             \
		fpu_note(c, u);                                             \
		if (unlikely(FPU_EMPTY(f, 0) || FPU_EMPTY(f, 1))) {         \
			fpu_binary_empty(f, cc);                            \
			return;                                             \
		}                                                           \
		__asm__ volatile(FPU_HOST("fldt %[s]\n\tfldt %[d]", #name,  \
					  "fstpt %[d]\n\tfstp %%st(0)")     \
				 : "=&a"(sw), [d] "+m"(FPU_ST(f, 0).ld)     \
				 : [s] "m"(FPU_ST(f, 1).ld), FPU_CONTROLS); \
		fpu_take(f, sw, codes, FSW_PRE);                            \
	}

FPU_BINARY(fprem, FSW_CC, fpu_quotient_codes(f, sw))
FPU_BINARY(fprem1, FSW_CC, fpu_quotient_codes(f, sw))
FPU_BINARY(fscale, FSW_C1, FSW_C1)

/* ---- ST(1) = ST(1) op ST(0), pop. Whether the host popped depends on exceptions; FNINIT tidies up ---- */

#define FPU_BINARY_POP(name)                                                                       \
	UOP_FRAME_FN(fpu_##name)                                                                   \
	{                                                                                          \
		struct cpu_fpu *f = &c->fpu;                                                       \
		union fpreg r;                                                                     \
		uint16_t sw;                                                                       \
                                                                                                   \
		fpu_wait(c, u);                                                                    \
		fpu_note(c, u);                                                                    \
		if (unlikely(FPU_EMPTY(f, 0) || FPU_EMPTY(f, 1))) {                                \
			if (fpu_stack_fault(f, 0)) {                                               \
				fpu_indefinite(f, 1);                                              \
				fpu_pop(f);                                                        \
			}                                                                          \
			return;                                                                    \
		}                                                                                  \
		__asm__ volatile(FPU_HOST("fldt %[s]\n\tfldt %[d]", #name, "fstpt %[r]\n\tfninit") \
				 : "=&a"(sw), [r] "=m"(r.ld)                                       \
				 : [d] "m"(FPU_ST(f, 0).ld), [s] "m"(FPU_ST(f, 1).ld),             \
				   FPU_CONTROLS);                                                  \
		if (fpu_take(f, sw, FSW_C1, FSW_PRE)) {                                            \
			fpu_pop(f);                                                                \
			fpu_copy(&FPU_ST(f, 0), &r);                                               \
		}                                                                                  \
	}

FPU_BINARY_POP(fyl2x)
FPU_BINARY_POP(fyl2xp1)
FPU_BINARY_POP(fpatan)

/* ---- one operand, two results: ST(0) is replaced, and another one pushed ---- */

static cold_fn void fpu_two_results_fault(struct cpu_fpu *f, uint16_t c2)
{
	/* An empty operand is found first. */
	bool empty = FPU_EMPTY(f, 0);

	f->fsw &= (uint16_t)~c2;
	if (!fpu_stack_fault(f, empty ? 0 : FSW_C1))
		return;
	fpu_indefinite(f, 0);
	fpu_push(f);
	fpu_indefinite(f, 0);
}

#define FPU_TWO_RESULTS(name, cc)                                                 \
	UOP_FRAME_FN(fpu_##name)                                                  \
	{                                                                         \
		struct cpu_fpu *f = &c->fpu;                                      \
		union fpreg r0, r1;                                               \
		uint16_t sw;                                                      \
                                                                                  \
		fpu_wait(c, u);                                                   \
		fpu_note(c, u);                                                   \
		if (unlikely(FPU_EMPTY(f, 0) || !FPU_EMPTY(f, 7))) {              \
			fpu_two_results_fault(f, (cc)&FSW_C2);                    \
			return;                                                   \
		}                                                                 \
		__asm__ volatile(FPU_HOST("fldt %[d]", #name,                     \
					  "fstpt %[r0]\n\tfstpt %[r1]\n\tfninit") \
				 : "=&a"(sw), [r0] "=m"(r0.ld), [r1] "=m"(r1.ld)  \
				 : [d] "m"(FPU_ST(f, 0).ld), FPU_CONTROLS);       \
		/* C2: the operand is out of range, and stays */                  \
		if (fpu_take(f, sw, cc, FSW_PRE) && !((cc)&sw & FSW_C2)) {        \
			fpu_copy(&FPU_ST(f, 0), &r1);                             \
			fpu_push(f);                                              \
			fpu_copy(&FPU_ST(f, 0), &r0);                             \
		}                                                                 \
	}

FPU_TWO_RESULTS(fptan, FSW_C1 | FSW_C2)
FPU_TWO_RESULTS(fsincos, FSW_C1 | FSW_C2)
FPU_TWO_RESULTS(fxtract, FSW_C1)
