/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeps, and nothing wakes it. */
#include "kit.h"

	.globl guest_main
guest_main:
	mov $0x30, %al		/* mode 0 and no count: the 8254 stands still */
	outb %al, $0x43
	SAY "asleep\n"
1:	sti
	hlt
	jmp 1b
