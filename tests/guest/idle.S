/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeps, and nothing wakes it. */
#include "kit.h"

	.globl guest_main
guest_main:
	SAY "asleep\n"
1:	sti
	hlt
	jmp 1b
