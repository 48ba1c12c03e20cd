/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modes that VGA's BIOS leaves behind, for guests that are started without firmware (src/boot/screen.h): text of
 * 80x25 characters (mode 3, IBM VGA XGA Technical Reference, "Video Subsystem", "Modes of Operation"), and frame buffers.
 *
 * The font is the one in the adapter's option ROM. Where in there is nowhere said, but what some characters of
 * code page 437 look like is given: blocks, and halves of them.
 */
#include "devices/display/vga.h"

#define GLYPH_ROWS   16
#define FONT_BYTES   (256 * GLYPH_ROWS)
#define GLYPH_STRIDE 32 /* in plane 2 */
#define FONT_PLANE   2
#define EGA_COLORS   64
#define EGA_BRIGHT   0x15 /* of 63 */
#define EGA_NORMAL   0x2a
#define BLANK	     0x0720 /* a space, grey on black */
#define COLUMNS	     80
#define ROWS	     25
#define VBE_LFB	     0x40

static const struct {
	uint8_t misc, seq[VGA_SEQ_REGISTERS], crtc[VGA_CRTC_REGISTERS], gfx[VGA_GFX_REGISTERS],
		attr[VGA_ATTR_REGISTERS];
} mode_3 = {
	.misc = 0x67,
	.seq = {0x03, 0x00, 0x03, 0x00, 0x02},
	.crtc = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
		 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
	.gfx = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff},
	.attr = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
		 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00},
};

/* ---- font ---- */

static bool glyph_is(const uint8_t *font, unsigned c, uint8_t dots)
{
	for (unsigned row = 0; row < GLYPH_ROWS; row++)
		if (font[c * GLYPH_ROWS + row] != dots)
			return false;
	return true;
}

static const uint8_t *find_font(const uint8_t *rom, size_t bytes)
{
	for (size_t at = 0; at + FONT_BYTES <= bytes; at++)
		if (glyph_is(rom + at, 0xdb, 0xff) && glyph_is(rom + at, 0xdd, 0xf0) &&
		    glyph_is(rom + at, 0xde, 0x0f) && glyph_is(rom + at, ' ', 0) &&
		    glyph_is(rom + at, 0xff, 0))
			return rom + at;
	return NULL;
}

static void load_font(struct vga *v, const uint8_t *font)
{
	for (unsigned c = 0; c < 256; c++)
		for (unsigned row = 0; row < GLYPH_ROWS; row++)
			v->vram[(c * GLYPH_STRIDE + row) * 4 + FONT_PLANE] =
				font[c * GLYPH_ROWS + row];
}

/* ---- modes ---- */

/* EGA's colours: a bit each for red, green and blue, normal and bright. */
static void load_colors(struct vga *v)
{
	for (unsigned i = 0; i < EGA_COLORS; i++)
		for (unsigned part = 0; part < 3; part++)
			v->dac[3 * i + part] = (i >> (2 - part) & 1 ? EGA_NORMAL : 0) +
					       (i >> (5 - part) & 1 ? EGA_BRIGHT : 0);
}

void vga_bios_text(struct vga *v, const uint8_t *rom, size_t rom_bytes)
{
	const uint8_t *font = find_font(rom, rom_bytes);
	uint16_t blank = BLANK;

	vga_reset(v);
	v->misc = mode_3.misc;
	memcpy(v->seq, mode_3.seq, sizeof(v->seq));
	memcpy(v->crtc, mode_3.crtc, sizeof(v->crtc));
	memcpy(v->gfx, mode_3.gfx, sizeof(v->gfx));
	memcpy(v->attr, mode_3.attr, sizeof(v->attr));
	v->attr_index = ATTR_SOURCE;
	load_colors(v);
	memset(v->vram, 0, VGA_WINDOW_SIZE);
	if (font)
		load_font(v, font);
	for (unsigned i = 0; i < COLUMNS * ROWS; i++)
		memcpy(v->vram + 8 * i, &blank, 2);
	vga_vram_written(v, 0, VGA_WINDOW_SIZE);
	vga_mem_update(v);
}

bool vga_bios_framebuffer(struct vga *v, struct boot_framebuffer *fb)
{
	uint64_t bytes = (uint64_t)fb->width * ((fb->bpp + 7) / 8) * fb->height;

	if (bytes > v->vram_bytes)
		return false;
	vga_bios_text(v, NULL, 0);
	vga_vbe_write(v, VBE_XRES, fb->width);
	vga_vbe_write(v, VBE_YRES, fb->height);
	vga_vbe_write(v, VBE_BPP, fb->bpp);
	vga_vbe_write(v, VBE_ENABLE, VBE_ENABLED | VBE_LFB);
	fb->pitch = vga_vbe_pitch(v);
	fb->bytes = v->vram_bytes;
	return true;
}
