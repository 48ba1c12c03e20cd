/* SPDX-License-Identifier: BSD-2-Clause */
/* Micro-operations: UOP(NAME, function). See ir.h, and fpu_exec.h for the fields' use. */
UOP(FPU_UNAVAILABLE, fpu_unavailable)
UOP(FWAIT, fpu_fwait)
UOP(FNINIT, fpu_fninit)
UOP(FNCLEX, fpu_fnclex)
UOP(FLDCW, fpu_fldcw)
UOP(FNSTCW, fpu_fnstcw)
UOP(FNSTSW_M, fpu_fnstsw_m)
UOP(FNSTSW_AX, fpu_fnstsw_ax)
UOP(FNSTENV, fpu_fnstenv)
UOP(FLDENV, fpu_fldenv)
UOP(FNSAVE, fpu_fnsave)
UOP(FRSTOR, fpu_frstor)
