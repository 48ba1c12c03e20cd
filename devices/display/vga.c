/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA registers.
 *
 * IBM VGA XGA Technical Reference (May 1992), "VGA Function"; the register tables of "OpenVGA" (FreeVGA
 * project) for what clones agree on.
 *
 *	port	name				access	section
 *	3C0	attribute index and data	RW	"Attribute Controller Registers"
 *	3C1	attribute data			R	the same
 *	3C2	input status 0			R	"General Registers": sense bit only
 *	3C2	miscellaneous output		W	the same
 *	3C4,5	sequencer index, data		RW	"Sequencer Registers"
 *	3C6	PEL mask			RW	"Video Digital-to-Analog Converter"
 *	3C7	DAC state; read address		R; W	the same
 *	3C8	write address			RW	the same
 *	3C9	PEL data			RW	the same
 *	3CA	feature control			R	"General Registers"
 *	3CC	miscellaneous output		R	the same
 *	3CE,F	graphics index, data		RW	"Graphics Controller Registers"
 *	3x4,5	CRTC index, data		RW	"CRT Controller Registers"; x is B or D
 *	3xA	input status 1; feature control	R; W	"General Registers"
 *
 * Not modelled: the vertical retrace's interrupt; light pen; the odd/even page bit; skews, overscan,
 * sync polarities and clock selection: they change no pixel; halved vertical counters; interlace.
 * Deviates because: input status 1 follows guest time by 31.5 kHz lines, whatever the clocks are set
 * to: guests wait for its bits and count none.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include "devices/display/vga.h"

#define PORT_ATTR      0x00 /* from 3C0h */
#define PORT_ATTR_READ 0x01
#define PORT_MISC      0x02
#define PORT_SEQ       0x04
#define PORT_SEQ_DATA  0x05
#define PORT_DAC_MASK  0x06
#define PORT_DAC_STATE 0x07
#define PORT_DAC_WRITE 0x08
#define PORT_DAC_DATA  0x09
#define PORT_FEATURE   0x0a
#define PORT_MISC_READ 0x0c
#define PORT_GFX       0x0e
#define PORT_GFX_DATA  0x0f
#define PORT_CRTC      0x14
#define PORT_CRTC_DATA 0x15
#define PORT_STATUS    0x1a

#define VGA_PORTS     0x3c0
#define VGA_VBE_PORTS 0x1ce
#define MONO_TO_COLOR 0x20 /* from 3Bxh to 3Dxh */

#define STATUS0_SENSE	    0x10
#define STATUS1_NOT_DISPLAY 0x01
#define STATUS1_RETRACE	    0x08
#define DAC_STATE_READ	    0x03
#define OVERFLOW_COMPARE    0x10 /* stays writable under protection */

#define LINE_NS		31778
#define LINE_DISPLAY_NS (LINE_NS * 4 / 5)

#define UNCLAIMED  0xff
#define VGAMEM_MAX 256

/* Bits that there are. */
static const uint8_t seq_wmask[VGA_SEQ_REGISTERS] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e};
static const uint8_t gfx_wmask[VGA_GFX_REGISTERS] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03,
						     0x7b, 0x0f, 0x0f, 0xff};
