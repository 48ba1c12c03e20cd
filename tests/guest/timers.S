/* SPDX-License-Identifier: BSD-2-Clause */
/* HLT, and what wakes from it: the 8254, the RTC, the local APIC's timer. Counts, not times: the host may be busy. */
#include "kit.h"

	.macro COUNTER name, counter, eoi
\name:
	push %eax
	incl \counter
	call \eoi
	pop %eax
	IRETURN
	.endm

	.globl guest_main
guest_main:
	GATE PIC_BASE, on_pit
	GATE PIC_BASE + 8, on_rtc
	GATE 0x70, on_apic
	GATE 0xff, on_apic_spurious

	SAY "8254: "
	mov $0x34, %al		/* channel 0, mode 2, 1 kHz */
	outb %al, $0x43
	mov $(1193 & 255), %al
	outb %al, $0x40
	mov $(1193 / 256), %al
	outb %al, $0x40
	mov $0xfe, %al
	outb %al, $0x21
	mov $20, %ebx
	mov $pits, %edi
	call sleep
	SAY "20 ticks\n"
	mov $0xff, %al
	outb %al, $0x21

	SAY "8254, once: "
	mov $0x30, %al		/* mode 0: it stands until it has a count */
	outb %al, $0x43
	mov $0xfe, %al
	outb %al, $0x21
	sti			/* a last tick of the ones before */
	mov $100, %ecx
1:	inb $0x61, %al
	loop 1b
	cli
	movl $0, pits
	mov $(1193 & 255), %al	/* 1 ms */
	outb %al, $0x40
	mov $(1193 / 256), %al
	outb %al, $0x40
	mov $1, %ebx
	mov $pits, %edi
	call sleep
	mov pits, %eax
	HEX32
	NEWLINE
	mov $0xff, %al
	outb %al, $0x21

	SAY "8254, gate and output of channel 2: "
	inb $0x61, %al
	and $0xfc, %al
	or $1, %al
	outb %al, $0x61
	mov $0xb0, %al		/* mode 0 */
	outb %al, $0x43
	mov $0xff, %al
	outb %al, $0x42
	mov $0x0f, %al
	outb %al, $0x42
	inb $0x61, %al
	and $0x20, %al
	HEX8
	SPACE
1:	inb $0x61, %al
	test $0x20, %al
	jz 1b
	and $0x21, %al
	HEX8
	NEWLINE

	SAY "RTC: "
	mov $0xfb, %al
	outb %al, $0x21
	mov $0xfe, %al
	outb %al, $0xa1
	mov $0x0a, %al
	outb %al, $0x70
	mov $0x26, %al		/* 1024 Hz */
	outb %al, $0x71
	mov $0x0b, %al
	outb %al, $0x70
	mov $0x42, %al		/* periodic, 24 hours */
	outb %al, $0x71
	mov $10, %ebx
	mov $rtcs, %edi
	call sleep
	SAY "10 ticks\n"
	mov $0x0b, %al
	outb %al, $0x70
	mov $0x02, %al
	outb %al, $0x71
	mov $0xff, %al
	outb %al, $0xa1
	outb %al, $0x21

	SAY "local APIC, once: "
	movl $0x1ff, LAPIC + 0xf0
	movl $0x3, LAPIC + 0x3e0	/* by 16 */
	movl $0x70, LAPIC + 0x320
	movl $100000, LAPIC + 0x380
	mov $1, %ebx
	mov $apics, %edi
	call sleep
	mov apics, %eax
	HEX32
	SPACE
	mov LAPIC + 0x390, %eax		/* what is left */
	HEX32
	NEWLINE
	SAY "local APIC, again and again: "
	movl $0, apics
	movl $0x20070, LAPIC + 0x320
	movl $100000, LAPIC + 0x380
	mov $15, %ebx
	call sleep
	SAY "15 ticks\n"
	movl $0x10070, LAPIC + 0x320
	ret

/* Until the counter at %edi is %ebx. */
sleep:
	cli
	cmp %ebx, (%edi)
	jae 1f
	sti
	hlt
	jmp sleep
1:	ret

pic_eoi:
	mov $0x20, %al
	outb %al, $0x20
	ret
rtc_eoi:
	mov $0x0c, %al
	outb %al, $0x70
	inb $0x71, %al
	mov $0x20, %al
	outb %al, $0xa0
	outb %al, $0x20
	ret
apic_eoi:
	movl $0, LAPIC + 0xb0
	ret

	COUNTER on_pit, pits, pic_eoi
	COUNTER on_rtc, rtcs, rtc_eoi
	COUNTER on_apic, apics, apic_eoi
on_apic_spurious:
	IRETURN

	.bss
	.align 4
pits:	.skip 4
rtcs:	.skip 4
apics:	.skip 4
