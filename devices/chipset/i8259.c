/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's two 8259A interrupt controllers, with the ELCR registers that came with EISA.
 *
 * Intel 8259A data sheet (order 231468-003), "Programming the 8259A"; 82371SB PIIX3 (290550-002)
 * "ELCR1, ELCR2".
 *
 *	port	name	access	reset	section
 *	020/0a0	ICW1	W	-	231468 "ICW1" (bit 4 set)
 *	020/0a0	OCW2	W	-	231468 "OCW2" (bits 4, 3 = 00)
 *	020/0a0	OCW3	W	-	231468 "OCW3" (bits 4, 3 = 01)
 *	020/0a0	IRR/ISR	R	00	231468 "Reading the 8259A status", or the poll byte
 *	021/0a1	ICW2-4	W	-	231468 "ICW2" and following, after ICW1
 *	021/0a1	IMR	RW	00	231468 "OCW1"
 *	4d0/4d1	ELCR	RW	00	290550 "ELCR"; bits of IRQ 0, 1, 2, 8 and 13 are fixed at 0
 *
 * Not modelled: MCS-80/85 mode; the buffered-mode pins; LTIM (ELCR decides, as in PIIX3).
 * Deviates because: a request in edge mode stays latched when its line falls before the
 * acknowledge. A virtual processor acknowledges much later than a real one, and guests would count
 * spurious IRQ 7s (Linux logs them).
 */
#include <stdio.h>
#include "devices/chipset/chipset.h"
#include "devices/isa.h"
#include "src/log.h"

#define I8259_PORT_MASTER 0x20
#define I8259_PORT_SLAVE  0xa0
#define I8259_PORT_ELCR	  0x4d0

/* A0 = 0 */
#define I8259_REG_CMD 0
/* A0 = 1 */
#define I8259_REG_DATA 1

#define ICW1_IC4     0x01
#define ICW1_SNGL    0x02
#define ICW1_SELECT  0x10
#define ICW2_VECTORS 0xf8
#define ICW4_AEOI    0x02
#define ICW4_SFNM    0x10

#define OCW3_SELECT 0x08
#define OCW3_RIS    0x01
#define OCW3_RR	    0x02
#define OCW3_POLL   0x04
#define OCW3_SMM    0x20
#define OCW3_ESMM   0x40
#define OCW2_LEVEL  0x07

/* OCW2 bits 7-5: R, SL, EOI */
enum ocw2_command {
	OCW2_ROTATE_AEOI_CLEAR = 0,
	OCW2_EOI = 1,
	OCW2_NOP = 2,
	OCW2_SPECIFIC_EOI = 3,
	OCW2_ROTATE_AEOI_SET = 4,
	OCW2_ROTATE_EOI = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_ROTATE_SPECIFIC_EOI = 7,
};

#define POLL_INTERRUPT 0x80

#define I8259_CASCADE	   2
#define I8259_SPURIOUS	   7
#define I8259_NONE	   -1
#define I8259_ELCR_MASTER  0xf8
#define I8259_ELCR_SLAVE   0xde
#define I8259_IRQS_PER_PIC 8

/* Which initialization word the data port waits for. */
enum { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4 };

struct pic {
	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t irr, imr, isr;
	uint8_t lines; /* levels of IR0-IR7 */
	uint8_t elcr;
	uint8_t lowest; /* the input with the lowest priority: 7, or as rotated */
	uint8_t vector_base;
	uint8_t icw3;
	uint8_t init_step;
	bool init_has_icw4;
	bool single;
	bool auto_eoi, rotate_on_auto_eoi;
	bool special_fully_nested;
	bool special_mask;
	bool read_isr; /* what OCW3 chose for A0 = 0 */
	bool poll;     /* the next read is a poll */
	GUEST_VISIBLE_END;
};

struct i8259 {
	struct device dev;

	/* configuration */
	struct region ports[2], elcr;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct pic pic[2]; /* master, slave */
	GUEST_VISIBLE_END;

	/* host side */
	struct irq intr; /* the master's INT pin */
	uint64_t raised[2 * I8259_IRQS_PER_PIC];
};

/*
 * The input in SET with the highest priority, as a distance from the highest; 8 when SET is empty.
 */
static unsigned pic_rank(const struct pic *p, uint8_t set)
{
	unsigned rank = 0;

	while (rank < I8259_IRQS_PER_PIC && !(set & BIT((p->lowest + 1 + rank) & 7)))
		rank++;
	return rank;
}

