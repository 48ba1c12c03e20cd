/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For freestanding guests that are more than a few instructions (kit.S has the code, kit.ld the layout). One source makes two images:
 * NAME.elf, a PVH kernel, and NAME.rom, firmware (rom.S). A guest defines guest_main, which is called in flat 32-bit protected
 * mode, ring 0, without paging, interrupts off, with an IDT whose exceptions are printed, and the 8259s set up but masked. Output
 * goes to a debug console at port 0x402; the end is by isa-debug-exit at 0xf4, status (value << 1) | 1, which is 1 when it returns.
 *
 *	SAY "text"	prints it
 *	HEX8 HEX16 HEX32	prints %al, %ax, %eax
 *	NEWLINE SPACE
 *	GATE vector, handler	32-bit interrupt gate
 *	IRETURN	from its handler
 *
 * All of these keep all registers. kit_start_info is the address of the hvm_start_info of a PVH kernel.
 */
#define CODE32 8
#define DATA32 16
#define CODE16 24
#define DATA16 32

#define LAPIC	0xfee00000
#define IOAPIC	0xfec00000
#define OUTPUT	0x402
#define TESTDEV 0xff000000 /* pc-testdev's memory */
#define TESTPIO 0xe0	   /* and its ports */
#define TESTIRQ 0x2000
#define LOGGED	0xff020000 /* 16 pages of RAM, and the port that tells which were written */
#define WRITTEN 0xec
#define PIC_BASE 0x20	   /* vectors of the 8259s */

	.macro SAY text
	push %esi
	mov $9f, %esi
	call kit_puts
	pop %esi
	.section .rodata
9:	.asciz "\text"
	.text
	.endm

	.macro HEX8
	call kit_hex8
	.endm
	.macro HEX16
	call kit_hex16
	.endm
	.macro HEX32
	call kit_hex32
	.endm
	/*
	 * IRET, which software KVMs don't emulate in protected mode; NMIs stay blocked. In STI's shadow RET comes before the next
	 * interrupt, as a stack on which each one leaves its frame is soon too small.
	 */
	.macro IRETURN
	testl $0x200, 8(%esp)
	jz 8f
	pushl 8(%esp)
	andl $~0x200, (%esp)
	popf
	sti
	ret $8
8:	pushl 8(%esp)
	popf
	ret $8
	.endm

	.macro CHAR c
	push %eax
	mov $\c, %al
	call kit_putc
	pop %eax
	.endm
	.macro SPACE
	CHAR ' '
	.endm
	.macro NEWLINE
	CHAR '\n'
	.endm

	.macro GATE vector, handler
	push %eax
	push %edx
	mov $\vector, %eax
	mov $\handler, %edx
	call kit_gate
	pop %edx
	pop %eax
	.endm
