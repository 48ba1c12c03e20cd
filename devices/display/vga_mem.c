/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA memory: the window from A0000h to BFFFFh, latches, write and read modes.
 *
 * IBM VGA XGA Technical Reference, "Graphics Controller Registers", "Sequencer Registers" (Map Mask, Memory Mode).
 *
 * A doubleword of video memory holds the bytes of planes 0 to 3 at one address. With the planes chained (Chain 4), the
 * byte at address A is byte A of video memory, as Bochs' extensions and the linear frame buffer have it. (On IBM's
 * board there are gaps between the doublewords; who looks must set a mode with the planes chained and show it otherwise.)
 *
 * The window is the guest's to read and write as RAM while what it does there needs no register: chained planes, or
 * text. Text is kept by the CPU's addresses in a memory of its own then, for in the planes it is not in a row. Else
 * each access comes here.
 *
 * Deviates because: the latches are not loaded by reads that go by as RAM: who uses them has set a mode that isn't.
 * Memory through the linear frame buffer shows no text while that is in its own memory.
 */
#include "devices/display/vga.h"

#define BANK_BYTES  0x10000
#define MAP_A0_128K 0
#define MAP_A0_64K  1
#define MAP_B0_32K  2
#define MAP_B8_32K  3
#define B0_OFFSET   0x10000 /* in the window */
#define B8_OFFSET   0x18000
#define TEXT_CELLS  (VGA_TEXT_BYTES / 2)
#define WHOLE_BYTE  0xff
#define FOUR_PLANES 0xf
#define TEXT_PLANES 0x3

static uint64_t vga_bank(const struct vga *v)
{
	return vga_vbe_on(v) ? (uint64_t)v->vbe[VBE_BANK] * BANK_BYTES : 0;
}

/* Where in the window memory is, how much, and what address its first byte has. False: nowhere. */
static bool vga_map(const struct vga *v, uint64_t *at, uint64_t *bytes, uint64_t *first)
{
	if (!(v->misc & MISC_RAM) && !vga_vbe_on(v))
		return false;
	*at = 0;
	*first = vga_bank(v);
	switch (GFX_MISC_MAP(v->gfx[GFX_MISC])) {
	case MAP_A0_128K:
		*bytes = VGA_WINDOW_SIZE;
		break;
	case MAP_A0_64K:
		*bytes = BANK_BYTES;
		break;
	case MAP_B0_32K:
		*at = B0_OFFSET;
		*bytes = VGA_TEXT_BYTES;
		*first = 0;
		break;
	default:
		*at = B8_OFFSET;
		*bytes = VGA_TEXT_BYTES;
		*first = 0;
		break;
	}
	return true;
}

/* ---- the long way ---- */

/* Bit n of the low four becomes byte n. */
static uint32_t spread(unsigned bits)
{
	return (bits & 1 ? 0x000000ff : 0) | (bits & 2 ? 0x0000ff00 : 0) |
	       (bits & 4 ? 0x00ff0000 : 0) | (bits & 8 ? 0xff000000 : 0);
}

static uint32_t replicate(uint8_t byte)
{
	return byte * 0x01010101u;
}

static uint8_t rotate(const struct vga *v, uint8_t byte)
{
	unsigned by = v->gfx[GFX_ROTATE] & 7;

	return byte >> by | byte << (8 - by);
}

static bool is_chained(const struct vga *v)
{
	return v->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_CHAIN4;
}

