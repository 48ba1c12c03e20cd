/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For freestanding guests in assembly: a multiboot image (32-bit protected mode, paging off), its output on the
 * debug console (port 0xe9), its end by isa-debug-exit at 0xf4: status (value << 1) | 1.
 *
 *	GUEST_START	defines the header and _start with a stack
 *	PUTS label	prints the string at label
 *	PUTHEX		prints %eax in hex
 *	EXIT value	ends the machine
 */
#define GUEST_START                                                                                \
	.section .multiboot, "a";                                                                  \
	.align 4;                                                                                  \
	.long 0x1badb002, 0, -0x1badb002;                                                          \
	.text;                                                                                     \
	.globl _start;                                                                             \
	_start:                                                                                    \
	cld;                                                                                       \
	mov $guest_stack_top, %esp;

#define PUTS(label)                                                                                \
	mov $label, %esi;                                                                          \
	call guest_puts;
#define PUTHEX call guest_puthex;
#define EXIT(value)                                                                                \
	mov $value, %eax;                                                                          \
	out %eax, $0xf4;                                                                           \
	1: hlt;                                                                                    \
	jmp 1b;

#define GUEST_END                                                                                  \
	guest_puts:                                                                                \
	lodsb;                                                                                     \
	test %al, %al;                                                                             \
	jz 2f;                                                                                     \
	out %al, $0xe9;                                                                            \
	jmp guest_puts;                                                                            \
	2: ret;                                                                                    \
	guest_puthex:                                                                              \
	mov $8, %ecx;                                                                              \
	3: rol $4, %eax;                                                                           \
	push %eax;                                                                                 \
	and $15, %al;                                                                              \
	cmp $10, %al;                                                                              \
	jb 4f;                                                                                     \
	add $39, %al;                                                                              \
	4: add $48, %al;                                                                           \
	out %al, $0xe9;                                                                            \
	pop %eax;                                                                                  \
	loop 3b;                                                                                   \
	ret;                                                                                       \
	.bss;                                                                                      \
	.align 16;                                                                                 \
	.skip 16384;                                                                               \
	guest_stack_top:
