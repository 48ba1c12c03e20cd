/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets itself in each way that a PC has; how far it is it keeps in CMOS RAM, which outlives them. */
#include "kit.h"

#define CMOS_COUNT 0x50

	.globl guest_main
guest_main:
	mov $CMOS_COUNT, %al
	outb %al, $0x70
	inb $0x71, %al
	movzbl %al, %ebx
	inc %al
	outb %al, $0x71
	cmp $(table_end - table) / 4, %ebx
	jae unknown
	jmp *table(, %ebx, 4)

keyboard:
	SAY "by the keyboard controller\n"
	mov $0xfe, %al
	outb %al, $0x64
	jmp stay
port92:
	SAY "by port 92\n"
	inb $0x92, %al
	and $0xfe, %al
	outb %al, $0x92
	or $1, %al
	outb %al, $0x92
	jmp stay
cf9:
	SAY "by port cf9\n"
	mov $0xcf9, %edx
	mov $2, %al
	out %al, %dx
	mov $6, %al
	out %al, %dx
	jmp stay
triple:
	SAY "by a triple fault\n"
	lidt none
	ud2
	jmp stay
done:
	SAY "done\n"
	xor %eax, %eax
	jmp kit_exit
unknown:
	mov %ebx, %eax
	HEX32
	SAY " is what CMOS holds\n"
	mov $1, %eax
	jmp kit_exit
stay:
	hlt
	jmp stay

	.section .rodata
	.align 4
table:
	.long keyboard, port92, cf9, triple, done
table_end:
none:
	.word 0
	.long 0
