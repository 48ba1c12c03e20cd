/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Micro-operations: UOP(NAME, function). See ir.h.
 *
 * Forms: R register, I immediate, M memory, destination first; MX and M...X: the memory operand has an index (without
 * one the address is a slot and a displacement). Sizes follow each other (8, 16, 32, 64), and the form with an index
 * follows the one without, so translation computes NAME_form8 + 4 * indexed + log2(size).
 */
#define UOP_SIZES(name, fn) UOP(name##8, fn##8) UOP(name##16, fn##16) UOP(name##32, fn##32) UOP(name##64, fn##64)
#define UOP_SIZES2(name, fn) UOP(name##32, fn##32) UOP(name##64, fn##64)
#define UOP_SIZES3(name, fn) UOP(name##16, fn##16) UOP(name##32, fn##32) UOP(name##64, fn##64)
#define UOP_MEM(name, fn)   UOP_SIZES(name, fn) UOP_SIZES(name##X, fn##x)
#define UOP_CONDS(name, fn)                                                                        \
	UOP(name##_O, fn##_o) UOP(name##_NO, fn##_no) UOP(name##_B, fn##_b) UOP(name##_NB, fn##_nb) \
	UOP(name##_Z, fn##_z) UOP(name##_NZ, fn##_nz) UOP(name##_BE, fn##_be)                      \
	UOP(name##_NBE, fn##_nbe) UOP(name##_S, fn##_s) UOP(name##_NS, fn##_ns)                    \
	UOP(name##_P, fn##_p) UOP(name##_NP, fn##_np) UOP(name##_L, fn##_l)                        \
	UOP(name##_NL, fn##_nl) UOP(name##_LE, fn##_le) UOP(name##_NLE, fn##_nle)
/* By what set the flags: anything, or a SUB or LOGIC of a known size. */
#define UOP_CONDS_BY_CC(name, fn)                                                                  \
	UOP_CONDS(name, fn)                                                                        \
	UOP_CONDS(name##_SUB8, fn##_sub8) UOP_CONDS(name##_SUB16, fn##_sub16)                      \
	UOP_CONDS(name##_SUB32, fn##_sub32) UOP_CONDS(name##_SUB64, fn##_sub64)                    \
	UOP_CONDS(name##_LOGIC8, fn##_logic8) UOP_CONDS(name##_LOGIC16, fn##_logic16)              \
	UOP_CONDS(name##_LOGIC32, fn##_logic32) UOP_CONDS(name##_LOGIC64, fn##_logic64)
#define UOP_ALU(name, fn)                                                                          \
	UOP_SIZES(name##_RR, fn##_rr) UOP_SIZES(name##_RI, fn##_ri) UOP_MEM(name##_RM, fn##_rm)    \
	UOP_MEM(name##_MR, fn##_mr) UOP_MEM(name##_MI, fn##_mi)
#define UOP_UNARY(name, fn) UOP_SIZES(name##_R, fn##_r) UOP_MEM(name##_M, fn##_m)
#define UOP_EXT(name, fn)   UOP(name##_R, fn##_r) UOP(name##_M, fn##_m) UOP(name##_MX, fn##_mx)

/* exec_int_alu.c */
/*
 * CF into R_CARRY, where ADC, SBB, INC, DEC and others take it: from anything, or from flags whose kind is known. Not
 * needed where the carry is known to be 0.
 */
UOP(CARRY, i_carry)
UOP(CARRY_ADD, i_carry_add)
UOP(CARRY_ADC, i_carry_adc)
UOP(CARRY_SUB, i_carry_sub)
UOP(CARRY_SBB, i_carry_sbb)
UOP(CARRY_BIT0, i_carry_bit0) /* EFLAGS, SHR, SZP */
UOP(CARRY_SRC2, i_carry_src2) /* INC, DEC */
UOP_ALU(ADD, i_add)
UOP_ALU(OR, i_or)
UOP_ALU(ADC, i_adc)
UOP_ALU(SBB, i_sbb)
UOP_ALU(AND, i_and)
UOP_ALU(SUB, i_sub)
UOP_ALU(XOR, i_xor)
UOP_ALU(CMP, i_cmp)
UOP_SIZES(TEST_RR, i_test_rr)
UOP_SIZES(TEST_RI, i_test_ri)
UOP_MEM(TEST_MR, i_test_mr)
UOP_MEM(TEST_MI, i_test_mi)
UOP_UNARY(INC, i_inc)
UOP_UNARY(DEC, i_dec)
UOP_UNARY(NEG, i_neg)
UOP_UNARY(NOT, i_not)

/* exec_int_mov.c */
UOP_ALU(MOV, i_mov)
/* Load that also faults as a store would: the first half of a read-modify-write through a temporary. */
UOP_MEM(LDW_RM, i_ldw_rm)
UOP_EXT(MOVZX16_8, i_movzx16_8)
UOP_EXT(MOVZX32_8, i_movzx32_8)
UOP_EXT(MOVZX32_16, i_movzx32_16)
UOP_EXT(MOVSX16_8, i_movsx16_8)
UOP_EXT(MOVSX32_8, i_movsx32_8)
UOP_EXT(MOVSX32_16, i_movsx32_16)
UOP_EXT(MOVSX64_8, i_movsx64_8)
UOP_EXT(MOVSX64_16, i_movsx64_16)
UOP_EXT(MOVSX64_32, i_movsx64_32)
UOP_SIZES3(ZERO, i_zero) /* XOR or SUB of a register with itself */
UOP_SIZES3(LEA, i_lea)	 /* slot + disp */
UOP_SIZES3(LEAX, i_leax) /* with an index */
UOP_SIZES(XCHG_RR, i_xchg_rr)
UOP_SIZES3(CWD, i_cwd) /* CWD, CDQ, CQO */
UOP_SIZES3(BSWAP, i_bswap)
UOP(XLAT, i_xlat)

/* exec_int_cond.c */
UOP_CONDS_BY_CC(SET, i_set)
UOP_CONDS_BY_CC(CMOV32, i_cmov32)
UOP_CONDS_BY_CC(CMOV64, i_cmov64)
UOP_CONDS(CMOV16, i_cmov16)

/* exec_int_stack.c */
UOP(PUSH_R64, i_push_r64) /* 64-bit mode */
/* A run of that many, in order in the bytes of imm; each follows by itself as well, for when the run may fault */
UOP(PUSH2_R64, i_push2_r64)
UOP(PUSH3_R64, i_push3_r64)
UOP(PUSH4_R64, i_push4_r64)
UOP(PUSH5_R64, i_push5_r64)
UOP(PUSH6_R64, i_push6_r64)
UOP(POP2_R64, i_pop2_r64)
UOP(POP3_R64, i_pop3_r64)
UOP(POP4_R64, i_pop4_r64)
UOP(POP5_R64, i_pop5_r64)
UOP(POP6_R64, i_pop6_r64)
UOP(PUSH_I64, i_push_i64)
UOP(POP_R64, i_pop_r64)
UOP(PUSH_R32, i_push_r32) /* flat 32-bit stack */
UOP(PUSH_I32, i_push_i32)
UOP(POP_R32, i_pop_r32)
UOP(PUSH_T, i_push_t)	  /* any stack; value in slot src, size */
UOP(POP_T, i_pop_t)	  /* into slot dst, moving rSP */
UOP(PEEK_T, i_peek_t)	  /* into slot dst, rSP stays */
UOP(DROP, i_drop)	  /* rSP += imm */
UOP(MOV_SELECTOR, i_mov_selector) /* selector of segment src into slot dst, zero-extended */
UOP(PUSHA, i_pusha)
UOP(POPA, i_popa)
UOP(PUSHF, i_pushf)
UOP(POPF, i_popf)
UOP(ENTER, i_enter)
UOP(LEAVE, i_leave)
UOP(LEAVE64, i_leave64)
UOP(LAHF, i_lahf)
UOP(SAHF, i_sahf)
UOP(CLC, i_clc)
UOP(STC, i_stc)
UOP(CMC, i_cmc)
UOP(CLD, i_cld)
UOP(STD, i_std)
UOP(SALC, i_salc)
UOP(BOUND, i_bound)
UOP(PAUSE, i_pause)
UOP(PROBE, i_probe)
UOP(LFENCE, i_lfence)
UOP(SFENCE, i_sfence)
UOP(MFENCE, i_mfence)

/* exec_int_lock.c; in the order of the unlocked ones, memory operand and slot src */
UOP_SIZES(LOCK_ADD, i_lock_add)
UOP_SIZES(LOCK_OR, i_lock_or)
UOP_SIZES(LOCK_ADC, i_lock_adc)
UOP_SIZES(LOCK_SBB, i_lock_sbb)
UOP_SIZES(LOCK_AND, i_lock_and)
UOP_SIZES(LOCK_SUB, i_lock_sub)
UOP_SIZES(LOCK_XOR, i_lock_xor)
UOP_SIZES(LOCK_INC, i_lock_inc)
UOP_SIZES(LOCK_DEC, i_lock_dec)
UOP_SIZES(LOCK_NEG, i_lock_neg)
UOP_SIZES(LOCK_NOT, i_lock_not)
UOP_SIZES(XCHG_M, i_xchg_m)
UOP_SIZES(XADD_M, i_xadd_m)
UOP_SIZES(XADD_RR, i_xadd_rr)
UOP_SIZES(CMPXCHG_M, i_cmpxchg_m)
UOP_SIZES(CMPXCHG_RR, i_cmpxchg_rr)
UOP_SIZES3(LOCK_BTS, i_lock_bts)
UOP_SIZES3(LOCK_BTR, i_lock_btr)
UOP_SIZES3(LOCK_BTC, i_lock_btc)
UOP(CMPXCHG8B, i_cmpxchg8b)
UOP(CMPXCHG16B, i_cmpxchg16b)

/* exec_int_shift.c; R is a slot: registers, or temporaries for memory */
UOP_SIZES(SHL_RI, i_shl_ri)
UOP_SIZES(SHL_RC, i_shl_rc)
UOP_SIZES(SHR_RI, i_shr_ri)
UOP_SIZES(SHR_RC, i_shr_rc)
UOP_SIZES(SAR_RI, i_sar_ri)
UOP_SIZES(SAR_RC, i_sar_rc)
UOP_SIZES(ROL_RI, i_rol_ri)
UOP_SIZES(ROL_RC, i_rol_rc)
UOP_SIZES(ROR_RI, i_ror_ri)
UOP_SIZES(ROR_RC, i_ror_rc)
UOP(RCL, i_rcl) /* any size; UF_AUX: by CL */
UOP(RCR, i_rcr)
UOP_SIZES3(SHLD, i_shld)
UOP_SIZES3(SHRD, i_shrd)

/* exec_int_bits.c */
UOP_SIZES3(BT_RR, i_bt_rr)
UOP_SIZES3(BT_RI, i_bt_ri)
UOP_SIZES3(BTS_RR, i_bts_rr)
UOP_SIZES3(BTS_RI, i_bts_ri)
UOP_SIZES3(BTR_RR, i_btr_rr)
UOP_SIZES3(BTR_RI, i_btr_ri)
UOP_SIZES3(BTC_RR, i_btc_rr)
UOP_SIZES3(BTC_RI, i_btc_ri)
UOP_SIZES3(BT_MI, i_bt_mi) /* bit number in dst */
UOP_SIZES3(BTEA, i_btea)
UOP_SIZES3(BTEA_SEG, i_btea_seg)
UOP_SIZES3(BSF, i_bsf)
UOP_SIZES3(BSR, i_bsr)
UOP_SIZES3(TZCNT, i_tzcnt)
UOP_SIZES3(LZCNT, i_lzcnt)
UOP_SIZES3(POPCNT, i_popcnt)
UOP_SIZES2(ANDN, i_andn)
UOP_SIZES2(BEXTR, i_bextr)
UOP_SIZES2(BLSI, i_blsi)
UOP_SIZES2(BLSR, i_blsr)
UOP_SIZES2(BLSMSK, i_blsmsk)
UOP_SIZES2(BZHI, i_bzhi)
UOP_SIZES2(PDEP, i_pdep)
UOP_SIZES2(PEXT, i_pext)
UOP_SIZES2(RORX, i_rorx)
UOP_SIZES2(SARX, i_sarx)
UOP_SIZES2(SHLX, i_shlx)
UOP_SIZES2(SHRX, i_shrx)
UOP_SIZES2(MULX, i_mulx)
UOP_SIZES2(ADCX, i_adcx)
UOP_SIZES2(ADOX, i_adox)
UOP(CRC32, i_crc32)
UOP_SIZES3(MOVBE, i_movbe)

/* exec_int_muldiv.c */
UOP_SIZES(MUL, i_mul)
UOP_SIZES(IMUL, i_imul)
UOP_SIZES(DIV, i_div)
UOP_SIZES(IDIV, i_idiv)
UOP_SIZES3(IMUL_RR, i_imul_rr)
UOP_SIZES3(IMUL_RRI, i_imul_rri)
UOP_SIZES3(IMUL_RM, i_imul_rm)
UOP_SIZES3(IMUL_RMX, i_imul_rmx)
UOP(DAA, i_daa)
UOP(DAS, i_das)
UOP(AAA, i_aaa)
UOP(AAS, i_aas)
UOP(AAM, i_aam)
UOP(AAD, i_aad)

/* exec_int_string.c; segment of rSI in src, flags: address size, REP; element size in size */
UOP(MOVS, i_movs)
UOP(STOS, i_stos)
UOP(LODS, i_lods)
UOP(SCAS, i_scas)
UOP(CMPS, i_cmps)

#undef UOP_SIZES
#undef UOP_SIZES2
#undef UOP_SIZES3
#undef UOP_MEM
#undef UOP_CONDS
#undef UOP_CONDS_BY_CC
#undef UOP_ALU
#undef UOP_UNARY
#undef UOP_EXT
