/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Named CPU models under KVM: an identity, and features by name. Each generation has what the one before had. A name may go on with
 * -noTSX (without HLE and RTM) and -IBRS or -IBPB (with what keeps branch prediction apart), as managers put it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "src/kvm/kvm_cpu.h"
#include "src/util.h"

struct model_def {
	const char *name, *desc, *vendor;
	unsigned family, model, stepping;
	uint32_t level, xlevel;
	const char *brand;
	const char *features; /* names, separated by spaces */
};

#define PPRO \
	"fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 "
#define KVM_DEFAULTS                                                                      \
	"x2apic hypervisor kvmclock kvmclock2 kvm-nopiodelay kvm-asyncpf kvm-steal-time " \
	"kvm-pv-eoi kvmclock-stable-bit kvm-msi-ext-dest-id "

#define CONROE	     PPRO "vme pni ssse3 lm nx syscall lahf-lm "
#define PENRYN	     CONROE "cx16 sse4.1 "
#define NEHALEM	     PENRYN "sse4.2 popcnt "
#define WESTMERE     NEHALEM "aes pclmulqdq arat "
#define SANDY_BRIDGE WESTMERE "xsave avx tsc-deadline rdtscp xsaveopt "
#define IVY_BRIDGE   SANDY_BRIDGE "f16c rdrand fsgsbase smep erms "
#define HASWELL	     IVY_BRIDGE "fma movbe pcid bmi1 avx2 bmi2 invpcid hle rtm abm "
#define BROADWELL    HASWELL "rdseed adx smap 3dnowprefetch "
#define SKYLAKE	     BROADWELL "xsavec xgetbv1 "
#define SKYLAKE_SP \
	SKYLAKE "clflushopt clwb pdpe1gb pku avx512f avx512dq avx512cd avx512bw avx512vl "
#define CASCADE_LAKE SKYLAKE_SP "avx512vnni spec-ctrl ssbd "
#define ICE_LAKE                                                                      \
	CASCADE_LAKE "avx512vbmi umip avx512vbmi2 gfni vaes vpclmulqdq avx512bitalg " \
		     "avx512-vpopcntdq la57 wbnoinvd "
#define SAPPHIRE_RAPIDS                                                                  \
	ICE_LAKE "avx512ifma sha-ni rdpid fsrm xsaves avx-vnni avx512-bf16 avx512-fp16 " \
		 "bus-lock-detect serialize tsx-ldtrk fzrm fsrs fsrc "

#define ZEN                                                                                           \
	PPRO "vme pni pclmulqdq ssse3 fma cx16 sse4.1 sse4.2 movbe popcnt aes xsave avx f16c rdrand " \
	     "fsgsbase bmi1 avx2 smep bmi2 rdseed adx smap clflushopt sha-ni xsaveopt xsavec "        \
	     "xgetbv1 arat lm rdtscp pdpe1gb ffxsr mmxext nx syscall lahf-lm svm cr8legacy abm "      \
	     "sse4a misalignsse 3dnowprefetch osvw topoext npt nrip-save "
#define ZEN2 ZEN "clwb umip rdpid wbnoinvd ibpb perfctr-core clzero xsaveerptr amd-stibp "
#define ZEN3 ZEN2 "pcid invpcid vaes vpclmulqdq pku erms fsrm ibrs amd-ssbd svme-addr-chk "
#define ZEN4                                                                                    \
	ZEN3 "avx512f avx512dq avx512cd avx512bw avx512vl avx512ifma avx512vbmi avx512vbmi2 "   \
	     "avx512bitalg avx512vnni avx512-vpopcntdq avx512-bf16 gfni la57 xsaves vgif vnmi " \
	     "auto-ibrs no-nested-data-bp lfence-always-serializing null-sel-clr-base "

#define INTEL "GenuineIntel"
#define AMD   "AuthenticAMD"

static const struct model_def models[] = {
	{"qemu64", "A plain 64-bit processor", AMD, 15, 107, 1, 0xd, 0x8000000a, "evmm Virtual CPU",
	 PPRO "pni cx16 lm nx syscall lahf-lm svm "},
	{"kvm64", "A common 64-bit processor", INTEL, 15, 6, 1, 0xd, 0x80000008,
	 "Common KVM processor", PPRO "pni cx16 lm nx syscall "},
	{"Conroe", "As the Core 2 of 2006", INTEL, 6, 15, 3, 10, 0x80000008,
	 "Intel Celeron_4x0 (Conroe/Merom Class Core 2)", CONROE},
	{"Penryn", "As the Core 2 of 2007", INTEL, 6, 23, 3, 10, 0x80000008,
	 "Intel Core 2 Duo P9xxx (Penryn Class Core 2)", PENRYN},
	{"Nehalem", "As the Core i7 of 2008", INTEL, 6, 26, 3, 11, 0x80000008,
	 "Intel Core i7 9xx (Nehalem Class Core i7)", NEHALEM},
	{"Westmere", "Of 2010: AES", INTEL, 6, 44, 1, 11, 0x80000008,
	 "Westmere E56xx/L56xx/X56xx (Nehalem-C)", WESTMERE},
	{"SandyBridge", "Of 2011: AVX", INTEL, 6, 42, 1, 0xd, 0x80000008,
	 "Intel Xeon E312xx (Sandy Bridge)", SANDY_BRIDGE},
	{"IvyBridge", "Of 2012", INTEL, 6, 58, 9, 0xd, 0x80000008,
	 "Intel Xeon E3-12xx v2 (Ivy Bridge)", IVY_BRIDGE},
	{"Haswell", "Of 2013: AVX2", INTEL, 6, 60, 4, 0xd, 0x80000008,
	 "Intel Core Processor (Haswell)", HASWELL},
	{"Broadwell", "Of 2014", INTEL, 6, 61, 2, 0xd, 0x80000008,
	 "Intel Core Processor (Broadwell)", BROADWELL},
	{"Skylake-Client", "Of 2015", INTEL, 6, 94, 3, 0xd, 0x80000008,
	 "Intel Core Processor (Skylake)", SKYLAKE},
	{"Skylake-Server", "Of 2017: AVX-512", INTEL, 6, 85, 4, 0xd, 0x80000008,
	 "Intel Xeon Processor (Skylake)", SKYLAKE_SP},
	{"Cascadelake-Server", "Of 2019", INTEL, 6, 85, 6, 0xd, 0x80000008,
	 "Intel Xeon Processor (Cascadelake)", CASCADE_LAKE},
	{"Icelake-Server", "Of 2021", INTEL, 6, 134, 0, 0xd, 0x80000008,
	 "Intel Xeon Processor (Icelake)", ICE_LAKE},
	{"SapphireRapids", "Of 2023, without AMX", INTEL, 6, 143, 4, 0xd, 0x80000008,
	 "Intel Xeon Processor (SapphireRapids)", SAPPHIRE_RAPIDS},
	{"EPYC", "As the first generation", AMD, 23, 1, 2, 0xd, 0x8000001e, "AMD EPYC Processor",
	 ZEN},
	{"EPYC-Rome", "As the second", AMD, 23, 49, 0, 0xd, 0x8000001e, "AMD EPYC-Rome Processor",
	 ZEN2},
	{"EPYC-Milan", "As the third", AMD, 25, 1, 1, 0xd, 0x8000001e, "AMD EPYC-Milan Processor",
	 ZEN3},
	{"EPYC-Genoa", "As the fourth", AMD, 25, 17, 0, 0xd, 0x80000021, "AMD EPYC-Genoa Processor",
	 ZEN4},
};

/* ON: has them from now on, else not. */
static void set_by_names(struct kvm_cpu_model *m, const char *names, bool on)
{
	while (*names) {
		size_t n = strcspn(names, " ");
		unsigned word, bit;

		if (!kvm_feature_find(names, n, &word, &bit))
			abort(); /* the table above names what kvm_features.c doesn't have */
		if (on)
			m->words[word] |= 1u << bit;
		else
			m->words[word] &= ~(1u << bit);
		names += n + (names[n] == ' ');
	}
}

/* What may follow a name, in this order. */
static const struct {
	const char *suffix, *vendor, *features;
	bool on;
} suffixes[] = {
	{"-noTSX", INTEL, "hle rtm ", false},
	{"-IBRS", INTEL, "spec-ctrl ", true},
	{"-IBPB", AMD, "ibpb ", true},
};

static bool set_by_suffixes(struct kvm_cpu_model *m, const char *rest)
{
	for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i].suffix);

		if (strncmp(rest, suffixes[i].suffix, n) || strcmp(m->vendor, suffixes[i].vendor))
			continue;
		set_by_names(m, suffixes[i].features, suffixes[i].on);
		rest += n;
	}
	return !*rest;
}

static void define(struct kvm_cpu_model *m, const struct model_def *d)
{
	memset(m->words, 0, sizeof(m->words));
	m->family = d->family;
	m->model = d->model;
	m->stepping = d->stepping;
	m->level = d->level;
	m->xlevel = d->xlevel;
	snprintf(m->vendor, sizeof(m->vendor), "%s", d->vendor);
	snprintf(m->brand, sizeof(m->brand), "%s", d->brand);
	set_by_names(m, d->features, true);
	set_by_names(m, KVM_DEFAULTS, true);
}

bool kvm_model_define(struct kvm_cpu_model *m, const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
		size_t n = strlen(models[i].name);

		if (strncmp(models[i].name, name, n))
			continue;
		define(m, &models[i]);
		if (set_by_suffixes(m, name + n))
			return true;
	}
	return false;
}

bool kvm_model_name(unsigned i, const char **name, const char **desc)
{
	static const char *const of_host[][2] = {
		{"host", "The host's processor, as far as KVM supports it"},
		{"max", "The same"},
	};

	if (i < ARRAY_SIZE(models)) {
		*name = models[i].name;
		*desc = models[i].desc;
		return true;
	}
	i -= ARRAY_SIZE(models);
	if (i >= ARRAY_SIZE(of_host))
		return false;
	*name = of_host[i][0];
	*desc = of_host[i][1];
	return true;
}

void kvm_models_list(void)
{
	const char *name, *desc;

	printf("Available CPUs:\n");
	for (unsigned i = 0; kvm_model_name(i, &name, &desc); i++)
		printf("x86 %-20s  %s\n", name, desc);
	printf("After a name: -noTSX, -IBRS (Intel), -IBPB (AMD)\n");
}
