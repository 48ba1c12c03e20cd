/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts by the 8259s, by the IOAPIC as edges and levels, and by the local APIC to itself; priorities; what is masked waits. */
#include "kit.h"

#define IRQ_A	5
#define IRQ_B	15
#define VEC_A	0x55
#define VEC_B	0xa5

	/* One of pc-testdev's lines */
	.macro LINE irq, level
	mov $(TESTIRQ + \irq), %edx
	mov $\level, %al
	out %al, %dx
	.endm
	/* Low half of a pin's redirection entry; to APIC 0 */
	.macro PIN pin, low
	movl $(0x10 + 2 * \pin + 1), IOAPIC
	movl $0, IOAPIC + 0x10
	movl $(0x10 + 2 * \pin), IOAPIC
	movl $\low, IOAPIC + 0x10
	.endm
	/* Interrupts on for as long as it takes */
	.macro LET_IN
	sti
	call wait
	cli
	.endm
	.macro HANDLER name, text, eoi
\name:
	push %eax
	push %edx
	SAY "\text "
	call \eoi
	pop %edx
	pop %eax
	IRETURN
	.endm

	.globl guest_main
guest_main:
	GATE PIC_BASE + IRQ_A, pic_a
	GATE PIC_BASE + IRQ_B, pic_b
	GATE PIC_BASE + 7, spurious
	GATE VEC_A, apic_a
	GATE VEC_B, apic_b
	GATE 0x60, apic_level
	GATE 0x41, low_one
	GATE 0xe1, high_one
	GATE 0xff, apic_spurious

	SAY "8259: "
	mov $0xdb, %al		/* IRQ 2 and 5 */
	outb %al, $0x21
	mov $0x7f, %al		/* IRQ 15 */
	outb %al, $0xa1
	LINE IRQ_A, 1
	LINE IRQ_A, 0
	LET_IN
	LINE IRQ_A, 1
	LET_IN
	LINE IRQ_A, 0
	LINE IRQ_B, 1
	LINE IRQ_A, 1		/* both: the slave's come first */
	LET_IN
	LINE IRQ_A, 0
	LINE IRQ_B, 0
	NEWLINE
	SAY "8259, masked: "
	mov $0xfb, %al
	outb %al, $0x21
	LINE IRQ_A, 1
	LET_IN
	mov $0x0a, %al		/* read IRR */
	outb %al, $0x20
	inb $0x20, %al
	and $0x20, %al		/* the timer may tick */
	HEX8
	SAY " unmasked: "
	mov $0xdb, %al
	outb %al, $0x21
	LET_IN
	LINE IRQ_A, 0
	NEWLINE
	SAY "8259, level: "
	mov $0x4d0, %edx	/* ELCR */
	mov $0x20, %al
	out %al, %dx
	movl $3, again
	LINE IRQ_A, 1
	LET_IN
	mov $0x4d0, %edx
	xor %al, %al
	out %al, %dx
	NEWLINE
	mov $0xff, %al
	outb %al, $0x21
	outb %al, $0xa1

	SAY "local APIC: "
	movl $0x1ff, LAPIC + 0xf0
	movl $0x10000, LAPIC + 0x350
	mov LAPIC + 0x20, %eax
	HEX32
	SPACE
	movl $0x44041, LAPIC + 0x300	/* to itself */
	movl $0x440e1, LAPIC + 0x300
	LET_IN
	movl $0x50, LAPIC + 0x80	/* task priority */
	movl $0x44041, LAPIC + 0x300
	movl $0x440e1, LAPIC + 0x300
	LET_IN
	SAY "lower "
	mov LAPIC + 0x220, %eax		/* IRR of 0x40 to 0x5f */
	HEX32
	SPACE
	movl $0, LAPIC + 0x80
	LET_IN
	NEWLINE

	SAY "IOAPIC: "
	PIN IRQ_A, VEC_A
	PIN IRQ_B, VEC_B
	LINE IRQ_A, 1
	LINE IRQ_A, 0
	LET_IN
	LINE IRQ_B, 1
	LINE IRQ_A, 1
	LINE IRQ_A, 0
	LET_IN
	LINE IRQ_B, 0
	NEWLINE
	SAY "IOAPIC, level: "
	movl $3, again
	PIN IRQ_A, 0x8060
	LINE IRQ_A, 1
	LET_IN
	NEWLINE
	LET_IN
	SAY "IOAPIC, level, masked: "
	movl $1, again
	PIN IRQ_A, 0x18060
	LINE IRQ_A, 1
	LET_IN
	SAY "unmasked: "
	PIN IRQ_A, 0x8060
	LET_IN
	LET_IN
	mov IOAPIC + 0x10, %eax
	SPACE
	HEX32
	NEWLINE
	SAY "GSI 20: "
	PIN 20, VEC_A
	LINE 20, 1
	LINE 20, 0
	LET_IN
	NEWLINE
	ret

/* Whatever is on its way comes: reads of a port are answered after what was written before. */
wait:
	push %eax
	push %ecx
	mov $100, %ecx
1:	in $TESTPIO, %al
	pause
	loop 1b
	pop %ecx
	pop %eax
	ret

pic_eoi:
	mov $0x20, %al
	outb %al, $0x20
	ret
pic_eoi_both:
	mov $0x20, %al
	outb %al, $0xa0
	outb %al, $0x20
	ret
pic_level_eoi:			/* the line stays up until it was seen often enough */
	cmpl $0, again
	je 1f
	decl again
	jnz 1f
	LINE IRQ_A, 0
1:	jmp pic_eoi
apic_eoi:
	movl $0, LAPIC + 0xb0
	ret
apic_level_eoi:
	decl again
	jnz 1f
	LINE IRQ_A, 0
1:	jmp apic_eoi
no_eoi:
	ret

	HANDLER pic_a, "5", pic_level_eoi
	HANDLER pic_b, "15", pic_eoi_both
	HANDLER spurious, "spurious", no_eoi
	HANDLER apic_a, "A", apic_eoi
	HANDLER apic_b, "B", apic_eoi
/* KVM may have one more on its way when the line goes down. */
apic_level:
	cmpl $0, again
	je 1f
	push %eax
	push %edx
	SAY "level "
	call apic_level_eoi
	pop %edx
	pop %eax
	IRETURN
1:	movl $0, LAPIC + 0xb0
	IRETURN
	HANDLER low_one, "low", apic_eoi
	HANDLER high_one, "high", apic_eoi
	HANDLER apic_spurious, "spurious", no_eoi

	.bss
again:
	.skip 4
