/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA: what each mode shows of a known pattern, and that only what changed is drawn. */
#include <stdlib.h>
#include <unistd.h>
#include "tests/device/vga_kit.h"

#define setup	 vga_setup
#define teardown vga_teardown

/* The DAC entry that palette register N of IBM's text modes names. */
static unsigned ega(unsigned n)
{
	return n == 6 ? 0x14 : n < 8 ? n : 0x30 + n;
}

static uint32_t ega_shown(unsigned n)
{
	return dac_shown(ega(n));
}

/* ---- text ---- */

/* Glyph CH of font N (0 to 7) is all rows of the same dots. */
static void load_glyph(unsigned font, unsigned ch, uint8_t bits)
{
	unsigned at = (font & 3) * 0x4000 + (font & 4 ? 0x2000 : 0) + ch * 32;

	seq(SEQ_MAP_MASK, 4);
	seq(SEQ_MEMORY_MODE, 6);
	gfx(GFX_MODE, 0);
	gfx(GFX_MISC, 4);
	for (unsigned row = 0; row < 16; row++)
		poke(0xa0000 + at + row, bits);
	seq(SEQ_MAP_MASK, 3);
	seq(SEQ_MEMORY_MODE, 2);
	gfx(GFX_MODE, 0x10);
	gfx(GFX_MISC, 0x0e);
}

static void put_char(unsigned x, unsigned y, uint8_t ch, uint8_t attribute)
{
	poke(0xb8000 + (y * 80 + x) * 2, ch);
	poke(0xb8001 + (y * 80 + x) * 2, attribute);
}

static void no_cursor(void)
{
	crtc(CRTC_CURSOR_START, CRTC_CURSOR_OFF);
}

static void text_of_nine_dots(void **state)
{
	set_mode(MODE_03);
	no_cursor();
	load_glyph(0, 'A', 0xa1);
	load_glyph(0, 0xc4, 0x81);
	put_char(0, 0, 'A', 0x1e);
	put_char(79, 24, 'A', 0x47);
	put_char(1, 0, 0xc4, 0x07);
	look(720, 400);
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 9; x++) {
			bool dot = x < 8 && (0xa1 << x & 0x80);

			assert_int_equal(pixel(x, y), ega_shown(dot ? 0xe : 1));
			assert_int_equal(pixel(79 * 9 + x, 24 * 16 + y), ega_shown(dot ? 7 : 4));
		}
		/* Line graphics go on into the ninth dot. */
		assert_int_equal(pixel(9 + 7, y), ega_shown(7));
		assert_int_equal(pixel(9 + 8, y), ega_shown(7));
	}
	assert_int_equal(pixel(20, 0), ega_shown(0));
}

static void text_of_eight_dots_and_doubled(void **state)
{
	set_mode(MODE_03);
	no_cursor();
	load_glyph(0, 'A', 0x81);
	put_char(1, 0, 'A', 0x0f);
	seq(SEQ_CLOCKING, 0x01);
	look(640, 400);
	assert_int_equal(pixel(7, 0), ega_shown(0));
	assert_int_equal(pixel(8, 0), ega_shown(15));
	assert_int_equal(pixel(9, 0), ega_shown(0));
	assert_int_equal(pixel(15, 0), ega_shown(15));
	seq(SEQ_CLOCKING, 0x09);
	crtc(CRTC_RETRACE_END, 0); /* no protection */
	crtc(CRTC_HORIZONTAL_END, 39);
	look(640, 400);
	assert_int_equal(pixel(16, 0), ega_shown(15));
	assert_int_equal(pixel(17, 0), ega_shown(15));
	assert_int_equal(pixel(18, 0), ega_shown(0));
}

static void a_second_font_by_the_attribute(void **state)
{
	set_mode(MODE_03);
	no_cursor();
	load_glyph(1, 'B', 0xf0); /* map A */
	load_glyph(4, 'B', 0x0f); /* map B */
	seq(SEQ_CHARACTER_MAP, 0x10 | 1 << 2);
	put_char(0, 0, 'B', 0x07);
	put_char(1, 0, 'B', 0x0f);
	look(720, 400);
	assert_int_equal(pixel(0, 0), ega_shown(0));
	assert_int_equal(pixel(7, 0), ega_shown(7));
	assert_int_equal(pixel(9, 0), ega_shown(15));
	assert_int_equal(pixel(9 + 7, 0), ega_shown(0));
}

