/* SPDX-License-Identifier: BSD-2-Clause */
/* VGA: registers, memory behind the window, Bochs' extensions, the memory BAR; abuse. */
#include "tests/device/vga_kit.h"

#define setup	 vga_setup
#define teardown vga_teardown

/* ---- registers ---- */

static void registers_keep_the_bits_that_there_are(void **state)
{
	seq(1, 0xff);
	assert_int_equal(kit_in8(k, 0x3c5), 0x3d);
	seq(4, 0xff);
	assert_int_equal(kit_in8(k, 0x3c5), 0x0e);
	gfx(5, 0xff);
	assert_int_equal(kit_in8(k, 0x3cf), 0x7b);
	gfx(8, 0xa5);
	assert_int_equal(kit_in8(k, 0x3cf), 0xa5);
	assert_int_equal(kit_in8(k, 0x3ce), 8);
	kit_out8(k, 0x3c2, 0x67);
	assert_int_equal(kit_in8(k, 0x3cc), 0x67);
	crtc(0x0e, 0x12);
	assert_int_equal(crtc_read(0x0e), 0x12);
	kit_out8(k, 0x3da, 0x08);
	assert_int_equal(kit_in8(k, 0x3ca), 0x08);
}

static void registers_that_there_are_not_are_nothing(void **state)
{
	kit_out8(k, 0x3c2, 0x01);
	for (unsigned i = 0; i < 256; i++) {
		seq(i, 0xff);
		gfx(i, 0xff);
		crtc(i, 0xff);
		attr(i, 0xff);
	}
	assert_int_equal(crtc_read(0x3f), 0);
	kit_out8(k, 0x3c4, 7);
	assert_int_equal(kit_in8(k, 0x3c5), 0);
	kit_out8(k, 0x3ce, 15);
	assert_int_equal(kit_in8(k, 0x3cf), 0);
}

static void the_miscellaneous_output_moves_the_crtc(void **state)
{
	kit_out8(k, 0x3c2, 0x00);
	kit_out16(k, 0x3b4, 0x5a0f);
	assert_int_equal(kit_in8(k, 0x3b5), 0x5a);
	assert_int_equal(kit_in8(k, 0x3d5), 0xff);
	kit_out8(k, 0x3c2, 0x01);
	assert_int_equal(kit_in8(k, 0x3b5), 0xff);
	assert_int_equal(kit_in8(k, 0x3d5), 0x5a);
}

static void crtc_registers_0_to_7_can_be_protected(void **state)
{
	kit_out8(k, 0x3c2, 0x01);
	crtc(0, 0x11);
	crtc(7, 0x00);
	crtc(0x11, 0x80);
	crtc(0, 0x22);
	crtc(7, 0xff);
	assert_int_equal(crtc_read(0), 0x11);
	assert_int_equal(crtc_read(7), 0x10); /* but for line compare's bit 8 */
	crtc(8, 0x33);
	assert_int_equal(crtc_read(8), 0x33);
}

static void attribute_index_and_data_take_turns(void **state)
{
	kit_in8(k, 0x3da);
	kit_out8(k, 0x3c0, 0x10);
	kit_out8(k, 0x3c0, 0x0c);
	kit_out8(k, 0x3c0, 0x13);
	kit_out8(k, 0x3c0, 0x08);
	kit_out8(k, 0x3c0, 0x10);
	assert_int_equal(kit_in8(k, 0x3c1), 0x0c);
	kit_in8(k, 0x3da); /* the next is an index again */
	kit_out8(k, 0x3c0, 0x13);
	assert_int_equal(kit_in8(k, 0x3c0), 0x13);
	assert_int_equal(kit_in8(k, 0x3c1), 0x08);
}

static void the_palette_is_locked_while_it_is_shown(void **state)
{
	attr(3, 0x15); /* ends with the palette shown */
	kit_in8(k, 0x3da);
	kit_out8(k, 0x3c0, 0x23);
	kit_out8(k, 0x3c0, 0x07);
	kit_out8(k, 0x3c0, 0x23);
	assert_int_equal(kit_in8(k, 0x3c1), 0x15);
}

