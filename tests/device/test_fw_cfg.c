/* SPDX-License-Identifier: BSD-2-Clause */
/* fw_cfg: items, the directory, DMA in both directions, and what a hostile guest asks of it. */
#include "devices/chipset/fw_cfg.h"
#include "tests/device/kit.h"

#define SELECTOR 0x510
#define DATA	 0x511
#define DMA_HIGH 0x514
#define DMA_LOW	 0x518

#define DMA_ERROR  1
#define DMA_READ   2
#define DMA_SKIP   4
#define DMA_SELECT 8
#define DMA_WRITE  16

#define DESCRIPTOR 0x1000
#define BUFFER	   0x2000

static struct kit *k;
static struct device *dev;
static unsigned selections, writes;
static uint32_t written_at, written_bytes;

static int setup(void **state)
{
	k = kit_new();
	dev = kit_add(k, &fw_cfg_type, NULL);
	selections = writes = 0;
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint32_t be32(uint32_t v)
{
	return __builtin_bswap32(v);
}

static void add(const char *name, const char *text)
{
	assert_true(fw_cfg_add_file(dev, name, text, strlen(text), NULL));
}

/* What the descriptor's control field says afterwards. */
static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
	uint32_t d[4] = {be32(control), be32(length), be32(address >> 32), be32((uint32_t)address)};

	dma_write(k->m, DESCRIPTOR, d, sizeof(d));
	kit_out32(k, DMA_HIGH, 0);
	kit_out32(k, DMA_LOW, be32(DESCRIPTOR));
	for (unsigned i = 0; i < 100; i++) {
		dma_read(k->m, DESCRIPTOR, d, 4);
		if (be32(d[0]) == 0 || be32(d[0]) == DMA_ERROR)
			break;
		kit_settle(k);
	}
	return be32(d[0]);
}

static uint32_t read_be(void)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 8 | kit_in8(k, DATA);
	return v;
}

/* A file's key by the directory, as guests find it; 0: none. */
static unsigned key_of(const char *name, uint32_t *bytes)
{
	uint32_t count, i;

	kit_out16(k, SELECTOR, FW_CFG_FILE_DIR);
	count = read_be();
	for (i = 0; i < count; i++) {
		uint32_t size = read_be(), key = read_be() >> 16;
		char found[56];

		for (unsigned n = 0; n < sizeof(found); n++)
			found[n] = (char)kit_in8(k, DATA);
		if (!strcmp(found, name)) {
			*bytes = size;
			return key;
		}
	}
	return 0;
}

static void the_signature_says_qemu(void **state)
{
	kit_out16(k, SELECTOR, FW_CFG_SIGNATURE);
	assert_int_equal(read_be(), 0x51454d55);
	assert_int_equal(kit_in8(k, DATA), 0);
	kit_out16(k, SELECTOR, FW_CFG_ID);
	assert_int_equal(kit_in8(k, DATA), 3);
	assert_int_equal(kit_in32(k, DMA_HIGH), 0x554d4551);
	assert_int_equal(kit_in32(k, DMA_LOW), 0x47464320);
}

static void the_directory_is_sorted_by_name(void **state)
{
	static const char *const names[] = {"etc/c", "bootorder", "etc/a", "opt/x"};
	char last[56] = "";
	uint32_t count;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add(names[i], names[i]);
	kit_out16(k, SELECTOR, FW_CFG_FILE_DIR);
	count = read_be();
	assert_int_equal(count, ARRAY_SIZE(names));
	for (uint32_t i = 0; i < count; i++) {
		char name[56];

		assert_int_equal(read_be(), i == 0 ? 9 : 5);
		read_be();
		for (unsigned n = 0; n < sizeof(name); n++)
			name[n] = (char)kit_in8(k, DATA);
		assert_true(strcmp(last, name) < 0);
		memcpy(last, name, sizeof(last));
	}
}

static void a_file_is_read_by_its_key(void **state)
{
	uint32_t bytes = 0;

	add("etc/z", "zulu");
	add("etc/a", "alpha");
	kit_out16(k, SELECTOR, key_of("etc/z", &bytes));
	assert_int_equal(bytes, 4);
	assert_int_equal(read_be(), 0x7a756c75);
	assert_int_equal(kit_in8(k, DATA), 0); /* past the end */
}

static void dma_reads_skips_and_selects(void **state)
{
	char buf[8] = "";
	uint32_t bytes;

	add("etc/a", "alphabet");
	assert_int_equal(dma(DMA_SELECT | DMA_SKIP | key_of("etc/a", &bytes) << 16, 5, 0), 0);
	assert_int_equal(dma(DMA_READ, 3, BUFFER), 0);
	dma_read(k->m, BUFFER, buf, 3);
	assert_string_equal(buf, "bet");
	assert_int_equal(dma(DMA_READ, 4, BUFFER), 0); /* zeros past the end */
	dma_read(k->m, BUFFER, buf, 4);
	assert_memory_equal(buf, "\0\0\0\0", 4);
}

static void dma_past_the_end_or_outside_ram_fails(void **state)
{
	assert_int_equal(dma(DMA_SELECT | DMA_READ, 0xffffffff, BUFFER), DMA_ERROR);
	assert_int_equal(dma(DMA_SELECT | DMA_READ, 4, KIT_RAM - 2), DMA_ERROR);
	assert_int_equal(dma(DMA_SELECT | DMA_READ, 4, UINT64_MAX - 1), DMA_ERROR);
	/* a descriptor that is nowhere */
	kit_out32(k, DMA_HIGH, 0xffffffff);
	kit_out32(k, DMA_LOW, 0xffffffff);
	assert_int_equal(dev->guest_error_count, 1);
}

static void on_select(void *opaque)
{
	selections++;
}

