/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest (PAYLOAD: its flat image) as firmware of 128 KiB: from the reset vector to protected mode, and the guest's copy at 1 MiB. */
#define ROM	0xfffe0000
#define ROM_SEG 0xffff0000 /* where CS is after reset */
#define TO	0x100000

	.code32
	.text
payload:
	.incbin PAYLOAD
payload_end:

	.org 0x1ff00
	.code16
start16:
	cli
	cld
	lgdtl %cs:(gdtr - text + ROM - ROM_SEG)
	mov %cr0, %eax
	or $1, %al
	and $0x9fffffff, %eax	/* caches on */
	mov %eax, %cr0
	ljmpl $8, $(start32 - text + ROM)
	.code32
start32:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $ROM, %esi
	mov $TO, %edi
	mov $(payload_end - payload + 3) / 4, %ecx
	rep movsl
	mov $TO, %eax
	jmp *%eax
	.align 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdtr:
	.word gdtr - gdt - 1
	.long gdt - text + ROM

	.org 0x1fff0
	.code16
	jmp start16
	.org 0x20000
	.set text, payload
