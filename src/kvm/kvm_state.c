/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A processor's state in accel_ops' form. The state after power-on is the one that KVM_CREATE_VCPU made: it is read once, and a reset
 * writes it back.
 */
#include <errno.h>
#include <stdlib.h>
#include "src/cpu/lapic.h"
#include "src/kvm/kvm.h"

#define MSR_TSC		 0x10
#define MSR_APIC_BASE	 0x1b
#define MSR_MTRR_DEF	 0x2ff
#define MSR_MTRR_FIX64K	 0x250
#define MSR_MTRR_FIX16K0 0x258
#define MSR_MTRR_FIX16K1 0x259
#define MSR_MTRR_FIX4K	 0x268
#define MSR_MTRR_PHYS0	 0x200
#define MSR_PAT		 0x277
#define MSR_MCG_CAP	 0x179
#define MSR_MC0_CTL	 0x400
#define MSR_EFER	 0xc0000080
#define MTRR_FIX4K_COUNT 8
#define CR0_CACHING	 0x60000000u /* CD, NW */
#define MTRR_PHYS_COUNT	 16

/* The vCPU is not running, so that the kernel has no reason to refuse. */
static void must(struct kvm_vcpu *kv, unsigned long request, void *arg, const char *what)
{
	if (ioctl(kv->fd, request, arg) >= 0)
		return;
	report_error("KVM refuses the %s of vCPU %u: %s", what, kv->v->index, strerror(errno));
	abort();
}

/* ---- registers ---- */

static struct x86_segment seg_out(const struct kvm_segment *s)
{
	return (struct x86_segment){
		.selector = s->selector,
		.base = s->base,
		.limit = s->limit,
		.type = s->type,
		.s = s->s,
		.present = s->present && !s->unusable,
		.avl = s->avl,
		.l = s->l,
		.db = s->db,
		.g = s->g,
		.dpl = s->dpl,
	};
}

static struct kvm_segment seg_in(const struct x86_segment *s)
{
	return (struct kvm_segment){
		.selector = s->selector,
		.base = s->base,
		.limit = s->limit,
		.type = s->type,
		.s = s->s,
		.present = s->present,
		.avl = s->avl,
		.l = s->l,
		.db = s->db,
		.g = s->g,
		.dpl = s->dpl,
		.unusable = !s->present,
	};
}

/* KVM's order of the general registers differs from the encoding's. */
static void gprs_out(const struct kvm_regs *k, uint64_t *gpr)
{
	const uint64_t in[16] = {k->rax, k->rcx, k->rdx, k->rbx, k->rsp, k->rbp, k->rsi, k->rdi,
				 k->r8,	 k->r9,	 k->r10, k->r11, k->r12, k->r13, k->r14, k->r15};

	memcpy(gpr, in, sizeof(in));
}

static struct kvm_regs gprs_in(const struct x86_regs *r)
{
	const uint64_t *g = r->gpr;

	return (struct kvm_regs){
		.rax = g[0],
		.rcx = g[1],
		.rdx = g[2],
		.rbx = g[3],
		.rsp = g[4],
		.rbp = g[5],
		.rsi = g[6],
		.rdi = g[7],
		.r8 = g[8],
		.r9 = g[9],
		.r10 = g[10],
		.r11 = g[11],
		.r12 = g[12],
		.r13 = g[13],
		.r14 = g[14],
		.r15 = g[15],
		.rip = r->rip,
		.rflags = r->rflags | 2,
	};
}

