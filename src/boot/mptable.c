/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MultiProcessor table (Intel MultiProcessor Specification 1.4, chapter 4).
 *
 *	offset	what					section
 *	0	floating pointer structure		4.1
 *	16	configuration table header		4.2
 *	60	processors, one ISA bus, the IOAPIC	4.3.1 to 4.3.3
 *	then	interrupts of the IOAPIC and of LINTn	4.3.4, 4.3.5
 *
 * Not told: PCI interrupts, processors whose APIC ID does not fit in a byte.
 */
#include "src/boot/mptable.h"

#define FLOATING_BYTES	  16
#define FLOATING_CHECKSUM 10
#define SPEC_REVISION	  4 /* 1.4 */

/* The header, offsets */
enum { HEADER_LENGTH = 4, HEADER_CHECKSUM = 7, HEADER_ENTRIES = 34 };

/* Entry types, in the order that they stand in */
enum { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_IO_INTERRUPT, MP_LOCAL_INTERRUPT };

enum { INT_VECTORED = 0, INT_NMI = 1, INT_EXTINT = 3 };

#define CPU_ENABLED	 BIT(0)
#define CPU_BOOT	 BIT(1)
#define IOAPIC_ENABLED	 BIT(0)
#define INTI_BUS_DEFAULT 0x0
#define INTI_LEVEL_HIGH	 0xd
#define LOCAL_VERSION	 0x14
#define IOAPIC_VERSION	 0x11
#define LAPIC_ADDRESS	 0xfee00000u
#define ALL_PROCESSORS	 0xff
#define ISA_BUS		 0
#define ISA_IRQS	 16
#define IRQ_TIMER	 0
#define IRQ_CASCADE	 2
#define PIN_TIMER	 2

static uint8_t checksum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return (uint8_t)-s;
}

static void add_floating(struct aml *a, gpa_t gpa)
{
	aml_raw(a, "_MP_", 4);
	aml_u32(a, (uint32_t)gpa + FLOATING_BYTES);
	aml_u8(a, FLOATING_BYTES / 16);
	aml_u8(a, SPEC_REVISION);
	aml_u8(a, 0);
	aml_u8(a, 0);  /* no default configuration */
	aml_u32(a, 0); /* virtual wire mode: no IMCR */
	a->bytes[FLOATING_CHECKSUM] = checksum(a->bytes, FLOATING_BYTES);
}

static void add_header(struct aml *a)
{
	aml_raw(a, "PCMP", 4);
	aml_u16(a, 0);
	aml_u8(a, SPEC_REVISION);
	aml_u8(a, 0);
	aml_raw(a, "EVMM    ", 8);
	aml_raw(a, "microvm     ", 12);
	aml_u32(a, 0); /* no table of the maker's */
	aml_u16(a, 0);
	aml_u16(a, 0);
	aml_u32(a, LAPIC_ADDRESS);
	aml_u32(a, 0); /* no extended entries */
}

static unsigned add_processors(struct aml *a, const struct acpi_board *b, uint32_t signature,
			       uint32_t features)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->cpus; i++) {
		if (b->apic_ids[i] >= ALL_PROCESSORS)
			continue;
		aml_u8(a, MP_PROCESSOR);
		aml_u8(a, (uint8_t)b->apic_ids[i]);
		aml_u8(a, LOCAL_VERSION);
		aml_u8(a, CPU_ENABLED | (i ? 0 : CPU_BOOT));
		aml_u32(a, signature);
		aml_u32(a, features);
		aml_u64(a, 0);
		n++;
	}
	return n;
}

static void add_bus_and_ioapic(struct aml *a, const struct acpi_board *b)
{
	aml_u8(a, MP_BUS);
	aml_u8(a, ISA_BUS);
	aml_raw(a, "ISA   ", 6);
	aml_u8(a, MP_IOAPIC);
	aml_u8(a, (uint8_t)b->ioapic_id);
	aml_u8(a, IOAPIC_VERSION);
	aml_u8(a, IOAPIC_ENABLED);
	aml_u32(a, b->ioapic_addr);
}

static void add_interrupt(struct aml *a, unsigned entry, unsigned type, unsigned flags,
			  unsigned irq, unsigned apic, unsigned pin)
{
	aml_u8(a, (uint8_t)entry);
	aml_u8(a, (uint8_t)type);
	aml_u16(a, (uint16_t)flags);
	aml_u8(a, ISA_BUS);
	aml_u8(a, (uint8_t)irq);
	aml_u8(a, (uint8_t)apic);
	aml_u8(a, (uint8_t)pin);
}

/* A virtio transport holds its line until the driver has acknowledged all: an edge for each cause is not to be had. */
static unsigned irq_flags(const struct acpi_board *b, unsigned irq)
{
	for (unsigned i = 0; i < b->n_virtio; i++)
		if (b->virtio[i].gsi == irq)
			return INTI_LEVEL_HIGH;
	return INTI_BUS_DEFAULT;
}

/* The 8259s are wired to LINT0 of the boot processor, and to no pin of the IOAPIC. */
static unsigned add_interrupts(struct aml *a, const struct acpi_board *b)
{
	unsigned n = 0;

	for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
		if (irq == IRQ_CASCADE)
			continue;
		add_interrupt(a, MP_IO_INTERRUPT, INT_VECTORED, irq_flags(b, irq), irq,
			      b->ioapic_id, irq == IRQ_TIMER ? PIN_TIMER : irq);
		n++;
	}
	if (!b->no_pic) {
		add_interrupt(a, MP_LOCAL_INTERRUPT, INT_EXTINT, INTI_BUS_DEFAULT, 0,
			      b->apic_ids[0], 0);
		n++;
	}
	add_interrupt(a, MP_LOCAL_INTERRUPT, INT_NMI, INTI_BUS_DEFAULT, 0, ALL_PROCESSORS, 1);
	return n + 1;
}

struct aml mptable_build(const struct acpi_board *board, uint32_t signature, uint32_t features,
			 gpa_t gpa)
{
	struct aml a = {0};
	unsigned entries;
	uint8_t *t;

	add_floating(&a, gpa);
	add_header(&a);
	entries = add_processors(&a, board, signature, features);
	add_bus_and_ioapic(&a, board);
	entries += 2 + add_interrupts(&a, board);
	t = a.bytes + FLOATING_BYTES;
	stn_le(t + HEADER_LENGTH, 2, a.n - FLOATING_BYTES);
	stn_le(t + HEADER_ENTRIES, 2, entries);
	t[HEADER_CHECKSUM] = checksum(t, a.n - FLOATING_BYTES);
	return a;
}
