/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HPET: a counter of 100 MHz, and timers that compare themselves with it.
 *
 * IA-PC HPET (High Precision Event Timers) Specification 1.0a (Intel, 2004), section 2.3. A block of 1 KiB.
 *
 *	offset		name		width	access	reset			section
 *	000		GCAP_ID		64	R	see GCAP_*		2.3.4
 *	010		GEN_CONF	64	RW	0			2.3.5
 *	020		GINTR_STA	64	R/W1C	0			2.3.6
 *	0f0		MAIN_CNT	64	RW	0			2.3.7
 *	100+20n		TIMn_CONF	64	RW	capabilities		2.3.8
 *	108+20n		TIMn_COMP	64	RW	ffffffffffffffff	2.3.9
 *	110+20n		TIMn_FSB	64	RW	0			2.3.10
 *
 * Nothing counts by itself: the counter is worked out from the guest clock, and a timer of the host runs only while a
 * timer whose interrupt is enabled is to match. Registers are read in any width, and written in 4 or 8 bytes.
 *
 * Not modelled: nothing.
 * Deviates because: a comparator that lies behind the counter by less than half of its range counts as just reached, where
 * hardware waits until it comes round: a guest that was held up between reading the counter and writing the comparator would lose
 * its interrupt. A timer's interrupts come 50 us apart at the least, whatever its period, lest a guest keep the host busy; periods that
 * passed meanwhile are one interrupt. Where a timer is routed to the IOAPIC's pin 2, the 8259's IR0 sees it as well.
 */
#include "devices/chipset/hpet.h"

#define HPET_BYTES	   0x400
#define HPET_TICK_NS	   10
#define HPET_PERIOD_FS	   (HPET_TICK_NS * 1000000ull)
#define HPET_MIN_EDGE_NS   (50 * NS_PER_US)
#define HPET_MAX_TIMERS	   32
#define HPET_MIN_TIMERS	   3
#define HPET_REGISTER(off) ((off) & ~7ull)

#define GCAP_ID	  0x000
#define GEN_CONF  0x010
#define GINTR_STA 0x020
#define MAIN_CNT  0x0f0
#define TIM_FIRST 0x100
#define TIM_BYTES 0x20
#define TIM_CONF  0x00
#define TIM_COMP  0x08
#define TIM_FSB	  0x10

#define GCAP_REV	  1
#define GCAP_TIMERS_SHIFT 8
#define GCAP_COUNT_SIZE	  BIT64(13)
#define GCAP_LEG_RT	  BIT64(15)
#define GCAP_VENDOR	  (0x8086ull << 16)
#define GCAP_PERIOD_SHIFT 32
#define GEN_CONF_ENABLE	  BIT64(0)
#define GEN_CONF_LEG_RT	  BIT64(1)
#define GEN_CONF_WRITABLE (GEN_CONF_ENABLE | GEN_CONF_LEG_RT)
#define TIM_LEVEL	  BIT64(1)
#define TIM_INT_ENB	  BIT64(2)
#define TIM_PERIODIC	  BIT64(3)
#define TIM_PER_INT_CAP	  BIT64(4)
#define TIM_SIZE_CAP	  BIT64(5)
#define TIM_VAL_SET	  BIT64(6)
#define TIM_32MODE	  BIT64(8)
#define TIM_ROUTE_SHIFT	  9
#define TIM_ROUTE	  0x1f
#define TIM_FSB_EN	  BIT64(14)
#define TIM_FSB_CAP	  BIT64(15)
#define TIM_ROUTE_CAP	  32
#define TIM_WRITABLE                                                         \
	(TIM_LEVEL | TIM_INT_ENB | TIM_PERIODIC | TIM_VAL_SET | TIM_32MODE | \
	 (uint64_t)TIM_ROUTE << TIM_ROUTE_SHIFT)

#define GSI_TIMER   0
#define GSI_RTC	    8
#define GSI_CASCADE 2
#define NEVER	    INT64_MAX
#define TOO_FAR	    (BIT64(62) / HPET_TICK_NS) /* ticks, 14 centuries: nobody waits for that */

struct hpet_timer {
	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t conf;	 /* the writable bits, VAL_SET included */
	uint64_t comp;	 /* within the timer's width */
	uint64_t period; /* what was last written to the comparator in periodic mode */
	uint64_t fsb;
	uint64_t matched; /* 1: the comparator is behind, until the counter comes round */
	GUEST_VISIBLE_END;

	/* host side */
	int64_t earliest_ns; /* not another interrupt before that */
	struct irq irq;
};

