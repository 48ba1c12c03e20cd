/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA's picture, scan line by scan line, as the CRT controller and the attribute controller go through it (IBM VGA XGA
 * Technical Reference, "CRT Controller Registers", "Attribute Controller Registers"; "Video Subsystem", "Modes of Operation").
 *
 * While nobody looks at the screen nothing is done here, and nothing that the guest writes is taken note of. When it is
 * to be refreshed, what each line is made of is gathered into a *record* (a doubleword for each character clock: the
 * dots of a character's row with its colours, or the bytes of the planes) and compared with that of the last refresh; only
 * where it differs pixels are made. The linear modes of Bochs' extensions are compared as they are, and of them only lines on
 * pages that were written (src/dirty_log.h). All addresses are taken modulo the size of video memory, whatever the registers say.
 */
#include <stdlib.h>
#include "devices/display/vga.h"

#define LINE_DOTS	 (VGA_CELLS * 18) /* the widest character, doubled */
#define SLICE_PIXELS	 (128 * 1024)	  /* of one turn of the loop; a vCPU may be waiting */
#define FONT_GLYPH	 32		  /* bytes from one to the next */
#define FONT_PLANE	 2
#define ADDRESSES	 0xffff
#define FIRST_LINE_GLYPH 0xc0
#define LAST_LINE_GLYPH	 0xdf
#define TEXT_ALL_DOTS	 0x1ff

/* A frame is 1/70 s; the cursor is shown for 16 of them and then not for 16, a blinking character for 32. */
#define CURSOR_BLINK_NS 228000000
#define TEXT_BLINK_NS	457000000

/* Records of text: the dots, most significant first of nine, and the colours. */
#define RECORD_FG_SHIFT 16
#define RECORD_BG_SHIFT 24

enum vga_kind { VGA_BLANK, VGA_TEXT, VGA_PLANAR, VGA_INTERLEAVED, VGA_256, VGA_LINEAR };

/* All that the picture depends on beside memory; padding is zeroed, so that two can be compared as bytes. */
struct vga_params {
	uint32_t lut[256]; /* colours as 0xRRGGBB */
	enum vga_kind kind;
	unsigned width, height;
	unsigned cells;	  /* character clocks of a line */
	unsigned dots;	  /* of a character clock on the screen */
	unsigned doubled; /* 1 or 2: screen dots for one */
	uint32_t start;	  /* address counter of the first line */
	uint32_t pitch;	  /* what is added to it from a row to the next */
	uint32_t mask;	  /* the address counter wraps here */
	unsigned preset_row, max_row, compare;
	unsigned pan, split_pan; /* screen dots */
	unsigned bpp;		 /* VGA_LINEAR; start and pitch are in bytes then */
	unsigned fonts[2];	 /* in plane 2 */
	uint8_t double_scan, mode, underline, attr_mode, planes;
	bool vbe;
};

struct vga_cursor {
	bool on, blink_on;
	unsigned at, first, last; /* address counter, rows */
};

struct vga_scan {
	struct vga_params now; /* of the refresh that is under way, or of the last one */
	bool active, all;      /* ALL: every pixel is new */
	struct vga_cursor cursor;
	/* the next line */
	unsigned y, row, half, pan;
	uint32_t addr;
	uint64_t *written; /* VGA_LINEAR: pages, of the refresh that is under way */
	uint8_t *shadow;   /* records, or memory, of the lines as they were drawn */
	size_t shadow_stride;
	uint32_t record[VGA_CELLS];
	uint32_t line[LINE_DOTS];
};

/* ---- colours ---- */

/* Their highest bits once more are what eight bits of a colour lack: the brightest stays the brightest. */
static uint32_t five_bits(unsigned c)
{
	c &= 0x1f;
	return c << 3 | c >> 2;
}

static uint32_t six_bits(unsigned c)
{
	c &= 0x3f;
	return c << 2 | c >> 4;
}

static uint32_t dac_color(const struct vga *v, uint8_t index)
{
	const uint8_t *c = &v->dac[(index & v->dac_mask) * 3];

	if (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC)
		return c[0] << 16 | c[1] << 8 | c[2];
	return six_bits(c[0]) << 16 | six_bits(c[1]) << 8 | six_bits(c[2]);
}

static uint8_t palette(const struct vga *v, unsigned i)
{
	uint8_t select = v->attr[ATTR_COLOR_SELECT];
	uint8_t index = v->attr[i];

	if (v->attr[ATTR_MODE] & ATTR_MODE_P5P4)
		index = (index & 0x0f) | (select & 3) << 4;
	return index | (select & 0x0c) << 4;
}

static void fill_lut(const struct vga *v, struct vga_params *p)
{
	bool direct = p->kind == VGA_256 || p->kind == VGA_LINEAR;

	for (unsigned i = 0; i < (direct ? 256u : 16u); i++)
		p->lut[i] = dac_color(v, direct ? i : palette(v, i));
}

/* ---- what is to be drawn ---- */

static enum vga_kind kind_of(const struct vga *v)
{
	if (v->bare)
		return vga_vbe_on(v) ? VGA_LINEAR : VGA_BLANK;
	if (!(v->attr_index & ATTR_SOURCE) || (v->seq[SEQ_CLOCKING] & SEQ_CLOCKING_OFF))
		return VGA_BLANK;
	if (vga_vbe_on(v))
		return v->vbe[VBE_BPP] == 4 ? VGA_PLANAR : VGA_LINEAR;
	if (!(v->gfx[GFX_MISC] & GFX_MISC_GRAPHICS))
		return VGA_TEXT;
	if (v->gfx[GFX_MODE] & GFX_MODE_256)
		return VGA_256;
	return v->gfx[GFX_MODE] & GFX_MODE_INTERLEAVE ? VGA_INTERLEAVED : VGA_PLANAR;
}

static void vbe_params(const struct vga *v, struct vga_params *p)
{
	p->vbe = true;
	p->width = v->vbe[VBE_XRES];
	p->height = v->vbe[VBE_YRES];
	p->bpp = v->vbe[VBE_BPP];
	p->pitch = vga_vbe_pitch(v);
	p->start = v->vbe[VBE_Y_OFFSET] * p->pitch;
	p->compare = UINT32_MAX;
	if (p->kind == VGA_LINEAR) {
		p->start += v->vbe[VBE_X_OFFSET] * ((p->bpp + 7) / 8);
		return;
	}
	/* Four planes: in doublewords, of eight pixels each. */
	p->pitch /= 4;
	p->start = p->start / 4 + v->vbe[VBE_X_OFFSET] / 8;
	p->mask = v->vram_bytes / 4 - 1;
	p->cells = p->width / 8;
	p->dots = 8;
	p->doubled = 1;
	p->pan = p->split_pan = v->vbe[VBE_X_OFFSET] % 8;
	p->planes = v->attr[ATTR_PLANES] & 0xf;
}

static unsigned pan_dots(const struct vga *v, const struct vga_params *p)
{
	unsigned pan = v->attr[ATTR_PAN] & 0xf;

	if (p->kind == VGA_256)
		return (pan & 7) / 2 * 2 * p->doubled;
	if (p->kind == VGA_TEXT && p->dots == 9 * p->doubled)
		return (pan > 7 ? 0 : pan + 1) * p->doubled;
	return (pan & 7) * p->doubled;
}

/* Offset in plane 2 of the font that three bits name. */
static unsigned font_offset(unsigned n)
{
	return (n & 3) * 0x4000 + (n & 4 ? 0x2000 : 0);
}

static void vga_params(const struct vga *v, struct vga_params *p)
{
	const uint8_t *cr = v->crtc;
	uint8_t map = v->seq[SEQ_CHARACTER_MAP];
	bool nine = p->kind == VGA_TEXT && !(v->seq[SEQ_CLOCKING] & SEQ_CLOCKING_8DOT);

	p->doubled = v->seq[SEQ_CLOCKING] & SEQ_CLOCKING_HALF ? 2 : 1;
	p->dots = (nine ? 9 : 8) * p->doubled;
	p->cells = cr[CRTC_HORIZONTAL_END] + 1;
	p->width = p->cells * p->dots;
	p->height = vga_lines(v);
	p->start = (cr[CRTC_START_HIGH] << 8 | cr[CRTC_START_LOW]) + (cr[CRTC_PRESET_ROW] >> 5 & 3);
	p->pitch = cr[CRTC_OFFSET] * 2;
	p->mask = ADDRESSES;
	p->preset_row = cr[CRTC_PRESET_ROW] & 0x1f;
	p->max_row = cr[CRTC_MAX_SCAN] & 0x1f;
	p->double_scan = cr[CRTC_MAX_SCAN] & CRTC_MAX_SCAN_DOUBLE;
	p->compare = cr[CRTC_LINE_COMPARE] | (cr[CRTC_OVERFLOW] & 0x10) << 4 |
		     (cr[CRTC_MAX_SCAN] & 0x40) << 3;
	p->mode = cr[CRTC_MODE];
	p->underline = cr[CRTC_UNDERLINE];
	p->attr_mode = v->attr[ATTR_MODE];
	p->planes = v->attr[ATTR_PLANES] & 0xf;
	p->pan = pan_dots(v, p);
	p->split_pan = p->attr_mode & ATTR_MODE_PAN_SPLIT ? 0 : p->pan;
	/* Attribute bit 3 clear: map B; set: map A. */
	p->fonts[0] = font_offset((map & 3) | (map & 0x10) >> 2);
	p->fonts[1] = font_offset((map >> 2 & 3) | (map & 0x20) >> 3);
}

static struct vga_cursor cursor_params(const struct vga *v)
{
	const uint8_t *cr = v->crtc;
	int64_t now = clock_now_ns(v->dev->machine->clock);

	return (struct vga_cursor){
		.on = !(cr[CRTC_CURSOR_START] & CRTC_CURSOR_OFF) && now / CURSOR_BLINK_NS % 2 == 0,
		.blink_on = now / TEXT_BLINK_NS % 2 == 0,
		.at = cr[CRTC_CURSOR_HIGH] << 8 | cr[CRTC_CURSOR_LOW],
		.first = cr[CRTC_CURSOR_START] & 0x1f,
		.last = cr[CRTC_CURSOR_END] & 0x1f,
	};
}

static bool cursor_same(const struct vga_cursor *a, const struct vga_cursor *b)
{
	return a->on == b->on && a->blink_on == b->blink_on && a->at == b->at &&
	       a->first == b->first && a->last == b->last;
}

static size_t stride_of(const struct vga_params *p)
{
	return p->kind == VGA_LINEAR ? p->width * ((p->bpp + 7) / 8) : VGA_CELLS * 4;
}

/* Has any memory been written that the picture is made of? s->written says which. */
static bool take_written(struct vga *v)
{
	struct machine *m = v->dev->machine;
	uint64_t text_pages; /* there are 8 */
	bool text = true, vram = true;

	if (v->text_log)
		text = dirty_log_take(m, v->text_log, &text_pages);
	if (v->log)
		vram = dirty_log_take(m, v->log, v->scan->written);
	return vram || (text && v->text_shown);
}

static void scan_begin(struct vga *v)
{
	struct vga_scan *s = v->scan;
	const struct surface *surface = console_surface(v->con);
	struct vga_cursor cursor = cursor_params(v);
	bool written = take_written(v), moved = !cursor_same(&cursor, &s->cursor);
	struct vga_params p;

	memset(&p, 0, sizeof(p));
	p.kind = kind_of(v);
	if (p.kind == VGA_BLANK) {
		p.width = surface->width;
		p.height = surface->height;
	} else {
		if (vga_vbe_on(v))
			vbe_params(v, &p);
		else
			vga_params(v, &p);
		fill_lut(v, &p);
	}
	s->cursor = cursor;
	s->all = memcmp(&p, &s->now, sizeof(p)) != 0;
	if (s->all) {
		s->now = p;
		s->shadow_stride = stride_of(&p);
		free(s->shadow);
		s->shadow = xzalloc(s->shadow_stride * p.height);
		console_resize(v->con, p.width, p.height);
	}
	if (written)
		vga_mem_sync(v);
	/* Nothing to do: the picture begins at its end. */
	s->y = s->all || written || moved ? 0 : p.height;
	s->half = 0;
	s->row = p.preset_row;
	s->addr = p.start;
	s->pan = p.pan;
	s->active = true;
}

/* ---- records ---- */

/* The address counter and the row make the address in a plane ("Word Mode", "Double Word", "Compatibility Mode"). */
static uint32_t address(const struct vga_params *p, uint32_t counter, unsigned row)
{
	uint32_t a = counter & p->mask;

	if (p->vbe)
		return a;
	if (!(p->underline & CRTC_UNDERLINE_DOUBLE_WORD) && !(p->mode & CRTC_MODE_BYTE))
		a = a << 1 | (p->mode & CRTC_MODE_WRAP_64K ? a >> 15 & 1 : a >> 13 & 1);
	if (!(p->mode & CRTC_MODE_NO_ROW0))
		a = (a & ~0x2000u) | (row & 1) << 13;
	if (!(p->mode & CRTC_MODE_NO_ROW1))
		a = (a & ~0x4000u) | (row >> 1 & 1) << 14;
	return a & ADDRESSES;
}

static uint32_t counter_of(const struct vga_params *p, uint32_t addr, unsigned cell)
{
	if (!p->vbe && (p->underline & CRTC_UNDERLINE_COUNT_BY_4))
		cell >>= 2;
	else if (!p->vbe && (p->mode & CRTC_MODE_COUNT_BY_2))
		cell >>= 1;
	return (addr + cell) & p->mask;
}

static uint32_t text_record(const struct vga *v, const struct vga_scan *s, uint32_t counter)
{
	const struct vga_params *p = &s->now;
	uint32_t cell = vga_dword(v, address(p, counter, s->row));
	unsigned glyph = cell & 0xff, attr = cell >> 8 & 0xff;
	unsigned font = p->fonts[attr >> 3 & 1] + glyph * FONT_GLYPH + s->row;
	unsigned fg = attr & 0xf, bg = attr >> 4;
	unsigned dots = (vga_dword(v, font) >> 8 * FONT_PLANE & 0xff) << 1;

	if ((p->attr_mode & ATTR_MODE_LINE) && glyph >= FIRST_LINE_GLYPH &&
	    glyph <= LAST_LINE_GLYPH)
		dots |= dots >> 1 & 1;
	if ((p->attr_mode & ATTR_MODE_MONO) && (attr & 7) == 1 && s->row == (p->underline & 0x1f))
		dots = TEXT_ALL_DOTS;
	if (p->attr_mode & ATTR_MODE_BLINK) {
		if ((bg & 8) && !s->cursor.blink_on)
			dots = 0;
		bg &= 7;
	}
	if (s->cursor.on && counter == s->cursor.at && s->row >= s->cursor.first &&
	    s->row <= s->cursor.last)
		dots = TEXT_ALL_DOTS;
	return dots | (fg & p->planes) << RECORD_FG_SHIFT | (bg & p->planes) << RECORD_BG_SHIFT;
}

static void gather(const struct vga *v, struct vga_scan *s, unsigned n)
{
	const struct vga_params *p = &s->now;

	for (unsigned i = 0; i < n; i++) {
		uint32_t counter = counter_of(p, s->addr, i);

		s->record[i] = p->kind == VGA_TEXT ? text_record(v, s, counter)
						   : vga_dword(v, address(p, counter, s->row));
	}
}

/* ---- dots ---- */

static uint32_t *put(uint32_t *to, uint32_t color, unsigned n)
{
	while (n--)
		*to++ = color;
	return to;
}

static uint32_t *draw_text(const struct vga_params *p, uint32_t *to, uint32_t record)
{
	uint32_t fg = p->lut[record >> RECORD_FG_SHIFT & 0xf],
		 bg = p->lut[record >> RECORD_BG_SHIFT & 0xf];

	for (unsigned i = 0; i < p->dots / p->doubled; i++)
		to = put(to, record >> (8 - i) & 1 ? fg : bg, p->doubled);
	return to;
}

static uint32_t *draw_planar(const struct vga_params *p, uint32_t *to, uint32_t record)
{
	for (unsigned bit = 8; bit--;) {
		unsigned index = (record >> bit & 1) | (record >> (bit + 8) & 1) << 1 |
				 (record >> (bit + 16) & 1) << 2 | (record >> (bit + 24) & 1) << 3;

		to = put(to, p->lut[index & p->planes], p->doubled);
	}
	return to;
}

/* Two bits a dot: of planes 0 and 2 for the first four, then of 1 and 3 ("Shift Register Interleave"). */
static uint32_t *draw_interleaved(const struct vga_params *p, uint32_t *to, uint32_t record)
{
	for (unsigned plane = 0; plane < 2; plane++) {
		unsigned low = record >> 8 * plane, high = record >> (8 * plane + 16);

		for (unsigned shift = 8; shift; shift -= 2) {
			unsigned index = (low >> (shift - 2) & 3) | (high >> (shift - 2) & 3) << 2;

			to = put(to, p->lut[index & p->planes], p->doubled);
		}
	}
	return to;
}

static uint32_t *draw_256(const struct vga_params *p, uint32_t *to, uint32_t record)
{
	for (unsigned i = 0; i < 4; i++)
		to = put(to, p->lut[record >> 8 * i & 0xff], 2 * p->doubled);
	return to;
}

static void draw_cells(struct vga_scan *s, unsigned first, unsigned n)
{
	const struct vga_params *p = &s->now;
	uint32_t *to = s->line + first * p->dots;

	for (unsigned i = first; i < first + n; i++) {
		switch (p->kind) {
		case VGA_TEXT:
			to = draw_text(p, to, s->record[i]);
			break;
		case VGA_PLANAR:
			to = draw_planar(p, to, s->record[i]);
			break;
		case VGA_INTERLEAVED:
			to = draw_interleaved(p, to, s->record[i]);
			break;
		default:
			to = draw_256(p, to, s->record[i]);
			break;
		}
	}
}

/* ---- lines ---- */

static uint32_t *surface_line(struct vga *v, unsigned y)
{
	const struct surface *surface = console_surface(v->con);

	return surface->pixels + (size_t)y * surface->stride;
}

/* Dots FIRST to END of s->line, which begins PAN dots left of the screen. */
static void show_dots(struct vga *v, unsigned first, unsigned end)
{
	struct vga_scan *s = v->scan;
	unsigned width = s->now.width;

	first = first > s->pan ? first - s->pan : 0;
	end = MIN(end > s->pan ? end - s->pan : 0, width);
	if (first >= end)
		return;
	memcpy(surface_line(v, s->y) + first, s->line + s->pan + first,
	       (end - first) * sizeof(s->line[0]));
	console_touch(v->con, first, s->y, end - first, 1);
}

static void draw_record_line(struct vga *v)
{
	struct vga_scan *s = v->scan;
	const struct vga_params *p = &s->now;
	unsigned first = 0, end = p->cells + (s->pan ? 1 : 0);
	uint32_t *shadow = (uint32_t *)(s->shadow + s->y * s->shadow_stride);

	gather(v, s, end);
	if (!s->all) {
		while (first < end && s->record[first] == shadow[first])
			first++;
		while (end > first && s->record[end - 1] == shadow[end - 1])
			end--;
	}
	if (first == end)
		return;
	memcpy(shadow + first, s->record + first, (end - first) * sizeof(shadow[0]));
	draw_cells(s, first, end - first);
	show_dots(v, first * p->dots, end * p->dots);
}

static void draw_blank_line(struct vga *v)
{
	struct vga_scan *s = v->scan;

	if (!s->all)
		return;
	memset(surface_line(v, s->y), 0, s->now.width * sizeof(uint32_t));
	console_touch(v->con, 0, s->y, s->now.width, 1);
}

static void convert_high(uint32_t *to, const uint8_t *from, unsigned n, bool six)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned w = from[2 * i] | from[2 * i + 1] << 8;

		to[i] = six ? five_bits(w >> 11) << 16 | six_bits(w >> 5) << 8 | five_bits(w)
			    : five_bits(w >> 10) << 16 | five_bits(w >> 5) << 8 | five_bits(w);
	}
}

