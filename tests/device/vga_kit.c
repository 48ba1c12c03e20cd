/* SPDX-License-Identifier: BSD-2-Clause */
/* For the tests of the VGA: modes as IBM's BIOS sets them, and a viewer. */
#include "tests/device/vga_kit.h"

struct kit *k;
struct device *vga;
unsigned changed_rects;
struct rect changed;

static struct console_viewer viewer;
static bool refreshed;

static void on_updated(void *opaque, const struct rect *r)
{
	unsigned right = MAX(changed.x + changed.width, r->x + r->width),
		 bottom = MAX(changed.y + changed.height, r->y + r->height);

	if (!changed_rects++) {
		changed = *r;
		return;
	}
	changed.x = MIN(changed.x, r->x);
	changed.y = MIN(changed.y, r->y);
	changed.width = right - changed.x;
	changed.height = bottom - changed.y;
}

static void on_refreshed(void *opaque)
{
	refreshed = true;
}

static const struct console_viewer_ops viewer_ops = {
	.updated = on_updated,
	.refreshed = on_refreshed,
};

void vga_kit_watch(const char *name)
{
	struct console *con = name ? display_console_named(k->m->display, name)
				   : display_console(k->m->display, 0);

	assert_non_null(con);
	console_detach(&viewer);
	console_attach(con, &viewer, &viewer_ops, NULL);
}

int vga_setup(void **state)
{
	struct machine_config config = {
		.rtc_clock_vm = true, .ram_bytes = 4 * MiB, .cpus = 1, .nodefaults = true};

	k = kit_new_with(&machine_pc, &config);
	vga = kit_add(k, &vga_pci_type, "addr", "2", NULL);
	pci_assign_resources(k->m);
	vga_kit_watch(NULL);
	return 0;
}

int vga_teardown(void **state)
{
	console_detach(&viewer);
	kit_free(k);
	return 0;
}

/* ---- registers ---- */

void seq(unsigned index, uint8_t value)
{
	kit_out16(k, 0x3c4, value << 8 | index);
}

void gfx(unsigned index, uint8_t value)
{
	kit_out16(k, 0x3ce, value << 8 | index);
}

void crtc(unsigned index, uint8_t value)
{
	kit_out16(k, 0x3d4, value << 8 | index);
}

uint8_t crtc_read(unsigned index)
{
	kit_out8(k, 0x3d4, index);
	return kit_in8(k, 0x3d5);
}

void attr(unsigned index, uint8_t value)
{
	kit_in8(k, 0x3da);
	kit_out8(k, 0x3c0, index);
	kit_out8(k, 0x3c0, value);
	kit_out8(k, 0x3c0, 0x20);
}

void dac(unsigned n, uint8_t r, uint8_t g, uint8_t b)
{
	kit_out8(k, 0x3c8, n);
	kit_out8(k, 0x3c9, r);
	kit_out8(k, 0x3c9, g);
	kit_out8(k, 0x3c9, b);
}

void dac_fill(void)
{
	for (unsigned i = 0; i < 256; i++)
		dac(i, i & 63, i >> 2 & 63, 63 - (i & 63));
}

static uint32_t eight_bits(unsigned six)
{
	return six << 2 | six >> 4;
}

uint32_t dac_shown(unsigned n)
{
	return eight_bits(n & 63) << 16 | eight_bits(n >> 2 & 63) << 8 | eight_bits(63 - (n & 63));
}

void vbe(unsigned index, uint16_t value)
{
	kit_out16(k, 0x1ce, index);
	kit_out16(k, 0x1cf, value);
}

uint16_t vbe_read(unsigned index)
{
	kit_out16(k, 0x1ce, index);
	return kit_in16(k, 0x1cf);
}

void vbe_mode(unsigned width, unsigned height, unsigned bpp)
{
	vbe(VBE_ENABLE, 0);
	vbe(VBE_XRES, width);
	vbe(VBE_YRES, height);
	vbe(VBE_BPP, bpp);
	vbe(VBE_ENABLE, VBE_ENABLED | 0x40);
	kit_in8(k, 0x3da);
	kit_out8(k, 0x3c0, 0x20);
}

/* ---- modes ---- */

