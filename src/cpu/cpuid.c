/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU models and CPUID (SDM 2A, CPUID; APM 3, appendix E). What the software CPU implements is the one table of
 * features here; models are subsets of it, and "max" is all of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include "src/cpu/cpuid.h"
#include "src/cpu/hostfeat.h"
#include "src/cpu/lapic.h"
#include "src/machine.h"

/* ---- features ---- */

/*
 * In which models; all are in max. Intel's generations and AMD's follow each other, each with all that the one before has:
 * SINCE(x) is x and what came after it.
 */
enum {
	PLAIN32 = 1 << 0,
	QEMU64 = 1 << 1,
	KVM64 = 1 << 2,
	ZEN = 1 << 3,
	ZEN2 = 1 << 4,
	ZEN3 = 1 << 5,
	CONROE = 1 << 8,
	PENRYN = 1 << 9,
	NEHALEM = 1 << 10,
	WESTMERE = 1 << 11,
	SANDY_BRIDGE = 1 << 12,
	IVY_BRIDGE = 1 << 13,
	HASWELL = 1 << 14,
	BROADWELL = 1 << 15,
	SKYLAKE = 1 << 16,
	SKYLAKE_SERVER = 1 << 17,
	ICELAKE_SERVER = 1 << 18,
	ALL_INTEL = (1 << 19) - CONROE,
	ALL_ZEN = ZEN | ZEN2 | ZEN3,
	ALL64 = QEMU64 | KVM64 | ALL_ZEN | ALL_INTEL,
	ALL = ALL64 | PLAIN32,
};

#define SINCE(generation) (ALL_INTEL & ~((generation)-1))

struct feature {
	const char *name, *alias;
	unsigned feature;
	unsigned models;
};

static const struct feature features[] = {
	{"fpu", NULL, CPU_FEATURE(CPUID_1_EDX, 0), ALL},
	{"de", NULL, CPU_FEATURE(CPUID_1_EDX, 2), ALL},
	{"pse", NULL, CPU_FEATURE(CPUID_1_EDX, 3), ALL},
	{"tsc", NULL, CPU_FEATURE(CPUID_1_EDX, 4), ALL},
	{"msr", NULL, CPU_FEATURE(CPUID_1_EDX, 5), ALL},
	{"pae", NULL, CPU_FEATURE(CPUID_1_EDX, 6), ALL},
	{"mce", NULL, CPU_FEATURE(CPUID_1_EDX, 7), ALL},
	{"cx8", NULL, CPU_FEATURE(CPUID_1_EDX, 8), ALL},
	{"apic", NULL, CPU_FEATURE(CPUID_1_EDX, 9), ALL},
	{"sep", NULL, CPU_FEATURE(CPUID_1_EDX, 11), ALL},
	{"mtrr", NULL, CPU_FEATURE(CPUID_1_EDX, 12), ALL},
	{"pge", NULL, CPU_FEATURE(CPUID_1_EDX, 13), ALL},
	{"mca", NULL, CPU_FEATURE(CPUID_1_EDX, 14), ALL},
	{"cmov", NULL, CPU_FEATURE(CPUID_1_EDX, 15), ALL},
	{"pat", NULL, CPU_FEATURE(CPUID_1_EDX, 16), ALL},
	{"pse36", NULL, CPU_FEATURE(CPUID_1_EDX, 17), ALL},
	{"clflush", "clfsh", CPU_FEATURE(CPUID_1_EDX, 19), ALL},
	{"mmx", NULL, CPU_FEATURE(CPUID_1_EDX, 23), ALL},
	{"fxsr", NULL, CPU_FEATURE(CPUID_1_EDX, 24), ALL},
	{"sse", NULL, CPU_FEATURE(CPUID_1_EDX, 25), ALL},
	{"sse2", NULL, CPU_FEATURE(CPUID_1_EDX, 26), ALL},
	{"pni", "sse3", CPU_FEATURE(CPUID_1_ECX, 0), ALL},
	{"pclmulqdq", "pclmuldq", CPU_FEATURE(CPUID_1_ECX, 1), SINCE(WESTMERE) | ALL_ZEN},
	{"ssse3", NULL, CPU_FEATURE(CPUID_1_ECX, 9), ALL_INTEL | ALL_ZEN},
	{"cx16", NULL, CPU_FEATURE(CPUID_1_ECX, 13), ALL64},
	{"sse4.1", "sse4-1", CPU_FEATURE(CPUID_1_ECX, 19), SINCE(PENRYN) | ALL_ZEN},
	{"sse4.2", "sse4-2", CPU_FEATURE(CPUID_1_ECX, 20), SINCE(NEHALEM) | ALL_ZEN},
	{"x2apic", NULL, CPU_FEATURE(CPUID_1_ECX, 21), KVM64 | SINCE(SANDY_BRIDGE)},
	{"movbe", NULL, CPU_FEATURE(CPUID_1_ECX, 22), SINCE(HASWELL) | ALL_ZEN},
	{"popcnt", NULL, CPU_FEATURE(CPUID_1_ECX, 23), SINCE(NEHALEM) | ALL_ZEN},
	{"tsc-deadline", "tsc_deadline", CPU_FEATURE(CPUID_1_ECX, 24), SINCE(SANDY_BRIDGE)},
	{"aes", NULL, CPU_FEATURE(CPUID_1_ECX, 25), SINCE(WESTMERE) | ALL_ZEN},
	{"xsave", NULL, CPU_FEATURE(CPUID_1_ECX, 26), SINCE(SANDY_BRIDGE) | ALL_ZEN},
	{"rdrand", NULL, CPU_FEATURE(CPUID_1_ECX, 30), SINCE(IVY_BRIDGE) | ALL_ZEN},
	{"hypervisor", NULL, CPU_FEATURE(CPUID_1_ECX, 31), ALL},
	{"arat", NULL, CPU_FEATURE(CPUID_6_EAX, 2), SINCE(WESTMERE) | ALL_ZEN},
	{"fsgsbase", NULL, CPU_FEATURE(CPUID_7_EBX, 0), SINCE(IVY_BRIDGE) | ALL_ZEN},
	{"tsc-adjust", "tsc_adjust", CPU_FEATURE(CPUID_7_EBX, 1), 0},
	{"bmi1", NULL, CPU_FEATURE(CPUID_7_EBX, 3), SINCE(HASWELL) | ALL_ZEN},
	{"smep", NULL, CPU_FEATURE(CPUID_7_EBX, 7), SINCE(IVY_BRIDGE) | ALL_ZEN},
	{"bmi2", NULL, CPU_FEATURE(CPUID_7_EBX, 8), SINCE(HASWELL) | ALL_ZEN},
	{"erms", NULL, CPU_FEATURE(CPUID_7_EBX, 9), SINCE(IVY_BRIDGE) | ZEN3},
	{"rdseed", NULL, CPU_FEATURE(CPUID_7_EBX, 18), SINCE(BROADWELL) | ALL_ZEN},
	{"adx", NULL, CPU_FEATURE(CPUID_7_EBX, 19), SINCE(BROADWELL) | ALL_ZEN},
	{"smap", NULL, CPU_FEATURE(CPUID_7_EBX, 20), SINCE(BROADWELL) | ALL_ZEN},
	{"clflushopt", NULL, CPU_FEATURE(CPUID_7_EBX, 23), SINCE(SKYLAKE_SERVER) | ALL_ZEN},
	{"clwb", NULL, CPU_FEATURE(CPUID_7_EBX, 24), SINCE(SKYLAKE_SERVER) | ZEN2 | ZEN3},
	{"sha-ni", "sha", CPU_FEATURE(CPUID_7_EBX, 29), SINCE(ICELAKE_SERVER) | ALL_ZEN},
	{"umip", NULL, CPU_FEATURE(CPUID_7_ECX, 2), SINCE(ICELAKE_SERVER) | ZEN2 | ZEN3},
	{"rdpid", NULL, CPU_FEATURE(CPUID_7_ECX, 22), SINCE(ICELAKE_SERVER) | ZEN2 | ZEN3},
	{"fsrm", NULL, CPU_FEATURE(CPUID_7_EDX, 4), SINCE(ICELAKE_SERVER) | ZEN3},
	{"xsaveopt", NULL, CPU_FEATURE(CPUID_D1_EAX, 0), SINCE(SANDY_BRIDGE) | ALL_ZEN},
	{"xsavec", NULL, CPU_FEATURE(CPUID_D1_EAX, 1), SINCE(SKYLAKE) | ALL_ZEN},
	{"xgetbv1", NULL, CPU_FEATURE(CPUID_D1_EAX, 2), SINCE(SKYLAKE) | ALL_ZEN},
	{"syscall", NULL, CPU_FEATURE(CPUID_80000001_EDX, 11), ALL64},
	{"nx", "xd", CPU_FEATURE(CPUID_80000001_EDX, 20), ALL64},
	{"pdpe1gb", NULL, CPU_FEATURE(CPUID_80000001_EDX, 26), SINCE(SKYLAKE_SERVER) | ALL_ZEN},
	{"rdtscp", NULL, CPU_FEATURE(CPUID_80000001_EDX, 27), SINCE(SANDY_BRIDGE) | ALL_ZEN},
	{"lm", "i64", CPU_FEATURE(CPUID_80000001_EDX, 29), ALL64},
	{"lahf-lm", "lahf_lm", CPU_FEATURE(CPUID_80000001_ECX, 0), ALL64},
	{"cr8legacy", "cr8-legacy", CPU_FEATURE(CPUID_80000001_ECX, 4), ALL_ZEN},
	{"abm", "lzcnt", CPU_FEATURE(CPUID_80000001_ECX, 5), SINCE(HASWELL) | ALL_ZEN},
	{"3dnowprefetch", NULL, CPU_FEATURE(CPUID_80000001_ECX, 8), SINCE(BROADWELL) | ALL_ZEN},
	{"invtsc", NULL, CPU_FEATURE(CPUID_80000007_EDX, 8), 0},
	{"null-sel-clr-base", NULL, CPU_FEATURE(CPUID_80000021_EAX, 6), 0},
	{"auto-ibrs", NULL, CPU_FEATURE(CPUID_80000021_EAX, 8), 0},
};

