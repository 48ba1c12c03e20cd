/* SPDX-License-Identifier: BSD-2-Clause */
/* IN and OUT of every width and form, from protected and from real mode, to a register of 4 bytes, and where nothing is. */
#include "kit.h"

#define BLOB  0x8000 /* real mode code */
#define FOUND 0x7000 /* what it has read */

	.globl guest_main
guest_main:
	SAY "protected mode\n"
	mov $0x44332211, %eax
	out %eax, $TESTPIO
	xor %ebx, %ebx
1:	lea TESTPIO(%ebx), %edx
	in %dx, %al
	HEX8
	SPACE
	inc %ebx
	cmp $4, %ebx
	jb 1b
	xor %ebx, %ebx
2:	lea TESTPIO(%ebx), %edx
	in %dx, %ax
	HEX16
	SPACE
	inc %ebx
	cmp $3, %ebx
	jb 2b
	mov $TESTPIO, %edx
	in %dx, %eax
	HEX32
	NEWLINE

	/* only the bytes that are written change */
	mov $0xaabbccdd, %eax
	out %al, $(TESTPIO + 1)
	in $TESTPIO, %eax
	HEX32
	SPACE
	mov $0xaabbccdd, %eax
	out %ax, $(TESTPIO + 2)
	in $TESTPIO, %eax
	HEX32
	SPACE
	mov $0x5566, %eax
	mov $(TESTPIO + 1), %edx
	out %ax, %dx
	in $TESTPIO, %eax
	HEX32
	NEWLINE

	/* IN of a byte or a word keeps the rest of the register */
	mov $0x12345678, %eax
	in $TESTPIO, %al
	HEX32
	SPACE
	mov $0x12345678, %eax
	in $TESTPIO, %ax
	HEX32
	NEWLINE

	SAY "nobody there\n"
	mov $0xbad0, %edx
	xor %eax, %eax
	in %dx, %al
	HEX32
	SPACE
	xor %eax, %eax
	in %dx, %ax
	HEX32
	SPACE
	in %dx, %eax
	HEX32
	out %al, %dx
	out %ax, %dx
	out %eax, %dx
	NEWLINE

	SAY "real mode\n"
	mov $blob, %esi
	mov $BLOB, %edi
	mov $(blob_end - blob), %ecx
	rep movsb
	call through_real_mode
	mov $FOUND, %esi
	mov $6, %ecx
3:	lodsl
	HEX32
	SPACE
	loop 3b
	NEWLINE
	ret

through_real_mode:
	mov %esp, saved_esp
	lidt real_idtr
	ljmp $CODE16, $BLOB
back:
	mov $DATA32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov saved_esp, %esp
	lidt kit_idtr
	ret

blob:
	.code16
	mov $DATA16, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
	ljmp $0, $(real - blob + BLOB)
real:
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x6000, %sp
	mov $FOUND, %di
	mov $0x87654321, %eax
	out %eax, $TESTPIO
	in $TESTPIO, %eax
	stosl
	mov $(TESTPIO + 1), %dx
	mov $0x99, %al
	out %al, %dx
	xor %eax, %eax
	in %dx, %ax
	stosl
	in %dx, %al
	stosl
	in $(TESTPIO + 3), %al
	stosl
	mov $0xbad0, %dx
	xor %eax, %eax
	in %dx, %ax
	stosl
	/* an interrupt vector of real mode */
	movl $(soft - blob + BLOB), 0x60 * 4
	xor %eax, %eax
	int $0x60
	stosl
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $CODE32, $back
soft:
	in $TESTPIO, %al
	iret
	.code32
blob_end:

	.section .rodata
real_idtr:
	.word 0x3ff
	.long 0

	.bss
saved_esp:
	.skip 4
