/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU models and CPUID. A model is what -cpu gives: words of feature bits that are never more than the software
 * CPU implements (and, for instructions that it executes with the host's own, than the host has).
 */
#ifndef EVMM_CPU_CPUID_H
#define EVMM_CPU_CPUID_H

#include "src/cpu/cpu.h"

/* A feature: word and bit. Never 0: the low bit marks it as a feature. */
#define CPU_FEATURE(word, bit) (((word) << 8) | ((bit) << 1) | 1u)

#define FEAT_FPU	   CPU_FEATURE(CPUID_1_EDX, 0)
#define FEAT_DE		   CPU_FEATURE(CPUID_1_EDX, 2)
#define FEAT_PSE	   CPU_FEATURE(CPUID_1_EDX, 3)
#define FEAT_TSC	   CPU_FEATURE(CPUID_1_EDX, 4)
#define FEAT_PAE	   CPU_FEATURE(CPUID_1_EDX, 6)
#define FEAT_MSR	   CPU_FEATURE(CPUID_1_EDX, 5)
#define FEAT_MCE	   CPU_FEATURE(CPUID_1_EDX, 7)
#define FEAT_CX8	   CPU_FEATURE(CPUID_1_EDX, 8)
#define FEAT_SEP	   CPU_FEATURE(CPUID_1_EDX, 11)
#define FEAT_MTRR	   CPU_FEATURE(CPUID_1_EDX, 12)
#define FEAT_PGE	   CPU_FEATURE(CPUID_1_EDX, 13)
#define FEAT_MCA	   CPU_FEATURE(CPUID_1_EDX, 14)
#define FEAT_CMOV	   CPU_FEATURE(CPUID_1_EDX, 15)
#define FEAT_PAT	   CPU_FEATURE(CPUID_1_EDX, 16)
#define FEAT_PSE36	   CPU_FEATURE(CPUID_1_EDX, 17)
#define FEAT_CLFLUSH	   CPU_FEATURE(CPUID_1_EDX, 19)
#define FEAT_MMX	   CPU_FEATURE(CPUID_1_EDX, 23)
#define FEAT_FXSR	   CPU_FEATURE(CPUID_1_EDX, 24)
#define FEAT_SSE	   CPU_FEATURE(CPUID_1_EDX, 25)
#define FEAT_SSE2	   CPU_FEATURE(CPUID_1_EDX, 26)
#define FEAT_SSE3	   CPU_FEATURE(CPUID_1_ECX, 0)
#define FEAT_PCLMULQDQ	   CPU_FEATURE(CPUID_1_ECX, 1)
#define FEAT_MONITOR	   CPU_FEATURE(CPUID_1_ECX, 3)
#define FEAT_SSSE3	   CPU_FEATURE(CPUID_1_ECX, 9)
#define FEAT_CX16	   CPU_FEATURE(CPUID_1_ECX, 13)
#define FEAT_PCID	   CPU_FEATURE(CPUID_1_ECX, 17)
#define FEAT_SSE41	   CPU_FEATURE(CPUID_1_ECX, 19)
#define FEAT_SSE42	   CPU_FEATURE(CPUID_1_ECX, 20)
#define FEAT_X2APIC	   CPU_FEATURE(CPUID_1_ECX, 21)
#define FEAT_MOVBE	   CPU_FEATURE(CPUID_1_ECX, 22)
#define FEAT_POPCNT	   CPU_FEATURE(CPUID_1_ECX, 23)
#define FEAT_TSC_DEADLINE  CPU_FEATURE(CPUID_1_ECX, 24)
#define FEAT_AES	   CPU_FEATURE(CPUID_1_ECX, 25)
#define FEAT_XSAVE	   CPU_FEATURE(CPUID_1_ECX, 26)
#define FEAT_RDRAND	   CPU_FEATURE(CPUID_1_ECX, 30)
#define FEAT_HYPERVISOR	   CPU_FEATURE(CPUID_1_ECX, 31)
#define FEAT_FSGSBASE	   CPU_FEATURE(CPUID_7_EBX, 0)
#define FEAT_TSC_ADJUST	   CPU_FEATURE(CPUID_7_EBX, 1)
#define FEAT_BMI1	   CPU_FEATURE(CPUID_7_EBX, 3)
#define FEAT_SMEP	   CPU_FEATURE(CPUID_7_EBX, 7)
#define FEAT_BMI2	   CPU_FEATURE(CPUID_7_EBX, 8)
#define FEAT_ERMS	   CPU_FEATURE(CPUID_7_EBX, 9)
#define FEAT_RDSEED	   CPU_FEATURE(CPUID_7_EBX, 18)
#define FEAT_ADX	   CPU_FEATURE(CPUID_7_EBX, 19)
#define FEAT_SMAP	   CPU_FEATURE(CPUID_7_EBX, 20)
#define FEAT_CLFLUSHOPT	   CPU_FEATURE(CPUID_7_EBX, 23)
#define FEAT_CLWB	   CPU_FEATURE(CPUID_7_EBX, 24)
#define FEAT_SHA	   CPU_FEATURE(CPUID_7_EBX, 29)
#define FEAT_UMIP	   CPU_FEATURE(CPUID_7_ECX, 2)
#define FEAT_RDPID	   CPU_FEATURE(CPUID_7_ECX, 22)
#define FEAT_XSAVEOPT	   CPU_FEATURE(CPUID_D1_EAX, 0)
#define FEAT_XSAVEC	   CPU_FEATURE(CPUID_D1_EAX, 1)
#define FEAT_XGETBV1	   CPU_FEATURE(CPUID_D1_EAX, 2)
#define FEAT_SYSCALL	   CPU_FEATURE(CPUID_80000001_EDX, 11)
#define FEAT_NX		   CPU_FEATURE(CPUID_80000001_EDX, 20)
#define FEAT_PDPE1GB	   CPU_FEATURE(CPUID_80000001_EDX, 26)
#define FEAT_RDTSCP	   CPU_FEATURE(CPUID_80000001_EDX, 27)
#define FEAT_LM		   CPU_FEATURE(CPUID_80000001_EDX, 29)
#define FEAT_LAHF_LM	   CPU_FEATURE(CPUID_80000001_ECX, 0)
#define FEAT_ABM	   CPU_FEATURE(CPUID_80000001_ECX, 5)
#define FEAT_CR8_LEGACY	   CPU_FEATURE(CPUID_80000001_ECX, 4)
#define FEAT_AUTOIBRS	   CPU_FEATURE(CPUID_80000021_EAX, 8)
#define FEAT_3DNOWPREFETCH CPU_FEATURE(CPUID_80000001_ECX, 8)

struct cpu_model {
	const char *name;
	char vendor[13];
	unsigned family, model, stepping;
	char brand[49];
	uint32_t features[CPUID_NWORDS];
	unsigned phys_bits;	/* MAXPHYADDR */
	uint32_t level, xlevel; /* highest basic and extended leaf */
	/* topology, from -smp */
	unsigned cores, threads, sockets;
};

/* "max,+x2apic,-sse4.2,family=6,model=15,stepping=11"; NULL: the default model. Features that are not implemented: a warning each, as QEMU. Free with free(). */
struct cpu_model *cpu_model_parse(const char *arg, struct error *err);
/* -cpu ? */
void cpu_model_list(void);
/* As accel_ops has them. */
bool cpu_model_name(unsigned i, const char **name, const char **desc);
bool cpu_model_features(const char *model, void (*fn)(void *opaque, const char *feature, bool on),
			void *opaque);
static inline bool cpu_model_has(const struct cpu_model *m, unsigned feature)
{
	return m->features[feature >> 8] & (1u << ((feature >> 1) & 31));
}
#define cpu_has(c, feature) cpu_model_has((c)->model, (feature))

/* The CPUID instruction, with what depends on the CPU's state (APIC id, OSXSAVE). */
void cpu_cpuid(struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif
