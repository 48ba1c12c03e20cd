/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID features by the names that QEMU gives them, and the models made of them (SDM 2A, CPUID; APM 3, appendix E; KVM's cpuid.rst). */
#include <stdio.h>
#include <stdlib.h>
#include "src/kvm/kvm_cpu.h"
#include "src/util.h"

static const char *const names_1_edx[32] = {
	"fpu",	"vme",	"de",	"pse", "tsc",  "msr", "pae",   "mce", "cx8",	 "apic", NULL,
	"sep",	"mtrr", "pge",	"mca", "cmov", "pat", "pse36", "pn",  "clflush", NULL,	 "ds",
	"acpi", "mmx",	"fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",	 "pbe",
};

static const char *const names_1_ecx[32] = {
	"pni|sse3",
	"pclmulqdq|pclmuldq",
	"dtes64",
	"monitor",
	"ds-cpl",
	"vmx",
	"smx",
	"est",
	"tm2",
	"ssse3",
	"cid",
	NULL,
	"fma",
	"cx16",
	"xtpr",
	"pdcm",
	NULL,
	"pcid",
	"dca",
	"sse4.1|sse4-1",
	"sse4.2|sse4-2",
	"x2apic",
	"movbe",
	"popcnt",
	"tsc-deadline",
	"aes",
	"xsave",
	NULL /* osxsave */,
	"avx",
	"f16c",
	"rdrand",
	"hypervisor",
};

static const char *const names_6_eax[32] = {[2] = "arat"};

static const char *const names_7_ebx[32] = {
	"fsgsbase",
	"tsc-adjust",
	"sgx",
	"bmi1",
	"hle",
	"avx2",
	"fdp-excptn-only",
	"smep",
	"bmi2",
	"erms",
	"invpcid",
	"rtm",
	NULL,
	"zero-fcs-fds",
	"mpx",
	NULL,
	"avx512f",
	"avx512dq",
	"rdseed",
	"adx",
	"smap",
	"avx512ifma",
	"pcommit",
	"clflushopt",
	"clwb",
	"intel-pt",
	"avx512pf",
	"avx512er",
	"avx512cd",
	"sha-ni",
	"avx512bw",
	"avx512vl",
};

static const char *const names_7_ecx[32] = {
	NULL,	      "avx512vbmi",  "umip",	     "pku",	  NULL,
	"waitpkg",    "avx512vbmi2", NULL,	     "gfni",	  "vaes",
	"vpclmulqdq", "avx512vnni",  "avx512bitalg", NULL,	  "avx512-vpopcntdq",
	NULL,	      "la57",	     NULL,	     NULL,	  NULL,
	NULL,	      NULL,	     "rdpid",	     NULL,	  "bus-lock-detect",
	"cldemote",   NULL,	     "movdiri",	     "movdir64b", NULL,
	"sgxlc",      "pks",
};

static const char *const names_7_edx[32] = {
	NULL,
	NULL,
	"avx512-4vnniw",
	"avx512-4fmaps",
	"fsrm",
	NULL,
	NULL,
	NULL,
	"avx512-vp2intersect",
	NULL,
	"md-clear",
	NULL,
	NULL,
	NULL,
	"serialize",
	NULL,
	"tsx-ldtrk",
	NULL,
	NULL,
	"arch-lbr",
	NULL,
	NULL,
	"amx-bf16",
	"avx512-fp16",
	"amx-tile",
	"amx-int8",
	"spec-ctrl",
	"stibp",
	"flush-l1d",
	"arch-capabilities",
	"core-capability",
	"ssbd",
};

static const char *const names_7_1_eax[32] = {
	[4] = "avx-vnni",  [5] = "avx512-bf16", [7] = "cmpccxadd", [10] = "fzrm",
	[11] = "fsrs",	   [12] = "fsrc",	[17] = "fred",	   [18] = "lkgs",
	[21] = "amx-fp16", [23] = "avx-ifma",	[26] = "lam",
};

static const char *const names_d_1_eax[32] = {"xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd"};

static const char *const names_80000001_edx[32] = {
	[11] = "syscall",	 [19] = "mp",	   [20] = "nx|xd",  [22] = "mmxext",
	[25] = "fxsr-opt|ffxsr", [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm|i64",
	[30] = "3dnowext",	 [31] = "3dnow",
};

static const char *const names_80000001_ecx[32] = {
	"lahf-lm",    "cmp-legacy",  "svm",
	"extapic",    "cr8legacy",   "abm",
	"sse4a",      "misalignsse", "3dnowprefetch",
	"osvw",	      "ibs",	     "xop",
	"skinit",     "wdt",	     NULL,
	"lwp",	      "fma4",	     "tce",
	NULL,	      "nodeid-msr",  NULL,
	"tbm",	      "topoext",     "perfctr-core",
	"perfctr-nb", NULL,	     NULL,
	NULL,	      NULL,	     NULL,
	NULL,	      NULL,
};

static const char *const names_80000007_edx[32] = {[8] = "invtsc"};

static const char *const names_80000008_ebx[32] = {
	[0] = "clzero",	    [2] = "xsaveerptr",	 [9] = "wbnoinvd",	   [12] = "ibpb",
	[14] = "ibrs",	    [15] = "amd-stibp",	 [17] = "stibp-always-on", [24] = "amd-ssbd",
	[25] = "virt-ssbd", [26] = "amd-no-ssb", [28] = "amd-psfd",
};

static const char *const names_8000000a_edx[32] = {
	"npt",
	"lbrv",
	"svm-lock",
	"nrip-save",
	"tsc-scale",
	"vmcb-clean",
	"flushbyasid",
	"decodeassists",
	NULL,
	NULL,
	"pause-filter",
	NULL,
	"pfthreshold",
	"avic",
	NULL,
	"v-vmsave-vmload",
	"vgif",
	[25] = "vnmi",
	[28] = "svme-addr-chk",
};

static const char *const names_80000021_eax[32] = {
	[0] = "no-nested-data-bp", [2] = "lfence-always-serializing",
	[6] = "null-sel-clr-base", [8] = "auto-ibrs",
	[17] = "prefetchi",
};

static const char *const names_kvm_eax[32] = {
	"kvmclock",
	"kvm-nopiodelay",
	"kvm-mmu",
	"kvmclock2",
	"kvm-asyncpf",
	"kvm-steal-time",
	"kvm-pv-eoi",
	"kvm-pv-unhalt",
	NULL,
	"kvm-pv-tlb-flush",
	"kvm-asyncpf-vmexit",
	"kvm-pv-ipi",
	"kvm-poll-control",
	"kvm-pv-sched-yield",
	"kvm-asyncpf-int",
	"kvm-msi-ext-dest-id",
	[24] = "kvmclock-stable-bit",
};

const struct kvm_word_info kvm_words[KW_COUNT] = {
	[KW_1_EDX] = {1, 0, REG_EDX, names_1_edx},
	[KW_1_ECX] = {1, 0, REG_ECX, names_1_ecx},
	[KW_6_EAX] = {6, 0, REG_EAX, names_6_eax},
	[KW_7_EBX] = {7, 0, REG_EBX, names_7_ebx},
	[KW_7_ECX] = {7, 0, REG_ECX, names_7_ecx},
	[KW_7_EDX] = {7, 0, REG_EDX, names_7_edx},
	[KW_7_1_EAX] = {7, 1, REG_EAX, names_7_1_eax},
	[KW_D_1_EAX] = {0xd, 1, REG_EAX, names_d_1_eax},
	[KW_80000001_EDX] = {0x80000001, 0, REG_EDX, names_80000001_edx},
	[KW_80000001_ECX] = {0x80000001, 0, REG_ECX, names_80000001_ecx},
	[KW_80000007_EDX] = {0x80000007, 0, REG_EDX, names_80000007_edx},
	[KW_80000008_EBX] = {0x80000008, 0, REG_EBX, names_80000008_ebx},
	[KW_8000000A_EDX] = {0x8000000a, 0, REG_EDX, names_8000000a_edx},
	[KW_80000021_EAX] = {0x80000021, 0, REG_EAX, names_80000021_eax},
	[KW_KVM_EAX] = {0x40000001, 0, REG_EAX, names_kvm_eax},
};

/* ---- by name ---- */

static bool same_letters(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && !((a[i] == '-' || a[i] == '_') && (b[i] == '-' || b[i] == '_')))
			return false;
	return true;
}

/* One of the names that "a|b" has. */
static bool has_name(const char *names, const char *name, size_t n)
{
	while (names) {
		size_t len = strcspn(names, "|");

		if (len == n && same_letters(names, name, n))
			return true;
		names = names[len] ? names + len + 1 : NULL;
	}
	return false;
}

bool kvm_feature_find(const char *name, size_t n, unsigned *word, unsigned *bit)
{
	for (unsigned w = 0; w < KW_COUNT; w++) {
		for (unsigned b = 0; b < 32; b++) {
			if (!has_name(kvm_words[w].names[b], name, n))
				continue;
			*word = w;
			*bit = b;
			return true;
		}
	}
	return false;
}

const char *kvm_feature_name(unsigned word, unsigned bit, size_t *n)
{
	const char *names = kvm_words[word].names[bit];

	*n = names ? strcspn(names, "|") : 0;
	return names;
}

void kvm_features_list(void)
{
	unsigned column = 0;

	printf("\nRecognized CPUID flags:\n");
	for (unsigned w = 0; w < KW_COUNT; w++) {
		for (unsigned b = 0; b < 32; b++) {
			size_t n;
			const char *name = kvm_feature_name(w, b, &n);

			if (!name)
				continue;
			column += (unsigned)printf("%s%.*s", column ? " " : "  ", (int)n, name);
			if (column > 70) {
				printf("\n");
				column = 0;
			}
		}
	}
	printf("\n");
}
