/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes random bytes. Every exception comes to a handler that loads fresh segments and stack, writes new random bytes over
 * the old ones (so translated code is written all the time) and jumps into them again.
 */
#include "guest.h"

#define HEAP 0x400000

GUEST_START
	mov 0x500000, %ebp
	add $0x9e3779b9, %ebp
	PUTS(before)
	/* An interrupt gate for each of the 256 vectors, all to `caught`. */
	mov $idt, %edi
	mov $256, %ecx
1:	mov $caught, %eax
	mov %ax, (%edi)
	mov %cs, 2(%edi)
	movw $0x8e00, 4(%edi)
	shr $16, %eax
	mov %ax, 6(%edi)
	add $8, %edi
	loop 1b
	mov %ds, saved_ds
	lidt idtr
	sgdt saved_gdtr
caught:
	mov $0x10, %ebx
	mov %cs:saved_ds, %ebx
	mov %ebx, %ds
	mov %ebx, %es
	mov %ebx, %ss
	mov $guest_stack_top, %esp
	cld
	mov 0x500000, %ebp
	mov $HEAP, %edi
	mov $64, %ecx
2:	mov %ebp, %eax
	shl $13, %eax
	xor %eax, %ebp
	mov %ebp, %eax
	shr $17, %eax
	xor %eax, %ebp
	mov %ebp, %eax
	shl $5, %eax
	xor %eax, %ebp
	mov %ebp, %eax
	stosl
	loop 2b
	mov %ebp, 0x500000
	mov $0x00700000, %esp
	jmp *heap
	.align 8
heap:	.long HEAP
saved_ds: .long 0
idtr:	.word 256 * 8 - 1
	.long idt
saved_gdtr: .word 0
	.long 0
before:
	.asciz "executing garbage\n"
	.bss
	.align 8
idt:	.skip 256 * 8
GUEST_END
