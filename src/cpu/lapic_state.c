/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC's registers as a whole, for accel_ops: at their xAPIC offsets, whichever mode it is in. */
#include "src/clock.h"
#include "src/cpu/lapic_regs.h"
#include "src/machine.h"

static void put(struct x86_lapic *s, uint32_t offset, uint32_t value)
{
	stn_le(s->regs + offset, 4, value);
}

static uint32_t get(const struct x86_lapic *s, uint32_t offset)
{
	return (uint32_t)ldn_le(s->regs + offset, 4);
}

void lapic_get_state(struct lapic *l, struct x86_lapic *s)
{
	static const uint32_t plain[] = {
		APIC_ID,  APIC_VERSION,	      APIC_TPR,		  APIC_PPR,
		APIC_LDR, APIC_SVR,	      APIC_ESR,		  APIC_ICR,
		APIC_DFR, APIC_TIMER_INITIAL, APIC_TIMER_CURRENT, APIC_TIMER_DIVIDE};

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++)
		if (plain[i] != APIC_DFR)
			put(s, plain[i], lapic_peek(l, plain[i]));
	put(s, APIC_DFR, l->dfr);
	put(s, APIC_ICR_HIGH, (uint32_t)(l->icr >> 32));
	for (unsigned i = 0; i < LVT_COUNT; i++)
		put(s, APIC_LVT_TIMER + i * 16, l->lvt[i]);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t level = __atomic_load_n(&l->in_level[i], __ATOMIC_ACQUIRE);
		uint32_t edge = __atomic_load_n(&l->in_edge[i], __ATOMIC_ACQUIRE);

		put(s, APIC_ISR + i * 16, l->isr[i]);
		put(s, APIC_TMR + i * 16, (l->tmr[i] & ~edge) | level);
		put(s, APIC_IRR + i * 16, l->irr[i] | level | edge);
	}
}

/* The count goes on from where it was. */
static void set_timer(struct lapic *l, const struct x86_lapic *s)
{
	uint32_t current = get(s, APIC_TIMER_CURRENT);

	lapic_timer_set_divide(l, get(s, APIC_TIMER_DIVIDE) & 0xb);
	lapic_timer_set_initial(l, get(s, APIC_TIMER_INITIAL));
	if (current < l->timer_initial)
		lapic_timer_set_current(l, current);
}

void lapic_set_state(struct lapic *l, const struct x86_lapic *s)
{
	__atomic_store_n(&l->svr, get(s, APIC_SVR) & 0x1ff, __ATOMIC_RELAXED);
	if (!lapic_x2(l))
		__atomic_store_n(&l->ldr, get(s, APIC_LDR) & 0xff000000, __ATOMIC_RELAXED);
	__atomic_store_n(&l->dfr, get(s, APIC_DFR) | 0x0fffffff, __ATOMIC_RELAXED);
	__atomic_store_n(&l->tpr, get(s, APIC_TPR) & 0xff, __ATOMIC_RELAXED);
	l->esr = get(s, APIC_ESR);
	l->icr = get(s, APIC_ICR) | (uint64_t)get(s, APIC_ICR_HIGH) << 32;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		l->lvt[i] = get(s, APIC_LVT_TIMER + i * 16) & lapic_lvt_writable(i);
	for (unsigned i = 0; i < 8; i++) {
		l->isr[i] = get(s, APIC_ISR + i * 16);
		l->tmr[i] = get(s, APIC_TMR + i * 16);
		l->irr[i] = get(s, APIC_IRR + i * 16);
		l->in_edge[i] = l->in_level[i] = 0;
	}
	l->in_any = 0;
	set_timer(l, s);
	lapic_recheck(l);
}

void lapic_get_events(struct lapic *l, struct x86_events *e)
{
	uint32_t in = __atomic_load_n(&l->in_events, __ATOMIC_ACQUIRE);

	e->nmi.pending += !!(in & EVENT_NMI) + !!(in & EVENT_NMI_AGAIN);
	e->sipi_pending = in & EVENT_SIPI;
	e->sipi_vector = (uint8_t)l->sipi_vector;
}

void lapic_set_events(struct lapic *l, const struct x86_events *e)
{
	l->in_events = e->sipi_pending ? EVENT_SIPI : 0;
	l->sipi_vector = e->sipi_vector;
}
