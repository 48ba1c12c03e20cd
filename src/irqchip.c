/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of the 8259s, the IOAPIC and the 8254: save tables, what may be loaded, reset values, and how they are shown. */
#include "src/irqchip.h"

/* ---- 8259 (231468-003) ---- */

#define PIC_LOWEST_MAX	7
#define PIC_VECTORS	0xf8
#define PIC_ELCR_MASTER 0xf8
#define PIC_ELCR_SLAVE	0xde

const struct state_desc chip_pic_state = {
	.name = "pic",
	.version = 1,
	STATE_SPAN(chip_pic),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(chip_pic, irr),
			STATE_FIELD(chip_pic, imr),
			STATE_FIELD(chip_pic, isr),
			STATE_FIELD(chip_pic, lines),
			STATE_FIELD(chip_pic, elcr),
			STATE_FIELD(chip_pic, lowest),
			STATE_FIELD(chip_pic, vector_base),
			STATE_FIELD(chip_pic, icw3),
			STATE_FIELD(chip_pic, init_step),
			STATE_FIELD(chip_pic, init_has_icw4),
			STATE_FIELD(chip_pic, single),
			STATE_FIELD(chip_pic, auto_eoi),
			STATE_FIELD(chip_pic, rotate_on_auto_eoi),
			STATE_FIELD(chip_pic, special_fully_nested),
			STATE_FIELD(chip_pic, special_mask),
			STATE_FIELD(chip_pic, read_isr),
			STATE_FIELD(chip_pic, poll),
			STATE_END,
		},
};

bool chip_pics_check(struct chip_pic pic[2], const char *who, struct error *err)
{
	for (unsigned i = 0; i < 2; i++) {
		struct chip_pic *p = &pic[i];

		if (p->lowest > PIC_LOWEST_MAX || p->init_step > PIC_INIT_ICW4 ||
		    (p->vector_base & ~PIC_VECTORS))
			return error_set(err, "%s: saved state of chip %u is not possible", who, i);
		p->elcr &= i ? PIC_ELCR_SLAVE : PIC_ELCR_MASTER;
	}
	return true;
}

/* The lines are the devices', who lower them in their own resets. */
void chip_pics_reset(struct chip_pic pic[2])
{
	for (unsigned i = 0; i < 2; i++)
		pic[i] = (struct chip_pic){.lines = pic[i].lines, .lowest = PIC_LOWEST_MAX};
}

void chip_pics_print(const struct chip_pic pic[2], FILE *out)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct chip_pic *p = &pic[i];

		fprintf(out,
			"pic%u: irr=%02x imr=%02x isr=%02x hprio=%u irq_base=%02x rr_sel=%u elcr=%02x "
			"fnm=%u\n",
			i, p->irr, p->imr, p->isr, (p->lowest + 1) & 7, p->vector_base, p->read_isr,
			p->elcr, p->special_fully_nested);
	}
}

/* ---- IOAPIC (290566-001, 3.2.4) ---- */

void chip_ioapic_mend(struct chip_ioapic *c)
{
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++)
		c->redir[pin] &= ~(REDIR_RESERVED | REDIR_DELIVS);
	c->lines &= BIT(CHIP_IOAPIC_PINS) - 1;
	c->id &= IOAPICID_MASK;
}

void chip_ioapic_reset(struct chip_ioapic *c)
{
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++)
		c->redir[pin] = REDIR_MASK;
	c->ioregsel = 0;
	c->id = 0;
}

