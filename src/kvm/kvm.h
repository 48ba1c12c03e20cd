/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The KVM accelerator's parts among themselves. Nothing outside this folder knows <linux/kvm.h>.
 *
 *	kvm.c	     the table, the VM's life, choosing the accelerator
 *	kvm_caps.c   what this host's KVM must have, may have, and what is lost without
 *	kvm_memory.c the memory view as slots; doorbells as ioeventfds; coalesced regions
 *	kvm_irq.c    interrupt controllers in the kernel, GSI routes, irqfds
 *	kvm_chips.c  their registers in the form of src/irqchip.h
 *	kvm_lapic.c  none in the kernel: a vCPU with a local APIC of ours
 *	kvm_vcpu.c   a vCPU's thread: KVM_RUN and what it returns with; kicks
 *	kvm_idle.c   vCPUs that sleep in the kernel, for the spins of the others
 *	kvm_exit.c   exits that are no ordinary ones: errors, shutdown, system events
 *	kvm_state.c  a processor's state
 *	kvm_debug.c  a debugger's steps and breakpoints
 *	kvm_cpu.c    -cpu; kvm_models.c named models; kvm_cpuid.c their CPUID leaves; kvm_features.c features by name
 *
 * Kicks. A vCPU thread sets in_guest before KVM_RUN and clears it after. Who wants it out has set its request, sets
 * run->immediate_exit, passes a full barrier, and sends the signal if in_guest is set. The thread clears immediate_exit before it
 * looks at the requests. So either it sees the request, or KVM_RUN sees immediate_exit, or the signal ends KVM_RUN.
 *
 * After a KVM_RUN that returned with I/O the instruction is not complete, until KVM_RUN is entered again (api.rst, 5. kvm_run). Before
 * a vCPU parks, or its registers are looked at, it is entered once more with immediate_exit set.
 */
#ifndef EVMM_KVM_H
#define EVMM_KVM_H

#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include "src/kvm/kvm_cpu.h"
#include "src/machine.h"

#define KVM_SIG_KICK (SIGRTMIN + 1)

/* Capabilities that may be there or not; bits of kvm->has. */
enum kvm_has {
	HAS_IRQCHIP,
	HAS_READONLY_MEM,
	HAS_IRQFD,
	HAS_IRQFD_RESAMPLE,
	HAS_IOEVENTFD,
	HAS_IOEVENTFD_ANY_LENGTH,
	HAS_COALESCED_MMIO,
	HAS_COALESCED_PIO,
	HAS_SIGNAL_MSI,
	HAS_IRQ_ROUTING,
	HAS_SPLIT_IRQCHIP,
	HAS_PIT2,
	HAS_REINJECT_CONTROL,
	HAS_X2APIC_API,
	HAS_TSC_DEADLINE,
	HAS_ADJUST_CLOCK,
	HAS_KVMCLOCK_CTRL,
	HAS_XCRS,
	HAS_DEBUGREGS,
	HAS_GUEST_DEBUG,
	HAS_BLOCKIRQ,
	HAS_TSC_CONTROL,
	HAS_EXCEPTION_PAYLOAD,
	HAS_TRIPLE_FAULT_EVENT,
	HAS_MCE,
	HAS_DISABLE_EXITS,
	HAS_COUNT
};

struct kvm_slot {
	uint64_t gpa, bytes;
	uint8_t *host;
	uint32_t id;
	bool readonly;
	struct dirty_log *log; /* NULL: writes aren't noted */
	uint64_t log_offset;   /* of the slot in the region that is logged */
};

/* A doorbell as the kernel knows it. */
struct kvm_doorbell {
	uint64_t addr, value;
	unsigned size;
	bool match_value, pio;
	int fd;
};

struct kvm_zone {
	uint64_t addr, bytes;
	bool pio;
};

struct kvm {
	struct machine *m;
	int fd, vm;   /* /dev/kvm; the machine */
	uint64_t has; /* bits of enum kvm_has */
	enum irqchip irqchip;
	unsigned run_bytes;   /* of a vCPU's struct kvm_run */
	unsigned xsave_bytes; /* of its XSAVE area */
	unsigned max_slots, max_routes;
	struct kvm_cpu_model *model;
	struct kvm_msr_list *msr_list; /* what can be saved; NULL: not asked for yet */

