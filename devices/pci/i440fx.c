/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82441FX (i440FX) host bridge: configuration mechanism #1 (config_ports.h), and the bridge's own function 00:00.0.
 *
 * Intel 82441FX PMC data sheet (290549-001) section 3. The function's registers are the rows of i440fx_registers.
 *
 * Not modelled: DRAM timing and row boundaries, error reporting; of the attribute maps what pam.c
 * says.
 * Deviates because: with the property "shadow" all of C0000h to FFFFFh is RAM from reset on, where
 * no firmware runs that would make it so. The attribute maps outlive a wake from S3: SeaBIOS
 * resumes in what it has put into shadow RAM.
 */
#include "devices/chipset/pam.h"
#include "devices/pci/config_ports.h"

#define PAM   0x59
#define SMRAM 0x72

static const struct pci_register i440fx_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 290549 3.2 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x1237, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0006, 0x0140, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0280, 0, 0xf900},
	{"RID", PCI_REVISION_ID, 1, 0x02, 0, 0},
	{"CLASSC", PCI_CLASS, 3, 0x060000, 0, 0},
	{"MLT", PCI_LATENCY_TIMER, 1, 0x00, 0xf8, 0},
	{"PMCCFG", 0x50, 2, 0x0000, 0xffff, 0},
	{"PAM0", PAM, 1, 0x00, 0x30, 0},
	{"PAM1-4", PAM + 1, 4, 0x00000000, 0x33333333, 0},
	{"PAM5-6", PAM + 5, 2, 0x0000, 0x3333, 0},
	{"SMRAM", SMRAM, 1, 0x02, SMRAM_WRITABLE, 0},
	{.name = NULL},
};

struct i440fx {
	struct pci_device pci;

	struct pci_config_ports ports;

	/* configuration */
	struct pam pam;
	bool shadow;

	/* host side */
	struct pci_bus bus;
};

static struct i440fx *i440fx_of(struct device *dev)
{
	return container_of(dev, struct i440fx, pci.dev);
}

void i440fx_forward_narrow(struct device *dev, struct region *region)
{
	i440fx_of(dev)->ports.narrow = region;
}

/* D_LCK takes back D_OPEN, and nothing but a reset takes back D_LCK. */
static void i440fx_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct i440fx *s = container_of(pci, struct i440fx, pci);
	bool locked = pci->config[SMRAM] & SMRAM_LOCK;

	pci->wmask[SMRAM] = locked ? 0 : SMRAM_WRITABLE;
	if (locked)
		pci->config[SMRAM] &= (uint8_t)~SMRAM_OPEN;
	if (offset < PAM + PAM_REGISTERS || (offset <= SMRAM && SMRAM < offset + bytes))
		pam_update(&s->pam, &pci->config[PAM], pci->config[SMRAM]);
}

static void i440fx_reset(struct device *dev)
{
	struct i440fx *s = i440fx_of(dev);
	uint8_t kept[PAM_REGISTERS];

	memcpy(kept, &s->pci.config[PAM], sizeof(kept));
	pci_device_reset(&s->pci);
	if (dev->machine->waking) {
		memcpy(&s->pci.config[PAM], kept, sizeof(kept));
		i440fx_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	} else if (s->shadow) {
		pam_fill(&s->pci.config[PAM]);
		i440fx_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	}
	s->ports.confadd = 0;
}

static const struct state_desc i440fx_state = {
	.name = "i440fx",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(i440fx, pci, pci_device_state),
			STATE_STRUCT(i440fx, ports, pci_config_ports_state),
			STATE_END,
		},
};

static const struct device_prop i440fx_props[] = {
	PCI_PROPS_AT(i440fx, PCI_DEVFN(0, 0)),
	DEFINE_PROP(i440fx, shadow, "shadow", PROP_BOOL, 0, "RAM below 1 MiB from reset on"),
	DEFINE_PROP_END,
};

/* The bridge makes the bus, and is on it. */
static bool i440fx_realize(struct device *dev, struct error *err)
{
	struct i440fx *s = i440fx_of(dev);
	struct machine *m = dev->machine;

	if (m->pci)
		return error_set(err, "i440FX: the machine has a host bridge already");
	pci_root_bus_init(&s->bus, m, "pci.0", false);
	if (!pci_device_init(&s->pci, i440fx_registers, err)) {
		pci_root_bus_fini(&s->bus);
		return false;
	}
	s->pci.config_changed = i440fx_config_changed;
	pam_init(&s->pam, m, &s->bus.mem);
	return pci_config_ports_init(&s->ports, dev, &s->bus, err);
}

static void i440fx_unrealize(struct device *dev)
{
	struct i440fx *s = i440fx_of(dev);

	pci_config_ports_fini(&s->ports);
	pam_fini(&s->pam);
	pci_device_fini(&s->pci);
	pci_root_bus_fini(&s->bus);
}

const struct device_type i440fx_type = {
	.name = "i440FX",
	.desc = "82441FX host bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct i440fx),
	.props = i440fx_props,
	.state = &i440fx_state,
	.realize = i440fx_realize,
	.reset = i440fx_reset,
	.unrealize = i440fx_unrealize,
};