static void the_dac_counts_colours(void **state)
{
	static const uint8_t colours[] = {1, 2, 3, 4, 5, 6};

	kit_out8(k, 0x3c8, 0xff); /* and wraps */
	for (unsigned i = 0; i < sizeof(colours); i++)
		kit_out8(k, 0x3c9, colours[i]);
	assert_int_equal(kit_in8(k, 0x3c8), 1);
	assert_int_equal(kit_in8(k, 0x3c7), 0);
	kit_out8(k, 0x3c7, 0xff);
	assert_int_equal(kit_in8(k, 0x3c7), 3);
	for (unsigned i = 0; i < sizeof(colours); i++)
		assert_int_equal(kit_in8(k, 0x3c9), colours[i]);
	/* Two parts of a colour change nothing. */
	kit_out8(k, 0x3c8, 0);
	kit_out8(k, 0x3c9, 60);
	kit_out8(k, 0x3c9, 60);
	kit_out8(k, 0x3c7, 0);
	assert_int_equal(kit_in8(k, 0x3c9), 4);
}

static void retrace_comes_once_a_frame(void **state)
{
	unsigned edges = 0, display = 0;
	bool was = false;

	set_mode(MODE_03);
	/* 449 lines of 31.778 us, for one second */
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t status = kit_in8(k, 0x3da);
		bool retrace = status & 0x08;

		edges += retrace && !was;
		was = retrace;
		display += !(status & 0x01);
		kit_advance(k, 10000);
	}
	assert_in_range(edges, 69, 71);
	assert_in_range(display, 60000, 80000);
	/* And of any registers, so that nobody waits for ever. */
	for (unsigned i = 0; i < 25; i++)
		crtc(i, 0xff);
	edges = 0;
	for (unsigned i = 0; i < 10000; i++) {
		edges += !!(kit_in8(k, 0x3da) & 0x08);
		kit_advance(k, 10000);
	}
	assert_true(edges > 0);
}

/* ---- the window: planes ---- */

static uint8_t plane(unsigned n, uint32_t addr)
{
	gfx(GFX_READ_MAP, n);
	return peek(addr);
}

static void expect_planes(uint32_t addr, uint8_t p0, uint8_t p1, uint8_t p2, uint8_t p3)
{
	gfx(GFX_MODE, 0);
	assert_int_equal(plane(0, addr), p0);
	assert_int_equal(plane(1, addr), p1);
	assert_int_equal(plane(2, addr), p2);
	assert_int_equal(plane(3, addr), p3);
}

static void write_mode_0_rotates_sets_and_masks(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000, 0x81);
	expect_planes(0xa0000, 0x81, 0x81, 0x81, 0x81);
	seq(SEQ_MAP_MASK, 0x5);
	poke(0xa0000, 0x0f);
	expect_planes(0xa0000, 0x0f, 0x81, 0x0f, 0x81);
	seq(SEQ_MAP_MASK, 0xf);
	gfx(GFX_SET_RESET, 0x3);
	gfx(GFX_ENABLE_SET_RESET, 0x6);
	poke(0xa0001, 0x55);
	expect_planes(0xa0001, 0x55, 0xff, 0x00, 0x55);
	gfx(GFX_ENABLE_SET_RESET, 0);
	gfx(GFX_ROTATE, 3);
	poke(0xa0002, 0x0b);
	expect_planes(0xa0002, 0x61, 0x61, 0x61, 0x61);
	gfx(GFX_ROTATE, 0);
	gfx(GFX_BIT_MASK, 0xf0);
	peek(0xa0001); /* latches */
	poke(0xa0003, 0xaa);
	expect_planes(0xa0003, 0xa5, 0xaf, 0xa0, 0xa5);
}

static void the_function_combines_with_the_latches(void **state)
{
	static const uint8_t expected[] = {0x3c, 0x0c, 0x3f, 0x33};

	set_mode(MODE_12);
	poke(0xa0000, 0x0f);
	for (unsigned f = 0; f < 4; f++) {
		gfx(GFX_ROTATE, f << 3);
		peek(0xa0000);
		poke(0xa0001, 0x3c);
		expect_planes(0xa0001, expected[f], expected[f], expected[f], expected[f]);
	}
}

