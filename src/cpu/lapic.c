/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC: SDM 3A chapter 11, xAPIC and x2APIC (11.12).
 *
 *	offset	name		width	access	reset		section
 *	020	ID		32	R	id << 24	11.4.6
 *	030	version		32	R	00050014	11.4.8
 *	080	TPR		32	RW	0		11.8.3.1
 *	0a0	PPR		32	R	0		11.8.3.1
 *	0b0	EOI		32	W			11.8.5
 *	0d0	LDR		32	RW	0		11.6.2.2
 *	0e0	DFR		32	RW	ffffffff	11.6.2.2
 *	0f0	SVR		32	RW	ff		11.9
 *	100-270	ISR TMR IRR	8 x 32	R	0		11.8.4
 *	280	ESR		32	RW	0		11.5.3
 *	300 310	ICR		64	RW	0		11.6.1
 *	320-370	LVT		32	RW	10000		11.5.1
 *	380 390	initial/current	32	RW R	0		11.5.4
 *	3e0	divide		32	RW	0		11.5.4
 *
 * Not modelled: the APR, RRD and thermal and performance interrupts (their LVT entries hold what is written); SMI.
 * Deviates: after power-on LINT0 of the boot processor is ExtINT and not masked, as firmware leaves it, because kernels
 * are booted here without firmware; the ID can't be written.
 */
#include <stdlib.h>
#include "src/cpu/lapic_regs.h"
#include "src/log.h"
#include "src/machine.h"

#define APIC_VERSION_VALUE 0x00050014u /* 6 LVT entries */
#define LVT_LINT0_EXTINT   (DELIVER_EXTINT << 8)

#define ICR_DEST_LOGICAL BIT(11)
#define ICR_ASSERT	 BIT(14)
#define ICR_LEVEL	 BIT(15)
#define ICR_SHORTHAND(v) (((v) >> 18) & 3)
enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };
#define ICR_WRITABLE 0xccfffu

#define DEST_ALL ~0u

static const uint32_t lvt_writable[LVT_COUNT] = {
	[LVT_TIMER] = LVT_TIMER_MODE | LVT_MASKED | 0xff,
	[LVT_THERMAL] = LVT_MASKED | 0x7ff,
	[LVT_PERF] = LVT_MASKED | 0x7ff,
	[LVT_LINT0] = LVT_MASKED | LVT_LEVEL | BIT(13) | 0x7ff,
	[LVT_LINT1] = LVT_MASKED | LVT_LEVEL | BIT(13) | 0x7ff,
	[LVT_ERROR] = LVT_MASKED | 0xff,
};

/* ---- vectors ---- */

int lapic_highest(const uint32_t bits[8])
{
	for (int i = 7; i >= 0; i--)
		if (bits[i])
			return i * 32 + 31 - __builtin_clz(bits[i]);
	return -1;
}

static void bit_set(uint32_t bits[8], uint8_t vector)
{
	bits[vector / 32] |= BIT(vector % 32);
}

static void bit_clear(uint32_t bits[8], uint8_t vector)
{
	bits[vector / 32] &= ~BIT(vector % 32);
}

static bool bit_test(const uint32_t bits[8], uint8_t vector)
{
	return bits[vector / 32] & BIT(vector % 32);
}

static uint32_t ppr(const struct lapic *l)
{
	int isr = lapic_highest(l->isr);
	uint32_t isrv = isr < 0 ? 0 : (uint32_t)isr;

	return (l->tpr & 0xf0) >= (isrv & 0xf0) ? l->tpr : isrv & 0xf0;
}

static bool hw_enabled(const struct lapic *l)
{
	return __atomic_load_n(&l->base, __ATOMIC_RELAXED) & APIC_BASE_EN;
}

static bool sw_enabled(const struct lapic *l)
{
	return __atomic_load_n(&l->svr, __ATOMIC_RELAXED) & SVR_ENABLE;
}

void lapic_recheck(struct lapic *l)
{
	if (l->cpu->recheck && lapic_has_interrupt(l))
		l->cpu->recheck(l->v);
}

/* Once per kind until the guest looks; so an error interrupt with a bad vector of its own ends there. */
static void set_error(struct lapic *l, uint32_t bit)
{
	bool first = !(l->esr_pending & bit);

	l->esr_pending |= bit;
	if (first)
		lapic_fire_lvt(l, LVT_ERROR);
}