static void convert(const struct vga_params *p, uint32_t *to, const uint8_t *from, unsigned n)
{
	switch (p->bpp) {
	case 8:
		for (unsigned i = 0; i < n; i++)
			to[i] = p->lut[from[i]];
		break;
	case 15:
	case 16:
		convert_high(to, from, n, p->bpp == 16);
		break;
	case 24:
		for (unsigned i = 0; i < n; i++)
			to[i] = from[3 * i] | from[3 * i + 1] << 8 | from[3 * i + 2] << 16;
		break;
	default:
		memcpy(to, from, 4 * (size_t)n);
		break;
	}
}

/* False: it has not been written. */
static bool draw_linear_line(struct vga *v)
{
	struct vga_scan *s = v->scan;
	const struct vga_params *p = &s->now;
	unsigned bytes = (p->bpp + 7) / 8, first = 0, end = p->width;
	uint64_t at = p->start + (uint64_t)s->y * p->pitch;
	uint8_t *shadow = s->shadow + s->y * s->shadow_stride;
	const uint8_t *from = v->vram + at;

	if (at + p->width * bytes > v->vram_bytes)
		return false;
	if (!s->all) {
		if (v->log && !dirty_log_any(s->written, at / DIRTY_PAGE,
					     (at + p->width * bytes - 1) / DIRTY_PAGE))
			return false;
		if (!memcmp(from, shadow, p->width * bytes))
			return true;
		/* Widths are multiples of 8. */
		while (first < end &&
		       !memcmp(from + first * bytes, shadow + first * bytes, 8 * bytes))
			first += 8;
		while (end > first &&
		       !memcmp(from + (end - 8) * bytes, shadow + (end - 8) * bytes, 8 * bytes))
			end -= 8;
	}
	/* From the copy: the guest may be writing. */
	memcpy(shadow + first * bytes, from + first * bytes, (end - first) * bytes);
	convert(p, surface_line(v, s->y) + first, shadow + first * bytes, end - first);
	console_touch(v->con, first, s->y, end - first, 1);
	return true;
}

