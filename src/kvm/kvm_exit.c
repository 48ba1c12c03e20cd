/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits after which a vCPU cannot go on by itself: what the kernel says is printed with the registers and the instruction's bytes,
 * and the machine stays paused for whoever wants to look.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/kvm/kvm.h"

#define INSN_BYTES  15
#define FAULT_BYTES 16
#define OP_INT3	    0xcc

/* Loop thread. */
static void tell(struct vcpu *v, void *arg)
{
	machine_internal_error(v->machine, v, arg);
}

/* The vCPU waits; WHAT is freed. */
static void fail(struct kvm_vcpu *kv, char *what)
{
	vcpu_call_on_loop(kv->v, tell, what);
	free(what);
}

static const char *suberror_name(uint32_t suberror)
{
	static const char *const names[] = {
		[KVM_INTERNAL_ERROR_EMULATION] = "emulation failure",
		[KVM_INTERNAL_ERROR_SIMUL_EX] = "exceptions at the same time",
		[KVM_INTERNAL_ERROR_DELIVERY_EV] = "an event could not be delivered",
		[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit that was not expected",
	};

	return suberror < ARRAY_SIZE(names) && names[suberror] ? names[suberror]
							       : "not known to evmm";
}

static void put_bytes(FILE *f, const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fprintf(f, " %02x", p[i]);
}

/* What is at rip, as far as its page tables lead somewhere. Called while the loop waits for nothing of ours. */
static unsigned read_code(struct kvm_vcpu *kv, uint8_t *bytes)
{
	const struct mem_view *view = as_view_mt(&kv->kvm->m->mem);
	struct kvm_translation t;
	struct x86_regs regs;
	unsigned n = 0;

	kvm_get_regs(kv->v, &regs);
	for (; n < FAULT_BYTES; n++) {
		const struct view_range *r;

		t = (struct kvm_translation){.linear_address = regs.cs.base + regs.rip + n};
		if (ioctl(kv->fd, KVM_TRANSLATE, &t) || !t.valid)
			break;
		r = view_find(view, t.physical_address);
		if (!r || !r->host)
			break;
		bytes[n] = r->host[t.physical_address - r->start];
	}
	return n;
}

static void describe_emulation(FILE *f, const struct kvm_run *run)
{
	if (run->emulation_failure.ndata >= 1 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		fprintf(f, "\ninstruction:");
		put_bytes(f, run->emulation_failure.insn_bytes,
			  MIN(run->emulation_failure.insn_size, (uint8_t)INSN_BYTES));
	}
}

/* A software KVM's emulator knows no INT3; to a debugger that put one there it is none the less what it waits for. */
static bool is_breakpoint(const struct kvm_vcpu *kv, const uint8_t *code, unsigned n)
{
	return kv->run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
	       kv->debug.sw_breakpoints && n && code[0] == OP_INT3;
}

void kvm_exit_internal_error(struct kvm_vcpu *kv)
{
	const struct kvm_run *run = kv->run;
	uint8_t code[FAULT_BYTES];
	unsigned n = read_code(kv, code);
	char *text = NULL;
	size_t bytes = 0;
	FILE *f;

	if (is_breakpoint(kv, code, n)) {
		kvm_exit_breakpoint(kv);
		return;
	}
	f = open_memstream(&text, &bytes);
	if (!f)
		abort();
	fprintf(f, "KVM internal error, suberror %u (%s)", run->internal.suberror,
		suberror_name(run->internal.suberror));
	for (unsigned i = 0; i < MIN(run->internal.ndata, 16u); i++)
		fprintf(f, "%s%llx",
			i ? " " : "\nextra data: ", (unsigned long long)run->internal.data[i]);
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		describe_emulation(f, run);
	if (n) {
		fprintf(f, "\nat rip:");
		put_bytes(f, code, n);
	}
	fclose(f);
	fail(kv, text);
}

void kvm_exit_fail_entry(struct kvm_vcpu *kv)
{
	const struct kvm_run *run = kv->run;
	uint64_t reason = run->fail_entry.hardware_entry_failure_reason;

	fail(kv,
	     xasprintf("KVM: entry failed, hardware error 0x%llx%s", (unsigned long long)reason,
		       reason == 0x80000021 ? " (the guest's state is not valid; a host without "
					      "unrestricted guest mode cannot run all of real mode)"
					    : ""));
}

void kvm_exit_unknown(struct kvm_vcpu *kv)
{
	const struct kvm_run *run = kv->run;

	if (run->exit_reason == KVM_EXIT_UNKNOWN)
		fail(kv, xasprintf("KVM: unknown hardware exit 0x%llx",
				   (unsigned long long)run->hw.hardware_exit_reason));
	else
		fail(kv, xasprintf("KVM: exit reason %u, which evmm has not asked for",
				   run->exit_reason));
}

void kvm_exit_run_failed(struct kvm_vcpu *kv, int error)
{
	fail(kv, xasprintf("KVM_RUN failed: %s%s", strerror(error),
			   error == EFAULT ? " (a page of guest memory is gone)" : ""));
}

/* Asked for by hypercalls of some guests. */
static void on_system_event(struct vcpu *v, void *arg)
{
	uint32_t type = *(const uint32_t *)arg;

	if (type == KVM_SYSTEM_EVENT_SHUTDOWN)
		machine_request_shutdown(v->machine, SHUTDOWN_GUEST, 0);
	else
		machine_request_reset(v->machine);
}

void kvm_exit_system_event(struct kvm_vcpu *kv)
{
	uint32_t type = kv->run->system_event.type;

	if (type == KVM_SYSTEM_EVENT_SHUTDOWN || type == KVM_SYSTEM_EVENT_RESET)
		vcpu_call_on_loop(kv->v, on_system_event, &type);
	else
		fail(kv, xasprintf("KVM: the guest reports a system event of type %u%s", type,
				   type == KVM_SYSTEM_EVENT_CRASH ? " (a crash)" : ""));
}
