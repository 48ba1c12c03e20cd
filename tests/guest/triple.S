/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults with an empty interrupt descriptor table: a triple fault. */
#include "guest.h"

GUEST_START
	mov $0x600dbeef, %ebx
	PUTS(before)
	lidt empty
	ud2
before:
	.asciz "about to triple-fault\n"
	.align 8
empty:
	.word 0
	.long 0
GUEST_END
