/* SPDX-License-Identifier: BSD-2-Clause */
/* HPET: what its board does with it, and what it does to the timers whose interrupts it takes over. Loop thread. */
#ifndef EVMM_HPET_H
#define EVMM_HPET_H

#include "src/machine.h"

#define HPET_BASE 0xfed00000u

extern const struct device_type hpet_type;

/* Whose interrupts legacy replacement takes: PIT NULL is the accelerator's. Before the first reset. */
void hpet_wire(struct device *dev, struct device *pit, struct device *rtc);

/* i8254.c, mc146818.c: from now on, its interrupt line stays low while REPLACED. */
void i8254_set_replaced(struct device *dev, bool replaced);
void mc146818_set_replaced(struct device *dev, bool replaced);

#endif
