/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions as the guest has set them up. */
#include <inttypes.h>
#include "devices/pci/pci.h"
#include "monitor/commands.h"

/* PCI Code and ID Assignment Specification 1.11, chapter 1: base class and subclass. */
static const char *class_desc(unsigned class)
{
	static const struct {
		uint16_t class;
		const char *desc;
	} known[] = {
		{0x0100, "SCSI controller"},	 {0x0101, "IDE controller"},
		{0x0106, "SATA controller"},	 {0x0108, "NVME controller"},
		{0x0200, "Ethernet controller"}, {0x0300, "VGA controller"},
		{0x0380, "Display controller"},	 {0x0401, "Audio controller"},
		{0x0403, "Audio controller"},	 {0x0500, "RAM controller"},
		{0x0600, "Host bridge"},	 {0x0601, "ISA bridge"},
		{0x0604, "PCI bridge"},		 {0x0680, "Bridge"},
		{0x0700, "Serial port"},	 {0x0780, "Communication controller"},
		{0x0c03, "USB controller"},	 {0x0c05, "SMBus"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].class == class)
			return known[i].desc;
	return NULL;
}

static bool is_bridge(const struct pci_device *pci)
{
	return (pci->config[PCI_HEADER_TYPE] & ~PCI_HEADER_MULTI) == PCI_HEADER_BRIDGE;
}

static json_t *range(uint64_t base, uint64_t limit)
{
	return json_pack("{s:I,s:I}", "base", (json_int_t)base, "limit", (json_int_t)limit);
}

/* The windows as the registers have them (PCI-to-PCI Bridge Architecture Specification 1.2, 3.2.5). */
static json_t *describe_bridge_bus(const struct pci_device *pci)
{
	uint64_t io_base = (pci_get(pci, PCI_IO_BASE, 1) & 0xf0) << 8;
	uint64_t io_limit = (pci_get(pci, PCI_IO_LIMIT, 1) & 0xf0) << 8 | 0xfff;
	uint64_t base = (uint64_t)(pci_get(pci, PCI_MEMORY_BASE, 2) & 0xfff0) << 16;
	uint64_t limit = (uint64_t)(pci_get(pci, PCI_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
	uint64_t pref = (uint64_t)(pci_get(pci, PCI_PREF_BASE, 2) & 0xfff0) << 16 |
			(uint64_t)pci_get(pci, PCI_PREF_BASE_UPPER, 4) << 32;
	uint64_t pref_limit = (uint64_t)(pci_get(pci, PCI_PREF_LIMIT, 2) & 0xfff0) << 16 | 0xfffff |
			      (uint64_t)pci_get(pci, PCI_PREF_LIMIT_UPPER, 4) << 32;

	return json_pack("{s:i,s:i,s:i,s:o,s:o,s:o}", "number", pci->config[PCI_PRIMARY_BUS],
			 "secondary", pci->config[PCI_SECONDARY_BUS], "subordinate",
			 pci->config[PCI_SUBORDINATE_BUS], "io_range", range(io_base, io_limit),
			 "memory_range", range(base, limit), "prefetchable_range",
			 range(pref, pref_limit));
}

static json_t *describe_bar(const struct pci_bar *bar, unsigned n)
{
	bool io = bar->flags & PCI_BAR_IO;
	json_t *v = json_pack("{s:i,s:s,s:I,s:I}", "bar", n, "type", io ? "io" : "memory",
			      "address", bar->mapped ? (json_int_t)bar->at : (json_int_t)-1, "size",
			      (json_int_t)bar->region->size);

	if (!io) {
		json_object_set_new(v, "prefetch", json_boolean(bar->flags & PCI_BAR_PREFETCH));
		json_object_set_new(v, "mem_type_64", json_boolean(bar->flags & PCI_BAR_64));
	}
	return v;
}

static json_t *describe_regions(const struct pci_device *pci)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < PCI_BARS; i++)
		if (pci->bars[i].region)
			json_array_append_new(list, describe_bar(&pci->bars[i], i));
	if (pci->rom.region)
		json_array_append_new(list, describe_bar(&pci->rom, PCI_BARS));
	return list;
}

