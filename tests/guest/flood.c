/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storms of exits from two CPUs, for as long as it is let; the command line says of which kind:
 *
 *	ports	port reads, writes and posted writes
 *	memory	the same with device memory, of all widths
 *	chips	8259s, 8254, IOAPIC, local APICs and HPET programmed at random, with lines pulled and IPIs sent
 */
#include "kit64.h"

#define TESTDEV_IRQ 0x2000
#define IOAPIC	    0xfec00000u
#define HPET	    0xfed00000u
#define ICR	    0x300
#define EXITS_LOOP  200

static volatile uint64_t seeds[KIT64_CPUS];
static void (*volatile storm)(unsigned cpu);

static uint64_t rnd(unsigned cpu)
{
	uint64_t x = seeds[cpu];

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	seeds[cpu] = x;
	return x * 0x2545f4914f6cdd1dull >> 16;
}

/* ---- exits ---- */

static void ports(unsigned cpu)
{
	static const uint16_t written[] = {0x80, 0x87, 0x70, 0x3f8 + 7, 0x3ce, 0xcf8, 0x510, 0x3d4};

	for (unsigned i = 0; i < EXITS_LOOP; i++) {
		kit64_outb(written[rnd(cpu) % 8], (uint8_t)rnd(cpu));
		kit64_inb(0x87);
		kit64_inl(0xcfc);
		kit64_inb((uint16_t)(0x3c0 + rnd(cpu) % 32));
	}
}

static void memory(unsigned cpu)
{
	static const uint32_t places[] = {0xa0000, 0xa8000, IOAPIC, HPET, 0xd0000000u, 0xff000000u, 0xff008000u, 0xfebf0000u};

	for (unsigned i = 0; i < EXITS_LOOP; i++) {
		uint64_t at = places[rnd(cpu) % 8] + rnd(cpu) % 4096;

		kit64_write8(0xa0000 + rnd(cpu) % 65536, (uint8_t)i);
		switch (rnd(cpu) % 5) {
		case 0:
			kit64_read8(at);
			break;
		case 1:
			kit64_write16(at, (uint16_t)rnd(cpu));
			break;
		case 2:
			kit64_read32(at);
			break;
		case 3:
			kit64_write32(at, (uint32_t)rnd(cpu));
			break;
		default:
			*(volatile uint64_t *)at = rnd(cpu);
			break;
		}
	}
}

/* ---- interrupt controllers ---- */

static void lapic(unsigned cpu)
{
	uint32_t reg = (uint32_t)rnd(cpu) & 0x3f0, value = (uint32_t)rnd(cpu);

	kit64_read32(KIT64_LAPIC + reg);
	/* An INIT would end this CPU's part, and an SMI's handler is nowhere. */
	if (reg == ICR && (value >> 8 & 7) != 0 && (value >> 8 & 7) != 1 && (value >> 8 & 7) != 4)
		value &= ~0x700u;
	kit64_write32(KIT64_LAPIC + reg, value);
	kit64_write32(KIT64_LAPIC + 0xb0, 0);
	if (rnd(cpu) % 4 == 0) {
		kit64_write32(KIT64_LAPIC + 0xf0, 0x1ff);
		kit64_write32(KIT64_LAPIC + 0x80, 0);
	}
}

static void ioapic(unsigned cpu)
{
	kit64_write32(IOAPIC, (uint32_t)rnd(cpu) % 0x48);
	kit64_write32(IOAPIC + 16, (uint32_t)rnd(cpu) & ~0x500u); /* no SMI, no INIT */
	kit64_read32(IOAPIC + 16);
	if (rnd(cpu) % 4 == 0)
		kit64_write32(IOAPIC + 0x40, (uint32_t)rnd(cpu));
}

static void isa(unsigned cpu)
{
	static const uint16_t regs[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x70};
	uint16_t port = regs[rnd(cpu) % 12];

	kit64_outb(port, (uint8_t)rnd(cpu));
	kit64_inb(port);
	kit64_outb((uint16_t)(TESTDEV_IRQ + rnd(cpu) % 24), (uint8_t)(rnd(cpu) & 1));
}

static void chips(unsigned cpu)
{
	for (unsigned i = 0; i < EXITS_LOOP; i++) {
		lapic(cpu);
		ioapic(cpu);
		isa(cpu);
		kit64_write32(HPET + (rnd(cpu) & 0x1fc), (uint32_t)rnd(cpu));
	}
}

/* Any vector, in ring 0: ends the interrupt, if it was one. */
__asm__(".pushsection .text\n"
	"	.balign 8\n"
	"ignore:\n"
	"	push %rax\n"
	"	mov $0xfee00000, %eax\n"
	"	movl $0, 0xb0(%rax)\n"
	"	pop %rax\n"
	"	iretq\n"
	".popsection\n");
extern const char ignore[];

/* 8259s send what is an exception's vector, too. */
static void ignore_all(void)
{
	uint32_t at = (uint32_t)(uint64_t)ignore;

	for (unsigned v = 0; v < 256; v++) {
		uint64_t gate = (uint64_t)&kit64_idt[16 * v];

		kit64_write16(gate, (uint16_t)at);
		kit64_write16(gate + 2, 8);
		kit64_write16(gate + 4, 0x8e00);
		kit64_write16(gate + 6, (uint16_t)(at >> 16));
	}
}

void guest_other(void)
{
	for (;;)
		storm(1);
}

void guest_main(const char *cmdline)
{
	seeds[0] = kit64_tsc() | 1;
	seeds[1] = kit64_tsc() * 3 | 1;
	storm = *cmdline == 'p' ? ports : *cmdline == 'm' ? memory : chips;
	ignore_all();
	kit64_puts("storm\n");
	kit64_start_cpu();
	for (;;)
		storm(0);
}
