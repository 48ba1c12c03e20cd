/* SPDX-License-Identifier: BSD-2-Clause */
/* The host bridge's attribute maps: who answers between A0000h and FFFFFh. */
#include "devices/chipset/chipset.h"
#include "devices/chipset/pam.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define PAM   0x59
#define SMRAM 0x72
#define ROM   0xfffe0000

static struct kit *k;
static struct device *bridge;
static uint8_t rom_bytes[4096] __attribute__((aligned(4096)));
static struct region rom, card;

static int setup_with(bool shadow)
{
	k = kit_new();
	bridge = kit_add(k, &i440fx_type, "shadow", shadow ? "on" : "off", NULL);
	memset(rom_bytes, 0xb1, sizeof(rom_bytes));
	region_init_rom(&rom, "bios", rom_bytes, sizeof(rom_bytes));
	region_init_alias(&card, "card", &rom, 0, sizeof(rom_bytes));
	region_add(&k->m->pci->mem, 0xf0000, &rom, 0);
	region_add(&k->m->pci->mem, 0xa0000, &card, 0);
	return 0;
}

static int setup(void **state)
{
	return setup_with(false);
}

static int teardown(void **state)
{
	region_remove(&card);
	region_remove(&rom);
	kit_free(k);
	return 0;
}

static void put(unsigned reg, uint8_t value)
{
	kit_out32(k, 0xcf8, 0x80000000 | (reg & 0xfc));
	kit_out8(k, 0xcfc + (reg & 3), value);
}

static uint8_t get(unsigned reg)
{
	kit_out32(k, 0xcf8, 0x80000000 | (reg & 0xfc));
	return kit_in8(k, 0xcfc + (reg & 3));
}

static uint8_t peek(uint64_t at)
{
	return (uint8_t)as_read(&k->m->mem, at, 1);
}

static void poke(uint64_t at, uint8_t value)
{
	as_write(&k->m->mem, at, value, 1);
}

static void the_bus_answers_after_reset(void **state)
{
	poke(0xf0000, 0x55);
	assert_int_equal(peek(0xf0000), 0xb1);
	assert_int_equal(peek(0xe0000), 0xff);
	assert_int_equal(peek(0xa0000), 0xb1);
	poke(0x9ffff, 0x12);
	assert_int_equal(peek(0x9ffff), 0x12);
}

static void each_pair_governs_its_segment(void **state)
{
	for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
		uint64_t base = n ? 0xc0000 + (n - 1) * 0x4000 : 0xf0000;
		unsigned reg = n ? PAM + 1 + (n - 1) / 2 : PAM;
		unsigned shift = n && n % 2 ? 0 : 4;

		put(reg, (uint8_t)(3 << shift));
		poke(base, (uint8_t)(0x40 + n));
		poke(base + (n ? 0x3fff : 0xffff), (uint8_t)(0x60 + n));
		for (unsigned other = 1; other < PAM_SEGMENTS; other++)
			if (other != n)
				assert_int_equal(peek(0xc0000 + (other - 1) * 0x4000), 0xff);
		put(reg, (uint8_t)(1 << shift)); /* reads alone */
		poke(base, 0);
		assert_int_equal(peek(base), 0x40 + n);
		assert_int_equal(peek(base + (n ? 0x3fff : 0xffff)), 0x60 + n);
		put(reg, 0);
		assert_int_equal(peek(base), n ? 0xff : 0xb1);
	}
}

static void a_reset_brings_the_rom_back(void **state)
{
	put(PAM, 0x30);
	poke(0xf0000, 0x77);
	assert_int_equal(peek(0xf0000), 0x77);
	device_reset(bridge);
	assert_int_equal(peek(0xf0000), 0xb1);
	assert_int_equal(get(PAM), 0);
}

static void with_shadow_it_is_ram_from_reset_on(void **state)
{
	kit_free(k);
	setup_with(true);
	for (uint64_t at = 0xc0000; at < MiB; at += 0x4000) {
		poke(at, 0x5a);
		assert_int_equal(peek(at), 0x5a);
	}
	assert_int_equal(peek(0xa0000), 0xb1); /* but for the screen */
}

static void open_smram_is_ram_until_it_is_locked(void **state)
{
	put(SMRAM, SMRAM_OPEN | SMRAM_ENABLE);
	poke(0xa0000, 0x33);
	assert_int_equal(peek(0xa0000), 0x33);
	put(SMRAM, SMRAM_OPEN | SMRAM_ENABLE | SMRAM_LOCK);
	assert_int_equal(peek(0xa0000), 0xb1);
	assert_int_equal(get(SMRAM), 0x02 | SMRAM_ENABLE | SMRAM_LOCK);
	put(SMRAM, SMRAM_OPEN | SMRAM_ENABLE);
	assert_int_equal(get(SMRAM), 0x02 | SMRAM_ENABLE | SMRAM_LOCK);
	kit_save_load(bridge);
	device_reset(bridge);
	put(SMRAM, SMRAM_OPEN | SMRAM_ENABLE);
	assert_int_equal(peek(0xa0000), 0x33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_bus_answers_after_reset),
		TEST(each_pair_governs_its_segment),
		TEST(a_reset_brings_the_rom_back),
		TEST(with_shadow_it_is_ram_from_reset_on),
		TEST(open_smram_is_ram_until_it_is_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