struct hpet {
	struct device dev;

	/* configuration */
	struct region block;
	uint32_t intcap; /* routes to the IOAPIC that the timers have */
	uint8_t n_timers;
	bool msi;
	struct device *pit, *rtc; /* NULL: the accelerator's */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t gen_conf, gintr_sta;
	uint64_t count;	 /* at BASE_NS; while it stands still, for good */
	int64_t base_ns; /* guest clock */
	struct hpet_timer timers[HPET_MAX_TIMERS];
	GUEST_VISIBLE_END;

	/* host side */
	struct timer timer;
};

/* ---- the counter ---- */

static int64_t now_ns(const struct hpet *s)
{
	return clock_now_ns(s->dev.machine->clock);
}

static bool counts(const struct hpet *s)
{
	return s->gen_conf & GEN_CONF_ENABLE;
}

static uint64_t count_at(const struct hpet *s, int64_t ns)
{
	return counts(s) ? s->count + (uint64_t)(ns - s->base_ns) / HPET_TICK_NS : s->count;
}

/* The counter has COUNT from now on. */
static void set_count(struct hpet *s, uint64_t count, int64_t now)
{
	s->count = count;
	s->base_ns = now;
}

/* ---- timers ---- */

static uint64_t width_mask(const struct hpet_timer *t)
{
	return t->conf & TIM_32MODE ? UINT32_MAX : UINT64_MAX;
}

/* Ticks from COUNT to the next match; once that has been, to where the comparator is ahead again. 0: it is due. */
static uint64_t ticks_to_event(const struct hpet_timer *t, uint64_t count)
{
	uint64_t mask = width_mask(t), half = mask / 2, ahead = (t->comp - count) & mask;

	if (!t->matched)
		return ahead > half ? 0 : ahead;
	if (!ahead)
		return half + 1;
	return ahead > half ? ahead - half : 0;
}

static bool is_legacy(const struct hpet *s, unsigned n)
{
	return (s->gen_conf & GEN_CONF_LEG_RT) && n < 2;
}

/* The line that timer N drives; MACHINE_GSIS: none. */
static unsigned gsi_of(const struct hpet *s, unsigned n)
{
	unsigned route = s->timers[n].conf >> TIM_ROUTE_SHIFT & TIM_ROUTE;

	if (is_legacy(s, n))
		return n == 0 ? GSI_TIMER : GSI_RTC;
	if (!(s->intcap & BIT(route)) || route >= MACHINE_GSIS)
		return MACHINE_GSIS;
	return route == GSI_CASCADE ? GSI_TIMER : route;
}

static bool by_fsb(const struct hpet *s, unsigned n)
{
	return s->msi && (s->timers[n].conf & TIM_FSB_EN) && !is_legacy(s, n);
}

/* Level-triggered, the line follows the status bit, while that may interrupt. */
static void update_line(struct hpet *s, unsigned n)
{
	struct hpet_timer *t = &s->timers[n];
	unsigned gsi = by_fsb(s, n) ? MACHINE_GSIS : gsi_of(s, n);
	bool level = (t->conf & TIM_LEVEL) && (t->conf & TIM_INT_ENB) && counts(s) &&
		     (s->gintr_sta & BIT64(n));

	if (!t->irq.fn || t->irq.n != gsi) {
		irq_lower(&t->irq);
		t->irq.fn = NULL;
		if (gsi < MACHINE_GSIS)
			machine_share_gsi(s->dev.machine, &t->irq, gsi);
	}
	irq_set(&t->irq, level && t->irq.fn);
}

/* A message of the timer's own (2.3.10): data in the lower half, address in the upper one. */
static void send_fsb(struct hpet *s, const struct hpet_timer *t)
{
	uint32_t addr = (uint32_t)(t->fsb >> 32);

	if (addr >> 20 == 0xfee)
		s->dev.machine->accel->msi_send(s->dev.machine, addr, (uint32_t)t->fsb);
	else
		guest_error(&s->dev, "a timer's message is for 0x%x, which is no local APIC", addr);
}

static void fire(struct hpet *s, unsigned n, int64_t now)
{
	struct hpet_timer *t = &s->timers[n];

	t->earliest_ns = now + HPET_MIN_EDGE_NS;
	if (t->conf & TIM_LEVEL) {
		s->gintr_sta |= BIT64(n);
		update_line(s, n);
	}
	if (!(t->conf & TIM_INT_ENB))
		return;
	if (by_fsb(s, n))
		send_fsb(s, t);
	else if (!(t->conf & TIM_LEVEL))
		irq_pulse(&t->irq);
}