	/* kvm_memory.c */
	struct kvm_slot *slots;
	unsigned n_slots;
	uint8_t *slot_ids; /* one byte each: in use */
	struct kvm_doorbell *doorbells;
	unsigned n_doorbells;
	struct kvm_zone *zones;
	unsigned n_zones;
	struct kvm_coalesced_mmio_ring *ring; /* the machine's only one; NULL: none */
	unsigned ring_entries;
	uint32_t ring_lock; /* atomic */
	struct loop_poller ring_poller;
	uint32_t hold;	 /* atomic: vCPUs stay out of guest code */
	bool told_debug; /* kvm_debug.c: what a software KVM doesn't see */

	/* kvm_irq.c */
	struct kvm_irq_routing *routes;
	unsigned routes_room;
	uint32_t gsi_used[4096 / 32];
	struct kvm_pit_state2 paused_pit;
	int64_t paused_pit_ns; /* host clock, when it was taken */
	bool has_paused_pit;
	uint64_t clock; /* kvmclock while the machine is paused */
	bool clock_saved;
	bool intr; /* level of userspace's 8259s */

	/* kvm_idle.c */
	struct loop_poller idle_poller;
	int64_t idle_looked_ns;
	uint64_t idle_looked_tsc;
};

struct kvm_vcpu {
	struct vcpu *v;
	struct kvm *kvm;
	int fd;
	struct kvm_run *run;
	uint32_t in_guest;	/* atomic */
	uint32_t idle;		/* atomic: not counted among those who want a host CPU */
	int64_t cpu_ns;		/* CPU time of its thread when the loop last looked */
	bool incomplete;	/* an I/O instruction waits for KVM_RUN to complete it */
	bool halted, wait_sipi; /* with a local APIC of ours; else the kernel knows */
	struct guest_debug debug;
	struct debug_stop stop; /* told to the loop */
	/* As it came from KVM_CREATE_VCPU, which is the state after power-on. */
	struct {
		struct kvm_sregs sregs;
		struct kvm_regs regs;
		struct kvm_debugregs debugregs;
		struct kvm_xcrs xcrs;
		struct kvm_lapic_state lapic;
		struct kvm_vcpu_events events;
		struct kvm_mp_state mp;
		struct x86_fpu *fpu;
		struct x86_msr *msrs;
		unsigned n_msrs;
	} power_on;
};

static inline struct kvm *kvm_of(const struct machine *m)
{
	return m->accel_state;
}

static inline struct kvm_vcpu *kvm_vcpu_of(const struct vcpu *v)
{
	return v->accel;
}

static inline bool kvm_has(const struct kvm *kvm, enum kvm_has what)
{
	return kvm->has >> what & 1;
}

/* ---- kvm.c ---- */
/* The host CPU has neither VMX nor SVM, and yet there is a KVM. */
bool kvm_in_software(void);

/* ---- kvm_caps.c ---- */
/* Fills kvm->has. False: something is missing without which there is no machine. */
bool kvm_check_caps(struct kvm *kvm, struct error *err);
int kvm_cap(const struct kvm *kvm, unsigned cap);
bool kvm_enable_cap(int fd, uint32_t cap, uint64_t arg);

/* ---- kvm_memory.c ---- */
void kvm_memory_changed(struct machine *m);
void kvm_memory_fini(struct kvm *kvm);
/* vCPU thread: what the kernel has coalesced goes into this vCPU's ring of posted writes, ahead of what comes now. */
void kvm_take_coalesced(struct kvm_vcpu *kv);
/* After the first vCPU is there: the ring is in its mapping. */
void kvm_coalesced_init(struct kvm *kvm, struct kvm_vcpu *kv);
void kvm_dirty_sync(struct machine *m, struct dirty_log *log);

/* ---- kvm_irq.c ---- */
bool kvm_irq_init(struct kvm *kvm, struct error *err);
void kvm_irq_fini(struct kvm *kvm);
void kvm_clock_paused(struct machine *m, bool paused);
enum irqchip kvm_irqchip(const struct machine *m);
void kvm_gsi_set(struct machine *m, unsigned gsi, bool level);
void kvm_pit_replaced(struct machine *m, bool replaced);
bool kvm_pit_reinject(struct machine *m, bool reinject, struct error *err);
void kvm_msi_send(struct machine *m, uint64_t addr, uint32_t data);
void kvm_ioapic_route(struct machine *m, unsigned pin, uint64_t addr, uint32_t data, bool masked);
void kvm_set_intr(struct machine *m, bool level);
void kvm_inject_nmi(struct vcpu *v);
bool kvm_irqfd_add(struct machine *m, struct accel_irqfd *irqfd, struct error *err);
bool kvm_irqfd_update(struct machine *m, struct accel_irqfd *irqfd, struct error *err);
void kvm_irqfd_remove(struct machine *m, struct accel_irqfd *irqfd);

