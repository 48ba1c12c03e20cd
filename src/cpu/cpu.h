/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software CPU: one x86-64 logical processor.
 *
 * Rooms of this folder, in the order an instruction passes them:
 *
 *	block.c      finds or makes the translated block for (linear rip, physical address, mode)
 *	translate*.c bytes -> micro-operations (ir.h), decoding by Zydis
 *	exec*.c      executes micro-operations; exec.c has the outer loop
 *	mmu*.c       linear -> physical: software TLB, page walks, slow paths, MMIO
 *	seg.c excp.c task.c sys*.c	segmentation, exceptions, task switch, system instructions
 *	fpu*.c sse*.c	x87, MMX, SSE
 *	lapic.c      local APIC; soft.c: the accelerator's thread and ops table; cpuid.c: models
 *
 * A struct cpu belongs to its vCPU thread while that runs; the loop may touch it when the vCPU is parked.
 * Fields that other threads write are marked atomic.
 *
 * Sources: Intel SDM vol. 1-3 (order numbers 253665, 325383, 325384), AMD64 APM vol. 2-3.
 */
#ifndef EVMM_CPU_CPU_H
#define EVMM_CPU_CPU_H

#include <immintrin.h>
#include <setjmp.h>
#include "src/accel.h"
#include "src/util.h"
#include "src/vcpu.h"

struct cpu;
struct uop;
struct block;
struct block_cache;
struct native;
struct lapic;
struct code_map;

/*
 * Register slots. Micro-operations name registers by slot. Segment bases and temporaries are slots too, so
 * that a memory operand is always regs[base] + (regs[index] << scale) + disp with no special case.
 */
enum {
	R_RAX,
	R_RCX,
	R_RDX,
	R_RBX,
	R_RSP,
	R_RBP,
	R_RSI,
	R_RDI,
	R_R8,
	R_R9,
	R_R10,
	R_R11,
	R_R12,
	R_R13,
	R_R14,
	R_R15,
	R_ZERO, /* always 0 */
	R_EA,	/* linear address computed by an EA micro-operation */
	R_T0,
	R_T1,
	R_T2,	 /* temporaries within one instruction */
	R_CARRY, /* CF as 0 or 1, within one instruction */
	R_RIPBASE, /* rip of the block's first instruction, where a block needs it for RIP-relative operands */
	R_SPARE2,
	R_ESBASE,
	R_CSBASE,
	R_SSBASE,
	R_DSBASE,
	R_FSBASE,
	R_GSBASE, /* = segment bases */
	R_NSLOTS = 32,
};

enum { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS, S_NSEGS };

/* EFLAGS bits (SDM 1, 3.4.3) */
#define FL_CF	 BIT(0)
#define FL_1	 BIT(1)
#define FL_PF	 BIT(2)
#define FL_AF	 BIT(4)
#define FL_ZF	 BIT(6)
#define FL_SF	 BIT(7)
#define FL_TF	 BIT(8)
#define FL_IF	 BIT(9)
#define FL_DF	 BIT(10)
#define FL_OF	 BIT(11)
#define FL_IOPL	 0x3000u
#define FL_NT	 BIT(14)
#define FL_RF	 BIT(16)
#define FL_VM	 BIT(17)
#define FL_AC	 BIT(18)
#define FL_VIF	 BIT(19)
#define FL_VIP	 BIT(20)
#define FL_ID	 BIT(21)
#define FL_ARITH (FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME	       BIT(0)
#define CR4_PVI	       BIT(1)
#define CR4_TSD	       BIT(2)
#define CR4_DE	       BIT(3)
#define CR4_PSE	       BIT(4)
#define CR4_PAE	       BIT(5)
#define CR4_MCE	       BIT(6)
#define CR4_PGE	       BIT(7)
#define CR4_PCE	       BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define EFER_SCE   BIT(0)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define EFER_NXE   BIT(11)
#define EFER_FFXSR BIT(14)

/* Exception vectors (SDM 3A, table 6-1) */
enum {
	EXC_DE = 0,
	EXC_DB = 1,
	EXC_NMI = 2,
	EXC_BP = 3,
	EXC_OF = 4,
	EXC_BR = 5,
	EXC_UD = 6,
	EXC_NM = 7,
	EXC_DF = 8,
	EXC_TS = 10,
	EXC_NP = 11,
	EXC_SS = 12,
	EXC_GP = 13,
	EXC_PF = 14,
	EXC_MF = 16,
	EXC_AC = 17,
	EXC_MC = 18,
	EXC_XM = 19,
};

