/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ISA devices share: ports in the I/O space, and interrupt lines that several devices may
 * drive. Loop thread.
 */
#ifndef EVMM_DEVICES_ISA_H
#define EVMM_DEVICES_ISA_H

#include "src/machine.h"

#define ISA_IRQS 16

/* False, naming the device, when N is no line that a card can have (2 is the cascade). */
bool isa_connect_irq(struct device *dev, struct irq *irq, unsigned n, struct error *err);
/* Lowers the line first, so that the others who share it are left alone on it. */
void isa_disconnect_irq(struct irq *irq);

/* Adds R at PORT; false, naming the device, when it doesn't fit below 64 Ki. */
bool isa_add_ports(struct device *dev, struct region *r, uint64_t port, struct error *err);

#endif