static void write_mode_1_copies_the_latches(void **state)
{
	set_mode(MODE_12);
	for (unsigned n = 0; n < 4; n++) {
		seq(SEQ_MAP_MASK, 1 << n);
		poke(0xa0010, 0x11 * (n + 1));
	}
	seq(SEQ_MAP_MASK, 0xf);
	gfx(GFX_BIT_MASK, 0); /* counts for nothing */
	gfx(GFX_MODE, 1);
	peek(0xa0010);
	poke(0xa0020, 0xee);
	expect_planes(0xa0020, 0x11, 0x22, 0x33, 0x44);
}

static void write_mode_2_spreads_a_colour(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000, 0x00);
	gfx(GFX_MODE, 2);
	gfx(GFX_BIT_MASK, 0x18);
	peek(0xa0000);
	poke(0xa0000, 0x0a);
	expect_planes(0xa0000, 0x00, 0x18, 0x00, 0x18);
}

static void write_mode_3_masks_with_the_data(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000, 0xff);
	gfx(GFX_MODE, 3);
	gfx(GFX_SET_RESET, 0x4);
	gfx(GFX_BIT_MASK, 0x3c);
	peek(0xa0000);
	poke(0xa0000, 0xf0); /* 30 is what is left of both masks */
	expect_planes(0xa0000, 0xcf, 0xcf, 0xff, 0xcf);
}

static void read_mode_1_compares_colours(void **state)
{
	set_mode(MODE_12);
	gfx(GFX_MODE, 2);
	for (unsigned i = 0; i < 8; i++) {
		gfx(GFX_BIT_MASK, 0x80 >> i);
		peek(0xa0000);
		poke(0xa0000, i < 4 ? 5 : i);
	}
	gfx(GFX_MODE, 8);
	gfx(GFX_COLOR_COMPARE, 5);
	gfx(GFX_COLOR_CARE, 0xf);
	assert_int_equal(peek(0xa0000), 0xf4); /* pixels 0 to 3, and 5 */
	gfx(GFX_COLOR_CARE, 0x1);
	assert_int_equal(peek(0xa0000), 0xf5);
	gfx(GFX_COLOR_CARE, 0);
	assert_int_equal(peek(0xa0000), 0xff);
}

static void wide_accesses_are_bytes_in_a_row(void **state)
{
	set_mode(MODE_12);
	as_write(&k->m->mem, 0xa0000, 0x8877665544332211, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(peek(0xa0000 + i), 0x11 * (i + 1));
	assert_int_equal(as_read(&k->m->mem, 0xa0002, 4), 0x66554433);
}

static void the_memory_map_says_where_the_window_is(void **state)
{
	set_mode(MODE_12);
	poke(0xa0000, 0x12);
	poke(0xb8000, 0x34);
	assert_int_equal(peek(0xa0000), 0x12);
	assert_int_equal(peek(0xb8000), 0xff);
	gfx(GFX_MISC, 0x0d); /* B8000h */
	assert_int_equal(peek(0xb8000), 0x12);
	assert_int_equal(peek(0xa0000), 0xff);
	assert_int_equal(peek(0xb7fff), 0xff);
	gfx(GFX_MISC, 0x09); /* B0000h */
	assert_int_equal(peek(0xb0000), 0x12);
	assert_int_equal(peek(0xb8000), 0xff);
	gfx(GFX_MISC, 0x01); /* A0000h, 128 KiB */
	poke(0xbffff, 0x56);
	assert_int_equal(peek(0xbffff), 0x56);
	kit_out8(k, 0x3c2, 0x61); /* memory off */
	assert_int_equal(peek(0xa0000), 0xff);
	poke(0xa0000, 0x99);
	kit_out8(k, 0x3c2, 0x63);
	assert_int_equal(peek(0xa0000), 0x12);
}

/* ---- the window: RAM ---- */

static enum region_kind kind_at(uint64_t addr)
{
	const struct view_range *r = view_find(as_view_mt(&k->m->mem), addr);

	return r ? r->kind : REGION_CONTAINER;
}

static void chained_planes_are_ram(void **state)
{
	set_mode(MODE_13);
	assert_int_equal(kind_at(0xa0000), REGION_RAM);
	assert_int_equal(kind_at(0xaffff), REGION_RAM);
	assert_int_equal(kind_at(0xb0000), REGION_IO);
	for (unsigned i = 0; i < 64; i++)
		poke(0xa0000 + i, i);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(peek(lfb() + i), i);
	/* The same through the registers. */
	seq(SEQ_MAP_MASK, 0xe);
	assert_int_equal(kind_at(0xa0000), REGION_IO);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(peek(0xa0000 + i), i);
		poke(0xa0000 + i, 0x80 + i);
	}
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(peek(lfb() + i), i % 4 ? 0x80 + i : i);
	set_mode(MODE_12);
	assert_int_equal(kind_at(0xa0000), REGION_IO);
}

static void text_is_ram_and_lies_in_planes_0_and_1(void **state)
{
	set_mode(MODE_03);
	assert_int_equal(kind_at(0xb8000), REGION_RAM);
	for (unsigned i = 0; i < 4000; i++)
		poke(0xb8000 + i, i * 7);
	/* As the BIOS loads a font: planes in a row, at A0000h. */
	seq(SEQ_MAP_MASK, 4);
	seq(SEQ_MEMORY_MODE, 6);
	gfx(GFX_MODE, 0);
	gfx(GFX_MISC, 4);
	assert_int_equal(kind_at(0xb8000), REGION_IO);
	for (unsigned i = 0; i < 4000; i += 2) {
		assert_int_equal(plane(0, 0xa0000 + i), (uint8_t)(i * 7));
		assert_int_equal(plane(1, 0xa0000 + i), (uint8_t)((i + 1) * 7));
	}
	poke(0xa0000 + 'A' * 32, 0x5a);
	gfx(GFX_READ_MAP, 0);
	seq(SEQ_MAP_MASK, 1);
	poke(0xa0002, '!');
	seq(SEQ_MAP_MASK, 3);
	seq(SEQ_MEMORY_MODE, 2);
	gfx(GFX_MODE, 0x10);
	gfx(GFX_MISC, 0x0e);
	assert_int_equal(kind_at(0xb8000), REGION_RAM);
	assert_int_equal(peek(0xb8002), '!');
	assert_int_equal(peek(0xb8003), (uint8_t)(3 * 7));
	/* Through the registers it is the same text. */
	gfx(GFX_BIT_MASK, 0xfe);
	assert_int_equal(kind_at(0xb8000), REGION_IO);
	assert_int_equal(peek(0xb8002), '!');
	assert_int_equal(peek(0xb8005), (uint8_t)(5 * 7));
	gfx(GFX_BIT_MASK, 0xff);
}

/* ---- Bochs' extensions ---- */

static void vbe_identifies_itself_and_tells_its_limits(void **state)
{
	assert_int_equal(vbe_read(VBE_ID), 0xb0c5);
	vbe(VBE_ID, 0xb0c2);
	assert_int_equal(vbe_read(VBE_ID), 0xb0c2);
	vbe(VBE_ID, 0xb0c6);
	assert_int_equal(vbe_read(VBE_ID), 0xb0c2);
	assert_int_equal(vbe_read(VBE_VIDEO_MEMORY_64K), 256);
	vbe(VBE_ENABLE, VBE_GETCAPS);
	assert_int_equal(vbe_read(VBE_XRES), 2560);
	assert_int_equal(vbe_read(VBE_YRES), 1600);
	assert_int_equal(vbe_read(VBE_BPP), 32);
	assert_int_equal(vbe_read(0xff), 0);
	kit_out16(k, 0x1ce, VBE_XRES);
	assert_int_equal(kit_in16(k, 0x1d0), 2560);
}

