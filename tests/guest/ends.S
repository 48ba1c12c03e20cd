/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends in the way that the first letter of the command line says: triple fault, keyboard controller, port cf9 (r: its hard reset),
 * port 92, ACPI's soft off (S5), isa-debug-exit, HLT with interrupts off.
 */
#include "kit.h"

#define PM1_CNT 0x604
#define SLP_EN	0x2000

	.globl guest_main
guest_main:
	mov kit_start_info, %eax
	mov $0, %ecx
	test %eax, %eax
	jz 1f
	mov 24(%eax), %eax	/* cmdline_paddr of hvm_start_info */
	test %eax, %eax
	jz 1f
	movb (%eax), %cl
1:	SAY "ends\n"
	cmp $'t', %cl
	je triple
	cmp $'k', %cl
	je keyboard
	cmp $'c', %cl
	je cf9
	cmp $'9', %cl
	je port92
	cmp $'s', %cl
	je soft_off
	cmp $'d', %cl
	je debug_exit
stay:	cli
	hlt
	jmp stay
triple:
	lidt none
	ud2
keyboard:
	mov $0xfe, %al
	outb %al, $0x64
	jmp stay
cf9:
	mov $0xcf9, %edx
	mov $2, %al
	out %al, %dx
	mov $6, %al
	out %al, %dx
	jmp stay
port92:
	mov $1, %al
	outb %al, $0x92
	jmp stay
soft_off:
	mov $PM1_CNT, %edx
	mov $SLP_EN, %eax	/* SLP_TYP 0, as \_S5 has it */
	out %ax, %dx
	jmp stay
debug_exit:
	mov $0x15, %eax
	mov $0xf4, %edx
	out %eax, %dx
	jmp stay

	.section .rodata
none:
	.word 0
	.long 0
