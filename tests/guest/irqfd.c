/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts by eventfd, from pc-testdev: a level-triggered one at the IOAPIC, which comes again after an EOI for as long as
 * there is something left to be served, masked and unmasked; messages, and to where they are moved.
 */
#include "kit64.h"

#define FDGSI  0x2040
#define EVENTS 0x2044
#define FDADDR 0x2048
#define FDDATA 0x204c
#define FDSEND 0x2050

#define IOAPIC	0xfec00000u
#define PIN	20
#define LEVEL	0x8000u
#define MASKED	0x10000u
#define NOTHING 0xffffffffu
#define LONG	20000000000ull /* ticks; what comes at all comes before */
#define MOMENT	30000000ull

/*
 * Of the level-triggered one: one thing is served, then comes the EOI. Now and then there is nothing any more: KVM's IOAPIC asks its
 * owner whether the line is still up at other times than at an EOI, and the answer may be late.
 */
__asm__("serve:\n"
	"	push %rax\n"
	"	push %rdx\n"
	"	mov $0x2044, %edx\n"
	"	in %dx, %eax\n"
	"	sub $1, %eax\n"
	"	jc 1f\n"
	"	out %eax, %dx\n"
	"	incq kit64_irqs\n"
	"1:\n"
	"	mov $0xfee00000, %edx\n"
	"	movl $0, 0xb0(%rdx)\n"
	"	pop %rdx\n"
	"	pop %rax\n"
	"	iretq\n");
extern const char serve[];

static void set_handler(unsigned vector, const char *handler)
{
	uint32_t at = (uint32_t)(uint64_t)handler;

	kit64_write16((uint64_t)&kit64_idt[16 * vector], (uint16_t)at);
	kit64_write16((uint64_t)&kit64_idt[16 * vector + 6], (uint16_t)(at >> 16));
}

static void redir(unsigned pin, uint32_t low)
{
	kit64_write32(IOAPIC, 0x11 + 2 * pin);
	kit64_write32(IOAPIC + 16, 0);
	kit64_write32(IOAPIC, 0x10 + 2 * pin);
	kit64_write32(IOAPIC + 16, low);
}

/* For N interrupts of vector number V in all, and whether more come; how many there were. */
static uint64_t wait_for(unsigned v, uint64_t n)
{
	uint64_t start = kit64_tsc();

	while (kit64_irqs[v].count < n && kit64_tsc() - start < LONG)
		kit64_inl(EVENTS);
	for (start = kit64_tsc(); kit64_tsc() - start < MOMENT;)
		kit64_inl(EVENTS);
	return kit64_irqs[v].count;
}

static void report(const char *what, uint64_t n)
{
	kit64_puts(what);
	kit64_putu(n);
	kit64_puts(" served, left ");
	kit64_putu(kit64_inl(EVENTS));
	kit64_puts("\n");
}

static void level(void)
{
	set_handler(KIT64_VECTOR, serve);
	redir(PIN, KIT64_VECTOR | LEVEL);
	kit64_outl(FDGSI, PIN);
	kit64_outl(EVENTS, 5);
	report("level: ", wait_for(0, 5));
	redir(PIN, KIT64_VECTOR | LEVEL | MASKED);
	kit64_outl(EVENTS, 3);
	report("level, masked: ", wait_for(0, 0) - 5);
	redir(PIN, KIT64_VECTOR | LEVEL);
	report("level, unmasked: ", wait_for(0, 8) - 5);
	kit64_outl(FDGSI, NOTHING);
	kit64_outl(EVENTS, 1);
	report("nothing connected: ", wait_for(0, 0) - 8);
	/* It is up when somebody is there for it. */
	kit64_outl(FDGSI, PIN);
	report("connected: ", wait_for(0, 9) - 8);
	kit64_outl(FDGSI, NOTHING);
	redir(PIN, MASKED);
}

static void send(unsigned v)
{
	uint64_t before = kit64_irqs[v].count;

	kit64_outl(FDDATA, KIT64_VECTOR + v);
	kit64_outl(FDSEND, 0);
	wait_for(v, before + 1);
}

static void messages(void)
{
	kit64_outl(FDADDR, KIT64_LAPIC);
	for (unsigned i = 0; i < 3; i++)
		send(1);
	report("message: ", kit64_irqs[1].count);
	send(2);
	send(2);
	report("message, moved: ", kit64_irqs[2].count);
	report("and no more: ", kit64_irqs[1].count);
}

void guest_main(const char *cmdline)
{
	level();
	messages();
}
