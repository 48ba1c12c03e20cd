/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's registers and its struct, for lapic*.c and their tests alone. */
#ifndef EVMM_CPU_LAPIC_REGS_H
#define EVMM_CPU_LAPIC_REGS_H

#include <time.h>
#include "src/cpu/lapic.h"

/* Register offsets (SDM 3A, table 11-1); as x2APIC MSRs: 0x800 + offset / 16. */
enum {
	APIC_ID = 0x20,
	APIC_VERSION = 0x30,
	APIC_TPR = 0x80,
	APIC_APR = 0x90,
	APIC_PPR = 0xa0,
	APIC_EOI = 0xb0,
	APIC_RRD = 0xc0,
	APIC_LDR = 0xd0,
	APIC_DFR = 0xe0,
	APIC_SVR = 0xf0,
	APIC_ISR = 0x100,
	APIC_TMR = 0x180,
	APIC_IRR = 0x200,
	APIC_ESR = 0x280,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
	APIC_SELF_IPI = 0x3f0, /* x2APIC only */
};

#define MSR_APIC_BASE	 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC	 0x800u

/* IA32_APIC_BASE */
#define APIC_BASE_BSP  BIT64(8)
#define APIC_BASE_EXTD BIT64(10) /* x2APIC */
#define APIC_BASE_EN   BIT64(11)
#define APIC_BASE_ADDR (~0xfffull)

enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

#define LVT_MASKED	   BIT(16)
#define LVT_LEVEL	   BIT(15)
#define LVT_REMOTE_IRR	   BIT(14)
#define LVT_MODE(lvt)	   (((lvt) >> 8) & 7)
#define LVT_TIMER_MODE	   0x60000u
#define LVT_TIMER_ONE_SHOT 0x00000u
#define LVT_TIMER_PERIODIC 0x20000u
#define LVT_TIMER_DEADLINE 0x40000u

#define SVR_ENABLE BIT(8)

/* Error status (SDM 3A, figure 11-9) */
#define ESR_SEND_VECTOR	   BIT(5)
#define ESR_RECEIVE_VECTOR BIT(6)
#define ESR_REGISTER	   BIT(7)

/* What came in besides vectors; bits of lapic->in_events. SIPI's vector is in bits 24-31. */
enum {
	EVENT_NMI = 1u << 0,
	EVENT_INIT = 1u << 1,
	EVENT_SIPI = 1u << 2,
	EVENT_SMI = 1u << 3,
	EVENT_LINT0 = 1u << 4, /* it rose */
	EVENT_LINT1 = 1u << 5,
	EVENT_EXTINT = 1u << 6,
	EVENT_NMI_AGAIN = 1u << 7, /* one more */
};

struct lapic {
	/* configuration */
	struct vcpu *v;
	const struct lapic_cpu *cpu;
	uint32_t id;
	uint64_t addr_mask; /* physical addresses */
	bool has_x2apic, has_deadline;

	/* Guest-visible. Other threads read base, svr, ldr, dfr and tpr when they look for destinations: atomic. */
	uint64_t base;
	uint32_t svr, ldr, dfr, tpr;
	uint32_t esr, esr_pending;
	uint64_t icr;
	uint32_t lvt[LVT_COUNT];
	uint32_t irr[8], isr[8], tmr[8];
	uint32_t timer_initial, timer_divide;
	uint64_t tsc_deadline;
	int64_t timer_start_ns; /* guest clock; the initial count was loaded then */
	bool timer_ended;	/* made periodic after its one shot: it does not count */

	/* The timer: guest time of the next expiry that interrupts, INT64_MAX: none; and what the host's timer is set to. */
	int64_t timer_next_ns;
	int64_t host_armed_ns;
	timer_t host_timer;
	bool host_timer_made;

	bool extint_latched; /* an ExtINT came as a message */

	/* Inbox, atomic. */
	uint32_t in_edge[8] __attribute__((aligned(64)));
	uint32_t in_level[8];
	uint32_t in_any; /* some bit of in_edge or in_level is set */
	uint32_t in_events;
	uint32_t sipi_vector;
	uint32_t lint0; /* level */
	uint32_t turn;	/* of vCPU 0: where to begin looking for lowest priority */
};

static inline bool lapic_x2(const struct lapic *l)
{
	return (__atomic_load_n(&l->base, __ATOMIC_RELAXED) & (APIC_BASE_EN | APIC_BASE_EXTD)) ==
	       (APIC_BASE_EN | APIC_BASE_EXTD);
}

/* ---- lapic.c ---- */
/* An interrupt of the APIC's own, as LVT entry N says. vCPU thread. */
void lapic_fire_lvt(struct lapic *l, unsigned n);
/* VECTOR is accepted, as if it had come over the bus. vCPU thread. */
void lapic_accept(struct lapic *l, uint8_t vector, bool level_trig);
/* Has the vCPU leave its block when there is something to deliver. vCPU thread. */
void lapic_recheck(struct lapic *l);
int lapic_highest(const uint32_t bits[8]);
/* A register's value without any effect of reading it. */
uint32_t lapic_peek(struct lapic *l, uint32_t offset);
uint32_t lapic_lvt_writable(unsigned n);

/* ---- lapic_timer.c ---- */
void lapic_timer_reset(struct lapic *l);
void lapic_timer_serve(struct lapic *l);
uint32_t lapic_timer_current(const struct lapic *l);
void lapic_timer_set_initial(struct lapic *l, uint32_t count);
void lapic_timer_set_divide(struct lapic *l, uint32_t divide);
/* As if the initial count had been loaded when CURRENT would be what is left of it now. */
void lapic_timer_set_current(struct lapic *l, uint32_t current);
void lapic_timer_set_deadline(struct lapic *l, uint64_t tsc);
uint64_t lapic_timer_get_deadline(const struct lapic *l);
/* After LVT_TIMER changed from OLD. */
void lapic_timer_lvt_changed(struct lapic *l, uint32_t old);

#endif