static const uint8_t attr_wmask[VGA_ATTR_REGISTERS] = {
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

/* ---- timing ---- */

unsigned vga_lines(const struct vga *v)
{
	const uint8_t *cr = v->crtc;
	uint8_t over = cr[CRTC_OVERFLOW];

	return (cr[CRTC_VERTICAL_END] | (over & 0x02) << 7 | (over & 0x40) << 3) + 1;
}

static uint8_t status1_read(const struct vga *v)
{
	const uint8_t *cr = v->crtc;
	uint8_t over = cr[CRTC_OVERFLOW], status = 0;
	unsigned total = (cr[CRTC_VERTICAL_TOTAL] | (over & 0x01) << 8 | (over & 0x20) << 4) + 2;
	unsigned start = cr[CRTC_RETRACE_START] | (over & 0x04) << 6 | (over & 0x80) << 2;
	unsigned length = (cr[CRTC_RETRACE_END] - start) & 0xf;
	uint64_t now = clock_now_ns(v->dev->machine->clock);
	unsigned line = now / LINE_NS % total;

	/* A retrace that never comes would be waited for for ever. */
	start = MIN(start, total - 1);
	if (line >= start && line - start < MAX(length, 1u))
		status |= STATUS1_RETRACE;
	if (line >= vga_lines(v) || now % LINE_NS > LINE_DISPLAY_NS)
		status |= STATUS1_NOT_DISPLAY;
	return status;
}

/* ---- attribute controller ---- */

static uint8_t attr_read(const struct vga *v)
{
	unsigned index = v->attr_index & 0x1f;

	return index < VGA_ATTR_REGISTERS ? v->attr[index] : 0;
}

static void attr_write(struct vga *v, uint8_t value)
{
	unsigned index = v->attr_index & 0x1f;

	if (!v->attr_data)
		v->attr_index = value & 0x3f;
	else if (index < ATTR_MODE && (v->attr_index & ATTR_SOURCE))
		; /* the palette is the display's meanwhile */
	else if (index < VGA_ATTR_REGISTERS)
		v->attr[index] = value & attr_wmask[index];
	v->attr_data = !v->attr_data;
}

/* ---- DAC ---- */

static uint8_t dac_read(struct vga *v)
{
	uint8_t value = v->dac[v->dac_read * 3 + v->dac_part];

	if (++v->dac_part == 3) {
		v->dac_part = 0;
		v->dac_read++;
	}
	return value;
}

/* A colour changes with its third part. */
static void dac_write(struct vga *v, uint8_t value)
{
	v->dac_new[v->dac_part] = value;
	if (++v->dac_part == 3) {
		v->dac_part = 0;
		memcpy(&v->dac[v->dac_write * 3], v->dac_new, 3);
		v->dac_write++;
	}
}

/* ---- CRT controller ---- */

static void crtc_write(struct vga *v, uint8_t value)
{
	unsigned index = v->crtc_index;

	if (index >= VGA_CRTC_REGISTERS)
		return;
	if (index <= CRTC_OVERFLOW && (v->crtc[CRTC_RETRACE_END] & CRTC_PROTECT)) {
		if (index == CRTC_OVERFLOW)
			v->crtc[index] = (v->crtc[index] & (uint8_t)~OVERFLOW_COMPARE) |
					 (value & OVERFLOW_COMPARE);
		return;
	}
	v->crtc[index] = value;
}

/* ---- reads ---- */

uint8_t vga_port_read(struct vga *v, unsigned offset)
{
	switch (offset) {
	case PORT_ATTR:
		return v->attr_index;
	case PORT_ATTR_READ:
		return attr_read(v);
	case PORT_MISC:
		return STATUS0_SENSE;
	case PORT_SEQ:
		return v->seq_index;
	case PORT_SEQ_DATA:
		return v->seq_index < VGA_SEQ_REGISTERS ? v->seq[v->seq_index] : 0;
	case PORT_DAC_MASK:
		return v->dac_mask;
	case PORT_DAC_STATE:
		return v->dac_reading ? DAC_STATE_READ : 0;
	case PORT_DAC_WRITE:
		return v->dac_write;
	case PORT_DAC_DATA:
		return dac_read(v);
	case PORT_FEATURE:
		return v->feature;
	case PORT_MISC_READ:
		return v->misc;
	case PORT_GFX:
		return v->gfx_index;
	case PORT_GFX_DATA:
		return v->gfx_index < VGA_GFX_REGISTERS ? v->gfx[v->gfx_index] : 0;
	case PORT_CRTC:
		return v->crtc_index;
	case PORT_CRTC_DATA:
		return v->crtc_index < VGA_CRTC_REGISTERS ? v->crtc[v->crtc_index] : 0;
	case PORT_STATUS:
		v->attr_data = false;
		return status1_read(v);
	default:
		return UNCLAIMED;
	}
}

/* ---- writes ---- */

void vga_port_write(struct vga *v, unsigned offset, uint8_t value)
{
	switch (offset) {
	case PORT_ATTR:
		attr_write(v, value);
		break;
	case PORT_MISC:
		v->misc = value & 0xef;
		vga_mem_update(v);
		break;
	case PORT_SEQ:
		v->seq_index = value & 7;
		break;
	case PORT_SEQ_DATA:
		if (v->seq_index < VGA_SEQ_REGISTERS)
			v->seq[v->seq_index] = value & seq_wmask[v->seq_index];
		vga_mem_update(v);
		break;
	case PORT_DAC_MASK:
		v->dac_mask = value;
		break;
	case PORT_DAC_STATE:
		v->dac_read = value;
		v->dac_part = 0;
		v->dac_reading = true;
		break;
	case PORT_DAC_WRITE:
		v->dac_write = value;
		v->dac_part = 0;
		v->dac_reading = false;
		break;
	case PORT_DAC_DATA:
		dac_write(v, value);
		break;
	case PORT_GFX:
		v->gfx_index = value & 0xf;
		break;
	case PORT_GFX_DATA:
		if (v->gfx_index < VGA_GFX_REGISTERS)
			v->gfx[v->gfx_index] = value & gfx_wmask[v->gfx_index];
		vga_mem_update(v);
		break;
	case PORT_CRTC:
		v->crtc_index = value & 0x3f;
		break;
	case PORT_CRTC_DATA:
		crtc_write(v, value);
		break;
	case PORT_STATUS:
		v->feature = value & 0x08;
		break;
	default:
		break;
	}
}

/* ---- ports: each group begins at its own offset from 3C0h ---- */

#define PORT_GROUP(name, first)                                                         \
	static uint64_t name##_group_read(void *opaque, uint64_t offset, unsigned size) \
	{                                                                               \
		return vga_port_read(opaque, (first) + offset);                         \
	}                                                                               \
	static void name##_group_write(void *opaque, uint64_t offset, uint64_t value,   \
				       unsigned size)                                   \
	{                                                                               \
		vga_port_write(opaque, (first) + offset, value);                        \
	}                                                                               \
	static const struct region_ops name##_group_ops = {.read = name##_group_read,   \
							   .write = name##_group_write, \
							   .min_size = 1,               \
							   .max_size = 1}