static void vbe_modes_are_made_to_fit(void **state)
{
	vbe_mode(1027, 768, 32);
	assert_int_equal(vbe_read(VBE_XRES), 1024);
	assert_int_equal(vbe_read(VBE_VIRT_WIDTH), 1024);
	assert_int_equal(vbe_read(VBE_VIRT_HEIGHT), 4096);
	vbe_mode(0xffff, 0xffff, 32);
	assert_int_equal(vbe_read(VBE_XRES), 2560);
	assert_int_equal(vbe_read(VBE_YRES), 1600);
	vbe_mode(0, 0, 17);
	assert_int_equal(vbe_read(VBE_BPP), 32);
	assert_int_equal(vbe_read(VBE_XRES), 8);
	assert_int_equal(vbe_read(VBE_YRES), 1);
	vbe_mode(640, 480, 8);
	vbe(VBE_VIRT_WIDTH, 0xffff);
	assert_int_equal(vbe_read(VBE_VIRT_WIDTH), 0x7ff8);
	assert_int_equal(vbe_read(VBE_VIRT_HEIGHT), 512);
	vbe(VBE_X_OFFSET, 0xffff);
	vbe(VBE_Y_OFFSET, 0xffff);
	assert_int_equal(vbe_read(VBE_X_OFFSET), 0x7ff8 - 640);
	assert_int_equal(vbe_read(VBE_Y_OFFSET), 512 - 480);
}

static void vbe_modes_clear_memory_unless_told(void **state)
{
	vbe_mode(640, 480, 32);
	poke(lfb() + 1000, 0x77);
	vbe(VBE_ENABLE, 0);
	vbe(VBE_ENABLE, VBE_ENABLED | VBE_NOCLEARMEM);
	assert_int_equal(peek(lfb() + 1000), 0x77);
	vbe(VBE_ENABLE, 0);
	vbe(VBE_ENABLE, VBE_ENABLED);
	assert_int_equal(peek(lfb() + 1000), 0);
}

static void banks_move_the_window(void **state)
{
	set_mode(MODE_13);
	vbe_mode(1024, 768, 8);
	assert_int_equal(kind_at(0xa0000), REGION_RAM);
	for (unsigned bank = 0; bank < 256; bank += 51) {
		vbe(VBE_BANK, bank);
		poke(0xa0123, bank + 1);
	}
	for (unsigned bank = 0; bank < 256; bank += 51)
		assert_int_equal(peek(lfb() + bank * 65536 + 0x123), (bank + 1) & 0xff);
	vbe(VBE_BANK, 0x1ff);
	assert_int_equal(vbe_read(VBE_BANK), 0xff);
	/* The last bank, of 128 KiB, ends with memory. */
	gfx(GFX_MISC, 0x01);
	assert_int_equal(kind_at(0xaffff), REGION_RAM);
	assert_int_equal(kind_at(0xb0000), REGION_IO);
	assert_int_equal(peek(0xb0000), 0xff);
	poke(0xb0000, 1);
	vbe(VBE_ENABLE, 0);
	assert_int_equal(vbe_read(VBE_BANK), 0);
}

/* ---- the memory BAR ---- */

static void the_bar_shows_registers_and_the_monitor(void **state)
{
	uint8_t edid[128], sum = 0;

	for (unsigned i = 0; i < 128; i++)
		sum += edid[i] = peek(mmio() + i);
	assert_int_equal(sum, 0);
	assert_memory_equal(edid, "\0\xff\xff\xff\xff\xff\xff\0", 8);
	assert_int_equal(edid[54 + 2] | (edid[54 + 4] & 0xf0) << 4, 1280);
	assert_int_equal(edid[54 + 5] | (edid[54 + 7] & 0xf0) << 4, 800);
	assert_int_equal(peek(mmio() + 128), 0xff);
	assert_int_equal(as_read(&k->m->mem, mmio() + 0x500, 2), 0xb0c5);
	as_write(&k->m->mem, mmio() + 0x502, 800, 2);
	assert_int_equal(vbe_read(VBE_XRES), 800);
	as_write(&k->m->mem, mmio() + 0x404, 0x0502, 2); /* ports 3C4h and 3C5h */
	kit_out8(k, 0x3c4, 2);
	assert_int_equal(kit_in8(k, 0x3c5), 5);
	assert_int_equal(as_read(&k->m->mem, mmio() + 0x600, 4), 8);
	assert_int_equal(as_read(&k->m->mem, mmio() + 0x604, 4), 0x1e1e1e1e);
	assert_int_equal(as_read(&k->m->mem, mmio() + 0x608, 4), 0xffffffff);
	assert_int_equal(as_read(&k->m->mem, mmio() + 0xffc, 4), 0xffffffff);
}

