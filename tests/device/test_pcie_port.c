/* SPDX-License-Identifier: BSD-2-Clause */
/* Bridges and PCI Express ports as -device makes them: where they may be, what they show, and what passes through them. */
#include "devices/chipset/chipset.h"
#include "devices/pci/pcie.h"
#include "devices/virtio/virtio_types.h"
#include "tests/device/kit.h"

#define LPC	PCI_DEVFN(31, 0)
#define ROOT	PCI_DEVFN(2, 0)
#define EXPRESS 0x54 /* of pcie-root-port */
#define SLTSTA	(EXPRESS + 0x1a)
#define LNKSTA	(EXPRESS + 0x12)
#define PRESENT 0x0040
#define LINK_UP 0x2000
#define SBR	0x0040 /* Bridge Control: Secondary Bus Reset */

static struct kit *k;

static int setup(void **state)
{
	k = kit_new();
	kit_add(k, &i8259_type, NULL);
	kit_add(k, &q35_mch_type, NULL);
	kit_add(k, &ich9_lpc_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static struct device *add(const struct device_type *type, const char *id, const char *bus,
			  const char *addr, const char *name, const char *value)
{
	struct device *dev = device_new(k->m, type, id);
	struct error err = ERROR_INIT;

	if (!device_set_prop(dev, "addr", addr, &err) ||
	    (bus && !device_set_prop(dev, "bus", bus, &err)) ||
	    (name && !device_set_prop(dev, name, value, &err)) || !device_realize(dev, &err))
		fail_msg("%s", err.msg);
	device_reset(dev);
	return dev;
}

static void assert_refused(const struct device_type *type, const char *bus, const char *name,
			   const char *value, const char *why)
{
	char *msg = kit_add_fails(k, type, "bus", bus, name, value, NULL);

	if (!strstr(msg, why))
		fail_msg("'%s' does not say '%s'", msg, why);
	free(msg);
}

static uint32_t get(unsigned bus, unsigned devfn, unsigned reg, unsigned size)
{
	uint32_t mask = size == 4 ? UINT32_MAX : BIT(8 * size) - 1;

	return pci_config_read(k->m->pci, bus, devfn, reg, size) & mask;
}

static void put(unsigned bus, unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
	pci_config_write(k->m->pci, bus, devfn, reg, value, size);
}

/* The bridge on BUS leads to SECONDARY, up to LAST, and to memory from BASE on: a MiB. */
static void open_bridge(unsigned bus, unsigned devfn, unsigned secondary, unsigned last,
			uint32_t base)
{
	put(bus, devfn, PCI_PRIMARY_BUS, bus | secondary << 8 | last << 16, 4);
	put(bus, devfn, PCI_MEMORY_BASE, base >> 16 | base, 4);
	put(bus, devfn, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
}

/* ---- what they show ---- */

static void a_root_port_is_a_bridge_with_a_slot(void **state)
{
	add(&pcie_root_port_type, "rp", NULL, "2", "slot", "5");
	assert_int_equal(get(0, ROOT, 0, 4), 0x000c1b36);
	assert_int_equal(get(0, ROOT, 8, 4) >> 8, 0x060400);
	assert_int_equal(get(0, ROOT, PCI_HEADER_TYPE, 1), 1);
	assert_int_equal(get(0, ROOT, EXPRESS, 1), PCI_CAP_EXPRESS);
	assert_int_equal(get(0, ROOT, EXPRESS + 2, 2), 0x0142);
	assert_int_equal(get(0, ROOT, EXPRESS + 0x14, 4) >> 19, 5);
	/* Its registers keep what they can and nothing else. */
	put(0, ROOT, EXPRESS + 0x08, 0xffff, 2);
	assert_int_equal(get(0, ROOT, EXPRESS + 0x08, 2), 0x781f);
	put(0, ROOT, EXPRESS + 0x14, 0xffffffff, 4);
	assert_int_equal(get(0, ROOT, EXPRESS + 0x14, 4), 5u << 19);
}

static void a_slot_says_whether_a_card_is_in_it(void **state)
{
	struct device *card;

	add(&pcie_root_port_type, "rp", NULL, "2", NULL, NULL);
	assert_int_equal(get(0, ROOT, SLTSTA, 2), 0);
	assert_int_equal(get(0, ROOT, LNKSTA, 2), 0x0011);
	card = add(&virtio_rng_pci_type, NULL, "rp", "0", NULL, NULL);
	assert_int_equal(get(0, ROOT, SLTSTA, 2), PRESENT);
	assert_int_equal(get(0, ROOT, LNKSTA, 2), LINK_UP | 0x11);
	device_unrealize(card);
	assert_int_equal(get(0, ROOT, SLTSTA, 2), 0);
}

static void a_card_behind_a_port_is_of_pci_express(void **state)
{
	unsigned cap;

	add(&pcie_root_port_type, "rp", NULL, "2", NULL, NULL);
	add(&virtio_rng_pci_type, NULL, "rp", "0", NULL, NULL);
	open_bridge(0, ROOT, 1, 1, 0xe0000000);
	assert_int_equal(get(1, 0, 0, 4), 0x10441af4); /* no legacy interface there */
	for (cap = get(1, 0, PCI_CAPABILITIES, 1); cap && get(1, 0, cap, 1) != PCI_CAP_EXPRESS;)
		cap = get(1, 0, cap + 1, 1);
	assert_int_not_equal(cap, 0);
	assert_int_equal(get(1, 0, cap + 2, 2), 0x0002);
	assert_int_equal(get(1, 0, 0x100, 4), 0);
	assert_int_equal(get(1, PCI_DEVFN(1, 0), 0, 4), 0xffffffff);
}

static void a_switch_has_ports_up_and_down(void **state)
{
	add(&ioh3420_type, "rp", NULL, "2", NULL, NULL);
	add(&x3130_upstream_type, "up", "rp", "0", NULL, NULL);
	add(&xio3130_downstream_type, "d0", "up", "0", "chassis", "1");
	add(&xio3130_downstream_type, "d1", "up", "1", "chassis", "2");
	add(&virtio_rng_pci_type, NULL, "d1", "0", NULL, NULL);
	open_bridge(0, ROOT, 1, 4, 0xe0000000);
	open_bridge(1, 0, 2, 4, 0xe0000000);
	open_bridge(2, PCI_DEVFN(0, 0), 3, 3, 0xe0100000);
	open_bridge(2, PCI_DEVFN(1, 0), 4, 4, 0xe0000000);
	assert_int_equal(get(0, ROOT, 0, 4), 0x34208086);
	assert_int_equal(get(1, 0, 0, 4), 0x8232104c);
	assert_int_equal(get(1, 0, 0x92, 2), 0x0052);
	assert_int_equal(get(2, 0, 0, 4), 0x8233104c);
	assert_int_equal(get(2, 0, 0x92, 2), 0x0162);
	assert_int_equal(get(3, 0, 0, 4), 0xffffffff);
	assert_int_equal(get(4, 0, 0, 4), 0x10441af4);
	put(4, 0, PCI_BAR0 + 4 * 4, 0xe0004000, 4);
	put(4, 0, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(as_read(&k->m->mem, 0xe0004012, 2), 1); /* num_queues */
	put(1, 0, PCI_COMMAND, 0, 2);
	assert_int_equal(as_read(&k->m->mem, 0xe0004012, 2), 0xffff);
}

static void conventional_cards_are_behind_a_bridge_to_pci(void **state)
{
	unsigned at;

	add(&pcie_pci_bridge_type, "pb", NULL, "2", NULL, NULL);
	add(&pci_bridge_type, "br", "pb", "7", "chassis_nr", "9");
	add(&virtio_rng_pci_type, NULL, "br", "3", NULL, NULL);
	open_bridge(0, ROOT, 1, 2, 0xe0000000);
	open_bridge(1, PCI_DEVFN(7, 0), 2, 2, 0xe0000000);
	assert_int_equal(get(0, ROOT, 0, 4), 0x000e1b36);
	assert_int_equal(get(1, PCI_DEVFN(7, 0), 0, 4), 0x00011b36);
	at = get(1, PCI_DEVFN(7, 0), PCI_CAPABILITIES, 1);
	assert_int_equal(get(1, PCI_DEVFN(7, 0), at, 4), 0x09200004);
	assert_int_equal(get(2, PCI_DEVFN(3, 0), 0, 4), 0x10051af4);
	assert_int_equal(get(2, PCI_DEVFN(3, 0), 0x100, 4), 0xffffffff);
}

/* ---- what passes through ---- */

/* Slot 0 INTA behind slot 2 is the root's slot 2 INTA (bridge specification 9.1): of the Q35's wires it's PIRQG. */
static void an_interrupt_pin_goes_through_by_the_slots(void **state)
{
	struct device *card;

	add(&pcie_pci_bridge_type, "pb", NULL, "2", NULL, NULL);
	card = add(&virtio_rng_pci_type, NULL, "pb", "1", NULL, NULL);
	for (unsigned reg = 0x68; reg < 0x6c; reg++) /* PIRQE to PIRQH */
		put(0, LPC, reg, 0x80, 1);
	put(0, LPC, 0x6b, 0x0b, 1);
	pci_set_intx(container_of(card, struct pci_device, dev), true);
	assert_true(k->level[11]);
	pci_set_intx(container_of(card, struct pci_device, dev), false);
	assert_false(k->level[11]);
}

static void a_secondary_bus_reset_reaches_all_that_is_behind(void **state)
{
	add(&ioh3420_type, "rp", NULL, "2", NULL, NULL);
	add(&x3130_upstream_type, "up", "rp", "0", NULL, NULL);
	add(&xio3130_downstream_type, "d0", "up", "0", "chassis", "1");
	add(&virtio_rng_pci_type, "rng", "d0", "0", NULL, NULL);
	open_bridge(0, ROOT, 1, 3, 0xe0000000);
	open_bridge(1, 0, 2, 3, 0xe0000000);
	open_bridge(2, 0, 3, 3, 0xe0000000);
	put(3, 0, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	put(0, ROOT, PCI_BRIDGE_CONTROL, SBR, 2);
	put(0, ROOT, PCI_BRIDGE_CONTROL, 0, 2);
	assert_int_equal(get(0, ROOT, PCI_SUBORDINATE_BUS, 1), 3);
	assert_int_equal(get(1, 0, PCI_SECONDARY_BUS, 1), 0);
	open_bridge(1, 0, 2, 3, 0xe0000000);
	open_bridge(2, 0, 3, 3, 0xe0000000);
	assert_int_equal(get(3, 0, PCI_COMMAND, 2), 0);
}

static void numbers_and_windows_survive_save_and_load(void **state)
{
	struct device *port = add(&pcie_root_port_type, "rp", NULL, "2", NULL, NULL);

	add(&virtio_rng_pci_type, NULL, "rp", "0", NULL, NULL);
	open_bridge(0, ROOT, 1, 1, 0xe0000000);
	put(1, 0, PCI_BAR0 + 4 * 4, 0xe0004000, 4);
	put(1, 0, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	get(0, ROOT, SLTSTA, 2);
	kit_save_load(port);
	assert_int_equal(as_read(&k->m->mem, 0xe0004012, 2), 1);
}

static void without_firmware_everything_gets_a_place(void **state)
{
	struct device *card;

	add(&pcie_root_port_type, "rp", NULL, "2", NULL, NULL);
	add(&pcie_root_port_type, "rq", NULL, "3", "chassis", "1");
	card = add(&virtio_rng_pci_type, NULL, "rq", "0", NULL, NULL);
	pci_assign_resources(k->m);
	assert_int_equal(get(0, ROOT, PCI_SECONDARY_BUS, 1), 1);
	assert_int_equal(get(0, PCI_DEVFN(3, 0), PCI_SECONDARY_BUS, 1), 2);
	assert_int_equal(get(2, 0, 0, 2), 0x1af4);
	assert_int_not_equal(pci_bar_address(container_of(card, struct pci_device, dev), 4),
			     UINT64_MAX);
}

/* A guest may give buses numbers that lead in circles, or nowhere. */
static void bus_numbers_that_make_no_sense_do_no_harm(void **state)
{
	add(&ioh3420_type, "rp", NULL, "2", NULL, NULL);
	add(&x3130_upstream_type, "up", "rp", "0", NULL, NULL);
	add(&xio3130_downstream_type, "d0", "up", "0", "chassis", "1");
	for (unsigned n = 0; n < 20000; n++) {
		unsigned x = n * 2654435761u;

		put(0, ROOT, PCI_PRIMARY_BUS, x, 4);
		put(x >> 8 & 3, 0, PCI_PRIMARY_BUS, x >> 3, 4);
		put(x >> 8 & 3, 0, PCI_MEMORY_BASE, x, 4);
		put(x >> 8 & 3, 0, PCI_PREF_BASE_UPPER + (x & 4), x << 5, 4);
		put(x >> 8 & 3, 0, PCI_COMMAND, x >> 5 & 7, 2);
		get(x >> 16 & 0xff, x & 0xff, 0, 4);
	}
}

/* ---- where they may be ---- */

static void ports_stand_where_ports_stand(void **state)
{
	add(&pcie_root_port_type, "rp", NULL, "2", NULL, NULL);
	add(&pcie_pci_bridge_type, "pb", NULL, "3", NULL, NULL);
	assert_refused(&pcie_root_port_type, "rp", "chassis", "7",
		       "a root port goes on the root bus");
	assert_refused(&pcie_root_port_type, "pb", "chassis", "7", "pb is none");
	assert_refused(&pcie_pci_bridge_type, "pb", "addr", "4", "pb is none");
	assert_refused(&xio3130_downstream_type, "rp", "chassis", "7", "behind an upstream port");
	assert_refused(&x3130_upstream_type, "pcie.0", "addr", "9", "behind a root port");
	assert_refused(&virtio_rng_pci_type, "rp", "addr", "1", "addr is not a PCI slot");
	assert_refused(&virtio_rng_pci_type, "nobody", "addr", "1", "Bus 'nobody' not found");
	assert_refused(&pcie_root_port_type, "pcie.0", "chassis", "0",
		       "chassis 0 has a slot 0 already");
	assert_refused(&pcie_root_port_type, "pcie.0", "slot", "8192", "8191 is the highest");
	assert_refused(&pcie_root_port_type, "pcie.0", "hotplug", "on", "hotplug=on");
	assert_refused(&pci_bridge_type, "pb", "shpc", "on", "chassis_nr");
	assert_refused(&pci_bridge_type, "pb", "chassis_nr", "0", "chassis_nr");
}

static void nothing_is_plugged_behind_while_the_guest_runs(void **state)
{
	add(&pcie_root_port_type, "rp", NULL, "2", NULL, NULL);
	k->m->plugging = true;
	assert_refused(&virtio_rng_pci_type, "rp", "addr", "0", "does not support hotplugging");
	k->m->plugging = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_root_port_is_a_bridge_with_a_slot),
		TEST(a_slot_says_whether_a_card_is_in_it),
		TEST(a_card_behind_a_port_is_of_pci_express),
		TEST(a_switch_has_ports_up_and_down),
		TEST(conventional_cards_are_behind_a_bridge_to_pci),
		TEST(an_interrupt_pin_goes_through_by_the_slots),
		TEST(a_secondary_bus_reset_reaches_all_that_is_behind),
		TEST(numbers_and_windows_survive_save_and_load),
		TEST(without_firmware_everything_gets_a_place),
		TEST(bus_numbers_that_make_no_sense_do_no_harm),
		TEST(ports_stand_where_ports_stand),
		TEST(nothing_is_plugged_behind_while_the_guest_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
