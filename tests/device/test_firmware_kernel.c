/* SPDX-License-Identifier: BSD-2-Clause */
/* -kernel with firmware: what fw_cfg has of it, the header that a BIOS gets, the option ROM, and what is refused. */
#include <unistd.h>
#include "devices/chipset/fw_cfg.h"
#include "src/boot/bootorder.h"
#include "src/boot/firmware.h"
#include "tests/device/kit.h"

#define SETUP_BYTES  0x600
#define KERNEL_BYTES 5000
#define INITRD_BYTES 777

#define ROM_FILE "genroms/linuxboot_dma.bin"

static struct kit *k;
static char kernel_file[64], initrd_file[64];
static uint8_t image[SETUP_BYTES + KERNEL_BYTES], initrd[INITRD_BYTES];

static void write_file(char *path, const char *name, const void *data, size_t n)
{
	FILE *f;
	int fd;

	sprintf(path, "/tmp/evmm-%s-XXXXXX", name);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_int_equal(fwrite(data, n, 1, f), 1);
	fclose(f);
}

static void make_image(void)
{
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 5 + (i >> 8));
	for (size_t i = 0; i < sizeof(initrd); i++)
		initrd[i] = (uint8_t)(i * 3);
	memset(image, 0, 0x268);
	image[0x1f1] = 2;
	stn_le(image + 0x1f4, 4, KERNEL_BYTES / 16);
	stn_le(image + 0x1fe, 2, 0xaa55);
	stn_le(image + 0x200, 2, 0x66eb);
	memcpy(image + 0x202, "HdrS", 4);
	stn_le(image + 0x206, 2, 0x20f);
	image[0x211] = 1; /* LOADED_HIGH */
	stn_le(image + 0x214, 4, 0x100000);
	stn_le(image + 0x22c, 4, 0x7fffffff);
	image[0x234] = 1; /* relocatable */
	stn_le(image + 0x238, 4, 255);
	stn_le(image + 0x258, 8, 0x1000000);
	stn_le(image + 0x260, 4, 0x200800);
}

static int setup(void **state)
{
	k = kit_new();
	k->m->fw_cfg = kit_add(k, &fw_cfg_type, NULL);
	k->m->ram.below_4g = 64 * MiB;
	k->m->config.append = "quiet vga=0x317";
	make_image();
	*kernel_file = *initrd_file = 0;
	return 0;
}

static int teardown(void **state)
{
	if (*kernel_file)
		unlink(kernel_file);
	if (*initrd_file)
		unlink(initrd_file);
	kit_free(k);
	return 0;
}

static bool hand_over(size_t image_bytes, bool with_initrd, struct error *err)
{
	write_file(kernel_file, "kernel", image, image_bytes);
	k->m->config.kernel = kernel_file;
	if (with_initrd) {
		write_file(initrd_file, "initrd", initrd, sizeof(initrd));
		k->m->config.initrd = initrd_file;
	}
	return firmware_add_kernel(k->m, err);
}

static void assert_refused(size_t image_bytes, bool with_initrd, const char *why)
{
	struct error err = ERROR_INIT;

	assert_false(hand_over(image_bytes, with_initrd, &err));
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
	error_clear(&err);
}

static uint32_t number(unsigned key)
{
	uint32_t v = 0;

	kit_out16(k, 0x510, (uint16_t)key);
	for (unsigned i = 0; i < 4; i++)
		v |= (uint32_t)kit_in8(k, 0x511) << 8 * i;
	return v;
}

static void assert_item(unsigned key, const uint8_t *want, size_t n)
{
	kit_out16(k, 0x510, (uint16_t)key);
	for (size_t i = 0; i < n; i++)
		if (kit_in8(k, 0x511) != want[i])
			fail_msg("item 0x%x differs at 0x%zx", key, i);
	assert_int_equal(kit_in8(k, 0x511), 0); /* its end */
}

static void a_bios_gets_the_kernel_as_a_boot_loader_would_leave_it(void **state)
{
	struct error err = ERROR_INIT;
	uint8_t *want = image;

	assert_true(hand_over(sizeof(image), true, &err));
	assert_int_equal(number(FW_CFG_SETUP_ADDR), 0x10000);
	assert_int_equal(number(FW_CFG_SETUP_SIZE), SETUP_BYTES);
	assert_int_equal(number(FW_CFG_CMDLINE_ADDR), 0x20000);
	assert_int_equal(number(FW_CFG_CMDLINE_SIZE), sizeof("quiet vga=0x317"));
	assert_item(FW_CFG_CMDLINE_DATA, (const uint8_t *)"quiet vga=0x317", 16);
	assert_int_equal(number(FW_CFG_KERNEL_ADDR), 0x1000000);
	assert_int_equal(number(FW_CFG_KERNEL_SIZE), KERNEL_BYTES);
	assert_item(FW_CFG_KERNEL_DATA, image + SETUP_BYTES, KERNEL_BYTES);
	/* Behind what the kernel says belongs to it: firmware's own tables are at the end of RAM. */
	assert_int_equal(number(FW_CFG_INITRD_ADDR), 0x1201000);
	assert_int_equal(number(FW_CFG_INITRD_SIZE), INITRD_BYTES);
	assert_item(FW_CFG_INITRD_DATA, initrd, INITRD_BYTES);
	stn_le(want + 0x1fa, 2, 0x317);
	want[0x210] = 0xff;
	want[0x211] = 0x81;
	stn_le(want + 0x214, 4, 0x1000000);
	stn_le(want + 0x218, 4, 0x1201000);
	stn_le(want + 0x21c, 4, INITRD_BYTES);
	stn_le(want + 0x224, 2, 0xfe00);
	stn_le(want + 0x228, 4, 0x20000);
	assert_item(FW_CFG_SETUP_DATA, want, SETUP_BYTES);
}