void lapic_accept(struct lapic *l, uint8_t vector, bool level_trig)
{
	if (!hw_enabled(l) || !sw_enabled(l))
		return;
	if (vector < 16) {
		set_error(l, ESR_RECEIVE_VECTOR);
		return;
	}
	bit_set(l->irr, vector);
	if (level_trig)
		bit_set(l->tmr, vector);
	else
		bit_clear(l->tmr, vector);
	lapic_recheck(l);
}

void lapic_fire_lvt(struct lapic *l, unsigned n)
{
	uint32_t lvt = l->lvt[n];

	if (lvt & LVT_MASKED)
		return;
	switch (n == LVT_TIMER || n == LVT_ERROR ? DELIVER_FIXED : LVT_MODE(lvt)) {
	case DELIVER_FIXED:
		lapic_accept(l, lvt & 0xff, false);
		break;
	case DELIVER_NMI:
		l->cpu->nmi(l->v);
		break;
	default: /* ExtINT is looked at by level; INIT and SMI from a pin: no board has that */
		break;
	}
}

/* ---- messages between processors; any thread ---- */

static void lapic_post(struct lapic *l, uint32_t event)
{
	__atomic_fetch_or(&l->in_events, event, __ATOMIC_SEQ_CST);
	vcpu_request_mt(l->v, VCPU_REQ_INTR);
}

/* A second one that finds the first still in the inbox is not lost: one is handled, one held for after it. */
static void post_nmi(struct lapic *l)
{
	if (__atomic_fetch_or(&l->in_events, EVENT_NMI, __ATOMIC_SEQ_CST) & EVENT_NMI)
		__atomic_fetch_or(&l->in_events, EVENT_NMI_AGAIN, __ATOMIC_SEQ_CST);
	vcpu_request_mt(l->v, VCPU_REQ_INTR);
}

static void post_vector(struct lapic *l, uint8_t vector, bool level_trig)
{
	uint32_t *box = level_trig ? l->in_level : l->in_edge;

	__atomic_fetch_or(&box[vector / 32], BIT(vector % 32), __ATOMIC_RELAXED);
	__atomic_store_n(&l->in_any, 1, __ATOMIC_SEQ_CST);
	vcpu_request_mt(l->v, VCPU_REQ_INTR);
}

static void deliver_to(struct lapic *l, enum lapic_delivery mode, uint8_t vector, bool level_trig)
{
	switch (mode) {
	case DELIVER_FIXED:
	case DELIVER_LOWEST:
		post_vector(l, vector, level_trig);
		break;
	case DELIVER_NMI:
		post_nmi(l);
		break;
	case DELIVER_INIT:
		lapic_post(l, EVENT_INIT);
		break;
	case DELIVER_SIPI:
		__atomic_store_n(&l->sipi_vector, vector, __ATOMIC_RELAXED);
		lapic_post(l, EVENT_SIPI);
		break;
	case DELIVER_SMI:
		lapic_post(l, EVENT_SMI);
		break;
	case DELIVER_EXTINT:
		lapic_post(l, EVENT_EXTINT);
		break;
	}
}

static bool matches_logical(const struct lapic *l, uint32_t dest)
{
	uint32_t ldr = __atomic_load_n(&l->ldr, __ATOMIC_RELAXED);

	if (dest == DEST_ALL)
		return true;
	if (lapic_x2(l))
		return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff);
	if (dest > 0xff)
		return false;
	ldr >>= 24;
	if (__atomic_load_n(&l->dfr, __ATOMIC_RELAXED) >> 28 == 0xf)
		return ldr & dest;
	return (dest >> 4 == 0xf || dest >> 4 == ldr >> 4) && (dest & ldr & 0xf);
}

static bool matches(const struct lapic *l, uint32_t dest, bool logical)
{
	if (!hw_enabled(l))
		return false;
	if (logical)
		return matches_logical(l, dest);
	return dest == DEST_ALL || dest == l->id;
}

static struct lapic *lapic_of(const struct machine *m, unsigned i)
{
	return m->vcpus[i]->lapic;
}

/*
 * Lowest priority: the destination with the lowest task priority, and of these, one after the other. The ISR is not looked
 * at, it is its owner's.
 */
