/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VBE display interface: the extensions that Bochs' VGA brought, by which its BIOS and drivers set modes of more colours
 * and pixels.
 *
 * "VBE DISPI" (Bochs, bochs/iodev/display/vga.h and the VGABIOS's vbe_display_api.txt).
 *
 *	index	name		width	access	reset
 *	0	ID		16	RW	B0C5; B0C0 to B0C5 can be written
 *	1	XRES		16	RW	0; multiples of 8
 *	2	YRES		16	RW	0
 *	3	BPP		16	RW	0; 4, 8, 15, 16, 24, 32
 *	4	ENABLE		16	RW	0: enabled, getcaps, 8-bit DAC, LFB, no clear
 *	5	BANK		16	RW	0: 64 KiB of memory at A0000h
 *	6	VIRT_WIDTH	16	RW	0
 *	7	VIRT_HEIGHT	16	R	0: what memory allows
 *	8	X_OFFSET	16	RW	0
 *	9	Y_OFFSET	16	RW	0
 *	A	VIDEO_MEMORY	16	R	in units of 64 KiB
 *
 * Ports: 1CEh index, 1CFh (and 1D0h) data, words.
 *
 * Not modelled: byte accesses to the data port; LFB address changes.
 * Deviates because: what does not fit is made to fit, as QEMU does it, rather than refused: drivers read back.
 */
#include "devices/display/vga.h"

#define VBE_ID0	     0xb0c0
#define VBE_ID5	     0xb0c5
#define VBE_MAX_XRES 2560
#define VBE_MAX_YRES 1600
#define VBE_MAX_BPP  32
#define MAP_A0_BITS  0x04   /* Memory Map: 64 KiB at A0000h */
#define VBE_MAX_VIRT 0x7ff8 /* pixels: a line's bytes stay in range at any depth */

static unsigned bits_of(unsigned bpp)
{
	return bpp == 15 ? 16 : bpp;
}

uint32_t vga_vbe_pitch(const struct vga *v)
{
	return v->vbe[VBE_VIRT_WIDTH] * bits_of(v->vbe[VBE_BPP]) / 8;
}

/* Whatever was written becomes a mode that memory holds. */
static void vbe_fit(struct vga *v)
{
	uint16_t *r = v->vbe;
	unsigned bits, fit_width, fit_height;

	if (!r[VBE_BPP])
		r[VBE_BPP] = 8;
	bits = bits_of(r[VBE_BPP]);
	r[VBE_XRES] = MIN(MAX(r[VBE_XRES] & ~7u, 8u), VBE_MAX_XRES);
	r[VBE_YRES] = MIN(MAX(r[VBE_YRES], 1u), VBE_MAX_YRES);
	/* A megabyte holds one line of the longest. */
	fit_width = MIN((uint64_t)v->vram_bytes * 8 / bits, VBE_MAX_VIRT);
	r[VBE_VIRT_WIDTH] = MIN(MAX(r[VBE_VIRT_WIDTH] & ~7u, r[VBE_XRES]), fit_width);
	fit_height = v->vram_bytes / vga_vbe_pitch(v);
	r[VBE_VIRT_HEIGHT] = MIN(fit_height, UINT16_MAX);
	r[VBE_YRES] = MIN(r[VBE_YRES], r[VBE_VIRT_HEIGHT]);
	r[VBE_X_OFFSET] = MIN(r[VBE_X_OFFSET], r[VBE_VIRT_WIDTH] - r[VBE_XRES]);
	r[VBE_Y_OFFSET] = MIN(r[VBE_Y_OFFSET], r[VBE_VIRT_HEIGHT] - r[VBE_YRES]);
}

/*
 * The registers of the VGA as the mode has them, so that the window is right, and who looks at them
 * finds the size. Drivers of the extensions set none of them.
 */
static void vbe_set_vga(struct vga *v)
{
	uint8_t *cr = v->crtc;
	unsigned lines = v->vbe[VBE_YRES] - 1;

	v->gfx[GFX_MISC] = (v->gfx[GFX_MISC] & ~0xcu) | MAP_A0_BITS | GFX_MISC_GRAPHICS;
	v->gfx[GFX_MODE] &= ~(GFX_MODE_256 | GFX_MODE_INTERLEAVE);
	v->seq[SEQ_CLOCKING] &= ~SEQ_CLOCKING_HALF;
	v->seq[SEQ_MAP_MASK] = 0xf;
	if (v->vbe[VBE_BPP] == 4) {
		v->seq[SEQ_MEMORY_MODE] =
			(v->seq[SEQ_MEMORY_MODE] & ~SEQ_MEMORY_CHAIN4) | SEQ_MEMORY_NO_ODD_EVEN;
		v->gfx[GFX_MODE] &= ~GFX_MODE_ODD_EVEN;
	} else {
		v->seq[SEQ_MEMORY_MODE] |= SEQ_MEMORY_CHAIN4;
		v->gfx[GFX_MODE] |= GFX_MODE_256;
	}
	cr[CRTC_MODE] |= CRTC_MODE_NO_ROW0 | CRTC_MODE_NO_ROW1;
	cr[CRTC_OFFSET] = vga_vbe_pitch(v) >> 3;
	cr[CRTC_HORIZONTAL_END] = v->vbe[VBE_XRES] / 8 - 1;
	cr[CRTC_VERTICAL_END] = lines;
	cr[CRTC_OVERFLOW] =
		(cr[CRTC_OVERFLOW] & ~0x42u) | (lines & 0x100) >> 7 | (lines & 0x200) >> 3 | 0x10;
	cr[CRTC_LINE_COMPARE] = 0xff;
	cr[CRTC_MAX_SCAN] = (cr[CRTC_MAX_SCAN] & ~0x9fu) | 0x40;
}

static void vbe_clear(struct vga *v)
{
	size_t bytes = (size_t)v->vbe[VBE_YRES] * vga_vbe_pitch(v);

	memset(v->vram, 0, bytes);
	vga_vram_written(v, 0, bytes);
}

static void vbe_write_enable(struct vga *v, uint16_t value)
{
	bool was_on = vga_vbe_on(v);

	v->vbe[VBE_ENABLE] = value;
	if (!(value & VBE_ENABLED)) {
		v->vbe[VBE_BANK] = 0;
	} else if (!was_on) {
		v->vbe[VBE_VIRT_WIDTH] = v->vbe[VBE_X_OFFSET] = v->vbe[VBE_Y_OFFSET] = 0;
		vbe_fit(v);
		vbe_set_vga(v);
		/* Text comes back into memory now, not when that has been cleared. */
		vga_mem_update(v);
		if (!(value & VBE_NOCLEARMEM))
			vbe_clear(v);
	}
	vga_mem_update(v);
}

static bool is_depth(uint16_t bpp)
{
	return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

void vga_vbe_write(struct vga *v, unsigned index, uint16_t value)
{
	switch (index) {
	case VBE_ID:
		if (value >= VBE_ID0 && value <= VBE_ID5)
			v->vbe[VBE_ID] = value;
		break;
	case VBE_BPP:
		if (!is_depth(value))
			break;
		/* fall through */
	case VBE_XRES:
	case VBE_YRES:
	case VBE_VIRT_WIDTH:
	case VBE_X_OFFSET:
	case VBE_Y_OFFSET:
		v->vbe[index] = value;
		if (vga_vbe_on(v)) {
			vbe_fit(v);
			vbe_set_vga(v);
			vga_mem_update(v);
		}
		break;
	case VBE_BANK:
		v->vbe[VBE_BANK] = value & (v->vram_bytes / (64 * KiB) - 1);
		vga_mem_update(v);
		break;
	case VBE_ENABLE:
		vbe_write_enable(v, value);
		break;
	default:
		break;
	}
}

uint16_t vga_vbe_read(struct vga *v, unsigned index)
{
	if (index == VBE_VIDEO_MEMORY_64K)
		return v->vram_bytes / (64 * KiB);
	if (index >= VBE_REGISTERS)
		return 0;
	if (v->vbe[VBE_ENABLE] & VBE_GETCAPS) {
		switch (index) {
		case VBE_XRES:
			return VBE_MAX_XRES;
		case VBE_YRES:
			return VBE_MAX_YRES;
		case VBE_BPP:
			return VBE_MAX_BPP;
		default:
			break;
		}
	}
	return v->vbe[index];
}

/* Offset 0 is the index, 1 and 2 are data. */
static uint64_t vbe_port_read(void *opaque, uint64_t offset, unsigned size)
{
	struct vga *v = opaque;

	if (offset == 0)
		return v->vbe_index;
	return offset <= 2 ? vga_vbe_read(v, v->vbe_index) : UINT16_MAX;
}

static void vbe_port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct vga *v = opaque;

	if (size != 2)
		return;
	if (offset == 0)
		v->vbe_index = value;
	else if (offset <= 2)
		vga_vbe_write(v, v->vbe_index, value);
}

const struct region_ops vga_vbe_port_ops = {.read = vbe_port_read,
					    .write = vbe_port_write,
					    .min_size = 1,
					    .max_size = 2,
					    .unaligned = true};

void vga_vbe_reset(struct vga *v)
{
	memset(v->vbe, 0, sizeof(v->vbe));
	v->vbe_index = 0;
	v->vbe[VBE_ID] = VBE_ID5;
}

void vga_vbe_post_load(struct vga *v)
{
	if (!is_depth(v->vbe[VBE_BPP]))
		v->vbe[VBE_BPP] = 0;
	v->vbe[VBE_BANK] &= v->vram_bytes / (64 * KiB) - 1;
	if (vga_vbe_on(v))
		vbe_fit(v);
}