/* Descriptor cache of a segment register. The base is regs[R_ESBASE + n]. `attr` is descriptor bits 40-55 >> 40 with the limit nibble cleared, i.e. type:4 s:1 dpl:2 p:1 ....:4 avl:1 l:1 db:1 g:1. */
struct cpu_seg {
	uint16_t sel;
	uint16_t attr;
	uint32_t
		limit; /* bytes, expanded (inclusive last offset; for expand-down the excluded one) */
	uint64_t base; /* LDT, TR; for S_* kept equal to regs[R_ESBASE + n] */
};

#define SEG_TYPE(attr) ((attr)&15)
#define SEG_S	       BIT(4)
#define SEG_DPL(attr)  (((attr) >> 5) & 3)
#define SEG_P	       BIT(7)
#define SEG_L	       BIT(13)
#define SEG_DB	       BIT(14)
#define SEG_G	       BIT(15)
#define SEG_CODE       BIT(3) /* in type, with S */
#define SEG_CONFORM    BIT(2) /* code: conforming; data: expand-down */
#define SEG_RW	       BIT(1) /* code: readable; data: writable */
#define SEG_A	       BIT(0)

struct cpu_dtr {
	uint64_t base;
	uint16_t limit;
};

/*
 * What a block's translation depends on besides its bytes, its rip and CS's base and limit. A change of any of
 * it goes through cpu_mode_changed(), which recomputes cpu->mode and cpu->tlb.
 */
enum cpu_mode_bits {
	MODE_CODE32 = 1u << 0, /* neither CODE32 nor CODE64: 16-bit code */
	MODE_CODE64 = 1u << 1,
	MODE_SS32 = 1u << 2, /* stack address size 32 (in 64-bit mode: ignored, 64) */
	MODE_FLAT =
		1u
		<< 3, /* DS, ES and SS: base 0, limit 4 GiB, writable; and CS limit 4 GiB. FS/GS are never assumed flat */
	MODE_PE = 1u << 4,
	MODE_VM = 1u << 5,	/* virtual-8086 */
	MODE_USER = 1u << 6,	/* CPL 3 */
	MODE_STEP = 1u << 7,	/* TF set: blocks of one instruction, then #DB */
	MODE_BP = 1u << 8,	/* DR7 enables an instruction breakpoint */
	MODE_FPU_NM = 1u << 9,	/* x87/MMX raises #NM (CR0.EM or TS) */
	MODE_SSE_NM = 1u << 10, /* SSE raises #NM (CR0.TS) */
	MODE_SSE_UD = 1u << 11, /* SSE raises #UD (CR0.EM or !CR4.OSFXSR) */
	MODE_MXCSR = 1u << 12,	/* an SSE exception is unmasked: checked variants */
	MODE_LMA = 1u << 13,	/* long mode active (compatibility or 64-bit) */
	MODE_CPL0 = 1u << 14,
	MODE_TSD = 1u << 15, /* RDTSC faults here */
	MODE_DBP =
		1u
		<< 16, /* DR7 enables a data or I/O breakpoint: blocks of one instruction, then cpu_step_trap() */
	/* In any of these, blocks hold one instruction and are not chained. */
	MODE_ONE = MODE_STEP | MODE_BP | MODE_DBP,
};

/* Software TLB tables, chosen by privilege */
enum { MMU_USER, MMU_KERNEL_SMAP, MMU_KERNEL, MMU_CHECKED, MMU_NTABLES };
/* USER: CPL 3. KERNEL_SMAP: supervisor that may not touch user pages. KERNEL: supervisor, SMAP off or AC set.
 * CHECKED: never has a fast entry; in use while alignment checks (#AC) or data breakpoints are on. */

#define TLB_BITS   12
#define TLB_SIZE   (1u << TLB_BITS)
#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u
#define PAGE_MASK  (~0xfffull)

/*
 * rtag/wtag: linear page | low bits. Any low bit set, and the fast compare fails. Invalid: ~0.
 * addend: host address = linear + addend, for RAM.
 * phys: physical page | TLB_X | TLB_G | TLB_IO ... (mmu.h)
 */
