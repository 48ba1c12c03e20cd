/* SPDX-License-Identifier: BSD-2-Clause */
/* ramfb: what firmware writes into its file, and the picture in RAM. */
#include "devices/display/ramfb.h"
#include "devices/chipset/fw_cfg.h"
#include "io/display/console.h"
#include "tests/device/kit.h"

#define DESCRIPTOR 0x1000
#define CONFIG	   0x1100
#define KEYS	   0x2000
#define AT	   0x100000
#define XR24	   0x34325258

#define DMA_ERROR  1
#define DMA_READ   2
#define DMA_SELECT 8
#define DMA_WRITE  16

static struct kit *k;
static struct device *dev;
static struct console_viewer viewer;
static bool refreshed;
static unsigned updates;

static void on_updated(void *opaque, const struct rect *r)
{
	updates++;
}

static void on_refreshed(void *opaque)
{
	refreshed = true;
}

static const struct console_viewer_ops viewer_ops = {.updated = on_updated,
						     .refreshed = on_refreshed};

static int setup(void **state)
{
	struct machine_config config = {
		.rtc_clock_vm = true, .ram_bytes = 16 * MiB, .cpus = 1, .nodefaults = true};

	k = kit_new_with(&machine_pc, &config);
	dev = kit_add(k, &ramfb_type, NULL);
	console_attach(display_console(k->m->display, 0), &viewer, &viewer_ops, NULL);
	return 0;
}

static int teardown(void **state)
{
	console_detach(&viewer);
	kit_free(k);
	return 0;
}

static uint32_t fw_cfg_dma(uint32_t control, uint32_t bytes, uint64_t at)
{
	uint32_t d[4] = {__builtin_bswap32(control), __builtin_bswap32(bytes),
			 __builtin_bswap32((uint32_t)(at >> 32)), __builtin_bswap32((uint32_t)at)};

	dma_write(k->m, DESCRIPTOR, d, sizeof(d));
	kit_out32(k, 0x514, 0);
	kit_out32(k, 0x518, __builtin_bswap32(DESCRIPTOR));
	dma_read(k->m, DESCRIPTOR, d, 4);
	return __builtin_bswap32(d[0]);
}

static unsigned key_of_file(void)
{
	uint8_t entry[64];
	uint32_t n;

	assert_int_equal(fw_cfg_dma(DMA_SELECT | DMA_READ | FW_CFG_FILE_DIR << 16, 64 * 64, KEYS),
			 0);
	dma_read(k->m, KEYS, &n, 4);
	for (unsigned i = 0; i < __builtin_bswap32(n); i++) {
		dma_read(k->m, KEYS + 4 + 64 * i, entry, sizeof(entry));
		if (!strcmp((char *)entry + 8, "etc/ramfb")) {
			assert_int_equal(entry[3], 28);
			return entry[4] << 8 | entry[5];
		}
	}
	fail_msg("no file");
	return 0;
}

static void configure(uint64_t at, uint32_t fourcc, uint32_t width, uint32_t height,
		      uint32_t stride)
{
	uint32_t c[7] = {__builtin_bswap32((uint32_t)(at >> 32)),
			 __builtin_bswap32((uint32_t)at),
			 __builtin_bswap32(fourcc),
			 0,
			 __builtin_bswap32(width),
			 __builtin_bswap32(height),
			 __builtin_bswap32(stride)};

	dma_write(k->m, CONFIG, c, sizeof(c));
	assert_int_equal(
		fw_cfg_dma(DMA_SELECT | DMA_WRITE | key_of_file() << 16, sizeof(c), CONFIG), 0);
}

static void look(unsigned width, unsigned height)
{
	const struct surface *s = console_surface(viewer.con);

	refreshed = false;
	updates = 0;
	console_pull(&viewer);
	for (unsigned i = 0; i < 100 && !refreshed; i++)
		loop_run_once(k->loop, 0);
	assert_true(refreshed);
	assert_int_equal(s->width, width);
	assert_int_equal(s->height, height);
}

static uint32_t pixel(unsigned x, unsigned y)
{
	const struct surface *s = console_surface(viewer.con);

	return s->pixels[y * s->stride + x] & 0xffffff;
}

static void put(unsigned at, uint32_t value)
{
	dma_write(k->m, AT + at, &value, 4);
}

static void the_screen_is_where_the_file_says(void **state)
{
	look(640, 480); /* nothing yet */
	put(800 * 4 * 599 + 799 * 4, 0xff123456);
	configure(AT, XR24, 800, 600, 0);
	look(800, 600);
	assert_int_equal(pixel(799, 599), 0x123456);
	assert_int_equal(pixel(0, 0), 0);
	look(800, 600);
	assert_int_equal(updates, 0);
	put(4, 0xabcdef);
	look(800, 600);
	assert_int_equal(updates, 1);
	assert_int_equal(pixel(1, 0), 0xabcdef);
	configure(AT, XR24, 64, 64, 1024);
	put(1024 * 63, 0x010203);
	look(64, 64);
	assert_int_equal(pixel(0, 63), 0x010203);
}

static void what_is_impossible_changes_nothing(void **state)
{
	configure(AT, XR24, 800, 600, 0);
	look(800, 600);
	configure(AT, 0x34324742, 640, 480, 0); /* another format */
	configure(AT, XR24, 0, 480, 0);
	configure(AT, XR24, 640, 0, 0);
	configure(AT, XR24, 640, 480, 640);		/* lines over each other */
	configure(AT, XR24, 0x40000000, 0x40000000, 0); /* products that overflow */
	configure(AT, XR24, 0xffffffff, 480, 0xffffffff);
	configure(AT, XR24, 640, 480, 0xfffffffc);
	configure(16 * MiB - 4096, XR24, 640, 480, 0); /* ends outside of RAM */
	configure(0xc0000000, XR24, 640, 480, 0);
	configure(UINT64_MAX - 4096, XR24, 640, 480, 0);
	look(800, 600);
}

static void a_reset_ends_it_and_it_is_saved(void **state)
{
	configure(AT, XR24, 320, 200, 0);
	look(320, 200);
	kit_save_load(dev);
	put(0, 0x445566);
	look(320, 200);
	assert_int_equal(pixel(0, 0), 0x445566);
	device_reset(dev);
	put(0, 0x112233);
	look(320, 200); /* what was there stays */
	assert_int_equal(pixel(0, 0), 0x445566);
}

static void there_is_one(void **state)
{
	free(kit_add_fails(k, &ramfb_type, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_screen_is_where_the_file_says),
		TEST(what_is_impossible_changes_nothing),
		TEST(a_reset_ends_it_and_it_is_saved),
		TEST(there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