/* Names that users know and the software CPU doesn't implement: asked for, they give a warning instead of an error. */
static const char *const absent[] = {
	"vme",
	"fxsr-opt",
	"ffxsr",
	"cmp-legacy",
	"cmp_legacy",
	"ht",
	"ss",
	"ds",
	"acpi",
	"tm",
	"pbe",
	"dtes64",
	"monitor",
	"ds-cpl",
	"vmx",
	"smx",
	"est",
	"tm2",
	"cid",
	"fma",
	"xtpr",
	"pdcm",
	"pcid",
	"invpcid",
	"dca",
	"avx",
	"f16c",
	"osxsave",
	"svm",
	"sse4a",
	"misalignsse",
	"3dnow",
	"3dnowext",
	"mmxext",
	"osvw",
	"ibs",
	"xop",
	"skinit",
	"wdt",
	"lwp",
	"fma4",
	"tce",
	"tbm",
	"topoext",
	"perfctr-core",
	"avx2",
	"hle",
	"rtm",
	"mpx",
	"avx512f",
	"avx512dq",
	"avx512ifma",
	"avx512cd",
	"avx512bw",
	"avx512vl",
	"avx512vbmi",
	"avx512-vbmi2",
	"avx512-vnni",
	"avx512-bitalg",
	"avx512-vpopcntdq",
	"avx512-bf16",
	"pku",
	"gfni",
	"vaes",
	"vpclmulqdq",
	"la57",
	"movdiri",
	"movdir64b",
	"waitpkg",
	"serialize",
	"xsaves",
	"spec-ctrl",
	"stibp",
	"ssbd",
	"ibpb",
	"ibrs",
	"virt-ssbd",
	"amd-ssbd",
	"amd-stibp",
	"arch-capabilities",
	"md-clear",
	"clzero",
	"xsaveerptr",
	"wbnoinvd",
	"npt",
	"lbrv",
	"nrip-save",
	"tsc-scale",
	"kvm",
	"kvmclock",
	"kvm-asyncpf",
	"kvm-steal-time",
	"kvm-pv-eoi",
	"kvm-pv-unhalt",
	"perfctr-nb",
	"invariant-tsc",
	"pmu",
};

