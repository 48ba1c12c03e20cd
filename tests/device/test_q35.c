/* SPDX-License-Identifier: BSD-2-Clause */
/* The Q35's hub and the ICH9's LPC bridge: configuration space in memory, interrupt wires, power management. */
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define MCH	 PCI_DEVFN(0, 0)
#define LPC	 PCI_DEVFN(31, 0)
#define PCIEXBAR 0x60

static struct kit *k;
static struct device *mch, *lpc;

static int setup(void **state)
{
	k = kit_new();
	mch = kit_add(k, &q35_mch_type, NULL);
	lpc = kit_add(k, &ich9_lpc_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint32_t get(unsigned devfn, unsigned reg, unsigned size)
{
	return pci_config_read(k->m->pci, 0, devfn, reg, size);
}

static void put(unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
	pci_config_write(k->m->pci, 0, devfn, reg, value, size);
}

static uint32_t peek(uint64_t at)
{
	return (uint32_t)as_read(&k->m->mem, at, 4);
}

static void the_functions_name_themselves(void **state)
{
	assert_int_equal(get(MCH, 0, 4), 0x29c08086);
	assert_int_equal(get(LPC, 0, 4), 0x29188086);
	assert_int_equal(get(LPC, 8, 4) >> 8, 0x060100);
	assert_int_equal(get(LPC, 0x0e, 1), 0x80);
	kit_out32(k, 0xcf8, 0x80000000 | LPC << 8);
	assert_int_equal(kit_in32(k, 0xcfc), 0x29188086);
}

static void pciexbar_shows_configuration_space_in_memory(void **state)
{
	assert_int_equal(peek(0xb0000000), 0xffffffff);
	put(MCH, PCIEXBAR + 4, 0, 4);
	put(MCH, PCIEXBAR, 0xb0000001, 4);
	assert_int_equal(peek(0xb0000000), 0x29c08086);
	assert_int_equal(peek(0xb0000000 + (LPC << 12)), 0x29188086);
	assert_int_equal(peek(0xb0000000 + (LPC << 12) + 0xffc), 0);
	assert_int_equal(peek(0xb0100000), 0xffffffff); /* bus 1 */
	as_write(&k->m->mem, 0xb0000000 + (LPC << 12) + 0x60, 0x0a, 1);
	assert_int_equal(get(LPC, 0x60, 1), 0x0a);
	put(MCH, PCIEXBAR, 0xe0000005, 4); /* 64 MiB */
	assert_int_equal(peek(0xb0000000), 0xffffffff);
	assert_int_equal(peek(0xe0000000), 0x29c08086);
	put(MCH, PCIEXBAR, 0xe0000007, 4); /* reserved */
	assert_int_equal(peek(0xe0000000), 0xffffffff);
	put(MCH, PCIEXBAR, 0xe0000001, 4);
	kit_save_load(mch);
	assert_int_equal(peek(0xe0000000), 0x29c08086);
	device_reset(mch);
	assert_int_equal(peek(0xe0000000), 0xffffffff);
}

static void pam_is_at_90h(void **state)
{
	as_write(&k->m->mem, 0xf0000, 0x55, 1);
	assert_int_equal(peek(0xf0000), 0xffffffff);
	put(MCH, 0x90, 0x30, 1);
	as_write(&k->m->mem, 0xf0000, 0x55, 1);
	assert_int_equal(peek(0xf0000) & 0xff, 0x55);
}

static void each_wire_has_an_ioapic_pin_and_the_isa_line_it_is_routed_to(void **state)
{
	const struct pci_pirq_ops *ops = k->m->pci->pirq;

	for (unsigned wire = 0; wire < 8; wire++) {
		unsigned rout = wire < 4 ? 0x60 + wire : 0x68 + wire - 4;

		ops->set(k->m->pci->pirq_opaque, wire, true);
		assert_true(k->level[16 + wire]);
		assert_false(k->level[10]);
		put(LPC, rout, 10, 1);
		assert_true(k->level[10]);
		put(LPC, rout, 2, 1); /* reserved */
		assert_false(k->level[10]);
		put(LPC, rout, 11, 1);
		assert_true(k->level[11]);
		ops->set(k->m->pci->pirq_opaque, wire, false);
		assert_false(k->level[11]);
		assert_false(k->level[16 + wire]);
	}
}

static void slots_are_wired_as_after_reset(void **state)
{
	const struct pci_pirq_ops *ops = k->m->pci->pirq;

	assert_int_equal(ops->map(1, 0), 5);
	assert_int_equal(ops->map(24, 3), 7);
	assert_int_equal(ops->map(25, 0), 0);
	assert_int_equal(ops->map(30, 1), 5);
	assert_int_equal(ops->map(31, 3), 3);
}

static void the_power_management_is_at_pmbase(void **state)
{
	assert_int_equal(kit_in16(k, 0x604), 0xffff);
	put(LPC, 0x40, 0x600, 4);
	put(LPC, 0x44, 0x80, 1);
	assert_int_equal(kit_in16(k, 0x604), 1);
	assert_int_equal(kit_in32(k, 0x630), 0x20); /* APMC_EN */
	kit_out8(k, 0x628, 0x20);		    /* GPE0_EN */
	k->m->raise_gpe(k->m->raise_gpe_opaque, 5);
	assert_int_equal(kit_in8(k, 0x620), 0x20);
	assert_true(k->level[9]);
	kit_out8(k, 0x620, 0x20);
	assert_false(k->level[9]);
	kit_save_load(lpc);
	assert_int_equal(kit_in8(k, 0x628), 0x20);
}

static void rcba_shows_the_chipset_configuration_registers(void **state)
{
	put(LPC, 0xf0, 0xfed1c001, 4);
	as_write(&k->m->mem, 0xfed1c000 + 0x3404, 0x80, 4);
	assert_int_equal(peek(0xfed1c000 + 0x3404), 0x80);
	put(LPC, 0xf0, 0xfed1c000, 4);
	assert_int_equal(peek(0xfed1c000 + 0x3404), 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_functions_name_themselves),
		TEST(pciexbar_shows_configuration_space_in_memory),
		TEST(pam_is_at_90h),
		TEST(each_wire_has_an_ioapic_pin_and_the_isa_line_it_is_routed_to),
		TEST(slots_are_wired_as_after_reset),
		TEST(the_power_management_is_at_pmbase),
		TEST(rcba_shows_the_chipset_configuration_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