/* The input that INT asks service for, or I8259_NONE. */
static int pic_request(const struct pic *p, bool is_master)
{
	unsigned rank = pic_rank(p, p->irr & ~p->imr);
	uint8_t in_service = p->isr;

	if (rank == I8259_IRQS_PER_PIC)
		return I8259_NONE;
	/* Special mask mode: what is in service but masked holds nobody back. */
	if (p->special_mask)
		in_service &= (uint8_t)~p->imr;
	/*
	 * Special fully nested mode: the slave may ask again while it is in service at the master.
	 */
	if (p->special_fully_nested && is_master)
		in_service &= (uint8_t)~BIT(I8259_CASCADE);
	if (rank >= pic_rank(p, in_service))
		return I8259_NONE;
	return (p->lowest + 1 + rank) & 7;
}

static void pic_set_line(struct pic *p, unsigned n, bool level)
{
	uint8_t bit = BIT(n);
	bool rising = level && !(p->lines & bit);

	p->lines = level ? p->lines | bit : p->lines & ~bit;
	if (p->elcr & bit)
		p->irr = level ? p->irr | bit : p->irr & ~bit;
	else if (rising)
		p->irr |= bit;
}

static void i8259_update(struct i8259 *s)
{
	struct pic *master = &s->pic[0], *slave = &s->pic[1];
	bool slave_int = pic_request(slave, false) != I8259_NONE;

	/*
	 * As a level: the slave's INT drops for a moment at each acknowledge, and may ask again at
	 * once.
	 */
	pic_set_line(master, I8259_CASCADE, slave_int);
	if (slave_int)
		master->irr |= BIT(I8259_CASCADE);
	else
		master->irr &= (uint8_t)~BIT(I8259_CASCADE);
	irq_set(&s->intr, pic_request(master, true) != I8259_NONE);
}

void i8259_set_irq(void *opaque, unsigned n, bool level)
{
	struct i8259 *s = opaque;

	device_irq_input(&s->dev, n, level);
	s->raised[n] += level && !(s->pic[n / I8259_IRQS_PER_PIC].lines & BIT(n % 8));
	pic_set_line(&s->pic[n / I8259_IRQS_PER_PIC], n % I8259_IRQS_PER_PIC, level);
	i8259_update(s);
}

/* What the second INTA pulse does. */
static void pic_acknowledge(struct pic *p, unsigned n)
{
	if (!(p->elcr & BIT(n)))
		p->irr &= (uint8_t)~BIT(n);
	if (!p->auto_eoi)
		p->isr |= BIT(n);
	else if (p->rotate_on_auto_eoi)
		p->lowest = n;
}

/* One chip's answer; an acknowledge that finds no request gets IR7, which is not put in service. */
static unsigned pic_intack(struct pic *p, bool is_master)
{
	int n = pic_request(p, is_master);

	if (n == I8259_NONE)
		return I8259_SPURIOUS;
	pic_acknowledge(p, n);
	return n;
}

uint8_t i8259_intack(void *opaque)
{
	struct i8259 *s = opaque;
	struct pic *answering = &s->pic[0];
	bool cascaded = pic_request(answering, true) == I8259_CASCADE;
	unsigned n = pic_intack(answering, true);

	if (cascaded) {
		answering = &s->pic[1];
		n = pic_intack(answering, false);
	}
	i8259_update(s);
	return answering->vector_base | n;
}

struct irq *i8259_intr(struct device *dev)
{
	return &container_of(dev, struct i8259, dev)->intr;
}

/* Reads */

static uint64_t i8259_read(struct i8259 *s, struct pic *p, uint64_t offset)
{
	bool is_master = p == &s->pic[0];
	uint8_t value;

	if (p->poll) {
		int n = pic_request(p, is_master);

		p->poll = 0;
		value = n == I8259_NONE ? 0 : POLL_INTERRUPT | n;
		if (n != I8259_NONE) {
			pic_acknowledge(p, n);
			i8259_update(s);
		}
		return value;
	}
	if (offset == I8259_REG_DATA)
		return p->imr;
	return p->read_isr ? p->isr : p->irr;
}

/* Writes */

