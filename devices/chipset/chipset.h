/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chipset's parts as a board wires them: each type, and the pins that are not on a bus. All
 * take the struct device that device_create_builtin made (or the opaque pointer that stands for it
 * in an irq_fn). Loop thread.
 */
#ifndef EVMM_DEVICES_CHIPSET_H
#define EVMM_DEVICES_CHIPSET_H

#include "src/machine.h"

extern const struct device_type i8259_type, i8254_type, ioapic_type, mc146818_type, port92_type,
	reset_control_type, system_rom_type;

/* Those of an accelerator that has them (IRQCHIP_KERNEL), as devices; kernel_irqchip.c. */
extern const struct device_type kernel_i8259_type, kernel_ioapic_type, kernel_pit_type;
/* A GSI of the board's goes there: for `info irq`. PIN is the IOAPIC's. */
void kernel_i8259_note_irq(struct device *dev, unsigned n, bool level);
void kernel_ioapic_note_irq(struct device *dev, unsigned pin, bool level);

/*
 * 8259 pair: inputs IR0-IR15 (IR2 is the slave's), the INTR output, the acknowledge cycle's vector.
 */
void i8259_set_irq(void *opaque, unsigned n, bool level);
uint8_t i8259_intack(void *opaque);
struct irq *i8259_intr(struct device *dev);

/* IOAPIC: pins 0-23; the EOI message of the local APICs. */
void ioapic_set_irq(void *opaque, unsigned pin, bool level);
void ioapic_eoi(void *opaque, uint8_t vector);

/* CMOS RAM, for boards and firmware interfaces that leave something there; its checksum follows. */
void mc146818_set_cmos(struct device *dev, unsigned index, uint8_t value);
uint8_t mc146818_get_cmos(struct device *dev, unsigned index);

/* RCR as a region of one byte: the host bridge hands it the byte accesses to CF9h. */
struct region *reset_control_region(struct device *dev);

/* Shows the ROM in MEMORY, which is addressed as the guest's is: below 4 GiB and below 1 MiB. */
void system_rom_map(struct device *dev, struct region *memory);
/* Without an image: shows the end of N bytes of another chip's below 1 MiB. */
void system_rom_map_low(struct device *dev, const uint8_t *bytes, uint64_t n,
			struct region *memory);

#endif
