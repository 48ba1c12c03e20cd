/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An option ROM that a BIOS boots a Linux kernel from, which lies in fw_cfg.
 *
 * Plug and Play BIOS Specification 1.0A, 3 "Option ROM Support"; fw_cfg's DMA interface (devices/chipset/fw_cfg.c); ACPI 6.3,
 * 15.1 "INT 15H, E820H"; Documentation/arch/x86/boot.rst, "Running the Kernel".
 *
 * The BIOS lists the ROM as a boot device by its header and calls the bootstrap entry vector. That reads setup code, command
 * line, kernel and initrd to where fw_cfg says, and starts the setup code, which finds its way from the header that the
 * machine has filled in. What does not fit below the end of RAM that the BIOS names is said, and the BIOS goes on with its
 * next device.
 *
 * It is data to the program it stands in: the machine puts in the checksums and offers it as a file of fw_cfg.
 */
#define FW_CFG_DMA_HIGH 0x514
#define FW_CFG_DMA_LOW	0x518

#define DMA_ERROR	0x01
#define DMA_SELECT_READ 0x0a

#define KERNEL_ADDR  0x07
#define KERNEL_SIZE  0x08
#define KERNEL_DATA  0x11
#define INITRD_ADDR  0x0a
#define INITRD_SIZE  0x0b
#define INITRD_DATA  0x12
#define CMDLINE_ADDR 0x13
#define CMDLINE_SIZE 0x14
#define CMDLINE_DATA 0x15
#define SETUP_ADDR   0x16
#define SETUP_SIZE   0x17
#define SETUP_DATA   0x18

#define HIGH_MEMORY 0x100000
#define SMAP	    0x534d4150
#define E820_RAM    1

#define OFFSET(label) ((label) - linuxboot_rom)

	.section .rodata
	.balign 16
	.globl linuxboot_rom
	.globl linuxboot_rom_end
	.code16
linuxboot_rom:
	.byte 0x55, 0xaa
	.byte OFFSET(linuxboot_rom_end) / 512
	xorw %ax, %ax			/* initialization: there is nothing to do */
	lretw
	.org linuxboot_rom + 0x07
	.byte 0				/* the ROM's checksum */
	.org linuxboot_rom + 0x1a
	.word OFFSET(pnp)

	.balign 16
pnp:
	.ascii "$PnP"
	.byte 1				/* revision */
	.byte 2				/* length, 16 bytes each */
	.word 0				/* next header */
	.byte 0
	.byte 0				/* the header's checksum */
	.long 0				/* device identifier */
	.word OFFSET(manufacturer)
	.word OFFSET(product)
	.byte 1, 0x80, 0		/* type: another mass storage */
	.byte 0x14			/* may be cached, an initial program load device */
	.word 0				/* boot connection vector */
	.word 0				/* disconnect vector */
	.word OFFSET(boot)		/* bootstrap entry vector */
	.word 0
	.word 0				/* static resources */
manufacturer:
	.asciz "evmm"
product:
	.asciz "Linux kernel (-kernel)"

/* What is read, in this order: keys of the address, of the size, of the bytes. */
items:
	.byte SETUP_ADDR, SETUP_SIZE, SETUP_DATA
	.byte CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
	.byte KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
	.byte INITRD_ADDR, INITRD_SIZE, INITRD_DATA
	.byte 0

no_room:
	.asciz "\r\nThe kernel or its initrd does not fit below the end of memory\r\n"
no_read:
	.asciz "\r\nfw_cfg: the kernel cannot be read\r\n"

boot:
	cld
	sti
	call end_of_ram
	movl %eax, %ebp
	movw $OFFSET(items), %bx
next_item:
	movzbw %cs:(%bx), %ax
	testw %ax, %ax
	jz start
	call read_number
	movl %eax, %edi			/* the address */
	movzbw %cs:1(%bx), %ax
	call read_number
	movl %eax, %ecx			/* the size */
	jecxz item_done
	cmpl $HIGH_MEMORY, %edi
	jb fits
	addl %edi, %eax
	jc does_not_fit
	cmpl %ebp, %eax
	ja does_not_fit
fits:
	movzbw %cs:2(%bx), %ax
	call read_item
	jc cannot_read
item_done:
	addw $3, %bx
	jmp next_item

/* SS:SP behind the heap, which ends where the command line begins. */
start:
	movw $CMDLINE_ADDR, %ax
	call read_number
	movl %eax, %ebx
	movw $SETUP_ADDR, %ax
	call read_number
	cli
	subl %eax, %ebx
	subw $16, %bx
	shrl $4, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %fs
	movw %ax, %gs
	movw %ax, %ss
	movw %bx, %sp
	addw $0x20, %ax
	pushw %ax
	pushw $0
	lretw

does_not_fit:
	movw $OFFSET(no_room), %si
	jmp say
cannot_read:
	movw $OFFSET(no_read), %si
say:
	movb %cs:(%si), %al
	incw %si
	testb %al, %al
	jz give_up
	movb $0x0e, %ah
	movw $7, %bx
	int $0x10
	jmp say
give_up:
	lretw

/* EAX: the 32-bit number in the item with key AX. Leaves all else as it is. */
read_number:
	pushl %ecx
	pushl %edi
	pushl $0
	movzwl %sp, %edi
	xorl %ecx, %ecx
	movw %ss, %cx
	shll $4, %ecx
	addl %ecx, %edi
	movl $4, %ecx
	call read_item
	popl %eax
	popl %edi
	popl %ecx
	ret

/* ECX bytes of the item with key AX, to physical address EDI. Carry: they can't be read. EAX is lost. */
read_item:
	pushw %bp
	pushl %edx
	bswapl %edi			/* the descriptor, from its end */
	pushl %edi
	bswapl %edi
	pushl $0
	bswapl %ecx
	pushl %ecx
	bswapl %ecx
	shll $16, %eax
	orl $DMA_SELECT_READ, %eax
	bswapl %eax
	pushl %eax
	movw %sp, %bp
	movw $FW_CFG_DMA_HIGH, %dx
	xorl %eax, %eax
	outl %eax, %dx
	movw %ss, %ax
	shll $4, %eax
	movzwl %bp, %edx
	addl %edx, %eax
	bswapl %eax
	movw $FW_CFG_DMA_LOW, %dx
	outl %eax, %dx
1:	pause
	movl %ss:(%bp), %eax
	bswapl %eax
	testl $~DMA_ERROR, %eax
	jnz 1b
	addw $16, %sp
	popl %edx
	popw %bp
	shrb $1, %al			/* DMA_ERROR */
	ret

/* EAX: where the RAM ends that begins at or below 1 MiB and reaches beyond it; 0: there is none. */
end_of_ram:
	pushw %es
	subw $20, %sp
	movw %sp, %di
	pushw %ss
	popw %es
	xorl %ebx, %ebx
next_range:
	movl $0xe820, %eax
	movl $20, %ecx
	movl $SMAP, %edx
	int $0x15
	jc no_range
	cmpl $SMAP, %eax
	jne no_range
	cmpl $E820_RAM, %es:16(%di)
	jne other_range
	cmpl $0, %es:4(%di)
	jne other_range
	cmpl $HIGH_MEMORY, %es:(%di)
	ja other_range
	movl %es:(%di), %eax
	addl %es:8(%di), %eax
	cmpl $HIGH_MEMORY, %eax
	ja range_found
other_range:
	testl %ebx, %ebx
	jnz next_range
no_range:
	xorl %eax, %eax
range_found:
	addw $20, %sp
	popw %es
	ret

	.balign 512
linuxboot_rom_end:

	.section .note.GNU-stack, "", @progbits