static void deliver_lowest(struct machine *m, uint32_t dest, bool logical, uint8_t vector,
			   bool level_trig)
{
	uint32_t first = __atomic_fetch_add(&lapic_of(m, 0)->turn, 1, __ATOMIC_RELAXED),
		 best_tpr = ~0u;
	struct lapic *best = NULL;

	for (unsigned n = 0; n < m->n_vcpus; n++) {
		struct lapic *l = lapic_of(m, (first + n) % m->n_vcpus);
		uint32_t tpr = __atomic_load_n(&l->tpr, __ATOMIC_RELAXED) & 0xf0;

		if (!matches(l, dest, logical) || !sw_enabled(l) || tpr >= best_tpr)
			continue;
		best = l;
		best_tpr = tpr;
	}
	if (best)
		deliver_to(best, DELIVER_LOWEST, vector, level_trig);
}

/* DEST as x2APIC has it: 32 bits, all ones for everybody. */
static void deliver(struct machine *m, const struct lapic *except, uint32_t dest, bool logical,
		    enum lapic_delivery mode, uint8_t vector, bool level_trig)
{
	if (mode == DELIVER_LOWEST && !except) {
		deliver_lowest(m, dest, logical, vector, level_trig);
		return;
	}
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct lapic *l = lapic_of(m, i);

		if (l != except && matches(l, dest, logical))
			deliver_to(l, mode, vector, level_trig);
	}
}

void lapic_deliver_mt(struct machine *m, uint32_t dest, bool logical, enum lapic_delivery mode,
		      uint8_t vector, bool level_trig)
{
	deliver(m, NULL, dest == 0xff && !logical ? DEST_ALL : dest, logical, mode, vector,
		level_trig);
}

void lapic_msi_mt(struct machine *m, uint64_t addr, uint32_t data)
{
	uint32_t dest = (addr >> 12 & 0xff) | (addr >> 5 & 0x7f) << 8;

	lapic_deliver_mt(m, dest, addr & BIT(2), (enum lapic_delivery)(data >> 8 & 7), data & 0xff,
			 data & BIT(15));
}

void lapic_set_lint0_mt(struct lapic *l, bool level)
{
	if (__atomic_exchange_n(&l->lint0, level, __ATOMIC_SEQ_CST) != level && level)
		lapic_post(l, EVENT_LINT0);
}

void lapic_nmi_mt(struct lapic *l)
{
	lapic_post(l, EVENT_LINT1);
}

/* ---- the inbox, emptied by its owner ---- */

static void serve_vectors(struct lapic *l)
{
	if (!__atomic_exchange_n(&l->in_any, 0, __ATOMIC_SEQ_CST))
		return;
	for (unsigned i = 0; i < 8; i++) {
		uint32_t level = __atomic_exchange_n(&l->in_level[i], 0, __ATOMIC_ACQ_REL);
		uint32_t edge = __atomic_exchange_n(&l->in_edge[i], 0, __ATOMIC_ACQ_REL);

		for (; level; level &= level - 1)
			lapic_accept(l, (uint8_t)(i * 32 + __builtin_ctz(level)), true);
		for (; edge; edge &= edge - 1)
			lapic_accept(l, (uint8_t)(i * 32 + __builtin_ctz(edge)), false);
	}
}

static void serve_init(struct lapic *l)
{
	l->cpu->init(l->v, !(l->base & APIC_BASE_BSP));
	lapic_reset(l, true);
}

static void serve_sipi(struct lapic *l)
{
	if (l->cpu->waits(l->v))
		l->cpu->start(l->v, (uint8_t)__atomic_load_n(&l->sipi_vector, __ATOMIC_RELAXED));
}

static void serve_events(struct lapic *l)
{
	uint32_t events;

	if (!__atomic_load_n(&l->in_events, __ATOMIC_RELAXED))
		return;
	events = __atomic_exchange_n(&l->in_events, 0, __ATOMIC_SEQ_CST);
	if (events & EVENT_INIT)
		serve_init(l);
	if (events & EVENT_SIPI)
		serve_sipi(l);
	if ((events & EVENT_NMI) && !l->cpu->waits(l->v))
		l->cpu->nmi(l->v);
	if ((events & EVENT_NMI_AGAIN) && !l->cpu->waits(l->v))
		l->cpu->nmi(l->v);
	if (events & EVENT_LINT0)
		lapic_fire_lvt(l, LVT_LINT0);
	if (events & EVENT_LINT1)
		lapic_fire_lvt(l, LVT_LINT1);
	if (events & EVENT_EXTINT)
		l->extint_latched = true;
	if (events & EVENT_SMI)
		log_printf(LOG_UNIMP, "cpu %u: SMI is not modelled\n", l->id);
}

