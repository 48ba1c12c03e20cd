/* SPDX-License-Identifier: BSD-2-Clause */
/* pvpanic: the register that ISA card and PCI function have in common. Loop thread. */
#ifndef EVMM_PVPANIC_H
#define EVMM_PVPANIC_H

#include "src/machine.h"

extern const struct device_type pvpanic_isa_type, pvpanic_pci_type;

struct pvpanic {
	struct device *dev;
	struct region region;
	uint8_t events; /* configuration: those that the guest is told of */
};

#define PVPANIC_PANICKED    0x01
#define PVPANIC_CRASHLOADED 0x02
#define PVPANIC_EVENTS	    (PVPANIC_PANICKED | PVPANIC_CRASHLOADED)

/* From realize: REGION is of BYTES, the register its first. */
void pvpanic_init(struct pvpanic *p, struct device *dev, unsigned bytes);

#define PVPANIC_PROP_EVENTS(S)                                              \
	DEFINE_PROP(S, panic.events, "events", PROP_U8, PVPANIC_EVENTS,     \
		    "events that the guest may tell of: 1 a panic, 2 that " \
		    "another kernel takes over after one")

#endif
