/* SPDX-License-Identifier: BSD-2-Clause */
/* As firmware: what is written to ROM is lost, below 4 GiB and below 1 MiB, by whatever instruction. */
#include "kit.h"

#define TOP   0xfffff800
#define BELOW 0xff800

	.macro TRY where
	mov \where, %ebx
	movl $0x12345678, \where
	movb $0x55, \where + 1
	lock incl \where
	notw \where + 2
	push %edi
	mov $\where, %edi
	mov $16, %ecx
	mov $0xaa, %al
	rep stosb
	pop %edi
	mov \where, %eax
	cmp %eax, %ebx
	sete %al
	HEX8
	SPACE
	.endm

	.globl guest_main
guest_main:
	TRY TOP
	TRY BELOW
	NEWLINE
	ret
