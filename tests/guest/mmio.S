/* SPDX-License-Identifier: BSD-2-Clause */
/* Device memory by every width, alignment and kind of instruction; accesses that cross a page; and where nothing is. */
#include "kit.h"

	.macro FILL
	movl $0x03020100, TESTDEV
	movl $0x07060504, TESTDEV + 4
	movl $0x0b0a0908, TESTDEV + 8
	movl $0x0f0e0d0c, TESTDEV + 12
	.endm

	.globl guest_main
guest_main:
	SAY "reads\n"
	FILL
	xor %ebx, %ebx
1:	mov TESTDEV(%ebx), %al
	HEX8
	SPACE
	mov TESTDEV(%ebx), %ax
	HEX16
	SPACE
	mov TESTDEV(%ebx), %eax
	HEX32
	SPACE
	movzbl TESTDEV(%ebx), %eax
	HEX32
	SPACE
	movswl TESTDEV(%ebx), %eax
	HEX32
	NEWLINE
	inc %ebx
	cmp $8, %ebx
	jbe 1b

	SAY "writes\n"
	xor %ebx, %ebx
2:	FILL
	movb $0xf1, TESTDEV(%ebx)
	call dump
	FILL
	movw $0xf2f3, TESTDEV(%ebx)
	call dump
	FILL
	movl $0xf4f5f6f7, TESTDEV(%ebx)
	call dump
	NEWLINE
	inc %ebx
	cmp $8, %ebx
	jbe 2b

	SAY "read, change, write\n"
	FILL
	mov $0x10203040, %eax
	add %eax, TESTDEV + 1
	orw $0xff00, TESTDEV + 6
	notb TESTDEV + 9
	xchg %eax, TESTDEV + 12
	HEX32
	call dump
	lock incl TESTDEV
	btsl $31, TESTDEV + 4
	setc %al
	HEX8
	mov $0x0b0a0908, %eax
	mov $0xcafecafe, %ecx
	lock cmpxchg %ecx, TESTDEV + 8
	setz %al
	HEX8
	xadd %ecx, TESTDEV + 12
	mov %ecx, %eax
	HEX32
	call dump
	shrl $4, TESTDEV
	negl TESTDEV + 4
	cmpl $0x10203040, TESTDEV + 12
	sete %al
	HEX8
	testb $1, TESTDEV
	setnz %al
	HEX8
	call dump
	NEWLINE

	SAY "strings\n"
	FILL
	mov $TESTDEV, %esi
	mov $here, %edi
	mov $4, %ecx
	rep movsl
	mov here + 8, %eax
	HEX32
	SPACE
	mov $(here + 15), %esi
	mov $(TESTDEV + 31), %edi
	mov $16, %ecx
	std
	rep movsb
	cld
	mov TESTDEV + 16, %eax
	HEX32
	SPACE
	mov $TESTDEV, %edi
	mov $0x9a, %al
	mov $7, %ecx
	rep stosb
	call dump
	mov $TESTDEV, %esi
	lodsw
	HEX16
	SPACE
	mov $TESTDEV, %esi
	mov $(TESTDEV + 16), %edi
	mov $16, %ecx
	repne cmpsb
	mov %ecx, %eax
	HEX32
	NEWLINE

	SAY "over a page's end\n"
	mov $0x11223344, %eax
	mov $0xffd, %ebx
3:	mov %eax, TESTDEV(%ebx)
	mov TESTDEV(%ebx), %edx
	xchg %eax, %edx
	HEX32
	SPACE
	mov TESTDEV + 0x1000, %eax
	HEX32
	SPACE
	lea 0x01010101(%edx), %eax
	inc %ebx
	cmp $0xfff, %ebx
	jbe 3b
	NEWLINE

	SAY "stack and calls\n"
	mov %esp, %ebp
	mov $(TESTDEV + 0x40), %esp
	pushl $0x600d
	pushw $0xbeef
	popw %ax
	popl %ecx
	mov %ebp, %esp
	HEX16
	SPACE
	mov %ecx, %eax
	HEX32
	SPACE
	movl $target, TESTDEV
	call *TESTDEV
	NEWLINE

	SAY "nobody there\n"
	mov $0xf0000000, %ebx
	mov (%ebx), %eax
	HEX32
	movl $0, (%ebx)
	xor %eax, %eax
	mov 3(%ebx), %ax
	SPACE
	HEX32
	NEWLINE
	ret

target:
	SAY "called"
	ret

/* The 16 bytes. */
dump:
	push %eax
	push %ebx
	SPACE
	xor %ebx, %ebx
1:	mov TESTDEV(%ebx), %eax
	bswap %eax
	HEX32
	add $4, %ebx
	cmp $16, %ebx
	jb 1b
	pop %ebx
	pop %eax
	ret

	.bss
	.align 16
here:
	.skip 16
