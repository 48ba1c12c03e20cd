/* SPDX-License-Identifier: BSD-2-Clause */
/* Micro-operations: UOP(NAME, function). See ir.h. Effective addresses, jumps, calls. */
/* R_EA := the address. A16 and A32 wrap; _B: plus a segment base in 64-bit mode; _SEG: segment dst checked for imm bytes. */
UOP(EA64, exec_ea64)
UOP(EA_IMM, exec_ea_imm)
UOP(EA32, exec_ea32)
UOP(EA32_B, exec_ea32_b)
UOP(EA16, exec_ea16)
UOP(EA32_SEG, exec_ea32_seg)
UOP(EA16_SEG, exec_ea16_seg)
UOP(RIPBASE, exec_ripbase)
/* R_T0 := memory, zero-extended, for indirect jumps */
UOP(LD_T0_16, exec_ld_t0_16)
UOP(LD_T0_32, exec_ld_t0_32)
UOP(LD_T0_64, exec_ld_t0_64)
/* Faults when reached */
UOP(RAISE_UD, exec_raise_ud)
UOP(RAISE_GP, exec_raise_gp)
/* Direct jumps: within the page, and to another one (_X) */
UOP(JMP, exec_jmp)
UOP(JMP_X, exec_jmp_x)
UOP(CALL64, exec_call64)
UOP(CALL64_X, exec_call64_x)
UOP(CALL_GEN, exec_call_gen)
/*
 * Conditional jumps within the page; the next micro-operation is the fall-through jump, within the page too. By condition,
 * and by what set the flags: anything; a SUB or LOGIC of known size before (LOGIC also stands for others where the condition
 * asks for the result only); what leaves them computed (EFLAGS: comparisons of floating point); or a CMP or TEST that is part of this micro-operation (JCMP, JTEST; operands in the order
 * of ops_int.h: R register, I immediate in disp, or with a memory operand in dst and src; M memory).
 */
#define UOP_JCONDS(name, fn)                                                                       \
	UOP(name##_O, fn##_o) UOP(name##_NO, fn##_no) UOP(name##_B, fn##_b) UOP(name##_NB, fn##_nb) \
	UOP(name##_Z, fn##_z) UOP(name##_NZ, fn##_nz) UOP(name##_BE, fn##_be)                      \
	UOP(name##_NBE, fn##_nbe) UOP(name##_S, fn##_s) UOP(name##_NS, fn##_ns)                    \
	UOP(name##_P, fn##_p) UOP(name##_NP, fn##_np) UOP(name##_L, fn##_l)                        \
	UOP(name##_NL, fn##_nl) UOP(name##_LE, fn##_le) UOP(name##_NLE, fn##_nle)
#define UOP_JSIZES(name, fn)                                                                       \
	UOP_JCONDS(name##8, fn##8) UOP_JCONDS(name##16, fn##16)                                    \
	UOP_JCONDS(name##32, fn##32) UOP_JCONDS(name##64, fn##64)
UOP_JCONDS(JCC, exec_jcc)
UOP_JSIZES(JCC_SUB, exec_jcc_sub)
UOP_JSIZES(JCC_LOGIC, exec_jcc_logic)
UOP_JCONDS(JCC_EFLAGS, exec_jcc_eflags)
UOP_JSIZES(JCMP_RR, exec_jcmp_rr)
UOP_JSIZES(JCMP_RI, exec_jcmp_ri)
UOP_JSIZES(JCMP_RM, exec_jcmp_rm)
UOP_JSIZES(JCMP_MR, exec_jcmp_mr)
UOP_JSIZES(JCMP_MI, exec_jcmp_mi)
UOP_JSIZES(JTEST_RR, exec_jtest_rr)
UOP_JSIZES(JTEST_RI, exec_jtest_ri)
UOP_JSIZES(JTEST_MI, exec_jtest_mi)
/* BT and JB or JNB: of a register, bit src; of memory, bit dst */
UOP(JBT_RI_B, exec_jbt_ri_b)
UOP(JBT_RI_NB, exec_jbt_ri_nb)
UOP(JBT_MI16_B, exec_jbt_mi16_b)
UOP(JBT_MI16_NB, exec_jbt_mi16_nb)
UOP(JBT_MI32_B, exec_jbt_mi32_b)
UOP(JBT_MI32_NB, exec_jbt_mi32_nb)
UOP(JBT_MI64_B, exec_jbt_mi64_b)
UOP(JBT_MI64_NB, exec_jbt_mi64_nb)
#undef UOP_JCONDS
#undef UOP_JSIZES
/* Conditional, where one of the ways leads to another page; condition in src */
UOP(JCC_X, exec_jcc_x)
UOP(LOOP, exec_loop)
UOP(JCXZ, exec_jcxz)
/* Indirect */
UOP(JMP_R64, exec_jmp_r64)
UOP(JMP_M64, exec_jmp_m64)
UOP(JMP_R_GEN, exec_jmp_r_gen)
UOP(CALL_R64, exec_call_r64)
UOP(CALL_R_GEN, exec_call_r_gen)
UOP(RET64, exec_ret64)
UOP(RET64_IMM, exec_ret64_imm)
UOP(RET_GEN, exec_ret_gen)