/* The edge latches, IMR, ISR and the modes go; ELCR and the lines stay (231468 "ICW1", a to f). */
static void pic_write_icw1(struct pic *p, uint8_t value)
{
	p->irr = p->lines & p->elcr;
	p->imr = 0;
	p->isr = 0;
	p->lowest = 7;
	p->special_mask = 0;
	p->read_isr = 0;
	p->poll = 0;
	p->auto_eoi = 0;
	p->rotate_on_auto_eoi = 0;
	p->special_fully_nested = 0;
	p->single = !!(value & ICW1_SNGL);
	p->init_has_icw4 = !!(value & ICW1_IC4);
	p->init_step = INIT_ICW2;
}

static void pic_write_icw(struct pic *p, uint8_t value)
{
	switch (p->init_step) {
	case INIT_ICW2:
		p->vector_base = value & ICW2_VECTORS;
		p->init_step = !p->single ? INIT_ICW3 : p->init_has_icw4 ? INIT_ICW4 : INIT_DONE;
		break;
	case INIT_ICW3:
		p->icw3 = value;
		p->init_step = p->init_has_icw4 ? INIT_ICW4 : INIT_DONE;
		break;
	default:
		p->auto_eoi = !!(value & ICW4_AEOI);
		p->special_fully_nested = !!(value & ICW4_SFNM);
		p->init_step = INIT_DONE;
		break;
	}
}

static void pic_write_ocw2(struct pic *p, uint8_t value)
{
	enum ocw2_command command = value >> 5;
	unsigned level = value & OCW2_LEVEL;
	unsigned rank = pic_rank(p, p->isr);
	unsigned current = (p->lowest + 1 + rank) & 7;

	switch (command) {
	case OCW2_ROTATE_AEOI_CLEAR:
	case OCW2_ROTATE_AEOI_SET:
		p->rotate_on_auto_eoi = command == OCW2_ROTATE_AEOI_SET;
		break;
	case OCW2_EOI:
	case OCW2_ROTATE_EOI:
		if (rank == I8259_IRQS_PER_PIC)
			break;
		p->isr &= (uint8_t)~BIT(current);
		if (command == OCW2_ROTATE_EOI)
			p->lowest = current;
		break;
	case OCW2_SPECIFIC_EOI:
		p->isr &= (uint8_t)~BIT(level);
		break;
	case OCW2_ROTATE_SPECIFIC_EOI:
		p->isr &= (uint8_t)~BIT(level);
		p->lowest = level;
		break;
	case OCW2_SET_PRIORITY:
		p->lowest = level;
		break;
	case OCW2_NOP:
		break;
	}
}

static void pic_write_ocw3(struct pic *p, uint8_t value)
{
	if (value & OCW3_POLL)
		p->poll = 1;
	if (value & OCW3_RR)
		p->read_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		p->special_mask = !!(value & OCW3_SMM);
}

static void i8259_write(struct i8259 *s, struct pic *p, uint64_t offset, uint8_t value)
{
	if (offset == I8259_REG_CMD) {
		if (value & ICW1_SELECT)
			pic_write_icw1(p, value);
		else if (value & OCW3_SELECT)
			pic_write_ocw3(p, value);
		else
			pic_write_ocw2(p, value);
	} else if (p->init_step != INIT_DONE) {
		pic_write_icw(p, value);
	} else {
		p->imr = value;
	}
	i8259_update(s);
}

static uint64_t master_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8259 *s = opaque;

	return i8259_read(s, &s->pic[0], offset);
}

static void master_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8259 *s = opaque;

	i8259_write(s, &s->pic[0], offset, value);
}

static uint64_t slave_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8259 *s = opaque;

	return i8259_read(s, &s->pic[1], offset);
}

static void slave_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8259 *s = opaque;

	i8259_write(s, &s->pic[1], offset, value);
}

static uint64_t elcr_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8259 *s = opaque;

	return s->pic[offset].elcr;
}

/* An input that becomes level-triggered requests for as long as its line is up. */
static void elcr_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8259 *s = opaque;
	struct pic *p = &s->pic[offset];

	p->elcr = value & (offset ? I8259_ELCR_SLAVE : I8259_ELCR_MASTER);
	p->irr = (p->irr & ~p->elcr) | (p->lines & p->elcr);
	i8259_update(s);
}

static const struct region_ops master_ops = {
	.read = master_read, .write = master_write, .min_size = 1, .max_size = 1};
static const struct region_ops slave_ops = {
	.read = slave_read, .write = slave_write, .min_size = 1, .max_size = 1};
static const struct region_ops elcr_ops = {
	.read = elcr_read, .write = elcr_write, .min_size = 1, .max_size = 1};