static void the_cursor_blinks(void **state)
{
	set_mode(MODE_03);
	crtc(CRTC_CURSOR_HIGH, 0);
	crtc(CRTC_CURSOR_LOW, 82); /* column 2 of row 1 */
	crtc(CRTC_CURSOR_START, 13);
	crtc(CRTC_CURSOR_END, 14);
	put_char(2, 1, ' ', 0x03);
	look(720, 400);
	assert_int_equal(pixel(18, 16 + 12), ega_shown(0));
	assert_int_equal(pixel(18, 16 + 13), ega_shown(3));
	assert_int_equal(pixel(26, 16 + 14), ega_shown(3));
	assert_int_equal(pixel(18, 16 + 15), ega_shown(0));
	kit_advance(k, 230 * NS_PER_MS);
	look(720, 400);
	assert_int_equal(pixel(18, 16 + 13), ega_shown(0));
	assert_int_equal(changed_rects, 1);
	assert_true(changed.width <= 32 && changed.height <= 16);
	kit_advance(k, 230 * NS_PER_MS);
	crtc(CRTC_CURSOR_START, CRTC_CURSOR_OFF | 13);
	look(720, 400);
	assert_int_equal(pixel(18, 16 + 13), ega_shown(0));
}

static void characters_blink_or_have_sixteen_backgrounds(void **state)
{
	set_mode(MODE_03);
	no_cursor();
	load_glyph(0, 'A', 0xff);
	put_char(0, 0, 'A', 0xf2);
	look(720, 400);
	assert_int_equal(pixel(0, 0), ega_shown(2));
	assert_int_equal(pixel(8, 0), ega_shown(7));
	kit_advance(k, 460 * NS_PER_MS);
	look(720, 400);
	assert_int_equal(pixel(0, 0), ega_shown(7));
	attr(ATTR_MODE, 0x04);
	look(720, 400);
	assert_int_equal(pixel(0, 0), ega_shown(2));
	assert_int_equal(pixel(8, 0), ega_shown(15));
}

static void text_can_be_read_as_text(void **state)
{
	static const char hello[] = "Hello";
	struct console_text text;
	struct console *con = display_console(k->m->display, 0);

	assert_false(console_read_text(con, &text)); /* blank */
	set_mode(MODE_03);
	for (unsigned i = 0; hello[i]; i++)
		put_char(10 + i, 3, hello[i], 0x9e);
	put_char(0, 24, 0xc9, 0x07);
	crtc(CRTC_CURSOR_LOW, 80 + 5);
	assert_true(console_read_text(con, &text));
	assert_int_equal(text.columns, 80);
	assert_int_equal(text.rows, 25);
	for (unsigned i = 0; hello[i]; i++) {
		const struct console_cell *c = &text.cells[3 * 80 + 10 + i];

		assert_int_equal(c->unicode, hello[i]);
		assert_int_equal(c->fg, 0xe);
		assert_int_equal(c->bg, 1);
		assert_true(c->blink);
	}
	assert_int_equal(text.cells[24 * 80].unicode, 0x2554);
	assert_true(text.cursor_shown);
	assert_int_equal(text.cursor_x, 5);
	assert_int_equal(text.cursor_y, 1);
	free(text.cells);
	set_mode(MODE_13);
	assert_false(console_read_text(con, &text));
}

/* ---- graphics ---- */

static void sixteen_colours_of_four_planes(void **state)
{
	set_mode(MODE_12);
	for (unsigned n = 0; n < 4; n++) {
		seq(SEQ_MAP_MASK, 1 << n);
		poke(0xa0000 + 100 * 80 + 3, 0xff00 >> (2 * n));
	}
	look(640, 480);
	/* Plane n has its low 2n bits of the byte clear. */
	for (unsigned x = 0; x < 8; x++) {
		unsigned colour = 0;

		for (unsigned n = 0; n < 4; n++)
			colour |= ((0xff00 >> (2 * n) & 0xff) >> (7 - x) & 1) << n;
		assert_int_equal(pixel(24 + x, 100), ega_shown(colour));
	}
	assert_int_equal(pixel(32, 100), ega_shown(0));
	attr(ATTR_PLANES, 0x1);
	look(640, 480);
	assert_int_equal(pixel(31, 100), ega_shown(0));
}

static void doubled_dots_and_lines(void **state)
{
	set_mode(MODE_0D);
	poke(0xa0000 + 2 * 40, 0xa0); /* all planes */
	look(640, 400);
	for (unsigned y = 4; y < 6; y++) {
		assert_int_equal(pixel(0, y), ega_shown(15));
		assert_int_equal(pixel(1, y), ega_shown(15));
		assert_int_equal(pixel(2, y), ega_shown(0));
		assert_int_equal(pixel(4, y), ega_shown(15));
	}
	assert_int_equal(pixel(0, 3), ega_shown(0));
	assert_int_equal(pixel(0, 6), ega_shown(0));
}

