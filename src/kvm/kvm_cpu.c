/* SPDX-License-Identifier: BSD-2-Clause */
/* -cpu under KVM: parsing, what the host supports, warnings. */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/kvm/kvm.h"
#include "src/options/optlist.h"

#define MAX_LEAVES 512

/* ---- what there is ---- */

static bool load_supported(struct kvm *kvm, struct kvm_cpu_model *m, struct error *err)
{
	m->supported =
		xzalloc(sizeof(*m->supported) + MAX_LEAVES * sizeof(struct kvm_cpuid_entry2));
	m->supported->nent = MAX_LEAVES;
	if (ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, m->supported))
		return error_set_errno(err, errno,
				       "KVM does not say which CPUID leaves it supports");
	return true;
}

static const struct kvm_cpuid_entry2 *supported_leaf(const struct kvm_cpu_model *m, uint32_t leaf,
						     uint32_t subleaf)
{
	for (unsigned i = 0; i < m->supported->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &m->supported->entries[i];

		if (e->function == leaf && e->index == subleaf)
			return e;
	}
	return NULL;
}

static uint32_t entry_reg(const struct kvm_cpuid_entry2 *e, unsigned reg)
{
	return reg == REG_EAX ? e->eax : reg == REG_EBX ? e->ebx : reg == REG_ECX ? e->ecx : e->edx;
}

/* With what the kernel emulates where it is asked to, and doesn't list (api.rst, KVM_GET_SUPPORTED_CPUID). */
static uint32_t supported_word(const struct kvm *kvm, const struct kvm_cpu_model *m, unsigned word)
{
	const struct kvm_word_info *w = &kvm_words[word];
	const struct kvm_cpuid_entry2 *e = supported_leaf(m, w->leaf, w->subleaf);
	uint32_t bits = e ? entry_reg(e, w->reg) : 0;
	bool lapic = kvm->irqchip != IRQCHIP_NONE;

	if (word == KW_1_ECX) {
		bits |= BIT(31); /* hypervisor */
		bits &= ~(BIT(24) | BIT(27) | BIT(3));
		if (lapic && kvm_has(kvm, HAS_TSC_DEADLINE))
			bits |= BIT(24);
		if (lapic)
			bits |= BIT(21); /* x2APIC */
		else
			bits &= ~BIT(21);
		if (kvm->m->config.cpu_pm && kvm_has(kvm, HAS_DISABLE_EXITS) &&
		    (kvm_cap(kvm, KVM_CAP_X86_DISABLE_EXITS) & KVM_X86_DISABLE_EXITS_MWAIT))
			bits |= BIT(3);
	} else if (word == KW_1_EDX) {
		bits |= BIT(28); /* HTT: evmm makes the leaves that it stands for */
	} else if (word == KW_6_EAX) {
		bits |= BIT(2); /* ARAT: the kernel's APIC timer never stops */
	} else if (word == KW_80000001_ECX) {
		bits |= BIT(22); /* TOPOEXT: the same */
	} else if (word == KW_KVM_EAX && !lapic) {
		bits &= ~(BIT(6) | BIT(7) | BIT(11) | BIT(15));
	}
	return bits;
}

/* ---- the host's own identity ---- */

static void host_identity(struct kvm_cpu_model *m)
{
	uint32_t a = 0, b = 0, c = 0, d = 0, base;

	__cpuid(0, a, b, c, d);
	memcpy(m->vendor, &b, 4);
	memcpy(m->vendor + 4, &d, 4);
	memcpy(m->vendor + 8, &c, 4);
	__cpuid(1, a, b, c, d);
	base = a >> 8 & 15;
	m->family = base + (base == 15 ? a >> 20 & 0xff : 0);
	m->model = (a >> 4 & 15) | (a >> 12 & 0xf0);
	m->stepping = a & 15;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t text[4];

		__cpuid(0x80000002 + i, text[0], text[1], text[2], text[3]);
		memcpy(m->brand + 16 * i, text, 16);
	}
}

static void define_host(const struct kvm *kvm, struct kvm_cpu_model *m)
{
	m->host = true;
	host_identity(m);
	for (unsigned w = 0; w < KW_COUNT; w++)
		m->words[w] = supported_word(kvm, m, w);
	m->words[KW_1_EDX] &= ~BIT(28);
	m->words[KW_80000001_ECX] &= ~BIT(22);
	if (!strcmp(m->vendor, "AuthenticAMD"))
		m->words[KW_80000001_ECX] |= BIT(22);
	/* Not to be had on another host; asked for, it is there (+invtsc, or migratable=off). */
	m->words[KW_80000007_EDX] &= ~BIT(8);
	m->pmu = true;
}

/* ---- parsing ---- */

static bool put_number(unsigned *to, const char *key, const char *value, uint64_t min, uint64_t max,
		       struct error *err)
{
	uint64_t v;

	if (!parse_u64(value, &v))
		return error_set(err, "-cpu: %s=%s is not a number", key, value);
	if (v < min || v > max)
		return error_set(err, "-cpu: %s must be between %llu and %llu", key,
				 (unsigned long long)min, (unsigned long long)max);
	*to = (unsigned)v;
	return true;
}

