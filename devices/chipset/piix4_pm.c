/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82371AB (PIIX4) power management, function 3.
 *
 * Intel 82371AB data sheet (290562-001) section 7. The configuration registers are the rows of piix4_pm_registers; the
 * ports are those of acpi_pm.c, with GPSTS at 0Ch. They lie at PMBA (40h) while PMIOSE (80h) is set.
 *
 * Not modelled: SMBus; what DEVACTB governs.
 * Deviates because: with the property "pm-base" the ports are in place from reset on, for kernels that are started
 * without firmware. APMC_EN is set for good: SeaBIOS takes it that SMM is somebody's already, and does not wait for an SMI
 * that never comes.
 */
#include "devices/chipset/acpi_pm.h"
#include "devices/pci/pci.h"

#define PM_BYTES 64
#define GPSTS	 0x0c

#define PMBA		 0x40
#define PMBA_BASE	 0xffc0
#define DEVACTB		 0x58
#define DEVACTB_APMC_EN	 0x02000000
#define PMREGMISC	 0x80
#define PMREGMISC_PMIOSE 0x01

static const struct pci_register piix4_pm_registers[] = {
	/* name, offset, bytes, reset, written bits, write-1-to-clear bits; all 290562 7.1 */
	{"VID", PCI_VENDOR_ID, 2, 0x8086, 0, 0},
	{"DID", PCI_DEVICE_ID, 2, 0x7113, 0, 0},
	{"PCICMD", PCI_COMMAND, 2, 0x0000, 0x0001, 0},
	{"PCISTS", PCI_STATUS, 2, 0x0280, 0, 0x0800},
	{"RID", PCI_REVISION_ID, 1, 0x03, 0, 0},
	{"CLASSC", PCI_CLASS, 3, 0x068000, 0, 0},
	{"INTLN", PCI_INTERRUPT_LINE, 1, 0x09, 0xff, 0},
	{"INTPN", PCI_INTERRUPT_PIN, 1, 0x01, 0, 0},
	{"PMBA", PMBA, 4, 0x00000001, PMBA_BASE, 0},
	{"DEVACTB", DEVACTB, 4, DEVACTB_APMC_EN, 0, 0},
	{"PMREGMISC", PMREGMISC, 1, 0x00, PMREGMISC_PMIOSE, 0},
	{.name = NULL},
};

struct piix4_pm {
	struct pci_device pci;
	struct acpi_pm pm;

	/* configuration */
	uint16_t pm_base;
};

static struct piix4_pm *piix4_pm_of(struct device *dev)
{
	return container_of(dev, struct piix4_pm, pci.dev);
}

uint16_t piix4_pm_base(struct device *dev)
{
	return acpi_pm_base(&piix4_pm_of(dev)->pm);
}

static void piix4_pm_config_changed(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct piix4_pm *s = container_of(pci, struct piix4_pm, pci);

	acpi_pm_place(&s->pm, ldn_le(&pci->config[PMBA], 2) & PMBA_BASE,
		      pci->config[PMREGMISC] & PMREGMISC_PMIOSE);
}

static void piix4_pm_reset(struct device *dev)
{
	struct piix4_pm *s = piix4_pm_of(dev);

	pci_device_reset(&s->pci);
	if (s->pm_base) {
		stn_le(&s->pci.config[PMBA], 2, s->pm_base | 1);
		s->pci.config[PMREGMISC] |= PMREGMISC_PMIOSE;
		s->pci.config[PCI_COMMAND] |= PCI_COMMAND_IO;
		piix4_pm_config_changed(&s->pci, 0, PCI_CONFIG_BYTES);
	}
	acpi_pm_reset(&s->pm);
}

static const struct state_desc piix4_pm_state = {
	.name = "piix4_pm",
	.version = 2,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(piix4_pm, pci, pci_device_state),
			STATE_STRUCT(piix4_pm, pm, acpi_pm_state),
			STATE_END,
		},
};

static const struct device_prop piix4_pm_props[] = {
	PCI_PROPS_AT(piix4_pm, PCI_DEVFN(1, 3)),
	DEFINE_PROP(piix4_pm, pm_base, "pm-base", PROP_U16, 0,
		    "where the ports are from reset on; 0: where firmware puts them"),
	ACPI_PM_PROPS(piix4_pm),
	DEFINE_PROP_END,
};

static bool piix4_pm_realize(struct device *dev, struct error *err)
{
	struct piix4_pm *s = piix4_pm_of(dev);

	if (s->pm_base & ~PMBA_BASE)
		return error_set(err, "PIIX4_PM: pm-base 0x%x is not a multiple of %u", s->pm_base,
				 PM_BYTES);
	if (!pci_device_init(&s->pci, piix4_pm_registers, err))
		return false;
	s->pci.config_changed = piix4_pm_config_changed;
	return acpi_pm_init(&s->pm, dev, PM_BYTES, GPSTS, 2, err);
}

static void piix4_pm_unrealize(struct device *dev)
{
	struct piix4_pm *s = piix4_pm_of(dev);

	acpi_pm_fini(&s->pm);
	pci_device_fini(&s->pci);
}

const struct device_type piix4_pm_type = {
	.name = "PIIX4_PM",
	.desc = "82371AB power management",
	.bus = BUS_PCI,
	.size = sizeof(struct piix4_pm),
	.props = piix4_pm_props,
	.state = &piix4_pm_state,
	.realize = piix4_pm_realize,
	.reset = piix4_pm_reset,
	.unrealize = piix4_pm_unrealize,
};
