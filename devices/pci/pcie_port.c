/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI Express ports: root ports and the ports of a switch.
 *
 * PCI Express Base Specification 2.0, 7.1 "Configuration Topology", 7.8 "PCI Express Capability Structure"; PCI-to-PCI Bridge
 * Architecture Specification 1.2, chapter 3 (bridge.c has the header and the windows).
 *
 *	type			vendor:device	is			its own capabilities
 *	pcie-root-port		1b36:000c	a root port of no maker	Express at 54h, MSI-X (one vector, BAR 0)
 *	ioh3420			8086:3420	Intel 5520's root port	MSI at 60h, Express at 90h
 *	x3130-upstream		104c:8232	TI XIO3130's upstream	MSI at 70h, Express at 90h
 *	xio3130-downstream	104c:8233	TI XIO3130's downstream	MSI at 70h, Express at 90h
 *
 * A root port stands on the root complex, downstream ports behind an upstream port; behind root and downstream ports is one
 * slot. Chassis and slot number tell the slots apart, for whoever looks for a card.
 *
 * Not modelled: hot plugging, power management events, error reporting, access control services; so a port never has anything
 * to interrupt for. VGA forwarding. Bandwidth: a link is one lane of the first generation to whoever asks.
 * Deviates because: Bus Master does not hold back what devices behind do by DMA, as SeaBIOS leaves it clear.
 */
#include "devices/pci/pcie.h"

struct port_model {
	uint16_t vendor, device;
	uint8_t revision;
	enum pcie_type kind;
	uint8_t msi_at, msi_vectors; /* 0: MSI-X */
	bool msi_64;
	uint8_t express_at;
};

struct pcie_port {
	struct pci_bridge bridge;

	/* configuration */
	const struct port_model *model;
	uint8_t port, chassis;
	uint16_t slot;
	bool hotplug;
	unsigned express; /* where the capability is */
};

static struct pcie_port *port_of(struct device *dev)
{
	return container_of(dev, struct pcie_port, bridge.pci.dev);
}

static bool has_slot(const struct pcie_port *s)
{
	return s->model->kind != PCIE_UPSTREAM_PORT;
}

/* What is in the slot is looked up when it is asked for. */
static void port_reading(struct pci_device *pci, unsigned offset, unsigned bytes)
{
	struct pcie_port *s = container_of(pci, struct pcie_port, bridge.pci);

	if (has_slot(s))
		pcie_slot_show(pci, s->express, s->bridge.bus.devices[0]);
}

static void port_reset(struct device *dev)
{
	pci_device_reset(&port_of(dev)->bridge.pci);
}

static const struct state_desc port_state = {
	.name = "pcie-port",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(pcie_port, bridge.pci, pci_device_state),
			STATE_END,
		},
};

/* ---- where it may be ---- */

static bool is_port(const struct device *dev);

static bool check_place(const struct pcie_port *s, struct error *err)
{
	const struct pci_device *pci = &s->bridge.pci;
	const char *name = pci->dev.type->name;
	const struct pci_device *above = pci->bus->bridge;

	if (!pci->bus->express)
		return error_set(err, "%s: goes on a PCI Express bus, and %s is none", name,
				 pci->bus->name);
	if (s->model->kind == PCIE_ROOT_PORT && above)
		return error_set(err, "%s: a root port goes on the root bus, and %s is behind %s",
				 name, pci->bus->name, above->dev.type->name);
	if (s->model->kind == PCIE_DOWNSTREAM_PORT &&
	    (!above || above->dev.type != &x3130_upstream_type))
		return error_set(err, "%s: a downstream port goes behind an upstream port, %s",
				 name, x3130_upstream_type.name);
	if (s->model->kind == PCIE_UPSTREAM_PORT &&
	    (!above || !is_port(&above->dev) || above->dev.type == &x3130_upstream_type))
		return error_set(err, "%s: an upstream port goes behind a root port", name);
	return true;
}

static bool check_slot(const struct pcie_port *s, struct error *err)
{
	const struct machine *m = s->bridge.pci.dev.machine;

	if (s->slot > 0x1fff)
		return error_set(err, "%s: slot=%u: 8191 is the highest",
				 s->bridge.pci.dev.type->name, s->slot);
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);
		const struct pcie_port *other = port_of(dev);

		if (other != s && is_port(dev) && dev->realized && has_slot(other) &&
		    other->chassis == s->chassis && other->slot == s->slot)
			return error_set(
				err,
				"%s: chassis %u has a slot %u already: chassis= and slot= tell "
				"the slots apart",
				s->bridge.pci.dev.type->name, s->chassis, s->slot);
	}
	return true;
}

/* ---- life ---- */

static bool port_init(struct pcie_port *s, const struct port_model *model, struct error *err)
{
	struct pci_device *pci = &s->bridge.pci;
	const struct pci_register rows[] = {
		{"vendor", PCI_VENDOR_ID, 2, model->vendor, 0, 0},
		{"device", PCI_DEVICE_ID, 2, model->device, 0, 0},
		{"revision", PCI_REVISION_ID, 1, model->revision, 0, 0},
		{"class", PCI_CLASS, 3, 0x060400, 0, 0},
		{"interrupt pin", PCI_INTERRUPT_PIN, 1, model->kind != PCIE_UPSTREAM_PORT, 0, 0},
		{.name = NULL},
	};

	s->model = model;
	if (s->hotplug)
		return error_set(err, "%s: hotplug=on: ports do not do hot plugging yet",
				 pci->dev.type->name);
	if (has_slot(s) && !check_slot(s, err))
		return false;
	if (!pci_bridge_init(&s->bridge, rows, true, err))
		return false;
	if (!check_place(s, err)) {
		pci_bridge_fini(&s->bridge);
		return false;
	}
	if (has_slot(s))
		s->bridge.bus.slots = 1;
	s->express = pcie_express_init(pci, model->express_at, model->kind, s->port, s->slot);
	if (model->msi_at)
		pci_msi_init(pci, model->msi_at, model->msi_vectors, model->msi_64, !model->msi_64);
	else
		pci_msix_init(pci, 1, 0);
	pci->config_reading = port_reading;
	return true;
}

static void port_unrealize(struct device *dev)
{
	pci_bridge_fini(&port_of(dev)->bridge);
}

static const struct device_prop port_props[] = {
	PCI_PROPS(pci_bridge),
	DEFINE_PROP(pcie_port, port, "port", PROP_U8, 0, "number of the link"),
	DEFINE_PROP(pcie_port, chassis, "chassis", PROP_U8, 0, "number of the chassis"),
	DEFINE_PROP(pcie_port, slot, "slot", PROP_U16, 0, "number of the slot in the chassis"),
	DEFINE_PROP(pcie_port, hotplug, "hotplug", PROP_BOOL, 0, "must be off"),
	DEFINE_PROP_END,
};

static const struct device_prop upstream_props[] = {
	PCI_PROPS(pci_bridge),
	DEFINE_PROP_END,
};

/* A device type: SYMBOL, its NAME, and the initializer of its model. */
#define PORT(symbol, name_, desc_, props_, ...)                             \
	static bool symbol##_realize(struct device *dev, struct error *err) \
	{                                                                   \
		static const struct port_model model = __VA_ARGS__;         \
                                                                            \
		return port_init(port_of(dev), &model, err);                \
	}                                                                   \
	const struct device_type symbol##_type = {                          \
		.name = name_,                                              \
		.desc = desc_,                                              \
		.bus = BUS_PCI,                                             \
		.user_creatable = true,                                     \
		.cold_only = true,                                          \
		.size = sizeof(struct pcie_port),                           \
		.props = props_,                                            \
		.state = &port_state,                                       \
		.realize = symbol##_realize,                                \
		.reset = port_reset,                                        \
		.unrealize = port_unrealize,                                \
	}

PORT(pcie_root_port, "pcie-root-port", "PCI Express root port", port_props,
     {.vendor = 0x1b36, .device = 0x000c, .kind = PCIE_ROOT_PORT, .express_at = 0x54});
PORT(ioh3420, "ioh3420", "Intel IOH PCI Express root port", port_props,
     {.vendor = 0x8086,
      .device = 0x3420,
      .revision = 2,
      .kind = PCIE_ROOT_PORT,
      .msi_at = 0x60,
      .msi_vectors = 2,
      .express_at = 0x90});
PORT(x3130_upstream, "x3130-upstream", "TI X3130 upstream port of a PCI Express switch",
     upstream_props,
     {.vendor = 0x104c,
      .device = 0x8232,
      .revision = 2,
      .kind = PCIE_UPSTREAM_PORT,
      .msi_at = 0x70,
      .msi_vectors = 1,
      .msi_64 = true,
      .express_at = 0x90});
PORT(xio3130_downstream, "xio3130-downstream", "TI X3130 downstream port of a PCI Express switch",
     port_props,
     {.vendor = 0x104c,
      .device = 0x8233,
      .revision = 1,
      .kind = PCIE_DOWNSTREAM_PORT,
      .msi_at = 0x70,
      .msi_vectors = 1,
      .msi_64 = true,
      .express_at = 0x90});

static bool is_port(const struct device *dev)
{
	return dev->type == &pcie_root_port_type || dev->type == &ioh3420_type ||
	       dev->type == &x3130_upstream_type || dev->type == &xio3130_downstream_type;
}