/* The lines are the devices', who lower them in their own resets. */
static void i8259_reset(struct device *dev)
{
	struct i8259 *s = container_of(dev, struct i8259, dev);

	for (unsigned i = 0; i < ARRAY_SIZE(s->pic); i++) {
		uint8_t lines = s->pic[i].lines;

		s->pic[i] = (struct pic){.lines = lines, .lowest = 7};
	}
	i8259_update(s);
}

static bool i8259_post_load(void *opaque, struct error *err)
{
	struct i8259 *s = opaque;

	for (unsigned i = 0; i < ARRAY_SIZE(s->pic); i++) {
		struct pic *p = &s->pic[i];

		if (p->lowest > OCW2_LEVEL || p->init_step > INIT_ICW4 ||
		    (p->vector_base & ~ICW2_VECTORS))
			return error_set(err, "%s: saved state of chip %u is not possible",
					 s->dev.type->name, i);
		p->elcr &= i ? I8259_ELCR_SLAVE : I8259_ELCR_MASTER;
	}
	i8259_update(s);
	return true;
}

static const struct state_desc pic_state = {
	.name = "pic",
	.version = 1,
	STATE_SPAN(pic),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(pic, irr),
			STATE_FIELD(pic, imr),
			STATE_FIELD(pic, isr),
			STATE_FIELD(pic, lines),
			STATE_FIELD(pic, elcr),
			STATE_FIELD(pic, lowest),
			STATE_FIELD(pic, vector_base),
			STATE_FIELD(pic, icw3),
			STATE_FIELD(pic, init_step),
			STATE_FIELD(pic, init_has_icw4),
			STATE_FIELD(pic, single),
			STATE_FIELD(pic, auto_eoi),
			STATE_FIELD(pic, rotate_on_auto_eoi),
			STATE_FIELD(pic, special_fully_nested),
			STATE_FIELD(pic, special_mask),
			STATE_FIELD(pic, read_isr),
			STATE_FIELD(pic, poll),
			STATE_END,
		},
};

static const struct state_desc i8259_state = {
	.name = "i8259",
	.version = 1,
	STATE_SPAN(i8259),
	.post_load = i8259_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(i8259, pic, pic_state),
			STATE_END,
		},
};

static const struct device_prop i8259_props[] = {
	DEFINE_PROP_END,
};

static bool i8259_realize(struct device *dev, struct error *err)
{
	struct i8259 *s = container_of(dev, struct i8259, dev);

	region_init_io(&s->ports[0], "i8259-master", &master_ops, s, 2);
	region_init_io(&s->ports[1], "i8259-slave", &slave_ops, s, 2);
	region_init_io(&s->elcr, "i8259-elcr", &elcr_ops, s, 2);
	return isa_add_ports(dev, &s->ports[0], I8259_PORT_MASTER, err) &&
	       isa_add_ports(dev, &s->ports[1], I8259_PORT_SLAVE, err) &&
	       isa_add_ports(dev, &s->elcr, I8259_PORT_ELCR, err);
}

static void i8259_unrealize(struct device *dev)
{
	struct i8259 *s = container_of(dev, struct i8259, dev);

	region_remove(&s->ports[0]);
	region_remove(&s->ports[1]);
	region_remove(&s->elcr);
}

/* Monitor */

static void i8259_print(const struct device *dev, FILE *out)
{
	const struct i8259 *s = container_of(dev, struct i8259, dev);

	for (unsigned i = 0; i < ARRAY_SIZE(s->pic); i++) {
		const struct pic *p = &s->pic[i];

		fprintf(out,
			"pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u elcr=%02x "
			"fnm=%u\n",
			i, p->irr, p->imr, p->isr, (p->lowest + 1) & 7, p->vector_base, p->read_isr,
			p->elcr, p->special_fully_nested);
	}
}

static const uint64_t *i8259_counts(const struct device *dev, unsigned *n)
{
	*n = 2 * I8259_IRQS_PER_PIC;
	return container_of(dev, struct i8259, dev)->raised;
}

const struct device_type i8259_type = {
	.name = "isa-i8259",
	.desc = "8259A interrupt controllers",
	.bus = BUS_ISA,
	.size = sizeof(struct i8259),
	.props = i8259_props,
	.state = &i8259_state,
	.realize = i8259_realize,
	.reset = i8259_reset,
	.unrealize = i8259_unrealize,
	.print_pic = i8259_print,
	.irq_counts = i8259_counts,
};