/* The comparator moves on, beyond COUNT. A period of 0 moves nowhere. */
static void move_on(struct hpet_timer *t, uint64_t count)
{
	uint64_t mask = width_mask(t), behind = (count - t->comp) & mask;

	t->matched = 1;
	if (!(t->conf & TIM_PERIODIC) || !t->period)
		return;
	t->comp = (t->comp + t->period * (behind / t->period + 1)) & mask;
	/* A period of half the range and more leads behind it: it comes round. */
	t->matched = ((t->comp - count) & mask) > mask / 2;
}

/* What matched up to now interrupts. */
static void sync_timers(struct hpet *s, int64_t now)
{
	uint64_t count = count_at(s, now);

	for (unsigned n = 0; counts(s) && n < s->n_timers; n++) {
		struct hpet_timer *t = &s->timers[n];

		if (!ticks_to_event(t, count) && t->matched)
			t->matched = 0;
		if (ticks_to_event(t, count) || now < t->earliest_ns)
			continue;
		fire(s, n, now);
		move_on(t, count);
	}
}

/* When timer N interrupts next. */
static int64_t next_of(const struct hpet *s, unsigned n, int64_t now)
{
	const struct hpet_timer *t = &s->timers[n];
	uint64_t ticks = ticks_to_event(t, count_at(s, now));
	int64_t into = (now - s->base_ns) % HPET_TICK_NS; /* the tick that is under way */

	if (!(t->conf & TIM_INT_ENB) || ticks >= TOO_FAR)
		return NEVER;
	return MAX(now - into + (int64_t)ticks * HPET_TICK_NS, t->earliest_ns);
}

static void arm(struct hpet *s, int64_t now)
{
	int64_t next = NEVER;

	for (unsigned n = 0; counts(s) && n < s->n_timers; n++)
		next = MIN(next, next_of(s, n, now));
	if (next == NEVER)
		timer_cancel(&s->timer);
	else
		timer_arm(&s->timer, next);
}

static void hpet_on_timer(void *opaque)
{
	struct hpet *s = opaque;
	int64_t now = now_ns(s);

	sync_timers(s, now);
	arm(s, now);
}

/* ---- legacy replacement (2.3.5): the 8254's and the RTC's interrupts are timers 0's and 1's ---- */

static void replace_legacy(struct hpet *s)
{
	struct machine *m = s->dev.machine;
	bool replaced = s->gen_conf & GEN_CONF_LEG_RT;

	if (s->pit)
		i8254_set_replaced(s->pit, replaced);
	else if (m->accel->pit_replaced)
		m->accel->pit_replaced(m, replaced);
	if (s->rtc)
		mc146818_set_replaced(s->rtc, replaced);
}

/* ---- reads ---- */

static uint64_t gcap_id(const struct hpet *s)
{
	return GCAP_REV | (uint64_t)(s->n_timers - 1) << GCAP_TIMERS_SHIFT | GCAP_COUNT_SIZE |
	       GCAP_LEG_RT | GCAP_VENDOR | HPET_PERIOD_FS << GCAP_PERIOD_SHIFT;
}

static uint64_t read_timer(const struct hpet *s, uint64_t offset)
{
	unsigned n = (unsigned)((offset - TIM_FIRST) / TIM_BYTES);
	const struct hpet_timer *t = &s->timers[n];

	if (n >= s->n_timers)
		return 0;
	switch (offset % TIM_BYTES) {
	case TIM_CONF:
		return t->conf | TIM_PER_INT_CAP | TIM_SIZE_CAP | (s->msi ? TIM_FSB_CAP : 0) |
		       (uint64_t)s->intcap << TIM_ROUTE_CAP;
	case TIM_COMP:
		return t->comp;
	case TIM_FSB:
		return t->fsb;
	default:
		return 0;
	}
}

static uint64_t read_register(const struct hpet *s, uint64_t offset)
{
	switch (offset) {
	case GCAP_ID:
		return gcap_id(s);
	case GEN_CONF:
		return s->gen_conf;
	case GINTR_STA:
		return s->gintr_sta;
	case MAIN_CNT:
		return count_at(s, now_ns(s));
	default:
		return offset >= TIM_FIRST ? read_timer(s, offset) : 0;
	}
}

static uint64_t hpet_read(void *opaque, uint64_t offset, unsigned size)
{
	struct hpet *s = opaque;

	if (HPET_REGISTER(offset) != MAIN_CNT)
		hpet_on_timer(s);
	return read_register(s, HPET_REGISTER(offset)) >> (8 * (offset & 7));
}

/* ---- writes ---- */

static void write_gen_conf(struct hpet *s, uint64_t value, int64_t now)
{
	uint64_t count = count_at(s, now), changed = s->gen_conf ^ value;

	s->gen_conf = value & GEN_CONF_WRITABLE;
	set_count(s, count, now);
	for (unsigned n = 0; n < s->n_timers; n++)
		update_line(s, n);
	if (changed & GEN_CONF_LEG_RT)
		replace_legacy(s);
}

static void write_gintr_sta(struct hpet *s, uint64_t value)
{
	s->gintr_sta &= ~value;
	for (unsigned n = 0; n < s->n_timers; n++)
		update_line(s, n);
}

/* 2.3.7: software writes it while it stands still; while it counts, what that does is open. */
static void write_main_cnt(struct hpet *s, uint64_t value, int64_t now)
{
	if (counts(s))
		guest_error(&s->dev, "the counter is written while it counts");
	set_count(s, value, now);
	for (unsigned n = 0; n < s->n_timers; n++)
		s->timers[n].matched = 0;
}

static void write_conf(struct hpet *s, unsigned n, uint64_t value)
{
	struct hpet_timer *t = &s->timers[n];

	t->conf = value & (TIM_WRITABLE | (s->msi ? TIM_FSB_EN : 0));
	t->comp &= width_mask(t);
	t->period &= width_mask(t);
	/* The status bit means something for level alone (2.3.6). */
	if (!(t->conf & TIM_LEVEL))
		s->gintr_sta &= ~BIT64(n);
	update_line(s, n);
}

/* In periodic mode the comparator itself is written only with VAL_SET, and the period in any case (2.3.9.2.2). */
static void write_comp(struct hpet_timer *t, uint64_t value)
{
	value &= width_mask(t);
	if (!(t->conf & TIM_PERIODIC) || (t->conf & TIM_VAL_SET))
		t->comp = value;
	if (t->conf & TIM_PERIODIC)
		t->period = value;
	t->conf &= ~TIM_VAL_SET;
	t->matched = 0;
}

static void write_timer(struct hpet *s, uint64_t offset, uint64_t value)
{
	unsigned n = (unsigned)((offset - TIM_FIRST) / TIM_BYTES);

	if (n >= s->n_timers)
		return;
	switch (offset % TIM_BYTES) {
	case TIM_CONF:
		write_conf(s, n, value);
		break;
	case TIM_COMP:
		write_comp(&s->timers[n], value);
		break;
	case TIM_FSB:
		if (s->msi)
			s->timers[n].fsb = value;
		break;
	default:
		break;
	}
}

static void write_register(struct hpet *s, uint64_t offset, uint64_t value, int64_t now)
{
	switch (offset) {
	case GEN_CONF:
		write_gen_conf(s, value, now);
		break;
	case GINTR_STA:
		write_gintr_sta(s, value);
		break;
	case MAIN_CNT:
		write_main_cnt(s, value, now);
		break;
	default:
		if (offset >= TIM_FIRST)
			write_timer(s, offset, value);
		break;
	}
}

/* What a write of half a register leaves of the other half; of the comparator, in periodic mode that of the period. */
static uint64_t other_half(struct hpet *s, uint64_t offset)
{
	unsigned n = (unsigned)((offset - TIM_FIRST) / TIM_BYTES);

	if (offset == GINTR_STA)
		return 0;
	if (offset >= TIM_FIRST && n < s->n_timers && offset % TIM_BYTES == TIM_COMP &&
	    (s->timers[n].conf & TIM_PERIODIC) && !(s->timers[n].conf & TIM_VAL_SET))
		return s->timers[n].period;
	return read_register(s, offset);
}

static void hpet_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct hpet *s = opaque;
	uint64_t reg = HPET_REGISTER(offset);
	int64_t now = now_ns(s);

	if (size < 4)
		return;
	sync_timers(s, now);
	if (size == 4 && (offset & 4))
		value = value << 32 | (other_half(s, reg) & UINT32_MAX);
	else if (size == 4)
		value = (value & UINT32_MAX) | (other_half(s, reg) & ~(uint64_t)UINT32_MAX);
	write_register(s, reg, value, now);
	hpet_on_timer(s);
}

static const struct region_ops hpet_ops = {
	.read = hpet_read, .write = hpet_write, .min_size = 4, .max_size = 8};