static bool put_feature(struct kvm_cpu_model *m, uint32_t *asked, const char *name, size_t n,
			bool on, struct error *err)
{
	unsigned word, bit;

	if (!kvm_feature_find(name, n, &word, &bit))
		return error_set(err, "-cpu: no feature named '%.*s' (-cpu help lists them)",
				 (int)n, name);
	if (on)
		m->words[word] |= 1u << bit;
	else
		m->words[word] &= ~(1u << bit);
	asked[word] |= 1u << bit;
	return true;
}

static bool put_text(char *to, size_t room, const char *key, const char *value, size_t exactly,
		     struct error *err)
{
	if (exactly && strlen(value) != exactly)
		return error_set(err, "-cpu: %s=%s must have %zu characters", key, value, exactly);
	snprintf(to, room, "%s", value);
	return true;
}

static bool put_switch(struct kvm_cpu_model *m, const char *key, bool on)
{
	if (!strcmp(key, "check"))
		m->check = on;
	else if (!strcmp(key, "enforce"))
		m->enforce = on;
	else if (!strcmp(key, "migratable"))
		m->migratable = on;
	else if (!strcmp(key, "pmu"))
		m->pmu = on;
	else if (!strcmp(key, "kvm"))
		m->hidden = !on;
	else if (!strcmp(key, "host-phys-bits"))
		m->phys_bits = on ? 0 : 40;
	else
		return false;
	return true;
}

static bool put_key(struct kvm_cpu_model *m, uint32_t *asked, const char *key, const char *value,
		    struct error *err)
{
	bool on;

	if (!strcmp(key, "family"))
		return put_number(&m->family, key, value, 0, 0xff + 0xf, err);
	if (!strcmp(key, "model"))
		return put_number(&m->model, key, value, 0, 0xff, err);
	if (!strcmp(key, "stepping"))
		return put_number(&m->stepping, key, value, 0, 0xf, err);
	if (!strcmp(key, "phys-bits"))
		return put_number(&m->phys_bits, key, value, 36, 52, err);
	if (!strcmp(key, "level"))
		return put_number(&m->level, key, value, 1, 0x1f, err);
	if (!strcmp(key, "xlevel"))
		return put_number(&m->xlevel, key, value, 0x80000000u, 0x80000021u, err);
	if (!strcmp(key, "vendor"))
		return put_text(m->vendor, sizeof(m->vendor), key, value, 12, err);
	if (!strcmp(key, "model-id"))
		return put_text(m->brand, sizeof(m->brand), key, value, 0, err);
	if (!strcmp(key, "tsc-frequency"))
		return parse_size(value, 0, &m->tsc_hz) ||
		       error_set(err, "-cpu: tsc-frequency=%s is not a number of Hz", value);
	if (!parse_bool(value, &on))
		return error_set(err, "-cpu: no property named '%s' takes the value '%s'", key,
				 value);
	return put_switch(m, key, on) || put_feature(m, asked, key, strlen(key), on, err);
}

static bool put_option(struct kvm_cpu_model *m, uint32_t *asked, char *opt, struct error *err)
{
	char *equals = strchr(opt, '=');

	if (*opt == '+' || *opt == '-')
		return put_feature(m, asked, opt + 1, strlen(opt + 1), *opt == '+', err);
	if (!equals)
		return put_key(m, asked, opt, "on", err);
	*equals = '\0';
	return put_key(m, asked, opt, equals + 1, err);
}

/* ---- what is not there ---- */

static void warn_missing(const struct kvm_cpu_model *m, unsigned word, unsigned bit)
{
	static const char *const regs[] = {"EAX", "EBX", "ECX", "EDX"};
	const struct kvm_word_info *w = &kvm_words[word];
	size_t n;
	const char *name = kvm_feature_name(word, bit, &n);

	if (!m->check && !m->enforce)
		return;
	report_warning(
		"host doesn't support requested feature: CPUID[eax=%02Xh,ecx=%02Xh].%s%s%.*s "
		"[bit %u]",
		w->leaf, w->subleaf, regs[w->reg], name ? "." : "", (int)n, name ? name : "", bit);
}

/* Models have SVM and what belongs to it so that a guest may use it where it is there; nobody misses it. */
static bool is_silent(const struct kvm_cpu_model *m, const uint32_t *asked, unsigned word,
		      unsigned bit)
{
	if (asked[word] >> bit & 1)
		return false;
	return m->host || word == KW_8000000A_EDX || (word == KW_80000001_ECX && bit == 2) ||
	       word == KW_KVM_EAX;
}

static bool filter(const struct kvm *kvm, struct kvm_cpu_model *m, const uint32_t *asked,
		   struct error *err)
{
	bool missing = false;

	for (unsigned w = 0; w < KW_COUNT; w++) {
		uint32_t absent = m->words[w] & ~supported_word(kvm, m, w);

		m->words[w] &= ~absent;
		for (unsigned b = 0; b < 32; b++) {
			if (!(absent >> b & 1) || is_silent(m, asked, w, b))
				continue;
			missing = true;
			warn_missing(m, w, b);
		}
	}
	if (missing && m->enforce)
		return error_set(err, "-cpu: Host doesn't support requested features");
	return true;
}

