/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM_CHECK_EXTENSION: what this host's KVM must have, may have, and what is lost without it. */
#include "src/kvm/kvm.h"

#define NEEDED -1

/* In the order of api.rst, section 4.4; LOST is said once, at start-up, when an optional one is not there. */
static const struct {
	unsigned cap;
	const char *name;
	int has; /* enum kvm_has, or NEEDED */
	const char *lost;
} caps[] = {
#define CAP(cap, has, lost)          \
	{                            \
		cap, #cap, has, lost \
	}
	CAP(KVM_CAP_USER_MEMORY, NEEDED, NULL),
	CAP(KVM_CAP_DESTROY_MEMORY_REGION_WORKS, NEEDED, NULL),
	CAP(KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, NEEDED, NULL),
	CAP(KVM_CAP_SET_TSS_ADDR, NEEDED, NULL),
	CAP(KVM_CAP_EXT_CPUID, NEEDED, NULL),
	CAP(KVM_CAP_MP_STATE, NEEDED, NULL),
	CAP(KVM_CAP_VCPU_EVENTS, NEEDED, NULL),
	CAP(KVM_CAP_XSAVE, NEEDED, NULL),
	CAP(KVM_CAP_IMMEDIATE_EXIT, NEEDED, NULL),
	CAP(KVM_CAP_IRQCHIP, HAS_IRQCHIP, NULL),
	CAP(KVM_CAP_READONLY_MEM, HAS_READONLY_MEM, "ROM can be written by the guest"),
	CAP(KVM_CAP_IRQ_ROUTING, HAS_IRQ_ROUTING, NULL),
	CAP(KVM_CAP_SIGNAL_MSI, HAS_SIGNAL_MSI, NULL),
	CAP(KVM_CAP_IRQFD, HAS_IRQFD, "interrupts are sent by evmm alone"),
	CAP(KVM_CAP_IRQFD_RESAMPLE, HAS_IRQFD_RESAMPLE, NULL),
	CAP(KVM_CAP_IOEVENTFD, HAS_IOEVENTFD, "doorbells are traps, which is slower"),
	CAP(KVM_CAP_IOEVENTFD_ANY_LENGTH, HAS_IOEVENTFD_ANY_LENGTH, NULL),
	CAP(KVM_CAP_COALESCED_MMIO, HAS_COALESCED_MMIO, "writes to video memory are slower"),
	CAP(KVM_CAP_COALESCED_PIO, HAS_COALESCED_PIO, NULL),
	CAP(KVM_CAP_SPLIT_IRQCHIP, HAS_SPLIT_IRQCHIP, NULL),
	CAP(KVM_CAP_PIT2, HAS_PIT2, NULL),
	CAP(KVM_CAP_REINJECT_CONTROL, HAS_REINJECT_CONTROL, NULL),
	CAP(KVM_CAP_X2APIC_API, HAS_X2APIC_API, NULL),
	CAP(KVM_CAP_TSC_DEADLINE_TIMER, HAS_TSC_DEADLINE, NULL),
	CAP(KVM_CAP_ADJUST_CLOCK, HAS_ADJUST_CLOCK,
	    "the guest's clock (kvmclock) goes on while the machine is paused"),
	CAP(KVM_CAP_KVMCLOCK_CTRL, HAS_KVMCLOCK_CTRL,
	    "the guest may complain of lockups after a pause"),
	CAP(KVM_CAP_XCRS, HAS_XCRS, NULL),
	CAP(KVM_CAP_DEBUGREGS, HAS_DEBUGREGS, "debug registers are not seen nor saved"),
	CAP(KVM_CAP_SET_GUEST_DEBUG, HAS_GUEST_DEBUG, "debuggers cannot step nor break"),
	CAP(KVM_CAP_TSC_CONTROL, HAS_TSC_CONTROL, NULL),
	CAP(KVM_CAP_EXCEPTION_PAYLOAD, HAS_EXCEPTION_PAYLOAD, NULL),
	CAP(KVM_CAP_X86_TRIPLE_FAULT_EVENT, HAS_TRIPLE_FAULT_EVENT, NULL),
	CAP(KVM_CAP_MCE, HAS_MCE, NULL),
	CAP(KVM_CAP_X86_DISABLE_EXITS, HAS_DISABLE_EXITS, NULL),
#undef CAP
};

/* Of the machine where the kernel can tell, else of the host. */
int kvm_cap(const struct kvm *kvm, unsigned cap)
{
	int rc = kvm->vm < 0 ? -1 : ioctl(kvm->vm, KVM_CHECK_EXTENSION, cap);

	return rc < 0 ? MAX(ioctl(kvm->fd, KVM_CHECK_EXTENSION, cap), 0) : rc;
}

bool kvm_enable_cap(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = {.cap = cap, .args = {arg}};

	return ioctl(fd, KVM_ENABLE_CAP, &enable) == 0;
}

bool kvm_check_caps(struct kvm *kvm, struct error *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(caps); i++) {
		if (kvm_cap(kvm, caps[i].cap) > 0) {
			if (caps[i].has >= 0)
				kvm->has |= 1ull << caps[i].has;
		} else if (caps[i].has == NEEDED) {
			return error_set(
				err,
				"-accel kvm: this host's KVM is too old or too small: it lacks %s, "
				"which evmm needs ('-accel soft' works everywhere)",
				caps[i].name);
		} else if (caps[i].lost) {
			report_warning("this host's KVM lacks %s; evmm goes on without it, and %s",
				       caps[i].name, caps[i].lost);
		}
	}
#ifdef KVM_CAP_SET_GUEST_DEBUG2
	if (kvm_cap(kvm, KVM_CAP_SET_GUEST_DEBUG2) & KVM_GUESTDBG_BLOCKIRQ)
		kvm->has |= 1ull << HAS_BLOCKIRQ;
#endif
	kvm->max_slots = (unsigned)kvm_cap(kvm, KVM_CAP_NR_MEMSLOTS);
	kvm->max_slots = kvm->max_slots ? MIN(kvm->max_slots, 32764u) : 32;
	kvm->max_routes = (unsigned)MIN(kvm_cap(kvm, KVM_CAP_IRQ_ROUTING), 4096);
	kvm->xsave_bytes = (unsigned)kvm_cap(kvm, KVM_CAP_XSAVE2);
	kvm->xsave_bytes = MAX(kvm->xsave_bytes, (unsigned)sizeof(struct kvm_xsave));
	if (kvm->xsave_bytes > X86_XSAVE_BYTES)
		return error_set(err,
				 "the host's processor has %u bytes of vector state, evmm knows "
				 "%u at most",
				 kvm->xsave_bytes, X86_XSAVE_BYTES);
	return true;
}