/* False: there was nothing to do. */
static bool draw_line(struct vga *v)
{
	switch (v->scan->now.kind) {
	case VGA_LINEAR:
		return draw_linear_line(v);
	case VGA_BLANK:
		draw_blank_line(v);
		return v->scan->all;
	default:
		draw_record_line(v);
		return true;
	}
}

static void next_line(struct vga_scan *s)
{
	const struct vga_params *p = &s->now;

	if (s->y++ == p->compare) {
		s->addr = s->row = s->half = 0;
		s->pan = p->split_pan;
		return;
	}
	if (p->double_scan && !s->half) {
		s->half = 1;
		return;
	}
	s->half = 0;
	if (s->row++ >= p->max_row) {
		s->row = 0;
		s->addr = (s->addr + p->pitch) & p->mask;
	}
	s->row &= 0x1f;
}

static bool vga_refresh(void *opaque)
{
	struct vga *v = opaque;
	struct vga_scan *s = v->scan;
	unsigned pixels = 0;

	if (!s->active)
		scan_begin(v);
	while (s->y < s->now.height) {
		if (pixels > SLICE_PIXELS)
			return false;
		if (draw_line(v))
			pixels += s->now.width;
		next_line(s);
	}
	s->active = false;
	return true;
}

/* ---- text ---- */

