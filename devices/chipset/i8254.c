/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's 8254 interval timer, and the port that goes with its counter 2.
 *
 * Intel 8254 data sheet (order 231164-005); 82371SB PIIX3 data sheet
 * (290550-002), "NMISC".
 *
 *	port	name		access	reset	section
 *	040-042	counter 0-2	RW	-	231164 "Write operations", "Read operations"
 *	043	control word	W	-	231164 "Control word format"; and commands
 *	061	NMISC		RW	00	290550 "NMISC": 0 GATE2, 1 speaker data,
 *						2 and 3 NMI masks, 4 refresh toggle, 5 OUT2;
 *						6 and 7 NMI sources, always 0
 *
 * CLK is 1.193182 MHz for all three. GATE0 and GATE1 are tied high; OUT0 is IRQ 0, OUT1 was the
 * DRAM refresh. Nothing counts by itself: what a counter holds is computed from the guest clock
 * when it is asked for, and a timer runs only while an edge of OUT0 is to come.
 *
 * Not modelled: the CLK pulse that passes between writing a count and its loading; a new count in
 * mode 3 takes over at the end of the whole cycle, not of the half; the speaker's sound.
 * Deviates because: after a reset counter 0 counts in mode 3 from 65536, which is how a PC's
 * firmware leaves it for kernels; those that are started without firmware find the same. The low
 * pulse of one CLK in modes 2, 4 and 5 is an instant. OUT0's edges are never made closer than 50 us
 * apart, lest a guest that writes a tiny count keep the host busy.
 */
#include "devices/chipset/chipset.h"
#include "devices/chipset/hpet.h"
#include "devices/isa.h"
#include "src/irqchip.h"

#define I8254_HZ	  CHIP_PIT_HZ
#define I8254_PORT	  0x40
#define I8254_PORT_NMISC  0x61
#define I8254_COUNTERS	  CHIP_PIT_COUNTERS
#define I8254_IRQ	  0
#define I8254_MIN_EDGE_NS (50 * NS_PER_US)
#define I8254_REFRESH_NS  15085 /* DRAM refresh request, 18 CLKs */
#define I8254_NEVER	  INT64_MAX

#define I8254_REG_CONTROL 3

/* Control word */
#define CW_BCD		  0x01
#define CW_MODE_SHIFT	  1
#define CW_MODE		  0x07
#define CW_RW_SHIFT	  4
#define CW_RW		  0x03
#define CW_SC_SHIFT	  6
#define CW_READ_BACK	  3    /* of the SC field */
#define READ_BACK_COUNT	  0x20 /* low: latch count */
#define READ_BACK_STATUS  0x10 /* low: latch status */
#define STATUS_OUT	  0x80
#define STATUS_NULL_COUNT 0x40

#define NMISC_GATE2    0x01
#define NMISC_SPEAKER  0x02
#define NMISC_WRITABLE 0x0f
#define NMISC_REFRESH  0x10
#define NMISC_OUT2     0x20

struct i8254 {
	struct device dev;

	/* configuration */
	struct region ports, nmisc_port;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct chip_counter counter[I8254_COUNTERS];
	uint8_t nmisc; /* the writable bits */
	GUEST_VISIBLE_END;

	/* host side */
	int64_t out0_ns; /* OUT0's edges up to here have been passed on */
	bool replaced;	 /* the HPET has taken over its interrupt */
	struct irq irq;
	struct timer timer;
};

/* Helpers: time */

static uint64_t clks_of_ns(int64_t ns)
{
	return ns <= 0 ? 0 : muldiv64(ns, I8254_HZ, NS_PER_SEC);
}

/* Rounded up: at that time the CLK has been counted. */
static int64_t ns_of_clks(uint64_t clks)
{
	return (int64_t)(((unsigned __int128)clks * NS_PER_SEC + I8254_HZ - 1) / I8254_HZ);
}

static bool counter_is_periodic(const struct chip_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Does a low GATE stop counting? In modes 1 and 5 it does nothing; its rising edge starts. */
static bool counter_gate_level(const struct chip_counter *c)
{
	return c->mode != 1 && c->mode != 5;
}

static uint64_t counter_elapsed_clks(const struct chip_counter *c, int64_t now)
{
	if (counter_gate_level(c) && !c->gate)
		return c->held_clks;
	return c->held_clks + clks_of_ns(now - c->start_ns);
}

/*
 * Modes 2, 3: lets a count written meanwhile take over once the cycle that was running has ended.
 */
static void counter_settle(struct chip_counter *c, int64_t now)
{
	if (!counter_is_periodic(c) || !c->next_count || !c->running || !c->gate ||
	    counter_elapsed_clks(c, now) < c->count)
		return;
	c->start_ns += ns_of_clks(c->count);
	c->count = c->next_count;
	c->next_count = 0;
	c->null_count = 0;
}

/* Helpers: what CE and OUT are */

/* Mode 3 counts by two; an odd count is high for one CLK more than low (231164 "Mode 3"). */
static uint32_t counter_square_value(const struct chip_counter *c, uint32_t phase)
{
	uint32_t high_clks = (c->count + 1) / 2;
	uint32_t in_half = phase < high_clks ? phase : phase - high_clks;

	return (c->count & ~1u) - 2 * in_half;
}

static uint32_t counter_value(const struct chip_counter *c, int64_t now)
{
	uint64_t clks = counter_elapsed_clks(c, now);
	uint32_t range = chip_counter_range(c);

	if (!c->running)
		return c->count % range;
	if (c->mode == 2)
		return (c->count - clks % c->count) % range;
	if (c->mode == 3)
		return counter_square_value(c, clks % c->count) % range;
	/* The others run on past zero. */
	return (c->count + range - clks % range) % range;
}

static bool counter_out(const struct chip_counter *c, int64_t now)
{
	uint64_t clks = counter_elapsed_clks(c, now);

	if (!c->running)
		return c->mode != 0;
	switch (c->mode) {
	case 0:
	case 1:
		return clks >= c->count;
	case 2:
		return !c->gate || clks % c->count != c->count - 1;
	case 3:
		return !c->gate || clks % c->count < (c->count + 1) / 2;
	default:
		return clks != c->count;
	}
}

/* OUT0 to IRQ 0 */

/*
 * CLKs after start_ns at which OUT has its last rising edge up to CLKS; false when there was none.
 */
static bool counter_last_rise(const struct chip_counter *c, uint64_t clks, uint64_t *rise)
{
	switch (c->mode) {
	case 0:
	case 1:
		*rise = c->count;
		break;
	case 2:
	case 3:
		*rise = clks - clks % c->count;
		break;
	default:
		*rise = (uint64_t)c->count + 1;
		break;
	}
	return *rise <= clks;
}

/* Guest time of the first edge of OUT after NOW that matters to IRQ 0. */
static int64_t counter_next_edge_ns(const struct chip_counter *c, int64_t now)
{
	uint64_t clks = counter_elapsed_clks(c, now);
	uint64_t high_clks = (c->count + 1) / 2;
	uint64_t phase, edge;

	if (!c->running || (counter_gate_level(c) && !c->gate))
		return I8254_NEVER;
	switch (c->mode) {
	case 0:
	case 1:
		edge = c->count;
		break;
	case 2:
		edge = clks - clks % c->count + c->count;
		break;
	case 3:
		phase = clks % c->count;
		edge = clks - phase + (phase < high_clks && c->count > 1 ? high_clks : c->count);
		break;
	default:
		edge = (uint64_t)c->count + 1;
		break;
	}
	return edge <= clks ? I8254_NEVER : c->start_ns + ns_of_clks(edge - c->held_clks);
}

static void i8254_arm(struct i8254 *s, int64_t now)
{
	int64_t edge = counter_next_edge_ns(&s->counter[0], now);

	if (edge == I8254_NEVER)
		timer_cancel(&s->timer);
	else
		timer_arm(&s->timer, edge);
}

static void i8254_set_line(struct i8254 *s, bool level)
{
	irq_set(&s->irq, level && !s->replaced);
}

/* Passes on what OUT0 did since the last time; edges that the host was late for become one. */
static void i8254_on_timer(void *opaque)
{
	struct i8254 *s = opaque;
	struct chip_counter *c = &s->counter[0];
	int64_t now = clock_now_ns(s->dev.machine->clock);
	int64_t next;
	uint64_t rise;

	if (c->running && counter_last_rise(c, counter_elapsed_clks(c, now), &rise) &&
	    c->start_ns + ns_of_clks(rise - c->held_clks) > s->out0_ns) {
		i8254_set_line(s, false);
		i8254_set_line(s, true);
	}
	counter_settle(c, now);
	i8254_set_line(s, counter_out(c, now));
	s->out0_ns = now;
	next = counter_next_edge_ns(c, now);
	if (next != I8254_NEVER)
		timer_arm(&s->timer, MAX(next, now + I8254_MIN_EDGE_NS));
}

/* A counter was programmed or gated: OUT may have moved. */
static void i8254_changed(struct i8254 *s, struct chip_counter *c, int64_t now)
{
	if (c != &s->counter[0])
		return;
	i8254_set_line(s, counter_out(c, now));
	s->out0_ns = now;
	i8254_arm(s, now);
}

void i8254_set_replaced(struct device *dev, bool replaced)
{
	struct i8254 *s = container_of(dev, struct i8254, dev);

	s->replaced = replaced;
	i8254_changed(s, &s->counter[0], clock_now_ns(dev->machine->clock));
}

/* Reads */

static void counter_latch_count(struct chip_counter *c, int64_t now)
{
	if (c->latch_bytes)
		return; /* the first latch holds until it is read */
	c->latched = chip_counter_encode(c, counter_value(c, now));
	c->latch_bytes = c->rw == PIT_RW_BOTH ? 2 : 1;
}

static void counter_latch_status(struct chip_counter *c, int64_t now)
{
	if (c->status_latched)
		return;
	c->status = (counter_out(c, now) ? STATUS_OUT : 0) |
		    (c->null_count ? STATUS_NULL_COUNT : 0) | c->rw << CW_RW_SHIFT |
		    c->mode << CW_MODE_SHIFT | c->bcd;
	c->status_latched = 1;
}

static uint8_t counter_read(struct chip_counter *c, int64_t now)
{
	uint16_t value;

	counter_settle(c, now);
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->latch_bytes) {
		bool msb = c->rw == PIT_RW_MSB || (c->rw == PIT_RW_BOTH && c->latch_bytes == 1);

		c->latch_bytes--;
		return msb ? c->latched >> 8 : c->latched;
	}
	value = chip_counter_encode(c, counter_value(c, now));
	if (c->rw == PIT_RW_LSB)
		return value;
	if (c->rw == PIT_RW_MSB)
		return value >> 8;
	c->read_msb = !c->read_msb;
	return c->read_msb ? value : value >> 8;
}

static uint64_t i8254_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8254 *s = opaque;

	if (offset == I8254_REG_CONTROL)
		return 0xff;
	return counter_read(&s->counter[offset], clock_now_ns(s->dev.machine->clock));
}

/* Writes */

static void counter_load(struct chip_counter *c, uint16_t cr, int64_t now)
{
	uint32_t count = chip_counter_decode(c, cr);

	counter_settle(c, now);
	if (counter_is_periodic(c) && c->running) {
		c->next_count = count;
		c->null_count = 1;
		if (c->gate)
			return;
	}
	if (!counter_gate_level(c)) {
		/* Counting goes on as it was; the trigger will load the new count. */
		c->next_count = count;
		c->null_count = 1;
		return;
	}
	c->count = count;
	c->next_count = 0;
	c->null_count = 0;
	c->running = 1;
	c->held_clks = 0;
	c->start_ns = now;
}

static void counter_write(struct chip_counter *c, uint8_t value, int64_t now)
{
	switch (c->rw) {
	case PIT_RW_LSB:
		counter_load(c, value, now);
		break;
	case PIT_RW_MSB:
		counter_load(c, (uint16_t)(value << 8), now);
		break;
	default:
		if (!c->lsb_written) {
			c->write_lsb = value;
			c->lsb_written = 1;
			/* Mode 0: the first byte stops the count (231164 "Mode 0"). */
			if (c->mode == 0)
				c->running = 0;
			break;
		}
		c->lsb_written = 0;
		counter_load(c, (uint16_t)(value << 8 | c->write_lsb), now);
		break;
	}
}

static void counter_program(struct chip_counter *c, uint8_t control)
{
	uint8_t mode = control >> CW_MODE_SHIFT & CW_MODE;

	c->mode = mode > 5 ? mode & 3 : mode; /* the top bit is not looked at in modes 2 and 3 */
	c->bcd = control & CW_BCD;
	c->rw = control >> CW_RW_SHIFT & CW_RW;
	c->lsb_written = 0;
	c->read_msb = 0;
	c->latch_bytes = 0;
	c->status_latched = 0;
	c->null_count = 1;
	c->running = 0;
	c->held_clks = 0;
	c->next_count = 0;
	/* The old count stands until one is written; the new base must be able to show it. */
	c->count = MIN(c->count, chip_counter_range(c));
}

static void i8254_read_back(struct i8254 *s, uint8_t command, int64_t now)
{
	for (unsigned i = 0; i < I8254_COUNTERS; i++) {
		struct chip_counter *c = &s->counter[i];

		if (!(command & BIT(i + 1)))
			continue;
		counter_settle(c, now);
		if (!(command & READ_BACK_COUNT))
			counter_latch_count(c, now);
		if (!(command & READ_BACK_STATUS))
			counter_latch_status(c, now);
	}
}

static void i8254_write_control(struct i8254 *s, uint8_t value, int64_t now)
{
	unsigned select = value >> CW_SC_SHIFT;
	struct chip_counter *c;

	if (select == CW_READ_BACK) {
		i8254_read_back(s, value, now);
		return;
	}
	c = &s->counter[select];
	counter_settle(c, now);
	if ((value >> CW_RW_SHIFT & CW_RW) == PIT_RW_LATCH) {
		counter_latch_count(c, now);
		return;
	}
	counter_program(c, value);
	i8254_changed(s, c, now);
}