static void an_old_kernels_initrd_is_far_from_it_and_from_the_end(void **state)
{
	struct error err = ERROR_INIT;

	stn_le(image + 0x206, 2, 0x203);
	assert_true(hand_over(sizeof(image), true, &err));
	assert_int_equal(number(FW_CFG_KERNEL_ADDR), 0x100000);
	assert_int_equal(number(FW_CFG_INITRD_ADDR), 48 * MiB - 4096);
}

static void the_option_rom_is_sound_and_boots_first(void **state)
{
	struct error err = ERROR_INIT;
	const uint8_t *rom, *pnp;
	uint8_t sum = 0;
	uint32_t n;
	char *list;

	assert_true(boot_index_add_path(k->m, 0, "/a/disk", &err));
	assert_true(hand_over(sizeof(image), false, &err));
	rom = fw_cfg_find_file(k->m->fw_cfg, ROM_FILE, &n);
	assert_non_null(rom);
	assert_true(rom[0] == 0x55 && rom[1] == 0xaa && rom[2] * 512u == n);
	for (uint32_t i = 0; i < n; i++)
		sum += rom[i];
	assert_int_equal(sum, 0);
	pnp = rom + ldn_le(rom + 0x1a, 2);
	assert_memory_equal(pnp, "$PnP", 4);
	for (unsigned i = 0; i < 16u * pnp[5]; i++)
		sum += pnp[i];
	assert_int_equal(sum, 0);
	assert_true(ldn_le(pnp + 0x1a, 2) < n);
	list = boot_order_list(k->m, &n);
	assert_string_equal(list, "/rom@" ROM_FILE "\n/a/disk");
	free(list);
}

static void uefi_gets_the_image_as_it_is_and_no_rom(void **state)
{
	struct error err = ERROR_INIT;
	uint32_t n;

	k->m->uefi = true;
	assert_true(hand_over(sizeof(image), true, &err));
	assert_item(FW_CFG_SETUP_DATA, image, SETUP_BYTES);
	assert_item(FW_CFG_KERNEL_DATA, image + SETUP_BYTES, KERNEL_BYTES);
	assert_item(FW_CFG_INITRD_DATA, initrd, INITRD_BYTES);
	assert_null(fw_cfg_find_file(k->m->fw_cfg, ROM_FILE, &n));
}

static void uefi_programs_are_for_uefi_alone(void **state)
{
	struct error err = ERROR_INIT;

	memset(image, 0, 512);
	memset(image + 0x202, 0, 4);
	memcpy(image, "MZ", 2);
	stn_le(image + 0x3c, 4, 0x80);
	memcpy(image + 0x80, "PE\0\0", 4);
	assert_refused(sizeof(image), false, "bzImage");
	unlink(kernel_file);
	k->m->uefi = true;
	assert_true(hand_over(sizeof(image), false, &err));
	assert_int_equal(number(FW_CFG_SETUP_SIZE), 0);
	assert_item(FW_CFG_KERNEL_DATA, image, sizeof(image));
}

static void a_pe_header_out_of_the_file_is_refused(void **state)
{
	memset(image, 0, sizeof(image));
	memcpy(image, "MZ", 2);
	stn_le(image + 0x3c, 4, 0xfffffffc);
	k->m->uefi = true;
	assert_refused(sizeof(image), false, "UEFI program");
}

static void a_kernel_that_is_cut_off_is_refused(void **state)
{
	assert_refused(1000, false, "truncated");
}

static void too_little_ram_is_refused(void **state)
{
	k->m->ram.below_4g = 18 * MiB;
	assert_refused(sizeof(image), true, "the kernel needs RAM up to 19 MiB");
}

static void an_initrd_that_does_not_fit_is_refused(void **state)
{
	k->m->ram.below_4g = 0x1201000;
	assert_refused(sizeof(image), true, "beside the kernel");
}

static void a_long_command_line_is_refused(void **state)
{
	static char line[300];

	memset(line, 'x', sizeof(line) - 1);
	k->m->config.append = line;
	assert_refused(sizeof(image), false, "takes 255");
}

static void a_device_tree_is_refused(void **state)
{
	k->m->config.dtb = "tree";
	assert_refused(sizeof(image), false, "-dtb tree");
}

static void without_a_kernel_there_is_nothing(void **state)
{
	struct error err = ERROR_INIT;
	uint32_t n;

	assert_true(firmware_add_kernel(k->m, &err));
	assert_null(fw_cfg_find_file(k->m->fw_cfg, ROM_FILE, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bios_gets_the_kernel_as_a_boot_loader_would_leave_it),
		TEST(an_old_kernels_initrd_is_far_from_it_and_from_the_end),
		TEST(the_option_rom_is_sound_and_boots_first),
		TEST(uefi_gets_the_image_as_it_is_and_no_rom),
		TEST(uefi_programs_are_for_uefi_alone),
		TEST(a_pe_header_out_of_the_file_is_refused),
		TEST(a_kernel_that_is_cut_off_is_refused),
		TEST(too_little_ram_is_refused),
		TEST(an_initrd_that_does_not_fit_is_refused),
		TEST(a_long_command_line_is_refused),
		TEST(a_device_tree_is_refused),
		TEST(without_a_kernel_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
