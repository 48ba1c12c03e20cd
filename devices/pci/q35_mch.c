/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82Q35 (Q35) memory controller hub, function 00:00.0: configuration mechanism #1 (config_ports.h) and, in memory, the
 * enhanced one of PCI Express.
 *
 * Intel 3 Series Express Chipset Family data sheet (316966-002) section 5; PCI Express Base Specification 2.0, 7.2.2.
 * The function's registers are the rows of mch_registers.
 *
 *	address			what
 *	PCIEXBAR + b << 20	4 KiB for each function of bus b; 256, 128 or 64 MiB in all, while it is enabled
 *
 * Not modelled: DRAM timing and row boundaries, error reporting, DMI and PCI Express registers behind EPBAR, MCHBAR and
 * DMIBAR (the BARs keep what is written); TSEG; of the attribute maps what pam.c says.
 * Deviates because: with the property "shadow" all of C0000h to FFFFFh is RAM, and with "pciexbar" configuration space is
 * in memory, from reset on, where no firmware runs that would see to it. The attribute maps outlive a wake from S3: SeaBIOS
 * resumes in what it has put into shadow RAM.
 */
#include "devices/chipset/pam.h"
#include "devices/pci/config_ports.h"

#define PCIEXBAR	     0x60
#define PCIEXBAR_ENABLE	     0x01
#define PCIEXBAR_LENGTH	     0x06
#define PCIEXBAR_BASE	     0xff0000000ull /* 256 MiB; less has bits 27 and 26 too */
#define PCIEXBAR_BASE_27     0x008000000ull
#define PCIEXBAR_BASE_26     0x004000000ull
#define PCIEXBAR_MAX_BYTES   (256 * MiB)
#define MMCONFIG_PRIORITY    2
#define MMCONFIG_BUS_SHIFT   20
#define MMCONFIG_DEVFN_SHIFT 12

#define PAM   0x90
#define SMRAM 0x9d

static const struct pci_register mch_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 316966 5.1 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x29c0, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0006, 0x0100, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0080, 0, 0xf100},
	{"RID", PCI_REVISION_ID, 1, 0x02, 0, 0},
	{"CC", PCI_CLASS, 3, 0x060000, 0, 0},
	{"PXPEPBAR", 0x40, 4, 0x00000000, 0xfffff001, 0},
	{"PXPEPBAR high", 0x44, 4, 0x00000000, 0x0000000f, 0},
	{"MCHBAR", 0x48, 4, 0x00000000, 0xffffc001, 0},
	{"MCHBAR high", 0x4c, 4, 0x00000000, 0x0000000f, 0},
	{"PCIEXBAR", PCIEXBAR, 4, 0x00000000, 0xfc000007, 0},
	{"PCIEXBAR high", PCIEXBAR + 4, 4, 0x00000000, 0x0000000f, 0},
	{"DMIBAR", 0x68, 4, 0x00000000, 0xfffff001, 0},
	{"DMIBAR high", 0x6c, 4, 0x00000000, 0x0000000f, 0},
	{"PAM0", PAM, 1, 0x00, 0x30, 0},
	{"PAM1-4", PAM + 1, 4, 0x00000000, 0x33333333, 0},
	{"PAM5-6", PAM + 5, 2, 0x0000, 0x3333, 0},
	{"SMRAM", SMRAM, 1, 0x02, SMRAM_WRITABLE, 0},
	{"ESMRAMC", 0x9e, 1, 0x38, 0x87, 0},
	{.name = NULL},
};

struct mch {
	struct pci_device pci;
	struct pci_config_ports ports;

	/* configuration */
	struct pam pam;
	struct region mmconfig;
	bool shadow;
	uint64_t pciexbar;

	/* host side */
	struct pci_bus bus;
};

static struct mch *mch_of(struct device *dev)
{
	return container_of(dev, struct mch, pci.dev);
}

void q35_mch_forward_narrow(struct device *dev, struct region *region)
{
	mch_of(dev)->ports.narrow = region;
}

uint64_t q35_mch_mmconfig(struct device *dev, uint64_t *bytes)
{
	const struct mch *s = mch_of(dev);

	*bytes = s->mmconfig.enabled ? s->mmconfig.size : 0;
	return s->mmconfig.offset;
}

/* ---- configuration space in memory ---- */

static uint64_t mmconfig_read(void *opaque, uint64_t offset, unsigned size)
{
	struct mch *s = opaque;

	return pci_config_read(&s->bus, offset >> MMCONFIG_BUS_SHIFT & 0xff,
			       offset >> MMCONFIG_DEVFN_SHIFT & 0xff,
			       offset & (PCIE_CONFIG_BYTES - 1), size);
}

static void mmconfig_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct mch *s = opaque;

	pci_config_write(&s->bus, offset >> MMCONFIG_BUS_SHIFT & 0xff,
			 offset >> MMCONFIG_DEVFN_SHIFT & 0xff, offset & (PCIE_CONFIG_BYTES - 1),
			 value, size);
}