void kvm_get_regs(struct vcpu *v, struct x86_regs *r)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_debugregs d = {.dr6 = 0xffff0ff0, .dr7 = 0x400};
	struct kvm_sregs s;
	struct kvm_regs k;

	must(kv, KVM_GET_REGS, &k, "registers");
	must(kv, KVM_GET_SREGS, &s, "system registers");
	if (kvm_has(kv->kvm, HAS_DEBUGREGS))
		must(kv, KVM_GET_DEBUGREGS, &d, "debug registers");
	memset(r, 0, sizeof(*r));
	gprs_out(&k, r->gpr);
	r->rip = k.rip;
	r->rflags = k.rflags;
	r->es = seg_out(&s.es);
	r->cs = seg_out(&s.cs);
	r->ss = seg_out(&s.ss);
	r->ds = seg_out(&s.ds);
	r->fs = seg_out(&s.fs);
	r->gs = seg_out(&s.gs);
	r->ldt = seg_out(&s.ldt);
	r->tr = seg_out(&s.tr);
	r->gdt_base = s.gdt.base;
	r->gdt_limit = s.gdt.limit;
	r->idt_base = s.idt.base;
	r->idt_limit = s.idt.limit;
	r->cr0 = s.cr0;
	r->cr2 = s.cr2;
	r->cr3 = s.cr3;
	r->cr4 = s.cr4;
	r->cr8 = v->lapic ? lapic_get_tpr(v->lapic) >> 4 : s.cr8;
	r->efer = s.efer;
	memcpy(r->dr, d.db, sizeof(d.db));
	r->dr[4] = r->dr[6] = d.dr6;
	r->dr[5] = r->dr[7] = d.dr7;
}

/* LMA follows from the rest, and KVM wants it to be right. */
static uint64_t efer_in(const struct x86_regs *r)
{
	uint64_t efer = r->efer & ~0x400ull;

	return (efer & 0x100) && (r->cr0 & 0x80000000u) ? efer | 0x400 : efer;
}

/* What KVM_RUN's last return says of interrupts is no longer so. */
static void flags_changed(struct kvm_vcpu *kv, uint64_t rflags)
{
	kv->run->if_flag = rflags >> 9 & 1;
	kv->run->ready_for_interrupt_injection = 0;
}

void kvm_set_regs(struct vcpu *v, const struct x86_regs *r)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_debugregs d = {.dr6 = r->dr[6], .dr7 = r->dr[7]};
	struct kvm_regs k = gprs_in(r);
	struct kvm_sregs s;

	must(kv, KVM_GET_SREGS, &s, "system registers");
	s.es = seg_in(&r->es);
	s.cs = seg_in(&r->cs);
	s.ss = seg_in(&r->ss);
	s.ds = seg_in(&r->ds);
	s.fs = seg_in(&r->fs);
	s.gs = seg_in(&r->gs);
	s.ldt = seg_in(&r->ldt);
	s.tr = seg_in(&r->tr);
	/* VMX wants a busy TSS in TR, whatever the loaders leave there. */
	if (s.tr.unusable) {
		s.tr.unusable = 0;
		s.tr.present = 1;
		s.tr.type = 11;
		s.tr.limit = MAX(s.tr.limit, 0x67u);
	}
	s.gdt.base = r->gdt_base;
	s.gdt.limit = r->gdt_limit;
	s.idt.base = r->idt_base;
	s.idt.limit = r->idt_limit;
	s.cr0 = r->cr0 | 0x10;
	s.cr2 = r->cr2;
	s.cr3 = r->cr3;
	s.cr4 = r->cr4;
	s.cr8 = r->cr8;
	s.efer = efer_in(r);
	memset(s.interrupt_bitmap, 0, sizeof(s.interrupt_bitmap));
	must(kv, KVM_SET_SREGS, &s, "system registers");
	must(kv, KVM_SET_REGS, &k, "registers");
	memcpy(d.db, r->dr, sizeof(d.db));
	if (kvm_has(kv->kvm, HAS_DEBUGREGS))
		must(kv, KVM_SET_DEBUGREGS, &d, "debug registers");
	if (v->lapic && lapic_get_tpr(v->lapic) >> 4 != r->cr8)
		lapic_set_tpr(v->lapic, (uint8_t)(r->cr8 << 4));
	flags_changed(kv, r->rflags);
}

/* ---- FPU ---- */

static unsigned long get_xsave_ioctl(const struct kvm *kvm)
{
#ifdef KVM_GET_XSAVE2
	if (kvm->xsave_bytes > sizeof(struct kvm_xsave))
		return KVM_GET_XSAVE2;
#endif
	return KVM_GET_XSAVE;
}

