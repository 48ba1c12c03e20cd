/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's interrupt wiring, which its boards have in common:
 *
 *	GSI 0-15	the ISA lines: to the 8259s, and to the IOAPIC's pin of that number; but
 *	GSI 0		(the timer) to IOAPIC pin 2, as the MADT says: pin 0 is the 8259's
 *	GSI 2		is the cascade, and no line
 *	GSI 16-23	IOAPIC only
 *	8259 INTR	LINT0 of the boot processor
 *
 * The chips are devices of ours, or the accelerator's (IRQCHIP_KERNEL), which then takes the GSIs, and has the 8254 too.
 */
#ifndef EVMM_BOARD_PC_IRQ_H
#define EVMM_BOARD_PC_IRQ_H

#include "src/machine.h"

#define PC_IRQ_IOAPIC_BASE 0xfec00000

struct pc_irq {
	struct machine *machine;
	struct device *pic, *ioapic; /* of either kind */
	struct device *pit;	     /* NULL: the accelerator's */
};

/* Creates the chips, 8254 included, and wires the machine's GSIs to them. */
void pc_irq_create(struct pc_irq *irqs, struct machine *m);
/* The same without 8259s, 8254. False where the accelerator has its own, and they go with the rest. */
bool pc_irq_create_some(struct pc_irq *irqs, struct machine *m, bool pic, bool pit,
			struct error *err);

#endif