void lapic_serve(struct lapic *l)
{
	serve_events(l);
	serve_vectors(l);
	lapic_timer_serve(l);
}

/* ---- delivery to the processor ---- */

/* The 8259s' interrupt, which passes the APIC by. */
static bool extint_pending(const struct lapic *l)
{
	if (l->extint_latched)
		return true;
	if (!__atomic_load_n(&l->lint0, __ATOMIC_ACQUIRE))
		return false;
	return !hw_enabled(l) ||
	       (!(l->lvt[LVT_LINT0] & LVT_MASKED) && LVT_MODE(l->lvt[LVT_LINT0]) == DELIVER_EXTINT);
}

static int deliverable(const struct lapic *l)
{
	int vector = lapic_highest(l->irr);

	return vector >= 0 && (uint32_t)(vector & 0xf0) > (ppr(l) & 0xf0) ? vector : -1;
}

bool lapic_has_interrupt(struct lapic *l)
{
	return extint_pending(l) || (hw_enabled(l) && deliverable(l) >= 0);
}

int lapic_ack_interrupt(struct lapic *l)
{
	int vector;

	if (extint_pending(l)) {
		l->extint_latched = false;
		return vcpu_intack(l->v);
	}
	vector = deliverable(l);
	if (vector < 0)
		return -1;
	bit_clear(l->irr, (uint8_t)vector);
	bit_set(l->isr, (uint8_t)vector);
	return vector;
}

static void end_of_interrupt(struct lapic *l)
{
	int vector = lapic_highest(l->isr);

	if (vector < 0)
		return;
	bit_clear(l->isr, (uint8_t)vector);
	if (bit_test(l->tmr, (uint8_t)vector))
		vcpu_post_eoi(l->v, (uint8_t)vector);
	lapic_recheck(l);
}

/* ---- registers ---- */

static void write_tpr(struct lapic *l, uint32_t value)
{
	__atomic_store_n(&l->tpr, value & 0xff, __ATOMIC_RELAXED);
	lapic_recheck(l);
}

uint8_t lapic_get_tpr(struct lapic *l)
{
	return (uint8_t)l->tpr;
}

void lapic_set_tpr(struct lapic *l, uint8_t tpr)
{
	write_tpr(l, tpr);
}

static void write_svr(struct lapic *l, uint32_t value)
{
	__atomic_store_n(&l->svr, value & 0x1ff, __ATOMIC_RELAXED);
	if (value & SVR_ENABLE)
		return;
	lapic_timer_serve(l);
	for (unsigned i = 0; i < LVT_COUNT; i++) {
		uint32_t old = l->lvt[i];

		l->lvt[i] |= LVT_MASKED;
		if (i == LVT_TIMER)
			lapic_timer_lvt_changed(l, old);
	}
}

static void write_lvt(struct lapic *l, unsigned n, uint32_t value)
{
	uint32_t old = l->lvt[n];

	if (n == LVT_TIMER) {
		lapic_timer_serve(l); /* what was due under the old entry */
		old = l->lvt[n];
		if (!l->has_deadline)
			value &= ~LVT_TIMER_DEADLINE;
	}
	l->lvt[n] = value & lvt_writable[n];
	if (!sw_enabled(l))
		l->lvt[n] |= LVT_MASKED;
	if (n == LVT_TIMER)
		lapic_timer_lvt_changed(l, old);
	else if (n == LVT_LINT0)
		lapic_recheck(l);
}