static const struct region_ops mmconfig_ops = {
	.read = mmconfig_read, .write = mmconfig_write, .min_size = 1, .max_size = 4};

/* A length that is reserved decodes nothing. */
static void mch_place_mmconfig(struct mch *s)
{
	uint64_t bar = ldn_le(&s->pci.config[PCIEXBAR], 8), base = bar & PCIEXBAR_BASE;
	uint64_t bytes = PCIEXBAR_MAX_BYTES >> ((bar & PCIEXBAR_LENGTH) >> 1);
	bool enabled = (bar & PCIEXBAR_ENABLE) && (bar & PCIEXBAR_LENGTH) != PCIEXBAR_LENGTH;
	struct address_space *mem = &s->pci.dev.machine->mem;

	if (bytes < PCIEXBAR_MAX_BYTES)
		base |= bar & PCIEXBAR_BASE_27;
	if (bytes < PCIEXBAR_MAX_BYTES / 2)
		base |= bar & PCIEXBAR_BASE_26;
	as_begin(mem);
	region_set_enabled(&s->mmconfig, false);
	s->mmconfig.size = bytes;
	region_move(&s->mmconfig, base);
	region_set_enabled(&s->mmconfig, enabled);
	as_commit(mem);
}

/* ---- the function ---- */

/* D_LCK takes back D_OPEN, and nothing but a reset takes back D_LCK. */
static void mch_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct mch *s = container_of(pci, struct mch, pci);
	bool locked = pci->config[SMRAM] & SMRAM_LOCK;

	pci->wmask[SMRAM] = locked ? 0 : SMRAM_WRITABLE;
	if (locked)
		pci->config[SMRAM] &= (uint8_t)~SMRAM_OPEN;
	if (offset < PCIEXBAR + 8 && offset + bytes > PCIEXBAR)
		mch_place_mmconfig(s);
	if (offset <= SMRAM && offset + bytes > PAM)
		pam_update(&s->pam, &pci->config[PAM], pci->config[SMRAM]);
}

static void mch_reset(struct device *dev)
{
	struct mch *s = mch_of(dev);
	uint8_t kept[PAM_REGISTERS];

	memcpy(kept, &s->pci.config[PAM], sizeof(kept));
	pci_device_reset(&s->pci);
	if (dev->machine->waking)
		memcpy(&s->pci.config[PAM], kept, sizeof(kept));
	else if (s->shadow)
		pam_fill(&s->pci.config[PAM]);
	if (s->pciexbar)
		stn_le(&s->pci.config[PCIEXBAR], 8, s->pciexbar | PCIEXBAR_ENABLE);
	mch_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	s->ports.confadd = 0;
}

static const struct state_desc mch_state = {
	.name = "mch",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(mch, pci, pci_device_state),
			STATE_STRUCT(mch, ports, pci_config_ports_state),
			STATE_END,
		},
};

static const struct device_prop mch_props[] = {
	PCI_PROPS_AT(mch, PCI_DEVFN(0, 0)),
	DEFINE_PROP(mch, shadow, "shadow", PROP_BOOL, 0, "RAM below 1 MiB from reset on"),
	DEFINE_PROP(mch, pciexbar, "pciexbar", PROP_U64, 0,
		    "where configuration space is from reset on; 0: where firmware puts it"),
	DEFINE_PROP_END,
};

/* The hub makes the bus, and is on it. */
static bool mch_realize(struct device *dev, struct error *err)
{
	struct mch *s = mch_of(dev);
	struct machine *m = dev->machine;

	if (m->pci)
		return error_set(err, "mch: the machine has a host bridge already");
	pci_root_bus_init(&s->bus, m, "pcie.0", true);
	if (!pci_device_init(&s->pci, mch_registers, err)) {
		pci_root_bus_fini(&s->bus);
		return false;
	}
	s->pci.config_changed = mch_config_changed;
	pam_init(&s->pam, m, &s->bus.mem);
	region_init_io(&s->mmconfig, "mmconfig", &mmconfig_ops, s, PCIEXBAR_MAX_BYTES);
	s->mmconfig.enabled = false;
	region_add(&m->mem.root, 0, &s->mmconfig, MMCONFIG_PRIORITY);
	return pci_config_ports_init(&s->ports, dev, &s->bus, err);
}

static void mch_unrealize(struct device *dev)
{
	struct mch *s = mch_of(dev);

	pci_config_ports_fini(&s->ports);
	region_remove(&s->mmconfig);
	pam_fini(&s->pam);
	pci_device_fini(&s->pci);
	pci_root_bus_fini(&s->bus);
}

const struct device_type q35_mch_type = {
	.name = "mch",
	.desc = "82Q35 memory controller hub",
	.bus = BUS_PCI,
	.size = sizeof(struct mch),
	.props = mch_props,
	.state = &mch_state,
	.realize = mch_realize,
	.reset = mch_reset,
	.unrealize = mch_unrealize,
};
