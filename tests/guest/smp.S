/* SPDX-License-Identifier: BSD-2-Clause */
/* INIT and SIPI to three more processors, IPIs to and fro, to one, to all, and an NMI. */
#include "kit.h"

#define TRAMPOLINE 0x8000
#define CPUS	   4

	.globl guest_main
guest_main:
	GATE 0x81, on_ipi
	GATE 0x82, on_answer
	GATE 0x83, on_all
	GATE 2, on_nmi
	GATE 0xff, on_spurious
	movl $0x1ff, LAPIC + 0xf0
	mov $trampoline, %esi
	mov $TRAMPOLINE, %edi
	mov $(trampoline_end - trampoline), %ecx
	rep movsb

	SAY "starting: "
	movl $0xc4500, LAPIC + 0x300	/* INIT, all but self */
	call wait_sent
	movl $(0xc4600 | TRAMPOLINE >> 12), LAPIC + 0x300
	call wait_sent
1:	pause
	cmpl $(CPUS - 1), up
	jb 1b
	movl $(0xc4600 | TRAMPOLINE >> 12), LAPIC + 0x300 /* who is up is not disturbed */
	call wait_sent
	mov up, %eax
	HEX32
	xor %ebx, %ebx
2:	SPACE
	mov seen(, %ebx, 4), %eax	/* what each found in its APIC's id */
	HEX32
	inc %ebx
	cmp $CPUS, %ebx
	jb 2b
	NEWLINE

	SAY "one by one: "
	mov $1, %ebx
3:	mov %ebx, %eax
	shl $24, %eax
	mov %eax, LAPIC + 0x310
	movl $0x4081, LAPIC + 0x300
	mov %ebx, %edi
	call wait_answers
	mov ipis(, %ebx, 4), %eax
	HEX32
	SPACE
	inc %ebx
	cmp $CPUS, %ebx
	jb 3b
	NEWLINE

	SAY "a thousand each: "
	mov $1000, %ebp
4:	mov $1, %ebx
5:	mov %ebx, %eax
	shl $24, %eax
	mov %eax, LAPIC + 0x310
	mov answers, %edi
	inc %edi
	movl $0x4081, LAPIC + 0x300
	call wait_answers
	inc %ebx
	cmp $CPUS, %ebx
	jb 5b
	dec %ebp
	jnz 4b
	mov $1, %ebx
6:	mov ipis(, %ebx, 4), %eax
	HEX32
	SPACE
	inc %ebx
	cmp $CPUS, %ebx
	jb 6b
	NEWLINE

	SAY "to all: "
	movl $0x84083, LAPIC + 0x300	/* including self */
	sti
7:	pause
	cmpl $CPUS, alls
	jb 7b
	cli
	mov alls, %eax
	HEX32
	NEWLINE

	SAY "NMI: "
	movl $0x2000000, LAPIC + 0x310
	movl $0x4400, LAPIC + 0x300
8:	pause
	cmpl $0, nmi_from
	je 8b
	mov nmi_from, %eax
	HEX32
	NEWLINE

	SAY "INIT stops one: "
	movl $0x3000000, LAPIC + 0x310
	movl $0x4500, LAPIC + 0x300
	call wait_sent
	movl $0, alls
	movl $0xc4083, LAPIC + 0x300	/* the others */
9:	pause
	cmpl $2, alls
	jb 9b
	mov $100000, %ecx
10:	pause
	loop 10b
	mov alls, %eax
	HEX32
	NEWLINE
	ret

wait_sent:
	testl $0x1000, LAPIC + 0x300
	jnz wait_sent
	ret

/* Until there were %edi answers, asleep. */
wait_answers:
	cli
	cmp %edi, answers
	jae 1f
	sti
	hlt
	jmp wait_answers
1:	ret

/* On the others; their id in %ebx. */
another:
	mov LAPIC + 0x20, %ebx
	shr $24, %ebx
	mov %ebx, %esp
	inc %esp
	shl $12, %esp
	add $0x200000, %esp
	lidt kit_idtr
	movl $0x1ff, LAPIC + 0xf0
	mov %ebx, seen(, %ebx, 4)
	lock incl up
1:	sti
	hlt
	jmp 1b

on_ipi:
	push %ebx
	mov LAPIC + 0x20, %ebx
	shr $24, %ebx
	incl ipis(, %ebx, 4)
	movl $0, LAPIC + 0xb0
	movl $0, LAPIC + 0x310
	movl $0x4082, LAPIC + 0x300
	pop %ebx
	IRETURN
on_answer:
	incl answers
	movl $0, LAPIC + 0xb0
	IRETURN
on_all:
	lock incl alls
	movl $0, LAPIC + 0xb0
	IRETURN
on_nmi:
	push %ebx
	mov LAPIC + 0x20, %ebx
	shr $24, %ebx
	mov %ebx, nmi_from
	pop %ebx
	IRETURN
on_spurious:
	IRETURN

	.section .rodata
trampoline:
	.code16
	cli
	lgdtl %cs:(gdtr - trampoline)
	mov %cr0, %eax
	or $1, %al
	and $0x9fffffff, %eax
	mov %eax, %cr0
	ljmpl $CODE32, $(1f - trampoline + TRAMPOLINE)
	.code32
1:	mov $DATA32, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $another, %eax
	jmp *%eax
	.align 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdtr:
	.word gdtr - gdt - 1
	.long gdt - trampoline + TRAMPOLINE
trampoline_end:

	.bss
	.align 4
up:	.skip 4
alls:	.skip 4
nmi_from: .skip 4
answers: .skip 4
seen:	.skip 4 * CPUS
ipis:	.skip 4 * CPUS