PORT_GROUP(attr, PORT_ATTR);
PORT_GROUP(seq, PORT_MISC);
PORT_GROUP(dac, PORT_DAC_MASK);
PORT_GROUP(misc, PORT_FEATURE);
PORT_GROUP(gfx, PORT_GFX);

/* The CRTC and input status 1 are at 3Bxh or 3Dxh, as the miscellaneous output says. */
static bool is_color(const struct vga *v)
{
	return v->misc & MISC_COLOR;
}

static uint64_t color_read(void *opaque, uint64_t offset, unsigned size)
{
	return is_color(opaque) ? vga_port_read(opaque, PORT_CRTC + offset) : UNCLAIMED;
}

static void color_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	if (is_color(opaque))
		vga_port_write(opaque, PORT_CRTC + offset, value);
}

static uint64_t mono_read(void *opaque, uint64_t offset, unsigned size)
{
	return is_color(opaque) ? UNCLAIMED : vga_port_read(opaque, PORT_CRTC + offset);
}

static void mono_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	if (!is_color(opaque))
		vga_port_write(opaque, PORT_CRTC + offset, value);
}

static const struct region_ops color_ops = {
	.read = color_read, .write = color_write, .min_size = 1, .max_size = 1};
static const struct region_ops mono_ops = {
	.read = mono_read, .write = mono_write, .min_size = 1, .max_size = 1};

static uint64_t status_group_read(void *opaque, uint64_t offset, unsigned size)
{
	return vga_port_read(opaque, PORT_STATUS);
}

static void status_group_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	vga_port_write(opaque, PORT_STATUS, value);
}

static const struct region_ops status_ops = {
	.read = status_group_read, .write = status_group_write, .min_size = 1, .max_size = 1};

static void add_ports(struct vga *v, struct region *io, struct region *r,
		      const struct region_ops *ops, unsigned port, unsigned n, bool posted)
{
	region_init_io(r, "vga", ops, v, n);
	/*
	 * Not those that say how the window shows memory: the guest's next access must not meet
	 * the window as it was.
	 */
	r->posted = posted;
	region_add(io, port, r, 0);
}

static void vga_add_ports(struct vga *v, struct region *io)
{
	as_begin(&v->dev->machine->io);
	add_ports(v, io, &v->attr_ports, &attr_group_ops, VGA_PORTS + PORT_ATTR, 2, true);
	add_ports(v, io, &v->seq_ports, &seq_group_ops, VGA_PORTS + PORT_MISC, 4, false);
	add_ports(v, io, &v->dac_ports, &dac_group_ops, VGA_PORTS + PORT_DAC_MASK, 4, true);
	add_ports(v, io, &v->misc_ports, &misc_group_ops, VGA_PORTS + PORT_FEATURE, 3, true);
	add_ports(v, io, &v->gfx_ports, &gfx_group_ops, VGA_PORTS + PORT_GFX, 2, false);
	add_ports(v, io, &v->crtc_ports[0], &mono_ops, VGA_PORTS + PORT_CRTC - MONO_TO_COLOR, 2,
		  true);
	add_ports(v, io, &v->crtc_ports[1], &color_ops, VGA_PORTS + PORT_CRTC, 2, true);
	add_ports(v, io, &v->status_ports[0], &status_ops, VGA_PORTS + PORT_STATUS - MONO_TO_COLOR,
		  1, true);
	add_ports(v, io, &v->status_ports[1], &status_ops, VGA_PORTS + PORT_STATUS, 1, true);
	add_ports(v, io, &v->vbe_ports, &vga_vbe_port_ops, VGA_VBE_PORTS, 4, false);
	as_commit(&v->dev->machine->io);
}

static void vga_remove_ports(struct vga *v)
{
	struct region *const all[] = {&v->attr_ports,	 &v->seq_ports,	      &v->dac_ports,
				      &v->misc_ports,	 &v->gfx_ports,	      &v->crtc_ports[0],
				      &v->crtc_ports[1], &v->status_ports[0], &v->status_ports[1],
				      &v->vbe_ports};

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		region_remove(all[i]);
}

/* ---- life ---- */

void vga_reset(struct vga *v)
{
	v->latch = 0;
	memset(v->seq, 0, sizeof(v->seq));
	memset(v->crtc, 0, sizeof(v->crtc));
	memset(v->gfx, 0, sizeof(v->gfx));
	memset(v->attr, 0, sizeof(v->attr));
	memset(v->dac, 0, sizeof(v->dac));
	memset(v->dac_new, 0, sizeof(v->dac_new));
	v->seq_index = v->crtc_index = v->gfx_index = v->attr_index = 0;
	v->misc = v->feature = 0;
	v->dac_mask = 0xff;
	v->dac_read = v->dac_write = v->dac_part = 0;
	v->attr_data = v->dac_reading = false;
	vga_vbe_reset(v);
	vga_mem_update(v);
}

bool vga_init(struct vga *v, struct device *dev, struct region *mem, struct region *io,
	      struct error *err)
{
	if (!v->vgamem_mb || v->vgamem_mb > VGAMEM_MAX || (v->vgamem_mb & (v->vgamem_mb - 1)))
		return error_set(err, "%s: vgamem_mb is a power of 2, 1 to %u, not %u",
				 dev->type->name, VGAMEM_MAX, v->vgamem_mb);
	v->dev = dev;
	v->vram_bytes = v->vgamem_mb * MiB;
	v->vram = mmap(NULL, v->vram_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	if (v->vram == MAP_FAILED)
		return error_set(err, "%s: no memory for vgamem_mb=%u", dev->type->name,
				 v->vgamem_mb);
	v->text = xaligned_zalloc(4096, VGA_TEXT_BYTES);
	region_init_ram(&v->vram_region, "vga.vram", v->vram, v->vram_bytes);
	v->log = dirty_log_new(dev->machine, &v->vram_region);
	vga_mem_init(v, mem);
	if (!v->secondary)
		vga_add_ports(v, io);
	v->scan = vga_scan_new(v);
	v->con = console_new(dev->machine->display, dev->id ? dev->id : dev->type->name,
			     &vga_console_ops, v);
	return true;
}

void vga_fini(struct vga *v)
{
	console_free(v->con);
	vga_scan_free(v->scan);
	if (!v->secondary)
		vga_remove_ports(v);
	vga_mem_fini(v);
	region_remove(&v->vram_region);
	munmap(v->vram, v->vram_bytes);
	free(v->text);
}

static bool vga_post_load(void *opaque, struct error *err)
{
	struct vga *v = opaque;

	if (v->dac_part > 2)
		return error_set(err, "vga: saved state is not possible");
	for (unsigned i = 0; i < VGA_SEQ_REGISTERS; i++)
		v->seq[i] &= seq_wmask[i];
	for (unsigned i = 0; i < VGA_GFX_REGISTERS; i++)
		v->gfx[i] &= gfx_wmask[i];
	for (unsigned i = 0; i < VGA_ATTR_REGISTERS; i++)
		v->attr[i] &= attr_wmask[i];
	v->seq_index &= 7;
	v->gfx_index &= 0xf;
	v->crtc_index &= 0x3f;
	v->attr_index &= 0x3f;
	vga_vbe_post_load(v);
	vga_mem_update(v);
	vga_vram_written(v, 0, v->vram_bytes);
	return true;
}

const struct state_desc vga_state = {
	.name = "vga",
	.version = 1,
	STATE_SPAN(vga),
	.post_load = vga_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(vga, latch),       STATE_FIELD(vga, vbe_index),
			STATE_ARRAY(vga, vbe),	       STATE_ARRAY(vga, seq),
			STATE_ARRAY(vga, crtc),	       STATE_ARRAY(vga, gfx),
			STATE_ARRAY(vga, attr),	       STATE_ARRAY(vga, dac),
			STATE_FIELD(vga, seq_index),   STATE_FIELD(vga, crtc_index),
			STATE_FIELD(vga, gfx_index),   STATE_FIELD(vga, attr_index),
			STATE_FIELD(vga, misc),	       STATE_FIELD(vga, feature),
			STATE_FIELD(vga, dac_mask),    STATE_FIELD(vga, dac_read),
			STATE_FIELD(vga, dac_write),   STATE_FIELD(vga, dac_part),
			STATE_ARRAY(vga, dac_new),     STATE_FIELD(vga, attr_data),
			STATE_FIELD(vga, dac_reading), STATE_END,
		},
};
