/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA: the core that the VGA devices of the PCI and the ISA bus share. A device's struct has a struct vga in it and
 * makes it with vga_init. The parts: vga.c registers, vga_mem.c the window at A0000h and its latches,
 * vga_vbe.c Bochs' extensions, vga_draw.c the picture, vga_bios.c the modes for guests without firmware. Loop thread.
 */
#ifndef EVMM_DEVICES_VGA_H
#define EVMM_DEVICES_VGA_H

#include "io/display/console.h"
#include "src/boot/screen.h"
#include "src/machine.h"

#define VGA_SEQ_REGISTERS  5
#define VGA_CRTC_REGISTERS 25
#define VGA_GFX_REGISTERS  9
#define VGA_ATTR_REGISTERS 21
#define VGA_DAC_BYTES	   768

/* Sequencer (IBM VGA XGA Technical Reference, "Sequencer Registers") */
#define SEQ_CLOCKING	       1
#define SEQ_CLOCKING_8DOT      0x01
#define SEQ_CLOCKING_HALF      0x08
#define SEQ_CLOCKING_OFF       0x20
#define SEQ_MAP_MASK	       2
#define SEQ_CHARACTER_MAP      3
#define SEQ_MEMORY_MODE	       4
#define SEQ_MEMORY_NO_ODD_EVEN 0x04
#define SEQ_MEMORY_CHAIN4      0x08

/* CRT controller */
#define CRTC_HORIZONTAL_END	   0x01
#define CRTC_VERTICAL_TOTAL	   0x06
#define CRTC_OVERFLOW		   0x07
#define CRTC_PRESET_ROW		   0x08
#define CRTC_MAX_SCAN		   0x09
#define CRTC_MAX_SCAN_DOUBLE	   0x80
#define CRTC_CURSOR_START	   0x0a
#define CRTC_CURSOR_OFF		   0x20
#define CRTC_CURSOR_END		   0x0b
#define CRTC_START_HIGH		   0x0c
#define CRTC_START_LOW		   0x0d
#define CRTC_CURSOR_HIGH	   0x0e
#define CRTC_CURSOR_LOW		   0x0f
#define CRTC_RETRACE_START	   0x10
#define CRTC_RETRACE_END	   0x11
#define CRTC_PROTECT		   0x80 /* registers 0 to 7 */
#define CRTC_VERTICAL_END	   0x12
#define CRTC_OFFSET		   0x13
#define CRTC_UNDERLINE		   0x14
#define CRTC_UNDERLINE_COUNT_BY_4  0x20
#define CRTC_UNDERLINE_DOUBLE_WORD 0x40
#define CRTC_MODE		   0x17
#define CRTC_MODE_NO_ROW0	   0x01 /* address bit 13 is not the row scan's bit 0 */
#define CRTC_MODE_NO_ROW1	   0x02 /* address bit 14 is not its bit 1 */
#define CRTC_MODE_COUNT_BY_2	   0x08
#define CRTC_MODE_WRAP_64K	   0x20
#define CRTC_MODE_BYTE		   0x40
#define CRTC_LINE_COMPARE	   0x18

/* Graphics controller */
#define GFX_SET_RESET	     0
#define GFX_ENABLE_SET_RESET 1
#define GFX_COLOR_COMPARE    2
#define GFX_ROTATE	     3
#define GFX_READ_MAP	     4
#define GFX_MODE	     5
#define GFX_MODE_WRITE	     0x03
#define GFX_MODE_READ	     0x08
#define GFX_MODE_ODD_EVEN    0x10
#define GFX_MODE_INTERLEAVE  0x20
#define GFX_MODE_256	     0x40
#define GFX_MISC	     6
#define GFX_MISC_GRAPHICS    0x01
#define GFX_MISC_MAP(v)	     ((v) >> 2 & 3)
#define GFX_COLOR_CARE	     7
#define GFX_BIT_MASK	     8

/* Attribute controller */
#define ATTR_SOURCE	    0x20 /* in the index: the palette is the display's */
#define ATTR_MODE	    0x10
#define ATTR_MODE_MONO	    0x02
#define ATTR_MODE_LINE	    0x04 /* the ninth dot of line graphics repeats the eighth */
#define ATTR_MODE_BLINK	    0x08
#define ATTR_MODE_PAN_SPLIT 0x20
#define ATTR_MODE_P5P4	    0x80
#define ATTR_PLANES	    0x12
#define ATTR_PAN	    0x13
#define ATTR_COLOR_SELECT   0x14

/* Miscellaneous output */
#define MISC_COLOR 0x01 /* the CRTC is at 3D4h, not 3B4h */
#define MISC_RAM   0x02

/* Bochs' extensions (vga_vbe.c) */
enum vbe_register {
	VBE_ID,
	VBE_XRES,
	VBE_YRES,
	VBE_BPP,
	VBE_ENABLE,
	VBE_BANK,
	VBE_VIRT_WIDTH,
	VBE_VIRT_HEIGHT,
	VBE_X_OFFSET,
	VBE_Y_OFFSET,
	VBE_REGISTERS, /* kept */
	VBE_VIDEO_MEMORY_64K = VBE_REGISTERS,
};
#define VBE_ENABLED    0x0001
#define VBE_GETCAPS    0x0002
#define VBE_8BIT_DAC   0x0020
#define VBE_NOCLEARMEM 0x0080

#define VGA_WINDOW	0xa0000
#define VGA_WINDOW_SIZE 0x20000
#define VGA_TEXT_BYTES	0x8000
#define VGA_CELLS	257 /* of a line: 256 characters, and one more that panning brings in */
#define VGA_EDID_BYTES	128

