/* SPDX-License-Identifier: BSD-2-Clause */
/* The generation identifier: its GUID, where firmware puts it, and that a restored guest has another one. */
#include "devices/chipset/vmgenid.h"
#include "tests/device/kit.h"

#define SELECTOR    0x510
#define DATA	    0x511
#define DMA_HIGH    0x514
#define DMA_LOW	    0x518
#define DMA_SELECT  8
#define DMA_WRITE   16
#define FILE_DIR    0x19
#define ENTRY_BYTES 64

#define GPSTS	  0x60c
#define GPE_EVENT 0x20 /* 5 */

#define DESCRIPTOR 0x1000
#define BUFFER	   0x2000
#define PLACE	   0x5028

static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
static const uint8_t bytes[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
				  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static struct kit *k;

static int setup(void **state)
{
	k = kit_new_with(&machine_pc, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint8_t *ram(gpa_t gpa)
{
	return k->m->ram.host + gpa;
}

static void put_be32(gpa_t gpa, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		ram(gpa)[i] = v >> (24 - 8 * i) & 0xff;
}

/* The file's selector, from the directory as a guest reads it; 0: there is none. */
static unsigned key_of(const char *name)
{
	unsigned n = 0;

	kit_out16(k, SELECTOR, FILE_DIR);
	for (int i = 0; i < 4; i++)
		n = n << 8 | kit_in8(k, DATA);
	while (n--) {
		uint8_t e[ENTRY_BYTES];

		for (unsigned i = 0; i < sizeof(e); i++)
			e[i] = kit_in8(k, DATA);
		if (!strcmp((char *)e + 8, name))
			return (unsigned)(e[4] << 8 | e[5]);
	}
	return 0;
}

/* What firmware does for the loader's WRITE_POINTER. */
static void firmware_says(uint64_t address)
{
	unsigned key = key_of("etc/vmgenid_addr");

	assert_int_not_equal(key, 0);
	stn_le(ram(BUFFER), 8, address);
	put_be32(DESCRIPTOR, key << 16 | DMA_SELECT | DMA_WRITE);
	put_be32(DESCRIPTOR + 4, 8);
	put_be32(DESCRIPTOR + 8, 0);
	put_be32(DESCRIPTOR + 12, BUFFER);
	kit_out32(k, DMA_HIGH, 0);
	kit_out32(k, DMA_LOW, __builtin_bswap32(DESCRIPTOR));
	assert_int_equal(ldn_le(ram(DESCRIPTOR), 4), 0);
}

static void the_guid_lies_as_microsoft_has_it(void **state)
{
	struct device *dev = kit_add(k, &vmgenid_type, "guid", text, NULL);

	assert_ptr_equal(k->m->vmgenid, dev);
	assert_memory_equal(vmgenid_guid(dev), bytes, 16);
}

static void auto_is_a_random_one_of_version_4(void **state)
{
	struct device *dev = kit_add(k, &vmgenid_type, "guid", "auto", NULL);
	uint8_t first[16];

	memcpy(first, vmgenid_guid(dev), 16);
	assert_int_equal(first[7] >> 4, 4);
	assert_int_equal(first[8] >> 6, 2);
	teardown(NULL);
	setup(NULL);
	dev = kit_add(k, &vmgenid_type, "guid", "auto", NULL);
	assert_memory_not_equal(vmgenid_guid(dev), first, 16);
}

static void what_cannot_be_is_said(void **state)
{
	char *msg = kit_add_fails(k, &vmgenid_type, "guid", "1234", NULL);

	assert_non_null(strstr(msg, "'1234'"));
	free(msg);
	free(kit_add_fails(k, &vmgenid_type, NULL));
	kit_add(k, &vmgenid_type, "guid", text, NULL);
	msg = kit_add_fails(k, &vmgenid_type, "guid", "auto", NULL);
	assert_string_equal(msg, "vmgenid: at most one is permitted");
	free(msg);
}

static void a_machine_without_firmware_interface_has_none(void **state)
{
	char *msg;

	teardown(NULL);
	k = kit_new();
	msg = kit_add_fails(k, &vmgenid_type, "guid", "auto", NULL);
	assert_non_null(strstr(msg, "no firmware"));
	free(msg);
}

/* As snapshots do it; the device that loads is another machine's, with another GUID. */
static void a_restored_guest_has_another_guid_and_is_told(void **state)
{
	struct device *dev = kit_add(k, &vmgenid_type, "guid", text, NULL);

	firmware_says(PLACE);
	assert_int_equal(ldn_le(ram(PLACE), 8), 0);
	kit_save_load(dev);
	assert_memory_equal(ram(PLACE), bytes, 16);
	assert_int_equal(kit_in16(k, GPSTS), GPE_EVENT);
}

static void before_firmware_has_placed_it_nothing_is_written(void **state)
{
	struct device *dev = kit_add(k, &vmgenid_type, "guid", text, NULL);

	kit_save_load(dev);
	assert_int_equal(kit_in16(k, GPSTS), 0);
	firmware_says(PLACE);
	device_reset(dev);
	kit_save_load(dev);
	assert_int_equal(ldn_le(ram(PLACE), 8), 0);
}

static void an_address_that_is_no_ram_is_not_loaded(void **state)
{
	struct device *dev = kit_add(k, &vmgenid_type, "guid", text, NULL);
	struct error err = ERROR_INIT;
	size_t n;
	uint8_t *saved;

	firmware_says(0x123456789000);
	saved = state_save(dev->type->state, dev, &n);
	assert_false(state_load(dev->type->state, dev, saved, n, &err));
	assert_non_null(strstr(err.msg, "is no RAM"));
	free(err.msg);
	free(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_guid_lies_as_microsoft_has_it),
		TEST(auto_is_a_random_one_of_version_4),
		TEST(what_cannot_be_is_said),
		TEST(a_machine_without_firmware_interface_has_none),
		TEST(a_restored_guest_has_another_guid_and_is_told),
		TEST(before_firmware_has_placed_it_nothing_is_written),
		TEST(an_address_that_is_no_ram_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