void kvm_get_fpu(struct vcpu *v, struct x86_fpu *fpu)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_xcrs xcrs = {0};

	memset(fpu, 0, sizeof(*fpu));
	must(kv, get_xsave_ioctl(kv->kvm), fpu->xsave, "vector state");
	fpu->bytes = kv->kvm->xsave_bytes;
	fpu->xcr0 = 1;
	if (kvm_has(kv->kvm, HAS_XCRS) && !ioctl(kv->fd, KVM_GET_XCRS, &xcrs) && xcrs.nr_xcrs)
		fpu->xcr0 = xcrs.xcrs[0].value;
}

bool kvm_set_fpu(struct vcpu *v, const struct x86_fpu *fpu, struct error *err)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0] = {.xcr = 0, .value = fpu->xcr0}};
	struct x86_fpu *copy = xaligned_zalloc(64, sizeof(*copy));
	bool ok;

	memcpy(copy->xsave, fpu->xsave, MIN(fpu->bytes, X86_XSAVE_BYTES));
	ok = ioctl(kv->fd, KVM_SET_XSAVE, copy->xsave) == 0;
	free(copy);
	if (!ok)
		return error_set_errno(err, errno, "KVM refuses the vector state of vCPU %u",
				       v->index);
	if (kvm_has(kv->kvm, HAS_XCRS) && ioctl(kv->fd, KVM_SET_XCRS, &xcrs))
		return error_set_errno(err, errno, "KVM refuses XCR0 %#llx",
				       (unsigned long long)fpu->xcr0);
	return true;
}

/* ---- MSRs ---- */

/* What KVM_GET_MSR_INDEX_LIST leaves out although it is state. */
static const uint32_t more_msrs[] = {MSR_EFER, MSR_APIC_BASE};

/* struct kvm_msrs with a single entry. */
struct one_msr {
	uint32_t nmsrs, pad;
	struct kvm_msr_entry entry;
};
_Static_assert(offsetof(struct one_msr, entry) == sizeof(struct kvm_msrs), "as the kernel has it");

static bool msr_read(struct kvm_vcpu *kv, uint32_t index, uint64_t *value)
{
	struct one_msr one = {.nmsrs = 1, .entry.index = index};

	if (ioctl(kv->fd, KVM_GET_MSRS, &one) != 1)
		return false;
	*value = one.entry.data;
	return true;
}

static bool msr_write(struct kvm_vcpu *kv, uint32_t index, uint64_t value)
{
	struct one_msr one = {.nmsrs = 1, .entry = {.index = index, .data = value}};

	return ioctl(kv->fd, KVM_SET_MSRS, &one) == 1;
}

static bool load_msr_list(struct kvm *kvm, struct error *err)
{
	struct kvm_msr_list probe = {.nmsrs = 0};

	if (kvm->msr_list)
		return true;
	ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, &probe); /* E2BIG, and how many there are */
	kvm->msr_list = xzalloc(sizeof(probe) + probe.nmsrs * sizeof(uint32_t));
	kvm->msr_list->nmsrs = probe.nmsrs;
	if (ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, kvm->msr_list))
		return error_set_errno(err, errno, "KVM does not list its MSRs");
	return true;
}

static void add_msr(struct kvm_vcpu *kv, struct x86_msr *msrs, unsigned *n, uint32_t index)
{
	for (unsigned i = 0; i < *n; i++)
		if (msrs[i].index == index)
			return;
	if (msr_read(kv, index, &msrs[*n].value))
		msrs[(*n)++].index = index;
}

