/* SPDX-License-Identifier: BSD-2-Clause */
/* INS and OUTS in all widths, up and down, one and many, across pages, and more at a time than a page. */
#include "kit.h"

#define FW_CFG_SELECT 0x510
#define FW_CFG_DATA   0x511
#define FW_CFG_DIR    0x19
#define MANY	      5000
#define BUFFER	      0x300ffb /* five bytes before a page's end */
#define BUFFER2	      0x310ffb

	.macro SELECT item
	mov $FW_CFG_SELECT, %edx
	mov $\item, %eax
	outw %ax, %dx
	mov $FW_CFG_DATA, %edx
	.endm

	.globl guest_main
guest_main:
	mov $text, %esi
	mov $(text_end - text), %ecx
	mov $OUTPUT, %edx
	rep outsb
	mov $(text_end - 1), %esi
	mov $(text_end - text), %ecx
	std
	rep outsb
	cld
	NEWLINE
	xor %ecx, %ecx		/* not one */
	mov $text, %esi
	rep outsb
	cmp $text, %esi
	setne %al
	HEX8
	NEWLINE

	/* down to up, the last one stays */
	SAY "outs "
	mov $words, %esi
	mov $3, %ecx
	mov $TESTPIO, %edx
	rep outsl
	in $TESTPIO, %eax
	HEX32
	SPACE
	mov $(words + 10), %esi
	mov $4, %ecx
	std
	rep outsw
	cld
	in $TESTPIO, %eax
	HEX32
	SPACE
	outsb			/* without a prefix */
	in $TESTPIO, %eax
	HEX32
	SPACE
	mov %esi, %eax
	sub $words, %eax
	HEX32
	NEWLINE

	SAY "ins up "
	SELECT 0
	mov $BUFFER, %edi
	mov $4, %ecx
	rep insb
	mov BUFFER, %eax
	HEX32
	SAY ", down "
	SELECT 0
	mov $(BUFFER + 7), %edi
	mov $4, %ecx
	std
	rep insb
	cld
	mov BUFFER + 4, %eax	/* over the page's end */
	HEX32
	SPACE
	mov %edi, %eax
	HEX32
	NEWLINE
	SAY "ins wide "
	mov $0x55667788, %eax
	out %eax, $TESTPIO
	mov $TESTPIO, %edx
	mov $(BUFFER + 2), %edi
	mov $3, %ecx
	rep insl
	mov $2, %ecx
	rep insw
	mov BUFFER + 2, %eax
	HEX32
	SPACE
	mov BUFFER + 5, %eax
	HEX32
	SPACE
	mov BUFFER + 14, %eax
	HEX32
	SPACE
	mov %edi, %eax
	HEX32
	NEWLINE

	SAY "many: "
	SELECT FW_CFG_DIR
	mov $BUFFER, %edi
	mov $MANY, %ecx
	rep insb
	SELECT FW_CFG_DIR
	mov $BUFFER2, %edi
	mov $MANY, %ecx
1:	in %dx, %al
	stosb
	loop 1b
	mov $BUFFER, %esi
	mov $BUFFER2, %edi
	mov $MANY, %ecx
	repe cmpsb
	setne %al
	HEX8
	SPACE
	mov %ecx, %eax
	HEX32
	/* and out: the last of them shows */
	mov $BUFFER, %edi
	mov $MANY, %ecx
	xor %eax, %eax
2:	mov %al, (%edi, %eax)
	inc %eax
	loop 2b
	mov $BUFFER, %esi
	mov $MANY, %ecx
	mov $TESTPIO, %edx
	rep outsb
	in $TESTPIO, %eax
	SPACE
	HEX32
	NEWLINE

	/* in 16-bit addresses SI wraps, and the upper half stays */
	SAY "wrap "
	movb $'a', 0xffff
	movb $'b', 0
	mov $0x1234ffff, %esi
	mov $2, %ecx
	mov $OUTPUT, %edx
	addr16 rep outsb
	SPACE
	mov %esi, %eax
	HEX32
	NEWLINE
	ret

	.section .rodata
text:
	.ascii "<a string of text> "
text_end:
words:
	.long 0x11111111, 0x22222222, 0x33334444