struct tlb_entry {
	uint64_t rtag, wtag, addend, phys;
};

union xmm {
	__m128i i;
	__m128d d;
	__m128 f;
	uint8_t u8[16];
	uint16_t u16[8];
	uint32_t u32[4];
	uint64_t u64[2];
	int8_t s8[16];
	int16_t s16[8];
	int32_t s32[4];
	int64_t s64[2];
	float f32[4];
	double f64[2];
} __attribute__((aligned(16)));

/* x87 data register; MMX aliases the low 64 bits (and sets the high 16 to ones). */
union fpreg {
	long double ld;
	uint64_t mmx;
	struct {
		uint64_t mant;
		uint16_t exp;
	};
} __attribute__((aligned(16)));

struct cpu_fpu {
	union fpreg r[8]; /* physical registers R0-R7; ST(i) = r[(top + i) & 7] */
	unsigned top;
	uint16_t fcw;
	uint16_t fsw; /* without TOP */
	uint8_t ftw;  /* abridged: bit i set = physical register i not empty */
	uint16_t fop;
	uint64_t fip, fdp;
	uint16_t fcs, fds;
};

/* Features: CPUID words as the guest sees them, after -cpu. See cpuid.h. */
enum cpuid_word {
	CPUID_1_EDX,
	CPUID_1_ECX,
	CPUID_6_EAX,
	CPUID_7_EBX,
	CPUID_7_ECX,
	CPUID_7_EDX,
	CPUID_D1_EAX,
	CPUID_80000001_EDX,
	CPUID_80000001_ECX,
	CPUID_80000007_EDX,
	CPUID_80000008_EBX,
	CPUID_80000021_EAX,
	CPUID_NWORDS
};

struct cpu_model; /* cpuid.h */

struct cpu {
	/* ---- hot: touched by every block ---- */
	uint64_t regs[R_NSLOTS];
	uint64_t cc_dst, cc_src, cc_src2; /* lazy flags, see flags.h */
	uint32_t cc_op;
	uint32_t mode; /* enum cpu_mode_bits */
	uint64_t rip;  /* exact between blocks; inside one: block rip + uop->ip */
	uint32_t
		exit_request; /* atomic; nonzero: leave at the next block boundary. Set by kick and by signal handlers */
	uint32_t
		irq_inhibit; /* shadow over the next instruction; 1: of STI, 2: of MOV SS/POP SS (holds #DB traps too). cpu_exec clears it after the next block */
	uint32_t irq_waiting;  /* an interrupt was found while IF was clear: cpu_irq_window() */
	struct tlb_entry *tlb; /* current table */
	struct block *block;   /* being executed */
	const struct uop *
		cur; /* set before anything that may fault; NULL when not within an instruction: then rip is exact */
	uint64_t flags;	 /* EFLAGS without the arithmetic bits (FL_ARITH) */
	int64_t df;	 /* +1 or -1, mirrors FL_DF */
	uint32_t pauses; /* PAUSE instructions executed while vCPUs outnumber host CPUs */

	/* ---- processor state ---- */
	struct cpu_seg seg[S_NSEGS], ldt, tr;
	struct cpu_dtr gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t pdpte[4]; /* PAE, loaded with CR3 */
	uint64_t dr[8];
	uint8_t cpl;
	union xmm xmm[16];
	uint32_t mxcsr; /* control bits; the sticky flags may be in the host's MXCSR, see sse.h */
	struct cpu_fpu fpu;
	uint64_t xcr0;
	union xmm sse_tmp; /* operand that came the slow way */
	struct {	   /* what a checked SSE operation may overwrite, see sse.h */
		union xmm xmm;
		uint64_t gpr, cc_dst, cc_src, cc_src2;
		struct cpu_fpu fpu;
		uint32_t cc_op;
	} sse_saved;

	uint64_t star, lstar, cstar, fmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t tsc_aux, tsc_adjust, pat, misc_enable, mtrr_def, mcg_status;
	uint64_t mtrr_fixed[11], mtrr_var[16];
	int64_t tsc_offset; /* guest TSC = guest clock ns + this */
	uint64_t smbase;

