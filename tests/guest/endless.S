/* SPDX-License-Identifier: BSD-2-Clause */
/* A long loop of CPUID and SGDT with interrupts off: linked blocks that nothing makes the CPU leave. Its host stack must not grow. */
#include "guest.h"

GUEST_START
	cli
	mov $30000000, %ebp
1:	xor %eax, %eax
	cpuid
	sgdt 0x600000		/* far from the code, which would be translated anew each time */
	dec %ebp
	jnz 1b
	EXIT(21)
GUEST_END