/* ---- models ---- */

struct model_def {
	const char *name, *desc, *vendor;
	unsigned family, model, stepping;
	unsigned mask; /* 0: every feature */
	uint32_t level, xlevel;
	const char *brand;
};

#define BRAND "evmm Virtual CPU"

static const struct model_def models[] = {
	{"max", "All that the software CPU implements", "AuthenticAMD", 6, 6, 3, 0, 0xd, 0x80000021,
	 BRAND},
	{"qemu64", "A plain 64-bit processor", "AuthenticAMD", 15, 107, 1, QEMU64, 0xd, 0x8000000a,
	 BRAND},
	{"kvm64", "A common 64-bit processor", "GenuineIntel", 15, 6, 1, KVM64, 0xd, 0x80000008,
	 BRAND},
	{"qemu32", "A plain 32-bit processor", "GenuineIntel", 6, 6, 3, PLAIN32, 4, 0x80000004,
	 BRAND},
	{"kvm32", "A common 32-bit processor", "GenuineIntel", 15, 6, 1, PLAIN32, 5, 0x80000008,
	 BRAND},
	{"core2duo", "As the Core 2 Duo of 2006", "GenuineIntel", 6, 15, 11, CONROE, 0xa,
	 0x80000008, BRAND},
	{"Conroe", "As the Celeron of 2007", "GenuineIntel", 6, 15, 3, CONROE, 0xa, 0x80000008,
	 BRAND},
	{"Penryn", "As the Core 2 Duo of 2008", "GenuineIntel", 6, 23, 3, PENRYN, 0xa, 0x80000008,
	 BRAND},
	{"Nehalem", "As the Core i7 of 2008", "GenuineIntel", 6, 26, 3, NEHALEM, 0xb, 0x80000008,
	 BRAND},
	{"Westmere", "As the Xeon of 2010", "GenuineIntel", 6, 44, 1, WESTMERE, 0xb, 0x80000008,
	 BRAND},
	{"SandyBridge", "As the Xeon E3 of 2011, without AVX", "GenuineIntel", 6, 42, 1,
	 SANDY_BRIDGE, 0xd, 0x80000008, BRAND},
	{"IvyBridge", "As the Xeon E3 v2, without AVX", "GenuineIntel", 6, 58, 9, IVY_BRIDGE, 0xd,
	 0x80000008, BRAND},
	{"Haswell", "As the Core of 2013, without AVX", "GenuineIntel", 6, 60, 4, HASWELL, 0xd,
	 0x80000008, BRAND},
	{"Broadwell", "As the Core of 2014, without AVX", "GenuineIntel", 6, 61, 2, BROADWELL, 0xd,
	 0x80000008, BRAND},
	{"Skylake-Client", "As the Core of 2015, without AVX", "GenuineIntel", 6, 94, 3, SKYLAKE,
	 0xd, 0x80000008, BRAND},
	{"Skylake-Server", "As the Xeon of 2017, without AVX", "GenuineIntel", 6, 85, 4,
	 SKYLAKE_SERVER, 0xd, 0x80000008, BRAND},
	{"Cascadelake-Server", "As the Xeon of 2019, without AVX", "GenuineIntel", 6, 85, 6,
	 SKYLAKE_SERVER, 0xd, 0x80000008, BRAND},
	{"Icelake-Server", "As the Xeon of 2021, without AVX", "GenuineIntel", 6, 134, 0,
	 ICELAKE_SERVER, 0xd, 0x80000008, BRAND},
	{"EPYC", "As the first generation, without AVX", "AuthenticAMD", 23, 1, 2, ZEN, 0xd,
	 0x8000001e, BRAND},
	{"EPYC-Rome", "As the second generation, without AVX", "AuthenticAMD", 23, 49, 0, ZEN2, 0xd,
	 0x8000001e, BRAND},
	{"EPYC-Milan", "As the third generation, without AVX", "AuthenticAMD", 25, 1, 1, ZEN3, 0xd,
	 0x8000001e, BRAND},
};

