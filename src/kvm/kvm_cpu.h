/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU models under KVM. A model is an identity and words of feature bits; what the host's KVM doesn't support is left out, with a
 * warning each when it was asked for by name or by a named model. `host` and `max` begin with all that is supported.
 */
#ifndef EVMM_KVM_CPU_H
#define EVMM_KVM_CPU_H

#include "src/error.h"

struct kvm;
struct vcpu;
struct kvm_cpuid2;
struct machine_config;

/* A feature word is a register of a CPUID leaf. */
enum kvm_word {
	KW_1_EDX,
	KW_1_ECX,
	KW_6_EAX,
	KW_7_EBX,
	KW_7_ECX,
	KW_7_EDX,
	KW_7_1_EAX,
	KW_D_1_EAX,
	KW_80000001_EDX,
	KW_80000001_ECX,
	KW_80000007_EDX,
	KW_80000008_EBX,
	KW_8000000A_EDX,
	KW_80000021_EAX,
	KW_KVM_EAX,
	KW_COUNT
};

enum { REG_EAX, REG_EBX, REG_ECX, REG_EDX };

struct kvm_word_info {
	uint32_t leaf, subleaf;
	uint8_t reg;
	const char *const *names; /* 32, NULL: none; "a|b" are two names of one */
};

struct kvm_cpu_model {
	char name[32];
	bool host; /* the host's own identity and cache leaves */
	bool check, enforce, migratable, pmu;
	bool hidden; /* kvm=off: the guest is not told that KVM is there */
	char vendor[13];
	char brand[49];
	unsigned family, model, stepping;
	uint32_t level, xlevel; /* 0: as the host has them */
	unsigned phys_bits;	/* 0: as the host has them */
	uint64_t tsc_hz;	/* 0: the host's */
	uint32_t words[KW_COUNT];
	unsigned sockets, cores, threads;
	struct kvm_cpuid2 *supported; /* KVM_GET_SUPPORTED_CPUID */
};

/* ---- kvm_features.c ---- */
extern const struct kvm_word_info kvm_words[KW_COUNT];
/* Underscores and dashes are the same. NAME need not end after N. */
bool kvm_feature_find(const char *name, size_t n, unsigned *word, unsigned *bit);
/* The first of its names, for messages; NULL: it has none. Its length is in *N. */
const char *kvm_feature_name(unsigned word, unsigned bit, size_t *n);
void kvm_features_list(void);

/* ---- kvm_models.c ---- */
/* Of a named model; false: no such model. */
bool kvm_model_define(struct kvm_cpu_model *m, const char *name);
/* The I-th; false: there are no more. */
bool kvm_model_name(unsigned i, const char **name, const char **desc);
void kvm_models_list(void);

/* ---- kvm_cpu.c ---- */
struct kvm_cpu_model *kvm_cpu_parse(struct kvm *kvm, const char *arg,
				    const struct machine_config *config, struct error *err);
void kvm_cpu_free(struct kvm_cpu_model *m);
static inline bool kvm_cpu_has(const struct kvm_cpu_model *m, enum kvm_word word, unsigned bit)
{
	return m->words[word] >> bit & 1;
}
/* CPUID leaf 1 EAX. */
uint32_t kvm_cpu_signature(const struct kvm_cpu_model *m);
/* The vCPU gets its CPUID leaves and its TSC frequency. */
bool kvm_cpu_apply(struct kvm_cpu_model *m, struct vcpu *v, int fd, struct error *err);

/* ---- kvm_cpuid.c ---- */
/* As accel_ops has it. */
void kvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t out[4]);
/* The leaves of V, to be freed. */
struct kvm_cpuid2 *kvm_cpuid_build(const struct kvm_cpu_model *m, const struct vcpu *v,
				   unsigned tsc_khz);

#endif
