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
#include "src/irqchip.h"
#include "src/irqfd.h"
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

struct i8259 {
	struct device dev;

	/* configuration */
	struct region ports[2], elcr;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct chip_pic pic[2]; /* master, slave */
	GUEST_VISIBLE_END;

	/* host side */
	struct irq intr; /* the master's INT pin */
	uint64_t raised[2 * I8259_IRQS_PER_PIC];
};

/*
 * The input in SET with the highest priority, as a distance from the highest; 8 when SET is empty.
 */
static unsigned pic_rank(const struct chip_pic *p, uint8_t set)
{
	unsigned rank = 0;

	while (rank < I8259_IRQS_PER_PIC && !(set & BIT((p->lowest + 1 + rank) & 7)))
		rank++;
	return rank;
}

/* The input that INT asks service for, or I8259_NONE. */
static int pic_request(const struct chip_pic *p, bool is_master)
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

static void pic_set_line(struct chip_pic *p, unsigned n, bool level)
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
	struct chip_pic *master = &s->pic[0], *slave = &s->pic[1];
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
static void pic_acknowledge(struct chip_pic *p, unsigned n)
{
	if (!(p->elcr & BIT(n)))
		p->irr &= (uint8_t)~BIT(n);
	if (!p->auto_eoi)
		p->isr |= BIT(n);
	else if (p->rotate_on_auto_eoi)
		p->lowest = n;
}

/* One chip's answer; an acknowledge that finds no request gets IR7, which is not put in service. */
static unsigned pic_intack(struct chip_pic *p, bool is_master)
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
	struct chip_pic *answering = &s->pic[0];
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

static uint64_t i8259_read(struct i8259 *s, struct chip_pic *p, uint64_t offset)
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
static void pic_write_icw1(struct chip_pic *p, uint8_t value)
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
	p->init_step = PIC_INIT_ICW2;
}

static void pic_write_icw(struct chip_pic *p, uint8_t value)
{
	switch (p->init_step) {
	case PIC_INIT_ICW2:
		p->vector_base = value & ICW2_VECTORS;
		p->init_step = !p->single	  ? PIC_INIT_ICW3
			       : p->init_has_icw4 ? PIC_INIT_ICW4
						  : PIC_INIT_DONE;
		break;
	case PIC_INIT_ICW3:
		p->icw3 = value;
		p->init_step = p->init_has_icw4 ? PIC_INIT_ICW4 : PIC_INIT_DONE;
		break;
	default:
		p->auto_eoi = !!(value & ICW4_AEOI);
		p->special_fully_nested = !!(value & ICW4_SFNM);
		p->init_step = PIC_INIT_DONE;
		break;
	}
}

static void pic_write_ocw2(struct chip_pic *p, uint8_t value)
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

static void pic_write_ocw3(struct chip_pic *p, uint8_t value)
{
	if (value & OCW3_POLL)
		p->poll = 1;
	if (value & OCW3_RR)
		p->read_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		p->special_mask = !!(value & OCW3_SMM);
}

/* Level-triggered ones are told of. */
static void i8259_ended(struct i8259 *s, const struct chip_pic *p, uint8_t inputs)
{
	unsigned first = p == &s->pic[1] ? I8259_IRQS_PER_PIC : 0;

	for (; inputs; inputs &= inputs - 1)
		irqfds_eoi(s->dev.machine, first + (unsigned)__builtin_ctz(inputs));
}

static void i8259_write(struct i8259 *s, struct chip_pic *p, uint64_t offset, uint8_t value)
{
	if (offset == I8259_REG_CMD) {
		uint8_t in_service = p->isr;

		if (value & ICW1_SELECT)
			pic_write_icw1(p, value);
		else if (value & OCW3_SELECT)
			pic_write_ocw3(p, value);
		else
			pic_write_ocw2(p, value);
		i8259_ended(s, p, in_service & ~p->isr & p->elcr);
	} else if (p->init_step != PIC_INIT_DONE) {
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
	struct chip_pic *p = &s->pic[offset];

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

static void i8259_reset(struct device *dev)
{
	struct i8259 *s = container_of(dev, struct i8259, dev);

	chip_pics_reset(s->pic);
	i8259_update(s);
}

static bool i8259_post_load(void *opaque, struct error *err)
{
	struct i8259 *s = opaque;

	if (!chip_pics_check(s->pic, s->dev.type->name, err))
		return false;
	i8259_update(s);
	return true;
}

static const struct state_desc i8259_state = {
	.name = "i8259",
	.version = 1,
	STATE_SPAN(i8259),
	.post_load = i8259_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(i8259, pic, chip_pic_state),
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
	chip_pics_print(container_of(dev, struct i8259, dev)->pic, out);
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