static json_t *describe_class(const struct pci_device *pci)
{
	unsigned class = pci_get(pci, PCI_CLASS + 1, 2);
	const char *desc = class_desc(class);
	json_t *v = json_pack("{s:i}", "class", class);

	if (desc)
		json_object_set_new(v, "desc", json_string(desc));
	return v;
}

static json_t *describe_id(const struct pci_device *pci)
{
	json_t *v = json_pack("{s:i,s:i}", "vendor", pci_get(pci, PCI_VENDOR_ID, 2), "device",
			      pci_get(pci, PCI_DEVICE_ID, 2));

	if (!is_bridge(pci)) {
		unsigned vendor = pci_get(pci, PCI_SUBSYSTEM_VENDOR, 2);

		json_object_set_new(v, "subsystem", json_integer(pci_get(pci, PCI_SUBSYSTEM, 2)));
		json_object_set_new(v, "subsystem-vendor", json_integer(vendor));
	}
	return v;
}

static json_t *describe_bus(const struct pci_bus *bus);

static const struct pci_bus *bus_behind(const struct pci_device *pci)
{
	list_for_each(it, &pci->bus->children) {
		const struct pci_bus *bus = list_entry(it, struct pci_bus, node);

		if (bus->bridge == pci)
			return bus;
	}
	return NULL;
}

static json_t *describe_function(const struct pci_device *pci, unsigned devfn)
{
	const struct pci_bus *behind = bus_behind(pci);
	unsigned pin = pci->config[PCI_INTERRUPT_PIN];
	json_t *v =
		json_pack("{s:i,s:i,s:i,s:o,s:o,s:i,s:s,s:o}", "bus", pci_bus_number(pci->bus),
			  "slot", PCI_SLOT(devfn), "function", PCI_FN(devfn), "class_info",
			  describe_class(pci), "id", describe_id(pci), "irq_pin", pin, "qdev_id",
			  pci->dev.id ? pci->dev.id : "", "regions", describe_regions(pci));

	if (pin)
		json_object_set_new(v, "irq", json_integer(pci->config[PCI_INTERRUPT_LINE]));
	if (behind)
		json_object_set_new(v, "pci_bridge",
				    json_pack("{s:o,s:o}", "bus", describe_bridge_bus(pci),
					      "devices", describe_bus(behind)));
	return v;
}

static json_t *describe_bus(const struct pci_bus *bus)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
		if (bus->devices[i])
			json_array_append_new(list, describe_function(bus->devices[i], i));
	return list;
}

static json_t *query_pci(struct command_call *call, json_t *args)
{
	const struct pci_bus *root = call->machine->pci;
	json_t *list = json_array();

	if (root)
		json_array_append_new(list, json_pack("{s:i,s:o}", "bus", 0, "devices",
						      describe_bus(root)));
	return list;
}

/* ---- for people ---- */

static void show_ranges(struct monitor *mon, json_t *bus)
{
	static const struct {
		const char *member, *text;
		int digits;
	} ranges[] = {{"io_range", "IO", 4},
		      {"memory_range", "memory", 8},
		      {"prefetchable_range", "prefetchable memory", 8}};

	monitor_printf(mon,
		       "      BUS %lld.\n      secondary bus %lld.\n      subordinate bus %lld.\n",
		       arg_int(bus, "number", 0), arg_int(bus, "secondary", 0),
		       arg_int(bus, "subordinate", 0));
	for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
		json_t *r = json_object_get(bus, ranges[i].member);

		monitor_printf(mon, "      %s range [0x%0*llx, 0x%0*llx]\n", ranges[i].text,
			       ranges[i].digits, arg_int(r, "base", 0), ranges[i].digits,
			       arg_int(r, "limit", 0));
	}
}

static void show_region(struct monitor *mon, json_t *r)
{
	uint64_t address = (uint64_t)arg_int(r, "address", 0);
	uint64_t size = (uint64_t)arg_int(r, "size", 0);

	monitor_printf(mon, "      BAR%lld: ", arg_int(r, "bar", 0));
	if (!strcmp(arg_str(r, "type"), "io"))
		monitor_printf(mon, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n", address,
			       address + size - 1);
	else
		monitor_printf(mon, "%d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
			       arg_bool(r, "mem_type_64", false) ? 64 : 32,
			       arg_bool(r, "prefetch", false) ? " prefetchable" : "", address,
			       address + size - 1);
}

