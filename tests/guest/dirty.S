/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of memory were written, by all kinds of instructions. A page may be told of more than once before things come to rest,
 * so what was told is gathered until nothing more is.
 */
#include "kit.h"

#define PAGE(n) (LOGGED + (n) * 0x1000)

	.macro CASE text
	SAY "\text: "
	.endm
	.macro TOLD
	call told
	HEX32
	NEWLINE
	.endm

	.globl guest_main
guest_main:
	CASE "at first"
	TOLD
	CASE "reading"
	mov PAGE(0), %eax
	mov PAGE(15) + 4, %eax
	mov $PAGE(4), %esi
	mov $0x400, %ecx
	rep lodsl
	cmpl $0, PAGE(9)
	TOLD
	CASE "a byte"
	movb $1, PAGE(3) + 0x123
	TOLD
	CASE "the same"
	movb $1, PAGE(3) + 0x123
	TOLD
	CASE "across two pages"
	movl $0x12345678, PAGE(6) - 2
	TOLD
	CASE "rep stos, forwards"
	mov $(PAGE(8) + 0x800), %edi
	mov $0x600, %ecx
	mov $0x55555555, %eax
	rep stosl
	TOLD
	CASE "rep stos, backwards"
	std
	mov $(PAGE(2) + 0x10), %edi
	mov $0x10, %ecx
	rep stosl
	cld
	TOLD
	CASE "rep movs"
	mov $PAGE(8), %esi
	mov $PAGE(14), %edi
	mov $0x1000, %ecx
	rep movsb
	TOLD
	CASE "read and write"
	incl PAGE(0)
	addl $5, PAGE(1) + 0xffc
	TOLD
	CASE "locked"
	mov $7, %eax
	lock xadd %eax, PAGE(12)
	xchg %eax, PAGE(13)
	TOLD
	CASE "the stack"
	mov %esp, %ebx
	mov $(PAGE(11) + 8), %esp
	push %ebx
	push %ebx
	push %ebx
	mov %ebx, %esp
	TOLD
	CASE "in from a port"
	mov $TESTPIO, %edx
	mov $PAGE(7), %edi
	insb
	insl
	TOLD
	CASE "again and again"
	mov $200, %ebx
1:	incl PAGE(4)
	call told
	cmp $0x10, %eax
	jne 2f
	dec %ebx
	jnz 1b
	SAY "each time"
2:	NEWLINE
	CASE "what is there"
	mov PAGE(4), %eax
	HEX32
	SPACE
	mov PAGE(6) - 2, %eax
	HEX32
	SPACE
	mov PAGE(14) + 0xffc, %eax
	HEX32
	NEWLINE
	ret

/* %eax: all the pages told until none is. */
told:
	push %ecx
	push %edx
	push %ebp
	xor %ebp, %ebp
	mov $1000, %ecx
1:	mov $WRITTEN, %edx
	in %dx, %eax
	or %eax, %ebp
	test %eax, %eax
	loopnz 1b
	mov %ebp, %eax
	pop %ebp
	pop %edx
	pop %ecx
	ret