static void i8254_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8254 *s = opaque;
	int64_t now = clock_now_ns(s->dev.machine->clock);

	if (offset == I8254_REG_CONTROL) {
		i8254_write_control(s, value, now);
		return;
	}
	counter_write(&s->counter[offset], value, now);
	i8254_changed(s, &s->counter[offset], now);
}

static void counter_set_gate(struct chip_counter *c, bool gate, int64_t now)
{
	if (gate == c->gate)
		return;
	counter_settle(c, now);
	if (!gate) {
		if (counter_gate_level(c) && c->running)
			c->held_clks = counter_elapsed_clks(c, now);
		c->gate = 0;
		return;
	}
	c->gate = 1;
	if (counter_gate_level(c) && !counter_is_periodic(c)) {
		c->start_ns = now; /* modes 0 and 4 go on where they were */
		return;
	}
	/*
	 * The rising edge loads the count and starts: a trigger in modes 1 and 5, a synchronization
	 * in 2 and 3.
	 */
	if (counter_is_periodic(c) && !c->running)
		return;
	if (c->next_count)
		c->count = c->next_count;
	c->next_count = 0;
	c->null_count = 0;
	c->held_clks = 0;
	c->start_ns = now;
	c->running = 1;
}

static uint64_t nmisc_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8254 *s = opaque;
	struct chip_counter *c = &s->counter[2];
	int64_t now = clock_now_ns(s->dev.machine->clock);

	counter_settle(c, now);
	return s->nmisc | (counter_out(c, now) ? NMISC_OUT2 : 0) |
	       (now / I8254_REFRESH_NS & 1 ? NMISC_REFRESH : 0);
}

static void nmisc_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8254 *s = opaque;

	s->nmisc = value & NMISC_WRITABLE;
	counter_set_gate(&s->counter[2], value & NMISC_GATE2, clock_now_ns(s->dev.machine->clock));
}

static const struct region_ops i8254_ops = {
	.read = i8254_read, .write = i8254_write, .min_size = 1, .max_size = 1};
static const struct region_ops nmisc_ops = {
	.read = nmisc_read, .write = nmisc_write, .min_size = 1, .max_size = 1};

static void i8254_reset(struct device *dev)
{
	struct i8254 *s = container_of(dev, struct i8254, dev);
	int64_t now = clock_now_ns(dev->machine->clock);

	chip_counters_reset(s->counter, now);
	s->nmisc = 0;
	i8254_changed(s, &s->counter[0], now);
}

static bool i8254_post_load(void *opaque, struct error *err)
{
	struct i8254 *s = opaque;
	int64_t now = clock_now_ns(s->dev.machine->clock);

	if (!chip_counters_check(s->counter, now, s->dev.type->name, err))
		return false;
	i8254_changed(s, &s->counter[0], now);
	return true;
}

static const struct state_desc i8254_state = {
	.name = "i8254",
	.version = 1,
	STATE_SPAN(i8254),
	.post_load = i8254_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(i8254, counter, chip_counter_state),
			STATE_FIELD(i8254, nmisc),
			STATE_END,
		},
};

static const struct device_prop i8254_props[] = {
	DEFINE_PROP_END,
};

static bool i8254_realize(struct device *dev, struct error *err)
{
	struct i8254 *s = container_of(dev, struct i8254, dev);

	region_init_io(&s->ports, "i8254", &i8254_ops, s, 4);
	region_init_io(&s->nmisc_port, "i8254-nmisc", &nmisc_ops, s, 1);
	timer_init(&s->timer, dev->machine->clock, "i8254", i8254_on_timer, s);
	return isa_connect_irq(dev, &s->irq, I8254_IRQ, err) &&
	       isa_add_ports(dev, &s->ports, I8254_PORT, err) &&
	       isa_add_ports(dev, &s->nmisc_port, I8254_PORT_NMISC, err);
}

static void i8254_unrealize(struct device *dev)
{
	struct i8254 *s = container_of(dev, struct i8254, dev);

	timer_cancel(&s->timer);
	isa_disconnect_irq(&s->irq);
	region_remove(&s->ports);
	region_remove(&s->nmisc_port);
}

const struct device_type i8254_type = {
	.name = "isa-pit",
	.desc = "8254 interval timer and port 61h",
	.bus = BUS_ISA,
	.size = sizeof(struct i8254),
	.props = i8254_props,
	.state = &i8254_state,
	.realize = i8254_realize,
	.reset = i8254_reset,
	.unrealize = i8254_unrealize,
};
