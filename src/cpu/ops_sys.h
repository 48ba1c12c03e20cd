/* SPDX-License-Identifier: BSD-2-Clause */
/* Micro-operations: UOP(NAME, function). See ir.h. The system side: sys.c, sys_far.c, sys_msr.c, sys_io.c. */
UOP(SYS_CR_READ, op_cr_read)		   /* dst = CR[src], size bytes */
UOP(SYS_CR_WRITE, op_cr_write)		   /* CR[dst] = src; ends the block, as all with a next rip in imm do */
UOP(SYS_DR_READ, op_dr_read)
UOP(SYS_DR_WRITE, op_dr_write)
UOP(SYS_CLTS, op_clts)
UOP(SYS_LMSW, op_lmsw)
UOP(SYS_SMSW, op_smsw)
UOP(SYS_SGDT, op_sgdt)			   /* dst: 0 GDTR, 1 IDTR; size: of the base */
UOP(SYS_LGDT, op_lgdt)
UOP(SYS_SLDT, op_sldt)			   /* src: 0 LDTR, 1 TR; register dst of size bytes, or memory */
UOP(SYS_LLDT, op_lldt)			   /* dst: 0 LDTR, 1 TR */
UOP(SYS_INVLPG, op_invlpg)
UOP(SYS_NOTHING, op_nothing)		   /* WBINVD and the like: caches are not modelled */
UOP(SYS_HLT, op_hlt)
UOP(SYS_CLI, op_cli)
UOP(SYS_STI, op_sti)
UOP(SYS_AC, op_ac)			   /* STAC (imm 1), CLAC (0) */
UOP(SYS_SWAPGS, op_swapgs)
UOP(SYS_BASE_READ, op_base_read)	   /* RDFSBASE, RDGSBASE: src is the segment */
UOP(SYS_BASE_WRITE, op_base_write)
UOP(SYS_CPUID, op_cpuid)
UOP(SYS_RDTSC, op_rdtsc)
UOP(SYS_RDTSCP, op_rdtscp)
UOP(SYS_RDPID, op_rdpid)
UOP(SYS_RDPMC, op_rdpmc)
UOP(SYS_RDRAND, op_rdrand)
UOP(SYS_XGETBV, op_xgetbv)
UOP(SYS_XSETBV, op_xsetbv)
UOP(SYS_RDMSR, op_rdmsr)
UOP(SYS_WRMSR, op_wrmsr)
UOP(SYS_SYSCALL, op_syscall)
UOP(SYS_SYSRET, op_sysret)
UOP(SYS_SYSENTER, op_sysenter)
UOP(SYS_SYSEXIT, op_sysexit)
UOP(SYS_INT, op_int)			   /* dst: vector; UF_AUX: INT1 */
UOP(SYS_DEBUG_BREAK, op_debug_break)	   /* a debugger's breakpoint instead of the instruction */
UOP(SYS_INTO, op_into)
UOP(SYS_JMP_FAR, op_jmp_far)		   /* selector and offset in imm: sel << 32 | off */
UOP(SYS_JMP_FAR_MEM, op_jmp_far_mem)
UOP(SYS_CALL_FAR, op_call_far)
UOP(SYS_CALL_FAR_MEM, op_call_far_mem)
UOP(SYS_RET_FAR, op_ret_far)		   /* imm: bytes to release */
UOP(SYS_IRET, op_iret)
UOP(SYS_SREG_READ, op_sreg_read)	   /* MOV r/m, Sreg */
UOP(SYS_SREG_WRITE, op_sreg_write)	   /* MOV Sreg, r/m */
UOP(SYS_SREG_WRITE64, op_sreg_write64)	   /* ES, DS, FS, GS in 64-bit mode: the block goes on */
UOP(SYS_SREG_POP, op_sreg_pop)
UOP(SYS_LOAD_FAR, op_load_far)		   /* LDS and its like: dst, src the segment */
UOP(SYS_LAR, op_lar)			   /* UF_AUX: LSL; UF_MEM: selector in memory, else in src */
UOP(SYS_VERR, op_verr)			   /* UF_AUX: VERW */
UOP(SYS_ARPL, op_arpl)
UOP(SYS_IN, op_in)			   /* port in src, or DX with UF_AUX */
UOP(SYS_OUT, op_out)
UOP(SYS_INS, op_ins)			   /* REP and address size in flags */
UOP(SYS_OUTS, op_outs)			   /* src: segment */