struct vga_scan; /* vga_draw.c: what is being drawn, and what was last */

struct vga {
	struct device *dev;

	/* configuration */
	uint32_t vgamem_mb;
	uint32_t xres, yres; /* the monitor's, told by its EDID */
	bool edid;
	uint32_t vram_bytes; /* a power of 2 */
	bool secondary;	     /* neither window nor ports: the memory BARs are all there is */
	bool bare;	     /* and no VGA: nothing but Bochs' extensions */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t latch; /* a byte of each plane */
	uint16_t vbe_index, vbe[VBE_REGISTERS];
	uint8_t seq[VGA_SEQ_REGISTERS], crtc[VGA_CRTC_REGISTERS], gfx[VGA_GFX_REGISTERS],
		attr[VGA_ATTR_REGISTERS], dac[VGA_DAC_BYTES];
	uint8_t seq_index, crtc_index, gfx_index;
	uint8_t attr_index; /* with ATTR_SOURCE */
	uint8_t misc, feature;
	uint8_t dac_mask, dac_read, dac_write; /* colours */
	uint8_t dac_part;		       /* 0 to 2: red, green, blue */
	uint8_t dac_new[3];		       /* of the colour being written */
	bool attr_data;			       /* the next write to 3C0h is data */
	bool dac_reading;
	GUEST_VISIBLE_END;

	/* host side */
	uint8_t *vram; /* a doubleword holds the bytes of the four planes at one address */
	struct region vram_region;
	struct dirty_log *log;		 /* of vram; NULL: none, all may be written at any time */
	struct region window, window_io; /* A0000h to BFFFFh */
	struct region window_ram;	 /* onto vram, while it can be */
	struct region window_text;	 /* onto text */
	uint64_t window_at, window_ram_bytes; /* where window_ram shows vram */
	struct dirty_log *text_log;
	uint8_t *text; /* what planes 0 and 1 hold, by the addresses of the CPU */
	bool ram_shown, text_shown;
	struct region attr_ports, seq_ports, dac_ports, misc_ports, gfx_ports, crtc_ports[2],
		status_ports[2], vbe_ports;
	struct console *con;
	struct vga_scan *scan;
};

extern const struct state_desc vga_state;

/* S being a device's struct with a member `vga`. */
#define VGA_PROPS(S, mb)                                         \
	DEFINE_PROP(S, vga.vgamem_mb, "vgamem_mb", PROP_U32, mb, \
		    "video memory, MiB: a power of 2, 1 to 256")
#define VGA_MONITOR_PROPS(S)                                                                       \
	DEFINE_PROP(S, vga.edid, "edid", PROP_BOOL, 1, "the monitor describes itself"),            \
		DEFINE_PROP(S, vga.xres, "xres", PROP_U32, 1280, "the monitor's preferred width"), \
		DEFINE_PROP(S, vga.yres, "yres", PROP_U32, 800, "the monitor's preferred height")

/* From realize: memory, window, ports and console. MEM and IO are where the device decodes, unless it is SECONDARY. */
bool vga_init(struct vga *v, struct device *dev, struct region *mem, struct region *io,
	      struct error *err);
void vga_fini(struct vga *v);
void vga_reset(struct vga *v);

/* Port OFFSET from 3C0h to 3DFh (CRTC at 3D4h), as the memory BAR shows them too. */
uint8_t vga_port_read(struct vga *v, unsigned offset);
void vga_port_write(struct vga *v, unsigned offset, uint8_t value);

/* ---- vga_mem.c ---- */
void vga_mem_init(struct vga *v, struct region *mem);
void vga_mem_fini(struct vga *v);
/* Registers that say how the window shows memory may have changed. */
void vga_mem_update(struct vga *v);
/* What the guest wrote as text is brought into vram. */
void vga_mem_sync(struct vga *v);

/* Video memory was written by other than the guest's own hand. */
static inline void vga_vram_written(struct vga *v, uint64_t offset, uint64_t bytes)
{
	if (v->log)
		dirty_log_mark_mt(v->log, offset, bytes);
}

static inline uint32_t vga_dword(const struct vga *v, uint32_t index)
{
	uint32_t value;

	memcpy(&value, v->vram + (((uint64_t)index * 4) & (v->vram_bytes - 1)), 4);
	return value;
}

/* ---- vga_vbe.c ---- */
extern const struct region_ops vga_vbe_port_ops;
void vga_vbe_reset(struct vga *v);
void vga_vbe_post_load(struct vga *v);
uint16_t vga_vbe_read(struct vga *v, unsigned index);
void vga_vbe_write(struct vga *v, unsigned index, uint16_t value);
static inline bool vga_vbe_on(const struct vga *v)
{
	return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}
/* From a line to the next, bytes; of 4 bits per pixel, of all planes. */
uint32_t vga_vbe_pitch(const struct vga *v);

/* ---- vga_bios.c ---- */
/* ROM: where the font is; without one there is none. */
void vga_bios_text(struct vga *v, const uint8_t *rom, size_t rom_bytes);
/* All but where it is. */
bool vga_bios_framebuffer(struct vga *v, struct boot_framebuffer *fb);

/* ---- vga_edid.c ---- */
void vga_edid(uint8_t edid[VGA_EDID_BYTES], unsigned width, unsigned height);

/* ---- vga_draw.c ---- */
extern const struct console_ops vga_console_ops;
struct vga_scan *vga_scan_new(const struct vga *v);
void vga_scan_free(struct vga_scan *s);
/* Scan lines that are shown. */
unsigned vga_lines(const struct vga *v);

extern const struct device_type vga_pci_type, vga_secondary_type, vga_bochs_type, vga_isa_type;

#endif
