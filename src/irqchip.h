/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest has put into its 8259s, IOAPIC and 8254, in the terms of their data sheets: one form for the models in
 * devices/chipset/ and for those of an accelerator (IRQCHIP_KERNEL), with the same save tables, so that what one has saved the other loads.
 */
#ifndef EVMM_IRQCHIP_H
#define EVMM_IRQCHIP_H

#include "src/device.h"

#define CHIP_IOAPIC_PINS  24
#define CHIP_PIT_COUNTERS 3
#define CHIP_PIT_HZ	  1193182

/* Which initialization word an 8259's data port waits for. */
enum { PIC_INIT_DONE, PIC_INIT_ICW2, PIC_INIT_ICW3, PIC_INIT_ICW4 };

/* One 8259A. */
struct chip_pic {
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

/* IOREDTBL (290566-001, 3.2.4) */
#define REDIR_VECTOR	   0xffull
#define REDIR_DELMOD_SHIFT 8
#define REDIR_DELMOD	   7
#define REDIR_DESTMOD	   BIT64(11)
#define REDIR_DELIVS	   BIT64(12)
#define REDIR_POLARITY	   BIT64(13)
#define REDIR_REMOTE_IRR   BIT64(14)
#define REDIR_LEVEL	   BIT64(15)
#define REDIR_MASK	   BIT64(16)
#define REDIR_DEST_SHIFT   56
#define REDIR_RESERVED	   0x00fffffffffe0000ull
#define IOAPICID_MASK	   0x0f

struct chip_ioapic {
	uint64_t redir[CHIP_IOAPIC_PINS];
	uint32_t lines; /* inputs that are asserted */
	uint8_t ioregsel;
	uint8_t id;
	uint8_t unused[2];
};

enum pit_rw { PIT_RW_LATCH, PIT_RW_LSB, PIT_RW_MSB, PIT_RW_BOTH };

/* One counter of the 8254. */
struct chip_counter {
	GUEST_VISIBLE_BEGIN;
	int64_t start_ns;    /* guest clock: when the count was loaded, or counting went on */
	uint64_t held_clks;  /* counted before start_ns (modes 0 and 4, GATE has been low) */
	uint32_t count;	     /* CR as a number: 1 to 65536, or to 10000 in BCD */
	uint32_t next_count; /* for the next cycle (modes 2, 3) or trigger (1, 5); 0: none */
	uint16_t latched;    /* OL */
	uint8_t status;	     /* latched status byte */
	uint8_t mode;	     /* 0 to 5 */
	bool bcd;
	uint8_t rw;	     /* enum pit_rw */
	bool lsb_written;    /* PIT_RW_BOTH: waits for the MSB */
	uint8_t write_lsb;   /* that LSB */
	bool read_msb;	     /* PIT_RW_BOTH: the next read is the MSB */
	uint8_t latch_bytes; /* how many bytes of OL are still to be read */
	bool status_latched;
	bool null_count; /* a count was written and is not in CE yet */
	bool running;	 /* a count was loaded (modes 0, 2, 3, 4), or the trigger came (1, 5) */
	bool gate;
	GUEST_VISIBLE_END;
};

extern const struct state_desc chip_pic_state, chip_counter_state;

/* What was loaded: can it be? What is possible but reserved is dropped. */
bool chip_pics_check(struct chip_pic pic[2], const char *who, struct error *err);
void chip_ioapic_mend(struct chip_ioapic *c);
/* NOW: of the guest clock. */
bool chip_counters_check(const struct chip_counter *c, int64_t now, const char *who,
			 struct error *err);

/* After power-on, with the lines that are up. */
void chip_pics_reset(struct chip_pic pic[2]);
void chip_ioapic_reset(struct chip_ioapic *c);
void chip_counters_reset(struct chip_counter *c, int64_t now);

static inline uint32_t chip_counter_range(const struct chip_counter *c)
{
	return c->bcd ? 10000 : 0x10000;
}

/* A count as the counter's registers show it, binary or BCD, and back. */
uint16_t chip_counter_encode(const struct chip_counter *c, uint32_t value);
uint32_t chip_counter_decode(const struct chip_counter *c, uint16_t cr);

/* For `info pic`. */
void chip_pics_print(const struct chip_pic pic[2], FILE *out);
void chip_ioapic_print(const struct chip_ioapic *c, unsigned version, FILE *out);

/* Those of an accelerator; bits say which. */
enum { CHIP_PIC = 1, CHIP_IOAPIC = 2, CHIP_PIT = 4 };

struct irqchips {
	struct chip_pic pic[2]; /* master, slave */
	struct chip_ioapic ioapic;
	struct chip_counter counter[CHIP_PIT_COUNTERS];
	uint8_t nmisc; /* port 61h, the writable bits */
};

#endif