/* What the write mode makes of BYTE for the planes, and the bits of it that count. */
static uint32_t write_value(const struct vga *v, uint8_t byte, uint32_t *bits)
{
	const uint8_t *gfx = v->gfx;
	uint32_t set = spread(gfx[GFX_SET_RESET]), value;
	uint8_t mask = gfx[GFX_BIT_MASK];

	switch (gfx[GFX_MODE] & GFX_MODE_WRITE) {
	case 0: {
		uint32_t enabled = spread(gfx[GFX_ENABLE_SET_RESET]);

		value = (replicate(rotate(v, byte)) & ~enabled) | (set & enabled);
		break;
	}
	case 1:
		*bits = UINT32_MAX;
		return v->latch;
	case 2:
		value = spread(byte);
		break;
	default:
		mask &= rotate(v, byte);
		value = set;
		break;
	}
	switch (gfx[GFX_ROTATE] >> 3) {
	case 1:
		value &= v->latch;
		break;
	case 2:
		value |= v->latch;
		break;
	case 3:
		value ^= v->latch;
		break;
	default:
		break;
	}
	*bits = replicate(mask);
	return (value & *bits) | (v->latch & ~*bits);
}

static void write_byte(struct vga *v, uint64_t addr, uint8_t byte)
{
	unsigned planes = v->seq[SEQ_MAP_MASK];
	uint64_t index = addr;
	uint32_t bits, value, old, mask;

	if (is_chained(v)) {
		planes &= BIT(addr & 3);
		index = addr >> 2;
	} else if (!(v->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_NO_ODD_EVEN)) {
		planes &= addr & 1 ? 0xa : 0x5;
		index = addr & ~1ull;
	}
	if (index >= v->vram_bytes / 4 || !planes)
		return;
	value = write_value(v, byte, &bits);
	mask = spread(planes);
	memcpy(&old, v->vram + index * 4, 4);
	value = (old & ~mask) | (value & mask);
	memcpy(v->vram + index * 4, &value, 4);
	vga_vram_written(v, index * 4, 4);
}

static uint8_t read_byte(struct vga *v, uint64_t addr)
{
	const uint8_t *gfx = v->gfx;
	unsigned plane = gfx[GFX_READ_MAP];
	uint64_t index = addr;
	uint32_t differ;

	if (is_chained(v)) {
		plane = addr & 3;
		index = addr >> 2;
	} else if (gfx[GFX_MODE] & GFX_MODE_ODD_EVEN) {
		plane = (plane & 2) | (addr & 1);
		index = addr & ~1ull;
	}
	if (index >= v->vram_bytes / 4)
		return 0xff;
	memcpy(&v->latch, v->vram + index * 4, 4);
	if (!(gfx[GFX_MODE] & GFX_MODE_READ))
		return v->latch >> 8 * plane;
	differ = (v->latch ^ spread(gfx[GFX_COLOR_COMPARE])) & spread(gfx[GFX_COLOR_CARE]);
	differ |= differ >> 16;
	return ~(differ | differ >> 8);
}

static uint64_t window_read(void *opaque, uint64_t offset, unsigned size)
{
	struct vga *v = opaque;
	uint64_t at, bytes, first, value = 0;
	bool mapped = vga_map(v, &at, &bytes, &first);

	for (unsigned i = 0; i < size; i++) {
		uint64_t into = offset + i - at;
		uint64_t byte = mapped && into < bytes ? read_byte(v, first + into) : 0xff;

		value |= byte << 8 * i;
	}
	return value;
}

static void window_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct vga *v = opaque;
	uint64_t at, bytes, first;

	if (!vga_map(v, &at, &bytes, &first))
		return;
	for (unsigned i = 0; i < size; i++) {
		uint64_t into = offset + i - at;

		if (into < bytes)
			write_byte(v, first + into, value >> 8 * i);
	}
}

static const struct region_ops window_ops = {
	.read = window_read, .write = window_write, .min_size = 1, .max_size = 8};

/* ---- the short way ---- */

/* A byte is written as it is, and read back from where it went. */
static bool is_plain(const struct vga *v)
{
	const uint8_t *gfx = v->gfx;

	return !(gfx[GFX_MODE] & (GFX_MODE_WRITE | GFX_MODE_READ)) && !gfx[GFX_ROTATE] &&
	       !gfx[GFX_ENABLE_SET_RESET] && gfx[GFX_BIT_MASK] == WHOLE_BYTE;
}