static void on_written(void *opaque, const uint8_t *bytes, uint32_t offset, uint32_t n)
{
	writes++;
	written_at = offset;
	written_bytes = (uint32_t)ldn_le(bytes + offset, n);
}

static void a_file_with_a_hook_is_written_by_dma(void **state)
{
	struct fw_cfg_hooks hooks = {.select = on_select, .written = on_written};
	uint32_t bytes;
	unsigned key;

	assert_true(fw_cfg_add_file_hooks(dev, "etc/w", "12345678", 8, &hooks, NULL));
	key = key_of("etc/w", &bytes);
	dma_write(k->m, BUFFER, "\x44\x33\x22\x11", 4);
	assert_int_equal(dma(DMA_SELECT | DMA_SKIP | key << 16, 4, 0), 0);
	assert_int_equal(dma(DMA_WRITE, 4, BUFFER), 0);
	assert_int_equal(selections, 1);
	assert_int_equal(writes, 1);
	assert_int_equal(written_at, 4);
	assert_int_equal(written_bytes, 0x11223344);
	/* no more fits */
	assert_int_equal(dma(DMA_WRITE, 1, BUFFER), DMA_ERROR);
	/* and what is written is read back */
	kit_out16(k, SELECTOR, key);
	assert_int_equal(read_be(), 0x31323334);
	assert_int_equal(read_be(), 0x44332211);
}

static void other_files_cannot_be_written(void **state)
{
	uint32_t bytes;

	add("etc/a", "alpha");
	assert_int_equal(dma(DMA_SELECT | DMA_WRITE | key_of("etc/a", &bytes) << 16, 1, BUFFER),
			 DMA_ERROR);
	assert_int_equal(dma(DMA_SELECT | DMA_WRITE, 4, BUFFER), DMA_ERROR);
}

static void a_long_transfer_takes_several_turns(void **state)
{
	const uint32_t n = 3 * MiB;
	uint8_t *bytes = xzalloc(n);
	uint32_t d[4], size;
	unsigned key;

	/* RAM is 1 MiB: the last byte that fits is that of the first turn. */
	assert_true(fw_cfg_add_file(dev, "big", bytes, n, NULL));
	free(bytes);
	key = key_of("big", &size);
	d[0] = be32(DMA_SELECT | DMA_READ | key << 16);
	d[1] = be32(n);
	d[2] = 0;
	d[3] = 0;
	dma_write(k->m, KIT_RAM - sizeof(d), d, sizeof(d));
	kit_out32(k, DMA_HIGH, 0);
	kit_out32(k, DMA_LOW, be32((uint32_t)(KIT_RAM - sizeof(d))));
	/* A second one meanwhile, and a selection, are not taken. */
	kit_out16(k, SELECTOR, FW_CFG_SIGNATURE);
	kit_out32(k, DMA_LOW, be32(DESCRIPTOR));
	assert_int_equal(dev->guest_error_count, 1);
	kit_save_load(dev);
	kit_settle(k);
	kit_settle(k);
	dma_read(k->m, KIT_RAM - sizeof(d), d, 4);
	assert_int_equal(be32(d[0]), DMA_ERROR); /* the second MiB has no RAM */
}

static void keys_that_are_nothing_read_as_zeros(void **state)
{
	static const uint16_t keys[] = {0x1f, 0x9f, 0x3fff, 0x7fff, 0x8007, 0x8008, 0xffff};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		kit_out16(k, SELECTOR, keys[i]);
		assert_int_equal(read_be(), 0);
		assert_int_equal(dma(DMA_SELECT | DMA_WRITE | (uint32_t)keys[i] << 16, 1, BUFFER),
				 DMA_ERROR);
	}
}

static void names_are_checked(void **state)
{
	struct error err = ERROR_INIT;
	char name[57];

	memset(name, 'n', 56);
	name[56] = 0;
	assert_false(fw_cfg_add_file(dev, name, "", 0, &err));
	error_clear(&err);
	name[55] = 0;
	assert_true(fw_cfg_add_file(dev, name, "", 0, &err));
	assert_false(fw_cfg_add_file(dev, name, "", 0, &err));
	assert_non_null(strstr(err.msg, "already"));
	error_clear(&err);
	for (unsigned i = 1; i < FW_CFG_FILES; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		assert_true(fw_cfg_add_file(dev, name, "", 0, &err));
	}
	assert_false(fw_cfg_add_file(dev, "one-more", "", 0, &err));
	error_clear(&err);
}

static void an_updated_file_has_its_new_size(void **state)
{
	uint32_t bytes;

	add("etc/a", "alpha");
	fw_cfg_update_file(dev, "etc/a", "much longer", 11);
	kit_out16(k, SELECTOR, key_of("etc/a", &bytes));
	assert_int_equal(bytes, 11);
	assert_int_equal(read_be(), 0x6d756368);
	assert_non_null(fw_cfg_find_file(dev, "etc/a", NULL));
	assert_null(fw_cfg_find_file(dev, "etc/none", NULL));
	fw_cfg_update_file(dev, "etc/none", "x", 1); /* nothing */
	assert_int_equal(key_of("etc/none", &bytes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_signature_says_qemu),
		TEST(the_directory_is_sorted_by_name),
		TEST(a_file_is_read_by_its_key),
		TEST(dma_reads_skips_and_selects),
		TEST(dma_past_the_end_or_outside_ram_fails),
		TEST(a_file_with_a_hook_is_written_by_dma),
		TEST(other_files_cannot_be_written),
		TEST(a_long_transfer_takes_several_turns),
		TEST(keys_that_are_nothing_read_as_zeros),
		TEST(names_are_checked),
		TEST(an_updated_file_has_its_new_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