/* ---- kvm_chips.c ---- */
void kvm_get_chips(struct machine *m, unsigned which, struct irqchips *chips);
bool kvm_set_chips(struct machine *m, unsigned which, const struct irqchips *chips,
		   struct error *err);

/* ---- kvm_lapic.c: irqchip NONE, where v->lapic is there ---- */
void kvm_lapic_init(struct kvm_vcpu *kv);
void kvm_lapic_reset(struct kvm_vcpu *kv);
/* vCPU thread. False: GPA is not in its page. */
bool kvm_lapic_access(struct kvm_vcpu *kv, uint64_t gpa, uint8_t *data, unsigned len, bool write);
/* vCPU thread. False: it has slept, requests are to be looked at again. */
bool kvm_lapic_before_run(struct kvm_vcpu *kv);
void kvm_lapic_after_run(struct kvm_vcpu *kv);
void kvm_lapic_get_events(struct kvm_vcpu *kv, struct x86_events *e);
void kvm_lapic_set_events(struct kvm_vcpu *kv, const struct x86_events *e);

/* ---- kvm_vcpu.c ---- */
bool kvm_vcpu_init(struct vcpu *v, struct error *err);
void kvm_vcpu_fini(struct vcpu *v);
void kvm_vcpu_run(struct vcpu *v);
void kvm_kick(struct vcpu *v);
/* vCPU thread: the instruction whose I/O was answered is finished. */
void kvm_complete_io(struct kvm_vcpu *kv);
/* Loop thread: no vCPU is in guest code between these two, nor gets there. Some microseconds. */
void kvm_hold_vcpus(struct kvm *kvm);
void kvm_let_vcpus_go(struct kvm *kvm);

/* ---- kvm_idle.c ---- */
void kvm_idle_init(struct kvm *kvm);
void kvm_idle_fini(struct kvm *kvm);
/* vCPU thread: KVM_RUN has returned. */
void kvm_not_idle(struct kvm_vcpu *kv);

/* ---- kvm_exit.c (vCPU thread) ---- */
void kvm_exit_internal_error(struct kvm_vcpu *kv);
void kvm_exit_fail_entry(struct kvm_vcpu *kv);
void kvm_exit_unknown(struct kvm_vcpu *kv);
void kvm_exit_run_failed(struct kvm_vcpu *kv, int error);
void kvm_exit_system_event(struct kvm_vcpu *kv);

/* ---- kvm_state.c ---- */
bool kvm_state_init(struct kvm_vcpu *kv, struct error *err);
void kvm_state_fini(struct kvm_vcpu *kv);
void kvm_vcpu_reset(struct vcpu *v);
/* What INIT makes of the registers (SDM 3A, table 9-1). */
void kvm_vcpu_init_state(struct kvm_vcpu *kv);
void kvm_get_regs(struct vcpu *v, struct x86_regs *regs);
void kvm_set_regs(struct vcpu *v, const struct x86_regs *regs);
void kvm_get_fpu(struct vcpu *v, struct x86_fpu *fpu);
bool kvm_set_fpu(struct vcpu *v, const struct x86_fpu *fpu, struct error *err);
struct x86_msr *kvm_get_msrs(struct vcpu *v, unsigned *n);
bool kvm_set_msrs(struct vcpu *v, const struct x86_msr *msrs, unsigned n, struct error *err);
void kvm_get_lapic(struct vcpu *v, struct x86_lapic *lapic);
bool kvm_set_lapic(struct vcpu *v, const struct x86_lapic *lapic, struct error *err);
void kvm_get_events(struct vcpu *v, struct x86_events *events);
bool kvm_set_events(struct vcpu *v, const struct x86_events *events, struct error *err);

/* ---- kvm_debug.c ---- */
bool kvm_set_guest_debug(struct vcpu *v, const struct guest_debug *debug, struct error *err);
void kvm_exit_debug(struct kvm_vcpu *kv);
/* An INT3 of the debugger's at rip, told in another way. */
void kvm_exit_breakpoint(struct kvm_vcpu *kv);

#endif