static void four_colours_in_interleaved_rows(void **state)
{
	set_mode(MODE_04);
	poke(0xb8000, 0x1b);	  /* row 0: colours 0 1 2 3 */
	poke(0xba000 + 1, 0xe4);  /* row 1, second byte: 3 2 1 0 */
	poke(0xb8000 + 80, 0xff); /* row 2 */
	look(640, 400);
	for (unsigned i = 0; i < 4; i++) {
		static const uint8_t cga[] = {0, 0x13, 0x15, 0x17};

		assert_int_equal(pixel(2 * i, 0), dac_shown(cga[i]));
		assert_int_equal(pixel(2 * i + 1, 1), dac_shown(cga[i]));
		assert_int_equal(pixel(8 + 2 * i, 2), dac_shown(cga[3 - i]));
		assert_int_equal(pixel(2 * i, 4), dac_shown(cga[3]));
	}
}

static void two_hundred_and_fifty_six_colours(void **state)
{
	set_mode(MODE_13);
	for (unsigned x = 0; x < 320; x++)
		poke(0xa0000 + 50 * 320 + x, x * 3);
	look(640, 400);
	for (unsigned x = 0; x < 320; x++)
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(pixel(2 * x + i % 2, 100 + i / 2),
					 dac_shown((uint8_t)(x * 3)));
	assert_int_equal(pixel(0, 102), dac_shown(0));
	kit_out8(k, 0x3c6, 0x0f); /* PEL mask */
	look(640, 400);
	assert_int_equal(pixel(2 * 100, 100), dac_shown(300 & 0x0f));
}

static void mode_x_has_each_fourth_pixel_in_a_plane(void **state)
{
	set_mode(MODE_X);
	for (unsigned n = 0; n < 4; n++) {
		seq(SEQ_MAP_MASK, 1 << n);
		poke(0xa0000 + 120 * 80 + 10, 0x40 + n);
	}
	look(640, 480);
	for (unsigned n = 0; n < 4; n++)
		assert_int_equal(pixel(80 + 2 * n, 240), dac_shown(0x40 + n));
}

/* ---- where the picture begins ---- */

static void the_start_address_scrolls(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000 + 80 * 5 + 1, 0xff);
	look(640, 480);
	assert_int_equal(pixel(8, 5), ega_shown(15));
	crtc(CRTC_START_LOW, 81);
	look(640, 480);
	assert_int_equal(pixel(0, 4), ega_shown(15));
	assert_int_equal(pixel(8, 5), ega_shown(0));
	attr(ATTR_PAN, 3);
	look(640, 480);
	assert_int_equal(pixel(4, 4), ega_shown(15));
	assert_int_equal(pixel(5, 4), ega_shown(0));
	crtc(CRTC_START_LOW, 80);
	look(640, 480);
	assert_int_equal(pixel(4, 4), ega_shown(0));
	assert_int_equal(pixel(5, 4), ega_shown(15));
	assert_int_equal(pixel(12, 4), ega_shown(15));
	assert_int_equal(pixel(13, 4), ega_shown(0));
	/* What panning brings in at the right is the next address's. */
	poke(0xa0000 + 80 + 80, 0x80);
	look(640, 480);
	assert_int_equal(pixel(637, 0), ega_shown(15));
}

static void addresses_wrap_at_64_kib(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000, 0xff);
	crtc(CRTC_START_HIGH, 0xff);
	crtc(CRTC_START_LOW, 0xff);
	look(640, 480);
	assert_int_equal(pixel(0, 0), ega_shown(0));
	assert_int_equal(pixel(8, 0), ega_shown(15));
}

static void line_compare_splits_the_screen(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000, 0xff);
	crtc(CRTC_START_HIGH, 0x40);
	attr(ATTR_PAN, 4);
	crtc(CRTC_OVERFLOW, 0x2e); /* without line compare's bit 8 */
	crtc(CRTC_MAX_SCAN, 0x00); /* nor 9 */
	crtc(CRTC_LINE_COMPARE, 99);
	look(640, 480);
	assert_int_equal(pixel(0, 99), ega_shown(0));
	assert_int_equal(pixel(0, 100), ega_shown(15));
	assert_int_equal(pixel(4, 100), ega_shown(0)); /* panned too */
	assert_int_equal(pixel(0, 101), ega_shown(0));
	attr(ATTR_MODE, 0x21); /* unless told not to be */
	look(640, 480);
	assert_int_equal(pixel(7, 100), ega_shown(15));
}

static void the_preset_row_scrolls_text_by_lines(void **state)
{
	set_mode(MODE_03);
	no_cursor();
	load_glyph(0, 'A', 0xff);
	put_char(0, 1, 'A', 0x07);
	crtc(CRTC_PRESET_ROW, 5);
	look(720, 400);
	assert_int_equal(pixel(0, 10), ega_shown(0));
	assert_int_equal(pixel(0, 11), ega_shown(7));
	assert_int_equal(pixel(0, 26), ega_shown(7));
	assert_int_equal(pixel(0, 27), ega_shown(0));
}

static void the_screen_can_be_turned_off(void **state)
{
	set_mode(MODE_13);
	poke(0xa0000, 7);
	look(640, 400);
	assert_int_equal(pixel(0, 0), dac_shown(7));
	seq(SEQ_CLOCKING, 0x21);
	look(640, 400);
	assert_int_equal(pixel(0, 0), 0);
	seq(SEQ_CLOCKING, 0x01);
	look(640, 400);
	assert_int_equal(pixel(0, 0), dac_shown(7));
	kit_in8(k, 0x3da);
	kit_out8(k, 0x3c0, 0x00);
	look(640, 400);
	assert_int_equal(pixel(0, 0), 0);
}

/* ---- Bochs' extensions ---- */

static void linear_modes_of_every_depth(void **state)
{
	static const struct {
		unsigned bpp;
		uint32_t value, shown;
	} depths[] = {
		{8, 0x55, 0}, /* by the DAC */
		{15, 0x7c1f, 0xff00ff},
		{15, 0x03e0, 0x00ff00},
		{16, 0xf800, 0xff0000},
		{16, 0x07e0, 0x00ff00},
		{16, 0x8410, 0x848284},
		{24, 0x123456, 0x123456},
		{32, 0xff123456, 0x123456},
	};

	set_mode(MODE_13);
	for (unsigned i = 0; i < ARRAY_SIZE(depths); i++) {
		unsigned bytes = (depths[i].bpp + 7) / 8;
		uint32_t shown = depths[i].bpp == 8 ? dac_shown(depths[i].value) : depths[i].shown;

		vbe_mode(800, 600, depths[i].bpp);
		for (unsigned b = 0; b < bytes; b++)
			poke(lfb() + (800 * 599 + 799) * bytes + b, depths[i].value >> 8 * b);
		look(800, 600);
		assert_int_equal(pixel(799, 599), shown);
		assert_int_equal(pixel(798, 599), depths[i].bpp == 8 ? dac_shown(0) : 0);
	}
	vbe(VBE_ENABLE, 0);
	look(0, 0);
}

static void four_bits_are_planes(void **state)
{
	set_mode(MODE_12);
	vbe_mode(800, 600, 4);
	seq(SEQ_MAP_MASK, 0x5);
	poke(0xa0000 + 100 * 3 + 1, 0x80);
	look(800, 600);
	assert_int_equal(pixel(8, 3), ega_shown(5));
	assert_int_equal(pixel(9, 3), ega_shown(0));
}

static void the_dac_may_have_eight_bits(void **state)
{
	set_mode(MODE_13);
	vbe_mode(640, 480, 8);
	dac(1, 0x81, 0x42, 0xc3);
	poke(lfb(), 1);
	vbe(VBE_ENABLE, VBE_ENABLED | VBE_8BIT_DAC);
	look(640, 480);
	assert_int_equal(pixel(0, 0), 0x8142c3);
}

static void virtual_screens_are_panned(void **state)
{
	set_mode(MODE_13);
	vbe_mode(640, 480, 32);
	vbe(VBE_VIRT_WIDTH, 1000);
	as_write(&k->m->mem, lfb() + (1000 * 20 + 30) * 4, 0x00abcdef, 4);
	vbe(VBE_X_OFFSET, 25);
	vbe(VBE_Y_OFFSET, 19);
	look(640, 480);
	assert_int_equal(pixel(5, 1), 0xabcdef);
	vbe(VBE_Y_OFFSET, 20);
	look(640, 480);
	assert_int_equal(pixel(5, 0), 0xabcdef);
}

static void the_largest_mode_fits_in_its_memory(void **state)
{
	set_mode(MODE_13);
	vbe_mode(2560, 1600, 32);
	as_write(&k->m->mem, lfb() + (2560 * 1600 - 1) * 4, 0x00fedcba, 4);
	look(2560, 1600);
	assert_int_equal(pixel(2559, 1599), 0xfedcba);
}

/* ---- without firmware ---- */

