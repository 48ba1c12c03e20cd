/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For freestanding guests in C that are to run at the processor's own speed also where KVM is a software one: 64-bit, ring 3, IOPL 3,
 * the first 4 GiB mapped one to one and open to ring 3 (kit64.S has the code, kit.ld the layout). The image is a PVH kernel. A
 * guest defines guest_main, which runs on CPU 0 with interrupts on; the 8259s are masked, the local APIC is enabled. Output goes to a
 * debug console at port 0x402; the end is by isa-debug-exit at 0xf4. An exception is printed and ends the guest.
 */
#ifndef TESTS_GUEST_KIT64_H
#define TESTS_GUEST_KIT64_H

#include <stdint.h>

#define KIT64_CPUS   2
#define KIT64_LAPIC  0xfee00000u
#define KIT64_OUTPUT 0x402
#define KIT64_EXIT   0xf4

/* Handlers count, take the time and end the interrupt: one vector for each CPU's use, KIT64_VECTOR + n. */
#define KIT64_VECTOR  0x40
#define KIT64_VECTORS 4

struct kit64_irq {
	volatile uint64_t count;
	volatile uint64_t tsc; /* of the last one */
};

extern struct kit64_irq kit64_irqs[KIT64_VECTORS];
/* 16 bytes each, as the processor has them. */
extern uint8_t kit64_idt[];

/* The guest's own. CMDLINE is empty when there is none. */
void guest_main(const char *cmdline);
/* What CPU 1 runs once kit64_start_cpu was called; it sleeps for good when it returns. Not needed where that is not called. */
void guest_other(void);

void kit64_start_cpu(void);
void kit64_exit(uint32_t value) __attribute__((noreturn));
void kit64_puts(const char *s);
void kit64_putu(uint64_t value); /* decimal */
void kit64_putx(uint64_t value);

static inline uint8_t kit64_inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void kit64_outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t kit64_inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void kit64_outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t kit64_read32(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void kit64_write32(uint64_t address, uint32_t value)
{
	__asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline void kit64_write16(uint64_t address, uint16_t value)
{
	__asm__ volatile("movw %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline uint16_t kit64_read16(uint64_t address)
{
	uint16_t value;

	__asm__ volatile("movw (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void kit64_write8(uint64_t address, uint8_t value)
{
	__asm__ volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
}

static inline uint8_t kit64_read8(uint64_t address)
{
	uint8_t value;

	__asm__ volatile("movb (%1), %0" : "=q"(value) : "r"(address) : "memory");
	return value;
}

static inline uint64_t kit64_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

#endif
