/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC (SDM 3A, chapter 11; x2APIC 11.12), owned by its vCPU's thread. Others reach it through its inbox:
 * atomic words that a sender ORs into, then vcpu_request_mt(VCPU_REQ_INTR); the vCPU moves them into IRR. Its processor is whatever
 * struct lapic_cpu stands for: the software CPU, or one of KVM's that has no local APIC of the kernel's.
 *
 * Time: the timer (one-shot, periodic, TSC-deadline) counts on the guest clock. While the vCPU runs guest code a host
 * timer signals its thread (VCPU_REQ_TIMER and exit_request from the handler); while it sleeps, lapic_deadline_ns bounds the sleep.
 * Re-arming for later than what is armed costs no system call.
 */
#ifndef EVMM_CPU_LAPIC_H
#define EVMM_CPU_LAPIC_H

#include "src/accel.h"
#include "src/vcpu.h"

#define LAPIC_DEFAULT_BASE 0xfee00000ull
#define LAPIC_TIMER_HZ	   1000000000ull /* bus clock before the divider: 1 GHz */

enum lapic_delivery {
	DELIVER_FIXED = 0,
	DELIVER_LOWEST = 1,
	DELIVER_SMI = 2,
	DELIVER_NMI = 4,
	DELIVER_INIT = 5,
	DELIVER_SIPI = 6,
	DELIVER_EXTINT = 7
};

struct lapic;

/* What a local APIC does to its processor. On the vCPU's thread. */
struct lapic_cpu {
	/* Out of guest code, soon. From a signal handler of the thread's, too. */
	void (*leave)(struct vcpu *v);
	/* There is something to deliver, found while guest code may be running. NULL: it is looked for anyway. */
	void (*recheck)(struct vcpu *v);
	void (*nmi)(struct vcpu *v);
	/* The processor's part of INIT; WAIT: for a SIPI. */
	void (*init)(struct vcpu *v, bool wait);
	bool (*waits)(struct vcpu *v);
	void (*start)(struct vcpu *v, uint8_t vector);
	/* The page is somewhere else, or nowhere. NULL: nobody minds. */
	void (*base_changed)(struct vcpu *v);
	/* What the TSC is ahead of the guest clock. NULL: there is no TSC-deadline mode. */
	int64_t (*tsc_offset)(const struct vcpu *v);
};

struct lapic_features {
	bool x2apic, tsc_deadline;
	unsigned phys_bits;
};

/* V's, which finds it in v->lapic. */
struct lapic *lapic_new(struct vcpu *v, const struct lapic_cpu *cpu,
			const struct lapic_features *features);
void lapic_free(struct lapic *l);
/* INIT keeps the APIC id and base (SDM 11.4.7.3). */
void lapic_reset(struct lapic *l, bool init);

/* ---- any thread ---- */
/* A message as IOAPIC, MSI or ICR make it: finds the destinations among the machine's vCPUs and puts it in their inboxes. */
void lapic_deliver_mt(struct machine *m, uint32_t dest, bool logical, enum lapic_delivery mode,
		      uint8_t vector, bool level_trig);
/* MSI address/data (SDM 11.11) taken apart, then lapic_deliver_mt. 15-bit extended destination ids in address bits 11-5 as QEMU/KVM have them. */
void lapic_msi_mt(struct machine *m, uint64_t addr, uint32_t data);
/* Level of LINT0 as the 8259 drives it (ExtINT when LVT0 says so). */
void lapic_set_lint0_mt(struct lapic *l, bool level);
void lapic_nmi_mt(struct lapic *l);

/* ---- vCPU thread ---- */
/* Moves the inbox into IRR, runs the timer, serves INIT/SIPI/NMI/SMI. At block boundaries when asked to, and before sleeping. */
void lapic_serve(struct lapic *l);
/* A deliverable interrupt (IRR above PPR, or ExtINT)? EFLAGS.IF is the caller's matter. */
bool lapic_has_interrupt(struct lapic *l);
/* Takes it: vector moved to ISR; for ExtINT asks the 8259s. -1: spurious, nothing. */
int lapic_ack_interrupt(struct lapic *l);
/* CLOCK_MONOTONIC time of the timer's next expiry, INT64_MAX when not armed. */
int64_t lapic_deadline_ns(struct lapic *l);

/* The page at the APIC base (xAPIC mode). OFFSET within the page. mmu.c comes here for accesses to it; no trap. */
uint32_t lapic_mmio_read(struct lapic *l, uint32_t offset);
void lapic_mmio_write(struct lapic *l, uint32_t offset, uint32_t value);
/* Enabled in xAPIC mode: the physical page, else ~0. Also when the base moves, mmu_flush_all. */
uint64_t lapic_mmio_base(const struct lapic *l);
/* IA32_APIC_BASE, x2APIC MSRs 0x800-0x8ff, IA32_TSC_DEADLINE. False: #GP. */
bool lapic_rdmsr(struct lapic *l, uint32_t msr, uint64_t *value);
bool lapic_wrmsr(struct lapic *l, uint32_t msr, uint64_t value);
/* The task priority, 8 bits; CR8 is the upper four. */
uint8_t lapic_get_tpr(struct lapic *l);
void lapic_set_tpr(struct lapic *l, uint8_t tpr);
uint32_t lapic_id(const struct lapic *l);
/* The vCPU's thread begins and ends; the host timer is the thread's. */
bool lapic_thread_begin(struct lapic *l);
void lapic_thread_end(struct lapic *l);
/* IA32_APIC_BASE without the transitions' rules. */
bool lapic_set_base(struct lapic *l, uint64_t value);
/* The registers as a whole; the vCPU is parked. What waits in the inbox counts as in IRR. */
void lapic_get_state(struct lapic *l, struct x86_lapic *state);
void lapic_set_state(struct lapic *l, const struct x86_lapic *state);
/* What is in the inbox besides vectors: adds pending NMIs, says whether a SIPI is there; and puts the SIPI back. */
void lapic_get_events(struct lapic *l, struct x86_events *e);
void lapic_set_events(struct lapic *l, const struct x86_events *e);
/* The guest clock was paused or resumed, or TSC_ADJUST changed: recompute the host deadline. */
void lapic_rearm(struct lapic *l);

#endif