struct mode {
	enum vga_mode number;
	uint8_t misc, seq[5], crtc[25], gfx[9], attr[21];
};

#define ATTR_EGA 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f
#define ATTR_CGA 0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17
#define ATTR_256 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

static const struct mode modes[] = {
	{MODE_03,
	 0x67,
	 {0x03, 0x00, 0x03, 0x00, 0x02},
	 {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
	 {0, 0, 0, 0, 0, 0x10, 0x0e, 0x00, 0xff},
	 {ATTR_EGA, 0x0c, 0, 0x0f, 8, 0}},
	{MODE_04,
	 0x63,
	 {0x03, 0x09, 0x03, 0x00, 0x02},
	 {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0,    0,	 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff},
	 {0, 0, 0, 0, 0, 0x30, 0x0f, 0x00, 0xff},
	 {ATTR_CGA, 0x01, 0, 0x03, 0, 0}},
	{MODE_0D,
	 0x63,
	 {0x03, 0x09, 0x0f, 0x00, 0x06},
	 {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0,    0,	 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff},
	 {0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff},
	 {ATTR_EGA, 0x01, 0, 0x0f, 0, 0}},
	{MODE_12,
	 0xe3,
	 {0x03, 0x01, 0x0f, 0x00, 0x06},
	 {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0,    0,	 0,
	  0,	0,    0,    0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff},
	 {0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff},
	 {ATTR_EGA, 0x01, 0, 0x0f, 0, 0}},
	{MODE_13,
	 0x63,
	 {0x03, 0x01, 0x0f, 0x00, 0x0e},
	 {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0,    0,	 0,
	  0,	0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
	 {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff},
	 {ATTR_256, 0x41, 0, 0x0f, 0, 0}},
	{MODE_X,
	 0xe3,
	 {0x03, 0x01, 0x0f, 0x00, 0x06},
	 {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0x00, 0x41, 0,    0,	 0,
	  0,	0,    0,    0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x06, 0xe3, 0xff},
	 {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff},
	 {ATTR_256, 0x41, 0, 0x0f, 0, 0}},
};

void set_mode(enum vga_mode number)
{
	const struct mode *m = modes;

	while (m->number != number)
		m++;
	kit_out8(k, 0x3c2, m->misc);
	for (unsigned i = 0; i < sizeof(m->seq); i++)
		seq(i, m->seq[i]);
	crtc(0x11, 0);
	for (unsigned i = 0; i < sizeof(m->crtc); i++)
		crtc(i, m->crtc[i]);
	for (unsigned i = 0; i < sizeof(m->gfx); i++)
		gfx(i, m->gfx[i]);
	kit_in8(k, 0x3da);
	for (unsigned i = 0; i < sizeof(m->attr); i++) {
		kit_out8(k, 0x3c0, i);
		kit_out8(k, 0x3c0, m->attr[i]);
	}
	kit_out8(k, 0x3c0, 0x20);
	dac_fill();
}

/* ---- memory ---- */

void poke(uint32_t addr, uint8_t value)
{
	as_write(&k->m->mem, addr, value, 1);
}

uint8_t peek(uint32_t addr)
{
	return as_read(&k->m->mem, addr, 1);
}

uint64_t lfb(void)
{
	return pci_bar_address(container_of(vga, struct pci_device, dev), 0);
}

uint64_t mmio(void)
{
	return pci_bar_address(container_of(vga, struct pci_device, dev), 2);
}

/* ---- the screen ---- */

void look(unsigned width, unsigned height)
{
	const struct surface *s = console_surface(viewer.con);

	refreshed = false;
	changed_rects = 0;
	memset(&changed, 0, sizeof(changed));
	console_pull(&viewer);
	for (unsigned i = 0; i < 1000 && !refreshed; i++)
		loop_run_once(k->loop, 0);
	assert_true(refreshed);
	if (!width)
		return;
	assert_int_equal(s->width, width);
	assert_int_equal(s->height, height);
}

uint32_t pixel(unsigned x, unsigned y)
{
	const struct surface *s = console_surface(viewer.con);

	assert_true(x < s->width && y < s->height);
	return s->pixels[y * s->stride + x] & 0xffffff;
}