	/* ---- exceptions in flight ---- */
	sigjmp_buf
		fault_jmp; /* mmu/exceptions leave a block through it (siglongjmp, mask not saved) */
	int exc_vector;
	uint32_t exc_error;
	bool exc_has_error;
	bool exc_soft; /* INT n, INT3, INTO */
	bool nmi_blocked, halted, in_smm;
	uint8_t nmi_pending; /* how many: one to be held while another is handled, so two */
	bool wait_sipi;	     /* after INIT, not the boot processor */
	int delivering;	     /* vector being delivered, -1: none (for double faults) */

	/* ---- parts ---- */
	struct vcpu *vcpu;
	struct machine *machine;
	struct cpu_model *model;
	struct lapic *lapic;
	struct block_cache *blocks;
	struct native *native;	     /* NULL: everything is interpreted */
	const struct mem_view *view; /* of memory; taken anew on VCPU_REQ_FLUSH */
	struct tlb_entry tables[MMU_NTABLES][TLB_SIZE] __attribute__((aligned(64)));
	uint64_t tlb_generation; /* counts flushes that may concern code; jump caches compare it */

	/* ---- mmu.c ---- */
	unsigned mmu_index; /* table of the current privilege, also while `tlb` is MMU_CHECKED */
	uint64_t phys_mask; /* of physical addresses (MAXPHYADDR) */
	const struct view_range *last_range;
	uint64_t tlb_filled[MMU_NTABLES][TLB_SIZE / 64];    /* slots in use */
	uint64_t tlb_nonglobal[MMU_NTABLES][TLB_SIZE / 64]; /* of these, not global */
	uint64_t large_2m[4], large_1g; /* Bloom filters: 2 and 4 MiB, 1 GiB pages with entries */
	uint64_t code_pages
		[64]; /* Bloom filter: linear pages that code was looked up on in this tlb_generation */
	bool split_locked; /* holds mmu_split_lock */
	uint64_t
		rmw_code_phys; /* nonzero: mmu_rmw_slow gave out a page with code; code_map_serve tells that it was written, and clears this */
	struct code_map *code_map; /* of the machine; NULL: there is none */

	/* ---- excp.c ---- */
	uint64_t
		db_pending; /* DR6 bits of data and I/O breakpoints that the current instruction hit */
	bool step_done;	    /* the instruction was INT n: no single-step trap after it */
	bool keep_rf;	    /* the instruction was IRET with RF set */
	bool exc_ext;	    /* EXT bit for faults of this delivery */
	bool shutdown;	    /* triple fault */
	int injected; /* vector of an exception to be delivered first thing (set_events), -1: none */
	bool injected_has_error;
	uint32_t injected_error;

	/* ---- debug.c ---- */
	struct guest_debug debug;    /* what a debugger wants */
	uint64_t debug_dr[8];	     /* its breakpoints, as debug registers have them */
	struct debug_stop debug_met; /* and what it is to be told; reason DEBUG_NONE: nothing */
	uint64_t hwcr, ucode_rev, mcg_ctl;
	uint64_t mc_bank[4 * 4];
	struct cpu_stats {
		uint64_t blocks_made, block_lookups, tlb_fills, tlb_flushes, faults, interrupts,
			smc, native_blocks;
	} stats;
};

/* ---- soft.c ---- */
struct cpu *cpu_new(struct machine *m, struct vcpu *v, struct cpu_model *model);
void cpu_free(struct cpu *c);
/* Power-on (INIT: false) or INIT state, SDM 3A table 9-1. The local APIC is reset by its own function. */
void cpu_reset(struct cpu *c, bool init);

/* ---- exec.c ---- */
/*
 * Runs until exit_request is set or the CPU halts or waits for SIPI; the caller then serves requests. Interrupts are taken
 * inside (cpu_take_interrupt may fault): first thing at entry, and between blocks when one is waiting (irq_waiting)
 * and IF is set.  Tells the code map that the vCPU is in guest code.
 */
void cpu_exec(struct cpu *c);
/* Values of siglongjmp to fault_jmp. */
enum {
	EXEC_EXCEPTION = 1,
	/* exc_* tell which */ EXEC_RESTART = 2 /* go on at rip (block_before_store) */
};

/* ---- excp.c ---- (vCPU thread, inside cpu_exec; they don't return: siglongjmp to the outer loop) */
void cpu_raise(struct cpu *c, int vector) __attribute__((noreturn, cold));
void cpu_raise_err(struct cpu *c, int vector, uint32_t error) __attribute__((noreturn, cold));
/* #DB with these bits set in DR6; rip is exact already. */
void cpu_raise_db(struct cpu *c, uint64_t dr6_bits) __attribute__((noreturn, cold));
/* Delivers through the IDT/IVT. For faults rip is the instruction's, for traps and interrupts the next one. May itself fault (then it doesn't return). */
void cpu_deliver(struct cpu *c, int vector, bool has_error, uint32_t error, bool soft,
		 bool hardware);
/* The outer loop's half: takes what the longjmp left in exc_* and delivers it, with double and triple faults. */
void cpu_deliver_pending_exception(struct cpu *c);
/* An NMI has come. vCPU thread. */
void cpu_nmi(struct cpu *c);
/* External: takes an interrupt or NMI if one is pending and allowed. True when it delivered. */
bool cpu_take_interrupt(struct cpu *c);

/* mode & MODE_BP, before each instruction: #DB when DR0-3 name it and RF is clear. May not return. */
void cpu_insn_breakpoint(struct cpu *c);
/*
 * After each block that began with mode & MODE_ONE (its mode then in BLOCK_MODE), rip being the next instruction's: clears RF;
 * #DB when TF was set or a data breakpoint hit. May not return.
 */
void cpu_step_trap(struct cpu *c, uint32_t block_mode);

/* After whatever may have set EFLAGS.IF (STI, POPF, IRET...): lets a waiting interrupt in at the next block boundary. */
static inline void cpu_irq_window(struct cpu *c)
{
	if (unlikely(c->irq_waiting) && (c->flags & FL_IF))
		__atomic_store_n(&c->exit_request, 1, __ATOMIC_RELAXED);
}

/* ---- debug.c ---- */
/* The debug registers in force: the guest's or a debugger's. */
static inline const uint64_t *cpu_debug_registers(const struct cpu *c)
{
	return unlikely(c->debug.n_hw) ? c->debug_dr : c->dr;
}
/* Would #DB with these bits of DR6 be a debugger's? Then it is a stop, and this doesn't return. rip is exact. */
void cpu_debug_db(struct cpu *c, uint64_t dr6_bits);
/* The guest's rip, at which REASON was met: out of guest code, without another instruction. */
void cpu_debug_stop(struct cpu *c, enum debug_reason reason, uint64_t addr)
	__attribute__((noreturn, cold));
bool cpu_set_guest_debug(struct cpu *c, const struct guest_debug *debug, struct error *err);
void cpu_set_breakpoints(struct machine *m, const uint64_t *addrs, unsigned n);
/* Does a debugger want C to stop before the instruction at LIN? */
bool cpu_has_breakpoint(const struct cpu *c, uint64_t lin);

/* ---- soft_state.c: accel_ops' get_* and set_* beyond the registers ---- */
void cpu_get_fpu(struct cpu *c, struct x86_fpu *fpu);
bool cpu_set_fpu(struct cpu *c, const struct x86_fpu *fpu, struct error *err);
struct x86_msr *cpu_get_msrs(struct cpu *c, unsigned *n);
bool cpu_set_msrs(struct cpu *c, const struct x86_msr *msrs, unsigned n, struct error *err);
void cpu_get_events(struct cpu *c, struct x86_events *e);
void cpu_set_events(struct cpu *c, const struct x86_events *e);

/* Recomputes mode, tlb pointer after any change of CR0/CR4/EFER/CPL/segments/EFLAGS.TF,AC,VM/DR7/MXCSR masks. */
void cpu_mode_changed(struct cpu *c);

/* Brings c->rip to the start of the instruction that c->cur belongs to, and clears c->cur (exec.c). */
void cpu_sync_rip(struct cpu *c);

/* ---- state shared with accel_ops ---- */
void cpu_get_regs(struct cpu *c, struct x86_regs *r);
void cpu_set_regs(struct cpu *c, const struct x86_regs *r);

/* Registers, as -d cpu_reset shows them. */
void cpu_log_state(struct cpu *c, unsigned category, const char *why);

/* Guest TSC, any time on the vCPU thread. */
uint64_t cpu_rdtsc(struct cpu *c);

#endif