static bool wants_ram(const struct vga *v)
{
	return is_chained(v) && v->seq[SEQ_MAP_MASK] == FOUR_PLANES && is_plain(v);
}

static bool wants_text(const struct vga *v, uint64_t at)
{
	return at >= B0_OFFSET && !is_chained(v) &&
	       !(v->seq[SEQ_MEMORY_MODE] & SEQ_MEMORY_NO_ODD_EVEN) &&
	       v->seq[SEQ_MAP_MASK] == TEXT_PLANES && (v->gfx[GFX_MODE] & GFX_MODE_ODD_EVEN) &&
	       !(v->gfx[GFX_READ_MAP] & 2) && is_plain(v);
}

static void text_from_vram(struct vga *v)
{
	for (unsigned i = 0; i < TEXT_CELLS; i++)
		memcpy(v->text + 2 * i, v->vram + 8 * i, 2);
}

void vga_mem_sync(struct vga *v)
{
	bool changed = false;

	if (!v->text_shown)
		return;
	for (unsigned i = 0; i < TEXT_CELLS; i++) {
		uint16_t cell, old;

		memcpy(&cell, v->text + 2 * i, 2);
		memcpy(&old, v->vram + 8 * i, 2);
		changed |= cell != old;
		memcpy(v->vram + 8 * i, &cell, 2);
	}
	if (changed)
		vga_vram_written(v, 0, 8 * TEXT_CELLS);
}

static void show_ram(struct vga *v, bool show, uint64_t at, uint64_t first, uint64_t bytes)
{
	if (first >= v->vram_bytes)
		show = false;
	bytes = show ? MIN(bytes, v->vram_bytes - first) : 0;
	if (show == v->ram_shown &&
	    (!show ||
	     (v->window_at == first && v->window_ram_bytes == bytes && v->window_ram.offset == at)))
		return;
	if (v->ram_shown)
		region_remove(&v->window_ram);
	v->ram_shown = show;
	if (!show)
		return;
	v->window_at = first;
	v->window_ram_bytes = bytes;
	region_init_alias(&v->window_ram, "vga.bank", &v->vram_region, first, bytes);
	region_add(&v->window, at, &v->window_ram, 1);
}

static void show_text(struct vga *v, bool show, uint64_t at)
{
	if (show == v->text_shown && (!show || v->window_text.offset == at))
		return;
	if (v->text_shown) {
		region_remove(&v->window_text);
		vga_mem_sync(v);
	}
	v->text_shown = show;
	if (!show)
		return;
	text_from_vram(v);
	region_add(&v->window, at, &v->window_text, 1);
}

void vga_mem_update(struct vga *v)
{
	uint64_t at = 0, bytes = 0, first = 0;
	bool mapped = vga_map(v, &at, &bytes, &first);

	as_begin(&v->dev->machine->mem);
	show_ram(v, mapped && wants_ram(v), at, first, bytes);
	show_text(v, mapped && wants_text(v, at), at);
	as_commit(&v->dev->machine->mem);
}

void vga_mem_init(struct vga *v, struct region *mem)
{
	region_init_container(&v->window, "vga.window", VGA_WINDOW_SIZE);
	region_init_io(&v->window_io, "vga.memory", &window_ops, v, VGA_WINDOW_SIZE);
	v->window_io.coalesced = true;
	region_init_ram(&v->window_text, "vga.text", v->text, VGA_TEXT_BYTES);
	v->text_log = dirty_log_new(v->dev->machine, &v->window_text);
	region_add(&v->window, 0, &v->window_io, 0);
	if (!v->secondary)
		region_add(mem, VGA_WINDOW, &v->window, 1);
}

void vga_mem_fini(struct vga *v)
{
	as_begin(&v->dev->machine->mem);
	show_ram(v, false, 0, 0, 0);
	show_text(v, false, 0);
	region_remove(&v->window_io);
	region_remove(&v->window);
	as_commit(&v->dev->machine->mem);
}