static void properties_are_judged(void **state)
{
	static const char *const bad[] = {"0", "3", "512"};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char *msg = kit_add_fails(k, &vga_pci_type, "vgamem_mb", bad[i], NULL);

		assert_non_null(strstr(msg, "vgamem_mb"));
		free(msg);
	}
}

static void two_adapters_have_a_screen_each(void **state)
{
	struct device *second = kit_add(k, &vga_isa_type, NULL);

	assert_non_null(display_console_named(k->m->display, "VGA"));
	assert_ptr_equal(display_console(k->m->display, 1),
			 display_console_named(k->m->display, "isa-vga"));
	device_unrealize(second);
	assert_null(display_console(k->m->display, 1));
	set_mode(MODE_03);
	look(720, 400);
}

static uint64_t bar(struct device *dev, unsigned n)
{
	return pci_bar_address(container_of(dev, struct pci_device, dev), n);
}

static uint16_t mem16(uint64_t gpa)
{
	return as_read(&k->m->mem, gpa, 2);
}

static void put_mem16(uint64_t gpa, uint16_t value)
{
	as_write(&k->m->mem, gpa, value, 2);
}

static void set_mmio_mode(uint64_t regs, unsigned width, unsigned height)
{
	put_mem16(regs + 0x500 + 2 * VBE_XRES, width);
	put_mem16(regs + 0x500 + 2 * VBE_YRES, height);
	put_mem16(regs + 0x500 + 2 * VBE_BPP, 32);
	put_mem16(regs + 0x500 + 2 * VBE_ENABLE, VBE_ENABLED | 0x40);
}

/* With DEV as the only adapter, or beside VGA; all of it through its BARs. */
static void check_by_bars(struct device *dev, bool has_vga)
{
	uint64_t regs = bar(dev, 2);

	assert_int_equal(mem16(regs), 0xff00); /* EDID */
	assert_int_equal(mem16(regs + 0x500), 0xb0c5);
	set_mmio_mode(regs, 800, 600);
	put_mem16(bar(dev, 0) + 4 * 801, 0xabcd);
	if (has_vga) {
		vga_kit_watch(dev->type->name);
		look(0, 0);
		assert_int_equal(pixel(1, 1), 0); /* blanked as it is */
		as_read(&k->m->mem, regs + 0x41a, 1);
		as_write(&k->m->mem, regs + 0x400, 0x20, 1);
	} else {
		assert_int_equal(mem16(regs + 0x41a), 0xffff);
	}
	vga_kit_watch(dev->type->name);
	look(800, 600);
	assert_int_equal(pixel(1, 1), 0xabcd);
	assert_int_equal(pixel(0, 1), 0);
	put_mem16(regs + 0x500 + 2 * VBE_ENABLE, 0);
}

static void a_secondary_adapter_leaves_the_window_to_the_first(void **state)
{
	struct device *second = kit_add(k, &vga_secondary_type, NULL);

	pci_assign_resources(k->m);
	set_mode(MODE_13);
	poke(0xa0000, 3);
	check_by_bars(second, true);
	vga_kit_watch("VGA");
	look(640, 400);
	assert_int_equal(pixel(0, 0), dac_shown(3));
	/* 0380h: a display that is no VGA */
	assert_int_equal(ldn_le(&container_of(second, struct pci_device, dev)->config[0x0a], 2),
			 0x0380);
	device_unrealize(second);
}

static void bochs_display_is_a_frame_buffer_and_no_more(void **state)
{
	struct device *dev;

	device_unrealize(vga);
	dev = kit_add(k, &vga_bochs_type, "vgamem", "4M", NULL);
	pci_assign_resources(k->m);
	assert_int_equal(kit_in8(k, 0x3da), 0xff);
	assert_int_equal(peek(0xa0000), 0xff);
	assert_null(k->m->boot_screen);
	check_by_bars(dev, false);
	vga_kit_watch(NULL);
	look(0, 0);
	assert_int_equal(pixel(1, 1), 0);
	free(kit_add_fails(k, &vga_bochs_type, "vgamem", "3M", NULL));
	free(kit_add_fails(k, &vga_bochs_type, "vgamem", "512M", NULL));
	kit_save_load(dev);
}

