/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suspends to RAM twice, and is woken by the RTC's alarm: once after it fell asleep, once because that had come already. As a kernel
 * it goes on at the waking vector in the FACS; as firmware at the reset vector, where CMOS says that it slept.
 */
#include "kit.h"

#define CMOS_STAGE    0x50
#define CMOS_SHUTDOWN 0x0f
#define RESUME	      0xfe
#define TRAMPOLINE    0x8000
#define KEPT	      0x300000
#define MAGIC	      0x5eed1234

#define PM_BASE 0x600
#define RTC_EN	0x400
#define WAK_RTC 0x8400
#define SLEEP	0x2401 /* SLP_EN, type 1, SCI_EN */

	.macro CMOS_IN index
	mov $\index, %al
	outb %al, $0x70
	inb $0x71, %al
	.endm
	.macro CMOS_OUT index, value
	mov $\index, %al
	outb %al, $0x70
	mov $\value, %al
	outb %al, $0x71
	.endm
	.macro PCI_OUT address, value
	mov $0xcf8, %edx
	mov $\address, %eax
	out %eax, %dx
	mov $0xcfc, %edx
	mov $\value, %eax
	out %eax, %dx
	.endm

	.globl guest_main
guest_main:
	call place_pm
	CMOS_IN CMOS_SHUTDOWN
	cmp $RESUME, %al
	je woken
	movl $MAGIC, KEPT
	call set_vector
	SAY "sleeping\n"
	CMOS_OUT CMOS_STAGE, 1
	call alarm_each_second
	call sleep

woken:
	CMOS_OUT CMOS_SHUTDOWN, 0
	mov $PM_BASE, %edx
	in %dx, %ax
	and $WAK_RTC, %ax
	cmp $WAK_RTC, %ax
	jne failed
	cmpl $MAGIC, KEPT
	jne failed
	CMOS_IN CMOS_STAGE
	cmp $2, %al
	je again
	SAY "woken by the RTC; RAM is as it was\n"
	CMOS_OUT CMOS_STAGE, 2
	call alarm_each_second
1:	mov $PM_BASE, %edx	/* its status is there though nobody sleeps */
	in %dx, %ax
	test $RTC_EN, %ax
	jz 1b
	call sleep
again:
	SAY "awake at once: the alarm came before\ndone\n"
	xor %eax, %eax
	jmp kit_exit
failed:
	HEX16
	SAY " is the status, and in RAM "
	mov KEPT, %eax
	HEX32
	NEWLINE
	mov $1, %eax
	jmp kit_exit

sleep:
	mov $(PM_BASE + 2), %edx
	mov $RTC_EN, %ax
	out %ax, %dx
	mov $(PM_BASE + 4), %edx
	mov $SLEEP, %ax
	out %ax, %dx
1:	pause
	jmp 1b

/* Alarm bytes that match any time, and their interrupt. */
alarm_each_second:
	CMOS_OUT 1, 0xc0
	CMOS_OUT 3, 0xc0
	CMOS_OUT 5, 0xc0
	CMOS_IN 0x0c
	CMOS_OUT 0x0b, 0x22
	ret

/* Where the board has not put the ports already: PIIX4 at 0:1.3, ICH9 at 0:1f.0. */
place_pm:
	mov $0xcf8, %edx
	mov $0x80000b00, %eax
	out %eax, %dx
	mov $0xcfc, %edx
	in %dx, %eax
	cmp $0x71138086, %eax
	jne 1f
	PCI_OUT 0x80000b40, PM_BASE
	PCI_OUT 0x80000b80, 1
	ret
1:	PCI_OUT 0x8000f840, PM_BASE
	PCI_OUT 0x8000f844, 0x80
	ret

/* RSDP -> RSDT -> FADT -> FACS. Without tables nothing is to be set: firmware has none. */
set_vector:
	mov $TRAMPOLINE, %edi
	mov $trampoline, %esi
	mov $(trampoline_end - trampoline), %ecx
	rep movsb
	mov $0xe0000, %ebx
1:	cmpl $0x20445352, (%ebx)	/* "RSD PTR " */
	jne 2f
	cmpl $0x20525450, 4(%ebx)
	je 3f
2:	add $16, %ebx
	cmp $0x100000, %ebx
	jb 1b
	ret
3:	mov 16(%ebx), %ebx
	mov 4(%ebx), %ecx
	add %ebx, %ecx
	add $36, %ebx
4:	cmp %ecx, %ebx
	jae 5f
	mov (%ebx), %eax
	add $4, %ebx
	cmpl $0x50434146, (%eax)	/* "FACP" */
	jne 4b
	mov 36(%eax), %eax
	movl $TRAMPOLINE, 12(%eax)
5:	ret

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
	mov $kit_stack_top, %esp
	mov $woken, %eax
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