/* What cannot be without something else. */
static void drop_dependents(struct kvm_cpu_model *m)
{
	if (!kvm_cpu_has(m, KW_1_ECX, 26)) { /* XSAVE */
		m->words[KW_D_1_EAX] = 0;
		m->words[KW_1_ECX] &= ~(BIT(28) | BIT(29) | BIT(12));	 /* AVX, F16C, FMA */
		m->words[KW_7_EBX] &= ~(BIT(5) | BIT(14) | 0xdc230000u); /* AVX2, MPX, AVX-512 */
		m->words[KW_7_ECX] &= ~(BIT(1) | BIT(3) | BIT(6) | BIT(9) | BIT(10) | BIT(11) |
					BIT(12) | BIT(14));
	}
	if (!kvm_cpu_has(m, KW_80000001_ECX, 2))
		m->words[KW_8000000A_EDX] = 0;
	if (!kvm_cpu_has(m, KW_80000001_EDX, 29)) /* LM */
		m->words[KW_80000001_EDX] &= ~BIT(26);
}

static bool parse(struct kvm *kvm, struct kvm_cpu_model *m, char *arg, struct error *err)
{
	uint32_t asked[KW_COUNT] = {0};
	char *save = NULL, *opt = strtok_r(arg, ",", &save);

	if (opt && (!strcmp(opt, "host") || !strcmp(opt, "max")))
		define_host(kvm, m);
	else if (!opt || !kvm_model_define(m, opt))
		return error_set(err, "-cpu: unable to find CPU model '%s' (-cpu help lists them)",
				 opt ? opt : "");
	snprintf(m->name, sizeof(m->name), "%s", opt);
	while ((opt = strtok_r(NULL, ",", &save)))
		if (!put_option(m, asked, opt, err))
			return false;
	if (m->host && !m->migratable && !(asked[KW_80000007_EDX] & BIT(8)))
		m->words[KW_80000007_EDX] |= BIT(8);
	if (m->host && !m->migratable)
		m->words[KW_80000007_EDX] &= supported_word(kvm, m, KW_80000007_EDX);
	if (!filter(kvm, m, asked, err))
		return false;
	drop_dependents(m);
	return true;
}

struct kvm_cpu_model *kvm_cpu_parse(struct kvm *kvm, const char *arg,
				    const struct machine_config *config, struct error *err)
{
	struct kvm_cpu_model *m = xzalloc(sizeof(*m));
	char *copy = xstrdup(arg ? arg : "host");
	bool ok;

	m->check = m->migratable = true;
	m->sockets = MAX(config->sockets, 1u);
	m->cores = MAX(config->cores, 1u);
	m->threads = MAX(config->threads, 1u);
	ok = load_supported(kvm, m, err) && parse(kvm, m, copy, err);
	free(copy);
	if (ok)
		return m;
	kvm_cpu_free(m);
	return NULL;
}

void kvm_cpu_free(struct kvm_cpu_model *m)
{
	if (m)
		free(m->supported);
	free(m);
}

uint32_t kvm_cpu_signature(const struct kvm_cpu_model *m)
{
	unsigned family = MIN(m->family, 15u), extended = m->family - family;

	return m->stepping | (m->model & 15) << 4 | family << 8 | (m->model >> 4) << 16 |
	       extended << 20;
}

/* ---- a vCPU ---- */

static bool set_tsc_frequency(struct kvm_cpu_model *m, struct vcpu *v, int fd, struct error *err)
{
	int host = ioctl(fd, KVM_GET_TSC_KHZ, 0);
	long khz = (long)(m->tsc_hz / 1000), off;

	if (!m->tsc_hz || khz == host)
		return true;
	off = labs(khz - host);
	if (kvm_has(kvm_of(v->machine), HAS_TSC_CONTROL) ? ioctl(fd, KVM_SET_TSC_KHZ, khz) == 0
							 : host > 0 && off * 4000 <= host)
		return true;
	return error_set(err,
			 "-cpu: tsc-frequency=%llu: this host cannot scale the TSC, which runs at "
			 "%d kHz",
			 (unsigned long long)m->tsc_hz, host);
}

bool kvm_cpu_apply(struct kvm_cpu_model *m, struct vcpu *v, int fd, struct error *err)
{
	struct kvm_cpuid2 *cpuid;
	int khz;
	bool ok;

	if (!set_tsc_frequency(m, v, fd, err))
		return false;
	khz = ioctl(fd, KVM_GET_TSC_KHZ, 0);
	cpuid = kvm_cpuid_build(m, v, khz > 0 ? (unsigned)khz : 0);
	ok = ioctl(fd, KVM_SET_CPUID2, cpuid) == 0;
	free(cpuid);
	return ok ||
	       error_set_errno(err, errno, "KVM refuses the CPUID leaves of -cpu %s", m->name);
}
