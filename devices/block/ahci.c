/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AHCI controller, as ICH9's SATA function shows itself in AHCI mode: the HBA's own registers. The ports, and how commands
 * are executed: ahci_port.c.
 *
 * Serial ATA AHCI 1.3.1 section 3.1 "Generic host control", 10.7 "Interrupts"; ICH9 data sheet (316972-004) section 15.
 *
 *	offset	name	access	reset		section
 *	00	CAP	R	c1249f05	3.1.1
 *	04	GHC	RW	80000000	3.1.2
 *	08	IS	RWC	0		3.1.3
 *	0c	PI	R	3f		3.1.4
 *	10	VS	R	10200		3.1.5
 *	100 + 80n	port n			3.3
 *
 * The same registers by ports, for who can't reach memory (10.14 "Index-Data Pair"; 316972 15.2.5); BAR 4:
 *	10	INDEX	RW	0		offset of a register, bits 10:2
 *	14	DATA	RW	-		that register
 *
 * Not modelled: command completion coalescing, enclosure management, port multipliers, power management, hot plug, narrow
 * writes (3: software uses doublewords).
 */
#include "devices/block/ahci.h"

#define HBA_CAP	  0x00
#define HBA_GHC	  0x04
#define HBA_IS	  0x08
#define HBA_PI	  0x0c
#define HBA_VS	  0x10
#define HBA_PORTS 0x100
#define HBA_BYTES 0x1000

/* 64-bit addresses, queueing, command list override, AHCI only, 3 Gb/s, several DRQ blocks, slots, ports */
#define CAP_VALUE (0xc1248000 | (AHCI_SLOTS - 1) << 8 | (AHCI_PORTS - 1))
#define VS_VALUE  0x00010200

#define GHC_HR	   BIT(0)
#define GHC_IE	   BIT(1)
#define GHC_AE	   BIT(31)
#define ALL_PORTS  (BIT(AHCI_PORTS) - 1)
#define BAR_ABAR   5
#define BAR_PAIR   4
#define PAIR_BYTES 32
#define PAIR_INDEX 0x10
#define PAIR_DATA  0x14
#define INDEX_MASK 0x7fc
#define CAP_SATA   0x12
#define CAP_AT	   0xa8
#define MSI_OFFSET 0x80

static const struct pci_register ahci_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 316972 15.1 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x2922, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0000,
	 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF, 0},
	{"PCISTS", PCI_STATUS, 2, 0x02a0, 0, 0xf900},
	{"RID", PCI_REVISION_ID, 1, 0x02, 0, 0},
	{"CC", PCI_CLASS, 3, 0x010601, 0, 0}, /* AHCI */
	{"PMLT", PCI_LATENCY_TIMER, 1, 0x00, 0, 0},
	{"INTR", PCI_INTERRUPT_LINE, 2, 0x0100, 0x00ff, 0},
	{"MAP", 0x90, 2, 0x0040, 0, 0}, /* AHCI mode */
	{"PCS", 0x92, 2, ALL_PORTS, 0x8000 | ALL_PORTS, 0},
	{.name = NULL},
};

static struct ahci *ahci_of(struct device *dev)
{
	return container_of(dev, struct ahci, pci.dev);
}

/* ---- interrupts ---- */

/* A message for each time that a bit rises; the pin shows that any is up (10.7.2). */
void ahci_update_irq(struct ahci *s)
{
	uint32_t before = s->is;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (s->ports[i].is & s->ports[i].ie)
			s->is |= BIT(i);
	if (pci_msi_enabled(&s->pci)) {
		if ((s->is & ~before) && (s->ghc & GHC_IE))
			pci_msi_notify(&s->pci, 0);
		pci_set_intx(&s->pci, false);
	} else {
		pci_set_intx(&s->pci, s->is && (s->ghc & GHC_IE));
	}
}

/* ---- registers ---- */

static uint32_t hba_read(const struct ahci *s, unsigned offset)
{
	switch (offset) {
	case HBA_CAP:
		return CAP_VALUE;
	case HBA_GHC:
		return s->ghc;
	case HBA_IS:
		return s->is;
	case HBA_PI:
		return ALL_PORTS;
	case HBA_VS:
		return VS_VALUE;
	default:
		return 0;
	}
}

/* 10.4.3 */
static void hba_reset(struct ahci *s)
{
	s->ghc = GHC_AE;
	s->is = 0;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci_port_hba_reset(&s->ports[i]);
	s->is = 0;
	ahci_update_irq(s);
}

static void ghc_write(struct ahci *s, uint32_t value)
{
	bool enabled = value & ~s->ghc & GHC_IE;

	if (value & GHC_HR) {
		hba_reset(s);
		return;
	}
	s->ghc = GHC_AE | (value & GHC_IE);
	if (enabled && s->is && pci_msi_enabled(&s->pci))
		pci_msi_notify(&s->pci, 0);
	ahci_update_irq(s);
}

static void hba_write(struct ahci *s, unsigned offset, uint32_t value)
{
	switch (offset) {
	case HBA_GHC:
		ghc_write(s, value);
		break;
	case HBA_IS:
		s->is &= ~value;
		ahci_update_irq(s); /* ports that still have something raise theirs anew */
		break;
	}
}

