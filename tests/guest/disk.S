/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio-blk driver with nothing else around it, for tests/bench/disk: from protected mode to long mode, and disk_user.c in ring 3 with
 * all ports allowed, where a software KVM runs code natively. Ring 0 is there to sleep: HLT there faults, and halts until an interrupt has come, whose
 * handler leads back to ring 3, with RAX lost.
 */
#include "kit.h"

#define USER	   0x200000
#define USER_STACK 0x400000
#define PML4	   0x10000
#define PDPT	   0x11000
#define PD	   0x12000 /* four */
#define IDT	   0x18000
#define STACK0	   0x20000
#define FRAME0	   (STACK0 - 40) /* of the fault */

#define CODE64	    0x18
#define DATA64	    0x20
#define USER_CODE64 0x2b
#define USER_DATA64 0x33
#define TSS	    0x38
#define TSS_AT	    0x19000
#define TSS_BYTES   (0x68 + 0x2000 + 1) /* all ports allowed */
#define GP		    13
#define MSR_EFER	 0xc0000080

	.globl guest_main
guest_main:
	mov $user_image, %esi
	mov $USER, %edi
	mov $(user_image_end - user_image + 3) / 4, %ecx
	rep movsl

	/* 4 GiB as they are, in pages of 2 MiB, all of it the user's. */
	movl $(PDPT | 7), PML4
	mov $PD, %edi
	mov $0x87, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 1b
	movl $(PD | 7), PDPT
	movl $((PD + 0x1000) | 7), PDPT + 8
	movl $((PD + 0x2000) | 7), PDPT + 16
	movl $((PD + 0x3000) | 7), PDPT + 24

	movl $STACK0, TSS_AT + 4
	movw $0x68, TSS_AT + 102
	movb $0xff, TSS_AT + TSS_BYTES - 1
	mov $0x8e00, %ebx
	mov $0x40, %eax
	mov $on_irq, %edx
	call gate64
	mov $0x41, %eax
	mov $on_irq, %edx
	call gate64
	mov $0xff, %eax
	mov $on_irq, %edx
	call gate64
	mov $31, %ecx
2:	mov %ecx, %eax
	mov %ecx, %edx
	shl $4, %edx
	add $stubs, %edx
	call gate64
	dec %ecx
	jns 2b
	mov $GP, %eax
	mov $on_gp, %edx
	call gate64

	mov %cr4, %eax
	or $0x620, %eax		/* PAE, SSE */
	mov %eax, %cr4
	mov $PML4, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	lgdt gdtr
	lidt idtr
	ljmp $CODE64, $1f
	.code64
1:	mov $DATA64, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	mov $TSS, %eax
	ltr %ax
	mov $STACK0, %esp
	pushq $USER_DATA64
	pushq $USER_STACK
	pushq $2
	pushq $USER_CODE64
	pushq $USER
	iretq

	/* Error code; RIP, CS, RFLAGS, RSP, SS from FRAME0 on */
on_gp:
	mov 8(%rsp), %rax
	cmpb $0xf4, (%rax)	/* HLT */
	jne stubs + 16 * GP
	incq 8(%rsp)
	sti
	hlt
	cli
	jmp to_user
on_irq:
	mov $(LAPIC + 0xb0), %eax
	movl $0, (%rax)
to_user:
	mov $FRAME0, %esp
	iretq
	.align 16
stubs:
	.set vector, 0
	.rept 32
	.align 16
	pushq $vector
	jmp on_exception
	.set vector, vector + 1
	.endr
on_exception:			/* vector, then the frame in hex */
	mov $7, %ecx
	mov $0x3f8, %edx
1:	pop %rbx
	mov $' ', %eax
	out %al, %dx
	mov $16, %esi
2:	rol $4, %rbx
	mov %ebx, %eax
	and $15, %al
	cmp $10, %al
	jb 3f
	add $('a' - '0' - 10), %al
3:	add $'0', %al
	out %al, %dx
	dec %esi
	jnz 2b
	dec %ecx
	jnz 1b
	mov $0x3f, %eax
	mov $0xf4, %edx
	out %eax, %dx
4:	hlt
	jmp 4b
	.code32

gate64:				/* vector %eax, handler %edx, type %ebx */
	shl $4, %eax
	mov %dx, IDT(%eax)
	movw $CODE64, IDT + 2(%eax)
	mov %bx, IDT + 4(%eax)
	shr $16, %edx
	mov %edx, IDT + 6(%eax)
	movl $0, IDT + 8(%eax)
	movl $0, IDT + 12(%eax)
	ret

	.section .rodata
	.align 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff	/* CODE64, and the stack's */
	.quad 0x00cf93000000ffff
	.quad 0x00affb000000ffff	/* USER_CODE64, and the stack's */
	.quad 0x00cff3000000ffff
	.word TSS_BYTES - 1, TSS_AT & 0xffff, 0x8900 + (TSS_AT >> 16), 0
	.quad 0
gdtr:
	.word . - gdt - 1
	.long gdt
idtr:
	.word 0xfff
	.long IDT
	.align 8
user_image:
	.incbin "tests/guest/disk_user.flat"
user_image_end:
