/* SPDX-License-Identifier: BSD-2-Clause */
/* What the PCI core does for every function: BARs, INTx, MSI, MSI-X, capabilities, option ROMs, bridges. */
#include <unistd.h>
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define CONFADD	 0xcf8
#define CONFDATA 0xcfc

#define CARD	    PCI_DEVFN(3, 0)
#define BAR_IO	    0x10
#define BAR_MEM	    0x14
#define BAR_MEM64   0x18
#define BAR_MSIX    0x20
#define DECODE	    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)
#define MSIX_TABLE  0xe0020000ull
#define MSI_ADDRESS 0xfee01000ull

/* ---- a card that has everything, and a bridge ---- */

struct card {
	struct pci_device pci;
	struct region io, mem, mem64;
	uint64_t last_write;
	unsigned msi_at, msix_at;
};

static const struct pci_register card_registers[] = {
	{"vendor", PCI_VENDOR_ID, 2, 0x1234, 0, 0},
	{"device", PCI_DEVICE_ID, 2, 0x5678, 0, 0},
	{"class", PCI_CLASS, 3, 0xff0000, 0, 0},
	{"pin", PCI_INTERRUPT_PIN, 1, 1, 0, 0},
	{.name = NULL},
};

static uint64_t card_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0x40 + offset;
}

static void card_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	((struct card *)opaque)->last_write = offset << 32 | value;
}

static const struct region_ops card_ops = {
	.read = card_read, .write = card_write, .min_size = 1, .max_size = 4};

static bool card_realize(struct device *dev, struct error *err)
{
	struct card *c = container_of(dev, struct card, pci.dev);

	if (!pci_device_init(&c->pci, card_registers, err))
		return false;
	region_init_io(&c->io, "card-io", &card_ops, c, 0x20);
	region_init_io(&c->mem, "card-mem", &card_ops, c, 0x1000);
	region_init_io(&c->mem64, "card-mem64", &card_ops, c, 0x10000);
	pci_bar_init(&c->pci, 0, PCI_BAR_IO, &c->io);
	pci_bar_init(&c->pci, 1, 0, &c->mem);
	pci_bar_init(&c->pci, 2, PCI_BAR_64 | PCI_BAR_PREFETCH, &c->mem64);
	pci_msix_init(&c->pci, 5, 4);
	pci_msi_init(&c->pci, 0, 4, true, true);
	c->msi_at = c->pci.msi_cap;
	c->msix_at = c->pci.msix_cap;
	if (!pci_rom_init(&c->pci, NULL, err)) {
		pci_device_fini(&c->pci);
		return false;
	}
	return true;
}

static void card_reset(struct device *dev)
{
	pci_device_reset(&container_of(dev, struct card, pci.dev)->pci);
}

static void card_unrealize(struct device *dev)
{
	pci_device_fini(&container_of(dev, struct card, pci.dev)->pci);
}

static const struct state_desc card_state = {
	.name = "card",
	.version = 1,
	.fields =
		(const struct state_field[]){STATE_STRUCT(card, pci, pci_device_state), STATE_END},
};

static const struct device_prop card_props[] = {PCI_PROPS(card), DEFINE_PROP_END};

static const struct device_type card_type = {
	.name = "card",
	.desc = "card",
	.bus = BUS_PCI,
	.size = sizeof(struct card),
	.props = card_props,
	.state = &card_state,
	.realize = card_realize,
	.reset = card_reset,
	.unrealize = card_unrealize,
};

static const struct pci_register bridge_rows[] = {
	{"vendor", PCI_VENDOR_ID, 2, 0x1b36, 0, 0},
	{"device", PCI_DEVICE_ID, 2, 0x0001, 0, 0},
	{"class", PCI_CLASS, 3, 0x060400, 0, 0},
	{.name = NULL},
};

struct bridge {
	struct pci_bridge b;
};

static bool bridge_realize(struct device *dev, struct error *err)
{
	return pci_bridge_init(&container_of(dev, struct bridge, b.pci.dev)->b, bridge_rows, false,
			       err);
}

static void bridge_reset(struct device *dev)
{
	pci_device_reset(&container_of(dev, struct bridge, b.pci.dev)->b.pci);
}

static void bridge_unrealize(struct device *dev)
{
	pci_bridge_fini(&container_of(dev, struct bridge, b.pci.dev)->b);
}