static void text_cell(const struct vga *v, const struct vga_params *p, uint32_t counter,
		      struct console_cell *cell)
{
	uint32_t dword = vga_dword(v, address(p, counter, 0));
	uint8_t attr = dword >> 8;
	bool blink = p->attr_mode & ATTR_MODE_BLINK;

	cell->unicode = console_cp437(dword & 0xff);
	cell->fg = attr & 0xf;
	cell->bg = attr >> 4 & (blink ? 7 : 15);
	cell->blink = blink && (attr & 0x80);
}

static bool vga_text(void *opaque, struct console_text *text)
{
	struct vga *v = opaque;
	const uint8_t *cr = v->crtc;
	unsigned cursor = cr[CRTC_CURSOR_HIGH] << 8 | cr[CRTC_CURSOR_LOW];
	struct vga_params p;

	memset(&p, 0, sizeof(p));
	p.kind = kind_of(v);
	if (p.kind != VGA_TEXT)
		return false;
	vga_mem_sync(v);
	vga_params(v, &p);
	text->columns = p.cells;
	text->rows = MAX(p.height / ((p.max_row + 1) * (p.double_scan ? 2 : 1)), 1u);
	text->cells = xzalloc(text->columns * text->rows * sizeof(text->cells[0]));
	for (unsigned y = 0; y < text->rows; y++) {
		for (unsigned x = 0; x < text->columns; x++) {
			uint32_t counter = counter_of(&p, p.start + y * p.pitch, x);

			text_cell(v, &p, counter, &text->cells[y * text->columns + x]);
			if (counter == cursor && !(cr[CRTC_CURSOR_START] & CRTC_CURSOR_OFF)) {
				text->cursor_shown = true;
				text->cursor_x = x;
				text->cursor_y = y;
			}
		}
	}
	return true;
}

const struct console_ops vga_console_ops = {.refresh = vga_refresh, .text = vga_text};

struct vga_scan *vga_scan_new(const struct vga *v)
{
	struct vga_scan *s = xzalloc(sizeof(*s));

	if (v->log)
		s->written = xzalloc(v->log->words * 8);
	return s;
}

void vga_scan_free(struct vga_scan *s)
{
	free(s->written);
	free(s->shadow);
	free(s);
}
