/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot order as firmware reads it: indices, paths, -boot's letters. */
#include "devices/chipset/fw_cfg.h"
#include "devices/pci/pci.h"
#include "src/boot/bootorder.h"
#include "src/boot/firmware.h"
#include "tests/device/kit.h"

static struct kit *k;
static struct device *isa, *pm;

static int setup(void **state)
{
	k = kit_new();
	kit_add(k, &i440fx_type, NULL);
	isa = kit_add(k, &piix3_type, NULL);
	pm = kit_add(k, &piix4_pm_type, NULL);
	k->m->fw_cfg = kit_add(k, &fw_cfg_type, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void expect_list(const char *want)
{
	uint32_t n;
	char *list = boot_order_list(k->m, &n);

	assert_string_equal(list, want);
	assert_int_equal(n, *want ? strlen(want) + 1 : 0);
	free(list);
}

static void devices_stand_in_the_order_of_their_indices(void **state)
{
	struct error err = ERROR_INIT;

	assert_true(boot_index_add(k->m, 5, pm, "drive@0/disk@0", &err));
	assert_true(boot_index_add(k->m, 1, isa, "", &err));
	assert_true(boot_index_add(k->m, -1, isa, "never", &err));
	assert_true(boot_index_add_path(k->m, 3, "/rom@genroms/x.bin", &err));
	expect_list("/pci@i0cf8/isa@1\n/rom@genroms/x.bin\n"
		    "/pci@i0cf8/pci8086,7113@1,3/drive@0/disk@0");
	boot_index_remove(k->m, isa);
	k->m->config.boot.strict = true;
	expect_list("/rom@genroms/x.bin\n/pci@i0cf8/pci8086,7113@1,3/drive@0/disk@0\nHALT");
}

static void an_empty_list_is_empty_even_when_strict(void **state)
{
	k->m->config.boot.strict = true;
	expect_list("");
}

static void an_index_is_given_once(void **state)
{
	struct error err = ERROR_INIT;

	assert_true(boot_index_add(k->m, 0, pm, "", &err));
	assert_false(boot_index_add(k->m, 0, isa, "", &err));
	assert_string_equal(err.msg, "The bootindex 0 has already been used");
	error_clear(&err);
	assert_false(boot_index_add(k->m, -2, isa, "", &err));
	error_clear(&err);
}

static void isa_devices_are_behind_their_bridge(void **state)
{
	char *path = isa_fw_path(isa, "fdc", 0x3f0);

	assert_string_equal(path, "/pci@i0cf8/isa@1/fdc@03f0");
	free(path);
}

static void the_file_is_made_when_firmware_selects_it(void **state)
{
	struct error err = ERROR_INIT;
	uint32_t n;

	k->m->config.boot.reboot_timeout = k->m->config.boot.splash_time = -1;
	assert_true(firmware_describe(k->m, &err));
	assert_true(boot_index_add(k->m, 0, pm, "", &err));
	kit_out16(k, 0x510, FW_CFG_FILE_DIR);
	/* bootorder is the first file of all, by name */
	for (unsigned i = 0; i < 8; i++)
		n = kit_in8(k, 0x511);
	kit_out16(k, 0x510, FW_CFG_FILE_FIRST + 1);
	assert_memory_equal(fw_cfg_find_file(k->m->fw_cfg, "bootorder", &n),
			    "/pci@i0cf8/pci8086,7113@1,3", n);
	assert_non_null(fw_cfg_find_file(k->m->fw_cfg, "etc/boot-fail-wait", &n));
	assert_int_equal(n, 4);
	assert_null(fw_cfg_find_file(k->m->fw_cfg, "etc/boot-menu-wait", &n));
}

static void letters_are_checked(void **state)
{
	static const struct {
		const char *letters, *message;
	} bad[] = {{"q", "Invalid boot device 'q'"},
		   {"cc", "Boot device 'c' was given twice"},
		   {"e", "Invalid boot device for PC: 'e'"},
		   {"cadn", "Too many boot devices"}};
	struct error err = ERROR_INIT;

	assert_true(boot_order_check("cad", &err));
	assert_true(boot_order_check("", &err));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(boot_order_check(bad[i].letters, &err));
		assert_non_null(strstr(err.msg, bad[i].message));
		error_clear(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(devices_stand_in_the_order_of_their_indices),
		TEST(an_empty_list_is_empty_even_when_strict),
		TEST(an_index_is_given_once),
		TEST(isa_devices_are_behind_their_bridge),
		TEST(the_file_is_made_when_firmware_selects_it),
		TEST(letters_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
