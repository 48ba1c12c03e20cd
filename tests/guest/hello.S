/* SPDX-License-Identifier: BSD-2-Clause */
/* Says that it is there, prints the multiboot magic, and ends with status (21 << 1) | 1. */
#include "guest.h"

GUEST_START
	mov %eax, %edi
	PUTS(hello)
	mov %edi, %eax
	PUTHEX
	PUTS(newline)
	EXIT(21)
hello:
	.asciz "hello from the guest "
newline:
	.asciz "\n"
GUEST_END