static void set_feature(struct cpu_model *m, unsigned feature, bool on)
{
	uint32_t bit = 1u << ((feature >> 1) & 31);

	if (on)
		m->features[feature >> 8] |= bit;
	else
		m->features[feature >> 8] &= ~bit;
}

static bool model_init(struct cpu_model *m, const char *name)
{
	const struct model_def *def = NULL;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(models); i++) {
		if (!strcmp(models[i].name, name))
			def = &models[i];
	}
	if (!def)
		return false;
	*m = (struct cpu_model){
		.name = def->name,
		.family = def->family,
		.model = def->model,
		.stepping = def->stepping,
		.phys_bits = 40,
		.level = def->level,
		.xlevel = def->xlevel,
		.sockets = 1,
		.cores = 1,
		.threads = 1,
	};
	snprintf(m->vendor, sizeof(m->vendor), "%s", def->vendor);
	snprintf(m->brand, sizeof(m->brand), "%s", def->brand);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if ((!def->mask || (features[i].models & def->mask)) &&
		    host_has_feature(features[i].feature))
			set_feature(m, features[i].feature, true);
	}
	return true;
}

void cpu_model_list(void)
{
	unsigned i, column = 0;

	printf("Available CPUs:\n");
	for (i = 0; i < ARRAY_SIZE(models); i++)
		printf("x86 %-20s  %s\n", models[i].name, models[i].desc);
	printf("\nRecognized CPUID flags:\n");
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		column += (unsigned)printf("%s%s", column ? " " : "  ", features[i].name);
		if (column > 70) {
			printf("\n");
			column = 0;
		}
	}
	printf("\n");
}

bool cpu_model_name(unsigned i, const char **name, const char **desc)
{
	if (i >= ARRAY_SIZE(models))
		return false;
	*name = models[i].name;
	*desc = models[i].desc;
	return true;
}

bool cpu_model_features(const char *model, void (*fn)(void *opaque, const char *feature, bool on),
			void *opaque)
{
	struct cpu_model m;

	if (!model_init(&m, model))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
		fn(opaque, features[i].name, cpu_model_has(&m, features[i].feature));
	return true;
}

/* ---- -cpu ---- */

/* Underscores and dashes are the same in feature names. */
static bool same_name(const char *a, const char *b, size_t n)
{
	size_t i;

	if (strlen(a) != n)
		return false;
	for (i = 0; i < n; i++) {
		if (a[i] != b[i] && !((a[i] == '-' || a[i] == '_') && (b[i] == '-' || b[i] == '_')))
			return false;
	}
	return true;
}

static bool is_absent(const char *s, size_t n)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		if (same_name(absent[i], s, n))
			return true;
	}
	return false;
}

static bool put_flag(struct cpu_model *m, const char *s, size_t n, bool on, struct error *err)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (!same_name(f->name, s, n) && !(f->alias && same_name(f->alias, s, n)))
			continue;
		if (on && !host_has_feature(f->feature))
			report_warning("-cpu: this host's processor doesn't support '%s'", f->name);
		else
			set_feature(m, f->feature, on);
		return true;
	}
	if (!is_absent(s, n))
		return error_set(err, "-cpu: no feature named '%.*s'", (int)n, s);
	if (on)
		report_warning("-cpu: the software CPU doesn't support '%.*s'", (int)n, s);
	return true;
}

static bool put_number(unsigned *to, const char *key, size_t n, const char *value, unsigned min,
		       unsigned max, struct error *err)
{
	char *end;
	unsigned long v = strtoul(value, &end, 0);

	if (end == value || *end || *value == '-')
		return error_set(err, "-cpu: %.*s=%s is not a number", (int)n, key, value);
	if (v < min || v > max)
		return error_set(err, "-cpu: %.*s must be between %u and %u", (int)n, key, min,
				 max);
	*to = (unsigned)v;
	return true;
}

/* How strict to be about absent features: they are always warned of. */
static bool is_modifier(const char *key, size_t n)
{
	return same_name("check", key, n) || same_name("enforce", key, n) ||
	       same_name("migratable", key, n);
}