static void show_devices(struct monitor *mon, json_t *devices);

static void show_device(struct monitor *mon, json_t *v)
{
	json_t *class = json_object_get(v, "class_info"), *id = json_object_get(v, "id");
	json_t *bridge = json_object_get(v, "pci_bridge"), *r;
	const char *desc = arg_str(class, "desc");
	json_int_t pin = arg_int(v, "irq_pin", 0);
	size_t i;

	monitor_printf(mon, "  Bus %2lld, device %3lld, function %lld:\n    ", arg_int(v, "bus", 0),
		       arg_int(v, "slot", 0), arg_int(v, "function", 0));
	if (desc)
		monitor_printf(mon, "%s", desc);
	else
		monitor_printf(mon, "Class %04lld", arg_int(class, "class", 0));
	monitor_printf(mon, ": PCI device %04llx:%04llx\n", arg_int(id, "vendor", 0),
		       arg_int(id, "device", 0));
	if (arg_int(id, "subsystem-vendor", 0) || arg_int(id, "subsystem", 0))
		monitor_printf(mon, "      PCI subsystem %04llx:%04llx\n",
			       arg_int(id, "subsystem-vendor", 0), arg_int(id, "subsystem", 0));
	if (pin)
		monitor_printf(mon, "      IRQ %lld, pin %c\n", arg_int(v, "irq", 0),
			       (int)('A' + pin - 1));
	if (bridge)
		show_ranges(mon, json_object_get(bridge, "bus"));
	json_array_foreach(json_object_get(v, "regions"), i, r) show_region(mon, r);
	monitor_printf(mon, "      id \"%s\"\n", arg_str(v, "qdev_id"));
	if (bridge)
		show_devices(mon, json_object_get(bridge, "devices"));
}

static void show_devices(struct monitor *mon, json_t *devices)
{
	json_t *v;
	size_t i;

	json_array_foreach(devices, i, v) show_device(mon, v);
}

static void show_pci(struct monitor *mon, json_t *list)
{
	json_t *bus;
	size_t i;

	if (!json_array_size(list))
		monitor_printf(mon, "PCI not supported\n");
	json_array_foreach(list, i, bus) show_devices(mon, json_object_get(bus, "devices"));
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "PciMemoryRange", "base:int limit:int", NULL, NULL},
	{QAPI_STRUCT, "PciMemoryRegion",
	 "bar:int type:str address:int size:int ?prefetch:bool ?mem_type_64:bool", NULL, NULL},
	{QAPI_STRUCT, "PciBusInfo",
	 "number:int secondary:int subordinate:int io_range:PciMemoryRange "
	 "memory_range:PciMemoryRange prefetchable_range:PciMemoryRange",
	 NULL, NULL},
	{QAPI_STRUCT, "PciBridgeInfo", "bus:PciBusInfo ?devices:[PciDeviceInfo]", NULL, NULL},
	{QAPI_STRUCT, "PciDeviceClass", "?desc:str class:int", NULL, NULL},
	{QAPI_STRUCT, "PciDeviceId", "device:int vendor:int ?subsystem:int ?subsystem-vendor:int",
	 NULL, NULL},
	{QAPI_STRUCT, "PciDeviceInfo",
	 "bus:int slot:int function:int class_info:PciDeviceClass id:PciDeviceId ?irq:int "
	 "irq_pin:int qdev_id:str ?pci_bridge:PciBridgeInfo regions:[PciMemoryRegion]",
	 NULL, NULL},
	{QAPI_STRUCT, "PciInfo", "bus:int devices:[PciDeviceInfo]", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-pci", NULL, "[PciInfo]", query_pci, 0},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"pci", NULL, NULL, "show PCI info", .qmp = "query-pci", .show = show_pci},
	{.name = NULL},
};

const struct command_group commands_pci = {.types = types, .qmp = qmp, .info = info};
