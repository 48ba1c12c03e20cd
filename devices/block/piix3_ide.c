/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IDE function of the 82371SB (PIIX3): two channels at the PC's old ports, with a bus master.
 *
 * Intel 82371FB/82371SB data sheet (290550-002) section 2.3 "PCI configuration registers, function 1",
 * 2.7 "PCI bus master IDE". The channels themselves: ide_channel.c.
 *
 *	port	name				section
 *	1f0-7	task file, first channel	2.7
 *	3f6	device control			2.7
 *	170-7, 376	the same of the second	2.7
 *	BMIBA+0-7, 8-f	bus master, of each	2.7
 *
 * Not modelled: the timing registers keep what is written, and nothing comes of it.
 * Deviates because: IDETIM's enable bits are set from reset on, and the ports are decoded whether they are or not; kernels
 * that start without firmware look at them, and touch no channel that is off.
 */
#include "devices/block/ide.h"
#include "devices/isa.h"
#include "devices/pci/pci.h"

#define CHANNELS 2

#define BM_BAR	   4
#define BM_BYTES   16
#define BM_CHANNEL 8 /* bytes */

static const struct {
	uint16_t command, control;
	uint8_t irq;
} places[CHANNELS] = {{0x1f0, 0x3f6, 14}, {0x170, 0x376, 15}};

static const struct pci_register piix3_ide_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 290550 2.3 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x7010, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0000, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0280, 0, 0x3800},
	{"RID", PCI_REVISION_ID, 1, 0x00, 0, 0},
	{"CLASSC", PCI_CLASS, 3, 0x010180, 0, 0}, /* old ports, bus master */
	{"MLT", PCI_LATENCY_TIMER, 1, 0x00, 0xf0, 0},
	{"IDETIM", 0x40, 4, 0x80008000, 0xb3ffb3ff, 0},
	{"SIDETIM", 0x44, 1, 0x00, 0xff, 0},
	{.name = NULL},
};

struct piix3_ide {
	struct pci_device pci;

	/* configuration */
	struct region bus_master;

	/* guest-visible, but for what each says is not */
	struct ide_channel channels[CHANNELS];
};

static struct piix3_ide *piix3_ide_of(struct device *dev)
{
	return container_of(dev, struct piix3_ide, pci.dev);
}

static bool dma_allowed(struct device *dev)
{
	return pci_bus_master(&piix3_ide_of(dev)->pci);
}

/* An access that reaches over both channels' registers is split at the latest there. */
static uint64_t bus_master_read(void *opaque, uint64_t offset, unsigned size)
{
	struct piix3_ide *s = opaque;

	return ide_bm_read(&s->channels[offset / BM_CHANNEL], offset % BM_CHANNEL, size);
}

static void bus_master_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct piix3_ide *s = opaque;

	ide_bm_write(&s->channels[offset / BM_CHANNEL], offset % BM_CHANNEL, value, size);
}

static const struct region_ops bus_master_ops = {
	.read = bus_master_read, .write = bus_master_write, .min_size = 1, .max_size = 4};

static void piix3_ide_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct piix3_ide *s = container_of(pci, struct piix3_ide, pci);

	if (offset <= PCI_COMMAND)
		for (unsigned i = 0; i < CHANNELS; i++)
			ide_channel_dma_changed(&s->channels[i]);
}

static void piix3_ide_reset(struct device *dev)
{
	struct piix3_ide *s = piix3_ide_of(dev);

	for (unsigned i = 0; i < CHANNELS; i++)
		ide_channel_reset(&s->channels[i]);
	pci_device_reset(&s->pci);
}

static const struct state_desc piix3_ide_state = {
	.name = "piix3-ide",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(piix3_ide, pci, pci_device_state),
			STATE_STRUCT_ARRAY(piix3_ide, channels, ide_channel_state),
			STATE_END,
		},
};

static const struct device_prop piix3_ide_props[] = {
	PCI_PROPS(piix3_ide),
	DEFINE_PROP_END,
};

static void piix3_ide_unrealize(struct device *dev)
{
	struct piix3_ide *s = piix3_ide_of(dev);

	for (unsigned i = 0; i < CHANNELS; i++)
		ide_channel_fini(&s->channels[i]);
	pci_device_fini(&s->pci);
}

static bool piix3_ide_realize(struct device *dev, struct error *err)
{
	struct piix3_ide *s = piix3_ide_of(dev);

	if (!pci_device_init(&s->pci, piix3_ide_registers, err))
		return false;
	s->pci.config_changed = piix3_ide_config_changed;
	for (unsigned i = 0; i < CHANNELS; i++)
		ide_channel_init(&s->channels[i], dev, i, dma_allowed);
	for (unsigned i = 0; i < CHANNELS; i++) {
		struct ide_channel *ch = &s->channels[i];

		if (!isa_connect_irq(dev, &ch->irq, places[i].irq, err) ||
		    !isa_add_ports(dev, &ch->command, places[i].command, err) ||
		    !isa_add_ports(dev, &ch->control_port, places[i].control, err)) {
			piix3_ide_unrealize(dev);
			return false;
		}
	}
	region_init_io(&s->bus_master, "piix3-ide-bus-master", &bus_master_ops, s, BM_BYTES);
	pci_bar_init(&s->pci, BM_BAR, PCI_BAR_IO, &s->bus_master);
	return true;
}

const struct device_type piix3_ide_type = {
	.name = "piix3-ide",
	.desc = "82371SB IDE controller",
	.bus = BUS_PCI,
	.user_creatable = true,
	.size = sizeof(struct piix3_ide),
	.props = piix3_ide_props,
	.state = &piix3_ide_state,
	.realize = piix3_ide_realize,
	.reset = piix3_ide_reset,
	.unrealize = piix3_ide_unrealize,
};