static bool put_key(struct cpu_model *m, const char *key, size_t n, const char *value,
		    struct error *err)
{
	if (same_name("family", key, n))
		return put_number(&m->family, key, n, value, 0, 0xff + 0xf, err);
	if (same_name("model", key, n))
		return put_number(&m->model, key, n, value, 0, 0xff, err);
	if (same_name("stepping", key, n))
		return put_number(&m->stepping, key, n, value, 0, 0xf, err);
	if (same_name("phys-bits", key, n))
		return put_number(&m->phys_bits, key, n, value, 36, 52, err);
	if (same_name("level", key, n))
		return put_number(&m->level, key, n, value, 1, 0x1f, err);
	if (same_name("xlevel", key, n))
		return put_number(&m->xlevel, key, n, value, 0x80000000u, 0x80000021u, err);
	if (same_name("vendor", key, n)) {
		if (strlen(value) != 12)
			return error_set(err, "-cpu: vendor=%s must have 12 characters", value);
		memcpy(m->vendor, value, 13);
		return true;
	}
	if (same_name("model-id", key, n)) {
		snprintf(m->brand, sizeof(m->brand), "%s", value);
		return true;
	}
	if (is_modifier(key, n))
		return true;
	if (!strcmp(value, "on") || !strcmp(value, "true") || !strcmp(value, "yes"))
		return put_flag(m, key, n, true, err);
	if (!strcmp(value, "off") || !strcmp(value, "false") || !strcmp(value, "no"))
		return put_flag(m, key, n, false, err);
	if (is_absent(key, n))
		return error_set(err, "-cpu: %.*s must be on or off", (int)n, key);
	return error_set(err, "-cpu: no property named '%.*s' takes the value '%s'", (int)n, key,
			 value);
}

static bool put_option(struct cpu_model *m, char *opt, struct error *err)
{
	char *value = strchr(opt, '=');

	if (*opt == '+' || *opt == '-')
		return put_flag(m, opt + 1, strlen(opt + 1), *opt == '+', err);
	if (value)
		return put_key(m, opt, (size_t)(value - opt), value + 1, err);
	if (is_modifier(opt, strlen(opt)))
		return true;
	return put_flag(m, opt, strlen(opt), true, err);
}

/* Features that cannot be without others. */
static void drop_dependents(struct cpu_model *m)
{
	if (!cpu_model_has(m, FEAT_XSAVE)) {
		m->features[CPUID_D1_EAX] = 0;
	}
	if (!cpu_model_has(m, FEAT_PAE))
		set_feature(m, FEAT_LM, false);
	if (!cpu_model_has(m, FEAT_LM)) {
		set_feature(m, FEAT_PDPE1GB, false);
		set_feature(m, FEAT_FSGSBASE, false);
	}
}

struct cpu_model *cpu_model_parse(const char *arg, struct error *err)
{
	struct cpu_model *m = xzalloc(sizeof(*m));
	char *copy = xstrdup(arg ? arg : "max"), *save = NULL, *opt;
	bool ok = true;

	opt = strtok_r(copy, ",", &save);
	if (opt && !strcmp(opt, "host"))
		ok = error_set(
			err,
			"-cpu: CPU model 'host' needs hardware virtualization; 'max' is all that the software CPU has");
	else if (!opt || !model_init(m, opt))
		ok = error_set(err, "-cpu: unable to find CPU model '%s' (-cpu ? lists them)",
			       opt ? opt : "");
	while (ok && (opt = strtok_r(NULL, ",", &save)))
		ok = put_option(m, opt, err);
	free(copy);
	if (!ok) {
		free(m);
		return NULL;
	}
	drop_dependents(m);
	return m;
}

/* ---- CPUID ---- */

/* Bits that a number below N takes. */
static unsigned bits_for(unsigned n)
{
	return n <= 1 ? 0 : 32 - (unsigned)__builtin_clz(n - 1);
}

static uint32_t signature(const struct cpu_model *m)
{
	unsigned family = MIN(m->family, 15u), extended = m->family - family;

	return m->stepping | (m->model & 15) << 4 | family << 8 | (m->model >> 4) << 16 |
	       extended << 20;
}

static void put_text(uint32_t out[4], const char *text, size_t at, size_t size)
{
	char buf[16] = {0};
	size_t len = strnlen(text, size);

	if (at < len)
		memcpy(buf, text + at, MIN(len - at, sizeof(buf)));
	memcpy(out, buf, 16);
}

static uint32_t apic_id(const struct cpu *c)
{
	return c->lapic ? lapic_id(c->lapic) : c->vcpu ? c->vcpu->apic_id : 0;
}

/* IA32_APIC_BASE bit 11: without it CPUID shows no APIC. */
static bool apic_enabled(const struct cpu *c)
{
	uint64_t base;

	return !c->lapic || !lapic_rdmsr(c->lapic, 0x1b, &base) || (base & BIT(11));
}

static unsigned logical_cpus(const struct cpu_model *m)
{
	return MAX(m->cores, 1u) * MAX(m->threads, 1u);
}

static void leaf_vendor(const struct cpu_model *m, uint32_t top, uint32_t out[4])
{
	uint32_t text[4];

	put_text(text, m->vendor, 0, sizeof(m->vendor));
	out[0] = top;
	out[1] = text[0];
	out[3] = text[1];
	out[2] = text[2];
}

static void leaf_features(const struct cpu *c, uint32_t out[4])
{
	const struct cpu_model *m = c->model;
	unsigned n = logical_cpus(m);

	out[0] = signature(m);
	out[1] = apic_id(c) << 24 | MIN(n, 255u) << 16 | 8 << 8; /* CLFLUSH: 64 bytes */
	out[2] = m->features[CPUID_1_ECX];
	out[3] = m->features[CPUID_1_EDX];
	if ((c->cr4 & CR4_OSXSAVE) && cpu_has(c, FEAT_XSAVE))
		out[2] |= BIT(27);
	if (n > 1)
		out[3] |= BIT(28); /* HTT: the count in EBX is meant */
	if (!apic_enabled(c))
		out[3] &= ~BIT(9);
}

/* Deterministic cache parameters: 32 KiB L1 data and code, 512 KiB L2 per core, 16 MiB L3 per package. */
static void leaf_cache(const struct cpu_model *m, uint32_t subleaf, bool intel, uint32_t out[4])
{
	static const struct {
		unsigned type, level, ways, sets;
		bool shared;
	} caches[] = {{1, 1, 8, 64, false},
		      {2, 1, 8, 64, false},
		      {3, 2, 8, 1024, false},
		      {3, 3, 16, 16384, true}};
	unsigned sharing;

	if (subleaf >= ARRAY_SIZE(caches))
		return;
	sharing = caches[subleaf].shared ? logical_cpus(m) : MAX(m->threads, 1u);
	out[0] = caches[subleaf].type | caches[subleaf].level << 5 | 1 << 8 |
		 ((1u << bits_for(sharing)) - 1) << 14;
	if (intel)
		out[0] |= ((1u << bits_for(MAX(m->cores, 1u))) - 1) << 26;
	out[1] = 63 | (caches[subleaf].ways - 1) << 22;
	out[2] = caches[subleaf].sets - 1;
}

static void leaf_topology(const struct cpu *c, uint32_t subleaf, uint32_t out[4])
{
	const struct cpu_model *m = c->model;
	unsigned thread_bits = bits_for(MAX(m->threads, 1u)),
		 core_bits = bits_for(MAX(m->cores, 1u));

	out[2] = subleaf & 0xff;
	out[3] = apic_id(c);
	if (subleaf == 0) {
		out[0] = thread_bits;
		out[1] = MAX(m->threads, 1u);
		out[2] |= 1 << 8;
	} else if (subleaf == 1) {
		out[0] = thread_bits + core_bits;
		out[1] = logical_cpus(m);
		out[2] |= 2 << 8;
	}
}

/* The legacy region and the header; nothing beyond. */
static void leaf_xsave(const struct cpu *c, uint32_t subleaf, uint32_t out[4])
{
	if (!cpu_has(c, FEAT_XSAVE))
		return;
	if (subleaf == 0) {
		out[0] = 3;
		out[1] = out[2] = 576;
	} else if (subleaf == 1) {
		out[0] = c->model->features[CPUID_D1_EAX];
		out[1] = out[0] & BIT(1) ? 576 : 0;
	}
}

