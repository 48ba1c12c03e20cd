/* SPDX-License-Identifier: BSD-2-Clause */
/* The DSDT: what a guest cannot find by probing, how PCI's interrupts are wired, and which states of sleep there are. */
#include "src/boot/acpi.h"

#define PCI_SLOTS     32
#define PCI_PINS      4
#define PIIX_LINKS    4
#define ICH9_LINKS    8
#define ICH9_GSI_BASE 16
#define LINK_DISABLED 0x80
#define LINK_IRQ      0x0f

/* _OSC: errors in its first dword (ACPI 6.3, 6.2.11), what may be granted in its third */
#define OSC_BAD_UUID	       0x04
#define OSC_BAD_REVISION       0x08
#define OSC_MASKED	       0x10
#define OSC_EXPRESS_CAPABILITY 0x10

static void add_device_ids(struct aml *a, const char *hid, unsigned uid)
{
	aml_name_decl(a, "_HID");
	aml_eisaid(a, hid);
	aml_name_int(a, "_UID", uid);
}

/* ---- ISA ---- */

static void add_serial(struct aml *a, unsigned n)
{
	static const uint16_t ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	static const uint8_t irqs[] = {4, 3, 4, 3};
	char name[] = {'C', 'O', 'M', (char)('1' + n), 0};
	size_t dev = aml_device(a, name);
	struct aml_resources crs;

	add_device_ids(a, "PNP0501", n + 1);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, ports[n], 8);
	aml_irq(a, irqs[n]);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_8042(struct aml *a)
{
	size_t dev = aml_device(a, "KBD");
	struct aml_resources crs;

	add_device_ids(a, "PNP0303", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, 0x60, 1);
	aml_io(a, 0x64, 1);
	aml_irq(a, 1);
	aml_resources_end(a, crs);
	aml_end(a, dev);

	dev = aml_device(a, "MOU");
	add_device_ids(a, "PNP0F13", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_irq(a, 12);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_rtc(struct aml *a)
{
	size_t dev = aml_device(a, "RTC");
	struct aml_resources crs;

	add_device_ids(a, "PNP0B00", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, 0x70, 2);
	aml_irq(a, 8);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

/* Guests that look for fw_cfg's files find its ports here (QEMU, docs/specs/fw_cfg); not shown to users. */
static void add_fw_cfg(struct aml *a)
{
	size_t dev = aml_device(a, "FWCF");
	struct aml_resources crs;

	aml_name_string(a, "_HID", "QEMU0002");
	aml_name_int(a, "_STA", 0x0b);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, 0x510, 12);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

/* The guest tells of its panic by a byte (QEMU, docs/specs/pvpanic). */
static void add_pvpanic(struct aml *a, uint16_t port)
{
	size_t dev = aml_device(a, "PEVT"), field, method;
	struct aml_resources crs;

	aml_name_string(a, "_HID", "QEMU0001");
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, port, 1);
	aml_resources_end(a, crs);
	aml_region(a, "PEOR", AML_SYSTEM_IO, port, 1);
	field = aml_field(a, "PEOR", AML_BYTE_ACC);
	aml_field_bits(a, "PEPT", 8);
	aml_end(a, field);
	aml_name_int(a, "_STA", 0x0f);
	method = aml_method(a, "RDPT", 0);
	aml_op(a, AML_OP_RETURN);
	aml_name(a, "PEPT");
	aml_end(a, method);
	method = aml_method(a, "WRPT", 1);
	aml_op(a, AML_OP_STORE);
	aml_op(a, AML_OP_ARG0);
	aml_name(a, "PEPT");
	aml_end(a, method);
	aml_end(a, dev);
}

/* ---- the board's own ---- */

/* What is nobody else's: the power management ports, and the configuration space in memory. */
static void add_motherboard(struct aml *a, const struct acpi_board *b)
{
	size_t dev = aml_device(a, "MBRD");
	struct aml_resources crs;

	add_device_ids(a, "PNP0C02", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	if (b->pm_base)
		aml_io(a, b->pm_base, b->pci == ACPI_PCI_Q35 ? 0x80 : 0x40);
	if (b->mmconfig.start != b->mmconfig.end)
		aml_memory32(a, true, (uint32_t)b->mmconfig.start,
			     (uint32_t)(b->mmconfig.end - b->mmconfig.start));
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_hpet(struct aml *a, uint32_t addr)
{
	size_t dev = aml_device(a, "HPET");
	struct aml_resources crs;

	add_device_ids(a, "PNP0103", 0);
	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_memory32(a, false, addr, 0x400);
	aml_resources_end(a, crs);
	aml_end(a, dev);
}

static void add_cpus(struct aml *a, const struct acpi_board *b)
{
	static const char hex[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < b->cpus; i++) {
		char name[] = {'C', hex[i >> 8 & 15], hex[i >> 4 & 15], hex[i & 15], 0};
		size_t dev = aml_device(a, name);

		aml_name_string(a, "_HID", "ACPI0007");
		aml_name_int(a, "_UID", i);
		aml_end(a, dev);
	}
}

/* ---- PCI: what the root bus decodes ---- */

static void add_pci_resources(struct aml *a, const struct acpi_board *b)
{
	struct aml_resources crs;

	aml_name_decl(a, "_CRS");
	crs = aml_resources(a);
	aml_space(a, 16, AML_SPACE_BUS, 0, 0, 255);
	aml_io(a, 0xcf8, 8);
	aml_space(a, 16, AML_SPACE_IO, AML_IO_ENTIRE_RANGE, 0, 0xcf7);
	aml_space(a, 16, AML_SPACE_IO, AML_IO_ENTIRE_RANGE, 0xd00, 0xffff);
	aml_space(a, 32, AML_SPACE_MEMORY, AML_MEMORY_WRITE | AML_MEMORY_CACHEABLE, 0xa0000,
		  0xbffff);
	for (unsigned i = 0; i < ARRAY_SIZE(b->pci_mem); i++)
		if (b->pci_mem[i].start < b->pci_mem[i].end)
			aml_space(a, 32, AML_SPACE_MEMORY, AML_MEMORY_WRITE, b->pci_mem[i].start,
				  b->pci_mem[i].end - 1);
	if (b->pci_mem64.start < b->pci_mem64.end)
		aml_space(a, 64, AML_SPACE_MEMORY, AML_MEMORY_WRITE | AML_MEMORY_CACHEABLE,
			  b->pci_mem64.start, b->pci_mem64.end - 1);
	aml_resources_end(a, crs);
}

/* ---- PCI: interrupts ---- */

/* The link of a slot's pin, as piix3.c and ich9_lpc.c have it. */
static unsigned link_of(const struct acpi_board *b, unsigned slot, unsigned pin)
{
	if (b->pci == ACPI_PCI_I440FX)
		return (slot + pin + PIIX_LINKS - 1) % PIIX_LINKS;
	if (slot < 25)
		return 4 + (slot + pin) % 4;
	return slot == 30 ? 4 + pin : pin;
}

static const char *link_name(unsigned n)
{
	static const char names[ICH9_LINKS][5] = {"LNKA", "LNKB", "LNKC", "LNKD",
						  "LNKE", "LNKF", "LNKG", "LNKH"};

	return names[n];
}

static const char *link_register(unsigned n)
{
	static const char names[ICH9_LINKS][20] = {"\\_SB.PCI0.ISA.PRQA", "\\_SB.PCI0.ISA.PRQB",
						   "\\_SB.PCI0.ISA.PRQC", "\\_SB.PCI0.ISA.PRQD",
						   "\\_SB.PCI0.ISA.PRQE", "\\_SB.PCI0.ISA.PRQF",
						   "\\_SB.PCI0.ISA.PRQG", "\\_SB.PCI0.ISA.PRQH"};

	return names[n];
}

/* Routing by links, or with GSIS by the IOAPIC's own pins. */
static void add_routes(struct aml *a, const struct acpi_board *b, const char *name, bool gsis)
{
	size_t prt;

	aml_name_decl(a, name);
	prt = aml_package(a, PCI_SLOTS * PCI_PINS);
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned pin = 0; pin < PCI_PINS; pin++) {
			size_t route = aml_package(a, 4);
			unsigned link = link_of(b, slot, pin);

			aml_int(a, slot << 16 | 0xffff);
			aml_int(a, pin);
			if (gsis)
				aml_int(a, 0);
			else
				aml_name(a, link_name(link));
			aml_int(a, gsis ? ICH9_GSI_BASE + link : 0);
			aml_end(a, route);
		}
	}
	aml_end(a, prt);
}

/* Which of the two is asked for: \_PIC has said what the guest runs with. */
static void add_prt_method(struct aml *a)
{
	size_t method = aml_method(a, "_PRT", 0), branch = aml_if(a);

	aml_name(a, "\\PICF");
	aml_op(a, AML_OP_RETURN);
	aml_name(a, "PRTA");
	aml_end(a, branch);
	aml_op(a, AML_OP_RETURN);
	aml_name(a, "PRTP");
	aml_end(a, method);
}

static void add_pic_method(struct aml *a)
{
	size_t method;

	aml_name_int(a, "\\PICF", 0);
	method = aml_method(a, "\\_PIC", 1);
	aml_op(a, AML_OP_STORE);
	aml_op(a, AML_OP_ARG0);
	aml_name(a, "\\PICF");
	aml_end(a, method);
}

/* The bridge to ISA, whose configuration registers route the interrupts. */
static void add_isa_bridge(struct aml *a, const struct acpi_board *b)
{
	bool ich9 = b->pci == ACPI_PCI_Q35;
	size_t dev = aml_device(a, "ISA"), field;

	aml_name_int(a, "_ADR", ich9 ? 0x001f0000 : 0x00010000);
	aml_region(a, "PIRQ", AML_PCI_CONFIG, 0x60, ich9 ? 12 : 4);
	field = aml_field(a, "PIRQ", AML_BYTE_ACC);
	for (unsigned i = 0; i < (ich9 ? ICH9_LINKS : PIIX_LINKS); i++) {
		if (i == 4)
			aml_field_bits(a, NULL, 32);
		aml_field_bits(a, link_register(i) + strlen("\\_SB.PCI0.ISA."), 8);
	}
	aml_end(a, field);
	aml_end(a, dev);
}

static void add_link_irqs(struct aml *a, const char *name, const uint32_t *irqs, unsigned n)
{
	struct aml_resources r;

	aml_name_decl(a, name);
	r = aml_resources(a);
	aml_interrupt(a, true, irqs, n);
	aml_resources_end(a, r);
}

/* Method (_STA): present; enabled unless bit 7 of the register says that it leads nowhere */
static void add_link_sta(struct aml *a, const char *reg)
{
	size_t method = aml_method(a, "_STA", 0), branch = aml_if(a);

	aml_op(a, AML_OP_AND);
	aml_name(a, reg);
	aml_int(a, LINK_DISABLED);
	aml_op(a, AML_OP_NULL);
	aml_op(a, AML_OP_RETURN);
	aml_int(a, 0x09);
	aml_end(a, branch);
	aml_op(a, AML_OP_RETURN);
	aml_int(a, 0x0b);
	aml_end(a, method);
}

/* _DIS, _CRS and _SRS. The interrupt's number is at byte 5 of the template. */
static void add_link_methods(struct aml *a, const char *reg)
{
	size_t method = aml_method(a, "_DIS", 0);

	aml_op(a, AML_OP_OR);
	aml_name(a, reg);
	aml_int(a, LINK_DISABLED);
	aml_name(a, reg);
	aml_end(a, method);

	add_link_irqs(a, "CRSB", &(uint32_t){0}, 1);
	method = aml_method(a, "_CRS", AML_SERIALIZED);
	aml_op(a, AML_OP_CREATE_DWORD_FIELD);
	aml_name(a, "CRSB");
	aml_int(a, 5);
	aml_name(a, "CRSI");
	aml_op(a, AML_OP_AND);
	aml_name(a, reg);
	aml_int(a, LINK_IRQ);
	aml_name(a, "CRSI");
	aml_op(a, AML_OP_RETURN);
	aml_name(a, "CRSB");
	aml_end(a, method);

	method = aml_method(a, "_SRS", AML_SERIALIZED | 1);
	aml_op(a, AML_OP_CREATE_DWORD_FIELD);
	aml_op(a, AML_OP_ARG0);
	aml_int(a, 5);
	aml_name(a, "SRSI");
	aml_op(a, AML_OP_STORE);
	aml_name(a, "SRSI");
	aml_name(a, reg);
	aml_end(a, method);
}

static void add_link(struct aml *a, unsigned n)
{
	static const uint32_t possible[] = {5, 10, 11};
	size_t dev = aml_device(a, link_name(n));

	add_device_ids(a, "PNP0C0F", n);
	add_link_irqs(a, "_PRS", possible, ARRAY_SIZE(possible));
	add_link_sta(a, link_register(n));
	add_link_methods(a, link_register(n));
	aml_end(a, dev);
}

static void add_pci_ids(struct aml *a, const struct acpi_board *b)
{
	if (b->pci == ACPI_PCI_Q35) {
		add_device_ids(a, "PNP0A08", 0);
		aml_name_decl(a, "_CID");
		aml_eisaid(a, "PNP0A03");
	} else {
		add_device_ids(a, "PNP0A03", 0);
	}
	aml_name_int(a, "_BBN", 0);
}

/* CreateDWordField (Arg3, AT, NAME) */
static void osc_field(struct aml *a, unsigned at, const char *name)
{
	aml_op(a, AML_OP_CREATE_DWORD_FIELD);
	aml_op(a, AML_OP_ARG3);
	aml_int(a, at);
	aml_name(a, name);
}

/* CDW1 |= BIT */
static void osc_status(struct aml *a, unsigned bit)
{
	aml_op(a, AML_OP_OR);
	aml_name(a, "CDW1");
	aml_int(a, bit);
	aml_name(a, "CDW1");
}

/* Opens If (LNotEqual (what is written next, and after that)) */
static size_t osc_if_differ(struct aml *a)
{
	size_t branch = aml_if(a);

	aml_op(a, AML_OP_LNOT);
	aml_op(a, AML_OP_LEQUAL);
	return branch;
}

static void osc_answer(struct aml *a)
{
	aml_op(a, AML_OP_RETURN);
	aml_op(a, AML_OP_ARG3);
}

static void osc_grant(struct aml *a)
{
	size_t branch;

	osc_field(a, 8, "CDW3");
	aml_op(a, AML_OP_AND);
	aml_name(a, "CDW3");
	aml_int(a, OSC_EXPRESS_CAPABILITY);
	aml_op(a, AML_OP_LOCAL0);
	branch = osc_if_differ(a);
	aml_name(a, "CDW3");
	aml_op(a, AML_OP_LOCAL0);
	osc_status(a, OSC_MASKED);
	aml_end(a, branch);
	aml_op(a, AML_OP_STORE);
	aml_op(a, AML_OP_LOCAL0);
	aml_name(a, "CDW3");
}

/*
 * What of PCI Express the system may drive itself (PCI Firmware Specification 3.0, 4.5): the capability structures. Hot
 * plugging, power management events and error reporting are not granted, as our ports have none.
 */
static void add_osc(struct aml *a)
{
	/* 33DB4D5B-1FF7-401C-9657-7441C03DD766 */
	static const uint8_t uuid[] = {0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40,
				       0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66};
	size_t method = aml_method(a, "_OSC", AML_SERIALIZED | 4), branch;

	osc_field(a, 0, "CDW1");
	branch = osc_if_differ(a);
	aml_op(a, AML_OP_ARG0);
	aml_buffer(a, uuid, sizeof(uuid));
	osc_status(a, OSC_BAD_UUID);
	osc_answer(a);
	aml_end(a, branch);
	branch = osc_if_differ(a);
	aml_op(a, AML_OP_ARG1);
	aml_int(a, 1);
	osc_status(a, OSC_BAD_REVISION);
	aml_end(a, branch);
	osc_grant(a);
	osc_answer(a);
	aml_end(a, method);
}

static void add_pci(struct aml *a, const struct acpi_board *b)
{
	size_t dev = aml_device(a, "PCI0");

	add_pci_ids(a, b);
	add_pci_resources(a, b);
	if (b->pci == ACPI_PCI_Q35) {
		add_routes(a, b, "PRTP", false);
		add_routes(a, b, "PRTA", true);
		add_prt_method(a);
		add_osc(a);
	} else {
		add_routes(a, b, "_PRT", false);
	}
	add_isa_bridge(a, b);
	aml_end(a, dev);
	for (unsigned i = 0; i < (b->pci == ACPI_PCI_Q35 ? ICH9_LINKS : PIIX_LINKS); i++)
		add_link(a, i);
}

/* ---- sleep ---- */

/* SLP_TYP, as PIIX4 and ICH9 are told (acpi_pm.h) */
static void add_sleep_state(struct aml *a, const char *name, unsigned type)
{
	size_t package;

	aml_name_decl(a, name);
	package = aml_package(a, 4);
	aml_int(a, type);
	aml_int(a, type);
	aml_int(a, 0);
	aml_int(a, 0);
	aml_end(a, package);
}

static void add_devices(struct aml *a, const struct acpi_board *b)
{
	add_cpus(a, b);
	if (b->pci != ACPI_PCI_NONE)
		add_pci(a, b);
	if (b->pm_base || b->mmconfig.start != b->mmconfig.end)
		add_motherboard(a, b);
	if (b->hpet_addr)
		add_hpet(a, b->hpet_addr);
	for (unsigned i = 0; i < 4; i++)
		if (b->serial_mask & (1u << i))
			add_serial(a, i);
	if (b->has_8042)
		add_8042(a);
	if (b->has_rtc)
		add_rtc(a);
	if (b->has_fw_cfg)
		add_fw_cfg(a);
	if (b->pvpanic_port)
		add_pvpanic(a, b->pvpanic_port);
}

size_t acpi_add_dsdt(struct acpi_set *set)
{
	size_t at = acpi_begin(set, "DSDT", 2), sb;
	struct aml *a = acpi_out(set);

	if (set->board->pci == ACPI_PCI_Q35)
		add_pic_method(a);
	sb = aml_scope(a, "\\_SB");
	add_devices(a, set->board);
	if (set->board->ged_addr)
		acpi_add_reduced_devices(set);
	aml_end(a, sb);
	if (set->board->has_s3)
		add_sleep_state(a, "\\_S3", 1);
	if (set->board->has_s4)
		add_sleep_state(a, "\\_S4", 2);
	add_sleep_state(a, "\\_S5", set->board->ged_addr ? 5 : 0);
	acpi_end(set, at, false);
	return at;
}