/* An adapter with a ROM whose font, at an odd place, has 'A' as stripes. */
static void use_rom(void)
{
	static uint8_t rom[8192] = {0x55, 0xaa, sizeof(rom) / 512};
	char path[] = "rom.XXXXXX";
	uint8_t *font = rom + 1001;
	int fd = mkstemp(path);

	for (unsigned row = 0; row < 16; row++) {
		font['A' * 16 + row] = row & 1 ? 0xaa : 0;
		font[0xdb * 16 + row] = 0xff;
		font[0xdd * 16 + row] = 0xf0;
		font[0xde * 16 + row] = 0x0f;
	}
	assert_int_equal(write(fd, rom, sizeof(rom)), sizeof(rom));
	close(fd);
	device_unrealize(vga);
	vga = kit_add(k, &vga_pci_type, "addr", "2", "romfile", path, NULL);
	unlink(path);
	pci_assign_resources(k->m);
	vga_kit_watch(NULL);
}

static void a_guest_without_firmware_finds_text(void **state)
{
	const struct boot_screen *boot;
	struct boot_framebuffer fb = {.width = 800, .height = 600, .bpp = 16};

	use_rom();
	boot = k->m->boot_screen;
	boot->text(boot->opaque);
	put_char(0, 0, 'A', 0x1e);
	look(720, 400);
	assert_int_equal(pixel(0, 1), 0xffff55);
	assert_int_equal(pixel(1, 1), 0x0000aa);
	assert_int_equal(pixel(0, 2), 0x0000aa);
	assert_int_equal(pixel(100, 100), 0);
	assert_true(boot->framebuffer(boot->opaque, &fb));
	assert_int_equal(fb.gpa, lfb());
	assert_int_equal(fb.pitch, 1600);
	assert_int_equal(fb.bytes, 16 * MiB);
	as_write(&k->m->mem, lfb() + 2, 0xf800, 2);
	look(800, 600);
	assert_int_equal(pixel(0, 0), 0);
	assert_int_equal(pixel(1, 0), 0xff0000);
	fb.width = fb.height = 4096;
	assert_false(boot->framebuffer(boot->opaque, &fb));
}

/* ---- only what changed ---- */

static void only_what_changed_is_drawn(void **state)
{
	set_mode(MODE_03);
	no_cursor();
	load_glyph(0, 'A', 0xff);
	load_glyph(0, 0, 0);
	look(720, 400);
	assert_true(changed.width == 720 && changed.height == 400);
	look(720, 400);
	assert_int_equal(changed_rects, 0);
	put_char(40, 12, 'A', 0x07);
	look(720, 400);
	assert_int_equal(changed_rects, 1);
	assert_true(changed.x <= 360 && changed.x + changed.width >= 369 && changed.width <= 32);
	assert_true(changed.y == 192 && changed.height == 16);
	dac(7, 1, 1, 1); /* a colour: everything */
	look(720, 400);
	assert_true(changed.width == 720 && changed.height == 400);
	vbe_mode(1024, 768, 32);
	look(1024, 768);
	as_write(&k->m->mem, lfb() + (1024 * 100 + 500) * 4, 1, 4);
	as_write(&k->m->mem, lfb() + (1024 * 101 + 520) * 4, 1, 4);
	look(1024, 768);
	assert_int_equal(changed_rects, 1);
	assert_true(changed.x == 496 && changed.y == 96 && changed.width == 32 &&
		    changed.height == 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_of_nine_dots),
		TEST(text_of_eight_dots_and_doubled),
		TEST(a_second_font_by_the_attribute),
		TEST(the_cursor_blinks),
		TEST(characters_blink_or_have_sixteen_backgrounds),
		TEST(text_can_be_read_as_text),
		TEST(sixteen_colours_of_four_planes),
		TEST(doubled_dots_and_lines),
		TEST(four_colours_in_interleaved_rows),
		TEST(two_hundred_and_fifty_six_colours),
		TEST(mode_x_has_each_fourth_pixel_in_a_plane),
		TEST(the_start_address_scrolls),
		TEST(addresses_wrap_at_64_kib),
		TEST(line_compare_splits_the_screen),
		TEST(the_preset_row_scrolls_text_by_lines),
		TEST(the_screen_can_be_turned_off),
		TEST(linear_modes_of_every_depth),
		TEST(four_bits_are_planes),
		TEST(the_dac_may_have_eight_bits),
		TEST(virtual_screens_are_panned),
		TEST(the_largest_mode_fits_in_its_memory),
		TEST(a_guest_without_firmware_finds_text),
		TEST(only_what_changed_is_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
