/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up, interrupts and output of 64-bit guests in ring 3; kit64.h. */
#define CODE64	   8
#define DATA	   16
#define CODE32	   24
#define USER_DATA  (32 | 3)
#define USER_CODE  (40 | 3)
#define TSS	   48	/* 16 bytes for each CPU */
#define CPUS	   2
#define VECTOR	   0x40
#define VECTORS	   4
#define LAPIC	   0xfee00000
#define TRAMPOLINE 0x8000
#define STACK	   16384
#define TSS_BYTES  (104 + 8192 + 1) /* with an I/O map that allows all: software KVMs lose the IOPL */
#define EFER	   0xc0000080
#define STAR	   0xc0000081
#define USER_FLAGS 0x3202 /* IOPL 3, IF */

	.section .note.pvh, "a", @note
	.align 4
	.long 4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

/* ---- from protected mode to ring 3 of long mode ---- */

	.section .text.start, "ax"
	.code32
	.globl _start
_start:
	cld
	cli
	mov $kernel_stacks + STACK, %esp
	mov $kit_bss, %edi
	mov $kit_bss_end, %ecx
	sub %edi, %ecx
	shr $2, %ecx
	xor %eax, %eax
	rep stosl
	mov %ebx, start_info
	call page_tables
	xor %esi, %esi
	jmp long_mode

/* 4 GiB in pages of 2 MiB, open to ring 3. */
page_tables:
	movl $pdpt + 7, pml4
	mov $pds + 7, %eax
	xor %ecx, %ecx
1:	mov %eax, pdpt(, %ecx, 8)
	add $4096, %eax
	inc %ecx
	cmp $4, %ecx
	jb 1b
	mov $0x87, %eax
	xor %ecx, %ecx
2:	mov %eax, pds(, %ecx, 8)
	add $0x200000, %eax
	inc %ecx
	cmp $2048, %ecx
	jb 2b
	ret

/* CPU %esi, protected mode. */
long_mode:
	lgdt gdtr
	mov %cr4, %eax
	or $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $EFER, %ecx
	rdmsr
	or $0x101, %eax		/* LME, SCE */
	wrmsr
	mov $STAR, %ecx
	xor %eax, %eax
	mov $((USER_DATA - 8) << 16 | CODE64), %edx
	wrmsr
	mov %cr0, %eax
	and $0x9ffffffb, %eax	/* caches on, no EM */
	or $0x80000002, %eax	/* PG, MP */
	mov %eax, %cr0
	ljmp $CODE64, $1f
	.code64
1:	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %esi, %eax		/* its stack for ring 0, and one for ring 3 */
	inc %eax
	imul $STACK, %eax
	lea kernel_stacks(%rax), %rsp
	lea user_stacks(%rax), %rdi
	imul $TSS_BYTES, %esi, %eax
	lea tss(%rax), %rbx
	mov %rsp, 4(%rbx)	/* RSP0 */
	movw $104, 102(%rbx)
	movb $0xff, 104+8192(%rbx)
	mov %esi, %edx
	shl $4, %edx
	lea gdt + TSS(%rdx), %rcx
	mov %ebx, %eax
	shl $16, %eax
	or $TSS_BYTES - 1, %eax
	mov %eax, (%rcx)
	mov %ebx, %eax
	shr $16, %eax
	mov %al, 4(%rcx)
	movb $0x89, 5(%rcx)
	movb $0, 6(%rcx)
	mov %ah, 7(%rcx)
	add $TSS, %edx
	ltr %dx
	test %esi, %esi
	jnz 2f
	call idt_init
	call pic_init
2:	lidt idtr
	mov $LAPIC, %ecx
	movl $0x1ff, 0xf0(%rcx)
	mov $first, %ecx
	test %esi, %esi
	jz 3f
	mov $other, %ecx
3:	pushq $USER_FLAGS & ~0x200
	popfq
	mov $USER_FLAGS, %r11d
	mov %rdi, %rsp
	sysretq

	.text
first:
	mov start_info, %eax
	mov $no_cmdline, %edi
	test %eax, %eax
	jz 1f
	cmpl $0, 24(%rax)	/* cmdline_paddr of hvm_start_info */
	je 1f
	mov 24(%rax), %edi
1:	call guest_main
	xor %edi, %edi
	.globl kit64_exit
kit64_exit:
	mov %edi, %eax
	mov $0xf4, %edx
	out %eax, %dx
1:	pause
	jmp 1b

other:
	call guest_other
1:	pause
	jmp 1b

/* ---- the other CPU ---- */

	.weak guest_other
	.globl kit64_start_cpu
kit64_start_cpu:
	mov $trampoline, %esi
	mov $TRAMPOLINE, %edi
	mov $(trampoline_end - trampoline), %ecx
	rep movsb
	mov $LAPIC, %edx
	movl $0x1000000, 0x310(%rdx)
	movl $0x4500, 0x300(%rdx)	/* INIT to APIC id 1 */
	call sent
	movl $0x1000000, 0x310(%rdx)
	movl $(0x4600 | TRAMPOLINE >> 12), 0x300(%rdx)