static const struct device_prop bridge_props[] = {PCI_PROPS(pci_bridge), DEFINE_PROP_END};

static const struct device_type bridge_type = {
	.name = "test-bridge",
	.desc = "bridge",
	.bus = BUS_PCI,
	.size = sizeof(struct bridge),
	.props = bridge_props,
	.realize = bridge_realize,
	.reset = bridge_reset,
	.unrealize = bridge_unrealize,
};

/* ---- the bench ---- */

static struct kit *k;
static struct card *card;
static unsigned bus;

static int setup(void **state)
{
	k = kit_new();
	bus = 0;
	kit_add(k, &i8259_type, NULL);
	kit_add(k, &i440fx_type, NULL);
	kit_add(k, &piix3_type, NULL);
	card = container_of(kit_add(k, &card_type, "addr", "3", NULL), struct card, pci.dev);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint32_t get(unsigned devfn, unsigned reg)
{
	kit_out32(k, CONFADD, 0x80000000 | bus << 16 | devfn << 8 | (reg & 0xfc));
	return kit_in32(k, CONFDATA);
}

static void put(unsigned devfn, unsigned reg, uint32_t value)
{
	kit_out32(k, CONFADD, 0x80000000 | bus << 16 | devfn << 8 | (reg & 0xfc));
	kit_out32(k, CONFDATA, value);
}

static uint32_t mem32(uint64_t at)
{
	return as_read(&k->m->mem, at, 4);
}

static void put_mem32(uint64_t at, uint32_t value)
{
	as_write(&k->m->mem, at, value, 4);
}

/* ---- BARs ---- */

static void a_bar_tells_its_size_and_kind(void **state)
{
	for (unsigned reg = BAR_IO; reg < 0x28; reg += 4)
		put(CARD, reg, 0xffffffff);
	assert_int_equal(get(CARD, BAR_IO), 0xffffffe1);
	assert_int_equal(get(CARD, BAR_MEM), 0xfffff000);
	assert_int_equal(get(CARD, BAR_MEM64), 0xffff000c);
	assert_int_equal(get(CARD, BAR_MEM64 + 4), 0xffffffff);
	assert_int_equal(get(CARD, BAR_MSIX), 0xfffff000);
	assert_int_equal(get(CARD, 0x24), 0);
}

static void a_bar_is_decoded_where_and_while_the_guest_says(void **state)
{
	put(CARD, BAR_IO, 0xc000);
	put(CARD, BAR_MEM, 0xe0000000);
	assert_int_equal(kit_in8(k, 0xc002), 0xff);
	put(CARD, PCI_COMMAND, PCI_COMMAND_IO);
	assert_int_equal(kit_in8(k, 0xc002), 0x42);
	assert_int_equal(mem32(0xe0000010), 0xffffffff);
	put(CARD, PCI_COMMAND, DECODE);
	assert_int_equal(mem32(0xe0000010), 0x50);
	put(CARD, BAR_MEM, 0xe1000000);
	assert_int_equal(mem32(0xe0000010), 0xffffffff);
	assert_int_equal(mem32(0xe1000010), 0x50);
	put_mem32(0xe1000020, 7);
	assert_int_equal(card->last_write, 0x2000000007);
	put(CARD, PCI_COMMAND, 0);
	assert_int_equal(mem32(0xe1000010), 0xffffffff);
}

static void a_64_bit_bar_goes_above_4_gib(void **state)
{
	put(CARD, BAR_MEM64, 0x40000000);
	put(CARD, BAR_MEM64 + 4, 0x12);
	put(CARD, PCI_COMMAND, DECODE);
	assert_int_equal(mem32(0x1240000030), 0x70);
	assert_int_equal(pci_bar_address(&card->pci, 2), 0x1240000000);
}

static void ram_hides_a_bar(void **state)
{
	put(CARD, BAR_MEM, 0x1000);
	put(CARD, PCI_COMMAND, DECODE);
	put_mem32(0x1010, 0x11223344);
	assert_int_equal(mem32(0x1010), 0x11223344);
	assert_int_equal(card->last_write, 0);
}

static void reset_unmaps_bars_and_lowers_the_pin(void **state)
{
	put(CARD, BAR_MEM, 0xe0000000);
	put(CARD, PCI_COMMAND, DECODE);
	pci_set_intx(&card->pci, true);
	device_reset(&card->pci.dev);
	assert_int_equal(mem32(0xe0000010), 0xffffffff);
	assert_int_equal(get(CARD, PCI_COMMAND), 0x00100000);
}

static void addresses_survive_save_and_load(void **state)
{
	put(CARD, BAR_MEM, 0xe0000000);
	put(CARD, PCI_COMMAND, DECODE);
	pci_set_intx(&card->pci, true);
	kit_save_load(&card->pci.dev);
	assert_int_equal(mem32(0xe0000010), 0x50);
	assert_true(card->pci.intx_asserted);
}

/* ---- INTx ---- */

static void intx_takes_the_wire_and_the_irq_that_are_programmed(void **state)
{
	put(PCI_DEVFN(1, 0), 0x60, 0x80800b80); /* slot 3 INTA is wire C: none yet; B is 11 */
	pci_set_intx(&card->pci, true);
	assert_int_equal(get(CARD, PCI_COMMAND) >> 16 & PCI_STATUS_INTX, PCI_STATUS_INTX);
	assert_false(k->level[11]);
	put(PCI_DEVFN(1, 0), 0x60, 0x800b8080);
	assert_true(k->level[11]);
	put(PCI_DEVFN(1, 0), 0x60, 0x800a8080);
	assert_false(k->level[11]);
	assert_true(k->level[10]);
	put(CARD, PCI_COMMAND, PCI_COMMAND_INTX_OFF);
	assert_false(k->level[10]);
	put(CARD, PCI_COMMAND, 0);
	assert_true(k->level[10]);
	pci_set_intx(&card->pci, false);
	assert_false(k->level[10]);
}

static void two_functions_share_a_wire(void **state)
{
	struct card *other =
		container_of(kit_add(k, &card_type, "addr", "7", NULL), struct card, pci.dev);

	put(PCI_DEVFN(1, 0), 0x60, 0x800b8080);
	pci_set_intx(&card->pci, true);
	pci_set_intx(&other->pci, true);
	pci_set_intx(&card->pci, false);
	assert_true(k->level[11]);
	device_unrealize(&other->pci.dev);
	assert_false(k->level[11]);
}

/* ---- messages ---- */

static void expect_message(unsigned n, uint64_t addr, uint32_t data)
{
	assert_int_equal(k->log->n_msi, n);
	assert_int_equal(k->log->msi[(n - 1) % 64].addr, addr);
	assert_int_equal(k->log->msi[(n - 1) % 64].data, data);
}

static void program_msi(unsigned control)
{
	put(CARD, card->msi_at + 4, MSI_ADDRESS);
	put(CARD, card->msi_at + 8, 0);
	put(CARD, card->msi_at + 12, 0x4041);
	put(CARD, card->msi_at, control << 16);
	put(CARD, PCI_COMMAND, DECODE);
}

static void msi_replaces_the_low_bits_of_the_data(void **state)
{
	pci_msi_notify(&card->pci, 0);
	assert_int_equal(k->log->n_msi, 0);
	program_msi(0x0021); /* enabled, 4 vectors */
	pci_msi_notify(&card->pci, 2);
	expect_message(1, MSI_ADDRESS, 0x4042);
	put(CARD, card->msi_at, 0x0001 << 16); /* 1 vector */
	pci_msi_notify(&card->pci, 2);
	expect_message(2, MSI_ADDRESS, 0x4041);
}

static void a_masked_msi_stays_pending(void **state)
{
	program_msi(0x0021);
	put(CARD, card->msi_at + 16, 0xffffffff);
	assert_int_equal(get(CARD, card->msi_at + 16), 0xf);
	pci_msi_notify(&card->pci, 1);
	assert_int_equal(k->log->n_msi, 0);
	assert_int_equal(get(CARD, card->msi_at + 20), 2);
	put(CARD, card->msi_at + 16, 0xd);
	expect_message(1, MSI_ADDRESS, 0x4041);
	assert_int_equal(get(CARD, card->msi_at + 20), 0);
}

static void program_msix(void)
{
	put(CARD, BAR_MSIX, (uint32_t)MSIX_TABLE);
	put(CARD, PCI_COMMAND, DECODE);
	put(CARD, card->msix_at, 0x80000000);
	for (unsigned i = 0; i < 5; i++) {
		put_mem32(MSIX_TABLE + 16 * i, MSI_ADDRESS + 4 * i);
		put_mem32(MSIX_TABLE + 16 * i + 8, 0x50 + i);
		put_mem32(MSIX_TABLE + 16 * i + 12, 0);
	}
}

static void msix_sends_each_vector_s_own_message(void **state)
{
	assert_int_equal(get(CARD, card->msix_at) >> 16 & 0x7ff, 4);
	program_msix();
	pci_msix_notify(&card->pci, 4);
	expect_message(1, MSI_ADDRESS + 16, 0x54);
	pci_msix_notify(&card->pci, 5);
	assert_int_equal(k->log->n_msi, 1);
}

static void a_masked_msix_vector_stays_pending(void **state)
{
	program_msix();
	put_mem32(MSIX_TABLE + 16 * 3 + 12, 1);
	pci_msix_notify(&card->pci, 3);
	assert_int_equal(k->log->n_msi, 0);
	assert_int_equal(mem32(MSIX_TABLE + 0x800), 8);
	put_mem32(MSIX_TABLE + 16 * 3 + 12, 0);
	expect_message(1, MSI_ADDRESS + 12, 0x53);
	assert_int_equal(mem32(MSIX_TABLE + 0x800), 0);
	put(CARD, card->msix_at, 0xc0000000); /* all masked */
	pci_msix_notify(&card->pci, 0);
	assert_int_equal(k->log->n_msi, 1);
	put(CARD, card->msix_at, 0x80000000);
	expect_message(2, MSI_ADDRESS, 0x50);
}

static void no_message_leaves_without_bus_master(void **state)
{
	uint8_t byte = 0;

	program_msix();
	put(CARD, PCI_COMMAND, PCI_COMMAND_MEMORY);
	pci_msix_notify(&card->pci, 0);
	assert_int_equal(k->log->n_msi, 0);
	assert_false(pci_dma_write(&card->pci, 0x100, &byte, 1));
	assert_false(pci_dma_read(&card->pci, 0x100, &byte, 1));
	assert_int_equal(byte, 0xff);
}

static void the_msix_table_s_edges_hold(void **state)
{
	program_msix();
	as_write(&k->m->mem, MSIX_TABLE + 5 * 16, ~0ull, 8);
	as_write(&k->m->mem, MSIX_TABLE + 4 * 16 + 8, ~0ull, 8);
	assert_int_equal(mem32(MSIX_TABLE + 4 * 16 + 12), 1);
	assert_int_equal(mem32(MSIX_TABLE + 5 * 16), 0);
	as_write(&k->m->mem, MSIX_TABLE + 0xff8, 1, 8);
	assert_int_equal(as_read(&k->m->mem, MSIX_TABLE + 0xff8, 8), 0);
}

/* ---- option ROM ---- */

static void an_option_rom_is_read_from_its_file(void **state)
{
	char path[] = "rom.XXXXXX", bytes[3000];
	int fd = mkstemp(path);

	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	kit_add(k, &card_type, "addr", "4", "romfile", path, NULL);
	unlink(path);
	put(PCI_DEVFN(4, 0), PCI_ROM_BAR, 0xffffffff);
	assert_int_equal(get(PCI_DEVFN(4, 0), PCI_ROM_BAR), 0xfffff001);
	put(PCI_DEVFN(4, 0), PCI_ROM_BAR, 0xe8000001);
	put(PCI_DEVFN(4, 0), PCI_COMMAND, DECODE);
	assert_int_equal(mem32(0xe8000000), 0x5a5a5a5a);
	assert_int_equal(mem32(0xe8000ff0), 0);
	put_mem32(0xe8000000, 0);
	assert_int_equal(mem32(0xe8000000), 0x5a5a5a5a);
	free(kit_add_fails(k, &card_type, "romfile", "/nonexistent/rom", NULL));
	free(kit_add_fails(k, &card_type, "romfile", ".", NULL));
}

/* ---- slots, functions, bridges ---- */

static void several_functions_need_multifunction(void **state)
{
	free(kit_add_fails(k, &card_type, "addr", "3.1", NULL));
	kit_add(k, &card_type, "addr", "5", "multifunction", "on", NULL);
	kit_add(k, &card_type, "addr", "5.1", NULL);
	assert_int_equal(get(PCI_DEVFN(5, 0), 0x0c) >> 16, 0x80);
	free(kit_add_fails(k, &card_type, "bus", "nobus", NULL));
	free(kit_add_fails(k, &card_type, "addr", "20.8", NULL));
}

static void a_bridge_shows_what_its_windows_hold(void **state)
{
	struct device *bridge = device_new(k->m, &bridge_type, "br");
	struct error err = ERROR_INIT;
	struct card *behind;

	assert_true(device_set_prop(bridge, "addr", "6", &err));
	assert_true(device_realize(bridge, &err));
	device_reset(bridge);
	behind = container_of(kit_add(k, &card_type, "bus", "br", "addr", "2", NULL), struct card,
			      pci.dev);
	put(PCI_DEVFN(6, 0), PCI_PRIMARY_BUS, 0x050500);
	bus = 5;
	assert_int_equal(get(PCI_DEVFN(2, 0), 0), 0x56781234);
	put(PCI_DEVFN(2, 0), BAR_MEM, 0xe8000000);
	put(PCI_DEVFN(2, 0), PCI_COMMAND, DECODE);
	assert_int_equal(mem32(0xe8000010), 0xffffffff);
	bus = 0;
	put(PCI_DEVFN(6, 0), PCI_MEMORY_BASE, 0xe800e800);
	put(PCI_DEVFN(6, 0), PCI_COMMAND, DECODE);
	assert_int_equal(mem32(0xe8000010), 0x50);
	put(PCI_DEVFN(6, 0), PCI_MEMORY_BASE, 0xe800e810);
	assert_int_equal(mem32(0xe8000010), 0xffffffff);
	/* slot 6 pin A, through the bridge from slot 2: (2 + 0) then wire (6 + 2 - 1) mod 4 */
	put(PCI_DEVFN(1, 0), 0x60, 0x0b808080);
	pci_set_intx(&behind->pci, true);
	assert_true(k->level[11]);
	put(PCI_DEVFN(6, 0), 0x3c, 0x00400000); /* secondary bus reset */
	assert_false(k->level[11]);
	bus = 5;
	assert_int_equal(get(PCI_DEVFN(2, 0), BAR_MEM), 0);
}

static void without_firmware_everything_gets_its_place(void **state)
{
	struct device *bridge = device_new(k->m, &bridge_type, "br");
	struct error err = ERROR_INIT;

	assert_true(device_realize(bridge, &err));
	device_reset(bridge);
	kit_add(k, &card_type, "bus", "br", NULL);
	pci_assign_resources(k->m);
	assert_int_equal(get(CARD, BAR_MEM) & 0xfff, 0);
	assert_int_equal(mem32(get(CARD, BAR_MEM) + 0x10), 0x50);
	assert_int_equal(kit_in8(k, (get(CARD, BAR_IO) & ~3u) + 1), 0x41);
	assert_int_equal(get(CARD, 0x3c) & 0xff, 11);
	assert_int_equal(kit_in8(k, 0x4d1), 0x0c); /* IRQ 10 and 11 by level */
	bus = 1;
	assert_int_equal(get(0, 0), 0x56781234);
	assert_int_equal(mem32(get(0, BAR_MEM) + 0x10), 0x50);
	assert_int_equal(kit_in8(k, (get(0, BAR_IO) & ~3u) + 1), 0x41);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bar_tells_its_size_and_kind),
		TEST(a_bar_is_decoded_where_and_while_the_guest_says),
		TEST(a_64_bit_bar_goes_above_4_gib),
		TEST(ram_hides_a_bar),
		TEST(reset_unmaps_bars_and_lowers_the_pin),
		TEST(addresses_survive_save_and_load),
		TEST(intx_takes_the_wire_and_the_irq_that_are_programmed),
		TEST(two_functions_share_a_wire),
		TEST(msi_replaces_the_low_bits_of_the_data),
		TEST(a_masked_msi_stays_pending),
		TEST(msix_sends_each_vector_s_own_message),
		TEST(a_masked_msix_vector_stays_pending),
		TEST(no_message_leaves_without_bus_master),
		TEST(the_msix_table_s_edges_hold),
		TEST(an_option_rom_is_read_from_its_file),
		TEST(several_functions_need_multifunction),
		TEST(a_bridge_shows_what_its_windows_hold),
		TEST(without_firmware_everything_gets_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
