/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes that are let pass before they are done (planar video memory, the index of the CMOS RAM, port 80h) keep their place: among
 * accesses to the registers that say what they mean, after more of them than any ring holds, and between two CPUs. For a -vga std.
 */
#include "kit64.h"

#define WINDOW	 0xa0000u
#define BYTES	 600u /* more than the rings have entries */
#define ROUNDS	 16u
#define HANDOVER 100u

#define SEQ 0x3c4
#define GC  0x3ce

static volatile uint64_t asked, answered;
static volatile uint8_t found;
static unsigned wrong;

static void reg(uint16_t port, uint8_t index, uint8_t value)
{
	kit64_outb(port, index);
	kit64_outb(port + 1, value);
}

static void report(const char *what)
{
	kit64_puts(what);
	if (wrong) {
		kit64_puts(": wrong ");
		kit64_putu(wrong);
		kit64_puts("\n");
	} else {
		kit64_puts(": in order\n");
	}
	wrong = 0;
}

static void planar(void)
{
	reg(GC, 6, 5);	/* graphics, 64 KiB at A0000h */
	reg(SEQ, 4, 6); /* no odd/even, no chain 4 */
	reg(GC, 5, 0);
	reg(GC, 3, 0);
	reg(GC, 8, 0xff);
	reg(GC, 1, 0);
	reg(SEQ, 2, 15);
}

static uint8_t plane_byte(unsigned plane, unsigned i)
{
	reg(GC, 4, (uint8_t)plane);
	return kit64_read8(WINDOW + i);
}

/* Each plane is written through its mask; the mask moves on right after the last write. */
static void masks(void)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		reg(SEQ, 2, (uint8_t)(1u << (round & 3)));
		for (unsigned i = 0; i < BYTES; i++)
			kit64_write8(WINDOW + i, (uint8_t)(round * 7 + i));
	}
	reg(SEQ, 2, 15);
	for (unsigned plane = 0; plane < 4; plane++)
		for (unsigned i = 0; i < BYTES; i += 37)
			wrong += plane_byte(plane, i) !=
				 (uint8_t)((ROUNDS - 4 + plane) * 7 + i);
	report("map mask and planes");
}

/* What a write does is what set/reset says at that moment; and each write is followed by a register's. */
static void colours(void)
{
	reg(GC, 1, 15);
	for (unsigned i = 0; i < 256; i++) {
		reg(GC, 0, (uint8_t)(i & 15));
		kit64_write8(WINDOW + i, 0);
	}
	reg(GC, 1, 0);
	for (unsigned plane = 0; plane < 4; plane++)
		for (unsigned i = 0; i < 256; i += 11)
			wrong += plane_byte(plane, i) != (i >> plane & 1 ? 0xff : 0);
	report("set/reset and planes");
}

/* The last index counts, however many came before it. */
static void cmos(void)
{
	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 0; i < BYTES; i++)
			kit64_outb(0x70, 0x40);
		for (unsigned i = 0x50; i < 0x58; i++)
			reg(0x70, (uint8_t)i, (uint8_t)(i + round));
		for (unsigned i = 0x50; i < 0x58; i++) {
			kit64_outb(0x70, (uint8_t)i);
			wrong += kit64_inb(0x71) != (uint8_t)(i + round);
		}
	}
	report("CMOS index and data");
	for (unsigned i = 0; i < 4 * BYTES; i++)
		kit64_outb(0x80, (uint8_t)i);
	wrong += kit64_inb(0x80) != (uint8_t)(4 * BYTES - 1);
	report("port 80h");
}

void guest_other(void)
{
	for (uint64_t n = 1;; n++) {
		while (asked < n)
			__asm__ volatile("pause");
		found = kit64_read8(WINDOW + n % 64);
		answered = n;
	}
}

/* What one CPU has written and told of is there for the other. */
static void two_cpus(void)
{
	kit64_start_cpu();
	for (uint64_t n = 1; n <= HANDOVER; n++) {
		kit64_write8(WINDOW + n % 64, (uint8_t)(n * 3));
		asked = n;
		while (answered < n)
			__asm__ volatile("pause");
		wrong += found != (uint8_t)(n * 3);
	}
	report("two CPUs");
}

void guest_main(const char *cmdline)
{
	planar();
	masks();
	colours();
	cmos();
	two_cpus();
}