struct x86_msr *kvm_get_msrs(struct vcpu *v, unsigned *n)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	const struct kvm_msr_list *list = kv->kvm->msr_list;
	unsigned room = list->nmsrs + ARRAY_SIZE(more_msrs) + 3 + MTRR_FIX4K_COUNT +
			MTRR_PHYS_COUNT + 1 + 4 * 32;
	struct x86_msr *msrs = xzalloc(room * sizeof(*msrs));
	uint64_t mcg = 0;

	*n = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(more_msrs); i++)
		add_msr(kv, msrs, n, more_msrs[i]);
	for (unsigned i = 0; i < list->nmsrs; i++)
		add_msr(kv, msrs, n, list->indices[i]);
	add_msr(kv, msrs, n, MSR_MTRR_FIX64K);
	add_msr(kv, msrs, n, MSR_MTRR_FIX16K0);
	add_msr(kv, msrs, n, MSR_MTRR_FIX16K1);
	for (unsigned i = 0; i < MTRR_FIX4K_COUNT; i++)
		add_msr(kv, msrs, n, MSR_MTRR_FIX4K + i);
	for (unsigned i = 0; i < MTRR_PHYS_COUNT; i++)
		add_msr(kv, msrs, n, MSR_MTRR_PHYS0 + i);
	add_msr(kv, msrs, n, MSR_MTRR_DEF);
	if (kvm_has(kv->kvm, HAS_MCE) && msr_read(kv, MSR_MCG_CAP, &mcg))
		for (unsigned i = 0; i < 4 * MIN((unsigned)mcg & 0xff, 32u); i++)
			add_msr(kv, msrs, n, MSR_MC0_CTL + i);
	return msrs;
}

bool kvm_set_msrs(struct vcpu *v, const struct x86_msr *msrs, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < n; i++) {
		if (!msr_write(kvm_vcpu_of(v), msrs[i].index, msrs[i].value))
			return error_set(err, "KVM refuses %#llx in MSR %#x",
					 (unsigned long long)msrs[i].value, msrs[i].index);
		if (v->lapic && msrs[i].index == MSR_APIC_BASE)
			lapic_set_base(v->lapic, msrs[i].value);
	}
	return true;
}

/* ---- local APIC ---- */

void kvm_get_lapic(struct vcpu *v, struct x86_lapic *lapic)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);

	_Static_assert(sizeof(struct kvm_lapic_state) == sizeof(*lapic), "registers of 16 bytes");
	if (v->lapic)
		lapic_get_state(v->lapic, lapic);
	else
		must(kv, KVM_GET_LAPIC, lapic, "local APIC");
}

bool kvm_set_lapic(struct vcpu *v, const struct x86_lapic *lapic, struct error *err)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);

	if (v->lapic)
		lapic_set_state(v->lapic, lapic);
	else if (ioctl(kv->fd, KVM_SET_LAPIC, lapic))
		return error_set_errno(err, errno, "KVM refuses the local APIC of vCPU %u",
				       v->index);
	return true;
}

/* ---- events ---- */

void kvm_get_events(struct vcpu *v, struct x86_events *e)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_vcpu_events k = {0};
	struct kvm_mp_state mp;

	must(kv, KVM_GET_VCPU_EVENTS, &k, "events");
	must(kv, KVM_GET_MP_STATE, &mp, "state");
	memset(e, 0, sizeof(*e));
	e->exception.injected = k.exception.injected;
	e->exception.vector = k.exception.nr;
	e->exception.has_error = k.exception.has_error_code;
	e->exception.error = k.exception.error_code;
	if (k.flags & KVM_VCPUEVENT_VALID_PAYLOAD) {
		e->exception.pending = k.exception.pending;
		e->exception.has_payload = k.exception_has_payload;
		e->exception.payload = k.exception_payload;
	}
	e->interrupt.injected = k.interrupt.injected;
	e->interrupt.vector = k.interrupt.nr;
	e->interrupt.soft = k.interrupt.soft;
	e->nmi.injected = k.nmi.injected;
	e->nmi.pending = k.nmi.pending;
	e->nmi.masked = k.nmi.masked;
	if (k.flags & KVM_VCPUEVENT_VALID_SMM) {
		e->smi.smm = k.smi.smm;
		e->smi.pending = k.smi.pending;
		e->smi.inside_nmi = k.smi.smm_inside_nmi;
		e->smi.latched_init = k.smi.latched_init;
	}
	e->shadow = (k.interrupt.shadow & KVM_X86_SHADOW_INT_STI ? X86_SHADOW_STI : 0) |
		    (k.interrupt.shadow & KVM_X86_SHADOW_INT_MOV_SS ? X86_SHADOW_MOV_SS : 0);
	e->halted = mp.mp_state == KVM_MP_STATE_HALTED;
	e->wait_sipi = mp.mp_state == KVM_MP_STATE_UNINITIALIZED ||
		       mp.mp_state == KVM_MP_STATE_INIT_RECEIVED;
	e->sipi_pending = mp.mp_state == KVM_MP_STATE_SIPI_RECEIVED;
	e->sipi_vector = (uint8_t)k.sipi_vector;
	if (v->lapic)
		kvm_lapic_get_events(kv, e);
}

