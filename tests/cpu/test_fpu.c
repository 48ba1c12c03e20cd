/* SPDX-License-Identifier: BSD-2-Clause */
/* x87 against the host's processor: every control word, every state of the stack, pending and unmasked exceptions. */
#include "src/cpu/cpuid.h"
#include "tests/cpu/fx_inputs.h"

#define X87(text)                                            \
	{                                                    \
		text, 0, HC_FX, fx_setup_x87, NULL, FEAT_FPU \
	}
#define X87_CMOV(text)                                        \
	{                                                     \
		text, 0, HC_FX, fx_setup_x87, NULL, FEAT_CMOV \
	}

#define ARITH(name)                                                                           \
	X87("f" name " m32"), X87("f" name " m64"), X87("f" name " st0, sti"),                \
		X87("f" name " sti, st0"), X87("f" name "p sti, st0"), X87("fi" name " m16"), \
		X87("fi" name " m32")

static const struct hc_form forms[] = {
	ARITH("add"),
	ARITH("mul"),
	ARITH("sub"),
	ARITH("subr"),
	ARITH("div"),
	ARITH("divr"),
	X87("fcom m32"),
	X87("fcom m64"),
	X87("fcom sti"),
	X87("fcomp m32"),
	X87("fcomp m64"),
	X87("fcomp sti"),
	X87("fcompp"),
	X87("ficom m16"),
	X87("ficom m32"),
	X87("ficomp m16"),
	X87("ficomp m32"),
	X87("fucom sti"),
	X87("fucomp st0, sti"),
	X87("fucompp"),
	X87_CMOV("fcomi st0, sti"),
	X87_CMOV("fcomip st0, sti"),
	X87_CMOV("fucomi st0, sti"),
	X87_CMOV("fucomip st0, sti"),
	X87("ftst"),
	X87("fxam"),
	X87("fld m32"),
	X87("fld m64"),
	X87("fld m80"),
	X87("fld sti"),
	X87("fild m16"),
	X87("fild m32"),
	X87("fild m64"),
	X87("fbld m80"),
	X87("fld1"),
	X87("fldl2t"),
	X87("fldl2e"),
	X87("fldpi"),
	X87("fldlg2"),
	X87("fldln2"),
	X87("fldz"),
	X87("fst m32"),
	X87("fst m64"),
	X87("fst sti"),
	X87("fstp m32"),
	X87("fstp m64"),
	X87("fstp m80"),
	X87("fstp sti"),
	X87("fist m16"),
	X87("fist m32"),
	X87("fistp m16"),
	X87("fistp m32"),
	X87("fistp m64"),
	{"fisttp m16", 0, HC_FX, fx_setup_x87, NULL, FEAT_SSE3},
	{"fisttp m32", 0, HC_FX, fx_setup_x87, NULL, FEAT_SSE3},
	{"fisttp m64", 0, HC_FX, fx_setup_x87, NULL, FEAT_SSE3},
	X87("fbstp m80"),
	X87("fxch sti"),
	X87_CMOV("fcmovb st0, sti"),
	X87_CMOV("fcmove st0, sti"),
	X87_CMOV("fcmovbe st0, sti"),
	X87_CMOV("fcmovu st0, sti"),
	X87_CMOV("fcmovnb st0, sti"),
	X87_CMOV("fcmovne st0, sti"),
	X87_CMOV("fcmovnbe st0, sti"),
	X87_CMOV("fcmovnu st0, sti"),
	X87("fincstp"),
	X87("fdecstp"),
	X87("ffree sti"),
	X87("ffreep sti"),
	X87("fnop"),
	X87("fwait"),
	X87("fchs"),
	X87("fabs"),
	X87("fsqrt"),
	X87("frndint"),
	X87("f2xm1"),
	X87("fsin"),
	X87("fcos"),
	X87("fprem"),
	X87("fprem1"),
	X87("fscale"),
	X87("fyl2x"),
	X87("fyl2xp1"),
	X87("fpatan"),
	X87("fptan"),
	X87("fsincos"),
	X87("fxtract"),
	X87("fninit"),
	X87("fnclex"),
	X87("fldcw m16"),
	X87("fnstcw m16"),
	X87("fnstsw m16"),
	X87("fnstsw ax"),
};

int main(int argc, char **argv)
{
	return hc_main(argc, argv, "test_fpu", forms, sizeof(forms) / sizeof(forms[0]));
}