static void send_ipi(struct lapic *l)
{
	struct machine *m = l->v->machine;
	uint32_t low = (uint32_t)l->icr;
	enum lapic_delivery mode = (enum lapic_delivery)(low >> 8 & 7);
	uint8_t vector = low & 0xff;
	uint32_t dest = (uint32_t)(l->icr >> 32);
	bool logical = low & ICR_DEST_LOGICAL;

	if (mode == DELIVER_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
		return; /* INIT level de-assert: only arbitration ids of old processors */
	if ((mode == DELIVER_FIXED || mode == DELIVER_LOWEST) && vector < 16) {
		set_error(l, ESR_SEND_VECTOR);
		return;
	}
	if (!lapic_x2(l))
		dest = dest >> 24 == 0xff && !logical ? DEST_ALL : dest >> 24;
	switch (ICR_SHORTHAND(low)) {
	case SHORTHAND_SELF:
		if (mode == DELIVER_FIXED)
			lapic_accept(l, vector, false);
		break;
	case SHORTHAND_ALL:
		deliver(m, NULL, DEST_ALL, false, mode, vector, false);
		break;
	case SHORTHAND_OTHERS:
		deliver(m, l, DEST_ALL, false, mode, vector, false);
		break;
	default:
		deliver(m, NULL, dest, logical, mode, vector, false);
	}
}

static void write_esr(struct lapic *l)
{
	l->esr = l->esr_pending;
	l->esr_pending = 0;
}

/* What xAPIC and x2APIC have in common. False: no such register. */
static bool reg_read(struct lapic *l, uint32_t offset, uint32_t *value)
{
	if (offset >= APIC_ISR && offset < APIC_ISR + 0x80)
		*value = l->isr[(offset - APIC_ISR) / 16];
	else if (offset >= APIC_TMR && offset < APIC_TMR + 0x80)
		*value = l->tmr[(offset - APIC_TMR) / 16];
	else if (offset >= APIC_IRR && offset < APIC_IRR + 0x80)
		*value = l->irr[(offset - APIC_IRR) / 16];
	else if (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR)
		*value = l->lvt[(offset - APIC_LVT_TIMER) / 16];
	else
		switch (offset) {
		case APIC_ID:
			*value = lapic_x2(l) ? l->id : l->id << 24;
			break;
		case APIC_VERSION:
			*value = APIC_VERSION_VALUE;
			break;
		case APIC_TPR:
			*value = l->tpr;
			break;
		case APIC_PPR:
			*value = ppr(l);
			break;
		case APIC_LDR:
			*value = l->ldr;
			break;
		case APIC_SVR:
			*value = l->svr;
			break;
		case APIC_ESR:
			*value = l->esr;
			break;
		case APIC_ICR:
			*value = (uint32_t)l->icr;
			break;
		case APIC_TIMER_INITIAL:
			*value = l->timer_initial;
			break;
		case APIC_TIMER_CURRENT:
			*value = lapic_timer_current(l);
			break;
		case APIC_TIMER_DIVIDE:
			*value = l->timer_divide;
			break;
		default:
			return false;
		}
	return true;
}

uint32_t lapic_peek(struct lapic *l, uint32_t offset)
{
	uint32_t value = 0;

	reg_read(l, offset, &value);
	return value;
}

uint32_t lapic_lvt_writable(unsigned n)
{
	return lvt_writable[n];
}

static bool reg_write(struct lapic *l, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case APIC_TPR:
		write_tpr(l, value);
		return true;
	case APIC_EOI:
		end_of_interrupt(l);
		return true;
	case APIC_SVR:
		write_svr(l, value);
		return true;
	case APIC_ESR:
		write_esr(l);
		return true;
	case APIC_LVT_TIMER:
	case APIC_LVT_THERMAL:
	case APIC_LVT_PERF:
	case APIC_LVT_LINT0:
	case APIC_LVT_LINT1:
	case APIC_LVT_ERROR:
		write_lvt(l, (offset - APIC_LVT_TIMER) / 16, value);
		return true;
	case APIC_TIMER_INITIAL:
		lapic_timer_set_initial(l, value);
		return true;
	case APIC_TIMER_DIVIDE:
		lapic_timer_set_divide(l, value & 0xb);
		return true;
	default:
		return false;
	}
}

/* ---- xAPIC: the page ---- */

uint64_t lapic_mmio_base(const struct lapic *l)
{
	return (l->base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN
		       ? l->base & APIC_BASE_ADDR
		       : ~0ull;
}

uint32_t lapic_mmio_read(struct lapic *l, uint32_t offset)
{
	uint32_t value;

	offset &= 0xff0;
	if (reg_read(l, offset, &value))
		return value;
	switch (offset) {
	case APIC_DFR:
		return l->dfr;
	case APIC_ICR_HIGH:
		return (uint32_t)(l->icr >> 32);
	case APIC_APR:
	case APIC_RRD:
	case APIC_EOI:
		return 0;
	default:
		set_error(l, ESR_REGISTER);
		return 0;
	}
}

void lapic_mmio_write(struct lapic *l, uint32_t offset, uint32_t value)
{
	offset &= 0xff0;
	switch (offset) {
	case APIC_LDR:
		__atomic_store_n(&l->ldr, value & 0xff000000, __ATOMIC_RELAXED);
		return;
	case APIC_DFR:
		__atomic_store_n(&l->dfr, value | 0x0fffffff, __ATOMIC_RELAXED);
		return;
	case APIC_ICR:
		l->icr = (l->icr & ~0xffffffffull) | (value & ICR_WRITABLE);
		send_ipi(l);
		return;
	case APIC_ICR_HIGH:
		l->icr = (uint32_t)l->icr | (uint64_t)(value & 0xff000000) << 32;
		return;
	case APIC_ID: /* read-only registers */
	case APIC_VERSION:
	case APIC_APR:
	case APIC_PPR:
	case APIC_RRD:
	case APIC_TIMER_CURRENT:
		return;
	default:
		if (!reg_write(l, offset, value) && (offset < APIC_ISR || offset >= APIC_ESR))
			set_error(l, ESR_REGISTER);
	}
}

/* ---- x2APIC: MSRs ---- */

static bool x2_read(struct lapic *l, uint32_t offset, uint64_t *value)
{
	uint32_t low;

	if (offset == APIC_ICR) {
		*value = l->icr;
		return true;
	}
	if (!reg_read(l, offset, &low))
		return false;
	*value = low;
	return true;
}

/* Bits of a register that may be written; others #GP. */
static uint64_t x2_writable(uint32_t offset)
{
	switch (offset) {
	case APIC_TPR:
	case APIC_SELF_IPI:
		return 0xff;
	case APIC_EOI:
	case APIC_ESR:
		return 0;
	case APIC_SVR:
		return 0x1ff;
	case APIC_ICR:
		return 0xffffffff00000000ull | ICR_WRITABLE | BIT(12);
	case APIC_TIMER_INITIAL:
		return 0xffffffff;
	case APIC_TIMER_DIVIDE:
		return 0xb;
	default:
		if (offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR)
			return lvt_writable[(offset - APIC_LVT_TIMER) / 16] | LVT_REMOTE_IRR |
			       BIT(12);
		return 0xffffffff;
	}
}

static bool x2_write(struct lapic *l, uint32_t offset, uint64_t value)
{
	if (value & ~x2_writable(offset))
		return false;
	switch (offset) {
	case APIC_ICR:
		l->icr = value & ~(uint64_t)BIT(12);
		send_ipi(l);
		return true;
	case APIC_SELF_IPI:
		if (value < 16)
			set_error(l, ESR_SEND_VECTOR);
		else
			lapic_accept(l, (uint8_t)value, false);
		return true;
	default:
		return reg_write(l, offset, (uint32_t)value);
	}
}

/* The logical id that x2APIC derives from the id (SDM 3A 11.12.10.2). */
static uint32_t x2_ldr(uint32_t id)
{
	return id >> 4 << 16 | BIT(id & 15);
}

static void base_changed(struct lapic *l)
{
	if (l->cpu->base_changed)
		l->cpu->base_changed(l->v);
}

/* Transitions as SDM 3A figure 11-27 has them. */
static bool write_base(struct lapic *l, uint64_t value)
{
	uint64_t old = l->base, mode = value & (APIC_BASE_EN | APIC_BASE_EXTD);
	uint64_t known = APIC_BASE_BSP | APIC_BASE_EN | (l->addr_mask & APIC_BASE_ADDR);

	if (l->has_x2apic)
		known |= APIC_BASE_EXTD;
	if (value & ~known || mode == APIC_BASE_EXTD)
		return false;
	if ((old & APIC_BASE_EXTD) && mode == APIC_BASE_EN)
		return false;
	if (!(old & APIC_BASE_EN) && (mode & APIC_BASE_EXTD))
		return false;
	__atomic_store_n(&l->base, (value & ~APIC_BASE_BSP) | (old & APIC_BASE_BSP),
			 __ATOMIC_RELAXED);
	if (!(old & APIC_BASE_EXTD) && (mode & APIC_BASE_EXTD)) {
		__atomic_store_n(&l->ldr, x2_ldr(l->id), __ATOMIC_RELAXED);
		l->icr = (uint32_t)l->icr;
	} else if ((old & APIC_BASE_EN) && !mode) {
		lapic_reset(l, true);
	}
	base_changed(l);
	return true;
}

/* From outside: any mode, from any other. */
bool lapic_set_base(struct lapic *l, uint64_t value)
{
	uint64_t mode = value & (APIC_BASE_EN | APIC_BASE_EXTD);

	if (mode == APIC_BASE_EXTD || ((mode & APIC_BASE_EXTD) && !l->has_x2apic))
		return false;
	__atomic_store_n(&l->base, value & (APIC_BASE_BSP | mode | (l->addr_mask & APIC_BASE_ADDR)),
			 __ATOMIC_RELAXED);
	if (mode & APIC_BASE_EXTD)
		__atomic_store_n(&l->ldr, x2_ldr(l->id), __ATOMIC_RELAXED);
	base_changed(l);
	return true;
}

bool lapic_rdmsr(struct lapic *l, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case MSR_APIC_BASE:
		*value = l->base;
		return true;
	case MSR_TSC_DEADLINE:
		*value = lapic_timer_get_deadline(l);
		return l->has_deadline;
	default:
		return msr >= MSR_X2APIC && msr <= MSR_X2APIC + 0xff && lapic_x2(l) &&
		       x2_read(l, (msr - MSR_X2APIC) << 4, value);
	}
}