sent:	testl $0x1000, 0x300(%rdx)
	jnz sent
	ret

	.section .rodata
trampoline:
	.code16
	cli
	lgdtl %cs:(trampoline_gdtr - trampoline)
	mov %cr0, %eax
	or $1, %al
	and $0x9fffffff, %eax
	mov %eax, %cr0
	ljmpl $CODE32, $(1f - trampoline + TRAMPOLINE)
	.code32
1:	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $1, %esi
	mov $long_mode, %eax
	jmp *%eax
	.align 8
trampoline_gdtr:
	.word gdt_end - gdt - 1
	.long gdt
trampoline_end:
	.code64

/* ---- interrupts ---- */

	.section .text.start, "ax"
gate:				/* vector %eax, handler %edx */
	shl $4, %eax
	mov %dx, idt(%rax)
	movw $CODE64, idt + 2(%rax)
	movw $0x8e00, idt + 4(%rax)
	shr $16, %edx
	mov %dx, idt + 6(%rax)
	ret

idt_init:
	xor %ecx, %ecx
1:	mov %ecx, %eax
	lea exceptions(, %ecx, 8), %edx
	call gate
	inc %ecx
	cmp $32, %ecx
	jb 1b
	xor %ecx, %ecx
2:	lea VECTOR(%rcx), %eax
	lea vectors(, %ecx, 8), %edx
	call gate
	inc %ecx
	cmp $VECTORS, %ecx
	jb 2b
	mov $0xff, %eax
	mov $spurious, %edx
	call gate
	ret

pic_init:
	mov $0xff, %al
	outb %al, $0x21
	outb %al, $0xa1
	ret

	.align 8
exceptions:
	.set n, 0
	.rept 32
	.align 8
	pushq $n
	jmp exception
	.set n, n + 1
	.endr
	.align 8
vectors:
	.set n, 0
	.rept VECTORS
	.align 8
	pushq $n
	jmp interrupt
	.set n, n + 1
	.endr

interrupt:
	push %rax
	push %rdx
	push %rcx
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov 24(%rsp), %rcx
	shl $4, %ecx
	mov %rax, kit64_irqs + 8(%rcx)
	incq kit64_irqs(%rcx)
	mov $LAPIC, %ecx
	movl $0, 0xb0(%rcx)
	pop %rcx
	pop %rdx
	pop %rax
	add $8, %rsp
spurious:
	iretq

exception:			/* vector, [error,] rip, cs, rflags, rsp, ss */
	mov $exception_text, %edi
	call kit64_puts
	mov $7, %ebx
1:	pop %rdi
	call kit64_putx
	mov $space, %edi
	call kit64_puts
	dec %ebx
	jnz 1b
	mov $0x3f, %edi
	jmp kit64_exit

/* ---- output ---- */

	.text
	.globl kit64_puts, kit64_putu, kit64_putx
kit64_puts:
	mov $0x402, %edx
1:	mov (%rdi), %al
	test %al, %al
	jz 2f
	out %al, %dx
	inc %rdi
	jmp 1b
2:	ret

kit64_putx:
	mov $16, %ecx
	jmp put
kit64_putu:
	mov $10, %ecx
put:	mov %rdi, %rax
	lea digits_end, %edi
1:	xor %edx, %edx
	div %rcx
	cmp $10, %dl
	jb 2f
	add $('a' - '0' - 10), %dl
2:	add $'0', %dl
	dec %edi
	mov %dl, (%rdi)
	test %rax, %rax
	jnz 1b
	jmp kit64_puts

	.section .rodata
exception_text:
	.asciz "exception, vector and stack: "
space:	.asciz " "
no_cmdline:
	.byte 0

	.data
	.align 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* CODE64 */
	.quad 0x00cf93000000ffff	/* DATA */
	.quad 0x00cf9b000000ffff	/* CODE32 */
	.quad 0x00cff3000000ffff	/* USER_DATA */
	.quad 0x00affb000000ffff	/* USER_CODE */
	.skip 16 * CPUS			/* TSS */
gdt_end:
gdtr:	.word gdt_end - gdt - 1
	.long gdt
idtr:	.word 256 * 16 - 1
	.quad idt
start_info:
	.long 0
digits:	.skip 24
digits_end:
	.byte 0

	.bss
	.align 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pds:	.skip 4 * 4096
	.globl kit64_idt
kit64_idt:
idt:	.skip 256 * 16
tss:	.skip TSS_BYTES * CPUS
	.align 16
	.globl kit64_irqs
kit64_irqs:
	.skip 16 * VECTORS
	.align 16
kernel_stacks:
	.skip STACK * CPUS
user_stacks:
	.skip STACK * CPUS