/* ---- life ---- */

static void hpet_reset(struct device *dev)
{
	struct hpet *s = container_of(dev, struct hpet, dev);

	s->gen_conf = s->gintr_sta = 0;
	set_count(s, 0, now_ns(s));
	for (unsigned n = 0; n < HPET_MAX_TIMERS; n++) {
		struct hpet_timer *t = &s->timers[n];

		t->conf = t->period = t->fsb = t->matched = 0;
		t->comp = UINT64_MAX;
		t->earliest_ns = 0;
		update_line(s, n);
	}
	timer_cancel(&s->timer);
	replace_legacy(s);
}

static bool hpet_post_load(void *opaque, struct error *err)
{
	struct hpet *s = opaque;

	if (s->base_ns < 0 || s->base_ns > now_ns(s))
		return error_set(err, "hpet: saved time is not possible");
	s->gen_conf &= GEN_CONF_WRITABLE;
	s->gintr_sta &= BIT64(s->n_timers) - 1;
	for (unsigned n = 0; n < HPET_MAX_TIMERS; n++) {
		struct hpet_timer *t = &s->timers[n];

		t->conf &= TIM_WRITABLE | (s->msi ? TIM_FSB_EN : 0);
		t->comp &= width_mask(t);
		t->period &= width_mask(t);
		t->matched = t->matched != 0;
		t->earliest_ns = 0;
		update_line(s, n);
	}
	replace_legacy(s);
	arm(s, now_ns(s));
	return true;
}

static const struct state_desc hpet_timer_state = {
	.name = "hpet_timer",
	.version = 1,
	STATE_SPAN(hpet_timer),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(hpet_timer, conf),
			STATE_FIELD(hpet_timer, comp),
			STATE_FIELD(hpet_timer, period),
			STATE_FIELD(hpet_timer, fsb),
			STATE_FIELD(hpet_timer, matched),
			STATE_END,
		},
};

static const struct state_desc hpet_state = {
	.name = "hpet",
	.version = 1,
	STATE_SPAN(hpet),
	.post_load = hpet_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(hpet, gen_conf),
			STATE_FIELD(hpet, gintr_sta),
			STATE_FIELD(hpet, count),
			STATE_FIELD(hpet, base_ns),
			STATE_STRUCT_ARRAY(hpet, timers, hpet_timer_state),
			STATE_END,
		},
};

static const struct device_prop hpet_props[] = {
	DEFINE_PROP(hpet, n_timers, "timers", PROP_U8, HPET_MIN_TIMERS, "how many, 3 to 32"),
	DEFINE_PROP(hpet, msi, "msi", PROP_BOOL, 0, "timers may send messages (FSB)"),
	DEFINE_PROP(hpet, intcap, "hpet-intcap", PROP_U32, BIT(GSI_CASCADE),
		    "pins of the IOAPIC that timers may be routed to, a bit each"),
	DEFINE_PROP_END,
};

void hpet_wire(struct device *dev, struct device *pit, struct device *rtc)
{
	struct hpet *s = container_of(dev, struct hpet, dev);

	s->pit = pit;
	s->rtc = rtc;
}

static bool hpet_realize(struct device *dev, struct error *err)
{
	struct hpet *s = container_of(dev, struct hpet, dev);
	struct machine *m = dev->machine;

	if (s->n_timers < HPET_MIN_TIMERS || s->n_timers > HPET_MAX_TIMERS)
		return error_set(err, "hpet: timers=%u: there are %u to %u", s->n_timers,
				 HPET_MIN_TIMERS, HPET_MAX_TIMERS);
	timer_init(&s->timer, m->clock, "hpet", hpet_on_timer, s);
	region_init_io(&s->block, "hpet", &hpet_ops, s, HPET_BYTES);
	region_add(&m->mem.root, HPET_BASE, &s->block, 0);
	return true;
}

static void hpet_unrealize(struct device *dev)
{
	struct hpet *s = container_of(dev, struct hpet, dev);

	timer_cancel(&s->timer);
	region_remove(&s->block);
	for (unsigned n = 0; n < HPET_MAX_TIMERS; n++) {
		irq_lower(&s->timers[n].irq);
		s->timers[n].irq.fn = NULL;
	}
}

const struct device_type hpet_type = {
	.name = "hpet",
	.desc = "high precision event timers",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct hpet),
	.props = hpet_props,
	.state = &hpet_state,
	.realize = hpet_realize,
	.reset = hpet_reset,
	.unrealize = hpet_unrealize,
};
