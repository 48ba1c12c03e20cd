/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration mechanism #1. */
#include "devices/pci/config_ports.h"
#include "devices/isa.h"

#define CONFIG_PORT  0xcf8
#define CONFIG_PORTS 8

#define CONFADD		    0x0
#define CONFDATA	    0x4
#define CONFADD_CONE	    0x80000000 /* configuration enable */
#define CONFADD_BUS_SHIFT   16
#define CONFADD_DEVFN_SHIFT 8
#define CONFADD_REG	    0xfc
#define CONFADD_WRITABLE    0x80fffffc

static bool narrow_hit(const struct pci_config_ports *p, uint64_t offset, unsigned size)
{
	return p->narrow && offset >= 1 && offset - 1 + size <= p->narrow->size;
}

static uint64_t config_ports_read(void *opaque, uint64_t offset, unsigned size)
{
	struct pci_config_ports *p = opaque;

	if (offset >= CONFDATA) {
		if (!(p->confadd & CONFADD_CONE))
			return UINT32_MAX;
		return pci_config_read(p->root, p->confadd >> CONFADD_BUS_SHIFT & 0xff,
				       p->confadd >> CONFADD_DEVFN_SHIFT & 0xff,
				       (p->confadd & CONFADD_REG) + (offset & 3), size);
	}
	if (offset == CONFADD && size == 4)
		return p->confadd;
	if (narrow_hit(p, offset, size))
		return p->narrow->ops->read(p->narrow->opaque, offset - 1, size);
	return UINT32_MAX;
}

static void config_ports_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pci_config_ports *p = opaque;

	if (offset >= CONFDATA) {
		if (p->confadd & CONFADD_CONE)
			pci_config_write(p->root, p->confadd >> CONFADD_BUS_SHIFT & 0xff,
					 p->confadd >> CONFADD_DEVFN_SHIFT & 0xff,
					 (p->confadd & CONFADD_REG) + (offset & 3), value, size);
	} else if (offset == CONFADD && size == 4) {
		p->confadd = value & CONFADD_WRITABLE;
	} else if (narrow_hit(p, offset, size)) {
		p->narrow->ops->write(p->narrow->opaque, offset - 1, value, size);
	}
}

static const struct region_ops config_ports_ops = {
	.read = config_ports_read, .write = config_ports_write, .min_size = 1, .max_size = 4};

static bool config_ports_post_load(void *opaque, struct error *err)
{
	struct pci_config_ports *p = opaque;

	p->confadd &= CONFADD_WRITABLE;
	p->pad = 0;
	return true;
}

const struct state_desc pci_config_ports_state = {
	.name = "pci_config_ports",
	.version = 1,
	STATE_SPAN(pci_config_ports),
	.post_load = config_ports_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(pci_config_ports, confadd),
			STATE_FIELD(pci_config_ports, pad),
			STATE_END,
		},
};

bool pci_config_ports_init(struct pci_config_ports *p, struct device *dev, struct pci_bus *root,
			   struct error *err)
{
	p->root = root;
	region_init_io(&p->ports, "pci-config", &config_ports_ops, p, CONFIG_PORTS);
	return isa_add_ports(dev, &p->ports, CONFIG_PORT, err);
}

void pci_config_ports_fini(struct pci_config_ports *p)
{
	region_remove(&p->ports);
}
