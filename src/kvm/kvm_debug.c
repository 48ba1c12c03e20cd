/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger's steps, breakpoints and watchpoints: KVM_SET_GUEST_DEBUG and the exits that follow. */
#include <errno.h>
#include "src/kvm/kvm.h"

#define VECTOR_DB 1
#define VECTOR_BP 3

/* DR7: enabled for all tasks, R/W and LEN of breakpoint n (SDM 3B, 17.2.4). */
static uint64_t dr7_of(unsigned n, enum debug_kind kind, unsigned len)
{
	static const uint8_t len_code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	unsigned rw = kind == DEBUG_ON_WRITE ? 1 : kind == DEBUG_ON_ACCESS ? 3 : 0;

	return 2ull << (2 * n) | (uint64_t)(rw | (rw ? len_code[len] << 2 : 0)) << (16 + 4 * n);
}

static bool check(const struct kvm *kvm, const struct guest_debug *d, struct error *err)
{
	if (!kvm_has(kvm, HAS_GUEST_DEBUG))
		return error_set(err, "this host's KVM lacks KVM_CAP_SET_GUEST_DEBUG");
	if (d->n_hw > DEBUG_HW_MAX)
		return error_set(err, "a processor has %u hardware breakpoints", DEBUG_HW_MAX);
	for (unsigned i = 0; i < d->n_hw; i++) {
		unsigned len = d->hw[i].len;

		if (len != 1 && len != 2 && len != 4 && len != 8)
			return error_set(err, "a watchpoint covers 1, 2, 4 or 8 bytes, not %u",
					 len);
		if (d->hw[i].addr & (len - 1))
			return error_set(err, "a watchpoint of %u bytes at an odd address", len);
	}
	return true;
}

/* It lets much of the guest run natively, with no one looking. */
static void warn_of_software(struct kvm *kvm)
{
	if (kvm->told_debug || !kvm_in_software())
		return;
	kvm->told_debug = true;
	report_warning(
		"this host's KVM is a software one, which does not stop a guest that runs "
		"natively: breakpoints, watchpoints and steps may not be seen ('-accel soft' "
		"sees them all)");
}

bool kvm_set_guest_debug(struct vcpu *v, const struct guest_debug *debug, struct error *err)
{
	struct kvm_vcpu *kv = kvm_vcpu_of(v);
	struct kvm_guest_debug k = {0};

	if (!check(kv->kvm, debug, err))
		return false;
	if (debug->step || debug->sw_breakpoints || debug->n_hw) {
		warn_of_software(kv->kvm);
		k.control |= KVM_GUESTDBG_ENABLE;
	}
	if (debug->step)
		k.control |= KVM_GUESTDBG_SINGLESTEP;
	if (debug->step && debug->block_irq && kvm_has(kv->kvm, HAS_BLOCKIRQ))
		k.control |= KVM_GUESTDBG_BLOCKIRQ;
	if (debug->sw_breakpoints)
		k.control |= KVM_GUESTDBG_USE_SW_BP;
	if (debug->n_hw) {
		k.control |= KVM_GUESTDBG_USE_HW_BP;
		k.arch.debugreg[7] = 0x600; /* bit 10 is always 1, 9: exact */
		for (unsigned i = 0; i < debug->n_hw; i++) {
			k.arch.debugreg[i] = debug->hw[i].addr;
			k.arch.debugreg[7] |= dr7_of(i, debug->hw[i].kind, debug->hw[i].len);
		}
	}
	if (ioctl(kv->fd, KVM_SET_GUEST_DEBUG, &k))
		return error_set_errno(err, errno, "KVM refuses what the debugger wants");
	kv->debug = *debug;
	return true;
}

/* An exception that was the guest's own after all. */
static void give_back(struct kvm_vcpu *kv, uint8_t vector)
{
	struct x86_events events;

	kvm_get_events(kv->v, &events);
	events.exception.injected = true;
	events.exception.vector = vector;
	events.exception.has_error = false;
	kvm_set_events(kv->v, &events, NULL);
}

static void stop(struct kvm_vcpu *kv, enum debug_reason reason, uint64_t addr, enum debug_kind kind)
{
	kv->stop = (struct debug_stop){.vcpu = kv->v, .reason = reason, .addr = addr, .kind = kind};
	vcpu_debug_stop(kv->v, &kv->stop);
}

void kvm_exit_breakpoint(struct kvm_vcpu *kv)
{
	struct x86_regs regs;

	kvm_get_regs(kv->v, &regs);
	stop(kv, DEBUG_SW_BREAK, regs.cs.base + regs.rip, DEBUG_ON_EXEC);
}

void kvm_exit_debug(struct kvm_vcpu *kv)
{
	const struct kvm_debug_exit_arch *a = &kv->run->debug.arch;

	if (a->exception == VECTOR_BP) {
		if (kv->debug.sw_breakpoints)
			stop(kv, DEBUG_SW_BREAK, a->pc, DEBUG_ON_EXEC);
		else
			give_back(kv, VECTOR_BP);
		return;
	}
	for (unsigned i = 0; i < kv->debug.n_hw; i++) {
		bool exec = kv->debug.hw[i].kind == DEBUG_ON_EXEC;

		if (!(a->dr6 & BIT(i)))
			continue;
		stop(kv, exec ? DEBUG_HW_BREAK : DEBUG_WATCH, kv->debug.hw[i].addr,
		     kv->debug.hw[i].kind);
		return;
	}
	if (kv->debug.step)
		stop(kv, DEBUG_STEP, a->pc, DEBUG_ON_EXEC);
	else
		give_back(kv, VECTOR_DB);
}
