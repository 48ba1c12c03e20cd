/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads and writes ports and physical addresses above RAM at random, in all widths, for as long as it lives. When the machine
 * resets it starts again with the next seed, which it keeps in RAM that a reset does not clear.
 */
#include "guest.h"

GUEST_START
	mov 0x500000, %ebp	/* seed */
	add $0x9e3779b9, %ebp
	mov %ebp, 0x500000
	PUTS(before)
again:
	call random
	mov %eax, %edx
	call random
	mov %eax, %ebx
	and $15, %ebx
	call *table(, %ebx, 4)
	jmp again

random:				/* xorshift32 in %ebp; result in %eax */
	mov %ebp, %eax
	shl $13, %eax
	xor %eax, %ebp
	mov %ebp, %eax
	shr $17, %eax
	xor %eax, %ebp
	mov %ebp, %eax
	shl $5, %eax
	xor %eax, %ebp
	mov %ebp, %eax
	mov %eax, 0x500000
	ret

low:	and $0x7ff, %edx	/* where a PC's ports are */
	ret
mmio:	or $0xf0000000, %edx
	ret
p_inb:	call low
	in %dx, %al
	ret
p_inw:	call low
	in %dx, %ax
	ret
p_inl:	in %dx, %eax
	ret
p_outb:	call low
	mov %edx, %ecx
	and $~3, %ecx		/* isa-debug-exit would end the machine */
	cmp $0xf4, %ecx
	je 1f
	out %al, %dx
1:	ret
p_outw:	call low
	and $~3, %edx
	cmp $0xf4, %edx
	je 1f
	out %ax, %dx
1:	ret
p_outl:	and $0xfffc, %edx
	cmp $0xf4, %edx
	je 1f
	out %eax, %dx
1:	ret
p_ins:	call low
	mov $0x600000, %edi
	mov $64, %ecx
	rep insb
	ret
p_outs:	call low
	and $~7, %edx
	cmp $0xf0, %edx
	je 1f
	mov $0x600000, %esi
	mov $16, %ecx
	rep outsl
1:	ret
m_rb:	call mmio
	mov (%edx), %al
	ret
m_rl:	call mmio
	mov (%edx), %eax
	ret
m_wb:	call mmio
	mov %al, (%edx)
	ret
m_wl:	call mmio
	mov %eax, (%edx)
	ret
m_ioapic: and $0x7f, %edx
	or $0xfec00000, %edx
	mov %eax, (%edx)
	ret
m_lapic: and $0xff0, %edx
	or $0xfee00000, %edx
	mov %eax, (%edx)
	ret
m_lrd:	and $0xfff, %edx
	or $0xfee00000, %edx
	mov (%edx), %eax
	ret
m_rmw:	call mmio
	lock add %eax, (%edx)
	ret
	.align 4
table:	.long p_inb, p_inw, p_inl, p_outb, p_outw, p_outl, p_ins, p_outs
	.long m_rb, m_rl, m_wb, m_wl, m_ioapic, m_lapic, m_lrd, m_rmw
before:
	.asciz "hammering\n"
GUEST_END
