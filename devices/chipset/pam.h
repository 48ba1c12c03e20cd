/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programmable attribute maps and the SMRAM window of Intel's host bridges (82441FX PMC 290549-001 sections 3.2.18 and
 * 3.2.22; Q35 MCH 317607 sections 5.1.17 to 5.1.24): who answers between A0000h and FFFFFh, RAM or what is on the bus.
 *
 *	segment		register	bits
 *	F0000 64 KiB	PAM0		5-4
 *	C0000 16 KiB	PAM1		1-0	then 5-4, and on to EFFFF in PAM6
 *
 * Of a pair, the lower bit sends reads to RAM, the upper one writes. A0000h to BFFFFh are the bus's, unless SMRAM is
 * open. RAM lies below all this; the windows that are needed lie over it. Loop thread.
 */
#ifndef EVMM_DEVICES_PAM_H
#define EVMM_DEVICES_PAM_H

#include "src/machine.h"

#define PAM_REGISTERS 7 /* PAM0 to PAM6 */
#define PAM_SEGMENTS  13
#define PAM0_WRITABLE 0x30
#define PAM_WRITABLE  0x33

#define SMRAM_WRITABLE 0x78
#define SMRAM_OPEN     0x40 /* D_OPEN */
#define SMRAM_LOCK     0x10 /* D_LCK */
#define SMRAM_ENABLE   0x08 /* G_SMRAME */

struct pam {
	struct address_space *mem;
	struct region unclaimed;	    /* of the bus, where nothing else is */
	struct region vga_window;	    /* A0000h: the bus */
	struct region window[PAM_SEGMENTS]; /* the bus */
	struct region shadow[PAM_SEGMENTS]; /* RAM that cannot be written */
};

/* BUS: what is there besides RAM, addressed as memory is. */
void pam_init(struct pam *pam, struct machine *m, struct region *bus);
void pam_fini(struct pam *pam);
/* The registers changed. */
void pam_update(struct pam *pam, const uint8_t registers[PAM_REGISTERS], uint8_t smram);

/* Sets them to what makes all segments RAM. */
void pam_fill(uint8_t registers[PAM_REGISTERS]);

#endif