static uint64_t regs_read(void *opaque, uint64_t offset, unsigned size)
{
	struct ahci *s = opaque;
	unsigned reg = offset & ~3u, n = (reg - HBA_PORTS) / AHCI_PORT_BYTES;
	uint32_t value = 0;

	if (reg < HBA_PORTS)
		value = hba_read(s, reg);
	else if (n < AHCI_PORTS)
		value = ahci_port_read(&s->ports[n], reg % AHCI_PORT_BYTES);
	return value >> 8 * (offset & 3);
}

static void regs_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ahci *s = opaque;
	unsigned n = (offset - HBA_PORTS) / AHCI_PORT_BYTES;

	if (size != 4)
		guest_error(&s->pci.dev, "%u-byte write at 0x%x", size, (unsigned)offset);
	else if (offset < HBA_PORTS)
		hba_write(s, offset, value);
	else if (n < AHCI_PORTS)
		ahci_port_write(&s->ports[n], offset % AHCI_PORT_BYTES, value);
}

static const struct region_ops regs_ops = {
	.read = regs_read, .write = regs_write, .min_size = 4, .max_size = 4};

/* ---- the same by ports ---- */

static uint64_t pair_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct ahci *s = opaque;

	if (offset == PAIR_INDEX)
		return s->index;
	return offset == PAIR_DATA ? regs_read(opaque, s->index, 4) : 0;
}

static void pair_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ahci *s = opaque;

	if (size != 4)
		guest_error(&s->pci.dev, "%u-byte write at port 0x%x", size, (unsigned)offset);
	else if (offset == PAIR_INDEX)
		s->index = value & INDEX_MASK;
	else if (offset == PAIR_DATA)
		regs_write(opaque, s->index, value, 4);
}

static const struct region_ops pair_ops = {
	.read = pair_read, .write = pair_write, .min_size = 4, .max_size = 4};

/* ---- life ---- */

static void ahci_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct ahci *s = container_of(pci, struct ahci, pci);

	for (unsigned i = 0; offset <= PCI_COMMAND && i < AHCI_PORTS; i++)
		ahci_port_run(&s->ports[i]);
	ahci_update_irq(s);
}

static void ahci_reset(struct device *dev)
{
	struct ahci *s = ahci_of(dev);

	s->ghc = GHC_AE;
	s->is = 0;
	s->index = 0;
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci_port_reset(&s->ports[i]);
	pci_device_reset(&s->pci);
}

static bool ahci_post_load(void *opaque, struct error *err)
{
	struct ahci *s = opaque;

	s->ghc = GHC_AE | (s->ghc & GHC_IE);
	s->is &= ALL_PORTS;
	s->index &= INDEX_MASK;
	ahci_update_irq(s);
	return true;
}

static const struct state_desc ahci_state = {
	.name = "ahci",
	.version = 2,
	STATE_SPAN(ahci),
	.post_load = ahci_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(ahci, pci, pci_device_state),
			STATE_FIELD(ahci, ghc),
			STATE_FIELD(ahci, is),
			STATE_FIELD(ahci, index),
			STATE_FIELD(ahci, reserved),
			STATE_STRUCT_ARRAY(ahci, ports, ahci_port_state),
			STATE_END,
		},
};

static const struct device_prop ahci_props[] = {
	PCI_PROPS(ahci),
	DEFINE_PROP_END,
};

/* Where the pair is: in BAR 4, which is at 20h in configuration space, four doublewords from its beginning. */
static const struct pci_register sata_capability[] = {
	{"SATACR0", 2, 2, 0x0010, 0, 0},
	{"SATACR1", 4, 4, 0x00000048, 0, 0},
	{.name = NULL},
};

static bool ahci_realize(struct device *dev, struct error *err)
{
	struct ahci *s = ahci_of(dev);

	if (!pci_device_init(&s->pci, ahci_registers, err))
		return false;
	s->pci.config_changed = ahci_config_changed;
	pci_msi_init(&s->pci, MSI_OFFSET, 1, true, false);
	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci_port_init(&s->ports[i], s, i);
	region_init_io(&s->regs, "ahci", &regs_ops, s, HBA_BYTES);
	pci_bar_init(&s->pci, BAR_ABAR, 0, &s->regs);
	region_init_io(&s->ports_pair, "ahci-ports", &pair_ops, s, PAIR_BYTES);
	pci_bar_init(&s->pci, BAR_PAIR, PCI_BAR_IO, &s->ports_pair);
	pci_add_capability(&s->pci, CAP_SATA, CAP_AT, 8, sata_capability);
	return true;
}

static void ahci_unrealize(struct device *dev)
{
	struct ahci *s = ahci_of(dev);

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		ahci_port_fini(&s->ports[i]);
	pci_device_fini(&s->pci);
}

const struct device_type ahci_type = {
	.name = "ich9-ahci",
	.alias = "ahci",
	.desc = "82801I (ICH9) SATA controller in AHCI mode",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct ahci),
	.props = ahci_props,
	.state = &ahci_state,
	.realize = ahci_realize,
	.reset = ahci_reset,
	.unrealize = ahci_unrealize,
};