/* ---- abuse ---- */

static uint64_t seed = 88172645463325252ull;

static unsigned rnd(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

static void random_step(void)
{
	switch (rnd(12)) {
	case 0 ... 2:
		crtc(rnd(25), rnd(256));
		break;
	case 3:
		seq(rnd(5), rnd(256));
		break;
	case 4:
		gfx(rnd(9), rnd(256));
		break;
	case 5:
		attr(rnd(21), rnd(256));
		break;
	case 6:
		vbe(rnd(12), rnd(4) ? rnd(65536) : rnd(4096));
		break;
	case 7:
		vbe(VBE_ENABLE, rnd(4) ? 0 : rnd(256));
		break;
	case 8:
		kit_out8(k, 0x3c2, rnd(256) | 1);
		break;
	case 9:
		as_read(&k->m->mem, 0xa0000 + rnd(0x20000), 8);
		break;
	default:
		as_write(&k->m->mem, 0xa0000 + rnd(0x20000), seed, 8);
		break;
	}
}

static void whatever_the_registers_say_the_picture_stays_in_memory(void **state)
{
	/* A small memory, so that its end is near. */
	device_unrealize(vga);
	vga = kit_add(k, &vga_pci_type, "addr", "2", "vgamem_mb", "1", NULL);
	for (unsigned i = 0; i < 300; i++) {
		static const enum vga_mode from[] = {MODE_03, MODE_04, MODE_0D,
						     MODE_12, MODE_13, MODE_X};
		struct console *con = display_console(k->m->display, 0);
		struct console_viewer v = {0};
		static const struct console_viewer_ops none = {0};
		struct console_text text;

		vbe(VBE_ENABLE, 0);
		set_mode(from[rnd(ARRAY_SIZE(from))]);
		for (unsigned j = 0; j < 30; j++)
			random_step();
		console_attach(con, &v, &none, NULL);
		console_pull(&v);
		for (unsigned j = 0; j < 200 && v.pulling; j++) {
			loop_run_once(k->loop, 0);
			if (rnd(4) == 0)
				random_step(); /* in between two slices */
		}
		console_detach(&v);
		if (console_read_text(con, &text))
			free(text.cells);
		kit_save_load(vga);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_keep_the_bits_that_there_are),
		TEST(registers_that_there_are_not_are_nothing),
		TEST(the_miscellaneous_output_moves_the_crtc),
		TEST(crtc_registers_0_to_7_can_be_protected),
		TEST(attribute_index_and_data_take_turns),
		TEST(the_palette_is_locked_while_it_is_shown),
		TEST(the_dac_counts_colours),
		TEST(retrace_comes_once_a_frame),
		TEST(write_mode_0_rotates_sets_and_masks),
		TEST(the_function_combines_with_the_latches),
		TEST(write_mode_1_copies_the_latches),
		TEST(write_mode_2_spreads_a_colour),
		TEST(write_mode_3_masks_with_the_data),
		TEST(read_mode_1_compares_colours),
		TEST(wide_accesses_are_bytes_in_a_row),
		TEST(the_memory_map_says_where_the_window_is),
		TEST(chained_planes_are_ram),
		TEST(text_is_ram_and_lies_in_planes_0_and_1),
		TEST(vbe_identifies_itself_and_tells_its_limits),
		TEST(vbe_modes_are_made_to_fit),
		TEST(vbe_modes_clear_memory_unless_told),
		TEST(banks_move_the_window),
		TEST(the_bar_shows_registers_and_the_monitor),
		TEST(properties_are_judged),
		TEST(two_adapters_have_a_screen_each),
		TEST(a_secondary_adapter_leaves_the_window_to_the_first),
		TEST(bochs_display_is_a_frame_buffer_and_no_more),
		TEST(whatever_the_registers_say_the_picture_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
