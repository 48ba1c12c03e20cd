/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kernel that is started without firmware is told about the screen, with an adapter that is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "src/boot/loader.h"

#define ZERO_PAGE 0x10000

static struct loop *loop;
static struct machine *m;
static struct boot b;
static unsigned texts, framebuffers;
static struct boot_framebuffer asked;
static bool has_modes;

static void set_text(void *opaque)
{
	texts++;
}

static bool set_framebuffer(void *opaque, struct boot_framebuffer *fb)
{
	framebuffers++;
	asked = *fb;
	fb->gpa = 0xfd000000;
	fb->bytes = 16 * MiB;
	fb->pitch = fb->width * ((fb->bpp + 7) / 8);
	return has_modes;
}

static const struct boot_screen adapter = {set_text, set_framebuffer, NULL};

static int setup(void **state)
{
	struct machine_config config = {
		.type = &machine_none, .accel = &accel_qtest, .ram_bytes = 4 * MiB, .cpus = 1};
	struct error err = ERROR_INIT;

	loop = loop_new();
	m = machine_new(loop, &config, NULL);
	assert_true(machine_build(m, &err));
	m->boot_screen = &adapter;
	b = (struct boot){.machine = m, .zero_page = ZERO_PAGE};
	texts = framebuffers = 0;
	has_modes = true;
	return 0;
}

static int teardown(void **state)
{
	machine_free(m);
	loop_free(loop);
	return 0;
}

static uint64_t si(unsigned offset, unsigned bytes)
{
	return ldn_le(m->ram.host + ZERO_PAGE + offset, bytes);
}

static void start(const char *cmdline)
{
	memset(&b.framebuffer, 0, sizeof(b.framebuffer));
	boot_screen_choose(&b, cmdline);
	boot_screen_reset(&b);
}

static void it_finds_text(void **state)
{
	stn_le(m->ram.host + ZERO_PAGE + 2, 2, 0xfc00); /* the loader's: memory */
	start("console=tty0");
	assert_int_equal(texts, 1);
	assert_int_equal(framebuffers, 0);
	assert_int_equal(si(2, 2), 0xfc00);
	assert_int_equal(si(6, 1), 3);
	assert_int_equal(si(7, 1), 80);
	assert_int_equal(si(0xe, 1), 25);
	assert_int_equal(si(0xf, 1), 1);
	assert_int_equal(si(0x10, 2), 16);
}

static void it_finds_the_frame_buffer_it_asked_for(void **state)
{
	start("quiet vga=791");
	assert_int_equal(texts, 0);
	assert_true(asked.width == 1024 && asked.height == 768 && asked.bpp == 16);
	assert_int_equal(si(0xf, 1), 0x23);
	assert_int_equal(si(0x12, 2), 1024);
	assert_int_equal(si(0x14, 2), 768);
	assert_int_equal(si(0x16, 2), 16);
	assert_int_equal(si(0x18, 4), 0xfd000000);
	assert_int_equal(si(0x1c, 4), 256);
	assert_int_equal(si(0x24, 2), 2048);
	assert_int_equal(si(0x26, 8), 0x0000000505060b05ull);
	assert_int_equal(si(0x32, 2), 10);
}

static void every_way_to_write_a_mode_is_understood(void **state)
{
	static const char *const same[] = {"vga=0x315", "vga=789", "vga=0x115", "a=b vga=0x315 c"};

	for (unsigned i = 0; i < ARRAY_SIZE(same); i++) {
		start(same[i]);
		assert_true(asked.width == 800 && asked.height == 600 && asked.bpp == 24);
		assert_int_equal(framebuffers, i + 1);
	}
}

static void what_is_no_mode_is_text(void **state)
{
	static const char *const none[] = {"vga=normal", "vga=ask",	"vga=0x3ff",
					   "vga=",	 "nvga=791",	"vga=-1",
					   "vga=791x",	 "video=vga:1", "vga=99999999999999999999"};

	for (unsigned i = 0; i < ARRAY_SIZE(none); i++) {
		start(none[i]);
		assert_int_equal(framebuffers, 0);
		assert_int_equal(texts, i + 1);
		assert_int_equal(si(0xf, 1), 1);
	}
}

static void a_mode_that_the_adapter_lacks_is_text(void **state)
{
	has_modes = false;
	start("vga=791");
	assert_int_equal(framebuffers, 1);
	assert_int_equal(texts, 1);
	assert_int_equal(si(0xf, 1), 1);
}

static void without_an_adapter_nothing_is_told(void **state)
{
	m->boot_screen = NULL;
	start("vga=791");
	assert_int_equal(si(0xf, 1), 0);
	m->boot_screen = &adapter;
	b.zero_page = 0; /* multiboot */
	start("");
	assert_int_equal(texts, 1);
	assert_int_equal(si(0xf, 1), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_finds_text),
		TEST(it_finds_the_frame_buffer_it_asked_for),
		TEST(every_way_to_write_a_mode_is_understood),
		TEST(what_is_no_mode_is_text),
		TEST(a_mode_that_the_adapter_lacks_is_text),
		TEST(without_an_adapter_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