static void basic_leaf(const struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct cpu_model *m = c->model;
	bool intel = !strcmp(m->vendor, "GenuineIntel");

	switch (leaf) {
	case 0:
		leaf_vendor(m, m->level, out);
		break;
	case 1:
		leaf_features(c, out);
		break;
	case 2:
		if (intel)
			out[0] = 0x00ff0001; /* no descriptors: leaf 4 tells */
		break;
	case 4:
		if (intel)
			leaf_cache(m, subleaf, true, out);
		break;
	case 6:
		out[0] = m->features[CPUID_6_EAX];
		break;
	case 7:
		if (subleaf == 0) {
			out[1] = m->features[CPUID_7_EBX];
			out[2] = m->features[CPUID_7_ECX];
			out[3] = m->features[CPUID_7_EDX];
		}
		break;
	case 0xb:
		leaf_topology(c, subleaf, out);
		break;
	case 0xd:
		leaf_xsave(c, subleaf, out);
		break;
	}
}

/* AMD: what leaf 1 EDX has too, in its bits of 0x80000001 EDX. */
#define AMD_SHARED_EDX 0x0183f3ffu

static void extended_leaf(const struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct cpu_model *m = c->model;
	bool amd = !strcmp(m->vendor, "AuthenticAMD");

	switch (leaf) {
	case 0x80000000:
		leaf_vendor(m, m->xlevel, out);
		break;
	case 0x80000001:
		out[0] = signature(m);
		out[2] = m->features[CPUID_80000001_ECX];
		out[3] = m->features[CPUID_80000001_EDX];
		if (amd)
			out[3] |= m->features[CPUID_1_EDX] & AMD_SHARED_EDX;
		if (amd && logical_cpus(m) > 1)
			out[2] |= BIT(1); /* CmpLegacy */
		break;
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
		put_text(out, m->brand, (leaf - 0x80000002) * 16, sizeof(m->brand));
		break;
	case 0x80000005: /* L1 data and code: 32 KiB, 8 ways, 64-byte lines */
		if (amd)
			out[2] = out[3] = 32u << 24 | 8 << 16 | 1 << 8 | 64;
		break;
	case 0x80000006: /* L2: 512 KiB, 8 ways; L3: 16 MiB, 16 ways */
		out[2] = 512u << 16 | 6 << 12 | 1 << 8 | 64;
		if (amd)
			out[3] = 32u << 18 | 8 << 12 | 1 << 8 | 64;
		break;
	case 0x80000007:
		out[3] = m->features[CPUID_80000007_EDX];
		break;
	case 0x80000008:
		out[0] = m->phys_bits | (cpu_has(c, FEAT_LM) ? 48u : 32u) << 8;
		out[1] = m->features[CPUID_80000008_EBX];
		if (amd && logical_cpus(m) > 1)
			out[2] = (logical_cpus(m) - 1) | bits_for(logical_cpus(m)) << 12;
		break;
	case 0x8000001d:
		if (amd)
			leaf_cache(m, subleaf, false, out);
		break;
	case 0x8000001e:
		if (amd) {
			out[0] = apic_id(c);
			out[1] = (apic_id(c) >> bits_for(MAX(m->threads, 1u))) |
				 (MAX(m->threads, 1u) - 1) << 8;
		}
		break;
	case 0x80000021:
		out[0] = m->features[CPUID_80000021_EAX];
		break;
	}
}

void cpu_cpuid(struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct cpu_model *m = c->model;
	bool intel = !strcmp(m->vendor, "GenuineIntel");

	out[0] = out[1] = out[2] = out[3] = 0;
	if (leaf >= 0x80000000u && leaf <= m->xlevel) {
		extended_leaf(c, leaf, subleaf, out);
	} else if (leaf >= 0x40000000u && leaf < 0x40000100u && cpu_has(c, FEAT_HYPERVISOR)) {
		if (leaf == 0x40000000u) {
			put_text(out, "....evmmevmmevmm", 0, 16);
			out[0] = 0x40000000u;
		}
	} else if (leaf <= m->level) {
		basic_leaf(c, leaf, subleaf, out);
	} else if (intel) {
		/* Intel's processors answer for the highest basic leaf. */
		basic_leaf(c, m->level, subleaf, out);
	}
}
