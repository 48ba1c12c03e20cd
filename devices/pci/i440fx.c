/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82441FX (i440FX) host bridge: configuration mechanism #1, and the bridge's own function 00:00.0.
 *
 * Intel 82441FX PMC data sheet (290549-001) section 3; PCI Local Bus Specification 3.0 section
 * 3.2.2.3.2.
 *
 *	port	name	width	access	reset		section
 *	cf8	CONFADD	32	RW	00000000	290549 3.1 "CONFADD"; doublewords only
 *	cfc	CONFDATA 8-32	RW	-		290549 3.1 "CONFDATA"
 *
 * The function's registers are the rows of i440fx_registers.
 *
 * Not modelled: DRAM timing and row boundaries, error reporting; of the attribute maps what pam.c
 * says.
 * Deviates because: with the property "shadow" all of C0000h to FFFFFh is RAM from reset on, where
 * no firmware runs that would make it so.
 */
#include "devices/chipset/pam.h"
#include "devices/isa.h"
#include "devices/pci/pci.h"

#define I440FX_PORT 0xcf8

#define CONFADD		    0x0
#define CONFDATA	    0x4
#define CONFADD_CONE	    0x80000000 /* configuration enable */
#define CONFADD_BUS_SHIFT   16
#define CONFADD_DEVFN_SHIFT 8
#define CONFADD_REG	    0xfc
#define CONFADD_WRITABLE    0x80fffffc

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

	/* configuration */
	struct region ports;
	struct region *narrow; /* takes what is no doubleword at CF8h; starts at CF9h */
	struct pam pam;
	bool shadow;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t confadd;
	GUEST_VISIBLE_END;

	/* host side */
	struct pci_bus bus;
};

static struct i440fx *i440fx_of(struct device *dev)
{
	return container_of(dev, struct i440fx, pci.dev);
}

void i440fx_forward_narrow(struct device *dev, struct region *region)
{
	i440fx_of(dev)->narrow = region;
}

static bool i440fx_narrow_hit(const struct i440fx *s, uint64_t offset, unsigned size)
{
	return s->narrow && offset >= 1 && offset - 1 + size <= s->narrow->size;
}

static bool i440fx_selects(const struct i440fx *s)
{
	return s->confadd & CONFADD_CONE;
}

static uint64_t i440fx_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i440fx *s = opaque;

	if (offset >= CONFDATA) {
		if (!i440fx_selects(s))
			return UINT32_MAX;
		return pci_config_read(&s->bus, s->confadd >> CONFADD_BUS_SHIFT & 0xff,
				       s->confadd >> CONFADD_DEVFN_SHIFT & 0xff,
				       (s->confadd & CONFADD_REG) + (offset & 3), size);
	}
	if (offset == CONFADD && size == 4)
		return s->confadd;
	if (i440fx_narrow_hit(s, offset, size))
		return s->narrow->ops->read(s->narrow->opaque, offset - 1, size);
	return UINT32_MAX;
}

static void i440fx_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i440fx *s = opaque;

	if (offset >= CONFDATA) {
		if (i440fx_selects(s))
			pci_config_write(&s->bus, s->confadd >> CONFADD_BUS_SHIFT & 0xff,
					 s->confadd >> CONFADD_DEVFN_SHIFT & 0xff,
					 (s->confadd & CONFADD_REG) + (offset & 3), value, size);
	} else if (offset == CONFADD && size == 4) {
		s->confadd = value & CONFADD_WRITABLE;
	} else if (i440fx_narrow_hit(s, offset, size)) {
		s->narrow->ops->write(s->narrow->opaque, offset - 1, value, size);
	}
}

static const struct region_ops i440fx_ops = {
	.read = i440fx_read, .write = i440fx_write, .min_size = 1, .max_size = 4};

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

	pci_device_reset(&s->pci);
	if (s->shadow) {
		pam_fill(&s->pci.config[PAM]);
		i440fx_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	}
	s->confadd = 0;
}

static bool i440fx_post_load(void *opaque, struct error *err)
{
	struct i440fx *s = opaque;

	s->confadd &= CONFADD_WRITABLE;
	return true;
}

static const struct state_desc i440fx_state = {
	.name = "i440fx",
	.version = 1,
	STATE_SPAN(i440fx),
	.post_load = i440fx_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(i440fx, pci, pci_device_state),
			STATE_FIELD(i440fx, confadd),
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
	region_init_io(&s->ports, "i440fx", &i440fx_ops, s, 8);
	return isa_add_ports(dev, &s->ports, I440FX_PORT, err);
}

static void i440fx_unrealize(struct device *dev)
{
	struct i440fx *s = i440fx_of(dev);

	region_remove(&s->ports);
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
