/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUID leaves of a vCPU (SDM 2A, CPUID; APM 3, appendix E; KVM's cpuid.rst): of the supported ones those within the model's
 * levels, with the model's features and identity; topology and caches are evmm's.
 */
#include <stdlib.h>
#include "src/kvm/kvm.h"

#define MAX_LEAVES 512
#define LEAF_KVM   0x40000000u
#define LEAF_TSC   0x40000010u

struct builder {
	const struct kvm_cpu_model *m;
	const struct vcpu *v;
	struct kvm_cpuid2 *out;
	bool amd;
	uint32_t level, xlevel;
};

static unsigned bits_for(unsigned n)
{
	return n > 1 ? 32 - (unsigned)__builtin_clz(n - 1) : 0;
}

static unsigned logical_cpus(const struct kvm_cpu_model *m)
{
	return m->cores * m->threads;
}

static struct kvm_cpuid_entry2 *add(struct builder *b, uint32_t leaf, uint32_t subleaf,
				    bool indexed)
{
	struct kvm_cpuid_entry2 *e;

	if (b->out->nent == MAX_LEAVES)
		abort(); /* the kernel has 256 at most */
	e = &b->out->entries[b->out->nent++];
	*e = (struct kvm_cpuid_entry2){.function = leaf,
				       .index = subleaf,
				       .flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0};
	return e;
}

static uint32_t supported(const struct kvm_cpu_model *m, uint32_t leaf, uint32_t subleaf,
			  unsigned reg)
{
	for (unsigned i = 0; i < m->supported->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &m->supported->entries[i];
		const uint32_t regs[] = {e->eax, e->ebx, e->ecx, e->edx};

		if (e->function == leaf && e->index == subleaf)
			return regs[reg];
	}
	return 0;
}

/* ---- topology and caches ---- */

/* 32 KiB L1 data and code, 512 KiB L2 for a core, 16 MiB L3 for a socket; leaf 4 and 8000001dh have one form. */
static void add_caches(struct builder *b, uint32_t leaf, bool intel)
{
	static const struct {
		unsigned type, level, ways, sets;
		bool shared;
	} caches[] = {{1, 1, 8, 64, false},
		      {2, 1, 8, 64, false},
		      {3, 2, 8, 1024, false},
		      {3, 3, 16, 16384, true}};

	for (unsigned i = 0; i < ARRAY_SIZE(caches); i++) {
		struct kvm_cpuid_entry2 *e = add(b, leaf, i, true);
		unsigned sharing = caches[i].shared ? logical_cpus(b->m) : b->m->threads;

		e->eax = caches[i].type | caches[i].level << 5 | 1 << 8 |
			 ((1u << bits_for(sharing)) - 1) << 14;
		if (intel)
			e->eax |= ((1u << bits_for(b->m->cores)) - 1) << 26;
		e->ebx = 63 | (caches[i].ways - 1) << 22;
		e->ecx = caches[i].sets - 1;
	}
	add(b, leaf, ARRAY_SIZE(caches), true);
}

/* Leaf 0bh, and 1fh with no more in it. */
static void add_topology(struct builder *b, uint32_t leaf)
{
	unsigned thread_bits = bits_for(b->m->threads), core_bits = bits_for(b->m->cores);

	for (unsigned i = 0; i < 3; i++) {
		struct kvm_cpuid_entry2 *e = add(b, leaf, i, true);

		e->ecx = i;
		e->edx = b->v->apic_id;
		if (i == 0) {
			e->eax = thread_bits;
			e->ebx = b->m->threads;
			e->ecx |= 1 << 8;
		} else if (i == 1) {
			e->eax = thread_bits + core_bits;
			e->ebx = logical_cpus(b->m);
			e->ecx |= 2 << 8;
		}
	}
}

static void add_amd_ids(struct builder *b)
{
	struct kvm_cpuid_entry2 *e = add(b, 0x8000001e, 0, false);

	e->eax = b->v->apic_id;
	e->ebx = b->v->apic_id >> bits_for(b->m->threads) | (b->m->threads - 1) << 8;
	e->ecx = b->v->apic_id >> (bits_for(b->m->threads) + bits_for(b->m->cores));
}

/* ---- leaves that are ours ---- */

static void put_vendor(const struct kvm_cpu_model *m, struct kvm_cpuid_entry2 *e)
{
	memcpy(&e->ebx, m->vendor, 4);
	memcpy(&e->edx, m->vendor + 4, 4);
	memcpy(&e->ecx, m->vendor + 8, 4);
}

static void leaf_1(struct builder *b, struct kvm_cpuid_entry2 *e)
{
	unsigned n = logical_cpus(b->m);

	e->eax = kvm_cpu_signature(b->m);
	e->ebx = b->v->apic_id << 24 | MIN(n, 255u) << 16 | 8 << 8; /* CLFLUSH: 64 bytes */
	e->ecx = b->m->words[KW_1_ECX];
	e->edx = b->m->words[KW_1_EDX];
	e->edx = n > 1 ? e->edx | BIT(28) : e->edx & ~BIT(28);
}

/* AMD: what leaf 1 EDX has too, in its bits of 80000001h EDX. */
#define AMD_SHARED_EDX 0x0183f3ffu

static void leaf_80000001(struct builder *b, struct kvm_cpuid_entry2 *e)
{
	e->eax = kvm_cpu_signature(b->m);
	e->ebx = 0;
	e->ecx = b->m->words[KW_80000001_ECX];
	e->edx = b->m->words[KW_80000001_EDX];
	if (b->amd)
		e->edx |= b->m->words[KW_1_EDX] & AMD_SHARED_EDX;
	if (b->amd && logical_cpus(b->m) > 1)
		e->ecx |= BIT(1); /* CmpLegacy */
}

static void leaf_80000008(struct builder *b, struct kvm_cpuid_entry2 *e)
{
	unsigned n = logical_cpus(b->m);

	if (b->m->phys_bits)
		e->eax = (e->eax & ~0xffu) | MIN(b->m->phys_bits, e->eax & 0xff);
	e->ebx = b->m->words[KW_80000008_EBX];
	e->ecx = b->amd && n > 1 ? (n - 1) | bits_for(n) << 12 : 0;
	e->edx = 0;
}

/* The words of features in E, other bits of those registers cleared. */
static void put_words(const struct kvm_cpu_model *m, struct kvm_cpuid_entry2 *e)
{
	uint32_t *regs[] = {&e->eax, &e->ebx, &e->ecx, &e->edx};

	for (unsigned w = 0; w < KW_COUNT; w++)
		if (kvm_words[w].leaf == e->function && kvm_words[w].subleaf == e->index)
			*regs[kvm_words[w].reg] = m->words[w];
}

/* What differs from what is supported. False: the leaf is made elsewhere, or left out. */
static bool adapt(struct builder *b, struct kvm_cpuid_entry2 *e)
{
	uint32_t text[4];

	switch (e->function) {
	case 0:
		e->eax = b->level;
		put_vendor(b->m, e);
		return true;
	case 1:
		leaf_1(b, e);
		return true;
	case 4:
	case 0xb:
	case 0x1f:
	case 0x8000001d:
	case 0x8000001e:
		return false;
	case 2:
		*e = (struct kvm_cpuid_entry2){.function = 2, .eax = b->amd ? 0 : 0x00ff0001};
		return true;
	case 6:
		put_words(b->m, e);
		e->ebx = e->ecx = e->edx = 0;
		return true;
	case 0xa:
		return b->m->pmu;
	case 0xd:
		if (!kvm_cpu_has(b->m, KW_1_ECX, 26))
			return false;
		put_words(b->m, e);
		return true;
	case 0x80000000:
		e->eax = b->xlevel;
		put_vendor(b->m, e);
		return true;
	case 0x80000001:
		leaf_80000001(b, e);
		return true;
	case 0x80000002 ... 0x80000004:
		memcpy(text, b->m->brand + (e->function - 0x80000002) * 16, 16);
		e->eax = text[0];
		e->ebx = text[1];
		e->ecx = text[2];
		e->edx = text[3];
		return true;
	case 0x80000008:
		leaf_80000008(b, e);
		return true;
	case 0x8000000a:
		put_words(b->m, e);
		return kvm_cpu_has(b->m, KW_80000001_ECX, 2);
	default:
		put_words(b->m, e);
		return true;
	}
}

static bool within_levels(const struct builder *b, uint32_t leaf)
{
	if (leaf >= 0x80000000u)
		return leaf <= b->xlevel;
	if (leaf >= LEAF_KVM && leaf < LEAF_KVM + 0x10000)
		return kvm_cpu_has(b->m, KW_1_ECX, 31) && !b->m->hidden;
	return leaf <= b->level;
}

static void choose_levels(struct builder *b)
{
	uint32_t level = supported(b->m, 0, 0, REG_EAX),
		 xlevel = supported(b->m, 0x80000000, 0, REG_EAX);

	b->level = b->m->level ? b->m->level : level;
	/* Leaves that features stand for are within the levels. */
	if (b->m->words[KW_7_EBX] | b->m->words[KW_7_ECX] | b->m->words[KW_7_EDX])
		b->level = MAX(b->level, 7u);
	if (kvm_cpu_has(b->m, KW_1_ECX, 21))
		b->level = MAX(b->level, 0xbu);
	if (kvm_cpu_has(b->m, KW_1_ECX, 26))
		b->level = MAX(b->level, 0xdu);
	b->xlevel = b->m->xlevel ? b->m->xlevel : MAX(xlevel, 0x80000008u);
	if (b->amd && kvm_cpu_has(b->m, KW_80000001_ECX, 22))
		b->xlevel = MAX(b->xlevel, 0x8000001eu);
	if (b->m->words[KW_80000021_EAX])
		b->xlevel = MAX(b->xlevel, 0x80000021u);
}

/* kHz of the TSC and of the APIC bus, for guests that look here instead of measuring. */
static void add_tsc_leaf(struct builder *b, unsigned tsc_khz)
{
	struct kvm_cpuid_entry2 *e;

	if (!kvm_cpu_has(b->m, KW_80000007_EDX, 8) || !tsc_khz || !within_levels(b, LEAF_KVM))
		return;
	for (unsigned i = 0; i < b->out->nent; i++)
		if (b->out->entries[i].function == LEAF_KVM)
			b->out->entries[i].eax = LEAF_TSC;
	e = add(b, LEAF_TSC, 0, false);
	e->eax = tsc_khz;
	e->ebx = 1000000;
}

struct kvm_cpuid2 *kvm_cpuid_build(const struct kvm_cpu_model *m, const struct vcpu *v,
				   unsigned tsc_khz)
{
	struct builder b = {.m = m, .v = v, .amd = !strcmp(m->vendor, "AuthenticAMD")};

	b.out = xzalloc(sizeof(*b.out) + MAX_LEAVES * sizeof(b.out->entries[0]));
	choose_levels(&b);
	for (unsigned i = 0; i < m->supported->nent; i++) {
		struct kvm_cpuid_entry2 e = m->supported->entries[i];

		if (within_levels(&b, e.function) && adapt(&b, &e))
			b.out->entries[b.out->nent++] = e;
	}
	if (b.level >= 4 && !b.amd)
		add_caches(&b, 4, true);
	if (b.level >= 0xb)
		add_topology(&b, 0xb);
	if (b.xlevel >= 0x8000001e && b.amd) {
		add_caches(&b, 0x8000001d, false);
		add_amd_ids(&b);
	}
	add_tsc_leaf(&b, tsc_khz);
	return b.out;
}

void kvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t out[4])
{
	const struct kvm *kvm = v->machine->accel_state;
	struct kvm_cpuid2 *all = kvm_cpuid_build(kvm->model, v, 0);

	for (unsigned i = 0; i < all->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &all->entries[i];

		if (e->function == leaf && e->index == 0)
			memcpy(out, (const uint32_t[]){e->eax, e->ebx, e->ecx, e->edx}, 16);
	}
	free(all);
}