bool lapic_wrmsr(struct lapic *l, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_APIC_BASE:
		return write_base(l, value);
	case MSR_TSC_DEADLINE:
		if (!l->has_deadline)
			return false;
		lapic_timer_set_deadline(l, value);
		return true;
	default:
		return msr >= MSR_X2APIC && msr <= MSR_X2APIC + 0xff && lapic_x2(l) &&
		       x2_write(l, (msr - MSR_X2APIC) << 4, value);
	}
}

/* ---- life ---- */

uint32_t lapic_id(const struct lapic *l)
{
	return l->id;
}

void lapic_reset(struct lapic *l, bool init)
{
	if (!init)
		l->base =
			LAPIC_DEFAULT_BASE | APIC_BASE_EN | (l->v->index == 0 ? APIC_BASE_BSP : 0);
	l->svr = 0xff;
	l->ldr = lapic_x2(l) ? x2_ldr(l->id) : 0;
	l->dfr = ~0u;
	l->tpr = l->esr = l->esr_pending = 0;
	l->icr = 0;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		l->lvt[i] = LVT_MASKED;
	if (!init && (l->base & APIC_BASE_BSP))
		l->lvt[LVT_LINT0] = LVT_LINT0_EXTINT;
	memset(l->irr, 0, sizeof(l->irr));
	memset(l->isr, 0, sizeof(l->isr));
	memset(l->tmr, 0, sizeof(l->tmr));
	l->extint_latched = false;
	if (!init) {
		memset(l->in_edge, 0, sizeof(l->in_edge));
		memset(l->in_level, 0, sizeof(l->in_level));
		l->in_any = 0;
		l->in_events = 0;
	}
	lapic_timer_reset(l);
}

struct lapic *lapic_new(struct vcpu *v, const struct lapic_cpu *cpu,
			const struct lapic_features *features)
{
	struct lapic *l = xaligned_zalloc(64, sizeof(*l));

	l->v = v;
	l->cpu = cpu;
	l->id = v->apic_id;
	l->addr_mask = BIT64(features->phys_bits) - 1;
	l->has_x2apic = features->x2apic;
	l->has_deadline = features->tsc_deadline;
	v->lapic = l;
	l->timer_next_ns = l->host_armed_ns = INT64_MAX;
	lapic_reset(l, false);
	return l;
}

void lapic_free(struct lapic *l)
{
	if (l)
		l->v->lapic = NULL;
	free(l);
}
