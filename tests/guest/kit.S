/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up, output and exceptions of the guests; kit.h. */
#include "kit.h"

	.section .note.pvh, "a", @note
	.align 4
	.long 4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

	.section .text.start, "ax"
	.globl _start
_start:
	cld
	cli
	mov $kit_stack_top, %esp
	lgdt kit_gdtr
	ljmp $CODE32, $1f
1:	mov $DATA32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov $kit_bss, %edi	/* from a ROM it is whatever was there */
	mov $kit_bss_end, %ecx
	sub %edi, %ecx
	xor %eax, %eax
	rep stosb
	mov %ebx, kit_start_info
	call kit_idt_init
	call kit_pic_init
	call guest_main
	xor %eax, %eax

	.text
	.globl kit_exit
kit_exit:			/* %eax: the value */
	mov $0xf4, %edx
	outl %eax, %dx
1:	cli
	hlt
	jmp 1b

/* ---- output ---- */

	.globl kit_putc, kit_puts, kit_hex8, kit_hex16, kit_hex32
kit_putc:			/* %al */
	push %edx
	mov $OUTPUT, %edx
	out %al, %dx
	pop %edx
	ret

kit_puts:			/* %esi */
	push %eax
	pushf
	cld
1:	lodsb
	test %al, %al
	jz 2f
	call kit_putc
	jmp 1b
2:	popf
	pop %eax
	ret

kit_hex8:
	push %ecx
	push %eax
	shl $24, %eax
	mov $2, %ecx
	jmp kit_hex
kit_hex16:
	push %ecx
	push %eax
	shl $16, %eax
	mov $4, %ecx
	jmp kit_hex
kit_hex32:
	push %ecx
	push %eax
	mov $8, %ecx
kit_hex:
	rol $4, %eax
	push %eax
	and $15, %al
	cmp $10, %al
	jb 1f
	add $('a' - '0' - 10), %al
1:	add $'0', %al
	call kit_putc
	pop %eax
	loop kit_hex
	pop %eax
	pop %ecx
	ret

/* ---- interrupts ---- */

	.globl kit_gate
kit_gate:			/* vector %eax, handler %edx; neither is kept */
	lea kit_idt(, %eax, 8), %eax
	mov %dx, (%eax)
	movw $CODE32, 2(%eax)
	movw $0x8e00, 4(%eax)
	shr $16, %edx
	mov %dx, 6(%eax)
	ret

kit_idt_init:
	xor %ecx, %ecx
1:	mov %ecx, %eax
	lea kit_stubs(, %ecx, 8), %edx
	call kit_gate
	inc %ecx
	cmp $32, %ecx
	jb 1b
	lidt kit_idtr
	ret

	.align 8
kit_stubs:
	.set vector, 0
	.rept 32
	.align 8
	pushl $vector
	jmp kit_exception
	.set vector, vector + 1
	.endr

kit_exception:			/* vector, [error,] eip, cs, eflags */
	pop %eax
	SAY "exception "
	HEX8
	SAY ", on the stack"
	mov $3, %ecx
1:	pop %eax
	SPACE
	HEX32
	loop 1b
	NEWLINE
	mov $0x3f, %eax
	jmp kit_exit

kit_pic_init:
	mov $0x11, %al
	outb %al, $0x20
	outb %al, $0xa0
	mov $PIC_BASE, %al
	outb %al, $0x21
	mov $(PIC_BASE + 8), %al
	outb %al, $0xa1
	mov $4, %al
	outb %al, $0x21
	mov $2, %al
	outb %al, $0xa1
	mov $1, %al
	outb %al, $0x21
	outb %al, $0xa1
	mov $0xff, %al
	outb %al, $0x21
	outb %al, $0xa1
	ret

	.section .rodata
	.align 8
	.globl kit_gdtr, kit_idtr
kit_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00009b000000ffff
	.quad 0x000093000000ffff
kit_gdtr:
	.word . - kit_gdt - 1
	.long kit_gdt
kit_idtr:
	.word 256 * 8 - 1
	.long kit_idt

	.bss
	.globl kit_start_info
	.align 16
kit_start_info:			/* of PVH; from a ROM it is nothing */
	.skip 16
kit_idt:
	.skip 256 * 8
	.skip 16384
	.globl kit_stack_top
kit_stack_top:
