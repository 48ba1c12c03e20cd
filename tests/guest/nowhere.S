/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps to a physical address where nothing is. Ones are fetched: an endless run of invalid opcodes, then a triple fault. */
#include "guest.h"

GUEST_START
	PUTS(before)
	mov $0xd0001234, %eax
	jmp *%eax
before:
	.asciz "jumping into nowhere\n"
GUEST_END