void chip_ioapic_print(const struct chip_ioapic *c, unsigned version, FILE *out)
{
	static const char *const modes[] = {"fixed", "lowest", "SMI", "...",
					    "NMI",   "INIT",   "...", "ExtINT"};

	fprintf(out, "ioapic: ver=0x%x id=0x%02x sel=0x%02x\n", version, c->id, c->ioregsel);
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++) {
		uint64_t entry = c->redir[pin];

		fprintf(out, "  pin %-2u 0x%016llx dest=%u vec=%-3u %s %-5s %s %s%s\n", pin,
			(unsigned long long)entry, (unsigned)(entry >> REDIR_DEST_SHIFT),
			(unsigned)(entry & REDIR_VECTOR),
			entry & REDIR_POLARITY ? "active-lo" : "active-hi",
			entry & REDIR_LEVEL ? "level" : "edge",
			entry & REDIR_DESTMOD ? "logical" : "physical",
			modes[entry >> REDIR_DELMOD_SHIFT & REDIR_DELMOD],
			entry & REDIR_MASK ? " masked" : "");
	}
	fprintf(out, "  IRR    0x%06x Remote IRR", c->lines);
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++)
		if (c->redir[pin] & REDIR_REMOTE_IRR)
			fprintf(out, " %u", pin);
	fprintf(out, "\n");
}

/* ---- 8254 (231164-005) ---- */

const struct state_desc chip_counter_state = {
	.name = "counter",
	.version = 1,
	STATE_SPAN(chip_counter),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(chip_counter, start_ns),
			STATE_FIELD(chip_counter, held_clks),
			STATE_FIELD(chip_counter, count),
			STATE_FIELD(chip_counter, next_count),
			STATE_FIELD(chip_counter, latched),
			STATE_FIELD(chip_counter, status),
			STATE_FIELD(chip_counter, mode),
			STATE_FIELD(chip_counter, bcd),
			STATE_FIELD(chip_counter, rw),
			STATE_FIELD(chip_counter, lsb_written),
			STATE_FIELD(chip_counter, write_lsb),
			STATE_FIELD(chip_counter, read_msb),
			STATE_FIELD(chip_counter, latch_bytes),
			STATE_FIELD(chip_counter, status_latched),
			STATE_FIELD(chip_counter, null_count),
			STATE_FIELD(chip_counter, running),
			STATE_FIELD(chip_counter, gate),
			STATE_END,
		},
};

uint16_t chip_counter_encode(const struct chip_counter *c, uint32_t value)
{
	if (!c->bcd)
		return (uint16_t)value;
	return (uint16_t)(value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 |
			  value / 1000 % 10 << 12);
}

uint32_t chip_counter_decode(const struct chip_counter *c, uint16_t cr)
{
	uint32_t value = cr;

	if (c->bcd)
		value = (cr & 15) + (cr >> 4 & 15) * 10 + (cr >> 8 & 15) * 100 + (cr >> 12) * 1000;
	/* Digits above nine can make more than there is; 0 is the most. */
	return value ? MIN(value, chip_counter_range(c)) : chip_counter_range(c);
}

/* Counters 0 and 1 have no gate that could have held them. */
static bool counter_is_valid(const struct chip_counter *c, unsigned i, int64_t now)
{
	if (i != 2 && (!c->gate || c->held_clks))
		return false;
	return c->mode <= 5 && c->rw >= PIT_RW_LSB && c->rw <= PIT_RW_BOTH && c->count >= 1 &&
	       c->count <= chip_counter_range(c) && c->next_count <= chip_counter_range(c) &&
	       c->latch_bytes <= 2 && c->start_ns >= 0 && c->start_ns <= now &&
	       c->held_clks <= INT64_MAX / 2;
}

bool chip_counters_check(const struct chip_counter *c, int64_t now, const char *who,
			 struct error *err)
{
	for (unsigned i = 0; i < CHIP_PIT_COUNTERS; i++)
		if (!counter_is_valid(&c[i], i, now))
			return error_set(err, "%s: saved state of counter %u is not possible", who,
					 i);
	return true;
}

/* As firmware leaves it for kernels: those that are started without find the same. */
void chip_counters_reset(struct chip_counter *c, int64_t now)
{
	for (unsigned i = 0; i < CHIP_PIT_COUNTERS; i++)
		c[i] = (struct chip_counter){.mode = 3,
					     .rw = PIT_RW_BOTH,
					     .count = 0x10000,
					     .start_ns = now,
					     .running = 1,
					     .gate = i != 2};
}
