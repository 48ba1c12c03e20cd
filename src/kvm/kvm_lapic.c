/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel-irqchip=off: the local APIC is ours (src/cpu/lapic.h), and everything that the kernel's would do for a vCPU is done here, on its
 * thread: its page's accesses come as MMIO exits, HLT as an exit, interrupts go in by KVM_INTERRUPT when the kernel says that it can
 * take one (api.rst, 5: ready_for_interrupt_injection, request_interrupt_window), the task priority goes to and fro as cr8.
 *
 * There is no x2APIC and no TSC-deadline timer then, which CPUID says, because their MSRs are the kernel's APIC's.
 */
#include <errno.h>
#include "src/cpu/lapic.h"
#include "src/kvm/kvm.h"
#include "src/log.h"

#define MSR_APIC_BASE 0x1b

/* ---- what the APIC does to the processor ---- */

static void on_leave(struct vcpu *v)
{
	__atomic_store_n(&kvm_vcpu_of(v)->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

static void on_nmi(struct vcpu *v)
{
	ioctl(kvm_vcpu_of(v)->fd, KVM_NMI);
	kvm_vcpu_of(v)->halted = false;
}

static void on_init(struct vcpu *v, bool wait)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);

	kvm_complete_io(kv);
	kvm_vcpu_init_state(kv);
	kv->halted = false;
	kv->wait_sipi = wait;
}

static bool waits_for_sipi(struct vcpu *v)
{
	return kvm_vcpu_of(v)->wait_sipi;
}

static void on_sipi(struct vcpu *v, uint8_t vector)
{
	struct x86_regs regs;

	kvm_vcpu_of(v)->wait_sipi = false;
	kvm_get_regs(v, &regs);
	regs.cs.selector = (uint16_t)(vector << 8);
	regs.cs.base = (uint64_t)vector << 12;
	regs.rip = 0;
	kvm_set_regs(v, &regs);
}

static const struct lapic_cpu lapic_cpu = {
	.leave = on_leave,
	.nmi = on_nmi,
	.init = on_init,
	.waits = waits_for_sipi,
	.start = on_sipi,
};

/* ---- its page ---- */

/* Accesses other than aligned doublewords are undefined (SDM 3A 11.4.1); these do the obvious. */
bool kvm_lapic_access(struct kvm_vcpu *kv, uint64_t gpa, uint8_t *data, unsigned len, bool write)
{
	struct lapic *l = kv->v->lapic;
	uint32_t offset = gpa & 0xffc, shift = (gpa & 3) * 8;

	if (!l || (gpa & ~0xfffull) != lapic_mmio_base(l))
		return false;
	if (!write) {
		uint64_t value = lapic_mmio_read(l, offset) >> shift;

		for (unsigned i = 0; i < len; i++)
			data[i] = i < 4 ? (uint8_t)(value >> i * 8) : 0;
	} else if (len >= 4 && !shift) {
		lapic_mmio_write(l, offset, (uint32_t)ldn_le(data, 4));
	}
	return true;
}

/* ---- around KVM_RUN ---- */

/* The kernel has the base's register; it comes with every exit, as cr8 does. */
void kvm_lapic_after_run(struct kvm_vcpu *kv)
{
	struct lapic *l = kv->v->lapic;
	uint64_t base;

	lapic_rdmsr(l, MSR_APIC_BASE, &base);
	if (base != kv->run->apic_base && !lapic_wrmsr(l, MSR_APIC_BASE, kv->run->apic_base))
		lapic_set_base(l, kv->run->apic_base);
	if (lapic_get_tpr(l) >> 4 != kv->run->cr8)
		lapic_set_tpr(l, (uint8_t)(kv->run->cr8 << 4));
}

/* Asleep, and nothing that would wake it has come. */
static bool sleeps(struct kvm_vcpu *kv)
{
	if (kv->wait_sipi)
		return true;
	if (kv->halted && kv->run->if_flag && lapic_has_interrupt(kv->v->lapic))
		kv->halted = false;
	return kv->halted;
}

bool kvm_lapic_before_run(struct kvm_vcpu *kv)
{
	struct lapic *l = kv->v->lapic;

	lapic_serve(l);
	if (sleeps(kv)) {
		vcpu_wait_event(kv->v, lapic_deadline_ns(l));
		return false;
	}
	return true;
}

/* ---- the state from outside ---- */

void kvm_lapic_get_events(struct kvm_vcpu *kv, struct x86_events *e)
{
	e->halted = kv->halted;
	e->wait_sipi = kv->wait_sipi;
	lapic_get_events(kv->v->lapic, e);
}

void kvm_lapic_set_events(struct kvm_vcpu *kv, const struct x86_events *e)
{
	kv->halted = e->halted;
	kv->wait_sipi = e->wait_sipi;
	lapic_set_events(kv->v->lapic, e);
}

/* ---- life ---- */

void kvm_lapic_init(struct kvm_vcpu *kv)
{
	/* What the guest writes to the base's register has passed the kernel. */
	const struct lapic_features features = {.phys_bits = 52};

	if (kv->kvm->irqchip == IRQCHIP_NONE)
		lapic_new(kv->v, &lapic_cpu, &features);
}

void kvm_lapic_reset(struct kvm_vcpu *kv)
{
	lapic_reset(kv->v->lapic, false);
	kv->halted = false;
	kv->wait_sipi = kv->v->index != 0;
}