static struct kvm_vcpu_events events_in(const struct kvm *kvm, const struct x86_events *e)
{
	struct kvm_vcpu_events k = {
		.exception = {.injected = e->exception.injected,
			      .nr = e->exception.vector,
			      .has_error_code = e->exception.has_error,
			      .error_code = e->exception.error},
		.interrupt = {.injected = e->interrupt.injected,
			      .nr = e->interrupt.vector,
			      .soft = e->interrupt.soft},
		.nmi = {.injected = e->nmi.injected,
			.pending = e->nmi.pending,
			.masked = e->nmi.masked},
		.sipi_vector = e->sipi_vector,
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
			 KVM_VCPUEVENT_VALID_SHADOW,
	};

	k.interrupt.shadow = (e->shadow & X86_SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0) |
			     (e->shadow & X86_SHADOW_MOV_SS ? KVM_X86_SHADOW_INT_MOV_SS : 0);
	if (kvm_has(kvm, HAS_EXCEPTION_PAYLOAD)) {
		k.flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
		k.exception.pending = e->exception.pending;
		k.exception_has_payload = e->exception.has_payload;
		k.exception_payload = e->exception.payload;
	}
	if (e->smi.smm || e->smi.pending || e->smi.latched_init) {
		k.flags |= KVM_VCPUEVENT_VALID_SMM;
		k.smi.smm = e->smi.smm;
		k.smi.pending = e->smi.pending;
		k.smi.smm_inside_nmi = e->smi.inside_nmi;
		k.smi.latched_init = e->smi.latched_init;
	}
	return k;
}

bool kvm_set_events(struct vcpu *v, const struct x86_events *e, struct error *err)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_vcpu_events k = events_in(kv->kvm, e);
	struct kvm_mp_state mp = {.mp_state = e->wait_sipi	? KVM_MP_STATE_UNINITIALIZED
					      : e->sipi_pending ? KVM_MP_STATE_SIPI_RECEIVED
					      : e->halted	? KVM_MP_STATE_HALTED
								: KVM_MP_STATE_RUNNABLE};

	/* Without a local APIC in the kernel nobody is halted or waits there. */
	if (v->lapic)
		kvm_lapic_set_events(kv, e);
	else if (ioctl(kv->fd, KVM_SET_MP_STATE, &mp))
		return error_set_errno(err, errno, "KVM refuses the state of vCPU %u", v->index);
	if (ioctl(kv->fd, KVM_SET_VCPU_EVENTS, &k))
		return error_set_errno(err, errno, "KVM refuses the events of vCPU %u", v->index);
	return true;
}

/* ---- power-on ---- */

/*
 * MTRRs as firmware leaves them, not all off: a kernel may be entered without any, and one that initializes them does so from
 * what it finds.
 */
static void firmware_mtrrs(struct x86_msr *msrs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t index = msrs[i].index;

		if (index == MSR_MTRR_DEF)
			msrs[i].value = 0xc06;
		else if (index == MSR_MTRR_FIX64K || index == MSR_MTRR_FIX16K0)
			msrs[i].value = 0x0606060606060606ull;
		else if (index >= MSR_MTRR_FIX4K && index < MSR_MTRR_FIX4K + MTRR_FIX4K_COUNT)
			msrs[i].value = 0x0505050505050505ull;
		else if (index == MSR_TSC)
			msrs[i].value = 0;
	}
}

bool kvm_state_init(struct kvm_vcpu *kv, struct error *err)
{
	if (!load_msr_list(kv->kvm, err))
		return false;
	must(kv, KVM_GET_SREGS, &kv->power_on.sregs, "system registers");
	must(kv, KVM_GET_REGS, &kv->power_on.regs, "registers");
	must(kv, KVM_GET_VCPU_EVENTS, &kv->power_on.events, "events");
	must(kv, KVM_GET_MP_STATE, &kv->power_on.mp, "state");
	if (kvm_has(kv->kvm, HAS_DEBUGREGS))
		must(kv, KVM_GET_DEBUGREGS, &kv->power_on.debugregs, "debug registers");
	if (kv->kvm->irqchip != IRQCHIP_NONE)
		must(kv, KVM_GET_LAPIC, &kv->power_on.lapic, "local APIC");
	kv->power_on.fpu = xaligned_zalloc(64, sizeof(*kv->power_on.fpu));
	kvm_get_fpu(kv->v, kv->power_on.fpu);
	kv->power_on.msrs = kvm_get_msrs(kv->v, &kv->power_on.n_msrs);
	firmware_mtrrs(kv->power_on.msrs, kv->power_on.n_msrs);
	kv->power_on.regs.rdx = kvm_cpu_signature(kv->kvm->model);
	return true;
}

void kvm_state_fini(struct kvm_vcpu *kv)
{
	free(kv->power_on.fpu);
	free(kv->power_on.msrs);
	if (kv->v->index == 0) {
		free(kv->kvm->msr_list);
		kv->kvm->msr_list = NULL;
	}
}

/*
 * The APIC's mode is in the system registers, and comes before what is in the APIC; events come last. Not all MSRs that can be
 * read can be written.
 */
void kvm_vcpu_reset(struct vcpu *v)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);

	must(kv, KVM_SET_SREGS, &kv->power_on.sregs, "system registers");
	must(kv, KVM_SET_REGS, &kv->power_on.regs, "registers");
	if (kvm_has(kv->kvm, HAS_DEBUGREGS))
		must(kv, KVM_SET_DEBUGREGS, &kv->power_on.debugregs, "debug registers");
	kvm_set_fpu(v, kv->power_on.fpu, NULL);
	for (unsigned i = 0; i < kv->power_on.n_msrs; i++)
		msr_write(kv, kv->power_on.msrs[i].index, kv->power_on.msrs[i].value);
	if (v->lapic) {
		kvm_lapic_reset(kv);
	} else {
		must(kv, KVM_SET_LAPIC, &kv->power_on.lapic, "local APIC");
		must(kv, KVM_SET_MP_STATE, &kv->power_on.mp, "state");
	}
	must(kv, KVM_SET_VCPU_EVENTS, &kv->power_on.events, "events");
	kv->incomplete = false;
	kv->run->request_interrupt_window = 0;
	flags_changed(kv, kv->power_on.regs.rflags);
}

/* The FPU, the MSRs and how memory is cached stay as they are. */
void kvm_vcpu_init_state(struct kvm_vcpu *kv)
{
	struct kvm_sregs sregs = kv->power_on.sregs, now;

	must(kv, KVM_GET_SREGS, &now, "system registers");
	sregs.apic_base = now.apic_base;
	sregs.cr0 = (sregs.cr0 & ~CR0_CACHING) | (now.cr0 & CR0_CACHING);
	must(kv, KVM_SET_SREGS, &sregs, "system registers");
	must(kv, KVM_SET_REGS, &kv->power_on.regs, "registers");
	if (kvm_has(kv->kvm, HAS_DEBUGREGS))
		must(kv, KVM_SET_DEBUGREGS, &kv->power_on.debugregs, "debug registers");
	must(kv, KVM_SET_VCPU_EVENTS, &kv->power_on.events, "events");
	kv->incomplete = false;
	kv->run->request_interrupt_window = 0;
	flags_changed(kv, kv->power_on.regs.rflags);
}
